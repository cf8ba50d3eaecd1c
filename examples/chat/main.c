/* main.c - a chat: libstompbroker's example for visitors. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chat.h"
#include "file.h"
#include "http.h"
#include "login.h"
#include "loop.h"
#include "once.h"
#include "presence.h"
#include "rooms.h"
#include "talk.h"
#include "text.h"
#include "tls.h"
#include "token.h"
#include "users.h"

static const char usage[] =
    "usage: chat [--listen ADDR:PORT] [--tcp ADDR:PORT] [--data DIR]\n"
    "            [--page DIR] [--modules DIR] [--origin ORIGIN]...\n"
    "            [--tls-cert FILE --tls-key FILE] [--token-life SECONDS]\n"
    "            [--login-life SECONDS] [--verbose]\n"
    "\n"
    "  --listen   page, WebSocket and SockJS (127.0.0.1:8080; port 0: any free "
    "one)\n"
    "  --tcp      STOMP without WebSocket, for programs (none)\n"
    "  --data     where accounts, rooms and the key are kept (chat-data)\n"
    "  --page     the page's files (examples/chat/page)\n"
    "  --modules  npm's packages for it (node_modules beside the page)\n"
    "  --origin   pages that may come in, besides the chat's own; repeatable\n"
    "  --tls-cert, --tls-key  speak TLS, with this certificate (and its "
    "chain)\n"
    "             and its key, in PEM; SIGHUP reads them again\n"
    "  --token-life  how long a token lasts, which a page renews (900)\n"
    "  --login-life  after which time a password is asked for again (43200)\n";

#define ORIGINS_MOST 16

struct options {
  const char *listen, *tcp, *data, *page, *modules, *tls_cert, *tls_key;
  const char *origins[ORIGINS_MOST + 1];
  uint64_t token_life, login_life;
  bool verbose;
};

static struct chat chat; /* large: it has the tables of the limits in it */
static struct loop *loop;

static volatile sig_atomic_t reload; /* the certificate */

static void on_signal(int sig) {
  if (sig == SIGHUP) reload = 1;
  else loop_end(loop);
}
static void on_wakeup(void *arg) {
  loop_wake(loop);
}

static void on_log(enum sbk_log_level level, const char *line, void *arg) {
  if (level <= SBK_LOG_WARN || chat.verbose) complain("%s", line);
}

static void on_request(sbk_request *request, void *arg) {
  static const struct {
    const char *path;
    void (*answer)(struct chat *chat, sbk_request *request);
  } posts[] = {{"/login", login_request},
               {"/token", login_renew},
               {"/logout", login_end}};
  const char *path = sbk_request_path(request);
  size_t i;
  if (strcmp(sbk_request_method(request), "POST") == 0) {
    for (i = 0; i < sizeof(posts) / sizeof(posts[0]); i++) {
      if (strcmp(path, posts[i].path) == 0) {
        posts[i].answer(&chat, request);
        return;
      }
    }
  }
  pages_request(&chat, request);
}

static void on_request_gone(sbk_request *request, void *arg) {
  login_gone(request);
}

static void on_every(void *arg) {
  if (reload) {
    reload = 0;
    tls_server_reload(chat.tls);
  }
  presence_every(chat.presence);
}

static bool read_life(uint64_t *seconds, const char *arg) {
  return num_read(seconds, arg, strlen(arg)) && *seconds > 0 &&
         *seconds <= 366 * 86400;
}

static bool read_options(int argc, char **argv, struct options *o) {
  static const struct option names[] = {
      {"listen", required_argument, NULL, 'l'},
      {"tcp", required_argument, NULL, 't'},
      {"data", required_argument, NULL, 'd'},
      {"page", required_argument, NULL, 'p'},
      {"modules", required_argument, NULL, 'm'},
      {"origin", required_argument, NULL, 'o'},
      {"tls-cert", required_argument, NULL, 'c'},
      {"tls-key", required_argument, NULL, 'k'},
      {"token-life", required_argument, NULL, 'e'},
      {"login-life", required_argument, NULL, 'i'},
      {"verbose", no_argument, NULL, 'v'},
      {"help", no_argument, NULL, 'h'},
      {NULL, 0, NULL, 0}};
  size_t origins = 0;
  int c;
  while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
    switch (c) {
    case 'l':
      o->listen = optarg;
      break;
    case 't':
      o->tcp = optarg;
      break;
    case 'd':
      o->data = optarg;
      break;
    case 'p':
      o->page = optarg;
      break;
    case 'm':
      o->modules = optarg;
      break;
    case 'c':
      o->tls_cert = optarg;
      break;
    case 'k':
      o->tls_key = optarg;
      break;
    case 'v':
      o->verbose = true;
      break;
    case 'o':
      if (origins == ORIGINS_MOST) return false;
      o->origins[origins++] = optarg;
      break;
    case 'e':
      if (!read_life(&o->token_life, optarg)) return false;
      break;
    case 'i':
      if (!read_life(&o->login_life, optarg)) return false;
      break;
    case 'h':
      fputs(usage, stdout);
      exit(0);
    default:
      return false;
    }
  }
  return optind == argc && !o->tls_cert == !o->tls_key;
}

