#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "defaults.h"
#include "failing_mem.h"
#include "str.h"

/* What libFuzzer calls, and replay.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What has to hold for every input; libFuzzer keeps the one for which it does
 * not. */
#define HOLDS(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,        \
              #condition);                                                     \
      abort();                                                                 \
    }                                                                          \
  } while (0)

/* An input, taken from its front. Behind its end come zeros. */
struct fuzz {
  const uint8_t *data;
  size_t len;
};

static inline uint8_t fuzz_byte(struct fuzz *in) {
  if (in->len == 0) {
    return 0;
  }
  in->len--;

  return *in->data++;
}

/* What comes before the next `end`, which goes too; all, if there is none. */
static inline struct fuzz fuzz_until(struct fuzz *in, uint8_t end) {
  struct fuzz part = {in->data, 0};

  while (part.len < in->len && part.data[part.len] != end) {
    part.len++;
  }
  in->data += part.len + (part.len < in->len);
  in->len -= part.len + (part.len < in->len);

  return part;
}

/* The next piece of an input that is cut as `cuts` says: 0 leaves it whole,
 * small ones are the sizes of all pieces, others make them uneven. */
static inline struct fuzz fuzz_piece(struct fuzz *in, uint32_t *cuts) {
  struct fuzz piece = {in->data, in->len};
  size_t size = *cuts;

  if (*cuts > 16) {
    size = 1 + test_random(cuts) % 24;
  }
  if (size > 0 && size < in->len) {
    piece.len = size;
  }
  in->data += piece.len;
  in->len -= piece.len;

  return piece;
}

/* Memory of its own, so that reading beyond it shows; to be freed. */
static inline void *fuzz_copy(const void *data, size_t len) {
  uint8_t *copy = malloc(len > 0 ? len : 1);

  HOLDS(copy != NULL);
  if (len > 0) {
    memcpy(copy, data, len);
  }

  return copy;
}

/* The same as text: up to its first NUL. */
static inline char *fuzz_text(struct fuzz part) {
  char *text = malloc(part.len + 1);

  HOLDS(text != NULL);
  if (part.len > 0) {
    memcpy(text, part.data, part.len);
  }
  text[part.len] = '\0';

  return text;
}

static inline struct sbk_config fuzz_limits(void) {
  struct sbk_config config = SBK_CONFIG_INIT;

  HOLDS(sbk__limits_resolve(&config) == 0);

  return config;
}

static inline void same_text(const sbk__str *a, const sbk__str *b) {
  HOLDS(!a->failed && !b->failed);
  HOLDS(a->len == b->len);
  HOLDS(a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* With its length in front, so that no two lists of texts look alike. */
static inline void put_text(sbk__str *out, const void *text, size_t len) {
  sbk__str_add_u64(out, len);
  sbk__str_addz(out, "'");
  sbk__str_add(out, text, len);
  sbk__str_addz(out, "' ");
}

#endif
