#include "requests.h"

/*
 * Clients of SockJS over requests that do what comes to their minds: ask in
 * all ways, take some of what there is, go, come again, send, and wait; and a
 * host that sends and closes. Nothing is lost, doubled or out of order, and no
 * session goes before its time.
 */

#define CLIENTS 3
#define DELAY   5000

struct client {
  char id[8];
  sbk_session *session; /* NULL: none that is open */
  unsigned pushed;      /* messages that the host sent it, 0 being the first */
  unsigned had;         /* so many of them it had, or will never have */
  unsigned said;        /* messages of its own */
  unsigned heard;       /* so many of them the host got */
  bool known;           /* it has a session, if a closed one */
  sbk_msec closed_at;
  sbk_msec left_at; /* its last receiver went */
  sbk_conn *conn;   /* of its receiver, or NULL */
  int way;
  char got[200000]; /* of its receiver's answer */
  size_t got_len;
};

static struct host host;
static struct client clients[CLIENTS];
static uint32_t randomness;
static bool over;
static size_t resumed, reopened, conflicts, whole_polls;

static unsigned any(unsigned count) {
  return test_random(&randomness) % count;
}

/* What stands in answers, and what ends a frame there. */
static const struct way {
  const char *name;
  const char *method;
  const char *query;
  const char *end; /* NULL: that of the answer */
} ways[] = {
    {"xhr", "POST", "", NULL},
    {"jsonp", "GET", "?c=f", NULL},
    {"xhr_streaming", "POST", "", "]\n"},
    {"eventsource", "GET", "", "]\r\n\r\n"},
    {"htmlfile", "GET", "?c=f", "]\");\n</script>\r\n"},
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* ---- the host ---- */

static enum sbk_verdict on_handshake(sbk_request *request, void *arg) {
  const char *id = strstr(sbk_request_path(request), "/0/");

  (void)arg;
  if (id != NULL) {
    sbk_request_set_session_data(request, &clients[id[3] - '0']);
  }

  return SBK_PASS;
}

static void on_connected(sbk_session *session, void *arg) {
  struct client *client = sbk_session_data(session);

  (void)arg;
  assert_null(client->session);
  if (client->known) {
    /* It had its time. */
    assert_true(host.now - (client->closed_at != 0 ? client->closed_at
                                                   : client->left_at) >=
                DELAY);
    reopened++;
  }
  client->session = session;
  client->known = true;
  client->closed_at = 0;
  client->had = client->pushed;
  client->heard = client->said;
}

static void on_disconnected(sbk_session *session, int reason, void *arg) {
  struct client *client = sbk_session_data(session);

  (void)arg;
  assert_ptr_equal(client->session, session);
  assert_true(over || reason == SBK_ERR_CLOSED ||
              (reason == SBK_ERR_EOF && client->conn == NULL &&
               host.now - client->left_at >= DELAY));
  client->session = NULL;
}

static int on_message(sbk_session *session, int binary, const void *data,
                      size_t len, void *arg) {
  struct client *client = sbk_session_data(session);
  char want[20];

  (void)binary, (void)arg;
  snprintf(want, sizeof(want), "%u", client->heard++);
  assert_int_equal(len, strlen(want));
  assert_memory_equal(data, want, len);

  return 0;
}

/* {17}, and something to make it longer. */
static void push(struct client *client) {
  static const char *const fillings[] = {"", "\"", "%", "\xff", "</script>"};
  char text[400];
  size_t len;

  if (client->session == NULL) {
    return;
  }
  len = (size_t)snprintf(text, sizeof(text), "{%u}", client->pushed);
  while (any(4) > 0 && len < 300) {
    const char *filling = fillings[any(5)];

    memcpy(text + len, filling, strlen(filling));
    len += strlen(filling);
  }
  assert_int_equal(sbk_session_send(client->session, 1, text, len), 0);
  client->pushed++;
}

static void close_session(struct client *client) {
  if (client->session != NULL) {
    client->closed_at = host.now;
    sbk_session_close(client->session, NULL);
  }
}

/* ---- a client ---- */

static const char *target_of(const struct client *client, const char *name,
                             const char *query) {
  static char target[100];

  snprintf(target, sizeof(target), "/e/0/%s/%s%s", client->id, name, query);

  return target;
}

static sbk_conn *ask(const struct client *client, const struct way *way) {
  char text[300];
  sbk_conn *conn;
  int len = snprintf(text, sizeof(text),
                     "%s %s HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
                     way->method, target_of(client, way->name, way->query));

  assert_int_equal(sbk_conn_new(&conn, host.broker, SBK_HTTP, NULL, NULL), 0);
  assert_int_equal(sbk_conn_feed(conn, host.now, text, (size_t)len), 0);

  return conn;
}

/* Takes up to most bytes, in one piece or byte by byte. */
static size_t take(sbk_conn *conn, char *dst, size_t most) {
  size_t step = any(2) == 0 ? 1 : most, done = 0, len;

  while (done < most) {
    len = sbk_conn_copy_out(conn, dst + done,
                            step < most - done ? step : most - done);
    if (len == 0) {
      break;
    }
    sbk_conn_sent(conn, len);
    done += len;
  }
  dst[done] = '\0';

  return done;
}

/* What is there of the body, without the chunks; whether it has ended. */
static bool body_of(char *answer, char *dst) {
  char *at = strstr(answer, "\r\n\r\n"), *end;
  size_t len;

  *dst = '\0';
  if (at == NULL) {
    return false;
  }
  for (at += 4; (end = strstr(at, "\r\n")) != NULL; at = end + len + 4) {
    len = strtoul(at, NULL, 16);
    if (len == 0) {
      return strcmp(end, "\r\n\r\n") == 0;
    }
    if (strlen(end + 2) <= len) {
      strcat(dst, end + 2);
      return false;
    }
    strncat(dst, end + 2, len);
    if (strlen(end + 2) < len + 2) {
      return false;
    }
  }

  return false;
}

/* Ends its receiver's answer: what it had of that. */
static void note(struct client *client) {
  static char body[200000];
  const char *end = ways[client->way].end, *at, *last = NULL;
  bool whole = body_of(client->got, body);

  if (end == NULL) {
    last = whole ? body + strlen(body) : NULL;
    whole_polls += whole;
  } else {
    for (at = body; (at = strstr(at, end)) != NULL; at++) {
      last = at;
    }
  }
  for (at = body; last != NULL && (at = strchr(at, '{')) != NULL && at < last;
       at++) {
    if (at[1] >= '0' && at[1] <= '9') { /* and not of a page's script */
      assert_int_equal(atoi(at + 1), client->had);
      client->had++;
    }
  }
  at = strstr(body, "c[");
  if (at != NULL && last != NULL && at < last) {
    assert_memory_equal(at, "c[3000,", 7);
    assert_true(client->closed_at != 0);
    assert_int_equal(client->had, client->pushed);
  }
  resumed += last == NULL || client->had < client->pushed;
}

static void leave(struct client *client) {
  note(client);
  if (any(3) == 0) {
    sbk_conn_eof(client->conn, any(2) ? 104 : 0);
  }
  sbk_conn_free(client->conn);
  client->conn = NULL;
  client->left_at = host.now;
}

/* Some more of it; an answer that is over leaves by itself. */
static void go_on(struct client *client, size_t most) {
  static char body[200000];
  size_t room = sizeof(client->got) - 1 - client->got_len;

  client->got_len += take(client->conn, client->got + client->got_len,
                          most < room ? most : room);
  if (body_of(client->got, body)) {
    leave(client);
  }
}

/* The same but for a few bytes, and then it is off. */
static void go_nearly(struct client *client) {
  static char ready[100000];
  size_t len = sbk_conn_copy_out(client->conn, ready, sizeof(ready));

  go_on(client, len - (len > 0 ? any(len < 12 ? (unsigned)len : 12) : 0));
  if (client->conn != NULL) {
    leave(client);
  }
}

static void receive(struct client *client) {
  static char other[10000];
  int way = (int)any(WAYS);
  sbk_conn *conn;

  if (client->conn != NULL && sbk_conn_wants(client->conn) == 0) {
    leave(client); /* it ended with its session */
  }
  if (client->conn != NULL) {
    conn = ask(client, &ways[way]);
    take(conn, other, sizeof(other) - 1);
    assert_non_null(
        strstr(other, client->closed_at != 0 ? "c[3000," : "c[2010,"));
    sbk_conn_free(conn);
    conflicts++;
    return;
  }
  client->way = way;
  client->got_len = 0;
  client->got[0] = '\0';
  client->conn = ask(client, &ways[way]);
}

static void send_some(struct client *client) {
  char body[200] = "[";
  struct answer *answer;
  unsigned count = any(4), i;
  bool open = client->session != NULL;

  for (i = 0; i < count; i++) {
    snprintf(body + strlen(body), sizeof(body) - strlen(body), "%s\"%u\"",
             i > 0 ? "," : "", client->said + i);
  }
  strcat(body, "]");
  answer = once(&host, "POST", target_of(client, "xhr_send", ""), "", body);
  if (open) {
    client->said += count;
    assert_int_equal(answer->status, 204);
    assert_int_equal(client->said, client->heard);
  } else {
    assert_true(answer->status == 204 || answer->status == 404);
  }
}

/* ---- the play ---- */

static void act(struct client *client) {
  switch (any(12)) {
  case 0:
  case 1:
    receive(client);
    break;
  case 2:
  case 3:
  case 4:
    push(client);
    break;
  case 5:
    send_some(client);
    break;
  case 6:
    if (client->conn != NULL) {
      leave(client);
    }
    break;
  case 7:
    host_wait(&host, any(8) == 0 ? DELAY : any(DELAY / 4));
    break;
  case 8:
    if (any(20) == 0) {
      close_session(client);
    } else if (client->conn != NULL) {
      go_nearly(client);
    }
    break;
  default:
    if (client->conn != NULL) {
      go_on(client, any(3) == 0 ? 100000 : any(120));
    }
  }
}

/* At the end each has all that there is. */
static void settle(struct client *client) {
  int i;

  if (client->conn != NULL) {
    leave(client);
  }
  for (i = 0; i < 20 && client->had < client->pushed; i++) {
    receive(client);
    go_on(client, 100000);
    if (client->conn != NULL) {
      leave(client);
    }
  }
  assert_int_equal(client->had, client->pushed);
}

static void play(uint32_t seed) {
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;
  int i;

  randomness = seed;
  over = false;
  memset(clients, 0, sizeof(clients));
  host_init(&host);
  host.callbacks = (struct sbk_callbacks)SBK_CALLBACKS_INIT;
  host.callbacks.handshake = on_handshake;
  host.callbacks.connected = on_connected;
  host.callbacks.disconnected = on_disconnected;
  host.config.send_timeout = 3600000; /* some of them read slowly */
  host_open(&host);
  sockjs.htmlfile = sockjs.jsonp = 1;
  sockjs.stream_limit = any(2) == 0 ? 500 : 0;
  endpoint.path = "/e";
  endpoint.message = on_message;
  endpoint.sockjs = &sockjs;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
  for (i = 0; i < CLIENTS; i++) {
    snprintf(clients[i].id, sizeof(clients[i].id), "%d", i);
  }
  for (i = 0; i < 1500; i++) {
    act(&clients[any(CLIENTS)]);
  }
  for (i = 0; i < CLIENTS; i++) {
    settle(&clients[i]);
  }
  over = true;
  host_end(&host);
}

static void nothing_is_lost_whatever_happens(void **state) {
  uint32_t seed;

  (void)state;
  for (seed = 1; seed <= 40; seed++) {
    play(seed * 2654435761u);
  }
  /* It was worth it. */
  assert_in_range(resumed, 1000, 1000000);
  assert_in_range(reopened, 200, 1000000);
  assert_in_range(conflicts, 1000, 1000000);
  assert_in_range(whole_polls, 500, 1000000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_lost_whatever_happens),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
