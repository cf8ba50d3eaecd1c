#include "broker_host.h"

static bool is_observer(sbk_session *session) {
  return session != NULL &&
         strcmp(sbk_session_peer(session), OBSERVER_PEER) == 0;
}

static enum sbk_verdict next_verdict(struct host *host) {
  const enum sbk_verdict verdict = host->verdict;

  host->verdict = SBK_PASS;

  return verdict;
}

/* ---- what waits for a decision ---- */

/* False: there is no room, so it must be decided now. */
static bool put_off(struct host *host, enum wait_kind kind, void *it,
                    sbk_session *session) {
  size_t i;

  for (i = 0; i < HOST_WAITS; i++) {
    if (host->waits[i].kind == WAIT_FREE) {
      host->waits[i].kind = kind;
      host->waits[i].it = it;
      host->waits[i].session = session;
      return true;
    }
  }

  return false;
}

/* Those of a session die with it, a request with its peer. */
static void forget(struct host *host, enum wait_kind kind, const void *it) {
  size_t i;

  for (i = 0; i < HOST_WAITS; i++) {
    if (host->waits[i].kind == kind &&
        it ==
            (kind == WAIT_CALL ? host->waits[i].session : host->waits[i].it)) {
      host->waits[i].kind = WAIT_FREE;
    }
  }
}

void host_decide(struct host *host, uint8_t place, uint8_t how) {
  static const enum sbk_verdict verdicts[] = {SBK_PASS, SBK_REJECT, SBK_DROP,
                                              SBK_REFUSE};
  const size_t at = place % HOST_WAITS;
  const enum wait_kind kind = host->waits[at].kind;
  void *it = host->waits[at].it;
  const char *const path = kind == WAIT_REQUEST ? sbk_request_path(it) : NULL;

  host->waits[at].kind = WAIT_FREE;
  switch (kind) {
  case WAIT_CALL:
    HOLDS(sbk_call_resume(it, SBK_WAIT) == SBK_ERR_INVAL);
    HOLDS(sbk_call_resume(it, verdicts[how % 4]) == 0);
    break;
  case WAIT_REQUEST:
    if (strncmp(path, "/page", 5) == 0) {
      HOLDS(sbk_request_answer(it, 200, NULL, path, strlen(path)) == 0);
    } else {
      HOLDS(sbk_request_resume(it, verdicts[how % 2]) == 0);
    }
    break;
  case WAIT_DEFERRED:
    if (sbk_call_session(it) != NULL) {
      sbk_call_reply(it, "/queue/echo", NULL, "late", 4);
    }
    HOLDS(sbk_call_finish(it, how % 2 == 0 ? 0 : -1) == 0);
    break;
  default:
    break;
  }
}

/* ---- what it is told ---- */

sbk_session *host_session(struct host *host, uint8_t which) {
  size_t i;

  for (i = 0; i < HOST_SESSIONS; i++) {
    sbk_session *session = host->sessions[(which + i) % HOST_SESSIONS];

    if (session != NULL) {
      return session;
    }
  }

  return NULL;
}

static int end_subscription(const char *id, const char *destination,
                            void *arg) {
  HOLDS(destination[0] != '\0');

  return sbk_session_unsubscribe(arg, id) == 0 ? 1 : -1;
}

static void act_inside(struct host *host) {
  const int inside = host->inside;
  sbk_session *session = host_session(host, host->random);

  host->inside = INSIDE_NOTHING;
  if (inside == INSIDE_SENDS) {
    /* Without memory a receiver may be closed, which the observer is not. */
    if (host->memory.fail_from == SIZE_MAX) {
      host->to_observer(host);
    } else {
      sbk_send(host->broker, "/topic/1", NULL, "inside", 6);
    }
  } else if (inside == INSIDE_CLOSES && session != NULL) {
    sbk_session_close(session, "from inside");
  } else if (inside == INSIDE_ENDS_ONE && session != NULL) {
    sbk_each_subscription(session, end_subscription, session);
  }
}

static enum sbk_verdict on_handshake(sbk_request *request, void *arg) {
  struct host *host = arg;
  enum sbk_verdict verdict = next_verdict(host);

  if (verdict == SBK_WAIT && !put_off(host, WAIT_REQUEST, request, NULL)) {
    verdict = SBK_REJECT;
  }

  return verdict;
}

static void on_request(sbk_request *request, void *arg) {
  static const struct sbk_field fields[] = {{"X-Test", "yes"}, {NULL, NULL}};
  struct host *host = arg;
  char value[8];
  size_t len;
  const void *body = sbk_request_body(request, &len);

  sbk_request_query(request, "q", value, sizeof(value));
  sbk_request_cookie(request, "c", value, sizeof(value));
  if (strncmp(sbk_request_path(request), "/page", 5) == 0 &&
      host->answer_later && put_off(host, WAIT_REQUEST, request, NULL)) {
    host->answer_later = false;
    return;
  }
  sbk_request_answer(request, 200, fields, body, len);
}

static void on_request_gone(sbk_request *request, void *arg) {
  forget(arg, WAIT_REQUEST, request);
}

