#include "macros.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "heap.h"
#include "requests.h"
#include "text.h"

char *next_word(char **text) {
  char *start = *text + strspn(*text, " ");
  char *end = start + strcspn(start, " ");

  if (*start == '\0') {
    *text = start;
    return NULL;
  }
  *text = end + (*end != '\0');
  *end = '\0';
  return start;
}

void macro_put(const struct macro *m, const char *format, ...) {
  va_list args;
  char *text;
  int len;

  va_start(args, format);
  len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  text = own_realloc(NULL, (size_t)len + 1);
  va_start(args, format);
  vsnprintf(text, (size_t)len + 1, format, args);
  va_end(args);
  m->expand(m->arg, text);
  own_free(text);
}

size_t parsed_len(const char *text) {
  struct codes codes = {0};
  size_t len;

  codes_parse(&codes, text, strlen(text), false);
  len = codes.len;
  codes_free(&codes);
  return len;
}

/* connect NAME [VERSION [USER]]: CONNECT and its CONNECTED */
static void put_connect(const struct macro *m, const char *name, char *text) {
  const char *version = next_word(&text), *user = next_word(&text);

  version = version != NULL ? version : "1.2";
  macro_put(m, "%s> CONNECT", name);
  if (strcmp(version, "1.0") != 0) {
    macro_put(m, "%s> accept-version:%s", name, version);
  }
  macro_put(m, "%s> heart-beat:0,0", name);
  macro_put(m, "%s>", name);
  macro_put(m, "%s> ^@", name);
  macro_put(m, "%s< CONNECTED", name);
  macro_put(m, "%s< version:%s", name, version);
  macro_put(m, "%s< heart-beat:{*}", name);
  macro_put(m, "%s< session:{session}", name);
  macro_put(m, "%s< server:{*}", name);
  if (user != NULL) {
    macro_put(m, "%s< user-name:%s", name, user);
  }
  macro_put(m, "%s<", name);
  macro_put(m, "%s< ^@", name);
}

/* session NAME, stream NAME: as connect, on a fresh WebSocket or TCP stream;
 * the host names the user. */
static void put_session(const struct macro *m, const char *kind,
                        const char *name, char *text) {
  const char *user = strchr(text, ' ');

  macro_put(m, "open %s %s%s%s", name, kind, user != NULL ? " user=" : "",
            user != NULL ? user + 1 : "");
  put_connect(m, name, text);
}

