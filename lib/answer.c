#include "answer.h"

#include <string.h>

#include "request.h"

sbk__exchange *sbk__exchange_new(const struct sbk_mem *mem, size_t body_len) {
  sbk__exchange *exchange = sbk__calloc(mem, 1, sizeof(*exchange));

  if (exchange != NULL) {
    sbk__str_init(&exchange->text, mem);
    exchange->body_len = body_len;
  }

  return exchange;
}

void sbk__exchange_free(const struct sbk_mem *mem, sbk__exchange *exchange) {
  if (exchange != NULL) {
    sbk__str_free(&exchange->text);
    sbk__free(mem, exchange->fields);
    sbk__free(mem, exchange);
  }
}

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

void sbk__answer_status(sbk__str *out, int status) {
  sbk__str_addz(out, "HTTP/1.1 ");
  sbk__str_add_u64(out, (uint64_t)status);
  sbk__str_addz(out, " ");
  sbk__str_addz(out, sbk__http_reason(status));
  sbk__str_addz(out, "\r\n");
}

static void put_head(sbk__str *out, const sbk__answer *answer) {
  sbk__answer_status(out, answer->status);
  if (answer->fields.len > 0) {
    sbk__str_add(out, answer->fields.data, answer->fields.len);
  }
  out->failed = out->failed || answer->fields.failed;
}

static size_t count_lines(const sbk__str *text) {
  size_t i, count = 0;

  for (i = 0; i < text->len; i++) {
    count += text->data[i] == '\n';
  }

  return count;
}

/* The lines of fields, taken apart where they are. 0, or SBK_ERR_NOMEM. */
static int keep_fields(sbk__exchange *exchange, const struct sbk_mem *mem) {
  char *at = exchange->text.data;
  size_t i, count = count_lines(&exchange->text);

  exchange->fields = sbk__calloc(mem, count + 1, sizeof(*exchange->fields));
  if (exchange->fields == NULL) {
    return SBK_ERR_NOMEM;
  }
  for (i = 0; i < count; i++) {
    char *end = strchr(at, '\r');
    char *colon = strchr(at, ':');

    *colon = *end = '\0';
    exchange->fields[i].name = at;
    exchange->fields[i].value = colon + 2;
    at = end + 2;
  }

  return 0;
}

/* For a host that writes the head. Takes the fields. */
static int keep_head(sbk__answer *answer, size_t length) {
  const struct sbk_mem *mem = &answer->conn->broker->core.mem;
  sbk__exchange *exchange = answer->conn->exchange;
  int rv;

  sbk__str_add(&answer->fields, "", 1);
  if (answer->fields.failed) {
    sbk__str_free(&answer->fields);
    return SBK_ERR_NOMEM;
  }
  exchange->text = answer->fields;
  rv = keep_fields(exchange, mem);
  if (rv == 0) {
    exchange->status = answer->status;
    exchange->length = length;
  }

  return rv;
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
  int rv;

  if (answer->conn->exchange != NULL) {
    len = bare ? 0 : len;
    rv = keep_head(answer, len);
    return rv == 0 && answer->bodied && len > 0
               ? sbk__conn_write(answer->conn, body, len)
               : rv;
  }
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

  if (answer->conn->exchange != NULL) {
    *chunked = false;
    return keep_head(answer, SBK_UNKNOWN);
  }
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
