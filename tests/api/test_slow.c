#include "api.h"

/* Topics whose messages may be dropped, as a host sees it that writes in parts.
 */

struct host {
  struct counted_mem mem;
  sbk_broker *broker;
  sbk_conn *conn;
  int reason;
};

static void on_disconnected(sbk_session *session, int reason, void *arg) {
  struct host *host = arg;

  (void)session;
  host->reason = reason;
}

static void begin_with(struct host *host, size_t max_queue,
                       struct sbk_callbacks *callbacks) {
  struct sbk_config config = SBK_CONFIG_INIT;
  struct sbk_topic topic = SBK_TOPIC_INIT;

  memset(host, 0, sizeof(*host));
  host->reason = 1;
  callbacks->disconnected = on_disconnected;
  config.max_queue = max_queue;
  config.send_timeout = 2000;
  host->broker = new_broker(&host->mem, callbacks, &config, host);
  topic.prefix = "/topic/x";
  topic.overflow = SBK_OVERFLOW_DROP_OLDEST;
  assert_int_equal(sbk_broker_add_topic(host->broker, &topic), 0);
  host->conn = connected_peer(host->broker, 1000);
  feed(host->conn, 1000, "SUBSCRIBE\nid:0\ndestination:/topic/x\n\n^");
  feed(host->conn, 1000, "SUBSCRIBE\nid:1\ndestination:/topic/y\n\n^");
}

static void begin(struct host *host, size_t max_queue) {
  struct sbk_callbacks callbacks = SBK_CALLBACKS_INIT;

  begin_with(host, max_queue, &callbacks);
}

static void end(struct host *host) {
  sbk_conn_free(host->conn);
  free_broker(&host->mem, host->broker);
}

static struct sbk_stats stats_of(struct host *host) {
  struct sbk_stats stats = SBK_STATS_INIT;

  assert_int_equal(sbk_broker_stats(host->broker, &stats), 0);
  return stats;
}

/* A frame of 87 + 100 bytes. */
#define FRAME 187

static int send_many(struct host *host, const char *to, char c) {
  char body[100];

  memset(body, c, sizeof(body));
  return sbk_send(host->broker, to, NULL, body, sizeof(body));
}

static void send_part(struct host *host, size_t len) {
  char part[1024];

  assert_true(sbk_conn_copy_out(host->conn, part, sizeof(part)) >= len);
  sbk_conn_sent(host->conn, len);
}

/* The first letters of the bodies that wait, in their order. */
static const char *bodies(struct host *host) {
  static char letters[64];
  const char *at = output(host->conn);
  size_t count = 0;

  while ((at = strstr(at, "\n\n")) != NULL) {
    letters[count++] = at[2];
    assert_int_equal(strspn(at + 2, letters + count - 1), 100);
    at += 102;
  }
  letters[count] = '\0';
  return letters;
}

static void a_message_of_which_a_part_was_sent_stays_whole(void **state) {
  struct host host;

  (void)state;
  begin(&host, 600);
  send_many(&host, "/topic/x", 'a');
  send_many(&host, "/topic/x", 'b');
  send_many(&host, "/topic/x", 'c');
  send_part(&host, 1);
  assert_int_equal(send_many(&host, "/topic/x", 'd'), 1);
  assert_int_equal(send_many(&host, "/topic/x", 'e'), 1);
  assert_int_equal(stats_of(&host).dropped_oldest, 2);
  assert_string_equal(bodies(&host), "ade");
  assert_int_equal(stats_of(&host).waiting, 0);
  end(&host);
}

static void what_was_handed_out_stays_where_it_is(void **state) {
  struct host host;
  struct iovec iov[8];
  char before[1024] = "";
  size_t len = 0;
  int i, count;

  (void)state;
  begin(&host, 600);
  send_many(&host, "/topic/x", 'a');
  send_many(&host, "/topic/x", 'b');
  send_many(&host, "/topic/x", 'c');
  count = sbk_conn_output(host.conn, iov, 8);
  for (i = 0; i < count; i++) {
    memcpy(before + len, iov[i].iov_base, iov[i].iov_len);
    len += iov[i].iov_len;
  }
  assert_int_equal(len, 3 * FRAME);
  for (i = 0; i < 10; i++) {
    send_many(&host, "/topic/x", (char)('d' + i));
  }
  for (len = 0, i = 0; i < count; i++) {
    assert_memory_equal(before + len, iov[i].iov_base, iov[i].iov_len);
    len += iov[i].iov_len;
  }
  sbk_conn_sent(host.conn, len);
  assert_string_equal(bodies(&host), "klm");
  end(&host);
}

