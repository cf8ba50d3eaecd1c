#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "keep.h"
#include "limits.h"

static struct failing_mem mem;
static sbk__core core;
static sbk__subs subs;
static sbk__topics topics;
static sbk__keep keep;
static uint64_t number;

static void begin(size_t messages, sbk_msec age, int retain) {
  struct sbk_topic topic = SBK_TOPIC_INIT;

  failing_mem_init(&mem);
  test_core(&core, &mem);
  core.now = 1000;
  sbk__subs_init(&subs, &core);
  memset(&topics, 0, sizeof(topics));
  sbk__keep_init(&keep, &core, &subs);
  number = 0;
  topic.prefix = "/topic";
  topic.history_messages = messages;
  topic.history_age = age;
  topic.retain = retain;
  assert_int_equal(sbk__topics_add(&topics, &core, &topic), 0);
}

static void end(void) {
  sbk__keep_free(&keep);
  sbk__subs_free(&subs);
  sbk__topics_free(&topics, &mem.mem);
  assert_int_equal(mem.blocks, 0);
}

static sbk_message *message(const char *to, const char *body, bool retain) {
  sbk_message *msg = sbk__message_new(&mem.mem, SBK_MESSAGE, 4);

  assert_non_null(msg);
  assert_int_equal(sbk__message_put(msg, "destination", to), 0);
  if (retain) {
    assert_int_equal(sbk__message_put(msg, "retain", "true"), 0);
  }
  if (body[0] != '\0') {
    msg->text = sbk__buf_new(&mem.mem, strlen(body));
    assert_non_null(msg->text);
    memcpy((uint8_t *)(uintptr_t)msg->text->data, body, strlen(body));
    msg->text->len = strlen(body);
  }

  return msg;
}

static int add(const char *to, const char *body, bool retain) {
  sbk_message *msg = message(to, body, retain);
  int rv = sbk__keep_add(&keep, topics.items[0], msg, ++number, 0);

  sbk_message_unref(msg);

  return rv;
}

static sbk__store *store(const char *name) {
  return sbk__keep_find(&keep, name, strlen(name));
}

/* The numbers in a list, oldest first, of the places behind mark. */
static const char *numbers(const sbk__node *list, const sbk__mark *mark) {
  static char text[256];
  sbk__mark front = {{NULL, list->next}, NULL};
  sbk__kept *kept;

  text[0] = '\0';
  mark = mark != NULL ? mark : &front;
  while ((kept = sbk__mark_next(list, mark)) != NULL) {
    size_t len = strlen(text);

    snprintf(text + len, sizeof(text) - len, "%d ", (int)kept->number);
    mark = list == &keep.history || list == &keep.values ? &kept->in_all
                                                         : &kept->in_store;
  }

  return text;
}

static void a_destination_keeps_its_last_messages(void **state) {
  int i;

  (void)state;
  begin(3, 0, 0);
  for (i = 0; i < 5; i++) {
    assert_int_equal(add("/topic/x", "b", false), 0);
    assert_int_equal(add("/topic/y", "b", false), 0);
  }
  assert_string_equal(numbers(&store("/topic/x")->history, NULL), "5 7 9 ");
  assert_string_equal(numbers(&store("/topic/y")->history, NULL), "6 8 10 ");
  assert_string_equal(numbers(&keep.history, NULL), "5 6 7 8 9 10 ");
  assert_int_equal(keep.history_count, 6);
  assert_int_equal(store("/topic/x")->lost_number, 3);
  assert_int_equal(store("/topic/x")->born, 1);
  assert_null(store("/topic/z"));
  end();
}

static void all_together_keep_within_their_bytes(void **state) {
  (void)state;
  begin(10, 0, 0);
  assert_int_equal(add("/topic/x", "b", false), 0);
  core.config.max_history_bytes = keep.history_bytes * 2;
  assert_int_equal(add("/topic/y", "b", false), 0);
  assert_int_equal(add("/topic/y", "b", false), 0);
  assert_null(store("/topic/x"));
  assert_int_equal(keep.forgotten_number, 1);
  assert_string_equal(numbers(&keep.history, NULL), "2 3 ");
  core.config.max_history_bytes = 1;
  assert_int_equal(add("/topic/x", "b", false), 0);
  assert_null(store("/topic/x"));
  assert_null(store("/topic/y"));
  assert_int_equal(keep.history_bytes, 0);
  assert_int_equal(subs.exact.count, 0);
  end();
}

