#ifndef SBK__FANOUT_H
#define SBK__FANOUT_H

#include <stompbroker/send.h>

#include "session.h"

/* A MESSAGE for {prefix}{destination} with a copy of data; prefix and
 * content_type may be NULL. NULL: no memory. */
sbk_message *sbk__message_make(sbk_broker *broker, const char *prefix,
                               size_t prefix_len, const char *destination,
                               const char *content_type, const void *data,
                               size_t len);

/* How the topic of a destination behaves; NULL: as topics do. */
sbk__topic *sbk__topic_of(const sbk_broker *broker, const sbk__header *to);

/*
 * Gives msg its id and queues it for every subscription of its destination;
 * sender, which may be NULL, is left out where it asked for that. How many
 * deliveries; SBK_ERR_NOMEM: none. At a queue destination it goes to one of
 * them, or waits: 1 or 0; SBK_ERR_TOO_MANY: the queue is full, or no more last
 * values can be kept.
 */
int sbk__publish(sbk_broker *broker, sbk_message *msg,
                 const sbk_session *sender);

/*
 * Sends msg, whose destination is the user's ("/queue/x"), to one session, or
 * to all of one user. How many sessions got it, or SBK_ERR_NOMEM.
 */
int sbk__publish_to_session(sbk_session *session, sbk_message *msg);
int sbk__publish_to_user(sbk_broker *broker, const char *user,
                         sbk_message *msg);

#endif
