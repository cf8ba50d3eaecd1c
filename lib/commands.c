#include "commands.h"

#include <string.h>

#include "acks.h"
#include "checks.h"
#include "deliver.h"
#include "fanout.h"
#include "handle.h"
#include "replay.h"
#include "stomp_write.h"
#include "str.h"
#include "tx.h"
#include "userdest.h"
#include "utf8.h"

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
    sbk__handle_fail(call, SBK__FAULT_NOMEM);
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
    sbk__handle_fail(call, SBK__FAULT_USER_SEND);
    return;
  }
  fault = sbk__userdest_send(&broker->core.mem, &broker->route, to->value,
                             to->value_len, path, &name, &rest);
  if (fault != SBK__FAULT_NONE) {
    sbk__handle_fail(call, fault);
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
    sbk__handle_fail(call, SBK__FAULT_NOMEM);
  }
}

/* Why a message was not taken. */
static enum sbk__fault why_not(const sbk_broker *broker, const sbk_message *msg,
                               int rv) {
  const sbk__header *to = sbk__message_findz(msg, "destination");

  if (rv != SBK_ERR_TOO_MANY) {
    return SBK__FAULT_NOMEM;
  }

  return sbk__route_is_queue(&broker->route, to->value, to->value_len)
             ? SBK__FAULT_QUEUE_FULL
             : SBK__FAULT_RETAINED_FULL;
}

static void publish(sbk_call *call) {
  sbk_message *copy;
  int rv;

  if (call->msg->id_len > 0 && !call->no_receipt) {
    /* The host has sent it on already, with all its headers. */
    copy = sbk__message_clone(call->msg);
    if (copy == NULL) {
      sbk__handle_fail(call, SBK__FAULT_NOMEM);
      return;
    }
    sbk_message_unref(call->msg);
    call->msg = copy;
  }
  call->msg->command = SBK_MESSAGE;
  call->msg->foreign = true;
  rv = sbk__publish(call->broker, call->msg, call->session);
  if (rv < 0) {
    sbk__handle_fail(call, why_not(call->broker, call->msg, rv));
  }
}

