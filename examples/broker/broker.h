#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include <stompbroker/stompbroker.h>

/** Monotonic, for the library. */
sbk_msec clock_now(void);

/** One line on stderr. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
