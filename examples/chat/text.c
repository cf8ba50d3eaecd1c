/* text.c - building and reading text: JSON, forms, digits. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void text_free(struct text *t) {
  free(t->data);
  memset(t, 0, sizeof(*t));
}

void text_put(struct text *t, const void *data, size_t len) {
  if (t->failed) return;
  if (len >= t->cap - t->len) {
    size_t cap = t->cap ? t->cap : 256;
    char *p;
    while (cap - t->len <= len && cap < SIZE_MAX / 2)
      cap *= 2;
    p = cap - t->len > len ? realloc(t->data, cap) : NULL;
    if (p == NULL) {
      t->failed = true;
      return;
    }
    t->data = p;
    t->cap = cap;
  }
  if (len > 0) memcpy(t->data + t->len, data, len);
  t->len += len;
  t->data[t->len] = '\0';
}

void text_str(struct text *t, const char *s) {
  text_put(t, s, strlen(s));
}

void text_num(struct text *t, uint64_t n) {
  char digits[24];
  int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
  text_put(t, digits, (size_t)len);
}

static const char hex[] = "0123456789abcdef";

void text_hex(struct text *t, const uint8_t *data, size_t len) {
  size_t i;
  for (i = 0; i < len; i++) {
    char pair[2] = {hex[data[i] >> 4], hex[data[i] & 15]};
    text_put(t, pair, 2);
  }
}

/* RFC 8259, 7: what must be escaped. '<' is escaped too, which costs little and
 * keeps the text harmless should it ever stand inside a page. */
void text_json(struct text *t, const char *data, size_t len) {
  size_t i, from = 0;
  text_put(t, "\"", 1);
  for (i = 0; i < len; i++) {
    unsigned char c = (unsigned char)data[i];
    char esc[7] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15], '\0'};
    if (c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != 0x7f) continue;
    text_put(t, data + from, i - from);
    if (c == '\n') text_str(t, "\\n");
    else if (c == '\t') text_str(t, "\\t");
    else if (c == '"') text_str(t, "\\\"");
    else if (c == '\\') text_str(t, "\\\\");
    else text_str(t, esc);
    from = i + 1;
  }
  text_put(t, data + from, len - from);
  text_put(t, "\"", 1);
}

