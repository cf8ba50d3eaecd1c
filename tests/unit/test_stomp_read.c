#include <string.h>

#include "unit.h"

#include "failing_mem.h"
#include "limits.h"
#include "stomp_read.h"
#include "stomp_work.h"
#include "str.h"

/* A reader, and what it depends on. */
struct reading {
  struct failing_mem mem;
  struct sbk_config limits;
  struct sbk__stomp_work *spare;
  sbk__stomp_rules rules;
  sbk__stomp_reader reader;
  sbk__str trace; /* what came, as text */
  size_t frames;
  size_t eols;
  enum sbk__fault fault;
};

static void begin(struct reading *r, enum sbk__version version) {
  memset(r, 0, sizeof(*r));
  failing_mem_init(&r->mem);
  r->limits = default_limits();
  r->rules.mem = &r->mem.mem;
  r->rules.limits = &r->limits;
  r->rules.spare = &r->spare;
  r->rules.version = version;
  r->rules.connected = true;
  sbk__str_init(&r->trace, sbk__mem_default());
}

static void end(struct reading *r) {
  sbk__stomp_clear(&r->reader, &r->rules);
  sbk__stomp_work_free(&r->mem.mem, r->spare);
  sbk__str_free(&r->trace);
  assert_int_equal(r->mem.blocks, 0);
}

/* Lengths stand before texts, so that no two frames look alike. */
static void trace_text(struct reading *r, const void *text, size_t len) {
  sbk__str_add_u64(&r->trace, len);
  sbk__str_addz(&r->trace, "'");
  sbk__str_add(&r->trace, text, len);
  sbk__str_addz(&r->trace, "' ");
}

static void trace_frame(struct reading *r, const sbk_message *msg) {
  const char *name, *value;
  const uint8_t *body;
  size_t i, len;

  sbk__str_add_u64(&r->trace, sbk_message_command(msg));
  sbk__str_addz(&r->trace, " ");
  for (i = 0; i < sbk_message_header_count(msg); i++) {
    sbk_message_header_at(msg, i, &name, &value);
    assert_int_equal(strlen(name), msg->headers[i].name_len);
    assert_int_equal(strlen(value), msg->headers[i].value_len);
    trace_text(r, name, strlen(name));
    trace_text(r, value, strlen(value));
  }
  body = sbk_message_body(msg, &len);
  assert_int_equal(body[len], 0);
  sbk__str_addz(&r->trace, "= ");
  trace_text(r, body, len);
}

/* Feeds one piece, event by event. False: a fault. */
static bool feed(struct reading *r, const void *data, size_t len) {
  const uint8_t *bytes = data;
  size_t used, done = 0;

  while (done < len && r->fault == SBK__FAULT_NONE) {
    /* A copy of its own: reading beyond it shows. */
    size_t left = len - done;
    uint8_t *piece = malloc(left);
    enum sbk__stomp_event event;
    sbk_message *msg = NULL;

    memcpy(piece, bytes + done, left);
    r->fault = sbk__stomp_read(&r->reader, &r->rules, piece, left, &used,
                               &event, &msg);
    free(piece);
    assert_true(used <= left);
    done += used;
    if (r->fault != SBK__FAULT_NONE) {
      assert_null(msg);
    } else if (event == SBK__STOMP_FRAME) {
      r->frames++;
      trace_frame(r, msg);
      sbk_message_unref(msg);
      assert_null(r->reader.work);
    } else if (event == SBK__STOMP_EOL) {
      r->eols++;
      sbk__str_addz(&r->trace, "~ ");
    } else {
      assert_int_equal(done, len);
    }
  }

  return r->fault == SBK__FAULT_NONE;
}

static bool feedz(struct reading *r, const char *text) {
  return feed(r, text, strlen(text));
}

/* One text of its own from the start; ended by NUL behind it, as frames are. */
static enum sbk__fault fault_of(enum sbk__version version, bool connected,
                                const void *data, size_t len) {
  enum sbk__fault fault;
  struct reading r;

  begin(&r, version);
  r.rules.connected = connected;
  feed(&r, data, len);
  fault = r.fault;
  end(&r);

  return fault;
}

#define FAULT(version, text) fault_of(version, true, text, sizeof(text))

/* The one frame in a text. To be given back. */
static sbk_message *frame_of(struct reading *r, const void *data, size_t len) {
  enum sbk__stomp_event event;
  sbk_message *msg = NULL;
  size_t used;

  assert_int_equal(
      sbk__stomp_read(&r->reader, &r->rules, data, len, &used, &event, &msg),
      SBK__FAULT_NONE);
  assert_int_equal(event, SBK__STOMP_FRAME);
  assert_int_equal(used, len);

  return msg;
}

#define FRAME(r, text) frame_of(r, text, sizeof(text))

