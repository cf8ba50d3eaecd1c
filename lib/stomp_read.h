#ifndef SBK__STOMP_READ_H
#define SBK__STOMP_READ_H

#include "fault.h"
#include "message.h"

/*
 * Frames of a client out of bytes, resumable at any cut: each byte is looked at
 * once. The state of a frame under way is borrowed: a reader between frames
 * holds no memory.
 */
struct sbk__stomp_work;

typedef struct sbk__stomp_reader {
  struct sbk__stomp_work *work; /* NULL between frames */
  uint8_t state;
  bool cr;        /* between frames: a CR, so an LF has to follow */
  bool after_nul; /* the EOL right behind a frame costs nothing */
} sbk__stomp_reader;

/* What reading depends on. */
typedef struct sbk__stomp_rules {
  const struct sbk_mem *mem;
  const struct sbk_config *limits;
  /* One of them is kept for the next frame of any reader. */
  struct sbk__stomp_work **spare;
  enum sbk__version version;
  bool connected; /* else: max_preauth_frame, and CONNECT's rules */
} sbk__stomp_rules;

enum sbk__stomp_event {
  SBK__STOMP_MORE = 0, /* all was taken */
  SBK__STOMP_EOL,      /* an end of line between frames that costs a token */
  SBK__STOMP_FRAME
};

/*
 * Takes bytes up to the end of a frame or to an EOL; *used says how many. With
 * SBK__STOMP_FRAME, *frame is a message with one reference. A fault ends the
 * stream; SBK__FAULT_NOMEM is one.
 */
enum sbk__fault sbk__stomp_read(sbk__stomp_reader *reader,
                                const sbk__stomp_rules *rules, const void *data,
                                size_t len, size_t *used,
                                enum sbk__stomp_event *event,
                                sbk_message **frame);

/* After a fault: the value of a header of the frame under way, if it was read
 * already; else NULL. Lives until the reader is cleared. */
const char *sbk__stomp_partial(const sbk__stomp_reader *reader,
                               const char *name);

/* Gives back what the frame under way holds. */
void sbk__stomp_clear(sbk__stomp_reader *reader, const sbk__stomp_rules *rules);

#endif
