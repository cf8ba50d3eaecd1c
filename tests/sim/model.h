#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The oracle: what the specification and BEHAVIOUR say of topics, queues,
 * acknowledgements, transactions and receipts, and nothing of how the library
 * does it. It is told of a client's frames in the order in which their last
 * bytes arrive at the broker, and asked about all that comes back.
 */

#define TOPICS 4 /* /topic/t/0 ... */
#define QUEUES 2 /* /queue/j/0 ... */
#define PATTERNS                                                               \
  3 /* behind the topics: /topic/t/{x}, /topic/t/?, /topic/t/?                 \
     */
#define MINE  (TOPICS + PATTERNS) /* /user/queue/note, of one's own user */
#define USERS 4                   /* of two clients each */
#define TXS   2                   /* of a session at once */

enum ack { AUTO, CLIENT, INDIVIDUAL };

struct ints {
  int *at;
  size_t count;
  size_t size;
  size_t head; /* those before are done with */
};

enum state {
  WAITING, /* at the broker, or on its way */
  HELD,    /* with a consumer that has not acknowledged it */
  DONE     /* acknowledged, or dead */
};

struct message {
  bool queue;
  int dest;
  int from; /* a session */
  int user; /* to whom, of those to MINE */
  size_t size;
  bool text;        /* its body is */
  bool tagged;      /* it has a header with escapes */
  bool maybe;       /* its sender's end came about when it did, or its topic
                       drops messages for slow ones */
  bool handled;     /* a handler sends it on: nobody's own */
  int order;        /* of its arrival */
  enum state state; /* of a queue */
  int holder;       /* a subscription */
  bool seen;        /* it has come to somebody */
};

struct sub {
  int session;
  bool queue;
  int dest; /* of topics: TOPICS and above are patterns */
  enum ack ack;
  bool no_local;
  bool active; /* from SUBSCRIBE to UNSUBSCRIBE, or the end of the session */
  bool silent; /* the receipt for UNSUBSCRIBE came */
  int newest;  /* order of those that came for the first time */
  struct ints due;  /* a topic's messages, in order */
  struct ints held; /* deliveries, in order */
};

/* What an ACK or NACK says. */
struct settling {
  int sub;
  int delivery;
  bool by_message; /* before 1.2: of which delivery, it does not say */
  bool nack;
};

struct tx {
  struct ints sends;
  struct settling *acks;
  size_t ack_count, ack_size;
};

struct session {
  bool live;
  int user;
  struct tx txs[TXS];
  struct ints receipts; /* that are to come, in order */
};

struct model {
  struct message *messages;
  size_t message_count, message_size;
  struct sub *subs;
  size_t sub_count, sub_size;
  struct session *sessions;
  size_t session_count, session_size;
  struct ints deliveries; /* of which message each was */
  int published;
  bool drops;          /* the last topic does, for those who are slow */
  char complaint[256]; /* "": none */
};

void model_free(struct model *model);
/* Notes the first thing that is wrong. */
void model_complain(struct model *model, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- what clients do ---- */

int model_session(struct model *model, int user);
/* Its end, whoever wanted it. */
void model_session_end(struct model *model, int session);
/* Before it is sent: its number. */
int model_message(struct model *model, int session, bool queue, int dest,
                  size_t size);
/* It has arrived. tx: -1, or where it waits. */
void model_send(struct model *model, int message, int tx);
int model_sub(struct model *model, int session, bool queue, int dest,
              enum ack ack, bool no_local);
void model_subscribe(struct model *model, int sub);
void model_unsubscribe(struct model *model, int sub);
void model_ack(struct model *model, const struct settling *settling, int tx);
void model_begin(struct model *model, int session, int tx);
void model_commit(struct model *model, int session, int tx);
void model_abort(struct model *model, int session, int tx);
void model_receipt_due(struct model *model, int session, int receipt);
/* The broker has given up on it. */
void model_dead(struct model *model, int message);

/* ---- what comes ---- */

/* A MESSAGE, as a whole; its number among the deliveries. */
int model_came(struct model *model, int sub, int message, bool redelivered);
void model_receipt(struct model *model, int session, int receipt);
/* Bytes of messages that a session has not had yet. */
size_t model_backlog(const struct model *model, int session);
/* Nothing more is on its way: what should have come? */
void model_quiet(struct model *model, int session);

#endif