static void what_has_waited_too_long_is_dropped(void **state) {
  struct host host;

  (void)state;
  begin(&host, 10000);
  send_many(&host, "/topic/x", 'a');
  send_many(&host, "/topic/x", 'b');
  send_many(&host, "/topic/x", 'c');
  sbk_broker_tick(host.broker, 2500);
  send_many(&host, "/topic/x", 'd');
  send_part(&host, FRAME); /* it reads, though slowly */
  sbk_broker_tick(host.broker, 2999);
  assert_int_equal(stats_of(&host).dropped_oldest, 0);
  while (sbk_broker_next_ready(host.broker) != NULL) {
  }
  assert_int_equal(sbk_broker_deadline(host.broker), 3000);
  sbk_broker_tick(host.broker, 3000);
  assert_int_equal(stats_of(&host).dropped_oldest, 2);
  assert_int_equal(host.reason, 1);
  assert_string_equal(bodies(&host), "d");
  end(&host);
}

static void other_frames_grow_too_old_behind_them(void **state) {
  struct host host;

  (void)state;
  begin(&host, 10000);
  send_many(&host, "/topic/x", 'a');
  send_many(&host, "/topic/x", 'b');
  send_many(&host, "/topic/y", 'c');
  sbk_broker_tick(host.broker, 2500);
  send_part(&host, FRAME);
  sbk_broker_tick(host.broker, 2999);
  assert_int_equal(host.reason, 1);
  sbk_broker_tick(host.broker, 3000);
  assert_int_equal(host.reason, SBK_ERR_SLOW);
  end(&host);
}

static void one_that_has_begun_has_its_time(void **state) {
  struct host host;

  (void)state;
  begin(&host, 10000);
  send_many(&host, "/topic/x", 'a');
  sbk_broker_tick(host.broker, 2900);
  send_part(&host, 1);
  sbk_broker_tick(host.broker, 3000);
  sbk_broker_tick(host.broker, 4899);
  assert_int_equal(host.reason, 1);
  sbk_broker_tick(host.broker, 4900);
  assert_int_equal(host.reason, SBK_ERR_SLOW);
  assert_int_equal(stats_of(&host).dropped_oldest, 0);
  end(&host);
}

static void who_was_idle_for_long_has_all_his_time(void **state) {
  struct host host;

  (void)state;
  begin(&host, 10000);
  sbk_broker_tick(host.broker, 9000);
  send_many(&host, "/topic/x", 'a');
  sbk_broker_tick(host.broker, 10999);
  assert_int_equal(host.reason, 1);
  assert_string_equal(bodies(&host), "a");
  end(&host);
}

/* Looked through for each message, this would take hours. */
static void it_costs_the_same_however_many_wait(void **state) {
  struct host host;
  size_t i;

  (void)state;
  begin(&host, 200000 * FRAME);
  for (i = 0; i < 100000; i++) { /* in front, and never dropped */
    send_many(&host, "/topic/y", 'y');
  }
  for (i = 0; i < 300000; i++) {
    assert_int_equal(send_many(&host, "/topic/x", 'x'), 1);
  }
  assert_int_equal(stats_of(&host).deliveries, 400000);
  assert_in_range(stats_of(&host).dropped_oldest, 190000, 210000);
  assert_int_equal(host.reason, 1);
  end(&host);
}

struct loud {
  struct host host; /* first: begin() makes it */
  int told;
  uint64_t count;
};

/* What it sends is dropped as well. */
static void on_dropped(sbk_session *session, uint64_t count, void *arg) {
  struct loud *loud = arg;

  (void)session;
  loud->told++;
  loud->count += count;
  assert_true(loud->told < 10);
  send_many(&loud->host, "/topic/x", 'n');
}

static void
a_host_that_sends_when_it_is_told_of_drops_is_not_told_for_ever(void **state) {
  struct sbk_callbacks callbacks = SBK_CALLBACKS_INIT;
  struct loud loud = {.told = 0};
  int i;

  (void)state;
  callbacks.dropped = on_dropped;
  begin_with(&loud.host, 5 * FRAME, &callbacks);
  for (i = 0; i < 7; i++) {
    send_many(&loud.host, "/topic/x", 'x');
  }
  assert_int_equal(loud.told, 2);
  assert_int_equal(loud.count, 3);
  assert_int_equal(stats_of(&loud.host).dropped_oldest, 4);
  end(&loud.host);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_message_of_which_a_part_was_sent_stays_whole),
      cmocka_unit_test(what_was_handed_out_stays_where_it_is),
      cmocka_unit_test(what_has_waited_too_long_is_dropped),
      cmocka_unit_test(other_frames_grow_too_old_behind_them),
      cmocka_unit_test(one_that_has_begun_has_its_time),
      cmocka_unit_test(who_was_idle_for_long_has_all_his_time),
      cmocka_unit_test(
          a_host_that_sends_when_it_is_told_of_drops_is_not_told_for_ever),
      cmocka_unit_test(it_costs_the_same_however_many_wait),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
