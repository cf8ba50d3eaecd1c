#include "sockjs_answer.h"

#include <string.h>

#include "str.h"

typedef struct form {
  const char *content_type;
  const char *before;
  const char *after;
} form;

/* sockjs-protocol 0.3.3, the sections of the transports */
static const form *form_of(enum sbk__sockjs_kind kind) {
  static const form xhr = {"application/javascript; charset=UTF-8", "", "\n"};
  static const form eventsource = {"text/event-stream", "data: ", "\r\n\r\n"};
  static const form htmlfile = {"text/html; charset=UTF-8", "<script>\np(\"",
                                "\");\n</script>\r\n"};
  static const form jsonp = {"application/javascript; charset=UTF-8", "/**/",
                             "\");\r\n"};

  switch (kind) {
  case SBK__SOCKJS_EVENTSOURCE:
    return &eventsource;
  case SBK__SOCKJS_HTMLFILE:
    return &htmlfile;
  case SBK__SOCKJS_JSONP:
    return &jsonp;
  default:
    return &xhr;
  }
}

const char *sbk__sockjs_content_type(enum sbk__sockjs_kind kind) {
  return form_of(kind)->content_type;
}

static size_t before_len(const sbk__sockjs_way *way) {
  size_t len = strlen(form_of(way->kind)->before);

  return way->kind == SBK__SOCKJS_JSONP ? len + strlen(way->callback) + 2 : len;
}

size_t sbk__sockjs_around(const sbk__sockjs_way *way) {
  return before_len(way) + strlen(form_of(way->kind)->after);
}

size_t sbk__sockjs_wrapped_len(const sbk__sockjs_way *way, const void *frame,
                               size_t len) {
  return way->callback != NULL ? sbk__sockjs_script_len(frame, len)
                               : sbk__sockjs_event_len(frame, len);
}

void sbk__sockjs_wrap(const sbk__sockjs_way *way, void *dst, const void *frame,
                      size_t len) {
  if (way->callback != NULL) {
    sbk__sockjs_script(dst, frame, len);
  } else {
    sbk__sockjs_event(dst, frame, len);
  }
}

/* Without a NUL: it stands among other bytes. */
static uint8_t *put_bytes(uint8_t *dst, const void *bytes, size_t len) {
  memcpy(dst, bytes, len);

  return dst + len;
}

static uint8_t *put(uint8_t *dst, const char *text) {
  return put_bytes(dst, text, strlen(text));
}

/* RFC 9112, 7.1: hexadecimal digits. */
static size_t chunk_head(char dst[20], size_t len) {
  static const char hex[] = "0123456789abcdef";
  size_t digits = 1, i;

  while (digits < 16 && len >> (4 * digits) != 0) {
    digits++;
  }
  for (i = 0; i < digits; i++) {
    dst[i] = hex[len >> (4 * (digits - 1 - i)) & 15];
  }
  dst[digits] = '\r';
  dst[digits + 1] = '\n';

  return digits + 2;
}

/* A place for a chunk of len bytes, and for the end of the answer behind it. */
static uint8_t *put_chunk(sbk_conn *conn, bool chunked, size_t len, bool ends) {
  const char *tail = ends ? "\r\n0\r\n\r\n" : "\r\n";
  char head[20];
  size_t head_len = chunked ? chunk_head(head, len) : 0;
  size_t tail_len = chunked ? strlen(tail) : 0;
  uint8_t *dst = sbk__conn_room(conn, head_len + len + tail_len);

  if (dst == NULL) {
    return NULL;
  }
  dst = put_bytes(dst, head, head_len);
  put_bytes(dst + len, tail, tail_len);

  return dst;
}

int sbk__sockjs_put(sbk_conn *conn, const sbk__sockjs_way *way, size_t len,
                    bool ends, uint8_t **room, size_t *until) {
  const form *f = form_of(way->kind);
  size_t all = len + sbk__sockjs_around(way);
  uint8_t *dst = put_chunk(conn, way->chunked, all, ends);

  if (dst == NULL) {
    return SBK_ERR_NOMEM;
  }
  /* Who reads a stream has the frame when that is whole; who polls, when the
   * answer is. sockjs-client takes a poll's at its line end already, but gives
   * its session up where the answer then breaks off; clients that read answers
   * whole do not have it yet, and ask again. */
  *until = conn->stage->bytes;
  if (!sbk__sockjs_polls(way) && way->chunked) {
    *until -= ends ? 7 : 2;
  }
  dst = put(dst, f->before);
  if (way->kind == SBK__SOCKJS_JSONP) {
    dst = put(put(dst, way->callback), "(\"");
  }
  *room = dst;
  put(dst + len, f->after);

  return 0;
}

/* sockjs-protocol 0.3.3, HtmlFile. Some browsers show nothing of a document
 * before 1 KiB of it is there. */
static int put_page(sbk_conn *conn, const sbk__sockjs_way *way) {
  static const char head[] =
      "<!doctype html>\n"
      "<html><head>\n"
      "  <meta http-equiv=\"X-UA-Compatible\" content=\"IE=edge\" />\n"
      "  <meta http-equiv=\"Content-Type\" content=\"text/html; "
      "charset=UTF-8\" />\n"
      "</head><body><h2>Don't panic!</h2>\n"
      "  <script>\n"
      "    document.domain = document.domain;\n"
      "    var c = parent.";
  static const char tail[] = ";\n"
                             "    c.start();\n"
                             "    function p(d) {c.message(d);};\n"
                             "    window.onload = function() {c.stop();};\n"
                             "  </script>\n";
  size_t len = strlen(head) + strlen(way->callback) + strlen(tail);
  size_t all = len < 1026 ? 1026 : len; /* and two for the blank line */
  uint8_t *dst = put_chunk(conn, way->chunked, all + 4, false);

  if (dst == NULL) {
    return SBK_ERR_NOMEM;
  }
  put(put(put(dst, head), way->callback), tail);
  memset(dst + len, ' ', all - len);
  put(dst + all, "\r\n\r\n");

  return 0;
}

int sbk__sockjs_put_prelude(sbk_conn *conn, const sbk__sockjs_way *way) {
  uint8_t *dst;

  switch (way->kind) {
  case SBK__SOCKJS_XHR_STREAMING:
    /* sockjs-protocol 0.3.3, XhrStreaming: browsers that hold back 2 KiB */
    dst = put_chunk(conn, way->chunked, 2049, false);
    if (dst == NULL) {
      return SBK_ERR_NOMEM;
    }
    memset(dst, 'h', 2048);
    dst[2048] = '\n';
    return 0;
  case SBK__SOCKJS_EVENTSOURCE:
    dst = put_chunk(conn, way->chunked, 2, false);
    if (dst == NULL) {
      return SBK_ERR_NOMEM;
    }
    put(dst, "\r\n");
    return 0;
  case SBK__SOCKJS_HTMLFILE:
    return put_page(conn, way);
  default:
    return 0;
  }
}
