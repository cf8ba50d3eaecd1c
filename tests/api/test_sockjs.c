#include "requests.h"

/* Sessions of SockJS over requests: whose they are, and what the host sees of
 * them. */

static struct host host;
static struct peer peer, other;
static sbk_session *session; /* the last that was connected */
static sbk_session *named;   /* of the last request's sbk_request_session() */
static int set_data;         /* what sbk_request_set_session_data() gave */
static char data[4];

/* Names the user that X-User has, as a host does that knows a cookie. */
static enum sbk_verdict on_handshake(sbk_request *request, void *arg) {
  const char *user = sbk_request_field(request, "X-User");

  if (user != NULL) {
    assert_int_equal(sbk_request_set_user(request, user), 0);
  }
  named = sbk_request_session(request);
  set_data = sbk_request_set_session_data(request, data);

  return host_on_handshake(request, arg);
}

static void on_connected(sbk_session *s, void *arg) {
  session = s;
  host_on_connected(s, arg);
}

/* An echo, which closes if it is told to. */
static int on_message(sbk_session *s, int binary, const void *text, size_t len,
                      void *arg) {
  (void)binary;
  host_event(arg, "message %.*s;", (int)len, (const char *)text);

  return sbk_session_send(s, 0, text, len);
}

static const char *const origins[] = {"https://a.example", "https://b.example",
                                      NULL};
static const char *const any_origin[] = {"*", NULL};

static void add_endpoint(const char *path, const char *const *allowed,
                         bool plain, bool require_origin) {
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  sockjs.htmlfile = sockjs.jsonp = 1;
  endpoint.path = path;
  endpoint.allowed_origins = allowed;
  endpoint.require_origin = require_origin;
  endpoint.message = plain ? on_message : NULL;
  endpoint.sockjs = &sockjs;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
}

static void open_host(void) {
  host_init(&host);
  host.callbacks.handshake = on_handshake;
  host.callbacks.connected = on_connected;
  host_open(&host);
  session = named = NULL;
  add_endpoint("/e", origins, true, false);
  add_endpoint("/any", any_origin, true, false);
  add_endpoint("/strict", origins, true, true);
  add_endpoint("/s", origins, false, false);
}

/* ---- whose it is (T-SOCKJS-HIJACK) ---- */

#define ANN "X-User: ann\r\n"
#define BOB "X-User: bob\r\n"
#define A   "Origin: https://a.example\r\n"
#define B   "Origin: https://b.example\r\n"

static void open_session(const char *path, const char *fields) {
  expect_once(&host, "POST", path, fields, "", 200, "o\n");
}

static void expect_stranger(const char *method, const char *target,
                            const char *fields, const char *body) {
  expect_once(&host, method, target, fields, body, 404, "Not Found\n");
}

static void a_session_is_its_users_alone(void **state) {
  (void)state;
  open_host();
  open_session("/e/0/id/xhr", ANN);
  assert_string_equal(sbk_session_user(session), "ann");
  expect_stranger("POST", "/e/0/id/xhr", BOB, "");
  expect_stranger("POST", "/e/0/id/xhr", "", "");
  expect_stranger("POST", "/e/0/id/xhr_streaming", BOB, "");
  expect_stranger("GET", "/e/0/id/eventsource", "", NULL);
  expect_stranger("GET", "/e/0/id/htmlfile?c=f", BOB, NULL);
  expect_stranger("GET", "/e/0/id/jsonp?c=f", BOB, NULL);
  expect_stranger("POST", "/e/0/id/xhr_send", BOB, "[\"evil\"]");
  expect_stranger("POST", "/e/0/id/xhr_send", "", "[\"evil\"]");
  expect_stranger("POST", "/e/0/id/jsonp_send", BOB, "[\"evil\"]");
  expect_stranger("POST", "/e/0/id/xhr_send", "X-User: ANN\r\n", "[\"evil\"]");
  expect_stranger("POST", "/e/0/id/xhr_send", "X-User: anna\r\n", "[\"evil\"]");
  assert_null(strstr(host.events, "message"));
  expect_once(&host, "POST", "/e/0/id/xhr_send", ANN, "[\"good\"]", 204, "");
  expect_once(&host, "POST", "/e/9/id/xhr", ANN, "", 200, "a[\"good\"]\n");
  host_end(&host);
}

static void nobodys_session_is_no_users(void **state) {
  (void)state;
  open_host();
  open_session("/e/0/id/xhr", "");
  assert_null(sbk_session_user(session));
  expect_stranger("POST", "/e/0/id/xhr", BOB, "");
  expect_stranger("POST", "/e/0/id/xhr_send", BOB, "[\"evil\"]");
  expect_once(&host, "POST", "/e/0/id/xhr_send", "", "[\"good\"]", 204, "");
  expect_once(&host, "POST", "/e/0/id/xhr", "", "", 200, "a[\"good\"]\n");
  host_end(&host);
}

/* By CONNECT, as clients without a cookie are. */
static void
a_user_who_is_named_later_changes_nothing_about_requests(void **state) {
  (void)state;
  open_host();
  open_session("/s/0/id/xhr", "");
  expect_once(&host, "POST", "/s/0/id/xhr_send", "",
              "[\"CONNECT\\naccept-version:1.2\\nlogin:ann\\n\\n\\u0000\"]",
              204, "");
  assert_string_equal(sbk_session_user(session), "ann");
  expect_stranger("POST", "/s/0/id/xhr", BOB, "");
  expect_stranger("POST", "/s/0/id/xhr_send", BOB, "[]");
  assert_non_null(strstr(once(&host, "POST", "/s/0/id/xhr", "", "")->body,
                         "\\nuser-name:ann\\n"));
  expect_once(&host, "POST", "/s/0/id/xhr_send", "", "[]", 204, "");
  host_end(&host);
}

