/* churn.c - sessions that come and go by the hundred thousand: nothing of them
 * is left, and all of them are counted. */
#define _GNU_SOURCE
#include <string.h>

#include "broker.h"
#include "client.h"
#include "load.h"

#define SLOTS 64

static struct {
  struct client slots[SLOTS];
  size_t count, begun, done;
  uint64_t wrong; /* messages that are not those that were sent */
  uint64_t early; /* streams that the broker ended */
  uint64_t clean, fin, rst;
} churn;

static const struct role role;

static void begin(struct client *c) {
  if (churn.begun == churn.count) return;
  c->number = churn.begun++;
  client_connect(c, &role);
}

static void next(struct client *c) {
  churn.done++;
  begin(c);
}

static void opened(struct client *c) {
  size_t slot = (size_t)(c - churn.slots);
  client_say(c, "CONNECT\naccept-version:1.2\nhost:load\n\n");
  client_say(c, "SUBSCRIBE\nid:0\ndestination:/topic/churn/%zu\n\n", slot);
  client_say(c, "SEND\ndestination:/topic/churn/%zu\n\n%zu", slot, c->number);
}

/* A third says goodbye, a third just goes, a third is cut off. */
static void leave(struct client *c) {
  switch (c->number % 3) {
  case 0:
    client_say(c, "DISCONNECT\nreceipt:bye\n\n");
    return; /* next() when the stream has ended */
  case 1:
    churn.fin++;
    client_leave(c, WITH_FIN);
    break;
  default:
    churn.rst++;
    client_leave(c, WITH_RST);
  }
  next(c);
}

static void heard(struct client *c, const struct frame *f) {
  char text[24];
  if (frame_is(f, "MESSAGE")) {
    size_t number = 0, i;
    for (i = 0; i < f->len && i < sizeof(text); i++)
      number = number * 10 + (size_t)(f->body[i] - '0');
    churn.wrong += number != c->number || f->len == 0;
    leave(c);
  } else if (frame_is(f, "RECEIPT")) {
    frame_header(f, "receipt-id", text, sizeof(text));
    c->ready = strcmp(text, "bye") == 0;
  }
}

static void ended(struct client *c) {
  if (c->ready && c->close == 1000) churn.clean++;
  else churn.early++;
  next(c);
}

static const struct role role = {
    .opened = opened, .heard = heard, .ended = ended};

static bool tenth_is_done(void *arg) {
  return churn.done >= churn.count / 10;
}

static bool is_done(void *arg) {
  return churn.done == churn.count;
}

/* The broker has seen all that was cut off. */
static bool is_quiet(void *arg) {
  struct figures f;
  figures_get(&f, arg);
  return figure(&f, "sessions") == 0 && figure(&f, "connections") == 1;
}

static void check_counts(const struct broker *b, const struct figures *before) {
  struct figures f;
  uint64_t accepted, clean, gone;
  figures_get(&f, b);
  accepted = figure(&f, "accepted_total") - figure(before, "accepted_total");
  clean = figure(&f, "ended_total{reason=\"clean\"}");
  gone = figure(&f, "ended_total{reason=\"eof\"}");
  point(figure(&f, "connects_total") == churn.count &&
            clean + gone == churn.count && clean == churn.clean &&
            gone == churn.fin + churn.rst,
        "churn: each session is counted once, and how it ended");
  point(accepted == churn.count + f.asked - before->asked,
        "churn: each connection is counted once");
  point(figure(&f, "deliveries_total") == churn.count,
        "churn: each message is counted once");
}

static void report(const struct broker *b, uint64_t begin, double cpu) {
  double seconds = (double)(now_ns() - begin) / 1e9;
  cpu = broker_cpu(b) - cpu;
  note("churn: %zu sessions, %.0f a second, %.0f in a second of the broker's "
       "processor",
       churn.count, (double)churn.count / seconds, (double)churn.count / cpu);
}

int run_churn(const struct load *l) {
  static const char *const options[] = {NULL};
  struct broker b = broker_start(l->broker, options);
  struct figures before;
  uint64_t begun = now_ns(), early_rss = 0, late_rss;
  unsigned descriptors = broker_descriptors(&b), left, i;
  double cpu = broker_cpu(&b);
  memset(&churn, 0, sizeof(churn));
  churn.count = l->longer ? 1000000 : 100000;
  figures_get(&before, &b);
  for (i = 0; i < SLOTS; i++)
    begin(&churn.slots[i]);
  if (!point(wait_until(tenth_is_done, NULL, 120) &&
                 (early_rss = broker_rss(&b), wait_until(is_done, NULL, 600)),
             "churn: %zu sessions come, hear their own message, and go",
             churn.count)) {
    broker_stop(&b);
    return 0;
  }
  report(&b, begun, cpu);
  point(churn.wrong == 0 && churn.early == 0,
        "churn: none hears another's message, or is ended by the broker");
  point(wait_until(is_quiet, &b, 20), "churn: no session is left");
  late_rss = broker_rss(&b);
  left = broker_descriptors(&b);
  check_counts(&b, &before);
  note("churn: RSS %.2f MiB after a tenth of them, %.2f MiB after all",
       (double)early_rss / MIB, (double)late_rss / MIB);
  point(late_rss <= early_rss + MIB,
        "churn: memory after all is within 1 MiB of that after a tenth");
  point(left == descriptors, "churn: no descriptor is left");
  broker_stop(&b);
  return 0;
}
