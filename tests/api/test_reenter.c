#include "play.h"

static struct play play, reference;

/* ---- what may not be done ---- */

static void misuse(struct play *p, sbk_session *session) {
  sbk_broker *broker = p->host.broker;

  (void)session;
  assert_int_equal(
      sbk_conn_feed(p->listener.conn, p->host.now + 3600000, "SEND\n\n", 7),
      SBK_ERR_STATE);
  sbk_broker_tick(broker, p->host.now + 3600000);
  sbk_conn_free(p->listener.conn);
  sbk_conn_free(p->ann.conn);
  sbk_broker_free(broker);
  assert_int_equal(sbk_broker_conn_count(broker) > 0, 1);
  p->told_off |= strstr(p->host.log, " called from a callback") != NULL;
}

static void misuse_does_no_harm(void **state) {
  perform(&reference, NULL, NULL);
  perform(&play, *state, misuse);
  assert_string_equal(play.trace, reference.trace);
  assert_true(play.told_off);
  finish(&play);
  finish(&reference);
}

/* ---- what may be done ---- */

static void send(struct play *p, sbk_session *session) {
  sbk_broker *broker = p->host.broker;

  assert_int_equal(sbk_send(broker, "/topic/log", NULL, "log", 3), !p->over);
  if (session != NULL) {
    assert_true(sbk_send_to_session(session, "/queue/x", NULL, "x", 1) >= 0);
  }
  assert_true(sbk_send_to_user(broker, "ann", "/queue/x", NULL, "x", 1) >= 0);
  assert_true(sbk_send(broker, "/topic/a", NULL, "again", 5) >= 0);
}

static void sending_works(void **state) {
  perform(&play, *state, send);
  assert_int_equal(times(play.trace, "\ndestination:/topic/log\n"), play.acts);
  finish(&play);
}

static void close_one(struct play *p, sbk_session *session) {
  if (session == NULL && p->ann.conn != NULL) {
    session = sbk_conn_session(p->ann.conn);
  }
  if (session != NULL) {
    sbk_session_close(session, "enough");
    sbk_session_close(session, "twice"); /* nothing more happens */
  }
}

static void closing_works(void **state) {
  perform(&play, *state, close_one);
  note(&play, play.host.events);
  host_forget(&play.host);
  finish(&play);
  note(&play, play.host.events);
  /* "connected" stands in "disconnected" too, but not with a ';' before. */
  assert_int_equal(times(play.trace, "disconnected ") * 2,
                   times(play.trace, "connected ") + 1);
}

static enum sbk_verdict pass(sbk_call *call, void *arg) {
  (void)call, (void)arg;
  return SBK_PASS;
}

static void enlist(struct play *p, sbk_session *session) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;
  struct sbk_converter converter = SBK_CONVERTER_INIT;
  struct sbk_rule rule = SBK_RULE_INIT;
  struct sbk_topic topic = SBK_TOPIC_INIT;
  sbk_broker *broker = p->host.broker;
  char name[32];
  int i;

  (void)session;
  for (i = 0; i < 20; i++) {
    snprintf(name, sizeof(name), "/new/%zu/%d", p->acts, i);
    endpoint.path = name;
    assert_int_equal(sbk_broker_add_endpoint(broker, &endpoint), 0);
    assert_int_equal(
        sbk_broker_add_handler(broker, SBK_SEND, name, on_send, &p->host), 0);
    assert_int_equal(sbk_broker_add_handler(broker, SBK_SUBSCRIBE, name,
                                            on_subscribe, &p->host),
                     0);
    converter.content_type = name;
    converter.encode = on_encode;
    assert_int_equal(sbk_broker_add_converter(broker, &converter), 0);
    topic.prefix = name;
    assert_int_equal(sbk_broker_add_topic(broker, &topic), 0);
    rule.pattern = name;
    rule.order = i - 10;
    assert_int_equal(sbk_broker_add_rule(broker, &rule), 0);
    assert_int_equal(
        sbk_broker_add_interceptor(broker, SBK_INBOUND, i - 10, pass, NULL), 0);
    assert_int_equal(
        sbk_broker_add_interceptor(broker, SBK_OUTBOUND, i - 10, pass, NULL),
        0);
    assert_int_equal(
        sbk_broker_add_interceptor(broker, SBK_SENDS, i - 10, pass, NULL), 0);
  }
}

