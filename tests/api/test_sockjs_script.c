#include "requests.h"

/* What htmlfile and jsonp give to pages is a string of a script, whatever is in
 * it: read here by the strictest rules that there are. */

static struct host host;
static struct peer peer;

static int on_message(sbk_session *session, int binary, const void *text,
                      size_t len, void *arg) {
  (void)binary, (void)arg;

  return sbk_session_send(session, 0, text, len);
}

static void open_host(void) {
  static const char *const origins[] = {"https://a.example", NULL};
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  host_init(&host);
  host_open(&host);
  sockjs.htmlfile = sockjs.jsonp = 1;
  endpoint.path = "/e";
  endpoint.allowed_origins = origins;
  endpoint.message = on_message;
  endpoint.sockjs = &sockjs;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
  expect_once(&host, "POST", "/e/0/id/xhr", "", "", 200, "o\n");
}

/* A string of JavaScript between double quotes (ECMA-262, 12.9.4), held to what
 * is the same in every browser, and neither ends an element nor begins one.
 * Its bytes, and text behind the quote. */
static const char *js_string(const char *text, char *dst) {
  static const char letters[] = "\"\\bfnrt", codes[] = "\"\\\b\f\n\r\t";

  assert_int_equal(*text, '"');
  for (text++; *text != '"'; text++) {
    unsigned char c = (unsigned char)*text;
    const char *letter;
    unsigned unit;

    assert_true(c >= 0x20 && c != 0x7f);
    assert_true(strchr("<>&'", (char)c) == NULL || c == '\'');
    /* U+2028 and U+2029 end lines. */
    assert_false(strncmp(text, "\xe2\x80\xa8", 3) == 0 ||
                 strncmp(text, "\xe2\x80\xa9", 3) == 0);
    if (c != '\\') {
      *dst++ = (char)c;
      continue;
    }
    text++;
    if (*text == 'u') {
      assert_int_equal(sscanf(text + 1, "%4x", &unit), 1);
      assert_true(unit < 0x80); /* the rest is escaped in the frame itself */
      *dst++ = (char)unit;
      text += 4;
      continue;
    }
    letter = strchr(letters, *text);
    assert_true(*text != '\0' && letter != NULL);
    *dst++ = codes[letter - letters];
  }
  *dst = '\0';

  return text + 1;
}

static const char *skip_text(const char *text, const char *part) {
  assert_memory_equal(text, part, strlen(part));

  return text + strlen(part);
}

static void append_code(char **dst, unsigned code) {
  if (code < 0x80) {
    *(*dst)++ = (char)code;
  } else if (code < 0x800) {
    *(*dst)++ = (char)(0xc0 | code >> 6);
    *(*dst)++ = (char)(0x80 | (code & 0x3f));
  } else {
    *(*dst)++ = (char)(0xe0 | code >> 12);
    *(*dst)++ = (char)(0x80 | (code >> 6 & 0x3f));
    *(*dst)++ = (char)(0x80 | (code & 0x3f));
  }
}

/* The one message of a frame, `a["…"]`, as JSON.parse() has it. */
static void only_message(const char *frame, char *dst) {
  static const char letters[] = "\"\\/bfnrt", codes[] = "\"\\/\b\f\n\r\t";
  unsigned unit;

  frame = skip_text(frame, "a[\"");
  for (; *frame != '"'; frame++) {
    assert_true((unsigned char)*frame >= 0x20);
    if (*frame != '\\') {
      *dst++ = *frame;
    } else if (*++frame == 'u') {
      assert_int_equal(sscanf(frame + 1, "%4x", &unit), 1);
      append_code(&dst, unit);
      frame += 4;
    } else {
      assert_true(*frame != '\0' && strchr(letters, *frame) != NULL);
      *dst++ = codes[strchr(letters, *frame) - letters];
    }
  }
  *dst = '\0';
  assert_string_equal(frame, "\"]");
}

static const char *const hostile[] = {
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "-->",
    "]]>",
    "\");alert(1);(\"",
    "');alert(1);('",
    "\\\");alert(1);//",
    "\\",
    "\\\\",
    "\\\"",
    "\"",
    "'",
    "`${alert(1)}`",
    "\\u0022);alert(1)//",
    "\\x22",
    "&quot;);alert(1)//",
    "&#34;",
    "&lt;/script&gt;",
    "\r\nSet-Cookie: x=y\r\n\r\n",
    "\n",
    "\r",
    "\t\b\f",
    "\x01\x02\x1f\x7f",
    "\xe2\x80\xa8",
    "\xe2\x80\xa9",
    "a\xe2\x80\xa8\");alert(1)//",
    "\xef\xbf\xbf\xef\xbf\xbe",
    "\xef\xbb\xbf",
    "\xe2\x80\x8e\xe2\x80\xae",
    "\xc2\x85\xc2\xa0",
    "\xf0\x9f\x98\x80",
    "%22%3e%3c",
    "/**/f(\"o\");",
    "/*",
    "*/",
    "//",
    "<",
    ">",
    "&",
    "",
    "a",
    "+ADw-script+AD4-",
    "CWS\x07\x0e",
};

