#include <string.h>

#include <wslay/wslay.h>

#include "unit.h"

#include "failing_mem.h"
#include "limits.h"
#include "str.h"
#include "ws.h"

/* A stream of a peer, as it grows. */
struct stream {
  uint8_t data[200000];
  size_t len;
};

static const uint8_t mask_key[4] = {0x12, 0x00, 0xff, 0x37};

/* Puts a masked frame behind the others; first is FIN, RSV and opcode. */
static void put(struct stream *s, uint8_t first, const void *payload,
                size_t len) {
  uint8_t *at = s->data + s->len, *start = at;
  size_t i;

  assert_true(s->len + len + 14 <= sizeof(s->data));
  *at++ = first;
  if (len < 126) {
    *at++ = (uint8_t)(0x80 | len);
  } else if (len < 65536) {
    *at++ = 0x80 | 126;
    *at++ = (uint8_t)(len >> 8);
    *at++ = (uint8_t)len;
  } else {
    *at++ = 0x80 | 127;
    for (i = 8; i > 0; i--) {
      *at++ = (uint8_t)((uint64_t)len >> (8 * (i - 1)));
    }
  }
  memcpy(at, mask_key, 4);
  at += 4;
  for (i = 0; i < len; i++) {
    *at++ = ((const uint8_t *)payload)[i] ^ mask_key[i % 4];
  }
  s->len += (size_t)(at - start);
}

/* A reader, and what came of it as text: pieces of a message are joined, so
 * that cuts do not show. */
struct reading {
  struct failing_mem mem;
  struct sbk_config limits;
  sbk__ws_pool pool;
  sbk__ws_reader reader;
  sbk__str trace;
  size_t messages;
  size_t controls;
  bool inside; /* a message */
  enum sbk__fault fault;
};

static void begin(struct reading *r) {
  memset(r, 0, sizeof(*r));
  failing_mem_init(&r->mem);
  r->limits = default_limits();
  sbk__ws_pool_init(&r->pool, &r->mem.mem);
  sbk__str_init(&r->trace, sbk__mem_default());
}

static void end(struct reading *r) {
  sbk__ws_clear(&r->reader, &r->pool);
  sbk__ws_pool_free(&r->pool);
  sbk__str_free(&r->trace);
  assert_int_equal(r->mem.blocks, 0);
}

static void trace_control(sbk__str *trace, uint8_t opcode, const void *data,
                          size_t len) {
  sbk__str_addz(trace, "<");
  sbk__str_add_u64(trace, opcode);
  sbk__str_addz(trace, ":");
  sbk__str_add(trace, data, len);
  sbk__str_addz(trace, ">");
}

static void trace_data(sbk__str *trace, bool *inside, uint8_t opcode,
                       const void *data, size_t len, bool last) {
  if (!*inside) {
    sbk__str_addz(trace, opcode == SBK__WS_TEXT ? "T(" : "B(");
    *inside = true;
  }
  sbk__str_add(trace, data, len);
  if (last) {
    sbk__str_addz(trace, ")");
    *inside = false;
  }
}

static bool feed(struct reading *r, const void *data, size_t len) {
  const uint8_t *bytes = data;
  size_t used, done = 0;

  while (done < len && r->fault == SBK__FAULT_NONE) {
    size_t left = len - done;
    uint8_t *piece = malloc(left);
    sbk__ws_event event;

    memcpy(piece, bytes + done, left);
    r->fault = sbk__ws_read(&r->reader, &r->pool,
                            &(sbk__ws_limits){r->limits.max_message,
                                              r->limits.max_fragments,
                                              r->limits.max_empty_fragments},
                            piece, left, &used, &event);
    free(piece);
    assert_true(used <= left);
    done += used;
    if (r->fault != SBK__FAULT_NONE) {
      break;
    }
    if (event.opcode == 0) {
      assert_int_equal(done, len);
    } else if (event.opcode >= SBK__WS_CLOSE) {
      assert_true(event.end);
      r->controls++;
      trace_control(&r->trace, event.opcode, event.data, event.len);
    } else {
      r->messages += event.end;
      trace_data(&r->trace, &r->inside, event.opcode, event.data, event.len,
                 event.end);
    }
  }

  return r->fault == SBK__FAULT_NONE;
}

