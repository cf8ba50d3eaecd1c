#include "sockjs_request.h"

#include <string.h>

#include "ascii.h"
#include "sockjs.h"
#include "sockjs_fields.h"
#include "sockjs_origin.h"
#include "sockjs_page.h"

/* The body of a request that sends. */
struct sbk__sockjs_post {
  sbk__sockjs_reader reader;
  sbk__sockjs_form form;
  bool is_form;
  int broken; /* what reading said */
};

static bool is_kind(const sbk_request *request, enum sbk__sockjs_kind kind) {
  return request->target.kind == kind;
}

static bool sends(const sbk_request *request) {
  return is_kind(request, SBK__SOCKJS_XHR_SEND) ||
         is_kind(request, SBK__SOCKJS_JSONP_SEND);
}

static bool is_of_session(const sbk_request *request) {
  return request->target.kind >= SBK__SOCKJS_XHR;
}

static bool is_method(const sbk_request *request, const char *method) {
  return strcmp(sbk__http_method(&request->head), method) == 0;
}

static const sbk__sockjs_setup *setup_of(const sbk_request *request) {
  return request->endpoint->sockjs;
}

static sbk__sockjs *find(const sbk_request *request) {
  return is_of_session(request)
             ? sbk__sockjs_find(request->endpoint, &request->target)
             : NULL;
}

sbk_session *sbk__sockjs_session_of(const sbk_request *request) {
  const sbk__sockjs *sockjs =
      request->endpoint != NULL && setup_of(request) != NULL ? find(request)
                                                             : NULL;

  return sockjs != NULL ? sockjs->conn->session : NULL;
}

void sbk__sockjs_post_free(sbk_conn *conn, struct sbk__sockjs_post *post) {
  if (post != NULL) {
    sbk__sockjs_reader_clear(&post->reader);
    sbk__free(&conn->broker->core.mem, post);
  }
}

/* ---- the head ---- */

static bool is_enabled(const sbk_request *request) {
  const sbk__sockjs_setup *setup = setup_of(request);

  switch (request->target.kind) {
  case SBK__SOCKJS_NONE:
    return false;
  case SBK__SOCKJS_IFRAME:
    return setup->client_url != NULL;
  case SBK__SOCKJS_HTMLFILE:
    return setup->htmlfile;
  case SBK__SOCKJS_JSONP:
  case SBK__SOCKJS_JSONP_SEND:
    return setup->jsonp;
  default:
    return true;
  }
}

/* Is the request's method among those of its path? HEAD is GET there (RFC 9110,
 * 9.3.2), where answers do not depend on a session. */
static bool method_allowed(const sbk_request *request) {
  const char *allowed = sbk__sockjs_methods(request->target.kind);
  const char *method = sbk__http_method(&request->head);
  const char *found;

  if (strcmp(method, "HEAD") == 0) {
    return request->target.kind <= SBK__SOCKJS_IFRAME;
  }
  found = strstr(allowed, method);

  return found != NULL && (found == allowed || found[-1] == ' ') &&
         strchr(",", found[strlen(method)]) != NULL;
}

static uint8_t check_callback(sbk_request *request) {
  char name[SBK__SOCKJS_CALLBACK_MAX + 2];
  int len = sbk__http_query_get(sbk__http_query(&request->head), "c", name,
                                sizeof(name));

  if (!sbk__sockjs_is_from_script(request)) {
    return 0;
  }
  if (len == SBK_ERR_NOT_FOUND || len == 0) {
    return SBK__SOCKJS_NO_CALLBACK;
  }

  return len < 0 || !sbk__sockjs_callback_valid(name) ? SBK__SOCKJS_BAD_CALLBACK
                                                      : 0;
}

