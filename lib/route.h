#ifndef SBK__ROUTE_H
#define SBK__ROUTE_H

#include <stdbool.h>

#include "core.h"

/* Where a destination leads, by its prefix, and the other names of the
 * configuration. */
enum sbk__where { SBK__NOWHERE = 0, SBK__APP, SBK__USER, SBK__BROKER };

typedef struct sbk__name {
  char *text;
  size_t len;
} sbk__name;

typedef struct sbk__route {
  const struct sbk_mem *mem;
  char separator;
  sbk__name *app; /* lists end with a NULL text */
  sbk__name *broker;
  sbk__name *queues; /* of them with one taker for each message */
  sbk__name user;
  sbk__name errors; /* below it, where errors are told; text NULL: nowhere */
  sbk__name server;
  char **hidden; /* headers not passed on; ends with NULL */
} sbk__route;

/* Copies the names of config, or their defaults. 0; SBK_ERR_INVAL: a prefix is
 * no destination; SBK_ERR_NOMEM. To be freed in any case. */
int sbk__route_init(sbk__route *route, const struct sbk_mem *mem,
                    const struct sbk_config *config);
void sbk__route_free(sbk__route *route);

/* *path is where what stands behind the prefix begins in text; for
 * SBK__NOWHERE 0. */
enum sbk__where sbk__route_find(const sbk__route *route, const char *text,
                                size_t len, size_t *path);

/* Does it lead to a queue: one taker for each message? */
bool sbk__route_is_queue(const sbk__route *route, const char *text, size_t len);

/*
 * A path behind the application prefix, or a handler's pattern, in the form in
 * which the two are compared: with the separator '/' it begins with one, with
 * '.' it begins with no separator at all. Moves *text and *len; false: a '/'
 * has to be put in front.
 */
bool sbk__route_path(const sbk__route *route, const char **text, size_t *len);

#endif
