#ifndef CHAT_PRESENCE_H
#define CHAT_PRESENCE_H

#include "chat.h"
#include "text.h"

/**
 * Who is online and in which rooms. The library knows the sessions of a user
 * and their subscriptions, and is asked. Whose connection breaks off stays
 * where they were for a moment more, in which most are back.
 */
struct presence;

struct presence *presence_new(struct chat *chat);
void presence_free(struct presence *p);
/** Something about this user has changed: tells /topic/presence in the next
 * turn of the loop, once for all that changes till then. */
void presence_touch(struct presence *p, const char *user);
/** A session of this user has left a room. */
void presence_left(struct presence *p, const char *user, const char *room);
/** One has broken off: it has not left, for now, what it left just before. */
void presence_hold(struct presence *p, const char *user);
/** Was one broken off, so short a time ago that this user may be back? */
bool presence_held(struct presence *p, const char *user);
/** To be called every few seconds: some may have been away for too long. */
void presence_every(struct presence *p);
/** {"people": [{"name", "online", "rooms"}…]} */
void presence_all(struct presence *p, struct text *out);

#endif
