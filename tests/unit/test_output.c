#include <string.h>

#include "unit.h"

#include "failing_mem.h"
#include "limits.h"
#include "output.h"
#include "stomp_write.h"

/* A session that has nothing but a queue and subscriptions. */
struct place {
  struct failing_mem mem;
  sbk_broker broker;
  sbk_session session;
  uint8_t expected[400000];
  size_t expected_len;
  size_t taken;
};

static struct place place;

static void begin(bool websocket) {
  memset(&place, 0, sizeof(place));
  failing_mem_init(&place.mem);
  test_core(&place.broker.core, &place.mem);
  sbk__rings_init(&place.broker.rings, &place.broker.core.mem);
  sbk__subs_init(&place.broker.subs, &place.broker.core);
  place.session.broker = &place.broker;
  place.session.websocket = websocket;
  place.session.version = SBK__V12;
}

static void end(void) {
  uint32_t i;

  sbk__output_clear(&place.session);
  for (i = 0; i < place.session.slot_count; i++) {
    if (place.session.subs[i] != NULL) {
      sbk__session_end_sub(&place.session, place.session.subs[i]);
    }
  }
  sbk__free(&place.mem.mem, place.session.subs);
  sbk__subs_free(&place.broker.subs);
  sbk__rings_free(&place.broker.rings);
  assert_int_equal(place.mem.blocks, 0);
}

static sbk__sub *subscribe(const char *id) {
  sbk__sub *sub = sbk__sub_new(&place.mem.mem, &place.session, SBK__V12, id,
                               strlen(id), "/topic/a", 8);

  assert_int_equal(sbk__session_add_sub(&place.session, sub), 0);

  return sub;
}

static void expect(const void *data, size_t len) {
  assert_true(place.expected_len + len <= sizeof(place.expected));
  memcpy(place.expected + place.expected_len, data, len);
  place.expected_len += len;
}

static void expect_head(uint8_t opcode, size_t len) {
  uint8_t head[10];

  if (place.session.websocket) {
    expect(head, sbk__ws_head(head, opcode, len));
  }
}

static void push(sbk__entry entry, size_t bytes) {
  assert_int_equal(sbk__outq_reserve(&place.session.out, &place.broker.rings),
                   0);
  sbk__outq_push(&place.session.out, entry, bytes);
}

static void push_frame(uint32_t kind, const void *data, size_t len) {
  sbk__entry entry = {{NULL}, kind, 0};

  entry.ref.buf = sbk__buf_new(&place.mem.mem, len);
  memcpy(sbk__buf_bytes(entry.ref.buf), data, len);
  place.session.controls += kind == SBK__OUT_CONTROL;
  push(entry, len);
  if (kind != SBK__OUT_CONTROL) {
    expect_head(kind == SBK__OUT_TEXT ? SBK__WS_TEXT : SBK__WS_BINARY, len);
  }
  expect(data, len);
}

/* A MESSAGE with a body of that size to a subscription. */
static void push_message(sbk__sub *sub, size_t body, uint8_t fill) {
  sbk_message *msg = sbk__message_new(&place.mem.mem, SBK_MESSAGE, 1);
  sbk__entry entry = {{NULL}, sub->slot, 0};
  const sbk__rest *rest;

  assert_int_equal(sbk__message_put(msg, "destination", "/topic/a"), 0);
  memcpy(msg->id, "1", 1);
  msg->id_len = 1;
  if (body > 0) {
    msg->text = sbk__buf_new(&place.mem.mem, body);
    memset(sbk__buf_bytes(msg->text), fill, body);
  }
  rest = sbk__message_rest(msg, SBK__V12, NULL);
  entry.ref.msg = msg;
  sub->queued++;
  push(entry, sub->head_len + rest->total);

  expect_head(fill < 128 ? SBK__WS_TEXT : SBK__WS_BINARY,
              sub->head_len + rest->total);
  expect(sub->data, sub->head_len);
  expect(rest->data, rest->head_len);
  if (!rest->flat) {
    expect(sbk_buf_data(msg->text), body);
    expect("", 1);
  }
}

