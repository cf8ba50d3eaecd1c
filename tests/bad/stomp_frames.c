#include "stomp.h"

/*
 * Frames of a session, as frames (STOMP 1.0 to 1.2, Augmented BNF, Value
 * Encoding, Body, Header content-length, Repeated Header Entries; BEHAVIOUR 2
 * and 15.2): commands, lines, escapes, lengths, bodies, repeats.
 */

#define UNKNOWN    "unknown command"
#define SERVER     "command is the server's"
#define NUL        "NUL inside the head of a frame"
#define CR         "CR without LF"
#define COLON      "header without a colon"
#define NAME       "header without a name"
#define ESCAPE     "undefined escape in a header"
#define REPEATED   "header repeated with another value"
#define BODY       "body on a frame that has none"
#define LENGTH     "malformed content-length"
#define TOO_BIG    "frame over max_message"
#define TERMINATOR "no NUL behind the body"
#define NO_DEST    "destination is missing"

#define SEND    "SEND\ndestination:/topic/evil\n"
#define QUIET   "SEND\ndestination:/quiet/x\n"
#define RECEIPT "RECEIPT\nreceipt-id:r\n\n^"

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

static const char *const versions[] = {"1.0", "1.1", "1.2"};

/* The same in all versions. */
#define PLAY_EACH(table)                                                       \
  do {                                                                         \
    size_t version_;                                                           \
                                                                               \
    for (version_ = 0; version_ < 3; version_++) {                             \
      STOMP_PLAY(versions[version_], NULL, table);                             \
    }                                                                          \
  } while (0)

/* ---- commands ---- */

static const struct command {
  const char *name;
  const char *headers; /* that it needs in 1.2, and 1.1 */
} commands[] = {
    {"SEND", "destination:/topic/evil\n"},
    {"SUBSCRIBE", "id:0\ndestination:/quiet/x\n"},
    {"UNSUBSCRIBE", "id:0\n"},
    {"ACK", "id:1\nmessage-id:1\nsubscription:0\n"},
    {"NACK", "id:1\nmessage-id:1\nsubscription:0\n"},
    {"BEGIN", "transaction:t\n"},
    {"COMMIT", "transaction:t\n"},
    {"ABORT", "transaction:t\n"},
    {"DISCONNECT", ""},
};

/* STOMP 1.2, Frames: commands are as they are written. */
static void misspelt_commands(void) {
  static const struct {
    const char *how;
    const char *front, *rear;
  } ways[] = {{"with a blank in front", " ", ""},
              {"with a tab behind", "", "\t"},
              {"with a letter more", "", "X"},
              {"with a colon", "", ":"}};
  char name[256], text[200];
  size_t i, j, k;

  for (i = 0; i < COUNT_OF(commands); i++) {
    const char *command = commands[i].name;
    const struct stomp v = {name, text, PROTOCOL, UNKNOWN, NULL};

    for (j = 0; j < COUNT_OF(ways); j++) {
      snprintf(text, sizeof(text), "%s%s%s\n%s\n^", ways[j].front, command,
               ways[j].rear, commands[i].headers);
      snprintf(name, sizeof(name), "%s %s", command, ways[j].how);
      stomp_play("1.2", NULL, &v);
    }
    snprintf(text, sizeof(text), "%s\n%s\n^", command, commands[i].headers);
    for (k = 0; k < strlen(command); k++) {
      text[k] = (char)(command[k] + 'a' - 'A');
    }
    snprintf(name, sizeof(name), "%s in small letters", command);
    stomp_play("1.2", NULL, &v);
    snprintf(text, sizeof(text), "%.*s\n%s\n^", (int)strlen(command) - 1,
             command, commands[i].headers);
    snprintf(name, sizeof(name), "%s without its last letter", command);
    stomp_play("1.2", NULL, &v);
    snprintf(text, sizeof(text), "%c%s\n%s\n^", command[0] + 'a' - 'A',
             command + 1, commands[i].headers);
    snprintf(name, sizeof(name), "%s with a small first letter", command);
    stomp_play("1.2", NULL, &v);
  }
}

