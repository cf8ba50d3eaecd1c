#ifndef CHAT_LOOP_H
#define CHAT_LOOP_H

#include <stompbroker/stompbroker.h>

#include "tls.h"

/** An epoll loop that carries a broker. */
struct loop;

/** NULL: no descriptors, no memory. */
struct loop *loop_new(void);
void loop_free(struct loop *l);
/**
 * Listens at "ADDR:PORT" or "[ADDR]:PORT", numbers only; port 0 is any free
 * one. tls NULL: without. The port, or a negative errno value (-EINVAL: no such
 * address).
 */
int loop_listen(struct loop *l, const char *address,
                enum sbk_transport transport, struct tls_server *tls);
/** From any thread, and from a signal's handler. */
void loop_wake(struct loop *l);
/** Runs until loop_end() was called and every peer has gone, calling every()
 * each few seconds. */
void loop_run(struct loop *l, sbk_broker *broker, void (*every)(void *arg),
              void *arg);
/** From any thread, and from a signal's handler: say goodbye and return. */
void loop_end(struct loop *l);

#endif
