#include "subs.h"

#include <assert.h>
#include <string.h>

#include "stomp_write.h"
#include "utf8.h"

static const char *dest_name(const void *item, size_t *len) {
  const sbk__dest *dest = item;

  *len = dest->len;
  return dest->name;
}

void sbk__subs_init(sbk__subs *subs, const sbk__core *core) {
  memset(subs, 0, sizeof(*subs));
  subs->core = core;
  sbk__map_init(&subs->exact, &core->mem, core->seed, dest_name);
  sbk__map_init(&subs->patterns, &core->mem, core->seed, dest_name);
  sbk__trie_init(&subs->trie, core);
}

static void dest_free(sbk__subs *subs, sbk__dest *dest);

void sbk__subs_free(sbk__subs *subs) {
  sbk__dest *dest;
  size_t pos = 0;

  while (subs->exact.count > 0 &&
         (dest = sbk__map_next(&subs->exact, &pos)) != NULL) {
    assert(dest->count == 0);
    dest_free(subs, dest);
    pos = 0; /* the map has changed */
  }
  assert(subs->patterns.count == 0);
  sbk__map_free(&subs->exact);
  sbk__map_free(&subs->patterns);
  sbk__trie_free(&subs->trie);
}

/* FNV-1a: only spares comparisons among one session's own ids. */
uint32_t sbk__sub_hash(const char *id, size_t id_len) {
  uint32_t hash = 2166136261u;
  size_t i;

  for (i = 0; i < id_len; i++) {
    hash = (hash ^ (uint8_t)id[i]) * 16777619u;
  }

  return hash;
}

sbk__sub *sbk__sub_new(const struct sbk_mem *mem, sbk_session *session,
                       enum sbk__version version, const char *id, size_t id_len,
                       const char *destination, size_t destination_len) {
  size_t head_len = sbk__personal_head(NULL, version, id, id_len);
  sbk__sub *sub = sbk__malloc(mem, sizeof(*sub) + head_len + id_len + 1 +
                                       destination_len + 1);
  char *text;

  if (sub == NULL) {
    return NULL;
  }

  /* Limits: an id of 4,096 bytes and a destination of 8,192 at most. */
  assert(head_len <= UINT16_MAX && destination_len <= UINT16_MAX);
  memset(sub, 0, sizeof(*sub));
  sub->session = session;
  sub->head_len = (uint16_t)head_len;
  sub->id_len = (uint16_t)id_len;
  sub->destination_len = (uint16_t)destination_len;
  sub->has_id = id != NULL;
  sub->id_hash = sbk__sub_hash(id, id_len);
  sbk__personal_head((uint8_t *)sub->data, version, id, id_len);
  sub->text = sbk__utf8_valid(sub->data, head_len);
  text = sub->data + head_len;
  if (id_len > 0) {
    memcpy(text, id, id_len);
  }
  text[id_len] = '\0';
  memcpy(text + id_len + 1, destination, destination_len);
  text[id_len + 1 + destination_len] = '\0';

  return sub;
}

static sbk__pattern *pattern_of(sbk__dest *dest) {
  return (sbk__pattern *)(void *)dest - 1;
}

static sbk__dest *dest_of(sbk__leaf *leaf) {
  return (sbk__dest *)(void *)(sbk__item(leaf, sbk__pattern, leaf) + 1);
}

/* The memory of a record begins with what a pattern has in front of it. */
static sbk__dest *dest_alloc(const struct sbk_mem *mem, size_t len,
                             bool pattern) {
  size_t front = pattern ? sizeof(sbk__pattern) : 0;
  char *block = sbk__calloc(mem, 1, front + sizeof(sbk__dest) + len + 1);

  return block != NULL ? (sbk__dest *)(void *)(block + front) : NULL;
}

static void dest_release(const struct sbk_mem *mem, sbk__dest *dest) {
  sbk__free(mem, dest->pattern ? (void *)pattern_of(dest) : (void *)dest);
}

static void dest_free(sbk__subs *subs, sbk__dest *dest) {
  if (dest->pattern) {
    sbk__trie_remove(&subs->trie, &pattern_of(dest)->leaf);
    sbk__map_remove(&subs->patterns, dest->name, dest->len);
  } else {
    sbk__map_remove(&subs->exact, dest->name, dest->len);
  }
  sbk__queue_free(dest->queue);
  sbk__free(&subs->core->mem, dest->subs);
  dest_release(&subs->core->mem, dest);
}

static int dest_new(sbk__subs *subs, sbk__dest **dest, const char *name,
                    size_t len, bool pattern) {
  const struct sbk_mem *mem = &subs->core->mem;
  sbk__dest *fresh = dest_alloc(mem, len, pattern);
  int rv;

  if (fresh == NULL) {
    return SBK_ERR_NOMEM;
  }
  fresh->len = (uint32_t)len;
  fresh->pattern = pattern;
  memcpy(fresh->name, name, len);

  rv = sbk__map_add(pattern ? &subs->patterns : &subs->exact, fresh);
  if (rv == 0 && pattern) {
    pattern_of(fresh)->born = subs->born++;
    rv = sbk__trie_add(&subs->trie, name, len, &pattern_of(fresh)->leaf);
    if (rv != 0) {
      sbk__map_remove(&subs->patterns, name, len);
    }
  }
  if (rv != 0) {
    dest_release(mem, fresh);
    return rv;
  }
  *dest = fresh;

  return 0;
}

static int dest_reserve(sbk__subs *subs, sbk__dest *dest) {
  uint32_t cap = dest->cap < 2 ? dest->cap + 1 : dest->cap + dest->cap / 2;
  sbk__sub **list;

  if (dest->count < dest->cap) {
    return 0;
  }
  list = sbk__realloc(&subs->core->mem, dest->subs, cap * sizeof(sbk__sub *));
  if (list == NULL) {
    return SBK_ERR_NOMEM;
  }
  dest->subs = list;
  dest->cap = cap;

  return 0;
}

