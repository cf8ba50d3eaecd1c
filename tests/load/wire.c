#define _GNU_SOURCE
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

static uint8_t *bytes_room(struct bytes *b, size_t len) {
  if (b->size - (size_t)(b->data - b->start) - b->len < len) {
    if (b->len > 0) memmove(b->start, b->data, b->len);
    if (b->size - b->len < len) {
      size_t size = 2 * b->size > b->len + len ? 2 * b->size : b->len + len;
      b->start = realloc(b->start, size);
      if (b->start == NULL) give_up("no memory");
      b->size = size;
    }
    b->data = b->start;
  }
  return b->data + b->len;
}

void bytes_add(struct bytes *b, const void *data, size_t len) {
  if (len == 0) return;
  memcpy(bytes_room(b, len), data, len);
  b->len += len;
}

void bytes_take(struct bytes *b, size_t len) {
  b->len -= len;
  b->data += len;
  if (b->len == 0) bytes_free(b); /* thousands of clients hold none */
}

void bytes_free(struct bytes *b) {
  free(b->start);
  memset(b, 0, sizeof(*b));
}

void ws_put(struct bytes *b, unsigned first, const void *data, size_t len) {
  static uint32_t seed = 2463534242u;
  uint8_t head[14] = {(uint8_t)first, 0x80}, mask[4], *to;
  const uint8_t *from = data;
  size_t size = 2, i;
  if (len < 126) {
    head[1] = (uint8_t)(0x80 | len);
  } else {
    size_t width = len < 65536 ? 2 : 8;
    head[1] = (uint8_t)(0x80 | (width == 2 ? 126 : 127));
    for (i = 0; i < width; i++)
      head[size++] = (uint8_t)(len >> 8 * (width - 1 - i));
  }
  seed ^= seed << 13, seed ^= seed >> 17, seed ^= seed << 5;
  memcpy(mask, &seed, 4);
  memcpy(head + size, mask, 4);
  bytes_add(b, head, size + 4);
  to = bytes_room(b, len);
  for (i = 0; i < len; i++)
    to[i] = from[i] ^ mask[i & 3];
  b->len += len;
}

long ws_get(struct ws_frame *f, uint8_t *data, size_t len) {
  size_t head = 2, i, width;
  uint64_t size;
  if (len < 2) return 0;
  size = data[1];
  if (size & 0x80 || !(data[0] & WS_FIN) || data[0] & 0x70) return -1;
  width = size == 126 ? 2 : size == 127 ? 8 : 0;
  if (len < head + width) return 0;
  for (i = 0, size = width ? 0 : size; i < width; i++)
    size = size << 8 | data[head++];
  if (len - head < size) return 0;
  f->opcode = data[0] & 0x0f;
  f->data = data + head;
  f->len = (size_t)size;
  return (long)(head + f->len);
}

bool frame_get(struct frame *f, const uint8_t *data, size_t len) {
  const char *text = (const char *)data;
  const char *end;
  memset(f, 0, sizeof(*f));
  if (len == 1 && text[0] == '\n') return true;
  end = memmem(data, len, "\n\n", 2);
  if (end == NULL || text[len - 1] != '\0') return false;
  f->head = text;
  f->head_len = (size_t)(end + 1 - text);
  f->body = end + 2;
  f->len = len - 1 - (size_t)(f->body - text);
  return true;
}

bool frame_is(const struct frame *f, const char *command) {
  size_t len = strlen(command);
  return f->head_len > len && memcmp(f->head, command, len) == 0 &&
         f->head[len] == '\n';
}

void frame_header(const struct frame *f, const char *name, char *dst,
                  size_t size) {
  char key[64];
  int key_len = snprintf(key, sizeof(key), "\n%s:", name);
  const char *at = memmem(f->head, f->head_len, key, (size_t)key_len), *end;
  size_t len;
  dst[0] = '\0';
  if (at == NULL) return;
  at += key_len;
  end = memchr(at, '\n', (size_t)(f->head + f->head_len - at));
  len = (size_t)(end - at) < size - 1 ? (size_t)(end - at) : size - 1;
  memcpy(dst, at, len);
  dst[len] = '\0';
}
