/* chat.c - the small things that all parts share. */
#include "chat.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789-"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Does a name stand at the start, and this character behind it? */
static bool name_ends(const char *s, char end) {
  size_t len = strspn(s, LOWER UPPER "_");
  return len > 0 && len < NAME_SIZE && s[len] == end && s[0] != '-' &&
         s[0] != '_';
}

bool name_valid(const char *name) {
  return name_ends(name, '\0');
}

bool room_valid(const char *name) {
  size_t len;
  if (name_ends(name, '.')) name = strchr(name, '.') + 1;
  len = strspn(name, LOWER);
  return len > 0 && len <= 32 && name[len] == '\0' && name[0] != '-';
}

static uint64_t clock_read(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

sbk_msec clock_now(void) {
  return clock_read(CLOCK_MONOTONIC);
}
uint64_t clock_wall(void) {
  return clock_read(CLOCK_REALTIME);
}

void complain(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  fputs("chat: ", stderr);
  vfprintf(stderr, fmt, ap);
  fputc('\n', stderr);
  va_end(ap);
}
