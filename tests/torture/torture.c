#include "torture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../wire/heap.h"
#include "../wire/run.h"
#include "answers.h"

/* One frame, one HTTP response, one heart-beat, one end. */
struct unit {
  const uint16_t *at;
  size_t len;
};

struct units {
  struct codes codes; /* generalized */
  struct unit *list;
  size_t count;
};

static bool begins(const uint16_t *at, size_t len, const char *text) {
  size_t i;

  for (i = 0; text[i] != '\0'; i++) {
    if (i == len || at[i] != (uint8_t)text[i]) {
      return false;
    }
  }
  return true;
}

static size_t unit_len(const uint16_t *at, size_t len) {
  size_t i;

  if (at[0] == '\n' || at[0] == CODE_END) {
    return 1;
  }
  for (i = 1; i < len && at[i] < CODE_TEXT; i++) {
    if (at[0] < CODE_TEXT && at[i - 1] == '\0') {
      break;
    }
    if (at[0] < CODE_TEXT && begins(at + i, len - i, "HTTP/1.1 ")) {
      break;
    }
  }
  return i;
}

static void units_split(struct units *units, const struct codes *codes) {
  size_t off = 0;

  memset(units, 0, sizeof(*units));
  codes_generalize(&units->codes, codes);
  while (off < units->codes.len) {
    const uint16_t *at = units->codes.at + off;
    size_t len = unit_len(at, units->codes.len - off);

    units->list =
        own_realloc(units->list, (units->count + 1) * sizeof(*units->list));
    units->list[units->count].at = at;
    units->list[units->count++].len = len;
    off += len;
  }
}

static void units_free(struct units *units) {
  codes_free(&units->codes);
  own_free(units->list);
}

static bool unit_equal(const struct unit *a, const struct unit *b) {
  return a->len == b->len && memcmp(a->at, b->at, a->len * sizeof(*a->at)) == 0;
}

static bool is_goodbye(const struct unit *unit) {
  size_t off = unit->at[0] == CODE_TEXT || unit->at[0] == CODE_BINARY;

  return unit->at[0] == CODE_CLOSE || unit->at[0] == CODE_END ||
         begins(unit->at + off, unit->len - off, "ERROR\n") ||
         begins(unit->at, unit->len, "HTTP/1.1 5");
}

static bool is_idle(const struct unit *unit) {
  return (unit->at[0] == '\n' && unit->len == 1) ||
         (unit->at[0] == CODE_TEXT && unit->len == 2 && unit->at[1] == '\n') ||
         unit->at[0] == CODE_PING;
}

/* A frame that was cut off by the end. */
static bool is_part(const struct unit *unit, const struct units *units,
                    size_t from) {
  for (; from < units->count; from++) {
    if (units->list[from].len > unit->len &&
        memcmp(units->list[from].at, unit->at, unit->len * sizeof(*unit->at)) ==
            0) {
      return true;
    }
  }
  return false;
}

/*
 * Where there are queues, a message that one consumer does not get for want of
 * memory goes to another: what each of them has to show is then known of all of
 * them together. Where topics keep what is sent, a client that comes back may
 * also get what it would have had before, or be told of a gap.
 */
struct pool {
  bool kept;
  struct codes *messages; /* of all streams of the clean run, see normalize() */
  bool *seen;
  size_t count;
};

static bool is_frame(const struct unit *unit, const char *command) {
  size_t off = unit->at[0] == CODE_TEXT || unit->at[0] == CODE_BINARY;

  return begins(unit->at + off, unit->len - off, command);
}

static bool is_message(const struct unit *unit) {
  return is_frame(unit, "MESSAGE\n");
}

static bool is_connected(const struct unit *unit) {
  return is_frame(unit, "CONNECTED\n");
}

/* A MESSAGE without what belongs to its receiver and its delivery. */
static void normalize(struct codes *codes, const struct unit *unit) {
  static const char *const own[] = {"subscription:", "ack:", "redelivered:"};
  size_t i = unit->at[0] > 255, n;
  bool head = true;

  while (i < unit->len) {
    size_t end = i;

    while (end < unit->len && head && unit->at[end] != '\n') {
      end++;
    }
    end = head && end < unit->len ? end + 1 : unit->len;
    for (n = 0; head && n < sizeof(own) / sizeof(*own); n++) {
      if (begins(unit->at + i, end - i, own[n])) {
        i = end;
      }
    }
    head = head && end - i != 1;
    for (; i < end; i++) {
      codes_add(codes, unit->at[i]);
    }
  }
}

