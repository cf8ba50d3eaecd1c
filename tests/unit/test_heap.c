#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "failing_mem.h"
#include "heap.h"

#define COUNT 200

/* What must hold between any two calls. */
static void check_heap(const sbk__heap *heap) {
  size_t i;

  assert_true(heap->count <= heap->cap);
  for (i = 0; i < heap->count; i++) {
    assert_int_equal(heap->timers[i]->place, i + 1);
    assert_true(heap->timers[i]->due != SBK_NEVER);
    assert_true(i == 0 ||
                heap->timers[(i - 1) / 2]->due <= heap->timers[i]->due);
  }
}

static sbk_msec earliest(const sbk__timer *timers, size_t *count) {
  sbk_msec due = SBK_NEVER;
  size_t i;

  *count = 0;
  for (i = 0; i < COUNT; i++) {
    *count += timers[i].place > 0;
    if (timers[i].place > 0 && timers[i].due < due) {
      due = timers[i].due;
    }
  }

  return due;
}

static void has_no_first_while_empty(void **state) {
  sbk__heap heap;

  (void)state;
  sbk__heap_init(&heap, sbk__mem_default());
  assert_null(sbk__heap_first(&heap));
  sbk__heap_free(&heap);
}

static void gives_timers_in_the_order_they_are_due(void **state) {
  sbk__timer timers[COUNT];
  sbk__timer *first;
  sbk_msec last = 0;
  uint32_t random = 5;
  sbk__heap heap;
  size_t i;

  (void)state;
  memset(timers, 0, sizeof(timers));
  sbk__heap_init(&heap, sbk__mem_default());
  assert_int_equal(sbk__heap_reserve(&heap, COUNT), 0);
  for (i = 0; i < COUNT; i++) {
    sbk__heap_set(&heap, &timers[i], test_random(&random) % 50);
    check_heap(&heap);
  }
  for (i = 0; i < COUNT; i++) {
    first = sbk__heap_first(&heap);
    assert_true(first->due >= last);
    last = first->due;
    sbk__heap_set(&heap, first, SBK_NEVER);
    check_heap(&heap);
  }
  assert_null(sbk__heap_first(&heap));
  sbk__heap_free(&heap);
}

static int by_number(const void *a, const void *b) {
  const sbk_msec x = *(const sbk_msec *)a, y = *(const sbk_msec *)b;

  return (x > y) - (x < y);
}

static void sorts_like_qsort(void **state) {
  sbk__timer timers[COUNT];
  sbk_msec sorted[COUNT];
  uint32_t random;
  sbk__heap heap;
  size_t i;

  (void)state;
  sbk__heap_init(&heap, sbk__mem_default());
  assert_int_equal(sbk__heap_reserve(&heap, COUNT), 0);
  for (random = 1; random < 30; random++) {
    uint32_t r = random;

    memset(timers, 0, sizeof(timers));
    for (i = 0; i < COUNT; i++) {
      sorted[i] = (sbk_msec)test_random(&r) << (r % 32);
      sbk__heap_set(&heap, &timers[i], sorted[i]);
    }
    qsort(sorted, COUNT, sizeof(*sorted), by_number);
    for (i = 0; i < COUNT; i++) {
      assert_true(sbk__heap_first(&heap)->due == sorted[i]);
      sbk__heap_set(&heap, sbk__heap_first(&heap), SBK_NEVER);
    }
  }
  sbk__heap_free(&heap);
}

static void agrees_with_a_list_under_random_changes(void **state) {
  sbk__timer timers[COUNT];
  uint32_t random = 9;
  sbk__heap heap;
  size_t count;
  int step;

  (void)state;
  memset(timers, 0, sizeof(timers));
  sbk__heap_init(&heap, sbk__mem_default());
  assert_int_equal(sbk__heap_reserve(&heap, COUNT), 0);
  for (step = 0; step < 20000; step++) {
    sbk__timer *timer = &timers[test_random(&random) % COUNT];
    bool off = test_random(&random) % 3 == 0;
    sbk_msec due = off ? SBK_NEVER : test_random(&random) % 1000;
    sbk_msec first;

    sbk__heap_set(&heap, timer, due);
    assert_true(timer->due == due);
    assert_true(off == (timer->place == 0));
    check_heap(&heap);
    first = earliest(timers, &count);
    assert_int_equal(heap.count, count);
    if (count > 0) {
      assert_true(sbk__heap_first(&heap)->due == first);
    } else {
      assert_null(sbk__heap_first(&heap));
    }
  }
  sbk__heap_free(&heap);
}

static void moves_a_timer_both_ways(void **state) {
  sbk__timer a = {0}, b = {0}, c = {0};
  sbk__heap heap;

  (void)state;
  sbk__heap_init(&heap, sbk__mem_default());
  assert_int_equal(sbk__heap_reserve(&heap, 3), 0);
  sbk__heap_set(&heap, &a, 10);
  sbk__heap_set(&heap, &b, 20);
  sbk__heap_set(&heap, &c, 30);
  assert_ptr_equal(sbk__heap_first(&heap), &a);
  sbk__heap_set(&heap, &a, 25);
  assert_ptr_equal(sbk__heap_first(&heap), &b);
  sbk__heap_set(&heap, &c, 0);
  assert_ptr_equal(sbk__heap_first(&heap), &c);
  sbk__heap_set(&heap, &c, 0);
  assert_ptr_equal(sbk__heap_first(&heap), &c);
  assert_int_equal(heap.count, 3);
  sbk__heap_free(&heap);
}

