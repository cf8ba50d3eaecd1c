#include "tx.h"

#include <string.h>

static sbk__tx *find(const sbk_session *session, const char *name) {
  sbk__tx *tx = session->transactions;

  while (tx != NULL && strcmp(tx->name, name) != 0) {
    tx = tx->next;
  }

  return tx;
}

static size_t count(const sbk_session *session) {
  const sbk__tx *tx;
  size_t n = 0;

  for (tx = session->transactions; tx != NULL; tx = tx->next) {
    n++;
  }

  return n;
}

enum sbk__fault sbk__tx_check(const sbk_session *session,
                              const sbk_message *msg) {
  const struct sbk_config *limits = &session->broker->core.config;
  const sbk__header *name = sbk__message_findz(msg, "transaction");
  const sbk__tx *tx;

  if (name == NULL || name->value_len == 0) {
    return SBK__FAULT_TX_NAME;
  }
  if (name->value_len > limits->max_transaction) {
    return SBK__FAULT_TX_SIZE;
  }
  tx = find(session, name->value);
  if (msg->command == SBK_BEGIN) {
    return tx != NULL                                   ? SBK__FAULT_TX_KNOWN
           : count(session) >= limits->max_transactions ? SBK__FAULT_TX_COUNT
                                                        : SBK__FAULT_NONE;
  }
  if (tx == NULL) {
    return SBK__FAULT_TX_UNKNOWN;
  }
  if (msg->command == SBK_COMMIT || msg->command == SBK_ABORT) {
    return SBK__FAULT_NONE;
  }
  if (tx->count >= limits->max_transaction_actions) {
    return SBK__FAULT_TX_ACTIONS;
  }

  return sbk__message_cost(msg) > limits->max_transaction_bytes - tx->bytes
             ? SBK__FAULT_TX_BYTES
             : SBK__FAULT_NONE;
}

int sbk__tx_begin(sbk_session *session, const char *name) {
  size_t len = strlen(name);
  sbk__tx *tx = sbk__malloc(&session->broker->core.mem, sizeof(*tx) + len + 1);

  if (tx == NULL) {
    return SBK_ERR_NOMEM;
  }
  memset(tx, 0, sizeof(*tx));
  memcpy(tx->name, name, len + 1);
  tx->next = session->transactions;
  session->transactions = tx;

  return 0;
}

int sbk__tx_keep(sbk_session *session, sbk_message *msg) {
  sbk__tx *tx = find(session, sbk_message_header(msg, "transaction"));

  if (tx->count == tx->cap) {
    uint32_t cap = tx->cap == 0 ? 4 : tx->cap * 2;
    sbk_message **frames = sbk__realloc(&session->broker->core.mem, tx->frames,
                                        cap * sizeof(sbk_message *));

    if (frames == NULL) {
      return SBK_ERR_NOMEM;
    }
    tx->frames = frames;
    tx->cap = cap;
  }
  tx->frames[tx->count++] = sbk_message_ref(msg);
  tx->bytes += sbk__message_cost(msg);

  return 0;
}

sbk__tx *sbk__tx_take(sbk_session *session, const char *name) {
  sbk__tx **link = &session->transactions;
  sbk__tx *tx;

  while (*link != NULL && strcmp((*link)->name, name) != 0) {
    link = &(*link)->next;
  }
  tx = *link;
  if (tx != NULL) {
    *link = tx->next;
  }

  return tx;
}

void sbk__tx_free(const struct sbk_mem *mem, sbk__tx *tx) {
  uint32_t i;

  for (i = 0; i < tx->count; i++) {
    sbk_message_unref(tx->frames[i]);
  }
  sbk__free(mem, tx->frames);
  sbk__free(mem, tx);
}

void sbk__tx_end(sbk_session *session) {
  while (session->transactions != NULL) {
    sbk__tx *tx = session->transactions;

    session->transactions = tx->next;
    sbk__tx_free(&session->broker->core.mem, tx);
  }
}
