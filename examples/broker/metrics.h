#ifndef BROKER_METRICS_H
#define BROKER_METRICS_H

#include <stompbroker/stompbroker.h>

/** The `request` callback: GET /metrics and /destinations for Prometheus,
 * GET / for people. */
void metrics_request(sbk_request *request, void *arg);

#endif
