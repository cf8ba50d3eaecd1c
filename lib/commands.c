#include "commands.h"

#include <string.h>

#include "acks.h"
#include "ascii.h"
#include "deliver.h"
#include "fanout.h"
#include "stomp_write.h"
#include "str.h"
#include "tx.h"
#include "userdest.h"
#include "utf8.h"

/* ---- what STOMP says, before the host's code ---- */

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

/* STOMP 1.2, Protocol Negotiation. Blanks are tolerated: Spring took "1.1,
 * 1.2" for 1.1. */
static enum sbk__fault choose_version(sbk_session *session, const char *list) {
  int best = -1;

  if (list == NULL) {
    session->version = SBK__V10;
    return SBK__FAULT_NONE;
  }
  while (*list != '\0') {
    size_t len;

    while (is_blank(*list)) {
      list++;
    }
    len = strcspn(list, ", \t");
    if (len == 3 && list[0] == '1' && list[1] == '.' && list[2] >= '0' &&
        list[2] <= '2' && list[2] - '0' > best) {
      best = list[2] - '0';
    }
    list += strcspn(list, ",");
    list += *list == ',';
  }
  if (best < 0) {
    return SBK__FAULT_VERSION;
  }
  session->version = (uint8_t)(SBK__V10 + best);

  return SBK__FAULT_NONE;
}

/* A number of at most 10 digits with blanks around it. */
static bool read_interval(const char **text, uint64_t *value) {
  const char *at = *text;
  int digits = 0;

  *value = 0;
  while (is_blank(*at)) {
    at++;
  }
  while (*at >= '0' && *at <= '9' && digits < 11) {
    *value = *value * 10 + (uint64_t)(*at++ - '0');
    digits++;
  }
  while (is_blank(*at)) {
    at++;
  }
  *text = at;

  return digits > 0 && digits < 11;
}

static uint32_t agree(uint64_t theirs, sbk_msec ours) {
  if (theirs == 0 || ours == SBK_NEVER) {
    return 0;
  }

  return (uint32_t)(theirs > ours ? theirs : ours);
}

/* STOMP 1.2, Heart-beating. */
static enum sbk__fault agree_on_beats(sbk_session *session, const char *text) {
  const struct sbk_config *config = &session->broker->core.config;
  uint64_t can, wants;

  if (text == NULL) {
    return SBK__FAULT_NONE;
  }
  if (!read_interval(&text, &can) || *text++ != ',' ||
      !read_interval(&text, &wants) || *text != '\0' ||
      can > config->heartbeat_max || wants > config->heartbeat_max) {
    return SBK__FAULT_HEARTBEAT;
  }
  session->beat_in = agree(can, config->heartbeat_in);
  session->beat_out = agree(wants, config->heartbeat_out);

  return SBK__FAULT_NONE;
}

static bool names_transaction(const sbk_message *msg) {
  return sbk_message_header(msg, "transaction") != NULL;
}

static enum sbk__fault check_connect(sbk_session *session,
                                     const sbk_message *msg) {
  enum sbk__fault fault =
      choose_version(session, sbk_message_header(msg, "accept-version"));

  return fault != SBK__FAULT_NONE
             ? fault
             : agree_on_beats(session, sbk_message_header(msg, "heart-beat"));
}

static enum sbk__fault check_destination(const sbk_session *session,
                                         const sbk_message *msg, bool pattern) {
  const struct sbk_config *limits = &session->broker->core.config;
  const sbk__header *to = sbk__message_findz(msg, "destination");
  int rv;

  if (to == NULL) {
    return SBK__FAULT_NO_DESTINATION;
  }
  rv = sbk__destination_check(to->value, to->value_len, limits);
  if (rv != 0) {
    return rv == SBK_ERR_TOO_BIG ? SBK__FAULT_DESTINATION_SIZE
                                 : SBK__FAULT_DESTINATION;
  }
  if (pattern && sbk__pattern_is(to->value, to->value_len)) {
    rv = sbk__pattern_check(to->value, to->value_len, limits);
  }

  return rv == 0                 ? SBK__FAULT_NONE
         : rv == SBK_ERR_TOO_BIG ? SBK__FAULT_PATTERN_SIZE
                                 : SBK__FAULT_PATTERN;
}

