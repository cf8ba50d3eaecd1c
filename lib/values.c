#include <stompbroker/send.h>

#include <string.h>

#include "call.h"
#include "handle.h"
#include "pattern.h"

/* Values of the host, which converters make bodies of and back. */

/* *name is what the body's type is called. */
static int encode_body(sbk_broker *broker, const char *content_type,
                       const char *type, const void *value, sbk_buf **body,
                       const char **name) {
  const struct sbk_converter *found =
      sbk__converters_find(&broker->converters, content_type);
  struct sbk_converter converter; /* a copy: the host may add others */
  int rv;

  *body = NULL;
  if (found == NULL) {
    return SBK_ERR_NOT_FOUND;
  }
  converter = *found;
  *name = converter.content_type;
  sbk__enter(broker);
  rv = converter.encode(broker, type, value, body, converter.arg);
  sbk__leave(broker);

  return rv < 0 ? rv : 0;
}

static int encode(sbk_broker *broker, const char *destination,
                  const char *content_type, const char *type, const void *value,
                  sbk_message **msg) {
  const char *name;
  sbk_buf *body;
  int rv = destination != NULL
               ? sbk__destination_check(destination, strlen(destination),
                                        &broker->core.config)
               : SBK_ERR_INVAL;

  if (rv != 0) {
    return SBK_ERR_INVAL;
  }
  rv = encode_body(broker, content_type, type, value, &body, &name);
  if (rv != 0) {
    return rv;
  }

  *msg = sbk_message_new(broker, destination, body);
  sbk_buf_unref(body);
  rv = *msg != NULL ? sbk_message_set_header(*msg, "content-type", name)
                    : SBK_ERR_NOMEM;
  if (rv != 0) {
    sbk_message_unref(*msg);
  }

  return rv;
}

int sbk_convert_and_send(sbk_broker *broker, const char *destination,
                         const char *content_type, const char *type,
                         const void *value) {
  sbk_message *msg;
  int rv = encode(broker, destination, content_type, type, value, &msg);

  if (rv == 0) {
    rv = sbk_send_message(broker, msg);
    sbk_message_unref(msg);
  }

  return rv;
}

int sbk_convert_and_send_to_user(sbk_broker *broker, const char *user,
                                 const char *destination,
                                 const char *content_type, const char *type,
                                 const void *value) {
  sbk_message *msg;
  int rv = encode(broker, destination, content_type, type, value, &msg);

  if (rv == 0) {
    rv = sbk_send_message_to_user(broker, user, msg);
    sbk_message_unref(msg);
  }

  return rv;
}

int sbk_call_convert_and_return(sbk_call *call, const char *content_type,
                                const char *type, const void *value) {
  sbk_broker *broker = call->broker;
  const char *name;
  sbk_buf *body;
  int rv;

  if (call->kind != SBK__CALL_HANDLER) {
    return SBK_ERR_STATE;
  }
  sbk__enter(broker);
  call->returning++; /* encode may end it */
  rv = encode_body(broker, content_type, type, value, &body, &name);
  if (rv == 0) {
    rv = body != NULL ? sbk_call_return(call, name, sbk_buf_data(body),
                                        sbk_buf_len(body))
                      : sbk_call_return(call, name, NULL, 0);
    sbk_buf_unref(body);
  }
  sbk__handle_returned(call);
  sbk__leave(broker);

  return rv;
}

int sbk_call_decode(sbk_call *call, const char *type, void *value) {
  const struct sbk_converter *converter = sbk__converters_find(
      &call->broker->converters, sbk_message_header(call->msg, "content-type"));
  sbk_broker *broker = call->broker;
  const void *data;
  size_t len;
  int rv;

  if (converter == NULL || converter->decode == NULL) {
    return SBK_ERR_NOT_FOUND;
  }
  data = sbk_message_body(call->msg, &len);
  sbk__enter(broker);
  rv = converter->decode(broker, type, data, len, value, converter->arg);
  sbk__leave(broker);

  return rv;
}
