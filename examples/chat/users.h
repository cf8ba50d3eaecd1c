#ifndef CHAT_USERS_H
#define CHAT_USERS_H

#include "chat.h"
#include "text.h"

#define SALT_SIZE  16
#define HASH_SIZE  32
#define ITERATIONS 600000u /* OWASP's advice for PBKDF2-HMAC-SHA256 */
#define USERS_MOST 10000u
#define USERS_FILE "users"

struct user {
  char name[NAME_SIZE]; /**< as it was first written; compared without case */
  uint32_t iterations;
  uint8_t salt[SALT_SIZE];
  uint8_t hash[HASH_SIZE];
};

/** Who may log in: a file of the folder, and a copy of it in memory. */
struct users;

/** Reads the file, if there is one. NULL: it is damaged, or no memory; why was
 * said on stderr. */
struct users *users_load(int folder);
void users_free(struct users *u);
/** NULL: nobody has that name. Until the next change. */
const struct user *users_find(const struct users *u, const char *name);
/** 0, -ENOMEM, or -ENOSPC: there are USERS_MOST. */
int users_add(struct users *u, const struct user *user);
void users_remove(struct users *u, const char *name);
/** The file, as it should be now. */
void users_write(const struct users *u, struct text *out);
/** PBKDF2-HMAC-SHA256; takes its time. */
void users_hash(uint8_t hash[HASH_SIZE], const char *password, size_t len,
                const uint8_t salt[SALT_SIZE], uint32_t iterations);

#endif
