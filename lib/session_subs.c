#include <string.h>

#include "acks.h"
#include "deliver.h"
#include "replay.h"
#include "session.h"

/* The subscriptions of a session, by their ids and by their slots. */

#define INDEX_FROM 64 /* active subscriptions; fewer are looked through */

static const char *sub_name(const void *item, size_t *len) {
  const sbk__sub *sub = item;

  *len = sub->id_len;
  return sbk__sub_id(sub);
}

sbk__sub *sbk__session_find_sub(const sbk_session *session, const char *id,
                                size_t id_len, const char *destination,
                                size_t destination_len) {
  uint32_t i, hash = id != NULL ? sbk__sub_hash(id, id_len) : 0;

  if (id != NULL && session->by_id != NULL) {
    return sbk__map_find(session->by_id, id, id_len);
  }
  for (i = 0; i < session->slot_count; i++) {
    sbk__sub *sub = session->subs[i];

    if (sub == NULL || !sub->active || sub->has_id != (id != NULL)) {
      continue;
    }
    if (id != NULL ? sub->id_hash == hash && sub->id_len == id_len &&
                         memcmp(sbk__sub_id(sub), id, id_len) == 0
                   : sub->destination_len == destination_len &&
                         memcmp(sbk__sub_destination(sub), destination,
                                destination_len) == 0) {
      return sub;
    }
  }

  return NULL;
}

void sbk__session_free_index(sbk_session *session) {
  if (session->by_id != NULL) {
    sbk__map_free(session->by_id);
    sbk__free(&session->broker->core.mem, session->by_id);
    session->by_id = NULL;
  }
}

/* Many subscriptions get a map by their ids. 0, or SBK_ERR_NOMEM. */
static int make_index(sbk_session *session) {
  const sbk__core *core = &session->broker->core;
  sbk__map *map;
  uint32_t i;
  int rv = 0;

  if (session->by_id != NULL || session->sub_count < INDEX_FROM) {
    return 0;
  }
  map = sbk__malloc(&core->mem, sizeof(*map));
  if (map == NULL) {
    return SBK_ERR_NOMEM;
  }
  sbk__map_init(map, &core->mem, core->seed, sub_name);
  for (i = 0; rv == 0 && i < session->slot_count; i++) {
    sbk__sub *sub = session->subs[i];

    if (sub != NULL && sub->active && sub->has_id) {
      rv = sbk__map_add(map, sub);
    }
  }
  session->by_id = map;
  if (rv != 0) {
    sbk__session_free_index(session);
  }

  return rv;
}

static int reserve_slot(sbk_session *session) {
  uint32_t count = session->slot_count == 0 ? 1 : session->slot_count * 2;
  sbk__sub **subs;

  while (session->free_slot < session->slot_count &&
         session->subs[session->free_slot] != NULL) {
    session->free_slot++;
  }
  if (session->free_slot < session->slot_count) {
    return 0;
  }

  subs = sbk__realloc(&session->broker->core.mem, session->subs,
                      count * sizeof(*subs));
  if (subs == NULL) {
    return SBK_ERR_NOMEM;
  }
  memset(subs + session->slot_count, 0,
         (count - session->slot_count) * sizeof(*subs));
  session->subs = subs;
  session->slot_count = count;

  return 0;
}

int sbk__session_add_sub(sbk_session *session, sbk__sub *sub) {
  int rv = reserve_slot(session);

  if (rv == 0) {
    rv = make_index(session);
  }
  if (rv == 0 && sub->has_id && session->by_id != NULL) {
    rv = sbk__map_add(session->by_id, sub);
  }
  if (rv != 0) {
    return rv;
  }
  sub->slot = session->free_slot;
  sub->active = true;
  session->subs[sub->slot] = sub;
  session->sub_count++;
  session->broker->counts.subscriptions++;

  return 0;
}

static void free_slot(sbk_session *session, sbk__sub *sub) {
  if (sub->active || sub->queued > 0) {
    return;
  }
  session->subs[sub->slot] = NULL;
  if (sub->slot < session->free_slot) {
    session->free_slot = sub->slot;
  }
  sbk__free(&session->broker->core.mem, sub);
}

void sbk__session_end_sub(sbk_session *session, sbk__sub *sub) {
  sbk__subs_remove(&session->broker->subs, sub);
  if (session->by_id != NULL && sub->has_id) {
    sbk__map_remove(session->by_id, sbk__sub_id(sub), sub->id_len);
  }
  sub->active = false;
  session->sub_count--;
  session->broker->counts.subscriptions--;
  free_slot(session, sub);
}

void sbk__session_mute(sbk_session *session, sbk__sub *sub) {
  const sbk__core *core = &session->broker->core;

  sub->queued++; /* it stays until the host has been told */
  sub->muted = true;
  sbk__backlog_free(sub);
  /* It stays in its table, which may be walked through just now. */
  sbk__acks_unsubscribed(session, sub);
  if (core->callbacks.unsubscribed != NULL) {
    core->callbacks.unsubscribed(session, sbk__sub_id(sub),
                                 sbk__sub_destination(sub), core->arg);
  }
  sbk__session_release_slot(session, sub->slot);
}

void sbk__session_release_slot(sbk_session *session, uint32_t slot) {
  sbk__sub *sub = session->subs[slot];

  sub->queued--;
  free_slot(session, sub);
}

void sbk__session_eats(sbk_session *session) {
  uint32_t i;

  if (session->out.bytes >= session->broker->core.config.max_queue / 4) {
    return;
  }
  session->hungry = false;
  for (i = 0; i < session->slot_count; i++) {
    sbk__sub *sub = session->subs[i];

    if (sub != NULL && sub->replay != NULL) {
      sbk__replay_soon(sub);
    }
    if (sub != NULL && sub->dest != NULL && sub->dest->queue != NULL) {
      sbk__dispatch_soon(session->broker, sub->dest);
    }
  }
}
