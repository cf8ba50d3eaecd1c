/* values.c - what stands behind the name of an option. */
#include "values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool number_read(uint64_t *n, enum kind kind, const char *text) {
  static const char units[] = "kKmMgG";
  const char *unit;
  uint64_t value = 0, scale = 1;
  if (kind == NEVER && strcmp(text, "never") == 0) text = "0";
  if (*text < '0' || *text > '9') return false;
  for (; *text >= '0' && *text <= '9'; text++) {
    if (value > (UINT64_MAX - 9) / 10) return false;
    value = value * 10 + (uint64_t)(*text - '0');
  }
  if (kind == BYTES && *text != '\0' && (unit = strchr(units, *text)) != NULL) {
    scale = (uint64_t)1 << 10 * ((unit - units) / 2 + 1);
    text++;
  }
  if (*text != '\0' || value > UINT64_MAX / scale) return false;
  *n = value * scale;
  return true;
}

const char *number_text(char dst[24], enum kind kind, uint64_t n) {
  static const char *const units[] = {"", "K", "M", "G"};
  size_t unit = 0;
  if (kind == NEVER && n == SBK_NEVER) return "never";
  for (; kind == BYTES && unit < 3 && n >= 2048 && n % 1024 == 0; unit++)
    n /= 1024;
  if (kind == BYTES && unit > 0 && unit < 3 && n == 1024) n = 1, unit++;
  snprintf(dst, 24, "%" PRIu64 "%s", n, units[unit]);
  return dst;
}

bool take_ws(struct options *o, const char *value) {
  list_add(&o->listeners, "ws");
  list_add(&o->listeners, value);
  return true;
}

bool take_tcp(struct options *o, const char *value) {
  list_add(&o->listeners, "tcp");
  list_add(&o->listeners, value);
  return true;
}

bool take_separator(struct options *o, const char *value) {
  o->config.separator = value[0];
  return strcmp(value, "/") == 0 || strcmp(value, ".") == 0;
}

static bool beat(sbk_msec *member, const char *text) {
  uint64_t n;
  if (!number_read(&n, NEVER, text) || n > 24 * 3600000) return false;
  *member = n == 0 ? SBK_NEVER : n;
  return true;
}

bool take_heartbeat(struct options *o, const char *value) {
  const char *comma = strchr(value, ',');
  char send[24];
  if (comma == NULL || comma - value >= (ptrdiff_t)sizeof(send)) return false;
  memcpy(send, value, (size_t)(comma - value));
  send[comma - value] = '\0';
  return beat(&o->config.heartbeat_out, send) &&
         beat(&o->config.heartbeat_in, comma + 1);
}

bool take_log(struct options *o, const char *value) {
  static const char *const names[] = {"error", "warn", "info", "debug"};
  int i;
  for (i = 0; i < 4; i++) {
    if (strcmp(value, names[i]) == 0) {
      o->log = (enum sbk_log_level)(SBK_LOG_ERROR + i);
      return true;
    }
  }
  return false;
}