static int hex_value(char c) {
  const char *at = c ? strchr(hex, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
  return at ? (int)(at - hex) : -1;
}

bool hex_read(uint8_t *dst, size_t len, const char *src, size_t src_len) {
  size_t i;
  if (src_len % 2 || src_len / 2 != len) return false;
  for (i = 0; i < len; i++) {
    int hi = hex_value(src[2 * i]), lo = hex_value(src[2 * i + 1]);
    if (hi < 0 || lo < 0) return false;
    dst[i] = (uint8_t)(hi * 16 + lo);
  }
  return true;
}

bool num_read(uint64_t *n, const char *src, size_t len) {
  uint64_t v = 0;
  size_t i;
  /* 18 digits cannot overflow, and nothing here needs more. */
  if (len == 0 || len > 18 || (len > 1 && src[0] == '0')) return false;
  for (i = 0; i < len; i++) {
    if (src[i] < '0' || src[i] > '9') return false;
    v = v * 10 + (uint64_t)(src[i] - '0');
  }
  *n = v;
  return true;
}

/* RFC 3629, 4: the length of the character at s, or 0. */
static size_t utf8_char(const unsigned char *s, size_t len) {
  size_t i, more = s[0] < 0x80                    ? 0
                   : s[0] >= 0xc2 && s[0] <= 0xdf ? 1
                   : s[0] >= 0xe0 && s[0] <= 0xef ? 2
                   : s[0] >= 0xf0 && s[0] <= 0xf4 ? 3
                                                  : 9;
  if (more >= len) return 0;
  for (i = 1; i <= more; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
      (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
    return 0;
  return more + 1;
}

bool utf8_plain(const char *data, size_t len) {
  const unsigned char *s = (const unsigned char *)data;
  size_t i = 0;
  while (i < len) {
    size_t n = utf8_char(s + i, len - i);
    if (n == 0) return false;
    if (n == 1 && (s[i] < 0x20 || s[i] == 0x7f) && s[i] != '\n' && s[i] != '\t')
      return false;
    if (n == 2 && s[i] == 0xc2 && s[i + 1] < 0xa0) return false; /* C1 */
    i += n;
  }
  return true;
}

/* What is still to be read. Every reader leaves it behind what it took. */
struct input {
  const char *at;
  const char *end;
};

static void skip_blanks(struct input *in) {
  while (in->at < in->end && strchr(" \t\r\n", *in->at) && *in->at)
    in->at++;
}

static bool take(struct input *in, const char *word) {
  size_t len = strlen(word);
  if ((size_t)(in->end - in->at) < len || memcmp(in->at, word, len) != 0)
    return false;
  in->at += len;
  return true;
}

static bool put(struct field *f, const char *data, size_t len) {
  if (len >= f->size - f->len) return false;
  memcpy(f->dst + f->len, data, len);
  f->len += len;
  return true;
}

static bool put_code(struct field *f, uint32_t c) {
  char u[4];
  if (c < 0x80) {
    u[0] = (char)c;
    return put(f, u, 1);
  }
  if (c < 0x800) {
    u[0] = (char)(0xc0 | c >> 6);
    u[1] = (char)(0x80 | (c & 63));
    return put(f, u, 2);
  }
  if (c < 0x10000) {
    u[0] = (char)(0xe0 | c >> 12);
    u[1] = (char)(0x80 | (c >> 6 & 63));
    u[2] = (char)(0x80 | (c & 63));
    return put(f, u, 3);
  }
  u[0] = (char)(0xf0 | c >> 18);
  u[1] = (char)(0x80 | (c >> 12 & 63));
  u[2] = (char)(0x80 | (c >> 6 & 63));
  u[3] = (char)(0x80 | (c & 63));
  return put(f, u, 4);
}

static bool code_unit(struct input *in, uint32_t *c) {
  uint8_t b[2];
  if (in->end - in->at < 4 || !hex_read(b, 2, in->at, 4)) return false;
  *c = (uint32_t)b[0] << 8 | b[1];
  in->at += 4;
  return true;
}

static bool read_escape(struct input *in, struct field *f) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  const char *at;
  uint32_t c, low;
  char e;
  if (in->at == in->end) return false;
  e = *in->at++;
  if (e != 'u') {
    at = e ? strchr(from, e) : NULL;
    return at != NULL && put(f, &to[at - from], 1);
  }
  if (!code_unit(in, &c)) return false;
  if (c >= 0xd800 && c < 0xdc00) { /* the first half of a pair */
    if (!take(in, "\\u") || !code_unit(in, &low)) return false;
    if (low < 0xdc00 || low > 0xdfff) return false;
    c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
  } else if (c >= 0xdc00 && c < 0xe000) {
    return false;
  }
  return put_code(f, c);
}

static bool read_string(struct input *in, struct field *f) {
  if (!take(in, "\"")) return false;
  f->len = 0;
  while (in->at < in->end && *in->at != '"') {
    const char *from = in->at;
    while (in->at < in->end && *in->at != '"' && *in->at != '\\') {
      if ((unsigned char)*in->at < 0x20) return false;
      in->at++;
    }
    if (!put(f, from, (size_t)(in->at - from))) return false;
    if (in->at < in->end && *in->at == '\\') {
      in->at++;
      if (!read_escape(in, f)) return false;
    }
  }
  f->dst[f->len] = '\0';
  return take(in, "\"") && utf8_plain(f->dst, f->len);
}

static bool read_number(struct input *in, struct field *f) {
  const char *from = in->at;
  if (take(in, "true")) return *f->number = 1, true;
  if (take(in, "false")) return *f->number = 0, true;
  while (in->at < in->end && *in->at >= '0' && *in->at <= '9')
    in->at++;
  return num_read(f->number, from, (size_t)(in->at - from));
}

/* The field of that name, once. */
static struct field *claim(struct field *fields, size_t count,
                           const char *name) {
  size_t i;
  for (i = 0; i < count; i++) {
    if (strcmp(fields[i].name, name) == 0 && !fields[i].seen) {
      fields[i].seen = true;
      return &fields[i];
    }
  }
  return NULL;
}

static bool all_seen(const struct field *fields, size_t count) {
  size_t i;
  for (i = 0; i < count; i++)
    if (!fields[i].seen) return false;
  return true;
}

static bool read_member(struct input *in, struct field *fields, size_t count) {
  char name[32];
  struct field key = {.dst = name, .size = sizeof(name)}, *f;
  skip_blanks(in);
  if (!read_string(in, &key)) return false;
  skip_blanks(in);
  if (!take(in, ":")) return false;
  skip_blanks(in);
  f = claim(fields, count, name);
  if (f == NULL) return false;
  if (!(f->number ? read_number(in, f) : read_string(in, f))) return false;
  skip_blanks(in);
  return true;
}

bool json_read(const char *src, size_t len, struct field *fields,
               size_t count) {
  struct input in = {src, src + len};
  skip_blanks(&in);
  if (!take(&in, "{")) return false;
  do {
    if (!read_member(&in, fields, count)) return false;
  } while (take(&in, ","));
  if (!take(&in, "}")) return false;
  skip_blanks(&in);
  return in.at == in.end && all_seen(fields, count);
}

/* Up to '=', '&' or the end. */
static bool read_encoded(struct input *in, struct field *f) {
  f->len = 0;
  while (in->at < in->end && *in->at != '=' && *in->at != '&') {
    uint8_t c = (uint8_t)*in->at++;
    if (c == '%') {
      if (in->end - in->at < 2 || !hex_read(&c, 1, in->at, 2)) return false;
      in->at += 2;
    } else if (c == '+') {
      c = ' ';
    }
    if (!put(f, (const char *)&c, 1)) return false;
  }
  f->dst[f->len] = '\0';
  return utf8_plain(f->dst, f->len);
}

bool form_read(const char *src, size_t len, struct field *fields,
               size_t count) {
  struct input in = {src, src + len};
  do {
    char name[32];
    struct field key = {.dst = name, .size = sizeof(name)}, *f;
    if (!read_encoded(&in, &key) || !take(&in, "=")) return false;
    f = claim(fields, count, name);
    if (f == NULL || f->number != NULL || !read_encoded(&in, f)) return false;
  } while (take(&in, "&"));
  return in.at == in.end && all_seen(fields, count);
}

bool type_is(const char *value, const char *type) {
  size_t len = strlen(type);
  return value != NULL && strncasecmp(value, type, len) == 0 &&
         (value[len] == '\0' || strchr("; \t", value[len]) != NULL);
}
