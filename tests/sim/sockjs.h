#ifndef SOCKJS_H
#define SOCKJS_H

#include "link.h"

/*
 * A link over requests (sockjs-protocol 0.3.3): one connection sends, requests
 * behind each other; one takes the output, breaks off at any byte, and comes
 * again.
 */
void sockjs_open(struct link *link);
void sockjs_drop(struct link *link);
bool sockjs_is_full(const struct link *link);
/* Text of ASCII: requests of its own, of one or two messages. */
void sockjs_send(struct link *link, const char *data, size_t len);
void sockjs_arrive(struct link *link, sbk_msec now, size_t len);
/* False: what came breaks the protocol. */
bool sockjs_read(struct link *link, sbk_msec now, size_t len);

#endif
