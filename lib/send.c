#include <stompbroker/send.h>

#include <string.h>

#include "call.h"
#include "fanout.h"
#include "pattern.h"

/* ---- messages of the host ---- */

static int check(const sbk_broker *broker, const char *destination) {
  return destination != NULL &&
                 sbk__destination_check(destination, strlen(destination),
                                        &broker->core.config) == 0
             ? 0
             : SBK_ERR_INVAL;
}

/* A destination of the broker's: users have calls of their own. */
static int check_broker(const sbk_broker *broker, const char *destination) {
  size_t path;

  return check(broker, destination) == 0 &&
                 sbk__route_find(&broker->route, destination,
                                 strlen(destination), &path) != SBK__USER
             ? 0
             : SBK_ERR_INVAL;
}

/* A destination of a user's begins where the user prefix ends. */
static int check_users(const sbk_broker *broker, const char *destination) {
  return check(broker, destination) == 0 &&
                 (destination[0] == '/' ||
                  destination[0] == broker->core.config.separator)
             ? 0
             : SBK_ERR_INVAL;
}

static int check_content(const char *content_type, const void *data,
                         size_t len) {
  return (content_type == NULL || content_type[0] != '\0') &&
                 (data != NULL || len == 0) && len < SIZE_MAX / 4
             ? 0
             : SBK_ERR_INVAL;
}

sbk_message *sbk_message_new(sbk_broker *broker, const char *destination,
                             sbk_buf *body) {
  sbk_message *msg;

  if (check(broker, destination) != 0) {
    return NULL;
  }
  msg = sbk__message_make(broker, NULL, 0, destination, NULL, NULL, 0);
  if (msg != NULL && body != NULL) {
    msg->text = sbk_buf_ref(body);
  }

  return msg;
}

/* A message that was sent has its id; sent again it needs another. */
static sbk_message *fresh(sbk_message *msg) {
  return msg->id_len > 0 ? sbk__message_clone(msg) : sbk_message_ref(msg);
}

static int run_chain(sbk_broker *broker, sbk_call *call) {
  enum sbk_verdict verdict = SBK_PASS;
  const sbk__link *link;

  while (verdict == SBK_PASS &&
         (link = sbk__chain_next(&broker->sends, &call->walk)) != NULL) {
    verdict = link->run(call, link->arg);
  }
  if (verdict == SBK_WAIT) {
    sbk__log(&broker->core, SBK_LOG_ERROR, NULL,
             "an interceptor of sends cannot wait; message dropped", NULL);
  }

  return verdict == SBK_PASS                          ? 1
         : verdict == SBK_DROP || verdict == SBK_WAIT ? 0
                                                      : SBK_ERR_DENIED;
}

/*
 * Asks the interceptors of what the host sends. 1: it may go on, as *msg, which
 * may have become another message and has one reference more for the caller; 0:
 * to nobody; SBK_ERR_DENIED. There is no reference then.
 */
static int intercept(sbk_broker *broker, sbk_session *session, const char *user,
                     sbk_message **msg) {
  sbk_call call = {.broker = broker,
                   .session = session,
                   .kind = SBK__CALL_SEND,
                   .to_user = user};
  int rv = 1;

  sbk_message_ref(*msg);
  if (broker->sends.count == 0) {
    return 1;
  }
  call.msg = *msg;
  rv = run_chain(broker, &call);
  sbk__free(&broker->core.mem, call.error);
  if (rv == 1) {
    *msg = call.msg;
  } else {
    sbk_message_unref(call.msg);
  }

  return rv;
}

int sbk_send_message(sbk_broker *broker, sbk_message *msg) {
  int rv = check_broker(broker, sbk_message_header(msg, "destination"));
  sbk_message *out, *made;

  if (rv != 0) {
    return rv;
  }
  made = out = fresh(msg);
  if (made == NULL) {
    return SBK_ERR_NOMEM;
  }
  sbk__enter(broker);
  rv = intercept(broker, NULL, NULL, &out);
  if (rv == 1) {
    msg->frozen = true;
    rv = sbk__publish(broker, out, NULL);
    sbk_message_unref(out);
  }
  sbk__leave(broker);
  sbk_message_unref(made);

  return rv;
}

int sbk_send_message_to_user(sbk_broker *broker, const char *user,
                             sbk_message *msg) {
  int rv = check_users(broker, sbk_message_header(msg, "destination"));

  if (rv != 0 || !sbk__user_name_valid(user, broker->core.config.max_user)) {
    return SBK_ERR_INVAL;
  }
  msg->frozen = true;
  sbk__enter(broker);
  rv = intercept(broker, NULL, user, &msg);
  if (rv == 1) {
    msg->frozen = true;
    rv = sbk__publish_to_user(broker, user, msg);
    sbk_message_unref(msg);
  }
  sbk__leave(broker);

  return rv;
}

int sbk_send_message_to_session(sbk_session *session, sbk_message *msg) {
  sbk_broker *broker = session->broker;
  int rv = check_users(broker, sbk_message_header(msg, "destination"));

  if (rv != 0) {
    return rv;
  }
  msg->frozen = true;
  sbk__enter(broker);
  rv = intercept(broker, session, NULL, &msg);
  if (rv == 1) {
    msg->frozen = true;
    rv = sbk__publish_to_session(session, msg);
    sbk_message_unref(msg);
  }
  sbk__leave(broker);

  return rv;
}

int sbk_send(sbk_broker *broker, const char *destination,
             const char *content_type, const void *data, size_t len) {
  sbk_message *msg;
  int rv;

  if (check_broker(broker, destination) != 0 ||
      check_content(content_type, data, len) != 0) {
    return SBK_ERR_INVAL;
  }
  msg =
      sbk__message_make(broker, NULL, 0, destination, content_type, data, len);
  rv = msg != NULL ? sbk_send_message(broker, msg) : SBK_ERR_NOMEM;
  sbk_message_unref(msg);

  return rv;
}

int sbk_send_to_user(sbk_broker *broker, const char *user,
                     const char *destination, const char *content_type,
                     const void *data, size_t len) {
  sbk_message *msg;
  int rv;

  if (check_users(broker, destination) != 0 ||
      check_content(content_type, data, len) != 0) {
    return SBK_ERR_INVAL;
  }
  msg =
      sbk__message_make(broker, NULL, 0, destination, content_type, data, len);
  rv =
      msg != NULL ? sbk_send_message_to_user(broker, user, msg) : SBK_ERR_NOMEM;
  sbk_message_unref(msg);

  return rv;
}

int sbk_send_to_session(sbk_session *session, const char *destination,
                        const char *content_type, const void *data,
                        size_t len) {
  sbk_message *msg;
  int rv;

  if (check_users(session->broker, destination) != 0 ||
      check_content(content_type, data, len) != 0) {
    return SBK_ERR_INVAL;
  }
  msg = sbk__message_make(session->broker, NULL, 0, destination, content_type,
                          data, len);
  rv = msg != NULL ? sbk_send_message_to_session(session, msg) : SBK_ERR_NOMEM;
  sbk_message_unref(msg);

  return rv;
}
