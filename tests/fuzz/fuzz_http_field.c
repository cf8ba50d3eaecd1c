/*
 * What fields of a request and its query say, and whose origin it is, against
 * readers made from the RFCs alone. The first byte says how the head is cut,
 * the second what is asked for; lines follow: a name to look for, and fields;
 * or origins.
 */
#include <regex.h>
#include <strings.h>

#include "fuzz.h"
#include "http1.h"
#include "origin.h"

#define FIELDS 16

struct field {
  const char *name;
  char *value; /* without the blanks around it */
};

struct request {
  struct field fields[FIELDS];
  size_t count;
  char *query; /* NULL: none */
};

static char *trimmed(const char *from, size_t len) {
  while (len > 0 && strchr(" \t", *from) != NULL) {
    from++;
    len--;
  }
  while (len > 0 && strchr(" \t", from[len - 1]) != NULL) {
    len--;
  }

  return fuzz_text((struct fuzz){(const uint8_t *)from, len});
}

/* ---- fields, by what the RFCs say ---- */

static const char *value_of(const struct request *r, const char *name) {
  size_t i;

  for (i = 0; i < r->count; i++) {
    if (strcasecmp(r->fields[i].name, name) == 0) {
      return r->fields[i].value;
    }
  }

  return NULL;
}

/* RFC 9110, 5.6.1: lists, of several fields too. */
static bool lists(const struct request *r, const char *name,
                  const char *token) {
  bool yes = false;
  size_t i, len;

  for (i = 0; i < r->count; i++) {
    const char *at = r->fields[i].value;

    if (strcasecmp(r->fields[i].name, name) != 0) {
      continue;
    }
    for (;;) {
      char *item;

      len = strcspn(at, ",");
      item = trimmed(at, len);
      yes = yes || strcasecmp(item, token) == 0;
      free(item);
      if (at[len] == '\0') {
        break;
      }
      at += len + 1;
    }
  }

  return yes;
}

/* RFC 9110, 8.6, and 9112, 6 */
static int body_len(const struct request *r, size_t max, size_t *len) {
  const char *text = value_of(r, "Content-Length");

  *len = 0;
  if (value_of(r, "Transfer-Encoding") != NULL) {
    return -411;
  }
  if (text != NULL) {
    if (*text == '\0' || strspn(text, "0123456789") != strlen(text)) {
      return -400;
    }
    text += strspn(text, "0");
    if (strlen(text) > 9 || strtoul(text, NULL, 10) > max) {
      return -413;
    }
    *len = strtoul(text, NULL, 10);
  }

  return value_of(r, "Expect") != NULL ? -417 : 0;
}

/* RFC 6455, 4.2.1 */
static int check_upgrade(const struct request *r) {
  static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *host = value_of(r, "Host");
  const char *key = value_of(r, "Sec-WebSocket-Key");
  const char *version = value_of(r, "Sec-WebSocket-Version");

  if (!lists(r, "Upgrade", "websocket") || !lists(r, "Connection", "upgrade") ||
      host == NULL || *host == '\0' || value_of(r, "Content-Length") != NULL ||
      value_of(r, "Transfer-Encoding") != NULL) {
    return -400;
  }
  if (version == NULL || strcmp(version, "13") != 0) {
    return -426;
  }

  /* 16 bytes: 128 of 132 bits, the last 4 of which are 0 (RFC 4648, 3.5). */
  return key != NULL && strlen(key) == 24 && strspn(key, base64) == 22 &&
                 strcmp(key + 22, "==") == 0 && strchr("AQgw", key[21]) != NULL
             ? 0
             : -400;
}

/* RFC 6265, 4.2.1 */
static int cookie(const struct request *r, const char *name, char *dst,
                  size_t size) {
  const size_t name_len = strlen(name);
  size_t i, len;

  for (i = 0; i < r->count; i++) {
    const char *at = r->fields[i].value;

    if (strcasecmp(r->fields[i].name, "Cookie") != 0) {
      continue;
    }
    for (;;) {
      char *item = trimmed(at, strcspn(at, ";"));
      const char *value = item + name_len + 1;

      if (strncmp(item, name, name_len) == 0 && item[name_len] == '=') {
        len = strlen(value);
        if (len < size) {
          memcpy(dst, value, len + 1);
        }
        free(item);
        return len < size ? (int)len : SBK_ERR_TOO_BIG;
      }
      free(item);
      at += strcspn(at, ";");
      if (*at++ == '\0') {
        break;
      }
    }
  }

  return SBK_ERR_NOT_FOUND;
}

