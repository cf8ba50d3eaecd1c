#include <string.h>

#include "unit.h"

#include "failing_mem.h"
#include "stomp_write.h"

/* ---- a parser of its own: frames of a server, whole, in memory ---- */

#define PARSED_MAX 40

struct parsed {
  char command[16];
  size_t count;
  struct {
    char name[600];
    char value[600];
    size_t name_len;
    size_t value_len;
  } headers[PARSED_MAX];
  const uint8_t *body;
  size_t body_len;
};

static size_t undo(char *dst, const char *text, size_t len,
                   enum sbk__version version) {
  size_t i, size = 0;

  for (i = 0; i < len; i++) {
    char c = text[i];

    assert_true(c != '\n' && c != '\0');
    if (version > SBK__V10) {
      assert_true(c != ':');
      if (c == '\\') {
        assert_true(++i < len);
        c = text[i];
        if (c == 'r') {
          assert_int_equal(version, SBK__V12);
        }
        assert_true(c == 'n' || c == 'c' || c == 'r' || c == '\\');
        c = (char)(c == 'n' ? '\n' : c == 'c' ? ':' : c == 'r' ? '\r' : '\\');
      } else {
        assert_true(c != '\r');
      }
    }
    dst[size++] = c;
  }
  dst[size] = '\0';

  return size;
}

/* The bytes have to be one frame, with its NUL at the very end. */
static void parse(struct parsed *p, const uint8_t *data, size_t len,
                  enum sbk__version version) {
  const char *at = (const char *)data, *end = at + len;
  const char *eol = memchr(at, '\n', len);
  size_t i, length = 0;
  bool counted = false;

  memset(p, 0, sizeof(*p));
  assert_non_null(eol);
  assert_true((size_t)(eol - at) < sizeof(p->command));
  memcpy(p->command, at, (size_t)(eol - at));
  for (at = eol + 1;; at = eol + 1) {
    const char *colon;

    eol = memchr(at, '\n', (size_t)(end - at));
    assert_non_null(eol);
    if (eol == at) {
      break;
    }
    assert_true(p->count < PARSED_MAX);
    colon = memchr(at, ':', (size_t)(eol - at));
    assert_non_null(colon);
    i = p->count++;
    p->headers[i].name_len =
        undo(p->headers[i].name, at, (size_t)(colon - at), version);
    p->headers[i].value_len = undo(p->headers[i].value, colon + 1,
                                   (size_t)(eol - colon - 1), version);
    if (strcmp(p->headers[i].name, "content-length") == 0) {
      counted = true;
      length = (size_t)strtoul(p->headers[i].value, NULL, 10);
    }
  }
  p->body = (const uint8_t *)eol + 1;
  p->body_len = (size_t)(end - eol) - 2;
  if (counted) {
    assert_int_equal(p->body_len, length);
  } else {
    assert_int_equal(p->body_len, 0);
  }
  assert_int_equal(end[-1], 0);
}

static const char *value_of(const struct parsed *p, const char *name) {
  size_t i;

  for (i = 0; i < p->count; i++) {
    if (strcmp(p->headers[i].name, name) == 0) {
      return p->headers[i].value;
    }
  }

  return NULL;
}

/* ---- messages ---- */

static sbk_message *message(const struct sbk_mem *mem) {
  sbk_message *msg = sbk__message_new(mem, SBK_MESSAGE, 2);

  assert_int_equal(sbk__message_put(msg, "destination", "/topic/a"), 0);
  memcpy(msg->id, "id-1", 4);
  msg->id_len = 4;

  return msg;
}

static void set_body(sbk_message *msg, const void *data, size_t len) {
  msg->text = sbk__buf_new(msg->mem, len);
  memcpy(sbk__buf_bytes(msg->text), data, len);
}

/* The whole MESSAGE as a subscriber of id gets it. To be freed. */
static uint8_t *wire_of(sbk_message *msg, enum sbk__version version,
                        const char *id, const char *const *hidden,
                        size_t *len) {
  const sbk__rest *rest = sbk__message_rest(msg, version, hidden);
  size_t head = sbk__personal_head(NULL, version, id, id ? strlen(id) : 0);
  uint8_t *data = malloc(head + rest->total);

  assert_int_equal(sbk__personal_head(data, version, id, id ? strlen(id) : 0),
                   head);
  memcpy(data + head, rest->data, rest->head_len);
  if (!rest->flat) {
    memcpy(data + head + rest->head_len, msg->text->data, msg->text->len);
    data[head + rest->total - 1] = 0;
  } else {
    assert_int_equal(rest->head_len, rest->total);
  }
  *len = head + rest->total;

  return data;
}

