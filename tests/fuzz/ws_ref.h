#ifndef WS_REF_H
#define WS_REF_H

#include <stdint.h>

#include "str.h"

/*
 * What a client's stream says, read by RFC 6455 and at leisure: all of it is
 * there. To out go the messages and control frames that are whole. Returns the
 * code of the Close (7.4.1) with which it has to be refused, 0 if it is good so
 * far; *partial is then how many bytes of a message under way there are.
 */
struct ws_ref {
  size_t max_message, max_fragments, max_empty;
};

int ws_ref_read(const uint8_t *data, size_t len, const struct ws_ref *limits,
                sbk__str *out, size_t *partial);

#endif
