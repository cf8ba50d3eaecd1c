#ifndef ANSWERS_H
#define ANSWERS_H

#include "../wire/run.h"

/*
 * Transcripts that speak SockJS themselves: when a request finds no memory, the
 * next may find no session, or open another, so that nothing behind it is as it
 * would be. What holds then: all that comes out is HTTP, and where a stream
 * shows something else, somebody was told.
 */
bool answers_apply(const struct script *script);
/* False, with a message, if that does not hold. */
bool answers_judge(const struct run *clean, struct run *now);

#endif
