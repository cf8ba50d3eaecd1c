#include <string.h>

#include "unit.h"

#include "core.h"

/* The last line that was logged. */
static struct {
  int lines;
  enum sbk_log_level level;
  char text[4096];
} logged;

static void on_log(enum sbk_log_level level, const char *line, void *arg) {
  assert_ptr_equal(arg, &logged);
  assert_true(strlen(line) < sizeof(logged.text));
  logged.lines++;
  logged.level = level;
  memcpy(logged.text, line, strlen(line) + 1);
}

static sbk__core logging_core(void) {
  sbk__core core;

  memset(&core, 0, sizeof(core));
  memset(&logged, 0, sizeof(logged));
  core.callbacks.log = on_log;
  core.arg = &logged;

  return core;
}

static void a_line_says_who_what_and_details(void **state) {
  sbk__core core = logging_core();

  (void)state;
  sbk__log(&core, SBK_LOG_WARN, "10.0.0.1", "closed", "too slow");
  assert_string_equal(logged.text, "10.0.0.1: closed: too slow");
  assert_int_equal(logged.level, SBK_LOG_WARN);
  sbk__log(&core, SBK_LOG_ERROR, NULL, "closed", NULL);
  assert_string_equal(logged.text, "closed");
  sbk__log(&core, SBK_LOG_ERROR, "", "closed", "");
  assert_string_equal(logged.text, "closed: ");
  assert_int_equal(logged.lines, 3);
}

static void texts_of_peers_are_escaped(void **state) {
  sbk__core core = logging_core();

  (void)state;
  sbk__log(&core, SBK_LOG_INFO, "a\nb", "x", "\r\n\x1b[31m\\\x7f\xe2\x80\xae");
  assert_string_equal(logged.text,
                      "a\\x0ab: x: "
                      "\\x0d\\x0a\\x1b[31m\\x5c\\x7f\\xe2\\x80\\xae");
}

static void every_byte_comes_out_printable(void **state) {
  sbk__core core = logging_core();
  char text[2] = {0, 0};
  int c;

  (void)state;
  for (c = 1; c < 256; c++) {
    size_t i, len;

    text[0] = (char)c;
    sbk__log(&core, SBK_LOG_INFO, NULL, "", text);
    len = strlen(logged.text);
    assert_int_equal(len, c >= 32 && c < 127 && c != '\\' ? 3 : 6);
    for (i = 0; i < len; i++) {
      assert_true(logged.text[i] >= 32 && logged.text[i] < 127);
    }
  }
}

static void texts_of_peers_are_cut_at_128_bytes(void **state) {
  sbk__core core = logging_core();
  char text[1000];
  size_t len;

  (void)state;
  for (len = 127; len <= 129; len++) {
    memset(text, 'x', len);
    text[len] = '\0';
    sbk__log(&core, SBK_LOG_INFO, NULL, "", text);
    assert_int_equal(strlen(logged.text), 2 + (len <= 128 ? len : 128 + 3));
  }
  /* The longest line there can be. */
  memset(text, '\n', sizeof(text) - 1);
  text[sizeof(text) - 1] = '\0';
  sbk__log(&core, SBK_LOG_INFO, text,
           "sbk_broker_free() called from a callback", text);
  assert_int_equal(strlen(logged.text), 2 * (4 * 128 + 3) + 2 * 2 + 40);
}

static void is_silent_without_a_callback(void **state) {
  sbk__core core = logging_core();

  (void)state;
  core.callbacks.log = NULL;
  sbk__log(&core, SBK_LOG_ERROR, "a", "b", "c");
  assert_int_equal(logged.lines, 0);
}

static int on_random(void *dst, size_t len, void *arg) {
  int *rv = arg;

  memset(dst, 0x5a, len);
  return *rv;
}

static void randomness_comes_from_the_host_if_it_has_some(void **state) {
  uint8_t bytes[40] = {0};
  sbk__core core;
  int rv = 0;

  (void)state;
  memset(&core, 0, sizeof(core));
  core.callbacks.random = on_random;
  core.arg = &rv;
  assert_int_equal(sbk__random(&core, bytes, 39), 0);
  assert_int_equal(bytes[38], 0x5a);
  assert_int_equal(bytes[39], 0);
  rv = 1;
  assert_int_equal(sbk__random(&core, bytes, 39), SBK_ERR_CALLBACK);
  rv = -1;
  assert_int_equal(sbk__random(&core, bytes, 39), SBK_ERR_CALLBACK);
}

static void randomness_comes_from_the_system_in_any_amount(void **state) {
  static const size_t lens[] = {0, 1, 16, 255, 256, 257, 4096};
  static uint8_t a[4100], b[4100];
  sbk__core core;
  size_t i, j, ones = 0;

  (void)state;
  memset(&core, 0, sizeof(core));
  for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
    memset(a, 0, sizeof(a));
    memset(b, 0, sizeof(b));
    assert_int_equal(sbk__random(&core, a, lens[i]), 0);
    assert_int_equal(sbk__random(&core, b, lens[i]), 0);
    assert_int_equal(a[lens[i]], 0);
    if (lens[i] >= 16) {
      assert_memory_not_equal(a, b, lens[i]);
      assert_memory_not_equal(a + lens[i] - 16, b + lens[i] - 16, 16);
    }
  }
  for (i = 0; i < 4096; i++) {
    for (j = 0; j < 8; j++) {
      ones += a[i] >> j & 1;
    }
  }
  /* Of 32,768 bits half are set; 905 is ten times the deviation of 90.5. */
  assert_in_range(ones, 16384 - 905, 16384 + 905);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_line_says_who_what_and_details),
      cmocka_unit_test(texts_of_peers_are_escaped),
      cmocka_unit_test(every_byte_comes_out_printable),
      cmocka_unit_test(texts_of_peers_are_cut_at_128_bytes),
      cmocka_unit_test(is_silent_without_a_callback),
      cmocka_unit_test(randomness_comes_from_the_host_if_it_has_some),
      cmocka_unit_test(randomness_comes_from_the_system_in_any_amount),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
