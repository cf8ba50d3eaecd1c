#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <stompbroker/stompbroker.h>

#include "unit.h"

#include "failing_mem.h"

/*
 * A host without sockets. Whatever it is told it writes down in events, and
 * hook, if there is one, is called from inside every callback, with its name
 * and, where there is one, its session. A session's user is the login of its
 * CONNECT.
 */
struct host {
  struct failing_mem mem;
  struct sbk_callbacks callbacks;
  struct sbk_config config;
  sbk_broker *broker;
  sbk_msec now;
  char events[16384];
  char log[1024]; /* the last line */
  void (*hook)(struct host *host, const char *where, sbk_session *session);
  enum sbk_verdict handshake; /* what the callback decides */
  bool defer;                 /* requests: answer them later */
  sbk_request *request;       /* the last one */
};

static inline void host_event(struct host *host, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline void host_event(struct host *host, const char *format, ...) {
  size_t len = strlen(host->events);
  va_list args;

  va_start(args, format);
  vsnprintf(host->events + len, sizeof(host->events) - len, format, args);
  va_end(args);
  assert_true(strlen(host->events) < sizeof(host->events) - 1);
}

static inline void host_hook(struct host *host, const char *where,
                             sbk_session *session) {
  if (host->hook != NULL) {
    host->hook(host, where, session);
  }
}

static inline const char *host_user(sbk_session *session) {
  const char *user = sbk_session_user(session);

  return user != NULL ? user : "-";
}

static inline enum sbk_verdict host_on_handshake(sbk_request *request,
                                                 void *arg) {
  struct host *host = arg;

  host->request = request;
  host_event(host, "handshake %s;", sbk_request_path(request));
  host_hook(host, "handshake", NULL);

  return host->handshake;
}

static inline void host_on_request(sbk_request *request, void *arg) {
  struct host *host = arg;

  host->request = request;
  host_event(host, "request %s %s;", sbk_request_method(request),
             sbk_request_path(request));
  host_hook(host, "request", NULL);
  if (!host->defer) {
    sbk_request_answer(request, 200, NULL, "hello", 5);
  }
}

static inline void host_on_gone(sbk_request *request, void *arg) {
  struct host *host = arg;

  host_event(host, "gone %s;", sbk_request_path(request));
  host_hook(host, "request_gone", NULL);
}

static inline void host_on_connected(sbk_session *session, void *arg) {
  struct host *host = arg;

  host_event(host, "connected %s;", host_user(session));
  host_hook(host, "connected", session);
}

static inline void host_on_disconnected(sbk_session *session, int reason,
                                        void *arg) {
  struct host *host = arg;

  host_event(host, "disconnected %s %d;", host_user(session), reason);
  host_hook(host, "disconnected", session);
}

static inline void host_on_subscribed(sbk_session *session, const char *id,
                                      const char *destination, void *arg) {
  struct host *host = arg;

  host_event(host, "subscribed %s %s;", id, destination);
  host_hook(host, "subscribed", session);
}

static inline void host_on_unsubscribed(sbk_session *session, const char *id,
                                        const char *destination, void *arg) {
  struct host *host = arg;

  host_event(host, "unsubscribed %s %s;", id, destination);
  host_hook(host, "unsubscribed", session);
}

static inline void host_on_undeliverable(sbk_broker *broker, const char *user,
                                         const char *destination,
                                         const sbk_message *msg, void *arg) {
  struct host *host = arg;

  (void)msg;
  assert_ptr_equal(broker, host->broker);
  host_event(host, "undeliverable %s %s;", user, destination);
  host_hook(host, "undeliverable", NULL);
}

static inline void host_on_refused(sbk_session *session,
                                   const sbk_message *frame,
                                   enum sbk_refusal by, int reason,
                                   const char *text, void *arg) {
  struct host *host = arg;

  host_event(host, "refused %d %d %d %s;", sbk_message_command(frame), by,
             reason, text);
  host_hook(host, "refused", session);
}

static inline void host_on_dropped(sbk_session *session, uint64_t count,
                                   void *arg) {
  struct host *host = arg;

  assert_true(count > 0);
  host_event(host, "dropped;");
  host_hook(host, "dropped", session);
}

static inline void host_on_alarm(sbk_broker *broker, int on, void *arg) {
  struct host *host = arg;

  assert_ptr_equal(broker, host->broker);
  host_event(host, "alarm %d;", on);
  host_hook(host, "alarm", NULL);
}

static inline void host_on_log(enum sbk_log_level level, const char *line,
                               void *arg) {
  struct host *host = arg;

  (void)level;
  snprintf(host->log, sizeof(host->log), "%s", line);
  host_hook(host, "log", NULL);
}

static inline enum sbk_verdict host_on_inbound(sbk_call *call, void *arg) {
  struct host *host = arg;
  const sbk_message *msg = sbk_call_message(call);
  const char *login = sbk_message_header(msg, "login");

  if (sbk_message_command(msg) == SBK_CONNECT && login != NULL) {
    assert_int_equal(sbk_call_set_user(call, login), 0);
  }
  host_hook(host, "inbound", sbk_call_session(call));

  return SBK_PASS;
}

/* The defaults; what is not to be so is changed before host_open(). */
static inline void host_init(struct host *host) {
  const struct sbk_callbacks callbacks = SBK_CALLBACKS_INIT;
  const struct sbk_config config = SBK_CONFIG_INIT;

  memset(host, 0, sizeof(*host));
  failing_mem_init(&host->mem);
  host->callbacks = callbacks;
  host->callbacks.handshake = host_on_handshake;
  host->callbacks.request = host_on_request;
  host->callbacks.request_gone = host_on_gone;
  host->callbacks.connected = host_on_connected;
  host->callbacks.disconnected = host_on_disconnected;
  host->callbacks.subscribed = host_on_subscribed;
  host->callbacks.unsubscribed = host_on_unsubscribed;
  host->callbacks.undeliverable = host_on_undeliverable;
  host->callbacks.log = host_on_log;
  host->config = config;
  host->config.mem = &host->mem.mem;
  host->now = 1000;
}

static inline void host_open(struct host *host) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  endpoint.path = "/ws";
  assert_int_equal(
      sbk_broker_new(&host->broker, &host->callbacks, &host->config, host), 0);
  assert_int_equal(sbk_broker_add_endpoint(host->broker, &endpoint), 0);
  assert_int_equal(sbk_broker_add_interceptor(host->broker, SBK_INBOUND, 0,
                                              host_on_inbound, host),
                   0);
  sbk_broker_tick(host->broker, host->now);
}

