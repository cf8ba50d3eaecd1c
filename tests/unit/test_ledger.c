#include <string.h>

#include "unit.h"

#include "ledger.h"
#include "limits.h"

static struct failing_mem mem;
static sbk_broker broker;
static sbk_session session;

static void begin(void) {
  failing_mem_init(&mem);
  memset(&broker, 0, sizeof(broker));
  memset(&session, 0, sizeof(session));
  test_core(&broker.core, &mem);
  sbk__subs_init(&broker.subs, &broker.core);
  session.broker = &broker;
  session.version = SBK__V12;
}

static void end(void) {
  uint32_t i;

  for (i = 0; i < session.slot_count; i++) {
    if (session.subs[i] != NULL) {
      sbk__session_end_sub(&session, session.subs[i]);
    }
  }
  sbk__ledger_free(&session);
  sbk__free(&mem.mem, session.subs);
  sbk__subs_free(&broker.subs);
  assert_int_equal(mem.blocks, 0);
}

static sbk__sub *subscribe(const char *id) {
  sbk__sub *sub =
      sbk__sub_new(&mem.mem, &session, SBK__V12, id, strlen(id), "/topic/a", 8);

  assert_int_equal(sbk__session_add_sub(&session, sub), 0);
  sub->ack = SBK__ACK_INDIVIDUAL;
  sub->window = 100;

  return sub;
}

/* One that was sent already; its number. */
static uint64_t deliver(sbk__sub *sub, sbk_message *msg) {
  sbk__delivery *d = sbk__ledger_add(sub, msg, NULL, (sbk__queued){msg, 0});
  uint64_t number = d->number;

  sbk__delivery_left(&session, d, true);

  return number;
}

#define STEPS 20000

static void agrees_with_a_table_under_random_changes(void **state) {
  static struct { sbk__sub *sub; /* NULL: settled */ } model[STEPS + 1];
  uint32_t random = 91, unacked[3] = {0}, i, which;
  uint64_t count = 0, oldest, first;
  sbk_message *msg;
  sbk__sub *subs[3];

  (void)state;
  begin();
  memset(model, 0, sizeof(model));
  subs[0] = subscribe("a");
  subs[1] = subscribe("b");
  subs[2] = subscribe("c");
  msg = sbk__message_new(&mem.mem, SBK_MESSAGE, 0);
  for (i = 0; i < STEPS; i++) {
    uint32_t dice = test_random(&random) / 16;

    which = dice % 3;
    if (test_random(&random) % 2 == 0) {
      assert_int_equal(sbk__ledger_has_room(subs[which]), unacked[which] < 100);
      if (unacked[which] < 100) {
        assert_int_equal(deliver(subs[which], msg), ++count);
        model[count].sub = subs[which];
        unacked[which]++;
      }
    } else if (count > 0) {
      uint64_t number = count - dice % (count < 300 ? count : 300);
      sbk__delivery *d = sbk__ledger_find(&session, number);

      assert_int_equal(d != NULL, model[number].sub != NULL);
      if (d != NULL) {
        assert_int_equal(d->number, number);
        assert_int_equal(d->slot, model[number].sub->slot);
        unacked[model[number].sub->slot]--;
        sbk__ledger_settle(&session, d);
        model[number].sub = NULL;
      }
    }
    for (oldest = 1; oldest <= count && model[oldest].sub == NULL; oldest++) {
    }
    if (count > 0) {
      assert_int_equal(sbk__ledger_range(&session, &first), count + 1);
      assert_int_equal(first, oldest);
    }
    assert_true(sbk__ledger_knows(&session, count) == (count > 0));
    assert_false(sbk__ledger_knows(&session, count + 1));
    assert_false(sbk__ledger_knows(&session, 0));
    assert_null(sbk__ledger_find(&session, count + 1));
    assert_int_equal(subs[0]->unacked, unacked[0]);
    assert_int_equal(session.ledger != NULL ? session.ledger->live : 0,
                     unacked[0] + unacked[1] + unacked[2]);
  }
  for (oldest = sbk__ledger_range(&session, &first); first < oldest; first++) {
    sbk__delivery *d = sbk__ledger_find(&session, first);

    if (d != NULL) {
      sbk__ledger_settle(&session, d);
    }
  }
  assert_int_equal(msg->refs, 1);
  sbk_message_unref(msg);
  end();
}

static void a_hole_at_its_oldest_end_does_not_grow_for_ever(void **state) {
  sbk_message *msg;
  sbk__sub *sub;
  uint32_t count;

  (void)state;
  begin();
  sub = subscribe("a");
  msg = sbk__message_new(&mem.mem, SBK_MESSAGE, 0);
  deliver(sub, msg); /* and never acknowledged */
  for (count = 1; sbk__ledger_has_room(sub); count++) {
    uint64_t number = deliver(sub, msg);

    sbk__ledger_settle(&session, sbk__ledger_find(&session, number));
    assert_true(count < 100000);
  }
  assert_int_equal(count, 65536);
  assert_true(sbk__ledger_is_full(&session));
  sbk__ledger_settle(&session, sbk__ledger_find(&session, 1));
  assert_true(sbk__ledger_has_room(sub));
  sbk_message_unref(msg);
  end();
}

static void what_goes_out_says_what_it_is(void **state) {
  static const struct {
    enum sbk__version version;
    uint8_t ack;
    uint32_t tries;
    const char *extra;
  } cases[] = {
      {SBK__V12, SBK__ACK_CLIENT, 0, "ack:1\n"},
      {SBK__V12, SBK__ACK_INDIVIDUAL, 1, "ack:1\nredelivered:true\n"},
      {SBK__V12, SBK__ACK_AUTO, 0, ""},
      {SBK__V11, SBK__ACK_CLIENT, 0, ""},
      {SBK__V10, SBK__ACK_CLIENT, 3, "redelivered:true\n"},
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    sbk_message *msg;
    sbk__delivery *d;
    sbk__sub *sub;

    begin();
    session.version = (uint8_t)cases[i].version;
    sub = subscribe("a");
    sub->ack = cases[i].ack & 3u;
    msg = sbk__message_new(&mem.mem, SBK_MESSAGE, 0);
    /* A queue's are told from a topic's at their end, which is not here. */
    d = sbk__ledger_add(sub, msg, NULL, (sbk__queued){msg, cases[i].tries});
    assert_int_equal(d->extra_len, strlen(cases[i].extra));
    assert_memory_equal(d->extra, cases[i].extra, d->extra_len);
    if (d->number == 0) {
      sbk_message_unref(d->msg);
      sbk_message_unref(d->kept);
      sbk__free(&mem.mem, d);
    } else {
      sbk__delivery_left(&session, d, true);
      sbk__ledger_settle(&session, sbk__ledger_find(&session, 1));
    }
    sbk_message_unref(msg);
    end();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_a_table_under_random_changes),
      cmocka_unit_test(a_hole_at_its_oldest_end_does_not_grow_for_ever),
      cmocka_unit_test(what_goes_out_says_what_it_is),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
