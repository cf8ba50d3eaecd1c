#ifndef CHAT_TLS_H
#define CHAT_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * TLS 1.2 and 1.3 on sockets that do not block, with GnuTLS. Where that is not
 * there to build with, tls_none.c stands in: no server can be made.
 */

/** What a server shows: a certificate and its key. */
struct tls_server;

/** From PEM files, the certificate with its chain. NULL: why was said on
 * stderr. */
struct tls_server *tls_server_new(const char *cert, const char *key);
/** Reads the files again, for streams to come. Those that are there keep what
 * they began with; if the files are bad, so do those to come, and why was said
 * on stderr. */
void tls_server_reload(struct tls_server *server);
/** After its streams. NULL is fine. */
void tls_server_free(struct tls_server *server);

/** The server's side of one stream. */
struct tls;

/** The socket stays the caller's. NULL: no memory. */
struct tls *tls_new(struct tls_server *server, int fd);
/** Tells the peer that nothing more comes, once; it may still be read from.
 * False: the socket does not take that now, try again. */
bool tls_shutdown(struct tls *tls);
/** Says goodbye if nobody has yet; then comes close(). NULL is fine. */
void tls_free(struct tls *tls);

/*
 * As read() and write(), with errno, and EPROTO for what only TLS knows; they
 * shake hands first. tls_read() gives one record, for which there has to be
 * room, 16 KiB, so that nothing stays behind where the loop does not see it.
 * What tls_write() did not take has to come again at the beginning of the next
 * call; more may stand behind it.
 */
ssize_t tls_read(struct tls *tls, void *buf, size_t size);
ssize_t tls_write(struct tls *tls, const void *buf, size_t len);

/** Hands are not shaken yet. */
bool tls_begins(const struct tls *tls);
/** tls_read() waits until the socket takes bytes: handshakes are talks, and
 * later on keys are changed. */
bool tls_read_blocked(const struct tls *tls);

#endif
