#include "host.h"

/* Hosts whose own parser has read a request of SockJS: they write the answer
 * themselves, or give their stream away. */

static struct host host;

static void open_host(int no_websocket) {
  static const char *const any[] = {"*", NULL};
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  host_init(&host);
  host_open(&host);
  sockjs.no_websocket = no_websocket;
  endpoint.path = "/s";
  endpoint.allowed_origins = any;
  endpoint.sockjs = &sockjs;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
}

static struct sbk_http_request request_of(const char *method,
                                          const char *target,
                                          const struct sbk_http_field *fields,
                                          size_t field_count) {
  struct sbk_http_request request = SBK_HTTP_REQUEST_INIT;

  request.method = method;
  request.method_len = strlen(method);
  request.target = target;
  request.target_len = strlen(target);
  request.fields = fields;
  request.field_count = field_count;

  return request;
}

static int ask(sbk_conn **conn, const char *method, const char *target,
               const char *body) {
  static const struct sbk_http_field fields[] = {
      {"Host", 4, "h.example", 9},
      /* How the body came is the host's affair. */
      {"Transfer-Encoding", 17, "chunked", 7},
      {"Content-Type", 12, "text/plain", 10},
  };
  struct sbk_http_request request = request_of(method, target, fields, 3);

  return sbk_conn_new_exchange(conn, host.broker, &request, body, strlen(body),
                               "peer", NULL);
}

static const char *field(const struct sbk_http_answer *answer,
                         const char *name) {
  const struct sbk_field *f;

  for (f = answer->fields; f->name != NULL; f++) {
    if (strcmp(f->name, name) == 0) {
      return f->value;
    }
  }

  return NULL;
}

/* All output that there is, counted off. */
static const char *hear(sbk_conn *conn) {
  static char text[8192];
  size_t len, all = 0;

  while ((len = sbk_conn_copy_out(conn, text + all, sizeof(text) - 1 - all)) >
         0) {
    sbk_conn_sent(conn, len);
    all += len;
  }
  text[all] = '\0';

  return text;
}

static void expect(sbk_conn *conn, int status, size_t length) {
  struct sbk_http_answer answer = SBK_HTTP_ANSWER_INIT;

  assert_int_equal(sbk_conn_answer(conn, &answer), 0);
  assert_int_equal(answer.status, status);
  assert_int_equal(answer.length, length);
}

/* An answer that is whole at once, and its end. */
static void expect_whole(const char *method, const char *target,
                         const char *body, int status, const char *text) {
  sbk_conn *conn;

  assert_int_equal(ask(&conn, method, target, body), 0);
  expect(conn, status, strlen(text));
  assert_string_equal(hear(conn), text);
  assert_int_equal(sbk_conn_wants(conn), 0);
  sbk_conn_free(conn);
}

static void an_answer_has_status_fields_and_body_apart(void **state) {
  struct sbk_http_answer answer = SBK_HTTP_ANSWER_INIT;
  sbk_conn *conn;

  (void)state;
  open_host(1);
  assert_int_equal(ask(&conn, "GET", "/s", ""), 0);
  assert_int_equal(sbk_conn_answer(conn, &answer), 0);
  assert_int_equal(answer.status, 200);
  assert_int_equal(answer.length, 19);
  assert_string_equal(field(&answer, "Content-Type"),
                      "text/plain; charset=UTF-8");
  assert_null(field(&answer, "Content-Length"));
  assert_null(field(&answer, "Connection"));
  assert_int_equal(sbk_conn_wants(conn) & SBK_WANT_WRITE, SBK_WANT_WRITE);
  assert_string_equal(hear(conn), "Welcome to SockJS!\n");
  assert_int_equal(sbk_conn_wants(conn), 0);
  /* The fields live as long as the connection. */
  assert_string_equal(field(&answer, "X-Content-Type-Options"), "nosniff");
  sbk_conn_free(conn);
  host_end(&host);
}

static void a_poll_waits_for_what_comes(void **state) {
  sbk_conn *poll;

  (void)state;
  open_host(1);
  assert_int_equal(ask(&poll, "POST", "/s/0/id/xhr", ""), 0);
  expect(poll, 200, SBK_UNKNOWN);
  assert_string_equal(hear(poll), "o\n");
  assert_int_equal(sbk_conn_wants(poll), 0);
  sbk_conn_free(poll);

  assert_int_equal(ask(&poll, "POST", "/s/0/id/xhr", ""), 0);
  expect(poll, 200, SBK_UNKNOWN);
  assert_string_equal(hear(poll), "");
  assert_int_not_equal(sbk_conn_wants(poll), 0);
  while (sbk_broker_next_ready(host.broker) != NULL) {
  }
  expect_whole("POST", "/s/0/id/xhr_send",
               "[\"CONNECT\\naccept-version:1.2\\n\\n\\u0000\"]", 204, "");
  assert_ptr_equal(sbk_broker_next_ready(host.broker), poll);
  assert_non_null(strstr(hear(poll), "a[\"CONNECTED\\nversion:1.2\\n"));
  assert_int_equal(sbk_conn_wants(poll), 0);
  sbk_conn_free(poll);
  host_end(&host);
}

