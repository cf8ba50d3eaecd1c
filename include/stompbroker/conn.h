#ifndef STOMPBROKER_CONN_H
#define STOMPBROKER_CONN_H

#include <sys/uio.h>

#include <stompbroker/base.h>
#include <stompbroker/request.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What the first byte on a stream means. */
enum sbk_transport {
  SBK_HTTP = 1,  /**< HTTP/1.1: upgrades, SockJS, and the host's own paths */
  SBK_WEBSOCKET, /**< the host has sent its 101 already */
  SBK_TCP        /**< STOMP frames, no WebSocket */
};

/**
 * A stream the host has accepted. Its deadlines count from the next tick or
 * feed. peer is a name for the log and may be NULL; it is copied.
 *
 * 0; SBK_ERR_NOMEM; SBK_ERR_STATE: shutting down (for SBK_HTTP only once no
 * session of SockJS is left, which may come for its end); SBK_ERR_TOO_MANY:
 * max_connections or max_pending is reached (for SBK_HTTP a connection is
 * made all the same that answers 503 and ends, while there is room for 64
 * such). *conn is NULL on failure.
 */
SBK_API int sbk_conn_new(sbk_conn **conn, sbk_broker *broker,
                         enum sbk_transport transport, const char *peer,
                         void *user_data);

/** A request that the host's own HTTP parser has read. Nothing need end with
 * NUL. Only looked at during the call. */
struct sbk_http_field {
  const char *name;
  size_t name_len;
  const char *value;
  size_t value_len;
};
struct sbk_http_request {
  size_t size; /**< SBK_HTTP_REQUEST_INIT sets it */
  const char *method;
  size_t method_len;
  const char *target;
  size_t target_len;
  const struct sbk_http_field *fields;
  size_t field_count;
};
#define SBK_HTTP_REQUEST_INIT SBK__SIZED(struct sbk_http_request)

/**
 * A stream whose first request, to an endpoint or to what SockJS has below it,
 * is parsed already; the 101, an answer or a refusal comes out as output. Bytes
 * read behind the head are fed as usual, those of a body first; requests that
 * follow are read here.
 *
 * As sbk_conn_new(), and SBK_ERR_NOT_FOUND: no endpoint has that path;
 * SBK_ERR_INVAL: the request breaks HTTP's grammar; SBK_ERR_ABI.
 */
SBK_API int sbk_conn_new_request(sbk_conn **conn, sbk_broker *broker,
                                 const struct sbk_http_request *request,
                                 const char *peer, void *user_data);

/**
 * One request below an endpoint with SockJS whose answer the host writes, for
 * servers that cannot give their streams away. body is the whole of it, however
 * it came; fields that say how it came do not matter. What asks for a WebSocket
 * is not found: set no_websocket.
 *
 * sbk_conn_answer() gives the head. The body is the output, as it is, neither
 * chunked nor counted; while there is none the host's answer waits
 * (sbk_broker_next_ready() tells of more), and it ends when the connection
 * wants nothing. sbk_conn_eof() tells that the client has gone.
 *
 * As sbk_conn_new_request(); and SBK_ERR_STATE from a callback.
 */
SBK_API int sbk_conn_new_exchange(sbk_conn **conn, sbk_broker *broker,
                                  const struct sbk_http_request *request,
                                  const void *body, size_t len,
                                  const char *peer, void *user_data);

/** The head of an answer that the host writes. */
struct sbk_http_answer {
  size_t size; /**< SBK_HTTP_ANSWER_INIT sets it */
  int status;
  const struct sbk_field *fields; /**< end with a NULL name; none is about the
                                       body's length or the connection */
  size_t length; /**< of the body, which a HEAD does not get; SBK_UNKNOWN: it
                      streams */
};
#define SBK_HTTP_ANSWER_INIT SBK__SIZED(struct sbk_http_answer)
#define SBK_UNKNOWN          SIZE_MAX

/**
 * Fills answer, whose fields live as long as the connection. 0; SBK_ERR_STATE:
 * the host has not decided yet (SBK_WAIT), or the connection has ended without
 * an answer (for want of memory: it wants nothing), or it is no exchange;
 * SBK_ERR_ABI.
 */
SBK_API int sbk_conn_answer(sbk_conn *conn, struct sbk_http_answer *answer);

