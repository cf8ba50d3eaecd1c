#include "stomp.h"

/*
 * Frames of a session that say what they may not (STOMP 1.0 to 1.2, Client
 * Frames; BEHAVIOUR 4 to 8 and 15): headers that are missing, destinations and
 * patterns, ids, modes, acknowledgements, transactions, other people's
 * destinations.
 */

#define NO_DEST  "destination is missing"
#define BAD_DEST "malformed destination"
#define NOWHERE  "no such destination"
#define BAD_PAT  "malformed pattern"
#define NO_ID    "id is missing"
#define IN_USE   "subscription id is in use"
#define NO_SUB   "no such subscription"
#define NO_MODE  "unknown ack mode"
#define NO_ACK   "nothing to acknowledge"
#define NO_MSG   "id of the message is missing"
#define NO_NACK  "NACK is not in STOMP 1.0"
#define PREFETCH "malformed prefetch-count"
#define HISTORY_ "malformed history"
#define SELECTOR "selectors are not supported"
#define NO_NAME  "transaction is missing"
#define KNOWN    "transaction is open already"
#define NO_TX    "no such transaction"
#define OTHERS   "destination of another user"
#define USERS    "clients may not send to users"
#define RECEIPT  "RECEIPT\nreceipt-id:r\n\n^"

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

/* ---- headers that are missing ---- */

/* A frame that lacks one, alone and with a receipt. */
#define LACKS(what, command, headers, text)                                    \
  {what, command "\n" headers "\n^", PROTOCOL, text, NULL}, {                  \
    what ", and a receipt", command "\nreceipt:r\n" headers "\n^", PROTOCOL,   \
        text, "r"                                                              \
  }

static void missing_headers(void) {
  static const struct stomp each[] = {
      LACKS("SEND without a destination", "SEND", "", NO_DEST),
      LACKS("SEND to Destination", "SEND", "Destination:/topic/evil\n",
            NO_DEST),
      LACKS("SEND to a destination with a blank before its colon", "SEND",
            "destination :/topic/evil\n", NO_DEST),
      LACKS("SUBSCRIBE without a destination", "SUBSCRIBE", "id:0\n", NO_DEST),
      LACKS("SUBSCRIBE without anything", "SUBSCRIBE", "", NO_DEST),
      LACKS("BEGIN without a transaction", "BEGIN", "", NO_NAME),
      LACKS("COMMIT without a transaction", "COMMIT", "", NO_NAME),
      LACKS("ABORT without a transaction", "ABORT", "", NO_NAME),
      LACKS("BEGIN of Transaction", "BEGIN", "Transaction:t\n", NO_NAME),
      LACKS("BEGIN with an empty transaction", "BEGIN", "transaction:\n",
            NO_NAME),
      LACKS("COMMIT with an empty transaction", "COMMIT", "transaction:\n",
            NO_NAME),
      LACKS("ABORT with an empty transaction", "ABORT", "transaction:\n",
            NO_NAME),
  };
  static const struct stomp ids[] = {
      LACKS("SUBSCRIBE without an id", "SUBSCRIBE", "destination:/quiet/x\n",
            NO_ID),
      LACKS("SUBSCRIBE with an Id", "SUBSCRIBE", "destination:/quiet/x\nId:0\n",
            NO_ID),
      LACKS("UNSUBSCRIBE without an id", "UNSUBSCRIBE", "", NO_ID),
      LACKS("UNSUBSCRIBE with a destination for an id", "UNSUBSCRIBE",
            "destination:/quiet/x\n", NO_ID),
  };
  static const struct stomp of_1_2[] = {
      LACKS("ACK without an id", "ACK", "", NO_MSG),
      LACKS("NACK without an id", "NACK", "", NO_MSG),
      LACKS("ACK with the headers of 1.1", "ACK",
            "message-id:1\nsubscription:a\n", NO_MSG),
      LACKS("NACK with the headers of 1.1", "NACK",
            "message-id:1\nsubscription:a\n", NO_MSG),
  };
  static const struct stomp of_1_1[] = {
      LACKS("ACK without anything", "ACK", "", NO_MSG),
      LACKS("ACK without a message-id", "ACK", "subscription:a\n", NO_MSG),
      LACKS("ACK without a subscription", "ACK", "message-id:1\n", NO_MSG),
      LACKS("ACK with the header of 1.2", "ACK", "id:1\n", NO_MSG),
      LACKS("NACK without anything", "NACK", "", NO_MSG),
      LACKS("NACK without a message-id", "NACK", "subscription:a\n", NO_MSG),
      LACKS("NACK without a subscription", "NACK", "message-id:1\n", NO_MSG),
      LACKS("NACK with the header of 1.2", "NACK", "id:1\n", NO_MSG),
  };
  static const struct stomp of_1_0[] = {
      LACKS("ACK without a message-id", "ACK", "", NO_MSG),
      LACKS("ACK with the header of 1.2", "ACK", "id:1\n", NO_MSG),
      LACKS("UNSUBSCRIBE without anything", "UNSUBSCRIBE", "", NO_DEST),
      LACKS("NACK", "NACK", "message-id:1\n", NO_NACK),
      LACKS("NACK without anything", "NACK", "", NO_NACK),
      {"SUBSCRIBE without an id is well",
       "SUBSCRIBE\ndestination:/quiet/x\nreceipt:r\n\n^", WELL, RECEIPT, NULL},
  };

  STOMP_PLAY("1.0", NULL, each);
  STOMP_PLAY("1.1", NULL, each);
  STOMP_PLAY("1.2", NULL, each);
  STOMP_PLAY("1.1", NULL, ids);
  STOMP_PLAY("1.2", NULL, ids);
  STOMP_PLAY("1.2", NULL, of_1_2);
  STOMP_PLAY("1.1", NULL, of_1_1);
  STOMP_PLAY("1.0", NULL, of_1_0);
}

