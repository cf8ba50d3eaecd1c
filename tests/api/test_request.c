#include "host.h"

static struct host host;
static struct peer peer;

static void begin(void) {
  host_begin(&host);
  peer_open(&peer, &host, SBK_HTTP);
}

static void end(void) {
  host_end(&host);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h.example\r\n\r\n"

static void a_request_is_answered_from_its_callback(void **state) {
  (void)state;
  begin();
  assert_int_equal(peer_say(&peer, GET("/page")), 0);
  assert_string_equal(peer_hear(&peer),
                      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  assert_string_equal(host.events, "request GET /page;");
  /* The next one may come on the same connection. */
  assert_int_equal(peer_say(&peer, GET("/other")), 0);
  assert_non_null(strstr(peer_hear(&peer), "hello"));
  assert_string_equal(host.events, "request GET /page;request GET /other;");
  end();
}

static void a_request_is_answered_later(void **state) {
  static const struct sbk_field fields[] = {
      {"Content-Type", "text/plain"}, {"X-A", "b"}, {NULL, NULL}};

  (void)state;
  begin();
  host.defer = true;
  assert_int_equal(peer_say(&peer, GET("/one") GET("/two")), 0);
  assert_int_equal(sbk_conn_wants(peer.conn), SBK_WANT_HOLD);
  assert_string_equal(host.events, "request GET /one;");
  host_wait(&host, 60000); /* there is no hurry */
  assert_int_equal(sbk_request_answer(host.request, 404, fields, "no", 2), 0);
  assert_string_equal(peer_hear(&peer),
                      "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n"
                      "X-A: b\r\nContent-Length: 2\r\n\r\nno");
  assert_string_equal(host.events, "request GET /one;request GET /two;");
  assert_int_equal(sbk_request_answer(host.request, 204, NULL, NULL, 0), 0);
  assert_string_equal(peer_hear(&peer), "HTTP/1.1 204 No Content\r\n\r\n");
  end();
}

static void look_around(struct host *h, const char *where,
                        sbk_session *session) {
  char value[8] = "before";
  size_t len;

  (void)where, (void)session;
  assert_string_equal(sbk_request_method(h->request), "POST");
  assert_string_equal(sbk_request_path(h->request), "/p");
  assert_string_equal(sbk_request_peer(h->request), "peer");
  assert_ptr_equal(sbk_request_broker(h->request), h->broker);
  assert_string_equal(sbk_request_field(h->request, "x-a"), "one");
  assert_null(sbk_request_field(h->request, "x-b"));
  assert_memory_equal(sbk_request_body(h->request, &len), "body", 4);
  assert_int_equal(len, 4);

  assert_int_equal(sbk_request_query(h->request, "no", value, 8),
                   SBK_ERR_NOT_FOUND);
  assert_int_equal(sbk_request_query(h->request, "bad", value, 8),
                   SBK_ERR_INVAL);
  assert_int_equal(sbk_request_query(h->request, "q", value, 3),
                   SBK_ERR_TOO_BIG);
  assert_string_equal(value, "before");
  assert_int_equal(sbk_request_query(h->request, "q", value, 4), 3);
  assert_string_equal(value, "a b");
  assert_int_equal(sbk_request_cookie(h->request, "c", value, 1),
                   SBK_ERR_TOO_BIG);
  assert_int_equal(sbk_request_cookie(h->request, "c", value, 8), 1);
  assert_string_equal(value, "1");
  assert_int_equal(sbk_request_cookie(h->request, "e", value, 8),
                   SBK_ERR_NOT_FOUND);

  assert_null(sbk_request_user_data(h->request));
  sbk_request_set_user_data(h->request, h);
  assert_ptr_equal(sbk_request_user_data(h->request), h);
}

static void a_request_shows_what_came(void **state) {
  (void)state;
  begin();
  host.hook = look_around;
  assert_int_equal(peer_say(&peer, "POST /p?q=a+b&bad=%zz HTTP/1.1\r\n"
                                   "Host: h\r\nX-A:  one \r\nX-A: two\r\n"
                                   "Cookie: b=0; c=1\r\n"
                                   "Content-Length: 4\r\n\r\nbody"),
                   0);
  assert_string_equal(host.events, "request POST /p;");
  end();
}

static void try_answers(struct host *h, const char *where,
                        sbk_session *session) {
  static const struct sbk_field bad[][2] = {
      {{"A B", "x"}, {NULL, NULL}},
      {{"", "x"}, {NULL, NULL}},
      {{"A", "x\r\nB: y"}, {NULL, NULL}},
      {{"A", NULL}, {NULL, NULL}},
      {{"content-length", "1"}, {NULL, NULL}},
      {{"Connection", "close"}, {NULL, NULL}},
      {{"Transfer-Encoding", "chunked"}, {NULL, NULL}},
  };
  size_t i;

  (void)where, (void)session;
  assert_int_equal(sbk_request_answer(h->request, 199, NULL, "x", 1),
                   SBK_ERR_INVAL);
  assert_int_equal(sbk_request_answer(h->request, 600, NULL, "x", 1),
                   SBK_ERR_INVAL);
  for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    assert_int_equal(sbk_request_answer(h->request, 200, bad[i], "x", 1),
                     SBK_ERR_INVAL);
  }
  h->mem.fail_from = h->mem.calls;
  assert_int_equal(sbk_request_answer(h->request, 200, NULL, "x", 1),
                   SBK_ERR_NOMEM);
  h->mem.fail_from = SIZE_MAX;
  /* For handshakes only. */
  assert_int_equal(sbk_request_set_user(h->request, "ann"), SBK_ERR_STATE);
  assert_int_equal(sbk_request_set_session_data(h->request, h), SBK_ERR_STATE);
  assert_int_equal(sbk_request_resume(h->request, SBK_PASS), SBK_ERR_STATE);
  assert_int_equal(sbk_request_answer(h->request, 599, NULL, "", 0), 0);
  assert_int_equal(sbk_request_answer(h->request, 200, NULL, "x", 1),
                   SBK_ERR_STATE);
}

static void refuses_answers_that_cannot_be(void **state) {
  (void)state;
  begin();
  host.hook = try_answers;
  assert_int_equal(peer_say(&peer, GET("/x")), 0);
  assert_non_null(strstr(peer_hear(&peer), "HTTP/1.1 599 "));
  assert_int_equal(times(peer.heard, "HTTP/1.1"), 1);
  end();
}

static void a_head_gets_the_length_of_a_body(void **state) {
  (void)state;
  begin();
  assert_int_equal(
      peer_say(&peer, "HEAD /x HTTP/1.1\r\nHost: h.example\r\n\r\n"), 0);
  assert_string_equal(peer_hear(&peer),
                      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  end();
}

static void a_host_without_paths_says_404(void **state) {
  (void)state;
  host_init(&host);
  host.callbacks.request = NULL;
  host_open(&host);
  peer_open(&peer, &host, SBK_HTTP);
  assert_int_equal(peer_say(&peer, GET("/x")), SBK_ERR_HTTP);
  assert_non_null(strstr(peer_hear(&peer), "HTTP/1.1 404 "));
  assert_string_equal(host.events, "");
  end();
}

static void a_peer_that_goes_takes_its_request_along(void **state) {
  (void)state;
  begin();
  host.defer = true;
  peer_say(&peer, GET("/x"));
  peer_leave(&peer);
  assert_string_equal(host.events, "request GET /x;gone /x;");
  end();
  assert_string_equal(host.events, "request GET /x;gone /x;");
}

static void a_broken_socket_takes_its_request_along(void **state) {
  (void)state;
  begin();
  host.defer = true;
  peer_say(&peer, GET("/x"));
  sbk_conn_eof(peer.conn, 104);
  assert_string_equal(host.events, "request GET /x;gone /x;");
  assert_int_equal(sbk_conn_wants(peer.conn), 0);
  end();
}

static void who_ended_its_side_still_gets_the_answer(void **state) {
  (void)state;
  begin();
  host.defer = true;
  peer_say(&peer, GET("/x"));
  sbk_conn_eof(peer.conn, 0);
  assert_string_equal(host.events, "request GET /x;");
  assert_int_equal(sbk_request_answer(host.request, 200, NULL, "late", 4), 0);
  assert_non_null(strstr(peer_hear(&peer), "late"));
  assert_int_equal(sbk_conn_wants(peer.conn), 0);
  end();
}

/* ---- handshakes ---- */

static int mine;

static void name_the_user(struct host *h, const char *where,
                          sbk_session *session) {
  static char text[258];

  (void)session;
  if (strcmp(where, "handshake") != 0) {
    return;
  }
  assert_int_equal(sbk_request_answer(h->request, 200, NULL, "x", 1),
                   SBK_ERR_STATE);
  assert_int_equal(sbk_request_resume(h->request, SBK_PASS), SBK_ERR_STATE);
  assert_int_equal(sbk_request_set_user(h->request, NULL), SBK_ERR_INVAL);
  assert_int_equal(sbk_request_set_user(h->request, ""), SBK_ERR_INVAL);
  assert_int_equal(sbk_request_set_user(h->request, "a%2Fb"), SBK_ERR_INVAL);
  assert_int_equal(sbk_request_set_user(h->request, "a\tb"), SBK_ERR_INVAL);
  memset(text, 'x', 257);
  assert_int_equal(sbk_request_set_user(h->request, text), SBK_ERR_INVAL);
  text[256] = '\0';
  assert_int_equal(sbk_request_set_user(h->request, text), 0);
  assert_int_equal(sbk_request_set_user(h->request, "ann"), 0);
  assert_int_equal(sbk_request_set_session_data(h->request, &mine), 0);
}

static void a_handshake_names_the_user(void **state) {
  sbk_session *session;

  (void)state;
  begin();
  host.hook = name_the_user;
  peer_say(&peer, UPGRADE("/ws"));
  peer_hear(&peer);
  session = sbk_conn_session(peer.conn);
  assert_string_equal(sbk_session_user(session), "ann");
  assert_ptr_equal(sbk_session_data(session), &mine);
  peer.websocket = true;
  peer_connect(&peer, &host, NULL);
  assert_string_equal(host.events, "handshake /ws;connected ann;");
  assert_int_equal(sbk_session_count(host.broker, "ann"), 1);
  end();
}

static void set_status(struct host *h, const char *where,
                       sbk_session *session) {
  (void)where, (void)session;
  assert_int_equal(sbk_request_set_status(h->request, 399), SBK_ERR_INVAL);
  assert_int_equal(sbk_request_set_status(h->request, 600), SBK_ERR_INVAL);
  assert_int_equal(sbk_request_set_status(h->request, 401), 0);
}

static void a_handshake_may_be_refused(void **state) {
  (void)state;
  begin();
  host.handshake = SBK_REJECT;
  assert_int_equal(peer_say(&peer, UPGRADE("/ws")), SBK_ERR_DENIED);
  assert_non_null(strstr(peer_hear(&peer), "HTTP/1.1 403 "));
  peer_leave(&peer);
  peer_open(&peer, &host, SBK_HTTP);
  host.handshake = SBK_DROP;
  host.hook = set_status;
  assert_int_equal(peer_say(&peer, UPGRADE("/ws")), SBK_ERR_DENIED);
  assert_non_null(strstr(peer_hear(&peer), "HTTP/1.1 401 "));
  assert_null(sbk_conn_session(peer.conn));
  end();
}

static void a_handshake_may_be_decided_later(void **state) {
  (void)state;
  begin();
  host.handshake = SBK_WAIT;
  assert_int_equal(peer_say(&peer, UPGRADE("/ws")), 0);
  assert_int_equal(sbk_conn_wants(peer.conn), SBK_WANT_HOLD);
  assert_string_equal(peer_hear(&peer), "");
  assert_int_equal(sbk_request_resume(host.request, SBK_WAIT), SBK_ERR_INVAL);
  assert_int_equal(sbk_request_set_user(host.request, "late"), 0);
  assert_int_equal(sbk_request_resume(host.request, SBK_PASS), 0);
  assert_non_null(strstr(peer_hear(&peer), "HTTP/1.1 101 "));
  assert_string_equal(sbk_session_user(sbk_conn_session(peer.conn)), "late");
  peer_leave(&peer);

  peer_open(&peer, &host, SBK_HTTP);
  peer_say(&peer, UPGRADE("/ws"));
  assert_int_equal(sbk_request_set_status(host.request, 429), 0);
  assert_int_equal(sbk_request_resume(host.request, SBK_REJECT), 0);
  assert_non_null(strstr(peer_hear(&peer), "HTTP/1.1 429 "));
  assert_null(strstr(host.events, "gone"));
  end();
}

static void a_peer_may_go_while_its_handshake_waits(void **state) {
  (void)state;
  begin();
  host.handshake = SBK_WAIT;
  peer_say(&peer, UPGRADE("/ws"));
  peer_leave(&peer);
  assert_string_equal(host.events, "handshake /ws;gone /ws;");
  end();
}

static void what_comes_while_a_handshake_waits_is_kept(void **state) {
  (void)state;
  begin();
  host.handshake = SBK_WAIT;
  peer_say(&peer, UPGRADE("/ws"));
  peer.websocket = true;
  peer_say(&peer, "CONNECT\naccept-version:1.2\nlogin:ann\n\n^");
  assert_string_equal(host.events, "handshake /ws;");
  assert_int_equal(sbk_request_resume(host.request, SBK_PASS), 0);
  assert_string_equal(host.events, "handshake /ws;connected ann;");
  end();
}

static void nobody_is_let_in_after_a_shutdown(void **state) {
  (void)state;
  begin();
  host.handshake = SBK_WAIT;
  peer_say(&peer, UPGRADE("/ws"));
  sbk_broker_shutdown(host.broker);
  assert_int_equal(sbk_request_resume(host.request, SBK_PASS), 0);
  assert_non_null(strstr(peer_hear(&peer), "HTTP/1.1 503 "));
  assert_null(sbk_conn_session(peer.conn));
  end();
}

static void a_broker_may_be_freed_with_everything_pending(void **state) {
  struct peer more[5];

  (void)state;
  begin();
  host.defer = true;
  host.handshake = SBK_WAIT;
  peer_say(&peer, GET("/x"));
  peer_open(&more[0], &host, SBK_HTTP);
  peer_say(&more[0], UPGRADE("/ws") "more that waits");
  peer_open(&more[1], &host, SBK_HTTP);
  peer_say(&more[1], "GET /half");
  peer_open(&more[2], &host, SBK_HTTP);
  peer_say(&more[2], "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n"
                     "half");
  peer_open(&more[3], &host, SBK_TCP);
  peer_say(&more[3], "CONNECT\naccept");
  peer_open(&more[4], &host, SBK_WEBSOCKET);
  more[4].websocket = true;
  peer_frame(&more[4], 1, "CONNECT\n", 8);
  peer_feed(&more[4], "\x81\xfe", 2);
  end();
  assert_string_equal(host.events,
                      "request GET /x;handshake /ws;gone /x;gone /ws;");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_request_is_answered_from_its_callback),
      cmocka_unit_test(a_request_is_answered_later),
      cmocka_unit_test(a_request_shows_what_came),
      cmocka_unit_test(refuses_answers_that_cannot_be),
      cmocka_unit_test(a_head_gets_the_length_of_a_body),
      cmocka_unit_test(a_host_without_paths_says_404),
      cmocka_unit_test(a_peer_that_goes_takes_its_request_along),
      cmocka_unit_test(a_broken_socket_takes_its_request_along),
      cmocka_unit_test(who_ended_its_side_still_gets_the_answer),
      cmocka_unit_test(a_handshake_names_the_user),
      cmocka_unit_test(a_handshake_may_be_refused),
      cmocka_unit_test(a_handshake_may_be_decided_later),
      cmocka_unit_test(a_peer_may_go_while_its_handshake_waits),
      cmocka_unit_test(what_comes_while_a_handshake_waits_is_kept),
      cmocka_unit_test(nobody_is_let_in_after_a_shutdown),
      cmocka_unit_test(a_broker_may_be_freed_with_everything_pending),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
