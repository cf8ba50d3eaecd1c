/* echo.c - the smallest host: STOMP over WebSocket on a plain epoll loop.
 * SEND to /app/echo; the body comes back at /user/queue/echo. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <stompbroker/stompbroker.h>

struct client {
  int fd;
  unsigned wants; /* what epoll was last told */
  sbk_conn *conn;
};

static int ep, listener, spare; /* spare: a descriptor to live on in EMFILE */
static char room[1 << 18];      /* one for the whole loop, in and out */

static sbk_msec now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (sbk_msec)t.tv_sec * 1000 + (sbk_msec)t.tv_nsec / 1000000;
}

/* ---- the plug: what knows both epoll and the library ---- */
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
  if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
    close(spare); /* else the listener stays readable, and the loop spins */
    close(accept(listener, NULL, NULL));
    spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
  if (!c || sbk_conn_new(&c->conn, b, SBK_HTTP, NULL, c) != SBK_OK) {
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
  if (due == SBK_NEVER) return -1;
  return due <= t ? 0 : due - t > 60000 ? 60000 : (int)(due - t);
}

/* Before the loop sleeps: one write for each connection, whatever made it. */
static void flush(sbk_broker *b) {
  sbk_conn *conn;
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
/* ---- end of the plug ---- */

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

int main(int argc, char **argv) {
  struct sbk_endpoint ws = SBK_ENDPOINT_INIT;
  struct sockaddr_in a = {.sin_family = AF_INET,
                          .sin_addr = {htonl(INADDR_LOOPBACK)}};
  struct epoll_event first = {.events = EPOLLIN};
  unsigned long port = 8080;
  socklen_t len = sizeof(a);
  sigset_t ends, mask;
  sbk_broker *b;
  int on = 1;
  char *end = "";

  if (argc == 3 && !strcmp(argv[1], "--port"))
    port = strtoul(argv[2], &end, 10);
  else if (argc != 1) end = "?";
  if (*end || port > 65535) return fputs("usage: echo [--port N]\n", stderr), 2;

  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigprocmask(SIG_BLOCK, &ends, &mask); /* it comes in epoll_pwait() only */
  signal(SIGTERM, on_signal);
  a.sin_port = htons((uint16_t)port);
  ep = epoll_create1(EPOLL_CLOEXEC);
  spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
  listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  ws.path = "/ws";
  if (sbk_broker_new(&b, NULL, NULL, NULL) || sbk_broker_add_endpoint(b, &ws) ||
      sbk_broker_add_handler(b, SBK_SEND, "/echo", echo, NULL) ||
      bind(listener, (struct sockaddr *)&a, len) || listen(listener, 511) ||
      getsockname(listener, (struct sockaddr *)&a, &len) ||
      epoll_ctl(ep, EPOLL_CTL_ADD, listener, &first))
    return fputs("echo: cannot start\n", stderr), 1;
  printf("echo ws://127.0.0.1:%u/ws\nready\n", ntohs(a.sin_port));
  fflush(stdout);

  for (; !must_end(); listen_in(b, &mask))
    flush(b);
  close(listener);
  sbk_broker_shutdown(b); /* everybody is told 1001 and has 5 s to go */
  for (flush(b); sbk_broker_conn_count(b) > 0; flush(b))
    listen_in(b, &mask);
  sbk_broker_free(b);
  return 0;
}
