#ifndef SBK__MSEC_H
#define SBK__MSEC_H

#include <stompbroker/base.h>

/* Points of time that never wrap: SBK_NEVER is later than all others. */

static inline sbk_msec sbk__earlier(sbk_msec a, sbk_msec b) {
  return a < b ? a : b;
}

static inline sbk_msec sbk__after(sbk_msec when, sbk_msec span) {
  return span > SBK_NEVER - 1 - when ? SBK_NEVER - 1 : when + span;
}

#endif
