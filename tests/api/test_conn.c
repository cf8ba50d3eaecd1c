#include "host.h"

/* A raw stream that connects at once. */
static sbk_conn *add(struct host *host, enum sbk_transport transport, int rv) {
  sbk_conn *conn = (sbk_conn *)(uintptr_t)1;

  assert_int_equal(sbk_conn_new(&conn, host->broker, transport, NULL, NULL),
                   rv);
  assert_int_equal(conn == NULL, rv != 0);

  return conn;
}

static void refuses_transports_it_does_not_know(void **state) {
  struct host host;

  (void)state;
  host_begin(&host);
  add(&host, (enum sbk_transport)0, SBK_ERR_INVAL);
  add(&host, (enum sbk_transport)4, SBK_ERR_INVAL);
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  host_end(&host);
}

static void limits_pending_ones_below_at_and_above(void **state) {
  struct host host;
  struct peer peer;
  sbk_conn *first;

  (void)state;
  host_init(&host);
  host.config.max_connections = 10;
  host.config.max_pending = 3;
  host_open(&host);
  first = add(&host, SBK_TCP, 0);
  add(&host, SBK_HTTP, 0);
  memset(&peer, 0, sizeof(peer));
  peer_open(&peer, &host, SBK_TCP);
  add(&host, SBK_TCP, SBK_ERR_TOO_MANY);
  add(&host, SBK_WEBSOCKET, SBK_ERR_TOO_MANY);
  assert_int_equal(sbk_broker_conn_count(host.broker), 3);
  /* One that connects, or leaves, makes room. */
  peer_connect(&peer, &host, NULL);
  add(&host, SBK_TCP, 0);
  add(&host, SBK_TCP, SBK_ERR_TOO_MANY);
  sbk_conn_free(first);
  add(&host, SBK_TCP, 0);
  add(&host, SBK_TCP, SBK_ERR_TOO_MANY);
  host_end(&host);
}

static void limits_all_of_them_below_at_and_above(void **state) {
  struct peer peers[3];
  struct host host;
  size_t i;

  (void)state;
  host_init(&host);
  host.config.max_connections = 3;
  host.config.max_pending = 3;
  host_open(&host);
  memset(peers, 0, sizeof(peers));
  for (i = 0; i < 3; i++) {
    peer_connect(&peers[i], &host, NULL);
  }
  add(&host, SBK_TCP, SBK_ERR_TOO_MANY);
  peer_leave(&peers[1]);
  add(&host, SBK_TCP, 0);
  add(&host, SBK_TCP, SBK_ERR_TOO_MANY);
  assert_int_equal(sbk_broker_conn_count(host.broker), 3);
  host_end(&host);
}

static void says_503_beyond_the_limits(void **state) {
  struct host host;
  struct peer peer;

  (void)state;
  host_init(&host);
  host.config.max_connections = 1;
  host_open(&host);
  add(&host, SBK_TCP, 0);
  peer_open(&peer, &host, SBK_HTTP);
  assert_int_equal(sbk_conn_wants(peer.conn) & SBK_WANT_WRITE, SBK_WANT_WRITE);
  assert_int_equal(peer_say(&peer, UPGRADE("/ws")), SBK_ERR_TOO_MANY);
  assert_non_null(strstr(peer_hear(&peer), "HTTP/1.1 503 "));
  assert_non_null(strstr(peer.heard, "\r\nRetry-After: "));
  assert_non_null(strstr(peer.heard, "\r\nConnection: close\r\n"));
  assert_string_equal(host.events, "");
  /* It is listened to for a while, then it ends. */
  assert_int_equal(sbk_conn_wants(peer.conn),
                   SBK_WANT_READ | SBK_WANT_SHUTDOWN);
  host_wait(&host, 1000);
  assert_int_equal(sbk_conn_wants(peer.conn), 0);
  host_end(&host);
}

