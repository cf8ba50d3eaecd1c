#include "host.h"

/*
 * Every state of a session against every command. The table says what comes of
 * each, as BEHAVIOUR.md has it: sections 2 and 3 (what may come first), 4
 * (receipts), 7 (acknowledgements, transactions), 9 (handlers), 11 (the end),
 * 15.
 */

enum state {
  NOT_CONNECTED,
  CONNECTING, /* CONNECT waits for the host */
  CONNECTED,
  HELD,        /* a frame waits for the host */
  DEFERRED,    /* a handler takes its time */
  TRANSACTION, /* one is open */
  FAILED,      /* behind an ERROR */
  DISCONNECTED,
  SHUT_DOWN,
  STATES
};

enum command {
  DO_CONNECT,
  DO_STOMP,
  DO_SEND,
  DO_SUBSCRIBE,
  DO_UNSUBSCRIBE,
  DO_ACK,
  DO_NACK,
  DO_BEGIN,
  DO_COMMIT,
  DO_ABORT,
  DO_DISCONNECT,
  DO_CONNECTED, /* the server's */
  DO_MESSAGE,
  DO_RECEIPT,
  DO_ERROR,
  DO_NONSENSE,
  DO_EOL,
  COMMANDS
};

static const char *const state_names[STATES] = {
    "not connected",   "CONNECT waits",       "connected",
    "a frame waits",   "a call is put off",   "a transaction is open",
    "behind an ERROR", "behind a DISCONNECT", "shut down"};

static const char *const command_names[COMMANDS] = {
    "CONNECT", "STOMP",   "SEND",   "SUBSCRIBE", "UNSUBSCRIBE", "ACK",
    "NACK",    "BEGIN",   "COMMIT", "ABORT",     "DISCONNECT",  "CONNECTED",
    "MESSAGE", "RECEIPT", "ERROR",  "NONSENSE",  "end of line"};

/* ---- the table ---- */

enum life { MISSING = 0, LIVES, DIES };

struct cell {
  enum life life;
  const char *heard; /* "<1002>" is a Close */
};

/* clang-format off */
#define RECEIPT     {LIVES, "RECEIPT r^"}
#define WELCOME     {LIVES, "CONNECTED^"}
#define SILENCE     {LIVES, ""}
#define IGNORED     {DIES, ""}
#define GOODBYE     {DIES, "RECEIPT r^<1000>"}
#define FAULT(text) {DIES, "ERROR r " text "^<1002>"}
/* The command alone is wrong already: what stands behind it is not read. */
#define WORD(text)  {DIES, "ERROR " text "^<1002>"}

#define FIRST       FAULT("CONNECT has to come first")
#define AGAIN       FAULT("connected already")
#define SERVERS     WORD("command is the server's")
#define UNKNOWN     WORD("unknown command")
#define NO_TX       FAULT("no such transaction")
#define TX_OPEN     FAULT("transaction is open already")
#define NO_SUB      FAULT("no such subscription")
#define NOT_SENT    FAULT("nothing to acknowledge")
#define NOT_IN_1_0  FAULT("NACK is not in STOMP 1.0")

/* A cell that is missing does not compile. The first NACK is that of 1.0. */
#define ROW(connect, stomp, send, subscribe, unsubscribe, ack, nack_1_0, nack, \
            begin, commit, abort, disconnect, connected, message, receipt,     \
            error, nonsense, eol)                                              \
  {{connect, stomp, send, subscribe, unsubscribe, ack, nack, begin, commit,    \
    abort, disconnect, connected, message, receipt, error, nonsense, eol},     \
   nack_1_0}

