#include "origin.h"

#include <string.h>

#include "ascii.h"

/* An origin, or an entry of a list. */
struct origin {
  const char *scheme;
  size_t scheme_len;
  const char *host; /* of an entry with any_label: from its first dot on */
  size_t host_len;
  unsigned port; /* 0: none, and the scheme has no default */
  bool any_label;
  bool any_port;
};

static unsigned default_port(const char *scheme, size_t len) {
  if (sbk__ascii_same(scheme, len, "http", 4)) {
    return 80;
  }

  return sbk__ascii_same(scheme, len, "https", 5) ? 443 : 0;
}

/* RFC 3986, 3.1; "://" behind it is taken too. */
static bool take_scheme(const char **text, struct origin *origin) {
  const char *p = *text;

  while (sbk__ascii_is_alpha(*p) ||
         (p > *text &&
          (sbk__ascii_is_digit(*p) || *p == '+' || *p == '-' || *p == '.'))) {
    p++;
  }
  origin->scheme = *text;
  origin->scheme_len = (size_t)(p - *text);
  if (origin->scheme_len == 0 || strncmp(p, "://", 3) != 0) {
    return false;
  }
  *text = p + 3;

  return true;
}

/* Brackets, and what an IPv6 address is made of. */
static const char *skip_ipv6(const char *p) {
  const char *start = ++p;

  while (sbk__ascii_hex(*p) >= 0 || *p == ':' || *p == '.') {
    p++;
  }

  return p - start >= 2 && *p == ']' ? p + 1 : NULL;
}

static bool is_label_char(char c) {
  return sbk__ascii_is_alpha(c) || sbk__ascii_is_digit(c) || c == '-' ||
         c == '_';
}

/* Labels, none of them empty; one dot at the end is part of the name, which is
 * another one than without. */
static const char *skip_name(const char *name) {
  const char *p = name;

  while (is_label_char(*p) || (*p == '.' && p > name && p[-1] != '.')) {
    p++;
  }

  return p > name && *p != '.' ? p : NULL;
}

static bool take_host(const char **text, bool entry, struct origin *origin) {
  const char *p = *text, *end;

  origin->any_label = entry && strncmp(p, "*.", 2) == 0;
  if (origin->any_label) {
    end = skip_name(p + 2);
    p++;
  } else if (*p == '\0' &&
             sbk__ascii_same(origin->scheme, origin->scheme_len, "file", 4)) {
    end = p; /* what Chromium says for pages from files */
  } else {
    end = *p == '[' ? skip_ipv6(p) : skip_name(p);
  }
  if (end == NULL) {
    return false;
  }
  origin->host = p;
  origin->host_len = (size_t)(end - p);
  *text = end;

  return true;
}

/* Up to the end of the text. */
static bool take_port(const char *p, bool entry, struct origin *origin) {
  size_t digits;

  origin->any_port = entry && strcmp(p, ":[*]") == 0;
  if (origin->any_port) {
    return true;
  }
  origin->port = default_port(origin->scheme, origin->scheme_len);
  if (*p == '\0') {
    return true;
  }
  if (*p++ != ':') {
    return false;
  }

  origin->port = 0;
  for (digits = 0; digits < 5 && sbk__ascii_is_digit(p[digits]); digits++) {
    origin->port = origin->port * 10 + (unsigned)(p[digits] - '0');
  }

  return p[digits] == '\0' && origin->port > 0 && origin->port <= 65535;
}

static bool parse(const char *text, bool entry, struct origin *origin) {
  memset(origin, 0, sizeof(*origin));

  return take_scheme(&text, origin) && take_host(&text, entry, origin) &&
         take_port(text, entry, origin);
}

/* The server's own origin, from what the request says of it. */
static bool parse_own(const char *scheme, const char *host,
                      struct origin *origin) {
  memset(origin, 0, sizeof(*origin));
  origin->scheme = scheme;
  origin->scheme_len = strlen(scheme);

  return take_host(&host, false, origin) && take_port(host, false, origin);
}

static bool same(const struct origin *entry, const struct origin *origin) {
  size_t skip = 0;

  if (!sbk__ascii_same(entry->scheme, entry->scheme_len, origin->scheme,
                       origin->scheme_len) ||
      (!entry->any_port && entry->port != origin->port)) {
    return false;
  }
  if (entry->any_label) {
    /* The dot in front of the entry's name keeps it to whole labels. */
    if (origin->host_len <= entry->host_len) {
      return false;
    }
    skip = origin->host_len - entry->host_len;
  }

  return sbk__ascii_same(entry->host, entry->host_len, origin->host + skip,
                         origin->host_len - skip);
}

bool sbk__origin_entry_valid(const char *entry) {
  struct origin parsed;

  return strcmp(entry, "*") == 0 || strcmp(entry, "null") == 0 ||
         parse(entry, true, &parsed);
}

/* origin NULL: the opaque one, "null". */
static bool is_listed(const struct origin *origin, const char *const *allowed) {
  struct origin entry;

  for (; allowed != NULL && *allowed != NULL; allowed++) {
    if (strcmp(*allowed, "*") == 0) {
      return true;
    }
    if (origin == NULL
            ? strcmp(*allowed, "null") == 0
            : parse(*allowed, true, &entry) && same(&entry, origin)) {
      return true;
    }
  }

  return false;
}

bool sbk__origin_allowed(const char *origin, const char *scheme,
                         const char *host, const char *const *allowed) {
  struct origin own, theirs;

  if (origin == NULL) {
    return true;
  }
  /* RFC 6454, 6.2: sandboxed pages, redirects; never the server's own. */
  if (strcmp(origin, "null") == 0) {
    return is_listed(NULL, allowed);
  }
  if (!parse(origin, false, &theirs)) {
    return false;
  }

  return (host != NULL && parse_own(scheme, host, &own) &&
          same(&own, &theirs)) ||
         is_listed(&theirs, allowed);
}
