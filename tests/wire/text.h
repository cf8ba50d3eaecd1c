#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a stream shows, byte for byte: a sequence of codes, of which those below
 * 256 are bytes and the others stand for what is no byte.
 */
enum {
  CODE_ANY = 256, /* patterns: {*}, any bytes of a line */
  CODE_SESSION,   /* {session}: 32 hexadecimal digits */
  CODE_NUMBER,    /* {n}: a message-id */
  CODE_TEXT,      /* a WebSocket message or control frame begins here */
  CODE_BINARY,
  CODE_PING,
  CODE_PONG,
  CODE_CLOSE,  /* two bytes of status and a reason follow, or nothing */
  CODE_END,    /* the library wants nothing more: the socket is closed */
  CODE_BROKEN, /* something that a server must not send */
  CODE_ID      /* input: {id}, a message-id that came; + N: {id-N} */
};

#define CODE_ID_MAX 9

struct codes {
  uint16_t *at;
  size_t len;
  size_t cap;
};

void codes_add(struct codes *codes, unsigned code);
void codes_add_bytes(struct codes *codes, const void *data, size_t len);
void codes_add_text(struct codes *codes, const char *text);
void codes_append(struct codes *codes, const struct codes *more);
void codes_clear(struct codes *codes);
void codes_free(struct codes *codes);
bool codes_equal(const struct codes *a, const struct codes *b);

/*
 * The text of a transcript's line: \n \r \t \0 \\ \xHH, ^@ for NUL, {text*9}
 * for nine times a text; in patterns also {*}, {session} and {n}, in input also
 * {id} and {id-1} to {id-9}. Other braces are themselves, and so is what
 * follows a backslash.
 */
void codes_parse(struct codes *codes, const char *text, size_t len,
                 bool pattern);

/* Does the whole of codes match? */
bool codes_match(const struct codes *pattern, const struct codes *codes);

/* Puts the message-ids of what came where {id} stands: the last one of all
 * MESSAGEs in shown, or the one so many before. */
void codes_put_ids(struct codes *codes, const struct codes *from,
                   const struct codes *shown);

/* session ids and message-ids become {session} and {n}, numbers of deliveries
 * go. */
void codes_generalize(struct codes *codes, const struct codes *from);

/* In lines as a transcript would have them, on stdout as TAP diagnostics; what
 * differs between the two is marked. */
void codes_print_diff(const struct codes *expected, const struct codes *actual);

#endif
