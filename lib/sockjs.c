#include "sockjs.h"

#include <string.h>

#include "drain.h"
#include "frames.h"
#include "inbound.h"
#include "msec.h"
#include "output.h"
#include "pressure.h"
#include "sockjs_page.h"

#define FEED_BYTES  ((size_t)65536) /* taken at once of what a client sends */
#define FRAME_BYTES ((size_t)65536) /* formed at once for a stream */

sbk__sockjs *sbk__sockjs_find(const sbk__endpoint *endpoint,
                              const sbk__sockjs_target *target) {
  return sbk__map_find(&endpoint->sockjs->sessions, target->session,
                       target->session_len);
}

static bool is_closed(const sbk__sockjs *sockjs) {
  return sockjs->conn->session->state == SBK__CLOSING;
}

/* A session that could not say why would be as if it had never been: who polls
 * would open another under its id. */
const void *sbk__sockjs_last_words(const sbk__sockjs *sockjs, size_t *len) {
  static const char no_memory[] = "c[1011,\"out of memory\"]";

  if (!is_closed(sockjs)) {
    return NULL;
  }
  if (sockjs->last == NULL) {
    *len = sizeof(no_memory) - 1;
    return no_memory;
  }
  *len = sockjs->last->len;

  return sockjs->last->data;
}

/* ---- its life ---- */

static sbk__sockjs *sockjs_new(sbk_conn *conn,
                               const sbk__sockjs_target *target) {
  const struct sbk_mem *mem = &conn->broker->core.mem;
  sbk__sockjs *sockjs =
      sbk__calloc(mem, 1, sizeof(*sockjs) + target->session_len);

  if (sockjs == NULL) {
    return NULL;
  }
  sbk__list_init(&sockjs->senders);
  sockjs->left_at = conn->broker->core.now;
  sockjs->id_len = target->session_len;
  memcpy(sockjs->id, target->session, target->session_len);

  return sockjs;
}

/* Gives carrier its session, under the id. */
static int begin(sbk_conn *carrier, sbk_request *request) {
  const struct sbk_mem *mem = &carrier->broker->core.mem;
  const sbk__endpoint *endpoint = request->endpoint;
  sbk__sockjs *sockjs = sockjs_new(carrier, &request->target);
  int rv;

  if (sockjs == NULL) {
    return SBK_ERR_NOMEM;
  }
  sockjs->endpoint = endpoint;
  sockjs->conn = carrier;
  if (request->user_name != NULL) {
    sockjs->user =
        sbk__strndup(mem, request->user_name, strlen(request->user_name));
  }
  if (request->user_name != NULL && sockjs->user == NULL) {
    sbk__free(mem, sockjs);
    return SBK_ERR_NOMEM;
  }
  rv = sbk__map_add(&endpoint->sockjs->sessions, sockjs);
  if (rv != 0) {
    sbk__free(mem, sockjs->user);
    sbk__free(mem, sockjs);
    return rv;
  }
  carrier->sockjs = sockjs;
  carrier->broker->sockjs_count++;

  return sbk__conn_open(carrier, endpoint, false);
}

int sbk__sockjs_open(sbk_conn *conn, sbk__sockjs **sockjs) {
  sbk_request *request = conn->request;
  sbk_conn *carrier;
  sbk_session *session;
  int rv = sbk__conn_new_carrier(&carrier, conn);

  if (rv != 0) {
    return rv;
  }
  rv = begin(carrier, request);
  if (rv != 0) {
    sbk__conn_drop(carrier);
    return rv;
  }
  session = carrier->session;
  carrier->state = SBK__CONN_SOCKJS;
  session->framed = true;
  session->away = true;
  session->transport = (uint8_t)request->target.kind;
  session->data = request->session_data;
  session->user_name = request->user_name;
  request->user_name = NULL;
  sbk__session_greet(session);
  if (session->state != SBK__CLOSING) {
    sbk__conn_opened(carrier);
  }
  sbk__conn_arm(carrier);
  *sockjs = carrier->sockjs;

  return 0;
}

/* Were its messages taken, and does none of them wait? An end takes all. */
static bool was_taken(const sbk__sockjs *sockjs, const sbk_request *request) {
  const sbk_conn *conn = sockjs->conn;
  size_t held =
      conn->held != NULL ? conn->held->raw.len - conn->held->raw_done : 0;
  uint64_t taken = sockjs->brought - held;

  return is_closed(sockjs) || request->fed_to < taken ||
         (request->fed_to == taken && !sbk__session_waits(conn->session));
}

