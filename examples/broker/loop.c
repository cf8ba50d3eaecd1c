/* loop.c - the plug: epoll on one side, the library on the other. */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker.h"
#include "listen.h"

#define EVENTS  1024 /* the more of them in a turn, the fewer writes */
#define SHARE   4096 /* bytes that each may say in a turn, however many do */
#define ACCEPTS 64   /* in a turn, so that who is here is not kept waiting */
#define PAUSE   100  /* ms without accepting, when descriptors have run out */

struct listener {
  int fd;
  enum sbk_transport transport;
  struct listener *next;
};

struct loop {
  int epoll;
  int spare; /* a descriptor to live on when there are no more */
  struct listener *listeners;
  sbk_broker *broker;
  sbk_msec now;       /* of this turn */
  sbk_msec resume;    /* accept again; SBK_NEVER: it does */
  sigset_t mask;      /* while it waits: signals come then only */
  char room[1 << 18]; /* one for all, in and out */
};

static volatile sig_atomic_t ending;

static void on_signal(int sig) {
  if (ending) _exit(1);
  ending = 1;
}

static void catch_signals(struct loop *l) {
  struct sigaction sa = {.sa_handler = on_signal};
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  sigprocmask(SIG_BLOCK, &ends, &l->mask);
  sigdelset(&l->mask, SIGTERM);
  sigdelset(&l->mask, SIGINT);
  sigaction(SIGTERM, &sa, NULL);
  sigaction(SIGINT, &sa, NULL);
  sa.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &sa, NULL);
}

/* epoll_pwait() that has events to give lets no signal through: of a loop that
 * always has some, it is only seen that one waits. */
static bool must_end(void) {
  sigset_t wait;
  if (ending || sigpending(&wait) != 0) return ending;
  return sigismember(&wait, SIGTERM) == 1 || sigismember(&wait, SIGINT) == 1;
}

struct loop *loop_new(void) {
  struct loop *l = calloc(1, sizeof(*l));
  if (l == NULL) return NULL;
  l->epoll = epoll_create1(EPOLL_CLOEXEC);
  l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
  l->resume = SBK_NEVER;
  catch_signals(l);
  if (l->epoll >= 0) return l;
  loop_free(l);
  return NULL;
}

static void close_listeners(struct loop *l) {
  while (l->listeners != NULL) {
    struct listener *s = l->listeners;
    l->listeners = s->next;
    close(s->fd);
    free(s);
  }
}

void loop_free(struct loop *l) {
  if (l == NULL) return;
  close_listeners(l);
  if (l->spare >= 0) close(l->spare);
  if (l->epoll >= 0) close(l->epoll);
  free(l);
}

/* ---- what epoll gives back: a connection, or, marked, a listener ---- */

#define MARK ((uint64_t)1)

static uint64_t mark(const struct listener *s) {
  return (uint64_t)(uintptr_t)s | MARK;
}
static struct listener *marked(uint64_t data) {
  return data & MARK ? (struct listener *)(uintptr_t)(data & ~MARK) : NULL;
}

int loop_listen(struct loop *l, int fd, enum sbk_transport transport) {
  struct listener *s = calloc(1, sizeof(*s));
  struct epoll_event ev = {.events = EPOLLIN, .data.u64 = mark(s)};
  if (s == NULL || epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) != 0) {
    int rv = -errno;
    close(fd);
    free(s);
    return rv;
  }
  s->fd = fd;
  s->transport = transport;
  s->next = l->listeners;
  l->listeners = s;
  return 0;
}

/* ---- a connection's user data: its descriptor, and what epoll knows ---- */

#define WANT_BITS 4u

static void *pack(int fd, unsigned wants) {
  return (void *)((uintptr_t)(unsigned)fd << WANT_BITS | wants);
}
static int fd_of(sbk_conn *conn) {
  return (int)((uintptr_t)sbk_conn_user_data(conn) >> WANT_BITS);
}
static unsigned told(sbk_conn *conn) {
  return (unsigned)(uintptr_t)sbk_conn_user_data(conn) &
         ((1u << WANT_BITS) - 1);
}

static int watch(struct loop *l, int op, sbk_conn *conn, int fd,
                 unsigned wants) {
  struct epoll_event ev = {.data.u64 = (uint64_t)(uintptr_t)conn};
  if (wants & SBK_WANT_READ) ev.events |= EPOLLIN;
  if (wants & SBK_WANT_WRITE) ev.events |= EPOLLOUT;
  sbk_conn_set_user_data(conn, pack(fd, wants));
  return epoll_ctl(l->epoll, op, fd, &ev);
}

/* ---- accepting ---- */

static void accept_all(struct loop *l, bool on) {
  const struct listener *s;
  for (s = l->listeners; s != NULL; s = s->next) {
    struct epoll_event ev = {.events = on ? EPOLLIN : 0, .data.u64 = mark(s)};
    epoll_ctl(l->epoll, EPOLL_CTL_MOD, s->fd, &ev);
  }
  l->resume = on ? SBK_NEVER : l->now + PAUSE;
}

static void welcome(struct loop *l, enum sbk_transport transport, int fd,
                    const struct sockaddr *from) {
  char peer[ADDRESS_SIZE];
  sbk_conn *conn;
  address_text(peer, from);
  if (sbk_conn_new(&conn, l->broker, transport, peer, NULL) != 0) {
    close(fd);
  } else if (watch(l, EPOLL_CTL_ADD, conn, fd, SBK_WANT_READ) != 0) {
    close(fd);
    sbk_conn_free(conn);
  }
}

