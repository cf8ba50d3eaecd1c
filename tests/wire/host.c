#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "heap.h"
#include "sockjs.h"

struct stream *host_stream(struct run *run, const char *name) {
  unsigned i;

  for (i = 1; i < run->script->stream_count; i++) {
    if (strcmp(run->script->streams[i], name) == 0) {
      return &run->streams[i];
    }
  }
  return NULL;
}

int host_result(struct run *run, int result) {
  if (result == SBK_ERR_NOMEM) {
    run->out_of_memory = true;
  }
  return result;
}

void host_event(struct run *run, const char *format, ...) {
  char line[1400];
  va_list args;

  if (run->again) {
    return;
  }
  va_start(args, format);
  vsnprintf(line, sizeof(line), format, args);
  va_end(args);
  codes_add_text(&run->streams[0].shower.shown, line);
  codes_add(&run->streams[0].shower.shown, '\n');
}

int host_act(struct run *run, const char *text) {
  struct scene scene = {.run = run};
  char name[32];
  size_t len = strcspn(text, " ");
  struct stream *stream = NULL;

  if (len < sizeof(name)) {
    memcpy(name, text, len);
    name[len] = '\0';
    stream = host_stream(run, name);
    if (stream != NULL && text[len] == ' ') {
      text += len + 1;
      if (strncmp(text, "resume ", 7) == 0) {
        return host_result(run, do_resume(&scene, stream, text + 7));
      }
      scene.session = run_session(stream);
      scene.request = stream->request;
      if (strncmp(text, "answer ", 7) == 0) {
        stream->request = NULL;
        if (scene.request == NULL) {
          return 0;
        }
      }
    }
  }
  if (strncmp(text, "late ", 5) == 0) { /* of the oldest call put off */
    if (run->deferred_count == 0) {
      return run->mode->unchecked ? 0 : SBK_ERR_NOT_FOUND;
    }
    scene.call = run->deferred[0];
    scene.session = sbk_call_session(scene.call);
    text += 5;
  }
  do_actions(&scene, text);
  if (stream != NULL && scene.request != NULL && scene.failed) {
    stream->request = scene.request; /* it still waits */
  }
  return scene.result;
}

/* Callbacks. */

static bool rule_holds(struct scene *scene, const struct rule *rule) {
  struct filled filled;
  bool holds = true;

  if (rule->when != NULL) {
    fill(&filled, scene, rule->when);
    holds = strcmp(filled.text, rule->when_value) == 0;
    filled_free(&filled);
  }
  return holds;
}

static int on_handler(sbk_call *call, void *arg) {
  const struct rule *rule = arg;
  struct scene scene = {.call = call, .session = sbk_call_session(call)};

  scene.run = sbk_broker_arg(sbk_call_broker(call));
  do_actions(&scene, rule->actions);
  if (scene.failed && scene.run->script->spares) {
    sbk_session_close(scene.session, NULL); /* the client has to notice */
  }
  if (scene.failed || scene.returned < 0) { /* it is not put off then */
    host_forget(scene.run, call);
    return scene.failed ? SBK_ERR_NOMEM : scene.returned;
  }
  return scene.returned;
}

static int on_error(sbk_call *call, int error, const char *text, void *arg) {
  const struct rule *rule = arg;
  struct scene scene = {.call = call,
                        .session = sbk_call_session(call),
                        .error = error,
                        .error_text = text};

  scene.run = sbk_broker_arg(sbk_call_broker(call));
  if (!rule_holds(&scene, rule)) {
    return -1;
  }
  do_actions(&scene, rule->actions);
  if (scene.failed) {
    sbk_session_close(scene.session, NULL);
  }
  return scene.dealt ? 0 : -1;
}

static enum sbk_verdict on_interceptor(sbk_call *call, void *arg) {
  const struct rule *rule = arg;
  struct scene scene = {.call = call, .session = sbk_call_session(call)};
  const sbk_message *msg = sbk_call_message(call);
  const char *destination = sbk_message_header(msg, "destination");
  struct stream *stream;

