#include "requests.h"

/*
 * A play of sessions of SockJS over requests in which the callbacks are called
 * that know of them, and what a host may try to do from inside one: the same
 * from each.
 */
struct play {
  struct host host; /* first: hooks get it */
  const char *where;
  void (*act)(struct play *play, sbk_session *session);
  bool busy; /* act is under way */
  bool over; /* the broker is being freed */
  size_t acts;
  unsigned random;
  unsigned ids;         /* of sessions that acts open */
  struct peer stream;   /* takes what goes out to the session "a" */
  struct peer poll;     /* the same of "p", a plain one */
  sbk_conn *mine[4000]; /* connections that acts made */
  size_t mine_count;
  char trace[60000]; /* all that was told and heard */
};

static const char *const places[] = {
    "handshake",  "request_gone", "connected", "disconnected",
    "subscribed", "unsubscribed", "inbound",   "outbound",
    "handler",    "message",      "refused",   "task"};

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

  memset(dst, play->busy ? 0xee : (int)play->random++, len);

  return 0;
}

static enum sbk_verdict on_outbound(sbk_call *call, void *arg) {
  host_event(arg, "outbound;");
  host_hook(arg, "outbound", sbk_call_session(call));

  return SBK_PASS;
}

static int on_send(sbk_call *call, void *arg) {
  host_event(arg, "handler;");
  host_hook(arg, "handler", sbk_call_session(call));

  return sbk_call_return(call, NULL, "returned", 8);
}

static int on_message(sbk_session *session, int binary, const void *data,
                      size_t len, void *arg) {
  host_event(arg, "message %.*s;", (int)len, (const char *)data);
  host_hook(arg, "message", session);
  sbk_session_send(session, binary, data, len);

  return 0;
}

struct job {
  sbk_task task;
  struct host *host;
};

static void on_task(sbk_broker *broker, sbk_task *task) {
  struct host *host = ((struct job *)(void *)task)->host;

  assert_ptr_equal(broker, host->broker);
  host_hook(host, "task", NULL);
}

static void set_up(struct play *play, const char *where,
                   void (*act)(struct play *play, sbk_session *session)) {
  static const char *const any[] = {"*", NULL};
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;
  struct host *host = &play->host;

  memset(play, 0, sizeof(*play));
  play->where = where;
  play->act = act;
  host_init(host);
  host->callbacks.random = on_random;
  host->callbacks.refused = host_on_refused;
  host->hook = on_hook;
  host_open(host);
  endpoint.allowed_origins = any;
  endpoint.sockjs = &sockjs;
  endpoint.path = "/s";
  assert_int_equal(sbk_broker_add_endpoint(host->broker, &endpoint), 0);
  endpoint.path = "/e";
  endpoint.message = on_message;
  assert_int_equal(sbk_broker_add_endpoint(host->broker, &endpoint), 0);
  assert_int_equal(sbk_broker_add_interceptor(host->broker, SBK_OUTBOUND, 0,
                                              on_outbound, host),
                   0);
  assert_int_equal(
      sbk_broker_add_handler(host->broker, SBK_SEND, "/h", on_send, host), 0);
}

static void note(struct play *play, const char *text) {
  size_t len = strlen(play->trace);

  assert_true(len + strlen(text) < sizeof(play->trace));
  memcpy(play->trace + len, text, strlen(text) + 1);
}

/* After a shutdown there may be nobody to come for. */
static bool come(struct play *play, struct peer *peer, const char *method,
                 const char *target, const char *body) {
  if (peer->conn != NULL) {
    peer_leave(peer);
  }
  memset(peer, 0, sizeof(*peer));
  peer->host = &play->host;
  if (sbk_conn_new(&peer->conn, play->host.broker, SBK_HTTP, NULL, peer) != 0) {
    assert_null(peer->conn);
    return false;
  }
  peer_ask(peer, method, target, "", body);

  return true;
}

static void hear(struct play *play, struct peer *peer) {
  note(play, play->host.events);
  host_forget(&play->host);
  if (peer->conn != NULL) {
    note(play, peer_hear(peer));
  }
}

static void once_more(struct play *play, const char *target, const char *body) {
  struct peer peer = {0};

  if (come(play, &peer, "POST", target, body)) {
    hear(play, &peer);
    peer_leave(&peer);
  }
  hear(play, &play->stream);
}

#define CONNECT   "\"CONNECT\\naccept-version:1.2\\n\\n\\u0000\""
#define SUBSCRIBE "\"SUBSCRIBE\\nid:1\\ndestination:/topic/x\\n\\n\\u0000\""
#define SEND(to)  "\"SEND\\ndestination:" to "\\n\\nbody\\u0000\""

