#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "hostile.h"

void sim_note(const struct sim *sim, const char *format, ...) {
  va_list args;

  if (!sim->trace) {
    return;
  }
  printf("# %llu ", (unsigned long long)sim->now);
  va_start(args, format);
  vprintf(format, args);
  va_end(args);
  putchar('\n');
}

/* ---- what the broker tells its host ---- */

static void on_disconnected(sbk_session *session, int reason, void *arg) {
  struct sim *sim = arg;
  const char *peer = sbk_session_peer(session);
  char *end;

  if (peer[0] == 'c') {
    long client = strtol(peer + 1, &end, 10);

    client_ended(sim->clients[client], (int)strtol(end + 1, NULL, 10), reason);
  }
}

static void on_dead_letter(sbk_broker *broker, const sbk_message *msg,
                           void *arg) {
  struct sim *sim = arg;
  const char *to = sbk_message_header(msg, "destination");
  size_t len;
  const char *body = sbk_message_body(msg, &len);

  (void)broker;
  sim_note(sim, "%.*s to %s is dead", (int)strcspn(body, " "), body, to);
  if (strncmp(to, "/queue/j/", 9) == 0) {
    model_dead(&sim->model, (int)strtol(body, NULL, 10));
  }
}

/* What comes to /app/t/1 goes on to /topic/t/1. */
static int on_send(sbk_call *call, void *arg) {
  size_t len;
  const void *body = sbk_message_body(sbk_call_message(call), &len);

  (void)arg;

  return sbk_call_return(call, NULL, body, len);
}

/* What comes to /app/to/NAME goes on to /user/queue/note of that user. */
static int on_note(sbk_call *call, void *arg) {
  size_t len;
  const void *body = sbk_message_body(sbk_call_message(call), &len);
  int rv = sbk_send_to_user(sbk_call_broker(call), sbk_call_param(call, "user"),
                            "/queue/note", NULL, body, len);

  (void)arg;

  return rv < 0 ? rv : 0;
}

static enum sbk_verdict on_connect(sbk_call *call, void *arg) {
  const char *name;

  (void)arg;
  if (sbk_message_command(sbk_call_message(call)) != SBK_CONNECT) {
    return SBK_PASS;
  }
  name = sbk_message_header(sbk_call_message(call), "login");

  return name == NULL || sbk_call_set_user(call, name) == 0 ? SBK_PASS
                                                            : SBK_REJECT;
}

/* A topic that drops messages for those who are slow. */
static void add_dropping(struct sim *sim) {
  struct sbk_topic topic = SBK_TOPIC_INIT;
  char prefix[32];

  snprintf(prefix, sizeof(prefix), "/topic/t/%d", TOPICS - 1);
  topic.prefix = prefix;
  topic.overflow = chance_one_in(&sim->chance, 2) ? SBK_OVERFLOW_DROP_OLDEST
                                                  : SBK_OVERFLOW_DROP_NEWEST;
  sim->model.drops = true;
  if (sbk_broker_add_topic(sim->broker, &topic) != 0) {
    abort();
  }
}

static void begin(struct sim *sim) {
  static const char *const queues[] = {"/queue", NULL};
  static const sbk_msec clocks[] = {1000, (1ull << 32) - 20000,
                                    UINT64_MAX - 100000000};
  struct sbk_callbacks callbacks = SBK_CALLBACKS_INIT;
  struct sbk_config config = SBK_CONFIG_INIT;
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  struct chance *chance = &sim->chance;
  int i;

  failing_mem_init(&sim->mem);
  sim->now = clocks[chance_of(chance, 3)];
  sim->short_of_memory = chance_one_in(chance, 4);
  callbacks.disconnected = on_disconnected;
  callbacks.dead_letter = on_dead_letter;
  config.mem = &sim->mem.mem;
  config.queue_prefixes = queues;
  config.heartbeat_out = config.heartbeat_in = 1000 + chance_of(chance, 4000);
  config.max_queue = sim->max_queue = (size_t)32768 << chance_of(chance, 3);
  config.max_redeliveries = 1 + chance_of(chance, 8);
  config.max_unacked = 8 + chance_of(chance, 100);
  if (sbk_broker_new(&sim->broker, &callbacks, &config, sim) != 0) {
    abort();
  }
  endpoint.path = "/ws";
  endpoint.sockjs = &sockjs;
  if (sbk_broker_add_endpoint(sim->broker, &endpoint) != 0 ||
      sbk_broker_add_handler(sim->broker, SBK_SEND, "/t/{x}", on_send, NULL) !=
          0 ||
      sbk_broker_add_handler(sim->broker, SBK_SEND, "/to/{user}", on_note,
                             NULL) != 0 ||
      sbk_broker_add_interceptor(sim->broker, SBK_INBOUND, 0, on_connect,
                                 NULL) != 0) {
    abort();
  }
  if (chance_one_in(chance, 3)) {
    add_dropping(sim);
  }
  sbk_broker_tick(sim->broker, sim->now);
  for (i = 0; i < CLIENTS; i++) {
    sim->clients[i] = client_new(sim, i);
  }
  for (i = 0; i < HOSTILES; i++) {
    sim->hostiles[i] = hostile_new(sim, i);
  }
}

