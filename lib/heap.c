#include "heap.h"

#include <assert.h>
#include <string.h>

void sbk__heap_init(sbk__heap *heap, const struct sbk_mem *mem) {
  memset(heap, 0, sizeof(*heap));
  heap->mem = mem;
}

void sbk__heap_free(sbk__heap *heap) {
  sbk__free(heap->mem, heap->timers);
  sbk__heap_init(heap, heap->mem);
}

int sbk__heap_reserve(sbk__heap *heap, size_t count) {
  size_t cap = heap->cap < 16 ? 16 : heap->cap;
  sbk__timer **timers;

  if (count <= heap->cap) {
    return 0;
  }
  if (count > SIZE_MAX / 4 / sizeof(sbk__timer *)) {
    return SBK_ERR_NOMEM;
  }

  while (cap < count) {
    cap *= 2;
  }
  timers = sbk__realloc(heap->mem, heap->timers, cap * sizeof(sbk__timer *));
  if (timers == NULL) {
    return SBK_ERR_NOMEM;
  }
  heap->timers = timers;
  heap->cap = cap;

  return 0;
}

static void put(sbk__heap *heap, size_t at, sbk__timer *timer) {
  heap->timers[at] = timer;
  timer->place = at + 1;
}

/* Finds the place of a timer that may stand at `at` but is earlier than what is
 * above that. */
static void rise(sbk__heap *heap, size_t at, sbk__timer *timer) {
  while (at > 0 && timer->due < heap->timers[(at - 1) / 2]->due) {
    put(heap, at, heap->timers[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
  put(heap, at, timer);
}

/* The same, but later than what is below. */
static void sink(sbk__heap *heap, size_t at, sbk__timer *timer) {
  size_t child;

  while ((child = 2 * at + 1) < heap->count) {
    if (child + 1 < heap->count &&
        heap->timers[child + 1]->due < heap->timers[child]->due) {
      child++;
    }
    if (timer->due <= heap->timers[child]->due) {
      break;
    }
    put(heap, at, heap->timers[child]);
    at = child;
  }
  put(heap, at, timer);
}

static void settle(sbk__heap *heap, size_t at, sbk__timer *timer) {
  if (at > 0 && timer->due < heap->timers[(at - 1) / 2]->due) {
    rise(heap, at, timer);
  } else {
    sink(heap, at, timer);
  }
}

static void take_out(sbk__heap *heap, sbk__timer *timer) {
  size_t at = timer->place - 1;
  sbk__timer *last = heap->timers[--heap->count];

  timer->place = 0;
  if (last != timer) {
    settle(heap, at, last);
  }
}

void sbk__heap_set(sbk__heap *heap, sbk__timer *timer, sbk_msec due) {
  assert(timer->place <= heap->count);

  timer->due = due;
  if (due == SBK_NEVER) {
    if (timer->place > 0) {
      take_out(heap, timer);
    }
  } else if (timer->place > 0) {
    settle(heap, timer->place - 1, timer);
  } else {
    assert(heap->count < heap->cap);
    rise(heap, heap->count++, timer);
  }
}

sbk__timer *sbk__heap_first(const sbk__heap *heap) {
  return heap->count > 0 ? heap->timers[0] : NULL;
}
