#ifndef SBK__TX_H
#define SBK__TX_H

#include "fault.h"
#include "session.h"

/*
 * Transactions of a session: frames that are kept, after the rules and the
 * interceptors have passed them, until COMMIT applies them in order or ABORT,
 * or the end of the session, forgets them.
 */
typedef struct sbk__tx {
  struct sbk__tx *next;
  sbk_message **frames;
  uint32_t count;
  uint32_t cap;
  size_t bytes; /* of their bodies */
  char name[];  /* ended by NUL */
} sbk__tx;

/* Does BEGIN, COMMIT or ABORT make sense, or the transaction header of another
 * frame? Before the host's code sees it. */
enum sbk__fault sbk__tx_check(const sbk_session *session,
                              const sbk_message *msg);

/* 0, or SBK_ERR_NOMEM. */
int sbk__tx_begin(sbk_session *session, const char *name);
/* Keeps one reference more to a frame that names it. 0, SBK_ERR_NOMEM. */
int sbk__tx_keep(sbk_session *session, sbk_message *msg);
/* Takes it out: the caller frees it. NULL: there is none. */
sbk__tx *sbk__tx_take(sbk_session *session, const char *name);
void sbk__tx_free(const struct sbk_mem *mem, sbk__tx *tx);
/* Forgets all of them. */
void sbk__tx_end(sbk_session *session);

#endif