/* asks NAME PATH [FIELD:VALUE …] [-FIELD …]: a request for a WebSocket */
static void put_request(const struct macro *m, const char *name, char *text) {
  static const char *const fields[] = {
      "Host: server.example", "Upgrade: websocket", "Connection: Upgrade",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version: 13"};
  const char *path = next_word(&text), *more[8];
  size_t count = 0, i, j;

  while (count < 8 && (more[count] = next_word(&text)) != NULL) {
    count++;
  }
  macro_put(m, "%s> GET %s HTTP/1.1", name, path);
  for (i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
    size_t len = strcspn(fields[i], ":");

    for (j = 0; j < count; j++) {
      if (more[j][0] == '-' && strlen(more[j]) == len + 1 &&
          strncmp(more[j] + 1, fields[i], len) == 0) {
        break;
      }
    }
    if (j == count) {
      macro_put(m, "%s> %s", name, fields[i]);
    }
  }
  for (j = 0; j < count; j++) {
    if (more[j][0] != '-') {
      macro_put(m, "%s> %s", name, more[j]);
    }
  }
  macro_put(m, "%s>", name);
  macro_put(m, "%s", "");
}

/* switched NAME [FIELD …]: the 101 */
static void put_switched(const struct macro *m, const char *name, char *text) {
  macro_put(m, "%s< HTTP/1.1 101 Switching Protocols", name);
  macro_put(m, "%s< Upgrade: websocket", name);
  macro_put(m, "%s< Connection: Upgrade", name);
  macro_put(m, "%s< Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", name);
  if (*text != '\0') {
    macro_put(m, "%s< %s", name, text);
  }
  macro_put(m, "%s<", name);
}

char *next_part(char **text) {
  char *part = *text, *next;

  if (part == NULL) {
    return NULL;
  }
  next = strstr(part, " + ");
  *text = next != NULL ? next + 3 : NULL;
  if (next != NULL) {
    *next = '\0';
  }
  return part;
}

/* answered NAME STATUS [+ FIELD …] [: BODY]: by the host; last: and then the
 * stream ends */
static void put_answer(const struct macro *m, const char *name, char *text,
                       bool last) {
  char *body = strstr(text, " : "), *part;

  if (body != NULL) {
    *body = '\0';
    body += 3;
  }
  part = next_part(&text);
  macro_put(m, "%s< HTTP/1.1 %s", name, part != NULL ? part : "");
  while ((part = next_part(&text)) != NULL) {
    macro_put(m, "%s< %s", name, part);
  }
  macro_put(m, "%s< Content-Length: %zu", name,
            body != NULL ? parsed_len(body) : 0);
  if (last) {
    macro_put(m, "%s< Connection: close", name);
  }
  macro_put(m, "%s<", name);
  if (body != NULL) {
    macro_put(m, "%s< %s\\", name, body);
  }
  if (last) {
    macro_put(m, "%s< [end]", name);
  }
}

/* refused NAME STATUS [+ FIELD …]: by the library; the peer ends its side */
static void put_refusal(const struct macro *m, const char *name, char *text) {
  const char *status = next_part(&text), *part;

  status = status != NULL ? status : "";
  macro_put(m, "%s< HTTP/1.1 %s", name, status);
  while ((part = next_part(&text)) != NULL) {
    macro_put(m, "%s< %s", name, part);
  }
  macro_put(m, "%s< Content-Type: text/plain", name);
  macro_put(m, "%s< Content-Length: %zu", name,
            strlen(status) > 3 ? strlen(status) - 3 : 0);
  macro_put(m, "%s< Connection: close%s", name,
            strncmp(status, "426", 3) == 0 ? ", Upgrade" : "");
  macro_put(m, "%s<", name);
  macro_put(m, "%s< %s\\n\\", name, status + 4);
  macro_put(m, "%s eof", name);
  macro_put(m, "%s< [end]", name);
}

static void put_error_frame(const struct macro *m, const char *name,
                            const char *text) {
  macro_put(m, "%s< ERROR", name);
  macro_put(m, "%s< message:%s", name, text);
  macro_put(m, "%s<", name);
  macro_put(m, "%s< ^@", name);
}

/* error NAME STATUS TEXT: ERROR, Close, the peer's Close, the end; with "tcp"
 * for a status: ERROR, the peer's end, the end */
static void put_error(const struct macro *m, const char *name, char *text) {
  const char *status = next_word(&text);

  put_error_frame(m, name, text);
  if (strcmp(status, "tcp") != 0) {
    macro_put(m, "%s< [close %s] %s", name, status, text);
    macro_put(m, "%s> [close 1000]", name);
  } else {
    macro_put(m, "%s eof", name);
  }
  macro_put(m, "%s< [end]", name);
}

/* fails NAME STATUS TEXT: a Close without ERROR, overruns: with one; what the
 * peer says is not even read any more, but its end is */
static void put_failure(const struct macro *m, const char *name, char *text,
                        bool error) {
  const char *status = next_word(&text);

  if (error) {
    put_error_frame(m, name, text);
  }
  macro_put(m, "%s< [close %s] %s", name, status, text);
  macro_put(m, "%s> [close 1000]", name);
  macro_put(m, "%s eof", name);
  macro_put(m, "%s< [end]", name);
}

/* The headers that are the words of text, and the end of a head. */
static void put_headers(const struct macro *m, const char *name, char *text) {
  const char *header;

  while ((header = next_word(&text)) != NULL) {
    macro_put(m, "%s> %s", name, header);
  }
  macro_put(m, "%s>", name);
}

/* subscribe NAME ID DESTINATION [HEADER:VALUE …] */
static void put_subscribe(const struct macro *m, const char *name, char *text) {
  const char *id = next_word(&text), *destination = next_word(&text);

  macro_put(m, "%s> SUBSCRIBE", name);
  macro_put(m, "%s> id:%s", name, id);
  macro_put(m, "%s> destination:%s", name, destination);
  put_headers(m, name, text);
  macro_put(m, "%s> ^@", name);
  macro_put(m, "%s", "");
}

/* frame NAME COMMAND [HEADER:VALUE …]: one without a body */
static void put_frame(const struct macro *m, const char *name, char *text) {
  macro_put(m, "%s> %s", name, next_word(&text));
  put_headers(m, name, text);
  macro_put(m, "%s> ^@", name);
  macro_put(m, "%s", "");
}

/* send NAME DESTINATION CONTENT-TYPE BODY; "-" for none */
static void put_send(const struct macro *m, const char *name, char *text) {
  const char *destination = next_word(&text), *type = next_word(&text);

  macro_put(m, "%s> SEND", name);
  macro_put(m, "%s> destination:%s", name, destination);
  if (strcmp(type, "-") != 0) {
    macro_put(m, "%s> content-type:%s", name, type);
  }
  macro_put(m, "%s>", name);
  macro_put(m, "%s> %s^@", name, text);
  macro_put(m, "%s", "");
}

/* message NAME SUBSCRIPTION DESTINATION CONTENT-TYPE BODY */
static void put_message(const struct macro *m, const char *name, char *text) {
  const char *id = next_word(&text), *destination = next_word(&text);
  const char *type = next_word(&text);

  macro_put(m, "%s< MESSAGE", name);
  macro_put(m, "%s< subscription:%s", name, id);
  macro_put(m, "%s< destination:%s", name, destination);
  macro_put(m, "%s< message-id:{n}", name);
  if (strcmp(type, "-") != 0) {
    macro_put(m, "%s< content-type:%s", name, type);
  }
  if (*text != '\0') {
    macro_put(m, "%s< content-length:%zu", name, parsed_len(text));
  }
  macro_put(m, "%s<", name);
  macro_put(m, "%s< %s^@", name, text);
  macro_put(m, "%s", "");
}

/* delivery NAME SUBSCRIPTION ACK DESTINATION BODY, redelivery: to a peer that
 * acknowledges, or from a queue; "-": without ack */
static void put_delivery(const struct macro *m, const char *name, char *text,
                         bool again) {
  const char *id = next_word(&text), *ack = next_word(&text);
  const char *destination = next_word(&text);

  macro_put(m, "%s< MESSAGE", name);
  macro_put(m, "%s< subscription:%s", name, id);
  if (strcmp(ack, "-") != 0) {
    macro_put(m, "%s< ack:%s", name, ack);
  }
  if (again) {
    macro_put(m, "%s< redelivered:true", name);
  }
  macro_put(m, "%s< destination:%s", name, destination);
  macro_put(m, "%s< message-id:{n}", name);
  if (*text != '\0') {
    macro_put(m, "%s< content-length:%zu", name, parsed_len(text));
  }
  macro_put(m, "%s<", name);
  macro_put(m, "%s< %s^@", name, text);
  macro_put(m, "%s", "");
}

/* gap NAME SUBSCRIPTION DESTINATION [ACK] */
static void put_gap(const struct macro *m, const char *name, char *text) {
  const char *id = next_word(&text), *destination = next_word(&text);
  const char *ack = next_word(&text);

  macro_put(m, "%s< MESSAGE", name);
  macro_put(m, "%s< subscription:%s", name, id);
  if (ack != NULL) {
    macro_put(m, "%s< ack:%s", name, ack);
  }
  macro_put(m, "%s< destination:%s", name, destination);
  macro_put(m, "%s< message-id:{*}", name);
  macro_put(m, "%s< history:gap", name);
  macro_put(m, "%s<", name);
  macro_put(m, "%s< ^@", name);
  macro_put(m, "%s", "");
}

/* receipt NAME ID */
static void put_receipt(const struct macro *m, const char *name,
                        const char *id) {
  macro_put(m, "%s< RECEIPT", name);
  macro_put(m, "%s< receipt-id:%s", name, id);
  macro_put(m, "%s<", name);
  macro_put(m, "%s< ^@", name);
}

static bool is_macro(const char *what) {
  static const char *const names[] = {
      "connect",  "session",    "stream", "asks",    "upgrade", "switched",
      "refused",  "answered",   "last",   "error",   "fails",   "overruns",
      "goodbye",  "subscribe",  "send",   "message", "receipt", "frame",
      "delivery", "redelivery", "gap"};
  size_t i;

  for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
    if (strcmp(names[i], what) == 0) {
      return true;
    }
  }
  return false;
}

