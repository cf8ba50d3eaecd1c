#include "sockjs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART  4096
#define BREAK 40 /* one read in so many */

void sockjs_open(struct link *link) {
  snprintf(link->sockjs.path, sizeof(link->sockjs.path), "/ws/0/%08x%08x",
           (unsigned)chance_next(link->chance),
           (unsigned)chance_next(link->chance));
}

static void hang_up(struct link *link) {
  sbk_conn_free(link->sockjs.conn);
  link->sockjs.conn = NULL;
  link->sockjs.asking = link->sockjs.headed = false;
  link->raw.len = link->sockjs.body.len = link->sockjs.had = 0;
}

void sockjs_drop(struct link *link) {
  hang_up(link);
  bytes_free(&link->sockjs.body);
  bytes_free(&link->sockjs.answers);
  free(link->sockjs.ends);
  link->sockjs.ends = NULL;
  link->sockjs.first = link->sockjs.count = link->sockjs.size = 0;
}

bool sockjs_is_full(const struct link *link) {
  char byte;

  return link->sockjs.conn == NULL || !link->sockjs.asking ||
         sbk_conn_copy_out(link->sockjs.conn, &byte, 1) > 0;
}

/* ---- what it sends ---- */

static void put_string(struct bytes *body, const char *data, size_t len) {
  char escape[8];
  size_t i;

  bytes_put(body, "\"", 1);
  for (i = 0; i < len; i++) {
    if (data[i] >= 0x20 && data[i] < 0x7f && data[i] != '"' &&
        data[i] != '\\') {
      bytes_put(body, data + i, 1);
    } else {
      snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)data[i]);
      bytes_put(body, escape, 6);
    }
  }
  bytes_put(body, "\"", 1);
}

void sockjs_send(struct link *link, const char *data, size_t len) {
  size_t cut = chance_one_in(link->chance, 3)
                   ? chance_of(link->chance, (uint32_t)len)
                   : 0;
  struct bytes body = {0};
  char head[256];
  int head_len;

  bytes_put(&body, "[", 1);
  if (cut > 0) {
    put_string(&body, data, cut);
    bytes_put(&body, ",", 1);
  }
  put_string(&body, data + cut, len - cut);
  bytes_put(&body, "]", 1);
  head_len = snprintf(head, sizeof(head),
                      "POST %s/xhr_send HTTP/1.1\r\nHost: h.example\r\n"
                      "Content-Length: %zu\r\n\r\n",
                      link->sockjs.path, body.len);
  bytes_put(&link->up, head, (size_t)head_len);
  bytes_put(&link->up, body.data, body.len);
  link->put += (size_t)head_len + body.len;
  bytes_free(&body);
  if (link->sockjs.count == link->sockjs.size) {
    link->sockjs.size = 2 * link->sockjs.size + 16;
    link->sockjs.ends = realloc(link->sockjs.ends,
                                link->sockjs.size * sizeof(*link->sockjs.ends));
    if (link->sockjs.ends == NULL) {
      abort();
    }
  }
  link->sockjs.ends[link->sockjs.count++] = link->put;
}

/* A connection that was quiet for long was closed: another does as well, where
 * no request is under way. */
static void redial(struct link *link) {
  size_t first = link->sockjs.first;
  sbk_conn *conn;

  if ((first > 0 ? link->sockjs.ends[first - 1] : 0) != link->arrived ||
      sbk_conn_new(&conn, link->broker, SBK_HTTP, link->name, NULL) != 0) {
    link->closed = true;
    return;
  }
  sbk_conn_free(link->conn);
  link->conn = conn;
  link->sockjs.answers.len = 0;
}