static void answer_senders(sbk__sockjs *sockjs) {
  while (!sbk__list_empty(&sockjs->senders)) {
    sbk_request *request =
        sbk__item(sockjs->senders.next, sbk_request, in_senders);

    if (!was_taken(sockjs, request)) {
      return;
    }
    sbk__list_remove(&request->in_senders);
    sbk__sockjs_answer_sender(request->conn);
  }
}

/* Another may have its id by now. */
static void leave_map(sbk__sockjs *sockjs) {
  sbk__map *sessions = &sockjs->endpoint->sockjs->sessions;

  if (sbk__map_find(sessions, sockjs->id, sockjs->id_len) == sockjs) {
    sbk__map_remove(sessions, sockjs->id, sockjs->id_len);
  }
}

void sbk__sockjs_free(sbk_conn *conn) {
  sbk_broker *broker = conn->broker;
  const struct sbk_mem *mem = &broker->core.mem;
  sbk__sockjs *sockjs = conn->sockjs;

  leave_map(sockjs);
  broker->sockjs_count--;
  sbk_buf_unref(sockjs->last);
  sbk__free(mem, sockjs->user);
  sbk__free(mem, sockjs->origin);
  sbk__free(mem, sockjs);
  conn->sockjs = NULL;
  if (broker->closed && broker->sockjs_count == 0) {
    sbk__drain_requests(broker);
  }
}

void sbk__sockjs_ended(sbk_conn *conn) {
  sbk__sockjs *sockjs = conn->sockjs;

  leave_map(sockjs); /* a request that comes now comes too late for it */
  if (sockjs->receiver != NULL) {
    sbk__conn_end(sockjs->receiver, conn->reason);
  }
  answer_senders(sockjs);
  sbk__work_add(conn->broker, &conn->work);
}

bool sbk__sockjs_work(sbk_conn *conn) {
  sbk__sockjs *sockjs = conn->sockjs;

  if (conn->state != SBK__CONN_DEAD) {
    sbk__conn_unhold(conn);
    answer_senders(sockjs);
    return false;
  }
  if (!conn->session->ended) {
    sbk__work_add(conn->broker, &conn->work); /* behind the session's own */
    return false;
  }
  sbk__conn_drop(conn);

  return true;
}

void sbk__sockjs_wake(sbk__sockjs *sockjs) {
  sbk_session *session = sockjs->conn->session;

  if (is_closed(sockjs) && sockjs->last == NULL) {
    const sbk__entry *entry =
        session->out.count > 0
            ? sbk__outq_at(&session->out, session->out.count - 1)
            : NULL;

    if (entry != NULL && entry->slot == SBK__OUT_FRAME &&
        entry->ref.buf->data[0] == 'c') {
      sockjs->last = sbk_buf_ref(entry->ref.buf);
    }
    sbk__work_add(session->broker, &sockjs->conn->work);
  }
  if (sockjs->receiver != NULL) {
    sbk__conn_ready(sockjs->receiver);
  }
  sbk__conn_arm(sockjs->conn);
}

/* ---- time ---- */

static void begin_feed(sbk__sockjs *sockjs) {
  sockjs->fed = 0;
  sockjs->fed_at = sockjs->conn->broker->core.now;
}

static sbk_msec end_due(const sbk_conn *conn) {
  const sbk__sockjs *sockjs = conn->sockjs;
  sbk_msec delay = sockjs->endpoint->sockjs->disconnect_delay;

  if (conn->session->state == SBK__CLOSING) {
    return sbk__after(conn->closing_at, delay);
  }

  return sockjs->receiver == NULL ? sbk__after(sockjs->left_at, delay)
                                  : SBK_NEVER;
}

/* When it has rested. */
static sbk_msec feed_due(const sbk_conn *conn) {
  return conn->held != NULL && sbk__sockjs_rests(conn)
             ? sbk__after(conn->sockjs->fed_at, 1)
             : SBK_NEVER;
}

sbk_msec sbk__sockjs_due(const sbk_conn *conn) {
  return conn->state == SBK__CONN_DEAD
             ? SBK_NEVER
             : sbk__earlier(feed_due(conn),
                            sbk__earlier(end_due(conn),
                                         sbk__session_due(conn->session)));
}

void sbk__sockjs_tick(sbk_conn *conn) {
  if (conn->state == SBK__CONN_DEAD) {
    return;
  }
  if (feed_due(conn) <= conn->broker->core.now) {
    begin_feed(conn->sockjs);
    sbk__work_add(conn->broker, &conn->work);
  }
  if (end_due(conn) <= conn->broker->core.now) {
    sbk__conn_end(conn, SBK_ERR_EOF);
  } else {
    sbk__session_tick(conn->session);
  }
}

/* ---- what comes in ---- */

