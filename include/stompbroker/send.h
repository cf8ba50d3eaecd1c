#ifndef STOMPBROKER_SEND_H
#define STOMPBROKER_SEND_H

#include <stompbroker/base.h>
#include <stompbroker/message.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A destination is not empty, has no empty segment (it may begin and end with a
 * separator) and no control character, and keeps within max_destination and
 * max_levels.
 */

/**
 * Bytes to every subscription that matches destination, now. data is copied
 * once, however many there are; content_type may be NULL.
 *
 * How many deliveries were queued, 0 too when there are no subscribers;
 * SBK_ERR_NOMEM: nobody got it; SBK_ERR_INVAL: no destination, or it is below
 * the user prefix. A receiver for which alone memory or its queue was short
 * is closed; the others get the message. SBK_ERR_DENIED, as of all functions
 * that send: an interceptor of SBK_SENDS says no.
 *
 * Below a queue prefix one subscription gets it, or it waits: 1 if a message of
 * that queue went to a consumer, 0 if not; SBK_ERR_TOO_MANY: the queue is full.
 * So it is where a topic keeps last values and no more of them fit (topic.h).
 */
SBK_API int sbk_send(sbk_broker *broker, const char *destination,
                     const char *content_type, const void *data, size_t len);

/**
 * The same to every session of one user that subscribes to
 * {user_prefix}{destination}. How many sessions got it; if none,
 * `undeliverable` is told. SBK_ERR_INVAL also for a user that can be none (see
 * sbk_request_set_user()).
 */
SBK_API int sbk_send_to_user(sbk_broker *broker, const char *user,
                             const char *destination, const char *content_type,
                             const void *data, size_t len);

/** The same to one session, anonymous or not: 1 if it subscribes, else 0. */
SBK_API int sbk_send_to_session(sbk_session *session, const char *destination,
                                const char *content_type, const void *data,
                                size_t len);

/**
 * The three with headers of the host's own and without a copy of the body. The
 * caller keeps its reference; the message is frozen from now on, and may be
 * sent again. For the latter two msg's destination is the user's:
 * "/queue/x" reaches subscribers of "/user/queue/x".
 */
SBK_API int sbk_send_message(sbk_broker *broker, sbk_message *msg);
SBK_API int sbk_send_message_to_user(sbk_broker *broker, const char *user,
                                     sbk_message *msg);
SBK_API int sbk_send_message_to_session(sbk_session *session, sbk_message *msg);

/** Turns values of the host into bodies and back. Copied, with the string. */
struct sbk_converter {
  size_t size;              /**< SBK_CONVERTER_INIT sets it */
  const char *content_type; /**< "application/json"; compared without case and
                                 parameters */
  /** Writes a new body for value to *out, which the library then owns. type is
   * the host's own name of what value is. 0, or negative. */
  int (*encode)(sbk_broker *broker, const char *type, const void *value,
                sbk_buf **out, void *arg);
  /** Fills value from the bytes of a body. 0, or negative. */
  int (*decode)(sbk_broker *broker, const char *type, const void *data,
                size_t len, void *value, void *arg);
  void *arg;
};
#define SBK_CONVERTER_INIT SBK__SIZED(struct sbk_converter)

/** Bytes that belong to somebody else. */
struct sbk_bytes {
  const void *data;
  size_t len;
};

/**
 * Two converters that are made already, to be added as any other: for
 * "text/plain", whose values are UTF-8 that ends with NUL (const char *), and
 * for "application/octet-stream", whose values are struct sbk_bytes. Both
 * decode into a struct sbk_bytes, which lives as long as the call. Text that is
 * not UTF-8 is SBK_ERR_INVAL, both ways. They do not look at type. Never NULL.
 */
SBK_API const struct sbk_converter *sbk_text_converter(void);
SBK_API const struct sbk_converter *sbk_bytes_converter(void);

/** The first one added is the default for sending. 0; SBK_ERR_EXISTS: its
 * content type is taken; SBK_ERR_INVAL; SBK_ERR_NOMEM; SBK_ERR_ABI. */
SBK_API int sbk_broker_add_converter(sbk_broker *broker,
                                     const struct sbk_converter *converter);

/**
 * Encodes value with the converter of content_type (NULL: the first one) and
 * sends it as sbk_send() and sbk_send_to_user() do. Also SBK_ERR_NOT_FOUND: no
 * such converter, and what encode returned.
 */
SBK_API int sbk_convert_and_send(sbk_broker *broker, const char *destination,
                                 const char *content_type, const char *type,
                                 const void *value);
SBK_API int sbk_convert_and_send_to_user(sbk_broker *broker, const char *user,
                                         const char *destination,
                                         const char *content_type,
                                         const char *type, const void *value);
/** Encodes value so, and returns it from a handler: see sbk_call_return(), with
 * whose errors these come. Also SBK_ERR_NOT_FOUND, and what encode returned. */
SBK_API int sbk_call_convert_and_return(sbk_call *call,
                                        const char *content_type,
                                        const char *type, const void *value);
/** Decodes a call's message into value, by its content-type (absent: the first
 * converter). 0; SBK_ERR_NOT_FOUND: no such converter; what decode returned. */
SBK_API int sbk_call_decode(sbk_call *call, const char *type, void *value);

#ifdef __cplusplus
}
#endif

#endif
