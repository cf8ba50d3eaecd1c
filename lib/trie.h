#ifndef SBK__TRIE_H
#define SBK__TRIE_H

#include "core.h"
#include "list.h"

/*
 * Patterns by their segments: a destination walks along those branches alone
 * that it may match, all of them at once and each once per segment, so that
 * neither many patterns nor clever ones cost more than the branches it comes
 * by. `{name}` alone is `*` here. It finds all patterns that match, and at
 * times one more: sbk__pattern_match() decides.
 */
typedef struct sbk__branch sbk__branch;

/* A member of what is found. */
typedef struct sbk__leaf {
  sbk__node in_branch;
  sbk__branch *branch;
} sbk__leaf;

typedef struct sbk__trie {
  const sbk__core *core;
  sbk__branch *root;     /* NULL: empty */
  sbk__branch **buckets; /* all branches but those of `*` and `**` */
  size_t bucket_count;   /* a power of two, or 0 */
  size_t branch_count;   /* in them */
  uint64_t mark;         /* of the segment that is looked at */
} sbk__trie;

void sbk__trie_init(sbk__trie *trie, const sbk__core *core);
/* It is empty. */
void sbk__trie_free(sbk__trie *trie);

/* 0, or SBK_ERR_NOMEM and nothing has changed. */
int sbk__trie_add(sbk__trie *trie, const char *pattern, size_t len,
                  sbk__leaf *leaf);
void sbk__trie_remove(sbk__trie *trie, sbk__leaf *leaf);

/* Gives take() each leaf whose pattern may match, once, until that returns
 * something else than 0, which comes back. take() does not change the trie. */
int sbk__trie_find(sbk__trie *trie, const char *name, size_t len,
                   int (*take)(sbk__leaf *leaf, void *arg), void *arg);

#endif
