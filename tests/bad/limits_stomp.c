#include "stomp.h"

#include <stdarg.h>
#include <stdlib.h>

/*
 * LIMITS, what of it bounds frames of STOMP and sessions: one below each limit,
 * at it, and one above; with the default, with less and with more.
 */

#define RECEIPT "RECEIPT\nreceipt-id:r\n\n^"

/* A vector that is put together. */
struct made {
  const char *version; /* NULL: before CONNECT */
  const char *before;
  struct stomp v;
  size_t len;
  char text[700000];
  char out[60000];
};

/* What is tried, and for which numbers. */
struct row {
  const char *name; /* of the member, and more behind a comma */
  size_t offset;
  size_t values[3]; /* the first is the default */
  void (*widen)(struct sbk_config *config, size_t value);
  void (*make)(struct made *m, size_t limit, size_t size);
};

static void add(struct made *m, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add(struct made *m, const char *format, ...) {
  va_list args;

  va_start(args, format);
  m->len += (size_t)vsnprintf(m->text + m->len, sizeof(m->text) - m->len,
                              format, args);
  va_end(args);
  if (m->len >= sizeof(m->text)) {
    printf("Bail out! a text longer than any vector has\n");
    exit(1);
  }
}

static void fill(struct made *m, char c, size_t count) {
  if (m->len + count >= sizeof(m->text)) {
    printf("Bail out! a text longer than any vector has\n");
    exit(1);
  }
  memset(m->text + m->len, c, count);
  m->len += count;
  m->text[m->len] = '\0';
}

/* With size over limit it is an ERROR, else out comes. */
static void decide(struct made *m, bool over, enum stomp_kind kind,
                   const char *error, const char *receipt) {
  m->v.kind = over ? kind : m->v.kind;
  m->v.out = over ? error : m->out;
  m->v.receipt = over ? receipt : NULL;
}

static void expect_receipt(struct made *m) {
  strcpy(m->out, RECEIPT);
}

/* ---- lines ---- */

/* Of A's, which are none: the limit is looked at first. */
static void make_command(struct made *m, size_t limit, size_t size) {
  fill(m, 'A', size);
  add(m, "\n\n^");
  decide(m, true, size > limit ? SIZE : PROTOCOL,
         size > limit ? "command over max_command" : "unknown command", NULL);
}

static void make_first_command(struct made *m, size_t limit, size_t size) {
  m->version = NULL;
  make_command(m, limit, size);
}

static void make_command_with_cr(struct made *m, size_t limit, size_t size) {
  fill(m, 'A', size);
  add(m, "\r\n\r\n^");
  decide(m, true, size > limit ? SIZE : PROTOCOL,
         size > limit ? "command over max_command" : "unknown command", NULL);
}

/* Each is noted in 16 bytes while it is read, and in 32 then: of short lines
 * that is more than four times what came, but with the default it is little. */
#define NOTED(size) ((size) > 64 ? (size)*20 : 0)

static void make_headers(struct made *m, size_t limit, size_t size) {
  size_t i;

  m->v.more = NOTED(size);

  add(m, "SEND\ndestination:/quiet/x\nreceipt:r\n");
  for (i = 2; i < size; i++) {
    add(m, "h%zu:%zu\n", i, i);
  }
  add(m, "\n^");
  expect_receipt(m);
  decide(m, size > limit, COUNT, "more headers than max_headers", "r");
}

/* Those that do not count for their meaning do count. */
static void make_repeats(struct made *m, size_t limit, size_t size) {
  size_t i;

  add(m, "SEND\ndestination:/quiet/x\nreceipt:r\n");
  for (i = 2; i < size; i++) {
    add(m, "h:%zu\n", i);
  }
  add(m, "\n^");
  expect_receipt(m);
  decide(m, size > limit, COUNT, "more headers than max_headers", "r");
}

static void make_first_headers(struct made *m, size_t limit, size_t size) {
  size_t i;

  m->version = NULL;
  m->v.more = NOTED(size);
  add(m, "CONNECT\naccept-version:9\n");
  for (i = 1; i < size; i++) {
    add(m, "h%zu:%zu\n", i, i);
  }
  add(m, "\n^");
  decide(m, true, size > limit ? COUNT : PROTOCOL,
         size > limit ? "more headers than max_headers"
                      : "no version in common",
         NULL);
}

static void make_line(struct made *m, size_t limit, size_t size) {
  add(m, "SEND\ndestination:/quiet/x\nreceipt:r\nh:");
  fill(m, 'x', size - 2);
  add(m, "\n\n^");
  expect_receipt(m);
  decide(m, size > limit, SIZE, "header over max_header_line", "r");
}

/* EOLs do not count (BEHAVIOUR 15.3). */
static void make_line_with_cr(struct made *m, size_t limit, size_t size) {
  add(m, "SEND\r\ndestination:/quiet/x\r\nreceipt:r\r\nh:");
  fill(m, 'x', size - 2);
  add(m, "\r\n\r\n^");
  expect_receipt(m);
  decide(m, size > limit, SIZE, "header over max_header_line", "r");
}

/* As they came, not as they are meant. */
static void make_line_of_escapes(struct made *m, size_t limit, size_t size) {
  size_t i;

  add(m, "SEND\ndestination:/quiet/x\nreceipt:r\nh%s:", size % 2 ? "h" : "");
  for (i = size % 2 ? 3 : 2; i < size; i += 2) {
    add(m, "\\\\");
  }
  add(m, "\n\n^");
  expect_receipt(m);
  decide(m, size > limit, SIZE, "header over max_header_line", "r");
}

static void make_line_that_is_a_name(struct made *m, size_t limit,
                                     size_t size) {
  add(m, "SEND\ndestination:/quiet/x\nreceipt:r\n");
  fill(m, 'x', size - 1);
  add(m, ":\n\n^");
  expect_receipt(m);
  decide(m, size > limit, SIZE, "header over max_header_line", "r");
}

static void widen_line(struct sbk_config *config, size_t value) {
  config->max_header_bytes = 2 * value + 100;
  config->max_message = 4 * value + 65536;
}

/* 34 bytes are there, and the rest in lines that are not too long. */
static void make_bytes(struct made *m, size_t limit, size_t size) {
  size_t left = size - 30, line;

  add(m, "SEND\ndestination:/quiet/x\nreceipt:r\n");
  left = size - strlen("destination:/quiet/x") - strlen("receipt:r");
  while (left > 0) {
    line = left > 8000 ? 4000 : left;
    add(m, "h:");
    fill(m, 'x', line - 2);
    add(m, "\n");
    left -= line;
  }
  add(m, "\n^");
  expect_receipt(m);
  decide(m, size > limit, SIZE, "headers over max_header_bytes", "r");
}

static void widen_bytes(struct sbk_config *config, size_t value) {
  config->max_message = 4 * value + 65536;
}

/* ---- whole frames ---- */

static void make_message(struct made *m, size_t limit, size_t size) {
  m->v.tcp = true; /* a message of WebSocket has the same limit */
  add(m, "SEND\ndestination:/quiet/x\nreceipt:r\n\n");
  fill(m, 'x', size - m->len - 1);
  add(m, "^");
  expect_receipt(m);
  decide(m, size > limit, SIZE, "frame over max_message", "r");
}

static void put_counted_head(struct made *m, size_t size) {
  const size_t head =
      strlen("SEND\ndestination:/quiet/x\nreceipt:r\ncontent-length:\n\n^");
  char digits[24];

  /* Its own digits count too. */
  snprintf(digits, sizeof(digits), "%zu", size - head - strlen("123"));
  add(m, "SEND\ndestination:/quiet/x\nreceipt:r\ncontent-length:%zu\n\n",
      size - head - strlen(digits));
}

static void make_counted_message(struct made *m, size_t limit, size_t size) {
  m->v.tcp = true;
  put_counted_head(m, size);
  fill(m, 'x', size - m->len - 1);
  add(m, "^");
  expect_receipt(m);
  decide(m, size > limit, SIZE, "frame over max_message", "r");
}

/* Refused at the header: the body need not come, nor memory for it. What is not
 * too long is waited for. */
static void make_announced_message(struct made *m, size_t limit, size_t size) {
  put_counted_head(m, size);
  m->out[0] = '\0';
  decide(m, size > limit, SIZE, "frame over max_message", "r");
}

static void widen_message(struct sbk_config *config, size_t value) {
  config->max_queue = value < 1000000 ? 4 * value : 0;
}

static void make_preauth(struct made *m, size_t limit, size_t size) {
  size_t left, line;

  m->version = NULL;
  add(m, "CONNECT\naccept-version:9\n");
  left = size - m->len - 2;
  while (left > 0) {
    line = left > 8000 ? 4000 : left;
    add(m, "h:");
    fill(m, 'x', line - 3);
    add(m, "\n");
    left -= line;
  }
  add(m, "\n^");
  decide(m, true, size > limit ? SIZE : PROTOCOL,
         size > limit ? "frame over max_preauth_frame" : "no version in common",
         NULL);
}

static void widen_preauth(struct sbk_config *config, size_t value) {
  config->max_header_bytes = 2 * value;
  config->max_preauth_input = 4 * value;
  config->max_message = 4 * value + 65536;
}

/* ---- destinations ---- */

#define TOO_LONG "destination over max_destination or max_levels"

static void put_destination(struct made *m, const char *command,
                            const char *more) {
  add(m, "%s\nreceipt:r\n%sdestination:", command, more);
}

static void make_destination(struct made *m, size_t limit, size_t size) {
  put_destination(m, "SEND", "");
  add(m, "/quiet/");
  fill(m, 'x', size - 7);
  add(m, "\n\n^");
  expect_receipt(m);
  decide(m, size > limit, SIZE, TOO_LONG, "r");
}

static void make_subscription(struct made *m, size_t limit, size_t size) {
  put_destination(m, "SUBSCRIBE", "id:0\n");
  add(m, "/quiet/");
  fill(m, 'x', size - 7);
  add(m, "\n\n^");
  expect_receipt(m);
  decide(m, size > limit, SIZE, TOO_LONG, "r");
}

static void widen_destination(struct sbk_config *config, size_t value) {
  config->max_header_line = value + 200;
  config->max_header_bytes = value + 400;
}

static void put_levels(struct made *m, size_t limit, size_t size) {
  size_t i;

  add(m, "/quiet");
  for (i = 1; i < size; i++) {
    add(m, "/x");
  }
  add(m, "\n\n^");
  expect_receipt(m);
  decide(m, size > limit, SIZE, TOO_LONG, "r");
}

static void make_levels(struct made *m, size_t limit, size_t size) {
  put_destination(m, "SEND", "");
  put_levels(m, limit, size);
}

static void make_subscribed_levels(struct made *m, size_t limit, size_t size) {
  put_destination(m, "SUBSCRIBE", "id:0\n");
  put_levels(m, limit, size);
}

/* A separator at the end is none more (BEHAVIOUR 15.3). */
static void make_levels_and_a_slash(struct made *m, size_t limit, size_t size) {
  put_destination(m, "SEND", "");
  put_levels(m, limit, size);
  m->len -= 3;
  add(m, "/\n\n^");
}

static void put_wildcards(struct made *m, size_t limit, size_t size,
                          const char *wildcard) {
  size_t i;

  put_destination(m, "SUBSCRIBE", "id:0\n");
  add(m, "/quiet/");
  for (i = 0; i < size; i++) {
    add(m, "%s-", wildcard);
  }
  add(m, "\n\n^");
  expect_receipt(m);
  decide(m, size > limit, COUNT, "pattern over max_wildcards", "r");
}

static void make_stars(struct made *m, size_t limit, size_t size) {
  put_wildcards(m, limit, size, "*");
}

static void make_marks(struct made *m, size_t limit, size_t size) {
  put_wildcards(m, limit, size, "?");
}

static void make_double_stars(struct made *m, size_t limit, size_t size) {
  put_wildcards(m, limit, size, "**");
}

/* ---- ids ---- */

static void make_id(struct made *m, size_t limit, size_t size) {
  add(m, "SUBSCRIBE\nreceipt:r\ndestination:/quiet/x\nid:");
  fill(m, 'i', size);
  add(m, "\n\n^");
  expect_receipt(m);
  decide(m, size > limit, SIZE, "id over max_subscription_id", "r");
}

/* One that is too long does not come back. */
static void make_receipt(struct made *m, size_t limit, size_t size) {
  add(m, "SEND\ndestination:/quiet/x\nreceipt:");
  fill(m, 'r', size);
  add(m, "\n\n^");
  snprintf(m->out, sizeof(m->out), "RECEIPT\nreceipt-id:%.*s\n\n^", (int)size,
           m->text + strlen("SEND\ndestination:/quiet/x\nreceipt:"));
  decide(m, size > limit, SIZE, "receipt over max_receipt", NULL);
}

static void make_receipt_of_an_error(struct made *m, size_t limit,
                                     size_t size) {
  static char receipt[5000];

  add(m, "SEND\nx\nreceipt:r\n\n^");
  m->len = 0;
  add(m, "SEND\nreceipt:");
  fill(m, 'r', size);
  add(m, "\nx\n\n^");
  snprintf(receipt, sizeof(receipt), "%.*s", (int)size,
           m->text + strlen("SEND\nreceipt:"));
  decide(m, true, PROTOCOL, "header without a colon",
         size > limit ? NULL : receipt);
}

static void make_transaction(struct made *m, size_t limit, size_t size) {
  add(m, "BEGIN\nreceipt:r\ntransaction:");
  fill(m, 't', size);
  add(m, "\n\n^");
  expect_receipt(m);
  decide(m, size > limit, SIZE, "transaction over max_transaction", "r");
}

/* ---- sessions ---- */

static void make_transactions(struct made *m, size_t limit, size_t size) {
  size_t i;

  for (i = 1; i < size; i++) {
    add(m, "BEGIN\ntransaction:%zu\n\n^", i);
  }
  add(m, "BEGIN\nreceipt:r\ntransaction:t\n\n^");
  expect_receipt(m);
  decide(m, size > limit, COUNT, "more transactions than max_transactions",
         "r");
}

/* Those that are over do not count. */
static void make_aborted_transactions(struct made *m, size_t limit,
                                      size_t size) {
  size_t i;

  for (i = 0; i < 3 * limit; i++) {
    add(m, "BEGIN\ntransaction:%zu\n\n^ABORT\ntransaction:%zu\n\n^", i, i);
  }
  make_transactions(m, limit, size);
}

/* Each counts 256 besides its body and headers, and takes some more. */
static void make_actions(struct made *m, size_t limit, size_t size) {
  size_t i;

  add(m, "BEGIN\ntransaction:t\n\n^");
  for (i = 1; i < size; i++) {
    add(m, "SEND\ndestination:/quiet/x\ntransaction:t\n\n^");
  }
  add(m, "SEND\ndestination:/quiet/x\ntransaction:t\nreceipt:r\n\n^");
  m->v.more = size * 300;
  expect_receipt(m);
  decide(m, size > limit, COUNT, "transaction over max_transaction_actions",
         "r");
}

/* Of a SEND to /quiet/x that is kept in t: body, both headers, and 256. */
#define KEPT                                                                   \
  (256 + strlen("destination") + strlen("/quiet/x") + strlen("transaction") +  \
   strlen("t"))

static void make_transaction_bytes(struct made *m, size_t limit, size_t size) {
  size_t left = size, part;

  add(m, "BEGIN\ntransaction:t\n\n^");
  while (left > 0) {
    part = left > 60000 + 2 * KEPT ? 60000 : left;
    add(m, "SEND\ndestination:/quiet/x\ntransaction:t\n\n");
    fill(m, 'x', part - KEPT);
    add(m, "^");
    left -= part;
  }
  m->v.tcp = true;
  m->out[0] = '\0';
  decide(m, size > limit, SIZE, "transaction over max_transaction_bytes", NULL);
}

/* Each takes its place in several tables, as long as it is there. */
static void make_subscriptions(struct made *m, size_t limit, size_t size) {
  size_t i;

  for (i = 1; i < size; i++) {
    add(m, "SUBSCRIBE\nid:%zu\ndestination:/quiet/x\n\n^", i);
  }
  add(m, "SUBSCRIBE\nid:r\nreceipt:r\ndestination:/quiet/x\n\n^");
  m->v.more = size * 100;
  expect_receipt(m);
  decide(m, size > limit, COUNT, "more subscriptions than max_subscriptions",
         "r");
}

static void make_left_subscriptions(struct made *m, size_t limit, size_t size) {
  size_t i;

  for (i = 0; i < 2 * limit; i++) {
    add(m, "SUBSCRIBE\nid:0\ndestination:/quiet/x\n\n^UNSUBSCRIBE\nid:0\n\n^");
  }
  make_subscriptions(m, limit, size);
}

/* The first EOL behind a frame is free (BEHAVIOUR 15.3). */
static void make_eols(struct made *m, size_t limit, size_t size) {
  add(m, "\n");
  fill(m, '\n', size);
  m->out[0] = '\0';
  decide(m, size > limit, COUNT, "too many control frames or line ends", NULL);
}

/* Before CONNECT none is. */
static void make_first_eols(struct made *m, size_t limit, size_t size) {
  m->version = NULL;
  fill(m, '\n', size);
  m->out[0] = '\0';
  decide(m, size > limit, COUNT, "too many control frames or line ends", NULL);
}

static void make_crlfs(struct made *m, size_t limit, size_t size) {
  size_t i;

  for (i = 0; i <= size; i++) {
    add(m, "\r\n");
  }
  m->out[0] = '\0';
  decide(m, size > limit, COUNT, "too many control frames or line ends", NULL);
}

static void make_beat(struct made *m, size_t limit, size_t size, bool can) {
  m->version = NULL;
  add(m, "CONNECT\naccept-version:1.2\nheart-beat:");
  if (can) {
    add(m, "%zu,0\n\n^", size);
  } else {
    add(m, "0,%zu\n\n^", size);
  }
  strcpy(m->out, "CONNECTED\nversion:1.2\nheart-beat:10000,10000\n"
                 "session:{s}\nserver:stompbroker/0.1.0\n\n^");
  decide(m, size > limit, PROTOCOL, "malformed heart-beat", NULL);
}

static void make_beat_in(struct made *m, size_t limit, size_t size) {
  make_beat(m, limit, size, true);
}

static void make_beat_out(struct made *m, size_t limit, size_t size) {
  make_beat(m, limit, size, false);
}

/* ---- what waits ---- */

/* Over it messages wait for an ACK of others. */
static void make_unacked(struct made *m, size_t limit, size_t size) {
  size_t i;

  add(m, "SUBSCRIBE\nid:a\ndestination:/quiet/x\nack:client\n\n^");
  for (i = 1; i <= size; i++) {
    add(m, "SEND\ndestination:/quiet/x\n\n^");
    if (i <= limit) {
      snprintf(m->out + strlen(m->out), sizeof(m->out) - strlen(m->out),
               "MESSAGE\nsubscription:a\nack:%zu\ndestination:/quiet/x\n"
               "message-id:{n}\n\n^",
               i);
    }
  }
  m->v.more = size * 600; /* they are kept for an ACK, and wait to go out */
  decide(m, false, WELL, NULL, NULL);
}

/* Whoever comes gets what waits there. */
static void drain_work(void) {
  static const char text[] = "CONNECT\n\n\0SUBSCRIBE\ndestination:/jobs/x\n\n";
  char bytes[4096];
  sbk_conn *conn;
  size_t len;

  if (sbk_conn_new(&conn, bad_broker(), SBK_TCP, "drain", NULL) == 0) {
    sbk_conn_feed(conn, bad_now(), text, sizeof(text));
    while ((len = sbk_conn_copy_out(conn, bytes, sizeof(bytes))) > 0) {
      sbk_conn_sent(conn, len);
    }
    sbk_conn_free(conn);
  }
}

#define QUEUE_FULL                                                             \
  "queue over max_queued_messages, max_queued_bytes or max_total_queued_bytes"

static void make_queued(struct made *m, size_t limit, size_t size) {
  size_t i;

  for (i = 1; i < size; i++) {
    add(m, "SEND\ndestination:/jobs/x\n\n^");
  }
  add(m, "SEND\ndestination:/jobs/x\nreceipt:r\n\n^");
  m->v.more = size * 400; /* they are kept for somebody */
  m->v.tidy = drain_work;
  expect_receipt(m);
  decide(m, size > limit, COUNT, QUEUE_FULL, "r");
}

#define QUEUED (256 + strlen("destination") + strlen("/jobs/x"))

static void make_queued_bytes(struct made *m, size_t limit, size_t size) {
  size_t left = size, part;

  while (left > 0) {
    part = left > 60000 + 2 * QUEUED ? 60000 : left;
    add(m, "SEND\ndestination:/jobs/x\n\n");
    fill(m, 'x', part - QUEUED);
    add(m, "^");
    left -= part;
  }
  m->v.tcp = true;
  m->v.tidy = drain_work;
  m->out[0] = '\0';
  decide(m, size > limit, COUNT, QUEUE_FULL, NULL);
}

/* RECEIPTs that nobody takes, of 26 bytes each; what waited is dropped. */
static void make_queue(struct made *m, size_t limit, size_t size) {
  const size_t one = strlen("RECEIPT\nreceipt-id:\n\n^");
  size_t left = size, part, at = 0;

  while (left > 0) {
    part = left > 200 + 2 * one ? 200 : left;
    add(m, "SEND\ndestination:/quiet/x\nreceipt:");
    fill(m, 'r', part - one);
    at += (size_t)snprintf(m->out + at, sizeof(m->out) - at,
                           "RECEIPT\nreceipt-id:%.*s\n\n^", (int)(part - one),
                           m->text + m->len - (part - one));
    add(m, "\n\n^");
    left -= part;
  }
  decide(m, size > limit, SLOW, "too slow, over max_queue", NULL);
}

#define OF(member)        #member, offsetof(struct sbk_config, member)
#define OF_(member, more) #member ", " more, offsetof(struct sbk_config, member)

static const struct row rows[] = {
    {OF(max_command), {16, 9, 64}, NULL, make_command},
    {OF_(max_command, "the first"), {16, 9, 64}, NULL, make_first_command},
    {OF_(max_command, "and a CR"), {16, 9, 64}, NULL, make_command_with_cr},
    {OF(max_headers), {64, 4, 1024}, NULL, make_headers},
    {OF_(max_headers, "repeats"), {64, 4, 1024}, NULL, make_repeats},
    {OF_(max_headers, "of CONNECT"), {64, 4, 1024}, NULL, make_first_headers},
    {OF(max_header_line), {8192, 50, 20000}, widen_line, make_line},
    {OF_(max_header_line, "and a CR"),
     {8192, 50, 20000},
     widen_line,
     make_line_with_cr},
    {OF_(max_header_line, "of escapes"),
     {8192, 50, 20000},
     widen_line,
     make_line_of_escapes},
    {OF_(max_header_line, "a name"),
     {8192, 50, 20000},
     widen_line,
     make_line_that_is_a_name},
    {OF(max_header_bytes), {16384, 100, 40000}, widen_bytes, make_bytes},
    {OF(max_message), {65536, 200, 150000}, widen_message, make_message},
    {OF_(max_message, "counted"),
     {65536, 200, 150000},
     widen_message,
     make_counted_message},
    {OF_(max_message, "announced"),
     {65536, 200, (size_t)1 << 30},
     widen_message,
     make_announced_message},
    {OF(max_preauth_frame), {16384, 100, 40000}, widen_preauth, make_preauth},
    {OF(max_destination),
     {1024, 20, 8192},
     widen_destination,
     make_destination},
    {OF_(max_destination, "of SUBSCRIBE"),
     {1024, 20, 8192},
     widen_destination,
     make_subscription},
    {OF(max_levels), {32, 3, 256}, NULL, make_levels},
    {OF_(max_levels, "of SUBSCRIBE"),
     {32, 3, 256},
     NULL,
     make_subscribed_levels},
    {OF_(max_levels, "and a slash"),
     {32, 3, 256},
     NULL,
     make_levels_and_a_slash},
    {OF(max_wildcards), {8, 2, 32}, NULL, make_stars},
    {OF_(max_wildcards, "question marks"), {8, 2, 32}, NULL, make_marks},
    {OF_(max_wildcards, "two stars"), {8, 2, 32}, NULL, make_double_stars},
    {OF(max_subscription_id), {128, 3, 4096}, NULL, make_id},
    {OF(max_receipt), {256, 3, 4096}, NULL, make_receipt},
    {OF_(max_receipt, "of an ERROR"),
     {256, 3, 4096},
     NULL,
     make_receipt_of_an_error},
    {OF(max_transaction), {128, 3, 4096}, NULL, make_transaction},
    {OF(max_transactions), {16, 3, 200}, NULL, make_transactions},
    {OF_(max_transactions, "behind others"),
     {16, 3, 200},
     NULL,
     make_aborted_transactions},
    {OF(max_transaction_actions), {1024, 3, 2000}, NULL, make_actions},
    {OF(max_transaction_bytes),
     {1048576 / 2, 700, 600000},
     NULL,
     make_transaction_bytes},
    {OF(max_subscriptions), {1024, 3, 2000}, NULL, make_subscriptions},
    {OF_(max_subscriptions, "behind others"),
     {1024, 3, 2000},
     NULL,
     make_left_subscriptions},
    {OF_(control_burst, "EOLs"), {100, 3, 2000}, NULL, make_eols},
    {OF_(control_burst, "EOLs before CONNECT"),
     {100, 3, 2000},
     NULL,
     make_first_eols},
    {OF_(control_burst, "CRLFs"), {100, 3, 2000}, NULL, make_crlfs},
    {OF_(heartbeat_max, "what a client can"),
     {3600000, 1000, 86400000},
     NULL,
     make_beat_in},
    {OF_(heartbeat_max, "what it wants"),
     {3600000, 1000, 86400000},
     NULL,
     make_beat_out},
    {OF(max_unacked), {50, 2, 200}, NULL, make_unacked},
    {OF(max_queued_messages), {100, 2, 2000}, NULL, make_queued},
    {OF(max_queued_bytes), {1000, 500, 300000}, NULL, make_queued_bytes},
    {OF(max_queue), {1000, 500, 20000}, NULL, make_queue},
};

/* Where the default is too large to be reached here the transcripts of
 * tests/wire/limits do, and the first number is one of its own. */
static bool is_default(const struct row *row) {
  static const char *const others[] = {"max_transaction_bytes", "max_unacked",
                                       "max_queued_messages",
                                       "max_queued_bytes", "max_queue"};
  size_t i;

  for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
    if (strcmp(row->name, others[i]) == 0) {
      return false;
    }
  }

  return true;
}

