#ifndef STOMPBROKER_STATS_H
#define STOMPBROKER_STATS_H

#include <stompbroker/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What a broker holds now, and what it has done since it was made. Counters
 * only grow. New members are only ever added at the end.
 */
struct sbk_stats {
  size_t size; /**< SBK_STATS_INIT sets it */

  /* Now. */
  uint64_t connections;
  uint64_t pending;       /**< of them not connected yet */
  uint64_t sessions;      /**< connected ones */
  uint64_t users;         /**< named ones with a session */
  uint64_t subscriptions; /**< active ones */
  uint64_t destinations;  /**< distinct ones subscribed to, or with a queue */
  uint64_t patterns;      /**< distinct ones subscribed to */
  uint64_t queued;        /**< messages in queues, not handed out */
  uint64_t unacked;       /**< deliveries that wait for an ACK */

  /* Since the beginning. */
  uint64_t accepted;    /**< connections */
  uint64_t connects;    /**< sessions that were connected */
  uint64_t bytes_in;    /**< fed */
  uint64_t bytes_out;   /**< counted off by sbk_conn_sent() */
  uint64_t frames_in;   /**< whole ones of clients */
  uint64_t published;   /**< messages sent to a destination, by anyone */
  uint64_t deliveries;  /**< MESSAGEs queued for a session */
  uint64_t redelivered; /**< of them again */
  uint64_t dead_letters;
  uint64_t requests; /**< of HTTP, whole ones */
  uint64_t refused;  /**< frames, by SBK_REFUSE */

  /* Sessions that ended, by the reason that `disconnected` is told. */
  uint64_t ended_clean;     /**< 0 */
  uint64_t ended_eof;       /**< SBK_ERR_EOF */
  uint64_t ended_protocol;  /**< SBK_ERR_WEBSOCKET, SBK_ERR_STOMP */
  uint64_t ended_limit;     /**< SBK_ERR_TOO_BIG, SBK_ERR_TOO_MANY */
  uint64_t ended_slow;      /**< SBK_ERR_SLOW */
  uint64_t ended_timeout;   /**< SBK_ERR_TIMEOUT */
  uint64_t ended_denied;    /**< SBK_ERR_DENIED, SBK_ERR_CALLBACK */
  uint64_t ended_closed;    /**< SBK_ERR_CLOSED */
  uint64_t ended_no_memory; /**< SBK_ERR_NOMEM */

  /* What waits for all peers: see max_total_queue. */
  uint64_t waiting; /**< bytes of memory, now */
  uint64_t paused;  /**< sessions not read, now, since it is too much */
  uint64_t alarms;  /**< how often it was */

  /* Messages that topics let drop (enum sbk_overflow): out of what waited, and
   * before they did. */
  uint64_t dropped_oldest;
  uint64_t dropped_newest;
  /* What topics keep (topic.h): now, and since the beginning. */
  uint64_t history;        /**< messages in histories */
  uint64_t history_bytes;  /**< as history_bytes counts */
  uint64_t retained;       /**< last values */
  uint64_t retained_bytes; /**< as max_retained_bytes counts */
  uint64_t replayed;       /**< of both, to subscribers that came later */
  uint64_t gaps;           /**< subscribers that were told of one */

  uint64_t dropped_unroutable; /**< SENDs that led nowhere: drop_unroutable */

  /* Whole frames of clients that were refused, by whom (enum sbk_refusal);
   * those of `refused` are among them. */
  uint64_t refused_protocol;
  uint64_t refused_rules;
  uint64_t refused_interceptors;
  uint64_t refused_handlers;

  /* Streams that ended before CONNECTED, by the reason. */
  uint64_t unconnected_gone;     /**< they went, or the broker did */
  uint64_t unconnected_protocol; /**< SBK_ERR_WEBSOCKET, SBK_ERR_STOMP */
  uint64_t unconnected_limit;    /**< a limit, or memory */
  uint64_t unconnected_timeout;  /**< SBK_ERR_TIMEOUT */
  uint64_t unconnected_denied;   /**< SBK_ERR_DENIED, SBK_ERR_CALLBACK */

  /* Requests of HTTP that the library refused, by the cause. */
  uint64_t requests_malformed; /**< statuses that stand nowhere below */
  uint64_t requests_origin;    /**< 403: the Origin, or none */
  uint64_t requests_denied;    /**< by `handshake` */
  uint64_t requests_not_found; /**< 404 */
  uint64_t requests_late;      /**< 408 */
  uint64_t requests_full;      /**< 503: max_connections, or shutting down */
  uint64_t turned_away;        /**< connections: sbk_conn_new() said
                                    SBK_ERR_TOO_MANY */

  /* What was dropped besides. */
  uint64_t dropped_inbound;  /**< frames, by SBK_DROP */
  uint64_t dropped_outbound; /**< MESSAGEs, by outbound interceptors */
  uint64_t dropped_ended;    /**< MESSAGEs that waited for a session that ended,
                                  those of queues apart */

  /* SockJS over requests (sockjs.h). */
  uint64_t sockjs_sessions;    /**< now, those that ended lately among them */
  uint64_t sockjs_interrupted; /**< answers that were cut inside of a frame,
                                    which came again */
};
#define SBK_STATS_INIT SBK__SIZED(struct sbk_stats)

/** Fills as much of stats as its size says. 0; SBK_ERR_ABI: that is more than
 * this library knows, or less than the first member. */
SBK_API int sbk_broker_stats(sbk_broker *broker, struct sbk_stats *stats);

/**
 * One destination, or one pattern, that is subscribed to, or has messages in
 * its queue, or keeps some (topic.h). User destinations are not among them.
 * Counters are since it is: when it is none of that any more they are gone. New
 * members are only ever added at the end.
 */
struct sbk_destination {
  size_t size;
  const char *name; /**< ends with NUL; lives until fn returns */
  int pattern;      /**< nonzero: a pattern */
  uint64_t subscriptions;
  uint64_t published;  /**< messages sent to that name; 0 for a pattern */
  uint64_t deliveries; /**< to its subscriptions */
  uint64_t queued;     /**< messages in its queue, not handed out */
  uint64_t unacked;    /**< handed out of it, without an ACK or unsent */
  uint64_t history;    /**< messages kept */
  uint64_t retained;   /**< 1: it has a last value */
};

/**
 * Calls fn for each, in no order. fn may send, close and register nothing: it
 * looks, and notes what it wants. A value other than 0 ends the walk and is
 * returned. Takes time that grows with their number: for a page of an
 * administrator's, not for each message.
 */
SBK_API int sbk_each_destination(sbk_broker *broker,
                                 int (*fn)(const struct sbk_destination *stats,
                                           void *arg),
                                 void *arg);

#ifdef __cplusplus
}
#endif

#endif
