#ifndef SBK__HANDLE_H
#define SBK__HANDLE_H

#include "call.h"

/* Runs a handler; true: its frame is dealt with, and gets its receipt. The call
 * may be put off (call->deferred), and then is the session's. */
bool sbk__handle(sbk_call *call, const sbk__handler *handler,
                 const sbk__captures *captures);
/* Ends a call that was put off, and frees it. */
void sbk__handle_finish(sbk_call *call, int result);
/* The end of what counts up call->returning. A callback may have ended the call
 * meanwhile: then it is gone. */
void sbk__handle_returned(sbk_call *call);
/* The session ends: calls that were put off go on without it. */
void sbk__handle_orphan(sbk_session *session);

/* What is left then: calls that wait in vain. The host knows of the end. */
void sbk__handle_forget(sbk_session *session);

/* The receipt that msg asks for, if it does. */
void sbk__handle_receipt(sbk_session *session, const sbk_message *msg);
/* Tells the sender at the error destination. 1; 0: it does not listen there;
 * SBK_ERR_NOMEM. */
int sbk__handle_tell(sbk_call *call, const char *text);
/* The session fails over the call's frame. */
void sbk__handle_fail(sbk_call *call, enum sbk__fault fault);
/* What an ERROR over it gives back as receipt-id, or NULL. */
const char *sbk__handle_receipt_id(const sbk_call *call);

#endif
