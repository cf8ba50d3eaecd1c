#ifndef API_H
#define API_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stompbroker/stompbroker.h>

/* Memory that counts what lives, moves at each realloc, and fails from a call
 * on. */
struct counted_mem {
  struct sbk_mem mem;
  size_t blocks;
  size_t bytes;
  size_t calls;
  size_t fail_from;
};

static inline void *counted_malloc(size_t size, void *arg) {
  struct counted_mem *self = arg;
  size_t *block;

  if (self->calls++ >= self->fail_from) {
    return NULL;
  }
  block = malloc(16 + size);
  assert_non_null(block);
  block[0] = size;
  memset((char *)block + 16, 0xa5, size);
  self->blocks++;
  self->bytes += size;

  return (char *)block + 16;
}

static inline size_t *counted_block(void *ptr) {
  return (size_t *)(void *)((char *)ptr - 16);
}

static inline void *counted_calloc(size_t count, size_t size, void *arg) {
  void *ptr = counted_malloc(count * size, arg);

  return ptr != NULL ? memset(ptr, 0, count * size) : NULL;
}

static inline void counted_free(void *ptr, void *arg) {
  struct counted_mem *self = arg;

  self->blocks--;
  self->bytes -= *counted_block(ptr);
  free(counted_block(ptr));
}

static inline void *counted_realloc(void *ptr, size_t size, void *arg) {
  void *to = counted_malloc(size, arg);

  if (to != NULL && ptr != NULL) {
    memcpy(to, ptr, *counted_block(ptr) < size ? *counted_block(ptr) : size);
    counted_free(ptr, arg);
  }

  return to;
}

static inline void counted_init(struct counted_mem *self) {
  memset(self, 0, sizeof(*self));
  self->mem = (struct sbk_mem){counted_malloc, counted_calloc, counted_realloc,
                               counted_free, self};
  self->fail_from = SIZE_MAX;
}

/* A frame's NUL is written as ^. */
static inline int feed(sbk_conn *conn, sbk_msec now, const char *text) {
  size_t i, len = strlen(text);
  char *copy = malloc(len + 1);
  int rv;

  assert_non_null(copy);
  for (i = 0; i < len; i++) {
    copy[i] = text[i] == '^' ? '\0' : text[i];
  }
  rv = sbk_conn_feed(conn, now, copy, len);
  free(copy);

  return rv;
}

/* What waits, as text; NULs as ^. At most 65,535 bytes at a time. */
static inline const char *output(sbk_conn *conn) {
  static char text[65536];
  size_t i, len = sbk_conn_copy_out(conn, text, sizeof(text) - 1);

  for (i = 0; i < len; i++) {
    text[i] = text[i] != '\0' ? text[i] : '^';
  }
  text[len] = '\0';
  sbk_conn_sent(conn, len);

  return text;
}

#define CONNECT "CONNECT\naccept-version:1.2\n\n^"

/* A connection without WebSocket, with a session. */
static inline sbk_conn *connected_peer(sbk_broker *broker, sbk_msec now) {
  sbk_conn *conn;

  assert_int_equal(sbk_conn_new(&conn, broker, SBK_TCP, "peer", NULL), 0);
  assert_int_equal(feed(conn, now, CONNECT), 0);
  assert_non_null(strstr(output(conn), "CONNECTED\n"));

  return conn;
}

/* One with memory that is counted. */
static inline sbk_broker *new_broker(struct counted_mem *mem,
                                     const struct sbk_callbacks *callbacks,
                                     struct sbk_config *config, void *arg) {
  struct sbk_config plain = SBK_CONFIG_INIT;
  sbk_broker *broker;

  config = config != NULL ? config : &plain;
  counted_init(mem);
  config->mem = &mem->mem;
  assert_int_equal(sbk_broker_new(&broker, callbacks, config, arg), 0);
  sbk_broker_tick(broker, 1000);

  return broker;
}

static inline void free_broker(struct counted_mem *mem, sbk_broker *broker) {
  sbk_broker_free(broker);
  assert_int_equal(mem->blocks, 0);
  assert_int_equal(mem->bytes, 0);
}

#endif
