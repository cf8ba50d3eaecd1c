/*
 * A whole broker: the first byte says how what peers send is cut, the second
 * how the observer comes, and the rest is a program: an operation, a byte or
 * more for its details, and the next. Peers are fed bytes of the input and
 * frames that are well-formed; whatever they and the host do, the observer gets
 * each of its own messages once and in order, connections want what their
 * output says, and no memory is left.
 */
#include "broker_host.h"

#define PEERS   4
#define AWAITED 64

enum way { WAY_TCP, WAY_WEBSOCKET, WAY_HTTP, WAYS };

struct peer {
  struct world *world;
  sbk_conn *conn; /* NULL: there is none */
  enum way way;
  bool framed;        /* it speaks WebSocket, as far as we know */
  bool pieces;        /* its output is taken by sbk_conn_output() */
  bool ended;         /* it wanted nothing, or the end of the sending side */
  unsigned wants;     /* when the host last looked */
  struct iovec held;  /* what was handed out, */
  uint8_t *held_copy; /* and what it was then */
};

/* A frame that the observer is to get: a message with that number, or the
 * receipt for it. */
struct awaited {
  bool receipt;
  unsigned number;
  size_t size;
};

struct world {
  struct host host; /* first, so that it is found from the host */
  struct fuzz in;
  uint32_t cuts;
  struct peer peers[PEERS];
  size_t fail; /* the next feed: its allocations fail from there on; 0: none */
  bool over;   /* the broker was told to shut down */
  sbk_conn *observer;
  bool framed;
  sbk__str raw;   /* what came to the observer, as it came */
  sbk__str heard; /* the STOMP in it */
  size_t done;    /* how much of that was understood */
  bool hello;
  unsigned number;
  struct awaited awaited[AWAITED];
  size_t first, count;
};

/* ---- what is sent ---- */

/* RFC 6455, 5.2: one frame, masked with zeros. */
static void put_framed(sbk__str *out, uint8_t opcode, const void *data,
                       size_t len) {
  uint8_t head[8] = {(uint8_t)(0x80 | opcode), (uint8_t)(0x80 | len)};
  size_t size = 6;

  HOLDS(len < 65536);
  if (len >= 126) {
    head[1] = 0x80 | 126;
    head[2] = (uint8_t)(len >> 8);
    head[3] = (uint8_t)len;
    size = 8;
  }
  sbk__str_add(out, head, size);
  sbk__str_add(out, data, len);
}

static void put_body(sbk__str *out, unsigned number, size_t size) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

  sbk__str_add_u64(out, number);
  sbk__str_addz(out, ":");
  for (; size > 26; size -= 26) {
    sbk__str_add(out, letters, 26);
  }
  sbk__str_add(out, letters, size);
}

static size_t take_size(struct world *w) {
  static const size_t sizes[] = {0, 1, 10, 130, 1000, 5000};

  return sizes[fuzz_byte(&w->in) % 6];
}

static const char *const destinations[] = {
    "/topic/1",      "/topic/2",         "/topic/*",
    "/topic/**",     "/topic/kept",      "/topic/old",
    "/topic/new",    "/queue/jobs",      "/queue/other",
    "/user/queue/x", "/user/u1/queue/x", "/user/queue/errors",
    "/app/echo",     "/app/fail",        "/app/late",
    "/app/to/1",     "/topic/?",         "/user/queue/echo",
    "/elsewhere",    OBSERVER_TOPIC};

static const char *take_destination(struct world *w) {
  return destinations[fuzz_byte(&w->in) %
                      (sizeof(destinations) / sizeof(destinations[0]))];
}

/* In place of # comes a digit, of $ a destination, of @ a body. */
static const char *const frames[] = {
    "CONNECT\naccept-version:1.2\nheart-beat:0,0\n\n",
    "CONNECT\naccept-version:1.1\nlogin:u#\n\n",
    "CONNECT\nlogin:u#\n\n",
    "STOMP\naccept-version:1.2\nhost:h\nheart-beat:#000,#000\nlogin:u#\n\n",
    "SUBSCRIBE\nid:#\ndestination:$\nreceipt:#\n\n",
    "SUBSCRIBE\nid:#\ndestination:$\nack:client\nprefetch-count:#\n\n",
    "SUBSCRIBE\nid:#\ndestination:$\nack:client-individual\n\n",
    "SUBSCRIBE\nid:#\ndestination:$\nhistory:#\nno-local:true\n\n",
    "UNSUBSCRIBE\nid:#\nreceipt:#\n\n",
    "SEND\ndestination:$\n\n@",
    "SEND\ndestination:$\nreceipt:#\nretain:true\n\n@",
    "SEND\ndestination:$\ntransaction:#\n\n@",
    "BEGIN\ntransaction:#\n\n",
    "COMMIT\ntransaction:#\nreceipt:#\n\n",
    "ABORT\ntransaction:#\n\n",
    "ACK\nid:#\n\n",
    "NACK\nid:#\nreceipt:#\n\n",
    "ACK\nsubscription:#\nmessage-id:#\ntransaction:#\n\n",
    "DISCONNECT\nreceipt:#\n\n",
    "DISCONNECT\n\n",
};

