#include "bad.h"

#include <stdlib.h>

/*
 * LIMITS, what of it bounds requests, frames of WebSocket and time: one below
 * each limit, at it, and one above; with the default, with less and with more.
 * A limit of time is reached at its very millisecond.
 */

#define LARGEST ((size_t)700000)

/* What is put together for one number. */
struct made {
  struct bad_vector v;
  size_t len;
  uint8_t bytes[LARGEST];
  char out[4096];
};

/* What is tried, and for which numbers. */
struct row {
  const char *name; /* of the member, and more behind a comma */
  size_t offset;
  size_t values[3]; /* the first is the default */
  void (*widen)(struct bad_setup *setup, size_t value);
  void (*make)(struct made *m, size_t limit, size_t size);
};

static void put(struct made *m, const void *data, size_t len) {
  if (m->len + len > LARGEST) {
    printf("Bail out! more than any vector has\n");
    exit(1);
  }
  memcpy(m->bytes + m->len, data, len);
  m->len += len;
}

static void put_text(struct made *m, const char *text) {
  put(m, text, strlen(text));
}

static void fill(struct made *m, char c, size_t count) {
  if (m->len + count > LARGEST) {
    printf("Bail out! more than any vector has\n");
    exit(1);
  }
  memset(m->bytes + m->len, c, count);
  m->len += count;
}

/* ---- requests ---- */

#define HOST "Host: h.example\r\n"
#define ASKS                                                                   \
  "Upgrade: websocket\r\nConnection: Upgrade\r\n"                              \
  "Sec-WebSocket-Version: 13\r\n"                                              \
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define SWITCHED                                                               \
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"                 \
  "Connection: Upgrade\r\n"                                                    \
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

static void decide_http(struct made *m, bool over, const char *well,
                        const char *refusal) {
  m->v.way = BAD_HTTP;
  m->v.reason = over ? SBK_ERR_HTTP : 0;
  m->v.end = over ? LINGERS : GOES_ON;
  if (over) {
    snprintf(m->out, sizeof(m->out),
             "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu"
             "\r\nConnection: close\r\n\r\n%s\n",
             refusal, strlen(refusal) - 3, refusal + 4);
  } else {
    strcpy(m->out, well);
  }
}

static void make_request_line(struct made *m, size_t limit, size_t size) {
  put_text(m, "GET /ws?");
  fill(m, 'x', size - strlen("GET /ws? HTTP/1.1"));
  put_text(m, " HTTP/1.1\r\n" HOST ASKS "\r\n");
  decide_http(m, size > limit, SWITCHED, "414 URI Too Long");
}

static void make_method(struct made *m, size_t limit, size_t size) {
  fill(m, 'X', size - strlen(" / HTTP/1.1"));
  put_text(m, " / HTTP/1.1\r\n" HOST "\r\n");
  decide_http(m, true, NULL,
              size > limit ? "414 URI Too Long" : "404 Not Found");
}

static void make_request_field(struct made *m, size_t limit, size_t size) {
  put_text(m, "GET /ws HTTP/1.1\r\n" HOST ASKS "X: ");
  fill(m, 'x', size - 3);
  put_text(m, "\r\n\r\n");
  decide_http(m, size > limit, SWITCHED, "431 Request Header Fields Too Large");
}

static void make_field_name(struct made *m, size_t limit, size_t size) {
  put_text(m, "GET /ws HTTP/1.1\r\n" HOST ASKS);
  fill(m, 'x', size - 1);
  put_text(m, ":\r\n\r\n");
  decide_http(m, size > limit, SWITCHED, "431 Request Header Fields Too Large");
}

static void make_blanks(struct made *m, size_t limit, size_t size) {
  put_text(m, "GET /ws HTTP/1.1\r\n" HOST ASKS "X:");
  fill(m, ' ', size - 2);
  put_text(m, "\r\n\r\n");
  decide_http(m, size > limit, SWITCHED, "431 Request Header Fields Too Large");
}

/* Each is noted in 16 bytes, which fields of four bytes are less than a quarter
 * of; besides, the table moves. */
