#include "stomp_read.h"

#include <string.h>

#include "ascii.h"
#include "stomp_work.h"

enum { BETWEEN = 0, COMMAND, HEADERS, BODY_COUNTED, BODY_TO_NUL };

/* Gives the frame's memory back. */
static void end_frame(sbk__stomp_reader *reader,
                      const sbk__stomp_rules *rules) {
  sbk__stomp_work_end(rules->mem, rules->spare, reader->work);
  reader->work = NULL;
  reader->state = BETWEEN;
}

void sbk__stomp_clear(sbk__stomp_reader *reader,
                      const sbk__stomp_rules *rules) {
  if (reader->work != NULL) {
    end_frame(reader, rules);
  }
  memset(reader, 0, sizeof(*reader));
}

static enum sbk__fault append(struct sbk__stomp_work *work,
                              const sbk__stomp_rules *rules, const void *data,
                              size_t len) {
  return sbk__stomp_work_add(rules->mem, work, data, len) == 0
             ? SBK__FAULT_NONE
             : SBK__FAULT_NOMEM;
}

static size_t max_frame(const sbk__stomp_rules *rules) {
  size_t max = rules->limits->max_message;

  return rules->connected || rules->limits->max_preauth_frame > max
             ? max
             : rules->limits->max_preauth_frame;
}

static enum sbk__fault count(struct sbk__stomp_work *work,
                             const sbk__stomp_rules *rules, size_t len) {
  work->frame += len;
  if (work->frame <= max_frame(rules)) {
    return SBK__FAULT_NONE;
  }

  return rules->connected ? SBK__FAULT_FRAME_SIZE : SBK__FAULT_PREAUTH_FRAME;
}

static enum sbk__fault read_command(struct sbk__stomp_work *work,
                                    const char *text, size_t len) {
  static const struct {
    const char *name;
    uint8_t len;
    uint8_t command;
  } commands[] = {
      {"SEND", 4, SBK_SEND},
      {"SUBSCRIBE", 9, SBK_SUBSCRIBE},
      {"UNSUBSCRIBE", 11, SBK_UNSUBSCRIBE},
      {"ACK", 3, SBK_ACK},
      {"NACK", 4, SBK_NACK},
      {"BEGIN", 5, SBK_BEGIN},
      {"COMMIT", 6, SBK_COMMIT},
      {"ABORT", 5, SBK_ABORT},
      {"CONNECT", 7, SBK_CONNECT},
      {"STOMP", 5, SBK_CONNECT},
      {"DISCONNECT", 10, SBK_DISCONNECT},
      {"CONNECTED", 9, SBK_CONNECTED},
      {"MESSAGE", 7, SBK_MESSAGE},
      {"RECEIPT", 7, SBK_RECEIPT},
      {"ERROR", 5, SBK_ERROR},
  };
  size_t i;

  for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
    if (commands[i].len == len && memcmp(commands[i].name, text, len) == 0) {
      work->command = (enum sbk_command)commands[i].command;
      return work->command == SBK_CONNECTED || work->command >= SBK_MESSAGE
                 ? SBK__FAULT_SERVER_COMMAND
                 : SBK__FAULT_NONE;
    }
  }

  return SBK__FAULT_COMMAND;
}

/*
 * STOMP 1.2, Value Encoding: \r \n \c \\ and nothing else; 1.1 has no \r, but
 * every server takes it. In place; *len becomes the new length.
 */
static enum sbk__fault unescape(char *text, uint32_t *len) {
  char *from = memchr(text, '\\', *len), *to = from, *end = text + *len;

  if (from == NULL) {
    return SBK__FAULT_NONE;
  }

  while (from < end) {
    char c = *from++;

    if (c == '\\') {
      c = from < end ? *from++ : '\0';
      if (c == 'n') {
        c = '\n';
      } else if (c == 'c') {
        c = ':';
      } else if (c == 'r') {
        c = '\r';
      } else if (c != '\\') {
        return SBK__FAULT_ESCAPE;
      }
    }
    *to++ = c;
  }
  *len = (uint32_t)(to - text);
  *to = '\0';

  return SBK__FAULT_NONE;
}