static void registering_works(void **state) {
  perform(&reference, NULL, NULL);
  perform(&play, *state, enlist);
  assert_string_equal(play.trace, reference.trace);
  finish(&play);
  finish(&reference);
}

/* Everybody's subscriptions, the one's that it is called for among them. */
static size_t judge_all(struct play *p, sbk_session *session) {
  sbk_session *all[3] = {session, NULL, NULL};
  size_t i, ended = 0;
  int rv;

  if (p->ann.conn != NULL) {
    all[1] = sbk_conn_session(p->ann.conn);
  }
  if (p->bob.conn != NULL) {
    all[2] = sbk_conn_session(p->bob.conn);
  }
  for (i = 0; i < 3; i++) {
    rv = all[i] != NULL ? sbk_session_reauthorize(all[i]) : 0;
    assert_true(rv >= 0);
    ended += (size_t)rv;
  }

  return ended;
}

static void judge(struct play *p, sbk_session *session) {
  assert_int_equal(judge_all(p, session), 0);
}

static void judging_again_works(void **state) {
  perform(&reference, NULL, NULL);
  perform(&play, *state, judge);
  assert_string_equal(play.trace, reference.trace);
  finish(&play);
  finish(&reference);
}

static void revoke(struct play *p, sbk_session *session) {
  p->revoked = true;
  judge_all(p, session);
  assert_int_equal(judge_all(p, session), 0);
  p->revoked = false;
}

static void revoking_works(void **state) {
  perform(&play, *state, revoke);
  finish(&play);
}

static void accept_one(struct play *p, sbk_session *session) {
  sbk_broker *broker = p->host.broker;
  size_t count = sbk_broker_conn_count(broker);
  sbk_conn *conn;

  (void)session;
  if (p->over) {
    assert_int_equal(sbk_conn_new(&conn, broker, SBK_TCP, "new", NULL),
                     SBK_ERR_STATE);
    return;
  }
  assert_int_equal(sbk_conn_new(&conn, broker, SBK_TCP, "new", NULL), 0);
  assert_int_equal(sbk_broker_conn_count(broker), count + 1);
}

static void accepting_works(void **state) {
  perform(&play, *state, accept_one);
  finish(&play);
}

static void shut(struct play *p, sbk_session *session) {
  (void)session;
  sbk_broker_shutdown(p->host.broker);
  p->down = true;
}

static void shutting_down_works(void **state) {
  perform(&play, *state, shut);
  assert_null(sbk_conn_session(play.listener.conn));
  assert_int_equal(sbk_session_count(play.host.broker, NULL), 0);
  assert_int_equal(sbk_user_count(play.host.broker), 0);
  finish(&play);
}

static void leave_slowly(struct play *p, sbk_session *session) {
  (void)session;
  assert_int_equal(sbk_broker_drain(p->host.broker, 100), 0);
  p->down = true;
}

static void draining_works(void **state) {
  perform(&play, *state, leave_slowly);
  host_wait(&play.host, 1); /* it begins with a tick */
  host_wait(&play.host, 100);
  assert_null(sbk_conn_session(play.listener.conn));
  assert_int_equal(sbk_session_count(play.host.broker, NULL), 0);
  finish(&play);
}

static void drain(struct play *p, sbk_session *session) {
  struct iovec iov[4];
  uint8_t bytes[64];
  sbk_conn *conn = p->listener.conn;
  size_t len = sbk_conn_copy_out(conn, bytes, sizeof(bytes));

  (void)session;
  sbk_conn_sent(conn, len);
  sbk_conn_output(conn, iov, 4);
  assert_int_equal(sbk_conn_wants(conn), p->over ? 0 : SBK_WANT_READ);
  assert_ptr_equal(sbk_conn_user_data(conn), &p->listener);
  while (sbk_broker_next_ready(p->host.broker) != NULL) {
  }
}

static void taking_output_works(void **state) {
  perform(&reference, NULL, NULL);
  perform(&play, *state, drain);
  assert_string_equal(play.trace, reference.trace);
  finish(&play);
  finish(&reference);
}

/* ---- what is looked at ---- */