static void a_session_is_its_pages_origins_alone(void **state) {
  (void)state;
  open_host();
  open_session("/e/0/id/xhr", A);
  expect_stranger("POST", "/e/0/id/xhr", B, "");
  expect_stranger("POST", "/e/0/id/xhr", "Origin: http://h.example\r\n", "");
  expect_stranger("POST", "/e/0/id/xhr_send", B, "[\"evil\"]");
  expect_once(&host, "POST", "/e/0/id/xhr_send",
              "Origin: https://evil.example\r\n", "[\"evil\"]", 403,
              "Forbidden\n");
  assert_null(strstr(host.events, "message"));
  expect_once(&host, "POST", "/e/0/id/xhr_send", A, "[\"good\"]", 204, "");
  expect_once(&host, "POST", "/e/0/id/xhr", A, "", 200, "a[\"good\"]\n");
  host_end(&host);
}

/* A browser says none with GET to the page's own server, but does with POST. */
static void an_origin_that_is_said_later_counts_from_then_on(void **state) {
  (void)state;
  open_host();
  peer_begin(&peer, &host, "GET", "/e/0/id/eventsource", "", NULL);
  assert_string_equal(peer_answer(&peer)->body, "\r\ndata: o\r\n\r\n");
  expect_once(&host, "POST", "/e/0/id/xhr_send", "Origin: http://h.example\r\n",
              "[\"good\"]", 204, "");
  expect_more(&peer, "data: a[\"good\"]\r\n\r\n");
  expect_stranger("POST", "/e/0/id/xhr_send", A, "[\"evil\"]");
  expect_once(&host, "POST", "/e/0/id/xhr_send", "Origin: http://h.example\r\n",
              "[\"too\"]", 204, "");
  expect_more(&peer, "data: a[\"too\"]\r\n\r\n");
  host_end(&host);
}

static void a_script_is_of_the_page_that_Referer_names(void **state) {
  (void)state;
  open_host();
  expect_once(&host, "GET", "/e/0/id/jsonp?c=f",
              "Referer: https://evil.example/page\r\n", NULL, 403,
              "Forbidden\n");
  expect_once(&host, "GET", "/e/0/id/htmlfile?c=f",
              "Referer: https://a.example.evil.example/\r\n", NULL, 403,
              "Forbidden\n");
  expect_once(&host, "GET", "/e/0/id/jsonp?c=f",
              "Referer: https://a.example@evil.example/\r\n", NULL, 403,
              "Forbidden\n");
  expect_once(&host, "GET", "/e/0/id/jsonp?c=f", "Referer: about:blank\r\n",
              NULL, 403, "Forbidden\n");
  expect_once(&host, "GET", "/e/0/id/jsonp?c=f",
              "Referer: https://a.example/page?q=https://b.example/\r\n", NULL,
              200, "/**/f(\"o\");\r\n");
  expect_stranger("GET", "/e/0/id/jsonp?c=f", "Referer: https://b.example/\r\n",
                  NULL);
  expect_stranger("POST", "/e/0/id/jsonp_send", B, "[\"evil\"]");
  expect_once(&host, "POST", "/e/0/id/jsonp_send", A, "[\"good\"]", 200, "ok");
  /* A form that ends inside of an escape is not whole. */
  expect_once(&host, "POST", "/e/0/id/jsonp_send",
              A "Content-Type: application/x-www-form-urlencoded\r\n",
              "d=%5B%22x%22%5D%2", 500, "Broken JSON encoding.\n");
  expect_once(&host, "GET", "/e/0/id/jsonp?c=f",
              "Referer: https://a.example\r\n", NULL, 200,
              "/**/f(\"a[\\\"good\\\"]\");\r\n");
  host_end(&host);
}

/* An Origin is more than a Referer. */
static void a_Referer_counts_only_where_no_Origin_is(void **state) {
  (void)state;
  open_host();
  expect_once(&host, "GET", "/e/0/id/jsonp?c=f",
              A "Referer: https://evil.example/\r\n", NULL, 200,
              "/**/f(\"o\");\r\n");
  expect_once(&host, "GET", "/e/0/two/jsonp?c=f",
              "Origin: https://evil.example\r\n"
              "Referer: https://a.example/\r\n",
              NULL, 403, "Forbidden\n");
  /* Of what is no script, it does not matter. */
  expect_once(&host, "POST", "/e/0/two/xhr",
              "Referer: https://evil.example/\r\n", "", 200, "o\n");
  host_end(&host);
}

static void
a_script_that_hides_its_page_cannot_hide_that_it_is_another(void **state) {
  static const struct {
    const char *field;
    int status;
  } cases[] = {{"Sec-Fetch-Site: cross-site\r\n", 403},
               {"Sec-Fetch-Site: same-site\r\n", 403},
               {"Sec-Fetch-Site: same-origin\r\n", 200},
               {"Sec-Fetch-Site: none\r\n", 200},
               {"", 200}};
  char path[64];
  size_t i;

  (void)state;
  open_host();
  for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    snprintf(path, sizeof(path), "/e/0/j%zu/jsonp?c=f", i);
    assert_int_equal(once(&host, "GET", path, cases[i].field, NULL)->status,
                     cases[i].status);
    snprintf(path, sizeof(path), "/e/0/h%zu/htmlfile?c=f", i);
    peer_begin(&peer, &host, "GET", path, cases[i].field, NULL);
    assert_int_equal(peer_answer(&peer)->status, cases[i].status);
    peer_leave(&peer);
    /* Where anybody may come, it may come from anywhere. */
    snprintf(path, sizeof(path), "/any/0/j%zu/jsonp?c=f", i);
    assert_int_equal(once(&host, "GET", path, cases[i].field, NULL)->status,
                     200);
  }
  host_end(&host);
}

