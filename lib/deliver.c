#include "deliver.h"

#include <string.h>

#include "call.h"
#include "ledger.h"
#include "pressure.h"
#include "replay.h"
#include "stomp_write.h"

const sbk__rest *sbk__rest_for(sbk_broker *broker, sbk_message *msg,
                               enum sbk__version version) {
  return sbk__message_rest(
      msg, version,
      msg->foreign ? (const char *const *)broker->route.hidden : NULL);
}

/* Runs the outbound interceptors; *msg may become another message, with one
 * reference for the caller. False: this receiver gets nothing. */
static bool intercept(sbk__sub *sub, sbk_message **msg) {
  sbk_broker *broker = sub->session->broker;
  enum sbk_verdict verdict = SBK_PASS;
  const sbk__link *link;
  sbk_call call;

  memset(&call, 0, sizeof(call));
  call.broker = broker;
  call.session = sub->session;
  call.kind = SBK__CALL_OUTBOUND;
  call.msg = sbk_message_ref(*msg);
  while (verdict == SBK_PASS &&
         (link = sbk__chain_next(&broker->outbound, &call.walk)) != NULL) {
    verdict = link->run(&call, link->arg);
  }
  if (verdict == SBK_REJECT) {
    sbk__session_refuse(sub->session, SBK_ERR_DENIED, 1008,
                        call.error != NULL ? call.error
                                           : sbk__fault_text(SBK__FAULT_DENIED),
                        NULL);
  } else if (verdict == SBK_WAIT) {
    sbk__log(&broker->core, SBK_LOG_ERROR, sub->session->peer,
             "an outbound interceptor cannot wait; message dropped", NULL);
  }
  broker->counts.dropped_outbound += verdict != SBK_PASS;
  sbk__free(&broker->core.mem, call.error);
  *msg = call.msg;

  return verdict == SBK_PASS;
}

/* Queues one entry of that many bytes, for which there is room. */
static void push(sbk__sub *sub, sbk__entry entry, size_t bytes) {
  sbk_session *session = sub->session;

  entry.stamp = (uint32_t)session->broker->core.now;
  sub->queued++;
  session->broker->counts.deliveries++;
  if (sub->dest != NULL) {
    sub->dest->deliveries++;
  }
  sbk__outq_push(&session->out, entry, bytes);
  if (!session->awake) {
    session->broker->wire->wake(session);
  }
  sbk__pressure_add(session, &entry);
}

/* A plain reference, admitted already: nobody acknowledges it. */
static bool push_message(sbk__sub *sub, sbk_message *msg, size_t bytes) {
  sbk__entry entry = {{NULL}, sub->slot, 0};

  entry.ref.msg = sbk_message_ref(msg);
  sub->session->droppable += msg->overflow != SBK_OVERFLOW_CLOSE;
  push(sub, entry, bytes);

  return true;
}

/* A delivery with a history, admitted already. Without memory the session is
 * closed; what is in its ledger then is dealt with at its end. */
static bool push_delivery(sbk__sub *sub, sbk_message *msg, size_t bytes,
                          sbk__dest *queue, sbk__queued item) {
  sbk_session *session = sub->session;
  sbk__entry entry = {{NULL}, sub->slot | SBK__SLOT_DELIVERY, 0};

  entry.ref.delivery = sbk__ledger_add(sub, msg, queue, item);
  if (entry.ref.delivery == NULL) {
    sbk__session_fail(session, SBK__FAULT_NOMEM, NULL);
    return false;
  }
  session->broker->counts.redelivered += entry.ref.delivery->tries > 1;
  push(sub, entry, bytes + entry.ref.delivery->extra_len);

  return true;
}

/* A topic's message that waits until another one is acknowledged; it counts as
 * queued for this peer. */
