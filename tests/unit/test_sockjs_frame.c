#include <stdio.h>

#include "unit.h"

#include "sockjs_payload.h"

static struct failing_mem memory;

static int setup(void **state) {
  (void)state;
  failing_mem_init(&memory);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  return memory.blocks == 0 ? 0 : -1;
}

typedef size_t (*len_fn)(const void *data, size_t len);
typedef size_t (*write_fn)(void *dst, const void *data, size_t len);

/* Written into exactly the room that the length asks for. */
static char *written(len_fn measure, write_fn write, const char *data,
                     size_t len, size_t *size) {
  char *from = piece_copy(data, len), *out;

  *size = measure(from, len);
  out = malloc(*size + 1);
  assert_non_null(out);
  out[*size] = 'Z';
  assert_int_equal(write(out, from, len), *size);
  assert_int_equal(out[*size], 'Z');
  out[*size] = '\0';
  piece_free(from, len);

  return out;
}

static void check(len_fn measure, write_fn write, const char *in, size_t len,
                  const char *want) {
  size_t size;
  char *out = written(measure, write, in, len, &size);

  if (size != strlen(want) || memcmp(out, want, size) != 0) {
    fail_msg("%s: %s, not %s", in != NULL ? in : "NULL", out, want);
  }
  free(out);
}

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct row {
  const char *in;
  const char *out; /* NULL: the same */
};

