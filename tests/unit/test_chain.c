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

static void a_walk_meets_each_link_once_whatever_is_added(void **state) {
  static char serials[400];
  uint32_t random = 43;
  size_t round;

  (void)state;
  for (round = 0; round < 200; round++) {
    sbk__chain chain = {NULL, 0};
    sbk__walk walk = {0, 0};
    char met[400] = {0};
    const sbk__link *link;
    size_t added = 0, count = 0;
    int last = -100;

    while (added < 10) {
      int order = (int)(test_random(&random) % 9) - 4;

      sbk__chain_add(&chain, sbk__mem_default(), order, run, &serials[added++]);
    }
    while ((link = sbk__chain_next(&chain, &walk)) != NULL) {
      size_t which = (size_t)((char *)link->arg - serials);

      assert_int_equal(met[which]++, 0);
      assert_true(link->order >= last);
      last = link->order;
      count++;
      while (added < 100 && test_random(&random) % 3 > 0) {
        int order = (int)(test_random(&random) % 9) - 4;

        sbk__chain_add(&chain, sbk__mem_default(), order, run,
                       &serials[added++]);
      }
    }
    /* Those that were there at first were all met. */
    assert_true(count >= 10);
    while (added-- > 0) {
      assert_true(added >= 10 || met[added]);
    }
    assert_null(sbk__chain_next(&chain, &walk));
    sbk__chain_free(&chain, sbk__mem_default());
  }
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
      cmocka_unit_test(a_walk_meets_each_link_once_whatever_is_added),
      cmocka_unit_test(is_as_before_when_memory_ends),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
