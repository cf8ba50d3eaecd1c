#include "topics.h"

#include <string.h>

#include "abi.h"
#include "pattern.h"

#define MESSAGES     ((size_t)1000)
#define MESSAGES_MAX ((size_t)1048576)
#define BYTES        ((size_t)1 << 20)
#define BYTES_MAX    ((size_t)1 << 30)
#define AGE_MAX      ((sbk_msec)365 * 24 * 3600000)

static int resolve(struct sbk_topic *set, bool *history) {
  *history = set->history_messages != 0 || set->history_age != 0;
  if (set->history_messages == 0) {
    set->history_messages = MESSAGES;
  }
  if (set->history_bytes == 0) {
    set->history_bytes = BYTES;
  }
  if (set->history_age == 0) {
    set->history_age = SBK_NEVER;
  }

  return set->history_messages <= MESSAGES_MAX &&
                 set->history_bytes <= BYTES_MAX &&
                 (set->history_age <= AGE_MAX ||
                  set->history_age == SBK_NEVER) &&
                 (unsigned)set->overflow <= SBK_OVERFLOW_DROP_NEWEST
             ? 0
             : SBK_ERR_INVAL;
}

/* Behind those with longer prefixes. */
static void insert(sbk__topics *topics, sbk__topic *topic) {
  size_t at = topics->count++;

  while (at > 0 && topics->items[at - 1]->prefix_len < topic->prefix_len) {
    topics->items[at] = topics->items[at - 1];
    at--;
  }
  topics->items[at] = topic;
}

static bool exists(const sbk__topics *topics, const char *prefix) {
  size_t i;

  for (i = 0; i < topics->count; i++) {
    if (strcmp(topics->items[i]->set.prefix, prefix) == 0) {
      return true;
    }
  }

  return false;
}

static void topic_free(const struct sbk_mem *mem, sbk__topic *topic) {
  sbk__free(mem, (void *)(uintptr_t)topic->set.prefix);
  sbk__free(mem, topic);
}

int sbk__topics_add(sbk__topics *topics, const sbk__core *core,
                    const struct sbk_topic *topic) {
  const struct sbk_mem *mem = &core->mem;
  struct sbk_topic set;
  sbk__topic *fresh, **items;
  bool history;
  int rv = sbk__abi_copy(&set, sizeof(set), sizeof(set), topic);

  if (rv == 0) {
    rv = resolve(&set, &history);
  }
  if (rv != 0) {
    return rv;
  }
  if (set.prefix == NULL ||
      sbk__destination_check(set.prefix, strlen(set.prefix), &core->config) !=
          0) {
    return SBK_ERR_INVAL;
  }
  if (exists(topics, set.prefix)) {
    return SBK_ERR_EXISTS;
  }

  items = sbk__realloc(mem, topics->items,
                       (topics->count + 1) * sizeof(sbk__topic *));
  if (items == NULL) {
    return SBK_ERR_NOMEM;
  }
  topics->items = items;
  fresh = sbk__calloc(mem, 1, sizeof(*fresh));
  if (fresh == NULL) {
    return SBK_ERR_NOMEM;
  }
  fresh->set = set;
  fresh->prefix_len = strlen(set.prefix);
  fresh->history = history;
  sbk__list_init(&fresh->kept);
  fresh->set.prefix = sbk__strndup(mem, set.prefix, fresh->prefix_len);
  if (fresh->set.prefix == NULL) {
    topic_free(mem, fresh);
    return SBK_ERR_NOMEM;
  }
  insert(topics, fresh);

  return 0;
}

void sbk__topics_free(sbk__topics *topics, const struct sbk_mem *mem) {
  size_t i;

  for (i = 0; i < topics->count; i++) {
    topic_free(mem, topics->items[i]);
  }
  sbk__free(mem, topics->items);
  memset(topics, 0, sizeof(*topics));
}

sbk__topic *sbk__topics_find(const sbk__topics *topics, const char *text,
                             size_t len, char separator) {
  size_t i;

  for (i = 0; i < topics->count; i++) {
    sbk__topic *topic = topics->items[i];

    if (sbk__prefix_covers(topic->set.prefix, topic->prefix_len, text, len,
                           separator)) {
      return topic;
    }
  }

  return NULL;
}
