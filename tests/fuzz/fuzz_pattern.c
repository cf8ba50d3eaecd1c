/*
 * Patterns against a matcher that tries everything. The first byte says what
 * separates and whether there is a user, the lines behind it are that user's
 * name, two patterns, and destinations; more of those are made from both
 * patterns, and what they have in common has to be told.
 */
#include "fuzz.h"
#include "pattern.h"
#include "pattern_pair.h"
#include "utf8.h"

#define SEGMENTS 32
#define MADE     12

/* Both ends are there, so that neither has to end with NUL. */
struct span {
  const char *p;
  size_t len;
};

static struct sbk_config limits_for(char separator) {
  struct sbk_config limits = fuzz_limits();

  limits.separator = separator;
  limits.max_destination = 40; /* it tries everything */
  limits.max_wildcards = 5;
  limits.max_levels = 10;

  return limits;
}

/* ---- the matcher that tries everything ---- */

struct naive {
  const char *user;
  struct span values[SBK__CAPTURES_MAX];
};

static size_t char_size(struct span text) {
  size_t size = 1;

  while (size < text.len && ((uint8_t)text.p[size] & 0xc0) == 0x80) {
    size++;
  }

  return size;
}

static struct span behind(struct span text, size_t size) {
  return (struct span){text.p + size, text.len - size};
}

static bool is(struct span text, const char *word) {
  return text.len == strlen(word) && memcmp(text.p, word, text.len) == 0;
}

static struct span variable_at(struct span pattern) {
  const char *end = memchr(pattern.p, '}', pattern.len);

  HOLDS(end != NULL);

  return (struct span){pattern.p, (size_t)(end - pattern.p) + 1};
}

/* A user's name as it stands in destinations, if text begins with it: its
 * size; else SIZE_MAX. */
static size_t user_size(const char *user, struct span text) {
  size_t at = 0;

  for (; *user != '\0'; user++) {
    const char *as = *user == '/' ? "%2F" : (const char[]){*user, '\0'};

    if (text.len - at < strlen(as) ||
        memcmp(text.p + at, as, strlen(as)) != 0) {
      return SIZE_MAX;
    }
    at += strlen(as);
  }

  return at;
}

/* Within a segment. What stands left takes as much as it can. */
static bool naive_segment(struct span p, struct span t, struct naive *out,
                          size_t var) {
  struct span variable = {NULL, 0};
  size_t len, size = 1;

  if (p.len == 0) {
    return t.len == 0;
  }
  if (*p.p == '?') {
    return t.len > 0 &&
           naive_segment(behind(p, 1), behind(t, char_size(t)), out, var);
  }
  if (*p.p == '{') {
    variable = variable_at(p);
    size = variable.len;
    if (out->user != NULL &&
        (is(variable, "{user}") || is(variable, "{*user}"))) {
      len = user_size(out->user, t);
      out->values[var] = (struct span){t.p, len};
      return len <= t.len &&
             naive_segment(behind(p, size), behind(t, len), out, var + 1);
    }
  } else if (*p.p != '*') {
    return t.len > 0 && *p.p == *t.p &&
           naive_segment(behind(p, 1), behind(t, 1), out, var);
  }
  while (*p.p == '*' && size < p.len && p.p[size] == '*') {
    size++; /* as good as one, and sooner done */
  }
  for (len = t.len + 1; len-- > 0;) {
    if (len < t.len && ((uint8_t)t.p[len] & 0xc0) == 0x80) {
      continue; /* within a character */
    }
    if (naive_segment(behind(p, size), behind(t, len), out,
                      var + (variable.len > 0))) {
      if (variable.len > 0) {
        out->values[var] = (struct span){t.p, len};
      }
      return true;
    }
  }

  return false;
}

struct path {
  struct span segments[SEGMENTS];
  size_t count;
  bool first, last; /* a separator is there */
};

static void split(struct path *path, struct span text, char separator) {
  size_t at;

  memset(path, 0, sizeof(*path));
  path->first = text.p[0] == separator;
  path->last = text.p[text.len - 1] == separator;
  while (text.len > 0) {
    for (at = 0; at < text.len && text.p[at] != separator; at++) {
    }
    if (at > 0) {
      HOLDS(path->count < SEGMENTS);
      path->segments[path->count++] = (struct span){text.p, at};
    }
    text = behind(text, at + (at < text.len));
  }
}