/* WHATWG URL, 5.1. False: there is a % without two digits. */
static bool decode(const char *from, size_t len, sbk__str *out) {
  static const char hex[] = "0123456789abcdefABCDEF";
  char digits[3] = {0}, byte;
  size_t i;

  for (i = 0; i < len; i++) {
    byte = from[i] == '+' ? ' ' : from[i];
    if (from[i] == '%') {
      if (len - i < 3 || strchr(hex, from[i + 1]) == NULL ||
          strchr(hex, from[i + 2]) == NULL) {
        return false;
      }
      digits[0] = from[i + 1];
      digits[1] = from[i + 2];
      byte = (char)strtoul(digits, NULL, 16);
      i += 2;
    }
    sbk__str_add(out, &byte, 1);
  }

  return true;
}

static int query_value(const char *from, size_t len, char *dst, size_t size) {
  sbk__str text;
  int rv = SBK_ERR_INVAL;

  sbk__str_init(&text, sbk__mem_default());
  if (decode(from, len, &text) &&
      (text.len == 0 || memchr(text.data, '\0', text.len) == NULL)) {
    rv = text.len < size ? (int)text.len : SBK_ERR_TOO_BIG;
  }
  if (rv >= 0) {
    sbk__str_add(&text, "", 1);
    memcpy(dst, text.data, text.len);
  }
  sbk__str_free(&text);

  return rv;
}

static int query(const char *text, const char *name, char *dst, size_t size) {
  while (text != NULL && *text != '\0') {
    const size_t len = strcspn(text, "&"), to = strcspn(text, "&=");
    const size_t from = to < len ? to + 1 : len;
    sbk__str decoded;
    bool same;

    sbk__str_init(&decoded, sbk__mem_default());
    same = len > 0 && decode(text, to, &decoded) &&
           decoded.len == strlen(name) &&
           (decoded.len == 0 || memcmp(decoded.data, name, decoded.len) == 0);
    sbk__str_free(&decoded);
    if (same) {
      return query_value(text + from, len - from, dst, size);
    }
    text += len + (text[len] == '&');
  }

  return SBK_ERR_NOT_FOUND;
}

/* ---- fields, compared ---- */

static const char *const names[] = {"connection",
                                    "Upgrade",
                                    "Sec-WebSocket-Key",
                                    "Content-Length",
                                    "Cookie",
                                    "Sec-WebSocket-Version",
                                    "Transfer-Encoding",
                                    "Connection",
                                    "Sec-WebSocket-Protocol",
                                    "Expect",
                                    "Host",
                                    "X"};

static void same_answer(int want, int got, const char *want_text,
                        const char *text) {
  HOLDS(want == got);
  HOLDS(want < 0 || strcmp(want_text, text) == 0);
  HOLDS(want >= 0 || strcmp(text, "as before") == 0);
}

static void check_texts(const struct request *r, const sbk__http_head *head,
                        const char *name, size_t size) {
  char want[256] = "", got[256] = "as before";
  int rv = cookie(r, name, want, size);

  same_answer(rv, sbk__http_cookie_get(head, name, got, size), want, got);
  memcpy(got, "as before", 10);
  rv = query(r->query, name, want, size);
  same_answer(rv, sbk__http_query_get(sbk__http_query(head), name, got, size),
              want, got);
}

static void check_fields(const struct request *r, const sbk__http_head *head,
                         const char *name, size_t size) {
  static const char *const protocols[] = {"v12.stomp", "v11.stomp",
                                          "v10.stomp"};
  const char *protocol = NULL;
  size_t i, len = SIZE_MAX, want_len;
  int rv;

  HOLDS(head->field_count == r->count);
  for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    const char *want = value_of(r, names[i]);
    const char *got = sbk__http_field_get(head, names[i]);

    HOLDS((want == NULL) == (got == NULL));
    HOLDS(want == NULL || strcmp(want, got) == 0);
    HOLDS(lists(r, names[i], name) ==
          sbk__http_field_has(head, names[i], name));
  }
  rv = body_len(r, 1000, &want_len);
  HOLDS(sbk__http_body_len(head, 1000, &len) == rv);
  HOLDS(len == (rv == 0 ? want_len : SIZE_MAX));
  HOLDS(sbk__http_check_upgrade(head) == check_upgrade(r));
  for (i = 3; i-- > 0;) {
    if (lists(r, "Sec-WebSocket-Protocol", protocols[i])) {
      protocol = protocols[i];
    }
  }
  HOLDS((protocol == NULL) == (sbk__http_stomp_protocol(head) == NULL));
  HOLDS(protocol == NULL ||
        strcmp(protocol, sbk__http_stomp_protocol(head)) == 0);
  check_texts(r, head, name, size);
}

