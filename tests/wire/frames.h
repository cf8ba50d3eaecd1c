#ifndef FRAMES_H
#define FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

/* What a client sends and how. */
struct ws_frame {
  unsigned opcode;
  unsigned rsv; /* 0 to 7 */
  bool more;    /* no FIN */
  bool unmasked;
  unsigned form; /* bits of the length: 0: the shortest; 7, 16 or 64 */
  bool announced;
  uint64_t announce; /* a length that is not the payload's */
};

enum { WS_CONT = 0, WS_TEXT, WS_BINARY, WS_CLOSE = 8, WS_PING, WS_PONG };

/* Puts the frame's bytes behind codes. */
void ws_encode(struct codes *codes, const struct ws_frame *frame,
               const struct codes *payload);

/* Whole characters, and nothing else? */
bool is_utf8(const uint16_t *at, size_t len);

/*
 * Reads what the library says on one stream, any pieces at a time, and shows it
 * as codes. It is strict: frames of the shortest form, unfragmented, unmasked,
 * text in UTF-8; anything else is CODE_BROKEN.
 */
struct shower {
  bool websocket;
  bool http;          /* becomes websocket behind the head of a 101 */
  struct codes held;  /* of an unfinished frame */
  struct codes shown; /* all of it */
};

void shower_take(struct shower *shower, const void *data, size_t len);
void shower_free(struct shower *shower);

#endif