static void unroutable(sbk_call *call) {
  if (call->broker->core.config.drop_unroutable) {
    call->broker->counts.dropped_unroutable++;
  } else {
    sbk__handle_fail(call, SBK__FAULT_UNROUTABLE);
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
      return sbk__handle(call, handler, &captures);
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

  /* It tidies up where it fails. */
  return sbk__subs_add(subs, sub) == 0 &&
         (queue || sbk__replay_begin(sub, call->msg) == 0);
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
  sub->ack = (unsigned)sbk__check_ack_mode(
                 session, sbk_message_header(call->msg, "ack")) &
             3u;
  sub->window = (uint16_t)sbk__check_prefetch(
      sbk_message_header(call->msg, "prefetch-count"),
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
    sbk__handle_fail(call, fault);
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
    return sbk__handle(call, &p.handler, &p.captures);
  }

  return true;
}

static void do_unsubscribe(sbk_call *call) {
  sbk_session *session = call->session;
  const sbk__core *core = &session->broker->core;
  sbk__sub *sub = sbk__check_find_sub(session, call->msg);

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
    sbk__handle_fail(call, fault);
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
static int promise(sbk_call *call) {
  sbk_broker *broker = call->broker;
  sbk_message *msg = call->msg;

  if (goes_to(broker, msg, true)) {
    return sbk__enqueue_promise(broker, msg);
  }
  if (!goes_to(broker, msg, false)) {
    return 0;
  }
  msg->foreign = true;
  sbk__stamp(broker, msg);
  if (sbk__rest_for(broker, msg, SBK__V12) == NULL) {
    return SBK_ERR_NOMEM;
  }
  call->topic = sbk__topic_of(broker, sbk__message_findz(msg, "destination"));

  return call->topic != NULL
             ? sbk__keep_promise(&broker->keep, call->topic, msg)
             : 0;
}

static void run_kept(sbk_call *call) {
  call->no_receipt = true;
  if (call->msg->command == SBK_SEND) {
    do_send(call);
  } else {
    sbk__acks_apply(call->session, call->msg);
  }
}

/* Keeps the promise that a frame was given, or (run false) gives it up. The
 * host may have added topics since, which promised nothing. */
static void keep_promise(sbk_call *call, bool run) {
  sbk_broker *broker = call->broker;
  bool queue = goes_to(broker, call->msg, true);

  if (queue) {
    sbk__enqueue_forget(broker, call->msg);
  } else if (call->topic != NULL) {
    sbk__keep_forget(&broker->keep, call->topic, call->msg);
  }
  if (run) {
    call->msg->promised = queue || call->topic != NULL;
    run_kept(call);
    call->msg->promised = false;
  }
  if (queue) {
    sbk__enqueue_tidy(broker, call->msg);
  } else if (call->topic != NULL) {
    sbk__keep_tidy(&broker->keep, call->msg);
  }
}

/* The host's code may close the session, or fail: what is left is dropped then
 * (handler.h). What its own output does to it comes too late for what is
 * committed. */
static bool goes_on(const sbk_session *session) {
  return session->state != SBK__CLOSING || session->reason == SBK_ERR_SLOW ||
         session->reason == SBK_ERR_NOMEM;
}

/* All in order, or none: what can be short is had before anything is done. A
 * promise holds until its frame's turn, whatever handlers send before that. */
static enum sbk__fault commit(sbk_call *call, sbk__tx *tx) {
  sbk_session *session = call->session;
  sbk_broker *broker = call->broker;
  sbk_call **calls =
      sbk__calloc(&broker->core.mem, tx->count + 1, sizeof(sbk_call *));
  enum sbk__fault fault = calls != NULL ? SBK__FAULT_NONE : SBK__FAULT_NOMEM;
  uint32_t i, count = 0;

  while (fault == SBK__FAULT_NONE && count < tx->count) {
    sbk_call *kept = sbk__call_new(session, tx->frames[count]);
    int rv = kept != NULL ? promise(kept) : SBK_ERR_NOMEM;

    if (rv != 0) {
      fault = why_not(broker, tx->frames[count], rv);
    }
    if (fault == SBK__FAULT_NONE) {
      kept->commit = call->msg;
      calls[count++] = kept;
    } else if (kept != NULL) {
      sbk__call_free(kept);
    }
  }
  for (i = 0; i < count; i++) {
    keep_promise(calls[i], fault == SBK__FAULT_NONE && goes_on(session));
    calls[i]->commit = NULL;
    if (!calls[i]->deferred) {
      sbk__call_free(calls[i]);
    }
  }
  sbk__free(&broker->core.mem, calls);

  return fault;
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
      fault = commit(call, tx);
    }
    sbk__tx_free(&call->broker->core.mem, tx);
  }
  if (fault != SBK__FAULT_NONE) {
    sbk__handle_fail(call, fault);
  }
}

void sbk__command_run(sbk_call *call) {
  sbk_session *session = call->session;
  bool done = true;
  enum sbk__fault fault;

  /* An interceptor may have made an id longer, or another one. */
  if (call->edited && session->state == SBK__CONNECTED) {
    fault = sbk__check_frame(session, call->msg);
    if (fault != SBK__FAULT_NONE) {
      sbk__handle_fail(call, fault);
      return;
    }
  }
  switch (call->msg->command) {
  case SBK_CONNECT:
    do_connect(call);
    return; /* STOMP 1.2, Header receipt: not on CONNECT */
  case SBK_SEND:
    if (sbk__names_transaction(call->msg)) {
      do_keep(call);
    } else {
      done = do_send(call);
    }
    break;
  case SBK_ACK:
  case SBK_NACK:
    if (sbk__names_transaction(call->msg)) {
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
    sbk__handle_receipt(session, call->msg);
    sbk__session_close(session, 0, 1000, NULL);
    return;
  }
  if (done) {
    sbk__handle_receipt(session, call->msg);
  }
}
