#include "keep.h"

#include <assert.h>
#include <string.h>

#include "msec.h"

void sbk__keep_init(sbk__keep *keep, const sbk__core *core, sbk__subs *subs) {
  memset(keep, 0, sizeof(*keep));
  keep->core = core;
  keep->subs = subs;
  sbk__list_init(&keep->stores);
  sbk__list_init(&keep->history);
  sbk__list_init(&keep->values);
  sbk__list_init(&keep->spare);
}

/* ---- marks ---- */

static sbk__mark *mark_of(sbk__node *node) {
  return sbk__item(node, sbk__mark, node);
}

sbk__kept *sbk__mark_next(const sbk__node *list, const sbk__mark *mark) {
  sbk__node *node = mark->node.next;

  while (node != list && mark_of(node)->kept == NULL) {
    node = node->next;
  }

  return node != list ? mark_of(node)->kept : NULL;
}

void sbk__mark_move(sbk__node *list, sbk__mark *mark, sbk__mark *behind) {
  sbk__node *next = behind != NULL ? behind->node.next : list->next;

  if (next == &mark->node) {
    return;
  }
  sbk__list_remove(&mark->node);
  sbk__list_push(next, &mark->node); /* in front of next */
}

/* ---- stores ---- */

sbk__store *sbk__keep_find(const sbk__keep *keep, const char *name,
                           size_t len) {
  const sbk__dest *dest = sbk__map_find(&keep->subs->exact, name, len);

  return dest != NULL ? dest->store : NULL;
}

static sbk__store *need_store(sbk__keep *keep, sbk__topic *topic,
                              const char *name, size_t len) {
  sbk__dest *dest = sbk__subs_need(keep->subs, name, len);
  sbk__store *store;

  if (dest == NULL || dest->store != NULL) {
    return dest != NULL ? dest->store : NULL;
  }
  store = sbk__calloc(&keep->core->mem, 1, sizeof(*store));
  if (store == NULL) {
    sbk__subs_tidy(keep->subs, dest);
    return NULL;
  }
  store->dest = dest;
  store->topic = topic;
  sbk__list_init(&store->history);
  sbk__list_init(&store->in_stores);
  sbk__list_push(&keep->stores, &store->in_stores);
  dest->store = store;

  return store;
}

static void tidy(sbk__keep *keep, sbk__store *store) {
  sbk__dest *dest = store->dest;

  if (store->count > 0 || store->value != NULL || store->promised > 0 ||
      store->readers > 0) {
    return;
  }
  if (store->lost_most > keep->forgotten_number) {
    keep->forgotten_number = store->lost_most;
  }
  if (store->lost_seq > keep->forgotten_seq) {
    keep->forgotten_seq = store->lost_seq;
  }
  if (store->lost_at > keep->forgotten_at) {
    keep->forgotten_at = store->lost_at;
  }
  sbk__list_remove(&store->in_stores);
  dest->store = NULL;
  sbk__free(&keep->core->mem, store);
  sbk__subs_tidy(keep->subs, dest);
}

void sbk__store_release(sbk__keep *keep, sbk__store *store) {
  assert(store->readers > 0);
  store->readers--;
  tidy(keep, store);
}

/* ---- entries ---- */

static sbk__kept *spare_new(sbk__keep *keep) {
  sbk__kept *kept = sbk__malloc(&keep->core->mem, sizeof(*kept));

  if (kept != NULL) {
    sbk__list_init(&kept->in_topic);
    sbk__list_push(&keep->spare, &kept->in_topic);
    keep->spare_count++;
  }

  return kept;
}

static sbk__kept *spare_take(sbk__keep *keep) {
  keep->spare_count--;

  return sbk__item(sbk__list_shift(&keep->spare), sbk__kept, in_topic);
}

/* No more than what is promised stays. */
static void spare_trim(sbk__keep *keep) {
  while (keep->spare_count > keep->promised) {
    sbk__free(&keep->core->mem, spare_take(keep));
  }
}

static int spare_need(sbk__keep *keep, size_t count) {
  while (keep->spare_count < keep->promised + count) {
    if (spare_new(keep) == NULL) {
      spare_trim(keep);
      return SBK_ERR_NOMEM;
    }
  }

  return 0;
}

static sbk__kept *kept_new(sbk__keep *keep, sbk__store *store, sbk_message *msg,
                           uint64_t number, uint64_t sender) {
  sbk__kept *kept = spare_take(keep);

  memset(kept, 0, sizeof(*kept));
  sbk__list_init(&kept->in_store.node);
  sbk__list_init(&kept->in_all.node);
  sbk__list_init(&kept->in_topic);
  kept->in_store.kept = kept;
  kept->in_all.kept = kept;
  kept->store = store;
  kept->msg = sbk_message_ref(msg);
  kept->seq = keep->seq;
  kept->number = number;
  kept->sender = sender;
  kept->at = keep->core->now;
  kept->size = sbk__message_cost(msg);

  return kept;
}

