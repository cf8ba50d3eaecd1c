#include "sockjs_request.h"

#include <string.h>

#include "answer.h"
#include "ascii.h"

const char *sbk_request_method(sbk_request *request) {
  return sbk__http_method(&request->head);
}

const char *sbk_request_path(sbk_request *request) {
  return sbk__http_path(&request->head);
}

int sbk_request_query(sbk_request *request, const char *name, char *dst,
                      size_t size) {
  return sbk__http_query_get(sbk__http_query(&request->head), name, dst, size);
}

const char *sbk_request_field(sbk_request *request, const char *name) {
  return sbk__http_field_get(&request->head, name);
}

int sbk_request_cookie(sbk_request *request, const char *name, char *dst,
                       size_t size) {
  return sbk__http_cookie_get(&request->head, name, dst, size);
}

const void *sbk_request_body(sbk_request *request, size_t *len) {
  *len = request->body.len;
  return request->body.len > 0 ? request->body.data : "";
}

const char *sbk_request_peer(sbk_request *request) {
  return request->conn->peer != NULL ? request->conn->peer : "";
}

sbk_broker *sbk_request_broker(sbk_request *request) {
  return request->conn->broker;
}

void *sbk_request_user_data(sbk_request *request) {
  return request->user_data;
}

void sbk_request_set_user_data(sbk_request *request, void *user_data) {
  request->user_data = user_data;
}

int sbk_request_set_user(sbk_request *request, const char *user) {
  const sbk__core *core = &request->conn->broker->core;
  char *copy;

  if (request->endpoint == NULL) {
    return SBK_ERR_STATE;
  }
  if (!sbk__user_name_valid(user, core->config.max_user)) {
    return SBK_ERR_INVAL;
  }
  copy = sbk__strndup(&core->mem, user, strlen(user));
  if (copy == NULL) {
    return SBK_ERR_NOMEM;
  }
  sbk__free(&core->mem, request->user_name);
  request->user_name = copy;

  return 0;
}

/* The host has been told that it is over, and has freed what it had for it. */
sbk_session *sbk_request_session(sbk_request *request) {
  sbk_session *session = sbk__sockjs_session_of(request);

  return session != NULL && !session->ended ? session : NULL;
}

int sbk_request_set_session_data(sbk_request *request, void *data) {
  if (request->endpoint == NULL || sbk__sockjs_session_of(request) != NULL) {
    return SBK_ERR_STATE;
  }
  request->session_data = data;

  return 0;
}

int sbk_request_set_status(sbk_request *request, int status) {
  if (status < 400 || status > 599) {
    return SBK_ERR_INVAL;
  }
  request->status = status;

  return 0;
}

int sbk_request_resume(sbk_request *request, enum sbk_verdict verdict) {
  sbk_broker *broker = request->conn->broker;

  if (!request->waiting) {
    return SBK_ERR_STATE;
  }
  if (verdict == SBK_WAIT) {
    return SBK_ERR_INVAL;
  }

  sbk__enter(broker);
  request->waiting = false;
  request->resumed = true;
  request->verdict = verdict;
  sbk__work_add(broker, &request->conn->work);
  sbk__leave(broker);

  return 0;
}

static bool fields_valid(const struct sbk_field *fields) {
  static const char *const ours[] = {"Content-Length", "Connection",
                                     "Transfer-Encoding"};
  size_t i;

  for (; fields != NULL && fields->name != NULL; fields++) {
    if (!sbk__http_is_token(fields->name) || fields->value == NULL ||
        !sbk__http_is_value(fields->value)) {
      return false;
    }
    for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
      if (sbk__ascii_same(fields->name, strlen(fields->name), ours[i],
                          strlen(ours[i]))) {
        return false;
      }
    }
  }

  return true;
}

int sbk_request_answer(sbk_request *request, int status,
                       const struct sbk_field *fields, const void *body,
                       size_t len) {
  sbk_broker *broker = request->conn->broker;
  sbk__answer answer;
  int rv;

  if (request->endpoint != NULL || request->answered) {
    return SBK_ERR_STATE;
  }
  if (status < 200 || status > 599 || !fields_valid(fields)) {
    return SBK_ERR_INVAL;
  }

  sbk__answer_init(&answer, request->conn, status);
  for (; fields != NULL && fields->name != NULL; fields++) {
    sbk__answer_field(&answer, fields->name, fields->value);
  }
  rv = sbk__answer_whole(&answer, body, len);
  if (rv != 0) {
    return rv;
  }

  sbk__enter(broker);
  request->answered = true;
  if (!request->calling) {
    sbk__work_add(broker, &request->conn->work);
  }
  sbk__leave(broker);

  return 0;
}
