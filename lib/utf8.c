#include "utf8.h"

#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* How many of len bytes from p on are ASCII without doubt: whole words only. */
static size_t ascii_words(const uint8_t *p, size_t len) {
  size_t done = 0;
  uint64_t word;

  while (len - done >= sizeof(word)) {
    memcpy(&word, p + done, sizeof(word));
    if ((word & HIGH_BITS) != 0) {
      break;
    }
    done += sizeof(word);
  }

  return done;
}

/* No byte lies between these bounds: what is wrong stays wrong. */
static inline bool fail(sbk__utf8 *state) {
  state->need = 1;
  state->lower = 0xff;
  state->upper = 0;

  return false;
}

/* The first byte of a longer character. RFC 3629, 4: only the byte behind the
 * lead has bounds of its own, which rule out overlong forms, surrogates and
 * what is above U+10FFFF. */
static inline bool lead(sbk__utf8 *state, uint8_t byte) {
  state->lower = 0x80;
  state->upper = 0xbf;

  if (byte >= 0xc2 && byte <= 0xdf) {
    state->need = 1;
  } else if (byte >= 0xe0 && byte <= 0xef) {
    state->need = 2;
    state->lower = byte == 0xe0 ? 0xa0 : 0x80;
    state->upper = byte == 0xed ? 0x9f : 0xbf;
  } else if (byte >= 0xf0 && byte <= 0xf4) {
    state->need = 3;
    state->lower = byte == 0xf0 ? 0x90 : 0x80;
    state->upper = byte == 0xf4 ? 0x8f : 0xbf;
  } else {
    return fail(state);
  }

  return true;
}

static inline bool continuation(sbk__utf8 *state, uint8_t byte) {
  if (byte < state->lower || byte > state->upper) {
    return fail(state);
  }
  state->need--;
  state->lower = 0x80;
  state->upper = 0xbf;

  return true;
}

bool sbk__utf8_feed(sbk__utf8 *state, const void *data, size_t len) {
  const uint8_t *p = data;
  size_t i = 0;

  while (i < len) {
    if (state->need > 0) {
      if (!continuation(state, p[i++])) {
        return false;
      }
      continue;
    }
    if (p[i] < 0x80) {
      i += ascii_words(p + i, len - i);
      while (i < len && p[i] < 0x80) {
        i++;
      }
      continue;
    }
    if (!lead(state, p[i++])) {
      return false;
    }
  }

  return state->lower <= state->upper;
}

bool sbk__utf8_done(const sbk__utf8 *state) {
  return state->need == 0;
}

bool sbk__utf8_valid(const void *data, size_t len) {
  sbk__utf8 state = {0};

  return sbk__utf8_feed(&state, data, len) && sbk__utf8_done(&state);
}

size_t sbk__utf8_char(const void *data, size_t len, bool *good) {
  const uint8_t *p = data;
  sbk__utf8 state = {0};
  size_t size = 1;

  *good = p[0] < 0x80 || lead(&state, p[0]);
  while (*good && state.need > 0) {
    *good = size < len && continuation(&state, p[size]);
    size += *good;
  }

  return size;
}