static sbk__sub *find_sub(const sbk_session *session, const sbk_message *msg) {
  const sbk__header *id = sbk__message_findz(msg, "id");
  const sbk__header *to = sbk__message_findz(msg, "destination");

  if (id != NULL) {
    return sbk__session_find_sub(session, id->value, id->value_len, NULL, 0);
  }

  return to != NULL
             ? sbk__session_find_sub(session, NULL, 0, to->value, to->value_len)
             : NULL;
}

/* The modes of STOMP 1.1 and 1.2; 1.0 has no client-individual. */
static int read_ack(const sbk_session *session, const char *ack) {
  if (ack == NULL || strcmp(ack, "auto") == 0) {
    return SBK__ACK_AUTO;
  }
  if (strcmp(ack, "client") == 0) {
    return SBK__ACK_CLIENT;
  }

  return strcmp(ack, "client-individual") == 0 && session->version > SBK__V10
             ? SBK__ACK_INDIVIDUAL
             : -1;
}

/* RabbitMQ's header; above the limit it is the limit. 0: it is no count. */
static uint16_t read_prefetch(const char *text, size_t max) {
  uint64_t value = 0;

  if (text == NULL) {
    return (uint16_t)max;
  }
  for (; sbk__ascii_is_digit(*text); text++) {
    value = value > max ? value : value * 10 + (uint64_t)(*text - '0');
  }

  return *text != '\0' ? 0 : (uint16_t)(value < max ? value : max);
}

static enum sbk__fault check_subscribe(const sbk_session *session,
                                       const sbk_message *msg) {
  const struct sbk_config *limits = &session->broker->core.config;
  const sbk__header *id = sbk__message_findz(msg, "id");
  enum sbk__fault fault = check_destination(session, msg, true);

  if (fault != SBK__FAULT_NONE) {
    return fault;
  }
  if (id == NULL && session->version > SBK__V10) {
    return SBK__FAULT_NO_ID;
  }
  if (id != NULL && id->value_len > limits->max_subscription_id) {
    return SBK__FAULT_ID_SIZE;
  }
  if (read_ack(session, sbk_message_header(msg, "ack")) < 0) {
    return SBK__FAULT_ACK_MODE;
  }
  if (read_prefetch(sbk_message_header(msg, "prefetch-count"),
                    limits->max_unacked) == 0) {
    return SBK__FAULT_PREFETCH;
  }
  if (sbk_message_header(msg, "selector") != NULL) {
    return SBK__FAULT_SELECTOR;
  }
  if (find_sub(session, msg) != NULL) {
    return SBK__FAULT_DUPLICATE_ID;
  }

  return session->sub_count >= limits->max_subscriptions
             ? SBK__FAULT_SUBSCRIPTIONS
             : SBK__FAULT_NONE;
}

static enum sbk__fault check_unsubscribe(const sbk_session *session,
                                         const sbk_message *msg) {
  if (sbk_message_header(msg, "id") == NULL) {
    if (session->version > SBK__V10) {
      return SBK__FAULT_NO_ID;
    }
    if (sbk_message_header(msg, "destination") == NULL) {
      return SBK__FAULT_NO_DESTINATION;
    }
  }

  return find_sub(session, msg) != NULL ? SBK__FAULT_NONE
                                        : SBK__FAULT_UNKNOWN_ID;
}

static enum sbk__fault check_ack(const sbk_session *session,
                                 const sbk_message *msg) {
  enum sbk__fault fault = sbk__acks_check(session, msg);

  return fault == SBK__FAULT_NONE && names_transaction(msg)
             ? sbk__tx_check(session, msg)
             : fault;
}

static enum sbk__fault check_send(const sbk_session *session,
                                  const sbk_message *msg) {
  enum sbk__fault fault = check_destination(session, msg, false);

  return fault == SBK__FAULT_NONE && names_transaction(msg)
             ? sbk__tx_check(session, msg)
             : fault;
}

