#ifndef SBK__MEM_H
#define SBK__MEM_H

#include <stompbroker/base.h>

/* The host's memory functions, or libc's. The only place that allocates. */

const struct sbk_mem *sbk__mem_default(void);

void *sbk__malloc(const struct sbk_mem *mem, size_t size);
void *sbk__calloc(const struct sbk_mem *mem, size_t count, size_t size);
/* As realloc(3): NULL leaves ptr as it was. */
void *sbk__realloc(const struct sbk_mem *mem, void *ptr, size_t size);
void sbk__free(const struct sbk_mem *mem, void *ptr);

/* len bytes of text and a NUL behind them; NULL: no memory. */
char *sbk__strndup(const struct sbk_mem *mem, const char *text, size_t len);

#endif