static void on_connected(sbk_session *session, void *arg) {
  struct host *host = arg;
  size_t i;

  host->connected++;
  if (is_observer(session)) {
    HOLDS(host->observer == NULL);
    host->observer = session;
    return;
  }
  for (i = 0; i < HOST_SESSIONS; i++) {
    HOLDS(host->sessions[i] != session);
  }
  for (i = 0; i < HOST_SESSIONS && host->sessions[i] != NULL; i++) {
  }
  if (i < HOST_SESSIONS) {
    host->sessions[i] = session;
  }
  act_inside(host);
}

static void on_disconnected(sbk_session *session, int reason, void *arg) {
  struct host *host = arg;
  size_t i;

  (void)reason;
  host->disconnected++;
  HOLDS(host->disconnected <= host->connected);
  forget(host, WAIT_CALL, session);
  for (i = 0; i < HOST_SESSIONS; i++) {
    if (host->sessions[i] == session) {
      host->sessions[i] = NULL;
    }
  }
  if (session == host->observer) {
    host->observer_ended = true;
    return;
  }
  act_inside(host);
}

static void on_subscribed(sbk_session *session, const char *id,
                          const char *destination, void *arg) {
  struct host *host = arg;

  (void)session, (void)id;
  HOLDS(destination[0] != '\0');
  host->subscribed++;
  act_inside(host);
}

static void on_unsubscribed(sbk_session *session, const char *id,
                            const char *destination, void *arg) {
  struct host *host = arg;

  (void)session, (void)id;
  HOLDS(destination[0] != '\0');
  host->unsubscribed++;
  HOLDS(host->unsubscribed <= host->subscribed);
  act_inside(host);
}

static void on_dead_letter(sbk_broker *broker, const sbk_message *msg,
                           void *arg) {
  (void)broker;
  HOLDS(sbk_message_header(msg, "destination") != NULL);
  act_inside(arg);
}

static void on_undeliverable(sbk_broker *broker, const char *user,
                             const char *destination, const sbk_message *msg,
                             void *arg) {
  (void)broker, (void)msg;
  HOLDS(user[0] != '\0' && destination[0] == '/');
  act_inside(arg);
}

static void on_refused(sbk_session *session, const sbk_message *frame,
                       enum sbk_refusal by, int reason, const char *text,
                       void *arg) {
  (void)frame, (void)by, (void)reason;
  HOLDS(text != NULL && !is_observer(session));
  act_inside(arg);
}

static void on_dropped(sbk_session *session, uint64_t count, void *arg) {
  HOLDS(count > 0 && !is_observer(session));
  act_inside(arg);
}

static void on_log(enum sbk_log_level level, const char *line, void *arg) {
  (void)level, (void)arg;
  HOLDS(line[0] != '\0');
  for (; *line != '\0'; line++) {
    HOLDS(*line >= 0x20 && *line < 0x7f);
  }
}

static int on_random(void *dst, size_t len, void *arg) {
  struct host *host = arg;
  uint8_t *at = dst;

  while (len-- > 0) {
    *at++ = host->random++;
  }

  return 0;
}

/* ---- handlers, interceptors, rules ---- */

static int on_echo(sbk_call *call, void *arg) {
  size_t len;
  const void *body = sbk_message_body(sbk_call_message(call), &len);

  (void)arg;

  return sbk_call_reply(call, "/queue/echo", "text/plain", body, len);
}

static int on_return(sbk_call *call, void *arg) {
  (void)arg;

  return sbk_call_return(call, NULL, "returned", 8);
}

static int on_fail(sbk_call *call, void *arg) {
  (void)arg;
  sbk_call_set_error(call, "it failed\r\n");

  return -1;
}

static int on_defer(sbk_call *call, void *arg) {
  if (put_off(arg, WAIT_DEFERRED, call, NULL)) {
    HOLDS(sbk_call_defer(call) == 0);
  }

  return 0;
}

static enum sbk_verdict inbound(sbk_call *call, void *arg) {
  struct host *host = arg;
  sbk_session *session = sbk_call_session(call);
  const sbk_message *msg = sbk_call_message(call);
  const char *login = sbk_message_header(msg, "login");
  enum sbk_verdict verdict;

  if (is_observer(session)) {
    return SBK_PASS;
  }
  if (sbk_message_command(msg) == SBK_DISCONNECT) {
    forget(host, WAIT_CALL, session);
  }
  if (sbk_message_command(msg) == SBK_CONNECT && login != NULL) {
    sbk_call_set_user(call, login);
  }
  /* The end of a session is told; nobody asks. */
  if (sbk_message_command(msg) == SBK_DISCONNECT &&
      sbk_message_header_count(msg) == 0) {
    return SBK_PASS;
  }
  verdict = next_verdict(host);
  if (verdict == SBK_WAIT && !put_off(host, WAIT_CALL, call, session)) {
    verdict = SBK_REJECT;
  }

  return verdict;
}

/* What the host does to a topic of its own. */
static enum sbk_verdict observers_only(sbk_call *call, void *arg) {
  (void)arg;

