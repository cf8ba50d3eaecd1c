#ifndef STOMPBROKER_SESSION_H
#define STOMPBROKER_SESSION_H

#include <stompbroker/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A session: one WebSocket, one session of SockJS over requests, or one raw
 * STOMP stream. Valid until `disconnected` returns. One that never was
 * connected is not told of at its end: on a stream it is valid until the
 * connection is freed, over requests in the call or callback that gave it
 * alone.
 */

/** 32 hexadecimal digits, 128 random bits. Knowing it gives no right. */
SBK_API const char *sbk_session_id(sbk_session *session);
/** NULL: nobody has named the user. */
SBK_API const char *sbk_session_user(sbk_session *session);
/**
 * For a host that knows the user already. Copied. 0; SBK_ERR_STATE after
 * CONNECTED; SBK_ERR_INVAL: as sbk_request_set_user(); SBK_ERR_NOMEM.
 */
SBK_API int sbk_session_set_user(sbk_session *session, const char *user);
/** Memory of the host's; NULL at first. Free it in `disconnected`. */
SBK_API void *sbk_session_data(sbk_session *session);
SBK_API void sbk_session_set_data(sbk_session *session, void *data);
SBK_API sbk_broker *sbk_session_broker(sbk_session *session);
/** The peer's name of sbk_conn_new(), or "". */
SBK_API const char *sbk_session_peer(sbk_session *session);
/** The endpoint's path; "" for streams that came without one. */
SBK_API const char *sbk_session_endpoint(sbk_session *session);
/** "tcp", "websocket", or as the last part of SockJS's path has it how its
 * output is taken, or was last: "xhr", "xhr_streaming", "eventsource",
 * "htmlfile", "jsonp". */
SBK_API const char *sbk_session_transport(sbk_session *session);

/**
 * Ends a session from the server's side: ERROR with that text (NULL: none)
 * goes out behind what is queued, then a Close with 1008 if there is a text
 * and 1000 if not. The session gets and takes nothing more; `disconnected`
 * comes at the end of the outermost call.
 */
SBK_API void sbk_session_close(sbk_session *session, const char *text);

/**
 * Ends a session of plain messages with a Close of that code and reason (UTF-8,
 * 123 bytes at most; NULL: none). 0; SBK_ERR_INVAL: a code other than 1000 and
 * 3000 to 4999 (RFC 6455, 7.4.2), or such a reason; SBK_ERR_STATE: it speaks
 * STOMP, or is closing.
 */
SBK_API int sbk_session_close_code(sbk_session *session, int code,
                                   const char *reason);

/**
 * Ends a session at that time of the host's monotonic clock, with ERROR
 * `session expired` and a Close with 1008: when its token runs out. May be
 * called again, from a handler that takes a new token for instance; SBK_NEVER:
 * not at all, as at first.
 */
SBK_API void sbk_session_set_expiry(sbk_session *session, sbk_msec at);

/**
 * Ends a subscription from the server's side: nothing more comes for it, and
 * `unsubscribed` is told. The client, which STOMP has no way of telling, may
 * still UNSUBSCRIBE it, and until then may not use its id again. 0, or
 * SBK_ERR_NOT_FOUND.
 */
SBK_API int sbk_session_unsubscribe(sbk_session *session, const char *id);

/**
 * A whole message to a session of plain messages; copied. Text is UTF-8.
 * 0; SBK_ERR_NOMEM; SBK_ERR_STATE: it speaks STOMP, or is closing;
 * SBK_ERR_INVAL: text that is not UTF-8; SBK_ERR_SLOW: max_queue is reached,
 * and the session is being closed.
 */
SBK_API int sbk_session_send(sbk_session *session, int binary, const void *data,
                             size_t len);

/*
 * Who is here: connected sessions only. fn may send, close and register, but
 * not feed or free; a value other than 0 ends the walk and is returned.
 */

/** Named users, each counted once. */
SBK_API size_t sbk_user_count(sbk_broker *broker);
/** Sessions of one user; user NULL: all sessions. */
SBK_API size_t sbk_session_count(sbk_broker *broker, const char *user);
SBK_API int sbk_each_user(sbk_broker *broker,
                          int (*fn)(const char *user, size_t sessions,
                                    void *arg),
                          void *arg);
/** user NULL: every session, anonymous ones too. */
SBK_API int sbk_each_session(sbk_broker *broker, const char *user,
                             int (*fn)(sbk_session *session, void *arg),
                             void *arg);
/** id is "" where STOMP 1.0 gave none; destination as the client wrote it. */
SBK_API int sbk_each_subscription(sbk_session *session,
                                  int (*fn)(const char *id,
                                            const char *destination, void *arg),
                                  void *arg);

#ifdef __cplusplus
}
#endif

#endif