/* Descriptors have run out: turn one away, so that it does not wait for
 * nothing, and the others a little later. Else the listener stays readable, and
 * the loop spins. */
static void turn_away(struct loop *l, int listener) {
  int fd;
  if (l->spare >= 0) close(l->spare);
  fd = accept(listener, NULL, NULL);
  if (fd >= 0) close(fd);
  l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
  accept_all(l, false);
}

static void accept_some(struct loop *l, const struct listener *s) {
  int i;
  for (i = 0; i < ACCEPTS; i++) {
    struct sockaddr_storage from = {0};
    socklen_t len = sizeof(from);
    int fd = accept4(s->fd, (struct sockaddr *)&from, &len,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      welcome(l, s->transport, fd, (const struct sockaddr *)&from);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
               errno == ENOMEM) {
      turn_away(l, s->fd);
      return;
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return;
    }
  }
}

/* ---- reading and writing ---- */

static void read_some(struct loop *l, sbk_conn *conn, size_t most) {
  ssize_t n = read(fd_of(conn), l->room, most);
  if (n > 0) sbk_conn_feed(conn, l->now, l->room, (size_t)n);
  else if (n == 0) sbk_conn_eof(conn, 0);
  else if (errno != EAGAIN && errno != EINTR) sbk_conn_eof(conn, errno);
}

static void write_some(struct loop *l, sbk_conn *conn) {
  size_t n;
  while ((n = sbk_conn_copy_out(conn, l->room, sizeof(l->room))) > 0) {
    ssize_t w = send(fd_of(conn), l->room, n, MSG_NOSIGNAL);
    if (w >= 0) sbk_conn_sent(conn, (size_t)w);
    else if (errno != EAGAIN && errno != EINTR) sbk_conn_eof(conn, errno);
    if (w != (ssize_t)n || n < sizeof(l->room)) return;
  }
}

static void settle(struct loop *l, sbk_conn *conn) {
  int fd = fd_of(conn);
  unsigned wants;
  write_some(l, conn);
  wants = sbk_conn_wants(conn);
  if (wants & SBK_WANT_SHUTDOWN) shutdown(fd, SHUT_WR);
  if (wants == 0) {
    close(fd);
    sbk_conn_free(conn);
  } else if (wants != told(conn) &&
             watch(l, EPOLL_CTL_MOD, conn, fd, wants) != 0) {
    sbk_conn_eof(conn, errno); /* flush() meets it again, and closes it */
  }
}

/* Before the loop sleeps: one write for each connection that has something to
 * say, whoever made it say so. */
static void flush(struct loop *l) {
  sbk_conn *conn;
  l->now = clock_now();
  sbk_broker_tick(l->broker, l->now);
  while ((conn = sbk_broker_next_ready(l->broker)) != NULL)
    settle(l, conn);
}

static int wait_ms(const struct loop *l, sbk_msec wake_at) {
  sbk_msec due = sbk_broker_deadline(l->broker), now = clock_now();
  if (wake_at < due) due = wake_at;
  if (l->resume < due) due = l->resume;
  return due <= now ? 0 : due - now > 60000 ? 60000 : (int)(due - now);
}

/* Sleeps, and takes what came in, from all sockets. The more there are, the
 * less of each: nobody is heard, or sent anything, before a turn is over, and
 * who reads would look slow if all of it went to one peer. */
static void listen_in(struct loop *l, sbk_msec wake_at) {
  struct epoll_event ev[EVENTS];
  int i, n = epoll_pwait(l->epoll, ev, EVENTS, wait_ms(l, wake_at), &l->mask);
  size_t share = n > 0 ? sizeof(l->room) / (size_t)n : 0;
  if (share < SHARE) share = SHARE;
  l->now = clock_now();
  for (i = 0; i < n; i++) {
    const struct listener *s = marked(ev[i].data.u64);
    if (s != NULL) accept_some(l, s);
    else if (ev[i].events & ~(uint32_t)EPOLLOUT)
      read_some(l, ev[i].data.ptr, share);
  }
  for (i = 0; i < n; i++)
    if (marked(ev[i].data.u64) == NULL && ev[i].events & EPOLLOUT)
      settle(l, ev[i].data.ptr);
  if (l->now >= l->resume) accept_all(l, true);
}

static void say_goodbye(struct loop *l, const struct loop_plan *plan) {
  sbk_msec end = clock_now() + plan->over + plan->drain;
  close_listeners(l);
  l->resume = SBK_NEVER;
  sigprocmask(SIG_SETMASK, &l->mask, NULL); /* the next one at once */
  sbk_broker_drain(l->broker, plan->over);
  for (flush(l); sbk_broker_conn_count(l->broker) > 0 && l->now < end; flush(l))
    listen_in(l, end);
}

void loop_run(struct loop *l, sbk_broker *broker,
              const struct loop_plan *plan) {
  sbk_msec next = plan->every ? clock_now() + plan->every : SBK_NEVER;
  l->broker = broker;
  for (flush(l); !must_end(); flush(l)) {
    listen_in(l, next);
    if (l->now < next) continue;
    plan->on_every(broker);
    next += plan->every;
  }
  say_goodbye(l, plan);
}
