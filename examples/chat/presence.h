#ifndef CHAT_PRESENCE_H
#define CHAT_PRESENCE_H

#include "chat.h"
#include "text.h"

/**
 * Who is online and in which rooms. Nothing is counted here: the library knows
 * the sessions of a user and their subscriptions, and is asked.
 */
struct presence;

struct presence *presence_new(struct chat *chat);
void presence_free(struct presence *p);
/** Something about this user has changed: tells /topic/presence in the next
 * turn of the loop, once for all that changes till then. */
void presence_touch(struct presence *p, const char *user);
/** {"people": [{"name", "online", "rooms"}…]} */
void presence_all(struct presence *p, struct text *out);

#endif
