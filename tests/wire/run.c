#include "run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "sockjs.h"
#include "take.h"

/* More turns of the loop than this for one step are a busy loop. */
#define MAX_TURNS 100000

const char *const over_names[OVER_COUNT] = {"websocket", "xhr_streaming",
                                            "xhr"};

void run_fault(struct run *run, const char *format, ...) {
  va_list args;

  if (run->failed) {
    return;
  }
  run->failed = true;
  printf("#   %s:%u: ", run->script->path, run->line);
  va_start(args, format);
  vprintf(format, args);
  va_end(args);
  printf("\n");
}

size_t run_place(const struct script *script, size_t step) {
  const char *at;
  size_t sum = 0;

  for (at = script->name; *at != '\0'; at++) {
    sum = sum * 31 + (unsigned char)*at;
  }
  return sum % step;
}

/* The socket is closed. */
void run_end(struct stream *stream, bool told) {
  if (stream->conn == NULL) {
    return;
  }
  if (told) {
    codes_add(&stream->shower.shown, CODE_END);
  }
  stream->late_count = 0;
  stream->shut = false;
  sbk_conn_free(stream->conn);
  stream->conn = NULL;
}

/* What it wants; nobody is sent anything any more whose stream was told to be
 * shut down. */
static unsigned wants_of(struct stream *stream) {
  unsigned wants = sbk_conn_wants(stream->conn);

  if ((stream->shut && wants != 0 && !(wants & SBK_WANT_SHUTDOWN)) ||
      (wants & SBK_WANT_SHUTDOWN &&
       wants != (SBK_WANT_SHUTDOWN | SBK_WANT_READ))) {
    run_fault(stream->run, "shut down %d, and it wants %u", stream->shut,
              wants);
  }
  stream->shut = stream->shut || wants & SBK_WANT_SHUTDOWN;

  return wants;
}

/* What a loop does with a connection that is ready. */
void run_serve(struct stream *stream) {
  unsigned wants;
  size_t turns = 0;
  bool took = true;

  if (stream->conn == NULL) {
    return;
  }
  if (stream->stalled) { /* its socket takes nothing, or so much */
    take_few(stream);
    if (sbk_conn_wants(stream->conn) == 0) {
      run_end(stream, true);
    }
    return;
  }
  take_end(stream);
  while (took) {
    wants = wants_of(stream);
    took = take_some(stream);
    if (stream->room == 0) { /* it breaks off */
      run_end(stream, true);
      return;
    }
    if (took && !(wants & SBK_WANT_WRITE)) {
      run_fault(stream->run, "there was output, but SBK_WANT_WRITE was not");
    }
    if (stream->late_count > 0) {
      return;
    }
    if (++turns > MAX_TURNS * 100) {
      run_fault(stream->run, "output without end");
      break;
    }
  }
  wants = wants_of(stream);
  if (wants == 0) {
    run_end(stream, true);
  } else if ((wants & SBK_WANT_WRITE) && stream->late_count == 0) {
    run_fault(stream->run, "SBK_WANT_WRITE, but there is no output");
  }
}

static void serve_conns(struct run *run) {
  sbk_conn *conn;
  size_t turns = 0;

  while ((conn = sbk_broker_next_ready(run->broker)) != NULL) {
    struct stream *stream = sbk_conn_user_data(conn);

    if (stream->conn != conn) {
      run_fault(run, "a connection is ready that was freed");
      return;
    }
    run_serve(stream);
    if (++turns > MAX_TURNS) {
      run_fault(run, "sbk_broker_next_ready() without end");
      return;
    }
  }
}

/* The clients do what is next; false: they all wait. */
static bool turn_clients(struct run *run) {
  bool any = false;
  unsigned i;

  for (i = 1; i < run->script->stream_count; i++) {
    struct client *client = run->streams[i].client;

    any = (client != NULL && client_turn(client)) || any;
  }
  return any;
}

static void serve_ready(struct run *run) {
  size_t turns = 0;

  do {
    serve_conns(run);
    if (++turns > MAX_TURNS) {
      run_fault(run, "clients come again without end");
    }
  } while (!run->failed && turn_clients(run));
}