static void assert_trace(struct reading *r, const char *expected) {
  assert_int_equal(r->trace.len, strlen(expected));
  assert_memory_equal(r->trace.data, expected, r->trace.len);
}

/* ---- RFC 6455, section 5, read at leisure ---- */

/* A reader that has the whole stream before it. What it found goes to trace;
 * the Close code of its fault, or 0. A frame that is not whole is refused if
 * its header can be, and waited for if not. */
static int plain_read(const uint8_t *data, size_t len,
                      const struct sbk_config *limits, sbk__str *trace) {
  size_t at = 0, message_len = 0, fragments = 0, empty = 0;
  uint8_t message = 0;
  bool inside = false;
  sbk__utf8 utf8 = {0};

  for (;;) {
    uint8_t payload[200000];
    uint64_t size;
    uint8_t opcode;
    size_t i, head = 2, have;
    bool fin;

    if (len - at < 2) {
      return 0;
    }
    fin = data[at] >> 7;
    opcode = data[at] & 15;
    size = data[at + 1] & 127;
    if (!(data[at + 1] & 128)) {
      return 1002;
    }
    head += size == 126 ? 2 : size == 127 ? 8 : 0;
    if (len - at < head + 4) {
      return 0;
    }
    if (head > 2) {
      size = 0;
      for (i = 2; i < head; i++) {
        size = size * 256 + data[at + i];
      }
      if (size < (head == 4 ? 126u : 65536u) || size > INT64_MAX) {
        return 1002;
      }
    }
    if (data[at] & 0x70 || (opcode >= 3 && opcode <= 7) || opcode > 10) {
      return 1002;
    }
    if (opcode >= 8 ? !fin || size > 125 : (opcode == 0) != (message != 0)) {
      return 1002;
    }
    if (opcode < 8) {
      if (opcode != 0) {
        message = opcode;
        message_len = fragments = empty = 0;
        memset(&utf8, 0, sizeof(utf8));
      }
      empty = size == 0 ? empty + 1 : 0;
      fragments++;
      if (size > limits->max_message - message_len) {
        return 1009;
      }
      if (fragments > limits->max_fragments ||
          empty > limits->max_empty_fragments) {
        return 1008;
      }
      message_len += (size_t)size;
    }
    at += head;
    have = len - at - 4 < size ? len - at - 4 : (size_t)size;
    for (i = 0; i < have; i++) {
      payload[i] = data[at + 4 + i] ^ data[at + i % 4];
    }
    at += 4 + have;
    if (opcode >= 8) {
      if (have < size) {
        return 0;
      }
      trace_control(trace, opcode, payload, have);
      continue;
    }
    if (have == 0 && size > 0) {
      return 0; /* nothing of it has come */
    }
    if (message == 1 && (!sbk__utf8_feed(&utf8, payload, have) ||
                         (fin && have == size && !sbk__utf8_done(&utf8)))) {
      return 1007;
    }
    trace_data(trace, &inside, message, payload, have, fin && have == size);
    if (have < size) {
      return 0;
    }
    message = fin ? 0 : message;
  }
}

/* The reader is handed the stream in pieces of sizes drawn from random, 0 for
 * the whole at once. */
static void compare_readers(const struct stream *s,
                            const struct sbk_config *limits, uint32_t random,
                            size_t most) {
  size_t done = 0, size;
  struct reading r;
  sbk__str plain;
  int code;

  sbk__str_init(&plain, sbk__mem_default());
  code = plain_read(s->data, s->len, limits, &plain);
  begin(&r);
  r.limits = *limits;
  while (done < s->len && r.fault == SBK__FAULT_NONE) {
    size = most > 0 ? 1 + test_random(&random) % most : s->len;
    size = size < s->len - done ? size : s->len - done;
    feed(&r, s->data + done, size);
    done += size;
  }
  assert_int_equal(r.fault != SBK__FAULT_NONE ? sbk__fault_close(r.fault) : 0,
                   code);
  /* Before broken UTF-8 part of its text may have been given, as far as it
   * came in pieces. */
  if (code == 1007) {
    assert_true(r.trace.len >= plain.len);
  } else {
    assert_int_equal(r.trace.len, plain.len);
  }
  if (plain.len > 0) {
    assert_memory_equal(r.trace.data, plain.data, plain.len);
  }
  sbk__str_free(&plain);
  end(&r);
}

