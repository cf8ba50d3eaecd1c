#include "sockjs_fields.h"

#include <string.h>

#include "sockjs_origin.h"

/* A day that is not near, for those who only know Expires. */
#define FAR_DAY "Thu, 31 Dec 2037 23:55:55 GMT"

void sbk__sockjs_put_cors(sbk__answer *answer, const sbk_request *request) {
  const char *origin = sbk__http_field_get(&request->head, "Origin");

  if (origin != NULL) {
    sbk__answer_field(answer, "Access-Control-Allow-Origin", origin);
    sbk__answer_field(answer, "Access-Control-Allow-Credentials", "true");
    sbk__answer_field(answer, "Vary", "Origin");
  } else if (sbk__sockjs_lets_all_in(request->endpoint)) {
    sbk__answer_field(answer, "Access-Control-Allow-Origin", "*");
  }
}

void sbk__sockjs_put_not_cached(sbk__answer *answer) {
  sbk__answer_field(answer, "Cache-Control",
                    "no-store, no-cache, no-transform, must-revalidate, "
                    "max-age=0");
}

void sbk__sockjs_put_cached(sbk__answer *answer) {
  sbk__answer_field(answer, "Cache-Control",
                    "public, max-age=" SBK__SOCKJS_YEAR);
  sbk__answer_field(answer, "Expires", FAR_DAY);
}

void sbk__sockjs_put_type(sbk__answer *answer, const char *type) {
  sbk__answer_field(answer, "Content-Type", type);
  sbk__answer_field(answer, "X-Content-Type-Options", "nosniff");
}

/* RFC 6265, 4.1.1 */
static bool is_cookie_value(const char *value) {
  for (; *value != '\0'; value++) {
    if (*value <= 0x20 || *value >= 0x7f || strchr("\",;\\", *value) != NULL) {
      return false;
    }
  }

  return true;
}

/* sockjs-protocol 0.3.3, JSESSIONID cookie: some load balancers bring requests
 * to one server if they see it, so it comes back as it was. */
void sbk__sockjs_put_cookie(sbk__answer *answer, const sbk_request *request) {
  sbk__str *out = &answer->fields;
  const char *cookie = "dummy";
  char value[128];

  if (!request->endpoint->sockjs->cookie) {
    return;
  }
  if (sbk__http_cookie_get(&request->head, "JSESSIONID", value, sizeof(value)) >
          0 &&
      is_cookie_value(value)) {
    cookie = value;
  }
  sbk__str_addz(out, "Set-Cookie: JSESSIONID=");
  sbk__str_addz(out, cookie);
  sbk__str_addz(out, "; Path=/\r\n");
}

/* Nothing is said if anybody may. */
void sbk__sockjs_put_ancestors(sbk__answer *answer,
                               const sbk__endpoint *endpoint) {
  sbk__str *out = &answer->fields;
  char *const *entry;

  if (sbk__sockjs_lets_all_in(endpoint)) {
    return;
  }
  sbk__str_addz(out, "Content-Security-Policy: frame-ancestors 'self'");
  for (entry = endpoint->origins; entry != NULL && *entry != NULL; entry++) {
    size_t len = strlen(*entry);
    bool any_port = len > 4 && strcmp(*entry + len - 4, ":[*]") == 0;

    if (strcmp(*entry, "null") != 0) {
      sbk__str_addz(out, " ");
      sbk__str_add(out, *entry, any_port ? len - 4 : len);
      sbk__str_addz(out, any_port ? ":*" : "");
    }
  }
  sbk__str_addz(out, "\r\n");
}
