#ifndef SBK__CHAIN_H
#define SBK__CHAIN_H

#include <stompbroker/handler.h>

#include "core.h"

/* Interceptors of one direction, in ascending order. */
typedef struct sbk__link {
  int order;
  size_t serial; /* 1 and up, as they came */
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
/* How far somebody has come; all zero is the start. */
typedef struct sbk__walk {
  size_t next;
  size_t serial; /* of the link before */
} sbk__walk;

/* The next link, also when some were added meanwhile: none comes twice. NULL:
 * the end. */
const sbk__link *sbk__chain_next(const sbk__chain *chain, sbk__walk *walk);

void sbk__chain_free(sbk__chain *chain, const struct sbk_mem *mem);

#endif
