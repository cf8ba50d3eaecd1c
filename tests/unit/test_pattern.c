#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "failing_mem.h"
#include "pattern.h"

static struct sbk_config limits(char separator) {
  struct sbk_config config = SBK_CONFIG_INIT;

  config.separator = separator;
  config.max_destination = 1024;
  config.max_levels = 32;
  config.max_wildcards = 8;

  return config;
}

static int check_destination(const char *text, char separator) {
  struct sbk_config config = limits(separator);

  return sbk__destination_check(text, strlen(text), &config);
}

static int check_pattern(const char *text, char separator) {
  struct sbk_config config = limits(separator);

  return sbk__pattern_check(text, strlen(text), &config);
}

static bool match(const char *pattern, const char *text, char separator,
                  sbk__captures *captures) {
  return sbk__pattern_match(pattern, strlen(pattern), text, strlen(text),
                            separator, captures);
}

struct row {
  const char *pattern;
  const char *text;
  bool yes;
};

static void check_rows(const struct row *rows, size_t count, char separator) {
  size_t i;

  for (i = 0; i < count; i++) {
    if (check_pattern(rows[i].pattern, separator) != 0) {
      fail_msg("not a pattern: %s", rows[i].pattern);
    }
    if (check_destination(rows[i].text, separator) != 0) {
      fail_msg("not a destination: %s", rows[i].text);
    }
    if (match(rows[i].pattern, rows[i].text, separator, NULL) != rows[i].yes) {
      fail_msg("%s on %s", rows[i].pattern, rows[i].text);
    }
  }
}

#define CHECK_ROWS(rows, separator)                                            \
  check_rows(rows, sizeof(rows) / sizeof((rows)[0]), separator)

/* Spring's AntPathMatcher, rows that were run there. */

static void spring_a_star_is_one_segment(void **state) {
  static const struct row rows[] = {
      {"/topic/*", "/topic/x", true},
      {"/topic/*", "/topic/", true},
      {"/topic/*", "/topic", false},
      {"/topic/*", "/topic/x/y", false},
      {"/topic/*", "/topic/x/", false},
      {"/*", "/", true},
      {"/topic/a*", "/topic/a", true},
      {"/topic/a*c", "/topic/abbc", true},
      {"/topic/*.x", "/topic/a.b.x", true},
      {"/price.stock.*", "/price.stock.A.B", true},
  };

  (void)state;
  CHECK_ROWS(rows, '/');
}

static void spring_two_stars_are_any_segments(void **state) {
  static const struct row rows[] = {
      {"/topic/**", "/topic", true},
      {"/topic/**", "/topic/", true},
      {"/topic/**", "/topic/a/b/c", true},
      {"/topic/**", "/topic/a/b/", true},
      {"/topic/**", "/topicx", false},
      {"/topic/**/z", "/topic/z", true},
      {"/topic/**/z", "/topic/a/b/z", true},
      {"/**", "/", true},
      {"**", "a/b", true},
      {"**", "/a", false},
      {"/topic/*/b/**", "/topic/a/b", true},
      {"/topic/a**b", "/topic/aXb", true},
      {"/topic/a**b", "/topic/a/b", false},
  };

  (void)state;
  CHECK_ROWS(rows, '/');
}

static void spring_a_question_mark_is_one_character(void **state) {
  static const struct row rows[] = {
      {"/topic/a?c", "/topic/abc", true},
      {"/topic/a?c", "/topic/ac", false},
  };

  (void)state;
  CHECK_ROWS(rows, '/');
}

static void spring_separators_at_the_ends_count(void **state) {
  static const struct row rows[] = {
      {"/topic/x", "/topic/x", true},   {"/topic/x", "/topic/x/", false},
      {"/topic/x/", "/topic/x", false}, {"/topic/x/", "/topic/x/", true},
      {"topic/x", "/topic/x", false},   {"/topic/x", "topic/x", false},
  };

  (void)state;
  CHECK_ROWS(rows, '/');
}

static void spring_braces_are_a_segment_or_part_of_one(void **state) {
  static const struct row rows[] = {
      {"/{v}", "/x", true},
      {"/{v}", "/", false},
      {"/a-{v}-b", "/a-zz-b", true},
      {"/topic/{*rest}", "/topic/x", true},
      {"/topic/{*rest}", "/topic/x/y", false},
  };

  (void)state;
  CHECK_ROWS(rows, '/');
}

static void spring_all_else_is_itself(void **state) {
  static const struct row rows[] = {
      {"/Topic/x", "/topic/x", false},    {"/topic/[a]", "/topic/a", false},
      {"/topic/[a]", "/topic/[a]", true}, {"/topic/a.c", "/topic/abc", false},
      {"/topic/a+", "/topic/aa", false},  {"/topic/\\Qa\\E", "/topic/a", false},
  };

  (void)state;
  CHECK_ROWS(rows, '/');
}

