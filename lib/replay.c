#include "replay.h"

#include "deliver.h"
#include "fanout.h"
#include "keep.h"
#include "ledger.h"

/* Entries looked at in one go: matching a pattern takes about a microsecond. */
#define STEPS 1024

typedef struct sbk__replay {
  sbk__node in_replays; /* of the broker: it can go on */
  sbk__sub *sub;
  sbk__store *store; /* NULL: a pattern, or nothing is kept */
  sbk__node *list;   /* the history of the one, or of all */
  sbk__node nothing; /* that list, when nothing is kept */
  sbk__mark past;    /* in that list */
  sbk__mark values;  /* of a pattern, in all last values */
  uint64_t after;    /* what was kept up to this is not wanted */
  uint64_t limit;    /* what was kept behind this comes by itself */
  uint64_t position; /* the reader is behind this */
  uint64_t losses;   /* of all histories, when it last looked for gaps */
  uint64_t most;     /* entries of each destination */
  bool asked;        /* for history */
  bool gap;          /* something was missed: to be told */
  bool value_done;   /* of the one store */
} sbk__replay;

static sbk__keep *keep_of(const sbk__replay *r) {
  return &r->sub->session->broker->keep;
}

static sbk__mark *place_of(const sbk__replay *r, sbk__kept *kept) {
  return r->store != NULL ? &kept->in_store : &kept->in_all;
}

static bool matches(const sbk__sub *sub, const sbk__store *store) {
  return sbk__pattern_match(sub->dest->name, sub->dest->len, store->dest->name,
                            store->dest->len,
                            sub->session->broker->core.config.separator, NULL);
}

/* ---- where it begins ---- */

/* The newest entry below list that holds, from the end on; NULL: none. */
static sbk__kept *newest(const sbk__replay *r, uint64_t number, bool exactly) {
  const sbk__node *node;

  for (node = r->list->prev; node != r->list; node = node->prev) {
    sbk__kept *kept = sbk__item(node, sbk__mark, node)->kept;

    if (kept != NULL &&
        (exactly ? kept->number == number : kept->number <= number)) {
      return kept;
    }
  }

  return NULL;
}

/* Has it lost what came behind message number? What it never saw, it lost. */
static bool lost_number(const sbk__replay *r, const sbk__store *store,
                        uint64_t number) {
  const sbk__keep *keep = keep_of(r);

  return (store->lost_most >= number && store->lost_number != number) ||
         (number < store->born && keep->forgotten_number >= number);
}

static bool lost_seq(const sbk__replay *r, const sbk__store *store,
                     uint64_t seq) {
  (void)r;
  return store->lost_seq > seq;
}

/* Has it lost, since the reader last looked, what was in front of it? */
static bool lost_since(const sbk__replay *r, const sbk__store *store,
                       uint64_t losses) {
  return store->lost_at > losses && store->lost_seq > r->position;
}

/* Has one of those that sub covers? */
static bool any_lost(const sbk__replay *r,
                     bool (*lost)(const sbk__replay *r, const sbk__store *store,
                                  uint64_t what),
                     uint64_t what) {
  const sbk__keep *keep = keep_of(r);
  const sbk__node *node;

  if (!r->sub->dest->pattern) {
    return r->store != NULL && lost(r, r->store, what);
  }
  for (node = keep->stores.next; node != &keep->stores; node = node->next) {
    const sbk__store *store = sbk__item(node, sbk__store, in_stores);

    if (lost(r, store, what) && matches(r->sub, store)) {
      return true;
    }
  }

  return false;
}

/* Does anybody keep the history of what sub covers? */
static bool is_kept(const sbk__sub *sub) {
  const sbk_broker *broker = sub->session->broker;
  const sbk__dest *dest = sub->dest;
  const sbk__topic *topic;
  size_t i;

  if (!dest->pattern) {
    topic = sbk__topics_find(&broker->topics, dest->name, dest->len,
                             broker->core.config.separator);
    return topic != NULL && topic->history;
  }
  for (i = 0; i < broker->topics.count; i++) {
    if (broker->topics.items[i]->history) {
      return true;
    }
  }

  return false;
}