  scene.run = sbk_broker_arg(sbk_call_broker(call));
  if ((rule->command != 0 && rule->command != sbk_message_command(msg)) ||
      (rule->kind == RULE_INTERCEPTOR && rule->pattern != NULL &&
       (destination == NULL || strcmp(destination, rule->pattern) != 0)) ||
      !rule_holds(&scene, rule)) {
    return SBK_PASS;
  }
  do_actions(&scene, rule->actions);
  if (scene.failed) {
    if (rule->kind == RULE_ACCESS && scene.run->script->spares) {
      sbk_session_close(scene.session, NULL); /* the client has to notice */
    }
    return SBK_REJECT;
  }
  if (scene.verdict == SBK_WAIT && scene.session != NULL &&
      (rule->kind == RULE_ACCESS || rule->direction == SBK_INBOUND)) {
    stream = host_stream(scene.run, sbk_session_peer(scene.session));
    if (stream != NULL) {
      stream->call = call;
    }
  }
  return scene.verdict;
}

/* A call that waits ends with its session; handler.h says how that is told. */
static enum sbk_verdict on_end(sbk_call *call, void *arg) {
  struct run *run = arg;
  struct stream *stream =
      host_stream(run, sbk_session_peer(sbk_call_session(call)));

  if (stream != NULL &&
      sbk_message_command(sbk_call_message(call)) == SBK_DISCONNECT) {
    stream->call = NULL;
  }
  return SBK_PASS;
}

static enum sbk_verdict on_handshake(sbk_request *request, void *arg) {
  struct run *run = arg;
  struct scene scene = {.run = run, .request = request};
  struct stream *stream = host_stream(run, sbk_request_peer(request));
  size_t count = run->script->rule_count, i;

  if (stream != NULL && stream->client != NULL) {
    scene.failed =
        host_result(run, client_handshake(stream->client, request)) != 0;
    run->again = sbk_request_session(request) != NULL;
    count = client_has_handshake(stream->client) ? count : 0;
  }
  for (i = 0; i < count; i++) {
    const struct rule *rule = &run->script->rules[i];

    if (rule->kind == RULE_HANDSHAKE && rule_holds(&scene, rule)) {
      do_actions(&scene, rule->actions);
      break;
    }
  }
  run->again = false;
  if (scene.failed) {
    (void)sbk_request_set_status(request, 503);
    return SBK_REJECT;
  }
  if (scene.verdict == SBK_WAIT && stream != NULL) {
    stream->request = request;
  }
  return scene.verdict;
}

static void on_request(sbk_request *request, void *arg) {
  struct run *run = arg;
  struct scene scene = {.run = run, .request = request};
  struct stream *stream = host_stream(run, sbk_request_peer(request));
  size_t i;

  for (i = 0; i < run->script->rule_count; i++) {
    const struct rule *rule = &run->script->rules[i];

    if (rule->kind == RULE_REQUEST &&
        strcmp(rule->pattern, sbk_request_path(request)) == 0 &&
        rule_holds(&scene, rule)) {
      do_actions(&scene, rule->actions);
      break;
    }
  }
  if (i == run->script->rule_count) {
    scene.answered =
        host_result(run, sbk_request_answer(request, 404, NULL, NULL, 0)) == 0;
  }
  if (stream != NULL && !scene.answered) {
    stream->request = request;
  }
}

static void on_request_gone(sbk_request *request, void *arg) {
  struct run *run = arg;
  struct stream *stream = host_stream(run, sbk_request_peer(request));

  if (stream != NULL && stream->request != request) {
    run_fault(run, "request_gone tells of what is not the host's");
  }
  if (stream != NULL) {
    stream->request = NULL;
  }
  if (run->script->events) {
    host_event(run, "request-gone %s", sbk_request_peer(request));
  }
}

static bool tells(struct run *run, sbk_session *session) {
  return run->script->events && strcmp(sbk_session_peer(session), "probe") != 0;
}

