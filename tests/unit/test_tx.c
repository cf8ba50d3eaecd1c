#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "limits.h"
#include "tx.h"

static struct failing_mem mem;
static sbk_broker broker;
static sbk_session session;

static void begin(void) {
  failing_mem_init(&mem);
  memset(&broker, 0, sizeof(broker));
  memset(&session, 0, sizeof(session));
  test_core(&broker.core, &mem);
  session.broker = &broker;
  session.version = SBK__V12;
}

static void end(void) {
  sbk__tx_end(&session);
  assert_null(session.transactions);
  assert_int_equal(mem.blocks, 0);
}

/* A frame with that transaction (NULL: none) and a body of len bytes. */
static sbk_message *frame(enum sbk_command command, const char *name,
                          size_t len) {
  sbk_message *msg = sbk__message_new(&mem.mem, command, 1);

  assert_non_null(msg);
  if (name != NULL) {
    assert_int_equal(sbk__message_put(msg, "transaction", name), 0);
  }
  if (len > 0) {
    msg->text = sbk__buf_new(&mem.mem, len);
    assert_non_null(msg->text);
    msg->text->len = len;
  }

  return msg;
}

static enum sbk__fault check(enum sbk_command command, const char *name,
                             size_t len) {
  sbk_message *msg = frame(command, name, len);
  enum sbk__fault fault = sbk__tx_check(&session, msg);

  sbk_message_unref(msg);

  return fault;
}

static int keep(const char *name, size_t len) {
  sbk_message *msg = frame(SBK_SEND, name, len);
  int rv = sbk__tx_keep(&session, msg);

  sbk_message_unref(msg);

  return rv;
}

static void knows_what_is_open(void **state) {
  static const enum sbk_command others[] = {SBK_SEND, SBK_ACK, SBK_NACK,
                                            SBK_COMMIT, SBK_ABORT};
  size_t i;
  sbk__tx *tx;

  (void)state;
  begin();
  assert_int_equal(check(SBK_BEGIN, NULL, 0), SBK__FAULT_TX_NAME);
  assert_int_equal(check(SBK_BEGIN, "", 0), SBK__FAULT_TX_NAME);
  for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
    assert_int_equal(check(others[i], "t", 0), SBK__FAULT_TX_UNKNOWN);
  }
  assert_int_equal(check(SBK_BEGIN, "t", 0), SBK__FAULT_NONE);
  assert_int_equal(sbk__tx_begin(&session, "t"), 0);
  assert_int_equal(sbk__tx_begin(&session, "u"), 0);
  assert_int_equal(check(SBK_BEGIN, "t", 0), SBK__FAULT_TX_KNOWN);
  for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
    assert_int_equal(check(others[i], "t", 0), SBK__FAULT_NONE);
    assert_int_equal(check(others[i], "T", 0), SBK__FAULT_TX_UNKNOWN);
    assert_int_equal(check(others[i], "tt", 0), SBK__FAULT_TX_UNKNOWN);
  }
  tx = sbk__tx_take(&session, "t");
  assert_string_equal(tx->name, "t");
  sbk__tx_free(&mem.mem, tx);
  assert_null(sbk__tx_take(&session, "t"));
  assert_int_equal(check(SBK_COMMIT, "t", 0), SBK__FAULT_TX_UNKNOWN);
  assert_int_equal(check(SBK_COMMIT, "u", 0), SBK__FAULT_NONE);
  end();
}

static void keeps_frames_in_order(void **state) {
  uint32_t i;
  sbk__tx *tx;

  (void)state;
  begin();
  assert_int_equal(sbk__tx_begin(&session, "t"), 0);
  assert_int_equal(sbk__tx_begin(&session, "u"), 0);
  for (i = 0; i < 100; i++) {
    assert_int_equal(keep(i % 3 == 0 ? "u" : "t", i), 0);
  }
  tx = sbk__tx_take(&session, "t");
  assert_int_equal(tx->count, 66);
  for (i = 0; i < tx->count; i++) {
    assert_int_equal(tx->frames[i]->text->len, i / 2 * 3 + i % 2 + 1);
  }
  sbk__tx_free(&mem.mem, tx);
  end(); /* u goes with the session */
}

static void has_limits(void **state) {
  char name[12];
  int i;

  (void)state;
  begin();
  broker.core.config.max_transaction = 3;
  broker.core.config.max_transactions = 4;
  broker.core.config.max_transaction_actions = 5;
  broker.core.config.max_transaction_bytes = 2000; /* 268 for each */
  assert_int_equal(check(SBK_BEGIN, "123", 0), SBK__FAULT_NONE);
  assert_int_equal(check(SBK_BEGIN, "1234", 0), SBK__FAULT_TX_SIZE);
  for (i = 0; i < 4; i++) {
    snprintf(name, sizeof(name), "%d", i);
    assert_int_equal(check(SBK_BEGIN, name, 0), SBK__FAULT_NONE);
    assert_int_equal(sbk__tx_begin(&session, name), 0);
  }
  assert_int_equal(check(SBK_BEGIN, "4", 0), SBK__FAULT_TX_COUNT);
  for (i = 0; i < 5; i++) {
    assert_int_equal(check(SBK_SEND, "0", 10), SBK__FAULT_NONE);
    assert_int_equal(keep("0", 10), 0);
  }
  assert_int_equal(check(SBK_ACK, "0", 0), SBK__FAULT_TX_ACTIONS);
  assert_int_equal(check(SBK_COMMIT, "0", 0), SBK__FAULT_NONE);
  assert_int_equal(check(SBK_SEND, "1", 1732), SBK__FAULT_NONE);
  assert_int_equal(check(SBK_SEND, "1", 1733), SBK__FAULT_TX_BYTES);
  assert_int_equal(keep("1", 1464), 0);
  assert_int_equal(check(SBK_SEND, "1", 1), SBK__FAULT_TX_BYTES);
  assert_int_equal(check(SBK_SEND, "1", 0), SBK__FAULT_NONE);
  end();
}

static void without_memory_it_is_as_before(void **state) {
  sbk_message *msg;
  uint32_t count;

  (void)state;
  begin();
  mem.fail_from = 0;
  assert_int_equal(sbk__tx_begin(&session, "t"), SBK_ERR_NOMEM);
  assert_null(session.transactions);
  mem.fail_from = SIZE_MAX;
  assert_int_equal(sbk__tx_begin(&session, "t"), 0);
  msg = frame(SBK_SEND, "t", 7);
  assert_int_equal(sbk__tx_keep(&session, msg), 0);
  mem.fail_from = 0;
  for (count = 1; sbk__tx_keep(&session, msg) == 0; count++) {
    assert_true(count < 100);
  }
  assert_int_equal(session.transactions->count, count);
  assert_int_equal(session.transactions->bytes, 275 * count);
  assert_int_equal(msg->refs, 1 + count);
  mem.fail_from = SIZE_MAX;
  assert_int_equal(sbk__tx_keep(&session, msg), 0);
  sbk__tx_end(&session);
  assert_int_equal(msg->refs, 1);
  sbk_message_unref(msg);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(knows_what_is_open),
      cmocka_unit_test(keeps_frames_in_order),
      cmocka_unit_test(has_limits),
      cmocka_unit_test(without_memory_it_is_as_before),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
