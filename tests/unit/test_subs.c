#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "limits.h"
#include "subs.h"

static struct failing_mem mem;
static sbk__core core;
static sbk__subs subs;

static void begin(char separator) {
  failing_mem_init(&mem);
  test_core(&core, &mem);
  core.config.separator = separator;
  sbk__subs_init(&subs, &core);
}

static void end(void) {
  sbk__subs_free(&subs);
  assert_int_equal(mem.blocks, 0);
}

static sbk__sub *sub_to(const char *destination) {
  sbk__sub *sub = sbk__sub_new(&mem.mem, NULL, SBK__V12, "0", 1, destination,
                               strlen(destination));

  assert_non_null(sub);
  return sub;
}

static sbk__sub *add(const char *destination) {
  sbk__sub *sub = sub_to(destination);

  assert_int_equal(sbk__subs_add(&subs, sub), 0);
  return sub;
}

static void drop(sbk__sub *sub) {
  sbk__subs_remove(&subs, sub);
  sbk__free(&mem.mem, sub);
}

/* How often sub is among those that match. */
static size_t times(const char *name, const sbk__sub *sub) {
  sbk__matches matches;
  uint32_t i, at;
  size_t count = 0;

  sbk__matches_begin(&matches);
  while (sbk__subs_match(&subs, name, strlen(name), &matches)) {
    for (at = 0; at < matches.count; at++) {
      const sbk__dest *dest = matches.items[at];

      assert_true(dest->count > 0);
      for (i = 0; i < dest->count; i++) {
        assert_int_equal(dest->subs[i]->place, i);
        assert_ptr_equal(dest->subs[i]->dest, dest);
        count += dest->subs[i] == sub;
      }
    }
  }
  sbk__matches_end(&subs, &matches);

  return count;
}

#define SUBS 120

static void agrees_with_a_list_under_random_changes(void **state) {
  static const char *const names[] = {"/topic/a", "/topic/b",   "/topic/a/b",
                                      "/topic/*", "/topic/**",  "/topic/?",
                                      "/**",      "/topic/*/b", "/topic/{x}/b",
                                      "/queue/a", "/topic/a/c", "/t*/a"};
  const size_t count = sizeof(names) / sizeof(names[0]);
  sbk__sub *model[SUBS] = {NULL};
  uint32_t random = 51;
  size_t step, i;

  (void)state;
  begin('/');
  for (step = 0; step < 3000; step++) {
    size_t which = test_random(&random) % SUBS;
    const char *name = names[test_random(&random) % count];

    if (model[which] == NULL) {
      model[which] = add(name);
    } else {
      drop(model[which]);
      model[which] = NULL;
    }
    name = names[test_random(&random) % count];
    if (sbk__pattern_is(name, strlen(name))) {
      continue; /* not sent to in this test */
    }
    for (i = 0; i < SUBS; i++) {
      const char *to = model[i] != NULL ? sbk__sub_destination(model[i]) : "-";

      assert_int_equal(times(name, model[i]),
                       sbk__pattern_is(to, strlen(to))
                           ? sbk__pattern_match(to, strlen(to), name,
                                                strlen(name), '/', NULL)
                           : strcmp(to, name) == 0);
    }
  }
  for (i = 0; i < SUBS; i++) {
    if (model[i] != NULL) {
      drop(model[i]);
    }
  }
  end();
}

static void one_that_was_taken_out_is_not_found(void **state) {
  sbk__sub *a, *b;

  (void)state;
  begin('/');
  a = add("/topic/a");
  b = add("/topic/a");
  assert_int_equal(times("/topic/a", a), 1);
  sbk__subs_remove(&subs, a);
  assert_null(a->dest);
  assert_int_equal(times("/topic/a", a), 0);
  assert_int_equal(times("/topic/a", b), 1);
  sbk__subs_remove(&subs, a); /* nothing happens */
  drop(a);
  drop(b);
  end();
}

static void sending_to_a_patterns_text_is_sending_to_a_literal(void **state) {
  sbk__sub *pattern, *deep;

  (void)state;
  begin('/');
  pattern = add("/topic/*");
  deep = add("/topic/*/x");
  /* '*' is a segment like any other when it is sent to. */
  assert_int_equal(times("/topic/*", pattern), 1);
  assert_int_equal(times("/topic/*", deep), 0);
  drop(pattern);
  drop(deep);
  end();
}

static void the_separator_may_be_a_dot(void **state) {
  sbk__sub *sub;

  (void)state;
  begin('.');
  sub = add("/topic.*");
  assert_int_equal(times("/topic.a", sub), 1);
  assert_int_equal(times("/topic.a.b", sub), 0);
  drop(sub);
  end();
}

static void empty_tables_hold_no_records(void **state) {
  size_t i;

  (void)state;
  begin('/');
  for (i = 0; i < 300; i++) {
    char name[32];

    snprintf(name, sizeof(name), i % 2 ? "/topic/%zu" : "/topic/%zu/*", i);
    drop(add(name));
  }
  assert_int_equal(subs.exact.count, 0);
  assert_int_equal(subs.patterns.count, 0);
  assert_null(subs.trie.root);
  assert_true(mem.blocks <= 3);
  end();
}

