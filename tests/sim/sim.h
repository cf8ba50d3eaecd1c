#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "../unit/failing_mem.h"

#include "chance.h"
#include "link.h"
#include "model.h"

#define CLIENTS  8
#define HOSTILES 8

struct client;
struct hostile;

/* One run: a broker, time that is not real, clients, and what is to be true. */
struct sim {
  struct chance chance;
  struct failing_mem mem;
  bool short_of_memory; /* now and then an allocation fails */
  sbk_broker *broker;
  size_t max_queue;
  sbk_msec now;
  struct model model;
  struct client *clients[CLIENTS];
  struct hostile *hostiles[HOSTILES];
  bool trace;
  uint64_t ended, slow, late, starved; /* sessions, by why */
};

/* Plays a seed; what went wrong is in sim->model.complaint. */
void sim_play(struct sim *sim, uint64_t seed, int acts);
void sim_note(const struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
