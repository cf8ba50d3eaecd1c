#include "api.h"

/* What the host is told of ends, and what it may do then. */

struct host {
  struct counted_mem mem;
  sbk_broker *broker;
  sbk_call *call;
  sbk_session *session;
  int byes;
  int told;
  int resumed;
};

static enum sbk_verdict hold_sends(sbk_call *call, void *arg) {
  struct host *host = arg;
  enum sbk_command command = sbk_message_command(sbk_call_message(call));

  host->byes += command == SBK_DISCONNECT;
  if (command != SBK_SEND && command != SBK_CONNECT) {
    return SBK_PASS;
  }
  if (command == SBK_CONNECT && host->session == NULL) {
    return SBK_PASS;
  }
  host->call = call;

  return SBK_WAIT;
}

static void resume_late(sbk_session *session, int reason, void *arg) {
  struct host *host = arg;

  (void)session;
  (void)reason;
  host->told++;
  if (host->call != NULL) {
    host->resumed = sbk_call_resume(host->call, SBK_PASS);
  }
}

static void a_call_that_waits_lives_until_disconnected_returns(void **state) {
  struct sbk_callbacks callbacks = SBK_CALLBACKS_INIT;
  struct host host = {0};
  sbk_conn *conn;

  (void)state;
  callbacks.disconnected = resume_late;
  host.broker = new_broker(&host.mem, &callbacks, NULL, &host);
  sbk_broker_add_interceptor(host.broker, SBK_INBOUND, 0, hold_sends, &host);
  conn = connected_peer(host.broker, 1000);
  feed(conn, 1000, "SEND\ndestination:/topic/a\n\n^");
  assert_non_null(host.call);
  sbk_conn_free(conn);
  assert_int_equal(host.told, 1);
  assert_int_equal(host.resumed, SBK_ERR_STATE);
  free_broker(&host.mem, host.broker);
}

static void interceptors_hear_of_the_end_without_memory(void **state) {
  struct host host = {0};
  sbk_conn *conn;
  sbk_conn *other;

  (void)state;
  host.broker = new_broker(&host.mem, NULL, NULL, &host);
  sbk_broker_add_interceptor(host.broker, SBK_INBOUND, 0, hold_sends, &host);
  conn = connected_peer(host.broker, 1000);
  host.session = sbk_conn_session(conn);
  assert_int_equal(sbk_conn_new(&other, host.broker, SBK_TCP, NULL, NULL), 0);
  feed(other, 1000, CONNECT);
  assert_non_null(host.call);
  host.mem.fail_from = 0;
  sbk_conn_free(other);
  assert_int_equal(host.byes, 1);
  host.mem.fail_from = SIZE_MAX;
  free_broker(&host.mem, host.broker);
}

static enum sbk_verdict other_id(sbk_call *call, void *arg) {
  enum sbk_command command = sbk_message_command(sbk_call_message(call));

  if (command == SBK_SUBSCRIBE || command == SBK_UNSUBSCRIBE) {
    assert_int_equal(sbk_call_set_header(call, "id", arg), 0);
  }

  return SBK_PASS;
}

static const char *with_id(const char *id, const char *frame) {
  static char text[256];
  struct host host = {0};
  sbk_conn *conn;

  host.broker = new_broker(&host.mem, NULL, NULL, &host);
  conn = connected_peer(host.broker, 1000);
  feed(conn, 1000, "SUBSCRIBE\nid:1\ndestination:/topic/a\n\n^");
  sbk_broker_add_interceptor(host.broker, SBK_INBOUND, 0, other_id,
                             (void *)(uintptr_t)id);
  feed(conn, 1000, frame);
  memcpy(text, output(conn), sizeof(text) - 1); /* a NUL ends it */
  free_broker(&host.mem, host.broker);

  return text;
}

static void the_rules_hold_for_headers_of_interceptors_too(void **state) {
  static const char subscribe[] = "SUBSCRIBE\nid:2\ndestination:/topic/a\n\n^";
  char *id = malloc(70001);

  (void)state;
  assert_non_null(id);
  memset(id, 'x', 70000);
  id[70000] = '\0';
  assert_non_null(
      strstr(with_id("3", "UNSUBSCRIBE\nid:1\n\n^"), "no such subscription"));
  assert_non_null(strstr(with_id("1", subscribe), "id is in use"));
  assert_non_null(strstr(with_id(id, subscribe), "max_subscription_id"));
  assert_string_equal(with_id("3", subscribe), "");
  free(id);
}

