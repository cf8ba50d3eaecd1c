#ifndef SBK__OUTPUT_H
#define SBK__OUTPUT_H

#include "session.h"
#include "stage.h"

/*
 * The bytes of what a session's queue refers to, formed when the host asks.
 * The same entry always gives the same bytes, so that after a short write
 * nothing has to be kept but a count.
 */

/* The pieces of an entry as STOMP has them, without any transport's framing. */
typedef struct sbk__parts {
  struct iovec parts[8];
  int count;
  sbk_message *msg; /* that others may get as well; NULL: it is none */
  const sbk__rest *rest;
  char digits[20];
} sbk__parts;

/* Of an entry that is neither SBK__OUT_CONTROL nor _FRAME: of a MESSAGE what
 * its session alone gets, else all of it. */
void sbk__output_own(const sbk_session *session, const sbk__entry *entry,
                     sbk__parts *parts);
/* What is behind that. A MESSAGE whose bytes are not UTF-8 says in its
 * content-length how many its body has once they are: see
 * sbk__sockjs_text_len(). */
void sbk__output_shared(sbk__parts *parts);
/* So many of the oldest entries are in an answer now: they stay until they are
 * gone, or the session is left alone. */
void sbk__output_take(sbk_session *session, uint32_t count);
/* So many of the oldest entries are gone. */
void sbk__output_pop(sbk_session *session, uint32_t count);

/* Fills dst with the next bytes; how many. */
size_t sbk__output_copy(const sbk_session *session, uint8_t *dst, size_t cap);
/* len bytes of them are gone. */
void sbk__output_sent(sbk_session *session, size_t len);
/* Moves entries to stage until that holds about limit bytes. 0, or
 * SBK_ERR_NOMEM. */
int sbk__output_stage(sbk_session *session, sbk__stage *stage, size_t limit);
/* Puts pong in the place of one that waits whole, and takes its reference;
 * false: there is none. */
bool sbk__output_replace_pong(sbk_session *session, sbk_buf *pong);
/* Drops the oldest message that may be dropped, and of which nothing is sent;
 * false: there is none. */
bool sbk__output_drop_oldest(sbk_session *session);
/* Drops messages that have waited for send_timeout; false: the oldest of what
 * waits has, and may not be dropped. */
bool sbk__output_drop_aged(sbk_session *session);
/* Forgets what waits, but for an entry that is half sent. */
void sbk__output_drop(sbk_session *session);
/* Forgets all. */
void sbk__output_clear(sbk_session *session);

#endif
