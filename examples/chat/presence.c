/* presence.c - who is where. */
#include "presence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooms.h"

#define ROOMS_OF_ONE 64   /* shown of one user; more are not listed */
#define HOLD         5000 /* ms */

/* A room that somebody is in, or was when the connection broke off. */
struct place {
  char room[ROOM_SIZE];
  bool here;     /* a session is subscribed now */
  bool left;     /* since the last turn of the loop */
  sbk_msec held; /* until then it counts as here */
};

struct person {
  struct person *next;
  char name[NAME_SIZE];
  bool touched;
  sbk_msec held;    /* until then online */
  struct text told; /* what others know */
  size_t count;
  struct place places[ROOMS_OF_ONE];
};

struct presence {
  sbk_task task; /* first: the task is the presence */
  struct chat *chat;
  bool posted;
  struct person *people; /* those online, and some that were just now */
};

struct presence *presence_new(struct chat *chat) {
  struct presence *p = calloc(1, sizeof(*p));
  if (p != NULL) p->chat = chat;
  return p;
}

static void person_free(struct person *one) {
  text_free(&one->told);
  free(one);
}

void presence_free(struct presence *p) {
  if (p == NULL) return;
  while (p->people != NULL) {
    struct person *one = p->people;
    p->people = one->next;
    person_free(one);
  }
  free(p);
}

static struct person *find(struct presence *p, const char *user) {
  struct person *one = p->people;
  while (one != NULL && strcmp(one->name, user) != 0)
    one = one->next;
  return one;
}

static struct place *find_place(struct person *one, const char *room) {
  size_t i;
  for (i = 0; i < one->count; i++)
    if (strcmp(one->places[i].room, room) == 0) return &one->places[i];
  return NULL;
}

/* ---- one user ---- */

static int add_room(const char *id, const char *destination, void *arg) {
  struct person *one = arg;
  const char *room = destination + strlen(ROOM_TOPIC);
  struct place *place;
  if (strncmp(destination, ROOM_TOPIC, strlen(ROOM_TOPIC)) != 0) return 0;
  place = find_place(one, room);
  if (place == NULL && one->count < ROOMS_OF_ONE) {
    place = &one->places[one->count++];
    memset(place, 0, sizeof(*place));
    snprintf(place->room, sizeof(place->room), "%s", room);
  }
  if (place != NULL) place->here = true;
  return 0;
}

static int add_session(sbk_session *session, void *arg) {
  return sbk_each_subscription(session, add_room, arg);
}

/* Where somebody is now; false: gone. */
static bool refresh(struct presence *p, struct person *one) {
  sbk_msec now = clock_now();
  size_t i, kept = 0;
  for (i = 0; i < one->count; i++)
    one->places[i].here = one->places[i].left = false;
  sbk_each_session(p->chat->broker, one->name, add_session, one);
  for (i = 0; i < one->count; i++)
    if (one->places[i].here || one->places[i].held > now)
      one->places[kept++] = one->places[i];
  one->count = kept;
  return sbk_session_count(p->chat->broker, one->name) > 0 || one->held > now;
}

static void write_person(const struct person *one, bool online,
                         struct text *out) {
  size_t i;
  text_str(out, "{\"name\":");
  text_json(out, one->name, strlen(one->name));
  text_str(out, online ? ",\"online\":true" : ",\"online\":false");
  text_str(out, ",\"rooms\":[");
  for (i = 0; i < one->count; i++) {
    if (i > 0) text_str(out, ",");
    text_json(out, one->places[i].room, strlen(one->places[i].room));
  }
  text_str(out, "]}");
}

/* ---- changes ---- */

/* Others hear of it if it is new to them; false: gone. */
static bool tell_one(struct presence *p, struct person *one) {
  struct text out = {0};
  bool online = refresh(p, one);
  one->touched = false;
  write_person(one, online, &out);
  if (!out.failed &&
      (one->told.data == NULL || strcmp(out.data, one->told.data) != 0)) {
    sbk_send(p->chat->broker, "/topic/presence", JSON, out.data, out.len);
    text_free(&one->told);
    one->told = out;
  } else {
    text_free(&out);
  }
  return online;
}

/* Runs in a tick, where no session is half gone: `disconnected` and
 * `unsubscribed` have returned by then. */
static void tell(sbk_broker *broker, sbk_task *task) {
  struct presence *p = (struct presence *)task;
  struct person **at = &p->people, *one;
  p->posted = false;
  while ((one = *at) != NULL) {
    if (!one->touched || tell_one(p, one)) {
      at = &one->next;
    } else {
      *at = one->next;
      person_free(one);
    }
  }
}

static void touch(struct presence *p, struct person *one) {
  one->touched = true;
  if (p->posted) return;
  p->task.run = tell;
  sbk_post(p->chat->broker, &p->task);
  p->posted = true;
}

void presence_touch(struct presence *p, const char *user) {
  struct person *one = find(p, user);
  if (one == NULL) {
    one = calloc(1, sizeof(*one));
    if (one == NULL) return; /* the next change tells it */
    snprintf(one->name, sizeof(one->name), "%s", user);
    one->next = p->people;
    p->people = one;
  }
  touch(p, one);
}

void presence_left(struct presence *p, const char *user, const char *room) {
  struct person *one = find(p, user);
  struct place *place = one ? find_place(one, room) : NULL;
  if (place == NULL) return;
  place->left = true;
  place->held = 0;
}

void presence_hold(struct presence *p, const char *user) {
  struct person *one = find(p, user);
  sbk_msec until = clock_now() + HOLD;
  size_t i;
  if (one == NULL) return;
  one->held = until;
  for (i = 0; i < one->count; i++)
    if (one->places[i].left) one->places[i].held = until;
}

bool presence_held(struct presence *p, const char *user) {
  const struct person *one = find(p, user);
  return one != NULL && one->held > clock_now();
}

void presence_every(struct presence *p) {
  sbk_msec now = clock_now();
  struct person *one;
  size_t i;
  for (one = p->people; one != NULL; one = one->next) {
    bool due = one->held > 0 && one->held <= now;
    for (i = 0; i < one->count; i++)
      if (!one->places[i].here && one->places[i].held <= now) due = true;
    if (!due) continue;
    if (one->held <= now) one->held = 0;
    touch(p, one);
  }
}

/* ---- everybody ---- */

void presence_all(struct presence *p, struct text *out) {
  struct person *one;
  size_t count = 0;
  text_str(out, "{\"people\":[");
  for (one = p->people; one != NULL; one = one->next) {
    if (!refresh(p, one)) continue;
    if (count++ > 0) text_str(out, ",");
    write_person(one, true, out);
  }
  text_str(out, "]}");
}
