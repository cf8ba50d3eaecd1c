#ifndef SBK__COMMANDS_H
#define SBK__COMMANDS_H

#include "call.h"

/* Does what a frame asks for, after the host's code has let it pass; receipt
 * included. The session may be closing afterwards; the call may be put off
 * (call->deferred), and then is the session's. */
void sbk__command_run(sbk_call *call);

#endif
