#include "reader.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "heap.h"
#include "macros.h"

static struct rule *add_rule(struct reader *r, enum rule_kind kind) {
  struct script *script = r->script;
  struct rule *rule;

  script->rules = own_realloc(script->rules, (script->rule_count + 1) *
                                                 sizeof(*script->rules));
  rule = &script->rules[script->rule_count++];
  memset(rule, 0, sizeof(*rule));
  rule->kind = kind;
  return rule;
}

/* Where what a handler returns goes; false: the text says something else. */
static bool mapping_words(struct reader *r, struct rule *rule, char **text) {
  bool users = strncmp(*text, "send-to-user ", 13) == 0;
  char *part;

  if (strncmp(*text, "only-sender ", 12) == 0) {
    rule->only_sender = true;
    *text += 12;
    return true;
  }
  if (!users && strncmp(*text, "send-to ", 8) != 0) {
    return false;
  }
  *text += users ? 13 : 8;
  part = next_word(text);
  split_list(users ? rule->send_to_user : rule->send_to, MAX_LIST,
             reader_text(r, part, strlen(part)));
  return true;
}

static bool access_word(struct rule *rule, char **text) {
  if (strncmp(*text, "named ", 6) == 0) {
    rule->named = true;
    *text += 6;
  } else if (strncmp(*text, "patterns ", 9) == 0) {
    rule->patterns = true;
    *text += 9;
  } else if (strncmp(*text, "ask ", 4) == 0) {
    rule->asks = true;
    *text += 4;
  } else {
    return false;
  }
  return true;
}

/* handler COMMAND PATTERN actions; interceptor in|out|sends ORDER actions;
 * errors ORDER actions; rule ORDER verdict or actions; handshake actions;
 * request PATH actions. Interceptors and handshakes may be limited first: on
 * COMMAND, to DESTINATION, when TEMPLATE=TEXT. */
static void rule_line(struct reader *r, enum rule_kind kind, char *text) {
  struct rule *rule = add_rule(r, kind);
  char *part, *equal;

  if (kind == RULE_HANDLER) {
    part = next_word(&text);
    rule->command = command_number(part != NULL ? part : "");
  } else if (kind == RULE_INTERCEPTOR) {
    part = next_word(&text);
    rule->direction = part == NULL                 ? SBK_INBOUND
                      : strcmp(part, "out") == 0   ? SBK_OUTBOUND
                      : strcmp(part, "sends") == 0 ? SBK_SENDS
                                                   : SBK_INBOUND;
    part = next_word(&text);
    rule->order = part != NULL ? atoi(part) : 0;
  } else if (kind == RULE_ERROR || kind == RULE_ACCESS) {
    part = next_word(&text);
    rule->order = part != NULL ? atoi(part) : 0;
  }
  if (kind == RULE_HANDLER || kind == RULE_REQUEST) {
    part = next_word(&text);
    rule->pattern = part != NULL ? reader_text(r, part, strlen(part)) : NULL;
  }
  for (;;) {
    if (kind == RULE_HANDLER) {
      if (!mapping_words(r, rule, &text)) {
        break;
      }
    } else if (strncmp(text, "on ", 3) == 0) {
      text += 3;
      rule->command = command_number(next_word(&text));
    } else if (strncmp(text, "to ", 3) == 0) {
      text += 3;
      part = next_word(&text);
      rule->pattern = reader_text(r, part, strlen(part));
    } else if (kind == RULE_ACCESS && access_word(rule, &text)) {
      continue;
    } else if (strncmp(text, "when ", 5) == 0) {
      text += 5;
      part = next_word(&text);
      equal = strchr(part, '=');
      if (equal == NULL) {
        reader_wrong(r, "when TEMPLATE=TEXT");
      }
      rule->when = reader_text(r, part, (size_t)(equal - part));
      rule->when_value = reader_text(r, equal + 1, strlen(equal + 1));
    } else {
      break;
    }
  }
  rule->actions = reader_text(r, text, strlen(text));
  if (kind == RULE_REQUEST) {
    r->script->has_request = true;
  }
  r->script->spares = r->script->spares || kind == RULE_ERROR;
}

/* NAME=VALUE, a member of struct sbk_sockjs. */
static bool sockjs_word(struct reader *r, struct sbk_sockjs *sockjs,
                        char *text) {
  char *value = strchr(text, '=');
  unsigned long number;

  if (value == NULL) {
    return false;
  }
  *value++ = '\0';
  number = strtoul(value, NULL, 10);
  if (strcmp(text, "no_websocket") == 0) {
    sockjs->no_websocket = (int)number;
  } else if (strcmp(text, "cookie") == 0) {
    sockjs->cookie = (int)number;
  } else if (strcmp(text, "htmlfile") == 0) {
    sockjs->htmlfile = (int)number;
  } else if (strcmp(text, "jsonp") == 0) {
    sockjs->jsonp = (int)number;
  } else if (strcmp(text, "client_url") == 0) {
    sockjs->client_url = reader_text(r, value, strlen(value));
  } else if (strcmp(text, "heartbeat") == 0) {
    sockjs->heartbeat = strcmp(value, "never") == 0 ? SBK_NEVER : number;
  } else if (strcmp(text, "disconnect_delay") == 0) {
    sockjs->disconnect_delay = number;
  } else if (strcmp(text, "stream_limit") == 0) {
    sockjs->stream_limit = number;
  } else if (strcmp(text, "max_body") == 0) {
    sockjs->max_body = number;
  } else {
    return false;
  }
  return true;
}

