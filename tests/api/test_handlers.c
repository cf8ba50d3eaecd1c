#include <pthread.h>

#include "host.h"

/* Mappings, calls that are put off, error handlers. */

#define PUT_OFF 8

struct play {
  struct host host; /* first: hooks get it */
  struct peer ann;
  struct peer bob;
  sbk_call *calls[PUT_OFF]; /* put off, in order */
  size_t count;
  int result;  /* that handlers return */
  int more;    /* so many things are registered while something runs */
  int returns; /* what sbk_call_return() gave */
  sbk_call *own;
};

static struct play play;

static void begin(void) {
  memset(&play, 0, sizeof(play));
  host_init(&play.host);
}

static void open_all(void) {
  host_open(&play.host);
  peer_connect(&play.ann, &play.host, "ann");
  peer_connect(&play.bob, &play.host, "bob");
  peer_subscribe(&play.bob, "log", "/topic/**");
  host_forget(&play.host);
}

static void end(void) {
  host_end(&play.host);
}

static int nothing(sbk_call *call, void *arg) {
  (void)call, (void)arg;
  return 0;
}

static enum sbk_verdict pass(sbk_call *call, void *arg) {
  (void)call, (void)arg;
  return SBK_PASS;
}

static int not_mine(sbk_call *call, int error, const char *text, void *arg) {
  (void)call, (void)error, (void)text, (void)arg;
  return -1;
}

static int put_off(sbk_call *call, void *arg) {
  (void)arg;
  assert_true(play.count < PUT_OFF);
  assert_int_equal(sbk_call_defer(call), 0);
  play.calls[play.count++] = call;

  return play.result;
}

static int add(enum sbk_command command, const char *pattern,
               sbk_handler handler) {
  return sbk_broker_add_handler(play.host.broker, command, pattern, handler,
                                &play);
}

static int add_to(const char *pattern, const char *to, const char *to_user) {
  const char *const list[] = {to, NULL}, *const users[] = {to_user, NULL};
  struct sbk_mapping mapping = SBK_MAPPING_INIT;

  mapping.command = SBK_SEND;
  mapping.pattern = pattern;
  mapping.handler = nothing;
  mapping.send_to = list;
  mapping.send_to_user = to_user != NULL ? users : NULL;

  return sbk_broker_add_mapping(play.host.broker, &mapping);
}

/* ---- what is refused ---- */

static void refuses_mappings_that_cannot_be(void **state) {
  static const char *const wrong[] = {"",
                                      "/topic/{b}",
                                      "/topic/{a",
                                      "/topic/a}",
                                      "/topic/{}",
                                      "/topic/*",
                                      "/topic/?",
                                      "/topic/**",
                                      "/topic//a",
                                      "/topic/\n",
                                      "/topic/{a}{",
                                      "/topic/{A}",
                                      "/topic/{a:x}"};
  size_t i;

  (void)state;
  begin();
  host_open(&play.host);
  for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    assert_int_equal(add_to("/x/{a}", wrong[i], NULL), SBK_ERR_INVAL);
    assert_int_equal(add_to("/x/{a}", NULL, wrong[i]), SBK_ERR_INVAL);
    assert_int_equal(add_to("/x/{a}", "/topic/fine", wrong[i]), SBK_ERR_INVAL);
  }
  assert_int_equal(add_to("/x/{a}", NULL, "queue/a"), SBK_ERR_INVAL);
  assert_int_equal(add_to("/x", "/topic/{a}", NULL), SBK_ERR_INVAL);
  assert_int_equal(add_to("/x/{ab}", "/topic/{a}", NULL), SBK_ERR_INVAL);
  assert_int_equal(add_to("/x/{a", "/topic/x", NULL), SBK_ERR_INVAL);
  assert_int_equal(add_to(NULL, "/topic/x", NULL), SBK_ERR_INVAL);

  assert_int_equal(add_to("/x/{a}", "/topic/{a}", "/queue/{a}"), 0);
  assert_int_equal(add_to("/x/{a}", "/topic/b", NULL), SBK_ERR_EXISTS);
  assert_int_equal(add(SBK_SEND, "/x/{a}", nothing), SBK_ERR_EXISTS);
  assert_int_equal(add(SBK_SUBSCRIBE, "/x/{a}", nothing), 0);
  assert_int_equal(add_to("/y/{a}-{b}", "/topic/{b}{a}.{a", NULL),
                   SBK_ERR_INVAL);
  assert_int_equal(add_to("/y/{a}-{b}", "/topic/{b}{a}", NULL), 0);
  end();
}

static void refuses_mappings_of_other_commands(void **state) {
  struct sbk_mapping mapping = SBK_MAPPING_INIT;

  (void)state;
  begin();
  host_open(&play.host);
  mapping.pattern = "/x";
  mapping.handler = nothing;
  assert_int_equal(sbk_broker_add_mapping(play.host.broker, &mapping),
                   SBK_ERR_INVAL);
  mapping.command = SBK_MESSAGE;
  assert_int_equal(sbk_broker_add_mapping(play.host.broker, &mapping),
                   SBK_ERR_INVAL);
  mapping.command = SBK_SEND;
  mapping.handler = NULL;
  assert_int_equal(sbk_broker_add_mapping(play.host.broker, &mapping),
                   SBK_ERR_INVAL);
  end();
}

