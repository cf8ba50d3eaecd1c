#ifndef SBK__USERS_H
#define SBK__USERS_H

#include <stdbool.h>

#include "core.h"
#include "list.h"
#include "map.h"

/* Named users and their connected sessions. */
typedef struct sbk__user {
  sbk__node sessions; /* in_user of each */
  size_t count;
  size_t len;
  char name[]; /* ended by NUL */
} sbk__user;

void sbk__users_init(sbk__map *users, const sbk__core *core);
/* Puts a session's node under that name. 0, or SBK_ERR_NOMEM. */
int sbk__users_add(sbk__map *users, const char *name, sbk__node *node,
                   sbk__user **user);
/* Takes it out; the last one ends the user. */
void sbk__users_remove(sbk__map *users, sbk__user *user, sbk__node *node);

/* BEHAVIOUR 8: not empty, within max_user, no control character, no "%2F" in
 * any case, since that stands for a '/' in destinations. */
bool sbk__user_name_valid(const char *name, size_t max);

#endif
