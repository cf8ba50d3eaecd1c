#include "sockjs_page.h"

#include <string.h>

#include "sockjs_fields.h"
#include "sockjs_origin.h"

/* Written, or there was no memory. */
static void finish(sbk_conn *conn, int rv) {
  if (rv != 0) {
    sbk__conn_end(conn, rv);
  } else {
    sbk__http_answered(conn);
  }
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
    sbk__sockjs_put_type(&answer, "text/plain; charset=UTF-8");
    sbk__sockjs_put_not_cached(&answer);
  }
  /* Some refusals come before its Origin was looked at. */
  if (status != 405 && sbk__sockjs_origin_allowed(request)) {
    sbk__sockjs_put_cors(&answer, request);
  }
  /* sockjs-protocol 0.3.3, Static URLs: 405 has no body. */
  finish(conn, status == 405 ? sbk__answer_whole(&answer, NULL, 0)
                             : sbk__answer_line(&answer, text));
}

void sbk__sockjs_answer_options(sbk_conn *conn) {
  const sbk_request *request = conn->request;
  const char *wanted =
      sbk__http_field_get(&request->head, "Access-Control-Request-Headers");
  sbk__answer answer;

  sbk__answer_init(&answer, conn, 204);
  sbk__sockjs_put_cors(&answer, request);
  sbk__answer_field(&answer, "Access-Control-Allow-Methods",
                    sbk__sockjs_methods(request->target.kind));
  if (wanted != NULL && *wanted != '\0') {
    sbk__answer_field(&answer, "Access-Control-Allow-Headers", wanted);
  }
  sbk__answer_field(&answer, "Access-Control-Max-Age", SBK__SOCKJS_YEAR);
  sbk__sockjs_put_cached(&answer);
  finish(conn, sbk__answer_whole(&answer, NULL, 0));
}

void sbk__sockjs_answer_greeting(sbk_conn *conn) {
  static const char text[] = "Welcome to SockJS!\n";
  sbk__answer answer;

  sbk__answer_init(&answer, conn, 200);
  sbk__sockjs_put_type(&answer, "text/plain; charset=UTF-8");
  finish(conn, sbk__answer_whole(&answer, text, sizeof(text) - 1));
}

/* sockjs-protocol 0.3.3, Info test. Origins are decided here, not there. */
void sbk__sockjs_answer_info(sbk_conn *conn) {
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
  sbk__str_addz(&body,
                request->endpoint->sockjs->no_websocket ? "false" : "true");
  sbk__str_addz(&body, ",\"origins\":[\"*:*\"],\"cookie_needed\":");
  sbk__str_addz(&body, request->endpoint->sockjs->cookie ? "true" : "false");
  sbk__str_addz(&body, ",\"entropy\":");
  sbk__str_add_u64(&body, entropy);
  sbk__str_addz(&body, "}");

  sbk__answer_init(&answer, conn, 200);
  sbk__sockjs_put_type(&answer, "application/json; charset=UTF-8");
  sbk__sockjs_put_not_cached(&answer);
  sbk__sockjs_put_cors(&answer, request);
  answer.fields.failed = answer.fields.failed || body.failed;
  rv = sbk__answer_whole(&answer, body.data, body.len);
  sbk__str_free(&body);
  finish(conn, rv);
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

void sbk__sockjs_answer_iframe(sbk_conn *conn) {
  const sbk_request *request = conn->request;
  const char *known = sbk__http_field_get(&request->head, "If-None-Match");
  sbk__answer answer;
  sbk__str page;
  char tag[19];
  int rv;

  sbk__str_init(&page, &conn->broker->core.mem);
  put_page(&page, request->endpoint->sockjs->client_url);
  if (page.failed) {
    sbk__str_free(&page);
    sbk__conn_end(conn, SBK_ERR_NOMEM);
    return;
  }
  write_etag(tag, &page);
  if (known != NULL && strcmp(known, tag) == 0) {
    sbk__answer_init(&answer, conn, 304);
    sbk__answer_field(&answer, "ETag", tag);
    sbk__sockjs_put_cached(&answer);
    rv = sbk__answer_whole(&answer, NULL, 0);
  } else {
    sbk__answer_init(&answer, conn, 200);
    sbk__sockjs_put_type(&answer, "text/html; charset=UTF-8");
    sbk__answer_field(&answer, "ETag", tag);
    sbk__sockjs_put_cached(&answer);
    sbk__sockjs_put_ancestors(&answer, request->endpoint);
    rv = sbk__answer_whole(&answer, page.data, page.len);
  }
  sbk__str_free(&page);
  finish(conn, rv);
}

void sbk__sockjs_answer_sender(sbk_conn *conn) {
  const sbk_request *request = conn->request;
  bool jsonp = request->target.kind == SBK__SOCKJS_JSONP_SEND;
  sbk__answer answer;

  /* sockjs-protocol 0.3.3, XhrPolling and JsonpPolling: a type with no content
   * for a browser that else takes it for XML, and some for one that is
   * confused by none. */
  sbk__answer_init(&answer, conn, jsonp ? 200 : 204);
  sbk__sockjs_put_type(&answer, "text/plain; charset=UTF-8");
  sbk__sockjs_put_not_cached(&answer);
  sbk__sockjs_put_cookie(&answer, request);
  sbk__sockjs_put_cors(&answer, request);
  finish(conn, sbk__answer_whole(&answer, "ok", jsonp ? 2 : 0));
}
