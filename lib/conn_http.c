#include <string.h>

#include "answer.h"
#include "digest.h"
#include "endpoint.h"
#include "sockjs_page.h"
#include "sockjs_request.h"

static sbk_request *request_new(sbk_conn *conn) {
  const sbk__core *core = &conn->broker->core;
  sbk_request *request = sbk__calloc(&core->mem, 1, sizeof(*request));

  if (request == NULL) {
    return NULL;
  }
  request->conn = conn;
  request->status = 403;
  sbk__http_head_init(&request->head, &core->mem, &core->config);
  sbk__str_init(&request->body, &core->mem);
  sbk__list_init(&request->in_senders);

  return request;
}

static void request_free(sbk_conn *conn) {
  sbk_request *request = conn->request;
  const struct sbk_mem *mem = &conn->broker->core.mem;

  if (request == NULL) {
    return;
  }
  conn->request = NULL;
  sbk__http_head_clear(&request->head);
  sbk__str_free(&request->body);
  sbk__list_remove(&request->in_senders);
  sbk__sockjs_post_free(conn, request->post);
  sbk__free(mem, request->user_name);
  sbk__free(mem, request);
}

void sbk__http_gone(sbk_conn *conn) {
  const sbk__core *core = &conn->broker->core;

  if (conn->state == SBK__CONN_ASKED && !conn->request->answered &&
      !conn->request->resumed && core->callbacks.request_gone != NULL) {
    core->callbacks.request_gone(conn->request, core->arg);
  }
  request_free(conn);
}

/* Hands a written answer over. False: no memory, and the connection ends. */
static bool flush(sbk_conn *conn, sbk__str *out) {
  int rv =
      out->failed ? SBK_ERR_NOMEM : sbk__conn_write(conn, out->data, out->len);

  sbk__str_free(out);
  if (rv != 0) {
    sbk__conn_end(conn, rv);
  }

  return rv == 0;
}

/* No request follows. Who waits for the end of the answer waits for the end of
 * the stream, and is not listened to before. */
static void linger(sbk_conn *conn) {
  conn->state = SBK__CONN_LINGER;
  conn->eof = conn->eof || conn->unframed;
  sbk__conn_closing(conn);
}

static void refuse(sbk_conn *conn, int status) {
  const char *reason = sbk__http_reason(status);
  sbk__answer answer;
  int rv;

  sbk__log(&conn->broker->core, SBK_LOG_INFO, conn->peer, "refused", reason);
  sbk__answer_init(&answer, conn, status);
  answer.close = true;
  if (status == 405) {
    sbk__answer_field(&answer, "Allow",
                      conn->request != NULL && conn->request->endpoint == NULL
                          ? "GET, HEAD, POST, OPTIONS"
                          : "GET");
  } else if (status == 426) {
    /* RFC 6455, 4.4, and RFC 9110, 15.5.22 */
    answer.upgrade = true;
    sbk__answer_field(&answer, "Upgrade", "websocket");
    sbk__answer_field(&answer, "Sec-WebSocket-Version", "13");
  } else if (status == 503) {
    sbk__answer_field(&answer, "Retry-After", "5");
  }
  sbk__answer_field(&answer, "Content-Type", "text/plain");
  rv = sbk__answer_line(&answer, reason);

  request_free(conn);
  conn->reason = conn->reason != 0 ? conn->reason : SBK_ERR_HTTP;
  if (rv != 0) {
    sbk__conn_end(conn, rv);
  } else {
    linger(conn);
  }
}

void sbk__http_count_refusal(sbk_conn *conn, int status) {
  struct sbk_stats *counts = &conn->broker->counts;

  switch (status) {
  case 403:
    counts->requests_origin++;
    break;
  case 404:
    counts->requests_not_found++;
    break;
  case 408:
    counts->requests_late++;
    break;
  case 503:
    counts->requests_full++;
    break;
  default:
    counts->requests_malformed++;
    break;
  }
}

void sbk__http_refuse(sbk_conn *conn, int status) {
  sbk__http_count_refusal(conn, status);
  refuse(conn, status);
}

/* RFC 6455, 4.2.2 */
static bool write_upgrade(sbk_conn *conn) {
  const sbk__http_head *head = &conn->request->head;
  const char *protocol = conn->request->endpoint->message == NULL
                             ? sbk__http_stomp_protocol(head)
                             : NULL;
  char accept[29];
  sbk__str out;

  sbk__websocket_accept_key(accept,
                            sbk__http_field_get(head, "Sec-WebSocket-Key"));
  sbk__str_init(&out, &conn->broker->core.mem);
  sbk__answer_status(&out, 101);
  sbk__str_addz(&out, "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: ");
  sbk__str_addz(&out, accept);
  if (protocol != NULL) {
    sbk__str_addz(&out, "\r\nSec-WebSocket-Protocol: ");
    sbk__str_addz(&out, protocol);
  }
  sbk__str_addz(&out, "\r\n\r\n");

  return flush(conn, &out);
}

