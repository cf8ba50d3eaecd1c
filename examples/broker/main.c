/* main.c - the reference broker: all that the library does, as a program. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "broker.h"
#include "figures.h"
#include "listen.h"
#include "login.h"
#include "loop.h"
#include "options.h"
#include "setup.h"

sbk_msec clock_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (sbk_msec)t.tv_sec * 1000 + (sbk_msec)t.tv_nsec / 1000000;
}

void complain(const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  fputs("broker: ", stderr);
  vfprintf(stderr, fmt, args);
  fputc('\n', stderr);
  va_end(args);
}

static void say_version(void) {
  unsigned v = sbk_version();
  printf("stompbroker %s, with libstompbroker %u.%u.%u\n", SBK_VERSION, v >> 16,
         v >> 8 & 0xff, v & 0xff);
}

/* As many connections as the system lets us have. */
static void raise_descriptors(void) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

/* The path of a --ws, "" of a --tcp. */
static const char *path_of(const char *kind, const char *value) {
  if (strcmp(kind, "ws") != 0) return "";
  value = strchr(value, '/');
  return value != NULL ? value : "/ws";
}

static bool open_one(struct loop *l, const char *kind, const char *value,
                     char at[ADDRESS_SIZE]) {
  enum sbk_transport transport = strcmp(kind, "ws") ? SBK_TCP : SBK_HTTP;
  int fd = listen_at(value, strcspn(value, "/"), at);
  if (fd >= 0) fd = loop_listen(l, fd, transport);
  if (fd < 0) complain("--%s %s: %s", kind, value, strerror(-fd));
  return fd >= 0;
}

/* Listens everywhere, then says where: nobody reads of a listener of a broker
 * that did not start. */
static bool open_listeners(struct loop *l, const struct options *o) {
  const char **items = o->listeners.items;
  size_t i, count = o->listeners.count / 2;
  char(*at)[ADDRESS_SIZE] = calloc(count, sizeof(*at));
  bool ok = at != NULL;
  for (i = 0; i < count && ok; i++)
    ok = open_one(l, items[2 * i], items[2 * i + 1], at[i]);
  for (i = 0; i < count && ok; i++)
    printf("%s %s%s\n", items[2 * i], at[i],
           path_of(items[2 * i], items[2 * i + 1]));
  free(at);
  if (ok) puts("ready");
  return ok && fflush(stdout) == 0;
}

static int run(const struct options *o, sbk_broker *broker) {
  const struct loop_plan plan = {o->drain_over, o->drain, o->stats * 1000,
                                 figures_print};
  struct loop *l = loop_new();
  bool ok = l != NULL && open_listeners(l, o);
  if (l == NULL) complain("no descriptors or no memory");
  if (ok) loop_run(l, broker, &plan);
  loop_free(l);
  return ok ? 0 : 1;
}

int main(int argc, char **argv) {
  struct options o;
  struct login *login = NULL;
  sbk_broker *broker = NULL;
  int status = 2;
  bool ok = options_read(&o, argc, argv);
  if (ok && (o.help || o.version)) {
    if (o.help) help_print(stdout);
    else say_version();
    status = 0;
  } else if (ok && setup_check(&o) && (login = login_new(&o.users)) != NULL &&
             setup_broker(&broker, &o, login)) {
    raise_descriptors();
    status = run(&o, broker);
  }
  sbk_broker_free(broker);
  login_free(login);
  options_free(&o);
  return status;
}
