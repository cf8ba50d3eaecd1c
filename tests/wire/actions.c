#include "actions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "sockjs.h"

/* Templates. */

static void fill_end(struct filled *filled) {
  size_t i;

  filled->len = filled->codes.len;
  filled->text = own_realloc(NULL, filled->len + 1);
  for (i = 0; i < filled->len; i++) {
    filled->text[i] = (char)filled->codes.at[i];
  }
  filled->text[filled->len] = '\0';
}

void filled_free(struct filled *filled) {
  codes_free(&filled->codes);
  own_free(filled->text);
}

static const char *request_value(sbk_request *request, char kind,
                                 const char *name, char *buf, size_t size) {
  int rv = SBK_ERR_NOT_FOUND;

  if (kind == 'f') {
    return sbk_request_field(request, name);
  }
  if (kind == 'q') {
    rv = sbk_request_query(request, name, buf, size);
  } else if (kind == 'c') {
    rv = sbk_request_cookie(request, name, buf, size);
  }
  if (rv < 0) {
    snprintf(buf, size, "%d", rv);
  }
  return buf;
}

/* The value of a {name}; NULL: there is no such name. */
static const char *value_of(struct scene *scene, const char *name, char *buf,
                            size_t size, size_t *len) {
  const sbk_message *msg =
      scene->call != NULL ? sbk_call_message(scene->call) : NULL;
  const char *value = NULL;

  *len = SIZE_MAX;
  if (strcmp(name, "result") == 0) {
    snprintf(buf, size, "%d", scene->result);
    return buf;
  }
  if (strcmp(name, "error") == 0 && scene->error != 0) {
    snprintf(buf, size, "%d %s", scene->error, scene->error_text);
    return buf;
  }
  if (strcmp(name, "body") == 0 && msg != NULL) {
    return sbk_message_body(msg, len);
  }
  if (strcmp(name, "body") == 0 && scene->request != NULL) {
    return sbk_request_body(scene->request, len);
  }
  if (strcmp(name, "command") == 0 && msg != NULL) {
    return command_name(sbk_message_command(msg));
  }
  if (strcmp(name, "headers") == 0 && msg != NULL) {
    snprintf(buf, size, "%zu", sbk_message_header_count(msg));
    return buf;
  }
  if (strncmp(name, "h:", 2) == 0 && msg != NULL) {
    value = sbk_message_header(msg, name + 2);
  } else if (strncmp(name, "p:", 2) == 0 && scene->call != NULL) {
    value = sbk_call_param(scene->call, name + 2);
  } else if (strcmp(name, "user") == 0 && scene->session != NULL) {
    value = sbk_session_user(scene->session);
  } else if (strcmp(name, "data") == 0 && scene->session != NULL) {
    value = sbk_session_data(scene->session);
  } else if (strcmp(name, "endpoint") == 0 && scene->session != NULL) {
    value = sbk_session_endpoint(scene->session);
  } else if (strcmp(name, "session") == 0 && scene->session != NULL) {
    value = sbk_session_id(scene->session);
  } else if (strcmp(name, "peer") == 0 && scene->session != NULL) {
    value = sbk_session_peer(scene->session);
  } else if (strcmp(name, "peer") == 0 && scene->request != NULL) {
    value = sbk_request_peer(scene->request);
  } else if (strcmp(name, "method") == 0 && scene->request != NULL) {
    value = sbk_request_method(scene->request);
  } else if (strcmp(name, "path") == 0 && scene->request != NULL) {
    value = sbk_request_path(scene->request);
  } else if (scene->call != NULL && scene->session == NULL &&
             (strcmp(name, "peer") == 0 || strcmp(name, "user") == 0)) {
    value = NULL; /* it has ended */
  } else if (scene->request != NULL && name[0] != '\0' && name[1] == ':') {
    value = request_value(scene->request, name[0], name + 2, buf, size);
  } else {
    return NULL;
  }
  return value != NULL ? value : "(none)";
}

