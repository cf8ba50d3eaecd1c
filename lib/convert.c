#include "convert.h"

#include <string.h>

#include "abi.h"
#include "ascii.h"
#include "utf8.h"

/* RFC 2045, 5.1: type and subtype, without parameters. */
static size_t type_len(const char *content_type) {
  return strcspn(content_type, "; \t");
}

const struct sbk_converter *
sbk__converters_find(const sbk__converters *converters,
                     const char *content_type) {
  size_t i;

  for (i = 0; i < converters->count; i++) {
    const struct sbk_converter *item = &converters->items[i];

    if (content_type == NULL ||
        sbk__ascii_same(content_type, type_len(content_type),
                        item->content_type, type_len(item->content_type))) {
      return item;
    }
  }

  return NULL;
}

int sbk__converters_add(sbk__converters *converters, const struct sbk_mem *mem,
                        const struct sbk_converter *converter) {
  struct sbk_converter copy, *items;
  int rv = sbk__abi_copy(&copy, sizeof(copy), sizeof(copy), converter);

  if (rv != 0) {
    return rv;
  }
  if (copy.content_type == NULL || copy.content_type[0] == '\0' ||
      strpbrk(copy.content_type, "\r\n") != NULL || copy.encode == NULL) {
    return SBK_ERR_INVAL;
  }
  if (sbk__converters_find(converters, copy.content_type) != NULL) {
    return SBK_ERR_EXISTS;
  }

  items = sbk__realloc(mem, converters->items,
                       (converters->count + 1) * sizeof(*items));
  if (items == NULL) {
    return SBK_ERR_NOMEM;
  }
  converters->items = items;
  copy.content_type =
      sbk__strndup(mem, copy.content_type, strlen(copy.content_type));
  if (copy.content_type == NULL) {
    return SBK_ERR_NOMEM;
  }
  items[converters->count++] = copy;

  return 0;
}

void sbk__converters_free(sbk__converters *converters,
                          const struct sbk_mem *mem) {
  size_t i;

  for (i = 0; i < converters->count; i++) {
    sbk__free(mem, (void *)(uintptr_t)converters->items[i].content_type);
  }
  sbk__free(mem, converters->items);
}

/* ---- text and octets ---- */

static int copy(sbk_broker *broker, const void *data, size_t len,
                sbk_buf **out) {
  *out = sbk_buf_copy(broker, data, len);

  return *out != NULL ? 0 : SBK_ERR_NOMEM;
}

static int encode_text(sbk_broker *broker, const char *type, const void *value,
                       sbk_buf **out, void *arg) {
  size_t len = strlen(value);

  (void)type, (void)arg;
  return sbk__utf8_valid(value, len) ? copy(broker, value, len, out)
                                     : SBK_ERR_INVAL;
}

static int encode_bytes(sbk_broker *broker, const char *type, const void *value,
                        sbk_buf **out, void *arg) {
  const struct sbk_bytes *bytes = value;

  (void)type, (void)arg;
  return copy(broker, bytes->data, bytes->len, out);
}

static int decode_bytes(sbk_broker *broker, const char *type, const void *data,
                        size_t len, void *value, void *arg) {
  (void)broker, (void)type, (void)arg;
  *(struct sbk_bytes *)value = (struct sbk_bytes){data, len};

  return 0;
}

static int decode_text(sbk_broker *broker, const char *type, const void *data,
                       size_t len, void *value, void *arg) {
  return sbk__utf8_valid(data, len)
             ? decode_bytes(broker, type, data, len, value, arg)
             : SBK_ERR_INVAL;
}

const struct sbk_converter *sbk_text_converter(void) {
  static const struct sbk_converter text = {.size = sizeof(text),
                                            .content_type = "text/plain",
                                            .encode = encode_text,
                                            .decode = decode_text};

  return &text;
}

const struct sbk_converter *sbk_bytes_converter(void) {
  static const struct sbk_converter bytes = {.size = sizeof(bytes),
                                             .content_type =
                                                 "application/octet-stream",
                                             .encode = encode_bytes,
                                             .decode = decode_bytes};

  return &bytes;
}
