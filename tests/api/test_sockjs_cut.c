#include "requests.h"

/* An answer that takes a session's output is cut at every one of its bytes, as
 * the host counted them off: what the client cannot have comes again with the
 * next, and nothing else does. */

static struct host host;
static unsigned ids; /* of sessions */

static int on_message(sbk_session *session, int binary, const void *text,
                      size_t len, void *arg) {
  (void)arg;

  return sbk_session_send(session, binary, text, len);
}

static void start(void) {
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  host_init(&host);
  host.callbacks = (struct sbk_callbacks)SBK_CALLBACKS_INIT;
  host_open(&host);
  sockjs.htmlfile = sockjs.jsonp = 1;
  endpoint.path = "/e";
  endpoint.message = on_message;
  endpoint.sockjs = &sockjs;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
}

static uint64_t interrupted(void) {
  struct sbk_stats stats = SBK_STATS_INIT;

  assert_int_equal(sbk_broker_stats(host.broker, &stats), 0);

  return stats.sockjs_interrupted;
}

/* Frames as a transport has them, in the order in which they come. */
struct transport {
  const char *name;
  const char *method;
  const char *query;
  bool polls;
  const char *opening;
  const char *frames[2];
};

static const struct transport transports[] = {
    {"xhr", "POST", "", true, "o\n", {"a[\"one\",\"two\"]\n", NULL}},
    {"xhr_streaming",
     "POST",
     "",
     false,
     "o\n",
     {"a[\"one\",\"two\"]\n", "a[\"three\"]\n"}},
    {"eventsource",
     "GET",
     "",
     false,
     "data: o\r\n\r\n",
     {"data: a[\"one\",\"two\"]\r\n\r\n", "data: a[\"three\"]\r\n\r\n"}},
    {"htmlfile",
     "GET",
     "?c=f",
     false,
     "<script>\np(\"o\");\n</script>\r\n",
     {"<script>\np(\"a[\\\"one\\\",\\\"two\\\"]\");\n</script>\r\n",
      "<script>\np(\"a[\\\"three\\\"]\");\n</script>\r\n"}},
    {"jsonp",
     "GET",
     "?c=f",
     true,
     "/**/f(\"o\");\r\n",
     {"/**/f(\"a[\\\"one\\\",\\\"two\\\"]\");\r\n", NULL}},
};

#define TRANSPORTS (sizeof(transports) / sizeof(transports[0]))

/* Who writes the head, and in which version. */
enum { HTTP_1_1, HTTP_1_0, EXCHANGE, FORMS };

/* How it takes output, and how it ends. */
enum { BYTES, IOVECS, TAKES };
enum { FREED, CLOSED, FAILED, ENDS };

static const char *target_of(const char *name, const char *query) {
  static char target[100];

  snprintf(target, sizeof(target), "/e/0/%u/%s%s", ids, name, query);

  return target;
}

static void send_text(const char *body) {
  expect_once(&host, "POST", target_of("xhr_send", ""), "", body, 204, "");
}

static void expect_poll(const char *frame) {
  expect_once(&host, "POST", target_of("xhr", ""), "", "", 200, frame);
}

static sbk_conn *ask(const struct transport *t, int form) {
  const struct sbk_http_field fields[] = {{"Host", 4, "h", 1}};
  const char *target = target_of(t->name, t->query);
  struct sbk_http_request request = SBK_HTTP_REQUEST_INIT;
  char text[300];
  sbk_conn *conn;
  int len;

  if (form == EXCHANGE) {
    request.method = t->method;
    request.method_len = strlen(t->method);
    request.target = target;
    request.target_len = strlen(target);
    request.fields = fields;
    request.field_count = 1;
    assert_int_equal(sbk_conn_new_exchange(&conn, host.broker, &request, "", 0,
                                           "peer", NULL),
                     0);
    return conn;
  }
  assert_int_equal(sbk_conn_new(&conn, host.broker, SBK_HTTP, "peer", NULL), 0);
  len = snprintf(text, sizeof(text),
                 "%s %s HTTP/1.%d\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
                 t->method, target, form == HTTP_1_1);
  assert_int_equal(sbk_conn_feed(conn, host.now, text, (size_t)len), 0);

  return conn;
}

/* Takes up to most bytes of what there is; how many. */
static size_t take(sbk_conn *conn, int way, char *dst, size_t most) {
  struct iovec iov[8];
  size_t done = 0, len;
  int i, count;

  while (way == BYTES && done < most &&
         sbk_conn_copy_out(conn, dst + done, 1) == 1) {
    sbk_conn_sent(conn, 1);
    done++;
  }
  while (way == IOVECS && done < most &&
         (count = sbk_conn_output(conn, iov, 8)) > 0) {
    for (i = 0, len = 0; i < count && done + len < most; i++) {
      size_t left = most - done - len;

      left = iov[i].iov_len < left ? iov[i].iov_len : left;
      memcpy(dst + done + len, iov[i].iov_base, left);
      len += left;
    }
    sbk_conn_sent(conn, len);
    done += len;
  }

  return done;
}

