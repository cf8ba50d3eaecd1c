#ifndef ACTIONS_H
#define ACTIONS_H

#include "run.h"

/* What a line of actions acts on. */
struct scene {
  struct run *run;
  sbk_call *call;
  sbk_request *request;
  sbk_session *session;
  enum sbk_verdict verdict;
  int error; /* of a handler that failed … */
  const char *error_text;
  bool dealt;    /* … with which an error handler has dealt */
  int result;    /* of the last action */
  int returned;  /* by a handler */
  bool failed;   /* for want of memory */
  bool answered; /* the request */
};

/* A template with its {names} filled in. */
struct filled {
  struct codes codes;
  char *text; /* as a string */
  size_t len;
};

void fill(struct filled *filled, struct scene *scene, const char *template);
void filled_free(struct filled *filled);

/* Does what stands between the semicolons. */
void do_actions(struct scene *scene, const char *actions);
/* A call is gone, or about to go. */
void host_forget(struct run *run, const sbk_call *call);
/* -1: it is none. */
int to_verdict(const char *text);
/* Ends what waits on a stream. */
int do_resume(struct scene *scene, struct stream *stream, const char *verdict);

#endif
