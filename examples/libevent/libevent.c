/* libevent.c - STOMP over WebSocket on libevent's event_base, without
 * bufferevents: the library has buffers of its own. SEND to /app/echo, and the
 * body comes back at /user/queue/echo. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>

#include <stompbroker/stompbroker.h>

#define PIECES 64 /* in one write */

struct client {
  evutil_socket_t fd;
  struct event *in, *out;
  sbk_conn *conn;
};

static struct event_base *base;
static struct event *turn; /* see take_turn() */
static struct evconnlistener *listener;
static struct event *again; /* listen, after descriptors had run out */
static sbk_broker *broker;
static bool ending;
static char room[1 << 18]; /* one for the whole loop: what is read is fed */

static sbk_msec now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (sbk_msec)t.tv_sec * 1000 + (sbk_msec)t.tv_nsec / 1000000;
}

/* ---- the plug: what knows both libevent and the library ---- */

/*
 * One event does all that is due before the loop sleeps, and it has three ways
 * to come: something was read (then it stands behind the sockets that are
 * ready in this turn, so that each is written to once); the deadline of the
 * broker; or, in a program with threads, evthread_use_pthreads() and a wakeup
 * callback that calls this, an sbk_post().
 */
static void ring(void) {
  event_active(turn, 0, 0);
}

static void farewell(struct client *c) {
  if (c->in != NULL) event_free(c->in); /* also if it is active already */
  if (c->out != NULL) event_free(c->out);
  evutil_closesocket(c->fd);
  sbk_conn_free(c->conn);
  free(c);
}

static void write_some(struct client *c) {
  struct iovec iov[PIECES];
  size_t len;
  ssize_t w;
  do {
    int i, n = sbk_conn_output(c->conn, iov, PIECES);
    if (n == 0) return;
    for (i = 0, len = 0; i < n; i++)
      len += iov[i].iov_len;
    w = writev(c->fd, iov, n);
    if (w >= 0) sbk_conn_sent(c->conn, (size_t)w);
    else if (errno != EAGAIN && errno != EINTR) sbk_conn_eof(c->conn, errno);
  } while (w == (ssize_t)len);
}

static int watch(struct event *event, bool wanted) {
  return wanted ? event_add(event, NULL) : event_del(event);
}

/* The one place where a client ends; nothing may look at it afterwards. */
static void settle(struct client *c) {
  unsigned wants;
  write_some(c);
  wants = sbk_conn_wants(c->conn);
  if (wants & SBK_WANT_SHUTDOWN) shutdown(c->fd, SHUT_WR);
  if (wants == 0) {
    farewell(c);
    return;
  }
  if (watch(c->in, wants & SBK_WANT_READ) != 0 ||
      watch(c->out, wants & SBK_WANT_WRITE) != 0)
    sbk_conn_eof(c->conn, ENOMEM); /* take_turn() meets it again */
}

static void on_readable(evutil_socket_t fd, short what, void *arg) {
  struct client *c = arg;
  ssize_t n = read(fd, room, sizeof(room));
  if (n > 0) sbk_conn_feed(c->conn, now(), room, (size_t)n);
  else if (n == 0) sbk_conn_eof(c->conn, 0);
  else if (errno != EAGAIN && errno != EINTR) sbk_conn_eof(c->conn, errno);
  ring();
}

static void on_writable(evutil_socket_t fd, short what, void *arg) {
  settle(arg);
  ring();
}

static void take_turn(evutil_socket_t fd, short what, void *arg) {
  sbk_msec due, t = now();
  sbk_conn *conn;
  sbk_broker_tick(broker, t);
  while ((conn = sbk_broker_next_ready(broker)) != NULL)
    settle(sbk_conn_user_data(conn));
  if (ending && sbk_broker_conn_count(broker) == 0) event_base_loopbreak(base);
  due = sbk_broker_deadline(broker);
  if (due != SBK_NEVER) {
    sbk_msec wait = due > t ? due - t : 0;
    struct timeval tv = {(time_t)(wait / 1000),
                         (suseconds_t)(wait % 1000 * 1000)};
    event_add(turn, &tv);
  }
}