static enum sbk__fault check_connected(sbk_session *session,
                                       const sbk_message *msg) {
  switch (msg->command) {
  case SBK_SEND:
    return check_send(session, msg);
  case SBK_SUBSCRIBE:
    return check_subscribe(session, msg);
  case SBK_UNSUBSCRIBE:
    return check_unsubscribe(session, msg);
  case SBK_DISCONNECT:
    return SBK__FAULT_NONE;
  case SBK_NACK:
    return session->version > SBK__V10 ? check_ack(session, msg)
                                       : SBK__FAULT_NACK_VERSION;
  case SBK_ACK:
    return check_ack(session, msg);
  case SBK_BEGIN:
  case SBK_COMMIT:
  case SBK_ABORT:
    return sbk__tx_check(session, msg);
  default:
    return SBK__FAULT_CONNECTED;
  }
}

enum sbk__fault sbk__command_check(sbk_session *session,
                                   const sbk_message *msg) {
  const sbk__header *receipt = sbk__message_findz(msg, "receipt");

  if (session->state == SBK__NEW) {
    return msg->command == SBK_CONNECT ? check_connect(session, msg)
                                       : SBK__FAULT_NOT_CONNECTED;
  }
  if (receipt != NULL &&
      receipt->value_len > session->broker->core.config.max_receipt) {
    return SBK__FAULT_RECEIPT_SIZE;
  }

  return check_connected(session, msg);
}

/* ---- what is done, after it ---- */

void sbk__command_receipt(sbk_session *session, const sbk_message *msg) {
  const char *receipt = sbk_message_header(msg, "receipt");
  sbk__pair pair = {"receipt-id", receipt};
  sbk_buf *frame;

  if (receipt == NULL || session->state == SBK__CLOSING) {
    return;
  }
  frame = sbk__frame_new(&session->broker->core.mem,
                         (enum sbk__version)session->version, SBK_RECEIPT,
                         &pair, 1, NULL);
  sbk__session_push(session, frame,
                    frame != NULL && sbk__utf8_valid(frame->data, frame->len)
                        ? SBK__OUT_TEXT
                        : SBK__OUT_BINARY);
}

/* What is asked for by the frame, or by the COMMIT that runs it. */
static const char *receipt_of(const sbk_call *call) {
  const sbk_message *frame = call->no_receipt ? call->commit : call->msg;

  return frame != NULL ? sbk_message_header(frame, "receipt") : NULL;
}

static void fail(sbk_call *call, enum sbk__fault fault) {
  sbk__session_fail(call->session, fault, receipt_of(call));
}

/* "10000,10000": what we can and what we want, 0 for never. */
static void write_beats(char out[48], const struct sbk_config *config) {
  size_t len = sbk__format_u64(
      out, config->heartbeat_out == SBK_NEVER ? 0 : config->heartbeat_out);

  out[len++] = ',';
  len += sbk__format_u64(
      out + len, config->heartbeat_in == SBK_NEVER ? 0 : config->heartbeat_in);
  out[len] = '\0';
}

static void do_connect(sbk_call *call) {
  static const char *const versions[] = {"1.0", "1.1", "1.2"};
  sbk_session *session = call->session;
  sbk_broker *broker = session->broker;
  const sbk__core *core = &broker->core;
  char beats[48];
  sbk__pair pairs[] = {{"version", versions[session->version]},
                       {"heart-beat", beats},
                       {"session", session->id},
                       {"server", broker->route.server.text},
                       {"user-name", session->user_name}};
  sbk_buf *frame;

  write_beats(beats, &core->config);
  frame = sbk__frame_new(&core->mem, SBK__V10, SBK_CONNECTED, pairs, 5, NULL);
  if (frame == NULL || sbk__session_connected(session) != 0) {
    sbk_buf_unref(frame);
    fail(call, SBK__FAULT_NOMEM);
    return;
  }
  session->last_out = core->now;
  sbk__session_push(session, frame,
                    sbk__utf8_valid(frame->data, frame->len) ? SBK__OUT_TEXT
                                                             : SBK__OUT_BINARY);
  if (session->state != SBK__CONNECTED) {
    session->was_connected = false; /* nobody was told, nobody will be */
    return;
  }
  if (core->callbacks.connected != NULL) {
    core->callbacks.connected(session, core->arg);
  }
}

