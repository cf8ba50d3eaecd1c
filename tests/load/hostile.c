/* hostile.c - healthy clients at a steady load, and twelve classes of peers
 * that mean no good: the healthy ones lose nothing, and each of the others is
 * ended by the limit that is meant for it. The hostile ones are a process of
 * their own, so that the work of making them is not taken for the broker's. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker.h"
#include "classes.h"
#include "client.h"
#include "load.h"
#include "score.h"

#define GROUP    10 /* healthy clients of a topic; the first publishes */
#define INTERVAL 20 /* ms between two messages to a topic */
#define BODY     64
#define STEP     20 /* ms between two steps of a hostile one */
#define NICE     10 /* they come from elsewhere: they need not have our core */

static struct {
  struct client *healthy, *hostile;
  size_t healthy_count, each; /* hostile ones of a class */
  uint32_t *sent;             /* for each topic */
  uint64_t begun, stepped, lost, slow;
  size_t asked;
  bool publishing;
  struct score score, lateness; /* of messages; of the publishers themselves */
} mix;

static void opened(struct client *c) {
  client_say(c, "CONNECT\naccept-version:1.2\nhost:load\n\n");
  client_say(c, "SUBSCRIBE\nid:0\ndestination:/topic/mix/%zu\nreceipt:r\n\n",
             (size_t)(c - mix.healthy) / GROUP);
}

static void heard(struct client *c, const struct frame *f) {
  if (frame_is(f, "MESSAGE")) score_take(&mix.score, c, f);
  else if (frame_is(f, "RECEIPT")) c->ready = true;
}

static void ended(struct client *c) {
  mix.lost++;
}

static const struct role healthy = {
    .opened = opened, .heard = heard, .ended = ended};

/* What is due by now: a message that is late counts from when it was due. */
static void publish_due(void) {
  uint64_t due, now = now_ns();
  char topic[32];
  size_t k;
  for (k = 0; mix.publishing && k < mix.healthy_count / GROUP; k++) {
    while ((due = mix.begun + (uint64_t)mix.sent[k] * INTERVAL * 1000000 +
                  k * 1000) <= now) {
      score_delayed(&mix.lateness, due);
      snprintf(topic, sizeof(topic), "/topic/mix/%zu", k);
      score_publish(&mix.healthy[k * GROUP], topic, mix.sent[k]++, due, BODY);
    }
  }
}

static void step_all(void) {
  size_t i;
  if (now_ns() - mix.stepped < STEP * 1000000u) return;
  mix.stepped = now_ns();
  for (i = 0; i < class_count * mix.each; i++) {
    struct client *c = &mix.hostile[i];
    if (c->state == ASKING || c->state == OPEN) classes[i / mix.each].step(c);
  }
}

static bool is_time(void *arg) {
  publish_due();
  return now_ns() >= *(const uint64_t *)arg;
}

static void run_for(unsigned seconds) {
  uint64_t end = now_ns() + (uint64_t)seconds * 1000000000;
  wait_until(is_time, &end, seconds + 1);
}

/* A few in each turn, class by class in turns. */
static bool all_hostile_ended(void *arg) {
  size_t i, all = class_count * mix.each;
  for (i = 0; i < 4 && mix.asked < all; i++, mix.asked++) {
    size_t class = mix.asked % class_count, k = mix.asked / class_count;
    struct client *c = &mix.hostile[class * mix.each + k];
    c->number = k;
    client_connect(c, &classes[class].role);
  }
  step_all();
  for (i = 0; i < all; i++)
    if (mix.asked < all || mix.hostile[i].state != NOWHERE) return false;
  return true;
}

static bool check_classes(void) {
  bool fine = true;
  size_t i, k;
  for (i = 0; i < class_count; i++) {
    const struct class *class = &classes[i];
    const struct client *bad = NULL;
    for (k = 0; k < mix.each; k++)
      if (!class_ended_so(class, &mix.hostile[i * mix.each + k]))
        bad = &mix.hostile[i * mix.each + k];
    if (class->status == 0)
      point(bad == NULL, "hostile: %s: each is let in and gone 200 times",
            class->name);
    else if (class->close == 0)
      point(bad == NULL, "hostile: %s: each ends with %d", class->name,
            class->status);
    else
      point(bad == NULL, "hostile: %s: each ends with %d, %s", class->name,
            class->close, class->reason);
    if (bad != NULL)
      note("one of them: status %d, close %d, %s, %s", bad->status, bad->close,
           bad->reason, bad->error);
    fine = fine && bad == NULL;
  }
  return fine;
}

