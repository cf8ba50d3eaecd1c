#include <string.h>

#include "unit.h"

#include <stompbroker/base.h>

#include "abi.h"

/* The same struct in three versions of the library. */
struct first {
  size_t size;
  int a;
  int b;
};
struct second {
  struct first first;
  size_t c;
};
struct third {
  struct second second;
  size_t d;
  char e;
};

static void takes_a_struct_of_its_own_version(void **state) {
  struct second from = {{sizeof(from), 1, 2}, 3}, to;

  (void)state;
  memset(&to, 0xee, sizeof(to));
  assert_int_equal(sbk__abi_copy(&to, sizeof(to), sizeof(struct first), &from),
                   0);
  assert_int_equal(to.first.size, sizeof(to));
  assert_int_equal(to.first.a, 1);
  assert_int_equal(to.first.b, 2);
  assert_int_equal(to.c, 3);
}

static void members_an_older_host_does_not_know_are_0(void **state) {
  struct first from = {sizeof(from), 1, 2};
  struct second to;

  (void)state;
  memset(&to, 0xee, sizeof(to));
  assert_int_equal(sbk__abi_copy(&to, sizeof(to), sizeof(struct first), &from),
                   0);
  assert_int_equal(to.first.size, sizeof(to));
  assert_int_equal(to.first.b, 2);
  assert_int_equal(to.c, 0);
}

static void members_only_a_newer_host_knows_must_be_0(void **state) {
  struct second to;
  size_t i;

  (void)state;
  for (i = sizeof(struct second); i <= sizeof(struct third); i++) {
    struct third from;

    memset(&from, 0, sizeof(from));
    from.second.first.size = sizeof(from);
    from.second.c = 7;
    if (i < sizeof(from)) {
      ((uint8_t *)&from)[i] = 1;
    }
    memset(&to, 0xee, sizeof(to));
    if (i < sizeof(from)) {
      assert_int_equal(
          sbk__abi_copy(&to, sizeof(to), sizeof(struct first), &from),
          SBK_ERR_ABI);
      assert_int_equal(((uint8_t *)&to)[0], 0xee);
    } else {
      assert_int_equal(
          sbk__abi_copy(&to, sizeof(to), sizeof(struct first), &from), 0);
      assert_int_equal(to.c, 7);
    }
  }
}

static void a_struct_shorter_than_the_first_is_refused(void **state) {
  struct second from = {{0, 1, 2}, 3}, to;
  size_t size;

  (void)state;
  for (size = 0; size < sizeof(struct first); size++) {
    from.first.size = size;
    assert_int_equal(
        sbk__abi_copy(&to, sizeof(to), sizeof(struct first), &from),
        SBK_ERR_ABI);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(takes_a_struct_of_its_own_version),
      cmocka_unit_test(members_an_older_host_does_not_know_are_0),
      cmocka_unit_test(members_only_a_newer_host_knows_must_be_0),
      cmocka_unit_test(a_struct_shorter_than_the_first_is_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
