#include "inbound.h"

#include "acks.h"
#include "call.h"
#include "checks.h"
#include "commands.h"
#include "deliver.h"
#include "handle.h"
#include "judge.h"
#include "ledger.h"
#include "output.h"
#include "pressure.h"
#include "refusal.h"
#include "tx.h"

static const char *receipt_of(const sbk_message *msg) {
  return sbk_message_header(msg, "receipt");
}

static void finish(sbk_call *call) {
  call->session->call = NULL;
  sbk__call_free(call);
}

static void refused(sbk_call *call, enum sbk_refusal by) {
  const char *text =
      call->error != NULL ? call->error : sbk__fault_text(SBK__FAULT_DENIED);

  sbk__session_refuse(call->session, SBK_ERR_DENIED, 1008, text,
                      receipt_of(call->msg));
  sbk__refusal(call->session, call->msg, by, SBK_ERR_DENIED, text);
}

/* Refused alone: the sender hears of it where it listens for that. */
static void skip(sbk_call *call, enum sbk_refusal by) {
  const char *text =
      call->error != NULL ? call->error : sbk__fault_text(SBK__FAULT_DENIED);

  call->broker->counts.refused++;
  if (sbk__handle_tell(call, text) < 0) {
    sbk__session_fail(call->session, SBK__FAULT_NOMEM, receipt_of(call->msg));
  }
  sbk__refusal(call->session, call->msg, by, SBK_ERR_DENIED, text);
}

/* From the interceptor that is next on; frees the call unless it waits. */
static void run(sbk_call *call, enum sbk_verdict verdict) {
  sbk_session *session = call->session;
  const sbk__chain *chain = &session->broker->inbound;
  size_t held = session->broker->held;
  /* Rules are asked before any interceptor was. */
  enum sbk_refusal by = verdict != SBK_PASS && call->walk.last == 0
                            ? SBK_REFUSED_RULE
                            : SBK_REFUSED_INTERCEPTOR;
  const sbk__link *link;

  while (verdict == SBK_PASS && session->state != SBK__CLOSING &&
         (link = sbk__chain_next(chain, &call->walk)) != NULL) {
    verdict = link->run(call, link->arg);
  }

  if (session->state == SBK__CLOSING) {
    finish(call); /* the host closed it meanwhile */
    return;
  }
  switch (verdict) {
  case SBK_PASS:
    sbk__command_run(call);
    sbk__pressure_charge(session, held);
    if (call->deferred) {
      return;
    }
    break;
  case SBK_WAIT:
    call->waiting = true;
    session->call = call;
    return;
  case SBK_DROP:
    if (call->msg->command != SBK_CONNECT) {
      session->broker->counts.dropped_inbound++;
      sbk__handle_receipt(session, call->msg);
      break;
    }
    refused(call, by);
    break;
  case SBK_REFUSE:
    if (call->msg->command != SBK_CONNECT) {
      skip(call, by);
      break;
    }
    refused(call, by);
    break;
  default:
    refused(call, by);
    break;
  }
  finish(call);
}

static void resume(sbk_session *session) {
  sbk_call *call = session->call;
  enum sbk_verdict verdict = call->verdict;

  call->resumed = false;
  sbk__call_clear_params(call); /* those were of a rule */
  session->call = NULL;
  session->last_in = session->broker->core.now;
  run(call, verdict);
  if (session->call == NULL) {
    session->broker->wire->resume(session);
  }
}

static void handle(sbk_session *session, sbk_message *msg) {
  enum sbk__fault fault = sbk__check_frame(session, msg);
  sbk_call *call = NULL;

  session->broker->counts.frames_in++;

  if (fault == SBK__FAULT_NONE) {
    call = sbk__call_new(session, msg);
    fault = call != NULL ? SBK__FAULT_NONE : SBK__FAULT_NOMEM;
  }
  if (fault != SBK__FAULT_NONE) {
    sbk__session_fail(session, fault, receipt_of(msg));
    sbk__refusal_fault(session, msg, fault);
    sbk_message_unref(msg);
    return;
  }

  sbk_message_unref(msg); /* the call's alone, so that headers may be set */
  if (call->msg->command == SBK_CONNECT) {
    session->state = SBK__CONNECTING;
    session->saw_connect = true;
  }
  run(call, sbk__judge(call));
}

size_t sbk__inbound_feed(sbk_session *session, const void *data, size_t len) {
  const uint8_t *bytes = data;
  sbk_broker *broker = session->broker;
  size_t used, done = 0;

  while (done < len && session->state != SBK__CLOSING &&
         !sbk__session_waits(session)) {
    sbk__stomp_rules rules = {
        &broker->core.mem, &broker->core.config, &broker->spare_work,
        (enum sbk__version)session->version, session->state == SBK__CONNECTED};
    sbk_message *msg = NULL;
    enum sbk__stomp_event event;
    enum sbk__fault fault =
        sbk__stomp_read(&session->reader, &rules, bytes + done, len - done,
                        &used, &event, &msg);

    done += used;
    if (fault != SBK__FAULT_NONE) {
      sbk__session_fail(session, fault,
                        sbk__stomp_partial(&session->reader, "receipt"));
    } else if (event == SBK__STOMP_FRAME) {
      handle(session, msg);
    } else if (event == SBK__STOMP_EOL) {
      sbk__session_token(session);
    }
  }

  return session->state == SBK__CLOSING ? len : done;
}