bool macro_line(void *arg, void (*expand)(void *arg, const char *line),
                const char *what, char *text) {
  const struct macro macro = {arg, expand}, *m = &macro;
  const char *name;

  if (request_line(m, what, text)) {
    return true;
  }
  if (!is_macro(what) || (name = next_word(&text)) == NULL) {
    return false;
  }
  if (strcmp(what, "connect") == 0) {
    put_connect(m, name, text);
  } else if (strcmp(what, "session") == 0) {
    put_session(m, "ws", name, text);
  } else if (strcmp(what, "stream") == 0) {
    put_session(m, "tcp", name, text);
  } else if (strcmp(what, "asks") == 0) {
    put_request(m, name, text);
  } else if (strcmp(what, "upgrade") == 0) {
    macro_put(m, "open %s http", name);
    put_request(m, name, text);
    put_switched(m, name, text + strlen(text));
  } else if (strcmp(what, "switched") == 0) {
    put_switched(m, name, text);
  } else if (strcmp(what, "refused") == 0) {
    put_refusal(m, name, text);
  } else if (strcmp(what, "answered") == 0) {
    put_answer(m, name, text, false);
  } else if (strcmp(what, "last") == 0) {
    put_answer(m, name, text, true);
  } else if (strcmp(what, "error") == 0) {
    put_error(m, name, text);
  } else if (strcmp(what, "fails") == 0) {
    put_failure(m, name, text, false);
  } else if (strcmp(what, "overruns") == 0) {
    put_failure(m, name, text, true);
  } else if (strcmp(what, "goodbye") == 0) {
    macro_put(m, "%s> [close 1000]", name);
    macro_put(m, "%s< [end]", name);
  } else if (strcmp(what, "subscribe") == 0) {
    put_subscribe(m, name, text);
  } else if (strcmp(what, "send") == 0) {
    put_send(m, name, text);
  } else if (strcmp(what, "message") == 0) {
    put_message(m, name, text);
  } else if (strcmp(what, "frame") == 0) {
    put_frame(m, name, text);
  } else if (strcmp(what, "delivery") == 0) {
    put_delivery(m, name, text, false);
  } else if (strcmp(what, "gap") == 0) {
    put_gap(m, name, text);
  } else if (strcmp(what, "redelivery") == 0) {
    put_delivery(m, name, text, true);
  } else {
    put_receipt(m, name, text);
  }
  return true;
}
