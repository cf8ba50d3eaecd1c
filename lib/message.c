#include "message.h"

#include <assert.h>
#include <string.h>

#define HEADERS_MAX                                                            \
  1024 /* sbk_message_set_header(): as max_headers' largest                    \
        */

#define SURROUNDINGS 256

sbk_message *sbk__message_new(const struct sbk_mem *mem,
                              enum sbk_command command, size_t cap) {
  sbk_message *msg;

  assert(cap <= UINT16_MAX);
  msg = sbk__malloc(mem, sizeof(*msg) + cap * sizeof(sbk__header));
  if (msg == NULL) {
    return NULL;
  }

  memset(msg, 0, sizeof(*msg));
  msg->mem = mem;
  msg->refs = 1;
  msg->command = (uint8_t)command;
  msg->header_cap = (uint16_t)cap;
  msg->headers = (sbk__header *)(msg + 1);

  return msg;
}

sbk_message *sbk_message_ref(sbk_message *msg) {
  msg->refs++;
  return msg;
}

static void free_rests(sbk_message *msg) {
  int i, j;

  for (i = 0; i < SBK__VERSIONS; i++) {
    sbk__rest *rest = msg->rest[i];

    for (j = i; j < SBK__VERSIONS; j++) {
      msg->rest[j] = msg->rest[j] == rest ? NULL : msg->rest[j];
    }
    sbk__free(msg->mem, rest);
  }
}

static void free_header(const struct sbk_mem *mem, sbk__header *header) {
  if (header->own) {
    sbk__free(mem, (void *)(uintptr_t)header->name);
  }
}

void sbk_message_unref(sbk_message *msg) {
  uint32_t i;

  if (msg == NULL || --msg->refs > 0) {
    return;
  }

  for (i = 0; i < msg->header_count; i++) {
    free_header(msg->mem, &msg->headers[i]);
  }
  if (msg->own_table) {
    sbk__free(msg->mem, msg->headers);
  }
  free_rests(msg);
  sbk__free(msg->mem, msg->escaped);
  sbk_buf_unref(msg->text);
  sbk__free(msg->mem, msg);
}

size_t sbk__message_cost(const sbk_message *msg) {
  size_t size = SURROUNDINGS + (msg->text != NULL ? msg->text->len : 0);
  uint32_t i;

  for (i = 0; i < msg->header_count; i++) {
    size += msg->headers[i].name_len;
    size += msg->headers[i].value_len;
  }

  return size;
}

const sbk__header *sbk__message_find(const sbk_message *msg, const char *name,
                                     size_t name_len) {
  uint32_t i;

  for (i = 0; i < msg->header_count; i++) {
    const sbk__header *header = &msg->headers[i];

    if (header->name_len == name_len &&
        memcmp(header->name, name, name_len) == 0) {
      return header;
    }
  }

  return NULL;
}

const sbk__header *sbk__message_findz(const sbk_message *msg,
                                      const char *name) {
  return sbk__message_find(msg, name, strlen(name));
}

static int reserve_header(sbk_message *msg) {
  size_t cap = (size_t)msg->header_cap * 2 + 4;
  sbk__header *headers;

  if (msg->header_count >= HEADERS_MAX) {
    return SBK_ERR_TOO_MANY;
  }
  if (msg->header_count < msg->header_cap) {
    return 0;
  }

  headers = sbk__malloc(msg->mem, cap * sizeof(*headers));
  if (headers == NULL) {
    return SBK_ERR_NOMEM;
  }
  memcpy(headers, msg->headers, msg->header_count * sizeof(*headers));
  if (msg->own_table) {
    sbk__free(msg->mem, msg->headers);
  }
  msg->headers = headers;
  msg->header_cap = (uint16_t)cap;
  msg->own_table = true;

  return 0;
}

