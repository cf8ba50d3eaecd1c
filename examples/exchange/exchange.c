/* exchange.c - an HTTP server that cannot give its sockets away (here
 * libmicrohttpd, on the broker's own loop) writes the answers of SockJS itself.
 * SEND to /app/echo, and the body comes back at /user/queue/echo. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include <stompbroker/stompbroker.h>

#define BELOW    "/ws"
#define MAX_BODY ((size_t)1 << 20) /* as max_body of struct sbk_sockjs */

static sbk_broker *broker;
static struct MHD_Daemon *http;
static int ep;     /* libmicrohttpd's own, and the sockets of those who wait */
static bool again; /* it has to do what its timeout does not know of */

static sbk_msec now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (sbk_msec)t.tv_sec * 1000 + (sbk_msec)t.tv_nsec / 1000000;
}

struct request {
  struct MHD_Connection *http;
  sbk_conn *conn; /* NULL until all of it is there */
  char *target;   /* as it came: paths from libmicrohttpd are decoded */
  char *body;
  size_t body_len;
  size_t given; /* output that libmicrohttpd has, and did not send yet */
  bool below, begun, waits;
};

/* ---- the plug: what knows both libmicrohttpd and the library ---- */

static int socket_of(struct request *r) {
  return MHD_get_connection_info(r->http, MHD_CONNECTION_INFO_CONNECTION_FD)
      ->connect_fd;
}

/* There is nothing to say yet. Meanwhile libmicrohttpd does not look at the
 * socket, so that it is seen here if the client goes. */
static void wait_for_more(struct request *r) {
  struct epoll_event ev = {.events = EPOLLRDHUP, .data.ptr = r};
  epoll_ctl(ep, EPOLL_CTL_ADD, socket_of(r), &ev);
  MHD_suspend_connection(r->http);
  r->waits = true;
}

static void go_on(struct request *r) {
  if (!r->waits) return; /* it is being sent, and asks by itself */
  epoll_ctl(ep, EPOLL_CTL_DEL, socket_of(r), NULL);
  MHD_resume_connection(r->http);
  again = true;
  r->waits = false;
}

/* What is asked for when all that was given before is sent. Not counted off any
 * sooner it comes again, in the client's next request, if this one breaks. */
static ssize_t read_answer(void *cls, uint64_t pos, char *buf, size_t max) {
  struct request *r = cls;
  struct iovec iov;
  sbk_conn_sent(r->conn, r->given);
  r->given = 0;
  if (sbk_conn_output(r->conn, &iov, 1) == 1) {
    r->given = iov.iov_len < max ? iov.iov_len : max;
    memcpy(buf, iov.iov_base, r->given);
    return (ssize_t)r->given;
  }
  if (sbk_conn_wants(r->conn) == 0) return MHD_CONTENT_READER_END_OF_STREAM;
  wait_for_more(r);
  return 0;
}

static enum MHD_Result answer(struct request *r) {
  struct sbk_http_answer a = SBK_HTTP_ANSWER_INIT;
  const struct sbk_field *f;
  struct MHD_Response *response;
  enum MHD_Result rv;
  if (sbk_conn_answer(r->conn, &a) != 0) {
    if (sbk_conn_wants(r->conn) == 0) return MHD_NO; /* or the client went */
    wait_for_more(r);
    return MHD_YES;
  }
  response = MHD_create_response_from_callback(
      a.length == SBK_UNKNOWN ? MHD_SIZE_UNKNOWN : a.length, 1 << 14,
      read_answer, r, NULL);
  if (response == NULL) return MHD_NO;
  for (f = a.fields; f->name != NULL; f++)
    MHD_add_response_header(response, f->name, f->value);
  rv = MHD_queue_response(r->http, (unsigned)a.status, response);
  MHD_destroy_response(response);
  return rv;
}

struct head {
  struct sbk_http_field *fields;
  size_t count;
};

