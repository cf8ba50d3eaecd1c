#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <string.h>

#include "failing_mem.h"
#include "http1.h"

/* The documented defaults. */
static inline struct sbk_config http_limits(void) {
  struct sbk_config config = SBK_CONFIG_INIT;

  config.max_request_head = 8192;
  config.max_request_line = 2048;
  config.max_request_field = 4096;
  config.max_request_fields = 64;
  config.max_request_body = 65536;

  return config;
}

/* Feeds a text in one piece. */
static inline int http_read(sbk__http_head *head, const struct sbk_mem *mem,
                            const struct sbk_config *limits, const char *text) {
  size_t used;

  sbk__http_head_init(head, mem, limits);
  return sbk__http_head_feed(head, text, strlen(text), &used);
}

#endif