static void knows_newer_mappings_by_their_bytes(void **state) {
  struct {
    struct sbk_mapping mapping;
    char more[8];
  } larger = {SBK_MAPPING_INIT, {0}};

  (void)state;
  begin();
  host_open(&play.host);
  larger.mapping.command = SBK_SEND;
  larger.mapping.pattern = "/x";
  larger.mapping.handler = nothing;
  larger.mapping.size = 0;
  assert_int_equal(sbk_broker_add_mapping(play.host.broker, &larger.mapping),
                   SBK_ERR_ABI);
  larger.mapping.size = sizeof(larger.mapping) - 1;
  assert_int_equal(sbk_broker_add_mapping(play.host.broker, &larger.mapping),
                   SBK_ERR_ABI);
  larger.mapping.size = sizeof(larger);
  larger.more[5] = 1;
  assert_int_equal(sbk_broker_add_mapping(play.host.broker, &larger.mapping),
                   SBK_ERR_ABI);
  larger.more[5] = 0;
  assert_int_equal(sbk_broker_add_mapping(play.host.broker, &larger.mapping),
                   0);
  end();
}

static void mappings_survive_the_end_of_memory(void **state) {
  size_t fail, blocks;
  int rv;

  (void)state;
  begin();
  host_open(&play.host);
  assert_int_equal(add(SBK_SEND, "/first", nothing), 0);
  blocks = play.host.mem.blocks;
  for (fail = 0;; fail++) {
    play.host.mem.fail_from = play.host.mem.calls + fail;
    rv = add_to("x/{a}", "/topic/{a}", "/queue/{a}");
    if (rv == 0) {
      break;
    }
    assert_int_equal(rv, SBK_ERR_NOMEM);
    assert_int_equal(play.host.mem.blocks, blocks);
  }
  assert_true(fail >= 6);
  end();
}

static int try_errors(const char *destination) {
  sbk_broker *broker;
  int rv;

  begin();
  play.host.config.error_destination = destination;
  rv = sbk_broker_new(&broker, NULL, &play.host.config, NULL);
  sbk_broker_free(broker);

  return rv;
}

static void refuses_error_destinations_that_are_none(void **state) {
  (void)state;
  assert_int_equal(try_errors("/queue/errors"), 0);
  assert_int_equal(try_errors("queue/errors"), SBK_ERR_INVAL);
  assert_int_equal(try_errors(""), SBK_ERR_INVAL);
  assert_int_equal(try_errors("/queue/*"), SBK_ERR_INVAL);
  assert_int_equal(try_errors("/queue/{a}"), SBK_ERR_INVAL);
  assert_int_equal(try_errors("//errors"), SBK_ERR_INVAL);
}

static void refuses_error_handlers_that_cannot_be(void **state) {
  (void)state;
  begin();
  host_open(&play.host);
  assert_int_equal(
      sbk_broker_add_error_handler(play.host.broker, 0, NULL, NULL),
      SBK_ERR_INVAL);
  play.host.mem.fail_from = play.host.mem.calls;
  assert_int_equal(
      sbk_broker_add_error_handler(play.host.broker, 0, not_mine, NULL),
      SBK_ERR_NOMEM);
  end();
}

/* ---- mappings ---- */

static int returning(sbk_call *call, void *arg) {
  (void)arg;
  play.returns = sbk_call_return(call, "text/plain", "hi", 2);

  return play.result;
}

static void copies_the_lists_of_a_mapping(void **state) {
  char pattern[] = "/x/{a}", to[] = "/topic/{a}", user[] = "/queue/{a}";
  const char *list[] = {to, NULL}, *users[] = {user, NULL};
  struct sbk_mapping mapping = SBK_MAPPING_INIT;

  (void)state;
  begin();
  open_all();
  mapping.command = SBK_SEND;
  mapping.pattern = pattern;
  mapping.handler = returning;
  mapping.send_to = list;
  mapping.send_to_user = users;
  assert_int_equal(sbk_broker_add_mapping(play.host.broker, &mapping), 0);
  memset(pattern, '#', sizeof(pattern) - 1);
  memset(to, '#', sizeof(to) - 1);
  memset(user, '#', sizeof(user) - 1);
  list[0] = users[0] = NULL;
  memset(&mapping, 0, sizeof(mapping));
  peer_subscribe(&play.ann, "u", "/user/queue/7");
  peer_say(&play.ann, "SEND\ndestination:/app/x/7\n\n^");
  assert_int_equal(play.returns, 0);
  assert_non_null(strstr(peer_hear(&play.ann), "destination:/user/queue/7\n"));
  assert_non_null(strstr(peer_hear(&play.bob), "destination:/topic/7\n"));
  end();
}

