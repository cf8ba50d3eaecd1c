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

/* Pieces of step bytes, the first of which has `first`. */
static void feed(const char *data, size_t len, bool lone, size_t first,
                 size_t step, struct payload *out) {
  sbk__sockjs_reader r;
  size_t at = 0, size = first;
  char *piece;

  sbk__sockjs_reader_init(&r, &memory.mem, lone);
  do {
    size = size < len - at ? size : len - at;
    piece = piece_copy(data + at, size);
    out->read = sbk__sockjs_read(&r, piece, size);
    piece_free(piece, size);
    at += size;
    size = step;
  } while (at < len);
  payload_end(&r, out);
  sbk__sockjs_reader_clear(&r);
  assert_int_equal(memory.blocks, 0);
}

/* In one piece, in any two, and byte by byte: the same. */
static void feed_all_ways(const char *data, size_t len, bool lone,
                          struct payload *out) {
  struct payload other;
  size_t cut;

  feed(data, len, lone, len, len, out);
  for (cut = 0; cut <= len; cut++) {
    feed(data, len, lone, cut, cut == 0 ? 1 : len, &other);
    assert_int_equal(other.read, out->read);
    assert_int_equal(other.end, out->end);
    assert_int_equal(other.len, out->len);
    assert_memory_equal(other.text, out->text, out->len);
  }
}

#define R "\xef\xbf\xbd" /* U+FFFD */

struct row {
  const char *in;
  const char *out; /* the messages, each in brackets */
};

static void check_good(const struct row *row, bool lone) {
  struct payload out;

  feed_all_ways(row->in, strlen(row->in), lone, &out);
  if (out.read != 0 || out.end != 0 || strcmp(out.text, row->out) != 0) {
    fail_msg("%s: %d, %d, %s", row->in, out.read, out.end, out.text);
  }
}

/* What reading says, and what the end does. */
static void check_bad(const char *in, bool lone, int read, int end) {
  struct payload out;

  feed_all_ways(in, strlen(in), lone, &out);
  if (out.read != read || out.end != end) {
    fail_msg("%s: %d, %d", in, out.read, out.end);
  }
}

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct row good[] = {
    {"[]", ""},
    {"[\"a\"]", "[a]"},
    {"[\"a\",\"b\"]", "[a][b]"},
    {"[\"\"]", "[]"},
    {"[\"\",\"\",\"\"]", "[][][]"},
    {"[\"one\",\"\",\"three\"]", "[one][][three]"},
    {" [ ] ", ""},
    {"\t\n\r [\t\n\r \"a\"\t\n\r ,\t\n\r \"b\"\t\n\r ]\t\n\r ", "[a][b]"},
    {"[\" a \"]", "[ a ]"},
    {"[\"[\\\"a\\\"]\"]", "[[\"a\"]]"},
    {"[\"],{}:'/\"]", "[],{}:'/]"},
    {"[\"longer than a word or two, and plain\"]",
     "[longer than a word or two, and plain]"},
    {"[\"SEND\\ndestination:/a\\n\\nbody\\u0001\"]",
     "[SEND\ndestination:/a\n\nbody\x01]"},

    /* escapes */
    {"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[\"\\/\b\f\n\r\t]"},
    {"[\"a\\nb\"]", "[a\nb]"},
    {"[\"12345678\\n12345678\"]", "[12345678\n12345678]"},
    {"[\"\\u0041\"]", "[A]"},
    {"[\"\\u007f\"]", "[\x7f]"},
    {"[\"\x7f\"]", "[\x7f]"},
    {"[\"\\u0080\"]", "[\xc2\x80]"},
    {"[\"\\u07ff\"]", "[\xdf\xbf]"},
    {"[\"\\u0800\"]", "[\xe0\xa0\x80]"},
    {"[\"\\ud7ff\"]", "[\xed\x9f\xbf]"},
    {"[\"\\ue000\"]", "[\xee\x80\x80]"},
    {"[\"\\uffff\"]", "[\xef\xbf\xbf]"},
    {"[\"\\uFFFF\\uAbCd\"]", "[\xef\xbf\xbf\xea\xaf\x8d]"},
    {"[\"\\u00e9\\u20ac\"]", "[\xc3\xa9\xe2\x82\xac]"},
    {"[\"\\u005c\\u0022\\u005d\"]", "[\\\"]]"},
    {"[\"\\u00411\"]", "[A1]"},

    /* surrogates */
    {"[\"\\ud83d\\ude00\"]", "[\xf0\x9f\x98\x80]"},
    {"[\"\\uD83D\\uDE00\"]", "[\xf0\x9f\x98\x80]"},
    {"[\"\\ud800\\udc00\"]", "[\xf0\x90\x80\x80]"},
    {"[\"\\udbff\\udfff\"]", "[\xf4\x8f\xbf\xbf]"},
    {"[\"\\ud800\"]", "[" R "]"},
    {"[\"\\udbff\"]", "[" R "]"},
    {"[\"\\udc00\"]", "[" R "]"},
    {"[\"\\udfff\"]", "[" R "]"},
    {"[\"\\ud800a\"]", "[" R "a]"},
    {"[\"\\ud800\\n\"]", "[" R "\n]"},
    {"[\"\\ud800\\\\udc00\"]", "[" R "\\udc00]"},
    {"[\"\\ud800\\u0041\"]", "[" R "A]"},
    {"[\"\\ud800\xc3\xa9\"]", "[" R "\xc3\xa9]"},
    {"[\"\\ud800\\ud800\"]", "[" R R "]"},
    {"[\"\\ud800\\ud800\\udc00\"]", "[" R "\xf0\x90\x80\x80]"},
    {"[\"\\udc00\\ud800\"]", "[" R R "]"},
    {"[\"\\ud800\\udc00\\udc00\"]", "[\xf0\x90\x80\x80" R "]"},
    {"[\"\\udc00\\udc00\"]", "[" R R "]"},
    {"[\"\\ud800\",\"\\udc00\"]", "[" R "][" R "]"},
    {"[\"\\ud800a\\udc00\"]", "[" R "a" R "]"},

    /* UTF-8 as it is */
    {"[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]",
     "[\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80]"},
    {"[\"\xef\xbb\xbf\"]", "[\xef\xbb\xbf]"},
    {"[\"1234567\xc3\xa9\"]", "[1234567\xc3\xa9]"},
    {"[\"\xc2\x80\"]", "[\xc2\x80]"},
};

