/* slow.c - subscribers that stop reading, beside healthy ones.
 *
 * One half of the stalled hears what the healthy hear, and is ended by
 * max_queue. The others have a topic each, so that what waits for them would be
 * more than max_total_queue: the broker stops reading who publishes to them,
 * and send_timeout ends them. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "broker.h"
#include "client.h"
#include "load.h"
#include "score.h"

#define HEALTHY   100
#define STALLED   50 /* of each kind */
#define BODY      4096
#define WINDOW    64 /* messages under way: half of max_queue */
#define MAX_QUEUE (512 * KIB)
#define MAX_TOTAL (16 * MIB)
#define TIMEOUT   3000 /* ms: send_timeout */

static struct {
  const struct broker *broker;
  struct client healthy[HEALTHY], flooded[STALLED], alone[STALLED];
  struct client flood, singles; /* who publishes */
  uint32_t sent, total;         /* to the healthy */
  uint32_t sent_alone;
  uint64_t asked_at, most_waiting, alarms, slow;
  size_t wanted_slow;
  uint64_t lost; /* healthy streams that the broker ended */
  struct score score;
} slow;

static void connect_to(struct client *c) {
  client_say(c, "CONNECT\naccept-version:1.2\nhost:load\n\n");
}

static void healthy_opened(struct client *c) {
  connect_to(c);
  client_say(c, "SUBSCRIBE\nid:0\ndestination:/topic/slow\nreceipt:r\n\n");
}

static void alone_opened(struct client *c) {
  connect_to(c);
  client_say(c, "SUBSCRIBE\nid:0\ndestination:/topic/alone/%zu\nreceipt:r\n\n",
             (size_t)(c - slow.alone));
}

static void healthy_heard(struct client *c, const struct frame *f) {
  if (frame_is(f, "MESSAGE")) score_take(&slow.score, c, f);
  else if (frame_is(f, "RECEIPT")) c->ready = true;
}

static void healthy_ended(struct client *c) {
  slow.lost++;
}

/* From its receipt on it reads nothing. */
static void stalled_heard(struct client *c, const struct frame *f) {
  if (!frame_is(f, "RECEIPT")) return;
  c->ready = true;
  client_read(c, false);
}

static void publisher_heard(struct client *c, const struct frame *f) {
  c->ready = c->ready || frame_is(f, "CONNECTED");
}

static const struct role healthy = {
    .opened = healthy_opened, .heard = healthy_heard, .ended = healthy_ended};
static const struct role flooded = {
    .narrow = true, .opened = healthy_opened, .heard = stalled_heard};
static const struct role alone = {
    .narrow = true, .opened = alone_opened, .heard = stalled_heard};
static const struct role publisher = {
    .opened = connect_to, .heard = publisher_heard, .ended = healthy_ended};

/* ---- what the broker says of itself, ten times a second ---- */

static void ask_at_times(void) {
  struct figures f;
  uint64_t waiting;
  if (now_ns() - slow.asked_at < 100000000) return;
  figures_get(&f, slow.broker);
  waiting = figure(&f, "waiting");
  if (waiting > slow.most_waiting) slow.most_waiting = waiting;
  slow.alarms = figure(&f, "alarms_total");
  slow.slow = figure(&f, "ended_total{reason=\"slow\"}");
  slow.asked_at = now_ns();
}

/* ---- publishing ---- */

static uint32_t least_had(void) {
  uint32_t least = slow.sent;
  size_t i;
  for (i = 0; i < HEALTHY; i++)
    if (slow.healthy[i].next < least) least = slow.healthy[i].next;
  return least;
}

static void flood_some(void) {
  uint32_t most = least_had() + WINDOW;
  while (slow.sent < slow.total && slow.sent < most)
    score_publish(&slow.flood, "/topic/slow", slow.sent++, now_ns(), BODY);
}

static bool flood_is_over(void *arg) {
  flood_some();
  ask_at_times();
  return slow.sent == slow.total && least_had() == slow.total;
}

static bool enough_are_slow(void *arg) {
  flood_some(); /* the window keeps it from being more than the healthy bear */
  ask_at_times();
  return slow.slow >= slow.wanted_slow;
}

