#include "requests.h"

/* Sessions of SockJS over requests: when the broker is full, when the host is
 * slow to decide, and how all of it ends. */

static struct host host;
static struct peer peer, other, third;
static sbk_call *waiting; /* of a SEND that an interceptor holds */
static bool holds;

static int on_message(sbk_session *session, int binary, const void *text,
                      size_t len, void *arg) {
  (void)binary;
  host_event(arg, "message %.*s;", (int)(len < 20 ? len : 20),
             (const char *)text);

  return sbk_session_send(session, 0, text, len);
}

static enum sbk_verdict on_inbound(sbk_call *call, void *arg) {
  (void)arg;
  if (!holds || sbk_message_command(sbk_call_message(call)) == SBK_DISCONNECT) {
    return SBK_PASS;
  }
  waiting = call;

  return SBK_WAIT;
}

/* To be changed before. */
static void begin(void) {
  host_init(&host);
  holds = false;
  waiting = NULL;
}

static void open_host(void) {
  static const char *const any[] = {"*", NULL};
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  host_open(&host);
  assert_int_equal(
      sbk_broker_add_interceptor(host.broker, SBK_INBOUND, 0, on_inbound, NULL),
      0);
  sockjs.jsonp = sockjs.htmlfile = 1;
  endpoint.allowed_origins = any;
  endpoint.sockjs = &sockjs;
  endpoint.path = "/s";
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
  endpoint.path = "/e";
  endpoint.message = on_message;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
}

static void start(void) {
  begin();
  open_host();
}

#define CONNECT "\"CONNECT\\naccept-version:1.2\\nheart-beat:0,0\\n\\n\\u0000\""

static const char *path_of(const char *endpoint, const char *id,
                           const char *way) {
  static char path[3][100];
  static int at;

  at = (at + 1) % 3;
  snprintf(path[at], sizeof(path[at]), "%s/0/%s/%s", endpoint, id, way);

  return path[at];
}

/* What a poll of that session brings. */
static void expect_poll(const char *endpoint, const char *id,
                        const char *frame) {
  expect_once(&host, "POST", path_of(endpoint, id, "xhr"), "", "", 200, frame);
}

static void expect_sent(const char *endpoint, const char *id,
                        const char *body) {
  expect_once(&host, "POST", path_of(endpoint, id, "xhr_send"), "", body, 204,
              "");
}

/* A session of STOMP, connected. */
static void open_stomp(const char *id) {
  expect_poll("/s", id, "o\n");
  expect_sent("/s", id, "[" CONNECT "]");
  assert_non_null(
      strstr(once(&host, "POST", path_of("/s", id, "xhr"), "", "")->body,
             "a[\"CONNECTED\\n"));
}

static void poll_begins(struct peer *p, const char *endpoint, const char *id) {
  peer_begin(p, &host, "POST", path_of(endpoint, id, "xhr"), "", "");
  expect_waiting(p);
}

static uint64_t stat_at(size_t offset) {
  struct sbk_stats stats = SBK_STATS_INIT;

  assert_int_equal(sbk_broker_stats(host.broker, &stats), 0);

  return *(const uint64_t *)(const void *)((const char *)&stats + offset);
}

#define STAT(member) stat_at(offsetof(struct sbk_stats, member))

static void expect_full(const char *method, const char *target) {
  struct answer *answer = once(&host, method, target, "", "");

  assert_int_equal(answer->status, 503);
  assert_string_equal(answer->body, "Service Unavailable\n");
  assert_string_equal(answer_field(answer, "Retry-After"), "5");
}

/* ---- shutting down ---- */

static void
a_broker_that_drains_lets_sessions_go_on_until_they_are_told(void **state) {
  (void)state;
  start();
  expect_poll("/e", "1", "o\n");
  expect_poll("/e", "2", "o\n");
  expect_poll("/e", "3", "o\n");
  poll_begins(&peer, "/e", "1");
  poll_begins(&other, "/e", "2");
  poll_begins(&third, "/e", "3");
  assert_int_equal(sbk_broker_drain(host.broker, 3000), 0);
  expect_full("POST", "/e/0/new/xhr");
  expect_full("GET", "/e/0/new/eventsource");
  host_wait(&host, 0);
  expect_last(&peer, "c[1001,\"shutting down\"]\n");
  expect_sent("/e", "2", "[\"still\"]");
  expect_last(&other, "a[\"still\"]\n");
  peer_ask(&other, "POST", "/e/0/2/xhr", "", "");
  expect_waiting(&other);
  host_wait(&host, 999);
  assert_string_equal(peer_hear(&other), "");
  host_wait(&host, 1);
  expect_last(&other, "c[1001,\"shutting down\"]\n");
  expect_sent("/e", "3", "[\"too\"]");
  expect_last(&third, "a[\"too\"]\n");
  host_wait(&host, 1000);
  expect_poll("/e", "3", "c[1001,\"shutting down\"]\n");
  assert_int_equal(times(host.events, "disconnected - -403;"), 3);
  peer_leave(&peer);
  peer_leave(&other);
  peer_leave(&third);
  host_wait(&host, 5000);
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  host_end(&host);
}