static void upgrade(sbk_conn *conn) {
  sbk_request *request = conn->request;
  bool framed = request->target.kind == SBK__SOCKJS_WEBSOCKET;
  int rv;

  if (!write_upgrade(conn)) {
    return;
  }
  rv = sbk__conn_open(conn, request->endpoint, true);
  if (rv != 0) {
    sbk__conn_end(conn, rv);
    return;
  }
  conn->session->data = request->session_data;
  conn->session->user_name = request->user_name;
  conn->session->framed = framed;
  request->user_name = NULL;
  request_free(conn);
  if (framed && conn->session->state != SBK__CLOSING) {
    sbk__session_greet(conn->session);
  }
  if (conn->session->state != SBK__CLOSING) {
    sbk__conn_opened(conn);
  }
}

/* Below an endpoint with SockJS, and not a WebSocket? */
static bool is_sockjs(const sbk_request *request) {
  return request->endpoint->sockjs != NULL &&
         request->target.kind != SBK__SOCKJS_RAW &&
         request->target.kind != SBK__SOCKJS_WEBSOCKET;
}

static void decided(sbk_conn *conn, enum sbk_verdict verdict) {
  sbk_request *request = conn->request;

  request->waiting = false;
  if (conn->state == SBK__CONN_DEAD) {
    return;
  }
  /* Not in the host's hands any more, whatever fails from here on. */
  conn->state = SBK__CONN_HTTP;
  if (verdict != SBK_PASS) {
    conn->broker->counts.requests_denied++;
    if (is_sockjs(request)) {
      sbk__sockjs_refuse(conn, request->status);
      return;
    }
    conn->reason = SBK_ERR_DENIED;
    refuse(conn, request->status);
  } else if (is_sockjs(request)) {
    sbk__sockjs_passed(conn);
  } else if (conn->broker->closed) {
    conn->reason = SBK_ERR_CLOSED;
    sbk__http_refuse(conn, 503);
  } else {
    upgrade(conn);
  }
}

void sbk__http_ask_handshake(sbk_conn *conn) {
  const sbk__core *core = &conn->broker->core;
  sbk_request *request = conn->request;
  enum sbk_verdict verdict = SBK_PASS;

  conn->state = SBK__CONN_ASKED;
  if (core->callbacks.handshake != NULL) {
    request->calling = true;
    verdict = core->callbacks.handshake(request, core->arg);
    request->calling = false;
  }
  if (verdict == SBK_WAIT) {
    request->waiting = true;
  } else {
    decided(conn, verdict);
  }
}

static void ask_host(sbk_conn *conn) {
  const sbk__core *core = &conn->broker->core;
  sbk_request *request = conn->request;

  conn->state = SBK__CONN_ASKED;
  request->calling = true;
  core->callbacks.request(request, core->arg);
  request->calling = false;
  if (request->answered) {
    sbk__work_add(conn->broker, &conn->work);
  }
}

/* 0, or the status that refuses. */
static int check_endpoint(const sbk_conn *conn) {
  const sbk_request *request = conn->request;
  const sbk__endpoint *endpoint = request->endpoint;
  const char *origin = sbk__http_field_get(&request->head, "Origin");
  int rv = sbk__http_check_upgrade(&request->head);

  if (conn->exchange != NULL ||
      (endpoint->sockjs != NULL && endpoint->sockjs->no_websocket)) {
    return 404;
  }
  if (rv != 0) {
    return -rv;
  }
  if (!sbk__endpoint_allows(endpoint, origin,
                            sbk__http_field_get(&request->head, "Host"))) {
    sbk__log(&conn->broker->core, SBK_LOG_INFO, conn->peer,
             origin != NULL ? "origin not allowed" : "no Origin", origin);
    return 403;
  }

  return conn->broker->closed ? 503 : 0;
}

static int check_host_path(const sbk_conn *conn, size_t *body_len) {
  static const char *const methods[] = {"GET", "HEAD", "POST", "OPTIONS"};
  const sbk__http_head *head = &conn->request->head;
  size_t i;

  *body_len = 0;
  if (conn->broker->core.callbacks.request == NULL) {
    return 404;
  }
  if (sbk__http_field_get(head, "Host") == NULL) {
    return 400;
  }
  for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
    if (strcmp(sbk__http_method(head), methods[i]) == 0) {
      return conn->broker->closed
                 ? 503
                 : -sbk__http_body_len(
                       head, conn->broker->core.config.max_request_body,
                       body_len);
    }
  }

  return 405;
}

static void dispatch_to_host(sbk_conn *conn) {
  sbk_request *request = conn->request;
  int status = check_host_path(conn, &request->body_len);

  if (status != 0) {
    sbk__http_refuse(conn, status);
  } else if (request->body_len > 0) {
    conn->state = SBK__CONN_BODY;
  } else {
    ask_host(conn);
  }
}

