#ifndef CHAT_TALK_H
#define CHAT_TALK_H

#include "chat.h"

#define WHISPERS_TOPIC "/topic/whisper"
#define WHISPER_TOPIC  WHISPERS_TOPIC "/" /* and whose they are */

/** Sets what is told of sessions and subscriptions. */
void talk_callbacks(struct sbk_callbacks *cb);
/** Adds the interceptor, rules, converters and handlers. 0, or negative. */
int talk_setup(struct chat *chat);

#endif