static void a_stream_is_neither_chunked_nor_ends(void **state) {
  sbk_conn *stream;

  (void)state;
  open_host(1);
  assert_int_equal(ask(&stream, "GET", "/s/0/id/eventsource", ""), 0);
  expect(stream, 200, SBK_UNKNOWN);
  assert_string_equal(hear(stream), "\r\ndata: o\r\n\r\n");
  host_wait(&host, 9000);
  assert_string_equal(hear(stream), "");
  host_wait(&host, 1000); /* connect_timeout */
  assert_non_null(strstr(hear(stream), "data: c[1008,\""));
  assert_int_equal(sbk_conn_wants(stream), 0);
  sbk_conn_free(stream);
  host_end(&host);
}

static void a_client_that_goes_is_told_by_eof(void **state) {
  sbk_conn *stream;

  (void)state;
  open_host(1);
  assert_int_equal(ask(&stream, "POST", "/s/0/id/xhr_streaming", ""), 0);
  hear(stream);
  sbk_conn_eof(stream, 0);
  assert_int_equal(sbk_conn_wants(stream), 0);
  sbk_conn_free(stream);
  /* The session goes on for a while. */
  assert_int_equal(ask(&stream, "POST", "/s/0/id/xhr", ""), 0);
  assert_string_equal(hear(stream), "");
  sbk_conn_free(stream);
  assert_int_equal(sbk_broker_conn_count(host.broker), 1);
  host_wait(&host, 5000);
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  host_end(&host);
}

static void there_is_no_answer_before_the_host_has_decided(void **state) {
  struct sbk_http_answer answer = SBK_HTTP_ANSWER_INIT;
  sbk_conn *poll;

  (void)state;
  open_host(1);
  host.handshake = SBK_WAIT;
  assert_int_equal(ask(&poll, "POST", "/s/0/id/xhr", ""), 0);
  assert_int_equal(sbk_conn_answer(poll, &answer), SBK_ERR_STATE);
  assert_int_equal(sbk_conn_wants(poll), SBK_WANT_HOLD);
  assert_int_equal(sbk_request_resume(host.request, SBK_PASS), 0);
  expect(poll, 200, SBK_UNKNOWN);
  assert_string_equal(hear(poll), "o\n");
  sbk_conn_free(poll);
  host.handshake = SBK_REJECT;
  expect_whole("POST", "/s/0/id/xhr", "", 403, "Forbidden\n");
  host_end(&host);
}

static void a_head_has_the_length_of_a_body_and_none(void **state) {
  sbk_conn *conn;

  (void)state;
  open_host(1);
  assert_int_equal(ask(&conn, "HEAD", "/s", ""), 0);
  expect(conn, 200, 19);
  assert_string_equal(hear(conn), "");
  assert_int_equal(sbk_conn_wants(conn), 0);
  sbk_conn_free(conn);
  host_end(&host);
}

static void what_is_refused_is_an_answer_too(void **state) {
  (void)state;
  open_host(0);
  expect_whole("GET", "/s/x", "", 404, "Not Found\n");
  expect_whole("DELETE", "/s/info", "", 405, "");
  expect_whole("POST", "/s/0/none/xhr_send", "[]", 404, "Not Found\n");
  /* No stream: no WebSocket, whatever the endpoint has. */
  expect_whole("GET", "/s/0/id/websocket", "", 404, "Not Found\n");
  expect_whole("GET", "/s/websocket", "", 404, "Not Found\n");
  expect_whole("GET", "/ws", "", 404, "Not Found\n");
  host_end(&host);
}

static void a_body_has_its_limit(void **state) {
  static char body[32 * 1024 + 2];
  sbk_conn *poll;

  (void)state;
  open_host(1);
  assert_int_equal(ask(&poll, "POST", "/s/0/id/xhr", ""), 0);
  hear(poll);
  sbk_conn_free(poll);
  memset(body, ' ', sizeof(body) - 1);
  expect_whole("POST", "/s/0/id/xhr_send", body, 413, "Content Too Large\n");
  body[32 * 1024] = '\0';
  expect_whole("POST", "/s/0/id/xhr_send", body, 500, "Payload expected.\n");
  host_end(&host);
}

