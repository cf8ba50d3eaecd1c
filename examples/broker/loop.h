#ifndef BROKER_LOOP_H
#define BROKER_LOOP_H

#include <stompbroker/stompbroker.h>

/** An epoll loop that carries a broker. */
struct loop;

/** What loop_run() does besides. */
struct loop_plan {
  sbk_msec over;  /**< after a signal peers are told goodbye in this time */
  sbk_msec drain; /**< and then they have so long to go */
  sbk_msec every; /**< between calls of on_every; 0: none */
  void (*on_every)(sbk_broker *broker);
};

/** From now on SIGTERM and SIGINT wait for loop_run(). NULL: no descriptors,
 * no memory. */
struct loop *loop_new(void);
void loop_free(struct loop *l);
/** Takes a listening socket, whatever is returned: 0, or a negative errno
 * value. */
int loop_listen(struct loop *l, int fd, enum sbk_transport transport);
/** Runs until SIGTERM or SIGINT and the end of the drain. A second signal ends
 * the program with 1. */
void loop_run(struct loop *l, sbk_broker *broker, const struct loop_plan *plan);

#endif