static void check_words(const char *text) {
  static const char marks[] = "!#$%&'*+-.^_`|~0123456789"
                              "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const char *p;

  for (p = text; (uint8_t)*p >= 0x20 && *p != 0x7f; p++) {
  }
  HOLDS(sbk__http_is_value(text) == (*p == '\0'));
  HOLDS(sbk__http_is_token(text) ==
        (*text != '\0' && strspn(text, marks) == strlen(text)));
}

static void read_request(struct request *r, struct fuzz in, sbk__str *head) {
  memset(r, 0, sizeof(*r));
  r->query = fuzz_text(fuzz_until(&in, '\n'));
  sbk__str_addz(head, "GET /?");
  sbk__str_addz(head, r->query);
  sbk__str_addz(head, " HTTP/1.1\r\n");
  while (in.len > 0 && r->count < FIELDS) {
    struct field *field = &r->fields[r->count++];
    struct fuzz line = fuzz_until(&in, '\n');
    char *text;

    field->name = names[fuzz_byte(&line) % (sizeof(names) / sizeof(names[0]))];
    text = fuzz_text(line);
    field->value = trimmed(text, strlen(text));
    sbk__str_addz(head, field->name);
    sbk__str_addz(head, ":");
    sbk__str_addz(head, text);
    sbk__str_addz(head, "\r\n");
    free(text);
  }
  sbk__str_addz(head, "\r\n");
}

static void ask_for_fields(struct fuzz in, uint32_t cuts, size_t size) {
  const struct sbk_config limits = fuzz_limits();
  char *name = fuzz_text(fuzz_until(&in, '\n'));
  struct failing_mem memory;
  struct request request;
  sbk__http_head head;
  sbk__str text;
  struct fuzz rest;
  size_t used;
  int rv = 0;

  failing_mem_init(&memory);
  sbk__str_init(&text, sbk__mem_default());
  read_request(&request, in, &text);
  sbk__http_head_init(&head, &memory.mem, &limits);
  rest = (struct fuzz){(const uint8_t *)text.data, text.len};
  while (rest.len > 0 && rv == 0) {
    const struct fuzz piece = fuzz_piece(&rest, &cuts);

    rv = sbk__http_head_feed(&head, piece.data, piece.len, &used);
  }
  if (rv == 1) {
    check_fields(&request, &head, name, size);
  }
  check_words(name);
  sbk__http_head_clear(&head);
  HOLDS(memory.blocks == 0);
  while (request.count > 0) {
    free(request.fields[--request.count].value);
  }
  free(request.query);
  free(name);
  sbk__str_free(&text);
}

/* ---- origins ---- */

#define NAME "[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*\\.?"

enum { SCHEME = 1, HOST = 2, PORT = 6, GROUPS = 8 };

/* RFC 6454, 7.1, and what entries of lists may have besides. */
static bool take_apart(const char *text, bool entry, regmatch_t at[GROUPS]) {
  static regex_t origins, entries;
  static bool compiled;

  if (!compiled) {
    HOLDS(regcomp(&origins,
                  "^([A-Za-z][A-Za-z0-9+.-]*)://"
                  "(\\[[0-9A-Fa-f:.]{2,}]|(" NAME "))(:([0-9]{1,5}))?$",
                  REG_EXTENDED) == 0);
    HOLDS(regcomp(&entries,
                  "^([A-Za-z][A-Za-z0-9+.-]*)://"
                  "(\\[[0-9A-Fa-f:.]{2,}]|((\\*\\.)?" NAME
                  "))(:([0-9]{1,5}|\\[\\*]))?$",
                  REG_EXTENDED) == 0);
    compiled = true;
  }

  return regexec(entry ? &entries : &origins, text, GROUPS, at, 0) == 0;
}

struct parts {
  char *scheme, *host;
  unsigned port; /* 0: none */
  bool any_port;
};

static char *group(const char *text, regmatch_t at) {
  return fuzz_text((struct fuzz){(const uint8_t *)text + at.rm_so,
                                 (size_t)(at.rm_eo - at.rm_so)});
}

