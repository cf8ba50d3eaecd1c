#ifndef HEAP_H
#define HEAP_H

#include <stdbool.h>
#include <stddef.h>

#include <stompbroker/base.h>

/*
 * The memory the library sees: counted, bounded, and failing on purpose. Built
 * with HEAP_INTERPOSE, malloc() of the whole program is what counts and fails,
 * and reaches the libraries below the library.
 */
struct heap {
  size_t live;  /* blocks */
  size_t bytes; /* of them */
  size_t calls; /* allocations since heap_reset() */

  size_t fail_at; /* the allocation that fails, from 1; 0: none */
  bool fail_on;   /* and every later one */
  size_t failed;  /* how many have */

  size_t base;   /* bytes there were before the first stream */
  size_t budget; /* bytes there may be on top of them */
  size_t excess; /* the most there were above the budget */
  bool watched;  /* is the budget looked at? */
};
extern struct heap heap;

/* Nothing fails, nothing is watched; what is live stays counted. */
void heap_reset(void);
/* What the broker is to use; NULL: libc's own, which is interposed. */
const struct sbk_mem *heap_mem(void);
/* False: malloc() was to be interposed, and cannot be in this build. */
bool heap_usable(void);

/* The runner's own memory: neither counted nor failing. */
void *own_realloc(void *ptr, size_t size);
void own_free(void *ptr);
char *own_strdup(const char *text);

#endif
