#include "ledger.h"

#include <assert.h>
#include <string.h>

#include "str.h"

/* Numbers between the oldest unsettled delivery and the newest: a client that
 * leaves one out for ever gets no more than these behind it. */
#define SPAN_MAX 65536

static size_t put(char *dst, const char *text) {
  size_t len = strlen(text);

  memcpy(dst, text, len);
  return len;
}

static void write_extra(sbk__delivery *d, const sbk_session *session) {
  size_t len = 0;

  /* STOMP 1.2, MESSAGE: `ack` is there only when the mode is not auto; before
   * 1.2 the message-id serves. */
  if (d->number != 0 && session->version == SBK__V12) {
    len = put(d->extra, "ack:");
    len += sbk__format_u64(d->extra + len, d->number);
    len += put(d->extra + len, "\n");
  }
  if (d->tries > 1) {
    len += put(d->extra + len, "redelivered:true\n");
  }
  d->extra_len = (uint8_t)len;
}

static int reserve(sbk_session *session) {
  const struct sbk_mem *mem = &session->broker->core.mem;
  sbk__ledger *ledger = session->ledger;
  sbk__delivery **ring;
  uint32_t i, cap;

  if (ledger == NULL) {
    ledger = sbk__calloc(mem, 1, sizeof(*ledger));
    if (ledger == NULL) {
      return SBK_ERR_NOMEM;
    }
    ledger->first = 1;
    session->ledger = ledger;
  }
  if (ledger->span < ledger->cap) {
    return 0;
  }

  cap = ledger->cap == 0 ? 4 : ledger->cap * 2;
  ring = sbk__malloc(mem, cap * sizeof(sbk__delivery *));
  if (ring == NULL) {
    return SBK_ERR_NOMEM;
  }
  for (i = 0; i < ledger->span; i++) {
    uint64_t number = ledger->first + i;

    ring[number & (cap - 1)] = ledger->ring[number & (ledger->cap - 1)];
  }
  sbk__free(mem, ledger->ring);
  ledger->ring = ring;
  ledger->cap = cap;

  return 0;
}

static sbk__delivery **place(const sbk__ledger *ledger, uint64_t number) {
  return &ledger->ring[number & (ledger->cap - 1)];
}

sbk__delivery *sbk__ledger_add(sbk__sub *sub, sbk_message *msg,
                               sbk__dest *queue, sbk__queued item) {
  sbk_session *session = sub->session;
  sbk__delivery *d;

  if (sub->ack != SBK__ACK_AUTO && reserve(session) != 0) {
    return NULL;
  }
  d = sbk__calloc(&session->broker->core.mem, 1, sizeof(*d));
  if (d == NULL) {
    return NULL;
  }

  d->msg = sbk_message_ref(msg);
  d->kept = sbk_message_ref(item.msg);
  d->queue = queue;
  d->slot = sub->slot;
  d->tries = item.tries + 1;
  d->refs = 1;
  if (sub->ack != SBK__ACK_AUTO) {
    d->number = session->ledger->first + session->ledger->span++;
    *place(session->ledger, d->number) = d;
    session->ledger->live++;
    session->broker->counts.unacked++;
    sub->unacked++;
    sub->queued++; /* the subscription's slot stays while it is named here */
    d->refs++;
  }
  write_extra(d, session);

  return d;
}

static void unref(sbk_session *session, sbk__delivery *delivery) {
  if (--delivery->refs == 0) {
    sbk_message_unref(delivery->msg);
    sbk_message_unref(delivery->kept);
    sbk__free(&session->broker->core.mem, delivery);
  }
}

static void settle_queue(sbk_broker *broker, sbk__dest *dest,
                         const sbk_message *msg) {
  sbk__queue_settle(dest->queue, msg);
  sbk__subs_tidy(&broker->subs, dest);
}

