#include "convert.h"

#include <string.h>

#include "abi.h"
#include "ascii.h"

/* RFC 2045, 5.1: type and subtype, without parameters. */
static size_t type_len(const char *content_type) {
  return strcspn(content_type, "; \t");
}

const struct sbk_converter *
sbk__converters_find(const sbk__converters *converters,
                     const char *content_type) {
  size_t i;

  for (i = 0; i < converters->count; i++) {
    const struct sbk_converter *item = &converters->items[i];

    if (content_type == NULL ||
        sbk__ascii_same(content_type, type_len(content_type),
                        item->content_type, type_len(item->content_type))) {
      return item;
    }
  }

  return NULL;
}

int sbk__converters_add(sbk__converters *converters, const struct sbk_mem *mem,
                        const struct sbk_converter *converter) {
  struct sbk_converter copy, *items;
  int rv = sbk__abi_copy(&copy, sizeof(copy), sizeof(copy), converter);

  if (rv != 0) {
    return rv;
  }
  if (copy.content_type == NULL || copy.content_type[0] == '\0' ||
      strpbrk(copy.content_type, "\r\n") != NULL || copy.encode == NULL) {
    return SBK_ERR_INVAL;
  }
  if (sbk__converters_find(converters, copy.content_type) != NULL) {
    return SBK_ERR_EXISTS;
  }

  items = sbk__realloc(mem, converters->items,
                       (converters->count + 1) * sizeof(*items));
  if (items == NULL) {
    return SBK_ERR_NOMEM;
  }
  converters->items = items;
  copy.content_type =
      sbk__strndup(mem, copy.content_type, strlen(copy.content_type));
  if (copy.content_type == NULL) {
    return SBK_ERR_NOMEM;
  }
  items[converters->count++] = copy;

  return 0;
}

void sbk__converters_free(sbk__converters *converters,
                          const struct sbk_mem *mem) {
  size_t i;

  for (i = 0; i < converters->count; i++) {
    sbk__free(mem, (void *)(uintptr_t)converters->items[i].content_type);
  }
  sbk__free(mem, converters->items);
}
