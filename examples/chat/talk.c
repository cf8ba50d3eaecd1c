/* talk.c - what clients may do, and what happens then. */
#include "talk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "once.h"
#include "presence.h"
#include "rooms.h"
#include "rules.h"
#include "text.h"
#include "token.h"
#include "users.h"

#define WHISPERS_AGE 60000 /* ms */

/* ---- who may come in, and how long ---- */

static enum token_state read_token(struct chat *chat, const char *token,
                                   char name[NAME_SIZE], uint64_t *expires) {
  enum token_state state = token_read(token, chat->key, TOKEN_SESSION,
                                      clock_wall() / 1000, name, expires);
  /* The key outlives the file of users, if that is removed. */
  if (state == TOKEN_GOOD && users_find(chat->users, name) == NULL)
    return TOKEN_BAD;
  return state;
}

/* The library's clock is another one than that of tokens. */
static void live_until(sbk_session *session, uint64_t expires) {
  uint64_t now = clock_wall(), end = expires * 1000;
  sbk_session_set_expiry(session, clock_now() + (end > now ? end - now : 0));
}

static enum sbk_verdict reject(sbk_call *call, const char *text) {
  sbk_call_set_error(call, text);
  return SBK_REJECT;
}

/* Nothing is done for somebody unknown. */
static enum sbk_verdict admit(sbk_call *call, void *arg) {
  static const char scheme[] = "Bearer ";
  struct chat *chat = arg;
  const sbk_message *msg = sbk_call_message(call);
  const char *header;
  char name[NAME_SIZE];
  uint64_t expires;
  if (sbk_message_command(msg) != SBK_CONNECT) return SBK_PASS;
  header = sbk_message_header(msg, "Authorization");
  if (header == NULL || strncmp(header, scheme, strlen(scheme)) != 0)
    return reject(call, "token missing");
  switch (read_token(chat, header + strlen(scheme), name, &expires)) {
  case TOKEN_GOOD:
    break;
  case TOKEN_EXPIRED:
    return reject(call, "token expired");
  default:
    return reject(call, "bad token");
  }
  if (sbk_call_set_user(call, name) != 0) return SBK_REJECT;
  live_until(sbk_call_session(call), expires);
  return SBK_PASS;
}

/* ---- bodies ---- */

struct said {
  char text[TEXT_MOST + 1];
  size_t len;
};

struct whisper {
  const char *from, *to;
  uint64_t at;
  uint64_t reached; /* subscriptions of theirs */
  const char *text;
  size_t len;
};

static int decode_json(sbk_broker *broker, const char *type, const void *data,
                       size_t len, void *value, void *arg) {
  struct said *said = value;
  struct field text = {
      .name = "text", .dst = said->text, .size = TEXT_MOST + 1};
  struct field token = {.name = "token", .dst = value, .size = TOKEN_SIZE};
  struct field typing = {.name = "typing", .number = value};
  struct field *field = strcmp(type, "typing") == 0  ? &typing
                        : strcmp(type, "token") == 0 ? &token
                                                     : &text;
  if (!json_read(data, len, field, 1)) return SBK_ERR_INVAL;
  if (field == &text) said->len = text.len;
  return field == &typing && *typing.number > 1 ? SBK_ERR_INVAL : 0;
}

static int encode_json(sbk_broker *broker, const char *type, const void *value,
                       sbk_buf **out, void *arg) {
  const struct whisper *w = value;
  struct text t = {0};
  text_str(&t, "{\"from\":");
  text_json(&t, w->from, strlen(w->from));
  text_str(&t, ",\"to\":");
  text_json(&t, w->to, strlen(w->to));
  text_str(&t, ",\"at\":");
  text_num(&t, w->at);
  text_str(&t, ",\"reached\":");
  text_num(&t, w->reached);
  text_str(&t, ",\"text\":");
  text_json(&t, w->text, w->len);
  text_str(&t, "}");
  *out = t.failed ? NULL : sbk_buf_copy(broker, t.data, t.len);
  text_free(&t);
  return *out ? 0 : SBK_ERR_NOMEM;
}

/* For those who write STOMP by hand: the body is the text. */
static int decode_plain(sbk_broker *broker, const char *type, const void *data,
                        size_t len, void *value, void *arg) {
  struct said *said = value;
  if (strcmp(type, "said") != 0 || len > TEXT_MOST || !utf8_plain(data, len))
    return SBK_ERR_INVAL;
  memcpy(said->text, data, len);
  said->text[len] = '\0';
  said->len = len;
  return 0;
}