static void push_random(sbk__sub *const *subs, uint32_t *random) {
  static uint8_t text[5000];
  uint32_t dice = test_random(random);

  memset(text, (int)('a' + dice % 26), sizeof(text));
  switch (dice / 32 % 5) {
  case 0:
    push_frame(SBK__OUT_TEXT, text, 1 + dice / 256 % 300);
    break;
  case 1:
    push_frame(SBK__OUT_BINARY, text, 1 + dice / 256 % 70);
    break;
  case 2:
    push_frame(SBK__OUT_CONTROL, "\x89\x02hi", 4);
    break;
  case 3:
    push_message(subs[dice / 256 % 3], dice / 2048 % 200, 'x');
    break;
  default:
    push_message(subs[dice / 256 % 3], dice / 2048 % 5000,
                 dice & 1 ? 'x' : 0xff);
    break;
  }
}

static void copies_the_same_bytes_again_until_they_are_sent(void **state) {
  static uint8_t out[400000];
  uint32_t random = 21;
  int websocket;
  size_t i, len;

  (void)state;
  for (websocket = 0; websocket < 2; websocket++) {
    sbk__sub *subs[3];

    begin(websocket);
    subs[0] = subscribe("0");
    subs[1] = subscribe("a longer id");
    subs[2] = subscribe("with:colon");
    for (i = 0; i < 100; i++) {
      push_random(subs, &random);
    }
    while (place.taken < place.expected_len) {
      size_t left = place.expected_len - place.taken;
      size_t cap = 1 + test_random(&random) % 3000;

      len = sbk__output_copy(&place.session, out, cap);
      assert_int_equal(len, cap < left ? cap : left);
      assert_memory_equal(out, place.expected + place.taken, len);
      len = test_random(&random) % (len + 1);
      sbk__output_sent(&place.session, len);
      place.taken += len;
    }
    assert_int_equal(sbk__output_copy(&place.session, out, 100), 0);
    assert_int_equal(place.session.out.count, 0);
    assert_int_equal(place.session.controls, 0);
    for (i = 0; i < 3; i++) {
      assert_int_equal(subs[i]->queued, 0);
    }
    end();
  }
}

static void stages_what_it_would_have_copied(void **state) {
  uint32_t random = 22;
  size_t i, step;

  (void)state;
  for (step = 0; step < 30; step++) {
    sbk__stage *stage;
    sbk__sub *subs[3];

    begin(step % 2);
    subs[0] = subscribe("0");
    subs[1] = subscribe("1");
    subs[2] = subscribe("2");
    stage = sbk__stage_new(&place.mem.mem);
    for (i = 0; i < 60; i++) {
      push_random(subs, &random);
    }
    /* What was begun by copying goes on as pieces. */
    place.taken = test_random(&random) % 200;
    sbk__output_sent(&place.session, place.taken);
    while (place.taken < place.expected_len) {
      struct iovec iov[50];
      int j, count;
      size_t at = place.taken;

      assert_int_equal(sbk__output_stage(&place.session, stage,
                                         1 + test_random(&random) % 9000),
                       0);
      count = sbk__stage_iov(stage, iov, 50);
      assert_true(count > 0);
      for (j = 0; j < count; j++) {
        assert_memory_equal(iov[j].iov_base, place.expected + at,
                            iov[j].iov_len);
        at += iov[j].iov_len;
      }
      at = 1 + test_random(&random) % (at - place.taken);
      assert_int_equal(sbk__stage_sent(stage, at), at);
      place.taken += at;
    }
    sbk__stage_free(stage);
    end();
  }
}

static void large_bodies_are_staged_without_a_copy(void **state) {
  struct iovec iov[8];
  sbk__stage *stage;
  sbk__entry *entry;
  const uint8_t *body;

  (void)state;
  begin(true);
  push_message(subscribe("0"), 4096, 'x');
  entry = sbk__outq_at(&place.session.out, 0);
  body = sbk_buf_data(entry->ref.msg->text);
  stage = sbk__stage_new(&place.mem.mem);
  assert_int_equal(sbk__output_stage(&place.session, stage, 65536), 0);
  assert_int_equal(sbk__stage_iov(stage, iov, 8), 3);
  assert_ptr_equal(iov[1].iov_base, body);
  assert_int_equal(iov[1].iov_len, 4096);
  assert_int_equal(iov[2].iov_len, 1);
  sbk__stage_free(stage);
  end();
}

