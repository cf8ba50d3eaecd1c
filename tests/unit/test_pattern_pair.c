#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "failing_mem.h"
#include "pattern_pair.h"

static struct sbk_config limits(char separator) {
  struct sbk_config config = SBK_CONFIG_INIT;

  config.separator = separator;
  config.max_destination = 1024;
  config.max_levels = 32;
  config.max_wildcards = 8;

  return config;
}

static bool is_pattern(const char *text, char separator) {
  const struct sbk_config config = limits(separator);

  return sbk__pattern_check(text, strlen(text), &config) == 0;
}

static bool is_destination(const char *text, char separator) {
  const struct sbk_config config = limits(separator);

  return sbk__destination_check(text, strlen(text), &config) == 0;
}

static bool covers(const char *wide, const char *user, const char *narrow,
                   char separator) {
  return sbk__pattern_covers(wide, strlen(wide), user, narrow, strlen(narrow),
                             separator);
}

static bool meets(const char *a, const char *user, const char *b,
                  char separator) {
  return sbk__pattern_meets(a, strlen(a), user, b, strlen(b), separator);
}

/* ---- rows ---- */

struct row {
  const char *rule;
  const char *pattern;
  bool covers;
  bool meets;
};

static void check_rows(const struct row *rows, size_t count, const char *user,
                       char separator) {
  size_t i;

  for (i = 0; i < count; i++) {
    const struct row *r = &rows[i];

    assert_true(is_pattern(r->rule, separator));
    assert_true(is_pattern(r->pattern, separator));
    if (covers(r->rule, user, r->pattern, separator) != r->covers) {
      fail_msg("%s covers %s", r->rule, r->pattern);
    }
    if (meets(r->rule, user, r->pattern, separator) != r->meets) {
      fail_msg("%s meets %s", r->rule, r->pattern);
    }
  }
}

#define CHECK_ROWS(rows, user, separator)                                      \
  check_rows(rows, sizeof(rows) / sizeof((rows)[0]), user, separator)

static void rules_that_hosts_write_and_patterns_that_clients_try(void **s) {
  static const struct row rows[] = {
      {"/topic/secret", "/topic/*", false, true},
      {"/topic/secret", "/topic/**", false, true},
      {"/topic/secret", "/**/secret", false, true},
      {"/topic/secret", "/topic/s*t", false, true},
      {"/topic/secret", "/topic/?ecret", false, true},
      {"/topic/secret", "/topic/{x}", false, true},
      {"/topic/secret", "/topic/secret/*", false, false},
      {"/topic/secret", "/topic/secret*", false, true},
      {"/topic/secret", "/topic/public.*", false, false},
      {"/topic/secret", "/topic/*x", false, false},
      {"/topic/secret", "/topic/*/*", false, false},
      {"/topic/secret/", "/topic/secret/*", false, true},
      {"/topic/secret/**", "/topic/*", false, true},
      {"/topic/secret/**", "/topic/*/x", false, true},
      {"/topic/public/*", "/topic/*", false, false},
      {"/topic/public/*", "/topic/**", false, true},
      {"/topic/public/*", "/topic/public/*", true, true},
      {"/topic/public/*", "/topic/public/a*", true, true},
      {"/topic/public/*", "/topic/public/{x}", true, true},
      {"/topic/public/*", "/topic/public/*/", false, true},
      {"/topic/public/*", "/topic/public/**", false, true},
      {"/topic/public/**", "/topic/public/**", true, true},
      {"/topic/public/**", "/topic/public/*", true, true},
      {"/topic/public/**", "/topic/public/*/a/**/b?", true, true},
      {"/topic/public/**", "/topic/public*/a", false, true},
      {"/topic/**", "/topic/?*", true, true},
      {"/**", "/topic/**", true, true},
      {"**", "/topic/**", false, false},
      {"/topic/{room}", "/topic/*", false, true}, /* "/topic/" is another */
      {"/topic/{room}", "/topic/a*", true, true},
      {"/topic/?*", "/topic/{x}", true, true},
      {"/topic/*?", "/topic/?*", true, true},
      {"/topic/a*b*c", "/topic/a*c", false, true},
      {"/topic/a*c", "/topic/a*b*c", true, true},
      {"/topic/a*c", "/topic/ab", false, false},
      {"/topic/a*", "/topic/b*", false, false},
      {"/topic/*a", "/topic/*b", false, false},
      {"/topic/a*", "/topic/*b", false, true},
      {"/topic/??", "/topic/???", false, false},
      {"/topic/??", "/topic/?b", true, true},
      {"/a/**/x", "/a/**/y", false, false},
      {"/a/**/x", "/b/**/x", false, false},
      {"/a/**", "/**/x", false, true},
  };

  (void)s;
  CHECK_ROWS(rows, NULL, '/');
}

