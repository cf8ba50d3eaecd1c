#include "pattern.h"

#include <assert.h>
#include <string.h>

typedef struct span {
  const char *p;
  size_t len;
} span;

static bool is_break(char c, char separator) {
  return c == '/' || c == separator;
}

int sbk__destination_check(const char *text, size_t len,
                           const struct sbk_config *limits) {
  size_t i, levels = 0;
  bool behind_break = false;

  if (len == 0) {
    return SBK_ERR_INVAL;
  }
  if (len > limits->max_destination) {
    return SBK_ERR_TOO_BIG;
  }

  for (i = 0; i < len; i++) {
    if ((uint8_t)text[i] < 0x20 || text[i] == 0x7f) {
      return SBK_ERR_INVAL;
    }
    if (is_break(text[i], limits->separator)) {
      if (behind_break) {
        return SBK_ERR_INVAL;
      }
      behind_break = true;
    } else {
      levels += i == 0 || behind_break;
      behind_break = false;
    }
  }

  return levels > limits->max_levels ? SBK_ERR_TOO_BIG : 0;
}

bool sbk__pattern_is(const char *text, size_t len) {
  size_t i;

  for (i = 0; i < len; i++) {
    if (text[i] == '*' || text[i] == '?' || text[i] == '{') {
      return true;
    }
  }

  return false;
}

/* The name between braces: Spring takes `{*name}`, which its PathPattern has
 * for the rest of a path, as an ordinary variable. */
static span variable_name(const char *p, size_t size) {
  span name = {p + 1, size - 2};

  if (name.len > 0 && *name.p == '*') {
    name.p++;
    name.len--;
  }

  return name;
}

/* How long the variable is that begins at p; 0: it is malformed. */
static size_t variable_size(const char *p, size_t len, char separator) {
  size_t i;

  for (i = 1; i < len && p[i] != '}'; i++) {
    if (p[i] == '{' || p[i] == ':' || is_break(p[i], separator)) {
      return 0;
    }
  }

  return i < len && variable_name(p, i + 1).len > 0 ? i + 1 : 0;
}

/* Is a variable of that name in a pattern whose variables are well-formed? */
static bool has_variable(const char *pattern, size_t len, span name,
                         char separator) {
  size_t i = 0, size;
  span other;

  while (i < len) {
    size = 1;
    if (pattern[i] == '{') {
      size = variable_size(pattern + i, len - i, separator);
      assert(size > 0);
      other = variable_name(pattern + i, size);
      if (other.len == name.len && memcmp(other.p, name.p, name.len) == 0) {
        return true;
      }
    }
    i += size;
  }

  return false;
}

int sbk__pattern_check(const char *text, size_t len,
                       const struct sbk_config *limits) {
  size_t i, size, wildcards = 0;
  int rv = sbk__destination_check(text, len, limits);

  if (rv != 0) {
    return rv;
  }

  for (i = 0; i < len; i += size) {
    size = 1;
    if (text[i] == '}') {
      return SBK_ERR_INVAL;
    } else if (text[i] == '{') {
      size = variable_size(text + i, len - i, limits->separator);
      if (size == 0 || has_variable(text, i, variable_name(text + i, size),
                                    limits->separator)) {
        return SBK_ERR_INVAL;
      }
      wildcards++;
    } else if (text[i] == '*') {
      size = i + 1 < len && text[i + 1] == '*' ? 2 : 1;
      wildcards++;
    } else if (text[i] == '?') {
      wildcards++;
    }
    if (wildcards > limits->max_wildcards) {
      return SBK_ERR_TOO_BIG;
    }
  }

  return 0;
}

/* The size of the character that ends before `at`: UTF-8's continuation bytes
 * belong to it. Java's `.`, which is Spring's `?`, takes a code point too. */
static size_t char_before(span text, size_t at) {
  size_t from = at - 1;

  while (from > 0 && ((uint8_t)text.p[from] & 0xc0) == 0x80) {
    from--;
  }

  return at - from;
}

/* The size of the variable that ends before `at`; 0: none does. */
static size_t variable_before(span pattern, size_t at) {
  size_t from = at;

  if (pattern.p[at - 1] != '}') {
    return 0;
  }
  while (from > 0 && pattern.p[from - 1] != '{') {
    from--;
  }

  return from > 0 ? at - from + 1 : 0;
}

