#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client_inner.h"

#define TAG "a\nb:\\"

const char *const client_versions[] = {"1.0", "1.1", "1.2"};

void client_complain(struct client *c, const char *what, const char *more) {
  model_complain(model_of(c), "%s: %s: %s", c->name, what,
                 more != NULL ? more : "-");
}

/* Is it what was sent? */
static bool is_whole(struct client *c, const struct frame *frame, int number) {
  const struct message *message = &model_of(c)->messages[number];
  const char *tag = frame_get(frame, "tag");
  const char *to = frame_get(frame, "destination");
  bool tagged = message->tagged && c->version > 10;
  char body[BODY_MAX], want[32];

  client_write_destination(want, message->queue, message->dest);
  client_write_body(body, number, message->size, message->text);

  /* What is no UTF-8 is not the same any more over SockJS. */
  return ((frame->len == message->size &&
           memcmp(body, frame->body, frame->len) == 0) ||
          (link_is_sockjs(&c->link) && !message->text && number % 3 == 0)) &&
         to != NULL && strcmp(to, want) == 0 &&
         (tagged ? tag != NULL && strcmp(tag, TAG) == 0 : tag == NULL);
}

static void keep_token(struct client *c, int sub, int message, int delivery,
                       const char *text) {
  struct token *token;

  if (c->token_count == c->token_size) {
    c->token_size = 2 * c->token_size + 16;
    c->tokens = realloc(c->tokens, c->token_size * sizeof(*c->tokens));
    if (c->tokens == NULL) {
      abort();
    }
  }
  token = &c->tokens[c->token_count++];
  token->sub = sub;
  token->message = message;
  token->delivery = delivery;
  token->tx = -1;
  snprintf(token->text, sizeof(token->text), "%s", text);
}

static void hear_message(struct client *c, const struct frame *frame) {
  const char *id = frame_get(frame, "subscription");
  const char *again = frame_get(frame, "redelivered");
  const char *token = frame_get(frame, c->version == 12 ? "ack" : "message-id");
  struct model *model = model_of(c);
  int number, sub, delivery;

  sub = id != NULL && id[0] == 's' ? (int)strtol(id + 1, NULL, 10) : -1;
  number = (int)strtol(frame->body, NULL, 10);
  if (sub < 0 || sub >= (int)model->sub_count ||
      model->subs[sub].session != c->session) {
    client_complain(c, "a MESSAGE of somebody else's subscription", id);
    return;
  }
  if (frame->len == 0 || number < 0 || number >= (int)model->message_count ||
      !is_whole(c, frame, number)) {
    sim_note(c->sim, "%s: %zu of %zu bytes, %s, to %s", c->name, frame->len,
             number >= 0 && number < (int)model->message_count
                 ? model->messages[number].size
                 : 0,
             frame_get(frame, "tag"), frame_get(frame, "destination"));
    client_complain(c, "a MESSAGE that nobody sent",
                    frame_get(frame, "message-id"));
    return;
  }
  if ((model->subs[sub].ack != AUTO) != (token != NULL) && c->version == 12) {
    client_complain(c, "ack is for those who acknowledge", token);
    return;
  }
  delivery = model_came(model, sub, number,
                        again != NULL && strcmp(again, "true") == 0);
  sim_note(c->sim, "%s has %d of %d%s", c->name, number, sub,
           again != NULL ? ", again" : "");
  /* Also behind an UNSUBSCRIBE. */
  if (model->subs[sub].ack != AUTO && token != NULL) {
    keep_token(c, sub, number, delivery, token);
  }
}

static void hear_receipt(struct client *c, const struct frame *frame) {
  const char *id = frame_get(frame, "receipt-id");
  struct model *model = model_of(c);
  size_t i;
  int receipt;

  if (id == NULL || id[0] != 'r') {
    client_complain(c, "a RECEIPT of nothing", id);
    return;
  }
  receipt = (int)strtol(id + 1, NULL, 10);
  model_receipt(model, c->session, receipt);
  for (i = 0; i < c->first; i++) {
    if (c->commands[i].receipt == receipt &&
        c->commands[i].what == UNSUBSCRIBES) {
      model->subs[c->commands[i].it].silent = true;
    }
  }
}

static sbk_msec agreed(sbk_msec ours, const char *theirs) {
  sbk_msec value = strtoull(theirs, NULL, 10);

  return ours == 0 || value == 0 ? SBK_NEVER : ours > value ? ours : value;
}

static void hear_connected(struct client *c, const struct frame *frame) {
  const char *version = frame_get(frame, "version");
  const char *beats = frame_get(frame, "heart-beat");

  if (c->connected) {
    client_complain(c, "a second CONNECTED", NULL);
  }
  if (version == NULL ||
      strcmp(version, client_versions[c->version - 10]) != 0) {
    client_complain(c, "another version", version);
  }
  c->connected = true;
  if (beats != NULL && strchr(beats, ',') != NULL) {
    c->hear_every = agreed(c->wanted, beats);
    c->say_every = agreed(c->offered, strchr(beats, ',') + 1);
  }
}

void client_hear(struct client *c, const struct frame *frame) {
  if (strcmp(frame->command, "CONNECTED") == 0) {
    hear_connected(c, frame);
  } else if (!c->connected && strcmp(frame->command, "ERROR") != 0) {
    client_complain(c, "before CONNECTED", frame->command);
  } else if (strcmp(frame->command, "MESSAGE") == 0) {
    hear_message(c, frame);
  } else if (strcmp(frame->command, "RECEIPT") == 0) {
    hear_receipt(c, frame);
  } else if (strcmp(frame->command, "ERROR") == 0) {
    sim_note(c->sim, "%s gets ERROR: %s", c->name, frame_get(frame, "message"));
    if (!c->excused && !c->sim->short_of_memory) {
      client_complain(c, "ERROR", frame_get(frame, "message"));
    }
  } else {
    client_complain(c, "a frame unknown to STOMP", frame->command);
  }
}
