#include "answer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum place { HEAD, BODY, SIZE, SIZE_END, CHUNK, CHUNK_CR, CHUNK_LF };

void answer_clear(struct answer *answer) {
  memset(answer, 0, sizeof(*answer));
}

/* How many fields have that name; the last one's value. */
static unsigned find(const struct answer *answer, const char *name, char *value,
                     size_t cap) {
  const char *line = strstr(answer->head, "\r\n") + 2, *end;
  size_t len = strlen(name);
  unsigned count = 0;

  *value = '\0';
  for (; *line != '\r'; line = end + 2) {
    end = strstr(line, "\r\n");
    if (strncmp(line, name, len) == 0 && line[len] == ':') {
      snprintf(value, cap, "%.*s", (int)(end - line - (long)len - 2),
               line + len + 2);
      count++;
    }
  }
  return count;
}

const char *answer_field(const struct answer *answer, const char *name,
                         char *value, size_t cap) {
  (void)find(answer, name, value, cap);
  return value;
}

/* NAME: VALUE, and no control characters. */
static bool is_field(const char *line, const char *end) {
  const char *at = line;

  while (at < end && (isalnum((unsigned char)*at) || *at == '-')) {
    at++;
  }
  if (at == line || end - at < 3 || at[0] != ':' || at[1] != ' ' ||
      at[2] == ' ' || end[-1] == ' ') {
    return false;
  }
  for (; at < end; at++) {
    if ((unsigned char)*at < 0x20 || (unsigned char)*at > 0x7e) {
      return false;
    }
  }
  return true;
}

/* The whole head: what is to follow. False: it is broken. */
static bool read_head(struct answer *answer) {
  const char *line, *end;
  char value[64], again[24];
  unsigned lengths;

  if (strncmp(answer->head, "HTTP/1.1 ", 9) != 0 ||
      sscanf(answer->head + 9, "%3d", &answer->status) != 1 ||
      answer->status < 200 || answer->head[12] != ' ' ||
      !isupper((unsigned char)answer->head[13])) {
    return false;
  }
  for (line = strstr(answer->head, "\r\n") + 2; *line != '\r'; line = end + 2) {
    end = strstr(line, "\r\n");
    if (!is_field(line, end)) {
      return false;
    }
  }
  if (find(answer, "Connection", value, sizeof(value)) > 0) {
    answer->close = strcmp(value, "close") == 0;
  }
  if (find(answer, "Transfer-Encoding", value, sizeof(value)) > 0) {
    answer->chunked = strcmp(value, "chunked") == 0;
    return answer->chunked && answer->status == 200 &&
           find(answer, "Content-Length", value, sizeof(value)) == 0;
  }
  lengths = find(answer, "Content-Length", value, sizeof(value));
  if (answer->status == 204 || answer->status == 304) {
    return lengths == 0;
  }
  answer->left = strtoul(value, NULL, 10);
  snprintf(again, sizeof(again), "%zu", answer->left);
  return lengths == 1 && strcmp(value, again) == 0;
}

static unsigned head_byte(struct answer *answer, unsigned byte) {
  if (byte == 0 || byte > 255 || answer->head_len + 1 >= sizeof(answer->head)) {
    return ANSWER_BROKEN;
  }
  answer->head[answer->head_len++] = (char)byte;
  answer->head[answer->head_len] = '\0';
  if (answer->head_len < 4 ||
      strcmp(answer->head + answer->head_len - 4, "\r\n\r\n") != 0) {
    return 0;
  }
  if (!read_head(answer)) {
    return ANSWER_BROKEN;
  }
  answer->place = answer->chunked ? SIZE : BODY;
  return answer->chunked || answer->left > 0 ? 0 : ANSWER_WHOLE;
}

