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
  const char *out; /* NULL: broken */
};

static void check(const struct row *row, bool lone) {
  struct payload out;

  feed_all_ways(row->in, strlen(row->in), lone, &out);
  if (row->out == NULL) {
    if (out.end != SBK_ERR_INVAL) {
      fail_msg("%s: %d, not broken", row->in, out.end);
    }
  } else if (out.read != 0 || out.end != 0 || strcmp(out.text, row->out) != 0) {
    fail_msg("%s: %d, %d, %s", row->in, out.read, out.end, out.text);
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
    check(&good[i], false);
  }
}

static const struct row bad[] = {
    /* unfinished */
    {"[", NULL},
    {"[ ", NULL},
    {"[\"", NULL},
    {"[\"a", NULL},
    {"[\"a\"", NULL},
    {"[\"a\",", NULL},
    {"[\"a\",\"b\"", NULL},
    {"[\"a\\", NULL},
    {"[\"a\\\"", NULL},
    {"[\"a\\\"]", NULL},
    {"[\"\\u", NULL},
    {"[\"\\u004", NULL},
    {"[\"\\u0041", NULL},
    {"[\"\xc3", NULL},

    /* commas and brackets */
    {"[\"a\",]", NULL},
    {"[,\"a\"]", NULL},
    {"[,]", NULL},
    {"[\"a\",,\"b\"]", NULL},
    {"[\"a\" \"b\"]", NULL},
    {"[\"a\"\"b\"]", NULL},
    {"[\"a\":\"b\"]", NULL},
    {"[\"a\"]]", NULL},
    {"[[\"a\"]]", NULL},
    {"[[]]", NULL},
    {"[\"a\",[]]", NULL},
    {"]", NULL},
    {",", NULL},
    {"\"a\"]", NULL},
    {"\"a\",\"b\"", NULL},

    /* behind the end */
    {"[]x", NULL},
    {"[\"a\"]x", NULL},
    {"[\"a\"] []", NULL},
    {"[\"a\"],", NULL},
    {"[\"a\"]\"b\"", NULL},
    {"[\"a\"]\f", NULL},

    /* blanks that are none */
    {"\xef\xbb\xbf[\"a\"]", NULL},
    {"\v[\"a\"]", NULL},
    {"[\f\"a\"]", NULL},
    {"[\"a\"\xc2\xa0]", NULL},
    {"\xc2\xa0[]", NULL},
    {"[/**/\"a\"]", NULL},
    {"[\\n\"a\"]", NULL},

    /* other values */
    {"{}", NULL},
    {"{\"a\":\"b\"}", NULL},
    {"[{}]", NULL},
    {"[1]", NULL},
    {"[-1]", NULL},
    {"[\"a\",1]", NULL},
    {"[true]", NULL},
    {"[false]", NULL},
    {"[null]", NULL},
    {"null", NULL},
    {"1", NULL},
    {"x", NULL},
    {"a[\"x\"]", NULL},
    {"['a']", NULL},
    {"[a]", NULL},

    /* strings */
    {"[\"\n\"]", NULL},
    {"[\"a\tb\"]", NULL},
    {"[\"\r\"]", NULL},
    {"[\"\x01\"]", NULL},
    {"[\"\x1f\"]", NULL},
    {"[\"12345678\x1f\"]", NULL},
    {"[\"\\a\"]", NULL},
    {"[\"\\v\"]", NULL},
    {"[\"\\0\"]", NULL},
    {"[\"\\'\"]", NULL},
    {"[\"\\U0041\"]", NULL},
    {"[\"\\N\"]", NULL},
    {"[\"\\ \"]", NULL},
    {"[\"\\\n\"]", NULL},
    {"[\"\\x41\"]", NULL},
    {"[\"\\\xc3\xa9\"]", NULL},
    {"[\"\\u\"]", NULL},
    {"[\"\\u004\"]", NULL},
    {"[\"\\u004g\"]", NULL},
    {"[\"\\u 041\"]", NULL},
    {"[\"\\u+041\"]", NULL},
    {"[\"\\u00:0\"]", NULL},
    {"[\"\\u00@0\"]", NULL},
    {"[\"\\u00`0\"]", NULL},
    {"[\"\\u{41}\"]", NULL},
    {"[\"\\ud800\\u\"]", NULL},

    /* not UTF-8 */
    {"[\"\x80\"]", NULL},
    {"[\"\xff\"]", NULL},
    {"[\"\xc0\x80\"]", NULL},
    {"[\"\xc3\"]", NULL},
    {"[\"\xc3\\u00a9\"]", NULL},
    {"[\"\xc3\\n\"]", NULL},
    {"[\"\xe2\x82\"]", NULL},
    {"[\"\xe2\x82\",\"\xac\"]", NULL},
    {"[\"\xed\xa0\x80\"]", NULL},
    {"[\"\xed\xa0\xbd\xed\xb8\x80\"]", NULL},
    {"[\"\xf4\x90\x80\x80\"]", NULL},
    {"[\"plain text, then \xe9\"]", NULL},
};

static void refuses_all_that_is_no_payload(void **state) {
  size_t i;

  (void)state;
  for (i = 0; i < COUNT(bad); i++) {
    check(&bad[i], false);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(reads_every_form_of_a_payload),
      TEST(refuses_all_that_is_no_payload),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
