#include <stompbroker/stats.h>

#include <string.h>

#include "hub.h"

static uint64_t queued(const sbk_broker *broker) {
  const sbk__dest *dest;
  uint64_t count = 0;
  size_t pos = 0;

  while ((dest = sbk__map_next(&broker->subs.exact, &pos)) != NULL) {
    count += dest->queue != NULL ? dest->queue->count : 0;
  }

  return count;
}

int sbk_broker_stats(sbk_broker *broker, struct sbk_stats *stats) {
  struct sbk_stats all = broker->counts;
  size_t size = stats->size;

  if (size < sizeof(size) || size > sizeof(all)) {
    return SBK_ERR_ABI;
  }
  all.connections = broker->conn_count;
  all.pending = broker->pending_count;
  all.sessions = broker->session_count;
  all.users = broker->users.count;
  all.destinations = broker->subs.exact.count;
  all.patterns = broker->subs.patterns.count;
  all.queued = queued(broker);
  all.waiting = broker->held;
  all.paused = broker->paused_count;
  all.history = broker->keep.history_count;
  all.history_bytes = broker->keep.history_bytes;
  all.retained = broker->keep.value_count;
  all.retained_bytes = broker->keep.value_bytes;
  all.sockjs_sessions = broker->sockjs_count;
  memcpy(stats, &all, size);
  stats->size = size;

  return 0;
}

static int tell(const sbk__dest *dest,
                int (*fn)(const struct sbk_destination *stats, void *arg),
                void *arg) {
  struct sbk_destination stats = {
      .size = sizeof(stats),
      .name = dest->name,
      .pattern = dest->pattern,
      .subscriptions = dest->count,
      .published = dest->published,
      .deliveries = dest->deliveries,
  };

  if (dest->queue != NULL) {
    stats.queued = dest->queue->count;
    stats.unacked = dest->queue->taken;
  }
  if (dest->store != NULL) {
    stats.history = dest->store->count;
    stats.retained = dest->store->value != NULL;
  }

  return fn(&stats, arg);
}

int sbk_each_destination(sbk_broker *broker,
                         int (*fn)(const struct sbk_destination *stats,
                                   void *arg),
                         void *arg) {
  const sbk__map *maps[] = {&broker->subs.exact, &broker->subs.patterns};
  const sbk__dest *dest;
  size_t i, pos;
  int rv = 0;

  for (i = 0; i < 2; i++) {
    pos = 0;
    while (rv == 0 && (dest = sbk__map_next(maps[i], &pos)) != NULL) {
      rv = tell(dest, fn, arg);
    }
  }

  return rv;
}
