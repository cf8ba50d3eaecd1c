#include <pthread.h>
#include <stdatomic.h>

#include "host.h"

struct job {
  sbk_task task; /* first */
  struct host *host;
  int number;
  int again; /* times that it posts itself anew */
};

static void on_job(sbk_broker *broker, sbk_task *task) {
  struct job *job = (struct job *)(void *)task;

  assert_ptr_equal(broker, job->host->broker);
  host_event(job->host, "%d;", job->number);
  if (job->again-- > 0) {
    sbk_post(broker, task);
  }
}

static void tasks_run_in_order_inside_the_next_tick(void **state) {
  struct job jobs[5];
  struct host host;
  int i;

  (void)state;
  host_begin(&host);
  for (i = 0; i < 5; i++) {
    jobs[i] = (struct job){{on_job, NULL}, &host, i, 0};
    sbk_post(host.broker, &jobs[i].task);
  }
  assert_string_equal(host.events, "");
  assert_true(sbk_broker_deadline(host.broker) <= host.now);
  host_wait(&host, 0);
  assert_string_equal(host.events, "0;1;2;3;4;");
  assert_true(sbk_broker_deadline(host.broker) == SBK_NEVER);
  host_wait(&host, 0);
  assert_string_equal(host.events, "0;1;2;3;4;");
  host_end(&host);
}

static void a_task_posted_by_a_task_runs_in_the_tick_after(void **state) {
  struct job a, b;
  struct host host;

  (void)state;
  host_begin(&host);
  a = (struct job){{on_job, NULL}, &host, 1, 2};
  b = (struct job){{on_job, NULL}, &host, 2, 0};
  sbk_post(host.broker, &a.task);
  sbk_post(host.broker, &b.task);
  host_wait(&host, 0);
  assert_string_equal(host.events, "1;2;");
  host_wait(&host, 0);
  assert_string_equal(host.events, "1;2;1;");
  host_wait(&host, 0);
  host_wait(&host, 0);
  assert_string_equal(host.events, "1;2;1;1;");
  host_end(&host);
}

static void free_itself(sbk_broker *broker, sbk_task *task) {
  (void)broker;
  free(task);
}

static void a_task_may_free_its_memory(void **state) {
  struct host host;
  int i;

  (void)state;
  host_begin(&host);
  for (i = 0; i < 10; i++) {
    sbk_task *task = calloc(1, sizeof(*task));

    task->run = free_itself;
    sbk_post(host.broker, task);
  }
  host_wait(&host, 0);
  host_end(&host);
}

static void tasks_that_have_not_run_are_dropped(void **state) {
  struct host host;
  struct job job;

  (void)state;
  host_begin(&host);
  job = (struct job){{on_job, NULL}, &host, 1, 0};
  sbk_post(host.broker, &job.task);
  host_end(&host);
  assert_string_equal(host.events, "");
}

struct work {
  sbk_task task; /* first */
  struct peer peer;
};

static void feed_and_free(sbk_broker *broker, sbk_task *task) {
  struct work *work = (struct work *)(void *)task;

  (void)broker;
  assert_int_equal(peer_say(&work->peer, "SEND\ndestination:/topic/a\n\nx^"),
                   0);
  peer_leave(&work->peer);
}

static void a_task_may_feed_and_free(void **state) {
  struct work work;
  struct host host;
  struct peer other;

  (void)state;
  host_begin(&host);
  memset(&work, 0, sizeof(work));
  memset(&other, 0, sizeof(other));
  peer_connect(&work.peer, &host, NULL);
  peer_connect(&other, &host, NULL);
  peer_subscribe(&other, "0", "/topic/a");
  work.task.run = feed_and_free;
  sbk_post(host.broker, &work.task);
  host_wait(&host, 0);
  assert_int_equal(times(peer_hear(&other), "MESSAGE\n"), 1);
  assert_int_equal(sbk_broker_conn_count(host.broker), 1);
  host_end(&host);
}

static atomic_int wakeups;

