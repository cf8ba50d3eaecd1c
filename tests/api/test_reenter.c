#include "host.h"

/*
 * A play in which every callback is called, and what a host may try to do from
 * inside one: the same things from each.
 */
struct play {
  struct host host; /* first: hooks get it */
  const char *where;
  void (*act)(struct play *play, sbk_session *session);
  bool busy;     /* act is under way */
  bool down;     /* the broker was shut down */
  bool over;     /* it is being freed */
  bool revoked;  /* whatever is judged inside act is refused */
  bool told_off; /* the log has said that something may not be done */
  size_t acts;
  unsigned random;
  struct peer listener; /* to /topic/log */
  struct peer ann;
  struct peer bob;
  struct peer plain;
  struct peer http;
  struct peer eve;   /* who speaks no version that we do */
  struct peer slow;  /* who reads nothing */
  char trace[60000]; /* all that was told and heard */
};

static const char *const places[] = {
    "handshake",    "request",       "request_gone",
    "connected",    "disconnected",  "subscribed",
    "unsubscribed", "undeliverable", "inbound",
    "outbound",     "handler",       "subscribe handler",
    "message",      "encode",        "decode",
    "each_user",    "each_session",  "each_subscription",
    "task",         "rule",          "sends",
    "refused",      "dropped",       "alarm"};

#define PLACES (sizeof(places) / sizeof(places[0]))

static void on_hook(struct host *host, const char *where,
                    sbk_session *session) {
  struct play *play = (struct play *)(void *)host;

  if (play->act == NULL || play->busy || strcmp(where, play->where) != 0) {
    return;
  }
  play->busy = true;
  play->acts++;
  play->act(play, session);
  play->busy = false;
}

static int on_random(void *dst, size_t len, void *arg) {
  struct play *play = arg;

  memset(dst, (int)play->random++, len);

  return 0;
}

static enum sbk_verdict on_outbound(sbk_call *call, void *arg) {
  struct host *host = arg;

  if (strncmp(sbk_message_header(sbk_call_message(call), "destination"),
              "/topic/log", 10) != 0) {
    host_event(host, "outbound;");
    host_hook(host, "outbound", sbk_call_session(call));
  }

  return SBK_PASS;
}

static enum sbk_verdict on_sends(sbk_call *call, void *arg) {
  struct play *play = arg;

  if (!play->busy) {
    host_event(&play->host, "sends;");
    host_hook(&play->host, "sends", sbk_call_session(call));
  }

  return SBK_PASS;
}

static enum sbk_verdict on_rule(sbk_call *call, void *arg) {
  struct play *play = arg;

  if (play->busy) {
    return play->revoked ? SBK_REFUSE : SBK_PASS;
  }
  host_event(&play->host, "rule;");
  host_hook(&play->host, "rule", sbk_call_session(call));

  return SBK_PASS;
}

static int on_send(sbk_call *call, void *arg) {
  struct host *host = arg;
  char value[8] = "";

  host_event(host, "handler %s;", sbk_call_param(call, "name"));
  assert_int_equal(sbk_call_decode(call, "text", value), 0);
  host_event(host, "value %s;", value);
  host_hook(host, "handler", sbk_call_session(call));
  sbk_call_reply(call, "/queue/x", NULL, "reply", 5);

  return sbk_call_return(call, NULL, "returned", 8);
}

static int on_subscribe(sbk_call *call, void *arg) {
  struct host *host = arg;

  host_event(host, "subscribe handler;");
  host_hook(host, "subscribe handler", sbk_call_session(call));

  return sbk_call_return(call, NULL, "once", 4);
}

static int on_message(sbk_session *session, int binary, const void *data,
                      size_t len, void *arg) {
  struct host *host = arg;

  host_event(host, "message %.*s;", (int)len, (const char *)data);
  host_hook(host, "message", session);
  sbk_session_send(session, binary, data, len);

  return 0;
}

static int on_encode(sbk_broker *broker, const char *type, const void *value,
                     sbk_buf **out, void *arg) {
  struct host *host = arg;

  host_event(host, "encode %s;", type);
  host_hook(host, "encode", NULL);
  *out = sbk_buf_copy(broker, value, strlen(value));

  return *out != NULL ? 0 : SBK_ERR_NOMEM;
}

