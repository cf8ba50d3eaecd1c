#include "fanout.h"

#include <string.h>

#include "deliver.h"
#include "str.h"

sbk_message *sbk__message_make(sbk_broker *broker, const char *prefix,
                               size_t prefix_len, const char *destination,
                               const char *content_type, const void *data,
                               size_t len) {
  const struct sbk_mem *mem = &broker->core.mem;
  size_t size = strlen(destination);
  sbk_message *msg = sbk__message_new(mem, SBK_MESSAGE, 4);
  char *to = sbk__malloc(mem, prefix_len + size + 1);
  int rv = msg == NULL || to == NULL ? SBK_ERR_NOMEM : 0;

  if (rv == 0) {
    if (prefix_len > 0) {
      memcpy(to, prefix, prefix_len);
    }
    memcpy(to + prefix_len, destination, size + 1);
    rv = sbk__message_put(msg, "destination", to);
  }
  if (rv == 0 && content_type != NULL) {
    rv = sbk__message_put(msg, "content-type", content_type);
  }
  if (rv == 0 && len > 0) {
    msg->text = sbk_buf_copy(broker, data, len);
    rv = msg->text != NULL ? 0 : SBK_ERR_NOMEM;
  }
  sbk__free(mem, to);
  if (rv != 0) {
    sbk_message_unref(msg);
    return NULL;
  }

  return msg;
}

sbk__topic *sbk__topic_of(const sbk_broker *broker, const sbk__header *to) {
  return broker->topics.count > 0
             ? sbk__topics_find(&broker->topics, to->value, to->value_len,
                                broker->core.config.separator)
             : NULL;
}

/* For those that come later. Afterwards nothing fails for all. */
static int keep(sbk_broker *broker, const sbk__header *to, sbk_message *msg,
                const sbk_session *sender) {
  sbk__topic *topic = sbk__topic_of(broker, to);

  if (topic == NULL) {
    return 0;
  }
  if (sbk__rest_for(broker, msg, SBK__V12) == NULL) {
    return SBK_ERR_NOMEM;
  }

  return sbk__keep_add(&broker->keep, topic, msg, sbk__parse_u64(msg->id + 9),
                       sbk__session_mark(sender));
}

static int deliver_all(const sbk__matches *matches, sbk_message *msg,
                       const sbk_session *sender) {
  uint32_t i, at;
  int count = 0;

  for (at = 0; at < matches->count; at++) {
    sbk__dest *dest = matches->items[at];

    dest->published += !dest->pattern;
    for (i = 0; i < dest->count; i++) {
      sbk__sub *sub = dest->subs[i];

      if (!sub->no_local || sub->session != sender) {
        count += sbk__deliver(sub, msg);
      }
    }
  }

  return count;
}

/* To all that subscribe. How many; SBK_ERR_NOMEM: nobody got it. */
static int deliver_everywhere(sbk_broker *broker, const sbk__header *to,
                              sbk_message *msg, const sbk_session *sender) {
  sbk__matches matches;
  int count = 0;

  sbk__matches_begin(&matches);
  while (count >= 0 &&
         sbk__subs_match(&broker->subs, to->value, to->value_len, &matches)) {
    /* The commonest version's rest first: if there is no memory for that,
     * nobody gets the message and nobody need be closed. */
    count = count == 0 && sbk__rest_for(broker, msg, SBK__V12) == NULL
                ? SBK_ERR_NOMEM
                : count + deliver_all(&matches, msg, sender);
  }
  sbk__matches_end(&broker->subs, &matches);

  return count;
}

int sbk__publish(sbk_broker *broker, sbk_message *msg,
                 const sbk_session *sender) {
  const sbk__header *to = sbk__message_findz(msg, "destination");
  int rv;

  broker->counts.published++;
  if (msg->id_len == 0) {
    sbk__stamp(broker, msg);
  }
  if (sbk__route_is_queue(&broker->route, to->value, to->value_len)) {
    return sbk__enqueue(broker, to, msg);
  }
  rv = keep(broker, to, msg, sender);

  return rv == 0 ? deliver_everywhere(broker, to, msg, sender) : rv;
}

