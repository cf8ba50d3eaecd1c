#ifndef SBK__BUF_H
#define SBK__BUF_H

#include <stdbool.h>

#include <stompbroker/message.h>

#include "mem.h"

/*
 * Counted bytes. The memory is the host's (done is called), or stands behind
 * the struct in the same block: there data may begin anywhere, so that the
 * buffer of a frame's body can hold the frame's head in front of it.
 */
struct sbk_buf {
  const struct sbk_mem *mem;
  const uint8_t *data;
  size_t len;
  void (*done)(void *data, size_t len, void *arg);
  void *arg;
  uint32_t refs;
  uint32_t waits;  /* of them, those of what waits for peers */
  bool nul_behind; /* data[len] may be read, and is 0 */
};

/* len bytes to be filled in through sbk__buf_bytes(), one reference. NULL: no
 * memory. */
sbk_buf *sbk__buf_new(const struct sbk_mem *mem, size_t len);
/* The bytes behind the struct. */
static inline uint8_t *sbk__buf_bytes(sbk_buf *buf) {
  return (uint8_t *)(buf + 1);
}

/*
 * A block that grows while a frame is read: room for cap bytes behind the
 * struct, the first len of which are kept. block may be NULL. NULL: no memory,
 * and block is as before.
 */
sbk_buf *sbk__buf_grow(const struct sbk_mem *mem, sbk_buf *block, size_t cap);

#endif
