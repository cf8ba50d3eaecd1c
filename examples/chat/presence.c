/* presence.c - who is where. */
#include "presence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooms.h"

#define ROOMS_OF_ONE 64 /* shown of one user; more are not listed */

struct touched {
  struct touched *next;
  char user[NAME_SIZE];
};

struct presence {
  sbk_task task; /* first: the task is the presence */
  struct chat *chat;
  bool posted;
  struct touched *touched;
};

struct presence *presence_new(struct chat *chat) {
  struct presence *p = calloc(1, sizeof(*p));
  if (p != NULL) p->chat = chat;
  return p;
}

void presence_free(struct presence *p) {
  if (p == NULL) return;
  while (p->touched != NULL) {
    struct touched *t = p->touched;
    p->touched = t->next;
    free(t);
  }
  free(p);
}

/* ---- one user ---- */

struct places {
  char rooms[ROOMS_OF_ONE][ROOM_SIZE];
  size_t count;
};

static int add_room(const char *id, const char *destination, void *arg) {
  struct places *places = arg;
  const char *room = destination + strlen(ROOM_TOPIC);
  size_t i;
  if (strncmp(destination, ROOM_TOPIC, strlen(ROOM_TOPIC)) != 0) return 0;
  for (i = 0; i < places->count; i++)
    if (strcmp(places->rooms[i], room) == 0) return 0;
  if (places->count < ROOMS_OF_ONE)
    snprintf(places->rooms[places->count++], ROOM_SIZE, "%s", room);
  return 0;
}

static int add_session(sbk_session *session, void *arg) {
  return sbk_each_subscription(session, add_room, arg);
}

static void write_user(struct presence *p, const char *user, struct text *out) {
  struct places places = {.count = 0};
  size_t i;
  bool online = sbk_session_count(p->chat->broker, user) > 0;
  sbk_each_session(p->chat->broker, user, add_session, &places);
  text_str(out, "{\"name\":");
  text_json(out, user, strlen(user));
  text_str(out, online ? ",\"online\":true" : ",\"online\":false");
  text_str(out, ",\"rooms\":[");
  for (i = 0; i < places.count; i++) {
    if (i > 0) text_str(out, ",");
    text_json(out, places.rooms[i], strlen(places.rooms[i]));
  }
  text_str(out, "]}");
}

/* ---- changes ---- */

/* Runs in a tick, where no session is half gone: `disconnected` and
 * `unsubscribed` have returned by then. */
static void tell(sbk_broker *broker, sbk_task *task) {
  struct presence *p = (struct presence *)task;
  struct touched *t;
  p->posted = false;
  while ((t = p->touched) != NULL) {
    struct text out = {0};
    p->touched = t->next;
    write_user(p, t->user, &out);
    if (!out.failed)
      sbk_send(broker, "/topic/presence", JSON, out.data, out.len);
    text_free(&out);
    free(t);
  }
}

void presence_touch(struct presence *p, const char *user) {
  struct touched *t;
  for (t = p->touched; t != NULL; t = t->next)
    if (strcmp(t->user, user) == 0) return;
  t = calloc(1, sizeof(*t));
  if (t == NULL) return; /* the next change tells it */
  snprintf(t->user, sizeof(t->user), "%s", user);
  t->next = p->touched;
  p->touched = t;
  if (!p->posted) {
    p->task.run = tell;
    sbk_post(p->chat->broker, &p->task);
    p->posted = true;
  }
}

/* ---- everybody ---- */

struct list {
  struct presence *presence;
  struct text *out;
  size_t count;
};

static int add_user(const char *user, size_t sessions, void *arg) {
  struct list *list = arg;
  if (list->count++ > 0) text_str(list->out, ",");
  write_user(list->presence, user, list->out);
  return 0;
}

void presence_all(struct presence *p, struct text *out) {
  struct list list = {p, out, 0};
  text_str(out, "{\"people\":[");
  sbk_each_user(p->chat->broker, add_user, &list);
  text_str(out, "]}");
}
