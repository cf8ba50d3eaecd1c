#include "trie.h"

#include <string.h>

#include "map.h"
#include "pattern.h"

enum kind {
  LITERAL, /* no wildcard */
  GLOB,    /* wildcards and letters */
  ANY,     /* `*` */
  DEEP     /* `**` */
};

struct sbk__branch {
  sbk__branch *parent; /* NULL: the root */
  sbk__branch *any;    /* children, at most one of each */
  sbk__branch *deep;
  sbk__node globs; /* children with wildcards and letters */
  sbk__node in_globs;
  sbk__branch *in_bucket;  /* the next one there */
  sbk__node leaves;        /* patterns that end here */
  uint32_t refs;           /* children and leaves */
  uint32_t literals;       /* children without wildcards */
  uint64_t mark;           /* of the segment for which it was entered last */
  sbk__branch *entered[2]; /* the next one, by turns of segments */
  uint64_t hash;
  uint32_t len;
  uint8_t kind;
  char segment[];
};

void sbk__trie_init(sbk__trie *trie, const sbk__core *core) {
  memset(trie, 0, sizeof(*trie));
  trie->core = core;
}

void sbk__trie_free(sbk__trie *trie) {
  sbk__free(&trie->core->mem, trie->buckets);
}

static enum kind kind_of(const char *segment, size_t len) {
  if (len == 2 && memcmp(segment, "**", 2) == 0) {
    return DEEP;
  }
  if (!sbk__pattern_is(segment, len)) {
    return LITERAL;
  }

  return (len == 1 && segment[0] == '*') ||
                 (segment[0] == '{' &&
                  memchr(segment, '}', len) == segment + len - 1)
             ? ANY
             : GLOB;
}

/* ---- the table of all but those of `*` and `**` ---- */

/* The branch they grow from is no stranger's choice. */
static uint64_t mix(uint64_t hash, const sbk__branch *parent) {
  return hash ^ ((uint64_t)(uintptr_t)parent * UINT64_C(0x9e3779b97f4a7c15));
}

static sbk__branch **bucket_of(const sbk__trie *trie, uint64_t hash) {
  return &trie->buckets[(hash ^ hash >> 32) & (trie->bucket_count - 1)];
}

static sbk__branch *look_up(const sbk__trie *trie, const sbk__branch *parent,
                            enum kind kind, const char *segment, size_t len,
                            uint64_t hash) {
  sbk__branch *b = NULL;

  hash = mix(hash, parent);
  if (trie->bucket_count > 0) {
    b = *bucket_of(trie, hash);
  }
  while (b != NULL &&
         (b->hash != hash || b->parent != parent || b->kind != kind ||
          b->len != len || memcmp(b->segment, segment, len) != 0)) {
    b = b->in_bucket;
  }

  return b;
}

/* Twice as many buckets; without memory for that chains become longer. 0, or
 * SBK_ERR_NOMEM: there are none at all. */
static int grow(sbk__trie *trie) {
  size_t i, old = trie->bucket_count, count = old == 0 ? 16 : old * 2;
  sbk__branch **buckets = trie->buckets;

  if (trie->branch_count < old) {
    return 0;
  }
  trie->buckets = sbk__calloc(&trie->core->mem, count, sizeof(*buckets));
  if (trie->buckets == NULL) {
    trie->buckets = buckets;
    return old > 0 ? 0 : SBK_ERR_NOMEM;
  }
  trie->bucket_count = count;
  for (i = 0; i < old; i++) {
    while (buckets[i] != NULL) {
      sbk__branch *b = buckets[i], **bucket = bucket_of(trie, b->hash);

      buckets[i] = b->in_bucket;
      b->in_bucket = *bucket;
      *bucket = b;
    }
  }
  sbk__free(&trie->core->mem, buckets);

  return 0;
}

/* ---- growing and pruning ---- */

static sbk__branch *find_child(const sbk__trie *trie, const sbk__branch *parent,
                               enum kind kind, const char *segment, size_t len,
                               uint64_t hash) {
  switch (kind) {
  case ANY:
    return parent->any;
  case DEEP:
    return parent->deep;
  default:
    return look_up(trie, parent, kind, segment, len, hash);
  }
}

static sbk__branch *branch_new(sbk__trie *trie, enum kind kind,
                               const char *segment, size_t len) {
  sbk__branch *b = sbk__calloc(&trie->core->mem, 1, sizeof(*b) + len);

  if (b == NULL) {
    return NULL;
  }
  sbk__list_init(&b->globs);
  sbk__list_init(&b->in_globs);
  sbk__list_init(&b->leaves);
  b->kind = (uint8_t)kind;
  b->len = (uint32_t)len;
  if (len > 0) {
    memcpy(b->segment, segment, len);
  }

  return b;
}

static sbk__branch *grow_child(sbk__trie *trie, sbk__branch *parent,
                               enum kind kind, const char *segment, size_t len,
                               uint64_t hash) {
  sbk__branch *b =
      grow(trie) == 0 ? branch_new(trie, kind, segment, len) : NULL;

  if (b == NULL) {
    return NULL;
  }
  b->parent = parent;
  b->hash = mix(hash, parent);
  parent->refs++;
  if (kind == ANY) {
    parent->any = b;
  } else if (kind == DEEP) {
    parent->deep = b;
  } else {
    sbk__branch **bucket = bucket_of(trie, b->hash);

    b->in_bucket = *bucket;
    *bucket = b;
    trie->branch_count++;
    if (kind == GLOB) {
      sbk__list_push(&parent->globs, &b->in_globs);
    } else {
      parent->literals++;
    }
  }

  return b;
}

