#include "reader.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "macros.h"

/* What a frame of the peer is. */
static enum said kind_of(const struct ws_frame *frame) {
  if (frame->opcode == WS_CLOSE) {
    return SAID_CLOSE;
  }
  return frame->opcode == WS_TEXT && frame->rsv == 0 && !frame->more &&
                 !frame->unmasked && frame->form == 0 && !frame->announced
             ? SAID_TEXT
             : SAID_OTHER;
}

void block_end(struct reader *r) {
  struct block *block = &r->block;
  struct item *item;

  if (!block->open) {
    return;
  }
  item = reader_item(r, block->input ? ITEM_INPUT : ITEM_OUTPUT, block->stream);
  item->line = block->line;
  if (block->framed && block->input) {
    size_t i;

    for (i = 0; i < block->codes.len; i++) {
      if (block->codes.at[i] > 255) {
        reader_wrong(r, "{id} stands on streams of TCP only");
      }
    }
    ws_encode(&item->codes, &block->frame, &block->codes);
    item->said = kind_of(&block->frame);
    item->words = block->codes;
    memset(&block->codes, 0, sizeof(block->codes));
  } else {
    item->codes = block->codes;
    memset(&block->codes, 0, sizeof(block->codes));
  }
  block->open = false;
}

static void begin_block(struct reader *r, unsigned stream, bool input) {
  struct block *block = &r->block;

  block_end(r);
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
      reader_wrong(r, "not hexadecimal: %s", hex);
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
    reader_wrong(r, "no ']'");
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
      reader_wrong(r, "what is [%s]?", name);
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
void block_line(struct reader *r, unsigned stream, bool input, char *text) {
  struct lines *lines = input ? &r->in[stream] : &r->out[stream];
  struct block *block = &r->block;
  size_t len = strlen(text);
  bool raw_http = lines->http && !lines->websocket;
  bool nul = len >= 2 && strcmp(text + len - 2, "^@") == 0;
  bool goes_on =
      len >= 1 && text[len - 1] == '\\' && (len < 2 || text[len - 2] != '\\');

  if (!lines->open && stream > 0) {
    reader_wrong(r, "stream %s is not open", r->script->streams[stream]);
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
