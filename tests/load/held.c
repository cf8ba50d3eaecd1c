/* held.c - as many live sockets as descriptors allow, with heart-beats: what
 * one costs that does nothing, and that each hears what is said to all. */
#define _GNU_SOURCE
#include <sys/resource.h>

#include "broker.h"
#include "client.h"
#include "load.h"
#include "score.h"

#define MESSAGES 3
#define BEAT     8000 /* ms; the broker wants a sign of life each 10 s */

static struct {
  struct client *clients;
  size_t count, beat_next;
  uint64_t ended;
  struct score score;
} held;

static void opened(struct client *c) {
  client_say(c, "CONNECT\naccept-version:1.2\nhost:load\n"
                "heart-beat:10000,10000\n\n");
  client_say(c, "SUBSCRIBE\nid:0\ndestination:/topic/held\nreceipt:r\n\n");
}

static void heard(struct client *c, const struct frame *f) {
  if (frame_is(f, "MESSAGE")) score_take(&held.score, c, f);
  else if (frame_is(f, "RECEIPT")) c->ready = true;
}

static void ended(struct client *c) {
  held.ended++;
}

static const struct role role = {
    .opened = opened, .heard = heard, .ended = ended};

/* Heart-beats of all, one after the other, each BEAT ms. */
static void beat_some(uint64_t begun) {
  uint64_t due = (now_ns() - begun) / 1000000 * held.count / BEAT;
  while (held.beat_next < due) {
    struct client *c = &held.clients[held.beat_next++ % held.count];
    if (c->fd >= 0) client_ws(c, WS_FIN | WS_TEXT, "\n", 1);
  }
}

static void idle(const struct broker *b, unsigned seconds) {
  uint64_t begun = now_ns(), end = begun + (uint64_t)seconds * 1000000000;
  double cpu = broker_cpu(b);
  held.beat_next = 0;
  while (now_ns() < end) {
    beat_some(begun);
    clients_turn(5);
  }
  note("held: %.2f %% of a processor while %zu sessions only beat, for %u s",
       100 * (broker_cpu(b) - cpu) / seconds, held.count, seconds);
}

static bool all_have(void *arg) {
  return held.score.got >= (uint64_t)MESSAGES * held.count;
}

static void broadcast(void) {
  uint64_t begun = now_ns(), got;
  uint32_t i;
  for (i = 0; i < MESSAGES; i++)
    score_publish(&held.clients[0], "/topic/held", i, now_ns(), 64);
  if (wait_until(all_have, NULL, 60))
    note("held: %d messages to all took %.0f ms", MESSAGES,
         (double)(now_ns() - begun) / 1e6);
  wait_ms(300); /* for what should not come */
  got = held.score.got;
  point(got == (uint64_t)MESSAGES * held.count && score_clean(&held.score),
        "held: each of %zu sockets gets each of %d messages once, in order",
        held.count, MESSAGES);
}

static size_t descriptors(size_t wanted) {
  struct rlimit files = {0};
  getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur >= wanted + 100) return wanted;
  note("held: only %zu descriptors here", (size_t)files.rlim_cur);
  return (size_t)files.rlim_cur - 100;
}

int run_held(const struct load *l) {
  static const char *const options[] = {"--max-connections", "19900", NULL};
  struct broker b = broker_start(l->broker, options);
  struct figures f;
  uint64_t before = broker_rss(&b), after;
  held.count = descriptors(l->longer ? 19000 : 9500);
  held.clients = get_zeroed(held.count, sizeof(*held.clients));
  clients_connect(held.clients, held.count, &role);
  after = broker_rss(&b);
  note("held: RSS of an idle session with a subscription: %.0f B",
       (double)(after - before) / (double)held.count);
  idle(&b, l->longer ? 40 : 5);
  broadcast();
  figures_get(&f, &b);
  point(held.ended == 0 && figure(&f, "sessions") == held.count,
        "held: all %zu sessions are still there", held.count);
  broker_stop(&b);
  return 0;
}
