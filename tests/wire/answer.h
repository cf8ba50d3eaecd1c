#ifndef ANSWER_H
#define ANSWER_H

#include "text.h"

/*
 * Answers of HTTP/1.1 as a client reads them, byte by byte and strictly: one
 * blank behind each colon, lengths and chunks in their shortest form, nothing
 * twice (RFC 9112).
 */
struct answer {
  int status; /* 0: the head is not whole yet */
  bool chunked;
  bool close;  /* the connection ends behind it */
  size_t left; /* of the body, or of a chunk */
  unsigned place;
  bool sized;  /* a digit of a chunk's size has come */
  bool last;   /* the chunk is the last one */
  size_t seen; /* bytes of it, all in all */
  char head[2048];
  size_t head_len;
};

/* What a byte was; several at once. */
enum {
  ANSWER_BROKEN = 1, /* not as it has to be; nothing more may be read */
  ANSWER_BODY = 2,   /* a byte of the body */
  ANSWER_WHOLE = 4   /* the last one; the next begins another answer */
};
unsigned answer_byte(struct answer *answer, unsigned byte);
/* For the next one. */
void answer_clear(struct answer *answer);
/* The value of a field of a whole head, "" if there is none. */
const char *answer_field(const struct answer *answer, const char *name,
                         char *value, size_t cap);

/*
 * The messages of a frame `a[…]` of SockJS, as codes of a WebSocket's:
 * CODE_TEXT and UTF-8. JSON without blanks, and with the escapes that it has to
 * have, in their shortest form. False: it is something else.
 */
bool answer_messages(struct codes *shown, const struct codes *frame);
/* `c[CODE,"REASON"]` as CODE_CLOSE. */
bool answer_close(struct codes *shown, const struct codes *frame);

/* A message as a string of JSON, as JSON.stringify() would write it. */
void answer_string(struct codes *json, const struct codes *message);

#endif
