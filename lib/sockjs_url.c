#include "sockjs_url.h"

#include <string.h>

#include "ascii.h"

static const struct {
  const char *name;
  const char *methods;
} kinds[] = {
    [SBK__SOCKJS_NONE] = {"", ""},
    [SBK__SOCKJS_GREETING] = {"greeting", "GET"},
    [SBK__SOCKJS_INFO] = {"info", "OPTIONS, GET"},
    [SBK__SOCKJS_IFRAME] = {"iframe", "GET"},
    [SBK__SOCKJS_RAW] = {"websocket", "GET"},
    [SBK__SOCKJS_WEBSOCKET] = {"websocket", "GET"},
    [SBK__SOCKJS_XHR] = {"xhr", "OPTIONS, POST"},
    [SBK__SOCKJS_XHR_STREAMING] = {"xhr_streaming", "OPTIONS, POST"},
    [SBK__SOCKJS_EVENTSOURCE] = {"eventsource", "OPTIONS, GET"},
    [SBK__SOCKJS_HTMLFILE] = {"htmlfile", "GET"},
    [SBK__SOCKJS_JSONP] = {"jsonp", "GET"},
    [SBK__SOCKJS_XHR_SEND] = {"xhr_send", "OPTIONS, POST"},
    [SBK__SOCKJS_JSONP_SEND] = {"jsonp_send", "POST"},
};

const char *sbk__sockjs_kind_name(enum sbk__sockjs_kind kind) {
  return kinds[kind].name;
}

const char *sbk__sockjs_methods(enum sbk__sockjs_kind kind) {
  return kinds[kind].methods;
}

/* sockjs-protocol 0.3.3, Session URLs: anything but an empty string and dots.
 * A semicolon would begin a parameter of the segment (RFC 3986, 3.3), which
 * some proxies cut off. */
static bool is_id_char(char c) {
  return c > 0x20 && c < 0x7f && c != '.' && c != '/' && c != ';';
}

/* How many characters an id at the start of text has. */
static size_t id_len(const char *text) {
  size_t len = 0;

  while (is_id_char(text[len])) {
    len++;
  }

  return len;
}

/* sockjs-protocol 0.3.3, IFrame page: iframe[0-9-.a-z_]*.html */
static bool is_iframe(const char *name) {
  static const char first[] = "iframe", last[] = ".html";
  size_t len = strlen(name), i;

  if (len < sizeof(first) + sizeof(last) - 2 ||
      memcmp(name, first, sizeof(first) - 1) != 0 ||
      strcmp(name + len - (sizeof(last) - 1), last) != 0) {
    return false;
  }
  for (i = sizeof(first) - 1; i < len; i++) {
    if (!sbk__ascii_is_digit(name[i]) && strchr("-._", name[i]) == NULL &&
        (name[i] < 'a' || name[i] > 'z')) {
      return false;
    }
  }

  return true;
}

/* What has one segment only. */
static enum sbk__sockjs_kind static_kind(const char *name) {
  if (*name == '\0') {
    return SBK__SOCKJS_GREETING;
  }
  if (strcmp(name, "info") == 0) {
    return SBK__SOCKJS_INFO;
  }
  if (strcmp(name, "websocket") == 0) {
    return SBK__SOCKJS_RAW;
  }

  return is_iframe(name) ? SBK__SOCKJS_IFRAME : SBK__SOCKJS_NONE;
}

static enum sbk__sockjs_kind session_kind(const char *name) {
  int kind;

  for (kind = SBK__SOCKJS_WEBSOCKET; kind <= SBK__SOCKJS_JSONP_SEND; kind++) {
    if (strcmp(name, kinds[kind].name) == 0) {
      return (enum sbk__sockjs_kind)kind;
    }
  }

  return SBK__SOCKJS_NONE;
}

void sbk__sockjs_target_read(const char *rest, sbk__sockjs_target *target) {
  size_t server, session;

  memset(target, 0, sizeof(*target));
  if (*rest == '\0') {
    target->kind = SBK__SOCKJS_GREETING;
    return;
  }
  if (*rest++ != '/') {
    return;
  }
  if (strchr(rest, '/') == NULL) {
    target->kind = static_kind(rest);
    return;
  }

  server = id_len(rest);
  if (server == 0 || server > SBK__SOCKJS_SERVER_MAX || rest[server] != '/') {
    return;
  }
  rest += server + 1;
  session = id_len(rest);
  if (session == 0 || session > SBK__SOCKJS_SESSION_MAX ||
      rest[session] != '/') {
    return;
  }
  target->kind = session_kind(rest + session + 1);
  if (target->kind != SBK__SOCKJS_NONE) {
    target->session = rest;
    target->session_len = session;
  }
}

