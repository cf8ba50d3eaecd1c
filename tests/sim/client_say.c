#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client_inner.h"

struct command *client_put(struct client *c, enum what what, const char *frame,
                           size_t len) {
  struct command *command;

  if (c->count == c->size) {
    c->size = 2 * c->size + 16;
    c->commands = realloc(c->commands, c->size * sizeof(*c->commands));
    if (c->commands == NULL) {
      abort();
    }
  }
  link_send(&c->link, frame, len);
  command = &c->commands[c->count++];
  memset(command, 0, sizeof(*command));
  command->end = c->link.put;
  command->what = what;
  command->tx = command->receipt = -1;

  return command;
}

/* Header lines for a receipt, sometimes. */
static int ask_receipt(struct client *c, char line[32], uint32_t sides) {
  line[0] = '\0';
  if (of(c, sides) != 0) {
    return -1;
  }
  snprintf(line, 32, "receipt:r%d\n", c->receipts);

  return c->receipts++;
}

/* What a message's body is: its number and its size tell all of it. */
void client_write_body(char *body, int number, size_t size, bool text) {
  size_t i, len = (size_t)snprintf(body, BODY_MAX, "%d ", number);

  for (i = len; i < size; i++) {
    body[i] = !text && number % 3 == 0
                  ? (char)(i * 31 + (size_t)number)
                  : (char)('a' + (i + (size_t)number) % 26);
  }
}

void client_write_destination(char text[32], bool queue, int dest) {
  static const char *const patterns[] = {"/topic/t/*", "/topic/t/{x}",
                                         "/topic/t/?", "/user/queue/note"};

  if (queue) {
    snprintf(text, 32, "/queue/j/%d", dest);
  } else if (dest < TOPICS) {
    snprintf(text, 32, "/topic/t/%d", dest);
  } else {
    snprintf(text, 32, "%s", patterns[dest - TOPICS]);
  }
}

void client_sends(struct client *c, int tx) {
  bool queue = of(c, 4) == 0, handled = !queue && of(c, 5) == 0;
  bool noted = !queue && !handled && of(c, 5) == 0;
  int dest = noted ? MINE : (int)of(c, queue ? QUEUES : TOPICS);
  size_t size = 24 + (of(c, 8) == 0 ? of(c, BODY_MAX - 24) : of(c, 100));
  int message = model_message(model_of(c), c->session, queue, dest, size);
  char text[BODY_MAX + 512], to[32], receipt[32], in[32] = "";
  int number = ask_receipt(c, receipt, 3);
  struct command *command;
  size_t len;

  client_write_destination(to, queue, dest);
  if (handled) {
    snprintf(to, sizeof(to), "/app/t/%d", dest); /* see on_send() */
  } else if (noted) {
    model_of(c)->messages[message].user = (int)of(c, USERS);
    snprintf(to, sizeof(to), "/app/to/u%d",
             model_of(c)->messages[message].user);
  }
  if (tx >= 0) {
    snprintf(in, sizeof(in), "transaction:t%d\n", tx);
  }
  len = (size_t)snprintf(text, sizeof(text), "SEND\ndestination:%s\n%s%s%s", to,
                         receipt, in,
                         c->version > 10 ? "tag:a\\nb\\c\\\\\n" : "");
  model_of(c)->messages[message].text = link_is_sockjs(&c->link);
  model_of(c)->messages[message].tagged = c->version > 10 && !handled && !noted;
  model_of(c)->messages[message].handled = handled || noted;
  len += (size_t)snprintf(text + len, sizeof(text) - len,
                          "content-length:%zu\n\n", size);
  client_write_body(text + len, message, size,
                    model_of(c)->messages[message].text);
  text[len + size] = '\0';
  command = client_put(c, SENDS, text, len + size + 1);
  command->it = message;
  command->tx = tx;
  command->receipt = number;
  sim_note(c->sim, "%s sends %d to %s%s", c->name, message, to,
           tx >= 0 ? " in a transaction" : "");
}

void client_subscribe(struct client *c, bool queue, int dest, enum ack ack) {
  static const char *const modes[] = {"auto", "client", "client-individual"};
  bool no_local = !queue && dest != MINE && of(c, 6) == 0;
  char text[256], to[32], receipt[32], window[32] = "";
  int number = ask_receipt(c, receipt, 2);
  struct command *command;
  int sub, len;

  if (c->sub_count == SUBS) {
    return;
  }
  client_write_destination(to, queue, dest);
  sub = model_sub(model_of(c), c->session, queue, dest, ack, no_local);
  if (ack != AUTO && of(c, 2) == 0) {
    snprintf(window, sizeof(window), "prefetch-count:%u\n", 1 + of(c, 5));
  }
  len = snprintf(
      text, sizeof(text), "SUBSCRIBE\nid:s%d\ndestination:%s\nack:%s\n%s%s%s\n",
      sub, to, modes[ack], window, no_local ? "no-local:true\n" : "", receipt);
  command = client_put(c, SUBSCRIBES, text, (size_t)len + 1);
  command->it = sub;
  command->receipt = number;
  c->subs[c->sub_count++] = sub;
  sim_note(c->sim, "%s subscribes to %s as %d, %s%s", c->name, to, sub,
           modes[ack], no_local ? ", not its own" : "");
}

void client_subscribes(struct client *c) {
  bool queue = of(c, 3) == 0;
  enum ack ack = (enum ack)of(c, c->version > 10 ? 3 : 2);

  client_subscribe(c, queue, (int)of(c, queue ? QUEUES : MINE + 1), ack);
}

