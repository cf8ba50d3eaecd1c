#ifndef SBK__INBOUND_H
#define SBK__INBOUND_H

#include "session.h"

/*
 * Frames of a client: out of bytes, through the rules of STOMP and the
 * interceptors, to what each command does.
 */

/* Takes bytes of STOMP; how many. Less than len: the session waits for the
 * host, and wants the rest again when it is resumed. */
size_t sbk__inbound_feed(sbk_session *session, const void *data, size_t len);

/* What is to be seen to as the outermost call ends: a decision of the host, or
 * the end of the session, with all that has to be told of it. */
void sbk__inbound_work(sbk__work *work);

#endif
