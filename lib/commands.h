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

/* Does it, receipt included. The session may be closing afterwards. */
void sbk__command_run(sbk_call *call);

/* The receipt that msg asks for, if it does. */
void sbk__command_receipt(sbk_session *session, const sbk_message *msg);

#endif
