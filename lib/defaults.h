#ifndef SBK__DEFAULTS_H
#define SBK__DEFAULTS_H

#include <stompbroker/broker.h>

/*
 * Puts its default into every number of config that is 0. 0; SBK_ERR_INVAL: a
 * number is over its largest value, or two contradict each other.
 */
int sbk__limits_resolve(struct sbk_config *config);
/* The same with the numbers of an endpoint's SockJS. */
int sbk__limits_resolve_sockjs(struct sbk_sockjs *sockjs);

#endif
