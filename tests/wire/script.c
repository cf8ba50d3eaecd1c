#include "script.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "frames.h"
#include "heap.h"
#include "macros.h"

const char *const group_names[GROUP_COUNT] = {"whole", "cut", "split",
                                              "output"};

static const char *const command_names[] = {
    "",        "CONNECT", "CONNECTED", "SEND",   "SUBSCRIBE", "UNSUBSCRIBE",
    "ACK",     "NACK",    "BEGIN",     "COMMIT", "ABORT",     "DISCONNECT",
    "MESSAGE", "RECEIPT", "ERROR"};

enum sbk_command command_number(const char *name) {
  unsigned i;

  for (i = SBK_CONNECT; i <= SBK_ERROR; i++) {
    if (strcmp(command_names[i], name) == 0) {
      return (enum sbk_command)i;
    }
  }
  return (enum sbk_command)0;
}

const char *command_name(enum sbk_command command) {
  return command_names[command <= SBK_ERROR ? command : 0];
}

/* How the lines of a stream are read: TCP and HTTP as they stand, WebSocket in
 * frames. */
struct lines {
  bool open;
  bool http;      /* lines end with CRLF */
  bool websocket; /* lines are put into frames */
  bool upgrading; /* within the head of a 101 */
};

struct block {
  bool open;
  bool whole; /* nothing may be added */
  bool input;
  unsigned stream;
  bool framed;
  struct ws_frame frame;
  struct codes codes;
  unsigned line;
};

struct reader {
  struct script *script;
  unsigned line;
  struct lines in[MAX_STREAMS];  /* of the peer */
  struct lines out[MAX_STREAMS]; /* of the library */
  struct block block;
  struct item *request; /* takes indented fields */
};

static void wrong(const struct reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

static void wrong(const struct reader *r, const char *format, ...) {
  va_list args;

  va_start(args, format);
  printf("Bail out! %s:%u: ", r->script->path, r->line);
  vprintf(format, args);
  printf("\n");
  va_end(args);
  exit(99);
}

/* Memory that goes with the script. */
static void *keep(void *arg, size_t size) {
  struct script *script = arg;
  void **piece = own_realloc(NULL, sizeof(void *) + size + sizeof(void *));

  *piece = script->owned;
  script->owned = piece;
  memset(piece + 1, 0, size + sizeof(void *));
  return piece + 1;
}

static char *keep_text(struct reader *r, const char *text, size_t len) {
  return memcpy(keep(r->script, len + 1), text, len);
}

static unsigned find_stream(struct reader *r, const char *name, bool add) {
  struct script *script = r->script;
  unsigned i;

  for (i = 0; i < script->stream_count; i++) {
    if (strcmp(script->streams[i], name) == 0) {
      return i;
    }
  }
  if (!add) {
    wrong(r, "there is no stream %s", name);
  }
  if (i == MAX_STREAMS) {
    wrong(r, "too many streams");
  }
  script->streams[script->stream_count++] = keep_text(r, name, strlen(name));
  return i;
}

static struct item *add_item(struct reader *r, enum item_kind kind,
                             unsigned stream) {
  struct script *script = r->script;
  struct item *item;

  script->items = own_realloc(script->items, (script->item_count + 1) *
                                                 sizeof(*script->items));
  item = &script->items[script->item_count++];
  memset(item, 0, sizeof(*item));
  item->kind = kind;
  item->stream = stream;
  item->line = r->line;
  return item;
}

static void end_block(struct reader *r) {
  struct block *block = &r->block;
  struct item *item;

  if (!block->open) {
    return;
  }
  item = add_item(r, block->input ? ITEM_INPUT : ITEM_OUTPUT, block->stream);
  item->line = block->line;
  if (block->framed && block->input) {
    ws_encode(&item->codes, &block->frame, &block->codes);
    codes_clear(&block->codes);
  } else {
    item->codes = block->codes;
    memset(&block->codes, 0, sizeof(block->codes));
  }
  block->open = false;
}

static void begin_block(struct reader *r, unsigned stream, bool input) {
  struct block *block = &r->block;

  end_block(r);
  codes_clear(&block->codes);
  block->open = true;
  block->whole = false;
  block->input = input;
  block->stream = stream;
  block->framed = false;
  block->line = r->line;
  memset(&block->frame, 0, sizeof(block->frame));
}

static void parse_raw(struct reader *r, const char *hex) {
  while (*hex != '\0') {
    unsigned value;
    int used;

    if (*hex == ' ') {
      hex++;
      continue;
    }
    if (sscanf(hex, "%2x%n", &value, &used) != 1 || used != 2) {
      wrong(r, "not hexadecimal: %s", hex);
    }
    codes_add(&r->block.codes, value);
    hex += 2;
  }
}

static bool set_frame_word(struct ws_frame *frame, const char *name) {
  static const struct {
    const char *name;
    unsigned opcode;
  } names[] = {{"text", WS_TEXT},   {"binary", WS_BINARY}, {"cont", WS_CONT},
               {"close", WS_CLOSE}, {"ping", WS_PING},     {"pong", WS_PONG}};
  size_t i;

  for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
    if (strcmp(names[i].name, name) == 0) {
      frame->opcode = names[i].opcode;
      return true;
    }
  }
  if (strcmp(name, "more") == 0) {
    frame->more = true;
  } else if (strcmp(name, "unmasked") == 0) {
    frame->unmasked = true;
  } else if (strncmp(name, "op=", 3) == 0) {
    frame->opcode = (unsigned)strtoul(name + 3, NULL, 16);
  } else if (strncmp(name, "rsv=", 4) == 0) {
    frame->rsv = (unsigned)strtoul(name + 4, NULL, 10);
  } else if (strncmp(name, "len=", 4) == 0) {
    frame->form = (unsigned)strtoul(name + 4, NULL, 10);
  } else if (strncmp(name, "announce=", 9) == 0) {
    frame->announced = true;
    frame->announce = strtoull(name + 9, NULL, 0);
  } else {
    return false;
  }
  return true;
}

