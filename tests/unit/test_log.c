#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "log.h"

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

static sbk__log_quota quota;

static sbk__core bounded_core(void) {
  sbk__core core = logging_core();

  memset(&quota, 0, sizeof(quota));
  core.quota = &quota;
  core.now = 5000;

  return core;
}

static void log_lines(sbk__core *core, const char *who, int count) {
  while (count-- > 0) {
    sbk__log(core, SBK_LOG_INFO, who, "refused", "x");
  }
}

static void a_peer_makes_ten_lines_a_second(void **state) {
  sbk__core core = bounded_core();

  (void)state;
  log_lines(&core, "a", 9);
  assert_int_equal(logged.lines, 9);
  log_lines(&core, "a", 1);
  assert_int_equal(logged.lines, 10);
  log_lines(&core, "a", 1);
  assert_int_equal(logged.lines, 10);
  core.now += 999;
  log_lines(&core, "a", 1000);
  assert_int_equal(logged.lines, 10);
}

static void then_a_line_says_how_many_were_left_out(void **state) {
  sbk__core core = bounded_core();

  (void)state;
  log_lines(&core, "a", 35);
  core.now += 1000;
  sbk__log(&core, SBK_LOG_WARN, "b", "refused", "x");
  assert_int_equal(logged.lines, 11);
  sbk__log(&core, SBK_LOG_INFO, "a", "refused", "x");
  assert_int_equal(logged.lines, 13); /* that line and this */
  assert_string_equal(logged.text, "a: refused: x");
  log_lines(&core, "a", 9);
  assert_int_equal(logged.lines, 22);
  log_lines(&core, "a", 2);
  core.now += 999;
  sbk__log_left_out(&core, false);
  assert_int_equal(logged.lines, 22);
  core.now += 1;
  sbk__log_left_out(&core, false);
  assert_int_equal(logged.lines, 23);
  assert_string_equal(logged.text, "lines of a peer left out: 2");
  assert_int_equal(logged.level, SBK_LOG_WARN);
  sbk__log_left_out(&core, true);
  assert_int_equal(logged.lines, 23);
  log_lines(&core, "a", 11);
  sbk__log_left_out(&core, true);
  assert_string_equal(logged.text, "lines of a peer left out: 1");
}

static void other_peers_are_heard_meanwhile(void **state) {
  sbk__core core = bounded_core();
  char who[24];
  int i, heard = 0;

  (void)state;
  log_lines(&core, "10.0.0.1:5000", 1000);
  for (i = 0; i < 64; i++) {
    int before = logged.lines;

    snprintf(who, sizeof(who), "10.0.0.%d:5000", i + 2);
    sbk__log(&core, SBK_LOG_INFO, who, "refused", NULL);
    heard += logged.lines - before;
  }
  assert_true(heard > 55); /* but for those who share its place */
}

static void all_peers_together_make_640_lines(void **state) {
  sbk__core core = bounded_core();
  char who[24];
  int i;

  (void)state;
  for (i = 0; i < 20000; i++) {
    snprintf(who, sizeof(who), "10.0.0.1:%d", i);
    sbk__log(&core, SBK_LOG_INFO, who, "refused", NULL);
  }
  assert_int_equal(logged.lines, SBK__LOG_LINES * SBK__LOG_PEERS);
  sbk__log_left_out(&core, true);
  assert_int_equal(logged.lines, (SBK__LOG_LINES + 1) * SBK__LOG_PEERS);
}

static void the_host_s_own_mistakes_are_always_told(void **state) {
  sbk__core core = bounded_core();
  int i;

  (void)state;
  log_lines(&core, NULL, 100);
  assert_int_equal(logged.lines, 10); /* no error: peers may be behind it */
  for (i = 0; i < 100; i++) {
    sbk__log(&core, SBK_LOG_ERROR, NULL, "called from a callback", NULL);
  }
  assert_int_equal(logged.lines, 110);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_line_says_who_what_and_details),
      cmocka_unit_test(texts_of_peers_are_escaped),
      cmocka_unit_test(every_byte_comes_out_printable),
      cmocka_unit_test(texts_of_peers_are_cut_at_128_bytes),
      cmocka_unit_test(is_silent_without_a_callback),
      cmocka_unit_test(a_peer_makes_ten_lines_a_second),
      cmocka_unit_test(then_a_line_says_how_many_were_left_out),
      cmocka_unit_test(other_peers_are_heard_meanwhile),
      cmocka_unit_test(all_peers_together_make_640_lines),
      cmocka_unit_test(the_host_s_own_mistakes_are_always_told),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
