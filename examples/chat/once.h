#ifndef CHAT_ONCE_H
#define CHAT_ONCE_H

#include "chat.h"

/**
 * What was done lately, so that it is not done twice: who lost a connection
 * before the receipt came sends it again, with the same number. The last 64
 * numbers of each user, for those who did something last.
 */
struct once;

struct once *once_new(void);
void once_free(struct once *o);
bool once_done(struct once *o, const char *user, uint64_t number);
void once_add(struct once *o, const char *user, uint64_t number);

#endif
