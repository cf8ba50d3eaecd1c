/* fanout.c - what one delivery costs inside the process, and what an idle
 * session holds. No sockets: connections are fed and emptied in memory.
 *
 *   fanout [SUBSCRIBERS [BATCH [ROUNDS [BODY]]]]
 */
#include "bench.h"

/* ---- peers in memory ---- */

static char out[1 << 18];

/* A client's frame of STOMP in a masked frame of WebSocket, with a mask of 0.
 */
static void say(sbk_conn *conn, const char *text) {
  size_t len = strlen(text) + 1;
  unsigned char frame[256] = {0x81, (unsigned char)(0x80 | len)};
  check(len < 126, "a frame of the bench is too long");
  memcpy(frame + 6, text, len);
  sbk_conn_feed(conn, 1, frame, len + 6);
}

static size_t drain(sbk_conn *conn, int iovecs) {
  struct iovec iov[64];
  size_t n, all = 0;
  int i, count;
  if (!iovecs) {
    while ((n = sbk_conn_copy_out(conn, out, sizeof(out))) > 0) {
      sbk_conn_sent(conn, n);
      all += n;
    }
    return all;
  }
  while ((count = sbk_conn_output(conn, iov, 64)) > 0) {
    for (n = 0, i = 0; i < count; i++)
      n += iov[i].iov_len;
    sbk_conn_sent(conn, n);
    all += n;
  }
  return all;
}

static size_t drain_all(sbk_broker *broker, int iovecs) {
  sbk_conn *conn;
  size_t all = 0;
  while ((conn = sbk_broker_next_ready(broker)) != NULL)
    all += drain(conn, iovecs);
  return all;
}

struct load {
  size_t subscribers, batch, rounds, body;
  int unique; /* each subscriber has an id of its own */
  int iovecs;
};

static sbk_broker *open_broker(const struct load *l) {
  struct sbk_config config = SBK_CONFIG_INIT;
  sbk_broker *broker;
  config.mem = &counted;
  config.max_connections = l->subscribers + 1;
  config.max_pending = l->subscribers + 1;
  config.max_queue = (size_t)1 << 30;
  check(sbk_broker_new(&broker, NULL, &config, NULL) == 0, "no broker");
  sbk_broker_tick(broker, 1);
  return broker;
}

static void open_peers(sbk_broker *broker, const struct load *l) {
  char text[100];
  size_t i;
  for (i = 0; i < l->subscribers; i++) {
    sbk_conn *conn;
    check(sbk_conn_new(&conn, broker, SBK_WEBSOCKET, NULL, NULL) == 0,
          "no connection");
    say(conn, "CONNECT\naccept-version:1.2\nheart-beat:10000,10000\n\n");
    snprintf(text, sizeof(text),
             "SUBSCRIBE\nid:sub-%zu\ndestination:/topic/x\n\n",
             l->unique ? i : (size_t)0);
    say(conn, text);
    check(sbk_conn_session(conn) != NULL, "no session");
  }
  drain_all(broker, 0);
  sbk_broker_tick(broker, 2);
}

static void idle(void) {
  struct load few = {10, 0, 0, 0, 1, 0}, many = {1010, 0, 0, 0, 1, 0};
  sbk_broker *a = open_broker(&few), *b;
  size_t before, bytes, blocks;
  open_peers(a, &few);
  before = live_bytes;
  blocks = live_blocks;
  b = open_broker(&many);
  open_peers(b, &many);
  bytes = live_bytes - before - before;
  blocks = live_blocks - blocks - blocks;
  /* Two brokers that differ in 1,000 sessions. */
  printf(
      "idle session with a subscription: %.0f bytes of heap in %.1f blocks\n",
      (double)bytes / 1000, (double)blocks / 1000);
  sbk_broker_free(a);
  sbk_broker_free(b);
  check(live_bytes == 0 && live_blocks == 0, "memory is left");
}

static void fanout(const struct load *l) {
  sbk_broker *broker = open_broker(l);
  char *body = calloc(1, l->body + 1);
  size_t i, round, allocs, bytes = 0, deliveries;
  double seconds = 0;
  memset(body, 'x', l->body);
  open_peers(broker, l);
  allocs = allocations;
  for (round = 0; round < l->rounds + 1; round++) {
    double begin = cpu();
    for (i = 0; i < l->batch; i++)
      check(sbk_send(broker, "/topic/x", "text/plain", body, l->body) ==
                (int)l->subscribers,
            "not everybody got it");
    if (round == 0) {
      drain_all(broker, l->iovecs); /* warm: rings and pools are there */
      allocs = allocations;
    } else {
      bytes += drain_all(broker, l->iovecs);
      seconds += cpu() - begin;
    }
  }
  deliveries = l->rounds * l->batch * l->subscribers;
  printf("1 to %zu, %zu B, batch %zu, %s ids, %s: %.1f ns, %.1f bytes, "
         "%.4f allocations per delivery\n",
         l->subscribers, l->body, l->batch, l->unique ? "unique" : "shared",
         l->iovecs ? "iovecs" : "copied", seconds * 1e9 / (double)deliveries,
         (double)bytes / (double)deliveries,
         (double)(allocations - allocs) / (double)deliveries);
  free(body);
  sbk_broker_free(broker);
  check(live_bytes == 0, "memory is left");
}

int main(int argc, char **argv) {
  struct load l = {argc > 1 ? (size_t)atol(argv[1]) : 1000,
                   argc > 2 ? (size_t)atol(argv[2]) : 0,
                   argc > 3 ? (size_t)atol(argv[3]) : 0,
                   argc > 4 ? (size_t)atol(argv[4]) : 64,
                   0,
                   0};
  size_t batch = l.batch, rounds = l.rounds;
  int b, unique;
  idle();
  for (b = 1; b <= 16; b *= 16) {
    for (unique = 0; unique < 2; unique++) {
      for (l.iovecs = 0; l.iovecs < 2; l.iovecs++) {
        l.batch = batch ? batch : (size_t)b;
        l.rounds = rounds ? rounds : 3200 / (size_t)b;
        l.unique = unique;
        fanout(&l);
      }
    }
    if (batch) break;
  }
  return 0;
}
