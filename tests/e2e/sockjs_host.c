/* sockjs_host.c - plain messages over SockJS and WebSocket, at the paths that
 * clients' tests know from the test server of sockjs-node, and a few files. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <stompbroker/stompbroker.h>

#define FILES_MOST 16

static const char usage[] =
    "usage: sockjs_host [--port N] [--client-url URL] [--delay MS]\n"
    "                   [--heartbeat MS] [--max-message BYTES] [PATH=FILE]...\n"
    "\n"
    "  --client-url  what the iframe page loads (/sockjs.js)\n"
    "  --delay       the disconnect delay (5000)\n"
    "  --heartbeat   a sign of life this often (25000)\n"
    "  --max-message bytes of a message (1048576), in so many fragments\n"
    "                as anyone likes\n"
    "  PATH=FILE     GET PATH is answered with the file\n";

struct options {
  unsigned long port, delay, heartbeat, max_message;
  const char *client_url;
};

struct client {
  int fd;
  unsigned wants; /* what epoll was last told */
  sbk_conn *conn;
};

struct file {
  const char *path;
  char *data;
  size_t len;
};

static int ep, listener;
static char room[1 << 18]; /* one for the whole loop, in and out */
static struct file files[FILES_MOST];
static size_t file_count;
static sbk_msec next_tick;

static sbk_msec now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (sbk_msec)t.tv_sec * 1000 + (sbk_msec)t.tv_nsec / 1000000;
}

/* ---- the services ---- */

static bool is_at(sbk_session *session, const char *path) {
  return strcmp(sbk_session_endpoint(session), path) == 0;
}

static int echo(sbk_session *session, int binary, const void *data, size_t len,
                void *arg) {
  return sbk_session_send(session, binary, data, len);
}

/* So many as 2 to the power of the number that came. */
static int amplify(sbk_session *session, int binary, const void *data,
                   size_t len, void *arg) {
  static char xs[1 << 19];
  unsigned n = 0;
  const char *c = data;
  for (; len > 0 && n < 100 && *c >= '0' && *c <= '9'; c++, len--)
    n = n * 10 + (unsigned)(*c - '0');
  n = n < 1 ? 1 : n > 19 ? 19 : n;
  memset(xs, 'x', sizeof(xs));
  return sbk_session_send(session, 0, xs, (size_t)1 << n);
}

struct message {
  const char *endpoint;
  int binary;
  const void *data;
  size_t len;
};

static int send_one(sbk_session *session, void *arg) {
  const struct message *m = arg;
  if (is_at(session, m->endpoint))
    sbk_session_send(session, m->binary, m->data, m->len);
  return 0;
}

static int broadcast(sbk_session *session, int binary, const void *data,
                     size_t len, void *arg) {
  struct message m = {sbk_session_endpoint(session), binary, data, len};
  return sbk_each_session(sbk_session_broker(session), NULL, send_one, &m);
}

static int ignore(sbk_session *session, int binary, const void *data,
                  size_t len, void *arg) {
  return 0;
}

static void tick(sbk_broker *b) {
  struct message m = {"/ticker", 0, "tick!", 5};
  if (now() < next_tick) return;
  next_tick = now() + 1000;
  sbk_each_session(b, NULL, send_one, &m);
}

static void on_connected(sbk_session *session, void *arg) {
  if (is_at(session, "/close"))
    sbk_session_close_code(session, 3000, "Go away!");
}

/* ---- requests ---- */

static const char *type_of(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot == NULL                 ? "text/plain; charset=utf-8"
         : strcmp(dot, ".html") == 0 ? "text/html; charset=utf-8"
         : strcmp(dot, ".js") == 0   ? "text/javascript; charset=utf-8"
                                     : "application/octet-stream";
}

static void answer(sbk_request *request, int status, const char *path,
                   const void *body, size_t len) {
  const struct sbk_field fields[] = {{"Content-Type", type_of(path)},
                                     {NULL, NULL}};
  sbk_request_answer(request, status, fields, body, len);
}

static int list_one(sbk_session *session, void *arg) {
  FILE *to = arg;
  fprintf(to, "%s %s\n", sbk_session_endpoint(session),
          sbk_session_transport(session));
  return 0;
}

/* Each session that is there, with the way it is there. */
static void list(sbk_request *request) {
  char *text = NULL;
  size_t len = 0;
  FILE *to = open_memstream(&text, &len);
  sbk_each_session(sbk_request_broker(request), NULL, list_one, to);
  fclose(to);
  answer(request, 200, "", text, len);
  free(text);
}

static void on_request(sbk_request *request, void *arg) {
  const char *path = sbk_request_path(request);
  size_t i;
  if (strcmp(path, "/sessions") == 0) {
    list(request);
    return;
  }
  for (i = 0; i < file_count; i++) {
    if (strcmp(path, files[i].path) == 0) {
      answer(request, 200, path, files[i].data, files[i].len);
      return;
    }
  }
  answer(request, 404, "", "not here\n", 9);
}