static void unlink_child(sbk__trie *trie, sbk__branch *b) {
  sbk__branch *parent = b->parent, **at;

  parent->refs--;
  if (b->kind == ANY) {
    parent->any = NULL;
  } else if (b->kind == DEEP) {
    parent->deep = NULL;
  } else {
    for (at = bucket_of(trie, b->hash); *at != b; at = &(*at)->in_bucket) {
    }
    *at = b->in_bucket;
    trie->branch_count--;
    sbk__list_remove(&b->in_globs);
    parent->literals -= b->kind == LITERAL;
  }
}

/* A branch that carries nothing goes, and those that carried but it. */
static void prune(sbk__trie *trie, sbk__branch *b) {
  while (b != NULL && b->refs == 0) {
    sbk__branch *parent = b->parent;

    if (parent != NULL) {
      unlink_child(trie, b);
    } else {
      trie->root = NULL;
    }
    sbk__free(&trie->core->mem, b);
    b = parent;
  }
}

static uint64_t hash_of(const sbk__trie *trie, const char *segment,
                        size_t len) {
  return sbk__siphash13(trie->core->seed, segment, len);
}

int sbk__trie_add(sbk__trie *trie, const char *pattern, size_t len,
                  sbk__leaf *leaf) {
  char separator = trie->core->config.separator;
  const char *segment;
  size_t size, pos = 0;
  sbk__branch *b;

  if (trie->root == NULL) {
    trie->root = branch_new(trie, LITERAL, NULL, 0);
  }
  b = trie->root;
  while (b != NULL &&
         sbk__pattern_segment(pattern, len, separator, &pos, &segment, &size)) {
    enum kind kind = kind_of(segment, size);
    uint64_t hash = hash_of(trie, segment, size);
    sbk__branch *child = find_child(trie, b, kind, segment, size, hash);

    if (child == NULL) {
      child = grow_child(trie, b, kind, segment, size, hash);
    }
    if (child == NULL) {
      prune(trie, b);
    }
    b = child;
  }
  if (b == NULL) {
    return SBK_ERR_NOMEM;
  }

  b->refs++;
  leaf->branch = b;
  sbk__list_push(&b->leaves, &leaf->in_branch);

  return 0;
}

void sbk__trie_remove(sbk__trie *trie, sbk__leaf *leaf) {
  sbk__list_remove(&leaf->in_branch);
  leaf->branch->refs--;
  prune(trie, leaf->branch);
}

/* ---- walking ---- */

/* The branches that a destination has come to, all with the trie's mark. */
typedef struct front {
  sbk__trie *trie;
  sbk__branch *first;
  int turn;
} front;

/* And `**` below it, which may stand for nothing. */
static void enter(front *f, sbk__branch *b) {
  for (; b != NULL && b->mark != f->trie->mark; b = b->deep) {
    b->mark = f->trie->mark;
    b->entered[f->turn] = f->first;
    f->first = b;
  }
}

static void step(front *next, sbk__branch *b, const char *segment, size_t len,
                 uint64_t hash) {
  sbk__node *node;

  if (b->kind == DEEP) {
    enter(next, b);
  }
  enter(next, b->any);
  if (b->literals > 0) {
    enter(next, look_up(next->trie, b, LITERAL, segment, len, hash));
  }
  for (node = b->globs.next; node != &b->globs; node = node->next) {
    sbk__branch *glob = sbk__item(node, sbk__branch, in_globs);

    if (sbk__pattern_match_segment(glob->segment, glob->len, segment, len)) {
      enter(next, glob);
    }
  }
}

static int give(sbk__branch *b, int (*take)(sbk__leaf *leaf, void *arg),
                void *arg) {
  sbk__node *node;
  int rv = 0;

  for (node = b->leaves.next; rv == 0 && node != &b->leaves;
       node = node->next) {
    rv = take(sbk__item(node, sbk__leaf, in_branch), arg);
  }

  return rv;
}

int sbk__trie_find(sbk__trie *trie, const char *name, size_t len,
                   int (*take)(sbk__leaf *leaf, void *arg), void *arg) {
  char separator = trie->core->config.separator;
  front at = {trie, NULL, 0}, next;
  const char *segment;
  size_t size, pos = 0;
  sbk__branch *b;
  int rv = 0;

  trie->mark++;
  enter(&at, trie->root);
  while (at.first != NULL &&
         sbk__pattern_segment(name, len, separator, &pos, &segment, &size)) {
    uint64_t hash = hash_of(trie, segment, size);

    next = (front){trie, NULL, !at.turn};
    trie->mark++;
    for (b = at.first; b != NULL; b = b->entered[at.turn]) {
      step(&next, b, segment, size, hash);
    }
    at = next;
  }

  if (name[len - 1] == separator) {
    /* Behind the separator at the end `*` may stand for nothing. */
    next = (front){trie, NULL, !at.turn};
    trie->mark++;
    for (b = at.first; b != NULL; b = b->entered[at.turn]) {
      enter(&next, b);
      enter(&next, b->any);
    }
    at = next;
  }
  for (b = at.first; rv == 0 && b != NULL; b = b->entered[at.turn]) {
    rv = give(b, take, arg);
  }

  return rv;
}
