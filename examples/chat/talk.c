/* talk.c - what clients may do, and what happens then. */
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "presence.h"
#include "rooms.h"
#include "text.h"
#include "token.h"
#include "users.h"

#define JSON "application/json"

/* ---- who may come in, and where to ---- */

/* The time at which the token of a session expires is all that is kept with it;
 * it stands in the pointer itself, so nothing needs to be freed. */
static void set_expiry(sbk_session *session, uint64_t expires) {
  sbk_session_set_data(session, (void *)(uintptr_t)expires);
}

static enum sbk_verdict reject(sbk_call *call, const char *text) {
  sbk_call_set_error(call, text);
  return SBK_REJECT;
}

/* The first of all interceptors: nothing is done for somebody unknown. */
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
  switch (token_read(header + strlen(scheme), chat->key, clock_wall() / 1000,
                     name, &expires)) {
  case TOKEN_GOOD:
    break;
  case TOKEN_EXPIRED:
    return reject(call, "token expired");
  default:
    return reject(call, "bad token");
  }
  /* The key outlives the file of users, if that is removed. */
  if (users_find(chat->users, name) == NULL) return reject(call, "bad token");
  if (sbk_call_set_user(call, name) != 0) return SBK_REJECT;
  set_expiry(sbk_call_session(call), expires);
  return SBK_PASS;
}

/* What stands behind a prefix, or NULL. */
static const char *behind(const char *s, const char *prefix) {
  size_t len = strlen(prefix);
  return strncmp(s, prefix, len) == 0 ? s + len : NULL;
}