static bool load(char *arg) {
  char *name = strchr(arg, '=');
  struct stat st;
  FILE *from;
  bool ok;
  if (name == NULL || arg[0] != '/' || file_count == FILES_MOST) return false;
  *name++ = '\0';
  from = fopen(name, "rbe");
  if (from == NULL || fstat(fileno(from), &st) != 0) {
    fprintf(stderr, "sockjs_host: %s: %s\n", name, strerror(errno));
    exit(1);
  }
  files[file_count].path = arg;
  files[file_count].len = (size_t)st.st_size;
  files[file_count].data = malloc((size_t)st.st_size + 1);
  ok = files[file_count].data != NULL &&
       fread(files[file_count].data, 1, (size_t)st.st_size, from) ==
           (size_t)st.st_size;
  file_count++;
  fclose(from);
  return ok;
}

static int add(sbk_broker *b, const char *path, const struct sbk_sockjs *sockjs,
               int (*message)(sbk_session *, int, const void *, size_t,
                              void *)) {
  static const char *const anybody[] = {"*", NULL};
  struct sbk_endpoint e = SBK_ENDPOINT_INIT;
  e.path = path;
  e.allowed_origins = anybody;
  e.message = message;
  e.sockjs = sockjs;
  return sbk_broker_add_endpoint(b, &e);
}

static int add_all(sbk_broker *b, const struct options *o) {
  struct sbk_sockjs plain = SBK_SOCKJS_INIT, full, other;
  int rv;
  plain.disconnect_delay = o->delay;
  plain.heartbeat = o->heartbeat;
  plain.stream_limit = 4096;
  plain.max_body = 4 << 20; /* in forms much is three or six times as long */
  full = plain;
  full.htmlfile = full.jsonp = 1;
  full.client_url = o->client_url;
  rv = add(b, "/echo", &full, echo);
  if (rv == 0) rv = add(b, "/amplify", &full, amplify);
  if (rv == 0) rv = add(b, "/close", &full, ignore);
  if (rv == 0) rv = add(b, "/broadcast", &full, broadcast);
  if (rv == 0) rv = add(b, "/ticker", &full, ignore);
  other = plain;
  other.no_websocket = 1;
  if (rv == 0) rv = add(b, "/disabled_websocket_echo", &other, echo);
  other = full;
  other.cookie = 1;
  if (rv == 0) rv = add(b, "/cookie_needed_echo", &other, echo);
  return rv;
}

/* ---- the plug, as examples/echo has it ---- */

static int watch(int op, struct client *c, unsigned wants) {
  struct epoll_event ev = {.data.ptr = c};
  if (wants & SBK_WANT_READ) ev.events |= EPOLLIN;
  if (wants & SBK_WANT_WRITE) ev.events |= EPOLLOUT;
  c->wants = wants;
  return epoll_ctl(ep, op, c->fd, &ev);
}

static void accept_one(sbk_broker *b) {
  int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
  struct client *c = fd < 0 ? NULL : calloc(1, sizeof(*c));
  if (c == NULL || sbk_conn_new(&c->conn, b, SBK_HTTP, NULL, c) != SBK_OK) {
    free(c);
    if (fd >= 0) close(fd);
    return;
  }
  c->fd = fd;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (watch(EPOLL_CTL_ADD, c, SBK_WANT_READ)) sbk_conn_eof(c->conn, errno);
}

static void read_some(struct client *c) {
  ssize_t n = read(c->fd, room, sizeof(room));
  if (n > 0) sbk_conn_feed(c->conn, now(), room, (size_t)n);
  else if (n == 0) sbk_conn_eof(c->conn, 0);
  else if (errno != EAGAIN && errno != EINTR) sbk_conn_eof(c->conn, errno);
}

static void settle(struct client *c) {
  unsigned wants;
  size_t n;
  while ((n = sbk_conn_copy_out(c->conn, room, sizeof(room))) > 0) {
    ssize_t w = send(c->fd, room, n, MSG_NOSIGNAL);
    if (w >= 0) sbk_conn_sent(c->conn, (size_t)w);
    else if (errno != EAGAIN && errno != EINTR) sbk_conn_eof(c->conn, errno);
    if (w != (ssize_t)n || n < sizeof(room)) break;
  }
  wants = sbk_conn_wants(c->conn);
  if (wants & SBK_WANT_SHUTDOWN) shutdown(c->fd, SHUT_WR);
  if (wants == 0) {
    close(c->fd);
    sbk_conn_free(c->conn);
    free(c);
  } else if (wants != c->wants && watch(EPOLL_CTL_MOD, c, wants) != 0) {
    sbk_conn_eof(c->conn, errno); /* flush() meets it again, and closes it */
  }
}

static int wait_ms(sbk_broker *b) {
  sbk_msec due = sbk_broker_deadline(b), t = now();
  if (due > next_tick) due = next_tick;
  return due <= t ? 0 : (int)(due - t);
}

