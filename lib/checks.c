#include "checks.h"

#include <string.h>

#include "acks.h"
#include "ascii.h"
#include "pattern.h"
#include "str.h"
#include "tx.h"

/* What STOMP says of a frame, before the host's code sees it. */

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

/* STOMP 1.2, Protocol Negotiation. Blanks are tolerated: Spring took "1.1,
 * 1.2" for 1.1. */
static enum sbk__fault choose_version(sbk_session *session, const char *list) {
  int best = -1;

  if (list == NULL) {
    session->version = SBK__V10;
    return SBK__FAULT_NONE;
  }
  while (*list != '\0') {
    size_t len;

    while (is_blank(*list)) {
      list++;
    }
    len = strcspn(list, ", \t");
    if (len == 3 && list[0] == '1' && list[1] == '.' && list[2] >= '0' &&
        list[2] <= '2' && list[2] - '0' > best) {
      best = list[2] - '0';
    }
    list += strcspn(list, ",");
    list += *list == ',';
  }
  if (best < 0) {
    return SBK__FAULT_VERSION;
  }
  session->version = (uint8_t)(SBK__V10 + best);

  return SBK__FAULT_NONE;
}

/* A number of at most 10 digits with blanks around it. */
static bool read_interval(const char **text, uint64_t *value) {
  const char *at = *text;
  int digits = 0;

  *value = 0;
  while (is_blank(*at)) {
    at++;
  }
  while (*at >= '0' && *at <= '9' && digits < 11) {
    *value = *value * 10 + (uint64_t)(*at++ - '0');
    digits++;
  }
  while (is_blank(*at)) {
    at++;
  }
  *text = at;

  return digits > 0 && digits < 11;
}

static uint32_t agree(uint64_t theirs, sbk_msec ours) {
  if (theirs == 0 || ours == SBK_NEVER) {
    return 0;
  }

  return (uint32_t)(theirs > ours ? theirs : ours);
}

/* STOMP 1.2, Heart-beating. */
static enum sbk__fault agree_on_beats(sbk_session *session, const char *text) {
  const struct sbk_config *config = &session->broker->core.config;
  uint64_t can, wants;

  if (text == NULL) {
    return SBK__FAULT_NONE;
  }
  if (!read_interval(&text, &can) || *text++ != ',' ||
      !read_interval(&text, &wants) || *text != '\0' ||
      can > config->heartbeat_max || wants > config->heartbeat_max) {
    return SBK__FAULT_HEARTBEAT;
  }
  session->beat_in = agree(can, config->heartbeat_in);
  session->beat_out = agree(wants, config->heartbeat_out);

  return SBK__FAULT_NONE;
}

static enum sbk__fault check_connect(sbk_session *session,
                                     const sbk_message *msg) {
  enum sbk__fault fault =
      choose_version(session, sbk_message_header(msg, "accept-version"));

  return fault != SBK__FAULT_NONE
             ? fault
             : agree_on_beats(session, sbk_message_header(msg, "heart-beat"));
}

static enum sbk__fault check_destination(const sbk_session *session,
                                         const sbk_message *msg, bool pattern) {
  const struct sbk_config *limits = &session->broker->core.config;
  const sbk__header *to = sbk__message_findz(msg, "destination");
  int rv;

  if (to == NULL) {
    return SBK__FAULT_NO_DESTINATION;
  }
  rv = sbk__destination_check(to->value, to->value_len, limits);
  if (rv != 0) {
    return rv == SBK_ERR_TOO_BIG ? SBK__FAULT_DESTINATION_SIZE
                                 : SBK__FAULT_DESTINATION;
  }
  if (pattern && sbk__pattern_is(to->value, to->value_len)) {
    rv = sbk__pattern_check(to->value, to->value_len, limits);
  }

  return rv == 0                 ? SBK__FAULT_NONE
         : rv == SBK_ERR_TOO_BIG ? SBK__FAULT_PATTERN_SIZE
                                 : SBK__FAULT_PATTERN;
}

sbk__sub *sbk__check_find_sub(const sbk_session *session,
                              const sbk_message *msg) {
  const sbk__header *id = sbk__message_findz(msg, "id");
  const sbk__header *to = sbk__message_findz(msg, "destination");

  if (id != NULL) {
    return sbk__session_find_sub(session, id->value, id->value_len, NULL, 0);
  }

  return to != NULL
             ? sbk__session_find_sub(session, NULL, 0, to->value, to->value_len)
             : NULL;
}

/* The modes of STOMP 1.1 and 1.2; 1.0 has no client-individual. */
int sbk__check_ack_mode(const sbk_session *session, const char *ack) {
  if (ack == NULL || strcmp(ack, "auto") == 0) {
    return SBK__ACK_AUTO;
  }
  if (strcmp(ack, "client") == 0) {
    return SBK__ACK_CLIENT;
  }

  return strcmp(ack, "client-individual") == 0 && session->version > SBK__V10
             ? SBK__ACK_INDIVIDUAL
             : -1;
}

