#include "conn.h"

#include <assert.h>
#include <string.h>

#include "abi.h"
#include "conn_ws.h"
#include "inbound.h"
#include "output.h"
#include "request.h"

#define REFUSING_MAX 64          /* that say 503 at the same time */
#define LINGER       1000        /* ms that a refused peer is listened to */
#define DROPPED_MAX  (64 * 1024) /* bytes that are read and dropped */
#define STAGE_BYTES  (64 * 1024) /* formed ahead for iovecs */

/* ---- what it wants, and when ---- */

static bool has_output(const sbk_conn *conn) {
  return (conn->stage != NULL && conn->stage->bytes > 0) ||
         (conn->session != NULL && conn->session->out.count > 0);
}

static bool is_closing(const sbk_conn *conn) {
  return conn->state == SBK__CONN_LINGER ||
         (conn->session != NULL && conn->session->state == SBK__CLOSING);
}

bool sbk__conn_blocked(const sbk_conn *conn) {
  return conn->state == SBK__CONN_ASKED ||
         (conn->session != NULL && conn->session->state != SBK__CLOSING &&
          sbk__session_waits(conn->session));
}

/* All is said: is there still something to hear? A WebSocket waits for the
 * peer's Close; a refused peer is listened to, or the kernel would throw away
 * what we said when it finds unread bytes. */
static bool listens(const sbk_conn *conn) {
  if (conn->eof || conn->peer_closed) {
    return false;
  }
  if (conn->state == SBK__CONN_LINGER || conn->deaf) {
    return true;
  }

  return conn->session->websocket ? !conn->session->silent
                                  : conn->session->reason != 0;
}

unsigned sbk_conn_wants(sbk_conn *conn) {
  unsigned wants = has_output(conn) ? SBK_WANT_WRITE : 0;

  if (conn->state == SBK__CONN_DEAD) {
    return 0;
  }
  if (is_closing(conn)) {
    if (wants == 0) {
      return listens(conn) ? SBK_WANT_READ : 0;
    }
    return conn->eof ? wants : wants | SBK_WANT_READ;
  }
  if (sbk__conn_blocked(conn)) {
    return wants != 0 ? wants : SBK_WANT_HOLD;
  }

  return conn->eof ? wants : wants | SBK_WANT_READ;
}

void sbk__conn_ready(sbk_conn *conn) {
  if (!sbk__list_linked(&conn->in_ready)) {
    sbk__list_push(&conn->broker->ready, &conn->in_ready);
  }
}

static sbk_msec earlier(sbk_msec a, sbk_msec b) {
  return a < b ? a : b;
}

static sbk_msec after(sbk_msec when, sbk_msec span) {
  return span > SBK_NEVER - 1 - when ? SBK_NEVER - 1 : when + span;
}

static sbk_msec due(const sbk_conn *conn) {
  const struct sbk_config *config = &conn->broker->core.config;
  sbk_msec when = SBK_NEVER;

  if (conn->state == SBK__CONN_DEAD) {
    return SBK_NEVER;
  }
  if (!conn->stamped) {
    return 0;
  }
  if (conn->stage != NULL) {
    when = after(conn->stage_at, config->send_timeout);
  }
  if (is_closing(conn)) {
    return earlier(when, after(conn->closing_at,
                               conn->session != NULL && conn->session->websocket
                                   ? config->close_timeout
                                   : LINGER));
  }
  if (conn->session != NULL) {
    return earlier(when, sbk__session_due(conn->session));
  }

  return conn->state == SBK__CONN_ASKED
             ? when
             : earlier(when, after(conn->since, config->request_timeout));
}

/* A timer is only moved forwards; when it comes too early, nothing is due. */
static void arm(sbk_conn *conn) {
  sbk_msec when = due(conn);

  if (conn->timer.place == 0 || when < conn->timer.due) {
    sbk__heap_set(&conn->broker->timers, &conn->timer, when);
  }
}

/* After anything happened: the host hears of it, the timer is right. */
static void settle(sbk_conn *conn) {
  if (conn->stage != NULL && conn->stage->bytes == 0) {
    sbk__stage_free(conn->stage);
    conn->stage = NULL;
  }
  if (sbk_conn_wants(conn) != conn->told) {
    sbk__conn_ready(conn);
  }
  arm(conn);
}

