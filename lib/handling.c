#include <stompbroker/send.h>

#include <string.h>

#include "call.h"
#include "fanout.h"

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
  return sbk_send_to_session(call->session, destination, content_type, data,
                             len);
}

int sbk_call_return(sbk_call *call, const char *content_type, const void *data,
                    size_t len) {
  sbk_broker *broker = call->broker;
  const char *to = sbk_message_header(call->msg, "destination");
  sbk_message *msg;
  int rv;

  if (call->kind != SBK__CALL_HANDLER) {
    return SBK_ERR_STATE;
  }
  msg = call->sub != NULL
            ? sbk__message_make(broker, NULL, 0, to, content_type, data, len)
            : sbk__message_make(broker, broker->route.broker[0].text,
                                broker->route.broker[0].len, to + call->path,
                                content_type, data, len);
  if (msg == NULL) {
    return SBK_ERR_NOMEM;
  }

  sbk__enter(broker);
  if (call->sub != NULL) {
    sbk__stamp(broker, msg);
    sbk__deliver(call->sub, msg, NULL);
    rv = 0;
  } else {
    rv = sbk__publish(broker, msg, NULL, NULL);
    rv = rv < 0 ? rv : 0;
  }
  sbk__leave(broker);
  sbk_message_unref(msg);

  return rv;
}