/* ---- destinations ---- */

/* SEND and SUBSCRIBE to it. */
static void play_destination(const char *version, const char *what,
                             const char *destination, enum stomp_kind kind,
                             const char *out) {
  char name[200], text[300];
  const struct stomp v = {name, text, kind, out, kind > BYE ? "r" : NULL};

  snprintf(name, sizeof(name), "SEND to %s", what);
  snprintf(text, sizeof(text), "SEND\nreceipt:r\ndestination:%s\n\nevil^",
           destination);
  stomp_play(version, NULL, &v);
  snprintf(name, sizeof(name), "SUBSCRIBE to %s", what);
  snprintf(text, sizeof(text),
           "SUBSCRIBE\nreceipt:r\nid:0\ndestination:%s\n\n^", destination);
  stomp_play(version, NULL, &v);
}

/* BEHAVIOUR 15.7: no control characters, however they were written. */
static void control_characters(void) {
  char name[80], destination[40];
  int c;

  for (c = 1; c <= 0x7f; c = c == 0x1f ? 0x7f : c + 1) {
    if (c == '\n' || c == '\r') {
      continue; /* these end the line: escaped below */
    }
    snprintf(name, sizeof(name), "a control character %#04x", c);
    snprintf(destination, sizeof(destination), "/topic/a%cb", c);
    play_destination("1.2", name, destination, PROTOCOL, BAD_DEST);
  }
  play_destination("1.2", "an escaped LF", "/topic/a\\nb", PROTOCOL, BAD_DEST);
  play_destination("1.2", "an escaped CR", "/topic/a\\rb", PROTOCOL, BAD_DEST);
  play_destination("1.2", "an escaped LF at its end", "/topic/a\\n", PROTOCOL,
                   BAD_DEST);
  play_destination("1.1", "a bare CR", "/topic/a\rb", PROTOCOL, BAD_DEST);
  play_destination("1.1", "an escaped LF", "/topic/a\\nb", PROTOCOL, BAD_DEST);
  play_destination("1.0", "a bare CR", "/topic/a\rb", PROTOCOL, BAD_DEST);
}

static void destinations(void) {
  static const struct {
    const char *what;
    const char *destination;
    enum stomp_kind kind;
    const char *out;
  } table[] = {
      {"nothing", "", PROTOCOL, BAD_DEST},
      {"two slashes", "//", PROTOCOL, BAD_DEST},
      {"three slashes", "///", PROTOCOL, BAD_DEST},
      {"two slashes in front", "//topic/evil", PROTOCOL, BAD_DEST},
      {"two slashes in the middle", "/topic//evil", PROTOCOL, BAD_DEST},
      {"two slashes at the end", "/topic/evil//", PROTOCOL, BAD_DEST},
      {"a URL", "http://h.example/topic/evil", PROTOCOL, BAD_DEST},
      {"a slash", "/", ROUTE, NOWHERE},
      {"no slash in front", "topic/evil", ROUTE, NOWHERE},
      {"a blank in front", " /topic/evil", ROUTE, NOWHERE},
      {"a backslash for a slash", "\\\\topic\\\\evil", ROUTE, NOWHERE},
      {"a prefix with more behind it", "/topicx", ROUTE, NOWHERE},
      {"a prefix and a dot", "/topic.evil", ROUTE, NOWHERE},
      {"a prefix and a colon", "/topic\\cevil", ROUTE, NOWHERE},
      {"a part of a prefix", "/topi", ROUTE, NOWHERE},
      {"a prefix in great letters", "/TOPIC/evil", ROUTE, NOWHERE},
      {"a prefix behind a dot segment", "/./topic/evil", ROUTE, NOWHERE},
      {"a prefix behind two dots", "/x/../topic/evil", ROUTE, NOWHERE},
      {"an escaped prefix", "/%74opic/evil", ROUTE, NOWHERE},
      {"an escaped slash", "/topic%2fevil", ROUTE, NOWHERE},
      {"a blank", " ", ROUTE, NOWHERE},
      {"a dot", ".", ROUTE, NOWHERE},
      {"a word", "evil", ROUTE, NOWHERE},
      {"the app prefix", "/app", ROUTE, NOWHERE},
      {"the app prefix and a slash", "/app/", ROUTE, NOWHERE},
      {"a handler that there is not", "/app/none", ROUTE, NOWHERE},
      {"a handler in great letters", "/app/ECHO", ROUTE, NOWHERE},
      {"a handler and a slash", "/app/echo/", ROUTE, NOWHERE},
      {"below a handler", "/app/echo/x", ROUTE, NOWHERE},
      {"Spring's form of a session's queue", "/quietx-user0", ROUTE, NOWHERE},
      {"RabbitMQ's exchange", "/exchange/evil", ROUTE, NOWHERE},
      {"RabbitMQ's temporary queue", "/temp-queue/evil", ROUTE, NOWHERE},
      {"ActiveMQ's form", "queue\\c//evil", PROTOCOL, BAD_DEST},
      {"a letter that is like an o", "/t\xd0\xbepic/evil", ROUTE, NOWHERE},
      {"a separator that is none here", ".topic.evil", ROUTE, NOWHERE},
      {"a prefix that is a pattern", "/*/evil", ROUTE, NOWHERE},
      {"any destination", "/**", ROUTE, NOWHERE},
      {"any destination, two stars alone", "**", ROUTE, NOWHERE},
      {"its own user's, and no more", "/user", PROTOCOL, BAD_DEST},
      {"its own user's, and a slash", "/user/", PROTOCOL, BAD_DEST},
  };
  size_t i;

  for (i = 0; i < COUNT_OF(table); i++) {
    const bool user = strncmp(table[i].destination, "/user", 5) == 0;
    char name[200], text[300];
    const struct stomp v = {name, text, table[i].kind, table[i].out, "r"};

    if (!user) {
      play_destination("1.2", table[i].what, table[i].destination,
                       table[i].kind, table[i].out);
      continue;
    }
    snprintf(name, sizeof(name), "SUBSCRIBE to %s", table[i].what);
    snprintf(text, sizeof(text),
             "SUBSCRIBE\nreceipt:r\nid:0\ndestination:%s\n\n^",
             table[i].destination);
    stomp_play("1.2", NULL, &v);
  }
}

