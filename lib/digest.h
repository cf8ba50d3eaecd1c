#ifndef SBK__DIGEST_H
#define SBK__DIGEST_H

#include <stdbool.h>
#include <stddef.h>

/* The one file that knows nettle. */

/* RFC 6455, 4.1: the key is the base64 of 16 bytes: 24 characters. */
bool sbk__websocket_key_valid(const char *key, size_t len);
/* RFC 6455, 4.2.2: 28 characters and a NUL; key is valid. */
void sbk__websocket_accept_key(char accept[29], const char *key);

#endif
