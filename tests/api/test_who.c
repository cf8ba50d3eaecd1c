#include "host.h"

static struct host host;

static void end(void) {
  host_end(&host);
}

static sbk_session *join(struct peer *peer, const char *user) {
  memset(peer, 0, sizeof(*peer));
  peer_connect(peer, &host, user);

  return sbk_conn_session(peer->conn);
}

static void ids_are_32_digits_and_never_the_same(void **state) {
  static char ids[500][33];
  struct peer peer;
  int i, j;

  (void)state;
  host_begin(&host);
  for (i = 0; i < 500; i++) {
    const char *id;

    peer_open(&peer, &host, SBK_TCP);
    id = sbk_session_id(sbk_conn_session(peer.conn));
    assert_int_equal(strlen(id), 32);
    assert_int_equal(strspn(id, "0123456789abcdef"), 32);
    memcpy(ids[i], id, 33);
    for (j = 0; j < i; j++) {
      assert_string_not_equal(ids[i], ids[j]);
    }
    peer_leave(&peer);
  }
  end();
}

static void keeps_the_hosts_pointer(void **state) {
  struct peer peer;
  sbk_session *session;
  int mine;

  (void)state;
  host_begin(&host);
  session = join(&peer, "ann");
  assert_null(sbk_session_data(session));
  sbk_session_set_data(session, &mine);
  assert_ptr_equal(sbk_session_data(session), &mine);
  assert_string_equal(sbk_session_endpoint(session), "");
  assert_string_equal(sbk_session_peer(session), "peer");
  end();
}

static void is_named_before_it_is_connected(void **state) {
  sbk_session *session;
  struct peer peer;

  (void)state;
  host_begin(&host);
  peer_open(&peer, &host, SBK_TCP);
  session = sbk_conn_session(peer.conn);
  assert_null(sbk_session_user(session));
  assert_int_equal(sbk_session_set_user(session, "a%2fb"), SBK_ERR_INVAL);
  assert_int_equal(sbk_session_set_user(session, NULL), SBK_ERR_INVAL);
  assert_int_equal(sbk_session_set_user(session, "first"), 0);
  assert_int_equal(sbk_session_set_user(session, "ann"), 0);
  host.mem.fail_from = host.mem.calls;
  assert_int_equal(sbk_session_set_user(session, "bob"), SBK_ERR_NOMEM);
  host.mem.fail_from = SIZE_MAX;
  peer_connect(&peer, &host, NULL);
  assert_string_equal(host.events, "connected ann;");
  assert_int_equal(sbk_session_set_user(session, "bob"), SBK_ERR_STATE);
  assert_string_equal(sbk_session_user(session), "ann");
  end();
}

/* ---- who is here ---- */

static struct {
  char text[2000];
  int stop_at;
} walked;

static void note(const char *text) {
  size_t len = strlen(walked.text);

  snprintf(walked.text + len, sizeof(walked.text) - len, "%s;", text);
}

static int on_user(const char *user, size_t sessions, void *arg) {
  char text[64];

  assert_ptr_equal(arg, &walked);
  snprintf(text, sizeof(text), "%s %zu", user, sessions);
  note(text);

  return --walked.stop_at == 0 ? 7 : 0;
}

static int on_session(sbk_session *session, void *arg) {
  assert_ptr_equal(arg, &walked);
  note(host_user(session));

  return --walked.stop_at == 0 ? -7 : 0;
}

static int on_sub(const char *id, const char *destination, void *arg) {
  char text[64];

  assert_ptr_equal(arg, &walked);
  snprintf(text, sizeof(text), "%s %s", id, destination);
  note(text);

  return --walked.stop_at == 0 ? 9 : 0;
}

static void begin_walk(int stop_at) {
  walked.text[0] = '\0';
  walked.stop_at = stop_at;
}

