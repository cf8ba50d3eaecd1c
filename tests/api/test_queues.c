#include "host.h"

#include <stdlib.h>

/*
 * Queues against an oracle that knows only what goes in and comes out: every
 * message is taken exactly once or told as a dead letter, nobody has it while
 * another has, and what is not redelivered comes in order.
 */

#define STEPS    20000
#define PEERS    6
#define SUBS     5
#define QUEUES   3
#define MESSAGES STEPS
#define HELD     512

enum place { NOWHERE, WAITING, HELD_BY, TAKEN, DEAD };

struct message {
  enum place place;
  int queue;
  int holder; /* peer */
  bool seen;
};

struct held {
  int message;
  int sub;
  unsigned long number; /* the value of `ack` */
};

struct sub {
  bool open;
  int id; /* never the same again, in one session */
  int queue;
  bool cumulative;
  bool automatic;
  int newest; /* message that was not redelivered */
};

struct consumer {
  struct peer peer;
  bool connected;
  struct sub subs[SUBS];
  int next_id;
  struct held held[HELD];
  int held_count;
  char bytes[65536]; /* that came, up to a part of a frame */
  size_t len;
};

static struct host host;
static struct message messages[MESSAGES];
static int message_count, dead_count, again_count;
static struct consumer consumers[PEERS];
static int acting; /* whose words are being dealt with, or -1 */
static uint32_t randomness;

static uint32_t dice(uint32_t sides) {
  return test_random(&randomness) % sides;
}

static void on_dead_letter(sbk_broker *broker, const sbk_message *msg,
                           void *arg) {
  size_t len;
  const char *body = sbk_message_body(msg, &len);
  struct message *m = &messages[strtol(body, NULL, 10)];

  (void)broker, (void)arg;
  assert_true(m->place == WAITING ||
              (m->place == HELD_BY && m->holder == acting));
  m->place = DEAD;
  dead_count++;
}

/* ---- what a consumer sees ---- */

static struct sub *find_sub(struct consumer *c, int id) {
  int i;

  for (i = 0; i < SUBS; i++) {
    if (c->subs[i].id == id) {
      return &c->subs[i];
    }
  }

  return NULL; /* given up, and its place taken */
}

static long value_of(const char *frame, const char *name) {
  const char *at = strstr(frame, name);

  return at != NULL ? strtol(at + strlen(name), NULL, 10) : -1;
}

static void see_message(struct consumer *c, const char *frame) {
  int who = (int)(c - consumers);
  int id = (int)value_of(frame, "\nsubscription:");
  long number = value_of(frame, "\nack:");
  bool again = strstr(frame, "\nredelivered:true\n") != NULL;
  int index = (int)strtol(strstr(frame, "\n\n") + 2, NULL, 10);
  struct message *m = &messages[index];
  struct sub *sub = find_sub(c, id);

  assert_int_equal(m->place, WAITING);
  assert_int_equal(m->queue, value_of(frame, "\ndestination:/jobs/"));
  assert_true(again || !m->seen);
  again_count += again;
  m->seen = true;
  if (sub != NULL) {
    assert_int_equal(sub->queue, m->queue);
    assert_int_equal(sub->automatic, number < 0);
    if (!again) {
      assert_true(index > sub->newest);
      sub->newest = index;
    }
  }
  if (number < 0) {
    m->place = TAKEN;
    return;
  }
  assert_true(c->held_count < HELD);
  m->place = HELD_BY;
  m->holder = who;
  c->held[c->held_count++] = (struct held){index, id, (unsigned long)number};
}

static void see(struct consumer *c, size_t cap) {
  size_t len, used;
  char *nul;

  cap = cap < sizeof(c->bytes) - c->len ? cap : sizeof(c->bytes) - c->len;
  len = sbk_conn_copy_out(c->peer.conn, c->bytes + c->len, cap);
  sbk_conn_sent(c->peer.conn, len);
  c->len += len;
  while ((nul = memchr(c->bytes, '\0', c->len)) != NULL) {
    if (strncmp(c->bytes, "MESSAGE\n", 8) == 0) {
      see_message(c, c->bytes);
    } else {
      assert_true(strncmp(c->bytes, "CONNECTED\n", 10) == 0 ||
                  strncmp(c->bytes, "RECEIPT\n", 8) == 0 ||
                  strncmp(c->bytes, "ERROR\n", 6) == 0);
    }
    used = (size_t)(nul - c->bytes) + 1;
    memmove(c->bytes, nul + 1, c->len - used);
    c->len -= used;
  }
}

static void see_all(struct consumer *c) {
  size_t before;

  do {
    before = c->len;
    see(c, 4096);
  } while (c->len != before ||
           sbk_conn_copy_out(c->peer.conn, &(char){0}, 1) > 0);
}

/* ---- what it does ---- */

static void let_go(struct consumer *c) {
  int i;

  for (i = 0; i < c->held_count; i++) {
    struct message *m = &messages[c->held[i].message];

    if (m->place == HELD_BY) {
      m->place = WAITING;
    }
  }
  c->held_count = 0;
}

