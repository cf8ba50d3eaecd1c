#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../torture/torture.h"
#include "heap.h"
#include "run.h"
#include "sockjs.h"

/*
 * runner [--torture | --check | --share N] [--over TRANSPORT] [--mode GROUP]
 * [--only TEXT] [--fail N] [--step N] [--one-process] FILE|FOLDER …
 *
 * Plays transcripts in all the ways in which the same bytes can come and go,
 * and prints a line of TAP for each and each group of ways.
 */

#define EVERY_CUT 200 /* longer steps are cut at fewer places */

/* Over SockJS a transcript takes some of the places only, each others. */
#define CUT_STEP   11
#define BREAK_STEP 13
#define EARLY_STEP 311

struct options {
  bool torture;
  bool check; /* only reads the transcripts */
  enum over over;
  unsigned share; /* only tells how many can be played over SockJS */
  const char *mode;
  const char *only;
  size_t fail;
  size_t step;
  bool one_process; /* a crash ends it, but valgrind starts once only */
};

struct files {
  char **paths;
  size_t count;
};

/* Shared with the children: each transcript is played in one, so that a crash
 * is a failure like any other. */
struct tally {
  unsigned count;
  unsigned failures;
  unsigned reasons[REASON_COUNT]; /* to leave transcripts out over SockJS */
};
static struct tally *tally;

static void report(const struct script *script, enum over over,
                   const char *group, bool fine) {
  printf("%sok %u - %s: %s%s%s\n", fine ? "" : "not ", ++tally->count,
         script->name, group, over != OVER_WEBSOCKET ? " over " : "",
         over != OVER_WEBSOCKET ? over_names[over] : "");
  fflush(stdout);
  tally->failures += !fine;
}

/* The run must show what the first one has shown. */
static bool same(struct run *run, const struct run *first) {
  unsigned i;

  for (i = 0; i < run->script->stream_count && !run->failed; i++) {
    if (!codes_equal(&run->streams[i].shower.shown,
                     &first->streams[i].shower.shown)) {
      run_fault(run, "%s differs from the first run:", run->script->streams[i]);
      codes_print_diff(&first->streams[i].shower.shown,
                       &run->streams[i].shower.shown);
    }
  }
  return !run->failed;
}

static bool play(const struct run *first, struct run *run,
                 const struct mode *mode) {
  static const char *const feedings[] = {"whole", "joined", "bytes", "cut"};
  static const char *const takings[] = {"vectors",   "byte",   "copy",
                                        "copy byte", "uneven", "late"};
  bool fine;

  run_play(run, first->script, mode);
  fine = same(run, first);
  if (!fine) {
    printf("#   (feeding %s %zu, taking %s", feedings[mode->feeding], mode->cut,
           takings[mode->taking]);
    if (mode->breaks) {
      printf(", breaking %s%zu", mode->break_early ? "early " : "",
             mode->break_at);
    }
    printf(")\n");
  }
  run_clear(run);
  return fine;
}

/* Over what the first run was played. */
static bool play_over(const struct run *first, struct run *run,
                      const struct mode *mode) {
  struct mode over = *mode;

  over.over = first->mode->over;
  return play(first, run, &over);
}

static bool play_cut(const struct run *first, struct run *run) {
  static const struct mode modes[] = {
      {.feeding = FEED_JOINED, .start = (sbk_msec)1 << 40},
      {.feeding = FEED_BYTES, .start = (sbk_msec)1 << 62, .leave_open = true},
      {.feeding = FEED_BYTES, .taking = TAKE_COPY, .start = 1}};
  size_t i;

  for (i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
    if (!play_over(first, run, &modes[i])) {
      return false;
    }
  }
  return true;
}

/* The longest piece of input, with what HTTP and JSON put around it. */
static size_t longest_input(const struct run *first) {
  bool over = first->mode->over != OVER_WEBSOCKET;
  size_t longest = 0, i;

  for (i = 0; i < first->script->item_count; i++) {
    const struct item *item = &first->script->items[i];
    size_t len = over && item->said == SAID_TEXT ? 140 + item->words.len
                                                 : item->codes.len;

    if (item->kind == ITEM_INPUT && len > longest) {
      longest = len;
    }
  }
  return longest;
}

