#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "limits.h"
#include "users.h"

static void a_user_lives_as_long_as_a_session_of_his(void **state) {
  sbk__node nodes[3];
  sbk__user *users[3];
  struct failing_mem mem;
  sbk__map map;
  sbk__core core;
  size_t i;

  (void)state;
  failing_mem_init(&mem);
  test_core(&core, &mem);
  sbk__users_init(&map, &core);
  for (i = 0; i < 3; i++) {
    assert_int_equal(
        sbk__users_add(&map, i < 2 ? "ann" : "bob", &nodes[i], &users[i]), 0);
  }
  assert_int_equal(map.count, 2);
  assert_ptr_equal(users[0], users[1]);
  assert_int_equal(users[0]->count, 2);
  sbk__users_remove(&map, users[0], &nodes[0]);
  assert_int_equal(users[1]->count, 1);
  assert_ptr_equal(sbk__map_find(&map, "ann", 3), users[1]);
  sbk__users_remove(&map, users[1], &nodes[1]);
  assert_null(sbk__map_find(&map, "ann", 3));
  sbk__users_remove(&map, users[2], &nodes[2]);
  assert_int_equal(map.count, 0);
  sbk__map_free(&map);
  assert_int_equal(mem.blocks, 0);
}

static void is_as_before_when_memory_ends(void **state) {
  struct failing_mem mem;
  sbk__user *user;
  sbk__node node;
  sbk__map map;
  sbk__core core;
  size_t fail;

  (void)state;
  failing_mem_init(&mem);
  test_core(&core, &mem);
  sbk__users_init(&map, &core);
  for (fail = 0; fail < 2; fail++) {
    mem.fail_from = mem.calls + fail;
    assert_int_equal(sbk__users_add(&map, "ann", &node, &user), SBK_ERR_NOMEM);
    assert_int_equal(map.count, 0);
    assert_int_equal(mem.blocks, 0);
  }
}

static void knows_which_names_a_user_can_have(void **state) {
  char name[300];
  int c;

  (void)state;
  assert_true(sbk__user_name_valid("ann", 256));
  assert_true(sbk__user_name_valid("a/b c@d.e:%20%2", 256));
  assert_true(sbk__user_name_valid("\xc3\xa4", 256));
  assert_false(sbk__user_name_valid(NULL, 256));
  assert_false(sbk__user_name_valid("", 256));
  assert_false(sbk__user_name_valid("a%2Fb", 256));
  assert_false(sbk__user_name_valid("%2f", 256));
  for (c = 1; c < 256; c++) {
    name[0] = (char)c;
    name[1] = '\0';
    assert_int_equal(sbk__user_name_valid(name, 256), c >= 32 && c != 127);
  }
  memset(name, 'x', sizeof(name));
  name[255] = '\0';
  assert_true(sbk__user_name_valid(name, 256));
  name[255] = 'x';
  name[256] = '\0';
  assert_true(sbk__user_name_valid(name, 256));
  name[256] = 'x';
  name[257] = '\0';
  assert_false(sbk__user_name_valid(name, 256));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_user_lives_as_long_as_a_session_of_his),
      cmocka_unit_test(is_as_before_when_memory_ends),
      cmocka_unit_test(knows_which_names_a_user_can_have),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