static void other_commands(void) {
  static const struct stomp vectors[] = {
      {"CONNECTED from a client", "CONNECTED\n\n^", PROTOCOL, SERVER, NULL},
      {"MESSAGE from a client",
       "MESSAGE\ndestination:/topic/"
       "evil\nmessage-id:1\nsubscription:n\n\nevil^",
       PROTOCOL, SERVER, NULL},
      {"RECEIPT from a client", "RECEIPT\nreceipt-id:r\n\n^", PROTOCOL, SERVER,
       NULL},
      {"ERROR from a client", "ERROR\nmessage:x\n\nx^", PROTOCOL, SERVER, NULL},
      {"a command that never was", "PUBLISH\ndestination:/topic/evil\n\n^",
       PROTOCOL, UNKNOWN, NULL},
      {"a blank for a command", " \n\n^", PROTOCOL, UNKNOWN, NULL},
      {"a backslash in a command", "SEN\\D\n\n^", PROTOCOL, UNKNOWN, NULL},
      {"a command that is not ASCII", "S\xc3\x89ND\n\n^", PROTOCOL, UNKNOWN,
       NULL},
      {"a command that is no text", "\xff\xfe\xfd\n\n^", PROTOCOL, UNKNOWN,
       NULL},
      {"a command of control bytes", "\x01\x02\x03\n\n^", PROTOCOL, UNKNOWN,
       NULL},
      {"a header for a command", "id:0\n\n^", PROTOCOL, UNKNOWN, NULL},
      {"JSON", "{\"a\":1}\n\n^", PROTOCOL, UNKNOWN, NULL},
      {"a request of HTTP", "GET / HTTP/1.1\n\n", PROTOCOL, UNKNOWN, NULL},
  };

  PLAY_EACH(vectors);
}

/* ---- between frames ---- */

static void between_frames(void) {
  static const struct stomp vectors[] = {
      {"a NUL too many", QUIET "\n^^", PROTOCOL, NUL, NULL},
      {"a NUL behind an EOL", QUIET "\n^\n^", PROTOCOL, NUL, NULL},
      {"a NUL behind a CRLF", QUIET "\n^\r\n^", PROTOCOL, NUL, NULL},
      {"a CR and a command", QUIET "\n^\rSEND\n\n^", PROTOCOL, CR, NULL},
      {"a CR and a NUL", QUIET "\n^\r^", PROTOCOL, CR, NULL},
      {"two CRs", QUIET "\n^\r\r\n", PROTOCOL, CR, NULL},
      {"an LF and two CRs", QUIET "\n^\n\r\r", PROTOCOL, CR, NULL},
      {"a blank", QUIET "\n^ \n", PROTOCOL, UNKNOWN, NULL},
      {"a tab", QUIET "\n^\t\n", PROTOCOL, UNKNOWN, NULL},
      {"a form feed", QUIET "\n^\f\n", PROTOCOL, UNKNOWN, NULL},
      {"a next line of C1", QUIET "\n^\x85\n", PROTOCOL, UNKNOWN, NULL},
      {"a line separator of Unicode", QUIET "\n^\xe2\x80\xa8\n", PROTOCOL,
       UNKNOWN, NULL},
      {"EOLs of both kinds are well",
       QUIET "\n^\r\n\n\r\n" QUIET "receipt:r\n\n^\n", WELL, RECEIPT, NULL},
  };

  PLAY_EACH(vectors);
}

/* ---- lines of headers ---- */

