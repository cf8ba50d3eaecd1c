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

#define LOG_TEXT 128 /* LIMITS: bytes of a peer's text in a line */

static size_t log_add(char *line, size_t len, const char *text) {
  size_t size = strlen(text);

  memcpy(line + len, text, size);
  return len + size;
}

static size_t log_escape(char *line, size_t len, const char *text) {
  static const char digits[] = "0123456789abcdef";
  size_t i;

  for (i = 0; i < LOG_TEXT && text[i] != '\0'; i++) {
    unsigned char c = (unsigned char)text[i];

    if (c >= 0x20 && c < 0x7f && c != '\\') {
      line[len++] = (char)c;
    } else {
      line[len++] = '\\';
      line[len++] = 'x';
      line[len++] = digits[c >> 4];
      line[len++] = digits[c & 15];
    }
  }

  return text[i] == '\0' ? len : log_add(line, len, "...");
}

void sbk__log(const sbk__core *core, enum sbk_log_level level, const char *who,
              const char *what, const char *detail) {
  char line[2 * (4 * LOG_TEXT + 8) + 256];
  size_t len = 0;

  if (core->callbacks.log == NULL) {
    return;
  }

  if (who != NULL && who[0] != '\0') {
    len = log_escape(line, len, who);
    len = log_add(line, len, ": ");
  }
  len = log_add(line, len, what);
  if (detail != NULL) {
    len = log_add(line, len, ": ");
    len = log_escape(line, len, detail);
  }
  line[len] = '\0';
  core->callbacks.log(level, line, core->arg);
}