static void flush(sbk_broker *b) {
  sbk_conn *conn;
  tick(b);
  sbk_broker_tick(b, now());
  while ((conn = sbk_broker_next_ready(b)))
    settle(sbk_conn_user_data(conn));
}

static void listen_in(sbk_broker *b, const sigset_t *mask) {
  struct epoll_event ev[64];
  int i, n = epoll_pwait(ep, ev, 64, wait_ms(b), mask);
  for (i = 0; i < n; i++) {
    struct client *c = ev[i].data.ptr;
    if (c == NULL) accept_one(b);
    else if (ev[i].events & ~(uint32_t)EPOLLOUT) read_some(c);
  }
  for (i = 0; i < n; i++)
    if (ev[i].data.ptr && ev[i].events & EPOLLOUT) settle(ev[i].data.ptr);
}

/* ---- the program ---- */

static volatile sig_atomic_t ending;
static void on_signal(int sig) {
  ending = 1;
}

/* epoll_pwait() lets it through only when there is nothing else. */
static bool must_end(void) {
  sigset_t wait;
  return ending || (sigpending(&wait) == 0 && sigismember(&wait, SIGTERM) == 1);
}

static void on_log(enum sbk_log_level level, const char *line, void *arg) {
  if (level == SBK_LOG_ERROR) fprintf(stderr, "sockjs_host: %s\n", line);
}

/* NULL, or why not. */
static const char *start(sbk_broker **b, const struct options *o) {
  struct sockaddr_in a = {.sin_family = AF_INET,
                          .sin_port = htons((uint16_t)o->port),
                          .sin_addr = {htonl(INADDR_LOOPBACK)}};
  struct epoll_event first = {.events = EPOLLIN};
  struct sbk_callbacks cb = SBK_CALLBACKS_INIT;
  struct sbk_config config = SBK_CONFIG_INIT;
  socklen_t len = sizeof(a);
  int on = 1, rv;
  cb.connected = on_connected;
  cb.request = on_request;
  cb.log = on_log;
  config.max_message = o->max_message;
  config.max_fragments = 300000;
  config.max_queue = 4 * o->max_message;
  rv = sbk_broker_new(b, &cb, &config, NULL);
  if (rv == 0) rv = add_all(*b, o);
  if (rv != 0) return sbk_strerror(rv);
  ep = epoll_create1(EPOLL_CLOEXEC);
  listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(listener, (struct sockaddr *)&a, len) || listen(listener, 511) ||
      getsockname(listener, (struct sockaddr *)&a, &len) ||
      epoll_ctl(ep, EPOLL_CTL_ADD, listener, &first))
    return strerror(errno);
  printf("http 127.0.0.1:%u\nready\n", ntohs(a.sin_port));
  fflush(stdout);
  return NULL;
}

static bool read_number(unsigned long *n, const char *arg,
                        unsigned long largest) {
  char *end;
  *n = strtoul(arg, &end, 10);
  return *arg != '\0' && *end == '\0' && *n <= largest;
}

static bool read_options(struct options *o, int argc, char **argv) {
  static const struct option names[] = {
      {"port", required_argument, NULL, 'p'},
      {"client-url", required_argument, NULL, 'c'},
      {"delay", required_argument, NULL, 'd'},
      {"heartbeat", required_argument, NULL, 'h'},
      {"max-message", required_argument, NULL, 'm'},
      {NULL, 0, NULL, 0}};
  bool ok = true;
  int c;
  while (ok && (c = getopt_long(argc, argv, "", names, NULL)) != -1) {
    if (c == 'p') ok = read_number(&o->port, optarg, 65535);
    else if (c == 'd') ok = read_number(&o->delay, optarg, 3600000);
    else if (c == 'h') ok = read_number(&o->heartbeat, optarg, 3600000);
    else if (c == 'm') ok = read_number(&o->max_message, optarg, 1 << 28);
    else if (c == 'c') o->client_url = optarg;
    else ok = false;
  }
  for (; ok && optind < argc; optind++)
    ok = load(argv[optind]);
  return ok;
}

int main(int argc, char **argv) {
  struct options o = {8081, 5000, 25000, 1 << 20, "/sockjs.js"};
  sigset_t ends, mask;
  sbk_broker *b = NULL;
  const char *why;

  if (!read_options(&o, argc, argv)) return fputs(usage, stderr), 2;

  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigprocmask(SIG_BLOCK, &ends, &mask); /* it comes in epoll_pwait() only */
  signal(SIGTERM, on_signal);
  next_tick = now();
  why = start(&b, &o);
  if (why != NULL) fprintf(stderr, "sockjs_host: cannot start: %s\n", why);
  if (why == NULL) {
    for (; !must_end(); listen_in(b, &mask))
      flush(b);
    close(listener);
    sbk_broker_shutdown(b);
    for (flush(b); sbk_broker_conn_count(b) > 0; flush(b))
      listen_in(b, &mask);
  }
  sbk_broker_free(b);
  while (file_count > 0)
    free(files[--file_count].data);
  return why == NULL ? 0 : 1;
}
