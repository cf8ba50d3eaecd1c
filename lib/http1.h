#ifndef SBK__HTTP1_H
#define SBK__HTTP1_H

#include <stdbool.h>

#include <stompbroker/broker.h>
#include <stompbroker/conn.h>

#include "mem.h"
#include "str.h"

/*
 * The head of a request in HTTP/1.1 or 1.0, strictly (RFC 9112): CRLF line ends
 * only, no folding, no blank before a colon, no NUL or other control character,
 * no second Host, Upgrade, Sec-WebSocket-Key, Sec-WebSocket-Version,
 * Content-Length. Names and values are kept in one text, each ended by NUL,
 * values without the blanks around them.
 */
typedef struct sbk__http_field {
  uint32_t name;
  uint32_t name_len;
  uint32_t value;
  uint32_t value_len;
} sbk__http_field;

typedef struct sbk__http_head {
  const struct sbk_mem *mem;
  const struct sbk_config *limits; /* resolved: no member is 0 */
  char *text;
  size_t len;
  size_t cap;
  size_t line;  /* where the line under way begins in text */
  size_t bytes; /* of the head, as it came */
  sbk__http_field *fields;
  size_t field_count;
  size_t field_cap;
  uint32_t method; /* offsets in text */
  uint32_t path;
  uint32_t query; /* 0: the target has no '?' */
  uint8_t state;
  bool http10; /* the peer knows neither chunks nor upgrades */
} sbk__http_head;

void sbk__http_head_init(sbk__http_head *head, const struct sbk_mem *mem,
                         const struct sbk_config *limits);
/* Back to the state after init, with all memory given back. */
void sbk__http_head_clear(sbk__http_head *head);

/*
 * Takes bytes up to the end of the head; *used says how many. 1: the head is
 * whole. 0: all taken, more are needed. A negative HTTP status: refuse with it
 * (-400 grammar, another version than 1.1 and 1.0, no Host; -414 request line
 * too long; -431 fields too long or too many). SBK_ERR_NOMEM. After a negative
 * value the head can only be cleared. Empty lines before the request line are
 * refused. Ends of lines count to the head, not to their lines. Memory grows
 * with the bytes received.
 */
int sbk__http_head_feed(sbk__http_head *head, const void *data, size_t len,
                        size_t *used);
/* The same from what another parser has read, as HTTP/1.1: 1, or negative. */
int sbk__http_head_set(sbk__http_head *head,
                       const struct sbk_http_request *request);

const char *sbk__http_method(const sbk__http_head *head);
/* Origin form only ("/…"): anything else was refused with 400. */
const char *sbk__http_path(const sbk__http_head *head);
/* NULL: none. */
const char *sbk__http_query(const sbk__http_head *head);
/* The first field of that name (any case); NULL: absent. */
const char *sbk__http_field_get(const sbk__http_head *head, const char *name);
/* Does any field of that name hold the token, in its comma-separated list?
 * Any case. */
bool sbk__http_field_has(const sbk__http_head *head, const char *name,
                         const char *token);

/*
 * How many bytes of body follow. 0 and *len; -411 with Transfer-Encoding; -400
 * if Content-Length is no number; -413 over max; -417 with
 * Expect.
 */
int sbk__http_body_len(const sbk__http_head *head, size_t max, size_t *len);

/*
 * May this request become a WebSocket? 0, or a negative status: -405 not GET;
 * -400 HTTP/1.0, no "websocket" in Upgrade, no "upgrade" in Connection, no
 * Host, a bad or missing key, any Content-Length or Transfer-Encoding; -426
 * another version than 13, or none.
 */
int sbk__http_check_upgrade(const sbk__http_head *head);

/*
 * The highest STOMP sub-protocol in the client's Sec-WebSocket-Protocol fields,
 * any case: "v12.stomp", "v11.stomp", "v10.stomp"; NULL: none of them.
 */
const char *sbk__http_stomp_protocol(const sbk__http_head *head);

/* "Not Found"; "" for a status without a name. */
const char *sbk__http_reason(int status);
/* Is it a field name (token), a field value (no control characters)? */
bool sbk__http_is_token(const char *text);
bool sbk__http_is_value(const char *text);

/* Percent-decodes the parameter name of a query into dst, as
 * sbk_request_query(). query may be NULL. */
int sbk__http_query_get(const char *query, const char *name, char *dst,
                        size_t size);
/* As sbk_request_cookie(). */
int sbk__http_cookie_get(const sbk__http_head *head, const char *name,
                         char *dst, size_t size);

#endif
