/* busiest.c - the destinations that do most: a page of all would have no
 * bound. */
#include "busiest.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static uint64_t weight(const struct sbk_destination *d) {
  return d->published + d->deliveries + d->queued + d->subscriptions;
}

static void swap(struct sbk_destination *a, struct sbk_destination *b) {
  struct sbk_destination t = *a;
  *a = *b;
  *b = t;
}

/* A heap: the least stands in front, until all are there. */
static void sift_up(struct sbk_destination *items, size_t i) {
  while (i > 0 && weight(&items[(i - 1) / 2]) > weight(&items[i])) {
    swap(&items[(i - 1) / 2], &items[i]);
    i = (i - 1) / 2;
  }
}

static void sift_down(struct sbk_destination *items, size_t count) {
  size_t i = 0, least = 1;
  while (least < count) {
    if (least + 1 < count && weight(&items[least + 1]) < weight(&items[least]))
      least++;
    if (weight(&items[least]) >= weight(&items[i])) return;
    swap(&items[least], &items[i]);
    i = least;
    least = 2 * i + 1;
  }
}

static int take(const struct sbk_destination *d, void *arg) {
  struct busiest *b = arg;
  struct sbk_destination copy = *d;
  if (b->count == BUSIEST_MAX) {
    b->left_out++;
    if (weight(d) <= weight(&b->items[0])) return 0;
  }
  copy.name = strdup(d->name);
  if (copy.name == NULL) {
    b->failed = true;
    return 1;
  }
  if (b->count < BUSIEST_MAX) {
    b->items[b->count] = copy;
    sift_up(b->items, b->count++);
  } else {
    free((char *)b->items[0].name);
    b->items[0] = copy;
    sift_down(b->items, b->count);
  }
  return 0;
}

static int by_name(const void *a, const void *b) {
  const struct sbk_destination *x = a, *y = b;
  int rv = strcmp(x->name, y->name);
  return rv != 0 ? rv : x->pattern - y->pattern;
}

struct busiest *busiest_new(sbk_broker *broker) {
  struct busiest *b = calloc(1, sizeof(*b));
  if (b == NULL) return NULL;
  sbk_each_destination(broker, take, b);
  qsort(b->items, b->count, sizeof(b->items[0]), by_name);
  return b;
}

void busiest_free(struct busiest *b) {
  size_t i;
  if (b == NULL) return;
  for (i = 0; i < b->count; i++)
    free((char *)b->items[i].name);
  free(b);
}
