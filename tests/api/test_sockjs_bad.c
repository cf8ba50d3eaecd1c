#include "requests.h"

/*
 * What clients of SockJS must not get away with, one thing at a time: each gets
 * exactly the answer that it has to, whole or a byte at a time; what is
 * pipelined behind it is answered, or not; and then a neighbour still gets its
 * message, and memory is as it was.
 */

static struct host host;
static struct peer peer;
static struct answer answer;

static int on_message(sbk_session *session, int binary, const void *text,
                      size_t len, void *arg) {
  (void)binary;
  host_event(arg, "message;");

  return sbk_session_send(session, 0, text, len);
}

static void add_endpoint(const char *path, bool plain, size_t max_body) {
  static const char *const origins[] = {"https://a.example", NULL};
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  sockjs.htmlfile = sockjs.jsonp = 1;
  sockjs.client_url = "/sockjs.js";
  sockjs.max_body = max_body;
  endpoint.path = path;
  endpoint.allowed_origins = origins;
  endpoint.message = plain ? on_message : NULL;
  endpoint.sockjs = &sockjs;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
}

static void open_host(void) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  host_init(&host);
  host.callbacks.request = NULL;
  host_open(&host);
  add_endpoint("/e", true, 0);
  add_endpoint("/small", true, 20);
  add_endpoint("/s", false, 0);
  endpoint.path = "/none"; /* without SockJS */
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
  /* A neighbour, and one who is connected, and one who is not. */
  expect_once(&host, "POST", "/e/0/good/xhr", "", "", 200, "o\n");
  expect_once(&host, "POST", "/small/0/id/xhr", "", "", 200, "o\n");
  expect_once(&host, "POST", "/s/0/id/xhr", "", "", 200, "o\n");
  expect_once(&host, "POST", "/e/0/id/xhr", "", "", 200, "o\n");
}

/* What is in the answer's head. */
enum kind {
  REFUSED,  /* by SockJS, which goes on with the connection */
  REFUSED_, /* and does not */
  HTTP,     /* by the reader of requests */
  METHOD,   /* 405; the text is what is allowed instead */
  METHOD_,
  SENT, /* 204 */
  OK,   /* to jsonp_send */
  FRAME /* of xhr */
};

#define NOT_CACHED                                                             \
  "Cache-Control: no-store, no-cache, no-transform, must-revalidate, "         \
  "max-age=0\r\n"
#define PLAIN                                                                  \
  "Content-Type: text/plain; charset=UTF-8\r\n"                                \
  "X-Content-Type-Options: nosniff\r\n" NOT_CACHED
#define CORS                                                                   \
  "Access-Control-Allow-Origin: https://a.example\r\n"                         \
  "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n"

/* All of the head, in order. */
static void expected_head(char *dst, size_t size, enum kind kind,
                          const char *text, bool cors) {
  switch (kind) {
  case REFUSED:
  case REFUSED_:
    snprintf(dst, size, PLAIN "%sContent-Length: %zu\r\n%s", cors ? CORS : "",
             strlen(text), kind == REFUSED_ ? "Connection: close\r\n" : "");
    break;
  case HTTP:
    snprintf(dst, size,
             "%sContent-Type: text/plain\r\nContent-Length: %zu\r\n"
             "Connection: close\r\n",
             strstr(text, "Upgrade") != NULL
                 ? "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                 : "",
             strlen(text));
    break;
  case METHOD:
  case METHOD_:
    snprintf(dst, size, "Allow: %s\r\nContent-Length: 0\r\n%s", text,
             kind == METHOD_ ? "Connection: close\r\n" : "");
    break;
  case SENT:
    snprintf(dst, size, PLAIN "%s", cors ? CORS : "");
    break;
  case OK:
    snprintf(dst, size, PLAIN "%sContent-Length: 2\r\n", cors ? CORS : "");
    break;
  case FRAME:
    snprintf(dst, size,
             "Content-Type: application/javascript; charset=UTF-8\r\n"
             "X-Content-Type-Options: nosniff\r\n" NOT_CACHED
             "%sTransfer-Encoding: chunked\r\n",
             cors ? CORS : "");
    break;
  }
}

static bool ends(enum kind kind) {
  return kind == REFUSED_ || kind == HTTP || kind == METHOD_;
}

/* One that is bad, and what it gets. */
struct vector {
  const char *request; /* up to its body, without Host */
  const char *body;    /* NULL: the request is all there is */
  size_t len;          /* of the body, if NUL is in it */
  int status;
  enum kind kind;
  const char *text;
  bool cors;
};

#define POST_SEND  "POST /e/0/id/xhr_send"
#define JSONP_SEND "POST /e/0/id/jsonp_send"
#define FORM       "\r\nContent-Type: application/x-www-form-urlencoded"

#define NOT_FOUND 404, REFUSED, "Not Found\n", false
#define FORBIDDEN 403, REFUSED, "Forbidden\n", false
#define BROKEN    500, REFUSED, "Broken JSON encoding.\n", false
#define NO_BODY   500, REFUSED, "Payload expected.\n", false
#define NO_NAME   500, REFUSED, "\"callback\" parameter required\n", false
#define BAD_NAME  500, REFUSED, "invalid \"callback\" parameter\n", false
#define BAD       400, HTTP, "Bad Request\n", false
#define TOO_BIG   413, REFUSED_, "Content Too Large\n", false

