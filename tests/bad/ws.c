#include "bad.h"

#include <stdlib.h>

/*
 * Frames of WebSocket (RFC 6455, chapter 5 to 8; BEHAVIOUR 1 and 11): what ends
 * with which Close, and beside it what looks like it and is well.
 */

#define CONNECTED "CONNECT\naccept-version:1.2\n\n^"

/* Frames that are put together. */
struct frames {
  uint8_t bytes[4096];
  size_t len;
};

enum { CONT = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };
enum { FIN = 0x80 };

static void put(struct frames *f, const void *data, size_t len) {
  if (f->len + len > sizeof(f->bytes)) {
    printf("Bail out! frames longer than any vector has\n");
    exit(1);
  }
  memcpy(f->bytes + f->len, data, len);
  f->len += len;
}

/* form: 7, 16 or 64 bits. */
static void put_head(struct frames *f, int first, bool masked, int form,
                     uint64_t len) {
  uint8_t head[10] = {(uint8_t)first};
  size_t i, size = form == 7 ? 0 : form == 16 ? 2 : 8;

  head[1] = (uint8_t)(form == 7 ? len : form == 16 ? 126 : 127);
  for (i = size; i > 0; i--) {
    head[1 + i] = (uint8_t)len;
    len >>= 8;
  }
  head[1] = (uint8_t)(head[1] | (masked ? 0x80 : 0));
  put(f, head, 2 + size);
}

static void put_payload(struct frames *f, bool masked, const void *data,
                        size_t len) {
  static const uint8_t key[] = {0x37, 0xfa, 0x21, 0x3d};
  const uint8_t *bytes = data;
  uint8_t masked_byte;
  size_t i;

  if (!masked) {
    put(f, data, len);
    return;
  }
  put(f, key, 4);
  for (i = 0; i < len; i++) {
    masked_byte = bytes[i] ^ key[i % 4];
    put(f, &masked_byte, 1);
  }
}

static void put_frame(struct frames *f, int first, const void *data,
                      size_t len) {
  put_head(f, first, true, len < 126 ? 7 : 16, len);
  put_payload(f, true, data, len);
}

/* A text, '^' for NUL. */
static void put_text(struct frames *f, int first, const char *text) {
  char bytes[1024];
  size_t i, len = strlen(text);

  for (i = 0; i < len; i++) {
    bytes[i] = text[i] == '^' ? '\0' : text[i];
  }
  put_frame(f, first, bytes, len);
}

static void put_close(struct frames *f, int code, const void *text,
                      size_t len) {
  uint8_t payload[125] = {(uint8_t)(code >> 8), (uint8_t)code};

  if (len > 0) {
    memcpy(payload + 2, text, len);
  }
  put_frame(f, FIN | CLOSE, payload, 2 + len);
}

static void play(const char *name, const struct frames *f, const char *out,
                 int error, enum bad_end end) {
  const struct bad_vector v = {.name = name,
                               .way = BAD_WS,
                               .before = CONNECTED,
                               .bytes = f->bytes,
                               .len = f->len,
                               .out = out,
                               .reason = error,
                               .end = end};

  bad_play(&v);
}

/* The framing is broken: a Close, and nothing that STOMP has to say. */
static void broken(const char *name, const struct frames *f,
                   const char *close) {
  play(name, f, close, SBK_ERR_WEBSOCKET, LINGERS);
}

static void well(const char *name, const struct frames *f, const char *out) {
  play(name, f, out, 0, GOES_ON);
}

#define RESERVED  "<close 1002 reserved bits are set>"
#define UNMASKED  "<close 1002 frame without a mask>"
#define OPCODE    "<close 1002 unknown opcode>"
#define LENGTH    "<close 1002 frame length is malformed>"
#define CONTROL   "<close 1002 control frame too long or fragmented>"
#define ORDER     "<close 1002 fragments out of order>"
#define BAD_CLOSE "<close 1002 malformed close frame>"
#define NO_UTF8   "<close 1007 text is not UTF-8>"

static const struct {
  const char *name;
  int opcode;
} opcodes[] = {{"a continuation", CONT}, {"a text", TEXT}, {"a binary", BINARY},
               {"a Close", CLOSE},       {"a Ping", PING}, {"a Pong", PONG}};

/* ---- the first two bytes ---- */