int sbk__command_tell(sbk_call *call, const char *text) {
  static const char *const names[] = {
      "",    "CONNECT", "",      "SEND",   "SUBSCRIBE", "UNSUBSCRIBE",
      "ACK", "NACK",    "BEGIN", "COMMIT", "ABORT",     "DISCONNECT"};
  sbk_broker *broker = call->broker;
  const char *receipt = sbk_message_header(call->msg, "receipt");
  sbk_message *msg;
  int rv;

  if (broker->route.errors.text == NULL) {
    return 0;
  }
  msg = sbk__message_make(broker, NULL, 0, broker->route.errors.text,
                          "text/plain", text, strlen(text));
  rv = msg != NULL ? sbk__message_put(msg, "command", names[call->msg->command])
                   : SBK_ERR_NOMEM;
  if (rv == 0 && receipt != NULL) {
    rv = sbk__message_put(msg, "receipt-id", receipt);
  }
  if (rv == 0) {
    rv = sbk__publish_to_session(call->session, msg);
  }
  sbk_message_unref(msg);

  return rv;
}

/* The error handlers, the error destination, or else ERROR. */
static void handler_failed(sbk_call *call, int error) {
  const sbk__chain *errors = &call->broker->errors;
  const char *text = call->error != NULL ? call->error : sbk_strerror(error);
  const sbk__link *link;
  sbk__walk walk = {0};
  int rv;

  while ((link = sbk__chain_next(errors, &walk)) != NULL) {
    if (link->failed(call, error, text, link->arg) >= 0) {
      return;
    }
    text = call->error != NULL ? call->error : sbk_strerror(error);
  }
  if (call->session->state == SBK__CLOSING) {
    return;
  }
  rv = sbk__command_tell(call, text);
  if (rv < 0) {
    fail(call, SBK__FAULT_NOMEM);
  } else if (rv == 0) {
    sbk__session_refuse(call->session, SBK_ERR_CALLBACK,
                        sbk__fault_close(SBK__FAULT_HANDLER), text,
                        receipt_of(call));
  }
}

/* The session knows of a call that was put off, and keeps what it needs. */
static void put_off(sbk_call *call) {
  sbk_session *session = call->session;

  sbk__list_push(&session->deferred, &call->in_deferred);
  session->deferred_count++;
  if (call->sub != NULL) {
    call->sub->queued++;
  }
}

/* Runs a handler; true: its frame is dealt with, and gets its receipt. */
static bool handle(sbk_call *call, const sbk__handler *handler,
                   const sbk__captures *captures) {
  sbk_session *session = call->session;
  int rv = sbk__call_set_params(call, captures);

  if (rv != 0) {
    fail(call, SBK__FAULT_NOMEM);
    return false;
  }
  call->kind = SBK__CALL_HANDLER;
  call->handler = handler->place;
  call->running = true;
  rv = handler->run(call, handler->arg);
  call->running = false;
  if (call->finished) {
    rv = call->result;
  } else if (call->deferred && rv >= 0) {
    put_off(call); /* even if the session is closing: the host has the call */
    return false;
  }
  call->deferred = false;
  if (rv < 0 && session->state != SBK__CLOSING) {
    handler_failed(call, rv);
  }

  return rv >= 0 && session->state != SBK__CLOSING;
}

