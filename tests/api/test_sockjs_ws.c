#include "host.h"

/* SockJS over a WebSocket, and what is left of a session when it is over. */

static struct host host;
static struct peer peer;

static int on_message(sbk_session *session, int binary, const void *data,
                      size_t len, void *arg) {
  (void)binary, (void)arg;
  assert_int_equal(sbk_session_send(session, 0, data, len), 0);

  return 0;
}

static void open_host(size_t max_pending) {
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  host_init(&host);
  host.config.max_pending = max_pending;
  host_open(&host);
  endpoint.sockjs = &sockjs;
  endpoint.path = "/echo";
  endpoint.message = on_message;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
  endpoint.path = "/stomp";
  endpoint.message = NULL;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
}

static void messages_come_in_frames(void **state) {
  (void)state;
  open_host(0);
  peer_upgrade(&peer, &host, UPGRADE("/echo/0/id/websocket"));
  assert_string_equal(peer_hear(&peer), "");
  assert_int_equal(peer_say(&peer, "[\"a\",\"b\\u0000\"]"), 0);
  assert_string_equal(peer_hear(&peer), "a[\"a\",\"b\\u0000\"]");
  /* sockjs-protocol 0.3.3, Websocket: these are nothing. */
  assert_int_equal(peer_say(&peer, ""), 0);
  assert_int_equal(peer_say(&peer, "[]"), 0);
  assert_string_equal(peer_hear(&peer), "");
  assert_int_equal(peer_say(&peer, "\"lone\""), 0);
  assert_string_equal(peer_hear(&peer), "a[\"lone\"]");
  host_wait(&host, 25000);
  assert_string_equal(peer_hear(&peer), "h");
  assert_true(peer_say(&peer, "[\"a") < 0);
  assert_string_equal(peer_hear(&peer),
                      "c[1007,\"broken JSON encoding\"]<1007>");
  host_end(&host);
}

/* Whatever the clock says, what has just opened is not slow. */
static void a_session_opens_long_after_the_clock_began(void **state) {
  (void)state;
  open_host(0);
  host_wait(&host, (sbk_msec)1 << 40);
  peer_open(&peer, &host, SBK_HTTP);
  assert_int_equal(peer_say(&peer, UPGRADE("/echo/0/id/websocket")), 0);
  host_wait(&host, 1);
  assert_non_null(strstr(peer_hear(&peer), "\x81\x01o"));
  peer.websocket = true;
  host_wait(&host, 1);
  assert_int_equal(peer_say(&peer, "[\"a\"]"), 0);
  host_wait(&host, 1);
  assert_string_equal(peer_hear(&peer), "a[\"a\"]");
  assert_string_equal(host.events,
                      "handshake /echo/0/id/websocket;connected -;");
  host_end(&host);
}

static void a_raw_websocket_has_none(void **state) {
  (void)state;
  open_host(0);
  peer_upgrade(&peer, &host, UPGRADE("/echo/websocket"));
  assert_int_equal(peer_say(&peer, "[\"a\"]"), 0);
  assert_string_equal(peer_hear(&peer), "[\"a\"]");
  sbk_conn_free(peer.conn);
  peer_upgrade(&peer, &host, UPGRADE("/echo"));
  assert_int_equal(peer_say(&peer, "b"), 0);
  assert_string_equal(peer_hear(&peer), "b");
  host_end(&host);
}

static void an_error_stands_in_front_of_the_close(void **state) {
  (void)state;
  open_host(0);
  peer_upgrade(&peer, &host, UPGRADE("/stomp/0/id/websocket"));
  assert_true(peer_say(&peer, "[\"NONE\\n\\n\\u0000\"]") < 0);
  assert_string_equal(peer_hear(&peer),
                      "a[\"ERROR\\nmessage:unknown command\\n\\n\\u0000\"]"
                      "c[1002,\"unknown command\"]<1002>");
  host_end(&host);
}

#define POST(path, body, len)                                                  \
  "POST " path " HTTP/1.1\r\nHost: h.example\r\nContent-Length: " len          \
  "\r\n\r\n" body

static void who_serves_a_connected_session_is_no_stranger(void **state) {
  struct sbk_stats stats = SBK_STATS_INIT;

  (void)state;
  open_host(2);
  peer_open(&peer, &host, SBK_HTTP);
  assert_int_equal(peer_say(&peer, POST("/echo/0/id/xhr", "", "0")), 0);
  assert_non_null(strstr(peer_hear(&peer), "o\n"));
  assert_int_equal(sbk_broker_stats(host.broker, &stats), 0);
  assert_int_equal(stats.connections, 2);
  assert_int_equal(stats.pending, 0);
  assert_int_equal(stats.sockjs_sessions, 1);
  host_end(&host);
}

static void a_broker_that_ends_waits_for_nobody_who_was_told(void **state) {
  (void)state;
  open_host(0);
  peer_open(&peer, &host, SBK_HTTP);
  assert_int_equal(peer_say(&peer, POST("/echo/0/id/xhr_streaming", "", "0")),
                   0);
  assert_non_null(strstr(peer_hear(&peer), "o\n"));
  sbk_broker_shutdown(host.broker);
  assert_string_equal(peer_hear(&peer), "18\r\nc[1001,\"shutting down\"]\n\r\n"
                                        "0\r\n\r\n");
  assert_int_equal(sbk_broker_conn_count(host.broker), 1);
  sbk_conn_eof(peer.conn, 0);
  assert_int_equal(sbk_conn_wants(peer.conn), 0);
  host_end(&host);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(messages_come_in_frames),
      cmocka_unit_test(a_session_opens_long_after_the_clock_began),
      cmocka_unit_test(a_raw_websocket_has_none),
      cmocka_unit_test(an_error_stands_in_front_of_the_close),
      cmocka_unit_test(who_serves_a_connected_session_is_no_stranger),
      cmocka_unit_test(a_broker_that_ends_waits_for_nobody_who_was_told),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
