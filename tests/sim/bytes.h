#ifndef BYTES_H
#define BYTES_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that are put in behind and taken out in front. All 0: none. */
struct bytes {
  char *data;
  size_t len;
  size_t size;
};

static inline void bytes_put(struct bytes *b, const void *data, size_t len) {
  if (b->len + len > b->size) {
    b->size = 2 * (b->len + len) + 256;
    b->data = realloc(b->data, b->size);
    if (b->data == NULL) {
      abort(); /* the simulator's own memory does not end */
    }
  }
  if (len > 0) {
    memcpy(b->data + b->len, data, len);
  }
  b->len += len;
}

static inline void bytes_take(struct bytes *b, size_t len) {
  b->len -= len;
  if (b->len > 0) {
    memmove(b->data, b->data + len, b->len);
  }
}

static inline void bytes_free(struct bytes *b) {
  free(b->data);
  memset(b, 0, sizeof(*b));
}

#endif