/* The request as text, without what follows its body; how long it is. */
static size_t put_request(char *dst, size_t size, const struct vector *v,
                          size_t *body_len) {
  const char *line = strstr(v->request, "\r\n");
  const char *version = strstr(v->request, " HTTP/");
  size_t first =
      line != NULL ? (size_t)(line - v->request) : strlen(v->request);
  int len;

  *body_len = v->len > 0 ? v->len : v->body != NULL ? strlen(v->body) : 0;
  len = snprintf(
      dst, size, "%.*s%s\r\nHost: h.example%s\r\n", (int)first, v->request,
      version != NULL && version < v->request + first ? "" : " HTTP/1.1",
      v->request + first);
  if (v->body != NULL) {
    len += snprintf(dst + len, size - (size_t)len, "Content-Length: %zu\r\n",
                    *body_len);
  }
  len += snprintf(dst + len, size - (size_t)len, "\r\n");
  assert_true((size_t)len + *body_len < size);
  if (v->body != NULL) {
    memcpy(dst + len, v->body, *body_len);
  }

  return (size_t)len + *body_len;
}

/* A request behind it, that would open a session. */
static const char behind[] =
    "POST /e/0/evil/xhr HTTP/1.1\r\nHost: h.example\r\n"
    "Content-Length: 0\r\n\r\n";

/* The answer, exactly, and what is heard behind it. */
static const char *expect_answer(const struct vector *v, const char *heard,
                                 bool head) {
  char expected[1000];
  bool bare = v->kind == METHOD || v->kind == METHOD_ || head;

  read_answer(&answer, heard, head);
  if (answer.status != v->status) {
    print_error("%s [%s]\n", v->request, v->body != NULL ? v->body : "");
  }
  assert_true(answer.whole);
  assert_int_equal(answer.status, v->status);
  expected_head(expected, sizeof(expected), v->kind, v->text, v->cors);
  assert_string_equal(answer.head, expected);
  assert_string_equal(answer.body, bare ? "" : v->text);

  return answer.rest;
}

static void feed(const char *text, size_t len, bool bytes) {
  size_t i;

  for (i = 0; bytes && i < len; i++) {
    peer_feed(&peer, text + i, 1);
  }
  if (!bytes) {
    peer_feed(&peer, text, len);
  }
}

static uint64_t sessions(void) {
  struct sbk_stats stats = SBK_STATS_INIT;

  assert_int_equal(sbk_broker_stats(host.broker, &stats), 0);

  return stats.sockjs_sessions;
}

/* The neighbour is well; time stands, so that nobody's runs out. */
static void expect_neighbour(void) {
  expect_once(&host, "POST", "/e/0/good/xhr_send", "", "[\"hello\"]", 204, "");
  expect_once(&host, "POST", "/e/0/good/xhr", "", "", 200, "a[\"hello\"]\n");
}

/* It, and what is pipelined behind it: that is run only if the connection goes
 * on, and is never taken for a part of it, nor a part of it for a request. */
static void play(const struct vector *v, bool bytes) {
  static char text[40000];
  size_t body_len, len = put_request(text, sizeof(text), v, &body_len);
  uint64_t count = sessions();
  const char *rest;

  host_forget(&host);
  memcpy(text + len, behind, sizeof(behind) - 1);
  peer_open(&peer, &host, SBK_HTTP);
  feed(text, len + sizeof(behind) - 1, bytes);
  rest = expect_answer(v, peer_hear(&peer), strncmp(text, "HEAD", 4) == 0);
  if (ends(v->kind)) {
    assert_string_equal(rest, "");
    assert_int_equal(sessions(), count);
    sbk_conn_eof(peer.conn, 0);
    assert_int_equal(sbk_conn_wants(peer.conn), 0);
  } else {
    read_answer(&answer, rest, false);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "o\n");
    assert_string_equal(answer.rest, "");
    assert_int_equal(sessions(), count + 1);
    assert_int_equal(sbk_conn_wants(peer.conn), SBK_WANT_READ);
  }
  assert_int_equal(times(host.events, "message;"), 0);
  peer_leave(&peer);
  expect_neighbour();
  if (!ends(v->kind)) {
    /* What was well has opened a session: it is told goodbye. */
    expect_once(&host, "POST", "/e/0/evil/xhr_send", "", "[\"x\"]", 204, "");
    expect_once(&host, "POST", "/e/0/evil/xhr", "", "", 200, "a[\"x\"]\n");
  }
}

/* From the beginning to where all sessions are forgotten. */
static void play_alone(const struct vector *v, bool bytes) {
  open_host();
  expect_neighbour();
  play(v, bytes);
  host_wait(&host, 5000);
  assert_int_equal(sessions(), 0);
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
}

static void play_all(const struct vector *vectors, size_t count) {
  static const struct vector first = {"GET /e/x", NULL,          0,    404,
                                      REFUSED,    "Not Found\n", false};
  size_t i, memory, blocks;
  int way;

  play_alone(&first, false);
  memory = host.mem.bytes;
  blocks = host.mem.blocks;
  host_end(&host);
  for (i = 0; i < count; i++) {
    for (way = 0; way < 2; way++) {
      play_alone(&vectors[i], way == 1);
      assert_int_equal(host.mem.bytes, memory);
      assert_int_equal(host.mem.blocks, blocks);
      host_end(&host);
    }
  }
}

#define PLAY(vectors) play_all(vectors, sizeof(vectors) / sizeof((vectors)[0]))

/* ---- paths and methods ---- */

