#include <string.h>

#include "unit.h"

#include "limits.h"
#include "rules.h"

static struct failing_mem mem;
static sbk__core core;
static sbk__rules rules;

static void begin(char separator) {
  failing_mem_init(&mem);
  test_core(&core, &mem);
  core.config.separator = separator;
  sbk__rules_init(&rules, &core);
}

static void end(void) {
  sbk__rules_free(&rules);
  assert_int_equal(mem.blocks, 0);
}

static enum sbk_verdict checked(sbk_call *call, void *arg) {
  (void)call;
  (void)arg;
  return SBK_PASS;
}

static int add_rule(int order, unsigned commands, const char *pattern,
                    enum sbk_verdict verdict) {
  struct sbk_rule rule = SBK_RULE_INIT;

  rule.order = order;
  rule.commands = commands;
  rule.pattern = pattern;
  rule.verdict = verdict;

  return sbk__rules_add(&rules, &rule);
}

static void add(int order, unsigned commands, const char *pattern,
                enum sbk_verdict verdict) {
  assert_int_equal(add_rule(order, commands, pattern, verdict), 0);
}

static const sbk__rule *find(unsigned command, const char *user,
                             const char *name, const char *alias) {
  static sbk__captures captures;
  sbk__asked asked = {command, user,   sbk__pattern_is(name, strlen(name)),
                      1,       {name}, {strlen(name)}};

  if (alias != NULL) {
    asked.names[asked.count] = alias;
    asked.lens[asked.count++] = strlen(alias);
  }

  return sbk__rules_find(&rules, &asked, &captures);
}

/* The order of the rule that decides; -1: none. */
static int decides(unsigned command, const char *user, const char *name) {
  const sbk__rule *rule = find(command, user, name, NULL);

  return rule != NULL ? rule->order : -1;
}

static void lower_orders_come_first_then_the_older_ones(void **state) {
  (void)state;
  begin('/');
  add(3, 0, "/a", SBK_REJECT);
  add(1, 0, "/a/*", SBK_PASS);
  add(3, 0, "/**", SBK_PASS);
  add(2, 0, "/a/b", SBK_DROP);
  assert_int_equal(decides(SBK_RULE_SEND, NULL, "/a/b"), 1);
  assert_int_equal(find(SBK_RULE_SEND, NULL, "/a", NULL)->verdict, SBK_REJECT);
  assert_int_equal(find(SBK_RULE_SEND, NULL, "/b", NULL)->verdict, SBK_PASS);
  assert_int_equal(decides(SBK_RULE_SEND, NULL, "b"), -1);
  add(9, 0, NULL, SBK_REFUSE);
  assert_int_equal(decides(SBK_RULE_SEND, NULL, "b"), 9);
  end();
}

static void commands_are_told_apart(void **state) {
  (void)state;
  begin('/');
  add(1, SBK_RULE_SEND, "/a", SBK_PASS);
  add(2, SBK_RULE_SUBSCRIBE, "/a", SBK_PASS);
  add(3, SBK_RULE_SEND | SBK_RULE_SUBSCRIBE, "/b", SBK_PASS);
  add(4, 0, "/c", SBK_PASS);
  assert_int_equal(decides(SBK_RULE_SEND, NULL, "/a"), 1);
  assert_int_equal(decides(SBK_RULE_SUBSCRIBE, NULL, "/a"), 2);
  assert_int_equal(decides(SBK_RULE_SEND, NULL, "/b"), 3);
  assert_int_equal(decides(SBK_RULE_SUBSCRIBE, NULL, "/b"), 3);
  assert_int_equal(decides(SBK_RULE_SUBSCRIBE, NULL, "/c"), 4);
  end();
}

