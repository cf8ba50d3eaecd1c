#ifndef SBK__STOMP_WORK_H
#define SBK__STOMP_WORK_H

#include "fault.h"
#include "message.h"

/*
 * What a frame under way holds, until it is a message: borrowed by a reader
 * from its first byte to its last.
 */

/* A header: places in block. */
typedef struct sbk__stomp_span {
  uint32_t name;
  uint32_t name_len;
  uint32_t value;
  uint32_t value_len;
} sbk__stomp_span;

/*
 * The head's lines stand unescaped in block, names and values ended by NUL in
 * the places of their colons and line ends; the body stands behind them.
 */
struct sbk__stomp_work {
  sbk_buf *block;
  size_t len; /* used bytes of block */
  size_t cap;
  size_t frame; /* bytes of the frame as they came */
  size_t line;  /* where the line under way begins in block */
  size_t lines; /* header lines */
  size_t header_bytes;
  size_t body;
  size_t content_length;
  bool counted;
  bool drop_body; /* 1.0: ignored on frames other than SEND */
  enum sbk_command command;
  sbk__stomp_span *spans;
  uint32_t span_count;
  uint32_t span_cap;
};

static inline char *sbk__stomp_text(const struct sbk__stomp_work *work,
                                    size_t offset) {
  return (char *)sbk__buf_bytes(work->block) + offset;
}

/* An empty one: the spare, or a new one. NULL: no memory. */
struct sbk__stomp_work *sbk__stomp_work_begin(const struct sbk_mem *mem,
                                              struct sbk__stomp_work **spare);
/* Empties work and keeps it, with its small table, as the spare, unless there
 * is one. */
void sbk__stomp_work_end(const struct sbk_mem *mem,
                         struct sbk__stomp_work **spare,
                         struct sbk__stomp_work *work);
/* NULL is fine. */
void sbk__stomp_work_free(const struct sbk_mem *mem,
                          struct sbk__stomp_work *work);

/* Appends to block, and keeps room for a byte behind. 0, or SBK_ERR_NOMEM. */
int sbk__stomp_work_add(const struct sbk_mem *mem, struct sbk__stomp_work *work,
                        const void *data, size_t len);
int sbk__stomp_work_add_span(const struct sbk_mem *mem,
                             struct sbk__stomp_work *work,
                             sbk__stomp_span span);
bool sbk__stomp_named(const struct sbk__stomp_work *work,
                      const sbk__stomp_span *span, const char *name);

/* The message of a whole frame, with one reference; block goes with it. NULL:
 * no memory. */
sbk_message *sbk__stomp_work_message(const struct sbk_mem *mem,
                                     struct sbk__stomp_work *work);

#endif
