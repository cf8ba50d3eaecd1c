#ifndef SBK__SOCKJS_ANSWER_H
#define SBK__SOCKJS_ANSWER_H

#include "conn.h"
#include "sockjs_url.h"

/* How frames of SockJS stand in the answers of each transport. */
typedef struct sbk__sockjs_way {
  enum sbk__sockjs_kind kind;
  bool chunked;
  char *callback; /* of jsonp and htmlfile; else NULL */
} sbk__sockjs_way;

/* Does an answer end behind its first frame? */
static inline bool sbk__sockjs_polls(const sbk__sockjs_way *way) {
  return way->kind == SBK__SOCKJS_XHR || way->kind == SBK__SOCKJS_JSONP;
}

/* "application/javascript; charset=UTF-8" */
const char *sbk__sockjs_content_type(enum sbk__sockjs_kind kind);

/* Bytes around a frame. */
size_t sbk__sockjs_around(const sbk__sockjs_way *way);
/*
 * Writes what stands around a frame of len bytes, and the end of the answer if
 * it ends. *room is where the frame's bytes go, at once; *until is how many
 * bytes wait on the connection up to where the client has it. 0, or
 * SBK_ERR_NOMEM.
 */
int sbk__sockjs_put(sbk_conn *conn, const sbk__sockjs_way *way, size_t len,
                    bool ends, uint8_t **room, size_t *until);
/* What stands in front of all frames of an answer. 0, or SBK_ERR_NOMEM. */
int sbk__sockjs_put_prelude(sbk_conn *conn, const sbk__sockjs_way *way);
/* Has a frame to be written anew to stand there, in a string of a script or in
 * an event? How long it is then, and that; dst has room for it. */
static inline bool sbk__sockjs_is_wrapped(const sbk__sockjs_way *way) {
  return way->callback != NULL || way->kind == SBK__SOCKJS_EVENTSOURCE;
}
size_t sbk__sockjs_wrapped_len(const sbk__sockjs_way *way, const void *frame,
                               size_t len);
void sbk__sockjs_wrap(const sbk__sockjs_way *way, void *dst, const void *frame,
                      size_t len);

#endif