static void leave(struct consumer *c) {
  acting = (int)(c - consumers);
  peer_leave(&c->peer);
  acting = -1;
  let_go(c);
  memset(c, 0, sizeof(*c));
}

/* False: that was an ERROR, and the consumer is gone. */
static bool say(struct consumer *c, const char *text) {
  int rv;

  acting = (int)(c - consumers);
  rv = peer_say(&c->peer, text);
  acting = -1;
  if (rv < 0) {
    leave(c);
  }

  return rv >= 0;
}

static void join(struct consumer *c) {
  peer_open(&c->peer, &host, SBK_TCP);
  c->connected = true;
  assert_true(say(c, "CONNECT\naccept-version:1.2\nheart-beat:0,0\n\n^"));
}

static void subscribe(struct consumer *c) {
  static const char *const modes[] = {"auto", "client", "client-individual"};
  struct sub *sub = &c->subs[dice(SUBS)];
  uint32_t mode = dice(3);
  char text[200];

  if (sub->open) {
    return;
  }
  *sub = (struct sub){true,      ++c->next_id, (int)dice(QUEUES),
                      mode == 1, mode == 0,    -1};
  snprintf(text, sizeof(text),
           "SUBSCRIBE\nid:%d\ndestination:/jobs/%d\nack:%s\n"
           "prefetch-count:%u\n\n^",
           sub->id, sub->queue, modes[mode], 1 + dice(6));
  assert_true(say(c, text));
}

static void unsubscribe(struct consumer *c) {
  struct sub *sub = &c->subs[dice(SUBS)];
  char text[100];

  if (sub->open) {
    snprintf(text, sizeof(text), "UNSUBSCRIBE\nid:%d\n\n^", sub->id);
    assert_true(say(c, text));
    sub->open = false;
  }
}

/* A new one, that waits. */
static int make(int queue) {
  struct message *m = &messages[message_count];

  assert_true(message_count < MESSAGES);
  *m = (struct message){WAITING, queue, -1, false};

  return message_count++;
}

static void send_one(struct consumer *c) {
  int queue = (int)dice(QUEUES), index = make(queue), rv;
  char text[200];

  if (dice(2) == 0 || !c->connected) {
    snprintf(text, sizeof(text), "/jobs/%d", queue);
    snprintf(text + 100, 20, "%d", index);
    rv = sbk_send(host.broker, text, NULL, text + 100, strlen(text + 100));
    assert_true(rv == 0 || rv == 1 || rv == SBK_ERR_TOO_MANY);
    messages[index].place = rv < 0 ? NOWHERE : messages[index].place;
    return;
  }
  snprintf(text, sizeof(text), "SEND\ndestination:/jobs/%d\n\n%d^", queue,
           index);
  if (!say(c, text)) {
    messages[index].place = NOWHERE; /* the queue was full */
  }
}

/* One is dealt with: and, cumulative, those before it of its subscription.
 * Positive: acknowledged, negative: refused, 0: nothing comes of it. */
static void settle(struct consumer *c, int at, int how) {
  const struct held last = c->held[at];
  const struct sub *sub = find_sub(c, last.sub);
  bool cumulative = sub != NULL && sub->cumulative;
  int i, left = 0;

  for (i = 0; how != 0 && i < c->held_count; i++) {
    struct held *h = &c->held[i];

    if (i == at ||
        (cumulative && h->sub == last.sub && h->number <= last.number)) {
      messages[h->message].place = how > 0 ? TAKEN : WAITING;
    } else {
      c->held[left++] = *h;
    }
  }
  c->held_count = how != 0 ? left : c->held_count;
}

static void acknowledge(struct consumer *c) {
  bool ack = dice(4) > 0;
  char text[300];
  uint32_t kind = dice(8);
  int at;

  if (c->held_count == 0) {
    return;
  }
  at = (int)dice((uint32_t)c->held_count);
  /* The mode of a subscription that was given up is not remembered here. */
  if (find_sub(c, c->held[at].sub) == NULL) {
    return;
  }
  snprintf(text, sizeof(text), "%s%s\nid:%lu\n%s\n^%s",
           kind < 2 ? "BEGIN\ntransaction:t\n\n^" : "", ack ? "ACK" : "NACK",
           c->held[at].number, kind < 2 ? "transaction:t\n" : "",
           kind == 0   ? "ABORT\ntransaction:t\n\n^"
           : kind == 1 ? "COMMIT\ntransaction:t\n\n^"
                       : "");
  settle(c, at, kind == 0 ? 0 : ack ? 1 : -1);
  assert_true(say(c, text));
}