/* 0, or the status that refuses before the body has come. */
static int check(sbk_conn *conn) {
  sbk_request *request = conn->request;

  if (!is_enabled(request)) {
    return 404;
  }
  if (!method_allowed(request)) {
    return 405;
  }
  if (!is_kind(request, SBK__SOCKJS_GREETING) &&
      !is_kind(request, SBK__SOCKJS_IFRAME) &&
      !sbk__sockjs_origin_allowed(request)) {
    sbk__log(&conn->broker->core, SBK_LOG_INFO, conn->peer,
             "origin not allowed",
             sbk__http_field_get(&request->head, "Origin"));
    return 403;
  }
  request->complaint = check_callback(request);
  if (request->complaint != 0) {
    return 500;
  }

  return sends(request) && is_method(request, "POST") && find(request) == NULL
             ? 404
             : 0;
}

/* Who has not said who it is yet may bring less. */
static size_t body_limit(const sbk_conn *conn) {
  const sbk__sockjs *sockjs = sends(conn->request) ? find(conn->request) : NULL;
  size_t preauth = conn->broker->core.config.max_preauth_input;
  size_t limit = setup_of(conn->request)->max_body;

  return sockjs == NULL ||
                 (!sockjs->conn->session->was_connected && preauth < limit)
             ? preauth
             : limit;
}

static bool is_form(const sbk_request *request) {
  static const char form[] = "application/x-www-form-urlencoded";
  const char *type = sbk__http_field_get(&request->head, "Content-Type");

  return is_kind(request, SBK__SOCKJS_JSONP_SEND) && type != NULL &&
         sbk__ascii_same(type, strcspn(type, "; \t"), form, sizeof(form) - 1);
}

/* 0, or SBK_ERR_NOMEM. */
static int begin_post(sbk_conn *conn) {
  sbk_request *request = conn->request;
  struct sbk__sockjs_post *post =
      sbk__calloc(&conn->broker->core.mem, 1, sizeof(*post));

  if (post == NULL) {
    return SBK_ERR_NOMEM;
  }
  sbk__sockjs_reader_init(&post->reader, &conn->broker->core.mem, false);
  sbk__sockjs_form_init(&post->form);
  post->is_form = is_form(request);
  request->post = post;

  return 0;
}

/* The whole request is there. */
static void arrived(sbk_conn *conn) {
  sbk_request *request = conn->request;

  if (request->refusal != 0) {
    sbk__http_count_refusal(conn, request->refusal);
    sbk__sockjs_refuse(conn, request->refusal);
  } else if (is_method(request, "OPTIONS")) {
    sbk__sockjs_answer_options(conn);
  } else if (is_kind(request, SBK__SOCKJS_GREETING)) {
    sbk__sockjs_answer_greeting(conn);
  } else if (is_kind(request, SBK__SOCKJS_INFO)) {
    sbk__sockjs_answer_info(conn);
  } else if (is_kind(request, SBK__SOCKJS_IFRAME)) {
    sbk__sockjs_answer_iframe(conn);
  } else {
    sbk__http_ask_handshake(conn);
  }
}

/* As sbk__http_body_len(); an exchange's is there already. */
static int check_body(const sbk_conn *conn, size_t limit, size_t *len) {
  if (conn->exchange == NULL) {
    return sbk__http_body_len(&conn->request->head, limit, len);
  }
  *len = conn->exchange->body_len;

  return *len > limit ? -413 : 0;
}

void sbk__sockjs_dispatch(sbk_conn *conn) {
  sbk_request *request = conn->request;
  int rv = 0;
  int bad = check_body(conn, body_limit(conn), &request->body_len);

  request->refusal = check(conn);
  if (bad != 0) {
    /* Where the next request begins cannot be told, or is too far. */
    request->close = true;
    request->last = false;
    request->refusal = request->refusal != 0 ? request->refusal : -bad;
    request->body_len = 0;
  }
  if (request->refusal == 0 && sends(request) && is_method(request, "POST")) {
    rv = begin_post(conn);
  }
  if (rv != 0) {
    sbk__conn_end(conn, rv);
  } else if (request->body_len > 0) {
    conn->state = SBK__CONN_BODY;
  } else {
    arrived(conn);
  }
}

/* ---- the body ---- */

