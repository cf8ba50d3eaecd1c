#ifndef FAILING_MEM_H
#define FAILING_MEM_H

#include <stdlib.h>

#include <stompbroker/base.h>

/* Memory that counts what lives and fails when it is told to. */
struct failing_mem {
  struct sbk_mem mem; /* arg points back here */
  size_t calls;       /* that asked for memory */
  size_t fail_from;   /* this call, counted from 0, and all behind it fail */
  size_t blocks;      /* alive */
  size_t bytes;       /* alive */
  size_t peak;        /* the most of them; while moving, old and new count */
};

#define FAILING_MEM_HEADER 16

static inline void *failing_alloc(struct failing_mem *self, size_t size) {
  unsigned char *block;

  if (self->calls++ >= self->fail_from) {
    return NULL;
  }
  block = malloc(size + FAILING_MEM_HEADER);
  if (block == NULL) {
    return NULL;
  }
  *(size_t *)(void *)block = size;
  self->blocks++;
  self->bytes += size;
  self->peak = self->bytes > self->peak ? self->bytes : self->peak;

  return block + FAILING_MEM_HEADER;
}

static inline size_t failing_size(void *ptr) {
  return *(size_t *)(void *)((unsigned char *)ptr - FAILING_MEM_HEADER);
}

static inline void failing_free(void *ptr, void *arg) {
  struct failing_mem *self = arg;

  self->blocks--;
  self->bytes -= failing_size(ptr);
  free((unsigned char *)ptr - FAILING_MEM_HEADER);
}

static inline void *failing_malloc(size_t size, void *arg) {
  return failing_alloc(arg, size);
}

static inline void *failing_calloc(size_t count, size_t size, void *arg) {
  unsigned char *ptr = failing_alloc(arg, count * size);
  size_t i;

  for (i = 0; ptr != NULL && i < count * size; i++) {
    ptr[i] = 0;
  }

  return ptr;
}

/* Always moves, so that a stale pointer shows. */
static inline void *failing_realloc(void *ptr, size_t size, void *arg) {
  unsigned char *to = failing_alloc(arg, size), *from = ptr;
  size_t i;

  if (to == NULL || from == NULL) {
    return to;
  }
  for (i = 0; i < size && i < failing_size(ptr); i++) {
    to[i] = from[i];
  }
  failing_free(ptr, arg);

  return to;
}

static inline void failing_mem_init(struct failing_mem *self) {
  const struct sbk_mem mem = {failing_malloc, failing_calloc, failing_realloc,
                              failing_free, self};

  self->mem = mem;
  self->calls = 0;
  self->fail_from = SIZE_MAX;
  self->blocks = 0;
  self->bytes = 0;
  self->peak = 0;
}

/* The same numbers in every run. */
static inline uint32_t test_random(uint32_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;

  return *state;
}

#endif
