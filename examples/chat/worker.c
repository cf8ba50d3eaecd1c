/* worker.c - the one other thread of this program. */
#include "worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define MOST 64 /* jobs that wait; a login takes some 0.2 s */

struct worker {
  sbk_broker *broker;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t more;
  struct job *first;
  struct job **last;
  int count;
  bool ending;
};

static void come_back(sbk_broker *broker, sbk_task *task) {
  struct job *job = (struct job *)task;
  job->done(job);
}

static struct job *next_job(struct worker *w) {
  struct job *job;
  pthread_mutex_lock(&w->lock);
  while (w->first == NULL && !w->ending)
    pthread_cond_wait(&w->more, &w->lock);
  job = w->first;
  if (job != NULL) {
    w->first = job->next;
    if (w->first == NULL) w->last = &w->first;
    w->count--;
  }
  pthread_mutex_unlock(&w->lock);
  return job;
}

static void *run(void *arg) {
  struct worker *w = arg;
  struct job *job;
  while ((job = next_job(w)) != NULL) {
    job->work(job);
    sbk_post(w->broker, &job->task);
  }
  return NULL;
}

struct worker *worker_start(sbk_broker *broker) {
  struct worker *w = calloc(1, sizeof(*w));
  sigset_t all, before;
  int rv;
  if (w == NULL) return NULL;
  w->broker = broker;
  w->last = &w->first;
  pthread_mutex_init(&w->lock, NULL);
  pthread_cond_init(&w->more, NULL);
  sigfillset(&all); /* signals are the loop's */
  pthread_sigmask(SIG_SETMASK, &all, &before);
  rv = pthread_create(&w->thread, NULL, run, w);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (rv != 0) {
    free(w);
    return NULL;
  }
  return w;
}

bool worker_do(struct worker *w, struct job *job) {
  bool taken;
  pthread_mutex_lock(&w->lock);
  taken = !w->ending && w->count < MOST;
  if (taken) {
    job->task.run = come_back;
    job->broker = w->broker;
    job->next = NULL;
    *w->last = job;
    w->last = &job->next;
    w->count++;
    pthread_cond_signal(&w->more);
  }
  pthread_mutex_unlock(&w->lock);
  return taken;
}

void worker_stop(struct worker *w) {
  if (w == NULL) return;
  pthread_mutex_lock(&w->lock);
  w->ending = true;
  pthread_cond_signal(&w->more);
  pthread_mutex_unlock(&w->lock);
  pthread_join(w->thread, NULL);
}

void worker_free(struct worker *w) {
  if (w == NULL) return;
  pthread_cond_destroy(&w->more);
  pthread_mutex_destroy(&w->lock);
  free(w);
}
