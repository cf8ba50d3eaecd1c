#ifndef SBK__SOCKJS_ORIGIN_H
#define SBK__SOCKJS_ORIGIN_H

#include "request.h"

/* Whose page asks, below an endpoint with SockJS. */

/* Does its page run the answer as a script? */
bool sbk__sockjs_is_from_script(const sbk_request *request);
/* The page's origin, as far as the request has it; NULL: it does not say. buf
 * has room for one out of Referer. */
const char *sbk__sockjs_origin(const sbk_request *request, char *buf,
                               size_t size);
bool sbk__sockjs_origin_allowed(const sbk_request *request);
/* Is any origin allowed? */
bool sbk__sockjs_lets_all_in(const sbk__endpoint *endpoint);

#endif
