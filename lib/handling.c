#include <stompbroker/send.h>

#include <string.h>

#include "call.h"
#include "deliver.h"
#include "fanout.h"
#include "handle.h"
#include "str.h"

/* What the host's handlers and interceptors ask and say of a call. */

sbk_broker *sbk_call_broker(sbk_call *call) {
  return call->broker;
}

sbk_session *sbk_call_session(sbk_call *call) {
  return call->session;
}

const sbk_message *sbk_call_message(sbk_call *call) {
  return call->msg;
}

const char *sbk_call_param(sbk_call *call, const char *name) {
  const char *at = call->params;
  size_t i;

  if (call->to_user != NULL && strcmp(name, "user") == 0) {
    return call->to_user;
  }
  for (i = 0; i < call->param_count; i++) {
    const char *value = at + strlen(at) + 1;

    if (strcmp(at, name) == 0) {
      return value;
    }
    at = value + strlen(value) + 1;
  }

  return NULL;
}

int sbk_call_set_user(sbk_call *call, const char *user) {
  if (call->kind != SBK__CALL_INBOUND || call->msg->command != SBK_CONNECT) {
    return SBK_ERR_STATE;
  }

  return sbk__session_name(call->session, user);
}

int sbk_call_set_header(sbk_call *call, const char *name, const char *value) {
  sbk_message *copy;

  if (name == NULL || value == NULL || name[0] == '\0' ||
      sbk__message_name_reserved(name)) {
    return SBK_ERR_INVAL;
  }
  if (call->kind == SBK__CALL_HANDLER) {
    return SBK_ERR_STATE;
  }

  /* What others get too, or refer to, stays as it is. */
  if (call->msg->frozen || call->msg->refs > 1) {
    copy = sbk__message_clone(call->msg);
    if (copy == NULL) {
      return SBK_ERR_NOMEM;
    }
    memcpy(copy->id, call->msg->id, sizeof(copy->id));
    copy->id_len = call->msg->id_len;
    copy->overflow = call->msg->overflow;
    sbk_message_unref(call->msg);
    call->msg = copy;
  }

  call->edited = true;

  return sbk__message_put(call->msg, name, value);
}

int sbk_call_set_error(sbk_call *call, const char *text) {
  char *copy;

  if (text == NULL || strlen(text) > 1024) {
    return SBK_ERR_INVAL;
  }
  copy = sbk__strndup(&call->broker->core.mem, text, strlen(text));
  if (copy == NULL) {
    return SBK_ERR_NOMEM;
  }
  sbk__free(&call->broker->core.mem, call->error);
  call->error = copy;

  return 0;
}

int sbk_call_resume(sbk_call *call, enum sbk_verdict verdict) {
  sbk_broker *broker = call->broker;

  if (!call->waiting) {
    return SBK_ERR_STATE;
  }
  if (verdict == SBK_WAIT) {
    return SBK_ERR_INVAL;
  }

  if (call->kind == SBK__CALL_REVIEW) {
    /* It counted as a refusal. */
    sbk__list_remove(&call->in_deferred);
    sbk__call_free(call);
    return 0;
  }
  sbk__enter(broker);
  call->waiting = false;
  call->resumed = true;
  call->verdict = verdict;
  sbk__work_add(broker, &call->session->work);
  sbk__leave(broker);

  return 0;
}

int sbk_call_reply(sbk_call *call, const char *destination,
                   const char *content_type, const void *data, size_t len) {
  return call->session != NULL ? sbk_send_to_session(call->session, destination,
                                                     content_type, data, len)
                               : 0;
}

/* Fills {name}s in with what the handler's pattern captured. NULL: no memory.
 */
static char *fill_in(sbk_call *call, const char *text) {
  sbk__str out;
  const char *open;

  sbk__str_init(&out, &call->broker->core.mem);
  while ((open = strchr(text, '{')) != NULL) {
    const char *close = strchr(open, '}');
    char *name = sbk__strndup(out.mem, open + 1, (size_t)(close - open - 1));

    sbk__str_add(&out, text, (size_t)(open - text));
    if (name != NULL) {
      sbk__str_addz(&out, sbk_call_param(call, name));
    }
    out.failed = out.failed || name == NULL;
    sbk__free(out.mem, name);
    text = close + 1;
  }
  sbk__str_add(&out, text, strlen(text) + 1);
  if (out.failed) {
    sbk__str_free(&out);
    return NULL;
  }

  return out.data;
}