/* "[words] payload", the first line of a frame. */
static void begin_frame(struct reader *r, unsigned stream, bool input,
                        char *text) {
  static const uint16_t kinds[16] = {[WS_TEXT] = CODE_TEXT,
                                     [WS_BINARY] = CODE_BINARY,
                                     [WS_CLOSE] = CODE_CLOSE,
                                     [WS_PING] = CODE_PING,
                                     [WS_PONG] = CODE_PONG};
  struct lines *lines = input ? &r->in[stream] : &r->out[stream];
  struct block *block = &r->block;
  char *end = strchr(text, ']'), *name, *rest;
  unsigned long status = 0;
  bool empty = false, eol = false;

  if (end == NULL) {
    wrong(r, "no ']'");
  }
  *end = '\0';
  rest = end + 1 + (end[1] == ' ');
  begin_block(r, stream, input);
  if (strcmp(text, "[raw") == 0) {
    parse_raw(r, rest);
    block->whole = true;
    return;
  }
  if (strcmp(text, "[end") == 0 && !input) {
    codes_add(&block->codes, CODE_END);
    block->whole = true;
    return;
  }
  lines->websocket = true;
  block->framed = true;
  block->frame.opcode = WS_TEXT;
  text++;
  while ((name = next_word(&text)) != NULL) {
    if (isdigit((unsigned char)*name)) {
      status = strtoul(name, NULL, 10);
    } else if (strcmp(name, "empty") == 0) {
      empty = true;
    } else if (strcmp(name, "eol") == 0) {
      eol = true;
    } else if (!set_frame_word(&block->frame, name)) {
      wrong(r, "what is [%s]?", name);
    }
  }
  if (!input) {
    codes_add(&block->codes, kinds[block->frame.opcode & 15]);
  }
  if (status > 0) {
    codes_add(&block->codes, (uint8_t)(status >> 8));
    codes_add(&block->codes, (uint8_t)status);
  }
  codes_parse(&block->codes, eol ? "\\n" : rest, eol ? 2 : strlen(rest),
              !input);
  block->whole = empty || eol || *rest != '\0' || status > 0 ||
                 block->frame.opcode >= WS_CLOSE;
}

