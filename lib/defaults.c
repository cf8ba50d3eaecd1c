#include "defaults.h"

#define KIB ((size_t)1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define TIB (GIB * 1024)

/* Shared LIMITS table: one row a number, its default and its largest value. */
struct size_row {
  size_t offset;
  size_t normal;
  size_t largest;
};

static const struct size_row sizes[] = {
#define SIZE(member, normal, largest)                                          \
  { offsetof(struct sbk_config, member), normal, largest }
    SIZE(max_connections, 10000, 16777216),
    SIZE(max_preauth_input, 32 * KIB, 16 * MIB),
    SIZE(max_preauth_output, 4 * KIB, 16 * MIB),
    SIZE(max_request_head, 8 * KIB, MIB),
    SIZE(max_request_line, 2 * KIB, 64 * KIB),
    SIZE(max_request_field, 4 * KIB, 64 * KIB),
    SIZE(max_request_fields, 64, 1024),
    SIZE(max_request_body, 64 * KIB, 64 * MIB),
    SIZE(max_fragments, 1024, 1048576),
    SIZE(max_empty_fragments, 8, 1024),
    SIZE(control_burst, 100, 1000000),
    SIZE(control_rate, 10, 1000000),
    SIZE(max_message, 64 * KIB, GIB),
    SIZE(max_preauth_frame, 16 * KIB, 16 * MIB),
    SIZE(max_command, 16, 64),
    SIZE(max_headers, 64, 1024),
    SIZE(max_header_line, 8 * KIB, MIB),
    SIZE(max_header_bytes, 16 * KIB, 4 * MIB),
    SIZE(max_destination, 1024, 8192),
    SIZE(max_levels, 32, 256),
    SIZE(max_wildcards, 8, 32),
    SIZE(max_subscription_id, 128, 4096),
    SIZE(max_receipt, 256, 4096),
    SIZE(max_user, 256, 4096),
    SIZE(max_transaction, 128, 4096),
    SIZE(max_deferred, 64, 65535),
    SIZE(max_unacked, 1024, 65535),
    SIZE(max_redeliveries, 16, 65535),
    SIZE(max_queued_messages, 10000, 16777216),
    SIZE(max_queued_bytes, 8 * MIB, GIB),
    SIZE(max_transactions, 16, 1024),
    SIZE(max_transaction_actions, 1024, 65535),
    SIZE(max_transaction_bytes, MIB, 64 * MIB),
    SIZE(max_subscriptions, 1024, 1048576),
    SIZE(heartbeat_grace, 3, 100),
    SIZE(max_queue, 512 * KIB, GIB),
    SIZE(max_total_queue, 256 * MIB, TIB),
    SIZE(max_history_bytes, 64 * MIB, GIB),
    SIZE(max_retained, 10000, 16777216),
    SIZE(max_retained_bytes, 64 * MIB, GIB),
    SIZE(max_total_queued_bytes, 256 * MIB, TIB),
#undef SIZE
};

#define HOUR ((sbk_msec)3600000)
#define DAY  (24 * HOUR)

struct time_row {
  size_t offset;
  sbk_msec normal;
  sbk_msec largest;
  int may_be_never;
};

static const struct time_row times[] = {
#define TIME(member, normal, largest, never)                                   \
  { offsetof(struct sbk_config, member), normal, largest, never }
    TIME(request_timeout, 10000, DAY, 0),
    TIME(close_timeout, 5000, HOUR, 0),
    TIME(ping_interval, SBK_NEVER, DAY, 1),
    TIME(connect_timeout, 10000, DAY, 0),
    TIME(heartbeat_out, 10000, DAY, 1),
    TIME(heartbeat_in, 10000, DAY, 1),
    TIME(heartbeat_max, HOUR, DAY, 0),
    TIME(send_timeout, 10000, DAY, 0),
#undef TIME
};

static const struct size_row sockjs_sizes[] = {
#define SIZE(member, normal, largest)                                          \
  { offsetof(struct sbk_sockjs, member), normal, largest }
    SIZE(stream_limit, 128 * KIB, GIB),
    SIZE(max_body, MIB, GIB),
#undef SIZE
};

static const struct time_row sockjs_times[] = {
#define TIME(member, normal, largest)                                          \
  { offsetof(struct sbk_sockjs, member), normal, largest, 0 }
    TIME(heartbeat, 25000, DAY),
    TIME(disconnect_delay, 5000, HOUR),
#undef TIME
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int resolve_sizes(char *base, const struct size_row *rows,
                         size_t count) {
  for (; count > 0; count--, rows++) {
    size_t *member = (size_t *)(void *)(base + rows->offset);

    *member = *member == 0 ? rows->normal : *member;
    if (*member > rows->largest) {
      return SBK_ERR_INVAL;
    }
  }

  return 0;
}

static int resolve_times(char *base, const struct time_row *rows,
                         size_t count) {
  for (; count > 0; count--, rows++) {
    sbk_msec *member = (sbk_msec *)(void *)(base + rows->offset);

    *member = *member == 0 ? rows->normal : *member;
    if (*member > rows->largest &&
        !(rows->may_be_never && *member == SBK_NEVER)) {
      return SBK_ERR_INVAL;
    }
  }

  return 0;
}

int sbk__limits_resolve_sockjs(struct sbk_sockjs *sockjs) {
  int rv = resolve_sizes((char *)sockjs, sockjs_sizes, COUNT(sockjs_sizes));

  return rv != 0
             ? rv
             : resolve_times((char *)sockjs, sockjs_times, COUNT(sockjs_times));
}

int sbk__limits_resolve(struct sbk_config *config) {
  int rv = resolve_sizes((char *)config, sizes, COUNT(sizes));

  rv = rv != 0 ? rv : resolve_times((char *)config, times, COUNT(times));
  if (rv != 0) {
    return rv;
  }

  if (config->max_pending == 0) {
    config->max_pending = (config->max_connections + 3) / 4;
  }
  if (config->max_pending > config->max_connections) {
    return SBK_ERR_INVAL;
  }
  if (config->separator == '\0') {
    config->separator = '/';
  }

  return config->separator == '/' || config->separator == '.' ? 0
                                                              : SBK_ERR_INVAL;
}
