#include "conn.h"

#include <string.h>

#include "abi.h"
#include "answer.h"
#include "conn_ws.h"
#include "output.h"
#include "request.h"
#include "sockjs.h"

#define REFUSING_MAX 64 /* that say 503 at the same time */

/* ---- what it wants, and when ---- */

bool sbk__conn_has_output(const sbk_conn *conn) {
  return (conn->stage != NULL && conn->stage->bytes > 0) ||
         (conn->state == SBK__CONN_RECEIVES
              ? sbk__sockjs_has_output(conn)
              : conn->session != NULL && conn->session->out.count > 0);
}

bool sbk__conn_is_closing(const sbk_conn *conn) {
  return conn->state == SBK__CONN_LINGER ||
         (conn->session != NULL && conn->session->state == SBK__CLOSING);
}

/* Answers that the peer does not read: more requests would make more. */
static bool is_clogged(const sbk_conn *conn) {
  return conn->state == SBK__CONN_HTTP && conn->stage != NULL &&
         conn->stage->bytes > conn->broker->core.config.max_preauth_output;
}

bool sbk__conn_blocked(const sbk_conn *conn) {
  return conn->state == SBK__CONN_ASKED || conn->state == SBK__CONN_RECEIVES ||
         conn->state == SBK__CONN_SENDS || is_clogged(conn) ||
         sbk__sockjs_rests(conn) ||
         (conn->session != NULL && conn->session->state != SBK__CLOSING &&
          sbk__session_waits(conn->session));
}

/* All is said. A closing handshake waits for the peer's Close. Everybody else
 * hears the end of the stream at once, but goes on being listened to, or the
 * kernel would throw away what we said when it finds unread bytes (RFC 9112,
 * 9.6; RFC 6455, 7.1.1 and 7.1.7). */
static unsigned wants_last(const sbk_conn *conn) {
  const sbk_session *session = conn->session;

  if (conn->eof || conn->peer_closed) {
    return 0;
  }
  if (conn->state == SBK__CONN_LINGER || conn->deaf) {
    return SBK_WANT_READ | SBK_WANT_SHUTDOWN;
  }
  if (session->websocket) {
    return session->silent ? 0 : SBK_WANT_READ;
  }

  return session->reason != 0 ? SBK_WANT_READ | SBK_WANT_SHUTDOWN : 0;
}

unsigned sbk_conn_wants(sbk_conn *conn) {
  unsigned wants = sbk__conn_has_output(conn) ? SBK_WANT_WRITE : 0;

  if (conn->state == SBK__CONN_DEAD) {
    return 0;
  }
  if (sbk__conn_is_closing(conn)) {
    if (wants == 0) {
      return wants_last(conn);
    }
    return conn->eof ? wants : wants | SBK_WANT_READ;
  }
  if (conn->state == SBK__CONN_RECEIVES && conn->held == NULL) {
    return wants | SBK_WANT_READ; /* to notice when the client goes */
  }
  if (sbk__conn_blocked(conn)) {
    return wants != 0 ? wants : SBK_WANT_HOLD;
  }

  return conn->eof ? wants : wants | SBK_WANT_READ;
}

void sbk__conn_ready(sbk_conn *conn) {
  if (sbk__sockjs_carries(conn)) {
    return; /* the host does not know it */
  }
  if (!sbk__list_linked(&conn->in_ready)) {
    sbk__list_push(&conn->broker->ready, &conn->in_ready);
  }
}

sbk_conn *sbk_broker_next_ready(sbk_broker *broker) {
  sbk__node *node = sbk__list_shift(&broker->ready);
  sbk_conn *conn;

  if (node == NULL) {
    return NULL;
  }
  conn = sbk__item(node, sbk_conn, in_ready);
  conn->told = sbk_conn_wants(conn);
  if (conn->session != NULL) {
    conn->session->awake = false;
  } else if (conn->state == SBK__CONN_RECEIVES) {
    conn->sockjs->conn->session->awake = false;
  }

  return conn;
}

void sbk__conn_closing(sbk_conn *conn) {
  conn->closing_at = conn->broker->core.now;
  if (conn->held != NULL) {
    sbk__work_add(conn->broker, &conn->work); /* to forget it */
  }
  sbk__conn_ready(conn);
  sbk__conn_arm(conn);
}

