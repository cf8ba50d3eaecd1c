#include "drain.h"
#include "msec.h"
#include "request.h"
#include "sockjs.h"

#define LINGER 1000 /* ms that a refused peer is listened to */

/* When time alone changes something, and what. */

static bool is_sending(const sbk_conn *conn) {
  return conn->stage != NULL && conn->stage->bytes > 0;
}

/* All is said that will be: how long may the rest take? */
static sbk_msec closing_due(const sbk_conn *conn) {
  const struct sbk_config *config = &conn->broker->core.config;

  if (conn->session == NULL) {
    return is_sending(conn) ? SBK_NEVER : sbk__after(conn->closing_at, LINGER);
  }

  return sbk__after(conn->closing_at,
                    conn->session->websocket || sbk__conn_has_output(conn)
                        ? config->close_timeout
                        : LINGER);
}

/* A request has to be whole; while an answer goes out, the next need not have
 * begun. */
static sbk_msec request_due(const sbk_conn *conn) {
  return conn->state == SBK__CONN_ASKED || conn->state == SBK__CONN_RECEIVES ||
                 conn->state == SBK__CONN_SENDS ||
                 (conn->request == NULL && is_sending(conn))
             ? SBK_NEVER
             : sbk__after(conn->since,
                          conn->broker->core.config.request_timeout);
}

static sbk_msec due(const sbk_conn *conn) {
  const struct sbk_config *config = &conn->broker->core.config;
  sbk_msec when = SBK_NEVER;

  if (sbk__sockjs_carries(conn)) {
    return sbk__sockjs_due(conn);
  }
  if (conn->state == SBK__CONN_DEAD) {
    return SBK_NEVER;
  }
  if (!conn->stamped) {
    return 0;
  }
  if (is_sending(conn)) {
    when = sbk__after(conn->stage_at, config->send_timeout);
  }
  if (sbk__conn_is_closing(conn)) {
    return sbk__earlier(when, closing_due(conn));
  }

  return sbk__earlier(when, conn->session != NULL
                                ? sbk__session_due(conn->session)
                                : request_due(conn));
}

/* A timer is only moved forwards; when it comes too early, nothing is due. */
void sbk__conn_arm(sbk_conn *conn) {
  sbk_msec when = due(conn);

  if (conn->timer.place == 0 || when < conn->timer.due) {
    sbk__heap_set(&conn->broker->timers, &conn->timer, when);
  }
}

/* After anything happened: the host hears of it, the timer is right. */
void sbk__conn_settle(sbk_conn *conn) {
  if (conn->stage != NULL && conn->stage->bytes == 0) {
    sbk__stage_free(conn->stage);
    conn->stage = NULL;
  }
  if (sbk_conn_wants(conn) != conn->told) {
    sbk__conn_ready(conn);
  }
  sbk__conn_arm(conn);
}

void sbk__conn_set_now(sbk_broker *broker, sbk_msec now) {
  if (now > broker->core.now) {
    broker->core.now = now;
  }
}

/* The clock is read for the first time since it came: deadlines begin. */
void sbk__conn_stamp(sbk_conn *conn) {
  sbk_msec now = conn->broker->core.now;

  if (conn->stamped) {
    return;
  }
  conn->stamped = true;
  conn->since = now;
  conn->stage_at = now;
  conn->closing_at = sbk__conn_is_closing(conn) ? now : 0;
  if (conn->session != NULL) {
    sbk__session_stamp(conn->session);
  }
}

static void tick_http(sbk_conn *conn) {
  if (request_due(conn) > conn->broker->core.now) {
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

  if (sbk__sockjs_carries(conn)) {
    sbk__sockjs_tick(conn);
    return;
  }
  sbk__conn_stamp(conn);
  if (conn->state == SBK__CONN_DEAD || due(conn) > now) {
    return;
  }
  if (is_sending(conn) &&
      sbk__after(conn->stage_at, conn->broker->core.config.send_timeout) <=
          now) {
    sbk__conn_end(conn, SBK_ERR_SLOW);
  } else if (sbk__conn_is_closing(conn)) {
    sbk__conn_end(conn, conn->reason != 0 ? conn->reason : SBK_ERR_TIMEOUT);
  } else if (conn->session != NULL) {
    sbk__session_tick(conn->session);
  } else {
    tick_http(conn);
  }
}

void sbk__conn_tick(sbk_broker *broker, sbk_msec now) {
  sbk__timer *timer;

  sbk__enter(broker);
  sbk__conn_set_now(broker, now);
  sbk__log_left_out(&broker->core, false);
  sbk__keep_expire(&broker->keep, &broker->topics);
  if (!sbk__list_empty(&broker->replays)) {
    sbk__work_add(broker, &broker->replay_work);
  }
  while ((timer = sbk__heap_first(&broker->timers)) != NULL &&
         timer->due <= broker->core.now) {
    sbk_conn *conn = sbk__item(timer, sbk_conn, timer);

    tick(conn);
    sbk__heap_set(&broker->timers, timer, due(conn));
    if (!sbk__sockjs_carries(conn) && sbk_conn_wants(conn) != conn->told) {
      sbk__conn_ready(conn);
    }
  }
  sbk__drain_tick(broker);
  sbk__leave(broker);
}
