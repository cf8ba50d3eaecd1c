#ifndef CHAT_CHAT_H
#define CHAT_CHAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stompbroker/stompbroker.h>

#include "limit.h"
#include "worker.h"

#define NAME_SIZE 25               /* of a user, with the NUL */
#define ROOM_SIZE (NAME_SIZE + 33) /* of a room, with its owner and the NUL */
#define TEXT_MOST 4096             /* bytes of one message */
#define KEY_SIZE  32
#define JSON      "application/json"

struct tls_server;

/** Everything there is, and the arg of every callback. */
struct chat {
  sbk_broker *broker;
  struct worker *worker;
  struct users *users;
  struct rooms *rooms;
  struct presence *presence;
  struct once *once;
  struct pages *pages;
  struct tls_server *tls; /**< NULL: the page is http:// */
  int folder;             /**< of the data */
  uint8_t key[KEY_SIZE];  /**< signs tokens */
  uint64_t token_life;    /**< seconds */
  uint64_t login_life;    /**< seconds, in which tokens are renewed */
  const char *const *origins;
  bool verbose;
  struct limit login_names; /**< attempts, by the name they are for */
  struct limit login_peers; /**< and by where they come from */
  struct limit messages;    /**< by user */
  struct limit typing;      /**< by user; what is over it is dropped */
};

/** 1 to 24 letters, digits, '-' and '_', the first one a letter or digit. */
bool name_valid(const char *name);
/** 1 to 32 of a-z, 0-9 and '-', the first one no '-'. In front of that the name
 * of a user and a '.' may stand, whose room it is. */
bool room_valid(const char *name);

/** Monotonic, for the broker. */
sbk_msec clock_now(void);
/** Since 1970, in milliseconds. */
uint64_t clock_wall(void);

/** One line on stderr. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
