#include "drain.h"

#include "conn.h"
#include "msec.h"

static bool is_live(const sbk_conn *conn) {
  return conn->session != NULL && conn->session->state != SBK__CLOSING;
}

void sbk__drain_begin(sbk_broker *broker, sbk_msec over) {
  sbk__drain *drain = &broker->drain;
  sbk__node *node;

  drain->from = SBK_NEVER;
  drain->over = over;
  drain->count = 0;
  drain->done = 0;
  for (node = broker->conns.next; node != &broker->conns; node = node->next) {
    sbk_conn *conn = sbk__item(node, sbk_conn, in_conns);

    if (is_live(conn)) {
      drain->count++;
    } else {
      sbk__conn_shutdown(conn); /* it asks for a session, and gets none */
    }
  }
}

sbk_msec sbk__drain_due(const sbk_broker *broker) {
  const sbk__drain *drain = &broker->drain;

  if (drain->done == drain->count) {
    return SBK_NEVER;
  }

  return drain->from == SBK_NEVER
             ? 0
             : sbk__after(drain->from,
                          drain->over * drain->done / drain->count);
}

/* The oldest of those that were told nothing yet. Whom it has passed goes to
 * the end of the list, so that nobody is looked at for each of the others. */
static sbk_conn *next_live(sbk_broker *broker) {
  size_t left;

  for (left = broker->conn_count; left > 0; left--) {
    sbk__node *node = sbk__list_shift(&broker->conns);
    sbk_conn *conn = sbk__item(node, sbk_conn, in_conns);

    sbk__list_push(&broker->conns, node);
    if (is_live(conn)) {
      return conn;
    }
  }

  return NULL;
}

void sbk__drain_tick(sbk_broker *broker) {
  sbk__drain *drain = &broker->drain;

  if (drain->done == drain->count) {
    return;
  }
  if (drain->from == SBK_NEVER) {
    drain->from = broker->core.now;
  }
  while (sbk__drain_due(broker) <= broker->core.now) {
    sbk_conn *conn = next_live(broker);

    drain->done = conn != NULL ? drain->done + 1 : drain->count;
    if (conn != NULL) {
      sbk__conn_shutdown(conn);
    }
  }
  if (drain->done == drain->count) {
    sbk__drain_shutdown(broker);
  }
}

void sbk__drain_shutdown(sbk_broker *broker) {
  sbk__node *node;

  broker->closed = broker->shut_down = true;
  for (node = broker->conns.next; node != &broker->conns; node = node->next) {
    sbk__conn_shutdown(sbk__item(node, sbk_conn, in_conns));
  }
}

void sbk__drain_requests(sbk_broker *broker) {
  sbk__node *node;

  for (node = broker->conns.next; node != &broker->conns; node = node->next) {
    sbk_conn *conn = sbk__item(node, sbk_conn, in_conns);

    if (conn->session == NULL) {
      sbk__conn_shutdown(conn);
    }
  }
}