#define HOSTILE (sizeof(hostile) / sizeof(hostile[0]))

/* The host sends it; a poller and a page get it. */
static void scripts_get_strings_and_nothing_else(void **state) {
  static char frame[1000], message[1000], head[2000];
  struct answer *got;
  const char *text;
  bool whole;
  size_t i;

  (void)state;
  for (i = 0; i < HOSTILE; i++) {
    char body[1000] = "[\"";
    const char *p;

    open_host();
    for (p = hostile[i]; *p != '\0'; p++) {
      snprintf(body + strlen(body), sizeof(body) - strlen(body),
               (unsigned char)*p < 0x80 ? "\\u%04x" : "%c",
               (unsigned char)*p < 0x80 ? (unsigned)*p : (unsigned char)*p);
    }
    strcat(body, "\"]");
    /* jsonp */
    expect_once(&host, "POST", "/e/0/id/xhr_send", "", body, 204, "");
    got = once(&host, "GET", "/e/0/id/jsonp?c=a.b_1", "", NULL);
    assert_string_equal(answer_field(got, "Content-Type"),
                        "application/javascript; charset=UTF-8");
    assert_string_equal(answer_field(got, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(answer_field(got, "Content-Disposition"),
                        "attachment; filename=\"f.txt\"");
    text = skip_text(got->body, "/**/a.b_1(");
    text = js_string(text, frame);
    assert_string_equal(text, ");\r\n");
    only_message(frame, message);
    assert_string_equal(message, hostile[i]);
    /* htmlfile */
    peer_begin(&peer, &host, "GET", "/e/0/page/htmlfile?c=a.b_1", "", NULL);
    got = peer_answer(&peer);
    assert_string_equal(answer_field(got, "Content-Type"),
                        "text/html; charset=UTF-8");
    assert_string_equal(answer_field(got, "Content-Security-Policy"),
                        "frame-ancestors 'self' https://a.example");
    text = strstr(got->body, "<script>\np(");
    assert_non_null(text);
    assert_true(text - got->body > 1024);
    memcpy(head, got->body, (size_t)(text - got->body));
    head[text - got->body] = '\0';
    assert_int_equal(times(head, "a.b_1"), 1);
    assert_non_null(strstr(head, "    var c = parent.a.b_1;\n"));
    expect_once(&host, "POST", "/e/0/page/xhr_send", "", body, 204, "");
    text = skip_text(peer_more(&peer, &whole), "<script>\np(");
    text = js_string(text, frame);
    assert_string_equal(text, ");\n</script>\r\n");
    only_message(frame, message);
    assert_string_equal(message, hostile[i]);
    peer_leave(&peer);
    host_end(&host);
  }
}

static int keep_session(sbk_session *session, void *arg) {
  *(sbk_session **)arg = session;

  return 0;
}

/* 123 bytes of the host's own are as little to be trusted. */
static void reasons_of_a_close_are_in_strings_too(void **state) {
  static char frame[1000];
  struct answer *got;
  const char *text;
  size_t i;

  (void)state;
  for (i = 0; i < HOSTILE; i++) {
    sbk_session *session = NULL;

    open_host();
    sbk_each_session(host.broker, NULL, keep_session, &session);
    assert_non_null(session);
    assert_int_equal(sbk_session_close_code(session, 4000, hostile[i]), 0);
    got = once(&host, "GET", "/e/0/id/jsonp?c=f", "", NULL);
    text = js_string(skip_text(got->body, "/**/f("), frame);
    assert_string_equal(text, ");\r\n");
    assert_memory_equal(frame, "c[4000,\"", 8);
    peer_begin(&peer, &host, "GET", "/e/0/id/htmlfile?c=f", "", NULL);
    text = strstr(peer_answer(&peer)->body, "<script>\np(");
    assert_non_null(text);
    text = js_string(skip_text(text, "<script>\np("), frame);
    assert_string_equal(text, ");\n</script>\r\n");
    assert_memory_equal(frame, "c[4000,\"", 8);
    host_end(&host);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scripts_get_strings_and_nothing_else),
      cmocka_unit_test(reasons_of_a_close_are_in_strings_too),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
