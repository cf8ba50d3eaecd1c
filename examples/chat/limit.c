/* limit.c - how often somebody may try something. */
#include "limit.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PROBES 8u
#define COUNT  (sizeof(((struct limit *)0)->buckets) / sizeof(struct bucket))

/* FNV-1a, of lower case. */
static uint32_t hash(const char *s) {
  uint32_t h = 2166136261u;
  for (; *s; s++) {
    unsigned char c = (unsigned char)*s;
    h = (h ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * 16777619u;
  }
  return h;
}

static struct bucket *find(struct limit *l, const char *key, bool make) {
  struct bucket *quiet = NULL;
  uint32_t i, h = hash(key);
  for (i = 0; i < PROBES; i++) {
    struct bucket *b = &l->buckets[(h + i) % COUNT];
    if (strncasecmp(b->key, key, sizeof(b->key) - 1) == 0) return b;
    if (quiet == NULL || b->last < quiet->last) quiet = b;
  }
  if (!make) return NULL;
  memset(quiet, 0, sizeof(*quiet));
  snprintf(quiet->key, sizeof(quiet->key), "%s", key);
  quiet->tokens = l->burst;
  return quiet;
}

bool limit_take(struct limit *l, const char *key, sbk_msec now) {
  struct bucket *b = find(l, key, true);
  if (now > b->last) {
    b->tokens += (double)(now - b->last) / 1000 * l->per_second;
    if (b->tokens > l->burst) b->tokens = l->burst;
    b->last = now;
  }
  if (b->tokens < 1) return false;
  b->tokens -= 1;
  return true;
}

void limit_give(struct limit *l, const char *key) {
  struct bucket *b = find(l, key, false);
  if (b != NULL && b->tokens < l->burst) b->tokens += 1;
}
