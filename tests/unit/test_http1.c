#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "http_head.h"

#define HOST "Host: a.example\r\n"
#define GET  "GET /ws HTTP/1.1\r\n"

static struct sbk_config config;
static struct failing_mem memory;

static int setup(void **state) {
  (void)state;
  config = http_limits();
  failing_mem_init(&memory);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  return memory.blocks == 0 ? 0 : -1;
}

/* All that a head says, in one text. */
struct outcome {
  int rv;
  size_t used;
  char text[16384];
};

static void describe(const sbk__http_head *head, struct outcome *out) {
  const char *query = sbk__http_query(head);
  size_t i, at;

  at = (size_t)snprintf(out->text, sizeof(out->text), "%s %s %s",
                        sbk__http_method(head), sbk__http_path(head),
                        query != NULL ? query : "(none)");
  for (i = 0; i < head->field_count; i++) {
    const sbk__http_field *field = &head->fields[i];

    assert_int_equal(strlen(head->text + field->name), field->name_len);
    assert_int_equal(strlen(head->text + field->value), field->value_len);
    at += (size_t)snprintf(out->text + at, sizeof(out->text) - at, "\n%s=%s",
                           head->text + field->name, head->text + field->value);
    assert_true(at < sizeof(out->text));
  }
}

/* Pieces of step bytes, the first of which has `first`. */
static void feed(const char *data, size_t len, size_t first, size_t step,
                 struct outcome *out) {
  sbk__http_head head;
  size_t used = 0, size = first;
  char *piece;

  memset(out, 0, sizeof(*out));
  sbk__http_head_init(&head, &memory.mem, &config);
  do {
    size = size < len - out->used ? size : len - out->used;
    /* Each in memory of its own, which is gone afterwards. */
    piece = malloc(size + 1);
    assert_non_null(piece);
    memcpy(piece, data + out->used, size);
    out->rv = sbk__http_head_feed(&head, piece, size, &used);
    memset(piece, 0xa5, size);
    free(piece);
    assert_true(used <= size);
    assert_true(out->rv != 0 || used == size);
    out->used += used;
    size = step;
  } while (out->rv == 0 && out->used < len);
  if (out->rv == 1) {
    assert_int_equal(head.bytes, out->used);
    describe(&head, out);
  }
  sbk__http_head_clear(&head);
  assert_int_equal(memory.blocks, 0);
}

/* In one piece, in any two, and byte by byte: the same. */
static void feed_all_ways(const char *data, size_t len, struct outcome *out) {
  struct outcome other;
  size_t cut;

  feed(data, len, len, len, out);
  for (cut = 0; cut <= len; cut++) {
    feed(data, len, cut, cut == 0 ? 1 : len, &other);
    assert_int_equal(other.rv, out->rv);
    assert_int_equal(other.used, out->used);
    assert_string_equal(other.text, out->text);
  }
}

static int result(const char *text) {
  struct outcome out;

  feed_all_ways(text, strlen(text), &out);
  return out.rv;
}

static void check_result(const char *text, int want) {
  int rv = result(text);

  if (rv != want) {
    fail_msg("%d, not %d: %s", rv, want, text);
  }
}

static void reads_a_request_of_a_browser(void **state) {
  static const char text[] = "GET /ws/chat?room=1&x=%20 HTTP/1.1\r\n"
                             "Host: server.example.com\r\n"
                             "Upgrade: websocket\r\n"
                             "Connection: keep-alive, Upgrade\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                             "Origin: http://example.com\r\n"
                             "Sec-WebSocket-Protocol: v12.stomp, v11.stomp\r\n"
                             "Sec-WebSocket-Version: 13\r\n"
                             "\r\n";
  struct outcome out;

  (void)state;
  feed_all_ways(text, sizeof(text) - 1, &out);
  assert_int_equal(out.rv, 1);
  assert_int_equal(out.used, sizeof(text) - 1);
  assert_string_equal(out.text, "GET /ws/chat room=1&x=%20\n"
                                "Host=server.example.com\n"
                                "Upgrade=websocket\n"
                                "Connection=keep-alive, Upgrade\n"
                                "Sec-WebSocket-Key=dGhlIHNhbXBsZSBub25jZQ==\n"
                                "Origin=http://example.com\n"
                                "Sec-WebSocket-Protocol=v12.stomp, v11.stomp\n"
                                "Sec-WebSocket-Version=13");
}

