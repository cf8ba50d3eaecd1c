#include "host.h"

/* What the interceptor of a test does. */
struct play {
  struct host host;
  struct peer ann;
  struct peer bob;
  enum sbk_command command; /* of the frames it looks at */
  const char *name;         /* sets this header */
  const char *value;
  enum sbk_verdict verdict;
  const char *error;
  sbk_call *waiting;
  sbk_session *only; /* outbound: looks at this one's alone */
  int rv;
};

static struct play play;

static enum sbk_verdict on_frame(sbk_call *call, void *arg) {
  struct play *p = arg;

  if (sbk_message_command(sbk_call_message(call)) != p->command ||
      (p->only != NULL && p->only != sbk_call_session(call))) {
    return SBK_PASS;
  }
  assert_ptr_equal(sbk_call_broker(call), p->host.broker);
  if (p->name != NULL) {
    p->rv = sbk_call_set_header(call, p->name, p->value);
  }
  if (p->error != NULL) {
    p->rv = sbk_call_set_error(call, p->error);
  }
  if (p->verdict == SBK_WAIT) {
    p->waiting = call;
    assert_int_equal(sbk_call_resume(call, SBK_PASS), SBK_ERR_STATE);
  }

  return p->verdict;
}

static void begin(enum sbk_direction direction, enum sbk_command command) {
  memset(&play, 0, sizeof(play));
  host_begin(&play.host);
  assert_int_equal(sbk_broker_add_interceptor(play.host.broker, direction, 5,
                                              on_frame, &play),
                   0);
  peer_connect(&play.ann, &play.host, "ann");
  peer_connect(&play.bob, &play.host, "bob");
  peer_subscribe(&play.ann, "1", "/topic/a");
  peer_subscribe(&play.bob, "1", "/topic/a");
  host_forget(&play.host);
  play.command = command;
}

static void end(void) {
  host_end(&play.host);
}

static void headers_set_inbound_reach_all_receivers(void **state) {
  (void)state;
  begin(SBK_INBOUND, SBK_SEND);
  play.name = "x-from";
  play.value = "an:n\n";
  peer_say(&play.ann, "SEND\ndestination:/topic/a\n\nhi^");
  assert_int_equal(play.rv, 0);
  assert_non_null(strstr(peer_hear(&play.ann), "\nx-from:an\\cn\\n\n"));
  assert_non_null(strstr(peer_hear(&play.bob), "\nx-from:an\\cn\\n\n"));
  end();
}

static void headers_set_outbound_reach_one_receiver(void **state) {
  (void)state;
  begin(SBK_OUTBOUND, SBK_MESSAGE);
  play.only = sbk_conn_session(play.bob.conn);
  play.name = "for";
  play.value = "bob";
  peer_say(&play.ann, "SEND\ndestination:/topic/a\nfor:all\n\nhi^");
  assert_int_equal(play.rv, 0);
  assert_non_null(strstr(peer_hear(&play.ann), "\nfor:all\n"));
  assert_non_null(strstr(peer_hear(&play.bob), "\nfor:bob\n"));
  end();
}

static void headers_that_are_the_librarys_cannot_be_set(void **state) {
  static const char *const names[] = {
      "", "destination", "content-length", "message-id", "subscription", "ack"};
  size_t i;

  (void)state;
  begin(SBK_INBOUND, SBK_SEND);
  play.value = "x";
  for (i = 0; i < 6; i++) {
    play.name = names[i];
    peer_say(&play.ann, "SEND\ndestination:/topic/a\n\nhi^");
    assert_int_equal(play.rv, SBK_ERR_INVAL);
  }
  play.name = "y";
  play.value = NULL;
  peer_say(&play.ann, "SEND\ndestination:/topic/a\n\nhi^");
  assert_int_equal(play.rv, SBK_ERR_INVAL);
  assert_int_equal(times(peer_hear(&play.bob), "MESSAGE\n"), 7);
  end();
}