static void a_shutdown_reaches_who_polls_and_who_asks_afterwards(void **state) {
  sbk_conn *conn;

  (void)state;
  start();
  expect_poll("/e", "polls", "o\n");
  expect_poll("/e", "asks", "o\n");
  expect_poll("/e", "silent", "o\n");
  poll_begins(&peer, "/e", "polls");
  peer_begin(&other, &host, "GET", "/e/0/reads/eventsource", "", NULL);
  peer_hear(&other);
  sbk_broker_shutdown(host.broker);
  expect_last(&peer, "c[1001,\"shutting down\"]\n");
  expect_last(&other, "data: c[1001,\"shutting down\"]\r\n\r\n");
  peer_leave(&peer);
  peer_leave(&other);
  host_wait(&host, 4999);
  expect_poll("/e", "asks", "c[1001,\"shutting down\"]\n");
  expect_full("POST", "/e/0/new/xhr");
  expect_once(&host, "POST", "/e/0/silent/xhr_send", "", "[\"x\"]", 204, "");
  assert_null(strstr(host.events, "message"));
  host_wait(&host, 1);
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  assert_int_equal(sbk_conn_new(&conn, host.broker, SBK_HTTP, NULL, NULL),
                   SBK_ERR_STATE);
  host_end(&host);
}

static void no_websocket_opens_while_sessions_end(void **state) {
  (void)state;
  start();
  expect_poll("/e", "id", "o\n");
  sbk_broker_shutdown(host.broker);
  peer_open(&peer, &host, SBK_HTTP);
  peer_say(&peer, UPGRADE("/e/0/id/websocket"));
  assert_int_equal(peer_answer(&peer)->status, 503);
  assert_int_equal(sbk_conn_new(&other.conn, host.broker, SBK_TCP, NULL, NULL),
                   SBK_ERR_STATE);
  host_end(&host);
}

/* A STOMP session's goodbye is a Close like any other. */
static void sessions_of_stomp_are_told_too(void **state) {
  (void)state;
  start();
  open_stomp("id");
  sbk_broker_shutdown(host.broker);
  expect_poll("/s", "id", "c[1001,\"shutting down\"]\n");
  host_end(&host);
}

/* ---- full ---- */

static void a_session_counts_as_a_connection(void **state) {
  (void)state;
  begin();
  host.config.max_connections = host.config.max_pending = 4;
  open_host();
  /* Each beside the one that it is asked for on. */
  expect_poll("/e", "1", "o\n");
  expect_poll("/e", "2", "o\n");
  expect_poll("/e", "3", "o\n");
  assert_int_equal(sbk_broker_conn_count(host.broker), 3);
  expect_full("POST", "/e/0/4/xhr");
  expect_full("GET", "/e/0/4/jsonp?c=f");
  assert_int_equal(STAT(requests_full), 2);
  assert_int_equal(STAT(sockjs_sessions), 3);
  /* Who has one goes on. */
  expect_sent("/e", "1", "[\"x\"]");
  expect_poll("/e", "1", "a[\"x\"]\n");
  /* And who has gone makes room. */
  host_wait(&host, 5000);
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  expect_poll("/e", "4", "o\n");
  host_end(&host);
}

static void a_page_reads_that_it_is_full(void **state) {
  struct answer *answer;

  (void)state;
  begin();
  host.config.max_connections = host.config.max_pending = 2;
  open_host();
  expect_poll("/e", "1", "o\n");
  answer =
      once(&host, "POST", "/e/0/2/xhr", "Origin: https://a.example\r\n", "");
  assert_int_equal(answer->status, 503);
  assert_string_equal(answer_field(answer, "Access-Control-Allow-Origin"),
                      "https://a.example");
  host_end(&host);
}

