#include "requests.h"

/* SockJS, and a source of randomness that has run dry: nothing opens, nobody
 * gets an id that can be guessed, and what is open goes on. */

static struct host host;
static int left; /* times that it still gives some */

static int scarce(void *dst, size_t len, void *arg) {
  (void)arg;
  memset(dst, left, len);

  return left-- > 0 ? 0 : -1;
}

static int on_message(sbk_session *session, int binary, const void *text,
                      size_t len, void *arg) {
  (void)arg;

  return sbk_session_send(session, binary, text, len);
}

static void start(void) {
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  left = 1000;
  host_init(&host);
  host.callbacks.random = scarce;
  host_open(&host);
  sockjs.htmlfile = sockjs.jsonp = sockjs.cookie = 1;
  sockjs.client_url = "/sockjs.js";
  endpoint.sockjs = &sockjs;
  endpoint.path = "/s";
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
  endpoint.path = "/e";
  endpoint.message = on_message;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
}

static struct sbk_stats stats(void) {
  struct sbk_stats stats = SBK_STATS_INIT;

  assert_int_equal(sbk_broker_stats(host.broker, &stats), 0);

  return stats;
}

#define WEBSOCKET                                                              \
  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "       \
  "13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static const struct {
  const char *method;
  const char *target;
  const char *fields;
} needy[] = {
    {"GET", "/e/info", ""},
    {"HEAD", "/e/info", ""},
    {"POST", "/e/0/id/xhr", ""},
    {"POST", "/e/0/id/xhr_streaming", ""},
    {"GET", "/e/0/id/eventsource", ""},
    {"GET", "/e/0/id/htmlfile?c=f", ""},
    {"GET", "/e/0/id/jsonp?c=f", ""},
    {"GET", "/e/0/id/websocket", WEBSOCKET},
    {"GET", "/e/websocket", WEBSOCKET},
    {"GET", "/e", WEBSOCKET},
    {"POST", "/s/0/id/xhr", ""},
    {"GET", "/s/0/id/websocket", WEBSOCKET},
};

#define NEEDY (sizeof(needy) / sizeof(needy[0]))

/* The connection ends, and says nothing. */
static void expect_ended(size_t i) {
  const char *body = strcmp(needy[i].method, "POST") == 0 ? "" : NULL;
  char text[1000];
  struct peer peer;
  size_t len = request_text(text, sizeof(text), needy[i].method,
                            needy[i].target, needy[i].fields, body);

  peer_open(&peer, &host, SBK_HTTP);
  assert_int_equal(peer_feed(&peer, text, len), SBK_ERR_CALLBACK);
  assert_string_equal(peer_hear(&peer), "");
  assert_int_equal(sbk_conn_wants(peer.conn), 0);
  peer_leave(&peer);
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  assert_int_equal(stats().sockjs_sessions, 0);
  assert_int_equal(stats().pending, 0);
  assert_null(strstr(host.events, "connected"));
}

static void nothing_opens_without_randomness(void **state) {
  struct peer peer;
  size_t i;

  (void)state;
  for (i = 0; i < NEEDY; i++) {
    start();
    left = 0;
    expect_ended(i);
    expect_ended(i);
    /* And nothing is in the way of who comes later. */
    left = 10;
    expect_once(&host, "POST", "/e/0/id/xhr", "", "", 200, "o\n");
    peer_upgrade(&peer, &host, UPGRADE("/e/0/id/websocket"));
    host_end(&host);
  }
}

