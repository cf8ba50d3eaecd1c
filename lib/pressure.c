#include "pressure.h"

#include "deliver.h"
#include "ledger.h"
#include "output.h"

#define BEHIND                                                                 \
  1000 /* ms that something waits for a peer who reads too little */

/* ---- what is held ---- */

static sbk_message *message_of(const sbk__entry *entry) {
  return sbk__entry_is_delivery(entry) ? entry->ref.delivery->msg
                                       : entry->ref.msg;
}

static void add_buf(sbk_broker *broker, sbk_buf *buf) {
  broker->held += buf->waits++ == 0 ? buf->len : 0;
}

static void remove_buf(sbk_broker *broker, sbk_buf *buf) {
  broker->held -= --buf->waits == 0 ? buf->len : 0;
}

/* The rest for one version is waited for as well, if it is not one that others
 * share; and the body, if that stands apart. */
static void weigh(sbk_broker *broker, sbk_message *msg, unsigned version) {
  const sbk__rest *rest = msg->rest[version];
  bool known = false;
  unsigned i;

  for (i = 0; i < SBK__VERSIONS; i++) {
    known = known || ((msg->weighed >> i & 1) != 0 && msg->rest[i] == rest);
  }
  if (msg->weighed == 0 && !rest->flat) {
    add_buf(broker, msg->text);
  }
  msg->weighed |= (uint8_t)(1u << version);
  if (!known) {
    msg->weight += rest->head_len;
    broker->held += rest->head_len;
  }
}

static void add_message(sbk_broker *broker, sbk_message *msg,
                        unsigned version) {
  msg->waits++;
  if ((msg->weighed >> version & 1) == 0) {
    weigh(broker, msg, version);
  }
}

static void remove_message(sbk_broker *broker, sbk_message *msg,
                           unsigned version) {
  if (--msg->waits > 0) {
    return;
  }
  if (!msg->rest[version]->flat) {
    remove_buf(broker, msg->text);
  }
  broker->held -= msg->weight;
  msg->weight = 0;
  msg->weighed = 0;
  sbk__free(msg->mem, msg->escaped);
  msg->escaped = NULL;
}

/* ---- the cap ---- */

static size_t waiting(const sbk_session *session) {
  return session->state == SBK__CONNECTED
             ? session->out.bytes + session->backlog
             : 0;
}

/* Something has waited for it for long, be it that it does not acknowledge. */
static bool is_behind(const sbk_session *session) {
  return session->out.count == 0 ||
         (uint32_t)session->broker->core.now -
                 sbk__outq_at(&session->out, 0)->stamp >=
             BEHIND;
}

/* Where its topics allow that it is spared, with less waiting for it. */
static void close_slow(sbk_session *session) {
  bool dropped = false;
  uint32_t i;

  while (sbk__output_drop_oldest(session)) {
    dropped = true;
  }
  if (dropped) {
    session->broker->wire->wake(session);
    return;
  }
  sbk__session_fail(session, SBK__FAULT_TOTAL_QUEUE, NULL);
  for (i = 0; i < session->slot_count; i++) {
    if (session->subs[i] != NULL && session->subs[i]->backlog != NULL) {
      sbk__backlog_free(session->subs[i]);
    }
  }
}

static size_t most_waiting(const sbk_broker *broker, bool fresh_too) {
  const sbk__node *node;
  size_t most = 0;

  for (node = broker->sessions.next; node != &broker->sessions;
       node = node->next) {
    const sbk_session *session = sbk__item(node, sbk_session, in_sessions);

    if (waiting(session) > most && (fresh_too || is_behind(session))) {
      most = waiting(session);
    }
  }

  return most;
}

/* Those for whom most waits, an eighth of that up or down, so that many can be
 * closed without as many walks. */
static void close_most(sbk_broker *broker, bool fresh_too) {
  size_t most;

  while (broker->held > broker->core.config.max_total_queue &&
         (most = most_waiting(broker, fresh_too)) > 0) {
    sbk__node *node;

    for (node = broker->sessions.next;
         node != &broker->sessions &&
         broker->held > broker->core.config.max_total_queue;
         node = node->next) {
      sbk_session *session = sbk__item(node, sbk_session, in_sessions);

      if (waiting(session) >= most - most / 8 &&
          (fresh_too || is_behind(session))) {
        close_slow(session);
      }
    }
  }
}