static void characters_are_compared_whole(void **state) {
  static const struct row rows[] = {
      {"/t/?", "/t/\xc3\xa9", true, true},
      {"/t/?", "/t/\xc3\xa9?", false, false},
      {"/t/\xc3\xa9", "/t/?", false, true},
      {"/t/\xc3\xa9*", "/t/\xc3\xa8*", false, false},
      {"/t/*\xc3\xa9", "/t/*\xc5\xa9", false, false},
      {"/t/\xf0\x9f\x98\x80*", "/t/??", false, true},
  };

  (void)state;
  CHECK_ROWS(rows, NULL, '/');
}

static void what_is_not_utf_8_is_never_sure(void **state) {
  (void)state;
  assert_false(covers("/t/**", NULL, "/t/\x80*", '/'));
  assert_true(meets("/x", NULL, "/t/\x80*", '/'));
  assert_false(covers("/t/\xff*", NULL, "/t/\xff*", '/'));
  assert_true(meets("/t/\xff*", NULL, "/x/*", '/'));
  assert_false(covers("/t/**", "\xff", "/t/*", '/'));
  assert_true(meets("/t/{user}", "\xff", "/x/*", '/'));
}

static void the_user_is_a_text_not_a_pattern(void **state) {
  static const struct row plain[] = {
      {"/t/{user}", "/t/joe", true, true},
      {"/t/{user}", "/t/*", false, true},
      {"/t/{user}", "/t/joe*", false, true},
      {"/t/{user}/**", "/t/joe/*", true, true},
      {"/t/{user}/**", "/t/*/x", false, true},
      {"/t/{user}/**", "/t/jo/*", false, false},
      {"/t/{user}/**", "/t/jim*/x", false, false},
      {"/t/a-{user}-*", "/t/a-joe-?", true, true},
      {"/t/{*user}", "/t/j*e", false, true},
      {"/t/*{user}*", "/t/xjoey", true, true},
      {"/t/{user}*", "/t/?oe", false, true},
  };
  static const struct row star[] = {
      {"/t/{user}/*", "/t/joe/x", false, false},
      {"/t/{user}/*", "/t/*/x", false, true},
      {"/t/{user}/**", "/t/?/x", false, true},
      {"/t/{user}/**", "/t/a*/x", false, false},
  };
  static const struct row slash[] = {
      {"/t/{user}/*", "/t/a%2Fb/x", true, true},
      {"/t/{user}/*", "/t/a%2fb/x", false, false},
      {"/t/{user}/*", "/t/a/b", false, false},
      {"/t/{user}/*", "/t/a%*/x", false, true},
      {"/t/{user}/*", "/t/a?2Fb/x", false, true},
  };

  (void)state;
  CHECK_ROWS(plain, "joe", '/');
  CHECK_ROWS(star, "*", '/');
  CHECK_ROWS(slash, "a/b", '/');
}

static void dots_may_separate(void **state) {
  static const struct row rows[] = {
      {"/topic.secret", "/topic.*", false, true},
      {"/topic/secret", "/topic.*", false, false},
      {"/topic/*.**", "/topic/*.a", true, true},
      {"/topic/**", "/topic/*", true, true}, /* one segment */
      {"/topic/**", "/topic/*.a", false, false},
      {"price.**", "price.*", true, true},
      {"**", "price.*.b", true, true},
  };

  (void)state;
  CHECK_ROWS(rows, NULL, '.');
}