void fill(struct filled *filled, struct scene *scene, const char *template) {
  const char *at = template, *open, *end, *value;
  char name[64], buf[512];
  size_t len;

  memset(filled, 0, sizeof(*filled));
  while ((open = strchr(at, '{')) != NULL &&
         (end = strchr(open, '}')) != NULL) {
    if ((size_t)(end - open) > sizeof(name)) {
      break;
    }
    memcpy(name, open + 1, (size_t)(end - open) - 1);
    name[end - open - 1] = '\0';
    value = value_of(scene, name, buf, sizeof(buf), &len);
    if (value == NULL) { /* a brace of its own */
      codes_parse(&filled->codes, at, (size_t)(end - at) + 1, false);
    } else {
      codes_parse(&filled->codes, at, (size_t)(open - at), false);
      codes_add_bytes(&filled->codes, value,
                      len == SIZE_MAX ? strlen(value) : len);
    }
    at = end + 1;
  }
  codes_parse(&filled->codes, at, strlen(at), false);
  fill_end(filled);
}

/* Actions. */

#define MAX_ARGS 4

struct action {
  char *verb;
  struct filled args[MAX_ARGS]; /* words … */
  struct filled rest;           /* … and what stands behind them */
  const char *content_type;     /* the second last word, "-" is NULL */
};

static int answer(struct scene *scene, sbk_request *request, char *text) {
  struct sbk_field fields[8] = {{0}};
  struct filled body;
  char *colon = strstr(text, " : "), *part, *equal;
  size_t count = 0;
  int status = (int)strtol(text, &text, 10), rv;

  fill(&body, scene, colon != NULL ? colon + 3 : "");
  if (colon != NULL) {
    *colon = '\0';
  }
  while (*text != '\0' && count < 7) {
    part = text + strspn(text, " ");
    text = part + strcspn(part, " ");
    if (*text != '\0') {
      *text++ = '\0';
    }
    equal = strchr(part, '=');
    if (equal != NULL) {
      *equal = '\0';
      fields[count].name = part;
      fields[count++].value = equal + 1;
    }
  }
  rv = sbk_request_answer(request, status, count > 0 ? fields : NULL, body.text,
                          body.len);
  filled_free(&body);
  return rv;
}

static int print_user(const char *user, size_t sessions, void *arg) {
  host_event(arg, "user %s %zu", user, sessions);
  return 0;
}

static int print_session(sbk_session *session, void *arg) {
  const char *user = sbk_session_user(session);

  host_event(arg, "session %s %s", sbk_session_peer(session),
             user != NULL ? user : "-");
  return 0;
}

static int print_subscription(const char *id, const char *destination,
                              void *arg) {
  host_event(arg, "subscription %s %s", id, destination);
  return 0;
}

/* message DESTINATION [NAME=VALUE …] : BODY, to everybody, a user or a
 * session. */
static int send_message(struct scene *scene, const char *user, bool own,
                        char *text) {
  sbk_broker *broker = scene->run->broker;
  char *colon = strstr(text, " : "), *part, *equal;
  struct filled body;
  sbk_message *msg;
  sbk_buf *buf;
  int rv = 0;

  fill(&body, scene, colon != NULL ? colon + 3 : "");
  if (colon != NULL) {
    *colon = '\0';
  }
  buf = body.len > 0 ? sbk_buf_copy(broker, body.text, body.len) : NULL;
  part = text;
  text = part + strcspn(part, " ");
  if (*text != '\0') {
    *text++ = '\0';
  }
  msg = body.len > 0 && buf == NULL ? NULL : sbk_message_new(broker, part, buf);
  sbk_buf_unref(buf);
  while (msg != NULL && rv == 0 && *text != '\0') {
    struct filled value;

    part = text;
    text = part + strcspn(part, " ");
    if (*text != '\0') {
      *text++ = '\0';
    }
    equal = strchr(part, '=');
    if (equal == NULL) {
      break;
    }
    *equal = '\0';
    fill(&value, scene, equal + 1);
    rv = sbk_message_set_header(msg, part, value.text);
    filled_free(&value);
  }
  if (msg == NULL) {
    rv = SBK_ERR_NOMEM;
  } else if (rv == 0) {
    rv = user != NULL ? sbk_send_message_to_user(broker, user, msg)
         : own        ? sbk_send_message_to_session(scene->session, msg)
                      : sbk_send_message(broker, msg);
  }
  sbk_message_unref(msg);
  filled_free(&body);
  return rv;
}

int to_verdict(const char *text) {
  return strcmp(text, "pass") == 0     ? SBK_PASS
         : strcmp(text, "drop") == 0   ? SBK_DROP
         : strcmp(text, "reject") == 0 ? SBK_REJECT
         : strcmp(text, "refuse") == 0 ? SBK_REFUSE
         : strcmp(text, "wait") == 0   ? SBK_WAIT
                                       : -1;
}

