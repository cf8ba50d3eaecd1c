/* tls_none.c - in place of tls.c, in a build without GnuTLS. */
#include "tls.h"

#include <errno.h>

#include "chat.h"

struct tls_server *tls_server_new(const char *cert, const char *key) {
  complain("--tls-cert: this build has no TLS; it needs GnuTLS");
  return NULL;
}

/* There is no server, so the rest is never called. */
void tls_server_reload(struct tls_server *server) {}
void tls_server_free(struct tls_server *server) {}
struct tls *tls_new(struct tls_server *server, int fd) {
  return NULL;
}
bool tls_shutdown(struct tls *tls) {
  return true;
}
void tls_free(struct tls *tls) {}
ssize_t tls_read(struct tls *tls, void *buf, size_t size) {
  errno = EPROTO;
  return -1;
}
ssize_t tls_write(struct tls *tls, const void *buf, size_t len) {
  errno = EPROTO;
  return -1;
}
bool tls_begins(const struct tls *tls) {
  return false;
}
bool tls_read_blocked(const struct tls *tls) {
  return false;
}
