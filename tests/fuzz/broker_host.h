#ifndef BROKER_HOST_H
#define BROKER_HOST_H

#include <stompbroker/stompbroker.h>

#include "fuzz.h"

/*
 * A host whose decisions the program of a fuzz input makes, for fuzz_broker.c.
 * What it is told is counted: all that begins ends.
 */

#define HOST_WAITS    16
#define HOST_SESSIONS 16

enum wait_kind { WAIT_FREE, WAIT_CALL, WAIT_REQUEST, WAIT_DEFERRED };

/* What it does from inside of the next callback that only tells something. */
enum inside { INSIDE_NOTHING, INSIDE_SENDS, INSIDE_CLOSES, INSIDE_ENDS_ONE };

struct host {
  struct failing_mem memory;
  sbk_broker *broker;
  sbk_msec now;
  enum sbk_verdict verdict; /* the next one, of a handshake or an interceptor */
  bool answer_later;        /* the next request */
  int inside;
  uint8_t random;
  struct {
    enum wait_kind kind;
    void *it;
    sbk_session *session; /* of a WAIT_CALL */
  } waits[HOST_WAITS];
  sbk_session *sessions[HOST_SESSIONS]; /* connected, the observer's apart */
  sbk_session *observer;
  bool observer_ended;
  sbk_task task;
  bool posted;
  uint64_t connected, disconnected;
  uint64_t subscribed, unsubscribed;
  /* How the host sends to the observer, who counts on it. */
  void (*to_observer)(struct host *host);
};

#define OBSERVER_TOPIC "/topic/observer"
#define OBSERVER_PEER  "observer"

/* Limits are small, so that they are reached. */
void host_begin(struct host *host);
/* Decides what has waited at that place. */
void host_decide(struct host *host, uint8_t place, uint8_t how);
void host_post(struct host *host);
/* One of the sessions that are there; NULL: none is. */
sbk_session *host_session(struct host *host, uint8_t which);
/* Frees the broker; nothing is left. */
void host_end(struct host *host);

#endif