static void header_lines(void) {
  static const struct stomp vectors[] = {
      {"a header without a colon", SEND "x\n\n^", PROTOCOL, COLON, NULL},
      {"a header of a blank", SEND " \n\n^", PROTOCOL, COLON, NULL},
      {"a header of a tab", SEND "\t\n\n^", PROTOCOL, COLON, NULL},
      {"an equals sign for a colon", SEND "x=y\n\n^", PROTOCOL, COLON, NULL},
      {"a folded header", SEND "x:a\n b\n\n^", PROTOCOL, COLON, NULL},
      {"a colon of full width", SEND "x\xef\xbc\x9ay\n\n^", PROTOCOL, COLON,
       NULL},
      {"no name", SEND ":x\n\n^", PROTOCOL, NAME, NULL},
      {"no name and no value", SEND ":\n\n^", PROTOCOL, NAME, NULL},
      {"two colons alone", SEND "::\n\n^", PROTOCOL, NAME, NULL},
      {"no name behind a receipt", SEND "receipt:r\n:x\n\n^", PROTOCOL, NAME,
       "r"},
      {"no colon behind a receipt", SEND "receipt:r\nx\n\n^", PROTOCOL, COLON,
       "r"},
      {"a receipt behind what is broken does not come back",
       SEND "x\nreceipt:r\n\n^", PROTOCOL, COLON, NULL},
      {"a NUL in a command", "SE^ND\ndestination:/topic/evil\n\n^", PROTOCOL,
       NUL, NULL},
      {"a NUL behind a command", "SEND^\ndestination:/topic/evil\n\n^",
       PROTOCOL, NUL, NULL},
      {"a NUL for the end of a command", "DISCONNECT^", PROTOCOL, NUL, NULL},
      {"a NUL in a name", SEND "x^y:z\n\n^", PROTOCOL, NUL, NULL},
      {"a NUL in front of a name", SEND "^x:z\n\n^", PROTOCOL, NUL, NULL},
      {"a NUL in front of a colon", SEND "x^:z\n\n^", PROTOCOL, NUL, NULL},
      {"a NUL in a value", SEND "x:y^z\n\n^", PROTOCOL, NUL, NULL},
      {"a NUL at the end of a value", SEND "x:y^\n\n^", PROTOCOL, NUL, NULL},
      {"a NUL in a destination", "SEND\ndestination:/topic/e^vil\n\n^",
       PROTOCOL, NUL, NULL},
      {"a NUL for the blank line", SEND "^", PROTOCOL, NUL, NULL},
      {"a NUL in a receipt", SEND "receipt:a^b\n\n^", PROTOCOL, NUL, NULL},
      {"a raw colon in a value is well", QUIET "receipt:r\nx:a:b::\n\n^", WELL,
       RECEIPT, NULL},
      {"an empty value is well", QUIET "receipt:r\nx:\n\n^", WELL, RECEIPT,
       NULL},
      {"a name of blanks is well", QUIET "receipt:r\n  :a\n\n^", WELL, RECEIPT,
       NULL},
      {"values are not trimmed", QUIET "receipt: r \n\n^", WELL,
       "RECEIPT\nreceipt-id: r \n\n^", NULL},
      {"names are not either", QUIET "receipt :x\nreceipt:r\n\n^", WELL,
       RECEIPT, NULL},
      {"Receipt is another header", QUIET "Receipt:x\nreceipt:r\n\n^", WELL,
       RECEIPT, NULL},
      {"bytes that are no text are well", QUIET "receipt:r\n\xff\xfe:\x80\n\n^",
       WELL, RECEIPT, NULL},
  };

  PLAY_EACH(vectors);
}

/* A CR that no LF follows: an ERROR in 1.2 (BEHAVIOUR 15.2), data before. */
static void carriage_returns(void) {
  static const struct {
    const char *name;
    const char *text;
  } places[] = {
      {"in a name", QUIET "receipt:r\na\rb:c\n\n^"},
      {"in front of a name", QUIET "receipt:r\n\rab:c\n\n^"},
      {"in front of a colon", QUIET "receipt:r\nab\r:c\n\n^"},
      {"in front of a value", QUIET "receipt:r\nab:\rc\n\n^"},
      {"in a value", QUIET "receipt:r\nab:c\rd\n\n^"},
      {"twice in front of LF", QUIET "receipt:r\nab:c\r\r\n\n^"},
  };
  char name[100];
  size_t i;

  for (i = 0; i < COUNT_OF(places); i++) {
    struct stomp v = {name, places[i].text, WELL, RECEIPT, NULL};

    snprintf(name, sizeof(name), "a CR %s", places[i].name);
    stomp_play("1.0", NULL, &v);
    stomp_play("1.1", NULL, &v);
    v.kind = PROTOCOL;
    v.out = CR;
    v.receipt = "r";
    stomp_play("1.2", NULL, &v);
  }
}

