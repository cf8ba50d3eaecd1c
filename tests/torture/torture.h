#ifndef TORTURE_H
#define TORTURE_H

#include <stdbool.h>

#include "../wire/run.h"

/*
 * Plays a transcript again and again while the n-th allocation fails, or the
 * n-th and all later ones, for every n that there is. Nobody may crash or leak,
 * what comes out must be what comes out otherwise, less whole frames, up to an
 * ERROR or a Close; nothing may be lost without anybody's being told; and
 * afterwards the broker serves a fresh session. Prints diagnostics; true: all
 * is well. only: this n alone, if it is not 0. Over SockJS each n is played
 * once: every other one with all that follow.
 */
bool torture_script(const struct script *script, enum over over, size_t only,
                    size_t step);

#endif
