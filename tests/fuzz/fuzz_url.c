/*
 * Paths and callbacks of SockJS against regular expressions, and the form that
 * JSONP posts against one that is taken apart as a whole. The first byte says
 * how the form is cut; the first line is a path, or a callback, and the rest a
 * form.
 */
#include <regex.h>

#include "fuzz.h"
#include "sockjs_url.h"

static bool matches(regex_t *compiled, bool *is_compiled, const char *pattern,
                    const char *text, regmatch_t groups[4]) {
  if (!*is_compiled) {
    HOLDS(regcomp(compiled, pattern, REG_EXTENDED) == 0);
    *is_compiled = true;
  }

  return regexec(compiled, text, 4, groups, 0) == 0;
}

/* sockjs-protocol 0.3.3: what is asked for, by its last segment. An id is made
 * of what is printable, but for `.`, `/` and `;`. */
static void check_target(const char *path) {
  static regex_t below, page;
  static bool is_below, is_page;
  static const struct {
    const char *path;
    enum sbk__sockjs_kind kind;
  } alone[] = {{"", SBK__SOCKJS_GREETING},
               {"/", SBK__SOCKJS_GREETING},
               {"/info", SBK__SOCKJS_INFO},
               {"/websocket", SBK__SOCKJS_RAW}};
  enum sbk__sockjs_kind want = SBK__SOCKJS_NONE;
  regmatch_t at[4];
  sbk__sockjs_target target;
  size_t i;
  int kind;

  sbk__sockjs_target_read(path, &target);
  if (matches(&below, &is_below,
              "^/([!-,0-:<-~-]{1,16})/([!-,0-:<-~-]{1,64})/"
              "(websocket|xhr|xhr_streaming|eventsource|htmlfile|jsonp|"
              "xhr_send|jsonp_send)$",
              path, at)) {
    for (kind = SBK__SOCKJS_WEBSOCKET; kind <= SBK__SOCKJS_JSONP_SEND; kind++) {
      if (strcmp(path + at[3].rm_so,
                 sbk__sockjs_kind_name((enum sbk__sockjs_kind)kind)) == 0) {
        want = (enum sbk__sockjs_kind)kind;
      }
    }
    HOLDS(want != SBK__SOCKJS_NONE && target.kind == want);
    HOLDS(target.session == path + at[2].rm_so);
    HOLDS(target.session_len == (size_t)(at[2].rm_eo - at[2].rm_so));
    return;
  }
  for (i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
    if (strcmp(path, alone[i].path) == 0) {
      want = alone[i].kind;
    }
  }
  if (matches(&page, &is_page, "^/iframe[0-9.a-z_-]*\\.html$", path, at)) {
    want = SBK__SOCKJS_IFRAME;
  }
  HOLDS(target.kind == want && target.session == NULL);
  HOLDS((want == SBK__SOCKJS_NONE) == (*sbk__sockjs_methods(want) == '\0'));
}

static void check_callback(const char *name) {
  static regex_t good;
  static bool is_good;
  regmatch_t at[4];

  HOLDS(sbk__sockjs_callback_valid(name) ==
        (strlen(name) <= 64 &&
         matches(&good, &is_good,
                 "^[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)*$", name,
                 at)));
}

/* ---- forms ---- */

/* WHATWG URL, 5.1. False: there is a % without two digits. */
static bool decode(struct fuzz part, sbk__str *out) {
  while (part.len > 0) {
    char byte = (char)fuzz_byte(&part);
    char digits[3] = {0}, *end;

    if (byte == '%') {
      digits[0] = (char)fuzz_byte(&part);
      digits[1] = (char)fuzz_byte(&part);
      byte = (char)strtoul(digits, &end, 16);
      if (end != digits + 2 || strspn(digits, "0123456789abcdefABCDEF") != 2) {
        return false;
      }
    } else if (byte == '+') {
      byte = ' ';
    }
    sbk__str_add(out, &byte, 1);
  }

  return true;
}

/* The value of the first field `d` as a whole; *good: no escape is bad. */
static bool find_value(struct fuzz form, sbk__str *value, bool *good) {
  bool found = false;

  *good = true;
  while (form.len > 0) {
    struct fuzz field = fuzz_until(&form, '&');
    const struct fuzz name = fuzz_until(&field, '=');
    sbk__str text, rest;

    sbk__str_init(&text, sbk__mem_default());
    sbk__str_init(&rest, sbk__mem_default());
    *good = decode(name, &text) && *good;
    *good = decode(field, &rest) && *good;
    if (!found && text.len == 1 && text.data[0] == 'd') {
      found = true;
      sbk__str_add(value, rest.data, rest.len);
    }
    sbk__str_free(&text);
    sbk__str_free(&rest);
  }

  return found;
}

/* All messages, or that there are none. */
static void put_messages(const sbk__sockjs_reader *reader, int rv,
                         sbk__str *out) {
  const uint8_t *message;
  size_t at = 0, len;

  if (rv != 0) {
    sbk__str_addz(out, rv == SBK_ERR_NOT_FOUND ? "none" : "broken");
    return;
  }
  while (sbk__sockjs_next(reader, &at, &message, &len)) {
    put_text(out, message, len);
  }
}

static void read_form(struct fuzz in, uint32_t cuts, sbk__str *out) {
  struct failing_mem memory;
  sbk__sockjs_reader reader;
  sbk__sockjs_form form;
  int rv = 0;

  failing_mem_init(&memory);
  sbk__sockjs_reader_init(&reader, &memory.mem, true);
  sbk__sockjs_form_init(&form);
  while (in.len > 0 && rv == 0) {
    const struct fuzz piece = fuzz_piece(&in, &cuts);
    uint8_t *copy = fuzz_copy(piece.data, piece.len);

    rv = sbk__sockjs_form_read(&form, copy, piece.len, &reader);
    free(copy);
  }
  if (rv == 0) {
    rv = sbk__sockjs_form_end(&form, &reader);
  }
  put_messages(&reader, rv, out);
  sbk__sockjs_reader_clear(&reader);
  HOLDS(memory.blocks == 0);
}

static void read_value(struct fuzz in, sbk__str *out) {
  struct failing_mem memory;
  sbk__sockjs_reader reader;
  sbk__str value;
  bool good;
  int rv = 0;

  failing_mem_init(&memory);
  sbk__str_init(&value, sbk__mem_default());
  sbk__sockjs_reader_init(&reader, &memory.mem, true);
  if (find_value(in, &value, &good) && value.len > 0) {
    rv = sbk__sockjs_read(&reader, value.data, value.len);
  }
  rv = rv == 0 ? sbk__sockjs_read_end(&reader) : rv;
  put_messages(&reader, good ? rv : SBK_ERR_INVAL, out);
  sbk__sockjs_reader_clear(&reader);
  HOLDS(memory.blocks == 0);
  sbk__str_free(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  const uint32_t cuts = fuzz_byte(&in);
  char *path = fuzz_text(fuzz_until(&in, '\n'));
  sbk__str want, got;

  check_target(path);
  check_callback(path);
  free(path);
  sbk__str_init(&want, sbk__mem_default());
  sbk__str_init(&got, sbk__mem_default());
  read_value(in, &want);
  read_form(in, cuts, &got);
  same_text(&want, &got);
  sbk__str_free(&want);
  sbk__str_free(&got);

  return 0;
}
