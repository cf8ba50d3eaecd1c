#include <string.h>

#include "unit.h"

#include "limits.h"
#include "userdest.h"

static struct failing_mem mem;
static sbk__route route;

static void begin(char separator) {
  struct sbk_config config = default_limits();

  failing_mem_init(&mem);
  config.separator = separator;
  assert_int_equal(sbk__route_init(&route, &mem.mem, &config), 0);
}

static void end(void) {
  sbk__route_free(&route);
  assert_int_equal(mem.blocks, 0);
}

/* What a session of user gets for a subscription; own NULL: no second name. */
static void assert_subscribes(const char *user, const char *text,
                              const char *own) {
  size_t at = 99;

  assert_int_equal(
      sbk__userdest_subscribe(&route, user, text, strlen(text), 5, &at),
      SBK__FAULT_NONE);
  if (own == NULL) {
    assert_int_equal(at, 0);
  } else {
    assert_string_equal(text + at, own);
  }
}

static enum sbk__fault fault_of(const char *user, const char *text) {
  size_t at;

  return sbk__userdest_subscribe(&route, user, text, strlen(text), 5, &at);
}

static void ones_own_destination_has_one_name(void **state) {
  (void)state;
  begin('/');
  assert_subscribes("ann", "/user/queue/x", NULL);
  assert_subscribes(NULL, "/user/queue/x", NULL);
  assert_subscribes("ann", "/user/x", NULL);
  end();
}

static void ones_own_name_in_front_is_a_second_one(void **state) {
  (void)state;
  begin('/');
  assert_subscribes("ann", "/user/ann/queue/x", "/queue/x");
  assert_subscribes("ann", "/user/ann/x", "/x");
  assert_subscribes("a/b", "/user/a%2Fb/queue/x", "/queue/x");
  end();
}

static void anothers_form_is_refused(void **state) {
  (void)state;
  begin('/');
  assert_int_equal(fault_of("ann", "/user/bob/queue/x"),
                   SBK__FAULT_USER_SUBSCRIBE);
  assert_int_equal(fault_of("a/b", "/user/a%2fb/queue/x"),
                   SBK__FAULT_USER_SUBSCRIBE);
  assert_int_equal(fault_of(NULL, "/user/bob/queue/x"),
                   SBK__FAULT_USER_SUBSCRIBE);
  assert_int_equal(fault_of("ann", "/user/annx/topic/x"),
                   SBK__FAULT_USER_SUBSCRIBE);
  assert_int_equal(fault_of("annx", "/user/ann/topic/x"),
                   SBK__FAULT_USER_SUBSCRIBE);
  assert_int_equal(fault_of("a/b", "/user/a/b/queue/x"), SBK__FAULT_NONE);
  assert_int_equal(fault_of("a", "/user/a%2Fb/queue/x"),
                   SBK__FAULT_USER_SUBSCRIBE);
  assert_int_equal(fault_of("ann", "/user/*/queue/x"),
                   SBK__FAULT_USER_SUBSCRIBE);
  /* Nothing of the broker's behind it: a destination of one's own. */
  assert_subscribes("ann", "/user/bob/x", NULL);
  assert_subscribes("ann", "/user/bob/queuex", NULL);
  end();
}

static void refuses_what_has_nothing_behind_the_prefix(void **state) {
  (void)state;
  begin('/');
  assert_int_equal(fault_of("ann", "/user"), SBK__FAULT_DESTINATION);
  assert_int_equal(fault_of("ann", "/user/"), SBK__FAULT_DESTINATION);
  end();
}

static void a_dot_separates_too(void **state) {
  (void)state;
  begin('.');
  assert_subscribes("ann", "/user.ann.x", ".x");
  assert_subscribes("ann", "/user/ann/queue/x", "/queue/x");
  assert_subscribes("a.b", "/user/a.b/queue/x", NULL);
  end();
}

static void assert_sends(const char *text, const char *name, const char *rest) {
  char *decoded = NULL;
  size_t at = 0;

  assert_int_equal(sbk__userdest_send(&mem.mem, &route, text, strlen(text), 5,
                                      &decoded, &at),
                   SBK__FAULT_NONE);
  assert_string_equal(decoded, name);
  assert_string_equal(text + at, rest);
  sbk__free(&mem.mem, decoded);
}

static void a_send_names_its_user(void **state) {
  (void)state;
  begin('/');
  assert_sends("/user/ann/queue/x", "ann", "/queue/x");
  assert_sends("/user/a%2Fb%2Fc/x", "a/b/c", "/x");
  assert_sends("/user/a%2fb/x", "a%2fb", "/x"); /* whom nobody is */
  assert_sends("/user/50%/x", "50%", "/x");
  assert_sends("/user/%2/x", "%2", "/x");
  assert_sends("/user/%252F/x", "%252F", "/x");
  end();
}

static void refuses_sends_without_a_name_or_a_rest(void **state) {
  static const char *const texts[] = {"/user", "/user/", "/user/ann",
                                      "/user/ann/"};
  char *name = NULL;
  size_t i, at;

  (void)state;
  begin('/');
  for (i = 0; i < 4; i++) {
    assert_int_equal(sbk__userdest_send(&mem.mem, &route, texts[i],
                                        strlen(texts[i]), 5, &name, &at),
                     SBK__FAULT_DESTINATION);
  }
  mem.fail_from = mem.calls;
  assert_int_equal(
      sbk__userdest_send(&mem.mem, &route, "/user/a/x", 9, 5, &name, &at),
      SBK__FAULT_NOMEM);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ones_own_destination_has_one_name),
      cmocka_unit_test(ones_own_name_in_front_is_a_second_one),
      cmocka_unit_test(anothers_form_is_refused),
      cmocka_unit_test(refuses_what_has_nothing_behind_the_prefix),
      cmocka_unit_test(a_dot_separates_too),
      cmocka_unit_test(a_send_names_its_user),
      cmocka_unit_test(refuses_sends_without_a_name_or_a_rest),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
