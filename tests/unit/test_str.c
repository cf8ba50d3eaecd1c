#include <string.h>

#include "unit.h"

#include "str.h"

static void grows_by_what_is_added(void **state) {
  sbk__str str;
  int i;

  (void)state;
  sbk__str_init(&str, sbk__mem_default());
  for (i = 0; i < 1000; i++) {
    sbk__str_addz(&str, "abc");
  }
  assert_false(str.failed);
  assert_int_equal(str.len, 3000);
  assert_memory_equal(str.data + 2997, "abc", 3);
  sbk__str_free(&str);
  assert_null(str.data);
}

static void formats_the_ends_of_64_bits(void **state) {
  sbk__str str;

  (void)state;
  sbk__str_init(&str, sbk__mem_default());
  sbk__str_add_u64(&str, 0);
  sbk__str_addz(&str, " ");
  sbk__str_add_u64(&str, UINT64_MAX);
  assert_int_equal(str.len, 22);
  assert_memory_equal(str.data, "0 18446744073709551615", 22);
  sbk__str_free(&str);
}

static void *no_realloc(void *ptr, size_t size, void *arg) {
  (void)ptr, (void)size, (void)arg;
  return NULL;
}

static void stays_as_it_was_when_memory_ends(void **state) {
  struct sbk_mem mem = *sbk__mem_default();
  sbk__str str;

  (void)state;
  sbk__str_init(&str, &mem);
  sbk__str_addz(&str, "kept");
  mem.realloc = no_realloc;
  assert_int_equal(sbk__str_reserve(&str, 1000), SBK_ERR_NOMEM);
  assert_true(str.failed);
  sbk__str_addz(&str, "x");
  assert_int_equal(str.len, 4);
  assert_memory_equal(str.data, "kept", 4);
  sbk__str_free(&str);
}

static void refuses_a_size_that_would_wrap(void **state) {
  sbk__str str;

  (void)state;
  sbk__str_init(&str, sbk__mem_default());
  assert_int_equal(sbk__str_reserve(&str, SIZE_MAX - 1), SBK_ERR_NOMEM);
  sbk__str_free(&str);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(grows_by_what_is_added),
      cmocka_unit_test(formats_the_ends_of_64_bits),
      cmocka_unit_test(stays_as_it_was_when_memory_ends),
      cmocka_unit_test(refuses_a_size_that_would_wrap),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
