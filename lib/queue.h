#ifndef SBK__QUEUE_H
#define SBK__QUEUE_H

#include <stdbool.h>

#include "list.h"
#include "message.h"

/*
 * What waits for a consumer of a queue destination, oldest first. A message
 * that was taken out keeps its place reserved until it is settled, so that
 * putting it back cannot fail.
 */
typedef struct sbk__queued {
  sbk_message *msg;
  uint32_t tries; /* deliveries so far */
} sbk__queued;

typedef struct sbk__queue {
  struct sbk__dest *dest; /* whose it is */
  sbk__node in_dispatch;  /* it may have something for somebody */
  const struct sbk_mem *mem;
  sbk__queued *ring;
  uint32_t cap; /* a power of two, or 0 */
  uint32_t head;
  uint32_t count;
  uint32_t taken;    /* and not settled */
  uint32_t promised; /* places kept for a transaction that commits */
  size_t promised_bytes;
  uint32_t turn; /* the consumer that is asked first */
  bool busy;     /* being handed out: what comes meanwhile waits its turn */
  size_t bytes;  /* that wait, as sbk__message_cost() counts */
  size_t *total; /* of all queues: what waits, is taken, is promised */
} sbk__queue;

/* It counts itself in *total. NULL: no memory. */
sbk__queue *sbk__queue_new(const struct sbk_mem *mem, size_t *total);
/* Drops what waits. NULL is fine. */
void sbk__queue_free(sbk__queue *queue);

/* Puts msg behind the others; takes a reference. 0, or SBK_ERR_NOMEM. */
int sbk__queue_push(sbk__queue *queue, sbk_message *msg);
/* Makes sure that one more push will not fail. 0, or SBK_ERR_NOMEM. */
int sbk__queue_promise(sbk__queue *queue, size_t bytes);
/* One promise is kept, or given up. */
void sbk__queue_forget(sbk__queue *queue, size_t bytes);
/* Takes the oldest out, with its reference; there is one. */
sbk__queued sbk__queue_take(sbk__queue *queue);
/* Puts back what was taken, in front; its reference moves here. */
void sbk__queue_return(sbk__queue *queue, sbk__queued item);
/* What was taken, and is msg, is dealt with. */
void sbk__queue_settle(sbk__queue *queue, const sbk_message *msg);

static inline bool sbk__queue_idle(const sbk__queue *queue) {
  return queue->count == 0 && queue->taken == 0 && queue->promised == 0 &&
         !queue->busy;
}

#endif
