#include "buf.h"

#include <string.h>

#include "core.h"

sbk_buf *sbk__buf_grow(const struct sbk_mem *mem, sbk_buf *block, size_t cap) {
  bool fresh = block == NULL;

  if (cap > SIZE_MAX - sizeof(*block)) {
    return NULL;
  }
  block = sbk__realloc(mem, block, sizeof(*block) + cap);
  if (block == NULL) {
    return NULL;
  }

  if (fresh) {
    memset(block, 0, sizeof(*block));
    block->mem = mem;
    block->refs = 1;
  }
  block->data = sbk__buf_bytes(block);

  return block;
}

sbk_buf *sbk__buf_new(const struct sbk_mem *mem, size_t len) {
  sbk_buf *buf = sbk__buf_grow(mem, NULL, len);

  if (buf != NULL) {
    buf->len = len;
  }

  return buf;
}

/* The host's bytes get the NUL behind them that a frame needs. */
sbk_buf *sbk_buf_copy(sbk_broker *broker, const void *data, size_t len) {
  const sbk__core *core = (const sbk__core *)(const void *)broker;
  sbk_buf *buf = len < SIZE_MAX ? sbk__buf_new(&core->mem, len + 1) : NULL;

  if (buf == NULL) {
    return NULL;
  }

  if (len > 0) {
    memcpy(sbk__buf_bytes(buf), data, len);
  }
  sbk__buf_bytes(buf)[len] = 0;
  buf->len = len;
  buf->nul_behind = true;

  return buf;
}

sbk_buf *sbk_buf_wrap(sbk_broker *broker, void *data, size_t len,
                      void (*done)(void *data, size_t len, void *arg),
                      void *arg) {
  const sbk__core *core = (const sbk__core *)(const void *)broker;
  sbk_buf *buf = sbk__buf_new(&core->mem, 0);

  if (buf == NULL) {
    return NULL;
  }

  if (data != NULL) {
    buf->data = data;
  }
  buf->len = len;
  buf->done = done;
  buf->arg = arg;

  return buf;
}

sbk_buf *sbk_buf_ref(sbk_buf *buf) {
  buf->refs++;
  return buf;
}

void sbk_buf_unref(sbk_buf *buf) {
  if (buf == NULL || --buf->refs > 0) {
    return;
  }

  if (buf->done != NULL) {
    /* The host gave this memory without const; it gets it back so. */
    buf->done((void *)(uintptr_t)buf->data, buf->len, buf->arg);
  }
  sbk__free(buf->mem, buf);
}

const void *sbk_buf_data(const sbk_buf *buf) {
  return buf->data;
}

size_t sbk_buf_len(const sbk_buf *buf) {
  return buf->len;
}
