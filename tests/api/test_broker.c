#include "host.h"

static int nothing(sbk_call *call, void *arg) {
  (void)call, (void)arg;
  return 0;
}

static enum sbk_verdict pass(sbk_call *call, void *arg) {
  (void)call, (void)arg;
  return SBK_PASS;
}

static void takes_nothing_for_its_defaults(void **state) {
  sbk_broker *broker = NULL;

  (void)state;
  assert_int_equal(sbk_broker_new(&broker, NULL, NULL, &broker), 0);
  assert_non_null(broker);
  assert_ptr_equal(sbk_broker_arg(broker), &broker);
  assert_int_equal(sbk_broker_conn_count(broker), 0);
  assert_null(sbk_broker_next_ready(broker));
  assert_true(sbk_broker_deadline(broker) == SBK_NEVER);
  sbk_broker_free(broker);
  sbk_broker_free(NULL);
}

/* What sbk_broker_new() says to a config. */
static int try_config(const struct sbk_config *config) {
  sbk_broker *broker = (sbk_broker *)(uintptr_t)1;
  int rv = sbk_broker_new(&broker, NULL, config, NULL);

  if (rv == 0) {
    assert_non_null(broker);
    sbk_broker_free(broker);
  } else {
    assert_null(broker);
  }

  return rv;
}

static void refuses_numbers_out_of_range(void **state) {
  const struct sbk_config fresh = SBK_CONFIG_INIT;
  struct sbk_config config = fresh;

  (void)state;
  config.max_message = (size_t)1 << 30;
  assert_int_equal(try_config(&config), 0);
  config.max_message++;
  assert_int_equal(try_config(&config), SBK_ERR_INVAL);
  config = fresh;
  config.heartbeat_grace = 101;
  assert_int_equal(try_config(&config), SBK_ERR_INVAL);
  config = fresh;
  config.request_timeout = SBK_NEVER;
  assert_int_equal(try_config(&config), SBK_ERR_INVAL);
  config = fresh;
  config.heartbeat_in = SBK_NEVER;
  assert_int_equal(try_config(&config), 0);
  config = fresh;
  config.separator = ':';
  assert_int_equal(try_config(&config), SBK_ERR_INVAL);
}

static void refuses_numbers_that_contradict_each_other(void **state) {
  struct sbk_config config = SBK_CONFIG_INIT;

  (void)state;
  config.max_connections = 10;
  config.max_pending = 10;
  assert_int_equal(try_config(&config), 0);
  config.max_pending = 11;
  assert_int_equal(try_config(&config), SBK_ERR_INVAL);
}

static void refuses_names_that_are_none(void **state) {
  static const char *const list[] = {"/fine", "/not//fine", NULL};
  const struct sbk_config fresh = SBK_CONFIG_INIT;
  struct sbk_config config = fresh;

  (void)state;
  config.app_prefixes = list;
  assert_int_equal(try_config(&config), SBK_ERR_INVAL);
  config = fresh;
  config.broker_prefixes = list;
  assert_int_equal(try_config(&config), SBK_ERR_INVAL);
  config = fresh;
  config.user_prefix = "/us*er";
  assert_int_equal(try_config(&config), SBK_ERR_INVAL);
  config = fresh;
  config.server_name = "two\nlines";
  assert_int_equal(try_config(&config), SBK_ERR_INVAL);
}

static void knows_newer_structs_by_their_bytes(void **state) {
  struct {
    struct sbk_config config;
    char more[8];
  } larger = {SBK_CONFIG_INIT, {0}};
  struct {
    struct sbk_callbacks callbacks;
    char more[8];
  } calls = {SBK_CALLBACKS_INIT, {0}};
  sbk_broker *broker;

  (void)state;
  larger.config.size = sizeof(larger);
  assert_int_equal(try_config(&larger.config), 0);
  larger.more[7] = 1;
  assert_int_equal(try_config(&larger.config), SBK_ERR_ABI);

  calls.callbacks.size = sizeof(calls);
  assert_int_equal(sbk_broker_new(&broker, &calls.callbacks, NULL, NULL), 0);
  sbk_broker_free(broker);
  calls.more[0] = 1;
  assert_int_equal(sbk_broker_new(&broker, &calls.callbacks, NULL, NULL),
                   SBK_ERR_ABI);
  assert_null(broker);
}

