#ifndef SBK__LIST_H
#define SBK__LIST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A ring of nodes that are members of what they link; the list itself is one
 * more node. An unlinked node points to itself, so that removing twice is safe.
 */
typedef struct sbk__node {
  struct sbk__node *prev;
  struct sbk__node *next;
} sbk__node;

#define sbk__item(node, type, member)                                          \
  ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void sbk__list_init(sbk__node *node) {
  node->prev = node;
  node->next = node;
}

static inline bool sbk__list_empty(const sbk__node *list) {
  return list->next == list;
}

/* Also: is this node in a list? */
static inline bool sbk__list_linked(const sbk__node *node) {
  return node->next != node;
}

/* Puts node, which is in no list, behind all others. */
static inline void sbk__list_push(sbk__node *list, sbk__node *node) {
  node->prev = list->prev;
  node->next = list;
  list->prev->next = node;
  list->prev = node;
}

static inline void sbk__list_remove(sbk__node *node) {
  node->prev->next = node->next;
  node->next->prev = node->prev;
  sbk__list_init(node);
}

/* The first node, taken out; NULL: the list is empty. */
static inline sbk__node *sbk__list_shift(sbk__node *list) {
  sbk__node *node = list->next;

  if (node == list) {
    return NULL;
  }
  sbk__list_remove(node);

  return node;
}

#endif
