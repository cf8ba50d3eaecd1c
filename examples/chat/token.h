#ifndef CHAT_TOKEN_H
#define CHAT_TOKEN_H

#include "chat.h"
#include "text.h"

/*
 * A token: "KIND.NAME.EXPIRY.HMAC", the time in seconds since 1970, the last
 * part 64 hexadecimal digits over what stands before it. It is a bearer's: who
 * has it is NAME until then.
 */

#define TOKEN_SIZE 128 /* with the NUL; more than any has */

enum token_kind {
  TOKEN_SESSION, /**< "c1": opens a session, and keeps it; soon over */
  TOKEN_LOGIN    /**< "r1": gets new ones of those, and nothing else */
};
enum token_state { TOKEN_GOOD, TOKEN_BAD, TOKEN_EXPIRED };

/** Reads the key from the folder, or makes one. 0, or a negative errno. */
int token_key(int folder, uint8_t key[KEY_SIZE]);
/** expires is in seconds since 1970. */
void token_write(struct text *out, const uint8_t key[KEY_SIZE],
                 enum token_kind kind, const char *name, uint64_t expires);
/** name and expires are written when it is TOKEN_GOOD. */
enum token_state token_read(const char *token, const uint8_t key[KEY_SIZE],
                            enum token_kind kind, uint64_t now,
                            char name[NAME_SIZE], uint64_t *expires);

#endif