static void reserved_opcodes(void) {
  static const int reserved[] = {3, 4, 5, 6, 7, 11, 12, 13, 14, 15};
  char name[100];
  size_t i, how;

  for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
    for (how = 0; how < 4; how++) {
      struct frames f = {.len = 0};
      const bool masked = (how & 1) == 0, fin = (how & 2) == 0;

      put_head(&f, (fin ? FIN : 0) | reserved[i], masked, 7, 5);
      put_payload(&f, masked, "hello", 5);
      snprintf(name, sizeof(name), "ws: opcode %d, %s, %s", reserved[i],
               masked ? "masked" : "unmasked", fin ? "final" : "fragment");
      broken(name, &f, masked ? OPCODE : UNMASKED);
    }
  }
}

static void reserved_bits(void) {
  char name[100];
  size_t i;
  int bits;

  for (i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
    for (bits = 1; bits < 8; bits++) {
      struct frames f = {.len = 0};

      put_frame(&f, FIN | bits << 4 | opcodes[i].opcode, "hello", 5);
      snprintf(name, sizeof(name), "ws: RSV %d%d%d on %s", bits >> 2,
               bits >> 1 & 1, bits & 1, opcodes[i].name);
      broken(name, &f, RESERVED);
    }
  }
}

/* RFC 6455, 5.1, whatever else it is. */
static void unmasked(void) {
  static const struct {
    const char *name;
    int form;
    size_t len;
  } sizes[] = {{"empty", 7, 0},
               {"short", 7, 5},
               {"of 16 bits", 16, 126},
               {"of 64 bits", 64, 65536}};
  static const char payload[126] = "";
  char name[100];
  size_t i, j;

  for (i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
    for (j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
      struct frames f = {.len = 0};

      put_head(&f, FIN | opcodes[i].opcode, false, sizes[j].form, sizes[j].len);
      put(&f, payload, sizes[j].len < 126 ? sizes[j].len : 126);
      snprintf(name, sizeof(name), "ws: %s without a mask, %s", opcodes[i].name,
               sizes[j].name);
      broken(name, &f, UNMASKED);
    }
  }
}

/* ---- lengths ---- */

static void lengths(void) {
  static const struct {
    const char *name;
    int form;
    uint64_t len;
  } wrong[] = {
      {"0 in 16 bits", 16, 0},
      {"1 in 16 bits", 16, 1},
      {"125 in 16 bits", 16, 125},
      {"0 in 64 bits", 64, 0},
      {"125 in 64 bits", 64, 125},
      {"126 in 64 bits", 64, 126},
      {"65535 in 64 bits", 64, 65535},
      {"2^63", 64, UINT64_C(1) << 63},
      {"2^63 and 5", 64, (UINT64_C(1) << 63) + 5},
      {"2^64 - 1", 64, UINT64_MAX},
  };
  char name[100];
  size_t i, j;

  for (i = 1; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
    for (j = 0; j < sizeof(wrong) / sizeof(wrong[0]); j++) {
      struct frames f = {.len = 0};

      put_head(&f, FIN | opcodes[i].opcode, true, wrong[j].form, wrong[j].len);
      put_payload(&f, true, "hello", 5);
      snprintf(name, sizeof(name), "ws: %s of %s", opcodes[i].name,
               wrong[j].name);
      broken(name, &f, LENGTH);
    }
  }
}

/* What is too big is told in STOMP too; decided at the header. */
static void sizes(void) {
  static const struct {
    const char *name;
    uint64_t len;
  } over[] = {{"65537", 65537},
              {"2^31 - 1", INT32_MAX},
              {"2^31", UINT64_C(1) << 31},
              {"2^32 - 1", UINT32_MAX},
              {"2^32", UINT64_C(1) << 32},
              {"2^32 and 5", (UINT64_C(1) << 32) + 5},
              {"2^63 - 1", INT64_MAX}};
  char name[100];
  size_t i, j;

  for (i = 1; i < 3; i++) {
    for (j = 0; j < sizeof(over) / sizeof(over[0]); j++) {
      struct frames f = {.len = 0};

      put_head(&f, FIN | opcodes[i].opcode, true, 64, over[j].len);
      put_payload(&f, true, "hello", 5);
      snprintf(name, sizeof(name), "ws: %s of %s, which is too long",
               opcodes[i].name, over[j].name);
      play(name, &f,
           "ERROR\nmessage:message over max_message\n\n^"
           "<close 1009 message over max_message>",
           SBK_ERR_TOO_BIG, LINGERS);
    }
  }
}

