#ifndef SOCKJS_H
#define SOCKJS_H

#include "run.h"

/*
 * A client of SockJS that stands for a WebSocket of the transcript: the same
 * words go both ways, so the transcript's lines say what comes out. It has two
 * connections of HTTP: on one it takes what there is, answer after answer; on
 * the other it sends, one request at a time. Where the mode says so answers
 * break off, and it comes again.
 */

/* Opens the session that the item, ITEM_OPEN, would have had; the result of
 * its first connection. */
int client_open(struct stream *stream, const struct item *item);
/* A message, which goes out with the next client_turn(). */
void client_say(struct client *client, const struct codes *message);
/* Reads what came and does what is next; false: there was nothing to do. */
bool client_turn(struct client *client);
void client_stall(struct client *client, bool stalled);
/*
 * What the transcript calls wants. A session that the host holds up is silent:
 * only who sends more has to wait for the answer. So `hold` where that is
 * expected, and not read where an answer is owed.
 */
unsigned client_wants(const struct client *client, unsigned expected);
/* Goes, without a word: there is none in SockJS. Where the session has not
 * ended yet it now does, as far as disconnect_delay matters. */
void client_leave(struct client *client);
/* The transcript expects codes: if its last is the end of the stream, and the
 * session is over, then this is the end. */
void client_compare(struct client *client, struct codes *expected);
/* Nothing comes any more, as far as it knows. */
bool client_is_over(const struct client *client);
/* How many bytes may be taken on one of its connections; iov is what comes
 * next there. */
size_t client_room(struct client *client, const struct stream *stream,
                   const struct iovec *iov, int count);
bool client_sends_on(const struct client *client, const struct stream *stream);
/* Its connections that there are. */
size_t client_conns(const struct client *client);
/* Each of them in turn; NULL: no more. */
struct stream *client_stream(struct client *client, unsigned number);
/* Its sockets are closed. */
void client_hang_up(struct client *client);
void client_free(struct client *client);

/* The host: what it learns of a client's session, and who a request is of. */
int client_handshake(struct client *client, sbk_request *request);
void client_session(struct client *client, sbk_session *session);
sbk_session *client_has_session(const struct client *client);
/* Do the transcript's handshakes concern it? */
bool client_has_handshake(const struct client *client);
/* Why the session ended, as a WebSocket's would have. */
int client_reason(const struct client *client, int reason);

/* How long sessions live without their clients: as short as can be, so that who
 * goes is missed at once, unless the transcript says otherwise. */
sbk_msec client_delay(const struct script *script);
/* Why a transcript cannot be played over SockJS, if it cannot. */
enum reason {
  REASON_NONE,
  REASON_NO_WEBSOCKET,
  REASON_FRAMES,
  REASON_UTF8,
  REASON_HANDSHAKE,
  REASON_COUNTS,
  REASON_SAYS_SO,
  REASON_COUNT
};
extern const char *const reason_names[REASON_COUNT];
enum reason sockjs_reason(const struct script *script);

#endif
