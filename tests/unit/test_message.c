#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "failing_mem.h"
#include "message.h"

static void sets_and_replaces_headers(void **state) {
  struct failing_mem mem;
  sbk_message *msg;

  (void)state;
  failing_mem_init(&mem);
  msg = sbk__message_new(&mem.mem, SBK_MESSAGE, 1);
  assert_int_equal(sbk_message_set_header(msg, "a", "1"), 0);
  assert_int_equal(sbk_message_set_header(msg, "b", ""), 0);
  assert_int_equal(sbk_message_set_header(msg, "a", "longer than before"), 0);
  assert_int_equal(sbk_message_header_count(msg), 2);
  assert_string_equal(sbk_message_header(msg, "a"), "longer than before");
  assert_string_equal(sbk_message_header(msg, "b"), "");
  assert_null(sbk_message_header(msg, "A"));
  assert_null(sbk_message_header(msg, ""));
  sbk_message_unref(msg);
  assert_int_equal(mem.blocks, 0);
}

static void keeps_headers_in_their_order(void **state) {
  sbk_message *msg = sbk__message_new(sbk__mem_default(), SBK_MESSAGE, 0);
  const char *name, *value;
  char text[16];
  int i;

  (void)state;
  for (i = 0; i < 100; i++) {
    snprintf(text, sizeof(text), "n%d", i);
    assert_int_equal(sbk_message_set_header(msg, text, text + 1), 0);
  }
  for (i = 0; i < 100; i++) {
    snprintf(text, sizeof(text), "n%d", i);
    sbk_message_header_at(msg, (size_t)i, &name, &value);
    assert_string_equal(name, text);
    assert_string_equal(value, text + 1);
  }
  sbk_message_header_at(msg, 100, &name, &value);
  assert_null(name);
  assert_null(value);
  sbk_message_header_at(msg, SIZE_MAX, &name, &value);
  assert_null(name);
  sbk_message_unref(msg);
}

static void there_is_nothing_behind_the_last_header(void **state) {
  sbk_message *msg = sbk__message_new(sbk__mem_default(), SBK_MESSAGE, 2);
  const char *name, *value;

  (void)state;
  assert_int_equal(sbk_message_set_header(msg, "a", "1"), 0);
  assert_int_equal(sbk_message_set_header(msg, "b", "2"), 0);
  msg->header_count = 1;
  sbk_message_header_at(msg, 0, &name, &value);
  assert_string_equal(name, "a");
  sbk_message_header_at(msg, 1, &name, &value);
  assert_null(name);
  assert_null(value);
  msg->header_count = 2;
  sbk_message_unref(msg);
}

static void refuses_names_that_are_its_own(void **state) {
  static const char *const names[] = {
      "destination", "content-length", "message-id", "subscription", "ack", ""};
  sbk_message *msg = sbk__message_new(sbk__mem_default(), SBK_MESSAGE, 1);
  size_t i;

  (void)state;
  for (i = 0; i < 6; i++) {
    assert_int_equal(sbk_message_set_header(msg, names[i], "x"), SBK_ERR_INVAL);
  }
  assert_int_equal(sbk_message_set_header(msg, NULL, "x"), SBK_ERR_INVAL);
  assert_int_equal(sbk_message_set_header(msg, "x", NULL), SBK_ERR_INVAL);
  assert_int_equal(sbk_message_set_header(msg, "ack2", "x"), 0);
  assert_int_equal(sbk_message_header_count(msg), 1);
  sbk_message_unref(msg);
}

static void has_1024_headers_at_most(void **state) {
  sbk_message *msg = sbk__message_new(sbk__mem_default(), SBK_MESSAGE, 1);
  char name[16];
  int i;

  (void)state;
  for (i = 0; i < 1024; i++) {
    snprintf(name, sizeof(name), "n%d", i);
    assert_int_equal(sbk_message_set_header(msg, name, "v"), 0);
  }
  assert_int_equal(sbk_message_set_header(msg, "one more", "v"),
                   SBK_ERR_TOO_MANY);
  assert_int_equal(sbk_message_set_header(msg, "n7", "another"), 0);
  assert_int_equal(sbk_message_header_count(msg), 1024);
  sbk_message_unref(msg);
}

static void a_frozen_message_stays_as_it_is(void **state) {
  sbk_message *msg = sbk__message_new(sbk__mem_default(), SBK_MESSAGE, 1);

  (void)state;
  assert_int_equal(sbk_message_set_header(msg, "a", "1"), 0);
  msg->frozen = true;
  assert_int_equal(sbk_message_set_header(msg, "a", "2"), SBK_ERR_STATE);
  assert_string_equal(sbk_message_header(msg, "a"), "1");
  sbk_message_unref(msg);
}