static void leaves_what_is_behind_the_head(void **state) {
  static const char text[] = GET HOST "\r\n\x81\x80more\r\n\r\nGET / HTTP/1.1";
  struct outcome out;

  (void)state;
  feed_all_ways(text, sizeof(text) - 1, &out);
  assert_int_equal(out.rv, 1);
  assert_int_equal(out.used, sizeof(GET HOST "\r\n") - 1);
}

static void takes_nothing_more_once_it_is_whole(void **state) {
  sbk__http_head head;
  size_t used = 9;

  (void)state;
  assert_int_equal(http_read(&head, &memory.mem, &config, GET HOST "\r\n"), 1);
  assert_int_equal(sbk__http_head_feed(&head, "GET ", 4, &used), 1);
  assert_int_equal(used, 0);
  sbk__http_head_clear(&head);
}

static void asks_for_more_until_it_is_whole(void **state) {
  static const char text[] = GET HOST "\r\n";
  struct outcome out;
  size_t len;

  (void)state;
  for (len = 0; len < sizeof(text) - 1; len++) {
    feed(text, len, len, len, &out);
    assert_int_equal(out.rv, 0);
    assert_int_equal(out.used, len);
  }
  feed(text, len, len, len, &out);
  assert_int_equal(out.rv, 1);
}

static void cuts_blanks_around_values(void **state) {
  static const char text[] = GET "Host:a\r\nA: \t b \t c\t \r\nB:\r\nC: \t\r\n"
                                 "D:x \r\nE:\ty\r\n\r\n";
  struct outcome out;

  (void)state;
  feed_all_ways(text, sizeof(text) - 1, &out);
  assert_string_equal(out.text,
                      "GET /ws (none)\nHost=a\nA=b \t c\nB=\nC=\nD=x\nE=y");
}

static void tells_an_empty_query_from_none(void **state) {
  struct outcome out;

  (void)state;
  feed("GET /? HTTP/1.1\r\n" HOST "\r\n", 36, 36, 36, &out);
  assert_int_equal(out.rv, 1);
  assert_non_null(strstr(out.text, "GET / \nHost"));
  feed("GET /a?b?c=/d HTTP/1.1\r\n" HOST "\r\n", 43, 43, 43, &out);
  assert_non_null(strstr(out.text, "GET /a b?c=/d\nHost"));
}

static void takes_any_method_and_visible_target(void **state) {
  (void)state;
  check_result("POST / HTTP/1.1\r\n" HOST "\r\n", 1);
  check_result("get / HTTP/1.1\r\n" HOST "\r\n", 1);
  check_result("M-SEARCH!#$%&'*+.^_`|~09 / HTTP/1.1\r\n" HOST "\r\n", 1);
  check_result("GET //a/../%2e|{}\"<>^`\\ HTTP/1.1\r\n" HOST "\r\n", 1);
}

static void refuses_broken_request_lines(void **state) {
  static const char *const lines[] = {
      "",
      " ",
      "GET",
      "GET ",
      "GET /",
      "GET / ",
      "GET / HTTP/1.1 ",
      "GET  / HTTP/1.1",
      "GET /  HTTP/1.1",
      " GET / HTTP/1.1",
      "GET\t/ HTTP/1.1",
      "GET /\tHTTP/1.1",
      "GET / HTTP/1.1\t",
      "GET / HTTP/1.1 x",
      "GET /a b HTTP/1.1",
      "GET /?a b HTTP/1.1",
      "G(T / HTTP/1.1",
      "G:T / HTTP/1.1",
      "G\xc3\xa9T / HTTP/1.1",
      "GET HTTP/1.1",
      "/ HTTP/1.1",
      "GET ? HTTP/1.1",
      "GET ?a HTTP/1.1",
      "GET * HTTP/1.1",
      "OPTIONS * HTTP/1.1",
      "GET ws HTTP/1.1",
      "GET http://a.example/ws HTTP/1.1",
      "CONNECT a.example:80 HTTP/1.1",
      "GET /#f HTTP/1.1",
      "GET /a?b#f HTTP/1.1",
      "GET /\x01 HTTP/1.1",
      "GET /\x7f HTTP/1.1",
      "GET /\xc3\xa9 HTTP/1.1",
      "GET /?\xc3\xa9 HTTP/1.1",
      "GET / HTTP/1.1\x01",
  };
  char text[128];
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
    snprintf(text, sizeof(text), "%s\r\n" HOST "\r\n", lines[i]);
    check_result(text, -400);
  }
}