static enum sbk__fault read_content_length(struct sbk__stomp_work *work,
                                           const sbk__stomp_rules *rules,
                                           const sbk__stomp_span *s) {
  const char *digits = sbk__stomp_text(work, s->value);
  uint64_t value = 0;
  uint32_t i;

  if (s->value_len == 0) {
    return SBK__FAULT_CONTENT_LENGTH;
  }
  for (i = 0; i < s->value_len; i++) {
    if (!sbk__ascii_is_digit(digits[i])) {
      return SBK__FAULT_CONTENT_LENGTH;
    }
    /* More than any limit is enough to know. */
    value =
        value > UINT32_MAX ? value : value * 10 + (uint64_t)(digits[i] - '0');
  }
  if (value > max_frame(rules)) {
    return rules->connected ? SBK__FAULT_FRAME_SIZE : SBK__FAULT_PREAUTH_FRAME;
  }
  work->content_length = (size_t)value;
  work->counted = true;

  return SBK__FAULT_NONE;
}

/* STOMP 1.2, Repeated Header Entries: the first one counts. Where two
 * different values could make two readers disagree, that is an ERROR. */
static enum sbk__fault check_repeat(const struct sbk__stomp_work *work,
                                    const sbk__stomp_span *s, bool *repeated) {
  static const char *const strict[] = {"content-length", "destination", "id",
                                       "receipt", "transaction"};
  size_t i, j;

  *repeated = false;
  for (i = 0; i < work->span_count; i++) {
    const sbk__stomp_span *old = &work->spans[i];

    if (old->name_len != s->name_len ||
        memcmp(sbk__stomp_text(work, old->name), sbk__stomp_text(work, s->name),
               s->name_len) != 0) {
      continue;
    }
    *repeated = true;
    if (old->value_len == s->value_len &&
        memcmp(sbk__stomp_text(work, old->value),
               sbk__stomp_text(work, s->value), s->value_len) == 0) {
      return SBK__FAULT_NONE;
    }
    for (j = 0; j < sizeof(strict) / sizeof(strict[0]); j++) {
      if (sbk__stomp_named(work, s, strict[j])) {
        return SBK__FAULT_REPEATED;
      }
    }
    return SBK__FAULT_NONE;
  }

  return SBK__FAULT_NONE;
}

static enum sbk__fault read_header(struct sbk__stomp_work *work,
                                   const sbk__stomp_rules *rules, char *text,
                                   size_t len) {
  char *colon = memchr(text, ':', len);
  bool escapes = work->command != SBK_CONNECT && rules->version > SBK__V10;
  enum sbk__fault fault;
  bool repeated;
  sbk__stomp_span s;

  if (colon == NULL) {
    return SBK__FAULT_COLON;
  }
  if (colon == text) {
    return SBK__FAULT_HEADER_NAME;
  }
  *colon = '\0';
  s.name = (uint32_t)work->line;
  s.name_len = (uint32_t)(colon - text);
  s.value = s.name + s.name_len + 1;
  s.value_len = (uint32_t)(len - s.name_len - 1);
  if (escapes) {
    fault = unescape(text, &s.name_len);
    if (fault == SBK__FAULT_NONE) {
      fault = unescape(colon + 1, &s.value_len);
    }
    if (fault != SBK__FAULT_NONE) {
      return fault;
    }
  }

  fault = check_repeat(work, &s, &repeated);
  if (fault != SBK__FAULT_NONE || repeated) {
    return fault;
  }
  if (sbk__stomp_named(work, &s, "content-length")) {
    fault = read_content_length(work, rules, &s);
    if (fault != SBK__FAULT_NONE) {
      return fault;
    }
  }

  return sbk__stomp_work_add_span(rules->mem, work, s) == 0 ? SBK__FAULT_NONE
                                                            : SBK__FAULT_NOMEM;
}