static void
where_an_Origin_is_required_a_Referer_will_do_for_scripts(void **state) {
  (void)state;
  open_host();
  expect_once(&host, "POST", "/strict/0/id/xhr", "", "", 403, "Forbidden\n");
  expect_once(&host, "GET", "/strict/0/id/jsonp?c=f", "", NULL, 403,
              "Forbidden\n");
  expect_once(&host, "GET", "/strict/info", "", NULL, 403, "Forbidden\n");
  expect_once(&host, "GET", "/strict/0/id/jsonp?c=f",
              "Referer: https://a.example/\r\n", NULL, 200,
              "/**/f(\"o\");\r\n");
  expect_once(&host, "POST", "/strict/0/two/xhr", A, "", 200, "o\n");
  host_end(&host);
}

static void one_id_at_two_endpoints_names_two_sessions(void **state) {
  (void)state;
  open_host();
  open_session("/e/0/id/xhr", "");
  expect_stranger("POST", "/any/0/id/xhr_send", "", "[\"evil\"]");
  open_session("/any/0/id/xhr", "");
  expect_once(&host, "POST", "/any/0/id/xhr_send", "", "[\"any\"]", 204, "");
  expect_once(&host, "POST", "/e/0/id/xhr_send", "", "[\"e\"]", 204, "");
  expect_once(&host, "POST", "/any/0/id/xhr", "", "", 200, "a[\"any\"]\n");
  expect_once(&host, "POST", "/e/0/id/xhr", "", "", 200, "a[\"e\"]\n");
  host_end(&host);
}

/* ids of clients are no secrets, and none of ours. */
static void the_id_in_the_path_is_not_the_sessions(void **state) {
  (void)state;
  open_host();
  open_session("/e/0/0123456789abcdef0123456789abcdef/xhr", "");
  assert_string_not_equal(sbk_session_id(session),
                          "0123456789abcdef0123456789abcdef");
  expect_stranger("POST", "/e/0/none/xhr_send", "", "[\"x\"]");
  assert_int_equal(strlen(sbk_session_id(session)), 32);
  host_end(&host);
}

/* ---- what an endpoint is given ---- */

static int add(struct sbk_sockjs *sockjs) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  endpoint.path = "/new";
  endpoint.sockjs = sockjs;

  return sbk_broker_add_endpoint(host.broker, &endpoint);
}

static void numbers_over_their_largest_make_no_endpoint(void **state) {
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;

  (void)state;
  open_host();
  sockjs.heartbeat = 86400001;
  assert_int_equal(add(&sockjs), SBK_ERR_INVAL);
  sockjs.heartbeat = 86400000;
  sockjs.disconnect_delay = 3600001;
  assert_int_equal(add(&sockjs), SBK_ERR_INVAL);
  sockjs.disconnect_delay = 3600000;
  sockjs.stream_limit = 1073741825;
  assert_int_equal(add(&sockjs), SBK_ERR_INVAL);
  sockjs.stream_limit = 1073741824;
  sockjs.max_body = 1073741825;
  assert_int_equal(add(&sockjs), SBK_ERR_INVAL);
  sockjs.max_body = 1073741824;
  sockjs.size = 1;
  assert_int_equal(add(&sockjs), SBK_ERR_ABI);
  expect_once(&host, "GET", "/new/info", "", NULL, 200, "hello"); /* none */
  sockjs.size = sizeof(sockjs);
  assert_int_equal(add(&sockjs), 0);
  assert_int_equal(add(&sockjs), SBK_ERR_EXISTS);
  host_end(&host);
}

static void the_client_s_url_is_one(void **state) {
  static const struct {
    const char *url;
    int result;
  } cases[] = {
      {"", SBK_ERR_INVAL},
      {"sockjs.js", SBK_ERR_INVAL},
      {"javascript:alert(1)", SBK_ERR_INVAL},
      {"ftp://h/s.js", SBK_ERR_INVAL},
      {"/s.js\"></script><script>", SBK_ERR_INVAL},
      {"/s js", SBK_ERR_INVAL},
      {"/s\n", SBK_ERR_INVAL},
      {"/s'", SBK_ERR_INVAL},
      {"/s<", SBK_ERR_INVAL},
      {"/s>", SBK_ERR_INVAL},
      {"/s&", SBK_ERR_INVAL},
      {"/s`", SBK_ERR_INVAL},
      {"/s\\", SBK_ERR_INVAL},
      {"/s\x7f", SBK_ERR_INVAL},
      {"/s\xc3\xa9", SBK_ERR_INVAL},
      {"/s.js", 0},
      {"//cdn.example/s.js", 0},
      {"http://cdn.example/s.js", 0},
      {"https://cdn.example/npm/sockjs-client@1/s.js?v=1#x", 0},
  };
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    open_host();
    sockjs.client_url = cases[i].url;
    assert_int_equal(add(&sockjs), cases[i].result);
    if (cases[i].result == 0) {
      assert_non_null(
          strstr(once(&host, "GET", "/new/iframe.html", "", NULL)->body,
                 cases[i].url));
    }
    host_end(&host);
  }
}