static void users_are_counted_and_walked(void **state) {
  struct peer peers[5];

  (void)state;
  host_begin(&host);
  assert_int_equal(sbk_user_count(host.broker), 0);
  join(&peers[0], "ann");
  join(&peers[1], "bob");
  join(&peers[2], "ann");
  join(&peers[3], NULL);
  peer_open(&peers[4], &host, SBK_TCP); /* not connected */
  assert_int_equal(sbk_user_count(host.broker), 2);
  assert_int_equal(sbk_session_count(host.broker, NULL), 4);
  assert_int_equal(sbk_session_count(host.broker, "ann"), 2);
  assert_int_equal(sbk_session_count(host.broker, "nobody"), 0);

  begin_walk(0);
  assert_int_equal(sbk_each_user(host.broker, on_user, &walked), 0);
  assert_int_equal(strlen(walked.text), strlen("ann 2;bob 1;"));
  assert_non_null(strstr(walked.text, "ann 2;"));
  assert_non_null(strstr(walked.text, "bob 1;"));
  begin_walk(1);
  assert_int_equal(sbk_each_user(host.broker, on_user, &walked), 7);
  assert_int_equal(strlen(walked.text), 6);

  begin_walk(0);
  assert_int_equal(sbk_each_session(host.broker, NULL, on_session, &walked), 0);
  assert_string_equal(walked.text, "ann;bob;ann;-;");
  begin_walk(2);
  assert_int_equal(sbk_each_session(host.broker, NULL, on_session, &walked),
                   -7);
  assert_string_equal(walked.text, "ann;bob;");
  begin_walk(0);
  assert_int_equal(sbk_each_session(host.broker, "ann", on_session, &walked),
                   0);
  assert_string_equal(walked.text, "ann;ann;");
  begin_walk(0);
  assert_int_equal(sbk_each_session(host.broker, "no", on_session, &walked), 0);
  assert_string_equal(walked.text, "");

  peer_leave(&peers[0]);
  assert_int_equal(sbk_session_count(host.broker, "ann"), 1);
  peer_leave(&peers[2]);
  assert_int_equal(sbk_user_count(host.broker), 1);
  end();
}

static void subscriptions_are_walked_as_they_were_written(void **state) {
  sbk_session *session;
  struct peer peer;

  (void)state;
  host_begin(&host);
  session = join(&peer, "ann");
  peer_subscribe(&peer, "1", "/topic/a");
  peer_subscribe(&peer, "2", "/topic/*");
  peer_subscribe(&peer, "3", "/user/queue/x");
  begin_walk(0);
  assert_int_equal(sbk_each_subscription(session, on_sub, &walked), 0);
  assert_string_equal(walked.text, "1 /topic/a;2 /topic/*;3 /user/queue/x;");
  peer_say(&peer, "UNSUBSCRIBE\nid:2\n\n^");
  begin_walk(2);
  assert_int_equal(sbk_each_subscription(session, on_sub, &walked), 9);
  assert_string_equal(walked.text, "1 /topic/a;3 /user/queue/x;");
  end();
}

static int close_it(sbk_session *session, void *arg) {
  (void)arg;
  sbk_session_close(session, "all of you");
  assert_string_equal(host.events, ""); /* not yet */

  return 0;
}

static void all_may_be_closed_in_one_walk(void **state) {
  struct peer peers[4];
  size_t i;

  (void)state;
  host_begin(&host);
  for (i = 0; i < 4; i++) {
    join(&peers[i], i % 2 ? "ann" : "bob");
  }
  host_forget(&host);
  sbk_each_session(host.broker, NULL, close_it, NULL);
  assert_int_equal(times(host.events, "disconnected"), 4);
  assert_int_equal(sbk_session_count(host.broker, NULL), 0);
  assert_int_equal(sbk_user_count(host.broker), 0);
  end();
}

/* ---- the end from the server's side ---- */

