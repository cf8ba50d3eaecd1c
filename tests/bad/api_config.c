#include "bad.h"

#include <stdlib.h>

#include "../unit/failing_mem.h"

/*
 * sbk_broker_new() (stompbroker/broker.h): each limit at its largest value and
 * one over it, each name that is none, structs of another size. What fails
 * leaves no broker and no memory.
 */

static struct failing_mem mem;

static void check_new(const char *name, const struct sbk_callbacks *callbacks,
                      struct sbk_config *config, int error) {
  sbk_broker *broker = (sbk_broker *)(void *)&mem;
  char text[200] = "";
  int rv;

  failing_mem_init(&mem);
  if (config->mem == NULL && config->size >= sizeof(config->size)) {
    config->mem = &mem.mem;
  }
  rv = sbk_broker_new(&broker, callbacks, config, NULL);
  if (rv != error) {
    snprintf(text, sizeof(text), "expected %d, came %d", error, rv);
  } else if ((broker != NULL) != (error == 0)) {
    snprintf(text, sizeof(text), "the broker is left as it was");
  }
  if (rv == 0) {
    sbk_broker_free(broker);
  }
  if (mem.blocks != 0) {
    snprintf(text, sizeof(text), "memory is left");
  }
  bad_line(name, text);
}

/* ---- numbers ---- */

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define DAY ((uint64_t)86400000)

/* All numbers are 64 bits, size_t and sbk_msec alike. */
static const struct number {
  const char *name;
  size_t offset;
  uint64_t largest;
  bool never; /* it may be SBK_NEVER */
} numbers[] = {
#define NUMBER(member, largest, never)                                         \
  { #member, offsetof(struct sbk_config, member), largest, never }
    NUMBER(max_connections, 16777216, false),
    NUMBER(max_preauth_input, 16 * MIB, false),
    NUMBER(max_preauth_output, 16 * MIB, false),
    NUMBER(max_request_head, MIB, false),
    NUMBER(max_request_line, 64 * KIB, false),
    NUMBER(max_request_field, 64 * KIB, false),
    NUMBER(max_request_fields, 1024, false),
    NUMBER(max_request_body, 64 * MIB, false),
    NUMBER(request_timeout, DAY, false),
    NUMBER(max_fragments, 1048576, false),
    NUMBER(max_empty_fragments, 1024, false),
    NUMBER(control_burst, 1000000, false),
    NUMBER(control_rate, 1000000, false),
    NUMBER(close_timeout, 3600000, false),
    NUMBER(ping_interval, DAY, true),
    NUMBER(max_message, GIB, false),
    NUMBER(max_preauth_frame, 16 * MIB, false),
    NUMBER(max_command, 64, false),
    NUMBER(max_headers, 1024, false),
    NUMBER(max_header_line, MIB, false),
    NUMBER(max_header_bytes, 4 * MIB, false),
    NUMBER(max_destination, 8192, false),
    NUMBER(max_levels, 256, false),
    NUMBER(max_wildcards, 32, false),
    NUMBER(max_subscription_id, 4096, false),
    NUMBER(max_receipt, 4096, false),
    NUMBER(max_transaction, 4096, false),
    NUMBER(max_user, 4096, false),
    NUMBER(max_unacked, 65535, false),
    NUMBER(max_redeliveries, 65535, false),
    NUMBER(max_queued_messages, 16777216, false),
    NUMBER(max_queued_bytes, GIB, false),
    NUMBER(max_transactions, 1024, false),
    NUMBER(max_transaction_actions, 65535, false),
    NUMBER(max_transaction_bytes, 64 * MIB, false),
    NUMBER(max_deferred, 65535, false),
    NUMBER(max_subscriptions, 1048576, false),
    NUMBER(connect_timeout, DAY, false),
    NUMBER(heartbeat_out, DAY, true),
    NUMBER(heartbeat_in, DAY, true),
    NUMBER(heartbeat_max, DAY, false),
    NUMBER(heartbeat_grace, 100, false),
    NUMBER(max_queue, GIB, false),
    NUMBER(send_timeout, DAY, false),
    NUMBER(max_total_queue, 1024 * GIB, false),
    NUMBER(max_history_bytes, GIB, false),
    NUMBER(max_retained, 16777216, false),
    NUMBER(max_retained_bytes, GIB, false),
    NUMBER(max_total_queued_bytes, 1024 * GIB, false),
#undef NUMBER
};

static void check_number(const struct number *n, uint64_t value,
                         const char *what, int error) {
  struct sbk_config config = SBK_CONFIG_INIT;
  char name[120];

  memcpy((char *)&config + n->offset, &value, sizeof(value));
  snprintf(name, sizeof(name), "sbk_broker_new: %s %s", n->name, what);
  check_new(name, NULL, &config, error);
}

static void check_numbers(void) {
  size_t i;

  for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
    check_number(&numbers[i], numbers[i].largest, "at its largest", 0);
    check_number(&numbers[i], numbers[i].largest + 1, "over its largest",
                 SBK_ERR_INVAL);
    check_number(&numbers[i], UINT64_MAX, "of all bits",
                 numbers[i].never ? 0 : SBK_ERR_INVAL);
  }
}

