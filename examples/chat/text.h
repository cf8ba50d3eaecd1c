#ifndef CHAT_TEXT_H
#define CHAT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Text that grows. What fails is remembered: ask `failed` once, at the end. */
struct text {
  char *data; /**< ended by NUL, or NULL while nothing was put */
  size_t len;
  size_t cap;
  bool failed;
};

void text_free(struct text *t);
void text_put(struct text *t, const void *data, size_t len);
void text_str(struct text *t, const char *s);
void text_num(struct text *t, uint64_t n);
/** Lower-case hexadecimal digits. */
void text_hex(struct text *t, const uint8_t *data, size_t len);
/** A JSON string with its quotes. data is UTF-8. */
void text_json(struct text *t, const char *data, size_t len);

/** What text_hex() wrote, into exactly len bytes. */
bool hex_read(uint8_t *dst, size_t len, const char *src, size_t src_len);
/** Decimal digits without sign, blank or leading zero. */
bool num_read(uint64_t *n, const char *src, size_t len);
/** Well-formed UTF-8 without control characters other than tab and newline. */
bool utf8_plain(const char *data, size_t len);

/** A member that is looked for: a string (dst) or a number (number). */
struct field {
  const char *name;
  char *dst;   /**< gets the string, ended by NUL */
  size_t size; /**< of dst */
  uint64_t *number;
  size_t len; /**< of what was put to dst, without the NUL */
  bool seen;
};

/**
 * Reads one flat JSON object of strings, unsigned integers and booleans (1 and
 * 0), all of which are named in fields, none twice. What is more, less or
 * malformed, and a string that does not fit or has control characters other
 * than tab and newline: false.
 */
bool json_read(const char *src, size_t len, struct field *fields, size_t count);
/** The same of application/x-www-form-urlencoded, strings only. */
bool form_read(const char *src, size_t len, struct field *fields, size_t count);

/** Is the value of a Content-Type field this type, whatever its parameters? */
bool type_is(const char *value, const char *type);

#endif