/* Goes on behind the message with that id. */
static void resume(sbk__replay *r, const char *id) {
  const sbk__keep *keep = keep_of(r);
  uint64_t number;
  sbk__kept *seen;

  if (!is_kept(r->sub) ||
      !sbk__message_number(r->sub->session->broker, id, &number) ||
      number == 0) {
    r->gap = true; /* an earlier run of the broker gave that id, or none did */
    return;
  }
  seen = newest(r, number, true);
  if (seen != NULL) {
    r->gap = any_lost(r, lost_seq, seen->seq) ||
             (r->sub->dest->pattern && keep->forgotten_seq > seen->seq);
  } else {
    r->gap = any_lost(r, lost_number, number) ||
             (r->store == NULL && keep->forgotten_number >= number);
    seen = newest(r, number, false);
  }
  r->after = seen != NULL ? seen->seq : 0;
}

/* Puts the reader in front of the first entry that it wants. */
static void take_place(sbk__replay *r) {
  sbk__node *node = r->list->prev;
  uint64_t count = 0;

  while (node != r->list) {
    const sbk__kept *kept = sbk__item(node, sbk__mark, node)->kept;

    if (kept != NULL &&
        (kept->seq <= r->after || (r->store != NULL && count++ == r->most))) {
      break;
    }
    node = node->prev;
  }
  sbk__mark_move(r->list, &r->past,
                 node != r->list ? sbk__item(node, sbk__mark, node) : NULL);
  r->position =
      node != r->list ? sbk__item(node, sbk__mark, node)->kept->seq : r->after;
  r->losses = keep_of(r)->losses;
}

/* The checks have seen to the digits; so many are more than is ever kept. */
static uint64_t read_count(const char *digits) {
  uint64_t value = 0;

  for (; *digits != '\0' && value <= UINT32_MAX; digits++) {
    value = value * 10 + (uint64_t)(*digits - '0');
  }

  return value;
}

static void begin(sbk__replay *r, const char *id, const char *count) {
  sbk__keep *keep = keep_of(r);

  r->limit = keep->seq;
  r->asked = id != NULL || count != NULL;
  r->most = id != NULL ? UINT64_MAX : count != NULL ? read_count(count) : 0;
  if (id != NULL) {
    resume(r, id);
    if (r->gap && count != NULL) {
      r->most = read_count(count);
    }
  }
  take_place(r);
}

int sbk__replay_begin(sbk__sub *sub, const sbk_message *subscribe) {
  sbk_broker *broker = sub->session->broker;
  const char *id = sbk_message_header(subscribe, "last-message-id");
  const char *count = sbk_message_header(subscribe, "history");
  sbk__keep *keep = &broker->keep;
  sbk__replay *r;

  sbk__keep_expire(keep, &broker->topics);
  if (id == NULL && (sub->dest->pattern ? sbk__list_empty(&keep->stores)
                                        : sub->dest->store == NULL)) {
    return 0; /* nothing was kept, and nothing can be missed */
  }

  r = sbk__calloc(&broker->core.mem, 1, sizeof(*r));
  if (r == NULL) {
    return SBK_ERR_NOMEM;
  }
  r->sub = sub;
  r->store = sub->dest->store;
  sbk__list_init(&r->nothing);
  r->list = sub->dest->pattern ? &keep->history
            : r->store != NULL ? &r->store->history
                               : &r->nothing;
  sbk__list_init(&r->in_replays);
  sbk__list_init(&r->past.node);
  sbk__list_init(&r->values.node);
  sub->replay = r;
  if (r->store != NULL) {
    r->store->readers++;
  } else if (sub->dest->pattern) {
    sbk__mark_move(&keep->values, &r->values, NULL);
  }
  begin(r, id, count);
  sbk__replay_soon(sub);

  return 0;
}

