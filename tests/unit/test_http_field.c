#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "http_head.h"

static struct sbk_config config;
static sbk__http_head head;

static int setup(void **state) {
  (void)state;
  config = http_limits();
  sbk__http_head_init(&head, sbk__mem_default(), &config);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  sbk__http_head_clear(&head);
  return 0;
}

/* A whole request of these field lines. */
static void read_fields(const char *method, const char *lines) {
  char text[8192];

  snprintf(text, sizeof(text), "%s /ws HTTP/1.1\r\n%s\r\n", method, lines);
  sbk__http_head_clear(&head);
  if (http_read(&head, sbk__mem_default(), &config, text) != 1) {
    fail_msg("no request: %s", text);
  }
}

static void gives_the_first_field_of_a_name_in_any_case(void **state) {
  (void)state;
  read_fields("GET", "Host: a\r\nX-a: 1\r\nx-A: 2\r\nX-Ab: 3\r\nEmpty:\r\n");
  assert_string_equal(sbk__http_field_get(&head, "X-A"), "1");
  assert_string_equal(sbk__http_field_get(&head, "x-ab"), "3");
  assert_string_equal(sbk__http_field_get(&head, "HOST"), "a");
  assert_string_equal(sbk__http_field_get(&head, "empty"), "");
  assert_null(sbk__http_field_get(&head, "X"));
  assert_null(sbk__http_field_get(&head, ""));
  assert_null(sbk__http_field_get(&head, "X-Abc"));
}

static void finds_tokens_in_lists(void **state) {
  (void)state;
  read_fields("GET", "Host: a\r\nConnection: keep-alive ,\tUpgrade,,x\r\n"
                     "connection: Last\r\nOther: not-this\r\n");
  assert_true(sbk__http_field_has(&head, "Connection", "upgrade"));
  assert_true(sbk__http_field_has(&head, "CONNECTION", "KEEP-ALIVE"));
  assert_true(sbk__http_field_has(&head, "Connection", "x"));
  assert_true(sbk__http_field_has(&head, "Connection", "last"));
  assert_false(sbk__http_field_has(&head, "Connection", "keep"));
  assert_false(sbk__http_field_has(&head, "Connection", "alive"));
  assert_false(sbk__http_field_has(&head, "Connection", "upgrade,"));
  assert_false(sbk__http_field_has(&head, "Connection", "upgradex"));
  assert_false(sbk__http_field_has(&head, "Connection", "not-this"));
  assert_false(sbk__http_field_has(&head, "Absent", "upgrade"));
}

static int body_len(const char *lines, size_t *len) {
  char text[256];

  snprintf(text, sizeof(text), "Host: a\r\n%s", lines);
  read_fields("POST", text);
  return sbk__http_body_len(&head, head.limits->max_request_body, len);
}

static void knows_how_long_the_body_is(void **state) {
  size_t len = 9;

  (void)state;
  assert_int_equal(body_len("", &len), 0);
  assert_int_equal(len, 0);
  assert_int_equal(body_len("Content-Length: 0\r\n", &len), 0);
  assert_int_equal(len, 0);
  assert_int_equal(body_len("content-length:\t00123 \r\n", &len), 0);
  assert_int_equal(len, 123);
}

static void max_request_body_below_at_and_above(void **state) {
  size_t len = 9;

  (void)state;
  assert_int_equal(body_len("Content-Length: 65535\r\n", &len), 0);
  assert_int_equal(len, 65535);
  assert_int_equal(body_len("Content-Length: 65536\r\n", &len), 0);
  assert_int_equal(len, 65536);
  assert_int_equal(body_len("Content-Length: 65537\r\n", &len), -413);
  assert_int_equal(body_len("Content-Length: 18446744073709551616\r\n", &len),
                   -413);
  assert_int_equal(
      body_len("Content-Length: 99999999999999999999999999999999999\r\n", &len),
      -413);
  assert_int_equal(len, 65536);
}