static const struct row escapes[] = {
    {"", NULL},
    {"a", NULL},
    {"plain text that is longer than some words: '/<>&;[]{}", NULL},
    {"\"", "\\\""},
    {"\\", "\\\\"},
    {"\b\t\n\f\r", "\\b\\t\\n\\f\\r"},
    {"\x01\x0b\x1f", "\\u0001\\u000b\\u001f"},
    {"\x7f", "\\u007f"},
    {"1234567\"", "1234567\\\""},
    {"12345678\n12345678", "12345678\\n12345678"},
    {"\xc2\x80\xc2\xad", NULL},
    {"\xc3\xa9\xd0\xb6\xe2\x82\xac\xf0\x9f\x98\x80", NULL},
    {"12345678\xc3\xa9", NULL},
    {"\xe2\x80\x8b", NULL},
    {"\xe2\x80\x8c", "\\u200c"},
    {"\xe2\x80\x8f", "\\u200f"},
    {"\xe2\x80\x90", NULL},
    {"\xe2\x80\xa7", NULL},
    {"\xe2\x80\xa8", "\\u2028"},
    {"\xe2\x80\xaf", "\\u202f"},
    {"\xe2\x80\xb0", NULL},
    {"\xe2\x81\x9f", NULL},
    {"\xe2\x81\xa0", "\\u2060"},
    {"\xe2\x81\xaf", "\\u206f"},
    {"\xe2\x81\xb0", NULL},
    {"\xef\xbb\xbf", NULL},
    {"\xef\xbf\xaf", NULL},
    {"\xef\xbf\xb0", "\\ufff0"},
    {"\xef\xbf\xbd", "\\ufffd"},
    {"\xef\xbf\xbf", "\\uffff"},
    {"\xf0\x90\x80\x80", NULL},
    {"\xf4\x8f\xbf\xbf", NULL},

    /* not UTF-8 */
    {"\x80", "\\ufffd"},
    {"\xff\xff", "\\ufffd\\ufffd"},
    {"a\x80z", "a\\ufffdz"},
    {"\xc3", "\\ufffd"},
    {"\xc3\"", "\\ufffd\\\""},
    {"\xe2\x82", "\\ufffd"},
    {"\xe2\x82z", "\\ufffdz"},
    {"\xf0\x9f\x98\xc3\xa9", "\\ufffd\xc3\xa9"},
    {"\xc0\x80", "\\ufffd\\ufffd"},
    {"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"},
    {"\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
    /* Unicode 15, table 3-11 */
    {"\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64",
     "a\\ufffd\\ufffd\\ufffdb\\ufffdc\\ufffd\\ufffdd"},
};

static void escapes_what_the_protocol_wants_escaped(void **state) {
  size_t i;

  (void)state;
  for (i = 0; i < COUNT(escapes); i++) {
    check(sbk__sockjs_escaped_len, sbk__sockjs_escape, escapes[i].in,
          strlen(escapes[i].in),
          escapes[i].out != NULL ? escapes[i].out : escapes[i].in);
  }
  check(sbk__sockjs_escaped_len, sbk__sockjs_escape, "a\0b", 3, "a\\u0000b");
  check(sbk__sockjs_escaped_len, sbk__sockjs_escape, NULL, 0, "");
}

static const struct row scripts[] = {
    {"o", NULL},
    {"h", NULL},
    {"a[\"x\"]", "a[\\\"x\\\"]"},
    {"a[\"\\\"\\n\\u2028\"]", "a[\\\"\\\\\\\"\\\\n\\\\u2028\\\"]"},
    {"c[3000,\"Go away!\"]", "c[3000,\\\"Go away!\\\"]"},
    {"</script>", "\\u003c/script\\u003e"},
    {"<!--", "\\u003c!--"},
    {"]]>", "]]\\u003e"},
    {"a&quot;b", "a\\u0026quot;b"},
    {"\n\r\x01\x7f", "\\n\\r\\u0001\\u007f"},
    {"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"},
    {"\xc3\xa9", NULL},
    {"\xc3\"", "\\ufffd\\\""},
    {"it's", NULL},
};

static void a_frame_in_a_script_is_escaped_once_more(void **state) {
  size_t i;

  (void)state;
  for (i = 0; i < COUNT(scripts); i++) {
    check(sbk__sockjs_script_len, sbk__sockjs_script, scripts[i].in,
          strlen(scripts[i].in),
          scripts[i].out != NULL ? scripts[i].out : scripts[i].in);
  }
}

static const struct row events[] = {
    {"o", NULL},
    {"a[\"x\\n&lt;\xc3\xa9\"]", NULL},
    {"a[\"%\"]", "a[\"\\u0025\"]"},
    {"%41%25%%zz", "\\u002541\\u002525\\u0025\\u0025zz"},
};

static void a_frame_in_an_event_has_its_percent_signs_escaped(void **state) {
  size_t i;

  (void)state;
  for (i = 0; i < COUNT(events); i++) {
    check(sbk__sockjs_event_len, sbk__sockjs_event, events[i].in,
          strlen(events[i].in),
          events[i].out != NULL ? events[i].out : events[i].in);
  }
}

static const struct {
  uint16_t code;
  const char *reason;
  const char *frame;
} closes[] = {
    {1000, NULL, "c[3000,\"Go away!\"]"},
    {1000, "", "c[3000,\"Go away!\"]"},
    {1000, "done", "c[1000,\"done\"]"},
    {1001, NULL, "c[1001,\"\"]"},
    {1008, "session expired", "c[1008,\"session expired\"]"},
    {2010, "Another connection still open",
     "c[2010,\"Another connection still open\"]"},
    {3000, NULL, "c[3000,\"\"]"},
    {4999, "\"\n\xff\xe2\x80\xa8", "c[4999,\"\\\"\\n\\ufffd\\u2028\"]"},
    {65535, "", "c[65535,\"\"]"},
    {0, NULL, "c[0,\"\"]"},
};

static void a_close_frame_has_a_code_and_a_reason(void **state) {
  sbk_buf *buf;
  size_t i;

  (void)state;
  for (i = 0; i < COUNT(closes); i++) {
    buf =
        sbk__sockjs_close_frame(&memory.mem, closes[i].code, closes[i].reason);
    assert_non_null(buf);
    assert_int_equal(sbk_buf_len(buf), strlen(closes[i].frame));
    assert_memory_equal(sbk_buf_data(buf), closes[i].frame, sbk_buf_len(buf));
    sbk_buf_unref(buf);
  }
  memory.fail_from = 0;
  assert_null(sbk__sockjs_close_frame(&memory.mem, 1000, NULL));
}

/* RFC 6455, 5.5.1: a Close has room for 123 bytes of it. */
static void a_reason_is_as_long_as_that_of_a_close(void **state) {
  static const struct {
    size_t plain; /* so many letters, and that behind them */
    const char *end;
    size_t left;
  } rows[] = {
      {122, "", 122},
      {123, "", 123},
      {124, "", 123},
      {5000, "", 123},
      {121, "\xc3\xa9", 123},
      {121, "\xc3\xa9z", 123},
      {122, "\xc3\xa9", 122},
      {120, "\xe2\x82\xac", 123},
      {121, "\xe2\x82\xac", 121},
      {122, "\xe2\x82\xac", 122},
      {119, "\xf0\x9f\x98\x80zz", 123},
      {120, "\xf0\x9f\x98\x80zz", 120},
      {121, "\xf0\x9f\x98\x80zz", 121},
      {122, "\xf0\x9f\x98\x80zz", 122},
  };
  char reason[5010], frame[200];
  sbk_buf *buf;
  size_t i;

  (void)state;
  for (i = 0; i < COUNT(rows); i++) {
    memset(reason, 'x', rows[i].plain);
    strcpy(reason + rows[i].plain, rows[i].end);
    snprintf(frame, sizeof(frame), "c[4000,\"%.*s\"]", (int)rows[i].left,
             reason);
    buf = sbk__sockjs_close_frame(&memory.mem, 4000, reason);
    assert_non_null(buf);
    assert_int_equal(sbk_buf_len(buf), strlen(frame));
    assert_memory_equal(sbk_buf_data(buf), frame, sbk_buf_len(buf));
    sbk_buf_unref(buf);
  }
  /* What is written longer does not count more. */
  memset(reason, '"', 200);
  reason[200] = '\0';
  buf = sbk__sockjs_close_frame(&memory.mem, 4000, reason);
  assert_non_null(buf);
  assert_int_equal(sbk_buf_len(buf), strlen("c[4000,\"\"]") + 2 * 123);
  sbk_buf_unref(buf);
}

/* UTF-8 of a code point, without regard to surrogates. */
static size_t put_code(uint32_t code, char *out) {
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  if (code < 0x800) {
    out[0] = (char)(0xc0 | code >> 6);
    out[1] = (char)(0x80 | (code & 0x3f));
    return 2;
  }
  if (code < 0x10000) {
    out[0] = (char)(0xe0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3f));
    out[2] = (char)(0x80 | (code & 0x3f));
    return 3;
  }
  out[0] = (char)(0xf0 | code >> 18);
  out[1] = (char)(0x80 | (code >> 12 & 0x3f));
  out[2] = (char)(0x80 | (code >> 6 & 0x3f));
  out[3] = (char)(0x80 | (code & 0x3f));

  return 4;
}

