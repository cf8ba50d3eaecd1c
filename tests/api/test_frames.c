#include <stdio.h>

#include "api.h"

/* Frames whose ends fall where memory or a read ends. */

static void a_body_that_is_ignored_needs_no_room(void **state) {
  struct counted_mem mem;
  char text[2000];
  sbk_broker *broker;
  sbk_conn *conn;
  size_t len;

  (void)state;
  /* STOMP 1.0: a body on SUBSCRIBE. All sizes of heads that fill a block. */
  for (len = 0; len < 500; len++) {
    broker = new_broker(&mem, NULL, NULL, NULL);
    assert_int_equal(sbk_conn_new(&conn, broker, SBK_TCP, NULL, NULL), 0);
    feed(conn, 1000, "CONNECT\n\n^");
    output(conn);
    strcpy(text, "SUBSCRIBE\ndestination:/topic/a\nx:");
    memset(text + strlen(text), 0, len + 1);
    memset(text + strlen(text), 'x', len);
    strcat(text, "\n\nbody^");
    assert_int_equal(feed(conn, 1000, text), 0);
    assert_int_equal(sbk_send(broker, "/topic/a", NULL, "x", 1), 1);
    free_broker(&mem, broker);
  }
}

static const char *error_of(const char *text, size_t len, size_t cut) {
  static char error[512];
  struct counted_mem mem;
  sbk_broker *broker = new_broker(&mem, NULL, NULL, NULL);
  sbk_conn *conn;
  size_t i;

  assert_int_equal(sbk_conn_new(&conn, broker, SBK_TCP, NULL, NULL), 0);
  for (i = 0; i < len; i += cut) {
    sbk_conn_feed(conn, 1000, text + i, cut < len - i ? cut : len - i);
  }
  snprintf(error, sizeof(error), "%.*s", (int)sizeof(error) - 1, output(conn));
  free_broker(&mem, broker);

  return error;
}

static void a_line_with_nul_is_refused_alike_wherever_it_is_cut(void **state) {
  static const char line[] = "COMMANDCOMMANDCOMMANDCOMMAND\0and more\n";
  char whole[512];
  size_t cut;

  (void)state;
  strcpy(whole, error_of(line, sizeof(line) - 1, sizeof(line)));
  assert_non_null(strstr(whole, "command over max_command"));
  for (cut = 1; cut < sizeof(line); cut++) {
    assert_string_equal(error_of(line, sizeof(line) - 1, cut), whole);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_body_that_is_ignored_needs_no_room),
      cmocka_unit_test(a_line_with_nul_is_refused_alike_wherever_it_is_cut),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
