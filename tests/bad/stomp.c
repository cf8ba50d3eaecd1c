#include "stomp.h"

#include <stdlib.h>

/* What the names of enum stomp_kind mean. */
static const struct {
  int reason;
  int close;
} kinds[] = {{0, 0},
             {0, 1000},
             {SBK_ERR_STOMP, 1002},
             {SBK_ERR_TOO_BIG, 1009},
             {SBK_ERR_TOO_MANY, 1008},
             {SBK_ERR_STOMP, 1008},
             {SBK_ERR_DENIED, 1008},
             {SBK_ERR_CALLBACK, 1008},
             {SBK_ERR_SLOW, 1008}};

#define NO_VERSION "no version in common"
#define VERSIONS   "Supported protocol versions are 1.0,1.1,1.2"

#define LARGEST ((size_t)700000)

static uint8_t tcp[LARGEST + 1], ws[LARGEST + 16];

static size_t with_nul(uint8_t *dst, const char *text) {
  const size_t len = strlen(text);
  size_t i;

  if (len > LARGEST) {
    printf("Bail out! a text is longer than any vector has\n");
    exit(1);
  }
  for (i = 0; i < len; i++) {
    dst[i] = (uint8_t)(text[i] == '^' ? '\0' : text[i]);
  }

  return len;
}

/* One binary message, masked with a key of zeros: it may be any bytes. */
static size_t as_message(uint8_t *dst, const char *text) {
  const size_t len = strlen(text);
  const size_t size = len < 126 ? 0 : len < 65536 ? 2 : 8;
  size_t i;

  memset(dst, 0, 6 + size);
  dst[0] = 0x82;
  dst[1] = (uint8_t)(0x80 | (size == 0 ? len : size == 2 ? 126 : 127));
  for (i = 0; i < size; i++) {
    dst[1 + size - i] = (uint8_t)(len >> 8 * i);
  }

  return 6 + size + with_nul(dst + 6 + size, text);
}

/* All that comes out, but for the Close. */
static void put_out(char *dst, size_t size, const struct stomp *v) {
  if (v->kind <= BYE) {
    snprintf(dst, size, "%s", v->out);
    return;
  }
  snprintf(dst, size, "ERROR\nmessage:%s\n%s%s%s%s\n%s^", v->out,
           v->receipt != NULL ? "receipt-id:" : "",
           v->receipt != NULL ? v->receipt : "", v->receipt != NULL ? "\n" : "",
           strcmp(v->out, NO_VERSION) == 0
               ? "version:1.0,1.1,1.2\ncontent-type:text/plain\n"
                 "content-length:43\n"
               : "",
           strcmp(v->out, NO_VERSION) == 0 ? VERSIONS : "");
}

void stomp_play(const char *version, const char *before,
                const struct stomp *v) {
  static char out[60000], closed[60200], front[4096];
  const bool error = v->kind > BYE;
  struct bad_vector vectors[2];
  char name[200];

  snprintf(name, sizeof(name), "stomp%s%s: %s", version != NULL ? " " : "",
           version != NULL ? version : "", v->name);
  if (version != NULL) {
    snprintf(front, sizeof(front), "CONNECT\n%s%s%s\n^%s",
             strcmp(version, "1.0") != 0 ? "accept-version:" : "",
             strcmp(version, "1.0") != 0 ? version : "",
             strcmp(version, "1.0") != 0 ? "\n" : "",
             before != NULL ? before : "");
  }
  put_out(out, sizeof(out), v);
  snprintf(closed, sizeof(closed), v->kind == WELL ? "%s" : "%s<close %d%s%s>",
           out, kinds[v->kind].close, error ? " " : "", error ? v->out : "");
  vectors[0] = (struct bad_vector){.name = name,
                                   .way = BAD_TCP,
                                   .before = version != NULL ? front : NULL,
                                   .bytes = tcp,
                                   .len = with_nul(tcp, v->text),
                                   .out = out,
                                   .reason = kinds[v->kind].reason,
                                   .more = v->more,
                                   .tidy = v->tidy,
                                   .end = v->kind == WELL  ? GOES_ON
                                          : v->kind == BYE ? ENDS
                                                           : LINGERS};
  vectors[1] = vectors[0];
  vectors[1].way = BAD_WS;
  vectors[1].bytes = ws;
  vectors[1].len = as_message(ws, v->text);
  vectors[1].out = closed;
  vectors[1].end = v->kind == WELL ? GOES_ON : CLOSES;
  bad_play_all(vectors, v->tcp ? 1 : 2);
}

void stomp_play_table(const char *version, const char *before,
                      const struct stomp *vectors, size_t count) {
  size_t i;

  for (i = 0; i < count; i++) {
    stomp_play(version, before, &vectors[i]);
  }
}
