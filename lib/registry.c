#include <string.h>

#include "session.h"
#include "sockjs_url.h"
#include "utf8.h"

/* What the host sees of sessions and users. */

const char *sbk_session_id(sbk_session *session) {
  return session->id;
}

const char *sbk_session_user(sbk_session *session) {
  return session->user_name;
}

int sbk_session_set_user(sbk_session *session, const char *user) {
  return session->state <= SBK__CONNECTING ? sbk__session_name(session, user)
                                           : SBK_ERR_STATE;
}

void *sbk_session_data(sbk_session *session) {
  return session->data;
}

void sbk_session_set_data(sbk_session *session, void *data) {
  session->data = data;
}

sbk_broker *sbk_session_broker(sbk_session *session) {
  return session->broker;
}

const char *sbk_session_peer(sbk_session *session) {
  return session->peer;
}

const char *sbk_session_endpoint(sbk_session *session) {
  return session->endpoint != NULL ? session->endpoint->path : "";
}

const char *sbk_session_transport(sbk_session *session) {
  return session->transport != 0
             ? sbk__sockjs_kind_name((enum sbk__sockjs_kind)session->transport)
         : session->websocket ? "websocket"
                              : "tcp";
}

/* RFC 6455, 7.4.2: what applications may say. */
static bool is_own_code(int code) {
  return code == 1000 || (code >= 3000 && code <= 4999);
}

int sbk_session_close_code(sbk_session *session, int code, const char *reason) {
  size_t len = reason != NULL ? strlen(reason) : 0;

  if (!session->plain || session->state == SBK__CLOSING) {
    return SBK_ERR_STATE;
  }
  if (!is_own_code(code) || len > 123 || !sbk__utf8_valid(reason, len)) {
    return SBK_ERR_INVAL;
  }
  sbk__enter(session->broker);
  sbk__session_close(session, SBK_ERR_CLOSED, (uint16_t)code, reason);
  sbk__leave(session->broker);

  return 0;
}

void sbk_session_close(sbk_session *session, const char *text) {
  sbk__enter(session->broker);
  if (text != NULL) {
    sbk__session_refuse(session, SBK_ERR_CLOSED, 1008, text, NULL);
  } else {
    sbk__session_close(session, SBK_ERR_CLOSED, 1000, NULL);
  }
  sbk__leave(session->broker);
}

void sbk_session_set_expiry(sbk_session *session, sbk_msec at) {
  session->expiry = at;
  session->broker->wire->wake(session); /* its timer may have to move */
}

int sbk_session_unsubscribe(sbk_session *session, const char *id) {
  sbk_broker *broker = session->broker;
  sbk__sub *sub = sbk__session_find_sub(session, id, strlen(id), NULL, 0);

  if (sub == NULL || sub->muted || session->state == SBK__CLOSING) {
    return SBK_ERR_NOT_FOUND;
  }
  sbk__enter(broker);
  sbk__session_mute(session, sub);
  sbk__leave(broker);

  return 0;
}

int sbk_session_send(sbk_session *session, int binary, const void *data,
                     size_t len) {
  sbk_broker *broker = session->broker;
  sbk_buf *buf;

  if (!session->plain || session->state != SBK__CONNECTED) {
    return SBK_ERR_STATE;
  }
  if ((data == NULL && len > 0) || (!binary && !sbk__utf8_valid(data, len))) {
    return SBK_ERR_INVAL;
  }
  buf = sbk_buf_copy(broker, data, len);
  if (buf == NULL) {
    return SBK_ERR_NOMEM;
  }

  sbk__enter(broker);
  sbk__session_push(session, buf, binary ? SBK__OUT_BINARY : SBK__OUT_TEXT);
  sbk__leave(broker);

  return session->state == SBK__CONNECTED ? 0 : session->reason;
}

size_t sbk_user_count(sbk_broker *broker) {
  return broker->users.count;
}

size_t sbk_session_count(sbk_broker *broker, const char *user) {
  const sbk__user *found;

  if (user == NULL) {
    return broker->session_count;
  }
  found = sbk__map_find(&broker->users, user, strlen(user));

  return found != NULL ? found->count : 0;
}

int sbk_each_user(sbk_broker *broker,
                  int (*fn)(const char *user, size_t sessions, void *arg),
                  void *arg) {
  const sbk__user *user;
  size_t pos = 0;
  int rv = 0;

  sbk__enter(broker);
  while (rv == 0 && (user = sbk__map_next(&broker->users, &pos)) != NULL) {
    rv = fn(user->name, user->count, arg);
  }
  sbk__leave(broker);

  return rv;
}

static int each_of_user(sbk__user *user,
                        int (*fn)(sbk_session *session, void *arg), void *arg) {
  sbk__node *node;
  int rv = 0;

  for (node = user->sessions.next; rv == 0 && node != &user->sessions;
       node = node->next) {
    rv = fn(sbk__item(node, sbk_session, in_user), arg);
  }

  return rv;
}

int sbk_each_session(sbk_broker *broker, const char *user,
                     int (*fn)(sbk_session *session, void *arg), void *arg) {
  sbk__node *node;
  int rv = 0;

  sbk__enter(broker);
  if (user != NULL) {
    sbk__user *found = sbk__map_find(&broker->users, user, strlen(user));

    rv = found != NULL ? each_of_user(found, fn, arg) : 0;
  } else {
    for (node = broker->sessions.next; rv == 0 && node != &broker->sessions;
         node = node->next) {
      rv = fn(sbk__item(node, sbk_session, in_sessions), arg);
    }
  }
  sbk__leave(broker);

  return rv;
}

int sbk_each_subscription(sbk_session *session,
                          int (*fn)(const char *id, const char *destination,
                                    void *arg),
                          void *arg) {
  uint32_t i;
  int rv = 0;

  sbk__enter(session->broker);
  for (i = 0; rv == 0 && i < session->slot_count; i++) {
    const sbk__sub *sub = session->subs[i];

    if (sub != NULL && sub->active && !sub->muted) {
      rv = fn(sbk__sub_id(sub), sbk__sub_destination(sub), arg);
    }
  }
  sbk__leave(session->broker);

  return rv;
}
