#include "sockjs_frame.h"

#include <string.h>

#define ONES (UINT64_MAX / 0xff)

/* How each character of ASCII is written. '.': as it is; 'u': as \uXXXX; 's':
 * so in scripts only; else as this letter behind a backslash. */
static const char escapes[] = "uuuuuuuubtnufruu"
                              "uuuuuuuuuuuuuuuu"
                              "..\"...s........."
                              "............s.s."
                              "................"
                              "............\\..."
                              "................"
                              "...............u";

enum { WORD = 8, REASON_MAX = 123 };

/* Are there eight bytes of ASCII that JSON leaves as they are? Without a high
 * bit in any of them, no subtraction borrows unless it has found something. */
static bool is_plain_word(const uint8_t *p, size_t len) {
  uint64_t word;

  if (len < WORD) {
    return false;
  }
  memcpy(&word, p, WORD);

  return ((word | (word + ONES) | (word - ONES * 0x20) |
           ((word ^ ONES * '"') - ONES) | ((word ^ ONES * '\\') - ONES)) &
          ONES * 0x80) == 0;
}

/* sockjs-protocol 0.3.3, escapable_by_server: those above ASCII, which are
 * U+2XXX or U+FXXX. */
static bool is_escapable(uint32_t code) {
  return (code >= 0x200c && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202f) ||
         (code >= 0x2060 && code <= 0x206f) || code >= 0xfff0;
}

/* Each of these gives the length alone with dst NULL. */

static size_t put_code(uint8_t *dst, uint32_t code) {
  static const char digits[] = "0123456789abcdef";

  if (dst != NULL) {
    dst[0] = '\\';
    dst[1] = 'u';
    dst[2] = (uint8_t)digits[code >> 12];
    dst[3] = (uint8_t)digits[code >> 8 & 0xf];
    dst[4] = (uint8_t)digits[code >> 4 & 0xf];
    dst[5] = (uint8_t)digits[code & 0xf];
  }

  return 6;
}

/* The character above ASCII at p; *taken says how many bytes that was. */
static size_t put_character(uint8_t *dst, const uint8_t *p, size_t len,
                            size_t *taken) {
  uint32_t code;
  bool good;

  *taken = sbk__utf8_char(p, len, &good);
  if (!good) {
    return put_code(dst, 0xfffd);
  }
  if (p[0] == 0xe2 || p[0] == 0xef) {
    code = (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    if (is_escapable(code)) {
      return put_code(dst, code);
    }
  }
  if (dst != NULL) {
    dst[0] = p[0];
    dst[1] = p[1];
    if (*taken > 2) {
      dst[2] = p[2];
    }
    if (*taken > 3) {
      dst[3] = p[3];
    }
  }

  return *taken;
}

static size_t put_ascii(uint8_t *dst, uint8_t byte, bool script) {
  char escape = escapes[byte];

  if (escape == '.' || (escape == 's' && !script)) {
    if (dst != NULL) {
      dst[0] = byte;
    }
    return 1;
  }
  if (escape == 'u' || escape == 's') {
    return put_code(dst, byte);
  }
  if (dst != NULL) {
    dst[0] = '\\';
    dst[1] = (uint8_t)escape;
  }

  return 2;
}

static inline size_t put_escaped(uint8_t *dst, const uint8_t *p, size_t len,
                                 bool script) {
  size_t at = 0, size = 0, stop, taken;

#define AT (dst != NULL ? dst + size : NULL)
  while (at < len) {
    if (!script && is_plain_word(p + at, len - at)) {
      if (dst != NULL) {
        memcpy(dst + size, p + at, WORD);
      }
      at += WORD;
      size += WORD;
      continue;
    }
    for (stop = len - at < WORD ? len : at + WORD; at < stop; at += taken) {
      if (p[at] < 0x80) {
        size += put_ascii(AT, p[at], script);
        taken = 1;
      } else {
        size += put_character(AT, p + at, len - at, &taken);
      }
    }
  }
#undef AT

  return size;
}

size_t sbk__sockjs_escaped_len(const void *data, size_t len) {
  return put_escaped(NULL, data, len, false);
}

size_t sbk__sockjs_escape(void *dst, const void *data, size_t len) {
  return put_escaped(dst, data, len, false);
}

size_t sbk__sockjs_script_len(const void *data, size_t len) {
  return put_escaped(NULL, data, len, true);
}

size_t sbk__sockjs_script(void *dst, const void *data, size_t len) {
  return put_escaped(dst, data, len, true);
}

#define PERCENT "\\u0025"

size_t sbk__sockjs_event_len(const void *data, size_t len) {
  const uint8_t *p = data;
  size_t i, size = len;

  for (i = 0; i < len; i++) {
    size += p[i] == '%' ? sizeof(PERCENT) - 2 : 0;
  }

  return size;
}

size_t sbk__sockjs_event(void *dst, const void *data, size_t len) {
  const uint8_t *p = data;
  uint8_t *to = dst;
  size_t i;

  for (i = 0; i < len; i++) {
    if (p[i] == '%') {
      memcpy(to, PERCENT, sizeof(PERCENT) - 1);
      to += sizeof(PERCENT) - 1;
    } else {
      *to++ = p[i];
    }
  }

  return (size_t)(to - (uint8_t *)dst);
}

size_t sbk__sockjs_text_len(const void *data, size_t len) {
  const uint8_t *p = data;
  size_t at = 0, text = 0, size;
  bool good;

  if (sbk__utf8_valid(data, len)) {
    return len;
  }

  while (at < len) {
    size = sbk__utf8_char(p + at, len - at, &good);
    text += good ? size : 3;
    at += size;
  }

  return text;
}

/* RFC 6455, 5.5.1: as long as the reason of a WebSocket's Close, and like that
 * without half a character. */
static size_t reason_len_of(const char *reason) {
  size_t len = strlen(reason);

  if (len > REASON_MAX) {
    for (len = REASON_MAX; len > 0 && (reason[len] & 0xc0) == 0x80; len--) {
    }
  }

  return len;
}

sbk_buf *sbk__sockjs_close_frame(const struct sbk_mem *mem, uint16_t code,
                                 const char *reason) {
  bool plain = reason == NULL || *reason == '\0';
  char digits[20];
  size_t code_len, reason_len;
  uint8_t *p;
  sbk_buf *buf;

  /* sockjs-protocol 0.3.3, HandlingClose */
  if (code == 1000 && plain) {
    code = 3000;
    reason = "Go away!";
    plain = false;
  }
  reason = plain ? "" : reason;
  code_len = sbk__format_u64(digits, code);
  reason_len = reason_len_of(reason);

  buf = sbk__buf_new(mem, 6 + code_len +
                              sbk__sockjs_escaped_len(reason, reason_len));
  if (buf == NULL) {
    return NULL;
  }
  p = sbk__buf_bytes(buf);
  *p++ = 'c';
  *p++ = '[';
  memcpy(p, digits, code_len);
  p += code_len;
  *p++ = ',';
  *p++ = '"';
  p += sbk__sockjs_escape(p, reason, reason_len);
  *p++ = '"';
  *p = ']';

  return buf;
}