static void reads_every_form_of_a_payload(void **state) {
  size_t i;

  (void)state;
  for (i = 0; i < COUNT(good); i++) {
    check_good(&good[i], false);
    check_good(&good[i], true);
  }
}

/* More could make it whole, in an array or alone. */
static const char *const unfinished[] = {
    "[",       "[ ",           "[\"",        "[\"a",     "[\"a\"",
    "[\"a\",", "[\"a\",\"b\"", "[\"a\\",     "[\"a\\\"", "[\"a\\\"]",
    "[\"\\u",  "[\"\\u004",    "[\"\\u0041", "[\"\xc3",
};

static void an_unfinished_payload_is_broken_at_its_end(void **state) {
  size_t i;

  (void)state;
  for (i = 0; i < COUNT(unfinished); i++) {
    check_bad(unfinished[i], false, 0, SBK_ERR_INVAL);
    check_bad(unfinished[i], true, 0, SBK_ERR_INVAL);
  }
}

/* Nothing could. */
static const char *const broken[] = {
    /* commas and brackets */
    "[\"a\",]",
    "[,\"a\"]",
    "[,]",
    "[\"a\",,\"b\"]",
    "[\"a\" \"b\"]",
    "[\"a\"\"b\"]",
    "[\"a\":\"b\"]",
    "[\"a\"]]",
    "[[\"a\"]]",
    "[[]]",
    "[\"a\",[]]",
    "]",
    ",",
    "\"a\"]",
    "\"a\",\"b\"",

    /* behind the end */
    "[]x",
    "[\"a\"]x",
    "[\"a\"] []",
    "[\"a\"],",
    "[\"a\"]\"b\"",
    "[\"a\"]\f",

    /* blanks that are none */
    "\xef\xbb\xbf[\"a\"]",
    "\v[\"a\"]",
    "[\f\"a\"]",
    "[\"a\"\xc2\xa0]",
    "\xc2\xa0[]",
    "[/**/\"a\"]",
    "[\\n\"a\"]",

    /* other values */
    "{}",
    "{\"a\":\"b\"}",
    "[{}]",
    "[1]",
    "[-1]",
    "[\"a\",1]",
    "[true]",
    "[false]",
    "[null]",
    "null",
    "1",
    "x",
    "a[\"x\"]",
    "['a']",
    "[a]",

    /* strings */
    "[\"\n\"]",
    "[\"a\tb\"]",
    "[\"\r\"]",
    "[\"\x01\"]",
    "[\"\x1f\"]",
    "[\"12345678\x1f\"]",
    "[\"\\a\"]",
    "[\"\\v\"]",
    "[\"\\0\"]",
    "[\"\\'\"]",
    "[\"\\U0041\"]",
    "[\"\\N\"]",
    "[\"\\ \"]",
    "[\"\\\n\"]",
    "[\"\\x41\"]",
    "[\"\\\xc3\xa9\"]",
    "[\"\\u\"]",
    "[\"\\u004\"]",
    "[\"\\u004g\"]",
    "[\"\\u 041\"]",
    "[\"\\u+041\"]",
    "[\"\\u00:0\"]",
    "[\"\\u00@0\"]",
    "[\"\\u00`0\"]",
    "[\"\\u{41}\"]",
    "[\"\\ud800\\u\"]",

    /* not UTF-8 */
    "[\"\x80\"]",
    "[\"\xff\"]",
    "[\"\xc0\x80\"]",
    "[\"\xc3\"]",
    "[\"\xc3\\u00a9\"]",
    "[\"\xc3\\n\"]",
    "[\"\xe2\x82\"]",
    "[\"\xe2\x82\",\"\xac\"]",
    "[\"\xed\xa0\x80\"]",
    "[\"\xed\xa0\xbd\xed\xb8\x80\"]",
    "[\"\xf4\x90\x80\x80\"]",
    "[\"plain text, then \xe9\"]",
};

