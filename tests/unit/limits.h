#ifndef LIMITS_H
#define LIMITS_H

#include <string.h>

#include "core.h"
#include "defaults.h"
#include "failing_mem.h"

/* The documented defaults. */
static inline struct sbk_config default_limits(void) {
  struct sbk_config config = SBK_CONFIG_INIT;

  assert_int_equal(sbk__limits_resolve(&config), 0);

  return config;
}

/* What modules ask of a broker, with memory that counts. */
static inline void test_core(sbk__core *core, const struct failing_mem *mem) {
  memset(core, 0, sizeof(*core));
  core->mem = mem->mem;
  core->config = default_limits();
  memcpy(core->seed, "0123456789abcdef", 16);
}

#endif
