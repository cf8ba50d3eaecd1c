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
  memcpy(stats, &all, size);
  stats->size = size;

  return 0;
}