static const struct {
  struct cell cells[COMMANDS];
  struct cell nack_1_0;
} table[] = {
  [NOT_CONNECTED] = ROW(
    WELCOME, WELCOME, FIRST,   FIRST,   FIRST,   FIRST,
    FIRST,   FIRST,   FIRST,   FIRST,   FIRST,   FIRST,
    SERVERS, SERVERS, SERVERS, SERVERS, UNKNOWN, SILENCE),
  /* Once the host has said yes, behind CONNECTED. */
  [CONNECTING] = ROW(
    AGAIN,   AGAIN,   RECEIPT, RECEIPT, NO_SUB,  NOT_SENT,
    NOT_IN_1_0, NOT_SENT, RECEIPT, NO_TX, NO_TX, GOODBYE,
    SERVERS, SERVERS, SERVERS, SERVERS, UNKNOWN, SILENCE),
  [CONNECTED] = ROW(
    AGAIN,   AGAIN,   RECEIPT, RECEIPT, RECEIPT, RECEIPT,
    NOT_IN_1_0, RECEIPT, RECEIPT, NO_TX, NO_TX, GOODBYE,
    SERVERS, SERVERS, SERVERS, SERVERS, UNKNOWN, SILENCE),
  /* Once the host has said yes, behind the receipt of the frame held. */
  [HELD] = ROW(
    AGAIN,   AGAIN,   RECEIPT, RECEIPT, RECEIPT, RECEIPT,
    NOT_IN_1_0, RECEIPT, RECEIPT, NO_TX, NO_TX, GOODBYE,
    SERVERS, SERVERS, SERVERS, SERVERS, UNKNOWN, SILENCE),
  /* At once; the receipt of the call comes later, if there is a later. */
  [DEFERRED] = ROW(
    AGAIN,   AGAIN,   RECEIPT, RECEIPT, RECEIPT, RECEIPT,
    NOT_IN_1_0, RECEIPT, RECEIPT, NO_TX, NO_TX, GOODBYE,
    SERVERS, SERVERS, SERVERS, SERVERS, UNKNOWN, SILENCE),
  /* SEND, ACK and NACK name the transaction. */
  [TRANSACTION] = ROW(
    AGAIN,   AGAIN,   RECEIPT, RECEIPT, RECEIPT, RECEIPT,
    NOT_IN_1_0, RECEIPT, TX_OPEN, RECEIPT, RECEIPT, GOODBYE,
    SERVERS, SERVERS, SERVERS, SERVERS, UNKNOWN, SILENCE),
  [FAILED] = ROW(
    IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED,
    IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED,
    IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED),
  [DISCONNECTED] = ROW(
    IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED,
    IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED,
    IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED),
  [SHUT_DOWN] = ROW(
    IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED,
    IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED,
    IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED),
};
/* clang-format on */

_Static_assert(sizeof(table) / sizeof(table[0]) == STATES, "a row is missing");

/* ---- a session in a state ---- */

struct stage {
  struct host host;
  struct peer peer;
  int version; /* 0, 1, 2 */
  enum state state;
  sbk_call *held;
  sbk_call *deferred;
  char message[64]; /* a delivery that waits for its ACK … */
  char ack[32];     /* … in 1.2 */
};

/* Holds CONNECT, or a SEND to one destination. */
static enum sbk_verdict hold(sbk_call *call, void *arg) {
  struct stage *stage = arg;
  const sbk_message *msg = sbk_call_message(call);
  const char *to = sbk_message_header(msg, "destination");

  if ((stage->state == CONNECTING && sbk_message_command(msg) == SBK_CONNECT) ||
      (to != NULL && strcmp(to, "/topic/held") == 0)) {
    stage->held = call;
    return SBK_WAIT;
  }

  return SBK_PASS;
}

static int put_off(sbk_call *call, void *arg) {
  struct stage *stage = arg;

  stage->deferred = call;

  return sbk_call_defer(call);
}

/* What is heard, without what nobody can foresee: a CONNECTED has no headers,
 * "ERROR r text" gives back the receipt r. */