static void endpoint_line(struct reader *r, char *text) {
  struct script *script = r->script;
  struct endpoint_line *line;
  char *part = next_word(&text);

  script->endpoints =
      own_realloc(script->endpoints,
                  (script->endpoint_count + 1) * sizeof(*script->endpoints));
  line = &script->endpoints[script->endpoint_count++];
  memset(line, 0, sizeof(*line));
  line->endpoint.size = sizeof(line->endpoint);
  line->endpoint.path = reader_text(r, part, strlen(part));
  while ((part = next_word(&text)) != NULL) {
    if (strncmp(part, "origins=", 8) == 0) {
      split_list(line->origins, MAX_LIST,
                 reader_text(r, part + 8, strlen(part + 8)));
    } else if (strcmp(part, "require-origin") == 0) {
      line->endpoint.require_origin = 1;
    } else if (strcmp(part, "secure") == 0) {
      line->endpoint.secure = 1;
    } else if (strcmp(part, "echo") == 0) {
      line->echo = true;
    } else if (strcmp(part, "closes") == 0) {
      line->echo = line->closes = true;
    } else if (strcmp(part, "sockjs") == 0) {
      line->sockjs.size = sizeof(line->sockjs);
    } else if (strncmp(part, "sockjs.", 7) == 0 &&
               sockjs_word(r, &line->sockjs, part + 7)) {
      line->sockjs.size = sizeof(line->sockjs);
    } else {
      reader_wrong(r, "what is %s?", part);
    }
  }
}

/* topic PREFIX [retain] [messages=N] [bytes=N] [age=N] [oldest|newest] */
static void topic_line(struct reader *r, char *text) {
  struct script *script = r->script;
  struct sbk_topic *topic;
  char *part = next_word(&text);

  script->topics = own_realloc(script->topics, (script->topic_count + 1) *
                                                   sizeof(*script->topics));
  topic = &script->topics[script->topic_count++];
  memset(topic, 0, sizeof(*topic));
  topic->size = sizeof(*topic);
  topic->prefix = reader_text(r, part, strlen(part));
  while ((part = next_word(&text)) != NULL) {
    if (strncmp(part, "messages=", 9) == 0) {
      topic->history_messages = strtoul(part + 9, NULL, 10);
    } else if (strncmp(part, "bytes=", 6) == 0) {
      topic->history_bytes = strtoul(part + 6, NULL, 10);
    } else if (strncmp(part, "age=", 4) == 0) {
      topic->history_age = strtoul(part + 4, NULL, 10);
    } else if (strcmp(part, "retain") == 0) {
      topic->retain = 1;
    } else if (strcmp(part, "oldest") == 0) {
      topic->overflow = SBK_OVERFLOW_DROP_OLDEST;
    } else if (strcmp(part, "newest") == 0) {
      topic->overflow = SBK_OVERFLOW_DROP_NEWEST;
    } else {
      reader_wrong(r, "what is %s?", part);
    }
  }
}

static void config_line(struct reader *r, char *text) {
  char *equal = strchr(text, '=');
  char *value;

  if (equal == NULL) {
    reader_wrong(r, "config NAME=VALUE");
  }
  *equal = '\0';
  value = reader_text(r, equal + 1, strlen(equal + 1));
  r->script->spares =
      r->script->spares || strcmp(text, "error_destination") == 0;
  if (config_set(&r->script->config, text, value, reader_keep, r->script) !=
      0) {
    reader_wrong(r, "there is no %s in struct sbk_config", text);
  }
}

static void skip_line(struct reader *r, char *text) {
  struct script *script = r->script;
  char *part;
  unsigned i;

  while ((part = next_word(&text)) != NULL) {
    if (strcmp(part, "peak") == 0) {
      script->no_peak = true;
    } else if (strcmp(part, "probe") == 0) {
      script->no_probe = true;
    } else if (strcmp(part, "torture") == 0) {
      script->no_torture = true;
    } else if (strcmp(part, "sockjs") == 0) {
      script->no_sockjs = true;
    } else {
      for (i = 0; i < GROUP_COUNT && strcmp(part, group_names[i]) != 0; i++) {
      }
      if (i == GROUP_COUNT) {
        reader_wrong(r, "what is %s?", part);
      }
      script->skip[i] = true;
    }
  }
}

bool setup_line(struct reader *r, const char *what, char *text) {
  char *part;

  if (strcmp(what, "config") == 0) {
    config_line(r, text);
  } else if (strcmp(what, "endpoint") == 0) {
    endpoint_line(r, text);
  } else if (strcmp(what, "topic") == 0) {
    topic_line(r, text);
  } else if (strcmp(what, "handler") == 0) {
    rule_line(r, RULE_HANDLER, text);
  } else if (strcmp(what, "interceptor") == 0) {
    rule_line(r, RULE_INTERCEPTOR, text);
  } else if (strcmp(what, "rule") == 0) {
    rule_line(r, RULE_ACCESS, text);
  } else if (strcmp(what, "errors") == 0) {
    rule_line(r, RULE_ERROR, text);
  } else if (strcmp(what, "handshake") == 0) {
    rule_line(r, RULE_HANDSHAKE, text);
  } else if (strcmp(what, "request") == 0) {
    rule_line(r, RULE_REQUEST, text);
  } else if (strcmp(what, "sockjs") == 0) {
    while ((part = next_word(&text)) != NULL) {
      if (!sockjs_word(r, &r->script->sockjs, part)) {
        reader_wrong(r, "what is %s?", part);
      }
    }
  } else if (strcmp(what, "events") == 0) {
    r->script->events = true;
  } else if (strcmp(what, "refusals") == 0) {
    r->script->refusals = true;
  } else if (strcmp(what, "without") == 0) {
    skip_line(r, text);
  } else {
    return false;
  }
  return true;
}
