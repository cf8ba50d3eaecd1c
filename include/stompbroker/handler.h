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
 * message lives until the return; sbk_message_ref() keeps it. See
 * sbk_broker_add_error_handler() for what else a failure may lead to.
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

/** A handler, and where what it returns goes. Copied, with its strings. */
struct sbk_mapping {
  size_t size; /**< SBK_MAPPING_INIT sets it */
  enum sbk_command command;
  const char *pattern;
  sbk_handler handler;
  void *arg;
  /** Destinations to which sbk_call_return() sends, {name} in them filled in
   * with what the pattern captured, each at most once: "/topic/room.{room}".
   * Ends with NULL. */
  const char *const *send_to;
  /** The same for the sender's user: "/queue/{room}" is seen at
   * "/user/queue/{room}" in all sessions of that user. */
  const char *const *send_to_user;
  int only_sender; /**< nonzero: send_to_user means the sending session alone */
};
#define SBK_MAPPING_INIT SBK__SIZED(struct sbk_mapping)

/** As sbk_broker_add_handler(); SBK_ERR_INVAL also: a {name} that the pattern
 * has not, or no destination; SBK_ERR_ABI. */
SBK_API int sbk_broker_add_mapping(sbk_broker *broker,
                                   const struct sbk_mapping *mapping);

/**
 * Answers the sender's session alone, at {user_prefix}{destination}, if it
 * subscribes to that; else nothing happens. data is copied; content_type may
 * be NULL. 1 if it was sent, 0 if not; SBK_ERR_NOMEM, SBK_ERR_INVAL.
 */
SBK_API int sbk_call_reply(sbk_call *call, const char *destination,
                           const char *content_type, const void *data,
                           size_t len);

/**
 * What the handler returns, as a message. With send_to or send_to_user it goes
 * there, to users first. Otherwise, in a SUBSCRIBE handler, it goes straight
 * and only to that new subscription, with the destination as the client wrote
 * it; in a SEND handler to the first broker prefix with the destination behind
 * the application prefix: /app/x to /topic/x. May be called several times. 0;
 * SBK_ERR_NOMEM; SBK_ERR_INVAL: a filled-in destination is none;
 * SBK_ERR_STATE: not from a handler; SBK_ERR_TOO_MANY: a queue is full.
 */
SBK_API int sbk_call_return(sbk_call *call, const char *content_type,
                            const void *data, size_t len);

/**
 * Puts the rest of a handler's work off: the call stays valid, whatever becomes
 * of its session, until sbk_call_finish(), and its receipt waits for that. The
 * session's next frames go on meanwhile, until max_deferred calls are put off.
 * A handler that returns something negative afterwards has failed all the same,
 * and the call is gone. 0; SBK_ERR_STATE: not from inside its handler, or put
 * off already.
 */
SBK_API int sbk_call_defer(sbk_call *call);
/**
 * Ends a call that was put off, with what the handler would have returned. On
 * the broker's thread, also from callbacks; the call is gone then, as all are
 * with the broker. sbk_call_session() of a call whose session has ended is
 * NULL: nothing can be answered any more, but it has to be finished all the
 * same. 0, or SBK_ERR_STATE: it was not put off.
 */
SBK_API int sbk_call_finish(sbk_call *call, int result);

/**
 * A handler has failed with error, a negative number; text is its
 * sbk_call_set_error(), or sbk_strerror()'s, and lives until the return or the
 * next sbk_call_set_error(). 0: dealt with, the session lives and there is no
 * receipt; negative: ask the next one. If none deals with it the sender is told
 * at error_destination and lives, or gets ERROR.
 */
typedef int (*sbk_error_handler)(sbk_call *call, int error, const char *text,
                                 void *arg);
/** Lower orders are asked first; equal ones in the order of their registration.
 * 0, SBK_ERR_NOMEM, SBK_ERR_INVAL. */
SBK_API int sbk_broker_add_error_handler(sbk_broker *broker, int order,
                                         sbk_error_handler handler, void *arg);

enum sbk_direction {
  SBK_INBOUND = 1, /**< what clients send, and the end of their sessions */
  SBK_OUTBOUND,    /**< each MESSAGE to each receiver */
  SBK_SENDS        /**< what the host sends, once, before anybody gets it */
};

/**
 * Looks at a frame, after the rules of STOMP and before handlers and
 * subscribers. The first verdict other than SBK_PASS ends the chain.
 *
 * Inbound: SBK_DROP skips the frame but gives its receipt (of a CONNECT it
 * refuses); SBK_REFUSE skips it without its receipt, and tells the client at
 * error_destination (a CONNECT is rejected); SBK_REJECT sends ERROR and closes;
 * SBK_WAIT holds the session: its frames behind this one wait, in order. The
 * end of a session that sent no DISCONNECT comes as an SBK_DISCONNECT without
 * headers; the verdict is not asked then.
 *
 * Outbound: SBK_DROP (and SBK_REFUSE) leaves this receiver out, SBK_REJECT
 * closes its session;
 * SBK_WAIT is not to be had there and counts as SBK_DROP, with a line in the
 * log.
 *
 * Sends of the host, those of its handlers among them: SBK_DROP sends it to
 * nobody, which the sending function returns as 0; SBK_REFUSE and SBK_REJECT
 * make that SBK_ERR_DENIED; SBK_WAIT counts as SBK_DROP. The call has a session
 * only if it is sent to one; sbk_call_param() of "user" is the name of the user
 * that it is sent to. What the interceptor sends itself comes here too.
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
