#include "mem.h"

#include <stdlib.h>
#include <string.h>

static void *libc_malloc(size_t size, void *arg) {
  (void)arg;
  return malloc(size);
}

static void *libc_calloc(size_t count, size_t size, void *arg) {
  (void)arg;
  return calloc(count, size);
}

static void *libc_realloc(void *ptr, size_t size, void *arg) {
  (void)arg;
  return realloc(ptr, size);
}

static void libc_free(void *ptr, void *arg) {
  (void)arg;
  free(ptr);
}

const struct sbk_mem *sbk__mem_default(void) {
  static const struct sbk_mem libc = {libc_malloc, libc_calloc, libc_realloc,
                                      libc_free, NULL};

  return &libc;
}

void *sbk__malloc(const struct sbk_mem *mem, size_t size) {
  return mem->malloc(size, mem->arg);
}

void *sbk__calloc(const struct sbk_mem *mem, size_t count, size_t size) {
  return mem->calloc(count, size, mem->arg);
}

void *sbk__realloc(const struct sbk_mem *mem, void *ptr, size_t size) {
  return mem->realloc(ptr, size, mem->arg);
}

void sbk__free(const struct sbk_mem *mem, void *ptr) {
  if (ptr != NULL) {
    mem->free(ptr, mem->arg);
  }
}

char *sbk__strndup(const struct sbk_mem *mem, const char *text, size_t len) {
  char *copy = sbk__malloc(mem, len + 1);

  if (copy == NULL) {
    return NULL;
  }

  if (len > 0) {
    memcpy(copy, text, len);
  }
  copy[len] = '\0';

  return copy;
}
