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

static void start(void) {
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  host_init(&host);
  host_open(&host);
  endpoint.sockjs = &sockjs;
  endpoint.path = "/s";
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
  endpoint.path = "/e";
  endpoint.message = on_message;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(
          a_session_is_closed_also_if_memory_ends_when_it_has_to_say_so),
      cmocka_unit_test(who_polls_hears_that_there_was_no_memory),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
