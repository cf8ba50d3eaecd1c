#include "http1.h"

#include <limits.h>
#include <string.h>

#include "ascii.h"
#include "digest.h"

const char *sbk__http_method(const sbk__http_head *head) {
  return head->text + head->method;
}

const char *sbk__http_path(const sbk__http_head *head) {
  return head->text + head->path;
}

const char *sbk__http_query(const sbk__http_head *head) {
  return head->query > 0 ? head->text + head->query : NULL;
}

/* The next field of that name from *at on, and *at behind it. */
static const sbk__http_field *next_field(const sbk__http_head *head,
                                         const char *name, size_t *at) {
  const size_t len = strlen(name);
  const sbk__http_field *field;

  while (*at < head->field_count) {
    field = &head->fields[(*at)++];
    if (sbk__ascii_same(head->text + field->name, field->name_len, name, len)) {
      return field;
    }
  }

  return NULL;
}

const char *sbk__http_field_get(const sbk__http_head *head, const char *name) {
  size_t at = 0;
  const sbk__http_field *field = next_field(head, name, &at);

  return field != NULL ? head->text + field->value : NULL;
}

static void trim(const char **text, size_t *len) {
  while (*len > 0 && sbk__ascii_is_blank(**text)) {
    (*text)++;
    (*len)--;
  }
  while (*len > 0 && sbk__ascii_is_blank((*text)[*len - 1])) {
    (*len)--;
  }
}

/* The next element of a list, without the blanks around it. */
static bool next_element(const char **list, char separator, const char **item,
                         size_t *len) {
  const char *end;

  if (*list == NULL) {
    return false;
  }

  end = strchr(*list, separator);
  *item = *list;
  *len = end != NULL ? (size_t)(end - *list) : strlen(*list);
  *list = end != NULL ? end + 1 : NULL;
  trim(item, len);

  return true;
}

bool sbk__http_field_has(const sbk__http_head *head, const char *name,
                         const char *token) {
  const size_t token_len = strlen(token);
  const sbk__http_field *field;
  const char *list, *item;
  size_t at = 0, len;

  while ((field = next_field(head, name, &at)) != NULL) {
    list = head->text + field->value;
    while (next_element(&list, ',', &item, &len)) {
      if (sbk__ascii_same(item, len, token, token_len)) {
        return true;
      }
    }
  }

  return false;
}

int sbk__http_body_len(const sbk__http_head *head, size_t max, size_t *len) {
  const char *text = sbk__http_field_get(head, "Content-Length");
  size_t value = 0;
  const char *p;

  if (sbk__http_field_get(head, "Transfer-Encoding") != NULL) {
    return -411;
  }
  if (text != NULL) {
    if (*text == '\0') {
      return -400;
    }
    /* RFC 9110, 8.6: digits alone, all of which are looked at */
    for (p = text; *p != '\0'; p++) {
      if (!sbk__ascii_is_digit(*p)) {
        return -400;
      }
    }
    for (p = text; *p != '\0' && value <= max; p++) {
      value = value * 10 + (size_t)(*p - '0');
    }
    if (value > max) {
      return -413;
    }
  }
  /* RFC 9110, 10.1.1: HTTP/1.0 does not have it, so there it is nothing. */
  if (!head->http10 && sbk__http_field_get(head, "Expect") != NULL) {
    return -417;
  }
  *len = value;

  return 0;
}

int sbk__http_check_upgrade(const sbk__http_head *head) {
  const char *host = sbk__http_field_get(head, "Host");
  const char *key = sbk__http_field_get(head, "Sec-WebSocket-Key");
  const char *version = sbk__http_field_get(head, "Sec-WebSocket-Version");

  if (strcmp(sbk__http_method(head), "GET") != 0) {
    return -405;
  }
  /* RFC 6455, 4.1: HTTP/1.1 or higher */
  if (head->http10 || !sbk__http_field_has(head, "Upgrade", "websocket") ||
      !sbk__http_field_has(head, "Connection", "upgrade") || host == NULL ||
      *host == '\0' || sbk__http_field_get(head, "Content-Length") != NULL ||
      sbk__http_field_get(head, "Transfer-Encoding") != NULL) {
    return -400;
  }
  /* RFC 6455, 4.4: before the key, which other versions may not have. */
  if (version == NULL || strcmp(version, "13") != 0) {
    return -426;
  }
  if (key == NULL || !sbk__websocket_key_valid(key, strlen(key))) {
    return -400;
  }

  return 0;
}

