/* faults.c - system calls that fail when they are told to.
 *
 * Loaded before the C library's (LD_PRELOAD). What fails is in a file that the
 * environment names, which io maps too: the rules stand in struct orders. */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum call { ACCEPT, READ, WRITE, WATCH, WAIT, OPEN, SETUP, CALLS };

/* As io.py knows it. */
struct orders {
  uint32_t call;           /* which of enum call fails */
  int32_t error;           /* with this errno; 0: it does one byte only */
  atomic_int first;        /* the how manyth from now on; 0: none */
  atomic_int times;        /* so many of them, one after the other */
  atomic_uint hits;        /* so many have failed */
  atomic_uint made[CALLS]; /* so many were made */
};

static struct orders *orders;

static void find_orders(void) {
  const char *path = getenv("FAULTS");
  int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
  void *at = fd < 0 ? MAP_FAILED
                    : mmap(NULL, sizeof(*orders), PROT_READ | PROT_WRITE,
                           MAP_SHARED, fd, 0);
  static struct orders none;
  orders = at == MAP_FAILED ? &none : at;
  if (fd >= 0) close(fd);
}

/* Is it this call's turn? */
static bool strikes(enum call call) {
  if (orders == NULL) return false;
  atomic_fetch_add(&orders->made[call], 1);
  if (orders->call != call || atomic_load(&orders->first) == 0) return false;
  if (atomic_load(&orders->first) > 1) {
    atomic_fetch_sub(&orders->first, 1);
    return false;
  }
  if (atomic_fetch_sub(&orders->times, 1) <= 1) atomic_store(&orders->first, 0);
  atomic_fetch_add(&orders->hits, 1);
  return true;
}

static bool fails(enum call call) {
  if (!strikes(call)) return false;
  errno = orders->error;
  return true;
}

/* Standard streams, files and bells of threads are not what this is about. */
static bool is_socket(int fd) {
  struct stat st;
  int before = errno;
  bool is = fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
  errno = before;
  return is;
}

/* What comes of a call on a socket: -1, or how much of len it may do. */
static ssize_t allowed(enum call call, int fd, size_t len) {
  if (!is_socket(fd) || !strikes(call)) return (ssize_t)len;
  if (orders->error == 0) return len > 0;
  errno = orders->error;
  return -1;
}

