#include "sockjs_request.h"

#include <string.h>

#include "answer.h"
#include "ascii.h"
#include "origin.h"
#include "sockjs.h"

/* What the browser may keep: a year, in seconds, and a day that is not near for
 * those who only know Expires. */
#define YEAR    "31536000"
#define FAR_DAY "Thu, 31 Dec 2037 23:55:55 GMT"

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

/* ---- origins ---- */

/* Scripts and frames bring no Origin, and yet their page's matters: what they
 * load they run. */
static bool is_script(const sbk_request *request) {
  return is_kind(request, SBK__SOCKJS_JSONP) ||
         is_kind(request, SBK__SOCKJS_HTMLFILE);
}

/* The origin in front of a URL's path, with NUL; false: that is none. */
static bool cut_origin(const char *url, char *dst, size_t size) {
  const char *host = strstr(url, "://");
  size_t len;

  if (host == NULL) {
    return false;
  }
  len = (size_t)(host - url) + 3 + strcspn(host + 3, "/?#");
  if (len >= size) {
    return false;
  }
  memcpy(dst, url, len);
  dst[len] = '\0';

  return true;
}

/* The page's origin, as far as the request has it; NULL: it does not say. buf
 * has room for one out of Referer. */
static const char *origin_of(const sbk_request *request, char *buf,
                             size_t size) {
  const char *origin = sbk__http_field_get(&request->head, "Origin");
  const char *referer = sbk__http_field_get(&request->head, "Referer");

  if (origin != NULL || !is_script(request) || referer == NULL) {
    return origin;
  }

  return cut_origin(referer, buf, size) ? buf : "null";
}

static bool lets_all_in(const sbk__endpoint *endpoint) {
  char *const *entry = endpoint->origins;

  while (entry != NULL && *entry != NULL && strcmp(*entry, "*") != 0) {
    entry++;
  }

  return entry != NULL && *entry != NULL;
}

/* Fetch Metadata, 2.3: no page can leave this out, other than Referer. */
static bool comes_from_elsewhere(const sbk_request *request) {
  const char *site = sbk__http_field_get(&request->head, "Sec-Fetch-Site");

  return site != NULL && strcmp(site, "same-origin") != 0 &&
         strcmp(site, "none") != 0;
}

static bool origin_allowed(const sbk_request *request) {
  const sbk__endpoint *endpoint = request->endpoint;
  char buf[264];
  const char *origin = origin_of(request, buf, sizeof(buf));

  if (origin == NULL) {
    return !endpoint->require_origin &&
           (!is_script(request) || lets_all_in(endpoint) ||
            !comes_from_elsewhere(request));
  }

  return sbk__origin_allowed(origin, endpoint->secure ? "https" : "http",
                             sbk__http_field_get(&request->head, "Host"),
                             (const char *const *)endpoint->origins);
}

/* ---- answers ---- */

/* Written, or there was no memory. */
static void finish(sbk_conn *conn, int rv) {
  if (rv != 0) {
    sbk__conn_end(conn, rv);
  } else {
    sbk__http_answered(conn);
  }
}

/* CORS (Fetch, 3.2): the page's own origin, never any with credentials. */
static void put_cors(sbk__answer *answer, const sbk_request *request) {
  const char *origin = sbk__http_field_get(&request->head, "Origin");

  if (origin != NULL) {
    sbk__answer_field(answer, "Access-Control-Allow-Origin", origin);
    sbk__answer_field(answer, "Access-Control-Allow-Credentials", "true");
    sbk__answer_field(answer, "Vary", "Origin");
  } else if (lets_all_in(request->endpoint)) {
    sbk__answer_field(answer, "Access-Control-Allow-Origin", "*");
  }
}

static void put_not_cached(sbk__answer *answer) {
  sbk__answer_field(answer, "Cache-Control",
                    "no-store, no-cache, no-transform, must-revalidate, "
                    "max-age=0");
}

static void put_cached(sbk__answer *answer) {
  sbk__answer_field(answer, "Cache-Control", "public, max-age=" YEAR);
  sbk__answer_field(answer, "Expires", FAR_DAY);
}

static void put_type(sbk__answer *answer, const char *type) {
  sbk__answer_field(answer, "Content-Type", type);
  sbk__answer_field(answer, "X-Content-Type-Options", "nosniff");
}

/* RFC 6265, 4.1.1 */
static bool is_cookie_value(const char *value) {
  for (; *value != '\0'; value++) {
    if (*value <= 0x20 || *value >= 0x7f || strchr("\",;\\", *value) != NULL) {
      return false;
    }
  }

  return true;
}