/* What waits while it rests is much: that cannot wait. */
static void hurry(sbk__sockjs *sockjs) {
  sockjs->fed = 0;
  sockjs->hurries = true;
  sbk__conn_unhold(sockjs->conn);
  sockjs->hurries = false;
  sbk__work_add(sockjs->conn->broker, &sockjs->conn->work); /* the answers */
}

static void take_all(sbk__sockjs *sockjs, const sbk__sockjs_reader *reader) {
  sbk_conn *conn = sockjs->conn;
  const uint8_t *data;
  size_t len, at = 0;

  conn->session->last_in = conn->broker->core.now;
  if (conn->held == NULL && conn->broker->core.now != sockjs->fed_at) {
    begin_feed(sockjs);
  }
  while (conn->session->state != SBK__CLOSING &&
         sbk__sockjs_next(reader, &at, &data, &len)) {
    if (conn->session->plain) {
      sbk__conn_give_plain(conn->session, false, data, len);
      continue;
    }
    if (sbk__sockjs_rests(conn) && !sbk__conn_may_hold(conn, len)) {
      hurry(sockjs);
    }
    sockjs->brought += len;
    sbk__conn_take(conn, data, len);
  }
  sbk__conn_arm(conn);
}

void sbk__sockjs_feed(sbk__sockjs *sockjs, sbk_conn *conn,
                      const sbk__sockjs_reader *reader) {
  sbk_request *request = conn->request;
  uint64_t before = sockjs->brought;

  take_all(sockjs, reader);
  request->fed_to = sockjs->brought;
  if (request->fed_to == before || was_taken(sockjs, request)) {
    sbk__sockjs_answer_sender(conn);
  } else {
    /* As a stream that is not read: who sent it waits with what follows. */
    conn->state = SBK__CONN_SENDS;
    sbk__list_push(&sockjs->senders, &request->in_senders);
  }
}

bool sbk__sockjs_rests(const sbk_conn *conn) {
  return sbk__sockjs_carries(conn) && conn->sockjs->fed >= FEED_BYTES &&
         conn->session->state != SBK__CLOSING;
}

size_t sbk__sockjs_take(sbk__sockjs *sockjs, const uint8_t *data, size_t len) {
  size_t left = FEED_BYTES - sockjs->fed;
  size_t done =
      sbk__inbound_feed(sockjs->conn->session, data, len < left ? len : left);

  sockjs->fed += sockjs->hurries ? 0 : done;

  return done;
}

void sbk__sockjs_vouch(const sbk__sockjs *sockjs, sbk_conn *conn) {
  if (sockjs->conn->session->state == SBK__CONNECTED) {
    sbk__conn_set_pending(conn, false);
  }
}

/* ---- what goes out ---- */

void sbk__sockjs_attach(sbk__sockjs *sockjs, sbk_conn *conn,
                        const sbk__sockjs_way *way) {
  conn->state = SBK__CONN_RECEIVES;
  conn->sockjs = sockjs;
  sockjs->receiver = conn;
  sockjs->way = *way;
  sockjs->streamed = 0;
  sockjs->frame_len = sockjs->frame_left = 0;
  sockjs->ends = sockjs->parting = false;
  sbk__session_taken_by(sockjs->conn->session, (uint8_t)way->kind);
  sbk__conn_ready(conn);
  sbk__conn_arm(sockjs->conn);
}

void sbk__sockjs_detach(sbk_conn *conn) {
  sbk__sockjs *sockjs = conn->sockjs;
  sbk_broker *broker = conn->broker;

  conn->sockjs = NULL;
  broker->counts.sockjs_interrupted +=
      sockjs->frame_left > 0 && sockjs->frame_left < sockjs->frame_len;
  sockjs->receiver = NULL;
  sockjs->taken = 0;
  sockjs->left_at = broker->core.now;
  sbk__free(&broker->core.mem, sockjs->way.callback);
  sockjs->way.callback = NULL;
  sbk__session_left_alone(sockjs->conn->session);
  sbk__conn_arm(sockjs->conn);
  sbk__sockjs_shutdown(sockjs);
}

void sbk__sockjs_shutdown(sbk__sockjs *sockjs) {
  if (sockjs->conn->broker->shut_down && sockjs->told &&
      sockjs->receiver == NULL) {
    sbk__conn_end(sockjs->conn, sockjs->conn->session->reason);
  }
}

/* All of a closed session's queue is out, but this is a new receiver. */
static bool says_last_again(const sbk__sockjs *sockjs) {
  return is_closed(sockjs) && sockjs->conn->session->out.count == 0;
}

