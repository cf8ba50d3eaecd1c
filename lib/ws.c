#include "ws.h"

#include <assert.h>
#include <string.h>
#include <wslay/wslay.h>

#define CONTROL_MAX    125 /* RFC 6455, 5.5 */
#define SPARE_CONTEXTS 8

struct sbk__ws_context {
  wslay_frame_context_ptr frame;
  const uint8_t *in; /* what wslay may take now */
  size_t in_len;
  struct sbk__ws_context *next;
  uint8_t control_len;
  uint8_t control[CONTROL_MAX];
};

void sbk__ws_pool_init(sbk__ws_pool *pool, const struct sbk_mem *mem) {
  pool->mem = mem;
  pool->spare = NULL;
  pool->count = 0;
}

static void context_free(sbk__ws_pool *pool, struct sbk__ws_context *context) {
  wslay_frame_context_free(context->frame);
  sbk__free(pool->mem, context);
}

void sbk__ws_pool_free(sbk__ws_pool *pool) {
  while (pool->spare != NULL) {
    struct sbk__ws_context *next = pool->spare->next;

    context_free(pool, pool->spare);
    pool->spare = next;
  }
  pool->count = 0;
}

static ssize_t on_recv(uint8_t *buf, size_t len, int flags, void *user_data) {
  struct sbk__ws_context *context = user_data;
  size_t size = len < context->in_len ? len : context->in_len;

  (void)flags;
  if (size == 0) {
    return -1;
  }
  memcpy(buf, context->in, size);
  context->in += size;
  context->in_len -= size;

  return (ssize_t)size;
}

static struct sbk__ws_context *context_get(sbk__ws_pool *pool) {
  static const struct wslay_frame_callbacks callbacks = {NULL, on_recv, NULL};
  struct sbk__ws_context *context = pool->spare;

  if (context != NULL) {
    pool->spare = context->next;
    pool->count--;
    return context;
  }

  context = sbk__calloc(pool->mem, 1, sizeof(*context));
  if (context == NULL) {
    return NULL;
  }
  /* wslay returns -1 as well as its own codes when memory ends. */
  if (wslay_frame_context_init(&context->frame, &callbacks, context) != 0) {
    sbk__free(pool->mem, context);
    return NULL;
  }

  return context;
}

/* The context stands at the end of a frame: wslay kept nothing back, since it
 * was never given more than the frame. What it holds is still to be looked at,
 * so where there are enough another one goes. */
static void context_put(sbk__ws_pool *pool, struct sbk__ws_context *context) {
  if (pool->count == SPARE_CONTEXTS) {
    struct sbk__ws_context *other = pool->spare;

    pool->spare = other->next;
    pool->count--;
    context_free(pool, other);
  }
  context->control_len = 0;
  context->next = pool->spare;
  pool->spare = context;
  pool->count++;
}

void sbk__ws_clear(sbk__ws_reader *reader, sbk__ws_pool *pool) {
  if (reader->context != NULL) {
    /* In the middle of a frame: of no use to anyone else. */
    context_free(pool, reader->context);
  }
  memset(reader, 0, sizeof(*reader));
}

/* Bytes of the header that begins with these; 2 at least. */
static size_t header_size(const uint8_t *head, size_t have) {
  size_t size = 2;

  if (have < 2) {
    return size;
  }
  size += (head[1] & 0x7f) == 126 ? 2 : (head[1] & 0x7f) == 127 ? 8 : 0;
  size += (head[1] & 0x80) != 0 ? 4 : 0;

  return size;
}

static enum sbk__fault check_length(const uint8_t *head, uint64_t *len) {
  size_t i, size = 0;
  uint64_t least = 0, value = head[1] & 0x7f;

  if (value == 126) {
    size = 2;
    least = 126;
  } else if (value == 127) {
    size = 8;
    least = 65536;
  }
  if (size > 0) {
    value = 0;
    for (i = 0; i < size; i++) {
      value = value << 8 | head[2 + i];
    }
  }
  *len = value;

  /* RFC 6455, 5.2: the minimal form, and the most significant bit is 0. */
  return value < least || value >> 63 != 0 ? SBK__FAULT_WS_LENGTH
                                           : SBK__FAULT_NONE;
}

static enum sbk__fault check_data_frame(sbk__ws_reader *reader,
                                        const sbk__ws_limits *limits,
                                        uint64_t len) {
  bool first = reader->opcode != 0;

  if (first == (reader->message != 0)) {
    return SBK__FAULT_WS_ORDER;
  }
  if (first) {
    reader->message = reader->opcode;
    reader->message_len = 0;
    reader->fragments = 0;
    reader->empty = 0;
    memset(&reader->utf8, 0, sizeof(reader->utf8));
  }
  if (len > limits->max_message - reader->message_len) {
    return SBK__FAULT_WS_MESSAGE_SIZE;
  }
  reader->message_len += (size_t)len;
  reader->fragments++;
  reader->empty = len == 0 ? reader->empty + 1 : 0;
  if (reader->fragments > limits->max_fragments ||
      reader->empty > limits->max_empty) {
    return SBK__FAULT_WS_FRAGMENTS;
  }

  return SBK__FAULT_NONE;
}

