#ifndef BROKER_OPTIONS_H
#define BROKER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <stompbroker/stompbroker.h>

#include "topics.h"

/** Strings that came one by one; a NULL stands behind the last. */
struct list {
  const char **items;
  size_t count;
};

/** The command line. Strings are those of argv. */
struct options {
  struct sbk_config config;
  struct list listeners; /**< option and value in turn: "ws", "[::1]:0/ws" */
  struct list users;     /**< NAME:PASSCODE */
  struct list origins, app_prefixes, broker_prefixes, queue_prefixes;
  struct list private_headers;
  struct list grants; /**< option and value in turn: "allow", "send:/topic/x" */
  struct topics topics;
  struct sbk_sockjs sockjs;
  char with_sockjs;
  char require_origin, secure, help, version;
  sbk_msec drain_over;
  sbk_msec drain;
  uint64_t stats; /**< seconds between lines; 0: none */
  enum sbk_log_level log;
};

/** What an option's value is, and so where it goes. */
enum kind {
  TITLE, /**< no option: a title in the help */
  FLAG,  /**< char */
  TRUTH, /**< int */
  TEXT,  /**< const char * */
  LIST,  /**< struct list */
  BYTES, /**< size_t, with K, M or G */
  COUNT, /**< size_t */
  MSEC,  /**< sbk_msec */
  NEVER, /**< sbk_msec; 0 and `never` are SBK_NEVER */
  OTHER  /**< what take() makes of it */
};

struct row {
  enum kind kind;
  const char *name;         /**< with '_' for '-' */
  const char *value, *text; /**< for the help */
  size_t offset;            /**< in struct options */
  uint64_t normal, least, most;
  bool (*take)(struct options *o, const char *value);
};

extern const struct row option_rows[];
extern const size_t option_count;

/** Fills o. False: a line on stderr has said why not. */
bool options_read(struct options *o, int argc, char **argv);
void options_free(struct options *o);

/** Puts item behind the others; ends the program when there is no memory. */
void list_add(struct list *l, const char *item);

/** A number as a user would write it, in dst, which is returned. */
const char *number_text(char dst[24], enum kind kind, uint64_t n);

void help_print(FILE *to);

#endif