static int count_one(const struct sbk_destination *destination, void *arg) {
  size_t *count = arg;

  assert_non_null(destination->name);
  ++*count;

  return 0;
}

static int count_user(const char *user, size_t sessions, void *arg) {
  size_t *count = arg;

  assert_non_null(user);
  *count += sessions;

  return 0;
}

static int count_subscription(const char *id, const char *destination,
                              void *arg) {
  size_t *count = arg;

  assert_non_null(id);
  assert_int_equal(destination[0], '/');
  ++*count;

  return 0;
}

static int count_session(sbk_session *session, void *arg) {
  return sbk_each_subscription(session, count_subscription, arg);
}

static void look_at_session(struct play *p, sbk_session *session) {
  assert_int_equal(strlen(sbk_session_id(session)), 32);
  assert_non_null(sbk_session_peer(session));
  assert_non_null(sbk_session_transport(session));
  assert_ptr_equal(sbk_session_broker(session), p->host.broker);
  assert_null(sbk_session_data(session));
  sbk_session_user(session);
  sbk_session_endpoint(session);
}

static void look_at_request(struct play *p, sbk_request *request) {
  char value[8] = "before";
  size_t len;

  assert_int_equal(sbk_request_path(request)[0], '/');
  assert_true(strlen(sbk_request_method(request)) > 0);
  assert_int_equal(sbk_request_query(request, "q", value, sizeof(value)),
                   SBK_ERR_NOT_FOUND);
  assert_int_equal(sbk_request_cookie(request, "c", value, sizeof(value)),
                   SBK_ERR_NOT_FOUND);
  assert_string_equal(value, "before");
  assert_int_equal(sbk_request_field(request, "host")[0], 'h');
  assert_non_null(sbk_request_body(request, &len));
  assert_int_equal(len, 0);
  assert_string_equal(sbk_request_peer(request), "");
  assert_ptr_equal(sbk_request_broker(request), p->host.broker);
  assert_null(sbk_request_session(request));
  sbk_request_set_user_data(request, p);
  assert_ptr_equal(sbk_request_user_data(request), p);
}

static void look(struct play *p, sbk_session *session) {
  sbk_broker *broker = p->host.broker;
  struct sbk_stats stats = SBK_STATS_INIT;
  size_t count = 0;
  char accept[29];

  assert_non_null(sbk_strerror(SBK_ERR_DENIED));
  assert_int_equal(sbk_version(), SBK_VERSION_NUM);
  assert_ptr_equal(sbk_broker_arg(broker), &p->host);
  sbk_broker_deadline(broker);
  assert_int_equal(sbk_broker_stats(broker, &stats), 0);
  assert_true(stats.accepted > 0);
  assert_int_equal(sbk_each_destination(broker, count_one, &count), 0);
  assert_true(count > 0 || p->over);
  count = 0;
  assert_int_equal(sbk_each_user(broker, count_user, &count), 0);
  assert_true(count > 0 || p->over);
  count = 0;
  assert_int_equal(sbk_each_session(broker, NULL, count_session, &count), 0);
  assert_true(count > 0 || p->over);
  assert_int_equal(sbk_websocket_accept(accept, "dGhlIHNhbXBsZSBub25jZQ==", 24),
                   0);
  assert_true(sbk_origin_allowed("http://h", "http", "h", NULL));
  if (session != NULL) {
    look_at_session(p, session);
  }
  if (strcmp(p->where, "handshake") == 0 || strcmp(p->where, "request") == 0 ||
      strcmp(p->where, "request_gone") == 0) {
    look_at_request(p, p->host.request);
  }
}

static void looking_works(void **state) {
  perform(&reference, NULL, NULL);
  perform(&play, *state, look);
  assert_string_equal(play.trace, reference.trace);
  finish(&play);
  finish(&reference);
}

/* ---- what is made and kept ---- */

static void done(void *data, size_t len, void *arg) {
  struct play *p = arg;

  assert_int_equal(len, 4);
  p->freed++;
  free(data);
}

