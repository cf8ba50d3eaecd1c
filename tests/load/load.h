#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the scenarios have in common: time, results, and an end to waiting. */

#define KIB 1024u
#define MIB (1024u * 1024)

struct load {
  const char *broker; /* the program */
  bool longer;        /* --long */
};

int run_slow(const struct load *l);
int run_churn(const struct load *l);
int run_held(const struct load *l);
int run_hostile(const struct load *l);
int run_shutdown(const struct load *l);

uint64_t now_ns(void);

/* One line of TAP each. point() returns what it was told, so that a scenario
 * that cannot go on can stop; note() is a figure. */
bool point(bool ok, const char *sentence, ...)
    __attribute__((format(printf, 2, 3)));
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The load could not be made: no result at all. */
_Noreturn void give_up(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

void *get_zeroed(size_t count, size_t size);

/* Turns of the loop until done says so. False: that was not within seconds. */
bool wait_until(bool (*done)(void *arg), void *arg, unsigned seconds);
/* The same, for so long, whatever happens. */
void wait_ms(unsigned ms);

#endif