static void on_wakeup(void *arg) {
  (void)arg;
  atomic_fetch_add(&wakeups, 1);
}

static void wakes_the_loop_only_when_nothing_was_posted(void **state) {
  struct job jobs[3];
  struct host host;
  int i, round;

  (void)state;
  host_init(&host);
  host.callbacks.wakeup = on_wakeup;
  host_open(&host);
  atomic_store(&wakeups, 0);
  for (round = 1; round <= 3; round++) {
    for (i = 0; i < 3; i++) {
      jobs[i] = (struct job){{on_job, NULL}, &host, i, 0};
      sbk_post(host.broker, &jobs[i].task);
      assert_int_equal(atomic_load(&wakeups), round);
    }
    host_wait(&host, 0);
  }
  host_end(&host);
}

/* ---- from several threads ---- */

#define THREADS 4
#define TASKS   20000

struct numbered {
  sbk_task task; /* first */
  int thread;
  int number;
};

static struct {
  sbk_broker *broker;
  struct numbered tasks[THREADS][TASKS];
  int last[THREADS];
  int count;
} crowd;

static void on_numbered(sbk_broker *broker, sbk_task *task) {
  struct numbered *self = (struct numbered *)(void *)task;

  assert_ptr_equal(broker, crowd.broker);
  assert_int_equal(self->number, crowd.last[self->thread]++);
  crowd.count++;
}

static void *post_all(void *arg) {
  struct numbered *tasks = arg;
  int i;

  for (i = 0; i < TASKS; i++) {
    sbk_post(crowd.broker, &tasks[i].task);
  }

  return NULL;
}

static void begin_crowd(struct host *host, void (*wakeup)(void *arg),
                        pthread_t *threads) {
  int i, j;

  host_init(host);
  host->callbacks.wakeup = wakeup;
  host_open(host);
  memset(&crowd, 0, sizeof(crowd));
  atomic_store(&wakeups, 0);
  crowd.broker = host->broker;
  for (i = 0; i < THREADS; i++) {
    for (j = 0; j < TASKS; j++) {
      crowd.tasks[i][j] = (struct numbered){{on_numbered, NULL}, i, j};
    }
    assert_int_equal(
        pthread_create(&threads[i], NULL, post_all, crowd.tasks[i]), 0);
  }
}

static void each_threads_tasks_run_once_and_in_order(void **state) {
  pthread_t threads[THREADS];
  struct host host;
  int i;

  (void)state;
  begin_crowd(&host, on_wakeup, threads);
  while (crowd.count < THREADS * TASKS) {
    host_wait(&host, 1);
  }
  for (i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    assert_int_equal(crowd.last[i], TASKS);
  }
  assert_true(atomic_load(&wakeups) >= 1);
  host_wait(&host, 1);
  assert_int_equal(crowd.count, THREADS * TASKS);
  host_end(&host);
}

/* A loop that sleeps until it is woken misses nothing. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static bool awake;

static void ring(void *arg) {
  (void)arg;
  pthread_mutex_lock(&lock);
  awake = true;
  pthread_cond_signal(&woken);
  pthread_mutex_unlock(&lock);
}

static void a_loop_that_sleeps_between_wakeups_misses_nothing(void **state) {
  pthread_t threads[THREADS];
  struct host host;
  int i;

  (void)state;
  begin_crowd(&host, ring, threads);
  while (crowd.count < THREADS * TASKS) {
    pthread_mutex_lock(&lock);
    while (!awake) {
      pthread_cond_wait(&woken, &lock);
    }
    awake = false;
    pthread_mutex_unlock(&lock);
    host_wait(&host, 1);
  }
  for (i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
  }
  host_end(&host);
}

/* ---- and what they make for it ---- */

#define ROUNDS  20
#define LETTERS 200

/* Made, filled and posted by one thread, read and freed by the broker's. */
struct letter {
  sbk_task task; /* first */
  int thread;
  int number;
  char text[16];
};

