#include "pattern_pair.h"

#include <string.h>

#include "utf8.h"

/*
 * A pattern is a row of segments, and a segment is a row of characters and
 * wildcards. On both levels one wildcard stands for any number of what the row
 * is made of ("**", and "*" or {name}), here called a run, and the questions
 * are answered alike:
 *
 * - `wide` covers `narrow` if it matches it as if it were a text, in which runs
 *   are things that only a run takes.
 * - Two rows that have a run each meet if what stands before the first runs
 *   meets, and what stands behind the last ones: between them there is room for
 *   all that the one wants and then for all that the other wants.
 * - If but one of them has a run, it has to match the other, as a text.
 */

typedef struct span {
  const char *p;
  size_t len;
} span;

/* ---- segments ---- */

enum kind { END, CHAR, ONE, RUN };

typedef struct token {
  enum kind kind;
  span text; /* of a CHAR: its UTF-8 */
} token;

/* A place in a segment. Wildcards in a row are given as all their `?` and then
 * one run, so that `*?` and `?*` are the same. */
typedef struct cursor {
  span segment;
  const char *user; /* what {user} stands for, or NULL */
  size_t at;
  span name;   /* what is left of the name in place of {user} */
  span escape; /* of "%2F" in place of its '/' */
  size_t ones;
  bool run;
} cursor;

static cursor start(span segment, const char *user) {
  return (cursor){.segment = segment, .user = user};
}

static size_t char_size(span text) {
  size_t size = 1;

  while (size < text.len && ((uint8_t)text.p[size] & 0xc0) == 0x80) {
    size++;
  }

  return size;
}

static span take(span *text, size_t size) {
  const span taken = {text->p, size};

  text->p += size;
  text->len -= size;

  return taken;
}

static span left(const cursor *c) {
  return (span){c->segment.p + c->at, c->segment.len - c->at};
}

/* The size of the wildcard that begins text, which may be a {name}; 0: none
 * does. */
static size_t wildcard_size(span text) {
  if (text.len == 0) {
    return 0;
  }
  if (text.p[0] == '{') {
    return (size_t)((const char *)memchr(text.p, '}', text.len) - text.p) + 1;
  }

  return text.p[0] == '*' || text.p[0] == '?';
}

static bool is_user(span wildcard) {
  return (wildcard.len == 6 && memcmp(wildcard.p, "{user}", 6) == 0) ||
         (wildcard.len == 7 && memcmp(wildcard.p, "{*user}", 7) == 0);
}

/* Takes the wildcards that stand here. A segment is never empty: if it is
 * nothing but runs, it has one character at least. */
static void group(cursor *c) {
  size_t size, from = c->at;

  while ((size = wildcard_size(left(c))) > 0) {
    if (c->user != NULL && is_user((span){left(c).p, size})) {
      break;
    }
    c->ones += left(c).p[0] == '?';
    c->run = c->run || left(c).p[0] != '?';
    c->at += size;
  }
  if (c->ones == 0 && c->run && from == 0 && c->at == c->segment.len) {
    c->ones = 1;
  }
}

/* The next character of the user's name, which is not empty. */
static token next_of_name(cursor *c) {
  if (c->escape.len == 0 && c->name.p[0] == '/') {
    take(&c->name, 1);
    c->escape = (span){"%2F", 3};
  }

  return c->escape.len > 0 ? (token){CHAR, take(&c->escape, 1)}
                           : (token){CHAR, take(&c->name, char_size(c->name))};
}

static token next(cursor *c) {
  size_t size;

  if (c->name.len == 0 && c->escape.len == 0 && c->ones == 0 && !c->run) {
    group(c);
  }
  if (c->ones > 0) {
    c->ones--;
    return (token){.kind = ONE};
  }
  if (c->run) {
    c->run = false;
    return (token){.kind = RUN};
  }
  if (c->name.len > 0 || c->escape.len > 0) {
    return next_of_name(c);
  }
  size = wildcard_size(left(c));
  if (size > 0) {
    c->at += size;
    c->name = (span){c->user, strlen(c->user)};
    return next_of_name(c);
  }
  if (c->at == c->segment.len) {
    return (token){.kind = END};
  }
  size = char_size(left(c));
  c->at += size;

  return (token){CHAR, {c->segment.p + c->at - size, size}};
}

static bool same(token a, token b) {
  return a.kind == CHAR && b.kind == CHAR && a.text.len == b.text.len &&
         memcmp(a.text.p, b.text.p, a.text.len) == 0;
}