static void pool_add(struct pool *pool, const struct units *units) {
  size_t i;

  for (i = 0; i < units->count; i++) {
    if (is_message(&units->list[i])) {
      pool->messages = own_realloc(pool->messages,
                                   (pool->count + 1) * sizeof(*pool->messages));
      pool->seen = own_realloc(pool->seen, pool->count + 1);
      memset(&pool->messages[pool->count], 0, sizeof(*pool->messages));
      normalize(&pool->messages[pool->count], &units->list[i]);
      pool->seen[pool->count++] = false;
    }
  }
}

static bool pool_see(struct pool *pool, const struct unit *unit) {
  struct codes message = {0};
  bool found = false;
  size_t i;

  normalize(&message, unit);
  for (i = 0; i < pool->count; i++) {
    if (codes_equal(&message, &pool->messages[i])) {
      pool->seen[i] = found = true;
    }
  }
  codes_free(&message);
  return found;
}

static bool pool_lacks(const struct pool *pool) {
  size_t i;

  for (i = 0; i < pool->count && pool->seen[i]; i++) {
  }
  return i < pool->count;
}

static void pool_free(struct pool *pool) {
  while (pool->count > 0) {
    codes_free(&pool->messages[--pool->count]);
  }
  own_free(pool->messages);
  own_free(pool->seen);
}

struct finding {
  bool lacks; /* something that comes out otherwise did not */
  bool ended; /* a stream ended that does not otherwise, or in another way */
};

/* Is there something from here up to there that has to be shown? */
static bool skips(const struct units *clean, size_t from, size_t to,
                  bool queues) {
  for (; from < to; from++) {
    if (!queues || !is_message(&clean->list[from])) {
      return true;
    }
  }
  return false;
}

/* Looks at one stream; false: it shows what it must not. pool is NULL where
 * there are no queues and nothing is kept. */
static bool look(const struct units *clean, const struct units *now,
                 struct pool *pool, bool closing, struct finding *finding) {
  size_t c = 0, i, next;
  bool goodbye = false, lacks = false;

  for (i = 0; i < now->count; i++) {
    const struct unit *unit = &now->list[i];

    if (goodbye && is_connected(unit)) { /* the client has come back */
      goodbye = false;
      finding->ended = true;
    }

    if (pool != NULL && !goodbye && is_message(unit) &&
        (pool_see(pool, unit) || pool->kept)) {
      continue;
    }
    for (next = c; next < clean->count; next++) {
      if (unit_equal(unit, &clean->list[next])) {
        break;
      }
    }
    if (next < clean->count && (!goodbye || is_goodbye(unit))) {
      lacks = lacks || skips(clean, c, next, pool != NULL);
      c = next + 1;
    } else if (is_goodbye(unit)) {
      goodbye = true;
    } else if (i + 1 < now->count && now->list[i + 1].at[0] == CODE_END &&
               (pool != NULL ? is_message(unit) : is_part(unit, clean, c))) {
      goodbye = true;
    } else if (!is_idle(unit)) {
      return false;
    }
  }
  lacks = lacks || skips(clean, c, clean->count, pool != NULL);
  finding->lacks = finding->lacks || lacks;
  finding->ended = finding->ended || goodbye || (lacks && closing);
  return true;
}

/* Do the streams show what a lack of memory explains? */
static bool judge_streams(struct run *clean, struct run *now) {
  struct finding finding = {false, false};
  struct units expected, actual;
  struct pool pool = {.kept = clean->script->topic_count > 0};
  bool queues = clean->script->config.queue_prefixes != NULL || pool.kept;
  bool fine = true;
  unsigned i;

  for (i = 1; i < clean->script->stream_count && queues; i++) {
    units_split(&expected, &clean->streams[i].shower.shown);
    pool_add(&pool, &expected);
    units_free(&expected);
  }
  for (i = 1; i < clean->script->stream_count && fine; i++) {
    units_split(&expected, &clean->streams[i].shower.shown);
    units_split(&actual, &now->streams[i].shower.shown);
    fine = look(&expected, &actual, queues ? &pool : NULL,
                now->streams[i].closing, &finding);
    finding.ended = finding.ended ||
                    (now->streams[i].closing && !clean->streams[i].closing);
    if (!fine) {
      run_fault(now, "%s shows what it must not:", clean->script->streams[i]);
      codes_print_diff(&expected.codes, &actual.codes);
    }
    units_free(&expected);
    units_free(&actual);
  }
  finding.lacks = finding.lacks || pool_lacks(&pool);
  pool_free(&pool);
  if (fine && finding.lacks && !finding.ended && !now->out_of_memory &&
      !now->setup_failed) {
    run_fault(now, "something was lost and nobody was told:");
    for (i = 1; i < clean->script->stream_count; i++) {
      printf("#   %s\n", clean->script->streams[i]);
      units_split(&expected, &clean->streams[i].shower.shown);
      units_split(&actual, &now->streams[i].shower.shown);
      codes_print_diff(&expected.codes, &actual.codes);
      units_free(&expected);
      units_free(&actual);
    }
  }
  return !now->failed;
}