static const struct {
  enum sbk__version version;
  bool connected;
  const char *text;
  size_t len;
} corpus[] = {
#define CASE(version, connected, text)                                         \
  { version, connected, text, sizeof(text) - 1 }
    CASE(SBK__V12, true, "SEND\ndestination:/a\n\nhello\0"),
    CASE(SBK__V12, true, "SEND\r\ndestination:/a\r\nx:\r\n\r\n\0\r\n\r\n\n"),
    CASE(SBK__V12, true, "\n\r\nSEND\ndestination:/a\n\n\0\n\nSEND\na:b\n\n\0"),
    CASE(SBK__V12, true,
         "SEND\ncontent-length:5\nd:/a\n\na\0b\0c\0SUBSCRIBE\nid:0\n\n\0"),
    CASE(SBK__V12, true, "SEND\na\\cb\\\\:c\\nd\\re\nx::y:\n\n\0\0"),
    CASE(SBK__V11, true, "SEND\na\\cb\\\\:c\\nd\\re\nx:a\rb\n\n\0"),
    CASE(SBK__V10, true, "SEND\na\\cb:c\\x\n\n\r\n\0ACK\n\nignored\0"),
    CASE(SBK__V10, true, "ACK\ncontent-length:3\n\n\0\0\0\0\nNACK\n\n\0"),
    CASE(SBK__V12, false, "CONNECT\nlogin:a\\b\npasscode: c \n\n\0\n"),
    CASE(SBK__V12, false, "STOMP\r\nlogin:a\r\n\r\n\0\r\r"),
    CASE(SBK__V12, true, "SEND\ncontent-length:2\n\nabc\0"),
    CASE(SBK__V12, true, "SEND\nid:a\nid:b\n\n\0"),
    CASE(SBK__V12, true, "SEND\nk:a\nk:b\nid:a\nid:a\n\n\0"),
    CASE(SBK__V12, true, "SEND\na\rb:c\n\n\0"),
    CASE(SBK__V12, true, "SEND\nab\n\n\0"),
    CASE(SBK__V12, true, "SEND\na:b\\t\n\n\0"),
    CASE(SBK__V12, true, "MESSAGE\n\n\0"),
    CASE(SBK__V12, true, "ACK\nid:1\n\nbody\0"),
    CASE(SBK__V12, true, "\0SEND\n\n\0"),
    CASE(SBK__V12, true, "\rSEND\n\n\0"),
    CASE(SBK__V12, true, "SEND\n\n\xff\xfe\x80\r\n\0\r\n"),
    CASE(SBK__V12, true, "DISCONNECT\nreceipt:77\n\n\0SEND\n"),
#undef CASE
};

#define CORPUS (sizeof(corpus) / sizeof(corpus[0]))

static void begin_case(struct reading *r, size_t i) {
  begin(r, corpus[i].version);
  r->rules.connected = corpus[i].connected;
}

static void assert_same(const struct reading *a, const struct reading *b) {
  assert_int_equal(a->trace.len, b->trace.len);
  if (a->trace.len > 0) {
    assert_memory_equal(a->trace.data, b->trace.data, a->trace.len);
  }
  assert_int_equal(a->fault, b->fault);
}

static void any_cut_in_two_gives_the_same_frames(void **state) {
  struct reading whole, cut;
  size_t i, at;

  (void)state;
  for (i = 0; i < CORPUS; i++) {
    begin_case(&whole, i);
    feed(&whole, corpus[i].text, corpus[i].len);
    for (at = 0; at <= corpus[i].len; at++) {
      begin_case(&cut, i);
      feed(&cut, corpus[i].text, at);
      feed(&cut, corpus[i].text + at, corpus[i].len - at);
      assert_same(&whole, &cut);
      end(&cut);
    }
    end(&whole);
  }
}

static void byte_by_byte_gives_the_same_frames(void **state) {
  struct reading whole, cut;
  size_t i, at;

  (void)state;
  for (i = 0; i < CORPUS; i++) {
    begin_case(&whole, i);
    begin_case(&cut, i);
    feed(&whole, corpus[i].text, corpus[i].len);
    for (at = 0; at < corpus[i].len; at++) {
      feed(&cut, corpus[i].text + at, 1);
    }
    assert_same(&whole, &cut);
    end(&cut);
    end(&whole);
  }
}

/* Which of two faults is found first may depend on the cut; that there is one
 * may not. */
static void cuts_do_not_matter_to_garbage_either(void **state) {
  static const char spice[] = "\n\r:\\\0nrc0a";
  uint32_t random = 77;
  uint8_t text[128];
  size_t round, i;

  (void)state;
  for (round = 0; round < 20000; round++) {
    size_t which = test_random(&random) % CORPUS, len = corpus[which].len;
    size_t changes = test_random(&random) % 4, done = 0;
    struct reading whole, cut;

    assert_true(len <= sizeof(text));
    memcpy(text, corpus[which].text, len);
    for (i = 0; i < changes; i++) {
      uint8_t byte = (uint8_t)spice[test_random(&random) % (sizeof(spice) - 1)];

      text[test_random(&random) % len] = byte;
    }
    begin_case(&whole, which);
    begin_case(&cut, which);
    feed(&whole, text, len);
    while (done < len) {
      size_t size = 1 + test_random(&random) % 9;

      size = size < len - done ? size : len - done;
      feed(&cut, text + done, size);
      done += size;
    }
    assert_int_equal(whole.fault != SBK__FAULT_NONE,
                     cut.fault != SBK__FAULT_NONE);
    assert_int_equal(whole.frames, cut.frames);
    cut.fault = whole.fault;
    assert_same(&whole, &cut);
    end(&whole);
    end(&cut);
  }
}