void sbk__replay_free(sbk__sub *sub) {
  sbk__replay *r = sub->replay;

  if (r == NULL) {
    return;
  }
  sbk__list_remove(&r->in_replays);
  sbk__list_remove(&r->past.node);
  sbk__list_remove(&r->values.node);
  sub->replay = NULL;
  if (r->store != NULL) {
    sbk__store_release(&sub->session->broker->keep, r->store);
  }
  sbk__free(&sub->session->broker->core.mem, r);
}

/* ---- what comes next ---- */

/* BEHAVIOUR 7: no-local leaves out what this session itself has sent. */
static bool is_for(const sbk__replay *r, const sbk__kept *kept) {
  return !(r->sub->no_local &&
           kept->sender == sbk__session_mark(r->sub->session)) &&
         (r->store != NULL || matches(r->sub, kept->store));
}

static bool is_recent(const sbk__replay *r, const sbk__kept *kept) {
  return r->most == UINT64_MAX || sbk__kept_rank(kept, r->limit) <= r->most;
}

/* The next entry of the history, in front of which the reader then stands;
 * NULL: none, or no more steps. */
static sbk__kept *next_past(sbk__replay *r, int *steps) {
  sbk__kept *kept;

  if (!r->asked) {
    return NULL;
  }
  while (*steps > 0 && (kept = sbk__mark_next(r->list, &r->past)) != NULL &&
         kept->seq <= r->limit) {
    if (kept->seq > r->after && is_for(r, kept) && is_recent(r, kept)) {
      return kept;
    }
    (*steps)--;
    r->position = kept->seq;
    sbk__mark_move(r->list, &r->past, place_of(r, kept));
  }

  return NULL;
}

/* A last value is one more message of the past, unless history tells it. */
static bool wants_value(const sbk__replay *r, const sbk__kept *value) {
  const sbk__store *store = value->store;
  const sbk__node *node;

  if (value->seq > r->limit || !is_for(r, value)) {
    return false;
  }
  if (!r->asked) {
    return true;
  }
  if (value->seq <= r->after) {
    return false;
  }
  for (node = store->history.prev; node != &store->history; node = node->prev) {
    const sbk__kept *kept = sbk__item(node, sbk__mark, node)->kept;

    if (kept != NULL && kept->seq <= value->seq) {
      return kept->seq < value->seq || !is_recent(r, kept);
    }
  }

  return true;
}

static sbk__kept *next_value(sbk__replay *r, int *steps) {
  sbk__node *list = &keep_of(r)->values;
  sbk__kept *value;

  if (!r->sub->dest->pattern) {
    value = r->store != NULL && !r->value_done ? r->store->value : NULL;
    return value != NULL && wants_value(r, value) ? value : NULL;
  }
  while (*steps > 0 && (value = sbk__mark_next(list, &r->values)) != NULL &&
         value->seq <= r->limit) {
    if (wants_value(r, value)) {
      return value;
    }
    (*steps)--;
    sbk__mark_move(list, &r->values, &value->in_all);
  }

  return NULL;
}

/* The reader has it behind itself. */
static void pass(sbk__replay *r, sbk__kept *kept, bool value) {
  if (!value) {
    r->position = kept->seq;
    sbk__mark_move(r->list, &r->past, place_of(r, kept));
  } else if (r->store == NULL) {
    sbk__mark_move(&keep_of(r)->values, &r->values, &kept->in_all);
  } else {
    r->value_done = true;
  }
}

/* While it waited the history may have gone on without it. */
static void look_for_gap(sbk__replay *r) {
  const sbk__keep *keep = keep_of(r);

  if (!r->asked || keep->losses == r->losses) {
    return;
  }
  r->gap = r->gap || any_lost(r, lost_since, r->losses) ||
           (r->sub->dest->pattern && keep->forgotten_at > r->losses &&
            keep->forgotten_seq > r->position);
  r->losses = keep->losses;
}

/* ---- on its way ---- */

