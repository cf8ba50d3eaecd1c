#include "requests.h"

/* Sessions of SockJS over requests: their last words, and what is left to do
 * behind those when the broker ends. */

static struct host host;
static struct peer peer, other;

static int on_message(sbk_session *session, int binary, const void *text,
                      size_t len, void *arg) {
  (void)arg;

  return sbk_session_send(session, binary, text, len);
}

static sbk_call *waiting; /* of a SEND that an interceptor holds */

static enum sbk_verdict on_inbound(sbk_call *call, void *arg) {
  (void)arg;
  if (sbk_message_command(sbk_call_message(call)) != SBK_SEND) {
    return SBK_PASS;
  }
  waiting = call;

  return SBK_WAIT;
}

/* max_total_queue of 0: as ever. */
static void start_with(size_t max_total_queue) {
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  waiting = NULL;
  host_init(&host);
  host.config.max_total_queue = max_total_queue;
  host.config.max_queue = max_total_queue;
  host_open(&host);
  assert_int_equal(
      sbk_broker_add_interceptor(host.broker, SBK_INBOUND, 0, on_inbound, NULL),
      0);
  endpoint.sockjs = &sockjs;
  endpoint.path = "/s";
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
  endpoint.path = "/e";
  endpoint.message = on_message;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
}

static void start(void) {
  start_with(0);
}

static void expect_poll(const char *path, const char *frame) {
  expect_once(&host, "POST", path, "", "", 200, frame);
}

static void poll_begins(struct peer *p, const char *path) {
  peer_begin(p, &host, "POST", path, "", "");
  expect_waiting(p);
}

static void stream_begins(struct peer *p, const char *path) {
  peer_begin(p, &host, "GET", path, "", NULL);
  peer_hear(p);
}

static uint64_t count_sessions(void) {
  struct sbk_stats stats = SBK_STATS_INIT;

  assert_int_equal(sbk_broker_stats(host.broker, &stats), 0);

  return stats.sockjs_sessions;
}

/* ---- without memory ---- */

#define CONNECT "[\"CONNECT\\naccept-version:1.2\\n\\n\\u0000\"]"

static sbk_session *open_stomp(void) {
  sbk_session *session;

  expect_poll("/s/0/id/xhr", "o\n");
  expect_once(&host, "POST", "/s/0/id/xhr_send", "", CONNECT, 204, "");
  assert_non_null(strstr(once(&host, "POST", "/s/0/id/xhr", "", "")->body,
                         "a[\"CONNECTED\\n"));
  poll_begins(&peer, "/s/0/id/xhr");
  session = sbk_conn_session(peer.conn);
  assert_non_null(session);

  return session;
}

/* What is said of it: the host's words, or that there were none. */
static const char *words_of(const char *frame) {
  static const char *const words[] = {"c[1008,\"enough\"]\n",
                                      "c[1011,\"out of memory\"]\n"};
  size_t i = strcmp(frame, words[0]) == 0 ? 0 : 1;

  assert_string_equal(frame, words[i]);

  return words[i];
}

/* An o would say that there is a session, and that it is another. */
static void expect_closed_for_5_s(void) {
  const char *last, *frame = once(&host, "POST", "/s/0/id/xhr", "", "")->body;

  if (strncmp(frame, "a[\"ERROR\\n", 10) == 0) {
    frame = once(&host, "POST", "/s/0/id/xhr", "", "")->body;
  }
  last = words_of(frame);
  stream_begins(&other, "/s/0/id/eventsource");
  assert_non_null(strstr(other.heard, "data: c["));
  peer_leave(&other);
  expect_once(&host, "POST", "/s/0/id/xhr_send", "", "[\"x\"]", 204, "");
  host_wait(&host, 4999);
  expect_poll("/s/0/id/xhr", last);
  assert_int_equal(count_sessions(), 1);
  host_wait(&host, 1);
  assert_int_equal(count_sessions(), 0);
  expect_poll("/s/0/id/xhr", "o\n");
}

/* While a poll waits, or none does. */
static size_t close_without_memory(bool waits) {
  sbk_session *session;
  bool whole = false;
  size_t at;

  for (at = 0; !whole; at++) {
    start();
    session = open_stomp();
    if (!waits) {
      peer_leave(&peer);
    }
    host.mem.fail_from = host.mem.calls + at;
    sbk_session_close(session, "enough");
    whole = host.mem.calls <= host.mem.fail_from;
    host.mem.fail_from = SIZE_MAX;
    assert_non_null(strstr(host.events, "disconnected"));
    if (waits) {
      peer_leave(&peer);
    }
    expect_closed_for_5_s();
    host_end(&host);
  }

  return at;
}

static void
a_session_is_closed_also_if_memory_ends_when_it_has_to_say_so(void **state) {
  (void)state;
  assert_in_range(close_without_memory(false), 3, 30);
  assert_in_range(close_without_memory(true), 3, 30);
}