static void knows_every_command(void **state) {
  static const struct {
    const char *name;
    int command; /* 0: the server's */
  } commands[] = {
      {"CONNECT", SBK_CONNECT},
      {"STOMP", SBK_CONNECT},
      {"SEND", SBK_SEND},
      {"SUBSCRIBE", SBK_SUBSCRIBE},
      {"UNSUBSCRIBE", SBK_UNSUBSCRIBE},
      {"ACK", SBK_ACK},
      {"NACK", SBK_NACK},
      {"BEGIN", SBK_BEGIN},
      {"COMMIT", SBK_COMMIT},
      {"ABORT", SBK_ABORT},
      {"DISCONNECT", SBK_DISCONNECT},
      {"CONNECTED", 0},
      {"MESSAGE", 0},
      {"RECEIPT", 0},
      {"ERROR", 0},
  };
  struct reading r;
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
    char text[32];
    size_t len = strlen(commands[i].name);

    memcpy(text, commands[i].name, len);
    memcpy(text + len, "\n\n", 3);
    begin(&r, SBK__V12);
    if (commands[i].command == 0) {
      assert_false(feed(&r, text, len + 3));
      assert_int_equal(r.fault, SBK__FAULT_SERVER_COMMAND);
    } else {
      sbk_message *msg = frame_of(&r, text, len + 3);

      assert_int_equal(sbk_message_command(msg), commands[i].command);
      sbk_message_unref(msg);
    }
    end(&r);
  }
}

static void refuses_commands_it_does_not_know(void **state) {
  static const char *const commands[] = {"send",  "SEN",   "SENDX", "SEND ",
                                         " SEND", "GET /", "SEND:", "\tACK"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
    char text[32];
    size_t len = strlen(commands[i]);

    memcpy(text, commands[i], len);
    memcpy(text + len, "\n\n", 3);
    assert_int_equal(fault_of(SBK__V12, true, text, len + 3),
                     SBK__FAULT_COMMAND);
  }
}

static void gives_each_fault_it_knows(void **state) {
  (void)state;
  assert_int_equal(FAULT(SBK__V12, "SEND\n\n"), SBK__FAULT_NONE);
  assert_int_equal(FAULT(SBK__V12, "FETCH\n\n"), SBK__FAULT_COMMAND);
  assert_int_equal(FAULT(SBK__V12, "AAAAAAAAAAAAAAAAA\n"),
                   SBK__FAULT_COMMAND_SIZE);
  assert_int_equal(FAULT(SBK__V12, "RECEIPT\n\n"), SBK__FAULT_SERVER_COMMAND);
  assert_int_equal(FAULT(SBK__V12, "SE"), SBK__FAULT_NUL);
  assert_int_equal(FAULT(SBK__V12, "SEND\na:b"), SBK__FAULT_NUL);
  assert_int_equal(FAULT(SBK__V12, ""), SBK__FAULT_NUL);
  assert_int_equal(FAULT(SBK__V12, "\rx"), SBK__FAULT_CR);
  assert_int_equal(FAULT(SBK__V12, "SEND\na:b\rc\n\n"), SBK__FAULT_CR);
  assert_int_equal(FAULT(SBK__V12, "SEND\nab\n\n"), SBK__FAULT_COLON);
  assert_int_equal(FAULT(SBK__V12, "SEND\n:b\n\n"), SBK__FAULT_HEADER_NAME);
  assert_int_equal(FAULT(SBK__V12, "SEND\na:\\x\n\n"), SBK__FAULT_ESCAPE);
  assert_int_equal(FAULT(SBK__V12, "SEND\nid:a\nid:b\n\n"),
                   SBK__FAULT_REPEATED);
  assert_int_equal(FAULT(SBK__V12, "SEND\ncontent-length:x\n\n"),
                   SBK__FAULT_CONTENT_LENGTH);
  assert_int_equal(FAULT(SBK__V12, "SEND\ncontent-length:1\n\nab"),
                   SBK__FAULT_TERMINATOR);
  assert_int_equal(FAULT(SBK__V12, "ACK\n\nab"), SBK__FAULT_BODY);
  assert_int_equal(FAULT(SBK__V12, "ACK\ncontent-length:1\n\n"),
                   SBK__FAULT_BODY);
  assert_int_equal(FAULT(SBK__V12, "SEND\ncontent-length:70000\n\n"),
                   SBK__FAULT_FRAME_SIZE);
  assert_int_equal(
      fault_of(SBK__V12, false, "CONNECT\ncontent-length:20000\n\n", 31),
      SBK__FAULT_PREAUTH_FRAME);
}

