/* figures.c - what there is and was, for the line of --stats and /metrics. */
#include "figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker.h"
#include "page.h"

#define AT(member) offsetof(struct sbk_stats, member)
#define NOW(group, word, member, help)                                         \
  { group, word, #member, NULL, help, AT(member) }
#define SUM(group, word, member, name, help)                                   \
  { group, word, name "_total", NULL, help, AT(member) }
/* One of several with the same name. */
#define PART(group, word, member, name, label, help)                           \
  { group, word, name "_total", label, help, AT(member) }

#define ENDED(word, member, help)                                              \
  PART("ended", word, ended_##member, "ended", "reason=\"" #member "\"", help)
#define UNCONNECTED(word, member, help)                                        \
  PART("not connected", word, unconnected_##member, "unconnected",             \
       "reason=\"" #member "\"", help)
#define REFUSED(word, member, by, help)                                        \
  PART("refused", word, refused_##member, "refused", "by=\"" by "\"", help)
#define NO_ANSWER(word, member, help)                                          \
  PART("requests", word, requests_##member, "requests_refused",                \
       "cause=\"" #member "\"", help)
#define DROPPED(word, member, help)                                            \
  PART("dropped", word, dropped_##member, "dropped", "cause=\"" #member "\"",  \
       help)

/* Those of one group and those of one name stand together. */
const struct figure figures[] = {
    NOW("sessions", "current", sessions, "Connected sessions now."),
    NOW("sessions", "users", users, "Named users with a session."),
    SUM("sessions", "total", connects, "connects", "Sessions connected."),

    ENDED("clean", clean, "Connected sessions that ended, by reason."),
    ENDED("gone", eof, NULL),
    ENDED("protocol", protocol, NULL),
    ENDED("limit", limit, NULL),
    ENDED("slow", slow, NULL),
    ENDED("timeout", timeout, NULL),
    ENDED("denied", denied, NULL),
    ENDED("closed", closed, NULL),
    ENDED("no memory", no_memory, NULL),

    UNCONNECTED("gone", gone, "Streams that ended before CONNECTED."),
    UNCONNECTED("protocol", protocol, NULL),
    UNCONNECTED("limit", limit, NULL),
    UNCONNECTED("timeout", timeout, NULL),
    UNCONNECTED("denied", denied, NULL),

    NOW("connections", "current", connections, "Connections now."),
    NOW("connections", "pending", pending, "Those not CONNECTED yet."),
    SUM("connections", "accepted", accepted, "accepted",
        "Connections accepted."),
    SUM("connections", "turned away", turned_away, "turned_away",
        "Connections beyond max_connections or max_pending."),

    SUM("requests", "total", requests, "requests", "Whole HTTP requests."),
    NO_ANSWER("malformed", malformed, "HTTP requests refused, by cause."),
    NO_ANSWER("of other origins", origin, NULL),
    NO_ANSWER("denied", denied, NULL),
    NO_ANSWER("not found", not_found, NULL),
    NO_ANSWER("late", late, NULL),
    NO_ANSWER("for want of room", full, NULL),

    NOW("subscriptions", "current", subscriptions, "Active subscriptions."),
    NOW("subscriptions", "destinations", destinations,
        "Destinations subscribed to, or with a queue."),
    NOW("subscriptions", "patterns", patterns, "Patterns subscribed to."),

    SUM("messages", "frames in", frames_in, "frames",
        "Whole frames from clients."),
    SUM("messages", "published", published, "published",
        "Messages sent to a destination."),
    SUM("messages", "delivered", deliveries, "deliveries",
        "MESSAGEs queued for a session."),

    NOW("queues", "queued", queued, "Messages in queues, not handed out."),
    NOW("queues", "unacked", unacked, "Deliveries that wait for an ACK."),
    SUM("queues", "redelivered", redelivered, "redelivered",
        "Deliveries that were made again."),
    SUM("queues", "dead", dead_letters, "dead_letters",
        "Messages that nobody took."),

    NOW("topics", "in history", history, "Messages in histories."),
    NOW("topics", "bytes", history_bytes, "Bytes of these."),
    NOW("topics", "retained", retained, "Last values of topics."),
    NOW("topics", "bytes", retained_bytes, "Bytes of these."),
    SUM("topics", "replayed", replayed, "replayed",
        "Kept messages sent to later subscribers."),
    SUM("topics", "gaps", gaps, "gaps", "Subscribers told of a gap."),

    REFUSED("by protocol", protocol, "protocol",
            "Frames of clients refused, by whom."),
    REFUSED("by rules", rules, "rule", NULL),
    REFUSED("by interceptors", interceptors, "interceptor", NULL),
    REFUSED("by handlers", handlers, "handler", NULL),
    SUM("refused", "and spared", refused, "refused_spared",
        "Refused frames whose session lived on."),

    DROPPED("oldest", oldest, "Messages and frames dropped, by cause."),
    DROPPED("newest", newest, NULL),
    DROPPED("unroutable", unroutable, NULL),
    DROPPED("inbound", inbound, NULL),
    DROPPED("outbound", outbound, NULL),
    DROPPED("at an end", ended, NULL),

    NOW("sockjs", "sessions", sockjs_sessions, "Sessions over requests."),
    SUM("sockjs", "interrupted", sockjs_interrupted, "sockjs_interrupted",
        "Answers that were cut inside of a frame."),

    NOW("waiting", "bytes", waiting, "Bytes of memory that wait for peers."),
    NOW("waiting", "paused", paused, "Sessions not read: too much waits."),
    SUM("waiting", "alarms", alarms, "alarms", "Times that too much waited."),

    SUM("bytes", "in", bytes_in, "received_bytes", "Bytes from peers."),
    SUM("bytes", "out", bytes_out, "sent_bytes", "Bytes to peers."),
};

const size_t figure_count = sizeof(figures) / sizeof(figures[0]);

uint64_t figure_value(const struct sbk_stats *stats, const struct figure *f) {
  return *(const uint64_t *)(const void *)((const char *)stats + f->offset);
}

/* In the manner of Spring's WebSocketMessageBrokerStats. */
void figures_print(sbk_broker *broker) {
  struct sbk_stats stats = SBK_STATS_INIT;
  struct page p = {0};
  const char *group = NULL;
  size_t i;
  if (sbk_broker_stats(broker, &stats) != 0) return;
  for (i = 0; i < figure_count; i++) {
    const struct figure *f = &figures[i];
    bool same = group != NULL && strcmp(group, f->group) == 0;
    if (!same) page_add(&p, "%s%s[", group != NULL ? "], " : "", f->group);
    page_add(&p, "%s%" PRIu64 " %s", same ? ", " : "", figure_value(&stats, f),
             f->word);
    group = f->group;
  }
  if (!p.failed) fprintf(stderr, "%s]\n", p.text);
  page_free(&p);
}
