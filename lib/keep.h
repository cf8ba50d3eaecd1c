#ifndef SBK__KEEP_H
#define SBK__KEEP_H

#include "subs.h"
#include "topics.h"

/*
 * What topics keep: their history, and their last values. Entries stand in
 * lists in the order of publication, and so do readers, who are somewhere in
 * the past of a destination, or of all of them, and go on as their peers read.
 */

/* A place in such a list. */
typedef struct sbk__mark {
  sbk__node node;
  struct sbk__kept *kept; /* NULL: a reader stands here */
} sbk__mark;

typedef struct sbk__kept {
  sbk__mark in_store; /* the history of its destination */
  sbk__mark in_all;   /* all history, or all last values */
  sbk__node in_topic; /* all history below its prefix, for its age */
  struct sbk__store *store;
  sbk_message *msg;
  uint64_t seq;    /* the order of publication, in the broker */
  uint64_t number; /* of the message-id */
  uint64_t sender; /* the session's mark; 0: the host */
  uint64_t place;  /* in the history of its destination, from 1 */
  sbk_msec at;
  size_t size;
} sbk__kept;

/* What one destination keeps. */
typedef struct sbk__store {
  sbk__node in_stores;
  struct sbk__dest *dest;
  sbk__topic *topic;
  sbk__node history; /* sbk__mark */
  sbk__kept *value;  /* the last one, or NULL */
  size_t count;
  size_t bytes;
  uint64_t born;        /* the number of its first entry */
  uint64_t places;      /* entries there ever were */
  uint64_t lost_seq;    /* the newest entry that went */
  uint64_t lost_number; /* its number, */
  uint64_t lost_most;   /* and the largest of those that went */
  uint64_t lost_at;     /* keep->losses then */
  uint32_t promised;
  uint32_t readers;
} sbk__store;

typedef struct sbk__keep {
  const sbk__core *core;
  sbk__subs *subs;
  sbk__node stores;
  sbk__node history; /* sbk__mark */
  sbk__node values;  /* sbk__mark */
  size_t history_count;
  size_t history_bytes;
  size_t value_count;
  size_t value_bytes;
  uint64_t seq;              /* the last one given */
  uint64_t losses;           /* entries that went from any history */
  uint64_t forgotten_seq;    /* the newest that stores lost that are gone, */
  uint64_t forgotten_number; /* the largest number of those, */
  uint64_t forgotten_at;     /* and losses when the last one went */
  size_t value_promises;
  size_t value_promised_bytes;
  sbk__node spare; /* entries for promises, by in_topic */
  size_t spare_count;
  size_t promised; /* of them */
} sbk__keep;

void sbk__keep_init(sbk__keep *keep, const sbk__core *core, sbk__subs *subs);
/* No subscription and no reader is left. */
void sbk__keep_free(sbk__keep *keep);

/*
 * Keeps msg, which has its id, as topic says. 0; SBK_ERR_NOMEM;
 * SBK_ERR_TOO_MANY: max_retained or max_retained_bytes. Nothing is kept then.
 */
int sbk__keep_add(sbk__keep *keep, sbk__topic *topic, sbk_message *msg,
                  uint64_t number, uint64_t sender);
/* Makes sure that this will not fail for msg, though others were promised the
 * same. 0, or as that. */
int sbk__keep_promise(sbk__keep *keep, sbk__topic *topic,
                      const sbk_message *msg);
/* The promise is kept now, by the next call, or given up; in any case tidy up
 * then. */
void sbk__keep_forget(sbk__keep *keep, sbk__topic *topic,
                      const sbk_message *msg);
void sbk__keep_tidy(sbk__keep *keep, const sbk_message *msg);

/* What is too old goes; when that is due next. */
void sbk__keep_expire(sbk__keep *keep, const sbk__topics *topics);
sbk_msec sbk__keep_due(const sbk__keep *keep, const sbk__topics *topics);
/* Is it too old, or will be gone with the next tick? */
bool sbk__kept_is_old(const sbk__keep *keep, const sbk__kept *kept);

/* A destination's; NULL: it keeps nothing. */
sbk__store *sbk__keep_find(const sbk__keep *keep, const char *name, size_t len);
/* A reader leaves. */
void sbk__store_release(sbk__keep *keep, sbk__store *store);

/* How many of its history came up to seq and not before kept, which is one of
 * them: 1 is the newest. *walked grows by what had to be looked at for that. */
uint64_t sbk__kept_rank(const sbk__kept *kept, uint64_t seq, int *walked);

/* The entry behind mark in list, readers passed over; NULL: there is none. */
sbk__kept *sbk__mark_next(const sbk__node *list, const sbk__mark *mark);
/* Puts a reader behind an entry's place there, or NULL: in front of all. */
void sbk__mark_move(sbk__node *list, sbk__mark *mark, sbk__mark *behind);

#endif
