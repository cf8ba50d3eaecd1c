#include <assert.h>
#include <string.h>

#include "ascii.h"
#include "sockjs_frame.h"

/* What the next byte belongs to. */
enum state {
  START, /* nothing but blanks came */
  FIRST, /* behind the bracket: a string, or no message at all */
  NEXT,  /* behind a comma: a string */
  STRING,
  ESCAPE, /* behind the backslash */
  HEX,    /* behind \u */
  BEHIND, /* a string of the array */
  END,    /* the payload is whole */
  BROKEN
};

/* Never part of UTF-8, so nothing inside a message looks like its end. */
#define MESSAGE_END 0xff

#define ONES (UINT64_MAX / 0xff)
/* Which bytes of a word are below n; nothing is said about the bytes above the
 * lowest one. */
#define BELOW(word, n) (((word)-ONES * (n)) & ~(word)&ONES * 0x80)

void sbk__sockjs_reader_init(sbk__sockjs_reader *r, const struct sbk_mem *mem,
                             bool lone) {
  memset(r, 0, sizeof(*r));
  sbk__str_init(&r->text, mem);
  r->lone = lone;
}

void sbk__sockjs_reader_clear(sbk__sockjs_reader *r) {
  sbk__str_free(&r->text);
  sbk__sockjs_reader_init(r, r->text.mem, r->lone);
}

/* RFC 8259, 7: what can only stand escaped, and the quote. */
static bool ends_run(uint8_t byte) {
  return byte < 0x20 || byte == '"' || byte == '\\';
}

/* How many of len bytes stand for themselves. */
static size_t run_len(const uint8_t *p, size_t len) {
  size_t at = 0;
  uint64_t word;

  while (len - at >= sizeof(word)) {
    memcpy(&word, p + at, sizeof(word));
    if ((BELOW(word, 0x20) | BELOW(word ^ ONES * '"', 1) |
         BELOW(word ^ ONES * '\\', 1)) != 0) {
      break;
    }
    at += sizeof(word);
  }
  while (at < len && !ends_run(p[at])) {
    at++;
  }

  return at;
}

/* sbk__sockjs_read() has made room for all that a piece can become. */
static void put(sbk__sockjs_reader *r, const void *data, size_t len) {
  assert(len <= r->text.cap - r->text.len);

  memcpy(r->text.data + r->text.len, data, len);
  r->text.len += len;
}

static void put_byte(sbk__sockjs_reader *r, uint32_t byte) {
  assert(r->text.len < r->text.cap);

  r->text.data[r->text.len++] = (char)(uint8_t)byte;
}

static void put_code(sbk__sockjs_reader *r, uint32_t code) {
  if (code < 0x80) {
    put_byte(r, code);
    return;
  }

  if (code < 0x800) {
    put_byte(r, 0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      put_byte(r, 0xe0 | code >> 12);
    } else {
      put_byte(r, 0xf0 | code >> 18);
      put_byte(r, 0x80 | (code >> 12 & 0x3f));
    }
    put_byte(r, 0x80 | (code >> 6 & 0x3f));
  }
  put_byte(r, 0x80 | (code & 0x3f));
}

/* Something else came than the other half. */
static void end_surrogate(sbk__sockjs_reader *r) {
  if (r->high != 0) {
    r->high = 0;
    put_code(r, 0xfffd);
  }
}

static void take_unit(sbk__sockjs_reader *r, uint16_t unit) {
  bool low = (unit & 0xfc00) == 0xdc00;

  if (low && r->high != 0) {
    put_code(r, 0x10000u + ((r->high & 0x3ffu) << 10) + (unit & 0x3ffu));
    r->high = 0;
    return;
  }
  end_surrogate(r);
  if ((unit & 0xfc00) == 0xd800) {
    r->high = unit;
  } else {
    put_code(r, low ? 0xfffd : unit);
  }
}

/* What the letter behind a backslash stands for; 0: nothing. */
static char unescape(uint8_t letter) {
  switch (letter) {
  case '"':
  case '\\':
  case '/':
    return (char)letter;
  case 'b':
    return '\b';
  case 'f':
    return '\f';
  case 'n':
    return '\n';
  case 'r':
    return '\r';
  case 't':
    return '\t';
  default:
    return 0;
  }
}