static void who_polls_hears_that_there_was_no_memory(void **state) {
  sbk_session *session;

  (void)state;
  start();
  session = open_stomp();
  host.mem.fail_from = host.mem.calls;
  sbk_session_close(session, "enough");
  host.mem.fail_from = SIZE_MAX;
  expect_last(&peer, "c[1011,\"out of memory\"]\n");
  host_end(&host);
}

#define SEND "\"SEND\\ndestination:/topic/x\\n\\nbody\\u0000\""

/* A request that could not be read at all changes nothing; else there is an
 * ERROR, perhaps, and c. */
static void
who_sends_what_there_is_no_memory_to_hold_hears_of_it(void **state) {
  const char *frame;
  bool whole = false;
  size_t at, failed = 0;

  (void)state;
  for (at = 0; !whole; at++) {
    start();
    open_stomp();
    peer_open(&other, &host, SBK_HTTP);
    host.mem.fail_from = host.mem.calls + at;
    peer_ask(&other, "POST", "/s/0/id/xhr_send", "", "[" SEND "," SEND "]");
    whole = host.mem.calls <= host.mem.fail_from;
    host.mem.fail_from = SIZE_MAX;
    peer_leave(&other);
    peer_leave(&peer);
    expect_once(&host, "POST", "/s/0/id/xhr_send", "", "[]", 204, "");
    if (strstr(host.events, "disconnected") != NULL) {
      frame = once(&host, "POST", "/s/0/id/xhr", "", "")->body;
      if (strncmp(frame, "a[\"ERROR\\nmessage:out of memory\\n", 31) == 0) {
        frame = once(&host, "POST", "/s/0/id/xhr", "", "")->body;
      }
      assert_string_equal(frame, "c[1011,\"out of memory\"]\n");
      failed++;
    }
    host_end(&host);
  }
  assert_in_range(failed, 3, 30);
}

/* ---- too much waits ---- */

/* What closed sessions have to say yet makes room for others; why they are
 * closed they still say. */
static void cut_by_pressure(bool taken) {
  static char body[10000];
  sbk_session *session;
  struct peer reader;
  int i;

  start_with(30000);
  session = open_stomp();
  expect_once(&host, "POST", "/s/0/id/xhr_send", "",
              "[\"SUBSCRIBE\\nid:1\\ndestination:/topic/a\\n\\n\\u0000\"]", 204,
              "");
  if (!taken) {
    peer_leave(&peer);
  }
  memset(body, 'x', sizeof(body));
  assert_int_equal(sbk_send(host.broker, "/topic/a", NULL, body, sizeof(body)),
                   1);
  if (taken) {
    char part[100];

    /* Some of it is on its way. */
    sbk_conn_sent(peer.conn, sbk_conn_copy_out(peer.conn, part, sizeof(part)));
  }
  sbk_session_close(session, "enough");
  peer_open(&reader, &host, SBK_TCP);
  peer_connect(&reader, &host, NULL);
  peer_subscribe(&reader, "1", "/topic/b");
  for (i = 0; i < 3; i++) {
    assert_int_equal(
        sbk_send(host.broker, "/topic/b", NULL, body, sizeof(body) - 2000), 1);
  }
  assert_int_equal(times(peer_hear(&reader), "MESSAGE\n"), 3);
  if (taken) {
    assert_int_equal(sbk_conn_wants(peer.conn), 0);
    assert_string_equal(peer_hear(&peer), "");
    peer_leave(&peer);
  }
  expect_poll("/s/0/id/xhr", "c[1008,\"enough\"]\n");
  host_wait(&host, 4999);
  expect_poll("/s/0/id/xhr", "c[1008,\"enough\"]\n");
  host_wait(&host, 1);
  assert_int_equal(count_sessions(), 0);
  host_end(&host);
}

static void
a_closed_session_whose_output_had_to_go_says_so_still(void **state) {
  (void)state;
  cut_by_pressure(false);
  cut_by_pressure(true);
}

/* ---- the broker ends ---- */

#define GOODBYE "c[1001,\"shutting down\"]\n"

static void a_shutdown_waits_only_for_who_was_not_told(void **state) {
  (void)state;
  start();
  expect_poll("/e/0/1/xhr", "o\n");
  expect_poll("/e/0/2/xhr", "o\n");
  expect_poll("/e/0/3/xhr", "o\n");
  sbk_broker_shutdown(host.broker);
  expect_poll("/e/0/1/xhr", GOODBYE);
  assert_int_equal(count_sessions(), 2);
  expect_poll("/e/0/2/xhr", GOODBYE);
  assert_int_equal(count_sessions(), 1);
  host_wait(&host, 4999);
  assert_int_equal(sbk_broker_conn_count(host.broker), 1);
  host_wait(&host, 1);
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  host_end(&host);
}

