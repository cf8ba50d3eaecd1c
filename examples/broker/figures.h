#ifndef BROKER_FIGURES_H
#define BROKER_FIGURES_H

#include <stompbroker/stompbroker.h>

/** One line on stderr of what there is and was. */
void figures_print(sbk_broker *broker);
/** The `request` callback: GET /metrics for Prometheus, GET / for people. */
void figures_request(sbk_request *request, void *arg);

#endif