/* sockjs-protocol 0.3.3, IframePage, test_cacheability */
static void the_iframe_page_is_kept_by_its_etag(void **state) {
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  struct answer *answer;
  char etag[64], field[600];

  (void)state;
  open_host();
  sockjs.client_url = "/s.js";
  assert_int_equal(add(&sockjs), 0);
  answer = once(&host, "GET", "/new/iframe.html", "", NULL);
  assert_non_null(answer_field(answer, "ETag"));
  assert_true(strlen(answer->value) < sizeof(etag));
  strcpy(etag, answer->value);
  assert_true(strlen(etag) > 2 && etag[0] == '"');
  assert_null(answer_field(answer, "Last-Modified"));
  assert_null(answer_field(answer, "Set-Cookie"));
  answer = once(&host, "GET", "/new/iframe-1.6.1.html?t=1", "", NULL);
  assert_string_equal(answer_field(answer, "ETag"), etag);
  snprintf(field, sizeof(field), "If-None-Match: %s\r\n", etag);
  answer = once(&host, "GET", "/new/iframe.html", field, NULL);
  assert_int_equal(answer->status, 304);
  assert_string_equal(answer->body, "");
  assert_null(answer_field(answer, "Content-Type"));
  assert_string_equal(answer_field(answer, "ETag"), etag);
  assert_non_null(strstr(answer_field(answer, "Cache-Control"), "public"));
  host_end(&host);
}

/* sockjs-protocol 0.3.3, InfoTest, test_entropy: a number of 32 bits, another
 * one each time. Of 64 none but by a bug comes twice more than once. */
static void the_entropy_of_info_is_another_each_time(void **state) {
  unsigned long long seen[64];
  size_t i, j, twice = 0;

  (void)state;
  open_host();
  for (i = 0; i < 64; i++) {
    const char *at =
        strstr(once(&host, "GET", "/any/info", "", NULL)->body, "\"entropy\":");
    char *end;

    assert_non_null(at);
    seen[i] = strtoull(at + strlen("\"entropy\":"), &end, 10);
    assert_string_equal(end, "}");
    assert_true(seen[i] <= UINT32_MAX);
    for (j = 0; j < i; j++) {
      twice += seen[j] == seen[i];
    }
  }
  assert_true(twice <= 1);
  host_end(&host);
}

/* ---- what the handshake sees ---- */

static void later_requests_have_the_session_of_the_first(void **state) {
  (void)state;
  open_host();
  open_session("/e/0/id/xhr", ANN);
  assert_null(named);
  assert_int_equal(set_data, 0);
  assert_non_null(session);
  assert_ptr_equal(sbk_session_data(session), data);
  sbk_session_set_data(session, &data[1]);
  expect_once(&host, "POST", "/e/0/id/xhr_send", ANN, "[\"x\"]", 204, "");
  assert_ptr_equal(named, session);
  assert_int_equal(set_data, SBK_ERR_STATE);
  expect_once(&host, "POST", "/e/0/id/xhr", ANN, "", 200, "a[\"x\"]\n");
  assert_ptr_equal(named, session);
  assert_int_equal(set_data, SBK_ERR_STATE);
  assert_ptr_equal(sbk_session_data(session), &data[1]);
  expect_once(&host, "POST", "/e/0/other/xhr", ANN, "", 200, "o\n");
  assert_null(named);
  /* A WebSocket has one of its own, whatever its id. */
  peer_upgrade(&peer, &host, UPGRADE("/e/0/id/websocket"));
  assert_null(named);
  assert_int_equal(set_data, 0);
  host_end(&host);
}

static void only_what_opens_sends_or_receives_is_asked_for(void **state) {
  (void)state;
  open_host();
  once(&host, "GET", "/e", "", NULL);
  once(&host, "GET", "/e/info", "", NULL);
  once(&host, "OPTIONS", "/e/info", A, NULL);
  once(&host, "OPTIONS", "/e/0/id/xhr", A, NULL);
  once(&host, "OPTIONS", "/e/0/id/xhr_send", A, NULL);
  once(&host, "GET", "/e/0/id/xhr", "", NULL);
  once(&host, "GET", "/e/0/id/jsonp", "", NULL);
  once(&host, "POST", "/e/0/id/xhr_send", "", "[]");
  once(&host, "POST", "/e/0/id/xhr", "Origin: https://evil.example\r\n", "");
  assert_string_equal(host.events, "");
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  host_end(&host);
}

static void a_handshake_that_says_no_has_the_last_word(void **state) {
  struct sbk_stats stats = SBK_STATS_INIT;

  (void)state;
  open_host();
  open_session("/e/0/id/xhr", "");
  host.handshake = SBK_REJECT;
  expect_once(&host, "POST", "/e/0/new/xhr", "", "", 403, "Forbidden\n");
  expect_once(&host, "POST", "/e/0/id/xhr", "", "", 403, "Forbidden\n");
  expect_once(&host, "POST", "/e/0/id/xhr_send", "", "[\"x\"]", 403,
              "Forbidden\n");
  host.handshake = SBK_DROP;
  expect_once(&host, "GET", "/e/0/new/jsonp?c=f", "", NULL, 403, "Forbidden\n");
  host.handshake = SBK_PASS;
  assert_null(strstr(host.events, "message"));
  assert_int_equal(sbk_broker_stats(host.broker, &stats), 0);
  assert_int_equal(stats.requests_denied, 4);
  assert_int_equal(stats.sockjs_sessions, 1);
  host_end(&host);
}

static void say_unauthorized(struct host *h, const char *where,
                             sbk_session *s) {
  (void)where, (void)s;
  sbk_request_set_status(h->request, 401);
}

