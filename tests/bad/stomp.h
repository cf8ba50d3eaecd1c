#ifndef STOMP_H
#define STOMP_H

#include "bad.h"

/*
 * Frames of STOMP, which come over TCP and in a message of WebSocket: the same
 * comes out, on a WebSocket with a Close that has its code and the ERROR's text
 * for a reason.
 */

/* Why a frame is refused. BEHAVIOUR 11 and 15.10 have the codes. */
enum stomp_kind {
  WELL,     /* it is not */
  BYE,      /* it is the end: 1000 */
  PROTOCOL, /* 1002 */
  SIZE,     /* 1009 */
  COUNT,    /* 1008, as all that follow */
  ROUTE,
  DENIED,
  FAILED,
  SLOW
};

struct stomp {
  const char *name;
  const char *text; /* with '^' for NUL */
  enum stomp_kind kind;
  const char *out;     /* the ERROR's text; WELL, BYE: all that comes out */
  const char *receipt; /* the ERROR's receipt-id; NULL: none */
  /* As in struct bad_vector. */
  size_t more;
  void (*tidy)(void);
  bool tcp; /* over TCP alone */
};

/* version NULL: nothing was said yet, not even CONNECT; before: what stands
 * behind CONNECT, or NULL. */
void stomp_play(const char *version, const char *before,
                const struct stomp *vector);
void stomp_play_table(const char *version, const char *before,
                      const struct stomp *vectors, size_t count);

#define STOMP_PLAY(version, before, table)                                     \
  stomp_play_table(version, before, table, sizeof(table) / sizeof((table)[0]))

#endif