static void step(void) {
  struct consumer *c = &consumers[dice(PEERS)];
  uint32_t what = dice(100);

  if (what < 30) {
    send_one(c);
  } else if (!c->connected) {
    join(c);
  } else if (what < 40) {
    subscribe(c);
  } else if (what < 44) {
    unsubscribe(c);
  } else if (what < 70) {
    acknowledge(c);
  } else if (what < 85) {
    see_all(c);
  } else if (what < 97) {
    see(c, 1 + dice(200));
  } else if (what == 97) {
    leave(c);
  } else if (what == 98) {
    assert_false(say(c, "ACK\nid:0\n\n^"));
  } else {
    assert_true(say(c, "DISCONNECT\n\n^") || true);
    if (c->connected) {
      leave(c);
    }
  }
}

/* One last consumer takes what is left. */
static void drain(void) {
  struct consumer *c = &consumers[0];
  char text[100];
  int i;

  for (i = 0; i < PEERS; i++) {
    if (consumers[i].connected) {
      leave(&consumers[i]);
    }
  }
  join(c);
  for (i = 0; i < QUEUES; i++) {
    c->subs[i] = (struct sub){true, ++c->next_id, i, false, true, -1};
    snprintf(text, sizeof(text), "SUBSCRIBE\nid:%d\ndestination:/jobs/%d\n\n^",
             c->subs[i].id, i);
    assert_true(say(c, text));
    see_all(c);
  }
}

static void play(uint32_t seed, size_t max_queue) {
  static const char *const prefixes[] = {"/jobs", NULL};
  int i, refused = 0;
  size_t bytes;

  randomness = seed;
  message_count = dead_count = again_count = 0;
  acting = -1;
  memset(consumers, 0, sizeof(consumers));
  host_init(&host);
  host.callbacks.dead_letter = on_dead_letter;
  host.callbacks.connected = NULL; /* nothing is written down */
  host.callbacks.disconnected = NULL;
  host.callbacks.subscribed = NULL;
  host.callbacks.unsubscribed = NULL;
  host.config.queue_prefixes = prefixes;
  host.config.max_queued_messages = 20;
  host.config.max_redeliveries = 5;
  host.config.max_unacked = 20;
  host.config.max_queue = max_queue;
  host_open(&host);
  drain();
  leave(&consumers[0]);
  bytes = host.mem.bytes;
  for (i = 0; i < STEPS; i++) {
    step();
  }
  drain();
  for (i = 0; i < message_count; i++) {
    assert_true(messages[i].place == TAKEN || messages[i].place == DEAD ||
                messages[i].place == NOWHERE);
    refused += messages[i].place == NOWHERE;
  }
  /* All that there is to see was there to be seen. */
  leave(&consumers[0]);
  /* Of queues nothing is left; spare pieces of output may be. */
  assert_in_range(host.mem.bytes, bytes, bytes + 4096);
  assert_true(dead_count > 10 && again_count > 100);
  assert_true(refused > 10 && refused < message_count / 2);
  host_end(&host);
}

static void every_message_is_taken_once_or_told(void **state) {
  (void)state;
  play(7, 65536);
  play(11, 65536);
}

static void so_it_is_where_output_is_narrow(void **state) {
  (void)state;
  play(13, 1024);
  play(17, 2000);
}

static enum sbk_verdict end_subscription(sbk_call *call, void *arg) {
  (void)arg;
  sbk_session_unsubscribe(sbk_call_session(call), "0");
  return SBK_PASS;
}

static void a_subscription_may_end_while_it_is_served(void **state) {
  static const char *const prefixes[] = {"/jobs", NULL};
  static struct peer one, other;

  (void)state;
  host_init(&host);
  host.config.queue_prefixes = prefixes;
  host_open(&host);
  assert_int_equal(sbk_broker_add_interceptor(host.broker, SBK_OUTBOUND, 0,
                                              end_subscription, NULL),
                   0);
  memset(&one, 0, sizeof(one));
  memset(&other, 0, sizeof(other));
  peer_connect(&one, &host, "one");
  peer_connect(&other, &host, "other");
  peer_subscribe(&one, "0", "/topic/x");
  peer_subscribe(&other, "1", "/topic/x");
  assert_int_equal(sbk_send(host.broker, "/topic/x", NULL, "1", 1), 1);
  assert_string_equal(peer_hear(&one), "");
  assert_non_null(strstr(peer_hear(&other), "\n\n1^"));
  assert_int_equal(peer_say(&one, "UNSUBSCRIBE\nid:0\n\n^"), 0);
  peer_subscribe(&one, "0", "/jobs/x");
  assert_int_equal(sbk_send(host.broker, "/jobs/x", NULL, "2", 1), 0);
  assert_string_equal(peer_hear(&one), "");
  peer_subscribe(&other, "2", "/jobs/x");
  assert_non_null(strstr(peer_hear(&other), "\n\n2^"));
  peer_leave(&one);
  peer_leave(&other);
  host_end(&host);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_message_is_taken_once_or_told),
      cmocka_unit_test(so_it_is_where_output_is_narrow),
      cmocka_unit_test(a_subscription_may_end_while_it_is_served),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
