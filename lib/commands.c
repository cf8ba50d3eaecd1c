#include "commands.h"

#include <string.h>

#include "fanout.h"
#include "stomp_write.h"
#include "str.h"
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

static enum sbk__fault check_subscribe(const sbk_session *session,
                                       const sbk_message *msg) {
  const struct sbk_config *limits = &session->broker->core.config;
  const sbk__header *id = sbk__message_findz(msg, "id");
  const char *ack = sbk_message_header(msg, "ack");
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
  if (ack != NULL && strcmp(ack, "auto") != 0) {
    return SBK__FAULT_ACK_MODE;
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

static enum sbk__fault check_connected(sbk_session *session,
                                       const sbk_message *msg) {
  switch (msg->command) {
  case SBK_SEND:
    return sbk_message_header(msg, "transaction") != NULL
               ? SBK__FAULT_TRANSACTION
               : check_destination(session, msg, false);
  case SBK_SUBSCRIBE:
    return check_subscribe(session, msg);
  case SBK_UNSUBSCRIBE:
    return check_unsubscribe(session, msg);
  case SBK_DISCONNECT:
    return SBK__FAULT_NONE;
  case SBK_ACK:
    return SBK__FAULT_ACK;
  case SBK_NACK:
    return session->version > SBK__V10 ? SBK__FAULT_ACK
                                       : SBK__FAULT_NACK_VERSION;
  case SBK_BEGIN:
  case SBK_COMMIT:
  case SBK_ABORT:
    return SBK__FAULT_TRANSACTION;
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

static void fail(sbk_call *call, enum sbk__fault fault) {
  sbk__session_fail(call->session, fault,
                    sbk_message_header(call->msg, "receipt"));
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

/* Runs a handler, and says whether the session goes on. */
static bool handle(sbk_call *call, const sbk__handler *handler,
                   const sbk__captures *captures) {
  sbk_session *session = call->session;
  int rv = sbk__call_set_params(call, captures);

  if (rv != 0) {
    fail(call, SBK__FAULT_NOMEM);
    return false;
  }
  call->kind = SBK__CALL_HANDLER;
  rv = handler->run(call, handler->arg);
  if (rv < 0) {
    sbk__session_refuse(session, SBK_ERR_CALLBACK,
                        sbk__fault_close(SBK__FAULT_HANDLER),
                        call->error != NULL ? call->error : sbk_strerror(rv),
                        sbk_message_header(call->msg, "receipt"));
  }

  return session->state != SBK__CLOSING;
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
    rv = sbk__publish_to_user(broker, name, msg,
                              (const char *const *)broker->route.hidden);
  }
  sbk_message_unref(msg);
  sbk__free(&broker->core.mem, name);
  if (rv < 0) {
    fail(call, SBK__FAULT_NOMEM);
  }
}

static void publish(sbk_call *call) {
  sbk_broker *broker = call->broker;
  sbk_message *copy;

  if (call->msg->id_len > 0) {
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
  if (sbk__publish(broker, call->msg, call->session,
                   (const char *const *)broker->route.hidden) < 0) {
    fail(call, SBK__FAULT_NOMEM);
  }
}

static void unroutable(sbk_call *call) {
  if (!call->broker->core.config.drop_unroutable) {
    fail(call, SBK__FAULT_UNROUTABLE);
  }
}

static void do_send(sbk_call *call) {
  const sbk__header *to = sbk__message_findz(call->msg, "destination");
  const sbk__handler *handler;
  sbk__captures captures;
  size_t path;

  switch (
      sbk__route_find(&call->broker->route, to->value, to->value_len, &path)) {
  case SBK__APP:
    handler = find_handler(call, to, path, &captures);
    if (handler == NULL) {
      unroutable(call);
    } else {
      handle(call, handler, &captures);
    }
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
}

/* Where a subscription goes, and what of it is left to say when it is there. */
typedef struct plan {
  enum sbk__where where;
  sbk__handler handler; /* a copy: `subscribed` may add to the table */
  sbk__captures captures;
  size_t path;
  size_t own;
} plan;

static enum sbk__fault plan_subscribe(sbk_call *call, const sbk__header *to,
                                      plan *p) {
  const sbk_broker *broker = call->broker;
  const sbk__handler *handler = NULL;

  p->own = 0;
  p->handler.run = NULL;
  p->where =
      sbk__route_find(&broker->route, to->value, to->value_len, &p->path);
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
  sub->no_local = no_local != NULL && strcmp(no_local, "true") == 0;
  if (p->where == SBK__USER) {
    sub->suffix = (uint16_t)p->path;
    sub->own = (uint16_t)p->own;
    sub->pattern = sbk__pattern_is(to->value, to->value_len);
  } else if (p->where == SBK__BROKER &&
             sbk__subs_add(&broker->subs, sub) != 0) {
    sbk__session_end_sub(session, sub);
    return NULL;
  }

  return sub;
}

static void do_subscribe(sbk_call *call) {
  const sbk__header *to = sbk__message_findz(call->msg, "destination");
  const sbk__core *core = &call->broker->core;
  plan p;
  enum sbk__fault fault = plan_subscribe(call, to, &p);

  if (fault != SBK__FAULT_NONE) {
    fail(call, fault);
    return;
  }
  call->sub = enter_subscription(call, to, &p);
  if (call->sub == NULL) {
    fail(call, SBK__FAULT_NOMEM);
    return;
  }
  if (core->callbacks.subscribed != NULL) {
    core->callbacks.subscribed(call->session, sbk__sub_id(call->sub),
                               sbk__sub_destination(call->sub), core->arg);
  }
  if (p.handler.run != NULL && call->session->state != SBK__CLOSING) {
    handle(call, &p.handler, &p.captures);
  }
}

static void do_unsubscribe(sbk_call *call) {
  sbk_session *session = call->session;
  const sbk__core *core = &session->broker->core;
  sbk__sub *sub = find_sub(session, call->msg);

  sub->queued++; /* it stays until the host has been told */
  sbk__session_end_sub(session, sub);
  if (core->callbacks.unsubscribed != NULL) {
    core->callbacks.unsubscribed(session, sbk__sub_id(sub),
                                 sbk__sub_destination(sub), core->arg);
  }
  sbk__session_release_slot(session, sub->slot);
}

void sbk__command_run(sbk_call *call) {
  sbk_session *session = call->session;
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
    do_send(call);
    break;
  case SBK_SUBSCRIBE:
    do_subscribe(call);
    break;
  case SBK_UNSUBSCRIBE:
    do_unsubscribe(call);
    break;
  default:
    session->saw_disconnect = true;
    sbk__command_receipt(session, call->msg);
    sbk__session_close(session, 0, 1000, NULL);
    return;
  }
  sbk__command_receipt(session, call->msg);
}