static void takes_out_a_timer_that_is_not_set(void **state) {
  sbk__timer a = {0};
  sbk__heap heap;

  (void)state;
  sbk__heap_init(&heap, sbk__mem_default());
  sbk__heap_set(&heap, &a, SBK_NEVER);
  assert_int_equal(a.place, 0);
  assert_int_equal(heap.count, 0);
  sbk__heap_free(&heap);
}

static void knows_the_ends_of_time(void **state) {
  sbk__timer a = {0}, b = {0};
  sbk__heap heap;

  (void)state;
  sbk__heap_init(&heap, sbk__mem_default());
  assert_int_equal(sbk__heap_reserve(&heap, 2), 0);
  sbk__heap_set(&heap, &a, SBK_NEVER - 1);
  sbk__heap_set(&heap, &b, 0);
  assert_ptr_equal(sbk__heap_first(&heap), &b);
  sbk__heap_set(&heap, &b, SBK_NEVER);
  assert_ptr_equal(sbk__heap_first(&heap), &a);
  sbk__heap_free(&heap);
}

static void setting_within_the_room_takes_no_memory(void **state) {
  sbk__timer timers[COUNT];
  struct failing_mem mem;
  sbk__heap heap;
  size_t i;

  (void)state;
  memset(timers, 0, sizeof(timers));
  failing_mem_init(&mem);
  sbk__heap_init(&heap, &mem.mem);
  assert_int_equal(mem.calls, 0);
  assert_int_equal(sbk__heap_reserve(&heap, COUNT), 0);
  mem.fail_from = 0;
  for (i = 0; i < COUNT; i++) {
    sbk__heap_set(&heap, &timers[i], COUNT - i);
  }
  assert_int_equal(heap.count, COUNT);
  assert_int_equal(sbk__heap_reserve(&heap, COUNT), 0);
  sbk__heap_free(&heap);
  assert_int_equal(mem.blocks, 0);
}

static void is_as_before_when_memory_ends(void **state) {
  sbk__timer timers[COUNT];
  struct failing_mem mem;
  sbk__heap heap;
  size_t i, cap;

  (void)state;
  memset(timers, 0, sizeof(timers));
  failing_mem_init(&mem);
  sbk__heap_init(&heap, &mem.mem);
  mem.fail_from = 0;
  assert_int_equal(sbk__heap_reserve(&heap, 1), SBK_ERR_NOMEM);
  assert_int_equal(heap.cap, 0);
  mem.fail_from = SIZE_MAX;
  assert_int_equal(sbk__heap_reserve(&heap, 20), 0);
  for (i = 0; i < 20; i++) {
    sbk__heap_set(&heap, &timers[i], 100 - i);
  }
  cap = heap.cap;
  mem.fail_from = 0;
  assert_int_equal(sbk__heap_reserve(&heap, cap + 1), SBK_ERR_NOMEM);
  assert_int_equal(heap.cap, cap);
  check_heap(&heap);
  assert_ptr_equal(sbk__heap_first(&heap), &timers[19]);
  sbk__heap_free(&heap);
  assert_int_equal(mem.blocks, 0);
}

static void refuses_a_size_that_would_wrap(void **state) {
  sbk__heap heap;

  (void)state;
  sbk__heap_init(&heap, sbk__mem_default());
  assert_int_equal(sbk__heap_reserve(&heap, SIZE_MAX), SBK_ERR_NOMEM);
  assert_int_equal(sbk__heap_reserve(&heap, SIZE_MAX / sizeof(void *)),
                   SBK_ERR_NOMEM);
  assert_null(heap.timers);
  sbk__heap_free(&heap);
}

static void room_grows_in_few_steps(void **state) {
  struct failing_mem mem;
  sbk__heap heap;
  size_t i;

  (void)state;
  failing_mem_init(&mem);
  sbk__heap_init(&heap, &mem.mem);
  for (i = 1; i <= 10000; i++) {
    assert_int_equal(sbk__heap_reserve(&heap, i), 0);
    assert_true(heap.cap >= i);
  }
  assert_true(mem.calls <= 11);
  sbk__heap_free(&heap);
  assert_int_equal(mem.blocks, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(has_no_first_while_empty),
      cmocka_unit_test(gives_timers_in_the_order_they_are_due),
      cmocka_unit_test(sorts_like_qsort),
      cmocka_unit_test(agrees_with_a_list_under_random_changes),
      cmocka_unit_test(moves_a_timer_both_ways),
      cmocka_unit_test(takes_out_a_timer_that_is_not_set),
      cmocka_unit_test(knows_the_ends_of_time),
      cmocka_unit_test(setting_within_the_room_takes_no_memory),
      cmocka_unit_test(is_as_before_when_memory_ends),
      cmocka_unit_test(refuses_a_size_that_would_wrap),
      cmocka_unit_test(room_grows_in_few_steps),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
