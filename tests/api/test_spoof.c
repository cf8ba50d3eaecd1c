#include "host.h"

/*
 * Destinations that a hostile client might try: what is the victim's never
 * comes to somebody else, and nothing that somebody else sends comes to the
 * victim's user destinations, but in the one form that there is for it, where
 * the host allows it.
 */

#define CASES 2000

/* A victim's own destinations, as the host sends to them. */
#define SECRETS 3

struct world {
  struct host host;
  const char *victim;  /* its name … */
  const char *encoded; /* … in a destination */
  const char *secrets[SECRETS];
  struct peer listener; /* the victim's */
  char sid[33];         /* its session's id */
  char heard[8192];     /* by the victim, since the last case */
  char separator;
  bool sends; /* client_user_send */
  uint32_t random;
  size_t accepted;  /* subscriptions of attackers */
  size_t delivered; /* SENDs that reached the victim, rightly */
};

static const char *const attackers[] = {
    NULL,  "eve",   "ann%",  "ANN",    "*",          "**",      "?nn",
    "{x}", "a%2",   "ann ",  "a",      "user",       "queue",   "..",
    "b",   "%61nn", "an\\n", "{user}", "\xc3\xa9ve", "ann-user"};

#define ATTACKERS (sizeof(attackers) / sizeof(attackers[0]))

static uint32_t roll(struct world *w, size_t sides) {
  return test_random(&w->random) % (uint32_t)sides;
}

/* ---- destinations ---- */

static const char *const prefixes[] = {
    "/user",      "/user",  "/user",  "/user",    "/user",
    "/topic",     "/app",   "/queue", "/USER",    "user",
    "/user/user", "/users", "//user", "/user%2F", ""};

static const char *const pieces[] = {
    "queue",  "queue", "x",        "y",
    "z",      "topic", "*",        "**",
    "?",      "{x}",   "{user}",   "{*rest}",
    "***",    "*n*",   "??n",      "a*",
    "queue*", "..",    ".",        "",
    "user",   "%2F",   "%2f",      "%252F",
    "%",      "%00",   "\x01",     "\n",
    "\r",     "\x7f",  "\xc3\xa9", "\xe2\x80\xae",
    "\xff",   ":",     "\\",       "x-user",
    "-user",  "ann",   "ann%2F",   "ann-user",
    "a/b",    "a%2Fb", "a%2fb",    "a%252Fb",
    "%61nn",  "ANN",   "a.n",      "eve"};

static const char *const breaks[] = {"/", "/", "/", "/", ".", ".", "//", "%2F"};

#define PICK(w, list) (list)[roll(w, sizeof(list) / sizeof((list)[0]))]

static void add(char *text, size_t size, const char *part) {
  size_t len = strlen(text);

  snprintf(text + len, size - len, "%s", part);
}

/* Often a name or an id stands where one belongs. */
static void add_piece(struct world *w, char *text, size_t size,
                      const char *own_id) {
  switch (roll(w, 8)) {
  case 0:
    add(text, size, w->encoded);
    break;
  case 1:
    add(text, size, w->victim);
    break;
  case 2:
    add(text, size, roll(w, 2) == 0 ? w->sid : own_id);
    break;
  case 3: /* Spring's form of a session's own queue */
    add(text, size, roll(w, 2) == 0 ? "x-user" : "queue-user");
    add(text, size, w->sid);
    break;
  default:
    add(text, size, PICK(w, pieces));
    break;
  }
}

/* Not far from what would do harm, if it did. */
static void make_near(struct world *w, char *text, size_t size) {
  const char *const names[] = {w->encoded, w->encoded, w->victim, w->sid,
                               "*",        "**",       "{x}",     "?nn",
                               "a%2fb",    "a%252Fb",  "ANN",     "%61nn"};
  const char c = roll(w, 3) == 0 ? '.' : '/';
  char one[2] = {c, '\0'};
  size_t at;

  text[0] = '\0';
  add(text, size, "/user");
  add(text, size, roll(w, 3) == 0 ? one : "/");
  if (roll(w, 4) > 0) {
    add(text, size, PICK(w, names));
  }
  add(text, size, w->secrets[roll(w, SECRETS)]);
  if (roll(w, 2) == 0) { /* and something of it changed */
    at = roll(w, strlen(text));
    text[at] = "/.*?%Aa"[roll(w, 7)];
  }
}