static void undoes_the_escapes_of_each_version(void **state) {
  static const char text[] = "SEND\na\\cb:1\\n2\\c3\\\\4\\r5\nraw::\n\n";
  struct reading r;
  sbk_message *msg;

  (void)state;
  begin(&r, SBK__V12);
  msg = FRAME(&r, text);
  assert_string_equal(sbk_message_header(msg, "a:b"), "1\n2:3\\4\r5");
  assert_string_equal(sbk_message_header(msg, "raw"), ":");
  sbk_message_unref(msg);

  r.rules.version = SBK__V11;
  msg = FRAME(&r, text);
  assert_string_equal(sbk_message_header(msg, "a:b"), "1\n2:3\\4\r5");
  sbk_message_unref(msg);

  r.rules.version = SBK__V10;
  msg = FRAME(&r, text);
  assert_string_equal(sbk_message_header(msg, "a\\cb"), "1\\n2\\c3\\\\4\\r5");
  sbk_message_unref(msg);
  end(&r);
}

static void takes_no_escape_but_the_four(void **state) {
  char text[] = "SEND\na:\\x\n\n";
  int c;

  (void)state;
  for (c = 1; c < 256; c++) {
    bool good = c == 'n' || c == 'c' || c == 'r' || c == '\\';
    enum sbk__fault fault;

    text[8] = (char)c;
    fault = fault_of(SBK__V12, true, text, sizeof(text));
    if (good) {
      assert_int_equal(fault, SBK__FAULT_NONE);
    } else {
      assert_int_equal(fault, SBK__FAULT_ESCAPE);
    }
    assert_int_equal(fault_of(SBK__V11, true, text, sizeof(text)), fault);
    if (c != '\n') {
      assert_int_equal(fault_of(SBK__V10, true, text, sizeof(text)),
                       SBK__FAULT_NONE);
    }
  }
  assert_int_equal(FAULT(SBK__V12, "SEND\na\\t:b\n\n"), SBK__FAULT_ESCAPE);
  assert_int_equal(FAULT(SBK__V12, "SEND\na\\:b\n\n"), SBK__FAULT_ESCAPE);
  assert_int_equal(FAULT(SBK__V12, "SEND\na:b\\\n\n"), SBK__FAULT_ESCAPE);
  assert_int_equal(FAULT(SBK__V12, "SEND\na:b\\\r\n\n"), SBK__FAULT_ESCAPE);
}

static void connect_has_no_escapes(void **state) {
  struct reading r;
  sbk_message *msg;

  (void)state;
  begin(&r, SBK__V12);
  r.rules.connected = false;
  msg = FRAME(&r, "CONNECT\nlogin:a\\b\\nc\n\n");
  assert_string_equal(sbk_message_header(msg, "login"), "a\\b\\nc");
  sbk_message_unref(msg);
  end(&r);
}

static void does_not_trim_values(void **state) {
  struct reading r;
  sbk_message *msg;

  (void)state;
  begin(&r, SBK__V12);
  msg = FRAME(&r, "SEND\na: b \n c:\n\n");
  assert_string_equal(sbk_message_header(msg, "a"), " b ");
  assert_string_equal(sbk_message_header(msg, " c"), "");
  sbk_message_unref(msg);
  end(&r);
}

static void keeps_cr_in_lines_of_old_versions(void **state) {
  struct reading r;
  sbk_message *msg;

  (void)state;
  begin(&r, SBK__V11);
  msg = FRAME(&r, "SEND\r\na:b\rc\r\r\n\n");
  assert_string_equal(sbk_message_header(msg, "a"), "b\rc\r");
  sbk_message_unref(msg);
  end(&r);
  assert_int_equal(FAULT(SBK__V10, "SEND\na:b\rc\n\n"), SBK__FAULT_NONE);
  assert_int_equal(FAULT(SBK__V12, "SEND\na:b\r\r\n\n"), SBK__FAULT_CR);
  assert_int_equal(fault_of(SBK__V10, false, "CONNECT\na:b\rc\n\n", 16),
                   SBK__FAULT_CR);
}

static void the_first_of_repeated_headers_counts(void **state) {
  struct reading r;
  sbk_message *msg;

  (void)state;
  begin(&r, SBK__V12);
  msg = FRAME(&r, "SEND\nk:1\nk:2\nj:3\nk:4\nid:5\nid:5\n\n");
  assert_int_equal(sbk_message_header_count(msg), 3);
  assert_string_equal(sbk_message_header(msg, "k"), "1");
  assert_string_equal(sbk_message_header(msg, "id"), "5");
  sbk_message_unref(msg);
  end(&r);
}

static void refuses_repeats_that_two_readers_may_take_apart(void **state) {
  static const char *const names[] = {"content-length", "destination", "id",
                                      "receipt", "transaction"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    struct reading r;

    begin(&r, SBK__V12);
    feedz(&r, "SEND\n");
    feedz(&r, names[i]);
    feedz(&r, ":1\n");
    feedz(&r, names[i]);
    assert_true(feedz(&r, ":1\n"));
    feedz(&r, names[i]);
    assert_false(feedz(&r, ":01\n"));
    assert_int_equal(r.fault, SBK__FAULT_REPEATED);
    end(&r);
  }
  /* Written differently, and yet the same. */
  assert_int_equal(FAULT(SBK__V12, "SEND\nid:a\\cb\nid:a:b\n\n"),
                   SBK__FAULT_NONE);
  /* Names have case. */
  assert_int_equal(FAULT(SBK__V12, "SEND\nid:1\nID:2\n\n"), SBK__FAULT_NONE);
}

