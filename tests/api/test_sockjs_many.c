#include "requests.h"

/* What several sessions of SockJS get is formed once for all of them: that is
 * seen by the memory that waits, and must not be seen by what comes out. */

static struct host host;

static void open_host(size_t max_total_queue) {
  static const char *const any[] = {"*", NULL};
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  host_init(&host);
  host.config.max_total_queue = max_total_queue;
  host_open(&host);
  endpoint.path = "/s";
  endpoint.allowed_origins = any;
  endpoint.sockjs = &sockjs;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
}

/* A session that has a subscription, and is not received from. */
static void join(const char *id, const char *version) {
  char target[64], body[256];

  snprintf(target, sizeof(target), "/s/0/%s/xhr", id);
  expect_once(&host, "POST", target, "", "", 200, "o\n");
  snprintf(target, sizeof(target), "/s/0/%s/xhr_send", id);
  snprintf(body, sizeof(body),
           "[\"CONNECT\\naccept-version:%s\\n\\n\\u0000\","
           "\"SUBSCRIBE\\nid:%s\\ndestination:/topic/a\\n\\n\\u0000\"]",
           version, id);
  expect_once(&host, "POST", target, "", body, 204, "");
  snprintf(target, sizeof(target), "/s/0/%s/xhr", id);
  assert_non_null(
      strstr(once(&host, "POST", target, "", "")->body, "CONNECTED"));
}

static size_t waiting(void) {
  struct sbk_stats stats = SBK_STATS_INIT;

  assert_int_equal(sbk_broker_stats(host.broker, &stats), 0);

  return (size_t)stats.waiting;
}

/* Has what waits for it formed, but not counted off. */
static void form(struct peer *peer, const char *id) {
  char target[64], buf[16];

  snprintf(target, sizeof(target), "/s/0/%s/xhr", id);
  peer_begin(peer, &host, "POST", target, "", "");
  assert_int_equal(sbk_conn_copy_out(peer->conn, buf, sizeof(buf)),
                   sizeof(buf));
}

static void send_quotes(size_t len) {
  char body[2000];

  assert_true(len <= sizeof(body));
  memset(body, '"', len);
  assert_true(sbk_send(host.broker, "/topic/a", NULL, body, len) > 0);
}

/* Its answer: one MESSAGE with so many quotes. */
static void expect_quotes(struct peer *peer, size_t len) {
  const char *body = strstr(peer_answer(peer)->body, "\\n\\n") + 4;
  size_t i;

  for (i = 0; i < len; i++) {
    assert_memory_equal(body + 2 * i, "\\\"", 2);
  }
  assert_string_equal(body + 2 * len, "\\u0000\"]\n");
}

static void what_several_get_is_escaped_once_for_all(void **state) {
  struct peer a, b, c;
  size_t before, once_for_all;

  (void)state;
  open_host(1 << 20);
  join("a", "1.2");
  join("b", "1.2");
  join("c", "1.2");
  assert_int_equal(waiting(), 0);
  send_quotes(1000);
  before = waiting();
  form(&a, "a");
  once_for_all = waiting() - before;
  assert_in_range(once_for_all, 2000, 2400);
  form(&b, "b");
  assert_int_equal(waiting(), before + once_for_all);
  expect_quotes(&a, 1000);
  expect_quotes(&b, 1000);
  /* The last one has nobody to share with, and uses what is there. */
  assert_in_range(waiting(), before + once_for_all - 100,
                  before + once_for_all);
  form(&c, "c");
  expect_quotes(&c, 1000);
  assert_int_equal(waiting(), 0);
  host_end(&host);
}

static void what_one_gets_is_not_kept_besides(void **state) {
  struct peer a;
  size_t before;

  (void)state;
  open_host(1 << 20);
  join("a", "1.2");
  send_quotes(1000);
  before = waiting();
  form(&a, "a");
  assert_int_equal(waiting(), before);
  expect_quotes(&a, 1000);
  assert_int_equal(waiting(), 0);
  host_end(&host);
}

static void each_version_gets_its_own(void **state) {
  struct peer a, b, c;

  (void)state;
  open_host(1 << 20);
  join("a", "1.0");
  join("b", "1.2");
  join("c", "1.0");
  assert_int_equal(sbk_send(host.broker, "/topic/a", "text:plain", "x\xffy", 3),
                   3);
  form(&a, "a");
  form(&b, "b");
  form(&c, "c");
  /* STOMP 1.2, Value Encoding: 1.0 has no escapes; and what is no UTF-8 is
   * longer in the end. */
  assert_non_null(strstr(peer_answer(&b)->body,
                         "\\ncontent-type:text\\\\cplain\\n"
                         "content-length:5\\n\\nx\\ufffdy\\u0000\"]"));
  assert_non_null(strstr(peer_answer(&a)->body,
                         "\\ncontent-type:text:plain\\n"
                         "content-length:5\\n\\nx\\ufffdy\\u0000\"]"));
  assert_non_null(strstr(peer_answer(&c)->body,
                         "\\ncontent-type:text:plain\\n"
                         "content-length:5\\n\\nx\\ufffdy\\u0000\"]"));
  assert_int_equal(waiting(), 0);
  host_end(&host);
}

static void it_raises_no_alarm(void **state) {
  struct peer a, b;
  size_t before;

  (void)state;
  /* Three quarters are 12 KiB. */
  open_host(16 * 1024);
  join("a", "1.2");
  join("b", "1.2");
  do {
    send_quotes(2000);
  } while (waiting() < 9 * 1024);
  before = waiting();
  assert_true(before + 4000 > 12 * 1024);
  form(&a, "a");
  assert_int_equal(waiting(), before);
  form(&b, "b");
  assert_non_null(strstr(peer_answer(&a)->body, "\\\"\\u0000\"]"));
  assert_non_null(strstr(peer_answer(&b)->body, "\\\"\\u0000\"]"));
  assert_int_equal(waiting(), 0);
  host_end(&host);
}

static void it_goes_with_whom_it_waits_for(void **state) {
  struct peer a;

  (void)state;
  open_host(1 << 20);
  join("a", "1.2");
  join("b", "1.2");
  send_quotes(1000);
  form(&a, "a");
  host_wait(&host, 5000); /* disconnect_delay: b is gone */
  expect_quotes(&a, 1000);
  assert_int_equal(waiting(), 0);
  send_quotes(10);
  form(&a, "a");
  host_end(&host);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_several_get_is_escaped_once_for_all),
      cmocka_unit_test(what_one_gets_is_not_kept_besides),
      cmocka_unit_test(each_version_gets_its_own),
      cmocka_unit_test(it_raises_no_alarm),
      cmocka_unit_test(it_goes_with_whom_it_waits_for),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