static void make_destination(struct world *w, char *text, size_t size,
                             const char *own_id) {
  size_t count = roll(w, 5) + 1;

  if (roll(w, 3) == 0) {
    make_near(w, text, size);
    return;
  }
  text[0] = '\0';
  add(text, size, PICK(w, prefixes));
  while (count-- > 0) {
    add(text, size, PICK(w, breaks));
    add_piece(w, text, size, own_id);
  }
  if (roll(w, 6) == 0) {
    add(text, size, PICK(w, breaks));
  }
}

/* STOMP 1.2, Value Encoding. */
static void escape(char *out, size_t size, const char *text) {
  out[0] = '\0';
  for (; *text != '\0'; text++) {
    const char one[2] = {*text, '\0'};

    add(out, size,
        *text == '\n'   ? "\\n"
        : *text == '\r' ? "\\r"
        : *text == ':'  ? "\\c"
        : *text == '\\' ? "\\\\"
                        : one);
  }
}

/* BEHAVIOUR 8: /user/{name}/…, where the host allows it. What the victim's
 * subscriptions cover is written out once more here. */
static bool is_allowed(const struct world *w, const char *text) {
  size_t i, len = strlen(w->encoded);

  if (!w->sends || strncmp(text, "/user", 5) != 0 ||
      (text[5] != '/' && text[5] != w->separator) ||
      strncmp(text + 6, w->encoded, len) != 0) {
    return false;
  }
  for (i = 0; i < SECRETS; i++) {
    if (strcmp(text + 6 + len, w->secrets[i]) == 0) {
      return true;
    }
  }

  return false;
}

/* ---- the world ---- */

static void listen_in(struct world *w) {
  add(w->heard, sizeof(w->heard), peer_hear(&w->listener));
}

static void on_subscribed(sbk_session *session, const char *id,
                          const char *destination, void *arg) {
  struct world *w = arg; /* host is its first member */

  (void)session;
  (void)destination;
  w->accepted += strcmp(id, "evil") == 0;
}

static void world_begin(struct world *w, char separator, bool sends,
                        const char *victim, const char *encoded) {
  char text[200];
  size_t i;

  memset(w, 0, sizeof(*w));
  w->separator = separator;
  w->sends = sends;
  w->victim = victim;
  w->encoded = encoded;
  w->secrets[0] = "/queue/x";
  w->secrets[1] = separator == '.' ? "/queue.y" : "/queue/y";
  w->secrets[2] = separator == '.' ? ".queue.z" : "/z";
  w->random = 0xbadc0de5u + (uint32_t)separator + (uint32_t)sends;
  host_init(&w->host);
  w->host.config.separator = separator;
  w->host.config.client_user_send = sends;
  w->host.config.error_destination = "/queue/errors";
  w->host.callbacks.subscribed = on_subscribed;
  w->host.callbacks.unsubscribed = NULL;
  w->host.callbacks.connected = NULL;
  w->host.callbacks.disconnected = NULL;
  w->host.callbacks.undeliverable = NULL;
  host_open(&w->host);
  peer_connect(&w->listener, &w->host, victim);
  snprintf(w->sid, sizeof(w->sid), "%s",
           sbk_session_id(sbk_conn_session(w->listener.conn)));
  for (i = 0; i < SECRETS; i++) {
    const char id[] = {'s', (char)('0' + i), '\0'};

    snprintf(text, sizeof(text), "/user%s", w->secrets[i]);
    peer_subscribe(&w->listener, id, text);
  }
  snprintf(text, sizeof(text), "/user/%s%s", encoded, w->secrets[0]);
  peer_subscribe(&w->listener, "named", text); /* the other form */
  peer_hear(&w->listener);
}