static bool closes(const struct script *script, const char *path) {
  size_t i;

  for (i = 0; i < script->endpoint_count; i++) {
    if (strcmp(script->endpoints[i].endpoint.path, path) == 0) {
      return script->endpoints[i].closes;
    }
  }
  return false;
}

static void on_connected(sbk_session *session, void *arg) {
  struct run *run = arg;
  struct stream *stream = host_stream(run, sbk_session_peer(session));
  const char *user = sbk_session_user(session);

  if (stream != NULL && stream->client != NULL) {
    client_session(stream->client, session);
  }
  if (tells(run, session)) {
    host_event(run, "connected %s%s%s", sbk_session_peer(session),
               user != NULL ? " " : "", user != NULL ? user : "");
  }
  if (closes(run->script, sbk_session_endpoint(session))) {
    host_result(run, sbk_session_close_code(session, 3000, "Go away!"));
  }
}

static void on_disconnected(sbk_session *session, int reason, void *arg) {
  struct run *run = arg;
  struct stream *stream = host_stream(run, sbk_session_peer(session));

  if (stream != NULL) {
    stream->call = NULL;
  }
  if (stream != NULL && stream->client != NULL) {
    reason = client_reason(stream->client, reason);
    client_session(stream->client, NULL);
  }
  if (tells(run, session)) {
    host_event(run, "disconnected %s %d", sbk_session_peer(session), reason);
  }
}

static void on_subscribed(sbk_session *session, const char *id,
                          const char *destination, void *arg) {
  if (tells(arg, session)) {
    host_event(arg, "subscribed %s %s %s", sbk_session_peer(session), id,
               destination);
  }
}

static void on_unsubscribed(sbk_session *session, const char *id,
                            const char *destination, void *arg) {
  if (tells(arg, session)) {
    host_event(arg, "unsubscribed %s %s %s", sbk_session_peer(session), id,
               destination);
  }
}

static void on_undeliverable(sbk_broker *broker, const char *user,
                             const char *destination, const sbk_message *msg,
                             void *arg) {
  struct run *run = arg;
  size_t len;
  const char *body = sbk_message_body(msg, &len);

  if (run->script->events) {
    host_event(run, "undeliverable %s %s %.*s", user, destination, (int)len,
               body);
  }
}

static void on_dead_letter(sbk_broker *broker, const sbk_message *msg,
                           void *arg) {
  struct run *run = arg;
  size_t len;
  const char *body = sbk_message_body(msg, &len);

  if (run->script->events) {
    host_event(run, "dead-letter %s %.*s",
               sbk_message_header(msg, "destination"), (int)len, body);
  }
}

static void on_refused(sbk_session *session, const sbk_message *frame,
                       enum sbk_refusal by, int reason, const char *text,
                       void *arg) {
  static const char *const whom[] = {"", "protocol", "rule", "interceptor",
                                     "handler"};
  struct run *run = arg;

  /* Want of memory gives it other reasons. */
  if (run->script->refusals &&
      strcmp(sbk_session_peer(session), "probe") != 0) {
    host_event(run, "refused %s by %s %d %s", sbk_session_peer(session),
               whom[by], reason, text);
  }
  (void)sbk_message_header(frame, "destination");
}

static void on_dropped(sbk_session *session, uint64_t count, void *arg) {
  struct run *run = arg;

  if (run->script->refusals) {
    host_event(run, "dropped %s %u", sbk_session_peer(session),
               (unsigned)count);
  }
}

static void on_alarm(sbk_broker *broker, int on, void *arg) {
  struct run *run = arg;

  if (run->script->refusals) {
    host_event(run, "alarm %s", on ? "on" : "off");
  }
}

static void on_log(enum sbk_log_level level, const char *line, void *arg) {
  const char *at;

  for (at = line; *at != '\0'; at++) {
    if ((unsigned char)*at < 0x20 || (unsigned char)*at > 0x7e) {
      run_fault(arg, "a log line is not escaped: %s", line);
    }
  }
  if (getenv("WIRE_LOG") != NULL) {
    printf("# log %d: %s\n", (int)level, line);
  }
}