/* The answers that have come: 204, or it is over. */
static void read_answers(struct link *link) {
  struct bytes *answers = &link->sockjs.answers;
  char part[PART], *end;
  size_t got;

  while ((got = sbk_conn_copy_out(link->conn, part, sizeof(part))) > 0) {
    sbk_conn_sent(link->conn, got);
    bytes_put(answers, part, got);
  }
  bytes_put(answers, "", 1);
  answers->len--;
  while ((end = strstr(answers->data, "\r\n\r\n")) != NULL) {
    if (strncmp(answers->data, "HTTP/1.1 204 ", 13) != 0) {
      link->closed = true;
      return;
    }
    bytes_take(answers, (size_t)(end - answers->data) + 4);
    answers->data[answers->len] = '\0';
  }
  if (sbk_conn_wants(link->conn) == 0) {
    redial(link);
  }
}

void sockjs_arrive(struct link *link, sbk_msec now, size_t len) {
  if (!link->sockjs.opened || link->conn == NULL) {
    return;
  }
  read_answers(link);
  while (len > 0 && link->up.len > 0 && !link->closed &&
         (sbk_conn_wants(link->conn) & SBK_WANT_READ) != 0) {
    uint64_t left = link->sockjs.ends[link->sockjs.first] - link->arrived;
    size_t part = len < left ? len : (size_t)left;

    sbk_conn_feed(link->conn, now, link->up.data, part);
    bytes_take(&link->up, part);
    link->arrived += part;
    link->sockjs.first += part == left;
    len -= part;
    read_answers(link);
  }
}

/* ---- what comes ---- */

static void ask(struct link *link, sbk_msec now) {
  char text[256];
  int len;

  if (link->sockjs.conn == NULL &&
      sbk_conn_new(&link->sockjs.conn, link->broker, SBK_HTTP, link->name,
                   NULL) != 0) {
    link->sockjs.conn = NULL;
    return;
  }
  len = snprintf(text, sizeof(text),
                 "POST %s/%s HTTP/1.1\r\nHost: h.example\r\n"
                 "Content-Length: 0\r\n\r\n",
                 link->sockjs.path, way_names[link->way]);
  sbk_conn_feed(link->sockjs.conn, now, text, (size_t)len);
  link->sockjs.asking = true;
  link->sockjs.headed = false;
  link->sockjs.body.len = 0;
}

static void put_utf8(struct bytes *in, unsigned long c) {
  char text[4];

  if (c < 0x80) {
    text[0] = (char)c;
    bytes_put(in, text, 1);
  } else if (c < 0x800) {
    text[0] = (char)(0xc0 | c >> 6);
    text[1] = (char)(0x80 | (c & 63));
    bytes_put(in, text, 2);
  } else {
    text[0] = (char)(0xe0 | c >> 12);
    text[1] = (char)(0x80 | (c >> 6 & 63));
    text[2] = (char)(0x80 | (c & 63));
    bytes_put(in, text, 3);
  }
}

/* RFC 8259, 7: what follows a backslash; how many bytes of text that is. What
 * surrogates make is not looked at. */
static size_t unescape(struct bytes *in, const char *at, const char *end) {
  static const char names[] = "nrtbf", values[] = "\n\r\t\b\f";
  const char *name;
  char hex[5] = "";

  if (*at == 'u' && end - at >= 5) {
    memcpy(hex, at + 1, 4);
    put_utf8(in, strtoul(hex, NULL, 16));
    return 5;
  }
  name = strchr(names, *at);
  bytes_put(in, name != NULL && *at != '\0' ? values + (name - names) : at, 1);

  return 1;
}

/* a["…","…"] */
static bool read_messages(struct bytes *in, const char *at, const char *end) {
  bool inside = false;

  if (end - at < 3 || at[1] != '[' || end[-1] != ']') {
    return false;
  }
  for (at += 2; at < end - 1; at++) {
    if (*at == '"') {
      inside = !inside;
    } else if (!inside && *at != ',') {
      return false;
    } else if (inside && *at == '\\') {
      at += unescape(in, at + 1, end);
    } else if (inside) {
      bytes_put(in, at, 1);
    }
  }

  return !inside;
}

