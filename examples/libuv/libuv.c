/* libuv.c - STOMP over WebSocket on a libuv loop. SEND to /app/echo, and the
 * body comes back at /user/queue/echo; at /topic/clock another thread counts
 * the seconds. */
#define _GNU_SOURCE /* uv.h wants more than C11 */
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include <stompbroker/stompbroker.h>

#define PIECES 64 /* in one write */

struct client {
  uv_tcp_t tcp;
  uv_write_t write; /* one at a time: the next has what came up meanwhile */
  size_t writing;   /* bytes of it; 0: none is under way */
  uv_shutdown_t shutdown;
  bool reading, shut;
  sbk_conn *conn;
};

static uv_loop_t *loop;
static uv_tcp_t listener;
static uv_prepare_t before_sleep;
static uv_timer_t timer;
static uv_async_t bell;
static uv_signal_t terminate;
static sbk_broker *broker;
static bool ending;
static bool waiting;       /* no memory: a peer stands at the door */
static char room[1 << 18]; /* one for the whole loop: what is read is fed */

/* ---- the plug: what knows both libuv and the library ---- */

static void meet(void);

static void closed(uv_handle_t *handle) {
  struct client *c = handle->data;
  /* Not before: until here libuv may have looked at the bytes of a write. */
  sbk_conn_free(c->conn);
  free(c);
  if (waiting && !ending) meet();
}

static void settle(struct client *c);

static void written(uv_write_t *write, int status) {
  struct client *c = write->handle->data;
  size_t len = c->writing;
  c->writing = 0;
  if (uv_is_closing((uv_handle_t *)&c->tcp)) return; /* closed() comes next */
  if (status == 0) sbk_conn_sent(c->conn, len);
  else sbk_conn_eof(c->conn, -status);
  settle(c);
}

/* The pieces stay where they are until sbk_conn_sent(), so nothing is copied,
 * however long the write takes. */
static void write_some(struct client *c) {
  struct iovec iov[PIECES];
  uv_buf_t bufs[PIECES];
  int i, rv, n = sbk_conn_output(c->conn, iov, PIECES);
  if (n == 0) return;
  for (i = 0; i < n; i++) {
    bufs[i] = uv_buf_init(iov[i].iov_base, (unsigned)iov[i].iov_len);
    c->writing += iov[i].iov_len;
  }
  rv = uv_write(&c->write, (uv_stream_t *)&c->tcp, bufs, (unsigned)n, written);
  if (rv == 0) return;
  c->writing = 0;
  sbk_conn_eof(c->conn, -rv);
}

static void make_room(uv_handle_t *handle, size_t hint, uv_buf_t *buf) {
  *buf = uv_buf_init(room, sizeof(room));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  struct client *c = stream->data;
  if (n > 0) sbk_conn_feed(c->conn, uv_now(loop), buf->base, (size_t)n);
  else if (n == UV_EOF) sbk_conn_eof(c->conn, 0);
  else if (n < 0) sbk_conn_eof(c->conn, (int)-n);
}

static void settle(struct client *c) {
  unsigned wants;
  bool reads;
  if (uv_is_closing((uv_handle_t *)&c->tcp)) return;
  if (c->writing == 0) write_some(c);
  wants = sbk_conn_wants(c->conn);
  reads = (wants & SBK_WANT_READ) != 0;
  if (wants & SBK_WANT_SHUTDOWN && !c->shut) {
    c->shut = true;
    uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, NULL);
  }
  if (wants == 0) uv_close((uv_handle_t *)&c->tcp, closed);
  else if (reads && !c->reading)
    uv_read_start((uv_stream_t *)&c->tcp, make_room, on_read);
  else if (!reads && c->reading) uv_read_stop((uv_stream_t *)&c->tcp);
  c->reading = reads;
}

static void meet(void) {
  struct client *c = calloc(1, sizeof(*c));
  waiting = c == NULL;
  if (c == NULL) return; /* libuv listens again when this one was accepted */
  uv_tcp_init(loop, &c->tcp);
  c->tcp.data = c;
  if (uv_accept((uv_stream_t *)&listener, (uv_stream_t *)&c->tcp) != 0 ||
      sbk_conn_new(&c->conn, broker, SBK_HTTP, NULL, c) != 0) {
    uv_close((uv_handle_t *)&c->tcp, closed);
    return;
  }
  uv_tcp_nodelay(&c->tcp, 1);
  settle(c);
}

static void on_connection(uv_stream_t *stream, int status) {
  /* Where descriptors have run out, libuv has turned the peer away itself. */
  if (status == 0) meet();
}

static void close_all(void) {
  uv_close((uv_handle_t *)&before_sleep, NULL);
  uv_close((uv_handle_t *)&timer, NULL);
  uv_close((uv_handle_t *)&bell, NULL);
  uv_close((uv_handle_t *)&terminate, NULL);
}

/* What wakes the loop has nothing to do itself: on_before_sleep() follows. */
static void on_timer(uv_timer_t *handle) {}
static void on_bell(uv_async_t *handle) {}

/* Once in a turn of the loop, when all that came in was read: one write for
 * each connection, whatever made it. */