static struct stream stream; /* too large for a stack */

static void random_stream(uint32_t *random, bool faulty) {
  static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80-text-";
  size_t frame, frames = 1 + test_random(random) % 8;
  uint8_t payload[600], open = 0;

  stream.len = 0;
  for (frame = 0; frame < frames; frame++) {
    uint32_t dice = test_random(random);
    size_t i, len = dice % 4 == 0   ? dice / 8 % 600
                    : dice % 4 == 1 ? 124 + dice / 8 % 4
                                    : dice / 8 % 20;
    bool fin = dice >> 20 & 1;
    uint8_t opcode;

    if (dice >> 21 & 1) {
      opcode = open != 0 ? 0 : 1 + (dice >> 22 & 1);
      open = fin ? 0 : opcode != 0 ? opcode : open;
    } else {
      opcode = (uint8_t)(8 + (dice >> 23) % 3);
      fin = true;
      len %= 126;
    }
    if (faulty && (dice >> 24) % 16 == 0) {
      opcode = (uint8_t)((dice >> 28) & 15);
    }
    for (i = 0; i < len; i++) {
      payload[i] = (uint8_t)text[i % (sizeof(text) - 1)];
    }
    put(&stream, (uint8_t)(fin << 7 | opcode), payload, len);
  }
  for (frame = 0; faulty && frame < test_random(random) % 3; frame++) {
    stream.data[test_random(random) % stream.len] ^=
        (uint8_t)(1u << test_random(random) % 8);
  }
  if (faulty && test_random(random) % 4 == 0) {
    stream.len -= test_random(random) % stream.len;
  }
}

static void reads_what_a_plain_reader_reads(void **state) {
  struct sbk_config limits = default_limits();
  uint32_t random = 4711;
  size_t round;

  (void)state;
  for (round = 0; round < 3000; round++) {
    random_stream(&random, false);
    compare_readers(&stream, &limits, random, 0);
    compare_readers(&stream, &limits, random, 1);
    compare_readers(&stream, &limits, random, 40);
  }
}

static void refuses_what_a_plain_reader_refuses(void **state) {
  struct sbk_config limits = default_limits();
  uint32_t random = 815;
  size_t round;

  (void)state;
  limits.max_message = 700;
  limits.max_fragments = 4;
  limits.max_empty_fragments = 1;
  for (round = 0; round < 6000; round++) {
    random_stream(&random, true);
    compare_readers(&stream, &limits, random, 0);
    compare_readers(&stream, &limits, random, 1);
    compare_readers(&stream, &limits, random, 40);
  }
}

/* ---- writing ---- */

static ssize_t collect(const uint8_t *data, size_t len, int flags,
                       void *user_data) {
  struct stream *s = user_data;

  (void)flags;
  assert_true(s->len + len <= sizeof(s->data));
  memcpy(s->data + s->len, data, len);
  s->len += len;

  return (ssize_t)len;
}

static void writes_heads_as_wslay_does(void **state) {
  static const size_t lens[] = {0,   1,   2,     124,   125,   126,   127,
                                128, 255, 256,   65534, 65535, 65536, 65537,
                                999, 512, 70000, 99999, 131072};
  static uint8_t payload[131072];
  struct wslay_frame_callbacks callbacks = {collect, NULL, NULL};
  wslay_frame_context_ptr ctx;
  size_t i;

  (void)state;
  assert_int_equal(wslay_frame_context_init(&ctx, &callbacks, &stream), 0);
  for (i = 0; i < 2 * sizeof(lens) / sizeof(lens[0]); i++) {
    struct wslay_frame_iocb iocb = {0};
    uint8_t head[10];
    size_t size =
        sbk__ws_head(head, i % 2 ? SBK__WS_TEXT : SBK__WS_BINARY, lens[i / 2]);

    stream.len = 0;
    iocb.fin = 1;
    iocb.opcode = i % 2 ? SBK__WS_TEXT : SBK__WS_BINARY;
    iocb.payload_length = lens[i / 2];
    iocb.data = payload;
    iocb.data_length = lens[i / 2];
    assert_true(wslay_frame_send(ctx, &iocb) >= 0);
    assert_int_equal(stream.len, size + lens[i / 2]);
    assert_int_equal(sbk__ws_head_len(lens[i / 2]), size);
    assert_memory_equal(stream.data, head, size);
  }
  wslay_frame_context_free(ctx);
}