/* CORS (Fetch, 3.2): an Origin that is not let in is never given back. */
static void no_answer_is_for_pages_of_other_origins(void **state) {
  static const char *const paths[] = {
      "/e/none",          "/e/0/id/none",     "/e//",    "/e/iframe.html",
      "/e/0/id/xhr/x",    "/e/0/i.d/xhr",     "/e/info", "/e/0/id/xhr_send",
      "/e/0/id/jsonp",    "/e/0/id/htmlfile", "/e",      "/e/",
      "/e/0/id/jsonp?c=f"};
  static const char *const methods[] = {"GET", "POST", "OPTIONS", "HEAD",
                                        "PUT"};
  struct answer *answer;
  size_t i, j;

  (void)state;
  open_host();
  for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
    for (j = 0; j < sizeof(methods) / sizeof(methods[0]); j++) {
      peer_begin(&peer, &host, methods[j], paths[i],
                 "Origin: https://evil.example\r\n", NULL);
      answer = peer_answer(&peer);
      assert_null(strstr(answer->head, "evil"));
      assert_null(answer_field(answer, "Access-Control-Allow-Origin"));
      assert_null(answer_field(answer, "Access-Control-Allow-Credentials"));
      peer_leave(&peer);
      /* And one that is let in may read what was wrong. */
      answer = once(&host, methods[j], paths[i], A, NULL);
      assert_true(answer->status != 404 ||
                  answer_field(answer, "Access-Control-Allow-Origin") != NULL);
    }
  }
  host_end(&host);
}

static void it_says_so_in_its_own_status(void **state) {
  struct answer *answer;

  (void)state;
  open_host();
  host.hook = say_unauthorized;
  host.handshake = SBK_REJECT;
  answer = once(&host, "POST", "/e/0/id/xhr", A, "");
  assert_int_equal(answer->status, 401);
  /* A page of an origin that is let in may read why. */
  assert_string_equal(answer_field(answer, "Access-Control-Allow-Origin"),
                      "https://a.example");
  host_end(&host);
}

/* ---- while the host thinks ---- */

static void resume(sbk_request *request, enum sbk_verdict verdict) {
  assert_int_equal(sbk_request_resume(request, verdict), 0);
}

static void a_session_opens_when_the_host_has_decided(void **state) {
  (void)state;
  open_host();
  host.handshake = SBK_WAIT;
  peer_begin(&peer, &host, "POST", "/e/0/id/xhr", ANN, "");
  assert_string_equal(peer_hear(&peer), "");
  assert_int_equal(sbk_conn_wants(peer.conn), SBK_WANT_HOLD);
  assert_null(session);
  resume(host.request, SBK_PASS);
  assert_string_equal(peer_answer(&peer)->body, "o\n");
  assert_non_null(session);
  assert_string_equal(sbk_session_user(session), "ann");
  assert_ptr_equal(sbk_session_data(session), data);
  host_end(&host);
}

static void of_two_that_open_at_once_one_does(void **state) {
  sbk_request *first, *second;

  (void)state;
  open_host();
  host.handshake = SBK_WAIT;
  peer_begin(&peer, &host, "POST", "/e/0/id/xhr", "", "");
  first = host.request;
  assert_null(named);
  peer_begin(&other, &host, "POST", "/e/0/id/xhr_streaming", "", "");
  second = host.request;
  assert_null(named);
  resume(second, SBK_PASS);
  assert_non_null(strstr(peer_answer(&other)->body, "h\no\n"));
  resume(first, SBK_PASS);
  assert_string_equal(peer_answer(&peer)->body,
                      "c[2010,\"Another connection still open\"]\n");
  assert_int_equal(times(host.events, "connected -"), 1);
  host_end(&host);
}

static void of_two_users_that_open_at_once_one_does(void **state) {
  sbk_request *first, *second;

  (void)state;
  open_host();
  host.handshake = SBK_WAIT;
  peer_begin(&peer, &host, "POST", "/e/0/id/xhr", ANN, "");
  first = host.request;
  peer_begin(&other, &host, "POST", "/e/0/id/xhr", BOB, "");
  second = host.request;
  resume(first, SBK_PASS);
  assert_string_equal(peer_answer(&peer)->body, "o\n");
  resume(second, SBK_PASS);
  assert_int_equal(peer_answer(&other)->status, 404);
  assert_string_equal(sbk_session_user(session), "ann");
  host_end(&host);
}

static void where_one_is_refused_the_other_opens(void **state) {
  sbk_request *first, *second;

  (void)state;
  open_host();
  host.handshake = SBK_WAIT;
  peer_begin(&peer, &host, "POST", "/e/0/id/xhr", ANN, "");
  first = host.request;
  peer_begin(&other, &host, "POST", "/e/0/id/xhr", BOB, "");
  second = host.request;
  resume(first, SBK_REJECT);
  assert_int_equal(peer_answer(&peer)->status, 403);
  resume(second, SBK_PASS);
  assert_string_equal(peer_answer(&other)->body, "o\n");
  assert_string_equal(sbk_session_user(session), "bob");
  host_end(&host);
}