static void carriage_returns_in_commands(void) {
  static const struct stomp broken[] = {
      {"a CR in a command", "SE\rND\ndestination:/topic/evil\n\n^", PROTOCOL,
       CR, NULL},
      {"a CR twice behind a command", "SEND\r\r\ndestination:/topic/evil\n\n^",
       PROTOCOL, CR, NULL},
      {"a CR twice for the blank line", SEND "\r\r\n^", PROTOCOL, CR, NULL},
  };
  static const struct stomp well[] = {
      {"CRLF ends lines",
       "SEND\r\ndestination:/quiet/x\r\nreceipt:r\r\n\r\nbody^", WELL, RECEIPT,
       NULL},
      {"CRLF and LF may be mixed",
       "SEND\r\ndestination:/quiet/x\nreceipt:r\r\n\nbody^\r\n", WELL, RECEIPT,
       NULL},
  };
  static const struct stomp before[] = {
      {"a CR in a command is none of it", "SE\rND\n\n^", PROTOCOL, UNKNOWN,
       NULL},
      {"a CR twice behind a command is none of it", "SEND\r\r\n\n^", PROTOCOL,
       UNKNOWN, NULL},
      {"a CR for the blank line is a header", SEND "\r\r\n^", PROTOCOL, COLON,
       NULL},
  };

  STOMP_PLAY("1.2", NULL, broken);
  STOMP_PLAY("1.0", NULL, before);
  STOMP_PLAY("1.1", NULL, before);
  PLAY_EACH(well);
}

/* ---- escapes ---- */

/* STOMP 1.2, Value Encoding: "undefined escape sequences such as \t MUST be
 * treated as fatal protocol error". 1.0 has none. */
static void escapes(void) {
  char name[100], text[200];
  int c;

  for (c = 1; c < 256; c++) {
    const struct stomp v = {name, text, PROTOCOL, ESCAPE, NULL};

    if (c == '^' || c == '\n' || c == '\r' || strchr("nrc\\", c) != NULL ||
        (c > 0x7f && c != 0x80 && c != 0xc3 && c != 0xff)) {
      continue; /* '^' is NUL here; CR and LF end the line; one of each kind of
                   those that are not ASCII */
    }
    snprintf(text, sizeof(text), SEND "x:a\\%cb\n\n^", c);
    snprintf(name, sizeof(name),
             c > 0x20 && c < 0x7f ? "the escape \\%c in a value"
                                  : "the escape of %#04x in a value",
             c);
    stomp_play("1.2", NULL, &v);
  }
}

