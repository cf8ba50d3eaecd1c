#include "msec.h"
#include "output.h"
#include "session.h"
#include "sockjs_url.h"

/* What time alone does to a session. */

bool sbk__session_token(sbk_session *session) {
  const struct sbk_config *limits = &session->broker->core.config;
  sbk_msec now = session->broker->core.now;
  uint64_t tokens = session->tokens;
  uint64_t most = (uint64_t)limits->control_burst * 1000;

  /* Thousandths of a token: a rate per second is as many of them in 1 ms. */
  if (now - session->tokens_at > most / limits->control_rate) {
    tokens = most;
  } else {
    tokens += (now - session->tokens_at) * limits->control_rate;
    tokens = tokens < most ? tokens : most;
  }
  session->tokens_at = now;
  if (tokens < 1000) {
    sbk__session_fail(session, SBK__FAULT_CONTROL_RATE, NULL);
    return false;
  }
  session->tokens = (uint32_t)(tokens - 1000);

  return true;
}

static void restamp(sbk_session *session) {
  uint32_t i;

  for (i = 0; i < session->out.count; i++) {
    sbk__outq_at(&session->out, i)->stamp = (uint32_t)session->broker->core.now;
  }
}

void sbk__session_stamp(sbk_session *session) {
  sbk_msec now = session->broker->core.now;

  session->born = session->last_in = session->last_out = session->moved = now;
  restamp(session);
}

void sbk__session_taken_by(sbk_session *session, uint8_t transport) {
  session->transport = transport;
  session->away = false;
  session->moved = session->last_out = session->broker->core.now;
  restamp(session);
}

void sbk__session_left_alone(sbk_session *session) {
  session->away = true;
  session->taken = 0;
  session->out.looked = 0;
}

/* Where messages may be dropped, the oldest may be young, and yet nothing have
 * gone out for long. */
static sbk_msec stuck_due(const sbk_session *session) {
  return sbk__after(session->moved, session->broker->core.config.send_timeout);
}

static sbk_msec queue_due(const sbk_session *session) {
  const sbk__core *core = &session->broker->core;
  uint32_t age;

  if (session->out.count == 0 || session->away) {
    return SBK_NEVER;
  }
  age = (uint32_t)core->now - sbk__outq_at(&session->out, 0)->stamp;

  return sbk__earlier(
      stuck_due(session),
      age >= core->config.send_timeout
          ? core->now
          : sbk__after(core->now, core->config.send_timeout - age));
}

/* WebSocket pings stand in for heart-beats that were not agreed on. */
static bool pings(const sbk_session *session) {
  return session->websocket && !session->framed &&
         session->state == SBK__CONNECTED && session->beat_out == 0 &&
         session->broker->core.config.ping_interval != SBK_NEVER;
}

static sbk_msec silence_due(const sbk_session *session) {
  const struct sbk_config *config = &session->broker->core.config;
  sbk_msec interval = session->beat_in != 0 ? session->beat_in
                      : pings(session)      ? config->ping_interval
                                            : 0;

  /* While the host owes an answer nothing is read, so nothing can be heard. */
  return interval == 0 || sbk__session_waits(session)
             ? SBK_NEVER
             : sbk__after(session->last_in, interval * config->heartbeat_grace);
}

/* sockjs-protocol 0.3.3, Protocol and framing: `h` now and then, unless
 * heart-beats of STOMP go out. sockjs-client gives its session up when a poll
 * of JSONP takes 35 s, so that those come as often there. */
static sbk_msec beat_interval(const sbk_session *session) {
  sbk_msec of_sockjs =
      session->framed ? session->endpoint->sockjs->heartbeat : SBK_NEVER;

  if (session->beat_out != 0) {
    return session->transport == SBK__SOCKJS_JSONP
               ? sbk__earlier(session->beat_out, of_sockjs)
               : session->beat_out;
  }

  return pings(session) ? session->broker->core.config.ping_interval
                        : of_sockjs;
}

static sbk_msec beat_due(const sbk_session *session) {
  sbk_msec interval = session->away ? SBK_NEVER : beat_interval(session);

  return interval == SBK_NEVER ? SBK_NEVER
                               : sbk__after(session->last_out, interval);
}

sbk_msec sbk__session_due(const sbk_session *session) {
  sbk_msec due = sbk__earlier(queue_due(session), session->expiry);

  if (session->state == SBK__CLOSING) {
    return SBK_NEVER;
  }
  due = sbk__earlier(due, session->state == SBK__CONNECTED || session->framed
                              ? beat_due(session)
                              : SBK_NEVER);
  if (session->state != SBK__CONNECTED) {
    return sbk__earlier(
        due, sbk__after(session->born,
                        session->broker->core.config.connect_timeout));
  }

  return sbk__earlier(due, silence_due(session));
}

static void beat(sbk_session *session) {
  sbk_broker *broker = session->broker;

  session->last_out = broker->core.now;
  if (session->out.count > 0) {
    return; /* what waits will do */
  }
  if (session->beat_out != 0) {
    sbk__session_push(session, sbk_buf_ref(broker->beat), SBK__OUT_TEXT);
  } else if (session->framed) {
    sbk__session_push(session, sbk_buf_copy(broker, "h", 1), SBK__OUT_FRAME);
  } else {
    sbk__session_push(session,
                      sbk__ws_control(&broker->core.mem, SBK__WS_PING, NULL, 0),
                      SBK__OUT_CONTROL);
  }
}

void sbk__session_tick(sbk_session *session) {
  const sbk__core *core = &session->broker->core;

  if (session->state == SBK__CLOSING) {
    return;
  }
  if (session->expiry <= core->now) {
    sbk__session_fail(session, SBK__FAULT_EXPIRED, NULL);
  } else if (queue_due(session) <= core->now &&
             (stuck_due(session) <= core->now ||
              !sbk__output_drop_aged(session))) {
    sbk__session_fail(session, SBK__FAULT_QUEUE_AGE, NULL);
  } else if (session->state != SBK__CONNECTED) {
    if (sbk__after(session->born, core->config.connect_timeout) <= core->now) {
      sbk__session_fail(session, SBK__FAULT_CONNECT_TIMEOUT, NULL);
    } else if (session->framed && beat_due(session) <= core->now) {
      beat(session);
    }
  } else if (silence_due(session) <= core->now) {
    sbk__session_fail(session, SBK__FAULT_SILENT, NULL);
  } else if (beat_due(session) <= core->now) {
    beat(session);
  }
}
