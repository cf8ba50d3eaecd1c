/*
 * Frames of a client: the first byte says how they are cut, which changes
 * nothing, the second the version; and what was understood, escaped and written
 * out again, is understood again.
 */
#include "fuzz.h"
#include "stomp_read.h"
#include "stomp_work.h"
#include "stomp_write.h"

struct outcome {
  enum sbk__fault fault;
  size_t used;
  sbk__str text;  /* all that came */
  sbk__str again; /* as frames that say the same */
  bool unsaid;    /* it cannot be written as it was read */
};

static const char *const names[] = {
    [SBK_CONNECT] = "CONNECT",
    [SBK_SEND] = "SEND",
    [SBK_SUBSCRIBE] = "SUBSCRIBE",
    [SBK_UNSUBSCRIBE] = "UNSUBSCRIBE",
    [SBK_ACK] = "ACK",
    [SBK_NACK] = "NACK",
    [SBK_BEGIN] = "BEGIN",
    [SBK_COMMIT] = "COMMIT",
    [SBK_ABORT] = "ABORT",
    [SBK_DISCONNECT] = "DISCONNECT",
};

static void put_escaped(struct outcome *out, enum sbk__version version,
                        bool raw, const char *text) {
  size_t len = strlen(text);
  size_t most = raw ? len : sbk__escaped_len(version, text, len);
  uint8_t *dst;

  if (most == SIZE_MAX) { /* a CR, before 1.2 */
    HOLDS(version < SBK__V12 && strchr(text, '\r') != NULL);
    out->unsaid = true;
    return;
  }
  dst = malloc(most + 1);
  HOLDS(dst != NULL);
  if (raw) {
    memcpy(dst, text, len);
  } else {
    HOLDS(sbk__escape(dst, version, text, len) == dst + most);
  }
  sbk__str_add(&out->again, dst, most);
  free(dst);
}

static void put_frame(struct outcome *out, enum sbk__version version,
                      const sbk_message *msg) {
  const enum sbk_command command = sbk_message_command(msg);
  const bool raw = command == SBK_CONNECT; /* STOMP 1.2, Value Encoding */
  const char *name, *value;
  size_t i, len;
  const void *body = sbk_message_body(msg, &len);

  HOLDS(command < sizeof(names) / sizeof(names[0]) && names[command] != NULL);
  sbk__str_addz(&out->text, names[command]);
  sbk__str_addz(&out->again, names[command]);
  sbk__str_addz(&out->again, "\n");
  for (i = 0; i < sbk_message_header_count(msg); i++) {
    sbk_message_header_at(msg, i, &name, &value);
    put_text(&out->text, name, strlen(name));
    put_text(&out->text, value, strlen(value));
    put_escaped(out, version, raw, name);
    sbk__str_addz(&out->again, ":");
    put_escaped(out, version, raw, value);
    sbk__str_addz(&out->again, "\n");
  }
  put_text(&out->text, body, len);
  /* A body that nobody wants is skipped; its length stays. */
  out->unsaid |= len == 0 && sbk_message_header(msg, "content-length") != NULL;
  sbk__str_addz(&out->again, "\n");
  sbk__str_add(&out->again, body, len);
  sbk__str_add(&out->again, "", 1);
}

/* One piece, event by event. */
static void feed(sbk__stomp_reader *reader, const sbk__stomp_rules *rules,
                 struct fuzz piece, struct outcome *out) {
  enum sbk__stomp_event event;
  sbk_message *msg;
  size_t used;

  while (piece.len > 0 && out->fault == SBK__FAULT_NONE) {
    uint8_t *copy = fuzz_copy(piece.data, piece.len);

    msg = NULL;
    out->fault =
        sbk__stomp_read(reader, rules, copy, piece.len, &used, &event, &msg);
    free(copy);
    HOLDS(used <= piece.len);
    piece.data += used;
    piece.len -= used;
    out->used += used;
    if (out->fault != SBK__FAULT_NONE) {
      HOLDS(msg == NULL);
    } else if (event == SBK__STOMP_FRAME) {
      HOLDS(reader->work == NULL);
      put_frame(out, rules->version, msg);
      sbk_message_unref(msg);
    } else {
      HOLDS(event == SBK__STOMP_EOL || piece.len == 0);
    }
  }
}

/* With limits that are small, which are reached sooner, or as they are: what is
 * escaped grows. */
static void read_all(struct fuzz in, uint32_t cuts, enum sbk__version version,
                     bool small, struct outcome *out) {
  struct sbk_config limits = fuzz_limits();
  struct sbk__stomp_work *spare = NULL;
  struct failing_mem memory;
  sbk__stomp_reader reader = {0};
  const sbk__stomp_rules rules = {&memory.mem, &limits, &spare, version, true};

  if (small) {
    limits.max_message = 900;
    limits.max_header_line = 64;
    limits.max_headers = 8;
  }
  failing_mem_init(&memory);
  memset(out, 0, sizeof(*out));
  sbk__str_init(&out->text, sbk__mem_default());
  sbk__str_init(&out->again, sbk__mem_default());
  while (in.len > 0 && out->fault == SBK__FAULT_NONE) {
    feed(&reader, &rules, fuzz_piece(&in, &cuts), out);
  }
  sbk__stomp_clear(&reader, &rules);
  sbk__stomp_work_free(&memory.mem, spare);
  HOLDS(memory.blocks == 0);
}

static void clear(struct outcome *out) {
  sbk__str_free(&out->text);
  sbk__str_free(&out->again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size}, text;
  uint32_t cuts = fuzz_byte(&in);
  const enum sbk__version version = fuzz_byte(&in) % SBK__VERSIONS;
  struct outcome whole, cut, again;

  read_all(in, 0, version, true, &whole);
  read_all(in, cuts, version, true, &cut);
  HOLDS(whole.fault == cut.fault);
  HOLDS(whole.fault != SBK__FAULT_NONE || whole.used == cut.used);
  same_text(&whole.text, &cut.text);
  if (!whole.unsaid) {
    text = (struct fuzz){(const uint8_t *)whole.again.data, whole.again.len};
    read_all(text, 0, version, false, &again);
    HOLDS(again.fault == SBK__FAULT_NONE && again.used == text.len);
    same_text(&whole.text, &again.text);
    clear(&again);
  }
  clear(&whole);
  clear(&cut);

  return 0;
}
