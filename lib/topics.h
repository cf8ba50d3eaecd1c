#ifndef SBK__TOPICS_H
#define SBK__TOPICS_H

#include <stdbool.h>

#include <stompbroker/topic.h>

#include "core.h"
#include "list.h"

/* How the topics below a prefix behave. */
typedef struct sbk__topic {
  struct sbk_topic set; /* numbers resolved; prefix is a copy */
  size_t prefix_len;
  bool history;   /* is kept */
  sbk__node kept; /* the history of all its destinations, oldest first */
} sbk__topic;

typedef struct sbk__topics {
  sbk__topic **items; /* the longest prefix first */
  size_t count;
} sbk__topics;

/* As sbk_broker_add_topic(). */
int sbk__topics_add(sbk__topics *topics, const sbk__core *core,
                    const struct sbk_topic *topic);
void sbk__topics_free(sbk__topics *topics, const struct sbk_mem *mem);
/* The one that counts for a destination; NULL: none. */
sbk__topic *sbk__topics_find(const sbk__topics *topics, const char *text,
                             size_t len, char separator);

#endif