/* RabbitMQ's header; above the limit it is the limit. 0: it is no count. */
uint16_t sbk__check_prefetch(const char *text, size_t max) {
  uint64_t value = 0;

  if (text == NULL) {
    return (uint16_t)max;
  }
  for (; sbk__ascii_is_digit(*text); text++) {
    value = value > max ? value : value * 10 + (uint64_t)(*text - '0');
  }

  return *text != '\0' ? 0 : (uint16_t)(value < max ? value : max);
}

/* Digits, or no header at all. */
static bool is_count(const char *text) {
  return text == NULL ||
         (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0');
}

static enum sbk__fault check_subscribe(const sbk_session *session,
                                       const sbk_message *msg) {
  const struct sbk_config *limits = &session->broker->core.config;
  const sbk__header *id = sbk__message_findz(msg, "id");
  enum sbk__fault fault = check_destination(session, msg, true);

  if (fault != SBK__FAULT_NONE) {
    return fault;
  }
  if (id == NULL && session->version > SBK__V10) {
    return SBK__FAULT_NO_ID;
  }
  if (id != NULL && id->value_len > limits->max_subscription_id) {
    return SBK__FAULT_ID_SIZE;
  }
  if (sbk__check_ack_mode(session, sbk_message_header(msg, "ack")) < 0) {
    return SBK__FAULT_ACK_MODE;
  }
  if (sbk__check_prefetch(sbk_message_header(msg, "prefetch-count"),
                          limits->max_unacked) == 0) {
    return SBK__FAULT_PREFETCH;
  }
  if (!is_count(sbk_message_header(msg, "history"))) {
    return SBK__FAULT_HISTORY;
  }
  if (sbk_message_header(msg, "selector") != NULL) {
    return SBK__FAULT_SELECTOR;
  }
  if (sbk__check_find_sub(session, msg) != NULL) {
    return SBK__FAULT_DUPLICATE_ID;
  }

  return session->sub_count >= limits->max_subscriptions
             ? SBK__FAULT_SUBSCRIPTIONS
             : SBK__FAULT_NONE;
}

static enum sbk__fault check_unsubscribe(const sbk_session *session,
                                         const sbk_message *msg) {
  if (sbk_message_header(msg, "id") == NULL) {
    if (session->version > SBK__V10) {
      return SBK__FAULT_NO_ID;
    }
    if (sbk_message_header(msg, "destination") == NULL) {
      return SBK__FAULT_NO_DESTINATION;
    }
  }

  return sbk__check_find_sub(session, msg) != NULL ? SBK__FAULT_NONE
                                                   : SBK__FAULT_UNKNOWN_ID;
}

static enum sbk__fault check_ack(const sbk_session *session,
                                 const sbk_message *msg) {
  enum sbk__fault fault = sbk__acks_check(session, msg);

  return fault == SBK__FAULT_NONE && sbk__names_transaction(msg)
             ? sbk__tx_check(session, msg)
             : fault;
}

static enum sbk__fault check_send(const sbk_session *session,
                                  const sbk_message *msg) {
  enum sbk__fault fault = check_destination(session, msg, false);

  return fault == SBK__FAULT_NONE && sbk__names_transaction(msg)
             ? sbk__tx_check(session, msg)
             : fault;
}

static enum sbk__fault check_connected(sbk_session *session,
                                       const sbk_message *msg) {
  switch (msg->command) {
  case SBK_SEND:
    return check_send(session, msg);
  case SBK_SUBSCRIBE:
    return check_subscribe(session, msg);
  case SBK_UNSUBSCRIBE:
    return check_unsubscribe(session, msg);
  case SBK_DISCONNECT:
    return SBK__FAULT_NONE;
  case SBK_NACK:
    return session->version > SBK__V10 ? check_ack(session, msg)
                                       : SBK__FAULT_NACK_VERSION;
  case SBK_ACK:
    return check_ack(session, msg);
  case SBK_BEGIN:
  case SBK_COMMIT:
  case SBK_ABORT:
    return sbk__tx_check(session, msg);
  default:
    return SBK__FAULT_CONNECTED;
  }
}

enum sbk__fault sbk__check_frame(sbk_session *session, const sbk_message *msg) {
  const sbk__header *receipt = sbk__message_findz(msg, "receipt");

  if (session->state == SBK__NEW) {
    return msg->command == SBK_CONNECT ? check_connect(session, msg)
                                       : SBK__FAULT_NOT_CONNECTED;
  }
  if (receipt != NULL &&
      receipt->value_len > session->broker->core.config.max_receipt) {
    return SBK__FAULT_RECEIPT_SIZE;
  }

  return check_connected(session, msg);
}