static void dispatch_upgrade(sbk_conn *conn) {
  int status = check_endpoint(conn);

  /* sockjs-protocol 0.3.3, WebsocketHttpErrors: without content */
  if (status == 405 && conn->request->endpoint->sockjs != NULL) {
    sbk__http_count_refusal(conn, status);
    conn->request->close = true; /* there may be a body */
    conn->request->last = false;
    sbk__sockjs_refuse(conn, status);
  } else if (status != 0) {
    sbk__http_refuse(conn, status);
  } else {
    sbk__http_ask_handshake(conn);
  }
}

/* What is it that a path at or below an endpoint with SockJS stands for? */
static void read_target(sbk_request *request, const char *rest) {
  if (request->endpoint->sockjs == NULL) {
    return;
  }
  sbk__sockjs_target_read(rest, &request->target);
  if (*rest == '\0' && sbk__http_field_get(&request->head, "Upgrade") != NULL) {
    request->target.kind = SBK__SOCKJS_RAW; /* as without SockJS */
  }
}

/* The head is whole. */
static void dispatch(sbk_conn *conn) {
  sbk_request *request = conn->request;
  const char *rest;

  conn->broker->counts.requests++;
  request->last = request->head.http10 ||
                  sbk__http_field_has(&request->head, "Connection", "close");
  request->close = request->last;
  request->endpoint =
      sbk__endpoint_find(conn->broker, sbk__http_path(&request->head), &rest);
  if (request->endpoint == NULL) {
    dispatch_to_host(conn);
    return;
  }
  read_target(request, rest);
  if (is_sockjs(request)) {
    sbk__sockjs_dispatch(conn);
  } else {
    dispatch_upgrade(conn);
  }
}

static size_t take_head(sbk_conn *conn, const uint8_t *data, size_t len) {
  size_t used = 0;
  int rv;

  if (conn->request == NULL) {
    conn->request = request_new(conn);
    if (conn->request == NULL) {
      sbk__conn_end(conn, SBK_ERR_NOMEM);
      return len;
    }
    if (conn->served) {
      conn->since = conn->broker->core.now; /* it was idle, and is no longer */
    }
  }
  rv = sbk__http_head_feed(&conn->request->head, data, len, &used);
  if (rv == SBK_ERR_NOMEM) {
    sbk__conn_end(conn, rv);
    return len;
  }
  if (rv < 0) {
    sbk__http_refuse(conn, -rv);
    return len;
  }
  if (rv > 0) {
    dispatch(conn);
  }

  return used;
}

static size_t take_body(sbk_conn *conn, const uint8_t *data, size_t len) {
  sbk_request *request = conn->request;
  size_t left = request->body_len - request->body.len;
  size_t size = len < left ? len : left;

  sbk__str_add(&request->body, data, size);
  if (request->body.failed) {
    sbk__conn_end(conn, SBK_ERR_NOMEM);
    return len;
  }
  if (request->body.len == request->body_len) {
    ask_host(conn);
  }

  return size;
}

size_t sbk__http_take(sbk_conn *conn, const uint8_t *data, size_t len) {
  return conn->state == SBK__CONN_HTTP ? take_head(conn, data, len)
         : conn->request->endpoint != NULL
             ? sbk__sockjs_take_body(conn, data, len)
             : take_body(conn, data, len);
}

int sbk__http_given(sbk_conn *conn, const struct sbk_http_request *given) {
  const char *rest;
  int rv;

  conn->request = request_new(conn);
  if (conn->request == NULL) {
    return SBK_ERR_NOMEM;
  }
  rv = sbk__http_head_set(&conn->request->head, given);
  if (rv < 0) {
    return rv == SBK_ERR_NOMEM ? rv : SBK_ERR_INVAL;
  }
  if (sbk__endpoint_find(conn->broker, sbk__http_path(&conn->request->head),
                         &rest) == NULL) {
    return SBK_ERR_NOT_FOUND;
  }
  dispatch(conn);

  return 0;
}

/* Behind an answer; last: the client has said that it asks no more. */
static void go_on(sbk_conn *conn, bool close, bool last) {
  conn->served = true;
  /* It may wait for the end of the stream, and nothing of it is left unread
   * that the kernel would throw the answer away for. */
  conn->eof = conn->eof || (last && conn->held == NULL);
  if (close || conn->unframed ||
      (conn->broker->closed && conn->broker->sockjs_count == 0)) {
    linger(conn);
    return;
  }
  conn->state = SBK__CONN_HTTP;
  conn->since = conn->broker->core.now;
  if (conn->held != NULL) {
    sbk__work_add(conn->broker, &conn->work);
  }
}

void sbk__http_answered(sbk_conn *conn) {
  bool close = conn->request->close, last = conn->request->last;

  request_free(conn);
  go_on(conn, close, last);
}

void sbk__http_receives(sbk_conn *conn) {
  request_free(conn);
}

void sbk__http_received(sbk_conn *conn) {
  request_free(conn);
  go_on(conn, conn->close, conn->close);
}

void sbk__http_work(sbk_conn *conn) {
  if (conn->state != SBK__CONN_ASKED) {
    return;
  }
  if (conn->request->resumed) {
    conn->request->resumed = false;
    decided(conn, conn->request->verdict);
  } else if (conn->request->answered) {
    sbk__http_answered(conn);
  }
}
