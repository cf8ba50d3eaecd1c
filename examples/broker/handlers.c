/* handlers.c - what clients may ask this program below /app. */
#include "handlers.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Back to the session that sent it. */
static int echo(sbk_call *call, void *arg) {
  const sbk_message *msg = sbk_call_message(call);
  size_t len;
  const void *body = sbk_message_body(msg, &len);
  return sbk_call_reply(call, "/queue/echo",
                        sbk_message_header(msg, "content-type"), body, len);
}

/* "%2F" to '/', the one escape of user names. In place. */
static void decode(char *name) {
  char *to = name;
  for (; *name != '\0'; name++, to++) {
    *to = *name;
    if (name[0] == '%' && name[1] == '2' && (name[2] | 0x20) == 'f') {
      *to = '/';
      name += 2;
    }
  }
  *to = '\0';
}

/* To all sessions of a user, without a copy of the body. */
static int to_user(sbk_call *call, void *arg) {
  const sbk_message *msg = sbk_call_message(call);
  const char *type = sbk_message_header(msg, "content-type");
  char *user = strdup(sbk_call_param(call, "user"));
  sbk_message *copy = sbk_message_new(sbk_call_broker(call), "/queue/inbox",
                                      sbk_message_body_buf(msg));
  int rv = user != NULL && copy != NULL ? 0 : SBK_ERR_NOMEM;
  if (rv == 0 && type != NULL)
    rv = sbk_message_set_header(copy, "content-type", type);
  if (rv == 0) {
    decode(user);
    rv = sbk_send_message_to_user(sbk_call_broker(call), user, copy);
  }
  sbk_message_unref(copy);
  free(user);
  return rv;
}

/* Once, to who subscribes. */
static int say_time(sbk_call *call, void *arg) {
  char text[32];
  struct tm tm;
  time_t now = time(NULL);
  size_t len =
      strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
  return sbk_call_return(call, "text/plain", text, len);
}

int handlers_setup(sbk_broker *broker, char separator) {
  const char *to = separator == '.' ? "/to.{user}" : "/to/{user}";
  int rv = sbk_broker_add_handler(broker, SBK_SEND, "/echo", echo, NULL);
  if (rv == 0) rv = sbk_broker_add_handler(broker, SBK_SEND, to, to_user, NULL);
  if (rv == 0)
    rv = sbk_broker_add_handler(broker, SBK_SUBSCRIBE, "/time", say_time, NULL);
  return rv;
}
