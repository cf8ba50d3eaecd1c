#ifndef SCRIPT_H
#define SCRIPT_H

#include <stompbroker/stompbroker.h>

#include "text.h"

/*
 * A transcript: a text file that says how a broker is set up, what peers and
 * the host do, and what comes out. See README for its lines.
 */

#define MAX_STREAMS 70
#define MAX_LIST    12

/* A line of setup that the host program acts by. */
enum rule_kind {
  RULE_HANDLER,
  RULE_INTERCEPTOR,
  RULE_ACCESS,
  RULE_ERROR,
  RULE_HANDSHAKE,
  RULE_REQUEST
};
struct rule {
  enum rule_kind kind;
  enum sbk_command command; /* handlers; interceptors: 0: every command */
  enum sbk_direction direction;
  int order;
  char *pattern; /* handlers; requests: the path; interceptors: NULL or a
                    destination */
  const char *send_to[MAX_LIST]; /* handlers: where what they return goes */
  const char *send_to_user[MAX_LIST];
  bool only_sender;
  bool named; /* access rules */
  bool patterns;
  bool asks;
  char *when;       /* NULL, or a template … */
  char *when_value; /* … and what it has to give */
  char *actions;
};

struct endpoint_line {
  struct sbk_endpoint endpoint;
  const char *origins[MAX_LIST];
  struct sbk_sockjs sockjs; /* size 0: none */
  bool echo;                /* plain messages, sent back */
  bool closes;              /* a session as soon as it is open */
};

enum item_kind {
  ITEM_OPEN,
  ITEM_INPUT,
  ITEM_TIME,
  ITEM_EOF,
  ITEM_FREE,
  ITEM_STALL,
  ITEM_UNSTALL,
  ITEM_HOST,
  ITEM_WANTS, /* from here on: expectations */
  ITEM_OUTPUT
};

/* What input is. */
enum said {
  SAID_BYTES, /* as they are */
  SAID_TEXT,  /* a message of WebSocket in one frame */
  SAID_CLOSE,
  SAID_OTHER /* frames that only WebSocket has */
};

struct item {
  enum item_kind kind;
  enum said said;
  bool upgrade; /* belongs to a WebSocket's handshake, by the macro */
  unsigned line;
  unsigned stream;
  unsigned number;    /* wants; errno; transport; bytes */
  unsigned long span; /* of time */
  struct codes codes; /* input, or a pattern of output */
  struct codes words; /* of a message */
  char *text;         /* of a host's line, without the result */
  bool has_result;
  int result;
  char *fields[MAX_LIST]; /* of a request that the host has read; of an upgrade:
                             the path, and fields */
};

/* How a transcript can be run; see run.h. */
enum group {
  GROUP_WHOLE,
  GROUP_CUT,
  GROUP_SPLIT,
  GROUP_OUTPUT,
  GROUP_BREAK, /* of SockJS only */
  GROUP_COUNT
};

struct script {
  char *path;
  char *name; /* the last part of it, as a sentence */

  struct sbk_config config;
  struct endpoint_line *endpoints;
  size_t endpoint_count;
  struct sbk_topic *topics;
  size_t topic_count;
  struct rule *rules;
  size_t rule_count;

  struct sbk_sockjs sockjs; /* of all endpoints, when played over it */

  struct item *items;
  size_t item_count;
  char *streams[MAX_STREAMS]; /* names; the first is the log of events */
  size_t stream_count;

  bool events;      /* callbacks are expected, all of them but these: */
  bool refusals;    /* refused, dropped and alarm are */
  bool no_peak;     /* memory may exceed the common bound */
  bool no_probe;    /* a fresh session afterwards would not work */
  bool no_torture;  /* too long for it */
  bool no_sockjs;   /* means something else over SockJS */
  bool spares;      /* sessions whose handler fails may live on */
  bool has_request; /* the `request` callback is there */
  bool skip[GROUP_COUNT];

  void *owned; /* all of the above that was allocated */
};

extern const char *const group_names[GROUP_COUNT];

/* Reads a file; what is wrong with it ends the program. */
struct script *script_load(const char *path);
void script_free(struct script *script);

/* The number of a command's name, 0 if there is none. */
enum sbk_command command_number(const char *name);
const char *command_name(enum sbk_command command);

#endif
