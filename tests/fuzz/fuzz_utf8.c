/*
 * UTF-8 against a decoder that makes code points and judges those; the first
 * byte says how the text is cut.
 */
#include "fuzz.h"
#include "utf8.h"

/* The code point at the start of p; -1: none is. *size is its length, or, of
 * what is none, that of the longest beginning of one. RFC 3629, section 3. */
static int32_t decode(const uint8_t *p, size_t len, size_t *size) {
  static const int32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
  const size_t want = p[0] < 0x80   ? 1
                      : p[0] < 0xc0 ? 0
                      : p[0] < 0xe0 ? 2
                      : p[0] < 0xf0 ? 3
                      : p[0] < 0xf8 ? 4
                                    : 0;
  int32_t low;
  size_t i, k;

  *size = 1;
  if (want < 2) {
    return want == 1 ? p[0] : -1;
  }
  low = p[0] & (0x7f >> want);
  for (i = 1; i <= want; i++) {
    /* Everything that can still come of it. */
    int32_t from = low, to = low;

    for (k = i; k < want; k++) {
      from = from * 64;
      to = to * 64 + 63;
    }
    from = from < least[want] ? least[want] : from;
    to = to > 0x10ffff ? 0x10ffff : to;
    if (from > to || (from >= 0xd800 && to <= 0xdfff)) {
      return -1;
    }
    *size = i;
    if (i == want) {
      return low;
    }
    if (i == len || (p[i] & 0xc0) != 0x80) {
      return -1;
    }
    low = low * 64 + (p[i] & 63);
  }

  return -1;
}

static bool plain_valid(struct fuzz in) {
  size_t size;

  for (; in.len > 0; in.data += size, in.len -= size) {
    if (decode(in.data, in.len, &size) < 0) {
      return false;
    }
  }

  return true;
}

static bool cut_valid(struct fuzz in, uint32_t cuts) {
  sbk__utf8 state = {0};
  bool good = true;

  while (in.len > 0) {
    struct fuzz piece = fuzz_piece(&in, &cuts);
    uint8_t *copy = fuzz_copy(piece.data, piece.len);
    const bool before = good;

    good = sbk__utf8_feed(&state, copy, piece.len);
    free(copy);
    HOLDS(before || !good); /* what is wrong stays wrong */
  }

  return good && sbk__utf8_done(&state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  uint32_t cuts = fuzz_byte(&in);
  uint8_t *copy = fuzz_copy(in.data, in.len);
  const bool good = plain_valid(in);
  size_t at, len, found;
  bool is_char;

  HOLDS(sbk__utf8_valid(copy, in.len) == good);
  HOLDS(cut_valid(in, cuts) == good);
  for (at = 0; at < in.len; at += len) {
    const int32_t code = decode(copy + at, in.len - at, &len);

    found = sbk__utf8_char(copy + at, in.len - at, &is_char);
    HOLDS(found == len && is_char == (code >= 0));
  }
  free(copy);

  return 0;
}