/* sockjs-protocol 0.3.3, JSESSIONID cookie: some load balancers bring requests
 * to one server if they see it, so it comes back as it was. */
static void put_cookie(sbk__answer *answer, const sbk_request *request) {
  sbk__str *out = &answer->fields;
  const char *cookie = "dummy";
  char value[128];

  if (!setup_of(request)->cookie) {
    return;
  }
  if (sbk__http_cookie_get(&request->head, "JSESSIONID", value, sizeof(value)) >
          0 &&
      is_cookie_value(value)) {
    cookie = value;
  }
  sbk__str_addz(out, "Set-Cookie: JSESSIONID=");
  sbk__str_addz(out, cookie);
  sbk__str_addz(out, "; Path=/\r\n");
}

static const char *refusal_text(const sbk_request *request, int status) {
  switch (request->complaint) {
  case SBK__SOCKJS_NO_CALLBACK:
    return "\"callback\" parameter required";
  case SBK__SOCKJS_BAD_CALLBACK:
    return "invalid \"callback\" parameter";
  case SBK__SOCKJS_NO_PAYLOAD:
    return "Payload expected.";
  case SBK__SOCKJS_BROKEN:
    return "Broken JSON encoding.";
  default:
    return sbk__http_reason(status);
  }
}

void sbk__sockjs_refuse(sbk_conn *conn, int status) {
  const sbk_request *request = conn->request;
  const char *text = refusal_text(request, status);
  sbk__answer answer;

  sbk__log(&conn->broker->core, SBK_LOG_INFO, conn->peer, "refused", text);
  sbk__answer_init(&answer, conn, status);
  if (status == 405) {
    sbk__answer_field(&answer, "Allow",
                      sbk__sockjs_methods(request->target.kind));
  } else {
    if (status == 503) {
      sbk__answer_field(&answer, "Retry-After", "5");
    }
    put_type(&answer, "text/plain; charset=UTF-8");
    put_not_cached(&answer);
  }
  if (status != 403 && status != 405) {
    put_cors(&answer, request);
  }
  /* sockjs-protocol 0.3.3, Static URLs: 405 has no body. */
  finish(conn, status == 405 ? sbk__answer_whole(&answer, NULL, 0)
                             : sbk__answer_line(&answer, text));
}

static void complain(sbk_conn *conn, uint8_t complaint) {
  conn->request->complaint = complaint;
  sbk__sockjs_refuse(conn, 500);
}

/* CORS (Fetch, 3.2.2): may the page ask that? */
static void answer_options(sbk_conn *conn) {
  const sbk_request *request = conn->request;
  const char *wanted =
      sbk__http_field_get(&request->head, "Access-Control-Request-Headers");
  sbk__answer answer;

  sbk__answer_init(&answer, conn, 204);
  put_cors(&answer, request);
  sbk__answer_field(&answer, "Access-Control-Allow-Methods",
                    sbk__sockjs_methods(request->target.kind));
  if (wanted != NULL && *wanted != '\0') {
    sbk__answer_field(&answer, "Access-Control-Allow-Headers", wanted);
  }
  sbk__answer_field(&answer, "Access-Control-Max-Age", YEAR);
  put_cached(&answer);
  finish(conn, sbk__answer_whole(&answer, NULL, 0));
}

static void answer_greeting(sbk_conn *conn) {
  static const char text[] = "Welcome to SockJS!\n";
  sbk__answer answer;

  sbk__answer_init(&answer, conn, 200);
  put_type(&answer, "text/plain; charset=UTF-8");
  finish(conn, sbk__answer_whole(&answer, text, sizeof(text) - 1));
}

/* sockjs-protocol 0.3.3, Info test. Origins are decided here, not there. */
static void answer_info(sbk_conn *conn) {
  const sbk_request *request = conn->request;
  const sbk__core *core = &conn->broker->core;
  uint32_t entropy;
  sbk__answer answer;
  sbk__str body;
  int rv = sbk__random(core, &entropy, sizeof(entropy));

  if (rv != 0) {
    sbk__conn_end(conn, rv);
    return;
  }
  sbk__str_init(&body, &core->mem);
  sbk__str_addz(&body, "{\"websocket\":");
  sbk__str_addz(&body, setup_of(request)->no_websocket ? "false" : "true");
  sbk__str_addz(&body, ",\"origins\":[\"*:*\"],\"cookie_needed\":");
  sbk__str_addz(&body, setup_of(request)->cookie ? "true" : "false");
  sbk__str_addz(&body, ",\"entropy\":");
  sbk__str_add_u64(&body, entropy);
  sbk__str_addz(&body, "}");

  sbk__answer_init(&answer, conn, 200);
  put_type(&answer, "application/json; charset=UTF-8");
  put_not_cached(&answer);
  put_cors(&answer, request);
  answer.fields.failed = answer.fields.failed || body.failed;
  rv = sbk__answer_whole(&answer, body.data, body.len);
  sbk__str_free(&body);
  finish(conn, rv);
}

