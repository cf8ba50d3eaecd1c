#include <assert.h>
#include <string.h>

#include "abi.h"
#include "call.h"
#include "conn.h"
#include "defaults.h"
#include "deliver.h"
#include "drain.h"
#include "endpoint.h"
#include "inbound.h"
#include "msec.h"
#include "pressure.h"
#include "replay.h"
#include "stomp_work.h"

#define DRAIN_MAX ((sbk_msec)86400000) /* a day */

static const char hex[] = "0123456789abcdef";

static int init_core(sbk__core *core, const struct sbk_callbacks *callbacks,
                     const struct sbk_config *config) {
  static const struct sbk_callbacks no_callbacks = SBK_CALLBACKS_INIT;
  static const struct sbk_config no_config = SBK_CONFIG_INIT;
  int rv = sbk__abi_copy(&core->callbacks, sizeof(core->callbacks),
                         sizeof(core->callbacks),
                         callbacks != NULL ? callbacks : &no_callbacks);

  if (rv == 0) {
    rv =
        sbk__abi_copy(&core->config, sizeof(core->config), sizeof(core->config),
                      config != NULL ? config : &no_config);
  }
  if (rv == 0) {
    rv = sbk__limits_resolve(&core->config);
  }

  return rv;
}

static int check_mem(const struct sbk_mem *mem) {
  return mem->malloc != NULL && mem->calloc != NULL && mem->realloc != NULL &&
                 mem->free != NULL
             ? 0
             : SBK_ERR_INVAL;
}

/* What can fail only for want of memory or randomness. */
static int fill(sbk_broker *broker) {
  uint8_t epoch[4];
  size_t i;
  int rv =
      sbk__random(&broker->core, broker->core.seed, sizeof(broker->core.seed));

  if (rv == 0) {
    rv = sbk__random(&broker->core, epoch, sizeof(epoch));
  }
  if (rv != 0) {
    return rv;
  }
  for (i = 0; i < sizeof(epoch); i++) {
    broker->epoch[2 * i] = hex[epoch[i] >> 4];
    broker->epoch[2 * i + 1] = hex[epoch[i] & 15];
  }

  rv = sbk__route_init(&broker->route, &broker->core.mem, &broker->core.config);
  if (rv != 0) {
    return rv;
  }
  /* From here on the route's copies count. */
  broker->core.config.mem = NULL;
  broker->core.config.app_prefixes = NULL;
  broker->core.config.broker_prefixes = NULL;
  broker->core.config.queue_prefixes = NULL;
  broker->core.config.user_prefix = NULL;
  broker->core.config.error_destination = NULL;
  broker->core.config.private_headers = NULL;
  broker->core.config.server_name = NULL;

  broker->bye = sbk__message_new(&broker->core.mem, SBK_DISCONNECT, 0);
  broker->beat = sbk_buf_copy(broker, "\n", 1);

  return broker->bye != NULL && broker->beat != NULL ? 0 : SBK_ERR_NOMEM;
}

static void init_tables(sbk_broker *broker) {
  const struct sbk_mem *mem = &broker->core.mem;

  broker->core.quota = &broker->log_quota;
  broker->route.mem = mem;
  sbk__subs_init(&broker->subs, &broker->core);
  sbk__keep_init(&broker->keep, &broker->core, &broker->subs);
  sbk__users_init(&broker->users, &broker->core);
  sbk__handlers_init(&broker->handlers, &broker->core);
  sbk__rules_init(&broker->rules, &broker->core);
  sbk__rings_init(&broker->rings, mem);
  sbk__heap_init(&broker->timers, mem);
  sbk__ws_pool_init(&broker->contexts, mem);
  sbk__list_init(&broker->sessions);
  sbk__list_init(&broker->deferred);
  sbk__list_init(&broker->work);
  sbk__list_init(&broker->dispatch);
  sbk__work_init(&broker->dispatch_work, sbk__dispatch_work);
  sbk__list_init(&broker->replays);
  sbk__work_init(&broker->replay_work, sbk__replay_work);
  sbk__work_init(&broker->alarm_work, sbk__pressure_work);
  sbk__list_init(&broker->endpoints);
  sbk__list_init(&broker->conns);
  sbk__list_init(&broker->ready);
  broker->session_work = sbk__inbound_work;
  broker->wire = &sbk__conn_wire;
  atomic_init(&broker->posts, NULL);
}

