#ifndef BROKER_LISTEN_H
#define BROKER_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

/** Longest "[ADDR]:PORT" with its NUL. */
#define ADDRESS_SIZE 80

/**
 * A socket that listens at "ADDR:PORT" or "[ADDR]:PORT", len bytes, numbers
 * only; port 0 is any free one. Where it really is goes to at. Negative: an
 * errno value; -EINVAL: no such address.
 */
int listen_at(const char *address, size_t len, char at[ADDRESS_SIZE]);
/** Would listen_at() understand it? */
bool listen_valid(const char *address, size_t len);
/** "ADDR:PORT" of the other side of a socket, or "". */
struct sockaddr;
void address_text(char dst[ADDRESS_SIZE], const struct sockaddr *sa);

#endif
