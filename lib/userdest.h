#ifndef SBK__USERDEST_H
#define SBK__USERDEST_H

#include "fault.h"
#include "route.h"

/*
 * Destinations below the user prefix. path is where what stands behind the
 * prefix begins.
 */

/*
 * What a subscription to text means for a session of user (NULL: anonymous).
 * Its own destination is always text[path…]; *own, if not 0, is where a second
 * name for it begins: "/user/A/rest" is A's own "/rest" too. Another's form is
 * a fault.
 */
enum sbk__fault sbk__userdest_subscribe(const sbk__route *route,
                                        const char *user, const char *text,
                                        size_t len, size_t path, size_t *own);

/*
 * A client's SEND to text, "/user/{name}/rest": *name, decoded, is the
 * caller's to free, *rest where "/rest" begins. SBK__FAULT_NOMEM is one.
 */
enum sbk__fault sbk__userdest_send(const struct sbk_mem *mem,
                                   const sbk__route *route, const char *text,
                                   size_t len, size_t path, char **name,
                                   size_t *rest);

#endif