static void a_clone_may_be_changed_and_shares_the_body(void **state) {
  struct failing_mem mem;
  sbk_message *msg, *copy;
  size_t len;

  (void)state;
  failing_mem_init(&mem);
  msg = sbk__message_new(&mem.mem, SBK_SEND, 1);
  assert_int_equal(sbk_message_set_header(msg, "a", "1"), 0);
  assert_int_equal(sbk_message_set_header(msg, "z", "9"), 0);
  msg->text = sbk__buf_new(&mem.mem, 3);
  memcpy(sbk__buf_bytes(msg->text), "xyz", 3);
  msg->frozen = true;
  copy = sbk__message_clone(msg);
  assert_int_equal(sbk_message_set_header(copy, "a", "2"), 0);
  assert_int_equal(sbk_message_set_header(copy, "b", "3"), 0);
  assert_string_equal(sbk_message_header(msg, "a"), "1");
  assert_int_equal(sbk_message_header_count(msg), 2);
  assert_int_equal(sbk_message_header_count(copy), 3);
  assert_string_equal(sbk_message_header(copy, "z"), "9");
  assert_int_equal(sbk_message_command(copy), SBK_SEND);
  assert_ptr_equal(sbk_message_body(copy, &len), sbk_message_body(msg, &len));
  sbk_message_unref(msg);
  assert_memory_equal(sbk_message_body(copy, &len), "xyz", 3);
  sbk_message_unref(copy);
  assert_int_equal(mem.blocks, 0);
}

static void an_empty_body_is_never_null(void **state) {
  sbk_message *msg = sbk__message_new(sbk__mem_default(), SBK_MESSAGE, 1);
  size_t len = 7;

  (void)state;
  assert_non_null(sbk_message_body(msg, &len));
  assert_int_equal(len, 0);
  assert_null(sbk_message_body_buf(msg));
  msg->text = sbk__buf_new(sbk__mem_default(), 0);
  assert_non_null(sbk_message_body(msg, &len));
  assert_null(sbk_message_body_buf(msg));
  sbk_message_unref(msg);
}

static void lives_as_long_as_it_is_referred_to(void **state) {
  struct failing_mem mem;
  sbk_message *msg;

  (void)state;
  failing_mem_init(&mem);
  msg = sbk__message_new(&mem.mem, SBK_MESSAGE, 1);
  assert_ptr_equal(sbk_message_ref(msg), msg);
  sbk_message_unref(msg);
  assert_int_equal(sbk_message_set_header(msg, "still", "here"), 0);
  sbk_message_unref(msg);
  assert_int_equal(mem.blocks, 0);
  sbk_message_unref(NULL);
}

static void is_as_before_when_memory_ends(void **state) {
  struct failing_mem mem;
  sbk_message *msg;
  size_t fail;

  (void)state;
  failing_mem_init(&mem);
  mem.fail_from = 0;
  assert_null(sbk__message_new(&mem.mem, SBK_MESSAGE, 1));
  mem.fail_from = SIZE_MAX;
  msg = sbk__message_new(&mem.mem, SBK_MESSAGE, 1);
  assert_int_equal(sbk_message_set_header(msg, "a", "1"), 0);
  for (fail = 0; fail < 2; fail++) {
    mem.fail_from = mem.calls + fail;
    assert_int_equal(sbk_message_set_header(msg, "b", "2"), SBK_ERR_NOMEM);
    assert_int_equal(sbk_message_header_count(msg), 1);
    mem.fail_from = mem.calls;
    assert_int_equal(sbk_message_set_header(msg, "a", "2"), SBK_ERR_NOMEM);
    assert_string_equal(sbk_message_header(msg, "a"), "1");
    if (fail == 1) {
      assert_null(sbk__message_clone(msg));
    }
  }
  for (fail = 0; fail < 2; fail++) {
    mem.fail_from = mem.calls + fail;
    assert_null(sbk__message_clone(msg));
  }
  sbk_message_unref(msg);
  assert_int_equal(mem.blocks, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sets_and_replaces_headers),
      cmocka_unit_test(keeps_headers_in_their_order),
      cmocka_unit_test(there_is_nothing_behind_the_last_header),
      cmocka_unit_test(refuses_names_that_are_its_own),
      cmocka_unit_test(has_1024_headers_at_most),
      cmocka_unit_test(a_frozen_message_stays_as_it_is),
      cmocka_unit_test(a_clone_may_be_changed_and_shares_the_body),
      cmocka_unit_test(an_empty_body_is_never_null),
      cmocka_unit_test(lives_as_long_as_it_is_referred_to),
      cmocka_unit_test(is_as_before_when_memory_ends),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
