#include "bad.h"

#include <stdarg.h>
#include <stdlib.h>

#include "../unit/failing_mem.h"
#include "hear.h"

#define BUDGET 8192
/* Bytes that are said to one who has said goodbye: who goes on for 64 KiB is
 * not listened to any more. */
#define BEHIND_FAULT 4096
#define NAMES        8192

static struct host {
  struct failing_mem mem;
  struct bad_setup setup;
  sbk_broker *broker;
  sbk_msec now;
  sbk_conn *neighbour;
  size_t connected; /* besides the neighbour */
  size_t disconnected;
  int reason;
} host;

static struct hear hear, neighbour_hear;
static char complaint[4096];
static size_t lines, failed;
static uint64_t names[NAMES];

/* ---- lines of TAP ---- */

/* Two vectors of one name are one too many. */
static void note_name(const char *name) {
  uint64_t hash = UINT64_C(14695981039346656037);
  const char *p;
  size_t at;

  for (p = name; *p != '\0'; p++) {
    hash = (hash ^ (uint8_t)*p) * UINT64_C(1099511628211);
  }
  for (at = hash % NAMES; names[at] != 0; at = (at + 1) % NAMES) {
    if (names[at] == hash) {
      printf("Bail out! two are called: %s\n", name);
      exit(1);
    }
  }
  names[at] = hash;
  if (lines == NAMES / 2) {
    printf("Bail out! too many names\n");
    exit(1);
  }
}

/* One line, and nothing that is no text. */
static const char *shown(char dst[1200], const char *text) {
  size_t len = 0;

  for (; *text != '\0' && len < 1190; text++) {
    const uint8_t c = (uint8_t)*text;

    len += (size_t)snprintf(dst + len, 8,
                            c == '\n'               ? "\\n"
                            : c == '\r'             ? "\\r"
                            : c < 0x20 || c >= 0x7f ? "\\x%02x"
                                                    : "%c",
                            c);
  }
  snprintf(dst + len, 8, *text != '\0' ? "..." : "");

  return dst;
}

void bad_line(const char *name, const char *text) {
  char name_shown[1200];

  note_name(name);
  lines++;
  failed += *text != '\0';
  printf("%sok %zu - %s\n", *text != '\0' ? "not " : "", lines,
         shown(name_shown, name));
  while (*text != '\0') {
    size_t len = strcspn(text, "\n");

    printf("# %.*s\n", (int)len, text);
    text += len + (text[len] == '\n');
  }
}