static void refuses_other_versions(void **state) {
  static const char *const versions[] = {
      "HTTP/1.2",  "HTTP/2.0",   "HTTP/0.9",   "HTTP/2",    "http/1.1",
      "HTTP/1.1x", "HTTP/1.11",  "HTTP/01.1",  "HTTP/1.",   "HTTP",
      "1.1",       "HTTP/1,1",   "HTTPS/1.1",  "xHTTP/1.1", "ICY/1.1",
      "H",         "/?HTTP/1.1", "http/1.0",   "HTTP/1.00", "HTTP/1.01",
      "HTTP/1.10", "HTTP/0.0",   "HTTP/1.0x",  "HTTP/1.-1", "xHTTP/1.0",
      "HTTP/1:0",  "HTTP/11.0",  "/?HTTP/1.0", "HTTP/1/1",  "HTTP/1"};
  char text[128];
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
    snprintf(text, sizeof(text), "GET / %s\r\n" HOST "\r\n", versions[i]);
    check_result(text, -400);
  }
}

/* In any two pieces: is it HTTP/1.0? */
static bool is_http10(const char *text) {
  const size_t len = strlen(text);
  sbk__http_head head;
  bool http10 = false;
  size_t cut, used;

  for (cut = 0; cut <= len; cut++) {
    sbk__http_head_init(&head, &memory.mem, &config);
    assert_int_equal(sbk__http_head_feed(&head, text, cut, &used),
                     cut == len ? 1 : 0);
    assert_int_equal(sbk__http_head_feed(&head, text + cut, len - cut, &used),
                     1);
    assert_string_equal(sbk__http_path(&head), "/ws");
    assert_true(cut == 0 || head.http10 == http10);
    http10 = head.http10;
    sbk__http_head_clear(&head);
    assert_false(head.http10);
  }

  return http10;
}

static void tells_version_1_0_from_1_1(void **state) {
  (void)state;
  assert_true(is_http10("GET /ws HTTP/1.0\r\n" HOST "\r\n"));
  assert_true(is_http10("GET /ws?HTTP/1.1 HTTP/1.0\r\n" HOST "\r\n"));
  assert_false(is_http10(GET HOST "\r\n"));
  assert_false(is_http10("GET /ws?HTTP/1.0 HTTP/1.1\r\n" HOST "\r\n"));
}

static void version_1_0_is_read_as_strictly(void **state) {
  (void)state;
  check_result("GET / HTTP/1.0\r\n\r\n", -400);
  check_result("GET / HTTP/1.0\n" HOST "\r\n", -400);
  check_result("GET / HTTP/1.0 \r\n" HOST "\r\n", -400);
  check_result("GET /  HTTP/1.0\r\n" HOST "\r\n", -400);
  check_result("GET / HTTP/1.0\r\n" HOST "A: b\r\n c\r\n\r\n", -400);
  check_result("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", -400);
  check_result("POST / HTTP/1.0\r\nHost:\r\nContent-Length: 0\r\n\r\n", 1);
}

static void refuses_empty_lines_in_front(void **state) {
  (void)state;
  check_result("\r\n" GET HOST "\r\n", -400);
  check_result("\n" GET HOST "\r\n", -400);
}

static void refuses_ends_of_lines_other_than_crlf(void **state) {
  (void)state;
  check_result("GET / HTTP/1.1\n" HOST "\r\n", -400);
  check_result("GET / HTTP/1.1\r" HOST "\r\n", -400);
  check_result("GET / HTTP/1.1\r\r\n" HOST "\r\n", -400);
  check_result(GET "Host: a\nA: b\r\n\r\n", -400);
  check_result(GET "Host: a\rA: b\r\n\r\n", -400);
  check_result(GET "Host: a\r\r\n\r\n", -400);
  check_result(GET HOST "\n", -400);
  check_result(GET HOST "\r\r\n", -400);
  check_result(GET HOST "\rA: b\r\n\r\n", -400);
  check_result(GET "\nHost: a\r\n\r\n", -400);
  check_result("GET /\r\n" HOST "\r\n", -400);
  check_result("GET\r\n" HOST "\r\n", -400);
}

