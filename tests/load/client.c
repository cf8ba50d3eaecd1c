#define _GNU_SOURCE
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#define SOURCES 200 /* 127.0.0.2 to 127.0.0.201 */
#define OPENERS 256 /* on their way at once: max_pending has room for more */
#define ROOM    (512 * KIB)

/* RFC 6455, 1.3: what answers the key of UPGRADE. */
#define ACCEPT "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

static int epoll = -1;
static struct sockaddr_in server = {.sin_family = AF_INET};
static uint8_t room[ROOM]; /* what one read() brought, behind what was left */

void clients_init(int port) {
  if (epoll >= 0) close(epoll);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) give_up("epoll_create1: %s", strerror(errno));
  server.sin_port = htons((uint16_t)port);
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

static void watch(struct client *c, int op) {
  struct epoll_event ev = {.data.ptr = c};
  if (c->reading) ev.events |= EPOLLIN;
  if (c->writing) ev.events |= EPOLLOUT;
  if (epoll_ctl(epoll, op, c->fd, &ev) != 0)
    give_up("epoll_ctl: %s", strerror(errno));
}

static void forget(struct client *c) {
  close(c->fd);
  c->fd = -1;
  c->state = NOWHERE;
  bytes_free(&c->in);
  bytes_free(&c->out);
}

static void lost(struct client *c, bool cut) {
  c->cut = cut;
  forget(c);
  if (c->role->ended != NULL) c->role->ended(c);
}

static void bind_somewhere(int fd) {
  static uint32_t source;
  struct sockaddr_in from = {.sin_family = AF_INET};
  int on = 1;
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + source++ % SOURCES);
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  if (bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0)
    give_up("bind: %s", strerror(errno));
}

static void make_narrow(int fd) {
  int bytes = 4096, segment = 536;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
  setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment));
}

void client_connect(struct client *c, const struct role *role) {
  int on = 1;
  c->role = role;
  c->state = OPENING;
  c->reading = false;
  c->writing = true;
  c->ready = false;
  c->status = c->close = 0;
  c->reason[0] = c->error[0] = '\0';
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c->fd < 0) give_up("socket: %s", strerror(errno));
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (role->narrow) make_narrow(c->fd);
  bind_somewhere(c->fd);
  if (connect(c->fd, (struct sockaddr *)&server, sizeof(server)) != 0 &&
      errno != EINPROGRESS)
    give_up("connect: %s", strerror(errno));
  watch(c, EPOLL_CTL_ADD);
}

struct many {
  struct client *clients;
  size_t begun, ready, count;
  const struct role *role;
};

static bool all_ready(void *arg) {
  struct many *m = arg;
  while (m->ready < m->begun && m->clients[m->ready].ready)
    m->ready++;
  while (m->begun < m->count && m->begun - m->ready < OPENERS)
    client_connect(&m->clients[m->begun++], m->role);
  return m->ready == m->count;
}

void clients_connect(struct client *c, size_t count, const struct role *role) {
  struct many m = {c, 0, 0, count, role};
  const struct client *at;
  if (wait_until(all_ready, &m, 60)) return;
  at = &c[m.ready];
  give_up("client %zu of %zu did not get ready: status %d, close %d %s%s",
          m.ready, count, at->status, at->close, at->reason, at->error);
}

/* ---- writing ---- */

static void flush(struct client *c) {
  bool more;
  while (c->fd >= 0 && c->out.len > 0) {
    ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
      /* What the other side still said comes first; then reading fails too. */
      bytes_free(&c->out);
      break;
    }
    if (n < 0) break;
    bytes_take(&c->out, (size_t)n);
  }
  more = c->out.len > 0;
  if (c->fd < 0 || more == c->writing) return;
  c->writing = more;
  watch(c, EPOLL_CTL_MOD);
}

/* All that a client says in a turn goes out in one write. */
static struct client **dirty;
static size_t dirty_count, dirty_size;

static void soil(struct client *c) {
  if (c->writing || c->dirty || c->fd < 0) return;
  if (dirty_count == dirty_size) {
    dirty_size = dirty_size > 0 ? 2 * dirty_size : 64;
    dirty = realloc(dirty, dirty_size * sizeof(struct client *));
    if (dirty == NULL) give_up("no memory");
  }
  dirty[dirty_count++] = c;
  c->dirty = true;
}

static void flush_all(void) {
  size_t i;
  for (i = 0; i < dirty_count; i++) {
    dirty[i]->dirty = false;
    if (dirty[i]->state != OPENING) flush(dirty[i]);
  }
  dirty_count = 0;
}

void client_put(struct client *c, const void *data, size_t len) {
  bytes_add(&c->out, data, len);
  soil(c);
}

void client_ws(struct client *c, unsigned first, const void *data, size_t len) {
  ws_put(&c->out, first, data, len);
  soil(c);
}

