#include "api.h"

/* Requests, answered early, late, and while things end. */

#define UPGRADE                                                                \
  "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"                      \
  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                       \
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
#define GET "GET /page HTTP/1.1\r\nHost: a\r\n\r\n"

struct host {
  struct counted_mem mem;
  struct sbk_callbacks callbacks;
  sbk_broker *broker;
  sbk_request *request;
  size_t body;
  int shut_down;
  int gone;
};

static enum sbk_verdict on_handshake(sbk_request *request, void *arg) {
  struct host *host = arg;

  host->request = request;
  if (host->shut_down) {
    sbk_broker_shutdown(host->broker);
    return SBK_PASS;
  }

  return SBK_WAIT;
}

static void on_request(sbk_request *request, void *arg) {
  struct host *host = arg;
  char *body = calloc(1, host->body + 1);

  assert_non_null(body);
  assert_int_equal(sbk_request_answer(request, 200, NULL, body, host->body), 0);
  free(body);
}

static void add_endpoint(struct host *host) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  endpoint.path = "/ws";
  assert_int_equal(sbk_broker_add_endpoint(host->broker, &endpoint), 0);
}

static sbk_conn *begin(struct host *host) {
  sbk_conn *conn;

  host->callbacks = (struct sbk_callbacks)SBK_CALLBACKS_INIT;
  host->callbacks.handshake = on_handshake;
  host->callbacks.request = on_request;
  host->broker = new_broker(&host->mem, &host->callbacks, NULL, host);
  add_endpoint(host);
  assert_int_equal(sbk_conn_new(&conn, host->broker, SBK_HTTP, NULL, NULL), 0);

  return conn;
}

static void nobody_is_let_in_after_a_shutdown(void **state) {
  struct host host = {0};
  sbk_conn *conn = begin(&host);

  (void)state;
  feed(conn, 1000, UPGRADE);
  sbk_broker_shutdown(host.broker);
  assert_int_equal(sbk_request_resume(host.request, SBK_PASS), 0);
  assert_null(sbk_conn_session(conn));
  assert_non_null(strstr(output(conn), "HTTP/1.1 503 "));
  free_broker(&host.mem, host.broker);

  memset(&host, 0, sizeof(host));
  host.shut_down = 1;
  conn = begin(&host);
  feed(conn, 1000, UPGRADE);
  assert_null(sbk_conn_session(conn));
  assert_non_null(strstr(output(conn), "HTTP/1.1 503 "));
  free_broker(&host.mem, host.broker);
}

static void a_refused_head_gets_no_body(void **state) {
  struct host host = {0};
  sbk_conn *conn = begin(&host);
  const char *text;

  (void)state;
  feed(conn, 1000, "HEAD /ws HTTP/1.1\r\nHost: a\r\n\r\n");
  text = output(conn);
  assert_non_null(strstr(text, "HTTP/1.1 405 "));
  assert_string_equal(text + strlen(text) - 4, "\r\n\r\n");
  free_broker(&host.mem, host.broker);
}

/* Takes up to max bytes off. */
static size_t drain(sbk_conn *conn, size_t max) {
  static char buf[65536];
  size_t len = sbk_conn_copy_out(conn, buf, max);

  sbk_conn_sent(conn, len);

  return len;
}

static void answers_nobody_reads_do_not_pile_up(void **state) {
  struct host host = {0};
  sbk_conn *conn = begin(&host);
  char text[20000] = "";
  size_t i, count = 0, len, all = 0;

  (void)state;
  host.body = 60000;
  for (i = 0; i < 300; i++) {
    strcat(text, GET);
  }
  feed(conn, 1000, text);
  assert_in_range(host.mem.bytes, 0, 200000);
  assert_int_equal(sbk_conn_wants(conn), SBK_WANT_WRITE);
  while ((len = drain(conn, 60000)) > 0) {
    all += len;
    count++;
    assert_in_range(host.mem.bytes, 0, 200000);
  }
  assert_in_range(count, 300, 700);
  assert_in_range(all, 300 * (size_t)60000, 300 * (size_t)60200);
  assert_int_equal(sbk_conn_wants(conn), SBK_WANT_READ);
  feed(conn, 1000, GET);
  assert_in_range(drain(conn, 65536), 60000, 60200);
  free_broker(&host.mem, host.broker);
}

