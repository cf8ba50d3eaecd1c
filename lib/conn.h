#ifndef SBK__CONN_H
#define SBK__CONN_H

#include <stompbroker/conn.h>

#include "session.h"
#include "stage.h"
#include "str.h"

enum sbk__conn_state {
  SBK__CONN_HTTP = 0, /* the head of a request */
  SBK__CONN_BODY,     /* its body */
  SBK__CONN_ASKED,    /* the request is in the host's hands */
  SBK__CONN_WS,
  SBK__CONN_TCP,
  SBK__CONN_RECEIVES, /* its answer takes the output of a session of SockJS */
  SBK__CONN_SENDS,    /* messages that it brought wait for the host */
  SBK__CONN_SOCKJS,   /* carries such a session, and has no socket */
  SBK__CONN_LINGER,   /* refused: what comes is dropped until the peer ends */
  SBK__CONN_DEAD
};

/* Input that waits for the host. */
typedef struct sbk__held {
  sbk__str decoded; /* payload of a WebSocket frame under way */
  size_t decoded_done;
  sbk__str raw;
  size_t raw_done;
} sbk__held;

struct sbk_conn {
  sbk_broker *broker;
  void *user_data;
  char *peer; /* NULL: none */
  sbk__node in_conns;
  sbk__node in_ready;
  sbk__work work;
  sbk__timer timer;

  sbk_session *session;
  struct sbk_request *request;
  struct sbk__exchange *exchange; /* NULL: a stream */
  struct sbk__sockjs *sockjs;     /* the session that it carries, or receives */
  sbk__stage *stage;              /* NULL while nothing is formed */
  sbk__held *held;
  sbk__ws_reader ws;

  sbk_msec since;      /* of the state: accept, or a request's end */
  sbk_msec closing_at; /* the last words were queued */
  sbk_msec stage_at;   /* the stage's last progress */
  int reason;          /* why it ended without a session */
  unsigned told;       /* what the host last heard that it wants */
  uint8_t state;       /* enum sbk__conn_state */
  bool stamped;        /* the clock was read since it came */
  bool eof;
  bool peer_closed; /* a Close came */
  bool deaf;        /* input cannot be understood any more */
  bool pending;     /* counted, without a session */
  bool refusing;    /* counted among those that only say 503 */
  bool served;      /* a request was answered on it */
  bool close;       /* it ends behind the answer under way */
  bool unframed;    /* and the end of that is its end */
};

extern const sbk__wire sbk__conn_wire;

/* Sets the clock, and does what is due. */
void sbk__conn_tick(sbk_broker *broker, sbk_msec now);
/* Goodbye: sessions get a Close, requests under way an answer. */
void sbk__conn_shutdown(sbk_conn *conn);
/* Frees one that has ended. */
void sbk__conn_drop(sbk_conn *conn);

/* Has it output? Is it on its way out? */
bool sbk__conn_has_output(const sbk_conn *conn);
bool sbk__conn_is_closing(const sbk_conn *conn);
/* The clock, which never goes back. */
void sbk__conn_set_now(sbk_broker *broker, sbk_msec now);
/* The clock is known for the first time since it came: deadlines begin. */
void sbk__conn_stamp(sbk_conn *conn);
/* The timer is right: moved forwards if need be. */
void sbk__conn_arm(sbk_conn *conn);
/* After anything happened to it: the host hears of it, the timer is right. */
void sbk__conn_settle(sbk_conn *conn);
/* The host has decided: what was held goes on, oldest first. */
void sbk__conn_unhold(sbk_conn *conn);
void sbk__conn_free_held(sbk_conn *conn);

/* Nothing more is heard from a peer that has no session waiting: what is said
 * already goes out, and that was it. */
void sbk__conn_input_over(sbk_conn *conn);
/* Ends it: nothing more is said. */
void sbk__conn_end(sbk_conn *conn, int reason);
/* It has something new for the host. */
void sbk__conn_ready(sbk_conn *conn);
/* The host holds it up: what comes has to wait. */
bool sbk__conn_blocked(const sbk_conn *conn);
/* Makes a place for input that waits; without memory it ends. */
void sbk__conn_hold(sbk_conn *conn);
/* Is there room for len bytes more of that? */
bool sbk__conn_may_hold(const sbk_conn *conn, size_t len);
/* Bytes that come for its session, or that it has to hold. */
void sbk__conn_take(sbk_conn *conn, const void *data, size_t len);
/* A whole plain message of a peer, for the host. */
void sbk__conn_give_plain(sbk_session *session, bool binary, const void *data,
                          size_t len);
/* One without a socket, for a session of the peer of conn. 0;
 * SBK_ERR_TOO_MANY, SBK_ERR_NOMEM. */
int sbk__conn_new_carrier(sbk_conn **carrier, sbk_conn *conn);
/* Does it count as one without a connected session? */
void sbk__conn_set_pending(sbk_conn *conn, bool pending);
/* Gives it a session. 0, or an error. */
int sbk__conn_open(sbk_conn *conn, const sbk__endpoint *endpoint,
                   bool websocket);
/* Its session has what the handshake gave it: a plain one is connected now. */
void sbk__conn_opened(sbk_conn *conn);
/* Bytes in front of all that sessions send. 0, or SBK_ERR_NOMEM. */
int sbk__conn_write(sbk_conn *conn, const void *data, size_t len);
/* Room for bytes there, to be filled in at once. NULL: no memory. */
uint8_t *sbk__conn_room(sbk_conn *conn, size_t len);
/* The last words are queued; from now on the end is near. */
void sbk__conn_closing(sbk_conn *conn);

#endif
