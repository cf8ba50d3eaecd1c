#ifndef SBK__HUB_H
#define SBK__HUB_H

#include <stdatomic.h>
#include <stdbool.h>

#include <stompbroker/stats.h>

#include "chain.h"
#include "convert.h"
#include "core.h"
#include "handlers.h"
#include "heap.h"
#include "keep.h"
#include "list.h"
#include "log.h"
#include "map.h"
#include "message.h"
#include "outq.h"
#include "route.h"
#include "rules.h"
#include "stomp_read.h"
#include "subs.h"
#include "ws.h"

/* What an endpoint has set for SockJS, and its sessions over requests. */
typedef struct sbk__sockjs_setup {
  bool no_websocket;
  bool cookie;
  bool htmlfile;
  bool jsonp;
  char *client_url; /* NULL: no iframe page */
  sbk_msec heartbeat;
  sbk_msec disconnect_delay;
  size_t stream_limit;
  size_t max_body;
  sbk__map sessions; /* of struct sbk__sockjs, by the client's id */
} sbk__sockjs_setup;

/* A path for sessions, as sbk_broker_add_endpoint() copied it. */
typedef struct sbk__endpoint {
  sbk__node in_endpoints;
  char *path;
  char **origins; /* NULL: only its own */
  bool require_origin;
  bool secure;
  int (*message)(sbk_session *session, int binary, const void *data, size_t len,
                 void *arg);
  sbk__sockjs_setup *sockjs; /* NULL: WebSocket only */
} sbk__endpoint;

/* What is to be done when the outermost call ends. */
typedef struct sbk__work {
  sbk__node node;
  void (*run)(struct sbk__work *work);
} sbk__work;

/* Goodbyes that are spread over a time. */
typedef struct sbk__drain {
  sbk_msec from; /* SBK_NEVER: the next tick */
  sbk_msec over;
  uint64_t count; /* sessions that there were */
  uint64_t done;  /* that were told; as many: there is no more to do */
} sbk__drain;

/* What floor 3 asks of the floor above it. */
typedef struct sbk__wire {
  /* The session has output, or its connection wants something else now. */
  void (*wake)(sbk_session *session);
  /* The session takes input again. */
  void (*resume)(sbk_session *session);
  /* Ends streams whose last words nobody takes, and forgets those, until what
   * is held is within its limit. */
  void (*cut)(sbk_broker *broker);
} sbk__wire;

/* The broker, as floors 3 to 5 see it: its members are of floors 0 to 2. core
 * comes first: floor 1 finds its memory there. */
struct sbk_broker {
  sbk__core core;
  sbk__route route;
  sbk__subs subs;
  sbk__map users;
  sbk__handlers handlers;
  sbk__rules rules;
  sbk__chain inbound;
  sbk__chain outbound;
  sbk__chain sends;
  sbk__chain errors;
  sbk__converters converters;
  sbk__topics topics;
  sbk__keep keep;

  sbk__log_quota log_quota;
  sbk__rings rings;
  size_t held;             /* memory of what waits for peers */
  size_t paused_count;     /* sessions that are not read until it is less */
  bool alarm;              /* it was more than three quarters of its limit */
  bool relieving;          /* sessions are being closed for it */
  bool alarm_told;         /* the host knows of it */
  bool telling_dropped;    /* the host is being told of what was dropped */
  struct sbk_stats counts; /* what only grows, and subscriptions and unacked */
  struct sbk__stomp_work *spare_work;
  struct sbk_call *spare_call;
  sbk_message *bye; /* the DISCONNECT of those who sent none */
  sbk_buf *beat;    /* an end of line */
  uint64_t message_count;
  char epoch[8]; /* begins every message-id */

  sbk__node deferred; /* calls, of sessions that are there or not */
  sbk__node sessions; /* connected ones */
  size_t session_count;
  sbk__node work;     /* sbk__work */
  sbk__node dispatch; /* destinations whose queue may have takers */
  sbk__work dispatch_work;
  sbk__node replays; /* that can go on */
  sbk__work replay_work;
  sbk__work alarm_work;
  void (*session_work)(sbk__work *work);
  unsigned depth; /* of calls of the host into the library */
  bool leaving;
  bool closed;    /* nobody is let in any more */
  bool shut_down; /* and everybody was told to go */
  sbk__drain drain;

  const sbk__wire *wire;
  sbk__node endpoints;
  sbk__node conns;
  sbk__node ready;
  size_t conn_count;
  size_t pending_count;  /* of them not connected yet */
  size_t refusing_count; /* that only say 503 */
  size_t sockjs_count;   /* that carry a session of SockJS, without a socket */
  sbk__heap timers;
  sbk__ws_pool contexts;

  _Atomic(sbk_task *) posts; /* newest first */
  bool in_tasks;
};

/*
 * Every public call that may lead to callbacks stands between these two. What
 * must not happen inside a walk or a callback (ends of sessions, resumed input)
 * is done as the outermost one leaves.
 */
void sbk__enter(sbk_broker *broker);
void sbk__leave(sbk_broker *broker);

static inline void sbk__work_init(sbk__work *work,
                                  void (*run)(sbk__work *work)) {
  sbk__list_init(&work->node);
  work->run = run;
}
/* Once, however often it is asked for. Between enter and leave only. */
void sbk__work_add(sbk_broker *broker, sbk__work *work);

/* A queue may have something for somebody: seen to as the outermost call
 * leaves. */
void sbk__dispatch_soon(sbk_broker *broker, sbk__dest *dest);

/* The message gets the next id. */
void sbk__stamp(sbk_broker *broker, sbk_message *msg);
/* It is a notice of the broker's own, from which nobody can resume. */
void sbk__stamp_notice(sbk_message *msg);
/* The number in a message-id of this run of the broker, 0 in a notice's. False:
 * it is none. */
bool sbk__message_number(const sbk_broker *broker, const char *id,
                         uint64_t *number);

#endif