static void reads_content_length_as_digits_only(void **state) {
  static const struct {
    const char *value;
    enum sbk__fault fault;
  } cases[] = {
      {"0", SBK__FAULT_NONE},
      {"00", SBK__FAULT_NONE},
      {"0000000000", SBK__FAULT_NONE},
      {"00000000000000000000000000", SBK__FAULT_NONE},
      {"", SBK__FAULT_CONTENT_LENGTH},
      {" 0", SBK__FAULT_CONTENT_LENGTH},
      {"0 ", SBK__FAULT_CONTENT_LENGTH},
      {"-1", SBK__FAULT_CONTENT_LENGTH},
      {"+1", SBK__FAULT_CONTENT_LENGTH},
      {"0x1", SBK__FAULT_CONTENT_LENGTH},
      {"1.0", SBK__FAULT_CONTENT_LENGTH},
      {"1e1", SBK__FAULT_CONTENT_LENGTH},
      {"1,2", SBK__FAULT_CONTENT_LENGTH},
      {"abc", SBK__FAULT_CONTENT_LENGTH},
      {"\xd9\xa1", SBK__FAULT_CONTENT_LENGTH},
      {"65537", SBK__FAULT_FRAME_SIZE},
      {"2147483648", SBK__FAULT_FRAME_SIZE},
      {"4294967296", SBK__FAULT_FRAME_SIZE},
      {"9999999999", SBK__FAULT_FRAME_SIZE},
      {"99999999999", SBK__FAULT_FRAME_SIZE},
      {"18446744073709551616", SBK__FAULT_FRAME_SIZE},
      {"18446744073709551617", SBK__FAULT_FRAME_SIZE},
      {"18446744073709551616x", SBK__FAULT_CONTENT_LENGTH},
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct reading r;

    begin(&r, SBK__V12);
    feedz(&r, "SEND\ncontent-length:");
    feedz(&r, cases[i].value);
    /* Decided at the header: nothing behind it is waited for. */
    feedz(&r, "\n");
    assert_int_equal(r.fault, cases[i].fault);
    end(&r);
  }
}

static void a_counted_body_may_hold_nul_and_must_end_there(void **state) {
  struct reading r;
  sbk_message *msg;
  const void *body;
  size_t len;

  (void)state;
  begin(&r, SBK__V12);
  msg = FRAME(&r, "SEND\ncontent-length:4\n\n\0a\0\0");
  body = sbk_message_body(msg, &len);
  assert_int_equal(len, 4);
  assert_memory_equal(body, "\0a\0\0", 4);
  assert_string_equal(sbk_message_header(msg, "content-length"), "4");
  sbk_message_unref(msg);
  end(&r);

  /* Less, and the next frame is not found in the body. */
  assert_int_equal(FAULT(SBK__V12, "SEND\ncontent-length:3\n\n\0a\0\1"),
                   SBK__FAULT_TERMINATOR);
  assert_int_equal(FAULT(SBK__V12, "SEND\ncontent-length:0\n\na"),
                   SBK__FAULT_TERMINATOR);
}

static void a_body_announced_longer_is_waited_for(void **state) {
  struct reading r;

  (void)state;
  begin(&r, SBK__V12);
  assert_true(feedz(&r, "SEND\ncontent-length:10\n\n12345"));
  assert_int_equal(r.frames, 0);
  assert_true(feed(&r, "\0\0\0\0\0", 5));
  assert_int_equal(r.frames, 0);
  assert_true(feed(&r, "\0", 1));
  assert_int_equal(r.frames, 1);
  end(&r);
}

static void in_1_0_a_body_elsewhere_is_ignored(void **state) {
  struct reading r;
  sbk_message *msg;
  size_t len;

  (void)state;
  begin(&r, SBK__V10);
  msg = FRAME(&r, "ACK\nmessage-id:1\n\nsome body");
  sbk_message_body(msg, &len);
  assert_int_equal(len, 0);
  sbk_message_unref(msg);
  msg = FRAME(&r, "ACK\ncontent-length:3\n\na\0b");
  sbk_message_body(msg, &len);
  assert_int_equal(len, 0);
  sbk_message_unref(msg);
  end(&r);
  assert_int_equal(FAULT(SBK__V10, "ACK\ncontent-length:2\n\nabc"),
                   SBK__FAULT_TERMINATOR);
  assert_int_equal(fault_of(SBK__V10, false, "CONNECT\n\nx\0", 11),
                   SBK__FAULT_BODY);
}

static void ignored_bodies_take_no_memory(void **state) {
  struct reading r;
  size_t i, bytes;

  (void)state;
  begin(&r, SBK__V10);
  assert_true(feedz(&r, "ACK\na:b\n\n"));
  bytes = r.mem.bytes;
  for (i = 0; i < 60; i++) {
    char body[1000];

    memset(body, 'x', sizeof(body));
    assert_true(feed(&r, body, sizeof(body)));
    assert_int_equal(r.mem.bytes, bytes);
  }
  end(&r);
}

static void ends_of_lines_between_frames_are_told(void **state) {
  struct reading r;

  (void)state;
  begin(&r, SBK__V12);
  assert_true(feedz(&r, "\n\r\n\n"));
  assert_int_equal(r.eols, 3);
  end(&r);
}