/* The wildcard of any length that was met last: what to try again, longer. */
struct run {
  bool any;
  size_t pattern; /* what stands left of it */
  size_t from;    /* it takes text from here */
  size_t to;      /* to here */
  size_t var;     /* how many variables are left of it, itself counted */
  sbk__capture *capture;
};

static void run_take(struct run *run, span text, size_t from) {
  run->from = from;
  if (run->capture != NULL) {
    run->capture->value = text.p + from;
    run->capture->value_len = run->to - from;
  }
}

/* Is there a run at the end of pattern[0, *at)? Then it takes nothing yet. */
static bool run_begin(struct run *run, span pattern, size_t *at, span text,
                      size_t to, size_t *var, sbk__captures *found) {
  size_t size = variable_before(pattern, *at);
  span name;

  if (size == 0 && pattern.p[*at - 1] != '*') {
    return false;
  }

  run->capture = NULL;
  if (size == 0) {
    size = 1;
  } else if (--*var < SBK__CAPTURES_MAX && found != NULL) {
    name = variable_name(pattern.p + *at - size, size);
    run->capture = &found->items[*var];
    run->capture->name = name.p;
    run->capture->name_len = name.len;
  }
  *at -= size;
  run->any = true;
  run->pattern = *at;
  run->var = *var;
  run->to = to;
  run_take(run, text, to);

  return true;
}

static bool is_text(span segment, const char *text) {
  return segment.len == strlen(text) &&
         memcmp(segment.p, text, segment.len) == 0;
}

/* The size of the {user} that ends before `at`; 0: none does. */
static size_t user_before(span pattern, size_t at) {
  const size_t size = variable_before(pattern, at);

  return size > 0 && is_text(variable_name(pattern.p + at - size, size), "user")
             ? size
             : 0;
}

/* Does text[0, *to) end with the user's name? Then *to is where it begins. */
static bool take_name(const char *user, span text, size_t *to) {
  size_t i = strlen(user), from = *to;

  while (i > 0) {
    if (user[--i] != '/') {
      if (from == 0 || text.p[--from] != user[i]) {
        return false;
      }
    } else if (from < 3 || memcmp(text.p + from - 3, "%2F", 3) != 0) {
      return false;
    } else {
      from -= 3;
    }
  }
  *to = from;

  return true;
}

static void capture_user(sbk__captures *found, size_t var, span text,
                         size_t from, size_t to) {
  if (found != NULL && var < SBK__CAPTURES_MAX) {
    found->items[var] = (sbk__capture){"user", 4, text.p + from, to - from};
  }
}

/*
 * One segment, from its end. Going back to the run met last is enough, as with
 * any glob; and since that is the one furthest to the left, it is the left ones
 * that take as much as they can, as in Java. var counts the pattern's variables
 * up to the end of this segment.
 */
static bool match_segment(span pattern, const char *user, span text, size_t var,
                          sbk__captures *found) {
  size_t at = pattern.len, to = text.len, end, own;
  struct run run = {0};

  for (;;) {
    if (at == 0 && to == 0) {
      return true;
    }
    own = user != NULL && at > 0 ? user_before(pattern, at) : 0;
    if (own == 0 && at > 0 &&
        run_begin(&run, pattern, &at, text, to, &var, found)) {
      continue;
    }
    end = to;
    if (own > 0 && take_name(user, text, &to)) {
      at -= own;
      capture_user(found, --var, text, to, end);
    } else if (own == 0 && at > 0 && to > 0 && pattern.p[at - 1] == '?') {
      at--;
      to -= char_before(text, to);
    } else if (own == 0 && at > 0 && to > 0 &&
               pattern.p[at - 1] == text.p[to - 1]) {
      at--;
      to--;
    } else if (run.any && run.from > 0) {
      to = run.from - char_before(text, run.from);
      run_take(&run, text, to);
      at = run.pattern;
      var = run.var;
    } else {
      return false;
    }
  }
}

/* The segment at *pos or behind it, and *pos behind that. */
static bool next_segment(span text, char separator, size_t *pos,
                         span *segment) {
  const char *end;

  while (*pos < text.len && text.p[*pos] == separator) {
    (*pos)++;
  }
  if (*pos == text.len) {
    return false;
  }

  segment->p = text.p + *pos;
  end = memchr(segment->p, separator, text.len - *pos);
  segment->len = end == NULL ? text.len - *pos : (size_t)(end - segment->p);
  *pos += segment->len;

  return true;
}