void sbk__command_finish(sbk_call *call, int result) {
  sbk_session *session = call->session;
  bool blocked;

  sbk__list_remove(&call->in_deferred);
  call->deferred = false;
  if (session != NULL) {
    blocked = sbk__session_waits(session);
    session->deferred_count--;
    if (session->state != SBK__CLOSING) {
      if (result < 0) {
        handler_failed(call, result);
      } else if (!call->no_receipt) {
        sbk__command_receipt(session, call->msg);
      }
    }
    if (call->sub != NULL) {
      sbk__session_release_slot(session, call->sub->slot);
    }
    if (blocked && !sbk__session_waits(session)) {
      session->last_in = session->broker->core.now;
      session->broker->wire->resume(session);
    }
  }
  sbk__call_free(call);
}

void sbk__command_orphan(sbk_session *session) {
  sbk__node *node;

  while ((node = sbk__list_shift(&session->deferred)) != NULL) {
    sbk_call *call = sbk__item(node, sbk_call, in_deferred);

    if (call->sub != NULL) {
      sbk__session_release_slot(session, call->sub->slot);
      call->sub = NULL;
    }
    call->session = NULL;
    sbk__list_push(&session->broker->deferred, &call->in_deferred);
  }
  session->deferred_count = 0;
}

static const sbk__handler *find_handler(sbk_call *call, const sbk__header *to,
                                        size_t path, sbk__captures *captures) {
  const sbk_broker *broker = call->broker;
  const char *text = to->value + path;
  size_t len = to->value_len - path;

  call->path = path;
  if (!sbk__route_path(&broker->route, &text, &len)) {
    return NULL;
  }

  return sbk__handlers_find(&broker->handlers,
                            (enum sbk_command)call->msg->command, text, len,
                            captures);
}

static void send_to_user(sbk_call *call, const sbk__header *to, size_t path) {
  sbk_broker *broker = call->broker;
  enum sbk__fault fault;
  char *name = NULL;
  size_t rest;
  sbk_message *msg;
  int rv;

  if (!broker->core.config.client_user_send) {
    fail(call, SBK__FAULT_USER_SEND);
    return;
  }
  fault = sbk__userdest_send(&broker->core.mem, &broker->route, to->value,
                             to->value_len, path, &name, &rest);
  if (fault != SBK__FAULT_NONE) {
    fail(call, fault);
    return;
  }

  msg = sbk__message_clone(call->msg);
  rv = msg != NULL ? sbk__message_put(msg, "destination", to->value + rest)
                   : SBK_ERR_NOMEM;
  if (rv == 0) {
    msg->command = SBK_MESSAGE;
    msg->foreign = true;
    rv = sbk__publish_to_user(broker, name, msg);
  }
  sbk_message_unref(msg);
  sbk__free(&broker->core.mem, name);
  if (rv < 0) {
    fail(call, SBK__FAULT_NOMEM);
  }
}

static void publish(sbk_call *call) {
  sbk_message *copy;
  int rv;

  if (call->msg->id_len > 0 && !call->no_receipt) {
    /* The host has sent it on already, with all its headers. */
    copy = sbk__message_clone(call->msg);
    if (copy == NULL) {
      fail(call, SBK__FAULT_NOMEM);
      return;
    }
    sbk_message_unref(call->msg);
    call->msg = copy;
  }
  call->msg->command = SBK_MESSAGE;
  call->msg->foreign = true;
  rv = sbk__publish(call->broker, call->msg, call->session);
  if (rv < 0) {
    fail(call,
         rv == SBK_ERR_TOO_MANY ? SBK__FAULT_QUEUE_FULL : SBK__FAULT_NOMEM);
  }
}

static void unroutable(sbk_call *call) {
  if (!call->broker->core.config.drop_unroutable) {
    fail(call, SBK__FAULT_UNROUTABLE);
  }
}

/* True: dealt with, so that the receipt may go out. So with the others. */
static bool do_send(sbk_call *call) {
  const sbk__header *to = sbk__message_findz(call->msg, "destination");
  const sbk__handler *handler;
  sbk__captures captures;
  size_t path;

  switch (
      sbk__route_find(&call->broker->route, to->value, to->value_len, &path)) {
  case SBK__APP:
    handler = find_handler(call, to, path, &captures);
    if (handler != NULL) {
      return handle(call, handler, &captures);
    }
    unroutable(call);
    break;
  case SBK__USER:
    send_to_user(call, to, path);
    break;
  case SBK__BROKER:
    publish(call);
    break;
  default:
    unroutable(call);
    break;
  }

  return true;
}

