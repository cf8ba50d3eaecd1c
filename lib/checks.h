#ifndef SBK__CHECKS_H
#define SBK__CHECKS_H

#include "fault.h"
#include "session.h"

/* The rules of STOMP for a frame of a session in its state. Of a CONNECT it
 * notes what was agreed on. */
enum sbk__fault sbk__check_frame(sbk_session *session, const sbk_message *msg);

/* What the headers of a checked frame say. The subscription that it names: */
sbk__sub *sbk__check_find_sub(const sbk_session *session,
                              const sbk_message *msg);
/* enum sbk__ack, or -1: there is no such mode. */
int sbk__check_ack_mode(const sbk_session *session, const char *ack);
/* RabbitMQ's prefetch-count, max if it is absent or more; 0: it is no count. */
uint16_t sbk__check_prefetch(const char *text, size_t max);

static inline bool sbk__names_transaction(const sbk_message *msg) {
  return sbk__message_findz(msg, "transaction") != NULL;
}

#endif