static void spring_dots_may_separate(void **state) {
  static const struct row rows[] = {
      {"price.stock.*", "price.stock.IBM", true},
      {"price.stock.*", "price.stock.a.b", false},
      {"price.**", "price.a.b", true},
      {"price.**", "price", true},
      {"**", "a.b.c", true},
      {"/topic/price.*", "/topic/price.x", true},
      {"/topic/price.*", "/topic/price.x.y", false},
      {"/topic/**", "/topic/a.b", false},
      {"/topic/*", "/topic/a.b", false},
      {"/topic/a/*", "/topic/a/b", true},
      {"foo.{x}", "foo.7", true},
      {"foo.{x}", "foo.a/b", true},
      {"/topic.**", "/topic", true},
  };

  (void)state;
  CHECK_ROWS(rows, '.');
}

static void empty_segments_are_refused_where_spring_skips_them(void **state) {
  (void)state;
  /* Spring: /topic/x matches /topic//x, and no text matches nothing. */
  assert_int_equal(check_destination("/topic//x", '/'), SBK_ERR_INVAL);
  assert_int_equal(check_pattern("/topic//x", '/'), SBK_ERR_INVAL);
  assert_int_equal(check_destination("", '/'), SBK_ERR_INVAL);
  assert_false(match("/**", "", '/', NULL));
}

static void regular_expressions_are_refused_where_spring_runs_them(void **s) {
  (void)s;
  assert_int_equal(check_pattern("/{v:[0-9]+}/k", '/'), SBK_ERR_INVAL);
  assert_int_equal(check_pattern("/{a}/{b:[0-9]+}", '/'), SBK_ERR_INVAL);
  assert_int_equal(check_pattern("/a/{x:.+}", '/'), SBK_ERR_INVAL);
  assert_int_equal(check_pattern("/a/{x:}", '/'), SBK_ERR_INVAL);
}

static void more_rows_around_separators(void **state) {
  static const struct row rows[] = {
      {"/", "/", true},
      {"/a/", "/a/", true},
      {"/a/*/", "/a/", true},
      {"/a/*/", "/a/b/", true},
      {"/a/*/", "/a/b", false},
      {"/a/**/", "/a/b", true},
      {"/a/**/*", "/a/", false},
      {"/a/**/*", "/a/b", true},
      {"/a/**/*", "/a", false},
      {"/a/**/b", "/a/x/b/", false},
      {"/a/**/b/", "/a/x/b/", true},
      {"/**/a", "/a", true},
      {"/**/**", "/a/b", true},
      {"/**/**/a", "/a", true},
      {"**/a", "a", true},
      {"/**/a/**/b/**", "/x/a/y/b/z", true},
      {"/**/a/**/b/**", "/x/b/y/a/z", false},
      {"/**/a/b", "/a/x/a/b", true},
      {"/**/a/b/c", "/a/b/a/b/c", true},
      {"/a/***", "/a/b", true},
      {"/a/***", "/a/b/c", false},
  };

  (void)state;
  CHECK_ROWS(rows, '/');
}

static void a_question_mark_takes_a_whole_utf8_character(void **state) {
  static const struct row rows[] = {
      {"/?", "/\xc3\xa9", true},
      {"/??", "/\xc3\xa9", false},
      {"/?", "/\xf0\x9f\x98\x80", true},
      {"/*?", "/\xe2\x82\xac", true},
      {"/?*", "/\xe2\x82\xac\xe2\x82\xac", true},
      {"/??*", "/\xe2\x82\xac", false},
      {"/?{x}?", "/\xc3\xa9\xc3\xa9", true},
      {"/?{x}?", "/\xc3\xa9", false},
      {"/*\xc3\xa9", "/\xe2\x82\xac\xc3\xa9", true},
  };

  (void)state;
  CHECK_ROWS(rows, '/');
}

/* Captures. */

static void check_capture(const sbk__captures *captures, size_t at,
                          const char *name, const char *value) {
  const sbk__capture *capture = &captures->items[at];

  assert_true(at < captures->count);
  assert_int_equal(capture->name_len, strlen(name));
  assert_memory_equal(capture->name, name, capture->name_len);
  assert_int_equal(capture->value_len, strlen(value));
  assert_memory_equal(capture->value, value, capture->value_len);
}

/* 32 are remembered; what is more is matched, and {user} is no exception. */
static void captures_no_more_than_there_is_room_for(void **state) {
  struct {
    sbk__captures captures;
    char guard[64];
  } room;
  char pattern[256] = "", text[256] = "";
  size_t i;

  (void)state;
  for (i = 0; i < SBK__CAPTURES_MAX + 1; i++) {
    strcat(pattern, "/{x}");
    strcat(text, "/1");
    memset(&room, 0x5a, sizeof(room));
    strcat(pattern, "/{user}");
    strcat(text, "/joe");
    assert_true(sbk__pattern_match_user(pattern, strlen(pattern), "joe", text,
                                        strlen(text), '/', &room.captures));
    assert_int_equal(room.captures.count,
                     i + 2 < SBK__CAPTURES_MAX ? i + 2 : SBK__CAPTURES_MAX);
    if (i + 1 < SBK__CAPTURES_MAX) {
      check_capture(&room.captures, i + 1, "user", "joe");
    }
    check_capture(&room.captures, 0, "x", "1");
    pattern[strlen(pattern) - 7] = '\0';
    text[strlen(text) - 4] = '\0';
  }
}