/* One block: the name, NUL, the value, NUL. */
static int make_header(sbk__header *header, const struct sbk_mem *mem,
                       const char *name, size_t name_len, const char *value,
                       size_t value_len) {
  char *block;

  if (name_len > UINT32_MAX / 4 || value_len > UINT32_MAX / 4) {
    return SBK_ERR_INVAL;
  }
  block = sbk__malloc(mem, name_len + value_len + 2);
  if (block == NULL) {
    return SBK_ERR_NOMEM;
  }

  memcpy(block, name, name_len);
  block[name_len] = '\0';
  memcpy(block + name_len + 1, value, value_len);
  block[name_len + 1 + value_len] = '\0';
  header->name = block;
  header->value = block + name_len + 1;
  header->name_len = (uint32_t)name_len;
  header->value_len = (uint32_t)value_len;
  header->own = true;

  return 0;
}

int sbk__message_put(sbk_message *msg, const char *name, const char *value) {
  const sbk__header *old = sbk__message_findz(msg, name);
  sbk__header header;
  int rv;

  if (old == NULL) {
    rv = reserve_header(msg);
    if (rv != 0) {
      return rv;
    }
  }
  rv = make_header(&header, msg->mem, name, strlen(name), value, strlen(value));
  if (rv != 0) {
    return rv;
  }

  if (old == NULL) {
    msg->headers[msg->header_count++] = header;
  } else {
    sbk__header *place = &msg->headers[old - msg->headers];

    free_header(msg->mem, place);
    *place = header;
  }

  return 0;
}

sbk_message *sbk__message_clone(const sbk_message *msg) {
  sbk_message *copy = sbk__message_new(msg->mem, (enum sbk_command)msg->command,
                                       msg->header_count + 2);
  uint32_t i;

  if (copy == NULL) {
    return NULL;
  }

  for (i = 0; i < msg->header_count; i++) {
    const sbk__header *from = &msg->headers[i];

    if (make_header(&copy->headers[i], msg->mem, from->name, from->name_len,
                    from->value, from->value_len) != 0) {
      sbk_message_unref(copy);
      return NULL;
    }
    copy->header_count++;
  }
  copy->text = msg->text != NULL ? sbk_buf_ref(msg->text) : NULL;
  copy->foreign = msg->foreign;

  return copy;
}

bool sbk__message_name_reserved(const char *name) {
  static const char *const reserved[] = {"destination", "content-length",
                                         "message-id", "subscription", "ack"};
  size_t i;

  for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
    if (strcmp(name, reserved[i]) == 0) {
      return true;
    }
  }

  return false;
}

int sbk_message_set_header(sbk_message *msg, const char *name,
                           const char *value) {
  if (name == NULL || value == NULL || name[0] == '\0' ||
      sbk__message_name_reserved(name)) {
    return SBK_ERR_INVAL;
  }
  if (msg->frozen) {
    return SBK_ERR_STATE;
  }

  return sbk__message_put(msg, name, value);
}

enum sbk_command sbk_message_command(const sbk_message *msg) {
  return (enum sbk_command)msg->command;
}

const char *sbk_message_header(const sbk_message *msg, const char *name) {
  const sbk__header *header = sbk__message_findz(msg, name);

  return header != NULL ? header->value : NULL;
}

size_t sbk_message_header_count(const sbk_message *msg) {
  return msg->header_count;
}

void sbk_message_header_at(const sbk_message *msg, size_t index,
                           const char **name, const char **value) {
  bool there = index < msg->header_count;

  *name = there ? msg->headers[index].name : NULL;
  *value = there ? msg->headers[index].value : NULL;
}

const void *sbk_message_body(const sbk_message *msg, size_t *len) {
  *len = msg->text != NULL ? msg->text->len : 0;
  return msg->text != NULL ? msg->text->data : (const uint8_t *)"";
}

sbk_buf *sbk_message_body_buf(const sbk_message *msg) {
  return msg->text != NULL && msg->text->len > 0 ? msg->text : NULL;
}