static void says_503_to_64_at_a_time(void **state) {
  struct host host;
  sbk_conn *conn = NULL;
  int i;

  (void)state;
  host_init(&host);
  host.config.max_connections = 1;
  host_open(&host);
  add(&host, SBK_TCP, 0);
  for (i = 0; i < 64; i++) {
    conn = add(&host, SBK_HTTP, 0);
  }
  add(&host, SBK_HTTP, SBK_ERR_TOO_MANY);
  assert_int_equal(sbk_broker_conn_count(host.broker), 65);
  sbk_conn_free(conn);
  add(&host, SBK_HTTP, 0);
  add(&host, SBK_HTTP, SBK_ERR_TOO_MANY);
  host_end(&host);
}

static void says_503_before_the_clock_was_ever_read(void **state) {
  struct host host;
  struct peer peer;

  (void)state;
  host_init(&host);
  host.config.max_connections = 1;
  assert_int_equal(
      sbk_broker_new(&host.broker, &host.callbacks, &host.config, &host), 0);
  add(&host, SBK_TCP, 0);
  peer_open(&peer, &host, SBK_HTTP);
  sbk_broker_tick(host.broker, 5000000);
  assert_non_null(strstr(peer_hear(&peer), "HTTP/1.1 503 "));
  host_end(&host);
}

static void is_as_before_when_memory_ends(void **state) {
  static const enum sbk_transport transports[] = {SBK_HTTP, SBK_WEBSOCKET,
                                                  SBK_TCP};
  struct host host;
  sbk_conn *conn;
  size_t i, fail, blocks;
  int rv;

  (void)state;
  for (i = 0; i < 3; i++) {
    host_begin(&host);
    /* The table of timers stays when it has grown. */
    sbk_conn_free(add(&host, SBK_TCP, 0));
    blocks = host.mem.blocks;
    for (fail = 0;; fail++) {
      host.mem.fail_from = host.mem.calls + fail;
      rv = sbk_conn_new(&conn, host.broker, transports[i], "name", NULL);
      if (rv == 0) {
        break;
      }
      assert_int_equal(rv, SBK_ERR_NOMEM);
      assert_null(conn);
      assert_int_equal(host.mem.blocks, blocks);
      assert_int_equal(sbk_broker_conn_count(host.broker), 0);
    }
    assert_true(fail >= 2);
    host_end(&host);
  }
}

static void keeps_the_hosts_pointer(void **state) {
  struct host host;
  sbk_conn *conn;
  int mine, other;

  (void)state;
  host_begin(&host);
  assert_int_equal(sbk_conn_new(&conn, host.broker, SBK_TCP, "p", &mine), 0);
  assert_ptr_equal(sbk_conn_user_data(conn), &mine);
  sbk_conn_set_user_data(conn, &other);
  assert_ptr_equal(sbk_conn_user_data(conn), &other);
  sbk_conn_set_user_data(conn, NULL);
  assert_null(sbk_conn_user_data(conn));
  host_end(&host);
  sbk_conn_free(NULL);
}

static void each_ready_connection_comes_once(void **state) {
  struct peer peers[3];
  struct host host;
  sbk_conn *conn;
  size_t i, count = 0;

  (void)state;
  host_begin(&host);
  memset(peers, 0, sizeof(peers));
  for (i = 0; i < 3; i++) {
    peer_connect(&peers[i], &host, NULL);
    peer_subscribe(&peers[i], "0", "/topic/a");
  }
  while (sbk_broker_next_ready(host.broker) != NULL) {
  }
  assert_null(sbk_broker_next_ready(host.broker));
  assert_int_equal(sbk_send(host.broker, "/topic/a", NULL, "x", 1), 3);
  assert_int_equal(sbk_send(host.broker, "/topic/a", NULL, "y", 1), 3);
  while ((conn = sbk_broker_next_ready(host.broker)) != NULL) {
    struct peer *peer = sbk_conn_user_data(conn);

    assert_int_equal(sbk_conn_wants(conn), SBK_WANT_READ | SBK_WANT_WRITE);
    assert_int_equal(times(peer_hear(peer), "MESSAGE\n"), 2);
    assert_int_equal(sbk_conn_wants(conn), SBK_WANT_READ);
    count++;
  }
  assert_int_equal(count, 3);
  /* It may be freed when it comes. */
  sbk_send(host.broker, "/topic/a", NULL, "z", 1);
  while ((conn = sbk_broker_next_ready(host.broker)) != NULL) {
    sbk_conn_free(conn);
  }
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  host_end(&host);
}

