#ifndef STOMPBROKER_HANDLER_H
#define STOMPBROKER_HANDLER_H

#include <stompbroker/base.h>
#include <stompbroker/message.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A call: one message on its way through the host's code. Valid until the
 * handler or interceptor returns; after SBK_WAIT until sbk_call_resume(), or
 * until its session's end is told (`disconnected`, or the inbound
 * interceptors' SBK_DISCONNECT for a session that was not yet connected).
 */
SBK_API sbk_broker *sbk_call_broker(sbk_call *call);
/** Who sent it (inbound, handlers) or who gets it (outbound). */
SBK_API sbk_session *sbk_call_session(sbk_call *call);
SBK_API const sbk_message *sbk_call_message(sbk_call *call);
/** For handlers: what {name} of the pattern matched; NULL: the pattern has no
 * such name. Lives as long as the call. */
SBK_API const char *sbk_call_param(sbk_call *call, const char *name);

/**
 * A message to an application destination. 0 or more: it is dealt with, so what
 * the sending functions return may be returned. Negative: the session gets
 * ERROR (sbk_call_set_error()'s text, or sbk_strerror()'s) and is closed. The
 * message lives until the return; sbk_message_ref() keeps it.
 */
typedef int (*sbk_handler)(sbk_call *call, void *arg);

/**
 * Handles command, SBK_SEND or SBK_SUBSCRIBE, at destinations that match
 * pattern, which stands without the application prefix: "/chat/{room}"; "?" a
 * character, "*" within a segment, "**" any segments, "{name}" a segment or
 * part of one, captured. The most specific pattern wins, as in Spring's
 * AntPathMatcher; among equals the one registered first.
 *
 * 0; SBK_ERR_EXISTS: that pattern has a handler for command; SBK_ERR_INVAL: a
 * malformed pattern, or another command; SBK_ERR_TOO_BIG: over max_destination,
 * max_levels or max_wildcards; SBK_ERR_NOMEM.
 */
SBK_API int sbk_broker_add_handler(sbk_broker *broker, enum sbk_command command,
                                   const char *pattern, sbk_handler handler,
                                   void *arg);

/**
 * Answers the sender's session alone, at {user_prefix}{destination}, if it
 * subscribes to that; else nothing happens. data is copied; content_type may
 * be NULL. 1 if it was sent, 0 if not; SBK_ERR_NOMEM, SBK_ERR_INVAL.
 */
SBK_API int sbk_call_reply(sbk_call *call, const char *destination,
                           const char *content_type, const void *data,
                           size_t len);

/**
 * What the handler returns, as a message. In a SUBSCRIBE handler it goes
 * straight and only to that new subscription, with the destination as the
 * client wrote it. In a SEND handler it goes to the first broker prefix with
 * the destination behind the application prefix: /app/x to /topic/x. May be
 * called several times. 0; SBK_ERR_NOMEM; SBK_ERR_STATE: not from a handler.
 */
SBK_API int sbk_call_return(sbk_call *call, const char *content_type,
                            const void *data, size_t len);

enum sbk_direction {
  SBK_INBOUND = 1, /**< what clients send, and the end of their sessions */
  SBK_OUTBOUND     /**< each MESSAGE to each receiver */
};

/**
 * Looks at a frame, after the rules of STOMP and before handlers and
 * subscribers. The first verdict other than SBK_PASS ends the chain.
 *
 * Inbound: SBK_DROP skips the frame but gives its receipt (of a CONNECT it
 * refuses); SBK_REJECT sends ERROR and closes; SBK_WAIT holds the session: its
 * frames behind this one wait, in order. The end of a session that sent no
 * DISCONNECT comes as an SBK_DISCONNECT without headers; the verdict is not
 * asked then.
 *
 * Outbound: SBK_DROP leaves this receiver out, SBK_REJECT closes its session;
 * SBK_WAIT is not to be had there and counts as SBK_DROP, with a line in the
 * log.
 */
typedef enum sbk_verdict (*sbk_interceptor)(sbk_call *call, void *arg);

/** Lower orders come first; equal ones in the order of their registration.
 * 0, SBK_ERR_NOMEM, SBK_ERR_INVAL. */
SBK_API int sbk_broker_add_interceptor(sbk_broker *broker,
                                       enum sbk_direction direction, int order,
                                       sbk_interceptor interceptor, void *arg);

/** In CONNECT: whose session this is. Copied. 0; SBK_ERR_INVAL: as
 * sbk_request_set_user(); SBK_ERR_STATE: not a CONNECT; SBK_ERR_NOMEM. */
SBK_API int sbk_call_set_user(sbk_call *call, const char *user);
/**
 * In interceptors: sets a header for who comes after, and for receivers;
 * outbound for this receiver alone. Copied. As sbk_message_set_header(), and
 * SBK_ERR_STATE in handlers.
 */
SBK_API int sbk_call_set_header(sbk_call *call, const char *name,
                                const char *value);
/** The text of the ERROR that a refusal sends. Copied, at most 1,024 bytes.
 * 0, SBK_ERR_NOMEM, SBK_ERR_INVAL: longer, or NULL. */
SBK_API int sbk_call_set_error(sbk_call *call, const char *text);

/**
 * Ends SBK_WAIT: SBK_PASS goes on with the next interceptor. On the broker's
 * thread; from a callback it takes effect at the end of the outermost call. 0;
 * SBK_ERR_STATE: it does not wait; SBK_ERR_INVAL: SBK_WAIT again.
 */
SBK_API int sbk_call_resume(sbk_call *call, enum sbk_verdict verdict);

#ifdef __cplusplus
}
#endif

#endif