static void paths_and_methods(void **state) {
  static const struct vector vectors[] = {
      {"GET /e/x", NULL, 0, NOT_FOUND},
      {"GET /e//", NULL, 0, NOT_FOUND},
      {"GET /e///", NULL, 0, NOT_FOUND},
      {"GET /e/info/", NULL, 0, NOT_FOUND},
      {"GET /e/Info", NULL, 0, NOT_FOUND},
      {"GET /e/info.json", NULL, 0, NOT_FOUND},
      {"GET /e/%69nfo", NULL, 0, NOT_FOUND},
      {"GET /e/./info", NULL, 0, NOT_FOUND},
      {"GET /e/../e/info", NULL, 0, NOT_FOUND},
      {"GET /e/iframe", NULL, 0, NOT_FOUND},
      {"GET /e/iframe.htm", NULL, 0, NOT_FOUND},
      {"GET /e/iframeA.html", NULL, 0, NOT_FOUND},
      {"GET /e/iframe%00.html", NULL, 0, NOT_FOUND},
      {"GET /e/websocket/", NULL, 0, NOT_FOUND},
      {"POST /e/0/id", "", 0, NOT_FOUND},
      {"POST /e/0/id/", "", 0, NOT_FOUND},
      {"POST /e/0/id/xhr/", "", 0, NOT_FOUND},
      {"POST /e/0/id/xhr/x", "", 0, NOT_FOUND},
      {"POST /e/0/id/Xhr", "", 0, NOT_FOUND},
      {"POST /e/0/id/xhr%20", "", 0, NOT_FOUND},
      {"POST /e/0/id/xhr;jsessionid=x", "", 0, NOT_FOUND},
      {"POST /e/0/id/xhr_send2", "[\"x\"]", 0, NOT_FOUND},
      {"POST /e/0/id/xhr_sen", "[\"x\"]", 0, NOT_FOUND},
      {"POST /e/id/xhr", "", 0, NOT_FOUND},
      {"POST /e/0/0/id/xhr", "", 0, NOT_FOUND},
      {"DELETE /e/0/id", NULL, 0, NOT_FOUND},
      {"GET /e/0/id/xhr", NULL, 0, 405, METHOD, "OPTIONS, POST", false},
      {"GET /e/0/id/xhr_send", NULL, 0, 405, METHOD, "OPTIONS, POST", false},
      {"GET /e/0/id/xhr_streaming", NULL, 0, 405, METHOD, "OPTIONS, POST",
       false},
      {"HEAD /e/0/id/xhr", NULL, 0, 405, METHOD, "OPTIONS, POST", false},
      {"HEAD /e/0/id/eventsource", NULL, 0, 405, METHOD, "OPTIONS, GET", false},
      {"PUT /e/0/id/xhr_send", "[\"x\"]", 0, 405, METHOD, "OPTIONS, POST",
       false},
      {"DELETE /e/0/id/xhr", "[\"x\"]", 0, 405, METHOD, "OPTIONS, POST", false},
      {"TRACE /e/0/id/xhr", NULL, 0, 405, METHOD, "OPTIONS, POST", false},
      {"PATCH /e/0/id/jsonp_send", "d=", 0, 405, METHOD, "POST", false},
      {"post /e/0/id/xhr_send", "[\"x\"]", 0, 405, METHOD, "OPTIONS, POST",
       false},
      {"POS /e/0/id/xhr_send", "[\"x\"]", 0, 405, METHOD, "OPTIONS, POST",
       false},
      {"OST /e/0/id/xhr_send", "[\"x\"]", 0, 405, METHOD, "OPTIONS, POST",
       false},
      {"POSTX /e/0/id/xhr_send", "[\"x\"]", 0, 405, METHOD, "OPTIONS, POST",
       false},
      {"OPTIONS /e/0/id/jsonp_send", NULL, 0, 405, METHOD, "POST", false},
      {"OPTIONS /e/0/id/jsonp?c=f", NULL, 0, 405, METHOD, "GET", false},
      {"OPTIONS /e/0/id/htmlfile?c=f", NULL, 0, 405, METHOD, "GET", false},
      {"POST /e/0/id/jsonp?c=f", "x", 0, 405, METHOD, "GET", false},
      {"POST /e/0/id/htmlfile?c=f", "x", 0, 405, METHOD, "GET", false},
      {"POST /e/0/id/eventsource", "x", 0, 405, METHOD, "OPTIONS, GET", false},
      {"POST /e", "x", 0, 405, METHOD, "GET", false},
      {"POST /e/info", "x", 0, 405, METHOD, "OPTIONS, GET", false},
      {"PUT /e/iframe.html", "x", 0, 405, METHOD, "GET", false},
      {"POST /e/0/id/websocket", "x", 0, 405, METHOD_, "GET", false},
      {"POST /e/websocket", "x", 0, 405, METHOD_, "GET", false},
      {"GET /e/0/id/websocket", NULL, 0, BAD},
      {"GET /e/websocket", NULL, 0, BAD},
      {"GET /e/0/i.d/websocket", NULL, 0, NOT_FOUND},
      {"GET /none/info", NULL, 0, 404, HTTP, "Not Found\n", false},
      {"POST /none/0/id/xhr", "", 0, 404, HTTP, "Not Found\n", false},
      {"GET /em/info", NULL, 0, 404, HTTP, "Not Found\n", false},
      {"GET http://h.example/e/info", NULL, 0, BAD},
      {"GET h.example/e/info", NULL, 0, BAD},
      {"OPTIONS *", NULL, 0, BAD},
      {"CONNECT h.example:80", NULL, 0, BAD},
      {"GET /e/info#x", NULL, 0, BAD},
      {"GET /e/i\xc3\xa9", NULL, 0, BAD},
      {"GET /e/i nfo", NULL, 0, BAD},
      {"GET /e/info HTTP/2.0", NULL, 0, BAD},
      {"GET /e/info HTTP/1.2", NULL, 0, BAD},
      {"GET /e/info http/1.1", NULL, 0, BAD},
      {"GET /e/info HTTP/1.1\r\nHost: two", NULL, 0, BAD},
      {"GET /e/info HTTP/1.1\r\n folded", NULL, 0, BAD},
      {"GET /e/info HTTP/1.1\r\nX : y", NULL, 0, BAD},
  };

  (void)state;
  PLAY(vectors);
}