static size_t variables(struct span text) {
  size_t count = 0;

  for (; text.len > 0; text = behind(text, 1)) {
    count += *text.p == '{';
  }

  return count;
}

/* spring.md, appendix A, in the order of its rows. */
static bool naive_path(const struct path *p, const struct path *t, size_t i,
                       size_t j, size_t var, struct naive *out) {
  size_t k;

  if (i == p->count) {
    return j == t->count && p->last == t->last;
  }
  if (is(p->segments[i], "**")) {
    if (i + 1 == p->count) {
      return true;
    }
    for (; j <= t->count; j++) {
      if (naive_path(p, t, i + 1, j, var, out)) {
        return true;
      }
    }
    return false;
  }
  if (j == t->count) { /* "/topic/" for a "*" behind it, if there is no "**" */
    for (k = 0; k < i; k++) {
      if (is(p->segments[k], "**")) {
        return false;
      }
    }
    return i + 1 == p->count && is(p->segments[i], "*") && t->last;
  }

  return naive_segment(p->segments[i], t->segments[j], out, var) &&
         naive_path(p, t, i + 1, j + 1, var + variables(p->segments[i]), out);
}

static bool naive_match(struct span pattern, const char *user, struct span text,
                        char separator, struct naive *out) {
  struct path p, t;

  split(&p, pattern, separator);
  split(&t, text, separator);
  memset(out, 0, sizeof(*out));
  out->user = user;

  return p.first == t.first && naive_path(&p, &t, 0, 0, 0, out);
}

/* ---- the two compared ---- */

static bool match(struct span pattern, const char *user, struct span text,
                  char separator) {
  struct naive want;
  sbk__captures captures;
  size_t i;
  const bool yes = sbk__pattern_match_user(pattern.p, pattern.len, user, text.p,
                                           text.len, separator, &captures);

  HOLDS(yes == naive_match(pattern, user, text, separator, &want));
  HOLDS(yes == sbk__pattern_match_user(pattern.p, pattern.len, user, text.p,
                                       text.len, separator, NULL));
  if (yes) {
    HOLDS(captures.count == variables(pattern));
    for (i = 0; i < captures.count; i++) {
      HOLDS(captures.items[i].value_len == want.values[i].len);
      HOLDS(captures.items[i].value == want.values[i].p ||
            want.values[i].len == 0);
    }
  }

  return yes;
}

struct pair {
  char separator;
  const char *user; /* of a; or NULL */
  struct span a, b;
  bool covers, meets;
  struct sbk_config limits;
};

static bool is_destination(struct span text, const struct sbk_config *limits) {
  return sbk__destination_check(text.p, text.len, limits) == 0 &&
         sbk__utf8_valid(text.p, text.len);
}

static void compare_at(const struct pair *pair, struct span text) {
  const bool a = match(pair->a, pair->user, text, pair->separator);
  const bool b = match(pair->b, NULL, text, pair->separator);
  int one, other;

  HOLDS(!a || !b || pair->meets);
  HOLDS(!b || a || !pair->covers);
  if (a && b) {
    one = sbk__pattern_compare(pair->a.p, pair->a.len, pair->b.p, pair->b.len,
                               text.p, text.len, pair->separator);
    other = sbk__pattern_compare(pair->b.p, pair->b.len, pair->a.p, pair->a.len,
                                 text.p, text.len, pair->separator);
    HOLDS((one < 0) == (other > 0) && (one > 0) == (other < 0));
  }
}

/* ---- destinations made from a pattern ---- */

static void put_some(sbk__str *out, struct span wildcard, const char *user,
                     char separator, uint32_t *random) {
  static const char *const words[] = {"", "a", "b", "ab", "\xc3\xa9", "%2F"};
  size_t deep = is(wildcard, "**") ? test_random(random) % 3 : 1;

  if (is(wildcard, "?")) {
    sbk__str_addz(out, words[1 + test_random(random) % 4]);
  } else if (user != NULL && is(wildcard, "{user}")) {
    for (; *user != '\0'; user++) {
      sbk__str_add(out, *user == '/' ? "%2F" : user, *user == '/' ? 3 : 1);
    }
  } else {
    for (; deep > 0; deep--) {
      sbk__str_addz(out, words[test_random(random) % 6]);
      if (deep > 1) {
        sbk__str_add(out, &separator, 1);
      }
    }
  }
}

