#include <stompbroker/conn.h>

#include "digest.h"
#include "origin.h"

/* For hosts that speak HTTP themselves. */

int sbk_websocket_accept(char accept[29], const char *key, size_t key_len) {
  if (!sbk__websocket_key_valid(key, key_len)) {
    return SBK_ERR_INVAL;
  }
  sbk__websocket_accept_key(accept, key);

  return 0;
}

int sbk_origin_allowed(const char *origin, const char *scheme, const char *host,
                       const char *const *allowed) {
  return sbk__origin_allowed(origin, scheme, host, allowed);
}