/* ---- ids ---- */

#define C8  "12345678"
#define C16 C8 C8
#define C64 C16 C16 C16 C16

static void ids(void **state) {
  static const struct vector vectors[] = {
      {"POST /e/0/" C64 "x/xhr", "", 0, NOT_FOUND},
      {"POST /e/" C16 "x/id/xhr", "", 0, NOT_FOUND},
      {"POST /e/0//xhr", "", 0, NOT_FOUND},
      {"POST /e//id/xhr", "", 0, NOT_FOUND},
      {"POST /e///xhr", "", 0, NOT_FOUND},
      {"POST /e/0/./xhr", "", 0, NOT_FOUND},
      {"POST /e/0/../xhr", "", 0, NOT_FOUND},
      {"POST /e/./id/xhr", "", 0, NOT_FOUND},
      {"POST /e/../id/xhr", "", 0, NOT_FOUND},
      {"POST /e/0/i.d/xhr", "", 0, NOT_FOUND},
      {"POST /e/0./id/xhr", "", 0, NOT_FOUND},
      {"POST /e/0/id./xhr", "", 0, NOT_FOUND},
      {"POST /e/0/.id/xhr", "", 0, NOT_FOUND},
      {"POST /e/0/i;d/xhr", "", 0, NOT_FOUND},
      {"POST /e/0;x/id/xhr", "", 0, NOT_FOUND},
      {"POST /e/0/none/xhr_send", "[\"x\"]", 0, NOT_FOUND},
      {"POST /e/0/none/jsonp_send", "[\"x\"]", 0, NOT_FOUND},
      {"POST /e/0/none/xhr_send", "[\"x", 0, NOT_FOUND},
      {"POST /e/0/none/xhr_send", "", 0, NOT_FOUND},
      {"POST /e/0/none/xhr_send\r\nOrigin: https://a.example", "[\"x\"]", 0,
       404, REFUSED, "Not Found\n", true},
      {"POST /e/0/ID/xhr_send", "[\"x\"]", 0, NOT_FOUND},
      {"POST /e/0/%69d/xhr_send", "[\"x\"]", 0, NOT_FOUND},
      {"POST /e/0/id%00/xhr_send", "[\"x\"]", 0, NOT_FOUND},
      {"POST /e/0/id%2e/xhr_send", "[\"x\"]", 0, NOT_FOUND},
      {"POST /e/0/i/xhr_send", "[\"x\"]", 0, NOT_FOUND},
      {"POST /e/0/idd/xhr_send", "[\"x\"]", 0, NOT_FOUND},
      {"POST /small/0/good/xhr_send", "[\"x\"]", 0, NOT_FOUND},
      {"POST /s/0/good/xhr_send", "[\"x\"]", 0, NOT_FOUND},
  };

  (void)state;
  PLAY(vectors);
}

/* ---- payloads ---- */

#define SEND_(body)                                                            \
  { POST_SEND, body, sizeof(body) - 1, BROKEN }
#define STRING(text) SEND_("[\"" text "\"]")