static sbk_message *make(struct play *p, const char *destination) {
  sbk_broker *broker = p->host.broker;
  char *memory = malloc(4);
  const char *name, *value;
  sbk_message *msg;
  sbk_buf *body;
  size_t len;

  assert_non_null(memory);
  memcpy(memory, "kept", 4);
  body = sbk_buf_wrap(broker, memory, 4, done, p);
  assert_non_null(body);
  p->wrapped++;
  sbk_buf_unref(sbk_buf_ref(body));
  assert_memory_equal(sbk_buf_data(body), "kept", sbk_buf_len(body));
  msg = sbk_message_new(broker, destination, body);
  assert_non_null(msg);
  sbk_buf_unref(body);
  assert_int_equal(sbk_message_set_header(msg, "a", "b"), 0);
  sbk_message_unref(sbk_message_ref(msg));
  assert_int_equal(sbk_message_command(msg), SBK_MESSAGE);
  sbk_message_header_at(msg, sbk_message_header_count(msg) - 1, &name, &value);
  assert_string_equal(value, "b");
  assert_memory_equal(sbk_message_body(msg, &len), "kept", 4);
  assert_ptr_equal(sbk_message_body_buf(msg), body);

  return msg;
}

static void keep(struct play *p, sbk_session *session) {
  sbk_broker *broker = p->host.broker;
  sbk_message *msg = make(p, "/topic/log");
  sbk_buf *other = sbk_buf_copy(broker, "x", 1);

  assert_non_null(other);
  sbk_buf_unref(other);
  assert_int_equal(sbk_send_message(broker, msg), !p->over);
  sbk_message_unref(msg);
  msg = make(p, "/queue/x");
  assert_true(sbk_send_message_to_user(broker, "ann", msg) >= 0);
  if (session != NULL) {
    assert_true(sbk_send_message_to_session(session, msg) >= 0);
  }
  sbk_message_unref(msg);
  assert_non_null(sbk_text_converter());
  assert_non_null(sbk_bytes_converter());
  assert_int_equal(
      sbk_convert_and_send(broker, "/topic/nobody", NULL, "text", "x"), 0);
  assert_true(sbk_convert_and_send_to_user(broker, "ann", "/queue/x", NULL,
                                           "text", "converted") >= 0);
}

static void keeping_works(void **state) {
  perform(&play, *state, keep);
  assert_int_equal(times(play.trace, "\na:b\n"), times(play.trace, "kept^"));
  assert_true(times(play.trace, "kept^") >= play.acts);
  finish(&play);
  assert_int_equal(play.wrapped, 2 * play.acts);
  assert_int_equal(play.freed, play.wrapped);
}

/* ---- what is changed, and makes no difference ---- */

static void change(struct play *p, sbk_session *session) {
  struct sbk_http_request request = SBK_HTTP_REQUEST_INIT;
  struct sbk_http_answer answer = SBK_HTTP_ANSWER_INIT;
  struct sbk_mapping mapping = SBK_MAPPING_INIT;
  sbk_broker *broker = p->host.broker, *other;
  sbk_conn *conn = p->listener.conn;
  char name[32];

  sbk_conn_set_user_data(conn, &p->listener);
  sbk_conn_eof(conn, 0);
  sbk_conn_eof(conn, 5);
  assert_int_equal(sbk_conn_answer(conn, &answer), SBK_ERR_STATE);
  snprintf(name, sizeof(name), "/map/%zu", p->acts);
  mapping.command = SBK_SEND;
  mapping.pattern = name;
  mapping.handler = on_failing;
  assert_int_equal(sbk_broker_add_mapping(broker, &mapping), 0);
  assert_int_equal(sbk_broker_add_error_handler(broker, 1, on_failure, p), 0);
  request.method = "GET";
  request.method_len = 3;
  request.target = "/nowhere";
  request.target_len = 8;
  assert_int_equal(
      sbk_conn_new_exchange(&conn, broker, &request, NULL, 0, NULL, NULL),
      SBK_ERR_STATE);
  assert_null(conn);
  assert_true(sbk_conn_new_request(&conn, broker, &request, NULL, NULL) < 0);
  assert_null(conn);
  assert_int_equal(sbk_broker_new(&other, NULL, NULL, NULL), 0);
  sbk_broker_free(other);
  if (session != NULL) {
    sbk_session_set_data(session, NULL);
    if (sbk_session_endpoint(session) == NULL) { /* it speaks STOMP */
      assert_int_equal(sbk_session_send(session, 0, "x", 1), SBK_ERR_STATE);
    }
    sbk_session_set_expiry(session, SBK_NEVER);
    assert_int_equal(sbk_session_unsubscribe(session, "none"),
                     SBK_ERR_NOT_FOUND);
    assert_int_equal(sbk_session_close_code(session, 1, NULL) < 0, 1);
    if (sbk_session_user(session) != NULL) {
      assert_true(sbk_session_set_user(session, "") < 0);
    }
  }
}

