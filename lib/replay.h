#ifndef SBK__REPLAY_H
#define SBK__REPLAY_H

#include "session.h"

/*
 * The past of a topic on its way to a subscription that came later: last
 * values, and history. It goes out as the peer reads; what is published
 * meanwhile waits behind it in the backlog of the subscription.
 */

/* Begins one for a subscription that has just become active, if there is
 * anything to be told to it. 0, or SBK_ERR_NOMEM. */
int sbk__replay_begin(sbk__sub *sub, const sbk_message *subscribe);
/* There is room for more, perhaps. Between enter and leave only. */
void sbk__replay_soon(sbk__sub *sub);
/* Gives it up; nothing happens if there is none. */
void sbk__replay_free(sbk__sub *sub);
/* All that can go on do, for some steps. */
void sbk__replay_work(sbk__work *work);

#endif