static void an_id_an_interceptor_sets_is_judged_like_a_clients(void **state) {
  static char lengthy[70000];

  (void)state;
  begin(SBK_INBOUND, SBK_SUBSCRIBE);
  play.name = "id";
  play.value = "other";
  peer_subscribe(&play.ann, "2", "/topic/b");
  assert_string_equal(play.host.events, "subscribed other /topic/b;");
  play.value = "1"; /* in use */
  peer_say(&play.ann, "SUBSCRIBE\nid:2\ndestination:/topic/b\n\n^");
  assert_non_null(strstr(peer_hear(&play.ann), "ERROR\n"));
  memset(lengthy, 'x', sizeof(lengthy) - 1);
  play.value = lengthy;
  peer_say(&play.bob, "SUBSCRIBE\nid:2\ndestination:/topic/b\n\n^");
  assert_non_null(strstr(peer_hear(&play.bob), "max_subscription_id"));
  end();
}

static void an_unsubscribe_led_astray_is_an_error(void **state) {
  (void)state;
  begin(SBK_INBOUND, SBK_UNSUBSCRIBE);
  play.name = "id";
  play.value = "unknown";
  peer_say(&play.ann, "UNSUBSCRIBE\nid:1\n\n^");
  assert_non_null(strstr(peer_hear(&play.ann), "ERROR\n"));
  end();
}

static void a_refusal_says_what_the_host_says(void **state) {
  (void)state;
  begin(SBK_INBOUND, SBK_SEND);
  play.error = "not: today\n";
  play.verdict = SBK_REJECT;
  assert_int_equal(
      peer_say(&play.ann, "SEND\ndestination:/topic/a\nreceipt:7\n\nhi^"),
      SBK_ERR_DENIED);
  assert_non_null(strstr(peer_hear(&play.ann),
                         "ERROR\nmessage:not\\c today\\n\nreceipt-id:7\n"));
  assert_string_equal(peer_hear(&play.bob), "");
  assert_string_equal(play.host.events,
                      "unsubscribed 1 /topic/a;disconnected ann -401;");
  end();
}

static void a_text_of_1024_bytes_is_the_longest(void **state) {
  static char text[1026];

  (void)state;
  begin(SBK_INBOUND, SBK_SEND);
  play.error = text;
  memset(text, 'x', 1024);
  peer_say(&play.ann, "SEND\ndestination:/topic/a\n\nhi^");
  assert_int_equal(play.rv, 0);
  text[1024] = 'x';
  peer_say(&play.ann, "SEND\ndestination:/topic/a\n\nhi^");
  assert_int_equal(play.rv, SBK_ERR_INVAL);
  assert_int_equal(times(peer_hear(&play.bob), "MESSAGE\n"), 2);
  end();
}

static void a_dropped_frame_never_was_but_has_its_receipt(void **state) {
  (void)state;
  begin(SBK_INBOUND, SBK_SEND);
  play.verdict = SBK_DROP;
  peer_say(&play.ann, "SEND\ndestination:/topic/a\nreceipt:7\n\nhi^");
  assert_string_equal(peer_hear(&play.ann), "RECEIPT\nreceipt-id:7\n\n^");
  assert_string_equal(peer_hear(&play.bob), "");
  end();
}

static void a_receiver_may_be_left_out(void **state) {
  (void)state;
  begin(SBK_OUTBOUND, SBK_MESSAGE);
  play.only = sbk_conn_session(play.bob.conn);
  play.verdict = SBK_DROP;
  assert_int_equal(sbk_send(play.host.broker, "/topic/a", NULL, "x", 1), 1);
  assert_int_equal(times(peer_hear(&play.ann), "MESSAGE\n"), 1);
  assert_string_equal(peer_hear(&play.bob), "");
  /* Waiting is not to be had there. */
  play.verdict = SBK_WAIT;
  play.only = NULL;
  assert_int_equal(sbk_send(play.host.broker, "/topic/a", NULL, "x", 1), 0);
  assert_non_null(strstr(play.host.log, "cannot wait"));
  end();
}

static void a_receiver_may_be_refused(void **state) {
  (void)state;
  begin(SBK_OUTBOUND, SBK_MESSAGE);
  play.only = sbk_conn_session(play.bob.conn);
  play.verdict = SBK_REJECT;
  play.error = "off you go";
  assert_int_equal(sbk_send(play.host.broker, "/topic/a", NULL, "x", 1), 1);
  assert_int_equal(times(peer_hear(&play.ann), "MESSAGE\n"), 1);
  assert_non_null(strstr(peer_hear(&play.bob), "message:off you go\n"));
  assert_string_equal(play.host.events,
                      "unsubscribed 1 /topic/a;disconnected bob -401;");
  end();
}