/* Does the user destination of sub cover that destination of its user? */
static bool covers(const sbk__sub *sub, const sbk_broker *broker,
                   const char *to, size_t len) {
  const char *text = sbk__sub_destination(sub);
  size_t size = sub->destination_len;

  if (sub->suffix == 0 || !sub->active || sub->muted) {
    return false;
  }
  if (sub->pattern) {
    return sbk__pattern_match(text + sub->suffix, size - sub->suffix, to, len,
                              broker->core.config.separator, NULL) ||
           (sub->own != 0 &&
            sbk__pattern_match(text + sub->own, size - sub->own, to, len,
                               broker->core.config.separator, NULL));
  }

  return (size - sub->suffix == len &&
          memcmp(text + sub->suffix, to, len) == 0) ||
         (sub->own != 0 && size - sub->own == len &&
          memcmp(text + sub->own, to, len) == 0);
}

/*
 * The message as a subscriber sees it: its destination is what that one wrote
 * (BEHAVIOUR 8), or for a pattern the user prefix and destination; a name made
 * of wildcards is no pattern. *shown is what the last one saw, and is taken
 * again where it fits.
 */
static sbk_message *message_for(const sbk__sub *sub, sbk_message *msg,
                                const sbk__header *to, sbk_message **shown) {
  sbk_broker *broker = sub->session->broker;
  const sbk__name *prefix = &broker->route.user;
  const char *text = sbk__sub_destination(sub);
  sbk_message *copy;
  char *made = NULL;
  int rv;

  if (sub->pattern &&
      (sub->own == 0 || strcmp(text + sub->own, to->value) != 0)) {
    made = sbk__malloc(&broker->core.mem, prefix->len + to->value_len + 1);
    if (made == NULL) {
      return NULL;
    }
    memcpy(made, prefix->text, prefix->len);
    memcpy(made + prefix->len, to->value, to->value_len + 1);
    text = made;
  }
  if (*shown != NULL &&
      strcmp(sbk_message_header(*shown, "destination"), text) == 0) {
    sbk__free(&broker->core.mem, made);
    return *shown;
  }

  copy = sbk__message_clone(msg);
  rv = copy != NULL ? sbk__message_put(copy, "destination", text)
                    : SBK_ERR_NOMEM;
  sbk__free(&broker->core.mem, made);
  if (rv != 0) {
    sbk_message_unref(copy);
    return NULL;
  }
  sbk__stamp(broker, copy);
  sbk_message_unref(*shown);
  *shown = copy;

  return copy;
}

static int to_session(sbk_session *session, sbk_message *msg,
                      const sbk__header *to, sbk_message **shown) {
  int got = 0;
  uint32_t i;

  for (i = 0; i < session->slot_count; i++) {
    sbk__sub *sub = session->subs[i];
    sbk_message *mine;

    if (sub == NULL ||
        !covers(sub, session->broker, to->value, to->value_len)) {
      continue;
    }
    mine = message_for(sub, msg, to, shown);
    if (mine == NULL && got == 0) {
      return SBK_ERR_NOMEM;
    }
    if (mine == NULL) { /* it has a part of it */
      sbk__session_fail(session, SBK__FAULT_NOMEM, NULL);
      break;
    }
    if (sbk__deliver(sub, mine)) {
      got = 1;
    }
  }

  return got;
}

int sbk__publish_to_session(sbk_session *session, sbk_message *msg) {
  sbk_message *shown = NULL;
  int rv =
      to_session(session, msg, sbk__message_findz(msg, "destination"), &shown);

  sbk_message_unref(shown);

  return rv;
}

int sbk__publish_to_user(sbk_broker *broker, const char *user,
                         sbk_message *msg) {
  const sbk__header *to = sbk__message_findz(msg, "destination");
  sbk__user *found = sbk__map_find(&broker->users, user, strlen(user));
  sbk_message *shown = NULL;
  sbk__node *node;
  int rv, count = 0;

  broker->counts.published++;
  if (found != NULL) {
    for (node = found->sessions.next; node != &found->sessions;
         node = node->next) {
      sbk_session *session = sbk__item(node, sbk_session, in_user);

      rv = to_session(session, msg, to, &shown);
      if (rv < 0 && count == 0) {
        count = rv;
        break;
      }
      if (rv < 0) { /* others have it already */
        sbk__session_fail(session, SBK__FAULT_NOMEM, NULL);
        continue;
      }
      count += rv;
    }
  }
  sbk_message_unref(shown);
  if (count == 0 && broker->core.callbacks.undeliverable != NULL) {
    broker->core.callbacks.undeliverable(broker, user, to->value, msg,
                                         broker->core.arg);
  }

  return count;
}
