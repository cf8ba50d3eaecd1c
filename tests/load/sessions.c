/* sessions.c - very many sessions in one process, without sockets: what one
 * holds, and that each gets what it subscribed to.
 *
 *   sessions [COUNT [TOPICS]]
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <stompbroker/stompbroker.h>

struct peer {
  sbk_conn *conn;
  size_t messages; /* that came to it */
};

static struct peer *peers;
static size_t count = 100000, topics = 10000;
static char out[1 << 16];
static int failed;

static void point(int ok, const char *sentence) {
  printf("%sok - sessions: %s\n", ok ? "" : "not ", sentence);
  failed |= !ok;
}

static void need(int ok, const char *what) {
  if (ok) return;
  printf("Bail out! sessions: %s\n", what);
  exit(1);
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double rss(void) {
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  need(file != NULL && fscanf(file, "%*u %lu", &pages) == 1, "no statm");
  fclose(file);
  return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static sbk_broker *open_broker(void) {
  struct sbk_config config = SBK_CONFIG_INIT;
  sbk_broker *broker;
  config.max_connections = count + 1;
  config.max_pending = count + 1;
  need(sbk_broker_new(&broker, NULL, &config, NULL) == 0, "no broker");
  sbk_broker_tick(broker, 1);
  return broker;
}

/* MESSAGEs are short: each is in one piece here. */
static void drain(sbk_conn *conn) {
  struct peer *peer = sbk_conn_user_data(conn);
  size_t n;
  while ((n = sbk_conn_copy_out(conn, out, sizeof(out))) > 0) {
    const char *at = out;
    while ((at = memmem(at, (size_t)(out + n - at), "MESSAGE\n", 8)) != NULL) {
      peer->messages++;
      at += 8;
    }
    sbk_conn_sent(conn, n);
  }
}

static void drain_all(sbk_broker *broker) {
  sbk_conn *conn;
  while ((conn = sbk_broker_next_ready(broker)) != NULL)
    drain(conn);
}

static void say(sbk_conn *conn, const char *text) {
  need(sbk_conn_feed(conn, 1, text, strlen(text) + 1) == 0, "refused");
}

static void open_all(sbk_broker *broker) {
  char text[128];
  size_t i;
  for (i = 0; i < count; i++) {
    struct peer *peer = &peers[i];
    need(sbk_conn_new(&peer->conn, broker, SBK_TCP, NULL, peer) == 0,
         "no connection");
    say(peer->conn, "CONNECT\naccept-version:1.2\nheart-beat:10000,10000\n\n");
    snprintf(text, sizeof(text), "SUBSCRIBE\nid:0\ndestination:/topic/%zu\n\n",
             i % topics);
    say(peer->conn, text);
    drain(peer->conn);
  }
  drain_all(broker);
  sbk_broker_tick(broker, 2);
}

static void publish_all(sbk_broker *broker) {
  char topic[32];
  size_t i, wrong = 0;
  for (i = 0; i < topics; i++) {
    snprintf(topic, sizeof(topic), "/topic/%zu", i);
    sbk_send(broker, topic, "text/plain", "hello", 5);
  }
  drain_all(broker);
  for (i = 0; i < count; i++)
    wrong += peers[i].messages != 1;
  point(wrong == 0, "a message to each topic reaches each session once");
}

static void free_all(sbk_broker *broker) {
  struct sbk_stats stats = SBK_STATS_INIT;
  size_t i;
  for (i = 0; i < count; i++)
    sbk_conn_free(peers[i].conn);
  sbk_broker_stats(broker, &stats);
  point(stats.sessions + stats.connections + stats.destinations == 0,
        "none is left when all have gone");
}

int main(int argc, char **argv) {
  double before, begun;
  sbk_broker *broker;
  struct sbk_stats stats = SBK_STATS_INIT;
  if (argc > 1) count = (size_t)strtoul(argv[1], NULL, 10);
  if (argc > 2) topics = (size_t)strtoul(argv[2], NULL, 10);
  need(count > 0 && topics > 0, "usage: sessions [COUNT [TOPICS]]");
  peers = calloc(count, sizeof(*peers));
  need(peers != NULL, "no memory");
  memset(peers, 0xff, count * sizeof(*peers)); /* so that they are there */
  memset(peers, 0, count * sizeof(*peers));
  broker = open_broker();
  before = rss();
  begun = seconds();
  open_all(broker);
  printf("# sessions: %zu on %zu topics: %.0f B of RSS and %.2f us each, %.0f "
         "MiB together\n",
         count, topics, (rss() - before) / (double)count,
         (seconds() - begun) * 1e6 / (double)count,
         (rss() - before) / (1 << 20));
  sbk_broker_stats(broker, &stats);
  point(stats.sessions == count, "all are there");
  begun = seconds();
  publish_all(broker);
  printf("# sessions: a message to each topic: %.0f ns for a delivery\n",
         (seconds() - begun) * 1e9 / (double)count);
  free_all(broker);
  sbk_broker_free(broker);
  free(peers);
  return failed;
}