static void on_wake(sbk_session *session) {
  sbk_conn *conn = session->conn;

  session->awake = true;
  if (session->state == SBK__CLOSING && conn->closing_at == 0) {
    conn->closing_at = conn->broker->core.now;
    if (conn->held != NULL) {
      /* A peer's Close may be among it. */
      sbk__work_add(conn->broker, &conn->work);
    }
  }
  if (sbk__sockjs_carries(conn)) {
    sbk__sockjs_wake(conn->sockjs);
    return;
  }
  sbk__conn_ready(conn);
  sbk__conn_arm(conn);
}

static void on_work(sbk__work *work) {
  sbk_conn *conn = sbk__item(work, sbk_conn, work);

  if (sbk__sockjs_carries(conn)) {
    if (!sbk__sockjs_work(conn)) {
      sbk__conn_arm(conn);
    }
    return;
  }
  sbk__http_work(conn);
  sbk__conn_unhold(conn);
  if (conn->eof && conn->held == NULL) {
    sbk__conn_input_over(conn);
  }
  sbk__conn_settle(conn);
}

static void on_resume(sbk_session *session) {
  sbk_conn *conn = session->conn;

  sbk__work_add(conn->broker, &conn->work);
}

/* ---- its life ---- */

void sbk__conn_end(sbk_conn *conn, int reason) {
  if (conn->state == SBK__CONN_DEAD) {
    return;
  }
  if (conn->state == SBK__CONN_RECEIVES) {
    sbk__sockjs_detach(conn);
  }
  sbk__http_gone(conn);
  conn->state = SBK__CONN_DEAD;
  conn->reason = conn->reason != 0 ? conn->reason : reason;
  if (conn->session != NULL) {
    sbk__session_gone(conn->session, reason);
  }
  if (sbk__sockjs_carries(conn)) {
    sbk__sockjs_ended(conn);
  }
  /* The stage stays: an asynchronous writer may still be at its bytes. */
  sbk__conn_ready(conn);
}

static void conn_free(sbk_conn *conn) {
  sbk_broker *broker = conn->broker;
  bool pending = conn->pending;

  if (sbk__sockjs_carries(conn)) {
    sbk__sockjs_free(conn);
  }
  if (conn->session != NULL) {
    pending = pending || conn->session->pending;
    sbk__session_free(conn->session);
  }
  broker->pending_count -= pending;
  broker->conn_count--;
  broker->refusing_count -= conn->refusing;
  sbk__ws_clear(&conn->ws, &broker->contexts);
  sbk__conn_free_held(conn);
  sbk__stage_free(conn->stage);
  sbk__exchange_free(&broker->core.mem, conn->exchange);
  sbk__heap_set(&broker->timers, &conn->timer, SBK_NEVER);
  sbk__list_remove(&conn->in_ready);
  sbk__list_remove(&conn->in_conns);
  sbk__list_remove(&conn->work.node);
  sbk__free(&broker->core.mem, conn->peer);
  sbk__free(&broker->core.mem, conn);
}

void sbk_conn_free(sbk_conn *conn) {
  sbk_broker *broker;

  if (conn == NULL) {
    return;
  }
  broker = conn->broker;
  if (broker->depth > 0) {
    sbk__log(&broker->core, SBK_LOG_ERROR, conn->peer,
             "sbk_conn_free() called from a callback", NULL);
    return;
  }

  sbk__enter(broker);
  sbk__conn_end(conn, SBK_ERR_EOF);
  sbk__leave(broker);
  conn_free(conn);
}

/* body_len NULL: a stream; else of the one request that there is. */
static int conn_new(sbk_conn **conn, sbk_broker *broker, const char *peer,
                    void *user_data, const size_t *body_len) {
  const struct sbk_mem *mem = &broker->core.mem;
  sbk_conn *c;

  if (sbk__heap_reserve(&broker->timers, broker->conn_count + 1) != 0) {
    return SBK_ERR_NOMEM;
  }
  c = sbk__calloc(mem, 1, sizeof(*c));
  if (c == NULL) {
    return SBK_ERR_NOMEM;
  }
  c->peer = peer != NULL ? sbk__strndup(mem, peer, strlen(peer)) : NULL;
  c->exchange = body_len != NULL ? sbk__exchange_new(mem, *body_len) : NULL;
  if ((peer != NULL && c->peer == NULL) ||
      (body_len != NULL && c->exchange == NULL)) {
    sbk__exchange_free(mem, c->exchange);
    sbk__free(mem, c->peer);
    sbk__free(mem, c);
    return SBK_ERR_NOMEM;
  }
  c->broker = broker;
  c->unframed = body_len != NULL;
  c->user_data = user_data;
  c->told = SBK_WANT_READ;
  sbk__list_init(&c->in_ready);
  sbk__list_push(&broker->conns, &c->in_conns);
  sbk__work_init(&c->work, on_work);
  broker->conn_count++;
  broker->pending_count++;
  c->pending = true;
  *conn = c;

  return 0;
}

