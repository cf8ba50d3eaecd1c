#ifndef SBK__LOG_H
#define SBK__LOG_H

#include <stdbool.h>

#include "core.h"

/*
 * LIMITS: a peer makes 10 lines a second. Peers share what their names' hash
 * shares, so that keeping count of them costs nothing, whoever and however many
 * they are; all together they make 640.
 */
#define SBK__LOG_LINES 10
#define SBK__LOG_PEERS 64

typedef struct sbk__log_quota {
  struct {
    sbk_msec since; /* the second that is counted */
    uint32_t lines;
    uint32_t left_out;
  } peers[SBK__LOG_PEERS];
  uint32_t untold; /* of them with something left out */
} sbk__log_quota;

/*
 * A line of the log: "who: what: detail", of which who and detail may be
 * NULL. who and detail may be a peer's text: at most 128 bytes of each, every
 * byte outside printable ASCII as \xHH. Lines over the quota are left out, but
 * for errors that are nobody's.
 */
void sbk__log(const sbk__core *core, enum sbk_log_level level, const char *who,
              const char *what, const char *detail);

/* Tells how many lines were left out in seconds that are over, or now (all). */
void sbk__log_left_out(const sbk__core *core, bool all);

#endif
