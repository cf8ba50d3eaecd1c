#include "users.h"

#include <string.h>

static const char *user_name(const void *item, size_t *len) {
  const sbk__user *user = item;

  *len = user->len;
  return user->name;
}

void sbk__users_init(sbk__map *users, const sbk__core *core) {
  sbk__map_init(users, &core->mem, core->seed, user_name);
}

int sbk__users_add(sbk__map *users, const char *name, sbk__node *node,
                   sbk__user **user) {
  size_t len = strlen(name);
  sbk__user *found = sbk__map_find(users, name, len);
  int rv;

  if (found == NULL) {
    found = sbk__malloc(users->mem, sizeof(*found) + len + 1);
    if (found == NULL) {
      return SBK_ERR_NOMEM;
    }
    sbk__list_init(&found->sessions);
    found->count = 0;
    found->len = len;
    memcpy(found->name, name, len + 1);
    rv = sbk__map_add(users, found);
    if (rv != 0) {
      sbk__free(users->mem, found);
      return rv;
    }
  }
  sbk__list_push(&found->sessions, node);
  found->count++;
  *user = found;

  return 0;
}

void sbk__users_remove(sbk__map *users, sbk__user *user, sbk__node *node) {
  sbk__list_remove(node);
  if (--user->count == 0) {
    sbk__map_remove(users, user->name, user->len);
    sbk__free(users->mem, user);
  }
}

bool sbk__user_name_valid(const char *name, size_t max) {
  size_t i;

  if (name == NULL || name[0] == '\0') {
    return false;
  }
  for (i = 0; name[i] != '\0'; i++) {
    unsigned char c = (unsigned char)name[i];

    if (i == max || c < 0x20 || c == 0x7f) {
      return false;
    }
    if (c == '%' && name[i + 1] == '2' &&
        (name[i + 2] == 'F' || name[i + 2] == 'f')) {
      return false;
    }
  }

  return true;
}
