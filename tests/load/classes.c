#include "classes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define RECONNECTS 200

const char *const class_options[] = {"--request-timeout", "3000",
                                     "--connect-timeout", "3000", NULL};

static void say_connect(struct client *c) {
  client_say(c, "CONNECT\naccept-version:1.2\nhost:load\n\n");
}

static void nothing(struct client *c) {}

/* ---- of HTTP ---- */

static void drip(struct client *c) {
  static const char head[] = UPGRADE;
  if (c->count < sizeof(head) - 5) client_put(c, head + c->count++, 1);
}

static void bomb(struct client *c) {
  static const char head[] = UPGRADE;
  char line[32];
  int i;
  client_put(c, head, sizeof(head) - 3);
  for (i = 0; i < 1000; i++)
    client_put(c, line, (size_t)snprintf(line, sizeof(line), "X-%d: y\r\n", i));
  client_put(c, "\r\n", 2);
}

/* ---- of WebSocket ---- */

static void ping(struct client *c) {
  int i;
  for (i = 0; i < 50 && c->state == OPEN; i++)
    client_ws(c, WS_FIN | WS_PING, "hello", 5);
}

static void splinter(struct client *c) {
  static const char head[] = "SEND\ndestination:/topic/hostile\n\n";
  int i;
  say_connect(c);
  client_ws(c, WS_TEXT, head, sizeof(head) - 1);
  for (i = 0; i < 5000; i++)
    client_ws(c, WS_MORE, "x", 1);
}

static void mangle(struct client *c) {
  static const char text[] = "SEND\ndestination:/topic/hostile\n\n\xc3\x28";
  say_connect(c);
  client_ws(c, WS_FIN | WS_TEXT, text, sizeof(text));
}

/* ---- of STOMP ---- */

/* It asks for 6 MB of its own, and takes none for a while. */
static void gorge(struct client *c) {
  static char frame[60000];
  char topic[64];
  int i, len;
  snprintf(topic, sizeof(topic), "/topic/gorge/%zu", c->number);
  say_connect(c);
  client_say(c, "SUBSCRIBE\nid:0\ndestination:%s\n\n", topic);
  len = snprintf(frame, sizeof(frame), "SEND\ndestination:%s\n\n", topic);
  memset(frame + len, 'x', sizeof(frame) - (size_t)len - 1);
  for (i = 0; i < 100; i++)
    client_ws(c, WS_FIN | WS_TEXT, frame, sizeof(frame));
  c->since = now_ns();
  client_read(c, false);
}

static void digest(struct client *c) {
  if (c->state == OPEN && now_ns() - c->since > 2000000000u)
    client_read(c, true);
}

static void hoard(struct client *c) {
  int i;
  say_connect(c);
  for (i = 0; i < 1100; i++)
    client_say(c, "SUBSCRIBE\nid:%d\ndestination:/topic/hoard/%d\n\n", i, i);
}

/* As many as it may, where they cost most: beside what the healthy ones use. */
static void weave(struct client *c) {
  int i;
  say_connect(c);
  for (i = 0; i < 1000; i++)
    client_say(c, "SUBSCRIBE\nid:%d\ndestination:/topic/**/%zu/*/{x}/%d\n\n", i,
               c->number, i);
  c->since = now_ns();
}

static void tear(struct client *c) {
  if (c->state != OPEN || c->count > 0 || now_ns() - c->since < 2000000000u)
    return;
  c->count++;
  client_say(c, "SUBSCRIBE\nid:last\ndestination:/topic/*/*/*/*/*/*/*/*/*\n\n");
}

static void hurry(struct client *c) {
  c->since = now_ns();
  client_say(c, "CONNECT\naccept-version:1.2\nhost:load\nheart-beat:1,1\n\n");
}

/* One for each ms since it was asked the last time. */
static void beat(struct client *c) {
  uint64_t now = now_ns();
  for (; c->state == OPEN && c->since < now; c->since += 1000000)
    client_ws(c, WS_FIN | WS_TEXT, "\n", 1);
}

/* What the broker promises is no more often than its floor. */
static void hear_beat(struct client *c, const struct frame *f) {
  char beats[32];
  if (!frame_is(f, "CONNECTED")) return;
  frame_header(f, "heart-beat", beats, sizeof(beats));
  c->ready = strtoul(beats, NULL, 10) >= 1000;
  c->since = now_ns();
}

static void boast(struct client *c) {
  say_connect(c);
  client_say(c, "SEND\ndestination:/topic/hostile\n"
                "content-length:4294967295\n\nhello");
}

/* ---- the storm ---- */

static const struct role storm;

static void come_again(struct client *c) {
  client_leave(c, c->count % 2 ? WITH_FIN : WITH_RST);
  if (++c->count < RECONNECTS) client_connect(c, &storm);
  else c->ready = true;
}

static const struct role storm = {.opened = come_again};

#define ROLE(function)                                                         \
  { .opened = function }
#define TOO_MANY_CONTROLS "too many control frames or line ends"

const struct class classes[] = {
    {"slowloris", {.bare = true, .opened = drip}, drip, 408, 0, NULL},
    {"header bomb", {.bare = true, .opened = bomb}, nothing, 431, 0, NULL},
    {"ping flood", ROLE(say_connect), ping, 101, 1008, TOO_MANY_CONTROLS},
    {"tiny fragments", ROLE(splinter), nothing, 101, 1008,
     "too many fragments"},
    {"unread output",
     {.narrow = true, .opened = gorge},
     digest,
     101,
     1008,
     "too slow, over max_queue"},
    {"bad UTF-8", ROLE(mangle), nothing, 101, 1007, "text is not UTF-8"},
    {"subscribe flood", ROLE(hoard), nothing, 101, 1008,
     "more subscriptions than max_subscriptions"},
    {"pattern flood", ROLE(weave), tear, 101, 1008,
     "pattern over max_wildcards"},
    {"reconnect storm", ROLE(come_again), nothing, 0, 0, NULL},
    {"1 ms heart-beat",
     {.opened = hurry, .heard = hear_beat},
     beat,
     101,
     1008,
     TOO_MANY_CONTROLS},
    {"big content-length", ROLE(boast), nothing, 101, 1009,
     "frame over max_message"},
    {"pre-auth idle", ROLE(nothing), nothing, 101, 1008,
     "not connected within connect_timeout"},
};
const size_t class_count = sizeof(classes) / sizeof(classes[0]);

bool class_ended_so(const struct class *class, const struct client *c) {
  if (c->state != NOWHERE) return false;
  if (class->status == 0) return c->ready; /* it has had enough */
  if (class->role.heard == hear_beat && !c->ready) return false;
  return c->status == class->status && c->close == class->close &&
         (class->reason == NULL || strcmp(c->reason, class->reason) == 0);
}
