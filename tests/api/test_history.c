#include <stdio.h>

#include "host.h"

/*
 * History against an oracle that knows only what was sent and what came:
 * clients lose their connections at any byte and come back with the
 * message-id of what they saw last. Nobody sees a message twice or out of
 * order, nor misses one without being told.
 */

#define STEPS        40000
#define CLIENTS      8
#define DESTINATIONS 4
#define MESSAGES     STEPS
#define KEPT         12 /* of each destination */

static struct host host;
static int destination_of[MESSAGES];
static int message_count;
static uint32_t randomness;

/* A subscription of a client, to one destination, or by a pattern to all. */
struct client {
  sbk_conn *conn;
  int covers;  /* the destination, or -1: all */
  bool ack;    /* client-individual, with a small window */
  bool over;   /* an ERROR has come: it was too slow */
  int seen;    /* the newest message it has, or -1 */
  char id[64]; /* its message-id */
  bool knows;  /* it has seen any, since it was new */
  bool told;   /* of a gap, since then, */
  int told_at; /* when so many had been sent */
  int since;   /* messages sent before it first subscribed */
  char bytes[65536];
  size_t len;
};

static struct client clients[CLIENTS];
static int gaps_told, gaps_real, resumed, closed;
static bool
    exact; /* histories are bounded by their numbers of messages alone */

static uint32_t dice(uint32_t sides) {
  return test_random(&randomness) % sides;
}

static bool is_for(const struct client *c, int message) {
  return c->covers < 0 || c->covers == destination_of[message];
}

/* Messages for c between two, without them. */
static int missed(const struct client *c, int from, int to) {
  int i, count = 0;

  for (i = from + 1; i < to; i++) {
    count += is_for(c, i);
  }

  return count;
}

static void see(struct client *c, const char *frame) {
  const char *id = strstr(frame, "\nmessage-id:") + 12;
  const char *body = strstr(frame, "\n\n") + 2;
  int message, from = c->knows ? c->seen : c->since - 1;

  if (strstr(frame, "\nhistory:gap\n") != NULL) {
    assert_string_equal(body, "");
    c->told = true;
    c->told_at = message_count;
    gaps_told++;
    return;
  }
  message = (int)strtol(body, NULL, 10);
  assert_true(is_for(c, message));
  assert_true(message > from);
  if (c->knows && missed(c, c->seen, message) > 0) {
    /* By a pattern, what is missing may be in the middle of what follows. */
    assert_true(c->told || (c->covers < 0 && c->seen < c->told_at));
    gaps_real++;
  } else if (c->told && c->covers >= 0 && exact) {
    /* By its name nobody is told of a gap that is none. */
    assert_true(missed(c, from, message) > 0);
  }
  c->told = false;
  c->knows = true;
  c->seen = message;
  snprintf(c->id, sizeof(c->id), "%.*s", (int)strcspn(id, "\n"), id);
}

static void feed(sbk_conn *conn, const char *text) {
  sbk_conn_feed(conn, host.now, text, strlen(text) + 1);
}

static void say(struct client *c, const char *text) {
  if (c->conn != NULL) {
    feed(c->conn, text);
  }
}

static void deal_with(struct client *c, const char *frame) {
  char text[128];
  const char *ack = strstr(frame, "\nack:");

  c->over = c->over || strncmp(frame, "ERROR\n", 6) == 0;
  if (strncmp(frame, "MESSAGE\n", 8) == 0) {
    see(c, frame);
    if (ack != NULL) {
      snprintf(text, sizeof(text), "ACK\nid:%d\n\n",
               (int)strtol(ack + 5, NULL, 10));
      say(c, text);
    }
  }
}

/* Takes some bytes, and deals with the frames that are whole. */
static void reads(struct client *c, size_t cap) {
  size_t room = sizeof(c->bytes) - c->len, len, at = 0;
  char *end;

  if (c->conn == NULL) {
    return;
  }
  len = sbk_conn_copy_out(c->conn, c->bytes + c->len, cap < room ? cap : room);
  sbk_conn_sent(c->conn, len);
  c->len += len;
  while ((end = memchr(c->bytes + at, '\0', c->len - at)) != NULL) {
    const char *frame = c->bytes + at;

    at = (size_t)(end - c->bytes) + 1;
    deal_with(c, frame + (frame[0] == '\n'));
  }
  memmove(c->bytes, c->bytes + at, c->len - at);
  c->len -= at;
}

static void leaves(struct client *c) {
  sbk_conn_free(c->conn);
  c->conn = NULL;
  c->over = false;
  c->len = 0; /* what came in part never was */
}