static void what_is_too_old_goes(void **state) {
  (void)state;
  begin(10, 500, 0);
  assert_true(sbk__keep_due(&keep, &topics) == SBK_NEVER);
  assert_int_equal(add("/topic/x", "b", false), 0);
  core.now = 1200;
  assert_int_equal(add("/topic/y", "b", false), 0);
  assert_int_equal(sbk__keep_due(&keep, &topics), 1500);
  core.now = 1499;
  sbk__keep_expire(&keep, &topics);
  assert_int_equal(keep.history_count, 2);
  core.now = 1500;
  sbk__keep_expire(&keep, &topics);
  assert_null(store("/topic/x"));
  assert_int_equal(sbk__keep_due(&keep, &topics), 1700);
  core.now = 9000;
  sbk__keep_expire(&keep, &topics);
  assert_int_equal(keep.history_count, 0);
  assert_true(sbk__keep_due(&keep, &topics) == SBK_NEVER);
  end();
}

static void without_an_age_nothing_is_ever_due(void **state) {
  (void)state;
  begin(10, 0, 0);
  assert_int_equal(add("/topic/x", "b", false), 0);
  assert_true(sbk__keep_due(&keep, &topics) == SBK_NEVER);
  core.now = SBK_NEVER - 1;
  sbk__keep_expire(&keep, &topics);
  assert_int_equal(keep.history_count, 1);
  end();
}

static void the_last_value_takes_the_place_of_the_one_before(void **state) {
  (void)state;
  begin(0, 0, 1);
  assert_int_equal(add("/topic/x", "b", true), 0);
  assert_int_equal(add("/topic/y", "b", true), 0);
  assert_int_equal(add("/topic/x", "c", false), 0);
  assert_string_equal(numbers(&keep.values, NULL), "1 2 ");
  assert_int_equal(add("/topic/x", "c", true), 0);
  assert_string_equal(numbers(&keep.values, NULL), "2 4 ");
  assert_int_equal(add("/topic/y", "", true), 0);
  assert_string_equal(numbers(&keep.values, NULL), "4 ");
  assert_null(store("/topic/y"));
  assert_int_equal(add("/topic/z", "", true), 0);
  assert_int_equal(keep.value_count, 1);
  assert_int_equal(keep.history_count, 0);
  end();
}

static void what_takes_a_place_needs_no_other(void **state) {
  size_t one;

  (void)state;
  begin(0, 0, 1);
  assert_int_equal(add("/topic/x", "b", true), 0);
  one = keep.value_bytes;
  core.config.max_retained = 1;
  assert_int_equal(add("/topic/x", "c", true), 0);
  assert_int_equal(add("/topic/y", "c", true), SBK_ERR_TOO_MANY);
  assert_null(store("/topic/y"));
  core.config.max_retained = 2;
  core.config.max_retained_bytes = one;
  assert_int_equal(add("/topic/x", "d", true), 0);
  assert_int_equal(add("/topic/x", "dd", true), SBK_ERR_TOO_MANY);
  assert_int_equal(add("/topic/y", "d", true), SBK_ERR_TOO_MANY);
  core.config.max_retained_bytes = 2 * one;
  assert_int_equal(add("/topic/y", "d", true), 0);
  end();
}

static void a_promise_is_kept_without_memory(void **state) {
  sbk_message *msg, *other;

  (void)state;
  begin(3, 0, 1);
  msg = message("/topic/x", "b", true);
  other = message("/topic/z", "b", false);
  assert_int_equal(sbk__keep_promise(&keep, topics.items[0], msg), 0);
  core.config.max_retained = 1;
  assert_int_equal(add("/topic/y", "b", true), SBK_ERR_TOO_MANY);
  assert_int_equal(add("/topic/y", "b", false), 0);
  mem.fail_from = mem.calls;
  assert_int_equal(sbk__keep_add(&keep, topics.items[0], other, 9, 0),
                   SBK_ERR_NOMEM);
  sbk__keep_forget(&keep, topics.items[0], msg);
  assert_int_equal(sbk__keep_add(&keep, topics.items[0], msg, ++number, 0), 0);
  mem.fail_from = SIZE_MAX;
  sbk__keep_tidy(&keep, msg);
  assert_int_equal(keep.spare_count, 0);
  assert_string_equal(numbers(&keep.history, NULL), "2 3 ");
  assert_string_equal(numbers(&keep.values, NULL), "3 ");
  sbk_message_unref(msg);
  sbk_message_unref(other);
  end();
}