/* The next one of that name, which may be a sanitizer's. */
#define NEXT(name)                                                             \
  static __typeof__(&name) next;                                               \
  if (next == NULL) {                                                          \
    *(void **)&next = dlsym(RTLD_NEXT, #name);                                 \
    if (orders == NULL) find_orders();                                         \
  }

/* ---- on sockets ---- */

ssize_t read(int fd, void *buf, size_t len) {
  NEXT(read)
  ssize_t n = allowed(READ, fd, len);
  return n < 0 ? n : next(fd, buf, (size_t)n);
}

ssize_t recv(int fd, void *buf, size_t len, int flags) {
  NEXT(recv)
  ssize_t n = allowed(READ, fd, len);
  return n < 0 ? n : next(fd, buf, (size_t)n, flags);
}

ssize_t write(int fd, const void *buf, size_t len) {
  NEXT(write)
  ssize_t n = allowed(WRITE, fd, len);
  return n < 0 ? n : next(fd, buf, (size_t)n);
}

ssize_t send(int fd, const void *buf, size_t len, int flags) {
  NEXT(send)
  ssize_t n = allowed(WRITE, fd, len);
  return n < 0 ? n : next(fd, buf, (size_t)n, flags);
}

static size_t total(const struct iovec *iov, size_t count) {
  size_t i, len = 0;
  for (i = 0; i < count; i++)
    len += iov[i].iov_len;
  return len;
}

/* One byte of the first piece that has one. */
static struct iovec one_of(const struct iovec *iov) {
  while (iov->iov_len == 0)
    iov++;
  return (struct iovec){iov->iov_base, 1};
}

ssize_t writev(int fd, const struct iovec *iov, int count) {
  NEXT(writev)
  size_t len = total(iov, (size_t)count);
  ssize_t n = allowed(WRITE, fd, len);
  struct iovec one;
  if (n < 0 || (size_t)n == len) return n < 0 ? n : next(fd, iov, count);
  one = one_of(iov);
  return next(fd, &one, 1);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags) {
  NEXT(sendmsg)
  size_t len = total(msg->msg_iov, msg->msg_iovlen);
  ssize_t n = allowed(WRITE, fd, len);
  struct msghdr less = *msg;
  struct iovec one;
  if (n < 0 || (size_t)n == len) return n < 0 ? n : next(fd, msg, flags);
  one = one_of(msg->msg_iov);
  less.msg_iov = &one;
  less.msg_iovlen = 1;
  return next(fd, &less, flags);
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags,
               __CONST_SOCKADDR_ARG to, socklen_t to_len) {
  NEXT(sendto)
  ssize_t n = allowed(WRITE, fd, len);
  return n < 0 ? n : next(fd, buf, (size_t)n, flags, to, to_len);
}

/* What is accepted gets a small buffer, and so its writer meets EAGAIN, and
 * writes that are short, also where nothing fails. */
static int narrow(int fd) {
  const int size = 4096;
  int before = errno;
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
  errno = before;
  return fd;
}

int accept(int fd, __SOCKADDR_ARG from, socklen_t *len) {
  NEXT(accept)
  return fails(ACCEPT) ? -1 : narrow(next(fd, from, len));
}

int accept4(int fd, __SOCKADDR_ARG from, socklen_t *len, int flags) {
  NEXT(accept4)
  return fails(ACCEPT) ? -1 : narrow(next(fd, from, len, flags));
}

/* ---- on epoll ---- */

int epoll_ctl(int ep, int op, int fd, struct epoll_event *ev) {
  NEXT(epoll_ctl)
  /* To forget one needs no memory, and cannot fail. */
  return op != EPOLL_CTL_DEL && fails(WATCH) ? -1 : next(ep, op, fd, ev);
}

int epoll_wait(int ep, struct epoll_event *ev, int most, int ms) {
  NEXT(epoll_wait)
  return fails(WAIT) ? -1 : next(ep, ev, most, ms);
}

int epoll_pwait(int ep, struct epoll_event *ev, int most, int ms,
                const sigset_t *mask) {
  NEXT(epoll_pwait)
  return fails(WAIT) ? -1 : next(ep, ev, most, ms, mask);
}

/* ---- what makes descriptors, and sets them up ---- */

/* A program has one or the other, as its off_t is wide. */
#define OPEN_AS(name)                                                          \
  int name(const char *path, int flags, ...) {                                 \
    NEXT(name)                                                                 \
    va_list more;                                                              \
    mode_t mode;                                                               \
    va_start(more, flags);                                                     \
    mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;         \
    va_end(more);                                                              \
    return fails(OPEN) ? -1 : next(path, flags, mode);                         \
  }

OPEN_AS(open)
OPEN_AS(open64)

int socket(int domain, int type, int protocol) {
  NEXT(socket)
  return fails(SETUP) ? -1 : next(domain, type, protocol);
}

int bind(int fd, __CONST_SOCKADDR_ARG at, socklen_t len) {
  NEXT(bind)
  return fails(SETUP) ? -1 : next(fd, at, len);
}

int listen(int fd, int backlog) {
  NEXT(listen)
  return fails(SETUP) ? -1 : next(fd, backlog);
}

int getsockname(int fd, __SOCKADDR_ARG at, socklen_t *len) {
  NEXT(getsockname)
  return fails(SETUP) ? -1 : next(fd, at, len);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len) {
  NEXT(setsockopt)
  return name != SO_SNDBUF && fails(SETUP) ? -1
                                           : next(fd, level, name, value, len);
}

int epoll_create1(int flags) {
  NEXT(epoll_create1)
  return fails(SETUP) ? -1 : next(flags);
}

int eventfd(unsigned value, int flags) {
  NEXT(eventfd)
  return fails(SETUP) ? -1 : next(value, flags);
}
