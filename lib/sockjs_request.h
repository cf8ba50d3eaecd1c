#ifndef SBK__SOCKJS_REQUEST_H
#define SBK__SOCKJS_REQUEST_H

#include "request.h"

/* Requests below an endpoint with SockJS, but for those that become a
 * WebSocket. */

/* The head is whole. */
void sbk__sockjs_dispatch(sbk_conn *conn);
/* Bytes of the body: how many. */
size_t sbk__sockjs_take_body(sbk_conn *conn, const uint8_t *data, size_t len);
/* The host has let it in. */
void sbk__sockjs_passed(sbk_conn *conn);
/* The session of the id in its path; NULL: there is none. */
sbk_session *sbk__sockjs_session_of(const sbk_request *request);
void sbk__sockjs_post_free(sbk_conn *conn, struct sbk__sockjs_post *post);

#endif