/* Each of these takes a byte and gives the next state. */

static uint8_t take_hex(sbk__sockjs_reader *r, uint8_t byte) {
  int value = sbk__ascii_hex((char)byte);

  if (value < 0) {
    return BROKEN;
  }
  r->unit = (uint16_t)(r->unit << 4 | value);
  if (++r->digits < 4) {
    return HEX;
  }
  take_unit(r, r->unit);

  return STRING;
}

static uint8_t take_escape(sbk__sockjs_reader *r, uint8_t byte) {
  char c = unescape(byte);

  if (byte == 'u') {
    r->unit = 0;
    r->digits = 0;
    return HEX;
  }
  if (c == 0) {
    return BROKEN;
  }
  end_surrogate(r);
  put_byte(r, (uint8_t)c);

  return STRING;
}

static uint8_t end_string(sbk__sockjs_reader *r) {
  end_surrogate(r);
  put_byte(r, MESSAGE_END);

  return r->array ? BEHIND : END;
}

/* A run of a string, or the byte that ends one; how many were taken. */
static size_t take_string(sbk__sockjs_reader *r, const uint8_t *p, size_t len) {
  size_t run = run_len(p, len);

  if (run > 0) {
    if (!sbk__utf8_feed(&r->utf8, p, run)) {
      r->state = BROKEN;
      return run;
    }
    end_surrogate(r);
    put(r, p, run);
    return run;
  }

  if (*p < 0x20 || !sbk__utf8_done(&r->utf8)) {
    r->state = BROKEN;
  } else if (*p == '"') {
    r->state = end_string(r);
  } else {
    r->state = ESCAPE;
  }

  return 1;
}

/* Outside of strings. RFC 8259, 2: blanks may stand around all of it. */
static uint8_t take_between(sbk__sockjs_reader *r, uint8_t byte) {
  const uint8_t state = r->state;

  if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') {
    return state;
  }

  switch (byte) {
  case '[':
    if (state == START) {
      r->array = true;
      return FIRST;
    }
    return BROKEN;
  case '"':
    return state == FIRST || state == NEXT || (state == START && r->lone)
               ? STRING
               : BROKEN;
  case ',':
    return state == BEHIND ? NEXT : BROKEN;
  case ']':
    return state == FIRST || state == BEHIND ? END : BROKEN;
  default:
    return BROKEN;
  }
}

/* The error that has ended reading; 0: none. */
static int read_error(const sbk__sockjs_reader *r) {
  if (r->text.failed) {
    return SBK_ERR_NOMEM;
  }

  return r->state == BROKEN ? SBK_ERR_INVAL : 0;
}

int sbk__sockjs_read(sbk__sockjs_reader *r, const void *data, size_t len) {
  const uint8_t *p = data;
  size_t at = 0;
  int rv = read_error(r);

  if (rv != 0 || len == 0) {
    return rv;
  }
  /* A byte becomes one at most, but the first may end a \uXXXX behind a lone
   * surrogate: three bytes each. */
  rv = sbk__str_reserve(&r->text, len + 5);
  if (rv != 0) {
    return rv;
  }

  while (at < len && r->state != BROKEN) {
    switch ((enum state)r->state) {
    case STRING:
      at += take_string(r, p + at, len - at);
      break;
    case ESCAPE:
      r->state = take_escape(r, p[at++]);
      break;
    case HEX:
      r->state = take_hex(r, p[at++]);
      break;
    default:
      r->state = take_between(r, p[at++]);
      break;
    }
  }

  return read_error(r);
}

int sbk__sockjs_read_end(const sbk__sockjs_reader *r) {
  int rv = read_error(r);

  if (rv != 0 || r->state == END) {
    return rv;
  }

  return r->state == START ? SBK_ERR_NOT_FOUND : SBK_ERR_INVAL;
}

bool sbk__sockjs_next(const sbk__sockjs_reader *r, size_t *at,
                      const uint8_t **data, size_t *len) {
  const uint8_t *from, *end;

  if (*at == r->text.len) {
    return false;
  }
  from = (const uint8_t *)r->text.data + *at;
  end = memchr(from, MESSAGE_END, r->text.len - *at);
  if (end == NULL) {
    return false;
  }
  *data = from;
  *len = (size_t)(end - from);
  *at += *len + 1;

  return true;
}
