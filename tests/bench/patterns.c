/* patterns.c - what subscriptions to patterns cost those who publish. No
 * sockets: one session subscribes to many, the host sends.
 *
 *   patterns [COUNT ...]
 */
#include "bench.h"

/* # becomes the number of the pattern. None matches TO. */
static const char *const shapes[] = {
    "/topic/room-#/*",   /* other heads */
    "/topic/*/#",        /* the same head, other tails */
    "/topic/**/#/*/x",   /* any depth */
    "/topic/{room}/x/#", /* too long */
    "/topic/a/#*",       /* letters and wildcards in one segment */
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))
#define TO     "/topic/a/b"

static void say(sbk_conn *conn, const char *text) {
  check(sbk_conn_feed(conn, 1, text, strlen(text) + 1) == 0, "refused");
}

static sbk_conn *open_peer(sbk_broker *broker) {
  sbk_conn *conn;
  check(sbk_conn_new(&conn, broker, SBK_TCP, NULL, NULL) == 0, "no peer");
  say(conn, "CONNECT\naccept-version:1.2\n\n");
  return conn;
}

static double subscribe(sbk_conn *conn, const char *shape, size_t count) {
  double begin = cpu();
  size_t i;
  for (i = 0; i < count; i++) {
    char destination[64], frame[160];
    const char *at = strchr(shape, '#');
    snprintf(destination, sizeof(destination), "%.*s%zu%s", (int)(at - shape),
             shape, i, at + 1);
    snprintf(frame, sizeof(frame), "SUBSCRIBE\nid:%zu\ndestination:%s\n\n", i,
             destination);
    say(conn, frame);
  }
  return count > 0 ? (cpu() - begin) / (double)count : 0;
}

/* Seconds for one message; as many as take some time. */
static double publish(sbk_broker *broker) {
  double begin = cpu(), took = 0;
  size_t i, count = 0;
  for (i = 16; took < 0.2 && count < 1000000; i *= 2) {
    for (; count < i; count++)
      check(sbk_send(broker, TO, NULL, "x", 1) == 0, "it matched");
    took = cpu() - begin;
  }
  return took / (double)count;
}

static void run(const char *shape, size_t count) {
  struct sbk_config config = SBK_CONFIG_INIT;
  sbk_broker *broker;
  sbk_conn *conn;
  double each, sent, end;
  config.max_subscriptions = 1048576;
  check(sbk_broker_new(&broker, NULL, &config, NULL) == 0, "no broker");
  sbk_broker_tick(broker, 1);
  conn = open_peer(broker);
  each = subscribe(conn, shape, count);
  sent = publish(broker);
  end = cpu();
  sbk_conn_free(conn);
  end = cpu() - end;
  printf("%7zu x %-20s %10.0f ns per message, %6.0f ns per SUBSCRIBE, "
         "%4.0f ms for the end\n",
         count, shape, sent * 1e9, each * 1e9, end * 1e3);
  sbk_broker_free(broker);
}

int main(int argc, char **argv) {
  static const char *const usual[] = {"1000", "100000"};
  size_t shape;
  int i;
  run(shapes[0], 0);
  for (i = 0; i < (argc > 1 ? argc - 1 : 2); i++)
    for (shape = 0; shape < SHAPES; shape++)
      run(shapes[shape], (size_t)atol(argc > 1 ? argv[i + 1] : usual[i]));
  return 0;
}
