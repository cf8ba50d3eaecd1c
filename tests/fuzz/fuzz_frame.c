/*
 * What is escaped for SockJS and for the log, read back by a reader of JSON
 * that is nobody's but this file's. The first byte says how the text behind it
 * is cut where it is read back by the library.
 */
#include "fuzz.h"
#include "log.h"
#include "sockjs_frame.h"
#include "utf8.h"

/* ---- the text as it should come back ---- */

/* RFC 3629, 3, and U+FFFD for what is none. */
static void put_mended(sbk__str *out, const uint8_t *data, size_t len) {
  size_t at = 0, size;
  bool good;

  while (at < len) {
    size = sbk__utf8_char(data + at, len - at, &good);
    HOLDS(size > 0 && size <= len - at &&
          good == sbk__utf8_valid(data + at, size));
    sbk__str_add(out, good ? (const char *)data + at : "\xef\xbf\xbd",
                 good ? size : 3);
    at += size;
  }
}

static uint32_t hex(const char *p) {
  uint32_t value = 0;
  int i;

  for (i = 0; i < 4; i++) {
    HOLDS((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f'));
    value = value * 16 + (uint32_t)(p[i] <= '9' ? p[i] - '0' : p[i] - 'a' + 10);
  }

  return value;
}

/* Nothing escaped is above the basic plane, or a surrogate. */
static void put_code(sbk__str *out, uint32_t code) {
  const char two[2] = {(char)(0xc0 | code >> 6), (char)(0x80 | (code & 63))};
  const char three[3] = {(char)(0xe0 | code >> 12),
                         (char)(0x80 | (code >> 6 & 63)),
                         (char)(0x80 | (code & 63))};
  const char one = (char)code;

  HOLDS(code < 0xd800 || code > 0xdfff);
  if (code < 0x80) {
    sbk__str_add(out, &one, 1);
  } else if (code < 0x800) {
    sbk__str_add(out, two, 2);
  } else {
    sbk__str_add(out, three, 3);
  }
}

/* The inside of a string, RFC 8259, 7. */
static void put_read(sbk__str *out, const char *text, size_t len) {
  static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
  size_t i;

  for (i = 0; i < len; i++) {
    HOLDS((uint8_t)text[i] >= 0x20 && text[i] != 0x7f && text[i] != '"');
    if (text[i] != '\\') {
      sbk__str_add(out, text + i, 1);
      continue;
    }
    HOLDS(++i < len);
    if (text[i] == 'u') {
      HOLDS(len - i > 4);
      put_code(out, hex(text + i + 1));
      i += 4;
    } else {
      HOLDS(text[i] != '\0' && strchr(letters, text[i]) != NULL);
      sbk__str_add(out, &bytes[strchr(letters, text[i]) - letters], 1);
    }
  }
}

/* ---- strings of SockJS ---- */

typedef size_t escaper(void *dst, const void *data, size_t len);

/* Exactly as long as it says, in memory that ends there. */
static char *escape(escaper *put, const void *data, size_t len, size_t size) {
  char *text = malloc(size + 1);
  char *exact = malloc(size > 0 ? size : 1);

  HOLDS(text != NULL && exact != NULL);
  HOLDS(put(exact, data, len) == size);
  memcpy(text, exact, size);
  text[size] = '\0';
  free(exact);

  return text;
}

/* sockjs-protocol 0.3.3, escapable_by_server: none of these may stand there. */
static void check_no_escapable(const char *text, size_t len) {
  const uint8_t *p = (const uint8_t *)text;
  size_t at;

  for (at = 0; at + 3 <= len; at++) {
    const unsigned low = (p[at + 1] & 63u) << 6 | (p[at + 2] & 63u);

    HOLDS(p[at] != 0xe2 ||
          ((low < 0x00c || low > 0x00f) && (low < 0x028 || low > 0x02f) &&
           (low < 0x060 || low > 0x06f)));
    HOLDS(p[at] != 0xef || low < 0xff0);
  }
}

/* As a client's payload the library reads it too, whole or cut. */
static void check_payload(const char *text, size_t len, uint32_t cuts,
                          const sbk__str *want) {
  struct failing_mem memory;
  sbk__sockjs_reader reader;
  sbk__str payload, got;
  struct fuzz in;
  const uint8_t *message;
  size_t at = 0, size;

  failing_mem_init(&memory);
  sbk__str_init(&payload, sbk__mem_default());
  sbk__str_init(&got, sbk__mem_default());
  sbk__str_addz(&payload, "[\"");
  sbk__str_add(&payload, text, len);
  sbk__str_addz(&payload, "\"]");
  sbk__sockjs_reader_init(&reader, &memory.mem, false);
  in = (struct fuzz){(const uint8_t *)payload.data, payload.len};
  while (in.len > 0) {
    const struct fuzz piece = fuzz_piece(&in, &cuts);

    HOLDS(sbk__sockjs_read(&reader, piece.data, piece.len) == 0);
  }
  HOLDS(sbk__sockjs_read_end(&reader) == 0);
  HOLDS(sbk__sockjs_next(&reader, &at, &message, &size));
  sbk__str_add(&got, message, size);
  same_text(&got, want);
  HOLDS(!sbk__sockjs_next(&reader, &at, &message, &size));
  sbk__sockjs_reader_clear(&reader);
  HOLDS(memory.blocks == 0);
  sbk__str_free(&payload);
  sbk__str_free(&got);
}

static void check_read(const char *text, size_t len, const sbk__str *want) {
  sbk__str got;

  sbk__str_init(&got, sbk__mem_default());
  put_read(&got, text, len);
  same_text(&got, want);
  sbk__str_free(&got);
}

static void check_strings(const uint8_t *data, size_t len, uint32_t cuts) {
  sbk__str want;
  size_t size, i;
  char *text, *event, *script;

  sbk__str_init(&want, sbk__mem_default());
  put_mended(&want, data, len);
  HOLDS(sbk__sockjs_text_len(data, len) == want.len);

  size = sbk__sockjs_escaped_len(data, len);
  HOLDS(size <= 6 * len);
  text = escape(sbk__sockjs_escape, data, len, size);
  HOLDS(sbk__utf8_valid(text, size));
  check_no_escapable(text, size);
  check_read(text, size, &want);
  check_payload(text, size, cuts, &want);

  /* The same in an event: no %XX that a client would undo. */
  i = sbk__sockjs_event_len(text, size);
  event = escape(sbk__sockjs_event, text, size, i);
  HOLDS(memchr(event, '%', i) == NULL);
  check_read(event, i, &want);
  free(event);
  free(text);

  /* And in a script: nothing ends the element (HTML, 4.12.1.3). */
  size = sbk__sockjs_script_len(data, len);
  script = escape(sbk__sockjs_script, data, len, size);
  HOLDS(memchr(script, '<', size) == NULL &&
        memchr(script, '>', size) == NULL && memchr(script, '&', size) == NULL);
  check_no_escapable(script, size);
  check_read(script, size, &want);
  free(script);
  sbk__str_free(&want);
}

/* ---- the frame that ends a session ---- */

static void check_close(const char *reason, uint8_t low) {
  struct failing_mem memory;
  sbk__str want, got;
  sbk_buf *frame;
  const char *text, *quote;
  size_t len = strlen(reason), shorter;

  failing_mem_init(&memory);
  sbk__str_init(&want, sbk__mem_default());
  sbk__str_init(&got, sbk__mem_default());
  frame = sbk__sockjs_close_frame(&memory.mem, (uint16_t)(1000 + low), reason);
  HOLDS(frame != NULL);
  text = sbk_buf_data(frame);
  HOLDS(memcmp(text, "c[", 2) == 0);
  quote = memchr(text, '"', sbk_buf_len(frame));
  HOLDS(quote != NULL && memcmp(text + sbk_buf_len(frame) - 2, "\"]", 2) == 0);
  put_read(&got, quote + 1,
           (size_t)(text + sbk_buf_len(frame) - 2 - (quote + 1)));
  if (low == 0 && len == 0) {
    sbk__str_addz(&want, "Go away!");
  } else {
    /* Behind 123 bytes it is cut, between characters. */
    for (shorter = len > 123 ? 123 : len;
         shorter < len && ((uint8_t)reason[shorter] & 0xc0) == 0x80 &&
         shorter > 0;
         shorter--) {
    }
    put_mended(&want, (const uint8_t *)reason, shorter);
  }
  same_text(&got, &want);
  sbk_buf_unref(frame);
  HOLDS(memory.blocks == 0);
  sbk__str_free(&want);
  sbk__str_free(&got);
}

/* ---- the log ---- */

static void on_log(enum sbk_log_level level, const char *line, void *arg) {
  (void)level;
  sbk__str_addz(arg, line);
}

/* 128 bytes at most, and what is not printable, or a backslash, as \xHH. */
static void put_logged(sbk__str *out, const char *text) {
  char escaped[8];
  int i;

  for (i = 0; i < 128 && text[i] != '\0'; i++) {
    const bool plain = text[i] >= ' ' && text[i] <= '~' && text[i] != '\\';

    snprintf(escaped, sizeof(escaped), plain ? "%c" : "\\x%02x",
             (uint8_t)text[i]);
    sbk__str_addz(out, escaped);
  }
  sbk__str_addz(out, text[i] == '\0' ? "" : "...");
}

static void check_log(const char *who, const char *detail) {
  sbk__core core;
  sbk__str got, want;

  memset(&core, 0, sizeof(core));
  sbk__str_init(&got, sbk__mem_default());
  sbk__str_init(&want, sbk__mem_default());
  core.callbacks.log = on_log;
  core.arg = &got;
  sbk__log(&core, SBK_LOG_INFO, who, "what", detail);
  if (*who != '\0') {
    put_logged(&want, who);
    sbk__str_addz(&want, ": ");
  }
  sbk__str_addz(&want, "what: ");
  put_logged(&want, detail);
  same_text(&got, &want);
  sbk__str_free(&got);
  sbk__str_free(&want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size}, part;
  const uint8_t cuts = fuzz_byte(&in);
  uint8_t *copy = fuzz_copy(in.data, in.len);
  char *one, *other;

  check_strings(copy, in.len, cuts);
  free(copy);
  part = fuzz_until(&in, '\0');
  one = fuzz_text(part);
  other = fuzz_text(in);
  check_close(one, cuts);
  check_log(one, other);
  free(one);
  free(other);

  return 0;
}