static void simplify(char *out, size_t size, const char *heard) {
  size_t len = 0;
  char text[200], receipt[32];

  out[0] = '\0';
  while (*heard != '\0') {
    const char *end = strchr(heard, *heard == '<' ? '>' : '^');
    size_t frame;

    if (*heard == '\n') { /* a heart-beat */
      heard++;
      continue;
    }
    assert_non_null(end);
    frame = (size_t)(end - heard) + 1;
    if (strncmp(heard, "CONNECTED\n", 10) == 0) {
      len += (size_t)snprintf(out + len, size - len, "CONNECTED^");
    } else if (sscanf(heard, "ERROR\nmessage:%199[^\n]\nreceipt-id:%31[^\n]",
                      text, receipt) == 2) {
      len += (size_t)snprintf(out + len, size - len, "ERROR %s %s^", receipt,
                              text);
    } else if (sscanf(heard, "ERROR\nmessage:%199[^\n]", text) == 1) {
      len += (size_t)snprintf(out + len, size - len, "ERROR %s^", text);
    } else if (sscanf(heard, "RECEIPT\nreceipt-id:%31[^\n]", receipt) == 1) {
      len += (size_t)snprintf(out + len, size - len, "RECEIPT %s^", receipt);
    } else {
      len += (size_t)snprintf(out + len, size - len, "%.*s", (int)frame, heard);
    }
    assert_true(len < size);
    heard += frame;
  }
}

static const char *hear(struct stage *stage) {
  static char text[1024];

  simplify(text, sizeof(text), peer_hear(&stage->peer));

  return text;
}

static void say(struct stage *stage, const char *text) {
  peer_say(&stage->peer, text);
}

static void say_connect(struct stage *stage, const char *word) {
  char text[80];

  snprintf(text, sizeof(text), "%s\n%s%s%sreceipt:r\n\n^", word,
           stage->version > 0 ? "accept-version:" : "",
           stage->version == 0   ? ""
           : stage->version == 1 ? "1.1"
                                 : "1.2",
           stage->version > 0 ? "\n" : "");
  say(stage, text);
}

static void copy_header(char *out, size_t size, const char *heard,
                        const char *name) {
  const char *at = strstr(heard, name);

  assert_non_null(at);
  at += strlen(name);
  snprintf(out, size, "%.*s", (int)strcspn(at, "\n"), at);
}

/* Connected, with a subscription s and a message of it that waits for its
 * ACK. */
static void connect_it(struct stage *stage) {
  const char *heard;

  say_connect(stage, "CONNECT");
  assert_string_equal(hear(stage), "CONNECTED^");
  say(stage, "SUBSCRIBE\nid:s\ndestination:/topic/s\nack:client\n\n^");
  assert_int_equal(sbk_send(stage->host.broker, "/topic/s", NULL, "m", 1), 1);
  heard = peer_hear(&stage->peer);
  copy_header(stage->message, sizeof(stage->message), heard, "message-id:");
  if (stage->version == 2) {
    copy_header(stage->ack, sizeof(stage->ack), heard, "\nack:");
  }
}

static void enter(struct stage *stage) {
  switch (stage->state) {
  case NOT_CONNECTED:
    return;
  case CONNECTING:
    say_connect(stage, "CONNECT");
    assert_non_null(stage->held);
    assert_string_equal(hear(stage), "");
    return;
  default:
    connect_it(stage);
    break;
  }
  switch (stage->state) {
  case HELD:
    say(stage, "SEND\ndestination:/topic/held\nreceipt:h\n\n^");
    assert_non_null(stage->held);
    assert_string_equal(hear(stage), "");
    break;
  case DEFERRED:
    say(stage, "SEND\ndestination:/app/slow\nreceipt:d\n\n^");
    assert_non_null(stage->deferred);
    assert_string_equal(hear(stage), "");
    break;
  case TRANSACTION:
    say(stage, "BEGIN\ntransaction:t\nreceipt:b\n\n^");
    assert_string_equal(hear(stage), "RECEIPT b^");
    break;
  case FAILED:
    say(stage, "NONSENSE\n\n^");
    assert_string_equal(hear(stage), "ERROR unknown command^<1002>");
    break;
  case DISCONNECTED:
    say(stage, "DISCONNECT\nreceipt:b\n\n^");
    assert_string_equal(hear(stage), "RECEIPT b^<1000>");
    break;
  case SHUT_DOWN:
    sbk_broker_shutdown(stage->host.broker);
    assert_non_null(strstr(hear(stage), "<1001>"));
    break;
  default:
    break;
  }
}