/* Twice the same, with both ways to take output. */
static size_t talk(struct host *host, struct peer *peer, bool pieces,
                   uint8_t *out) {
  static char body[5000];
  uint32_t random = 91;
  size_t i, len = 0;

  memset(peer, 0, sizeof(*peer));
  peer_connect(peer, host, "ann");
  peer_subscribe(peer, "0", "/topic/a");
  for (i = 0; i < 60; i++) {
    memset(body, (int)('a' + i % 26), sizeof(body));
    assert_int_equal(sbk_send(host->broker, "/topic/a", NULL, body,
                              test_random(&random) % sizeof(body)),
                     1);
  }
  for (;;) {
    size_t part = 0, most = 1 + test_random(&random) % 6000;

    if (pieces) {
      struct iovec iov[7];
      int j, count = sbk_conn_output(peer->conn, iov, 7);

      for (j = 0; j < count; j++) {
        memcpy(out + len + part, iov[j].iov_base, iov[j].iov_len);
        part += iov[j].iov_len;
      }
    } else {
      part = sbk_conn_copy_out(peer->conn, out + len, 6000);
    }
    if (part == 0) {
      return len;
    }
    part = part < most ? part : most;
    sbk_conn_sent(peer->conn, part);
    len += part;
  }
}

static int same_random(void *dst, size_t len, void *arg) {
  (void)arg;
  memset(dst, 0x42, len);
  return 0;
}

static void both_ways_of_output_give_the_same_bytes(void **state) {
  static uint8_t out[2][300000];
  struct host host;
  struct peer peer;
  size_t lens[2];
  int i;

  (void)state;
  for (i = 0; i < 2; i++) {
    host_init(&host);
    host.callbacks.random = same_random;
    host_open(&host);
    lens[i] = talk(&host, &peer, i, out[i]);
    assert_int_equal(sbk_conn_wants(peer.conn), SBK_WANT_READ);
    host_end(&host);
  }
  assert_true(lens[0] > 100000);
  assert_int_equal(lens[0], lens[1]);
  assert_memory_equal(out[0], out[1], lens[0]);
}

static void output_not_counted_off_comes_again(void **state) {
  uint8_t a[300], b[300];
  struct host host;
  struct peer peer;
  size_t len;

  (void)state;
  host_begin(&host);
  memset(&peer, 0, sizeof(peer));
  peer_connect(&peer, &host, NULL);
  peer_subscribe(&peer, "0", "/topic/a");
  sbk_send(host.broker, "/topic/a", NULL, "body", 4);
  len = sbk_conn_copy_out(peer.conn, a, sizeof(a));
  assert_true(len > 50);
  assert_int_equal(sbk_conn_copy_out(peer.conn, b, sizeof(b)), len);
  assert_memory_equal(a, b, len);
  sbk_conn_sent(peer.conn, 10);
  assert_int_equal(sbk_conn_copy_out(peer.conn, b, sizeof(b)), len - 10);
  assert_memory_equal(a + 10, b, len - 10);
  assert_int_equal(sbk_conn_copy_out(peer.conn, b, 0), 0);
  assert_int_equal(sbk_conn_copy_out(peer.conn, b, 7), 7);
  assert_memory_equal(a + 10, b, 7);
  host_end(&host);
}