static void refuses_folded_lines(void **state) {
  (void)state;
  check_result(GET HOST "A: b\r\n c\r\n\r\n", -400);
  check_result(GET HOST "A: b\r\n\tc\r\n\r\n", -400);
  check_result(GET HOST "A: b\r\n \r\n\r\n", -400);
  /* the first line: RFC 9112, 2.2 */
  check_result(GET " " HOST "\r\n", -400);
  check_result(GET "\t" HOST "\r\n", -400);
}

static void refuses_broken_field_names(void **state) {
  static const char *const lines[] = {
      "A : b",    "A\t: b", ": b",    ":",        "A",
      "A b: c",   "A(): b", "A@b: c", "\"A\": b", "A\xc3\xa9: b",
      "A\x01: b", "A/b: c", "A{: b",  "A,: b",    "A;b: c",
      "[A]: b",   "A=b",    "A\\: b"};
  char text[128];
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
    snprintf(text, sizeof(text), GET HOST "%s\r\n\r\n", lines[i]);
    check_result(text, -400);
  }
}

/* For each byte: may it stand at this place of a good head? */
static void check_byte_at(const char *mark, const char *good_bytes,
                          bool above_ascii) {
  char text[] = GET HOST "Name: value\r\n\r\n";
  char *at = strstr(text, mark);
  struct outcome out;
  unsigned byte;

  assert_non_null(at);
  for (byte = 0; byte < 256; byte++) {
    bool good =
        byte >= 0x80 ? above_ascii : byte > 0 && strchr(good_bytes, (int)byte);

    at[1] = (char)byte;
    feed(text, sizeof(text) - 1, sizeof(text), 1, &out);
    if ((out.rv == 1) != good) {
      fail_msg("byte %02x behind %c: %d", byte, *mark, out.rv);
    }
    feed(text, sizeof(text) - 1, 1, 1, &out);
    assert_int_equal(out.rv == 1, good);
  }
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"
#define TOKEN   LETTERS DIGITS "!#$%&'*+-.^_`|~"
#define VISIBLE LETTERS DIGITS "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

static void knows_every_byte_of_a_name(void **state) {
  (void)state;
  check_byte_at("Name", TOKEN ":", false);
}

static void knows_every_byte_of_a_value(void **state) {
  (void)state;
  check_byte_at("value", VISIBLE " \t", true);
}

static void knows_every_byte_of_a_target(void **state) {
  char good[] = VISIBLE;

  (void)state;
  *strchr(good, '#') = '!';
  check_byte_at("ws HTTP", good, false);
}

static void knows_every_byte_of_a_method(void **state) {
  (void)state;
  check_byte_at("GET", TOKEN, false);
}

static void refuses_second_fields_of_those_that_must_be_single(void **state) {
  static const char *const pairs[] = {
      "Host: a\r\nHost: a\r\n",
      "Host: a\r\nhOST: b\r\n",
      "Host: a\r\nHost:\r\n",
      HOST "Upgrade: websocket\r\nUpgrade: websocket\r\n",
      HOST "Sec-WebSocket-Key: a\r\nsec-websocket-key: b\r\n",
      HOST "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8\r\n",
      HOST "Content-Length: 0\r\nA: b\r\nContent-length: 0\r\n",
  };
  char text[256];
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
    snprintf(text, sizeof(text), GET "%s\r\n", pairs[i]);
    check_result(text, -400);
  }
}

static void takes_repeated_lists(void **state) {
  (void)state;
  check_result(GET HOST "Sec-WebSocket-Protocol: a\r\n"
                        "Sec-WebSocket-Protocol: b\r\n"
                        "Sec-WebSocket-Extensions: a\r\n"
                        "Sec-WebSocket-Extensions: b\r\n"
                        "Connection: a\r\nConnection: upgrade\r\n"
                        "Cookie: a=b\r\nCookie: c=d\r\n\r\n",
               1);
}

