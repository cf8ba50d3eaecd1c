#ifndef LINK_H
#define LINK_H

#include <stdbool.h>

#include <stompbroker/stompbroker.h>

#include "bytes.h"
#include "chance.h"

/*
 * A client's end of a connection to the broker, over bare STOMP or WebSocket
 * (RFC 6455, of which it needs a part). What it sends waits in up until the
 * simulator lets it arrive.
 */
struct link {
  sbk_conn *conn;
  bool websocket;
  bool upgraded;
  bool closed;      /* a Close came */
  struct bytes up;  /* not there yet */
  uint64_t put;     /* bytes that were ever sent, */
  uint64_t arrived; /* and that arrived */
  uint64_t came;
  struct bytes raw; /* that came, as they came */
  struct bytes in;  /* STOMP that came */
};

/* False: the broker does not want it. */
bool link_open(struct link *link, sbk_broker *broker, bool websocket,
               const char *name);
/* The stream breaks off, or was at its end. What came stays. */
void link_drop(struct link *link);
void link_free(struct link *link);

/* STOMP, whose last byte arrives last; it may be sent in parts. */
void link_send(struct link *link, struct chance *chance, const void *data,
               size_t len);
/* Up to len bytes arrive. */
void link_arrive(struct link *link, sbk_msec now, size_t len);
/* Up to len bytes come. False: what came breaks RFC 6455. */
bool link_read(struct link *link, size_t len);

#endif
