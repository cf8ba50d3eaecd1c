#ifndef SBK__COMMANDS_H
#define SBK__COMMANDS_H

#include "call.h"

/*
 * What each command asks for. The checks come before the host's code sees the
 * frame, the effects after it has let it pass.
 */

/* The rules of STOMP for a frame of a session in its state. */
enum sbk__fault sbk__command_check(sbk_session *session,
                                   const sbk_message *msg);

/* Does it, receipt included. The session may be closing afterwards; the call
 * may be put off (call->deferred), and then is the session's. */
void sbk__command_run(sbk_call *call);

/* Ends a call that was put off, and frees it. */
void sbk__command_finish(sbk_call *call, int result);
/* The session ends: calls that were put off go on without it. */
void sbk__command_orphan(sbk_session *session);
/* Tells the sender at the error destination. 1; 0: it does not listen there;
 * SBK_ERR_NOMEM. */
int sbk__command_tell(sbk_call *call, const char *text);
/* The receipt that msg asks for, if it does. */
void sbk__command_receipt(sbk_session *session, const sbk_message *msg);

#endif
