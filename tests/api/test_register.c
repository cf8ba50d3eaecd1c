#include "api.h"

/* Callbacks may register things, also while what they add to is walked. */

struct host {
  struct counted_mem mem;
  sbk_broker *broker;
  int runs;
};

static int count_run(sbk_call *call, void *arg) {
  struct host *host = arg;

  (void)call;
  host->runs++;

  return 0;
}

static void add_many_handlers(sbk_session *session, const char *id,
                              const char *destination, void *arg) {
  struct host *host = arg;
  char pattern[] = "/a";

  (void)session;
  (void)id;
  (void)destination;
  for (; pattern[1] <= 'z'; pattern[1]++) {
    assert_int_equal(sbk_broker_add_handler(host->broker, SBK_SUBSCRIBE,
                                            pattern, count_run, NULL),
                     0);
  }
}

static void handlers_may_be_added_in_subscribed(void **state) {
  struct sbk_callbacks callbacks = SBK_CALLBACKS_INIT;
  struct host host = {0};
  sbk_conn *conn;

  (void)state;
  callbacks.subscribed = add_many_handlers;
  host.broker = new_broker(&host.mem, &callbacks, NULL, &host);
  assert_int_equal(sbk_broker_add_handler(host.broker, SBK_SUBSCRIBE, "/first",
                                          count_run, &host),
                   0);
  conn = connected_peer(host.broker, 1000);
  assert_int_equal(
      feed(conn, 1000, "SUBSCRIBE\nid:1\ndestination:/app/first\n\n^"), 0);
  assert_int_equal(host.runs, 1);
  free_broker(&host.mem, host.broker);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(handlers_may_be_added_in_subscribed),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
