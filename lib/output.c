#include "output.h"

#include <assert.h>
#include <string.h>

#include "ledger.h"
#include "pressure.h"
#include "refusal.h"
#include "sockjs_frame.h"
#include "str.h"

/* One entry, ready to go: the WebSocket head, the personal head or the whole
 * frame, the shared rest, and apart from it a large body and its NUL. */
typedef struct form {
  struct iovec parts[6];
  int count;
  sbk_buf *body; /* whose bytes the last part but one are; NULL: none */
  uint8_t head[10];
} form;

static void add(form *f, const void *base, size_t len) {
  f->parts[f->count].iov_base = (void *)(uintptr_t)base;
  f->parts[f->count].iov_len = len;
  f->count++;
}

static void add_ws_head(form *f, const sbk_session *s, bool text, size_t len) {
  if (s->websocket) {
    add(f, f->head,
        sbk__ws_head(f->head, text ? SBK__WS_TEXT : SBK__WS_BINARY, len));
  }
}

static sbk_message *message_of(const sbk__entry *e) {
  return sbk__entry_is_delivery(e) ? e->ref.delivery->msg : e->ref.msg;
}

/* The rest was made when the entry was queued. */
static const sbk__rest *rest_of(const sbk_session *s, const sbk__entry *e) {
  return message_of(e)->rest[s->version];
}

static size_t extra_len(const sbk__entry *e) {
  return sbk__entry_is_delivery(e) ? e->ref.delivery->extra_len : 0;
}

/* Bytes of STOMP, as the queue counts them. */
static size_t frame_len(const sbk_session *s, const sbk__entry *e) {
  if (e->slot == SBK__OUT_NOTHING) {
    return 0;
  }
  if (!sbk__entry_is_message(e)) {
    return e->ref.buf->len;
  }

  return s->subs[sbk__entry_slot(e)]->head_len + extra_len(e) +
         rest_of(s, e)->total;
}

static size_t wire_len(const sbk_session *s, const sbk__entry *e) {
  size_t len = frame_len(s, e);

  return s->websocket && e->slot != SBK__OUT_CONTROL
             ? len + sbk__ws_head_len(len)
             : len;
}

static void form_entry(form *f, const sbk_session *s, const sbk__entry *e) {
  static const uint8_t nul = 0;
  const sbk__rest *rest;
  const sbk__sub *sub;

  f->count = 0;
  f->body = NULL;
  if (e->slot == SBK__OUT_NOTHING) {
    return;
  }
  if (!sbk__entry_is_message(e)) {
    if (e->slot != SBK__OUT_CONTROL) {
      add_ws_head(f, s, e->slot == SBK__OUT_TEXT, e->ref.buf->len);
    }
    add(f, e->ref.buf->data, e->ref.buf->len);
    return;
  }

  rest = rest_of(s, e);
  sub = s->subs[sbk__entry_slot(e)];
  add_ws_head(f, s, rest->text && sub->text, frame_len(s, e));
  add(f, sub->data, sub->head_len);
  if (sbk__entry_is_delivery(e)) {
    add(f, e->ref.delivery->extra, e->ref.delivery->extra_len);
  }
  add(f, rest->data, rest->head_len);
  if (!rest->flat) {
    f->body = message_of(e)->text;
    add(f, f->body->data, f->body->len);
    add(f, &nul, 1);
  }
}

/* ---- as text, for transports that have nothing else ---- */

static void add_part(sbk__parts *p, const void *base, size_t len) {
  p->parts[p->count].iov_base = (void *)(uintptr_t)base;
  p->parts[p->count].iov_len = len;
  p->count++;
}

/* Where the digits of content-length stand in the head of a rest: the library
 * writes it last. NULL: there is none. */
static const uint8_t *find_length(const uint8_t *head, size_t len) {
  static const char name[] = "content-length:";
  const size_t name_len = sizeof(name) - 1;
  size_t at = len;

  if (len < 2) {
    return NULL;
  }
  /* The line in front of the empty one. */
  for (at = len - 2; at > 0 && head[at - 1] != '\n'; at--) {
  }

  return len - at > name_len && memcmp(head + at, name, name_len) == 0
             ? head + at + name_len
             : NULL;
}

void sbk__output_own(const sbk_session *session, const sbk__entry *entry,
                     sbk__parts *parts) {
  const sbk__sub *sub;

  parts->count = 0;
  parts->msg = NULL;
  if (entry->slot == SBK__OUT_NOTHING) {
    return;
  }
  if (!sbk__entry_is_message(entry)) {
    add_part(parts, entry->ref.buf->data, entry->ref.buf->len);
    return;
  }

  parts->msg = message_of(entry);
  parts->rest = rest_of(session, entry);
  sub = session->subs[sbk__entry_slot(entry)];
  add_part(parts, sub->data, sub->head_len);
  if (sbk__entry_is_delivery(entry)) {
    add_part(parts, entry->ref.delivery->extra, entry->ref.delivery->extra_len);
  }
}

