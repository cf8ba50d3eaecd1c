#ifndef SBK__SOCKJS_FIELDS_H
#define SBK__SOCKJS_FIELDS_H

#include "answer.h"
#include "request.h"

/* What stands in the heads of SockJS's answers. */

/* CORS (Fetch, 3.2): the page's own origin, never any with credentials. */
void sbk__sockjs_put_cors(sbk__answer *answer, const sbk_request *request);
void sbk__sockjs_put_not_cached(sbk__answer *answer);
/* For a year. */
void sbk__sockjs_put_cached(sbk__answer *answer);
void sbk__sockjs_put_type(sbk__answer *answer, const char *type);
/* JSESSIONID, if the endpoint has it. */
void sbk__sockjs_put_cookie(sbk__answer *answer, const sbk_request *request);
/* Who may hold it in a frame (CSP 3, 6.4.2). */
void sbk__sockjs_put_ancestors(sbk__answer *answer,
                               const sbk__endpoint *endpoint);

/* A year, in seconds. */
#define SBK__SOCKJS_YEAR "31536000"

#endif