static void begin(struct stage *stage, enum state state, int version) {
  memset(stage, 0, sizeof(*stage));
  stage->state = state;
  stage->version = version;
  host_begin(&stage->host);
  assert_int_equal(sbk_broker_add_interceptor(stage->host.broker, SBK_INBOUND,
                                              1, hold, stage),
                   0);
  assert_int_equal(sbk_broker_add_handler(stage->host.broker, SBK_SEND, "/slow",
                                          put_off, stage),
                   0);
  peer_upgrade(&stage->peer, &stage->host, UPGRADE("/ws"));
  enter(stage);
}

/* ---- commands ---- */

static void say_ack(struct stage *stage, const char *word) {
  char text[256];
  const char *tx = stage->state == TRANSACTION ? "transaction:t\n" : "";

  if (stage->version == 2) {
    snprintf(text, sizeof(text), "%s\nid:%s\n%sreceipt:r\n\n^", word,
             stage->ack[0] != '\0' ? stage->ack : "1", tx);
  } else {
    snprintf(text, sizeof(text),
             "%s\nmessage-id:%s\nsubscription:s\n%sreceipt:r\n\n^", word,
             stage->message[0] != '\0' ? stage->message : "m-1", tx);
  }
  say(stage, text);
}

static void say_command(struct stage *stage, enum command command) {
  switch (command) {
  case DO_CONNECT:
    say_connect(stage, "CONNECT");
    break;
  case DO_STOMP:
    say_connect(stage, "STOMP");
    break;
  case DO_SEND:
    say(stage, stage->state == TRANSACTION
                   ? "SEND\ndestination:/topic/x\ntransaction:t\nreceipt:r\n\n^"
                   : "SEND\ndestination:/topic/x\nreceipt:r\n\n^");
    break;
  case DO_SUBSCRIBE:
    say(stage, "SUBSCRIBE\nid:n\ndestination:/topic/n\nreceipt:r\n\n^");
    break;
  case DO_UNSUBSCRIBE:
    say(stage, "UNSUBSCRIBE\nid:s\nreceipt:r\n\n^");
    break;
  case DO_ACK:
    say_ack(stage, "ACK");
    break;
  case DO_NACK:
    say_ack(stage, "NACK");
    break;
  case DO_BEGIN:
    say(stage, "BEGIN\ntransaction:t\nreceipt:r\n\n^");
    break;
  case DO_COMMIT:
    say(stage, "COMMIT\ntransaction:t\nreceipt:r\n\n^");
    break;
  case DO_ABORT:
    say(stage, "ABORT\ntransaction:t\nreceipt:r\n\n^");
    break;
  case DO_DISCONNECT:
    say(stage, "DISCONNECT\nreceipt:r\n\n^");
    break;
  case DO_CONNECTED:
    say(stage, "CONNECTED\nversion:1.2\nreceipt:r\n\n^");
    break;
  case DO_MESSAGE:
    say(stage, "MESSAGE\ndestination:/topic/s\nreceipt:r\n\n^");
    break;
  case DO_RECEIPT:
    say(stage, "RECEIPT\nreceipt-id:b\nreceipt:r\n\n^");
    break;
  case DO_ERROR:
    say(stage, "ERROR\nmessage:x\nreceipt:r\n\n^");
    break;
  case DO_NONSENSE:
    say(stage, "NONSENSE\nreceipt:r\n\n^");
    break;
  default:
    say(stage, "\n");
    break;
  }
}

/* ---- the walk ---- */

