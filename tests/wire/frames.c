#include "frames.h"

#include <string.h>

#ifdef HAVE_MEMCHECK
#  include <valgrind/memcheck.h>
#endif

static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};

static void add_length(struct codes *codes, uint64_t len, unsigned bits) {
  while (bits > 0) {
    bits -= 8;
    codes_add(codes, (uint8_t)(len >> bits));
  }
}

void ws_encode(struct codes *codes, const struct ws_frame *frame,
               const struct codes *payload) {
  uint64_t len = frame->announced ? frame->announce : payload->len;
  unsigned form = frame->form;
  unsigned masked = frame->unmasked ? 0 : 0x80;
  size_t i;

  if (form == 0) {
    form = len < 126 ? 7 : len < 65536 ? 16 : 64;
  }
  codes_add(codes,
            (frame->more ? 0 : 0x80u) | (frame->rsv << 4) | frame->opcode);
  if (form == 7) {
    codes_add(codes, masked | (uint8_t)(len & 0x7f));
  } else {
    codes_add(codes, masked | (form == 16 ? 126 : 127));
    add_length(codes, len, form);
  }
  if (masked) {
    codes_add_bytes(codes, mask, sizeof(mask));
  }
  for (i = 0; i < payload->len; i++) {
    codes_add(codes, payload->at[i] ^ (masked ? mask[i % 4] : 0u));
  }
}

/* A plain reader of UTF-8, whole texts only (Unicode, table 3-7). */
bool is_utf8(const uint16_t *at, size_t len) {
  size_t i = 0;

  while (i < len) {
    unsigned c = at[i++], low = 0x80, high = 0xbf, more;

    if (c < 0x80) {
      continue;
    }
    more = c >= 0xc2 && c <= 0xdf   ? 1
           : c >= 0xe0 && c <= 0xef ? 2
           : c >= 0xf0 && c <= 0xf4 ? 3
                                    : 0;
    low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : low;
    high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : high;
    if (more == 0) {
      return false;
    }
    for (; more > 0; more--, low = 0x80, high = 0xbf) {
      if (i == len || at[i] < low || at[i] > high) {
        return false;
      }
      i++;
    }
  }
  return true;
}

/* One whole frame of held: how many bytes it has; 0: not whole yet. */
static size_t show_frame(struct shower *shower) {
  static const uint16_t kinds[16] = {[WS_TEXT] = CODE_TEXT,
                                     [WS_BINARY] = CODE_BINARY,
                                     [WS_CLOSE] = CODE_CLOSE,
                                     [WS_PING] = CODE_PING,
                                     [WS_PONG] = CODE_PONG};
  const uint16_t *at = shower->held.at;
  size_t have = shower->held.len, head = 2, i;
  uint64_t len;
  unsigned opcode;
  bool fine;

  if (have < 2) {
    return 0;
  }
  opcode = at[0] & 0x0f;
  len = at[1] & 0x7f;
  head += len == 126 ? 2 : len == 127 ? 8 : 0;
  if (have < head) {
    return 0;
  }
  fine = (at[0] & 0xf0) == 0x80 && (at[1] & 0x80) == 0 && kinds[opcode] != 0;
  if (head > 2) {
    for (len = 0, i = 2; i < head; i++) {
      len = (len << 8) | at[i];
    }
    fine = fine && len >= (head == 4 ? 126 : 65536) && opcode < WS_CLOSE;
  }
  if (!fine) {
    codes_add(&shower->shown, CODE_BROKEN);
    return have;
  }
  if (have - head < len) {
    return 0;
  }
  at += head;
  i = opcode == WS_CLOSE && len >= 2 ? 2 : 0;
  if ((opcode == WS_TEXT || opcode == WS_CLOSE) &&
      !is_utf8(at + i, (size_t)len - i)) {
    codes_add(&shower->shown, CODE_BROKEN);
  }
  codes_add(&shower->shown, kinds[opcode]);
  for (i = 0; i < len; i++) {
    codes_add(&shower->shown, at[i]);
  }
  return head + (size_t)len;
}

static bool ends_with(const struct codes *codes, size_t len, const char *text) {
  size_t size = strlen(text), i;

  for (i = 0; i < size; i++) {
    if (len < size || codes->at[len - size + i] != (uint8_t)text[i]) {
      return false;
    }
  }
  return true;
}

/* Did the raw text end the head of a 101 just now? */
static bool head_ends(const struct codes *shown) {
  size_t len = shown->len;

  if (!ends_with(shown, len, "\r\n\r\n")) {
    return false;
  }
  for (len--; len > 0 && !ends_with(shown, len, "\r\n\r\n"); len--) {
    if (ends_with(shown, len, "HTTP/1.1 101")) {
      return true;
    }
  }
  return false;
}

void shower_take(struct shower *shower, const void *data, size_t len) {
  const uint8_t *bytes = data;
  size_t used;

#ifdef HAVE_MEMCHECK
  VALGRIND_CHECK_MEM_IS_DEFINED(data, len); /* it speaks up itself */
#endif
  while (len > 0 && !shower->websocket) {
    codes_add(&shower->shown, *bytes);
    if (shower->http && *bytes == '\n' && head_ends(&shower->shown)) {
      shower->websocket = true;
    }
    bytes++;
    len--;
  }
  codes_add_bytes(&shower->held, bytes, len);
  while ((used = show_frame(shower)) > 0) {
    shower->held.len -= used;
    memmove(shower->held.at, shower->held.at + used,
            shower->held.len * sizeof(*shower->held.at));
  }
}

void shower_free(struct shower *shower) {
  codes_free(&shower->held);
  codes_free(&shower->shown);
  shower->websocket = false;
}
