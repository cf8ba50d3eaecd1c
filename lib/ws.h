#ifndef SBK__WS_H
#define SBK__WS_H

#include "fault.h"
#include "message.h"
#include "utf8.h"

/*
 * WebSocket (RFC 6455), the server's side. The one file that knows wslay, of
 * which only the frame API is used: its contexts are lent while a frame is
 * under way and given back at its end, so that an idle peer holds none. The
 * policy (masks, order, sizes, UTF-8, counts) is decided here, from the header
 * alone, before a byte of payload is taken.
 */
enum {
  SBK__WS_TEXT = 1,
  SBK__WS_BINARY = 2,
  SBK__WS_CLOSE = 8,
  SBK__WS_PING = 9,
  SBK__WS_PONG = 10
};

struct sbk__ws_context;

typedef struct sbk__ws_pool {
  const struct sbk_mem *mem;
  struct sbk__ws_context *spare;
  size_t count;
} sbk__ws_pool;

void sbk__ws_pool_init(sbk__ws_pool *pool, const struct sbk_mem *mem);
void sbk__ws_pool_free(sbk__ws_pool *pool);

typedef struct sbk__ws_reader {
  struct sbk__ws_context *context; /* NULL between frames */
  uint64_t left;                   /* payload of the frame still to come */
  size_t message_len;
  uint32_t fragments;
  uint32_t empty; /* fragments in a row without payload */
  sbk__utf8 utf8;
  uint8_t message; /* opcode of the message under way, or 0 */
  uint8_t opcode;  /* of the frame under way */
  bool fin;
  uint8_t head_len;
  uint8_t head[14]; /* of a header that came in pieces */
} sbk__ws_reader;

typedef struct sbk__ws_limits {
  size_t max_message;   /* bytes of a message */
  size_t max_fragments; /* of one message */
  size_t max_empty;     /* of them in a row, without payload */
} sbk__ws_limits;

/* What came: opcode 0: nothing whole yet, all was taken. */
typedef struct sbk__ws_event {
  uint8_t opcode;
  bool end;            /* of the message; always for control frames */
  const uint8_t *data; /* unmasked; until the next call for any reader */
  size_t len;
} sbk__ws_event;

/*
 * Takes bytes up to the next event; *used says how many. Data frames come in
 * pieces, control frames whole. A fault ends the stream; SBK__FAULT_NOMEM is
 * one.
 */
enum sbk__fault sbk__ws_read(sbk__ws_reader *reader, sbk__ws_pool *pool,
                             const sbk__ws_limits *limits, const void *data,
                             size_t len, size_t *used, sbk__ws_event *event);
void sbk__ws_clear(sbk__ws_reader *reader, sbk__ws_pool *pool);

/* RFC 6455, 5.5.1 and 7.4: the payload of a Close. *code is 1005 when there is
 * none. */
enum sbk__fault sbk__ws_check_close(const uint8_t *data, size_t len,
                                    uint16_t *code);

/* The head of an unfragmented frame of the server: 2, 4 or 10 bytes. */
size_t sbk__ws_head_len(uint64_t len);
size_t sbk__ws_head(uint8_t dst[10], uint8_t opcode, uint64_t len);

/* Whole control frames. Payload beyond 125 bytes is cut off. NULL: no memory.
 */
sbk_buf *sbk__ws_control(const struct sbk_mem *mem, uint8_t opcode,
                         const void *payload, size_t len);
/* A Close; code 1005: without a payload. reason may be NULL. */
sbk_buf *sbk__ws_close(const struct sbk_mem *mem, uint16_t code,
                       const char *reason);

#endif
