#include "text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"

void codes_add(struct codes *codes, unsigned code) {
  if (codes->len == codes->cap) {
    codes->cap = codes->cap > 0 ? codes->cap * 2 : 256;
    codes->at = own_realloc(codes->at, codes->cap * sizeof(*codes->at));
  }
  codes->at[codes->len++] = (uint16_t)code;
}

void codes_add_bytes(struct codes *codes, const void *data, size_t len) {
  const uint8_t *bytes = data;
  size_t i;

  for (i = 0; i < len; i++) {
    codes_add(codes, bytes[i]);
  }
}

void codes_add_text(struct codes *codes, const char *text) {
  codes_add_bytes(codes, text, strlen(text));
}

void codes_append(struct codes *codes, const struct codes *more) {
  size_t i;

  for (i = 0; i < more->len; i++) {
    codes_add(codes, more->at[i]);
  }
}

void codes_clear(struct codes *codes) {
  codes->len = 0;
}

void codes_free(struct codes *codes) {
  own_free(codes->at);
  memset(codes, 0, sizeof(*codes));
}

bool codes_equal(const struct codes *a, const struct codes *b) {
  return a->len == b->len &&
         (a->len == 0 || memcmp(a->at, b->at, a->len * sizeof(*a->at)) == 0);
}

static unsigned hex_digit(char c) {
  const char *digits = "0123456789abcdef";
  const char *at = c != '\0' ? strchr(digits, tolower((unsigned char)c)) : NULL;

  return at != NULL ? (unsigned)(at - digits) : 16;
}

/* One escape behind a backslash; how many characters it has. */
static size_t parse_escape(struct codes *codes, const char *text, size_t len) {
  static const char names[] = "nrt0";
  static const char bytes[] = "\n\r\t\0";
  const char *at;

  if (len >= 3 && text[0] == 'x' && hex_digit(text[1]) < 16 &&
      hex_digit(text[2]) < 16) {
    codes_add(codes, hex_digit(text[1]) * 16 + hex_digit(text[2]));
    return 3;
  }
  if (len == 0) {
    return 0;
  }
  at = memchr(names, text[0], sizeof(names) - 1);
  codes_add(codes, (uint8_t)(at != NULL ? bytes[at - names] : text[0]));
  return 1;
}

/* A brace: how many characters it took, 0 if it is just a brace. */
static size_t parse_brace(struct codes *codes, const char *text, size_t len,
                          bool pattern) {
  static const struct {
    const char *name;
    unsigned code;
  } names[] = {
      {"{*}", CODE_ANY}, {"{session}", CODE_SESSION}, {"{n}", CODE_NUMBER}};
  const char *end = memchr(text, '}', len);
  const char *star;
  size_t i, size;
  unsigned long count;
  struct codes piece = {0};

  if (end == NULL) {
    return 0;
  }
  size = (size_t)(end - text) + 1;
  for (i = 0; pattern && i < sizeof(names) / sizeof(*names); i++) {
    if (size == strlen(names[i].name) &&
        memcmp(text, names[i].name, size) == 0) {
      codes_add(codes, names[i].code);
      return size;
    }
  }
  if (!pattern && size >= 4 && memcmp(text, "{id", 3) == 0) {
    if (size == 4) {
      codes_add(codes, CODE_ID);
      return size;
    }
    if (size == 6 && text[3] == '-' && isdigit((unsigned char)text[4])) {
      codes_add(codes, CODE_ID + (unsigned)(text[4] - '0'));
      return size;
    }
  }
  for (star = end - 1; star > text && isdigit((unsigned char)*star); star--) {
  }
  if (star <= text + 1 || *star != '*' || star + 1 == end) {
    return 0;
  }
  codes_parse(&piece, text + 1, (size_t)(star - text) - 1, pattern);
  for (count = strtoul(star + 1, NULL, 10); count > 0; count--) {
    codes_append(codes, &piece);
  }
  codes_free(&piece);
  return size;
}

void codes_parse(struct codes *codes, const char *text, size_t len,
                 bool pattern) {
  size_t i = 0, used;

  while (i < len) {
    if (text[i] == '\\') {
      i += 1 + parse_escape(codes, text + i + 1, len - i - 1);
      continue;
    }
    if (text[i] == '^' && i + 1 < len && text[i + 1] == '@') {
      codes_add(codes, 0);
      i += 2;
      continue;
    }
    used = text[i] == '{' ? parse_brace(codes, text + i, len - i, pattern) : 0;
    if (used > 0) {
      i += used;
      continue;
    }
    codes_add(codes, (uint8_t)text[i++]);
  }
}

static bool is_hex(unsigned code) {
  return (code >= '0' && code <= '9') || (code >= 'a' && code <= 'f');
}

static size_t hex_run(const uint16_t *at, size_t len) {
  size_t i = 0;

  while (i < len && i <= 32 && is_hex(at[i])) {
    i++;
  }
  return i;
}

static size_t session_len(const uint16_t *at, size_t len) {
  return hex_run(at, len) == 32 ? 32 : 0;
}

/* Eight hexadecimal digits, '-', a decimal number. */
static size_t number_len(const uint16_t *at, size_t len) {
  size_t i = 9;

  if (hex_run(at, len) != 8 || len < 10 || at[8] != '-') {
    return 0;
  }
  while (i < len && at[i] < 256 && isdigit(at[i])) {
    i++;
  }
  return i > 9 ? i : 0;
}

/* How many codes one code of a pattern stands for; 0: it does not match. */
static size_t match_one(unsigned code, const uint16_t *at, size_t len) {
  if (len > 0 && *at == code) {
    return 1;
  }
  if (code == CODE_SESSION) {
    return session_len(at, len);
  }
  if (code == CODE_NUMBER) {
    return number_len(at, len);
  }
  return 0;
}