static void put_frame(struct world *w, sbk__str *out) {
  const char *at =
      frames[fuzz_byte(&w->in) % (sizeof(frames) / sizeof(frames[0]))];
  char digit;

  for (; *at != '\0'; at++) {
    if (*at == '#') {
      digit = (char)('0' + fuzz_byte(&w->in) % 8);
      sbk__str_add(out, &digit, 1);
    } else if (*at == '$') {
      sbk__str_addz(out, take_destination(w));
    } else if (*at == '@') {
      put_body(out, 7, take_size(w));
    } else {
      sbk__str_add(out, at, 1);
    }
  }
  sbk__str_add(out, "", 1);
}

/* In place of # comes a digit, of @ what is posted. */
static const char *const requests[] = {
    "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade"
    "\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "GET /ws/0/#/websocket HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "POST /ws/0/#/xhr HTTP/1.1\r\nHost: h\r\n\r\n",
    "POST /ws/0/#/xhr_streaming HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /ws/0/#/eventsource HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /ws/0/#/htmlfile?c=x HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /ws/0/#/jsonp?c=x HTTP/1.1\r\nHost: h\r\n\r\n",
    "POST /ws/0/#/xhr_send HTTP/1.1\r\nHost: h\r\n@",
    "POST /ws/0/#/jsonp_send HTTP/1.1\r\nHost: h\r\n@",
    "GET /ws/info HTTP/1.1\r\nHost: h\r\n\r\n",
    "OPTIONS /ws/0/#/xhr HTTP/1.1\r\nHost: h\r\nOrigin: http://h\r\n\r\n",
    "GET /page?q=# HTTP/1.1\r\nHost: h\r\nCookie: c=#\r\n\r\n",
    "HEAD /page HTTP/1.1\r\nHost: h\r\n\r\n",
    "POST /other HTTP/1.1\r\nHost: h\r\n@",
    "GET /ws/0/#/xhr HTTP/1.0\r\n\r\n",
};

/* A frame as SockJS posts it. */
static void put_posted(struct world *w, sbk__str *out) {
  sbk__str frame, json;
  size_t i;

  sbk__str_init(&frame, sbk__mem_default());
  sbk__str_init(&json, sbk__mem_default());
  put_frame(w, &frame);
  sbk__str_addz(&json, "[\"");
  for (i = 0; i < frame.len; i++) {
    if (frame.data[i] == '\n') {
      sbk__str_addz(&json, "\\n");
    } else if (frame.data[i] == '\0') {
      sbk__str_addz(&json, "\\u0000");
    } else {
      sbk__str_add(&json, frame.data + i, 1);
    }
  }
  sbk__str_addz(&json, "\"]");
  sbk__str_addz(out, "Content-Length: ");
  sbk__str_add_u64(out, json.len);
  sbk__str_addz(out, "\r\n\r\n");
  sbk__str_add(out, json.data, json.len);
  sbk__str_free(&frame);
  sbk__str_free(&json);
}

static void put_request(struct world *w, struct peer *p, sbk__str *out) {
  const size_t which =
      fuzz_byte(&w->in) % (sizeof(requests) / sizeof(requests[0]));
  const char *at;
  char digit;

  for (at = requests[which]; *at != '\0'; at++) {
    if (*at == '#') {
      digit = (char)('0' + fuzz_byte(&w->in) % 3);
      sbk__str_add(out, &digit, 1);
    } else if (*at == '@') {
      put_posted(w, out);
    } else {
      sbk__str_add(out, at, 1);
    }
  }
  p->framed = p->framed || (which == 0 && p->way == WAY_HTTP);
}

/* ---- the observer ---- */

static void await(struct world *w, bool receipt, unsigned number, size_t size) {
  HOLDS(w->count < AWAITED);
  w->awaited[(w->first + w->count++) % AWAITED] =
      (struct awaited){receipt, number, size};
}