static void a_sum_that_is_too_long(void) {
  static const uint64_t more[] = {65532, UINT64_C(1) << 32,
                                  INT64_MAX - (int64_t)4};
  char name[100];
  size_t i;

  for (i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
    struct frames f = {.len = 0};

    put_frame(&f, TEXT, "SEND\n", 5);
    put_head(&f, FIN | CONT, true, more[i] < 65536 ? 16 : 64, more[i]);
    put_payload(&f, true, "x", 1);
    snprintf(name, sizeof(name), "ws: a continuation of %llu behind 5",
             (unsigned long long)more[i]);
    play(name, &f,
         "ERROR\nmessage:message over max_message\n\n^"
         "<close 1009 message over max_message>",
         SBK_ERR_TOO_BIG, LINGERS);
  }
}

/* ---- control frames ---- */

static void control_frames(void) {
  static const char payload[200] = "";
  static const size_t too_long[] = {126, 127, 128, 200};
  char name[100], out[160];
  size_t i, j;

  for (i = 3; i < 6; i++) {
    for (j = 0; j < 4; j++) {
      struct frames f = {.len = 0};

      put_frame(&f, FIN | opcodes[i].opcode, payload, too_long[j]);
      snprintf(name, sizeof(name), "ws: %s of %zu bytes", opcodes[i].name,
               too_long[j]);
      broken(name, &f, CONTROL);
    }
    for (j = 0; j < 2; j++) {
      struct frames f = {.len = 0};

      put_frame(&f, opcodes[i].opcode, "\x03\xe8", j * 2);
      snprintf(name, sizeof(name), "ws: %s that is a fragment, %s",
               opcodes[i].name, j == 0 ? "empty" : "with a payload");
      broken(name, &f, CONTROL);
    }
    {
      struct frames f = {.len = 0};

      put_head(&f, FIN | opcodes[i].opcode, true, 64, 65536);
      put_payload(&f, true, payload, 100);
      snprintf(name, sizeof(name), "ws: %s of 65536 bytes", opcodes[i].name);
      broken(name, &f, CONTROL);
    }
    {
      struct frames f = {.len = 0};

      put_text(&f, TEXT, "SEND\n");
      put_frame(&f, opcodes[i].opcode, NULL, 0);
      snprintf(name, sizeof(name), "ws: %s that is a fragment, within a text",
               opcodes[i].name);
      broken(name, &f, CONTROL);
    }
  }
  {
    struct frames f = {.len = 0};

    put_frame(&f, FIN | PING, NULL, 0);
    well("ws: an empty Ping is well", &f, "<pong >");
  }
  {
    struct frames f = {.len = 0};

    put_frame(&f, FIN | PING, payload, 125);
    memset(out, '^', sizeof(out));
    memcpy(out, "<pong ", 6);
    strcpy(out + 6 + 125, ">");
    well("ws: a Ping of 125 bytes is well", &f, out);
  }
  {
    struct frames f = {.len = 0};

    put_frame(&f, FIN | PING, "\xff\xfe", 2);
    well("ws: a Ping is no text", &f, "<pong \xff\xfe>");
  }
  {
    struct frames f = {.len = 0};

    put_frame(&f, FIN | PING, "old", 3);
    put_frame(&f, FIN | PING, "new", 3);
    well("ws: of two Pings each is answered", &f, "<pong old><pong new>");
  }
  {
    struct frames f = {.len = 0};

    put_frame(&f, FIN | PONG, "hello", 5);
    well("ws: a Pong that nobody asked for is nothing", &f, "");
  }
  {
    struct frames f = {.len = 0};

    put_text(&f, TEXT, "SEND\ndestination:/qu");
    put_frame(&f, FIN | PING, "in", 2);
    put_text(&f, CONT, "iet/x\nreceipt:r\n");
    put_frame(&f, FIN | PONG, NULL, 0);
    put_text(&f, FIN | CONT, "\n^");
    well("ws: control frames between fragments are well", &f,
         "<pong in>RECEIPT\nreceipt-id:r\n\n^");
  }
}

/* ---- fragments ---- */

