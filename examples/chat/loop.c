/* loop.c - the plug: epoll on one side, the library on the other. */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "chat.h"

#define EVERY   2000 /* ms */
#define RECORDS 16   /* of TLS that are read in a turn; each has 16 KiB */

/* What a descriptor of the loop belongs to. */
struct source {
  enum { BELL, LISTENER, CLIENT } kind;
  int fd;
  enum sbk_transport transport; /* of a listener */
  struct tls_server *server;    /* of a listener; NULL: no TLS */
  struct source *next;          /* of a listener */
  sbk_conn *conn;               /* of a client */
  struct tls *tls;              /* of a client; NULL: none */
  unsigned wants;               /* of a client: what epoll was last told */
  bool refused;                 /* a client that was one too many */
};

struct loop {
  int epoll;
  int spare; /* a descriptor to live on when there are no more */
  struct source bell;
  struct source *listeners;
  sbk_broker *broker;
  volatile sig_atomic_t ending;
  char room[1 << 18]; /* one for all, in and out */
};

static int add(struct loop *l, struct source *s) {
  struct epoll_event ev = {.events = EPOLLIN, .data.ptr = s};
  return epoll_ctl(l->epoll, EPOLL_CTL_ADD, s->fd, &ev);
}

struct loop *loop_new(void) {
  struct loop *l = calloc(1, sizeof(*l));
  if (l == NULL) return NULL;
  l->epoll = epoll_create1(EPOLL_CLOEXEC);
  l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
  l->bell.kind = BELL;
  l->bell.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (add(l, &l->bell) == 0) return l;
  loop_free(l);
  return NULL;
}

static void close_listeners(struct loop *l) {
  while (l->listeners != NULL) {
    struct source *s = l->listeners;
    l->listeners = s->next;
    close(s->fd);
    free(s);
  }
}

void loop_free(struct loop *l) {
  if (l == NULL) return;
  close_listeners(l);
  close(l->bell.fd);
  close(l->spare);
  close(l->epoll);
  free(l);
}

/* ---- listening ---- */

static int listen_at(const struct addrinfo *ai) {
  struct sockaddr_storage bound;
  socklen_t len = sizeof(bound);
  int on = 1, rv;
  int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
      bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, 511) == 0 &&
      getsockname(fd, (struct sockaddr *)&bound, &len) == 0)
    return fd;
  rv = -errno;
  close(fd);
  return rv;
}

/* Cuts address into its two parts, in place. */
static bool split(char *address, const char **host, const char **port) {
  char *colon = strrchr(address, ':');
  if (colon == NULL) return false;
  *colon = '\0';
  *port = colon + 1;
  *host = address;
  if (address[0] == '[' && colon[-1] == ']') {
    colon[-1] = '\0';
    *host = address + 1;
  }
  return **host != '\0' && **port != '\0';
}

static int port_of(int fd) {
  struct sockaddr_storage a;
  socklen_t len = sizeof(a);
  if (getsockname(fd, (struct sockaddr *)&a, &len) != 0) return -errno;
  return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                       : ((struct sockaddr_in *)&a)->sin_port);
}

int loop_listen(struct loop *l, const char *address,
                enum sbk_transport transport, struct tls_server *tls) {
  const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV |
                                             AI_PASSIVE,
                                 .ai_socktype = SOCK_STREAM};
  const char *host, *port;
  struct addrinfo *ai;
  struct source *s;
  char copy[128];
  int fd;
  if (strlen(address) >= sizeof(copy)) return -EINVAL;
  memcpy(copy, address, strlen(address) + 1);
  if (!split(copy, &host, &port) || getaddrinfo(host, port, &hints, &ai) != 0)
    return -EINVAL;
  fd = listen_at(ai);
  freeaddrinfo(ai);
  if (fd < 0) return fd;
  s = calloc(1, sizeof(*s));
  if (s == NULL) {
    close(fd);
    return -ENOMEM;
  }
  s->kind = LISTENER;
  s->fd = fd;
  s->transport = transport;
  s->server = tls;
  s->next = l->listeners;
  l->listeners = s;
  return add(l, s) == 0 ? port_of(fd) : -errno;
}

