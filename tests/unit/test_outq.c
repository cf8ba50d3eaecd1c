#include <string.h>

#include "unit.h"

#include "failing_mem.h"
#include "outq.h"

/* The queue gives references back as they came; whoever takes one out knows
 * what it is. */
static void release(sbk__entry *entry) {
  if (sbk__entry_is_message(entry)) {
    sbk_message_unref(entry->ref.msg);
  } else {
    sbk_buf_unref(entry->ref.buf);
  }
}

static sbk__entry entry_of(sbk_buf *buf, uint32_t stamp) {
  sbk__entry entry = {{NULL}, SBK__OUT_TEXT, stamp};

  entry.ref.buf = sbk_buf_ref(buf);

  return entry;
}

static void agrees_with_an_array_under_random_changes(void **state) {
  static struct {
    uint32_t stamp;
    size_t bytes;
  } model[5000];
  size_t first = 0, last = 0, bytes = 0, step, i;
  struct failing_mem mem;
  uint32_t random = 31;
  sbk__rings rings;
  sbk__outq q;
  sbk_buf *buf;

  (void)state;
  failing_mem_init(&mem);
  sbk__rings_init(&rings, &mem.mem);
  memset(&q, 0, sizeof(q));
  buf = sbk__buf_new(&mem.mem, 1);
  for (step = 0; step < 5000; step++) {
    uint32_t dice = test_random(&random);
    sbk__entry out;

    if (dice % (step / 500 % 2 ? 5 : 3) < 2 || first == last) {
      model[last].stamp = dice;
      model[last].bytes = dice % 100;
      bytes += dice % 100;
      assert_int_equal(sbk__outq_reserve(&q, &rings), 0);
      sbk__outq_push(&q, entry_of(buf, dice), dice % 100);
      last++;
    } else if (dice % 7 == 0) {
      last--;
      bytes -= model[last].bytes;
      out = sbk__outq_pop_last(&q, &rings, model[last].bytes);
      assert_int_equal(out.stamp, model[last].stamp);
      release(&out);
    } else {
      bytes -= model[first].bytes;
      out = sbk__outq_pop(&q, &rings, model[first].bytes);
      assert_int_equal(out.stamp, model[first].stamp);
      release(&out);
      first++;
    }
    assert_int_equal(q.count, last - first);
    assert_int_equal(q.bytes, bytes);
    assert_int_equal(buf->refs, 1 + q.count);
    for (i = 0; i < q.count; i++) {
      assert_int_equal(sbk__outq_at(&q, (uint32_t)i)->stamp,
                       model[first + i].stamp);
    }
    if (q.count == 0) {
      assert_null(q.ring);
    }
  }
  while (q.count > 0) {
    sbk__entry out = sbk__outq_pop(&q, &rings, q.count == 1 ? q.bytes : 0);

    release(&out);
  }
  sbk_buf_unref(buf);
  sbk__rings_free(&rings);
  assert_int_equal(mem.blocks, 0);
}

static void an_empty_queue_holds_nothing(void **state) {
  sbk__entry entry = {{NULL}, SBK__OUT_TEXT, 0};
  struct failing_mem mem;
  sbk__rings rings;
  sbk__outq q, none;
  size_t i;

  (void)state;
  failing_mem_init(&mem);
  sbk__rings_init(&rings, &mem.mem);
  memset(&q, 0, sizeof(q));
  memset(&none, 0, sizeof(none));
  for (i = 0; i < 100; i++) {
    assert_int_equal(sbk__outq_reserve(&q, &rings), 0);
    sbk__outq_push(&q, entry, 5);
    sbk__outq_pop(&q, &rings, 5);
    assert_memory_equal(&q, &none, sizeof(q));
  }
  /* One ring served them all. */
  assert_int_equal(mem.calls, 1);
  sbk__rings_free(&rings);
  assert_int_equal(mem.blocks, 0);
}

static void rings_of_any_size_come_back(void **state) {
  sbk__entry entry = {{NULL}, SBK__OUT_TEXT, 0};
  struct failing_mem mem;
  sbk__rings rings;
  sbk__outq q[5];
  size_t i, j;

  (void)state;
  failing_mem_init(&mem);
  sbk__rings_init(&rings, &mem.mem);
  memset(q, 0, sizeof(q));
  for (i = 0; i < 5; i++) {
    for (j = 0; j < (size_t)10 << (2 * i); j++) {
      assert_int_equal(sbk__outq_reserve(&q[i], &rings), 0);
      sbk__outq_push(&q[i], entry, 1);
    }
    assert_int_equal(q[i].count, j);
  }
  for (i = 0; i < 5; i++) {
    while (q[i].count > 0) {
      sbk__outq_pop_last(&q[i], &rings, 1);
    }
  }
  /* Small ones are kept, large ones are not. */
  assert_true(mem.bytes <= 5 * 16 * sizeof(sbk__entry));
  sbk__rings_free(&rings);
  assert_int_equal(mem.blocks, 0);
}

static void is_as_before_when_memory_ends(void **state) {
  sbk__entry entry = {{NULL}, SBK__OUT_TEXT, 0};
  struct failing_mem mem;
  sbk__rings rings;
  sbk__outq q;
  uint32_t i;

  (void)state;
  failing_mem_init(&mem);
  sbk__rings_init(&rings, &mem.mem);
  memset(&q, 0, sizeof(q));
  mem.fail_from = 0;
  assert_int_equal(sbk__outq_reserve(&q, &rings), SBK_ERR_NOMEM);
  assert_int_equal(q.cap, 0);
  mem.fail_from = SIZE_MAX;
  for (i = 0; i < 16; i++) {
    assert_int_equal(sbk__outq_reserve(&q, &rings), 0);
    entry.stamp = i;
    sbk__outq_push(&q, entry, 1);
  }
  mem.fail_from = mem.calls;
  assert_int_equal(sbk__outq_reserve(&q, &rings), SBK_ERR_NOMEM);
  assert_int_equal(q.count, 16);
  for (i = 0; i < 16; i++) {
    assert_int_equal(sbk__outq_pop(&q, &rings, 1).stamp, i);
  }
  sbk__rings_free(&rings);
  assert_int_equal(mem.blocks, 0);
}

static void an_entry_takes_16_bytes(void **state) {
  (void)state;
  assert_int_equal(sizeof(sbk__entry), 16);
}

static void releases_what_it_refers_to(void **state) {
  struct failing_mem mem;
  sbk__entry entry = {{NULL}, 0, 0};

  (void)state;
  failing_mem_init(&mem);
  entry.ref.msg = sbk__message_new(&mem.mem, SBK_MESSAGE, 0);
  entry.slot = SBK__SLOTS_MAX - 1;
  assert_true(sbk__entry_is_message(&entry));
  release(&entry);
  entry.ref.buf = sbk__buf_new(&mem.mem, 4);
  for (entry.slot = SBK__OUT_TEXT; entry.slot < SBK__OUT_CONTROL;
       entry.slot++) {
    assert_false(sbk__entry_is_message(&entry));
  }
  release(&entry);
  assert_int_equal(mem.blocks, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_an_array_under_random_changes),
      cmocka_unit_test(an_empty_queue_holds_nothing),
      cmocka_unit_test(rings_of_any_size_come_back),
      cmocka_unit_test(is_as_before_when_memory_ends),
      cmocka_unit_test(an_entry_takes_16_bytes),
      cmocka_unit_test(releases_what_it_refers_to),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