static void world_end(struct world *w) {
  peer_leave(&w->listener);
  host_end(&w->host);
}

/* ---- attacks ---- */

static void attack(struct world *w, struct peer *peer, const char *name,
                   const char *head, char *destination, size_t size) {
  char escaped[1024], frame[2048];

  memset(peer, 0, sizeof(*peer));
  peer_connect(peer, &w->host, name);
  make_destination(w, destination, size,
                   sbk_session_id(sbk_conn_session(peer->conn)));
  escape(escaped, sizeof(escaped), destination);
  snprintf(frame, sizeof(frame), "%s\ndestination:%s\n\n%s^", head, escaped,
           strcmp(head, "SEND") == 0 ? "forged" : "");
  peer_say(peer, frame);
}

/* The host's own, which the victim has to get, in all ways there are. */
static void tell_secrets(struct world *w) {
  sbk_session *session = sbk_conn_session(w->listener.conn);
  size_t i;

  for (i = 0; i < SECRETS; i++) {
    assert_int_equal(sbk_send_to_user(w->host.broker, w->victim, w->secrets[i],
                                      NULL, "secret", 6),
                     1);
    assert_int_equal(
        sbk_send_to_session(session, w->secrets[i], NULL, "secret", 6), 1);
  }
  listen_in(w);
  /* Twice each, and the first one at two subscriptions. */
  assert_int_equal(times(w->heard, "\n\nsecret^"), 2 * (SECRETS + 1));
}

static void try_case(struct world *w, const char *name) {
  char listened[512], sent[512];
  struct peer spy, forger;

  w->heard[0] = '\0';
  attack(w, &spy, name, "SUBSCRIBE\nid:evil", listened, sizeof(listened));
  attack(w, &forger, name, "SEND", sent, sizeof(sent));
  listen_in(w);
  if ((strstr(w->heard, "forged") != NULL) != is_allowed(w, sent)) {
    fail_msg("%s sends to \"%s\": %s", name != NULL ? name : "somebody", sent,
             w->heard);
  }
  w->delivered += w->heard[0] != '\0';
  tell_secrets(w);
  if (strstr(peer_hear(&spy), "secret") != NULL) {
    fail_msg("%s listens at \"%s\": %s", name != NULL ? name : "somebody",
             listened, spy.heard);
  }
  assert_null(strstr(peer_hear(&forger), "secret"));
  peer_leave(&spy);
  peer_leave(&forger);
}

static void try_all(char separator, bool sends, const char *victim,
                    const char *encoded) {
  struct world w;
  size_t i;

  world_begin(&w, separator, sends, victim, encoded);
  for (i = 0; i < CASES; i++) {
    try_case(&w, attackers[i % 2 == 0 ? 0 : roll(&w, ATTACKERS)]);
  }
  print_message("# '%c' %s: %zu subscriptions accepted, %zu messages let "
                "through\n",
                separator, victim, w.accepted, w.delivered);
  assert_true(w.accepted > CASES / 10);
  assert_true(sends ? w.delivered > CASES / 100 : w.delivered == 0);
  world_end(&w);
}

static void nothing_of_a_user_s_comes_to_another(void **state) {
  (void)state;
  try_all('/', false, "ann", "ann");
  try_all('/', false, "a/b", "a%2Fb");
}

static void with_dots_nothing_does_either(void **state) {
  (void)state;
  try_all('.', false, "ann", "ann");
  try_all('.', false, "a/b", "a%2Fb");
}

static void clients_that_may_send_to_users_have_one_form(void **state) {
  (void)state;
  try_all('/', true, "ann", "ann");
  try_all('/', true, "a/b", "a%2Fb");
}

static void with_dots_they_have_one_form_too(void **state) {
  (void)state;
  try_all('.', true, "ann", "ann");
  try_all('.', true, "a/b", "a%2Fb");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_of_a_user_s_comes_to_another),
      cmocka_unit_test(with_dots_nothing_does_either),
      cmocka_unit_test(clients_that_may_send_to_users_have_one_form),
      cmocka_unit_test(with_dots_they_have_one_form_too),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
