#ifndef CLIENT_H
#define CLIENT_H

#include "wire.h"

/*
 * Clients: sockets that never block, driven by one epoll. What a client does
 * with its connection is its role.
 */
struct client;

struct role {
  bool bare;   /* it says its own first words, when `opened` is called */
  bool narrow; /* the kernel keeps some 20 KB for it, not megabytes: small
                  SO_RCVBUF, and small segments, by which Linux measures what
                  the other side may send ahead */
  void (*opened)(struct client *c); /* the 101 came (bare: it is connected) */
  void (*heard)(struct client *c, const struct frame *f); /* of STOMP */
  void (*ended)(struct client *c); /* by the other side; may connect again */
};

enum client_state { NOWHERE, OPENING, ASKING, OPEN };

struct client {
  int fd;
  enum client_state state;
  bool reading, writing; /* as epoll knows it */
  bool dirty;            /* has something to write when the turn begins */
  const struct role *role;
  struct bytes in, out;

  /* How it was ended: all that says which limit it was. */
  int status;       /* of HTTP, 101 included; 0: none came */
  int close;        /* of WebSocket; 0: none came */
  char reason[124]; /* of that Close */
  char error[124];  /* an ERROR's message */
  bool cut;         /* the stream ended with an error, as by RST */

  /* The scenario's own. */
  size_t number;
  uint32_t next;  /* the message that comes next: see score.h */
  uint32_t count; /* what it has done of what it does many times */
  bool ready;     /* it is where the scenario wants it */
  uint64_t since;
};

/* Where all of them go, and from where: 127.0.0.2 on, one after the other, so
 * that ports do not run out. */
void clients_init(int port);
/* One turn: waits for at most so long. */
void clients_turn(int ms);

void client_connect(struct client *c, const struct role *role);
/* Many, no more than a few hundred on their way at once, until all are ready.
 * Gives up otherwise. */
void clients_connect(struct client *c, size_t count, const struct role *role);

/* Bytes as they are; a frame of WebSocket; a frame of STOMP with its NUL. */
void client_put(struct client *c, const void *data, size_t len);
void client_ws(struct client *c, unsigned first, const void *data, size_t len);
void client_say(struct client *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#define UPGRADE                                                                \
  "GET /ws HTTP/1.1\r\nHost: load\r\nUpgrade: websocket\r\n"                   \
  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                       \
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"                            \
  "Sec-WebSocket-Protocol: v12.stomp\r\n\r\n"

void client_read(struct client *c, bool on);

/* By us: `ended` is not called. */
enum leaving { WITH_FIN, WITH_RST };
void client_leave(struct client *c, enum leaving how);

#endif
