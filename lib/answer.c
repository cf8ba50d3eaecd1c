#include "answer.h"

#include <string.h>

#include "request.h"

void sbk__answer_init(sbk__answer *answer, sbk_conn *conn, int status) {
  const sbk_request *request = conn->request;

  answer->conn = conn;
  answer->status = status;
  answer->upgrade = false;
  answer->close = request == NULL || request->close;
  /* A head that was not read as far as its target is of no method yet. */
  answer->bodied = request == NULL || request->head.path == 0 ||
                   strcmp(sbk__http_method(&request->head), "HEAD") != 0;
  sbk__str_init(&answer->fields, &conn->broker->core.mem);
}

void sbk__answer_field(sbk__answer *answer, const char *name,
                       const char *value) {
  sbk__str_addz(&answer->fields, name);
  sbk__str_addz(&answer->fields, ": ");
  sbk__str_addz(&answer->fields, value);
  sbk__str_addz(&answer->fields, "\r\n");
}

static void put_head(sbk__str *out, const sbk__answer *answer) {
  sbk__str_addz(out, "HTTP/1.1 ");
  sbk__str_add_u64(out, (uint64_t)answer->status);
  sbk__str_addz(out, " ");
  sbk__str_addz(out, sbk__http_reason(answer->status));
  sbk__str_addz(out, "\r\n");
  if (answer->fields.len > 0) {
    sbk__str_add(out, answer->fields.data, answer->fields.len);
  }
  out->failed = out->failed || answer->fields.failed;
}

/* Writes what was put together, and frees all. */
static int finish(sbk__answer *answer, sbk__str *out) {
  int rv = out->failed ? SBK_ERR_NOMEM
                       : sbk__conn_write(answer->conn, out->data, out->len);

  sbk__str_free(out);
  sbk__str_free(&answer->fields);

  return rv;
}

int sbk__answer_whole(sbk__answer *answer, const void *body, size_t len) {
  /* RFC 9110, 15.2, 15.3.5 and 15.4.5: these have no content. */
  bool bare =
      answer->status < 200 || answer->status == 204 || answer->status == 304;
  sbk__str out;

  sbk__str_init(&out, &answer->conn->broker->core.mem);
  put_head(&out, answer);
  if (!bare) {
    sbk__str_addz(&out, "Content-Length: ");
    sbk__str_add_u64(&out, len);
    sbk__str_addz(&out, "\r\n");
  }
  if (answer->close) {
    sbk__str_addz(&out, answer->upgrade ? "Connection: close, Upgrade\r\n"
                                        : "Connection: close\r\n");
  }
  sbk__str_addz(&out, "\r\n");
  if (!bare && answer->bodied && len > 0) {
    sbk__str_add(&out, body, len);
  }

  return finish(answer, &out);
}

int sbk__answer_line(sbk__answer *answer, const char *text) {
  sbk__str line;
  int rv;

  sbk__str_init(&line, &answer->conn->broker->core.mem);
  sbk__str_addz(&line, text);
  sbk__str_addz(&line, "\n");
  answer->fields.failed = answer->fields.failed || line.failed;
  rv = sbk__answer_whole(answer, line.data, line.len);
  sbk__str_free(&line);

  return rv;
}

int sbk__answer_begin(sbk__answer *answer, bool *chunked) {
  sbk__str out;

  /* RFC 9112, 6.1: HTTP/1.0 does not know it; what ends there is the stream. */
  *chunked = !answer->conn->request->head.http10;
  sbk__str_init(&out, &answer->conn->broker->core.mem);
  put_head(&out, answer);
  if (*chunked) {
    sbk__str_addz(&out, "Transfer-Encoding: chunked\r\n");
  }
  sbk__str_addz(&out, answer->close ? "Connection: close\r\n\r\n" : "\r\n");

  return finish(answer, &out);
}