static void refuses_structs_that_are_too_short(void **state) {
  struct sbk_callbacks callbacks = SBK_CALLBACKS_INIT;
  struct sbk_config config = SBK_CONFIG_INIT;
  sbk_broker *broker;

  (void)state;
  config.size--;
  assert_int_equal(try_config(&config), SBK_ERR_ABI);
  config.size = 0;
  assert_int_equal(try_config(&config), SBK_ERR_ABI);
  callbacks.size--;
  assert_int_equal(sbk_broker_new(&broker, &callbacks, NULL, NULL),
                   SBK_ERR_ABI);
}

static void wants_all_four_functions_of_memory(void **state) {
  struct sbk_config config = SBK_CONFIG_INIT;
  struct failing_mem mem;
  int i;

  (void)state;
  for (i = 0; i < 4; i++) {
    failing_mem_init(&mem);
    mem.mem.malloc = i == 0 ? NULL : mem.mem.malloc;
    mem.mem.calloc = i == 1 ? NULL : mem.mem.calloc;
    mem.mem.realloc = i == 2 ? NULL : mem.mem.realloc;
    mem.mem.free = i == 3 ? NULL : mem.mem.free;
    config.mem = &mem.mem;
    assert_int_equal(try_config(&config), SBK_ERR_INVAL);
    assert_int_equal(mem.calls, 0);
  }
}

static void copies_what_it_is_given(void **state) {
  struct sbk_mem mem;
  char prefix[] = "/events", server[] = "mine";
  const char *prefixes[] = {prefix, NULL};
  struct host host;
  struct peer peer;

  (void)state;
  host_init(&host);
  mem = host.mem.mem;
  host.config.mem = &mem;
  host.config.broker_prefixes = prefixes;
  host.config.server_name = server;
  host_open(&host);
  memset(&mem, 0, sizeof(mem));
  memset(&host.config, 0, sizeof(host.config));
  memset(&host.callbacks, 0, sizeof(host.callbacks));
  memset(prefix, 'x', 3);
  memset(server, 'x', 3);
  prefixes[0] = NULL;
  peer_open(&peer, &host, SBK_TCP);
  assert_int_equal(peer_say(&peer, "CONNECT\naccept-version:1.2\n\n^"), 0);
  assert_non_null(strstr(peer_hear(&peer), "\nserver:mine\n"));
  peer_subscribe(&peer, "0", "/events/a");
  assert_string_equal(host.events, "connected -;subscribed 0 /events/a;");
  host_end(&host);
}

static int randomness_left;

static int scarce(void *dst, size_t len, void *arg) {
  (void)arg;
  memset(dst, 7, len);
  return randomness_left-- > 0 ? 0 : -1;
}

static void says_when_there_is_no_randomness(void **state) {
  struct host host;
  sbk_conn *conn;
  int i;

  (void)state;
  for (i = 0;; i++) {
    int rv;

    host_init(&host);
    host.callbacks.random = scarce;
    randomness_left = i;
    rv = sbk_broker_new(&host.broker, &host.callbacks, &host.config, &host);
    if (rv == 0) {
      break;
    }
    assert_int_equal(rv, SBK_ERR_CALLBACK);
    assert_null(host.broker);
    assert_int_equal(host.mem.blocks, 0);
  }
  assert_true(i > 0);
  assert_int_equal(sbk_conn_new(&conn, host.broker, SBK_TCP, NULL, NULL),
                   SBK_ERR_CALLBACK);
  assert_null(conn);
  assert_int_equal(sbk_broker_conn_count(host.broker), 0);
  host_end(&host);
}

static void survives_the_end_of_memory_anywhere(void **state) {
  struct host host;
  size_t fail;
  int rv;

  (void)state;
  for (fail = 0;; fail++) {
    host_init(&host);
    host.mem.fail_from = fail;
    rv = sbk_broker_new(&host.broker, &host.callbacks, &host.config, &host);
    if (rv == 0) {
      break;
    }
    assert_int_equal(rv, SBK_ERR_NOMEM);
    assert_null(host.broker);
    assert_int_equal(host.mem.blocks, 0);
  }
  assert_true(fail > 5);
  host_end(&host);
}

