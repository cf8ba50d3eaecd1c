#include "log.h"

#include <string.h>

#include "str.h"

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

static void write_line(const sbk__core *core, enum sbk_log_level level,
                       const char *who, const char *what, const char *detail) {
  char line[2 * (4 * LOG_TEXT + 8) + 256];
  size_t len = 0;

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

/* FNV-1a, seeded: nobody can choose whose lines to use up. */
static size_t place_of(const sbk__core *core, const char *who) {
  uint32_t hash = 2166136261u;
  size_t i;

  for (i = 0; i < sizeof(core->seed); i++) {
    hash = (hash ^ core->seed[i]) * 16777619u;
  }
  for (; who != NULL && *who != '\0'; who++) {
    hash = (hash ^ (uint8_t)*who) * 16777619u;
  }

  return (hash ^ hash >> 16) % SBK__LOG_PEERS;
}

static void tell_left_out(const sbk__core *core, size_t place) {
  char count[24];
  size_t len = sbk__format_u64(count, core->quota->peers[place].left_out);

  count[len] = '\0';
  core->quota->peers[place].left_out = 0;
  core->quota->untold--;
  write_line(core, SBK_LOG_WARN, NULL, "lines of a peer left out", count);
}

/* A new second begins; what the last one has left out is told. */
static void count_anew(const sbk__core *core, size_t place) {
  core->quota->peers[place].since = core->now;
  core->quota->peers[place].lines = 0;
  if (core->quota->peers[place].left_out > 0) {
    tell_left_out(core, place);
  }
}

static bool is_over(const sbk__core *core, size_t place) {
  return core->now - core->quota->peers[place].since >= 1000;
}

static bool within_quota(const sbk__core *core, const char *who) {
  const size_t place = place_of(core, who);
  sbk__log_quota *quota = core->quota;

  if (is_over(core, place)) {
    count_anew(core, place);
  }
  if (quota->peers[place].lines < SBK__LOG_LINES) {
    quota->peers[place].lines++;
    return true;
  }
  quota->untold += quota->peers[place].left_out++ == 0;

  return false;
}

void sbk__log(const sbk__core *core, enum sbk_log_level level, const char *who,
              const char *what, const char *detail) {
  if (core->callbacks.log == NULL) {
    return;
  }
  if (core->quota == NULL || (who == NULL && level == SBK_LOG_ERROR) ||
      within_quota(core, who)) {
    write_line(core, level, who, what, detail);
  }
}

void sbk__log_left_out(const sbk__core *core, bool all) {
  size_t i;

  for (i = 0; core->quota->untold > 0 && i < SBK__LOG_PEERS; i++) {
    if (core->quota->peers[i].left_out > 0 && (all || is_over(core, i))) {
      tell_left_out(core, i);
    }
  }
}