static void more_escapes(void) {
  static const struct stomp vectors[] = {
      {"\\t in a name", SEND "x\\t:a\n\n^", PROTOCOL, ESCAPE, NULL},
      {"\\t in a value", SEND "x:\\t\n\n^", PROTOCOL, ESCAPE, NULL},
      {"\\t in a destination", "SEND\ndestination:/topic/a\\tb\n\n^", PROTOCOL,
       ESCAPE, NULL},
      {"\\t in a receipt, which does not come back", SEND "receipt:a\\t\n\n^",
       PROTOCOL, ESCAPE, NULL},
      {"\\t behind a receipt", SEND "receipt:r\nx:\\t\n\n^", PROTOCOL, ESCAPE,
       "r"},
      {"\\N", SEND "x:\\N\n\n^", PROTOCOL, ESCAPE, NULL},
      {"\\C", SEND "x:\\C\n\n^", PROTOCOL, ESCAPE, NULL},
      {"\\0", SEND "x:\\0\n\n^", PROTOCOL, ESCAPE, NULL},
      {"\\x41", SEND "x:\\x41\n\n^", PROTOCOL, ESCAPE, NULL},
      {"\\u0041", SEND "x:\\u0041\n\n^", PROTOCOL, ESCAPE, NULL},
      {"\\:", SEND "x:\\:\n\n^", PROTOCOL, ESCAPE, NULL},
      {"\\ and a blank", SEND "x:\\ a\n\n^", PROTOCOL, ESCAPE, NULL},
      {"a backslash at the end of a value", SEND "x:a\\\n\n^", PROTOCOL, ESCAPE,
       NULL},
      {"a backslash for a value", SEND "x:\\\n\n^", PROTOCOL, ESCAPE, NULL},
      {"a backslash at the end of a name", SEND "x\\:a\n\n^", PROTOCOL, ESCAPE,
       NULL},
      {"a backslash for a name", SEND "\\:a\n\n^", PROTOCOL, ESCAPE, NULL},
      {"three backslashes", SEND "x:\\\\\\\n\n^", PROTOCOL, ESCAPE, NULL},
      {"a bad escape behind a good one", SEND "x:\\n\\q\n\n^", PROTOCOL, ESCAPE,
       NULL},
      {"a bad escape and CRLF", SEND "x:\\q\r\n\r\n^", PROTOCOL, ESCAPE, NULL},
      {"a backslash and CRLF", SEND "x:\\\r\n\n^", PROTOCOL, ESCAPE, NULL},
      {"a bad escape in a header that repeats", SEND "x:a\nx:\\q\n\n^",
       PROTOCOL, ESCAPE, NULL},
      {"all escapes are well", QUIET "receipt:\\n\\c\\\\x\n\n^", WELL,
       "RECEIPT\nreceipt-id:\\n\\c\\\\x\n\n^", NULL},
      {"an escaped name is that name", QUIET "receipt:r\na\\cb:x\n\n^", WELL,
       RECEIPT, NULL},
  };
  static const struct stomp none[] = {
      {"\\t is text", QUIET "receipt:\\t\n\n^", WELL,
       "RECEIPT\nreceipt-id:\\t\n\n^", NULL},
      {"a backslash at the end is text", QUIET "receipt:r\\\n\n^", WELL,
       "RECEIPT\nreceipt-id:r\\\n\n^", NULL},
      {"\\n is text", QUIET "receipt:a\\nb\n\n^", WELL,
       "RECEIPT\nreceipt-id:a\\nb\n\n^", NULL},
  };

  STOMP_PLAY("1.0", NULL, none);
  STOMP_PLAY("1.1", NULL, vectors);
  STOMP_PLAY("1.2", NULL, vectors);
}

/* ---- content-length ---- */

#define LEN(length) SEND "content-length:" length "\n\nevil^"
#define NO_LEN(length)                                                         \
  { "content-length:" length, LEN(length), PROTOCOL, LENGTH, NULL }
#define OVER(length)                                                           \
  { "content-length:" length, LEN(length), SIZE, TOO_BIG, NULL }
#define ENDS_AT(length)                                                        \
  {                                                                            \
    "content-length:" length " before a body of 4", LEN(length), PROTOCOL,     \
        TERMINATOR, NULL                                                       \
  }