static void expect(struct stage *stage, enum command command, const char *when,
                   const char *first, const char *second) {
  const char *heard = hear(stage);
  char text[512];

  snprintf(text, sizeof(text), "%s%s", first, second);
  if (strcmp(heard, text) != 0) {
    fail_msg("%s, %s in 1.%d%s: heard \"%s\", not \"%s\"",
             state_names[stage->state], command_names[command], stage->version,
             when, heard, text);
  }
}

static void try_cell(enum state state, enum command command, int version) {
  struct stage stage;
  const struct cell *cell = command == DO_NACK && version == 0
                                ? &table[state].nack_1_0
                                : &table[state].cells[command];

  if (cell->life == MISSING) {
    fail_msg("%s: nothing is said of %s", state_names[state],
             command_names[command]);
  }
  begin(&stage, state, version);
  say_command(&stage, command);
  if (state == CONNECTING || state == HELD) {
    expect(&stage, command, ", held", "", "");
    assert_int_equal(sbk_call_resume(stage.held, SBK_PASS), 0);
    expect(&stage, command, ", let go",
           state == HELD ? "RECEIPT h^" : "CONNECTED^", cell->heard);
  } else {
    expect(&stage, command, "", cell->heard, "");
  }
  if ((sbk_conn_session(stage.peer.conn) != NULL) != (cell->life == LIVES)) {
    fail_msg("%s, %s in 1.%d: the session %s", state_names[state],
             command_names[command], version,
             cell->life == LIVES ? "is gone" : "lives");
  }
  if (state == DEFERRED) {
    assert_int_equal(sbk_call_finish(stage.deferred, 0), 0);
    expect(&stage, command, ", finished",
           cell->life == LIVES ? "RECEIPT d^" : "", "");
  }
  if (cell->life == DIES) { /* and says no more */
    say(&stage, "SEND\ndestination:/topic/x\nreceipt:late\n\n^");
    expect(&stage, command, ", afterwards", "", "");
  } else if (state != NOT_CONNECTED || command != DO_EOL) {
    say(&stage, "SEND\ndestination:/topic/x\nreceipt:more\n\n^");
    expect(&stage, command, ", afterwards", "RECEIPT more^", "");
  }
  peer_leave(&stage.peer);
  host_end(&stage.host);
}

static void walk(enum state state) {
  enum command command;
  int version;

  for (command = 0; command < COMMANDS; command++) {
    for (version = 0; version < 3; version++) {
      try_cell(state, command, version);
    }
  }
}

static void each_command_when_not_connected(void **state) {
  (void)state;
  walk(NOT_CONNECTED);
}
static void each_command_while_connect_waits(void **state) {
  (void)state;
  walk(CONNECTING);
}
static void each_command_when_connected(void **state) {
  (void)state;
  walk(CONNECTED);
}
static void each_command_while_a_frame_waits(void **state) {
  (void)state;
  walk(HELD);
}
static void each_command_while_a_call_is_put_off(void **state) {
  (void)state;
  walk(DEFERRED);
}
static void each_command_in_a_transaction(void **state) {
  (void)state;
  walk(TRANSACTION);
}
static void each_command_behind_an_error(void **state) {
  (void)state;
  walk(FAILED);
}
static void each_command_behind_a_disconnect(void **state) {
  (void)state;
  walk(DISCONNECTED);
}
static void each_command_after_a_shutdown(void **state) {
  (void)state;
  walk(SHUT_DOWN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_command_when_not_connected),
      cmocka_unit_test(each_command_while_connect_waits),
      cmocka_unit_test(each_command_when_connected),
      cmocka_unit_test(each_command_while_a_frame_waits),
      cmocka_unit_test(each_command_while_a_call_is_put_off),
      cmocka_unit_test(each_command_in_a_transaction),
      cmocka_unit_test(each_command_behind_an_error),
      cmocka_unit_test(each_command_behind_a_disconnect),
      cmocka_unit_test(each_command_after_a_shutdown),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