static enum MHD_Result add_field(void *cls, enum MHD_ValueKind kind,
                                 const char *name, const char *value) {
  struct head *h = cls;
  h->fields[h->count++] =
      (struct sbk_http_field){name, strlen(name), value, strlen(value)};
  return MHD_YES;
}

static int ask(struct request *r, const char *method) {
  struct sbk_http_request request = SBK_HTTP_REQUEST_INIT;
  int rv, n = MHD_get_connection_values(r->http, MHD_HEADER_KIND, NULL, NULL);
  struct head h = {calloc((size_t)n + 1, sizeof(*h.fields)), 0};
  if (h.fields == NULL) return SBK_ERR_NOMEM;
  MHD_get_connection_values(r->http, MHD_HEADER_KIND, add_field, &h);
  request.method = method;
  request.method_len = strlen(method);
  request.target = r->target;
  request.target_len = strlen(r->target);
  request.fields = h.fields;
  request.field_count = h.count;
  rv = sbk_conn_new_exchange(&r->conn, broker, &request, r->body, r->body_len,
                             NULL, r);
  free(h.fields);
  return rv;
}

/* Of a body that is too long one byte more than may be is kept: the broker then
 * knows, and refuses it. */
static bool take_body(struct request *r, const char *data, size_t len) {
  size_t left = MAX_BODY + 1 - r->body_len;
  char *more;
  if (len > left) len = left;
  if (len == 0) return true;
  more = realloc(r->body, r->body_len + len);
  if (more == NULL) return false;
  memcpy(more + r->body_len, data, len);
  r->body = more;
  r->body_len += len;
  return true;
}

static int wait_ms(void) {
  sbk_msec due = sbk_broker_deadline(broker), t = now();
  int ms = due <= t ? 0 : due - t > 60000 ? 60000 : (int)(due - t);
  unsigned long long its;
  if (MHD_get_timeout(http, &its) == MHD_YES && its < (unsigned)ms)
    ms = (int)its;
  return again ? 0 : ms;
}

/* Before the loop sleeps: who waited, and has something to say by now. */
static void flush(void) {
  sbk_conn *conn;
  sbk_broker_tick(broker, now());
  while ((conn = sbk_broker_next_ready(broker)) != NULL)
    go_on(sbk_conn_user_data(conn));
}

static void listen_in(const sigset_t *mask) {
  struct epoll_event ev[64];
  int i, n = epoll_pwait(ep, ev, 64, wait_ms(), mask);
  for (i = 0; i < n; i++) {
    struct request *r = ev[i].data.ptr;
    if (r == NULL) continue; /* something for libmicrohttpd, as below */
    sbk_conn_eof(r->conn, ECONNRESET);
    go_on(r);
  }
  again = false;
  MHD_run(http);
}

/* ---- the server that is there already ---- */

static enum MHD_Result say(struct MHD_Connection *c, unsigned status,
                           char *text) {
  struct MHD_Response *r = MHD_create_response_from_buffer(
      strlen(text), text, MHD_RESPMEM_PERSISTENT);
  enum MHD_Result rv;
  if (r == NULL) return MHD_NO;
  MHD_add_response_header(r, "Content-Type", "text/plain");
  rv = MHD_queue_response(c, status, r);
  MHD_destroy_response(r);
  return rv;
}

static void *on_target(void *cls, const char *target,
                       struct MHD_Connection *c) {
  struct request *r = calloc(1, sizeof(*r));
  if (r == NULL) return NULL;
  *r = (struct request){.http = c, .target = strdup(target)};
  r->below = strncmp(target, BELOW, strlen(BELOW)) == 0 &&
             strchr("/?", target[strlen(BELOW)]) != NULL; /* or the end */
  return r;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c,
                                  const char *path, const char *method,
                                  const char *version, const char *upload,
                                  size_t *upload_len, void **state) {
  struct request *r = *state;
  int rv;
  if (r == NULL || r->target == NULL) return MHD_NO;
  if (!r->begun) { /* the head alone; it calls again */
    r->begun = true;
    return MHD_YES;
  }
  if (*upload_len > 0) {
    if (r->below && !take_body(r, upload, *upload_len)) return MHD_NO;
    *upload_len = 0;
    return MHD_YES;
  }
  if (!r->below)
    return say(c, MHD_HTTP_OK, "The server that was there already.\n");
  if (r->conn != NULL) return answer(r); /* it waited for its head */
  rv = ask(r, method);
  if (rv == 0) return answer(r);
  return rv == SBK_ERR_INVAL
             ? say(c, MHD_HTTP_BAD_REQUEST, "Bad Request\n")
             : say(c, MHD_HTTP_SERVICE_UNAVAILABLE, "Not now, please\n");
}

