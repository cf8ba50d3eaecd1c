#include "pattern.h"

#include <string.h>

/* Which of two patterns is the more specific one. */

typedef struct span {
  const char *p;
  size_t len;
} span;

/* What Spring's PatternInfo counts. */
typedef struct weight {
  size_t len; /* in UTF-16 units; a variable is one */
  size_t vars;
  size_t singles;
  size_t doubles;
  bool all;    /* all destinations: a separator and `**` */
  bool prefix; /* ends so */
} weight;

/* Of the variable that begins at p, in a pattern that is well-formed. */
static size_t variable_size(const char *p, size_t len) {
  const char *end = memchr(p, '}', len);

  return (size_t)(end - p) + 1;
}

static weight weigh(span pattern, char separator) {
  weight w = {0};
  size_t i, size;

  for (i = 0; i < pattern.len; i += size) {
    size = 1;
    if (pattern.p[i] == '{') {
      size = variable_size(pattern.p + i, pattern.len - i);
      w.vars++;
      w.len++;
    } else if (pattern.p[i] == '*') {
      if (i + 1 < pattern.len && pattern.p[i + 1] == '*') {
        size = 2;
        w.doubles++;
      } else if (i > 0 && !(pattern.p[i - 1] == '.' && i + 1 == pattern.len)) {
        /* Spring counts neither a `*` in front nor `.*` at the end. */
        w.singles++;
      }
      w.len += size;
    } else if (((uint8_t)pattern.p[i] & 0xc0) != 0x80) {
      w.len += (uint8_t)pattern.p[i] >= 0xf0 ? 2 : 1;
    }
  }
  w.prefix = pattern.len >= 3 && pattern.p[pattern.len - 3] == separator &&
             memcmp(pattern.p + pattern.len - 2, "**", 2) == 0;
  w.all = w.prefix && pattern.len == 3;

  return w;
}

/* Below 0 when x is the smaller one. */
static int order(size_t x, size_t y) {
  return (x > y) - (x < y);
}

static int compare_weights(const weight *a, const weight *b) {
  const size_t a_total = a->vars + a->singles + 2 * a->doubles;
  const size_t b_total = b->vars + b->singles + 2 * b->doubles;
  int rv;

  if (a->prefix && b->prefix) {
    return order(b->len, a->len);
  }
  if ((a->prefix && b->doubles == 0) || (b->prefix && a->doubles == 0)) {
    return a->prefix ? 1 : -1;
  }

  rv = order(a_total, b_total);
  rv = rv != 0 ? rv : order(b->len, a->len);
  rv = rv != 0 ? rv : order(a->singles, b->singles);

  return rv != 0 ? rv : order(a->vars, b->vars);
}

int sbk__pattern_compare(const char *a, size_t a_len, const char *b,
                         size_t b_len, const char *text, size_t len,
                         char separator) {
  const span a_span = {a, a_len}, b_span = {b, b_len};
  const weight a_weight = weigh(a_span, separator);
  const weight b_weight = weigh(b_span, separator);
  bool a_same, b_same;

  if (a_weight.all || b_weight.all) {
    return (int)a_weight.all - (int)b_weight.all;
  }

  a_same = a_len == len && memcmp(a, text, len) == 0;
  b_same = b_len == len && memcmp(b, text, len) == 0;
  if (a_same || b_same) {
    return (int)b_same - (int)a_same;
  }

  return compare_weights(&a_weight, &b_weight);
}