bool sbk__pattern_segment(const char *text, size_t len, char separator,
                          size_t *pos, const char **segment, size_t *size) {
  span found;

  if (!next_segment((span){text, len}, separator, pos, &found)) {
    return false;
  }
  *segment = found.p;
  *size = found.len;

  return true;
}

bool sbk__pattern_match_segment(const char *pattern, size_t pattern_len,
                                const char *text, size_t len) {
  return match_segment((span){pattern, pattern_len}, NULL, (span){text, len}, 0,
                       NULL);
}

static size_t count_variables(span segment) {
  size_t i, count = 0;

  for (i = 0; i < segment.len; i++) {
    count += segment.p[i] == '{';
  }

  return count;
}

static bool begins(span text, char separator) {
  return text.len > 0 && text.p[0] == separator;
}

static bool ends(span text, char separator) {
  return text.len > 0 && text.p[text.len - 1] == separator;
}

/* How far a match has come, before the next segment of both. */
typedef struct place {
  size_t pattern;
  size_t text;
  size_t vars;
} place;

/* Is but a `*` left of the pattern? Spring lets it take the nothing behind the
 * separator at the end of a text, if there is no `**` before it. */
static bool takes_nothing(span segment, span pattern, size_t pos, span text,
                          char separator) {
  return is_text(segment, "*") && ends(text, separator) &&
         !next_segment(pattern, separator, &pos, &segment);
}

/* Segments against segments: as characters in one segment, but from the front,
 * and with `**` for the run. Each segment that is matched again overwrites its
 * captures. */
static bool match_segments(span pattern, const char *user, span text,
                           char separator, sbk__captures *found, size_t *vars) {
  place at = {0, 0, 0}, deep = {0, 0, 0};
  bool any_deep = false;
  span p, t;

  for (;;) {
    *vars = at.vars;
    if (!next_segment(pattern, separator, &at.pattern, &p)) {
      if (!next_segment(text, separator, &at.text, &t)) {
        return ends(pattern, separator) == ends(text, separator);
      }
    } else if (is_text(p, "**")) {
      any_deep = true;
      deep = at;
      if (!next_segment(pattern, separator, &at.pattern, &p)) {
        return true;
      }
      at = deep;
      continue;
    } else if (!next_segment(text, separator, &at.text, &t)) {
      return !any_deep &&
             takes_nothing(p, pattern, at.pattern, text, separator);
    } else {
      at.vars += count_variables(p);
      if (match_segment(p, user, t, at.vars, found)) {
        continue;
      }
    }
    /* The last `**` takes one segment more. */
    if (!any_deep || !next_segment(text, separator, &deep.text, &t)) {
      return false;
    }
    at = deep;
  }
}

bool sbk__pattern_has_user(const char *pattern, size_t len) {
  const span p = {pattern, len};
  size_t at;

  for (at = len; at > 0; at--) {
    if (user_before(p, at) > 0) {
      return true;
    }
  }

  return false;
}

bool sbk__pattern_match(const char *pattern, size_t pattern_len,
                        const char *text, size_t len, char separator,
                        sbk__captures *captures) {
  return sbk__pattern_match_user(pattern, pattern_len, NULL, text, len,
                                 separator, captures);
}

bool sbk__pattern_match_user(const char *pattern, size_t pattern_len,
                             const char *user, const char *text, size_t len,
                             char separator, sbk__captures *captures) {
  const span p = {pattern, pattern_len}, t = {text, len};
  sbk__captures found;
  size_t count;

  if (begins(p, separator) != begins(t, separator)) {
    return false;
  }
  if (!match_segments(p, user, t, separator, captures != NULL ? &found : NULL,
                      &count)) {
    return false;
  }

  if (captures != NULL) {
    captures->count = count < SBK__CAPTURES_MAX ? count : SBK__CAPTURES_MAX;
    memcpy(captures->items, found.items,
           captures->count * sizeof(*captures->items));
  }

  return true;
}

bool sbk__prefix_covers(const char *prefix, size_t prefix_len, const char *text,
                        size_t len, char separator) {
  if (len < prefix_len || memcmp(prefix, text, prefix_len) != 0) {
    return false;
  }

  return len == prefix_len || is_break(text[prefix_len], separator) ||
         (prefix_len > 0 && is_break(prefix[prefix_len - 1], separator));
}
