#include "model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

static void *grown(void *items, size_t count, size_t *size, size_t item) {
  if (count < *size) {
    return items;
  }
  *size = *size * 2 + 16;
  items = realloc(items, *size * item);
  if (items == NULL) {
    abort();
  }

  return items;
}

static void ints_put(struct ints *ints, int value) {
  ints->at = grown(ints->at, ints->count, &ints->size, sizeof(int));
  ints->at[ints->count++] = value;
}

static void ints_clear(struct ints *ints) {
  ints->count = ints->head = 0;
}

void model_free(struct model *model) {
  size_t i, j;

  for (i = 0; i < model->sub_count; i++) {
    free(model->subs[i].due.at);
    free(model->subs[i].held.at);
  }
  for (i = 0; i < model->session_count; i++) {
    for (j = 0; j < TXS; j++) {
      free(model->sessions[i].txs[j].sends.at);
      free(model->sessions[i].txs[j].acks);
    }
    free(model->sessions[i].receipts.at);
  }
  free(model->deliveries.at);
  free(model->messages);
  free(model->subs);
  free(model->sessions);
  memset(model, 0, sizeof(*model));
}

void model_complain(struct model *model, const char *format, ...) {
  va_list args;

  if (model->complaint[0] == '\0') {
    va_start(args, format);
    vsnprintf(model->complaint, sizeof(model->complaint), format, args);
    va_end(args);
  }
}

/* ---- what clients do ---- */

int model_session(struct model *model, int user) {
  struct session *session;

  model->sessions = grown(model->sessions, model->session_count,
                          &model->session_size, sizeof(*model->sessions));
  session = &model->sessions[model->session_count];
  memset(session, 0, sizeof(*session));
  session->live = true;
  session->user = user;

  return (int)model->session_count++;
}

int model_message(struct model *model, int session, bool queue, int dest,
                  size_t size) {
  struct message *message;

  model->messages = grown(model->messages, model->message_count,
                          &model->message_size, sizeof(*model->messages));
  message = &model->messages[model->message_count];
  memset(message, 0, sizeof(*message));
  message->queue = queue;
  message->dest = dest;
  message->from = session;
  message->size = size;
  message->state = DONE; /* it has not been sent yet */

  return (int)model->message_count++;
}

int model_sub(struct model *model, int session, bool queue, int dest,
              enum ack ack, bool no_local) {
  struct sub *sub;

  model->subs = grown(model->subs, model->sub_count, &model->sub_size,
                      sizeof(*model->subs));
  sub = &model->subs[model->sub_count];
  memset(sub, 0, sizeof(*sub));
  sub->session = session;
  sub->queue = queue;
  sub->dest = dest;
  sub->ack = ack;
  sub->no_local = no_local;

  return (int)model->sub_count++;
}

static bool is_for(const struct model *model, const struct message *message,
                   const struct sub *sub) {
  if (!sub->active || sub->queue ||
      (message->dest == MINE) != (sub->dest == MINE)) {
    return false;
  }
  if (sub->dest == MINE) {
    return model->sessions[sub->session].user == message->user;
  }

  return (sub->dest == message->dest || sub->dest >= TOPICS) &&
         !(sub->no_local && sub->session == message->from && !message->handled);
}

static void publish(struct model *model, int number) {
  struct message *message = &model->messages[number];
  size_t i;

  message->order = ++model->published;
  message->maybe =
      !model->sessions[message->from].live ||
      (model->drops && !message->queue && message->dest == TOPICS - 1);

  if (message->queue) {
    message->state = WAITING;
    return;
  }
  for (i = 0; i < model->sub_count; i++) {
    struct sub *sub = &model->subs[i];

    if (is_for(model, message, sub)) {
      ints_put(&sub->due, number);
    }
  }
}

void model_send(struct model *model, int message, int tx) {
  struct session *session = &model->sessions[model->messages[message].from];

  if (tx >= 0) {
    ints_put(&session->txs[tx].sends, message);
  } else {
    publish(model, message);
  }
}