static void parse_message(struct parsed *p, sbk_message *msg,
                          enum sbk__version version, uint8_t **data) {
  size_t len;

  *data = wire_of(msg, version, "s", NULL, &len);
  parse(p, *data, len, version);
}

/* May it be said in that version? */
static bool sayable(const sbk__header *h, enum sbk__version version) {
  if (version == SBK__V12) {
    return true;
  }
  if (strchr(h->name, '\r') || strchr(h->value, '\r')) {
    return false;
  }

  return version == SBK__V11 ||
         (!strchr(h->name, '\n') && !strchr(h->value, '\n') &&
          !strchr(h->name, ':'));
}

static void check_wire(sbk_message *msg, enum sbk__version version) {
  static struct parsed p;
  uint8_t *data;
  size_t i, at = 3;

  parse_message(&p, msg, version, &data);
  assert_string_equal(p.command, "MESSAGE");
  assert_string_equal(p.headers[0].name, "subscription");
  assert_string_equal(p.headers[1].name, "destination");
  assert_string_equal(p.headers[1].value, "/topic/a");
  assert_string_equal(p.headers[2].name, "message-id");
  assert_string_equal(p.headers[2].value, "id-1");
  for (i = 1; i < msg->header_count; i++) {
    const sbk__header *h = &msg->headers[i];

    if (!sayable(h, version)) {
      continue;
    }
    assert_true(at < p.count);
    assert_int_equal(p.headers[at].name_len, h->name_len);
    assert_memory_equal(p.headers[at].name, h->name, h->name_len);
    assert_int_equal(p.headers[at].value_len, h->value_len);
    assert_memory_equal(p.headers[at].value, h->value, h->value_len);
    at++;
  }
  if (msg->text != NULL && msg->text->len > 0) {
    assert_string_equal(p.headers[at++].name, "content-length");
    assert_int_equal(p.body_len, msg->text->len);
    assert_memory_equal(p.body, msg->text->data, p.body_len);
  }
  assert_int_equal(at, p.count);
  free(data);
}

static void random_text(char *dst, size_t most, uint32_t *random, int spice) {
  static const char special[] = ":\\\n\rncr";
  size_t i, len = test_random(random) % most;

  for (i = 0; i < len; i++) {
    uint32_t dice = test_random(random);

    if (!spice) {
      dst[i] = (char)('a' + dice / 4 % 26);
    } else if (dice % 4 == 0) {
      dst[i] = special[dice / 4 % 7];
    } else {
      dst[i] = (char)(dice / 4 % 255 + 1);
    }
  }
  dst[len] = '\0';
}

static sbk_message *random_message(const struct sbk_mem *mem,
                                   uint32_t *random) {
  sbk_message *msg = message(mem);
  size_t i, count = test_random(random) % 12;
  int spice = test_random(random) % 3 > 0;
  char name[30], value[50], body[40];

  for (i = 0; i < count; i++) {
    random_text(name, sizeof(name), random, spice);
    random_text(value, sizeof(value), random, spice);
    if (name[0] != '\0') {
      assert_int_equal(sbk__message_put(msg, name, value), 0);
    }
  }
  if (test_random(random) % 2 == 0) {
    random_text(body, sizeof(body), random, 1);
    set_body(msg, body, strlen(body));
  }

  return msg;
}

static void what_is_written_parses_back_in_every_version(void **state) {
  struct failing_mem mem;
  uint32_t random = 11;
  size_t round;

  (void)state;
  failing_mem_init(&mem);
  for (round = 0; round < 3000; round++) {
    sbk_message *msg = random_message(&mem.mem, &random);
    enum sbk__version first =
        (enum sbk__version)(test_random(&random) % SBK__VERSIONS);

    check_wire(msg, first);
    check_wire(msg, SBK__V10);
    check_wire(msg, SBK__V11);
    check_wire(msg, SBK__V12);
    sbk_message_unref(msg);
  }
  assert_int_equal(mem.blocks, 0);
}

