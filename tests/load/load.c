/* load.c - load on real sockets against examples/broker, scenario by scenario.
 *
 *   load BROKER [--long] [NAME...]
 *
 * One thread, one epoll; WebSocket and STOMP are spoken here once more, without
 * the library: what both sides of a mistake share would not be seen. */
#define _GNU_SOURCE
#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "client.h"

static const struct {
  const char *name;
  int (*run)(const struct load *l);
} scenarios[] = {{"slow", run_slow},
                 {"churn", run_churn},
                 {"held", run_held},
                 {"hostile", run_hostile},
                 {"shutdown", run_shutdown}};
#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

static bool failed;

uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

bool point(bool ok, const char *sentence, ...) {
  va_list args;
  printf("%sok - ", ok ? "" : "not ");
  va_start(args, sentence);
  vprintf(sentence, args);
  va_end(args);
  putchar('\n');
  fflush(stdout);
  failed = failed || !ok;
  return ok;
}

void note(const char *fmt, ...) {
  va_list args;
  fputs("# ", stdout);
  va_start(args, fmt);
  vprintf(fmt, args);
  va_end(args);
  putchar('\n');
  fflush(stdout);
}

void give_up(const char *fmt, ...) {
  va_list args;
  fputs("Bail out! ", stdout);
  va_start(args, fmt);
  vprintf(fmt, args);
  va_end(args);
  putchar('\n');
  exit(1);
}

void *get_zeroed(size_t count, size_t size) {
  void *ptr = calloc(count, size);
  if (ptr == NULL) give_up("no memory");
  return ptr;
}

bool wait_until(bool (*done)(void *arg), void *arg, unsigned seconds) {
  uint64_t end = now_ns() + (uint64_t)seconds * 1000000000;
  while (!done(arg)) {
    if (now_ns() > end) return false;
    clients_turn(1);
  }
  return true;
}

void wait_ms(unsigned ms) {
  uint64_t end = now_ns() + (uint64_t)ms * 1000000;
  while (now_ns() < end)
    clients_turn(5);
}

static void raise_descriptors(void) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

static bool named(int argc, char **argv, const char *name) {
  bool any = false;
  int i;
  for (i = 2; i < argc; i++) {
    if (strncmp(argv[i], "--", 2) == 0) continue;
    any = true;
    if (strcmp(argv[i], name) == 0) return true;
  }
  return !any;
}

int main(int argc, char **argv) {
  struct load l = {0};
  size_t i;
  int k;
  if (argc < 2) give_up("usage: load BROKER [--long] [NAME...]");
  l.broker = argv[1];
  for (k = 2; k < argc; k++)
    l.longer = l.longer || strcmp(argv[k], "--long") == 0;
  raise_descriptors();
  for (i = 0; i < SCENARIOS; i++) {
    uint64_t begin = now_ns();
    if (!named(argc, argv, scenarios[i].name)) continue;
    scenarios[i].run(&l);
    note("%s: took %.1f s", scenarios[i].name,
         (double)(now_ns() - begin) / 1e9);
  }
  return failed ? 1 : 0;
}
