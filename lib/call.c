#include "call.h"

#include <string.h>

sbk_call *sbk__call_new(sbk_session *session, sbk_message *msg) {
  sbk_broker *broker = session->broker;
  sbk_call *call = broker->spare_call;

  if (call != NULL) {
    broker->spare_call = NULL;
  } else {
    call = sbk__malloc(&broker->core.mem, sizeof(*call));
    if (call == NULL) {
      return NULL;
    }
  }
  memset(call, 0, sizeof(*call));
  call->broker = broker;
  call->session = session;
  call->msg = sbk_message_ref(msg);
  sbk__list_init(&call->in_deferred);

  return call;
}

void sbk__call_clear(sbk_call *call) {
  const struct sbk_mem *mem = &call->broker->core.mem;

  sbk_message_unref(call->msg);
  sbk__free(mem, call->error);
  sbk__free(mem, call->params);
}

void sbk__call_clear_params(sbk_call *call) {
  sbk__free(&call->broker->core.mem, call->params);
  call->params = NULL;
  call->param_count = 0;
}

void sbk__call_free(sbk_call *call) {
  sbk_broker *broker = call->broker;

  sbk__call_clear(call);
  if (broker->spare_call == NULL) {
    broker->spare_call = call;
  } else {
    sbk__free(&broker->core.mem, call);
  }
}

static char *put_text(char *dst, const char *text, size_t len) {
  memcpy(dst, text, len);
  dst[len] = '\0';
  return dst + len + 1;
}

int sbk__call_set_params(sbk_call *call, const sbk__captures *captures) {
  size_t i, size = 0;
  char *at;

  sbk__call_clear_params(call);
  for (i = 0; i < captures->count; i++) {
    size += captures->items[i].name_len + captures->items[i].value_len + 2;
  }
  if (size == 0) {
    return 0;
  }
  call->params = sbk__malloc(&call->broker->core.mem, size);
  if (call->params == NULL) {
    return SBK_ERR_NOMEM;
  }

  at = call->params;
  for (i = 0; i < captures->count; i++) {
    const sbk__capture *item = &captures->items[i];

    at = put_text(at, item->name, item->name_len);
    at = put_text(at, item->value, item->value_len);
  }
  call->param_count = captures->count;

  return 0;
}