/* Is the run's outcome one that a lack of memory explains? */
static bool judge(struct run *clean, struct run *now) {
  struct units expected, actual;

  if (answers_apply(clean->script)) {
    answers_judge(clean, now);
  } else {
    judge_streams(clean, now);
  }
  if (!now->failed && !clean->script->no_probe) {
    units_split(&expected, &clean->probe.shower.shown);
    units_split(&actual, &now->probe.shower.shown);
    if (!codes_equal(&expected.codes, &actual.codes)) {
      run_fault(now, "a fresh session afterwards is not served:");
      codes_print_diff(&expected.codes, &actual.codes);
    }
    units_free(&expected);
    units_free(&actual);
  }
  return !now->failed;
}

/* The probe of the clean run has to have got its own message. */
static bool probe_works(const struct run *clean) {
  static const char body[] = "are you there?";
  const struct codes *shown = &clean->probe.shower.shown;
  size_t i;

  for (i = 0; i < shown->len; i++) {
    if (begins(shown->at + i, shown->len - i, body)) {
      return true;
    }
  }
  return clean->script->no_probe;
}

/* alternate: all that follow fail with every other one. */
static bool fail_each(struct run *clean, struct mode *mode, bool alternate,
                      size_t only, size_t step) {
  struct run *now = own_realloc(NULL, sizeof(*now));
  bool fine = true, failed = true;
  size_t n = only > 0 ? only : 1 + run_place(clean->script, step);

  while (fine && failed) {
    mode->fail_at = n;
    mode->fail_on = alternate ? n / step % 2 == mode->over % 2 : mode->fail_on;
    if (getenv("TORTURE_TRACE") != NULL) {
      fprintf(stderr, "%s: n=%zu on=%d taking=%d\n", clean->script->path, n,
              mode->fail_on, (int)mode->taking);
    }
    run_play(now, clean->script, mode);
    failed = heap.failed > 0;
    fine = judge(clean, now);
    if (!fine) {
      printf("#   (allocation %zu%s failed, taking %d)\n", n,
             mode->fail_on ? " and later ones" : "", (int)mode->taking);
    }
    run_clear(now);
    if (only > 0) {
      break;
    }
    n += step;
  }
  own_free(now);
  return fine;
}

bool torture_script(const struct script *script, enum over over, size_t only,
                    size_t step) {
  static const enum taking takings[] = {TAKE_VECTORS, TAKE_COPY, TAKE_LATE};
  struct mode mode = {.start = 1u << 30, .probe = true, .over = over};
  struct run *clean = own_realloc(NULL, sizeof(*clean));
  bool fine;
  int i;

  run_play(clean, script, &mode);
  fine = !clean->failed;
  if (fine && !probe_works(clean)) {
    printf("#   %s: the session afterwards gets nothing as it is\n",
           script->path);
    codes_print_diff(&clean->probe.shower.shown, &clean->probe.shower.shown);
    fine = false;
  }
  mode.unchecked = true;
  if (fine && over != OVER_WEBSOCKET) {
    mode.taking = TAKE_COPY;
    fine = fail_each(clean, &mode, true, only, step);
  }
  for (i = 0; i < 6 && fine && over == OVER_WEBSOCKET; i++) {
    mode.fail_on = i & 1;
    mode.taking = takings[i / 2];
    mode.leave_open = i & 1;
    fine = fail_each(clean, &mode, false, only, 1);
  }
  run_clear(clean);
  own_free(clean);
  return fine;
}