static void say(struct world *w, const sbk__str *frame) {
  sbk__str framed;

  sbk__str_init(&framed, sbk__mem_default());
  put_framed(&framed, 2, frame->data, frame->len);
  sbk_conn_feed(w->observer, w->host.now, w->framed ? framed.data : frame->data,
                w->framed ? framed.len : frame->len);
  sbk__str_free(&framed);
}

static void publish(struct world *w, size_t size) {
  sbk__str frame;

  if (w->over) {
    return;
  }
  sbk__str_init(&frame, sbk__mem_default());
  await(w, false, ++w->number, size);
  await(w, true, w->number, 0);
  sbk__str_addz(&frame, "SEND\ndestination:" OBSERVER_TOPIC "\nreceipt:");
  sbk__str_add_u64(&frame, w->number);
  sbk__str_addz(&frame, "\n\n");
  put_body(&frame, w->number, size);
  sbk__str_add(&frame, "", 1);
  say(w, &frame);
  sbk__str_free(&frame);
}

static void send_to_observer(struct host *host) {
  struct world *w = (struct world *)(void *)host;
  sbk__str body;

  if (w->over || w->count == AWAITED) {
    return;
  }
  sbk__str_init(&body, sbk__mem_default());
  await(w, false, ++w->number, 100);
  put_body(&body, w->number, 100);
  HOLDS(sbk_send(host->broker, OBSERVER_TOPIC, NULL, body.data, body.len) > 0);
  sbk__str_free(&body);
}

static void hear_what_was_awaited(struct world *w, const char *frame,
                                  size_t body_at, size_t body_len) {
  struct awaited *next = &w->awaited[w->first % AWAITED];
  char line[32];
  sbk__str body;

  if (!w->hello) {
    HOLDS(strncmp(frame, "CONNECTED\n", 10) == 0);
    w->hello = true;
    return;
  }
  if (w->over && strncmp(frame, "ERROR\n", 6) == 0) {
    return;
  }
  HOLDS(w->count > 0);
  if (next->receipt) {
    snprintf(line, sizeof(line), "\nreceipt-id:%u\n", next->number);
    HOLDS(strncmp(frame, "RECEIPT\n", 8) == 0 && strstr(frame, line) != NULL);
  } else {
    sbk__str_init(&body, sbk__mem_default());
    put_body(&body, next->number, next->size);
    HOLDS(strncmp(frame, "MESSAGE\n", 8) == 0);
    HOLDS(body.len == body_len &&
          memcmp(body.data, frame + body_at, body_len) == 0);
    sbk__str_free(&body);
  }
  w->first++;
  w->count--;
}

/* One frame of STOMP from the front of what was heard; false: none is whole.
 * No body of the observer's has a NUL in it. */
static bool hear_frame(struct world *w) {
  const char *frame = w->heard.data + w->done, *end, *blank;

  while (w->done < w->heard.len && *frame == '\n') { /* a heart-beat */
    frame++;
    w->done++;
  }
  end = w->heard.len > w->done ? memchr(frame, '\0', w->heard.len - w->done)
                               : NULL;
  if (end == NULL) {
    return false;
  }
  blank = strstr(frame, "\n\n");
  HOLDS(blank != NULL);
  hear_what_was_awaited(w, frame, (size_t)(blank + 2 - frame),
                        (size_t)(end - blank - 2));
  w->done += (size_t)(end - frame) + 1;

  return true;
}

/* Takes the frames of WebSocket apart. */
static void unframe(struct world *w) {
  const uint8_t *raw = (const uint8_t *)w->raw.data;
  size_t at = 0, head, len;

  while (w->raw.len - at >= 2) {
    head = raw[at + 1] == 126 ? 4 : 2;
    HOLDS((raw[at] & 0x70) == 0 && raw[at + 1] <= 126);
    if (w->raw.len - at < head) {
      break;
    }
    len = head == 2 ? raw[at + 1]
                    : (size_t)raw[at + 2] << 8 | (size_t)raw[at + 3];
    if (w->raw.len - at < head + len) {
      break;
    }
    if ((raw[at] & 15) < 8) {
      sbk__str_add(&w->heard, raw + at + head, len);
    } else {
      HOLDS(w->over); /* a Close */
    }
    at += head + len;
  }
  HOLDS(at == w->raw.len); /* we took all that there was */
  w->raw.len = 0;
}