static void what_waits_holds_what_is_behind_it(void **state) {
  (void)state;
  begin(SBK_INBOUND, SBK_SEND);
  play.verdict = SBK_WAIT;
  peer_say(&play.ann, "SEND\ndestination:/topic/a\nreceipt:1\n\none^"
                      "SUBSCRIBE\nid:2\ndestination:/topic/b\n\n^");
  peer_say(&play.ann, "SEND\ndestination:/topic/a\nreceipt:2\n\ntwo^");
  assert_int_equal(sbk_conn_wants(play.ann.conn), SBK_WANT_HOLD);
  assert_string_equal(peer_hear(&play.bob), "");
  assert_string_equal(play.host.events, "");
  assert_int_equal(sbk_call_resume(play.waiting, SBK_WAIT), SBK_ERR_INVAL);
  play.verdict = SBK_PASS;
  assert_int_equal(sbk_call_resume(play.waiting, SBK_PASS), 0);
  assert_string_equal(play.host.events, "subscribed 2 /topic/b;");
  assert_int_equal(times(peer_hear(&play.bob), "MESSAGE\n"), 2);
  peer_hear(&play.ann);
  assert_int_equal(times(play.ann.heard, "RECEIPT\n"), 2);
  assert_int_equal(times(play.ann.heard, "MESSAGE\n"), 2);
  end();
}

static void what_waits_may_be_refused_later(void **state) {
  (void)state;
  begin(SBK_INBOUND, SBK_SEND);
  play.verdict = SBK_WAIT;
  peer_say(&play.ann, "SEND\ndestination:/topic/a\n\none^"
                      "SEND\ndestination:/topic/a\n\ntwo^");
  assert_int_equal(sbk_call_set_error(play.waiting, "found wanting"), 0);
  assert_int_equal(sbk_call_resume(play.waiting, SBK_REJECT), 0);
  assert_non_null(strstr(peer_hear(&play.ann), "message:found wanting\n"));
  assert_string_equal(peer_hear(&play.bob), "");
  end();
}

/* The host has decided inside a callback: it counts once that has returned,
 * and cannot be said twice. */
static void resume_twice(struct host *host, const char *where,
                         sbk_session *session) {
  (void)session;
  if (strcmp(where, "subscribed") == 0 && play.waiting != NULL) {
    assert_int_equal(sbk_call_resume(play.waiting, SBK_PASS), 0);
    assert_int_equal(sbk_call_resume(play.waiting, SBK_PASS), SBK_ERR_STATE);
    assert_string_equal(host->events, "subscribed 9 /topic/c;");
    play.waiting = NULL;
  }
}

static void a_decision_in_a_callback_counts_at_its_end(void **state) {
  (void)state;
  begin(SBK_INBOUND, SBK_SEND);
  play.verdict = SBK_WAIT;
  peer_say(&play.ann, "SEND\ndestination:/topic/a\n\none^");
  play.verdict = SBK_PASS;
  play.host.hook = resume_twice;
  peer_subscribe(&play.bob, "9", "/topic/c");
  assert_null(play.waiting);
  assert_int_equal(times(peer_hear(&play.bob), "MESSAGE\n"), 1);
  end();
}

static void a_waiting_connect_keeps_the_session_unconnected(void **state) {
  struct peer peer;

  (void)state;
  begin(SBK_INBOUND, SBK_CONNECT);
  play.verdict = SBK_WAIT;
  peer_open(&peer, &play.host, SBK_TCP);
  peer_say(&peer, "CONNECT\naccept-version:1.2\n\n^"
                  "SUBSCRIBE\nid:0\ndestination:/topic/a\n\n^");
  assert_string_equal(play.host.events, "");
  assert_int_equal(sbk_session_count(play.host.broker, NULL), 2);
  assert_int_equal(sbk_call_set_user(play.waiting, "late%2F"), SBK_ERR_INVAL);
  assert_int_equal(sbk_call_set_user(play.waiting, "late"), 0);
  assert_int_equal(sbk_call_resume(play.waiting, SBK_PASS), 0);
  assert_string_equal(play.host.events,
                      "connected late;subscribed 0 /topic/a;");
  assert_non_null(strstr(peer_hear(&peer), "\nuser-name:late\n"));
  end();
}

