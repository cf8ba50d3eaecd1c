#include <string.h>

#include "unit.h"

#include "failing_mem.h"
#include "stage.h"

#define MOST 200000

/* All bytes that ever went in, and how many of them are gone. */
struct model {
  uint8_t bytes[MOST];
  size_t put;
  size_t gone;
};

static struct model model;

static void check(const sbk__stage *stage, uint32_t *random) {
  static uint8_t copy[MOST];
  size_t left = model.put - model.gone, at = model.gone, cap;
  struct iovec iov[2000];
  int i, count;

  assert_int_equal(stage->bytes, left);
  cap = left > 0 ? test_random(random) % (left + 10) : 5;
  assert_int_equal(sbk__stage_copy_out(stage, copy, cap),
                   cap < left ? cap : left);
  assert_memory_equal(copy, model.bytes + model.gone, cap < left ? cap : left);
  count = sbk__stage_iov(stage, iov, 2000);
  for (i = 0; i < count; i++) {
    assert_true(iov[i].iov_len > 0);
    assert_memory_equal(iov[i].iov_base, model.bytes + at, iov[i].iov_len);
    at += iov[i].iov_len;
  }
  assert_int_equal(at, model.put);
}

static void put(uint8_t *data, size_t len, uint32_t *random) {
  size_t i;

  for (i = 0; i < len; i++) {
    data[i] = (uint8_t)test_random(random);
  }
  memcpy(model.bytes + model.put, data, len);
  model.put += len;
}

static void add_copy(sbk__stage *stage, uint32_t *random) {
  uint8_t data[300];
  size_t len = test_random(random) % sizeof(data);
  size_t room = len + test_random(random) % 100;

  put(data, len, random);
  assert_int_equal(sbk__stage_reserve(stage, room, 0), 0);
  sbk__stage_copy(stage, data, len);
}

static void add_body(sbk__stage *stage, const struct sbk_mem *mem,
                     uint32_t *random) {
  sbk_buf *owner = sbk__buf_new(mem, 1 + test_random(random) % 500);
  uint8_t head[10], tail[1];

  assert_int_equal(sbk__stage_reserve(stage, 11 + test_random(random) % 99, 1),
                   0);
  put(head, 10, random);
  sbk__stage_copy(stage, head, 10);
  put(sbk__buf_bytes(owner), owner->len, random);
  sbk__stage_add(stage, owner->data, owner->len, owner);
  put(tail, 1, random);
  sbk__stage_copy(stage, tail, 1);
  sbk_buf_unref(owner);
}

static void agrees_with_an_array_under_random_changes(void **state) {
  struct failing_mem mem;
  uint32_t random = 61;
  size_t round, step;

  (void)state;
  failing_mem_init(&mem);
  for (round = 0; round < 20; round++) {
    sbk__stage *stage = sbk__stage_new(&mem.mem);

    memset(&model, 0, sizeof(model));
    for (step = 0; step < 300; step++) {
      uint32_t dice = test_random(&random) % 6;

      if (dice < 2) {
        add_copy(stage, &random);
      } else if (dice < 3) {
        add_body(stage, &mem.mem, &random);
      } else {
        size_t left = model.put - model.gone;
        size_t len = test_random(&random) % 700;

        assert_int_equal(sbk__stage_sent(stage, len), len < left ? len : left);
        model.gone += len < left ? len : left;
      }
      check(stage, &random);
    }
    sbk__stage_free(stage);
    assert_int_equal(mem.blocks, 0);
  }
}

static void pieces_stay_where_they_are_until_sent(void **state) {
  struct iovec first[64], now[2000];
  struct failing_mem mem;
  uint32_t random = 67;
  sbk__stage *stage;
  int i, count, step;

  (void)state;
  failing_mem_init(&mem);
  memset(&model, 0, sizeof(model));
  stage = sbk__stage_new(&mem.mem);
  for (step = 0; step < 10; step++) {
    add_copy(stage, &random);
    add_body(stage, &mem.mem, &random);
  }
  count = sbk__stage_iov(stage, first, 10);
  assert_int_equal(count, 10);
  for (step = 0; step < 200; step++) {
    add_copy(stage, &random);
    add_body(stage, &mem.mem, &random);
    assert_true(sbk__stage_iov(stage, now, 2000) >= count);
    for (i = 0; i < count; i++) {
      assert_ptr_equal(now[i].iov_base, first[i].iov_base);
    }
  }
  /* One byte at a time: what is left does not move either. */
  for (step = 0; (size_t)step < first[0].iov_len - 1; step++) {
    assert_int_equal(sbk__stage_sent(stage, 1), 1);
    sbk__stage_iov(stage, now, 10);
    assert_ptr_equal(now[0].iov_base, (uint8_t *)first[0].iov_base + step + 1);
    assert_ptr_equal(now[1].iov_base, first[1].iov_base);
  }
  sbk__stage_free(stage);
  assert_int_equal(mem.blocks, 0);
}

