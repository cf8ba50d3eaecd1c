#ifndef BROKER_HANDLERS_H
#define BROKER_HANDLERS_H

#include <stompbroker/stompbroker.h>

/** Registers /echo, /to/{user} and /time below the application prefixes.
 * separator as in struct sbk_config. 0, or an error. */
int handlers_setup(sbk_broker *broker, char separator);

#endif
