#ifndef CLIENT_H
#define CLIENT_H

#include "sim.h"

/*
 * A client that keeps to the specification. It may freeze, lose its connection
 * at any byte, and come back as another session.
 */
struct client *client_new(struct sim *sim, int number);
void client_free(struct client *client);

/* Does one thing or another. */
void client_act(struct client *client);
/* Some of what it said arrives, some of what is there for it comes. */
void client_moves(struct client *client, size_t most);
/* All that is on its way, both ways; it acknowledges what it has. */
void client_settles(struct client *client);
/* Is it there, and has it something to do yet? */
bool client_is_busy(const struct client *client);
/* Its session, if that is connected, or -1. */
int client_session(const struct client *client);
/* By when it has to say something. */
sbk_msec client_due(const struct client *client);
/* Says it, and hears what came for it. */
void client_keeps_alive(struct client *client);
/* From now on it does nothing for a while. */
void client_freezes(struct client *client, sbk_msec span);
void client_takes_all(struct client *client, int queue);
void client_comes(struct client *client);
void client_leaves(struct client *client);
/* The broker has ended its session. */
void client_ended(struct client *client, int session, int reason);

#endif