static void payloads(void **state) {
  static const struct vector vectors[] = {
      {POST_SEND, NULL, 0, NO_BODY},
      {POST_SEND, "", 0, NO_BODY},
      {POST_SEND, " ", 0, NO_BODY},
      {POST_SEND, "\t\r\n  ", 0, NO_BODY},
      SEND_("["),
      SEND_("]"),
      SEND_("{"),
      SEND_("}"),
      SEND_("{}"),
      SEND_(","),
      SEND_("[{}]"),
      SEND_("[[]]"),
      SEND_("[[\"a\"]]"),
      SEND_("[\"a\",[\"b\"]]"),
      SEND_("[[[[[[[[[[[[[[[[[[[[\"a\"]]]]]]]]]]]]]]]]]]]]"),
      SEND_("null"),
      SEND_("true"),
      SEND_("false"),
      SEND_("0"),
      SEND_("-1"),
      SEND_("1e5"),
      SEND_("NaN"),
      SEND_("undefined"),
      SEND_("\"a\""),
      SEND_("[null]"),
      SEND_("[true]"),
      SEND_("[0]"),
      SEND_("[-]"),
      SEND_("[\"a\",0]"),
      SEND_("[\"a\",null]"),
      SEND_("[\"a\" \"b\"]"),
      SEND_("[\"a\",]"),
      SEND_("[\"a\", ]"),
      SEND_("[,\"a\"]"),
      SEND_("[,]"),
      SEND_("[\"a\",,\"b\"]"),
      SEND_("[\"a\";\"b\"]"),
      SEND_("[\"a\":\"b\"]"),
      SEND_("{\"0\":\"a\"}"),
      SEND_("[\"a\"\"b\"]"),
      SEND_("[\"a\""),
      SEND_("[\"a\","),
      SEND_("[\"a"),
      SEND_("[\""),
      SEND_("[\"a\\"),
      SEND_("[\"a\\\""),
      SEND_("[\"a\\\"]"),
      SEND_("[\"\\u004"),
      SEND_("[\"a\"]]"),
      SEND_("[\"a\"]x"),
      SEND_("[\"a\"][\"b\"]"),
      SEND_("[\"a\"],"),
      SEND_("[\"a\"]\""),
      SEND_("x[\"a\"]"),
      SEND_("['a']"),
      SEND_("[`a`]"),
      SEND_("[a]"),
      SEND_("(\"a\")"),
      SEND_("[\"a\")"),
      SEND_("/**/[\"a\"]"),
      SEND_("[\"a\"]//"),
      SEND_("[/**/]"),
      SEND_("[\"a\"/**/]"),
      SEND_("\f[\"a\"]"),
      SEND_("[\v\"a\"]"),
      SEND_("\xc2\xa0[\"a\"]"),
      SEND_("\xef\xbb\xbf[\"a\"]"),
      SEND_("[\"a\"]\xef\xbb\xbf"),
      SEND_("\xe2\x80\xa8[\"a\"]"),
      SEND_("\xfe\xff\0[\0\"\0a\0\"\0]"),
      SEND_("[\0\"\0a\0\"\0]\0"),
      SEND_("[\"a\"]\0"),
      SEND_("\0[\"a\"]"),
      SEND_("a[\"b\"]\n"),
      SEND_("c[3000,\"Go away!\"]"),
      SEND_("o"),
      SEND_("h"),
      SEND_("d=%5B%22x%22%5D"),
      STRING("\0"),
      STRING("\x01"),
      STRING("\x08"),
      STRING("\t"),
      STRING("\n"),
      STRING("\r"),
      STRING("\x0b"),
      STRING("\x1b"),
      STRING("\x1f"),
      STRING("a\nb"),
      STRING("\\a"),
      STRING("\\'"),
      STRING("\\0"),
      STRING("\\v"),
      STRING("\\x41"),
      STRING("\\U0041"),
      STRING("\\ "),
      STRING("\\\n"),
      STRING("\\\xc3\xa9"),
      STRING("\\u"),
      STRING("\\u0"),
      STRING("\\u00"),
      STRING("\\u004"),
      STRING("\\u004g"),
      STRING("\\u00G1"),
      STRING("\\u+041"),
      STRING("\\u 041"),
      STRING("\\u-041"),
      STRING("\\u{41}"),
      STRING("\\u004\0"),
      STRING("\\ud83d\\u"),
      STRING("\\ud83d\\ude0"),
      STRING("\x80"),
      STRING("\xbf"),
      STRING("\xc0\x80"),
      STRING("\xc1\xbf"),
      STRING("\xc2"),
      STRING("\xc2"
             "a"),
      STRING("\xc3\x28"),
      STRING("\xe0\x80\x80"),
      STRING("\xe0\x9f\xbf"),
      STRING("\xe2\x82"),
      STRING("\xe2\x28\xa1"),
      STRING("\xed\xa0\x80"),
      STRING("\xed\xaf\xbf"),
      STRING("\xed\xb0\x80"),
      STRING("\xed\xbf\xbf"),
      STRING("\xed\xa0\xbd\xed\xb8\x80"),
      STRING("\xef\xbf"),
      STRING("\xf0\x80\x80\x80"),
      STRING("\xf0\x8f\xbf\xbf"),
      STRING("\xf0\x9f\x98"),
      STRING("\xf0\x28\x8c\xbc"),
      STRING("\xf4\x90\x80\x80"),
      STRING("\xf5\x80\x80\x80"),
      STRING("\xf8\x88\x80\x80\x80"),
      STRING("\xfc\x84\x80\x80\x80\x80"),
      STRING("\xfe"),
      STRING("\xff"),
      STRING("\\u0041\xff"),
      STRING("\xe2\\u0080\xa8"),
      SEND_("[\"good\",\"\xff\"]"),
      SEND_("[\"good\",\"\\q\"]"),
      SEND_("[\"good\",\"better\",]"),
      SEND_("[\"\xe2\x80"),
  };

  (void)state;
  PLAY(vectors);
}

/* ---- forms ---- */

#define FORM_(body)                                                            \
  { JSONP_SEND FORM, body, sizeof(body) - 1, BROKEN }