/* What is on the disk. */
static bool load(const struct options *o) {
  char *beside = NULL;
  int rv;
  chat.folder = folder_open(o->data);
  rv = chat.folder < 0 ? chat.folder : token_key(chat.folder, chat.key);
  if (rv != 0) {
    complain("%s: %s", o->data,
             rv == -EWOULDBLOCK ? "another chat has it" : strerror(-rv));
    return false;
  }
  if (o->modules == NULL &&
      asprintf(&beside, "%s/../node_modules", o->page) < 0)
    return false;
  chat.pages = pages_load(o->page, beside ? beside : o->modules);
  free(beside);
  if (chat.pages == NULL) return false;
  chat.users = users_load(chat.folder);
  return chat.users != NULL;
}

static int make_broker(const struct options *o) {
  struct sbk_callbacks cb = SBK_CALLBACKS_INIT;
  struct sbk_endpoint ws = SBK_ENDPOINT_INIT;
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT; /* where WebSocket is blocked */
  struct sbk_config config = SBK_CONFIG_INIT;
  int rv;
  cb.request = on_request;
  cb.request_gone = on_request_gone;
  cb.wakeup = on_wakeup;
  cb.log = on_log;
  talk_callbacks(&cb);
  config.server_name = "stompbroker-chat/" SBK_VERSION;
  config.max_message = 32 << 10; /* 4 KiB of text, if all of it is escaped */
  config.max_request_body = 8 << 10;
  config.max_subscriptions = 256;
  config.error_destination = "/queue/errors";
  ws.path = "/ws";
  ws.allowed_origins = chat.origins;
  ws.sockjs = &sockjs;
  ws.secure = chat.tls != NULL; /* its own pages are https:// then */
  rv = sbk_broker_new(&chat.broker, &cb, &config, &chat);
  if (rv == 0) rv = sbk_broker_add_endpoint(chat.broker, &ws);
  if (rv == 0) rv = talk_setup(&chat);
  if (rv != 0) complain("%s", sbk_strerror(rv));
  return rv;
}

static bool start(const struct options *o) {
  chat.verbose = o->verbose;
  chat.origins = o->origins[0] ? o->origins : NULL;
  chat.token_life = o->token_life;
  chat.login_life = o->login_life;
  chat.login_names = (struct limit){.burst = 5, .per_second = 0.1};
  chat.login_peers = (struct limit){.burst = 20, .per_second = 0.5};
  chat.messages = (struct limit){.burst = 20, .per_second = 5};
  chat.typing = (struct limit){.burst = 10, .per_second = 2};
  if (o->tls_cert != NULL) {
    chat.tls = tls_server_new(o->tls_cert, o->tls_key);
    if (chat.tls == NULL) return false;
  }
  if (!load(o)) return false;
  loop = loop_new();
  chat.presence = presence_new(&chat);
  chat.once = once_new();
  if (loop == NULL || chat.presence == NULL || chat.once == NULL) {
    complain("no memory, or no descriptors");
    return false;
  }
  if (make_broker(o) != 0) return false;
  chat.rooms = rooms_load(chat.folder, chat.broker);
  if (chat.rooms == NULL) return false;
  chat.worker = worker_start(chat.broker);
  return chat.worker != NULL;
}

/* Says where, as a user would type it. */
static bool listen_at(const char *address, enum sbk_transport transport) {
  int port = loop_listen(loop, address, transport, chat.tls);
  int host = (int)(strrchr(address, ':') ? strrchr(address, ':') - address : 0);
  if (port < 0) {
    complain("%s: %s", address,
             port == -EINVAL ? "not an ADDR:PORT" : strerror(-port));
    return false;
  }
  if (transport == SBK_TCP) printf("tcp %.*s:%d\n", host, address, port);
  else
    printf("chat %s://%.*s:%d/\n", chat.tls ? "https" : "http", host, address,
           port);
  return true;
}

static void stop(void) {
  worker_stop(chat.worker);
  if (chat.broker != NULL) sbk_broker_tick(chat.broker, clock_now());
  sbk_broker_free(chat.broker);
  worker_free(chat.worker);
  presence_free(chat.presence);
  once_free(chat.once);
  rooms_free(chat.rooms);
  users_free(chat.users);
  pages_free(chat.pages);
  loop_free(loop);
  tls_server_free(chat.tls);
}

int main(int argc, char **argv) {
  struct options o = {.listen = "127.0.0.1:8080",
                      .data = "chat-data",
                      .page = "examples/chat/page",
                      .token_life = 15 * 60,
                      .login_life = 12 * 3600};
  struct sigaction sa = {.sa_handler = on_signal};
  if (!read_options(argc, argv, &o)) {
    fputs(usage, stderr);
    return 2;
  }
  if (!start(&o) || !listen_at(o.listen, SBK_HTTP) ||
      (o.tcp != NULL && !listen_at(o.tcp, SBK_TCP))) {
    stop();
    return 1;
  }
  sigaction(SIGTERM, &sa, NULL);
  sigaction(SIGINT, &sa, NULL);
  if (chat.tls != NULL) sigaction(SIGHUP, &sa, NULL);
  puts("ready");
  fflush(stdout);
  loop_run(loop, chat.broker, on_every, NULL);
  stop();
  return 0;
}