static void refuses_lengths_that_are_no_numbers(void **state) {
  static const char *const values[] = {"",     "-1",
                                       "+1",   "1,1",
                                       "1, 1", "0x10",
                                       "1e3",  "1 1",
                                       "1.0",  "abc",
                                       "1abc", "1;",
                                       "\xb2", "99999999999999999999999999x"};
  char line[64];
  size_t i, len = 9;

  (void)state;
  for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
    snprintf(line, sizeof(line), "Content-Length: %s\r\n", values[i]);
    if (body_len(line, &len) != -400) {
      fail_msg("%s", line);
    }
  }
  assert_int_equal(len, 9);
}

static void refuses_encodings_and_expectations(void **state) {
  size_t len = 9;

  (void)state;
  assert_int_equal(body_len("Transfer-Encoding: chunked\r\n", &len), -411);
  assert_int_equal(body_len("Transfer-Encoding: identity\r\n", &len), -411);
  assert_int_equal(body_len("Transfer-Encoding:\r\n", &len), -411);
  assert_int_equal(
      body_len("Content-Length: 5\r\ntransfer-encoding: chunked\r\n", &len),
      -411);
  assert_int_equal(body_len("Expect: 100-continue\r\n", &len), -417);
  assert_int_equal(
      body_len("Content-Length: 5\r\nExpect: 100-continue\r\n", &len), -417);
  assert_int_equal(
      body_len("Content-Length: 99999\r\nExpect: 100-continue\r\n", &len),
      -413);
  assert_int_equal(len, 9);
}

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define V13 "Sec-WebSocket-Version: 13\r\n"
#define UP  "Upgrade: websocket\r\nConnection: Upgrade\r\n"

static void check_upgrade(const char *method, const char *lines, int want) {
  int rv;

  read_fields(method, lines);
  rv = sbk__http_check_upgrade(&head);
  if (rv != want) {
    fail_msg("%d, not %d: %s", rv, want, lines);
  }
}

static void lets_websockets_through(void **state) {
  (void)state;
  check_upgrade("GET", "Host: a\r\n" UP KEY V13, 0);
  check_upgrade("GET",
                "Host: a:80\r\nupgrade: h2c, WebSocket\r\n"
                "connection: keep-alive, upgrade\r\n" KEY V13,
                0);
  check_upgrade("GET",
                "Host: a\r\nUpgrade: WEBSOCKET\r\nConnection: keep-alive\r\n"
                "Connection: UPGRADE\r\n" KEY V13,
                0);
}

static void other_methods_are_not_allowed(void **state) {
  (void)state;
  check_upgrade("POST", "Host: a\r\n" UP KEY V13, -405);
  check_upgrade("get", "Host: a\r\n" UP KEY V13, -405);
  check_upgrade("GETX", "Host: a\r\n" UP KEY V13, -405);
  check_upgrade("OPTIONS", "Host: a\r\n", -405);
}

static void refuses_to_upgrade_http_1_0(void **state) {
  (void)state;
  sbk__http_head_clear(&head);
  assert_int_equal(http_read(&head, sbk__mem_default(), &config,
                             "GET /ws HTTP/1.0\r\nHost: a\r\n" UP KEY V13
                             "\r\n"),
                   1);
  assert_int_equal(sbk__http_check_upgrade(&head), -400);
  sbk__http_head_clear(&head);
  assert_int_equal(http_read(&head, sbk__mem_default(), &config,
                             "POST /ws HTTP/1.0\r\nHost: a\r\n\r\n"),
                   1);
  assert_int_equal(sbk__http_check_upgrade(&head), -405);
}

static void refuses_what_asks_for_no_websocket(void **state) {
  (void)state;
  check_upgrade("GET", "Host: a\r\n", -400);
  check_upgrade("GET", "Host: a\r\nConnection: Upgrade\r\n" KEY V13, -400);
  check_upgrade("GET", "Host: a\r\nUpgrade: websocket\r\n" KEY V13, -400);
  check_upgrade("GET",
                "Host: a\r\nUpgrade: websockets\r\n"
                "Connection: Upgrade\r\n" KEY V13,
                -400);
  check_upgrade("GET",
                "Host: a\r\nUpgrade: websocket/13\r\n"
                "Connection: Upgrade\r\n" KEY V13,
                -400);
  check_upgrade("GET",
                "Host: a\r\nUpgrade: websocket\r\n"
                "Connection: keep-alive\r\n" KEY V13,
                -400);
  check_upgrade("GET", "Host: a\r\nUpgrade:\r\nConnection: Upgrade\r\n" KEY V13,
                -400);
  check_upgrade("GET", "Host:\r\n" UP KEY V13, -400);
}