static bool play_split(const struct run *first, struct run *run) {
  struct mode mode = {.feeding = FEED_CUT,
                      .start = 77,
                      .leave_open = true,
                      .taking = TAKE_COPY};
  size_t longest = longest_input(first);
  size_t step = first->mode->over == OVER_WEBSOCKET ? 1 : CUT_STEP;

  for (mode.cut = 1 + run_place(first->script, step); mode.cut < longest;
       mode.cut += mode.cut < EVERY_CUT ? step : step + longest * step / 30) {
    if (!play_over(first, run, &mode)) {
      return false;
    }
  }
  return true;
}

static bool play_output(const struct run *first, struct run *run) {
  static const struct mode modes[] = {
      {.taking = TAKE_BYTE, .start = (sbk_msec)1 << 40},
      {.taking = TAKE_COPY, .start = (sbk_msec)1 << 32, .leave_open = true},
      {.taking = TAKE_COPY_BYTE, .start = (sbk_msec)1 << 40},
      {.taking = TAKE_UNEVEN, .start = (sbk_msec)1 << 40},
      {.taking = TAKE_LATE, .start = (sbk_msec)1 << 40},
      {.feeding = FEED_BYTES,
       .taking = TAKE_LATE,
       .start = (sbk_msec)1 << 40,
       .leave_open = true}};
  size_t i;

  for (i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
    if (modes[i].feeding != FEED_WHOLE && first->script->skip[GROUP_CUT]) {
      continue;
    }
    if (!play_over(first, run, &modes[i])) {
      return false;
    }
  }
  return true;
}

/* Answers break off within what they bring, and before. */
static bool play_break(const struct run *first, struct run *run) {
  size_t early = first->mode->over == OVER_XHR_STREAMING ? 2600 : 450;
  struct mode mode = {.breaks = true, .start = (sbk_msec)1 << 40};

  for (mode.break_at = run_place(first->script, BREAK_STEP);
       mode.break_at < EVERY_CUT; mode.break_at += BREAK_STEP) {
    mode.taking = mode.break_at % 2 == 0 ? TAKE_VECTORS : TAKE_COPY;
    mode.leave_open = !mode.leave_open;
    if (!play_over(first, run, &mode)) {
      return false;
    }
  }
  mode.break_early = true;
  for (mode.break_at = 1 + run_place(first->script, EARLY_STEP);
       mode.break_at < early; mode.break_at += EARLY_STEP) {
    mode.taking = mode.break_at % 2 == 0 ? TAKE_VECTORS : TAKE_COPY;
    if (!play_over(first, run, &mode)) {
      return false;
    }
  }
  return true;
}