static void make_request_fields(struct made *m, size_t limit, size_t size) {
  size_t i;

  put_text(m, "GET /ws HTTP/1.1\r\n" HOST ASKS);
  for (i = 5; i < size; i++) {
    put_text(m, "X:\r\n");
  }
  put_text(m, "\r\n");
  m->v.more = size > 64 ? size * 24 : 0;
  decide_http(m, size > limit, SWITCHED, "431 Request Header Fields Too Large");
}

static void make_request_head(struct made *m, size_t limit, size_t size) {
  size_t left, part;

  put_text(m, "GET /ws HTTP/1.1\r\n" HOST ASKS);
  for (left = size - m->len - 2; left > 0; left -= part) {
    part = left > 4000 ? 2000 : left;
    put_text(m, "X:");
    fill(m, 'x', part - 4);
    put_text(m, "\r\n");
  }
  put_text(m, "\r\n");
  decide_http(m, size > limit, SWITCHED, "431 Request Header Fields Too Large");
}

static void widen_head(struct bad_setup *setup, size_t value) {
  setup->config.max_request_head = 4 * value + 8192;
  setup->config.max_request_fields = 1024;
}

static void widen_fields(struct bad_setup *setup, size_t value) {
  (void)value;
  setup->config.max_request_fields = 1024;
}

static void on_request(sbk_request *request, void *arg) {
  size_t len;

  (void)arg;
  sbk_request_body(request, &len);
  sbk_request_answer(request, 200, NULL, "hello", 5);
}

/* Over it the length alone is enough. */
static void make_request_body(struct made *m, size_t limit, size_t size) {
  char line[80];

  snprintf(line, sizeof(line),
           "POST /x HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", size);
  put_text(m, line);
  if (size <= limit) {
    fill(m, 'x', size);
  }
  decide_http(m, size > limit,
              "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
              "413 Content Too Large");
}

static void widen_body(struct bad_setup *setup, size_t value) {
  (void)value;
  setup->callbacks.request = on_request;
}

/* ---- frames of WebSocket ---- */

#define CONNECTED "CONNECT\naccept-version:1.2\n\n^"
#define RECEIPT   "RECEIPT\nreceipt-id:r\n\n^"

/* Masked with a key of zeros. */
static void put_frame(struct made *m, int first, const void *data, size_t len) {
  uint8_t head[14] = {(uint8_t)first};
  size_t i, size = len < 126 ? 0 : len < 65536 ? 2 : 8;

  head[1] = (uint8_t)(0x80 | (size == 0 ? len : size == 2 ? 126 : 127));
  for (i = 0; i < size; i++) {
    head[1 + size - i] = (uint8_t)(len >> 8 * i);
  }
  put(m, head, 6 + size);
  put(m, data, len);
}

enum { CONT = 0, TEXT = 1, PING = 9, PONG = 10, FIN = 0x80 };

/* lingers: the framing is what was broken, so no Close is looked for. */
static void decide_ws(struct made *m, bool over, const char *well, int reason,
                      int close, const char *text, bool lingers) {
  m->v.way = BAD_WS;
  m->v.before = CONNECTED;
  m->v.reason = over ? reason : 0;
  m->v.end = !over ? GOES_ON : lingers ? LINGERS : CLOSES;
  if (over) {
    snprintf(m->out, sizeof(m->out), "ERROR\nmessage:%s\n\n^<close %d %s>",
             text, close, text);
  } else {
    strcpy(m->out, well);
  }
}

#define MESSAGE_SIZE SBK_ERR_TOO_BIG, 1009, "message over max_message", true
#define FRAGMENTS    SBK_ERR_TOO_MANY, 1008, "too many fragments", true
#define CONTROLS                                                               \
  SBK_ERR_TOO_MANY, 1008, "too many control frames or line ends", false

/* A SEND of that many bytes. */
static const uint8_t *frame_of(size_t size) {
  static const char head[] = "SEND\ndestination:/quiet/x\nreceipt:r\n\n";
  static uint8_t bytes[LARGEST];

  memset(bytes, 'x', size);
  memcpy(bytes, head, sizeof(head) - 1);
  bytes[size - 1] = '\0';

  return bytes;
}

static void make_message(struct made *m, size_t limit, size_t size) {
  put_frame(m, FIN | TEXT, frame_of(size), size);
  decide_ws(m, size > limit, RECEIPT, MESSAGE_SIZE);
}

