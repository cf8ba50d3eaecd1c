#ifndef SBK__SESSION_H
#define SBK__SESSION_H

#include <stompbroker/session.h>
#include <stompbroker/topic.h>

#include "fault.h"
#include "hub.h"
#include "str.h"
#include "users.h"

enum sbk__state {
  SBK__NEW = 0,    /* nothing was said yet */
  SBK__CONNECTING, /* CONNECT is in the hands of interceptors */
  SBK__CONNECTED,
  SBK__CLOSING, /* the last words are queued; input is ignored */
  SBK__STATES
};

struct sbk_session {
  sbk_broker *broker;
  void *conn;                    /* the floor above's */
  const sbk__endpoint *endpoint; /* NULL: a stream without one */
  const char *peer;
  void *data;
  char *user_name; /* NULL: anonymous */
  sbk__user *user; /* while registered */

  sbk__node in_sessions;
  sbk__node in_user;
  sbk__work work;

  sbk__outq out;
  size_t head_sent; /* bytes of the oldest entry that are gone already */
  uint32_t taken;   /* so many of the oldest are in a request's answer */
  sbk__sub **subs;  /* by slot; NULL: free */
  sbk__map *by_id;  /* of many active ones that have an id; else NULL */
  uint32_t slot_count;
  uint32_t free_slot; /* no lower one is free */
  uint32_t sub_count; /* active ones */
  uint32_t deferred_count;
  struct sbk_call *call;      /* that waits for the host, or NULL */
  sbk__node deferred;         /* calls that were put off, or wait in vain */
  struct sbk__ledger *ledger; /* deliveries that wait for an ACK, or NULL */
  struct sbk__tx *transactions;
  size_t backlog;      /* bytes that wait for windows */
  size_t charged;      /* memory that its messages took */
  uint64_t charged_in; /* since that alarm */
  sbk__stomp_reader reader;
  sbk__str *gathered; /* of a plain message that comes in pieces, or NULL */

  sbk_msec born;
  sbk_msec last_in;
  sbk_msec last_out;
  sbk_msec moved; /* something of what waits went, or it waits since then */
  sbk_msec tokens_at;
  sbk_msec expiry;
  uint32_t tokens;
  uint32_t beat_in; /* negotiated intervals, ms; 0: none */
  uint32_t beat_out;

  uint32_t controls;  /* control frames in the queue */
  uint32_t droppable; /* messages in it that may be dropped */
  uint32_t dropped;   /* of them, not told to the host yet */
  int reason;         /* of the end */
  uint8_t state;
  uint8_t version;   /* enum sbk__version */
  uint8_t transport; /* enum sbk__sockjs_kind, or 0 */
  bool websocket;
  bool framed;      /* what goes out is in frames of SockJS */
  bool away;        /* no request takes them just now */
  bool peer_closed; /* the peer's Close came: it knows */
  bool plain;       /* no STOMP: endpoint->message takes what comes */
  bool pending;     /* counted among those that are not connected yet */
  bool was_connected;
  bool saw_connect;
  bool saw_disconnect;
  bool gone;      /* the stream is: nothing can be sent */
  bool ended;     /* `disconnected` was told, subscriptions are gone */
  bool awake;     /* the floor above knows that there is something to do */
  bool hungry;    /* a queue passed it over, since its output was full */
  bool in_review; /* its subscriptions are being judged once more */
  bool silent;    /* closing without a word to the peer */
  bool paused;    /* not read, since it publishes too much just now */
  char id[33];
};

/* A session on a stream of conn. 0, SBK_ERR_NOMEM, SBK_ERR_CALLBACK. */
int sbk__session_new(sbk_session **session, sbk_broker *broker, void *conn,
                     const sbk__endpoint *endpoint, bool websocket,
                     const char *peer);
/* The session has ended. NULL is fine. */
void sbk__session_free(sbk_session *session);
/* A plain message was given to the host. */
void sbk__session_drop_gathered(sbk_session *session);