static bool parse(const char *text, bool entry, struct parts *parts) {
  regmatch_t at[GROUPS];
  const char *colon;

  memset(parts, 0, sizeof(*parts));
  if (strcasecmp(text, "file://") == 0) {
    parts->scheme = fuzz_text((struct fuzz){(const uint8_t *)text, 4});
    parts->host = fuzz_text((struct fuzz){(const uint8_t *)text, 0});
    return true;
  }
  if (!take_apart(text, entry, at)) {
    return false;
  }
  parts->scheme = group(text, at[SCHEME]);
  parts->host = group(text, at[HOST]);
  colon = text + at[HOST].rm_eo;
  parts->any_port = strcmp(colon, ":[*]") == 0;
  if (*colon != '\0') {
    parts->port = (unsigned)strtoul(colon + 1, NULL, 10);
    return parts->any_port || (parts->port > 0 && parts->port < 65536);
  }
  parts->port = strcasecmp(parts->scheme, "http") == 0    ? 80
                : strcasecmp(parts->scheme, "https") == 0 ? 443
                                                          : 0;

  return true;
}

static void parts_free(struct parts *parts) {
  free(parts->scheme);
  free(parts->host);
}

static bool same_host(const char *entry, const char *host) {
  const size_t entry_len = strlen(entry), len = strlen(host);

  if (strncmp(entry, "*.", 2) != 0) {
    return strcasecmp(entry, host) == 0;
  }

  return len > entry_len - 1 &&
         strcasecmp(host + len - (entry_len - 1), entry + 1) == 0;
}

/* Is it that entry's? */
static bool is_of(const char *entry, bool listed, const char *origin) {
  struct parts wide, one;
  bool yes = parse(entry, listed, &wide);

  yes = parse(origin, false, &one) && yes;
  yes = yes && strcasecmp(wide.scheme, one.scheme) == 0 &&
        same_host(wide.host, one.host) &&
        (wide.any_port || wide.port == one.port);
  parts_free(&wide);
  parts_free(&one);

  return yes;
}

static bool is_own(const char *scheme, const char *host, const char *origin) {
  sbk__str own;
  bool yes;

  if (*host == '\0') {
    return false;
  }
  sbk__str_init(&own, sbk__mem_default());
  sbk__str_addz(&own, scheme);
  sbk__str_addz(&own, "://");
  sbk__str_addz(&own, host);
  sbk__str_add(&own, "", 1);
  yes = is_of(own.data, false, origin);
  sbk__str_free(&own);

  return yes;
}

static bool is_allowed(const char *origin, const char *scheme, const char *host,
                       char *const *list) {
  bool yes = strcmp(origin, "null") != 0 && is_own(scheme, host, origin);
  struct parts parts;
  const bool good = parse(origin, false, &parts);

  parts_free(&parts);
  for (; *list != NULL; list++) {
    yes = yes ||
          (strcmp(*list, "*") == 0 && (good || strcmp(origin, "null") == 0));
    yes = yes || (strcmp(origin, "null") == 0 ? strcmp(*list, "null") == 0
                                              : is_of(*list, true, origin));
  }

  return yes;
}

static void ask_for_origin(struct fuzz in, bool secure) {
  const char *scheme = secure ? "https" : "http";
  char *origin = fuzz_text(fuzz_until(&in, '\n'));
  char *host = fuzz_text(fuzz_until(&in, '\n'));
  char *list[4] = {NULL};
  struct parts parts;
  size_t i;

  for (i = 0; i < 3 && in.len > 0; i++) {
    list[i] = fuzz_text(fuzz_until(&in, '\n'));
    HOLDS(sbk__origin_entry_valid(list[i]) ==
          (strcmp(list[i], "*") == 0 || strcmp(list[i], "null") == 0 ||
           parse(list[i], true, &parts)));
    if (strcmp(list[i], "*") != 0 && strcmp(list[i], "null") != 0) {
      parts_free(&parts);
    }
  }
  HOLDS(sbk__origin_allowed(origin, scheme, host, (const char *const *)list) ==
        is_allowed(origin, scheme, host, list));
  HOLDS(sbk__origin_allowed(NULL, scheme, host, NULL));
  while (i > 0) {
    free(list[--i]);
  }
  free(origin);
  free(host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz in = {data, size};
  const uint32_t cuts = fuzz_byte(&in);
  const uint8_t how = fuzz_byte(&in);

  if (how % 2 == 0) {
    ask_for_fields(in, cuts, how);
  } else {
    ask_for_origin(in, how / 2 % 2 == 1);
  }

  return 0;
}