static void what_is_no_payload_is_broken_before_its_end(void **state) {
  size_t i;

  (void)state;
  for (i = 0; i < COUNT(broken); i++) {
    check_bad(broken[i], false, SBK_ERR_INVAL, SBK_ERR_INVAL);
    check_bad(broken[i], true, SBK_ERR_INVAL, SBK_ERR_INVAL);
  }
}

static void a_lone_string_is_a_payload_where_it_is_asked_for(void **state) {
  static const struct row rows[] = {
      {"\"a\"", "[a]"},
      {"\"\"", "[]"},
      {" \t\"a b\"\r\n", "[a b]"},
      {"\"\\\"\\ud83d\\ude00\\ud800\"", "[\"\xf0\x9f\x98\x80" R "]"},
      {"\"[\\\"a\\\"]\"", "[[\"a\"]]"},
      {"[\"a\"]", "[a]"},
      {"[]", ""},
  };
  static const char *const others[] = {
      "\"a\"\"b\"", "\"a\" \"b\"", "\"a\",", "\"a\"[", "\"a\"x",
      "\"a\"\\n",   "'a'",         "a",      "\"\n\"", "\"\xff\"",
  };
  size_t i;

  (void)state;
  for (i = 0; i < COUNT(rows); i++) {
    check_good(&rows[i], true);
    if (rows[i].in[0] != '[') {
      check_bad(rows[i].in, false, SBK_ERR_INVAL, SBK_ERR_INVAL);
    }
  }
  for (i = 0; i < COUNT(others); i++) {
    check_bad(others[i], true, SBK_ERR_INVAL, SBK_ERR_INVAL);
  }
  check_bad("\"", true, 0, SBK_ERR_INVAL);
  check_bad("\"a", true, 0, SBK_ERR_INVAL);
  check_bad("\"a\\\"", true, 0, SBK_ERR_INVAL);
}

static void blanks_alone_are_no_payload(void **state) {
  static const char *const rows[] = {"", " ", "\n", " \t\r\n \t\r\n"};
  size_t i;

  (void)state;
  for (i = 0; i < COUNT(rows); i++) {
    check_bad(rows[i], false, 0, SBK_ERR_NOT_FOUND);
    check_bad(rows[i], true, 0, SBK_ERR_NOT_FOUND);
  }
}