static void captures_segments_by_name(void **state) {
  sbk__captures captures;

  (void)state;
  assert_true(match("/{a}/{b}", "/x/7", '/', &captures));
  assert_int_equal(captures.count, 2);
  check_capture(&captures, 0, "a", "x");
  check_capture(&captures, 1, "b", "7");
}

static void the_left_one_takes_all_it_can(void **state) {
  sbk__captures captures;

  (void)state;
  /* Spring, both */
  assert_true(match("/r/{a}.{b}", "/r/x.y.z", '/', &captures));
  check_capture(&captures, 0, "a", "x.y");
  check_capture(&captures, 1, "b", "z");
  assert_true(match("/r/{a}-{b}", "/r/1-2-3", '/', &captures));
  check_capture(&captures, 0, "a", "1-2");
  check_capture(&captures, 1, "b", "3");
  /* and with three, and side by side */
  assert_true(match("/{a}.{b}.{c}", "/1.2.3.4", '/', &captures));
  check_capture(&captures, 0, "a", "1.2");
  check_capture(&captures, 1, "b", "3");
  check_capture(&captures, 2, "c", "4");
  assert_true(match("/{a}{b}", "/xyz", '/', &captures));
  check_capture(&captures, 0, "a", "xyz");
  check_capture(&captures, 1, "b", "");
  assert_true(match("/*{b}?", "/xyz", '/', &captures));
  check_capture(&captures, 0, "b", "");
}

static void captures_nothing_inside_a_segment(void **state) {
  sbk__captures captures;

  (void)state;
  assert_true(match("/a-{v}-b", "/a--b", '/', &captures));
  check_capture(&captures, 0, "v", "");
  assert_true(match("/x{v}", "/x", '/', &captures));
  check_capture(&captures, 0, "v", "");
}

static void a_star_in_front_of_a_name_is_no_part_of_it(void **state) {
  sbk__captures captures;

  (void)state;
  assert_true(match("/topic/{*rest}", "/topic/x", '/', &captures));
  check_capture(&captures, 0, "rest", "x");
}

static void captures_slashes_where_dots_separate(void **state) {
  sbk__captures captures;

  (void)state;
  assert_true(match("foo.{x}", "foo.a/b", '.', &captures));
  check_capture(&captures, 0, "x", "a/b");
}

static void captures_behind_any_segments(void **state) {
  sbk__captures captures;

  (void)state;
  assert_true(match("/**/{a}/k/{b}", "/k/k/x/k/y", '/', &captures));
  assert_int_equal(captures.count, 2);
  check_capture(&captures, 0, "a", "x");
  check_capture(&captures, 1, "b", "y");
  assert_true(match("/**/{a}/k/**/{b}", "/k/k/x/k/y", '/', &captures));
  check_capture(&captures, 0, "a", "k");
  check_capture(&captures, 1, "b", "y");
  assert_true(match("/{a}/**/{b}/**", "/1/2/3", '/', &captures));
  check_capture(&captures, 0, "a", "1");
  check_capture(&captures, 1, "b", "2");
}

static void captures_point_into_the_texts(void **state) {
  const char *pattern = "/{name}", *text = "/value";
  sbk__captures captures;

  (void)state;
  assert_true(match(pattern, text, '/', &captures));
  assert_ptr_equal(captures.items[0].name, pattern + 2);
  assert_ptr_equal(captures.items[0].value, text + 1);
}

static void a_match_without_names_has_no_captures(void **state) {
  sbk__captures captures;

  (void)state;
  captures.count = 99;
  assert_true(match("/a/*/**", "/a/b/c", '/', &captures));
  assert_int_equal(captures.count, 0);
}

static void captures_are_untouched_when_nothing_matches(void **state) {
  sbk__captures captures, before;

  (void)state;
  memset(&captures, 0x5a, sizeof(captures));
  before = captures;
  assert_false(match("/{a}/{b}/c", "/x/y/d", '/', &captures));
  assert_false(match("{a}", "/x", '/', &captures));
  assert_memory_equal(&captures, &before, sizeof(captures));
}

static void holds_as_many_captures_as_there_may_be_wildcards(void **state) {
  char pattern[512] = "", text[128] = "", name[8];
  struct sbk_config config = limits('/');
  sbk__captures captures;
  size_t at = 0, i;

  (void)state;
  for (i = 0; i < SBK__CAPTURES_MAX; i++) {
    at += (size_t)snprintf(pattern + at, sizeof(pattern) - at, "/{v%zu}", i);
    memcpy(text + 2 * i, "/x", 3);
  }
  config.max_wildcards = SBK__CAPTURES_MAX;
  assert_int_equal(sbk__pattern_check(pattern, at, &config), 0);
  assert_true(match(pattern, text, '/', &captures));
  assert_int_equal(captures.count, SBK__CAPTURES_MAX);
  for (i = 0; i < SBK__CAPTURES_MAX; i++) {
    snprintf(name, sizeof(name), "v%zu", i);
    check_capture(&captures, i, name, "x");
  }
}

/* Checks. */

