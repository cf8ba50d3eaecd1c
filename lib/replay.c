#include "replay.h"

#include "deliver.h"
#include "fanout.h"
#include "keep.h"
#include "ledger.h"

/* Entries looked at in one go, for all together: matching a pattern takes about
 * a microsecond. And those for one, before it is the next one's turn. */
#define STEPS 1024
#define TURN  128

typedef struct sbk__replay {
  sbk__node in_replays; /* of the broker: it can go on */
  sbk__sub *sub;
  sbk__store *store;  /* NULL: a pattern, or nothing is kept */
  sbk__node *list;    /* the history of the one, or of all */
  sbk__node nothing;  /* that list, when nothing is kept */
  sbk__mark past;     /* in that list */
  sbk__mark values;   /* of a pattern, in all last values */
  uint64_t after;     /* what was kept up to this is not wanted */
  uint64_t limit;     /* what was kept behind this comes by itself */
  uint64_t position;  /* the reader is behind this */
  uint64_t losses;    /* of all histories, when it last looked for gaps */
  uint64_t most;      /* entries of each destination */
  uint64_t else_most; /* the same, if there is a gap */
  uint64_t number;    /* that message is searched for, from the end on */
  int walked;         /* entries looked at besides, not counted yet */
  bool searching;     /* and was not found yet */
  bool asked;         /* for history */
  bool gap;           /* something was missed: to be told */
  bool value_done;    /* of the one store */
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

static void stand_behind(sbk__replay *r, sbk__node *node) {
  sbk__mark_move(r->list, &r->past,
                 node != r->list ? sbk__item(node, sbk__mark, node) : NULL);
}

/* Puts the reader in front of the last entries of the one store. */
static void go_back(sbk__replay *r) {
  sbk__node *node = r->list->prev;
  uint64_t count = 0;

  while (node != r->list) {
    const sbk__kept *kept = sbk__item(node, sbk__mark, node)->kept;

    if (kept != NULL && (kept->seq <= r->after || count++ == r->most)) {
      r->position = kept->seq;
      break;
    }
    node = node->prev;
  }
  stand_behind(r, node);
}

/* The reader stands in front of the first entry that it wants, or of others
 * that it will pass over. */
static void start(sbk__replay *r) {
  r->position = r->after;
  if (r->store != NULL && r->most != UINT64_MAX) {
    go_back(r);
  }
  r->losses = keep_of(r)->losses;
}

/* Goes on behind the message with that id, once that is found. */
static void resume(sbk__replay *r, const char *id) {
  if (!is_kept(r->sub) ||
      !sbk__message_number(r->sub->session->broker, id, &r->number) ||
      r->number == 0) {
    r->gap = true; /* an earlier run of the broker gave that id, or none did */
    r->most = r->else_most;
    return;
  }
  r->searching = true;
  stand_behind(r, r->list->prev);
}

/* It was found, or (NULL) is not kept. */
static void found(sbk__replay *r, const sbk__kept *seen) {
  const sbk__keep *keep = keep_of(r);

  r->searching = false;
  if (seen != NULL) {
    r->after = seen->seq;
    r->gap = any_lost(r, lost_seq, seen->seq) ||
             (r->sub->dest->pattern && keep->forgotten_seq > seen->seq);
  } else {
    r->gap = any_lost(r, lost_number, r->number) ||
             (r->store == NULL && keep->forgotten_number >= r->number);
  }
  if (r->gap) {
    r->most = r->else_most;
  }
  start(r);
}

/* Numbers are in the order of the entries, but for what a transaction sent: the
 * newest entry with a lower one is where a message stood that is not kept. */
static void search(sbk__replay *r, int *steps) {
  sbk__node *node = r->past.node.prev;
  const sbk__kept *seen = NULL;

  while (node != r->list && *steps > 0) {
    const sbk__kept *kept = sbk__item(node, sbk__mark, node)->kept;

    (*steps)--;
    if (kept != NULL && kept->number == r->number) {
      seen = kept;
      break;
    }
    if (kept != NULL && kept->number < r->number && kept->seq > r->after) {
      r->after = kept->seq;
    }
    node = node->prev;
  }
  stand_behind(r, node);
  if (seen != NULL || node == r->list) {
    found(r, seen);
  }
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
  r->else_most = count != NULL ? read_count(count) : r->most;
  stand_behind(r, r->list);
  if (id != NULL) {
    resume(r, id);
  }
  if (!r->searching) {
    start(r);
  }
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

static bool is_recent(sbk__replay *r, const sbk__kept *kept) {
  return r->most == UINT64_MAX ||
         sbk__kept_rank(kept, r->limit, &r->walked) <= r->most;
}

/* One step, and what it took besides: that may be more than there was, so that
 * each go takes one. */
static void count_step(sbk__replay *r, int *steps) {
  *steps -= 1 + r->walked;
  r->walked = 0;
}

/* The reader has it behind itself. */
static void pass_past(sbk__replay *r, sbk__kept *kept) {
  r->position = kept->seq;
  sbk__mark_move(r->list, &r->past, place_of(r, kept));
}

static sbk__kept *value_ahead(const sbk__replay *r) {
  if (r->sub->dest->pattern) {
    return sbk__mark_next(&keep_of(r)->values, &r->values);
  }

  return r->store != NULL && !r->value_done ? r->store->value : NULL;
}

static void pass_value(sbk__replay *r, sbk__kept *value) {
  if (r->store == NULL) {
    sbk__mark_move(&keep_of(r)->values, &r->values, &value->in_all);
  } else {
    r->value_done = true;
  }
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
    count_step(r, steps);
    pass_past(r, kept);
  }

  return NULL;
}

/* Does history tell it? */
static bool is_told(sbk__replay *r, const sbk__kept *value) {
  const sbk__store *store = value->store;
  const sbk__node *node;

  for (node = store->history.prev; node != &store->history; node = node->prev) {
    const sbk__kept *kept = sbk__item(node, sbk__mark, node)->kept;

    r->walked++;
    if (kept != NULL && kept->seq <= value->seq) {
      return kept->seq == value->seq && is_recent(r, kept);
    }
  }

  return false;
}

/* A last value is one more message of the past, unless history tells it. */
static bool wants_value(sbk__replay *r, const sbk__kept *value) {
  if (value->seq > r->limit || !is_for(r, value)) {
    return false;
  }

  return !r->asked || (value->seq > r->after && !is_told(r, value));
}

/* The next last value: none, while past comes first. */
static sbk__kept *next_value(sbk__replay *r, const sbk__kept *past,
                             int *steps) {
  sbk__kept *value;

  while (*steps > 0 && (value = value_ahead(r)) != NULL &&
         value->seq <= r->limit && (past == NULL || value->seq < past->seq)) {
    if (wants_value(r, value)) {
      return value;
    }
    count_step(r, steps);
    pass_value(r, value);
  }

  return NULL;
}

/* While it waited the history may have gone on without it. */
static void look_for_gap(sbk__replay *r) {
  const sbk__keep *keep = keep_of(r);

  if (!r->asked || r->searching || keep->losses == r->losses) {
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

static sbk_message *tell_value(sbk__replay *r, sbk__kept *value) {
  pass_value(r, value);

  return sbk_message_ref(value->msg);
}

/* It may be a last value too, which is told then. */
static sbk_message *tell_past(sbk__replay *r, sbk__kept *past) {
  sbk__kept *value = value_ahead(r);

  if (value != NULL && value->seq == past->seq) {
    pass_value(r, value);
  }
  pass_past(r, past);

  return sbk_message_ref(past->msg);
}

static sbk_message *tell_gap(sbk__replay *r) {
  sbk_message *msg = notice(r->sub);

  if (msg == NULL) {
    sbk__session_fail(r->sub->session, SBK__FAULT_NOMEM, NULL);
  }
  r->gap = false;

  return msg;
}

/* The next message, with a reference; NULL: none now. *done: none at all. */
static sbk_message *next(sbk__replay *r, int *steps, bool *done) {
  sbk__kept *past = next_past(r, steps);
  sbk__kept *value = next_value(r, past, steps);

  *done = past == NULL && value == NULL && !r->gap && *steps > 0;
  if (*steps <= 0 || (past == NULL && value == NULL && !r->gap) ||
      !has_room(r->sub)) {
    return NULL;
  }
  count_step(r, steps);
  if (r->gap) {
    return tell_gap(r);
  }
  r->sub->session->broker->counts.replayed++;

  return value != NULL ? tell_value(r, value) : tell_past(r, past);
}

/* It goes on when it is its turn. */
static void queue_up(sbk__replay *r) {
  if (!sbk__list_linked(&r->in_replays)) {
    sbk__list_push(&r->sub->session->broker->replays, &r->in_replays);
  }
}

/* One of them goes on. It may be gone afterwards, with its subscription. */
static void run(sbk__replay *r, int *budget) {
  sbk__sub *sub = r->sub;
  sbk_session *session = sub->session;
  sbk_message *msg = NULL;
  bool done = false;
  int turn = TURN < *budget ? TURN : *budget, steps = turn;

  sub->queued++; /* its slot stays, whatever the host's code does */
  if (r->searching) {
    search(r, &steps);
  }
  look_for_gap(r);
  while (session->state == SBK__CONNECTED && sub->replay == r &&
         (msg = next(r, &steps, &done)) != NULL) {
    sbk__deliver_past(sub, msg);
    sbk_message_unref(msg);
  }
  *budget -= 1 + turn - steps;
  if (sub->replay == r && (done || session->state != SBK__CONNECTED)) {
    sbk__replay_free(sub);
    sbk__refill(sub, false);
  } else if (sub->replay == r && steps <= 0) {
    queue_up(r);
  }
  sbk__session_release_slot(session, sub->slot);
}

void sbk__replay_soon(sbk__sub *sub) {
  sbk_broker *broker = sub->session->broker;

  if (sub->replay != NULL && !broker->shut_down) {
    queue_up(sub->replay);
    sbk__work_add(broker, &broker->replay_work);
  }
}

/* By turns, while there are steps; who has not had its turn then goes on with
 * the next tick. */
void sbk__replay_work(sbk__work *work) {
  sbk_broker *broker = sbk__item(work, sbk_broker, replay_work);
  sbk__node *node;
  int budget = STEPS;

  sbk__keep_expire(&broker->keep, &broker->topics);
  while (budget > 0 && (node = sbk__list_shift(&broker->replays)) != NULL) {
    run(sbk__item(node, sbk__replay, in_replays), &budget);
  }
}