/* Where a subscription goes, and what of it is left to say when it is there. */
typedef struct plan {
  enum sbk__where where;
  sbk__handler handler; /* a copy: `subscribed` may add to the table */
  sbk__captures captures;
  size_t path;
  size_t own;
  bool queue;
} plan;

static enum sbk__fault plan_subscribe(sbk_call *call, const sbk__header *to,
                                      plan *p) {
  const sbk_broker *broker = call->broker;
  const sbk__handler *handler = NULL;

  p->own = 0;
  p->handler.run = NULL;
  p->where =
      sbk__route_find(&broker->route, to->value, to->value_len, &p->path);
  p->queue = p->where == SBK__BROKER &&
             sbk__route_is_queue(&broker->route, to->value, to->value_len);
  if (p->queue && sbk__pattern_is(to->value, to->value_len)) {
    return SBK__FAULT_QUEUE_PATTERN;
  }
  if (p->where == SBK__USER) {
    return sbk__userdest_subscribe(&broker->route, call->session->user_name,
                                   to->value, to->value_len, p->path, &p->own);
  }
  if (p->where == SBK__APP) {
    handler = find_handler(call, to, p->path, &p->captures);
    if (handler != NULL) {
      p->handler = *handler;
    }
  }

  return p->where == SBK__BROKER || handler != NULL ? SBK__FAULT_NONE
                                                    : SBK__FAULT_UNROUTABLE;
}

static bool enter_table(sbk_call *call, sbk__sub *sub, bool queue) {
  sbk__subs *subs = &call->broker->subs;

  if (queue && sbk__subs_queue(subs, sbk__sub_destination(sub),
                               sub->destination_len) == NULL) {
    return false;
  }

  return sbk__subs_add(subs, sub) == 0; /* tidies up where it fails */
}

static sbk__sub *enter_subscription(sbk_call *call, const sbk__header *to,
                                    const plan *p) {
  sbk_session *session = call->session;
  sbk_broker *broker = call->broker;
  const sbk__header *id = sbk__message_findz(call->msg, "id");
  const char *no_local = sbk_message_header(call->msg, "no-local");
  sbk__sub *sub = sbk__sub_new(
      &broker->core.mem, session, (enum sbk__version)session->version,
      id != NULL ? id->value : NULL, id != NULL ? id->value_len : 0, to->value,
      to->value_len);

  if (sub == NULL || sbk__session_add_sub(session, sub) != 0) {
    sbk__free(&broker->core.mem, sub);
    return NULL;
  }
  sub->ack =
      (unsigned)read_ack(session, sbk_message_header(call->msg, "ack")) & 3u;
  sub->window =
      (uint16_t)read_prefetch(sbk_message_header(call->msg, "prefetch-count"),
                              broker->core.config.max_unacked);
  sub->no_local = no_local != NULL && strcmp(no_local, "true") == 0;
  if (p->where == SBK__USER) {
    sub->suffix = (uint16_t)p->path;
    sub->own = (uint16_t)p->own;
    sub->pattern = sbk__pattern_is(to->value, to->value_len);
  } else if (p->where == SBK__BROKER && !enter_table(call, sub, p->queue)) {
    sbk__session_end_sub(session, sub);
    return NULL;
  }

  return sub;
}

