#include "api.h"

/* What the host does to sessions from its side, and what it is told of all. */

struct host {
  struct counted_mem mem;
  sbk_broker *broker;
  int unsubscribed;
  int reason;
};

static void on_unsubscribed(sbk_session *session, const char *id,
                            const char *destination, void *arg) {
  struct host *host = arg;

  (void)session, (void)id, (void)destination;
  host->unsubscribed++;
}

static void on_disconnected(sbk_session *session, int reason, void *arg) {
  struct host *host = arg;

  (void)session;
  host->reason = reason;
}

static void begin(struct host *host) {
  struct sbk_callbacks callbacks = SBK_CALLBACKS_INIT;

  memset(host, 0, sizeof(*host));
  host->reason = 1;
  callbacks.unsubscribed = on_unsubscribed;
  callbacks.disconnected = on_disconnected;
  host->broker = new_broker(&host->mem, &callbacks, NULL, host);
  sbk_broker_tick(host->broker, 1000);
}

static struct sbk_stats stats_of(sbk_broker *broker) {
  struct sbk_stats stats = SBK_STATS_INIT;

  assert_int_equal(sbk_broker_stats(broker, &stats), 0);

  return stats;
}

static void a_session_ends_when_it_expires(void **state) {
  struct host host;
  sbk_conn *conn;

  (void)state;
  begin(&host);
  conn = connected_peer(host.broker, 1000);
  sbk_session_set_expiry(sbk_conn_session(conn), 5000);
  assert_true(sbk_broker_deadline(host.broker) <= 5000);
  sbk_broker_tick(host.broker, 4999);
  assert_string_equal(output(conn), "");
  sbk_broker_tick(host.broker, 5000);
  assert_string_equal(output(conn), "ERROR\nmessage:session expired\n\n^");
  assert_int_equal(host.reason, SBK_ERR_DENIED);
  assert_int_equal(stats_of(host.broker).ended_denied, 1);
  free_broker(&host.mem, host.broker);
}

static void a_new_token_puts_the_end_off(void **state) {
  struct host host;
  sbk_conn *conn;

  (void)state;
  begin(&host);
  conn = connected_peer(host.broker, 1000);
  sbk_session_set_expiry(sbk_conn_session(conn), 5000);
  sbk_session_set_expiry(sbk_conn_session(conn), 9000);
  sbk_broker_tick(host.broker, 8999);
  assert_string_equal(output(conn), "");
  sbk_session_set_expiry(sbk_conn_session(conn), SBK_NEVER);
  sbk_broker_tick(host.broker, 1000000);
  assert_string_equal(output(conn), "");
  assert_int_equal(host.reason, 1);
  free_broker(&host.mem, host.broker);
}

static void a_subscription_ended_by_the_host_is_silent(void **state) {
  struct host host;
  sbk_session *session;
  sbk_conn *conn;

  (void)state;
  begin(&host);
  conn = connected_peer(host.broker, 1000);
  session = sbk_conn_session(conn);
  feed(conn, 1000, "SUBSCRIBE\nid:1\ndestination:/topic/a\n\n^");
  feed(conn, 1000, "SUBSCRIBE\nid:2\ndestination:/user/queue/a\n\n^");
  assert_int_equal(sbk_session_unsubscribe(session, "3"), SBK_ERR_NOT_FOUND);
  assert_int_equal(sbk_session_unsubscribe(session, "1"), 0);
  assert_int_equal(sbk_session_unsubscribe(session, "2"), 0);
  assert_int_equal(sbk_session_unsubscribe(session, "1"), SBK_ERR_NOT_FOUND);
  assert_int_equal(host.unsubscribed, 2);
  assert_int_equal(sbk_send(host.broker, "/topic/a", NULL, "x", 1), 0);
  assert_int_equal(sbk_send_to_session(session, "/queue/a", NULL, "x", 1), 0);
  assert_string_equal(output(conn), "");

  /* The client may still say so itself, and is not told off. */
  feed(conn, 1000, "UNSUBSCRIBE\nid:1\nreceipt:r\n\n^");
  assert_string_equal(output(conn), "RECEIPT\nreceipt-id:r\n\n^");
  feed(conn, 1000, "SUBSCRIBE\nid:1\ndestination:/topic/a\n\n^");
  assert_int_equal(sbk_send(host.broker, "/topic/a", NULL, "x", 1), 1);
  assert_int_equal(host.unsubscribed, 2);
  free_broker(&host.mem, host.broker);
  assert_int_equal(host.unsubscribed, 3);
}

