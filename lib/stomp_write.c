#include "stomp_write.h"

#include <assert.h>
#include <string.h>

#include "ascii.h"
#include "str.h"
#include "utf8.h"

/* The letter behind the backslash; 0: the character stands for itself. */
static char escape_of(char c) {
  switch (c) {
  case '\r':
    return 'r';
  case '\n':
    return 'n';
  case ':':
    return 'c';
  case '\\':
    return '\\';
  default:
    return 0;
  }
}

size_t sbk__escaped_len(enum sbk__version version, const char *text,
                        size_t len) {
  size_t i, size = len;

  for (i = 0; i < len; i++) {
    char c = text[i];

    if (escape_of(c) == 0) {
      continue;
    }
    if ((c == '\r' && version < SBK__V12) ||
        (c == '\n' && version < SBK__V11)) {
      return SIZE_MAX;
    }
    size += version > SBK__V10;
  }

  return size;
}

uint8_t *sbk__escape(uint8_t *dst, enum sbk__version version, const char *text,
                     size_t len) {
  size_t i;

  for (i = 0; i < len; i++) {
    char letter = version > SBK__V10 ? escape_of(text[i]) : 0;

    if (letter != 0) {
      *dst++ = '\\';
    }
    *dst++ = (uint8_t)(letter != 0 ? letter : text[i]);
  }

  return dst;
}

static uint8_t *put(uint8_t *dst, const void *data, size_t len) {
  memcpy(dst, data, len);
  return dst + len;
}

/* A header line; the length alone with dst NULL. 0: it cannot be said. */
static size_t put_header(uint8_t *dst, enum sbk__version version,
                         const char *name, size_t name_len, const char *value,
                         size_t value_len) {
  size_t name_size = sbk__escaped_len(version, name, name_len);
  size_t value_size = sbk__escaped_len(version, value, value_len);

  if (name_size == SIZE_MAX || value_size == SIZE_MAX ||
      (version == SBK__V10 && memchr(name, ':', name_len) != NULL)) {
    return 0;
  }
  if (dst != NULL) {
    dst = sbk__escape(dst, version, name, name_len);
    *dst++ = ':';
    dst = sbk__escape(dst, version, value, value_len);
    *dst = '\n';
  }

  return name_size + value_size + 2;
}

static bool is_hidden(const sbk__header *header, const char *const *hidden) {
  for (; hidden != NULL && *hidden != NULL; hidden++) {
    if (sbk__ascii_same(header->name, header->name_len, *hidden,
                        strlen(*hidden))) {
      return true;
    }
  }

  return false;
}

static size_t body_len(const sbk_message *msg) {
  return msg->text != NULL ? msg->text->len : 0;
}

/* Everything up to the body; the length alone with dst NULL. */
static size_t put_rest_head(uint8_t *dst, const sbk_message *msg,
                            enum sbk__version version,
                            const char *const *hidden) {
  const sbk__header *to = sbk__message_findz(msg, "destination");
  size_t size = 0;
  char digits[20];
  uint32_t i;

#define AT (dst != NULL ? dst + size : NULL)
  size +=
      put_header(AT, version, to->name, to->name_len, to->value, to->value_len);
  size += put_header(AT, version, "message-id", 10, msg->id, msg->id_len);
  for (i = 0; i < msg->header_count; i++) {
    const sbk__header *header = &msg->headers[i];

    if (header == to || sbk__message_name_reserved(header->name) ||
        is_hidden(header, hidden)) {
      continue;
    }
    size += put_header(AT, version, header->name, header->name_len,
                       header->value, header->value_len);
  }
  if (body_len(msg) > 0) {
    size += put_header(AT, version, "content-length", 14, digits,
                       sbk__format_u64(digits, body_len(msg)));
  }
  if (dst != NULL) {
    dst[size] = '\n';
  }
#undef AT

  return size + 1;
}

/* RFC 2045, 5.1: the type ends at blanks or parameters. */
static bool says_octets(const sbk_message *msg) {
  static const char octets[] = "application/octet-stream";
  const sbk__header *type = sbk__message_findz(msg, "content-type");

  return type != NULL &&
         sbk__ascii_same(type->value, strcspn(type->value, "; \t"), octets,
                         sizeof(octets) - 1);
}

static bool is_text(const sbk_message *msg, const uint8_t *head, size_t len) {
  return !says_octets(msg) && sbk__utf8_valid(head, len) &&
         (msg->text == NULL ||
          sbk__utf8_valid(msg->text->data, msg->text->len));
}

