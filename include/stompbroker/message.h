#ifndef STOMPBROKER_MESSAGE_H
#define STOMPBROKER_MESSAGE_H

#include <stompbroker/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Bytes that many queues share: counted, immutable, not copied per receiver.
 * data may be NULL when len is 0. NULL: no memory.
 */
SBK_API sbk_buf *sbk_buf_copy(sbk_broker *broker, const void *data, size_t len);

/**
 * Shares memory of the host without a copy. On success the library owns data
 * until it calls done(data, len, arg), on the broker's thread, from where only
 * memory may be freed; on failure (NULL: no memory) data stays the caller's.
 * done may be NULL for memory that outlives the broker.
 */
SBK_API sbk_buf *sbk_buf_wrap(sbk_broker *broker, void *data, size_t len,
                              void (*done)(void *data, size_t len, void *arg),
                              void *arg);
/** One more reference to buf, which is returned. */
SBK_API sbk_buf *sbk_buf_ref(sbk_buf *buf);
/** One reference less; the last one frees. NULL is fine. */
SBK_API void sbk_buf_unref(sbk_buf *buf);
SBK_API const void *sbk_buf_data(const sbk_buf *buf);
SBK_API size_t sbk_buf_len(const sbk_buf *buf);

/** The frames of STOMP 1.2, in the order of its chapters. */
enum sbk_command {
  SBK_CONNECT = 1, /**< also STOMP */
  SBK_CONNECTED,
  SBK_SEND,
  SBK_SUBSCRIBE,
  SBK_UNSUBSCRIBE,
  SBK_ACK,
  SBK_NACK,
  SBK_BEGIN,
  SBK_COMMIT,
  SBK_ABORT,
  SBK_DISCONNECT,
  SBK_MESSAGE,
  SBK_RECEIPT,
  SBK_ERROR
};

/**
 * A new MESSAGE for destination. body may be NULL; the message takes its own
 * reference. Headers may be set until the message is sent. NULL: no memory, or
 * destination is no destination (see sbk_send()).
 */
SBK_API sbk_message *sbk_message_new(sbk_broker *broker,
                                     const char *destination, sbk_buf *body);
/**
 * Sets a header, replacing one of the same name. Both strings are copied; any
 * byte but NUL may stand in them, they are escaped for each receiver.
 *
 * 0; SBK_ERR_NOMEM; SBK_ERR_STATE: the message was sent already;
 * SBK_ERR_INVAL: an empty name, or one that is the library's own
 * (destination, content-length, message-id, subscription, ack);
 * SBK_ERR_TOO_MANY: 1,024 headers.
 */
SBK_API int sbk_message_set_header(sbk_message *msg, const char *name,
                                   const char *value);
SBK_API sbk_message *sbk_message_ref(sbk_message *msg);
/** NULL is fine. */
SBK_API void sbk_message_unref(sbk_message *msg);

SBK_API enum sbk_command sbk_message_command(const sbk_message *msg);

/**
 * The header of that name (the first one: STOMP 1.2, Repeated Header Entries),
 * unescaped and ended by NUL; a frame with a NUL inside a header is refused.
 * NULL: absent. Lives as long as the message, or until the header is set anew.
 */
SBK_API const char *sbk_message_header(const sbk_message *msg,
                                       const char *name);
SBK_API size_t sbk_message_header_count(const sbk_message *msg);
/** name and value of header index, which is below the count: else both NULL.
 * They live as sbk_message_header()'s. */
SBK_API void sbk_message_header_at(const sbk_message *msg, size_t index,
                                   const char **name, const char **value);

/** The body, not ended by NUL; len in bytes. Lives as long as the message.
 * Never NULL, also when len is 0. */
SBK_API const void *sbk_message_body(const sbk_message *msg, size_t *len);
/** The same bytes to send on without a copy; borrowed; NULL when empty. A
 * reference to it keeps the bytes, not the message, alive. */
SBK_API sbk_buf *sbk_message_body_buf(const sbk_message *msg);

#ifdef __cplusplus
}
#endif

#endif