static void versions_share_a_rest_exactly_when_it_is_the_same(void **state) {
  struct failing_mem mem;
  uint32_t random = 12;
  size_t round, shared = 0, apart = 0;

  (void)state;
  failing_mem_init(&mem);
  for (round = 0; round < 3000; round++) {
    sbk_message *msg = random_message(&mem.mem, &random);
    const sbk__rest *rest[SBK__VERSIONS];
    int a, b, first = (int)(test_random(&random) % SBK__VERSIONS);

    sbk__message_rest(msg, (enum sbk__version)first, NULL);
    for (a = 0; a < SBK__VERSIONS; a++) {
      rest[a] = sbk__message_rest(msg, (enum sbk__version)a, NULL);
      assert_ptr_equal(sbk__message_rest(msg, (enum sbk__version)a, NULL),
                       rest[a]);
    }
    for (a = 0; a < SBK__VERSIONS; a++) {
      for (b = a + 1; b < SBK__VERSIONS; b++) {
        bool same =
            rest[a]->head_len == rest[b]->head_len &&
            memcmp(rest[a]->data, rest[b]->data, rest[a]->head_len) == 0;

        assert_int_equal(rest[a] == rest[b], same);
        shared += same;
        apart += !same;
      }
    }
    sbk_message_unref(msg);
  }
  assert_true(shared > 500 && apart > 500);
  assert_int_equal(mem.blocks, 0);
}

static void each_version_escapes_its_own_way(void **state) {
  static struct parsed p;
  sbk_message *msg = message(sbk__mem_default());
  uint8_t *data;
  size_t len;

  (void)state;
  assert_int_equal(sbk__message_put(msg, "k", "a:b\\c"), 0);
  assert_int_equal(sbk__message_put(msg, "n", "a\nb"), 0);
  assert_int_equal(sbk__message_put(msg, "r", "a\rb"), 0);
  assert_int_equal(sbk__message_put(msg, "x:y", "z"), 0);

  data = wire_of(msg, SBK__V12, "0", NULL, &len);
  assert_non_null(strstr((char *)data, "\nk:a\\cb\\\\c\nn:a\\nb\nr:a\\rb\n"
                                       "x\\cy:z\n\n"));
  free(data);
  data = wire_of(msg, SBK__V11, "0", NULL, &len);
  assert_non_null(strstr((char *)data, "\nk:a\\cb\\\\c\nn:a\\nb\nx\\cy:z\n\n"));
  free(data);
  data = wire_of(msg, SBK__V10, "0", NULL, &len);
  assert_non_null(strstr((char *)data, "\nmessage-id:id-1\nk:a:b\\c\n\n"));
  parse(&p, data, len, SBK__V10);
  assert_int_equal(p.count, 4);
  free(data);
  sbk_message_unref(msg);
}

static void lengths_of_escapes_are_what_is_written(void **state) {
  uint32_t random = 99;
  size_t round;
  int version;

  (void)state;
  for (round = 0; round < 5000; round++) {
    char text[40];
    uint8_t out[100];

    random_text(text, sizeof(text), &random, 1);
    for (version = 0; version < SBK__VERSIONS; version++) {
      size_t len = strlen(text);
      size_t size = sbk__escaped_len((enum sbk__version)version, text, len);

      if (size == SIZE_MAX) {
        assert_true(strpbrk(text, version == SBK__V10 ? "\r\n" : "\r") != NULL);
        assert_int_not_equal(version, SBK__V12);
        continue;
      }
      assert_true(size < sizeof(out));
      assert_int_equal(
          sbk__escape(out, (enum sbk__version)version, text, len) - out, size);
    }
  }
}

static void hidden_headers_are_left_out_in_any_case(void **state) {
  static const char *const hidden[] = {"Receipt", "x-secret", NULL};
  static struct parsed p;
  sbk_message *msg = message(sbk__mem_default());
  uint8_t *data;
  size_t len;

  (void)state;
  assert_int_equal(sbk__message_put(msg, "receipt", "1"), 0);
  assert_int_equal(sbk__message_put(msg, "X-SECRET", "2"), 0);
  assert_int_equal(sbk__message_put(msg, "x-secret2", "3"), 0);
  assert_int_equal(sbk__message_put(msg, "x-secre", "4"), 0);
  data = wire_of(msg, SBK__V12, "0", hidden, &len);
  parse(&p, data, len, SBK__V12);
  assert_int_equal(p.count, 5);
  assert_null(value_of(&p, "receipt"));
  assert_null(value_of(&p, "X-SECRET"));
  assert_string_equal(value_of(&p, "x-secret2"), "3");
  assert_string_equal(value_of(&p, "x-secre"), "4");
  free(data);
  sbk_message_unref(msg);
}

