#ifndef HOSTILE_H
#define HOSTILE_H

#include "sim.h"

/*
 * A peer that means no good, or is broken: what it says is STOMP and WebSocket
 * with bits turned over, parts left out and parts doubled; it reads when it
 * likes. It never says anything of the clients' destinations but SUBSCRIBE.
 */
struct hostile *hostile_new(struct sim *sim, int number);
void hostile_free(struct hostile *hostile);
void hostile_act(struct hostile *hostile);
void hostile_leaves(struct hostile *hostile);

#endif