/* Ends what is written late; false: nothing was under way. */
static bool serve_late(struct stream *stream) {
  if (stream->conn == NULL || stream->stalled || stream->late_count == 0) {
    return false;
  }
  run_serve(stream);
  return true;
}

/* All that can come out has come out. */
static void settle(struct run *run) {
  struct stream *stream;
  unsigned i, n;
  bool again = true;

  serve_ready(run);
  while (again && run->mode->taking == TAKE_LATE) {
    again = serve_late(&run->probe);
    for (i = 1; i < run->script->stream_count; i++) {
      struct client *client = run->streams[i].client;

      again = serve_late(&run->streams[i]) || again;
      for (n = 0; client != NULL && (stream = client_stream(client, n)); n++) {
        again = serve_late(stream) || again;
      }
    }
    serve_ready(run);
  }
}

/* Compares what came out since the last time with what was to come. */
static void compare(struct run *run) {
  unsigned i;

  settle(run);
  for (i = 0; i < run->script->stream_count; i++) {
    struct stream *stream = &run->streams[i];
    struct codes part;

    if (stream->client != NULL) {
      client_compare(stream->client, &stream->expected);
    }
    part = (struct codes){stream->checked > 0
                              ? stream->shower.shown.at + stream->checked
                              : stream->shower.shown.at,
                          stream->shower.shown.len - stream->checked, 0};

    if (!run->mode->unchecked && !run->failed &&
        (!codes_match(&stream->expected, &part) ||
         stream->shower.held.len > 0)) {
      run_fault(run, "%s shows something else (- expected, + came):",
                run->script->streams[i]);
      codes_print_diff(&stream->expected, &part);
    }
    stream->checked = stream->shower.shown.len;
    codes_clear(&stream->expected);
  }
}

/* Input. */

static void feed_piece(struct stream *stream, const uint16_t *at, size_t len) {
  struct run *run = stream->run;
  uint8_t *piece;
  size_t i;
  int rv;

  if (stream->conn == NULL || len == 0) {
    return;
  }
  piece = own_realloc(NULL, len);
  for (i = 0; i < len; i++) {
    piece[i] = (uint8_t)at[i];
  }
  run->received += len;
  heap.budget = 4 * run->received + 8192 * run->conns;
  rv = sbk_conn_feed(stream->conn, run->now, piece, len);
  if (rv == SBK_ERR_STATE) {
    run_fault(run, "sbk_conn_feed() gave SBK_ERR_STATE");
  }
  stream->closing = stream->closing || rv < 0;
  memset(piece, 0xa5, len);
  own_free(piece);
}

void run_feed(struct stream *stream, const struct codes *codes) {
  const struct mode *mode = stream->run->mode;
  bool asks = stream->shower.http && !stream->shower.websocket;
  size_t i;

  if (mode->feeding == FEED_BYTES) {
    for (i = 0; i < codes->len; i++) {
      feed_piece(stream, codes->at + i, 1);
      serve_conns(stream->run);
    }
  } else if (mode->feeding == FEED_CUT && mode->cut < codes->len) {
    feed_piece(stream, codes->at, mode->cut);
    serve_conns(stream->run);
    feed_piece(stream, codes->at + mode->cut, codes->len - mode->cut);
  } else {
    feed_piece(stream, codes->at, codes->len);
  }
  if (mode->taking == TAKE_UNEVEN && asks) {
    /* As loops do before they write: nothing can be due of what is new. */
    sbk_broker_tick(stream->run->broker, stream->run->now);
  }
  serve_conns(stream->run);
}

/* What an item says, said by a client. */
static void say_item(struct client *client, const struct item *item) {
  if (item->said == SAID_CLOSE) {
    client_leave(client);
  } else if (!item->upgrade) {
    client_say(client, &item->words);
  }
}

/* Feeds an item, together with its neighbours if the mode says so; the last
 * item that was fed. */
static size_t feed_item(struct run *run, size_t index) {
  const struct script *script = run->script;
  const struct item *item = &script->items[index];
  struct stream *stream = &run->streams[item->stream];
  struct codes all = {0};

  for (;;) {
    if (stream->client != NULL) {
      say_item(stream->client, item);
    } else {
      codes_put_ids(&all, &item->codes, &stream->shower.shown);
    }
    if (run->mode->feeding != FEED_JOINED || index + 1 == script->item_count ||
        item[1].kind != ITEM_INPUT || item[1].stream != item->stream) {
      break;
    }
    item++;
    index++;
  }
  if (stream->client == NULL) {
    run_feed(stream, &all);
  }
  serve_ready(run);
  codes_free(&all);
  return index;
}