/* ---- subscriptions ---- */

#define SUB(destination)                                                       \
  "SUBSCRIBE\nid:0\nreceipt:r\ndestination:" destination "\n\n^"
#define PATTERN(pattern)                                                       \
  { "a pattern " pattern, SUB(pattern), PROTOCOL, BAD_PAT, "r" }
#define FINE(pattern)                                                          \
  { "a pattern " pattern " is well", SUB(pattern), WELL, RECEIPT, NULL }

static void patterns(void) {
  static const struct stomp vectors[] = {
      PATTERN("/quiet/{a:[0-9]+}"),
      PATTERN("/quiet/{a:.*}"),
      PATTERN("/quiet/{a:}"),
      PATTERN("/quiet/{:}"),
      PATTERN("/quiet/{:x}"),
      PATTERN("/quiet/{a:(x+)+y}"),
      PATTERN("/quiet/{"),
      PATTERN("/quiet/{a"),
      PATTERN("/quiet/{a/b}"),
      PATTERN("/quiet/{a{b}}"),
      PATTERN("/quiet/{{a}"),
      PATTERN("/quiet/{}"),
      PATTERN("/quiet/{*}"),
      PATTERN("/quiet/{a}}"),
      PATTERN("/quiet/*}"),
      PATTERN("/quiet/}{a}"),
      PATTERN("/quiet/{a}/{a}"),
      PATTERN("/quiet/{a}-{a}"),
      PATTERN("/quiet/{a}/{*a}"),
      PATTERN("/quiet/?/}"),
      {"a pattern of nine wildcards", SUB("/quiet/*/*/*/*/*/*/*/*/*"), COUNT,
       "pattern over max_wildcards", "r"},
      {"a pattern of nine question marks", SUB("/quiet/?????????"), COUNT,
       "pattern over max_wildcards", "r"},
      {"a pattern of nine names", SUB("/quiet/{a}{b}{c}{d}{e}{f}{g}{h}{i}"),
       COUNT, "pattern over max_wildcards", "r"},
      {"a pattern of nine times two stars",
       SUB("/quiet/**/**/**/**/**/**/**/**/**"), COUNT,
       "pattern over max_wildcards", "r"},
      {"a pattern over queues", SUB("/jobs/*"), PROTOCOL, "pattern over queues",
       "r"},
      {"a pattern over queues, two stars", SUB("/jobs/**"), PROTOCOL,
       "pattern over queues", "r"},
      {"a pattern over queues, with a name", SUB("/jobs/{a}"), PROTOCOL,
       "pattern over queues", "r"},
      {"a pattern with an empty segment", SUB("/quiet//*"), PROTOCOL, BAD_DEST,
       "r"},
      {"a pattern with a control character", SUB("/quiet/\x01*"), PROTOCOL,
       BAD_DEST, "r"},
      {"a pattern over handlers", SUB("/app/*"), ROUTE, NOWHERE, "r"},
      FINE("/quiet/{*a}"),
      FINE("/quiet/a}"),
      FINE("/quiet/[a-z]"),
      FINE("/quiet/a**b"),
      FINE("/quiet/*/*/*/*/*/*/*/*"),
      {"SEND to a pattern that is none is well",
       "SEND\nreceipt:r\ndestination:/quiet/{a\n\n^", WELL, RECEIPT, NULL},
  };

  STOMP_PLAY("1.2", NULL, vectors);
}

#define MODE(mode)                                                             \
  "SUBSCRIBE\nid:0\nreceipt:r\ndestination:/quiet/x\nack:" mode "\n\n^"
#define NOT_A_MODE(mode)                                                       \
  { "ack:" mode, MODE(mode), PROTOCOL, NO_MODE, "r" }
#define IS_A_MODE(mode)                                                        \
  { "ack:" mode " is well", MODE(mode), WELL, RECEIPT, NULL }