/* Each step is a frame: T, B, C begin, t, b, c end a message; P is a Ping. */
static void put_steps(struct frames *f, const char *steps) {
  for (; *steps != '\0'; steps++) {
    switch (*steps) {
    case 'T':
    case 'B':
      put_frame(f, *steps == 'T' ? TEXT : BINARY, "\n", 1);
      break;
    case 't':
    case 'b':
      put_frame(f, FIN | (*steps == 't' ? TEXT : BINARY), "\n", 1);
      break;
    case 'C':
    case 'c':
      put_frame(f, (*steps == 'c' ? FIN : 0) | CONT, "\n", 1);
      break;
    case 'P':
      put_frame(f, FIN | PING, NULL, 0);
      break;
    default:
      put_frame(f, (*steps == '1' ? FIN : 0) | CONT, NULL, 0);
      break;
    }
  }
}

static void fragments(void) {
  static const struct {
    const char *name;
    const char *steps;
    const char *out;
  } orders[] = {
      {"a continuation of nothing", "c", ORDER},
      {"a continuation of nothing, and more", "C", ORDER},
      {"an empty continuation of nothing", "1", ORDER},
      {"an empty continuation of nothing, and more", "0", ORDER},
      {"a continuation behind a text that is whole", "tc", ORDER},
      {"a continuation behind a binary that is whole", "bc", ORDER},
      {"a continuation behind a message of two", "Tcc", ORDER},
      {"a continuation behind a message of three", "TCcC", ORDER},
      {"a continuation behind a Ping", "Pc", "<pong >" ORDER},
      {"a text within a text", "Tt", ORDER},
      {"a text that goes on within a text", "TT", ORDER},
      {"a binary within a text", "Tb", ORDER},
      {"a text within a binary", "Bt", ORDER},
      {"a binary within a binary", "Bb", ORDER},
      {"a binary that goes on within a binary", "BB", ORDER},
      {"a text behind a fragment", "TCt", ORDER},
      {"a text behind a fragment and a Ping", "TPt", "<pong >" ORDER},
      {"a text behind an empty fragment", "T0t", ORDER},
      {"a message of three, then a text, then nothing", "TCct1", ORDER},
      {"two messages of two are well", "TcBc", ""},
      {"an empty end is well", "T1t", ""},
  };
  char name[100];
  size_t i;

  for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
    struct frames f = {.len = 0};

    put_steps(&f, orders[i].steps);
    snprintf(name, sizeof(name), "ws: %s", orders[i].name);
    if (strstr(orders[i].out, "<close") != NULL) {
      broken(name, &f, orders[i].out);
    } else {
      well(name, &f, orders[i].out);
    }
  }
}

/* ---- text ---- */

