#include "frames.h"

#include <string.h>

#include "output.h"
#include "pressure.h"
#include "sockjs_frame.h"

static size_t parts_len(const sbk__parts *p) {
  size_t len = 0;
  int i;

  for (i = 0; i < p->count; i++) {
    len += sbk__sockjs_escaped_len(p->parts[i].iov_base, p->parts[i].iov_len);
  }

  return len;
}

static uint8_t *put_parts(uint8_t *dst, const sbk__parts *p) {
  int i;

  for (i = 0; i < p->count; i++) {
    dst += sbk__sockjs_escape(dst, p->parts[i].iov_base, p->parts[i].iov_len);
  }

  return dst;
}

/* What receivers share is escaped once for all of them, not for each. A message
 * that waits for nobody else, or where memory is short, does without. */
static void share(sbk_broker *broker, const sbk__parts *own) {
  sbk_message *msg = own->msg;
  sbk__escaped *escaped;
  sbk__parts p;
  size_t len;

  if (msg == NULL || msg->escaped != NULL || msg->waits < 2) {
    return;
  }
  p.count = 0;
  p.msg = msg;
  p.rest = own->rest;
  sbk__output_shared(&p);
  len = parts_len(&p);
  escaped = sbk__malloc(msg->mem, sizeof(*escaped) + len);
  if (escaped == NULL ||
      !sbk__pressure_grow(broker, msg, sizeof(*escaped) + len)) {
    sbk__free(msg->mem, escaped);
    return;
  }
  escaped->rest = own->rest;
  escaped->len = len;
  put_parts(escaped->data, &p);
  msg->escaped = escaped;
}

/* The same without what share() has made of it, which is given back. NULL: p is
 * all of it. */
static const sbk__escaped *parts_of(const sbk_session *session,
                                    const sbk__entry *entry, sbk__parts *p) {
  const sbk__escaped *escaped = NULL;

  sbk__output_own(session, entry, p);
  if (p->msg != NULL && p->msg->escaped != NULL &&
      p->msg->escaped->rest == p->rest) {
    escaped = p->msg->escaped;
  } else {
    sbk__output_shared(p);
  }

  return escaped;
}

/* As a string of JSON. */
static size_t string_len(const sbk_session *session, const sbk__entry *entry) {
  sbk__parts p;
  const sbk__escaped *escaped;

  sbk__output_own(session, entry, &p);
  share(session->broker, &p);
  escaped = parts_of(session, entry, &p);

  return 2 + parts_len(&p) + (escaped != NULL ? escaped->len : 0);
}

static uint8_t *put_string(uint8_t *dst, const sbk_session *session,
                           const sbk__entry *entry) {
  sbk__parts p;
  const sbk__escaped *escaped = parts_of(session, entry, &p);

  *dst++ = '"';
  dst = put_parts(dst, &p);
  if (escaped != NULL) {
    memcpy(dst, escaped->data, escaped->len);
    dst += escaped->len;
  }
  *dst++ = '"';

  return dst;
}

static bool stands_alone(const sbk__entry *entry) {
  return entry->slot == SBK__OUT_FRAME || entry->slot == SBK__OUT_CONTROL;
}

void sbk__frame_next(sbk_session *session, size_t limit, sbk__frame *frame) {
  size_t strings = 0;
  uint32_t i;

  memset(frame, 0, sizeof(*frame));
  if (session->out.holes > 0) {
    sbk__outq_close_holes(&session->out);
  }
  for (i = 0; i < session->out.count; i++) {
    const sbk__entry *entry = sbk__outq_at(&session->out, i);
    size_t len;

    if (stands_alone(entry)) {
      if (strings == 0) {
        frame->entries = i + 1;
        frame->len = entry->ref.buf->len;
        frame->control = entry->slot == SBK__OUT_CONTROL;
        frame->last = !frame->control && entry->ref.buf->data[0] == 'c';
      }
      return;
    }
    len = string_len(session, entry) + (strings > 0 ? 1 : 3);
    if (strings > 0 && frame->len + len > limit) {
      return;
    }
    strings++;
    frame->entries = i + 1;
    frame->len += len;
  }
}

void sbk__frame_write(const sbk_session *session, const sbk__frame *frame,
                      uint8_t *dst) {
  const sbk__entry *entry = sbk__outq_at(&session->out, frame->entries - 1);
  uint32_t i;

  if (stands_alone(entry)) {
    memcpy(dst, entry->ref.buf->data, entry->ref.buf->len);
    return;
  }
  *dst++ = 'a';
  *dst++ = '[';
  for (i = 0; i < frame->entries; i++) {
    if (i > 0) {
      *dst++ = ',';
    }
    dst = put_string(dst, session, sbk__outq_at(&session->out, i));
  }
  *dst = ']';
}

int sbk__frames_stage(sbk_session *session, sbk__stage *stage, size_t limit) {
  while (session->out.count > 0 && stage->bytes < limit) {
    uint8_t head[10];
    size_t head_len = 0;
    sbk__frame frame;
    int rv;

    sbk__frame_next(session, limit, &frame);
    if (!frame.control) {
      head_len = sbk__ws_head(head, SBK__WS_TEXT, frame.len);
    }
    rv = sbk__stage_reserve(stage, head_len + frame.len, 0);
    if (rv != 0) {
      return rv;
    }
    sbk__stage_copy(stage, head, head_len);
    sbk__frame_write(session, &frame, sbk__stage_room(stage, frame.len));
    sbk__output_pop(session, frame.entries);
  }

  return 0;
}
