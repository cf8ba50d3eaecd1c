#ifndef TAKE_H
#define TAKE_H

#include "run.h"

/* Takes output as the mode has it; false: there was none, or it is under way
 * (stream->late_count), as in an asynchronous writer. */
bool take_some(struct stream *stream);
/* As much as the socket of a stalled stream still takes. */
void take_few(struct stream *stream);
/* The write that is under way ends: its bytes must be as they were. False:
 * there is none. */
bool take_end(struct stream *stream);

#endif