void model_subscribe(struct model *model, int sub) {
  model->subs[sub].active = model->sessions[model->subs[sub].session].live;
}

/* What it holds can be acknowledged until the session's end. */
void model_unsubscribe(struct model *model, int sub) {
  model->subs[sub].active = false;
}

static struct message *message_of(struct model *model, int delivery) {
  return &model->messages[model->deliveries.at[delivery]];
}

static bool is_meant(const struct model *model, const struct settling *it,
                     int delivery) {
  const int *of = model->deliveries.at;

  return it->by_message ? of[delivery] == of[it->delivery]
                        : delivery == it->delivery;
}

/* It means one that may be on its way again, and those before it. */
static void unsure(struct model *model, int queue) {
  size_t i;

  for (i = 0; i < model->message_count; i++) {
    struct message *message = &model->messages[i];

    if (message->queue && message->dest == queue && message->seen) {
      message->maybe = true;
    }
  }
}

static void settle(struct model *model, const struct settling *it) {
  struct sub *sub = &model->subs[it->sub];
  size_t i, at, kept = 0;

  for (at = 0; at < sub->held.count && !is_meant(model, it, sub->held.at[at]);
       at++) {
  }
  if (at == sub->held.count) {
    if (it->by_message && sub->queue) {
      unsure(model, sub->dest);
    }
    return; /* it was let go of meanwhile */
  }
  for (i = 0; i < sub->held.count; i++) {
    struct message *message = message_of(model, sub->held.at[i]);

    /* STOMP 1.2, SUBSCRIBE ack Header: in client mode all before, too */
    if (i > at || (i < at && sub->ack == INDIVIDUAL)) {
      sub->held.at[kept++] = sub->held.at[i];
    } else if (!model->sessions[sub->session].live) {
      message->maybe = true;
    } else if (sub->queue && message->state == HELD) {
      message->state = it->nack ? WAITING : DONE;
    }
  }
  sub->held.count = kept;
}

void model_ack(struct model *model, const struct settling *it, int number) {
  struct session *session = &model->sessions[model->subs[it->sub].session];
  struct tx *tx = number >= 0 ? &session->txs[number] : NULL;

  if (tx == NULL) {
    settle(model, it);
    return;
  }
  tx->acks = grown(tx->acks, tx->ack_count, &tx->ack_size, sizeof(*tx->acks));
  tx->acks[tx->ack_count++] = *it;
}

static void tx_end(struct tx *tx) {
  ints_clear(&tx->sends);
  tx->ack_count = 0;
}

void model_begin(struct model *model, int session, int tx) {
  tx_end(&model->sessions[session].txs[tx]);
}

void model_commit(struct model *model, int session, int number) {
  struct tx *tx = &model->sessions[session].txs[number];
  size_t i;

  for (i = 0; i < tx->sends.count; i++) {
    publish(model, tx->sends.at[i]);
  }
  for (i = 0; i < tx->ack_count; i++) {
    settle(model, &tx->acks[i]);
  }
  tx_end(tx);
}

void model_abort(struct model *model, int session, int tx) {
  tx_end(&model->sessions[session].txs[tx]);
}

static void release(struct model *model, struct sub *sub) {
  size_t i;

  for (i = 0; i < sub->held.count && sub->queue; i++) {
    struct message *message = message_of(model, sub->held.at[i]);

    if (message->state == HELD) {
      message->state = WAITING;
    }
  }
}

void model_session_end(struct model *model, int number) {
  struct session *session = &model->sessions[number];
  size_t i;

  if (!session->live) {
    return;
  }
  session->live = false;
  for (i = 0; i < model->sub_count; i++) {
    if (model->subs[i].session == number) {
      model->subs[i].active = false;
      release(model, &model->subs[i]);
    }
  }
}

void model_receipt_due(struct model *model, int session, int receipt) {
  ints_put(&model->sessions[session].receipts, receipt);
}