static void wants_a_host_that_can_be_one(void **state) {
  static const char *const good[] = {"",           "a",       "a.example:80",
                                     "[::1]:8080", "1.2.3.4", "x_y-z"};
  static const char *const bad[] = {"a b", "a/b",  "u@a",      "a?b",
                                    "a#b", "a\\b", "\xc3\xa9", "\"a\""};
  char text[128];
  size_t i;

  (void)state;
  check_result(GET "\r\n", -400);
  check_result(GET "Hosts: a\r\nX-Host: b\r\n\r\n", -400);
  for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    snprintf(text, sizeof(text), GET "Host: %s\r\n\r\n", good[i]);
    check_result(text, 1);
  }
  for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    snprintf(text, sizeof(text), GET "Host: %s\r\n\r\n", bad[i]);
    check_result(text, -400);
  }
}

/* Limits: each below, at, above. */

static void max_request_line_below_at_and_above(void **state) {
  const size_t len = strlen("GET /ws HTTP/1.1");

  (void)state;
  config.max_request_line = len + 1;
  check_result(GET HOST "\r\n", 1);
  config.max_request_line = len;
  check_result(GET HOST "\r\n", 1);
  config.max_request_line = len - 1;
  check_result(GET HOST "\r\n", -414);
  for (config.max_request_line = 1; config.max_request_line < len;
       config.max_request_line++) {
    check_result(GET HOST "\r\n", -414);
    check_result("GET /?q HTTP/1.1\r\n" HOST "\r\n", -414);
  }
}

static void max_request_field_below_at_and_above(void **state) {
  const size_t len = strlen("Long-Name: and value");

  (void)state;
  for (config.max_request_field = len - 8; config.max_request_field < len + 3;
       config.max_request_field++) {
    int want = config.max_request_field < len ? -431 : 1;

    check_result(GET HOST "Long-Name: and value\r\n\r\n", want);
    check_result(GET HOST "Long-Name:     value\r\n\r\n", want);
    check_result(GET HOST "Long-Name: and      \r\n\r\n", want);
    check_result(GET HOST "Long-Name-and-value:\r\n\r\n", want);
  }
  check_result(GET HOST "Long-Name-and-value-and-more\r\n\r\n", -431);
}

static void max_request_fields_below_at_and_above(void **state) {
  const char *text = GET "Host: a\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n";

  (void)state;
  config.max_request_fields = 5;
  check_result(text, 1);
  config.max_request_fields = 4;
  check_result(text, 1);
  config.max_request_fields = 3;
  check_result(text, -431);
  config.max_request_fields = 1;
  check_result(text, -431);
}

static void max_request_head_below_at_and_above(void **state) {
  const char *text = GET HOST "A: b\r\n\r\n";
  const size_t len = strlen(text), line = strlen("GET /ws HTTP/1.1");

  (void)state;
  config.max_request_head = len + 1;
  check_result(text, 1);
  config.max_request_head = len;
  check_result(text, 1);
  for (config.max_request_head = 1; config.max_request_head < len;
       config.max_request_head++) {
    check_result(text, config.max_request_head <= line ? -414 : -431);
  }
}

static void refuses_before_it_takes_memory(void **state) {
  static char text[1 << 20];
  struct outcome out;

  (void)state;
  memset(text, 'a', sizeof(text));
  memcpy(text, "GET /", 5);
  feed(text, sizeof(text), sizeof(text), 1, &out);
  assert_int_equal(out.rv, -414);
  assert_true(memory.peak <= 2 * 4096);
  memcpy(text, GET, sizeof(GET) - 1);
  feed(text, sizeof(text), sizeof(text), 1, &out);
  assert_int_equal(out.rv, -431);
  assert_true(memory.peak <= 3 * 8192);
}