static void perform(struct play *play, const char *where,
                    void (*act)(struct play *play, sbk_session *session)) {
  struct job job = {{on_task, NULL}, NULL};

  set_up(play, where, act);
  once_more(play, "/s/0/a/xhr", "");
  once_more(play, "/s/0/a/xhr_send", "[" CONNECT "]");
  come(play, &play->stream, "POST", "/s/0/a/xhr_streaming", "");
  hear(play, &play->stream);
  once_more(play, "/s/0/a/xhr_send", "[" SUBSCRIBE "," SEND("/topic/x") "]");
  once_more(play, "/s/0/a/xhr_send",
            "[" SEND("/app/h") "," SEND("/topic/x") "]");
  once_more(play, "/s/0/a/xhr_send", "[\"UNSUBSCRIBE\\nid:1\\n\\n\\u0000\"]");
  come(play, &play->poll, "POST", "/e/0/p/xhr", "");
  hear(play, &play->poll);
  come(play, &play->poll, "POST", "/e/0/p/xhr", "");
  once_more(play, "/e/0/p/xhr_send", "[\"x\",\"y\",\"z\"]");
  hear(play, &play->poll);
  job.host = &play->host;
  sbk_post(play->host.broker, &job.task);
  host_wait(&play->host, 10);
  play->host.handshake = SBK_WAIT;
  once_more(play, "/e/0/p/xhr", "");
  play->host.handshake = SBK_PASS;
  once_more(play, "/s/0/b/xhr", "");
  once_more(play, "/s/0/b/xhr_send", "[" CONNECT "," SEND("/nowhere") "]");
  once_more(play, "/s/0/a/xhr_send",
            "[\"DISCONNECT\\nreceipt:r\\n\\n\\u0000\"]");
  host_wait(&play->host, 5000);
  hear(play, &play->stream);
  if (act != NULL) {
    assert_true(play->acts > 0);
  }
}

static struct play play, reference;

/* All that began has ended, and nothing is left. */
static void finish(struct play *p) {
  size_t i;

  for (i = 0; i < p->mine_count; i++) {
    sbk_conn_free(p->mine[i]);
  }
  p->over = true;
  host_end(&p->host);
  note(p, p->host.events);
  assert_int_equal(times(p->trace, "disconnected ") * 2,
                   times(p->trace, "connected "));
}

/* ---- what may not be done ---- */

static int ask(struct play *p, sbk_conn **conn, const char *target,
               const char *body) {
  static const struct sbk_http_field fields[] = {
      {"Host", 4, "h", 1},
      {"Upgrade", 7, "websocket", 9},
      {"Connection", 10, "Upgrade", 7},
      {"Sec-WebSocket-Version", 21, "13", 2},
      {"Sec-WebSocket-Key", 17, "dGhlIHNhbXBsZSBub25jZQ==", 24},
      {"Content-Length", 14, "0", 1}};
  bool upgrades = strstr(target, "/websocket") != NULL;
  struct sbk_http_request request = SBK_HTTP_REQUEST_INIT;

  request.method = upgrades ? "GET" : "POST";
  request.method_len = strlen(request.method);
  request.target = target;
  request.target_len = strlen(target);
  request.fields = fields;
  request.field_count = upgrades ? 5 : 1;

  return body != NULL
             ? sbk_conn_new_exchange(conn, p->host.broker, &request, body,
                                     strlen(body), NULL, NULL)
             : sbk_conn_new_request(conn, p->host.broker, &request, NULL, NULL);
}

static void misuse(struct play *p, sbk_session *session) {
  sbk_broker *broker = p->host.broker;
  sbk_conn *conn = p->stream.conn;

  (void)session;
  if (strcmp(p->where, "task") == 0) {
    return; /* that is no callback */
  }
  assert_int_equal(ask(p, &conn, "/s/0/a/xhr_send", "[\"x\"]"), SBK_ERR_STATE);
  assert_null(conn);
  assert_int_equal(ask(p, &conn, "/e/0/p/xhr_send", "[\"x\"]"), SBK_ERR_STATE);
  assert_int_equal(ask(p, &conn, "/e/0/p/xhr", ""), SBK_ERR_STATE);
  sbk_broker_tick(broker, p->host.now + 3600000);
  sbk_broker_free(broker);
  if (p->stream.conn != NULL) {
    assert_int_equal(sbk_conn_feed(p->stream.conn, p->host.now, "GET ", 4),
                     SBK_ERR_STATE);
    sbk_conn_free(p->stream.conn);
    sbk_conn_eof(p->stream.conn, 0);
    sbk_conn_eof(p->stream.conn, 104);
  }
}

static void misuse_does_no_harm(void **state) {
  perform(&reference, NULL, NULL);
  perform(&play, *state, misuse);
  assert_string_equal(play.trace, reference.trace);
  finish(&play);
  finish(&reference);
}

/* ---- what may be done ---- */

static void send(struct play *p, sbk_session *session) {
  sbk_broker *broker = p->host.broker;

  if (session != NULL) {
    sbk_session_send(session, 0, "more", 4);
    sbk_send_to_session(session, "/queue/x", NULL, "x", 1);
  }
  assert_true(sbk_send(broker, "/topic/x", NULL, "again", 5) >= 0);
}

static void sending_works(void **state) {
  perform(&play, *state, send);
  finish(&play);
}