static void destinations_end_with_one_separator_at_most(void **state) {
  static const char *const good[] = {"/a",  "a",  "/a/", "a/", "/",  "/a/b.c.d",
                                     "a.b", "..", "/..", "{",  "/*", "a//"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    assert_int_equal(check_destination(good[i], '/'),
                     strstr(good[i], "//") != NULL ? SBK_ERR_INVAL : 0);
  }
}

static void both_separators_bound_segments(void **state) {
  static const char *const bad[] = {"//",   "..",   "/.",  "./",  "a/.b",
                                    "a./b", "a..b", "//a", "a./", "a//b"};
  static const char *const good[] = {".",   "/",        ".a",   "a.",
                                     "/a.", "/a/b.c/d", "/a.b/"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    assert_int_equal(check_destination(bad[i], '.'), SBK_ERR_INVAL);
  }
  for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    assert_int_equal(check_destination(good[i], '.'), 0);
  }
}

static void control_characters_are_no_part_of_a_destination(void **state) {
  struct sbk_config config = limits('/');
  char text[] = "/a?b";
  unsigned byte;

  (void)state;
  for (byte = 0; byte < 256; byte++) {
    text[2] = (char)byte;
    assert_int_equal(sbk__destination_check(text, 4, &config),
                     byte < 0x20 || byte == 0x7f ? SBK_ERR_INVAL : 0);
  }
}

static void max_destination_below_at_and_above(void **state) {
  struct sbk_config config = limits('/');
  char text[1030];

  (void)state;
  memset(text, 'a', sizeof(text));
  assert_int_equal(sbk__destination_check(text, 1023, &config), 0);
  assert_int_equal(sbk__destination_check(text, 1024, &config), 0);
  assert_int_equal(sbk__destination_check(text, 1025, &config),
                   SBK_ERR_TOO_BIG);
  assert_int_equal(sbk__pattern_check(text, 1024, &config), 0);
  assert_int_equal(sbk__pattern_check(text, 1025, &config), SBK_ERR_TOO_BIG);
}

static int check_levels(size_t levels, bool first, bool last, char separator) {
  struct sbk_config config = limits(separator);
  char text[128];
  size_t len = 0, i;

  for (i = 0; i < levels; i++) {
    if (i > 0 || first) {
      text[len++] = i % 2 == 0 ? separator : '/';
    }
    text[len++] = 'x';
  }
  if (last) {
    text[len++] = separator;
  }

  return sbk__destination_check(text, len, &config);
}

static void max_levels_below_at_and_above(void **state) {
  int form;

  (void)state;
  for (form = 0; form < 8; form++) {
    char separator = form & 4 ? '.' : '/';

    assert_int_equal(check_levels(31, form & 1, form & 2, separator), 0);
    assert_int_equal(check_levels(32, form & 1, form & 2, separator), 0);
    assert_int_equal(check_levels(33, form & 1, form & 2, separator),
                     SBK_ERR_TOO_BIG);
  }
}

static void knows_a_pattern_by_its_wildcards(void **state) {
  (void)state;
  assert_true(sbk__pattern_is("/a/*", 4));
  assert_true(sbk__pattern_is("?", 1));
  assert_true(sbk__pattern_is("/{a}", 4));
  assert_true(sbk__pattern_is("{", 1));
  assert_false(sbk__pattern_is("/a/*", 3));
  assert_false(sbk__pattern_is("/a}", 3));
  assert_false(sbk__pattern_is("", 0));
}

static void braces_come_in_pairs_within_a_segment(void **state) {
  static const char *const bad[] = {
      "/{",     "/}",     "/{a", "/a}",    "/{a}}",   "/{{a}}", "/{a{b}}",
      "/{a/b}", "/{a.b}", "/}{", "/{a}/{", "/{a}/b}", "/{a}{b", "/{",
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    if (check_pattern(bad[i], '.') != SBK_ERR_INVAL) {
      fail_msg("%s", bad[i]);
    }
  }
  assert_int_equal(check_pattern("/{a.b}", '/'), 0);
  assert_int_equal(check_pattern("/{a}{b}-{c}/{d}", '/'), 0);
}

static void names_are_there_and_differ(void **state) {
  (void)state;
  assert_int_equal(check_pattern("/{}", '/'), SBK_ERR_INVAL);
  assert_int_equal(check_pattern("/{*}", '/'), SBK_ERR_INVAL);
  assert_int_equal(check_pattern("/{a}/{a}", '/'), SBK_ERR_INVAL);
  assert_int_equal(check_pattern("/{a}{a}", '/'), SBK_ERR_INVAL);
  assert_int_equal(check_pattern("/{a}/x/{*a}", '/'), SBK_ERR_INVAL);
  assert_int_equal(check_pattern("/{a}/{b}/{a}", '/'), SBK_ERR_INVAL);
  assert_int_equal(check_pattern("/{a}/{aa}/{A}", '/'), 0);
  assert_int_equal(check_pattern("/{*a}", '/'), 0);
}

