/* figures.c - what there is and was: for people, and for Prometheus. */
#include "figures.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "broker.h"

/* ---- for people ---- */

/* Endings that are nobody's wish. */
static uint64_t abnormal(const struct sbk_stats *s) {
  return s->ended_eof + s->ended_protocol + s->ended_limit + s->ended_slow +
         s->ended_timeout + s->ended_denied + s->ended_no_memory;
}

/* In the manner of Spring's WebSocketMessageBrokerStats. */
void figures_print(sbk_broker *broker) {
  struct sbk_stats s = SBK_STATS_INIT;
  if (sbk_broker_stats(broker, &s) != 0) return;
  fprintf(stderr,
          "sessions[%" PRIu64 " current, %" PRIu64 " users, %" PRIu64
          " total, %" PRIu64 " closed abnormally (%" PRIu64 " eof, %" PRIu64
          " protocol, %" PRIu64 " limit, %" PRIu64 " slow, %" PRIu64
          " timeout)], connections[%" PRIu64 " current, %" PRIu64
          " pending, %" PRIu64 " accepted, %" PRIu64
          " requests], subscriptions[%" PRIu64 " at %" PRIu64
          " destinations, %" PRIu64 " patterns], messages[%" PRIu64
          " frames in, %" PRIu64 " published, %" PRIu64 " delivered, %" PRIu64
          " queued, %" PRIu64 " unacked, %" PRIu64 " dead], bytes[%" PRIu64
          " in, %" PRIu64 " out]\n",
          s.sessions, s.users, s.connects, abnormal(&s), s.ended_eof,
          s.ended_protocol, s.ended_limit, s.ended_slow, s.ended_timeout,
          s.connections, s.pending, s.accepted, s.requests, s.subscriptions,
          s.destinations, s.patterns, s.frames_in, s.published, s.deliveries,
          s.queued, s.unacked, s.dead_letters, s.bytes_in, s.bytes_out);
}

/* ---- for Prometheus: its text format, 0.0.4 ---- */

struct metric {
  const char *name, *type, *help;
  size_t offset;
};