/* The worst of heads for the number of its bytes. */
static void check_memory(size_t max_fields, const char *line) {
  const size_t len = strlen(line);
  sbk__http_head head;
  size_t received = 0, used, i, j;

  config.max_request_fields = max_fields;
  config.max_request_head = 1 << 20;
  failing_mem_init(&memory);
  sbk__http_head_init(&head, &memory.mem, &config);
  assert_int_equal(sbk__http_head_feed(&head, GET, sizeof(GET) - 1, &used), 0);
  received += used;
  for (i = 0; i < max_fields; i++) {
    for (j = 0; j < len; j++) {
      assert_int_equal(sbk__http_head_feed(&head, line + j, 1, &used), 0);
      received++;
      assert_true(memory.bytes <= 4 * received + 8192);
    }
  }
  sbk__http_head_clear(&head);
  assert_int_equal(memory.blocks, 0);
}

static void memory_stays_below_four_times_the_bytes(void **state) {
  (void)state;
  check_memory(64, "a:\r\n");
  check_memory(1024, "a:\r\n");
  check_memory(1024, "name: and a value of some length\r\n");
}

static void takes_no_memory_before_the_first_byte(void **state) {
  sbk__http_head head;
  size_t used;

  (void)state;
  sbk__http_head_init(&head, &memory.mem, &config);
  assert_int_equal(sbk__http_head_feed(&head, NULL, 0, &used), 0);
  assert_int_equal(used, 0);
  assert_int_equal(memory.calls, 0);
  assert_int_equal(sbk__http_head_feed(&head, "G", 1, &used), 0);
  assert_true(memory.bytes <= 512);
  sbk__http_head_clear(&head);
}

static void says_so_when_memory_ends(void **state) {
  char text[4096] = GET HOST, line[64];
  size_t fail_from;
  sbk__http_head head;
  int i, rv;

  (void)state;
  for (i = 0; i < 60; i++) {
    snprintf(line, sizeof(line), "Name-%d: a value of some length\r\n", i);
    memcpy(text + strlen(text), line, strlen(line) + 1);
  }
  memcpy(text + strlen(text), "\r\n", 3);
  for (fail_from = 0;; fail_from++) {
    failing_mem_init(&memory);
    memory.fail_from = fail_from;
    rv = http_read(&head, &memory.mem, &config, text);
    if (rv == 1) {
      break;
    }
    assert_int_equal(rv, SBK_ERR_NOMEM);
    sbk__http_head_clear(&head);
    assert_int_equal(memory.blocks, 0);
  }
  assert_true(fail_from >= 8);
  sbk__http_head_clear(&head);
}

/* A method and a target of these lengths: text grows at any byte of them. */
static int read_long_line(sbk__http_head *head, size_t method, size_t target) {
  char text[1024];

  memset(text, 'a', sizeof(text));
  text[method] = ' ';
  text[method + 1] = '/';
  memcpy(text + method + 1 + target, "?b HTTP/1.1\r\n" HOST "\r\n",
         sizeof("?b HTTP/1.1\r\n" HOST "\r\n"));

  return http_read(head, &memory.mem, &config, text);
}

static void says_so_wherever_the_text_outgrows_its_room(void **state) {
  sbk__http_head head;
  size_t method, fail_from;
  int rv, nomem = 0;

  (void)state;
  for (method = 1; method < 520; method++) {
    for (fail_from = 0; fail_from < 5; fail_from++) {
      failing_mem_init(&memory);
      memory.fail_from = fail_from;
      rv = read_long_line(&head, method, 1 + method % 7);
      assert_true(rv == 1 || rv == SBK_ERR_NOMEM);
      nomem += rv == SBK_ERR_NOMEM;
      sbk__http_head_clear(&head);
      assert_int_equal(memory.blocks, 0);
    }
  }
  assert_true(nomem > 1000);
}

static void clear_makes_it_new(void **state) {
  sbk__http_head head;
  size_t used;

  (void)state;
  assert_int_equal(http_read(&head, &memory.mem, &config, "GET ?"), -400);
  sbk__http_head_clear(&head);
  assert_int_equal(memory.blocks, 0);
  assert_int_equal(sbk__http_head_feed(&head, GET HOST "\r\n",
                                       strlen(GET HOST "\r\n"), &used),
                   1);
  assert_string_equal(sbk__http_path(&head), "/ws");
  sbk__http_head_clear(&head);
  sbk__http_head_clear(&head);
}