/* Interceptors hear of the end of a session that did not say so itself. The
 * call is not from the heap: hosts that have one waiting learn of its end here,
 * also when memory has ended. */
static void say_bye(sbk_session *session) {
  sbk_broker *broker = session->broker;
  const sbk__link *link;
  sbk_call call = {.broker = broker, .session = session};

  if (session->call != NULL) {
    session->call->waiting = false;
  }
  if (!session->saw_connect || session->saw_disconnect) {
    return;
  }
  call.msg = sbk_message_ref(broker->bye);
  while ((link = sbk__chain_next(&broker->inbound, &call.walk)) != NULL) {
    link->run(&call, link->arg);
  }
  sbk__call_clear(&call);
}

/* ---- the end ---- */

static void tell_unsubscribed(sbk_session *session, const sbk__sub *sub) {
  const sbk__core *core = &session->broker->core;

  if (session->was_connected && !sub->muted &&
      core->callbacks.unsubscribed != NULL) {
    core->callbacks.unsubscribed(session, sbk__sub_id(sub),
                                 sbk__sub_destination(sub), core->arg);
  }
}

/* Out of every table first, so that callbacks find nobody half there. */
static void leave_tables(sbk_session *session) {
  sbk_broker *broker = session->broker;
  uint32_t i;

  for (i = 0; i < session->slot_count; i++) {
    if (session->subs[i] != NULL) {
      sbk__subs_remove(&broker->subs, session->subs[i]);
    }
  }
  if (session->user != NULL) {
    sbk__users_remove(&broker->users, session->user, &session->in_user);
    session->user = NULL;
  }
  sbk__pressure_forget(session);
  if (sbk__list_linked(&session->in_sessions)) {
    sbk__list_remove(&session->in_sessions);
    broker->session_count--;
  }
  sbk__stomp_clear(&session->reader,
                   &(sbk__stomp_rules){.mem = &broker->core.mem,
                                       .spare = &broker->spare_work});
}

static void count_unconnected(struct sbk_stats *counts, int reason) {
  switch (reason) {
  case SBK_ERR_WEBSOCKET:
  case SBK_ERR_STOMP:
    counts->unconnected_protocol++;
    break;
  case SBK_ERR_TOO_BIG:
  case SBK_ERR_TOO_MANY:
  case SBK_ERR_SLOW:
  case SBK_ERR_NOMEM:
    counts->unconnected_limit++;
    break;
  case SBK_ERR_TIMEOUT:
    counts->unconnected_timeout++;
    break;
  case SBK_ERR_DENIED:
  case SBK_ERR_CALLBACK:
    counts->unconnected_denied++;
    break;
  default: /* 0, SBK_ERR_EOF, SBK_ERR_CLOSED */
    counts->unconnected_gone++;
    break;
  }
}

static void count_end(const sbk_session *session) {
  struct sbk_stats *counts = &session->broker->counts;

  if (!session->was_connected) {
    count_unconnected(counts, session->reason);
    return;
  }
  switch (session->reason) {
  case 0:
    counts->ended_clean++;
    break;
  case SBK_ERR_EOF:
    counts->ended_eof++;
    break;
  case SBK_ERR_WEBSOCKET:
  case SBK_ERR_STOMP:
    counts->ended_protocol++;
    break;
  case SBK_ERR_TOO_BIG:
  case SBK_ERR_TOO_MANY:
    counts->ended_limit++;
    break;
  case SBK_ERR_SLOW:
    counts->ended_slow++;
    break;
  case SBK_ERR_TIMEOUT:
    counts->ended_timeout++;
    break;
  case SBK_ERR_DENIED:
  case SBK_ERR_CALLBACK:
    counts->ended_denied++;
    break;
  case SBK_ERR_CLOSED:
    counts->ended_closed++;
    break;
  case SBK_ERR_NOMEM:
    counts->ended_no_memory++;
    break;
  default:
    break;
  }
}

static void end(sbk_session *session) {
  const sbk__core *core = &session->broker->core;
  uint32_t i;

  session->ended = true;
  count_end(session);
  leave_tables(session);
  say_bye(session);
  for (i = 0; i < session->slot_count; i++) {
    sbk__sub *sub = session->subs[i];

    if (sub != NULL && sub->active) {
      tell_unsubscribed(session, sub);
      sbk__backlog_free(sub);
      sbk__session_end_sub(session, sub);
    }
  }
  sbk__session_free_index(session);
  sbk__tx_end(session);
  sbk__handle_orphan(session);
  if (session->gone) {
    sbk__output_clear(session);
  }
  sbk__acks_end(session);
  sbk__ledger_free(session);
  if (session->was_connected && core->callbacks.disconnected != NULL) {
    core->callbacks.disconnected(session, session->reason, core->arg);
  }
  if (session->call != NULL) {
    finish(session->call);
  }
  sbk__handle_forget(session);
}

void sbk__inbound_work(sbk__work *work) {
  sbk_session *session = sbk__item(work, sbk_session, work);

  if (session->state != SBK__CLOSING && session->call != NULL &&
      session->call->resumed) {
    resume(session);
  }
  if (!session->ended) {
    sbk__refusal_tell_dropped(session);
  }
  if (session->state == SBK__CLOSING && !session->ended) {
    end(session);
  }
}