/* Time. */

void run_wait(struct run *run, sbk_msec span) {
  run->now += span;
  run->ahead += span;
  sbk_broker_tick(run->broker, run->now);
}

static void pass_time(struct run *run, sbk_msec span) {
  sbk_msec ahead = span < run->ahead ? span : run->ahead;
  sbk_msec end = run->now + span - ahead, due;
  size_t turns = 0;

  run->ahead -= ahead;

  for (;;) {
    due = sbk_broker_deadline(run->broker);
    if (due > end) {
      break;
    }
    run->now = due > run->now ? due : run->now;
    sbk_broker_tick(run->broker, run->now);
    serve_ready(run);
    if (run->clients > 0) { /* who is late is not that late */
      settle(run);
    }
    if (++turns > MAX_TURNS) {
      run_fault(run, "a deadline stays in the past");
      return;
    }
  }
  run->now = end;
  sbk_broker_tick(run->broker, run->now);
  serve_ready(run);
}

/* Streams. */

static int open_request(struct stream *stream, const struct item *item,
                        const char *name) {
  struct sbk_http_request request = SBK_HTTP_REQUEST_INIT;
  struct sbk_http_field fields[MAX_LIST] = {{0}};
  size_t i;

  request.method = item->fields[0];
  request.method_len = strlen(request.method);
  request.target = item->fields[1];
  request.target_len = strlen(request.target);
  for (i = 2; i < MAX_LIST && item->fields[i] != NULL; i++) {
    struct sbk_http_field *field = &fields[request.field_count++];
    const char *colon = strchr(item->fields[i], ':');

    field->name = item->fields[i];
    field->name_len = (size_t)(colon - field->name);
    field->value = colon + 1 + (colon[1] == ' ');
    field->value_len = strlen(field->value);
  }
  request.fields = fields;
  return sbk_conn_new_request(&stream->conn, stream->run->broker, &request,
                              name, stream);
}

static void check_opening(struct run *run, const struct item *item, int rv) {
  if (rv != (item->has_result ? item->result : 0) && !run->mode->unchecked) {
    run_fault(run, "the stream's opening gave %d", rv);
  }
}

static bool is_for_client(const struct run *run, const struct item *item) {
  return run->mode->over != OVER_WEBSOCKET &&
         (item->number == SBK_WEBSOCKET || item->upgrade);
}

static void free_client(struct stream *stream) {
  if (stream->client != NULL) {
    client_leave(stream->client);
    client_free(stream->client);
    stream->client = NULL;
  }
}

/* Its session and two connections. */
static void open_client(struct stream *stream, const struct item *item) {
  struct run *run = stream->run;

  run->conns += 2;
  heap.budget = 4 * run->received + 8192 * run->conns;
  check_opening(run, item, client_open(stream, item));
  serve_ready(run);
}

static void open_stream(struct run *run, const struct item *item) {
  struct stream *stream = &run->streams[item->stream];
  const char *name = run->script->streams[item->stream];
  int rv;

  run_end(stream, false);
  free_client(stream);
  stream->stalled = false;
  run->conns++;
  heap.budget = 4 * run->received + 8192 * run->conns;
  if (is_for_client(run, item)) {
    open_client(stream, item);
    return;
  }
  stream->shower.websocket = item->number == SBK_WEBSOCKET;
  stream->shower.http = item->number < SBK_WEBSOCKET;
  stream->has_session = item->number >= SBK_WEBSOCKET;
  stream->room = SIZE_MAX;
  rv = item->number == 0
           ? open_request(stream, item, name)
           : sbk_conn_new(&stream->conn, run->broker,
                          (enum sbk_transport)item->number, name, stream);
  host_result(run, rv);
  if (rv != 0 && stream->conn != NULL) {
    run_fault(run, "*conn is not NULL on failure");
  }
  check_opening(run, item, rv);
  if (stream->conn != NULL && sbk_conn_user_data(stream->conn) != stream) {
    run_fault(run, "sbk_conn_user_data() is something else");
  }
  if (rv == 0 && item->text != NULL && sbk_conn_session(stream->conn) != NULL) {
    rv = sbk_session_set_user(sbk_conn_session(stream->conn), item->text);
    if (host_result(run, rv) != 0) {
      run_end(stream, true); /* better nobody than somebody else */
    }
  }
  serve_ready(run);
}

