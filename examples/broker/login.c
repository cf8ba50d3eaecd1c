/* login.c - who may come: login and passcode of CONNECT. */
#include "login.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/version.h>

#include "broker.h"

/* Both strings as HMACs with a key of this process: equal in length, and
 * nothing can be learnt from how many of their bytes are right. */
struct known {
  uint8_t name[SHA256_DIGEST_SIZE], passcode[SHA256_DIGEST_SIZE];
};

struct login {
  struct hmac_sha256_ctx key;
  size_t count;
  struct known known[];
};

static void hmac(const struct login *login, uint8_t mac[SHA256_DIGEST_SIZE],
                 const char *text, size_t len) {
  struct hmac_sha256_ctx h = login->key;
  hmac_sha256_update(&h, len, (const uint8_t *)text);
#if NETTLE_VERSION_MAJOR >= 4
  hmac_sha256_digest(&h, mac);
#else
  hmac_sha256_digest(&h, SHA256_DIGEST_SIZE, mac);
#endif
}

bool login_valid(const char *user) {
  const char *colon = strchr(user, ':');
  return colon != NULL && colon != user && colon[1] != '\0';
}

struct login *login_new(const struct list *users) {
  struct login *login =
      calloc(1, sizeof(*login) + users->count * sizeof(login->known[0]));
  uint8_t key[SHA256_DIGEST_SIZE];
  size_t i;
  if (login == NULL || getrandom(key, sizeof(key), 0) != sizeof(key)) {
    complain("no memory, or no randomness");
    free(login);
    return NULL;
  }
  hmac_sha256_set_key(&login->key, sizeof(key), key);
  login->count = users->count;
  for (i = 0; i < users->count; i++) {
    const char *user = users->items[i], *colon = strchr(user, ':');
    hmac(login, login->known[i].name, user, (size_t)(colon - user));
    hmac(login, login->known[i].passcode, colon + 1, strlen(colon + 1));
  }
  return login;
}

void login_free(struct login *login) {
  free(login);
}

/* Looks at all of them, so that it takes as long for any name. */
static bool known(const struct login *login, const char *name,
                  const char *passcode) {
  struct known given;
  int found = 0;
  size_t i;
  hmac(login, given.name, name, strlen(name));
  hmac(login, given.passcode, passcode, strlen(passcode));
  for (i = 0; i < login->count; i++) {
    int a = memeql_sec(given.name, login->known[i].name, sizeof(given.name));
    int b = memeql_sec(given.passcode, login->known[i].passcode,
                       sizeof(given.passcode));
    found |= a & b;
  }
  return found != 0;
}

static enum sbk_verdict refuse(sbk_call *call, const char *text) {
  sbk_call_set_error(call, text);
  return SBK_REJECT;
}

static enum sbk_verdict on_frame(sbk_call *call, void *arg) {
  const struct login *login = arg;
  const sbk_message *msg = sbk_call_message(call);
  const char *name, *passcode;
  if (sbk_message_command(msg) != SBK_CONNECT) return SBK_PASS;
  name = sbk_message_header(msg, "login");
  passcode = sbk_message_header(msg, "passcode");
  if (login->count > 0 &&
      !known(login, name ? name : "", passcode ? passcode : ""))
    return refuse(call, "login or passcode is wrong");
  if (name == NULL || *name == '\0') return SBK_PASS;
  if (sbk_call_set_user(call, name) != 0)
    return refuse(call, "login cannot be a user's name");
  return SBK_PASS;
}

int login_setup(struct login *login, sbk_broker *broker) {
  return sbk_broker_add_interceptor(broker, SBK_INBOUND, 0, on_frame, login);
}
