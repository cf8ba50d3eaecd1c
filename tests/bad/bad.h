#ifndef BAD_H
#define BAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <stompbroker/stompbroker.h>

/*
 * Inputs that peers must not get away with, each with a name of its own. A
 * vector is played whole, with something good pipelined behind it, and a byte
 * at a time. Each time exactly the same comes out, for the same reason, and the
 * stream ends in the same way; memory stays within 4 x the bytes received + 8
 * KiB and is afterwards what it was; and a neighbour, who subscribes to
 * everything, hears nothing of it and then gets its next message once.
 *
 * One line of TAP for each vector. In texts '^' stands for NUL.
 */

/* What a table is played against: a broker, whose endpoint is /ws unless add
 * says otherwise. */
struct bad_setup {
  struct sbk_config config;
  struct sbk_callbacks callbacks;
  void (*add)(sbk_broker *broker);
};

/* How a stream begins. */
enum bad_way {
  BAD_HTTP,
  BAD_WS, /* behind a handshake that went well */
  BAD_TCP
};

/* And what becomes of it. */
enum bad_end {
  GOES_ON, /* it is read on */
  HOLDS,   /* the host has to decide */
  LINGERS, /* all is said: it is read until the peer ends it, or for a while */
  CLOSES,  /* the same with a Close, which the peer has to answer */
  ENDS     /* nothing is wanted any more */
};

struct bad_vector {
  const char *name;
  enum bad_way way;
  const char *before; /* texts that are said in front, and what they bring is
                         not looked at; NULL: nothing */
  const void *bytes;
  size_t len;
  const char *out; /* all that comes out: see hear.c */
  int reason;      /* what sbk_conn_feed() returns */
  enum bad_end end;
  size_t more;   /* bytes of memory that it may take besides, for a reason */
  sbk_msec wait; /* time that passes then */
  void (*tidy)(void); /* takes away what has to outlive the stream; or NULL */
};

/* The beginning and the end of a program. */
void bad_init(struct bad_setup *setup);
int bad_done(void);

/* A broker and a neighbour, until the next one. */
void bad_open(const struct bad_setup *setup);

void bad_play(const struct bad_vector *vector);

/* The same over several streams; the name of the first one is for all. */
void bad_play_all(const struct bad_vector *vectors, size_t count);

/* Plays it whole, and prints nothing: for many that have one name together. ""
 * or a complaint. */
const char *bad_try(const struct bad_vector *vector);

/* One line of TAP of a check that is no vector; complaint "" is well. */
void bad_line(const char *name, const char *complaint);

/* What a check of bad_line() or tidy() needs of it. */
sbk_broker *bad_broker(void);
size_t bad_memory(void);
sbk_msec bad_now(void);
/* "", or what is wrong with the neighbour. */
const char *bad_neighbour(void);

#endif