static void host_item(struct run *run, const struct item *item) {
  int rv = host_act(run, item->text);

  serve_ready(run);
  if (run->mode->unchecked) {
    return;
  }
  if (item->has_result ? rv != item->result : rv < 0) {
    run_fault(run, "the host's call gave %d", rv);
  }
}

static void check_wants(struct run *run, const struct item *item) {
  struct stream *stream = &run->streams[item->stream];
  unsigned wants;

  settle(run);
  wants = stream->client != NULL ? client_wants(stream->client, item->number)
          : stream->conn != NULL ? sbk_conn_wants(stream->conn)
                                 : 0;
  if (wants != item->number && !run->mode->unchecked) {
    run_fault(run, "sbk_conn_wants() is %u", wants);
  }
}

/* Plays one item; the last one that was played. */
static size_t play_item(struct run *run, size_t index) {
  const struct item *item = &run->script->items[index];
  struct stream *stream = &run->streams[item->stream];

  switch (item->kind) {
  case ITEM_OPEN:
    open_stream(run, item);
    break;
  case ITEM_INPUT:
    return feed_item(run, index);
  case ITEM_TIME:
    pass_time(run, item->span);
    break;
  case ITEM_EOF:
    if (stream->client != NULL) {
      client_leave(stream->client);
      serve_ready(run);
    } else if (stream->conn != NULL) {
      sbk_conn_eof(stream->conn, (int)item->number);
      serve_ready(run);
    }
    break;
  case ITEM_FREE:
    if (stream->client != NULL) {
      client_leave(stream->client);
      serve_ready(run);
    } else if (stream->conn != NULL) {
      run_end(stream, false);
      serve_ready(run);
    }
    break;
  case ITEM_STALL:
    stream->stalled = true;
    stream->takes = item->number;
    if (stream->client != NULL) {
      client_stall(stream->client, true);
    }
    break;
  case ITEM_UNSTALL:
    stream->stalled = false;
    if (stream->client != NULL) {
      client_stall(stream->client, false);
    } else {
      run_serve(stream);
    }
    serve_ready(run);
    break;
  case ITEM_HOST:
    host_item(run, item);
    break;
  case ITEM_WANTS:
    check_wants(run, item);
    break;
  case ITEM_OUTPUT:
    if (stream->client != NULL && item->upgrade) {
      break;
    }
    codes_append(&stream->expected, &item->codes);
    break;
  }
  return index;
}

static void play_items(struct run *run) {
  const struct script *script = run->script;
  bool due = false; /* is there something to compare first? */
  size_t i;

  for (i = 0; i < script->item_count && !run->failed; i++) {
    enum item_kind kind = script->items[i].kind;

    if (kind < ITEM_WANTS && (due || kind == ITEM_TIME)) {
      compare(run);
      due = false;
    }
    run->line = script->items[i].line;
    i = play_item(run, i);
    due = due || kind >= ITEM_WANTS || kind == ITEM_TIME;
  }
  if (!run->failed) {
    compare(run);
  }
}

/* A session that only wants to talk to itself. */
static void play_probe(struct run *run) {
  static const char input[] =
      "CONNECT\naccept-version:1.2\nheart-beat:0,0\n\n%c"
      "SUBSCRIBE\nid:probe\ndestination:%s%cprobe\n\n%c"
      "SEND\ndestination:%s%cprobe\ncontent-type:text/plain\n\nare you "
      "there?%c";
  const char *const *prefixes = run->script->config.broker_prefixes;
  const char *prefix =
      prefixes != NULL && prefixes[0] != NULL ? prefixes[0] : "/topic";
  int separator = run->script->config.separator;
  char text[512];
  int len, rv;
  struct codes codes = {0};

  separator = separator != 0 ? separator : '/';
  len = snprintf(text, sizeof(text), input, 0, prefix, separator, 0, prefix,
                 separator, 0);
  codes_add_bytes(&codes, text, (size_t)len);
  run->probe.run = run;
  run->probe.room = SIZE_MAX;
  rv = sbk_conn_new(&run->probe.conn, run->broker, SBK_TCP, "probe",
                    &run->probe);
  if (rv != 0) {
    run_fault(run, "afterwards no fresh session: %d", rv);
  }
  feed_piece(&run->probe, codes.at, codes.len);
  settle(run);
  codes_free(&codes);
}

