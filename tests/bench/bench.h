#ifndef BENCH_H
#define BENCH_H

#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <stompbroker/stompbroker.h>

/* What the benches have in common. */

static inline void check(int truth, const char *what) {
  if (truth) return;
  fprintf(stderr, "bench: %s\n", what);
  exit(1);
}

static inline double cpu(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- memory that is counted ---- */

static size_t live_bytes, live_blocks, allocations;

struct head {
  size_t size;
  size_t unused; /* keeps what follows aligned */
};

static inline void *grow(void *ptr, size_t size, void *arg) {
  struct head *head = ptr != NULL ? (struct head *)ptr - 1 : NULL;
  size_t before = head != NULL ? head->size : 0;
  (void)arg;
  head = realloc(head, sizeof(*head) + size);
  if (head == NULL) return NULL;
  live_blocks += ptr == NULL;
  live_bytes += size - before;
  allocations++;
  head->size = size;
  return head + 1;
}

static inline void *get(size_t size, void *arg) {
  return grow(NULL, size, arg);
}

static inline void *get_zeroed(size_t count, size_t size, void *arg) {
  void *ptr = grow(NULL, count * size, arg);
  return ptr != NULL ? memset(ptr, 0, count * size) : NULL;
}

static inline void put(void *ptr, void *arg) {
  struct head *head = (struct head *)ptr - 1;
  (void)arg;
  live_bytes -= head->size;
  live_blocks--;
  free(head);
}

static const struct sbk_mem counted = {get, get_zeroed, grow, put, NULL};

#endif
