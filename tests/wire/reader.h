#ifndef READER_H
#define READER_H

#include "frames.h"
#include "script.h"

/* How the lines of a stream are read: TCP and HTTP as they stand, WebSocket in
 * frames. */
struct lines {
  bool open;
  bool http;      /* lines end with CRLF */
  bool websocket; /* lines are put into frames */
  bool upgrading; /* within the head of a 101 */
};

struct block {
  bool open;
  bool whole; /* nothing may be added */
  bool input;
  unsigned stream;
  bool framed;
  struct ws_frame frame;
  struct codes codes;
  unsigned line;
};

struct reader {
  struct script *script;
  unsigned line;
  struct lines in[MAX_STREAMS];  /* of the peer */
  struct lines out[MAX_STREAMS]; /* of the library */
  struct block block;
  struct item *request; /* takes indented fields */
};
/* Says where and ends the program. */
void reader_wrong(const struct reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
/* Memory that goes with the script, which is the first argument; zeroed. */
void *reader_keep(void *script, size_t size);
char *reader_text(struct reader *r, const char *text, size_t len);
unsigned reader_stream(struct reader *r, const char *name, bool add);
struct item *reader_item(struct reader *r, enum item_kind kind,
                         unsigned stream);

/* blocks.c: lines of bytes that belong together. */
void block_line(struct reader *r, unsigned stream, bool input, char *text);
void block_end(struct reader *r);

/* setup.c: config, endpoint, handler, interceptor, handshake, request, events,
 * without; false: the line is something else. */
bool setup_line(struct reader *r, const char *what, char *text);

#endif