/* The blank line: what may and what will follow. */
static enum sbk__fault end_of_head(sbk__stomp_reader *reader,
                                   const sbk__stomp_rules *rules) {
  struct sbk__stomp_work *work = reader->work;

  work->body = work->len;
  reader->state = work->counted ? BODY_COUNTED : BODY_TO_NUL;
  if (work->command != SBK_SEND) {
    work->drop_body = rules->connected && rules->version == SBK__V10;
    if (work->counted && work->content_length > 0 && !work->drop_body) {
      return SBK__FAULT_BODY;
    }
  }
  if (work->counted &&
      work->content_length + 1 > max_frame(rules) - work->frame) {
    return rules->connected ? SBK__FAULT_FRAME_SIZE : SBK__FAULT_PREAUTH_FRAME;
  }

  return SBK__FAULT_NONE;
}

static enum sbk__fault check_line_size(const sbk__stomp_reader *reader,
                                       const sbk__stomp_rules *rules,
                                       size_t len) {
  if (reader->state == COMMAND) {
    return len > rules->limits->max_command ? SBK__FAULT_COMMAND_SIZE
                                            : SBK__FAULT_NONE;
  }
  if (len > rules->limits->max_header_line) {
    return SBK__FAULT_HEADER_LINE;
  }

  return reader->work->header_bytes + len > rules->limits->max_header_bytes
             ? SBK__FAULT_HEADER_BYTES
             : SBK__FAULT_NONE;
}

/* A whole line stands in block, without its LF. */
static enum sbk__fault end_of_line(sbk__stomp_reader *reader,
                                   const sbk__stomp_rules *rules) {
  struct sbk__stomp_work *work = reader->work;
  char *text = sbk__stomp_text(work, work->line);
  size_t len = work->len - work->line;
  enum sbk__fault fault;

  if (len > 0 && text[len - 1] == '\r') {
    len--;
  }
  fault = check_line_size(reader, rules, len);
  if (fault != SBK__FAULT_NONE) {
    return fault;
  }
  /* A CR inside a line is data in 1.0 and 1.1 only. */
  if ((rules->version == SBK__V12 || !rules->connected) &&
      memchr(text, '\r', len) != NULL) {
    return SBK__FAULT_CR;
  }
  text[len] = '\0';
  work->len = work->line + len + 1;

  if (reader->state == COMMAND) {
    fault = read_command(work, text, len);
    reader->state = HEADERS;
  } else if (len == 0) {
    return end_of_head(reader, rules);
  } else if (++work->lines > rules->limits->max_headers) {
    fault = SBK__FAULT_HEADERS;
  } else {
    work->header_bytes += len;
    fault = read_header(work, rules, text, len);
  }
  work->line = work->len;

  return fault;
}

static enum sbk__fault read_line(sbk__stomp_reader *reader,
                                 const sbk__stomp_rules *rules,
                                 const uint8_t *data, size_t len,
                                 size_t *used) {
  struct sbk__stomp_work *work = reader->work;
  const uint8_t *lf = memchr(data, '\n', len), *nul;
  size_t size = lf != NULL ? (size_t)(lf - data) : len;
  enum sbk__fault fault;

  /* What stands before a NUL is looked at first, as it would be if it had come
   * alone. */
  nul = memchr(data, '\0', size);
  lf = nul != NULL ? NULL : lf;
  size = nul != NULL ? (size_t)(nul - data) : size;
  *used = size + (lf != NULL);
  /* The CR of a line end under way may still go, so it is one byte off. */
  fault = check_line_size(reader, rules, work->len - work->line + size - 1);
  if (size > 0 && fault != SBK__FAULT_NONE) {
    return fault;
  }
  fault = count(work, rules, *used);
  if (fault == SBK__FAULT_NONE && nul != NULL) {
    fault = SBK__FAULT_NUL;
  }
  if (fault == SBK__FAULT_NONE) {
    fault = append(work, rules, data, size);
  }
  if (fault == SBK__FAULT_NONE && lf != NULL) {
    fault = end_of_line(reader, rules);
  }

  return fault;
}

static enum sbk__fault end_of_frame(sbk__stomp_reader *reader,
                                    const sbk__stomp_rules *rules,
                                    sbk_message **frame) {
  *frame = sbk__stomp_work_message(rules->mem, reader->work);
  if (*frame == NULL) {
    return SBK__FAULT_NOMEM;
  }
  end_frame(reader, rules);
  reader->after_nul = true;

  return SBK__FAULT_NONE;
}

