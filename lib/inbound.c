#include "inbound.h"

#include <string.h>

#include "call.h"
#include "commands.h"

static const char *receipt_of(const sbk_message *msg) {
  return sbk_message_header(msg, "receipt");
}

static void finish(sbk_call *call) {
  call->session->call = NULL;
  sbk__call_free(call);
}

static void refused(sbk_call *call) {
  sbk__session_refuse(call->session, SBK_ERR_DENIED, 1008,
                      call->error != NULL ? call->error
                                          : sbk__fault_text(SBK__FAULT_DENIED),
                      receipt_of(call->msg));
}

/* From the interceptor that is next on; frees the call unless it waits. */
static void run(sbk_call *call, enum sbk_verdict verdict) {
  sbk_session *session = call->session;
  const sbk__chain *chain = &session->broker->inbound;
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
    break;
  case SBK_WAIT:
    call->waiting = true;
    session->call = call;
    return;
  case SBK_DROP:
    if (call->msg->command != SBK_CONNECT) {
      sbk__command_receipt(session, call->msg);
      break;
    }
    refused(call);
    break;
  default:
    refused(call);
    break;
  }
  finish(call);
}

void sbk__inbound_resume(sbk_session *session) {
  sbk_call *call = session->call;
  enum sbk_verdict verdict = call->verdict;

  call->resumed = false;
  session->call = NULL;
  session->last_in = session->broker->core.now;
  run(call, verdict);
  if (session->call == NULL) {
    session->broker->wire->resume(session);
  }
}

static void handle(sbk_session *session, sbk_message *msg) {
  enum sbk__fault fault = sbk__command_check(session, msg);
  sbk_call *call = NULL;

  if (fault == SBK__FAULT_NONE) {
    call = sbk__call_new(session, msg);
    fault = call != NULL ? SBK__FAULT_NONE : SBK__FAULT_NOMEM;
  }
  if (fault != SBK__FAULT_NONE) {
    sbk__session_fail(session, fault, receipt_of(msg));
    sbk_message_unref(msg);
    return;
  }

  sbk_message_unref(msg); /* the call's alone, so that headers may be set */
  if (call->msg->command == SBK_CONNECT) {
    session->state = SBK__CONNECTING;
    session->saw_connect = true;
  }
  run(call, SBK_PASS);
}

size_t sbk__inbound_feed(sbk_session *session, const void *data, size_t len) {
  const uint8_t *bytes = data;
  sbk_broker *broker = session->broker;
  size_t used, done = 0;

  while (done < len && session->state != SBK__CLOSING &&
         session->call == NULL) {
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

void sbk__inbound_bye(sbk_session *session) {
  sbk_broker *broker = session->broker;
  const sbk__link *link;
  sbk_call call;

  if (session->call != NULL) {
    session->call->waiting = false;
  }
  if (!session->saw_connect || session->saw_disconnect) {
    return;
  }
  /* Not from the heap: hosts that have a call waiting learn of its end here,
   * also when memory has ended. */
  memset(&call, 0, sizeof(call));
  call.broker = broker;
  call.session = session;
  call.msg = sbk_message_ref(broker->bye);
  while ((link = sbk__chain_next(&broker->inbound, &call.walk)) != NULL) {
    link->run(&call, link->arg);
  }
  sbk_message_unref(call.msg);
  sbk__free(&broker->core.mem, call.error);
}

void sbk__inbound_forget(sbk_session *session) {
  if (session->call != NULL) {
    finish(session->call);
  }
}
