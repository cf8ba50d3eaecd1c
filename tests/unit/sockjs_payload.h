#ifndef SOCKJS_PAYLOAD_H
#define SOCKJS_PAYLOAD_H

#include <stdlib.h>
#include <string.h>

#include "failing_mem.h"
#include "sockjs_frame.h"

/* What a payload has come to: its messages, each in brackets. */
struct payload {
  int read; /* of the last piece */
  int end;
  size_t len;
  char text[4096];
};

static inline void payload_end(const sbk__sockjs_reader *r,
                               struct payload *out) {
  const uint8_t *data;
  size_t at = 0, len;

  out->end = sbk__sockjs_read_end(r);
  out->len = 0;
  /* Of a broken payload nothing is taken. */
  while (out->end == 0 && sbk__sockjs_next(r, &at, &data, &len)) {
    assert_true(sbk__utf8_valid(data, len));
    assert_true(out->len + len + 3 < sizeof(out->text));
    out->text[out->len++] = '[';
    memcpy(out->text + out->len, data, len);
    out->len += len;
    out->text[out->len++] = ']';
  }
  out->text[out->len] = '\0';
}

/* A piece in memory of its own, which is gone afterwards. */
static inline char *piece_copy(const char *data, size_t len) {
  char *piece = malloc(len + 1);

  assert_non_null(piece);
  if (len > 0) {
    memcpy(piece, data, len);
  }

  return piece;
}

static inline void piece_free(char *piece, size_t len) {
  memset(piece, 0xa5, len);
  free(piece);
}

#endif