static void modes(void) {
  static const struct stomp vectors[] = {
      {"ack that is empty", MODE(""), PROTOCOL, NO_MODE, "r"},
      NOT_A_MODE("Auto"),
      NOT_A_MODE("AUTO"),
      NOT_A_MODE(" auto"),
      NOT_A_MODE("auto "),
      NOT_A_MODE("aut"),
      NOT_A_MODE("autox"),
      NOT_A_MODE("Client"),
      NOT_A_MODE("client "),
      NOT_A_MODE("clients"),
      NOT_A_MODE("client-"),
      NOT_A_MODE("client-Individual"),
      NOT_A_MODE("client-individually"),
      NOT_A_MODE("client_individual"),
      NOT_A_MODE("client individual"),
      NOT_A_MODE("individual"),
      NOT_A_MODE("cumulative"),
      NOT_A_MODE("auto,client"),
      NOT_A_MODE("none"),
      NOT_A_MODE("manual"),
      NOT_A_MODE("true"),
      NOT_A_MODE("0"),
      NOT_A_MODE("\"auto\""),
      IS_A_MODE("auto"),
      IS_A_MODE("client"),
  };
  static const struct stomp individual[] = {IS_A_MODE("client-individual")};
  static const struct stomp none[] = {NOT_A_MODE("client-individual")};

  STOMP_PLAY("1.0", NULL, vectors);
  STOMP_PLAY("1.1", NULL, vectors);
  STOMP_PLAY("1.2", NULL, vectors);
  STOMP_PLAY("1.0", NULL, none);
  STOMP_PLAY("1.1", NULL, individual);
  STOMP_PLAY("1.2", NULL, individual);
}

#define WITH(header)                                                           \
  "SUBSCRIBE\nid:0\nreceipt:r\ndestination:/quiet/x\n" header "\n\n^"
#define NO_PREFETCH(count)                                                     \
  {                                                                            \
    "prefetch-count:" count, WITH("prefetch-count:" count), PROTOCOL,          \
        PREFETCH, "r"                                                          \
  }
#define NO_HISTORY(count)                                                      \
  { "history:" count, WITH("history:" count), PROTOCOL, HISTORY_, "r" }

static void counts(void) {
  static const struct stomp vectors[] = {
      {"prefetch-count that is empty", WITH("prefetch-count:"), PROTOCOL,
       PREFETCH, "r"},
      NO_PREFETCH("0"),
      NO_PREFETCH("000"),
      NO_PREFETCH("-1"),
      NO_PREFETCH("+1"),
      NO_PREFETCH("1.5"),
      NO_PREFETCH("1 "),
      NO_PREFETCH(" 1"),
      NO_PREFETCH("0x1"),
      NO_PREFETCH("1,2"),
      NO_PREFETCH("all"),
      NO_PREFETCH("1x"),
      NO_PREFETCH("99999999999999999999x"),
      NO_PREFETCH("\xd9\xa1"),
      {"a prefetch-count over its limit is clamped",
       WITH("prefetch-count:1025"), WELL, RECEIPT, NULL},
      {"a prefetch-count of 2^16 is clamped", WITH("prefetch-count:65536"),
       WELL, RECEIPT, NULL},
      {"a prefetch-count of 2^64 is clamped",
       WITH("prefetch-count:18446744073709551616"), WELL, RECEIPT, NULL},
      {"history that is empty", WITH("history:"), PROTOCOL, HISTORY_, "r"},
      NO_HISTORY("-1"),
      NO_HISTORY("+1"),
      NO_HISTORY("1.5"),
      NO_HISTORY("1 "),
      NO_HISTORY(" 1"),
      NO_HISTORY("0x1"),
      NO_HISTORY("1,2"),
      NO_HISTORY("all"),
      NO_HISTORY("1x"),
      {"history of 0 is well", WITH("history:0"), WELL, RECEIPT, NULL},
      {"history of 2^64 is well", WITH("history:18446744073709551616"), WELL,
       RECEIPT, NULL},
      {"a selector", WITH("selector:a = 1"), PROTOCOL, SELECTOR, "r"},
      {"a selector that is empty", WITH("selector:"), PROTOCOL, SELECTOR, "r"},
      {"a selector of all", WITH("selector:TRUE"), PROTOCOL, SELECTOR, "r"},
      {"a selector that is code", WITH("selector:T(java.lang.Runtime)"),
       PROTOCOL, SELECTOR, "r"},
  };

  STOMP_PLAY("1.2", NULL, vectors);
}

#define HERE "SUBSCRIBE\nid:0\ndestination:/quiet/x\n\n^"
#define AGAIN(id, destination)                                                 \
  "SUBSCRIBE\nid:" id "\nreceipt:r\ndestination:" destination "\n\n^"
#define LEAVE(id) "UNSUBSCRIBE\nid:" id "\nreceipt:r\n\n^"

