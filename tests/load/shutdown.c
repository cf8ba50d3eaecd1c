/* shutdown.c - SIGTERM amid messages: what has been accepted is delivered, and
 * everybody hears why it is over. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "client.h"
#include "load.h"
#include "score.h"

#define TOPICS  10
#define READERS 958  /* of all topics together */
#define EACH    2000 /* messages to a topic */
#define FIRST   200
#define BODY    512
#define BUSY    32 /* who let the broker's loop never sleep */

#define SESSIONS (TOPICS + READERS + BUSY)

static struct {
  struct client writers[TOPICS], readers[READERS], busy[BUSY];
  uint32_t accepted[TOPICS]; /* the receipts that came */
  uint64_t receipts;
  size_t ended;
  uint64_t goodbyes; /* Close 1001 */
  struct score score;
} down;

static void opened(struct client *c) {
  client_say(c, "CONNECT\naccept-version:1.2\nhost:load\n\n");
}

static void reader_opened(struct client *c) {
  opened(c);
  client_say(c, "SUBSCRIBE\nid:0\ndestination:/topic/down/%zu\nreceipt:r\n\n",
             (size_t)(c - down.readers) % TOPICS);
}

static void reader_heard(struct client *c, const struct frame *f) {
  if (frame_is(f, "MESSAGE")) score_take(&down.score, c, f);
  else if (frame_is(f, "RECEIPT")) c->ready = true;
}

static void writer_heard(struct client *c, const struct frame *f) {
  char text[24];
  if (frame_is(f, "CONNECTED")) c->ready = true;
  if (!frame_is(f, "RECEIPT")) return;
  frame_header(f, "receipt-id", text, sizeof(text));
  down.accepted[c - down.writers] = (uint32_t)strtoul(text, NULL, 10) + 1;
  down.receipts++;
}

/* Always some under way: each that comes back goes out again. */
static void busy_heard(struct client *c, const struct frame *f) {
  size_t number = (size_t)(c - down.busy), i;
  for (i = 0; frame_is(f, "CONNECTED") && i < 8; i++)
    client_say(c, "SEND\ndestination:/topic/busy/%zu\n\n", number);
  if (frame_is(f, "MESSAGE"))
    client_say(c, "SEND\ndestination:/topic/busy/%zu\n\n", number);
  c->ready = c->ready || frame_is(f, "MESSAGE");
}

static void ended(struct client *c) {
  down.ended++;
  down.goodbyes += c->close == 1001 && strcmp(c->reason, "shutting down") == 0;
}

static void busy_opened(struct client *c) {
  opened(c);
  client_say(c, "SUBSCRIBE\nid:0\ndestination:/topic/busy/%zu\n\n",
             (size_t)(c - down.busy));
}

static const struct role busy = {
    .opened = busy_opened, .heard = busy_heard, .ended = ended};
static const struct role writer = {
    .opened = opened, .heard = writer_heard, .ended = ended};
static const struct role reader = {
    .opened = reader_opened, .heard = reader_heard, .ended = ended};

static void publish_some(uint32_t from, uint32_t to) {
  uint32_t i, k;
  char topic[32];
  for (i = from; i < to; i++) {
    for (k = 0; k < TOPICS; k++) {
      snprintf(topic, sizeof(topic), "/topic/down/%u", k);
      score_publish_receipt(&down.writers[k], topic, i, BODY);
    }
  }
}

static bool first_are_accepted(void *arg) {
  return down.receipts == TOPICS * FIRST;
}

static bool all_ended(void *arg) {
  return down.ended == SESSIONS;
}

static void check_messages(void) {
  uint64_t lacking = 0, uneven = 0;
  size_t i;
  for (i = 0; i < READERS; i++) {
    const struct client *c = &down.readers[i];
    lacking += c->next < down.accepted[i % TOPICS];
    uneven += c->next != down.readers[i % TOPICS].next;
  }
  point(lacking == 0,
        "shutdown: each message with a receipt reaches each subscriber");
  point(uneven == 0 && score_clean(&down.score),
        "shutdown: subscribers of a topic get the same messages, once each, in "
        "order");
}

int run_shutdown(const struct load *l) {
  static const char *const options[] = {"--drain", "10000", "--max-queue", "4M",
                                        NULL};
  struct broker b = broker_start(l->broker, options);
  uint64_t begun;
  size_t i;
  int status;
  clients_connect(down.writers, TOPICS, &writer);
  clients_connect(down.readers, READERS, &reader);
  clients_connect(down.busy, BUSY, &busy);
  for (i = 0; i < READERS; i++)
    client_read(&down.readers[i], false);
  publish_some(0, FIRST);
  if (!wait_until(first_are_accepted, NULL, 60)) give_up("too few receipts");
  /* It wakes up to megabytes and a signal. */
  kill(b.pid, SIGSTOP);
  publish_some(FIRST, EACH);
  wait_ms(100);
  broker_tell(&b);
  kill(b.pid, SIGCONT);
  begun = now_ns();
  for (i = 0; i < READERS; i++)
    client_read(&down.readers[i], true);
  point(wait_until(all_ended, NULL, 30), "shutdown: every stream ends");
  status = broker_end(&b, 30);
  note("shutdown: %d sessions, %llu of %d messages accepted, %llu delivered; "
       "over after %.0f ms",
       SESSIONS, (unsigned long long)down.receipts, TOPICS * EACH,
       (unsigned long long)down.score.got, (double)(now_ns() - begun) / 1e6);
  check_messages();
  point(down.receipts < TOPICS * EACH,
        "shutdown: SIGTERM is heard while there is always something to read");
  point(down.goodbyes == SESSIONS,
        "shutdown: each session hears 1001, shutting down");
  point(status == 0, "shutdown: the broker exits with 0");
  /* Far below the time it has: nobody had to be cut off. */
  point(now_ns() - begun < (uint64_t)10 * 1000000000,
        "shutdown: it is over within --drain");
  return 0;
}
