/* once.c - what was done lately, so that it is not done twice. */
#include "once.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USERS   1024u
#define NUMBERS 64u

struct doer {
  char name[NAME_SIZE];
  uint64_t last; /* by what was done at all */
  uint64_t numbers[NUMBERS];
  size_t count; /* of those ever put there */
};

struct once {
  uint64_t count; /* what was done at all */
  size_t used;
  struct doer doers[USERS];
};

struct once *once_new(void) {
  return calloc(1, sizeof(struct once));
}

void once_free(struct once *o) {
  free(o);
}

static struct doer *find(struct once *o, const char *user) {
  size_t i;
  for (i = 0; i < o->used; i++)
    if (strcmp(o->doers[i].name, user) == 0) return &o->doers[i];
  return NULL;
}

bool once_done(struct once *o, const char *user, uint64_t number) {
  const struct doer *d = find(o, user);
  size_t i;
  for (i = 0; d != NULL && i < d->count && i < NUMBERS; i++)
    if (d->numbers[i] == number) return true;
  return false;
}

/* A free place, or that of who was quiet longest. */
static struct doer *place(struct once *o) {
  struct doer *d = o->doers;
  size_t i;
  if (o->used < USERS) return &o->doers[o->used++];
  for (i = 1; i < USERS; i++)
    if (o->doers[i].last < d->last) d = &o->doers[i];
  memset(d, 0, sizeof(*d));
  return d;
}

void once_add(struct once *o, const char *user, uint64_t number) {
  struct doer *d = find(o, user);
  if (d == NULL) {
    d = place(o);
    snprintf(d->name, sizeof(d->name), "%s", user);
  }
  d->last = ++o->count;
  d->numbers[d->count++ % NUMBERS] = number;
}
