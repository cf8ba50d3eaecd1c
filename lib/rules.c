#include "rules.h"

#include <string.h>

#include "abi.h"
#include "pattern_pair.h"

void sbk__rules_init(sbk__rules *rules, const sbk__core *core) {
  memset(rules, 0, sizeof(*rules));
  rules->core = core;
}

void sbk__rules_free(sbk__rules *rules) {
  size_t i;

  for (i = 0; i < rules->count; i++) {
    sbk__free(&rules->core->mem, rules->items[i].pattern);
  }
  sbk__free(&rules->core->mem, rules->items);
}

static int check(const sbk__rules *rules, const struct sbk_rule *rule) {
  if ((rule->commands & ~(SBK_RULE_SEND | SBK_RULE_SUBSCRIBE)) != 0 ||
      (rule->check == NULL && rule->verdict != SBK_PASS &&
       rule->verdict != SBK_DROP && rule->verdict != SBK_REJECT &&
       rule->verdict != SBK_REFUSE)) {
    return SBK_ERR_INVAL;
  }

  return rule->pattern != NULL
             ? sbk__pattern_check(rule->pattern, strlen(rule->pattern),
                                  &rules->core->config)
             : 0;
}

/* Makes room behind those of the same order. */
static sbk__rule *insert(sbk__rules *rules, int order) {
  sbk__rule *items = sbk__realloc(&rules->core->mem, rules->items,
                                  (rules->count + 1) * sizeof(*items));
  size_t at = rules->count;

  if (items == NULL) {
    return NULL;
  }
  rules->items = items;
  while (at > 0 && items[at - 1].order > order) {
    at--;
  }
  memmove(&items[at + 1], &items[at], (rules->count - at) * sizeof(*items));
  rules->count++;

  return &items[at];
}

int sbk__rules_add(sbk__rules *rules, const struct sbk_rule *rule) {
  struct sbk_rule copy;
  sbk__rule made = {0}, *place;
  int rv = sbk__abi_copy(&copy, sizeof(copy), sizeof(copy), rule);

  if (rv == 0) {
    rv = check(rules, &copy);
  }
  if (rv != 0) {
    return rv;
  }

  made.order = copy.order;
  made.commands =
      copy.commands != 0 ? copy.commands : SBK_RULE_SEND | SBK_RULE_SUBSCRIBE;
  made.named = copy.named != 0;
  made.patterns = copy.patterns != 0;
  made.verdict = copy.verdict;
  made.check = copy.check;
  made.arg = copy.arg;
  if (copy.pattern != NULL) {
    made.len = strlen(copy.pattern);
    made.named = made.named || sbk__pattern_has_user(copy.pattern, made.len);
    made.pattern = sbk__strndup(&rules->core->mem, copy.pattern, made.len);
    if (made.pattern == NULL) {
      return SBK_ERR_NOMEM;
    }
  }
  place = insert(rules, made.order);
  if (place == NULL) {
    sbk__free(&rules->core->mem, made.pattern);
    return SBK_ERR_NOMEM;
  }
  *place = made;

  return 0;
}

static bool passes(const sbk__rule *rule) {
  return rule->check == NULL && rule->verdict == SBK_PASS;
}

static bool matches(const sbk__rules *rules, const sbk__rule *rule,
                    const sbk__asked *asked, size_t i,
                    sbk__captures *captures) {
  const char separator = rules->core->config.separator;

  captures->count = 0;
  if (rule->pattern == NULL) {
    return true;
  }
  if (!asked->pattern) {
    return sbk__pattern_match_user(rule->pattern, rule->len, asked->user,
                                   asked->names[i], asked->lens[i], separator,
                                   captures);
  }

  return passes(rule)
             ? sbk__pattern_covers(rule->pattern, rule->len, asked->user,
                                   asked->names[i], asked->lens[i], separator)
             : sbk__pattern_meets(rule->pattern, rule->len, asked->user,
                                  asked->names[i], asked->lens[i], separator);
}

const sbk__rule *sbk__rules_find(const sbk__rules *rules,
                                 const sbk__asked *asked,
                                 sbk__captures *captures) {
  size_t i, name;

  for (i = 0; i < rules->count; i++) {
    const sbk__rule *rule = &rules->items[i];
    size_t count = passes(rule) ? 1 : asked->count;

    if ((rule->commands & asked->command) == 0 ||
        (rule->named && asked->user == NULL)) {
      continue;
    }
    for (name = 0; name < count; name++) {
      if (matches(rules, rule, asked, name, captures)) {
        return rule;
      }
    }
  }

  return NULL;
}
