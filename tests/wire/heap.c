#include "heap.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct heap heap;

/* Sanitizers have a malloc() of their own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#  define SANITIZED 1
#elif defined(__has_feature)
#  if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||   \
      __has_feature(memory_sanitizer)
#    define SANITIZED 1
#  endif
#endif
#ifndef SANITIZED
#  define SANITIZED 0
#endif

#if defined(HEAP_INTERPOSE) && !SANITIZED && defined(__GLIBC__)
#  define INTERPOSED 1
#else
#  define INTERPOSED 0
#endif

#if INTERPOSED
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *ptr, size_t size);
void __libc_free(void *ptr);
#  define raw_malloc  __libc_malloc
#  define raw_calloc  __libc_calloc
#  define raw_realloc __libc_realloc
#  define raw_free    __libc_free
#else
#  define raw_malloc  malloc
#  define raw_calloc  calloc
#  define raw_realloc realloc
#  define raw_free    free
#endif

bool heap_usable(void) {
#ifdef HEAP_INTERPOSE
  return INTERPOSED;
#else
  return true;
#endif
}

void heap_reset(void) {
  heap.calls = 0;
  heap.fail_at = 0;
  heap.fail_on = false;
  heap.failed = 0;
  heap.excess = 0;
  heap.watched = false;
}

static bool fails(void) {
  heap.calls++;
  if (heap.fail_at == 0 || heap.calls < heap.fail_at ||
      (heap.calls > heap.fail_at && !heap.fail_on)) {
    return false;
  }
  heap.failed++;
  return true;
}

static void added(void *ptr) {
  heap.live++;
  heap.bytes += malloc_usable_size(ptr);
  if (heap.watched && heap.bytes > heap.base + heap.budget &&
      heap.bytes - heap.base - heap.budget > heap.excess) {
    heap.excess = heap.bytes - heap.base - heap.budget;
  }
}

static void gone(void *ptr) {
  heap.live--;
  heap.bytes -= malloc_usable_size(ptr);
}

static void *count_malloc(size_t size) {
  void *ptr = fails() ? NULL : raw_malloc(size);

  if (ptr != NULL) {
    added(ptr);
  }
  return ptr;
}

static void *count_calloc(size_t count, size_t size) {
  void *ptr = fails() ? NULL : raw_calloc(count, size);

  if (ptr != NULL) {
    added(ptr);
  }
  return ptr;
}

static void *count_realloc(void *old, size_t size) {
  void *ptr;

  if (old == NULL) {
    return count_malloc(size);
  }
  if (fails()) {
    return NULL;
  }
  gone(old);
  ptr = raw_realloc(old, size);
  added(ptr != NULL ? ptr : old);
  return ptr;
}

static void count_free(void *ptr) {
  if (ptr != NULL) {
    gone(ptr);
    raw_free(ptr);
  }
}

#if INTERPOSED

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *ptr, size_t size);
void free(void *ptr);

static void *or_errno(void *ptr) {
  if (ptr == NULL) {
    errno = ENOMEM;
  }
  return ptr;
}

void *malloc(size_t size) {
  return or_errno(count_malloc(size));
}
void *calloc(size_t count, size_t size) {
  return or_errno(count_calloc(count, size));
}
void *realloc(void *ptr, size_t size) {
  return or_errno(count_realloc(ptr, size));
}
void free(void *ptr) {
  count_free(ptr);
}

const struct sbk_mem *heap_mem(void) {
  return NULL;
}

#else

static void *mem_malloc(size_t size, void *arg) {
  return count_malloc(size);
}
static void *mem_calloc(size_t count, size_t size, void *arg) {
  return count_calloc(count, size);
}
static void *mem_realloc(void *ptr, size_t size, void *arg) {
  return count_realloc(ptr, size);
}
static void mem_free(void *ptr, void *arg) {
  count_free(ptr);
}

const struct sbk_mem *heap_mem(void) {
  static const struct sbk_mem mem = {mem_malloc, mem_calloc, mem_realloc,
                                     mem_free, NULL};
  return &mem;
}

#endif

void *own_realloc(void *ptr, size_t size) {
  ptr = raw_realloc(ptr, size > 0 ? size : 1);
  if (ptr == NULL) {
    fputs("Bail out! the test itself has no memory\n", stdout);
    exit(99);
  }
  return ptr;
}

void own_free(void *ptr) {
  raw_free(ptr);
}

char *own_strdup(const char *text) {
  size_t len = strlen(text) + 1;

  return memcpy(own_realloc(NULL, len), text, len);
}