static sbk__rest *make_rest(const sbk_message *msg, enum sbk__version version,
                            const char *const *hidden) {
  size_t len = body_len(msg);
  size_t head = put_rest_head(NULL, msg, version, hidden);
  bool flat = len < SBK__FLAT_BODY;
  sbk__rest *rest =
      sbk__malloc(msg->mem, sizeof(*rest) + head + (flat ? len + 1 : 0));

  if (rest == NULL) {
    return NULL;
  }

  put_rest_head(rest->data, msg, version, hidden);
  rest->text = is_text(msg, rest->data, head);
  rest->total = head + len + 1;
  rest->head_len = head;
  rest->flat = flat;
  if (flat) {
    if (len > 0) {
      memcpy(rest->data + head, msg->text->data, len);
    }
    rest->data[head + len] = 0;
    rest->head_len = rest->total;
  }

  return rest;
}

/* Do two versions write this message's headers alike? */
static bool alike(const sbk_message *msg, enum sbk__version a,
                  enum sbk__version b) {
  uint32_t i;

  for (i = 0; i < msg->header_count; i++) {
    const sbk__header *h = &msg->headers[i];

    if (put_header(NULL, a, h->name, h->name_len, h->value, h->value_len) !=
        put_header(NULL, b, h->name, h->name_len, h->value, h->value_len)) {
      return false;
    }
  }

  return true;
}

const sbk__rest *sbk__message_rest(sbk_message *msg, enum sbk__version version,
                                   const char *const *hidden) {
  int other;

  assert(msg->id_len > 0);
  for (other = 0; msg->rest[version] == NULL && other < SBK__VERSIONS;
       other++) {
    if (msg->rest[other] != NULL &&
        alike(msg, version, (enum sbk__version)other)) {
      msg->rest[version] = msg->rest[other];
    }
  }
  if (msg->rest[version] == NULL) {
    msg->rest[version] = make_rest(msg, version, hidden);
  }

  return msg->rest[version];
}

size_t sbk__personal_head(uint8_t *dst, enum sbk__version version,
                          const char *id, size_t id_len) {
  size_t size = 8;

  if (dst != NULL) {
    memcpy(dst, "MESSAGE\n", 8);
  }
  if (id != NULL) {
    size += put_header(dst != NULL ? dst + 8 : NULL, version, "subscription",
                       12, id, id_len);
  }

  return size;
}

static const char *command_name(enum sbk_command command) {
  switch (command) {
  case SBK_CONNECTED:
    return "CONNECTED\n";
  case SBK_RECEIPT:
    return "RECEIPT\n";
  default:
    return "ERROR\n";
  }
}

static size_t put_frame(uint8_t *dst, enum sbk__version version,
                        enum sbk_command command, const sbk__pair *pairs,
                        size_t pair_count, const char *body) {
  const char *name = command_name(command);
  size_t i, size = strlen(name), len = body != NULL ? strlen(body) : 0;
  char digits[20];

  version = command == SBK_CONNECTED ? SBK__V10 : version;
#define AT (dst != NULL ? dst + size : NULL)
  if (dst != NULL) {
    memcpy(dst, name, size);
  }
  for (i = 0; i < pair_count; i++) {
    if (pairs[i].value != NULL) {
      size += put_header(AT, version, pairs[i].name, strlen(pairs[i].name),
                         pairs[i].value, strlen(pairs[i].value));
    }
  }
  if (len > 0) {
    size += put_header(AT, version, "content-length", 14, digits,
                       sbk__format_u64(digits, len));
  }
  if (dst != NULL) {
    dst[size] = '\n';
    if (len > 0) {
      put(dst + size + 1, body, len);
    }
    dst[size + 1 + len] = 0;
  }
#undef AT

  return size + 1 + len + 1;
}

sbk_buf *sbk__frame_new(const struct sbk_mem *mem, enum sbk__version version,
                        enum sbk_command command, const sbk__pair *pairs,
                        size_t pair_count, const char *body) {
  size_t size = put_frame(NULL, version, command, pairs, pair_count, body);
  sbk_buf *frame = sbk__buf_new(mem, size);

  if (frame != NULL) {
    put_frame(sbk__buf_bytes(frame), version, command, pairs, pair_count, body);
  }

  return frame;
}