static bool do_subscribe(sbk_call *call) {
  const sbk__header *to = sbk__message_findz(call->msg, "destination");
  const sbk__core *core = &call->broker->core;
  plan p;
  enum sbk__fault fault = plan_subscribe(call, to, &p);

  if (fault == SBK__FAULT_NONE) {
    call->sub = enter_subscription(call, to, &p);
    fault = call->sub != NULL ? SBK__FAULT_NONE : SBK__FAULT_NOMEM;
  }
  if (fault != SBK__FAULT_NONE) {
    fail(call, fault);
    return false;
  }
  if (core->callbacks.subscribed != NULL) {
    core->callbacks.subscribed(call->session, sbk__sub_id(call->sub),
                               sbk__sub_destination(call->sub), core->arg);
  }
  if (p.queue && call->sub->dest != NULL) {
    /* What waits there comes behind the receipt. */
    sbk__dispatch_soon(call->broker, call->sub->dest);
  }
  if (p.handler.run != NULL && call->session->state != SBK__CLOSING) {
    return handle(call, &p.handler, &p.captures);
  }

  return true;
}

static void do_unsubscribe(sbk_call *call) {
  sbk_session *session = call->session;
  const sbk__core *core = &session->broker->core;
  sbk__sub *sub = find_sub(session, call->msg);

  sub->queued++; /* it stays until the host has been told */
  sbk__backlog_free(sub);
  sbk__session_end_sub(session, sub);
  sbk__acks_unsubscribed(session, sub);
  if (!sub->muted && core->callbacks.unsubscribed != NULL) {
    core->callbacks.unsubscribed(session, sbk__sub_id(sub),
                                 sbk__sub_destination(sub), core->arg);
  }
  sbk__session_release_slot(session, sub->slot);
}

/* ---- transactions ---- */

/* What a SEND's COMMIT would come upon is refused at once. */
static enum sbk__fault check_route(sbk_call *call) {
  sbk_broker *broker = call->broker;
  const sbk__header *to = sbk__message_findz(call->msg, "destination");
  enum sbk__fault fault;
  sbk__captures captures;
  char *name = NULL;
  size_t path, rest;

  switch (sbk__route_find(&broker->route, to->value, to->value_len, &path)) {
  case SBK__APP:
    return find_handler(call, to, path, &captures) != NULL
               ? SBK__FAULT_NONE
               : SBK__FAULT_UNROUTABLE;
  case SBK__USER:
    if (!broker->core.config.client_user_send) {
      return SBK__FAULT_USER_SEND;
    }
    fault = sbk__userdest_send(&broker->core.mem, &broker->route, to->value,
                               to->value_len, path, &name, &rest);
    sbk__free(&broker->core.mem, name);
    return fault;
  case SBK__BROKER:
    return SBK__FAULT_NONE;
  default:
    return SBK__FAULT_UNROUTABLE;
  }
}

static void do_keep(sbk_call *call) {
  enum sbk__fault fault =
      call->msg->command == SBK_SEND ? check_route(call) : SBK__FAULT_NONE;

  if (fault == SBK__FAULT_UNROUTABLE) {
    unroutable(call);
    return;
  }
  if (fault == SBK__FAULT_NONE && sbk__tx_keep(call->session, call->msg) != 0) {
    fault = SBK__FAULT_NOMEM;
  }
  if (fault != SBK__FAULT_NONE) {
    fail(call, fault);
  }
}

static bool goes_to(const sbk_broker *broker, const sbk_message *msg,
                    bool queue) {
  const sbk__header *to = sbk__message_findz(msg, "destination");
  size_t path;

  return msg->command == SBK_SEND &&
         sbk__route_find(&broker->route, to->value, to->value_len, &path) ==
             SBK__BROKER &&
         sbk__route_is_queue(&broker->route, to->value, to->value_len) == queue;
}

/* What publishing will need, so that it cannot fail. */
static int promise(sbk_broker *broker, sbk_message *msg) {
  if (goes_to(broker, msg, true)) {
    return sbk__enqueue_promise(broker, msg);
  }
  if (!goes_to(broker, msg, false)) {
    return 0;
  }
  msg->foreign = true;
  sbk__stamp(broker, msg);

  return sbk__rest_for(broker, msg, SBK__V12) != NULL ? 0 : SBK_ERR_NOMEM;
}

static void run_kept(sbk_call *call) {
  call->no_receipt = true;
  if (call->msg->command == SBK_SEND) {
    do_send(call);
  } else {
    sbk__acks_apply(call->session, call->msg);
  }
}

