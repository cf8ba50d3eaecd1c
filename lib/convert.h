#ifndef SBK__CONVERT_H
#define SBK__CONVERT_H

#include <stompbroker/send.h>

#include "core.h"

/* The host's converters, by content type. */
typedef struct sbk__converters {
  struct sbk_converter *items; /* content_type is a copy */
  size_t count;
} sbk__converters;

/* As sbk_broker_add_converter(). */
int sbk__converters_add(sbk__converters *converters, const struct sbk_mem *mem,
                        const struct sbk_converter *converter);
void sbk__converters_free(sbk__converters *converters,
                          const struct sbk_mem *mem);
/* content_type NULL: the first one. NULL: none. */
const struct sbk_converter *
sbk__converters_find(const sbk__converters *converters,
                     const char *content_type);

#endif