static void strangers_are_few(void **state) {
  (void)state;
  begin();
  host.config.max_connections = 100;
  host.config.max_pending = 3;
  open_host();
  expect_poll("/s", "1", "o\n");
  expect_poll("/s", "2", "o\n");
  assert_int_equal(STAT(pending), 2);
  expect_full("POST", "/s/0/3/xhr");
  /* Who says who it is is none any more. */
  expect_sent("/s", "1", "[" CONNECT "]");
  assert_int_equal(STAT(pending), 1);
  expect_poll("/s", "3", "o\n");
  expect_full("POST", "/s/0/4/xhr");
  host_wait(&host, 5000);
  assert_int_equal(STAT(pending), 0);
  expect_poll("/s", "4", "o\n");
  host_end(&host);
}

static void
who_polls_a_connected_session_leaves_room_for_strangers(void **state) {
  char id[8];
  int i;

  (void)state;
  begin();
  host.config.max_connections = 100;
  host.config.max_pending = 3;
  open_host();
  for (i = 0; i < 10; i++) {
    snprintf(id, sizeof(id), "%d", i);
    expect_poll("/e", id, "o\n");
    poll_begins(&peer, "/e", id);
  }
  assert_int_equal(STAT(connections), 20);
  assert_int_equal(STAT(pending), 0);
  expect_poll("/s", "1", "o\n");
  host_end(&host);
}

static void a_flood_of_one_id_is_one_session(void **state) {
  int i;

  (void)state;
  start();
  for (i = 0; i < 100; i++) {
    expect_poll("/e", "id", i == 0 ? "o\n" : "a[\"x\"]\n");
    expect_sent("/e", "id", "[\"x\"]");
  }
  assert_int_equal(STAT(sockjs_sessions), 1);
  assert_int_equal(STAT(accepted), 200);
  host_end(&host);
}

/* ---- while the host thinks ---- */

#define SEND(body) "\"SEND\\ndestination:/topic/a\\n\\n" body "\\u0000\""
#define SUBSCRIBE  "\"SUBSCRIBE\\nid:1\\ndestination:/topic/a\\n\\n\\u0000\""

static void go_on(void) {
  sbk_call *call = waiting;

  waiting = NULL;
  assert_non_null(call);
  assert_int_equal(sbk_call_resume(call, SBK_PASS), 0);
}

static void send_begins(struct peer *p, const char *body) {
  peer_begin(p, &host, "POST", "/s/0/id/xhr_send", "", body);
  assert_string_equal(peer_hear(p), "");
}

static void expect_answered(struct peer *p) {
  assert_int_equal(peer_answer(p)->status, 204);
}

static void
what_waits_for_the_host_is_answered_when_that_has_decided(void **state) {
  const char *body;

  (void)state;
  start();
  open_stomp("id");
  expect_sent("/s", "id", "[" SUBSCRIBE "]");
  holds = true;
  send_begins(&peer, "[" SEND("1") "," SEND("2") "]");
  assert_int_equal(sbk_conn_wants(peer.conn), SBK_WANT_HOLD);
  /* And so is what others bring behind it. */
  send_begins(&other, "[" SEND("3") "]");
  go_on();
  assert_non_null(waiting);
  assert_string_equal(peer_hear(&peer), "");
  /* What comes out does not wait. */
  body = once(&host, "POST", "/s/0/id/xhr", "", "")->body;
  assert_non_null(strstr(body, "\\n\\n1\\u0000\"]"));
  go_on();
  assert_non_null(waiting);
  assert_string_equal(peer_hear(&other), "");
  go_on();
  assert_null(waiting);
  expect_answered(&peer);
  expect_answered(&other);
  body = once(&host, "POST", "/s/0/id/xhr", "", "")->body;
  assert_non_null(strstr(body, "\\n\\n2\\u0000\",\""));
  assert_non_null(strstr(body, "\\n\\n3\\u0000\"]"));
  assert_int_equal(times(body, "MESSAGE\\n"), 2);
  host_end(&host);
}

static void who_brought_it_may_go(void **state) {
  (void)state;
  start();
  open_stomp("id");
  expect_sent("/s", "id", "[" SUBSCRIBE "]");
  holds = true;
  send_begins(&peer, "[" SEND("1") "," SEND("2") "]");
  peer_leave(&peer);
  send_begins(&peer, "[" SEND("3") "]");
  sbk_conn_eof(peer.conn, 0);
  assert_int_equal(sbk_conn_wants(peer.conn), 0);
  holds = false;
  go_on();
  assert_int_equal(
      times(once(&host, "POST", "/s/0/id/xhr", "", "")->body, "MESSAGE\\n"), 3);
  host_end(&host);
}

