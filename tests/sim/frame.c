#include "frame.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const char *frame_get(const struct frame *frame, const char *name) {
  size_t i;

  for (i = 0; i < frame->count; i++) {
    if (strcmp(frame->headers[i].name, name) == 0) {
      return frame->headers[i].value; /* STOMP 1.2, Repeated Header Entries */
    }
  }

  return NULL;
}

/* STOMP 1.2, Value Encoding; 1.1 knows no \r, and 1.0 none at all. */
static bool unescape(char *text, int version) {
  char *to = text;

  for (; *text != '\0'; text++) {
    if (*text == '\\' && version > 10) {
      text++;
      switch (*text) {
      case 'n':
        *to++ = '\n';
        break;
      case 'c':
        *to++ = ':';
        break;
      case '\\':
        *to++ = '\\';
        break;
      case 'r':
        if (version < 12) {
          return false;
        }
        *to++ = '\r';
        break;
      default:
        return false;
      }
    } else {
      *to++ = *text;
    }
  }
  *to = '\0';

  return true;
}

/* The end of the head, behind its blank line; NULL: it is not there yet. */
static char *head_end(char *data, size_t len) {
  size_t i;

  for (i = 1; i < len && data[i] != '\0'; i++) {
    if (data[i] == '\n' && data[i - 1] == '\n') {
      return data + i + 1;
    }
  }

  return NULL;
}

static bool read_headers(struct frame *frame, char *at, int version) {
  bool plain = strcmp(frame->command, "CONNECTED") == 0;

  while (*at != '\n') {
    char *end = strchr(at, '\n');
    char *colon = memchr(at, ':', (size_t)(end - at));

    if (colon == NULL || frame->count == FRAME_HEADERS) {
      return false;
    }
    *end = *colon = '\0';
    if (!plain && (!unescape(at, version) || !unescape(colon + 1, version))) {
      return false;
    }
    frame->headers[frame->count].name = at;
    frame->headers[frame->count++].value = colon + 1;
    at = end + 1;
  }

  return true;
}

/* The value of content-length in a head; NULL: it has none. */
static const char *find_length(const char *head, const char *end) {
  static const char name[] = "\ncontent-length:";

  for (; end - head > (long)sizeof(name); head++) {
    if (memcmp(head, name, sizeof(name) - 1) == 0) {
      return head + sizeof(name) - 1;
    }
  }

  return NULL;
}

long frame_read(struct frame *frame, char *data, size_t len, int version) {
  char *body, *line;
  const char *length;
  size_t rest, want;

  memset(frame, 0, sizeof(*frame));
  if (len == 0) {
    return 0;
  }
  if (data[0] == '\n') {
    return 1;
  }
  body = head_end(data, len);
  if (body == NULL) {
    return memchr(data, '\0', len) != NULL ? -1 : 0;
  }
  rest = len - (size_t)(body - data);
  /* Whether it is whole is seen first: what is not stays as it is. */
  length = find_length(data, body);
  if (length != NULL) {
    want = strtoul(length, NULL, 10);
    if (rest < want + 1) {
      return 0;
    }
    if (body[want] != '\0') {
      return -1;
    }
  } else {
    const char *end = memchr(body, '\0', rest);

    if (end == NULL) {
      return 0;
    }
    want = (size_t)(end - body);
  }
  frame->body = body;
  frame->len = want;
  frame->command = data;
  line = strchr(data, '\n');
  *line = '\0';
  if (!read_headers(frame, line + 1, version)) {
    return -1;
  }

  return (long)(body - data) + (long)want + 1;
}