static void forms(void **state) {
  static const struct vector vectors[] = {
      {JSONP_SEND FORM, NULL, 0, NO_BODY},
      {JSONP_SEND FORM, "", 0, NO_BODY},
      {JSONP_SEND FORM, "d", 0, NO_BODY},
      {JSONP_SEND FORM, "d=", 0, NO_BODY},
      {JSONP_SEND FORM, "d=+%20%0a", 0, NO_BODY},
      {JSONP_SEND FORM, "p=%5B%22x%22%5D", 0, NO_BODY},
      {JSONP_SEND FORM, "D=%5B%22x%22%5D", 0, NO_BODY},
      {JSONP_SEND FORM, "dd=%5B%22x%22%5D", 0, NO_BODY},
      {JSONP_SEND FORM, "=%5B%22x%22%5D", 0, NO_BODY},
      {JSONP_SEND FORM, "[\"x\"]", 0, NO_BODY},
      {JSONP_SEND FORM, "&&&", 0, NO_BODY},
      {JSONP_SEND FORM, "d=&d=%5B%22x%22%5D", 0, NO_BODY},
      FORM_("d=%5B%22x"),
      FORM_("d=%5B%22x%22%5"),
      FORM_("d=%5B%22x%22%5D%"),
      FORM_("d=%5B%22x%22%5G"),
      FORM_("d=%5B%22%"),
      FORM_("d=%5B%22x%22%5D%0"),
      FORM_("d=%5B%22%00%22%5D"),
      FORM_("d=%5B%22%ff%22%5D"),
      FORM_("d=%5B%22%c3%28%22%5D"),
      FORM_("d=%255B%2522x%2522%255D"),
      FORM_("d=%5B%22x%22%5D=1"),
      FORM_("d=%5B%22x%22%5D;d=1"),
      FORM_("d==%5B%22x%22%5D"),
      FORM_("d=x%5B%22x%22%5D"),
      FORM_("a=%zz&d=%5B%22x%22%5D"),
      FORM_("%d=%5B%22x%22%5D"),
      FORM_("d=%u005B%u0022"),
      FORM_("d=%5B%22\0%22%5D"),
      /* Of no form the body is taken as it is. */
      {JSONP_SEND, "d=%5B%22x%22%5D", 0, BROKEN},
      {JSONP_SEND "\r\nContent-Type: multipart/form-data", "d=[\"x\"]", 0,
       BROKEN},
      {JSONP_SEND "\r\nContent-Type: application/x-www-form-urlencodedx",
       "d=%5B%22x%22%5D", 0, BROKEN},
      {JSONP_SEND "\r\nContent-Type: text/plain", "", 0, NO_BODY},
      /* And of xhr_send always. */
      {POST_SEND FORM, "d=%5B%22x%22%5D", 0, BROKEN},
  };

  (void)state;
  PLAY(vectors);
}

/* ---- callbacks ---- */

#define CALL(way, name) "GET /e/0/new/" way "?c=" name

static void callbacks(void **state) {
  static const struct vector vectors[] = {
      {"GET /e/0/new/jsonp", NULL, 0, NO_NAME},
      {"GET /e/0/new/jsonp?", NULL, 0, NO_NAME},
      {"GET /e/0/new/jsonp?c", NULL, 0, NO_NAME},
      {"GET /e/0/new/jsonp?callback=f", NULL, 0, NO_NAME},
      {"GET /e/0/new/jsonp?C=f", NULL, 0, NO_NAME},
      {"GET /e/0/new/htmlfile", NULL, 0, NO_NAME},
      {CALL("jsonp", ""), NULL, 0, NO_NAME},
      {CALL("jsonp", "&c=f"), NULL, 0, NO_NAME},
      {CALL("htmlfile", ""), NULL, 0, NO_NAME},
      {CALL("jsonp", "%20"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "*"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "abc("), NULL, 0, BAD_NAME},
      {CALL("jsonp", "abc%28"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "alert(1)//"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "f;alert"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "%3Cscript%3E"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "<script>"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "f%0d%0aSet-Cookie:x"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "f%0a"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "f%00"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "%00"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "f%"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "f%6"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "f%zz"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "f[0]"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "f['x']"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "a-b"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "1f"), NULL, 0, BAD_NAME},
      {CALL("jsonp", ".f"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "f."), NULL, 0, BAD_NAME},
      {CALL("jsonp", "f..g"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "f.1"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "f%2b"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "f+g"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "f%e2%80%a8"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "%C3%A9"), NULL, 0, BAD_NAME},
      {CALL("jsonp",
            "CWSMIKI0hCD0Up0IbyDnnnnnnnnnnnnnnnnnnUU5nnnnnn3Snn7iiudIbEAt3"
            "33swW0s"),
       NULL, 0, BAD_NAME}, /* the beginning of a Flash film: too long */
      {CALL("jsonp", C64 "x"), NULL, 0, BAD_NAME},
      {CALL("jsonp", "x" C64), NULL, 0, BAD_NAME},
      {CALL("jsonp", "x" C64 C64 C64 C64 C64), NULL, 0, BAD_NAME},
      {CALL("htmlfile", "x" C64), NULL, 0, BAD_NAME},
      {CALL("htmlfile", "f%22"), NULL, 0, BAD_NAME},
      {CALL("htmlfile", "f%3C/script%3E"), NULL, 0, BAD_NAME},
      {CALL("htmlfile", "f;alert"), NULL, 0, BAD_NAME},
      {CALL("htmlfile", "f%0aalert"), NULL, 0, BAD_NAME},
      {CALL("htmlfile", "a=b"), NULL, 0, BAD_NAME},
  };

  (void)state;
  PLAY(vectors);
}

/* ---- origins ---- */

#define ORIGIN(origin) "POST /e/0/id/xhr_send\r\nOrigin: " origin

