/* users.c - names and the hashes of their passwords. A line of the file:
 * NAME:ITERATIONS:SALT:HASH, the latter two in hexadecimal digits. */
#include "users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <nettle/pbkdf2.h>

#include "file.h"

#define FIRST_LINE "chat-users 1\n"
#define FILE_MOST  (USERS_MOST * 160u)

struct users {
  struct user *all;
  size_t count;
  size_t room;
};

void users_hash(uint8_t hash[HASH_SIZE], const char *password, size_t len,
                const uint8_t salt[SALT_SIZE], uint32_t iterations) {
  pbkdf2_hmac_sha256(len, (const uint8_t *)password, iterations, SALT_SIZE,
                     salt, HASH_SIZE, hash);
}

void users_free(struct users *u) {
  if (u == NULL) return;
  free(u->all);
  free(u);
}

static struct user *find(const struct users *u, const char *name) {
  size_t i;
  for (i = 0; i < u->count; i++)
    if (strcasecmp(u->all[i].name, name) == 0) return &u->all[i];
  return NULL;
}

const struct user *users_find(const struct users *u, const char *name) {
  return find(u, name);
}

int users_add(struct users *u, const struct user *user) {
  if (u->count == USERS_MOST) return -ENOSPC;
  if (u->count == u->room) {
    size_t more = u->room ? u->room * 2 : 16;
    struct user *all = realloc(u->all, more * sizeof(*all));
    if (all == NULL) return -ENOMEM;
    u->all = all;
    u->room = more;
  }
  u->all[u->count++] = *user;
  return 0;
}

void users_remove(struct users *u, const char *name) {
  struct user *user = find(u, name);
  if (user != NULL) *user = u->all[--u->count];
}

void users_write(const struct users *u, struct text *out) {
  size_t i;
  text_str(out, FIRST_LINE);
  for (i = 0; i < u->count; i++) {
    const struct user *user = &u->all[i];
    text_str(out, user->name);
    text_str(out, ":");
    text_num(out, user->iterations);
    text_str(out, ":");
    text_hex(out, user->salt, SALT_SIZE);
    text_str(out, ":");
    text_hex(out, user->hash, HASH_SIZE);
    text_str(out, "\n");
  }
}

static bool read_line(struct user *user, const char *line, size_t len) {
  const char *part[4];
  size_t size[4], i, n = 0;
  uint64_t iterations;
  part[0] = line;
  for (i = 0; i <= len; i++) {
    if (i < len && line[i] != ':') continue;
    size[n] = (size_t)(line + i - part[n]);
    if (i == len) break;
    if (++n == 4) return false;
    part[n] = line + i + 1;
  }
  if (n != 3 || size[0] >= NAME_SIZE) return false;
  memcpy(user->name, part[0], size[0]);
  user->name[size[0]] = '\0';
  if (!name_valid(user->name) || !num_read(&iterations, part[1], size[1]) ||
      iterations == 0 || iterations > 100000000)
    return false;
  user->iterations = (uint32_t)iterations;
  return hex_read(user->salt, SALT_SIZE, part[2], size[2]) &&
         hex_read(user->hash, HASH_SIZE, part[3], size[3]);
}

/* The number of the first bad line; 0: all are good. */
static size_t read_all(struct users *u, const struct text *t) {
  size_t at = strlen(FIRST_LINE), number = 2;
  if (t->len < at || memcmp(t->data, FIRST_LINE, at) != 0) return 1;
  for (; at < t->len; number++) {
    struct user user;
    const char *end = memchr(t->data + at, '\n', t->len - at);
    size_t len = end ? (size_t)(end - t->data) - at : 0;
    memset(&user, 0, sizeof(user));
    if (!end || !read_line(&user, t->data + at, len) || find(u, user.name) ||
        users_add(u, &user) != 0)
      return number;
    at += len + 1;
  }
  return 0;
}

struct users *users_load(int folder) {
  struct users *u = calloc(1, sizeof(*u));
  struct text t = {0};
  size_t bad = 0;
  int rv = u ? file_read(folder, USERS_FILE, FILE_MOST, &t) : -ENOMEM;
  if (rv == 0) bad = t.len ? read_all(u, &t) : 1;
  if (bad > 0) complain("%s: line %zu is damaged", USERS_FILE, bad);
  else if (rv != 0 && rv != -ENOENT)
    complain("%s: %s", USERS_FILE, strerror(-rv));
  text_free(&t);
  if (bad == 0 && (rv == 0 || rv == -ENOENT)) return u;
  users_free(u);
  return NULL;
}
