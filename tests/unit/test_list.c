#include "unit.h"

#include "failing_mem.h"
#include "list.h"

struct thing {
  int number;
  sbk__node node;
};

static void agrees_with_an_array_under_random_changes(void **state) {
  struct thing things[20];
  int model[20], count = 0, i, step;
  uint32_t random = 71;
  sbk__node list, *node;

  (void)state;
  sbk__list_init(&list);
  for (i = 0; i < 20; i++) {
    things[i].number = i;
    sbk__list_init(&things[i].node);
  }
  for (step = 0; step < 5000; step++) {
    int which = (int)(test_random(&random) % 20), at;

    for (at = 0; at < count && model[at] != which; at++) {
    }
    assert_int_equal(sbk__list_linked(&things[which].node), at < count);
    if (at == count) {
      sbk__list_push(&list, &things[which].node);
      model[count++] = which;
    } else if (step % 5 == 0) {
      node = sbk__list_shift(&list);
      assert_int_equal(sbk__item(node, struct thing, node)->number, model[0]);
      for (i = 1; i < count; i++) {
        model[i - 1] = model[i];
      }
      count--;
    } else {
      sbk__list_remove(&things[which].node);
      sbk__list_remove(&things[which].node); /* twice is safe */
      for (i = at + 1; i < count; i++) {
        model[i - 1] = model[i];
      }
      count--;
    }
    node = list.next;
    for (i = 0; i < count; i++, node = node->next) {
      assert_int_equal(sbk__item(node, struct thing, node)->number, model[i]);
      assert_ptr_equal(node->next->prev, node);
    }
    assert_ptr_equal(node, &list);
    assert_int_equal(sbk__list_empty(&list), count == 0);
  }
}

static void shifting_an_empty_list_gives_nothing(void **state) {
  sbk__node list;

  (void)state;
  sbk__list_init(&list);
  assert_null(sbk__list_shift(&list));
  assert_true(sbk__list_empty(&list));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_an_array_under_random_changes),
      cmocka_unit_test(shifting_an_empty_list_gives_nothing),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