static void kept_free(sbk__keep *keep, sbk__kept *kept) {
  sbk__list_remove(&kept->in_store.node);
  sbk__list_remove(&kept->in_all.node);
  sbk__list_remove(&kept->in_topic);
  sbk_message_unref(kept->msg);
  sbk__free(&keep->core->mem, kept);
}

/* The oldest of its destination goes; the store stays. */
static void lose(sbk__keep *keep, sbk__kept *kept) {
  sbk__store *store = kept->store;

  store->count--;
  store->bytes -= kept->size;
  store->lost_seq = kept->seq;
  store->lost_number = kept->number;
  if (kept->number > store->lost_most) {
    store->lost_most = kept->number;
  }
  keep->history_count--;
  keep->history_bytes -= kept->size;
  store->lost_at = ++keep->losses;
  kept_free(keep, kept);
}

static sbk__kept *oldest(const sbk__node *list) {
  sbk__mark front = {{NULL, list->next}, NULL};

  return sbk__mark_next(list, &front);
}

static void add_history(sbk__keep *keep, sbk__store *store, sbk__kept *kept) {
  const struct sbk_topic *set = &store->topic->set;
  sbk__kept *first;

  if (store->places == 0) {
    store->born = kept->number;
  }
  kept->place = ++store->places;
  sbk__list_push(&store->history, &kept->in_store.node);
  sbk__list_push(&keep->history, &kept->in_all.node);
  sbk__list_push(&store->topic->kept, &kept->in_topic);
  store->count++;
  store->bytes += kept->size;
  keep->history_count++;
  keep->history_bytes += kept->size;

  store->promised++; /* stays, whatever goes */
  while (store->count > set->history_messages ||
         store->bytes > set->history_bytes) {
    lose(keep, oldest(&store->history));
  }
  while (keep->history_bytes > keep->core->config.max_history_bytes) {
    sbk__store *other;

    first = oldest(&keep->history);
    other = first->store;
    lose(keep, first);
    tidy(keep, other);
  }
  store->promised--;
}

static void drop_value(sbk__keep *keep, sbk__store *store) {
  if (store->value != NULL) {
    keep->value_count--;
    keep->value_bytes -= store->value->size;
    kept_free(keep, store->value);
    store->value = NULL;
  }
}

static void set_value(sbk__keep *keep, sbk__store *store, sbk__kept *kept) {
  drop_value(keep, store);
  store->value = kept;
  keep->value_count++;
  keep->value_bytes += kept->size;
  sbk__list_push(&keep->values, &kept->in_all.node);
}

/* ---- what is sent ---- */

enum wish { NOTHING, SET, CLEAR };

static enum wish wish_of(const sbk__topic *topic, const sbk_message *msg) {
  const char *retain =
      topic->set.retain != 0 ? sbk_message_header(msg, "retain") : NULL;

  if (retain == NULL || strcmp(retain, "true") != 0) {
    return NOTHING;
  }

  return msg->text != NULL && msg->text->len > 0 ? SET : CLEAR;
}

/* LIMITS: what others were promised counts; what it takes the place of does
 * not. */
static int check_value(const sbk__keep *keep, const sbk__store *store,
                       size_t size) {
  const struct sbk_config *limits = &keep->core->config;
  size_t count = keep->value_count + keep->value_promises;
  size_t bytes = keep->value_bytes + keep->value_promised_bytes;

  if (store != NULL && store->value != NULL) {
    count--;
    bytes -= store->value->size;
  }

  return count >= limits->max_retained || bytes > limits->max_retained_bytes ||
                 size > limits->max_retained_bytes - bytes
             ? SBK_ERR_TOO_MANY
             : 0;
}

static size_t entries(const sbk__topic *topic, enum wish wish) {
  return (topic->history ? 1u : 0u) + (wish == SET ? 1u : 0u);
}

static int check_room(const sbk__keep *keep, const sbk__store *store,
                      enum wish wish, const sbk_message *msg) {
  return wish == SET && !msg->promised
             ? check_value(keep, store, sbk__message_cost(msg))
             : 0;
}

int sbk__keep_add(sbk__keep *keep, sbk__topic *topic, sbk_message *msg,
                  uint64_t number, uint64_t sender) {
  const sbk__header *to = sbk__message_findz(msg, "destination");
  enum wish wish = wish_of(topic, msg);
  sbk__store *store = sbk__keep_find(keep, to->value, to->value_len);
  int rv = check_room(keep, store, wish, msg);

  keep->seq++;
  if (rv == 0) {
    rv = spare_need(keep, entries(topic, wish));
  }
  if (rv == 0 && entries(topic, wish) > 0) {
    store = need_store(keep, topic, to->value, to->value_len);
    rv = store != NULL ? 0 : SBK_ERR_NOMEM;
  }
  if (rv != 0 || store == NULL) {
    spare_trim(keep);
    return rv;
  }
  if (wish == CLEAR) {
    drop_value(keep, store);
  }
  if (wish == SET) {
    set_value(keep, store, kept_new(keep, store, msg, number, sender));
  }
  if (topic->history) {
    add_history(keep, store, kept_new(keep, store, msg, number, sender));
  }
  tidy(keep, store); /* it may be too large to be kept */

  return 0;
}