static void subscriptions(void) {
  static const struct stomp vectors[] = {
      {"an id again", AGAIN("0", "/quiet/x"), PROTOCOL, IN_USE, "r"},
      {"an id again, elsewhere", AGAIN("0", "/quiet/y"), PROTOCOL, IN_USE, "r"},
      {"an id again, at a pattern", AGAIN("0", "/quiet/**"), PROTOCOL, IN_USE,
       "r"},
      {"an id again, at a queue", AGAIN("0", "/jobs/x"), PROTOCOL, IN_USE, "r"},
      {"an id again, at a handler", AGAIN("0", "/app/echo"), PROTOCOL, IN_USE,
       "r"},
      {"an id again, at its own user's", AGAIN("0", "/user/queue/x"), PROTOCOL,
       IN_USE, "r"},
      {"an id again, nowhere", AGAIN("0", "/nowhere"), PROTOCOL, IN_USE, "r"},
      {"another id is well", AGAIN("00", "/quiet/x"), WELL, RECEIPT, NULL},
      {"an id that is empty is one", AGAIN("", "/quiet/x"), WELL, RECEIPT,
       NULL},
      {"an id of escapes is well", AGAIN("\\n\\c", "/quiet/x"), WELL, RECEIPT,
       NULL},
      {"UNSUBSCRIBE of another id", LEAVE("1"), PROTOCOL, NO_SUB, "r"},
      {"UNSUBSCRIBE of no id", LEAVE(""), PROTOCOL, NO_SUB, "r"},
      {"UNSUBSCRIBE of 00", LEAVE("00"), PROTOCOL, NO_SUB, "r"},
      {"UNSUBSCRIBE with a blank in front", LEAVE(" 0"), PROTOCOL, NO_SUB, "r"},
      {"UNSUBSCRIBE with a blank behind", LEAVE("0 "), PROTOCOL, NO_SUB, "r"},
      {"UNSUBSCRIBE of a destination", LEAVE("/quiet/x"), PROTOCOL, NO_SUB,
       "r"},
      {"UNSUBSCRIBE of a neighbour's id", LEAVE("n"), PROTOCOL, NO_SUB, "r"},
      {"UNSUBSCRIBE of a star", LEAVE("*"), PROTOCOL, NO_SUB, "r"},
      {"UNSUBSCRIBE twice", "UNSUBSCRIBE\nid:0\n\n^" LEAVE("0"), PROTOCOL,
       NO_SUB, "r"},
      {"UNSUBSCRIBE of an id that was refused",
       "SUBSCRIBE\nid:bad\ndestination:/nowhere\n\n^" LEAVE("bad"), ROUTE,
       NOWHERE, NULL},
      {"UNSUBSCRIBE is well", LEAVE("0"), WELL, RECEIPT, NULL},
      {"an id may be used again behind UNSUBSCRIBE",
       "UNSUBSCRIBE\nid:0\n\n^" AGAIN("0", "/quiet/y"), WELL, RECEIPT, NULL},
  };
  static const struct stomp of_1_0[] = {
      {"a destination again, without an id",
       "SUBSCRIBE\nreceipt:r\ndestination:/quiet/z\n\n^", PROTOCOL, IN_USE,
       "r"},
      {"UNSUBSCRIBE of another destination",
       "UNSUBSCRIBE\nreceipt:r\ndestination:/quiet/y\n\n^", PROTOCOL, NO_SUB,
       "r"},
      {"UNSUBSCRIBE of a destination that has an id",
       "UNSUBSCRIBE\nreceipt:r\ndestination:/quiet/x\n\n^", PROTOCOL, NO_SUB,
       "r"},
      {"UNSUBSCRIBE of a destination by its id",
       "UNSUBSCRIBE\nreceipt:r\nid:/quiet/z\n\n^", PROTOCOL, NO_SUB, "r"},
      {"UNSUBSCRIBE of a pattern that matches",
       "UNSUBSCRIBE\nreceipt:r\ndestination:/quiet/*\n\n^", PROTOCOL, NO_SUB,
       "r"},
      {"UNSUBSCRIBE of a destination is well",
       "UNSUBSCRIBE\nreceipt:r\ndestination:/quiet/z\n\n^", WELL, RECEIPT,
       NULL},
  };

  STOMP_PLAY("1.1", HERE, vectors);
  STOMP_PLAY("1.2", HERE, vectors);
  STOMP_PLAY("1.0", HERE "SUBSCRIBE\ndestination:/quiet/z\n\n^", of_1_0);
}

/* ---- ACK, NACK ---- */

/* Two messages with ack:1 and ack:2. */
#define TWO                                                                    \
  "SUBSCRIBE\nid:a\ndestination:/quiet/x\nack:client\n\n^"                     \
  "SEND\ndestination:/quiet/x\n\n^SEND\ndestination:/quiet/x\n\n^"

static void play_acks(const char *version, const char *before,
                      const char *header, const char *id, const char *more) {
  static const char *const commands[] = {"ACK", "NACK"};
  char name[120], text[300];
  size_t i;

  for (i = 0; i < 2; i++) {
    const struct stomp v = {name, text, PROTOCOL, NO_ACK, "r"};

    if (i == 1 && strcmp(version, "1.0") == 0) {
      continue;
    }
    snprintf(text, sizeof(text), "%s\nreceipt:r\n%s:%s\n%s\n^", commands[i],
             header, id, more);
    snprintf(name, sizeof(name), "%s with %s:%s%s", commands[i], header, id,
             before == NULL ? ", nothing was sent" : "");
    stomp_play(version, before, &v);
  }
}

