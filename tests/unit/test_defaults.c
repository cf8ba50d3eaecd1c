#include <string.h>

#include "unit.h"

#include "defaults.h"

/* As the public header has them, written out once more. */
static const struct {
  size_t offset;
  uint64_t normal;
  uint64_t largest;
  int never; /* SBK_NEVER is fine */
} rows[] = {
#define ROW(member, normal, largest, never)                                    \
  { offsetof(struct sbk_config, member), normal, largest, never }
    ROW(max_connections, 10000, 16777216, 0),
    ROW(max_preauth_input, 32768, 16777216, 0),
    ROW(max_preauth_output, 4096, 16777216, 0),
    ROW(max_request_head, 8192, 1048576, 0),
    ROW(max_request_line, 2048, 65536, 0),
    ROW(max_request_field, 4096, 65536, 0),
    ROW(max_request_fields, 64, 1024, 0),
    ROW(max_request_body, 65536, 67108864, 0),
    ROW(request_timeout, 10000, 86400000, 0),
    ROW(max_fragments, 1024, 1048576, 0),
    ROW(max_empty_fragments, 8, 1024, 0),
    ROW(control_burst, 100, 1000000, 0),
    ROW(control_rate, 10, 1000000, 0),
    ROW(close_timeout, 5000, 3600000, 0),
    ROW(ping_interval, SBK_NEVER, 86400000, 1),
    ROW(max_message, 65536, 1073741824, 0),
    ROW(max_preauth_frame, 16384, 16777216, 0),
    ROW(max_command, 16, 64, 0),
    ROW(max_headers, 64, 1024, 0),
    ROW(max_header_line, 8192, 1048576, 0),
    ROW(max_header_bytes, 16384, 4194304, 0),
    ROW(max_destination, 1024, 8192, 0),
    ROW(max_levels, 32, 256, 0),
    ROW(max_wildcards, 8, 32, 0),
    ROW(max_subscription_id, 128, 4096, 0),
    ROW(max_receipt, 256, 4096, 0),
    ROW(max_user, 256, 4096, 0),
    ROW(max_transaction, 128, 4096, 0),
    ROW(max_unacked, 1024, 65535, 0),
    ROW(max_redeliveries, 16, 65535, 0),
    ROW(max_queued_messages, 10000, 16777216, 0),
    ROW(max_queued_bytes, 8388608, 1073741824, 0),
    ROW(max_transactions, 16, 1024, 0),
    ROW(max_transaction_actions, 1024, 65535, 0),
    ROW(max_transaction_bytes, 1048576, 67108864, 0),
    ROW(max_deferred, 64, 65535, 0),
    ROW(max_subscriptions, 1024, 1048576, 0),
    ROW(connect_timeout, 10000, 86400000, 0),
    ROW(heartbeat_out, 10000, 86400000, 1),
    ROW(heartbeat_in, 10000, 86400000, 1),
    ROW(heartbeat_max, 3600000, 86400000, 0),
    ROW(heartbeat_grace, 3, 100, 0),
    ROW(max_queue, 524288, 1073741824, 0),
    ROW(send_timeout, 10000, 86400000, 0),
    ROW(max_total_queue, 268435456, 1099511627776, 0),
    ROW(max_history_bytes, 67108864, 1073741824, 0),
    ROW(max_retained, 10000, 16777216, 0),
    ROW(max_retained_bytes, 67108864, 1073741824, 0),
    ROW(max_total_queued_bytes, 268435456, 1099511627776, 0),
#undef ROW
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static uint64_t *member(struct sbk_config *config, size_t i) {
  return (uint64_t *)(void *)((char *)config + rows[i].offset);
}

/* Resolves a config of which only that number is set. */
static int resolve(struct sbk_config *config, size_t i, uint64_t value) {
  struct sbk_config fresh = SBK_CONFIG_INIT;

  *config = fresh;
  *member(config, i) = value;

  return sbk__limits_resolve(config);
}

static void zero_is_the_default_of_each(void **state) {
  struct sbk_config config = SBK_CONFIG_INIT;
  size_t i;

  (void)state;
  assert_int_equal(sizeof(size_t), sizeof(uint64_t));
  assert_int_equal(sbk__limits_resolve(&config), 0);
  for (i = 0; i < ROWS; i++) {
    assert_true(*member(&config, i) == rows[i].normal);
  }
  assert_int_equal(config.max_pending, 2500);
  assert_int_equal(config.separator, '/');
  assert_int_equal(config.client_user_send, 0);
  assert_int_equal(config.drop_unroutable, 0);
}

static void each_goes_from_1_to_its_largest(void **state) {
  struct sbk_config config;
  size_t i;

  (void)state;
  for (i = 0; i < ROWS; i++) {
    assert_int_equal(resolve(&config, i, 1), 0);
    assert_true(*member(&config, i) == 1);
    assert_int_equal(resolve(&config, i, rows[i].largest - 1), 0);
    assert_int_equal(resolve(&config, i, rows[i].largest), 0);
    assert_true(*member(&config, i) == rows[i].largest);
  }
}

static void more_than_the_largest_is_refused(void **state) {
  struct sbk_config config;
  size_t i;

  (void)state;
  for (i = 0; i < ROWS; i++) {
    assert_int_equal(resolve(&config, i, rows[i].largest + 1), SBK_ERR_INVAL);
    assert_int_equal(resolve(&config, i, UINT64_MAX - 1), SBK_ERR_INVAL);
  }
}

static void never_is_for_few(void **state) {
  struct sbk_config config;
  size_t i;

  (void)state;
  for (i = 0; i < ROWS; i++) {
    assert_int_equal(resolve(&config, i, SBK_NEVER),
                     rows[i].never ? 0 : SBK_ERR_INVAL);
  }
}

static void a_quarter_of_the_connections_may_be_pending(void **state) {
  static const struct {
    size_t connections;
    size_t pending;
    size_t resolved; /* 0: refused */
  } cases[] = {
      {1, 0, 1},       {4, 0, 1},         {5, 0, 2},     {8, 0, 2},
      {100, 100, 100}, {100, 101, 0},     {100, 99, 99}, {1, 1, 1},
      {1, 2, 0},       {0, 10000, 10000}, {0, 10001, 0},
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct sbk_config config = SBK_CONFIG_INIT;

    config.max_connections = cases[i].connections;
    config.max_pending = cases[i].pending;
    assert_int_equal(sbk__limits_resolve(&config),
                     cases[i].resolved ? 0 : SBK_ERR_INVAL);
    if (cases[i].resolved) {
      assert_int_equal(config.max_pending, cases[i].resolved);
    }
  }
}

static void segments_are_separated_by_slash_or_dot(void **state) {
  int c;

  (void)state;
  for (c = 0; c < 256; c++) {
    struct sbk_config config = SBK_CONFIG_INIT;

    config.separator = (char)c;
    assert_int_equal(sbk__limits_resolve(&config),
                     c == 0 || c == '/' || c == '.' ? 0 : SBK_ERR_INVAL);
  }
}

static void every_number_has_a_row(void **state) {
  struct sbk_config config = SBK_CONFIG_INIT;
  const uint64_t *word;
  size_t i, numbers = 0;

  (void)state;
  /* From the first limit on there are nothing but numbers. */
  for (i = offsetof(struct sbk_config, max_connections); i < sizeof(config);
       i += sizeof(*word)) {
    numbers++;
  }
  assert_int_equal(numbers, ROWS + 1); /* and max_pending */
  assert_int_equal(sbk__limits_resolve(&config), 0);
  for (i = offsetof(struct sbk_config, max_connections); i < sizeof(config);
       i += sizeof(*word)) {
    word = (const uint64_t *)(const void *)((const char *)&config + i);
    assert_true(*word != 0);
  }
}

/* ---- of SockJS ---- */

static const struct {
  size_t offset;
  uint64_t normal;
  uint64_t largest;
} sockjs_rows[] = {
    {offsetof(struct sbk_sockjs, heartbeat), 25000, 86400000},
    {offsetof(struct sbk_sockjs, disconnect_delay), 5000, 3600000},
    {offsetof(struct sbk_sockjs, stream_limit), 131072, 1073741824},
    {offsetof(struct sbk_sockjs, max_body), 1048576, 1073741824},
};

#define SOCKJS_ROWS (sizeof(sockjs_rows) / sizeof(sockjs_rows[0]))

static uint64_t *sockjs_member(struct sbk_sockjs *sockjs, size_t i) {
  return (uint64_t *)(void *)((char *)sockjs + sockjs_rows[i].offset);
}

static int resolve_sockjs(struct sbk_sockjs *sockjs, size_t i, uint64_t value) {
  struct sbk_sockjs fresh = SBK_SOCKJS_INIT;

  *sockjs = fresh;
  *sockjs_member(sockjs, i) = value;

  return sbk__limits_resolve_sockjs(sockjs);
}

static void zero_is_the_default_of_sockjs_too(void **state) {
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  size_t i;

  (void)state;
  assert_int_equal(sbk__limits_resolve_sockjs(&sockjs), 0);
  for (i = 0; i < SOCKJS_ROWS; i++) {
    assert_true(*sockjs_member(&sockjs, i) == sockjs_rows[i].normal);
  }
  assert_int_equal(sockjs.no_websocket, 0);
  assert_int_equal(sockjs.cookie, 0);
  assert_int_equal(sockjs.htmlfile, 0);
  assert_int_equal(sockjs.jsonp, 0);
  assert_null(sockjs.client_url);
}

static void numbers_of_sockjs_have_their_largest(void **state) {
  struct sbk_sockjs sockjs;
  size_t i;

  (void)state;
  for (i = 0; i < SOCKJS_ROWS; i++) {
    assert_int_equal(resolve_sockjs(&sockjs, i, 1), 0);
    assert_true(*sockjs_member(&sockjs, i) == 1);
    assert_int_equal(resolve_sockjs(&sockjs, i, sockjs_rows[i].largest - 1), 0);
    assert_int_equal(resolve_sockjs(&sockjs, i, sockjs_rows[i].largest), 0);
    assert_true(*sockjs_member(&sockjs, i) == sockjs_rows[i].largest);
    assert_int_equal(resolve_sockjs(&sockjs, i, sockjs_rows[i].largest + 1),
                     SBK_ERR_INVAL);
    assert_int_equal(resolve_sockjs(&sockjs, i, UINT64_MAX - 1), SBK_ERR_INVAL);
    assert_int_equal(resolve_sockjs(&sockjs, i, SBK_NEVER), SBK_ERR_INVAL);
  }
}

static void every_number_of_sockjs_has_a_row(void **state) {
  (void)state;
  /* From the first one on there is nothing else. */
  assert_int_equal(sizeof(struct sbk_sockjs) -
                       offsetof(struct sbk_sockjs, heartbeat),
                   SOCKJS_ROWS * sizeof(uint64_t));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(zero_is_the_default_of_each),
      cmocka_unit_test(each_goes_from_1_to_its_largest),
      cmocka_unit_test(more_than_the_largest_is_refused),
      cmocka_unit_test(never_is_for_few),
      cmocka_unit_test(a_quarter_of_the_connections_may_be_pending),
      cmocka_unit_test(segments_are_separated_by_slash_or_dot),
      cmocka_unit_test(every_number_has_a_row),
      cmocka_unit_test(zero_is_the_default_of_sockjs_too),
      cmocka_unit_test(numbers_of_sockjs_have_their_largest),
      cmocka_unit_test(every_number_of_sockjs_has_a_row),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