static void origins(void **state) {
  static const struct vector vectors[] = {
      {ORIGIN("https://evil.example"), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN("null"), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN("NULL"), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN(""), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN("test"), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN("*"), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN("http://a.example"), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN("https://a.example:444"), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN("https://a.example/"), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN("https://a.example."), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN("https://xa.example"), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN("https://b.a.example"), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN("https://a.example.evil.example"), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN("https://a.example@evil.example"), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN("https://a.example evil"), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN("https://a.example, https://evil.example"), "[\"x\"]", 0,
       FORBIDDEN},
      {ORIGIN("https://evil.example\r\nOrigin: https://a.example"), "[\"x\"]",
       0, FORBIDDEN},
      {ORIGIN("javascript:alert(1)"), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN("https://a.example%00"), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN("\xff"), "[\"x\"]", 0, FORBIDDEN},
      {ORIGIN("https://evil.example"), "[\"x", 0, FORBIDDEN},
      {"OPTIONS /e/0/id/xhr\r\nOrigin: https://evil.example", NULL, 0,
       FORBIDDEN},
      {"OPTIONS /e/info\r\nOrigin: null", NULL, 0, FORBIDDEN},
      {"GET /e/info\r\nOrigin: https://evil.example", NULL, 0, FORBIDDEN},
      {"POST /e/0/new/xhr\r\nOrigin: https://evil.example", "", 0, FORBIDDEN},
      {"GET /e/0/new/jsonp?c=f\r\nReferer: https://evil.example/", NULL, 0,
       FORBIDDEN},
      {"GET /e/0/new/jsonp?c=f\r\nReferer: x", NULL, 0, FORBIDDEN},
      {"GET /e/0/new/jsonp?c=f\r\nSec-Fetch-Site: cross-site", NULL, 0,
       FORBIDDEN},
      {"GET /e/0/new/jsonp?c=%3c\r\nReferer: https://evil.example/", NULL, 0,
       FORBIDDEN},
      {"GET /e/0/new/htmlfile?c=f\r\nSec-Fetch-Site: same-site", NULL, 0,
       FORBIDDEN},
      /* Of an origin that is let in, everything else may be read. */
      {ORIGIN("https://a.example"), "[\"x", 0, 500, REFUSED,
       "Broken JSON encoding.\n", true},
      {ORIGIN("https://a.example"), "", 0, 500, REFUSED, "Payload expected.\n",
       true},
      {"GET /e/x\r\nOrigin: https://a.example", NULL, 0, 404, REFUSED,
       "Not Found\n", true},
      {"GET /e/x\r\nOrigin: https://evil.example", NULL, 0, NOT_FOUND},
      {"GET /e/0/id/xhr\r\nOrigin: https://a.example", NULL, 0, 405, METHOD,
       "OPTIONS, POST", false},
  };

  (void)state;
  PLAY(vectors);
}

/* ---- how a body comes ---- */

#define B10 "          "
#define B21 B10 B10 " "
#define RAW(path, fields, bytes)                                               \
  "POST " path " HTTP/1.1\r\n" fields "\r\n\r\n" bytes

