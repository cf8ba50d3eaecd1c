#ifndef SBK__DRAIN_H
#define SBK__DRAIN_H

#include "hub.h"

/* Goodbye to one session after the other, the oldest first, evenly over a span
 * of time that begins at the next tick. */
void sbk__drain_begin(sbk_broker *broker, sbk_msec over);
/* When the next one is due: 0 before the first tick; SBK_NEVER: none is. */
sbk_msec sbk__drain_due(const sbk_broker *broker);
void sbk__drain_tick(sbk_broker *broker);
/* Goodbye to all at once. */
void sbk__drain_shutdown(sbk_broker *broker);
/* The last session of SockJS has gone: nor is anything left to ask for. */
void sbk__drain_requests(sbk_broker *broker);

#endif
