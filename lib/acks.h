#ifndef SBK__ACKS_H
#define SBK__ACKS_H

#include "fault.h"
#include "session.h"

/* ACK and NACK. */

/* Does the frame name something? Before the host's code sees it. */
enum sbk__fault sbk__acks_check(const sbk_session *session,
                                const sbk_message *msg);
/* Settles what it names; what was settled meanwhile does no harm. */
void sbk__acks_apply(sbk_session *session, const sbk_message *msg);

/* A subscription was given up: a topic's deliveries are settled, a queue's may
 * still be acknowledged. */
void sbk__acks_unsubscribed(sbk_session *session, sbk__sub *sub);
/* The session ends: what is not acknowledged goes back to its queues. */
void sbk__acks_end(sbk_session *session);

#endif