static enum sbk__fault read_body(sbk__stomp_reader *reader,
                                 const sbk__stomp_rules *rules,
                                 const uint8_t *data, size_t len, size_t *used,
                                 bool *whole) {
  struct sbk__stomp_work *work = reader->work;
  const uint8_t *nul = NULL;
  size_t size = len;
  enum sbk__fault fault;

  if (reader->state == BODY_COUNTED) {
    size_t left = work->body + work->content_length - work->len;

    if (work->drop_body) {
      left = work->content_length;
    }
    if (len > left) {
      size = left;
      nul = data + left;
      if (*nul != 0) {
        return SBK__FAULT_TERMINATOR;
      }
    }
    work->content_length -= work->drop_body ? size : 0;
  } else {
    nul = memchr(data, '\0', len);
    size = nul != NULL ? (size_t)(nul - data) : len;
  }
  *used = size + (nul != NULL);
  *whole = nul != NULL;

  if (size > 0 && work->command != SBK_SEND && !work->drop_body) {
    return SBK__FAULT_BODY;
  }
  fault = count(work, rules, *used);
  if (fault != SBK__FAULT_NONE) {
    return fault;
  }
  if (work->drop_body) {
    return append(work, rules, data, 0); /* room for the NUL behind it */
  }

  return append(work, rules, data, size);
}

/* EOLs before a frame. STOMP 1.2, Augmented BNF: CRLF or LF. */
static enum sbk__fault read_between(sbk__stomp_reader *reader,
                                    const sbk__stomp_rules *rules, uint8_t byte,
                                    size_t *used,
                                    enum sbk__stomp_event *event) {
  *used = 1;
  if (byte == '\n') {
    *event = reader->after_nul ? SBK__STOMP_MORE : SBK__STOMP_EOL;
    reader->after_nul = false;
    reader->cr = false;
    return SBK__FAULT_NONE;
  }
  if (reader->cr) {
    return SBK__FAULT_CR;
  }
  if (byte == '\r') {
    reader->cr = true;
    return SBK__FAULT_NONE;
  }
  if (byte == '\0') {
    return SBK__FAULT_NUL;
  }
  *used = 0;
  reader->after_nul = false;

  reader->work = sbk__stomp_work_begin(rules->mem, rules->spare);
  if (reader->work == NULL) {
    return SBK__FAULT_NOMEM;
  }
  reader->state = COMMAND;

  return SBK__FAULT_NONE;
}

enum sbk__fault sbk__stomp_read(sbk__stomp_reader *reader,
                                const sbk__stomp_rules *rules, const void *data,
                                size_t len, size_t *used,
                                enum sbk__stomp_event *event,
                                sbk_message **frame) {
  const uint8_t *bytes = data;
  enum sbk__fault fault = SBK__FAULT_NONE;
  bool whole = false;
  size_t n;

  *used = 0;
  *event = SBK__STOMP_MORE;
  while (*used < len && fault == SBK__FAULT_NONE) {
    n = 0;
    if (reader->state == BETWEEN) {
      fault = read_between(reader, rules, bytes[*used], &n, event);
    } else if (reader->state <= HEADERS) {
      fault = read_line(reader, rules, bytes + *used, len - *used, &n);
    } else {
      fault = read_body(reader, rules, bytes + *used, len - *used, &n, &whole);
    }
    *used += n;

    if (fault == SBK__FAULT_NONE && whole) {
      *event = SBK__STOMP_FRAME;
      return end_of_frame(reader, rules, frame);
    }
    if (*event == SBK__STOMP_EOL) {
      break;
    }
  }

  return fault;
}

const char *sbk__stomp_partial(const sbk__stomp_reader *reader,
                               const char *name) {
  const struct sbk__stomp_work *work = reader->work;
  uint32_t i;

  for (i = 0; work != NULL && i < work->span_count; i++) {
    if (sbk__stomp_named(work, &work->spans[i], name)) {
      return sbk__stomp_text(work, work->spans[i].value);
    }
  }

  return NULL;
}
