#ifndef SBK__REFUSAL_H
#define SBK__REFUSAL_H

#include <stompbroker/broker.h>

#include "fault.h"
#include "session.h"

/* A whole frame was refused, and its sender knows: counts it, and tells the
 * host. The callback may do what callbacks may. */
void sbk__refusal(sbk_session *session, const sbk_message *frame,
                  enum sbk_refusal by, int reason, const char *text);
/* By the rules of STOMP or a limit; want of memory is no refusal. */
void sbk__refusal_fault(sbk_session *session, const sbk_message *frame,
                        enum sbk__fault fault);

/* One message was dropped for it. Between enter and leave only. */
void sbk__refusal_dropped(sbk_session *session);
/* Tells the host how many were. */
void sbk__refusal_tell_dropped(sbk_session *session);

#endif