/* A peer that reads is behind no second; before one of those has to go, streams
 * are cut whose last words nobody takes. */
static void relieve(sbk_broker *broker) {
  broker->relieving = true;
  close_most(broker, false);
  if (broker->held > broker->core.config.max_total_queue) {
    broker->wire->cut(broker);
  }
  close_most(broker, true);
  broker->relieving = false;
}

/* ---- the alarm ---- */

static size_t alarm_level(const sbk_broker *broker) {
  size_t most = broker->core.config.max_total_queue;

  return most - most / 4;
}

static void raise_alarm(sbk_broker *broker) {
  broker->alarm = true;
  broker->counts.alarms++;
  sbk__work_add(broker, &broker->alarm_work);
  sbk__log(&broker->core, SBK_LOG_WARN, NULL,
           "three quarters of max_total_queue wait for peers", NULL);
}

void sbk__pressure_add(sbk_session *session, const sbk__entry *entry) {
  sbk_broker *broker = session->broker;

  broker->held += sizeof(*entry);
  if (sbk__entry_is_message(entry)) {
    add_message(broker, message_of(entry), session->version);
  } else {
    add_buf(broker, entry->ref.buf);
  }
  if (!broker->alarm && broker->held > alarm_level(broker)) {
    raise_alarm(broker);
  }
  if (broker->held > broker->core.config.max_total_queue &&
      !broker->relieving) {
    relieve(broker);
  }
}

void sbk__pressure_remove(sbk_session *session, const sbk__entry *entry) {
  sbk_broker *broker = session->broker;

  broker->held -= sizeof(*entry);
  if (sbk__entry_is_message(entry)) {
    remove_message(broker, message_of(entry), session->version);
  } else {
    remove_buf(broker, entry->ref.buf);
  }
}

bool sbk__pressure_grow(sbk_broker *broker, sbk_message *msg, size_t len) {
  if (broker->alarm || broker->held + len > alarm_level(broker)) {
    return false;
  }
  msg->weight += len;
  broker->held += len;

  return true;
}

void sbk__pressure_charge(sbk_session *session, size_t before) {
  sbk_broker *broker = session->broker;
  size_t share;

  if (!broker->alarm || broker->held <= before ||
      session->state != SBK__CONNECTED || session->paused) {
    return;
  }
  if (session->charged_in != broker->counts.alarms) {
    session->charged_in = broker->counts.alarms;
    session->charged = 0;
  }
  session->charged += broker->held - before;
  share = broker->core.config.max_total_queue / 4 / broker->session_count;
  if (session->charged > share) {
    session->paused = true;
    broker->paused_count++;
  }
}

void sbk__pressure_forget(sbk_session *session) {
  if (session->paused) {
    session->paused = false;
    session->broker->paused_count--;
  }
}

/* Rare enough to look at every session. */
void sbk__pressure_calm(sbk_broker *broker) {
  sbk__node *node;

  broker->alarm = false;
  sbk__work_add(broker, &broker->alarm_work);
  for (node = broker->sessions.next;
       broker->paused_count > 0 && node != &broker->sessions;
       node = node->next) {
    sbk_session *session = sbk__item(node, sbk_session, in_sessions);

    if (session->paused) {
      sbk__pressure_forget(session);
      session->last_in = broker->core.now; /* it could not be heard */
      broker->wire->resume(session);
    }
  }
  sbk__log(&broker->core, SBK_LOG_INFO, NULL,
           "less than half of max_total_queue waits for peers", NULL);
}

void sbk__pressure_work(sbk__work *work) {
  sbk_broker *broker = sbk__item(work, sbk_broker, alarm_work);
  const sbk__core *core = &broker->core;

  if (broker->alarm_told != broker->alarm) {
    broker->alarm_told = broker->alarm;
    if (core->callbacks.alarm != NULL) {
      core->callbacks.alarm(broker, broker->alarm, core->arg);
    }
  }
}