static int on_decode(sbk_broker *broker, const char *type, const void *data,
                     size_t len, void *value, void *arg) {
  struct host *host = arg;

  (void)broker;
  host_event(host, "decode %s;", type);
  host_hook(host, "decode", NULL);
  memcpy(value, data, len);

  return 0;
}

static int on_user(const char *user, size_t sessions, void *arg) {
  struct host *host = arg;

  host_event(host, "user %s %zu;", user, sessions);
  host_hook(host, "each_user", NULL);

  return 0;
}

static int on_session(sbk_session *session, void *arg) {
  struct host *host = arg;

  host_event(host, "session %s;", host_user(session));
  host_hook(host, "each_session", session);

  return 0;
}

static int on_subscription(const char *id, const char *destination, void *arg) {
  struct host *host = arg;

  host_event(host, "subscription %s %s;", id, destination);
  host_hook(host, "each_subscription", NULL);

  return 0;
}

struct job {
  sbk_task task;
  struct host *host;
};

static void on_task(sbk_broker *broker, sbk_task *task) {
  struct host *host = ((struct job *)(void *)task)->host;

  assert_ptr_equal(broker, host->broker);
  host_event(host, "task;");
  host_hook(host, "task", NULL);
}

static void note(struct play *play, const char *text) {
  size_t len = strlen(play->trace);

  assert_true(len + strlen(text) < sizeof(play->trace));
  memcpy(play->trace + len, text, strlen(text) + 1);
}

static void hear(struct play *play, struct peer *peer) {
  note(play, play->host.events);
  host_forget(&play->host);
  if (peer->conn != NULL) {
    note(play, peer_hear(peer));
  }
}

/* After a shutdown nobody comes any more. */
static void come(struct play *play, struct peer *peer,
                 enum sbk_transport transport) {
  int rv;

  memset(peer, 0, sizeof(*peer));
  peer->host = &play->host;
  rv = sbk_conn_new(&peer->conn, play->host.broker, transport, NULL, peer);
  assert_int_equal(rv, play->down ? SBK_ERR_STATE : 0);
  assert_int_equal(peer->conn == NULL, play->down);
}

static void say(struct play *play, struct peer *peer, const char *text) {
  if (peer->conn != NULL) {
    peer_say(peer, text);
  }
  hear(play, peer);
}

static void set_up(struct play *play, const char *where,
                   void (*act)(struct play *play, sbk_session *session)) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;
  struct sbk_converter converter = SBK_CONVERTER_INIT;
  struct sbk_rule rule = SBK_RULE_INIT;
  struct sbk_topic topic = SBK_TOPIC_INIT;
  struct host *host = &play->host;

  memset(play, 0, sizeof(*play));
  play->where = where;
  play->act = act;
  host_init(host);
  host->callbacks.random = on_random;
  host->callbacks.refused = host_on_refused;
  host->callbacks.dropped = host_on_dropped;
  host->callbacks.alarm = host_on_alarm;
  host->hook = on_hook;
  host->config.max_queue = 8000;
  host->config.max_total_queue = 10000;
  host_open(host);
  topic.prefix = "/topic/drop";
  topic.overflow = SBK_OVERFLOW_DROP_OLDEST;
  assert_int_equal(sbk_broker_add_topic(host->broker, &topic), 0);
  endpoint.path = "/plain";
  endpoint.message = on_message;
  assert_int_equal(sbk_broker_add_endpoint(host->broker, &endpoint), 0);
  assert_int_equal(sbk_broker_add_interceptor(host->broker, SBK_OUTBOUND, 0,
                                              on_outbound, host),
                   0);
  assert_int_equal(sbk_broker_add_handler(host->broker, SBK_SEND, "/h/{name}",
                                          on_send, host),
                   0);
  assert_int_equal(sbk_broker_add_handler(host->broker, SBK_SUBSCRIBE, "/s",
                                          on_subscribe, host),
                   0);
  assert_int_equal(
      sbk_broker_add_interceptor(host->broker, SBK_SENDS, 0, on_sends, play),
      0);
  rule.check = on_rule;
  rule.arg = play;
  assert_int_equal(sbk_broker_add_rule(host->broker, &rule), 0);
  converter.content_type = "text/plain";
  converter.encode = on_encode;
  converter.decode = on_decode;
  converter.arg = host;
  assert_int_equal(sbk_broker_add_converter(host->broker, &converter), 0);
  peer_open(&play->listener, host, SBK_TCP);
  play->busy = true;
  peer_connect(&play->listener, host, "listener");
  peer_subscribe(&play->listener, "log", "/topic/log");
  play->busy = false;
  host_forget(host);
}

