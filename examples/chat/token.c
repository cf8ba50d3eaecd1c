/* token.c - signed names that expire. */
#include "token.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/version.h>

#include "file.h"

/* What is signed begins with it, so that one kind never passes for another. */
static const char *const marks[] = {"c1.", "r1."};

int token_key(int folder, uint8_t key[KEY_SIZE]) {
  struct text t = {0};
  int rv = file_read(folder, "key", KEY_SIZE, &t);
  if (rv == -ENOENT) {
    if (getrandom(key, KEY_SIZE, 0) != KEY_SIZE) return -EIO;
    return file_write(folder, "key", key, KEY_SIZE);
  }
  if (rv == 0 && t.len != KEY_SIZE) rv = -EINVAL;
  if (rv == 0) memcpy(key, t.data, KEY_SIZE);
  text_free(&t);
  return rv;
}

static void sign(uint8_t mac[SHA256_DIGEST_SIZE], const uint8_t *key,
                 const char *data, size_t len) {
  struct hmac_sha256_ctx h;
  hmac_sha256_set_key(&h, KEY_SIZE, key);
  hmac_sha256_update(&h, len, (const uint8_t *)data);
#if NETTLE_VERSION_MAJOR >= 4
  hmac_sha256_digest(&h, mac);
#else
  hmac_sha256_digest(&h, SHA256_DIGEST_SIZE, mac);
#endif
}

void token_write(struct text *out, const uint8_t key[KEY_SIZE],
                 enum token_kind kind, const char *name, uint64_t expires) {
  uint8_t mac[SHA256_DIGEST_SIZE];
  size_t from = out->len;
  text_str(out, marks[kind]);
  text_str(out, name);
  text_str(out, ".");
  text_num(out, expires);
  if (out->failed) return;
  sign(mac, key, out->data + from, out->len - from);
  text_str(out, ".");
  text_hex(out, mac, sizeof(mac));
}

enum token_state token_read(const char *token, const uint8_t key[KEY_SIZE],
                            enum token_kind kind, uint64_t now,
                            char name[NAME_SIZE], uint64_t *expires) {
  uint8_t want[SHA256_DIGEST_SIZE], got[SHA256_DIGEST_SIZE];
  const char *rest, *time_at, *mac_at;
  uint64_t until;
  size_t len;
  len = strlen(marks[kind]);
  if (strncmp(token, marks[kind], len) != 0) return TOKEN_BAD;
  rest = token + len;
  time_at = strchr(rest, '.');
  mac_at = time_at ? strchr(time_at + 1, '.') : NULL;
  if (mac_at == NULL ||
      !hex_read(got, sizeof(got), mac_at + 1, strlen(mac_at + 1)))
    return TOKEN_BAD;
  sign(want, key, token, (size_t)(mac_at - token));
  if (!memeql_sec(want, got, sizeof(want))) return TOKEN_BAD;
  /* What is signed was written by us; these can only fail by our own fault. */
  len = (size_t)(time_at - rest);
  if (len >= NAME_SIZE ||
      !num_read(&until, time_at + 1, (size_t)(mac_at - time_at - 1)))
    return TOKEN_BAD;
  if (until <= now) return TOKEN_EXPIRED;
  memcpy(name, rest, len);
  name[len] = '\0';
  *expires = until;
  return TOKEN_GOOD;
}