static void lengths(void) {
  static const struct stomp vectors[] = {
      {"content-length that is empty", LEN(""), PROTOCOL, LENGTH, NULL},
      NO_LEN(" "),
      NO_LEN(" 4"),
      NO_LEN("4 "),
      NO_LEN("\t4"),
      NO_LEN("4\t"),
      NO_LEN("+4"),
      NO_LEN("-4"),
      NO_LEN("-0"),
      NO_LEN("-1"),
      NO_LEN("4.0"),
      NO_LEN("4."),
      NO_LEN("4,4"),
      NO_LEN("4;"),
      NO_LEN("4 4"),
      NO_LEN("4e0"),
      NO_LEN("4k"),
      NO_LEN("0x4"),
      NO_LEN("x4"),
      NO_LEN("4x"),
      NO_LEN("four"),
      NO_LEN("(4)"),
      NO_LEN("'4'"),
      NO_LEN("\"4\""),
      NO_LEN("4:"),
      NO_LEN("NaN"),
      NO_LEN("null"),
      NO_LEN("\xd9\xa4"),
      NO_LEN("\xef\xbc\x94"),
      NO_LEN("4\v"),
      NO_LEN("-18446744073709551612"),
      NO_LEN("99999999999999999999x"),
      OVER("65537"),
      OVER("65536"),
      OVER("65500"),
      OVER("2147483647"),
      OVER("2147483648"),
      OVER("4294967295"),
      OVER("4294967296"),
      OVER("4294967300"),
      OVER("9223372036854775807"),
      OVER("9223372036854775808"),
      OVER("18446744073709551615"),
      OVER("18446744073709551616"),
      OVER("18446744073709551620"),
      OVER("99999999999999999999999999999999999999"),
      ENDS_AT("0"),
      ENDS_AT("1"),
      ENDS_AT("3"),
      ENDS_AT("03"),
      {"content-length over its limit, and a receipt",
       SEND "receipt:r\ncontent-length:65537\n\n", SIZE, TOO_BIG, "r"},
      {"content-length one too small, and the body's NUL",
       SEND "content-length:4\n\nevil!^", PROTOCOL, TERMINATOR, NULL},
      {"content-length and an EOL for the NUL",
       SEND "content-length:4\n\nevil\n^", PROTOCOL, TERMINATOR, NULL},
      {"content-length and a frame behind it",
       SEND "content-length:4\n\nevilSEND\n", PROTOCOL, TERMINATOR, NULL},
      {"content-length is waited for", SEND "content-length:10\n\nevil^", WELL,
       "", NULL},
      {"content-length takes the next frame for its body",
       QUIET "receipt:r\ncontent-length:30\n\n" SEND "\n^", WELL, RECEIPT,
       NULL},
      {"content-length of the bytes, not of the characters",
       SEND "content-length:1\n\n\xc3\xa9^", PROTOCOL, TERMINATOR, NULL},
      {"Content-Length is another header",
       QUIET "receipt:r\nContent-Length:0\n\nbody^", WELL, RECEIPT, NULL},
      {"content-length with a blank before its colon is another",
       QUIET "receipt:r\ncontent-length :0\n\nbody^", WELL, RECEIPT, NULL},
      {"zeros in front of content-length are well",
       QUIET "receipt:r\ncontent-length:0000000000000000000000004\n\nbody^",
       WELL, RECEIPT, NULL},
      {"NULs in a body that is counted are well",
       QUIET "receipt:r\ncontent-length:4\n\n^^^^^", WELL, RECEIPT, NULL},
  };

  STOMP_PLAY("1.1", NULL, vectors);
  STOMP_PLAY("1.2", NULL, vectors);
}

/* Those that no version reads otherwise: so they are in 1.0 too. */
static void lengths_of_1_0(void) {
  static const struct stomp vectors[] = {
      NO_LEN("-1"),
      NO_LEN("4x"),
      NO_LEN(" 4"),
      OVER("65537"),
      OVER("4294967300"),
      ENDS_AT("3"),
      {"content-length that is empty", LEN(""), PROTOCOL, LENGTH, NULL},
      {"\\n in content-length", LEN("4\\n"), PROTOCOL, LENGTH, NULL},
  };

  STOMP_PLAY("1.0", NULL, vectors);
}

/* ---- bodies ---- */

/* STOMP 1.2, Body: only SEND, MESSAGE and ERROR have one. Looked at before what
 * the frame says. */
static void bodies(void) {
  char name[100], text[200];
  size_t i, j;

  for (i = 1; i < COUNT_OF(commands); i++) {
    for (j = 1; j < 3; j++) {
      const struct stomp v = {name, text, PROTOCOL, BODY, "r"};

      snprintf(text, sizeof(text), "%s\nreceipt:r\n%s\nevil^", commands[i].name,
               commands[i].headers);
      snprintf(name, sizeof(name), "%s with a body", commands[i].name);
      stomp_play(versions[j], NULL, &v);
      snprintf(text, sizeof(text), "%s\nreceipt:r\n%scontent-length:4\n\nevil^",
               commands[i].name, commands[i].headers);
      snprintf(name, sizeof(name), "%s with a body that is counted",
               commands[i].name);
      stomp_play(versions[j], NULL, &v);
      snprintf(text, sizeof(text), "%s\nreceipt:r\n%scontent-length:1\n\n^^",
               commands[i].name, commands[i].headers);
      snprintf(name, sizeof(name), "%s with a body of one NUL",
               commands[i].name);
      stomp_play(versions[j], NULL, &v);
    }
  }
}

