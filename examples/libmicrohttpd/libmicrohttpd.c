/* libmicrohttpd.c - an HTTP server that is there already keeps its port, its
 * pages and its thread, and hands WebSockets over to a broker in another one.
 * SEND to /app/echo, and the body comes back at /user/queue/echo. It gives a
 * socket away with a 101 only: exchange.c is for SockJS. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include <stompbroker/stompbroker.h>

static sbk_broker *broker;

static sbk_msec now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (sbk_msec)t.tv_sec * 1000 + (sbk_msec)t.tv_nsec / 1000000;
}

/* ---- the broker's thread: an epoll loop without a listener ---- */

struct client {
  int fd;
  unsigned wants; /* what epoll was last told */
  sbk_conn *conn;
  struct MHD_UpgradeResponseHandle *upgrade; /* the socket is closed by it */
};

static int ep, bell;
static char room[1 << 18]; /* one for the whole loop, in and out */

static int watch(int op, struct client *c, unsigned wants) {
  struct epoll_event ev = {.data.ptr = c};
  if (wants & SBK_WANT_READ) ev.events |= EPOLLIN;
  if (wants & SBK_WANT_WRITE) ev.events |= EPOLLOUT;
  c->wants = wants;
  return epoll_ctl(ep, op, c->fd, &ev);
}

static void read_some(struct client *c) {
  ssize_t n = recv(c->fd, room, sizeof(room), MSG_DONTWAIT);
  if (n > 0) sbk_conn_feed(c->conn, now(), room, (size_t)n);
  else if (n == 0) sbk_conn_eof(c->conn, 0);
  else if (errno != EAGAIN && errno != EINTR) sbk_conn_eof(c->conn, errno);
}

static void settle(struct client *c) {
  unsigned wants;
  size_t n;
  while ((n = sbk_conn_copy_out(c->conn, room, sizeof(room))) > 0) {
    ssize_t w = send(c->fd, room, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (w >= 0) sbk_conn_sent(c->conn, (size_t)w);
    else if (errno != EAGAIN && errno != EINTR) sbk_conn_eof(c->conn, errno);
    if (w != (ssize_t)n || n < sizeof(room)) break;
  }
  wants = sbk_conn_wants(c->conn);
  if (wants & SBK_WANT_SHUTDOWN) shutdown(c->fd, SHUT_WR);
  if (wants == 0) {
    /* libmicrohttpd closes it in its own thread, so epoll has to forget it
     * now; its number is not given away before. */
    epoll_ctl(ep, EPOLL_CTL_DEL, c->fd, NULL);
    sbk_conn_free(c->conn);
    MHD_upgrade_action(c->upgrade, MHD_UPGRADE_ACTION_CLOSE);
    free(c);
  } else if (wants != c->wants && watch(EPOLL_CTL_MOD, c, wants) != 0) {
    sbk_conn_eof(c->conn, errno); /* flush() meets it again, and closes it */
  }
}

static int wait_ms(void) {
  sbk_msec due = sbk_broker_deadline(broker), t = now();
  if (due == SBK_NEVER) return -1;
  return due <= t ? 0 : due - t > 60000 ? 60000 : (int)(due - t);
}

/* Before the loop sleeps: one write for each connection, whatever made it. */
static void flush(void) {
  sbk_conn *conn;
  sbk_broker_tick(broker, now()); /* and so what was handed over */
  while ((conn = sbk_broker_next_ready(broker)) != NULL)
    settle(sbk_conn_user_data(conn));
}

static void listen_in(const sigset_t *mask) {
  struct epoll_event ev[64];
  uint64_t rings;
  int i, n = epoll_pwait(ep, ev, 64, wait_ms(), mask);
  for (i = 0; i < n; i++) {
    struct client *c = ev[i].data.ptr;
    if (c != NULL && ev[i].events & ~(uint32_t)EPOLLOUT) read_some(c);
    else if (c == NULL && read(bell, &rings, sizeof(rings)) < 0) continue;
  }
  for (i = 0; i < n; i++)
    if (ev[i].data.ptr && ev[i].events & EPOLLOUT) settle(ev[i].data.ptr);
}

static void wakeup(void *arg) {
  const uint64_t one = 1;
  if (write(bell, &one, sizeof(one)) < 0) return; /* it rings already */
}

/* ---- what travels from libmicrohttpd's thread to the broker's ---- */

struct handover {
  sbk_task task; /* first, so that the task is the handover */
  int fd;
  struct MHD_UpgradeResponseHandle *upgrade;
  size_t early_len;
  char early[]; /* what the peer has sent behind its request already */
};

static pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;
static bool door_closed; /* nothing is handed over any more */

/* On the broker's thread. A server that knows who the peer is (by a cookie, a
 * certificate) says so here, with sbk_session_set_user(). */
static void take_over(sbk_broker *b, sbk_task *task) {
  struct handover *h = (struct handover *)task;
  struct client *c = calloc(1, sizeof(*c));
  int on = 1;
  if (c != NULL) *c = (struct client){.fd = h->fd, .upgrade = h->upgrade};
  if (c == NULL || watch(EPOLL_CTL_ADD, c, SBK_WANT_READ) != 0 ||
      sbk_conn_new(&c->conn, b, SBK_WEBSOCKET, NULL, c) != 0) {
    epoll_ctl(ep, EPOLL_CTL_DEL, h->fd, NULL);
    MHD_upgrade_action(h->upgrade, MHD_UPGRADE_ACTION_CLOSE);
    free(c);
  } else {
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sbk_conn_feed(c->conn, now(), h->early, h->early_len);
  }
  free(h);
}

/* On libmicrohttpd's thread, which has sent the 101. */
static void upgraded(void *cls, struct MHD_Connection *connection, void *state,
                     const char *early, size_t early_len, MHD_socket fd,
                     struct MHD_UpgradeResponseHandle *upgrade) {
  struct handover *h = malloc(sizeof(*h) + early_len);
  pthread_mutex_lock(&door);
  if (h == NULL || door_closed) {
    MHD_upgrade_action(upgrade, MHD_UPGRADE_ACTION_CLOSE);
    free(h);
  } else {
    *h = (struct handover){.task.run = take_over,
                           .fd = fd,
                           .upgrade = upgrade,
                           .early_len = early_len};
    if (early_len > 0) memcpy(h->early, early, early_len);
    sbk_post(broker, &h->task);
  }
  pthread_mutex_unlock(&door);
}

/* ---- the server that is there already ---- */

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status,
                              char *text) {
  struct MHD_Response *r = MHD_create_response_from_buffer(
      strlen(text), text, MHD_RESPMEM_PERSISTENT);
  enum MHD_Result rv;
  if (r == NULL) return MHD_NO;
  MHD_add_response_header(r, "Content-Type", "text/plain");
  if (status == MHD_HTTP_UPGRADE_REQUIRED)
    MHD_add_response_header(r, "Sec-WebSocket-Version", "13");
  rv = MHD_queue_response(c, status, r);
  MHD_destroy_response(r);
  return rv;
}

