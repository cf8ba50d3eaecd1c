/* tls.c - TLS on sockets that do not block, with GnuTLS. */
#include "tls.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>

#include "chat.h"

#define RECORD_MOST 16384u /* RFC 8446, 5.1: bytes that one record carries */

/* No older version; renegotiation is refused, see explain(). */
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* A certificate that was replaced lives on with the streams that began with it.
 */
struct credentials {
  gnutls_certificate_credentials_t own;
  size_t users; /* streams, and the server while it is the one */
};

struct tls_server {
  const char *cert, *key;
  gnutls_priority_t priorities;
  struct credentials *now;
};

struct tls {
  int fd;
  gnutls_session_t session;
  struct credentials *credentials;
  enum { BEGINS, OPEN, BROKEN } state;
  bool read_blocked; /* see tls_read_blocked() */
  bool shut;         /* the peer was told that nothing more comes */
  bool half_sent;    /* GnuTLS has a record that the socket took no whole of */
};

/* ---- certificates ---- */

static void credentials_unref(struct credentials *c) {
  if (c == NULL || --c->users > 0) return;
  gnutls_certificate_free_credentials(c->own);
  free(c);
}

static struct credentials *credentials_load(const char *cert, const char *key) {
  struct credentials *c = calloc(1, sizeof(*c));
  int rv = c ? gnutls_certificate_allocate_credentials(&c->own)
             : GNUTLS_E_MEMORY_ERROR;
  if (rv == 0) {
    c->users = 1;
    rv = gnutls_certificate_set_x509_key_file(c->own, cert, key,
                                              GNUTLS_X509_FMT_PEM);
    if (rv >= 0) return c;
    gnutls_certificate_free_credentials(c->own);
  }
  free(c);
  complain("%s, %s: %s", cert, key, gnutls_strerror(rv));
  return NULL;
}

struct tls_server *tls_server_new(const char *cert, const char *key) {
  struct tls_server *server = calloc(1, sizeof(*server));
  if (server == NULL) return NULL;
  server->cert = cert;
  server->key = key;
  if (gnutls_priority_init(&server->priorities, PRIORITIES, NULL) == 0)
    server->now = credentials_load(cert, key);
  if (server->now != NULL) return server;
  tls_server_free(server);
  return NULL;
}

void tls_server_reload(struct tls_server *server) {
  struct credentials *c = credentials_load(server->cert, server->key);
  if (c == NULL) return;
  credentials_unref(server->now);
  server->now = c;
}

void tls_server_free(struct tls_server *server) {
  if (server == NULL) return;
  credentials_unref(server->now);
  if (server->priorities != NULL) gnutls_priority_deinit(server->priorities);
  free(server);
}

/* ---- a stream ---- */

/* A peer that names protocols gets the one that is spoken, or no connection. */
static int name_protocol(gnutls_session_t session) {
  static unsigned char name[] = "http/1.1";
  const gnutls_datum_t http = {name, sizeof(name) - 1};
  return gnutls_alpn_set_protocols(session, &http, 1, GNUTLS_ALPN_MANDATORY);
}

struct tls *tls_new(struct tls_server *server, int fd) {
  const unsigned flags = GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL;
  struct tls *t = calloc(1, sizeof(*t));
  if (t == NULL || gnutls_init(&t->session, flags) != 0) {
    free(t);
    return NULL;
  }
  t->fd = fd;
  t->credentials = server->now;
  t->credentials->users++;
  if (gnutls_priority_set(t->session, server->priorities) == 0 &&
      gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE,
                             server->now->own) == 0 &&
      name_protocol(t->session) == 0) {
    gnutls_transport_set_int(t->session, fd);
    /* How long it may take is for the loop to say, not for GnuTLS. */
    gnutls_handshake_set_timeout(t->session, 0);
    return t;
  }
  tls_free(t);
  return NULL;
}

