#ifndef SBK__FRAMES_H
#define SBK__FRAMES_H

#include "session.h"
#include "stage.h"

/*
 * What a session's queue refers to as frames of SockJS (sockjs-protocol 0.3.3,
 * Protocol and framing): `o`, `h`, `c[…]` stand in it whole; messages that
 * follow each other are one array. The same entries always give the same bytes.
 */
typedef struct sbk__frame {
  uint32_t entries; /* of the queue, the oldest ones; 0: nothing waits */
  size_t len;
  bool control; /* of WebSocket: not SockJS's at all */
  bool last;    /* c[…] */
} sbk__frame;

/* The next one, which ends before limit is passed unless one message does. */
void sbk__frame_next(sbk_session *session, size_t limit, sbk__frame *frame);
/* Its len bytes. */
void sbk__frame_write(const sbk_session *session, const sbk__frame *frame,
                      uint8_t *dst);

/* Moves entries to stage as messages of a WebSocket until that holds about
 * limit bytes. 0, or SBK_ERR_NOMEM. */
int sbk__frames_stage(sbk_session *session, sbk__stage *stage, size_t limit);

#endif
