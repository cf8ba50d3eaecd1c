#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "limits.h"
#include "pattern.h"
#include "trie.h"

static struct failing_mem mem;
static sbk__core core;
static sbk__trie trie;

/* A pattern in the trie. */
struct entry {
  sbk__leaf leaf;
  bool in;
  int given;
  char text[64];
};

static void begin(char separator) {
  failing_mem_init(&mem);
  test_core(&core, &mem);
  core.config.separator = separator;
  sbk__trie_init(&trie, &core);
}

static void end(void) {
  assert_null(trie.root);
  assert_int_equal(trie.branch_count, 0);
  sbk__trie_free(&trie);
  assert_int_equal(mem.blocks, 0);
}

static int put(struct entry *e, const char *text) {
  int rv;

  snprintf(e->text, sizeof(e->text), "%s", text);
  e->given = 0;
  rv = sbk__trie_add(&trie, e->text, strlen(e->text), &e->leaf);
  e->in = rv == 0;

  return rv;
}

static void take_out(struct entry *e) {
  sbk__trie_remove(&trie, &e->leaf);
  e->in = false;
}

static int count_one(sbk__leaf *leaf, void *arg) {
  size_t *count = arg;

  sbk__item(leaf, struct entry, leaf)->given++;
  (*count)++;

  return 0;
}

static size_t find(const char *name) {
  size_t count = 0;

  assert_int_equal(sbk__trie_find(&trie, name, strlen(name), count_one, &count),
                   0);

  return count;
}

/* A destination or a pattern of up to four segments. */
static void make(char text[64], uint32_t *random, bool pattern,
                 char separator) {
  static const char *const segments[] = {"a",  "b",  "ab",  "*",     "**",
                                         "?",  "a*", "*b",  "{x}",   "{x}b",
                                         "?b", "a?", "***", "{y}{z}"};
  size_t i, count = 1 + test_random(random) % 4, len = 0;

  for (i = 0; i < count; i++) {
    const char *segment = segments[test_random(random) % (pattern ? 14 : 5)];

    if (i > 0 || test_random(random) % 4 != 0) {
      text[len++] = separator;
    }
    memcpy(text + len, segment, strlen(segment));
    len += strlen(segment);
  }
  if (test_random(random) % 4 == 0) {
    text[len++] = separator;
  }
  text[len] = '\0';
}

#define ENTRIES 60

static void finds_what_matches_under_random_changes(void **state) {
  static struct entry entries[ENTRIES];
  uint32_t random = 11;
  size_t step, i, matched = 0;

  (void)state;
  for (step = 0; step < 40000; step++) {
    struct entry *e = &entries[test_random(&random) % ENTRIES];
    char separator = step < 20000 ? '/' : '.';
    char text[64];

    if (step % 20000 == 0) {
      begin(separator);
    }
    if (e->in) {
      take_out(e);
    } else {
      make(text, &random, true, separator);
      assert_int_equal(put(e, text), 0);
    }
    make(text, &random, false, separator);
    find(text);
    for (i = 0; i < ENTRIES; i++) {
      e = &entries[i];
      assert_true(e->given <= (e->in ? 1 : 0)); /* once at most */
      if (e->in && sbk__pattern_match(e->text, strlen(e->text), text,
                                      strlen(text), separator, NULL)) {
        assert_int_equal(e->given, 1);
        matched++;
      }
      e->given = 0;
    }
    if (step % 20000 == 19999) {
      for (i = 0; i < ENTRIES; i++) {
        if (entries[i].in) {
          take_out(&entries[i]);
        }
      }
      end();
    }
  }
  assert_true(matched > 20000);
}