static void max_wildcards_below_at_and_above(void **state) {
  (void)state;
  assert_int_equal(check_pattern("/*/**/?/{a}/{b}/?*", '/'), 0);
  assert_int_equal(check_pattern("/*/**/?/{a}/{b}/?*?", '/'), 0);
  assert_int_equal(check_pattern("/*/**/?/{a}/{b}/?*??", '/'), SBK_ERR_TOO_BIG);
  assert_int_equal(check_pattern("****************", '/'), 0);
  assert_int_equal(check_pattern("*****************", '/'), SBK_ERR_TOO_BIG);
}

/* The comparator. */

static int compare(const char *a, const char *b, const char *text,
                   char separator) {
  return sbk__pattern_compare(a, strlen(a), b, strlen(b), text, strlen(text),
                              separator);
}

struct ranked {
  const char *pattern;
  int rank; /* the lower, the more specific */
};

static void check_order(const struct ranked *rows, size_t count,
                        const char *text, char separator) {
  size_t i, j;
  int rv, want;

  for (i = 0; i < count; i++) {
    for (j = 0; j < count; j++) {
      rv = compare(rows[i].pattern, rows[j].pattern, text, separator);
      want = rows[i].rank - rows[j].rank;
      if ((rv > 0) - (rv < 0) != (want > 0) - (want < 0)) {
        fail_msg("%s and %s: %d", rows[i].pattern, rows[j].pattern, rv);
      }
    }
  }
}

static void sorts_as_spring_does(void **state) {
  /* The truth table's order, less the regular expression. What ties is in the
   * order it was given in there. */
  static const struct ranked rows[] = {
      {"/a/b", 0}, {"/a/b*", 1},      {"/a/{x}", 2}, {"/{x}/b", 2}, {"/a/*", 3},
      {"/*/b", 3}, {"/a/{x}/{y}", 4}, {"/a/**", 5},  {"/**", 6}};

  (void)state;
  check_order(rows, sizeof(rows) / sizeof(rows[0]), "/a/b", '/');
}

static void sorts_with_dots_alike(void **state) {
  /* ".a.*" ends with ".*", which Spring does not count. */
  static const struct ranked rows[] = {
      {".a.b", 0}, {".a.*", 1},      {".a.b*", 2}, {".a.{x}", 3},
      {".*.b", 4}, {".a.{x}.**", 5}, {".a.**", 6}, {".**", 7}};

  (void)state;
  check_order(rows, sizeof(rows) / sizeof(rows[0]), ".a.b", '.');
}

static void the_text_itself_comes_first(void **state) {
  (void)state;
  assert_true(compare("/a/*", "/a/b", "/a/b", '/') > 0);
  assert_true(compare("/a/b", "/a/*", "/a/b", '/') < 0);
  assert_int_equal(compare("/a/b", "/a/b", "/a/b", '/'), 0);
  assert_true(compare("/a/*", "/a/bb", "/a/*", '/') < 0);
}

static void longer_prefixes_come_first(void **state) {
  (void)state;
  assert_true(compare("/a/b/**", "/a/**", "/a/b/c", '/') < 0);
  assert_true(compare("/a/{x}/**", "/a/**", "/a/b/c", '/') < 0);
  /* {name} counts as one character */
  assert_int_equal(compare("/{long}/**", "/b/**", "/b/c", '/'), 0);
  /* and one of them alone loses to what has no ** at all */
  assert_true(compare("/a/**", "/{x}/{y}/{z}", "/a/b/c", '/') > 0);
  assert_true(compare("/a/**/c", "/a/{x}/{y}", "/a/b/c", '/') < 0);
}

static void ties_are_broken_by_length_stars_and_names(void **state) {
  (void)state;
  assert_true(compare("/a/bcd{x}", "/a/b{x}", "/a/bcde", '/') < 0);
  assert_true(compare("/a/{x}", "/a/*", "/a/b", '/') < 0);
  assert_int_equal(compare("/a/{x}", "/a/{y}", "/a/b", '/'), 0);
  assert_int_equal(compare("/a/{x}", "/a/{longer}", "/a/b", '/'), 0);
  /* characters, not bytes */
  assert_int_equal(compare("/\xc3\xa9{x}", "/e{x}", "/\xc3\xa9", '/'), 0);
  /* of Java: two for what lies above U+FFFF */
  assert_int_equal(
      compare("/\xf0\x9f\x98\x80{x}", "/ee{x}", "/\xf0\x9f\x98\x80", '/'), 0);
}

static void keeps_two_oddities_of_spring(void **state) {
  (void)state;
  /* A star in front, and one behind a dot at the end, are not counted. */
  assert_true(compare("*/b", "{x}/b", "a/b", '/') < 0);
  assert_true(compare("a.*", "a.{x}", "a.b", '.') < 0);
  assert_true(compare("a.*.c", "a.{x}.c", "a.b.c", '.') > 0);
}

static void only_a_separator_and_two_stars_match_all(void **state) {
  (void)state;
  assert_true(compare("/**", "/*/*/*/*", "/a/b/c/d", '/') > 0);
  assert_int_equal(compare("/**", "/**", "/a", '/'), 0);
  /* with dots, the same text is an ordinary pattern */
  assert_true(compare(".**", "/**", "/a", '.') > 0);
}

