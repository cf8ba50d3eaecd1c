#define _GNU_SOURCE
#include "broker.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "load.h"

#define OPTIONS 32

static _Noreturn void become(const char *program, const char *const *options,
                             int out) {
  const char *argv[OPTIONS] = {program, "--ws", "127.0.0.1:0/ws", "--log",
                               "error"};
  size_t n = 5;
  while (*options != NULL && n < OPTIONS - 1)
    argv[n++] = *options++;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(out, STDOUT_FILENO);
  execv(program, (char *const *)(uintptr_t)argv);
  _exit(127);
}

/* Reads `ws 127.0.0.1:PORT/ws` up to `ready`. */
static int read_port(int from) {
  FILE *file = fdopen(from, "r");
  char line[256];
  int port = 0;
  while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
    if (strncmp(line, "ws 127.0.0.1:", 13) == 0)
      port = (int)strtol(line + 13, NULL, 10);
    if (strcmp(line, "ready\n") == 0) break;
  }
  if (port == 0) give_up("the broker did not start");
  fclose(file);
  return port;
}

struct broker broker_start(const char *program, const char *const *options) {
  struct broker b = {0};
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) give_up("pipe2: %s", strerror(errno));
  b.pid = fork();
  if (b.pid < 0) give_up("fork: %s", strerror(errno));
  if (b.pid == 0) become(program, options, ends[1]);
  close(ends[1]);
  b.port = read_port(ends[0]);
  clients_init(b.port);
  return b;
}

void broker_tell(const struct broker *b) {
  kill(b->pid, SIGTERM);
}

struct ending {
  pid_t pid;
  int status;
};

static bool has_ended(void *arg) {
  struct ending *e = arg;
  return waitpid(e->pid, &e->status, WNOHANG) == e->pid;
}

int broker_end(struct broker *b, unsigned seconds) {
  struct ending e = {b->pid, 0};
  if (!wait_until(has_ended, &e, seconds)) {
    kill(b->pid, SIGKILL);
    waitpid(b->pid, &e.status, 0);
  }
  b->pid = 0;
  return WIFEXITED(e.status) ? WEXITSTATUS(e.status) : -1;
}

void broker_stop(struct broker *b) {
  int status;
  broker_tell(b);
  status = broker_end(b, 20);
  if (status != 0) point(false, "the broker exits with 0, not %d", status);
}

/* ---- /proc ---- */

static FILE *proc(const struct broker *b, const char *name, const char *mode) {
  char path[64];
  FILE *file;
  snprintf(path, sizeof(path), "/proc/%d/%s", (int)b->pid, name);
  file = fopen(path, mode);
  if (file == NULL) give_up("%s: the broker is gone", path);
  return file;
}

static uint64_t status_of(const struct broker *b, const char *key) {
  FILE *file = proc(b, "status", "r");
  char line[256];
  uint64_t kib = 0;
  while (fgets(line, sizeof(line), file) != NULL)
    if (strncmp(line, key, strlen(key)) == 0)
      kib = strtoull(line + strlen(key), NULL, 10);
  fclose(file);
  return kib * KIB;
}

uint64_t broker_rss(const struct broker *b) {
  return status_of(b, "VmRSS:");
}

uint64_t broker_peak(const struct broker *b) {
  return status_of(b, "VmHWM:");
}

void broker_mark(const struct broker *b) {
  FILE *file = proc(b, "clear_refs", "w");
  fputs("5", file); /* proc(5): the peak begins anew */
  fclose(file);
}

double broker_cpu(const struct broker *b) {
  FILE *file = proc(b, "stat", "r");
  unsigned long user = 0, sys = 0;
  char line[1024] = "", *end;
  if (fgets(line, sizeof(line), file) != NULL &&
      (end = strrchr(line, ')')) != NULL)
    sscanf(end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
           &user, &sys);
  fclose(file);
  return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

unsigned broker_descriptors(const struct broker *b) {
  char path[64];
  unsigned count = 0;
  DIR *dir;
  snprintf(path, sizeof(path), "/proc/%d/fd", (int)b->pid);
  dir = opendir(path);
  while (dir != NULL && readdir(dir) != NULL)
    count++;
  if (dir != NULL) closedir(dir);
  return count - 2; /* . and .. */
}

/* ---- the page of metrics ---- */

static int ask(const struct broker *b) {
  static const char request[] = "GET /metrics HTTP/1.1\r\nHost: load\r\n"
                                "Connection: close\r\n\r\n";
  struct sockaddr_in to = {.sin_family = AF_INET};
  struct timeval most = {.tv_sec = 20};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  to.sin_port = htons((uint16_t)b->port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
  if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
      send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
    give_up("metrics: %s", strerror(errno));
  return fd;
}

void figures_get(struct figures *f, const struct broker *b) {
  static uint64_t asked;
  int fd = ask(b);
  size_t len = 0;
  ssize_t n;
  while ((n = read(fd, f->text + len, sizeof(f->text) - 1 - len)) > 0)
    len += (size_t)n;
  f->text[len] = '\0';
  f->asked = ++asked;
  close(fd);
  if (n < 0 || strncmp(f->text, "HTTP/1.1 200 ", 13) != 0)
    give_up("metrics: no answer");
}

uint64_t figure(const struct figures *f, const char *name) {
  char key[128];
  const char *at;
  int len = snprintf(key, sizeof(key), "\nstompbroker_%s ", name);
  at = strstr(f->text, key);
  if (at == NULL) give_up("metrics: no %s", name);
  return strtoull(at + len, NULL, 10);
}
