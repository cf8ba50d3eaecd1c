#include "hub.h"

#include <assert.h>
#include <string.h>

#include "pressure.h"
#include "str.h"

void sbk__enter(sbk_broker *broker) {
  broker->depth++;
}

void sbk__leave(sbk_broker *broker) {
  sbk__node *node;

  assert(broker->depth > 0);
  /* What this does may call back, and so enter and leave again. */
  if (broker->depth == 1 && !broker->leaving) {
    broker->leaving = true;
    do {
      while ((node = sbk__list_shift(&broker->work)) != NULL) {
        sbk__work *work = sbk__item(node, sbk__work, node);

        work->run(work);
      }
      if (sbk__pressure_is_over(broker)) {
        sbk__pressure_calm(broker);
      }
    } while (!sbk__list_empty(&broker->work));
    broker->leaving = false;
  }
  broker->depth--;
}

void sbk__work_add(sbk_broker *broker, sbk__work *work) {
  assert(broker->depth > 0);
  if (!sbk__list_linked(&work->node)) {
    sbk__list_push(&broker->work, &work->node);
  }
}

void sbk__dispatch_soon(sbk_broker *broker, sbk__dest *dest) {
  if (broker->shut_down) {
    return;
  }
  if (!sbk__list_linked(&dest->queue->in_dispatch)) {
    sbk__list_push(&broker->dispatch, &dest->queue->in_dispatch);
  }
  sbk__work_add(broker, &broker->dispatch_work);
}

/* Unique per broker: 8 random digits that tell it from the last run, and a
 * count. */
void sbk__stamp(sbk_broker *broker, sbk_message *msg) {
  char *id = msg->id;
  size_t len;

  memcpy(id, broker->epoch, sizeof(broker->epoch));
  id[8] = '-';
  len = 9 + sbk__format_u64(id + 9, ++broker->message_count);
  msg->id_len = (uint8_t)len;
  msg->frozen = true;
  if (broker->topics.count > 0) {
    const sbk__header *to = sbk__message_findz(msg, "destination");
    const sbk__topic *topic =
        sbk__topics_find(&broker->topics, to->value, to->value_len,
                         broker->core.config.separator);

    msg->overflow = topic != NULL ? (uint8_t)topic->set.overflow : 0;
  }
}

void sbk__stamp_notice(sbk_message *msg) {
  msg->id[8] = '+';
}

bool sbk__message_number(const sbk_broker *broker, const char *id,
                         uint64_t *number) {
  uint64_t value;

  if (strncmp(id, broker->epoch, sizeof(broker->epoch)) != 0 ||
      (id[8] != '-' && id[8] != '+')) {
    return false;
  }
  value = sbk__parse_u64(id + 9);
  if (value == 0 || value > broker->message_count) {
    return false;
  }
  *number = id[8] == '-' ? value : 0;

  return true;
}