/* Prefixes. */

static bool covers(const char *prefix, const char *text, char separator) {
  return sbk__prefix_covers(prefix, strlen(prefix), text, strlen(text),
                            separator);
}

static void a_prefix_covers_whole_segments(void **state) {
  (void)state;
  assert_true(covers("/topic", "/topic", '/'));
  assert_true(covers("/topic", "/topic/x", '/'));
  assert_true(covers("/topic", "/topic/", '/'));
  assert_true(covers("/topic", "/topic/x.y", '.'));
  assert_true(covers("/topic", "/topic.x", '.'));
  assert_false(covers("/topic", "/topicX", '/'));
  assert_false(covers("/topic", "/topic.x", '/'));
  assert_false(covers("/topic", "/topi", '/'));
  assert_false(covers("/topic", "/Topic", '/'));
  assert_false(covers("/topic", "topic", '/'));
}

static void a_prefix_may_end_with_a_separator(void **state) {
  (void)state;
  assert_true(covers("/topic/", "/topic/x", '/'));
  assert_true(covers("/topic/", "/topic/", '/'));
  assert_false(covers("/topic/", "/topic", '/'));
  assert_true(covers("topic.", "topic.x", '.'));
  assert_false(covers("topic.", "topic.x", '/'));
  assert_true(covers("/", "/x", '/'));
}

/*
 * A matcher that tries everything. `**` takes few segments before many, a
 * wildcard in a segment takes much before little, as Spring does.
 */
struct naive {
  char values[8][16];
};

static bool naive_segment(const char *p, const char *t, struct naive *out,
                          size_t var) {
  size_t len, skip;

  if (*p == '\0') {
    return *t == '\0';
  }
  if (*p == '?') {
    return *t != '\0' && naive_segment(p + 1, t + 1, out, var);
  }
  if (*p != '*' && *p != '{') {
    return *t == *p && naive_segment(p + 1, t + 1, out, var);
  }
  skip = *p == '*' ? 1 : (size_t)(strchr(p, '}') + 1 - p);
  for (len = strlen(t) + 1; len-- > 0;) {
    if (naive_segment(p + skip, t + len, out, var + (*p == '{'))) {
      if (*p == '{') {
        snprintf(out->values[var], 16, "%.*s", (int)len, t);
      }
      return true;
    }
  }

  return false;
}

struct naive_path {
  char segments[16][16];
  size_t count;
  bool first; /* begins with a separator */
  bool last;  /* ends with one */
};

static void naive_split(struct naive_path *path, const char *text,
                        char separator) {
  size_t len = strlen(text), i, at = 0;

  memset(path, 0, sizeof(*path));
  path->first = text[0] == separator;
  path->last = text[len - 1] == separator;
  for (i = 0; i < len; i++) {
    if (text[i] != separator) {
      path->segments[path->count][at++] = text[i];
    }
    if ((text[i] == separator || i + 1 == len) && at > 0) {
      path->count++;
      at = 0;
    }
  }
}

static bool naive_from(const struct naive_path *p, const struct naive_path *t,
                       size_t i, size_t j, size_t var, struct naive *out) {
  size_t k;

  if (i == p->count && j == t->count) {
    return p->last == t->last;
  }
  if (i == p->count) {
    return false;
  }
  if (strcmp(p->segments[i], "**") == 0) {
    if (i + 1 == p->count) {
      return true;
    }
    for (; j <= t->count; j++) {
      if (naive_from(p, t, i + 1, j, var, out)) {
        return true;
      }
    }
    return false;
  }
  if (j == t->count) {
    for (k = 0; k < i; k++) {
      if (strcmp(p->segments[k], "**") == 0) {
        return false;
      }
    }
    return i + 1 == p->count && strcmp(p->segments[i], "*") == 0 && t->last;
  }
  if (!naive_segment(p->segments[i], t->segments[j], out, var)) {
    return false;
  }
  var += strchr(p->segments[i], '{') != NULL;
  var += strchr(p->segments[i], '{') != strrchr(p->segments[i], '{');

  return naive_from(p, t, i + 1, j + 1, var, out);
}

static size_t random_text(char *out, uint32_t *random, bool pattern,
                          char separator) {
  static const char *const parts[] = {"a", "b", "|",   "a",  "|", "b",   "|",
                                      "*", "?", "|**", "{}", "*", "|**|"};
  size_t count = 1 + test_random(random) % (pattern ? 7 : 9), len = 0, vars = 0;
  const char *part;

  while (count-- > 0) {
    part = parts[test_random(random) % (pattern ? 13 : 7)];
    if (*part == '{') {
      out[len++] = '{';
      out[len++] = (char)('p' + vars++);
      out[len++] = '}';
      continue;
    }
    for (; *part != '\0'; part++) {
      if (*part != '|') {
        out[len++] = *part;
      } else if (len == 0 || out[len - 1] != separator) {
        out[len++] = separator;
      }
    }
  }
  out[len] = '\0';

  return vars;
}