int sbk__subs_add(sbk__subs *subs, sbk__sub *sub) {
  const char *name = sbk__sub_destination(sub);
  size_t len = sub->destination_len;
  bool pattern = sbk__pattern_is(name, len);
  sbk__dest *dest =
      sbk__map_find(pattern ? &subs->patterns : &subs->exact, name, len);
  int rv = 0;

  if (dest == NULL) {
    rv = dest_new(subs, &dest, name, len, pattern);
    if (rv != 0) {
      return rv;
    }
  }
  rv = dest_reserve(subs, dest);
  if (rv != 0) {
    sbk__subs_tidy(subs, dest);
    return rv;
  }

  sub->dest = dest;
  sub->place = dest->count;
  dest->subs[dest->count++] = sub;

  return 0;
}

void sbk__subs_remove(sbk__subs *subs, sbk__sub *sub) {
  sbk__dest *dest = sub->dest;
  sbk__sub *last;

  if (dest == NULL) {
    return;
  }

  last = dest->subs[--dest->count];
  dest->subs[sub->place] = last;
  last->place = sub->place;
  sub->dest = NULL;
  sbk__subs_tidy(subs, dest);
}

void sbk__subs_tidy(sbk__subs *subs, sbk__dest *dest) {
  if (dest->count == 0 && dest->store == NULL &&
      (dest->queue == NULL || sbk__queue_idle(dest->queue))) {
    dest_free(subs, dest);
  }
}

sbk__dest *sbk__subs_need(sbk__subs *subs, const char *name, size_t len) {
  sbk__dest *dest = sbk__map_find(&subs->exact, name, len);

  return dest != NULL || dest_new(subs, &dest, name, len, false) == 0 ? dest
                                                                      : NULL;
}

sbk__dest *sbk__subs_queue(sbk__subs *subs, const char *name, size_t len) {
  sbk__dest *dest = sbk__subs_need(subs, name, len);

  if (dest == NULL) {
    return NULL;
  }
  if (dest->queue == NULL) {
    dest->queue = sbk__queue_new(&subs->core->mem, &subs->queued_bytes);
    if (dest->queue == NULL) {
      sbk__subs_tidy(subs, dest);
      return NULL;
    }
    dest->queue->dest = dest;
  }

  return dest;
}

/* ---- what matches ---- */

typedef struct search {
  const sbk__core *core;
  const char *name;
  size_t len;
  sbk__matches *matches;
  size_t skip; /* that an earlier search came by */
} search;

/* In the order in which they were subscribed to; the exact one comes first. */
static void sort_in(sbk__matches *matches, sbk__dest *dest) {
  uint32_t at = matches->count++;

  while (at > 0 && matches->items[at - 1]->pattern &&
         pattern_of(matches->items[at - 1])->born > pattern_of(dest)->born) {
    matches->items[at] = matches->items[at - 1];
    at--;
  }
  matches->items[at] = dest;
}

static void look_at(const search *s, sbk__dest *dest) {
  if (sbk__pattern_match(dest->name, dest->len, s->name, s->len,
                         s->core->config.separator, NULL)) {
    sort_in(s->matches, dest);
  }
}

static bool is_full(const sbk__matches *matches) {
  return matches->count == SBK__MATCHES;
}

/* What there is no room for now is put by. 0, or SBK_ERR_NOMEM. */
static int put_by(const search *s, sbk__dest *dest) {
  sbk__matches *matches = s->matches;
  size_t cap = matches->more_cap > 0 ? 2 * matches->more_cap : 256;
  sbk__dest **more;

  if (matches->more_count == matches->more_cap) {
    more =
        sbk__realloc(&s->core->mem, matches->more, cap * sizeof(sbk__dest *));
    if (more == NULL) {
      return SBK_ERR_NOMEM;
    }
    matches->more = more;
    matches->more_cap = cap;
  }
  matches->more[matches->more_count++] = dest;

  return 0;
}

static int take_leaf(sbk__leaf *leaf, void *arg) {
  search *s = arg;

  if (s->skip > 0) {
    s->skip--;
    return 0;
  }
  if (!is_full(s->matches)) {
    look_at(s, dest_of(leaf));
  } else if (put_by(s, dest_of(leaf)) != 0) {
    return 1;
  }
  s->matches->seen++;

  return 0;
}

/* Those that were put by come first. If there was no memory for all, the others
 * are searched for once more, so that there is nobody who could not be found.
 */
bool sbk__subs_match(sbk__subs *subs, const char *name, size_t len,
                     sbk__matches *matches) {
  search s = {subs->core, name, len, matches, matches->seen};
  sbk__dest *dest;

  matches->count = 0;
  if (!matches->begun) {
    matches->begun = true;
    matches->done = subs->patterns.count == 0;
    dest = sbk__map_find(&subs->exact, name, len);
    if (dest != NULL) {
      matches->items[matches->count++] = dest;
    }
  }
  while (!is_full(matches) && matches->more_at < matches->more_count) {
    look_at(&s, matches->more[matches->more_at++]);
  }
  if (!is_full(matches) && !matches->done) {
    matches->more_at = matches->more_count = 0;
    matches->done = sbk__trie_find(&subs->trie, name, len, take_leaf, &s) == 0;
  }

  return matches->count > 0;
}

void sbk__matches_end(sbk__subs *subs, sbk__matches *matches) {
  sbk__free(&subs->core->mem, matches->more);
  matches->more = NULL;
}