static void send_on(enum sbk_log_level level, const char *line, void *arg) {
  struct host *host = arg;

  (void)level;
  host->told++;
  sbk_send(host->broker, "/topic/log", NULL, line, strlen(line));
  if (host->session != NULL) {
    sbk_session_close(host->session, "again");
  }
}

static void the_log_may_send_and_close(void **state) {
  struct sbk_callbacks callbacks = SBK_CALLBACKS_INIT;
  struct host host = {0};
  const char *text;
  sbk_conn *conn;

  (void)state;
  callbacks.log = send_on;
  host.broker = new_broker(&host.mem, &callbacks, NULL, &host);
  conn = connected_peer(host.broker, 1000);
  host.session = sbk_conn_session(conn);
  feed(conn, 1000, "SUBSCRIBE\nid:1\ndestination:/topic/log\n\n^");
  feed(conn, 1000, "UNSUBSCRIBE\nid:9\n\n^");
  assert_int_equal(host.told, 1);
  text = output(conn);
  assert_memory_equal(text, "ERROR\n", 6);
  assert_null(strstr(text + 1, "ERROR\n"));
  assert_null(strstr(text, "MESSAGE\n"));
  free_broker(&host.mem, host.broker);
}

static void an_error_gives_back_no_long_receipt(void **state) {
  struct host host = {0};
  char text[2000] = "CONNECT\nreceipt:";
  sbk_conn *conn;

  (void)state;
  host.broker = new_broker(&host.mem, NULL, NULL, &host);
  assert_int_equal(sbk_conn_new(&conn, host.broker, SBK_TCP, NULL, NULL), 0);
  memset(text + strlen(text), 'x', 1000);
  strcat(text, "\naccept-version:9\n\n^");
  feed(conn, 1000, text);
  assert_null(strstr(output(conn), "receipt-id"));
  free_broker(&host.mem, host.broker);
}

static void free_and_tick(sbk_broker *broker, sbk_task *task) {
  (void)task;
  sbk_broker_tick(broker, 9000);
  sbk_broker_free(broker);
}

static void a_task_neither_frees_the_broker_nor_ticks(void **state) {
  sbk_task tasks[2] = {{free_and_tick, NULL}, {free_and_tick, NULL}};
  struct host host = {0};

  (void)state;
  host.broker = new_broker(&host.mem, NULL, NULL, &host);
  sbk_post(host.broker, &tasks[0]);
  sbk_post(host.broker, &tasks[1]);
  sbk_broker_tick(host.broker, 2000);
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  free_broker(&host.mem, host.broker);
}

static enum sbk_verdict pass_on(sbk_call *call, void *arg) {
  sbk_message *msg = (sbk_message *)(uintptr_t)sbk_call_message(call);

  (void)arg;
  if (sbk_message_command(msg) == SBK_SEND) {
    assert_int_equal(sbk_send_message(sbk_call_broker(call), msg), 1);
  }

  return SBK_PASS;
}

static void what_was_passed_on_goes_out_as_a_message_of_its_own(void **state) {
  struct host host = {0};
  char first[64] = "", *second;
  const char *text;
  sbk_conn *conn;

  (void)state;
  host.broker = new_broker(&host.mem, NULL, NULL, &host);
  sbk_broker_add_interceptor(host.broker, SBK_INBOUND, 0, pass_on, NULL);
  conn = connected_peer(host.broker, 1000);
  feed(conn, 1000, "SUBSCRIBE\nid:1\ndestination:/topic/a\n\n^");
  feed(conn, 1000, "SEND\ndestination:/topic/a\npasscode:x\n\nbody^");
  text = strstr(output(conn), "message-id:");
  assert_non_null(text);
  memcpy(first, text, strcspn(text, "\n"));
  second = strstr(text + 1, "message-id:");
  assert_non_null(second);
  assert_null(strstr(second, first));
  assert_null(strstr(second, "passcode"));
  free_broker(&host.mem, host.broker);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_call_that_waits_lives_until_disconnected_returns),
      cmocka_unit_test(interceptors_hear_of_the_end_without_memory),
      cmocka_unit_test(the_log_may_send_and_close),
      cmocka_unit_test(an_error_gives_back_no_long_receipt),
      cmocka_unit_test(a_task_neither_frees_the_broker_nor_ticks),
      cmocka_unit_test(what_was_passed_on_goes_out_as_a_message_of_its_own),
      cmocka_unit_test(the_rules_hold_for_headers_of_interceptors_too),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