static void what_is_sent_waits_for_the_host_too(void **state) {
  sbk_request *first, *second;

  (void)state;
  open_host();
  open_session("/e/0/id/xhr", "");
  host.handshake = SBK_WAIT;
  peer_begin(&peer, &host, "POST", "/e/0/id/xhr_send", "", "[\"one\"]");
  first = host.request;
  assert_string_equal(peer_hear(&peer), "");
  peer_begin(&other, &host, "POST", "/e/0/id/xhr_send", "", "[\"two\"]");
  second = host.request;
  assert_null(strstr(host.events, "message"));
  resume(second, SBK_PASS);
  assert_int_equal(peer_answer(&other)->status, 204);
  resume(first, SBK_PASS);
  assert_int_equal(peer_answer(&peer)->status, 204);
  host.handshake = SBK_PASS;
  expect_once(&host, "POST", "/e/0/id/xhr", "", "", 200,
              "a[\"two\",\"one\"]\n");
  host_end(&host);
}

static void who_goes_meanwhile_is_gone(void **state) {
  (void)state;
  open_host();
  open_session("/e/0/id/xhr", "");
  host.handshake = SBK_WAIT;
  peer_begin(&peer, &host, "POST", "/e/0/id/xhr", "", "");
  host_forget(&host);
  peer_leave(&peer);
  assert_string_equal(host.events, "gone /e/0/id/xhr;");
  peer_begin(&peer, &host, "POST", "/e/0/id/xhr_send", "", "[\"x\"]");
  host_forget(&host);
  sbk_conn_eof(peer.conn, 0);
  assert_int_equal(sbk_conn_wants(peer.conn), 0);
  assert_string_equal(host.events, "gone /e/0/id/xhr_send;");
  peer_leave(&peer);
  peer_begin(&peer, &host, "POST", "/e/0/new/xhr", "", "");
  peer_leave(&peer);
  assert_int_equal(times(host.events, "gone "), 2);
  assert_int_equal(sbk_broker_conn_count(host.broker), 1);
  host_end(&host);
}

static void a_session_that_ended_meanwhile_takes_nothing(void **state) {
  sbk_request *send;

  (void)state;
  open_host();
  open_session("/e/0/id/xhr", "");
  host.handshake = SBK_WAIT;
  peer_begin(&peer, &host, "POST", "/e/0/id/xhr_send", "", "[\"x\"]");
  send = host.request;
  peer_begin(&other, &host, "POST", "/e/0/id/xhr", "", "");
  host_wait(&host, 5000);
  assert_non_null(strstr(host.events, "disconnected - -204;"));
  resume(send, SBK_PASS);
  assert_int_equal(peer_answer(&peer)->status, 404);
  /* And to ask for what it has opens another one. */
  resume(host.request, SBK_PASS);
  assert_string_equal(peer_answer(&other)->body, "o\n");
  assert_null(strstr(host.events, "message"));
  host_end(&host);
}

/* The host has freed what it kept for it when `disconnected` returned. */
static void
a_session_of_which_disconnected_was_told_is_named_no_more(void **state) {
  (void)state;
  open_host();
  open_session("/e/0/id/xhr", ANN);
  sbk_session_close(session, NULL);
  assert_non_null(strstr(host.events, "disconnected ann "));
  expect_once(&host, "POST", "/e/0/id/xhr", ANN, "", 200,
              "c[3000,\"Go away!\"]\n");
  assert_null(named);
  /* It opens none either: there is nobody to have the data. */
  assert_int_equal(set_data, SBK_ERR_STATE);
  expect_stranger("POST", "/e/0/id/xhr", BOB, "");
  host_end(&host);
}

/* ---- what sessions say of themselves ---- */

static void a_session_says_how_it_is_taken(void **state) {
  static const struct {
    const char *method;
    const char *name;
    const char *query;
  } ways[] = {{"POST", "xhr", ""},
              {"POST", "xhr_streaming", ""},
              {"GET", "eventsource", ""},
              {"GET", "htmlfile", "?c=f"},
              {"GET", "jsonp", "?c=f"}};
  char path[64];
  size_t i, j;

  (void)state;
  open_host();
  for (i = 0; i < 5; i++) {
    for (j = 0; j < 5; j++) {
      snprintf(path, sizeof(path), "/e/0/%zu-%zu/%s%s", i, j, ways[i].name,
               ways[i].query);
      peer_begin(&peer, &host, ways[i].method, path, "", NULL);
      assert_int_equal(peer_answer(&peer)->status, 200);
      assert_string_equal(sbk_session_transport(session), ways[i].name);
      assert_string_equal(sbk_session_endpoint(session), "/e");
      assert_string_equal(sbk_session_peer(session), "peer");
      peer_leave(&peer);
      /* What was last is what is said between requests. */
      assert_string_equal(sbk_session_transport(session), ways[i].name);
      snprintf(path, sizeof(path), "/e/0/%zu-%zu/xhr_send", i, j);
      expect_once(&host, "POST", path, "", "[]", 204, "");
      assert_string_equal(sbk_session_transport(session), ways[i].name);
      snprintf(path, sizeof(path), "/e/0/%zu-%zu/%s%s", i, j, ways[j].name,
               ways[j].query);
      peer_begin(&peer, &host, ways[j].method, path, "", NULL);
      assert_int_equal(peer_answer(&peer)->status, 200);
      assert_string_equal(sbk_session_transport(session), ways[j].name);
      peer_leave(&peer);
    }
  }
  host_end(&host);
}

static void the_second_that_asks_is_not_how_it_is_taken(void **state) {
  (void)state;
  open_host();
  open_session("/e/0/id/xhr", "");
  peer_begin(&peer, &host, "POST", "/e/0/id/xhr", "", "");
  expect_waiting(&peer);
  peer_begin(&other, &host, "GET", "/e/0/id/eventsource", "", NULL);
  assert_string_equal(
      peer_answer(&other)->body,
      "\r\ndata: c[2010,\"Another connection still open\"]\r\n\r\n");
  assert_string_equal(sbk_session_transport(session), "xhr");
  host_end(&host);
}