static void writes_every_length_up_to_70000(void **state) {
  uint64_t len, value;
  uint8_t head[10];
  size_t i, size;

  (void)state;
  for (len = 0; len <= 70000; len++) {
    size = sbk__ws_head(head, SBK__WS_TEXT, len);
    assert_int_equal(size, len <= 125 ? 2 : len <= 65535 ? 4 : 10);
    assert_int_equal(head[0], 0x81);
    value = head[1];
    for (i = 2, value = size > 2 ? 0 : value; i < size; i++) {
      value = value << 8 | head[i];
    }
    assert_true(value == len);
  }
  sbk__ws_head(head, SBK__WS_BINARY, UINT64_C(0x0123456789abcdef));
  assert_memory_equal(head, "\x82\x7f\x01\x23\x45\x67\x89\xab\xcd\xef", 10);
}

static void control_frames_are_cut_at_125_bytes(void **state) {
  char payload[200];
  size_t len;

  (void)state;
  memset(payload, 'p', sizeof(payload));
  for (len = 123; len < 200; len++) {
    sbk_buf *frame =
        sbk__ws_control(sbk__mem_default(), SBK__WS_PONG, payload, len);
    const uint8_t *data = sbk_buf_data(frame);
    size_t most = len < 125 ? len : 125;

    assert_int_equal(sbk_buf_len(frame), 2 + most);
    assert_int_equal(data[0], 0x8a);
    assert_int_equal(data[1], most);
    assert_memory_equal(data + 2, payload, most);
    sbk_buf_unref(frame);
  }
}

static void a_close_has_a_code_and_a_reason(void **state) {
  sbk_buf *frame = sbk__ws_close(sbk__mem_default(), 1008, "too slow");

  (void)state;
  assert_int_equal(sbk_buf_len(frame), 12);
  assert_memory_equal(sbk_buf_data(frame), "\x88\x0a\x03\xf0too slow", 12);
  sbk_buf_unref(frame);
  frame = sbk__ws_close(sbk__mem_default(), 1000, NULL);
  assert_int_equal(sbk_buf_len(frame), 4);
  assert_memory_equal(sbk_buf_data(frame), "\x88\x02\x03\xe8", 4);
  sbk_buf_unref(frame);
  frame = sbk__ws_close(sbk__mem_default(), 1005, "never shown");
  assert_int_equal(sbk_buf_len(frame), 2);
  assert_memory_equal(sbk_buf_data(frame), "\x88\x00", 2);
  sbk_buf_unref(frame);
}

static void a_reason_is_cut_between_characters(void **state) {
  char text[260];
  size_t shift, i;

  (void)state;
  for (shift = 0; shift < 4; shift++) {
    sbk_buf *frame;
    uint16_t code;

    memset(text, 'x', shift);
    for (i = shift; i + 4 < sizeof(text); i += 4) {
      memcpy(text + i, "\xf0\x9f\x98\x80", 5);
    }
    frame = sbk__ws_close(sbk__mem_default(), 1008, text);
    assert_true(sbk_buf_len(frame) <= 127 && sbk_buf_len(frame) > 123);
    assert_int_equal(
        sbk__ws_check_close((const uint8_t *)sbk_buf_data(frame) + 2,
                            sbk_buf_len(frame) - 2, &code),
        SBK__FAULT_NONE);
    assert_int_equal(code, 1008);
    sbk_buf_unref(frame);
  }
}

static void a_reason_that_is_not_utf8_is_left_out(void **state) {
  sbk_buf *frame = sbk__ws_close(sbk__mem_default(), 1008, "\xff");

  (void)state;
  assert_int_equal(sbk_buf_len(frame), 4);
  sbk_buf_unref(frame);
}

