#include "digest.h"

#include <stdint.h>

#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <nettle/version.h>

#define KEY_LEN 24

/* nettle's decoder skips blanks, but 24 characters with a blank among them
 * cannot give 16 bytes. It refuses bits set behind the last byte (RFC 4648,
 * 3.5): each key has one spelling. */
bool sbk__websocket_key_valid(const char *key, size_t len) {
  uint8_t bytes[BASE64_DECODE_LENGTH(KEY_LEN)];
  size_t count = sizeof(bytes);
  struct base64_decode_ctx ctx;

  if (len != KEY_LEN) {
    return false;
  }

  base64_decode_init(&ctx);

  return base64_decode_update(&ctx, &count, bytes, len, key) == 1 &&
         base64_decode_final(&ctx) == 1 && count == 16;
}

void sbk__websocket_accept_key(char accept[29], const char *key) {
  /* RFC 6455, 1.3 */
  static const uint8_t guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  uint8_t digest[SHA1_DIGEST_SIZE];
  struct sha1_ctx ctx;

  sha1_init(&ctx);
  sha1_update(&ctx, KEY_LEN, (const uint8_t *)key);
  sha1_update(&ctx, sizeof(guid) - 1, guid);
#if NETTLE_VERSION_MAJOR >= 4
  sha1_digest(&ctx, digest);
#else
  sha1_digest(&ctx, sizeof(digest), digest);
#endif
  base64_encode_raw(accept, sizeof(digest), digest);
  accept[28] = '\0';
}