static void websockets_and_streams_say_so(void **state) {
  (void)state;
  open_host();
  peer_upgrade(&peer, &host, UPGRADE("/e/0/id/websocket"));
  assert_string_equal(sbk_session_transport(session), "websocket");
  peer_upgrade(&peer, &host, UPGRADE("/e/websocket"));
  assert_string_equal(sbk_session_transport(session), "websocket");
  peer_upgrade(&peer, &host, UPGRADE("/e"));
  assert_string_equal(sbk_session_transport(session), "websocket");
  memset(&peer, 0, sizeof(peer));
  peer_connect(&peer, &host, NULL);
  assert_string_equal(sbk_session_transport(session), "tcp");
  host_end(&host);
}

/* ---- the code of a close ---- */

static void open_for_close(void) {
  static int count;
  char path[64];

  snprintf(path, sizeof(path), "/e/0/close%d/xhr_streaming", count++);
  peer_begin(&peer, &host, "POST", path, "", "");
  assert_int_equal(peer_answer(&peer)->status, 200);
}

static void codes_of_a_close_are_those_of_applications(void **state) {
  static const struct {
    int code;
    int result;
  } cases[] = {{999, SBK_ERR_INVAL},
               {1000, 0},
               {1001, SBK_ERR_INVAL},
               {1011, SBK_ERR_INVAL},
               {2010, SBK_ERR_INVAL},
               {2999, SBK_ERR_INVAL},
               {3000, 0},
               {4999, 0},
               {5000, SBK_ERR_INVAL},
               {0, SBK_ERR_INVAL},
               {-1, SBK_ERR_INVAL},
               {1000 + 65536, SBK_ERR_INVAL},
               {3000 + 65536, SBK_ERR_INVAL}};
  char frame[64];
  size_t i;

  (void)state;
  open_host();
  for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    open_for_close();
    assert_int_equal(sbk_session_close_code(session, cases[i].code, "why"),
                     cases[i].result);
    if (cases[i].result == 0) {
      snprintf(frame, sizeof(frame), "c[%d,\"why\"]\n", cases[i].code);
      expect_last(&peer, frame);
    } else {
      assert_string_equal(peer_hear(&peer), "");
      assert_int_equal(sbk_session_send(session, 0, "on", 2), 0);
      expect_more(&peer, "a[\"on\"]\n");
    }
    peer_leave(&peer);
  }
  host_end(&host);
}

static void a_reason_is_text_of_123_bytes_at_most(void **state) {
  char reason[125], frame[160];

  (void)state;
  open_host();
  memset(reason, 'r', sizeof(reason));
  reason[124] = '\0';
  open_for_close();
  assert_int_equal(sbk_session_close_code(session, 3000, reason),
                   SBK_ERR_INVAL);
  assert_int_equal(sbk_session_close_code(session, 3000, "\xff"),
                   SBK_ERR_INVAL);
  assert_int_equal(sbk_session_close_code(session, 3000, "\xed\xa0\x80"),
                   SBK_ERR_INVAL);
  reason[123] = '\0';
  assert_int_equal(sbk_session_close_code(session, 3000, reason), 0);
  snprintf(frame, sizeof(frame), "c[3000,\"%s\"]\n", reason);
  expect_last(&peer, frame);
  open_for_close();
  reason[122] = '\0';
  assert_int_equal(sbk_session_close_code(session, 4000, reason), 0);
  snprintf(frame, sizeof(frame), "c[4000,\"%s\"]\n", reason);
  expect_last(&peer, frame);
  host_end(&host);
}

static void a_reason_is_escaped_as_messages_are(void **state) {
  (void)state;
  open_host();
  open_for_close();
  assert_int_equal(sbk_session_close_code(session, 3333,
                                          "a\"b\\c\n\x7f\xe2\x80\xa8\xc3\xa9"),
                   0);
  expect_last(&peer, "c[3333,\"a\\\"b\\\\c\\n\\u007f\\u2028\xc3\xa9\"]\n");
  host_end(&host);
}

/* sockjs-protocol 0.3.3, HandlingClose: c[3000,"Go away!"] */
static void a_close_without_code_or_reason_is_a_friendly_one(void **state) {
  (void)state;
  open_host();
  open_for_close();
  assert_int_equal(sbk_session_close_code(session, 1000, NULL), 0);
  expect_last(&peer, "c[3000,\"Go away!\"]\n");
  open_for_close();
  assert_int_equal(sbk_session_close_code(session, 1000, ""), 0);
  expect_last(&peer, "c[3000,\"Go away!\"]\n");
  open_for_close();
  assert_int_equal(sbk_session_close_code(session, 4001, NULL), 0);
  expect_last(&peer, "c[4001,\"\"]\n");
  open_for_close();
  sbk_session_close(session, NULL);
  expect_last(&peer, "c[3000,\"Go away!\"]\n");
  open_for_close();
  sbk_session_close(session, "no more");
  expect_last(&peer, "c[1008,\"no more\"]\n");
  host_end(&host);
}

static void only_plain_sessions_that_live_are_closed_with_a_code(void **state) {
  (void)state;
  open_host();
  open_for_close();
  assert_int_equal(sbk_session_close_code(session, 3000, "one"), 0);
  assert_int_equal(sbk_session_close_code(session, 3001, "two"), SBK_ERR_STATE);
  expect_last(&peer, "c[3000,\"one\"]\n");
  peer_leave(&peer);
  peer_begin(&peer, &host, "POST", "/s/0/id/xhr_streaming", "", "");
  assert_int_equal(peer_answer(&peer)->status, 200);
  expect_once(&host, "POST", "/s/0/id/xhr_send", "",
              "[\"CONNECT\\naccept-version:1.2\\n\\n\\u0000\"]", 204, "");
  peer_hear(&peer);
  assert_int_equal(sbk_session_close_code(session, 3000, "stomp"),
                   SBK_ERR_STATE);
  assert_string_equal(peer_hear(&peer), "");
  host_end(&host);
}

