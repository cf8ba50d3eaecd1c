#include "chain.h"

#include <string.h>

static int add(sbk__chain *chain, const struct sbk_mem *mem, sbk__link link) {
  sbk__link *items =
      sbk__realloc(mem, chain->items, (chain->count + 1) * sizeof(*items));
  size_t at = chain->count;

  if (items == NULL) {
    return SBK_ERR_NOMEM;
  }

  chain->items = items;
  while (at > 0 && items[at - 1].order > link.order) {
    at--;
  }
  memmove(&items[at + 1], &items[at], (chain->count - at) * sizeof(*items));
  chain->count++;
  link.serial = chain->count;
  items[at] = link;

  return 0;
}

int sbk__chain_add(sbk__chain *chain, const struct sbk_mem *mem, int order,
                   sbk_interceptor run, void *arg) {
  return add(chain, mem, (sbk__link){.order = order, .run = run, .arg = arg});
}

int sbk__chain_add_error(sbk__chain *chain, const struct sbk_mem *mem,
                         int order, sbk_error_handler failed, void *arg) {
  return add(chain, mem,
             (sbk__link){.order = order, .failed = failed, .arg = arg});
}

const sbk__link *sbk__chain_next(const sbk__chain *chain, sbk__walk *walk) {
  /* None is ever taken out, so the one before is here or further on. */
  while (walk->next > 0 && chain->items[walk->next - 1].serial != walk->last) {
    walk->next++;
  }
  if (walk->next == chain->count) {
    return NULL;
  }
  walk->last = chain->items[walk->next].serial;

  return &chain->items[walk->next++];
}

void sbk__chain_free(sbk__chain *chain, const struct sbk_mem *mem) {
  sbk__free(mem, chain->items);
  memset(chain, 0, sizeof(*chain));
}
