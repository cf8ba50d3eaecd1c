#ifndef SBK__STOMP_WRITE_H
#define SBK__STOMP_WRITE_H

#include "message.h"

/* From here on a body is not copied into the shared rest. */
#define SBK__FLAT_BODY 2048

/*
 * Bytes of text as a header's name or value in that version; SIZE_MAX: it
 * cannot be said there (STOMP 1.0 has no escapes, 1.1 none for CR), and its
 * header is left out.
 */
size_t sbk__escaped_len(enum sbk__version version, const char *text,
                        size_t len);
/* Writes them, and returns the end. */
uint8_t *sbk__escape(uint8_t *dst, enum sbk__version version, const char *text,
                     size_t len);

/*
 * What all receivers that speak version share of msg, which has its id; made
 * at the first call and kept with msg. hidden names headers that are not passed
 * on, in any case, and ends with NULL; it may be NULL. NULL: no memory.
 */
const sbk__rest *sbk__message_rest(sbk_message *msg, enum sbk__version version,
                                   const char *const *hidden);

/*
 * "MESSAGE" and, unless id is NULL, the subscription header: what stands before
 * the rest. The length alone with dst NULL.
 */
size_t sbk__personal_head(uint8_t *dst, enum sbk__version version,
                          const char *id, size_t id_len);

typedef struct sbk__pair {
  const char *name;
  const char *value; /* NULL: left out */
} sbk__pair;

/*
 * A whole frame of the server, ended by its NUL. Values are escaped for
 * version, but not in CONNECTED (STOMP 1.2, Value Encoding), whose values have
 * no line ends. body may be NULL; if not, content-length is written. NULL: no
 * memory.
 */
sbk_buf *sbk__frame_new(const struct sbk_mem *mem, enum sbk__version version,
                        enum sbk_command command, const sbk__pair *pairs,
                        size_t pair_count, const char *body);

#endif