static void nul_stands_escaped_and_nowhere_else(void **state) {
  static const char escaped[] = "[\"a\\u0000b\",\"\\u0000\"]";
  static const char raw[][7] = {"[\"a\0\"]", "[\0\"ab\"", "\0[\"a\"]",
                                "[\"a\"\0]", "[\"a\"]\0", "[\"\\\0\"]"};
  struct payload out;
  size_t i;

  (void)state;
  feed_all_ways(escaped, sizeof(escaped) - 1, false, &out);
  assert_int_equal(out.end, 0);
  assert_int_equal(out.len, 8);
  assert_memory_equal(out.text, "[a\0b][\0]", 8);
  for (i = 0; i < COUNT(raw); i++) {
    feed_all_ways(raw[i], 6, false, &out);
    assert_int_equal(out.end, SBK_ERR_INVAL);
  }
}

/* For each byte: does it leave the payload whole or open at this place? */
static void check_bytes_at(const char *in, const char *good_bytes,
                           bool above_ascii) {
  const size_t len = strlen(in);
  sbk__sockjs_reader r;
  unsigned byte;

  for (byte = 0; byte < 256; byte++) {
    const uint8_t next = (uint8_t)byte;
    bool want = byte >= 0x80 ? above_ascii && byte >= 0xc2 && byte <= 0xf4
                             : byte > 0 && strchr(good_bytes, (int)byte);

    sbk__sockjs_reader_init(&r, &memory.mem, false);
    assert_int_equal(sbk__sockjs_read(&r, in, len), 0);
    if ((sbk__sockjs_read(&r, &next, 1) == 0) != want) {
      fail_msg("%02x behind %s", byte, in);
    }
    sbk__sockjs_reader_clear(&r);
  }
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define MARKS   " !\"#$%&'()*+,-./0123456789:;<=>?@[\\]^_`{|}~\x7f"
#define HEX     "0123456789abcdefABCDEF"
#define BLANKS  " \t\r\n"

static void knows_every_byte_at_every_place(void **state) {
  (void)state;
  check_bytes_at("", BLANKS "[", false);
  check_bytes_at(" ", BLANKS "[", false);
  check_bytes_at("[", BLANKS "\"]", false);
  check_bytes_at("[\"a\"", BLANKS ",]", false);
  check_bytes_at("[\"a\",", BLANKS "\"", false);
  check_bytes_at("[\"a\", ", BLANKS "\"", false);
  check_bytes_at("[]", BLANKS, false);
  check_bytes_at("[\"a\"]", BLANKS, false);
  check_bytes_at("[\"", LETTERS MARKS, true);
  check_bytes_at("[\"1234567890", LETTERS MARKS, true);
  check_bytes_at("[\"\\ud800", LETTERS MARKS, true);
  check_bytes_at("[\"\\", "\"\\/bfnrtu", false);
  check_bytes_at("[\"\\ud800\\", "\"\\/bfnrtu", false);
  check_bytes_at("[\"\\u", HEX, false);
  check_bytes_at("[\"\\u0", HEX, false);
  check_bytes_at("[\"\\u00", HEX, false);
  check_bytes_at("[\"\\u000", HEX, false);
}

/* The byte that ends a run, wherever it stands in a word. */
static void every_place_in_a_word_is_looked_at(void **state) {
  static const struct {
    const char *tail;
    size_t len; /* of the message behind the run; 0: broken */
  } rows[] = {{"\"]", 2},     {"\\\"\"]", 3}, {"\n\"]", 0},
              {"\x1f\"]", 0}, {"\x80\"]", 0}, {"\xff\"]", 0}};
  char text[64];
  struct payload out;
  size_t off, at, i;

  (void)state;
  for (off = 0; off < 8; off++) {
    for (at = 0; at < 24; at++) {
      for (i = 0; i < COUNT(rows); i++) {
        memset(text, 0x20 + (int)i * 17, sizeof(text));
        memcpy(text + off, "[\"", 2);
        snprintf(text + off + 2 + at, 8, "%s", rows[i].tail);
        feed(text + off, strlen(text + off), false, 64, 64, &out);
        assert_int_equal(out.end, rows[i].len > 0 ? 0 : SBK_ERR_INVAL);
        assert_int_equal(out.len, rows[i].len > 0 ? at + rows[i].len : 0);
      }
    }
  }
}

static void what_is_broken_stays_broken(void **state) {
  sbk__sockjs_reader r;
  size_t i;

  (void)state;
  for (i = 0; i < COUNT(broken); i++) {
    sbk__sockjs_reader_init(&r, &memory.mem, true);
    assert_int_equal(sbk__sockjs_read(&r, broken[i], strlen(broken[i])),
                     SBK_ERR_INVAL);
    assert_int_equal(sbk__sockjs_read(&r, "[\"a\"]", 5), SBK_ERR_INVAL);
    assert_int_equal(sbk__sockjs_read(&r, NULL, 0), SBK_ERR_INVAL);
    assert_int_equal(sbk__sockjs_read_end(&r), SBK_ERR_INVAL);
    sbk__sockjs_reader_clear(&r);
  }
}

static void clear_makes_it_new(void **state) {
  static const char *const texts[] = {
      "",        "[",          "[\"a\"]", "[\"a\\ud800",  "[\"a\\u00", "x",
      "[\"\xe2", "[\"\\ud800", "\"a",     "[\"a\",\"b\"", "[\"\xff"};
  static const char next[] = "\"\\udc00\"";
  sbk__sockjs_reader r;
  const uint8_t *data;
  size_t i, at, len;

  (void)state;
  sbk__sockjs_reader_init(&r, &memory.mem, true);
  for (i = 0; i < COUNT(texts); i++) {
    sbk__sockjs_read(&r, texts[i], strlen(texts[i]));
    sbk__sockjs_reader_clear(&r);
    assert_int_equal(memory.blocks, 0);
    assert_int_equal(sbk__sockjs_read_end(&r), SBK_ERR_NOT_FOUND);
    at = 0;
    assert_false(sbk__sockjs_next(&r, &at, &data, &len));

    assert_int_equal(sbk__sockjs_read(&r, next, sizeof(next) - 1), 0);
    assert_int_equal(sbk__sockjs_read_end(&r), 0);
    assert_true(sbk__sockjs_next(&r, &at, &data, &len));
    assert_int_equal(len, 3);
    assert_memory_equal(data, R, 3);
    assert_false(sbk__sockjs_next(&r, &at, &data, &len));
    sbk__sockjs_reader_clear(&r);
    sbk__sockjs_reader_clear(&r);
  }
}

static void messages_are_there_once_they_have_ended(void **state) {
  static const char text[] = "[\"one\",\"\",\"three\"]";
  static const size_t ends[] = {5, 8, 16}; /* the second quotes */
  const uint8_t *data;
  sbk__sockjs_reader r;
  size_t i, at, len, count;

  (void)state;
  sbk__sockjs_reader_init(&r, &memory.mem, false);
  for (i = 0; i < sizeof(text) - 1; i++) {
    assert_int_equal(sbk__sockjs_read(&r, text + i, 1), 0);
    at = 0;
    for (count = 0; sbk__sockjs_next(&r, &at, &data, &len); count++) {
      assert_int_equal(len, count == 0 ? 3 : count == 1 ? 0 : 5);
    }
    assert_int_equal(count, (i >= ends[0]) + (i >= ends[1]) + (i >= ends[2]));
  }
  sbk__sockjs_reader_clear(&r);
}

static void nothing_read_takes_no_memory(void **state) {
  sbk__sockjs_reader r;

  (void)state;
  sbk__sockjs_reader_init(&r, &memory.mem, true);
  assert_int_equal(sbk__sockjs_read(&r, NULL, 0), 0);
  assert_int_equal(sbk__sockjs_read_end(&r), SBK_ERR_NOT_FOUND);
  assert_int_equal(memory.calls, 0);
}

static void what_is_broken_takes_no_more_memory(void **state) {
  static char text[5000];
  sbk__sockjs_reader r;
  size_t calls;

  (void)state;
  sbk__sockjs_reader_init(&r, &memory.mem, true);
  assert_int_equal(sbk__sockjs_read(&r, "x", 1), SBK_ERR_INVAL);
  calls = memory.calls;
  assert_int_equal(sbk__sockjs_read(&r, text, sizeof(text)), SBK_ERR_INVAL);
  assert_int_equal(memory.calls, calls);
  sbk__sockjs_reader_clear(&r);
}

/* The last digit behind a lone surrogate, wherever the room may end. */
static void a_byte_that_becomes_six_has_its_room(void **state) {
  static const char tail[] = "\\ud800\\uffff\"";
  char text[300];
  sbk__sockjs_reader r;
  const uint8_t *data;
  size_t len, i, at;

  (void)state;
  for (len = 0; len < 260; len++) {
    memset(text, 'a', sizeof(text));
    text[0] = '"';
    memcpy(text + 1 + len, tail, sizeof(tail));
    sbk__sockjs_reader_init(&r, &memory.mem, true);
    for (i = 0; text[i] != '\0'; i++) {
      assert_int_equal(sbk__sockjs_read(&r, text + i, 1), 0);
    }
    at = 0;
    assert_true(sbk__sockjs_next(&r, &at, &data, &i));
    assert_int_equal(i, len + 6);
    assert_memory_equal(data + len, R "\xef\xbf\xbf", 6);
    sbk__sockjs_reader_clear(&r);
  }
}

/* The most of memory for the number of bytes, moving included. */
static void check_memory(const char *line, size_t times) {
  const size_t len = strlen(line);
  sbk__sockjs_reader r;
  size_t received = 1, i, j;

  failing_mem_init(&memory);
  sbk__sockjs_reader_init(&r, &memory.mem, false);
  assert_int_equal(sbk__sockjs_read(&r, "[", 1), 0);
  for (i = 0; i < times; i++) {
    for (j = 0; j < len; j++) {
      assert_int_equal(sbk__sockjs_read(&r, line + j, 1), 0);
      received++;
      assert_true(memory.peak <= 3 * received + 64);
      assert_true(memory.bytes <= 2 * received + 64);
    }
  }
  sbk__sockjs_reader_clear(&r);
  assert_int_equal(memory.blocks, 0);
}

static void memory_stays_below_three_times_the_bytes(void **state) {
  char plain[4096];

  (void)state;
  check_memory("\"\",", 5000);
  check_memory("\"a\",", 5000);
  check_memory("\"\\ud800\",", 2000);
  check_memory("\"\\udc00\\udc00\",", 2000);
  check_memory("\"\\ud83d\\ude00\",", 2000);
  check_memory("\"\\uffff\xef\xbf\xbf\",", 2000);
  check_memory(" ", 5000);
  memset(plain, 'a', sizeof(plain));
  plain[0] = '"';
  memcpy(plain + sizeof(plain) - 3, "\",", 3);
  check_memory(plain, 8);
}

static void says_so_when_memory_ends_and_goes_on_saying_it(void **state) {
  static const char message[] = "\"plain\\n\\ud83d\\ude00\\ud800\",";
  static char text[3000];
  struct payload whole;
  sbk__sockjs_reader r;
  size_t fail_from, step, at, len = 0, size;
  int rv = SBK_ERR_NOMEM;

  (void)state;
  text[len++] = '[';
  while (len < sizeof(text) - 64) {
    memcpy(text + len, message, sizeof(message) - 1);
    len += sizeof(message) - 1;
  }
  memcpy(text + len, "\"\"]", 3);
  len += 3;
  feed(text, len, false, len, len, &whole);
  assert_int_equal(whole.end, 0);

  for (step = 1; step <= len; step = step * 7 - 2) {
    for (fail_from = 0;; fail_from++) {
      failing_mem_init(&memory);
      memory.fail_from = fail_from;
      sbk__sockjs_reader_init(&r, &memory.mem, false);
      for (at = 0, rv = 0; at < len && rv == 0; at += size) {
        size = step < len - at ? step : len - at;
        rv = sbk__sockjs_read(&r, text + at, size);
      }
      if (rv == 0) {
        assert_int_equal(sbk__sockjs_read_end(&r), 0);
        sbk__sockjs_reader_clear(&r);
        break;
      }
      assert_int_equal(rv, SBK_ERR_NOMEM);
      memory.fail_from = SIZE_MAX;
      assert_int_equal(sbk__sockjs_read(&r, "]", 1), SBK_ERR_NOMEM);
      assert_int_equal(sbk__sockjs_read(&r, NULL, 0), SBK_ERR_NOMEM);
      assert_int_equal(sbk__sockjs_read_end(&r), SBK_ERR_NOMEM);
      sbk__sockjs_reader_clear(&r);
      assert_int_equal(memory.blocks, 0);
    }
    assert_true(fail_from >= (step == 1 ? 4 : 1));
  }
}

/*
 * Another reader, of whole payloads: strings as UTF-16, as JSON means them, and
 * those to UTF-8 afterwards.
 */
static size_t put_units(const uint16_t *units, size_t count, char *out) {
  size_t i, len = 0;

  for (i = 0; i < count; i++) {
    uint32_t code = units[i];

    if (code >= 0xd800 && code < 0xdc00 && i + 1 < count &&
        units[i + 1] >= 0xdc00 && units[i + 1] < 0xe000) {
      code = 0x10000 + (code - 0xd800) * 0x400 + (units[++i] - 0xdc00u);
    } else if (code >= 0xd800 && code < 0xe000) {
      code = 0xfffd;
    }
    if (code >= 0x10000) {
      out[len++] = (char)(0xf0 + code / 0x40000);
      out[len++] = (char)(0x80 + code / 0x1000 % 0x40);
      out[len++] = (char)(0x80 + code / 0x40 % 0x40);
      out[len++] = (char)(0x80 + code % 0x40);
    } else if (code >= 0x800) {
      out[len++] = (char)(0xe0 + code / 0x1000);
      out[len++] = (char)(0x80 + code / 0x40 % 0x40);
      out[len++] = (char)(0x80 + code % 0x40);
    } else if (code >= 0x80) {
      out[len++] = (char)(0xc0 + code / 0x40);
      out[len++] = (char)(0x80 + code % 0x40);
    } else {
      out[len++] = (char)code;
    }
  }

  return len;
}

/* The units of the string behind a quote; NULL: broken. */
static const char *units_of(const char *p, uint16_t *units, size_t *count) {
  static const char letters[] = "bfnrt", codes[] = "\b\f\n\r\t";
  unsigned value;
  int used;

  for (*count = 0; *p != '"'; p += used) {
    const uint8_t *b = (const uint8_t *)p;

    used = 1;
    value = b[0];
    if (b[0] < 0x20) {
      return NULL;
    }
    if (b[0] == '\\' && b[1] == 'u') {
      if (strspn(p + 2, HEX) < 4 || sscanf(p + 2, "%4x", &value) != 1) {
        return NULL;
      }
      used = 6;
    } else if (b[0] == '\\') {
      const char *letter = b[1] != 0 ? strchr(letters, p[1]) : NULL;

      if (letter == NULL && (b[1] == 0 || strchr("\"\\/", p[1]) == NULL)) {
        return NULL;
      }
      value = letter != NULL ? (unsigned)codes[letter - letters] : b[1];
      used = 2;
    } else if (b[0] >= 0xf0) {
      value = (b[0] & 7u) << 18 | (b[1] & 63u) << 12 | (b[2] & 63u) << 6 |
              (b[3] & 63u);
      units[(*count)++] = (uint16_t)(0xd7c0 + (value >> 10));
      value = 0xdc00 + (value & 0x3ff);
      used = 4;
    } else if (b[0] >= 0xe0) {
      value = (b[0] & 15u) << 12 | (b[1] & 63u) << 6 | (b[2] & 63u);
      used = 3;
    } else if (b[0] >= 0xc0) {
      value = (b[0] & 31u) << 6 | (b[1] & 63u);
      used = 2;
    }
    units[(*count)++] = (uint16_t)value;
  }

  return p + 1;
}

static bool reference(const char *p, char *out, size_t *len) {
  uint16_t units[1024];
  size_t count;
  char want = '['; /* then 'a': a string or the end, 's': a string, ',' */

  *len = 0;
  if (!sbk__utf8_valid(p, strlen(p))) {
    return false;
  }
  for (;;) {
    p += strspn(p, BLANKS);
    if (want == '[' && *p == '[') {
      want = 'a';
      p++;
    } else if ((want == 'a' || want == 's') && *p == '"') {
      p = units_of(p + 1, units, &count);
      if (p == NULL) {
        return false;
      }
      out[(*len)++] = '[';
      *len += put_units(units, count, out + *len);
      out[(*len)++] = ']';
      want = ',';
    } else if (want == ',' && *p == ',') {
      want = 's';
      p++;
    } else {
      break;
    }
  }
  if ((want != 'a' && want != ',') || *p != ']') {
    return false;
  }
  p++;

  return p[strspn(p, BLANKS)] == '\0';
}

static void agrees_with_another_reader_on_random_payloads(void **state) {
  static const char *const parts[] = {"\"",
                                      "\",\"",
                                      "\" , \"",
                                      "\"",
                                      "[",
                                      "]",
                                      "[\"",
                                      "\"]",
                                      ",",
                                      " ",
                                      "a",
                                      "plain text",
                                      "\\n",
                                      "\\\\",
                                      "\\\"",
                                      "\\u0041",
                                      "\\ud83d",
                                      "\\ude00",
                                      "\\uD800",
                                      "\\uDFFF",
                                      "\\u00e9",
                                      "\\u2028",
                                      "\\u",
                                      "\\",
                                      "\xc3\xa9",
                                      "\xe2\x82\xac",
                                      "\xf0\x9f\x98\x80",
                                      "\xc3",
                                      "\n",
                                      "\\q"};
  char text[512], want[2048];
  uint32_t random = 4, whole = 0;
  struct payload one, cut;
  size_t len, want_len, size;
  const char *part;
  bool valid;
  int round;

  (void)state;
  for (round = 0; round < 40000; round++) {
    len = 0;
    memcpy(text, "[\"", 2);
    len = 2;
    while (len < 400 && test_random(&random) % 12 != 0) {
      /* mostly what may stand in a string */
      part = parts[test_random(&random) % 4 == 0
                       ? test_random(&random) % COUNT(parts)
                       : 10 + test_random(&random) % 12];
      size = strlen(part);
      memcpy(text + len, part, size);
      len += size;
    }
    memcpy(text + len, "\"]", 3);
    len += 2;

    valid = reference(text, want, &want_len);
    feed(text, len, false, len, len, &one);
    feed(text, len, false, 1 + test_random(&random) % len,
         1 + test_random(&random) % 5, &cut);
    if ((one.end == 0) != valid || one.end != cut.end || one.read != cut.read) {
      fail_msg("%s: %d, %d, %d", text, one.end, cut.end, valid);
    }
    if (valid) {
      assert_int_equal(one.len, want_len);
      assert_memory_equal(one.text, want, want_len);
      assert_int_equal(cut.len, want_len);
      assert_memory_equal(cut.text, want, want_len);
    }
    whole += valid;
  }
  /* Both kinds have been seen. */
  assert_true(whole > 2000 && whole < 38000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(reads_every_form_of_a_payload),
      TEST(an_unfinished_payload_is_broken_at_its_end),
      TEST(what_is_no_payload_is_broken_before_its_end),
      TEST(a_lone_string_is_a_payload_where_it_is_asked_for),
      TEST(blanks_alone_are_no_payload),
      TEST(nul_stands_escaped_and_nowhere_else),
      TEST(knows_every_byte_at_every_place),
      TEST(every_place_in_a_word_is_looked_at),
      TEST(what_is_broken_stays_broken),
      TEST(clear_makes_it_new),
      TEST(messages_are_there_once_they_have_ended),
      TEST(nothing_read_takes_no_memory),
      TEST(what_is_broken_takes_no_more_memory),
      TEST(a_byte_that_becomes_six_has_its_room),
      TEST(memory_stays_below_three_times_the_bytes),
      TEST(says_so_when_memory_ends_and_goes_on_saying_it),
      TEST(agrees_with_another_reader_on_random_payloads),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