void sbk__conn_set_pending(sbk_conn *conn, bool pending) {
  if (conn->pending != pending) {
    conn->pending = pending;
    conn->broker->pending_count += pending ? 1 : (size_t)-1;
  }
}

int sbk__conn_open(sbk_conn *conn, const sbk__endpoint *endpoint,
                   bool websocket) {
  int rv = sbk__session_new(&conn->session, conn->broker, conn, endpoint,
                            websocket, conn->peer);

  if (rv != 0) {
    return rv;
  }
  conn->session->pending = conn->pending;
  conn->pending = false;
  conn->state = websocket ? SBK__CONN_WS : SBK__CONN_TCP;
  if (conn->stamped && endpoint != NULL) {
    conn->session->born = conn->since; /* LIMITS: CONNECT counts from accept */
  }
  if (conn->broker->shut_down) {
    sbk__conn_shutdown(
        conn); /* by the host, when it was asked for randomness */
  }

  return 0;
}

void sbk__conn_opened(sbk_conn *conn) {
  sbk_session *session = conn->session;
  const sbk__core *core = &conn->broker->core;

  if (!session->plain) {
    return;
  }
  if (sbk__session_connected(session) != 0) {
    sbk__session_fail(session, SBK__FAULT_NOMEM, NULL);
  } else if (core->callbacks.connected != NULL) {
    core->callbacks.connected(session, core->arg);
  }
}

static void on_cut(sbk_broker *broker) {
  sbk__node *node;

  for (node = broker->conns.next;
       node != &broker->conns &&
       broker->held > broker->core.config.max_total_queue;
       node = node->next) {
    sbk_conn *conn = sbk__item(node, sbk_conn, in_conns);
    sbk_session *session = conn->session;

    if (session != NULL && session->state == SBK__CLOSING &&
        session->out.count > 0) {
      /* Over requests it is still known, and says c[...] to who asks. */
      sbk_conn *taker =
          sbk__sockjs_carries(conn) ? conn->sockjs->receiver : conn;

      if (taker != NULL) {
        sbk__conn_end(taker, SBK_ERR_SLOW);
      }
      sbk__output_clear(session);
    }
  }
}

const sbk__wire sbk__conn_wire = {on_wake, on_resume, on_cut};

static bool is_full(const sbk_broker *broker) {
  return broker->conn_count - broker->refusing_count >=
             broker->core.config.max_connections ||
         broker->pending_count >= broker->core.config.max_pending;
}

int sbk__conn_new_carrier(sbk_conn **carrier, sbk_conn *conn) {
  sbk_broker *broker = conn->broker;
  int rv = is_full(broker) ? SBK_ERR_TOO_MANY
                           : conn_new(carrier, broker, conn->peer, NULL, NULL);

  if (rv == 0) {
    (*carrier)->stamped = true;
    (*carrier)->since = broker->core.now;
  }

  return rv;
}

/* A connection beyond the limits that only says 503. */
static int refuse_new(sbk_conn **conn, sbk_broker *broker, const char *peer,
                      void *user_data, const size_t *body_len) {
  int rv;

  if (broker->refusing_count >= REFUSING_MAX) {
    return SBK_ERR_TOO_MANY;
  }
  rv = conn_new(conn, broker, peer, user_data, body_len);
  if (rv != 0) {
    return rv;
  }
  broker->counts.accepted++;
  broker->refusing_count++;
  sbk__conn_set_pending(*conn, false);
  (*conn)->refusing = true;
  (*conn)->reason = SBK_ERR_TOO_MANY;
  sbk__http_refuse(*conn, 503);

  return 0;
}

static int new_stream(sbk_conn **conn, sbk_broker *broker,
                      enum sbk_transport transport, const char *peer,
                      void *user_data, const size_t *body_len) {
  int rv;

  *conn = NULL;
  if (transport != SBK_HTTP && transport != SBK_WEBSOCKET &&
      transport != SBK_TCP) {
    return SBK_ERR_INVAL;
  }
  /* Sessions of SockJS that there are still need connections. */
  if (broker->closed && (transport != SBK_HTTP || broker->sockjs_count == 0)) {
    return SBK_ERR_STATE;
  }
  if (is_full(broker)) {
    sbk__enter(broker); /* it writes to the log */
    rv = transport == SBK_HTTP
             ? refuse_new(conn, broker, peer, user_data, body_len)
             : SBK_ERR_TOO_MANY;
    sbk__leave(broker);
    broker->counts.turned_away += rv == SBK_ERR_TOO_MANY;
    return rv;
  }
  rv = conn_new(conn, broker, peer, user_data, body_len);
  if (rv == 0 && transport != SBK_HTTP) {
    sbk__enter(broker); /* it asks for randomness */
    rv = sbk__conn_open(*conn, NULL, transport == SBK_WEBSOCKET);
    sbk__leave(broker);
    if (rv != 0) {
      conn_free(*conn);
      *conn = NULL;
    }
  }
  if (rv == 0) {
    broker->counts.accepted++;
    sbk__conn_arm(*conn);
  }

  return rv;
}