static void the_longest_patterns_take_no_time(void **state) {
  static char a[1025], b[1025];
  size_t i;

  (void)state;
  /* In one segment, and in many. */
  memset(a, 'a', 1024);
  memset(b, 'a', 1024);
  memcpy(a, "/*a*a*a*a*a*a*b", 15);
  memcpy(b, "/*b", 3);
  a[1023] = 'b';
  for (i = 0; i < 100; i++) {
    assert_false(covers(a, NULL, b, '/'));
    assert_false(covers(b, NULL, a, '/'));
    assert_false(meets(a, NULL, b, '/'));
    assert_false(meets(a, NULL, b + 2, '/'));
  }
}

/* ---- the twin: every short destination is tried ---- */

#define MAX_DESTINATIONS 8192
#define WORDS            (MAX_DESTINATIONS / 64)
#define MAX_PATTERNS     1200

struct world {
  char separator;
  const char *letters; /* of destinations */
  const char *symbols; /* of patterns; X: a variable, U: {user} */
  const char *user;
  char destinations[MAX_DESTINATIONS][10];
  size_t count;
  char patterns[MAX_PATTERNS][48];
  uint64_t matched[MAX_PATTERNS][WORDS];
  size_t pattern_count;
};

/* The n-th text of len letters. */
static void spell(char *text, const char *letters, size_t len, size_t n) {
  size_t i;

  for (i = 0; i < len; i++) {
    text[i] = letters[n % strlen(letters)];
    n /= strlen(letters);
  }
  text[len] = '\0';
}

static size_t power(size_t base, size_t exponent) {
  size_t result = 1;

  while (exponent-- > 0) {
    result *= base;
  }

  return result;
}

static void add_destinations(struct world *w, size_t max_len) {
  char text[10];
  size_t len, n;

  for (len = 1; len <= max_len; len++) {
    for (n = 0; n < power(strlen(w->letters), len); n++) {
      spell(text, w->letters, len, n);
      if (is_destination(text, w->separator)) {
        assert_true(w->count < MAX_DESTINATIONS);
        memcpy(w->destinations[w->count++], text, len + 1);
      }
    }
  }
}

/* Symbols into a pattern. */
static void write_out(char *pattern, const char *symbols) {
  char name = 'p';

  for (; *symbols != '\0'; symbols++) {
    if (*symbols == 'X') {
      pattern += sprintf(pattern, "{%c}", name++);
    } else if (*symbols == 'U') {
      pattern += sprintf(pattern, "{user}");
    } else {
      *pattern++ = *symbols;
    }
  }
  *pattern = '\0';
}

static void add_pattern(struct world *w, const char *symbols) {
  char *pattern = w->patterns[w->pattern_count];
  size_t i;

  write_out(pattern, symbols);
  if (!is_pattern(pattern, w->separator)) {
    return;
  }
  for (i = 0; i < w->count; i++) {
    const char *to = w->destinations[i];

    if (sbk__pattern_match_user(pattern, strlen(pattern), w->user, to,
                                strlen(to), w->separator, NULL)) {
      w->matched[w->pattern_count][i / 64] |= (uint64_t)1 << (i % 64);
    }
  }
  w->pattern_count++;
  assert_true(w->pattern_count < MAX_PATTERNS);
}

static void add_all_patterns(struct world *w, size_t max_len) {
  char text[10];
  size_t len, n;

  for (len = 1; len <= max_len; len++) {
    for (n = 0; n < power(strlen(w->symbols), len); n++) {
      spell(text, w->symbols, len, n);
      add_pattern(w, text);
    }
  }
}

static void add_some_patterns(struct world *w, size_t count, size_t max_len) {
  uint32_t random = 0x5eed1234;
  char text[10];
  size_t i, len;

  while (w->pattern_count < count) {
    len = 3 + test_random(&random) % (max_len - 2);
    for (i = 0; i < len; i++) {
      text[i] = w->symbols[test_random(&random) % strlen(w->symbols)];
    }
    text[len] = '\0';
    add_pattern(w, text);
  }
}

struct tally {
  size_t pairs, covered, covers, met, meets;
};

/* {user} is the rule's alone: a client's is a variable. */
static bool clients(const char *pattern) {
  return strstr(pattern, "{user}") == NULL;
}