static void a_promise_may_be_given_up(void **state) {
  sbk_message *msg;

  (void)state;
  begin(3, 0, 1);
  msg = message("/topic/x", "b", true);
  assert_int_equal(sbk__keep_promise(&keep, topics.items[0], msg), 0);
  assert_non_null(store("/topic/x"));
  sbk__keep_forget(&keep, topics.items[0], msg);
  sbk__keep_tidy(&keep, msg);
  assert_null(store("/topic/x"));
  assert_int_equal(keep.spare_count, 0);
  assert_int_equal(keep.value_promises, 0);
  assert_int_equal(keep.value_promised_bytes, 0);
  sbk_message_unref(msg);
  end();
}

static void a_reader_stands_while_what_is_around_it_goes(void **state) {
  sbk__mark reader = {{NULL, NULL}, NULL};
  sbk__store *x;
  int i;

  (void)state;
  begin(2, 0, 0);
  for (i = 0; i < 2; i++) {
    assert_int_equal(add("/topic/x", "b", false), 0);
  }
  x = store("/topic/x");
  x->readers++;
  sbk__list_init(&reader.node);
  sbk__mark_move(&x->history, &reader, NULL);
  assert_string_equal(numbers(&x->history, &reader), "1 2 ");
  sbk__mark_move(&x->history, &reader,
                 &sbk__mark_next(&x->history, &reader)->in_store);
  assert_string_equal(numbers(&x->history, &reader), "2 ");
  for (i = 0; i < 3; i++) {
    assert_int_equal(add("/topic/x", "b", false), 0);
  }
  assert_string_equal(numbers(&x->history, &reader), "4 5 ");
  assert_string_equal(numbers(&x->history, NULL), "4 5 ");
  sbk__list_remove(&reader.node);
  sbk__store_release(&keep, x);
  end();
}

static void a_rank_counts_from_the_newest(void **state) {
  sbk__kept *kept;
  sbk__mark front;
  int i, walked = 0;

  (void)state;
  begin(4, 0, 0);
  for (i = 0; i < 6; i++) {
    assert_int_equal(add("/topic/x", "b", false), 0);
  }
  front = (sbk__mark){{NULL, store("/topic/x")->history.next}, NULL};
  kept = sbk__mark_next(&store("/topic/x")->history, &front);
  assert_int_equal(kept->number, 3);
  assert_int_equal(sbk__kept_rank(kept, 6, &walked), 4);
  assert_int_equal(sbk__kept_rank(kept, 5, &walked), 3);
  assert_int_equal(sbk__kept_rank(kept, 3, &walked), 1);
  assert_int_equal(walked, 1 + 2 + 4);
  end();
}

static void without_memory_nothing_is_kept(void **state) {
  int rv = SBK_ERR_NOMEM;
  sbk_message *msg;
  size_t n;

  (void)state;
  begin(3, 0, 1);
  msg = message("/topic/x", "b", true);
  for (n = 0; rv == SBK_ERR_NOMEM; n++) {
    mem.fail_from = mem.calls + n;
    rv = sbk__keep_add(&keep, topics.items[0], msg, ++number, 0);
    mem.fail_from = SIZE_MAX;
    assert_int_equal(keep.history_count, rv == 0);
    assert_int_equal(keep.value_count, rv == 0);
    assert_int_equal(keep.spare_count, 0);
    assert_int_equal(store("/topic/x") != NULL, rv == 0);
  }
  assert_int_equal(rv, 0);
  assert_true(n > 3);
  sbk_message_unref(msg);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_destination_keeps_its_last_messages),
      cmocka_unit_test(all_together_keep_within_their_bytes),
      cmocka_unit_test(what_is_too_old_goes),
      cmocka_unit_test(without_an_age_nothing_is_ever_due),
      cmocka_unit_test(the_last_value_takes_the_place_of_the_one_before),
      cmocka_unit_test(what_takes_a_place_needs_no_other),
      cmocka_unit_test(a_promise_is_kept_without_memory),
      cmocka_unit_test(a_promise_may_be_given_up),
      cmocka_unit_test(a_reader_stands_while_what_is_around_it_goes),
      cmocka_unit_test(a_rank_counts_from_the_newest),
      cmocka_unit_test(without_memory_nothing_is_kept),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