/* BEHAVIOUR 15.2: in 1.0 it is ignored, and what frames it is not. */
static void bodies_of_1_0(void) {
  static const struct stomp vectors[] = {
      {"SUBSCRIBE with a body",
       "SUBSCRIBE\ndestination:/quiet/y\nreceipt:r\n\nbody^", WELL, RECEIPT,
       NULL},
      {"SUBSCRIBE with a body that is counted",
       "SUBSCRIBE\ndestination:/quiet/y\nreceipt:r\ncontent-length:4\n\nb^^y^",
       WELL, RECEIPT, NULL},
      {"BEGIN with a body", "BEGIN\ntransaction:t\nreceipt:r\n\nbody^", WELL,
       RECEIPT, NULL},
      {"DISCONNECT with a body", "DISCONNECT\nreceipt:r\n\nbody^", BYE, RECEIPT,
       NULL},
      {"SUBSCRIBE with a body longer than it says",
       "SUBSCRIBE\ndestination:/quiet/y\nreceipt:r\ncontent-length:3\n\nbody^",
       PROTOCOL, TERMINATOR, "r"},
      {"SUBSCRIBE with a body over the limit",
       "SUBSCRIBE\ndestination:/quiet/y\ncontent-length:65537\n\n", SIZE,
       TOO_BIG, NULL},
  };

  STOMP_PLAY("1.0", NULL, vectors);
}

/* ---- repeats ---- */

/* BEHAVIOUR 2: two values of these would make two readers disagree. */
static void repeats(void) {
  static const struct stomp vectors[] = {
      {"two destinations", SEND "destination:/quiet/x\n\n^", PROTOCOL, REPEATED,
       NULL},
      {"two destinations, one with a blank",
       SEND "destination: /topic/evil\n\n^", PROTOCOL, REPEATED, NULL},
      {"two destinations, one longer", SEND "destination:/topic/evil/\n\n^",
       PROTOCOL, REPEATED, NULL},
      {"two destinations, one empty", SEND "destination:\n\n^", PROTOCOL,
       REPEATED, NULL},
      {"two destinations in other letters", SEND "destination:/Topic/evil\n\n^",
       PROTOCOL, REPEATED, NULL},
      {"two destinations far apart",
       SEND "a:1\nb:2\nc:3\nd:4\ndestination:/quiet/x\n\n^", PROTOCOL, REPEATED,
       NULL},
      {"two destinations of SUBSCRIBE",
       "SUBSCRIBE\nid:0\ndestination:/quiet/x\ndestination:/quiet/y\n\n^",
       PROTOCOL, REPEATED, NULL},
      {"two lengths", SEND "content-length:4\ncontent-length:0\n\nevil^",
       PROTOCOL, REPEATED, NULL},
      {"two lengths that mean the same",
       SEND "content-length:4\ncontent-length:04\n\nevil^", PROTOCOL, REPEATED,
       NULL},
      {"two lengths, the second is no number",
       SEND "content-length:4\ncontent-length:x\n\nevil^", PROTOCOL, REPEATED,
       NULL},
      {"two receipts", SEND "receipt:a\nreceipt:b\n\n^", PROTOCOL, REPEATED,
       "a"},
      {"two receipts, the second empty", SEND "receipt:a\nreceipt:\n\n^",
       PROTOCOL, REPEATED, "a"},
      {"two transactions", SEND "transaction:a\ntransaction:b\n\n^", PROTOCOL,
       REPEATED, NULL},
      {"two transactions of BEGIN", "BEGIN\ntransaction:a\ntransaction:b\n\n^",
       PROTOCOL, REPEATED, NULL},
      {"two transactions of COMMIT",
       "COMMIT\ntransaction:a\ntransaction:b\n\n^", PROTOCOL, REPEATED, NULL},
      {"two ids of SUBSCRIBE",
       "SUBSCRIBE\nid:0\nid:1\ndestination:/quiet/x\n\n^", PROTOCOL, REPEATED,
       NULL},
      {"two ids of UNSUBSCRIBE", "UNSUBSCRIBE\nid:0\nid:1\n\n^", PROTOCOL,
       REPEATED, NULL},
      {"two ids of ACK", "ACK\nid:0\nid:1\n\n^", PROTOCOL, REPEATED, NULL},
      {"two receipts of DISCONNECT", "DISCONNECT\nreceipt:a\nreceipt:b\n\n^",
       PROTOCOL, REPEATED, "a"},
      {"three receipts, of which two are equal",
       SEND "receipt:a\nreceipt:a\nreceipt:b\n\n^", PROTOCOL, REPEATED, "a"},
      {"two that are equal are well",
       QUIET "receipt:r\nreceipt:r\ndestination:/quiet/x\n\n^", WELL, RECEIPT,
       NULL},
      {"two lengths that are equal are well",
       QUIET "receipt:r\ncontent-length:1\ncontent-length:1\n\n^^", WELL,
       RECEIPT, NULL},
      {"two of another name are well", QUIET "receipt:r\nx:1\nx:2\n\n^", WELL,
       RECEIPT, NULL},
      {"Destination besides destination is well",
       QUIET "receipt:r\nDestination:/topic/evil\n\n^", WELL, RECEIPT, NULL},
  };

  PLAY_EACH(vectors);
}

