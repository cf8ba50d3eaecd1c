#ifndef SBK__ANSWER_H
#define SBK__ANSWER_H

#include "conn.h"
#include "str.h"

/*
 * An answer of HTTP, as its connection wants it: in bytes, with a head in front
 * of the body, or apart from it for hosts that write answers themselves.
 */
typedef struct sbk__answer {
  sbk_conn *conn;
  int status;
  bool close;   /* the connection ends behind it */
  bool upgrade; /* Connection names Upgrade too */
  bool bodied;  /* it may have a body: not to a HEAD */
  sbk__str fields;
} sbk__answer;

/* What an answer's head is for a host that writes it. */
typedef struct sbk__exchange {
  int status; /* 0: it is not decided */
  size_t length;
  sbk__str text; /* names and values, with NUL */
  struct sbk_field *fields;
  size_t body_len; /* of the request */
} sbk__exchange;

/* "HTTP/1.1 200 OK" and its line end. */
void sbk__answer_status(sbk__str *out, int status);

/* NULL: no memory. */
sbk__exchange *sbk__exchange_new(const struct sbk_mem *mem, size_t body_len);
/* NULL is fine. */
void sbk__exchange_free(const struct sbk_mem *mem, sbk__exchange *exchange);

/* To conn's request, if there is one yet. */
void sbk__answer_init(sbk__answer *answer, sbk_conn *conn, int status);
void sbk__answer_field(sbk__answer *answer, const char *name,
                       const char *value);

/* Both take the answer's memory. 0, or SBK_ERR_NOMEM and nothing was
 * written. */
/* All of it. */
int sbk__answer_whole(sbk__answer *answer, const void *body, size_t len);
/* All of it: a line of text. */
int sbk__answer_line(sbk__answer *answer, const char *text);
/* The head of one whose end is not known yet: chunked is whether its body is
 * to come in chunks (RFC 9112, 7.1). */
int sbk__answer_begin(sbk__answer *answer, bool *chunked);

#endif