static void on_connection(struct evconnlistener *l, evutil_socket_t fd,
                          struct sockaddr *from, int len, void *arg) {
  struct client *c = calloc(1, sizeof(*c));
  int on = 1;
  if (c == NULL) {
    evutil_closesocket(fd);
    return;
  }
  c->fd = fd;
  c->in = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
  c->out = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
  if (c->in == NULL || c->out == NULL || event_add(c->in, NULL) != 0 ||
      sbk_conn_new(&c->conn, broker, SBK_HTTP, NULL, c) != 0) {
    farewell(c);
    return;
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ring(); /* it has deadlines now */
}

/* No descriptors: else the listener stays readable, and the loop spins. */
static void on_accept_error(struct evconnlistener *l, void *arg) {
  const struct timeval pause = {0, 100000};
  evconnlistener_disable(l);
  event_add(again, &pause);
}
static void on_again(evutil_socket_t fd, short what, void *arg) {
  if (listener != NULL) evconnlistener_enable(listener);
}

/* ---- end of the plug ---- */

static int echo(sbk_call *call, void *arg) {
  const sbk_message *msg = sbk_call_message(call);
  size_t len;
  const void *body = sbk_message_body(msg, &len);
  return sbk_call_reply(call, "/queue/echo",
                        sbk_message_header(msg, "content-type"), body, len);
}

static void on_terminate(evutil_socket_t fd, short what, void *arg) {
  if (ending) return;
  ending = true;
  evconnlistener_free(listener);
  listener = NULL;
  sbk_broker_shutdown(broker); /* everybody is told 1001 and has 5 s to go */
  ring();
}

static int make_broker(void) {
  struct sbk_endpoint ws = SBK_ENDPOINT_INIT;
  ws.path = "/ws";
  return sbk_broker_new(&broker, NULL, NULL, NULL) ||
         sbk_broker_add_endpoint(broker, &ws) ||
         sbk_broker_add_handler(broker, SBK_SEND, "/echo", echo, NULL);
}

int main(int argc, char **argv) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_addr = {htonl(INADDR_LOOPBACK)}};
  struct event *terminate;
  unsigned long port = 8080;
  socklen_t len = sizeof(at);
  char *end = "";

  if (argc == 3 && strcmp(argv[1], "--port") == 0)
    port = strtoul(argv[2], &end, 10);
  else if (argc != 1) end = "?";
  if (*end || port > 65535)
    return fputs("usage: libevent [--port N]\n", stderr), 2;

  signal(SIGPIPE, SIG_IGN); /* for writev() */
  at.sin_port = htons((uint16_t)port);
  base = event_base_new();
  if (base == NULL || make_broker() ||
      !(turn = event_new(base, -1, 0, take_turn, NULL)) ||
      !(again = event_new(base, -1, 0, on_again, NULL)) ||
      !(terminate = evsignal_new(base, SIGTERM, on_terminate, NULL)) ||
      evsignal_add(terminate, NULL) ||
      !(listener = evconnlistener_new_bind(
            base, on_connection, NULL,
            LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
            511, (struct sockaddr *)&at, sizeof(at))) ||
      getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&at,
                  &len))
    return fputs("libevent: cannot start\n", stderr), 1;
  evconnlistener_set_error_cb(listener, on_accept_error);
  printf("ws 127.0.0.1:%u/ws\nready\n", ntohs(at.sin_port));
  fflush(stdout);

  event_base_dispatch(base); /* until take_turn() finds that all have gone */
  sbk_broker_free(broker);
  event_free(terminate);
  event_free(again);
  event_free(turn);
  event_base_free(base);
  libevent_global_shutdown();
  return 0;
}