/* Pieces that were handed out, with a copy of what they were. */
static void pieces_stay_whatever_else_is_called(void **state) {
  static char body[9000], copy[64][9100];
  struct iovec iov[64], again[64];
  struct host host;
  struct peer peer, other;
  int i, count, step;

  (void)state;
  host_begin(&host);
  peer_upgrade(&peer, &host, UPGRADE("/ws"));
  peer_connect(&peer, &host, "ann");
  peer_subscribe(&peer, "0", "/topic/a");
  memset(&other, 0, sizeof(other));
  peer_connect(&other, &host, "bob");
  for (i = 0; i < 10; i++) {
    memset(body, 'a' + i, sizeof(body));
    sbk_send(host.broker, "/topic/a", NULL, body, i % 2 ? 9000 : 30);
  }
  count = sbk_conn_output(peer.conn, iov, 64);
  assert_true(count > 5);
  for (i = 0; i < count; i++) {
    assert_true(iov[i].iov_len <= sizeof(copy[i]));
    memcpy(copy[i], iov[i].iov_base, iov[i].iov_len);
  }
  for (step = 0; step < 8; step++) {
    switch (step) {
    case 0:
      sbk_send(host.broker, "/topic/a", NULL, body, 9000);
      break;
    case 1:
      peer_frame(&peer, 9, "ping", 4);
      break;
    case 2:
      peer_say(&peer, "UNSUBSCRIBE\nid:0\n\n^");
      break;
    case 3:
      peer_subscribe(&other, "9", "/topic/a");
      sbk_send(host.broker, "/topic/a", NULL, body, 9000);
      peer_hear(&other);
      break;
    case 4:
      host_wait(&host, 5000);
      break;
    case 5:
      sbk_session_close(sbk_conn_session(peer.conn), "enough");
      break;
    case 6:
      sbk_broker_shutdown(host.broker);
      peer_leave(&other);
      break;
    default:
      sbk_conn_eof(peer.conn, 5);
      break;
    }
    if (step < 7) {
      assert_true(sbk_conn_output(peer.conn, again, 64) >= count);
      for (i = 0; i < count; i++) {
        assert_ptr_equal(again[i].iov_base, iov[i].iov_base);
        /* Behind the last one there may be more by now. */
        assert_true(again[i].iov_len >= iov[i].iov_len);
        assert_true(i == count - 1 || again[i].iov_len == iov[i].iov_len);
      }
    }
    for (i = 0; i < count; i++) {
      assert_memory_equal(copy[i], iov[i].iov_base, iov[i].iov_len);
    }
  }
  assert_int_equal(sbk_conn_wants(peer.conn), 0);
  host_end(&host);
}

static void a_session_is_there_from_its_opening_to_its_end(void **state) {
  struct host host;
  struct peer peer;
  sbk_session *session;

  (void)state;
  host_begin(&host);
  peer_open(&peer, &host, SBK_HTTP);
  assert_null(sbk_conn_session(peer.conn));
  assert_int_equal(peer_say(&peer, UPGRADE("/ws")), 0);
  session = sbk_conn_session(peer.conn);
  assert_non_null(session);
  assert_string_equal(sbk_session_endpoint(session), "/ws");
  assert_string_equal(sbk_session_peer(session), "peer");
  assert_ptr_equal(sbk_session_broker(session), host.broker);
  sbk_session_close(session, NULL);
  assert_null(sbk_conn_session(peer.conn));
  host_end(&host);
}

static void nothing_is_taken_after_the_end(void **state) {
  struct host host;
  struct peer peer;

  (void)state;
  host_begin(&host);
  memset(&peer, 0, sizeof(peer));
  peer_connect(&peer, &host, "ann");
  peer_subscribe(&peer, "0", "/topic/a");
  sbk_conn_eof(peer.conn, 0);
  assert_string_equal(host.events,
                      "connected ann;subscribed 0 /topic/a;"
                      "unsubscribed 0 /topic/a;disconnected ann -204;");
  assert_int_equal(peer_say(&peer, "SEND\ndestination:/topic/a\n\nx^"),
                   SBK_ERR_EOF);
  sbk_conn_eof(peer.conn, 0);
  sbk_conn_eof(peer.conn, 9);
  assert_int_equal(sbk_conn_wants(peer.conn), 0);
  assert_int_equal(times(host.events, "disconnected"), 1);
  host_end(&host);
  assert_int_equal(times(host.events, "disconnected"), 1);
}

static void what_waits_for_a_peer_that_ended_its_side_is_sent(void **state) {
  struct host host;
  struct peer peer;

  (void)state;
  host_begin(&host);
  memset(&peer, 0, sizeof(peer));
  peer_connect(&peer, &host, "ann");
  peer_subscribe(&peer, "0", "/topic/a");
  sbk_send(host.broker, "/topic/a", NULL, "last words", 10);
  sbk_conn_eof(peer.conn, 0);
  assert_int_equal(sbk_conn_wants(peer.conn), SBK_WANT_WRITE);
  assert_non_null(strstr(peer_hear(&peer), "\n\nlast words^"));
  assert_int_equal(sbk_conn_wants(peer.conn), 0);
  host_end(&host);
}

