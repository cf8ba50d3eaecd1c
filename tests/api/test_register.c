#include "api.h"

/* Callbacks may register things, also while what they add to is walked. */

struct host {
  struct counted_mem mem;
  sbk_broker *broker;
  sbk_call *call;
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

static int encode_and_register(sbk_broker *broker, const char *type,
                               const void *value, sbk_buf **out, void *arg) {
  struct sbk_converter more = SBK_CONVERTER_INIT;
  struct host *host = arg;

  (void)type;
  if (host->runs++ == 0) {
    more.content_type = "text/more";
    more.encode = encode_and_register;
    more.arg = host;
    assert_int_equal(sbk_broker_add_converter(broker, &more), 0);
  }
  *out = sbk_buf_copy(broker, value, strlen(value));

  return 0;
}

static void converters_may_be_added_in_encode(void **state) {
  struct sbk_converter first = SBK_CONVERTER_INIT;
  struct host host = {0};
  sbk_conn *conn;

  (void)state;
  host.broker = new_broker(&host.mem, NULL, NULL, &host);
  first.content_type = "text/first";
  first.encode = encode_and_register;
  first.arg = &host;
  assert_int_equal(sbk_broker_add_converter(host.broker, &first), 0);
  conn = connected_peer(host.broker, 1000);
  feed(conn, 1000, "SUBSCRIBE\nid:1\ndestination:/topic/a\n\n^");
  assert_int_equal(
      sbk_convert_and_send(host.broker, "/topic/a", NULL, "string", "x"), 1);
  assert_non_null(strstr(output(conn), "content-type:text/first\n"));
  free_broker(&host.mem, host.broker);
}

static enum sbk_verdict wait_once(sbk_call *call, void *arg) {
  struct host *host = arg;

  if (sbk_message_command(sbk_call_message(call)) != SBK_CONNECT) {
    return SBK_PASS;
  }
  host->runs++;
  host->call = call;

  return SBK_WAIT;
}

static enum sbk_verdict pass(sbk_call *call, void *arg) {
  (void)call;
  (void)arg;

  return SBK_PASS;
}

static void no_interceptor_runs_twice_when_one_comes_in_front(void **state) {
  struct host host = {0};
  sbk_conn *conn;

  (void)state;
  host.broker = new_broker(&host.mem, NULL, NULL, &host);
  assert_int_equal(
      sbk_broker_add_interceptor(host.broker, SBK_INBOUND, 1, wait_once, &host),
      0);
  assert_int_equal(sbk_conn_new(&conn, host.broker, SBK_TCP, NULL, NULL), 0);
  feed(conn, 1000, CONNECT);
  assert_int_equal(
      sbk_broker_add_interceptor(host.broker, SBK_INBOUND, 0, pass, NULL), 0);
  assert_int_equal(sbk_call_resume(host.call, SBK_PASS), 0);
  assert_int_equal(host.runs, 1);
  assert_non_null(strstr(output(conn), "CONNECTED\n"));
  free_broker(&host.mem, host.broker);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(handlers_may_be_added_in_subscribed),
      cmocka_unit_test(converters_may_be_added_in_encode),
      cmocka_unit_test(no_interceptor_runs_twice_when_one_comes_in_front),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
