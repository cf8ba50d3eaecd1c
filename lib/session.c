#include "session.h"

#include <assert.h>
#include <string.h>

#include "output.h"
#include "pressure.h"
#include "refusal.h"
#include "sockjs_frame.h"
#include "stomp_write.h"

static int make_id(sbk_session *session) {
  static const char digits[] = "0123456789abcdef";
  uint8_t bytes[16];
  size_t i;
  int rv = sbk__random(&session->broker->core, bytes, sizeof(bytes));

  for (i = 0; rv == 0 && i < sizeof(bytes); i++) {
    session->id[2 * i] = digits[bytes[i] >> 4];
    session->id[2 * i + 1] = digits[bytes[i] & 15];
  }

  return rv;
}

int sbk__session_new(sbk_session **session, sbk_broker *broker, void *conn,
                     const sbk__endpoint *endpoint, bool websocket,
                     const char *peer) {
  const sbk__core *core = &broker->core;
  sbk_session *s = sbk__calloc(&core->mem, 1, sizeof(*s));
  int rv;

  if (s == NULL) {
    return SBK_ERR_NOMEM;
  }

  s->broker = broker;
  s->conn = conn;
  s->endpoint = endpoint;
  s->websocket = websocket;
  s->plain = endpoint != NULL && endpoint->message != NULL;
  s->peer = peer != NULL ? peer : "";
  s->version = SBK__V12;
  s->expiry = SBK_NEVER;
  sbk__list_init(&s->in_sessions);
  sbk__list_init(&s->in_user);
  sbk__list_init(&s->deferred);
  sbk__work_init(&s->work, broker->session_work);
  s->born = s->last_in = s->last_out = s->tokens_at = core->now;
  s->tokens = (uint32_t)core->config.control_burst * 1000;
  rv = make_id(s);
  if (rv != 0) {
    sbk__free(&core->mem, s);
    return rv;
  }
  *session = s;

  return 0;
}

void sbk__session_drop_gathered(sbk_session *session) {
  if (session->gathered != NULL) {
    sbk__str_free(session->gathered);
    sbk__free(&session->broker->core.mem, session->gathered);
    session->gathered = NULL;
  }
}

void sbk__session_free(sbk_session *session) {
  const struct sbk_mem *mem;

  if (session == NULL) {
    return;
  }

  mem = &session->broker->core.mem;
  sbk__output_clear(session);
  sbk__list_remove(&session->work.node);
  sbk__session_drop_gathered(session);
  sbk__free(mem, session->subs);
  sbk__free(mem, session->user_name);
  sbk__free(mem, session);
}

int sbk__session_name(sbk_session *session, const char *user) {
  const sbk__core *core = &session->broker->core;
  char *copy;

  if (!sbk__user_name_valid(user, core->config.max_user)) {
    return SBK_ERR_INVAL;
  }
  copy = sbk__strndup(&core->mem, user, strlen(user));
  if (copy == NULL) {
    return SBK_ERR_NOMEM;
  }
  sbk__free(&core->mem, session->user_name);
  session->user_name = copy;

  return 0;
}

uint64_t sbk__session_mark(const sbk_session *session) {
  uint64_t mark = 0;
  size_t i;

  for (i = 0; session != NULL && i < 16; i++) {
    unsigned digit = (unsigned)session->id[i];

    mark = mark << 4 | (digit <= '9' ? digit - '0' : digit - 'a' + 10);
  }

  return mark;
}

int sbk__session_connected(sbk_session *session) {
  sbk_broker *broker = session->broker;
  int rv;

  if (session->user_name != NULL) {
    rv = sbk__users_add(&broker->users, session->user_name, &session->in_user,
                        &session->user);
    if (rv != 0) {
      return rv;
    }
  }
  sbk__list_push(&broker->sessions, &session->in_sessions);
  broker->session_count++;
  broker->counts.connects++;
  broker->pending_count -= session->pending;
  session->pending = false;
  session->state = SBK__CONNECTED;
  session->was_connected = true;

  return 0;
}

/* ---- what goes out ---- */

static void wake(sbk_session *session) {
  if (!session->awake) {
    session->broker->wire->wake(session);
  }
}

/* Without a limit: last words are few. */
static void push(sbk_session *session, sbk_buf *frame, uint32_t kind) {
  sbk__entry entry = {{NULL}, kind, (uint32_t)session->broker->core.now};

  if (frame == NULL ||
      sbk__outq_reserve(&session->out, &session->broker->rings) != 0) {
    sbk_buf_unref(frame);
    session->silent = true;
    return;
  }
  entry.ref.buf = frame;
  session->controls += kind == SBK__OUT_CONTROL;
  sbk__outq_push(&session->out, entry, frame->len);
  sbk__pressure_add(session, &entry);
}

static bool has_room(const sbk_session *session, size_t bytes, size_t limit) {
  size_t waiting = session->out.bytes + session->backlog;

  /* Frames count as 16 bytes at least: plain messages may be empty. */
  return waiting <= limit && bytes <= limit - waiting &&
         session->out.count - session->out.holes <= limit / 16 + 16;
}

static bool make_room(sbk_session *session, size_t bytes,
                      enum sbk_overflow overflow) {
  const struct sbk_config *limits = &session->broker->core.config;
  size_t limit = session->state == SBK__CONNECTED ? limits->max_queue
                                                  : limits->max_preauth_output;
  bool may_drop = overflow != SBK_OVERFLOW_DROP_NEWEST && bytes <= limit;

  while (!has_room(session, bytes, limit)) {
    if (!may_drop || !sbk__output_drop_oldest(session)) {
      return false;
    }
  }

  return true;
}

