#ifndef CHAT_ROOMS_H
#define CHAT_ROOMS_H

#include "chat.h"
#include "text.h"

#define ROOMS_TOPIC   "/topic/chat"
#define ROOM_TOPIC    ROOMS_TOPIC "/" /* and its name */
#define ROOMS_MOST    256u
#define HISTORY_COUNT 100u /* messages of a room that are kept, */
#define HISTORY_BYTES                                                          \
  (256u << 10) /* and their bytes, with what is around them:                   \
                  all rooms keep within max_history_bytes */

/**
 * The rooms: a topic each, whose history the library keeps, and a file each, so
 * that it survives the server.
 */
struct rooms;

/**
 * Says that the topics of rooms have a history, and sends them what the files
 * have. NULL: no memory, or the folder cannot be read; why was said on stderr.
 */
struct rooms *rooms_load(int folder, sbk_broker *broker);
void rooms_free(struct rooms *r);

/**
 * Writes a message to the file of its room and gives the JSON of it, {"id",
 * "from", "at", "text"}, for its topic. id counts up by one in each room, over
 * restarts too. 0; -ENOSPC: there are ROOMS_MOST; -ENOMEM. A disk that fails is
 * complained about, no more.
 */
int rooms_say(struct rooms *r, const char *room, const char *from,
              const char *data, size_t len, struct text *out);

#endif