static void what_is_no_rule_is_refused(void **state) {
  struct sbk_rule rule = SBK_RULE_INIT;

  (void)state;
  begin('/');
  assert_int_equal(add_rule(0, 4, "/a", SBK_PASS), SBK_ERR_INVAL);
  assert_int_equal(add_rule(0, 0, "", SBK_PASS), SBK_ERR_INVAL);
  assert_int_equal(add_rule(0, 0, "/a{", SBK_PASS), SBK_ERR_INVAL);
  assert_int_equal(add_rule(0, 0, "/a//b", SBK_PASS), SBK_ERR_INVAL);
  assert_int_equal(add_rule(0, 0, "/{user}/{user}", SBK_PASS), SBK_ERR_INVAL);
  assert_int_equal(add_rule(0, 0, "/a", SBK_WAIT), SBK_ERR_INVAL);
  assert_int_equal(add_rule(0, 0, "/a", (enum sbk_verdict)5), SBK_ERR_INVAL);
  assert_int_equal(add_rule(0, 0, "/*/*/*/*/*/*/*/*/*", SBK_PASS),
                   SBK_ERR_TOO_BIG);
  rule.size = 4;
  assert_int_equal(sbk__rules_add(&rules, &rule), SBK_ERR_ABI);
  assert_int_equal(rules.count, 0);
  rule.size = sizeof(rule);
  rule.verdict = SBK_WAIT; /* is not looked at */
  rule.check = checked;
  assert_int_equal(sbk__rules_add(&rules, &rule), 0);
  end();
}

static void without_memory_nothing_has_changed(void **state) {
  size_t n;

  (void)state;
  begin('/');
  add(1, 0, "/a", SBK_PASS);
  for (n = 0; n < 2; n++) {
    mem.calls = 0;
    mem.fail_from = n;
    assert_int_equal(add_rule(0, 0, "/b", SBK_REJECT), SBK_ERR_NOMEM);
    assert_int_equal(rules.count, 1);
  }
  mem.fail_from = SIZE_MAX;
  assert_int_equal(decides(SBK_RULE_SEND, NULL, "/b"), -1);
  end();
}

static void named_rules_want_a_user(void **state) {
  struct sbk_rule rule = SBK_RULE_INIT;

  (void)state;
  begin('/');
  rule.order = 1;
  rule.pattern = "/a";
  rule.named = 1;
  assert_int_equal(sbk__rules_add(&rules, &rule), 0);
  add(2, 0, "/{user}", SBK_REJECT);
  add(3, 0, "/*", SBK_PASS);
  assert_int_equal(decides(SBK_RULE_SEND, "joe", "/a"), 1);
  assert_int_equal(decides(SBK_RULE_SEND, NULL, "/a"), 3);
  assert_int_equal(decides(SBK_RULE_SEND, "joe", "/joe"), 2);
  assert_int_equal(decides(SBK_RULE_SEND, "jim", "/joe"), 3);
  assert_int_equal(decides(SBK_RULE_SEND, NULL, "/{user}"), 3);
  end();
}

static void patterns_are_covered_or_met(void **state) {
  struct sbk_rule rule = SBK_RULE_INIT;

  (void)state;
  begin('/');
  add(1, 0, "/a/b", SBK_REFUSE);
  rule.order = 2;
  rule.pattern = "/c/d";
  rule.check = checked;
  assert_int_equal(sbk__rules_add(&rules, &rule), 0);
  add(3, 0, "/a/*", SBK_PASS);
  add(4, 0, "/c/*", SBK_PASS);
  assert_int_equal(decides(SBK_RULE_SUBSCRIBE, NULL, "/a/*"), 1);
  assert_int_equal(decides(SBK_RULE_SUBSCRIBE, NULL, "/a/c*"), 3);
  assert_int_equal(decides(SBK_RULE_SUBSCRIBE, NULL, "/c/*"), 2);
  assert_int_equal(decides(SBK_RULE_SUBSCRIBE, NULL, "/c/?e"), 4);
  assert_int_equal(decides(SBK_RULE_SUBSCRIBE, NULL, "/c/**/e"), -1);
  add(9, 0, NULL, SBK_PASS);
  assert_int_equal(decides(SBK_RULE_SUBSCRIBE, NULL, "/c/**/e"), 9);
  end();
}

