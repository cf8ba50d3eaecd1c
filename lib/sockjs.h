#ifndef SBK__SOCKJS_H
#define SBK__SOCKJS_H

#include "conn.h"
#include "sockjs_answer.h"
#include "sockjs_frame.h"

/*
 * A session of SockJS over requests. It is carried by a connection of its own
 * that has no socket: requests of clients, which come on others, feed it and
 * take its output. One at a time takes: the receiver. What a frame was made of
 * leaves the session's queue when the frame's last byte was counted off, so
 * that what a cut answer did not bring is in the next.
 */
typedef struct sbk__sockjs {
  const sbk__endpoint *endpoint;
  sbk_conn *conn;     /* carries the session */
  sbk_conn *receiver; /* whose answer takes its output; NULL: none does */
  sbk__node senders;  /* requests whose messages wait for the host */
  sbk_buf *last;      /* c[…], once it is closed; NULL: no memory for it */
  char *user;         /* whom the first request named; NULL: nobody */
  char *origin;       /* of the first that had one; NULL: none had */

  sbk_msec left_at;    /* the last receiver went, or it began */
  size_t streamed;     /* bytes of frames in the answer under way */
  size_t frame_len;    /* bytes of the frame under way */
  size_t frame_left;   /* to be counted off until it is out */
  uint32_t taken;      /* entries that it was made of */
  sbk__sockjs_way way; /* of the receiver */
  bool ends;           /* nothing follows what it was given */
  bool parting;        /* the frame under way is c[…] */
  bool told;           /* one that was is out */
  bool hurries;        /* it does not rest now */
  uint64_t brought;    /* bytes of all messages of senders */
  size_t fed;          /* of them, those that were taken at fed_at */
  sbk_msec fed_at;
  size_t id_len;
  char id[];
} sbk__sockjs;

/* Is it one without a socket? */
static inline bool sbk__sockjs_carries(const sbk_conn *conn) {
  return conn->sockjs != NULL && conn->sockjs->conn == conn;
}

/* A new session for the request that conn has, which passed. 0 and
 * *sockjs; SBK_ERR_TOO_MANY; SBK_ERR_NOMEM, SBK_ERR_CALLBACK. */
int sbk__sockjs_open(sbk_conn *conn, sbk__sockjs **sockjs);
/* NULL: none of that id. */
sbk__sockjs *sbk__sockjs_find(const sbk__endpoint *endpoint,
                              const sbk__sockjs_target *target);
/* c[…] of one that is closed. NULL: it is not. */
const void *sbk__sockjs_last_words(const sbk__sockjs *sockjs, size_t *len);

/* From here on conn's answer, whose head is written, takes the output. The
 * way's callback moves here. */
void sbk__sockjs_attach(sbk__sockjs *sockjs, sbk_conn *conn,
                        const sbk__sockjs_way *way);
/* The receiver goes, whatever it was given. */
void sbk__sockjs_detach(sbk_conn *conn);
/* Nobody new comes: a session that has said c[…] need not say it again. */
void sbk__sockjs_shutdown(sbk__sockjs *sockjs);
/* A connection that serves a connected session does not count as one of a
 * stranger any more. */
void sbk__sockjs_vouch(const sbk__sockjs *sockjs, sbk_conn *conn);
/* Messages of a client, which conn brings: it is answered when they were taken,
 * and none of them waits for the host. */
void sbk__sockjs_feed(sbk__sockjs *sockjs, sbk_conn *conn,
                      const sbk__sockjs_reader *reader);
/* A body is there at once, and may hold more than max_queue: between its parts
 * the connection that carries rests, and others take what was made of them.
 * Does it, and what it takes next. */
bool sbk__sockjs_rests(const sbk_conn *conn);
size_t sbk__sockjs_take(sbk__sockjs *sockjs, const uint8_t *data, size_t len);

/* Has the receiver something to take? Gives it the next frame: 0, or
 * SBK_ERR_NOMEM. And bytes of what it took are gone. */
bool sbk__sockjs_has_output(const sbk_conn *receiver);
int sbk__sockjs_next_frame(sbk_conn *receiver);
void sbk__sockjs_sent(sbk_conn *receiver, size_t len);

/* Of the connection that carries: what wakes it, when time changes it, and what
 * that does; its end, and whether it may be freed. */
void sbk__sockjs_wake(sbk__sockjs *sockjs);
sbk_msec sbk__sockjs_due(const sbk_conn *conn);
void sbk__sockjs_tick(sbk_conn *conn);
void sbk__sockjs_ended(sbk_conn *conn);
bool sbk__sockjs_work(sbk_conn *conn);
/* It is freed. */
void sbk__sockjs_free(sbk_conn *conn);

#endif