static void check_pending(void) {
  struct sbk_config config = SBK_CONFIG_INIT;

  config.max_connections = 10;
  config.max_pending = 10;
  check_new("sbk_broker_new: max_pending of all connections", NULL, &config, 0);
  config.mem = NULL;
  config.max_pending = 11;
  check_new("sbk_broker_new: max_pending of more than all", NULL, &config,
            SBK_ERR_INVAL);
}

/* ---- names ---- */

enum kind { APP, BROKER, QUEUE, USER, ERRORS };

static void check_prefix(enum kind kind, const char *value, const char *what,
                         int error) {
  static const char *const kinds[] = {"an app prefix", "a broker prefix",
                                      "a queue prefix", "a user prefix",
                                      "an error destination"};
  struct sbk_config config = SBK_CONFIG_INIT;
  const char *list[] = {"/fine", value, NULL};
  char name[120];

  config.app_prefixes = kind == APP ? list : NULL;
  config.broker_prefixes = kind == BROKER ? list : NULL;
  config.queue_prefixes = kind == QUEUE ? list : NULL;
  config.user_prefix = kind == USER ? value : NULL;
  config.error_destination = kind == ERRORS ? value : NULL;
  snprintf(name, sizeof(name), "sbk_broker_new: %s %s", kinds[kind], what);
  check_new(name, NULL, &config, error);
}

static void check_prefixes(void) {
  static char long_one[1100], deep[100];
  static const struct {
    const char *value;
    const char *what;
  } wrong[] = {{"", "that is empty"},
               {"//", "of two slashes"},
               {"/a//b", "with an empty segment"},
               {"/a\nb", "with an LF"},
               {"/a\x7f", "with a DEL"},
               {"/a\x01", "with a control character"},
               {long_one, "over max_destination"},
               {deep, "over max_levels"}};
  enum kind kind;
  size_t i;

  memset(long_one, 'x', 1025);
  long_one[0] = '/';
  for (i = 0; i < 33; i++) {
    memcpy(deep + 2 * i, "/x", 2);
  }
  for (kind = APP; kind <= ERRORS; kind++) {
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
      check_prefix(kind, wrong[i].value, wrong[i].what, SBK_ERR_INVAL);
    }
    check_prefix(kind, "/well/x", "that is well", 0);
  }
}