static void refuses_handlers_that_cannot_be(void **state) {
  char text[1100];
  struct host host;
  int i;

  (void)state;
  host_begin(&host);
  assert_int_equal(
      sbk_broker_add_handler(host.broker, SBK_SEND, "/a/{b}", nothing, NULL),
      0);
  assert_int_equal(
      sbk_broker_add_handler(host.broker, SBK_SEND, "/a/{b}", nothing, NULL),
      SBK_ERR_EXISTS);
  assert_int_equal(
      sbk_broker_add_handler(host.broker, SBK_SEND, "a/{b}", nothing, NULL),
      SBK_ERR_EXISTS);
  assert_int_equal(sbk_broker_add_handler(host.broker, SBK_SUBSCRIBE, "/a/{b}",
                                          nothing, NULL),
                   0);
  assert_int_equal(
      sbk_broker_add_handler(host.broker, SBK_SEND, NULL, nothing, NULL),
      SBK_ERR_INVAL);
  assert_int_equal(
      sbk_broker_add_handler(host.broker, SBK_SEND, "/x", NULL, NULL),
      SBK_ERR_INVAL);
  for (i = 0; i <= SBK_ERROR + 1; i++) {
    if (i != SBK_SEND && i != SBK_SUBSCRIBE) {
      assert_int_equal(sbk_broker_add_handler(host.broker, (enum sbk_command)i,
                                              "/x", nothing, NULL),
                       SBK_ERR_INVAL);
    }
  }
  assert_int_equal(
      sbk_broker_add_handler(host.broker, SBK_SEND, "/{a", nothing, NULL),
      SBK_ERR_INVAL);
  assert_int_equal(sbk_broker_add_handler(host.broker, SBK_SEND,
                                          "/{a}/{b}/{c}/{d}/*/*/*/*/*", nothing,
                                          NULL),
                   SBK_ERR_TOO_BIG);
  memset(text, 'x', sizeof(text));
  text[0] = '/';
  text[1025] = '\0';
  assert_int_equal(
      sbk_broker_add_handler(host.broker, SBK_SEND, text, nothing, NULL),
      SBK_ERR_TOO_BIG);
  host.mem.fail_from = host.mem.calls;
  assert_int_equal(
      sbk_broker_add_handler(host.broker, SBK_SEND, "/y", nothing, NULL),
      SBK_ERR_NOMEM);
  assert_int_equal(
      sbk_broker_add_handler(host.broker, SBK_SEND, "y", nothing, NULL),
      SBK_ERR_NOMEM);
  host_end(&host);
}

static void refuses_interceptors_that_cannot_be(void **state) {
  struct host host;

  (void)state;
  host_begin(&host);
  assert_int_equal(
      sbk_broker_add_interceptor(host.broker, SBK_INBOUND, 0, NULL, NULL),
      SBK_ERR_INVAL);
  assert_int_equal(sbk_broker_add_interceptor(
                       host.broker, (enum sbk_direction)0, 0, pass, NULL),
                   SBK_ERR_INVAL);
  assert_int_equal(sbk_broker_add_interceptor(
                       host.broker, (enum sbk_direction)4, 0, pass, NULL),
                   SBK_ERR_INVAL);
  host.mem.fail_from = host.mem.calls;
  assert_int_equal(
      sbk_broker_add_interceptor(host.broker, SBK_OUTBOUND, 0, pass, NULL),
      SBK_ERR_NOMEM);
  host_end(&host);
}

static int add_endpoint(struct host *host, const char *path) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  endpoint.path = path;

  return sbk_broker_add_endpoint(host->broker, &endpoint);
}

static void refuses_endpoints_that_cannot_be(void **state) {
  static const char *const wrong[] = {"",       "ws",     "/w s",  "/ws?a",
                                      "/ws#a",  "/w\ts",  "/\x7f", "/w\n",
                                      "http:/", "\x01/ws"};
  static const char *const origins[] = {"https://a.example",
                                        "https://a.example/path", NULL};
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;
  struct {
    struct sbk_endpoint endpoint;
    char more[8];
  } larger = {SBK_ENDPOINT_INIT, {0}};
  struct host host;
  size_t i;

  (void)state;
  host_begin(&host);
  for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    assert_int_equal(add_endpoint(&host, wrong[i]), SBK_ERR_INVAL);
  }
  assert_int_equal(add_endpoint(&host, NULL), SBK_ERR_INVAL);
  assert_int_equal(add_endpoint(&host, "/ws"), SBK_ERR_EXISTS);
  assert_int_equal(add_endpoint(&host, "/ws/"), 0);

  endpoint.path = "/o";
  endpoint.allowed_origins = origins;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint),
                   SBK_ERR_INVAL);
  endpoint.size--;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint),
                   SBK_ERR_ABI);
  larger.endpoint.path = "/l";
  larger.endpoint.size = sizeof(larger);
  larger.more[3] = 1;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &larger.endpoint),
                   SBK_ERR_ABI);
  larger.more[3] = 0;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &larger.endpoint), 0);
  host_end(&host);
}