/* Plain messages come back; two of them do something else. */
static int on_message(sbk_session *session, int binary, const void *data,
                      size_t len, void *arg) {
  if (len == 4 && memcmp(data, "fail", 4) == 0) {
    return -1;
  }
  if (len == 5 && memcmp(data, "close", 5) == 0) {
    sbk_session_close(session, NULL);
    return 0;
  }
  host_result(arg, sbk_session_send(session, binary, data, len));
  return 0;
}

/* Anything but constant, the same in every run (xorshift64). */
static int on_random(void *dst, size_t len, void *arg) {
  struct run *run = arg;
  uint8_t *bytes = dst;

  while (len > 0) {
    run->random ^= run->random << 13;
    run->random ^= run->random >> 7;
    run->random ^= run->random << 17;
    bytes[--len] = (uint8_t)(run->random >> 24);
  }
  return 0;
}

/* Calls once more after a failure for want of memory, which must have changed
 * nothing. */
#define ONCE_MORE(run, rv, call)                                               \
  do {                                                                         \
    (rv) = (call);                                                             \
    if ((rv) == SBK_ERR_NOMEM) {                                               \
      bool on = heap.fail_on;                                                  \
      size_t at = heap.fail_at;                                                \
      heap.fail_at = 0;                                                        \
      (run)->setup_failed = true;                                              \
      (rv) = (call);                                                           \
      heap.fail_at = on ? at : 0;                                              \
    }                                                                          \
  } while (0)

static int add_access(struct run *run, const struct rule *rule) {
  struct sbk_rule access = SBK_RULE_INIT;

  access.order = rule->order;
  access.commands = rule->command == SBK_SEND        ? SBK_RULE_SEND
                    : rule->command == SBK_SUBSCRIBE ? SBK_RULE_SUBSCRIBE
                                                     : 0;
  access.pattern = rule->pattern;
  access.named = rule->named;
  access.patterns = rule->patterns;
  if (rule->asks) {
    access.check = on_interceptor;
    access.arg = (void *)rule;
  } else {
    access.verdict = (enum sbk_verdict)to_verdict(rule->actions);
  }
  return sbk_broker_add_rule(run->broker, &access);
}

/* A fresh session may talk to itself afterwards: see play_probe(). */
static int let_probe(struct run *run) {
  const char *const *prefixes = run->script->config.broker_prefixes;
  const int separator = run->script->config.separator;
  struct sbk_rule rule = SBK_RULE_INIT;
  char pattern[512];

  snprintf(pattern, sizeof(pattern), "%s%cprobe",
           prefixes != NULL && prefixes[0] != NULL ? prefixes[0] : "/topic",
           separator != 0 ? separator : '/');
  rule.order = INT_MIN;
  rule.pattern = pattern;
  return sbk_broker_add_rule(run->broker, &rule);
}

static int add_rules(struct run *run) {
  const struct script *script = run->script;
  bool waits = false, access = false;
  size_t i;
  int rv = 0;

  for (i = 0; i < script->rule_count && rv == 0; i++) {
    struct rule *rule = &script->rules[i];

    if (rule->kind == RULE_HANDLER) {
      struct sbk_mapping mapping = SBK_MAPPING_INIT;

      mapping.command = rule->command;
      mapping.pattern = rule->pattern;
      mapping.handler = on_handler;
      mapping.arg = rule;
      mapping.send_to = rule->send_to;
      mapping.send_to_user = rule->send_to_user;
      mapping.only_sender = rule->only_sender;
      ONCE_MORE(run, rv, sbk_broker_add_mapping(run->broker, &mapping));
    } else if (rule->kind == RULE_ERROR) {
      ONCE_MORE(run, rv,
                sbk_broker_add_error_handler(run->broker, rule->order, on_error,
                                             rule));
    } else if (rule->kind == RULE_ACCESS) {
      waits = waits || strstr(rule->actions, "wait") != NULL;
      access = true;
      ONCE_MORE(run, rv, add_access(run, rule));
    } else if (rule->kind == RULE_INTERCEPTOR) {
      waits = waits || strstr(rule->actions, "wait") != NULL;
      ONCE_MORE(run, rv,
                sbk_broker_add_interceptor(run->broker, rule->direction,
                                           rule->order, on_interceptor, rule));
    }
  }
  if (access && rv == 0) {
    ONCE_MORE(run, rv, let_probe(run));
  }
  if (waits && rv == 0) {
    ONCE_MORE(run, rv,
              sbk_broker_add_interceptor(run->broker, SBK_INBOUND, INT_MIN,
                                         on_end, run));
  }
  return rv;
}

