#include <stdio.h>

#include "api.h"

/* Sessions of WebSocket: held, closed, and before the first clock. */

#define MASK  "\x00\x00\x00\x00"
#define CLOSE "\x88\x82" MASK "\x03\xe8"

struct host {
  struct counted_mem mem;
  struct sbk_callbacks callbacks;
  sbk_broker *broker;
  sbk_call *call;
};

static enum sbk_verdict hold_all(sbk_call *call, void *arg) {
  struct host *host = arg;

  if (sbk_message_command(sbk_call_message(call)) == SBK_DISCONNECT) {
    return SBK_PASS;
  }
  host->call = call;

  return SBK_WAIT;
}

/* A text message of less than 126 bytes, its mask 0, ^ for NUL. */
static size_t put_message(char *dst, const char *text) {
  size_t i, len = strlen(text);

  memcpy(dst, "\x81\x80" MASK, 6);
  dst[1] = (char)(0x80 | len);
  for (i = 0; i < len; i++) {
    dst[6 + i] = text[i];
    if (text[i] == '^') {
      dst[6 + i] = '\0';
    }
  }

  return 6 + len;
}

static void a_close_is_seen_behind_what_is_held(void **state) {
  struct host host = {0};
  char bytes[512];
  sbk_conn *conn;
  size_t len;
  int early;

  (void)state;
  for (early = 0; early < 2; early++) {
    host.broker = new_broker(&host.mem, NULL, NULL, &host);
    sbk_broker_add_interceptor(host.broker, SBK_INBOUND, 0, hold_all, &host);
    assert_int_equal(
        sbk_conn_new(&conn, host.broker, SBK_WEBSOCKET, NULL, NULL), 0);
    len = put_message(bytes, CONNECT);
    len += put_message(bytes + len, "SEND\ndestination:/topic/a\n\n^");
    if (early) {
      memcpy(bytes + len, CLOSE, 8);
      len += 8;
    }
    sbk_conn_feed(conn, 1000, bytes, len);
    assert_int_equal(sbk_conn_wants(conn), SBK_WANT_HOLD);
    sbk_session_close(sbk_conn_session(conn), NULL);
    if (!early) {
      sbk_conn_feed(conn, 1000, CLOSE, 8);
    }
    assert_string_not_equal(output(conn), "");
    assert_int_equal(sbk_conn_wants(conn), 0);
    free_broker(&host.mem, host.broker);
  }
}

static void input_is_held_up_to_its_limit(void **state) {
  struct sbk_config config = SBK_CONFIG_INIT;
  struct host host = {0};
  char bytes[4096];
  sbk_conn *conn;
  size_t i, len = strlen("SEND\ndestination:/topic/a\n\n^");

  (void)state;
  config.max_queue = 1000;
  host.broker = new_broker(&host.mem, NULL, &config, &host);
  sbk_broker_add_interceptor(host.broker, SBK_INBOUND, 0, hold_all, &host);
  assert_int_equal(sbk_conn_new(&conn, host.broker, SBK_TCP, NULL, NULL), 0);
  strcpy(bytes, CONNECT);
  for (i = 0; i < 100; i++) {
    strcat(bytes, "SEND\ndestination:/topic/a\n\n^");
  }
  feed(conn, 1000, bytes);
  assert_int_equal(sbk_call_resume(host.call, SBK_PASS), 0);
  /* A SEND waits, and behind it there is more than the new limit. */
  assert_int_equal(feed(conn, 1000, "SEND"), SBK_ERR_TOO_BIG);
  free_broker(&host.mem, host.broker);

  /* What was taken does not stay. */
  host.broker = new_broker(&host.mem, NULL, NULL, &host);
  sbk_broker_add_interceptor(host.broker, SBK_INBOUND, 0, hold_all, &host);
  assert_int_equal(sbk_conn_new(&conn, host.broker, SBK_TCP, NULL, NULL), 0);
  strcpy(bytes, CONNECT);
  for (i = 0; i < 10; i++) {
    strcat(bytes, "SEND\ndestination:/topic/a\n\n^");
  }
  feed(conn, 1000, bytes);
  for (i = 0; i < 10000; i++) {
    assert_int_equal(sbk_call_resume(host.call, SBK_PASS), 0);
    feed(conn, 1000, "SEND\ndestination:/topic/a\n\n^");
    output(conn);
  }
  assert_in_range(host.mem.bytes, 0, 100 * len + 20000);
  free_broker(&host.mem, host.broker);
}

static int take_message(sbk_session *session, int binary, const void *data,
                        size_t len, void *arg) {
  (void)session;
  (void)binary;
  (void)data;
  (void)len;
  (void)arg;

  return 0;
}

static void greet(sbk_session *session, void *arg) {
  (void)arg;
  assert_int_equal(sbk_session_send(session, 0, "hello", 5), 0);
}

