#include <stompbroker/rule.h>

#include <string.h>

#include "handle.h"
#include "judge.h"
#include "refusal.h"

/* A session's rights have changed: its subscriptions are judged once more. */

/* The SUBSCRIBE that the client has once sent, as far as rules are about it.
 * NULL: no memory. */
static sbk_call *call_for(sbk_session *session, const sbk__sub *sub) {
  sbk_message *msg =
      sbk__message_new(&session->broker->core.mem, SBK_SUBSCRIBE, 2);
  sbk_call *call = NULL;
  int rv = msg != NULL ? 0 : SBK_ERR_NOMEM;

  if (rv == 0 && sub->has_id) {
    rv = sbk__message_put(msg, "id", sbk__sub_id(sub));
  }
  if (rv == 0) {
    rv = sbk__message_put(msg, "destination", sbk__sub_destination(sub));
  }
  if (rv == 0) {
    call = sbk__call_new(session, msg);
  }
  if (call != NULL) {
    call->kind = SBK__CALL_REVIEW;
  }
  sbk_message_unref(msg);

  return call;
}

/* The host may keep a call for which it said SBK_WAIT, whatever has become of
 * the subscription: it is the session's until it is resumed. */
static void keep(sbk_call *call) {
  call->waiting = true;
  sbk__list_push(&call->session->deferred, &call->in_deferred);
}

static void refuse(sbk_session *session, sbk__sub *sub, sbk_call *call,
                   enum sbk_verdict verdict) {
  const char *text =
      call->error != NULL ? call->error : sbk__fault_text(SBK__FAULT_DENIED);

  if (!sub->active || sub->muted || session->state == SBK__CLOSING) {
    return; /* the host has ended it meanwhile */
  }
  sub->refused = true;
  session->broker->counts.refused++;
  if (verdict != SBK_DROP && sbk__handle_tell(call, text) < 0) {
    sbk__handle_fail(call, SBK__FAULT_NOMEM);
  }
  sbk__refusal(session, call->msg, SBK_REFUSED_RULE, SBK_ERR_DENIED, text);
}

static void judge(sbk_session *session, sbk__sub *sub) {
  sbk_call *call = call_for(session, sub);
  enum sbk_verdict verdict;

  if (call == NULL) {
    sbk__session_fail(session, SBK__FAULT_NOMEM, NULL);
    return;
  }
  sub->queued++; /* it stays while the host looks at it */
  verdict = sbk__judge(call);
  if (verdict != SBK_PASS) {
    refuse(session, sub, call, verdict);
  }
  if (verdict == SBK_WAIT) {
    keep(call);
  } else {
    sbk__call_free(call);
  }
  sbk__session_release_slot(session, sub->slot);
}

static int end_refused(sbk_session *session) {
  uint32_t i;
  int count = 0;

  for (i = 0; i < session->slot_count; i++) {
    sbk__sub *sub = session->subs[i];

    if (sub == NULL || !sub->refused) {
      continue;
    }
    sub->refused = false;
    if (sub->active && !sub->muted && session->state != SBK__CLOSING) {
      sbk__session_mute(session, sub);
      count++;
    }
  }

  return count;
}

/* All are judged, and told of, before any is ended: the error destination may
 * be among them. */
int sbk_session_reauthorize(sbk_session *session) {
  sbk_broker *broker = session->broker;
  uint32_t i;
  int count;

  if (session->in_review) {
    return SBK_ERR_STATE;
  }
  if (session->state != SBK__CONNECTED) {
    return 0;
  }

  sbk__enter(broker);
  session->in_review = true;
  for (i = 0; i < session->slot_count && session->state != SBK__CLOSING; i++) {
    sbk__sub *sub = session->subs[i];

    if (sub != NULL && sub->active && !sub->muted) {
      judge(session, sub);
    }
  }
  count = end_refused(session);
  session->in_review = false;
  if (session->state == SBK__CLOSING && session->reason == SBK_ERR_NOMEM) {
    count = SBK_ERR_NOMEM;
  }
  sbk__leave(broker);

  return count;
}
