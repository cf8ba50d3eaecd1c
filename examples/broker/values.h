#ifndef BROKER_VALUES_H
#define BROKER_VALUES_H

#include "options.h"

/** Options with values of their own kind: false if that is no value. */
bool take_ws(struct options *o, const char *value);
bool take_tcp(struct options *o, const char *value);
bool take_separator(struct options *o, const char *value);
bool take_heartbeat(struct options *o, const char *value);
bool take_log(struct options *o, const char *value);

/** Decimal digits, for BYTES with K, M or G behind them. */
bool number_read(uint64_t *n, enum kind kind, const char *text);

#endif