static void end(sbk_conn *conn, int how) {
  if (how == CLOSED) {
    sbk_conn_eof(conn, 0);
  } else if (how == FAILED) {
    sbk_conn_eof(conn, 104);
  }
  sbk_conn_free(conn);
}

/* Where a frame begins in an answer, its chunk's head included, and where the
 * client has it. */
struct place {
  size_t from;
  size_t to;
};

/* Where to cut next: one place in front of all frames is much like the other.
 */
static size_t next_cut(size_t cut, size_t from) {
  return cut + 64 < from ? cut + 23 : cut + 1;
}

static struct place find_frame(const char *answer, size_t len,
                               const char *frame, int form, bool polls) {
  const char *at = strstr(answer, frame);
  struct place place;
  char head[20];

  assert_non_null(at);
  place.from = (size_t)(at - answer);
  place.to = place.from + strlen(frame);
  if (form == HTTP_1_1) {
    place.from -=
        (size_t)snprintf(head, sizeof(head), "%zx\r\n", strlen(frame));
    assert_memory_equal(answer + place.from, head, strlen(head));
    place.to = polls ? len : place.to;
  } else {
    assert_true(!polls || place.to == len);
  }

  return place;
}

/* ---- messages ---- */

/* The answer of a new session that was sent one and two, and three while it
 * went out. Up to most bytes of it, how many; *conn is still there. */
static size_t run(const struct transport *t, int form, int way, char *dst,
                  size_t most, sbk_conn **conn) {
  char none[1];
  size_t done;

  ids++;
  expect_poll("o\n");
  send_text("[\"one\",\"two\"]");
  *conn = ask(t, form);
  /* What is formed is not formed anew. */
  sbk_conn_copy_out(*conn, none, 0);
  send_text("[\"three\"]");
  done = take(*conn, way, dst, most);
  dst[done] = '\0';

  return done;
}

/* What the next receivers get, if so many messages were had. */
static void expect_rest(int had) {
  static const char *const rest[] = {"a[\"one\",\"two\",\"three\"]\n", NULL,
                                     "a[\"three\"]\n", NULL};

  if (rest[had] != NULL) {
    expect_poll(rest[had]);
  }
  send_text("[\"four\"]");
  expect_poll("a[\"four\"]\n");
}

static void cut_messages(const struct transport *t, int form, int way) {
  static char all[8192], part[8192];
  struct place places[2] = {{0, 0}, {SIZE_MAX, SIZE_MAX}};
  sbk_conn *conn;
  size_t len = run(t, form, way, all, sizeof(all) - 1, &conn), cut, i;

  end(conn, FREED);
  expect_rest(t->polls ? 2 : 3);
  for (i = 0; i < 2 && t->frames[i] != NULL; i++) {
    places[i] = find_frame(all, len, t->frames[i], form, t->polls);
  }
  for (cut = 0; cut < len; cut = next_cut(cut, places[0].from)) {
    int had = cut < places[0].to ? 0 : cut < places[1].to ? 2 : 3;
    bool inside = (cut > places[0].from && cut < places[0].to) ||
                  (cut > places[1].from && cut < places[1].to);
    uint64_t before = interrupted();

    assert_int_equal(run(t, form, way, part, cut, &conn), cut);
    assert_memory_equal(part, all, cut);
    end(conn, (int)(cut % ENDS));
    assert_int_equal(interrupted() - before, inside);
    expect_rest(had);
    if (cut % 64 == 0) {
      host_wait(&host, 5000); /* those sessions may go */
    }
  }
}

static void what_was_cut_off_comes_again(void **state) {
  size_t i;
  int form, way;

  (void)state;
  start();
  for (i = 0; i < TRANSPORTS; i++) {
    for (form = 0; form < FORMS; form++) {
      for (way = form == HTTP_1_1 ? 0 : form % TAKES; way < TAKES; way++) {
        cut_messages(&transports[i], form, way);
      }
    }
  }
  host_end(&host);
}

/* ---- the first frame, and the last ---- */

