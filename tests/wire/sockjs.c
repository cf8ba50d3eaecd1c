#include "sockjs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "frames.h"
#include "heap.h"

/* Answers that bring nothing, one after another; then it gives up. */
#define MAX_TRIES 3

struct client {
  struct stream *stream;
  struct stream receiver;
  struct stream sender;
  struct answer taken; /* under way, of each */
  struct answer sent;
  struct codes frame;  /* the same, a line */
  struct codes outbox; /* messages that wait, in JSON */
  sbk_session *session;
  char path[160];
  char *fields; /* lines of every request */
  const char *user;
  unsigned tries;
  unsigned answers; /* asked for */
  unsigned frames;  /* in the answer under way */
  size_t prelude;
  bool asking;
  bool sending;
  bool breaks;   /* the answer under way … */
  bool measured; /* … and where is known */
  bool opened;   /* `o` came */
  bool closed;   /* `c` came */
  bool left;
  bool upgrades; /* the transcript's handshakes concern it */
  bool gave_up;
  bool ended; /* the host was told so */
  bool shown_end;
};

static bool streams(const struct client *client) {
  return client->stream->run->mode->over == OVER_XHR_STREAMING;
}

bool client_is_over(const struct client *client) {
  return client->closed || client->left || client->gave_up || client->ended;
}

/* Does it still talk? */
static bool is_up(const struct client *client) {
  return !client->closed && !client->left && !client->gave_up;
}

void client_hang_up(struct client *client) {
  run_end(&client->receiver, false);
  run_end(&client->sender, false);
  client->asking = client->sending = false;
  /* What came meanwhile nobody reads. */
  codes_clear(&client->receiver.shower.shown);
  codes_clear(&client->sender.shower.shown);
  codes_clear(&client->outbox);
}

static void show_end(struct client *client) {
  client_hang_up(client);
  if (!client->shown_end) {
    codes_add(&client->stream->shower.shown, CODE_END);
  }
  client->shown_end = true;
}

/* As a real one does when a request fails: its page hears of a close. */
static void give_up(struct client *client) {
  client->gave_up = true;
  client->stream->closing = true;
  show_end(client);
}

/* ---- what it asks ---- */

static int dial(struct client *client, struct stream *stream) {
  struct run *run = client->stream->run;
  int rv;

  stream->room = SIZE_MAX;
  stream->stalled = stream == &client->receiver && client->stream->stalled;
  codes_clear(&stream->shower.shown);
  rv = sbk_conn_new(&stream->conn, run->broker, SBK_HTTP,
                    run->script->streams[client->stream->index], stream);
  return host_result(run, rv);
}

static void ask(struct client *client, struct stream *stream, const char *what,
                const struct codes *body) {
  char head[512];
  struct codes request = {0};
  int path_len = (int)strcspn(client->path, "?");

  snprintf(head, sizeof(head),
           "POST %.*s/%s%s HTTP/1.1\r\nHost: server.example\r\n%s"
           "Content-Length: %zu\r\n\r\n",
           path_len, client->path, what, client->path + path_len,
           client->fields, body->len);
  codes_add_text(&request, head);
  codes_append(&request, body);
  run_feed(stream, &request);
  codes_free(&request);
}

static int receive(struct client *client) {
  const struct mode *mode = client->stream->run->mode;
  const struct codes nothing = {0};
  int rv = 0;

  if (client->receiver.conn == NULL) {
    rv = dial(client, &client->receiver);
  }
  if (rv != 0) {
    return rv;
  }
  client->asking = true;
  client->breaks = mode->breaks && client->answers++ % 2 == 0;
  client->frames = 0;
  client->prelude = 0;
  client->measured = false;
  client->receiver.room = SIZE_MAX;
  answer_clear(&client->taken);
  codes_clear(&client->frame);
  ask(client, &client->receiver, streams(client) ? "xhr_streaming" : "xhr",
      &nothing);
  return 0;
}

static void send(struct client *client) {
  if (client->sender.conn == NULL && dial(client, &client->sender) != 0) {
    give_up(client);
    return;
  }
  client->sending = true;
  answer_clear(&client->sent);
  codes_add(&client->outbox, ']');
  ask(client, &client->sender, "xhr_send", &client->outbox);
  codes_clear(&client->outbox);
}