static void refuses_bodies_on_an_upgrade(void **state) {
  (void)state;
  check_upgrade("GET", "Host: a\r\nContent-Length: 0\r\n" UP KEY V13, -400);
  check_upgrade("GET", "Host: a\r\nContent-Length: 5\r\n" UP KEY V13, -400);
  check_upgrade("GET", "Host: a\r\nTransfer-Encoding: chunked\r\n" UP KEY V13,
                -400);
  check_upgrade("GET", "Host: a\r\nTransfer-Encoding: x\r\n" UP KEY V13, -400);
}

static void refuses_bad_keys(void **state) {
  static const char *const keys[] = {"",
                                     "abc",
                                     "dGhlIHNhbXBsZSBub25jZQ=",
                                     "dGhlIHNhbXBsZSBub25jZQ==x",
                                     "dGhlIHNhbXBsZSBub25jZ===",
                                     "dGhlIHNhbXBsZSBub25jZQAA",
                                     "dGhlIHNhbXBsZSBub25jZR=="};
  char text[256];
  size_t i;

  (void)state;
  check_upgrade("GET", "Host: a\r\n" UP V13, -400);
  for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
    snprintf(text, sizeof(text),
             "Host: a\r\n" UP V13 "Sec-WebSocket-Key: %s\r\n", keys[i]);
    check_upgrade("GET", text, -400);
  }
}

static void names_its_version_to_others(void **state) {
  static const char *const versions[] = {"8",   "7",     "0",   "14", "013",
                                         "13.", "13, 8", "1 3", "",   "xiii"};
  char text[256];
  size_t i;

  (void)state;
  check_upgrade("GET", "Host: a\r\n" UP KEY, -426);
  /* older drafts had other keys */
  check_upgrade("GET", "Host: a\r\n" UP "Sec-WebSocket-Version: 8\r\n", -426);
  for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
    snprintf(text, sizeof(text),
             "Host: a\r\n" UP KEY "Sec-WebSocket-Version: %s\r\n", versions[i]);
    check_upgrade("GET", text, -426);
  }
}

static const char *protocol(const char *lines) {
  char text[512];

  snprintf(text, sizeof(text), "Host: a\r\n%s", lines);
  read_fields("GET", text);
  return sbk__http_stomp_protocol(&head);
}

#define PROTOCOL "Sec-WebSocket-Protocol: "

static void chooses_the_highest_stomp_protocol(void **state) {
  (void)state;
  assert_string_equal(protocol(PROTOCOL "v12.stomp\r\n"), "v12.stomp");
  assert_string_equal(protocol(PROTOCOL "v10.stomp, v11.stomp, v12.stomp\r\n"),
                      "v12.stomp");
  assert_string_equal(protocol(PROTOCOL "v10.stomp,v11.stomp\r\n"),
                      "v11.stomp");
  assert_string_equal(protocol(PROTOCOL "mqtt, v10.stomp\r\n"), "v10.stomp");
  assert_string_equal(
      protocol(PROTOCOL "v10.stomp\r\n" PROTOCOL "v12.stomp\r\n"), "v12.stomp");
  assert_string_equal(protocol(PROTOCOL "V11.STOMP\r\n"), "v11.stomp");
}

static void chooses_no_protocol_it_does_not_know(void **state) {
  (void)state;
  assert_null(protocol(""));
  assert_null(protocol(PROTOCOL "\r\n"));
  assert_null(
      protocol(PROTOCOL "stomp, v13.stomp, v12.stompx, xv12.stomp\r\n"));
  assert_null(protocol("X-" PROTOCOL "v12.stomp\r\n"));
}