/* CSP 3, 6.4.2: who may hold this in a frame. Nothing is said if anybody may.
 */
static void put_ancestors(sbk__answer *answer, const sbk__endpoint *endpoint) {
  sbk__str *out = &answer->fields;
  char *const *entry;

  if (lets_all_in(endpoint)) {
    return;
  }
  sbk__str_addz(out, "Content-Security-Policy: frame-ancestors 'self'");
  for (entry = endpoint->origins; entry != NULL && *entry != NULL; entry++) {
    size_t len = strlen(*entry);
    bool any_port = len > 4 && strcmp(*entry + len - 4, ":[*]") == 0;

    if (strcmp(*entry, "null") != 0) {
      sbk__str_addz(out, " ");
      sbk__str_add(out, *entry, any_port ? len - 4 : len);
      sbk__str_addz(out, any_port ? ":*" : "");
    }
  }
  sbk__str_addz(out, "\r\n");
}

static void put_page(sbk__str *out, const char *client_url) {
  sbk__str_addz(out,
                "<!DOCTYPE html>\n"
                "<html>\n"
                "<head>\n"
                "  <meta http-equiv=\"X-UA-Compatible\" content=\"IE=edge\" "
                "/>\n"
                "  <meta http-equiv=\"Content-Type\" content=\"text/html; "
                "charset=UTF-8\" />\n"
                "  <script src=\"");
  sbk__str_addz(out, client_url);
  sbk__str_addz(out, "\"></script>\n"
                     "  <script>\n"
                     "    document.domain = document.domain;\n"
                     "    SockJS.bootstrap_iframe();\n"
                     "  </script>\n"
                     "</head>\n"
                     "<body>\n"
                     "  <h2>Don't panic!</h2>\n"
                     "  <p>This is a SockJS hidden iframe. It's used for cross "
                     "domain magic.</p>\n"
                     "</body>\n"
                     "</html>\n");
}

/* A name of what the page is: equal pages have equal ones, in every run. */
static void write_etag(char tag[19], const sbk__str *page) {
  static const uint8_t seed[16] = {0};
  static const char hex[] = "0123456789abcdef";
  uint64_t hash = sbk__siphash13(seed, page->data, page->len);
  int i;

  tag[0] = tag[17] = '"';
  for (i = 0; i < 16; i++) {
    tag[1 + i] = hex[hash >> (4 * i) & 15];
  }
  tag[18] = '\0';
}

static void answer_iframe(sbk_conn *conn) {
  const sbk_request *request = conn->request;
  const char *known = sbk__http_field_get(&request->head, "If-None-Match");
  sbk__answer answer;
  sbk__str page;
  char tag[19];
  int rv;

  sbk__str_init(&page, &conn->broker->core.mem);
  put_page(&page, setup_of(request)->client_url);
  if (page.failed) {
    sbk__str_free(&page);
    sbk__conn_end(conn, SBK_ERR_NOMEM);
    return;
  }
  write_etag(tag, &page);
  if (known != NULL && strcmp(known, tag) == 0) {
    sbk__answer_init(&answer, conn, 304);
    sbk__answer_field(&answer, "ETag", tag);
    put_cached(&answer);
    rv = sbk__answer_whole(&answer, NULL, 0);
  } else {
    sbk__answer_init(&answer, conn, 200);
    put_type(&answer, "text/html; charset=UTF-8");
    sbk__answer_field(&answer, "ETag", tag);
    put_cached(&answer);
    put_ancestors(&answer, request->endpoint);
    rv = sbk__answer_whole(&answer, page.data, page.len);
  }
  sbk__str_free(&page);
  finish(conn, rv);
}

