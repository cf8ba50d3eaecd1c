#include "acks.h"

#include <string.h>

#include "deliver.h"
#include "ledger.h"
#include "str.h"

/* What a frame says: a number of the ledger in 1.2, a message-id before. */
typedef struct names {
  const char *id;
  const sbk__header *sub; /* 1.1, and 1.0 where it says so; else NULL */
  bool by_number;
} names;

static enum sbk__fault read_names(const sbk_session *session,
                                  const sbk_message *msg, names *n) {
  bool by_sub = session->version == SBK__V11;

  n->by_number = session->version == SBK__V12;
  n->sub = n->by_number ? NULL : sbk__message_findz(msg, "subscription");
  n->id = sbk_message_header(msg, n->by_number ? "id" : "message-id");

  return n->id == NULL || (by_sub && n->sub == NULL) ? SBK__FAULT_ACK_ID
                                                     : SBK__FAULT_NONE;
}

static sbk__delivery *find(const sbk_session *session, const names *n) {
  return n->by_number ? sbk__ledger_find(session, sbk__parse_u64(n->id))
                      : sbk__ledger_find_message(session, n->id, n->sub);
}

/* Did this broker ever give out that id? Late and repeated ACKs do no harm. */
static bool was_given(const sbk_session *session, const names *n) {
  uint64_t number;

  return n->by_number ? sbk__ledger_knows(session, sbk__parse_u64(n->id))
                      : sbk__message_number(session->broker, n->id, &number);
}

enum sbk__fault sbk__acks_check(const sbk_session *session,
                                const sbk_message *msg) {
  names n;
  enum sbk__fault fault = read_names(session, msg, &n);

  if (fault != SBK__FAULT_NONE) {
    return fault;
  }

  return find(session, &n) != NULL || was_given(session, &n) ? SBK__FAULT_NONE
                                                             : SBK__FAULT_ACK;
}

static void dead_letter(sbk_broker *broker, sbk_message *msg) {
  const sbk__core *core = &broker->core;

  broker->counts.dead_letters++;
  if (core->callbacks.dead_letter != NULL) {
    core->callbacks.dead_letter(broker, msg, core->arg);
  }
}

/* Nobody took it: back to its queue, or, when that was tried often enough or
 * there is none, to the host. */
static void give_back(sbk_session *session, sbk__delivery *d, bool refused) {
  sbk_broker *broker = session->broker;
  bool queue = d->queue != NULL;
  sbk_message *msg;

  if (queue && d->tries <= broker->core.config.max_redeliveries) {
    sbk__ledger_return(session, d);
    return;
  }
  msg = sbk_message_ref(d->kept);
  sbk__ledger_settle(session, d);
  if (refused || queue) {
    dead_letter(broker, msg);
  }
  sbk_message_unref(msg);
}

static void settle(sbk_session *session, sbk__delivery *d, bool ack) {
  if (ack) {
    sbk__ledger_settle(session, d);
  } else {
    give_back(session, d, true);
  }
}

/* STOMP 1.2, ACK: in client mode all before it, too. What goes back to a queue
 * goes to its front, so the newest of these is the first. */
static void settle_up_to(sbk_session *session, const sbk__delivery *last,
                         bool ack) {
  uint64_t number, end = last->number + 1;
  uint32_t slot = last->slot;
  bool queue = last->queue != NULL;
  sbk__delivery *d;

  sbk__ledger_range(session, &number);
  while (number < end) {
    d = sbk__ledger_find(session, queue ? --end : number++);
    if (d != NULL && d->slot == slot) {
      settle(session, d, ack);
    }
  }
}

void sbk__acks_apply(sbk_session *session, const sbk_message *msg) {
  bool ack = msg->command == SBK_ACK;
  bool full = sbk__ledger_is_full(session);
  sbk__delivery *d;
  sbk__sub *sub;
  names n;

  if (read_names(session, msg, &n) != SBK__FAULT_NONE) {
    return;
  }
  d = find(session, &n);
  if (d == NULL) {
    return;
  }

  sub = session->subs[d->slot];
  sub->queued++; /* it stays until it is refilled */
  if (sub->ack == SBK__ACK_INDIVIDUAL) {
    settle(session, d, ack);
  } else {
    settle_up_to(session, d, ack);
  }
  sbk__refill(sub, full);
  sbk__session_release_slot(session, sub->slot);
}

void sbk__acks_unsubscribed(sbk_session *session, sbk__sub *sub) {
  bool full = sbk__ledger_is_full(session);
  uint64_t number, end;

  for (end = sbk__ledger_range(session, &number); number < end; number++) {
    sbk__delivery *d = sbk__ledger_find(session, number);

    if (d != NULL && d->slot == sub->slot && d->queue == NULL) {
      sbk__ledger_settle(session, d);
    }
  }
  if (full) {
    sbk__refill(sub, true);
  }
}

void sbk__acks_end(sbk_session *session) {
  uint64_t first, end = sbk__ledger_range(session, &first);
  sbk__delivery *d;

  while (first < end) {
    d = sbk__ledger_find(session, --end);
    if (d != NULL) {
      give_back(session, d, false);
    }
  }
}