static void one_end_of_line_behind_a_frame_costs_nothing(void **state) {
  struct reading r;

  (void)state;
  begin(&r, SBK__V12);
  assert_true(feed(&r, "SEND\n\n\0\n", 8));
  assert_int_equal(r.eols, 0);
  assert_true(feedz(&r, "\r\n"));
  assert_int_equal(r.eols, 1);
  assert_true(feed(&r, "SEND\n\n\0\r\n\n", 10));
  assert_int_equal(r.eols, 2);
  assert_true(feed(&r, "SEND\n\n\0SEND\n\n\0", 14));
  assert_int_equal(r.eols, 2);
  assert_int_equal(r.frames, 4);
  end(&r);
}

/* Feeds a frame whose command, or one of whose headers, has that size. */
static enum sbk__fault line_of(size_t command, size_t name, size_t value,
                               const char *eol) {
  struct reading r;
  enum sbk__fault fault;
  size_t i;

  begin(&r, SBK__V12);
  if (command > 0) {
    for (i = 0; i < command; i++) {
      feedz(&r, "A");
    }
  } else {
    feedz(&r, "SEND\n");
    for (i = 0; i < name; i++) {
      feedz(&r, "n");
    }
    feedz(&r, ":");
    for (i = 0; i < value; i++) {
      feedz(&r, "v");
    }
  }
  feedz(&r, eol);
  fault = r.fault;
  end(&r);

  return fault;
}

static void limits_commands_below_at_and_above(void **state) {
  (void)state;
  assert_int_equal(line_of(15, 0, 0, "\n"), SBK__FAULT_COMMAND);
  assert_int_equal(line_of(16, 0, 0, "\n"), SBK__FAULT_COMMAND);
  assert_int_equal(line_of(16, 0, 0, "\r\n"), SBK__FAULT_COMMAND);
  assert_int_equal(line_of(17, 0, 0, "\n"), SBK__FAULT_COMMAND_SIZE);
  /* Nobody waits for the end of a line that is too long. */
  assert_int_equal(line_of(18, 0, 0, ""), SBK__FAULT_COMMAND_SIZE);
}

static void limits_header_lines_below_at_and_above(void **state) {
  (void)state;
  assert_int_equal(line_of(0, 1, 8189, "\n"), SBK__FAULT_NONE);
  assert_int_equal(line_of(0, 1, 8190, "\n"), SBK__FAULT_NONE);
  assert_int_equal(line_of(0, 1, 8190, "\r\n"), SBK__FAULT_NONE);
  assert_int_equal(line_of(0, 1, 8191, "\n"), SBK__FAULT_HEADER_LINE);
  assert_int_equal(line_of(0, 1, 8192, ""), SBK__FAULT_HEADER_LINE);
  assert_int_equal(line_of(0, 8191, 0, "\n"), SBK__FAULT_NONE);
  assert_int_equal(line_of(0, 8192, 0, "\n"), SBK__FAULT_HEADER_LINE);
}

static void limits_all_headers_together(void **state) {
  char line[4096];
  struct reading r;
  size_t i, last;

  (void)state;
  memset(line, 'x', sizeof(line));
  line[2] = ':';
  for (last = 4095; last <= 4097; last++) {
    begin(&r, SBK__V12);
    feedz(&r, "SEND\r\n");
    for (i = 0; i < 3; i++) {
      line[0] = (char)('a' + i);
      feed(&r, line, 4096);
      assert_true(feedz(&r, "\r\n"));
    }
    line[0] = 'z';
    feed(&r, line, 4095);
    for (i = 4095; i < last; i++) {
      feedz(&r, "y");
    }
    feed(&r, "\r\n\r\n", 5);
    assert_int_equal(r.fault,
                     last <= 4096 ? SBK__FAULT_NONE : SBK__FAULT_HEADER_BYTES);
    assert_int_equal(r.frames, last <= 4096);
    end(&r);
  }
}

static void limits_the_number_of_headers(void **state) {
  struct reading r;
  size_t count, i;

  (void)state;
  for (count = 63; count <= 65; count++) {
    begin(&r, SBK__V12);
    feedz(&r, "SEND\n");
    for (i = 0; i < count; i++) {
      feedz(&r, "same:x\n"); /* repeated ones count too */
    }
    feed(&r, "\n", 2);
    assert_int_equal(r.fault,
                     count <= 64 ? SBK__FAULT_NONE : SBK__FAULT_HEADERS);
    end(&r);
  }
}