static void times_count_from_the_first_clock(void **state) {
  static const struct sbk_http_field fields[] = {
      {"Host", 4, "a", 1},
      {"Upgrade", 7, "websocket", 9},
      {"Connection", 10, "Upgrade", 7},
      {"Sec-WebSocket-Version", 21, "13", 2},
      {"Sec-WebSocket-Key", 17, "dGhlIHNhbXBsZSBub25jZQ==", 24}};
  struct sbk_http_request request = SBK_HTTP_REQUEST_INIT;
  struct sbk_callbacks callbacks = SBK_CALLBACKS_INIT;
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;
  struct sbk_config config = SBK_CONFIG_INIT;
  sbk_conn *conn, *full;
  sbk_broker *broker;
  const sbk_msec now = 86400000000;

  (void)state;
  callbacks.connected = greet;
  config.max_connections = 1;
  assert_int_equal(sbk_broker_new(&broker, &callbacks, &config, NULL), 0);
  endpoint.path = "/ws";
  endpoint.message = take_message;
  assert_int_equal(sbk_broker_add_endpoint(broker, &endpoint), 0);
  request.method = "GET";
  request.method_len = 3;
  request.target = "/ws";
  request.target_len = 3;
  request.fields = fields;
  request.field_count = 5;
  assert_int_equal(sbk_conn_new_request(&conn, broker, &request, NULL, NULL),
                   0);
  assert_int_equal(sbk_conn_new(&full, broker, SBK_HTTP, NULL, NULL), 0);
  sbk_broker_tick(broker, now);
  sbk_broker_tick(broker, now + 999);
  assert_int_equal(sbk_conn_wants(conn), SBK_WANT_READ | SBK_WANT_WRITE);
  assert_non_null(strstr(output(conn), "hello"));
  assert_non_null(strstr(output(full), "503"));
  sbk_session_close(sbk_conn_session(conn), NULL);
  sbk_broker_tick(broker, now + 5998);
  assert_int_equal(sbk_conn_wants(conn), SBK_WANT_READ | SBK_WANT_WRITE);
  sbk_broker_free(broker);

  /* The same for one that closes before. */
  assert_int_equal(sbk_broker_new(&broker, NULL, NULL, NULL), 0);
  assert_int_equal(sbk_conn_new(&conn, broker, SBK_WEBSOCKET, NULL, NULL), 0);
  sbk_session_close(sbk_conn_session(conn), NULL);
  sbk_broker_tick(broker, now);
  sbk_broker_tick(broker, now + 4999);
  assert_int_equal(sbk_conn_wants(conn), SBK_WANT_READ | SBK_WANT_WRITE);
  sbk_broker_tick(broker, now + 5000);
  assert_int_equal(sbk_conn_wants(conn), 0);
  sbk_broker_free(broker);
}

static int echo(sbk_session *session, int binary, const void *data, size_t len,
                void *arg) {
  (void)arg;

  return sbk_session_send(session, binary, data, len);
}

static void empty_messages_fill_a_queue_too(void **state) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;
  struct host host = {0};
  sbk_conn *conn;
  size_t i;
  int rv = 0;

  (void)state;
  host.broker = new_broker(&host.mem, NULL, NULL, &host);
  endpoint.path = "/echo";
  endpoint.message = echo;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
  assert_int_equal(sbk_conn_new(&conn, host.broker, SBK_HTTP, NULL, NULL), 0);
  feed(conn, 1000,
       "GET /echo HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  for (i = 0; i < 40000 && rv == 0; i++) {
    rv = sbk_conn_feed(conn, 1000, "\x82\x80" MASK, 6);
  }
  assert_int_equal(rv, SBK_ERR_SLOW);
  assert_in_range(i, 32000, 33000);
  free_broker(&host.mem, host.broker);
}

/* More than are looked through one by one: 64 in the library. */
#define MANY 200

static void many_subscriptions_are_told_apart(void **state) {
  struct counted_mem mem;
  char text[128], want[64];
  sbk_broker *broker = new_broker(&mem, NULL, NULL, NULL);
  sbk_conn *conn = connected_peer(broker, 1000);
  int i;

  (void)state;
  for (i = 0; i < MANY; i++) {
    snprintf(text, sizeof(text),
             "SUBSCRIBE\nid:s%d\ndestination:/topic/%d\n\n^", i, i);
    assert_int_equal(feed(conn, 1000, text), 0);
  }
  for (i = 0; i < MANY; i += 2) {
    snprintf(text, sizeof(text), "UNSUBSCRIBE\nid:s%d\n\n^", i);
    assert_int_equal(feed(conn, 1000, text), 0);
  }
  assert_string_equal(output(conn), "");
  for (i = 0; i < MANY; i++) {
    snprintf(text, sizeof(text), "/topic/%d", i);
    snprintf(want, sizeof(want), "\nsubscription:s%d\n", i);
    assert_int_equal(sbk_send(broker, text, NULL, "x", 1), i % 2);
    assert_int_equal(strstr(output(conn), want) != NULL, i % 2);
  }
  free_broker(&mem, broker);
}

/* Each of them would be a second subscription of the same id. */
static void no_id_of_many_is_taken_twice(void **state) {
  struct counted_mem mem;
  char text[128];
  int i, again;

  (void)state;
  for (again = 0; again < MANY; again += 13) {
    sbk_broker *broker = new_broker(&mem, NULL, NULL, NULL);
    sbk_conn *conn = connected_peer(broker, 1000);

    for (i = 0; i < MANY; i++) {
      snprintf(text, sizeof(text),
               "SUBSCRIBE\nid:s%d\ndestination:/topic/a\n\n^", i);
      assert_int_equal(feed(conn, 1000, text), 0);
    }
    assert_string_equal(output(conn), "");
    snprintf(text, sizeof(text), "SUBSCRIBE\nid:s%d\ndestination:/topic/b\n\n^",
             again);
    feed(conn, 1000, text);
    assert_memory_equal(output(conn), "ERROR\n", 6);
    free_broker(&mem, broker);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_close_is_seen_behind_what_is_held),
      cmocka_unit_test(input_is_held_up_to_its_limit),
      cmocka_unit_test(times_count_from_the_first_clock),
      cmocka_unit_test(empty_messages_fill_a_queue_too),
      cmocka_unit_test(many_subscriptions_are_told_apart),
      cmocka_unit_test(no_id_of_many_is_taken_twice),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