/* Unicode, Table 3-7: what is not in it. */
static const struct {
  const char *name;
  const char *text;
} malformed[] = {
    {"80: a continuation alone", "\x80"},
    {"bf: a continuation alone", "\xbf"},
    {"80 80: two continuations", "\x80\x80"},
    {"c0 80: overlong NUL", "\xc0\x80"},
    {"c0 af: overlong slash", "\xc0\xaf"},
    {"c0 8a: overlong LF", "\xc0\x8a"},
    {"c1 bf: overlong DEL", "\xc1\xbf"},
    {"c0: alone", "\xc0x"},
    {"c1: alone", "\xc1x"},
    {"c2: without a continuation", "\xc2x"},
    {"c2 7f: below a continuation", "\xc2\x7f"},
    {"c2 c0: above a continuation", "\xc2\xc0"},
    {"df: without a continuation", "\xdfx"},
    {"df 7f: below a continuation", "\xdf\x7f"},
    {"df c0: above a continuation", "\xdf\xc0"},
    {"c2 80 80: a continuation too many", "\xc2\x80\x80"},
    {"e0 80 80: overlong in three", "\xe0\x80\x80"},
    {"e0 80 af: overlong slash in three", "\xe0\x80\xaf"},
    {"e0 9f bf: the last overlong one in three", "\xe0\x9f\xbf"},
    {"e0 c0 80: above the second", "\xe0\xc0\x80"},
    {"e0 a0: without the third", "\xe0\xa0x"},
    {"e0 a0 7f: below the third", "\xe0\xa0\x7f"},
    {"e0 a0 c0: above the third", "\xe0\xa0\xc0"},
    {"e1 7f 80: below the second", "\xe1\x7f\x80"},
    {"e1 c0 80: above the second", "\xe1\xc0\x80"},
    {"e1: alone", "\xe1x"},
    {"e1 80: without the third", "\xe1\x80x"},
    {"ec 80 7f: below the third", "\xec\x80\x7f"},
    {"ed a0 80: the first surrogate", "\xed\xa0\x80"},
    {"ed ad bf: the last private high surrogate but some", "\xed\xad\xbf"},
    {"ed af bf: the last high surrogate", "\xed\xaf\xbf"},
    {"ed b0 80: the first low surrogate", "\xed\xb0\x80"},
    {"ed bf bf: the last surrogate", "\xed\xbf\xbf"},
    {"ed a0 bd ed b8 80: a pair of surrogates", "\xed\xa0\xbd\xed\xb8\x80"},
    {"ed 7f 80: below the second", "\xed\x7f\x80"},
    {"ee 7f 80: below the second", "\xee\x7f\x80"},
    {"ef bf: without the third", "\xef\xbfx"},
    {"ef bf c0: above the third", "\xef\xbf\xc0"},
    {"ef c0 80: above the second", "\xef\xc0\x80"},
    {"f0 80 80 80: overlong in four", "\xf0\x80\x80\x80"},
    {"f0 80 80 af: overlong slash in four", "\xf0\x80\x80\xaf"},
    {"f0 8f bf bf: the last overlong one in four", "\xf0\x8f\xbf\xbf"},
    {"f0 c0 80 80: above the second", "\xf0\xc0\x80\x80"},
    {"f0 90: without the third", "\xf0\x90x"},
    {"f0 90 80: without the fourth", "\xf0\x90\x80x"},
    {"f0 90 7f 80: below the third", "\xf0\x90\x7f\x80"},
    {"f0 90 c0 80: above the third", "\xf0\x90\xc0\x80"},
    {"f0 90 80 7f: below the fourth", "\xf0\x90\x80\x7f"},
    {"f0 90 80 c0: above the fourth", "\xf0\x90\x80\xc0"},
    {"f1 7f 80 80: below the second", "\xf1\x7f\x80\x80"},
    {"f3 c0 80 80: above the second", "\xf3\xc0\x80\x80"},
    {"f4 90 80 80: U+110000", "\xf4\x90\x80\x80"},
    {"f4 bf bf bf: U+13FFFF", "\xf4\xbf\xbf\xbf"},
    {"f4 7f 80 80: below the second", "\xf4\x7f\x80\x80"},
    {"f5 80 80 80: U+140000", "\xf5\x80\x80\x80"},
    {"f7 bf bf bf: U+1FFFFF", "\xf7\xbf\xbf\xbf"},
    {"f8 88 80 80 80: five bytes", "\xf8\x88\x80\x80\x80"},
    {"fb bf bf bf bf: five bytes", "\xfb\xbf\xbf\xbf\xbf"},
    {"fc 84 80 80 80 80: six bytes", "\xfc\x84\x80\x80\x80\x80"},
    {"fd bf bf bf bf bf: six bytes", "\xfd\xbf\xbf\xbf\xbf\xbf"},
    {"fe", "\xfe"},
    {"ff", "\xff"},
    {"fe ff: a mark of UTF-16", "\xfe\xff"},
};

