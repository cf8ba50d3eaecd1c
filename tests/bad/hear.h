#ifndef HEAR_H
#define HEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stompbroker/stompbroker.h>

/*
 * What comes out of a connection, as a text to compare: '^' for NUL; of a
 * WebSocket the payloads, "<binary>" in front of those that are no text,
 * "<close CODE REASON>" and "<pong PAYLOAD>". Values that are new each time are
 * {n} (message-id) and {s} (session). "<!...>" is what no server may say.
 */
struct hear {
  bool websocket;
  uint8_t raw[8192]; /* of frames */
  size_t raw_len;
  char text[65536];
};

void hear_begin(struct hear *hear, bool websocket);

/* Takes all output; the text that it is. */
const char *hear_all(struct hear *hear, sbk_conn *conn);

#endif