static void all_is_counted(void **state) {
  struct sbk_stats stats;
  struct host host;
  sbk_conn *a, *b;
  uint64_t bytes;

  (void)state;
  begin(&host);
  a = connected_peer(host.broker, 1000);
  b = connected_peer(host.broker, 1000);
  stats = stats_of(host.broker);
  assert_int_equal(stats.connections, 2);
  assert_int_equal(stats.pending, 0);
  assert_int_equal(stats.sessions, 2);
  assert_int_equal(stats.accepted, 2);
  assert_int_equal(stats.connects, 2);
  assert_int_equal(stats.frames_in, 2);
  assert_int_equal(stats.bytes_in, 2 * strlen(CONNECT));
  bytes = stats.bytes_out;
  assert_true(bytes > 0);

  feed(a, 1000, "SUBSCRIBE\nid:1\ndestination:/topic/a\nack:client\n\n^");
  feed(b, 1000, "SUBSCRIBE\nid:1\ndestination:/topic/*\n\n^");
  feed(b, 1000, "SEND\ndestination:/topic/a\n\nx^");
  output(a);
  stats = stats_of(host.broker);
  assert_int_equal(stats.subscriptions, 2);
  assert_int_equal(stats.destinations, 1);
  assert_int_equal(stats.patterns, 1);
  assert_int_equal(stats.published, 1);
  assert_int_equal(stats.deliveries, 2);
  assert_int_equal(stats.unacked, 1);
  assert_true(stats.bytes_out > bytes);

  feed(a, 1000, "NACK\nid:1\n\n^");
  stats = stats_of(host.broker);
  assert_int_equal(stats.unacked, 0);
  assert_int_equal(stats.dead_letters, 1);
  feed(a, 1000, "DISCONNECT\n\n^");
  sbk_conn_eof(b, 0);
  stats = stats_of(host.broker);
  assert_int_equal(stats.sessions, 0);
  assert_int_equal(stats.subscriptions, 0);
  assert_int_equal(stats.ended_clean, 1);
  assert_int_equal(stats.ended_eof, 1);
  free_broker(&host.mem, host.broker);
}

/* Of all the members that count ends. */
static uint64_t ends(const struct sbk_stats *s) {
  return s->ended_clean + s->ended_eof + s->ended_protocol + s->ended_limit +
         s->ended_slow + s->ended_timeout + s->ended_denied + s->ended_closed +
         s->ended_no_memory + s->unconnected_protocol + s->unconnected_limit +
         s->unconnected_timeout + s->unconnected_denied + s->unconnected_gone;
}

/* One that says this and nothing more, for an hour. */
static void end_one(struct host *host, const char *text) {
  sbk_msec now = 1000;
  sbk_conn *conn;

  assert_int_equal(sbk_conn_new(&conn, host->broker, SBK_TCP, "peer", NULL), 0);
  feed(conn, now, text);
  while (now < 3600000 && sbk_conn_wants(conn) != 0) {
    output(conn);
    sbk_broker_tick(host->broker, now += 1000);
  }
  sbk_conn_free(conn);
}

#define BEGUN CONNECT "\n"

static void each_end_is_counted_once_and_for_what_it_was(void **state) {
  static const struct {
    const char *text;
    size_t member;
  } all[] = {
#define MEMBER(name) offsetof(struct sbk_stats, name)
      {BEGUN "DISCONNECT\n\n^", MEMBER(ended_clean)},
      {BEGUN "NONSENSE\n\n^", MEMBER(ended_protocol)},
      {BEGUN "SEND\ndestination:/topic/a\ncontent-length:99999\n\n",
       MEMBER(ended_limit)},
      {BEGUN "SUBSCRIBE\nid:1\ndestination:/topic/a\n\n^"
             "SUBSCRIBE\nid:2\ndestination:/topic/a\n\n^",
       MEMBER(ended_limit)},
      {"CONNECT\naccept-version:1.2\nheart-beat:1000,0\n\n^",
       MEMBER(ended_timeout)},
      {"NONSENSE\n\n^", MEMBER(unconnected_protocol)},
      {"CONNECT\ncontent-length:99999\n\n", MEMBER(unconnected_limit)},
      {"CONNECT\n", MEMBER(unconnected_timeout)},
#undef MEMBER
  };
  struct sbk_callbacks callbacks = SBK_CALLBACKS_INIT;
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
    struct sbk_config config = SBK_CONFIG_INIT;
    struct sbk_stats stats;
    struct host host = {0};

    config.max_subscriptions = 1;
    host.broker = new_broker(&host.mem, &callbacks, &config, &host);
    end_one(&host, all[i].text);
    stats = stats_of(host.broker);
    assert_int_equal(*(uint64_t *)(void *)((char *)&stats + all[i].member), 1);
    assert_int_equal(ends(&stats), 1);
    free_broker(&host.mem, host.broker);
  }
}

