#ifndef SBK__CORE_H
#define SBK__CORE_H

#include <stompbroker/broker.h>

#include "mem.h"

/* What every floor needs of a broker. Its lists and names are the route's
 * (route.h); the pointers to them in config are cleared. */
typedef struct sbk__core {
  struct sbk_mem mem;
  struct sbk_config config; /* every number resolved */
  struct sbk_callbacks callbacks;
  void *arg;
  sbk_msec now;
  uint8_t seed[16];             /* of every map */
  struct sbk__log_quota *quota; /* of lines of the log; NULL: no bound */
} sbk__core;

/* Unpredictable bytes. 0, or SBK_ERR_CALLBACK. */
int sbk__random(const sbk__core *core, void *dst, size_t len);

#endif
