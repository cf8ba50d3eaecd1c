#include "judge.h"

#include <string.h>

#include "handle.h"
#include "userdest.h"

/* The one place where destinations of clients meet the access rules. */

/* Takes text[0, head) and text[rest, len) together for another name of it; NULL
 * if there is no memory. */
static char *add_alias(sbk_call *call, sbk__asked *asked, size_t head,
                       size_t rest) {
  const char *text = asked->names[0];
  const size_t size = asked->lens[0] - rest;
  char *alias = sbk__malloc(&call->broker->core.mem, head + size + 1);

  if (alias == NULL) {
    return NULL;
  }
  memcpy(alias, text, head);
  memcpy(alias + head, text + rest, size + 1);
  asked->names[asked->count] = alias;
  asked->lens[asked->count] = head + size;
  asked->count++;

  return alias;
}

static void free_aliases(const sbk_call *call, sbk__asked *asked) {
  while (asked->count > 1) {
    /* They are ours, though the rules may only look. */
    sbk__free(&call->broker->core.mem, (char *)asked->names[--asked->count]);
  }
}

/*
 * CVE-2016-5007: what the rules look at has to be what is routed by.
 * "/user/A/x" of A himself is "/user/x" too; and where '.' separates, "/app.x"
 * is the same as "/app/x", and so with the user prefix. 0, or SBK_ERR_NOMEM.
 */
static int add_aliases(sbk_call *call, sbk__asked *asked) {
  const sbk__route *route = &call->broker->route;
  const char *text = asked->names[0];
  const size_t len = asked->lens[0];
  size_t path, own = 0;
  enum sbk__where where = sbk__route_find(route, text, len, &path);
  char *alias;

  if (where == SBK__USER && asked->command == SBK_RULE_SUBSCRIBE) {
    sbk__userdest_subscribe(route, asked->user, text, len, path, &own);
    if (own != 0 && add_alias(call, asked, path, own) == NULL) {
      return SBK_ERR_NOMEM;
    }
  }
  if (route->separator != '/' && (where == SBK__USER || where == SBK__APP) &&
      (text[path] == '/' || text[path] == route->separator)) {
    alias = add_alias(call, asked, path, path);
    if (alias == NULL) {
      return SBK_ERR_NOMEM;
    }
    alias[path] = alias[path] == '/' ? route->separator : '/';
  }

  return 0;
}

static void ask(const sbk_call *call, sbk__asked *asked) {
  const sbk__header *to = sbk__message_findz(call->msg, "destination");

  memset(asked, 0, sizeof(*asked));
  asked->command =
      call->msg->command == SBK_SEND ? SBK_RULE_SEND : SBK_RULE_SUBSCRIBE;
  asked->user = call->session->user_name;
  asked->names[0] = to->value;
  asked->lens[0] = to->value_len;
  asked->count = 1;
  /* STOMP knows no patterns: a SEND to the text of one is to that text. */
  asked->pattern = call->msg->command == SBK_SUBSCRIBE &&
                   sbk__pattern_is(to->value, to->value_len);
}

/* The rule's host, who may do anything, rules included. */
static enum sbk_verdict run_check(sbk_call *call, sbk_interceptor check,
                                  void *arg) {
  enum sbk_verdict verdict = check(call, arg);

  if (verdict != SBK_WAIT) {
    sbk__call_clear_params(call);
  }

  return verdict;
}

enum sbk_verdict sbk__judge(sbk_call *call) {
  const sbk__rules *rules = &call->broker->rules;
  const sbk__rule *rule = NULL;
  sbk__captures captures;
  sbk__asked asked;
  int rv;

  if (rules->count == 0 ||
      (call->msg->command != SBK_SEND && call->msg->command != SBK_SUBSCRIBE)) {
    return SBK_PASS;
  }

  ask(call, &asked);
  rv = add_aliases(call, &asked);
  if (rv == 0) {
    rule = sbk__rules_find(rules, &asked, &captures);
  }
  if (rule != NULL && rule->check != NULL) {
    rv = sbk__call_set_params(call, &captures);
  }
  free_aliases(call, &asked);
  if (rv != 0) {
    sbk__handle_fail(call, SBK__FAULT_NOMEM);
    return SBK_REJECT;
  }
  if (rule == NULL) {
    return SBK_REJECT;
  }
  if (rule->check == NULL) {
    return rule->verdict;
  }

  return asked.pattern && !rule->patterns
             ? SBK_REJECT
             : run_check(call, rule->check, rule->arg);
}
