#include "conn.h"
#include "frames.h"
#include "output.h"
#include "sockjs.h"

#define STAGE_BYTES (64 * 1024) /* formed ahead for iovecs */

/* What goes out. */

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
    sbk__conn_arm(conn);
  }

  return rv;
}

uint8_t *sbk__conn_room(sbk_conn *conn, size_t len) {
  if (need_stage(conn) != 0 || sbk__stage_reserve(conn->stage, len, 0) != 0) {
    return NULL;
  }

  return sbk__stage_room(conn->stage, len);
}

/* Forms what cannot be formed on demand, or has to stay. False: there was no
 * memory, and it ends. */
static bool form(sbk_conn *conn) {
  bool empty;
  int rv = 0;

  if (conn->state == SBK__CONN_RECEIVES) {
    rv = sbk__sockjs_has_output(conn) ? sbk__sockjs_next_frame(conn) : 0;
  } else if (conn->session != NULL && conn->session->out.count > 0) {
    rv = need_stage(conn);
    if (rv == 0) {
      rv = conn->session->framed
               ? sbk__frames_stage(conn->session, conn->stage, STAGE_BYTES)
               : sbk__output_stage(conn->session, conn->stage, STAGE_BYTES);
    }
  }
  empty = conn->stage == NULL || conn->stage->bytes == 0;
  if (rv != 0 && empty) {
    sbk__enter(conn->broker);
    sbk__conn_end(conn, rv);
    sbk__leave(conn->broker);
  }

  return rv == 0 || !empty;
}

static bool is_formed(const sbk_conn *conn) {
  return conn->state == SBK__CONN_RECEIVES ||
         (conn->session != NULL && conn->session->framed);
}

size_t sbk_conn_copy_out(sbk_conn *conn, void *buf, size_t cap) {
  size_t done = 0;

  if (conn->state == SBK__CONN_DEAD || (is_formed(conn) && !form(conn))) {
    return 0;
  }
  if (conn->stage != NULL) {
    done = sbk__stage_copy_out(conn->stage, buf, cap);
  }
  if (conn->session != NULL && !conn->session->framed && done < cap) {
    done += sbk__output_copy(conn->session, (uint8_t *)buf + done, cap - done);
  }

  return done;
}

int sbk_conn_output(sbk_conn *conn, struct iovec *iov, int iovmax) {
  if (conn->state == SBK__CONN_DEAD || !form(conn)) {
    return 0;
  }

  return conn->stage != NULL ? sbk__stage_iov(conn->stage, iov, iovmax) : 0;
}

/* The last byte of what waited is gone: times begin anew. */
static void all_sent(sbk_conn *conn) {
  sbk_msec now = conn->broker->core.now;

  if (sbk__conn_is_closing(conn)) {
    if (conn->session == NULL || !conn->session->websocket) {
      conn->closing_at = now;
    }
  } else if (conn->session == NULL && conn->request == NULL) {
    conn->since = now;
  }
  sbk__conn_arm(conn);
}

void sbk_conn_sent(sbk_conn *conn, size_t len) {
  sbk_broker *broker = conn->broker;

  if (conn->state == SBK__CONN_DEAD || len == 0) {
    return;
  }
  sbk__enter(broker);
  broker->counts.bytes_out += len;
  if (conn->session != NULL) {
    conn->session->last_out = broker->core.now;
    conn->session->moved = broker->core.now;
  }
  if (conn->stage != NULL) {
    size_t done = sbk__stage_sent(conn->stage, len);

    conn->stage_at = broker->core.now;
    len -= done;
    if (conn->stage->bytes == 0) {
      sbk__stage_free(conn->stage);
      conn->stage = NULL;
    }
    if (conn->state == SBK__CONN_RECEIVES) {
      sbk__sockjs_sent(conn, done);
    }
  }
  if (conn->session != NULL && len > 0) {
    sbk__output_sent(conn->session, len);
  }
  if (conn->session != NULL && conn->session->hungry) {
    sbk__session_eats(conn->session);
  }
  if (!sbk__conn_has_output(conn)) {
    all_sent(conn);
  }
  if (conn->held != NULL && !sbk__conn_blocked(conn)) {
    sbk__work_add(broker, &conn->work);
  }
  conn->told = sbk_conn_wants(conn);
  sbk__leave(broker);
}