/* Reads 1,000 bytes each 2 s from `request`'s answer. */
static void read_slowly(struct host *host, sbk_conn *conn) {
  size_t len, all = 0;
  sbk_msec now = 1000;

  while ((len = drain(conn, 1000)) > 0) {
    all += len;
    now += 2000;
    sbk_broker_tick(host->broker, now);
  }
  assert_in_range(all, host->body, host->body + 200);
}

static void a_slow_reader_gets_the_whole_answer(void **state) {
  struct host host = {0};
  sbk_conn *conn = begin(&host);

  (void)state;
  host.body = 30000;
  feed(conn, 1000, GET);
  read_slowly(&host, conn);
  assert_int_equal(sbk_conn_wants(conn), SBK_WANT_READ);
  free_broker(&host.mem, host.broker);

  conn = begin(&host);
  feed(conn, 1000,
       "GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  read_slowly(&host, conn);
  free_broker(&host.mem, host.broker);

  conn = begin(&host);
  feed(conn, 1000, GET);
  sbk_broker_shutdown(host.broker);
  read_slowly(&host, conn);
  free_broker(&host.mem, host.broker);

  conn = begin(&host);
  feed(conn, 1000, GET);
  sbk_conn_eof(conn, 0);
  read_slowly(&host, conn);
  assert_int_equal(sbk_conn_wants(conn), 0);
  free_broker(&host.mem, host.broker);
}

static void a_reader_that_stops_is_ended(void **state) {
  struct host host = {0};
  sbk_conn *conn = begin(&host);

  (void)state;
  host.body = 30000;
  feed(conn, 1000,
       "GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  sbk_broker_tick(host.broker, 10999);
  assert_true(sbk_conn_wants(conn) & SBK_WANT_WRITE);
  sbk_broker_tick(host.broker, 11000);
  assert_int_equal(sbk_conn_wants(conn), 0);
  free_broker(&host.mem, host.broker);

  conn = begin(&host);
  feed(conn, 1000, GET);
  drain(conn, 65536);
  sbk_broker_tick(host.broker, 10999);
  assert_int_equal(sbk_conn_wants(conn), SBK_WANT_READ);
  sbk_broker_tick(host.broker, 11000);
  assert_int_equal(sbk_conn_wants(conn), 0);
  free_broker(&host.mem, host.broker);
}

static void requests_that_came_before_the_end_are_answered(void **state) {
  struct host host = {0};
  sbk_conn *conn = begin(&host);
  size_t len, all = 0;

  (void)state;
  host.body = 10000;
  feed(conn, 1000, GET GET GET);
  sbk_conn_eof(conn, 0);
  while ((len = drain(conn, 65536)) > 0) {
    all += len;
  }
  assert_in_range(all, 3 * 10000, 3 * 10200);
  assert_int_equal(sbk_conn_wants(conn), 0);
  free_broker(&host.mem, host.broker);
}

static void count_gone(sbk_request *request, void *arg) {
  struct host *host = arg;

  (void)request;
  host->gone++;
}

static void a_decision_without_memory_ends_the_stream(void **state) {
  static const enum sbk_verdict verdicts[] = {SBK_PASS, SBK_REJECT};
  struct host host = {0};
  sbk_conn *conn;
  size_t i, n;

  (void)state;
  for (i = 0; i < 2; i++) {
    for (n = 0; n < 6; n++) {
      conn = begin(&host);
      host.gone = 0;
      sbk_broker_free(host.broker);
      host.callbacks.request_gone = count_gone;
      host.broker = new_broker(&host.mem, &host.callbacks, NULL, &host);
      add_endpoint(&host);
      assert_int_equal(sbk_conn_new(&conn, host.broker, SBK_HTTP, NULL, NULL),
                       0);
      feed(conn, 1000, UPGRADE);
      host.mem.fail_from = host.mem.calls + n;
      assert_int_equal(sbk_request_resume(host.request, verdicts[i]), 0);
      host.mem.fail_from = SIZE_MAX;
      if (n == 0) {
        assert_int_equal(sbk_conn_wants(conn), 0);
      }
      free_broker(&host.mem, host.broker);
      assert_int_equal(host.gone, 0);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nobody_is_let_in_after_a_shutdown),
      cmocka_unit_test(a_refused_head_gets_no_body),
      cmocka_unit_test(answers_nobody_reads_do_not_pile_up),
      cmocka_unit_test(a_slow_reader_gets_the_whole_answer),
      cmocka_unit_test(a_reader_that_stops_is_ended),
      cmocka_unit_test(requests_that_came_before_the_end_are_answered),
      cmocka_unit_test(a_decision_without_memory_ends_the_stream),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