static void who_brought_it_is_answered_when_the_session_ends(void **state) {
  (void)state;
  start();
  open_stomp("id");
  holds = true;
  send_begins(&peer, "[" SEND("1") "," SEND("2") "]");
  sbk_session_close(sbk_call_session(waiting), "enough");
  expect_answered(&peer);
  assert_non_null(strstr(once(&host, "POST", "/s/0/id/xhr", "", "")->body,
                         "a[\"ERROR\\nmessage:enough\\n\\n\\u0000\"]\n"));
  expect_poll("/s", "id", "c[1008,\"enough\"]\n");
  holds = false;
  open_stomp("two");
  host_end(&host);
}

static void
who_brought_it_is_answered_when_nobody_takes_any_more(void **state) {
  (void)state;
  start();
  open_stomp("id");
  holds = true;
  send_begins(&peer, "[" SEND("1") "," SEND("2") "]");
  host_wait(&host, 5000);
  assert_non_null(strstr(host.events, "disconnected - -204;"));
  expect_answered(&peer);
  assert_int_equal(STAT(sockjs_sessions), 0);
  host_end(&host);
}

/* The rest of a body that was let in is let wait. */
static void a_body_that_may_come_may_wait(void **state) {
  static char body[200000];
  char head[200];
  size_t len;

  (void)state;
  begin();
  host.config.max_queue = 65536;
  open_host();
  open_stomp("id");
  strcpy(body, "[" SEND("1"));
  len = strlen(body);
  while (len < 150000) {
    strcpy(body + len, "," SEND("0123456789"));
    len += strlen(body + len);
  }
  strcpy(body + len, "]");
  holds = true;
  peer_open(&peer, &host, SBK_HTTP);
  snprintf(head, sizeof(head),
           "POST /s/0/id/xhr_send HTTP/1.1\r\nHost: h\r\n"
           "Content-Length: %zu\r\n\r\n",
           len + 1);
  peer_say(&peer, head);
  peer_feed(&peer, body, len + 1);
  assert_string_equal(peer_hear(&peer), "");
  holds = false;
  go_on();
  host_wait(&host, 1);
  host_wait(&host, 1);
  expect_answered(&peer);
  assert_null(strstr(host.events, "disconnected"));
  expect_sent("/s", "id", "[" SUBSCRIBE "," SEND("last") "]");
  assert_non_null(strstr(once(&host, "POST", "/s/0/id/xhr", "", "")->body,
                         "\\n\\nlast\\u0000\"]\n"));
  host_end(&host);
}

/* But not any number of them. */
static void what_many_bring_at_once_has_its_limit(void **state) {
  static struct peer peers[40];
  static char body[40000];
  int i;

  (void)state;
  begin();
  host.config.max_queue = 65536;
  open_host();
  open_stomp("id");
  snprintf(body, sizeof(body), "[" SEND("%0*d") "]", 30000, 0);
  holds = true;
  for (i = 0; i < 40 && strstr(host.events, "disconnected") == NULL; i++) {
    peer_begin(&peers[i], &host, "POST", "/s/0/id/xhr_send", "", body);
  }
  assert_in_range(i, 3, 38); /* max_body is 1 MiB */
  while (i-- > 0) {
    assert_int_equal(peer_answer(&peers[i])->status, 204);
  }
  assert_non_null(strstr(host.events, "disconnected - -301;"));
  host_end(&host);
}

/* ---- a body is there at once, and yet others have a turn meanwhile ---- */

#define LARGE 60000

/* A body with so many SENDs of LARGE bytes, and what comes behind them. */
static const char *large_body(int count, const char *behind) {
  static char body[1 << 20];
  size_t len = 0;
  int i;

  for (i = 0; i < count; i++) {
    len += (size_t)snprintf(body + len, sizeof(body) - len, "%c" SEND("%0*d"),
                            i == 0 ? '[' : ',', LARGE, i);
  }
  snprintf(body + len, sizeof(body) - len, "%s]", behind);

  return body;
}

static void post(struct peer *p, const char *target, const char *body) {
  char head[200];

  peer_open(p, &host, SBK_HTTP);
  snprintf(head, sizeof(head),
           "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", target,
           strlen(body));
  peer_say(p, head);
  peer_feed(p, body, strlen(body));
}

static void subscribe(struct peer *p) {
  peer_open(p, &host, SBK_TCP);
  peer_say(p, "CONNECT\naccept-version:1.2\n\n^");
  peer_say(p, "SUBSCRIBE\nid:1\ndestination:/topic/a\n\n^");
  assert_non_null(strstr(peer_hear(p), "CONNECTED"));
}