static inline void host_begin(struct host *host) {
  host_init(host);
  host_open(host);
}

/* Nothing may be left. */
static inline void host_end(struct host *host) {
  sbk_broker_free(host->broker);
  assert_int_equal(host->mem.blocks, 0);
}

static inline void host_forget(struct host *host) {
  host->events[0] = '\0';
}

/* Time goes on. */
static inline void host_wait(struct host *host, sbk_msec span) {
  host->now += span;
  sbk_broker_tick(host->broker, host->now);
}

/*
 * A peer's end of a connection. In what it says and hears '^' stands for NUL.
 */
struct peer {
  struct host *host;
  sbk_conn *conn;
  bool websocket; /* said and heard in frames of it */
  bool head;      /* the last request was a HEAD (requests.h) */
  uint8_t raw[4096];
  size_t raw_len; /* a frame under way */
  char heard[131072];
};

/* Bytes as they are. What sbk_conn_feed() gives. */
static inline int peer_feed(struct peer *peer, const void *data, size_t len) {
  return sbk_conn_feed(peer->conn, peer->host->now, data, len);
}

/* A frame of WebSocket, masked with a key of zeros. */
static inline int peer_frame(struct peer *peer, int opcode, const void *data,
                             size_t len) {
  uint8_t frame[4096] = {(uint8_t)(0x80 | opcode), (uint8_t)(0x80 | len)};
  size_t head = 6;

  assert_true(len < 4000);
  if (len > 125) {
    frame[1] = 0x80 | 126;
    frame[2] = (uint8_t)(len >> 8);
    frame[3] = (uint8_t)len;
    head = 8;
  }
  memcpy(frame + head, data, len);

  return peer_feed(peer, frame, head + len);
}

static inline int peer_say(struct peer *peer, const char *text) {
  size_t i, len = strlen(text);
  char bytes[4096];

  assert_true(len < sizeof(bytes));
  for (i = 0; i < len; i++) {
    bytes[i] = text[i];
    if (text[i] == '^') {
      bytes[i] = '\0';
    }
  }

  return peer->websocket ? peer_frame(peer, 1, bytes, len)
                         : peer_feed(peer, bytes, len);
}