static int return_nonsense(sbk_call *call, void *arg) {
  (void)arg;
  assert_int_equal(sbk_call_return(call, NULL, NULL, 1), SBK_ERR_INVAL);
  assert_int_equal(sbk_call_return(call, "", "x", 1), SBK_ERR_INVAL);
  assert_int_equal(sbk_call_return(call, NULL, "x", SIZE_MAX), SBK_ERR_INVAL);
  assert_int_equal(sbk_call_return(call, NULL, NULL, 0), 0);

  return 0;
}

static void refuses_to_return_what_is_nothing(void **state) {
  static const char *const list[] = {"/topic/b", NULL};
  struct sbk_mapping mapping = SBK_MAPPING_INIT;

  (void)state;
  begin();
  open_all();
  mapping.command = SBK_SEND;
  mapping.pattern = "/b";
  mapping.handler = return_nonsense;
  mapping.send_to = list;
  assert_int_equal(sbk_broker_add_mapping(play.host.broker, &mapping), 0);
  assert_int_equal(add(SBK_SEND, "/a", return_nonsense), 0);
  assert_int_equal(add(SBK_SUBSCRIBE, "/c", return_nonsense), 0);
  peer_say(&play.ann, "SEND\ndestination:/app/a\n\n^");
  peer_say(&play.ann, "SEND\ndestination:/app/b\n\n^");
  peer_subscribe(&play.ann, "c", "/app/c");
  assert_int_equal(times(peer_hear(&play.bob), "MESSAGE\n"), 2);
  assert_int_equal(times(peer_hear(&play.ann), "MESSAGE\n"), 1);
  end();
}

/* ---- registering meanwhile ---- */

/* Tables move: whatever pointed into them is freed memory. */
static void register_many(void) {
  static const char *const to[] = {"/topic/more", NULL};
  char pattern[32];
  int i;

  for (i = 0; i < 40; i++) {
    struct sbk_mapping mapping = SBK_MAPPING_INIT;

    snprintf(pattern, sizeof(pattern), "/more/%d", play.more++);
    mapping.command = i % 2 ? SBK_SEND : SBK_SUBSCRIBE;
    mapping.pattern = pattern;
    mapping.handler = nothing;
    mapping.send_to = to;
    assert_int_equal(sbk_broker_add_mapping(play.host.broker, &mapping), 0);
    assert_int_equal(sbk_broker_add_error_handler(play.host.broker, -play.more,
                                                  not_mine, NULL),
                     0);
    assert_int_equal(sbk_broker_add_interceptor(play.host.broker, SBK_INBOUND,
                                                -play.more, pass, NULL),
                     0);
    assert_int_equal(sbk_broker_add_interceptor(play.host.broker, SBK_OUTBOUND,
                                                -play.more, pass, NULL),
                     0);
  }
}

static void register_on_hook(struct host *host, const char *where,
                             sbk_session *session) {
  (void)host, (void)where, (void)session;
  register_many();
}

static enum sbk_verdict register_passing(sbk_call *call, void *arg) {
  (void)call;
  host_event(&play.host, "%s;", (const char *)arg);
  register_many();

  return SBK_PASS;
}

static int register_failing(sbk_call *call, int error, const char *text,
                            void *arg) {
  (void)call;
  host_event(&play.host, "%s %d %s;", (const char *)arg, error, text);
  register_many();

  return strcmp(arg, "last") == 0 ? 0 : -1;
}

static int register_returning(sbk_call *call, void *arg) {
  (void)arg;
  register_many();
  play.returns = sbk_call_return(call, NULL, "one", 3);
  register_many();
  play.returns += sbk_call_return(call, NULL, "two", 3);
  assert_string_equal(sbk_call_param(call, "a"), "7");

  return play.result;
}