static void a_full_broker_says_so(void **state) {
  sbk_conn *conns[2];

  (void)state;
  host_init(&host);
  host.config.max_connections = 2;
  host.config.max_pending = 2;
  host_open(&host);
  assert_int_equal(sbk_conn_new(&conns[0], host.broker, SBK_TCP, NULL, NULL),
                   0);
  assert_int_equal(sbk_conn_new(&conns[1], host.broker, SBK_TCP, NULL, NULL),
                   0);
  expect_whole("GET", "/s", "", 503, "Service Unavailable\n");
  host_end(&host);
}

static void the_call_is_checked(void **state) {
  struct sbk_http_answer answer = SBK_HTTP_ANSWER_INIT;
  struct sbk_http_request request = SBK_HTTP_REQUEST_INIT;
  struct peer peer;
  sbk_conn *conn;

  (void)state;
  open_host(1);
  assert_int_equal(ask(&conn, "GET", "/else", ""), SBK_ERR_NOT_FOUND);
  assert_null(conn);
  assert_int_equal(ask(&conn, "GE T", "/s", ""), SBK_ERR_INVAL);
  request.size = 1;
  assert_int_equal(
      sbk_conn_new_exchange(&conn, host.broker, &request, NULL, 0, NULL, NULL),
      SBK_ERR_ABI);
  peer_open(&peer, &host, SBK_HTTP);
  assert_int_equal(sbk_conn_answer(peer.conn, &answer), SBK_ERR_STATE);
  answer.size = 1;
  assert_int_equal(sbk_conn_answer(peer.conn, &answer), SBK_ERR_ABI);
  host_end(&host);
}

/* ---- a stream whose first request is read ---- */

static sbk_conn *give(const char *method, const char *target,
                      const char *length) {
  struct sbk_http_field fields[] = {
      {"Host", 4, "h.example", 9},
      {"Content-Length", 14, length, strlen(length)}};
  struct sbk_http_request request =
      request_of(method, target, fields, *length != '\0' ? 2 : 1);
  sbk_conn *conn;

  assert_int_equal(
      sbk_conn_new_request(&conn, host.broker, &request, "peer", NULL), 0);

  return conn;
}

static void say(sbk_conn *conn, const char *text) {
  assert_int_equal(sbk_conn_feed(conn, host.now, text, strlen(text)), 0);
}

static const char poll[] =
    "POST /s/0/id/xhr HTTP/1.1\r\nHost: h.example\r\n\r\n";

static void what_follows_a_request_that_was_read_is_read_here(void **state) {
  const char *text;
  sbk_conn *conn;

  (void)state;
  open_host(0);
  conn = give("GET", "/s/info", "");
  assert_non_null(strstr(hear(conn), "\r\n\r\n{\"websocket\":true,"));
  assert_int_equal(sbk_conn_wants(conn), SBK_WANT_READ);
  say(conn, poll);
  assert_non_null(strstr(hear(conn), "\r\n\r\n2\r\no\n\r\n0\r\n\r\n"));
  /* And the next one while a poll waits is kept. */
  say(conn, poll);
  say(conn, "GET /s HTTP/1.1\r\nHost: h.example\r\n\r\n");
  assert_null(strstr(hear(conn), "Welcome"));
  host_wait(&host, 10000); /* connect_timeout */
  text = hear(conn);
  assert_non_null(strstr(text, "a[\"ERROR\\n"));
  assert_non_null(strstr(strstr(text, "a["), "\r\n\r\nWelcome"));
  say(conn, poll);
  assert_non_null(strstr(hear(conn), "c[1008,"));
  sbk_conn_free(conn);
  host_end(&host);
}

static void the_body_of_a_request_that_was_read_is_fed(void **state) {
  static const char message[] =
      "[\"CONNECT\\naccept-version:1.2\\n\\n\\u0000\"]";
  char length[8];
  sbk_conn *conn;
  size_t i;

  (void)state;
  open_host(0);
  conn = give("POST", "/s/0/id/xhr", "");
  assert_non_null(strstr(hear(conn), "o\n"));
  sbk_conn_free(conn);
  snprintf(length, sizeof(length), "%zu", strlen(message));
  conn = give("POST", "/s/0/id/xhr_send", length);
  for (i = 0; i < strlen(message); i++) {
    assert_string_equal(hear(conn), "");
    assert_string_equal(host.events, i == 0 ? "handshake /s/0/id/xhr;" : "");
    host.events[0] = '\0';
    assert_int_equal(sbk_conn_feed(conn, host.now, message + i, 1), 0);
  }
  assert_string_equal(host.events, "handshake /s/0/id/xhr_send;connected -;");
  assert_non_null(strstr(hear(conn), "HTTP/1.1 204 "));
  say(conn, poll);
  assert_non_null(strstr(hear(conn), "a[\"CONNECTED\\n"));
  assert_int_equal(sbk_conn_wants(conn), SBK_WANT_READ);
  sbk_conn_eof(conn, 0);
  assert_int_equal(sbk_conn_wants(conn), 0);
  sbk_conn_free(conn);
  host_end(&host);
}