bool sbk__sockjs_has_output(const sbk_conn *receiver) {
  const sbk__sockjs *sockjs = receiver->sockjs;

  return sockjs->taken == 0 && !sockjs->ends &&
         (sockjs->conn->session->out.count > 0 || says_last_again(sockjs));
}

static size_t frame_limit(const sbk__sockjs *sockjs) {
  size_t limit = sockjs->endpoint->sockjs->stream_limit;

  return limit < FRAME_BYTES || sbk__sockjs_polls(&sockjs->way) ? limit
                                                                : FRAME_BYTES;
}

static void write_frame(const sbk__sockjs *sockjs, const sbk__frame *frame,
                        uint8_t *dst) {
  size_t len;

  if (frame->entries > 0) {
    sbk__frame_write(sockjs->conn->session, frame, dst);
  } else {
    memcpy(dst, sbk__sockjs_last_words(sockjs, &len), frame->len);
  }
}

/* A frame that is written anew, in a script or an event: it has to be formed
 * before it is known how long it is there. NULL: no memory. */
static uint8_t *form_frame(const sbk__sockjs *sockjs, const sbk__frame *frame,
                           size_t *len) {
  uint8_t *formed = sbk__malloc(&sockjs->conn->broker->core.mem, frame->len);

  if (formed != NULL) {
    write_frame(sockjs, frame, formed);
    *len = sbk__sockjs_wrapped_len(&sockjs->way, formed, frame->len);
  }

  return formed;
}

/* Of len bytes; formed is NULL, or what is written anew. */
static int put_frame(sbk_conn *conn, const sbk__frame *frame,
                     const uint8_t *formed, size_t len, bool ends) {
  sbk__sockjs *sockjs = conn->sockjs;
  size_t before = conn->stage != NULL ? conn->stage->bytes : 0;
  uint8_t *room;
  int rv = sbk__sockjs_put(conn, &sockjs->way, len, ends, &room,
                           &sockjs->frame_left);

  sockjs->frame_len = rv == 0 ? sockjs->frame_left - before : 0;
  if (rv == 0 && formed != NULL) {
    sbk__sockjs_wrap(&sockjs->way, room, formed, frame->len);
  } else if (rv == 0) {
    write_frame(sockjs, frame, room);
  }

  return rv;
}

int sbk__sockjs_next_frame(sbk_conn *receiver) {
  sbk__sockjs *sockjs = receiver->sockjs;
  sbk_session *session = sockjs->conn->session;
  sbk__frame frame = {0, 0, false, true};
  uint8_t *formed = NULL;
  size_t len, streamed;
  bool ends;
  int rv;

  if (session->out.count > 0) {
    sbk__frame_next(session, frame_limit(sockjs), &frame);
  } else {
    sbk__sockjs_last_words(sockjs, &frame.len);
  }
  len = frame.len;
  if (sbk__sockjs_is_wrapped(&sockjs->way)) {
    formed = form_frame(sockjs, &frame, &len);
    if (formed == NULL) {
      return SBK_ERR_NOMEM;
    }
  }
  streamed = sockjs->streamed + len + sbk__sockjs_around(&sockjs->way);
  ends = frame.last || sbk__sockjs_polls(&sockjs->way) ||
         streamed >= sockjs->endpoint->sockjs->stream_limit;
  rv = put_frame(receiver, &frame, formed, len, ends);
  sbk__free(&receiver->broker->core.mem, formed);
  if (rv == 0) {
    sockjs->streamed = streamed;
    sockjs->ends = ends;
    sockjs->parting = frame.last;
    sockjs->taken = frame.entries;
    sbk__output_take(session, frame.entries);
  }

  return rv;
}

/* A frame is out: what it was made of has left. */
static void frame_sent(sbk__sockjs *sockjs) {
  sbk_session *session = sockjs->conn->session;
  uint32_t count = sockjs->taken;

  session->taken = sockjs->taken = 0;
  session->last_out = session->moved = session->broker->core.now;
  sbk__output_pop(session, count);
  if (session->hungry) {
    sbk__session_eats(session);
  }
}

void sbk__sockjs_sent(sbk_conn *receiver, size_t len) {
  sbk__sockjs *sockjs = receiver->sockjs;

  sockjs->frame_left -= len < sockjs->frame_left ? len : sockjs->frame_left;
  if (sockjs->frame_left == 0) {
    sockjs->told = sockjs->told || sockjs->parting;
    if (sockjs->taken > 0) {
      frame_sent(sockjs);
      sbk__sockjs_vouch(sockjs, receiver);
    }
  }
  if (sockjs->ends &&
      (receiver->stage == NULL || receiver->stage->bytes == 0)) {
    sbk__sockjs_detach(receiver);
    sbk__http_received(receiver);
  }
}
