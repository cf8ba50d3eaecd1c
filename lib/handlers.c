#include "handlers.h"

#include <string.h>

void sbk__handlers_init(sbk__handlers *handlers, const sbk__core *core) {
  memset(handlers, 0, sizeof(*handlers));
  handlers->core = core;
}

static void free_list(const struct sbk_mem *mem, char **list) {
  size_t i;

  for (i = 0; list != NULL && list[i] != NULL; i++) {
    sbk__free(mem, list[i]);
  }
  sbk__free(mem, list);
}

static void free_handler(const struct sbk_mem *mem, sbk__handler *handler) {
  sbk__free(mem, handler->pattern);
  free_list(mem, handler->send_to);
  free_list(mem, handler->send_to_user);
}

void sbk__handlers_free(sbk__handlers *handlers) {
  size_t i;

  for (i = 0; i < handlers->count; i++) {
    free_handler(&handlers->core->mem, &handlers->items[i]);
  }
  sbk__free(&handlers->core->mem, handlers->items);
}

static bool equal(const sbk__handler *handler, const char *text, size_t len) {
  return handler->len == len && memcmp(handler->pattern, text, len) == 0;
}

/* Does pattern capture {name}, braces and all, len bytes? */
static bool captures(const char *pattern, size_t pattern_len, const char *name,
                     size_t len) {
  size_t i;

  for (i = 0; i + len <= pattern_len; i++) {
    if (memcmp(pattern + i, name, len) == 0) {
      return true;
    }
  }

  return false;
}

/* A destination whose {name}s are all captured. */
static int check_template(const sbk__handlers *handlers, const char *text,
                          const char *pattern, size_t pattern_len) {
  size_t len = strlen(text);
  const char *open;
  int rv = sbk__pattern_check(text, len, &handlers->core->config);

  if (rv != 0) {
    return rv;
  }
  if (strpbrk(text, "*?") != NULL) {
    return SBK_ERR_INVAL;
  }
  for (open = strchr(text, '{'); open != NULL; open = strchr(open + 1, '{')) {
    size_t size = (size_t)(strchr(open, '}') - open) + 1;

    if (!captures(pattern, pattern_len, open, size)) {
      return SBK_ERR_INVAL;
    }
  }

  return 0;
}

static int copy_list(const sbk__handlers *handlers, char ***copy,
                     const char *const *list, const char *pattern, size_t len,
                     bool users) {
  const struct sbk_mem *mem = &handlers->core->mem;
  size_t i, count = 0;
  int rv;

  while (list != NULL && list[count] != NULL) {
    count++;
  }
  if (count == 0) {
    return 0;
  }
  *copy = sbk__calloc(mem, count + 1, sizeof(char *));
  for (i = 0; *copy != NULL && i < count; i++) {
    rv = check_template(handlers, list[i], pattern, len);
    if (rv == 0 && users && list[i][0] != '/' &&
        list[i][0] != handlers->core->config.separator) {
      rv = SBK_ERR_INVAL; /* it stands behind the user prefix */
    }
    if (rv != 0) {
      return rv;
    }
    (*copy)[i] = sbk__strndup(mem, list[i], strlen(list[i]));
    if ((*copy)[i] == NULL) {
      return SBK_ERR_NOMEM;
    }
  }

  return *copy != NULL ? 0 : SBK_ERR_NOMEM;
}

static int fill(const sbk__handlers *handlers, sbk__handler *handler,
                const struct sbk_mapping *mapping, const char *pattern,
                size_t len) {
  int rv;

  memset(handler, 0, sizeof(*handler));
  handler->pattern = sbk__strndup(&handlers->core->mem, pattern, len);
  if (handler->pattern == NULL) {
    return SBK_ERR_NOMEM;
  }
  rv = copy_list(handlers, &handler->send_to, mapping->send_to, pattern, len,
                 false);
  if (rv == 0) {
    rv = copy_list(handlers, &handler->send_to_user, mapping->send_to_user,
                   pattern, len, true);
  }
  handler->place = handlers->count;
  handler->len = len;
  handler->wild = sbk__pattern_is(pattern, len);
  handler->command = mapping->command;
  handler->run = mapping->handler;
  handler->arg = mapping->arg;
  handler->only_sender = mapping->only_sender != 0;

  return rv;
}

int sbk__handlers_add(sbk__handlers *handlers,
                      const struct sbk_mapping *mapping, const char *pattern,
                      size_t len) {
  const struct sbk_mem *mem = &handlers->core->mem;
  sbk__handler *items;
  size_t i;
  int rv = sbk__pattern_check(pattern, len, &handlers->core->config);

  if (rv != 0) {
    return rv;
  }
  for (i = 0; i < handlers->count; i++) {
    if (handlers->items[i].command == mapping->command &&
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
  rv = fill(handlers, &items[handlers->count], mapping, pattern, len);
  if (rv != 0) {
    free_handler(mem, &items[handlers->count]);
    return rv;
  }
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
