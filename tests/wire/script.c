#include "reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "macros.h"

const char *const group_names[GROUP_COUNT] = {"whole", "cut", "split", "output",
                                              "break"};

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
void reader_wrong(const struct reader *r, const char *format, ...) {
  va_list args;

  va_start(args, format);
  printf("Bail out! %s:%u: ", r->script->path, r->line);
  vprintf(format, args);
  printf("\n");
  va_end(args);
  exit(99);
}

/* Memory that goes with the script. */
void *reader_keep(void *arg, size_t size) {
  struct script *script = arg;
  void **piece = own_realloc(NULL, sizeof(void *) + size + sizeof(void *));

  *piece = script->owned;
  script->owned = piece;
  memset(piece + 1, 0, size + sizeof(void *));
  return piece + 1;
}

char *reader_text(struct reader *r, const char *text, size_t len) {
  return memcpy(reader_keep(r->script, len + 1), text, len);
}

unsigned reader_stream(struct reader *r, const char *name, bool add) {
  struct script *script = r->script;
  unsigned i;

  for (i = 0; i < script->stream_count; i++) {
    if (strcmp(script->streams[i], name) == 0) {
      return i;
    }
  }
  if (!add) {
    reader_wrong(r, "there is no stream %s", name);
  }
  if (i == MAX_STREAMS) {
    reader_wrong(r, "too many streams");
  }
  script->streams[script->stream_count++] = reader_text(r, name, strlen(name));
  return i;
}