static void a_dropped_connect_is_refused(void **state) {
  struct peer peer;

  (void)state;
  begin(SBK_INBOUND, SBK_CONNECT);
  play.verdict = SBK_DROP;
  peer_open(&peer, &play.host, SBK_TCP);
  peer_say(&peer, "CONNECT\naccept-version:1.2\n\n^");
  assert_non_null(strstr(peer_hear(&peer), "ERROR\nmessage:refused\n"));
  assert_string_equal(play.host.events, "");
  end();
}

static void a_peer_may_leave_while_it_waits(void **state) {
  (void)state;
  begin(SBK_INBOUND, SBK_SEND);
  play.verdict = SBK_WAIT;
  peer_say(&play.ann, "SEND\ndestination:/topic/a\n\none^");
  peer_leave(&play.ann);
  assert_string_equal(play.host.events,
                      "unsubscribed 1 /topic/a;disconnected ann -204;");
  assert_string_equal(peer_hear(&play.bob), "");
  end();
}

static void the_broker_may_be_freed_while_some_wait(void **state) {
  struct peer peer;

  (void)state;
  begin(SBK_INBOUND, SBK_SEND);
  play.verdict = SBK_WAIT;
  peer_say(&play.ann, "SEND\ndestination:/topic/a\n\none^SEND\nmore");
  play.command = SBK_CONNECT;
  peer_open(&peer, &play.host, SBK_TCP);
  peer_say(&peer, "CONNECT\naccept-version:1.2\n\n^SEND\nmore");
  end();
}

/* ---- handlers ---- */

static int on_app(sbk_call *call, void *arg) {
  struct play *p = arg;

  assert_int_equal(sbk_call_set_header(call, "a", "b"), SBK_ERR_STATE);
  assert_int_equal(sbk_call_set_user(call, "other"), SBK_ERR_STATE);
  assert_int_equal(sbk_call_resume(call, SBK_PASS), SBK_ERR_STATE);
  assert_string_equal(sbk_call_param(call, "room"), "x");
  assert_string_equal(sbk_call_param(call, "b"), "yy");
  assert_null(sbk_call_param(call, "roo"));
  assert_null(sbk_call_param(call, ""));
  if (p->error != NULL) {
    sbk_call_set_error(call, p->error);
  }

  return p->rv;
}

static void handlers_get_what_the_pattern_captured(void **state) {
  (void)state;
  begin(SBK_INBOUND, SBK_ACK);
  assert_int_equal(sbk_broker_add_handler(play.host.broker, SBK_SEND,
                                          "/{room}/a-{b}", on_app, &play),
                   0);
  peer_say(&play.ann, "SEND\ndestination:/app/x/a-yy\nreceipt:1\n\n^");
  assert_string_equal(peer_hear(&play.ann), "RECEIPT\nreceipt-id:1\n\n^");
  play.rv = 12; /* what sbk_send() returned, say */
  peer_say(&play.ann, "SEND\ndestination:/app/x/a-yy\nreceipt:2\n\n^");
  assert_string_equal(peer_hear(&play.ann), "RECEIPT\nreceipt-id:2\n\n^");
  end();
}

static void a_handler_that_fails_ends_the_session(void **state) {
  (void)state;
  begin(SBK_INBOUND, SBK_ACK);
  sbk_broker_add_handler(play.host.broker, SBK_SEND, "/{room}/a-{b}", on_app,
                         &play);
  play.rv = SBK_ERR_NOT_FOUND;
  assert_int_equal(
      peer_say(&play.ann, "SEND\ndestination:/app/x/a-yy\nreceipt:1\n\n^"),
      SBK_ERR_CALLBACK);
  assert_non_null(
      strstr(peer_hear(&play.ann), "ERROR\nmessage:no such thing\n"));
  assert_null(strstr(play.ann.heard, "RECEIPT"));
  play.error = "no room";
  peer_say(&play.bob, "SEND\ndestination:/app/x/a-yy\nreceipt:1\n\n^");
  assert_non_null(strstr(peer_hear(&play.bob), "ERROR\nmessage:no room\n"));
  end();
}

