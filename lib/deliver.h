#ifndef SBK__DELIVER_H
#define SBK__DELIVER_H

#include "session.h"

/* One message on its way to one subscription. */

/* What receivers that speak version share of msg, a client's secrets left out.
 * NULL: no memory. */
const sbk__rest *sbk__rest_for(sbk_broker *broker, sbk_message *msg,
                               enum sbk__version version);

/*
 * Queues msg, which has its id, for one subscription of a topic, through the
 * outbound interceptors and its window. True: it is on its way, or waits for an
 * ACK of another.
 */
bool sbk__deliver(sbk__sub *sub, sbk_message *msg);

/* The same for one of its topic's past, at once: nothing waits in front of it,
 * and no limit is asked. There is room in its window. */
bool sbk__deliver_past(sbk__sub *sub, sbk_message *msg);

/* An ACK has made room in the window of sub, or for all of its session: what
 * waits for that goes on. */
void sbk__refill(sbk__sub *sub, bool all);
/* Forgets what waits for it, the past too. */
void sbk__backlog_free(sbk__sub *sub);

/*
 * Puts msg, which has its id, into the queue of its destination, and hands over
 * what consumers have room for. 1: somebody got it or an older one; 0: it
 * waits; SBK_ERR_TOO_MANY: max_queued_messages or max_queued_bytes;
 * SBK_ERR_NOMEM.
 */
int sbk__enqueue(sbk_broker *broker, const sbk__header *to, sbk_message *msg);
/* Makes sure that sbk__enqueue() will not fail for msg, though others were
 * promised the same. 0, or as that. */
int sbk__enqueue_promise(sbk_broker *broker, const sbk_message *msg);
/* The promise for msg is kept now, by the next call, or given up; in any case
 * tidy up then. */
void sbk__enqueue_forget(sbk_broker *broker, const sbk_message *msg);
void sbk__enqueue_tidy(sbk_broker *broker, const sbk_message *msg);
/* Hands over what the queues in the broker's list have for somebody. */
void sbk__dispatch_work(sbk__work *work);

#endif