void sbk__conn_closing(sbk_conn *conn) {
  conn->closing_at = conn->broker->core.now;
  sbk__conn_ready(conn);
  arm(conn);
}

static void on_wake(sbk_session *session) {
  sbk_conn *conn = session->conn;

  session->awake = true;
  if (session->state == SBK__CLOSING && conn->closing_at == 0) {
    conn->closing_at = conn->broker->core.now;
  }
  sbk__conn_ready(conn);
  arm(conn);
}

/* ---- its life ---- */

void sbk__conn_end(sbk_conn *conn, int reason) {
  if (conn->state == SBK__CONN_DEAD) {
    return;
  }
  sbk__http_gone(conn);
  conn->state = SBK__CONN_DEAD;
  conn->reason = conn->reason != 0 ? conn->reason : reason;
  if (conn->session != NULL) {
    sbk__session_gone(conn->session, reason);
  }
  sbk__stage_free(conn->stage);
  conn->stage = NULL;
  sbk__conn_ready(conn);
}

static void free_held(sbk_conn *conn) {
  if (conn->held != NULL) {
    sbk__str_free(&conn->held->decoded);
    sbk__str_free(&conn->held->raw);
    sbk__free(&conn->broker->core.mem, conn->held);
    conn->held = NULL;
  }
}