static void play_groups(const struct script *script, enum over over,
                        const char *only) {
  static bool (*const plays[GROUP_COUNT])(const struct run *, struct run *) = {
      NULL, play_cut, play_split, play_output, play_break};
  const struct mode whole = {.start = 0xffffffffu - 5000, .over = over};
  struct run *first = own_realloc(NULL, sizeof(*first));
  struct run *run = own_realloc(NULL, sizeof(*run));
  unsigned i;

  run_play(first, script, &whole);
  report(script, over, group_names[GROUP_WHOLE], !first->failed);
  for (i = 1; i < GROUP_COUNT && !first->failed; i++) {
    if (!script->skip[i] && (i != GROUP_BREAK || over != OVER_WEBSOCKET) &&
        (only == NULL || !strcmp(only, group_names[i]))) {
      report(script, over, group_names[i], plays[i](first, run));
    }
  }
  run_clear(first);
  own_free(first);
  own_free(run);
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_path(struct files *files, const char *path) {
  files->paths =
      own_realloc(files->paths, (files->count + 1) * sizeof(*files->paths));
  files->paths[files->count++] = own_strdup(path);
}

/* A folder's transcripts, or a file. */
static void add_paths(struct files *files, const char *path) {
  DIR *dir = opendir(path);
  struct dirent *entry;
  size_t first = files->count, len;
  char whole[1024];

  if (dir == NULL) {
    add_path(files, path);
    return;
  }
  while ((entry = readdir(dir)) != NULL) {
    len = strlen(entry->d_name);
    if (len > 4 && strcmp(entry->d_name + len - 4, ".txt") == 0) {
      snprintf(whole, sizeof(whole), "%s/%s", path, entry->d_name);
      add_path(files, whole);
    }
  }
  closedir(dir);
  qsort(files->paths + first, files->count - first, sizeof(*files->paths),
        by_name);
}

/* Can it not be played over SockJS? */
static bool leave_out(const struct script *script) {
  enum reason reason = sockjs_reason(script);

  tally->reasons[reason]++;
  return reason != REASON_NONE;
}

/* How many can. share: so many of a hundred of those with a WebSocket have
 * to. */
static void report_share(unsigned share) {
  unsigned all = tally->reasons[REASON_NONE], i;

  for (i = 1; i < REASON_COUNT; i++) {
    if (tally->reasons[i] > 0) {
      printf("# left out: %u, %s\n", tally->reasons[i], reason_names[i]);
      all += i == REASON_NO_WEBSOCKET ? 0 : tally->reasons[i];
    }
  }
  printf("# over SockJS: %u of %u with a WebSocket\n",
         tally->reasons[REASON_NONE], all);
  if (share > 0) {
    bool fine = tally->reasons[REASON_NONE] * 100 >= share * all;

    printf("%sok %u - %u in a hundred can be played over SockJS\n",
           fine ? "" : "not ", ++tally->count, share);
    tally->failures += !fine;
  }
}

static void play_script(const char *path, const struct options *options) {
  struct script *script = script_load(path);

  if (options->check) {
    report(script, OVER_WEBSOCKET, "reads well", true);
  } else if (options->share > 0) {
    (void)leave_out(script);
  } else if (options->over != OVER_WEBSOCKET && leave_out(script)) {
    ; /* counted */
  } else if (!options->torture) {
    play_groups(script, options->over, options->mode);
  } else if (!script->no_torture) {
    report(script, options->over, "torture",
           torture_script(script, options->over, options->fail, options->step));
  }
  script_free(script);
}

static void play_file(const char *path, const struct options *options) {
  pid_t child;
  int status = 0;

  if (options->only != NULL && strstr(path, options->only) == NULL) {
    return;
  }
  fflush(stdout);
  if (options->one_process) {
    play_script(path, options);
    return;
  }
  child = fork();
  if (child == 0) {
    play_script(path, options);
    exit(0);
  }
  if (child < 0 || waitpid(child, &status, 0) < 0) {
    printf("Bail out! fork() or waitpid() failed\n");
    exit(99);
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 99) {
    exit(99);
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    printf("not ok %u - %s crashes (%d)\n", ++tally->count, path, status);
    tally->failures++;
  }
}

static enum over over_of(const char *name) {
  unsigned i;

  for (i = 0; i < OVER_COUNT; i++) {
    if (strcmp(over_names[i], name) == 0) {
      return (enum over)i;
    }
  }
  printf("Bail out! over %s\n", name);
  exit(99);
}

int main(int argc, char **argv) {
  static char buffer[65536];
  struct options options = {.step = 1};
  struct files files = {0};
  size_t f;
  int i;

  setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
  if (!heap_usable()) {
    printf("1..0 # SKIP malloc() cannot be replaced in this build\n");
    return 0;
  }
  tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (tally == MAP_FAILED) {
    printf("Bail out! mmap() failed\n");
    return 99;
  }
  for (i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--torture") == 0) {
      options.torture = true;
    } else if (strcmp(argv[i], "--check") == 0) {
      options.check = true;
    } else if (strcmp(argv[i], "--one-process") == 0) {
      options.one_process = true;
    } else if (strcmp(argv[i], "--over") == 0 && i + 1 < argc) {
      options.over = over_of(argv[++i]);
    } else if (strcmp(argv[i], "--share") == 0 && i + 1 < argc) {
      options.share = (unsigned)atoi(argv[++i]);
    } else if (strcmp(argv[i], "--mode") == 0 && i + 1 < argc) {
      options.mode = argv[++i];
    } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
      options.only = argv[++i];
    } else if (strcmp(argv[i], "--step") == 0 && i + 1 < argc) {
      options.step = (size_t)atoi(argv[++i]);
    } else if (strcmp(argv[i], "--fail") == 0 && i + 1 < argc) {
      options.fail = (size_t)atoi(argv[++i]);
    } else {
      add_paths(&files, argv[i]);
    }
  }
  for (f = 0; f < files.count; f++) {
    play_file(files.paths[f], &options);
    own_free(files.paths[f]);
  }
  own_free(files.paths);
  if (options.over != OVER_WEBSOCKET || options.share > 0) {
    report_share(options.share);
  }
  printf("1..%u\n", tally->count);
  return tally->failures > 0;
}