static struct {
  sbk_broker *broker;
  atomic_int writers; /* threads that still write */
  int tick;           /* which one it is */
  int last_tick;      /* that ran a task */
  int batches;        /* ticks that ran one */
  int next[THREADS];
  int count;
} mail;

static void count_batch(void) {
  if (mail.last_tick != mail.tick) {
    mail.last_tick = mail.tick;
    mail.batches++;
  }
}

static void on_letter(sbk_broker *broker, sbk_task *task) {
  struct letter *letter = (struct letter *)(void *)task;
  char text[16];

  assert_ptr_equal(broker, mail.broker);
  count_batch();
  snprintf(text, sizeof(text), "%d of %d", letter->number, letter->thread);
  assert_string_equal(letter->text, text);
  assert_int_equal(letter->number, mail.next[letter->thread]++);
  mail.count++;
  assert_true(sbk_send(broker, "/topic/mail", NULL, text, strlen(text)) >= 0);
  free(letter);
}

/* Posts itself as long as others write. */
static void on_mine(sbk_broker *broker, sbk_task *task) {
  count_batch();
  if (atomic_load(&mail.writers) > 0) {
    sbk_post(broker, task);
  }
}

static void *write_letters(void *arg) {
  int i, thread = *(int *)arg;

  for (i = 0; i < LETTERS; i++) {
    struct letter *letter = malloc(sizeof(*letter));

    if (letter == NULL) {
      break;
    }
    letter->task.run = on_letter;
    letter->thread = thread;
    letter->number = i;
    snprintf(letter->text, sizeof(letter->text), "%d of %d", i, thread);
    sbk_post(mail.broker, &letter->task);
  }
  atomic_fetch_sub(&mail.writers, 1);

  return NULL;
}

static void tick_once(struct host *host) {
  mail.tick++;
  host_wait(host, 1);
}

/* Somebody comes, says something, is told, and goes. */
static void serve(struct host *host) {
  struct peer peer = {0};

  peer_connect(&peer, host, NULL);
  peer_subscribe(&peer, "0", "/topic/mail");
  tick_once(host);
  peer_hear(&peer);
  peer_leave(&peer);
  host_forget(host);
}

static void begin_mail(struct host *host, pthread_t *threads, int *numbers) {
  int i;

  host_init(host);
  host->callbacks.wakeup = on_wakeup;
  host_open(host);
  memset(&mail, 0, sizeof(mail));
  atomic_store(&wakeups, 0);
  atomic_store(&mail.writers, THREADS);
  mail.broker = host->broker;
  for (i = 0; i < THREADS; i++) {
    numbers[i] = i;
    assert_int_equal(
        pthread_create(&threads[i], NULL, write_letters, &numbers[i]), 0);
  }
}

/* Each time that something is there to run for a tick, the loop was woken once:
 * no more and no less. */
static void
threads_post_while_the_broker_works_and_each_batch_wakes_once(void **state) {
  pthread_t threads[THREADS];
  int numbers[THREADS];
  struct host host;
  sbk_task mine;
  int i, round;

  (void)state;
  for (round = 0; round < ROUNDS; round++) {
    begin_mail(&host, threads, numbers);
    mine.run = on_mine;
    sbk_post(host.broker, &mine);
    while (atomic_load(&mail.writers) > 0) {
      serve(&host);
    }
    for (i = 0; i < THREADS; i++) {
      pthread_join(threads[i], NULL);
    }
    while (sbk_broker_deadline(host.broker) <= host.now) {
      while (sbk_broker_next_ready(host.broker) != NULL) {
      }
      tick_once(&host);
    }
    assert_int_equal(mail.count, THREADS * LETTERS);
    assert_int_equal(atomic_load(&wakeups), mail.batches);
    host_end(&host);
  }
}