/* RFC 9110, 15, and RFC 6585. */
static void names_the_reasons(void **state) {
  static const int named[] = {100, 101, 200, 201, 202, 203, 204, 205, 206, 300,
                              301, 302, 303, 304, 305, 307, 308, 400, 401, 402,
                              403, 404, 405, 406, 407, 408, 409, 410, 411, 412,
                              413, 414, 415, 416, 417, 421, 422, 426, 428, 429,
                              431, 500, 501, 502, 503, 504, 505, 511};
  size_t at = 0;
  int status;

  (void)state;
  assert_string_equal(sbk__http_reason(101), "Switching Protocols");
  assert_string_equal(sbk__http_reason(200), "OK");
  assert_string_equal(sbk__http_reason(404), "Not Found");
  assert_string_equal(sbk__http_reason(426), "Upgrade Required");
  assert_string_equal(sbk__http_reason(431), "Request Header Fields Too Large");
  assert_string_equal(sbk__http_reason(503), "Service Unavailable");
  assert_string_equal(sbk__http_reason(299), "");
  assert_string_equal(sbk__http_reason(0), "");
  assert_string_equal(sbk__http_reason(-404), "");
  assert_string_equal(sbk__http_reason(428), "Precondition Required");
  assert_string_equal(sbk__http_reason(505), "HTTP Version Not Supported");
  for (status = 100; status < 600; status++) {
    const char *reason = sbk__http_reason(status);
    bool is = at < sizeof(named) / sizeof(named[0]) && named[at] == status;

    assert_true(sbk__http_is_value(reason));
    assert_int_equal(*reason != '\0', is);
    at += is;
  }
}

