#include "score.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define BODY_MAX 65536

static void publish(struct client *c, const char *destination,
                    const char *receipt, uint32_t number, uint64_t due,
                    size_t size) {
  static char text[BODY_MAX + 512];
  int len =
      snprintf(text, sizeof(text), "SEND\ndestination:%s\n%s\n%08x%016llx ",
               destination, receipt, number, (unsigned long long)due);
  size_t head = (size_t)len - STAMP;
  if (size < STAMP || size > BODY_MAX) give_up("a body of %zu bytes", size);
  memset(text + len, 'x', size - STAMP);
  text[head + size] = '\0';
  client_ws(c, WS_FIN | WS_TEXT, text, head + size + 1);
}

void score_publish(struct client *c, const char *destination, uint32_t number,
                   uint64_t due, size_t size) {
  publish(c, destination, "", number, due, size);
}

void score_publish_receipt(struct client *c, const char *destination,
                           uint32_t number, size_t size) {
  char receipt[32];
  snprintf(receipt, sizeof(receipt), "receipt:%u\n", number);
  publish(c, destination, receipt, number, 0, size);
}

static bool number_of(const char *text, int digits, uint64_t *number) {
  static const char all[] = "0123456789abcdef";
  int i;
  for (i = 0, *number = 0; i < digits; i++) {
    const char *digit = memchr(all, text[i], 16);
    if (digit == NULL) return false;
    *number = *number << 4 | (uint64_t)(digit - all);
  }
  return true;
}

void score_delayed(struct score *s, uint64_t due) {
  uint64_t now = now_ns();
  if (!s->timing) return;
  if (s->delay_count == s->delay_size) {
    s->delay_size = s->delay_size > 0 ? 2 * s->delay_size : 65536;
    s->delays = realloc(s->delays, s->delay_size * sizeof(uint32_t));
    if (s->delays == NULL) give_up("no memory");
  }
  s->delays[s->delay_count++] = now > due ? (uint32_t)((now - due) / 1000) : 0;
}

void score_take(struct score *s, struct client *c, const struct frame *f) {
  uint64_t number, due;
  if (f->len < STAMP || !number_of(f->body, 8, &number) ||
      !number_of(f->body + 8, 16, &due) || f->body[f->len - 1] == '\0') {
    s->foreign++;
    return;
  }
  s->got++;
  if (number < c->next) {
    s->again++;
    return;
  }
  s->missed += number - c->next;
  c->next = (uint32_t)number + 1;
  if (due != 0) score_delayed(s, due);
}

bool score_clean(const struct score *s) {
  return s->missed + s->again + s->foreign == 0;
}

void score_time(struct score *s) {
  s->timing = true;
  s->delay_count = 0;
}

static int by_size(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

double score_delay(struct score *s, double quantile) {
  size_t at = (size_t)(quantile * (double)s->delay_count);
  if (s->delay_count == 0) return 0;
  qsort(s->delays, s->delay_count, sizeof(uint32_t), by_size);
  return s->delays[at < s->delay_count ? at : s->delay_count - 1] / 1e3;
}
