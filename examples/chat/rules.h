#ifndef CHAT_RULES_H
#define CHAT_RULES_H

#include "chat.h"

/** Says who may send where, and subscribe to what. What is not named there is
 * nobody's. 0, or negative. */
int rules_setup(struct chat *chat);

#endif
