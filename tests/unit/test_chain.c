#include <string.h>

#include "unit.h"

#include "chain.h"
#include "failing_mem.h"

static enum sbk_verdict run(sbk_call *call, void *arg) {
  (void)call, (void)arg;
  return SBK_PASS;
}

static void lower_orders_come_first_and_equals_as_they_came(void **state) {
  static char serials[300];
  sbk__chain chain = {NULL, 0};
  struct failing_mem mem;
  uint32_t random = 41;
  size_t i;

  (void)state;
  failing_mem_init(&mem);
  for (i = 0; i < 300; i++) {
    int order = (int)(test_random(&random) % 20) - 10;

    assert_int_equal(sbk__chain_add(&chain, &mem.mem, order, run, &serials[i]),
                     0);
  }
  assert_int_equal(chain.count, 300);
  for (i = 1; i < 300; i++) {
    const sbk__link *a = &chain.items[i - 1], *b = &chain.items[i];

    assert_true(a->order < b->order ||
                (a->order == b->order && (char *)a->arg < (char *)b->arg));
  }
  sbk__chain_free(&chain, &mem.mem);
  assert_int_equal(chain.count, 0);
  assert_int_equal(mem.blocks, 0);
}

static void orders_go_to_the_ends_of_int(void **state) {
  sbk__chain chain = {NULL, 0};

  (void)state;
  assert_int_equal(
      sbk__chain_add(&chain, sbk__mem_default(), INT32_MAX, run, NULL), 0);
  assert_int_equal(
      sbk__chain_add(&chain, sbk__mem_default(), INT32_MIN, run, NULL), 0);
  assert_int_equal(sbk__chain_add(&chain, sbk__mem_default(), 0, run, NULL), 0);
  assert_int_equal(chain.items[0].order, INT32_MIN);
  assert_int_equal(chain.items[1].order, 0);
  assert_int_equal(chain.items[2].order, INT32_MAX);
  sbk__chain_free(&chain, sbk__mem_default());
}

static void is_as_before_when_memory_ends(void **state) {
  sbk__chain chain = {NULL, 0};
  struct failing_mem mem;

  (void)state;
  failing_mem_init(&mem);
  assert_int_equal(sbk__chain_add(&chain, &mem.mem, 1, run, NULL), 0);
  mem.fail_from = mem.calls;
  assert_int_equal(sbk__chain_add(&chain, &mem.mem, 0, run, NULL),
                   SBK_ERR_NOMEM);
  assert_int_equal(chain.count, 1);
  assert_int_equal(chain.items[0].order, 1);
  sbk__chain_free(&chain, &mem.mem);
  assert_int_equal(mem.blocks, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lower_orders_come_first_and_equals_as_they_came),
      cmocka_unit_test(orders_go_to_the_ends_of_int),
      cmocka_unit_test(is_as_before_when_memory_ends),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
