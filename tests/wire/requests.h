#ifndef REQUESTS_H
#define REQUESTS_H

#include "macros.h"

/* Lines for requests of HTTP and for what SockJS answers: gets, posts, options,
 * answers, chunk, stream-end. False: it is another line. */
bool request_line(const struct macro *m, const char *what, char *text);

#endif
