#include "ws_ref.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* 5.2, Base Framing Protocol. */
struct ref_frame {
  bool fin, rsv, mask;
  unsigned opcode;
  uint64_t len;
  const uint8_t *key, *payload;
};

/* Bits of one byte, counted from the left as the RFC's picture does. */
static unsigned bits(uint8_t byte, unsigned first, unsigned count) {
  return (unsigned)byte >> (8 - first - count) & ((1u << count) - 1);
}

enum { REF_OPEN = -1, REF_WHOLE = 0 };

/* Up to the payload, if all that stands before it is there. 1002: it cannot
 * be. What is missing of the mask and length is waited for, but a frame
 * without mask is known by its first two bytes (5.1). */
static int ref_header(struct ref_frame *frame, const uint8_t *data,
                      size_t len) {
  size_t at = 2, size, i;
  uint64_t least = 0;

  if (len < 2) {
    return REF_OPEN;
  }
  frame->fin = bits(data[0], 0, 1);
  frame->rsv = bits(data[0], 1, 3) != 0;
  frame->opcode = bits(data[0], 4, 4);
  frame->mask = bits(data[1], 0, 1);
  frame->len = bits(data[1], 1, 7);
  if (!frame->mask) {
    return 1002;
  }
  size = frame->len == 126 ? 2 : frame->len == 127 ? 8 : 0;
  if (len < at + size + 4) {
    return REF_OPEN;
  }
  if (size > 0) {
    least = size == 2 ? 126 : 65536;
    for (i = 0, frame->len = 0; i < size; i++) {
      frame->len = frame->len * 256 + data[at + i];
    }
  }
  if (frame->len < least || frame->len >= (uint64_t)1 << 63) {
    return 1002; /* "the minimal number of bytes", "most significant bit 0" */
  }
  frame->key = data + at + size;
  frame->payload = frame->key + 4;

  return REF_WHOLE;
}

/* 3629 by the table of its section 4. How much of text is characters; *open:
 * what follows them may become one. */
static bool ref_utf8(const uint8_t *text, size_t len, bool *open) {
  static const struct {
    uint8_t first, last, low, high, more;
  } rows[] = {
      {0x00, 0x7f, 0, 0, 0},       {0xc2, 0xdf, 0x80, 0xbf, 1},
      {0xe0, 0xe0, 0xa0, 0xbf, 2}, {0xe1, 0xec, 0x80, 0xbf, 2},
      {0xed, 0xed, 0x80, 0x9f, 2}, {0xee, 0xef, 0x80, 0xbf, 2},
      {0xf0, 0xf0, 0x90, 0xbf, 3}, {0xf1, 0xf3, 0x80, 0xbf, 3},
      {0xf4, 0xf4, 0x80, 0x8f, 3},
  };
  size_t at = 0, row, k;

  *open = false;
  while (at < len) {
    for (row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
      if (text[at] >= rows[row].first && text[at] <= rows[row].last) {
        break;
      }
    }
    if (row == sizeof(rows) / sizeof(rows[0])) {
      return false;
    }
    for (k = 1; k <= rows[row].more; k++) {
      if (at + k == len) {
        *open = true;
        return true;
      }
      if (text[at + k] < (k == 1 ? rows[row].low : 0x80) ||
          text[at + k] > (k == 1 ? rows[row].high : 0xbf)) {
        return false;
      }
    }
    at += k;
  }

  return true;
}

/* The message under way. */
struct ref_message {
  unsigned opcode; /* 0: none */
  uint8_t *data;
  size_t len, fragments, empty;
};

/* What the header alone forbids. */
static int ref_judge(const struct ref_frame *frame, struct ref_message *message,
                     const struct ws_ref *limits) {
  if (frame->rsv) {
    return 1002; /* no extension was negotiated */
  }
  if ((frame->opcode > 2 && frame->opcode < 8) || frame->opcode > 10) {
    return 1002; /* reserved */
  }
  if (frame->opcode >= 8) {
    /* 5.5: 125 bytes at most, and not fragmented. */
    return frame->len > 125 || !frame->fin ? 1002 : 0;
  }
  /* 5.4: a continuation continues, and nothing else does. */
  if ((frame->opcode == 0) != (message->opcode != 0)) {
    return 1002;
  }
  if (frame->len > limits->max_message - message->len) {
    return 1009;
  }
  message->fragments++;
  message->empty = frame->len > 0 ? 0 : message->empty + 1;

  return message->fragments > limits->max_fragments ||
                 message->empty > limits->max_empty
             ? 1008
             : 0;
}

static void ref_tell(sbk__str *out, unsigned opcode, const uint8_t *data,
                     size_t len) {
  sbk__str_add_u64(out, opcode);
  sbk__str_addz(out, " ");
  sbk__str_add_u64(out, len);
  sbk__str_addz(out, " ");
  sbk__str_add(out, data, len);
}

/* As much of its payload as there is, unmasked (5.3), behind the message's. */
static int ref_data(const struct ref_frame *frame, struct ref_message *message,
                    size_t have, sbk__str *out) {
  bool open;
  size_t i;

  message->opcode = frame->opcode != 0 ? frame->opcode : message->opcode;
  for (i = 0; i < have; i++) {
    message->data[message->len++] = frame->payload[i] ^ frame->key[i % 4];
  }
  /* 8.1; without having to wait for the end of the message. */
  if (message->opcode == 1 && (!ref_utf8(message->data, message->len, &open) ||
                               (open && frame->fin && have == frame->len))) {
    return 1007;
  }
  if (frame->fin && have == frame->len) {
    ref_tell(out, message->opcode, message->data, message->len);
    message->opcode = 0;
    message->len = message->fragments = message->empty = 0;
  }

  return 0;
}

static void ref_control(const struct ref_frame *frame, sbk__str *out) {
  uint8_t payload[125];
  size_t i;

  for (i = 0; i < frame->len; i++) {
    payload[i] = frame->payload[i] ^ frame->key[i % 4];
  }
  ref_tell(out, frame->opcode, payload, i);
}

static int ref_frames(const uint8_t *data, size_t len,
                      const struct ws_ref *limits, struct ref_message *message,
                      sbk__str *out) {
  const uint8_t *end = data + len;
  int rv = REF_WHOLE;

  while (rv == 0) {
    struct ref_frame frame;
    size_t have;

    rv = ref_header(&frame, data, (size_t)(end - data));
    if (rv == 0) {
      rv = ref_judge(&frame, message, limits);
    }
    if (rv != 0) {
      break;
    }
    have = (size_t)(end - frame.payload);
    have = have < frame.len ? have : (size_t)frame.len;
    if (frame.opcode < 8) {
      rv = ref_data(&frame, message, have, out);
    } else if (have == frame.len) {
      ref_control(&frame, out);
    }
    data = frame.payload + have;
    if (rv == 0 && have < frame.len) {
      rv = REF_OPEN;
    }
  }

  return rv == REF_OPEN ? 0 : rv;
}

int ws_ref_read(const uint8_t *data, size_t len, const struct ws_ref *limits,
                sbk__str *out, size_t *partial) {
  struct ref_message message = {0};
  int rv;

  message.data = malloc(len + 1);
  if (message.data == NULL) {
    abort();
  }
  rv = ref_frames(data, len, limits, &message, out);
  *partial = message.len;
  free(message.data);

  return rv;
}