int do_resume(struct scene *scene, struct stream *stream, const char *text) {
  enum sbk_verdict verdict = (enum sbk_verdict)to_verdict(text);
  int rv = SBK_ERR_NOT_FOUND;

  if (stream->call != NULL) {
    sbk_call *call = stream->call;

    stream->call = NULL;
    rv = sbk_call_resume(call, verdict);
  } else if (stream->request != NULL) {
    sbk_request *request = stream->request;

    stream->request = NULL;
    rv = sbk_request_resume(request, verdict);
  }
  /* In torture the peer may be gone: nothing waits then. */
  if (rv == SBK_ERR_NOT_FOUND && scene->run->mode->unchecked) {
    return 0;
  }
  return rv;
}

struct verb {
  const char *name;
  int words;
  int (*act)(struct scene *scene, struct action *a);
};

#define VERB(name) static int act_##name(struct scene *scene, struct action *a)

VERB(send) {
  return sbk_send(scene->run->broker, a->args[0].text, a->content_type,
                  a->rest.text, a->rest.len);
}
VERB(to_user) {
  return sbk_send_to_user(scene->run->broker, a->args[0].text, a->args[1].text,
                          a->content_type, a->rest.text, a->rest.len);
}
VERB(to_session) {
  if (scene->session == NULL) {
    return 0;
  }
  return sbk_send_to_session(scene->session, a->args[0].text, a->content_type,
                             a->rest.text, a->rest.len);
}
VERB(reply) {
  return sbk_call_reply(scene->call, a->args[0].text, a->content_type,
                        a->rest.text, a->rest.len);
}
VERB(return ) {
  return sbk_call_return(scene->call, a->content_type, a->rest.text,
                         a->rest.len);
}
VERB(message) {
  return send_message(scene, NULL, false, a->rest.text);
}
VERB(message_to_user) {
  return send_message(scene, a->args[0].text, false, a->rest.text);
}
VERB(message_to_session) {
  if (scene->session == NULL) {
    return 0;
  }
  return send_message(scene, NULL, true, a->rest.text);
}
VERB(error) {
  return sbk_call_set_error(scene->call, a->rest.text);
}
VERB(fail) {
  scene->returned = atoi(a->rest.text);
  return 0;
}

void host_forget(struct run *run, const sbk_call *call) {
  size_t i;

  for (i = 0; i < run->deferred_count; i++) {
    if (run->deferred[i] == call) {
      run->deferred_count--;
      memmove(&run->deferred[i], &run->deferred[i + 1],
              (run->deferred_count - i) * sizeof(run->deferred[0]));
    }
  }
}

