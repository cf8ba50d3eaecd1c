#ifndef SBK__MESSAGE_H
#define SBK__MESSAGE_H

#include <stdbool.h>

#include <stompbroker/message.h>

#include "buf.h"
#include "core.h"

/* The versions of STOMP, in the order in which they may be compared. */
enum sbk__version { SBK__V10 = 0, SBK__V11, SBK__V12, SBK__VERSIONS };

typedef struct sbk__header {
  const char *name; /* both ended by NUL, unescaped */
  const char *value;
  uint32_t name_len;
  uint32_t value_len;
  bool own; /* name is a block of its own, with the value behind it */
} sbk__header;

/*
 * What all receivers of a message share, as it goes over the wire for one
 * version: destination, message-id, the other headers, the blank line, and the
 * body with its NUL if that is small (`flat`); else those two follow apart.
 */
typedef struct sbk__rest {
  size_t total;    /* bytes with body and NUL */
  size_t head_len; /* bytes in data[] */
  bool flat;
  bool text; /* UTF-8, and not said to be octets */
  uint8_t data[];
} sbk__rest;

/* A rest as the inside of a string of JSON. */
typedef struct sbk__escaped {
  const sbk__rest *rest;
  size_t len;
  uint8_t data[];
} sbk__escaped;

struct sbk_message {
  const struct sbk_mem *mem;
  uint32_t refs;
  uint8_t command;
  bool frozen;      /* sent, or shared: headers stay as they are */
  bool own_table;   /* headers[] is a block of its own */
  bool foreign;     /* a client's: not all of its headers are passed on */
  bool promised;    /* there is room for it, whatever is full by now */
  uint8_t overflow; /* enum sbk_overflow of its topic, once it is sent */
  uint8_t weighed;  /* versions whose rest is part of weight */
  uint8_t id_len;
  char id[30]; /* message-id, once it is sent */
  uint16_t header_count;
  uint16_t header_cap;
  sbk__header *headers;
  sbk_buf *text; /* the body; the strings of a read frame are in its block */
  sbk__rest *rest[SBK__VERSIONS]; /* equal ones are shared */
  sbk__escaped *escaped;          /* one of these, for as long as it waits */
  size_t weight;                  /* bytes that count while it waits */
  uint32_t waits;                 /* entries of queues that refer to it */
};

/* A message with room for cap headers and no body. NULL: no memory. */
sbk_message *sbk__message_new(const struct sbk_mem *mem,
                              enum sbk_command command, size_t cap);

/* As sbk_message_set_header(), for names that are the library's own too, and
 * for frozen messages. */
int sbk__message_put(sbk_message *msg, const char *name, const char *value);

/* LIMITS: what it counts where it is kept: its body, its headers' names and
 * values, and 256 for what surrounds them, so that many small ones are not for
 * nothing. */
size_t sbk__message_cost(const sbk_message *msg);

/* NULL: absent. */
const sbk__header *sbk__message_find(const sbk_message *msg, const char *name,
                                     size_t name_len);
const sbk__header *sbk__message_findz(const sbk_message *msg, const char *name);

/* The same message with headers that may be set. NULL: no memory. */
sbk_message *sbk__message_clone(const sbk_message *msg);

/* Is it a name that only the library gives to a MESSAGE? */
bool sbk__message_name_reserved(const char *name);

#endif
