#include "stomp_read.h"

#include <assert.h>
#include <string.h>

#include "ascii.h"

enum { BETWEEN = 0, COMMAND, HEADERS, BODY_COUNTED, BODY_TO_NUL };

typedef struct span {
  uint32_t name;
  uint32_t name_len;
  uint32_t value;
  uint32_t value_len;
} span;

/*
 * The head's lines stand unescaped in block, names and values ended by NUL in
 * the places of their colons and line ends; the body stands behind them.
 */
struct sbk__stomp_work {
  sbk_buf *block;
  size_t len; /* used bytes of block */
  size_t cap;
  size_t frame; /* bytes of the frame as they came */
  size_t line;  /* where the line under way begins in block */
  size_t lines; /* header lines */
  size_t header_bytes;
  size_t body;
  size_t content_length;
  bool counted;
  bool drop_body; /* 1.0: ignored on frames other than SEND */
  enum sbk_command command;
  span *spans;
  uint32_t span_count;
  uint32_t span_cap;
};

#define BLOCK_MIN 192
#define SPANS_MIN 16

static char *text_at(const struct sbk__stomp_work *work, size_t offset) {
  return (char *)sbk__buf_bytes(work->block) + offset;
}

void sbk__stomp_work_free(const struct sbk_mem *mem,
                          struct sbk__stomp_work *work) {
  if (work == NULL) {
    return;
  }
  sbk__free(mem, work->block);
  sbk__free(mem, work->spans);
  sbk__free(mem, work);
}

static enum sbk__fault work_begin(sbk__stomp_reader *reader,
                                  const sbk__stomp_rules *rules) {
  struct sbk__stomp_work *work = *rules->spare;

  if (work != NULL) {
    *rules->spare = NULL;
  } else {
    work = sbk__calloc(rules->mem, 1, sizeof(*work));
    if (work == NULL) {
      return SBK__FAULT_NOMEM;
    }
  }
  reader->work = work;
  reader->state = COMMAND;

  return SBK__FAULT_NONE;
}

/* Empties work and keeps it, with its small table, for the next frame. */
static void work_end(sbk__stomp_reader *reader, const sbk__stomp_rules *rules) {
  struct sbk__stomp_work *work = reader->work;
  span *spans = work->spans;
  uint32_t span_cap = work->span_cap;

  reader->work = NULL;
  reader->state = BETWEEN;
  if (*rules->spare != NULL || span_cap > SPANS_MIN) {
    sbk__stomp_work_free(rules->mem, work);
    return;
  }
  sbk__free(rules->mem, work->block);
  memset(work, 0, sizeof(*work));
  work->spans = spans;
  work->span_cap = span_cap;
  *rules->spare = work;
}

void sbk__stomp_clear(sbk__stomp_reader *reader,
                      const sbk__stomp_rules *rules) {
  if (reader->work != NULL) {
    work_end(reader, rules);
  }
  memset(reader, 0, sizeof(*reader));
}

/* Room for size bytes more. Doubles, so that memory follows what came; where
 * the end of the body is known, not beyond it. */
static enum sbk__fault reserve(struct sbk__stomp_work *work,
                               const sbk__stomp_rules *rules, size_t size) {
  size_t need = work->len + size, cap = work->cap * 2, end;
  sbk_buf *block;

  if (need <= work->cap) {
    return SBK__FAULT_NONE;
  }

  cap = cap < BLOCK_MIN ? BLOCK_MIN : cap;
  cap = cap < need ? need : cap;
  end = work->body + work->content_length + 1;
  if (work->counted && work->body > 0 && end >= need && end < cap) {
    cap = end;
  }
  block = sbk__buf_grow(rules->mem, work->block, cap);
  if (block == NULL) {
    return SBK__FAULT_NOMEM;
  }
  work->block = block;
  work->cap = cap;

  return SBK__FAULT_NONE;
}