static bool hear(struct link *link, const char *line, size_t len) {
  switch (len > 0 ? line[0] : 0) {
  case 'o':
    link->closed = link->closed || link->sockjs.opened; /* it is another one */
    link->sockjs.opened = true;
    return len == 1;
  case 'h': /* and what comes before the frames of a stream */
    return len == 1 || link->way == WAY_STREAMING;
  case 'a':
    return link->sockjs.opened && read_messages(&link->in, line, line + len);
  case 'c':
    link->closed = true;
    return true;
  default:
    return false;
  }
}

/* Lines of a body that came as far as that. */
static bool hear_lines(struct link *link) {
  struct bytes *body = &link->sockjs.body;
  char *end;
  bool fine = true;

  while (fine && body->len > 0 &&
         (end = memchr(body->data, '\n', body->len)) != NULL) {
    fine = hear(link, body->data, (size_t)(end - body->data));
    bytes_take(body, (size_t)(end - body->data) + 1);
  }

  return fine;
}

/* Takes a head or a whole chunk out of raw: 1; 0: none is there; -1: it is
 * none. */
static int unwrap(struct link *link) {
  struct bytes *raw = &link->raw;
  char *end, *start;
  size_t len, have, part;

  bytes_put(raw, "", 1);
  raw->len--;
  if (!link->sockjs.headed) {
    end = strstr(raw->data, "\r\n\r\n");
    if (end == NULL) {
      return 0;
    }
    if (strncmp(raw->data, "HTTP/1.1 200 ", 13) != 0) {
      link->closed = true;
      return 0;
    }
    link->sockjs.headed = true;
    bytes_take(raw, (size_t)(end - raw->data) + 4);
    return 1;
  }
  end = strstr(raw->data, "\r\n");
  if (end == NULL) {
    return 0;
  }
  len = strtoul(raw->data, &start, 16);
  if (start != end) {
    return -1;
  }
  end += 2;
  have = raw->len - (size_t)(end - raw->data);
  part = have < len ? have : len;
  bytes_put(&link->sockjs.body, end + link->sockjs.had,
            part - link->sockjs.had);
  link->sockjs.had = part;
  /* A stream's frame is there with its line end, a poll's with its answer. */
  if (link->way == WAY_STREAMING && !hear_lines(link)) {
    return -1;
  }
  if (have < len + 2) {
    return 0;
  }
  bytes_take(raw, (size_t)(end - raw->data) + len + 2);
  link->sockjs.had = 0;
  if (len > 0) {
    return 1;
  }
  link->sockjs.asking = link->sockjs.headed = false;

  return hear_lines(link) ? 1 : -1;
}

/* Up to len bytes; false: they break the protocol. */
static bool read_some(struct link *link, sbk_msec now, size_t len) {
  char part[PART];
  size_t got;
  int rv;

  while (!link->closed) {
    if (!link->sockjs.asking) {
      ask(link, now);
    }
    if (link->sockjs.conn == NULL) {
      break;
    }
    got = sbk_conn_copy_out(link->sockjs.conn, part,
                            len < sizeof(part) ? len : sizeof(part));
    if (got == 0) {
      break;
    }
    sbk_conn_sent(link->sockjs.conn, got);
    link->came += got;
    bytes_put(&link->raw, part, got);
    len -= got;
    while ((rv = unwrap(link)) > 0) {
    }
    if (rv < 0) {
      return false;
    }
  }

  return true;
}

bool sockjs_read(struct link *link, sbk_msec now, size_t len) {
  bool fine = true;

  if (chance_one_in(link->chance, BREAK)) {
    fine = read_some(link, now, chance_of(link->chance, 400));
    hang_up(link);
  }
  fine = fine && read_some(link, now, len);
  if (link->sockjs.conn != NULL && sbk_conn_wants(link->sockjs.conn) == 0) {
    hang_up(link);
  }

  return fine;
}
