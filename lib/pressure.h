#ifndef SBK__PRESSURE_H
#define SBK__PRESSURE_H

#include "session.h"

/*
 * What waits for all peers together, as memory: 16 bytes for each entry of a
 * queue, and each message and each frame once, however many entries refer to
 * it. Over three quarters of max_total_queue those who publish most are not
 * read, until it has fallen to a half; at max_total_queue those who read least
 * are closed.
 */

/* The entry is in a queue of the session now: counts it. That may close
 * sessions, this one too, and forget what waits for them. */
void sbk__pressure_add(sbk_session *session, const sbk__entry *entry);
/* It is on its way out of there, its reference still held. */
void sbk__pressure_remove(sbk_session *session, const sbk__entry *entry);

/* A message that waits holds len bytes more, until it waits no longer, if that
 * is not too much. */
bool sbk__pressure_grow(sbk_broker *broker, sbk_message *msg, size_t len);

/* What the session did since that much was held is its doing: it is read no
 * more while there is an alarm and it had more than its share of what was left.
 */
void sbk__pressure_charge(sbk_session *session, size_t before);
/* It has ended. */
void sbk__pressure_forget(sbk_session *session);

/* Is the alarm over, and nobody has seen to it? Then that. */
static inline bool sbk__pressure_is_over(const sbk_broker *broker) {
  return broker->alarm &&
         broker->held <= broker->core.config.max_total_queue / 2;
}
void sbk__pressure_calm(sbk_broker *broker);
/* Tells the host if the alarm is not what it knows. */
void sbk__pressure_work(sbk__work *work);

#endif
