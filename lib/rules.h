#ifndef SBK__RULES_H
#define SBK__RULES_H

#include <stompbroker/rule.h>

#include "core.h"
#include "pattern.h"

/* The host's access rules, in the order in which they are asked. */
typedef struct sbk__rule {
  int order;
  unsigned commands; /* not 0 */
  char *pattern;     /* NULL: every destination */
  size_t len;
  bool named; /* only sessions with a user match */
  bool patterns;
  enum sbk_verdict verdict;
  sbk_interceptor check;
  void *arg;
} sbk__rule;

typedef struct sbk__rules {
  const sbk__core *core;
  sbk__rule *items;
  size_t count;
} sbk__rules;

/* What is judged: a destination, and what else leads to the same place. */
#define SBK__ALIASES 3
typedef struct sbk__asked {
  unsigned command; /* one of SBK_RULE_… */
  const char *user; /* NULL: anonymous */
  bool pattern;     /* the names are patterns */
  size_t count;
  const char *names[SBK__ALIASES]; /* the first is as the client wrote it */
  size_t lens[SBK__ALIASES];
} sbk__asked;

void sbk__rules_init(sbk__rules *rules, const sbk__core *core);
void sbk__rules_free(sbk__rules *rules);
/* As sbk_broker_add_rule(). */
int sbk__rules_add(sbk__rules *rules, const struct sbk_rule *rule);
/*
 * The rule that decides; NULL: none matches. A rule that lets pass has to match
 * what the client wrote, others do if they match any of the names. captures is
 * written on success.
 */
const sbk__rule *sbk__rules_find(const sbk__rules *rules,
                                 const sbk__asked *asked,
                                 sbk__captures *captures);

#endif
