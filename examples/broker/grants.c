/* grants.c - who may send where, and subscribe to what. */
#include "grants.h"

#include <string.h>

#include "broker.h"
#include "options.h"

/* The commands that stand in front of a pattern, which *pattern is then. */
static bool commands_of(const char *value, unsigned *commands,
                        const char **pattern) {
  static const struct {
    const char *word;
    unsigned commands;
  } words[] = {{"send:", SBK_RULE_SEND},
               {"subscribe:", SBK_RULE_SUBSCRIBE},
               {"both:", SBK_RULE_SEND | SBK_RULE_SUBSCRIBE}};
  size_t i;
  for (i = 0; i < 3; i++) {
    size_t len = strlen(words[i].word);
    if (strncmp(value, words[i].word, len) != 0) continue;
    *commands = words[i].commands;
    *pattern = value + len;
    return value[len] != '\0';
  }
  return false;
}

static bool take(struct options *o, const char *option, const char *value) {
  unsigned commands;
  const char *pattern;
  if (!commands_of(value, &commands, &pattern)) return false;
  list_add(&o->grants, option);
  list_add(&o->grants, value);
  return true;
}

bool take_allow(struct options *o, const char *value) {
  return take(o, "allow", value);
}

bool take_deny(struct options *o, const char *value) {
  return take(o, "deny", value);
}

/* Where failures are told of at a destination, so is this. */
static enum sbk_verdict no(const struct options *o) {
  return o->config.error_destination != NULL ? SBK_REFUSE : SBK_REJECT;
}

static int add(const struct options *o, sbk_broker *broker, const char *option,
               const char *value) {
  struct sbk_rule rule = SBK_RULE_INIT;
  if (!commands_of(value, &rule.commands, &rule.pattern)) return SBK_ERR_INVAL;
  rule.verdict = strcmp(option, "allow") == 0 ? SBK_PASS : no(o);
  return sbk_broker_add_rule(broker, &rule);
}

bool grants_setup(const struct options *o, sbk_broker *broker) {
  struct sbk_rule rest = SBK_RULE_INIT;
  const char **items = o->grants.items;
  size_t i;
  int rv = 0;
  for (i = 0; i < o->grants.count; i += 2) {
    rv = add(o, broker, items[i], items[i + 1]);
    if (rv == 0) continue;
    complain("--%s %s: %s", items[i], items[i + 1],
             rv == SBK_ERR_INVAL ? "malformed" : sbk_strerror(rv));
    return false;
  }
  rest.verdict = no(o);
  if (i > 0) rv = sbk_broker_add_rule(broker, &rest);
  return rv == 0;
}