static void gives_no_frame_without_memory(void **state) {
  struct failing_mem mem;

  (void)state;
  failing_mem_init(&mem);
  mem.fail_from = 0;
  assert_null(sbk__ws_close(&mem.mem, 1000, "x"));
  assert_null(sbk__ws_control(&mem.mem, SBK__WS_PING, NULL, 0));
}

/* ---- the payload of a Close ---- */

static bool code_allowed(unsigned code) {
  switch (code) {
  case 1000:
  case 1001:
  case 1002:
  case 1003:
  case 1007:
  case 1008:
  case 1009:
  case 1010:
  case 1011:
  case 1012:
  case 1013:
  case 1014:
    return true;
  default:
    return code >= 3000 && code <= 4999;
  }
}

static void knows_all_65536_close_codes(void **state) {
  uint8_t data[5] = {0, 0, 'o', 'k', '!'};
  unsigned value;
  uint16_t code;
  size_t len;

  (void)state;
  for (value = 0; value < 65536; value++) {
    data[0] = (uint8_t)(value >> 8);
    data[1] = (uint8_t)value;
    assert_int_equal(sbk__ws_check_close(data, 0, &code), SBK__FAULT_NONE);
    assert_int_equal(code, 1005);
    assert_int_equal(sbk__ws_check_close(data, 1, &code), SBK__FAULT_WS_CLOSE);
    for (len = 2; len <= sizeof(data); len++) {
      assert_int_equal(sbk__ws_check_close(data, len, &code),
                       code_allowed(value) ? SBK__FAULT_NONE
                                           : SBK__FAULT_WS_CLOSE);
      assert_int_equal(code, value);
    }
  }
}

static void refuses_a_close_reason_that_is_not_utf8(void **state) {
  uint16_t code;

  (void)state;
  assert_int_equal(
      sbk__ws_check_close((const uint8_t *)"\x03\xe8\xe2\x82\xac", 5, &code),
      SBK__FAULT_NONE);
  assert_int_equal(
      sbk__ws_check_close((const uint8_t *)"\x03\xe8\xe2\x82", 4, &code),
      SBK__FAULT_WS_UTF8);
  assert_int_equal(
      sbk__ws_check_close((const uint8_t *)"\x03\xe8\xc0\x80", 4, &code),
      SBK__FAULT_WS_UTF8);
}

/* ---- reading, case by case ---- */

/* The fault of one frame whose first two bytes these are. */
static enum sbk__fault fault_of(uint8_t first, uint8_t second) {
  uint8_t data[6] = {first, second};
  enum sbk__fault fault;
  struct reading r;

  begin(&r);
  feed(&r, data, sizeof(data));
  fault = r.fault;
  end(&r);

  return fault;
}

static void decides_every_first_byte_by_rfc_6455(void **state) {
  unsigned first;

  (void)state;
  for (first = 0; first < 256; first++) {
    unsigned opcode = first & 15;
    enum sbk__fault fault = fault_of((uint8_t)first, 0x80);

    if ((first & 0x70) != 0) {
      assert_int_equal(fault, SBK__FAULT_WS_RESERVED);
    } else if (opcode > 10 || (opcode > 2 && opcode < 8)) {
      assert_int_equal(fault, SBK__FAULT_WS_OPCODE);
    } else if (opcode == 0) {
      assert_int_equal(fault, SBK__FAULT_WS_ORDER);
    } else if (opcode >= 8 && first < 128) {
      assert_int_equal(fault, SBK__FAULT_WS_CONTROL);
    } else {
      assert_int_equal(fault, SBK__FAULT_NONE);
    }
  }
}

static void refuses_frames_without_a_mask_at_their_second_byte(void **state) {
  unsigned second;

  (void)state;
  for (second = 0; second < 128; second++) {
    struct reading r;
    uint8_t head[2] = {0x81, (uint8_t)second};

    begin(&r);
    assert_true(feed(&r, head, 1));
    assert_false(feed(&r, head + 1, 1));
    assert_int_equal(r.fault, SBK__FAULT_WS_UNMASKED);
    assert_int_equal(r.mem.calls, 0);
    end(&r);
  }
}

