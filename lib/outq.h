#ifndef SBK__OUTQ_H
#define SBK__OUTQ_H

#include <stdbool.h>

#include "buf.h"
#include "message.h"

/*
 * What waits for one peer: references, not bytes. 16 bytes a delivery, in a
 * ring that is there only while something waits.
 */
typedef struct sbk__entry {
  union {
    sbk_message *msg;               /* slot is a subscription's */
    struct sbk__delivery *delivery; /* the same with SBK__SLOT_DELIVERY */
    sbk_buf *buf;                   /* slot is one of the kinds below */
    struct sbk__entry *next;        /* of a spare ring */
  } ref;
  uint32_t slot;
  uint32_t stamp; /* when it came, the clock's low 32 bits */
} sbk__entry;

#define SBK__SLOTS_MAX     0x7fffffffu
#define SBK__SLOT_DELIVERY 0x80000000u

#define SBK__OUT_TEXT    0xfffffff0u /* a STOMP frame, a plain message: text */
#define SBK__OUT_BINARY  0xfffffff1u /* the same in octets */
#define SBK__OUT_CONTROL 0xfffffff2u /* a whole control frame of WebSocket */
#define SBK__OUT_NOTHING 0xfffffff3u /* what stood here was dropped */
#define SBK__OUT_FRAME   0xfffffff4u /* a whole frame of SockJS: o, h, c */

typedef struct sbk__outq {
  sbk__entry *ring;
  uint32_t cap; /* a power of two */
  uint32_t head;
  uint32_t count;
  uint32_t holes;  /* of them, those dropped; the oldest is none */
  uint32_t looked; /* so many of the oldest cannot be dropped */
  size_t bytes;    /* of STOMP, without WebSocket's heads */
} sbk__outq;

/* Rings of the smallest size, kept for the next queue that fills. */
typedef struct sbk__rings {
  const struct sbk_mem *mem;
  sbk__entry *spare; /* linked through their first entry's ref */
  size_t count;
} sbk__rings;

void sbk__rings_init(sbk__rings *rings, const struct sbk_mem *mem);
void sbk__rings_free(sbk__rings *rings);

/* Room for one more entry. 0, or SBK_ERR_NOMEM and the queue is as before. */
int sbk__outq_reserve(sbk__outq *q, sbk__rings *rings);
/* Puts an entry of that many bytes behind the others, where there is room; its
 * reference moves to the queue. */
void sbk__outq_push(sbk__outq *q, sbk__entry entry, size_t bytes);
/* Room that was made and is not needed goes, if nothing waits. */
void sbk__outq_trim(sbk__outq *q, sbk__rings *rings);
/* Takes the one at place i out of the middle; its reference moves to the
 * caller. A hole stays, so that this costs the same wherever it is. */
sbk__entry sbk__outq_take(sbk__outq *q, uint32_t i, size_t bytes);
/* Takes the holes out. */
void sbk__outq_close_holes(sbk__outq *q);
/* The entry at place i, 0 being the oldest; i is below count. */
static inline sbk__entry *sbk__outq_at(const sbk__outq *q, uint32_t i) {
  return &q->ring[(q->head + i) & (q->cap - 1)];
}
/* Takes out the oldest entry; its reference moves to the caller. */
sbk__entry sbk__outq_pop(sbk__outq *q, sbk__rings *rings, size_t bytes);
/* The same with the newest. */
sbk__entry sbk__outq_pop_last(sbk__outq *q, sbk__rings *rings, size_t bytes);

/* A MESSAGE, one way or the other? */
static inline bool sbk__entry_is_message(const sbk__entry *entry) {
  return entry->slot < SBK__OUT_TEXT;
}
static inline bool sbk__entry_is_delivery(const sbk__entry *entry) {
  return sbk__entry_is_message(entry) &&
         (entry->slot & SBK__SLOT_DELIVERY) != 0;
}
static inline uint32_t sbk__entry_slot(const sbk__entry *entry) {
  return entry->slot & ~SBK__SLOT_DELIVERY;
}

#endif
