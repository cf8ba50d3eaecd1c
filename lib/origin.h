#ifndef SBK__ORIGIN_H
#define SBK__ORIGIN_H

#include <stdbool.h>

/*
 * Origins (RFC 6454) of requests against the server's own and a list; see
 * struct sbk_endpoint for the list's entries. No suffix or prefix ever counts:
 * scheme, host and port are compared, case-insensitively, default ports equal.
 */

/* Is it an entry that a list may hold? */
bool sbk__origin_entry_valid(const char *entry);

/* scheme is "http" or "https"; host is a Host header and may be NULL; allowed
 * may be NULL. origin NULL: true. A malformed origin: false. */
bool sbk__origin_allowed(const char *origin, const char *scheme,
                         const char *host, const char *const *allowed);

#endif