/* Names the user. As sbk_session_set_user(), in any state. */
int sbk__session_name(sbk_session *session, const char *user);

/* Tells the session from all others: half of its id. 0: NULL. */
uint64_t sbk__session_mark(const sbk_session *session);

/* Registers the session as connected, and tells. 0, SBK_ERR_NOMEM. */
int sbk__session_connected(sbk_session *session);

/*
 * Queues a whole frame; its reference moves here in any case. Over the queue's
 * limit or without memory the session is closed. kind is one of SBK__OUT_….
 */
void sbk__session_push(sbk_session *session, sbk_buf *frame, uint32_t kind);
/* sockjs-protocol 0.3.3, Protocol: `o`, at once and before anything else.
 * Without memory for it the session ends, and what it says has no need of it.
 */
void sbk__session_greet(sbk_session *session);
/* Makes room for bytes more, if need be by dropping messages; false: there is
 * none, and the session is closed, or what was to come is dropped as overflow
 * says. */
bool sbk__session_admit(sbk_session *session, size_t bytes,
                        enum sbk_overflow overflow);

/*
 * The ends. Each makes the state SBK__CLOSING; the rest (callbacks,
 * subscriptions) follows as the outermost call leaves.
 */
/* A peer's fault: ERROR, with receipt as receipt-id unless NULL, and a Close.
 */
void sbk__session_fail(sbk_session *session, enum sbk__fault fault,
                       const char *receipt);
/* A refusal in the host's words. */
void sbk__session_refuse(sbk_session *session, int reason, uint16_t close,
                         const char *text, const char *receipt);
/* A Close with that code and reason (NULL: none), without ERROR. */
void sbk__session_close(sbk_session *session, int reason, uint16_t close,
                        const char *text);
/* The peer says no more, nor shall we but for what is queued already. */
void sbk__session_leave(sbk_session *session, int reason);
/* The stream is gone, and what is queued with it. */
void sbk__session_gone(sbk_session *session, int reason);

/* A control frame or a bare EOL was taken: one token of the bucket. False:
 * there is none, and the session was failed. */
bool sbk__session_token(sbk_session *session);

/* The clock is known for the first time: all that was is now. */
void sbk__session_stamp(sbk_session *session);
/* A request takes what goes out, or none does any more. What waited for one
 * has not waited for a slow peer. */
void sbk__session_taken_by(sbk_session *session, uint8_t transport);
void sbk__session_left_alone(sbk_session *session);
/* When time alone changes something; SBK_NEVER: never. And what it then does.
 */
sbk_msec sbk__session_due(const sbk_session *session);
void sbk__session_tick(sbk_session *session);

/* Subscriptions by id (NULL: by destination, for STOMP 1.0). NULL: none. */
sbk__sub *sbk__session_find_sub(const sbk_session *session, const char *id,
                                size_t id_len, const char *destination,
                                size_t destination_len);
/* Gives sub a slot. 0, SBK_ERR_NOMEM. */
int sbk__session_add_sub(sbk_session *session, sbk__sub *sub);
/* No longer active; freed once nothing queued names it. */
void sbk__session_end_sub(sbk_session *session, sbk__sub *sub);
/* The host ends it: nothing more comes for it, until the client says so too. */
void sbk__session_mute(sbk_session *session, sbk__sub *sub);
/* Queues passed it over while its output was full: if it no longer is, they
 * are asked again. */
void sbk__session_eats(sbk_session *session);
void sbk__session_free_index(sbk_session *session);
/* An entry that names the slot is gone. */
void sbk__session_release_slot(sbk_session *session, uint32_t slot);

/* So many of the oldest entries are on their way, and stay. */
static inline uint32_t sbk__session_started(const sbk_session *session) {
  return session->taken > 0 ? session->taken : session->head_sent > 0;
}

static inline bool sbk__session_waits(const sbk_session *session) {
  return session->call != NULL || session->paused ||
         session->deferred_count >= session->broker->core.config.max_deferred;
}

#endif