static void refuses_lengths_that_are_not_minimal(void **state) {
  static const struct {
    const char *head;
    size_t len;
    enum sbk__fault fault;
  } heads[] = {
      {"\x82\xfe\x00\x7d....", 8, SBK__FAULT_WS_LENGTH},
      {"\x82\xfe\x00\x7e....", 8, SBK__FAULT_NONE},
      {"\x82\xff\0\0\0\0\0\0\xff\xff....", 14, SBK__FAULT_WS_LENGTH},
      {"\x82\xff\0\0\0\0\0\1\0\0....", 14, SBK__FAULT_WS_MESSAGE_SIZE},
      {"\x82\xff\0\0\0\1\0\0\0\0....", 14, SBK__FAULT_WS_MESSAGE_SIZE},
      {"\x82\xff\x80\0\0\0\0\0\0\0....", 14, SBK__FAULT_WS_LENGTH},
      {"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff....", 14,
       SBK__FAULT_WS_LENGTH},
      {"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff....", 14,
       SBK__FAULT_WS_MESSAGE_SIZE},
      {"\x89\xfe\x00\x7e....", 8, SBK__FAULT_WS_CONTROL},
      {"\x89\xff\0\0\0\0\0\1\0\0....", 14, SBK__FAULT_WS_CONTROL},
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
    struct reading r;

    begin(&r);
    r.limits.max_message = 65535;
    feed(&r, heads[i].head, heads[i].len);
    assert_int_equal(r.fault, heads[i].fault);
    end(&r);
  }
}

/* What is announced takes no memory, and nothing is waited for. */
static void limits_messages_from_the_header_alone(void **state) {
  struct reading r;
  size_t len;

  (void)state;
  for (len = 65535; len <= 65537; len++) {
    static const uint8_t zeros[70000];

    stream.len = 0;
    put(&stream, 0x82, zeros, len);
    begin(&r);
    feed(&r, stream.data, len < 65536 ? 8 : 14);
    assert_int_equal(r.fault, len <= 65536 ? SBK__FAULT_NONE
                                           : SBK__FAULT_WS_MESSAGE_SIZE);
    assert_true(r.mem.peak <= 8192);
    end(&r);
    begin(&r);
    feed(&r, stream.data, stream.len);
    assert_int_equal(r.messages, len <= 65536);
    end(&r);
  }
}

static void limits_messages_over_all_their_fragments(void **state) {
  struct reading r;
  size_t last;

  (void)state;
  for (last = 49; last <= 51; last++) {
    char text[60];

    memset(text, 'x', sizeof(text));
    stream.len = 0;
    put(&stream, 0x02, text, 50);
    put(&stream, 0x89, text, 50); /* a ping does not count */
    put(&stream, 0x80, text, last);
    put(&stream, 0x82, text, 60); /* nor does the message before */
    begin(&r);
    r.limits.max_message = 100;
    assert_int_equal(feed(&r, stream.data, stream.len), last <= 50);
    assert_int_equal(r.fault,
                     last <= 50 ? SBK__FAULT_NONE : SBK__FAULT_WS_MESSAGE_SIZE);
    assert_int_equal(r.messages, last <= 50 ? 2 : 0);
    end(&r);
  }
}

static void limits_fragments_below_at_and_above(void **state) {
  struct reading r;
  size_t count, i;

  (void)state;
  for (count = 1023; count <= 1025; count++) {
    stream.len = 0;
    for (i = 0; i < count; i++) {
      put(&stream, i == 0 ? 0x01 : i == count - 1 ? 0x80 : 0x00, "x", 1);
    }
    begin(&r);
    assert_int_equal(feed(&r, stream.data, stream.len), count <= 1024);
    assert_int_equal(r.fault,
                     count <= 1024 ? SBK__FAULT_NONE : SBK__FAULT_WS_FRAGMENTS);
    end(&r);
  }
}

static void limits_empty_fragments_in_a_row(void **state) {
  struct reading r;
  size_t count, i, rows;

  (void)state;
  for (count = 7; count <= 9; count++) {
    stream.len = 0;
    put(&stream, 0x01, "a", 1);
    for (rows = 0; rows < 3; rows++) {
      for (i = 0; i < count; i++) {
        put(&stream, 0x00, NULL, 0);
      }
      put(&stream, 0x00, "b", 1);
    }
    put(&stream, 0x80, "c", 1);
    begin(&r);
    assert_int_equal(feed(&r, stream.data, stream.len), count <= 8);
    if (count <= 8) {
      assert_trace(&r, "T(abbbc)");
    } else {
      assert_int_equal(r.fault, SBK__FAULT_WS_FRAGMENTS);
    }
    end(&r);
  }
}

