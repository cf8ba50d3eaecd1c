#include "endpoint.h"

#include <string.h>

#include "abi.h"
#include "defaults.h"
#include "origin.h"
#include "sockjs.h"

void sbk__endpoint_free(const struct sbk_mem *mem, sbk__endpoint *endpoint) {
  size_t i;

  if (endpoint == NULL) {
    return;
  }
  if (endpoint->sockjs != NULL) {
    sbk__map_free(&endpoint->sockjs->sessions);
    sbk__free(mem, endpoint->sockjs->client_url);
    sbk__free(mem, endpoint->sockjs);
  }
  for (i = 0; endpoint->origins != NULL && endpoint->origins[i] != NULL; i++) {
    sbk__free(mem, endpoint->origins[i]);
  }
  sbk__free(mem, endpoint->origins);
  sbk__free(mem, endpoint->path);
  sbk__free(mem, endpoint);
}

static bool path_valid(const char *path) {
  if (path == NULL || path[0] != '/') {
    return false;
  }
  for (; *path != '\0'; path++) {
    unsigned char c = (unsigned char)*path;

    if (c <= 0x20 || c == 0x7f || c == '?' || c == '#') {
      return false;
    }
  }

  return true;
}

static int copy_origins(const struct sbk_mem *mem, sbk__endpoint *endpoint,
                        const char *const *origins) {
  size_t i, count = 0;

  if (origins == NULL) {
    return 0;
  }
  for (count = 0; origins[count] != NULL; count++) {
    if (!sbk__origin_entry_valid(origins[count])) {
      return SBK_ERR_INVAL;
    }
  }
  endpoint->origins = sbk__calloc(mem, count + 1, sizeof(char *));
  if (endpoint->origins == NULL) {
    return SBK_ERR_NOMEM;
  }
  for (i = 0; i < count; i++) {
    endpoint->origins[i] = sbk__strndup(mem, origins[i], strlen(origins[i]));
    if (endpoint->origins[i] == NULL) {
      return SBK_ERR_NOMEM;
    }
  }

  return 0;
}

/* It goes into an attribute of the iframe page as it is. */
static bool url_valid(const char *url) {
  if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0 &&
      url[0] != '/') {
    return false;
  }
  for (; *url != '\0'; url++) {
    unsigned char c = (unsigned char)*url;

    if (c <= 0x20 || c >= 0x7f || strchr("\"'<>&`\\", c) != NULL) {
      return false;
    }
  }

  return true;
}

static const char *session_name(const void *item, size_t *len) {
  const sbk__sockjs *sockjs = item;

  *len = sockjs->id_len;

  return sockjs->id;
}

static int copy_sockjs(const sbk__core *core, sbk__endpoint *endpoint,
                       const struct sbk_sockjs *sockjs) {
  const struct sbk_mem *mem = &core->mem;
  sbk__sockjs_setup *setup;
  struct sbk_sockjs copy;
  int rv = sbk__abi_copy(&copy, sizeof(copy), sizeof(copy), sockjs);

  if (rv == 0) {
    rv = sbk__limits_resolve_sockjs(&copy);
  }
  if (rv == 0 && copy.client_url != NULL && !url_valid(copy.client_url)) {
    rv = SBK_ERR_INVAL;
  }
  if (rv != 0) {
    return rv;
  }

  setup = sbk__calloc(mem, 1, sizeof(*setup));
  if (setup == NULL) {
    return SBK_ERR_NOMEM;
  }
  endpoint->sockjs = setup;
  setup->no_websocket = copy.no_websocket != 0;
  setup->cookie = copy.cookie != 0;
  setup->htmlfile = copy.htmlfile != 0;
  setup->jsonp = copy.jsonp != 0;
  setup->heartbeat = copy.heartbeat;
  setup->disconnect_delay = copy.disconnect_delay;
  setup->stream_limit = copy.stream_limit;
  setup->max_body = copy.max_body;
  sbk__map_init(&setup->sessions, mem, core->seed, session_name);
  if (copy.client_url != NULL) {
    setup->client_url =
        sbk__strndup(mem, copy.client_url, strlen(copy.client_url));
    rv = setup->client_url != NULL ? 0 : SBK_ERR_NOMEM;
  }

  return rv;
}

/* Is path that of the endpoint, or below it? NULL, or what follows. A slash at
 * its end is the one from which on things are below. */
static const char *below(const sbk__endpoint *endpoint, const char *path) {
  size_t len = strlen(endpoint->path);

  if (strncmp(endpoint->path, path, len) != 0) {
    return NULL;
  }
  if (path[len] == '\0' || (endpoint->sockjs != NULL && path[len] == '/')) {
    return path + len;
  }

  return endpoint->sockjs != NULL && path[len - 1] == '/' ? path + len - 1
                                                          : NULL;
}

const sbk__endpoint *sbk__endpoint_find(const sbk_broker *broker,
                                        const char *path, const char **rest) {
  const sbk__endpoint *found = NULL;
  const sbk__node *node;

  for (node = broker->endpoints.next; node != &broker->endpoints;
       node = node->next) {
    const sbk__endpoint *endpoint =
        sbk__item(node, sbk__endpoint, in_endpoints);
    const char *left = below(endpoint, path);

    if (left != NULL && (found == NULL || *left == '\0' || left > *rest)) {
      found = endpoint;
      *rest = left;
      if (*left == '\0') {
        break;
      }
    }
  }

  return found;
}

bool sbk__endpoint_allows(const sbk__endpoint *endpoint, const char *origin,
                          const char *host) {
  return origin == NULL
             ? !endpoint->require_origin
             : sbk__origin_allowed(origin, endpoint->secure ? "https" : "http",
                                   host,
                                   (const char *const *)endpoint->origins);
}

static bool endpoint_exists(const sbk_broker *broker, const char *path) {
  const sbk__node *node;

  for (node = broker->endpoints.next; node != &broker->endpoints;
       node = node->next) {
    if (strcmp(sbk__item(node, sbk__endpoint, in_endpoints)->path, path) == 0) {
      return true;
    }
  }

  return false;
}

int sbk_broker_add_endpoint(sbk_broker *broker,
                            const struct sbk_endpoint *endpoint) {
  const struct sbk_mem *mem = &broker->core.mem;
  struct sbk_endpoint copy;
  sbk__endpoint *e;
  int rv = sbk__abi_copy(&copy, sizeof(copy), sizeof(copy), endpoint);

  if (rv != 0) {
    return rv;
  }
  if (!path_valid(copy.path)) {
    return SBK_ERR_INVAL;
  }
  if (endpoint_exists(broker, copy.path)) {
    return SBK_ERR_EXISTS;
  }

  e = sbk__calloc(mem, 1, sizeof(*e));
  if (e == NULL) {
    return SBK_ERR_NOMEM;
  }
  e->path = sbk__strndup(mem, copy.path, strlen(copy.path));
  e->require_origin = copy.require_origin != 0;
  e->secure = copy.secure != 0;
  e->message = copy.message;
  rv = e->path != NULL ? copy_origins(mem, e, copy.allowed_origins)
                       : SBK_ERR_NOMEM;
  if (rv == 0 && copy.sockjs != NULL) {
    rv = copy_sockjs(&broker->core, e, copy.sockjs);
  }
  if (rv != 0) {
    sbk__endpoint_free(mem, e);
    return rv;
  }
  sbk__list_push(&broker->endpoints, &e->in_endpoints);

  return 0;
}
