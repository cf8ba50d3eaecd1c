/* login.c - from a name and a password to a login, and from there to tokens.
 * The hashing is a job of the worker's; the request waits meanwhile, or goes
 * away. */
#include "login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <nettle/memops.h>

#include "file.h"
#include "http.h"
#include "text.h"
#include "token.h"
#include "users.h"

#define PASSWORD_LEAST 8u
#define PASSWORD_SIZE  257
#define COOKIE_PREFIX                                                          \
  "login-" /* and the name: a cookie's may have its letters */
#define COOKIE_SIZE (sizeof(COOKIE_PREFIX) + NAME_SIZE)

struct login {
  struct job job; /* first: a job is its login */
  struct chat *chat;
  sbk_request *request; /* NULL: the peer has gone */
  char peer[64];
  struct user user; /* whose salt to take; hash is what the password gives */
  char password[PASSWORD_SIZE];
  size_t password_len;
  bool known;       /* there was such a user when the job began */
  struct text file; /* what to save */
  int saved;
};

static void fail(sbk_request *request, int status, const char *word,
                 const char *sentence) {
  struct text t = {0};
  text_str(&t, "{\"error\":");
  text_json(&t, word, strlen(word));
  text_str(&t, ",\"message\":");
  text_json(&t, sentence, strlen(sentence));
  text_str(&t, "}");
  http_answer(request, status, JSON, NULL, t.data, t.len);
  text_free(&t);
}

/* ---- what a login gets ---- */

/* Scripts cannot read it, other sites cannot send it, and a page that came by
 * https never sends it in the clear. */
static void write_cookie(struct chat *chat, struct text *t,
                         sbk_request *request, const char *name,
                         const char *value, uint64_t seconds) {
  const char *origin = sbk_request_field(request, "Origin");
  text_str(t, COOKIE_PREFIX);
  text_str(t, name);
  text_str(t, "=");
  text_str(t, value);
  text_str(t, "; Path=/token; HttpOnly; SameSite=Strict; Max-Age=");
  text_num(t, seconds);
  if (chat->tls != NULL ||
      (origin != NULL && strncmp(origin, "https:", 6) == 0))
    text_str(t, "; Secure");
}

/* cookie NULL: it is there already, and good until login_ends. */
static void give_token(struct chat *chat, sbk_request *request, int status,
                       const char *name, uint64_t login_ends,
                       const char *cookie) {
  uint64_t now = clock_wall(), expires = now / 1000 + chat->token_life;
  struct text t = {0};
  if (expires > login_ends) expires = login_ends;
  text_str(&t, "{\"name\":");
  text_json(&t, name, strlen(name));
  text_str(&t, ",\"token\":\"");
  token_write(&t, chat->key, TOKEN_SESSION, name, expires);
  text_str(&t, "\",\"expires\":");
  text_num(&t, expires);
  text_str(&t, ",\"now\":");
  text_num(&t, now);
  text_str(&t, status == 201 ? ",\"created\":true}" : ",\"created\":false}");
  if (t.failed) fail(request, 503, "memory", "Too much to do.");
  else http_answer(request, status, JSON, cookie, t.data, t.len);
  text_free(&t);
}

/* ---- the steps of a login ---- */

static void login_free(struct login *l) {
  if (l->request != NULL) sbk_request_set_user_data(l->request, NULL);
  explicit_bzero(l->password, sizeof(l->password));
  text_free(&l->file);
  free(l);
}

static void refuse(struct login *l, int status, const char *word,
                   const char *sentence) {
  sbk_request *request = l->request;
  login_free(l);
  if (request != NULL) fail(request, status, word, sentence);
}

static void admit(struct login *l, int status) {
  struct chat *chat = l->chat;
  sbk_request *request = l->request;
  uint64_t ends = clock_wall() / 1000 + chat->login_life;
  struct text value = {0}, cookie = {0};
  char name[NAME_SIZE];
  memcpy(name, l->user.name, sizeof(name));
  login_free(l);
  if (request == NULL) return;
  token_write(&value, chat->key, TOKEN_LOGIN, name, ends);
  if (!value.failed)
    write_cookie(chat, &cookie, request, name, value.data, chat->login_life);
  if (value.failed || cookie.failed)
    fail(request, 503, "memory", "Too much to do.");
  else give_token(chat, request, status, name, ends, cookie.data);
  text_free(&value);
  text_free(&cookie);
}

/* ---- a new name ---- */

static void save(struct job *job) {
  struct login *l = (struct login *)job;
  l->saved = file_write(l->chat->folder, USERS_FILE, l->file.data, l->file.len);
}

static void saved(struct job *job) {
  struct login *l = (struct login *)job;
  if (l->saved == 0) {
    admit(l, 201);
    return;
  }
  complain("%s: %s", USERS_FILE, strerror(-l->saved));
  users_remove(l->chat->users, l->user.name);
  refuse(l, 500, "disk", "The account could not be saved.");
}

/* The answer waits until the name is on the disk: a token for a name that a
 * power cut gives to somebody else would be a nasty thing. */
static void create(struct login *l) {
  if (users_add(l->chat->users, &l->user) != 0) {
    refuse(l, 503, "full", "No more accounts can be made here.");
    return;
  }
  users_write(l->chat->users, &l->file);
  l->job.work = save;
  l->job.done = saved;
  if (l->file.failed || !worker_do(l->chat->worker, &l->job)) {
    users_remove(l->chat->users, l->user.name);
    refuse(l, 503, "busy", "Too much to do. Please try again.");
  }
}

/* ---- the password ---- */

static void hash(struct job *job) {
  struct login *l = (struct login *)job;
  users_hash(l->user.hash, l->password, l->password_len, l->user.salt,
             l->user.iterations);
}

