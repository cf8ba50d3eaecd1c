#ifndef FRAME_H
#define FRAME_H

#include <stddef.h>

/* What a client of STOMP reads, written from the specification alone. */

#define FRAME_HEADERS 16

/* Points into the bytes that were read; those are changed. */
struct frame {
  const char *command;
  size_t count;
  struct {
    const char *name;
    const char *value;
  } headers[FRAME_HEADERS];
  const char *body;
  size_t len;
};

/*
 * Reads the frame that data begins with, escapes as in that version (10, 11,
 * 12): how many bytes it has; 0: it is not whole yet; negative: that is none.
 * Ends of lines in front of one are a frame without command.
 */
long frame_read(struct frame *frame, char *data, size_t len, int version);
/* NULL: it has none of that name. */
const char *frame_get(const struct frame *frame, const char *name);

#endif