void client_say(struct client *client, const struct codes *message) {
  if (!is_up(client)) {
    return; /* its page knows, and says nothing more */
  }
  codes_add(&client->outbox, client->outbox.len > 0 ? ',' : '[');
  answer_string(&client->outbox, message);
}

/* ---- what comes ---- */

static struct run *run_of(const struct client *client) {
  return client->stream->run;
}

static void wrong(const struct client *client, const char *what) {
  struct run *run = run_of(client);

  run_fault(run, "%s: %s", run->script->streams[client->stream->index], what);
}

/* What every answer that is not a refusal has. */
static void check_head(const struct client *client, const struct answer *answer,
                       const char *type) {
  char value[128];

  if (strcmp(answer_field(answer, "Content-Type", value, sizeof(value)),
             type) != 0 ||
      strcmp(
          answer_field(answer, "X-Content-Type-Options", value, sizeof(value)),
          "nosniff") != 0 ||
      strncmp(answer_field(answer, "Cache-Control", value, sizeof(value)),
              "no-store", 8) != 0) {
    wrong(client, "the head of an answer lacks something");
  }
  if (strcmp(answer_field(answer, "X-Accel-Buffering", value, sizeof(value)),
             answer == &client->taken && streams(client) ? "no" : "") != 0) {
    wrong(client, "proxies are told something else");
  }
}

/* A whole line of an answer. */
static void frame_came(struct client *client) {
  struct codes *shown = &client->stream->shower.shown;
  const struct codes *frame = &client->frame;
  bool fine = !client->closed && !client->left;

  client->frames++;
  client->tries = 0;
  switch (frame->len > 0 ? frame->at[0] : 0) {
  case 'o':
    if (client->opened && run_of(client)->mode->unchecked) {
      give_up(client); /* its session has ended, and it did not hear of it */
      return;
    }
    fine = fine && frame->len == 1 && !client->opened;
    client->opened = true;
    break;
  case 'h':
    fine = fine && frame->len == 1 && client->opened;
    break;
  case 'a':
    fine = fine && client->opened && answer_messages(shown, frame);
    break;
  default:
    /* One that found no memory to open may have nothing else to say. */
    fine = fine && (client->opened || run_of(client)->mode->unchecked) &&
           answer_close(shown, frame);
    client->closed = true;
    break;
  }
  if (!fine) {
    wrong(client, "a frame of SockJS that must not come:");
    codes_print_diff(&(struct codes){0}, frame);
  }
}

/* sockjs-protocol 0.3.3, XhrStreaming: 2 KiB that say nothing come first. */
static bool is_prelude(struct client *client, unsigned byte) {
  static const size_t len = 2048;

  if (!streams(client) || client->prelude > len) {
    return false;
  }
  if (byte != (client->prelude < len ? 'h' : '\n')) {
    wrong(client, "the prelude is something else");
  }
  client->prelude++;
  return true;
}

static void answer_came(struct client *client) {
  client->asking = false;
  if (client->taken.close) {
    run_end(&client->receiver, false);
  }
  if (client->taken.status == 404) { /* nobody knows the session */
    give_up(client);
  } else if (client->taken.status != 200) {
    client->tries++;
  } else if (client->frame.len > 0 ||
             (!streams(client) && client->frames != 1)) {
    wrong(client, "an answer ends within a frame, or without one");
  }
}

static void take_byte(struct client *client, unsigned byte) {
  struct answer *answer = &client->taken;
  bool head = answer->status == 0;
  unsigned what = answer_byte(answer, byte);

  if (!client->asking || (what & ANSWER_BROKEN)) {
    wrong(client, "that is no answer to who receives");
    return;
  }
  if (head && answer->status == 200) {
    check_head(client, answer, "application/javascript; charset=UTF-8");
  }
  if ((what & ANSWER_BODY) && answer->status == 200 &&
      !is_prelude(client, byte)) {
    if (byte != '\n') {
      codes_add(&client->frame, byte);
    } else if (streams(client)) {
      frame_came(client);
      codes_clear(&client->frame);
    } else if (client->frames++ > 0) {
      wrong(client, "two frames for one poll");
    }
  }
  if (what & ANSWER_WHOLE) {
    if (!streams(client) && answer->status == 200 && client->frames == 1) {
      client->frames = 0; /* a poll's counts when the answer is whole */
      frame_came(client);
      codes_clear(&client->frame);
    }
    answer_came(client);
  }
}

