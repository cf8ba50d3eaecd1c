#ifndef STOMPBROKER_RULE_H
#define STOMPBROKER_RULE_H

#include <stompbroker/handler.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a rule is about. */
#define SBK_RULE_SEND      1u
#define SBK_RULE_SUBSCRIBE 2u

/**
 * Who may send where, and subscribe to what. Rules are asked after the rules of
 * STOMP and before the inbound interceptors, lower orders first, equal ones in
 * the order of their registration. The first one that matches decides. Once
 * there is any rule, a SEND or SUBSCRIBE that none matches is rejected.
 *
 * A subscription to a pattern stands for all destinations that it matches. A
 * rule that lets pass matches it only if it matches all of these; any other
 * rule does if it matches one of these.
 */
struct sbk_rule {
  size_t size; /**< SBK_RULE_INIT sets it */
  int order;
  unsigned commands; /**< SBK_RULE_SEND, SBK_RULE_SUBSCRIBE; 0: both */
  /**
   * What it matches: the whole destination, as the client writes it, user and
   * application prefix included. "{user}" stands for the session's own name,
   * with its '/' as "%2F", and matches nobody without one; other {name} are
   * captured, for sbk_call_param() in check. NULL: every destination.
   */
  const char *pattern;
  int named; /**< nonzero: sessions without a user do not match */
  /** As in handler.h: SBK_PASS goes on to the interceptors. Not SBK_WAIT. */
  enum sbk_verdict verdict;
  /** Asked instead, unless NULL; may say SBK_WAIT. Of a subscription to a
   * pattern it is asked only where `patterns` is set: no {name} is captured
   * then. Otherwise that subscription is rejected. */
  sbk_interceptor check;
  void *arg; /**< of check */
  int patterns;
};
#define SBK_RULE_INIT SBK__SIZED(struct sbk_rule)

/** Copied, with its pattern. 0; SBK_ERR_INVAL: a malformed pattern, an unknown
 * command or verdict; SBK_ERR_TOO_BIG: the pattern is over max_destination,
 * max_levels or max_wildcards; SBK_ERR_ABI; SBK_ERR_NOMEM. */
SBK_API int sbk_broker_add_rule(sbk_broker *broker,
                                const struct sbk_rule *rule);

/**
 * Judges a session's subscriptions once more: its rights, or the rules, have
 * changed. Those that would not pass now are ended, as by
 * sbk_session_unsubscribe(), after the client was told at error_destination, if
 * it listens there. A check that says SBK_WAIT counts as a refusal; its call
 * may still be resumed, without an effect.
 *
 * How many were ended; SBK_ERR_STATE: from inside itself; SBK_ERR_NOMEM: some
 * could not be judged, and the session is closed.
 */
SBK_API int sbk_session_reauthorize(sbk_session *session);

#ifdef __cplusplus
}
#endif

#endif