/** Sec-WebSocket-Accept for a host that writes its own 101: 28 characters and
 * a NUL. 0, or SBK_ERR_INVAL: key is not the base64 of 16 bytes. */
SBK_API int sbk_websocket_accept(char accept[29], const char *key,
                                 size_t key_len);

/**
 * Nonzero: a page of that origin may open a session here: it is the scheme,
 * host and port of the server itself (scheme "http" or "https", host as in the
 * Host header), or one of allowed (as in struct sbk_endpoint; NULL: none).
 * origin NULL is no browser: yes. For hosts that write their own 101;
 * endpoints ask it by themselves.
 */
SBK_API int sbk_origin_allowed(const char *origin, const char *scheme,
                               const char *host, const char *const *allowed);

/** The stream is gone: call after the socket is closed. Tells `disconnected`
 * if nobody has yet. NULL is fine. From a callback nothing happens. */
SBK_API void sbk_conn_free(sbk_conn *conn);

SBK_API void *sbk_conn_user_data(sbk_conn *conn);
SBK_API void sbk_conn_set_user_data(sbk_conn *conn, void *user_data);

/** NULL until the peer has asked for a session, and after its end. While a
 * session of SockJS is sent to on the connection: that one. */
SBK_API sbk_session *sbk_conn_session(sbk_conn *conn);

/**
 * Bytes from the peer, read at now. All are taken, whatever is returned; data
 * may be reused at once. A negative value is why this connection is closing;
 * the host need not react to it, sbk_conn_wants() says what is left to do.
 * SBK_ERR_STATE: called from a callback, nothing was taken.
 */
SBK_API int sbk_conn_feed(sbk_conn *conn, sbk_msec now, const void *data,
                          size_t len);

/** The peer has ended its side (0), or the socket failed (an errno value).
 * What the peer may still be sent is sent if it only ended its side. From a
 * callback nothing happens. */
SBK_API void sbk_conn_eof(sbk_conn *conn, int os_error);

/**
 * What the connection waits for: any of these; 0: all said, close the socket
 * and free the connection. SBK_WANT_HOLD stands alone while the host owes the
 * peer an answer (SBK_WAIT), or while it publishes too much for what waits for
 * others (max_total_queue): neither read nor write, keep the socket.
 * SBK_WANT_SHUTDOWN comes with SBK_WANT_READ once all is said to a peer that
 * was refused: end the sending side, as by shutdown(fd, SHUT_WR), which may be
 * done again each time. What the peer goes on sending is read and dropped for a
 * while (close_timeout at most), since a socket that is closed with bytes
 * unread takes back what the peer has not read yet (RFC 9112, 9.6).
 */
#define SBK_WANT_READ     1u
#define SBK_WANT_WRITE    2u
#define SBK_WANT_HOLD     4u
#define SBK_WANT_SHUTDOWN 8u
SBK_API unsigned sbk_conn_wants(sbk_conn *conn);

/*
 * The two ways to take output. Use one of them for a connection, then
 * sbk_conn_sent(), and nothing else for that connection in between.
 */

/**
 * Fills buf, which is the host's own and may serve the whole loop, with the
 * next bytes to send, oldest first, and returns how many they are, 0 when
 * nothing waits. Cheapest for loops that write at once. The same bytes come
 * again until sbk_conn_sent() has counted them off, unless the session ends or
 * a topic's overflow drops them before: writers that hold on to what they were
 * given (a TLS record that is half out, io_uring) take sbk_conn_output().
 */
SBK_API size_t sbk_conn_copy_out(sbk_conn *conn, void *buf, size_t cap);

/**
 * The next bytes to send, oldest first, up to iovmax pieces; how many were
 * filled. They stay where they are, unchanged, until sbk_conn_sent() has
 * counted them off, whatever else is called meanwhile. For asynchronous
 * writers and large bodies. If memory is short: 0, and the connection is
 * closing.
 */
SBK_API int sbk_conn_output(sbk_conn *conn, struct iovec *iov, int iovmax);

/** len bytes of what was handed out have been sent, or are the host's now. */
SBK_API void sbk_conn_sent(sbk_conn *conn, size_t len);

#ifdef __cplusplus
}
#endif

#endif
