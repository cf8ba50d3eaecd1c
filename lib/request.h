#ifndef SBK__REQUEST_H
#define SBK__REQUEST_H

#include <stompbroker/request.h>

#include "conn.h"
#include "http1.h"
#include "sockjs_url.h"

/* Why a request of SockJS gets 500. */
enum {
  SBK__SOCKJS_NO_CALLBACK = 1,
  SBK__SOCKJS_BAD_CALLBACK,
  SBK__SOCKJS_NO_PAYLOAD,
  SBK__SOCKJS_BROKEN
};

/* A request on a connection, from its first byte to its answer. */
struct sbk_request {
  sbk_conn *conn;
  sbk__http_head head;
  sbk__str body;
  size_t body_len;               /* announced */
  size_t body_done;              /* of a body that is not kept */
  const sbk__endpoint *endpoint; /* NULL: a path of the host's own */
  sbk__sockjs_target target;     /* below an endpoint with SockJS */
  struct sbk__sockjs_post *post; /* messages that it brings, or NULL */
  sbk__node in_senders;
  uint64_t fed_to;   /* what its session had been fed, those included */
  int refusal;       /* of SockJS, once the body has come */
  uint8_t complaint; /* why */
  void *user_data;
  void *session_data;
  char *user_name;
  int status;
  bool calling; /* inside its callback */
  bool waiting; /* a handshake in the host's hands */
  bool answered;
  bool close; /* the connection ends behind the answer */
  bool last;  /* the client says so, and has said all of it */
  bool resumed;
  enum sbk_verdict verdict;
};

/* Takes bytes of HTTP; how many. Less than len: the host has to answer first.
 */
size_t sbk__http_take(sbk_conn *conn, const uint8_t *data, size_t len);
/* A request that another parser has read: 0; SBK_ERR_NOT_FOUND, SBK_ERR_INVAL,
 * SBK_ERR_NOMEM. */
int sbk__http_given(sbk_conn *conn, const struct sbk_http_request *request);
/* Refuses with a status, and lingers. */
void sbk__http_refuse(sbk_conn *conn, int status);
/* A refusal by the library is counted by its cause. */
void sbk__http_count_refusal(sbk_conn *conn, int status);
/* Asks the host whether the request may open a session, or belongs to one. */
void sbk__http_ask_handshake(sbk_conn *conn);
/* An answer is written: the next request may come. */
void sbk__http_answered(sbk_conn *conn);
/* Its answer takes a session's output from here on; and is over. */
void sbk__http_receives(sbk_conn *conn);
void sbk__http_received(sbk_conn *conn);
/* What was resumed or answered meanwhile takes effect. */
void sbk__http_work(sbk_conn *conn);
/* The connection ends: tells `request_gone` if the host has the request, and
 * frees it. */
void sbk__http_gone(sbk_conn *conn);

#endif