static void endpoints_survive_the_end_of_memory(void **state) {
  static const char *const origins[] = {"https://a.example",
                                        "https://b.example", NULL};
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;
  struct host host;
  size_t fail, blocks;
  int rv;

  (void)state;
  host_begin(&host);
  endpoint.path = "/o";
  endpoint.allowed_origins = origins;
  blocks = host.mem.blocks;
  for (fail = 0;; fail++) {
    host.mem.fail_from = host.mem.calls + fail;
    rv = sbk_broker_add_endpoint(host.broker, &endpoint);
    if (rv == 0) {
      break;
    }
    assert_int_equal(rv, SBK_ERR_NOMEM);
    assert_int_equal(host.mem.blocks, blocks);
  }
  assert_int_equal(fail, 5);
  host_end(&host);
}

static void time_does_not_go_back(void **state) {
  struct host host;
  struct peer peer;

  (void)state;
  host_begin(&host);
  peer_open(&peer, &host, SBK_HTTP);
  sbk_broker_tick(host.broker, 5000);
  assert_true(sbk_broker_deadline(host.broker) == 15000);
  sbk_broker_tick(host.broker, 10);
  assert_true(sbk_broker_deadline(host.broker) == 15000);
  assert_int_equal(sbk_conn_feed(peer.conn, 10, "G", 1), 0);
  sbk_broker_tick(host.broker, 14999);
  assert_string_equal(peer_hear(&peer), "");
  sbk_broker_tick(host.broker, 15000);
  assert_non_null(strstr(peer_hear(&peer), "HTTP/1.1 408 "));
  host_end(&host);
}

static void deadlines_count_from_the_next_tick_or_feed(void **state) {
  struct host host;
  struct peer peer;

  (void)state;
  host_begin(&host);
  peer_open(&peer, &host, SBK_TCP);
  /* It has not been seen yet: a tick is due at once. */
  assert_true(sbk_broker_deadline(host.broker) <= host.now);
  host_wait(&host, 100000);
  assert_true(sbk_broker_deadline(host.broker) == host.now + 10000);
  host_wait(&host, 9999);
  assert_string_equal(peer_hear(&peer), "");
  host_wait(&host, 1);
  assert_non_null(strstr(peer_hear(&peer), "connect_timeout"));
  host_end(&host);
}

static void a_drain_is_due_for_each_session(void **state) {
  struct host host;
  struct peer peers[4];
  size_t i;

  (void)state;
  host_begin(&host);
  for (i = 0; i < 4; i++) {
    peer_open(&peers[i], &host, SBK_TCP);
    peer_connect(&peers[i], &host, NULL);
    peer_hear(&peers[i]);
  }
  assert_int_equal(sbk_broker_drain(host.broker, 86400001), SBK_ERR_INVAL);
  assert_int_equal(sbk_broker_drain(host.broker, 8000), 0);
  assert_true(sbk_broker_deadline(host.broker) <= host.now);
  /* The host was away for a second: the time begins when it ticks. */
  host_wait(&host, 1000);
  for (i = 0; i < 4; i++) {
    assert_true(sbk_session_count(host.broker, NULL) == 3 - i);
    peer_hear(&peers[i]);
    while (sbk_broker_next_ready(host.broker) != NULL) {
    }
    if (i < 3) {
      assert_true(sbk_broker_deadline(host.broker) > host.now);
      assert_true(sbk_broker_deadline(host.broker) <= host.now + 2000);
      host_wait(&host, 1999);
      assert_true(sbk_session_count(host.broker, NULL) == 3 - i);
      host_wait(&host, 1);
    }
  }
  host_end(&host);
}

static void time_may_come_to_its_end(void **state) {
  struct host host;
  struct peer peer;

  (void)state;
  host_init(&host);
  host.now = SBK_NEVER - 100;
  host_open(&host);
  peer_open(&peer, &host, SBK_TCP);
  peer_connect(&peer, &host, NULL);
  host_wait(&host, 50);
  sbk_broker_deadline(host.broker);
  peer_subscribe(&peer, "0", "/topic/a");
  assert_int_equal(sbk_send(host.broker, "/topic/a", NULL, "x", 1), 1);
  assert_int_equal(times(peer_hear(&peer), "MESSAGE\n"), 1);
  host_end(&host);
}

