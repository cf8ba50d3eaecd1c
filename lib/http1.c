#include "http1.h"

#include <string.h>

#include "ascii.h"

/* What the next byte belongs to. The first four are the request line. */
enum state {
  METHOD,
  TARGET,
  QUERY,
  VERSION,
  NAME,
  VALUE,
  LINE_LF,
  END_LF,
  END
};

enum { BAD_REQUEST = -400, LINE_TOO_LONG = -414, FIELDS_TOO_LONG = -431 };

void sbk__http_head_init(sbk__http_head *head, const struct sbk_mem *mem,
                         const struct sbk_config *limits) {
  memset(head, 0, sizeof(*head));
  head->mem = mem;
  head->limits = limits;
}

void sbk__http_head_clear(sbk__http_head *head) {
  sbk__free(head->mem, head->text);
  sbk__free(head->mem, head->fields);
  sbk__http_head_init(head, head->mem, head->limits);
}

/* Room for size bytes more of text. No product can wrap: a head is 1 MiB at
 * most. */
static int reserve(sbk__http_head *head, size_t size) {
  size_t cap = head->cap == 0 ? 256 : head->cap;
  char *text;

  if (size <= head->cap - head->len) {
    return 0;
  }

  while (cap - head->len < size) {
    cap *= 2;
  }
  text = sbk__realloc(head->mem, head->text, cap);
  if (text == NULL) {
    return SBK_ERR_NOMEM;
  }
  head->text = text;
  head->cap = cap;

  return 0;
}

static int put(sbk__http_head *head, const char *data, size_t len) {
  int rv = reserve(head, len);

  if (rv != 0) {
    return rv;
  }
  memcpy(head->text + head->len, data, len);
  head->len += len;

  return 0;
}

/* More than RFC 3986 has: browsers leave `|` and the like as they are. */
static bool is_target_char(char c) {
  return c > 0x20 && c < 0x7f && c != '#';
}

/* RFC 9110, 5.5, with bytes above ASCII, which are no one's business here. */
static bool is_value_char(char c) {
  return !sbk__ascii_is_control(c) || c == '\t';
}

/* Does the byte go on with what is under way? */
static bool goes_on(const sbk__http_head *head, char c) {
  switch ((enum state)head->state) {
  case METHOD:
  case NAME:
    return sbk__ascii_is_token(c);
  case TARGET:
    return is_target_char(c) && c != '?';
  case QUERY:
  case VERSION:
    return is_target_char(c);
  default: /* VALUE: what follows is taken byte by byte */
    return is_value_char(c);
  }
}

static size_t line_room(const sbk__http_head *head) {
  const size_t limit = head->state <= VERSION ? head->limits->max_request_line
                                              : head->limits->max_request_field;

  return limit - (head->len - head->line);
}

/* RFC 9112, 3.2: 400 for a second Host. The others are lists to no one, and
 * two of them are read differently by two servers in a row. */
static bool is_single(const char *name, size_t len) {
  static const char *const names[] = {"Host", "Upgrade", "Sec-WebSocket-Key",
                                      "Sec-WebSocket-Version",
                                      "Content-Length"};
  size_t i;

  for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (sbk__ascii_same(name, len, names[i], strlen(names[i]))) {
      return true;
    }
  }

  return false;
}

static int add_field(sbk__http_head *head) {
  const size_t max = head->limits->max_request_fields;
  size_t cap = head->field_cap + 16; /* not doubled: fields may be 4 bytes */
  sbk__http_field *fields;

  if (head->field_count == max) {
    return FIELDS_TOO_LONG;
  }
  if (head->field_count == head->field_cap) {
    cap = cap < max ? cap : max;
    fields = sbk__realloc(head->mem, head->fields, cap * sizeof(*fields));
    if (fields == NULL) {
      return SBK_ERR_NOMEM;
    }
    head->fields = fields;
    head->field_cap = cap;
  }
  head->field_count++;

  return 0;
}

