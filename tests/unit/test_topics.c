#include <string.h>

#include "unit.h"

#include "limits.h"
#include "topics.h"

static struct failing_mem mem;
static sbk__core core;
static sbk__topics topics;

static void begin(void) {
  failing_mem_init(&mem);
  test_core(&core, &mem);
  memset(&topics, 0, sizeof(topics));
}

static void end(void) {
  sbk__topics_free(&topics, &mem.mem);
  assert_int_equal(mem.blocks, 0);
}

static int add(const char *prefix) {
  struct sbk_topic topic = SBK_TOPIC_INIT;

  topic.prefix = prefix;

  return sbk__topics_add(&topics, &core, &topic);
}

static const char *found(const char *name, char separator) {
  sbk__topic *topic = sbk__topics_find(&topics, name, strlen(name), separator);

  return topic != NULL ? topic->set.prefix : "";
}

static void the_longest_prefix_counts(void **state) {
  (void)state;
  begin();
  assert_int_equal(add("/topic"), 0);
  assert_int_equal(add("/topic/a/b"), 0);
  assert_int_equal(add("/topic/a"), 0);
  assert_string_equal(found("/topic/a/b/c", '/'), "/topic/a/b");
  assert_string_equal(found("/topic/a/b", '/'), "/topic/a/b");
  assert_string_equal(found("/topic/a/bc", '/'), "/topic/a");
  assert_string_equal(found("/topic/x", '/'), "/topic");
  assert_string_equal(found("/topic", '/'), "/topic");
  end();
}

static void a_prefix_covers_whole_segments(void **state) {
  (void)state;
  begin();
  assert_string_equal(found("/topic", '/'), "");
  assert_int_equal(add("/topic"), 0);
  assert_string_equal(found("/topicx", '/'), "");
  assert_string_equal(found("/topic.x", '/'), "");
  assert_string_equal(found("/topic.x", '.'), "/topic");
  assert_string_equal(found("/queue/x", '/'), "");
  end();
}

static void a_prefix_is_taken_once(void **state) {
  char prefix[] = "/topic";

  (void)state;
  begin();
  assert_int_equal(add(prefix), 0);
  prefix[1] = 'x'; /* it was copied */
  assert_int_equal(add("/topic"), SBK_ERR_EXISTS);
  assert_int_equal(add("/topic/"), 0);
  end();
}

static void a_prefix_is_a_destination(void **state) {
  static const char *const none[] = {NULL, "", "/a//b", "/a\nb"};
  size_t i;

  (void)state;
  begin();
  for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
    assert_int_equal(add(none[i]), SBK_ERR_INVAL);
  }
  assert_int_equal(topics.count, 0);
  end();
}

static int add_numbers(size_t messages, size_t bytes, sbk_msec age,
                       int overflow) {
  struct sbk_topic topic = SBK_TOPIC_INIT;
  char prefix[] = "/a";
  int rv;

  topic.prefix = prefix;
  prefix[1] = (char)('a' + topics.count);
  topic.history_messages = messages;
  topic.history_bytes = bytes;
  topic.history_age = age;
  topic.overflow = (enum sbk_overflow)overflow;
  rv = sbk__topics_add(&topics, &core, &topic);

  return rv != 0 ? rv : topics.items[topics.count - 1]->history;
}

static void each_number_has_its_largest_value(void **state) {
  const sbk_msec year = (sbk_msec)365 * 86400000;

  (void)state;
  begin();
  assert_int_equal(add_numbers(1048576, 0, 0, 0), 1);
  assert_int_equal(add_numbers(1048577, 0, 0, 0), SBK_ERR_INVAL);
  assert_int_equal(add_numbers(1, (size_t)1 << 30, 0, 0), 1);
  assert_int_equal(add_numbers(1, ((size_t)1 << 30) + 1, 0, 0), SBK_ERR_INVAL);
  assert_int_equal(add_numbers(0, 0, year, 0), 1);
  assert_int_equal(add_numbers(0, 0, year + 1, 0), SBK_ERR_INVAL);
  assert_int_equal(add_numbers(0, 0, SBK_NEVER, 0), 1);
  assert_int_equal(add_numbers(0, 0, 0, SBK_OVERFLOW_DROP_NEWEST), 0);
  assert_int_equal(add_numbers(0, 0, 0, SBK_OVERFLOW_DROP_NEWEST + 1),
                   SBK_ERR_INVAL);
  assert_int_equal(add_numbers(0, 0, 0, -1), SBK_ERR_INVAL);
  end();
}

static void history_is_off_unless_it_is_asked_for(void **state) {
  (void)state;
  begin();
  assert_int_equal(add_numbers(0, 0, 0, 0), 0);
  assert_int_equal(add_numbers(0, 5000, 0, 0), 0);
  assert_int_equal(add_numbers(5, 0, 0, 0), 1);
  assert_int_equal(add_numbers(0, 0, 5, 0), 1);
  assert_int_equal(topics.items[3]->set.history_messages, 1000);
  assert_int_equal(topics.items[3]->set.history_bytes, 1048576);
  assert_int_equal(topics.items[2]->set.history_messages, 5);
  assert_true(topics.items[2]->set.history_age == SBK_NEVER);
  end();
}

static void without_memory_nothing_is_added(void **state) {
  size_t n;
  int rv = SBK_ERR_NOMEM;

  (void)state;
  begin();
  assert_int_equal(add("/topic"), 0);
  for (n = 0; rv == SBK_ERR_NOMEM; n++) {
    mem.fail_from = mem.calls + n;
    rv = add("/topic/a");
    mem.fail_from = SIZE_MAX;
    assert_string_equal(found("/topic/a", '/'),
                        rv == 0 ? "/topic/a" : "/topic");
  }
  assert_int_equal(rv, 0);
  assert_int_equal(n, 4);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_longest_prefix_counts),
      cmocka_unit_test(a_prefix_covers_whole_segments),
      cmocka_unit_test(a_prefix_is_taken_once),
      cmocka_unit_test(a_prefix_is_a_destination),
      cmocka_unit_test(each_number_has_its_largest_value),
      cmocka_unit_test(history_is_off_unless_it_is_asked_for),
      cmocka_unit_test(without_memory_nothing_is_added),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