static void a_broken_socket_gets_nothing_more(void **state) {
  struct host host;
  struct peer peer;

  (void)state;
  host_begin(&host);
  memset(&peer, 0, sizeof(peer));
  peer_connect(&peer, &host, "ann");
  peer_subscribe(&peer, "0", "/topic/a");
  sbk_send(host.broker, "/topic/a", NULL, "lost", 4);
  sbk_conn_eof(peer.conn, 104);
  assert_int_equal(sbk_conn_wants(peer.conn), 0);
  assert_string_equal(peer_hear(&peer), "");
  assert_int_equal(sbk_send(host.broker, "/topic/a", NULL, "x", 1), 0);
  host_end(&host);
}

static void lets_no_one_in_after_a_shutdown(void **state) {
  struct sbk_http_request request = SBK_HTTP_REQUEST_INIT;
  struct peer ws, raw, http;
  struct host host;
  sbk_conn *conn;

  (void)state;
  host_begin(&host);
  peer_upgrade(&ws, &host, UPGRADE("/ws"));
  peer_connect(&ws, &host, "ann");
  memset(&raw, 0, sizeof(raw));
  peer_connect(&raw, &host, "bob");
  peer_open(&http, &host, SBK_HTTP);
  host_forget(&host);
  sbk_broker_shutdown(host.broker);
  assert_int_equal(times(host.events, "disconnected"), 2);
  assert_string_equal(peer_hear(&ws), "<1001>");
  add(&host, SBK_HTTP, SBK_ERR_STATE);
  add(&host, SBK_TCP, SBK_ERR_STATE);
  request.method = "GET";
  request.method_len = 3;
  request.target = "/ws";
  request.target_len = 3;
  assert_int_equal(
      sbk_conn_new_request(&conn, host.broker, &request, NULL, NULL),
      SBK_ERR_STATE);
  assert_null(conn);
  /* It answers our Close; the others need not. */
  assert_int_equal(sbk_conn_wants(ws.conn), SBK_WANT_READ);
  peer_frame(&ws, 8, "\x03\xe9", 2);
  assert_int_equal(sbk_conn_wants(ws.conn), 0);
  assert_int_equal(sbk_conn_wants(http.conn), 0);
  sbk_broker_shutdown(host.broker);
  peer_leave(&ws);
  peer_leave(&raw);
  peer_leave(&http);
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  host_end(&host);
}

static void a_peer_that_answers_no_close_ends_by_time(void **state) {
  struct host host;
  struct peer peer;

  (void)state;
  host_begin(&host);
  peer_upgrade(&peer, &host, UPGRADE("/ws"));
  peer_connect(&peer, &host, "ann");
  sbk_broker_shutdown(host.broker);
  assert_string_equal(peer_hear(&peer), "<1001>");
  host_wait(&host, 4999);
  assert_int_equal(sbk_conn_wants(peer.conn), SBK_WANT_READ);
  host_wait(&host, 1);
  assert_int_equal(sbk_conn_wants(peer.conn), 0);
  host_end(&host);
}

/* ---- hosts that speak HTTP themselves ---- */

static const struct sbk_http_field upgrade_fields[] = {
    {"Host", 4, "h.example", 9},
    {"Upgrade", 7, "websocket", 9},
    {"Connection", 10, "Upgrade", 7},
    {"Sec-WebSocket-Version", 21, "13", 2},
    {"Sec-WebSocket-Key", 17, "dGhlIHNhbXBsZSBub25jZQ==", 24},
};

static struct sbk_http_request given(const char *target) {
  struct sbk_http_request request = SBK_HTTP_REQUEST_INIT;

  request.method = "GET and more";
  request.method_len = 3;
  request.target = target;
  request.target_len = strlen(target);
  request.fields = upgrade_fields;
  request.field_count = 5;