/* How many messages it hears: they are in order, from first on. */
static int hear_large(struct peer *p, int first) {
  const char *at = peer_hear(p);
  int count = 0;

  while ((at = strstr(at, "\n\n")) != NULL) {
    at += 2;
    assert_int_equal(strspn(at, "0123456789"), LARGE);
    assert_int_equal(atoi(at + LARGE - 4), first + count);
    at += LARGE;
    count++;
  }

  return count;
}

/* When there is something to do next, once the host has seen to all. */
static sbk_msec next(void) {
  host_wait(&host, 0);
  while (sbk_broker_next_ready(host.broker) != NULL) {
  }

  return sbk_broker_deadline(host.broker);
}

static void a_long_body_leaves_others_time_to_take_it(void **state) {
  struct peer reader;
  int count = 0, turns = 0;

  (void)state;
  start();
  open_stomp("id");
  subscribe(&reader);
  /* 960,000 bytes, and max_queue is 524,288. */
  post(&peer, "/s/0/id/xhr_send", large_body(16, ""));
  count = hear_large(&reader, 0);
  assert_int_equal(count, 1);
  while (count < 16) {
    assert_string_equal(peer_hear(&peer), "");
    assert_int_equal(next(), host.now + 1);
    host_wait(&host, 1);
    count += hear_large(&reader, count);
    turns++;
  }
  assert_in_range(turns, 14, 16);
  expect_answered(&peer);
  assert_true(next() > host.now + 1);
  assert_null(strstr(host.events, "disconnected"));
  host_end(&host);
}

static void what_follows_a_long_body_comes_behind_it(void **state) {
  struct peer reader;
  int count;

  (void)state;
  start();
  open_stomp("id");
  subscribe(&reader);
  post(&peer, "/s/0/id/xhr_send", large_body(2, ""));
  count = hear_large(&reader, 0);
  host.now++; /* known from what is fed, before there was a tick */
  post(&other, "/s/0/id/xhr_send", "[" SEND("last") "]");
  count += hear_large(&reader, count);
  assert_int_equal(count, 1);
  host_wait(&host, 1);
  assert_non_null(strstr(peer_hear(&reader), "\n\nlast^"));
  expect_answered(&peer);
  expect_answered(&other);
  host_end(&host);
}

/* More than may wait does not. */
static void several_long_bodies_do_not_rest(void **state) {
  struct peer peers[3];
  int i;

  (void)state;
  start();
  open_stomp("id");
  for (i = 0; i < 3; i++) {
    post(&peers[i], "/s/0/id/xhr_send", large_body(16, ""));
  }
  for (i = 0; i < 20; i++) {
    host_wait(&host, 1);
  }
  for (i = 0; i < 3; i++) {
    expect_answered(&peers[i]);
  }
  assert_null(strstr(host.events, "disconnected"));
  assert_int_equal(STAT(frames_in), 1 + 3 * 16);
  host_end(&host);
}

static void a_long_body_may_end_the_session_anywhere(void **state) {
  (void)state;
  start();
  open_stomp("id");
  post(&peer, "/s/0/id/xhr_send",
       large_body(3, ",\"DISCONNECT\\nreceipt:r\\n\\n\\u0000\"," SEND("x")));
  assert_string_equal(peer_hear(&peer), "");
  host_wait(&host, 1);
  host_wait(&host, 1);
  expect_answered(&peer);
  assert_non_null(
      strstr(once(&host, "POST", "/s/0/id/xhr", "", "")->body, "receipt-id:r"));
  expect_poll("/s", "id", "c[3000,\"Go away!\"]\n");
  host_end(&host);

  start();
  open_stomp("id");
  post(&peer, "/s/0/id/xhr_send", large_body(3, ""));
  sbk_broker_shutdown(host.broker);
  expect_answered(&peer);
  expect_poll("/s", "id", "c[1001,\"shutting down\"]\n");
  host_end(&host);

  start();
  open_stomp("id");
  post(&peer, "/s/0/id/xhr_send", large_body(3, ""));
  host_wait(&host, 5000);
  expect_answered(&peer);
  assert_int_equal(STAT(sockjs_sessions), 0);
  host_end(&host);
}

