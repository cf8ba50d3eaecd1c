#include <string.h>

#include "unit.h"

#include "failing_mem.h"
#include "limits.h"
#include "route.h"

static struct failing_mem mem;
static sbk__route route;

static int begin(struct sbk_config *config) {
  failing_mem_init(&mem);

  return sbk__route_init(&route, &mem.mem, config);
}

static void end(void) {
  sbk__route_free(&route);
  assert_int_equal(mem.blocks, 0);
}

static void assert_leads(const char *text, enum sbk__where where,
                         const char *path) {
  size_t at;

  assert_int_equal(sbk__route_find(&route, text, strlen(text), &at), where);
  if (where == SBK__NOWHERE) {
    assert_int_equal(at, 0);
  } else {
    assert_string_equal(text + at, path);
  }
}

static void knows_the_default_prefixes(void **state) {
  struct sbk_config config = default_limits();

  (void)state;
  assert_int_equal(begin(&config), 0);
  assert_leads("/app/x", SBK__APP, "/x");
  assert_leads("/app", SBK__APP, "");
  assert_leads("/topic/a/b", SBK__BROKER, "/a/b");
  assert_leads("/queue/a", SBK__BROKER, "/a");
  assert_leads("/user/queue/a", SBK__USER, "/queue/a");
  assert_leads("/topicx", SBK__NOWHERE, NULL);
  assert_leads("/topi", SBK__NOWHERE, NULL);
  assert_leads("/App/x", SBK__NOWHERE, NULL);
  assert_leads("topic/a", SBK__NOWHERE, NULL);
  assert_leads("/", SBK__NOWHERE, NULL);
  assert_string_equal(route.server.text, "stompbroker/" SBK_VERSION);
  end();
}

static void takes_prefixes_of_the_host(void **state) {
  static const char *const app[] = {"/one/", "/two/deep", NULL};
  static const char *const broker[] = {"/events", NULL};
  struct sbk_config config = default_limits();

  (void)state;
  config.app_prefixes = app;
  config.broker_prefixes = broker;
  config.user_prefix = "/me";
  config.server_name = "mine";
  assert_int_equal(begin(&config), 0);
  assert_leads("/one/x", SBK__APP, "/x");
  assert_leads("/two/deep/x", SBK__APP, "/x");
  assert_leads("/two/x", SBK__NOWHERE, NULL);
  assert_leads("/events/x", SBK__BROKER, "/x");
  assert_leads("/topic/x", SBK__NOWHERE, NULL);
  assert_leads("/me/x", SBK__USER, "/x");
  assert_leads("/user/x", SBK__NOWHERE, NULL);
  assert_string_equal(route.server.text, "mine");
  end();
}

static void a_list_may_be_empty(void **state) {
  static const char *const none[] = {NULL};
  struct sbk_config config = default_limits();

  (void)state;
  config.app_prefixes = none;
  assert_int_equal(begin(&config), 0);
  assert_leads("/app/x", SBK__NOWHERE, NULL);
  end();
}

static void a_dot_separates_too(void **state) {
  struct sbk_config config = default_limits();
  const char *text = "/app.x.y";
  size_t len = strlen(text), at;

  (void)state;
  config.separator = '.';
  assert_int_equal(begin(&config), 0);
  assert_leads("/topic.a", SBK__BROKER, ".a");
  assert_leads("/topic/a", SBK__BROKER, "/a");
  assert_leads("/topic-a", SBK__NOWHERE, NULL);
  assert_int_equal(sbk__route_find(&route, text, len, &at), SBK__APP);
  text += at;
  len -= at;
  assert_true(sbk__route_path(&route, &text, &len));
  assert_int_equal(len, 3);
  assert_string_equal(text, "x.y");
  end();
}