/* A digit of a chunk's size, or the end of it. */
static unsigned size_byte(struct answer *answer, unsigned byte) {
  static const char digits[] = "0123456789abcdef";
  const char *digit = byte > 0 ? strchr(digits, (int)byte) : NULL;

  if (byte == '\r' && answer->sized) {
    answer->place = SIZE_END;
    return 0;
  }
  if (digit == NULL || (answer->sized && answer->left == 0) ||
      answer->left > SIZE_MAX / 32) {
    return ANSWER_BROKEN;
  }
  answer->sized = true;
  answer->left = answer->left * 16 + (size_t)(digit - digits);
  return 0;
}

/* The ends of lines around a chunk; an empty chunk is the last one. */
static unsigned line_byte(struct answer *answer, unsigned byte) {
  if (byte != (answer->place == CHUNK_CR ? '\r' : '\n')) {
    return ANSWER_BROKEN;
  }
  switch (answer->place) {
  case SIZE_END:
    answer->last = answer->left == 0;
    answer->place = answer->last ? CHUNK_CR : CHUNK;
    return 0;
  case CHUNK_CR:
    answer->place = CHUNK_LF;
    return 0;
  default:
    answer->place = SIZE;
    answer->sized = false;
    return answer->last ? ANSWER_WHOLE : 0;
  }
}

unsigned answer_byte(struct answer *answer, unsigned byte) {
  if (byte > 255) {
    return ANSWER_BROKEN;
  }
  answer->seen++;
  switch (answer->place) {
  case HEAD:
    return head_byte(answer, byte);
  case BODY:
    return --answer->left == 0 ? ANSWER_BODY | ANSWER_WHOLE : ANSWER_BODY;
  case SIZE:
    return size_byte(answer, byte);
  case CHUNK:
    answer->place = --answer->left == 0 ? CHUNK_CR : CHUNK;
    return ANSWER_BODY;
  default:
    return line_byte(answer, byte);
  }
}

/* JSON. */

/* sockjs-protocol 0.3.3 escapes what some browsers lose: its
 * escapable_by_server, and DEL. */
static bool is_escaped(unsigned c) {
  return c < 0x20 || c == 0x7f || (c >= 0x200c && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202f) || (c >= 0x2060 && c <= 0x206f) ||
         (c >= 0xfff0 && c <= 0xffff) || c == '"' || c == '\\';
}

static void put_character(struct codes *codes, unsigned c) {
  if (c < 0x80) {
    codes_add(codes, c);
  } else if (c < 0x800) {
    codes_add(codes, 0xc0 | (c >> 6));
    codes_add(codes, 0x80 | (c & 0x3f));
  } else {
    codes_add(codes, 0xe0 | (c >> 12));
    codes_add(codes, 0x80 | ((c >> 6) & 0x3f));
    codes_add(codes, 0x80 | (c & 0x3f));
  }
}

static const char shorts[] = "\"\\bfnrt";
static const char short_bytes[] = "\"\\\b\f\n\r\t";

/* What stands behind a backslash; how many codes it has, 0: it must not. */
static size_t read_escape(struct codes *shown, const uint16_t *at, size_t len) {
  static const char digits[] = "0123456789abcdef";
  const char *found;
  unsigned c = 0;
  size_t i;

  if (len == 0 || at[0] == 0 || at[0] > 0x7f) {
    return 0;
  }
  found = strchr(shorts, at[0]);
  if (found != NULL) {
    codes_add(shown, (uint8_t)short_bytes[found - shorts]);
    return 1;
  }
  if (at[0] != 'u' || len < 5) {
    return 0;
  }
  for (i = 1; i < 5; i++) {
    found = at[i] > 0 && at[i] < 0x80 ? strchr(digits, at[i]) : NULL;
    if (found == NULL) {
      return 0;
    }
    c = c * 16 + (unsigned)(found - digits);
  }
  if (!is_escaped(c) || (c > 0 && c < 0x80 && strchr(short_bytes, (int)c))) {
    return 0;
  }
  put_character(shown, c);
  return 5;
}

/* A character of UTF-8 as it stands; how many bytes, 0: it must not
 * (Unicode, table 3-7). */