/* What was posted and did not run is the caller's again. */
static void a_broker_is_freed_with_what_threads_have_posted(void **state) {
  pthread_t threads[THREADS];
  struct host host;
  int i, round, ran;

  (void)state;
  for (round = 0; round < 3; round++) {
    begin_crowd(&host, on_wakeup, threads);
    while (crowd.count < round * TASKS) {
      host_wait(&host, 1);
    }
    for (i = 0; i < THREADS; i++) {
      pthread_join(threads[i], NULL);
    }
    ran = crowd.count;
    host_end(&host);
    assert_int_equal(crowd.count, ran);
    memset(crowd.tasks, 0xa5, sizeof(crowd.tasks));
  }
}

/* ---- an answer that is made elsewhere ---- */

struct answer {
  sbk_task task; /* first */
  pthread_t thread;
  sbk_call *call;
  char text[16];
};

static void on_answer(sbk_broker *broker, sbk_task *task) {
  struct answer *answer = (struct answer *)(void *)task;

  (void)broker;
  assert_int_equal(sbk_call_return(answer->call, "text/plain", answer->text,
                                   strlen(answer->text)),
                   0);
  assert_int_equal(sbk_call_finish(answer->call, 0), 0);
}

/* It sees what was copied for it, and nothing of the broker but sbk_post(). */
static void *make_answer(void *arg) {
  struct answer *answer = arg;
  size_t i, len = strlen(answer->text);

  for (i = 0; i < len / 2; i++) {
    char c = answer->text[i];

    answer->text[i] = answer->text[len - 1 - i];
    answer->text[len - 1 - i] = c;
  }
  sbk_post(crowd.broker, &answer->task);

  return NULL;
}

static int ask_elsewhere(sbk_call *call, void *arg) {
  struct answer *answer = arg;
  size_t len;
  const char *body = sbk_message_body(sbk_call_message(call), &len);

  answer->task.run = on_answer;
  answer->call = call;
  snprintf(answer->text, sizeof(answer->text), "%.*s", (int)len, body);
  assert_int_equal(sbk_call_defer(call), 0);
  assert_int_equal(pthread_create(&answer->thread, NULL, make_answer, answer),
                   0);

  return 0;
}

static void a_handler_may_be_answered_for_from_another_thread(void **state) {
  struct answer answer;
  struct host host;
  struct peer ann;

  (void)state;
  memset(&answer, 0, sizeof(answer));
  host_begin(&host);
  crowd.broker = host.broker;
  assert_int_equal(sbk_broker_add_handler(host.broker, SBK_SEND, "/x",
                                          ask_elsewhere, &answer),
                   0);
  peer_open(&ann, &host, SBK_TCP);
  peer_say(&ann, "CONNECT\naccept-version:1.2\n\n^"
                 "SUBSCRIBE\nid:0\ndestination:/topic/x\n\n^");
  peer_hear(&ann);
  peer_say(&ann, "SEND\ndestination:/app/x\nreceipt:r\n\nabc^");
  assert_string_equal(peer_hear(&ann), "");
  pthread_join(answer.thread, NULL);
  assert_string_equal(peer_hear(&ann), "");
  host_wait(&host, 0);
  peer_hear(&ann);
  assert_non_null(strstr(ann.heard, "\n\ncba^RECEIPT\nreceipt-id:r\n"));
  sbk_conn_free(ann.conn);
  host_end(&host);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tasks_run_in_order_inside_the_next_tick),
      cmocka_unit_test(a_task_posted_by_a_task_runs_in_the_tick_after),
      cmocka_unit_test(a_task_may_free_its_memory),
      cmocka_unit_test(tasks_that_have_not_run_are_dropped),
      cmocka_unit_test(a_task_may_feed_and_free),
      cmocka_unit_test(wakes_the_loop_only_when_nothing_was_posted),
      cmocka_unit_test(each_threads_tasks_run_once_and_in_order),
      cmocka_unit_test(a_loop_that_sleeps_between_wakeups_misses_nothing),
      cmocka_unit_test(
          threads_post_while_the_broker_works_and_each_batch_wakes_once),
      cmocka_unit_test(a_broker_is_freed_with_what_threads_have_posted),
      cmocka_unit_test(a_handler_may_be_answered_for_from_another_thread),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