/* Names of rooms have no wildcards in them, so a pattern is no room. */
static bool may_subscribe(const char *to) {
  static const char *const with_room[] = {ROOM_TOPIC, "/topic/presence/",
                                          "/app/history/"};
  static const char *const whole[] = {"/topic/presence", "/app/presence",
                                      "/user/queue/whisper",
                                      "/user/queue/notice"};
  size_t i;
  for (i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
    if (strcmp(to, whole[i]) == 0) return true;
  for (i = 0; i < sizeof(with_room) / sizeof(with_room[0]); i++) {
    const char *room = behind(to, with_room[i]);
    if (room != NULL && room_valid(room)) return true;
  }
  return false;
}

static enum sbk_verdict guard(sbk_call *call, void *arg) {
  const sbk_message *msg = sbk_call_message(call);
  const char *to = sbk_message_header(msg, "destination");
  switch (sbk_message_command(msg)) {
  case SBK_CONNECT:
  case SBK_UNSUBSCRIBE:
  case SBK_DISCONNECT:
    return SBK_PASS;
  case SBK_SEND:
    return behind(to, "/app/") ? SBK_PASS : reject(call, "send to /app/ only");
  case SBK_SUBSCRIBE:
    return may_subscribe(to) ? SBK_PASS
                             : reject(call, "no such thing to subscribe to");
  default:
    return reject(call, "this chat has no acks and no transactions");
  }
}

static int end_if_expired(sbk_session *session, void *arg) {
  const uint64_t *now = arg;
  if ((uint64_t)(uintptr_t)sbk_session_data(session) <= *now)
    sbk_session_close(session, "token expired");
  return 0;
}

void talk_expire(struct chat *chat) {
  uint64_t now = clock_wall() / 1000;
  sbk_each_session(chat->broker, NULL, end_if_expired, &now);
}

/* ---- bodies ---- */

struct said {
  char text[TEXT_MOST + 1];
  size_t len;
};

struct whisper {
  const char *from, *to;
  uint64_t at;
  int reached; /* sessions */
  const char *text;
  size_t len;
};

static int decode_json(sbk_broker *broker, const char *type, const void *data,
                       size_t len, void *value, void *arg) {
  struct said *said = value;
  struct field text = {
      .name = "text", .dst = said->text, .size = TEXT_MOST + 1};
  struct field typing = {.name = "typing", .number = value};
  bool good;
  if (strcmp(type, "typing") == 0) {
    good = json_read(data, len, &typing, 1) && *typing.number <= 1;
  } else {
    good = json_read(data, len, &text, 1);
    said->len = text.len;
  }
  return good ? 0 : SBK_ERR_INVAL;
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
  text_num(&t, (uint64_t)w->reached);
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

/* A word to the sender alone. What one can get wrong by typing does not cost
 * the session. */
static int notice(sbk_call *call, const char *word, const char *sentence) {
  struct text t = {0};
  int rv = SBK_ERR_NOMEM;
  text_str(&t, "{\"word\":");
  text_json(&t, word, strlen(word));
  text_str(&t, ",\"text\":");
  text_json(&t, sentence, strlen(sentence));
  text_str(&t, "}");
  if (!t.failed)
    rv = sbk_call_reply(call, "/queue/notice", JSON, t.data, t.len);
  text_free(&t);
  return rv < 0 ? rv : 0;
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

/* What the sender has to say; NULL: nothing, and *rv is the handler's. */
static const char *hear(struct chat *chat, sbk_call *call, struct said *said,
                        int *rv) {
  const char *text;
  *rv = 0;
  if (!limit_take(&chat->messages, sender(call), clock_now())) {
    *rv = notice(call, "too-fast", "Not so fast: that was not sent.");
    return NULL;
  }
  if (sbk_call_decode(call, "said", said) != 0) {
    *rv = notice(call, "malformed",
                 "That was not sent: a message is text of at most 4 KiB.");
    return NULL;
  }
  text = trim(said);
  return said->len > 0 ? text : NULL;
}

static int on_say(sbk_call *call, void *arg) {
  struct chat *chat = arg;
  const char *room = sbk_call_param(call, "room"), *text;
  const struct text *line;
  char to[sizeof(ROOM_TOPIC) + ROOM_SIZE];
  struct said said;
  int rv;
  if (!room_valid(room))
    return notice(call, "no-room", "A room is a-z, 0-9 and -.");
  text = hear(chat, call, &said, &rv);
  if (text == NULL) return rv;
  line = rooms_say(chat->rooms, room, sender(call), text, said.len);
  if (line == NULL) return notice(call, "full", "There are too many rooms.");
  snprintf(to, sizeof(to), ROOM_TOPIC "%s", room);
  rv = sbk_send(chat->broker, to, JSON, line->data, line->len);
  return rv < 0 ? rv : 0;
}

static int on_typing(sbk_call *call, void *arg) {
  struct chat *chat = arg;
  const char *room = sbk_call_param(call, "room");
  char to[32 + ROOM_SIZE];
  struct text t = {0};
  uint64_t typing;
  int rv;
  if (!room_valid(room) || sbk_call_decode(call, "typing", &typing) != 0)
    return notice(call, "malformed", "That was no typing.");
  if (!limit_take(&chat->typing, sender(call), clock_now())) return 0;
  snprintf(to, sizeof(to), "/topic/presence/%s", room);
  text_str(&t, "{\"name\":");
  text_json(&t, sender(call), strlen(sender(call)));
  text_str(&t, typing ? ",\"typing\":true}" : ",\"typing\":false}");
  rv = t.failed ? SBK_ERR_NOMEM
                : sbk_send(chat->broker, to, JSON, t.data, t.len);
  text_free(&t);
  return rv < 0 ? rv : 0;
}

static int on_whisper(sbk_call *call, void *arg) {
  struct chat *chat = arg;
  const char *name = sbk_call_param(call, "name");
  const struct user *to = users_find(chat->users, name);
  struct whisper w = {.from = sender(call), .at = clock_wall()};
  struct said said;
  int rv;
  if (to == NULL) return notice(call, "nobody", "Nobody has that name.");
  w.to = to->name;
  w.text = hear(chat, call, &said, &rv);
  if (w.text == NULL) return rv;
  w.len = said.len;
  rv = sbk_convert_and_send_to_user(chat->broker, w.to, "/queue/whisper", JSON,
                                    "whisper", &w);
  if (rv < 0 || strcmp(w.from, w.to) == 0) return rv < 0 ? rv : 0;
  w.reached = rv; /* the sender's pages show it, and whether it arrived */
  rv = sbk_convert_and_send_to_user(chat->broker, w.from, "/queue/whisper",
                                    JSON, "whisper", &w);
  return rv < 0 ? rv : 0;
}

static int give(sbk_call *call, struct text *t) {
  int rv =
      t->failed ? SBK_ERR_NOMEM : sbk_call_return(call, JSON, t->data, t->len);
  text_free(t);
  return rv;
}

static int on_history(sbk_call *call, void *arg) {
  struct chat *chat = arg;
  struct text t = {0};
  rooms_history(chat->rooms, sbk_call_param(call, "room"), &t);
  return give(call, &t);
}

static int on_presence(sbk_call *call, void *arg) {
  struct chat *chat = arg;
  struct text t = {0};
  presence_all(chat->presence, &t);
  return give(call, &t);
}

int talk_setup(struct chat *chat) {
  static const struct {
    enum sbk_command command;
    const char *pattern;
    sbk_handler handler;
  } handlers[] = {{SBK_SEND, "/chat/{room}", on_say},
                  {SBK_SEND, "/typing/{room}", on_typing},
                  {SBK_SEND, "/whisper/{name}", on_whisper},
                  {SBK_SUBSCRIBE, "/history/{room}", on_history},
                  {SBK_SUBSCRIBE, "/presence", on_presence}};
  struct sbk_converter json = SBK_CONVERTER_INIT, plain = SBK_CONVERTER_INIT;
  sbk_broker *b = chat->broker;
  size_t i;
  int rv;
  json.content_type = JSON;
  json.encode = encode_json;
  json.decode = decode_json;
  plain.content_type = "text/plain";
  plain.encode = encode_plain;
  plain.decode = decode_plain;
  rv = sbk_broker_add_converter(b, &json);
  if (rv == 0) rv = sbk_broker_add_converter(b, &plain);
  if (rv == 0)
    rv = sbk_broker_add_interceptor(b, SBK_INBOUND, -100, admit, chat);
  if (rv == 0) rv = sbk_broker_add_interceptor(b, SBK_INBOUND, 0, guard, chat);
  for (i = 0; rv == 0 && i < sizeof(handlers) / sizeof(handlers[0]); i++)
    rv = sbk_broker_add_handler(b, handlers[i].command, handlers[i].pattern,
                                handlers[i].handler, chat);
  return rv;
}

/* ---- who is where ---- */

static void on_connected(sbk_session *session, void *arg) {
  struct chat *chat = arg;
  presence_touch(chat->presence, sbk_session_user(session));
}

static void on_disconnected(sbk_session *session, int reason, void *arg) {
  on_connected(session, arg);
}

static void on_subscribed(sbk_session *session, const char *id,
                          const char *destination, void *arg) {
  if (behind(destination, ROOM_TOPIC)) on_connected(session, arg);
}

void talk_callbacks(struct sbk_callbacks *cb) {
  cb->connected = on_connected;
  cb->disconnected = on_disconnected;
  cb->subscribed = on_subscribed;
  cb->unsubscribed = on_subscribed;
}