static int read_post(struct sbk__sockjs_post *post, const uint8_t *data,
                     size_t len) {
  return post->is_form
             ? sbk__sockjs_form_read(&post->form, data, len, &post->reader)
             : sbk__sockjs_read(&post->reader, data, len);
}

size_t sbk__sockjs_take_body(sbk_conn *conn, const uint8_t *data, size_t len) {
  sbk_request *request = conn->request;
  size_t left = request->body_len - request->body_done;
  size_t size = len < left ? len : left;

  if (request->post != NULL && request->post->broken == 0) {
    request->post->broken = read_post(request->post, data, size);
    if (request->post->broken == SBK_ERR_NOMEM) {
      sbk__conn_end(conn, SBK_ERR_NOMEM);
      return len;
    }
  }
  request->body_done += size;
  if (request->body_done == request->body_len) {
    arrived(conn);
  }

  return size;
}

/* ---- what it wants of a session ---- */

/* Is it of the session's user, and of the page that opened it? */
static bool belongs(const sbk__sockjs *sockjs, const sbk_request *request,
                    const char *origin) {
  bool same_user = sockjs->user == NULL || request->user_name == NULL
                       ? sockjs->user == request->user_name
                       : strcmp(sockjs->user, request->user_name) == 0;

  return same_user && (sockjs->origin == NULL || origin == NULL ||
                       strcmp(sockjs->origin, origin) == 0);
}

/* False: there was no memory, and the connection ends. */
static bool bind_origin(sbk__sockjs *sockjs, sbk_conn *conn,
                        const char *origin) {
  if (sockjs->origin == NULL && origin != NULL) {
    sockjs->origin =
        sbk__strndup(&conn->broker->core.mem, origin, strlen(origin));
    if (sockjs->origin == NULL) {
      sbk__conn_end(conn, SBK_ERR_NOMEM);
      return false;
    }
  }

  return true;
}

static void complain(sbk_conn *conn, uint8_t complaint) {
  conn->request->complaint = complaint;
  sbk__sockjs_refuse(conn, 500);
}

static void take_messages(sbk_conn *conn, sbk__sockjs *sockjs) {
  struct sbk__sockjs_post *post = conn->request->post;
  int rv = post->broken;

  if (rv == 0) {
    rv = post->is_form ? sbk__sockjs_form_end(&post->form, &post->reader)
                       : sbk__sockjs_read_end(&post->reader);
  }
  if (rv == SBK_ERR_NOMEM) {
    sbk__conn_end(conn, rv);
    return;
  }
  if (rv != 0) {
    conn->broker->counts.requests_malformed++;
    complain(conn, rv == SBK_ERR_NOT_FOUND ? SBK__SOCKJS_NO_PAYLOAD
                                           : SBK__SOCKJS_BROKEN);
    return;
  }

  sbk__sockjs_feed(sockjs, conn, &post->reader);
}

/* Nothing but one frame. */
static void answer_frame(sbk_conn *conn, sbk__sockjs_way *way,
                         const void *frame, size_t len) {
  bool wrapped = sbk__sockjs_is_wrapped(way);
  size_t size = wrapped ? sbk__sockjs_wrapped_len(way, frame, len) : len, until;
  uint8_t *room;
  int rv = sbk__sockjs_put(conn, way, size, true, &room, &until);

  if (rv == 0 && wrapped) {
    sbk__sockjs_wrap(way, room, frame, len);
  } else if (rv == 0) {
    memcpy(room, frame, len);
  }
  sbk__free(&conn->broker->core.mem, way->callback);
  if (rv != 0) {
    sbk__conn_end(conn, rv);
  } else {
    sbk__http_received(conn);
  }
}

