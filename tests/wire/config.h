#ifndef CONFIG_H
#define CONFIG_H

#include "script.h"

/* Sets a member of the configuration by its name. text lives as long as the
 * configuration; keep() gives memory that does. 0, or -1. */
int config_set(struct sbk_config *config, const char *name, char *text,
               void *(*keep)(void *arg, size_t size), void *arg);

/* Splits text at commas into a list that ends with NULL. */
void split_list(const char **list, size_t cap, char *text);

#endif