static void what_waits_goes_in_front_of_the_close(void **state) {
  (void)state;
  open_host();
  open_session("/e/0/id/xhr", "");
  assert_int_equal(sbk_session_send(session, 0, "one", 3), 0);
  assert_int_equal(sbk_session_send(session, 0, "two", 3), 0);
  assert_int_equal(sbk_session_close_code(session, 3000, "bye"), 0);
  assert_int_equal(sbk_session_send(session, 0, "three", 5), SBK_ERR_STATE);
  expect_once(&host, "POST", "/e/0/id/xhr", "", "", 200,
              "a[\"one\",\"two\"]\n");
  expect_once(&host, "POST", "/e/0/id/xhr", "", "", 200, "c[3000,\"bye\"]\n");
  expect_once(&host, "POST", "/e/0/id/xhr", "", "", 200, "c[3000,\"bye\"]\n");
  expect_once(&host, "GET", "/e/0/id/jsonp?c=f", "", NULL, 200,
              "/**/f(\"c[3000,\\\"bye\\\"]\");\r\n");
  host_end(&host);
}

/* sockjs-protocol 0.3.3, HandlingClose: an endpoint that says goodbye. */
static void close_it(struct host *h, const char *where, sbk_session *s) {
  (void)h;
  if (strcmp(where, "connected") == 0) {
    assert_int_equal(sbk_session_close_code(s, 3000, "Go away!"), 0);
  }
}

static void a_session_may_end_as_it_begins(void **state) {
  (void)state;
  open_host();
  host.hook = close_it;
  open_session("/e/0/id/xhr", "");
  expect_once(&host, "POST", "/e/0/id/xhr", "", "", 200,
              "c[3000,\"Go away!\"]\n");
  expect_once(&host, "POST", "/e/0/id/xhr", "", "", 200,
              "c[3000,\"Go away!\"]\n");
  peer_begin(&peer, &host, "GET", "/e/0/two/eventsource", "", NULL);
  assert_string_equal(peer_answer(&peer)->body,
                      "\r\ndata: o\r\n\r\n"
                      "data: c[3000,\"Go away!\"]\r\n\r\n");
  host_end(&host);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_session_is_its_users_alone),
      cmocka_unit_test(nobodys_session_is_no_users),
      cmocka_unit_test(
          a_user_who_is_named_later_changes_nothing_about_requests),
      cmocka_unit_test(a_session_is_its_pages_origins_alone),
      cmocka_unit_test(an_origin_that_is_said_later_counts_from_then_on),
      cmocka_unit_test(a_script_is_of_the_page_that_Referer_names),
      cmocka_unit_test(a_Referer_counts_only_where_no_Origin_is),
      cmocka_unit_test(
          a_script_that_hides_its_page_cannot_hide_that_it_is_another),
      cmocka_unit_test(
          where_an_Origin_is_required_a_Referer_will_do_for_scripts),
      cmocka_unit_test(one_id_at_two_endpoints_names_two_sessions),
      cmocka_unit_test(the_id_in_the_path_is_not_the_sessions),
      cmocka_unit_test(numbers_over_their_largest_make_no_endpoint),
      cmocka_unit_test(the_client_s_url_is_one),
      cmocka_unit_test(the_iframe_page_is_kept_by_its_etag),
      cmocka_unit_test(the_entropy_of_info_is_another_each_time),
      cmocka_unit_test(later_requests_have_the_session_of_the_first),
      cmocka_unit_test(only_what_opens_sends_or_receives_is_asked_for),
      cmocka_unit_test(a_handshake_that_says_no_has_the_last_word),
      cmocka_unit_test(no_answer_is_for_pages_of_other_origins),
      cmocka_unit_test(it_says_so_in_its_own_status),
      cmocka_unit_test(a_session_opens_when_the_host_has_decided),
      cmocka_unit_test(of_two_that_open_at_once_one_does),
      cmocka_unit_test(of_two_users_that_open_at_once_one_does),
      cmocka_unit_test(where_one_is_refused_the_other_opens),
      cmocka_unit_test(what_is_sent_waits_for_the_host_too),
      cmocka_unit_test(who_goes_meanwhile_is_gone),
      cmocka_unit_test(a_session_that_ended_meanwhile_takes_nothing),
      cmocka_unit_test(
          a_session_of_which_disconnected_was_told_is_named_no_more),
      cmocka_unit_test(a_session_says_how_it_is_taken),
      cmocka_unit_test(the_second_that_asks_is_not_how_it_is_taken),
      cmocka_unit_test(websockets_and_streams_say_so),
      cmocka_unit_test(codes_of_a_close_are_those_of_applications),
      cmocka_unit_test(a_reason_is_text_of_123_bytes_at_most),
      cmocka_unit_test(a_reason_is_escaped_as_messages_are),
      cmocka_unit_test(a_close_without_code_or_reason_is_a_friendly_one),
      cmocka_unit_test(only_plain_sessions_that_live_are_closed_with_a_code),
      cmocka_unit_test(what_waits_goes_in_front_of_the_close),
      cmocka_unit_test(a_session_may_end_as_it_begins),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