/* The answer is out, or the client has gone. */
static void on_completed(void *cls, struct MHD_Connection *c, void **state,
                         enum MHD_RequestTerminationCode why) {
  struct request *r = *state;
  if (r == NULL) return;
  sbk_conn_free(r->conn);
  free(r->target);
  free(r->body);
  free(r);
  *state = NULL;
}

/* One came or went: where descriptors had run out, it listens again in its next
 * turn. */
static void on_connection(void *cls, struct MHD_Connection *c, void **state,
                          enum MHD_ConnectionNotificationCode code) {
  again = true;
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

static void end(const sigset_t *mask) {
  MHD_socket listener = MHD_quiesce_daemon(http);
  sbk_broker_shutdown(broker); /* everybody is told c[1001,…] and goes */
  for (flush(); sbk_broker_conn_count(broker) > 0; flush())
    listen_in(mask);
  MHD_stop_daemon(http); /* may only come now: nobody waits any more */
  if (listener != MHD_INVALID_SOCKET) close(listener);
}

static bool start(const struct sockaddr_in *at) {
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  struct sbk_endpoint ws = SBK_ENDPOINT_INIT;
  struct epoll_event first = {.events = EPOLLIN};
  sockjs.no_websocket = 1;
  sockjs.max_body = MAX_BODY;
  ws.path = BELOW;
  ws.sockjs = &sockjs;
  ep = epoll_create1(EPOLL_CLOEXEC);
  if (sbk_broker_new(&broker, NULL, NULL, NULL) != 0 ||
      sbk_broker_add_endpoint(broker, &ws) != 0 ||
      sbk_broker_add_handler(broker, SBK_SEND, "/echo", echo, NULL) != 0)
    return false;
  http = MHD_start_daemon(
      MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, NULL,
      MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)at,
      MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL, MHD_OPTION_NOTIFY_COMPLETED,
      on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL,
      MHD_OPTION_CONNECTION_TIMEOUT, 10u, MHD_OPTION_END);
  return http != NULL &&
         epoll_ctl(
             ep, EPOLL_CTL_ADD,
             MHD_get_daemon_info(http, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
             &first) == 0;
}

int main(int argc, char **argv) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_addr = {htonl(INADDR_LOOPBACK)}};
  unsigned long port = 8080;
  sigset_t ends, mask;
  char *rest = "";

  if (argc == 3 && strcmp(argv[1], "--port") == 0)
    port = strtoul(argv[2], &rest, 10);
  else if (argc != 1) rest = "?";
  if (*rest || port > 65535)
    return fputs("usage: exchange [--port N]\n", stderr), 2;

  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigprocmask(SIG_BLOCK, &ends, &mask); /* it comes in epoll_pwait() only */
  signal(SIGTERM, on_signal);
  signal(SIGPIPE, SIG_IGN);
  at.sin_port = htons((uint16_t)port);
  if (!start(&at)) return fputs("exchange: cannot start\n", stderr), 1;
  printf("sockjs http://127.0.0.1:%u" BELOW "\nready\n",
         MHD_get_daemon_info(http, MHD_DAEMON_INFO_BIND_PORT)->port);
  fflush(stdout);

  for (; !must_end(); listen_in(&mask))
    flush();
  end(&mask);
  sbk_broker_free(broker);
  return 0;
}