static void a_subscription_knows_what_the_client_wrote(void **state) {
  sbk__sub *sub;

  (void)state;
  begin('/');
  sub = sbk__sub_new(&mem.mem, NULL, SBK__V12, "a:b", 3, "/topic/x", 8);
  assert_string_equal(sbk__sub_id(sub), "a:b");
  assert_string_equal(sbk__sub_destination(sub), "/topic/x");
  assert_true(sub->has_id);
  assert_true(sub->text);
  assert_memory_equal(sub->data, "MESSAGE\nsubscription:a\\cb\n",
                      sub->head_len);
  sbk__free(&mem.mem, sub);
  sub = sbk__sub_new(&mem.mem, NULL, SBK__V10, NULL, 0, "/topic/x", 8);
  assert_string_equal(sbk__sub_id(sub), "");
  assert_false(sub->has_id);
  assert_int_equal(sub->head_len, 8);
  sbk__free(&mem.mem, sub);
  sub = sbk__sub_new(&mem.mem, NULL, SBK__V12, "\xff", 1, "/topic/x", 8);
  assert_false(sub->text);
  sbk__free(&mem.mem, sub);
  end();
}

static void takes_the_longest_id_and_destination_there_may_be(void **state) {
  static char id[4096], destination[8192];
  sbk__sub *sub;

  (void)state;
  begin('/');
  memset(id, '\n', sizeof(id)); /* twice as long on the wire */
  memset(destination, 'x', sizeof(destination));
  sub = sbk__sub_new(&mem.mem, NULL, SBK__V12, id, sizeof(id), destination,
                     sizeof(destination));
  assert_int_equal(strlen(sbk__sub_id(sub)), sizeof(id));
  assert_int_equal(strlen(sbk__sub_destination(sub)), sizeof(destination));
  assert_int_equal(sub->head_len, 8 + 13 + 2 * sizeof(id) + 1);
  sbk__free(&mem.mem, sub);
  end();
}

static void is_as_before_when_memory_ends(void **state) {
  static const char *const names[] = {"/topic/new", "/topic/*"};
  size_t i, fail;

  (void)state;
  for (i = 0; i < 2; i++) {
    sbk__sub *old, *fresh;

    begin('/');
    old = add("/topic/old");
    fresh = sub_to(names[i]);
    for (fail = 0;; fail++) {
      mem.fail_from = mem.calls + fail;
      if (sbk__subs_add(&subs, fresh) == 0) {
        break;
      }
      assert_null(fresh->dest);
      assert_int_equal(times("/topic/new", fresh), 0);
      assert_int_equal(times("/topic/old", old), 1);
      assert_int_equal(subs.exact.count, 1);
      assert_int_equal(subs.patterns.count, 0);
      assert_null(subs.trie.root);
    }
    assert_true(fail >= 2);
    mem.fail_from = SIZE_MAX;
    drop(fresh);
    drop(old);
    end();
  }
}

static void any_number_of_patterns_may_match(void **state) {
  static sbk__sub *sub[3 * SBK__MATCHES];
  size_t i, count;
  char name[32];

  (void)state;
  for (count = SBK__MATCHES - 2; count <= 3 * SBK__MATCHES;
       count += count == SBK__MATCHES + 2 ? 2 * SBK__MATCHES - 2 : 1) {
    begin('/');
    sub[0] = add("/topic/a");
    for (i = 1; i < count; i++) {
      snprintf(name, sizeof(name), "/topic/{x%zu}", i);
      sub[i] = add(name);
    }
    mem.fail_from = mem.calls; /* it can do without memory */
    for (i = 0; i < count; i++) {
      assert_int_equal(times("/topic/a", sub[i]), 1);
      assert_int_equal(times("/topic/b", sub[i]), i > 0);
    }
    mem.fail_from = SIZE_MAX;
    for (i = 0; i < count; i++) {
      drop(sub[i]);
    }
    end();
  }
}

/* Or many patterns would cost their square. */
static void however_many_match_they_are_searched_for_once(void **state) {
  static sbk__sub *sub[20 * SBK__MATCHES];
  const size_t count = sizeof(sub) / sizeof(sub[0]);
  uint64_t marks[2];
  char name[32];
  size_t i;

  (void)state;
  begin('/');
  sub[0] = add("/topic/{x0}");
  marks[0] = subs.trie.mark;
  assert_int_equal(times("/topic/a", sub[0]), 1);
  marks[0] = subs.trie.mark - marks[0];
  for (i = 1; i < count; i++) {
    snprintf(name, sizeof(name), "/topic/{x%zu}", i);
    sub[i] = add(name);
  }
  marks[1] = subs.trie.mark;
  assert_int_equal(times("/topic/a", sub[count - 1]), 1);
  marks[1] = subs.trie.mark - marks[1];
  assert_int_equal(marks[0], marks[1]);
  for (i = 0; i < count; i++) {
    drop(sub[i]);
  }
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_a_list_under_random_changes),
      cmocka_unit_test(one_that_was_taken_out_is_not_found),
      cmocka_unit_test(sending_to_a_patterns_text_is_sending_to_a_literal),
      cmocka_unit_test(the_separator_may_be_a_dot),
      cmocka_unit_test(empty_tables_hold_no_records),
      cmocka_unit_test(a_subscription_knows_what_the_client_wrote),
      cmocka_unit_test(takes_the_longest_id_and_destination_there_may_be),
      cmocka_unit_test(is_as_before_when_memory_ends),
      cmocka_unit_test(any_number_of_patterns_may_match),
      cmocka_unit_test(however_many_match_they_are_searched_for_once),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
