#include "str.h"

#include <string.h>

#include "ascii.h"

void sbk__str_init(sbk__str *str, const struct sbk_mem *mem) {
  memset(str, 0, sizeof(*str));
  str->mem = mem;
}

void sbk__str_free(sbk__str *str) {
  sbk__free(str->mem, str->data);
  sbk__str_init(str, str->mem);
}

int sbk__str_reserve(sbk__str *str, size_t size) {
  size_t cap = str->cap;
  char *data;

  if (str->failed) {
    return SBK_ERR_NOMEM;
  }
  if (size <= str->cap - str->len) {
    return 0;
  }
  if (size > SIZE_MAX / 4 - str->len) {
    str->failed = true;
    return SBK_ERR_NOMEM;
  }

  cap = cap < 64 ? 64 : cap;
  while (cap - str->len < size) {
    cap *= 2;
  }
  data = sbk__realloc(str->mem, str->data, cap);
  if (data == NULL) {
    str->failed = true;
    return SBK_ERR_NOMEM;
  }
  str->data = data;
  str->cap = cap;

  return 0;
}

void sbk__str_add(sbk__str *str, const void *data, size_t len) {
  if (len == 0 || sbk__str_reserve(str, len) != 0) {
    return;
  }
  memcpy(str->data + str->len, data, len);
  str->len += len;
}

void sbk__str_addz(sbk__str *str, const char *text) {
  sbk__str_add(str, text, strlen(text));
}

size_t sbk__format_u64(char out[20], uint64_t value) {
  char digits[20];
  size_t i, count = 0;

  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  for (i = 0; i < count; i++) {
    out[i] = digits[count - 1 - i];
  }

  return count;
}

void sbk__str_add_u64(sbk__str *str, uint64_t value) {
  char digits[20];

  sbk__str_add(str, digits, sbk__format_u64(digits, value));
}

uint64_t sbk__parse_u64(const char *text) {
  uint64_t value = 0;

  if (*text == '0') {
    return 0; /* STOMP 1.2, ACK: ids are texts, and none begins so */
  }
  for (; sbk__ascii_is_digit(*text) && value < UINT64_MAX / 10 - 9; text++) {
    value = value * 10 + (uint64_t)(*text - '0');
  }

  return *text == '\0' ? value : 0;
}