/* The connection has ended; what was half there is not there. */
static void receiver_ended(struct client *client) {
  bool meant = client->breaks && client->receiver.room == 0;

  if (client->asking && !meant && !client->receiver.stalled) {
    client->tries++;
    if (!run_of(client)->mode->unchecked && is_up(client)) {
      wrong(client, "an answer was not ended");
    }
  }
  /* Who does not read does not see the end either. */
  client->asking = client->receiver.stalled;
}

static void sent_came(struct client *client) {
  client->sending = false;
  if (client->sent.close) {
    run_end(&client->sender, false);
  }
  if (client->sent.status == 204) {
    return;
  }
  /* 404: the session has ended; why, another answer says. */
  if (client->sent.status != 404 && !run_of(client)->mode->unchecked) {
    wrong(client, "what was sent was not taken");
  } else if (client->sent.status != 404) {
    give_up(client);
  }
  codes_clear(&client->outbox);
}

static void sender_byte(struct client *client, unsigned byte) {
  struct answer *answer = &client->sent;
  bool head = answer->status == 0;
  unsigned what = answer_byte(answer, byte);

  if (!client->sending || (what & ANSWER_BROKEN)) {
    wrong(client, "that is no answer to who sends");
    return;
  }
  if (head && answer->status == 204) {
    check_head(client, answer, "text/plain; charset=UTF-8");
  }
  if (what & ANSWER_WHOLE) {
    sent_came(client);
  }
}

static void sender_ended(struct client *client) {
  if (client->sending && is_up(client)) {
    /* Whether it was taken cannot be known. */
    if (!run_of(client)->mode->unchecked) {
      wrong(client, "what was sent was not answered");
    }
    give_up(client);
  }
  client->sending = false;
}

/* All that has come; false: nothing has. */
static bool read_all(struct client *client, struct stream *stream,
                     void (*byte)(struct client *, unsigned),
                     void (*ended)(struct client *)) {
  struct codes came = stream->shower.shown;
  size_t i;

  memset(&stream->shower.shown, 0, sizeof(came));
  for (i = 0; i < came.len && !run_of(client)->failed && !client->gave_up;
       i++) {
    if (came.at[i] == CODE_END) {
      ended(client);
    } else {
      byte(client, came.at[i]);
    }
  }
  codes_free(&came);
  return i > 0;
}

bool client_turn(struct client *client) {
  const struct mode *mode = run_of(client)->mode;
  bool did = read_all(client, &client->sender, sender_byte, sender_ended);

  did = read_all(client, &client->receiver, take_byte, receiver_ended) || did;
  if (mode->breaks && !client->breaks && streams(client) && client->asking &&
      client->frames > 0) {
    run_end(&client->receiver, false); /* so that another one can break off */
    client->asking = false;
    did = true;
  }
  if (client->tries > MAX_TRIES && is_up(client)) {
    give_up(client);
  }
  if (is_up(client) && !client->asking) {
    if (receive(client) != 0) {
      client->tries++;
    }
    return true; /* what came at once is read before more is said */
  }
  if (is_up(client) && !client->sending && client->outbox.len > 0) {
    send(client);
    did = true;
  }
  return did;
}

/* ---- where it breaks off ---- */

/* The bytes in front of the first frame. */
static size_t base_of(const struct client *client, const struct iovec *iov,
                      int count) {
  size_t base = 0, at;
  unsigned state = 0;
  int i;

  for (i = 0; i < count; i++) {
    const char *bytes = iov[i].iov_base;

    for (at = 0; at < iov[i].iov_len; at++) {
      base++;
      state = bytes[at] == (state % 2 == 0 ? '\r' : '\n') ? state + 1 : 0;
      if (state == 4) {
        return base + (streams(client) ? strlen("801\r\n") + 2049 + 2 : 0);
      }
    }
  }
  return base;
}

