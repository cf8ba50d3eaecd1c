#ifndef CLASSES_H
#define CLASSES_H

#include "client.h"

/*
 * Peers that mean no good, of twelve classes. Each goes on until it is ended,
 * and knows by which limit it should have been.
 */
struct class {
  const char *name;
  struct role role;
  void (*step)(struct client *c); /* now and then, as long as it lives */
  int status;                     /* of HTTP, that refuses it; else: */
  int close;                      /* of WebSocket */
  const char *reason;             /* of that Close, and of the ERROR */
};

extern const struct class classes[];
extern const size_t class_count;

/* Options of the broker that they are up against, so that they need not wait
 * for long. */
extern const char *const class_options[];

bool class_ended_so(const struct class *class, const struct client *c);

#endif
