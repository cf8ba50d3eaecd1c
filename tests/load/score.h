#ifndef SCORE_H
#define SCORE_H

#include "client.h"

/*
 * Messages that are numbered, so that it shows what is lost, doubled or out of
 * order. A body begins with the number, 8 digits of hexadecimal, and the time
 * at which it was due, 16 of them; c->next is the number that a client waits
 * for.
 */
#define STAMP 25

struct score {
  uint64_t got;
  uint64_t missed;  /* numbers that were passed over */
  uint64_t again;   /* numbers below the next one: doubled, or late */
  uint64_t foreign; /* bodies of another shape */
  uint32_t *delays; /* us, of the last ones that were counted */
  size_t delay_count, delay_size;
  bool timing;
};

void score_publish(struct client *c, const char *destination, uint32_t number,
                   uint64_t due, size_t size);
/* The same with a receipt of that number. */
void score_publish_receipt(struct client *c, const char *destination,
                           uint32_t number, size_t size);
/* Counts a MESSAGE for the client that it came to. */
void score_take(struct score *s, struct client *c, const struct frame *f);
bool score_clean(const struct score *s);
/* Forgets the delays, and counts new ones. */
void score_time(struct score *s);
/* Something that was due then is there now. */
void score_delayed(struct score *s, uint64_t due);
/* A quantile of them, in ms. */
double score_delay(struct score *s, double quantile);

#endif
