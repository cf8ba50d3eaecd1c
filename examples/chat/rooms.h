#ifndef CHAT_ROOMS_H
#define CHAT_ROOMS_H

#include "chat.h"
#include "text.h"

#define ROOMS_MOST    256u
#define HISTORY_COUNT 100u         /* messages of a room that are kept, */
#define HISTORY_BYTES (192u << 10) /* and their bytes: below max_queue */

/** The rooms and the last messages of each, in memory and in a file per room
 * to which every message is appended. */
struct rooms;

/** NULL: no memory, or the folder cannot be read; why was said on stderr. */
struct rooms *rooms_load(int folder);
void rooms_free(struct rooms *r);

/**
 * Keeps a message and gives the JSON of it, {"id", "from", "at", "text"}, which
 * lives until the next call. id counts up by one in each room. NULL: there are
 * ROOMS_MOST, or no memory. A disk that fails is complained about, no more.
 */
const struct text *rooms_say(struct rooms *r, const char *room,
                             const char *from, const char *data, size_t len);
/** {"room", "messages": […]}, oldest first. */
void rooms_history(const struct rooms *r, const char *room, struct text *out);

#endif