static enum sbk__fault append(struct sbk__stomp_work *work,
                              const sbk__stomp_rules *rules, const void *data,
                              size_t len) {
  enum sbk__fault fault = reserve(work, rules, len + 1);

  if (fault == SBK__FAULT_NONE && len > 0) {
    memcpy(text_at(work, work->len), data, len);
    work->len += len;
  }

  return fault;
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

static bool named(const struct sbk__stomp_work *work, const span *s,
                  const char *name) {
  size_t len = strlen(name);

  return s->name_len == len && memcmp(text_at(work, s->name), name, len) == 0;
}

static enum sbk__fault read_content_length(struct sbk__stomp_work *work,
                                           const sbk__stomp_rules *rules,
                                           const span *s) {
  const char *digits = text_at(work, s->value);
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
                                    const span *s, bool *repeated) {
  static const char *const strict[] = {"content-length", "destination", "id",
                                       "receipt", "transaction"};
  size_t i, j;

  *repeated = false;
  for (i = 0; i < work->span_count; i++) {
    const span *old = &work->spans[i];

    if (old->name_len != s->name_len ||
        memcmp(text_at(work, old->name), text_at(work, s->name), s->name_len) !=
            0) {
      continue;
    }
    *repeated = true;
    if (old->value_len == s->value_len &&
        memcmp(text_at(work, old->value), text_at(work, s->value),
               s->value_len) == 0) {
      return SBK__FAULT_NONE;
    }
    for (j = 0; j < sizeof(strict) / sizeof(strict[0]); j++) {
      if (named(work, s, strict[j])) {
        return SBK__FAULT_REPEATED;
      }
    }
    return SBK__FAULT_NONE;
  }

  return SBK__FAULT_NONE;
}

static enum sbk__fault add_span(struct sbk__stomp_work *work,
                                const sbk__stomp_rules *rules, span s) {
  if (work->span_count == work->span_cap) {
    uint32_t cap = work->span_cap == 0 ? SPANS_MIN : work->span_cap * 2;
    span *spans = sbk__realloc(rules->mem, work->spans, cap * sizeof(*spans));

    if (spans == NULL) {
      return SBK__FAULT_NOMEM;
    }
    work->spans = spans;
    work->span_cap = cap;
  }
  work->spans[work->span_count++] = s;

  return SBK__FAULT_NONE;
}

static enum sbk__fault read_header(struct sbk__stomp_work *work,
                                   const sbk__stomp_rules *rules, char *text,
                                   size_t len) {
  char *colon = memchr(text, ':', len);
  bool escapes = work->command != SBK_CONNECT && rules->version > SBK__V10;
  enum sbk__fault fault;
  bool repeated;
  span s;

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
  if (named(work, &s, "content-length")) {
    fault = read_content_length(work, rules, &s);
    if (fault != SBK__FAULT_NONE) {
      return fault;
    }
  }

  return add_span(work, rules, s);
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
  char *text = text_at(work, work->line);
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

/* The message of a whole frame; block goes with it. */
static enum sbk__fault make_message(sbk__stomp_reader *reader,
                                    const sbk__stomp_rules *rules,
                                    sbk_message **frame) {
  struct sbk__stomp_work *work = reader->work;
  sbk_buf *block = work->block;
  uint32_t i;
  sbk_message *msg =
      sbk__message_new(rules->mem, work->command, work->span_count);

  if (msg == NULL) {
    return SBK__FAULT_NOMEM;
  }

  for (i = 0; i < work->span_count; i++) {
    const span *s = &work->spans[i];

    msg->headers[i] =
        (sbk__header){text_at(work, s->name), text_at(work, s->value),
                      s->name_len, s->value_len, false};
  }
  msg->header_count = (uint16_t)work->span_count;

  block->data = sbk__buf_bytes(block) + work->body;
  block->len = work->len - work->body;
  sbk__buf_bytes(block)[work->len] = 0;
  block->nul_behind = true;
  msg->text = block;
  work->block = NULL;

  work_end(reader, rules);
  reader->after_nul = true;
  *frame = msg;

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

  return work_begin(reader, rules);
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
      return make_message(reader, rules, frame);
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
    if (named(work, &work->spans[i], name)) {
      return text_at(work, work->spans[i].value);
    }
  }

  return NULL;
}
