/*
 * What clients of SockJS post: the first byte says how it is cut, which changes
 * nothing, the second whether it is JSON of xhr_send, of WebSocket, or a form.
 */
#include "fuzz.h"
#include "sockjs_frame.h"
#include "sockjs_url.h"
#include "utf8.h"

struct outcome {
  bool good;
  sbk__str text; /* the messages */
};

enum { JSON, LONE, FORM, WAYS };

static void read_all(struct fuzz in, uint32_t cuts, unsigned way,
                     struct outcome *out) {
  struct failing_mem memory;
  sbk__sockjs_reader reader;
  sbk__sockjs_form form;
  const uint8_t *message;
  size_t at = 0, len;
  int rv = 0;

  failing_mem_init(&memory);
  sbk__str_init(&out->text, sbk__mem_default());
  sbk__sockjs_reader_init(&reader, &memory.mem, way == LONE);
  sbk__sockjs_form_init(&form);
  HOLDS(memory.blocks == 0);
  while (in.len > 0 && rv == 0) {
    struct fuzz piece = fuzz_piece(&in, &cuts);
    uint8_t *copy = fuzz_copy(piece.data, piece.len);

    rv = way == FORM ? sbk__sockjs_form_read(&form, copy, piece.len, &reader)
                     : sbk__sockjs_read(&reader, copy, piece.len);
    free(copy);
  }
  if (rv == 0) {
    rv = way == FORM ? sbk__sockjs_form_end(&form, &reader)
                     : sbk__sockjs_read_end(&reader);
  }
  out->good = rv == 0;
  while (out->good && sbk__sockjs_next(&reader, &at, &message, &len)) {
    HOLDS(sbk__utf8_valid(message, len));
    put_text(&out->text, message, len);
  }
  sbk__sockjs_reader_clear(&reader);
  HOLDS(memory.blocks == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  uint32_t cuts = fuzz_byte(&in);
  const unsigned way = fuzz_byte(&in) % WAYS;
  struct outcome whole, cut;

  read_all(in, 0, way, &whole);
  read_all(in, cuts, way, &cut);
  HOLDS(whole.good == cut.good);
  same_text(&whole.text, &cut.text);
  sbk__str_free(&whole.text);
  sbk__str_free(&cut.text);

  return 0;
}
