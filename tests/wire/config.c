#include "config.h"

#include <stdlib.h>
#include <string.h>

enum kind { SIZE, MSEC, LIST, STRING, CHAR };

#define MEMBER(kind, name)                                                     \
  { #name, kind, offsetof(struct sbk_config, name) }

static const struct {
  const char *name;
  enum kind kind;
  size_t off;
} members[] = {
    MEMBER(LIST, app_prefixes),
    MEMBER(LIST, broker_prefixes),
    MEMBER(LIST, queue_prefixes),
    MEMBER(STRING, user_prefix),
    MEMBER(CHAR, separator),
    MEMBER(CHAR, client_user_send),
    MEMBER(CHAR, drop_unroutable),
    MEMBER(STRING, error_destination),
    MEMBER(LIST, private_headers),
    MEMBER(STRING, server_name),
    MEMBER(SIZE, max_connections),
    MEMBER(SIZE, max_pending),
    MEMBER(SIZE, max_preauth_input),
    MEMBER(SIZE, max_preauth_output),
    MEMBER(SIZE, max_request_head),
    MEMBER(SIZE, max_request_line),
    MEMBER(SIZE, max_request_field),
    MEMBER(SIZE, max_request_fields),
    MEMBER(SIZE, max_request_body),
    MEMBER(MSEC, request_timeout),
    MEMBER(SIZE, max_fragments),
    MEMBER(SIZE, max_empty_fragments),
    MEMBER(SIZE, control_burst),
    MEMBER(SIZE, control_rate),
    MEMBER(MSEC, close_timeout),
    MEMBER(MSEC, ping_interval),
    MEMBER(SIZE, max_message),
    MEMBER(SIZE, max_preauth_frame),
    MEMBER(SIZE, max_command),
    MEMBER(SIZE, max_headers),
    MEMBER(SIZE, max_header_line),
    MEMBER(SIZE, max_header_bytes),
    MEMBER(SIZE, max_destination),
    MEMBER(SIZE, max_levels),
    MEMBER(SIZE, max_wildcards),
    MEMBER(SIZE, max_subscription_id),
    MEMBER(SIZE, max_receipt),
    MEMBER(SIZE, max_user),
    MEMBER(SIZE, max_transaction),
    MEMBER(SIZE, max_unacked),
    MEMBER(SIZE, max_redeliveries),
    MEMBER(SIZE, max_queued_messages),
    MEMBER(SIZE, max_queued_bytes),
    MEMBER(SIZE, max_transactions),
    MEMBER(SIZE, max_transaction_actions),
    MEMBER(SIZE, max_transaction_bytes),
    MEMBER(SIZE, max_deferred),
    MEMBER(SIZE, max_subscriptions),
    MEMBER(MSEC, connect_timeout),
    MEMBER(MSEC, heartbeat_out),
    MEMBER(MSEC, heartbeat_in),
    MEMBER(MSEC, heartbeat_max),
    MEMBER(SIZE, heartbeat_grace),
    MEMBER(SIZE, max_queue),
    MEMBER(MSEC, send_timeout),
    MEMBER(SIZE, max_total_queue),
    MEMBER(SIZE, max_history_bytes),
    MEMBER(SIZE, max_retained),
    MEMBER(SIZE, max_retained_bytes),
    MEMBER(SIZE, max_total_queued_bytes),
};

void split_list(const char **list, size_t cap, char *text) {
  size_t count = 0;
  char *comma;

  while (text != NULL && *text != '\0' && count + 1 < cap) {
    comma = strchr(text, ',');
    if (comma != NULL) {
      *comma = '\0';
    }
    list[count++] = text;
    text = comma != NULL ? comma + 1 : NULL;
  }
  list[count] = NULL;
}

int config_set(struct sbk_config *config, const char *name, char *text,
               void *(*keep)(void *arg, size_t size), void *arg) {
  unsigned long long number = strtoull(text, NULL, 10);
  const char **list;
  char *member;
  size_t i;

  for (i = 0; i < sizeof(members) / sizeof(*members); i++) {
    if (strcmp(members[i].name, name) != 0) {
      continue;
    }
    member = (char *)config + members[i].off;
    switch (members[i].kind) {
    case SIZE:
      *(size_t *)(void *)member = (size_t)number;
      return 0;
    case MSEC:
      *(sbk_msec *)(void *)member =
          strcmp(text, "never") == 0 ? SBK_NEVER : number;
      return 0;
    case LIST:
      list = keep(arg, MAX_LIST * sizeof(*list));
      split_list(list, MAX_LIST, text);
      memcpy(member, &list, sizeof(list));
      return 0;
    case STRING:
      memcpy(member, &text, sizeof(text));
      return 0;
    case CHAR:
      *member = *text == '1' ? 1 : *text;
      return 0;
    }
  }
  return -1;
}
