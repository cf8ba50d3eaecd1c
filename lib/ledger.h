#ifndef SBK__LEDGER_H
#define SBK__LEDGER_H

#include "session.h"

#define SBK__EXTRA_MAX 47

/*
 * Deliveries that are more than a reference: those that wait for an ACK, and
 * those from a queue, which go back there when they fail. A session's ledger
 * holds the former in the order in which they were made; their number is the
 * value of MESSAGE's `ack`.
 */
typedef struct sbk__delivery {
  sbk_message *msg;  /* as it goes out */
  sbk_message *kept; /* as it goes back: without what interceptors set */
  sbk__dest *queue;  /* NULL: a topic */
  uint64_t number;   /* in its session, from 1; 0: no ACK is asked for */
  uint32_t slot;     /* of the subscription */
  uint32_t refs;     /* of the ledger and of the session's queue */
  uint32_t tries;    /* this one included */
  uint8_t extra_len;
  char extra[SBK__EXTRA_MAX]; /* `ack` and `redelivered` as they go out */
} sbk__delivery;

typedef struct sbk__ledger {
  sbk__delivery **ring; /* by number; NULL: settled */
  uint32_t cap;         /* a power of two */
  uint32_t span;        /* numbers from first on, settled ones among them */
  uint32_t live;        /* unsettled ones */
  uint64_t first;       /* the number of the oldest */
} sbk__ledger;

/* A delivery of msg to sub, entered in the ledger if sub wants ACKs; one
 * reference more for the caller. It came as item, from queue (NULL: a topic).
 * NULL: no memory. */
sbk__delivery *sbk__ledger_add(sbk__sub *sub, sbk_message *msg,
                               sbk__dest *queue, sbk__queued item);
/* Its entry left the session's queue: sent, or not. Takes the entry's
 * reference. */
void sbk__delivery_left(sbk_session *session, sbk__delivery *delivery,
                        bool sent);

/* By number; NULL: there is none, or it is settled. */
sbk__delivery *sbk__ledger_find(const sbk_session *session, uint64_t number);
/* Was that number ever given out? */
bool sbk__ledger_knows(const sbk_session *session, uint64_t number);
/* By message-id, and the id of a subscription, given up or not, unless that is
 * NULL. */
sbk__delivery *sbk__ledger_find_message(const sbk_session *session,
                                        const char *message_id,
                                        const sbk__header *sub);
/* The numbers that there may be: *first up to, and without, what comes back. */
uint64_t sbk__ledger_range(const sbk_session *session, uint64_t *first);

/*
 * The ways in which a delivery of the ledger ends; its place in the window is
 * free then.
 */
/* It was acknowledged, or is given up. */
void sbk__ledger_settle(sbk_session *session, sbk__delivery *delivery);
/* A queue's goes back to the front of its queue. */
void sbk__ledger_return(sbk_session *session, sbk__delivery *delivery);

/* May sub get one more before it acknowledges another? */
bool sbk__ledger_has_room(const sbk__sub *sub);
/* May no subscription of the session? */
bool sbk__ledger_is_full(const sbk_session *session);

/* All are settled. */
void sbk__ledger_free(sbk_session *session);

#endif