static void who_was_told_before_the_shutdown_keeps_nobody(void **state) {
  (void)state;
  start();
  sbk_session_close(open_stomp(), NULL);
  expect_last(&peer, "c[3000,\"Go away!\"]\n");
  peer_leave(&peer);
  expect_poll("/s/0/id/xhr", "c[3000,\"Go away!\"]\n");
  sbk_broker_shutdown(host.broker);
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  host_end(&host);
}

/* While others are not told yet, it still says so to who asks. */
static void who_was_told_in_a_drain_keeps_nobody_behind_it(void **state) {
  (void)state;
  start();
  expect_poll("/e/0/1/xhr", "o\n");
  expect_poll("/e/0/2/xhr", "o\n");
  poll_begins(&peer, "/e/0/1/xhr");
  poll_begins(&other, "/e/0/2/xhr");
  assert_int_equal(sbk_broker_drain(host.broker, 2000), 0);
  host_wait(&host, 0);
  expect_last(&peer, GOODBYE);
  peer_leave(&peer);
  host_wait(&host, 999);
  expect_poll("/e/0/1/xhr", GOODBYE);
  assert_int_equal(count_sessions(), 2);
  host_wait(&host, 1);
  assert_int_equal(count_sessions(), 1);
  expect_last(&other, GOODBYE);
  peer_leave(&other);
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  host_end(&host);
}

/* It has its c, though not the end of the answer. */
static void who_goes_behind_the_goodbye_has_heard_it(void **state) {
  uint8_t bytes[4096];
  size_t len;

  (void)state;
  start();
  stream_begins(&peer, "/e/0/1/eventsource");
  sbk_broker_shutdown(host.broker);
  len = sbk_conn_copy_out(peer.conn, bytes, sizeof(bytes));
  assert_true(len > 5);
  sbk_conn_sent(peer.conn, len - 5);
  assert_int_equal(count_sessions(), 1);
  peer_leave(&peer);
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  host_end(&host);

  start();
  stream_begins(&peer, "/e/0/1/eventsource");
  sbk_broker_shutdown(host.broker);
  len = sbk_conn_copy_out(peer.conn, bytes, sizeof(bytes));
  sbk_conn_sent(peer.conn, len - 8);
  peer_leave(&peer);
  assert_int_equal(sbk_broker_conn_count(host.broker), 1);
  expect_poll("/e/0/1/xhr", GOODBYE);
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  host_end(&host);
}

/* Kept alive, a connection asks again for as long as there is anything. */
static void what_is_kept_alive_goes_with_the_last_session(void **state) {
  struct peer silent;

  (void)state;
  start();
  expect_poll("/e/0/id/xhr", "o\n");
  peer_begin(&peer, &host, "GET", "/e/info", "", NULL);
  assert_int_equal(peer_answer(&peer)->status, 200);
  peer_begin(&other, &host, "POST", "/e/0/id/xhr_send", "", "[\"x\"]");
  peer_open(&silent, &host, SBK_HTTP);
  peer_say(&silent, "GET /e/inf");
  host_wait(&host, 0);
  sbk_broker_shutdown(host.broker);
  assert_int_equal(sbk_conn_wants(peer.conn), SBK_WANT_READ);
  peer_ask(&peer, "POST", "/e/0/id/xhr", "", "");
  assert_string_equal(peer_answer(&peer)->body, "a[\"x\"]\n");
  peer_ask(&peer, "POST", "/e/0/id/xhr", "", "");
  assert_string_equal(peer_answer(&peer)->body, GOODBYE);
  /* An answer that has not gone yet still does. */
  assert_int_equal(peer_answer(&other)->status, 204);
  assert_int_equal(sbk_conn_wants(peer.conn), 0);
  assert_int_equal(sbk_conn_wants(silent.conn), 0);
  host_wait(&host, 1000);
  assert_int_equal(sbk_conn_wants(other.conn), 0);
  peer_leave(&peer);
  peer_leave(&other);
  peer_leave(&silent);
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  host_end(&host);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(
          a_session_is_closed_also_if_memory_ends_when_it_has_to_say_so),
      cmocka_unit_test(who_polls_hears_that_there_was_no_memory),
      cmocka_unit_test(who_sends_what_there_is_no_memory_to_hold_hears_of_it),
      cmocka_unit_test(a_closed_session_whose_output_had_to_go_says_so_still),
      cmocka_unit_test(a_shutdown_waits_only_for_who_was_not_told),
      cmocka_unit_test(who_was_told_before_the_shutdown_keeps_nobody),
      cmocka_unit_test(who_was_told_in_a_drain_keeps_nobody_behind_it),
      cmocka_unit_test(who_goes_behind_the_goodbye_has_heard_it),
      cmocka_unit_test(what_is_kept_alive_goes_with_the_last_session),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