static void anything_may_be_registered_anywhere(void **state) {
  static const char *const to[] = {"/topic/a", "/topic/{a}", NULL};
  static const char *const users[] = {"/queue/a", "/queue/{a}", NULL};
  struct sbk_mapping mapping = SBK_MAPPING_INIT;

  (void)state;
  begin();
  open_all();
  mapping.command = SBK_SEND;
  mapping.pattern = "/x/{a}";
  mapping.handler = register_returning;
  mapping.send_to = to;
  mapping.send_to_user = users;
  assert_int_equal(sbk_broker_add_mapping(play.host.broker, &mapping), 0);
  mapping.command = SBK_SUBSCRIBE;
  assert_int_equal(sbk_broker_add_mapping(play.host.broker, &mapping), 0);
  sbk_broker_add_interceptor(play.host.broker, SBK_INBOUND, 0, register_passing,
                             "in");
  sbk_broker_add_interceptor(play.host.broker, SBK_INBOUND, 1, register_passing,
                             "in again");
  sbk_broker_add_interceptor(play.host.broker, SBK_OUTBOUND, 0,
                             register_passing, "out");
  sbk_broker_add_error_handler(play.host.broker, 0, register_failing, "first");
  sbk_broker_add_error_handler(play.host.broker, 0, register_failing, "last");
  sbk_broker_add_error_handler(play.host.broker, 1, register_failing, "never");
  play.host.hook = register_on_hook;

  peer_subscribe(&play.ann, "u", "/user/queue/a");
  peer_subscribe(&play.ann, "v", "/user/queue/7");
  peer_hear(&play.ann);
  host_forget(&play.host);
  peer_say(&play.ann, "SEND\ndestination:/app/x/7\nreceipt:r\n\n^");
  assert_int_equal(play.returns, 0);
  assert_int_equal(times(peer_hear(&play.ann), "MESSAGE\n"), 4);
  assert_int_equal(times(play.ann.heard, "RECEIPT\n"), 1);
  assert_int_equal(times(peer_hear(&play.bob), "MESSAGE\n"), 4);
  assert_string_equal(play.host.events, "in;in again;out;out;out;out;"
                                        "out;out;out;out;");

  host_forget(&play.host);
  play.result = SBK_ERR_DENIED;
  peer_subscribe(&play.ann, "w", "/app/x/7");
  assert_int_equal(times(peer_hear(&play.bob), "MESSAGE\n"), 4);
  assert_int_equal(times(peer_hear(&play.ann), "ERROR\n"), 0);
  assert_non_null(strstr(play.host.events, "first -401 the host said no;"
                                           "last -401 the host said no;"));
  assert_null(strstr(play.host.events, "never"));
  end();
}

static int put_off_and_register(sbk_call *call, void *arg) {
  int rv = put_off(call, arg);

  register_many();

  return rv;
}

static void a_call_put_off_keeps_its_mapping(void **state) {
  static const char *const to[] = {"/topic/{a}", NULL};
  struct sbk_mapping mapping = SBK_MAPPING_INIT;

  (void)state;
  begin();
  open_all();
  mapping.command = SBK_SEND;
  mapping.pattern = "/x/{a}";
  mapping.handler = put_off_and_register;
  mapping.send_to = to;
  assert_int_equal(sbk_broker_add_mapping(play.host.broker, &mapping), 0);
  peer_say(&play.ann, "SEND\ndestination:/app/x/7\nreceipt:r\n\nbody^");
  register_many();
  assert_int_equal(sbk_call_return(play.calls[0], NULL, "x", 1), 0);
  assert_non_null(strstr(peer_hear(&play.bob), "destination:/topic/7\n"));
  assert_string_equal(peer_hear(&play.ann), "");
  assert_int_equal(sbk_call_finish(play.calls[0], 0), 0);
  assert_string_equal(peer_hear(&play.ann), "RECEIPT\nreceipt-id:r\n\n^");
  end();
}

/* ---- misuse of calls that are put off ---- */

static enum sbk_verdict misuse(sbk_call *call, void *arg) {
  (void)arg;
  assert_int_equal(sbk_call_defer(call), SBK_ERR_STATE);
  assert_int_equal(sbk_call_finish(call, 0), SBK_ERR_STATE);
  assert_int_equal(sbk_call_return(call, NULL, "x", 1), SBK_ERR_STATE);
  play.more++;

  return SBK_PASS;
}

static int misuse_failed(sbk_call *call, int error, const char *text,
                         void *arg) {
  (void)error, (void)text, (void)arg;
  assert_int_equal(sbk_call_defer(call), SBK_ERR_STATE);
  assert_int_equal(sbk_call_finish(call, 0), SBK_ERR_STATE);
  assert_int_equal(sbk_call_resume(call, SBK_PASS), SBK_ERR_STATE);
  assert_int_equal(sbk_call_return(call, NULL, "sorry", 5), 0);
  play.more++;

  return 0;
}

static int twice(sbk_call *call, void *arg) {
  (void)arg;
  assert_int_equal(sbk_call_finish(call, 0), SBK_ERR_STATE);
  assert_int_equal(sbk_call_defer(call), 0);
  assert_int_equal(sbk_call_defer(call), SBK_ERR_STATE);
  assert_int_equal(sbk_call_finish(call, play.result), 0);
  assert_int_equal(sbk_call_finish(call, 0), SBK_ERR_STATE);
  assert_int_equal(sbk_call_defer(call), SBK_ERR_STATE);

  return 0;
}

