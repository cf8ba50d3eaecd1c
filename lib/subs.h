#ifndef SBK__SUBS_H
#define SBK__SUBS_H

#include "list.h"
#include "map.h"
#include "message.h"
#include "outq.h"
#include "pattern.h"
#include "queue.h"
#include "trie.h"

/*
 * Who subscribes to what. Each distinct destination, and each distinct pattern,
 * has one record with a dense array of its subscriptions; user destinations are
 * not here at all (they are found through their sessions), so that nothing a
 * client writes can reach another's.
 */
typedef struct sbk__dest {
  sbk__queue *queue;        /* of a queue destination; else NULL */
  struct sbk__store *store; /* of a topic that keeps something, or NULL */
  struct sbk__sub **subs;
  uint64_t published;  /* to that name */
  uint64_t deliveries; /* to its subscriptions */
  uint32_t count;
  uint32_t cap;
  uint32_t len;
  bool pattern; /* a queue's name never is, whatever it looks like */
  char name[];  /* ended by NUL */
} sbk__dest;

/* What stands in front of the record of a pattern. */
typedef struct sbk__pattern {
  sbk__leaf leaf;
  uint64_t born; /* the older one comes first */
} sbk__pattern;

enum sbk__ack { SBK__ACK_AUTO = 0, SBK__ACK_CLIENT, SBK__ACK_INDIVIDUAL };

typedef struct sbk__sub {
  sbk_session *session;
  sbk__dest *dest;    /* NULL: a user destination, or no longer active */
  sbk__outq *backlog; /* of a topic: what waits for the window, or NULL */
  struct sbk__replay *replay; /* what it is told of the past, or NULL */
  uint32_t place;             /* in dest->subs */
  uint32_t slot;              /* in its session */
  uint32_t queued;            /* entries of its session's queue that name it */
  uint32_t id_hash;
  uint16_t window;   /* deliveries that may be unacknowledged */
  uint16_t unacked;  /* that are */
  uint16_t head_len; /* of the personal head, which text begins with */
  uint16_t id_len;
  uint16_t destination_len;
  uint16_t own;     /* user destination "/A/rest" of A himself: where /rest
                       begins in destination; else 0 */
  uint16_t suffix;  /* user destination: where it begins behind the prefix */
  unsigned ack : 2; /* enum sbk__ack */
  bool has_id : 1;
  bool no_local : 1;
  bool active : 1;
  bool muted : 1;   /* ended by the host; the client has not said so yet */
  bool pattern : 1; /* of a user destination */
  bool refused : 1; /* by the access rules, now */
  bool text : 1;    /* the head is UTF-8 */
  char data[];      /* head, id, NUL, destination as written, NUL */
} sbk__sub;

static inline const char *sbk__sub_id(const sbk__sub *sub) {
  return sub->data + sub->head_len;
}
static inline const char *sbk__sub_destination(const sbk__sub *sub) {
  return sub->data + sub->head_len + sub->id_len + 1;
}

typedef struct sbk__subs {
  const sbk__core *core;
  sbk__map exact;
  size_t queued_bytes; /* of all queues */
  sbk__map patterns;   /* by their text */
  sbk__trie trie;      /* by what they match */
  uint64_t born;       /* patterns so far */
} sbk__subs;

/* Some of the records that match a destination. */
#define SBK__MATCHES 64
typedef struct sbk__matches {
  sbk__dest *items[SBK__MATCHES];
  uint32_t count;
  bool begun;       /* false at first */
  bool done;        /* the search has come to its end */
  size_t seen;      /* patterns that it came by */
  sbk__dest **more; /* of them, those not looked at yet, or NULL */
  size_t more_count;
  size_t more_cap;
  size_t more_at; /* those before it were */
} sbk__matches;

static inline void sbk__matches_begin(sbk__matches *matches) {
  matches->begun = false;
  matches->done = false;
  matches->seen = 0;
  matches->more = NULL;
  matches->more_count = 0;
  matches->more_cap = 0;
  matches->more_at = 0;
}

void sbk__subs_init(sbk__subs *subs, const sbk__core *core);
/* No subscription is left; queues go with what waits in them. */
void sbk__subs_free(sbk__subs *subs);

/* id NULL: none was given (STOMP 1.0). NULL: no memory. */
sbk__sub *sbk__sub_new(const struct sbk_mem *mem, sbk_session *session,
                       enum sbk__version version, const char *id, size_t id_len,
                       const char *destination, size_t destination_len);
uint32_t sbk__sub_hash(const char *id, size_t id_len);

/* Enters sub under its destination, a pattern if it has wildcards. 0, or
 * SBK_ERR_NOMEM. */
int sbk__subs_add(sbk__subs *subs, sbk__sub *sub);
/* Takes it out again; nothing happens if it is not in. */
void sbk__subs_remove(sbk__subs *subs, sbk__sub *sub);

/* The record of a destination, made if need be; tidy up when it is not used.
 * NULL: no memory. */
sbk__dest *sbk__subs_need(sbk__subs *subs, const char *name, size_t len);
/* The record of a queue destination, with its queue, made if need be. NULL: no
 * memory. */
sbk__dest *sbk__subs_queue(sbk__subs *subs, const char *name, size_t len);
/* Something went out of dest: if nothing is left in it, it goes too. */
void sbk__subs_tidy(sbk__subs *subs, sbk__dest *dest);

/*
 * The next records that match a destination; false: there are no more. None is
 * added or freed while callbacks run from in between: what ends there is taken
 * out of the tables later.
 */
bool sbk__subs_match(sbk__subs *subs, const char *name, size_t len,
                     sbk__matches *matches);
/* Gives back what the search holds, wherever it has come to. */
void sbk__matches_end(sbk__subs *subs, sbk__matches *matches);

#endif