static enum sbk__fault check_header(sbk__ws_reader *reader,
                                    const sbk__ws_limits *limits,
                                    const uint8_t *head) {
  enum sbk__fault fault;
  uint64_t len;

  reader->fin = (head[0] & 0x80) != 0;
  reader->opcode = head[0] & 0x0f;
  if ((head[0] & 0x70) != 0) {
    return SBK__FAULT_WS_RESERVED;
  }
  if ((reader->opcode > SBK__WS_BINARY && reader->opcode < SBK__WS_CLOSE) ||
      reader->opcode > SBK__WS_PONG) {
    return SBK__FAULT_WS_OPCODE;
  }
  fault = check_length(head, &len);
  if (fault != SBK__FAULT_NONE) {
    return fault;
  }

  reader->left = len;
  if (reader->opcode >= SBK__WS_CLOSE) {
    return !reader->fin || len > CONTROL_MAX ? SBK__FAULT_WS_CONTROL
                                             : SBK__FAULT_NONE;
  }

  return check_data_frame(reader, limits, len);
}

/* Gathers a header, checks it, and hands it to a context. *whole: it is. */
static enum sbk__fault read_header(sbk__ws_reader *reader, sbk__ws_pool *pool,
                                   const sbk__ws_limits *limits,
                                   const uint8_t *data, size_t len,
                                   size_t *used, bool *whole) {
  enum sbk__fault fault;

  *used = 0;
  *whole = false;
  while (*used < len &&
         reader->head_len < header_size(reader->head, reader->head_len)) {
    reader->head[reader->head_len++] = data[(*used)++];
    /* Without a mask two bytes are enough. */
    if (reader->head_len == 2 && (reader->head[1] & 0x80) == 0) {
      return (reader->head[0] & 0x70) != 0 ? SBK__FAULT_WS_RESERVED
                                           : SBK__FAULT_WS_UNMASKED;
    }
  }
  if (reader->head_len < header_size(reader->head, reader->head_len)) {
    return SBK__FAULT_NONE;
  }

  fault = check_header(reader, limits, reader->head);
  if (fault != SBK__FAULT_NONE) {
    return fault;
  }
  reader->context = context_get(pool);
  if (reader->context == NULL) {
    return SBK__FAULT_NOMEM;
  }
  *whole = true;

  return SBK__FAULT_NONE;
}

/* Lets wslay take some of what the frame still needs. */
static void recv_some(sbk__ws_reader *reader, const uint8_t *data, size_t len,
                      struct wslay_frame_iocb *iocb) {
  struct sbk__ws_context *context = reader->context;
  ssize_t rv;

  memset(iocb, 0, sizeof(*iocb));
  if (reader->head_len > 0) {
    /* wslay wants a byte of payload, if there is any, before it reports: it is
     * fed the header, and keeps it. */
    context->in = reader->head;
    context->in_len = reader->head_len;
    reader->head_len = 0;
    rv = wslay_frame_recv(context->frame, iocb);
    assert(context->in_len == 0);
    if (rv >= 0 || len == 0) {
      return;
    }
  }
  context->in = data;
  context->in_len = len;
  rv = wslay_frame_recv(context->frame, iocb);
  assert(rv > 0 && iocb->data_length <= reader->left);
  (void)rv;
}

static enum sbk__fault end_of_frame(sbk__ws_reader *reader,
                                    sbk__ws_event *event) {
  if (reader->opcode >= SBK__WS_CLOSE) {
    event->opcode = reader->opcode;
    event->data = reader->context->control;
    event->len = reader->context->control_len;
    event->end = true;
    return SBK__FAULT_NONE;
  }

  event->end = reader->fin;
  if (reader->fin) {
    uint8_t message = reader->message;

    reader->message = 0;
    if (message == SBK__WS_TEXT && !sbk__utf8_done(&reader->utf8)) {
      return SBK__FAULT_WS_UTF8;
    }
  }

  return SBK__FAULT_NONE;
}