static void who_publishes_too_much_is_not_answered_for_a_while(void **state) {
  static char body[8000];
  struct peer slow;
  int i;

  (void)state;
  begin();
  host.config.max_total_queue = 40000;
  host.config.max_queue = 40000;
  open_host();
  open_stomp("id");
  peer_open(&slow, &host, SBK_TCP);
  peer_say(&slow, "CONNECT\naccept-version:1.2\n\n^");
  peer_say(&slow, "SUBSCRIBE\nid:1\ndestination:/topic/a\n\n^");
  peer_hear(&slow);
  snprintf(body, sizeof(body), "[" SEND("%0*d") "]", 7000, 0);
  for (i = 0; i < 10 && STAT(paused) == 0; i++) {
    peer_begin(&peer, &host, "POST", "/s/0/id/xhr_send", "", body);
    if (STAT(paused) == 0) {
      expect_answered(&peer);
      peer_leave(&peer);
    }
  }
  assert_int_equal(STAT(paused), 1);
  /* It was taken, and yet nothing more is wanted. */
  assert_string_equal(peer_hear(&peer), "");
  send_begins(&other, "[" SEND("next") "]");
  assert_int_equal(sbk_conn_wants(other.conn), SBK_WANT_HOLD);
  assert_non_null(strstr(peer_hear(&slow), "\n\nnext^"));
  assert_int_equal(STAT(paused), 0);
  expect_answered(&peer);
  expect_answered(&other);
  host_end(&host);
}

/* A body that has to wait needs memory. */
static void
nothing_dangles_when_memory_ends_while_the_host_thinks(void **state) {
  char body[1000];
  size_t at;
  bool whole = false;

  (void)state;
  snprintf(body, sizeof(body), "[" SEND("%0*d") "]", 700, 0);
  for (at = 0; !whole; at++) {
    start();
    open_stomp("id");
    holds = true;
    send_begins(&peer, "[" SEND("1") "," SEND("2") "]");
    peer_open(&other, &host, SBK_HTTP);
    host.mem.fail_from = host.mem.calls + at;
    peer_ask(&other, "POST", "/s/0/id/xhr_send", "", body);
    whole = host.mem.calls <= host.mem.fail_from;
    host.mem.fail_from = SIZE_MAX;
    peer_leave(&other);
    host_wait(&host, 5000);
    peer_leave(&peer);
    host_end(&host);
  }
  assert_true(at > 5);
}

/* ---- after the end ---- */

static void a_closed_session_says_so_whatever_it_is_sent(void **state) {
  static char body[60000];
  int i;

  (void)state;
  start();
  expect_poll("/e", "id", "o\n");
  expect_sent("/e", "id", "[\"x\"]");
  sbk_broker_shutdown(host.broker);
  memset(body, 'x', sizeof(body) - 1);
  memcpy(body, "[\"", 2);
  memcpy(body + sizeof(body) - 3, "\"]", 2);
  for (i = 0; i < 5; i++) {
    expect_sent("/e", "id", body);
  }
  expect_poll("/e", "id", "a[\"x\"]\n");
  expect_poll("/e", "id", "c[1001,\"shutting down\"]\n");
  host_end(&host);
}

static void an_ended_session_of_stomp_too(void **state) {
  static char body[30000];
  int i;

  (void)state;
  start();
  open_stomp("id");
  expect_sent("/s", "id", "[\"NONE\\n\\n\\u0000\"]");
  memset(body, 'x', sizeof(body) - 1);
  memcpy(body, "[\"", 2);
  memcpy(body + sizeof(body) - 3, "\"]", 2);
  for (i = 0; i < 5; i++) {
    expect_sent("/s", "id", body);
  }
  assert_non_null(strstr(once(&host, "POST", "/s/0/id/xhr", "", "")->body,
                         "a[\"ERROR\\nmessage:unknown command\\n"));
  expect_poll("/s", "id", "c[1002,\"unknown command\"]\n");
  host_wait(&host, 4999);
  expect_poll("/s", "id", "c[1002,\"unknown command\"]\n");
  host_wait(&host, 1);
  expect_poll("/s", "id", "o\n");
  host_end(&host);
}

/* ---- freed at every stage ---- */

static void asks(void) {
  host.handshake = SBK_WAIT;
  peer_begin(&peer, &host, "POST", "/e/0/id/xhr", "", "");
}

static void brings_half(void) {
  expect_poll("/e", "id", "o\n");
  peer_open(&peer, &host, SBK_HTTP);
  peer_say(&peer, "POST /e/0/id/xhr_send HTTP/1.1\r\nHost: h\r\n"
                  "Content-Length: 9\r\n\r\n[\"ab");
}

static void brings_refused(void) {
  peer_open(&peer, &host, SBK_HTTP);
  peer_say(&peer, "POST /e/0/none/xhr_send HTTP/1.1\r\nHost: h\r\n"
                  "Content-Length: 9\r\n\r\n[\"ab");
}

static void receives_nothing_yet(void) {
  expect_poll("/e", "id", "o\n");
  peer_begin(&peer, &host, "POST", "/e/0/id/xhr", "", "");
}

