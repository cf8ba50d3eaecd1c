/* For getrandom(2). */
#define _DEFAULT_SOURCE

#include "core.h"

#include <string.h>
#include <sys/random.h>

int sbk__random(const sbk__core *core, void *dst, size_t len) {
  uint8_t *bytes = dst;
  size_t done = 0;

  if (core->callbacks.random != NULL) {
    return core->callbacks.random(dst, len, core->arg) == 0 ? 0
                                                            : SBK_ERR_CALLBACK;
  }

  /* getrandom(2): up to 256 bytes come whole and uninterrupted. */
  while (done < len) {
    size_t step = len - done < 256 ? len - done : 256;

    if (getrandom(bytes + done, step, 0) != (ssize_t)step) {
      return SBK_ERR_CALLBACK;
    }
    done += step;
  }

  return 0;
}
