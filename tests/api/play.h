#ifndef PLAY_H
#define PLAY_H

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
  size_t wrapped, freed; /* memory that the library was lent, and gave back */
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
    "refused",      "dropped",       "alarm",
    "dead_letter",  "error handler", "log",
    "random"};

#define PLACES (sizeof(places) / sizeof(places[0]))

static inline void on_hook(struct host *host, const char *where,
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

static inline int on_random(void *dst, size_t len, void *arg) {
  struct play *play = arg;

  memset(dst, (int)play->random++, len);
  host_hook(&play->host, "random", NULL);

  return 0;
}

static inline enum sbk_verdict on_outbound(sbk_call *call, void *arg) {
  struct host *host = arg;

  if (strncmp(sbk_message_header(sbk_call_message(call), "destination"),
              "/topic/log", 10) != 0) {
    host_event(host, "outbound;");
    host_hook(host, "outbound", sbk_call_session(call));
  }

  return SBK_PASS;
}

static inline enum sbk_verdict on_sends(sbk_call *call, void *arg) {
  struct play *play = arg;

  if (!play->busy) {
    host_event(&play->host, "sends;");
    host_hook(&play->host, "sends", sbk_call_session(call));
  }

  return SBK_PASS;
}

static inline enum sbk_verdict on_rule(sbk_call *call, void *arg) {
  struct play *play = arg;

  if (play->busy) {
    return play->revoked ? SBK_REFUSE : SBK_PASS;
  }
  host_event(&play->host, "rule;");
  host_hook(&play->host, "rule", sbk_call_session(call));

  return SBK_PASS;
}

static inline int on_send(sbk_call *call, void *arg) {
  struct host *host = arg;
  char value[8] = "";

  host_event(host, "handler %s;", sbk_call_param(call, "name"));
  assert_int_equal(sbk_call_decode(call, "text", value), 0);
  host_event(host, "value %s;", value);
  host_hook(host, "handler", sbk_call_session(call));
  sbk_call_reply(call, "/queue/x", NULL, "reply", 5);

  return sbk_call_return(call, NULL, "returned", 8);
}

static inline int on_failing(sbk_call *call, void *arg) {
  (void)call, (void)arg;

  return SBK_ERR_DENIED;
}

static inline int on_failure(sbk_call *call, int error, const char *text,
                             void *arg) {
  struct host *host = arg;

  (void)text;
  assert_int_equal(error, SBK_ERR_DENIED);
  host_event(host, "failure;");
  host_hook(host, "error handler", sbk_call_session(call));

  return 0;
}

static inline void on_dead(sbk_broker *broker, const sbk_message *msg,
                           void *arg) {
  struct host *host = arg;

  assert_ptr_equal(broker, host->broker);
  host_event(host, "dead %s;", sbk_message_header(msg, "destination"));
  host_hook(host, "dead_letter", NULL);
}

static inline int on_subscribe(sbk_call *call, void *arg) {
  struct host *host = arg;

  host_event(host, "subscribe handler;");
  host_hook(host, "subscribe handler", sbk_call_session(call));

  return sbk_call_return(call, NULL, "once", 4);
}

static inline int on_message(sbk_session *session, int binary, const void *data,
                             size_t len, void *arg) {
  struct host *host = arg;

  host_event(host, "message %.*s;", (int)len, (const char *)data);
  host_hook(host, "message", session);
  sbk_session_send(session, binary, data, len);

  return 0;
}

static inline int on_encode(sbk_broker *broker, const char *type,
                            const void *value, sbk_buf **out, void *arg) {
  struct host *host = arg;

  host_event(host, "encode %s;", type);
  host_hook(host, "encode", NULL);
  *out = sbk_buf_copy(broker, value, strlen(value));

  return *out != NULL ? 0 : SBK_ERR_NOMEM;
}

static inline int on_decode(sbk_broker *broker, const char *type,
                            const void *data, size_t len, void *value,
                            void *arg) {
  struct host *host = arg;

  (void)broker;
  host_event(host, "decode %s;", type);
  host_hook(host, "decode", NULL);
  memcpy(value, data, len);

  return 0;
}

static inline int on_user(const char *user, size_t sessions, void *arg) {
  struct host *host = arg;

  host_event(host, "user %s %zu;", user, sessions);
  host_hook(host, "each_user", NULL);

  return 0;
}

static inline int on_session(sbk_session *session, void *arg) {
  struct host *host = arg;

  host_event(host, "session %s;", host_user(session));
  host_hook(host, "each_session", session);

  return 0;
}

static inline int on_subscription(const char *id, const char *destination,
                                  void *arg) {
  struct host *host = arg;

  host_event(host, "subscription %s %s;", id, destination);
  host_hook(host, "each_subscription", NULL);

  return 0;
}

struct job {
  sbk_task task;
  struct host *host;
};

static inline void on_task(sbk_broker *broker, sbk_task *task) {
  struct host *host = ((struct job *)(void *)task)->host;

  assert_ptr_equal(broker, host->broker);
  host_event(host, "task;");
  host_hook(host, "task", NULL);
}

static inline void note(struct play *play, const char *text) {
  size_t len = strlen(play->trace);

  assert_true(len + strlen(text) < sizeof(play->trace));
  memcpy(play->trace + len, text, strlen(text) + 1);
}

static inline void hear(struct play *play, struct peer *peer) {
  note(play, play->host.events);
  host_forget(&play->host);
  if (peer->conn != NULL) {
    note(play, peer_hear(peer));
  }
}

/* After a shutdown nobody comes any more. */
static inline void come(struct play *play, struct peer *peer,
                        enum sbk_transport transport) {
  bool down = play->down;
  int rv;

  memset(peer, 0, sizeof(*peer));
  peer->host = &play->host;
  rv = sbk_conn_new(&peer->conn, play->host.broker, transport, NULL, peer);
  assert_int_equal(rv, down ? SBK_ERR_STATE : 0);
  assert_int_equal(peer->conn == NULL, down);
}

static inline void say(struct play *play, struct peer *peer, const char *text) {
  if (peer->conn != NULL) {
    peer_say(peer, text);
  }
  hear(play, peer);
}

static inline void set_up(struct play *play, const char *where,
                          void (*act)(struct play *play,
                                      sbk_session *session)) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;
  struct sbk_converter converter = SBK_CONVERTER_INIT;
  struct sbk_rule rule = SBK_RULE_INIT;
  struct sbk_topic topic = SBK_TOPIC_INIT;
  struct host *host = &play->host;

  memset(play, 0, sizeof(*play));
  play->where = where;
  play->act = act;
  play->busy = true; /* nothing is there yet */
  host_init(host);
  host->callbacks.random = on_random;
  host->callbacks.refused = host_on_refused;
  host->callbacks.dropped = host_on_dropped;
  host->callbacks.alarm = host_on_alarm;
  host->callbacks.dead_letter = on_dead;
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
      sbk_broker_add_handler(host->broker, SBK_SEND, "/fail", on_failing, host),
      0);
  assert_int_equal(
      sbk_broker_add_error_handler(host->broker, 0, on_failure, host), 0);
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
  peer_connect(&play->listener, host, "listener");
  peer_subscribe(&play->listener, "log", "/topic/log");
  play->busy = false;
  host_forget(host);
}