static void receives_what_it_did_not_take(void) {
  expect_poll("/e", "id", "o\n");
  expect_sent("/e", "id", "[\"message\"]");
  peer_begin(&peer, &host, "POST", "/e/0/id/xhr", "", "");
}

static void receives_half(void) {
  uint8_t bytes[4096];
  size_t len;

  receives_what_it_did_not_take();
  len = sbk_conn_copy_out(peer.conn, bytes, sizeof(bytes));
  assert_true(len > 12);
  sbk_conn_sent(peer.conn, len - 12);
}

static void receives_half_of_iovecs(void) {
  struct iovec iov[8];

  receives_what_it_did_not_take();
  assert_true(sbk_conn_output(peer.conn, iov, 8) > 0);
  sbk_conn_sent(peer.conn, 20);
}

static void streams(void) {
  peer_begin(&peer, &host, "GET", "/e/0/id/htmlfile?c=f", "", NULL);
  peer_hear(&peer);
}

static void streams_and_pipelines(void) {
  streams();
  peer_ask(&peer, "POST", "/e/0/id/xhr_send", "", "[\"x\"]");
}

static void sends_and_waits(void) {
  open_stomp("id");
  holds = true;
  send_begins(&peer, "[" SEND("1") "," SEND("2") "]");
}

static void closes_with_a_poll(void) {
  sbk_session *session;

  open_stomp("id");
  holds = true;
  send_begins(&other, "[" SEND("1") "," SEND("2") "]");
  poll_begins(&peer, "/s", "id");
  session = sbk_call_session(waiting);
  sbk_session_close(session, "why");
  other.conn = NULL;
}

static void closed_without_a_poll(void) {
  expect_poll("/e", "id", "o\n");
  expect_sent("/e", "id", "[\"message\"]");
  sbk_broker_shutdown(host.broker);
  peer_begin(&peer, &host, "GET", "/e/info", "", NULL);
}

static void said_goodbye(void) {
  open_stomp("id");
  expect_sent("/s", "id", "[\"DISCONNECT\\nreceipt:r\\n\\n\\u0000\"]");
  assert_non_null(strstr(once(&host, "POST", "/s/0/id/xhr", "", "")->body,
                         "a[\"RECEIPT\\n"));
  expect_poll("/s", "id", "c[3000,\"Go away!\"]\n");
  peer_begin(&peer, &host, "POST", "/s/0/id/xhr_streaming", "", "");
}

static void is_second(void) {
  receives_nothing_yet();
  other = peer;
  peer_begin(&peer, &host, "POST", "/e/0/id/xhr_streaming", "", "");
}

static void (*const stages[])(void) = {
    asks,
    brings_half,
    brings_refused,
    receives_nothing_yet,
    receives_what_it_did_not_take,
    receives_half,
    receives_half_of_iovecs,
    streams,
    streams_and_pipelines,
    sends_and_waits,
    closes_with_a_poll,
    closed_without_a_poll,
    said_goodbye,
    is_second,
};

#define STAGES (sizeof(stages) / sizeof(stages[0]))

static void a_connection_may_go_at_any_stage(void **state) {
  size_t i;

  (void)state;
  for (i = 0; i < STAGES; i++) {
    start();
    stages[i]();
    peer_leave(&peer);
    host_wait(&host, 4999);
    host_wait(&host, 1);
    host_wait(&host, 10000);
    assert_int_equal(STAT(sockjs_sessions),
                     i == STAGES - 1 /* another still receives */);
    host_end(&host);
  }
}

static void a_connection_may_fail_at_any_stage(void **state) {
  size_t i;

  (void)state;
  for (i = 0; i < STAGES; i++) {
    start();
    stages[i]();
    sbk_conn_eof(peer.conn, 104);
    assert_int_equal(sbk_conn_wants(peer.conn), 0);
    assert_string_equal(peer_hear(&peer), "");
    host_wait(&host, 5000);
    peer_leave(&peer);
    host_end(&host);
  }
}

static void the_broker_may_go_at_any_stage(void **state) {
  size_t i;

  (void)state;
  for (i = 0; i < STAGES; i++) {
    start();
    stages[i]();
    host_end(&host);
    assert_int_equal(times(host.events, "disconnected ") * 2,
                     times(host.events, "connected "));
  }
}

