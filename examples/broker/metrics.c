/* metrics.c - figures over HTTP: Prometheus' text format, 0.0.4. */
#include "metrics.h"

#include <inttypes.h>
#include <string.h>

#include "broker.h"
#include "busiest.h"
#include "figures.h"
#include "page.h"

static void head(struct page *p, const char *name, const char *help) {
  size_t len = strlen(name);
  bool counter = len > 6 && strcmp(name + len - 6, "_total") == 0;
  page_add(p, "# HELP stompbroker_%s %s\n# TYPE stompbroker_%s %s\n", name,
           help, name, counter ? "counter" : "gauge");
}

static void write_metrics(struct page *p, sbk_broker *broker) {
  struct sbk_stats stats = SBK_STATS_INIT;
  unsigned v = sbk_version();
  size_t i;
  if (sbk_broker_stats(broker, &stats) != 0) return;
  head(p, "info", "The library's version.");
  page_add(p, "stompbroker_info{version=\"%u.%u.%u\"} 1\n", v >> 16,
           v >> 8 & 0xff, v & 0xff);
  for (i = 0; i < figure_count; i++) {
    const struct figure *f = &figures[i];
    if (f->help != NULL) head(p, f->name, f->help);
    page_add(p, "stompbroker_%s%s%s%s %" PRIu64 "\n", f->name,
             f->label != NULL ? "{" : "", f->label != NULL ? f->label : "",
             f->label != NULL ? "}" : "", figure_value(&stats, f));
  }
}

#define OF(name, member, help)                                                 \
  { "destination_" name, help, offsetof(struct sbk_destination, member) }

static void write_destinations(struct page *p, sbk_broker *broker) {
  static const struct {
    const char *name, *help;
    size_t offset;
  } all[] = {
      OF("subscriptions", subscriptions, "Subscriptions to it."),
      OF("published_total", published, "Messages sent to it."),
      OF("deliveries_total", deliveries, "MESSAGEs for its subscriptions."),
      OF("queued", queued, "Messages in its queue."),
      OF("unacked", unacked, "Messages of it that wait for an ACK."),
      OF("history", history, "Messages in its history."),
      OF("retained", retained, "1: it has a last value."),
  };
  struct busiest *b = busiest_new(broker);
  size_t i, k;
  p->failed = b == NULL || b->failed;
  for (i = 0; !p->failed && i < sizeof(all) / sizeof(all[0]); i++) {
    head(p, all[i].name, all[i].help);
    for (k = 0; k < b->count; k++) {
      const struct sbk_destination *d = &b->items[k];
      page_add(p, "stompbroker_%s{%s=\"", all[i].name,
               d->pattern ? "pattern" : "destination");
      page_add_label(p, d->name);
      page_add(
          p, "\"} %" PRIu64 "\n",
          *(const uint64_t *)(const void *)((const char *)d + all[i].offset));
    }
  }
  if (!p->failed) {
    head(p, "destinations_left_out", "Others, that do less.");
    page_add(p, "stompbroker_destinations_left_out %zu\n", b->left_out);
  }
  busiest_free(b);
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

static const char plain[] = "text/plain; charset=utf-8";

static void answer_with(sbk_request *request,
                        void (*write)(struct page *p, sbk_broker *broker)) {
  struct page p = {0};
  write(&p, sbk_request_broker(request));
  if (p.failed) answer(request, 503, plain, "Out of memory\n", 14);
  else
    answer(request, 200, "text/plain; version=0.0.4; charset=utf-8", p.text,
           p.len);
  page_free(&p);
}

void metrics_request(sbk_request *request, void *arg) {
  static const char hello[] =
      "stompbroker " SBK_VERSION ": STOMP over WebSocket here; figures at "
      "/metrics and /destinations\n";
  const char *method = sbk_request_method(request);
  const char *path = sbk_request_path(request);
  bool all = strcmp(path, "/metrics") == 0;
  bool each = strcmp(path, "/destinations") == 0;
  if (!all && !each && strcmp(path, "/") != 0)
    answer(request, 404, plain, "Not found\n", 10);
  else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
    answer(request, 405, plain, "GET only\n", 9);
  else if (all) answer_with(request, write_metrics);
  else if (each) answer_with(request, write_destinations);
  else answer(request, 200, plain, hello, sizeof(hello) - 1);
}