static void random_damage_gives_the_same_in_any_pieces(void **state) {
  static const char good[] = "GET /a?b HTTP/1.1\r\nHost: a\r\nAb: c d\r\n\r\n";
  static const char bytes[] = "\r\n :\t?a/\0\x7f\x80";
  char text[sizeof(good)];
  struct outcome whole, other;
  uint32_t random = 6;
  int round, i;

  (void)state;
  for (round = 0; round < 20000; round++) {
    const size_t len = sizeof(good) - 1;

    memcpy(text, good, sizeof(good));
    for (i = 0; i < 1 + round % 3; i++) {
      text[test_random(&random) % len] =
          bytes[test_random(&random) % (sizeof(bytes) - 1)];
    }
    feed(text, len, len, len, &whole);
    feed(text, len, 1 + test_random(&random) % len, 1, &other);
    assert_int_equal(whole.rv, other.rv);
    assert_int_equal(whole.used, other.used);
    assert_string_equal(whole.text, other.text);
  }
}

/* From another parser. */

static struct sbk_http_field field(const char *name, const char *value) {
  struct sbk_http_field out = {name, strlen(name), value, strlen(value)};

  return out;
}

static int set(sbk__http_head *head, const char *method, const char *target,
               const struct sbk_http_field *fields, size_t count) {
  struct sbk_http_request request = SBK_HTTP_REQUEST_INIT;

  request.method = method;
  request.method_len = strlen(method);
  request.target = target;
  request.target_len = strlen(target);
  request.fields = fields;
  request.field_count = count;
  sbk__http_head_init(head, &memory.mem, &config);

  return sbk__http_head_set(head, &request);
}

static void takes_a_request_that_another_parser_read(void **state) {
  struct sbk_http_field fields[3];
  sbk__http_head head;
  struct outcome out;

  (void)state;
  fields[0] = field("Host", "a.example");
  fields[1] = field("Upgrade", "  websocket\t");
  fields[2] = field("Empty", "");
  assert_int_equal(set(&head, "GET", "/ws?a=b?", fields, 3), 1);
  describe(&head, &out);
  assert_false(head.http10);
  assert_non_null(strstr(out.text, "GET /ws a=b?\n"));
  assert_non_null(
      strstr(out.text, "\nHost=a.example\nUpgrade=websocket\nEmpty="));
  sbk__http_head_clear(&head);
}

static void needs_no_nul_in_what_another_parser_read(void **state) {
  struct sbk_http_request request = SBK_HTTP_REQUEST_INIT;
  const struct sbk_http_field fields = {"Hostx", 4, "abc", 2};
  sbk__http_head head;

  (void)state;
  request.method = "GETx";
  request.method_len = 3;
  request.target = "/wsx";
  request.target_len = 3;
  request.fields = &fields;
  request.field_count = 1;
  sbk__http_head_init(&head, &memory.mem, &config);
  assert_int_equal(sbk__http_head_set(&head, &request), 1);
  assert_string_equal(sbk__http_method(&head), "GET");
  assert_string_equal(sbk__http_path(&head), "/ws");
  assert_string_equal(sbk__http_field_get(&head, "host"), "ab");
  sbk__http_head_clear(&head);
}

static void nothing_smuggles_a_line_into_a_request(void **state) {
  static const struct {
    const char *method, *target, *name, *value;
  } rows[] = {
      {"GET /x HTTP/1.1\r\nA: b", "/", "A", "b"},
      {"GET", "/ HTTP/1.1\r\nA: b\r\n", "A", "b"},
      {"GET", "/ HTTP/1.1", "A", "b"},
      {"GET", "/", "A: b\r\nC", "b"},
      {"GET", "/", "A", "b\r\nC: d"},
      {"GET", "/", "A", "b\r\n\r\n"},
      {"GET", "/", "A", "b\n"},
      {"GET", "/", "A", "b\r"},
      {"GET", "/", "A:", "b"},
      {"GET", "/", "A ", "b"},
      {"GET", "/", "", "b"},
      {"", "/", "A", "b"},
      {"GET", "", "A", "b"},
      {"GET", "*", "A", "b"},
      {"GET", "http://a/", "A", "b"},
      {"GET", "/#", "A", "b"},
      {"GET", "/", "Host", "b"},
  };
  struct sbk_http_field fields[2];
  sbk__http_head head;
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    fields[0] = field("Host", "a");
    fields[1] = field(rows[i].name, rows[i].value);
    if (set(&head, rows[i].method, rows[i].target, fields, 2) != -400) {
      fail_msg("row %zu", i);
    }
    sbk__http_head_clear(&head);
  }
}