static void observe(struct world *w) {
  uint8_t part[512];
  size_t len;

  while ((len = sbk_conn_copy_out(w->observer, part, sizeof(part))) > 0) {
    sbk_conn_sent(w->observer, len);
    sbk__str_add(w->framed ? &w->raw : &w->heard, part, len);
  }
  if (w->framed) {
    unframe(w);
  }
  while (hear_frame(w)) {
  }
  if (w->done == w->heard.len) {
    w->heard.len = w->done = 0;
  }
  if (!w->over) {
    HOLDS(sbk_conn_wants(w->observer) == SBK_WANT_READ);
    HOLDS(w->count == 0);
    HOLDS(!w->host.observer_ended);
  }
}

static void observer_comes(struct world *w, uint8_t how) {
  sbk__str frame;

  w->framed = how % 2 == 1;
  HOLDS(sbk_conn_new(&w->observer, w->host.broker,
                     w->framed ? SBK_WEBSOCKET : SBK_TCP, OBSERVER_PEER,
                     NULL) == 0);
  sbk__str_init(&frame, sbk__mem_default());
  sbk__str_addz(&frame, "CONNECT\naccept-version:1.2\nheart-beat:0,0\n\n");
  sbk__str_add(&frame, "", 1);
  sbk__str_addz(&frame, "SUBSCRIBE\nid:1\ndestination:" OBSERVER_TOPIC "\n\n");
  sbk__str_add(&frame, "", 1);
  say(w, &frame);
  sbk__str_free(&frame);
  observe(w);
  HOLDS(w->hello);
}

/* ---- peers ---- */

/* What is held has to be what it was. */
static void check_held(const struct peer *p) {
  HOLDS(p->held_copy == NULL ||
        memcmp(p->held.iov_base, p->held_copy, p->held.iov_len) == 0);
}

static void let_go(struct peer *p) {
  check_held(p);
  free(p->held_copy);
  p->held_copy = NULL;
  p->held.iov_len = 0;
}

static void look(struct peer *p) {
  p->wants = sbk_conn_wants(p->conn);
}

static void check_wants(struct peer *p) {
  const unsigned wants = sbk_conn_wants(p->conn);
  struct iovec iov;
  uint8_t byte;
  const bool output = p->pieces ? sbk_conn_output(p->conn, &iov, 1) > 0
                                : sbk_conn_copy_out(p->conn, &byte, 1) > 0;

  check_held(p);
  HOLDS(wants == p->wants); /* or the host would not know */
  if ((wants & SBK_WANT_HOLD) != 0) {
    HOLDS(wants == SBK_WANT_HOLD);
    return;
  }
  HOLDS(output == ((wants & SBK_WANT_WRITE) != 0));
  if ((wants & SBK_WANT_SHUTDOWN) != 0) {
    HOLDS(wants == (SBK_WANT_SHUTDOWN | SBK_WANT_READ));
    p->ended = true;
  }
  HOLDS(!p->ended || wants == 0 || (wants & SBK_WANT_SHUTDOWN) != 0);
  p->ended = p->ended || wants == 0;
}

static void peer_gone(struct peer *p) {
  let_go(p);
  sbk_conn_free(p->conn);
  p->conn = NULL;
}

static void peer_comes(struct world *w, struct peer *p, uint8_t how) {
  static const enum sbk_transport transports[] = {SBK_TCP, SBK_WEBSOCKET,
                                                  SBK_HTTP};
  int rv;

  memset(p, 0, sizeof(*p));
  p->world = w;
  p->way = (enum way)(how % WAYS);
  p->framed = p->way == WAY_WEBSOCKET;
  p->pieces = (how / WAYS) % 2 == 1;
  rv = sbk_conn_new(&p->conn, w->host.broker, transports[p->way],
                    how % 7 == 0 ? NULL : "peer\x01\xff", p);
  HOLDS((rv == 0) == (p->conn != NULL));
  HOLDS(rv == 0 || w->over || rv == SBK_ERR_TOO_MANY || rv == SBK_ERR_NOMEM);
  if (p->conn != NULL) {
    look(p);
  }
}

static void feed(struct world *w, struct peer *p, struct fuzz in) {
  while (in.len > 0) {
    struct fuzz piece = fuzz_piece(&in, &w->cuts);
    uint8_t *copy = fuzz_copy(piece.data, piece.len);

    if ((sbk_conn_wants(p->conn) & SBK_WANT_READ) != 0) {
      sbk_conn_feed(p->conn, w->host.now, copy, piece.len);
    }
    free(copy);
  }
  look(p);
}