static void only_a_handler_puts_its_call_off_and_once(void **state) {
  (void)state;
  begin();
  open_all();
  sbk_broker_add_interceptor(play.host.broker, SBK_INBOUND, 0, misuse, NULL);
  sbk_broker_add_interceptor(play.host.broker, SBK_OUTBOUND, 0, misuse, NULL);
  sbk_broker_add_error_handler(play.host.broker, 0, misuse_failed, NULL);
  assert_int_equal(add(SBK_SEND, "/twice", twice), 0);
  assert_int_equal(add(SBK_SEND, "/off", put_off), 0);
  peer_say(&play.ann, "SEND\ndestination:/app/twice\nreceipt:1\n\n^");
  assert_string_equal(peer_hear(&play.ann), "RECEIPT\nreceipt-id:1\n\n^");
  play.result = SBK_ERR_DENIED;
  peer_say(&play.ann, "SEND\ndestination:/app/twice\nreceipt:2\n\n^");
  assert_non_null(strstr(peer_hear(&play.bob), "\nsorry^"));
  assert_int_equal(play.more, 4); /* two SENDs, an error, a MESSAGE */
  play.result = 0;
  peer_say(&play.ann, "SEND\ndestination:/app/off\nreceipt:3\n\n^");
  assert_int_equal(sbk_call_defer(play.calls[0]), SBK_ERR_STATE);
  assert_int_equal(sbk_call_resume(play.calls[0], SBK_PASS), SBK_ERR_STATE);
  assert_int_equal(sbk_call_set_user(play.calls[0], "eve"), SBK_ERR_STATE);
  assert_int_equal(sbk_call_set_header(play.calls[0], "a", "b"), SBK_ERR_STATE);
  assert_int_equal(sbk_call_finish(play.calls[0], -1), 0);
  assert_string_equal(peer_hear(&play.ann), "");
  assert_int_equal(play.more, 7);
  end();
}

static void a_failure_takes_back_what_was_put_off(void **state) {
  (void)state;
  begin();
  open_all();
  assert_int_equal(add(SBK_SEND, "/off", put_off), 0);
  play.result = SBK_ERR_DENIED;
  peer_say(&play.ann, "SEND\ndestination:/app/off\nreceipt:1\n\n^");
  assert_non_null(strstr(peer_hear(&play.ann), "ERROR\n"));
  end(); /* the call is freed */
}

/* ---- finishing from elsewhere ---- */

static void finish_all(void) {
  size_t i, count = play.count;

  play.count = 0;
  for (i = 0; i < count; i++) {
    assert_int_equal(sbk_call_finish(play.calls[i], 0), 0);
  }
}

static void finish_on_hook(struct host *host, const char *where,
                           sbk_session *session) {
  (void)session;
  if (play.count > 0) {
    host_event(host, "in %s;", where);
    finish_all();
  }
}

static void calls_may_be_finished_in_any_callback(void **state) {
  (void)state;
  begin();
  play.host.config.max_deferred = 2;
  open_all();
  assert_int_equal(add(SBK_SEND, "/off", put_off), 0);
  assert_int_equal(add(SBK_SUBSCRIBE, "/off", put_off), 0);
  peer_say(&play.ann, "SEND\ndestination:/app/off\nreceipt:1\n\n^"
                      "SUBSCRIBE\ndestination:/app/off\nid:0\nreceipt:2\n\n^"
                      "SEND\ndestination:/topic/x\nreceipt:3\n\nheld^");
  assert_int_equal(sbk_conn_wants(play.ann.conn), SBK_WANT_HOLD);
  play.host.hook = finish_on_hook;
  host_forget(&play.host);
  peer_subscribe(&play.bob, "s", "/topic/s"); /* another session's */
  assert_string_equal(play.host.events, "in inbound;subscribed s /topic/s;");
  assert_string_equal(peer_hear(&play.ann),
                      "RECEIPT\nreceipt-id:1\n\n^RECEIPT\nreceipt-id:2\n\n^"
                      "RECEIPT\nreceipt-id:3\n\n^");
  assert_non_null(strstr(peer_hear(&play.bob), "\nheld^"));
  end();
}

/* Ann's held frames must not come between the receivers of a message. */
static enum sbk_verdict finish_outbound(sbk_call *call, void *arg) {
  (void)call, (void)arg;
  finish_all();

  return SBK_PASS;
}

static void a_walk_goes_on_when_a_receiver_finishes_calls(void **state) {
  (void)state;
  begin();
  play.host.config.max_deferred = 1;
  open_all();
  assert_int_equal(add(SBK_SEND, "/off", put_off), 0);
  peer_subscribe(&play.ann, "x", "/topic/x");
  peer_say(&play.ann, "SEND\ndestination:/app/off\nreceipt:1\n\n^"
                      "UNSUBSCRIBE\nid:x\n\n^");
  sbk_broker_add_interceptor(play.host.broker, SBK_OUTBOUND, 0, finish_outbound,
                             NULL);
  assert_int_equal(sbk_send(play.host.broker, "/topic/x", NULL, "m", 1), 2);
  assert_int_equal(times(peer_hear(&play.ann), "MESSAGE\n"), 1);
  assert_int_equal(sbk_send(play.host.broker, "/topic/x", NULL, "m", 1), 1);
  end();
}

static enum sbk_verdict finish_own(sbk_call *call, void *arg) {
  (void)call, (void)arg;
  if (play.own != NULL) {
    sbk_call *own = play.own;

    play.own = NULL;
    assert_int_equal(sbk_call_finish(own, play.result), 0);
    assert_int_equal(sbk_call_finish(own, 0), SBK_ERR_STATE);
  }

  return SBK_PASS;
}

