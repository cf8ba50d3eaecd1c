#ifndef SBK__OUTPUT_H
#define SBK__OUTPUT_H

#include "session.h"
#include "stage.h"

/*
 * The bytes of what a session's queue refers to, formed when the host asks.
 * The same entry always gives the same bytes, so that after a short write
 * nothing has to be kept but a count.
 */

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