static void conn_free(sbk_conn *conn) {
  sbk_broker *broker = conn->broker;
  bool pending = conn->pending;

  if (conn->session != NULL) {
    pending = pending || conn->session->pending;
    sbk__session_free(conn->session);
  }
  broker->pending_count -= pending;
  broker->conn_count--;
  broker->refusing_count -= conn->refusing;
  sbk__ws_clear(&conn->ws, &broker->contexts);
  free_held(conn);
  sbk_buf_unref(conn->pong);
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

static void on_work(sbk__work *work);

static int conn_new(sbk_conn **conn, sbk_broker *broker, const char *peer,
                    void *user_data) {
  const struct sbk_mem *mem = &broker->core.mem;
  sbk_conn *c;

  if (sbk__heap_reserve(&broker->timers, broker->conn_count + 1) != 0) {
    return SBK_ERR_NOMEM;
  }
  c = sbk__calloc(mem, 1, sizeof(*c));
  if (c == NULL) {
    return SBK_ERR_NOMEM;
  }
  if (peer != NULL) {
    c->peer = sbk__strndup(mem, peer, strlen(peer));
    if (c->peer == NULL) {
      sbk__free(mem, c);
      return SBK_ERR_NOMEM;
    }
  }
  c->broker = broker;
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

static bool is_full(const sbk_broker *broker) {
  return broker->conn_count - broker->refusing_count >=
             broker->core.config.max_connections ||
         broker->pending_count >= broker->core.config.max_pending;
}

/* A connection beyond the limits that only says 503. */
static int refuse_new(sbk_conn **conn, sbk_broker *broker, const char *peer,
                      void *user_data) {
  int rv;

  if (broker->refusing_count >= REFUSING_MAX) {
    return SBK_ERR_TOO_MANY;
  }
  rv = conn_new(conn, broker, peer, user_data);
  if (rv != 0) {
    return rv;
  }
  broker->refusing_count++;
  broker->pending_count--;
  (*conn)->refusing = true;
  (*conn)->pending = false;
  (*conn)->reason = SBK_ERR_TOO_MANY;
  sbk__http_refuse(*conn, 503);

  return 0;
}

int sbk_conn_new(sbk_conn **conn, sbk_broker *broker,
                 enum sbk_transport transport, const char *peer,
                 void *user_data) {
  int rv;

  *conn = NULL;
  if (transport != SBK_HTTP && transport != SBK_WEBSOCKET &&
      transport != SBK_TCP) {
    return SBK_ERR_INVAL;
  }
  if (broker->shut_down) {
    return SBK_ERR_STATE;
  }
  if (is_full(broker)) {
    return transport == SBK_HTTP ? refuse_new(conn, broker, peer, user_data)
                                 : SBK_ERR_TOO_MANY;
  }
  rv = conn_new(conn, broker, peer, user_data);
  if (rv == 0 && transport != SBK_HTTP) {
    rv = sbk__conn_open(*conn, NULL, transport == SBK_WEBSOCKET);
    if (rv != 0) {
      conn_free(*conn);
      *conn = NULL;
    }
  }
  if (rv == 0) {
    arm(*conn);
  }

  return rv;
}

int sbk_conn_new_request(sbk_conn **conn, sbk_broker *broker,
                         const struct sbk_http_request *request,
                         const char *peer, void *user_data) {
  struct sbk_http_request copy;
  int rv = sbk__abi_copy(&copy, sizeof(copy), sizeof(copy), request);

  *conn = NULL;
  if (rv != 0) {
    return rv;
  }
  rv = sbk_conn_new(conn, broker, SBK_HTTP, peer, user_data);
  if (rv != 0 || (*conn)->refusing) {
    return rv;
  }

  sbk__enter(broker);
  rv = sbk__http_given(*conn, &copy);
  if (rv == 0) {
    settle(*conn);
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

void *sbk_conn_user_data(sbk_conn *conn) {
  return conn->user_data;
}

void sbk_conn_set_user_data(sbk_conn *conn, void *user_data) {
  conn->user_data = user_data;
}

sbk_session *sbk_conn_session(sbk_conn *conn) {
  return conn->session != NULL && !conn->session->ended ? conn->session : NULL;
}

/* ---- what comes in ---- */

void sbk__conn_hold(sbk_conn *conn) {
  const struct sbk_mem *mem = &conn->broker->core.mem;

  if (conn->held != NULL) {
    return;
  }
  conn->held = sbk__calloc(mem, 1, sizeof(*conn->held));
  if (conn->held == NULL) {
    sbk__conn_end(conn, SBK_ERR_NOMEM);
    return;
  }
  sbk__str_init(&conn->held->decoded, mem);
  sbk__str_init(&conn->held->raw, mem);
}

/* Keeps input back until the host has decided. */
static void hold(sbk_conn *conn, const uint8_t *data, size_t len) {
  const struct sbk_config *limits = &conn->broker->core.config;
  bool connected =
      conn->session != NULL && conn->session->state == SBK__CONNECTED;
  size_t limit = connected ? limits->max_queue : limits->max_preauth_input;
  sbk__held *held;

  sbk__conn_hold(conn);
  held = conn->held;
  if (held == NULL) {
    return;
  }
  if (len > limit - (held->raw.len - held->raw_done)) {
    if (conn->session == NULL) {
      sbk__conn_end(conn, SBK_ERR_TOO_BIG);
      return;
    }
    conn->deaf = true;
    sbk__session_fail(
        conn->session,
        connected ? SBK__FAULT_HELD_INPUT : SBK__FAULT_PREAUTH_INPUT, NULL);
    return;
  }
  sbk__str_add(&held->raw, data, len);
  if (held->raw.failed) {
    sbk__conn_end(conn, SBK_ERR_NOMEM);
  }
}

/* Nobody listens any more, but for a peer's Close. */
static void drop(sbk_conn *conn, size_t len) {
  conn->dropped += len;
  if (conn->dropped > DROPPED_MAX) {
    sbk__conn_end(conn, conn->reason != 0 ? conn->reason : SBK_ERR_TOO_BIG);
  }
}

static size_t take_once(sbk_conn *conn, const uint8_t *data, size_t len) {
  switch (conn->state) {
  case SBK__CONN_HTTP:
  case SBK__CONN_BODY:
    return sbk__http_take(conn, data, len);
  case SBK__CONN_WS:
    if (is_closing(conn)) {
      drop(conn, len);
    }
    return conn->state == SBK__CONN_DEAD ? len
                                         : sbk__conn_ws_take(conn, data, len);
  case SBK__CONN_TCP:
    if (is_closing(conn)) {
      drop(conn, len);
      return len;
    }
    return sbk__inbound_feed(conn->session, data, len);
  default:
    if (conn->state != SBK__CONN_DEAD) {
      drop(conn, len);
    }
    return len;
  }
}

/* Less than len: the host holds the connection up. */
static size_t take(sbk_conn *conn, const uint8_t *data, size_t len) {
  size_t done = 0;

  while (done < len && !sbk__conn_blocked(conn)) {
    done += take_once(conn, data + done, len - done);
  }

  return done;
}

/* The host has decided: what was held goes on, oldest first. */
static void unhold(sbk_conn *conn) {
  sbk__held *held = conn->held;

  if (held == NULL || sbk__conn_blocked(conn)) {
    return;
  }
  if (held->decoded_done < held->decoded.len && conn->session != NULL) {
    held->decoded_done += sbk__inbound_feed(
        conn->session, (uint8_t *)held->decoded.data + held->decoded_done,
        held->decoded.len - held->decoded_done);
    if (sbk__conn_blocked(conn)) {
      return;
    }
  }
  /* Nothing of it is left, and take() may hold anew. */
  sbk__str_free(&held->decoded);
  held->decoded_done = 0;
  if (held->raw_done < held->raw.len && conn->state != SBK__CONN_DEAD) {
    held->raw_done += take(conn, (uint8_t *)held->raw.data + held->raw_done,
                           held->raw.len - held->raw_done);
  }
  if (!sbk__conn_blocked(conn)) {
    free_held(conn);
  }
}

static void on_work(sbk__work *work) {
  sbk_conn *conn = sbk__item(work, sbk_conn, work);

  sbk__http_work(conn);
  unhold(conn);
  settle(conn);
}

static void on_resume(sbk_session *session) {
  sbk_conn *conn = session->conn;

  sbk__work_add(conn->broker, &conn->work);
}

const sbk__wire sbk__conn_wire = {on_wake, on_resume};

static void clock_set(sbk_broker *broker, sbk_msec now) {
  if (now > broker->core.now) {
    broker->core.now = now;
  }
}

/* The clock is read for the first time since it came: deadlines begin. */
static void stamp(sbk_conn *conn) {
  sbk_msec now = conn->broker->core.now;

  if (conn->stamped) {
    return;
  }
  conn->stamped = true;
  conn->since = now;
  conn->stage_at = now;
  conn->closing_at = conn->closing_at != 0 ? now : 0;
  if (conn->session != NULL) {
    conn->session->born = conn->session->last_in = conn->session->last_out =
        now;
  }
}

int sbk_conn_feed(sbk_conn *conn, sbk_msec now, const void *data, size_t len) {
  sbk_broker *broker = conn->broker;
  size_t used;

  if (broker->depth > 0) {
    return SBK_ERR_STATE;
  }

  sbk__enter(broker);
  clock_set(broker, now);
  stamp(conn);
  if (conn->session != NULL && len > 0) {
    conn->session->last_in = broker->core.now;
  }
  if (len > 0 && !conn->eof && conn->state != SBK__CONN_DEAD) {
    used = conn->held != NULL ? 0 : take(conn, data, len);
    if (used < len && !conn->deaf) {
      hold(conn, (const uint8_t *)data + used, len - used);
    }
  }
  sbk__leave(broker);
  settle(conn);

  if (conn->session != NULL && conn->session->state == SBK__CLOSING) {
    return conn->session->reason;
  }

  return conn->reason;
}

void sbk_conn_eof(sbk_conn *conn, int os_error) {
  sbk_broker *broker = conn->broker;

  if (broker->depth > 0 || conn->state == SBK__CONN_DEAD) {
    return;
  }

  sbk__enter(broker);
  conn->eof = true;
  if (os_error != 0 || (conn->session == NULL && conn->request == NULL) ||
      conn->state == SBK__CONN_HTTP || conn->state == SBK__CONN_BODY) {
    if (os_error != 0 || !has_output(conn)) {
      sbk__conn_end(conn, SBK_ERR_EOF);
    } else {
      sbk__http_gone(conn);
      conn->state = SBK__CONN_LINGER;
      sbk__conn_closing(conn);
    }
  } else if (conn->session != NULL) {
    sbk__session_leave(conn->session, SBK_ERR_EOF);
  }
  sbk__leave(broker);
  settle(conn);
}

/* ---- what goes out ---- */

static int need_stage(sbk_conn *conn) {
  if (conn->stage == NULL) {
    conn->stage = sbk__stage_new(&conn->broker->core.mem);
    conn->stage_at = conn->broker->core.now;
  }

  return conn->stage != NULL ? 0 : SBK_ERR_NOMEM;
}

int sbk__conn_write(sbk_conn *conn, const void *data, size_t len) {
  int rv = need_stage(conn);

  if (rv == 0) {
    rv = sbk__stage_reserve(conn->stage, len, 0);
  }
  if (rv == 0) {
    sbk__stage_copy(conn->stage, data, len);
    sbk__conn_ready(conn);
    arm(conn);
  }

  return rv;
}

size_t sbk_conn_copy_out(sbk_conn *conn, void *buf, size_t cap) {
  size_t done = 0;

  if (conn->stage != NULL) {
    done = sbk__stage_copy_out(conn->stage, buf, cap);
  }
  if (conn->session != NULL && done < cap) {
    done += sbk__output_copy(conn->session, (uint8_t *)buf + done, cap - done);
  }

  return done;
}

int sbk_conn_output(sbk_conn *conn, struct iovec *iov, int iovmax) {
  int rv = 0;

  if (conn->session != NULL && conn->session->out.count > 0) {
    rv = need_stage(conn);
    if (rv == 0) {
      rv = sbk__output_stage(conn->session, conn->stage, STAGE_BYTES);
    }
    if (rv != 0 && (conn->stage == NULL || conn->stage->bytes == 0)) {
      sbk__enter(conn->broker);
      sbk__conn_end(conn, rv);
      sbk__leave(conn->broker);
      return 0;
    }
  }

  return conn->stage != NULL ? sbk__stage_iov(conn->stage, iov, iovmax) : 0;
}

void sbk_conn_sent(sbk_conn *conn, size_t len) {
  sbk_broker *broker = conn->broker;

  if (conn->state == SBK__CONN_DEAD) {
    return;
  }
  sbk__enter(broker);
  if (conn->stage != NULL && len > 0) {
    conn->stage_at = broker->core.now;
    len -= sbk__stage_sent(conn->stage, len);
    if (conn->stage->bytes == 0) {
      sbk__stage_free(conn->stage);
      conn->stage = NULL;
    }
  }
  if (conn->session != NULL && len > 0) {
    conn->session->last_out = broker->core.now;
    sbk__output_sent(conn->session, len);
  }
  if (conn->session != NULL) {
    sbk__conn_ws_sent(conn);
  }
  conn->told = sbk_conn_wants(conn);
  sbk__leave(broker);
}

/* ---- time ---- */

static void tick_http(sbk_conn *conn) {
  const struct sbk_config *config = &conn->broker->core.config;

  if ((conn->state != SBK__CONN_HTTP && conn->state != SBK__CONN_BODY) ||
      after(conn->since, config->request_timeout) > conn->broker->core.now) {
    return;
  }
  conn->reason = SBK_ERR_TIMEOUT;
  if (conn->served && conn->request == NULL) {
    sbk__conn_end(conn, SBK_ERR_TIMEOUT); /* kept alive, and not needed */
  } else {
    sbk__http_refuse(conn, 408);
  }
}

static void tick(sbk_conn *conn) {
  sbk_msec now = conn->broker->core.now;

  stamp(conn);
  if (conn->state == SBK__CONN_DEAD || due(conn) > now) {
    return;
  }
  if (conn->stage != NULL &&
      after(conn->stage_at, conn->broker->core.config.send_timeout) <= now) {
    sbk__conn_end(conn, SBK_ERR_SLOW);
  } else if (is_closing(conn)) {
    sbk__conn_end(conn, conn->reason != 0 ? conn->reason : SBK_ERR_TIMEOUT);
  } else if (conn->session != NULL) {
    sbk__session_tick(conn->session);
  } else {
    tick_http(conn);
  }
}

void sbk__conn_tick(sbk_broker *broker, sbk_msec now) {
  sbk__timer *timer;

  clock_set(broker, now);
  while ((timer = sbk__heap_first(&broker->timers)) != NULL &&
         timer->due <= broker->core.now) {
    sbk_conn *conn = sbk__item(timer, sbk_conn, timer);

    tick(conn);
    sbk__heap_set(&broker->timers, timer, due(conn));
    if (sbk_conn_wants(conn) != conn->told) {
      sbk__conn_ready(conn);
    }
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
  }

  return conn;
}

void sbk__conn_shutdown(sbk_conn *conn) {
  if (conn->session != NULL) {
    sbk__session_close(conn->session, SBK_ERR_CLOSED, 1001,
                       sbk__fault_text(SBK__FAULT_SHUTDOWN));
  } else if (conn->state == SBK__CONN_HTTP || conn->state == SBK__CONN_BODY) {
    sbk__conn_end(conn, SBK_ERR_CLOSED);
  }
}

void sbk__conn_drop(sbk_conn *conn) {
  conn_free(conn);
}