/* Is word in a list like "a, b"? */
static bool lists(const char *list, const char *word) {
  size_t len = strlen(word);
  while (list != NULL && *list != '\0') {
    list += strspn(list, ", \t");
    if (strncasecmp(list, word, len) == 0 && strchr(", \t", list[len]))
      return true;
    list += strcspn(list, ",");
  }
  return false;
}

static enum MHD_Result upgrade(struct MHD_Connection *c, const char *accept,
                               const char *offered) {
  static const char *const speaks[] = {"v12.stomp", "v11.stomp", "v10.stomp"};
  struct MHD_Response *r = MHD_create_response_for_upgrade(upgraded, NULL);
  enum MHD_Result rv;
  size_t i;
  if (r == NULL) return MHD_NO;
  MHD_add_response_header(r, "Upgrade", "websocket");
  MHD_add_response_header(r, "Sec-WebSocket-Accept", accept);
  for (i = 0; i < 3; i++) {
    if (!lists(offered, speaks[i])) continue;
    MHD_add_response_header(r, "Sec-WebSocket-Protocol", speaks[i]);
    break;
  }
  rv = MHD_queue_response(c, MHD_HTTP_SWITCHING_PROTOCOLS, r);
  MHD_destroy_response(r);
  return rv;
}

#define FIELD(name) MHD_lookup_connection_value(c, MHD_HEADER_KIND, name)

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c,
                                  const char *path, const char *method,
                                  const char *version, const char *upload,
                                  size_t *upload_len, void **state) {
  const char *key = FIELD("Sec-WebSocket-Key"), *host = FIELD("Host");
  const char *number = FIELD("Sec-WebSocket-Version");
  char accept[29];
  if (*state == NULL) { /* the head alone; it calls again */
    *state = c;
    return MHD_YES;
  }
  if (*upload_len > 0) { /* a body that nobody wants */
    *upload_len = 0;
    return MHD_YES;
  }
  if (strcmp(path, "/ws") != 0)
    return answer(c, MHD_HTTP_OK, "The server that was there already.\n");
  if (strcmp(method, "GET") != 0)
    return answer(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET only\n");
  if (!lists(FIELD("Upgrade"), "websocket") || number == NULL ||
      strcmp(number, "13") != 0)
    return answer(c, MHD_HTTP_UPGRADE_REQUIRED, "For WebSockets only\n");
  /* Pages of others may not come in with the visitor's cookies. */
  if (host == NULL || !sbk_origin_allowed(FIELD("Origin"), "http", host, NULL))
    return answer(c, MHD_HTTP_FORBIDDEN, "Not from that page\n");
  if (key == NULL || sbk_websocket_accept(accept, key, strlen(key)) != 0)
    return answer(c, MHD_HTTP_BAD_REQUEST, "Sec-WebSocket-Key?\n");
  return upgrade(c, accept, FIELD("Sec-WebSocket-Protocol"));
}

/* ---- */

static int echo(sbk_call *call, void *arg) {
  const sbk_message *msg = sbk_call_message(call);
  size_t len;
  const void *body = sbk_message_body(msg, &len);
  return sbk_call_reply(call, "/queue/echo",
                        sbk_message_header(msg, "content-type"), body, len);
}

static volatile sig_atomic_t ending;
static void on_signal(int sig) {
  ending = 1;
}

/* epoll_pwait() lets it through only when there is nothing else. */
static int must_end(void) {
  sigset_t wait;
  return ending || (sigpending(&wait) == 0 && sigismember(&wait, SIGTERM) == 1);
}

static void end(struct MHD_Daemon *http, const sigset_t *mask) {
  MHD_socket listener = MHD_quiesce_daemon(http);
  pthread_mutex_lock(&door);
  door_closed = true;
  pthread_mutex_unlock(&door);
  flush();                     /* takes over who came at the last moment */
  sbk_broker_shutdown(broker); /* everybody is told 1001 and has 5 s to go */
  for (flush(); sbk_broker_conn_count(broker) > 0; flush())
    listen_in(mask);
  MHD_stop_daemon(http); /* may only come now: it closes no upgraded sockets */
  if (listener != MHD_INVALID_SOCKET) close(listener);
}

int main(int argc, char **argv) {
  struct sbk_callbacks cb = SBK_CALLBACKS_INIT;
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_addr = {htonl(INADDR_LOOPBACK)}};
  struct epoll_event rings = {.events = EPOLLIN};
  struct MHD_Daemon *http = NULL;
  unsigned long port = 8080;
  sigset_t ends, mask;
  char *rest = "";

  if (argc == 3 && strcmp(argv[1], "--port") == 0)
    port = strtoul(argv[2], &rest, 10);
  else if (argc != 1) rest = "?";
  if (*rest || port > 65535)
    return fputs("usage: libmicrohttpd [--port N]\n", stderr), 2;

  sigemptyset(&ends); /* before there are threads: it is for this one */
  sigaddset(&ends, SIGTERM);
  sigprocmask(SIG_BLOCK, &ends, &mask); /* it comes in epoll_pwait() only */
  signal(SIGTERM, on_signal);
  signal(SIGPIPE, SIG_IGN);
  at.sin_port = htons((uint16_t)port);
  cb.wakeup = wakeup;
  ep = epoll_create1(EPOLL_CLOEXEC);
  bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (epoll_ctl(ep, EPOLL_CTL_ADD, bell, &rings) == 0 &&
      sbk_broker_new(&broker, &cb, NULL, NULL) == 0 &&
      sbk_broker_add_handler(broker, SBK_SEND, "/echo", echo, NULL) == 0)
    http = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_UPGRADE, 0,
                            NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR,
                            (struct sockaddr *)&at,
                            MHD_OPTION_CONNECTION_TIMEOUT, 10u, MHD_OPTION_END);
  if (http == NULL) return fputs("libmicrohttpd: cannot start\n", stderr), 1;
  printf("ws 127.0.0.1:%u/ws\nready\n",
         MHD_get_daemon_info(http, MHD_DAEMON_INFO_BIND_PORT)->port);
  fflush(stdout);

  for (; !must_end(); listen_in(&mask))
    flush();
  end(http, &mask);
  sbk_broker_free(broker);
  return 0;
}