static void make_fragmented_message(struct made *m, size_t limit, size_t size) {
  const uint8_t *bytes = frame_of(size);
  const size_t half = size / 2;

  put_frame(m, TEXT, bytes, half);
  put_frame(m, FIN | CONT, bytes + half, size - half);
  decide_ws(m, size > limit, RECEIPT, MESSAGE_SIZE);
}

/* BEHAVIOUR 1: a frame of STOMP may span messages, and has the same limit. */
static void make_spanning_frame(struct made *m, size_t limit, size_t size) {
  const uint8_t *bytes = frame_of(size);
  const size_t half = size / 2;

  put_frame(m, FIN | TEXT, bytes, half);
  put_frame(m, FIN | TEXT, bytes + half, size - half);
  decide_ws(m, size > limit, RECEIPT, SBK_ERR_TOO_BIG, 1009,
            "frame over max_message", false);
  if (size > limit) {
    strcpy(m->out, "ERROR\nmessage:frame over max_message\nreceipt-id:r\n\n^"
                   "<close 1009 frame over max_message>");
  }
}

static void widen_message(struct bad_setup *setup, size_t value) {
  setup->config.max_queue = 4 * value + 65536;
}

static void make_fragments(struct made *m, size_t limit, size_t size) {
  size_t i;

  put_frame(m, TEXT, "\n", 1);
  for (i = 2; i < size; i++) {
    put_frame(m, CONT, i % 2 == 0 ? "" : "\n", i % 2);
  }
  put_frame(m, FIN | CONT, "\n", 1);
  decide_ws(m, size > limit, "", FRAGMENTS);
}

/* So that its EOLs are no matter. */
static void widen_fragments(struct bad_setup *setup, size_t value) {
  (void)value;
  setup->config.control_burst = 100000;
}

static void widen_empty(struct bad_setup *setup, size_t value) {
  widen_fragments(setup, value);
  setup->config.max_fragments = 10000;
}

static void make_empty_fragments(struct made *m, size_t limit, size_t size) {
  size_t i;

  put_frame(m, TEXT, "\n", 1);
  for (i = 0; i < size; i++) {
    put_frame(m, CONT, "", 0);
  }
  decide_ws(m, size > limit, "", FRAGMENTS);
}

/* One that is not empty between them begins anew. */
static void make_split_empty_fragments(struct made *m, size_t limit,
                                       size_t size) {
  size_t i;

  put_frame(m, TEXT, "\n", 1);
  for (i = 0; i < limit; i++) {
    put_frame(m, CONT, "", 0);
  }
  put_frame(m, CONT, "\n", 1);
  for (i = 0; i < size; i++) {
    put_frame(m, CONT, "", 0);
  }
  decide_ws(m, size > limit, "", FRAGMENTS);
}

static void make_pings(struct made *m, size_t limit, size_t size) {
  size_t i, len;

  for (i = 0; i < size; i++) {
    put_frame(m, FIN | PING, "x", 1);
  }
  decide_ws(m, size > limit, "", CONTROLS);
  /* 16 wait to be sent at most. */
  len = strlen(m->out) + 1;
  size = size > limit ? limit : size;
  size = size > 16 ? 16 : size;
  memmove(m->out + 8 * size, m->out, len);
  for (i = 0; i < size; i++) {
    memcpy(m->out + 8 * i, "<pong x>", 8);
  }
}

static void make_pongs(struct made *m, size_t limit, size_t size) {
  size_t i;

  for (i = 0; i < size; i++) {
    put_frame(m, FIN | PONG, "x", 1);
  }
  decide_ws(m, size > limit, "", CONTROLS);
}

static void make_all_kinds(struct made *m, size_t limit, size_t size) {
  size_t i;

  put_frame(m, FIN | TEXT, "\n", 1); /* behind CONNECT: it is free */
  for (i = 0; i < size; i++) {
    put_frame(m, FIN | (i % 2 == 0 ? PONG : TEXT), "\n", 1);
  }
  decide_ws(m, size > limit, "", CONTROLS);
}

/* ---- time ---- */