int sbk_broker_new(sbk_broker **broker, const struct sbk_callbacks *callbacks,
                   const struct sbk_config *config, void *arg) {
  const struct sbk_mem *mem = sbk__mem_default();
  sbk__core core;
  sbk_broker *b;
  int rv;

  *broker = NULL;
  memset(&core, 0, sizeof(core));
  rv = init_core(&core, callbacks, config);
  if (rv == 0 && core.config.mem != NULL) {
    mem = core.config.mem;
    rv = check_mem(mem);
  }
  if (rv != 0) {
    return rv;
  }

  b = sbk__calloc(mem, 1, sizeof(*b));
  if (b == NULL) {
    return SBK_ERR_NOMEM;
  }
  b->core = core;
  b->core.mem = *mem;
  b->core.arg = arg;
  init_tables(b);
  rv = fill(b);
  if (rv != 0) {
    sbk_broker_free(b);
    return rv;
  }
  *broker = b;

  return 0;
}

void sbk_broker_free(sbk_broker *broker) {
  struct sbk_mem mem;
  sbk__node *node;

  if (broker == NULL) {
    return;
  }
  if (broker->depth > 0 || broker->in_tasks) {
    sbk__log(&broker->core, SBK_LOG_ERROR, NULL,
             "sbk_broker_free() called from a callback", NULL);
    return;
  }

  mem = broker->core.mem;
  broker->closed = broker->shut_down = true;
  /* All end before any dies: callbacks may still look at them. */
  sbk__enter(broker);
  for (node = broker->conns.next; node != &broker->conns; node = node->next) {
    sbk__conn_end(sbk__item(node, sbk_conn, in_conns), SBK_ERR_CLOSED);
  }
  sbk__log_left_out(&broker->core, true);
  sbk__leave(broker);
  while (!sbk__list_empty(&broker->conns)) {
    sbk__conn_drop(sbk__item(broker->conns.next, sbk_conn, in_conns));
  }
  while ((node = sbk__list_shift(&broker->deferred)) != NULL) {
    sbk__call_free(sbk__item(node, sbk_call, in_deferred));
  }
  while ((node = sbk__list_shift(&broker->endpoints)) != NULL) {
    sbk__endpoint_free(&mem, sbk__item(node, sbk__endpoint, in_endpoints));
  }
  assert(broker->held == 0 && broker->paused_count == 0);
  sbk__keep_free(&broker->keep);
  sbk__subs_free(&broker->subs);
  sbk__map_free(&broker->users);
  sbk__handlers_free(&broker->handlers);
  sbk__rules_free(&broker->rules);
  sbk__chain_free(&broker->inbound, &mem);
  sbk__chain_free(&broker->outbound, &mem);
  sbk__chain_free(&broker->sends, &mem);
  sbk__chain_free(&broker->errors, &mem);
  sbk__converters_free(&broker->converters, &mem);
  sbk__topics_free(&broker->topics, &mem);
  sbk__route_free(&broker->route);
  sbk__rings_free(&broker->rings);
  sbk__stomp_work_free(&mem, broker->spare_work);
  sbk__free(&mem, broker->spare_call);
  sbk_message_unref(broker->bye);
  sbk_buf_unref(broker->beat);
  sbk__heap_free(&broker->timers);
  sbk__ws_pool_free(&broker->contexts);
  sbk__free(&mem, broker);
}

void *sbk_broker_arg(sbk_broker *broker) {
  return broker->core.arg;
}

size_t sbk_broker_conn_count(sbk_broker *broker) {
  return broker->conn_count;
}

void sbk_broker_shutdown(sbk_broker *broker) {
  sbk__enter(broker);
  broker->drain.done = broker->drain.count;
  sbk__drain_shutdown(broker);
  sbk__leave(broker);
}

int sbk_broker_drain(sbk_broker *broker, sbk_msec over) {
  if (over > DRAIN_MAX) {
    return SBK_ERR_INVAL;
  }
  if (broker->shut_down) {
    return 0; /* nobody is left to tell */
  }
  if (over == 0) {
    sbk_broker_shutdown(broker);
    return 0;
  }

  sbk__enter(broker);
  broker->closed = true;
  sbk__drain_begin(broker, over);
  if (broker->drain.count == 0) {
    sbk__drain_shutdown(broker);
  }
  sbk__leave(broker);

  return 0;
}

/* ---- time, and other threads ---- */

void sbk_post(sbk_broker *broker, sbk_task *task) {
  sbk_task *newest = atomic_load_explicit(&broker->posts, memory_order_relaxed);

  do {
    task->next = newest;
  } while (!atomic_compare_exchange_weak_explicit(&broker->posts, &newest, task,
                                                  memory_order_release,
                                                  memory_order_relaxed));
  if (newest == NULL && broker->core.callbacks.wakeup != NULL) {
    broker->core.callbacks.wakeup(broker->core.arg);
  }
}