/* What is equal is so unescaped. */
static void escaped_repeats(void) {
  static const struct stomp vectors[] = {
      {"two receipts that differ by an escape",
       SEND "receipt:a\\cb\nreceipt:a\\\\cb\n\n^", PROTOCOL, REPEATED, "a\\cb"},
      {"two receipts that only look different are well",
       QUIET "receipt:a\\cb\nreceipt:a:b\n\n^", WELL,
       "RECEIPT\nreceipt-id:a\\cb\n\n^", NULL},
  };

  STOMP_PLAY("1.1", NULL, vectors);
  STOMP_PLAY("1.2", NULL, vectors);
}

/* ---- nothing behind an ERROR, nothing behind the end ---- */

static void ends(void) {
  static const struct stomp vectors[] = {
      {"a SEND behind an ERROR is not sent",
       "SEND\nreceipt:r\n\n^" SEND "\nevil^", PROTOCOL, NO_DEST, "r"},
      {"two ERRORs are one", "SEND\n\n^SEND\n\n^", PROTOCOL, NO_DEST, NULL},
      {"a DISCONNECT behind an ERROR is none",
       "SEND\n\n^DISCONNECT\nreceipt:r\n\n^", PROTOCOL, NO_DEST, NULL},
      {"DISCONNECT is well", "DISCONNECT\n\n^", BYE, "", NULL},
      {"DISCONNECT with a receipt is well", "DISCONNECT\nreceipt:r\n\n^", BYE,
       RECEIPT, NULL},
      {"a SEND behind DISCONNECT is not sent",
       "DISCONNECT\nreceipt:r\n\n^" SEND "\nevil^", BYE, RECEIPT, NULL},
      {"what is broken behind DISCONNECT is not looked at",
       "DISCONNECT\nreceipt:r\n\n^x^", BYE, RECEIPT, NULL},
      {"two DISCONNECTs are one",
       "DISCONNECT\nreceipt:r\n\n^DISCONNECT\nreceipt:s\n\n^", BYE, RECEIPT,
       NULL},
      {"half a SEND is none", SEND "\nevil", WELL, "", NULL},
      {"half a head is none", "SEND\ndestination:/topic/evil", WELL, "", NULL},
      {"what was well before an ERROR is answered", QUIET "receipt:r\n\n^",
       WELL, RECEIPT, NULL},
  };

  PLAY_EACH(vectors);
}

int main(void) {
  struct bad_setup setup;

  bad_init(&setup);
  bad_open(&setup);
  misspelt_commands();
  other_commands();
  between_frames();
  header_lines();
  carriage_returns();
  carriage_returns_in_commands();
  escapes();
  more_escapes();
  lengths();
  lengths_of_1_0();
  bodies();
  bodies_of_1_0();
  repeats();
  escaped_repeats();
  ends();

  return bad_done();
}