/* Clients of SockJS need a path. */
static bool has_ws(const struct script *script) {
  size_t i;

  for (i = 0; i < script->endpoint_count; i++) {
    if (strcmp(script->endpoints[i].endpoint.path, "/ws") == 0) {
      return true;
    }
  }
  return false;
}

int host_setup(struct run *run) {
  const struct script *script = run->script;
  struct sbk_callbacks callbacks = SBK_CALLBACKS_INIT;
  struct sbk_config config = script->config;
  struct sbk_endpoint plain = SBK_ENDPOINT_INIT;
  struct sbk_sockjs sockjs = script->sockjs;
  bool over = run->mode->over != OVER_WEBSOCKET;
  size_t i;
  int rv;

  callbacks.connected = on_connected;
  callbacks.disconnected = on_disconnected;
  callbacks.subscribed = on_subscribed;
  callbacks.unsubscribed = on_unsubscribed;
  callbacks.undeliverable = on_undeliverable;
  callbacks.dead_letter = on_dead_letter;
  callbacks.request_gone = on_request_gone;
  callbacks.refused = on_refused;
  callbacks.dropped = on_dropped;
  callbacks.alarm = on_alarm;
  callbacks.log = on_log;
  callbacks.random = on_random;
  callbacks.request = script->has_request ? on_request : NULL;
  for (i = 0; i < script->rule_count; i++) {
    if (script->rules[i].kind == RULE_HANDSHAKE) {
      callbacks.handshake = on_handshake;
    }
  }
  if (run->mode->over != OVER_WEBSOCKET) { /* it names the users */
    callbacks.handshake = on_handshake;
  }
  config.mem = heap_mem();
  run->random = 88172645463325252u;
  ONCE_MORE(run, rv, sbk_broker_new(&run->broker, &callbacks, &config, run));
  plain.path = "/ws";
  if (over) {
    sockjs.size = sizeof(sockjs);
    sockjs.disconnect_delay = client_delay(script);
    plain.sockjs = &sockjs;
  }
  if (rv == 0 && (script->endpoint_count == 0 || (over && !has_ws(script)))) {
    ONCE_MORE(run, rv, sbk_broker_add_endpoint(run->broker, &plain));
  }
  for (i = 0; i < script->endpoint_count && rv == 0; i++) {
    struct sbk_endpoint endpoint = script->endpoints[i].endpoint;

    if (script->endpoints[i].origins[0] != NULL) {
      endpoint.allowed_origins = script->endpoints[i].origins;
    }
    endpoint.sockjs = over ? &sockjs
                      : script->endpoints[i].sockjs.size
                          ? &script->endpoints[i].sockjs
                          : NULL;
    endpoint.message = script->endpoints[i].echo ? on_message : NULL;
    ONCE_MORE(run, rv, sbk_broker_add_endpoint(run->broker, &endpoint));
  }
  for (i = 0; i < script->topic_count && rv == 0; i++) {
    ONCE_MORE(run, rv, sbk_broker_add_topic(run->broker, &script->topics[i]));
  }
  return rv == 0 ? add_rules(run) : rv;
}