static void bodies(void **state) {
  static const struct vector vectors[] = {
      {POST_SEND "\r\nTransfer-Encoding: chunked", NULL, 0, 411, REFUSED_,
       "Length Required\n", false},
      {POST_SEND "\r\nTransfer-Encoding: identity", NULL, 0, 411, REFUSED_,
       "Length Required\n", false},
      {POST_SEND "\r\nTransfer-Encoding:", NULL, 0, 411, REFUSED_,
       "Length Required\n", false},
      {POST_SEND "\r\nTransfer-Encoding: chunked", "[\"x\"]", 0, 411, REFUSED_,
       "Length Required\n", false},
      {POST_SEND "\r\nTransfer-Encoding: xchunked", "", 0, 411, REFUSED_,
       "Length Required\n", false},
      {"POST /e/0/id/xhr\r\nTransfer-Encoding: chunked", NULL, 0, 411, REFUSED_,
       "Length Required\n", false},
      {"GET /e\r\nTransfer-Encoding: chunked", NULL, 0, 411, REFUSED_,
       "Length Required\n", false},
      {"GET /e/info\r\nTransfer-Encoding: gzip, chunked", NULL, 0, 411,
       REFUSED_, "Length Required\n", false},
      {"POST /e/0/none/xhr_send\r\nTransfer-Encoding: chunked", NULL, 0, 404,
       REFUSED_, "Not Found\n", false},
      {"OPTIONS /e/info\r\nTransfer-Encoding: chunked", NULL, 0, 411, REFUSED_,
       "Length Required\n", false},
      {POST_SEND "\r\nContent-Length: -1", NULL, 0, 400, REFUSED_,
       "Bad Request\n", false},
      {POST_SEND "\r\nContent-Length: +5", NULL, 0, 400, REFUSED_,
       "Bad Request\n", false},
      {POST_SEND "\r\nContent-Length: 5x", NULL, 0, 400, REFUSED_,
       "Bad Request\n", false},
      {POST_SEND "\r\nContent-Length: 0x5", NULL, 0, 400, REFUSED_,
       "Bad Request\n", false},
      {POST_SEND "\r\nContent-Length: 5, 5", NULL, 0, 400, REFUSED_,
       "Bad Request\n", false},
      {POST_SEND "\r\nContent-Length: 5 5", NULL, 0, 400, REFUSED_,
       "Bad Request\n", false},
      {POST_SEND "\r\nContent-Length: 1e1", NULL, 0, 400, REFUSED_,
       "Bad Request\n", false},
      {POST_SEND "\r\nContent-Length:", NULL, 0, 400, REFUSED_, "Bad Request\n",
       false},
      {POST_SEND "\r\nContent-Length: \xd9\xa5", NULL, 0, 400, REFUSED_,
       "Bad Request\n", false},
      {POST_SEND "\r\nContent-Length: 5\r\nContent-Length: 5", NULL, 0, BAD},
      {POST_SEND "\r\nContent-Length: 5\r\ncontent-length: 0", NULL, 0, BAD},
      {POST_SEND "\r\nContent-Length : 5", NULL, 0, BAD},
      {POST_SEND "\r\nContent-Length: 1048577", NULL, 0, TOO_BIG},
      {POST_SEND "\r\nContent-Length: 18446744073709551616", NULL, 0, TOO_BIG},
      {POST_SEND "\r\nContent-Length: 99999999999999999999999", NULL, 0,
       TOO_BIG},
      {POST_SEND "\r\nContent-Length: 18446744073709551615", NULL, 0, TOO_BIG},
      {POST_SEND "\r\nExpect: 100-continue", "[\"x\"]", 0, 417, REFUSED_,
       "Expectation Failed\n", false},
      {POST_SEND "\r\nExpect: x", NULL, 0, 417, REFUSED_,
       "Expectation Failed\n", false},
      {"POST /small/0/id/xhr_send", B21, 0, TOO_BIG},
      {"POST /small/0/id/xhr_send", B10 B10, 0, NO_BODY},
      {"POST /small/0/id/xhr_send", B10 "         ", 0, NO_BODY},
      {"POST /small/0/id/jsonp_send", B21, 0, TOO_BIG},
      {"POST /small/0/id/xhr_send\r\nOrigin: https://a.example", B21, 0, 413,
       REFUSED_, "Content Too Large\n", true},
      {"POST /small/0/none/xhr_send\r\nContent-Length: 32769", NULL, 0, 404,
       REFUSED_, "Not Found\n", false},
      {"POST /s/0/id/xhr_send\r\nContent-Length: 32769", NULL, 0, TOO_BIG},
      {"POST /e/0/id/xhr\r\nContent-Length: 32769", NULL, 0, TOO_BIG},
      {"POST /e\r\nContent-Length: 32769", NULL, 0, 405, METHOD_, "GET", false},
      {"GET /e/x\r\nContent-Length: 32769", NULL, 0, 404, REFUSED_,
       "Not Found\n", false},
      /* Requests inside of bodies. */
      {"GET /e/x", "POST /e/0/evil2/xhr HTTP/1.1\r\nHost: h\r\n\r\n", 0,
       NOT_FOUND},
      {POST_SEND, "POST /e/0/evil2/xhr HTTP/1.1\r\nHost: h\r\n\r\n", 0, BROKEN},
      {"DELETE /e/0/id/xhr", "POST /e/0/evil2/xhr HTTP/1.1\r\nHost: h\r\n\r\n",
       0, 405, METHOD, "OPTIONS, POST", false},
      {"POST /e/0/none/xhr_send",
       "POST /e/0/evil2/xhr HTTP/1.1\r\nHost: h\r\n\r\n", 0, NOT_FOUND},
      {"POST /e/0/id/xhr_send\r\nOrigin: https://evil.example",
       "POST /e/0/evil2/xhr HTTP/1.1\r\nHost: h\r\n\r\n", 0, FORBIDDEN},
      {"POST /small/0/id/xhr_send",
       "POST /e/0/evil2/xhr HTTP/1.1\r\nHost: h\r\n\r\n", 0, TOO_BIG},
      {POST_SEND "\r\nTransfer-Encoding: chunked",
       "0\r\n\r\nPOST /e/0/evil2/xhr HTTP/1.1\r\nHost: h\r\n\r\n", 0, 411,
       REFUSED_, "Length Required\n", false},
      {"POST /e/0/id/websocket",
       "POST /e/0/evil2/xhr HTTP/1.1\r\nHost: h\r\n\r\n", 0, 405, METHOD_,
       "GET", false},
  };

  (void)state;
  PLAY(vectors);
}

/* ---- more receivers than one ---- */

static void second_receivers(void **state) {
  static const char c2010[] = "c[2010,\"Another connection still open\"]";
  static const struct {
    const char *method;
    const char *way;
    const char *before;
    const char *after;
  } ways[] = {{"POST", "xhr", "", "\n"},
              {"POST", "xhr_streaming", NULL, "\n"},
              {"GET", "eventsource", "\r\ndata: ", "\r\n\r\n"}};
  char path[40], body[3000], prelude[2051];
  struct peer first;
  size_t i, j;

  (void)state;
  memset(prelude, 'h', 2048);
  strcpy(prelude + 2048, "\n");
  for (i = 0; i < 3; i++) {
    open_host();
    snprintf(path, sizeof(path), "/e/0/id/%s", ways[i].way);
    peer_begin(&first, &host, ways[i].method, path, "", NULL);
    assert_false(peer_answer(&first)->whole);
    for (j = 0; j < 3; j++) {
      snprintf(path, sizeof(path), "/e/0/id/%s", ways[j].way);
      snprintf(body, sizeof(body), "%s%s%s",
               ways[j].before != NULL ? ways[j].before : prelude, c2010,
               ways[j].after);
      expect_once(&host, ways[j].method, path, "", NULL, 200, body);
    }
    expect_once(
        &host, "GET", "/e/0/id/jsonp?c=f", "", NULL, 200,
        "/**/f(\"c[2010,\\\"Another connection still open\\\"]\");\r\n");
    expect_once(&host, "POST", "/e/0/id/xhr_send", "", "[\"x\"]", 204, "");
    assert_non_null(strstr(peer_hear(&first), "a[\"x\"]"));
    expect_neighbour();
    peer_leave(&first);
    host_end(&host);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(paths_and_methods),
      cmocka_unit_test(ids),
      cmocka_unit_test(payloads),
      cmocka_unit_test(forms),
      cmocka_unit_test(callbacks),
      cmocka_unit_test(origins),
      cmocka_unit_test(bodies),
      cmocka_unit_test(second_receivers),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