/* The first complaint of a vector counts. */
static void complain(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
static void complain(const char *format, ...) {
  va_list args;

  if (complaint[0] == '\0') {
    va_start(args, format);
    vsnprintf(complaint, sizeof(complaint), format, args);
    va_end(args);
  }
}

static void expect_text(const char *what, const char *is, const char *want) {
  char is_shown[1200], want_shown[1200];

  if (strcmp(is, want) != 0) {
    complain("%s\n  expected: %s\n  came:     %s", what,
             shown(want_shown, want), shown(is_shown, is));
  }
}

static void expect_number(const char *what, long long is, long long want) {
  if (is != want) {
    complain("%s: expected %lld, came %lld", what, want, is);
  }
}

static void must(bool condition, const char *what) {
  if (!condition) {
    printf("Bail out! %s\n", what);
    exit(1);
  }
}

/* ---- the host ---- */

static void on_connected(sbk_session *session, void *arg) {
  (void)session;
  (void)arg;
  host.connected++;
}

static void on_disconnected(sbk_session *session, int reason, void *arg) {
  (void)session;
  (void)arg;
  host.disconnected++;
  host.reason = reason;
}

static void settle(void) {
  sbk_broker_tick(host.broker, host.now);
  while (sbk_broker_next_ready(host.broker) != NULL) {
  }
}

static void pass_time(sbk_msec span) {
  host.now += span;
  settle();
}

void bad_init(struct bad_setup *setup) {
  static const char *const prefixes[] = {"/topic", "/queue", "/quiet", NULL};
  static const char *const queues[] = {"/jobs", NULL};
  const struct bad_setup fresh = {SBK_CONFIG_INIT, SBK_CALLBACKS_INIT, NULL};

  *setup = fresh;
  setup->config.broker_prefixes = prefixes;
  setup->config.queue_prefixes = queues;
  setup->callbacks.connected = on_connected;
  setup->callbacks.disconnected = on_disconnected;
}

static int say(sbk_conn *conn, const void *data, size_t len) {
  return sbk_conn_feed(conn, host.now, data, len);
}

static size_t with_nul(char *dst, const char *text) {
  size_t i, len = strlen(text);

  for (i = 0; i <= len; i++) {
    dst[i] = text[i];
    if (text[i] == '^') {
      dst[i] = '\0';
    }
  }

  return len;
}

static int say_text(sbk_conn *conn, const char *text) {
  char bytes[4096];

  must(strlen(text) < sizeof(bytes), "a text in front is too long");

  return say(conn, bytes, with_nul(bytes, text));
}

static void open_neighbour(void) {
  static const char hello[] = "CONNECT\naccept-version:1.2\n\n^"
                              "SUBSCRIBE\nid:n\ndestination:/topic/**\n\n^"
                              "SUBSCRIBE\nid:q\ndestination:/queue/**\n\n^";

  must(sbk_conn_new(&host.neighbour, host.broker, SBK_TCP, "neighbour", NULL) ==
               0 &&
           say_text(host.neighbour, hello) == 0,
       "the neighbour does not come in");
  hear_begin(&neighbour_hear, false);
  must(strstr(hear_all(&neighbour_hear, host.neighbour), "CONNECTED") != NULL,
       "the neighbour is not connected");
}

static void warm_up(void);

static void close_host(void) {
  sbk_broker_free(host.broker);
  host.broker = NULL;
  must(host.mem.blocks == 0, "memory is left when the broker is gone");
}

void bad_open(const struct bad_setup *setup) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;
  struct bad_setup copy = *setup;

  if (host.broker != NULL) {
    close_host();
  }
  memset(&host, 0, sizeof(host));
  host.setup = copy;
  host.now = 1000;
  failing_mem_init(&host.mem);
  copy.config.mem = &host.mem.mem;
  must(sbk_broker_new(&host.broker, &copy.callbacks, &copy.config, NULL) == 0,
       "no broker");
  endpoint.path = "/ws";
  if (copy.add != NULL) {
    copy.add(host.broker);
  } else {
    must(sbk_broker_add_endpoint(host.broker, &endpoint) == 0, "no endpoint");
  }
  open_neighbour();
  settle();
  warm_up();
}

sbk_broker *bad_broker(void) {
  return host.broker;
}

size_t bad_memory(void) {
  return host.mem.bytes;
}

sbk_msec bad_now(void) {
  return host.now;
}

int bad_done(void) {
  if (host.broker != NULL) {
    close_host();
  }
  printf("1..%zu\n", lines);

  return failed > 0;
}

/* ---- one way of playing ---- */

enum how { WHOLE, BEHIND, BYTES };

static const char *const how_names[] = {"whole", "with more behind it",
                                        "a byte at a time"};

static const char *const way_names[] = {"HTTP", "WebSocket", "TCP"};

/* Something good that must not be heard any more. */
static const char evil[] = "SEND\ndestination:/topic/evil\n\nevil^";
static const char upgrade[] =
    "GET /ws HTTP/1.1\r\nHost: h.example\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/* A text as a WebSocket message, masked with a key of zeros. */
static size_t as_message(uint8_t *dst, const char *text) {
  const size_t len = strlen(text), head = len < 126 ? 6 : 8;

  memset(dst, 0, head);
  dst[0] = 0x81;
  dst[1] = (uint8_t)(0x80 | (len < 126 ? len : 126));
  if (len >= 126) {
    dst[2] = (uint8_t)(len >> 8);
    dst[3] = (uint8_t)len;
  }
  with_nul((char *)dst + head, text);

  return head + len;
}

