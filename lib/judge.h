#ifndef SBK__JUDGE_H
#define SBK__JUDGE_H

#include "call.h"

/*
 * What the access rules say of a call's SEND or SUBSCRIBE; SBK_PASS for other
 * frames, and while there are no rules. The session may be closing afterwards.
 */
enum sbk_verdict sbk__judge(sbk_call *call);

#endif
