#ifndef SBK__SOCKJS_URL_H
#define SBK__SOCKJS_URL_H

#include "sockjs_frame.h"

/*
 * What SockJS's requests say beside their messages: paths, the names of
 * callbacks, and the form that JSONP's sender posts.
 */

enum sbk__sockjs_kind {
  SBK__SOCKJS_NONE = 0,
  SBK__SOCKJS_GREETING,
  SBK__SOCKJS_INFO,
  SBK__SOCKJS_IFRAME,
  SBK__SOCKJS_RAW, /* a WebSocket without SockJS's framing */

  /* Below /server/session/ */
  SBK__SOCKJS_WEBSOCKET,
  SBK__SOCKJS_XHR,
  SBK__SOCKJS_XHR_STREAMING,
  SBK__SOCKJS_EVENTSOURCE,
  SBK__SOCKJS_HTMLFILE,
  SBK__SOCKJS_JSONP,
  SBK__SOCKJS_XHR_SEND,
  SBK__SOCKJS_JSONP_SEND
};

/* Characters of the ids in a path, and of a callback's name. */
enum {
  SBK__SOCKJS_SERVER_MAX = 16,
  SBK__SOCKJS_SESSION_MAX = 64,
  SBK__SOCKJS_CALLBACK_MAX = 64
};

typedef struct sbk__sockjs_target {
  enum sbk__sockjs_kind kind;
  const char *session; /* within rest; NULL: it names none */
  size_t session_len;
} sbk__sockjs_target;

/* What does rest, the path behind that of the endpoint, ask for? Nothing is
 * percent-decoded: an id is what its bytes are. */
void sbk__sockjs_target_read(const char *rest, sbk__sockjs_target *target);

/* "xhr_streaming"; "" for SBK__SOCKJS_NONE. */
const char *sbk__sockjs_kind_name(enum sbk__sockjs_kind kind);
/* For Allow: "OPTIONS, POST"; "" for SBK__SOCKJS_NONE. */
const char *sbk__sockjs_methods(enum sbk__sockjs_kind kind);

/* May this (decoded) name be called in a page of the endpoint's origin? Names
 * of JavaScript, `a.b_1.c`. */
bool sbk__sockjs_callback_valid(const char *callback);

/*
 * A body of application/x-www-form-urlencoded (WHATWG URL, 5.1), in pieces of
 * any size. What its first field `d` has as value goes on into a reader; the
 * other fields are passed over.
 */
typedef struct sbk__sockjs_form {
  uint8_t place;
  uint8_t escape; /* how many bytes of a %XX were read */
  uint8_t high;   /* the first digit of the %XX */
} sbk__sockjs_form;

void sbk__sockjs_form_init(sbk__sockjs_form *form);
/* As sbk__sockjs_read(); a % without two digits, wherever it stands, is
 * SBK_ERR_INVAL. */
int sbk__sockjs_form_read(sbk__sockjs_form *form, const void *data, size_t len,
                          sbk__sockjs_reader *reader);
/* As sbk__sockjs_read_end(). */
int sbk__sockjs_form_end(const sbk__sockjs_form *form,
                         const sbk__sockjs_reader *reader);

#endif