/* ---- the plug ---- */

static void welcome(struct loop *l, const struct source *listener, int fd,
                    const struct sockaddr_storage *from, socklen_t len) {
  struct source *c = calloc(1, sizeof(*c));
  char peer[NI_MAXHOST];
  int on = 1;
  if (getnameinfo((const struct sockaddr *)from, len, peer, sizeof(peer), NULL,
                  0, NI_NUMERICHOST) != 0)
    peer[0] = '\0';
  if (c != NULL && listener->server != NULL)
    c->tls = tls_new(listener->server, fd);
  if (c == NULL || (listener->server != NULL && c->tls == NULL) ||
      sbk_conn_new(&c->conn, l->broker, listener->transport, peer, c) != 0) {
    if (c != NULL) tls_free(c->tls);
    close(fd);
    free(c);
    return;
  }
  c->refused = (sbk_conn_wants(c->conn) & SBK_WANT_WRITE) != 0;
  c->kind = CLIENT;
  c->fd = fd;
  c->wants = SBK_WANT_READ;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (add(l, c) != 0) sbk_conn_eof(c->conn, errno);
}

static void accept_some(struct loop *l, const struct source *listener) {
  int i;
  for (i = 0; i < 16; i++) {
    struct sockaddr_storage from;
    socklen_t len = sizeof(from);
    int fd = accept4(listener->fd, (struct sockaddr *)&from, &len,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      welcome(l, listener, fd, &from, len);
    } else if (errno == EMFILE || errno == ENFILE) {
      /* Else the listener stays readable, and the loop spins. */
      close(l->spare);
      fd = accept(listener->fd, NULL, NULL);
      if (fd >= 0) close(fd);
      l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    } else {
      return;
    }
  }
}

static bool read_once(struct loop *l, struct source *c) {
  ssize_t n = c->tls ? tls_read(c->tls, l->room, sizeof(l->room))
                     : read(c->fd, l->room, sizeof(l->room));
  if (n > 0) sbk_conn_feed(c->conn, clock_now(), l->room, (size_t)n);
  else if (n == 0) sbk_conn_eof(c->conn, 0);
  else if (errno != EAGAIN && errno != EINTR) sbk_conn_eof(c->conn, errno);
  return n > 0;
}

static void read_some(struct loop *l, struct source *c) {
  int more = c->tls ? RECORDS : 1;
  while (read_once(l, c) && --more > 0 &&
         sbk_conn_wants(c->conn) & SBK_WANT_READ)
    ;
}

/* How much of it the peer's socket has taken; false: not all. */
static bool wrote(struct source *c, ssize_t n, size_t len) {
  if (n >= 0) sbk_conn_sent(c->conn, (size_t)n);
  else if (errno != EAGAIN && errno != EINTR) sbk_conn_eof(c->conn, errno);
  return n == (ssize_t)len;
}

/* A record that the socket did not take is made of bytes that are not counted
 * off: they must stay where they are, though the session may be closed and what
 * else waits for it dropped. */
static void write_tls(struct source *c) {
  struct iovec v;
  while (sbk_conn_output(c->conn, &v, 1) > 0 &&
         wrote(c, tls_write(c->tls, v.iov_base, v.iov_len), v.iov_len))
    ;
}

static void write_some(struct loop *l, struct source *c) {
  size_t n;
  while ((n = sbk_conn_copy_out(c->conn, l->room, sizeof(l->room))) > 0)
    if (!wrote(c, send(c->fd, l->room, n, MSG_NOSIGNAL), n) ||
        n < sizeof(l->room))
      return;
}