/* sockjs-protocol 0.3.3: escapable_by_server, beyond what JSON wants; and DEL,
 * which is ours. */
static bool wants_escape(uint32_t code) {
  static const struct {
    uint32_t first, last;
  } ranges[] = {{0x00, 0x1f},     {'"', '"'},       {'\\', '\\'},
                {0x7f, 0x7f},     {0x200c, 0x200f}, {0x2028, 0x202f},
                {0x2060, 0x206f}, {0xfff0, 0xffff}};
  size_t i;

  for (i = 0; i < COUNT(ranges); i++) {
    if (code >= ranges[i].first && code <= ranges[i].last) {
      return true;
    }
  }

  return false;
}

static void every_code_point_is_escaped_or_left_alone(void **state) {
  static const char shorts[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
  char in[4], out[32], want[32];
  uint32_t code;
  size_t len, size, want_len;

  (void)state;
  for (code = 0; code <= 0x10ffff; code++) {
    if (code >= 0xd800 && code < 0xe000) {
      continue;
    }
    len = put_code(code, in);
    memcpy(want, in, len);
    want_len = len;
    if (code > 0 && code < 0x80 && strchr(shorts, (int)code) != NULL) {
      want[0] = '\\';
      want[1] = letters[strchr(shorts, (int)code) - shorts];
      want_len = 2;
    } else if (wants_escape(code)) {
      want_len = (size_t)snprintf(want, sizeof(want), "\\u%04x", code);
    }
    size = sbk__sockjs_escape(out, in, len);
    if (size != want_len || memcmp(out, want, size) != 0 ||
        sbk__sockjs_escaped_len(in, len) != size ||
        sbk__sockjs_text_len(in, len) != len) {
      fail_msg("U+%04X", code);
    }
  }
}

static void every_surrogate_is_three_bad_bytes(void **state) {
  char in[4];
  uint32_t code;

  (void)state;
  for (code = 0xd800; code < 0xe000; code++) {
    assert_int_equal(put_code(code, in), 3);
    assert_int_equal(sbk__sockjs_escaped_len(in, 3), 18);
    assert_int_equal(sbk__sockjs_text_len(in, 3), 9);
  }
}

static void every_place_in_a_word_is_looked_at(void **state) {
  static const char *const parts[] = {
      "\"",       "\\",           "\n", "\x1f", "\x7f", "\xff",
      "\xc3\xa9", "\xe2\x80\xa8", "<",  ">",    "&",    "\x80"};
  char in[48], out[96], part[8], want[96];
  size_t off, at, i, len, size, part_len;
  int script;

  (void)state;
  for (off = 0; off < 8; off++) {
    for (at = 0; at < 24; at++) {
      for (i = 0; i < COUNT(parts); i++) {
        len = strlen(parts[i]);
        for (script = 0; script < 2; script++) {
          write_fn write = script ? sbk__sockjs_script : sbk__sockjs_escape;

          memset(in, ' ' + 3 * script, sizeof(in));
          memcpy(in + off + at, parts[i], len);
          part_len = write(part, parts[i], len);
          memset(want, ' ' + 3 * script, sizeof(want));
          memcpy(want + at, part, part_len);
          size = write(out, in + off, 32);
          assert_int_equal(size, 32 - len + part_len);
          assert_memory_equal(out, want, size);
        }
      }
    }
  }
}

/* What stands for U+FFFD, by the words of the standard: the longest beginning
 * of a character, or one byte. Alone, all beginnings that are possible. */
static size_t bad_len(const uint8_t *p, size_t len) {
  sbk__utf8 utf8 = {0};
  size_t size = 0;

  while (size < len && sbk__utf8_feed(&utf8, p + size, 1)) {
    size++;
  }

  return size > 0 ? size : 1;
}

static size_t good_len(const uint8_t *p, size_t len) {
  size_t size;

  for (size = 1; size <= 4 && size <= len; size++) {
    if (sbk__utf8_valid(p, size)) {
      return size;
    }
  }

  return 0;
}

/* The text as those see it who get it. */
static size_t replaced(const uint8_t *p, size_t len, char *out) {
  size_t at = 0, out_len = 0, size;

  while (at < len) {
    size = good_len(p + at, len - at);
    if (size > 0) {
      memcpy(out + out_len, p + at, size);
      out_len += size;
    } else {
      size = bad_len(p + at, len - at);
      memcpy(out + out_len, "\xef\xbf\xbd", 3);
      out_len += 3;
    }
    at += size;
  }

  return out_len;
}

/* Random bytes that are text now and then. */
static size_t random_bytes(uint32_t *random, uint8_t *out, size_t max) {
  static const char *const parts[] = {
      "plain text ",  "\xc3\xa9",     "\xe2\x82\xac", "\xf0\x9f\x98\x80",
      "\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbf\xbf", "\"",
      "\\",           "\n",           "</script>",    "<!--",
      "\xe2\x81\xa0", "\\u2028",      "\xe2\x80",     "\xf0\x9f",
      "&amp;",        "\\\"",         "\x7f",         "'"};
  const size_t wanted = test_random(random) % (max - 16);
  size_t len = 0, size;
  const char *part;

  while (len < wanted) {
    if (test_random(random) % 3 == 0) {
      out[len++] = (uint8_t)test_random(random);
      continue;
    }
    part = parts[test_random(random) % COUNT(parts)];
    size = strlen(part);
    memcpy(out + len, part, size);
    len += size;
  }

  return len;
}

/* Nothing in it has to be escaped any more. */
static void assert_escaped(const char *text, size_t len) {
  const uint8_t *p = (const uint8_t *)text;
  size_t at = 0, size;
  uint32_t code;

  while (at < len) {
    size = good_len(p + at, len - at);
    assert_true(size > 0);
    code = size == 3 ? (p[at] & 0xfu) << 12 | (p[at + 1] & 0x3fu) << 6 |
                           (p[at + 2] & 0x3fu)
                     : p[at];
    if (size == 1 && code == '\\') {
      at++;
      assert_true(at < len && strchr("\"\\bfnrtu", p[at]) != NULL);
    } else if (size == 1 || size == 3) {
      assert_false(wants_escape(code));
    }
    at += size;
  }
}

static void
what_is_escaped_reads_back_with_its_bad_parts_replaced(void **state) {
  uint8_t in[200];
  char want[700], payload[1300];
  struct payload out;
  sbk__sockjs_reader r;
  uint32_t random = 9;
  size_t len, want_len, size;
  int round;

  (void)state;
  for (round = 0; round < 20000; round++) {
    len = random_bytes(&random, in, sizeof(in));
    want_len = replaced(in, len, want + 1);
    want[0] = '[';
    want[want_len + 1] = ']';

    memcpy(payload, "[\"", 2);
    size = sbk__sockjs_escape(payload + 2, in, len);
    assert_int_equal(sbk__sockjs_escaped_len(in, len), size);
    assert_true(size <= 6 * len);
    assert_int_equal(sbk__sockjs_text_len(in, len), want_len);
    assert_escaped(payload + 2, size);
    memcpy(payload + 2 + size, "\"]", 2);

    sbk__sockjs_reader_init(&r, &memory.mem, false);
    assert_int_equal(sbk__sockjs_read(&r, payload, size + 4), 0);
    payload_end(&r, &out);
    sbk__sockjs_reader_clear(&r);
    assert_int_equal(out.len, want_len + 2);
    assert_memory_equal(out.text, want, out.len);
  }
}

/* Could it end a string in double quotes, a line or a <script>? */
static void assert_harmless(const char *text, size_t len) {
  size_t i;

  assert_true(sbk__utf8_valid(text, len));
  for (i = 0; i < len; i++) {
    const uint8_t byte = (uint8_t)text[i];

    assert_true(byte >= 0x20 && byte != 0x7f);
    assert_true(byte != '<' && byte != '>' && byte != '&' && byte != '"');
    /* U+2028 and U+2029 */
    assert_false(byte == 0xe2 && (uint8_t)text[i + 1] == 0x80 &&
                 ((uint8_t)text[i + 2] | 1) == 0xa9);
    if (byte == '\\') {
      i++;
      assert_true(i < len && strchr("\"\\bfnrtu", text[i]) != NULL);
    }
  }
}

/* The string that a script has then: every escape that is used is one of
 * JavaScript too. */
static size_t script_value(const char *text, size_t len, char *out) {
  static const char letters[] = "bfnrt", codes[] = "\b\f\n\r\t";
  size_t i = 0, out_len = 0;
  const char *letter;
  unsigned code;

  while (i < len) {
    if (text[i] != '\\') {
      out[out_len++] = text[i++];
    } else if (text[i + 1] == 'u') {
      assert_int_equal(sscanf(text + i + 2, "%4x", &code), 1);
      out_len += put_code(code, out + out_len);
      i += 6;
    } else {
      letter = strchr(letters, text[i + 1]);
      out[out_len++] = letter != NULL ? codes[letter - letters] : text[i + 1];
      i += 2;
    }
  }

  return out_len;
}

static void no_frame_ends_the_script_it_stands_in(void **state) {
  uint8_t in[200];
  char frame[1300], text[8000], value[8000];
  uint32_t random = 12;
  size_t len, size;
  int round;

  (void)state;
  for (round = 0; round < 20000; round++) {
    len = random_bytes(&random, in, sizeof(in));
    memcpy(frame, "a[\"", 3);
    size = 3 + sbk__sockjs_escape(frame + 3, in, len);
    memcpy(frame + size, "\"]", 2);
    size += 2;

    len = sbk__sockjs_script(text, frame, size);
    assert_int_equal(sbk__sockjs_script_len(frame, size), len);
    text[len] = '\0';
    assert_harmless(text, len);
    assert_int_equal(script_value(text, len, value), size);
    assert_memory_equal(value, frame, size);
  }
}

/* What is no frame does no harm either. */
static void no_bytes_end_the_script_they_stand_in(void **state) {
  uint8_t in[200];
  char text[1300], value[1300], want[700];
  uint32_t random = 15;
  size_t len, size;
  int round;

  (void)state;
  for (round = 0; round < 20000; round++) {
    len = random_bytes(&random, in, sizeof(in));
    size = sbk__sockjs_script(text, in, len);
    assert_int_equal(sbk__sockjs_script_len(in, len), size);
    text[size] = '\0';
    assert_harmless(text, size);
    assert_int_equal(script_value(text, size, value), replaced(in, len, want));
    assert_memory_equal(value, want, replaced(in, len, want));
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(escapes_what_the_protocol_wants_escaped),
      TEST(a_frame_in_a_script_is_escaped_once_more),
      TEST(a_frame_in_an_event_has_its_percent_signs_escaped),
      TEST(a_close_frame_has_a_code_and_a_reason),
      TEST(a_reason_is_as_long_as_that_of_a_close),
      TEST(every_code_point_is_escaped_or_left_alone),
      TEST(every_surrogate_is_three_bad_bytes),
      TEST(every_place_in_a_word_is_looked_at),
      TEST(what_is_escaped_reads_back_with_its_bad_parts_replaced),
      TEST(no_frame_ends_the_script_it_stands_in),
      TEST(no_bytes_end_the_script_they_stand_in),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
