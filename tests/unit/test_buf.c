#include <string.h>

#include "unit.h"

#include "buf.h"
#include "core.h"
#include "failing_mem.h"
#include "limits.h"

/* What sbk_buf_copy() and sbk_buf_wrap() see of a broker. */
static sbk__core core;
static struct failing_mem mem;

static sbk_broker *broker(void) {
  failing_mem_init(&mem);
  test_core(&core, &mem);

  return (sbk_broker *)(void *)&core;
}

static void copies_bytes_and_puts_a_nul_behind(void **state) {
  char bytes[] = "bytes";
  sbk_buf *buf = sbk_buf_copy(broker(), bytes, 3);

  (void)state;
  bytes[0] = 'x';
  assert_int_equal(sbk_buf_len(buf), 3);
  assert_memory_equal(sbk_buf_data(buf), "byt", 4);
  assert_true(buf->nul_behind);
  sbk_buf_unref(buf);
  assert_int_equal(mem.blocks, 0);
}

static void copies_nothing_too(void **state) {
  sbk_buf *buf = sbk_buf_copy(broker(), NULL, 0);

  (void)state;
  assert_int_equal(sbk_buf_len(buf), 0);
  assert_non_null(sbk_buf_data(buf));
  sbk_buf_unref(buf);
  assert_int_equal(mem.blocks, 0);
}

static void refuses_a_size_that_would_wrap(void **state) {
  (void)state;
  assert_null(sbk_buf_copy(broker(), "x", SIZE_MAX));
  assert_null(sbk__buf_new(&mem.mem, SIZE_MAX));
  assert_null(sbk__buf_new(&mem.mem, SIZE_MAX - sizeof(sbk_buf) + 1));
  assert_int_equal(mem.calls, 0);
}

struct told {
  void *data;
  size_t len;
  int times;
};

static void on_done(void *data, size_t len, void *arg) {
  struct told *told = arg;

  told->data = data;
  told->len = len;
  told->times++;
}

static void a_wrapped_buffer_is_given_back_once(void **state) {
  static char bytes[] = "mine";
  struct told told = {NULL, 0, 0};
  sbk_buf *buf = sbk_buf_wrap(broker(), bytes, 4, on_done, &told);

  (void)state;
  assert_ptr_equal(sbk_buf_data(buf), bytes);
  assert_ptr_equal(sbk_buf_ref(buf), buf);
  sbk_buf_unref(buf);
  assert_int_equal(told.times, 0);
  sbk_buf_unref(buf);
  assert_int_equal(told.times, 1);
  assert_ptr_equal(told.data, bytes);
  assert_int_equal(told.len, 4);
  assert_int_equal(mem.blocks, 0);
}

static void what_could_not_be_wrapped_stays_the_callers(void **state) {
  static char bytes[] = "mine";
  struct told told = {NULL, 0, 0};
  sbk_broker *b = broker();

  (void)state;
  mem.fail_from = 0;
  assert_null(sbk_buf_wrap(b, bytes, 4, on_done, &told));
  assert_null(sbk_buf_copy(b, bytes, 4));
  assert_int_equal(told.times, 0);
}

static void wraps_without_anyone_to_tell(void **state) {
  static char bytes[] = "static";
  sbk_buf *buf = sbk_buf_wrap(broker(), bytes, 6, NULL, NULL);

  (void)state;
  assert_memory_equal(sbk_buf_data(buf), "static", 6);
  sbk_buf_unref(buf);
  assert_int_equal(mem.blocks, 0);
  sbk_buf_unref(NULL);
}

static void grows_and_keeps_what_is_there(void **state) {
  sbk_buf *block, *same;
  size_t cap;

  (void)state;
  broker();
  block = sbk__buf_grow(&mem.mem, NULL, 4);
  memcpy(sbk__buf_bytes(block), "abcd", 4);
  for (cap = 8; cap < 1000; cap *= 2) {
    block = sbk__buf_grow(&mem.mem, block, cap);
    assert_ptr_equal(block->data, sbk__buf_bytes(block));
    assert_memory_equal(sbk__buf_bytes(block), "abcd", 4);
    assert_int_equal(block->refs, 1);
  }
  mem.fail_from = 0;
  same = sbk__buf_grow(&mem.mem, block, 5000);
  assert_null(same);
  assert_null(sbk__buf_grow(&mem.mem, block, SIZE_MAX));
  assert_memory_equal(sbk__buf_bytes(block), "abcd", 4);
  sbk_buf_unref(block);
  assert_int_equal(mem.blocks, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(copies_bytes_and_puts_a_nul_behind),
      cmocka_unit_test(copies_nothing_too),
      cmocka_unit_test(refuses_a_size_that_would_wrap),
      cmocka_unit_test(a_wrapped_buffer_is_given_back_once),
      cmocka_unit_test(what_could_not_be_wrapped_stays_the_callers),
      cmocka_unit_test(wraps_without_anyone_to_tell),
      cmocka_unit_test(grows_and_keeps_what_is_there),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