void model_dead(struct model *model, int message) {
  if (model->messages[message].queue) {
    model->messages[message].state = DONE;
  }
}

/* ---- what comes ---- */

/* The next of a topic: those that may be missing are left out. */
static void came_of_topic(struct model *model, int number, int message) {
  struct sub *sub = &model->subs[number];
  struct ints *due = &sub->due;

  while (due->head < due->count && due->at[due->head] != message &&
         (model->messages[due->at[due->head]].maybe || !sub->active)) {
    due->head++;
  }
  if (due->head == due->count && !model->sessions[sub->session].live) {
    return; /* it came as the session's end did */
  }
  if (due->head == due->count || due->at[due->head] != message) {
    model_complain(model, "subscription %d got message %d, and not %d", number,
                   message, due->head < due->count ? due->at[due->head] : -1);
    return;
  }
  due->head++;
}

static void came_of_queue(struct model *model, int number, int message,
                          bool redelivered) {
  struct sub *sub = &model->subs[number];
  struct message *it = &model->messages[message];

  bool live = model->sessions[sub->session].live;

  if (it->dest != sub->dest) {
    model_complain(model, "subscription %d got message %d of another queue",
                   number, message);
  } else if (it->state != WAITING && live) {
    model_complain(model, "message %d came again to subscription %d: %s",
                   message, number,
                   it->state == DONE ? "it was done" : "somebody has it");
  } else if (it->seen && !redelivered && live) {
    model_complain(model, "message %d came again, not marked as such", message);
  } else if (!redelivered && it->order < sub->newest) {
    model_complain(model, "message %d came to subscription %d out of order",
                   message, number);
  } else if (live || sub->ack == AUTO) {
    it->state = sub->ack == AUTO ? DONE : HELD;
    it->holder = number;
  }
  it->seen = true;
  if (!redelivered) {
    sub->newest = it->order;
  }
}

int model_came(struct model *model, int number, int message, bool redelivered) {
  struct sub *sub = &model->subs[number];

  ints_put(&model->deliveries, message);
  if (sub->silent) {
    model_complain(model, "message %d behind the end of subscription %d",
                   message, number);
  }
  if (sub->queue) {
    came_of_queue(model, number, message, redelivered);
  } else {
    came_of_topic(model, number, message);
  }
  if (model->sessions[sub->session].live && sub->ack != AUTO) {
    ints_put(&sub->held, (int)model->deliveries.count - 1);
  }

  return (int)model->deliveries.count - 1;
}

void model_receipt(struct model *model, int number, int receipt) {
  struct ints *due = &model->sessions[number].receipts;

  if (due->head == due->count || due->at[due->head] != receipt) {
    model_complain(model, "session %d got receipt %d, and not %d", number,
                   receipt, due->head < due->count ? due->at[due->head] : -1);
    return;
  }
  due->head++;
}

size_t model_backlog(const struct model *model, int session) {
  size_t i, j, bytes = 0;

  for (i = 0; i < model->sub_count; i++) {
    const struct sub *sub = &model->subs[i];

    for (j = sub->due.head; sub->session == session && j < sub->due.count;
         j++) {
      bytes += model->messages[sub->due.at[j]].size;
    }
  }

  return bytes;
}

void model_quiet(struct model *model, int number) {
  struct session *session = &model->sessions[number];
  size_t i;

  if (!session->live) {
    return;
  }
  if (session->receipts.head < session->receipts.count) {
    model_complain(model, "session %d misses receipt %d", number,
                   session->receipts.at[session->receipts.head]);
  }
  for (i = 0; i < model->sub_count; i++) {
    struct sub *sub = &model->subs[i];

    while (sub->due.head < sub->due.count &&
           model->messages[sub->due.at[sub->due.head]].maybe) {
      sub->due.head++;
    }
    if (sub->session == number && sub->active &&
        sub->due.head < sub->due.count) {
      model_complain(model, "subscription %zu misses message %d", i,
                     sub->due.at[sub->due.head]);
    }
  }
}
