#include "conn_ws.h"

#include "inbound.h"
#include "output.h"
#include "pressure.h"
#include "sockjs_frame.h"

#define PONGS_MAX 16 /* that wait to be sent */

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

/* Each one is answered, so that a peer may count. Of more than a peer would
 * have under way that reads what it asked for, the newest (RFC 6455, 5.5.3). */
static void answer_ping(sbk_conn *conn, const sbk__ws_event *event) {
  sbk_session *session = conn->session;
  sbk_buf *pong = sbk__ws_control(&conn->broker->core.mem, SBK__WS_PONG,
                                  event->data, event->len);

  if (pong == NULL || session->controls < PONGS_MAX ||
      !sbk__output_replace_pong(session, pong)) {
    sbk__session_push(session, pong, SBK__OUT_CONTROL);
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
  conn->peer_closed = conn->session->peer_closed = true;
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

void sbk__conn_give_plain(sbk_session *session, bool binary, const void *data,
                          size_t len) {
  const sbk__core *core = &session->broker->core;
  size_t held = session->broker->held;

  if (session->state == SBK__CLOSING) {
    return;
  }
  /* Messages of SockJS are measured once they are decoded. */
  if (len > core->config.max_message) {
    sbk__session_fail(session, SBK__FAULT_WS_MESSAGE_SIZE, NULL);
    return;
  }
  if (session->endpoint->message(session, binary, len > 0 ? data : "", len,
                                 core->arg) < 0) {
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

/* Bytes of STOMP. What the session does not take is held. */
static void take_stomp(sbk_conn *conn, const uint8_t *data, size_t len) {
  const sbk__held *held = conn->held;
  size_t used = 0;

  if (held == NULL || held->decoded_done == held->decoded.len) {
    used = sbk__inbound_feed(conn->session, data, len);
  }
  if (used < len) {
    sbk__conn_hold(conn);
    if (conn->held != NULL) {
      hold_decoded(conn, data + used, len - used);
    }
  }
}

/* A payload of SockJS. sockjs-protocol 0.3.3, Websocket: empty ones, and those
 * without a message, are nothing. */
static void take_framed(sbk_conn *conn, const uint8_t *payload, size_t size) {
  sbk_session *session = conn->session;
  sbk__sockjs_reader reader;
  const uint8_t *data;
  size_t len, at = 0;
  int rv;

  sbk__sockjs_reader_init(&reader, &conn->broker->core.mem, true);
  sbk__sockjs_read(&reader, payload, size);
  rv = sbk__sockjs_read_end(&reader);
  if (rv == SBK_ERR_INVAL) {
    fail(conn, SBK__FAULT_SOCKJS);
  } else if (rv == SBK_ERR_NOMEM) {
    sbk__session_fail(session, SBK__FAULT_NOMEM, NULL);
  }
  while (rv == 0 && session->state != SBK__CLOSING &&
         sbk__sockjs_next(&reader, &at, &data, &len)) {
    if (session->plain) {
      sbk__conn_give_plain(session, false, data, len);
    } else {
      take_stomp(conn, data, len);
    }
  }
  sbk__sockjs_reader_clear(&reader);
}

static void take_whole(sbk_conn *conn, const sbk__ws_event *event,
                       const void *data, size_t len) {
  if (conn->session->framed) {
    take_framed(conn, data, len);
  } else {
    sbk__conn_give_plain(conn->session, event->opcode == SBK__WS_BINARY, data,
                         len);
  }
}

/* A piece of a message that is of no use before it is whole. */
static void take_piece(sbk_conn *conn, const sbk__ws_event *event) {
  sbk_session *session = conn->session;

  if (event->end && session->gathered == NULL) {
    take_whole(conn, event, event->data, event->len);
  } else if (!gather(session, event)) {
    sbk__session_fail(session, SBK__FAULT_NOMEM, NULL);
  } else if (event->end) {
    take_whole(conn, event, session->gathered->data, session->gathered->len);
    sbk__session_drop_gathered(session);
  }
}

static void take_data(sbk_conn *conn, const sbk__ws_event *event) {
  sbk_session *session = conn->session;

  if (session->state == SBK__CLOSING) {
    return;
  }
  if (session->plain || session->framed) {
    take_piece(conn, event);
  } else {
    take_stomp(conn, event->data, event->len);
  }
}

/* With SockJS's framing a message is longer than what is in it: it has the
 * limit that a body of xhr_send has. */
static size_t max_message(const sbk_session *session) {
  const struct sbk_config *config = &session->broker->core.config;
  size_t max;

  if (!session->framed) {
    return config->max_message;
  }
  max = session->endpoint->sockjs->max_body;

  return session->state == SBK__CONNECTED || max < config->max_preauth_input
             ? max
             : config->max_preauth_input;
}

size_t sbk__conn_ws_take(sbk_conn *conn, const uint8_t *data, size_t len) {
  const struct sbk_config *config = &conn->broker->core.config;
  size_t used, done = 0;

  while (done < len && !conn->deaf && !sbk__conn_blocked(conn)) {
    sbk__ws_limits limits = {max_message(conn->session), config->max_fragments,
                             config->max_empty_fragments};
    sbk__ws_event event;
    enum sbk__fault fault =
        sbk__ws_read(&conn->ws, &conn->broker->contexts, &limits, data + done,
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