static void changing_works(void **state) {
  perform(&reference, NULL, NULL);
  perform(&play, *state, change);
  assert_string_equal(play.trace, reference.trace);
  finish(&play);
  finish(&reference);
}

/* ---- what waits for the host ---- */

static struct {
  struct peer hal, ida, jim, kim;
  sbk_call *put_off, *held;
  sbk_request *handshake, *request;
  sbk_task task;
  bool ran;
} late;

static void run(sbk_broker *broker, sbk_task *task) {
  (void)broker;
  assert_ptr_equal(task, &late.task);
  late.ran = true;
}

static int put_off(sbk_call *call, void *arg) {
  (void)arg;
  late.put_off = call;

  return sbk_call_defer(call);
}

static enum sbk_verdict hold(sbk_call *call, void *arg) {
  (void)arg;
  if (sbk_message_header(sbk_call_message(call), "hold") == NULL ||
      late.held != NULL) {
    return SBK_PASS;
  }
  late.held = call;

  return SBK_WAIT;
}

static void let_wait(struct play *p) {
  struct host *host = &p->host;

  memset(&late, 0, sizeof(late));
  assert_int_equal(sbk_broker_add_handler(host->broker, SBK_SEND, "/put/{name}",
                                          put_off, NULL),
                   0);
  assert_int_equal(
      sbk_broker_add_interceptor(host->broker, SBK_INBOUND, 1, hold, NULL), 0);
  peer_open(&late.hal, host, SBK_TCP);
  peer_connect(&late.hal, host, "hal");
  peer_subscribe(&late.hal, "1", "/topic/put/later");
  peer_say(&late.hal,
           "SEND\ndestination:/app/put/later\nreceipt:hal\n\nvalue^");
  peer_open(&late.ida, host, SBK_TCP);
  peer_connect(&late.ida, host, "ida");
  peer_subscribe(&late.ida, "1", "/topic/ida");
  peer_say(&late.ida, "SEND\ndestination:/topic/ida\nhold:1\n\nida^");
  host->handshake = SBK_WAIT;
  peer_open(&late.jim, host, SBK_HTTP);
  peer_say(&late.jim, UPGRADE("/ws"));
  late.handshake = host->request;
  host->handshake = SBK_PASS;
  host->defer = true;
  peer_open(&late.kim, host, SBK_HTTP);
  peer_say(&late.kim, "GET /kim HTTP/1.1\r\nHost: h\r\n\r\n");
  late.request = host->request;
  host->defer = false;
  host_forget(host);
}