static bool push_backlog(sbk__sub *sub, sbk_message *msg, size_t bytes) {
  sbk_session *session = sub->session;
  sbk_broker *broker = session->broker;
  sbk__entry entry = {{NULL}, sub->slot, 0};

  if (sub->backlog == NULL) {
    sub->backlog = sbk__calloc(&broker->core.mem, 1, sizeof(*sub->backlog));
  }
  if (sub->backlog == NULL ||
      sbk__outq_reserve(sub->backlog, &broker->rings) != 0) {
    sbk__session_fail(session, SBK__FAULT_NOMEM, NULL);
    return false;
  }
  entry.ref.msg = sbk_message_ref(msg);
  sbk__outq_push(sub->backlog, entry, bytes);
  session->backlog += bytes;
  sbk__pressure_add(session, &entry);

  return true;
}

/* Bytes of a topic's message for sub; 0: no memory, and the session is closed.
 */
static size_t topic_bytes(sbk__sub *sub, sbk_message *msg) {
  sbk_session *session = sub->session;
  const sbk__rest *rest =
      sbk__rest_for(session->broker, msg, (enum sbk__version)session->version);

  if (rest == NULL) {
    sbk__session_fail(session, SBK__FAULT_NOMEM, NULL);
    return 0;
  }

  return sub->head_len + rest->total;
}

static bool push_topic(sbk__sub *sub, sbk_message *msg, size_t bytes) {
  return sub->ack == SBK__ACK_AUTO
             ? push_message(sub, msg, bytes)
             : push_delivery(sub, msg, bytes, NULL, (sbk__queued){msg, 0});
}

/* Does nothing wait in front of it? */
static bool is_next(const sbk__sub *sub) {
  return sub->replay == NULL &&
         (sub->backlog == NULL || sub->backlog->count == 0) &&
         (sub->ack == SBK__ACK_AUTO || sbk__ledger_has_room(sub));
}

static bool enqueue(sbk__sub *sub, sbk_message *msg) {
  size_t bytes = topic_bytes(sub, msg);
  size_t extra = sub->ack == SBK__ACK_AUTO ? 0 : SBK__EXTRA_MAX;

  /* What is acknowledged is never dropped. */
  if (bytes == 0 ||
      !sbk__session_admit(sub->session, bytes + extra,
                          extra == 0 ? (enum sbk_overflow)msg->overflow
                                     : SBK_OVERFLOW_CLOSE)) {
    return false;
  }

  return is_next(sub) ? push_topic(sub, msg, bytes)
                      : push_backlog(sub, msg, bytes);
}

/* What was admitted before, or belongs to the past. */
static bool enqueue_admitted(sbk__sub *sub, sbk_message *msg) {
  size_t bytes = topic_bytes(sub, msg);

  if (bytes == 0) {
    return false;
  }
  if (sub->session->out.count == 0) {
    sub->session->moved = sub->session->broker->core.now;
  }
  if (sbk__outq_reserve(&sub->session->out, &sub->session->broker->rings) !=
      0) {
    sbk__session_fail(sub->session, SBK__FAULT_NOMEM, NULL);
    return false;
  }

  return push_topic(sub, msg, bytes);
}

/* The host's code may have ended the one or the other. */
static bool still_takes(const sbk__sub *sub) {
  return sub->session->state == SBK__CONNECTED && !sub->muted;
}

static bool deliver(sbk__sub *sub, sbk_message *msg,
                    bool (*enqueue_it)(sbk__sub *sub, sbk_message *msg)) {
  bool queued;

  if (!still_takes(sub)) {
    return false;
  }
  if (sub->session->broker->outbound.count == 0) {
    queued = enqueue_it(sub, msg);
  } else {
    queued = intercept(sub, &msg) && still_takes(sub) && enqueue_it(sub, msg);
    sbk_message_unref(msg);
  }

  /* Where too much waits for all, it may be closed with what it got. */
  return queued && sub->session->state == SBK__CONNECTED;
}

bool sbk__deliver(sbk__sub *sub, sbk_message *msg) {
  return deliver(sub, msg, enqueue);
}

bool sbk__deliver_past(sbk__sub *sub, sbk_message *msg) {
  return deliver(sub, msg, enqueue_admitted);
}