static void close_one(struct play *p, sbk_session *session) {
  if (session == NULL && p->stream.conn != NULL) {
    session = sbk_conn_session(p->stream.conn);
  }
  if (session != NULL) {
    sbk_session_close(session, "enough");
    sbk_session_close_code(session, 3001, "twice"); /* nothing more happens */
  }
}

static void closing_works(void **state) {
  perform(&play, *state, close_one);
  finish(&play);
}

static void close_plainly(struct play *p, sbk_session *session) {
  (void)p;
  if (session != NULL &&
      sbk_session_close_code(session, 3001, "a reason") != 0) {
    sbk_session_close(session, NULL);
  }
}

static void closing_with_a_code_works(void **state) {
  perform(&play, *state, close_plainly);
  finish(&play);
}

static void shut(struct play *p, sbk_session *session) {
  (void)session;
  sbk_broker_shutdown(p->host.broker);
}

static void shutting_down_works(void **state) {
  perform(&play, *state, shut);
  assert_int_equal(sbk_session_count(play.host.broker, NULL), 0);
  finish(&play);
}

static void drain_soon(struct play *p, sbk_session *session) {
  (void)session;
  assert_int_equal(sbk_broker_drain(p->host.broker, 20), 0);
}

static void draining_works(void **state) {
  perform(&play, *state, drain_soon);
  finish(&play);
}

/* Requests of all kinds, to sessions of their own and to those there are. */
static void request_all(struct play *p, sbk_session *session) {
  /* A session's id that ends in '-' gets a number. */
  static const struct {
    const char *id;
    const char *way;
  } targets[] = {
      {"/s/0/new-", "xhr"},
      {"/e/0/new-", "xhr"},
      {"/s/0/new-", "websocket"},
      {"/e/0/new-", "xhr_streaming"},
      {"/s/0/a", "xhr"},
      {"/s/0/a", "xhr_streaming"},
      {"/s/0/b", "xhr"},
      {"/e/0/p", "xhr"},
      {"/s/0/a", "xhr_send"},
      {"/e/0/p", "xhr_send"},
      {"/s", "info"},
      {"/s", "iframe.html"},
  };
  char target[100];
  size_t i;

  (void)session;
  for (i = 0; i < sizeof(targets) / sizeof(targets[0]) && !p->over; i++) {
    sbk_conn **conn = &p->mine[p->mine_count];

    if (strchr(targets[i].id, '-') != NULL) {
      snprintf(target, sizeof(target), "%s%u/%s", targets[i].id, p->ids++,
               targets[i].way);
    } else {
      snprintf(target, sizeof(target), "%s/%s", targets[i].id, targets[i].way);
    }
    if (ask(p, conn, target, NULL) == 0) {
      assert_non_null(*conn);
      assert_true(++p->mine_count < 4000);
    }
  }
}

static void requests_work(void **state) {
  perform(&play, *state, request_all);
  assert_true(play.mine_count > 0);
  finish(&play);
}

static void take(struct play *p, sbk_session *session) {
  struct iovec iov[8];
  uint8_t bytes[64];
  sbk_conn *conns[2];
  size_t i;
  int round;

  (void)session;
  conns[0] = p->stream.conn;
  conns[1] = p->poll.conn;
  for (i = 0; i < 2; i++) {
    for (round = 0; round < 20 && conns[i] != NULL; round++) {
      sbk_conn_sent(conns[i],
                    sbk_conn_copy_out(conns[i], bytes, sizeof(bytes)));
      sbk_conn_output(conns[i], iov, 8);
      sbk_conn_wants(conns[i]);
    }
  }
  while (sbk_broker_next_ready(p->host.broker) != NULL) {
  }
}

static void taking_output_works(void **state) {
  perform(&play, *state, take);
  finish(&play);
}

/* A session says its last, and who took it is freed, all before the callback
 * returns. */
static void all_at_once(struct play *p, sbk_session *session) {
  send(p, session);
  take(p, session);
  request_all(p, session);
  close_one(p, session);
  take(p, session);
  request_all(p, session);
  shut(p, session);
  take(p, session);
  request_all(p, session);
}

static void all_of_it_works_at_once(void **state) {
  perform(&play, *state, all_at_once);
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
      {"closing with a code works", closing_with_a_code_works},
      {"shutting down works", shutting_down_works},
      {"draining works", draining_works},
      {"requests work", requests_work},
      {"taking output works", taking_output_works},
      {"all of it works at once", all_of_it_works_at_once},
  };
  enum { ACTS = sizeof(acts) / sizeof(acts[0]) };
  static struct CMUnitTest tests[ACTS * PLACES];
  static char names[ACTS * PLACES][64];
  size_t i, j, at = 0;

  for (i = 0; i < ACTS; i++) {
    for (j = 0; j < PLACES; j++) {
      snprintf(names[at], sizeof(names[at]), "%s from %s", acts[i].name,
               places[j]);
      tests[at].name = names[at];
      tests[at].test_func = acts[i].run;
      tests[at++].initial_state = (void *)(uintptr_t)places[j];
    }
  }

  return _cmocka_run_group_tests("sockjs_reenter", tests, at, NULL, NULL);
}