static void a_host_of_another_version_gets_what_it_knows(void **state) {
  struct {
    struct sbk_stats stats;
    uint64_t newer;
  } big = {SBK_STATS_INIT, 7};
  struct sbk_stats small = SBK_STATS_INIT;
  struct host host;

  (void)state;
  begin(&host);
  connected_peer(host.broker, 1000);
  small.size = offsetof(struct sbk_stats, pending);
  small.pending = 77;
  assert_int_equal(sbk_broker_stats(host.broker, &small), 0);
  assert_int_equal(small.connections, 1);
  assert_int_equal(small.pending, 77);
  assert_int_equal(small.size, offsetof(struct sbk_stats, pending));
  big.stats.size = sizeof(big);
  assert_int_equal(sbk_broker_stats(host.broker, &big.stats), SBK_ERR_ABI);
  small.size = 1;
  assert_int_equal(sbk_broker_stats(host.broker, &small), SBK_ERR_ABI);
  free_broker(&host.mem, host.broker);
}

struct found {
  struct sbk_destination topic, queue, pattern, kept;
  int count;
  int stop;
};

static int find_each(const struct sbk_destination *stats, void *arg) {
  struct found *found = arg;

  assert_int_equal(stats->size, sizeof(*stats));
  if (strcmp(stats->name, "/topic/x") == 0) {
    found->topic = *stats;
  } else if (strcmp(stats->name, "/jobs/x") == 0) {
    found->queue = *stats;
  } else if (strcmp(stats->name, "/topic/*") == 0) {
    found->pattern = *stats;
  } else if (strcmp(stats->name, "/topic/kept") == 0) {
    found->kept = *stats;
  }

  return ++found->count == found->stop ? 7 : 0;
}

static void each_destination_has_its_figures(void **state) {
  static const char *const queues[] = {"/jobs", NULL};
  struct sbk_config config = SBK_CONFIG_INIT;
  struct sbk_topic topic = SBK_TOPIC_INIT;
  struct found found = {.count = 0};
  struct counted_mem mem;
  sbk_broker *broker;
  sbk_conn *a, *b;
  int i;

  (void)state;
  config.queue_prefixes = queues;
  broker = new_broker(&mem, NULL, &config, NULL);
  topic.prefix = "/topic/kept";
  topic.retain = 1;
  topic.history_messages = 2;
  assert_int_equal(sbk_broker_add_topic(broker, &topic), 0);
  assert_int_equal(sbk_each_destination(broker, find_each, &found), 0);
  assert_int_equal(found.count, 0);
  a = connected_peer(broker, 1000);
  b = connected_peer(broker, 1000);
  feed(a, 1000, "SUBSCRIBE\nid:0\ndestination:/topic/x\n\n^");
  feed(b, 1000, "SUBSCRIBE\nid:0\ndestination:/topic/x\n\n^");
  feed(b, 1000, "SUBSCRIBE\nid:1\ndestination:/topic/*\n\n^");
  feed(b, 1000, "SUBSCRIBE\nid:2\ndestination:/user/queue/x\n\n^");
  feed(b, 1000,
       "SUBSCRIBE\nid:3\ndestination:/jobs/x\nack:client\n"
       "prefetch-count:2\n\n^");
  for (i = 0; i < 3; i++) {
    sbk_send(broker, "/topic/x", NULL, "x", 1);
    sbk_send(broker, "/jobs/x", NULL, "x", 1);
    feed(a, 1000, "SEND\ndestination:/topic/kept\nretain:true\n\nx^");
  }
  sbk_send(broker, "/topic/nobody/at/all", NULL, "x", 1);
  assert_int_equal(sbk_each_destination(broker, find_each, &found), 0);
  assert_int_equal(found.count, 4);
  assert_int_equal(found.topic.subscriptions, 2);
  assert_int_equal(found.topic.published, 3);
  assert_int_equal(found.topic.deliveries, 6);
  assert_int_equal(found.topic.pattern, 0);
  assert_int_equal(found.pattern.pattern, 1);
  assert_int_equal(found.pattern.published, 0);
  assert_int_equal(found.pattern.deliveries, 6);
  assert_int_equal(found.queue.published, 3);
  assert_int_equal(found.queue.deliveries, 2);
  assert_int_equal(found.queue.queued, 1);
  assert_int_equal(found.queue.unacked, 2);
  assert_int_equal(found.kept.subscriptions, 0);
  assert_int_equal(found.kept.history, 2);
  assert_int_equal(found.kept.retained, 1);
  found.count = 0;
  found.stop = 2;
  assert_int_equal(sbk_each_destination(broker, find_each, &found), 7);
  assert_int_equal(found.count, 2);
  free_broker(&mem, broker);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_destination_has_its_figures),
      cmocka_unit_test(a_session_ends_when_it_expires),
      cmocka_unit_test(a_new_token_puts_the_end_off),
      cmocka_unit_test(a_subscription_ended_by_the_host_is_silent),
      cmocka_unit_test(each_end_is_counted_once_and_for_what_it_was),
      cmocka_unit_test(all_is_counted),
      cmocka_unit_test(a_host_of_another_version_gets_what_it_knows),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
