#include "session.h"

#include <assert.h>
#include <string.h>

#include "call.h"
#include "inbound.h"
#include "msec.h"
#include "output.h"
#include "stomp_write.h"

static void session_work(sbk__work *work);

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
  sbk__list_init(&s->in_sessions);
  sbk__list_init(&s->in_user);
  sbk__work_init(&s->work, session_work);
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

static void free_index(sbk_session *session) {
  if (session->by_id != NULL) {
    sbk__map_free(session->by_id);
    sbk__free(&session->broker->core.mem, session->by_id);
    session->by_id = NULL;
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
  sbk__free(mem, session->gathered.data);
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
}

bool sbk__session_admit(sbk_session *session, size_t bytes) {
  const struct sbk_config *limits = &session->broker->core.config;
  size_t limit = session->state == SBK__CONNECTED ? limits->max_queue
                                                  : limits->max_preauth_output;

  /* Frames count as 16 bytes at least: plain messages may be empty. */
  if (bytes > limit - session->out.bytes || session->out.bytes > limit ||
      session->out.count > limit / 16 + 16) {
    sbk__session_fail(session, SBK__FAULT_QUEUE_SIZE, NULL);
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
      !sbk__session_admit(session, frame->len)) {
    sbk_buf_unref(frame);
    return;
  }
  push(session, frame, kind);
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

static void tell_unsubscribed(sbk_session *session, const sbk__sub *sub) {
  const sbk__core *core = &session->broker->core;

  if (session->was_connected && core->callbacks.unsubscribed != NULL) {
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
  if (sbk__list_linked(&session->in_sessions)) {
    sbk__list_remove(&session->in_sessions);
    broker->session_count--;
  }
  sbk__stomp_clear(&session->reader,
                   &(sbk__stomp_rules){.mem = &broker->core.mem,
                                       .spare = &broker->spare_work});
}

static void end(sbk_session *session) {
  const sbk__core *core = &session->broker->core;
  uint32_t i;

  session->ended = true;
  leave_tables(session);
  sbk__inbound_bye(session);
  for (i = 0; i < session->slot_count; i++) {
    sbk__sub *sub = session->subs[i];

    if (sub != NULL && sub->active) {
      tell_unsubscribed(session, sub);
      sbk__session_end_sub(session, sub);
    }
  }
  free_index(session);
  if (session->was_connected && core->callbacks.disconnected != NULL) {
    core->callbacks.disconnected(session, session->reason, core->arg);
  }
  sbk__inbound_forget(session);
  if (session->gone) {
    sbk__output_clear(session);
  }
}

static void session_work(sbk__work *work) {
  sbk_session *session = sbk__item(work, sbk_session, work);

  if (session->state != SBK__CLOSING && session->call != NULL &&
      session->call->resumed) {
    sbk__inbound_resume(session);
  }
  if (session->state == SBK__CLOSING && !session->ended) {
    end(session);
  }
}

/* ---- time ---- */

bool sbk__session_token(sbk_session *session) {
  const struct sbk_config *limits = &session->broker->core.config;
  sbk_msec now = session->broker->core.now;
  uint64_t tokens = session->tokens;
  uint64_t most = (uint64_t)limits->control_burst * 1000;

  /* Thousandths of a token: a rate per second is as many of them in 1 ms. */
  if (now - session->tokens_at > most / limits->control_rate) {
    tokens = most;
  } else {
    tokens += (now - session->tokens_at) * limits->control_rate;
    tokens = tokens < most ? tokens : most;
  }
  session->tokens_at = now;
  if (tokens < 1000) {
    sbk__session_fail(session, SBK__FAULT_CONTROL_RATE, NULL);
    return false;
  }
  session->tokens = (uint32_t)(tokens - 1000);

  return true;
}

void sbk__session_stamp(sbk_session *session) {
  sbk_msec now = session->broker->core.now;
  uint32_t i;

  session->born = session->last_in = session->last_out = now;
  for (i = 0; i < session->out.count; i++) {
    sbk__outq_at(&session->out, i)->stamp = (uint32_t)now;
  }
}

static sbk_msec queue_due(const sbk_session *session) {
  const sbk__core *core = &session->broker->core;
  uint32_t age;

  if (session->out.count == 0) {
    return SBK_NEVER;
  }
  age = (uint32_t)core->now - sbk__outq_at(&session->out, 0)->stamp;

  return age >= core->config.send_timeout
             ? core->now
             : sbk__after(core->now, core->config.send_timeout - age);
}

/* WebSocket pings stand in for heart-beats that were not agreed on. */
static bool pings(const sbk_session *session) {
  return session->websocket && session->state == SBK__CONNECTED &&
         session->beat_out == 0 &&
         session->broker->core.config.ping_interval != SBK_NEVER;
}

static sbk_msec silence_due(const sbk_session *session) {
  const struct sbk_config *config = &session->broker->core.config;
  sbk_msec interval = session->beat_in != 0 ? session->beat_in
                      : pings(session)      ? config->ping_interval
                                            : 0;

  /* While the host owes an answer nothing is read, so nothing can be heard. */
  return interval == 0 || sbk__session_waits(session)
             ? SBK_NEVER
             : sbk__after(session->last_in, interval * config->heartbeat_grace);
}

static sbk_msec beat_due(const sbk_session *session) {
  sbk_msec interval = session->beat_out != 0 ? session->beat_out
                      : pings(session)
                          ? session->broker->core.config.ping_interval
                          : SBK_NEVER;

  return interval == SBK_NEVER ? SBK_NEVER
                               : sbk__after(session->last_out, interval);
}

sbk_msec sbk__session_due(const sbk_session *session) {
  sbk_msec due = queue_due(session);

  if (session->state == SBK__CLOSING) {
    return SBK_NEVER;
  }
  if (session->state != SBK__CONNECTED) {
    return sbk__earlier(
        due, sbk__after(session->born,
                        session->broker->core.config.connect_timeout));
  }

  return sbk__earlier(due,
                      sbk__earlier(silence_due(session), beat_due(session)));
}

static void beat(sbk_session *session) {
  sbk_broker *broker = session->broker;

  session->last_out = broker->core.now;
  if (session->out.count > 0) {
    return; /* what waits will do */
  }
  if (session->beat_out != 0) {
    sbk__session_push(session, sbk_buf_ref(broker->beat), SBK__OUT_TEXT);
  } else {
    sbk__session_push(session,
                      sbk__ws_control(&broker->core.mem, SBK__WS_PING, NULL, 0),
                      SBK__OUT_CONTROL);
  }
}

void sbk__session_tick(sbk_session *session) {
  const sbk__core *core = &session->broker->core;

  if (session->state == SBK__CLOSING) {
    return;
  }
  if (queue_due(session) <= core->now) {
    sbk__session_fail(session, SBK__FAULT_QUEUE_AGE, NULL);
  } else if (session->state != SBK__CONNECTED) {
    if (sbk__after(session->born, core->config.connect_timeout) <= core->now) {
      sbk__session_fail(session, SBK__FAULT_CONNECT_TIMEOUT, NULL);
    }
  } else if (silence_due(session) <= core->now) {
    sbk__session_fail(session, SBK__FAULT_SILENT, NULL);
  } else if (beat_due(session) <= core->now) {
    beat(session);
  }
}

/* ---- subscriptions ---- */

#define INDEX_FROM 64 /* active subscriptions; fewer are looked through */

static const char *sub_name(const void *item, size_t *len) {
  const sbk__sub *sub = item;

  *len = sub->id_len;
  return sbk__sub_id(sub);
}

sbk__sub *sbk__session_find_sub(const sbk_session *session, const char *id,
                                size_t id_len, const char *destination,
                                size_t destination_len) {
  uint32_t i, hash = id != NULL ? sbk__sub_hash(id, id_len) : 0;

  if (id != NULL && session->by_id != NULL) {
    return sbk__map_find(session->by_id, id, id_len);
  }
  for (i = 0; i < session->slot_count; i++) {
    sbk__sub *sub = session->subs[i];

    if (sub == NULL || !sub->active || sub->has_id != (id != NULL)) {
      continue;
    }
    if (id != NULL ? sub->id_hash == hash && sub->id_len == id_len &&
                         memcmp(sbk__sub_id(sub), id, id_len) == 0
                   : sub->destination_len == destination_len &&
                         memcmp(sbk__sub_destination(sub), destination,
                                destination_len) == 0) {
      return sub;
    }
  }

  return NULL;
}

/* Many subscriptions get a map by their ids. 0, or SBK_ERR_NOMEM. */
static int make_index(sbk_session *session) {
  const sbk__core *core = &session->broker->core;
  sbk__map *map;
  uint32_t i;
  int rv = 0;

  if (session->by_id != NULL || session->sub_count < INDEX_FROM) {
    return 0;
  }
  map = sbk__malloc(&core->mem, sizeof(*map));
  if (map == NULL) {
    return SBK_ERR_NOMEM;
  }
  sbk__map_init(map, &core->mem, core->seed, sub_name);
  for (i = 0; rv == 0 && i < session->slot_count; i++) {
    sbk__sub *sub = session->subs[i];

    if (sub != NULL && sub->active && sub->has_id) {
      rv = sbk__map_add(map, sub);
    }
  }
  session->by_id = map;
  if (rv != 0) {
    free_index(session);
  }

  return rv;
}

static int reserve_slot(sbk_session *session) {
  uint32_t count = session->slot_count == 0 ? 1 : session->slot_count * 2;
  sbk__sub **subs;

  while (session->free_slot < session->slot_count &&
         session->subs[session->free_slot] != NULL) {
    session->free_slot++;
  }
  if (session->free_slot < session->slot_count) {
    return 0;
  }

  subs = sbk__realloc(&session->broker->core.mem, session->subs,
                      count * sizeof(*subs));
  if (subs == NULL) {
    return SBK_ERR_NOMEM;
  }
  memset(subs + session->slot_count, 0,
         (count - session->slot_count) * sizeof(*subs));
  session->subs = subs;
  session->slot_count = count;

  return 0;
}

int sbk__session_add_sub(sbk_session *session, sbk__sub *sub) {
  int rv = reserve_slot(session);

  if (rv == 0) {
    rv = make_index(session);
  }
  if (rv == 0 && sub->has_id && session->by_id != NULL) {
    rv = sbk__map_add(session->by_id, sub);
  }
  if (rv != 0) {
    return rv;
  }
  sub->slot = session->free_slot;
  sub->active = true;
  session->subs[sub->slot] = sub;
  session->sub_count++;

  return 0;
}

static void free_slot(sbk_session *session, sbk__sub *sub) {
  if (sub->active || sub->queued > 0) {
    return;
  }
  session->subs[sub->slot] = NULL;
  if (sub->slot < session->free_slot) {
    session->free_slot = sub->slot;
  }
  sbk__free(&session->broker->core.mem, sub);
}

void sbk__session_end_sub(sbk_session *session, sbk__sub *sub) {
  sbk__subs_remove(&session->broker->subs, sub);
  if (session->by_id != NULL && sub->has_id) {
    sbk__map_remove(session->by_id, sbk__sub_id(sub), sub->id_len);
  }
  sub->active = false;
  session->sub_count--;
  free_slot(session, sub);
}

void sbk__session_release_slot(sbk_session *session, uint32_t slot) {
  sbk__sub *sub = session->subs[slot];

  sub->queued--;
  free_slot(session, sub);
}