static void names_that_are_the_librarys_are_written_once(void **state) {
  static const char *const names[] = {"content-length", "message-id",
                                      "subscription", "ack"};
  static struct parsed p;
  sbk_message *msg = message(sbk__mem_default());
  uint8_t *data;
  size_t i;

  (void)state;
  for (i = 0; i < 4; i++) {
    assert_int_equal(sbk__message_put(msg, names[i], "forged"), 0);
  }
  set_body(msg, "body", 4);
  parse_message(&p, msg, SBK__V12, &data);
  assert_int_equal(p.count, 4);
  assert_string_equal(value_of(&p, "message-id"), "id-1");
  assert_string_equal(value_of(&p, "content-length"), "4");
  assert_string_equal(value_of(&p, "subscription"), "s");
  free(data);
  sbk_message_unref(msg);
}

static void the_destination_comes_first_wherever_it_stood(void **state) {
  static struct parsed p;
  sbk_message *msg = sbk__message_new(sbk__mem_default(), SBK_MESSAGE, 2);
  uint8_t *data;

  (void)state;
  assert_int_equal(sbk__message_put(msg, "k", "v"), 0);
  assert_int_equal(sbk__message_put(msg, "destination", "/topic/a"), 0);
  memcpy(msg->id, "1", 1);
  msg->id_len = 1;
  parse_message(&p, msg, SBK__V12, &data);
  assert_int_equal(p.count, 4);
  assert_string_equal(p.headers[1].name, "destination");
  assert_string_equal(value_of(&p, "k"), "v");
  free(data);
  sbk_message_unref(msg);
}

static void bodies_from_2_kib_on_are_not_copied(void **state) {
  static uint8_t body[2049];
  size_t len;

  (void)state;
  memset(body, 'b', sizeof(body));
  for (len = 2047; len <= 2049; len++) {
    sbk_message *msg = message(sbk__mem_default());
    const sbk__rest *rest;
    uint8_t *data;
    size_t size;

    set_body(msg, body, len);
    rest = sbk__message_rest(msg, SBK__V12, NULL);
    assert_int_equal(rest->flat, len < SBK__FLAT_BODY);
    data = wire_of(msg, SBK__V12, NULL, NULL, &size);
    assert_memory_equal(data + size - 1 - len, body, len);
    assert_int_equal(data[size - 1], 0);
    free(data);
    sbk_message_unref(msg);
  }
}

static bool text_of(const char *type, const char *value, const char *body) {
  sbk_message *msg = message(sbk__mem_default());
  bool text;

  if (type != NULL) {
    assert_int_equal(sbk__message_put(msg, "content-type", type), 0);
  }
  assert_int_equal(sbk__message_put(msg, "k", value), 0);
  set_body(msg, body, strlen(body));
  text = sbk__message_rest(msg, SBK__V12, NULL)->text;
  sbk_message_unref(msg);

  return text;
}

static void goes_as_text_when_it_is_utf8_and_not_octets(void **state) {
  (void)state;
  assert_true(text_of(NULL, "v", "body"));
  assert_true(text_of("image/png", "\xc3\xa4", "\xe2\x82\xac"));
  assert_false(text_of(NULL, "v", "\xff"));
  assert_false(text_of(NULL, "\xff", "body"));
  assert_false(text_of("application/octet-stream", "v", "body"));
  assert_false(text_of("Application/Octet-Stream; x=y", "v", "body"));
  assert_false(text_of("application/octet-stream\tx", "v", "body"));
  assert_true(text_of("application/octet-streams", "v", "body"));
  assert_true(text_of("application/octet", "v", "body"));
}