/* A host that writes the answer has none to write. */
static void an_exchange_ends_too(void **state) {
  static const struct sbk_http_field fields[] = {{"Host", 4, "h", 1}};
  struct sbk_http_request request = SBK_HTTP_REQUEST_INIT;
  struct sbk_http_answer answer = SBK_HTTP_ANSWER_INIT;
  sbk_conn *conn;
  size_t i;

  (void)state;
  start();
  left = 0;
  for (i = 0; i < NEEDY; i++) {
    if (*needy[i].fields != '\0') {
      continue; /* it cannot upgrade */
    }
    request.method = needy[i].method;
    request.method_len = strlen(needy[i].method);
    request.target = needy[i].target;
    request.target_len = strlen(needy[i].target);
    request.fields = fields;
    request.field_count = 1;
    assert_int_equal(
        sbk_conn_new_exchange(&conn, host.broker, &request, "", 0, NULL, NULL),
        0);
    assert_int_equal(sbk_conn_answer(conn, &answer), SBK_ERR_STATE);
    assert_int_equal(sbk_conn_wants(conn), 0);
    sbk_conn_free(conn);
    assert_int_equal(
        sbk_conn_new_request(&conn, host.broker, &request, NULL, NULL), 0);
    assert_int_equal(sbk_conn_wants(conn), 0);
    sbk_conn_free(conn);
  }
  assert_int_equal(stats().sockjs_sessions, 0);
  host_end(&host);
}

/* Cookies, ETags and the ids of messages need none. */
static void what_is_open_goes_on_without_randomness(void **state) {
  struct peer peer, websocket;
  struct answer *answer;

  (void)state;
  start();
  expect_once(&host, "POST", "/e/0/id/xhr", "", "", 200, "o\n");
  expect_once(&host, "POST", "/s/0/id/xhr", "", "", 200, "o\n");
  peer_upgrade(&websocket, &host, UPGRADE("/s/0/id/websocket"));
  left = 0;
  expect_once(&host, "GET", "/e", "", NULL, 200, "Welcome to SockJS!\n");
  answer = once(&host, "GET", "/e/iframe.html", "", NULL);
  assert_int_equal(answer->status, 200);
  assert_non_null(answer_field(answer, "ETag"));
  expect_once(&host, "POST", "/e/0/id/xhr_send", "", "[\"x\"]", 204, "");
  answer = once(&host, "POST", "/e/0/id/xhr", "", "");
  assert_string_equal(answer->body, "a[\"x\"]\n");
  assert_string_equal(answer_field(answer, "Set-Cookie"),
                      "JSESSIONID=dummy; Path=/");
  expect_once(&host, "POST", "/s/0/id/xhr_send", "",
              "[\"CONNECT\\naccept-version:1.2\\n\\n\\u0000\","
              "\"SUBSCRIBE\\nid:1\\ndestination:/topic/x\\n\\n\\u0000\","
              "\"SEND\\ndestination:/topic/x\\n\\nbody\\u0000\"]",
              204, "");
  answer = once(&host, "POST", "/s/0/id/xhr", "", "");
  assert_non_null(strstr(answer->body, "a[\"CONNECTED\\n"));
  assert_non_null(strstr(answer->body, "\",\"MESSAGE\\n"));
  peer_say(&websocket, "[\"CONNECT\\naccept-version:1.2\\n\\n\\u0000\"]");
  assert_non_null(strstr(peer_hear(&websocket), "a[\"CONNECTED\\n"));
  /* One that failed to open beside them does them no harm. */
  peer_begin(&peer, &host, "POST", "/e/0/new/xhr", "", "");
  assert_int_equal(sbk_conn_wants(peer.conn), 0);
  peer_leave(&peer);
  peer_begin(&peer, &host, "GET", "/e/0/id/eventsource", "", NULL);
  assert_non_null(strstr(peer_hear(&peer), " 200 OK\r\n"));
  expect_once(&host, "POST", "/e/0/id/xhr_send", "", "[\"y\"]", 204, "");
  expect_more(&peer, "data: a[\"y\"]\r\n\r\n");
  sbk_broker_shutdown(host.broker);
  expect_last(&peer, "data: c[1001,\"shutting down\"]\r\n\r\n");
  host_end(&host);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_opens_without_randomness),
      cmocka_unit_test(an_exchange_ends_too),
      cmocka_unit_test(what_is_open_goes_on_without_randomness),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