void sbk__sockjs_sender_done(sbk_conn *conn) {
  const sbk_request *request = conn->request;
  bool jsonp = is_kind(request, SBK__SOCKJS_JSONP_SEND);
  sbk__answer answer;

  /* sockjs-protocol 0.3.3, XhrPolling and JsonpPolling: a type with no content
   * for a browser that else takes it for XML, and some for one that is
   * confused by none. */
  sbk__answer_init(&answer, conn, jsonp ? 200 : 204);
  put_type(&answer, "text/plain; charset=UTF-8");
  put_not_cached(&answer);
  put_cookie(&answer, request);
  put_cors(&answer, request);
  finish(conn, sbk__answer_whole(&answer, "ok", jsonp ? 2 : 0));
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

  if (!is_script(request)) {
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
      !is_kind(request, SBK__SOCKJS_IFRAME) && !origin_allowed(request)) {
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

  return sockjs == NULL || (sockjs->conn->session->state != SBK__CONNECTED &&
                            preauth < limit)
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
    answer_options(conn);
  } else if (is_kind(request, SBK__SOCKJS_GREETING)) {
    answer_greeting(conn);
  } else if (is_kind(request, SBK__SOCKJS_INFO)) {
    answer_info(conn);
  } else if (is_kind(request, SBK__SOCKJS_IFRAME)) {
    answer_iframe(conn);
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

static void send(sbk_conn *conn, sbk__sockjs *sockjs) {
  struct sbk__sockjs_post *post = conn->request->post;
  int rv =
      post->broken != 0 ? post->broken : sbk__sockjs_read_end(&post->reader);

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

  sbk__sockjs_feed(sockjs, &post->reader);
  if (sockjs->conn->held != NULL) {
    /* As a stream that is not read: who sent it waits with what follows. */
    conn->state = SBK__CONN_SENDS;
    sbk__list_push(&sockjs->senders, &conn->request->in_senders);
  } else {
    sbk__sockjs_sender_done(conn);
  }
}

/* Nothing but one frame. */
static void answer_frame(sbk_conn *conn, sbk__sockjs_way *way,
                         const void *frame, size_t len) {
  bool script = sbk__sockjs_is_script(way);
  size_t size = script ? sbk__sockjs_script_len(frame, len) : len, until;
  uint8_t *room;
  int rv = sbk__sockjs_put(conn, way, size, true, &room, &until);

  sbk__free(&conn->broker->core.mem, way->callback);
  if (rv != 0) {
    sbk__conn_end(conn, rv);
    return;
  }
  if (script) {
    sbk__sockjs_script(room, frame, len);
  } else {
    memcpy(room, frame, len);
  }
  sbk__http_received(conn);
}

/* The head of an answer that frames follow in. 0, or SBK_ERR_NOMEM. */
static int begin_answer(sbk_conn *conn, sbk__sockjs_way *way) {
  const sbk_request *request = conn->request;
  char name[SBK__SOCKJS_CALLBACK_MAX + 2];
  sbk__answer answer;
  int rv;

  way->kind = request->target.kind;
  way->callback = NULL;
  if (is_script(request)) {
    sbk__http_query_get(sbk__http_query(&request->head), "c", name,
                        sizeof(name));
    way->callback = sbk__strndup(&conn->broker->core.mem, name, strlen(name));
    if (way->callback == NULL) {
      return SBK_ERR_NOMEM;
    }
  }

  sbk__answer_init(&answer, conn, 200);
  put_type(&answer, sbk__sockjs_content_type(way->kind));
  put_not_cached(&answer);
  put_cookie(&answer, request);
  put_cors(&answer, request);
  if (way->kind == SBK__SOCKJS_JSONP) {
    /* Asked for as a page of its own it is a file, and not named by whom
     * wrote the link. */
    sbk__answer_field(&answer, "Content-Disposition",
                      "attachment; filename=\"f.txt\"");
  }
  if (way->kind == SBK__SOCKJS_HTMLFILE) {
    put_ancestors(&answer, request->endpoint);
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

static void receive(sbk_conn *conn, sbk__sockjs *sockjs) {
  static const char taken[] = "c[2010,\"Another connection still open\"]";
  sbk__sockjs_way way;
  int rv = begin_answer(conn, &way);

  if (rv != 0) {
    sbk__conn_end(conn, rv);
    return;
  }
  if (sockjs->receiver == NULL) {
    sbk__sockjs_attach(sockjs, conn, &way);
    sbk__http_receives(conn);
  } else if (sockjs->last != NULL) {
    answer_frame(conn, &way, sockjs->last->data, sockjs->last->len);
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
  const char *origin = origin_of(request, buf, sizeof(buf));

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
    send(conn, sockjs);
  } else {
    receive(conn, sockjs);
  }
}
