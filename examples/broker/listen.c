/* listen.c - addresses, and sockets that listen at them. */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void address_text(char dst[ADDRESS_SIZE], const struct sockaddr *sa) {
  char ip[INET6_ADDRSTRLEN];
  dst[0] = '\0';
  if (sa->sa_family == AF_INET) {
    const struct sockaddr_in *in = (const void *)sa;
    if (inet_ntop(AF_INET, &in->sin_addr, ip, sizeof(ip)) != NULL)
      snprintf(dst, ADDRESS_SIZE, "%s:%u", ip, ntohs(in->sin_port));
  } else if (sa->sa_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = (const void *)sa;
    if (inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof(ip)) != NULL)
      snprintf(dst, ADDRESS_SIZE, "[%s]:%u", ip, ntohs(in6->sin6_port));
  }
}

/* Cuts "[ADDR]:PORT", len bytes, into its two parts. */
static bool split(char copy[ADDRESS_SIZE], const char *address, size_t len,
                  const char **host, const char **port) {
  char *colon;
  if (len >= ADDRESS_SIZE) return false;
  memcpy(copy, address, len);
  copy[len] = '\0';
  colon = strrchr(copy, ':');
  if (colon == NULL || colon == copy) return false;
  *colon = '\0';
  *port = colon + 1;
  *host = copy;
  if (copy[0] == '[' && colon[-1] == ']') {
    colon[-1] = '\0';
    *host = copy + 1;
  } else if (strchr(copy, ':') != NULL) {
    return false; /* IPv6 without brackets: where would the port begin? */
  }
  return **host != '\0' && strlen(*port) <= 5 &&
         strspn(*port, "0123456789") == strlen(*port) && **port != '\0' &&
         strtoul(*port, NULL, 10) <= 65535;
}

static struct addrinfo *resolve(const char *address, size_t len) {
  const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV |
                                             AI_PASSIVE,
                                 .ai_socktype = SOCK_STREAM};
  const char *host, *port;
  struct addrinfo *ai;
  char copy[ADDRESS_SIZE];
  if (!split(copy, address, len, &host, &port)) return NULL;
  return getaddrinfo(host, port, &hints, &ai) == 0 ? ai : NULL;
}

bool listen_valid(const char *address, size_t len) {
  struct addrinfo *ai = resolve(address, len);
  if (ai == NULL) return false;
  freeaddrinfo(ai);
  return true;
}

/* Linux hands TCP_NODELAY on to the sockets that are accepted. */
static bool prepare(int fd, const struct addrinfo *ai) {
  int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
    return false;
  if (ai->ai_family == AF_INET6 &&
      setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
    return false;
  return bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
         listen(fd, SOMAXCONN) == 0;
}

int listen_at(const char *address, size_t len, char at[ADDRESS_SIZE]) {
  struct addrinfo *ai = resolve(address, len);
  struct sockaddr_storage bound = {0};
  socklen_t size = sizeof(bound);
  int fd, rv = 0;
  if (ai == NULL) return -EINVAL;
  fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || !prepare(fd, ai) ||
      getsockname(fd, (struct sockaddr *)&bound, &size) != 0)
    rv = -errno;
  freeaddrinfo(ai);
  if (rv != 0) {
    if (fd >= 0) close(fd);
    return rv;
  }
  address_text(at, (const struct sockaddr *)&bound);
  return fd;
}