static void a_body_that_ends_early_is_no_request(void **state) {
  sbk_conn *conn;

  (void)state;
  open_host(0);
  conn = give("POST", "/s/0/id/xhr", "6");
  say(conn, "[\"x\"");
  assert_string_equal(hear(conn), "");
  sbk_conn_eof(conn, 0);
  assert_int_equal(sbk_conn_wants(conn), 0);
  sbk_conn_free(conn);
  assert_string_equal(host.events, "");
  host_end(&host);
}

static void there_is_a_websocket_where_a_stream_is_given(void **state) {
  static const struct sbk_http_field fields[] = {
      {"Host", 4, "h.example", 9},
      {"Upgrade", 7, "websocket", 9},
      {"Connection", 10, "Upgrade", 7},
      {"Sec-WebSocket-Version", 21, "13", 2},
      {"Sec-WebSocket-Key", 17, "dGhlIHNhbXBsZSBub25jZQ==", 24}};
  struct sbk_http_request request =
      request_of("GET", "/s/0/id/websocket", fields, 5);
  sbk_conn *conn;
  const char *text;

  (void)state;
  open_host(0);
  assert_int_equal(
      sbk_conn_new_request(&conn, host.broker, &request, NULL, NULL), 0);
  text = hear(conn);
  assert_non_null(strstr(text, "HTTP/1.1 101 "));
  assert_non_null(strstr(text, "\r\n\r\n\x81\x01o"));
  sbk_conn_free(conn);
  host_end(&host);
}

/* A dialogue; false: memory ended somewhere in it. */
static bool talk(void) {
  struct sbk_http_answer answer = SBK_HTTP_ANSWER_INIT;
  bool whole = false;
  sbk_conn *conn;

  if (ask(&conn, "POST", "/s/0/id/xhr", "") != 0) {
    return false;
  }
  if (sbk_conn_answer(conn, &answer) == 0) {
    whole = strcmp(hear(conn), "o\n") == 0;
  }
  assert_true(whole || host.mem.calls > host.mem.fail_from);
  sbk_conn_free(conn);
  if (!whole) {
    return false;
  }
  if (ask(&conn, "POST", "/s/0/id/xhr_send", "[\"CONNECT\\n\\n\\u0000\"]") !=
      0) {
    return false;
  }
  sbk_conn_free(conn);
  if (ask(&conn, "POST", "/s/0/id/xhr", "") != 0) {
    return false;
  }
  whole = strstr(hear(conn), "CONNECTED") != NULL;
  sbk_conn_free(conn);

  return whole;
}

static void nothing_leaks_whatever_allocation_fails(void **state) {
  size_t at;
  bool whole = false;

  (void)state;
  for (at = 0; !whole; at++) {
    open_host(1);
    host.mem.fail_from = host.mem.calls + at;
    whole = talk();
    host.mem.fail_from = SIZE_MAX;
    host_end(&host);
  }
  assert_true(at > 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_answer_has_status_fields_and_body_apart),
      cmocka_unit_test(a_poll_waits_for_what_comes),
      cmocka_unit_test(a_stream_is_neither_chunked_nor_ends),
      cmocka_unit_test(a_client_that_goes_is_told_by_eof),
      cmocka_unit_test(there_is_no_answer_before_the_host_has_decided),
      cmocka_unit_test(a_head_has_the_length_of_a_body_and_none),
      cmocka_unit_test(what_is_refused_is_an_answer_too),
      cmocka_unit_test(a_body_has_its_limit),
      cmocka_unit_test(a_full_broker_says_so),
      cmocka_unit_test(the_call_is_checked),
      cmocka_unit_test(what_follows_a_request_that_was_read_is_read_here),
      cmocka_unit_test(the_body_of_a_request_that_was_read_is_fed),
      cmocka_unit_test(a_body_that_ends_early_is_no_request),
      cmocka_unit_test(there_is_a_websocket_where_a_stream_is_given),
      cmocka_unit_test(nothing_leaks_whatever_allocation_fails),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