static void a_call_may_be_finished_while_it_returns(void **state) {
  static const char *const to[] = {"/topic/a", "/topic/b", NULL};
  struct sbk_mapping mapping = SBK_MAPPING_INIT;

  (void)state;
  begin();
  open_all();
  mapping.command = SBK_SEND;
  mapping.pattern = "/off";
  mapping.handler = put_off;
  mapping.send_to = to;
  assert_int_equal(sbk_broker_add_mapping(play.host.broker, &mapping), 0);
  sbk_broker_add_interceptor(play.host.broker, SBK_OUTBOUND, 0, finish_own,
                             NULL);
  sbk_broker_add_error_handler(play.host.broker, 0, misuse_failed, NULL);
  peer_say(&play.ann, "SEND\ndestination:/app/off\nreceipt:1\n\n^"
                      "SEND\ndestination:/app/off\nreceipt:2\n\n^");
  play.own = play.calls[0];
  assert_int_equal(sbk_call_return(play.calls[0], NULL, "m", 1), 0);
  assert_int_equal(times(peer_hear(&play.bob), "MESSAGE\n"), 2);
  assert_string_equal(peer_hear(&play.ann), "RECEIPT\nreceipt-id:1\n\n^");
  play.own = play.calls[1];
  play.result = -1;
  assert_int_equal(sbk_call_return(play.calls[1], NULL, "m", 1), 0);
  assert_int_equal(times(peer_hear(&play.bob), "\nsorry^"), 2);
  assert_string_equal(peer_hear(&play.ann), "");
  end();
}

struct work {
  sbk_task task; /* first */
  sbk_call *call;
};

static void finish_task(sbk_broker *broker, sbk_task *task) {
  struct work *work = (struct work *)(void *)task;

  assert_ptr_equal(sbk_call_broker(work->call), broker);
  assert_int_equal(sbk_call_return(work->call, NULL, "done", 4), 0);
  assert_int_equal(sbk_call_finish(work->call, 0), 0);
}

static void *work_elsewhere(void *arg) {
  sbk_post(play.host.broker, arg);

  return NULL;
}

static void another_thread_posts_the_end_of_a_call(void **state) {
  struct work works[2];
  pthread_t thread;
  size_t i;

  (void)state;
  begin();
  open_all();
  assert_int_equal(add(SBK_SEND, "/off", put_off), 0);
  peer_say(&play.ann, "SEND\ndestination:/app/off\nreceipt:1\n\n^"
                      "SEND\ndestination:/app/off\nreceipt:2\n\n^");
  for (i = 0; i < 2; i++) {
    works[i] = (struct work){{finish_task, NULL}, play.calls[i]};
    assert_int_equal(pthread_create(&thread, NULL, work_elsewhere, &works[i]),
                     0);
    assert_int_equal(pthread_join(thread, NULL), 0);
  }
  assert_string_equal(peer_hear(&play.ann), "");
  peer_leave(&play.bob);
  host_wait(&play.host, 1);
  assert_string_equal(peer_hear(&play.ann),
                      "RECEIPT\nreceipt-id:1\n\n^RECEIPT\nreceipt-id:2\n\n^");
  end();
}

/* ---- the end ---- */

static void a_call_outlives_its_session(void **state) {
  size_t len;

  (void)state;
  begin();
  open_all();
  assert_int_equal(add(SBK_SEND, "/off/{a}", put_off), 0);
  assert_int_equal(add(SBK_SUBSCRIBE, "/off/{a}", put_off), 0);
  peer_say(&play.ann, "SEND\ndestination:/app/off/7\nx:y\nreceipt:r\n\nbody^"
                      "SUBSCRIBE\nid:0\ndestination:/app/off/8\n\n^");
  assert_ptr_equal(sbk_call_session(play.calls[0]),
                   sbk_conn_session(play.ann.conn));
  peer_leave(&play.ann);
  peer_hear(&play.bob);

  assert_null(sbk_call_session(play.calls[0]));
  assert_null(sbk_call_session(play.calls[1]));
  assert_ptr_equal(sbk_call_broker(play.calls[0]), play.host.broker);
  assert_string_equal(sbk_call_param(play.calls[0], "a"), "7");
  assert_string_equal(sbk_message_header(sbk_call_message(play.calls[0]), "x"),
                      "y");
  assert_string_equal(sbk_message_body(sbk_call_message(play.calls[0]), &len),
                      "body");
  assert_int_equal(sbk_call_reply(play.calls[0], "/queue/a", NULL, "x", 1), 0);
  assert_int_equal(sbk_call_set_error(play.calls[0], "late"), 0);
  assert_int_equal(sbk_call_set_user(play.calls[0], "x"), SBK_ERR_STATE);
  assert_int_equal(sbk_call_set_header(play.calls[0], "x", "y"), SBK_ERR_STATE);
  assert_int_equal(sbk_call_resume(play.calls[0], SBK_PASS), SBK_ERR_STATE);
  assert_int_equal(sbk_call_defer(play.calls[0]), SBK_ERR_STATE);
  assert_int_equal(sbk_call_return(play.calls[0], NULL, "x", 1), 0);
  assert_int_equal(sbk_call_return(play.calls[1], NULL, "x", 1), 0);
  assert_int_equal(times(peer_hear(&play.bob), "MESSAGE\n"), 1);
  assert_int_equal(sbk_call_finish(play.calls[0], -1), 0);
  assert_int_equal(sbk_call_finish(play.calls[1], 0), 0);
  end();
}