/* At the colon. */
static int end_name(sbk__http_head *head) {
  const char *name = head->text + head->line;
  const size_t len = head->len - head->line;
  sbk__http_field *field;
  int rv;

  if (len == 0) {
    return BAD_REQUEST;
  }
  if (is_single(name, len)) {
    size_t i;

    for (i = 0; i < head->field_count; i++) {
      field = &head->fields[i];
      if (sbk__ascii_same(name, len, head->text + field->name,
                          field->name_len)) {
        return BAD_REQUEST;
      }
    }
  }
  rv = add_field(head);
  if (rv == 0) {
    rv = put(head, "", 1);
  }
  if (rv != 0) {
    return rv;
  }

  field = &head->fields[head->field_count - 1];
  field->name = (uint32_t)head->line;
  field->name_len = (uint32_t)len;
  field->value = (uint32_t)head->len;
  field->value_len = 0;
  head->state = VALUE;

  return 0;
}

/* At the CR. RFC 9110, 5.5: blanks around a value are no part of it. */
static int end_value(sbk__http_head *head) {
  sbk__http_field *field = &head->fields[head->field_count - 1];
  size_t from = field->value, to = head->len;

  while (from < to && sbk__ascii_is_blank(head->text[from])) {
    from++;
  }
  while (to > from && sbk__ascii_is_blank(head->text[to - 1])) {
    to--;
  }
  field->value = (uint32_t)from;
  field->value_len = (uint32_t)(to - from);
  head->len = to;
  head->state = LINE_LF;

  return put(head, "", 1);
}

/* Only what a browser sends to a server: the origin form (RFC 9112, 3.2.1). */
static int end_target(sbk__http_head *head, char c) {
  if (head->len == head->path || head->text[head->path] != '/' ||
      (c != ' ' && c != '?')) {
    return BAD_REQUEST;
  }
  if (put(head, "", 1) != 0) {
    return SBK_ERR_NOMEM;
  }
  if (c == '?') {
    head->query = (uint32_t)head->len;
  }
  head->state = c == '?' ? QUERY : VERSION;

  return 0;
}

static int end_method(sbk__http_head *head, char c) {
  if (c != ' ' || head->len == 0) {
    return BAD_REQUEST;
  }
  if (put(head, "", 1) != 0) {
    return SBK_ERR_NOMEM;
  }
  head->path = (uint32_t)head->len;
  head->state = TARGET;

  return 0;
}

static int end_query(sbk__http_head *head, char c) {
  if (c != ' ') {
    return BAD_REQUEST;
  }
  head->state = VERSION;

  return put(head, "", 1);
}

/* The NUL in front is the one behind the target, so that nothing else can stand
 * there. RFC 9112, 2.3: the name is case-sensitive. */
static int end_version(sbk__http_head *head, char c) {
  static const char version[] = "\0HTTP/1.1";
  const size_t len = sizeof(version) - 1;
  char minor;

  if (c != '\r' || head->len < len ||
      memcmp(head->text + head->len - len, version, len - 1) != 0) {
    return BAD_REQUEST;
  }
  minor = head->text[head->len - 1];
  if (minor != '1' && minor != '0') {
    return BAD_REQUEST;
  }
  head->http10 = minor == '0';
  head->len -= len - 1;
  head->state = LINE_LF;

  return 0;
}

/* RFC 3986, 3.2.2 and 3.2.3: names, addresses, ports. */
static bool is_host_char(char c) {
  return sbk__ascii_is_alpha(c) || sbk__ascii_is_digit(c) ||
         strchr("-._~%!$&'()*+,;=:[]", c) != NULL;
}

/* RFC 9112, 3.2: 400 without Host, and for one that cannot be a host. HTTP/1.0
 * is held to it too: an Origin is compared with it. */
static int end_head(sbk__http_head *head) {
  const char *host = sbk__http_field_get(head, "Host");

  if (host == NULL) {
    return BAD_REQUEST;
  }
  while (*host != '\0') {
    if (!is_host_char(*host++)) {
      return BAD_REQUEST;
    }
  }
  head->state = END;

  return 0;
}