static void closed_with_a_text_it_gets_an_error(void **state) {
  struct peer peer;

  (void)state;
  host_begin(&host);
  peer_upgrade(&peer, &host, UPGRADE("/ws"));
  peer_connect(&peer, &host, "ann");
  peer_subscribe(&peer, "0", "/topic/a");
  sbk_send(host.broker, "/topic/a", NULL, "before", 6);
  host_forget(&host);
  sbk_session_close(sbk_conn_session(peer.conn), "your: time\nis up");
  assert_string_equal(host.events,
                      "unsubscribed 0 /topic/a;disconnected ann -403;");
  assert_int_equal(sbk_send(host.broker, "/topic/a", NULL, "after", 5), 0);
  peer_hear(&peer);
  assert_non_null(strstr(peer.heard, "\n\nbefore^ERROR\n"));
  assert_non_null(strstr(peer.heard, "message:your\\c time\\nis up\n"));
  assert_non_null(strstr(peer.heard, "^<1008>"));
  end();
}

static void closed_without_a_text_it_gets_a_close(void **state) {
  struct peer peer;

  (void)state;
  host_begin(&host);
  peer_upgrade(&peer, &host, UPGRADE("/ws"));
  peer_connect(&peer, &host, "ann");
  sbk_session_close(sbk_conn_session(peer.conn), NULL);
  assert_string_equal(peer_hear(&peer), "<1000>");
  /* What it still says is ignored. */
  host_forget(&host);
  assert_int_equal(
      peer_say(&peer, "SUBSCRIBE\nid:0\ndestination:/topic/a\n\n^"),
      SBK_ERR_CLOSED);
  assert_string_equal(host.events, "");
  assert_int_equal(peer_frame(&peer, 8, "\x03\xe8", 2), SBK_ERR_CLOSED);
  assert_int_equal(sbk_conn_wants(peer.conn), 0);
  end();
}

static void a_session_closed_before_connect_is_told_to_nobody(void **state) {
  struct peer peer;

  (void)state;
  host_begin(&host);
  peer_open(&peer, &host, SBK_TCP);
  sbk_session_close(sbk_conn_session(peer.conn), "not you");
  assert_non_null(strstr(peer_hear(&peer), "message:not you\n"));
  assert_string_equal(host.events, "");
  end();
}

/* ---- plain messages ---- */

static struct {
  int rv;
  int binary;
  char text[100];
  size_t len;
} got;

static int on_message(sbk_session *session, int binary, const void *data,
                      size_t len, void *arg) {
  assert_ptr_equal(arg, &host);
  assert_non_null(data);
  assert_ptr_equal(sbk_session_broker(session), host.broker);
  got.binary = binary;
  got.len = len;
  snprintf(got.text, sizeof(got.text), "%.*s", (int)len, (const char *)data);

  return got.rv;
}

static sbk_session *plain(struct peer *peer) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  memset(&got, 0, sizeof(got));
  host_init(&host);
  host.config.max_queue = 1000;
  host_open(&host);
  endpoint.path = "/plain";
  endpoint.message = on_message;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
  peer_upgrade(peer, &host, UPGRADE("/plain"));
  assert_string_equal(host.events, "handshake /plain;connected -;");

  return sbk_conn_session(peer->conn);
}

static void plain_messages_come_whole(void **state) {
  struct peer peer;

  (void)state;
  plain(&peer);
  peer_say(&peer, "one");
  assert_string_equal(got.text, "one");
  assert_false(got.binary);
  peer_feed(&peer, "\x02\x82....\x5a\x59", 8);
  assert_string_equal(got.text, "one");
  peer_feed(&peer, "\x80\x81\0\0\0\0!", 7);
  assert_string_equal(got.text, "tw!");
  assert_true(got.binary);
  peer_frame(&peer, 1, "", 0);
  assert_int_equal(got.len, 0);
  assert_false(got.binary);
  end();
}

static void plain_messages_go_whole(void **state) {
  sbk_session *session;
  struct peer peer;

  (void)state;
  session = plain(&peer);
  assert_int_equal(sbk_session_send(session, 0, "t\xc3\xa4xt", 5), 0);
  assert_int_equal(sbk_session_send(session, 1, "\xff", 1), 0);
  assert_int_equal(sbk_session_send(session, 0, NULL, 0), 0);
  assert_int_equal(sbk_session_send(session, 0, "\xff", 1), SBK_ERR_INVAL);
  assert_int_equal(sbk_session_send(session, 1, NULL, 1), SBK_ERR_INVAL);
  host.mem.fail_from = host.mem.calls;
  assert_int_equal(sbk_session_send(session, 1, "x", 1), SBK_ERR_NOMEM);
  host.mem.fail_from = SIZE_MAX;
  assert_string_equal(peer_hear(&peer), "t\xc3\xa4xt\xff");
  end();
}