static size_t put_behind(uint8_t *dst, enum bad_way way) {
  switch (way) {
  case BAD_HTTP:
    return with_nul((char *)dst, upgrade);
  case BAD_WS:
    return as_message(dst, evil);
  default:
    return with_nul((char *)dst, evil);
  }
}

/* Up to where the vector begins; how many bytes that were. */
static size_t begin(sbk_conn **conn, const struct bad_vector *v) {
  static uint8_t bytes[4200];
  size_t len, sum = 0;

  must(sbk_conn_new(conn, host.broker, v->way == BAD_TCP ? SBK_TCP : SBK_HTTP,
                    "peer", NULL) == 0,
       "no connection");
  say(*conn, "", 0); /* its time begins */
  hear_begin(&hear, false);
  if (v->way == BAD_WS) {
    must(say_text(*conn, upgrade) == 0, "no WebSocket");
    sum = strlen(upgrade);
    hear_all(&hear, *conn);
    hear_begin(&hear, true);
  }
  if (v->before != NULL) {
    must(strlen(v->before) < 4096, "a text in front is too long");
    len = v->way == BAD_WS ? as_message(bytes, v->before)
                           : with_nul((char *)bytes, v->before);
    must(say(*conn, bytes, len) == 0, "what stands in front is refused");
    sum += len;
    hear_all(&hear, *conn);
    hear_begin(&hear, v->way == BAD_WS);
  }

  return sum;
}

static int feed(sbk_conn *conn, const struct bad_vector *v, enum how how,
                size_t *sum) {
  size_t i, behind_fault = 0;
  uint8_t behind[512];
  int rv = 0;

  if (how == BYTES) {
    for (i = 0; i < v->len && behind_fault < BEHIND_FAULT; i++) {
      rv = say(conn, (const uint8_t *)v->bytes + i, 1);
      behind_fault += rv < 0;
    }
  } else {
    rv = say(conn, v->bytes, v->len);
  }
  *sum += v->len;
  if (v->wait > 0) {
    pass_time(v->wait);
    rv = say(conn, "", 0);
  }
  if (how == BEHIND) {
    i = put_behind(behind, v->way);
    rv = say(conn, behind, i);
    *sum += i;
  }

  return rv;
}

/* All is said. The peer ends it, as it should or just so, or time does. */
static void end(sbk_conn *conn, enum bad_end as, enum how how) {
  static const uint8_t goodbye[] = {0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8};

  expect_number("wants", sbk_conn_wants(conn),
                as == ENDS      ? 0
                : as == HOLDS   ? SBK_WANT_HOLD
                : as == LINGERS ? SBK_WANT_READ | SBK_WANT_SHUTDOWN
                                : SBK_WANT_READ);
  if (as != LINGERS && as != CLOSES) {
    return;
  }
  if (how == BYTES) {
    pass_time(5000); /* close_timeout; who speaks no WebSocket has less */
  } else if (how == WHOLE && as == CLOSES) {
    say(conn, goodbye, sizeof(goodbye));
  } else {
    sbk_conn_eof(conn, 0);
  }
  expect_number("wants, in the end", sbk_conn_wants(conn), 0);
}

const char *bad_neighbour(void) {
  static const char message[] =
      "MESSAGE\nsubscription:n\ndestination:/topic/good\nmessage-id:{n}\n"
      "content-type:text/plain\ncontent-length:5\n\nhello^";

  hear_begin(&neighbour_hear, false);
  if (*hear_all(&neighbour_hear, host.neighbour) != '\0') {
    return "the neighbour heard of it";
  }
  if (sbk_send(host.broker, "/topic/good", "text/plain", "hello", 5) != 1) {
    return "the neighbour's message goes nowhere, or to others too";
  }
  hear_begin(&neighbour_hear, false);
  if (strcmp(hear_all(&neighbour_hear, host.neighbour), message) != 0) {
    return "the neighbour does not get its next message once";
  }

  return sbk_conn_wants(host.neighbour) == SBK_WANT_READ
             ? ""
             : "the neighbour wants something";
}

