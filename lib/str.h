#ifndef SBK__STR_H
#define SBK__STR_H

#include <stdbool.h>

#include "mem.h"

/*
 * Bytes that grow at their end. When memory ends the string says so once, in
 * `failed`, and takes nothing more: callers check at the end, not at each step.
 */
typedef struct sbk__str {
  const struct sbk_mem *mem;
  char *data; /* NULL while empty; not ended by NUL */
  size_t len;
  size_t cap;
  bool failed;
} sbk__str;

void sbk__str_init(sbk__str *str, const struct sbk_mem *mem);
void sbk__str_free(sbk__str *str);

/* Room for size bytes more, so that adding them cannot fail. 0, or
 * SBK_ERR_NOMEM. */
int sbk__str_reserve(sbk__str *str, size_t size);

void sbk__str_add(sbk__str *str, const void *data, size_t len);
void sbk__str_addz(sbk__str *str, const char *text);
void sbk__str_add_u64(sbk__str *str, uint64_t value);

/* The number that text is as sbk__format_u64() writes it; 0: it is none, or too
 * large. */
uint64_t sbk__parse_u64(const char *text);
/* Digits of value, most significant first, no NUL; how many: 20 at most. */
size_t sbk__format_u64(char out[20], uint64_t value);

#endif