static void acks(void) {
  static const char *const ids[] = {"",
                                    "0",
                                    "-1",
                                    "-0",
                                    "+1",
                                    "3",
                                    "01",
                                    "001",
                                    " 1",
                                    "1 ",
                                    "1.0",
                                    "1,2",
                                    "1x",
                                    "x1",
                                    "x",
                                    "0x1",
                                    "1e0",
                                    "*",
                                    "65537",
                                    "4294967295",
                                    "4294967297",
                                    "18446744073709551615",
                                    "18446744073709551617",
                                    "99999999999999999999999999999999999999",
                                    "\xd9\xa1",
                                    "1\\n",
                                    "\\n1"};
  static const char *const messages[] = {
      "",           "0",          "1",          "x", "-1",
      "00000000-1", "00000000+1", "zzzzzzzz-1", "-", "4294967297"};
  static const struct stomp well[] = {
      {"ACK of 1 is well", "ACK\nid:1\nreceipt:r\n\n^", WELL, RECEIPT, NULL},
      {"NACK of 1 is well", "NACK\nid:1\nreceipt:r\n\n^", WELL, RECEIPT, NULL},
      {"ACK twice does no harm", "ACK\nid:2\n\n^ACK\nid:2\nreceipt:r\n\n^",
       WELL, RECEIPT, NULL},
      {"ACK behind UNSUBSCRIBE does no harm",
       "UNSUBSCRIBE\nid:a\n\n^ACK\nid:2\nreceipt:r\n\n^", WELL, RECEIPT, NULL},
      {"ACK of the third of two, behind the second",
       "ACK\nid:2\n\n^ACK\nid:3\nreceipt:r\n\n^", PROTOCOL, NO_ACK, "r"},
  };
  size_t i;

  for (i = 0; i < COUNT_OF(ids); i++) {
    play_acks("1.2", TWO, "id", ids[i], "");
  }
  play_acks("1.2", NULL, "id", "1", "");
  play_acks("1.2", NULL, "id", "0", "");
  for (i = 0; i < COUNT_OF(messages); i++) {
    play_acks("1.1", TWO, "message-id", messages[i], "subscription:a\n");
    play_acks("1.0", TWO, "message-id", messages[i], "");
  }
  STOMP_PLAY("1.2", TWO, well);
}

/* ---- transactions ---- */

#define OPEN     "BEGIN\ntransaction:t\n\n^"
#define TX(what) what "\ntransaction:t\nreceipt:r\n\n^"
#define IN(name)                                                               \
  "SEND\ndestination:/topic/evil\ntransaction:" name "\nreceipt:r\n\nevil^"

static void transactions(void) {
  static const struct stomp vectors[] = {
      {"BEGIN again", TX("BEGIN"), PROTOCOL, KNOWN, "r"},
      {"COMMIT of another", "COMMIT\ntransaction:u\nreceipt:r\n\n^", PROTOCOL,
       NO_TX, "r"},
      {"ABORT of another", "ABORT\ntransaction:u\nreceipt:r\n\n^", PROTOCOL,
       NO_TX, "r"},
      {"COMMIT of T", "COMMIT\ntransaction:T\nreceipt:r\n\n^", PROTOCOL, NO_TX,
       "r"},
      {"ABORT with a blank behind", "ABORT\ntransaction:t \nreceipt:r\n\n^",
       PROTOCOL, NO_TX, "r"},
      {"COMMIT twice", "COMMIT\ntransaction:t\n\n^" TX("COMMIT"), PROTOCOL,
       NO_TX, "r"},
      {"ABORT twice", "ABORT\ntransaction:t\n\n^" TX("ABORT"), PROTOCOL, NO_TX,
       "r"},
      {"COMMIT behind ABORT", "ABORT\ntransaction:t\n\n^" TX("COMMIT"),
       PROTOCOL, NO_TX, "r"},
      {"ABORT behind COMMIT", "COMMIT\ntransaction:t\n\n^" TX("ABORT"),
       PROTOCOL, NO_TX, "r"},
      {"SEND in another", IN("u"), PROTOCOL, NO_TX, "r"},
      {"SEND in none", IN(""), PROTOCOL, NO_NAME, "r"},
      {"SEND in T", IN("T"), PROTOCOL, NO_TX, "r"},
      {"SEND behind COMMIT", "COMMIT\ntransaction:t\n\n^" IN("t"), PROTOCOL,
       NO_TX, "r"},
      {"SEND behind ABORT", "ABORT\ntransaction:t\n\n^" IN("t"), PROTOCOL,
       NO_TX, "r"},
      {"SEND to nothing in a transaction",
       "SEND\ntransaction:t\nreceipt:r\n\n^", PROTOCOL, NO_DEST, "r"},
      {"SEND nowhere in a transaction",
       "SEND\ndestination:/nowhere\ntransaction:t\nreceipt:r\n\n^", ROUTE,
       NOWHERE, "r"},
      {"SEND to no handler in a transaction",
       "SEND\ndestination:/app/none\ntransaction:t\nreceipt:r\n\n^", ROUTE,
       NOWHERE, "r"},
      {"SEND to a user in a transaction",
       "SEND\ndestination:/user/me/queue/x\ntransaction:t\nreceipt:r\n\n^",
       DENIED, USERS, "r"},
      {"a SEND in a transaction is not sent", IN("t"), WELL, RECEIPT, NULL},
      {"a SEND in a transaction that is aborted is not sent",
       IN("t") "ABORT\ntransaction:t\n\n^", WELL, RECEIPT, NULL},
      {"a SEND in a transaction that ends with its session is not sent",
       IN("t") "DISCONNECT\n\n^", BYE, RECEIPT, NULL},
      {"a SEND in a transaction behind which is an ERROR is not sent",
       "SEND\ndestination:/topic/evil\ntransaction:t\n\nevil^"
       "COMMIT\ntransaction:u\n\n^COMMIT\ntransaction:t\n\n^",
       PROTOCOL, NO_TX, NULL},
  };
  static const struct stomp of_1_2[] = {
      {"ACK in a transaction that there is not",
       "ACK\nid:1\ntransaction:u\nreceipt:r\n\n^", PROTOCOL, NO_TX, "r"},
      {"ACK in a transaction without a name",
       "ACK\nid:1\ntransaction:\nreceipt:r\n\n^", PROTOCOL, NO_NAME, "r"},
      {"NACK in a transaction that there is not",
       "NACK\nid:1\ntransaction:u\nreceipt:r\n\n^", PROTOCOL, NO_TX, "r"},
      {"ACK of nothing in a transaction",
       "ACK\nid:3\ntransaction:t\nreceipt:r\n\n^", PROTOCOL, NO_ACK, "r"},
      {"SUBSCRIBE is not in a transaction, whatever it says",
       "SUBSCRIBE\nid:0\ndestination:/quiet/y\ntransaction:u\nreceipt:r\n\n^",
       WELL, RECEIPT, NULL},
  };

  STOMP_PLAY("1.0", OPEN, vectors);
  STOMP_PLAY("1.1", OPEN, vectors);
  STOMP_PLAY("1.2", OPEN, vectors);
  STOMP_PLAY("1.2", OPEN TWO, of_1_2);
}