int sbk_conn_new(sbk_conn **conn, sbk_broker *broker,
                 enum sbk_transport transport, const char *peer,
                 void *user_data) {
  return new_stream(conn, broker, transport, peer, user_data, NULL);
}

/* A connection for a request that is there already. */
static int new_given(sbk_conn **conn, sbk_broker *broker,
                     const struct sbk_http_request *request, const char *peer,
                     void *user_data, const void *body,
                     const size_t *body_len) {
  struct sbk_http_request copy;
  int rv = sbk__abi_copy(&copy, sizeof(copy), sizeof(copy), request);

  *conn = NULL;
  if (rv == 0 && body_len != NULL && broker->depth > 0) {
    rv = SBK_ERR_STATE; /* its body is fed to it */
  }
  if (rv != 0) {
    return rv;
  }
  rv = new_stream(conn, broker, SBK_HTTP, peer, user_data, body_len);
  if (rv != 0 || (*conn)->refusing) {
    return rv;
  }

  sbk__enter(broker);
  rv = sbk__http_given(*conn, &copy);
  if (rv == 0) {
    if (body_len != NULL && (*conn)->state == SBK__CONN_BODY) {
      sbk__conn_take(*conn, body, *body_len);
    }
    sbk__conn_settle(*conn);
  } else {
    (*conn)->reason = rv;
    sbk__conn_end(*conn, rv);
  }
  sbk__leave(broker);
  if (rv != 0) {
    conn_free(*conn);
    *conn = NULL;
  }

  return rv;
}

int sbk_conn_new_request(sbk_conn **conn, sbk_broker *broker,
                         const struct sbk_http_request *request,
                         const char *peer, void *user_data) {
  return new_given(conn, broker, request, peer, user_data, NULL, NULL);
}

int sbk_conn_new_exchange(sbk_conn **conn, sbk_broker *broker,
                          const struct sbk_http_request *request,
                          const void *body, size_t len, const char *peer,
                          void *user_data) {
  return new_given(conn, broker, request, peer, user_data, body, &len);
}

int sbk_conn_answer(sbk_conn *conn, struct sbk_http_answer *answer) {
  const sbk__exchange *exchange = conn->exchange;
  struct sbk_http_answer all;
  size_t size = answer->size;

  if (size < sizeof(size) || size > sizeof(all)) {
    return SBK_ERR_ABI;
  }
  if (exchange == NULL || exchange->status == 0) {
    return SBK_ERR_STATE;
  }
  all.size = size;
  all.status = exchange->status;
  all.fields = exchange->fields;
  all.length = exchange->length;
  memcpy(answer, &all, size);

  return 0;
}

void *sbk_conn_user_data(sbk_conn *conn) {
  return conn->user_data;
}

void sbk_conn_set_user_data(sbk_conn *conn, void *user_data) {
  conn->user_data = user_data;
}

sbk_session *sbk_conn_session(sbk_conn *conn) {
  const sbk_conn *carrier = conn->sockjs != NULL ? conn->sockjs->conn : conn;

  return carrier->session != NULL && !carrier->session->ended ? carrier->session
                                                              : NULL;
}

void sbk__conn_shutdown(sbk_conn *conn) {
  if (conn->session != NULL) {
    sbk__session_close(conn->session, SBK_ERR_CLOSED, 1001,
                       sbk__fault_text(SBK__FAULT_SHUTDOWN));
    if (sbk__sockjs_carries(conn)) {
      sbk__sockjs_shutdown(conn->sockjs);
    }
  } else if ((conn->state == SBK__CONN_HTTP || conn->state == SBK__CONN_BODY) &&
             conn->broker->sockjs_count == 0) {
    conn->reason = SBK_ERR_CLOSED;
    sbk__conn_input_over(conn);
  }
}

void sbk__conn_drop(sbk_conn *conn) {
  conn_free(conn);
}