static void looks_at_none_of_the_others(void **state) {
  static const char *const shapes[] = {"/topic/#/*",     "/topic/*/#",
                                       "/**/#",          "/topic/{x}/#/**",
                                       "/topic/**/#/a*", "/topic/*/a#*"};
  static struct entry entries[1000];
  size_t shape, i;
  char text[64];

  (void)state;
  for (shape = 0; shape < 6; shape++) {
    begin('/');
    for (i = 0; i < 1000; i++) {
      const char *at = strchr(shapes[shape], '#');

      snprintf(text, sizeof(text), "%.*s%zu%s", (int)(at - shapes[shape]),
               shapes[shape], i, at + 1);
      assert_int_equal(put(&entries[i], text), 0);
    }
    assert_int_equal(find("/topic/x/y"), 0);
    assert_int_equal(find("/"), 0);
    assert_int_equal(find("/queue/topic/7a"), 0);
    assert_int_equal(find("/topic/7/7"), shape < 4 ? 1 : 0);
    assert_int_equal(find("/topic/x/7/ab"), shape == 3 || shape == 4);
    for (i = 0; i < 1000; i++) {
      take_out(&entries[i]);
    }
    end();
  }
}

static void clever_patterns_cost_no_more_than_their_branches(void **state) {
  struct entry e;
  char name[1024] = "";
  size_t i;

  (void)state;
  begin('/');
  assert_int_equal(put(&e, "/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/b"), 0);
  for (i = 0; i < 256; i++) {
    strcat(name, "/a");
  }
  /* Looked through path by path this would take years. */
  assert_int_equal(find(name), 0);
  strcat(name, "/b");
  assert_int_equal(find(name), 1);
  take_out(&e);
  end();
}

static void equal_patterns_share_a_branch(void **state) {
  struct entry a, b, c;

  (void)state;
  begin('/');
  assert_int_equal(put(&a, "/topic/*/x"), 0);
  assert_int_equal(put(&b, "/topic/{name}/x"), 0);
  assert_int_equal(put(&c, "/topic/*"), 0);
  assert_ptr_equal(a.leaf.branch, b.leaf.branch);
  assert_int_equal(find("/topic/a/x"), 2);
  take_out(&a);
  assert_int_equal(find("/topic/a/x"), 1);
  assert_int_equal(find("/topic/a"), 1);
  take_out(&b);
  assert_int_equal(find("/topic/a/x"), 0);
  assert_int_equal(find("/topic/a"), 1);
  assert_int_equal(find("/topic/"), 1); /* `*` may stand for nothing there */
  take_out(&c);
  end();
}

static int stop(sbk__leaf *leaf, void *arg) {
  (void)leaf, (void)arg;
  return -7;
}

static void stops_when_it_is_told(void **state) {
  struct entry a, b;

  (void)state;
  begin('/');
  assert_int_equal(sbk__trie_find(&trie, "/topic/a", 8, stop, NULL), 0);
  assert_int_equal(put(&a, "/topic/*"), 0);
  assert_int_equal(put(&b, "/**"), 0);
  assert_int_equal(sbk__trie_find(&trie, "/topic/a", 8, stop, NULL), -7);
  take_out(&a);
  take_out(&b);
  end();
}

static void is_as_before_when_memory_ends(void **state) {
  static struct entry others[15], e;
  size_t i, fail;
  char text[64];
  bool done = false;

  (void)state;
  for (fail = 0, e.in = false; !done; fail++) {
    begin('/');
    for (i = 0; i < 15; i++) { /* one more, and the table grows */
      snprintf(text, sizeof(text), "/%zu*", i);
      assert_int_equal(put(&others[i], text), 0);
    }
    mem.fail_from = mem.calls + fail;
    done = put(&e, "/topic/a*/*/**/x") == 0;
    assert_int_equal(trie.branch_count, done ? 18 : 15);
    mem.fail_from = SIZE_MAX;
    assert_int_equal(find("/topic/ab/c/x"), e.in ? 1 : 0);
    for (i = 0; i < 15; i++) {
      snprintf(text, sizeof(text), "/%zux", i);
      assert_int_equal(find(text), 1 + (i > 9)); /* "/1*" takes "/10x" */
      find(text);
    }
    if (e.in) {
      take_out(&e);
    }
    for (i = 0; i < 15; i++) {
      take_out(&others[i]);
    }
    end();
  }
  assert_int_equal(fail, 7); /* five branches and a larger table */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finds_what_matches_under_random_changes),
      cmocka_unit_test(looks_at_none_of_the_others),
      cmocka_unit_test(clever_patterns_cost_no_more_than_their_branches),
      cmocka_unit_test(equal_patterns_share_a_branch),
      cmocka_unit_test(stops_when_it_is_told),
      cmocka_unit_test(is_as_before_when_memory_ends),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