/* Nobody speaks plain text to clients. */
static int encode_plain(sbk_broker *broker, const char *type, const void *value,
                        sbk_buf **out, void *arg) {
  return SBK_ERR_INVAL;
}

/* ---- handlers ---- */

/* What one can get wrong by typing does not cost the session of who subscribes
 * to /user/queue/errors: the sentence goes there. */
static int refuse(sbk_call *call, const char *sentence) {
  sbk_call_set_error(call, sentence);
  return SBK_ERR_DENIED;
}

static const char *sender(sbk_call *call) {
  return sbk_session_user(sbk_call_session(call));
}

/* Cuts off blank ends and gives where the rest begins. */
static const char *trim(struct said *said) {
  const char *from = said->text;
  while (said->len > 0 && strchr(" \t\n", said->text[said->len - 1]))
    said->len--;
  while (said->len > 0 && strchr(" \t\n", *from)) {
    from++;
    said->len--;
  }
  return from;
}

/* The number that a message has in the header `once`; false: none. */
static bool number_of(sbk_call *call, uint64_t *number) {
  const char *s = sbk_message_header(sbk_call_message(call), "once");
  return s != NULL && num_read(number, s, strlen(s));
}

/* It need not be done again. */
static void did(struct chat *chat, sbk_call *call) {
  uint64_t number;
  if (number_of(call, &number)) once_add(chat->once, sender(call), number);
}

/* What the sender has to say; NULL: nothing, and *rv is the handler's. */
static const char *hear(struct chat *chat, sbk_call *call, struct said *said,
                        int *rv) {
  const char *text;
  uint64_t number;
  *rv = 0;
  if (number_of(call, &number) && once_done(chat->once, sender(call), number))
    return NULL;
  if (!limit_take(&chat->messages, sender(call), clock_now())) {
    *rv = refuse(call, "Not so fast: that was not sent.");
    return NULL;
  }
  if (sbk_call_decode(call, "said", said) != 0) {
    *rv = refuse(call, "Not sent: a message is text of at most 4 KiB.");
    return NULL;
  }
  text = trim(said);
  return said->len > 0 ? text : NULL;
}

static int give(sbk_call *call, struct text *t) {
  int rv =
      t->failed ? SBK_ERR_NOMEM : sbk_call_return(call, JSON, t->data, t->len);
  text_free(t);
  return rv;
}

static int on_say(sbk_call *call, void *arg) {
  struct chat *chat = arg;
  struct text line = {0};
  struct said said;
  const char *text;
  int rv;
  text = hear(chat, call, &said, &rv);
  if (text == NULL) return rv;
  rv = rooms_say(chat->rooms, sbk_call_param(call, "room"), sender(call), text,
                 said.len, &line);
  if (rv == 0) {
    did(chat, call);
    return give(call, &line);
  }
  text_free(&line);
  return rv == -ENOSPC ? refuse(call, "There are too many rooms.")
                       : SBK_ERR_NOMEM;
}

static int on_typing(sbk_call *call, void *arg) {
  struct chat *chat = arg;
  struct text t = {0};
  uint64_t typing;
  if (sbk_call_decode(call, "typing", &typing) != 0)
    return refuse(call, "That was no typing.");
  if (!limit_take(&chat->typing, sender(call), clock_now())) return 0;
  text_str(&t, "{\"name\":");
  text_json(&t, sender(call), strlen(sender(call)));
  text_str(&t, typing ? ",\"typing\":true}" : ",\"typing\":false}");
  return give(call, &t);
}

/* What a page misses while its connection is broken, its topic brings. */
static int whisper_to(struct chat *chat, const char *name,
                      const struct whisper *w) {
  char topic[sizeof(WHISPER_TOPIC) + NAME_SIZE];
  snprintf(topic, sizeof(topic), WHISPER_TOPIC "%s", name);
  return sbk_convert_and_send(chat->broker, topic, JSON, "whisper", w);
}

static int on_whisper(sbk_call *call, void *arg) {
  struct chat *chat = arg;
  const char *name = sbk_call_param(call, "name");
  const struct user *to = users_find(chat->users, name);
  struct whisper w = {.from = sender(call), .at = clock_wall()};
  struct said said;
  int rv;
  if (to == NULL) return refuse(call, "Nobody has that name.");
  w.to = to->name;
  w.text = hear(chat, call, &said, &rv);
  if (w.text == NULL) return rv;
  w.len = said.len;
  rv = whisper_to(chat, w.to, &w);
  if (rv < 0) return rv;
  did(chat, call);
  if (strcmp(w.from, w.to) == 0) return 0;
  /* The sender's pages show it, and whether it arrives: who is back in a moment
   * gets it then. */
  w.reached = (uint64_t)rv;
  if (rv == 0 && presence_held(chat->presence, w.to)) w.reached = 1;
  rv = whisper_to(chat, w.from, &w);
  return rv < 0 ? rv : 0;
}