static void hashed(struct job *job);

static void begin(struct login *l) {
  const struct user *user = users_find(l->chat->users, l->user.name);
  l->known = user != NULL;
  l->job.work = hash;
  l->job.done = hashed;
  if (l->known) {
    l->user = *user; /* with the name as its owner writes it */
  } else {
    l->user.iterations = ITERATIONS;
    if (getrandom(l->user.salt, SALT_SIZE, 0) != SALT_SIZE) {
      refuse(l, 500, "random", "No randomness.");
      return;
    }
  }
  if (!worker_do(l->chat->worker, &l->job))
    refuse(l, 503, "busy", "Too much to do. Please try again.");
}

static void hashed(struct job *job) {
  struct login *l = (struct login *)job;
  const struct user *user = users_find(l->chat->users, l->user.name);
  if (user == NULL) {
    if (l->known) refuse(l, 401, "gone", "There is no such account.");
    else create(l);
  } else if (!l->known) {
    begin(l); /* somebody took the name meanwhile: with their salt, then */
  } else if (memeql_sec(user->hash, l->user.hash, HASH_SIZE)) {
    limit_give(&l->chat->login_names, user->name);
    limit_give(&l->chat->login_peers, l->peer);
    admit(l, 200);
  } else {
    refuse(l, 401, "wrong-password", "That is not the password of this name.");
  }
}

/* ---- the request ---- */

static bool read_form(struct login *l, sbk_request *request) {
  const char *type = sbk_request_field(request, "Content-Type");
  size_t len;
  const char *body = sbk_request_body(request, &len);
  struct field fields[] = {
      {.name = "name", .dst = l->user.name, .size = NAME_SIZE},
      {.name = "password", .dst = l->password, .size = PASSWORD_SIZE}};
  bool good = type_is(type, JSON)
                  ? json_read(body, len, fields, 2)
                  : type_is(type, "application/x-www-form-urlencoded") &&
                        form_read(body, len, fields, 2);
  l->password_len = fields[1].len;
  return good;
}

static bool same_origin(struct chat *chat, sbk_request *request) {
  const char *host = sbk_request_field(request, "Host");
  return host != NULL &&
         sbk_origin_allowed(sbk_request_field(request, "Origin"),
                            chat->tls ? "https" : "http", host, chat->origins);
}

void login_request(struct chat *chat, sbk_request *request) {
  struct login *l;
  if (!same_origin(chat, request)) {
    fail(request, 403, "origin", "Pages of that origin may not log in here.");
    return;
  }
  l = calloc(1, sizeof(*l));
  if (l == NULL) {
    fail(request, 503, "memory", "Too much to do. Please try again.");
    return;
  }
  l->chat = chat;
  l->request = request;
  snprintf(l->peer, sizeof(l->peer), "%s", sbk_request_peer(request));
  sbk_request_set_user_data(request, l);
  if (!read_form(l, request)) {
    refuse(l, 400, "malformed",
           "A name of at most 24 characters and a password are needed.");
  } else if (!name_valid(l->user.name)) {
    refuse(l, 400, "name",
           "A name is letters, digits, - and _, at most 24 of them.");
  } else if (l->password_len < PASSWORD_LEAST) {
    refuse(l, 400, "short", "A password has at least 8 characters.");
  } else if (!limit_take(&chat->login_peers, l->peer, clock_now()) ||
             !limit_take(&chat->login_names, l->user.name, clock_now())) {
    refuse(l, 429, "too-many", "Too many attempts. Please wait a minute.");
  } else {
    begin(l);
  }
}

void login_gone(sbk_request *request) {
  struct login *l = sbk_request_user_data(request);
  if (l != NULL) l->request = NULL;
}

/* ---- what comes later ---- */

/* Whom a request of a page is about. NULL: it was answered. */
static const struct user *read_user(struct chat *chat, sbk_request *request) {
  char name[NAME_SIZE];
  struct field field = {.name = "name", .dst = name, .size = sizeof(name)};
  const struct user *user = NULL;
  size_t len;
  const char *body = sbk_request_body(request, &len);
  if (!same_origin(chat, request)) {
    fail(request, 403, "origin", "Pages of that origin have no login here.");
  } else if (!type_is(sbk_request_field(request, "Content-Type"), JSON) ||
             !json_read(body, len, &field, 1)) {
    fail(request, 400, "malformed", "A name is needed.");
  } else {
    user = users_find(chat->users, name);
    if (user == NULL)
      fail(request, 401, "gone", "Your login is over. Please come in again.");
  }
  return user;
}

void login_renew(struct chat *chat, sbk_request *request) {
  const struct user *user = read_user(chat, request);
  char cookie[COOKIE_SIZE], token[TOKEN_SIZE], name[NAME_SIZE];
  uint64_t ends;
  if (user == NULL) return;
  snprintf(cookie, sizeof(cookie), COOKIE_PREFIX "%s", user->name);
  if (sbk_request_cookie(request, cookie, token, sizeof(token)) < 0 ||
      token_read(token, chat->key, TOKEN_LOGIN, clock_wall() / 1000, name,
                 &ends) != TOKEN_GOOD ||
      strcmp(name, user->name) != 0)
    fail(request, 401, "over", "Your login is over. Please come in again.");
  else give_token(chat, request, 200, name, ends, NULL);
}

void login_end(struct chat *chat, sbk_request *request) {
  const struct user *user = read_user(chat, request);
  struct text cookie = {0};
  if (user == NULL) return;
  write_cookie(chat, &cookie, request, user->name, "", 0);
  if (cookie.failed) fail(request, 503, "memory", "Too much to do.");
  else http_answer(request, 200, JSON, cookie.data, "{}", 2);
  text_free(&cookie);
}