bool codes_match(const struct codes *pattern, const struct codes *codes) {
  size_t p = 0, c = 0, back_p = 0, back_c = 0, used;
  bool can_go_back = false;

  for (;;) {
    if (p < pattern->len && pattern->at[p] == CODE_ANY) {
      back_p = ++p;
      back_c = c;
      can_go_back = true;
      continue;
    }
    if (p == pattern->len && c == codes->len) {
      return true;
    }
    used = p < pattern->len
               ? match_one(pattern->at[p], codes->at + c, codes->len - c)
               : 0;
    if (used > 0) {
      p++;
      c += used;
      continue;
    }
    if (!can_go_back || back_c >= codes->len || codes->at[back_c] > 255 ||
        codes->at[back_c] == '\n' || codes->at[back_c] == '\0') {
      return false;
    }
    c = ++back_c;
    p = back_p;
  }
}

static bool begins_with(const uint16_t *at, size_t len, const char *text) {
  size_t i;

  for (i = 0; text[i] != '\0'; i++) {
    if (i == len || at[i] != (uint8_t)text[i]) {
      return false;
    }
  }
  return true;
}

void codes_generalize(struct codes *codes, const struct codes *from) {
  size_t i = 0, used, len;

  while (i < from->len) {
    const uint16_t *at = from->at + i;
    unsigned code = *at;

    used = 1;
    if (is_hex(code) && (i == 0 || !is_hex(at[-1]))) {
      len = number_len(at, from->len - i);
      if (len > 0) {
        used = len;
        code = CODE_NUMBER;
      } else if (session_len(at, from->len - i) > 0) {
        used = 32;
        code = CODE_SESSION;
      }
    }
    if (begins_with(at, from->len - i, "\nack:")) {
      codes_add_text(codes, "\nack:");
      for (i += 5; i < from->len && from->at[i] != '\n'; i++) {
      }
      continue;
    }
    codes_add(codes, code);
    i += used;
  }
}

/* The message-id of the last MESSAGE but so many; where it begins, or 0. */
static size_t find_id(const struct codes *shown, unsigned back) {
  static const char name[] = "\nmessage-id:";
  size_t i;

  for (i = shown->len; i > 0; i--) {
    const uint16_t *at = shown->at + i - 1;

    if (begins_with(at, shown->len - i + 1, name) && back-- == 0) {
      return i - 1 + strlen(name);
    }
  }
  return 0;
}

void codes_put_ids(struct codes *codes, const struct codes *from,
                   const struct codes *shown) {
  size_t i, at;

  for (i = 0; i < from->len; i++) {
    if (from->at[i] < CODE_ID) {
      codes_add(codes, from->at[i]);
      continue;
    }
    at = find_id(shown, from->at[i] - CODE_ID);
    if (at == 0) {
      codes_add_text(codes, "none"); /* torture: it never came */
    }
    for (; at > 0 && at < shown->len && shown->at[at] != '\n'; at++) {
      codes_add(codes, shown->at[at]);
    }
  }
}

static const char *code_name(unsigned code) {
  static const char *const names[] = {
      "{*}",     "{session}", "{n}",   "[text] ",   "[binary] ", "[ping] ",
      "[pong] ", "[close",    "[end]", "[broken] ", "{id}"};

  return names[code < CODE_ID ? code - 256 : CODE_ID - 256];
}

/* A line for people; how many codes it took. */
static size_t render_line(const struct codes *codes, size_t from, char *line,
                          size_t cap) {
  size_t i = from, len = 0;

  while (i < codes->len) {
    unsigned code = codes->at[i];

    if (code >= CODE_TEXT && i > from) {
      break;
    }
    i++;
    if (len + 24 > cap) { /* long lines: the rest is left out */
      if (code == '\n') {
        break;
      }
      continue;
    }
    if (code == CODE_CLOSE) {
      if (i + 1 < codes->len && codes->at[i] < 256) {
        len += (size_t)snprintf(line + len, cap - len, "[close %u] ",
                                codes->at[i] * 256u + codes->at[i + 1]);
        i += 2;
      } else {
        len += (size_t)snprintf(line + len, cap - len, "[close]");
      }
    } else if (code > 255) {
      len += (size_t)snprintf(line + len, cap - len, "%s", code_name(code));
    } else if (code == '\n') {
      len += (size_t)snprintf(line + len, cap - len, "\\n");
      break;
    } else if (code == '\0') {
      len += (size_t)snprintf(line + len, cap - len, "^@");
    } else if (code < 0x20 || code > 0x7e) {
      len += (size_t)snprintf(line + len, cap - len, "\\x%02x", code);
    } else {
      line[len++] = (char)code;
    }
  }
  line[len] = '\0';
  return i - from;
}

void codes_print_diff(const struct codes *expected,
                      const struct codes *actual) {
  char one[200], other[200];
  size_t e = 0, a = 0, lines = 0;

  while ((e < expected->len || a < actual->len) && lines++ < 60) {
    size_t e_len = render_line(expected, e, one, sizeof(one));
    size_t a_len = render_line(actual, a, other, sizeof(other));
    struct codes e_part = {expected->at + e, e_len, 0};
    struct codes a_part = {actual->at + a, a_len, 0};

    if (e_len > 0 && a_len > 0 && codes_match(&e_part, &a_part)) {
      printf("#     %s\n", other);
    } else {
      if (e_len > 0) {
        printf("#   - %s\n", one);
      }
      if (a_len > 0) {
        printf("#   + %s\n", other);
      }
    }
    e += e_len;
    a += a_len;
  }
}