/* A byte that does not go on: it must end what is under way. */
static int end_part(sbk__http_head *head, char c) {
  switch ((enum state)head->state) {
  case METHOD:
    return end_method(head, c);
  case TARGET:
    return end_target(head, c);
  case QUERY:
    return end_query(head, c);
  case VERSION:
    return end_version(head, c);
  case NAME:
    if (c == '\r' && head->len == head->line) {
      head->state = END_LF;
      return 0;
    }
    /* A blank is refused here: before the colon (RFC 9112, 5.1) and where it
     * would fold the line (5.2). */
    return c == ':' ? end_name(head) : BAD_REQUEST;
  case VALUE:
    return c == '\r' ? end_value(head) : BAD_REQUEST;
  case LINE_LF:
    head->line = head->len;
    head->state = NAME;
    return c == '\n' ? 0 : BAD_REQUEST;
  default: /* END_LF: nothing is taken behind END */
    return c == '\n' ? end_head(head) : BAD_REQUEST;
  }
}

/* As many bytes as go on, within the limits. */
static int take_run(sbk__http_head *head, const char *data, size_t len,
                    size_t *taken) {
  size_t room = head->limits->max_request_head - head->bytes, count = 0;

  if (head->state > VALUE) {
    *taken = 0;
    return 0;
  }

  room = line_room(head) < room ? line_room(head) : room;
  len = len < room ? len : room;
  while (count < len && goes_on(head, data[count])) {
    count++;
  }
  *taken = count;
  head->bytes += count;

  return count > 0 ? put(head, data, count) : 0;
}

/* The byte behind a run. Ends of lines do not count to their length. */
static int take_end(sbk__http_head *head, char c) {
  if (head->bytes == head->limits->max_request_head ||
      (head->state <= VALUE && c != '\r' && c != '\n' &&
       line_room(head) == 0)) {
    return head->state <= VERSION ? LINE_TOO_LONG : FIELDS_TOO_LONG;
  }
  head->bytes++;

  return end_part(head, c);
}

int sbk__http_head_feed(sbk__http_head *head, const void *data, size_t len,
                        size_t *used) {
  const char *p = data;
  size_t at = 0, taken;
  int rv = 0;

  while (rv == 0 && at < len && head->state != END) {
    rv = take_run(head, p + at, len - at, &taken);
    at += taken;
    if (rv == 0 && at < len) {
      rv = take_end(head, p[at]);
      at += rv == 0;
    }
  }
  *used = at;
  if (rv != 0) {
    return rv;
  }

  return head->state == END ? 1 : 0;
}

/* Nothing but what `state` goes on with: no byte can end it too early. */
static int feed_part(sbk__http_head *head, const char *part, size_t len,
                     bool (*is_part)(char c)) {
  size_t i, used;

  for (i = 0; i < len; i++) {
    if (!is_part(part[i])) {
      return BAD_REQUEST;
    }
  }

  return len > 0 ? sbk__http_head_feed(head, part, len, &used) : 0;
}

static int feed_text(sbk__http_head *head, const char *text) {
  size_t used;

  return sbk__http_head_feed(head, text, strlen(text), &used);
}

static int feed_field(sbk__http_head *head, const struct sbk_http_field *from) {
  int rv = feed_part(head, from->name, from->name_len, sbk__ascii_is_token);

  rv = rv != 0 ? rv : feed_text(head, ":");
  rv = rv != 0 ? rv
               : feed_part(head, from->value, from->value_len, is_value_char);

  return rv != 0 ? rv : feed_text(head, "\r\n");
}

/* Written out and read again: one grammar and one set of limits for both. */
int sbk__http_head_set(sbk__http_head *head,
                       const struct sbk_http_request *request) {
  size_t i;
  int rv;

  rv = feed_part(head, request->method, request->method_len,
                 sbk__ascii_is_token);
  rv = rv != 0 ? rv : feed_text(head, " ");
  rv = rv != 0 ? rv
               : feed_part(head, request->target, request->target_len,
                           is_target_char);
  rv = rv != 0 ? rv : feed_text(head, " HTTP/1.1\r\n");
  for (i = 0; rv == 0 && i < request->field_count; i++) {
    rv = feed_field(head, &request->fields[i]);
  }

  return rv != 0 ? rv : feed_text(head, "\r\n");
}