static void agrees_with_a_matcher_that_tries_everything(void **state) {
  char pattern[64], text[64];
  struct naive_path p, t;
  sbk__captures captures;
  uint32_t random = 20;
  int round, matched = 0, several = 0;
  size_t vars, i;

  (void)state;
  for (round = 0; round < 400000; round++) {
    const char separator = round % 2 == 0 ? '/' : '.';
    struct naive want = {0};
    bool yes;

    vars = random_text(pattern, &random, true, separator);
    random_text(text, &random, false, separator);
    if (vars > 2 || check_pattern(pattern, separator) != 0) {
      continue;
    }
    naive_split(&p, pattern, separator);
    naive_split(&t, text, separator);
    yes = p.first == t.first && naive_from(&p, &t, 0, 0, 0, &want);
    if (match(pattern, text, separator, &captures) != yes) {
      fail_msg("%s on %s: %d", pattern, text, !yes);
    }
    for (i = 0; yes && i < vars; i++) {
      if (captures.count != vars ||
          captures.items[i].value_len != strlen(want.values[i]) ||
          memcmp(captures.items[i].value, want.values[i],
                 strlen(want.values[i])) != 0) {
        fail_msg("%s on %s: variable %zu is not \"%s\"", pattern, text, i,
                 want.values[i]);
      }
    }
    matched += yes;
    several += yes && vars > 1;
  }
  /* The test is worth something. */
  assert_true(matched > 20000);
  assert_true(several > 500);
}

static void the_order_is_antisymmetric(void **state) {
  char a[64], b[64];
  uint32_t random = 8;
  int round;

  (void)state;
  for (round = 0; round < 100000; round++) {
    random_text(a, &random, true, '/');
    random_text(b, &random, true, '/');
    assert_int_equal(compare(a, a, "/x", '/'), 0);
    assert_true(compare(a, b, "/x", '/') == -compare(b, a, "/x", '/'));
  }
}

static void unchecked_bytes_do_no_harm(void **state) {
  static const char bytes[] = "/.*?{}:a\x80\xc3";
  char pattern[40], text[40];
  sbk__captures captures;
  uint32_t random = 4;
  size_t p_len, t_len, i;
  int round;

  (void)state;
  for (round = 0; round < 200000; round++) {
    p_len = test_random(&random) % sizeof(pattern);
    t_len = test_random(&random) % sizeof(text);
    for (i = 0; i < sizeof(pattern); i++) {
      pattern[i] = bytes[test_random(&random) % 10];
      text[i] = bytes[test_random(&random) % 10];
    }
    sbk__pattern_match(pattern, p_len, text, t_len, '/', NULL);
    sbk__pattern_match(pattern, p_len, text, t_len, '.', &captures);
    sbk__pattern_compare(pattern, p_len, text, t_len, text, t_len, '/');
  }
}

static void the_worst_pattern_takes_no_longer_than_the_product(void **state) {
  char pattern[1024], text[1024];
  size_t i;

  (void)state;
  /* Exponential for a matcher that tries everything. */
  memset(text, 'a', sizeof(text));
  memset(pattern, 'a', sizeof(pattern));
  for (i = 0; i < sizeof(pattern); i += 32) {
    pattern[i] = '*';
  }
  pattern[0] = 'b';
  assert_false(sbk__pattern_match(pattern, 1024, text, 1024, '/', NULL));
  for (i = 0; i < sizeof(text); i += 2) {
    text[i] = '/';
  }
  for (i = 0; i + 32 <= sizeof(pattern); i += 32) {
    memcpy(pattern + i, "/**/a/*/a/*/a/a/a/*/a/*/a/a/a/a/", 32);
  }
  memcpy(pattern + 1020, "/b/b", 4);
  assert_false(sbk__pattern_match(pattern, 1024, text, 1024, '/', NULL));
}

static bool match_user(const char *pattern, const char *user, const char *text,
                       sbk__captures *captures) {
  return sbk__pattern_match_user(pattern, strlen(pattern), user, text,
                                 strlen(text), '/', captures);
}

static void a_user_s_name_is_a_text_in_a_pattern(void **state) {
  (void)state;
  assert_true(match_user("/t/{user}", "joe", "/t/joe", NULL));
  assert_false(match_user("/t/{user}", "joe", "/t/joey", NULL));
  assert_false(match_user("/t/{user}", "joe", "/t/jo", NULL));
  assert_false(match_user("/t/{user}", "joe", "/t/", NULL));
  assert_false(match_user("/t/{user}", "joe", "/t/{user}", NULL));
  assert_false(match_user("/t/{user}", "a}", "/t/b}", NULL));
  assert_true(match_user("/t/{*user}", "joe", "/t/joe", NULL));
  assert_true(match_user("/t/{user}", NULL, "/t/anybody", NULL));
  assert_true(match_user("/t/a-{user}-*-{x}", "joe", "/t/a-joe-1-2", NULL));
  assert_true(match_user("/t/*{user}*{x}", "aa", "/t/baaaab", NULL));
  assert_false(match_user("/t/*{user}b", "aa", "/t/aab/b", NULL));
  assert_true(match_user("/**/{user}/*", "joe", "/a/joe/b/joe/c", NULL));
  /* Neither a pattern nor more than a segment. */
  assert_false(match_user("/t/{user}", "*", "/t/joe", NULL));
  assert_true(match_user("/t/{user}", "*", "/t/*", NULL));
  assert_false(match_user("/t/{user}", "{x}", "/t/joe", NULL));
  assert_false(match_user("/t/{user}", "a/b", "/t/a/b", NULL));
  assert_true(match_user("/t/{user}", "a/b", "/t/a%2Fb", NULL));
  assert_false(match_user("/t/{user}", "a/b", "/t/a%2fb", NULL));
  assert_true(match_user("/t/{user}/x", "/", "/t/%2F/x", NULL));
}

