/* chat.c - the small things that all parts share. */
#include "chat.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789-"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool name_valid(const char *name) {
  size_t len = strspn(name, LOWER UPPER "_");
  return len > 0 && len < NAME_SIZE && name[len] == '\0' && name[0] != '-' &&
         name[0] != '_';
}

bool room_valid(const char *name) {
  size_t len = strspn(name, LOWER);
  return len > 0 && len < ROOM_SIZE && name[len] == '\0' && name[0] != '-';
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
