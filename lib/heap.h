#ifndef SBK__HEAP_H
#define SBK__HEAP_H

#include "mem.h"

/* Timers: a binary heap of pointers to members. Room is reserved when a timer
 * comes to life, so that setting one cannot fail. */
typedef struct sbk__timer {
  sbk_msec due;
  size_t place; /* 1 and up; 0: not set */
} sbk__timer;

typedef struct sbk__heap {
  const struct sbk_mem *mem;
  sbk__timer **timers; /* timers[0] is the first to be due */
  size_t count;
  size_t cap;
} sbk__heap;

void sbk__heap_init(sbk__heap *heap, const struct sbk_mem *mem);
void sbk__heap_free(sbk__heap *heap);
/* Room for count timers in all. 0, or SBK_ERR_NOMEM. */
int sbk__heap_reserve(sbk__heap *heap, size_t count);
/* Sets or moves a timer; SBK_NEVER takes it out. */
void sbk__heap_set(sbk__heap *heap, sbk__timer *timer, sbk_msec due);
/* NULL: none is set. */
sbk__timer *sbk__heap_first(const sbk__heap *heap);

#endif