  return is_observer(sbk_call_session(call)) ? SBK_PASS : SBK_REFUSE;
}

static void run_task(sbk_broker *broker, sbk_task *task) {
  struct host *host = sbk_broker_arg(broker);

  HOLDS(task == &host->task && host->posted);
  host->posted = false;
  host->to_observer(host);
}

void host_post(struct host *host) {
  if (!host->posted) {
    host->posted = true;
    host->task.run = run_task;
    sbk_post(host->broker, &host->task);
  }
}

static void add_topic(struct host *host, const char *prefix,
                      enum sbk_overflow overflow, bool keeps) {
  struct sbk_topic topic = SBK_TOPIC_INIT;

  topic.prefix = prefix;
  topic.overflow = overflow;
  topic.retain = keeps;
  topic.history_messages = keeps ? 3 : 0;
  HOLDS(sbk_broker_add_topic(host->broker, &topic) == 0);
}

static void add_all(struct host *host) {
  static const char *const rooms[] = {"/topic/{room}", NULL};
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  struct sbk_mapping mapping = SBK_MAPPING_INIT;
  struct sbk_rule own = SBK_RULE_INIT, all = SBK_RULE_INIT;
  sbk_broker *broker = host->broker;

  sockjs.jsonp = sockjs.htmlfile = 1;
  sockjs.stream_limit = 1000;
  endpoint.path = "/ws";
  endpoint.sockjs = &sockjs;
  HOLDS(sbk_broker_add_endpoint(broker, &endpoint) == 0);
  add_topic(host, "/topic/kept", SBK_OVERFLOW_CLOSE, true);
  add_topic(host, "/topic/old", SBK_OVERFLOW_DROP_OLDEST, false);
  add_topic(host, "/topic/new", SBK_OVERFLOW_DROP_NEWEST, false);
  HOLDS(sbk_broker_add_handler(broker, SBK_SEND, "/echo", on_echo, host) == 0);
  HOLDS(sbk_broker_add_handler(broker, SBK_SEND, "/fail", on_fail, host) == 0);
  HOLDS(sbk_broker_add_handler(broker, SBK_SEND, "/late", on_defer, host) == 0);
  HOLDS(sbk_broker_add_handler(broker, SBK_SUBSCRIBE, "/echo", on_return,
                               host) == 0);
  mapping.command = SBK_SEND;
  mapping.pattern = "/to/{room}";
  mapping.handler = on_return;
  mapping.send_to = rooms;
  HOLDS(sbk_broker_add_mapping(broker, &mapping) == 0);
  HOLDS(sbk_broker_add_interceptor(broker, SBK_INBOUND, 0, inbound, host) == 0);
  own.commands = SBK_RULE_SEND;
  own.pattern = OBSERVER_TOPIC;
  own.check = observers_only;
  HOLDS(sbk_broker_add_rule(broker, &own) == 0);
  all.order = 1;
  HOLDS(sbk_broker_add_rule(broker, &all) == 0);
}

void host_begin(struct host *host) {
  static const char *const queues[] = {"/queue/jobs", NULL};
  struct sbk_callbacks callbacks = SBK_CALLBACKS_INIT;
  struct sbk_config config = SBK_CONFIG_INIT;

  failing_mem_init(&host->memory);
  callbacks.handshake = on_handshake;
  callbacks.request = on_request;
  callbacks.request_gone = on_request_gone;
  callbacks.connected = on_connected;
  callbacks.disconnected = on_disconnected;
  callbacks.subscribed = on_subscribed;
  callbacks.unsubscribed = on_unsubscribed;
  callbacks.dead_letter = on_dead_letter;
  callbacks.undeliverable = on_undeliverable;
  callbacks.refused = on_refused;
  callbacks.dropped = on_dropped;
  callbacks.log = on_log;
  callbacks.random = on_random;
  config.mem = &host->memory.mem;
  config.queue_prefixes = queues;
  config.client_user_send = 1;
  config.error_destination = "/queue/errors";
  config.max_message = 8192;
  config.max_queue = 16384;
  config.max_unacked = 4;
  config.max_redeliveries = 2;
  config.max_queued_messages = 8;
  config.max_transaction_actions = 4;
  config.max_deferred = 2;
  config.max_subscriptions = 8;
  config.max_pending = 4;
  host->now = 1000;
  HOLDS(sbk_broker_new(&host->broker, &callbacks, &config, host) == 0);
  add_all(host);
  sbk_broker_tick(host->broker, host->now);
}

void host_end(struct host *host) {
  size_t i;

  sbk_broker_free(host->broker);
  HOLDS(host->memory.blocks == 0);
  HOLDS(host->connected == host->disconnected);
  HOLDS(host->subscribed == host->unsubscribed);
  for (i = 0; i < HOST_WAITS; i++) {
    /* Calls that were put off are gone with the broker. */
    HOLDS(host->waits[i].kind == WAIT_FREE ||
          host->waits[i].kind == WAIT_DEFERRED);
  }
}