static void make(sbk__str *out, struct span pattern, const char *user,
                 char separator, uint32_t *random) {
  size_t size;

  while (pattern.len > 0) {
    size = 1;
    if (*pattern.p == '{') {
      size = variable_at(pattern).len;
    } else if (pattern.len > 1 && memcmp(pattern.p, "**", 2) == 0) {
      size = 2;
    }
    if (strchr("*?{", *pattern.p) != NULL) {
      put_some(out, (struct span){pattern.p, size}, user, separator, random);
    } else if (*pattern.p != separator || out->len == 0 ||
               out->data[out->len - 1] != separator) {
      sbk__str_add(out, pattern.p, 1);
    }
    pattern = behind(pattern, size);
  }
  /* With the separator, and without. */
  if (out->len > 1 && test_random(random) % 4 == 0) {
    if (out->data[out->len - 1] == separator) {
      out->len--;
    } else {
      sbk__str_add(out, &separator, 1);
    }
  }
}

static void compare_made(const struct pair *pair, uint32_t random) {
  int i;

  for (i = 0; i < MADE; i++) {
    sbk__str text;
    char *copy;

    sbk__str_init(&text, sbk__mem_default());
    if (i % 2 == 0) {
      make(&text, pair->a, pair->user, pair->separator, &random);
    } else {
      make(&text, pair->b, NULL, pair->separator, &random);
    }
    copy = fuzz_copy(text.data, text.len);
    if (is_destination((struct span){copy, text.len}, &pair->limits)) {
      compare_at(pair, (struct span){copy, text.len});
    }
    free(copy);
    sbk__str_free(&text);
  }
}

/* ---- an input ---- */

static bool is_pattern(struct span text, const struct sbk_config *limits) {
  return sbk__pattern_check(text.p, text.len, limits) == 0 &&
         sbk__utf8_valid(text.p, text.len);
}

static bool is_user(const char *user) {
  const char *p;

  for (p = user; *p >= 0x20 && *p != 0x7f; p++) {
  }

  return *user != '\0' && *p == '\0' && strstr(user, "%2F") == NULL;
}

static struct span take_line(struct fuzz *in) {
  const struct fuzz line = fuzz_until(in, '\n');

  return (struct span){fuzz_copy(line.data, line.len), line.len};
}

static void compare_all(struct pair *pair, struct fuzz in, uint32_t random) {
  struct span text;

  pair->covers = sbk__pattern_covers(pair->a.p, pair->a.len, pair->user,
                                     pair->b.p, pair->b.len, pair->separator);
  pair->meets = sbk__pattern_meets(pair->a.p, pair->a.len, pair->user,
                                   pair->b.p, pair->b.len, pair->separator);
  HOLDS(!pair->covers || pair->meets);
  if (pair->user == NULL) {
    HOLDS(pair->meets == sbk__pattern_meets(pair->b.p, pair->b.len, NULL,
                                            pair->a.p, pair->a.len,
                                            pair->separator));
  }
  while (in.len > 0) {
    text = take_line(&in);
    if (is_destination(text, &pair->limits)) {
      compare_at(pair, text);
    }
    free((void *)(uintptr_t)text.p);
  }
  compare_made(pair, random);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  const uint8_t how = fuzz_byte(&in);
  char *user = fuzz_text(fuzz_until(&in, '\n'));
  struct pair pair = {0};

  pair.separator = how % 2 == 0 ? '/' : '.';
  pair.a = take_line(&in);
  pair.b = take_line(&in);
  pair.user = how / 2 % 2 == 1 && is_user(user) ? user : NULL;
  pair.limits = limits_for(pair.separator);
  if (is_pattern(pair.a, &pair.limits) && is_pattern(pair.b, &pair.limits)) {
    compare_all(&pair, in, how + 1u);
  }
  free((void *)(uintptr_t)pair.a.p);
  free((void *)(uintptr_t)pair.b.p);
  free(user);

  return 0;
}
