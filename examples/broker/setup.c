/* setup.c - from options to a broker, with a word on each that is wrong. */
#include "setup.h"

#include <string.h>

#include "broker.h"
#include "grants.h"
#include "handlers.h"
#include "listen.h"
#include "metrics.h"

static void on_log(enum sbk_log_level level, const char *line, void *arg) {
  const struct options *o = arg;
  if (level <= o->log) complain("%s", line);
}

/* Does the library take these names? Asked one by one, with the numbers. */
static bool good(const struct sbk_config *one, const char *option,
                 const char *value) {
  sbk_broker *broker;
  int rv = sbk_broker_new(&broker, NULL, one, NULL);
  sbk_broker_free(broker);
  if (rv != 0) complain("%s %s: malformed", option, value);
  return rv == 0;
}

static struct sbk_config bare(const struct options *o) {
  struct sbk_config c = o->config;
  c.app_prefixes = c.broker_prefixes = c.queue_prefixes = NULL;
  c.user_prefix = c.error_destination = c.server_name = NULL;
  return c;
}

static bool check_names(const struct options *o) {
  const struct {
    const char *option;
    const struct list *list;
  } lists[] = {{"--app-prefix", &o->app_prefixes},
               {"--broker-prefix", &o->broker_prefixes},
               {"--queue-prefix", &o->queue_prefixes}};
  const struct {
    const char *option, *value;
    size_t at;
  } names[] = {{"--user-prefix", o->config.user_prefix,
                offsetof(struct sbk_config, user_prefix)},
               {"--error-destination", o->config.error_destination,
                offsetof(struct sbk_config, error_destination)},
               {"--server-name", o->config.server_name,
                offsetof(struct sbk_config, server_name)}};
  struct sbk_config one;
  size_t i, k;
  for (i = 0; i < 3; i++) {
    for (k = 0; k < lists[i].list->count; k++) {
      const char *item[2] = {lists[i].list->items[k], NULL};
      one = bare(o);
      one.app_prefixes = item;
      if (!good(&one, lists[i].option, item[0])) return false;
    }
    if (names[i].value == NULL) continue;
    one = bare(o);
    *(const char **)(void *)((char *)&one + names[i].at) = names[i].value;
    if (!good(&one, names[i].option, names[i].value)) return false;
  }
  return true;
}

static bool check_origins(const struct options *o) {
  struct sbk_endpoint e = SBK_ENDPOINT_INIT;
  sbk_broker *broker;
  size_t i;
  int rv = sbk_broker_new(&broker, NULL, NULL, NULL);
  for (i = 0; rv == 0 && i < o->origins.count; i++) {
    const char *item[2] = {o->origins.items[i], NULL};
    e.path = "/";
    e.allowed_origins = item;
    rv = sbk_broker_add_endpoint(broker, &e);
    if (rv == SBK_ERR_EXISTS) rv = 0;
    if (rv != 0) complain("--origin %s: malformed", item[0]);
  }
  sbk_broker_free(broker);
  return rv == 0;
}

static bool check_sockjs(const struct options *o) {
  struct sbk_endpoint e = SBK_ENDPOINT_INIT;
  sbk_broker *broker;
  int rv = sbk_broker_new(&broker, NULL, NULL, NULL);
  e.path = "/";
  e.sockjs = &o->sockjs;
  if (rv == 0) rv = sbk_broker_add_endpoint(broker, &e);
  sbk_broker_free(broker);
  if (rv != 0)
    complain("--sockjs-client-url %s: malformed",
             o->sockjs.client_url ? o->sockjs.client_url : "");
  return rv == 0;
}

/* A name that the library takes for a user's. */
static bool check_users(const struct options *o) {
  size_t i, most = o->config.max_user ? o->config.max_user : 256;
  for (i = 0; i < o->users.count; i++) {
    const char *user = o->users.items[i], *c;
    size_t len = strcspn(user, ":");
    bool ok = login_valid(user) && len <= most;
    for (c = user; c < user + len; c++)
      if ((unsigned char)*c < 0x20 || *c == 0x7f ||
          strncasecmp(c, "%2f", 3) == 0)
        ok = false;
    if (ok) continue;
    complain("--user %.*s: should be NAME:PASSCODE", (int)len, user);
    return false;
  }
  return true;
}

static bool add_endpoints(sbk_broker *broker, const struct options *o) {
  struct sbk_endpoint e = SBK_ENDPOINT_INIT;
  size_t i;
  int rv;
  e.allowed_origins = o->origins.items;
  e.require_origin = o->require_origin;
  e.secure = o->secure;
  e.sockjs = o->with_sockjs ? &o->sockjs : NULL;
  for (i = 0; i < o->listeners.count; i += 2) {
    const char *address = o->listeners.items[i + 1];
    size_t len = strcspn(address, "/");
    bool tcp = strcmp(o->listeners.items[i], "tcp") == 0;
    e.path = address[len] != '\0' ? address + len : "/ws";
    rv = tcp ? 0 : sbk_broker_add_endpoint(broker, &e);
    if ((rv == 0 || rv == SBK_ERR_EXISTS) && listen_valid(address, len) &&
        !(tcp && address[len] != '\0'))
      continue;
    complain("--%s %s: should be %s", o->listeners.items[i], address,
             tcp ? "ADDR:PORT" : "ADDR:PORT[/PATH]");
    return false;
  }
  return true;
}

bool setup_check(const struct options *o) {
  return check_names(o) && check_origins(o) && check_sockjs(o) &&
         check_users(o);
}

bool setup_broker(sbk_broker **broker, const struct options *o,
                  struct login *login) {
  struct sbk_callbacks cb = SBK_CALLBACKS_INIT;
  int rv;
  *broker = NULL;
  cb.request = metrics_request;
  cb.log = on_log;
  rv = sbk_broker_new(broker, &cb, &o->config, (void *)o);
  if (rv == 0 && !(add_endpoints(*broker, o) && grants_setup(o, *broker) &&
                   topics_setup(&o->topics, *broker)))
    return false;
  if (rv == 0) rv = login_setup(login, *broker);
  if (rv == 0) rv = handlers_setup(*broker, o->config.separator);
  if (rv != 0)
    complain("these options do not go together: %s", sbk_strerror(rv));
  return rv == 0;
}
