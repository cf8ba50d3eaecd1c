#ifndef SBK__HANDLERS_H
#define SBK__HANDLERS_H

#include <stompbroker/handler.h>

#include "core.h"
#include "pattern.h"

/* The host's handlers, by command and pattern. */
typedef struct sbk__handler {
  size_t place; /* in the table */
  char *pattern;
  size_t len;
  bool wild;
  enum sbk_command command;
  sbk_handler run;
  void *arg;
  char **send_to; /* lists end with NULL; NULL: none */
  char **send_to_user;
  bool only_sender;
} sbk__handler;

typedef struct sbk__handlers {
  const sbk__core *core;
  sbk__handler *items;
  size_t count;
} sbk__handlers;

void sbk__handlers_init(sbk__handlers *handlers, const sbk__core *core);
void sbk__handlers_free(sbk__handlers *handlers);
/* pattern, which has the form of sbk__route_path(), stands for the mapping's.
 * As sbk_broker_add_mapping(). */
int sbk__handlers_add(sbk__handlers *handlers,
                      const struct sbk_mapping *mapping, const char *pattern,
                      size_t len);
/* The most specific one for path; NULL: none. captures is written on success.
 */
const sbk__handler *sbk__handlers_find(const sbk__handlers *handlers,
                                       enum sbk_command command,
                                       const char *path, size_t len,
                                       sbk__captures *captures);

#endif
