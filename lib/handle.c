#include "handle.h"

#include <string.h>

#include "fanout.h"
#include "refusal.h"
#include "stomp_write.h"
#include "utf8.h"

/* The host's handlers, and what comes of them. */

void sbk__handle_receipt(sbk_session *session, const sbk_message *msg) {
  const char *receipt = sbk_message_header(msg, "receipt");
  sbk__pair pair = {"receipt-id", receipt};
  sbk_buf *frame;

  if (receipt == NULL || session->state == SBK__CLOSING) {
    return;
  }
  frame = sbk__frame_new(&session->broker->core.mem,
                         (enum sbk__version)session->version, SBK_RECEIPT,
                         &pair, 1, NULL);
  sbk__session_push(session, frame,
                    frame != NULL && sbk__utf8_valid(frame->data, frame->len)
                        ? SBK__OUT_TEXT
                        : SBK__OUT_BINARY);
}

/* What is asked for by the frame, or by the COMMIT that runs it. */
const char *sbk__handle_receipt_id(const sbk_call *call) {
  const sbk_message *frame = call->no_receipt ? call->commit : call->msg;

  return frame != NULL ? sbk_message_header(frame, "receipt") : NULL;
}

void sbk__handle_fail(sbk_call *call, enum sbk__fault fault) {
  if (call->session->state != SBK__CLOSING) {
    sbk__session_fail(call->session, fault, sbk__handle_receipt_id(call));
    sbk__refusal_fault(call->session, call->msg, fault);
  }
}

/* Which one was ended; in STOMP 1.0 its destination may be its name. */
static const char *subscription_of(const sbk_message *msg) {
  const char *id = sbk_message_header(msg, "id");

  return id != NULL ? id : sbk_message_header(msg, "destination");
}

int sbk__handle_tell(sbk_call *call, const char *text) {
  static const char *const names[] = {
      "",    "CONNECT", "",      "SEND",   "SUBSCRIBE", "UNSUBSCRIBE",
      "ACK", "NACK",    "BEGIN", "COMMIT", "ABORT",     "DISCONNECT"};
  sbk_broker *broker = call->broker;
  const char *receipt = sbk_message_header(call->msg, "receipt");
  sbk_message *msg;
  int rv;

  if (broker->route.errors.text == NULL) {
    return 0;
  }
  msg = sbk__message_make(broker, NULL, 0, broker->route.errors.text,
                          "text/plain", text, strlen(text));
  rv = msg != NULL ? sbk__message_put(msg, "command", names[call->msg->command])
                   : SBK_ERR_NOMEM;
  if (rv == 0 && receipt != NULL) {
    rv = sbk__message_put(msg, "receipt-id", receipt);
  }
  if (rv == 0 && call->kind == SBK__CALL_REVIEW) {
    rv = sbk__message_put(msg, "subscription-id", subscription_of(call->msg));
  }
  if (rv == 0) {
    rv = sbk__publish_to_session(call->session, msg);
  }
  sbk_message_unref(msg);

  return rv;
}

/* The error handlers, the error destination, or else ERROR. */
static void handler_failed(sbk_call *call, int error) {
  const sbk__chain *errors = &call->broker->errors;
  const char *text = call->error != NULL ? call->error : sbk_strerror(error);
  const sbk__link *link;
  sbk__walk walk = {0};
  int rv;

  while ((link = sbk__chain_next(errors, &walk)) != NULL) {
    if (link->failed(call, error, text, link->arg) >= 0) {
      return;
    }
    text = call->error != NULL ? call->error : sbk_strerror(error);
  }
  if (call->session->state == SBK__CLOSING) {
    return;
  }
  rv = sbk__handle_tell(call, text);
  if (rv < 0) {
    sbk__handle_fail(call, SBK__FAULT_NOMEM);
    return;
  }
  if (rv == 0) {
    sbk__session_refuse(call->session, SBK_ERR_CALLBACK,
                        sbk__fault_close(SBK__FAULT_HANDLER), text,
                        sbk__handle_receipt_id(call));
  }
  sbk__refusal(call->session, call->msg, SBK_REFUSED_HANDLER, error, text);
}

/* The session knows of a call that was put off, and keeps what it needs. */
static void put_off(sbk_call *call) {
  sbk_session *session = call->session;

  sbk__list_push(&session->deferred, &call->in_deferred);
  session->deferred_count++;
  if (call->sub != NULL) {
    call->sub->queued++;
  }
}

/* Runs a handler; true: its frame is dealt with, and gets its receipt. */
bool sbk__handle(sbk_call *call, const sbk__handler *handler,
                 const sbk__captures *captures) {
  sbk_session *session = call->session;
  int rv = sbk__call_set_params(call, captures);

  if (rv != 0) {
    sbk__handle_fail(call, SBK__FAULT_NOMEM);
    return false;
  }
  call->kind = SBK__CALL_HANDLER;
  call->handler = handler->place;
  call->running = true;
  rv = handler->run(call, handler->arg);
  call->running = false;
  if (call->finished) {
    rv = call->result;
  } else if (call->deferred && rv >= 0) {
    put_off(call); /* even if the session is closing: the host has the call */
    return false;
  }
  call->deferred = false;
  if (rv < 0 && session->state != SBK__CLOSING) {
    handler_failed(call, rv);
  }

  return rv >= 0 && session->state != SBK__CLOSING;
}

void sbk__handle_finish(sbk_call *call, int result) {
  sbk_session *session = call->session;
  bool blocked;

  sbk__list_remove(&call->in_deferred);
  call->deferred = false;
  if (session != NULL) {
    blocked = sbk__session_waits(session);
    session->deferred_count--;
    if (session->state != SBK__CLOSING) {
      if (result < 0) {
        handler_failed(call, result);
      } else if (!call->no_receipt) {
        sbk__handle_receipt(session, call->msg);
      }
    }
    if (call->sub != NULL) {
      sbk__session_release_slot(session, call->sub->slot);
    }
    if (blocked && !sbk__session_waits(session)) {
      session->last_in = session->broker->core.now;
      session->broker->wire->resume(session);
    }
  }
  sbk__call_free(call);
}

void sbk__handle_orphan(sbk_session *session) {
  sbk__node *node, *next;

  for (node = session->deferred.next; node != &session->deferred; node = next) {
    sbk_call *call = sbk__item(node, sbk_call, in_deferred);

    next = node->next;
    if (call->kind == SBK__CALL_REVIEW) {
      continue;
    }
    sbk__list_remove(node);
    if (call->sub != NULL) {
      sbk__session_release_slot(session, call->sub->slot);
      call->sub = NULL;
    }
    call->session = NULL;
    sbk__list_push(&session->broker->deferred, &call->in_deferred);
  }
  session->deferred_count = 0;
}

void sbk__handle_forget(sbk_session *session) {
  sbk__node *node;

  while ((node = sbk__list_shift(&session->deferred)) != NULL) {
    sbk__call_free(sbk__item(node, sbk_call, in_deferred));
  }
}

void sbk__handle_returned(sbk_call *call) {
  call->returning--;
  if (call->deferred && call->finished && !call->running &&
      call->returning == 0) {
    sbk__handle_finish(call, call->result);
  }
}
