#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "failing_mem.h"
#include "queue.h"

static struct failing_mem mem;
static size_t total;

static sbk_message *message(size_t len) {
  sbk_message *msg = sbk__message_new(&mem.mem, SBK_MESSAGE, 1);

  assert_non_null(msg);
  if (len > 0) {
    msg->text = sbk__buf_new(&mem.mem, len);
    assert_non_null(msg->text);
    msg->text->len = len;
  }

  return msg;
}

#define MESSAGES 64
#define STEPS    20000

/* What waits, oldest first, and what is taken. */
static struct {
  sbk__queued waiting[STEPS];
  uint32_t count;
  sbk__queued taken[MESSAGES];
  uint32_t taken_count;
  size_t promised[MESSAGES];
  uint32_t promised_count;
} model;

static void push(sbk__queue *queue, sbk_message *msg) {
  assert_int_equal(sbk__queue_push(queue, msg), 0);
  model.waiting[model.count++] = (sbk__queued){msg, 0};
}

static void take(sbk__queue *queue) {
  sbk__queued item;

  if (model.count == 0 || model.taken_count == MESSAGES) {
    return;
  }
  item = sbk__queue_take(queue);
  assert_ptr_equal(item.msg, model.waiting[0].msg);
  assert_int_equal(item.tries, model.waiting[0].tries);
  model.count--;
  memmove(model.waiting, model.waiting + 1,
          model.count * sizeof(model.waiting[0]));
  item.tries++;
  model.taken[model.taken_count++] = item;
}

static sbk__queued untake(uint32_t dice) {
  uint32_t i = dice % model.taken_count;
  sbk__queued item = model.taken[i];

  model.taken[i] = model.taken[--model.taken_count];

  return item;
}

static void put_back(sbk__queue *queue, uint32_t dice) {
  sbk__queued item;

  if (model.taken_count == 0) {
    return;
  }
  item = untake(dice);
  mem.fail_from = 0; /* never needs memory */
  sbk__queue_return(queue, item);
  mem.fail_from = SIZE_MAX;
  memmove(model.waiting + 1, model.waiting,
          model.count * sizeof(model.waiting[0]));
  model.waiting[0] = item;
  model.count++;
}

static void settle(sbk__queue *queue, uint32_t dice) {
  if (model.taken_count > 0) {
    sbk_message *msg = untake(dice).msg;

    sbk__queue_settle(queue, msg);
    sbk_message_unref(msg);
  }
}

static void promise(sbk__queue *queue, uint32_t dice) {
  if (model.promised_count < MESSAGES) {
    assert_int_equal(sbk__queue_promise(queue, dice % 100), 0);
    model.promised[model.promised_count++] = dice % 100;
  }
}

/* A promise that is kept needs no memory. */
static void keep(sbk__queue *queue, sbk_message *msg, bool pushed) {
  if (model.promised_count == 0) {
    return;
  }
  sbk__queue_forget(queue, model.promised[--model.promised_count]);
  if (pushed) {
    mem.fail_from = 0;
    push(queue, msg);
    mem.fail_from = SIZE_MAX;
  }
}

static void check(const sbk__queue *queue) {
  size_t i, bytes = 0, promised = 0, taken = 0;

  for (i = 0; i < model.count; i++) {
    bytes += sbk__message_cost(model.waiting[i].msg);
  }
  for (i = 0; i < model.taken_count; i++) {
    taken += sbk__message_cost(model.taken[i].msg);
  }
  for (i = 0; i < model.promised_count; i++) {
    promised += model.promised[i];
  }
  assert_int_equal(queue->count, model.count);
  assert_int_equal(queue->bytes, bytes);
  assert_int_equal(queue->taken, model.taken_count);
  assert_int_equal(queue->promised, model.promised_count);
  assert_int_equal(queue->promised_bytes, promised);
  assert_int_equal(total, bytes + taken + promised);
  assert_int_equal(sbk__queue_idle(queue), model.count == 0 &&
                                               model.taken_count == 0 &&
                                               model.promised_count == 0);
}

static void agrees_with_an_array_under_random_changes(void **state) {
  sbk_message *msgs[MESSAGES];
  uint32_t random = 71, i;
  sbk__queue *queue;

  (void)state;
  failing_mem_init(&mem);
  memset(&model, 0, sizeof(model));
  for (i = 0; i < MESSAGES; i++) {
    msgs[i] = message(i);
  }
  queue = sbk__queue_new(&mem.mem, &total);
  assert_non_null(queue);
  for (i = 0; i < STEPS; i++) {
    uint32_t dice = test_random(&random) / 16;
    /* By turns more comes and more goes. */
    uint32_t what = test_random(&random) % (i / 1000 % 2 ? 9 : 14);

    switch (what) {
    case 0:
    case 1:
    case 2:
      take(queue);
      break;
    case 3:
      put_back(queue, dice);
      break;
    case 4:
    case 5:
      settle(queue, dice);
      break;
    case 6:
      promise(queue, dice);
      break;
    case 7:
      keep(queue, msgs[dice % MESSAGES], dice % 3 > 0);
      break;
    default:
      push(queue, msgs[dice % MESSAGES]);
      break;
    }
    check(queue);
  }
  while (model.taken_count > 0) {
    settle(queue, 0);
  }
  while (model.promised_count > 0) {
    sbk__queue_forget(queue, model.promised[--model.promised_count]);
  }
  sbk__queue_free(queue);
  assert_int_equal(total, 0);
  for (i = 0; i < MESSAGES; i++) {
    assert_int_equal(msgs[i]->refs, 1);
    sbk_message_unref(msgs[i]);
  }
  assert_int_equal(mem.blocks, 0);
}

static void without_memory_it_is_as_before(void **state) {
  sbk_message *msg;
  sbk__queue *queue;
  uint32_t i, count;

  (void)state;
  failing_mem_init(&mem);
  msg = message(3);
  mem.fail_from = 0;
  assert_null(sbk__queue_new(&mem.mem, &total));
  mem.fail_from = SIZE_MAX;
  queue = sbk__queue_new(&mem.mem, &total);
  mem.fail_from = 0;
  assert_int_equal(sbk__queue_push(queue, msg), SBK_ERR_NOMEM);
  assert_int_equal(sbk__queue_promise(queue, 3), SBK_ERR_NOMEM);
  assert_true(sbk__queue_idle(queue));
  assert_int_equal(queue->bytes + queue->promised_bytes, 0);
  mem.fail_from = SIZE_MAX;
  assert_int_equal(sbk__queue_push(queue, msg), 0);
  mem.fail_from = 0;
  for (count = 1; sbk__queue_push(queue, msg) == 0; count++) {
    assert_true(count < 100);
  }
  assert_int_equal(queue->count, count);
  assert_int_equal(queue->bytes, sbk__message_cost(msg) * count);
  mem.fail_from = SIZE_MAX;
  for (i = 0; i < count; i++) {
    sbk_message_unref(sbk__queue_take(queue).msg);
    sbk__queue_settle(queue, msg);
  }
  assert_true(sbk__queue_idle(queue));
  assert_int_equal(total, 0);
  assert_int_equal(msg->refs, 1);
  sbk__queue_free(queue);
  sbk__queue_free(NULL);
  sbk_message_unref(msg);
  assert_int_equal(mem.blocks, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_an_array_under_random_changes),
      cmocka_unit_test(without_memory_it_is_as_before),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