/* All in order, or none: what can be short is had before anything is done. A
 * promise holds until its frame's turn, whatever handlers send before that. */
static int commit(sbk_call *call, sbk__tx *tx) {
  sbk_session *session = call->session;
  sbk_broker *broker = call->broker;
  sbk_call **calls =
      sbk__calloc(&broker->core.mem, tx->count + 1, sizeof(sbk_call *));
  int rv = calls != NULL ? 0 : SBK_ERR_NOMEM;
  uint32_t i, count = 0;

  while (rv == 0 && count < tx->count) {
    sbk_call *kept = sbk__call_new(session, tx->frames[count]);

    rv = kept != NULL ? promise(broker, kept->msg) : SBK_ERR_NOMEM;
    if (rv == 0) {
      kept->commit = call->msg;
      calls[count++] = kept;
    } else if (kept != NULL) {
      sbk__call_free(kept);
    }
  }
  for (i = 0; i < count; i++) {
    if (goes_to(broker, calls[i]->msg, true)) {
      sbk__enqueue_forget(broker, calls[i]->msg);
    }
    if (rv == 0 && session->state != SBK__CLOSING) {
      run_kept(calls[i]);
    }
    calls[i]->commit = NULL;
    if (!calls[i]->deferred) {
      sbk__call_free(calls[i]);
    }
  }
  sbk__free(&broker->core.mem, calls);

  return rv;
}

static enum sbk__fault do_commit(sbk_call *call, sbk__tx *tx) {
  int rv = commit(call, tx);

  return rv == 0                  ? SBK__FAULT_NONE
         : rv == SBK_ERR_TOO_MANY ? SBK__FAULT_QUEUE_FULL
                                  : SBK__FAULT_NOMEM;
}

static void do_transaction(sbk_call *call) {
  const char *name = sbk_message_header(call->msg, "transaction");
  enum sbk__fault fault = SBK__FAULT_NONE;
  sbk__tx *tx;

  if (call->msg->command == SBK_BEGIN) {
    fault = sbk__tx_begin(call->session, name) == 0 ? SBK__FAULT_NONE
                                                    : SBK__FAULT_NOMEM;
  } else {
    tx = sbk__tx_take(call->session, name);
    if (call->msg->command == SBK_COMMIT) {
      fault = do_commit(call, tx);
    }
    sbk__tx_free(&call->broker->core.mem, tx);
  }
  if (fault != SBK__FAULT_NONE) {
    fail(call, fault);
  }
}

void sbk__command_run(sbk_call *call) {
  sbk_session *session = call->session;
  bool done = true;
  enum sbk__fault fault;

  /* An interceptor may have made an id longer, or another one. */
  if (call->edited && session->state == SBK__CONNECTED) {
    fault = sbk__command_check(session, call->msg);
    if (fault != SBK__FAULT_NONE) {
      fail(call, fault);
      return;
    }
  }
  switch (call->msg->command) {
  case SBK_CONNECT:
    do_connect(call);
    return; /* STOMP 1.2, Header receipt: not on CONNECT */
  case SBK_SEND:
    if (names_transaction(call->msg)) {
      do_keep(call);
    } else {
      done = do_send(call);
    }
    break;
  case SBK_ACK:
  case SBK_NACK:
    if (names_transaction(call->msg)) {
      do_keep(call);
    } else {
      sbk__acks_apply(session, call->msg);
    }
    break;
  case SBK_SUBSCRIBE:
    done = do_subscribe(call);
    break;
  case SBK_UNSUBSCRIBE:
    do_unsubscribe(call);
    break;
  case SBK_BEGIN:
  case SBK_COMMIT:
  case SBK_ABORT:
    do_transaction(call);
    break;
  default:
    session->saw_disconnect = true;
    sbk__command_receipt(session, call->msg);
    sbk__session_close(session, 0, 1000, NULL);
    return;
  }
  if (done) {
    sbk__command_receipt(session, call->msg);
  }
}
