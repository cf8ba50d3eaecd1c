#ifndef SBK__STAGE_H
#define SBK__STAGE_H

#include <stdbool.h>
#include <sys/uio.h>

#include "buf.h"

/*
 * Bytes in their final form, in pieces that stay where they are until they are
 * sent: answers of HTTP, and what iovecs were handed out for. Small things are
 * copied into runs, bodies are referenced.
 */
typedef struct sbk__piece {
  const uint8_t *base;
  size_t len;
  sbk_buf *owner;
} sbk__piece;

typedef struct sbk__stage {
  const struct sbk_mem *mem;
  sbk__piece *pieces;
  size_t head;
  size_t count; /* behind head */
  size_t cap;
  size_t bytes;
  size_t run_left; /* room at the end of the last piece, if that is a run */
} sbk__stage;

/* NULL: no memory. */
sbk__stage *sbk__stage_new(const struct sbk_mem *mem);
void sbk__stage_free(sbk__stage *stage);

/* Room for that many bytes in copies and pieces more by reference, so that
 * adding them cannot fail. 0, or SBK_ERR_NOMEM. */
int sbk__stage_reserve(sbk__stage *stage, size_t copies, size_t pieces);
/* A copy of bytes, within what was reserved. */
void sbk__stage_copy(sbk__stage *stage, const void *data, size_t len);
/* Room for len bytes, to be filled in at once; within what was reserved. */
uint8_t *sbk__stage_room(sbk__stage *stage, size_t len);
/* Bytes of owner, which gets one reference more; within what was reserved. */
void sbk__stage_add(sbk__stage *stage, const void *data, size_t len,
                    sbk_buf *owner);

size_t sbk__stage_copy_out(const sbk__stage *stage, uint8_t *dst, size_t cap);
int sbk__stage_iov(const sbk__stage *stage, struct iovec *iov, int max);
/* Counts off up to len bytes; how many. */
size_t sbk__stage_sent(sbk__stage *stage, size_t len);

#endif