static void knows_a_token(void **state) {
  char text[] = "a?b";
  unsigned byte;

  (void)state;
  for (byte = 1; byte < 256; byte++) {
    bool want = byte < 128 && strchr("!#$%&'*+-.^_`|~0123456789"
                                     "abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                                     (int)byte) != NULL;

    text[1] = (char)byte;
    assert_int_equal(sbk__http_is_token(text), want);
  }
  assert_false(sbk__http_is_token(""));
}

static void knows_a_value(void **state) {
  char text[] = "a?b";
  unsigned byte;

  (void)state;
  for (byte = 1; byte < 256; byte++) {
    text[1] = (char)byte;
    assert_int_equal(sbk__http_is_value(text), byte >= 0x20 && byte != 0x7f);
  }
  assert_true(sbk__http_is_value(""));
}

static void check_query(const char *query, const char *name, const char *want) {
  char dst[64];
  int rv;

  memset(dst, 'x', sizeof(dst));
  rv = sbk__http_query_get(query, name, dst, sizeof(dst));
  if (rv < 0 || strcmp(dst, want) != 0 || (size_t)rv != strlen(want)) {
    fail_msg("%s of %s: %d", name, query, rv);
  }
}

static void check_no_query(const char *query, const char *name, int want) {
  char dst[4] = {'x', 'x', 'x', 'x'};

  assert_int_equal(sbk__http_query_get(query, name, dst, sizeof(dst)), want);
  assert_memory_equal(dst, "xxxx", 4);
}

static void finds_parameters_of_a_query(void **state) {
  (void)state;
  check_query("a=1&b=2&c=3", "a", "1");
  check_query("a=1&b=2&c=3", "b", "2");
  check_query("a=1&b=2&c=3", "c", "3");
  check_query("aa=0&a=1", "a", "1");
  check_query("a=1&a=2", "a", "1");
  check_query("a", "a", "");
  check_query("a=", "a", "");
  check_query("&&a=1&", "a", "1");
  check_query("a=1=2?", "a", "1=2?");
  check_query("b&a=1", "b", "");
}

static void decodes_values_and_names(void **state) {
  (void)state;
  check_query("a=%41+b%2B%2f%c3%A9", "a", "A b+/\xc3\xa9");
  check_query("a=x%26b%3Dy&b=z", "a", "x&b=y");
  check_query("a=x%26b%3Dy&b=z", "b", "z");
  check_query("%74oken=1", "token", "1");
  check_query("my+name=1", "my name", "1");
  check_query("%=1&a=2", "a", "2");
  check_query("%zz=1&a=2", "a", "2");
  check_query("a%00=1&a=2", "a", "2");
}

static void says_why_there_is_no_parameter(void **state) {
  (void)state;
  check_no_query(NULL, "a", SBK_ERR_NOT_FOUND);
  check_no_query("", "a", SBK_ERR_NOT_FOUND);
  check_no_query("", "", SBK_ERR_NOT_FOUND);
  check_no_query("b=a&aa=1&A=1", "a", SBK_ERR_NOT_FOUND);
  check_no_query("a=%", "a", SBK_ERR_INVAL);
  check_no_query("a=%4", "a", SBK_ERR_INVAL);
  check_no_query("a=%4&1", "a", SBK_ERR_INVAL);
  check_no_query("a=%4g", "a", SBK_ERR_INVAL);
  check_no_query("a=%-1", "a", SBK_ERR_INVAL);
  check_no_query("a=b%00c", "a", SBK_ERR_INVAL);
  check_no_query("a=12345%", "a", SBK_ERR_INVAL);
}

static void parameters_fit_or_leave_the_buffer_alone(void **state) {
  char dst[4] = "abc";

  (void)state;
  assert_int_equal(sbk__http_query_get("a=12", "a", dst, 4), 2);
  assert_int_equal(sbk__http_query_get("a=123", "a", dst, 4), 3);
  assert_string_equal(dst, "123");
  assert_int_equal(sbk__http_query_get("a=%31%32%34", "a", dst, 4), 3);
  assert_string_equal(dst, "124");
  assert_int_equal(sbk__http_query_get("a=5678", "a", dst, 4), SBK_ERR_TOO_BIG);
  assert_int_equal(sbk__http_query_get("a=", "a", NULL, 0), SBK_ERR_TOO_BIG);
  assert_string_equal(dst, "124");
}

static void check_cookie(const char *name, int want, const char *value) {
  char dst[8] = "before";
  int rv = sbk__http_cookie_get(&head, name, dst, sizeof(dst));

  if (rv != want || strcmp(dst, value) != 0) {
    fail_msg("%s: %d, %s", name, rv, dst);
  }
}

static void finds_cookies_in_all_fields(void **state) {
  (void)state;
  read_fields("GET", "Host: a\r\nCookie: a=1; b=x=y;c=\"q\" ;; d=\r\n"
                     "Cookie: a=2; e=%41+\r\ncookie: flag; =z\r\n");
  check_cookie("a", 1, "1");
  check_cookie("b", 3, "x=y");
  check_cookie("c", 3, "\"q\"");
  check_cookie("d", 0, "");
  check_cookie("e", 4, "%41+");
  check_cookie("flag", SBK_ERR_NOT_FOUND, "before");
  check_cookie("A", SBK_ERR_NOT_FOUND, "before");
  check_cookie("q", SBK_ERR_NOT_FOUND, "before");
  check_cookie("1; b", SBK_ERR_NOT_FOUND, "before");
}

static void cookies_fit_or_leave_the_buffer_alone(void **state) {
  (void)state;
  read_fields("GET", "Host: a\r\nCookie: a=123456; b=1234567; c=12345678\r\n");
  check_cookie("a", 6, "123456");
  check_cookie("b", 7, "1234567");
  check_cookie("c", SBK_ERR_TOO_BIG, "before");
  assert_int_equal(sbk__http_cookie_get(&head, "a", NULL, 0), SBK_ERR_TOO_BIG);
  read_fields("GET", "Host: a\r\n");
  check_cookie("a", SBK_ERR_NOT_FOUND, "before");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(gives_the_first_field_of_a_name_in_any_case),
      TEST(finds_tokens_in_lists),
      TEST(knows_how_long_the_body_is),
      TEST(max_request_body_below_at_and_above),
      TEST(refuses_lengths_that_are_no_numbers),
      TEST(refuses_encodings_and_expectations),
      TEST(lets_websockets_through),
      TEST(other_methods_are_not_allowed),
      TEST(refuses_to_upgrade_http_1_0),
      TEST(refuses_what_asks_for_no_websocket),
      TEST(refuses_bodies_on_an_upgrade),
      TEST(refuses_bad_keys),
      TEST(names_its_version_to_others),
      TEST(chooses_the_highest_stomp_protocol),
      TEST(chooses_no_protocol_it_does_not_know),
      TEST(names_the_reasons),
      TEST(knows_a_token),
      TEST(knows_a_value),
      TEST(finds_parameters_of_a_query),
      TEST(decodes_values_and_names),
      TEST(says_why_there_is_no_parameter),
      TEST(parameters_fit_or_leave_the_buffer_alone),
      TEST(finds_cookies_in_all_fields),
      TEST(cookies_fit_or_leave_the_buffer_alone),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
