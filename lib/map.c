#include "map.h"

#include <assert.h>
#include <string.h>

struct sbk__map_slot {
  uint64_t hash;
  void *item; /* NULL: a free slot */
};

static uint64_t rotl(uint64_t x, unsigned bits) {
  return (x << bits) | (x >> (64 - bits));
}

static uint64_t load_le64(const uint8_t *p) {
  uint64_t x = 0;
  int i;

  for (i = 7; i >= 0; i--) {
    x = x << 8 | p[i];
  }

  return x;
}

static void sip_round(uint64_t v[4]) {
  v[0] += v[1];
  v[1] = rotl(v[1], 13) ^ v[0];
  v[0] = rotl(v[0], 32);
  v[2] += v[3];
  v[3] = rotl(v[3], 16) ^ v[2];
  v[0] += v[3];
  v[3] = rotl(v[3], 21) ^ v[0];
  v[2] += v[1];
  v[1] = rotl(v[1], 17) ^ v[2];
  v[2] = rotl(v[2], 32);
}

/* Aumasson, Bernstein: SipHash, with one round a word and three at the end. */
uint64_t sbk__siphash13(const uint8_t seed[16], const void *data, size_t len) {
  const uint64_t k0 = load_le64(seed), k1 = load_le64(seed + 8);
  uint64_t v[4] = {
      k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
      k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
  const uint8_t *p = data;
  uint8_t last[8] = {0};
  uint64_t word;
  size_t left;

  for (left = len; left >= 8; left -= 8, p += 8) {
    word = load_le64(p);
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
  }

  if (left > 0) {
    memcpy(last, p, left);
  }
  last[7] = (uint8_t)(len & 0xff);
  word = load_le64(last);
  v[3] ^= word;
  sip_round(v);
  v[0] ^= word;

  v[2] ^= 0xff;
  sip_round(v);
  sip_round(v);
  sip_round(v);

  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void sbk__map_init(sbk__map *map, const struct sbk_mem *mem,
                   const uint8_t *seed,
                   const char *(*name)(const void *item, size_t *len)) {
  memset(map, 0, sizeof(*map));
  map->mem = mem;
  map->seed = seed;
  map->name = name;
}

void sbk__map_free(sbk__map *map) {
  sbk__free(map->mem, map->slots);
  map->slots = NULL;
  map->cap = 0;
  map->count = 0;
}

/* The slot of that name, or the free one where it would go. There is a free
 * one: the table is never full. */
static size_t find_slot(const sbk__map *map, uint64_t hash, const char *name,
                        size_t len) {
  const size_t mask = map->cap - 1;
  size_t i = (size_t)hash & mask;
  const char *other;
  size_t other_len;

  for (; map->slots[i].item != NULL; i = (i + 1) & mask) {
    if (map->slots[i].hash != hash) {
      continue;
    }
    other = map->name(map->slots[i].item, &other_len);
    if (other_len == len && (len == 0 || memcmp(other, name, len) == 0)) {
      break;
    }
  }

  return i;
}

void *sbk__map_find(const sbk__map *map, const char *name, size_t len) {
  if (map->count == 0) {
    return NULL;
  }

  return map
      ->slots[find_slot(map, sbk__siphash13(map->seed, name, len), name, len)]
      .item;
}

static int grow(sbk__map *map) {
  const size_t cap = map->cap == 0 ? 8 : map->cap * 2;
  struct sbk__map_slot *slots;
  size_t i, to;

  if (cap > SIZE_MAX / 2 / sizeof(*slots)) {
    return SBK_ERR_NOMEM;
  }
  slots = sbk__calloc(map->mem, cap, sizeof(*slots));
  if (slots == NULL) {
    return SBK_ERR_NOMEM;
  }

  for (i = 0; i < map->cap; i++) {
    if (map->slots[i].item == NULL) {
      continue;
    }
    to = (size_t)map->slots[i].hash & (cap - 1);
    while (slots[to].item != NULL) {
      to = (to + 1) & (cap - 1);
    }
    slots[to] = map->slots[i];
  }
  sbk__free(map->mem, map->slots);
  map->slots = slots;
  map->cap = cap;

  return 0;
}

int sbk__map_add(sbk__map *map, void *item) {
  const char *name;
  uint64_t hash;
  size_t len, at = 0;
  int rv;

  assert(item != NULL);

  name = map->name(item, &len);
  hash = sbk__siphash13(map->seed, name, len);
  if (map->cap > 0) {
    at = find_slot(map, hash, name, len);
    if (map->slots[at].item != NULL) {
      return SBK_ERR_EXISTS;
    }
  }
  /* Three quarters full at most: runs of taken slots stay short. */
  if (map->count >= map->cap - map->cap / 4) {
    rv = grow(map);
    if (rv != 0) {
      return rv;
    }
    at = find_slot(map, hash, name, len);
  }

  map->slots[at].hash = hash;
  map->slots[at].item = item;
  map->count++;

  return 0;
}

/* Frees a slot, and moves things behind it forward that would not be found
 * across the hole: no tombstones, so a busy map does not wear out. */
static void close_hole(sbk__map *map, size_t hole) {
  const size_t mask = map->cap - 1;
  size_t i, home;

  for (i = (hole + 1) & mask; map->slots[i].item != NULL; i = (i + 1) & mask) {
    home = (size_t)map->slots[i].hash & mask;
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      map->slots[hole] = map->slots[i];
      hole = i;
    }
  }
  map->slots[hole].item = NULL;
}

void *sbk__map_remove(sbk__map *map, const char *name, size_t len) {
  size_t at;
  void *item;

  if (map->count == 0) {
    return NULL;
  }

  at = find_slot(map, sbk__siphash13(map->seed, name, len), name, len);
  item = map->slots[at].item;
  if (item == NULL) {
    return NULL;
  }
  close_hole(map, at);
  map->count--;
  if (map->count == 0) {
    sbk__map_free(map);
  }

  return item;
}

void *sbk__map_next(const sbk__map *map, size_t *pos) {
  while (*pos < map->cap) {
    void *item = map->slots[(*pos)++].item;

    if (item != NULL) {
      return item;
    }
  }

  return NULL;
}
