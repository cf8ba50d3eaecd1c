#include "hear.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hear_begin(struct hear *hear, bool websocket) {
  hear->websocket = websocket;
  hear->raw_len = 0;
  hear->text[0] = '\0';
}

static void add(struct hear *hear, const void *data, size_t len) {
  size_t i, at = strlen(hear->text);
  const char *bytes = data;

  if (at + len >= sizeof(hear->text)) {
    printf("Bail out! more output than any vector has\n");
    exit(1);
  }
  for (i = 0; i < len; i++) {
    hear->text[at + i] = bytes[i];
    if (bytes[i] == '\0') {
      hear->text[at + i] = '^';
    }
  }
  hear->text[at + len] = '\0';
}

static void add_text(struct hear *hear, const char *text) {
  add(hear, text, strlen(text));
}

static void add_close(struct hear *hear, const uint8_t *payload, size_t len) {
  char text[32] = "<close";

  if (len == 1) {
    strcpy(text, "<!close of one byte");
  } else if (len >= 2) {
    snprintf(text, sizeof(text), "<close %d%s", payload[0] << 8 | payload[1],
             len > 2 ? " " : "");
  }
  add_text(hear, text);
  if (len > 2) {
    add(hear, payload + 2, len - 2);
  }
  add_text(hear, ">");
}

/* RFC 6455, 5.1 and 5.2: servers do not mask, and we do not fragment. */
static void add_frame(struct hear *hear, const uint8_t *payload, size_t len) {
  switch (hear->raw[0]) {
  case 0x81:
    add(hear, payload, len);
    break;
  case 0x82:
    add_text(hear, "<binary>");
    add(hear, payload, len);
    break;
  case 0x88:
    add_close(hear, payload, len);
    break;
  case 0x8a:
    add_text(hear, "<pong ");
    add(hear, payload, len);
    add_text(hear, ">");
    break;
  default:
    add_text(hear, "<!frame of another kind>");
    break;
  }
}

/* The first frame of raw, if it is whole. */
static bool take_frame(struct hear *hear) {
  const uint8_t *raw = hear->raw;
  size_t head = 2, len;

  if (hear->raw_len < 2) {
    return false;
  }
  len = raw[1];
  if (len == 126) {
    head = 4;
    len = hear->raw_len < 4 ? 0 : (size_t)raw[2] << 8 | raw[3];
    if (hear->raw_len >= 4 && len < 126) {
      add_text(hear, "<!length not minimal>");
    }
  } else if (len > 126) {
    add_text(hear, "<!mask, or a long frame>");
    return false;
  }
  if (hear->raw_len < head || hear->raw_len < head + len) {
    return false;
  }
  add_frame(hear, raw + head, len);
  hear->raw_len -= head + len;
  memmove(hear->raw, hear->raw + head + len, hear->raw_len);

  return true;
}

static void take(struct hear *hear, const uint8_t *bytes, size_t len) {
  if (!hear->websocket) {
    add(hear, bytes, len);
    return;
  }
  if (hear->raw_len + len > sizeof(hear->raw)) {
    printf("Bail out! a frame longer than any vector has\n");
    exit(1);
  }
  memcpy(hear->raw + hear->raw_len, bytes, len);
  hear->raw_len += len;
  while (take_frame(hear)) {
  }
}

/* The value of each header line of that name becomes another. */
static void hide(char *text, const char *name, const char *other) {
  char *at = text, *end;

  while ((at = strstr(at, name)) != NULL) {
    at += strlen(name);
    end = at + strcspn(at, "\n");
    if ((size_t)(end - at) >= strlen(other)) {
      memcpy(at, other, strlen(other));
      memmove(at + strlen(other), end, strlen(end) + 1);
    }
  }
}

const char *hear_all(struct hear *hear, sbk_conn *conn) {
  uint8_t bytes[1024];
  size_t len;

  while ((len = sbk_conn_copy_out(conn, bytes, sizeof(bytes))) > 0) {
    sbk_conn_sent(conn, len);
    take(hear, bytes, len);
  }
  if (hear->raw_len > 0) {
    add_text(hear, "<!half a frame>");
  }
  hide(hear->text, "\nmessage-id:", "{n}");
  hide(hear->text, "\nsession:", "{s}");

  return hear->text;
}