static size_t read_character(struct codes *shown, const uint16_t *at,
                             size_t len) {
  unsigned c = at[0], low = 0x80, high = 0xbf;
  size_t size = c < 0x80                ? 1
                : c >= 0xc2 && c < 0xe0 ? 2
                : c >= 0xe0 && c < 0xf0 ? 3
                : c >= 0xf0 && c < 0xf5 ? 4
                                        : 0;
  size_t i;

  if (size == 0 || size > len) {
    return 0;
  }
  low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : low;
  high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : high;
  c &= size == 1 ? 0x7fu : 0x7fu >> size;
  for (i = 1; i < size; i++, low = 0x80, high = 0xbf) {
    if (at[i] < low || at[i] > high) {
      return 0;
    }
    c = (c << 6) | (at[i] & 0x3f);
  }
  if (is_escaped(c)) {
    return 0;
  }
  for (i = 0; i < size; i++) {
    codes_add(shown, at[i]);
  }
  return size;
}

/* A string from its first quote on; how many codes it has, 0: it is none. */
static size_t read_string(struct codes *shown, const uint16_t *at, size_t len) {
  size_t i = 1, used;

  if (len == 0 || at[0] != '"') {
    return 0;
  }
  while (i < len && at[i] != '"') {
    if (at[i] == '\\') {
      used = read_escape(shown, at + i + 1, len - i - 1);
      used += used > 0;
    } else {
      used = read_character(shown, at + i, len - i);
    }
    if (used == 0) {
      return 0;
    }
    i += used;
  }
  return i < len ? i + 1 : 0;
}

bool answer_messages(struct codes *shown, const struct codes *frame) {
  size_t i = 1, used;

  if (frame->len < 4 || frame->at[0] != 'a' || frame->at[1] != '[') {
    return false;
  }
  while (frame->at[i] == (i == 1 ? '[' : ',')) {
    i++;
    codes_add(shown, CODE_TEXT);
    used = read_string(shown, frame->at + i, frame->len - i);
    i += used;
    if (used == 0 || i == frame->len) {
      return false;
    }
  }
  return i + 1 == frame->len && frame->at[i] == ']';
}

bool answer_close(struct codes *shown, const struct codes *frame) {
  static const char away[] = "Go away!";
  unsigned code = 0;
  struct codes reason = {0};
  size_t i, used = 0;
  bool same;

  for (i = 2; i < frame->len && i < 6; i++) {
    if (frame->at[i] < '0' || frame->at[i] > '9') {
      return false;
    }
    code = code * 10 + frame->at[i] - '0';
  }
  if (frame->len < 10 || frame->at[0] != 'c' || frame->at[1] != '[' ||
      frame->at[6] != ',' || code < 1000 || code > 4999) {
    return false;
  }
  used = read_string(&reason, frame->at + 7, frame->len - 7);
  same = reason.len == strlen(away);
  for (i = 0; same && i < reason.len; i++) {
    same = reason.at[i] == (uint8_t)away[i];
  }
  if (code == 3000 && same) { /* a Close with 1000 and no reason */
    code = 1000;
    codes_clear(&reason);
  }
  codes_add(shown, CODE_CLOSE);
  codes_add(shown, code >> 8);
  codes_add(shown, code & 0xff);
  codes_append(shown, &reason);
  codes_free(&reason);
  return used > 0 && 7 + used + 1 == frame->len && frame->at[7 + used] == ']';
}

void answer_string(struct codes *json, const struct codes *message) {
  size_t i;

  codes_add(json, '"');
  for (i = 0; i < message->len; i++) {
    unsigned c = message->at[i];
    const char *found = c > 0 && c < 0x80 ? strchr(short_bytes, (int)c) : NULL;
    char text[8];

    if (found != NULL) {
      snprintf(text, sizeof(text), "\\%c", shorts[found - short_bytes]);
      codes_add_text(json, text);
    } else if (c < 0x20) {
      snprintf(text, sizeof(text), "\\u%04x", c);
      codes_add_text(json, text);
    } else {
      codes_add(json, c);
    }
  }
  codes_add(json, '"');
}