  return request;
}

static void takes_a_request_the_host_has_read(void **state) {
  struct sbk_http_request request = given("/ws?x=1");
  struct host host;
  struct peer peer;

  (void)state;
  host_begin(&host);
  memset(&peer, 0, sizeof(peer));
  peer.host = &host;
  assert_int_equal(
      sbk_conn_new_request(&peer.conn, host.broker, &request, "p", &peer), 0);
  assert_non_null(strstr(peer_hear(&peer),
                         "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
  peer.websocket = true;
  peer_connect(&peer, &host, "ann");
  assert_string_equal(host.events, "handshake /ws;connected ann;");
  assert_ptr_equal(sbk_conn_user_data(peer.conn), &peer);
  host_end(&host);
}

static void refuses_given_requests_that_cannot_be(void **state) {
  struct {
    struct sbk_http_request request;
    char more[8];
  } larger = {SBK_HTTP_REQUEST_INIT, {0}};
  struct sbk_http_request request = given("/elsewhere");
  struct sbk_http_field bad[] = {{"Ho st", 5, "x", 1}};
  struct host host;
  sbk_conn *conn;

  (void)state;
  host_begin(&host);
  assert_int_equal(
      sbk_conn_new_request(&conn, host.broker, &request, NULL, NULL),
      SBK_ERR_NOT_FOUND);
  assert_null(conn);
  request = given("no slash");
  assert_int_equal(
      sbk_conn_new_request(&conn, host.broker, &request, NULL, NULL),
      SBK_ERR_INVAL);
  assert_null(conn);
  request = given("/ws");
  request.fields = bad;
  request.field_count = 1;
  assert_int_equal(
      sbk_conn_new_request(&conn, host.broker, &request, NULL, NULL),
      SBK_ERR_INVAL);
  request = given("/ws");
  request.size--;
  assert_int_equal(
      sbk_conn_new_request(&conn, host.broker, &request, NULL, NULL),
      SBK_ERR_ABI);
  larger.request = given("/ws");
  larger.request.size = sizeof(larger);
  larger.more[7] = 1;
  assert_int_equal(
      sbk_conn_new_request(&conn, host.broker, &larger.request, NULL, NULL),
      SBK_ERR_ABI);
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  larger.more[7] = 0;
  assert_int_equal(
      sbk_conn_new_request(&conn, host.broker, &larger.request, NULL, NULL), 0);
  host_end(&host);
}

static void given_requests_are_refused_with_a_status(void **state) {
  struct sbk_http_request request = given("/ws");
  struct host host;
  struct peer peer;

  (void)state;
  host_begin(&host);
  memset(&peer, 0, sizeof(peer));
  peer.host = &host;
  request.field_count = 3; /* neither version nor key */
  assert_int_equal(
      sbk_conn_new_request(&peer.conn, host.broker, &request, NULL, NULL), 0);
  assert_non_null(strstr(peer_hear(&peer), "HTTP/1.1 4"));
  assert_null(sbk_conn_session(peer.conn));
  assert_string_equal(host.events, "");
  host_end(&host);
}

static void given_requests_survive_the_end_of_memory(void **state) {
  struct sbk_http_request request = given("/ws");
  struct host host;
  sbk_conn *conn;
  size_t fail, blocks;
  int rv;

  (void)state;
  host_begin(&host);
  sbk_conn_free(add(&host, SBK_TCP, 0));
  blocks = host.mem.blocks;
  for (fail = 0;; fail++) {
    host.mem.fail_from = host.mem.calls + fail;
    rv = sbk_conn_new_request(&conn, host.broker, &request, "p", NULL);
    if (rv == 0 && sbk_conn_session(conn) != NULL) {
      break;
    }
    /* Before its callback, or after it by ending. */
    if (rv == 0) {
      assert_int_equal(sbk_conn_wants(conn), 0);
      sbk_conn_free(conn);
    } else {
      assert_int_equal(rv, SBK_ERR_NOMEM);
      assert_null(conn);
    }
    assert_int_equal(host.mem.blocks, blocks);
  }
  assert_true(fail > 4);
  host_end(&host);
}

static void makes_the_accept_key_of_rfc_6455(void **state) {
  char accept[29] = "untouched";

  (void)state;
  assert_int_equal(sbk_websocket_accept(accept, "not base64", 10),
                   SBK_ERR_INVAL);
  assert_int_equal(sbk_websocket_accept(accept, "dGhlIHNhbXBsZSBub25jZQ=", 23),
                   SBK_ERR_INVAL);
  assert_string_equal(accept, "untouched");
  assert_int_equal(sbk_websocket_accept(accept, "dGhlIHNhbXBsZSBub25jZQ==", 24),
                   0);
  assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void knows_which_origins_are_allowed(void **state) {
  static const char *const list[] = {"https://*.a.example", NULL};
  static const char *const any[] = {"*", NULL};

  (void)state;
  assert_true(sbk_origin_allowed(NULL, "https", "h.example", NULL));
  assert_true(
      sbk_origin_allowed("https://h.example", "https", "h.example", NULL));
  assert_true(
      sbk_origin_allowed("https://h.example", "https", "h.example:443", NULL));
  assert_false(
      sbk_origin_allowed("http://h.example", "https", "h.example", NULL));
  assert_false(
      sbk_origin_allowed("https://x.example", "https", "h.example", NULL));
  assert_true(
      sbk_origin_allowed("https://x.a.example", "https", "h.example", list));
  assert_false(
      sbk_origin_allowed("https://a.example", "https", "h.example", list));
  assert_false(sbk_origin_allowed("null", "https", "h.example", list));
  assert_true(sbk_origin_allowed("null", "https", "h.example", any));
}

static void counts_who_is_ended_for_want_of_memory(void **state) {
  struct sbk_stats stats = SBK_STATS_INIT;
  struct host host;
  struct peer ann;

  (void)state;
  host_begin(&host);
  peer_open(&ann, &host, SBK_TCP);
  peer_connect(&ann, &host, "ann");
  host.mem.fail_from = host.mem.calls;
  peer_say(&ann, "SUBSCRIBE\nid:1\ndestination:/topic/a\n\n^");
  host.mem.fail_from = SIZE_MAX;
  assert_int_equal(sbk_broker_stats(host.broker, &stats), 0);
  assert_int_equal(stats.ended_no_memory, 1);
  assert_int_equal(stats.sessions, 0);
  host_end(&host);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(refuses_transports_it_does_not_know),
      cmocka_unit_test(limits_pending_ones_below_at_and_above),
      cmocka_unit_test(limits_all_of_them_below_at_and_above),
      cmocka_unit_test(says_503_beyond_the_limits),
      cmocka_unit_test(says_503_to_64_at_a_time),
      cmocka_unit_test(says_503_before_the_clock_was_ever_read),
      cmocka_unit_test(is_as_before_when_memory_ends),
      cmocka_unit_test(counts_who_is_ended_for_want_of_memory),
      cmocka_unit_test(keeps_the_hosts_pointer),
      cmocka_unit_test(each_ready_connection_comes_once),
      cmocka_unit_test(both_ways_of_output_give_the_same_bytes),
      cmocka_unit_test(output_not_counted_off_comes_again),
      cmocka_unit_test(pieces_stay_whatever_else_is_called),
      cmocka_unit_test(a_session_is_there_from_its_opening_to_its_end),
      cmocka_unit_test(nothing_is_taken_after_the_end),
      cmocka_unit_test(what_waits_for_a_peer_that_ended_its_side_is_sent),
      cmocka_unit_test(a_broken_socket_gets_nothing_more),
      cmocka_unit_test(lets_no_one_in_after_a_shutdown),
      cmocka_unit_test(a_peer_that_answers_no_close_ends_by_time),
      cmocka_unit_test(takes_a_request_the_host_has_read),
      cmocka_unit_test(refuses_given_requests_that_cannot_be),
      cmocka_unit_test(given_requests_are_refused_with_a_status),
      cmocka_unit_test(given_requests_survive_the_end_of_memory),
      cmocka_unit_test(makes_the_accept_key_of_rfc_6455),
      cmocka_unit_test(knows_which_origins_are_allowed),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