/* Twice what may wait for them all. */
static void publish_alone(void) {
  uint32_t rounds = 2 * MAX_TOTAL / BODY / STALLED, i, k;
  char topic[32];
  for (i = 0; i < rounds; i++) {
    for (k = 0; k < STALLED; k++) {
      snprintf(topic, sizeof(topic), "/topic/alone/%u", k);
      score_publish(&slow.singles, topic, i, 0, BODY);
    }
  }
}

/* ---- what the stalled find when they look again ---- */

static bool have_ended(void *arg) {
  const struct client *c = arg;
  size_t i;
  for (i = 0; i < STALLED / 2; i++)
    if (c[i].fd >= 0) return false;
  return true;
}

/* One half looks; the other never does. */
static void look_again(struct client *c, const char *reason) {
  size_t i, told = 0;
  for (i = 0; i < STALLED / 2; i++)
    client_read(&c[i], true);
  wait_until(have_ended, c, 20);
  for (i = 0; i < STALLED / 2; i++)
    told += c[i].close == 1008 && strcmp(c[i].reason, reason) == 0 &&
            strcmp(c[i].error, reason) == 0;
  point(told == STALLED / 2, "slow: who looks again is told: %s", reason);
}

static bool only_healthy_left(void *arg) {
  struct figures f;
  figures_get(&f, slow.broker);
  return figure(&f, "connections") == HEALTHY + 2 + 1;
}

static void connect_all(void) {
  clients_connect(&slow.flood, 1, &publisher);
  clients_connect(&slow.singles, 1, &publisher);
  clients_connect(slow.healthy, HEALTHY, &healthy);
  clients_connect(slow.flooded, STALLED, &flooded);
  clients_connect(slow.alone, STALLED, &alone);
}

static void flood(const struct load *l) {
  uint64_t begun = now_ns();
  slow.total = (l->longer ? 100 : 20) * MIB / BODY;
  slow.wanted_slow = STALLED;
  point(wait_until(enough_are_slow, NULL, 120),
        "slow: %d of them that hear what all hear are ended", STALLED);
  look_again(slow.flooded, "too slow, over max_queue");
  point(wait_until(flood_is_over, NULL, 300),
        "slow: %d healthy ones get %u MiB each", HEALTHY,
        slow.total / (MIB / BODY));
  note("slow: %.0f MiB delivered in %.1f s",
       (double)slow.score.got * BODY / MIB, (double)(now_ns() - begun) / 1e9);
}

static void hold_up(void) {
  uint64_t begun = now_ns();
  uint32_t before = slow.total;
  slow.total += 1000;
  slow.wanted_slow = STALLED + STALLED;
  publish_alone();
  point(wait_until(enough_are_slow, NULL, 60),
        "slow: %d of them for whom more than max_total_queue would wait are "
        "ended",
        STALLED);
  note("slow: they are, %.0f ms after the first byte that they did not take "
       "(send_timeout: %d ms)",
       (double)(now_ns() - begun) / 1e6, TIMEOUT);
  look_again(slow.alone, "too slow, over send_timeout");
  point(wait_until(flood_is_over, NULL, 120),
        "slow: %u messages more reach the healthy ones", slow.total - before);
}

int run_slow(const struct load *l) {
  static const char *const options[] = {
      "--max-queue", "512K", "--send-timeout", "3000", "--max-total-queue",
      "16M",         NULL};
  struct broker b = broker_start(l->broker, options);
  uint64_t before, growth;
  memset(&slow, 0, sizeof(slow));
  slow.broker = &b;
  connect_all();
  before = broker_rss(&b);
  broker_mark(&b);
  flood(l);
  hold_up();
  growth = broker_peak(&b) - before;
  point(score_clean(&slow.score) && slow.lost == 0,
        "slow: the healthy ones lose nothing, get nothing twice, and all in "
        "order");
  note("slow: RSS grew by %.1f MiB at most, %.1f MiB waited at most",
       (double)growth / MIB, (double)slow.most_waiting / MIB);
  point(growth <= 2 * STALLED * (uint64_t)MAX_QUEUE / 10 * 11,
        "slow: memory grows by max_queue for each of them at most");
  point(slow.alarms > 0 && slow.most_waiting <= MAX_TOTAL,
        "slow: never more than max_total_queue waits, and it was near");
  point(wait_until(only_healthy_left, NULL, 20),
        "slow: who never looks again is cut off");
  broker_stop(&b);
  return 0;
}