static int on_reply(sbk_call *call, void *arg) {
  struct play *p = arg;

  p->rv = sbk_call_reply(call, "/queue/r", "text/plain", "only you", 8);
  assert_int_equal(sbk_call_reply(call, "queue", NULL, "x", 1), SBK_ERR_INVAL);
  assert_int_equal(sbk_call_reply(call, NULL, NULL, "x", 1), SBK_ERR_INVAL);
  assert_int_equal(sbk_call_reply(call, "/queue/r", "", "x", 1), SBK_ERR_INVAL);
  assert_int_equal(sbk_call_reply(call, "/queue/r", NULL, NULL, 1),
                   SBK_ERR_INVAL);

  return sbk_call_return(call, NULL, "for all", 7);
}

static void handlers_reply_to_one_and_return_to_all(void **state) {
  (void)state;
  begin(SBK_INBOUND, SBK_ACK);
  sbk_broker_add_handler(play.host.broker, SBK_SEND, "/a", on_reply, &play);
  peer_say(&play.ann, "SEND\ndestination:/app/a\n\n^");
  assert_int_equal(play.rv, 0); /* it does not subscribe to that */
  assert_int_equal(times(peer_hear(&play.ann), "MESSAGE\n"), 1);
  assert_non_null(strstr(peer_hear(&play.bob), "\n\nfor all^"));
  peer_subscribe(&play.ann, "r", "/user/queue/r");
  peer_say(&play.ann, "SEND\ndestination:/app/a\n\n^");
  assert_int_equal(play.rv, 1);
  peer_hear(&play.ann);
  assert_non_null(strstr(play.ann.heard, "\ndestination:/user/queue/r\n"));
  assert_non_null(strstr(play.ann.heard, "\ncontent-type:text/plain\n"));
  assert_null(strstr(peer_hear(&play.bob), "only you"));
  end();
}

static int rv_return;

static enum sbk_verdict return_early(sbk_call *call, void *arg) {
  (void)arg;
  rv_return = sbk_call_return(call, NULL, "x", 1);
  return SBK_PASS;
}

static void only_handlers_return(void **state) {
  (void)state;
  begin(SBK_INBOUND, SBK_ACK);
  sbk_broker_add_interceptor(play.host.broker, SBK_INBOUND, 1, return_early,
                             NULL);
  peer_say(&play.ann, "SEND\ndestination:/topic/a\n\n^");
  assert_int_equal(rv_return, SBK_ERR_STATE);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(headers_set_inbound_reach_all_receivers),
      cmocka_unit_test(headers_set_outbound_reach_one_receiver),
      cmocka_unit_test(headers_that_are_the_librarys_cannot_be_set),
      cmocka_unit_test(an_id_an_interceptor_sets_is_judged_like_a_clients),
      cmocka_unit_test(an_unsubscribe_led_astray_is_an_error),
      cmocka_unit_test(a_refusal_says_what_the_host_says),
      cmocka_unit_test(a_text_of_1024_bytes_is_the_longest),
      cmocka_unit_test(a_dropped_frame_never_was_but_has_its_receipt),
      cmocka_unit_test(a_receiver_may_be_left_out),
      cmocka_unit_test(a_receiver_may_be_refused),
      cmocka_unit_test(what_waits_holds_what_is_behind_it),
      cmocka_unit_test(what_waits_may_be_refused_later),
      cmocka_unit_test(a_decision_in_a_callback_counts_at_its_end),
      cmocka_unit_test(a_waiting_connect_keeps_the_session_unconnected),
      cmocka_unit_test(a_dropped_connect_is_refused),
      cmocka_unit_test(a_peer_may_leave_while_it_waits),
      cmocka_unit_test(the_broker_may_be_freed_while_some_wait),
      cmocka_unit_test(handlers_get_what_the_pattern_captured),
      cmocka_unit_test(a_handler_that_fails_ends_the_session),
      cmocka_unit_test(handlers_reply_to_one_and_return_to_all),
      cmocka_unit_test(only_handlers_return),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