static bool has_room(sbk__sub *sub) {
  sbk_session *session = sub->session;

  /* What is published waits meanwhile, and takes its part of max_queue. */
  if (session->out.bytes >= session->broker->core.config.max_queue / 4) {
    session->hungry = true;
    return false;
  }

  return sub->ack == SBK__ACK_AUTO || sbk__ledger_has_room(sub);
}

/* A MESSAGE that says that something was missed. Its id is no message's, so
 * that nobody resumes from it. */
static sbk_message *notice(const sbk__sub *sub) {
  sbk_broker *broker = sub->session->broker;
  sbk_message *msg = sbk__message_make(
      broker, NULL, 0, sbk__sub_destination(sub), NULL, NULL, 0);

  if (msg != NULL && sbk__message_put(msg, "history", "gap") != 0) {
    sbk_message_unref(msg);
    return NULL;
  }
  if (msg != NULL) {
    sbk__stamp(broker, msg);
    sbk__stamp_notice(msg);
    broker->counts.gaps++;
  }

  return msg;
}

/* The next message, with a reference; NULL: none now. *done: none at all. */
static sbk_message *next(sbk__replay *r, int *steps, bool *done) {
  sbk__kept *past = next_past(r, steps);
  sbk__kept *value = next_value(r, steps);
  bool is_value = past == NULL || (value != NULL && value->seq < past->seq);
  sbk__kept *kept = is_value ? value : past;
  sbk_message *msg;

  *done = kept == NULL && !r->gap && *steps > 0;
  if (*steps <= 0 || (kept == NULL && !r->gap) || !has_room(r->sub)) {
    return NULL;
  }
  (*steps)--;
  if (r->gap) {
    msg = notice(r->sub);
    if (msg == NULL) {
      sbk__session_fail(r->sub->session, SBK__FAULT_NOMEM, NULL);
    }
    r->gap = false;
    return msg;
  }
  pass(r, kept, is_value);
  r->sub->session->broker->counts.replayed++;

  return sbk_message_ref(kept->msg);
}

/* One of them goes on. It may be gone afterwards, with its subscription. */
static void run(sbk__replay *r) {
  sbk__sub *sub = r->sub;
  sbk_session *session = sub->session;
  sbk_broker *broker = session->broker;
  sbk_message *msg = NULL;
  bool done = false;
  int steps = STEPS;

  sub->queued++; /* its slot stays, whatever the host's code does */
  look_for_gap(r);
  while (session->state == SBK__CONNECTED && sub->replay == r &&
         (msg = next(r, &steps, &done)) != NULL) {
    sbk__deliver_past(sub, msg);
    sbk_message_unref(msg);
  }
  if (sub->replay == r && (done || session->state != SBK__CONNECTED)) {
    sbk__replay_free(sub);
    sbk__refill(sub, false);
  } else if (sub->replay == r && steps <= 0) {
    sbk__list_push(&broker->replays, &r->in_replays);
  }
  sbk__session_release_slot(session, sub->slot);
}

void sbk__replay_soon(sbk__sub *sub) {
  sbk_broker *broker = sub->session->broker;

  if (sub->replay == NULL || broker->shut_down) {
    return;
  }
  if (!sbk__list_linked(&sub->replay->in_replays)) {
    sbk__list_push(&broker->replays, &sub->replay->in_replays);
  }
  sbk__work_add(broker, &broker->replay_work);
}

/* Those that took all their steps go on with the next tick. */
void sbk__replay_work(sbk__work *work) {
  sbk_broker *broker = sbk__item(work, sbk_broker, replay_work);
  sbk__node *node, now;

  sbk__keep_expire(&broker->keep, &broker->topics);
  sbk__list_init(&now);
  while ((node = sbk__list_shift(&broker->replays)) != NULL) {
    sbk__list_push(&now, node);
  }
  while ((node = sbk__list_shift(&now)) != NULL) {
    run(sbk__item(node, sbk__replay, in_replays));
  }
}
