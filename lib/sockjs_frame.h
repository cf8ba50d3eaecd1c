#ifndef SBK__SOCKJS_FRAME_H
#define SBK__SOCKJS_FRAME_H

#include "buf.h"
#include "str.h"
#include "utf8.h"

/*
 * What stands in the payloads of SockJS: messages as strings of JSON, in both
 * directions.
 */

/*
 * One payload of a client, `["a","b"]`, in pieces of any size, strictly
 * (RFC 8259): an array of strings and nothing else. Escapes are undone, and a
 * lone surrogate becomes U+FFFD, as it does when a browser sends it over a
 * WebSocket (WebIDL, USVString). No message is longer than its bytes in the
 * payload, so that memory grows with the bytes received.
 */
typedef struct sbk__sockjs_reader {
  sbk__str text;  /* the messages, in UTF-8, 0xff behind each */
  sbk__utf8 utf8; /* of a character that came in pieces */
  uint16_t unit;  /* of a \uXXXX under way */
  uint16_t high;  /* a surrogate whose other half may still come; or 0 */
  uint8_t digits; /* of the \uXXXX */
  uint8_t state;
  bool lone;  /* a string without the array is a payload too */
  bool array; /* it is one */
} sbk__sockjs_reader;

void sbk__sockjs_reader_init(sbk__sockjs_reader *r, const struct sbk_mem *mem,
                             bool lone);
/* Frees the messages; then as after init. */
void sbk__sockjs_reader_clear(sbk__sockjs_reader *r);

/*
 * Takes the next bytes of the payload. 0; SBK_ERR_INVAL: it is broken, whatever
 * follows; SBK_ERR_NOMEM. After an error all that follows gives it again.
 */
int sbk__sockjs_read(sbk__sockjs_reader *r, const void *data, size_t len);
/* The payload has ended. 0: it is whole; SBK_ERR_NOT_FOUND: nothing but blanks
 * came; SBK_ERR_INVAL: broken or unfinished; SBK_ERR_NOMEM. */
int sbk__sockjs_read_end(const sbk__sockjs_reader *r);
/* The messages that have ended, one after another; *at begins at 0. data lives
 * until more is read. False: there are no more. */
bool sbk__sockjs_next(const sbk__sockjs_reader *r, size_t *at,
                      const uint8_t **data, size_t *len);

/*
 * The inside of a string of JSON that no browser or proxy changes on its way:
 * sockjs-protocol's escapable_by_server, and DEL, as \uXXXX. Bytes that are not
 * UTF-8 become \ufffd, one for each that sbk__utf8_char() tells apart. How many
 * bytes that are; dst has room for them. At most six for each of data.
 */
size_t sbk__sockjs_escaped_len(const void *data, size_t len);
size_t sbk__sockjs_escape(void *dst, const void *data, size_t len);
/* How long is data for those who read it back: in UTF-8, three bytes for each
 * \ufffd? */
size_t sbk__sockjs_text_len(const void *data, size_t len);

/*
 * A frame as the inside of a string of JavaScript, in double quotes, in a file
 * of its own or in a <script>: nothing in it ends the string or the element.
 */
size_t sbk__sockjs_script_len(const void *data, size_t len);
size_t sbk__sockjs_script(void *dst, const void *data, size_t len);

/*
 * A frame in an event. sockjs-client undoes %XX there and others do not, so a
 * '%', which only stands in strings, becomes \u0025.
 */
size_t sbk__sockjs_event_len(const void *data, size_t len);
size_t sbk__sockjs_event(void *dst, const void *data, size_t len);

/* `c[1002,"reason"]`, one reference. reason may be NULL; behind 123 bytes it is
 * cut. NULL: no memory. */
sbk_buf *sbk__sockjs_close_frame(const struct sbk_mem *mem, uint16_t code,
                                 const char *reason);

#endif
