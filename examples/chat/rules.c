/* rules.c - who may send where, and subscribe to what. */
#include "rules.h"

#include <string.h>

#include "rooms.h"
#include "talk.h"

static enum sbk_verdict refuse(sbk_call *call, const char *text) {
  sbk_call_set_error(call, text);
  return SBK_REFUSE;
}

/* The last segment is the room. It is not asked of subscriptions to patterns:
 * those are rejected, and no room's name could be read as one. */
static enum sbk_verdict is_room(sbk_call *call, void *arg) {
  const char *to = sbk_message_header(sbk_call_message(call), "destination");
  return room_valid(strrchr(to, '/') + 1)
             ? SBK_PASS
             : refuse(call, "A room is a-z, 0-9 and -, at most 32 of them.");
}

static enum sbk_verdict is_anothers(sbk_call *call, void *arg) {
  return refuse(call, "Only its owner writes in that room.");
}

/* In this order: the first one that matches decides. */
static const struct {
  unsigned commands;
  const char *pattern;
  sbk_interceptor check;
} rules[] = {
    /* NAME.room is NAME's: all may read it. */
    {SBK_RULE_SEND, "/app/chat/{user}.*", is_room},
    {SBK_RULE_SEND, "/app/typing/{user}.*", is_room},
    {SBK_RULE_SEND, "/app/chat/*.*", is_anothers},
    {SBK_RULE_SEND, "/app/typing/*.*", is_anothers},

    {SBK_RULE_SEND, "/app/chat/*", is_room},
    {SBK_RULE_SEND, "/app/typing/*", is_room},
    {SBK_RULE_SEND, "/app/whisper/*", NULL},
    {SBK_RULE_SEND, "/app/token", NULL},

    {SBK_RULE_SUBSCRIBE, ROOM_TOPIC "*", is_room},
    {SBK_RULE_SUBSCRIBE, "/topic/presence/*", is_room},
    {SBK_RULE_SUBSCRIBE, "/topic/presence", NULL},
    {SBK_RULE_SUBSCRIBE, "/app/presence", NULL},
    {SBK_RULE_SUBSCRIBE, WHISPER_TOPIC "{user}", NULL},
    {SBK_RULE_SUBSCRIBE, "/user/queue/errors", NULL},
};

int rules_setup(struct chat *chat) {
  size_t i;
  int rv = 0;
  for (i = 0; rv == 0 && i < sizeof(rules) / sizeof(rules[0]); i++) {
    struct sbk_rule rule = SBK_RULE_INIT;
    rule.commands = rules[i].commands;
    rule.pattern = rules[i].pattern;
    rule.check = rules[i].check;
    rule.named = 1;
    rv = sbk_broker_add_rule(chat->broker, &rule);
  }
  return rv;
}
