#include <string.h>

#include "unit.h"

#include <stompbroker/base.h>

#include "fault.h"
#include "utf8.h"
#include "ws.h"

static void each_has_a_text_of_its_own(void **state) {
  int i, j;

  (void)state;
  for (i = 1; i < SBK__FAULT_COUNT; i++) {
    const char *text = sbk__fault_text((enum sbk__fault)i);

    assert_true(strlen(text) > 0);
    for (j = 1; j < i; j++) {
      assert_string_not_equal(text, sbk__fault_text((enum sbk__fault)j));
    }
  }
}

/* Texts go into ERROR's message for every version and into a Close. */
static void texts_need_no_escape_and_fit_in_a_close(void **state) {
  int i;

  (void)state;
  for (i = 0; i < SBK__FAULT_COUNT; i++) {
    const char *text = sbk__fault_text((enum sbk__fault)i);

    assert_true(strlen(text) <= 123);
    assert_null(strpbrk(text, "\r\n\\"));
    assert_true(sbk__utf8_valid(text, strlen(text)));
  }
}

static void each_is_somebodys_fault(void **state) {
  int i;

  (void)state;
  assert_int_equal(sbk__fault_error(SBK__FAULT_NONE), 0);
  for (i = 1; i < SBK__FAULT_COUNT; i++) {
    int error = sbk__fault_error((enum sbk__fault)i);

    /* Never the host's misuse. */
    assert_true(error <= -200);
    assert_string_not_equal(sbk_strerror(error), "an unknown error");
  }
}

static void codes_are_those_a_server_may_send(void **state) {
  int i;

  (void)state;
  for (i = 0; i < SBK__FAULT_COUNT; i++) {
    uint16_t code = sbk__fault_close((enum sbk__fault)i), read;
    uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};

    assert_int_equal(sbk__ws_check_close(payload, 2, &read), SBK__FAULT_NONE);
    assert_int_equal(read, code);
    assert_int_not_equal(code, 1010); /* that is a client's */
  }
}

/* BEHAVIOUR 11 and 15.10. */
static void codes_say_what_was_wrong(void **state) {
  int i;

  (void)state;
  for (i = 1; i < SBK__FAULT_COUNT; i++) {
    uint16_t code = sbk__fault_close((enum sbk__fault)i);

    switch (sbk__fault_error((enum sbk__fault)i)) {
    case SBK_ERR_TOO_BIG:
      assert_int_equal(code, 1009);
      break;
    case SBK_ERR_TOO_MANY:
    case SBK_ERR_SLOW:
    case SBK_ERR_TIMEOUT:
    case SBK_ERR_DENIED:
      assert_int_equal(code, 1008);
      break;
    case SBK_ERR_NOMEM:
      assert_int_equal(code, 1011);
      break;
    case SBK_ERR_CLOSED:
      assert_int_equal(code, 1001);
      break;
    case SBK_ERR_WEBSOCKET:
      assert_true(code == 1002 || code == 1007);
      break;
    case SBK_ERR_STOMP:
      assert_true(code == 1002 || i == SBK__FAULT_UNROUTABLE);
      break;
    default:
      assert_int_equal(sbk__fault_error((enum sbk__fault)i), SBK_ERR_CALLBACK);
      break;
    }
  }
  assert_int_equal(sbk__fault_close(SBK__FAULT_WS_UTF8), 1007);
  assert_int_equal(sbk__fault_close(SBK__FAULT_UNROUTABLE), 1008);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_has_a_text_of_its_own),
      cmocka_unit_test(texts_need_no_escape_and_fit_in_a_close),
      cmocka_unit_test(each_is_somebodys_fault),
      cmocka_unit_test(codes_are_those_a_server_may_send),
      cmocka_unit_test(codes_say_what_was_wrong),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
