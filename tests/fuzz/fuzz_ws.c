/*
 * The stream of a WebSocket's client: the first byte says how it is cut, which
 * changes nothing; and a reader made from RFC 6455 alone understands the same.
 */
#include "fuzz.h"
#include "ws.h"
#include "ws_ref.h"

/* Small ones are reached sooner. */
static const struct ws_ref limits = {300, 5, 2};

struct reading {
  sbk__ws_reader reader;
  sbk__ws_pool pool;
  enum sbk__fault fault;
  sbk__str message; /* under way */
  sbk__str out;
};

static void tell(sbk__str *out, unsigned opcode, const void *data, size_t len) {
  sbk__str_add_u64(out, opcode);
  sbk__str_addz(out, " ");
  sbk__str_add_u64(out, len);
  sbk__str_addz(out, " ");
  sbk__str_add(out, data, len);
}

static void take(struct reading *r, const sbk__ws_event *event) {
  if (event->opcode >= SBK__WS_CLOSE) {
    HOLDS(event->end && event->len <= 125);
    tell(&r->out, event->opcode, event->data, event->len);
    return;
  }
  sbk__str_add(&r->message, event->data, event->len);
  HOLDS(r->message.len <= limits.max_message);
  if (event->end) {
    tell(&r->out, event->opcode, r->message.data, r->message.len);
    r->message.len = 0;
  }
}

static void feed(struct reading *r, const uint8_t *data, size_t len) {
  const sbk__ws_limits most = {limits.max_message, limits.max_fragments,
                               limits.max_empty};
  size_t used, done = 0;

  while (done < len && r->fault == SBK__FAULT_NONE) {
    sbk__ws_event event;

    r->fault = sbk__ws_read(&r->reader, &r->pool, &most, data + done,
                            len - done, &used, &event);
    HOLDS(used <= len - done);
    done += used;
    if (r->fault != SBK__FAULT_NONE) {
      return;
    }
    if (event.opcode != 0) {
      take(r, &event);
    } else {
      HOLDS(done == len);
    }
  }
}

static void read_stream(struct reading *r, struct fuzz in, uint32_t cuts) {
  struct failing_mem memory;

  memset(r, 0, sizeof(*r));
  failing_mem_init(&memory);
  sbk__ws_pool_init(&r->pool, &memory.mem);
  sbk__str_init(&r->message, sbk__mem_default());
  sbk__str_init(&r->out, sbk__mem_default());
  while (in.len > 0 && r->fault == SBK__FAULT_NONE) {
    struct fuzz piece = fuzz_piece(&in, &cuts);
    uint8_t *copy = fuzz_copy(piece.data, piece.len);

    feed(r, copy, piece.len);
    free(copy);
  }
  sbk__ws_clear(&r->reader, &r->pool);
  sbk__ws_pool_free(&r->pool);
  HOLDS(memory.blocks == 0);
}

static void free_reading(struct reading *r) {
  sbk__str_free(&r->message);
  sbk__str_free(&r->out);
}

static void compare(struct reading *r, int code, size_t partial,
                    const sbk__str *out) {
  HOLDS((r->fault == 0 ? 0 : sbk__fault_close(r->fault)) == code);
  HOLDS(code != 0 || r->message.len == partial);
  same_text(&r->out, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  uint32_t cuts = fuzz_byte(&in);
  struct reading whole, cut;
  size_t partial;
  sbk__str out;
  int code;

  sbk__str_init(&out, sbk__mem_default());
  code = ws_ref_read(in.data, in.len, &limits, &out, &partial);
  read_stream(&whole, in, 0);
  read_stream(&cut, in, cuts);
  compare(&whole, code, partial, &out);
  compare(&cut, code, partial, &out);
  HOLDS(whole.fault == cut.fault);
  sbk__str_free(&out);
  free_reading(&whole);
  free_reading(&cut);

  return 0;
}
