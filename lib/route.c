#include "route.h"

#include <string.h>

#include "pattern.h"

static const char *const hidden_always[] = {
    "receipt",     "transaction",    "message-id", "subscription",  "ack",
    "redelivered", "login",          "passcode",   "authorization", "user-name",
    "session",     "content-length", "history"};

#define HIDDEN_ALWAYS (sizeof(hidden_always) / sizeof(hidden_always[0]))

static int copy_name(const struct sbk_mem *mem, sbk__name *name,
                     const char *text) {
  name->text = sbk__strndup(mem, text, strlen(text));
  name->len = strlen(text);

  return name->text != NULL ? 0 : SBK_ERR_NOMEM;
}

/* A prefix without the separator at its end: "/topic/" is "/topic". */
static int copy_prefix(sbk__route *route, const struct sbk_config *limits,
                       sbk__name *name, const char *text) {
  int rv = sbk__destination_check(text, strlen(text), limits);

  if (rv != 0 || sbk__pattern_is(text, strlen(text))) {
    return SBK_ERR_INVAL;
  }
  rv = copy_name(route->mem, name, text);
  if (rv != 0) {
    return rv;
  }
  while (name->len > 1 && (name->text[name->len - 1] == '/' ||
                           name->text[name->len - 1] == route->separator)) {
    name->text[--name->len] = '\0';
  }

  return 0;
}

static size_t list_len(const char *const *list) {
  size_t len = 0;

  while (list != NULL && list[len] != NULL) {
    len++;
  }

  return len;
}

static int copy_prefixes(sbk__route *route, const struct sbk_config *limits,
                         sbk__name **names, const char *const *list) {
  size_t i, len = list_len(list);
  int rv = 0;

  *names = sbk__calloc(route->mem, len + 1, sizeof(**names));
  if (*names == NULL) {
    return SBK_ERR_NOMEM;
  }
  for (i = 0; i < len && rv == 0; i++) {
    rv = copy_prefix(route, limits, &(*names)[i], list[i]);
  }

  return rv;
}

static int copy_hidden(sbk__route *route, const char *const *list) {
  size_t i, len = list_len(list);

  route->hidden =
      sbk__calloc(route->mem, HIDDEN_ALWAYS + len + 1, sizeof(char *));
  if (route->hidden == NULL) {
    return SBK_ERR_NOMEM;
  }
  for (i = 0; i < HIDDEN_ALWAYS + len; i++) {
    const char *name =
        i < HIDDEN_ALWAYS ? hidden_always[i] : list[i - HIDDEN_ALWAYS];

    route->hidden[i] = sbk__strndup(route->mem, name, strlen(name));
    if (route->hidden[i] == NULL) {
      return SBK_ERR_NOMEM;
    }
  }

  return 0;
}

int sbk__route_init(sbk__route *route, const struct sbk_mem *mem,
                    const struct sbk_config *config) {
  static const char *const app[] = {"/app", NULL};
  static const char *const broker[] = {"/topic", "/queue", NULL};
  const char *server = config->server_name;
  int rv;

  memset(route, 0, sizeof(*route));
  route->mem = mem;
  route->separator = config->separator;

  rv = copy_prefixes(route, config, &route->app,
                     config->app_prefixes ? config->app_prefixes : app);
  if (rv == 0) {
    rv = copy_prefixes(route, config, &route->broker,
                       config->broker_prefixes ? config->broker_prefixes
                                               : broker);
  }
  if (rv == 0) {
    rv = copy_prefixes(route, config, &route->queues, config->queue_prefixes);
  }
  if (rv == 0) {
    rv = copy_prefix(route, config, &route->user,
                     config->user_prefix ? config->user_prefix : "/user");
  }
  if (rv == 0 && config->error_destination != NULL) {
    rv = config->error_destination[0] == '/' ||
                 config->error_destination[0] == route->separator
             ? copy_prefix(route, config, &route->errors,
                           config->error_destination)
             : SBK_ERR_INVAL;
  }
  if (rv == 0) {
    /* STOMP 1.2, Value Encoding: CONNECTED knows no escapes. */
    rv = server != NULL && strpbrk(server, "\r\n") != NULL
             ? SBK_ERR_INVAL
             : copy_name(mem, &route->server,
                         server ? server : "stompbroker/" SBK_VERSION);
  }
  if (rv == 0) {
    rv = copy_hidden(route, config->private_headers);
  }

  return rv;
}

static void free_names(const struct sbk_mem *mem, sbk__name *names) {
  size_t i;

  for (i = 0; names != NULL && names[i].text != NULL; i++) {
    sbk__free(mem, names[i].text);
  }
  sbk__free(mem, names);
}

void sbk__route_free(sbk__route *route) {
  size_t i;

  free_names(route->mem, route->app);
  free_names(route->mem, route->broker);
  free_names(route->mem, route->queues);
  sbk__free(route->mem, route->user.text);
  sbk__free(route->mem, route->errors.text);
  sbk__free(route->mem, route->server.text);
  for (i = 0; route->hidden != NULL && route->hidden[i] != NULL; i++) {
    sbk__free(route->mem, route->hidden[i]);
  }
  sbk__free(route->mem, route->hidden);
}

static const sbk__name *covering(const sbk__route *route,
                                 const sbk__name *names, const char *text,
                                 size_t len) {
  for (; names->text != NULL; names++) {
    if (sbk__prefix_covers(names->text, names->len, text, len,
                           route->separator)) {
      return names;
    }
  }

  return NULL;
}

enum sbk__where sbk__route_find(const sbk__route *route, const char *text,
                                size_t len, size_t *path) {
  const sbk__name *name = covering(route, route->app, text, len);

  *path = 0;
  if (name != NULL) {
    *path = name->len;
    return SBK__APP;
  }
  if (sbk__prefix_covers(route->user.text, route->user.len, text, len,
                         route->separator)) {
    *path = route->user.len;
    return SBK__USER;
  }
  name = covering(route, route->broker, text, len);
  if (name == NULL) {
    name = covering(route, route->queues, text, len);
  }
  if (name != NULL) {
    *path = name->len;
    return SBK__BROKER;
  }

  return SBK__NOWHERE;
}

bool sbk__route_is_queue(const sbk__route *route, const char *text,
                         size_t len) {
  return covering(route, route->queues, text, len) != NULL;
}

bool sbk__route_path(const sbk__route *route, const char **text, size_t *len) {
  if (route->separator == '/') {
    return *len > 0 && (*text)[0] == '/';
  }
  if (*len > 0 && ((*text)[0] == '/' || (*text)[0] == route->separator)) {
    (*text)++;
    (*len)--;
  }

  return true;
}