static void a_user_s_name_is_captured_among_others(void **state) {
  sbk__captures c;

  (void)state;
  assert_true(match_user("/{a}/{user}-{b}/{c}", "joe", "/1/joe-2/3", &c));
  assert_int_equal(c.count, 4);
  assert_memory_equal(c.items[0].value, "1", 1);
  assert_memory_equal(c.items[1].name, "user", 4);
  assert_int_equal(c.items[1].value_len, 3);
  assert_memory_equal(c.items[1].value, "joe", 3);
  assert_memory_equal(c.items[2].value, "2", 1);
  assert_memory_equal(c.items[3].value, "3", 1);
}

static void a_pattern_has_a_user_or_not(void **state) {
  static const char *const with[] = {"/{user}", "{*user}/x", "/a/x{user}y/b"};
  static const char *const without[] = {"/user", "/{users}", "/{auser}", "/*",
                                        "/{x}/user}"};
  size_t i;

  (void)state;
  for (i = 0; i < 3; i++) {
    assert_true(sbk__pattern_has_user(with[i], strlen(with[i])));
  }
  for (i = 0; i < 5; i++) {
    assert_false(sbk__pattern_has_user(without[i], strlen(without[i])));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(spring_a_star_is_one_segment),
      cmocka_unit_test(spring_two_stars_are_any_segments),
      cmocka_unit_test(spring_a_question_mark_is_one_character),
      cmocka_unit_test(spring_separators_at_the_ends_count),
      cmocka_unit_test(spring_braces_are_a_segment_or_part_of_one),
      cmocka_unit_test(spring_all_else_is_itself),
      cmocka_unit_test(spring_dots_may_separate),
      cmocka_unit_test(empty_segments_are_refused_where_spring_skips_them),
      cmocka_unit_test(regular_expressions_are_refused_where_spring_runs_them),
      cmocka_unit_test(more_rows_around_separators),
      cmocka_unit_test(a_question_mark_takes_a_whole_utf8_character),
      cmocka_unit_test(captures_no_more_than_there_is_room_for),
      cmocka_unit_test(captures_segments_by_name),
      cmocka_unit_test(the_left_one_takes_all_it_can),
      cmocka_unit_test(captures_nothing_inside_a_segment),
      cmocka_unit_test(a_star_in_front_of_a_name_is_no_part_of_it),
      cmocka_unit_test(captures_slashes_where_dots_separate),
      cmocka_unit_test(captures_behind_any_segments),
      cmocka_unit_test(captures_point_into_the_texts),
      cmocka_unit_test(a_match_without_names_has_no_captures),
      cmocka_unit_test(captures_are_untouched_when_nothing_matches),
      cmocka_unit_test(holds_as_many_captures_as_there_may_be_wildcards),
      cmocka_unit_test(destinations_end_with_one_separator_at_most),
      cmocka_unit_test(both_separators_bound_segments),
      cmocka_unit_test(control_characters_are_no_part_of_a_destination),
      cmocka_unit_test(max_destination_below_at_and_above),
      cmocka_unit_test(max_levels_below_at_and_above),
      cmocka_unit_test(knows_a_pattern_by_its_wildcards),
      cmocka_unit_test(braces_come_in_pairs_within_a_segment),
      cmocka_unit_test(names_are_there_and_differ),
      cmocka_unit_test(max_wildcards_below_at_and_above),
      cmocka_unit_test(sorts_as_spring_does),
      cmocka_unit_test(sorts_with_dots_alike),
      cmocka_unit_test(the_text_itself_comes_first),
      cmocka_unit_test(longer_prefixes_come_first),
      cmocka_unit_test(ties_are_broken_by_length_stars_and_names),
      cmocka_unit_test(keeps_two_oddities_of_spring),
      cmocka_unit_test(only_a_separator_and_two_stars_match_all),
      cmocka_unit_test(a_prefix_covers_whole_segments),
      cmocka_unit_test(a_prefix_may_end_with_a_separator),
      cmocka_unit_test(agrees_with_a_matcher_that_tries_everything),
      cmocka_unit_test(the_order_is_antisymmetric),
      cmocka_unit_test(unchecked_bytes_do_no_harm),
      cmocka_unit_test(the_worst_pattern_takes_no_longer_than_the_product),
      cmocka_unit_test(a_user_s_name_is_a_text_in_a_pattern),
      cmocka_unit_test(a_user_s_name_is_captured_among_others),
      cmocka_unit_test(a_pattern_has_a_user_or_not),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