/* Who did not hear that it is open hears it first. */
static void cut_opening(const struct transport *t, int form, int way) {
  static char all[8192];
  struct place place;
  sbk_conn *conn;
  size_t len, cut;
  uint64_t before;

  ids++;
  conn = ask(t, form);
  len = take(conn, way, all, sizeof(all) - 1);
  all[len] = '\0';
  end(conn, FREED);
  place = find_frame(all, len, t->opening, form, t->polls);
  for (cut = 0; cut < len; cut = next_cut(cut, place.from)) {
    before = interrupted();
    ids++;
    conn = ask(t, form);
    assert_int_equal(take(conn, way, all, cut), cut);
    end(conn, (int)(cut % ENDS));
    assert_int_equal(interrupted() - before,
                     cut > place.from && cut < place.to);
    send_text("[\"one\"]");
    if (cut < place.to) {
      expect_poll("o\n");
    }
    expect_poll("a[\"one\"]\n");
    if (cut % 64 == 0) {
      host_wait(&host, 5000);
    }
  }
}

static void who_did_not_hear_the_opening_hears_it_first(void **state) {
  size_t i;
  int form;

  (void)state;
  start();
  for (i = 0; i < TRANSPORTS; i++) {
    for (form = 0; form < FORMS; form++) {
      cut_opening(&transports[i], form, form % TAKES);
    }
  }
  host_end(&host);
}

/* Whoever asks hears that it is closed, behind what waited. */
static void cut_close(const struct transport *t, int form, int way) {
  static char all[8192];
  sbk_conn *conn;
  sbk_session *session;
  size_t from = 0, len = 1, cut;

  for (cut = 0; cut < len; cut = next_cut(cut, from)) {
    ids++;
    expect_poll("o\n");
    conn = ask(t, form);
    session = sbk_conn_session(conn);
    assert_non_null(session);
    assert_int_equal(sbk_session_send(session, 0, "x", 1), 0);
    sbk_session_close(session, NULL);
    if (cut == 0) {
      len = take(conn, way, all, sizeof(all) - 1);
      from = len - 64;
      end(conn, FREED);
      expect_poll("c[3000,\"Go away!\"]\n");
      continue;
    }
    assert_int_equal(take(conn, way, all, cut), cut);
    end(conn, (int)(cut % ENDS));
    /* Not known here which of them it has. */
    send_text("[\"y\"]");
    if (strcmp(once(&host, "POST", target_of("xhr", ""), "", "")->body,
               "a[\"x\"]\n") == 0) {
      expect_poll("c[3000,\"Go away!\"]\n");
    }
    expect_poll("c[3000,\"Go away!\"]\n");
    if (cut % 64 == 0) {
      host_wait(&host, 5000);
    }
  }
}

static void who_did_not_hear_the_close_hears_it(void **state) {
  size_t i;
  int form;

  (void)state;
  start();
  for (i = 0; i < TRANSPORTS; i++) {
    for (form = 0; form < FORMS; form++) {
      cut_close(&transports[i], form, form % TAKES);
    }
  }
  host_end(&host);
}

/* ---- what cuts do not end ---- */

static void a_frame_may_be_cut_again_and_again(void **state) {
  static char part[8192];
  sbk_conn *conn;
  size_t i, cut;

  (void)state;
  start();
  ids++;
  expect_poll("o\n");
  send_text("[\"one\",\"two\"]");
  for (i = 0; i < 5 * TRANSPORTS; i++) {
    const struct transport *t = &transports[i % TRANSPORTS];
    size_t len;

    conn = ask(t, HTTP_1_1);
    len = sbk_conn_copy_out(conn, part, sizeof(part));
    /* All but the frame's end. */
    cut = len - (t->polls ? 1 : 3);
    assert_int_equal(take(conn, BYTES, part, cut), cut);
    end(conn, FREED);
    assert_int_equal(interrupted(), i + 1);
  }
  expect_poll("a[\"one\",\"two\"]\n");
  host_end(&host);
}

/* Formed, and never sent: no answer was cut inside of it. */
static void what_was_formed_alone_was_not_interrupted(void **state) {
  struct iovec iov[8];
  sbk_conn *conn;
  size_t head;

  (void)state;
  start();
  ids++;
  expect_poll("o\n");
  conn = ask(&transports[1], HTTP_1_1);
  head = take(conn, BYTES, (char[8192]){0}, 8191);
  assert_true(head > 2048);
  send_text("[\"one\",\"two\"]");
  assert_true(sbk_conn_output(conn, iov, 8) > 0);
  end(conn, FAILED);
  assert_int_equal(interrupted(), 0);
  expect_poll("a[\"one\",\"two\"]\n");
  host_end(&host);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_cut_off_comes_again),
      cmocka_unit_test(who_did_not_hear_the_opening_hears_it_first),
      cmocka_unit_test(who_did_not_hear_the_close_hears_it),
      cmocka_unit_test(a_frame_may_be_cut_again_and_again),
      cmocka_unit_test(what_was_formed_alone_was_not_interrupted),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
