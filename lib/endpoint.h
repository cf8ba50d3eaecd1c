#ifndef SBK__ENDPOINT_H
#define SBK__ENDPOINT_H

#include "hub.h"

/* The paths at which sessions are opened. */

/*
 * The endpoint whose path that is, else the one with SockJS whose path is the
 * longest that it lies below; NULL: neither. *rest is what follows the
 * endpoint's path: "", or from the slash on.
 */
const sbk__endpoint *sbk__endpoint_find(const sbk_broker *broker,
                                        const char *path, const char **rest);
/* May who comes from that origin open its sessions? NULL: it names none. host
 * is that of the request, or NULL. */
bool sbk__endpoint_allows(const sbk__endpoint *endpoint, const char *origin,
                          const char *host);
/* NULL is fine. Its sessions have ended. */
void sbk__endpoint_free(const struct sbk_mem *mem, sbk__endpoint *endpoint);

#endif
