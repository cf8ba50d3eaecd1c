#include "refusal.h"

/* What the host hears of that somebody did not get. */

static void count(struct sbk_stats *counts, enum sbk_refusal by) {
  switch (by) {
  case SBK_REFUSED_PROTOCOL:
    counts->refused_protocol++;
    break;
  case SBK_REFUSED_RULE:
    counts->refused_rules++;
    break;
  case SBK_REFUSED_INTERCEPTOR:
    counts->refused_interceptors++;
    break;
  case SBK_REFUSED_HANDLER:
    counts->refused_handlers++;
    break;
  }
}

void sbk__refusal(sbk_session *session, const sbk_message *frame,
                  enum sbk_refusal by, int reason, const char *text) {
  sbk_broker *broker = session->broker;
  const sbk__core *core = &broker->core;

  count(&broker->counts, by);
  if (core->callbacks.refused != NULL) {
    core->callbacks.refused(session, frame, by, reason, text, core->arg);
  }
}

void sbk__refusal_fault(sbk_session *session, const sbk_message *frame,
                        enum sbk__fault fault) {
  if (fault != SBK__FAULT_NOMEM) {
    sbk__refusal(session, frame, SBK_REFUSED_PROTOCOL, sbk__fault_error(fault),
                 sbk__fault_text(fault));
  }
}

void sbk__refusal_dropped(sbk_session *session) {
  sbk_broker *broker = session->broker;

  if (broker->core.callbacks.dropped == NULL) {
    return;
  }
  session->dropped++;
  /* What the callback sends may be dropped too: it must not go on for ever. */
  if (!broker->telling_dropped) {
    sbk__work_add(broker, &session->work);
  }
}

void sbk__refusal_tell_dropped(sbk_session *session) {
  sbk_broker *broker = session->broker;
  uint64_t dropped = session->dropped;

  if (dropped == 0 || broker->telling_dropped) {
    return;
  }
  session->dropped = 0;
  broker->telling_dropped = true;
  broker->core.callbacks.dropped(session, dropped, broker->core.arg);
  broker->telling_dropped = false;
}
