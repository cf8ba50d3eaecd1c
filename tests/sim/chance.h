#ifndef CHANCE_H
#define CHANCE_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers that a seed decides: SplitMix64 (Steele, Lea, Flood 2014). */
struct chance {
  uint64_t state;
};

static inline uint64_t chance_next(struct chance *c) {
  uint64_t z = c->state += 0x9e3779b97f4a7c15u;

  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;

  return z ^ (z >> 31);
}

/* Below count, which is not 0. */
static inline uint32_t chance_of(struct chance *c, uint32_t count) {
  return (uint32_t)((chance_next(c) >> 32) * count >> 32);
}

static inline bool chance_one_in(struct chance *c, uint32_t count) {
  return chance_of(c, count) == 0;
}

#endif