/* A line of what goes in or comes out. */
static void stream_line(struct reader *r, unsigned stream, bool input,
                        char *text) {
  struct lines *lines = input ? &r->in[stream] : &r->out[stream];
  struct block *block = &r->block;
  size_t len = strlen(text);
  bool raw_http = lines->http && !lines->websocket;
  bool nul = len >= 2 && strcmp(text + len - 2, "^@") == 0;
  bool goes_on =
      len >= 1 && text[len - 1] == '\\' && (len < 2 || text[len - 2] != '\\');

  if (!lines->open && stream > 0) {
    wrong(r, "stream %s is not open", r->script->streams[stream]);
  }
  if (*text == '[') {
    begin_frame(r, stream, input, text);
    return;
  }
  if (!block->open || block->whole || block->stream != stream ||
      block->input != input) {
    begin_block(r, stream, input);
    if (lines->websocket) {
      block->framed = true;
      block->frame.opcode = WS_TEXT;
      if (!input) {
        codes_add(&block->codes, CODE_TEXT);
      }
    }
  }
  codes_parse(&block->codes, text, goes_on ? len - 1 : len, !input);
  if (!goes_on && (raw_http || !nul)) {
    codes_add_text(&block->codes, raw_http ? "\r\n" : "\n");
  }
  if (raw_http && !input) {
    if (strncmp(text, "HTTP/1.1 101", 12) == 0) {
      lines->upgrading = true;
    } else if (len == 0 && lines->upgrading) {
      lines->websocket = r->in[stream].websocket = true;
      block->whole = true;
    }
  }
  if (block->framed && nul) {
    block->whole = true;
  }
}

static void open_line(struct reader *r, char *text) {
  static const char *const kinds[] = {"request", "http", "ws", "tcp"};
  char *name = next_word(&text), *kind, *option;
  struct item *item;
  unsigned stream, i;

  if (name == NULL || (kind = next_word(&text)) == NULL) {
    wrong(r, "open NAME KIND");
  }
  stream = find_stream(r, name, true);
  item = add_item(r, ITEM_OPEN, stream);
  for (i = 0; i < 4 && strcmp(kinds[i], kind) != 0; i++) {
  }
  if (i == 4) {
    wrong(r, "what is %s?", kind);
  }
  item->number = i; /* as enum sbk_transport has it; 0: a request */
  memset(&r->in[stream], 0, sizeof(r->in[stream]));
  r->in[stream].open = true;
  r->in[stream].http = i < SBK_WEBSOCKET;
  r->in[stream].websocket = i == SBK_WEBSOCKET;
  r->out[stream] = r->in[stream];
  while ((option = next_word(&text)) != NULL) {
    if (strncmp(option, "user=", 5) == 0) {
      item->text = keep_text(r, option + 5, strlen(option + 5));
    } else if (strcmp(option, "->") == 0 &&
               (option = next_word(&text)) != NULL) {
      item->has_result = true;
      item->result = atoi(option);
    } else if (i == 0 && item->fields[1] == NULL) {
      item->fields[item->fields[0] != NULL] =
          keep_text(r, option, strlen(option));
    } else {
      wrong(r, "what is %s?", option);
    }
  }
  r->request = i == 0 ? item : NULL;
}

static void request_field(struct reader *r, const char *text) {
  size_t i;

  for (i = 2; i + 1 < MAX_LIST && r->request->fields[i] != NULL; i++) {
  }
  r->request->fields[i] = keep_text(r, text, strlen(text));
}

static struct rule *add_rule(struct reader *r, enum rule_kind kind) {
  struct script *script = r->script;
  struct rule *rule;

  script->rules = own_realloc(script->rules, (script->rule_count + 1) *
                                                 sizeof(*script->rules));
  rule = &script->rules[script->rule_count++];
  memset(rule, 0, sizeof(*rule));
  rule->kind = kind;
  return rule;
}