static void return_to_queue(sbk_broker *broker, sbk__delivery *d) {
  sbk__queue_return(d->queue->queue,
                    (sbk__queued){sbk_message_ref(d->kept), d->tries});
  sbk__dispatch_soon(broker, d->queue);
}

void sbk__delivery_left(sbk_session *session, sbk__delivery *delivery,
                        bool sent) {
  /* Nobody will acknowledge it: what is sent is settled. */
  if (delivery->number == 0) {
    if (sent) {
      settle_queue(session->broker, delivery->queue, delivery->kept);
    } else {
      return_to_queue(session->broker, delivery);
    }
  }
  unref(session, delivery);
}

bool sbk__ledger_is_full(const sbk_session *session) {
  const sbk__ledger *ledger = session->ledger;

  return ledger != NULL &&
         (ledger->live >= session->broker->core.config.max_unacked ||
          ledger->span >= SPAN_MAX);
}

bool sbk__ledger_has_room(const sbk__sub *sub) {
  return sub->unacked < sub->window && !sbk__ledger_is_full(sub->session);
}

sbk__delivery *sbk__ledger_find(const sbk_session *session, uint64_t number) {
  const sbk__ledger *ledger = session->ledger;

  return ledger != NULL && number >= ledger->first &&
                 number - ledger->first < ledger->span
             ? *place(ledger, number)
             : NULL;
}

bool sbk__ledger_knows(const sbk_session *session, uint64_t number) {
  return session->ledger != NULL && number > 0 &&
         number < session->ledger->first + session->ledger->span;
}

static bool is_of(const sbk_session *session, const sbk__delivery *d,
                  const sbk__header *id) {
  const sbk__sub *sub = session->subs[d->slot];

  return sub->id_len == id->value_len &&
         memcmp(sbk__sub_id(sub), id->value, id->value_len) == 0;
}

sbk__delivery *sbk__ledger_find_message(const sbk_session *session,
                                        const char *message_id,
                                        const sbk__header *sub) {
  size_t len = strlen(message_id);
  uint64_t number, end;

  for (end = sbk__ledger_range(session, &number); number < end; number++) {
    sbk__delivery *d = *place(session->ledger, number);

    if (d != NULL && d->msg->id_len == len &&
        memcmp(d->msg->id, message_id, len) == 0 &&
        (sub == NULL || is_of(session, d, sub))) {
      return d;
    }
  }

  return NULL;
}

uint64_t sbk__ledger_range(const sbk_session *session, uint64_t *first) {
  const sbk__ledger *ledger = session->ledger;

  *first = ledger != NULL ? ledger->first : 1;

  return ledger != NULL ? ledger->first + ledger->span : 1;
}

static void take_out(sbk_session *session, sbk__delivery *delivery) {
  sbk__ledger *ledger = session->ledger;

  assert(delivery->number != 0);
  *place(ledger, delivery->number) = NULL;
  ledger->live--;
  session->broker->counts.unacked--;
  while (ledger->span > 0 && *place(ledger, ledger->first) == NULL) {
    ledger->first++;
    ledger->span--;
  }
  session->subs[delivery->slot]->unacked--;
  sbk__session_release_slot(session, delivery->slot);
  unref(session, delivery);
}

void sbk__ledger_settle(sbk_session *session, sbk__delivery *delivery) {
  if (delivery->queue != NULL) {
    settle_queue(session->broker, delivery->queue, delivery->kept);
  }
  take_out(session, delivery);
}

void sbk__ledger_return(sbk_session *session, sbk__delivery *delivery) {
  return_to_queue(session->broker, delivery);
  take_out(session, delivery);
}

void sbk__ledger_free(sbk_session *session) {
  const struct sbk_mem *mem = &session->broker->core.mem;

  if (session->ledger != NULL) {
    assert(session->ledger->live == 0);
    sbk__free(mem, session->ledger->ring);
    sbk__free(mem, session->ledger);
    session->ledger = NULL;
  }
}
