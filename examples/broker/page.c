/* page.c - text that grows as it is written. */
#include "page.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for len bytes and a NUL more. */
static bool reserve(struct page *p, size_t len) {
  size_t room = p->room > 0 ? p->room : 4096;
  char *text;
  if (p->failed) return false;
  while (room - p->len <= len)
    room *= 2;
  if (room == p->room) return true;
  text = realloc(p->text, room);
  if (text == NULL) {
    p->failed = true;
    return false;
  }
  p->text = text;
  p->room = room;
  return true;
}

void page_add(struct page *p, const char *fmt, ...) {
  va_list args, again;
  int n;
  va_start(args, fmt);
  va_copy(again, args);
  n = vsnprintf(NULL, 0, fmt, args);
  if (n > 0 && reserve(p, (size_t)n)) {
    vsnprintf(p->text + p->len, (size_t)n + 1, fmt, again);
    p->len += (size_t)n;
  }
  va_end(again);
  va_end(args);
}

/* Bytes of the character that stands there; 0: it is none (RFC 3629, 4). */
static size_t utf8_len(const uint8_t *c) {
  size_t i, len = c[0] < 0x80                    ? 1
                  : c[0] >= 0xc2 && c[0] <= 0xdf ? 2
                  : c[0] >= 0xe0 && c[0] <= 0xef ? 3
                  : c[0] >= 0xf0 && c[0] <= 0xf4 ? 4
                                                 : 0;
  for (i = 1; i < len; i++)
    if ((c[i] & 0xc0) != 0x80) return 0;
  if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
      (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
    return 0;
  return len;
}

void page_add_label(struct page *p, const char *text) {
  while (*text != '\0') {
    size_t len = utf8_len((const uint8_t *)text);
    if (*text == '\n') page_add(p, "\\n");
    else if (*text == '\\' || *text == '"') page_add(p, "\\%c", *text);
    else if (len == 0) page_add(p, "\xef\xbf\xbd"); /* U+FFFD */
    else page_add(p, "%.*s", (int)len, text);
    text += len > 0 ? len : 1;
  }
}

void page_free(struct page *p) {
  free(p->text);
}
