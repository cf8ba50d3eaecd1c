#include "queue.h"

#include <assert.h>
#include <string.h>

sbk__queue *sbk__queue_new(const struct sbk_mem *mem, size_t *total) {
  sbk__queue *queue = sbk__calloc(mem, 1, sizeof(*queue));

  if (queue != NULL) {
    queue->mem = mem;
    queue->total = total;
    sbk__list_init(&queue->in_dispatch);
  }

  return queue;
}

static sbk__queued *at(const sbk__queue *queue, uint32_t i) {
  return &queue->ring[(queue->head + i) & (queue->cap - 1)];
}

void sbk__queue_free(sbk__queue *queue) {
  uint32_t i;

  if (queue == NULL) {
    return;
  }
  for (i = 0; i < queue->count; i++) {
    *queue->total -= sbk__message_cost(at(queue, i)->msg);
    sbk_message_unref(at(queue, i)->msg);
  }
  sbk__list_remove(&queue->in_dispatch);
  sbk__free(queue->mem, queue->ring);
  sbk__free(queue->mem, queue);
}

static int reserve(sbk__queue *queue) {
  uint32_t i, cap = queue->cap == 0 ? 4 : queue->cap * 2;
  sbk__queued *ring;

  if (queue->count + queue->taken + queue->promised < queue->cap) {
    return 0;
  }
  ring = sbk__malloc(queue->mem, cap * sizeof(*ring));
  if (ring == NULL) {
    return SBK_ERR_NOMEM;
  }
  for (i = 0; i < queue->count; i++) {
    ring[i] = *at(queue, i);
  }
  sbk__free(queue->mem, queue->ring);
  queue->ring = ring;
  queue->cap = cap;
  queue->head = 0;

  return 0;
}

int sbk__queue_push(sbk__queue *queue, sbk_message *msg) {
  int rv = reserve(queue);

  if (rv != 0) {
    return rv;
  }
  queue->count++;
  *at(queue, queue->count - 1) = (sbk__queued){sbk_message_ref(msg), 0};
  queue->bytes += sbk__message_cost(msg);
  *queue->total += sbk__message_cost(msg);

  return 0;
}

int sbk__queue_promise(sbk__queue *queue, size_t bytes) {
  int rv = reserve(queue);

  if (rv == 0) {
    queue->promised++;
    queue->promised_bytes += bytes;
    *queue->total += bytes;
  }

  return rv;
}

void sbk__queue_forget(sbk__queue *queue, size_t bytes) {
  assert(queue->promised > 0 && queue->promised_bytes >= bytes);
  queue->promised--;
  queue->promised_bytes -= bytes;
  *queue->total -= bytes;
}

sbk__queued sbk__queue_take(sbk__queue *queue) {
  sbk__queued item = *at(queue, 0);

  assert(queue->count > 0);
  queue->head = (queue->head + 1) & (queue->cap - 1);
  queue->count--;
  queue->taken++;
  queue->bytes -= sbk__message_cost(item.msg);

  return item;
}

void sbk__queue_return(sbk__queue *queue, sbk__queued item) {
  assert(queue->taken > 0 && queue->count < queue->cap);
  queue->head = (queue->head - 1) & (queue->cap - 1);
  queue->count++;
  queue->taken--;
  queue->bytes += sbk__message_cost(item.msg);
  *at(queue, 0) = item;
}

void sbk__queue_settle(sbk__queue *queue, const sbk_message *msg) {
  assert(queue->taken > 0);
  queue->taken--;
  *queue->total -= sbk__message_cost(msg);
}