/* ---- users ---- */

static void users(void) {
  static const struct stomp vectors[] = {
      {"SUBSCRIBE to another's queue", SUB("/user/you/queue/x"), DENIED, OTHERS,
       "r"},
      {"SUBSCRIBE to another's topic", SUB("/user/you/topic/x"), DENIED, OTHERS,
       "r"},
      {"SUBSCRIBE to another's queue by a slash", SUB("/user/you/queue/"),
       DENIED, OTHERS, "r"},
      {"SUBSCRIBE to ME's queue", SUB("/user/ME/queue/x"), DENIED, OTHERS, "r"},
      {"SUBSCRIBE to the queue of a part of its name", SUB("/user/m/queue/x"),
       DENIED, OTHERS, "r"},
      {"SUBSCRIBE to the queue of more than its name", SUB("/user/mee/queue/x"),
       DENIED, OTHERS, "r"},
      {"SUBSCRIBE to its own queue, escaped", SUB("/user/m%65/queue/x"), DENIED,
       OTHERS, "r"},
      {"SUBSCRIBE to its own queue with a blank", SUB("/user/me /queue/x"),
       DENIED, OTHERS, "r"},
      {"SUBSCRIBE to everybody's queue", SUB("/user/*/queue/x"), DENIED, OTHERS,
       "r"},
      {"SUBSCRIBE to anybody's queue", SUB("/user/{a}/queue/x"), DENIED, OTHERS,
       "r"},
      {"SUBSCRIBE to the queues of two letters", SUB("/user/m?/queue/x"),
       DENIED, OTHERS, "r"},
      {"SUBSCRIBE to all that is anybody's", SUB("/user/**/queue/x"), DENIED,
       OTHERS, "r"},
      {"SUBSCRIBE to an empty name's queue", SUB("/user//queue/x"), PROTOCOL,
       BAD_DEST, "r"},
      {"SUBSCRIBE to User's", SUB("/User/queue/x"), ROUTE, NOWHERE, "r"},
      {"SUBSCRIBE to its own queue is well", SUB("/user/queue/x"), WELL,
       RECEIPT, NULL},
      {"SUBSCRIBE to its own queue by name is well", SUB("/user/me/queue/x"),
       WELL, RECEIPT, NULL},
      {"SEND to another", "SEND\ndestination:/user/you/queue/x\nreceipt:r\n\n^",
       DENIED, USERS, "r"},
      {"SEND to oneself", "SEND\ndestination:/user/me/queue/x\nreceipt:r\n\n^",
       DENIED, USERS, "r"},
      {"SEND to its own user's queue",
       "SEND\ndestination:/user/queue/x\nreceipt:r\n\n^", DENIED, USERS, "r"},
      {"SEND to a user and no more",
       "SEND\ndestination:/user/you\nreceipt:r\n\n^", DENIED, USERS, "r"},
      {"SEND to the user prefix", "SEND\ndestination:/user\nreceipt:r\n\n^",
       DENIED, USERS, "r"},
  };
  static const struct stomp allowed[] = {
      {"SEND to the user prefix, where users may be sent to",
       "SEND\ndestination:/user\nreceipt:r\n\n^", PROTOCOL, BAD_DEST, "r"},
      {"SEND to the user prefix and a slash, where users may be sent to",
       "SEND\ndestination:/user/\nreceipt:r\n\n^", PROTOCOL, BAD_DEST, "r"},
      {"SEND to a user and no more, where users may be sent to",
       "SEND\ndestination:/user/you\nreceipt:r\n\n^", PROTOCOL, BAD_DEST, "r"},
      {"SEND to a user and a slash, where users may be sent to",
       "SEND\ndestination:/user/you/\nreceipt:r\n\n^", PROTOCOL, BAD_DEST, "r"},
      {"SEND to an empty user, where users may be sent to",
       "SEND\ndestination:/user//queue/x\nreceipt:r\n\n^", PROTOCOL, BAD_DEST,
       "r"},
      {"SEND to nobody is well, where users may be sent to",
       "SEND\ndestination:/user/nobody/queue/x\nreceipt:r\n\n^", WELL, RECEIPT,
       NULL},
  };
  struct bad_setup setup;

  STOMP_PLAY("1.2", NULL, vectors);
  bad_init(&setup);
  setup.config.client_user_send = 1;
  bad_open(&setup);
  STOMP_PLAY("1.2", NULL, allowed);
}

