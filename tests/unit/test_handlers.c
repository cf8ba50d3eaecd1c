#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "handlers.h"
#include "limits.h"

static struct failing_mem mem;
static sbk__core core;
static sbk__handlers handlers;

static void begin(char separator) {
  failing_mem_init(&mem);
  test_core(&core, &mem);
  core.config.separator = separator;
  sbk__handlers_init(&handlers, &core);
}

static void end(void) {
  sbk__handlers_free(&handlers);
  assert_int_equal(mem.blocks, 0);
}

static int run(sbk_call *call, void *arg) {
  (void)call, (void)arg;
  return 0;
}

static int add(enum sbk_command command, const char *pattern) {
  struct sbk_mapping mapping = SBK_MAPPING_INIT;

  mapping.command = command;
  mapping.handler = run;
  mapping.arg = (void *)(uintptr_t)pattern;

  return sbk__handlers_add(&handlers, &mapping, pattern, strlen(pattern));
}

/* The pattern that wins; NULL: none. */
static const char *winner(enum sbk_command command, const char *path,
                          sbk__captures *captures) {
  const sbk__handler *found =
      sbk__handlers_find(&handlers, command, path, strlen(path), captures);

  if (found == NULL) {
    return NULL;
  }
  assert_ptr_equal(found->run, run);
  assert_string_equal(found->pattern, (const char *)found->arg);

  return found->pattern;
}

static void the_most_specific_pattern_wins(void **state) {
  static const char *const patterns[] = {"/**",         "/chat/*",
                                         "/chat/{id}",  "/chat/{id}/**",
                                         "/chat/lobby", "/chat/l*"};
  sbk__captures c;
  size_t i, order;

  (void)state;
  /* In whatever order they came. */
  for (order = 0; order < 6; order++) {
    begin('/');
    for (i = 0; i < 6; i++) {
      assert_int_equal(add(SBK_SEND, patterns[(i + order) % 6]), 0);
    }
    assert_string_equal(winner(SBK_SEND, "/chat/lobby", &c), "/chat/lobby");
    assert_int_equal(c.count, 0);
    assert_string_equal(winner(SBK_SEND, "/chat/9", &c), "/chat/{id}");
    assert_int_equal(c.count, 1);
    assert_memory_equal(c.items[0].name, "id", 2);
    assert_memory_equal(c.items[0].value, "9", 1);
    assert_string_equal(winner(SBK_SEND, "/chat/9/x", &c), "/chat/{id}/**");
    assert_string_equal(winner(SBK_SEND, "/other", &c), "/**");
    end();
  }
}

static void commands_are_apart(void **state) {
  sbk__captures c;

  (void)state;
  begin('/');
  assert_int_equal(add(SBK_SEND, "/a"), 0);
  assert_null(winner(SBK_SUBSCRIBE, "/a", &c));
  assert_int_equal(add(SBK_SUBSCRIBE, "/a"), 0);
  assert_non_null(winner(SBK_SUBSCRIBE, "/a", &c));
  assert_int_equal(add(SBK_SUBSCRIBE, "/a"), SBK_ERR_EXISTS);
  assert_int_equal(add(SBK_SEND, "/a"), SBK_ERR_EXISTS);
  assert_int_equal(handlers.count, 2);
  end();
}

static void among_equals_the_first_one_wins(void **state) {
  sbk__captures c;

  (void)state;
  begin('/');
  assert_int_equal(add(SBK_SEND, "/{b}"), 0);
  assert_int_equal(add(SBK_SEND, "/{a}"), 0);
  assert_string_equal(winner(SBK_SEND, "/x", &c), "/{b}");
  end();
}

static void a_text_without_wildcards_is_a_literal(void **state) {
  sbk__captures c;

  (void)state;
  begin('/');
  assert_int_equal(add(SBK_SEND, "/a.b"), 0);
  assert_null(winner(SBK_SEND, "/a/b", &c));
  assert_null(winner(SBK_SEND, "/axb", &c));
  assert_null(winner(SBK_SEND, "/a.b/", &c));
  assert_non_null(winner(SBK_SEND, "/a.b", &c));
  end();
}

static void the_separator_may_be_a_dot(void **state) {
  sbk__captures c;

  (void)state;
  begin('.');
  assert_int_equal(add(SBK_SEND, "chat.{room}"), 0);
  assert_non_null(winner(SBK_SEND, "chat.x", &c));
  assert_memory_equal(c.items[0].value, "x", 1);
  assert_null(winner(SBK_SEND, "chat.x.y", &c));
  end();
}

static void refuses_what_is_no_pattern(void **state) {
  char text[1100];

  (void)state;
  begin('/');
  assert_int_equal(add(SBK_SEND, ""), SBK_ERR_INVAL);
  assert_int_equal(add(SBK_SEND, "/{a"), SBK_ERR_INVAL);
  assert_int_equal(add(SBK_SEND, "/{a}/{a}"), SBK_ERR_INVAL);
  assert_int_equal(add(SBK_SEND, "/{a:[0-9]+}"), SBK_ERR_INVAL);
  assert_int_equal(add(SBK_SEND, "/a//b"), SBK_ERR_INVAL);
  assert_int_equal(add(SBK_SEND, "/?/?/?/?/?/?/?/?/?"), SBK_ERR_TOO_BIG);
  memset(text, 'x', sizeof(text));
  text[0] = '/';
  text[1024] = '\0';
  assert_int_equal(add(SBK_SEND, text), 0);
  text[1024] = 'x';
  text[1025] = '\0';
  assert_int_equal(add(SBK_SEND, text), SBK_ERR_TOO_BIG);
  assert_int_equal(handlers.count, 1);
  end();
}

static void is_as_before_when_memory_ends(void **state) {
  sbk__captures c;
  size_t fail;

  (void)state;
  begin('/');
  assert_int_equal(add(SBK_SEND, "/a"), 0);
  for (fail = 0; fail < 2; fail++) {
    mem.fail_from = mem.calls + fail;
    assert_int_equal(add(SBK_SEND, "/b"), SBK_ERR_NOMEM);
    assert_null(winner(SBK_SEND, "/b", &c));
    assert_non_null(winner(SBK_SEND, "/a", &c));
  }
  mem.fail_from = SIZE_MAX;
  assert_int_equal(add(SBK_SEND, "/b"), 0);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_most_specific_pattern_wins),
      cmocka_unit_test(commands_are_apart),
      cmocka_unit_test(among_equals_the_first_one_wins),
      cmocka_unit_test(a_text_without_wildcards_is_a_literal),
      cmocka_unit_test(the_separator_may_be_a_dot),
      cmocka_unit_test(refuses_what_is_no_pattern),
      cmocka_unit_test(is_as_before_when_memory_ends),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