static void has_a_sentence_for_every_error(void **state) {
  static const int errors[] = {
      SBK_OK,          SBK_ERR_INVAL,    SBK_ERR_STATE,   SBK_ERR_NOT_FOUND,
      SBK_ERR_EXISTS,  SBK_ERR_ABI,      SBK_ERR_HTTP,    SBK_ERR_WEBSOCKET,
      SBK_ERR_STOMP,   SBK_ERR_EOF,      SBK_ERR_TOO_BIG, SBK_ERR_SLOW,
      SBK_ERR_TIMEOUT, SBK_ERR_TOO_MANY, SBK_ERR_DENIED,  SBK_ERR_CALLBACK,
      SBK_ERR_CLOSED,  SBK_ERR_NOMEM};
  const size_t count = sizeof(errors) / sizeof(errors[0]);
  size_t i, j;

  (void)state;
  for (i = 0; i < count; i++) {
    assert_string_not_equal(sbk_strerror(errors[i]), sbk_strerror(-1));
    for (j = 0; j < i; j++) {
      assert_string_not_equal(sbk_strerror(errors[i]), sbk_strerror(errors[j]));
    }
  }
  assert_non_null(sbk_strerror(INT32_MIN));
  assert_non_null(sbk_strerror(INT32_MAX));
}

static void is_the_version_of_its_headers(void **state) {
  (void)state;
  assert_int_equal(sbk_version(), SBK_VERSION_NUM);
}

static int lines_of_the_log;

static void count_line(enum sbk_log_level level, const char *line, void *arg) {
  struct host *host = arg;

  (void)level;
  lines_of_the_log++;
  snprintf(host->log, sizeof(host->log), "%s", line);
}

/* Each of them is refused, which is a line. */
static void come_and_fail(struct host *host, int count) {
  struct peer peer;

  while (count-- > 0) {
    peer_open(&peer, host, SBK_TCP);
    peer_say(&peer, "NONSENSE\n\n^");
    peer_leave(&peer);
  }
}

static void a_peer_floods_no_log(void **state) {
  struct host host;

  (void)state;
  host_init(&host);
  host.callbacks.log = count_line;
  host_open(&host);
  lines_of_the_log = 0;
  come_and_fail(&host, 10);
  assert_int_equal(lines_of_the_log, 10);
  come_and_fail(&host, 90);
  assert_int_equal(lines_of_the_log, 10);
  host_wait(&host, 1000);
  assert_int_equal(lines_of_the_log, 11);
  assert_string_equal(host.log, "lines of a peer left out: 90");
  come_and_fail(&host, 12);
  assert_int_equal(lines_of_the_log, 21);
  host_end(&host);
  assert_int_equal(lines_of_the_log, 22); /* nothing is kept back */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(takes_nothing_for_its_defaults),
      cmocka_unit_test(refuses_numbers_out_of_range),
      cmocka_unit_test(refuses_numbers_that_contradict_each_other),
      cmocka_unit_test(refuses_names_that_are_none),
      cmocka_unit_test(knows_newer_structs_by_their_bytes),
      cmocka_unit_test(refuses_structs_that_are_too_short),
      cmocka_unit_test(wants_all_four_functions_of_memory),
      cmocka_unit_test(copies_what_it_is_given),
      cmocka_unit_test(says_when_there_is_no_randomness),
      cmocka_unit_test(survives_the_end_of_memory_anywhere),
      cmocka_unit_test(refuses_handlers_that_cannot_be),
      cmocka_unit_test(refuses_interceptors_that_cannot_be),
      cmocka_unit_test(refuses_endpoints_that_cannot_be),
      cmocka_unit_test(endpoints_survive_the_end_of_memory),
      cmocka_unit_test(time_does_not_go_back),
      cmocka_unit_test(deadlines_count_from_the_next_tick_or_feed),
      cmocka_unit_test(a_drain_is_due_for_each_session),
      cmocka_unit_test(time_may_come_to_its_end),
      cmocka_unit_test(has_a_sentence_for_every_error),
      cmocka_unit_test(is_the_version_of_its_headers),
      cmocka_unit_test(a_peer_floods_no_log),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