/* ---- what the host refuses ---- */

static int on_echo(sbk_call *call, void *arg) {
  size_t len;

  (void)arg;
  sbk_message_body(sbk_call_message(call), &len);

  return len == 0 ? 0 : SBK_ERR_NOT_FOUND;
}

static enum sbk_verdict on_frame(sbk_call *call, void *arg) {
  const sbk_message *msg = sbk_call_message(call);
  const char *verdict = sbk_message_header(msg, "verdict");

  (void)arg;
  if (sbk_message_command(msg) == SBK_CONNECT) {
    sbk_call_set_user(call, "me");
  }

  return verdict == NULL                  ? SBK_PASS
         : strcmp(verdict, "drop") == 0   ? SBK_DROP
         : strcmp(verdict, "refuse") == 0 ? SBK_REFUSE
                                          : SBK_REJECT;
}

static void host(void) {
  static const struct stomp vectors[] = {
      {"SEND that is rejected",
       "SEND\ndestination:/topic/evil\nverdict:no\nreceipt:r\n\nevil^", DENIED,
       "refused", "r"},
      {"SUBSCRIBE that is rejected",
       "SUBSCRIBE\nid:0\ndestination:/quiet/x\nverdict:no\nreceipt:r\n\n^",
       DENIED, "refused", "r"},
      {"BEGIN that is rejected",
       "BEGIN\ntransaction:t\nverdict:no\nreceipt:r\n\n^", DENIED, "refused",
       "r"},
      {"DISCONNECT that is rejected", "DISCONNECT\nverdict:no\nreceipt:r\n\n^",
       DENIED, "refused", "r"},
      {"SEND that is dropped gets its receipt",
       "SEND\ndestination:/topic/evil\nverdict:drop\nreceipt:r\n\nevil^", WELL,
       RECEIPT, NULL},
      {"SEND that is refused gets none",
       "SEND\ndestination:/topic/evil\nverdict:refuse\nreceipt:r\n\nevil^",
       WELL, "", NULL},
      {"what breaks the rules is not asked about",
       "SEND\nverdict:drop\nreceipt:r\n\nevil^", PROTOCOL, NO_DEST, "r"},
      {"a frame that is dropped opens no transaction",
       "BEGIN\ntransaction:t\nverdict:drop\n\n^" TX("COMMIT"), PROTOCOL, NO_TX,
       "r"},
      {"a frame that is dropped subscribes to nothing",
       "SUBSCRIBE\nid:0\ndestination:/quiet/x\nverdict:drop\n\n^" LEAVE("0"),
       PROTOCOL, NO_SUB, "r"},
  };
  const struct stomp handlers[] = {
      {"a handler that fails", "SEND\ndestination:/app/echo\nreceipt:r\n\nx^",
       FAILED, sbk_strerror(SBK_ERR_NOT_FOUND), "r"},
      {"a handler that fails within a COMMIT",
       "BEGIN\ntransaction:t\n\n^"
       "SEND\ndestination:/app/echo\ntransaction:t\n\nx^"
       "SEND\ndestination:/topic/evil\ntransaction:t\n\nevil^"
       "COMMIT\ntransaction:t\nreceipt:r\n\n^",
       FAILED, sbk_strerror(SBK_ERR_NOT_FOUND), "r"},
      {"a handler that does not fail",
       "SEND\ndestination:/app/echo\nreceipt:r\n\n^", WELL, RECEIPT, NULL},
  };

  STOMP_PLAY("1.2", NULL, vectors);
  STOMP_PLAY("1.2", NULL, handlers);
}

static void add(sbk_broker *broker) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  endpoint.path = "/ws";
  if (sbk_broker_add_endpoint(broker, &endpoint) != 0 ||
      sbk_broker_add_handler(broker, SBK_SEND, "/echo", on_echo, NULL) != 0 ||
      sbk_broker_add_handler(broker, SBK_SUBSCRIBE, "/echo", on_echo, NULL) !=
          0 ||
      sbk_broker_add_interceptor(broker, SBK_INBOUND, 0, on_frame, NULL) != 0) {
    printf("Bail out! no handlers\n");
  }
}

int main(void) {
  struct bad_setup setup;

  bad_init(&setup);
  setup.add = add;
  bad_open(&setup);
  missing_headers();
  control_characters();
  destinations();
  patterns();
  modes();
  counts();
  subscriptions();
  acks();
  transactions();
  host();
  users();

  return bad_done();
}