/* A SEND of exactly that many bytes, counted or not. */
static enum sbk__fault frame_of_size(size_t size, bool counted,
                                     bool connected) {
  char *text = malloc(size);
  enum sbk__fault fault;
  size_t head;

  memset(text, 'b', size);
  if (connected) {
    memcpy(text,
           counted ? "SEND\ncontent-length:" : "SEND\nxxxxxxxxxxxxxx:", 20);
    text[20] = (char)('0' + (size - 28) / 10000);
    text[21] = (char)('0' + (size - 28) / 1000 % 10);
    text[22] = (char)('0' + (size - 28) / 100 % 10);
    text[23] = (char)('0' + (size - 28) / 10 % 10);
    text[24] = (char)('0' + (size - 28) % 10);
    memcpy(text + 25, "\n\n", 2);
  } else {
    /* Three lines, none too long. */
    memcpy(text, "CONNECT\na:", 10);
    for (head = 8000; head < size - 3; head += 8000) {
      memcpy(text + head, "\nb:", 3);
      text[head + 1] = (char)('b' + head / 8000);
    }
    memcpy(text + size - 3, "\n\n", 2);
  }
  text[size - 1] = '\0';
  fault = fault_of(SBK__V12, connected, text, size);
  free(text);

  return fault;
}

static void limits_frames_below_at_and_above(void **state) {
  (void)state;
  assert_int_equal(frame_of_size(65535, false, true), SBK__FAULT_NONE);
  assert_int_equal(frame_of_size(65536, false, true), SBK__FAULT_NONE);
  assert_int_equal(frame_of_size(65537, false, true), SBK__FAULT_FRAME_SIZE);
  assert_int_equal(frame_of_size(65535, true, true), SBK__FAULT_NONE);
  assert_int_equal(frame_of_size(65536, true, true), SBK__FAULT_NONE);
  assert_int_equal(frame_of_size(65537, true, true), SBK__FAULT_FRAME_SIZE);
}

static void limits_frames_before_connected_more(void **state) {
  (void)state;
  assert_int_equal(frame_of_size(16383, false, false), SBK__FAULT_NONE);
  assert_int_equal(frame_of_size(16384, false, false), SBK__FAULT_NONE);
  assert_int_equal(frame_of_size(16385, false, false),
                   SBK__FAULT_PREAUTH_FRAME);
}

static void the_smaller_of_two_limits_holds_before_connected(void **state) {
  struct reading r;

  (void)state;
  begin(&r, SBK__V12);
  r.rules.connected = false;
  r.limits.max_message = 20;
  assert_false(feedz(&r, "CONNECT\nlogin:abcdefghijkl\n"));
  assert_int_equal(r.fault, SBK__FAULT_PREAUTH_FRAME);
  end(&r);
}

static void holds_almost_nothing_between_frames(void **state) {
  struct reading r;
  size_t i;

  (void)state;
  begin(&r, SBK__V12);
  assert_true(feedz(&r, "\n\r\n"));
  assert_int_equal(r.mem.calls, 0);
  for (i = 0; i < 5; i++) {
    assert_true(feed(&r, "SEND\na:b\n\nbody", 15));
    assert_null(r.reader.work);
    /* What is kept serves all readers of a broker. */
    assert_true(r.mem.bytes <= 512);
  }
  sbk__stomp_work_free(&r.mem.mem, r.spare);
  r.spare = NULL;
  assert_int_equal(r.mem.blocks, 0);
  end(&r);
}

static void two_readers_share_what_is_kept(void **state) {
  sbk__stomp_reader other = {0};
  struct reading r;
  enum sbk__stomp_event event;
  sbk_message *msg = NULL;
  size_t used;

  (void)state;
  begin(&r, SBK__V12);
  feedz(&r, "SEND\na:b\n\nmine");
  assert_int_equal(sbk__stomp_read(&other, &r.rules, "ACK\nid:1\n\n", 11, &used,
                                   &event, &msg),
                   SBK__FAULT_NONE);
  assert_string_equal(sbk_message_header(msg, "id"), "1");
  assert_null(sbk_message_header(msg, "a"));
  assert_true(feed(&r, "", 1));
  assert_int_equal(r.frames, 1);
  sbk_message_unref(msg);
  sbk__stomp_clear(&other, &r.rules);
  end(&r);
}

/* LIMITS: peak heap for any input stays below 4 x the bytes received + 8 KiB.
 */
static void check_memory(struct reading *r, const char *data, size_t len) {
  size_t i;

  for (i = 0; i < len && feed(r, data + i, 1); i++) {
    assert_true(r->mem.peak <= 4 * (i + 1) + 8192);
  }
}

static void memory_follows_what_was_received(void **state) {
  static const char announced[] = "SEND\ncontent-length:65000\n\nab";
  static char text[70000];
  struct reading r;
  size_t i;

  (void)state;
  begin(&r, SBK__V12);
  check_memory(&r, announced, sizeof(announced) - 1);
  end(&r);

  memcpy(text, "SEND\n\n", 6);
  memset(text + 6, 'x', 60000);
  begin(&r, SBK__V12);
  check_memory(&r, text, 60007);
  assert_int_equal(r.frames, 1);
  end(&r);

  memcpy(text, "SEND\ncontent-length:60000\n\n", 27);
  memset(text + 27, 'x', 60000);
  text[60027] = '\0';
  begin(&r, SBK__V12);
  check_memory(&r, text, 60028);
  assert_int_equal(r.frames, 1);
  end(&r);

  memcpy(text, "SEND\n", 5);
  for (i = 0; i < 64; i++) {
    text[5 + 3 * i] = (char)(0x80 + i);
    memcpy(text + 6 + 3 * i, ":\n", 2);
  }
  memcpy(text + 5 + 192, "\n", 2);
  begin(&r, SBK__V12);
  check_memory(&r, text, 5 + 192 + 2);
  assert_int_equal(r.frames, 1);
  end(&r);

  for (i = 0; i < 1000; i++) {
    memcpy(text + 7 * i, "SEND\n\n", 7);
  }
  begin(&r, SBK__V12);
  check_memory(&r, text, 7000);
  assert_int_equal(r.frames, 1000);
  assert_true(r.mem.peak < 2048);
  end(&r);
}

