#include "stomp_work.h"

#include <string.h>

#define BLOCK_MIN 192
#define SPANS_MIN 16

struct sbk__stomp_work *sbk__stomp_work_begin(const struct sbk_mem *mem,
                                              struct sbk__stomp_work **spare) {
  struct sbk__stomp_work *work = *spare;

  if (work == NULL) {
    return sbk__calloc(mem, 1, sizeof(*work));
  }
  *spare = NULL;

  return work;
}

void sbk__stomp_work_end(const struct sbk_mem *mem,
                         struct sbk__stomp_work **spare,
                         struct sbk__stomp_work *work) {
  sbk__stomp_span *spans = work->spans;
  uint32_t span_cap = work->span_cap;

  if (*spare != NULL || span_cap > SPANS_MIN) {
    sbk__stomp_work_free(mem, work);
    return;
  }
  sbk__free(mem, work->block);
  memset(work, 0, sizeof(*work));
  work->spans = spans;
  work->span_cap = span_cap;
  *spare = work;
}

void sbk__stomp_work_free(const struct sbk_mem *mem,
                          struct sbk__stomp_work *work) {
  if (work == NULL) {
    return;
  }
  sbk__free(mem, work->block);
  sbk__free(mem, work->spans);
  sbk__free(mem, work);
}

/* Room for size bytes more. Doubles, so that memory follows what came; where
 * the end of the body is known, not beyond it. */
static int reserve(const struct sbk_mem *mem, struct sbk__stomp_work *work,
                   size_t size) {
  size_t need = work->len + size, cap = work->cap * 2, end;
  sbk_buf *block;

  if (need <= work->cap) {
    return 0;
  }

  cap = cap < BLOCK_MIN ? BLOCK_MIN : cap;
  cap = cap < need ? need : cap;
  end = work->body + work->content_length + 1;
  if (work->counted && work->body > 0 && end >= need && end < cap) {
    cap = end;
  }
  block = sbk__buf_grow(mem, work->block, cap);
  if (block == NULL) {
    return SBK_ERR_NOMEM;
  }
  work->block = block;
  work->cap = cap;

  return 0;
}

int sbk__stomp_work_add(const struct sbk_mem *mem, struct sbk__stomp_work *work,
                        const void *data, size_t len) {
  int rv = reserve(mem, work, len + 1);

  if (rv == 0 && len > 0) {
    memcpy(sbk__stomp_text(work, work->len), data, len);
    work->len += len;
  }

  return rv;
}

int sbk__stomp_work_add_span(const struct sbk_mem *mem,
                             struct sbk__stomp_work *work,
                             sbk__stomp_span span) {
  if (work->span_count == work->span_cap) {
    uint32_t cap = work->span_cap == 0 ? SPANS_MIN : work->span_cap * 2;
    sbk__stomp_span *spans =
        sbk__realloc(mem, work->spans, cap * sizeof(*spans));

    if (spans == NULL) {
      return SBK_ERR_NOMEM;
    }
    work->spans = spans;
    work->span_cap = cap;
  }
  work->spans[work->span_count++] = span;

  return 0;
}

bool sbk__stomp_named(const struct sbk__stomp_work *work,
                      const sbk__stomp_span *span, const char *name) {
  size_t len = strlen(name);

  return span->name_len == len &&
         memcmp(sbk__stomp_text(work, span->name), name, len) == 0;
}

sbk_message *sbk__stomp_work_message(const struct sbk_mem *mem,
                                     struct sbk__stomp_work *work) {
  sbk_buf *block = work->block;
  uint32_t i;
  sbk_message *msg = sbk__message_new(mem, work->command, work->span_count);

  if (msg == NULL) {
    return NULL;
  }

  for (i = 0; i < work->span_count; i++) {
    const sbk__stomp_span *span = &work->spans[i];

    msg->headers[i] = (sbk__header){sbk__stomp_text(work, span->name),
                                    sbk__stomp_text(work, span->value),
                                    span->name_len, span->value_len, false};
  }
  msg->header_count = (uint16_t)work->span_count;

  block->data = sbk__buf_bytes(block) + work->body;
  block->len = work->len - work->body;
  sbk__buf_bytes(block)[work->len] = 0;
  block->nul_behind = true;
  msg->text = block;
  work->block = NULL;

  return msg;
}