/* handler COMMAND PATTERN actions; interceptor in|out ORDER actions; handshake
 * actions; request PATH actions. Interceptors and handshakes may be limited
 * first: on COMMAND, to DESTINATION, when TEMPLATE=TEXT. */
static void rule_line(struct reader *r, enum rule_kind kind, char *text) {
  struct rule *rule = add_rule(r, kind);
  char *part, *equal;

  if (kind == RULE_HANDLER) {
    part = next_word(&text);
    rule->command = command_number(part != NULL ? part : "");
  } else if (kind == RULE_INTERCEPTOR) {
    part = next_word(&text);
    rule->direction =
        part != NULL && strcmp(part, "out") == 0 ? SBK_OUTBOUND : SBK_INBOUND;
    part = next_word(&text);
    rule->order = part != NULL ? atoi(part) : 0;
  }
  if (kind == RULE_HANDLER || kind == RULE_REQUEST) {
    part = next_word(&text);
    rule->pattern = part != NULL ? keep_text(r, part, strlen(part)) : NULL;
  }
  for (;;) {
    if (strncmp(text, "on ", 3) == 0) {
      text += 3;
      rule->command = command_number(next_word(&text));
    } else if (strncmp(text, "to ", 3) == 0) {
      text += 3;
      part = next_word(&text);
      rule->pattern = keep_text(r, part, strlen(part));
    } else if (strncmp(text, "when ", 5) == 0) {
      text += 5;
      part = next_word(&text);
      equal = strchr(part, '=');
      if (equal == NULL) {
        wrong(r, "when TEMPLATE=TEXT");
      }
      rule->when = keep_text(r, part, (size_t)(equal - part));
      rule->when_value = keep_text(r, equal + 1, strlen(equal + 1));
    } else {
      break;
    }
  }
  rule->actions = keep_text(r, text, strlen(text));
  if (kind == RULE_REQUEST) {
    r->script->has_request = true;
  }
}

static void endpoint_line(struct reader *r, char *text) {
  struct script *script = r->script;
  struct endpoint_line *line;
  char *part = next_word(&text);

  script->endpoints =
      own_realloc(script->endpoints,
                  (script->endpoint_count + 1) * sizeof(*script->endpoints));
  line = &script->endpoints[script->endpoint_count++];
  memset(line, 0, sizeof(*line));
  line->endpoint.size = sizeof(line->endpoint);
  line->endpoint.path = keep_text(r, part, strlen(part));
  while ((part = next_word(&text)) != NULL) {
    if (strncmp(part, "origins=", 8) == 0) {
      split_list(line->origins, MAX_LIST,
                 keep_text(r, part + 8, strlen(part + 8)));
    } else if (strcmp(part, "require-origin") == 0) {
      line->endpoint.require_origin = 1;
    } else if (strcmp(part, "secure") == 0) {
      line->endpoint.secure = 1;
    } else if (strcmp(part, "echo") == 0) {
      line->echo = true;
    } else {
      wrong(r, "what is %s?", part);
    }
  }
}

static void config_line(struct reader *r, char *text) {
  char *equal = strchr(text, '=');
  char *value;

  if (equal == NULL) {
    wrong(r, "config NAME=VALUE");
  }
  *equal = '\0';
  value = keep_text(r, equal + 1, strlen(equal + 1));
  if (config_set(&r->script->config, text, value, keep, r->script) != 0) {
    wrong(r, "there is no %s in struct sbk_config", text);
  }
}

static void skip_line(struct reader *r, char *text) {
  struct script *script = r->script;
  char *part;
  unsigned i;

  while ((part = next_word(&text)) != NULL) {
    if (strcmp(part, "peak") == 0) {
      script->no_peak = true;
    } else if (strcmp(part, "probe") == 0) {
      script->no_probe = true;
    } else if (strcmp(part, "torture") == 0) {
      script->no_torture = true;
    } else {
      for (i = 0; i < GROUP_COUNT && strcmp(part, group_names[i]) != 0; i++) {
      }
      if (i == GROUP_COUNT) {
        wrong(r, "what is %s?", part);
      }
      script->skip[i] = true;
    }
  }
}

