#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* WebSocket and STOMP as a client speaks them, from the specifications alone.
 */

struct bytes {
  uint8_t *data; /* the first byte that was not taken */
  size_t len;
  uint8_t *start;
  size_t size; /* from start on */
};

void bytes_add(struct bytes *b, const void *data, size_t len);
void bytes_take(struct bytes *b, size_t len); /* from the front */
void bytes_free(struct bytes *b);

enum opcode {
  WS_MORE = 0,
  WS_TEXT = 1,
  WS_CLOSE = 8,
  WS_PING = 9,
  WS_PONG = 10
};
#define WS_FIN 0x80

/* A masked frame behind what b holds; first is FIN and opcode. */
void ws_put(struct bytes *b, unsigned first, const void *data, size_t len);

struct ws_frame {
  unsigned opcode;
  uint8_t *data;
  size_t len;
};

/* The frame that data begins with: how many bytes it has; 0: it is not whole
 * yet; negative: a server may not say that (or in parts, which ours does not).
 */
long ws_get(struct ws_frame *f, uint8_t *data, size_t len);

/* A frame of STOMP; a heart-beat has no command. Points into what was read. */
struct frame {
  const char *head; /* command and headers, without the empty line */
  size_t head_len;
  const char *body;
  size_t len;
};

bool frame_get(struct frame *f, const uint8_t *data, size_t len);
bool frame_is(const struct frame *f, const char *command);
/* Copies a header's value as far as size goes; "": it is not there. */
void frame_header(const struct frame *f, const char *name, char *dst,
                  size_t size);

#endif