size_t client_room(struct client *client, const struct stream *stream,
                   const struct iovec *iov, int count) {
  const struct mode *mode = run_of(client)->mode;

  if (stream == &client->receiver && client->breaks && !client->measured) {
    client->measured = true;
    client->receiver.room =
        (mode->break_early ? 0 : base_of(client, iov, count)) + mode->break_at;
  }
  return stream->room;
}

/* ---- its life ---- */

/* The lines that a transcript's upgrade has more, and user. */
static void set_fields(struct client *client, const struct item *item) {
  size_t len = 0, i;

  for (i = 1; item->fields[0] != NULL && item->fields[i] != NULL; i++) {
    len += strlen(item->fields[i]) + 2;
  }
  client->fields = own_realloc(NULL, len + 1);
  client->fields[0] = '\0';
  for (i = 1; item->fields[0] != NULL && item->fields[i] != NULL; i++) {
    if (item->fields[i][0] != '-') {
      strcat(client->fields, item->fields[i]);
      strcat(client->fields, "\r\n");
    }
  }
  client->user = item->text;
}

int client_open(struct stream *stream, const struct item *item) {
  struct client *client = own_realloc(NULL, sizeof(*client));
  struct run *run = stream->run;
  const char *path = item->fields[0] != NULL ? item->fields[0] : "/ws";
  int path_len = (int)strcspn(path, "?");
  int rv;

  memset(client, 0, sizeof(*client));
  client->stream = stream;
  client->receiver.run = client->sender.run = run;
  client->receiver.owner = client->sender.owner = client;
  client->upgrades = item->upgrade;
  set_fields(client, item);
  /* Each opening is a session of its own. */
  snprintf(client->path, sizeof(client->path), "%.*s/000/%s-%u%s", path_len,
           path, run->script->streams[stream->index], run->clients++,
           path + path_len);
  stream->client = client;
  rv = receive(client);
  client->gave_up = rv != 0;
  return rv;
}

void client_stall(struct client *client, bool stalled) {
  client->receiver.stalled = stalled;
  if (!stalled) {
    client->asking = client->asking && client->receiver.conn != NULL;
    run_serve(&client->receiver);
  }
}

unsigned client_wants(const struct client *client, unsigned expected) {
  const struct stream *receiver = &client->receiver;
  unsigned takes = receiver->conn != NULL ? sbk_conn_wants(receiver->conn) : 0;

  if (client_is_over(client)) {
    return 0;
  }
  if (client->sending || expected == SBK_WANT_HOLD) {
    return SBK_WANT_HOLD;
  }
  return (expected & SBK_WANT_READ) | (takes & SBK_WANT_WRITE);
}

void client_leave(struct client *client) {
  bool alive = !client->closed && !client->left;

  client_hang_up(client);
  client->left = true;
  if (alive) {
    run_wait(run_of(client), client_delay(run_of(client)->script));
  }
}

sbk_msec client_delay(const struct script *script) {
  return script->sockjs.disconnect_delay > 0 ? script->sockjs.disconnect_delay
                                             : 1;
}

void client_compare(struct client *client, struct codes *expected) {
  size_t i, len = 0;
  bool close = false;

  if (client->left) { /* who has gone is not told of a Close */
    for (i = 0; i < expected->len; i++) {
      close = expected->at[i] == CODE_CLOSE ||
              (close && expected->at[i] < CODE_TEXT);
      if (!close) {
        expected->at[len++] = expected->at[i];
      }
    }
    expected->len = len;
  }
  if (expected->len > 0 && expected->at[expected->len - 1] == CODE_END &&
      client_is_over(client)) {
    show_end(client);
  }
}

bool client_sends_on(const struct client *client, const struct stream *stream) {
  return stream == &client->sender;
}

size_t client_conns(const struct client *client) {
  return (size_t)(client->receiver.conn != NULL) +
         (size_t)(client->sender.conn != NULL);
}

