#include "outq.h"

#include <assert.h>
#include <string.h>

#define RING_MIN    16   /* entries: 256 bytes */
#define SPARE_RINGS 1024 /* kept: 256 KiB at most */

void sbk__rings_init(sbk__rings *rings, const struct sbk_mem *mem) {
  rings->mem = mem;
  rings->spare = NULL;
  rings->count = 0;
}

void sbk__rings_free(sbk__rings *rings) {
  while (rings->spare != NULL) {
    sbk__entry *next = rings->spare->ref.next;

    sbk__free(rings->mem, rings->spare);
    rings->spare = next;
  }
  rings->count = 0;
}

static sbk__entry *ring_get(sbk__rings *rings, uint32_t cap) {
  sbk__entry *ring = rings->spare;

  if (cap != RING_MIN || ring == NULL) {
    return sbk__malloc(rings->mem, cap * sizeof(*ring));
  }
  rings->spare = ring->ref.next;
  rings->count--;

  return ring;
}

static void ring_put(sbk__rings *rings, sbk__entry *ring, uint32_t cap) {
  if (cap != RING_MIN || rings->count == SPARE_RINGS) {
    sbk__free(rings->mem, ring);
    return;
  }
  ring->ref.next = rings->spare;
  rings->spare = ring;
  rings->count++;
}

/* Moves the others together. */
void sbk__outq_close_holes(sbk__outq *q) {
  uint32_t from, to = 0, looked = 0;

  for (from = 0; from < q->count; from++) {
    const sbk__entry *entry = sbk__outq_at(q, from);

    if (entry->slot != SBK__OUT_NOTHING) {
      looked += from < q->looked;
      *sbk__outq_at(q, to++) = *entry;
    }
  }
  q->count = to;
  q->holes = 0;
  q->looked = looked;
}

int sbk__outq_reserve(sbk__outq *q, sbk__rings *rings) {
  uint32_t i, cap = q->cap == 0 ? RING_MIN : q->cap * 2;
  sbk__entry *ring;

  if (q->count < q->cap) {
    return 0;
  }
  if (q->cap > 0 && q->holes >= q->cap / 4) {
    sbk__outq_close_holes(q);
    return 0;
  }
  if (cap > UINT32_MAX / 4) {
    return SBK_ERR_NOMEM;
  }
  ring = ring_get(rings, cap);
  if (ring == NULL) {
    return SBK_ERR_NOMEM;
  }

  for (i = 0; i < q->count; i++) {
    ring[i] = *sbk__outq_at(q, i);
  }
  if (q->ring != NULL) {
    ring_put(rings, q->ring, q->cap);
  }
  q->ring = ring;
  q->cap = cap;
  q->head = 0;

  return 0;
}

void sbk__outq_push(sbk__outq *q, sbk__entry entry, size_t bytes) {
  assert(q->count < q->cap);
  q->ring[(q->head + q->count) & (q->cap - 1)] = entry;
  q->count++;
  q->bytes += bytes;
}

void sbk__outq_trim(sbk__outq *q, sbk__rings *rings) {
  if (q->count == 0 && q->ring != NULL) {
    ring_put(rings, q->ring, q->cap);
    memset(q, 0, sizeof(*q));
  }
}

static void shrink(sbk__outq *q, sbk__rings *rings, size_t bytes) {
  assert(q->count > 0 && bytes <= q->bytes);
  q->count--;
  q->bytes -= bytes;
  sbk__outq_trim(q, rings);
}

static void pop_first(sbk__outq *q) {
  q->head = (q->head + 1) & (q->cap - 1);
  q->looked -= q->looked > 0;
}

sbk__entry sbk__outq_pop(sbk__outq *q, sbk__rings *rings, size_t bytes) {
  sbk__entry entry = *sbk__outq_at(q, 0);

  pop_first(q);
  while (q->count > 1 && sbk__outq_at(q, 0)->slot == SBK__OUT_NOTHING) {
    pop_first(q);
    q->count--;
    q->holes--;
  }
  shrink(q, rings, bytes);

  return entry;
}

sbk__entry sbk__outq_take(sbk__outq *q, uint32_t i, size_t bytes) {
  sbk__entry *place = sbk__outq_at(q, i), entry = *place;

  assert(i > 0 && i < q->count && bytes <= q->bytes);
  place->slot = SBK__OUT_NOTHING;
  place->ref.buf = NULL;
  q->holes++;
  q->bytes -= bytes;

  return entry;
}

sbk__entry sbk__outq_pop_last(sbk__outq *q, sbk__rings *rings, size_t bytes) {
  sbk__entry entry = *sbk__outq_at(q, q->count - 1);

  q->holes -= entry.slot == SBK__OUT_NOTHING;
  q->looked = q->looked < q->count ? q->looked : q->count - 1;
  shrink(q, rings, bytes);

  return entry;
}