void client_say(struct client *c, const char *fmt, ...) {
  char text[2048];
  va_list args;
  int len;
  va_start(args, fmt);
  len = vsnprintf(text, sizeof(text), fmt, args);
  va_end(args);
  if (len < 0 || (size_t)len >= sizeof(text)) give_up("a frame is too long");
  client_ws(c, WS_FIN | WS_TEXT, text, (size_t)len + 1);
}

void client_read(struct client *c, bool on) {
  if (c->fd < 0 || c->reading == on) return;
  c->reading = on;
  watch(c, EPOLL_CTL_MOD);
}

void client_leave(struct client *c, enum leaving how) {
  struct linger now = {1, 0};
  if (c->fd < 0) return;
  if (how == WITH_RST)
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  forget(c);
}

/* ---- reading ---- */

/* The head of the answer: its length, 0 as long as it is not whole. */
static size_t read_head(struct client *c, const uint8_t *data, size_t len) {
  const uint8_t *end = memmem(data, len, "\r\n\r\n", 4);
  size_t size;
  if (end == NULL) return 0;
  size = (size_t)(end + 4 - data);
  if (size > 12 && memcmp(data, "HTTP/1.1 ", 9) == 0)
    c->status = (data[9] - '0') * 100 + (data[10] - '0') * 10 + data[11] - '0';
  if (c->status == 101 && memmem(data, size, ACCEPT, sizeof(ACCEPT) - 1)) {
    c->state = OPEN;
    if (!c->role->bare) c->role->opened(c);
  }
  return size;
}

static void take_close(struct client *c, const struct ws_frame *f) {
  size_t len = f->len > 2 ? f->len - 2 : 0;
  c->close = f->len >= 2 ? f->data[0] << 8 | f->data[1] : 1005;
  memcpy(c->reason, f->data + f->len - len, len);
  c->reason[len] = '\0';
  client_ws(c, WS_FIN | WS_CLOSE, f->data, f->len >= 2 ? 2 : 0);
}

static bool take(struct client *c, const struct ws_frame *f) {
  struct frame frame;
  if (f->opcode == WS_CLOSE) {
    take_close(c, f);
    return true;
  }
  if (f->opcode == WS_PING || f->opcode == WS_PONG) return true;
  if (!frame_get(&frame, f->data, f->len)) return false;
  if (frame_is(&frame, "ERROR"))
    frame_header(&frame, "message", c->error, sizeof(c->error));
  if (frame.head != NULL && c->role->heard != NULL) c->role->heard(c, &frame);
  return true;
}

/* How much of it was whole. Roles may leave in the midst of it. */
static size_t read_frames(struct client *c, uint8_t *data, size_t len) {
  struct ws_frame f;
  size_t done = 0;
  long n;
  while (c->state == OPEN && (n = ws_get(&f, data + done, len - done)) != 0) {
    if (n < 0 || !take(c, &f)) give_up("the broker said what is no frame");
    done += (size_t)n;
  }
  return done;
}

static void readable(struct client *c) {
  size_t kept = c->in.len, len, done = 0;
  int fd = c->fd;
  ssize_t n;
  if (kept >= ROOM / 2) give_up("a frame is too long to be true");
  if (kept > 0) memcpy(room, c->in.data, kept);
  n = read(fd, room + kept, ROOM - kept);
  if (n <= 0) {
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) lost(c, n < 0);
    return;
  }
  len = kept + (size_t)n;
  if (c->state == ASKING) done = read_head(c, room, len);
  if (c->state == OPEN) done += read_frames(c, room + done, len - done);
  if (c->state == NOWHERE || c->fd != fd || c->state == OPENING) return;
  bytes_free(&c->in);
  bytes_add(&c->in, room + done, len - done);
}

static void connected(struct client *c) {
  socklen_t len = sizeof(errno);
  int error = 0;
  getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
  if (error != 0) {
    lost(c, true);
    return;
  }
  c->state = ASKING;
  c->reading = true;
  watch(c, EPOLL_CTL_MOD);
  if (c->role->bare) c->role->opened(c);
  else bytes_add(&c->out, UPGRADE, sizeof(UPGRADE) - 1);
  flush(c);
}

void clients_turn(int ms) {
  static struct epoll_event ev[1024];
  int i, n;
  flush_all();
  n = epoll_wait(epoll, ev, 1024, ms);
  for (i = 0; i < n; i++) {
    struct client *c = ev[i].data.ptr;
    int fd = c->fd;
    if (c->state == OPENING) {
      connected(c);
      continue;
    }
    if (ev[i].events & EPOLLOUT) flush(c);
    if (c->fd != fd || fd < 0) continue;
    if (c->reading && ev[i].events & ~(uint32_t)EPOLLOUT) readable(c);
    else if (ev[i].events & (EPOLLERR | EPOLLHUP)) lost(c, true);
  }
}
