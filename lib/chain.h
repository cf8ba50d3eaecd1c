#ifndef SBK__CHAIN_H
#define SBK__CHAIN_H

#include <stompbroker/handler.h>

#include "core.h"

/* Interceptors of one direction, in ascending order. */
typedef struct sbk__link {
  int order;
  sbk_interceptor run;
  void *arg;
} sbk__link;

typedef struct sbk__chain {
  sbk__link *items;
  size_t count;
} sbk__chain;

/* Behind those of the same order. 0, or SBK_ERR_NOMEM. */
int sbk__chain_add(sbk__chain *chain, const struct sbk_mem *mem, int order,
                   sbk_interceptor run, void *arg);
void sbk__chain_free(sbk__chain *chain, const struct sbk_mem *mem);

#endif