const char *sbk__http_stomp_protocol(const sbk__http_head *head) {
  static const char *const names[] = {"v12.stomp", "v11.stomp", "v10.stomp"};
  size_t i;

  for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (sbk__http_field_has(head, "Sec-WebSocket-Protocol", names[i])) {
      return names[i];
    }
  }

  return NULL;
}

/* RFC 9110, 15, and RFC 6585 */
const char *sbk__http_reason(int status) {
  static const struct {
    int status;
    const char *reason;
  } reasons[] = {
      {100, "Continue"},
      {101, "Switching Protocols"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {203, "Non-Authoritative Information"},
      {204, "No Content"},
      {205, "Reset Content"},
      {206, "Partial Content"},
      {300, "Multiple Choices"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {305, "Use Proxy"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {402, "Payment Required"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {407, "Proxy Authentication Required"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {416, "Range Not Satisfiable"},
      {417, "Expectation Failed"},
      {421, "Misdirected Request"},
      {422, "Unprocessable Content"},
      {426, "Upgrade Required"},
      {428, "Precondition Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
      {511, "Network Authentication Required"},
  };
  size_t i;

  for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
    if (reasons[i].status == status) {
      return reasons[i].reason;
    }
  }

  return "";
}

bool sbk__http_is_token(const char *text) {
  const char *p = text;

  while (sbk__ascii_is_token(*p)) {
    p++;
  }

  return p > text && *p == '\0';
}

bool sbk__http_is_value(const char *text) {
  for (; *text != '\0'; text++) {
    if (sbk__ascii_is_control(*text)) {
      return false;
    }
  }

  return true;
}

/* One character of a form (WHATWG URL, 5.1), and *text behind it; -1: a bad
 * escape. */
static int decode(const char **text, const char *end) {
  const char *p = *text;
  int high, low;

  *text = p + 1;
  if (*p != '%') {
    return *p == '+' ? ' ' : (uint8_t)*p;
  }
  high = end - p > 2 ? sbk__ascii_hex(p[1]) : -1;
  low = end - p > 2 ? sbk__ascii_hex(p[2]) : -1;
  if (high < 0 || low < 0) {
    return -1;
  }
  *text = p + 3;

  return high * 16 + low;
}

static bool is_named(const char *text, const char *end, const char *name) {
  while (text < end && *name != '\0') {
    if (decode(&text, end) != (uint8_t)*name++) {
      return false;
    }
  }

  return text == end && *name == '\0';
}

/* How long is it decoded, and does that fit? Then it is written. */
static int decode_value(const char *text, const char *end, char *dst,
                        size_t size) {
  const char *p;
  size_t len = 0;
  int c;

  for (p = text; p < end; len++) {
    c = decode(&p, end);
    if (c <= 0) {
      return SBK_ERR_INVAL;
    }
  }
  if (len >= size || len > INT_MAX) {
    return SBK_ERR_TOO_BIG;
  }

  for (p = text; p < end;) {
    *dst++ = (char)decode(&p, end);
  }
  *dst = '\0';

  return (int)len;
}

int sbk__http_query_get(const char *query, const char *name, char *dst,
                        size_t size) {
  const char *end, *equals;

  for (; query != NULL; query = *end == '&' ? end + 1 : NULL) {
    end = query + strcspn(query, "&");
    equals = memchr(query, '=', (size_t)(end - query));
    if (equals == NULL) {
      equals = end;
    }
    if (end > query && is_named(query, equals, name)) {
      return decode_value(equals < end ? equals + 1 : end, end, dst, size);
    }
  }

  return SBK_ERR_NOT_FOUND;
}

/* RFC 6265, 4.2.1. There should be one field; a proxy that has translated from
 * HTTP/2 may have left several (RFC 9113, 8.2.3). */
int sbk__http_cookie_get(const sbk__http_head *head, const char *name,
                         char *dst, size_t size) {
  const size_t name_len = strlen(name);
  const sbk__http_field *field;
  const char *list, *item;
  size_t at = 0, len;

  while ((field = next_field(head, "Cookie", &at)) != NULL) {
    list = head->text + field->value;
    while (next_element(&list, ';', &item, &len)) {
      if (len <= name_len || item[name_len] != '=' ||
          memcmp(item, name, name_len) != 0) {
        continue;
      }
      len -= name_len + 1;
      if (len >= size || len > INT_MAX) {
        return SBK_ERR_TOO_BIG;
      }
      memcpy(dst, item + name_len + 1, len);
      dst[len] = '\0';
      return (int)len;
    }
  }

  return SBK_ERR_NOT_FOUND;
}