/* What was cut comes again, whole. */
static void nothing_is_lost_by_a_cut(void **state) {
  (void)state;
  start();
  receives_half();
  peer_leave(&peer);
  assert_int_equal(STAT(sockjs_interrupted), 1);
  expect_poll("/e", "id", "a[\"message\"]\n");
  expect_sent("/e", "id", "[\"next\"]");
  expect_poll("/e", "id", "a[\"next\"]\n");
  assert_int_equal(STAT(sockjs_interrupted), 1);
  host_end(&host);
}

static void what_nobody_took_is_counted(void **state) {
  (void)state;
  start();
  open_stomp("id");
  expect_sent("/s", "id",
              "[" SUBSCRIBE "," SEND("1") "," SEND("2") "," SEND("3") "]");
  assert_int_equal(STAT(dropped_ended), 0);
  host_wait(&host, 5000);
  assert_int_equal(STAT(dropped_ended), 3);
  assert_int_equal(STAT(ended_eof), 1);
  assert_int_equal(STAT(sockjs_sessions), 0);
  /* What waits for a session that is told goodbye may still be taken. */
  open_stomp("id");
  expect_sent("/s", "id",
              "[" SUBSCRIBE "," SEND("1") ",\"DISCONNECT\\n\\n\\u0000\"]");
  assert_int_equal(STAT(ended_clean), 1);
  assert_int_equal(STAT(dropped_ended), 3);
  host_wait(&host, 5000);
  assert_int_equal(STAT(dropped_ended), 4);
  host_end(&host);
}

static void sessions_are_counted_until_they_are_forgotten(void **state) {
  (void)state;
  start();
  expect_poll("/e", "1", "o\n");
  expect_poll("/s", "2", "o\n");
  assert_int_equal(STAT(sockjs_sessions), 2);
  assert_int_equal(STAT(connections), 2);
  assert_int_equal(STAT(sessions), 1);
  peer_upgrade(&peer, &host, UPGRADE("/e/0/1/websocket"));
  assert_int_equal(STAT(sockjs_sessions), 2); /* over requests */
  expect_sent("/s", "2", "[\"NONE\\n\\n\\u0000\"]");
  assert_int_equal(STAT(sockjs_sessions), 2);
  assert_int_equal(STAT(unconnected_protocol), 1);
  host_wait(&host, 5000);
  assert_int_equal(STAT(sockjs_sessions), 0);
  assert_int_equal(STAT(unconnected_protocol), 1);
  assert_int_equal(STAT(unconnected_gone), 0);
  host_end(&host);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(
          a_broker_that_drains_lets_sessions_go_on_until_they_are_told),
      cmocka_unit_test(a_shutdown_reaches_who_polls_and_who_asks_afterwards),
      cmocka_unit_test(no_websocket_opens_while_sessions_end),
      cmocka_unit_test(sessions_of_stomp_are_told_too),
      cmocka_unit_test(a_session_counts_as_a_connection),
      cmocka_unit_test(a_page_reads_that_it_is_full),
      cmocka_unit_test(strangers_are_few),
      cmocka_unit_test(who_polls_a_connected_session_leaves_room_for_strangers),
      cmocka_unit_test(a_flood_of_one_id_is_one_session),
      cmocka_unit_test(
          what_waits_for_the_host_is_answered_when_that_has_decided),
      cmocka_unit_test(who_brought_it_may_go),
      cmocka_unit_test(who_brought_it_is_answered_when_the_session_ends),
      cmocka_unit_test(who_brought_it_is_answered_when_nobody_takes_any_more),
      cmocka_unit_test(a_body_that_may_come_may_wait),
      cmocka_unit_test(what_many_bring_at_once_has_its_limit),
      cmocka_unit_test(a_long_body_leaves_others_time_to_take_it),
      cmocka_unit_test(what_follows_a_long_body_comes_behind_it),
      cmocka_unit_test(several_long_bodies_do_not_rest),
      cmocka_unit_test(a_long_body_may_end_the_session_anywhere),
      cmocka_unit_test(who_publishes_too_much_is_not_answered_for_a_while),
      cmocka_unit_test(nothing_dangles_when_memory_ends_while_the_host_thinks),
      cmocka_unit_test(a_closed_session_says_so_whatever_it_is_sent),
      cmocka_unit_test(an_ended_session_of_stomp_too),
      cmocka_unit_test(a_connection_may_go_at_any_stage),
      cmocka_unit_test(a_connection_may_fail_at_any_stage),
      cmocka_unit_test(the_broker_may_go_at_any_stage),
      cmocka_unit_test(nothing_is_lost_by_a_cut),
      cmocka_unit_test(what_nobody_took_is_counted),
      cmocka_unit_test(sessions_are_counted_until_they_are_forgotten),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