void client_unsubscribes(struct client *c) {
  char text[128], receipt[32];
  struct command *command;
  int len, number;
  size_t at;

  if (c->sub_count == 0) {
    return;
  }
  at = of(c, (uint32_t)c->sub_count);
  number = ask_receipt(c, receipt, 2);
  len = snprintf(text, sizeof(text), "UNSUBSCRIBE\nid:s%d\n%s\n", c->subs[at],
                 receipt);
  command = client_put(c, UNSUBSCRIBES, text, (size_t)len + 1);
  command->it = c->subs[at];
  command->receipt = number;
  sim_note(c->sim, "%s unsubscribes %d", c->name, c->subs[at]);
  c->subs[at] = c->subs[--c->sub_count];
}

static bool is_cumulative(struct client *c, int sub) {
  return model_of(c)->subs[sub].ack == CLIENT;
}

/* Those that are settled with that one are not to be settled again. */
static void tokens_settled(struct client *c, size_t at, int tx) {
  struct token it = c->tokens[at];
  size_t i, kept = 0;

  for (i = 0; i < c->token_count; i++) {
    struct token *token = &c->tokens[i];

    if (token->sub == it.sub && token->tx == -1 &&
        (i == at || (i < at && is_cumulative(c, it.sub)))) {
      if (tx < 0) {
        continue;
      }
      token->tx = tx;
    }
    c->tokens[kept++] = *token;
  }
  c->token_count = kept;
}

void client_answers(struct client *c, size_t at, bool nack, int tx) {
  const struct token *token = &c->tokens[at];
  char text[256], receipt[32], in[32] = "";
  int number = ask_receipt(c, receipt, 4), len;
  struct command *command;

  if (tx >= 0) {
    snprintf(in, sizeof(in), "transaction:t%d\n", tx);
  }
  if (c->version == 12) {
    len = snprintf(text, sizeof(text), "%s\nid:%s\n%s%s\n",
                   nack ? "NACK" : "ACK", token->text, receipt, in);
  } else {
    len = snprintf(text, sizeof(text),
                   "%s\nmessage-id:%s\nsubscription:s%d\n%s%s\n",
                   nack ? "NACK" : "ACK", token->text, token->sub, receipt, in);
  }
  command = client_put(c, ACKS, text, (size_t)len + 1);
  command->settling.sub = token->sub;
  command->settling.delivery = token->delivery;
  command->settling.by_message = c->version < 12;
  command->settling.nack = nack;
  command->tx = tx;
  command->receipt = number;
  sim_note(c->sim, "%s %s %d of %d%s", c->name, nack ? "refuses" : "settles",
           token->message, token->sub, tx >= 0 ? " in a transaction" : "");
  tokens_settled(c, at, tx);
}

/* A transaction that is open, or -1. */
int client_open_tx(struct client *c) {
  int tx = (int)of(c, TXS);

  return c->tx_open[tx] ? tx : -1;
}

void client_acks(struct client *c) {
  size_t i, at;

  if (c->token_count == 0) {
    return;
  }
  at = of(c, (uint32_t)c->token_count);
  for (i = 0; i < c->token_count; i++, at = (at + 1) % c->token_count) {
    if (c->tokens[at].tx == -1) {
      client_answers(c, at, c->version > 10 && of(c, 6) == 0,
                     of(c, 5) == 0 ? client_open_tx(c) : -1);
      return;
    }
  }
}

void client_transacts(struct client *c, int tx) {
  bool commit = of(c, 3) != 0;
  char text[128], receipt[32];
  size_t i, kept = 0;
  struct command *command;
  int len, number = ask_receipt(c, receipt, 3);

  len = snprintf(text, sizeof(text), "%s\ntransaction:t%d\n%s\n",
                 !c->tx_open[tx] ? "BEGIN"
                 : commit        ? "COMMIT"
                                 : "ABORT",
                 tx, receipt);
  command = client_put(c,
                       !c->tx_open[tx] ? BEGINS
                       : commit        ? COMMITS
                                       : ABORTS,
                       text, (size_t)len + 1);
  command->tx = tx;
  command->receipt = number;
  sim_note(c->sim, "%s %.6s %d", c->name, text, tx);
  for (i = 0; c->tx_open[tx] && i < c->token_count; i++) {
    struct token *token = &c->tokens[i];

    if (token->tx == tx && commit) {
      continue;
    }
    token->tx = token->tx == tx ? -1 : token->tx;
    c->tokens[kept++] = *token;
  }
  c->token_count = c->tx_open[tx] ? kept : c->token_count;
  c->tx_open[tx] = !c->tx_open[tx];
}

void client_disconnects(struct client *c) {
  char text[64], receipt[32];
  int number = ask_receipt(c, receipt, 1);
  int len = snprintf(text, sizeof(text), "DISCONNECT\n%s\n", receipt);
  struct command *command = client_put(c, DISCONNECTS, text, (size_t)len + 1);

  command->receipt = number;
  c->leaving = true;
  sim_note(c->sim, "%s disconnects", c->name);
}

/* ---- what arrives ---- */

void client_carry_out(struct client *c, const struct command *command) {
  struct model *model = model_of(c);

  switch (command->what) {
  case SENDS:
    model_send(model, command->it, command->tx);
    break;
  case SUBSCRIBES:
    model_subscribe(model, command->it);
    break;
  case UNSUBSCRIBES:
    model_unsubscribe(model, command->it);
    break;
  case ACKS:
    model_ack(model, &command->settling, command->tx);
    break;
  case BEGINS:
    model_begin(model, c->session, command->tx);
    break;
  case COMMITS:
    model_commit(model, c->session, command->tx);
    break;
  case ABORTS:
    model_abort(model, c->session, command->tx);
    break;
  default:
    break;
  }
  if (command->receipt >= 0) {
    model_receipt_due(model, c->session, command->receipt);
  }
  if (command->what == DISCONNECTS) {
    model_session_end(model, c->session);
  }
}