/* Streams whose session has ended are closing. */
static void look_at_streams(struct run *run) {
  unsigned i;

  for (i = 1; i < MAX_STREAMS; i++) {
    struct stream *stream = &run->streams[i];

    if (stream->client != NULL) {
      stream->closing = stream->closing || client_is_over(stream->client);
    } else if (stream->conn == NULL ||
               ((stream->has_session || stream->shower.websocket) &&
                sbk_conn_session(stream->conn) == NULL)) {
      stream->closing = true;
    }
  }
}

static void end_run(struct run *run, size_t live) {
  unsigned i;

  for (i = 1; i < MAX_STREAMS && !run->mode->leave_open; i++) {
    struct stream *stream = &run->streams[i];

    run_end(stream, false);
    if (stream->client != NULL) {
      client_hang_up(stream->client);
    }
  }
  run_end(&run->probe, false);
  sbk_broker_free(run->broker);
  run->broker = NULL;
  run->streams[0].shower.shown.len =
      run->streams[0].checked; /* not the end's */
  if (heap.live != live) {
    run_fault(run, "%zd allocations were never freed",
              (ssize_t)(heap.live - live));
  }
  if (heap.excess > 0 && !run->script->no_peak) {
    run_fault(run, "memory: %zu bytes more than 4 x %zu received + 8 KiB x %zu",
              heap.excess, run->received, run->conns);
  }
}

/* The sessions that a connection has opened over requests, the last one. */
struct search {
  const char *peer;
  sbk_session *session;
};

static int is_peers(sbk_session *session, void *arg) {
  struct search *search = arg;

  if (strcmp(sbk_session_peer(session), search->peer) == 0) {
    search->session = session;
  }
  return 0;
}

sbk_session *run_session(const struct stream *stream) {
  struct search search = {stream->run->script->streams[stream->index], NULL};

  if (stream->client != NULL) {
    return client_has_session(stream->client);
  }
  if (stream->conn != NULL) {
    search.session = sbk_conn_session(stream->conn);
  }
  if (search.session == NULL && stream->shower.http) {
    sbk_each_session(stream->run->broker, NULL, is_peers, &search);
  }
  return search.session;
}

void run_play(struct run *run, const struct script *script,
              const struct mode *mode) {
  size_t live = heap.live;
  unsigned i;
  int rv;

  memset(run, 0, sizeof(*run));
  run->script = script;
  run->mode = mode;
  run->now = mode->start;
  for (i = 0; i < MAX_STREAMS; i++) {
    run->streams[i].run = run;
    run->streams[i].index = i;
  }
  heap_reset();
  heap.fail_at = mode->fail_at;
  heap.fail_on = mode->fail_on;
  rv = host_setup(run);
  if (rv != 0) {
    run_fault(run, "the broker's setup gave %d", rv);
  } else {
    sbk_broker_tick(run->broker, run->now);
    heap.base = heap.bytes;
    heap.watched = mode->fail_at == 0;
    if (!run->setup_failed || !mode->fail_on) {
      play_items(run);
    }
    heap.watched = false;
    heap.fail_at = 0;
    look_at_streams(run);
    if (mode->probe && !script->no_probe) {
      play_probe(run);
    }
  }
  run->line = 0;
  end_run(run, live);
}

void run_clear(struct run *run) {
  unsigned i;

  for (i = 0; i < MAX_STREAMS; i++) {
    shower_free(&run->streams[i].shower);
    codes_free(&run->streams[i].expected);
    own_free(run->streams[i].late_copy);
    client_free(run->streams[i].client);
  }
  shower_free(&run->probe.shower);
  own_free(run->probe.late_copy);
}