/*
 * sockjs-protocol 0.3.3 has any of [a-zA-Z0-9-_.]. The name stands in a script,
 * as `name("…")` and as `var c = parent.name;`, so it is held to what can be a
 * name there: no character of that set ends a string, a comment or an element,
 * but a '-' makes an expression of it, and a digit in front or an empty part a
 * number or an error, none of which is ever a callback. sockjs-client calls
 * itself `_jp.a` and six letters or digits.
 */
bool sbk__sockjs_callback_valid(const char *callback) {
  bool begins = true; /* a part of the name */
  size_t len;

  for (len = 0; callback[len] != '\0'; len++) {
    char c = callback[len];

    if (len == SBK__SOCKJS_CALLBACK_MAX) {
      return false;
    }
    if (c == '.') {
      if (begins) {
        return false;
      }
    } else if (!sbk__ascii_is_alpha(c) && c != '_' &&
               (begins || !sbk__ascii_is_digit(c))) {
      return false;
    }
    begins = c == '.';
  }

  return !begins;
}

/* What the next byte of a form belongs to. */
enum place {
  NAME,   /* a name, of which nothing came */
  NAME_D, /* a name, of which "d" came */
  OTHER,  /* another field */
  VALUE,  /* of d */
  REST,   /* behind it */
  BROKEN
};

void sbk__sockjs_form_init(sbk__sockjs_form *form) {
  memset(form, 0, sizeof(*form));
}

/* The ends of fields and of names. False: the byte is none. */
static bool take_mark(sbk__sockjs_form *form, uint8_t byte) {
  if (byte == '&') {
    /* The first d counts, even one without a value. */
    form->place = form->place == NAME || form->place == OTHER ? NAME : REST;
    return true;
  }
  if (byte == '=' && form->place <= NAME_D) {
    form->place = form->place == NAME_D ? VALUE : OTHER;
    return true;
  }

  return false;
}

enum { UNFINISHED = -1, BAD_ESCAPE = -2 };

/* The byte of a name or a value that ends here; or one of the above. */
static int decode(sbk__sockjs_form *form, uint8_t byte) {
  int digit;

  if (form->escape == 0) {
    if (byte == '%') {
      form->escape = 1;
      return UNFINISHED;
    }
    return byte == '+' ? ' ' : byte;
  }

  digit = sbk__ascii_hex((char)byte);
  if (digit < 0) {
    return BAD_ESCAPE;
  }
  if (form->escape == 1) {
    form->high = (uint8_t)digit;
    form->escape = 2;
    return UNFINISHED;
  }
  form->escape = 0;

  return form->high * 16 + digit;
}

/* True: the byte goes on to the reader, as *value. */
static bool take_byte(sbk__sockjs_form *form, uint8_t byte, uint8_t *value) {
  int decoded;

  if (form->escape == 0 && take_mark(form, byte)) {
    return false;
  }
  decoded = decode(form, byte);
  if (decoded == BAD_ESCAPE) {
    form->place = BROKEN;
  } else if (decoded != UNFINISHED && form->place == VALUE) {
    *value = (uint8_t)decoded;
    return true;
  } else if (decoded != UNFINISHED && form->place <= NAME_D) {
    form->place = form->place == NAME && decoded == 'd' ? NAME_D : OTHER;
  }

  return false;
}

int sbk__sockjs_form_read(sbk__sockjs_form *form, const void *data, size_t len,
                          sbk__sockjs_reader *reader) {
  const uint8_t *p = data;
  uint8_t values[256];
  size_t i, count = 0;
  int rv = 0;

  for (i = 0; i < len && rv == 0 && form->place != BROKEN; i++) {
    count += take_byte(form, p[i], &values[count]);
    if (count == sizeof(values)) {
      rv = sbk__sockjs_read(reader, values, count);
      count = 0;
    }
  }
  if (rv == 0) {
    rv = sbk__sockjs_read(reader, values, count);
  }

  return rv == 0 && form->place == BROKEN ? SBK_ERR_INVAL : rv;
}

int sbk__sockjs_form_end(const sbk__sockjs_form *form,
                         const sbk__sockjs_reader *reader) {
  int rv = sbk__sockjs_read_end(reader);

  if (rv == SBK_ERR_NOMEM) {
    return rv;
  }

  return form->place == BROKEN || form->escape > 0 ? SBK_ERR_INVAL : rv;
}