/* The other process. */
static _Noreturn void be_hostile(const struct broker *b) {
  uint64_t begun = now_ns();
  bool fine;
  size_t i;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (nice(NICE) < 0) note("hostile: they are not nicer than the healthy ones");
  for (i = 0; i < mix.healthy_count; i++)
    client_leave(&mix.healthy[i], WITH_FIN); /* the other process has it too */
  clients_init(b->port);
  fine = point(wait_until(all_hostile_ended, NULL, 60),
               "hostile: all of %zu classes of %zu are ended", class_count,
               mix.each);
  note("hostile: after %.1f s", (double)(now_ns() - begun) / 1e9);
  fine = check_classes() && fine;
  _exit(fine ? 0 : 1);
}

struct other {
  pid_t pid;
  int status;
};

static bool has_ended(void *arg) {
  struct other *other = arg;
  publish_due();
  return waitpid(other->pid, &other->status, WNOHANG) == other->pid;
}

static bool all_have(void *arg) {
  size_t i;
  for (i = 0; i < mix.healthy_count; i++)
    if (mix.healthy[i].next < mix.sent[i / GROUP]) return false;
  return true;
}

static bool is_quiet(void *arg) {
  struct figures f;
  figures_get(&f, arg);
  mix.slow = figure(&f, "ended_total{reason=\"slow\"}");
  return figure(&f, "connections") == mix.healthy_count + 1;
}

static void check_healthy(double alone, double p99) {
  mix.publishing = false;
  point(wait_until(all_have, NULL, 30) && score_clean(&mix.score) &&
            mix.lost == 0,
        "hostile: healthy ones lose nothing, get nothing twice, and all in "
        "order");
  note("hostile: p99 of the healthy ones is %.1f times that without",
       alone > 0 ? p99 / alone : 0);
}

static double say_delays(const char *when) {
  double p99 = score_delay(&mix.score, .99);
  note("hostile: %s: p50 %.2f ms, p99 %.2f ms, most %.2f ms of %zu messages",
       when, score_delay(&mix.score, .5), p99, score_delay(&mix.score, 1),
       mix.score.delay_count);
  note("hostile: of that the publishers' own: p50 %.2f ms, p99 %.2f ms, most "
       "%.2f ms",
       score_delay(&mix.lateness, .5), score_delay(&mix.lateness, .99),
       score_delay(&mix.lateness, 1));
  return p99;
}

/* What each may hold by the limits: subscriptions and their names, a queue, a
 * frame; and before CONNECTED 36 KiB. */
static uint64_t allowed(void) {
  uint64_t connected = 1024 * 512 + 64 * KIB, queue = 512 * KIB;
  return mix.each * (4 * 36 * KIB + 8 * connected + queue) / 10 * 11;
}

int run_hostile(const struct load *l) {
  struct broker b = broker_start(l->broker, class_options);
  struct other other = {.status = -1};
  uint64_t before, growth;
  double alone, p99;
  memset(&mix, 0, sizeof(mix));
  mix.healthy_count = l->longer ? 500 : 100;
  mix.each = l->longer ? 50 : 10;
  mix.healthy = get_zeroed(mix.healthy_count, sizeof(*mix.healthy));
  mix.hostile = get_zeroed(class_count * mix.each, sizeof(*mix.hostile));
  mix.sent = get_zeroed(mix.healthy_count / GROUP, sizeof(*mix.sent));
  clients_connect(mix.healthy, mix.healthy_count, &healthy);
  mix.begun = now_ns();
  mix.publishing = true;
  score_time(&mix.score);
  score_time(&mix.lateness);
  run_for(l->longer ? 10 : 3);
  alone = say_delays("alone");
  before = broker_rss(&b);
  broker_mark(&b);
  score_time(&mix.score);
  score_time(&mix.lateness);
  other.pid = fork();
  if (other.pid == 0) be_hostile(&b);
  if (other.pid < 0) give_up("fork: %s", strerror(errno));
  if (!wait_until(has_ended, &other, 90)) kill(other.pid, SIGKILL);
  point(other.status == 0, "hostile: it is as it should be with all of them");
  growth = broker_peak(&b) - before;
  p99 = say_delays("among them");
  check_healthy(alone, p99);
  note("hostile: RSS grew by %.1f MiB at most, of %.1f MiB by the limits",
       (double)growth / MIB, (double)allowed() / MIB);
  point(growth <= allowed(), "hostile: memory is within the limits' sum");
  point(wait_until(is_quiet, &b, 20), "hostile: none of their streams is left");
  broker_stop(&b);
  return 0;
}