void sbk__output_shared(sbk__parts *p) {
  static const uint8_t nul = 0;
  const sbk__rest *rest = p->rest;
  const sbk_buf *body = p->msg != NULL ? p->msg->text : NULL;
  size_t len = body != NULL ? body->len : 0, head;
  const uint8_t *digits;

  if (p->msg == NULL) {
    return;
  }
  head = rest->total - len - 1;
  digits = rest->text || body == NULL ? NULL : find_length(rest->data, head);
  if (digits == NULL) {
    add_part(p, rest->data, head);
  } else {
    add_part(p, rest->data, (size_t)(digits - rest->data));
    add_part(p, p->digits,
             sbk__format_u64(p->digits, sbk__sockjs_text_len(body->data, len)));
    add_part(p, "\n\n", 2);
  }
  if (len > 0) {
    add_part(p, body->data, len);
  }
  add_part(p, &nul, 1);
}

/* Takes the first skip bytes off. */
static void form_skip(form *f, size_t skip) {
  int i;

  for (i = 0; i < f->count && skip > 0; i++) {
    struct iovec *part = &f->parts[i];
    size_t step = part->iov_len < skip ? part->iov_len : skip;

    part->iov_base = (uint8_t *)part->iov_base + step;
    part->iov_len -= step;
    skip -= step;
  }
}

size_t sbk__output_copy(const sbk_session *session, uint8_t *dst, size_t cap) {
  size_t done = 0;
  uint32_t at;
  form f;
  int i;

  for (at = 0; at < session->out.count && done < cap; at++) {
    form_entry(&f, session, sbk__outq_at(&session->out, at));
    if (at == 0) {
      form_skip(&f, session->head_sent);
    }
    for (i = 0; i < f.count; i++) {
      size_t len = f.parts[i].iov_len;

      len = len < cap - done ? len : cap - done;
      memcpy(dst + done, f.parts[i].iov_base, len);
      done += len;
    }
  }

  return done;
}

/* Its topic says so, and nobody acknowledges it. */
static bool is_droppable(const sbk__entry *e) {
  return sbk__entry_is_message(e) && !sbk__entry_is_delivery(e) &&
         e->ref.msg->overflow != SBK_OVERFLOW_CLOSE;
}

/* An entry is gone: sent, or not. */
static void release(sbk_session *session, sbk__entry *entry, bool sent) {
  if (entry->slot == SBK__OUT_NOTHING) {
    return;
  }
  sbk__pressure_remove(session, entry);
  session->droppable -= is_droppable(entry);
  if (!sbk__entry_is_message(entry)) {
    session->controls -= entry->slot == SBK__OUT_CONTROL;
    sbk_buf_unref(entry->ref.buf);
    return;
  }
  if (sbk__entry_is_delivery(entry)) {
    sbk__delivery_left(session, entry->ref.delivery, sent);
  } else {
    sbk_message_unref(entry->ref.msg);
  }
  sbk__session_release_slot(session, sbk__entry_slot(entry));
}

static void pop(sbk_session *session) {
  sbk__entry *front = sbk__outq_at(&session->out, 0);
  sbk__entry entry = sbk__outq_pop(&session->out, &session->broker->rings,
                                   frame_len(session, front));

  session->head_sent = 0;
  release(session, &entry, true);
}

/* It cannot be dropped any more: from now on its age counts. */
static void start(sbk_session *session, sbk__entry *entry) {
  if (is_droppable(entry)) {
    entry->stamp = (uint32_t)session->broker->core.now;
  }
}

void sbk__output_take(sbk_session *session, uint32_t count) {
  uint32_t i;

  for (i = 0; i < count; i++) {
    start(session, sbk__outq_at(&session->out, i));
  }
  session->taken = count;
}

void sbk__output_pop(sbk_session *session, uint32_t count) {
  for (; count > 0; count--) {
    pop(session);
  }
}

void sbk__output_sent(sbk_session *session, size_t len) {
  while (len > 0) {
    size_t left;

    assert(session->out.count > 0);
    left =
        wire_len(session, sbk__outq_at(&session->out, 0)) - session->head_sent;
    if (len < left) {
      if (session->head_sent == 0) {
        start(session, sbk__outq_at(&session->out, 0));
      }
      session->head_sent += len;
      return;
    }
    len -= left;
    pop(session);
  }
}

/* Heads and small frames are copied into a run, in pieces of this size. */
#define RUN_MAX ((size_t)16384)

static size_t run_size(const sbk_session *session, size_t need) {
  size_t all = session->out.bytes + (size_t)10 * session->out.count;

  all = all < RUN_MAX ? all : RUN_MAX;
  return need > all ? need : all;
}