struct stream *client_stream(struct client *client, unsigned number) {
  return number == 0 ? &client->receiver : number == 1 ? &client->sender : NULL;
}

void client_free(struct client *client) {
  struct stream *stream;
  unsigned i;

  if (client == NULL) {
    return;
  }
  for (i = 0; (stream = client_stream(client, i)) != NULL; i++) {
    shower_free(&stream->shower);
    own_free(stream->late_copy);
  }
  codes_free(&client->frame);
  codes_free(&client->outbox);
  own_free(client->fields);
  own_free(client);
}

/* ---- the host ---- */

void client_session(struct client *client, sbk_session *session) {
  if (session == NULL || !client->ended) {
    client->session = session;
  }
  client->ended = client->ended || session == NULL;
}

sbk_session *client_has_session(const struct client *client) {
  return client->session != NULL || client->receiver.conn == NULL
             ? client->session
             : sbk_conn_session(client->receiver.conn);
}

bool client_has_handshake(const struct client *client) {
  return client->upgrades;
}

int client_handshake(struct client *client, sbk_request *request) {
  return client->user != NULL ? sbk_request_set_user(request, client->user) : 0;
}

int client_reason(const struct client *client, int reason) {
  return reason;
}

/* ---- transcripts ---- */

const char *const reason_names[REASON_COUNT] = {
    [REASON_NONE] = "",
    [REASON_NO_WEBSOCKET] = "no WebSocket",
    [REASON_FRAMES] = "frames of WebSocket",
    [REASON_UTF8] = "messages that are not UTF-8",
    [REASON_HANDSHAKE] = "details of a handshake",
    [REASON_COUNTS] = "limits of connections",
    [REASON_SAYS_SO] = "they say so",
};

enum playing { PLAY_AS_IS, PLAY_CLIENT, PLAY_HTTP };

static enum reason input_reason(const struct item *item) {
  if (item->upgrade || item->said == SAID_CLOSE) {
    return REASON_NONE;
  }
  if (item->said != SAID_TEXT) {
    return REASON_FRAMES;
  }
  return is_utf8(item->words.at, item->words.len) ? REASON_NONE : REASON_UTF8;
}

static enum reason output_reason(const struct item *item) {
  size_t i;

  for (i = 0; i < item->codes.len; i++) {
    unsigned code = item->codes.at[i];

    if (code == CODE_BINARY || code == CODE_PING || code == CODE_PONG) {
      return REASON_FRAMES;
    }
  }
  return REASON_NONE;
}

static bool has_frames(const struct item *item) {
  size_t i;

  for (i = 0; i < item->codes.len; i++) {
    if (item->codes.at[i] >= CODE_TEXT && item->codes.at[i] <= CODE_CLOSE) {
      return true;
    }
  }
  return false;
}

enum reason sockjs_reason(const struct script *script) {
  enum playing playing[MAX_STREAMS] = {PLAY_AS_IS};
  enum reason reason = REASON_NONE;
  bool any = false;
  size_t i;

  if (script->no_sockjs) {
    return REASON_SAYS_SO;
  }
  if (script->config.max_connections > 0 || script->config.max_pending > 0) {
    return REASON_COUNTS;
  }
  for (i = 0; i < script->item_count && reason == REASON_NONE; i++) {
    const struct item *item = &script->items[i];
    enum playing *how = &playing[item->stream];

    if (item->kind == ITEM_OPEN) {
      *how = item->number == SBK_WEBSOCKET || item->upgrade ? PLAY_CLIENT
             : item->number < SBK_WEBSOCKET                 ? PLAY_HTTP
                                                            : PLAY_AS_IS;
      any = any || *how == PLAY_CLIENT;
    } else if (item->kind == ITEM_INPUT && *how == PLAY_CLIENT) {
      reason = input_reason(item);
    } else if (item->kind == ITEM_OUTPUT && *how == PLAY_CLIENT) {
      reason = output_reason(item);
    } else if (item->kind == ITEM_OUTPUT && *how == PLAY_HTTP &&
               has_frames(item)) {
      reason = REASON_HANDSHAKE;
    }
  }
  return reason == REASON_NONE && !any ? REASON_NO_WEBSOCKET : reason;
}