static void limits_hold_for_another_parser_too(void **state) {
  struct sbk_http_field fields[3];
  sbk__http_head head;

  (void)state;
  fields[0] = field("Host", "a");
  fields[1] = field("Abc", "value");
  fields[2] = field("B", "b");
  config.max_request_line = strlen("GET /ws HTTP/1.1");
  config.max_request_field = strlen("Abc:value");
  config.max_request_fields = 3;
  assert_int_equal(set(&head, "GET", "/ws", fields, 3), 1);
  sbk__http_head_clear(&head);
  config.max_request_line--;
  assert_int_equal(set(&head, "GET", "/ws", fields, 3), -414);
  sbk__http_head_clear(&head);
  config.max_request_line++;
  config.max_request_field--;
  assert_int_equal(set(&head, "GET", "/ws", fields, 3), -431);
  sbk__http_head_clear(&head);
  config.max_request_field++;
  config.max_request_fields--;
  assert_int_equal(set(&head, "GET", "/ws", fields, 3), -431);
  sbk__http_head_clear(&head);
}

static void says_so_when_memory_ends_for_another_parser(void **state) {
  struct sbk_http_field fields[40];
  size_t fail_from, i;
  sbk__http_head head;
  int rv = 0;

  (void)state;
  for (i = 0; i < 40; i++) {
    fields[i] = i == 0 ? field("Host", "a") : field("Name", "a value");
  }
  for (fail_from = 0; rv != 1; fail_from++) {
    failing_mem_init(&memory);
    memory.fail_from = fail_from;
    rv = set(&head, "GET", "/", fields, 40);
    assert_true(rv == 1 || rv == SBK_ERR_NOMEM);
    sbk__http_head_clear(&head);
    assert_int_equal(memory.blocks, 0);
  }
  assert_true(fail_from > 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(reads_a_request_of_a_browser),
      TEST(leaves_what_is_behind_the_head),
      TEST(takes_nothing_more_once_it_is_whole),
      TEST(asks_for_more_until_it_is_whole),
      TEST(cuts_blanks_around_values),
      TEST(tells_an_empty_query_from_none),
      TEST(takes_any_method_and_visible_target),
      TEST(refuses_broken_request_lines),
      TEST(refuses_other_versions),
      TEST(tells_version_1_0_from_1_1),
      TEST(version_1_0_is_read_as_strictly),
      TEST(refuses_empty_lines_in_front),
      TEST(refuses_ends_of_lines_other_than_crlf),
      TEST(refuses_folded_lines),
      TEST(refuses_broken_field_names),
      TEST(knows_every_byte_of_a_name),
      TEST(knows_every_byte_of_a_value),
      TEST(knows_every_byte_of_a_target),
      TEST(knows_every_byte_of_a_method),
      TEST(refuses_second_fields_of_those_that_must_be_single),
      TEST(takes_repeated_lists),
      TEST(wants_a_host_that_can_be_one),
      TEST(max_request_line_below_at_and_above),
      TEST(max_request_field_below_at_and_above),
      TEST(max_request_fields_below_at_and_above),
      TEST(max_request_head_below_at_and_above),
      TEST(refuses_before_it_takes_memory),
      TEST(memory_stays_below_four_times_the_bytes),
      TEST(takes_no_memory_before_the_first_byte),
      TEST(says_so_when_memory_ends),
      TEST(says_so_wherever_the_text_outgrows_its_room),
      TEST(clear_makes_it_new),
      TEST(random_damage_gives_the_same_in_any_pieces),
      TEST(takes_a_request_that_another_parser_read),
      TEST(needs_no_nul_in_what_another_parser_read),
      TEST(nothing_smuggles_a_line_into_a_request),
      TEST(limits_hold_for_another_parser_too),
      TEST(says_so_when_memory_ends_for_another_parser),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