static void check_separators(void) {
  static const char wrong[] = ",:*?{}ax \\\n\x7f";
  struct sbk_config config;
  char name[80];
  size_t i;

  for (i = 0; i < sizeof(wrong) - 1; i++) {
    config = (struct sbk_config)SBK_CONFIG_INIT;
    config.separator = wrong[i];
    snprintf(name, sizeof(name), "sbk_broker_new: the separator %#04x",
             (unsigned)wrong[i]);
    check_new(name, NULL, &config, SBK_ERR_INVAL);
  }
  config = (struct sbk_config)SBK_CONFIG_INIT;
  config.separator = '.';
  check_new("sbk_broker_new: the separator of a dot is well", NULL, &config, 0);
}

/* ---- memory, randomness, structs ---- */

static void check_mem(void) {
  static const char *const names[] = {"malloc", "calloc", "realloc", "free"};
  char name[80];
  size_t i;

  for (i = 0; i < 4; i++) {
    struct sbk_config config = SBK_CONFIG_INIT;
    struct sbk_mem functions;

    failing_mem_init(&mem);
    functions = mem.mem;
    if (i == 0) {
      functions.malloc = NULL;
    } else if (i == 1) {
      functions.calloc = NULL;
    } else if (i == 2) {
      functions.realloc = NULL;
    } else {
      functions.free = NULL;
    }
    config.mem = &functions;
    snprintf(name, sizeof(name), "sbk_broker_new: no %s", names[i]);
    check_new(name, NULL, &config, SBK_ERR_INVAL);
  }
}

static int no_random(void *dst, size_t len, void *arg) {
  (void)dst;
  (void)len;
  (void)arg;

  return -1;
}

/* A struct of a newer library: bytes that are set are not known. */
union config {
  struct sbk_config config;
  char bytes[sizeof(struct sbk_config) + 8];
};

union callbacks {
  struct sbk_callbacks callbacks;
  char bytes[sizeof(struct sbk_callbacks) + 8];
};

static void check_structs(void) {
  union callbacks callbacks;
  union config config;

  memset(&config, 0, sizeof(config));
  memset(&callbacks, 0, sizeof(callbacks));
  callbacks.callbacks.size = sizeof(struct sbk_callbacks);
  check_new("sbk_broker_new: a config of size 0", NULL, &config.config,
            SBK_ERR_ABI);
  config.config.size = sizeof(size_t) - 1;
  check_new("sbk_broker_new: a config smaller than its size", NULL,
            &config.config, SBK_ERR_ABI);
  config.config.size = sizeof(config);
  check_new("sbk_broker_new: a newer config with nothing new", NULL,
            &config.config, 0);
  config.bytes[sizeof(struct sbk_config)] = 1;
  check_new("sbk_broker_new: a newer config with something new", NULL,
            &config.config, SBK_ERR_ABI);
  config.bytes[sizeof(struct sbk_config)] = 0;
  config.bytes[sizeof(config) - 1] = 1;
  check_new("sbk_broker_new: a newer config with something new at its end",
            NULL, &config.config, SBK_ERR_ABI);
  memset(&config, 0, sizeof(config));
  config.config.size = sizeof(struct sbk_config);
  callbacks.callbacks.size = 0;
  check_new("sbk_broker_new: callbacks of size 0", &callbacks.callbacks,
            &config.config, SBK_ERR_ABI);
  callbacks.callbacks.size = sizeof(callbacks);
  check_new("sbk_broker_new: newer callbacks with nothing new",
            &callbacks.callbacks, &config.config, 0);
  callbacks.bytes[sizeof(struct sbk_callbacks)] = 1;
  check_new("sbk_broker_new: newer callbacks with something new",
            &callbacks.callbacks, &config.config, SBK_ERR_ABI);
  callbacks.bytes[sizeof(struct sbk_callbacks)] = 0;
  callbacks.callbacks.size = sizeof(struct sbk_callbacks);
  callbacks.callbacks.random = no_random;
  check_new("sbk_broker_new: no randomness", &callbacks.callbacks,
            &config.config, SBK_ERR_CALLBACK);
}

int main(void) {
  check_numbers();
  check_pending();
  check_prefixes();
  check_separators();
  check_mem();
  check_structs();

  return bad_done();
}