bool sbk__session_admit(sbk_session *session, size_t bytes,
                        enum sbk_overflow overflow) {
  if (session->out.count == 0) {
    session->moved = session->broker->core.now;
  }
  if (!make_room(session, bytes, overflow)) {
    if (overflow != SBK_OVERFLOW_CLOSE) {
      session->broker->counts.dropped_newest++;
      sbk__refusal_dropped(session);
    } else {
      sbk__session_fail(session,
                        session->state == SBK__CONNECTED
                            ? SBK__FAULT_QUEUE_SIZE
                            : SBK__FAULT_PREAUTH_OUTPUT,
                        NULL);
    }
    return false;
  }
  if (sbk__outq_reserve(&session->out, &session->broker->rings) != 0) {
    sbk__session_fail(session, SBK__FAULT_NOMEM, NULL);
    return false;
  }

  return true;
}

void sbk__session_push(sbk_session *session, sbk_buf *frame, uint32_t kind) {
  if (frame == NULL) {
    sbk__session_fail(session, SBK__FAULT_NOMEM, NULL);
    return;
  }
  if (session->state == SBK__CLOSING ||
      !sbk__session_admit(session, frame->len, SBK_OVERFLOW_CLOSE)) {
    sbk_buf_unref(frame);
    return;
  }
  push(session, frame, kind);
  wake(session);
}

void sbk__session_greet(sbk_session *session) {
  sbk_broker *broker = session->broker;
  sbk_buf *frame = sbk_buf_copy(broker, "o", 1);

  if (frame == NULL || sbk__outq_reserve(&session->out, &broker->rings) != 0) {
    sbk_buf_unref(frame);
    sbk__session_close(session, SBK_ERR_NOMEM,
                       sbk__fault_close(SBK__FAULT_NOMEM),
                       sbk__fault_text(SBK__FAULT_NOMEM));
    return;
  }
  session->moved = broker->core.now; /* nothing has waited yet */
  push(session, frame, SBK__OUT_FRAME);
  wake(session);
}

/* ---- the end ---- */

static void closing(sbk_session *session, int reason) {
  session->state = SBK__CLOSING;
  session->reason = reason;
  sbk__work_add(session->broker, &session->work);
}

/* An ERROR, unless NULL, and a Close. The host hears of it when all is done:
 * what it calls from there finds the session closing. */
static void last_words(sbk_session *session, int reason, uint16_t close,
                       const char *text, sbk_buf *error) {
  closing(session, reason);
  if (error != NULL) {
    push(session, error,
         sbk__utf8_valid(error->data, error->len) ? SBK__OUT_TEXT
                                                  : SBK__OUT_BINARY);
  }
  if (session->framed && !session->silent && !session->peer_closed) {
    push(session,
         sbk__sockjs_close_frame(&session->broker->core.mem, close, text),
         SBK__OUT_FRAME);
  }
  if (session->websocket && !session->silent) {
    push(session, sbk__ws_close(&session->broker->core.mem, close, text),
         SBK__OUT_CONTROL);
  }
  session->broker->wire->wake(session);
  if (text != NULL && reason != 0) {
    sbk__log(&session->broker->core, SBK_LOG_INFO, session->peer, "closed",
             text);
  }
}

void sbk__session_close(sbk_session *session, int reason, uint16_t close,
                        const char *text) {
  if (session->state != SBK__CLOSING) {
    last_words(session, reason, close, text, NULL);
  }
}

static void refuse(sbk_session *session, int reason, uint16_t close,
                   const char *text, const char *receipt, bool versions) {
  /* STOMP 1.2, Protocol Negotiation: what a server says that speaks none of
   * the client's versions. */
  sbk__pair pairs[] = {{"message", text},
                       {"receipt-id", receipt},
                       {"version", versions ? "1.0,1.1,1.2" : NULL},
                       {"content-type", versions ? "text/plain" : NULL}};
  sbk_buf *frame = NULL;

  if (session->state == SBK__CLOSING) {
    return;
  }
  /* LIMITS: a peer's text that comes back is as long as a receipt. */
  if (receipt != NULL &&
      strlen(receipt) > session->broker->core.config.max_receipt) {
    pairs[1].value = NULL;
  }
  if (reason == SBK_ERR_SLOW || reason == SBK_ERR_NOMEM) {
    sbk__output_drop(session);
  }
  if (!session->plain && !session->silent) {
    frame = sbk__frame_new(
        &session->broker->core.mem, (enum sbk__version)session->version,
        SBK_ERROR, pairs, 4,
        versions ? "Supported protocol versions are 1.0,1.1,1.2" : NULL);
    session->silent = frame == NULL;
  }
  last_words(session, reason, close, text, frame);
}

void sbk__session_refuse(sbk_session *session, int reason, uint16_t close,
                         const char *text, const char *receipt) {
  refuse(session, reason, close, text, receipt, false);
}

void sbk__session_fail(sbk_session *session, enum sbk__fault fault,
                       const char *receipt) {
  refuse(session, sbk__fault_error(fault), sbk__fault_close(fault),
         sbk__fault_text(fault), receipt, fault == SBK__FAULT_VERSION);
}

void sbk__session_leave(sbk_session *session, int reason) {
  if (session->state != SBK__CLOSING) {
    closing(session, reason);
    session->broker->wire->wake(session);
  }
}

void sbk__session_gone(sbk_session *session, int reason) {
  session->gone = true;
  sbk__session_leave(session, reason);
  if (session->ended) {
    sbk__output_clear(session);
  }
}