static void control_frames_may_stand_between_fragments(void **state) {
  struct reading r;

  (void)state;
  stream.len = 0;
  put(&stream, 0x01, "He", 2);
  put(&stream, 0x89, "ping", 4);
  put(&stream, 0x00, "l", 1);
  put(&stream, 0x8a, NULL, 0);
  put(&stream, 0x80, "lo", 2);
  put(&stream, 0x88, "\x03\xe8", 2);
  begin(&r);
  assert_true(feed(&r, stream.data, stream.len));
  assert_trace(&r, "T(He<9:ping>l<10:>lo)<8:\x03\xe8>");
  end(&r);
}

static void refuses_fragments_out_of_order(void **state) {
  struct reading r;

  (void)state;
  stream.len = 0;
  put(&stream, 0x80, "x", 1);
  begin(&r);
  feed(&r, stream.data, stream.len);
  assert_int_equal(r.fault, SBK__FAULT_WS_ORDER);
  end(&r);

  stream.len = 0;
  put(&stream, 0x01, "x", 1);
  put(&stream, 0x81, "y", 1);
  begin(&r);
  feed(&r, stream.data, stream.len);
  assert_int_equal(r.fault, SBK__FAULT_WS_ORDER);
  end(&r);
}

static void looks_at_utf8_across_any_split(void **state) {
  static const struct {
    const char *text;
    bool good;
  } texts[] = {
      {"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", true},
      {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true},
      {"\xce\xba\xe1\xbd\xb9\xed\xa0\x80", false},
      {"a\xc0\xaf", false},
      {"ab\xf4\x90\x80\x80", false},
      {"abc\xe2\x82", false},
      {"\x80", false},
  };
  size_t i, cut, byte;

  (void)state;
  for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    size_t len = strlen(texts[i].text);

    for (cut = 0; cut <= len; cut++) {
      struct reading r;

      stream.len = 0;
      put(&stream, 0x01, texts[i].text, cut);
      put(&stream, 0x89, "\xff", 1); /* pings may hold anything */
      put(&stream, 0x80, texts[i].text + cut, len - cut);
      begin(&r);
      for (byte = 0; byte < stream.len; byte++) {
        feed(&r, stream.data + byte, 1);
      }
      assert_int_equal(r.fault,
                       texts[i].good ? SBK__FAULT_NONE : SBK__FAULT_WS_UTF8);
      assert_int_equal(r.messages, texts[i].good);
      end(&r);

      stream.data[0] = 0x02; /* binary is nobody's text */
      begin(&r);
      assert_true(feed(&r, stream.data, stream.len));
      end(&r);
    }
  }
}

static void broken_utf8_is_refused_before_the_frame_is_whole(void **state) {
  struct reading r;

  (void)state;
  stream.len = 0;
  put(&stream, 0x81, "ok\xff and much more", 17);
  begin(&r);
  assert_true(feed(&r, stream.data, 8));
  assert_false(feed(&r, stream.data + 8, 1));
  assert_int_equal(r.fault, SBK__FAULT_WS_UTF8);
  end(&r);
}

static void unmasks_with_every_key(void **state) {
  uint32_t random = 3;
  size_t round, i;

  (void)state;
  for (round = 0; round < 200; round++) {
    uint8_t data[64], key[4];
    struct reading r;

    for (i = 0; i < 4; i++) {
      key[i] = (uint8_t)test_random(&random);
    }
    data[0] = 0x82;
    data[1] = 0x80 | 11;
    memcpy(data + 2, key, 4);
    for (i = 0; i < 11; i++) {
      data[6 + i] = (uint8_t)("hello world"[i] ^ key[i % 4]);
    }
    begin(&r);
    for (i = 0; i < 17;) {
      size_t step = 1 + test_random(&random) % 5;

      step = step < 17 - i ? step : 17 - i;
      feed(&r, data + i, step);
      i += step;
    }
    assert_trace(&r, "B(hello world)");
    end(&r);
  }
}

