#include "host.h"

/* What a host may do in the middle of a call, from callbacks that are easily
 * forgotten. */

static sbk_call *put_off;

static int on_send(sbk_call *call, void *arg) {
  (void)arg;
  put_off = call;

  return sbk_call_defer(call);
}

static int encode_and_finish(sbk_broker *broker, const char *type,
                             const void *value, sbk_buf **out, void *arg) {
  (void)type, (void)arg;
  assert_int_equal(sbk_call_finish(put_off, 0), 0);
  assert_int_equal(sbk_call_finish(put_off, 0), SBK_ERR_STATE);
  *out = sbk_buf_copy(broker, value, strlen(value));

  return *out != NULL ? 0 : SBK_ERR_NOMEM;
}

static void a_call_may_end_while_what_it_returns_is_encoded(void **state) {
  struct sbk_converter converter = SBK_CONVERTER_INIT;
  struct host host;
  struct peer ann;

  (void)state;
  host_begin(&host);
  converter.content_type = "text/plain";
  converter.encode = encode_and_finish;
  assert_int_equal(sbk_broker_add_converter(host.broker, &converter), 0);
  assert_int_equal(
      sbk_broker_add_handler(host.broker, SBK_SEND, "/x", on_send, NULL), 0);
  peer_open(&ann, &host, SBK_TCP);
  peer_connect(&ann, &host, "ann");
  peer_subscribe(&ann, "0", "/topic/x");
  peer_say(&ann, "SEND\ndestination:/app/x\nreceipt:r\n\n^");
  assert_string_equal(peer_hear(&ann), "");
  assert_int_equal(
      sbk_call_convert_and_return(put_off, NULL, "text", "the value"), 0);
  peer_hear(&ann);
  assert_non_null(strstr(ann.heard, "\n\nthe value^RECEIPT\nreceipt-id:r\n"));
  host_end(&host);
}

static size_t told;

static void send_and_free(enum sbk_log_level level, const char *line,
                          void *arg) {
  struct host *host = arg;

  (void)level;
  if (strstr(line, "left out") != NULL) {
    told++;
    assert_int_equal(sbk_send(host->broker, "/topic/x", NULL, "x", 1), 0);
    assert_int_equal(sbk_session_count(host->broker, NULL), 0);
    sbk_broker_free(host->broker);
  }
}

static void
the_last_line_of_the_log_is_told_while_there_is_a_broker(void **state) {
  struct host host;
  struct peer peer;
  int i;

  (void)state;
  told = 0;
  host_init(&host);
  host.callbacks.log = send_and_free;
  host_open(&host);
  for (i = 0; i < 12; i++) {
    peer_open(&peer, &host, SBK_HTTP);
    assert_int_equal(peer_say(&peer, "no request\r\n\r\n"), SBK_ERR_HTTP);
    peer_leave(&peer);
  }
  host_end(&host);
  assert_int_equal(told, 1);
}

static sbk_conn *other;

static int free_all(void *dst, size_t len, void *arg) {
  struct host *host = arg;

  memset(dst, 7, len);
  if (host->broker != NULL) {
    sbk_broker_tick(host->broker, host->now + 3600000);
    sbk_conn_free(other);
    sbk_broker_free(host->broker);
  }

  return 0;
}

static void
nothing_is_freed_while_the_host_is_asked_for_randomness(void **state) {
  struct host host;
  struct peer peer;

  (void)state;
  other = NULL;
  host_init(&host);
  host.callbacks.random = free_all;
  host_open(&host);
  assert_int_equal(sbk_conn_new(&other, host.broker, SBK_HTTP, NULL, NULL), 0);
  peer_open(&peer, &host, SBK_TCP);
  assert_int_equal(sbk_broker_conn_count(host.broker), 2);
  assert_non_null(strstr(host.log, " called from a callback"));
  host_end(&host);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_call_may_end_while_what_it_returns_is_encoded),
      cmocka_unit_test(
          the_last_line_of_the_log_is_told_while_there_is_a_broker),
      cmocka_unit_test(nothing_is_freed_while_the_host_is_asked_for_randomness),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
