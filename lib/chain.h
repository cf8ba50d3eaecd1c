#ifndef SBK__CHAIN_H
#define SBK__CHAIN_H

#include <stompbroker/handler.h>

#include "core.h"

/* Interceptors of one direction, or error handlers, in ascending order. */
typedef struct sbk__link {
  int order;
  size_t serial; /* of its registration, 1 and up */
  sbk_interceptor run;
  sbk_error_handler failed;
  void *arg;
} sbk__link;

typedef struct sbk__chain {
  sbk__link *items;
  size_t count;
} sbk__chain;

/* How far a walk along a chain has come; all 0 at first. */
typedef struct sbk__walk {
  size_t next;
  size_t last; /* serial of the one before */
} sbk__walk;

/* Behind those of the same order. 0, or SBK_ERR_NOMEM. */
int sbk__chain_add(sbk__chain *chain, const struct sbk_mem *mem, int order,
                   sbk_interceptor run, void *arg);
int sbk__chain_add_error(sbk__chain *chain, const struct sbk_mem *mem,
                         int order, sbk_error_handler failed, void *arg);
/* The next one; NULL: the end. Those that were added in front meanwhile are
 * left out. */
const sbk__link *sbk__chain_next(const sbk__chain *chain, sbk__walk *walk);
void sbk__chain_free(sbk__chain *chain, const struct sbk_mem *mem);

#endif