static void decide_time(struct made *m, bool over, const char *well, int reason,
                        const char *text, enum bad_way way) {
  m->v.way = way;
  m->v.reason = over ? reason : 0;
  m->v.end = !over ? GOES_ON : way == BAD_WS ? CLOSES : LINGERS;
  if (over) {
    snprintf(m->out, sizeof(m->out),
             way == BAD_WS ? "%sERROR\nmessage:%s\n\n^<close 1008 %s>"
                           : "%sERROR\nmessage:%s\n\n^",
             well, text, text);
  } else {
    strcpy(m->out, well);
  }
}

static void make_request_time(struct made *m, size_t limit, size_t size) {
  put_text(m, "GET /ws HTTP/1.1\r\nHost: h");
  m->v.wait = size;
  decide_http(m, size >= limit, "", "408 Request Timeout");
  m->v.reason = size >= limit ? SBK_ERR_TIMEOUT : 0;
}

static void make_silent_request(struct made *m, size_t limit, size_t size) {
  make_request_time(m, limit, size);
  m->len = 0;
}

static void make_body_time(struct made *m, size_t limit, size_t size) {
  make_request_time(m, limit, size);
  m->len = 0;
  put_text(m, "POST /x HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhell");
}

static void make_connect_time(struct made *m, size_t limit, size_t size) {
  put_text(m, "CONNECT\naccept-version:1.2\n");
  m->v.wait = size;
  decide_time(m, size >= limit, "", SBK_ERR_TIMEOUT,
              "not connected within connect_timeout", BAD_TCP);
}

static void make_silent_connect(struct made *m, size_t limit, size_t size) {
  m->v.wait = size;
  decide_time(m, size >= limit, "", SBK_ERR_TIMEOUT,
              "not connected within connect_timeout", BAD_WS);
}

static void make_connect_of_eols(struct made *m, size_t limit, size_t size) {
  put_text(m, "\n\n\n\n");
  m->v.wait = size;
  decide_time(m, size >= limit, "", SBK_ERR_TIMEOUT,
              "not connected within connect_timeout", BAD_TCP);
}

/* Three times what was agreed on, which is what we want, or more. */
static void put_silence(struct made *m, size_t limit, size_t size,
                        enum bad_way way) {
  m->v.wait = size + 2 * limit;
  m->v.before = "CONNECT\naccept-version:1.2\nheart-beat:1,0\n\n^";
  decide_time(m, size >= limit, "", SBK_ERR_TIMEOUT, "no heart-beat in time",
              way);
}

static void make_silence(struct made *m, size_t limit, size_t size) {
  put_silence(m, limit, size, BAD_TCP);
}

static void make_silence_on_websocket(struct made *m, size_t limit,
                                      size_t size) {
  put_silence(m, limit, size, BAD_WS);
}

static void make_silence_in_a_frame(struct made *m, size_t limit, size_t size) {
  put_text(m, "SEND\ndestination:/topic/evil\n\nhalf of it");
  make_silence(m, limit, size);
}

static void make_grace(struct made *m, size_t limit, size_t size) {
  m->v.wait = size * 10000;
  m->v.before = "CONNECT\naccept-version:1.2\nheart-beat:1,0\n\n^";
  decide_time(m, size >= limit, "", SBK_ERR_TIMEOUT, "no heart-beat in time",
              BAD_TCP);
}

/* What nobody takes for so long. */
static void make_send_time(struct made *m, size_t limit, size_t size) {
  put_text(m, "SEND\ndestination:/quiet/x\nreceipt:r\n\n");
  put(m, "", 1);
  m->v.wait = size;
  m->v.before = CONNECTED;
  decide_time(m, size >= limit, size >= limit ? "" : RECEIPT, SBK_ERR_SLOW,
              "too slow, over send_timeout", BAD_TCP);
}

/* Ours are never late. */
static void make_beat_out(struct made *m, size_t limit, size_t size) {
  m->v.wait = size;
  m->v.before = "CONNECT\naccept-version:1.2\nheart-beat:0,1\n\n^";
  decide_time(m, false, size >= limit ? "\n" : "", 0, NULL, BAD_TCP);
}

#define OF(member)        #member, offsetof(struct sbk_config, member)
#define OF_(member, more) #member ", " more, offsetof(struct sbk_config, member)