static void host_line(struct reader *r, char *text) {
  struct item *item = add_item(r, ITEM_HOST, 0);
  char *arrow = NULL, *at;

  for (at = text; (at = strstr(at, " -> ")) != NULL; at++) {
    arrow = at;
  }
  if (arrow != NULL) {
    *arrow = '\0';
    item->has_result = true;
    item->result = atoi(arrow + 4);
  }
  item->text = keep_text(r, text, strlen(text));
}

/* NAME what … */
static void action_line(struct reader *r, char *name, char *text) {
  unsigned stream = find_stream(r, name, false);
  char *what = next_word(&text), *part;
  struct item *item;

  if (what == NULL) {
    wrong(r, "%s does what?", name);
  }
  if (strcmp(what, "wants") == 0) {
    item = add_item(r, ITEM_WANTS, stream);
    while ((part = next_word(&text)) != NULL) {
      item->number |= strcmp(part, "read") == 0    ? SBK_WANT_READ
                      : strcmp(part, "write") == 0 ? SBK_WANT_WRITE
                      : strcmp(part, "hold") == 0  ? SBK_WANT_HOLD
                                                   : 0;
    }
  } else if (strcmp(what, "eof") == 0) {
    item = add_item(r, ITEM_EOF, stream);
    part = next_word(&text);
    item->number = part != NULL ? (unsigned)atoi(part) : 0;
  } else if (strcmp(what, "stalls") == 0) {
    add_item(r, ITEM_STALL, stream);
  } else if (strcmp(what, "reads") == 0) {
    add_item(r, ITEM_UNSTALL, stream);
  } else if (strcmp(what, "gone") == 0) {
    add_item(r, ITEM_FREE, stream);
  } else {
    wrong(r, "what is %s?", what);
  }
}

static void read_line(struct reader *r, char *text);

/* A line that a macro stands for. */
static void expand(void *arg, const char *line) {
  char *text = own_strdup(line);

  read_line(arg, text);
  own_free(text);
}

static void keyword_line(struct reader *r, char *text) {
  struct script *script = r->script;
  char *what;

  end_block(r);
  what = next_word(&text);
  if (what == NULL) {
    return;
  }
  if (strcmp(what, "config") == 0) {
    config_line(r, text);
  } else if (strcmp(what, "endpoint") == 0) {
    endpoint_line(r, text);
  } else if (strcmp(what, "handler") == 0) {
    rule_line(r, RULE_HANDLER, text);
  } else if (strcmp(what, "interceptor") == 0) {
    rule_line(r, RULE_INTERCEPTOR, text);
  } else if (strcmp(what, "handshake") == 0) {
    rule_line(r, RULE_HANDSHAKE, text);
  } else if (strcmp(what, "request") == 0) {
    rule_line(r, RULE_REQUEST, text);
  } else if (strcmp(what, "events") == 0) {
    script->events = true;
  } else if (strcmp(what, "without") == 0) {
    skip_line(r, text);
  } else if (strcmp(what, "open") == 0) {
    open_line(r, text);
  } else if (strcmp(what, "host") == 0) {
    host_line(r, text);
  } else if (strcmp(what, "=") == 0) {
    add_item(r, ITEM_TIME, 0)->span = strtoul(text, NULL, 10);
  } else if (!macro_line(r, expand, what, text)) {
    action_line(r, what, text);
  }
}

static void read_line(struct reader *r, char *text) {
  size_t name = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789");
  char name_text[32];

  if (*text == '#') {
    return;
  }
  if (r->request != NULL && strncmp(text, "  ", 2) == 0) {
    request_field(r, text + 2);
    return;
  }
  r->request = NULL;
  if (*text == '!') {
    stream_line(r, 0, false, text + 1 + (text[1] == ' '));
    return;
  }
  if (name > 0 && name < sizeof(name_text) &&
      (text[name] == '>' || text[name] == '<')) {
    memcpy(name_text, text, name);
    name_text[name] = '\0';
    stream_line(r, find_stream(r, name_text, false), text[name] == '>',
                text + name + 1 + (text[name + 1] == ' '));
    return;
  }
  keyword_line(r, text);
}