typedef struct answer {
  const char *content_type;
  const void *data;
  size_t len;
} answer;

static int send_topic(sbk_call *call, const char *to, const answer *a) {
  return sbk_send(call->broker, to, a->content_type, a->data, a->len);
}

/* Spring, @SendToUser: the sender's user, all sessions or the sending one; of
 * an anonymous sender that one. */
static int send_user(sbk_call *call, const char *to, const answer *a) {
  const sbk__handler *handler = &call->broker->handlers.items[call->handler];

  if (call->session == NULL) {
    return 0;
  }
  if (handler->only_sender || call->session->user_name == NULL) {
    return sbk_call_reply(call, to, a->content_type, a->data, a->len);
  }

  return sbk_send_to_user(call->broker, call->session->user_name, to,
                          a->content_type, a->data, a->len);
}

static int send_all(sbk_call *call, char **list, const answer *a,
                    int (*send)(sbk_call *call, const char *to,
                                const answer *a)) {
  size_t i;
  int rv = 0;

  for (i = 0; rv >= 0 && list != NULL && list[i] != NULL; i++) {
    char *to = fill_in(call, list[i]);

    rv = to != NULL ? send(call, to, a) : SBK_ERR_NOMEM;
    sbk__free(&call->broker->core.mem, to);
  }

  return rv < 0 ? rv : 0;
}

/* Straight to the subscription that asks. */
static int send_subscriber(sbk_call *call, const char *to, const answer *a) {
  sbk_broker *broker = call->broker;
  sbk_message *msg;

  if (call->sub == NULL || !call->sub->active || call->sub->muted) {
    return 0; /* it is gone meanwhile */
  }
  msg =
      sbk__message_make(broker, NULL, 0, to, a->content_type, a->data, a->len);
  if (msg == NULL) {
    return SBK_ERR_NOMEM;
  }
  sbk__enter(broker);
  sbk__stamp(broker, msg);
  sbk__deliver(call->sub, msg);
  sbk__leave(broker);
  sbk_message_unref(msg);

  return 0;
}

static int send_default(sbk_call *call, const char *to, const answer *a) {
  const sbk__name *prefix = &call->broker->route.broker[0];
  sbk_message *msg;
  int rv;

  msg = sbk__message_make(call->broker, prefix->text, prefix->len,
                          to + call->path, a->content_type, a->data, a->len);
  rv = msg != NULL ? sbk_send_message(call->broker, msg) : SBK_ERR_NOMEM;
  sbk_message_unref(msg);

  return rv < 0 ? rv : 0;
}

static int send_returned(sbk_call *call, const answer *a) {
  const char *to = sbk_message_header(call->msg, "destination");
  const sbk__handler *handler;
  int rv;

  handler = &call->broker->handlers.items[call->handler];
  if (handler->send_to == NULL && handler->send_to_user == NULL) {
    return call->msg->command == SBK_SUBSCRIBE ? send_subscriber(call, to, a)
                                               : send_default(call, to, a);
  }
  rv = send_all(call, handler->send_to_user, a, send_user);
  if (rv == 0) {
    handler = &call->broker->handlers.items[call->handler];
    rv = send_all(call, handler->send_to, a, send_topic);
  }

  return rv;
}

int sbk_call_return(sbk_call *call, const char *content_type, const void *data,
                    size_t len) {
  const answer a = {content_type, data, len};
  sbk_broker *broker = call->broker;
  int rv;

  if (call->kind != SBK__CALL_HANDLER) {
    return SBK_ERR_STATE;
  }
  if ((data == NULL && len > 0) || len >= SIZE_MAX / 4 ||
      (content_type != NULL && content_type[0] == '\0')) {
    return SBK_ERR_INVAL;
  }

  sbk__enter(broker);
  call->returning++;
  rv = send_returned(call, &a);
  sbk__handle_returned(call);
  sbk__leave(broker);

  return rv;
}

int sbk_call_defer(sbk_call *call) {
  if (!call->running || call->deferred) {
    return SBK_ERR_STATE;
  }
  call->deferred = true;

  return 0;
}

int sbk_call_finish(sbk_call *call, int result) {
  sbk_broker *broker = call->broker;

  if (!call->deferred || call->finished) {
    return SBK_ERR_STATE;
  }
  if (call->running || call->returning > 0) {
    /* Somebody still works with it, and will find this. */
    call->finished = true;
    call->result = result;
    return 0;
  }

  sbk__enter(broker);
  sbk__handle_finish(call, result);
  sbk__leave(broker);

  return 0;
}
