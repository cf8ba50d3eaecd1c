#ifndef CHAT_LIMIT_H
#define CHAT_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

#include <stompbroker/stompbroker.h>

/**
 * Token buckets by name, in a table of fixed size: who is strange takes the
 * place of who was quiet longest.
 */
struct bucket {
  char key[64];
  double tokens;
  sbk_msec last;
};
struct limit {
  double burst;      /**< at once */
  double per_second; /**< and then */
  struct bucket buckets[1024];
};

/** Takes one token; false: there is none. Names are cut off at 63 bytes. */
bool limit_take(struct limit *l, const char *key, sbk_msec now);
/** Gives one back. */
void limit_give(struct limit *l, const char *key);

#endif