/* for FIRST..LAST: the lines up to end, with {#} for the number. */
static char *read_loop(struct reader *r, const char *head, char *next) {
  unsigned first, last, number, lines = r->line;
  char *line, *end, *at, *hash;
  struct codes text = {0};
  size_t i;

  if (sscanf(head, "for %u..%u", &first, &last) != 2) {
    wrong(r, "for FIRST..LAST");
  }
  end = strstr(next, "\nend\n");
  if (end == NULL) {
    wrong(r, "for without end");
  }
  end++;
  for (number = first; number <= last; number++) {
    r->line = lines;
    for (line = next; line < end; line = at + 1) {
      char digits[16];
      char *bytes;

      r->line++;
      at = strchr(line, '\n');
      codes_clear(&text);
      snprintf(digits, sizeof(digits), "%u", number);
      while ((hash = strstr(line, "{#}")) != NULL && hash < at) {
        codes_add_bytes(&text, line, (size_t)(hash - line));
        codes_add_text(&text, digits);
        line = hash + 3;
      }
      codes_add_bytes(&text, line, (size_t)(at - line));
      bytes = own_realloc(NULL, text.len + 1);
      for (i = 0; i < text.len; i++) {
        bytes[i] = (char)text.at[i];
      }
      bytes[text.len] = '\0';
      read_line(r, bytes);
      own_free(bytes);
    }
  }
  r->line++;
  codes_free(&text);
  return end + 4;
}

static char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  size_t len = 0, cap = 0, got = 1;
  char *text = NULL;

  if (file == NULL) {
    printf("Bail out! %s cannot be opened\n", path);
    exit(99);
  }
  while (got > 0) {
    if (len + 2 >= cap) {
      cap = cap > 0 ? cap * 2 : 4096;
      text = own_realloc(text, cap);
    }
    got = fread(text + len, 1, cap - len - 2, file);
    len += got;
  }
  fclose(file);
  text[len] = '\0';
  return text;
}

static void name_script(struct script *script) {
  const char *slash = strrchr(script->path, '/');
  char *name = own_strdup(slash != NULL ? slash + 1 : script->path);
  char *at;

  for (at = name; *at != '\0'; at++) {
    if (*at == '-') {
      *at = ' ';
    } else if (*at == '.') {
      *at = '\0';
      break;
    }
  }
  script->name = name;
}

struct script *script_load(const char *path) {
  struct script *script = own_realloc(NULL, sizeof(*script));
  struct reader *r = own_realloc(NULL, sizeof(*r));
  char *text = read_file(path), *line = text, *end;

  memset(script, 0, sizeof(*script));
  memset(r, 0, sizeof(*r));
  r->script = script;
  script->path = own_strdup(path);
  name_script(script);
  script->config.size = sizeof(script->config);
  find_stream(r, "!", true);
  r->line = 1;
  if (strncmp(text, "# ", 2) != 0) {
    wrong(r, "the first line names the source: # BEHAVIOUR 6: …");
  }
  while ((end = strchr(line, '\n')) != NULL) {
    *end = '\0';
    if (strncmp(line, "for ", 4) == 0) {
      line = read_loop(r, line, end + 1);
    } else {
      read_line(r, line);
      line = end + 1;
    }
    r->line++;
  }
  if (*line != '\0') {
    wrong(r, "no newline at the end of the file");
  }
  end_block(r);
  codes_free(&r->block.codes);
  own_free(r);
  own_free(text);
  return script;
}

void script_free(struct script *script) {
  size_t i;

  if (script == NULL) {
    return;
  }
  for (i = 0; i < script->item_count; i++) {
    codes_free(&script->items[i].codes);
  }
  while (script->owned != NULL) {
    void *next = *(void **)script->owned;

    own_free(script->owned);
    script->owned = next;
  }
  own_free(script->items);
  own_free(script->rules);
  own_free(script->endpoints);
  own_free(script->name);
  own_free(script->path);
  own_free(script);
}
