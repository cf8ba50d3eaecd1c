#include "sockjs_origin.h"

#include <string.h>

#include "endpoint.h"

/* Scripts and frames bring no Origin, and yet their page's matters: what they
 * load they run. */
bool sbk__sockjs_is_from_script(const sbk_request *request) {
  return request->target.kind == SBK__SOCKJS_JSONP ||
         request->target.kind == SBK__SOCKJS_HTMLFILE;
}

/* The origin in front of a URL's path, with NUL; false: that is none. */
static bool cut_origin(const char *url, char *dst, size_t size) {
  const char *host = strstr(url, "://");
  size_t len;

  if (host == NULL) {
    return false;
  }
  len = (size_t)(host - url) + 3 + strcspn(host + 3, "/?#");
  if (len >= size) {
    return false;
  }
  memcpy(dst, url, len);
  dst[len] = '\0';

  return true;
}

const char *sbk__sockjs_origin(const sbk_request *request, char *buf,
                               size_t size) {
  const char *origin = sbk__http_field_get(&request->head, "Origin");
  const char *referer = sbk__http_field_get(&request->head, "Referer");

  if (origin != NULL || !sbk__sockjs_is_from_script(request) ||
      referer == NULL) {
    return origin;
  }

  return cut_origin(referer, buf, size) ? buf : "null";
}

bool sbk__sockjs_lets_all_in(const sbk__endpoint *endpoint) {
  char *const *entry = endpoint->origins;

  while (entry != NULL && *entry != NULL && strcmp(*entry, "*") != 0) {
    entry++;
  }

  return entry != NULL && *entry != NULL;
}

/* Fetch Metadata, 2.3: no page can leave this out, other than Referer. */
static bool comes_from_elsewhere(const sbk_request *request) {
  const char *site = sbk__http_field_get(&request->head, "Sec-Fetch-Site");

  return site != NULL && strcmp(site, "same-origin") != 0 &&
         strcmp(site, "none") != 0;
}

bool sbk__sockjs_origin_allowed(const sbk_request *request) {
  const sbk__endpoint *endpoint = request->endpoint;
  char buf[264];
  const char *origin = sbk__sockjs_origin(request, buf, sizeof(buf));

  if (origin == NULL && sbk__sockjs_is_from_script(request) &&
      !sbk__sockjs_lets_all_in(endpoint) && comes_from_elsewhere(request)) {
    return false;
  }

  return sbk__endpoint_allows(endpoint, origin,
                              sbk__http_field_get(&request->head, "Host"));
}