static void gives_no_more_pieces_than_asked_for(void **state) {
  struct failing_mem mem;
  uint32_t random = 5;
  struct iovec iov[4] = {{NULL, 0}};
  sbk__stage *stage;

  (void)state;
  failing_mem_init(&mem);
  memset(&model, 0, sizeof(model));
  stage = sbk__stage_new(&mem.mem);
  assert_int_equal(sbk__stage_iov(stage, iov, 4), 0);
  add_body(stage, &mem.mem, &random);
  add_body(stage, &mem.mem, &random);
  assert_int_equal(sbk__stage_iov(stage, iov, 0), 0);
  assert_int_equal(sbk__stage_iov(stage, iov, 3), 3);
  assert_null(iov[3].iov_base);
  sbk__stage_free(stage);
}

static void runs_join_what_is_small(void **state) {
  struct failing_mem mem;
  struct iovec iov[8];
  sbk__stage *stage;
  int i;

  (void)state;
  failing_mem_init(&mem);
  stage = sbk__stage_new(&mem.mem);
  assert_int_equal(sbk__stage_reserve(stage, 1000, 0), 0);
  for (i = 0; i < 100; i++) {
    assert_int_equal(sbk__stage_reserve(stage, 10, 1), 0);
    sbk__stage_copy(stage, "0123456789", 10);
  }
  assert_int_equal(sbk__stage_iov(stage, iov, 8), 1);
  assert_int_equal(iov[0].iov_len, 1000);
  sbk__stage_free(stage);
  assert_int_equal(mem.blocks, 0);
}

static void owners_live_until_their_bytes_are_sent(void **state) {
  struct failing_mem mem;
  sbk__stage *stage;
  sbk_buf *owner;

  (void)state;
  failing_mem_init(&mem);
  stage = sbk__stage_new(&mem.mem);
  owner = sbk__buf_new(&mem.mem, 8);
  memcpy(sbk__buf_bytes(owner), "12345678", 8);
  assert_int_equal(sbk__stage_reserve(stage, 0, 1), 0);
  sbk__stage_add(stage, owner->data, 8, owner);
  assert_int_equal(owner->refs, 2);
  assert_int_equal(sbk__stage_sent(stage, 7), 7);
  assert_int_equal(owner->refs, 2);
  assert_int_equal(sbk__stage_sent(stage, 5), 1);
  assert_int_equal(owner->refs, 1);
  sbk_buf_unref(owner);
  sbk__stage_free(stage);
  assert_int_equal(mem.blocks, 0);
}

static void is_as_before_when_memory_ends(void **state) {
  struct failing_mem mem;
  uint32_t random = 8;
  sbk__stage *stage;
  size_t fail;

  (void)state;
  failing_mem_init(&mem);
  mem.fail_from = 0;
  assert_null(sbk__stage_new(&mem.mem));
  mem.fail_from = SIZE_MAX;
  memset(&model, 0, sizeof(model));
  stage = sbk__stage_new(&mem.mem);
  add_body(stage, &mem.mem, &random);
  for (fail = 0; fail < 2; fail++) {
    mem.fail_from = mem.calls + fail;
    assert_int_equal(sbk__stage_reserve(stage, 100000, 20 + 50 * fail),
                     SBK_ERR_NOMEM);
    check(stage, &random);
  }
  sbk__stage_free(stage);
  sbk__stage_free(NULL);
  assert_int_equal(mem.blocks, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_an_array_under_random_changes),
      cmocka_unit_test(pieces_stay_where_they_are_until_sent),
      cmocka_unit_test(gives_no_more_pieces_than_asked_for),
      cmocka_unit_test(runs_join_what_is_small),
      cmocka_unit_test(owners_live_until_their_bytes_are_sent),
      cmocka_unit_test(is_as_before_when_memory_ends),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