bool tls_shutdown(struct tls *t) {
  int rv;
  if (t->state != OPEN || t->shut) return true;
  rv = gnutls_bye(t->session, GNUTLS_SHUT_WR);
  t->shut = rv != GNUTLS_E_AGAIN && rv != GNUTLS_E_INTERRUPTED;
  return t->shut;
}

void tls_free(struct tls *t) {
  if (t == NULL) return;
  /* Once: a peer that does not even take this would not have heard it. */
  tls_shutdown(t);
  gnutls_deinit(t->session);
  credentials_unref(t->credentials);
  free(t);
}

static ssize_t fail(int error) {
  errno = error;
  return -1;
}

/* The peer is told why. What it still sends is thrown away: with bytes unread,
 * close() makes a reset of the end, which can overtake the alert. */
static ssize_t refuse(struct tls *t, int rv) {
  char rest[4096];
  int i;
  t->state = BROKEN;
  gnutls_alert_send_appropriate(t->session, rv);
  for (i = 0; i < 16; i++)
    if (recv(t->fd, rest, sizeof(rest), MSG_DONTWAIT) <= 0) break;
  return fail(EPROTO);
}

/* What a negative result of GnuTLS's means to a caller of read() or write(). */
static ssize_t explain(struct tls *t, int rv) {
  switch (rv) {
  case GNUTLS_E_REHANDSHAKE: /* TLS 1.2 only, and good for nothing here */
    gnutls_alert_send(t->session, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
    t->state = BROKEN;
    return fail(EPROTO);
  case GNUTLS_E_PREMATURE_TERMINATION:
  case GNUTLS_E_PULL_ERROR:
  case GNUTLS_E_PUSH_ERROR:
  case GNUTLS_E_FATAL_ALERT_RECEIVED: /* nobody is there to be told */
    t->state = BROKEN;
    return fail(ECONNRESET);
  default: /* GNUTLS_E_AGAIN, GNUTLS_E_INTERRUPTED; a warning of the peer's */
    return gnutls_error_is_fatal(rv) ? refuse(t, rv) : fail(EAGAIN);
  }
}

static bool is_blocked(const struct tls *t, ssize_t rv) {
  return (rv == GNUTLS_E_AGAIN || rv == GNUTLS_E_INTERRUPTED) &&
         gnutls_record_get_direction(t->session) == 1;
}

/* 0, or -1 and errno: what is called next may go on, or not yet, or never. */
static ssize_t make_open(struct tls *t) {
  int rv;
  if (t->state == OPEN) return 0;
  if (t->state == BROKEN) return fail(EPROTO);
  rv = gnutls_handshake(t->session);
  t->read_blocked = is_blocked(t, rv);
  if (rv != 0) return explain(t, rv);
  t->state = OPEN;
  return 0;
}

ssize_t tls_read(struct tls *t, void *buf, size_t size) {
  ssize_t n;
  assert(size >= RECORD_MOST);
  if (make_open(t) != 0) return -1;
  n = gnutls_record_recv(t->session, buf, size);
  t->read_blocked = is_blocked(t, n);
  return n >= 0 ? n : explain(t, (int)n);
}

/* A record that is made cannot be unmade: GnuTLS keeps it until the socket has
 * taken it, asked with NULL, and says then how many bytes of ours it was. So
 * those are not counted off before, and come again in buf. */
ssize_t tls_write(struct tls *t, const void *buf, size_t len) {
  size_t done = 0;
  ssize_t n = 0;
  if (make_open(t) != 0) return -1;
  while (done < len) {
    n = t->half_sent ? gnutls_record_send(t->session, NULL, 0)
                     : gnutls_record_send(t->session, (const char *)buf + done,
                                          len - done);
    t->half_sent = n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED;
    if (n < 0) break;
    done += (size_t)n;
  }
  return done > 0 ? (ssize_t)done : explain(t, (int)n);
}

bool tls_begins(const struct tls *t) {
  return t->state == BEGINS;
}

bool tls_read_blocked(const struct tls *t) {
  return t->read_blocked;
}