static void feed_text(struct world *w, struct peer *p, const sbk__str *text) {
  feed(w, p, (struct fuzz){(const uint8_t *)text->data, text->len});
}

static void takes_output(struct world *w, struct peer *p) {
  static uint8_t part[8192];
  const size_t most = (size_t)fuzz_byte(&w->in) * 32 + 1;
  size_t len;

  if (!p->pieces) {
    len = sbk_conn_copy_out(p->conn, part,
                            most < sizeof(part) ? most : sizeof(part));
    sbk_conn_sent(p->conn, len);
  } else {
    len = p->held.iov_len < most ? p->held.iov_len : most;
    let_go(p);
    sbk_conn_sent(p->conn, len);
    if (sbk_conn_output(p->conn, &p->held, 1) > 0) {
      HOLDS(p->held.iov_len > 0);
      p->held_copy = fuzz_copy(p->held.iov_base, p->held.iov_len);
    } else {
      p->held.iov_len = 0;
    }
  }
  look(p);
}

/* ---- the program ---- */

enum operation {
  COMES,
  RAW,
  FRAME,
  SEVERAL, /* frames in one message */
  REQUEST,
  TAKE,
  END,
  GONE,
  TICK,
  PUBLISH,
  HOST_SEND,
  HOST_USER,
  HOST_OBSERVER,
  HOST_SESSION,
  POST,
  DECIDE,
  VERDICT,
  INSIDE,
  FAIL,
  SHUTDOWN,
  OPERATIONS
};

static void say_frames(struct world *w, struct peer *p, unsigned count) {
  sbk__str text, framed;

  sbk__str_init(&text, sbk__mem_default());
  sbk__str_init(&framed, sbk__mem_default());
  while (count-- > 0) {
    put_frame(w, &text);
  }
  if (p->framed) {
    put_framed(&framed, 1, text.data, text.len);
  }
  feed_text(w, p, p->framed ? &framed : &text);
  sbk__str_free(&text);
  sbk__str_free(&framed);
}

static void say_request(struct world *w, struct peer *p) {
  sbk__str text;

  sbk__str_init(&text, sbk__mem_default());
  put_request(w, p, &text);
  feed_text(w, p, &text);
  sbk__str_free(&text);
}

static void say_raw(struct world *w, struct peer *p) {
  const size_t asked = fuzz_byte(&w->in);
  const struct fuzz raw = {w->in.data, asked < w->in.len ? asked : w->in.len};

  w->in.data += raw.len;
  w->in.len -= raw.len;
  feed(w, p, raw);
}

static void act_peer(struct world *w, enum operation what) {
  struct peer *p = &w->peers[fuzz_byte(&w->in) % PEERS];

  if (p->conn == NULL || what == COMES) {
    if (p->conn == NULL) {
      peer_comes(w, p, what == COMES ? fuzz_byte(&w->in) : (uint8_t)what);
    }
    return;
  }
  if (w->fail > 0) {
    w->host.memory.fail_from = w->host.memory.calls + w->fail - 1;
    w->fail = 0;
  }
  switch (what) {
  case RAW:
    say_raw(w, p);
    break;
  case FRAME:
    say_frames(w, p, 1);
    break;
  case SEVERAL:
    say_frames(w, p, 4);
    break;
  case REQUEST:
    say_request(w, p);
    break;
  case TAKE:
    takes_output(w, p);
    break;
  case END:
    sbk_conn_eof(p->conn, fuzz_byte(&w->in) % 2 == 0 ? 0 : 104);
    look(p);
    break;
  default:
    peer_gone(p);
    break;
  }
  w->host.memory.fail_from = SIZE_MAX;
}

static void tick(struct world *w) {
  static const sbk_msec spans[] = {0, 1, 10, 100, 999, 5000, 10001, 30001};
  const sbk_msec due = sbk_broker_deadline(w->host.broker);
  const uint8_t which = fuzz_byte(&w->in) % 9;

  if (which < 8) {
    w->host.now += spans[which];
  } else if (due != SBK_NEVER && due > w->host.now) {
    w->host.now = due;
  }
  sbk_broker_tick(w->host.broker, w->host.now);
}