#define GAUGE(member, help)                                                    \
  { #member, "gauge", help, offsetof(struct sbk_stats, member) }
#define COUNTER(name, member, help)                                            \
  { name "_total", "counter", help, offsetof(struct sbk_stats, member) }

static const struct metric metrics[] = {
    GAUGE(connections, "Connections now."),
    GAUGE(pending, "Connections that are not CONNECTED yet."),
    GAUGE(sessions, "Connected sessions now."),
    GAUGE(users, "Named users with a session."),
    GAUGE(subscriptions, "Active subscriptions."),
    GAUGE(destinations, "Destinations subscribed to, or with a queue."),
    GAUGE(patterns, "Patterns subscribed to."),
    GAUGE(queued, "Messages in queues, not handed out."),
    GAUGE(unacked, "Deliveries that wait for an ACK."),
    COUNTER("accepted", accepted, "Connections accepted."),
    COUNTER("connects", connects, "Sessions connected."),
    COUNTER("received_bytes", bytes_in, "Bytes from peers."),
    COUNTER("sent_bytes", bytes_out, "Bytes to peers."),
    COUNTER("frames", frames_in, "Whole frames from clients."),
    COUNTER("published", published, "Messages sent to a destination."),
    COUNTER("deliveries", deliveries, "MESSAGEs queued for a session."),
    COUNTER("redelivered", redelivered, "Deliveries that were made again."),
    COUNTER("dead_letters", dead_letters, "Messages that nobody took."),
    COUNTER("requests", requests, "Whole HTTP requests."),
    GAUGE(waiting, "Bytes of memory that wait for peers."),
    GAUGE(paused, "Sessions not read, since too much waits."),
    COUNTER("alarms", alarms, "Times that too much waited."),
    COUNTER("dropped_oldest", dropped_oldest, "Messages dropped for newer."),
    COUNTER("dropped_newest", dropped_newest, "Messages dropped for older."),
    COUNTER("dropped_unroutable", dropped_unroutable,
            "SENDs dropped that led nowhere."),
    COUNTER("refused", refused, "Frames refused, their sessions spared."),
};

/* The label `reason` of one metric. */
static const struct metric endings[] = {
    {"clean", NULL, NULL, offsetof(struct sbk_stats, ended_clean)},
    {"eof", NULL, NULL, offsetof(struct sbk_stats, ended_eof)},
    {"protocol", NULL, NULL, offsetof(struct sbk_stats, ended_protocol)},
    {"limit", NULL, NULL, offsetof(struct sbk_stats, ended_limit)},
    {"slow", NULL, NULL, offsetof(struct sbk_stats, ended_slow)},
    {"timeout", NULL, NULL, offsetof(struct sbk_stats, ended_timeout)},
    {"denied", NULL, NULL, offsetof(struct sbk_stats, ended_denied)},
    {"closed", NULL, NULL, offsetof(struct sbk_stats, ended_closed)},
    {"no_memory", NULL, NULL, offsetof(struct sbk_stats, ended_no_memory)},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct page {
  char text[8192];
  size_t len;
};

static void add(struct page *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct page *p, const char *fmt, ...) {
  size_t left = sizeof(p->text) - p->len;
  va_list args;
  int n;
  va_start(args, fmt);
  n = vsnprintf(p->text + p->len, left, fmt, args);
  va_end(args);
  if (n > 0) p->len += (size_t)n < left ? (size_t)n : left - 1;
}

static void head(struct page *p, const char *name, const char *type,
                 const char *help) {
  add(p, "# HELP stompbroker_%s %s\n# TYPE stompbroker_%s %s\n", name, help,
      name, type);
}

static uint64_t value_of(const struct sbk_stats *s, const struct metric *m) {
  return *(const uint64_t *)(const void *)((const char *)s + m->offset);
}

static void write_metrics(struct page *p, sbk_broker *broker) {
  struct sbk_stats s = SBK_STATS_INIT;
  size_t i;
  sbk_broker_stats(broker, &s);
  head(p, "info", "gauge", "The library's version.");
  add(p, "stompbroker_info{version=\"%s\"} 1\n", SBK_VERSION);
  for (i = 0; i < COUNT(metrics); i++) {
    head(p, metrics[i].name, metrics[i].type, metrics[i].help);
    add(p, "stompbroker_%s %" PRIu64 "\n", metrics[i].name,
        value_of(&s, &metrics[i]));
  }
  head(p, "ended_total", "counter", "Sessions that ended, by reason.");
  for (i = 0; i < COUNT(endings); i++)
    add(p, "stompbroker_ended_total{reason=\"%s\"} %" PRIu64 "\n",
        endings[i].name, value_of(&s, &endings[i]));
}

static void answer(sbk_request *request, int status, const char *type,
                   const char *text, size_t len) {
  const struct sbk_field fields[] = {
      {"Content-Type", type},
      {"Cache-Control", "no-store"},
      {"X-Content-Type-Options", "nosniff"},
      {status == 405 ? "Allow" : NULL, "GET, HEAD"},
      {NULL, NULL}};
  int rv = sbk_request_answer(request, status, fields, text, len);
  if (rv != 0) complain("answer: %s", sbk_strerror(rv));
}

void figures_request(sbk_request *request, void *arg) {
  static const char plain[] = "text/plain; charset=utf-8";
  static const char hello[] = "stompbroker " SBK_VERSION ": STOMP over "
                              "WebSocket here; figures at /metrics\n";
  const char *method = sbk_request_method(request);
  const char *path = sbk_request_path(request);
  struct page p = {.len = 0};
  if (strcmp(path, "/metrics") != 0 && strcmp(path, "/") != 0) {
    answer(request, 404, plain, "Not found\n", 10);
  } else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
    answer(request, 405, plain, "GET only\n", 9);
  } else if (path[1] == '\0') {
    answer(request, 200, plain, hello, sizeof(hello) - 1);
  } else {
    write_metrics(&p, sbk_request_broker(request));
    answer(request, 200, "text/plain; version=0.0.4; charset=utf-8", p.text,
           p.len);
  }
}
