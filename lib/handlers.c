#include "handlers.h"

#include <string.h>

void sbk__handlers_init(sbk__handlers *handlers, const sbk__core *core) {
  memset(handlers, 0, sizeof(*handlers));
  handlers->core = core;
}

void sbk__handlers_free(sbk__handlers *handlers) {
  size_t i;

  for (i = 0; i < handlers->count; i++) {
    sbk__free(&handlers->core->mem, handlers->items[i].pattern);
  }
  sbk__free(&handlers->core->mem, handlers->items);
}

static bool equal(const sbk__handler *handler, const char *text, size_t len) {
  return handler->len == len && memcmp(handler->pattern, text, len) == 0;
}

int sbk__handlers_add(sbk__handlers *handlers, enum sbk_command command,
                      const char *pattern, size_t len, sbk_handler run,
                      void *arg) {
  const struct sbk_mem *mem = &handlers->core->mem;
  sbk__handler *items, *handler;
  size_t i;
  int rv = sbk__pattern_check(pattern, len, &handlers->core->config);

  if (rv != 0) {
    return rv;
  }
  for (i = 0; i < handlers->count; i++) {
    if (handlers->items[i].command == command &&
        equal(&handlers->items[i], pattern, len)) {
      return SBK_ERR_EXISTS;
    }
  }

  items = sbk__realloc(mem, handlers->items,
                       (handlers->count + 1) * sizeof(*items));
  if (items == NULL) {
    return SBK_ERR_NOMEM;
  }
  handlers->items = items;
  handler = &items[handlers->count];
  handler->pattern = sbk__strndup(mem, pattern, len);
  if (handler->pattern == NULL) {
    return SBK_ERR_NOMEM;
  }
  handler->len = len;
  handler->wild = sbk__pattern_is(pattern, len);
  handler->command = command;
  handler->run = run;
  handler->arg = arg;
  handlers->count++;

  return 0;
}

const sbk__handler *sbk__handlers_find(const sbk__handlers *handlers,
                                       enum sbk_command command,
                                       const char *path, size_t len,
                                       sbk__captures *captures) {
  char separator = handlers->core->config.separator;
  const sbk__handler *best = NULL;
  size_t i;

  for (i = 0; i < handlers->count; i++) {
    const sbk__handler *handler = &handlers->items[i];

    if (handler->command != command) {
      continue;
    }
    if (!handler->wild && equal(handler, path, len)) {
      captures->count = 0;
      return handler;
    }
    if (handler->wild &&
        sbk__pattern_match(handler->pattern, handler->len, path, len, separator,
                           NULL) &&
        (best == NULL ||
         sbk__pattern_compare(handler->pattern, handler->len, best->pattern,
                              best->len, path, len, separator) < 0)) {
      best = handler;
    }
  }
  if (best != NULL) {
    sbk__pattern_match(best->pattern, best->len, path, len, separator,
                       captures);
  }

  return best;
}
