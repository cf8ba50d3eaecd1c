#ifndef BROKER_GRANTS_H
#define BROKER_GRANTS_H

#include <stdbool.h>

#include <stompbroker/stompbroker.h>

struct options;

/** --allow and --deny: false if that is no value. */
bool take_allow(struct options *o, const char *value);
bool take_deny(struct options *o, const char *value);

/** Makes access rules of them, in their order. False: a line on stderr has said
 * which one the library does not take. */
bool grants_setup(const struct options *o, sbk_broker *broker);

#endif
