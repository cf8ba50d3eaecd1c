#ifndef SBK__MAP_H
#define SBK__MAP_H

#include "mem.h"

/*
 * Things found by a name that is inside them. Open addressing, SipHash-1-3
 * under a secret seed, since names come from strangers.
 */
typedef struct sbk__map {
  const struct sbk_mem *mem;
  const uint8_t *seed; /* 16 bytes, which outlive the map */
  /* The name of a thing, len bytes, which stays while it is in the map. */
  const char *(*name)(const void *item, size_t *len);
  struct sbk__map_slot *slots; /* NULL while empty */
  size_t cap;                  /* a power of two, or 0 */
  size_t count;
} sbk__map;

uint64_t sbk__siphash13(const uint8_t seed[16], const void *data, size_t len);

void sbk__map_init(sbk__map *map, const struct sbk_mem *mem,
                   const uint8_t *seed,
                   const char *(*name)(const void *item, size_t *len));
/* Frees the table, not the things. */
void sbk__map_free(sbk__map *map);

void *sbk__map_find(const sbk__map *map, const char *name, size_t len);
/* 0; SBK_ERR_EXISTS; SBK_ERR_NOMEM: the map is as before. */
int sbk__map_add(sbk__map *map, void *item);
/* Takes out the thing of that name, and returns it; NULL: none. */
void *sbk__map_remove(sbk__map *map, const char *name, size_t len);
/* Walks in no order: *pos is 0 at first. NULL: the end. Not while things are
 * added or removed. */
void *sbk__map_next(const sbk__map *map, size_t *pos);

#endif
