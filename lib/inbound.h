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

/* The host has decided about the call that waits. */
void sbk__inbound_resume(sbk_session *session);

/* Tells interceptors that the session ends, unless it said so itself. A call
 * that waits can no longer be resumed. */
void sbk__inbound_bye(sbk_session *session);
/* The host was told of the end: frees a call that waits. */
void sbk__inbound_forget(sbk_session *session);

#endif