static void play(const struct row *row, size_t value, size_t size,
                 bool normal) {
  static struct made m;
  char name[200];

  m.version = "1.2";
  m.before = NULL;
  m.len = 0;
  m.text[0] = m.out[0] = '\0';
  m.v = (struct stomp){.name = name, .text = m.text, .kind = WELL};
  row->make(&m, value, size);
  m.v.tcp = m.v.tcp || m.len > 60000; /* for one message of WebSocket */
  snprintf(name, sizeof(name), "%s of %zu%s: %s", row->name, value,
           normal ? ", the default" : "",
           size < value    ? "one less"
           : size == value ? "as much"
                           : "one more");
  stomp_play(m.version, m.before, &m.v);
}

static void play_row(const struct row *row) {
  struct bad_setup setup;
  size_t i, value;

  for (i = 0; i < 3; i++) {
    const bool normal = i == 0 && is_default(row);

    value = row->values[i];
    bad_init(&setup);
    if (!normal) {
      memcpy((char *)&setup.config + row->offset, &value, sizeof(value));
    }
    if (row->widen != NULL && i == 2) {
      row->widen(&setup.config, value);
    }
    bad_open(&setup);
    play(row, value, value - 1, normal);
    play(row, value, value, normal);
    play(row, value, value + 1, normal);
  }
}

int main(void) {
  size_t i;

  for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    play_row(&rows[i]);
  }

  return bad_done();
}