static void on_before_sleep(uv_prepare_t *handle) {
  sbk_msec due, now = uv_now(loop);
  sbk_conn *conn;
  sbk_broker_tick(broker, now);
  while ((conn = sbk_broker_next_ready(broker)) != NULL)
    settle(sbk_conn_user_data(conn));
  due = sbk_broker_deadline(broker);
  if (due == SBK_NEVER) uv_timer_stop(&timer);
  else uv_timer_start(&timer, on_timer, due > now ? due - now : 0, 0);
  if (ending && sbk_broker_conn_count(broker) == 0) close_all();
}

/* From any thread. */
static void wakeup(void *arg) {
  uv_async_send(&bell);
}

/* ---- end of the plug; another thread ---- */

static uv_thread_t clock_thread;
static uv_mutex_t clock_lock;
static uv_cond_t clock_over;
static bool clock_stopped;

struct news {
  sbk_task task; /* first, so that the task is the news */
  unsigned seconds;
};

static void tell(sbk_broker *b, sbk_task *task) {
  struct news *news = (struct news *)task;
  char text[16];
  int len = snprintf(text, sizeof(text), "%u", news->seconds);
  sbk_send(b, "/topic/clock", "text/plain", text, (size_t)len);
  free(news);
}

static void clock_run(void *arg) {
  unsigned seconds = 0;
  uv_mutex_lock(&clock_lock);
  while (!clock_stopped) {
    struct news *news;
    if (uv_cond_timedwait(&clock_over, &clock_lock, 1000000000) == 0) continue;
    seconds++;
    news = calloc(1, sizeof(*news));
    if (news == NULL) continue;
    news->task.run = tell;
    news->seconds = seconds;
    sbk_post(broker, &news->task); /* all that this thread may call */
  }
  uv_mutex_unlock(&clock_lock);
}

static void clock_stop(void) {
  uv_mutex_lock(&clock_lock);
  clock_stopped = true;
  uv_cond_signal(&clock_over);
  uv_mutex_unlock(&clock_lock);
  uv_thread_join(&clock_thread);
}

/* ---- */

static int echo(sbk_call *call, void *arg) {
  const sbk_message *msg = sbk_call_message(call);
  size_t len;
  const void *body = sbk_message_body(msg, &len);
  return sbk_call_reply(call, "/queue/echo",
                        sbk_message_header(msg, "content-type"), body, len);
}

static void on_terminate(uv_signal_t *handle, int number) {
  if (ending) return;
  ending = true;
  clock_stop(); /* before bell is closed: nobody may ring it then */
  uv_close((uv_handle_t *)&listener, NULL);
  sbk_broker_shutdown(broker); /* everybody is told 1001 and has 5 s to go */
}

static int make_broker(void) {
  struct sbk_callbacks cb = SBK_CALLBACKS_INIT;
  struct sbk_endpoint ws = SBK_ENDPOINT_INIT;
  cb.wakeup = wakeup;
  ws.path = "/ws";
  return sbk_broker_new(&broker, &cb, NULL, NULL) ||
         sbk_broker_add_endpoint(broker, &ws) ||
         sbk_broker_add_handler(broker, SBK_SEND, "/echo", echo, NULL);
}

int main(int argc, char **argv) {
  struct sockaddr_in at;
  unsigned long port = 8080;
  int len = sizeof(at);
  char *end = "";

  if (argc == 3 && strcmp(argv[1], "--port") == 0)
    port = strtoul(argv[2], &end, 10);
  else if (argc != 1) end = "?";
  if (*end || port > 65535)
    return fputs("usage: libuv [--port N]\n", stderr), 2;

  signal(SIGPIPE, SIG_IGN); /* libuv writes to sockets with writev() */
  loop = uv_default_loop();
  uv_ip4_addr("127.0.0.1", (int)port, &at);
  if (loop == NULL || uv_tcp_init(loop, &listener) ||
      uv_prepare_init(loop, &before_sleep) || uv_timer_init(loop, &timer) ||
      uv_async_init(loop, &bell, on_bell) || uv_signal_init(loop, &terminate) ||
      uv_signal_start(&terminate, on_terminate, SIGTERM) ||
      uv_prepare_start(&before_sleep, on_before_sleep) || make_broker() ||
      uv_tcp_bind(&listener, (struct sockaddr *)&at, 0) ||
      uv_listen((uv_stream_t *)&listener, 511, on_connection) ||
      uv_tcp_getsockname(&listener, (struct sockaddr *)&at, &len) ||
      uv_mutex_init(&clock_lock) || uv_cond_init(&clock_over) ||
      uv_thread_create(&clock_thread, clock_run, NULL))
    return fputs("libuv: cannot start\n", stderr), 1;
  printf("ws 127.0.0.1:%u/ws\nready\n", ntohs(at.sin_port));
  fflush(stdout);

  uv_run(loop, UV_RUN_DEFAULT);          /* until close_all() */
  sbk_broker_tick(broker, uv_now(loop)); /* what was posted at the last */
  sbk_broker_free(broker);
  uv_cond_destroy(&clock_over);
  uv_mutex_destroy(&clock_lock);
  return uv_loop_close(loop) == 0 ? 0 : 1;
}