static sbk__entry backlog_take(sbk__sub *sub, size_t *bytes) {
  sbk_session *session = sub->session;
  const sbk__entry *oldest = sbk__outq_at(sub->backlog, 0);
  const sbk__rest *rest = oldest->ref.msg->rest[session->version];

  *bytes = sub->head_len + rest->total;
  session->backlog -= *bytes;
  sbk__pressure_remove(session, oldest);

  return sbk__outq_pop(sub->backlog, &session->broker->rings, *bytes);
}

static void refill_topic(sbk__sub *sub) {
  while (sub->backlog != NULL && sub->backlog->count > 0 &&
         sub->session->state == SBK__CONNECTED &&
         (sub->ack == SBK__ACK_AUTO || sbk__ledger_has_room(sub))) {
    size_t bytes;
    sbk__entry entry = backlog_take(sub, &bytes);

    enqueue_admitted(sub, entry.ref.msg);
    sbk_message_unref(entry.ref.msg);
  }
}

static void refill(sbk__sub *sub) {
  if (sub->replay != NULL) {
    sbk__replay_soon(sub);
  } else if (sub->active) {
    refill_topic(sub);
  }
  if (sub->dest != NULL && sub->dest->queue != NULL) {
    sbk__dispatch_soon(sub->session->broker, sub->dest);
  }
}

void sbk__refill(sbk__sub *sub, bool all) {
  sbk_session *session = sub->session;
  uint32_t i;

  refill(sub);
  for (i = 0; all && i < session->slot_count; i++) {
    if (session->subs[i] != NULL) {
      refill(session->subs[i]);
    }
  }
}

void sbk__backlog_free(sbk__sub *sub) {
  size_t bytes;

  sbk__replay_free(sub);
  while (sub->backlog != NULL && sub->backlog->count > 0) {
    sbk__entry entry = backlog_take(sub, &bytes);

    sbk_message_unref(entry.ref.msg);
  }
  sbk__free(&sub->session->broker->core.mem, sub->backlog);
  sub->backlog = NULL;
}

/* ---- queues ---- */

/* May this consumer get one more now? Half of what may wait for a peer is left
 * to others: a queue never makes its consumers slow ones. */
static bool has_room(sbk__sub *sub) {
  sbk_session *session = sub->session;

  if (!still_takes(sub)) {
    return false;
  }
  if (session->out.bytes + session->backlog >=
      session->broker->core.config.max_queue / 2) {
    session->hungry = true;
    return false;
  }

  return sub->ack == SBK__ACK_AUTO || sbk__ledger_has_room(sub);
}

/* Round robin among those that have room; NULL: nobody has. */
static sbk__sub *next_consumer(sbk__dest *dest) {
  uint32_t turn = dest->queue->turn < dest->count ? dest->queue->turn : 0;
  uint32_t i;

  for (i = 0; i < dest->count; i++) {
    uint32_t at = (turn + i) % dest->count;

    if (has_room(dest->subs[at])) {
      dest->queue->turn = at + 1;
      return dest->subs[at];
    }
  }

  return NULL;
}

/* True: it is on its way, or an interceptor took it out of the world. */
static bool hand_over(sbk__sub *sub, sbk__dest *dest, sbk__queued item) {
  sbk_session *session = sub->session;
  sbk_message *msg = item.msg;
  const sbk__rest *rest;
  bool passed = true, queued = false;
  size_t bytes;

  if (session->broker->outbound.count > 0) {
    passed = intercept(sub, &msg);
  } else {
    sbk_message_ref(msg);
  }
  if (passed && still_takes(sub)) {
    rest = sbk__rest_for(session->broker, msg,
                         (enum sbk__version)session->version);
    if (rest == NULL) {
      sbk__session_fail(session, SBK__FAULT_NOMEM, NULL);
    } else {
      bytes = sub->head_len + rest->total;
      queued = sbk__session_admit(session, bytes + SBK__EXTRA_MAX,
                                  SBK_OVERFLOW_CLOSE) &&
               push_delivery(sub, msg, bytes, dest, item);
    }
  }
  if (!passed && session->state == SBK__CONNECTED) {
    sbk__queue_settle(dest->queue, item.msg);
    queued = true;
  }
  sbk_message_unref(msg);

  return queued;
}

