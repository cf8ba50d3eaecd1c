/*
 * replay TARGET DIRECTORY: what libFuzzer would be linked for, without it: each
 * file of a corpus goes once through the target. One that does not hold aborts;
 * its name is the last line then.
 */
#define _POSIX_C_SOURCE 200809L /* scandir */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define INPUT_MAX 65536

static bool play(const char *directory, const char *name) {
  static uint8_t input[INPUT_MAX];
  char path[1024];
  uint8_t *copy;
  size_t len;
  FILE *file;

  snprintf(path, sizeof(path), "%s/%s", directory, name);
  printf("# %s\n", name);
  fflush(stdout);
  file = fopen(path, "rb");
  if (file == NULL) {
    return false;
  }
  len = fread(input, 1, sizeof(input), file);
  fclose(file);
  copy = fuzz_copy(input, len);
  LLVMFuzzerTestOneInput(copy, len);
  free(copy);

  return true;
}

int main(int argc, char **argv) {
  struct dirent **entries = NULL;
  int i, count, played = 0;

  if (argc != 3) {
    fprintf(stderr, "usage: replay TARGET DIRECTORY\n");
    return 2;
  }

  printf("1..1\n");
  count = scandir(argv[2], &entries, NULL, alphasort);
  for (i = 0; i < count; i++) {
    if (entries[i]->d_name[0] != '.') {
      played += play(argv[2], entries[i]->d_name);
    }
    free(entries[i]);
  }
  free(entries);
  printf("%sok 1 - %s holds for all of its seeds\n", played > 0 ? "" : "not ",
         argv[1]);
  printf("# %d seeds\n", played);

  return played > 0 ? 0 : 1;
}
