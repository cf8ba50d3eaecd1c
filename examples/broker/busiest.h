#ifndef BROKER_BUSIEST_H
#define BROKER_BUSIEST_H

#include <stdbool.h>
#include <stddef.h>

#include <stompbroker/stompbroker.h>

#define BUSIEST_MAX 1000

/** Of all destinations those that do most, by their names. */
struct busiest {
  struct sbk_destination items[BUSIEST_MAX]; /**< with names of their own */
  size_t count;
  size_t left_out; /**< others, that do less */
  bool failed;     /**< no memory: some are missing */
};

/** NULL: no memory. */
struct busiest *busiest_new(sbk_broker *broker);
void busiest_free(struct busiest *b);

#endif
