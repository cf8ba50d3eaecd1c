#ifndef STOMPBROKER_TOPIC_H
#define STOMPBROKER_TOPIC_H

#include <stompbroker/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What becomes of a topic's messages that a subscriber is too slow for. */
enum sbk_overflow {
  SBK_OVERFLOW_CLOSE = 0,   /**< its session is closed */
  SBK_OVERFLOW_DROP_OLDEST, /**< what has waited longest is dropped */
  SBK_OVERFLOW_DROP_NEWEST  /**< what comes is dropped */
};

/**
 * How the topics below a prefix behave. Queues and user destinations keep
 * nothing of what is said here, except for overflow below the user prefix.
 */
struct sbk_topic {
  size_t size; /**< SBK_TOPIC_INIT sets it */
  /** Covers whole segments: "/topic/room" covers "/topic/room" and
   * "/topic/room/x". Of several that cover a destination the longest counts. */
  const char *prefix;

  /**
   * Nonzero: the last message with a header `retain:true` is kept for each
   * destination, and is the first that a later subscriber gets. One with an
   * empty body takes away what was kept.
   */
  int retain;

  /*
   * History: of each destination the last messages are kept while they are
   * within all three numbers. It is off unless history_messages or history_age
   * is set. A SUBSCRIBE with `history:N` gets the last N of each destination
   * first; one with `last-message-id:ID` gets what came behind that message.
   */
  size_t history_messages; /**< 1,000, to 1,048,576 */
  size_t history_bytes;    /**< bodies and headers, and 256 for each message:
                                1 MiB, to 1 GiB */
  sbk_msec history_age;    /**< SBK_NEVER unless set, to 365 days */

  enum sbk_overflow overflow;
};
#define SBK_TOPIC_INIT SBK__SIZED(struct sbk_topic)

/**
 * Copied, with its string. It holds for what is sent and subscribed to from now
 * on; the host calls it before it lets peers in.
 *
 * 0; SBK_ERR_INVAL: the prefix is no destination, or a number is over its
 * largest value; SBK_ERR_EXISTS: that prefix is taken; SBK_ERR_NOMEM;
 * SBK_ERR_ABI.
 */
SBK_API int sbk_broker_add_topic(sbk_broker *broker,
                                 const struct sbk_topic *topic);

#ifdef __cplusplus
}
#endif

#endif