/* `disconnected` is told once to whom `connected` was, and why. */
static void check_told(const struct bad_vector *v) {
  const bool lives = v->end == GOES_ON || v->end == HOLDS;

  expect_number("disconnected", (long long)host.disconnected,
                (long long)host.connected);
  if (host.connected > 0) {
    expect_number("disconnected, why", host.reason,
                  lives ? SBK_ERR_EOF : v->reason);
  }
}

static void check_others(void) {
  settle();
  expect_text("neighbour", bad_neighbour(), "");
  settle();
  expect_number("connections", (long long)sbk_broker_conn_count(host.broker),
                1);
}

static void play_once(const struct bad_vector *v, enum how how) {
  const size_t bytes = host.mem.bytes;
  sbk_conn *conn;
  size_t sum, peak;
  int rv;

  host.connected = host.disconnected = 0;
  host.mem.peak = bytes;
  sum = begin(&conn, v);
  rv = feed(conn, v, how, &sum);
  expect_text("output", hear_all(&hear, conn), v->out);
  expect_number("sbk_conn_feed()", rv, v->reason);
  peak = host.mem.peak - bytes;
  if (peak > 4 * sum + BUDGET + v->more) {
    complain("%zu bytes of memory for %zu received", peak, sum);
  }
  end(conn, v->end, how);
  sbk_conn_free(conn);
  check_told(v);
  if (v->tidy != NULL) {
    v->tidy();
  }
  check_others();
}

/* Memory is what it was. What the library keeps for the next one (a context, a
 * ring) it keeps once: played again, the vector leaves as much as it found. */
static void play(const struct bad_vector *v, enum how how) {
  size_t bytes = host.mem.bytes, blocks = host.mem.blocks;

  play_once(v, how);
  if (host.mem.bytes != bytes || host.mem.blocks != blocks) {
    bytes = host.mem.bytes;
    blocks = host.mem.blocks;
    play_once(v, how);
  }
  expect_number("bytes of memory afterwards", (long long)host.mem.bytes,
                (long long)bytes);
  expect_number("blocks of memory afterwards", (long long)host.mem.blocks,
                (long long)blocks);
}

/* What is kept for the next ones is there from now on. */
static void warm_up(void) {
  struct bad_vector v = {.way = BAD_WS,
                         .before = "CONNECT\naccept-version:1.2\n\n^",
                         .bytes = evil,
                         .len = 0,
                         .out = ""};
  sbk_conn *conn;

  for (v.way = BAD_WS; v.way <= BAD_TCP; v.way++) {
    begin(&conn, &v);
    sbk_conn_free(conn);
  }
  settle();
  must(*bad_neighbour() == '\0', "the neighbour is not well from the first");
}

const char *bad_try(const struct bad_vector *v) {
  const struct bad_setup setup = host.setup;

  complaint[0] = '\0';
  play(v, WHOLE);
  if (complaint[0] != '\0') {
    bad_open(&setup);
  }

  return complaint;
}

/* In all ways, up to the first complaint, which text becomes then. */
static void play_ways(const struct bad_vector *v, char *text, size_t size) {
  const bool dies = v->end >= LINGERS;
  enum how how;

  complaint[0] = '\0';
  for (how = WHOLE; how <= BYTES && complaint[0] == '\0'; how++) {
    if (how != BEHIND || dies) {
      play(v, how);
    }
  }
  if (complaint[0] != '\0') {
    snprintf(text, size, "%s, %s: %s", way_names[v->way], how_names[how - 1],
             complaint);
  }
}

void bad_play_all(const struct bad_vector *vectors, size_t count) {
  const struct bad_setup setup = host.setup;
  char text[sizeof(complaint) + 100] = "";
  size_t i;

  for (i = 0; i < count && text[0] == '\0'; i++) {
    play_ways(&vectors[i], text, sizeof(text));
  }
  if (text[0] != '\0') {
    bad_open(&setup); /* whatever it has left behind */
  }
  bad_line(vectors->name, text);
}

void bad_play(const struct bad_vector *v) {
  bad_play_all(v, 1);
}