static void dispatch(sbk_broker *broker, sbk__dest *dest) {
  sbk__sub *sub;

  if (dest->queue->busy) {
    sbk__dispatch_soon(broker, dest);
    return;
  }
  dest->queue->busy = true;
  while (dest->queue->count > 0 && (sub = next_consumer(dest)) != NULL) {
    sbk__queued item = sbk__queue_take(dest->queue);

    if (hand_over(sub, dest, item)) {
      sbk_message_unref(item.msg);
    } else {
      sbk__queue_return(dest->queue, item);
    }
  }
  dest->queue->busy = false;
}

void sbk__dispatch_work(sbk__work *work) {
  sbk_broker *broker = sbk__item(work, sbk_broker, dispatch_work);
  sbk__node *node;

  while ((node = sbk__list_shift(&broker->dispatch)) != NULL) {
    sbk__dest *dest = sbk__item(node, sbk__queue, in_dispatch)->dest;

    dispatch(broker, dest);
    sbk__subs_tidy(&broker->subs, dest);
  }
}

/* LIMITS: what is full refuses; what is promised counts. */
static int check_full(const sbk_broker *broker, const sbk__queue *queue,
                      size_t len) {
  const struct sbk_config *limits = &broker->core.config;
  size_t bytes = queue->bytes + queue->promised_bytes;

  return queue->count + queue->promised >= limits->max_queued_messages ||
                 bytes > limits->max_queued_bytes ||
                 len > limits->max_queued_bytes - bytes ||
                 broker->subs.queued_bytes > limits->max_total_queued_bytes ||
                 len >
                     limits->max_total_queued_bytes - broker->subs.queued_bytes
             ? SBK_ERR_TOO_MANY
             : 0;
}

int sbk__enqueue_promise(sbk_broker *broker, const sbk_message *msg) {
  const sbk__header *to = sbk__message_findz(msg, "destination");
  sbk__dest *dest = sbk__subs_queue(&broker->subs, to->value, to->value_len);
  int rv;

  if (dest == NULL) {
    return SBK_ERR_NOMEM;
  }
  rv = check_full(broker, dest->queue, sbk__message_cost(msg));
  if (rv == 0) {
    rv = sbk__queue_promise(dest->queue, sbk__message_cost(msg));
  }
  sbk__subs_tidy(&broker->subs, dest);

  return rv;
}

void sbk__enqueue_forget(sbk_broker *broker, const sbk_message *msg) {
  const sbk__header *to = sbk__message_findz(msg, "destination");
  sbk__dest *dest =
      sbk__map_find(&broker->subs.exact, to->value, to->value_len);

  sbk__queue_forget(dest->queue, sbk__message_cost(msg));
}

void sbk__enqueue_tidy(sbk_broker *broker, const sbk_message *msg) {
  const sbk__header *to = sbk__message_findz(msg, "destination");
  sbk__dest *dest =
      sbk__map_find(&broker->subs.exact, to->value, to->value_len);

  if (dest != NULL) {
    sbk__subs_tidy(&broker->subs, dest);
  }
}

int sbk__enqueue(sbk_broker *broker, const sbk__header *to, sbk_message *msg) {
  sbk__dest *dest = sbk__subs_queue(&broker->subs, to->value, to->value_len);
  uint32_t taken;
  int rv;

  if (dest == NULL) {
    return SBK_ERR_NOMEM;
  }
  rv = msg->promised ? 0
                     : check_full(broker, dest->queue, sbk__message_cost(msg));
  if (rv == 0) {
    rv = sbk__queue_push(dest->queue, msg);
  }
  if (rv == 0) {
    dest->published++;
    taken = dest->queue->taken;
    dispatch(broker, dest);
    rv = dest->queue->taken > taken;
  }
  sbk__subs_tidy(&broker->subs, dest);

  return rv;
}