static void comes(struct client *c) {
  char text[512];
  size_t len;

  assert_int_equal(sbk_conn_new(&c->conn, host.broker, SBK_TCP, NULL, NULL), 0);
  say(c, "CONNECT\naccept-version:1.2\n\n");
  len = (size_t)snprintf(text, sizeof(text), "SUBSCRIBE\nid:0\n");
  if (c->covers < 0) {
    len += (size_t)snprintf(text + len, sizeof(text) - len,
                            "destination:/topic/*\n");
  } else {
    len += (size_t)snprintf(text + len, sizeof(text) - len,
                            "destination:/topic/%d\n", c->covers);
  }
  if (c->knows) {
    len += (size_t)snprintf(text + len, sizeof(text) - len,
                            "last-message-id:%s\n", c->id);
    resumed++;
  } else {
    c->since = message_count;
  }
  if (c->ack) {
    len += (size_t)snprintf(text + len, sizeof(text) - len,
                            "ack:client-individual\nprefetch-count:3\n");
  }
  snprintf(text + len, sizeof(text) - len, "\n");
  say(c, text);
}

static void sends(void) {
  char to[32], body[512];
  int destination = (int)dice(DESTINATIONS);
  size_t len = (size_t)snprintf(body, sizeof(body), "%d ", message_count);
  size_t size = len + dice(300);

  memset(body + len, 'x', size - len);
  snprintf(to, sizeof(to), "/topic/%d", destination);
  destination_of[message_count++] = destination;
  assert_true(sbk_send(host.broker, to, NULL, body, size) >= 0);
}

/* The host lets go of connections that are at their end. */
static void looks_after(struct client *c) {
  if (c->conn != NULL && (c->over || sbk_conn_wants(c->conn) == 0)) {
    leaves(c);
    closed++;
  }
}

static void acts(struct client *c) {
  switch (dice(24)) {
  case 0:
    if (c->conn != NULL) {
      reads(c, dice(3000));
      leaves(c);
    }
    break;
  case 1:
  case 2:
    if (c->conn == NULL) {
      comes(c);
    }
    break;
  case 3: /* all at once */
    reads(c, sizeof(c->bytes));
    break;
  default:
    reads(c, dice(500));
    break;
  }
  looks_after(c);
}

static void run(uint32_t seed, size_t max_history_bytes, sbk_msec age) {
  struct sbk_topic topic = SBK_TOPIC_INIT;
  sbk_conn *ready;
  int i;

  randomness = seed;
  message_count = gaps_told = gaps_real = resumed = closed = 0;
  memset(clients, 0, sizeof(clients));
  exact = max_history_bytes == 0 && age == 0;
  host_init(&host);
  host.config.max_queue = 4000;
  host.config.heartbeat_out = host.config.heartbeat_in = SBK_NEVER;
  host.config.max_history_bytes = max_history_bytes;
  host.callbacks.connected = NULL; /* what happens is known from what comes */
  host.callbacks.disconnected = NULL;
  host.callbacks.subscribed = NULL;
  host.callbacks.unsubscribed = NULL;
  host_open(&host);
  topic.prefix = "/topic";
  topic.history_messages = KEPT;
  topic.history_age = age;
  assert_int_equal(sbk_broker_add_topic(host.broker, &topic), 0);
  for (i = 0; i < CLIENTS; i++) {
    clients[i].covers = i % 3 == 0 ? -1 : (int)dice(DESTINATIONS);
    clients[i].ack = i % 4 == 1;
  }
  for (i = 0; i < STEPS; i++) {
    if (dice(3) == 0) {
      sends();
    }
    acts(&clients[dice(CLIENTS)]);
    if (dice(50) == 0) {
      host.now += dice(20);
      sbk_broker_tick(host.broker, host.now);
    }
    while ((ready = sbk_broker_next_ready(host.broker)) != NULL) {
    }
  }
  /* In the end all of them are back, and have all that can be had. */
  for (i = 0; i < 200 * CLIENTS; i++) {
    struct client *c = &clients[i % CLIENTS];

    if (c->conn == NULL) {
      comes(c);
    }
    sbk_broker_tick(host.broker, host.now);
    reads(c, 5000);
    looks_after(c);
  }
  for (i = 0; i < CLIENTS; i++) {
    if (clients[i].conn != NULL && clients[i].knows) {
      assert_true(clients[i].told || clients[i].covers < 0 ||
                  missed(&clients[i], clients[i].seen, message_count) == 0);
    }
    sbk_conn_free(clients[i].conn);
  }
  host_end(&host);
}

static void nobody_misses_or_sees_twice(void **state) {
  uint32_t seed;

  (void)state;
  for (seed = 1; seed <= 6; seed++) {
    run(seed, 0, 0);
    assert_true(resumed > 500);
    assert_true(gaps_real > 20);
    assert_true(closed > 5);
  }
}

static void nor_when_all_history_is_short_of_bytes(void **state) {
  (void)state;
  run(77, 10000, 0);
  assert_true(gaps_real > 20);
}

static void nor_when_history_grows_old(void **state) {
  (void)state;
  run(78, 0, 30);
  assert_true(gaps_real > 20);
}

/* Bytes that came, and how often the loop went round until some did. */
static size_t rounds_until(sbk_conn *conn, char *buf, size_t cap) {
  size_t rounds = 0, len;

  while ((len = sbk_conn_copy_out(conn, buf, cap)) == 0) {
    assert_true(sbk_broker_deadline(host.broker) <= host.now);
    sbk_broker_tick(host.broker, host.now);
    rounds++;
  }
  buf[len] = '\0';
  sbk_conn_sent(conn, len);

  return rounds;
}

