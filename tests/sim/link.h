#ifndef LINK_H
#define LINK_H

#include <stdbool.h>

#include <stompbroker/stompbroker.h>

#include "bytes.h"
#include "chance.h"

enum way { WAY_TCP, WAY_WEBSOCKET, WAY_STREAMING, WAY_POLLING, WAY_COUNT };
extern const char *const way_names[WAY_COUNT];

/*
 * A client's end of a connection to the broker, over bare STOMP, WebSocket (RFC
 * 6455, of which it needs a part), or SockJS over requests (sockjs.c). What it
 * sends waits in up until the simulator lets it arrive.
 */
struct link {
  enum way way;
  struct chance *chance;
  sbk_broker *broker;
  sbk_conn *conn; /* NULL: there is none; over SockJS what it sends with */
  bool upgraded;
  bool closed;      /* a Close came */
  struct bytes up;  /* not there yet */
  uint64_t put;     /* bytes that were ever sent, */
  uint64_t arrived; /* and that arrived */
  uint64_t came;
  struct bytes raw; /* that came, as they came */
  struct bytes in;  /* STOMP that came */
  char name[24];
  struct {
    sbk_conn *conn; /* that takes the output */
    char path[64];
    size_t had;           /* of the chunk under way */
    struct bytes body;    /* of the answer under way */
    struct bytes answers; /* to what was sent */
    uint64_t *ends;       /* of requests, in what was put */
    size_t first, count, size;
    sbk_msec now;
    bool asking, headed, opened;
  } sockjs;
};

/* False: the broker does not want it. */
bool link_open(struct link *link, sbk_broker *broker, struct chance *chance,
               enum way way, const char *name);
bool link_is_sockjs(const struct link *link);
/* Nothing more comes or goes. */
bool link_is_over(const struct link *link);
/* Something is there to be read. */
bool link_is_full(const struct link *link);
/* The stream breaks off, or was at its end. What came stays. */
void link_drop(struct link *link);
void link_free(struct link *link);

/* STOMP, whose last byte arrives last; it may be sent in parts. */
void link_send(struct link *link, const void *data, size_t len);
/* Up to len bytes arrive. */
void link_arrive(struct link *link, sbk_msec now, size_t len);
/* Up to len bytes come. False: what came breaks RFC 6455, or the protocol of
 * SockJS. */
bool link_read(struct link *link, sbk_msec now, size_t len);

#endif