int sbk__keep_promise(sbk__keep *keep, sbk__topic *topic,
                      const sbk_message *msg) {
  const sbk__header *to = sbk__message_findz(msg, "destination");
  enum wish wish = wish_of(topic, msg);
  size_t size = sbk__message_cost(msg);
  sbk__store *store;
  int rv = 0;

  if (entries(topic, wish) == 0) {
    return 0;
  }
  if (wish == SET) {
    store = sbk__keep_find(keep, to->value, to->value_len);
    rv = check_value(keep, store, size);
  }
  if (rv == 0) {
    rv = spare_need(keep, entries(topic, wish));
  }
  if (rv != 0) {
    return rv;
  }
  store = need_store(keep, topic, to->value, to->value_len);
  if (store == NULL) {
    spare_trim(keep);
    return SBK_ERR_NOMEM;
  }
  store->promised++;
  keep->promised += entries(topic, wish);
  if (wish == SET) {
    keep->value_promises++;
    keep->value_promised_bytes += size;
  }

  return 0;
}

void sbk__keep_forget(sbk__keep *keep, sbk__topic *topic,
                      const sbk_message *msg) {
  const sbk__header *to = sbk__message_findz(msg, "destination");
  enum wish wish = wish_of(topic, msg);

  if (entries(topic, wish) == 0) {
    return;
  }
  keep->promised -= entries(topic, wish);
  if (wish == SET) {
    keep->value_promises--;
    keep->value_promised_bytes -= sbk__message_cost(msg);
  }
  sbk__keep_find(keep, to->value, to->value_len)->promised--;
}

void sbk__keep_tidy(sbk__keep *keep, const sbk_message *msg) {
  const sbk__header *to = sbk__message_findz(msg, "destination");
  sbk__store *store = sbk__keep_find(keep, to->value, to->value_len);

  if (store != NULL) {
    tidy(keep, store);
  }
  spare_trim(keep);
}

/* ---- age ---- */

static sbk__kept *first_of(const sbk__topic *topic) {
  return sbk__list_empty(&topic->kept)
             ? NULL
             : sbk__item(topic->kept.next, sbk__kept, in_topic);
}

bool sbk__kept_is_old(const sbk__keep *keep, const sbk__kept *kept) {
  sbk_msec age = kept->store->topic->set.history_age;

  return age != SBK_NEVER && sbk__after(kept->at, age) <= keep->core->now;
}

void sbk__keep_expire(sbk__keep *keep, const sbk__topics *topics) {
  sbk__kept *kept;
  size_t i;

  for (i = 0; i < topics->count; i++) {
    while ((kept = first_of(topics->items[i])) != NULL &&
           sbk__kept_is_old(keep, kept)) {
      sbk__store *store = kept->store;

      lose(keep, kept);
      tidy(keep, store);
    }
  }
}

sbk_msec sbk__keep_due(const sbk__keep *keep, const sbk__topics *topics) {
  sbk_msec due = SBK_NEVER;
  size_t i;

  for (i = 0; keep->history_count > 0 && i < topics->count; i++) {
    const sbk__kept *kept = first_of(topics->items[i]);

    if (kept != NULL && topics->items[i]->set.history_age != SBK_NEVER) {
      due = sbk__earlier(
          due, sbk__after(kept->at, topics->items[i]->set.history_age));
    }
  }

  return due;
}

uint64_t sbk__kept_rank(const sbk__kept *kept, uint64_t seq, int *walked) {
  const sbk__store *store = kept->store;
  uint64_t last = store->places;
  const sbk__node *node = store->history.prev;

  while (node != &store->history) {
    const sbk__mark *mark = sbk__item(node, sbk__mark, node);

    ++*walked;
    if (mark->kept != NULL) {
      if (mark->kept->seq <= seq) {
        break;
      }
      last--;
    }
    node = node->prev;
  }

  return last - kept->place + 1;
}

void sbk__keep_free(sbk__keep *keep) {
  sbk__node *node, *next;

  for (node = keep->stores.next; node != &keep->stores; node = next) {
    sbk__store *store = sbk__item(node, sbk__store, in_stores);

    next = node->next;
    store->promised++;
    while (store->count > 0) {
      lose(keep, oldest(&store->history));
    }
    drop_value(keep, store);
    store->promised--;
    tidy(keep, store);
  }
  keep->promised = 0;
  spare_trim(keep);
}