static void survives_the_end_of_memory_anywhere(void **state) {
  static char text[5000] = "SEND\nreceipt:r\ndestination:/topic/a\n";
  size_t i, len = strlen(text), fail;
  struct reading r;

  (void)state;
  for (i = 0; i < 40; i++) {
    text[len++] = (char)('A' + i % 26);
    text[len++] = (char)('a' + i / 26);
    memcpy(text + len, ":value\n", 7);
    len += 7;
  }
  text[len++] = '\n';
  memset(text + len, 'b', 4000);
  len += 4001;

  for (fail = 0;; fail++) {
    begin(&r, SBK__V12);
    r.mem.fail_from = fail;
    for (i = 0; i < len && feed(&r, text + i, 1); i++) {
    }
    if (r.fault == SBK__FAULT_NONE) {
      assert_int_equal(r.frames, 1);
      end(&r);
      break;
    }
    assert_int_equal(r.fault, SBK__FAULT_NOMEM);
    assert_int_equal(r.frames, 0);
    end(&r);
  }
  assert_true(fail >= 8);
}

static void tells_headers_of_a_frame_that_failed(void **state) {
  struct reading r;

  (void)state;
  begin(&r, SBK__V12);
  assert_null(sbk__stomp_partial(&r.reader, "receipt"));
  assert_false(feedz(&r, "SEND\nreceipt:a\\cb\nbroken\n"));
  assert_string_equal(sbk__stomp_partial(&r.reader, "receipt"), "a:b");
  assert_null(sbk__stomp_partial(&r.reader, "broken"));
  assert_null(sbk__stomp_partial(&r.reader, "receip"));
  end(&r);
}

static void a_message_outlives_its_reader(void **state) {
  struct reading r;
  sbk_message *msg;
  sbk_buf *body;
  size_t len;

  (void)state;
  begin(&r, SBK__V12);
  msg = FRAME(&r, "SEND\na:b\n\nbytes");
  body = sbk_buf_ref(sbk_message_body_buf(msg));
  sbk__stomp_clear(&r.reader, &r.rules);
  assert_string_equal(sbk_message_header(msg, "a"), "b");
  assert_memory_equal(sbk_message_body(msg, &len), "bytes", 5);
  sbk_message_unref(msg);
  assert_int_equal(sbk_buf_len(body), 5);
  assert_memory_equal(sbk_buf_data(body), "bytes", 6);
  sbk_buf_unref(body);
  end(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_cut_in_two_gives_the_same_frames),
      cmocka_unit_test(byte_by_byte_gives_the_same_frames),
      cmocka_unit_test(cuts_do_not_matter_to_garbage_either),
      cmocka_unit_test(knows_every_command),
      cmocka_unit_test(refuses_commands_it_does_not_know),
      cmocka_unit_test(gives_each_fault_it_knows),
      cmocka_unit_test(undoes_the_escapes_of_each_version),
      cmocka_unit_test(takes_no_escape_but_the_four),
      cmocka_unit_test(connect_has_no_escapes),
      cmocka_unit_test(does_not_trim_values),
      cmocka_unit_test(keeps_cr_in_lines_of_old_versions),
      cmocka_unit_test(the_first_of_repeated_headers_counts),
      cmocka_unit_test(refuses_repeats_that_two_readers_may_take_apart),
      cmocka_unit_test(reads_content_length_as_digits_only),
      cmocka_unit_test(a_counted_body_may_hold_nul_and_must_end_there),
      cmocka_unit_test(a_body_announced_longer_is_waited_for),
      cmocka_unit_test(in_1_0_a_body_elsewhere_is_ignored),
      cmocka_unit_test(ignored_bodies_take_no_memory),
      cmocka_unit_test(ends_of_lines_between_frames_are_told),
      cmocka_unit_test(one_end_of_line_behind_a_frame_costs_nothing),
      cmocka_unit_test(limits_commands_below_at_and_above),
      cmocka_unit_test(limits_header_lines_below_at_and_above),
      cmocka_unit_test(limits_all_headers_together),
      cmocka_unit_test(limits_the_number_of_headers),
      cmocka_unit_test(limits_frames_below_at_and_above),
      cmocka_unit_test(limits_frames_before_connected_more),
      cmocka_unit_test(the_smaller_of_two_limits_holds_before_connected),
      cmocka_unit_test(holds_almost_nothing_between_frames),
      cmocka_unit_test(two_readers_share_what_is_kept),
      cmocka_unit_test(memory_follows_what_was_received),
      cmocka_unit_test(survives_the_end_of_memory_anywhere),
      cmocka_unit_test(tells_headers_of_a_frame_that_failed),
      cmocka_unit_test(a_message_outlives_its_reader),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
