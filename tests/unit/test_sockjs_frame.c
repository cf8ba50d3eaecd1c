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
    fail_msg("%s: %s, not %s", in, out, want);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(escapes_what_the_protocol_wants_escaped),
      TEST(a_frame_in_a_script_is_escaped_once_more),
      TEST(a_close_frame_has_a_code_and_a_reason),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