static void an_idle_reader_holds_no_memory(void **state) {
  sbk__ws_reader readers[20];
  struct reading r;
  sbk__ws_event event;
  size_t i, used;

  (void)state;
  begin(&r);
  stream.len = 0;
  put(&stream, 0x81, "text", 4);
  memset(readers, 0, sizeof(readers));
  for (i = 0; i < 20; i++) {
    assert_int_equal(
        sbk__ws_read(&readers[i], &r.pool,
                     &(sbk__ws_limits){r.limits.max_message,
                                       r.limits.max_fragments,
                                       r.limits.max_empty_fragments},
                     stream.data, stream.len - 1, &used, &event),
        SBK__FAULT_NONE);
    assert_non_null(readers[i].context);
  }
  for (i = 0; i < 20; i++) {
    assert_int_equal(
        sbk__ws_read(&readers[i], &r.pool,
                     &(sbk__ws_limits){r.limits.max_message,
                                       r.limits.max_fragments,
                                       r.limits.max_empty_fragments},
                     stream.data + stream.len - 1, 1, &used, &event),
        SBK__FAULT_NONE);
    assert_true(event.end);
    assert_int_equal(event.len, 1);
    assert_memory_equal(event.data, "t", 1);
    assert_null(readers[i].context);
  }
  /* Few are kept for whoever comes next. */
  assert_true(r.mem.blocks <= 8);
  end(&r);
}

static void a_reader_that_ends_in_a_frame_gives_all_back(void **state) {
  struct reading r;
  size_t cut;

  (void)state;
  stream.len = 0;
  put(&stream, 0x01, "abc", 3);
  put(&stream, 0x89, "ping", 4);
  put(&stream, 0x80, "abc", 3);
  for (cut = 0; cut <= stream.len; cut++) {
    begin(&r);
    assert_true(feed(&r, stream.data, cut));
    sbk__ws_clear(&r.reader, &r.pool);
    /* And begins anew. */
    assert_true(feed(&r, stream.data, stream.len));
    end(&r);
  }
}

static void says_so_when_memory_ends(void **state) {
  struct reading r;

  (void)state;
  stream.len = 0;
  put(&stream, 0x81, "abc", 3);
  begin(&r);
  r.mem.fail_from = 0;
  assert_false(feed(&r, stream.data, stream.len));
  assert_int_equal(r.fault, SBK__FAULT_NOMEM);
  end(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_a_plain_reader_reads),
      cmocka_unit_test(refuses_what_a_plain_reader_refuses),
      cmocka_unit_test(writes_heads_as_wslay_does),
      cmocka_unit_test(writes_every_length_up_to_70000),
      cmocka_unit_test(control_frames_are_cut_at_125_bytes),
      cmocka_unit_test(a_close_has_a_code_and_a_reason),
      cmocka_unit_test(a_reason_is_cut_between_characters),
      cmocka_unit_test(a_reason_that_is_not_utf8_is_left_out),
      cmocka_unit_test(gives_no_frame_without_memory),
      cmocka_unit_test(knows_all_65536_close_codes),
      cmocka_unit_test(refuses_a_close_reason_that_is_not_utf8),
      cmocka_unit_test(decides_every_first_byte_by_rfc_6455),
      cmocka_unit_test(refuses_frames_without_a_mask_at_their_second_byte),
      cmocka_unit_test(refuses_lengths_that_are_not_minimal),
      cmocka_unit_test(limits_messages_from_the_header_alone),
      cmocka_unit_test(limits_messages_over_all_their_fragments),
      cmocka_unit_test(limits_fragments_below_at_and_above),
      cmocka_unit_test(limits_empty_fragments_in_a_row),
      cmocka_unit_test(control_frames_may_stand_between_fragments),
      cmocka_unit_test(refuses_fragments_out_of_order),
      cmocka_unit_test(looks_at_utf8_across_any_split),
      cmocka_unit_test(broken_utf8_is_refused_before_the_frame_is_whole),
      cmocka_unit_test(unmasks_with_every_key),
      cmocka_unit_test(an_idle_reader_holds_no_memory),
      cmocka_unit_test(a_reader_that_ends_in_a_frame_gives_all_back),
      cmocka_unit_test(says_so_when_memory_ends),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