static void too_many_plain_messages_end_a_session(void **state) {
  static char text[600];
  sbk_session *session;
  struct peer peer;

  (void)state;
  session = plain(&peer);
  memset(text, 'x', sizeof(text));
  assert_int_equal(sbk_session_send(session, 0, text, 600), 0);
  assert_int_equal(sbk_session_send(session, 0, text, 400), 0);
  assert_int_equal(sbk_session_send(session, 0, text, 1), SBK_ERR_SLOW);
  assert_non_null(strstr(host.events, "disconnected - -302;"));
  assert_null(sbk_conn_session(peer.conn));
  end();
}

static void a_session_of_stomp_takes_no_plain_messages(void **state) {
  sbk_session *session;
  struct peer peer;

  (void)state;
  host_begin(&host);
  session = join(&peer, "ann");
  assert_int_equal(sbk_session_send(session, 0, "x", 1), SBK_ERR_STATE);
  end();
}

static void a_message_handler_that_fails_ends_the_session(void **state) {
  struct peer peer;

  (void)state;
  plain(&peer);
  got.rv = -1;
  assert_int_equal(peer_say(&peer, "x"), SBK_ERR_CALLBACK);
  assert_string_equal(peer_hear(&peer), "<1011>");
  assert_non_null(strstr(host.events, "disconnected - -402;"));
  end();
}

static void nothing_is_left_whatever_state_it_was_in(void **state) {
  struct peer peers[6];
  size_t i;

  (void)state;
  host_begin(&host);
  for (i = 0; i < 6; i++) {
    peer_upgrade(&peers[i], &host, UPGRADE("/ws"));
    if (i > 0) {
      peer_connect(&peers[i], &host, "ann");
      peer_subscribe(&peers[i], "0", "/topic/a");
      peer_subscribe(&peers[i], "1", "/topic/*");
      peer_subscribe(&peers[i], "2", "/user/queue/*");
    }
  }
  sbk_send(host.broker, "/topic/a", NULL, "x", 1);
  sbk_send_to_user(host.broker, "ann", "/queue/y", NULL, "y", 1);
  sbk_conn_sent(peers[1].conn, 5);                 /* half sent */
  peer_say(&peers[2], "SEND\ndestination:/topic"); /* half read */
  peer_feed(&peers[3], "\x81\xfe\x00", 3);
  sbk_session_close(sbk_conn_session(peers[4].conn), "closing");
  peer_say(&peers[5], "UNSUBSCRIBE\nid:0\n\n^"); /* with something queued */
  host_forget(&host);
  end();
  assert_int_equal(times(host.events, "disconnected ann -403;"), 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ids_are_32_digits_and_never_the_same),
      cmocka_unit_test(keeps_the_hosts_pointer),
      cmocka_unit_test(is_named_before_it_is_connected),
      cmocka_unit_test(users_are_counted_and_walked),
      cmocka_unit_test(subscriptions_are_walked_as_they_were_written),
      cmocka_unit_test(all_may_be_closed_in_one_walk),
      cmocka_unit_test(closed_with_a_text_it_gets_an_error),
      cmocka_unit_test(closed_without_a_text_it_gets_a_close),
      cmocka_unit_test(a_session_closed_before_connect_is_told_to_nobody),
      cmocka_unit_test(plain_messages_come_whole),
      cmocka_unit_test(plain_messages_go_whole),
      cmocka_unit_test(too_many_plain_messages_end_a_session),
      cmocka_unit_test(a_session_of_stomp_takes_no_plain_messages),
      cmocka_unit_test(a_message_handler_that_fails_ends_the_session),
      cmocka_unit_test(nothing_is_left_whatever_state_it_was_in),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
