#include "sockjs_frame.h"

#include <string.h>

#define ONES (UINT64_MAX / 0xff)

/* How a character of ASCII is written. 0: as it is; 'u': as \uXXXX; else the
 * letter behind the backslash. */
static char escape_of(uint8_t byte, bool script) {
  static const char controls[] = "uuuuuuuubtnufruu"
                                 "uuuuuuuuuuuuuuuu";

  if (byte < 0x20) {
    return controls[byte];
  }

  switch (byte) {
  case '"':
  case '\\':
    return (char)byte;
  case 0x7f:
    return 'u';
  case '&':
  case '<':
  case '>':
    return script ? 'u' : 0;
  default:
    return 0;
  }
}

/* How many of len bytes are ASCII that JSON leaves as it is: whole words only.
 * Without a high bit in any byte, no subtraction borrows from the next one
 * unless it has found something. */
static size_t plain_words(const uint8_t *p, size_t len) {
  size_t done = 0;
  uint64_t word;

  while (len - done >= sizeof(word)) {
    memcpy(&word, p + done, sizeof(word));
    if (((word | (word - ONES * 0x20) | ((word ^ ONES * '"') - ONES) |
          ((word ^ ONES * '\\') - ONES) | (word + ONES)) &
         ONES * 0x80) != 0) {
      break;
    }
    done += sizeof(word);
  }

  return done;
}

/* The code point of a character of three bytes. */
static uint32_t code_of(const uint8_t *p) {
  return (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
}

/* sockjs-protocol 0.3.3, escapable_by_server: those above ASCII. All of them
 * have three bytes. */
static bool is_escapable(uint32_t code) {
  return (code >= 0x200c && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202f) ||
         (code >= 0x2060 && code <= 0x206f) || code >= 0xfff0;
}

/* How many of len bytes are written as they are. */
static size_t plain_len(const uint8_t *p, size_t len, bool script) {
  size_t at = 0, size;
  bool good;

  while (at < len) {
    if (p[at] >= 0x80) {
      size = sbk__utf8_char(p + at, len - at, &good);
      if (!good || (size == 3 && is_escapable(code_of(p + at)))) {
        break;
      }
      at += size;
      continue;
    }
    at += script ? 0 : plain_words(p + at, len - at);
    while (at < len && p[at] < 0x80) {
      if (escape_of(p[at], script) != 0) {
        return at;
      }
      at++;
    }
  }

  return at;
}

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

/* What plain_len() has stopped at; *taken says how much that was. */
static size_t put_escape(uint8_t *dst, const uint8_t *p, size_t len,
                         bool script, size_t *taken) {
  bool good;
  char escape;

  if (p[0] >= 0x80) {
    *taken = sbk__utf8_char(p, len, &good);
    return put_code(dst, good ? code_of(p) : 0xfffd);
  }

  *taken = 1;
  escape = escape_of(p[0], script);
  if (escape == 'u') {
    return put_code(dst, p[0]);
  }
  if (dst != NULL) {
    dst[0] = '\\';
    dst[1] = (uint8_t)escape;
  }

  return 2;
}

/* The length alone with dst NULL. */
static size_t put_escaped(uint8_t *dst, const uint8_t *p, size_t len,
                          bool script) {
  size_t at = 0, size = 0, taken;

  while (at < len) {
    taken = plain_len(p + at, len - at, script);
    if (dst != NULL) {
      memcpy(dst + size, p + at, taken);
    }
    size += taken;
    at += taken;
    if (at < len) {
      size += put_escape(dst != NULL ? dst + size : NULL, p + at, len - at,
                         script, &taken);
      at += taken;
    }
  }

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
  reason_len = strlen(reason);

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