/* A token that is not good changes nothing: the session ends when it would. */
static int on_token(sbk_call *call, void *arg) {
  char token[TOKEN_SIZE], name[NAME_SIZE];
  uint64_t expires;
  if (sbk_call_decode(call, "token", token) != 0 ||
      read_token(arg, token, name, &expires) != TOKEN_GOOD ||
      strcmp(name, sender(call)) != 0)
    return refuse(call, "That token does not renew this session.");
  live_until(sbk_call_session(call), expires);
  return 0;
}

static int on_presence(sbk_call *call, void *arg) {
  struct chat *chat = arg;
  struct text t = {0};
  presence_all(chat->presence, &t);
  return give(call, &t);
}

static int add_handlers(struct chat *chat) {
  static const char *const room[] = {ROOM_TOPIC "{room}", NULL};
  static const char *const typing[] = {"/topic/presence/{room}", NULL};
  static const struct {
    enum sbk_command command;
    const char *pattern;
    sbk_handler handler;
    const char *const *send_to;
  } handlers[] = {{SBK_SEND, "/chat/{room}", on_say, room},
                  {SBK_SEND, "/typing/{room}", on_typing, typing},
                  {SBK_SEND, "/whisper/{name}", on_whisper, NULL},
                  {SBK_SEND, "/token", on_token, NULL},
                  {SBK_SUBSCRIBE, "/presence", on_presence, NULL}};
  size_t i;
  int rv = 0;
  for (i = 0; rv == 0 && i < sizeof(handlers) / sizeof(handlers[0]); i++) {
    struct sbk_mapping mapping = SBK_MAPPING_INIT;
    mapping.command = handlers[i].command;
    mapping.pattern = handlers[i].pattern;
    mapping.handler = handlers[i].handler;
    mapping.arg = chat;
    mapping.send_to = handlers[i].send_to;
    rv = sbk_broker_add_mapping(chat->broker, &mapping);
  }
  return rv;
}

/* Kept for those who are back in a moment, no longer. */
static int add_whispers(struct chat *chat) {
  struct sbk_topic topic = SBK_TOPIC_INIT;
  topic.prefix = WHISPERS_TOPIC;
  topic.history_age = WHISPERS_AGE;
  return sbk_broker_add_topic(chat->broker, &topic);
}

int talk_setup(struct chat *chat) {
  struct sbk_converter json = SBK_CONVERTER_INIT, plain = SBK_CONVERTER_INIT;
  sbk_broker *b = chat->broker;
  int rv;
  json.content_type = JSON;
  json.encode = encode_json;
  json.decode = decode_json;
  plain.content_type = "text/plain";
  plain.encode = encode_plain;
  plain.decode = decode_plain;
  rv = sbk_broker_add_converter(b, &json);
  if (rv == 0) rv = sbk_broker_add_converter(b, &plain);
  if (rv == 0) rv = sbk_broker_add_interceptor(b, SBK_INBOUND, 0, admit, chat);
  if (rv == 0) rv = rules_setup(chat);
  if (rv == 0) rv = add_whispers(chat);
  return rv == 0 ? add_handlers(chat) : rv;
}

/* ---- who is where ---- */

static void on_connected(sbk_session *session, void *arg) {
  struct chat *chat = arg;
  presence_touch(chat->presence, sbk_session_user(session));
}

static void on_disconnected(sbk_session *session, int reason, void *arg) {
  struct chat *chat = arg;
  if (reason != 0) presence_hold(chat->presence, sbk_session_user(session));
  on_connected(session, arg);
}

static void on_subscribed(sbk_session *session, const char *id,
                          const char *destination, void *arg) {
  if (strncmp(destination, ROOM_TOPIC, strlen(ROOM_TOPIC)) == 0)
    on_connected(session, arg);
}

static void on_unsubscribed(sbk_session *session, const char *id,
                            const char *destination, void *arg) {
  struct chat *chat = arg;
  if (strncmp(destination, ROOM_TOPIC, strlen(ROOM_TOPIC)) != 0) return;
  presence_left(chat->presence, sbk_session_user(session),
                destination + strlen(ROOM_TOPIC));
  on_connected(session, arg);
}

void talk_callbacks(struct sbk_callbacks *cb) {
  cb->connected = on_connected;
  cb->disconnected = on_disconnected;
  cb->subscribed = on_subscribed;
  cb->unsubscribed = on_unsubscribed;
}
