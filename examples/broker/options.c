/* options.c - reads the command line, by the table. */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "values.h"

void list_add(struct list *l, const char *item) {
  const char **items = realloc(l->items, (l->count + 2) * sizeof(*items));
  if (items == NULL) {
    complain("no memory");
    exit(1);
  }
  items[l->count++] = item;
  items[l->count] = NULL;
  l->items = items;
}

/* Is arg, len bytes behind the "--", that option? */
static bool is_name(const char *name, const char *arg, size_t len) {
  size_t i;
  for (i = 0; i < len && name[i] != '\0'; i++)
    if (arg[i] != (name[i] == '_' ? '-' : name[i])) return false;
  return i == len && name[i] == '\0';
}

static const struct row *find(const char *arg, size_t len) {
  size_t i;
  for (i = 0; i < option_count; i++)
    if (option_rows[i].kind != TITLE && is_name(option_rows[i].name, arg, len))
      return &option_rows[i];
  return NULL;
}

static bool take_number(void *place, const struct row *row, const char *value) {
  uint64_t n;
  if (!number_read(&n, row->kind, value)) return false;
  if (row->kind == NEVER && n == 0) n = SBK_NEVER;
  else if (n < row->least || n > row->most) return false;
  if (row->kind == BYTES || row->kind == COUNT) *(size_t *)place = (size_t)n;
  else *(sbk_msec *)place = n;
  return true;
}

static bool take(struct options *o, const struct row *row, const char *value) {
  void *place = (char *)o + row->offset;
  switch (row->kind) {
  case FLAG:
    *(char *)place = 1;
    return true;
  case TRUTH:
    *(int *)place = 1;
    return true;
  case TEXT:
    *(const char **)place = value;
    return true;
  case LIST:
    list_add(place, value);
    return true;
  case OTHER:
    return row->take(o, value);
  default:
    return take_number(place, row, value);
  }
}

static void refuse(const struct row *row, const char *name, int len,
                   const char *value) {
  char least[24], most[24];
  if (row->most == 0)
    complain("--%.*s %s: should be %.*s", len, name, value,
             (int)strcspn(row->value, " "), row->value);
  else
    complain("--%.*s %s: should be %s to %s%s", len, name, value,
             number_text(least, row->kind, row->least),
             number_text(most, row->kind, row->most),
             row->kind == NEVER ? ", or never" : "");
}

/* One option at argv[*i], and its value if that stands behind it. */
static bool read_one(struct options *o, int argc, char **argv, int *i) {
  const char *arg = argv[*i] + 2, *value = strchr(arg, '=');
  size_t len = value != NULL ? (size_t)(value - arg) : strlen(arg);
  const struct row *row = NULL;
  if (strncmp(argv[*i], "--", 2) == 0) row = find(arg, len);
  if (row == NULL) {
    complain("unknown option %s (--help lists all)", argv[*i]);
    return false;
  }
  if (value != NULL) value++;
  else if (row->value != NULL && *i + 1 < argc) value = argv[++*i];
  if ((value == NULL) != (row->value == NULL)) {
    complain("--%.*s %s", (int)len, arg,
             value == NULL ? "wants a value" : "takes no value");
    return false;
  }
  if (take(o, row, value)) return true;
  refuse(row, arg, (int)len, value);
  return false;
}

bool options_read(struct options *o, int argc, char **argv) {
  const struct sbk_config config = SBK_CONFIG_INIT;
  const struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  int i;
  memset(o, 0, sizeof(*o));
  o->config = config;
  o->sockjs = sockjs;
  o->drain = 10000;
  o->log = SBK_LOG_WARN;
  for (i = 1; i < argc; i++)
    if (!read_one(o, argc, argv, &i)) return false;
  if (!o->with_sockjs && memcmp(&o->sockjs, &sockjs, sizeof(sockjs)) != 0) {
    complain("--sockjs-... without --sockjs");
    return false;
  }
  if (o->listeners.count == 0) take_ws(o, "127.0.0.1:15674/ws");
  o->config.app_prefixes = o->app_prefixes.items;
  o->config.broker_prefixes = o->broker_prefixes.items;
  o->config.queue_prefixes = o->queue_prefixes.items;
  o->config.private_headers = o->private_headers.items;
  if (o->config.max_pending >
      (o->config.max_connections ? o->config.max_connections : 10000)) {
    complain("--max-pending is more than --max-connections");
    return false;
  }
  return true;
}

void options_free(struct options *o) {
  free(o->listeners.items);
  free(o->users.items);
  free(o->origins.items);
  free(o->app_prefixes.items);
  free(o->broker_prefixes.items);
  free(o->queue_prefixes.items);
  free(o->private_headers.items);
  free(o->grants.items);
  topics_free(&o->topics);
}