VERB(defer) {
  struct run *run = scene->run;
  int rv = run->deferred_count < MAX_DEFERRED ? sbk_call_defer(scene->call)
                                              : SBK_ERR_TOO_MANY;

  if (rv == 0) {
    run->deferred[run->deferred_count++] = scene->call;
  }
  return rv;
}
/* finish RESULT [TEXT]: in a handler its own call, from the host the oldest */
VERB(finish) {
  struct run *run = scene->run;
  const char *text = strchr(a->rest.text, ' ');
  sbk_call *call = scene->call;
  int rv = 0;

  if (call == NULL && run->deferred_count == 0) {
    /* In torture it may not have come so far. */
    return run->mode->unchecked ? 0 : SBK_ERR_NOT_FOUND;
  }
  call = call != NULL ? call : run->deferred[0];
  if (text != NULL) {
    rv = sbk_call_set_error(call, text + 1);
  }
  host_forget(run, call);
  if (rv < 0 && run->script->spares && sbk_call_session(call) != NULL) {
    sbk_session_close(sbk_call_session(call), NULL); /* it has to notice */
  }
  return sbk_call_finish(call, rv < 0 ? rv : atoi(a->rest.text));
}
VERB(set) {
  return sbk_call_set_header(scene->call, a->args[0].text, a->rest.text);
}
VERB(user) {
  int rv;

  if (scene->request != NULL) {
    return sbk_request_set_user(scene->request, a->rest.text);
  }
  if (scene->call != NULL) {
    return sbk_call_set_user(scene->call, a->rest.text);
  }
  if (scene->session == NULL) {
    return 0;
  }
  rv = sbk_session_set_user(scene->session, a->rest.text);
  if (rv == SBK_ERR_NOMEM) { /* better nobody than somebody else */
    sbk_session_close(scene->session, NULL);
  }
  return rv;
}
VERB(data) {
  static char data[64];

  snprintf(data, sizeof(data), "%s", a->rest.text);
  if (scene->request != NULL) {
    return sbk_request_set_session_data(scene->request, data);
  }
  if (scene->session != NULL) {
    sbk_session_set_data(scene->session, data);
  }
  return 0;
}
VERB(status) {
  return sbk_request_set_status(scene->request, atoi(a->rest.text));
}
VERB(answer) {
  int rv = answer(scene, scene->request, a->rest.text);

  scene->answered = scene->answered || rv == 0;
  return rv;
}
VERB(close) {
  if (scene->session != NULL) {
    sbk_session_close(scene->session, a->rest.len > 0 ? a->rest.text : NULL);
  }
  return 0;
}
/* code CODE [REASON] */
VERB(code) {
  return scene->session == NULL
             ? 0
             : sbk_session_close_code(scene->session, atoi(a->args[0].text),
                                      a->rest.len > 0 ? a->rest.text : NULL);
}
VERB(expiry) {
  if (scene->session != NULL) {
    sbk_session_set_expiry(scene->session,
                           scene->run->now + strtoul(a->rest.text, NULL, 10));
  }
  return 0;
}
VERB(unsubscribe) {
  return scene->session == NULL
             ? 0
             : sbk_session_unsubscribe(scene->session, a->rest.text);
}
VERB(reauthorize) {
  return scene->session == NULL ? 0 : sbk_session_reauthorize(scene->session);
}
VERB(text) {
  return scene->session == NULL
             ? 0
             : sbk_session_send(scene->session, 0, a->rest.text, a->rest.len);
}
VERB(binary) {
  return scene->session == NULL
             ? 0
             : sbk_session_send(scene->session, 1, a->rest.text, a->rest.len);
}
VERB(event) {
  host_event(scene->run, "%s", a->rest.text);
  return 0;
}
VERB(shutdown) {
  sbk_broker_shutdown(scene->run->broker);
  return 0;
}
VERB(drain) {
  return sbk_broker_drain(scene->run->broker,
                          (sbk_msec)strtoull(a->args[0].text, NULL, 10));
}
VERB(conns) {
  struct run *run = scene->run;
  size_t count;
  unsigned i;

  if (run->clients > 0) { /* sessions that have ended are still remembered */
    run_wait(run, client_delay(run->script));
  }
  count = sbk_broker_conn_count(run->broker);
  /* A session counts, over requests as on a socket; requests are not looked
   * for. */
  for (i = 1; i < run->script->stream_count; i++) {
    if (run->streams[i].client != NULL) {
      count -= client_conns(run->streams[i].client);
    }
  }
  return (int)count;
}
VERB(users) {
  return (int)sbk_user_count(scene->run->broker);
}
VERB(sessions) {
  return (int)sbk_session_count(scene->run->broker,
                                a->rest.len > 0 ? a->rest.text : NULL);
}
/* A member of struct sbk_stats, with '-' for '_'. */
VERB(stat) {
#define MEMBER(name)                                                           \
  { #name, offsetof(struct sbk_stats, name) }
  static const struct {
    const char *name;
    size_t offset;
  } members[] = {
      MEMBER(waiting),
      MEMBER(paused),
      MEMBER(alarms),
      MEMBER(ended_slow),
      MEMBER(dropped_oldest),
      MEMBER(dropped_newest),
      MEMBER(dropped_unroutable),
      MEMBER(dropped_inbound),
      MEMBER(dropped_outbound),
      MEMBER(dropped_ended),
      MEMBER(refused),
      MEMBER(refused_protocol),
      MEMBER(refused_rules),
      MEMBER(refused_interceptors),
      MEMBER(refused_handlers),
      MEMBER(unconnected_gone),
      MEMBER(unconnected_protocol),
      MEMBER(unconnected_limit),
      MEMBER(unconnected_timeout),
      MEMBER(unconnected_denied),
      MEMBER(requests_malformed),
      MEMBER(requests_origin),
      MEMBER(requests_denied),
      MEMBER(requests_not_found),
      MEMBER(requests_late),
      MEMBER(requests_full),
      MEMBER(turned_away),
      MEMBER(sockjs_sessions),
      MEMBER(sockjs_interrupted),
  };
#undef MEMBER
  struct sbk_stats stats = SBK_STATS_INIT;
  char name[32];
  size_t i;

  snprintf(name, sizeof(name), "%s", a->args[0].text);
  for (i = 0; name[i] != '\0'; i++) {
    name[i] = name[i] == '-' ? '_' : name[i];
  }
  sbk_broker_stats(scene->run->broker, &stats);
  for (i = 0; i < sizeof(members) / sizeof(*members); i++) {
    if (strcmp(members[i].name, name) == 0) {
      return (int)*(uint64_t *)(void *)((char *)&stats + members[i].offset);
    }
  }
  printf("Bail out! %s:%u: no figure is called %s\n", scene->run->script->path,
         scene->run->line, a->args[0].text);
  exit(99);
}
VERB(each_user) {
  return sbk_each_user(scene->run->broker, print_user, scene->run);
}
VERB(each_session) {
  return sbk_each_session(scene->run->broker,
                          a->rest.len > 0 ? a->rest.text : NULL, print_session,
                          scene->run);
}
VERB(each_subscription) {
  return scene->session == NULL
             ? 0
             : sbk_each_subscription(scene->session, print_subscription,
                                     scene->run);
}

static const struct verb verbs[] = {
    {"send", 2, act_send},
    {"to-user", 3, act_to_user},
    {"to-session", 2, act_to_session},
    {"reply", 2, act_reply},
    {"return", 1, act_return},
    {"message", 0, act_message},
    {"message-to-user", 1, act_message_to_user},
    {"message-to-session", 0, act_message_to_session},
    {"error", 0, act_error},
    {"fail", 0, act_fail},
    {"defer", 0, act_defer},
    {"finish", 0, act_finish},
    {"set", 1, act_set},
    {"user", 0, act_user},
    {"data", 0, act_data},
    {"status", 0, act_status},
    {"answer", 0, act_answer},
    {"close", 0, act_close},
    {"code", 1, act_code},
    {"expiry", 0, act_expiry},
    {"unsubscribe", 0, act_unsubscribe},
    {"reauthorize", 0, act_reauthorize},
    {"text", 0, act_text},
    {"binary", 0, act_binary},
    {"event", 0, act_event},
    {"shutdown", 0, act_shutdown},
    {"drain", 1, act_drain},
    {"conns", 0, act_conns},
    {"users", 0, act_users},
    {"sessions", 0, act_sessions},
    {"stat", 1, act_stat},
    {"each-user", 0, act_each_user},
    {"each-session", 0, act_each_session},
    {"each-subscription", 0, act_each_subscription},
};

static void do_action(struct scene *scene, char *text) {
  const char *verb = text;
  char *at = text + strcspn(text, " ");
  struct action a = {0};
  size_t i;
  int word, verdict;

  if (*at != '\0') {
    *at++ = '\0';
  }
  verdict = to_verdict(verb);
  if (verdict >= 0) {
    scene->verdict = (enum sbk_verdict)verdict;
    return;
  }
  if (strcmp(verb, "deal") == 0) {
    scene->dealt = true;
    return;
  }
  if (strcmp(verb, "later") == 0) {
    return;
  }
  for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
    if (strcmp(verbs[i].name, verb) == 0) {
      break;
    }
  }
  if (i == sizeof(verbs) / sizeof(*verbs)) {
    printf("Bail out! %s:%u: the host cannot %s\n", scene->run->script->path,
           scene->run->line, verb);
    exit(99);
  }
  for (word = 0; word < verbs[i].words; word++) {
    char *start = at;

    at = start + strcspn(start, " ");
    if (*at != '\0') {
      *at++ = '\0';
    }
    fill(&a.args[word], scene, start);
    a.content_type =
        strcmp(a.args[word].text, "-") == 0 ? NULL : a.args[word].text;
  }
  if (verbs[i].act == act_answer || verbs[i].act == act_message ||
      verbs[i].act == act_message_to_user ||
      verbs[i].act == act_message_to_session) {
    a.rest.text = own_strdup(at); /* they fill it in themselves */
  } else {
    fill(&a.rest, scene, at);
  }
  scene->result = host_result(scene->run, verbs[i].act(scene, &a));
  scene->failed = scene->failed || scene->result == SBK_ERR_NOMEM;
  for (word = 0; word < verbs[i].words; word++) {
    filled_free(&a.args[word]);
  }
  filled_free(&a.rest);
}

void do_actions(struct scene *scene, const char *actions) {
  char *text = own_strdup(actions), *at = text, *next;

  while (at != NULL && *at != '\0') {
    next = strstr(at, " ; ");
    if (next != NULL) {
      *next = '\0';
      next += 3;
    }
    do_action(scene, at);
    at = next;
  }
  own_free(text);
}