static void run_posts(sbk_broker *broker) {
  sbk_task *task =
      atomic_exchange_explicit(&broker->posts, NULL, memory_order_acquire);
  sbk_task *oldest = NULL;

  while (task != NULL) {
    sbk_task *next = task->next;

    task->next = oldest;
    oldest = task;
    task = next;
  }
  broker->in_tasks = true;
  while (oldest != NULL) {
    task = oldest;
    oldest = task->next;
    task->run(broker, task);
  }
  broker->in_tasks = false;
}

void sbk_broker_tick(sbk_broker *broker, sbk_msec now) {
  if (broker->depth > 0 || broker->in_tasks) {
    sbk__log(&broker->core, SBK_LOG_ERROR, NULL,
             "sbk_broker_tick() called from a callback", NULL);
    return;
  }

  /* Tasks are no callbacks: they may feed, and free connections. */
  sbk__conn_tick(broker, now);
  run_posts(broker);
}

sbk_msec sbk_broker_deadline(sbk_broker *broker) {
  const sbk__timer *timer = sbk__heap_first(&broker->timers);

  if (atomic_load_explicit(&broker->posts, memory_order_relaxed) != NULL ||
      !sbk__list_empty(&broker->ready) || !sbk__list_empty(&broker->replays)) {
    return 0;
  }

  return sbk__earlier(
      timer != NULL ? timer->due : SBK_NEVER,
      sbk__earlier(sbk__drain_due(broker),
                   sbk__keep_due(&broker->keep, &broker->topics)));
}

/* ---- what the host registers ---- */

int sbk_broker_add_mapping(sbk_broker *broker,
                           const struct sbk_mapping *mapping) {
  const struct sbk_mem *mem = &broker->core.mem;
  struct sbk_mapping copy;
  const char *text;
  char *slashed;
  size_t len;
  int rv = sbk__abi_copy(&copy, sizeof(copy), sizeof(copy), mapping);

  if (rv != 0) {
    return rv;
  }
  if (copy.pattern == NULL || copy.handler == NULL ||
      (copy.command != SBK_SEND && copy.command != SBK_SUBSCRIBE)) {
    return SBK_ERR_INVAL;
  }
  text = copy.pattern;
  len = strlen(text);
  if (sbk__route_path(&broker->route, &text, &len)) {
    return sbk__handlers_add(&broker->handlers, &copy, text, len);
  }

  /* Spring: "echo" is "/echo". */
  slashed = sbk__malloc(mem, len + 2);
  if (slashed == NULL) {
    return SBK_ERR_NOMEM;
  }
  slashed[0] = '/';
  memcpy(slashed + 1, copy.pattern, len + 1);
  rv = sbk__handlers_add(&broker->handlers, &copy, slashed, len + 1);
  sbk__free(mem, slashed);

  return rv;
}

int sbk_broker_add_handler(sbk_broker *broker, enum sbk_command command,
                           const char *pattern, sbk_handler handler,
                           void *arg) {
  struct sbk_mapping mapping = SBK_MAPPING_INIT;

  mapping.command = command;
  mapping.pattern = pattern;
  mapping.handler = handler;
  mapping.arg = arg;

  return sbk_broker_add_mapping(broker, &mapping);
}

int sbk_broker_add_error_handler(sbk_broker *broker, int order,
                                 sbk_error_handler handler, void *arg) {
  return handler != NULL
             ? sbk__chain_add_error(&broker->errors, &broker->core.mem, order,
                                    handler, arg)
             : SBK_ERR_INVAL;
}

int sbk_broker_add_interceptor(sbk_broker *broker, enum sbk_direction direction,
                               int order, sbk_interceptor interceptor,
                               void *arg) {
  sbk__chain *chain = direction == SBK_INBOUND    ? &broker->inbound
                      : direction == SBK_OUTBOUND ? &broker->outbound
                      : direction == SBK_SENDS    ? &broker->sends
                                                  : NULL;

  return interceptor != NULL && chain != NULL
             ? sbk__chain_add(chain, &broker->core.mem, order, interceptor, arg)
             : SBK_ERR_INVAL;
}

int sbk_broker_add_rule(sbk_broker *broker, const struct sbk_rule *rule) {
  return sbk__rules_add(&broker->rules, rule);
}

int sbk_broker_add_converter(sbk_broker *broker,
                             const struct sbk_converter *converter) {
  return sbk__converters_add(&broker->converters, &broker->core.mem, converter);
}

int sbk_broker_add_topic(sbk_broker *broker, const struct sbk_topic *topic) {
  return sbk__topics_add(&broker->topics, &broker->core, topic);
}
