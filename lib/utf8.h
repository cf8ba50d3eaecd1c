#ifndef SBK__UTF8_H
#define SBK__UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Is it UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above
 * U+10FFFF)? In pieces of any size; a state of all zero is the start.
 */
typedef struct sbk__utf8 {
  uint8_t need;  /* continuation bytes still to come */
  uint8_t lower; /* bounds of the next one */
  uint8_t upper;
} sbk__utf8;

/* False as soon as no continuation can make it valid. */
bool sbk__utf8_feed(sbk__utf8 *state, const void *data, size_t len);
/* Nothing is left unfinished. */
bool sbk__utf8_done(const sbk__utf8 *state);

/* A whole text at once. */
bool sbk__utf8_valid(const void *data, size_t len);

/*
 * How many bytes the character at the start of data has, len being 1 at least.
 * With *good false it is none, but what one U+FFFD stands for: the longest
 * beginning of a character, or else one byte (Unicode 15, 3.9, Substitution of
 * Maximal Subparts), as in browsers.
 */
size_t sbk__utf8_char(const void *data, size_t len, bool *good);

#endif