static int put_off_and_close(sbk_call *call, void *arg) {
  int rv = put_off(call, arg);

  sbk_session_close(sbk_call_session(call), NULL);

  return rv;
}

static void a_call_put_off_outlives_a_close_in_its_handler(void **state) {
  (void)state;
  begin();
  open_all();
  assert_int_equal(add(SBK_SEND, "/off", put_off_and_close), 0);
  peer_say(&play.ann, "SEND\ndestination:/app/off\nreceipt:r\n\nbody^");
  assert_string_equal(play.host.events, "disconnected ann -403;");
  assert_null(sbk_call_session(play.calls[0]));
  assert_int_equal(sbk_call_finish(play.calls[0], 0), 0);
  assert_null(strstr(peer_hear(&play.ann), "RECEIPT"));
  end();
}

static void calls_may_be_finished_as_their_session_ends(void **state) {
  (void)state;
  begin();
  open_all();
  assert_int_equal(add(SBK_SEND, "/off", put_off), 0);
  assert_int_equal(add(SBK_SUBSCRIBE, "/off", put_off), 0);
  peer_subscribe(&play.ann, "1", "/app/off");
  peer_subscribe(&play.ann, "2", "/topic/x");
  peer_subscribe(&play.ann, "3", "/app/off");
  peer_say(&play.ann, "UNSUBSCRIBE\nid:1\n\n^"
                      "SEND\ndestination:/app/off\nreceipt:r\n\nbody^");
  host_forget(&play.host);
  play.host.hook = finish_on_hook; /* hears of the end first */
  peer_leave(&play.ann);
  assert_int_equal(play.count, 0);
  assert_string_equal(play.host.events,
                      "in inbound;unsubscribed 2 /topic/x;"
                      "unsubscribed 3 /app/off;disconnected ann -204;");
  end();
}

static void finish_when_told(struct host *host, const char *where,
                             sbk_session *session) {
  if (strcmp(where, "unsubscribed") == 0) {
    finish_on_hook(host, where, session);
  }
}

static void calls_may_be_finished_as_subscriptions_end(void **state) {
  (void)state;
  begin();
  open_all();
  assert_int_equal(add(SBK_SUBSCRIBE, "/off", put_off), 0);
  peer_subscribe(&play.ann, "1", "/app/off");
  peer_subscribe(&play.ann, "2", "/app/off");
  play.host.hook = finish_when_told;
  peer_say(&play.ann, "UNSUBSCRIBE\nid:1\n\n^");
  assert_int_equal(play.count, 0);
  peer_subscribe(&play.ann, "1", "/app/off");
  peer_subscribe(&play.ann, "3", "/app/off");
  host_forget(&play.host);
  peer_leave(&play.ann);
  assert_non_null(strstr(play.host.events, "in unsubscribed;"));
  assert_int_equal(times(play.host.events, "unsubscribed "), 3);
  end();
}

static void the_broker_is_freed_with_calls_outstanding(void **state) {
  (void)state;
  begin();
  open_all();
  assert_int_equal(add(SBK_SEND, "/off", put_off), 0);
  assert_int_equal(add(SBK_SUBSCRIBE, "/off", put_off), 0);
  peer_say(&play.ann, "SEND\ndestination:/app/off\nreceipt:r\n\nbody^");
  peer_subscribe(&play.ann, "1", "/app/off");
  peer_say(&play.bob, "SEND\ndestination:/app/off\nreceipt:r\n\nbody^");
  peer_subscribe(&play.bob, "1", "/app/off");
  peer_leave(&play.bob);
  end();
}

static void finish_at_the_end(struct host *host, const char *where,
                              sbk_session *session) {
  (void)host, (void)session;
  if (strcmp(where, "disconnected") == 0) {
    finish_all();
  }
}

static void calls_may_be_finished_while_the_broker_is_freed(void **state) {
  (void)state;
  begin();
  open_all();
  assert_int_equal(add(SBK_SEND, "/off", put_off), 0);
  peer_say(&play.ann, "SEND\ndestination:/app/off\nreceipt:r\n\nbody^");
  peer_say(&play.bob, "SEND\ndestination:/app/off\nreceipt:r\n\nbody^");
  play.host.hook = finish_at_the_end;
  end();
  assert_int_equal(play.count, 0);
}

static void a_task_finishes_calls_after_a_shutdown(void **state) {
  struct work work;

  (void)state;
  begin();
  open_all();
  assert_int_equal(add(SBK_SEND, "/off", put_off), 0);
  peer_say(&play.ann, "SEND\ndestination:/app/off\nreceipt:r\n\nbody^");
  work = (struct work){{finish_task, NULL}, play.calls[0]};
  sbk_broker_shutdown(play.host.broker);
  peer_hear(&play.ann);
  sbk_post(play.host.broker, &work.task);
  host_wait(&play.host, 1);
  assert_string_equal(peer_hear(&play.ann), "");
  end();
}