/* The head of an answer that frames follow in. 0, or SBK_ERR_NOMEM. */
static int begin_answer(sbk_conn *conn, sbk__sockjs_way *way) {
  const sbk_request *request = conn->request;
  char name[SBK__SOCKJS_CALLBACK_MAX + 2];
  sbk__answer answer;
  int rv;

  way->kind = request->target.kind;
  way->callback = NULL;
  if (sbk__sockjs_is_from_script(request)) {
    sbk__http_query_get(sbk__http_query(&request->head), "c", name,
                        sizeof(name));
    way->callback = sbk__strndup(&conn->broker->core.mem, name, strlen(name));
    if (way->callback == NULL) {
      return SBK_ERR_NOMEM;
    }
  }

  sbk__answer_init(&answer, conn, 200);
  sbk__sockjs_put_type(&answer, sbk__sockjs_content_type(way->kind));
  sbk__sockjs_put_not_cached(&answer);
  sbk__sockjs_put_cookie(&answer, request);
  sbk__sockjs_put_cors(&answer, request);
  if (way->kind == SBK__SOCKJS_JSONP) {
    /* Asked for as a page of its own it is a file, and not named by whom
     * wrote the link. */
    sbk__answer_field(&answer, "Content-Disposition",
                      "attachment; filename=\"f.txt\"");
  }
  if (way->kind == SBK__SOCKJS_HTMLFILE) {
    sbk__sockjs_put_ancestors(&answer, request->endpoint);
  }
  if (!sbk__sockjs_polls(way)) {
    /* nginx's word for: do not wait for the end of this */
    sbk__answer_field(&answer, "X-Accel-Buffering", "no");
  }
  conn->close = request->close;
  rv = sbk__answer_begin(&answer, &way->chunked);
  conn->unframed = !way->chunked;
  if (rv == 0) {
    rv = sbk__sockjs_put_prelude(conn, way);
  }
  if (rv != 0) {
    sbk__free(&conn->broker->core.mem, way->callback);
  }

  return rv;
}

static void give_frames(sbk_conn *conn, sbk__sockjs *sockjs) {
  static const char taken[] = "c[2010,\"Another connection still open\"]";
  const void *last;
  size_t last_len;
  sbk__sockjs_way way;
  int rv = begin_answer(conn, &way);

  if (rv != 0) {
    sbk__conn_end(conn, rv);
    return;
  }
  last = sbk__sockjs_last_words(sockjs, &last_len);
  if (sockjs->receiver == NULL) {
    sbk__sockjs_attach(sockjs, conn, &way);
    sbk__http_receives(conn);
  } else if (last != NULL) {
    answer_frame(conn, &way, last, last_len);
  } else {
    answer_frame(conn, &way, taken, sizeof(taken) - 1);
  }
}

/* 0, or SBK_ERR_…, and the request is answered or the connection ends. */
static int open_session(sbk_conn *conn, sbk__sockjs **sockjs) {
  int rv;

  if (conn->broker->closed) {
    conn->broker->counts.requests_full++;
    sbk__sockjs_refuse(conn, 503);
    return SBK_ERR_CLOSED;
  }
  rv = sbk__sockjs_open(conn, sockjs);
  if (rv == SBK_ERR_TOO_MANY) {
    conn->broker->counts.requests_full++;
    sbk__sockjs_refuse(conn, 503);
  } else if (rv != 0) {
    sbk__conn_end(conn, rv);
  }

  return rv;
}

void sbk__sockjs_passed(sbk_conn *conn) {
  sbk_request *request = conn->request;
  sbk__sockjs *sockjs = find(request);
  char buf[264];
  const char *origin = sbk__sockjs_origin(request, buf, sizeof(buf));

  if (sockjs == NULL ? sends(request) : !belongs(sockjs, request, origin)) {
    conn->broker->counts.requests_not_found++;
    sbk__sockjs_refuse(conn, 404);
    return;
  }
  if ((sockjs == NULL && open_session(conn, &sockjs) != 0) ||
      !bind_origin(sockjs, conn, origin)) {
    return;
  }
  sbk__sockjs_vouch(sockjs, conn);
  if (sends(request)) {
    take_messages(conn, sockjs);
  } else {
    give_frames(conn, sockjs);
  }
}