static void runs_are_filled_to_their_ends(void **state) {
  static struct iovec iov[100];
  sbk__stage *stage;
  size_t i, at = 0;
  int count;

  (void)state;
  begin(true);
  for (i = 0; i < 3000; i++) {
    push_frame(SBK__OUT_TEXT, "0123456789", 1 + i % 10);
  }
  stage = sbk__stage_new(&place.mem.mem);
  assert_int_equal(sbk__output_stage(&place.session, stage, SIZE_MAX), 0);
  count = sbk__stage_iov(stage, iov, 100);
  assert_true(count > 1);
  for (i = 0; i < (size_t)count; i++) {
    assert_memory_equal(iov[i].iov_base, place.expected + at, iov[i].iov_len);
    at += iov[i].iov_len;
  }
  assert_int_equal(at, place.expected_len);
  sbk__stage_free(stage);
  end();
}

static void staging_keeps_the_queue_when_memory_ends(void **state) {
  static uint8_t out[10000];
  sbk__stage *stage;

  (void)state;
  begin(true);
  push_message(subscribe("0"), 4096, 'x');
  stage = sbk__stage_new(&place.mem.mem);
  place.mem.fail_from = place.mem.calls;
  assert_int_equal(sbk__output_stage(&place.session, stage, 65536),
                   SBK_ERR_NOMEM);
  assert_int_equal(stage->bytes, 0);
  assert_int_equal(sbk__output_copy(&place.session, out, sizeof(out)),
                   place.expected_len);
  assert_memory_equal(out, place.expected, place.expected_len);
  sbk__stage_free(stage);
  end();
}

static void dropping_keeps_what_is_half_sent(void **state) {
  static uint8_t out[10000];
  size_t first;

  (void)state;
  begin(true);
  push_message(subscribe("0"), 100, 'x');
  first = place.expected_len;
  push_message(subscribe("1"), 100, 'y');
  push_frame(SBK__OUT_CONTROL, "\x89\x00", 2);
  sbk__output_sent(&place.session, 7);
  sbk__output_drop(&place.session);
  assert_int_equal(sbk__output_copy(&place.session, out, sizeof(out)),
                   first - 7);
  assert_memory_equal(out, place.expected + 7, first - 7);
  assert_int_equal(place.session.controls, 0);
  sbk__output_sent(&place.session, first - 7);
  push_message(place.session.subs[0], 100, 'z');
  sbk__output_drop(&place.session);
  assert_int_equal(place.session.out.count, 0);
  assert_int_equal(place.session.out.bytes, 0);
  end();
}

static void a_pong_replaces_the_one_that_waits(void **state) {
  static uint8_t out[100];
  sbk_buf *pong;

  (void)state;
  begin(true);
  pong = sbk__ws_control(&place.mem.mem, SBK__WS_PONG, "new", 3);
  push_frame(SBK__OUT_TEXT, "frame", 5);
  assert_false(sbk__output_replace_pong(&place.session, pong));
  push_frame(SBK__OUT_CONTROL, "\x8a\x07old one", 9);
  push_frame(SBK__OUT_TEXT, "next", 4);
  assert_true(sbk__output_replace_pong(&place.session, pong));
  assert_int_equal(sbk__output_copy(&place.session, out, sizeof(out)), 18);
  assert_memory_equal(out,
                      "\x81\x05"
                      "frame\x8a\x03new\x81\x04next",
                      18);
  assert_int_equal(place.session.out.bytes, 5 + 5 + 4);

  /* Also behind one that is half sent. */
  sbk__output_sent(&place.session, 3);
  pong = sbk__ws_control(&place.mem.mem, SBK__WS_PONG, "now", 3);
  assert_true(sbk__output_replace_pong(&place.session, pong));

  /* But not when some of it has gone already. */
  sbk__output_sent(&place.session, 5);
  pong = sbk__ws_control(&place.mem.mem, SBK__WS_PONG, "late", 4);
  assert_false(sbk__output_replace_pong(&place.session, pong));
  sbk_buf_unref(pong);
  assert_int_equal(sbk__output_copy(&place.session, out, sizeof(out)), 10);
  assert_memory_equal(out, "\x03now\x81\x04next", 10);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(copies_the_same_bytes_again_until_they_are_sent),
      cmocka_unit_test(stages_what_it_would_have_copied),
      cmocka_unit_test(large_bodies_are_staged_without_a_copy),
      cmocka_unit_test(runs_are_filled_to_their_ends),
      cmocka_unit_test(staging_keeps_the_queue_when_memory_ends),
      cmocka_unit_test(dropping_keeps_what_is_half_sent),
      cmocka_unit_test(a_pong_replaces_the_one_that_waits),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