static void act_on_session(struct world *w) {
  sbk_session *session = host_session(&w->host, fuzz_byte(&w->in));
  const uint8_t how = fuzz_byte(&w->in);
  char id[2] = {(char)('0' + how / 8 % 8), '\0'};

  if (session == NULL) {
    return;
  }
  switch (how % 6) {
  case 0:
    sbk_session_close(session, NULL);
    break;
  case 1:
    sbk_session_close(session, "the host\r\nsays so");
    break;
  case 2:
    sbk_session_set_expiry(session, w->host.now + 100 * (how / 8u));
    break;
  case 3:
    sbk_session_unsubscribe(session, id);
    break;
  case 4:
    HOLDS(sbk_session_reauthorize(session) >= 0);
    break;
  default:
    sbk_send_to_session(session, "/queue/x", NULL, "hello", 5);
    break;
  }
}

static void host_sends(struct world *w, bool user) {
  const char *destination = take_destination(w);
  char name[3] = {'u', '0', '\0'};
  sbk__str body;

  sbk__str_init(&body, sbk__mem_default());
  put_body(&body, 8, take_size(w));
  if (user) {
    name[1] = (char)('0' + fuzz_byte(&w->in) % 8);
    sbk_send_to_user(w->host.broker, name, "/queue/x", "text/plain", body.data,
                     body.len);
  } else if (strcmp(destination, OBSERVER_TOPIC) != 0) {
    sbk_send(w->host.broker, destination, "text/plain", body.data, body.len);
  }
  sbk__str_free(&body);
}

static void shut_down(struct world *w) {
  const uint8_t how = fuzz_byte(&w->in);

  w->over = true;
  if (how % 2 == 0) {
    sbk_broker_shutdown(w->host.broker);
  } else {
    HOLDS(sbk_broker_drain(w->host.broker, how * 10u) == 0);
  }
}

static void act(struct world *w) {
  static const enum sbk_verdict verdicts[] = {SBK_WAIT, SBK_DROP, SBK_REJECT,
                                              SBK_REFUSE};
  const enum operation what = fuzz_byte(&w->in) % OPERATIONS;
  uint8_t byte;

  switch (what) {
  case TICK:
    tick(w);
    break;
  case PUBLISH:
    publish(w, take_size(w));
    break;
  case HOST_SEND:
  case HOST_USER:
    host_sends(w, what == HOST_USER);
    break;
  case HOST_OBSERVER:
    send_to_observer(&w->host);
    break;
  case HOST_SESSION:
    act_on_session(w);
    break;
  case POST:
    host_post(&w->host);
    break;
  case DECIDE:
    byte = fuzz_byte(&w->in);
    host_decide(&w->host, byte, byte / HOST_WAITS);
    break;
  case VERDICT:
    byte = fuzz_byte(&w->in);
    w->host.verdict = verdicts[byte % 4];
    w->host.answer_later = byte / 4 % 2 == 1;
    break;
  case INSIDE:
    w->host.inside = fuzz_byte(&w->in) % 4;
    break;
  case FAIL:
    w->fail = fuzz_byte(&w->in) % 48;
    break;
  case SHUTDOWN:
    shut_down(w);
    break;
  default:
    act_peer(w, what);
    break;
  }
}

/* What a loop does before it sleeps; and all has to be as it should. */
static void settle(struct world *w) {
  sbk_conn *conn;
  size_t i;

  while ((conn = sbk_broker_next_ready(w->host.broker)) != NULL) {
    struct peer *p = sbk_conn_user_data(conn);

    if (p != NULL) {
      HOLDS(p->conn == conn);
      look(p);
    }
  }
  for (i = 0; i < PEERS; i++) {
    if (w->peers[i].conn != NULL) {
      check_wants(&w->peers[i]);
    }
  }
  observe(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct world w;
  size_t i;

  memset(&w, 0, sizeof(w));
  w.in = (struct fuzz){data, size};
  w.cuts = fuzz_byte(&w.in);
  sbk__str_init(&w.raw, sbk__mem_default());
  sbk__str_init(&w.heard, sbk__mem_default());
  w.host.to_observer = send_to_observer;
  host_begin(&w.host);
  observer_comes(&w, fuzz_byte(&w.in));
  while (w.in.len > 0) {
    act(&w);
    settle(&w);
  }
  publish(&w, 10);
  settle(&w);
  w.over = true;
  for (i = 0; i < PEERS; i += 2) { /* the others end with the broker */
    if (w.peers[i].conn != NULL) {
      peer_gone(&w.peers[i]);
    }
  }
  for (i = 0; i < PEERS; i++) {
    let_go(&w.peers[i]);
  }
  host_end(&w.host);
  sbk__str_free(&w.raw);
  sbk__str_free(&w.heard);

  return 0;
}