struct item *reader_item(struct reader *r, enum item_kind kind,
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

static void open_line(struct reader *r, char *text) {
  static const char *const kinds[] = {"request", "http", "ws", "tcp"};
  char *name = next_word(&text), *kind, *option;
  struct item *item;
  unsigned stream, i;

  if (name == NULL || (kind = next_word(&text)) == NULL) {
    reader_wrong(r, "open NAME KIND");
  }
  stream = reader_stream(r, name, true);
  item = reader_item(r, ITEM_OPEN, stream);
  for (i = 0; i < 4 && strcmp(kinds[i], kind) != 0; i++) {
  }
  if (i == 4) {
    reader_wrong(r, "what is %s?", kind);
  }
  item->number = i; /* as enum sbk_transport has it; 0: a request */
  memset(&r->in[stream], 0, sizeof(r->in[stream]));
  r->in[stream].open = true;
  r->in[stream].http = i < SBK_WEBSOCKET;
  r->in[stream].websocket = i == SBK_WEBSOCKET;
  r->out[stream] = r->in[stream];
  while ((option = next_word(&text)) != NULL) {
    if (strncmp(option, "user=", 5) == 0) {
      item->text = reader_text(r, option + 5, strlen(option + 5));
    } else if (strcmp(option, "->") == 0 &&
               (option = next_word(&text)) != NULL) {
      item->has_result = true;
      item->result = atoi(option);
    } else if (i == 0 && item->fields[1] == NULL) {
      item->fields[item->fields[0] != NULL] =
          reader_text(r, option, strlen(option));
    } else {
      reader_wrong(r, "what is %s?", option);
    }
  }
  r->request = i == 0 ? item : NULL;
}

static void request_field(struct reader *r, const char *text) {
  size_t i;

  for (i = 2; i + 1 < MAX_LIST && r->request->fields[i] != NULL; i++) {
  }
  r->request->fields[i] = reader_text(r, text, strlen(text));
}

static void host_line(struct reader *r, char *text) {
  struct item *item = reader_item(r, ITEM_HOST, 0);
  char *arrow = NULL, *at;

  for (at = text; (at = strstr(at, " -> ")) != NULL; at++) {
    arrow = at;
  }
  if (arrow != NULL) {
    *arrow = '\0';
    item->has_result = true;
    item->result = atoi(arrow + 4);
  }
  item->text = reader_text(r, text, strlen(text));
}

/* NAME what … */
static void action_line(struct reader *r, char *name, char *text) {
  unsigned stream = reader_stream(r, name, false);
  char *what = next_word(&text), *part;
  struct item *item;

  if (what == NULL) {
    reader_wrong(r, "%s does what?", name);
  }
  if (strcmp(what, "wants") == 0) {
    item = reader_item(r, ITEM_WANTS, stream);
    while ((part = next_word(&text)) != NULL) {
      item->number |= strcmp(part, "read") == 0       ? SBK_WANT_READ
                      : strcmp(part, "write") == 0    ? SBK_WANT_WRITE
                      : strcmp(part, "hold") == 0     ? SBK_WANT_HOLD
                      : strcmp(part, "shutdown") == 0 ? SBK_WANT_SHUTDOWN
                                                      : 0;
    }
  } else if (strcmp(what, "eof") == 0) {
    item = reader_item(r, ITEM_EOF, stream);
    part = next_word(&text);
    item->number = part != NULL ? (unsigned)atoi(part) : 0;
  } else if (strcmp(what, "stalls") == 0) {
    item = reader_item(r, ITEM_STALL, stream);
    part = next_word(&text);
    item->number = part != NULL ? (unsigned)atoi(part) : 0;
  } else if (strcmp(what, "reads") == 0) {
    reader_item(r, ITEM_UNSTALL, stream);
  } else if (strcmp(what, "gone") == 0) {
    reader_item(r, ITEM_FREE, stream);
  } else {
    reader_wrong(r, "what is %s?", what);
  }
}

/* The items from there on are a WebSocket's handshake: the stream's opening,
 * the request and its answer. */
static void upgrade_items(struct reader *r, size_t from, char *text) {
  struct script *script = r->script;
  size_t i = 0;
  char *word;

  block_end(r);
  (void)next_word(&text);
  while (i + 1 < MAX_LIST && (word = next_word(&text)) != NULL) {
    script->items[from].fields[i++] = reader_text(r, word, strlen(word));
  }
  for (; from < script->item_count; from++) {
    script->items[from].upgrade = true;
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
  char *what;

  block_end(r);
  what = next_word(&text);
  if (what == NULL) {
    return;
  }
  if (setup_line(r, what, text)) {
    return;
  }
  if (strcmp(what, "open") == 0) {
    open_line(r, text);
  } else if (strcmp(what, "host") == 0) {
    host_line(r, text);
  } else if (strcmp(what, "=") == 0) {
    reader_item(r, ITEM_TIME, 0)->span = strtoul(text, NULL, 10);
  } else if (strcmp(what, "upgrade") == 0) {
    size_t from = r->script->item_count;
    char *words = own_strdup(text);

    (void)macro_line(r, expand, what, text);
    upgrade_items(r, from, words);
    own_free(words);
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
    block_line(r, 0, false, text + 1 + (text[1] == ' '));
    return;
  }
  if (name > 0 && name < sizeof(name_text) &&
      (text[name] == '>' || text[name] == '<')) {
    memcpy(name_text, text, name);
    name_text[name] = '\0';
    block_line(r, reader_stream(r, name_text, false), text[name] == '>',
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
    reader_wrong(r, "for FIRST..LAST");
  }
  end = strstr(next, "\nend\n");
  if (end == NULL) {
    reader_wrong(r, "for without end");
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
  reader_stream(r, "!", true);
  r->line = 1;
  if (strncmp(text, "# ", 2) != 0) {
    reader_wrong(r, "the first line names the source: # BEHAVIOUR 6: …");
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
    reader_wrong(r, "no newline at the end of the file");
  }
  block_end(r);
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
    codes_free(&script->items[i].words);
  }
  while (script->owned != NULL) {
    void *next = *(void **)script->owned;

    own_free(script->owned);
    script->owned = next;
  }
  own_free(script->items);
  own_free(script->rules);
  own_free(script->endpoints);
  own_free(script->topics);
  own_free(script->name);
  own_free(script->path);
  own_free(script);
}
