#ifndef CHAT_WORKER_H
#define CHAT_WORKER_H

#include <stdbool.h>

#include <stompbroker/stompbroker.h>

/**
 * Work that would hold up the loop: hashing passwords, syncing files. One
 * thread does it, in order, and sbk_post() brings each job back.
 */
struct job {
  sbk_task task; /**< first: the task is the job */
  struct job *next;
  sbk_broker *broker;
  void (*work)(struct job *job); /**< on the worker's thread */
  void (*done)(struct job *job); /**< on the broker's thread; frees */
};

struct worker;

/** NULL: no thread, no memory. */
struct worker *worker_start(sbk_broker *broker);
/** false: too much to do already; the job stays the caller's. */
bool worker_do(struct worker *w, struct job *job);
/** Does what is left and takes no more. What it posted runs in one more tick;
 * worker_free() comes after that. NULL is fine for both. */
void worker_stop(struct worker *w);
void worker_free(struct worker *w);

#endif
