#include <string.h>

#include "conn_ws.h"
#include "inbound.h"
#include "pressure.h"
#include "request.h"
#include "sockjs.h"

/* What comes in. */

void sbk__conn_free_held(sbk_conn *conn) {
  if (conn->held != NULL) {
    sbk__str_free(&conn->held->decoded);
    sbk__str_free(&conn->held->raw);
    sbk__free(&conn->broker->core.mem, conn->held);
    conn->held = NULL;
  }
}

/* A session over requests stays for who asks what became of it. */
static void end_for_memory(sbk_conn *conn) {
  if (sbk__sockjs_carries(conn)) {
    sbk__session_fail(conn->session, SBK__FAULT_NOMEM, NULL);
  } else {
    sbk__conn_end(conn, SBK_ERR_NOMEM);
  }
}

void sbk__conn_hold(sbk_conn *conn) {
  const struct sbk_mem *mem = &conn->broker->core.mem;

  if (conn->held != NULL) {
    return;
  }
  conn->held = sbk__calloc(mem, 1, sizeof(*conn->held));
  if (conn->held == NULL) {
    end_for_memory(conn);
    return;
  }
  sbk__str_init(&conn->held->decoded, mem);
  sbk__str_init(&conn->held->raw, mem);
}

/* What was taken of it makes room. */
static void forget_done(sbk__held *held) {
  if (held->raw_done > 0) {
    held->raw.len -= held->raw_done;
    memmove(held->raw.data, held->raw.data + held->raw_done, held->raw.len);
    held->raw_done = 0;
  }
}

/* A body of SockJS that was let in may wait as a whole. */
static size_t hold_limit(const sbk_conn *conn, bool connected) {
  const struct sbk_config *limits = &conn->broker->core.config;
  size_t body = connected && sbk__sockjs_carries(conn)
                    ? conn->session->endpoint->sockjs->max_body
                    : 0;

  if (!connected) {
    return limits->max_preauth_input;
  }

  return body > limits->max_queue ? body : limits->max_queue;
}

bool sbk__conn_may_hold(const sbk_conn *conn, size_t len) {
  bool connected =
      conn->session != NULL && conn->session->state == SBK__CONNECTED;
  size_t limit = hold_limit(conn, connected);
  size_t held =
      conn->held != NULL ? conn->held->raw.len - conn->held->raw_done : 0;

  return held <= limit && len <= limit - held;
}

/* Keeps input back until the host has decided. */
static void hold(sbk_conn *conn, const uint8_t *data, size_t len) {
  bool connected =
      conn->session != NULL && conn->session->state == SBK__CONNECTED;
  sbk__held *held;

  sbk__conn_hold(conn);
  held = conn->held;
  if (held == NULL) {
    return;
  }
  forget_done(held);
  if (!sbk__conn_may_hold(conn, len)) {
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
    end_for_memory(conn);
  }
}

static size_t take_once(sbk_conn *conn, const uint8_t *data, size_t len) {
  switch (conn->state) {
  case SBK__CONN_HTTP:
  case SBK__CONN_BODY:
    return sbk__http_take(conn, data, len);
  case SBK__CONN_WS:
    return sbk__conn_ws_take(conn, data, len);
  case SBK__CONN_SOCKJS:
    return sbk__conn_is_closing(conn)
               ? len
               : sbk__sockjs_take(conn->sockjs, data, len);
  case SBK__CONN_TCP:
    return sbk__conn_is_closing(conn)
               ? len
               : sbk__inbound_feed(conn->session, data, len);
  default: /* it goes on talking; for how long is a matter of time */
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
void sbk__conn_unhold(sbk_conn *conn) {
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
    sbk__conn_free_held(conn);
  }
}

void sbk__conn_take(sbk_conn *conn, const void *data, size_t len) {
  size_t used = conn->held != NULL ? 0 : take(conn, data, len);

  if (used < len && !conn->deaf) {
    hold(conn, (const uint8_t *)data + used, len - used);
  }
}

int sbk_conn_feed(sbk_conn *conn, sbk_msec now, const void *data, size_t len) {
  sbk_broker *broker = conn->broker;

  if (broker->depth > 0) {
    return SBK_ERR_STATE;
  }

  sbk__enter(broker);
  sbk__conn_set_now(broker, now);
  sbk__conn_stamp(conn);
  if (conn->session != NULL && len > 0) {
    conn->session->last_in = broker->core.now;
  }
  broker->counts.bytes_in += len;
  if (len > 0 && !conn->eof && conn->state != SBK__CONN_DEAD) {
    sbk__conn_take(conn, data, len);
  }
  sbk__leave(broker);
  sbk__conn_settle(conn);

  if (conn->session != NULL && conn->session->state == SBK__CLOSING) {
    return conn->session->reason;
  }

  return conn->reason;
}

/* The peer has ended its side while nothing of it is under way, or while it
 * waits to be let in: nobody is left to talk to. */
static bool nothing_left(const sbk_conn *conn) {
  switch (conn->state) {
  case SBK__CONN_HTTP:
  case SBK__CONN_BODY:
    return !sbk__conn_has_output(conn);
  case SBK__CONN_ASKED:
    return conn->request->endpoint != NULL;
  case SBK__CONN_RECEIVES: /* it polls again, or has gone */
  case SBK__CONN_SENDS:
    return true;
  default:
    return false;
  }
}

void sbk__conn_input_over(sbk_conn *conn) {
  if (nothing_left(conn)) {
    sbk__conn_end(conn, SBK_ERR_EOF);
  } else if (conn->session != NULL) {
    sbk__session_leave(conn->session, SBK_ERR_EOF);
  } else if (conn->state <= SBK__CONN_BODY) {
    /* Answers still go out; half a request will never be whole. */
    sbk__http_gone(conn);
    conn->state = SBK__CONN_LINGER;
    sbk__conn_closing(conn);
  }
}

void sbk_conn_eof(sbk_conn *conn, int os_error) {
  sbk_broker *broker = conn->broker;

  if (broker->depth > 0 || conn->state == SBK__CONN_DEAD) {
    return;
  }

  sbk__enter(broker);
  conn->eof = true;
  if (os_error != 0) {
    sbk__conn_end(conn, SBK_ERR_EOF);
  } else if (conn->state > SBK__CONN_BODY || conn->held == NULL) {
    /* Requests that are held have come whole, perhaps. */
    sbk__conn_input_over(conn);
  }
  sbk__leave(broker);
  sbk__conn_settle(conn);
}
