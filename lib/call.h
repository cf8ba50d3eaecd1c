#ifndef SBK__CALL_H
#define SBK__CALL_H

#include <stompbroker/handler.h>

#include "pattern.h"
#include "session.h"

enum sbk__call_kind {
  SBK__CALL_INBOUND = 0,
  SBK__CALL_HANDLER,
  SBK__CALL_OUTBOUND,
  SBK__CALL_SEND,  /* of the host */
  SBK__CALL_REVIEW /* of a subscription that is there already */
};

/* One frame on its way through the host's code. */
struct sbk_call {
  sbk_broker *broker;
  sbk_session *session;
  sbk_message *msg; /* one reference */
  sbk__walk walk;   /* along the interceptors */
  enum sbk__call_kind kind;
  bool waiting;
  bool edited; /* headers were set behind the rules of STOMP */
  bool resumed;
  enum sbk_verdict verdict; /* that resumed it */
  char *error;              /* the host's text, or NULL */
  char *params;             /* names and values by turns, each ended by NUL */
  size_t param_count;
  const char *to_user; /* of a send: its "user" */
  size_t handler;      /* its place in the table */
  bool running;        /* is in its handler */
  bool deferred;       /* put off */
  bool finished;       /* and ended, with result, while running or returning */
  unsigned returning;  /* sbk_call_return()s under way */
  bool no_receipt;     /* it was given when a transaction kept the frame */
  const sbk_message *commit; /* that runs the frame of a transaction, or NULL */
  sbk__topic *topic;         /* that promised to keep what it says, or NULL */
  int result;
  sbk__node in_deferred;
  size_t path;   /* of a handler: where the path begins in destination */
  sbk__sub *sub; /* of a SUBSCRIBE handler */
};

/* A call about msg, of which it takes a reference. NULL: no memory. */
sbk_call *sbk__call_new(sbk_session *session, sbk_message *msg);
void sbk__call_free(sbk_call *call);
/* Gives back what a call holds, and leaves the call. */
void sbk__call_clear(sbk_call *call);

/* What a pattern captured, for sbk_call_param(), instead of what another one
 * did. 0, or SBK_ERR_NOMEM. */
int sbk__call_set_params(sbk_call *call, const sbk__captures *captures);
void sbk__call_clear_params(sbk_call *call);

#endif
