#ifndef SBK__ASCII_H
#define SBK__ASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What <ctype.h> does, without the process's locale. */

static inline char sbk__ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline bool sbk__ascii_is_digit(char c) {
  return c >= '0' && c <= '9';
}

static inline bool sbk__ascii_is_alpha(char c) {
  return sbk__ascii_lower(c) >= 'a' && sbk__ascii_lower(c) <= 'z';
}

/* Blanks of HTTP (RFC 9110, 5.6.3). */
static inline bool sbk__ascii_is_blank(char c) {
  return c == ' ' || c == '\t';
}

/* Below 0x20, or 0x7f. */
static inline bool sbk__ascii_is_control(char c) {
  return (uint8_t)c < 0x20 || c == 0x7f;
}

/* May it stand in a token (RFC 9110, 5.6.2)? */
static inline bool sbk__ascii_is_token(char c) {
  static const uint64_t set[2] = {UINT64_C(0x03ff6cfa00000000),
                                  UINT64_C(0x57ffffffc7fffffe)};
  const uint8_t byte = (uint8_t)c;

  return byte < 128 && (set[byte / 64] >> (byte % 64) & 1) != 0;
}

/* The value of a hexadecimal digit; -1: it is none. */
static inline int sbk__ascii_hex(char c) {
  if (sbk__ascii_is_digit(c)) {
    return c - '0';
  }
  c = sbk__ascii_lower(c);

  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Equal, whatever the case? */
static inline bool sbk__ascii_same(const char *a, size_t a_len, const char *b,
                                   size_t b_len) {
  size_t i;

  if (a_len != b_len) {
    return false;
  }
  for (i = 0; i < a_len; i++) {
    if (sbk__ascii_lower(a[i]) != sbk__ascii_lower(b[i])) {
      return false;
    }
  }

  return true;
}

#endif