static void a_personal_head_names_the_subscription(void **state) {
  uint8_t head[64];
  size_t len;

  (void)state;
  len = sbk__personal_head(head, SBK__V12, "a:b", 3);
  assert_int_equal(len, 8 + 13 + 4 + 1);
  assert_memory_equal(head, "MESSAGE\nsubscription:a\\cb\n", len);
  len = sbk__personal_head(head, SBK__V10, "a:b", 3);
  assert_memory_equal(head, "MESSAGE\nsubscription:a:b\n", len);
  len = sbk__personal_head(head, SBK__V12, "", 0);
  assert_memory_equal(head, "MESSAGE\nsubscription:\n", len);
  assert_int_equal(len, 22);
  len = sbk__personal_head(head, SBK__V12, NULL, 0);
  assert_int_equal(len, 8);
  assert_memory_equal(head, "MESSAGE\n", len);
}

static void frames_of_the_server_parse_back(void **state) {
  static const sbk__pair pairs[] = {{"message", "no: such\nthing\r\\"},
                                    {"receipt-id", NULL},
                                    {"version", ""}};
  static struct parsed p;
  sbk_buf *frame;

  (void)state;
  frame =
      sbk__frame_new(sbk__mem_default(), SBK__V12, SBK_ERROR, pairs, 3, "text");
  parse(&p, sbk_buf_data(frame), sbk_buf_len(frame), SBK__V12);
  assert_string_equal(p.command, "ERROR");
  assert_int_equal(p.count, 3);
  assert_string_equal(value_of(&p, "message"), "no: such\nthing\r\\");
  assert_string_equal(value_of(&p, "version"), "");
  assert_string_equal(value_of(&p, "content-length"), "4");
  assert_memory_equal(p.body, "text", 4);
  sbk_buf_unref(frame);

  /* What 1.1 and 1.0 cannot say is left out. */
  frame =
      sbk__frame_new(sbk__mem_default(), SBK__V11, SBK_ERROR, pairs, 3, NULL);
  parse(&p, sbk_buf_data(frame), sbk_buf_len(frame), SBK__V11);
  assert_int_equal(p.count, 1);
  sbk_buf_unref(frame);
  frame =
      sbk__frame_new(sbk__mem_default(), SBK__V10, SBK_RECEIPT, pairs, 3, "");
  parse(&p, sbk_buf_data(frame), sbk_buf_len(frame), SBK__V10);
  assert_string_equal(p.command, "RECEIPT");
  assert_int_equal(p.count, 1);
  sbk_buf_unref(frame);
}

static void connected_is_not_escaped(void **state) {
  static const sbk__pair pairs[] = {{"server", "a:b\\c"}};
  sbk_buf *frame = sbk__frame_new(sbk__mem_default(), SBK__V12, SBK_CONNECTED,
                                  pairs, 1, NULL);

  (void)state;
  assert_int_equal(sbk_buf_len(frame), 25);
  assert_memory_equal(sbk_buf_data(frame), "CONNECTED\nserver:a:b\\c\n\n", 25);
  sbk_buf_unref(frame);
}

static void says_so_when_memory_ends(void **state) {
  static const sbk__pair pair = {"a", "b"};
  struct failing_mem mem;
  sbk_message *msg;

  (void)state;
  failing_mem_init(&mem);
  msg = message(&mem.mem);
  mem.fail_from = 0;
  assert_null(sbk__message_rest(msg, SBK__V12, NULL));
  assert_null(sbk__frame_new(&mem.mem, SBK__V12, SBK_ERROR, &pair, 1, NULL));
  mem.fail_from = SIZE_MAX;
  assert_non_null(sbk__message_rest(msg, SBK__V12, NULL));
  sbk_message_unref(msg);
  assert_int_equal(mem.blocks, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_written_parses_back_in_every_version),
      cmocka_unit_test(versions_share_a_rest_exactly_when_it_is_the_same),
      cmocka_unit_test(each_version_escapes_its_own_way),
      cmocka_unit_test(lengths_of_escapes_are_what_is_written),
      cmocka_unit_test(hidden_headers_are_left_out_in_any_case),
      cmocka_unit_test(names_that_are_the_librarys_are_written_once),
      cmocka_unit_test(the_destination_comes_first_wherever_it_stood),
      cmocka_unit_test(bodies_from_2_kib_on_are_not_copied),
      cmocka_unit_test(goes_as_text_when_it_is_utf8_and_not_octets),
      cmocka_unit_test(a_personal_head_names_the_subscription),
      cmocka_unit_test(frames_of_the_server_parse_back),
      cmocka_unit_test(connected_is_not_escaped),
      cmocka_unit_test(says_so_when_memory_ends),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