static const struct row rows[] = {
    {OF(max_request_line), {2048, 30, 65536}, widen_head, make_request_line},
    {OF_(max_request_line, "of a method"),
     {2048, 30, 65536},
     widen_head,
     make_method},
    {OF(max_request_field), {4096, 60, 65536}, widen_head, make_request_field},
    {OF_(max_request_field, "of a name"),
     {4096, 60, 65536},
     widen_head,
     make_field_name},
    {OF_(max_request_field, "of blanks"),
     {4096, 60, 65536},
     widen_head,
     make_blanks},
    {OF(max_request_fields), {64, 6, 1024}, NULL, make_request_fields},
    {OF(max_request_head),
     {8192, 250, 200000},
     widen_fields,
     make_request_head},
    {OF(max_request_body), {65536, 3, 200000}, widen_body, make_request_body},
    {OF(max_message), {65536, 100, 200000}, widen_message, make_message},
    {OF_(max_message, "in fragments"),
     {65536, 100, 200000},
     widen_message,
     make_fragmented_message},
    {OF_(max_message, "in messages"),
     {65536, 100, 200000},
     widen_message,
     make_spanning_frame},
    {OF(max_fragments), {1024, 3, 5000}, widen_fragments, make_fragments},
    {OF(max_empty_fragments), {8, 2, 1024}, widen_empty, make_empty_fragments},
    {OF_(max_empty_fragments, "in two rows"),
     {8, 2, 500},
     widen_empty,
     make_split_empty_fragments},
    {OF_(control_burst, "Pings"), {100, 2, 3000}, NULL, make_pings},
    {OF_(control_burst, "Pongs"), {100, 2, 3000}, NULL, make_pongs},
    {OF_(control_burst, "of all kinds"), {100, 2, 3000}, NULL, make_all_kinds},
    {OF_(request_timeout, "of a head"),
     {10000, 2, 86400000},
     NULL,
     make_request_time},
    {OF_(request_timeout, "of nothing"),
     {10000, 2, 86400000},
     NULL,
     make_silent_request},
    {OF_(request_timeout, "of a body"),
     {10000, 2, 86400000},
     widen_body,
     make_body_time},
    {OF_(connect_timeout, "of half a CONNECT"),
     {10000, 2, 86400000},
     NULL,
     make_connect_time},
    {OF_(connect_timeout, "of a WebSocket"),
     {10000, 2, 86400000},
     NULL,
     make_silent_connect},
    {OF_(connect_timeout, "of EOLs"),
     {10000, 2, 86400000},
     NULL,
     make_connect_of_eols},
    {OF(heartbeat_in), {10000, 2, 86400000}, NULL, make_silence},
    {OF_(heartbeat_in, "of a WebSocket"),
     {10000, 2, 86400000},
     NULL,
     make_silence_on_websocket},
    {OF_(heartbeat_in, "within a frame"),
     {10000, 2, 86400000},
     NULL,
     make_silence_in_a_frame},
    {OF(heartbeat_grace), {3, 2, 100}, NULL, make_grace},
    {OF(send_timeout), {10000, 2, 86400000}, NULL, make_send_time},
    {OF(heartbeat_out), {10000, 2, 86400000}, NULL, make_beat_out},
};

static void play(const struct row *row, size_t value, size_t size,
                 bool normal) {
  static struct made m;
  char name[200];

  memset(&m.v, 0, sizeof(m.v));
  m.len = 0;
  m.out[0] = '\0';
  row->make(&m, value, size);
  snprintf(name, sizeof(name), "%s of %zu%s: %s", row->name, value,
           normal ? ", the default" : "",
           size < value    ? "one less"
           : size == value ? "as much"
                           : "one more");
  m.v.name = name;
  m.v.bytes = m.bytes;
  m.v.len = m.len;
  m.v.out = m.out;
  bad_play(&m.v);
}

static void play_row(const struct row *row) {
  struct bad_setup setup;
  size_t i, value;

  for (i = 0; i < 3; i++) {
    value = row->values[i];
    bad_init(&setup);
    if (row->widen != NULL) {
      row->widen(&setup, value);
    }
    if (i > 0) {
      memcpy((char *)&setup.config + row->offset, &value, sizeof(value));
    }
    bad_open(&setup);
    play(row, value, value - 1, i == 0);
    play(row, value, value, i == 0);
    play(row, value, value + 1, i == 0);
  }
}

int main(void) {
  size_t i;

  for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    play_row(&rows[i]);
  }

  return bad_done();
}
