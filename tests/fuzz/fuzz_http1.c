/*
 * The head of a request: the first byte says how it is cut, which changes
 * nothing; and what was understood, written out again, is understood again.
 */
#include "fuzz.h"
#include "http1.h"

struct outcome {
  int rv;
  size_t used;
  sbk__str text; /* all that the head says */
};

/* As a request that says the same. */
static void describe(const sbk__http_head *head, sbk__str *out) {
  const char *query = sbk__http_query(head);
  size_t i;

  sbk__str_addz(out, sbk__http_method(head));
  sbk__str_addz(out, " ");
  sbk__str_addz(out, sbk__http_path(head));
  if (query != NULL) {
    sbk__str_addz(out, "?");
    sbk__str_addz(out, query);
  }
  sbk__str_addz(out, head->http10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  for (i = 0; i < head->field_count; i++) {
    const sbk__http_field *field = &head->fields[i];
    const char *name = head->text + field->name;
    const char *value = head->text + field->value;

    HOLDS(strlen(name) == field->name_len);
    HOLDS(strlen(value) == field->value_len);
    HOLDS(sbk__http_is_token(name) && strpbrk(value, "\r\n") == NULL);
    sbk__str_addz(out, name);
    sbk__str_addz(out, ":");
    sbk__str_addz(out, value);
    sbk__str_addz(out, "\r\n");
  }
  sbk__str_addz(out, "\r\n");
}

/* No answer to these is wrong; none of them may stumble. */
static void ask(const sbk__http_head *head) {
  char text[64];
  size_t len;
  int rv = sbk__http_body_len(head, 1000, &len);

  HOLDS(rv == 0 ? len <= 1000 : rv < 0);
  HOLDS(sbk__http_check_upgrade(head) <= 0);
  sbk__http_stomp_protocol(head);
  sbk__http_cookie_get(head, "JSESSIONID", text, sizeof(text));
  sbk__http_query_get(sbk__http_query(head), "t", text, sizeof(text));
}

static void read_head(struct fuzz in, uint32_t cuts, struct outcome *out) {
  struct sbk_config limits = fuzz_limits();
  struct failing_mem memory;
  sbk__http_head head;
  size_t used;

  /* Small ones are reached sooner. */
  limits.max_request_line = 120;
  limits.max_request_field = 160;
  limits.max_request_fields = 8;
  limits.max_request_head = 512;
  failing_mem_init(&memory);
  memset(out, 0, sizeof(*out));
  sbk__str_init(&out->text, sbk__mem_default());
  sbk__http_head_init(&head, &memory.mem, &limits);
  while (in.len > 0 && out->rv == 0) {
    struct fuzz piece = fuzz_piece(&in, &cuts);
    uint8_t *copy = fuzz_copy(piece.data, piece.len);

    out->rv = sbk__http_head_feed(&head, copy, piece.len, &used);
    free(copy);
    HOLDS(used <= piece.len && (out->rv != 0 || used == piece.len));
    out->used += used;
  }
  if (out->rv == 1) {
    HOLDS(head.bytes == out->used);
    describe(&head, &out->text);
    ask(&head);
  }
  HOLDS(out->rv == 1 || out->rv == 0 || out->rv == -400 || out->rv == -414 ||
        out->rv == -431);
  HOLDS(memory.peak <= 4096 + 8 * out->used);
  sbk__http_head_clear(&head);
  HOLDS(memory.blocks == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  uint32_t cuts = fuzz_byte(&in);
  struct outcome whole, cut, again;

  read_head(in, 0, &whole);
  read_head(in, cuts, &cut);
  HOLDS(whole.rv == cut.rv && whole.used == cut.used);
  same_text(&whole.text, &cut.text);
  if (whole.rv == 1) {
    struct fuzz text = {(const uint8_t *)whole.text.data, whole.text.len};

    read_head(text, 0, &again);
    HOLDS(again.rv == 1 && again.used == text.len);
    same_text(&whole.text, &again.text);
    sbk__str_free(&again.text);
  }
  sbk__str_free(&whole.text);
  sbk__str_free(&cut.text);

  return 0;
}
