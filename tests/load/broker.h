#ifndef BROKER_H
#define BROKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The broker under load: a process of ours, and what the kernel and its own
 * page of metrics say about it. */
struct broker {
  pid_t pid;
  int port;
};

/* Starts it with options, a list that ends with NULL, and points the clients at
 * it. Dies with us, whatever happens to us. */
struct broker broker_start(const char *program, const char *const *options);
/* SIGTERM. */
void broker_tell(const struct broker *b);
/* What it exits with, within seconds; -1: it had to be killed, or crashed. */
int broker_end(struct broker *b, unsigned seconds);
/* Both, and a result for it. */
void broker_stop(struct broker *b);

uint64_t broker_rss(const struct broker *b); /* bytes, now */
uint64_t
broker_peak(const struct broker *b); /* the most, since broker_mark() */
void broker_mark(const struct broker *b);
double broker_cpu(const struct broker *b); /* seconds, user and system */
unsigned broker_descriptors(const struct broker *b);

/* One page of /metrics. */
struct figures {
  uint64_t asked; /* how often it was, this time included */
  char text[32768];
};
/* The broker is asked while the clients stand still. */
void figures_get(struct figures *f, const struct broker *b);
/* The value of the line that begins so, without `stompbroker_`. */
uint64_t figure(const struct figures *f, const char *name);

#endif