/* What the library wants, and TLS on its behalf. */
static unsigned wants_now(const struct source *c) {
  unsigned wants = sbk_conn_wants(c->conn);
  if (c->tls == NULL || wants == 0) return wants;
  /* The library has something to say before it was asked: it waited long
   * enough, and there is nobody yet who could read that. */
  if (tls_begins(c->tls) && wants & SBK_WANT_WRITE && !c->refused) return 0;
  if (tls_read_blocked(c->tls) && wants & SBK_WANT_READ) return SBK_WANT_WRITE;
  return tls_begins(c->tls) ? SBK_WANT_READ : wants;
}

static void settle(struct loop *l, struct source *c) {
  struct epoll_event ev = {.data.ptr = c};
  unsigned wants;
  if (c->tls) write_tls(c);
  else write_some(l, c);
  wants = wants_now(c);
  if (wants == 0) {
    tls_free(c->tls);
    close(c->fd);
    sbk_conn_free(c->conn);
    free(c);
    return;
  }
  if (wants & SBK_WANT_SHUTDOWN && (!c->tls || tls_shutdown(c->tls)))
    shutdown(c->fd, SHUT_WR);
  if (wants == c->wants) return;
  if (wants & SBK_WANT_READ) ev.events |= EPOLLIN;
  if (wants & SBK_WANT_WRITE) ev.events |= EPOLLOUT;
  c->wants = wants;
  if (epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &ev) != 0)
    sbk_conn_eof(c->conn, errno); /* flush() meets it again, and closes it */
}

static int wait_ms(sbk_msec due) {
  sbk_msec now = clock_now();
  return due <= now ? 0 : due - now > 60000 ? 60000 : (int)(due - now);
}

static void on_input(struct loop *l, struct source *s, uint32_t events) {
  uint64_t rings;
  if (s->kind == LISTENER) accept_some(l, s);
  else if (s->kind == CLIENT && (events & ~(uint32_t)EPOLLOUT ||
                                 (s->tls && tls_read_blocked(s->tls))))
    read_some(l, s);
  else if (s->kind == BELL && read(s->fd, &rings, sizeof(rings)) < 0) return;
}

/* Before the loop sleeps: one write for each connection that has something to
 * say, whoever made it say so. */
static void flush(struct loop *l) {
  sbk_conn *conn;
  sbk_broker_tick(l->broker, clock_now());
  while ((conn = sbk_broker_next_ready(l->broker)) != NULL)
    settle(l, sbk_conn_user_data(conn));
}

/* Sleeps, and takes everything that came in, from all sockets. */
static void listen_in(struct loop *l, sbk_msec wake_at) {
  struct epoll_event ev[128];
  sbk_msec due = sbk_broker_deadline(l->broker);
  int i, n;
  n = epoll_wait(l->epoll, ev, 128, wait_ms(due < wake_at ? due : wake_at));
  for (i = 0; i < n; i++)
    on_input(l, ev[i].data.ptr, ev[i].events);
  for (i = 0; i < n; i++) {
    struct source *s = ev[i].data.ptr;
    /* With TLS, to read may have changed what it waits for. */
    if (s->kind == CLIENT && (ev[i].events & EPOLLOUT || s->tls)) settle(l, s);
  }
}

void loop_run(struct loop *l, sbk_broker *broker, void (*every)(void *arg),
              void *arg) {
  sbk_msec next = clock_now() + EVERY;
  l->broker = broker;
  for (; !l->ending; listen_in(l, next)) {
    if (clock_now() >= next) {
      every(arg);
      next = clock_now() + EVERY;
    }
    flush(l);
  }
  close_listeners(l);
  sbk_broker_shutdown(broker);
  for (flush(l); sbk_broker_conn_count(broker) > 0 && l->ending < 2; flush(l))
    listen_in(l, SBK_NEVER);
}

void loop_wake(struct loop *l) {
  const uint64_t one = 1;
  if (write(l->bell.fd, &one, sizeof(one)) < 0) return; /* it rings already */
}

void loop_end(struct loop *l) {
  int before = errno;
  l->ending = l->ending ? 2 : 1;
  loop_wake(l);
  errno = before;
}