static bool char_covers(token wide, token narrow) {
  return wide.kind == ONE ? narrow.kind == CHAR || narrow.kind == ONE
                          : same(wide, narrow);
}

static bool char_meets(token a, token b) {
  return a.kind == ONE || b.kind == ONE || same(a, b);
}

/* Does pattern match text? As with any glob, going back to the last run is
 * enough. */
static bool chars_fit(cursor pattern, cursor text,
                      bool (*fits)(token pattern, token text)) {
  cursor run = pattern, from = text;
  bool any = false;

  for (;;) {
    cursor p_rest = pattern, t_rest = text;
    const token p = next(&p_rest), t = next(&t_rest);

    if (p.kind == END && t.kind == END) {
      return true;
    }
    if (p.kind == RUN) {
      any = true;
      pattern = run = p_rest;
      from = text;
    } else if (p.kind != END && t.kind != END && fits(p, t)) {
      pattern = p_rest;
      text = t_rest;
    } else if (any && next(&from).kind != END) {
      pattern = run;
      text = from;
    } else {
      return false;
    }
  }
}

/* What stands behind the last run, and how many that are; false: there is no
 * run. */
static bool char_tail(cursor c, cursor *tail, size_t *count) {
  bool any = false;
  token t;

  for (t = next(&c); t.kind != END; t = next(&c)) {
    if (t.kind == RUN) {
      any = true;
      *tail = c;
      *count = 0;
    } else {
      ++*count;
    }
  }

  return any;
}

static bool chars_meet(cursor a, cursor b) {
  cursor a_tail = a, b_tail = b;
  size_t a_count = 0, b_count = 0;
  const bool a_runs = char_tail(a, &a_tail, &a_count);
  const bool b_runs = char_tail(b, &b_tail, &b_count);
  token x, y;

  if (!a_runs || !b_runs) {
    return a_runs ? chars_fit(a, b, char_meets) : chars_fit(b, a, char_meets);
  }

  for (;;) {
    x = next(&a);
    y = next(&b);
    if (x.kind == RUN || y.kind == RUN) {
      break;
    }
    if (!char_meets(x, y)) {
      return false;
    }
  }
  for (; a_count > b_count; a_count--) {
    next(&a_tail);
  }
  for (; b_count > a_count; b_count--) {
    next(&b_tail);
  }
  for (; a_count > 0; a_count--) {
    if (!char_meets(next(&a_tail), next(&b_tail))) {
      return false;
    }
  }

  return true;
}

/* ---- rows of segments ---- */

/* What a text may have at its end: no separator, one, or either. */
enum trail { NONE, SEPARATOR, ANY };

typedef struct row {
  span text;
  const char *user;
  char separator;
  enum trail trail;
} row;

typedef struct segment {
  span text; /* empty: there is none */
  const char *user;
} segment;

static segment take_segment(row *r) {
  size_t size = 0;

  while (r->text.len > 0 && r->text.p[0] == r->separator) {
    take(&r->text, 1);
  }
  while (size < r->text.len && r->text.p[size] != r->separator) {
    size++;
  }

  return (segment){take(&r->text, size), r->user};
}

static bool is_end(segment s) {
  return s.text.len == 0;
}

static bool is_deep(segment s) {
  return s.text.len == 2 && memcmp(s.text.p, "**", 2) == 0;
}

static bool segment_covers(segment wide, segment narrow) {
  return !is_deep(narrow) &&
         chars_fit(start(wide.text, wide.user), start(narrow.text, narrow.user),
                   char_covers);
}

static bool segment_meets(segment a, segment b) {
  return chars_meet(start(a.text, a.user), start(b.text, b.user));
}

static bool rows_fit(row pattern, row text,
                     bool (*fits)(segment pattern, segment text)) {
  row run = pattern, from = text;
  bool any = false;

  for (;;) {
    row p_rest = pattern, t_rest = text;
    const segment p = take_segment(&p_rest), t = take_segment(&t_rest);

    if (is_end(p) && is_end(t)) {
      return true;
    }
    if (is_deep(p)) {
      any = true;
      pattern = run = p_rest;
      from = text;
    } else if (!is_end(p) && !is_end(t) && fits(p, t)) {
      pattern = p_rest;
      text = t_rest;
    } else if (any && !is_end(take_segment(&from))) {
      pattern = run;
      text = from;
    } else {
      return false;
    }
  }
}

static bool row_tail(row r, row *tail, size_t *count) {
  bool any = false;
  segment s;

  for (s = take_segment(&r); !is_end(s); s = take_segment(&r)) {
    if (is_deep(s)) {
      any = true;
      *tail = r;
      *count = 0;
    } else {
      ++*count;
    }
  }

  return any;
}

