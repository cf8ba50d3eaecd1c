#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static const char usage[] = "usage: sim [--acts N] [--trace] FIRST [LAST]\n"
                            "\n"
                            "Plays the seeds from FIRST to LAST, of N acts "
                            "each (1000), and prints TAP.\n"
                            "  --trace  say what happens\n";

#define BLOCK 250 /* seeds in a line of TAP */

static struct sim total;

/* False: it failed, which was said. */
static bool play(uint64_t seed, int acts, bool trace) {
  static struct sim sim;
  bool ok;

  memset(&sim, 0, sizeof(sim));
  sim.trace = trace;
  sim_play(&sim, seed, acts);
  ok = sim.model.complaint[0] == '\0';
  if (!ok) {
    printf("# sim --acts %d --trace %llu: %s\n", acts, (unsigned long long)seed,
           sim.model.complaint);
  }
  total.model.message_count += sim.model.message_count;
  total.model.deliveries.count += sim.model.deliveries.count;
  total.model.session_count += sim.model.session_count;
  total.ended += sim.ended;
  total.slow += sim.slow;
  total.late += sim.late;
  total.starved += sim.starved;
  model_free(&sim.model);

  return ok;
}

int main(int argc, char **argv) {
  uint64_t seeds[2] = {0, 0}, seed, count = 0;
  int acts = 1000, given = 0, failed = 0, i;
  bool trace = false, good = true;

  for (i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--acts") == 0 && i + 1 < argc) {
      acts = (int)strtol(argv[++i], NULL, 10);
    } else if (strcmp(argv[i], "--trace") == 0) {
      trace = true;
    } else if (argv[i][0] != '-' && given < 2) {
      seeds[given++] = strtoull(argv[i], NULL, 10);
    } else {
      fputs(usage, stderr);
      return 2;
    }
  }
  if (given == 0) {
    fputs(usage, stderr);
    return 2;
  }
  seeds[1] = given == 2 ? seeds[1] : seeds[0];
  for (seed = seeds[0]; seed <= seeds[1]; seed++) {
    good = play(seed, acts, trace) && good;
    if (++count % BLOCK == 0 || seed == seeds[1]) {
      printf("%sok %llu - seeds up to %llu\n", good ? "" : "not ",
             (unsigned long long)((count + BLOCK - 1) / BLOCK),
             (unsigned long long)seed);
      fflush(stdout);
      failed += !good;
      good = true;
    }
  }
  printf("1..%llu\n", (unsigned long long)((count + BLOCK - 1) / BLOCK));
  printf("# %zu messages sent, %zu delivered; %zu sessions, %llu ended by the "
         "broker: slow %llu, late %llu, out of memory %llu\n",
         total.model.message_count, total.model.deliveries.count,
         total.model.session_count, (unsigned long long)total.ended,
         (unsigned long long)total.slow, (unsigned long long)total.late,
         (unsigned long long)total.starved);

  return failed != 0;
}
