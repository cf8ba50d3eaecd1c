#include <string.h>

#include "unit.h"

#include "core.h"

static int on_random(void *dst, size_t len, void *arg) {
  int *rv = arg;

  memset(dst, 0x5a, len);
  return *rv;
}

static void randomness_comes_from_the_host_if_it_has_some(void **state) {
  uint8_t bytes[40] = {0};
  sbk__core core;
  int rv = 0;

  (void)state;
  memset(&core, 0, sizeof(core));
  core.callbacks.random = on_random;
  core.arg = &rv;
  assert_int_equal(sbk__random(&core, bytes, 39), 0);
  assert_int_equal(bytes[38], 0x5a);
  assert_int_equal(bytes[39], 0);
  rv = 1;
  assert_int_equal(sbk__random(&core, bytes, 39), SBK_ERR_CALLBACK);
  rv = -1;
  assert_int_equal(sbk__random(&core, bytes, 39), SBK_ERR_CALLBACK);
}

static void randomness_comes_from_the_system_in_any_amount(void **state) {
  static const size_t lens[] = {0, 1, 16, 255, 256, 257, 4096};
  static uint8_t a[4100], b[4100];
  sbk__core core;
  size_t i, j, ones = 0;

  (void)state;
  memset(&core, 0, sizeof(core));
  for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
    memset(a, 0, sizeof(a));
    memset(b, 0, sizeof(b));
    assert_int_equal(sbk__random(&core, a, lens[i]), 0);
    assert_int_equal(sbk__random(&core, b, lens[i]), 0);
    assert_int_equal(a[lens[i]], 0);
    if (lens[i] >= 16) {
      assert_memory_not_equal(a, b, lens[i]);
      assert_memory_not_equal(a + lens[i] - 16, b + lens[i] - 16, 16);
    }
  }
  for (i = 0; i < 4096; i++) {
    for (j = 0; j < 8; j++) {
      ones += a[i] >> j & 1;
    }
  }
  /* Of 32,768 bits half are set; 905 is ten times the deviation of 90.5. */
  assert_in_range(ones, 16384 - 905, 16384 + 905);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(randomness_comes_from_the_host_if_it_has_some),
      cmocka_unit_test(randomness_comes_from_the_system_in_any_amount),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
