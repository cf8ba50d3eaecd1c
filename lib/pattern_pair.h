#ifndef SBK__PATTERN_PAIR_H
#define SBK__PATTERN_PAIR_H

#include "pattern.h"

/*
 * Two patterns: what each of them matches, compared. Both have passed
 * sbk__pattern_check(). user, which may be NULL, is what {user} in the first
 * one stands for, as in sbk__pattern_match_user(). Iterative, no memory,
 * bounded by the product of both lengths.
 */

/* True: every destination that `narrow` matches is matched by `wide`. False
 * also where that would be dear to find out. */
bool sbk__pattern_covers(const char *wide, size_t wide_len, const char *user,
                         const char *narrow, size_t narrow_len, char separator);

/* False: there is no destination that both match. True also where that would
 * be dear to find out. */
bool sbk__pattern_meets(const char *a, size_t a_len, const char *user,
                        const char *b, size_t b_len, char separator);

#endif
