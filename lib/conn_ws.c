#include "conn_ws.h"

#include "inbound.h"
#include "output.h"
#include "pressure.h"

static void fail(sbk_conn *conn, enum sbk__fault fault) {
  int error = sbk__fault_error(fault);

  conn->deaf = true;
  if (error == SBK_ERR_WEBSOCKET) {
    /* Its framing is broken: STOMP has nothing to say about that. */
    sbk__session_close(conn->session, error, sbk__fault_close(fault),
                       sbk__fault_text(fault));
  } else {
    sbk__session_fail(conn->session, fault, NULL);
  }
}

/* RFC 6455, 5.5.3: an endpoint may answer the newest ping only. */
static void answer_ping(sbk_conn *conn, const sbk__ws_event *event) {
  sbk_buf *pong = sbk__ws_control(&conn->broker->core.mem, SBK__WS_PONG,
                                  event->data, event->len);

  if (pong == NULL || !sbk__output_replace_pong(conn->session, pong)) {
    sbk__session_push(conn->session, pong, SBK__OUT_CONTROL);
  }
}

/* RFC 6455, 5.5.1: a Close is answered with a Close. */
static void answer_close(sbk_conn *conn, const sbk__ws_event *event) {
  uint16_t code;
  enum sbk__fault fault = sbk__ws_check_close(event->data, event->len, &code);

  if (fault != SBK__FAULT_NONE) {
    fail(conn, fault);
    return;
  }
  conn->peer_closed = true;
  conn->deaf = true;
  sbk__session_close(conn->session,
                     code == 1000 || code == 1001 || code == 1005 ? 0
                                                                  : SBK_ERR_EOF,
                     code, NULL);
}

static void take_control(sbk_conn *conn, const sbk__ws_event *event) {
  if (event->opcode == SBK__WS_CLOSE) {
    answer_close(conn, event);
  } else if (conn->session->state != SBK__CLOSING &&
             sbk__session_token(conn->session) &&
             event->opcode == SBK__WS_PING) {
    answer_ping(conn, event);
  }
}

/* False: there is no memory. */
static bool gather(sbk_session *session, const sbk__ws_event *event) {
  const struct sbk_mem *mem = &session->broker->core.mem;

  if (session->gathered == NULL) {
    session->gathered = sbk__malloc(mem, sizeof(*session->gathered));
    if (session->gathered == NULL) {
      return false;
    }
    sbk__str_init(session->gathered, mem);
  }
  sbk__str_add(session->gathered, event->data, event->len);

  return !session->gathered->failed;
}

static int give(sbk_session *session, const sbk__ws_event *event,
                const void *data, size_t len) {
  return session->endpoint->message(session, event->opcode == SBK__WS_BINARY,
                                    len > 0 ? data : "", len,
                                    session->broker->core.arg);
}

/* A piece of a plain message: gathered until it is whole. */
static void take_plain(sbk_conn *conn, const sbk__ws_event *event) {
  sbk_session *session = conn->session;
  size_t held = conn->broker->held;
  int rv;

  if (event->end && session->gathered == NULL) {
    rv = give(session, event, event->data, event->len);
  } else if (!gather(session, event)) {
    sbk__session_fail(session, SBK__FAULT_NOMEM, NULL);
    return;
  } else if (!event->end) {
    return;
  } else {
    rv = give(session, event, session->gathered->data, session->gathered->len);
    sbk__session_drop_gathered(session);
  }
  if (rv < 0) {
    sbk__session_fail(session, SBK__FAULT_MESSAGE_HANDLER, NULL);
  }
  sbk__pressure_charge(session, held);
}

static void hold_decoded(sbk_conn *conn, const uint8_t *data, size_t len) {
  sbk__str *decoded = &conn->held->decoded;

  sbk__str_add(decoded, data, len);
  if (decoded->failed) {
    sbk__session_fail(conn->session, SBK__FAULT_NOMEM, NULL);
  }
}

static void take_data(sbk_conn *conn, const sbk__ws_event *event) {
  sbk_session *session = conn->session;
  size_t used;

  if (session->state == SBK__CLOSING) {
    return;
  }
  if (session->plain) {
    take_plain(conn, event);
    return;
  }
  used = sbk__inbound_feed(session, event->data, event->len);
  if (used < event->len) {
    sbk__conn_hold(conn);
    if (conn->held != NULL) {
      hold_decoded(conn, event->data + used, event->len - used);
    }
  }
}

size_t sbk__conn_ws_take(sbk_conn *conn, const uint8_t *data, size_t len) {
  const struct sbk_config *limits = &conn->broker->core.config;
  size_t used, done = 0;

  while (done < len && !conn->deaf && !sbk__conn_blocked(conn)) {
    sbk__ws_event event;
    enum sbk__fault fault =
        sbk__ws_read(&conn->ws, &conn->broker->contexts, limits, data + done,
                     len - done, &used, &event);

    done += used;
    if (fault != SBK__FAULT_NONE) {
      fail(conn, fault);
    } else if (event.opcode >= SBK__WS_CLOSE) {
      take_control(conn, &event);
    } else if (event.opcode != 0) {
      take_data(conn, &event);
    }
  }

  return conn->deaf ? len : done;
}
