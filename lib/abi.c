#include "abi.h"

#include <stdint.h>
#include <string.h>

#include <stompbroker/base.h>

int sbk__abi_copy(void *dst, size_t dst_size, size_t min_size,
                  const void *src) {
  const uint8_t *bytes = src;
  size_t i, size;

  memcpy(&size, src, sizeof(size));
  if (size < min_size) {
    return SBK_ERR_ABI;
  }
  for (i = dst_size; i < size; i++) {
    if (bytes[i] != 0) {
      return SBK_ERR_ABI;
    }
  }

  memset(dst, 0, dst_size);
  memcpy(dst, src, size < dst_size ? size : dst_size);
  memcpy(dst, &dst_size, sizeof(dst_size));

  return 0;
}