/* The edges of Table 3-7 from within. */
static const struct {
  const char *name;
  const char *text;
} formed[] = {
    {"7f", "\x7f"},
    {"c2 80", "\xc2\x80"},
    {"df bf", "\xdf\xbf"},
    {"e0 a0 80", "\xe0\xa0\x80"},
    {"e0 bf bf", "\xe0\xbf\xbf"},
    {"e1 80 80", "\xe1\x80\x80"},
    {"ec bf bf", "\xec\xbf\xbf"},
    {"ed 80 80", "\xed\x80\x80"},
    {"ed 9f bf, before the surrogates", "\xed\x9f\xbf"},
    {"ee 80 80, behind them", "\xee\x80\x80"},
    {"ef bb bf, a mark of UTF-8", "\xef\xbb\xbf"},
    {"ef bf be, no character", "\xef\xbf\xbe"},
    {"ef bf bf, no character", "\xef\xbf\xbf"},
    {"f0 90 80 80", "\xf0\x90\x80\x80"},
    {"f0 bf bf bf", "\xf0\xbf\xbf\xbf"},
    {"f1 80 80 80", "\xf1\x80\x80\x80"},
    {"f3 bf bf bf", "\xf3\xbf\xbf\xbf"},
    {"f4 80 80 80", "\xf4\x80\x80\x80"},
    {"f4 8f bf bf, the last", "\xf4\x8f\xbf\xbf"},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void malformed_texts(void) {
  char name[120], text[200];
  size_t i;

  for (i = 0; i < COUNT(malformed); i++) {
    struct frames f = {.len = 0};

    snprintf(text, sizeof(text), "SEND\ndestination:/topic/evil\n\n%s^",
             malformed[i].text);
    put_text(&f, FIN | TEXT, text);
    snprintf(name, sizeof(name), "ws text: %s", malformed[i].name);
    broken(name, &f, NO_UTF8);
  }
  for (i = 0; i < COUNT(malformed); i++) {
    struct frames f = {.len = 0};

    put_close(&f, 1000, malformed[i].text, strlen(malformed[i].text));
    snprintf(name, sizeof(name), "ws reason: %s", malformed[i].name);
    broken(name, &f, NO_UTF8);
  }
  /* The fragments' border is none of a character's. */
  for (i = 0; i < COUNT(malformed); i++) {
    struct frames f = {.len = 0};

    put_text(&f, TEXT, "SEND\ndestination:/topic/evil\n\n");
    put_frame(&f, CONT, malformed[i].text, 1);
    put_frame(&f, CONT, malformed[i].text + 1, strlen(malformed[i].text) - 1);
    put_text(&f, FIN | CONT, "x^");
    snprintf(name, sizeof(name), "ws fragments: %s", malformed[i].name);
    broken(name, &f, NO_UTF8);
  }
}

static void formed_texts(void) {
  char name[120], text[200];
  size_t i;

  for (i = 0; i < COUNT(formed); i++) {
    struct frames f = {.len = 0};

    snprintf(text, sizeof(text),
             "SEND\ndestination:/quiet/x\nreceipt:%s\n\n%s^", formed[i].text,
             formed[i].text);
    put_text(&f, FIN | TEXT, text);
    snprintf(name, sizeof(name), "ws text: %s is well", formed[i].name);
    snprintf(text, sizeof(text), "RECEIPT\nreceipt-id:%s\n\n^", formed[i].text);
    well(name, &f, text);
  }
  for (i = 0; i < COUNT(formed); i++) {
    struct frames f = {.len = 0};

    put_close(&f, 1000, formed[i].text, strlen(formed[i].text));
    snprintf(name, sizeof(name), "ws reason: %s is well", formed[i].name);
    play(name, &f, "<close 1000>", 0, ENDS);
  }
}

/* A character that its message does not end. */
static void unfinished_texts(void) {
  static const struct {
    const char *name;
    const char *text;
  } halves[] = {
      {"c2", "\xc2"},        {"e0", "\xe0"},
      {"e0 a0", "\xe0\xa0"}, {"ed 9f", "\xed\x9f"},
      {"ef bf", "\xef\xbf"}, {"f0", "\xf0"},
      {"f0 90", "\xf0\x90"}, {"f0 90 80", "\xf0\x90\x80"},
      {"f4 8f", "\xf4\x8f"}, {"f4 8f bf", "\xf4\x8f\xbf"},
  };
  char name[120];
  size_t i;

  for (i = 0; i < COUNT(halves); i++) {
    struct frames f = {.len = 0};

    put_frame(&f, FIN | TEXT, halves[i].text, strlen(halves[i].text));
    snprintf(name, sizeof(name), "ws text: %s and no more", halves[i].name);
    broken(name, &f, NO_UTF8);
  }
  for (i = 0; i < COUNT(halves); i++) {
    struct frames f = {.len = 0};

    put_text(&f, TEXT, "SEND\n");
    put_frame(&f, CONT, halves[i].text, strlen(halves[i].text));
    put_frame(&f, FIN | CONT, NULL, 0);
    snprintf(name, sizeof(name), "ws fragments: %s and an empty end",
             halves[i].name);
    broken(name, &f, NO_UTF8);
  }
  for (i = 0; i < COUNT(halves); i++) {
    struct frames f = {.len = 0};

    put_close(&f, 1000, halves[i].text, strlen(halves[i].text));
    snprintf(name, sizeof(name), "ws reason: %s and no more", halves[i].name);
    broken(name, &f, NO_UTF8);
  }
  /* Binary messages are no text: any bytes. */
  for (i = 0; i < COUNT(halves); i++) {
    struct frames f = {.len = 0};

    put_text(&f, BINARY, "SEND\ndestination:/quiet/x\n\n");
    put_frame(&f, CONT, halves[i].text, strlen(halves[i].text));
    put_text(&f, FIN | CONT, "^");
    snprintf(name, sizeof(name), "ws binary: %s is well", halves[i].name);
    well(name, &f, "");
  }
}

/* ---- Close ---- */

/* RFC 6455, 7.4, and IANA's registry: 1012 to 1014 came later. */
static bool is_code(int code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

static struct bad_vector close_vector(struct frames *f, char out[64],
                                      int code) {
  const int reason = !is_code(code)                 ? SBK_ERR_WEBSOCKET
                     : code == 1000 || code == 1001 ? 0
                                                    : SBK_ERR_EOF;

  snprintf(out, 64, is_code(code) ? "<close %d>" : BAD_CLOSE, code);
  f->len = 0;
  put_close(f, code, NULL, 0);

  return (struct bad_vector){.way = BAD_WS,
                             .before = CONNECTED,
                             .bytes = f->bytes,
                             .len = f->len,
                             .out = out,
                             .reason = reason,
                             .end = is_code(code) ? ENDS : LINGERS};
}

static void close_codes(void) {
  static const int edges[] = {
      0,    1,    100,  256,  998,  999,  1000,  1001,  1002,  1003,
      1004, 1005, 1006, 1007, 1008, 1009, 1010,  1011,  1012,  1013,
      1014, 1015, 1016, 1099, 1100, 1999, 2000,  2998,  2999,  3000,
      3001, 3999, 4000, 4999, 5000, 5001, 10000, 32767, 32768, 65535};
  struct frames f;
  char name[100], out[64];
  size_t i;

  for (i = 0; i < COUNT(edges); i++) {
    struct bad_vector v = close_vector(&f, out, edges[i]);

    snprintf(name, sizeof(name), "ws close: %d", edges[i]);
    v.name = name;
    bad_play(&v);
  }
}

static void close_classes(void) {
  static const struct {
    const char *name;
    int from, to;
  } classes[] = {{"below 1000", 0, 999},
                 {"RFC 6455's", 1000, 1015},
                 {"reserved ones to 2999", 1016, 2999},
                 {"of libraries", 3000, 3999},
                 {"private ones", 4000, 4999},
                 {"above 5000", 5000, 65535}};
  const char *complaint;
  char name[100], out[64], text[300];
  struct frames f;
  size_t i;
  int code;

  for (i = 0; i < COUNT(classes); i++) {
    text[0] = '\0';
    for (code = classes[i].from; code <= classes[i].to && text[0] == '\0';
         code++) {
      const struct bad_vector v = close_vector(&f, out, code);

      complaint = bad_try(&v);
      if (*complaint != '\0') {
        snprintf(text, sizeof(text), "%d: %s", code, complaint);
      }
    }
    snprintf(name, sizeof(name), "ws close: every one of the codes %s",
             classes[i].name);
    bad_line(name, text);
  }
}

static void closes(void) {
  static const char reason[124] = "x";
  struct frames f = {.len = 0};

  put_frame(&f, FIN | CLOSE, "\x03", 1);
  broken("ws close: of one byte", &f, BAD_CLOSE);
  f.len = 0;
  put_frame(&f, FIN | CLOSE, NULL, 0);
  play("ws close: without a code is well", &f, "<close>", 0, ENDS);
  f.len = 0;
  put_close(&f, 1000, reason, 123);
  play("ws close: a reason of 123 bytes is well", &f, "<close 1000>", 0, ENDS);
  f.len = 0;
  put_close(&f, 1005, "\xff", 1);
  broken("ws close: what is wrong with its code is said first", &f, BAD_CLOSE);
  f.len = 0;
  put_text(&f, TEXT, "SEND\ndestination:/topic/evil\n\nevil");
  put_close(&f, 1000, NULL, 0);
  put_text(&f, FIN | CONT, "^");
  play("ws close: within a message, which is not ended by what follows", &f,
       "<close 1000>", 0, ENDS);
  f.len = 0;
  put_close(&f, 1000, NULL, 0);
  put_close(&f, 1000, NULL, 0);
  play("ws close: twice is answered once", &f, "<close 1000>", 0, ENDS);
  f.len = 0;
  put_close(&f, 1000, NULL, 0);
  put_frame(&f, FIN | PING, "x", 1);
  play("ws close: a Ping behind it is not answered", &f, "<close 1000>", 0,
       ENDS);
  f.len = 0;
  put_close(&f, 1000, NULL, 0);
  put_frame(&f, 0x7f, "x", 1);
  play("ws close: a broken frame behind it is not looked at", &f,
       "<close 1000>", 0, ENDS);
  f.len = 0;
  put_text(&f, FIN | TEXT, "DISCONNECT\nreceipt:r\n\n^");
  put_text(&f, FIN | TEXT, "SEND\ndestination:/topic/evil\n\nevil^");
  play("ws close: a SEND behind DISCONNECT is not sent", &f,
       "RECEIPT\nreceipt-id:r\n\n^<close 1000>", 0, CLOSES);
}

/* ---- plain messages ---- */

static int on_message(sbk_session *session, int binary, const void *data,
                      size_t len, void *arg) {
  (void)arg;
  if (len == 3 && memcmp(data, "die", 3) == 0) {
    return -1;
  }

  return sbk_session_send(session, binary, data, len);
}

static void add_echo(sbk_broker *broker) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  endpoint.path = "/ws";
  endpoint.message = on_message;
  if (sbk_broker_add_endpoint(broker, &endpoint) != 0) {
    printf("Bail out! no endpoint\n");
    exit(1);
  }
}

static void play_plain(const char *name, const struct frames *f,
                       const char *out, int error) {
  const struct bad_vector v = {.name = name,
                               .way = BAD_WS,
                               .bytes = f->bytes,
                               .len = f->len,
                               .out = out,
                               .reason = error,
                               .end = error == SBK_ERR_CALLBACK ? CLOSES
                                      : error != 0              ? LINGERS
                                                                : GOES_ON};

  bad_play(&v);
}

static void plain_messages(void) {
  struct frames f = {.len = 0};

  put_text(&f, FIN | TEXT, "a\xff");
  play_plain("ws plain: a text that is none", &f, NO_UTF8, SBK_ERR_WEBSOCKET);
  f.len = 0;
  put_text(&f, TEXT, "whole");
  put_text(&f, FIN | CONT, "\xff");
  play_plain("ws plain: a fragment that is no text", &f, NO_UTF8,
             SBK_ERR_WEBSOCKET);
  f.len = 0;
  put_text(&f, FIN | TEXT, "one");
  put_text(&f, FIN | TEXT, "two\xc2");
  play_plain("ws plain: what was well before is answered", &f, "one" NO_UTF8,
             SBK_ERR_WEBSOCKET);
  f.len = 0;
  put_text(&f, FIN | BINARY, "a\xff");
  play_plain("ws plain: a binary is any bytes", &f, "<binary>a\xff", 0);
  f.len = 0;
  put_text(&f, TEXT, "\xf0\x90");
  put_frame(&f, FIN | PING, NULL, 0);
  put_text(&f, FIN | CONT, "\x80\x80");
  play_plain("ws plain: a character in two fragments is well", &f,
             "<pong >\xf0\x90\x80\x80", 0);
  f.len = 0;
  put_text(&f, FIN | TEXT, "die");
  put_text(&f, FIN | TEXT, "evil");
  play_plain("ws plain: a handler that fails ends it", &f,
             "<close 1011 message handler failed>", SBK_ERR_CALLBACK);
  f.len = 0;
  put_text(&f, TEXT, "half");
  put_close(&f, 3000, NULL, 0);
  {
    const struct bad_vector v = {.name = "ws plain: half a message is none",
                                 .way = BAD_WS,
                                 .bytes = f.bytes,
                                 .len = f.len,
                                 .out = "<close 3000>",
                                 .reason = SBK_ERR_EOF,
                                 .end = ENDS};
    bad_play(&v);
  }
}

int main(void) {
  struct bad_setup setup;

  bad_init(&setup);
  bad_open(&setup);
  reserved_opcodes();
  reserved_bits();
  unmasked();
  lengths();
  sizes();
  a_sum_that_is_too_long();
  control_frames();
  fragments();
  malformed_texts();
  formed_texts();
  unfinished_texts();
  close_codes();
  close_classes();
  closes();
  setup.add = add_echo;
  bad_open(&setup);
  plain_messages();

  return bad_done();
}