static void settle(struct play *p, sbk_session *session) {
  char value[8] = "";

  (void)session;
  if (p->acts > 1) {
    return;
  }
  late.task.run = run;
  sbk_post(p->host.broker, &late.task);
  assert_ptr_equal(sbk_call_broker(late.put_off), p->host.broker);
  assert_ptr_equal(sbk_call_session(late.put_off),
                   sbk_conn_session(late.hal.conn));
  assert_string_equal(sbk_call_param(late.put_off, "name"), "later");
  assert_int_equal(sbk_call_decode(late.put_off, "text", value), 0);
  assert_string_equal(value, "value");
  assert_int_equal(sbk_call_reply(late.put_off, "/queue/y", NULL, "y", 1), 0);
  assert_int_equal(sbk_call_return(late.put_off, NULL, "returned", 8), 0);
  assert_int_equal(sbk_call_set_header(late.put_off, "a", "b"), SBK_ERR_STATE);
  assert_int_equal(sbk_call_set_error(late.put_off, "none"), 0);
  assert_int_equal(sbk_call_resume(late.put_off, SBK_PASS), SBK_ERR_STATE);
  assert_int_equal(
      sbk_call_convert_and_return(late.put_off, NULL, "text", "hal"), 0);
  assert_int_equal(sbk_call_finish(late.put_off, 0), 0);

  assert_int_equal(sbk_call_defer(late.held), SBK_ERR_STATE);
  assert_int_equal(sbk_call_finish(late.held, 0), SBK_ERR_STATE);
  assert_int_equal(sbk_call_set_user(late.held, "bob"), SBK_ERR_STATE);
  assert_int_equal(sbk_call_set_header(late.held, "a", "b"), 0);
  assert_int_equal(sbk_call_resume(late.held, SBK_WAIT), SBK_ERR_INVAL);
  assert_int_equal(sbk_call_resume(late.held, SBK_PASS), 0);

  assert_int_equal(sbk_request_answer(late.handshake, 200, NULL, "x", 1),
                   SBK_ERR_STATE);
  assert_int_equal(sbk_request_set_user(late.handshake, "jim"), 0);
  assert_int_equal(sbk_request_set_session_data(late.handshake, p), 0);
  assert_int_equal(sbk_request_set_status(late.handshake, 200), SBK_ERR_INVAL);
  assert_int_equal(sbk_request_resume(late.handshake, SBK_PASS), 0);

  assert_int_equal(sbk_request_set_user(late.request, "kim"), SBK_ERR_STATE);
  assert_int_equal(sbk_request_resume(late.request, SBK_PASS), SBK_ERR_STATE);
  assert_int_equal(sbk_request_answer(late.request, 200, NULL, "kim", 3), 0);
}

static void what_waits_goes_on(void **state) {
  set_up(&play, *state, settle);
  play.busy = true;
  let_wait(&play);
  play.busy = false;
  go_on(&play);
  host_wait(&play.host, 1);
  assert_true(late.ran);
  assert_non_null(strstr(peer_hear(&late.hal), "\n\nreturned^"));
  assert_non_null(strstr(late.hal.heard, "\n\nhal^"));
  assert_int_equal(times(late.hal.heard, "RECEIPT\nreceipt-id:hal\n"), 1);
  assert_non_null(strstr(peer_hear(&late.ida), "\na:b\n"));
  assert_int_equal(times(late.ida.heard, "\n\nida^"), 1);
  assert_int_equal(times(peer_hear(&late.jim), "HTTP/1.1 101 "), 1);
  assert_string_equal(sbk_session_user(sbk_conn_session(late.jim.conn)), "jim");
  assert_ptr_equal(sbk_session_data(sbk_conn_session(late.jim.conn)), &play);
  assert_int_equal(times(peer_hear(&late.kim), "\r\n\r\nkim"), 1);
  finish(&play);
}

int main(void) {
  static const struct {
    const char *name;
    CMUnitTestFunction run;
  } acts[] = {
      {"misuse does no harm", misuse_does_no_harm},
      {"sending works", sending_works},
      {"closing works", closing_works},
      {"judging again works", judging_again_works},
      {"revoking works", revoking_works},
      {"registering works", registering_works},
      {"accepting works", accepting_works},
      {"shutting down works", shutting_down_works},
      {"draining works", draining_works},
      {"taking output works", taking_output_works},
      {"looking works", looking_works},
      {"keeping works", keeping_works},
      {"changing works", changing_works},
      {"what waits goes on", what_waits_goes_on},
  };
  enum { ACTS = sizeof(acts) / sizeof(acts[0]) };
  static struct CMUnitTest tests[ACTS * PLACES];
  static char names[ACTS * PLACES][64];
  size_t i, j, at = 0;

  for (i = 0; i < ACTS; i++) {
    for (j = 0; j < PLACES; j++) {
      if ((acts[i].run == misuse_does_no_harm ||
           acts[i].run == changing_works) &&
          strcmp(places[j], "task") == 0) {
        continue; /* a task is no callback: it may feed and free */
      }
      snprintf(names[at], sizeof(names[at]), "%s from %s", acts[i].name,
               places[j]);
      tests[at].name = names[at];
      tests[at].test_func = acts[i].run;
      tests[at++].initial_state = (void *)(uintptr_t)places[j];
    }
  }

  return _cmocka_run_group_tests("reenter", tests, at, NULL, NULL);
}