static enum sbk__fault take_payload(sbk__ws_reader *reader,
                                    const struct wslay_frame_iocb *iocb,
                                    sbk__ws_event *event) {
  struct sbk__ws_context *context = reader->context;

  reader->left -= iocb->data_length;
  if (reader->opcode >= SBK__WS_CLOSE) {
    if (iocb->data_length > 0) {
      memcpy(context->control + context->control_len, iocb->data,
             iocb->data_length);
      context->control_len =
          (uint8_t)(context->control_len + iocb->data_length);
    }
    return SBK__FAULT_NONE;
  }

  event->opcode = reader->message;
  event->data = iocb->data;
  event->len = iocb->data_length;
  if (reader->message == SBK__WS_TEXT &&
      !sbk__utf8_feed(&reader->utf8, iocb->data, iocb->data_length)) {
    return SBK__FAULT_WS_UTF8;
  }

  return SBK__FAULT_NONE;
}

enum sbk__fault sbk__ws_read(sbk__ws_reader *reader, sbk__ws_pool *pool,
                             const sbk__ws_limits *limits, const void *data,
                             size_t len, size_t *used, sbk__ws_event *event) {
  const uint8_t *bytes = data;
  struct wslay_frame_iocb iocb;
  enum sbk__fault fault;
  bool whole;
  size_t size;

  memset(event, 0, sizeof(*event));
  *used = 0;
  if (reader->context == NULL) {
    fault = read_header(reader, pool, limits, bytes, len, used, &whole);
    if (fault != SBK__FAULT_NONE || !whole) {
      return fault;
    }
  }

  size = len - *used;
  size = reader->left < size ? (size_t)reader->left : size;
  if (size == 0 && reader->left > 0) {
    return SBK__FAULT_NONE;
  }
  recv_some(reader, bytes + *used, size, &iocb);
  /* wslay takes 4 KiB at a time; the rest is asked for again. */
  *used += iocb.data_length;

  fault = take_payload(reader, &iocb, event);
  if (fault == SBK__FAULT_NONE && reader->left == 0) {
    fault = end_of_frame(reader, event);
    context_put(pool, reader->context);
    reader->context = NULL;
  }

  return fault;
}

enum sbk__fault sbk__ws_check_close(const uint8_t *data, size_t len,
                                    uint16_t *code) {
  *code = 1005;
  if (len == 0) {
    return SBK__FAULT_NONE;
  }
  if (len == 1) {
    return SBK__FAULT_WS_CLOSE;
  }

  *code = (uint16_t)(data[0] << 8 | data[1]);
  if (!((*code >= 1000 && *code <= 1003) || (*code >= 1007 && *code <= 1014) ||
        (*code >= 3000 && *code <= 4999))) {
    return SBK__FAULT_WS_CLOSE;
  }

  return sbk__utf8_valid(data + 2, len - 2) ? SBK__FAULT_NONE
                                            : SBK__FAULT_WS_UTF8;
}

size_t sbk__ws_head_len(uint64_t len) {
  return len < 126 ? 2 : len < 65536 ? 4 : 10;
}

size_t sbk__ws_head(uint8_t dst[10], uint8_t opcode, uint64_t len) {
  size_t i, size = sbk__ws_head_len(len);

  dst[0] = (uint8_t)(0x80 | opcode);
  dst[1] = (uint8_t)(size == 2 ? len : size == 4 ? 126 : 127);
  for (i = size; i > 2; i--) {
    dst[i - 1] = (uint8_t)(len & 0xff);
    len >>= 8;
  }

  return size;
}

sbk_buf *sbk__ws_control(const struct sbk_mem *mem, uint8_t opcode,
                         const void *payload, size_t len) {
  size_t size = len < CONTROL_MAX ? len : CONTROL_MAX;
  sbk_buf *frame = sbk__buf_new(mem, 2 + size);
  uint8_t head[10];

  if (frame == NULL) {
    return NULL;
  }

  sbk__ws_head(head, opcode, size);
  memcpy(sbk__buf_bytes(frame), head, 2);
  if (size > 0) {
    memcpy(sbk__buf_bytes(frame) + 2, payload, size);
  }

  return frame;
}

sbk_buf *sbk__ws_close(const struct sbk_mem *mem, uint16_t code,
                       const char *reason) {
  uint8_t payload[CONTROL_MAX] = {(uint8_t)(code >> 8), (uint8_t)code};
  size_t len = reason != NULL ? strlen(reason) : 0;

  if (code == 1005) {
    return sbk__ws_control(mem, SBK__WS_CLOSE, NULL, 0);
  }
  if (len > CONTROL_MAX - 2) {
    /* RFC 6455, 5.5.1: the reason is UTF-8, so no character is cut. */
    for (len = CONTROL_MAX - 2; (reason[len] & 0xc0) == 0x80; len--) {
    }
  }
  if (len > 0 && sbk__utf8_valid(reason, len)) {
    memcpy(payload + 2, reason, len);
  } else {
    len = 0;
  }

  return sbk__ws_control(mem, SBK__WS_CLOSE, payload, 2 + len);
}
