#include "userdest.h"

#include <string.h>

/* The end of the segment that begins at text[from]. */
static size_t segment_end(const sbk__route *route, const char *text, size_t len,
                          size_t from) {
  while (from < len && text[from] != '/' && text[from] != route->separator) {
    from++;
  }

  return from;
}

/* Decodes "%2F" into '/', the one escape there is (BEHAVIOUR 8), in its one
 * spelling: access rules compare texts. dst holds len + 1 bytes. */
static void decode_name(char *dst, const char *text, size_t len) {
  size_t i;

  for (i = 0; i < len; i++) {
    if (len - i > 2 && memcmp(text + i, "%2F", 3) == 0) {
      *dst++ = '/';
      i += 2;
    } else {
      *dst++ = text[i];
    }
  }
  *dst = '\0';
}

/* Is text[0, len) the name of user, with its '/' as "%2F"? */
static bool is_name(const char *user, const char *text, size_t len) {
  size_t i = 0;

  for (; *user != '\0'; user++) {
    if (*user == '/') {
      if (len - i < 3 || memcmp(text + i, "%2F", 3) != 0) {
        return false;
      }
      i += 3;
    } else if (i == len || text[i++] != *user) {
      return false;
    }
  }

  return i == len;
}

enum sbk__fault sbk__userdest_subscribe(const sbk__route *route,
                                        const char *user, const char *text,
                                        size_t len, size_t path, size_t *own) {
  size_t end, ignored;

  *own = 0;
  if (len - path < 2) {
    return SBK__FAULT_DESTINATION;
  }
  end = segment_end(route, text, len, path + 1);
  if (len - end < 2) {
    return SBK__FAULT_NONE;
  }
  if (user != NULL && is_name(user, text + path + 1, end - path - 1)) {
    *own = end;
    return SBK__FAULT_NONE;
  }

  /* BEHAVIOUR 15.9: "/user/A/queue/x" of somebody who is not A. */
  return sbk__route_find(route, text + end, len - end, &ignored) == SBK__BROKER
             ? SBK__FAULT_USER_SUBSCRIBE
             : SBK__FAULT_NONE;
}

enum sbk__fault sbk__userdest_send(const struct sbk_mem *mem,
                                   const sbk__route *route, const char *text,
                                   size_t len, size_t path, char **name,
                                   size_t *rest) {
  size_t end;

  if (len - path < 2) {
    return SBK__FAULT_DESTINATION;
  }
  end = segment_end(route, text, len, path + 1);
  if (len - end < 2) {
    return SBK__FAULT_DESTINATION;
  }
  *name = sbk__malloc(mem, end - path);
  if (*name == NULL) {
    return SBK__FAULT_NOMEM;
  }
  decode_name(*name, text + path + 1, end - path - 1);
  *rest = end;

  return SBK__FAULT_NONE;
}
