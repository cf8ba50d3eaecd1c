/* topics.c - what topics keep, and what they drop. */
#include "topics.h"

#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "options.h"
#include "values.h"

#define YEAR ((uint64_t)365 * 86400000)

/* The topic of that prefix, len bytes: options that name the same one add to
 * each other. */
static struct sbk_topic *topic_of(struct options *o, const char *option,
                                  const char *value, size_t len) {
  static const struct sbk_topic none = SBK_TOPIC_INIT;
  struct topics *t = &o->topics;
  struct topic *items;
  char *prefix;
  size_t i;
  for (i = 0; i < t->count; i++) {
    const char *known = t->items[i].topic.prefix;
    if (strlen(known) == len && memcmp(known, value, len) == 0)
      return &t->items[i].topic;
  }
  items = realloc(t->items, (t->count + 1) * sizeof(*items));
  prefix = strndup(value, len);
  if (items == NULL || prefix == NULL) {
    complain("no memory");
    exit(1);
  }
  t->items = items;
  items += t->count++;
  items->topic = none;
  items->topic.prefix = prefix;
  items->option = option;
  items->value = value;
  return &items->topic;
}

bool take_retain(struct options *o, const char *value) {
  topic_of(o, "retain", value, strlen(value))->retain = 1;
  return true;
}

bool take_drop_oldest(struct options *o, const char *value) {
  topic_of(o, "drop-oldest", value, strlen(value))->overflow =
      SBK_OVERFLOW_DROP_OLDEST;
  return true;
}

bool take_drop_newest(struct options *o, const char *value) {
  topic_of(o, "drop-newest", value, strlen(value))->overflow =
      SBK_OVERFLOW_DROP_NEWEST;
  return true;
}

/* The number up to the next comma; *text stands behind that then, or is NULL
 * when it was the last. */
static bool next_number(const char **text, enum kind kind, uint64_t most,
                        uint64_t *n) {
  size_t len = strcspn(*text, ",");
  char copy[24];
  if (len >= sizeof(copy)) return false;
  memcpy(copy, *text, len);
  copy[len] = '\0';
  *text = (*text)[len] == ',' ? *text + len + 1 : NULL;
  return number_read(n, kind, copy) && *n >= 1 && *n <= most;
}

bool take_history(struct options *o, const char *value) {
  const char *at = strrchr(value, '=');
  struct sbk_topic *t;
  uint64_t count, bytes = 0, age = 0;
  if (at == NULL) return false;
  t = topic_of(o, "history", value, (size_t)(at - value));
  at++;
  if (!next_number(&at, COUNT, 1048576, &count)) return false;
  if (at != NULL && !next_number(&at, BYTES, 1 << 30, &bytes)) return false;
  if (at != NULL && !next_number(&at, MSEC, YEAR, &age)) return false;
  t->history_messages = (size_t)count;
  t->history_bytes = (size_t)bytes;
  t->history_age = age;
  return at == NULL;
}

bool topics_setup(const struct topics *topics, sbk_broker *broker) {
  size_t i;
  for (i = 0; i < topics->count; i++) {
    const struct topic *t = &topics->items[i];
    int rv = sbk_broker_add_topic(broker, &t->topic);
    if (rv == 0) continue;
    complain("--%s %s: %s", t->option, t->value,
             rv == SBK_ERR_INVAL ? "malformed" : sbk_strerror(rv));
    return false;
  }
  return true;
}

void topics_free(struct topics *topics) {
  size_t i;
  for (i = 0; i < topics->count; i++)
    free((char *)topics->items[i].topic.prefix);
  free(topics->items);
}