static void compare_pair(struct world *w, size_t a, size_t b, struct tally *t) {
  const char *rule = w->patterns[a], *sub = w->patterns[b];
  bool covered = true, met = false, says_covers, says_meets;
  size_t i;

  for (i = 0; i * 64 < w->count; i++) {
    covered = covered && (w->matched[b][i] & ~w->matched[a][i]) == 0;
    met = met || (w->matched[b][i] & w->matched[a][i]) != 0;
  }
  says_covers = covers(rule, w->user, sub, w->separator);
  says_meets = meets(rule, w->user, sub, w->separator);
  if (says_covers && !covered) {
    fail_msg("%s does not cover %s", rule, sub);
  }
  if (met && !says_meets) {
    fail_msg("%s meets %s", rule, sub);
  }
  t->pairs++;
  t->covered += covered;
  t->covers += says_covers;
  t->met += met;
  t->meets += says_meets;
}

static struct tally compare_all(struct world *w) {
  struct tally t = {0};
  size_t a, b;

  for (a = 0; a < w->pattern_count; a++) {
    for (b = 0; b < w->pattern_count; b++) {
      if (clients(w->patterns[b])) {
        compare_pair(w, a, b, &t);
      }
    }
  }
  print_message("# %zu destinations, %zu pairs; covers %zu of %zu, meets %zu "
                "for %zu\n",
                w->count, t.pairs, t.covers, t.covered, t.meets, t.met);

  return t;
}

static struct world *world_new(char separator, const char *letters,
                               const char *symbols) {
  struct world *w = calloc(1, sizeof(*w));

  assert_non_null(w);
  w->separator = separator;
  w->letters = letters;
  w->symbols = symbols;

  return w;
}

static void every_pair_of_short_patterns_is_right(void **state) {
  struct world *w = world_new('/', "abc/", "a/?*X");
  struct tally t;

  (void)state;
  add_destinations(w, 6);
  add_all_patterns(w, 4);
  t = compare_all(w);
  free(w);
  assert_true(t.pairs > 400000);
  assert_int_equal(t.meets, t.met); /* exact, since short texts suffice */
  assert_true(t.covers > t.covered * 4 / 5);
}

static void meeting_is_exact(void **state) {
  struct world *w = world_new('/', "abc/", "ab/?*");
  struct tally t;

  (void)state;
  add_destinations(w, 6);
  add_all_patterns(w, 3);
  t = compare_all(w);
  free(w);
  assert_int_equal(t.meets, t.met);
}

static void longer_patterns_are_right(void **state) {
  struct world *w = world_new('/', "ab/", "a/*?b*/");
  struct tally t;

  (void)state;
  add_destinations(w, 8);
  add_some_patterns(w, 600, 8);
  t = compare_all(w);
  free(w);
  assert_int_equal(t.pairs, 600 * 600);
  assert_true(t.covers > 0 && t.meets > 0 && t.covers < t.meets);
}

static void with_dots_they_are_right_too(void **state) {
  struct world *w = world_new('.', "ab./", "a./?*X*");
  struct tally t;

  (void)state;
  add_destinations(w, 6);
  add_all_patterns(w, 3);
  add_some_patterns(w, 700, 7);
  t = compare_all(w);
  free(w);
  assert_true(t.pairs > 400000);
}

static void with_users_they_are_right_too(void **state) {
  static const char *const users[] = {"a", "ab", "*", "?a", "a.b"};
  struct world *w;
  struct tally t;
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
    w = world_new(i % 2 == 0 ? '/' : '.', i % 2 == 0 ? "ab*/" : "ab?.",
                  i % 2 == 0 ? "a/U*?" : "a.U*?");
    w->user = users[i];
    add_destinations(w, 6);
    add_some_patterns(w, 300, 6);
    t = compare_all(w);
    free(w);
    assert_true(t.pairs > 10000 && t.met > 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rules_that_hosts_write_and_patterns_that_clients_try),
      cmocka_unit_test(characters_are_compared_whole),
      cmocka_unit_test(what_is_not_utf_8_is_never_sure),
      cmocka_unit_test(the_user_is_a_text_not_a_pattern),
      cmocka_unit_test(dots_may_separate),
      cmocka_unit_test(the_longest_patterns_take_no_time),
      cmocka_unit_test(every_pair_of_short_patterns_is_right),
      cmocka_unit_test(meeting_is_exact),
      cmocka_unit_test(longer_patterns_are_right),
      cmocka_unit_test(with_dots_they_are_right_too),
      cmocka_unit_test(with_users_they_are_right_too),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
