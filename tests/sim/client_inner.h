#ifndef CLIENT_INNER_H
#define CLIENT_INNER_H

#include "client.h"

#include "frame.h"

/* What a client is made of, for the files that are it. */

#define SUBS     5
#define BODY_MAX 3000

enum what {
  CONNECTS,
  SENDS,
  SUBSCRIBES,
  UNSUBSCRIBES,
  ACKS,
  BEGINS,
  COMMITS,
  ABORTS,
  DISCONNECTS
};

/* A frame under way, and what it is to do. */
struct command {
  uint64_t end; /* in the stream */
  enum what what;
  int it; /* a message or a subscription */
  struct settling settling;
  int tx;
  int receipt; /* or -1 */
};

/* A message to be acknowledged. */
struct token {
  int sub;
  int message;
  int delivery;
  int tx; /* it is, in that transaction; -1: not yet */
  char text[64];
};

struct client {
  struct sim *sim;
  int number;
  char name[8];
  struct link link;
  int session; /* -1: none */
  int version;
  bool connected; /* CONNECTED came */
  bool leaving;   /* DISCONNECT was sent */
  bool excused;   /* that its session ends is not the broker's fault */
  bool ended;     /* it has */
  sbk_msec frozen;
  sbk_msec said, heard;
  sbk_msec say_every, hear_every; /* SBK_NEVER: not agreed on */
  sbk_msec offered, wanted;
  struct command *commands;
  size_t first, count, size;
  int subs[SUBS];
  size_t sub_count;
  struct token *tokens;
  size_t token_count, token_size;
  bool tx_open[TXS];
  int receipts;
};

static inline uint32_t of(struct client *c, uint32_t count) {
  return chance_of(&c->sim->chance, count);
}

static inline struct model *model_of(struct client *c) {
  return &c->sim->model;
}

static inline bool is_frozen(const struct client *c) {
  return c->frozen > c->sim->now;
}

/* ---- client_say.c ---- */

/* A frame goes out; what it is to do is filled in by who says it. */
struct command *client_put(struct client *c, enum what what, const char *frame,
                           size_t len);
void client_write_destination(char text[32], bool queue, int dest);
void client_write_body(char *body, int number, size_t size, bool text);
/* tx: -1, or the transaction that it is said in. */
void client_sends(struct client *c, int tx);
void client_subscribe(struct client *c, bool queue, int dest, enum ack ack);
void client_subscribes(struct client *c);
void client_unsubscribes(struct client *c);
/* The token at that place. */
void client_answers(struct client *c, size_t at, bool nack, int tx);
void client_acks(struct client *c);
/* BEGIN, or COMMIT or ABORT if it is open. */
void client_transacts(struct client *c, int tx);
int client_open_tx(struct client *c);
void client_disconnects(struct client *c);
/* It has arrived. */
void client_carry_out(struct client *c, const struct command *command);

/* ---- client_hear.c ---- */

extern const char *const client_versions[];

void client_complain(struct client *c, const char *what, const char *more);
void client_hear(struct client *c, const struct frame *frame);

#endif