static inline void act_one(struct play *play) {
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

static inline void act_two(struct play *play) {
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

static inline void act_three(struct play *play) {
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

static inline void act_four(struct play *play) {
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

/* A message that nobody wants, and a handler that fails. */
static inline void act_five(struct play *play) {
  char nack[100], *id;

  say(play, &play->bob, "SEND\ndestination:/app/fail\n\n^");
  say(play, &play->bob,
      "SUBSCRIBE\nid:n\ndestination:/topic/n\nack:client-individual\n\n^");
  sbk_send(play->host.broker, "/topic/n", NULL, "x", 1);
  hear(play, &play->bob);
  id = strstr(play->trace, "\nack:");
  if (id != NULL) {
    snprintf(nack, sizeof(nack), "NACK\nid:%.*s\n\n^",
             (int)strcspn(id + 5, "\n"), id + 5);
    say(play, &play->bob, nack);
  }
}

static inline void go_on(struct play *play) {
  act_one(play);
  act_two(play);
  act_five(play);
  act_four(play);
  act_three(play);
  if (play->act != NULL) {
    assert_true(play->acts > 0);
  }
}

/* All of it, with act called from inside where. */
static inline void perform(struct play *play, const char *where,
                           void (*act)(struct play *play,
                                       sbk_session *session)) {
  set_up(play, where, act);
  go_on(play);
}

static inline void finish(struct play *p) {
  p->over = true;
  host_end(&p->host);
}

#endif