static void open_with_history(size_t messages) {
  struct sbk_topic topic = SBK_TOPIC_INIT;

  host_open(&host);
  topic.prefix = "/topic";
  topic.history_messages = messages;
  topic.history_bytes = 100 << 20;
  assert_int_equal(sbk_broker_add_topic(host.broker, &topic), 0);
}

static void publish(int count) {
  int i;

  for (i = 0; i < count; i++) {
    assert_true(sbk_send(host.broker, "/topic/a", NULL, NULL, 0) >= 0);
  }
}

static uint64_t replayed(void) {
  struct sbk_stats stats = SBK_STATS_INIT;

  assert_int_equal(sbk_broker_stats(host.broker, &stats), 0);

  return stats.replayed;
}

static sbk_conn *open_client(void) {
  sbk_conn *conn;

  assert_int_equal(sbk_conn_new(&conn, host.broker, SBK_TCP, NULL, NULL), 0);
  feed(conn, "CONNECT\naccept-version:1.2\n\n");

  return conn;
}

/* Nobody else waits while the place of one is looked for. */
static void a_place_far_back_is_looked_for_in_several_rounds(void **state) {
  static const char subscribe[] = "SUBSCRIBE\nid:1\ndestination:/topic/**\n"
                                  "last-message-id:%s\n\n";
  char buf[512], id[64], text[256];
  sbk_conn *conn;
  int i;

  (void)state;
  host_init(&host);
  open_with_history(10000);
  conn = open_client();
  feed(conn, "SUBSCRIBE\nid:0\ndestination:/topic/a\n\n");
  rounds_until(conn, buf, sizeof(buf) - 1);
  for (i = 0; i < 5000; i++) {
    snprintf(text, sizeof(text), "%d.", i);
    sbk_send(host.broker, i == 0 ? "/topic/a" : "/topic/b", NULL, text,
             strlen(text));
  }
  assert_int_equal(rounds_until(conn, buf, sizeof(buf) - 1), 0);
  assert_int_equal(sscanf(strstr(buf, "message-id:"), "message-id:%63s", id),
                   1);
  snprintf(text, sizeof(text), subscribe, id);
  feed(conn, text);
  assert_in_range(rounds_until(conn, buf, sizeof(buf) - 1), 4, 6);
  assert_non_null(strstr(buf, "\n\n1."));
  sbk_conn_free(conn);
  host_end(&host);
}

/* However many readers there are, each round costs the same. */
static void many_readers_take_turns(void **state) {
  char text[128];
  sbk_conn *conn;
  int i, rounds;

  (void)state;
  host_init(&host);
  open_with_history(3000);
  publish(3000);
  conn = open_client();
  for (i = 0; i < 50; i++) {
    snprintf(text, sizeof(text),
             "SUBSCRIBE\nid:%d\ndestination:/topic/{n%d}\nhistory:1\n\n", i, i);
    feed(conn, text);
  }
  for (rounds = 0; replayed() < 50; rounds++) {
    assert_true(sbk_broker_deadline(host.broker) <= host.now);
    sbk_broker_tick(host.broker, host.now);
  }
  assert_in_range(rounds, 90, 300);
  sbk_conn_free(conn);
  host_end(&host);
}

static enum sbk_verdict ends_the_other(sbk_call *call, void *arg) {
  sbk_session *session = sbk_call_session(call);

  (void)arg;
  if (strcmp(sbk_message_header(sbk_call_message(call), "destination"),
             "/topic/a") == 0) {
    sbk_session_unsubscribe(session, "0");
  }

  return SBK_PASS;
}

/* It is told to go on while it goes on. */
static void another_window_may_open_meanwhile(void **state) {
  static char buf[65536];
  sbk_conn *conn;
  size_t len;

  (void)state;
  host_init(&host);
  host.config.max_unacked = 1;
  open_with_history(3000);
  publish(3000);
  assert_int_equal(sbk_broker_add_interceptor(host.broker, SBK_OUTBOUND, 0,
                                              ends_the_other, NULL),
                   0);
  conn = open_client();
  feed(conn, "SUBSCRIBE\nid:0\ndestination:/topic/b\nack:client\n\n");
  assert_int_equal(sbk_send(host.broker, "/topic/b", NULL, NULL, 0), 1);
  feed(conn, "SUBSCRIBE\nid:1\ndestination:/topic/a\nhistory:3000\n\n");
  do {
    sbk_broker_tick(host.broker, host.now);
    len = sbk_conn_copy_out(conn, buf, sizeof(buf));
    sbk_conn_sent(conn, len);
  } while (len > 0);
  assert_int_equal(replayed(), 3000);
  sbk_conn_free(conn);
  host_end(&host);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nobody_misses_or_sees_twice),
      cmocka_unit_test(nor_when_all_history_is_short_of_bytes),
      cmocka_unit_test(nor_when_history_grows_old),
      cmocka_unit_test(a_place_far_back_is_looked_for_in_several_rounds),
      cmocka_unit_test(many_readers_take_turns),
      cmocka_unit_test(another_window_may_open_meanwhile),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