int sbk__output_stage(sbk_session *session, sbk__stage *stage, size_t limit) {
  while (session->out.count > 0 && stage->bytes < limit) {
    size_t need = 0;
    form f;
    int i, rv;

    form_entry(&f, session, sbk__outq_at(&session->out, 0));
    form_skip(&f, session->head_sent);
    for (i = 0; i < f.count; i++) {
      need += f.body != NULL && i == f.count - 2 ? 0 : f.parts[i].iov_len;
    }
    rv = sbk__stage_reserve(
        stage, need <= stage->run_left ? need : run_size(session, need), 1);
    if (rv != 0) {
      return rv;
    }
    for (i = 0; i < f.count; i++) {
      if (f.body != NULL && i == f.count - 2) {
        sbk__stage_add(stage, f.parts[i].iov_base, f.parts[i].iov_len, f.body);
      } else {
        sbk__stage_copy(stage, f.parts[i].iov_base, f.parts[i].iov_len);
      }
    }
    pop(session);
  }

  return 0;
}

bool sbk__output_replace_pong(sbk_session *session, sbk_buf *pong) {
  uint32_t i = session->controls > 0 ? session->out.count : 0;

  while (i > (session->head_sent > 0 ? 1u : 0u)) {
    sbk__entry *entry = sbk__outq_at(&session->out, --i);

    if (entry->slot == SBK__OUT_CONTROL &&
        entry->ref.buf->data[0] == pong->data[0]) {
      sbk__entry old = *entry;

      session->out.bytes += pong->len - old.ref.buf->len;
      entry->ref.buf = pong;
      sbk__pressure_remove(session, &old);
      sbk__pressure_add(session, entry);
      sbk_buf_unref(old.ref.buf);
      return true;
    }
  }

  return false;
}

/* ---- dropping ---- */

static void drop_at(sbk_session *session, uint32_t i) {
  sbk__outq *q = &session->out;
  size_t bytes = frame_len(session, sbk__outq_at(q, i));
  sbk__entry entry = i == 0 ? sbk__outq_pop(q, &session->broker->rings, bytes)
                            : sbk__outq_take(q, i, bytes);

  session->broker->counts.dropped_oldest++;
  sbk__refusal_dropped(session);
  release(session, &entry, false);
}

/* No entry is looked at twice, however often this is asked. */
bool sbk__output_drop_oldest(sbk_session *session) {
  sbk__outq *q = &session->out;
  uint32_t i = q->looked;

  if (session->droppable == 0) {
    return false;
  }
  i = i > sbk__session_started(session) ? i : sbk__session_started(session);
  while (i < q->count && !is_droppable(sbk__outq_at(q, i))) {
    i++;
  }
  q->looked = i;
  if (i == q->count) {
    return false;
  }
  drop_at(session, i);

  return true;
}

bool sbk__output_drop_aged(sbk_session *session) {
  const sbk__core *core = &session->broker->core;
  sbk__outq *q = &session->out;

  while (q->count > 0 && (uint32_t)core->now - sbk__outq_at(q, 0)->stamp >=
                             core->config.send_timeout) {
    if (sbk__session_started(session) > 0 ||
        !is_droppable(sbk__outq_at(q, 0))) {
      return false;
    }
    drop_at(session, 0);
  }

  return true;
}

/* What goes back to a queue is not lost. */
static bool is_lost(const sbk__entry *e) {
  return sbk__entry_is_message(e) &&
         !(sbk__entry_is_delivery(e) && e->ref.delivery->queue != NULL);
}

/* The newest first: what goes back to a queue goes to its front. */
static void drop_to(sbk_session *session, uint32_t keep) {
  while (session->out.count > keep) {
    sbk__entry *last = sbk__outq_at(&session->out, session->out.count - 1);
    sbk__entry entry = sbk__outq_pop_last(
        &session->out, &session->broker->rings, frame_len(session, last));

    session->broker->counts.dropped_ended += is_lost(&entry);
    release(session, &entry, false);
  }
}

/* Does SockJS's `o` come first yet? What follows it makes no sense without. */
static bool opens(const sbk_session *session) {
  const sbk__entry *front =
      session->out.count > 0 ? sbk__outq_at(&session->out, 0) : NULL;

  return front != NULL && front->slot == SBK__OUT_FRAME &&
         front->ref.buf->data[0] == 'o';
}

void sbk__output_drop(sbk_session *session) {
  uint32_t started = sbk__session_started(session);

  drop_to(session, started == 0 && opens(session) ? 1 : started);
}

void sbk__output_clear(sbk_session *session) {
  drop_to(session, 0);
  sbk__outq_trim(&session->out, &session->broker->rings);
  session->head_sent = 0;
  session->taken = 0;
}