static inline void peer_note(struct peer *peer, const uint8_t *data,
                             size_t len) {
  size_t i, at = strlen(peer->heard);

  assert_true(at + len < sizeof(peer->heard));
  for (i = 0; i < len; i++) {
    peer->heard[at + i] = data[i] == 0 ? '^' : (char)data[i];
  }
  peer->heard[at + len] = '\0';
}

/* The first whole frame of raw is noted: "<1000>" for a Close, "<9:…>" for
 * other control frames. */
static inline bool peer_unwrap(struct peer *peer) {
  size_t head = 2, len = peer->raw[1];
  char text[16];

  if (peer->raw_len < 2) {
    return false;
  }
  if (len == 126 && peer->raw_len >= 4) {
    head = 4;
    len = (size_t)peer->raw[2] << 8 | peer->raw[3];
  }
  if (peer->raw[1] == 126 && peer->raw_len < 4) {
    return false;
  }
  if (peer->raw_len < head + len) {
    return false;
  }
  switch (peer->raw[0] & 15) {
  case 1:
  case 2:
    peer_note(peer, peer->raw + head, len);
    break;
  case 8:
    snprintf(text, sizeof(text), "<%d>",
             len >= 2 ? peer->raw[head] << 8 | peer->raw[head + 1] : 1005);
    peer_note(peer, (uint8_t *)text, strlen(text));
    break;
  default:
    snprintf(text, sizeof(text), "<%d:", peer->raw[0] & 15);
    peer_note(peer, (uint8_t *)text, strlen(text));
    peer_note(peer, peer->raw + head, len);
    peer_note(peer, (const uint8_t *)">", 1);
    break;
  }
  peer->raw_len -= head + len;
  memmove(peer->raw, peer->raw + head + len, peer->raw_len);

  return true;
}

/* Takes all output; what it was since the last time. */
static inline const char *peer_hear(struct peer *peer) {
  uint8_t bytes[1024];
  size_t len;

  peer->heard[0] = '\0';
  while ((len = sbk_conn_copy_out(peer->conn, bytes, sizeof(bytes))) > 0) {
    sbk_conn_sent(peer->conn, len);
    if (!peer->websocket) {
      peer_note(peer, bytes, len);
      continue;
    }
    assert_true(peer->raw_len + len <= sizeof(peer->raw));
    memcpy(peer->raw + peer->raw_len, bytes, len);
    peer->raw_len += len;
    while (peer_unwrap(peer)) {
    }
  }

  return peer->heard;
}

static inline void peer_open(struct peer *peer, struct host *host,
                             enum sbk_transport transport) {
  memset(peer, 0, sizeof(*peer));
  peer->host = host;
  assert_int_equal(
      sbk_conn_new(&peer->conn, host->broker, transport, "peer", peer), 0);
}

#define UPGRADE(path)                                                          \
  "GET " path " HTTP/1.1\r\nHost: h.example\r\nUpgrade: websocket\r\n"         \
  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                       \
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

/* Through the whole handshake. */
static inline void peer_upgrade(struct peer *peer, struct host *host,
                                const char *request) {
  peer_open(peer, host, SBK_HTTP);
  assert_int_equal(peer_say(peer, request), 0);
  assert_non_null(strstr(peer_hear(peer), "HTTP/1.1 101 "));
  peer->websocket = true;
}

/* A raw stream, connected as that user (NULL: nobody). */
static inline void peer_connect(struct peer *peer, struct host *host,
                                const char *user) {
  char text[300];

  if (peer->conn == NULL) {
    peer_open(peer, host, SBK_TCP);
  }
  snprintf(text, sizeof(text), "CONNECT\naccept-version:1.2\n%s%s%s\n^",
           user != NULL ? "login:" : "", user != NULL ? user : "",
           user != NULL ? "\n" : "");
  assert_int_equal(peer_say(peer, text), 0);
  assert_non_null(strstr(peer_hear(peer), "CONNECTED\nversion:1.2\n"));
}

static inline void peer_subscribe(struct peer *peer, const char *id,
                                  const char *destination) {
  char text[300];

  snprintf(text, sizeof(text), "SUBSCRIBE\nid:%s\ndestination:%s\n\n^", id,
           destination);
  assert_int_equal(peer_say(peer, text), 0);
}

/* The stream is gone. */
static inline void peer_leave(struct peer *peer) {
  sbk_conn_free(peer->conn);
  peer->conn = NULL;
}

/* How often part stands in text. */
static inline size_t times(const char *text, const char *part) {
  size_t count = 0;

  while ((text = strstr(text, part)) != NULL) {
    text += strlen(part);
    count++;
  }

  return count;
}

#endif
