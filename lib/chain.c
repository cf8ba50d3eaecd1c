#include "chain.h"

#include <string.h>

int sbk__chain_add(sbk__chain *chain, const struct sbk_mem *mem, int order,
                   sbk_interceptor run, void *arg) {
  sbk__link *items =
      sbk__realloc(mem, chain->items, (chain->count + 1) * sizeof(*items));
  size_t at = chain->count;

  if (items == NULL) {
    return SBK_ERR_NOMEM;
  }

  chain->items = items;
  while (at > 0 && items[at - 1].order > order) {
    at--;
  }
  memmove(&items[at + 1], &items[at], (chain->count - at) * sizeof(*items));
  items[at] = (sbk__link){order, run, arg};
  chain->count++;

  return 0;
}

void sbk__chain_free(sbk__chain *chain, const struct sbk_mem *mem) {
  sbk__free(mem, chain->items);
  memset(chain, 0, sizeof(*chain));
}