/* ---- time ---- */

static void serve(struct sim *sim) {
  int i;

  while (sbk_broker_next_ready(sim->broker) != NULL) {
  }
  for (i = 0; i < CLIENTS; i++) {
    client_keeps_alive(sim->clients[i]);
  }
}

/* As a loop would sleep: no longer than somebody has something to do. */
static void wait_until(struct sim *sim, sbk_msec target) {
  for (;;) {
    sbk_msec next = sbk_broker_deadline(sim->broker);
    int i;

    for (i = 0; i < CLIENTS; i++) {
      sbk_msec due = client_due(sim->clients[i]);

      next = due < next ? due : next;
    }
    next = next > sim->now ? next : sim->now + 1;
    if (next > target) {
      break;
    }
    sim->now = next;
    sbk_broker_tick(sim->broker, sim->now);
    serve(sim);
  }
  sim->now = target;
  sbk_broker_tick(sim->broker, sim->now);
  serve(sim);
}

/* ---- the run ---- */

static void act(struct sim *sim) {
  struct chance *chance = &sim->chance;
  uint32_t what = chance_of(chance, 100);

  sim->mem.fail_from = sim->short_of_memory && chance_one_in(chance, 8)
                           ? sim->mem.calls + chance_of(chance, 60)
                           : SIZE_MAX;
  if (what < 80) {
    client_act(sim->clients[chance_of(chance, CLIENTS)]);
  } else if (what < 95) {
    hostile_act(sim->hostiles[chance_of(chance, HOSTILES)]);
  } else {
    wait_until(sim, sim->now + chance_of(chance, 1500));
  }
}

/* All that is on its way arrives, and all that is there is acknowledged. */
static void settle(struct sim *sim) {
  int i, round, quiet = 0;

  for (round = 0; round < 2000 && quiet < 3; round++) {
    bool busy = false;

    for (i = 0; i < CLIENTS; i++) {
      client_settles(sim->clients[i]);
      busy = busy || client_is_busy(sim->clients[i]);
    }
    wait_until(sim, sim->now + 1);
    quiet = busy ? 0 : quiet + 1;
  }
  if (quiet < 3) {
    model_complain(&sim->model, "it does not come to rest");
  }
}

/* Nothing is lost: what nobody has acknowledged comes to one who asks. */
static void check_queues(struct sim *sim) {
  struct client *last = sim->clients[0];
  size_t i;
  int queue;

  for (i = 0; i < CLIENTS; i++) {
    client_leaves(sim->clients[i]);
  }
  /* Sessions of SockJS outlive their requests, and say their last words. */
  wait_until(sim, sim->now + 30000);
  client_comes(last);
  settle(sim);
  for (queue = 0; queue < QUEUES; queue++) {
    client_takes_all(last, queue);
  }
  settle(sim);
  for (i = 0; i < sim->model.message_count; i++) {
    const struct message *message = &sim->model.messages[i];

    if (message->queue && message->state != DONE && !message->maybe) {
      model_complain(&sim->model, "message %zu is lost: state %d, last with %d",
                     i, message->state, message->holder);
    }
  }
}

static void end(struct sim *sim) {
  int i;

  for (i = 0; i < CLIENTS; i++) {
    client_leaves(sim->clients[i]);
  }
  for (i = 0; i < HOSTILES; i++) {
    hostile_free(sim->hostiles[i]);
  }
  sbk_broker_free(sim->broker);
  for (i = 0; i < CLIENTS; i++) {
    client_free(sim->clients[i]); /* sessions of SockJS ended only now */
  }
  if (sim->mem.blocks != 0) {
    model_complain(&sim->model, "%zu blocks of memory are left",
                   sim->mem.blocks);
  }
}

void sim_play(struct sim *sim, uint64_t seed, int acts) {
  int i;

  sim->chance.state = seed;
  begin(sim);
  for (i = 0; i < acts && sim->model.complaint[0] == '\0'; i++) {
    act(sim);
  }
  sim->mem.fail_from = SIZE_MAX;
  if (sim->model.complaint[0] == '\0') {
    for (i = 0; i < HOSTILES; i++) {
      hostile_leaves(sim->hostiles[i]);
    }
    settle(sim);
    for (i = 0; i < CLIENTS; i++) {
      int session = client_session(sim->clients[i]);

      if (session >= 0) {
        model_quiet(&sim->model, session);
      }
    }
    check_queues(sim);
  }
  end(sim);
}