static void other_names_count_for_all_but_pass(void **state) {
  (void)state;
  begin('/');
  add(1, 0, "/u/q", SBK_REJECT);
  add(2, 0, "/u/joe/*", SBK_PASS);
  assert_int_equal(find(SBK_RULE_SUBSCRIBE, "joe", "/u/joe/q", "/u/q")->order,
                   1);
  assert_int_equal(find(SBK_RULE_SUBSCRIBE, "joe", "/u/joe/r", "/u/r")->order,
                   2);
  assert_null(find(SBK_RULE_SUBSCRIBE, "joe", "/u/r", "/u/joe/r"));
  assert_int_equal(find(SBK_RULE_SUBSCRIBE, "joe", "/u/joe/*", "/u/*")->order,
                   1);
  end();
}

static void names_are_captured(void **state) {
  const sbk__asked asked = {SBK_RULE_SEND, "joe", false, 1, {"/r/1/joe"}, {8}};
  sbk__captures captures;

  (void)state;
  begin('/');
  add(1, 0, "/r/{room}/{user}", SBK_PASS);
  assert_non_null(sbk__rules_find(&rules, &asked, &captures));
  assert_int_equal(captures.count, 2);
  assert_memory_equal(captures.items[0].name, "room", 4);
  assert_memory_equal(captures.items[0].value, "1", 1);
  end();
  begin('/');
  add(1, 0, NULL, SBK_PASS);
  assert_non_null(sbk__rules_find(&rules, &asked, &captures));
  assert_int_equal(captures.count, 0);
  end();
}

/* A random text of those letters that is a pattern, or a destination. */
static void make_text(uint32_t *random, const char *letters, bool pattern,
                      char text[16]) {
  size_t i, len;

  do {
    len = 2 + test_random(random) % 6;
    text[0] = '/';
    for (i = 1; i < len; i++) {
      text[i] = letters[test_random(random) % strlen(letters)];
    }
    text[len] = '\0';
  } while ((pattern ? sbk__pattern_check(text, len, &core.config)
                    : sbk__destination_check(text, len, &core.config)) != 0);
}

static bool passes(const char *text) {
  const sbk__rule *rule = find(SBK_RULE_SUBSCRIBE, "joe", text, NULL);

  return rule != NULL && rule->check == NULL && rule->verdict == SBK_PASS;
}

/* The point of it all: what a subscription to a pattern that passes gets, a
 * subscription to each of these destinations would have got too. */
static void a_pattern_sees_nothing_that_is_closed(void **state) {
  uint32_t random = 0x5ec0de;
  size_t round, i, passed = 0, matched = 0, closed = 0;
  char text[16], pattern[16];

  (void)state;
  for (round = 0; round < 3000; round++) {
    begin(round % 2 == 0 ? '/' : '.');
    for (i = 0; i < 5; i++) {
      make_text(&random, "ab/.**?", true, text);
      add((int)i, 0, text, i % 2 == 0 ? SBK_PASS : SBK_REJECT);
    }
    for (i = 0; i < 4; i++) {
      make_text(&random, "ab/.**?", true, pattern);
      if (sbk__pattern_is(pattern, strlen(pattern)) && passes(pattern)) {
        size_t n;

        passed++;
        for (n = 0; n < 200; n++) {
          make_text(&random, "abc/.", false, text);
          closed += !passes(text);
          if (sbk__pattern_match(pattern, strlen(pattern), text, strlen(text),
                                 core.config.separator, NULL)) {
            matched++;
            if (!passes(text)) {
              fail_msg("%s sees %s", pattern, text);
            }
          }
        }
      }
    }
    end();
  }
  assert_true(passed > 300 && matched > 3000 && closed > 3000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lower_orders_come_first_then_the_older_ones),
      cmocka_unit_test(commands_are_told_apart),
      cmocka_unit_test(what_is_no_rule_is_refused),
      cmocka_unit_test(without_memory_nothing_has_changed),
      cmocka_unit_test(named_rules_want_a_user),
      cmocka_unit_test(patterns_are_covered_or_met),
      cmocka_unit_test(other_names_count_for_all_but_pass),
      cmocka_unit_test(names_are_captured),
      cmocka_unit_test(a_pattern_sees_nothing_that_is_closed),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