/* ---- refusals ---- */

static enum sbk_verdict refuse_sends(sbk_call *call, void *arg) {
  (void)arg;
  return sbk_message_command(sbk_call_message(call)) == SBK_SEND ? SBK_REFUSE
                                                                 : SBK_PASS;
}

static void a_refusal_without_memory_is_not_lost(void **state) {
  size_t fail;

  (void)state;
  for (fail = 0; fail < 20; fail++) {
    begin();
    play.host.config.error_destination = "/queue/errors";
    open_all();
    sbk_broker_add_interceptor(play.host.broker, SBK_INBOUND, 0, refuse_sends,
                               NULL);
    peer_subscribe(&play.ann, "e", "/user/queue/errors");
    play.host.mem.fail_from = play.host.mem.calls + fail;
    peer_say(&play.ann, "SEND\ndestination:/topic/x\nreceipt:1\n\n^");
    play.host.mem.fail_from = SIZE_MAX;
    peer_hear(&play.ann);
    /* Told, or closing; without memory for an ERROR there may be none. */
    assert_true(strstr(play.ann.heard, "receipt-id:1\n") != NULL ||
                sbk_conn_session(play.ann.conn) == NULL);
    end();
  }
}

static int others_get_it(size_t fail) {
  struct peer peers[3];
  size_t i, got = 0, gone = 0;
  int rv;

  begin();
  open_all();
  for (i = 0; i < 3; i++) {
    memset(&peers[i], 0, sizeof(peers[i]));
    peer_connect(&peers[i], &play.host, "joe");
  }
  peer_subscribe(&peers[0], "0", "/user/queue/x");
  peer_subscribe(&peers[1], "0", "/user/joe/queue/x");
  peer_subscribe(&peers[2], "0", "/user/queue/*");
  peer_subscribe(&peers[2], "1", "/user/joe/queue/x");
  play.host.mem.fail_from = play.host.mem.calls + fail;
  rv = sbk_send_to_user(play.host.broker, "joe", "/queue/x", NULL, "hi", 2);
  play.host.mem.fail_from = SIZE_MAX;
  for (i = 0; i < 3; i++) {
    size_t messages = times(peer_hear(&peers[i]), "MESSAGE\n");

    if (sbk_conn_session(peers[i].conn) == NULL) {
      gone++;
    } else {
      assert_int_equal(messages, rv < 0 ? 0 : 1 + (i == 2));
      got += messages > 0;
    }
  }
  assert_true(rv == SBK_ERR_NOMEM || rv >= (int)got);
  end();

  return (int)gone;
}

/* Nobody gets it and the host is told, or who does not get it is closed. */
static void without_memory_no_session_of_a_user_is_passed_over(void **state) {
  size_t fail;
  int closed = 0;

  (void)state;
  for (fail = 0; fail < 60; fail++) {
    closed += others_get_it(fail);
  }
  assert_true(closed > 0);
  assert_int_equal(others_get_it(1000), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(refuses_mappings_that_cannot_be),
      cmocka_unit_test(refuses_mappings_of_other_commands),
      cmocka_unit_test(knows_newer_mappings_by_their_bytes),
      cmocka_unit_test(mappings_survive_the_end_of_memory),
      cmocka_unit_test(refuses_error_destinations_that_are_none),
      cmocka_unit_test(refuses_error_handlers_that_cannot_be),
      cmocka_unit_test(copies_the_lists_of_a_mapping),
      cmocka_unit_test(refuses_to_return_what_is_nothing),
      cmocka_unit_test(anything_may_be_registered_anywhere),
      cmocka_unit_test(a_call_put_off_keeps_its_mapping),
      cmocka_unit_test(only_a_handler_puts_its_call_off_and_once),
      cmocka_unit_test(a_failure_takes_back_what_was_put_off),
      cmocka_unit_test(calls_may_be_finished_in_any_callback),
      cmocka_unit_test(a_walk_goes_on_when_a_receiver_finishes_calls),
      cmocka_unit_test(a_call_may_be_finished_while_it_returns),
      cmocka_unit_test(another_thread_posts_the_end_of_a_call),
      cmocka_unit_test(a_call_outlives_its_session),
      cmocka_unit_test(a_call_put_off_outlives_a_close_in_its_handler),
      cmocka_unit_test(calls_may_be_finished_as_their_session_ends),
      cmocka_unit_test(calls_may_be_finished_as_subscriptions_end),
      cmocka_unit_test(the_broker_is_freed_with_calls_outstanding),
      cmocka_unit_test(calls_may_be_finished_while_the_broker_is_freed),
      cmocka_unit_test(a_task_finishes_calls_after_a_shutdown),
      cmocka_unit_test(a_refusal_without_memory_is_not_lost),
      cmocka_unit_test(without_memory_no_session_of_a_user_is_passed_over),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