static void act_one(struct play *play) {
  come(play, &play->ann, SBK_TCP);
  say(play, &play->ann, "CONNECT\naccept-version:1.2\nlogin:ann\n\n^");
  say(play, &play->ann, "SUBSCRIBE\nid:1\ndestination:/topic/a\n\n^");
  say(play, &play->ann, "SUBSCRIBE\nid:2\ndestination:/user/queue/x\n\n^");
  say(play, &play->ann, "SUBSCRIBE\nid:3\ndestination:/app/s\nreceipt:r\n\n^");
  say(play, &play->ann, "SEND\ndestination:/topic/a\n\nbody^");
  say(play, &play->ann, "SEND\ndestination:/app/h/x\nreceipt:q\n\nvalue^");
  come(play, &play->bob, SBK_TCP);
  say(play, &play->bob, "CONNECT\naccept-version:1.2\nlogin:bob\n\n^");
  say(play, &play->bob, "SUBSCRIBE\nid:1\ndestination:/topic/a\n\n^");
  say(play, &play->ann, "UNSUBSCRIBE\nid:1\nreceipt:u\n\n^");
}

static void act_two(struct play *play) {
  struct job job = {{on_task, NULL}, NULL};
  struct host *host = &play->host;
  sbk_session *session;

  come(play, &play->plain, SBK_HTTP);
  say(play, &play->plain, UPGRADE("/plain"));
  if (strstr(play->trace, " 101 ") != NULL) {
    play->plain.websocket = true;
    say(play, &play->plain, "hello");
  }
  sbk_send_to_user(host->broker, "nobody", "/queue/x", NULL, "x", 1);
  sbk_convert_and_send(host->broker, "/topic/a", NULL, "text", "converted");
  sbk_each_user(host->broker, on_user, host);
  sbk_each_session(host->broker, NULL, on_session, host);
  sbk_each_session(host->broker, "ann", on_session, host);
  session = play->ann.conn != NULL ? sbk_conn_session(play->ann.conn) : NULL;
  if (session != NULL) {
    sbk_each_subscription(session, on_subscription, host);
  }
  job.host = host;
  sbk_post(host->broker, &job.task);
  host_wait(host, 10);
  hear(play, &play->ann);
  hear(play, &play->bob);
}

static void act_three(struct play *play) {
  struct host *host = &play->host;

  come(play, &play->http, SBK_HTTP);
  say(play, &play->http, "GET /page HTTP/1.1\r\nHost: h\r\n\r\n");
  host->defer = true;
  say(play, &play->http, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  peer_leave(&play->http);
  hear(play, &play->http);
  say(play, &play->ann, "DISCONNECT\nreceipt:bye\n\n^");
  peer_leave(&play->bob);
  hear(play, &play->listener);
}

static void act_four(struct play *play) {
  static const char body[1500];
  int i;

  come(play, &play->eve, SBK_TCP);
  say(play, &play->eve, "CONNECT\naccept-version:9\n\n^");
  come(play, &play->slow, SBK_TCP);
  say(play, &play->slow, "CONNECT\naccept-version:1.2\n\n^");
  say(play, &play->slow, "SUBSCRIBE\nid:1\ndestination:/topic/drop\n\n^");
  for (i = 0; i < 8; i++) {
    sbk_send(play->host.broker, "/topic/drop", NULL, body, sizeof(body));
  }
  peer_leave(&play->slow);
  hear(play, &play->eve);
}

/* All of it, with act called from inside where. */
static void perform(struct play *play, const char *where,
                    void (*act)(struct play *play, sbk_session *session)) {
  set_up(play, where, act);
  act_one(play);
  act_two(play);
  act_four(play);
  act_three(play);
  if (act != NULL) {
    assert_true(play->acts > 0);
  }
}

static struct play play, reference;

static void finish(struct play *p) {
  p->over = true;
  host_end(&p->host);
}

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
      {"taking output works", taking_output_works},
  };
  enum { ACTS = sizeof(acts) / sizeof(acts[0]) };
  static struct CMUnitTest tests[ACTS * PLACES];
  static char names[ACTS * PLACES][64];
  size_t i, j, at = 0;

  for (i = 0; i < ACTS; i++) {
    for (j = 0; j < PLACES; j++) {
      if (acts[i].run == misuse_does_no_harm &&
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
