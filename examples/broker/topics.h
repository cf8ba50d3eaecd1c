#ifndef BROKER_TOPICS_H
#define BROKER_TOPICS_H

#include <stdbool.h>
#include <stddef.h>

#include <stompbroker/stompbroker.h>

struct options;

/** What options have said of the topics below one prefix. */
struct topic {
  struct sbk_topic topic;     /**< with a prefix of its own */
  const char *option, *value; /**< the first that named it */
};

struct topics {
  struct topic *items;
  size_t count;
};

/** --retain and its like: false if that is no value. */
bool take_retain(struct options *o, const char *value);
bool take_history(struct options *o, const char *value);
bool take_drop_oldest(struct options *o, const char *value);
bool take_drop_newest(struct options *o, const char *value);

/** False: a line on stderr has said which one the library does not take. */
bool topics_setup(const struct topics *topics, sbk_broker *broker);
void topics_free(struct topics *topics);

#endif