static bool rows_meet(row a, row b) {
  row a_tail = a, b_tail = b;
  size_t a_count = 0, b_count = 0;
  const bool a_deep = row_tail(a, &a_tail, &a_count);
  const bool b_deep = row_tail(b, &b_tail, &b_count);
  segment x, y;

  if (!a_deep || !b_deep) {
    return a_deep ? rows_fit(a, b, segment_meets)
                  : rows_fit(b, a, segment_meets);
  }

  for (;;) {
    x = take_segment(&a);
    y = take_segment(&b);
    if (is_deep(x) || is_deep(y)) {
      break;
    }
    if (!segment_meets(x, y)) {
      return false;
    }
  }
  for (; a_count > b_count; a_count--) {
    take_segment(&a_tail);
  }
  for (; b_count > a_count; b_count--) {
    take_segment(&b_tail);
  }
  for (; a_count > 0; a_count--) {
    if (!segment_meets(take_segment(&a_tail), take_segment(&b_tail))) {
      return false;
    }
  }

  return true;
}

/* ---- patterns ---- */

/*
 * The rows that a pattern stands for, as sbk__pattern_match() has it: a `**` at
 * its end takes a text with or without a separator there. A `*` at its end may
 * also stand for nothing behind a separator ("/topic/" for one), if there is no
 * `**` before it.
 */
static size_t to_rows(span text, const char *user, char separator,
                      row rows[2]) {
  row r = {text, user, separator, NONE};
  segment s, last = {{NULL, 0}, NULL};
  bool deep = false;

  if (text.p[text.len - 1] == separator) {
    r.trail = SEPARATOR;
  }
  rows[0] = r;
  for (s = take_segment(&r); !is_end(s); s = take_segment(&r)) {
    deep = deep || is_deep(s);
    last = s;
  }
  if (is_deep(last)) {
    rows[0].trail = ANY;
  }
  if (deep || last.text.len != 1 || last.text.p == text.p ||
      last.text.p[0] != '*') {
    return 1;
  }
  rows[1] = rows[0];
  rows[1].text.len = (size_t)(last.text.p - text.p);
  rows[1].trail = SEPARATOR;

  return 2;
}

/* Cut anywhere else than between characters, a text could match in ways of its
 * own; nobody writes such patterns. */
static bool comparable(span a, const char *user, span b) {
  return sbk__utf8_valid(a.p, a.len) && sbk__utf8_valid(b.p, b.len) &&
         (user == NULL || sbk__utf8_valid(user, strlen(user)));
}

static bool begins_alike(span a, span b, char separator) {
  return (a.p[0] == separator) == (b.p[0] == separator);
}

static bool covered(const row *wide, size_t count, const row *narrow) {
  size_t i;

  for (i = 0; i < count; i++) {
    if ((wide[i].trail == ANY || wide[i].trail == narrow->trail) &&
        rows_fit(wide[i], *narrow, segment_covers)) {
      return true;
    }
  }

  return false;
}

bool sbk__pattern_covers(const char *wide, size_t wide_len, const char *user,
                         const char *narrow, size_t narrow_len,
                         char separator) {
  const span w = {wide, wide_len}, n = {narrow, narrow_len};
  row w_rows[2], n_rows[2];
  size_t i, w_count, n_count;

  if (!comparable(w, user, n) || !begins_alike(w, n, separator)) {
    return false;
  }
  w_count = to_rows(w, user, separator, w_rows);
  n_count = to_rows(n, NULL, separator, n_rows);
  for (i = 0; i < n_count; i++) {
    if (!covered(w_rows, w_count, &n_rows[i])) {
      return false;
    }
  }

  return true;
}

bool sbk__pattern_meets(const char *a, size_t a_len, const char *user,
                        const char *b, size_t b_len, char separator) {
  const span x = {a, a_len}, y = {b, b_len};
  row x_rows[2], y_rows[2];
  size_t i, j, x_count, y_count;

  if (!comparable(x, user, y)) {
    return true;
  }
  if (!begins_alike(x, y, separator)) {
    return false;
  }
  x_count = to_rows(x, user, separator, x_rows);
  y_count = to_rows(y, NULL, separator, y_rows);
  for (i = 0; i < x_count; i++) {
    for (j = 0; j < y_count; j++) {
      if ((x_rows[i].trail == ANY || y_rows[j].trail == ANY ||
           x_rows[i].trail == y_rows[j].trail) &&
          rows_meet(x_rows[i], y_rows[j])) {
        return true;
      }
    }
  }

  return false;
}