static void with_a_dot_paths_begin_with_no_separator(void **state) {
  static const char *const prefixes[] = {"/one/", "/two.", NULL};
  static const char *const texts[] = {"x.y", "/x.y", ".x.y"};
  struct sbk_config config = default_limits();
  size_t i;

  (void)state;
  config.separator = '.';
  config.app_prefixes = prefixes;
  assert_int_equal(begin(&config), 0);
  assert_leads("/one/x", SBK__APP, "/x");
  assert_leads("/one.x", SBK__APP, ".x");
  assert_leads("/two/x", SBK__APP, "/x");
  assert_leads("/two.x", SBK__APP, ".x");
  for (i = 0; i < 3; i++) {
    const char *text = texts[i];
    size_t len = strlen(text);

    assert_true(sbk__route_path(&route, &text, &len));
    assert_int_equal(len, 3);
    assert_string_equal(text, "x.y");
  }
  end();
}

static void paths_begin_with_a_slash_where_that_separates(void **state) {
  struct sbk_config config = default_limits();
  const char *text = "x";
  size_t len = 1;

  (void)state;
  assert_int_equal(begin(&config), 0);
  assert_false(sbk__route_path(&route, &text, &len));
  text = "/x";
  len = 2;
  assert_true(sbk__route_path(&route, &text, &len));
  assert_int_equal(len, 2);
  len = 0;
  assert_false(sbk__route_path(&route, &text, &len));
  end();
}

static void refuses_what_is_no_prefix(void **state) {
  static const char *const wrong[] = {"", "/a//b", "/a\n", "/a/*", "/{x}"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    const char *list[] = {"/fine", wrong[i], NULL};
    struct sbk_config config = default_limits();

    config.app_prefixes = list;
    assert_int_equal(begin(&config), SBK_ERR_INVAL);
    end();
    config.app_prefixes = NULL;
    config.broker_prefixes = list;
    assert_int_equal(begin(&config), SBK_ERR_INVAL);
    end();
    config.broker_prefixes = NULL;
    config.user_prefix = wrong[i];
    assert_int_equal(begin(&config), SBK_ERR_INVAL);
    end();
  }
}

static void refuses_a_server_name_with_ends_of_lines(void **state) {
  struct sbk_config config = default_limits();

  (void)state;
  config.server_name = "a\nsession:forged";
  assert_int_equal(begin(&config), SBK_ERR_INVAL);
  end();
  config.server_name = "a\r";
  assert_int_equal(begin(&config), SBK_ERR_INVAL);
  end();
}

static void adds_the_hosts_private_headers_to_its_own(void **state) {
  static const char *const more[] = {"x-token", NULL};
  static const char *const own[] = {"passcode", "login", "authorization",
                                    "receipt",  "ack",   "session",
                                    "user-name"};
  struct sbk_config config = default_limits();
  size_t i, count = 0, found = 0;

  (void)state;
  config.private_headers = more;
  assert_int_equal(begin(&config), 0);
  for (count = 0; route.hidden[count] != NULL; count++) {
    for (i = 0; i < 7; i++) {
      found += strcmp(route.hidden[count], own[i]) == 0;
    }
  }
  assert_int_equal(found, 7);
  assert_string_equal(route.hidden[count - 1], "x-token");
  end();
}

static void survives_the_end_of_memory_anywhere(void **state) {
  static const char *const more[] = {"x-token", NULL};
  struct sbk_config config = default_limits();
  size_t fail;
  int rv;

  (void)state;
  config.private_headers = more;
  for (fail = 0;; fail++) {
    failing_mem_init(&mem);
    mem.fail_from = fail;
    rv = sbk__route_init(&route, &mem.mem, &config);
    end();
    if (rv == 0) {
      break;
    }
    assert_int_equal(rv, SBK_ERR_NOMEM);
  }
  assert_true(fail > 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(knows_the_default_prefixes),
      cmocka_unit_test(takes_prefixes_of_the_host),
      cmocka_unit_test(a_list_may_be_empty),
      cmocka_unit_test(a_dot_separates_too),
      cmocka_unit_test(with_a_dot_paths_begin_with_no_separator),
      cmocka_unit_test(paths_begin_with_a_slash_where_that_separates),
      cmocka_unit_test(refuses_what_is_no_prefix),
      cmocka_unit_test(refuses_a_server_name_with_ends_of_lines),
      cmocka_unit_test(adds_the_hosts_private_headers_to_its_own),
      cmocka_unit_test(survives_the_end_of_memory_anywhere),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
