#include "stomp.h"

/*
 * What comes before a session is connected (STOMP 1.2, Connecting, Protocol
 * Negotiation, Heart-beating; BEHAVIOUR 3), and the second CONNECT.
 */

#define FIRST     "CONNECT has to come first"
#define VERSION_  "no version in common"
#define BEATS     "malformed heart-beat"
#define UNKNOWN   "unknown command"
#define SERVER    "command is the server's"
#define NUL       "NUL inside the head of a frame"
#define CR        "CR without LF"
#define COLON     "header without a colon"
#define NAME      "header without a name"
#define REPEATED  "header repeated with another value"
#define BODY      "body on a frame that has none"
#define LENGTH    "malformed content-length"
#define CONNECTED "connected already"

/* The answer to one that is well. */
#define ANSWER(version)                                                        \
  "CONNECTED\nversion:" version                                                \
  "\nheart-beat:10000,10000\nsession:{s}\nserver:stompbroker/0.1.0\n\n^"

/* ---- something else first ---- */

static void something_else_first(void) {
  static const struct stomp vectors[] = {
      {"SEND first", "SEND\ndestination:/topic/evil\n\nevil^", PROTOCOL, FIRST,
       NULL},
      {"SUBSCRIBE first", "SUBSCRIBE\nid:0\ndestination:/topic/x\n\n^",
       PROTOCOL, FIRST, NULL},
      {"UNSUBSCRIBE first", "UNSUBSCRIBE\nid:0\n\n^", PROTOCOL, FIRST, NULL},
      {"ACK first", "ACK\nid:1\n\n^", PROTOCOL, FIRST, NULL},
      {"NACK first", "NACK\nid:1\n\n^", PROTOCOL, FIRST, NULL},
      {"BEGIN first", "BEGIN\ntransaction:t\n\n^", PROTOCOL, FIRST, NULL},
      {"COMMIT first", "COMMIT\ntransaction:t\n\n^", PROTOCOL, FIRST, NULL},
      {"ABORT first", "ABORT\ntransaction:t\n\n^", PROTOCOL, FIRST, NULL},
      {"DISCONNECT first", "DISCONNECT\n\n^", PROTOCOL, FIRST, NULL},
      {"DISCONNECT with a receipt first", "DISCONNECT\nreceipt:bye\n\n^",
       PROTOCOL, FIRST, "bye"},
      {"SEND with a receipt first",
       "SEND\ndestination:/topic/evil\nreceipt:r-1\n\nevil^", PROTOCOL, FIRST,
       "r-1"},
      {"SEND that lacks its destination first", "SEND\n\n^", PROTOCOL, FIRST,
       NULL},
      {"CONNECTED first", "CONNECTED\nversion:1.2\n\n^", PROTOCOL, SERVER,
       NULL},
      {"MESSAGE first", "MESSAGE\n\n^", PROTOCOL, SERVER, NULL},
      {"RECEIPT first", "RECEIPT\n\n^", PROTOCOL, SERVER, NULL},
      {"ERROR first", "ERROR\n\n^", PROTOCOL, SERVER, NULL},
      {"a request of HTTP first", "GET / HTTP/1.1\nHost: h\n\n", PROTOCOL,
       UNKNOWN, NULL},
      {"connect in small letters", "connect\naccept-version:1.2\n\n^", PROTOCOL,
       UNKNOWN, NULL},
      {"Connect", "Connect\naccept-version:1.2\n\n^", PROTOCOL, UNKNOWN, NULL},
      {"stomp in small letters", "stomp\naccept-version:1.2\n\n^", PROTOCOL,
       UNKNOWN, NULL},
      {"CONNECT and a blank", "CONNECT \naccept-version:1.2\n\n^", PROTOCOL,
       UNKNOWN, NULL},
      {"a blank and CONNECT", " CONNECT\naccept-version:1.2\n\n^", PROTOCOL,
       UNKNOWN, NULL},
      {"a tab and CONNECT", "\tCONNECT\naccept-version:1.2\n\n^", PROTOCOL,
       UNKNOWN, NULL},
      {"a mark of UTF-8 and CONNECT",
       "\xef\xbb\xbf"
       "CONNECT\naccept-version:1.2\n\n^",
       PROTOCOL, UNKNOWN, NULL},
      {"CONNEC", "CONNEC\naccept-version:1.2\n\n^", PROTOCOL, UNKNOWN, NULL},
      {"CONNECTS", "CONNECTS\naccept-version:1.2\n\n^", PROTOCOL, UNKNOWN,
       NULL},
      {"CONNECT:", "CONNECT:\naccept-version:1.2\n\n^", PROTOCOL, UNKNOWN,
       NULL},
      {"CONNECTCONNECT", "CONNECTCONNECT\n\n^", PROTOCOL, UNKNOWN, NULL},
      {"CONNECT and CR CR LF", "CONNECT\r\r\naccept-version:1.2\n\n^", PROTOCOL,
       CR, NULL},
      {"CONNECT with a CR within", "CON\rNECT\naccept-version:1.2\n\n^",
       PROTOCOL, CR, NULL},
      {"CONNECT that a NUL ends", "CONNECT^", PROTOCOL, NUL, NULL},
      {"CONNECT with a NUL within", "CON^NECT\n\n^", PROTOCOL, NUL, NULL},
      {"a NUL first", "^", PROTOCOL, NUL, NULL},
      {"a NUL behind an EOL", "\n^", PROTOCOL, NUL, NULL},
      {"a CR first", "\rCONNECT\n\n^", PROTOCOL, CR, NULL},
      {"two CRs first", "\r\rCONNECT\n\n^", PROTOCOL, CR, NULL},
      {"a CR and a NUL", "\r^", PROTOCOL, CR, NULL},
      {"EOLs before CONNECT are well",
       "\n\r\n\nCONNECT\naccept-version:1.2\n\n^", WELL, ANSWER("1.2"), NULL},
      {"STOMP is CONNECT", "STOMP\naccept-version:1.2\n\n^", WELL,
       ANSWER("1.2"), NULL},
  };

  STOMP_PLAY(NULL, NULL, vectors);
}

/* ---- accept-version ---- */

#define VERSIONS(list) "CONNECT\naccept-version:" list "\n\n^"
#define NO_VERSION(list)                                                       \
  { "accept-version:" list, VERSIONS(list), PROTOCOL, VERSION_, NULL }
#define IS(list, version)                                                      \
  {                                                                            \
    "accept-version:" list " is " version, VERSIONS(list), WELL,               \
        ANSWER(version), NULL                                                  \
  }

static void versions(void) {
  static const struct stomp vectors[] = {
      {"accept-version that is empty", VERSIONS(""), PROTOCOL, VERSION_, NULL},
      NO_VERSION(" "),
      NO_VERSION(","),
      NO_VERSION(",,,"),
      NO_VERSION("0"),
      NO_VERSION("0.9"),
      NO_VERSION("1"),
      NO_VERSION("1."),
      NO_VERSION(".2"),
      NO_VERSION("2"),
      NO_VERSION("1.3"),
      NO_VERSION("1.9"),
      NO_VERSION("1.10"),
      NO_VERSION("1.12"),
      NO_VERSION("1.20"),
      NO_VERSION("1.2.0"),
      NO_VERSION("1.02"),
      NO_VERSION("01.2"),
      NO_VERSION("11.2"),
      NO_VERSION("2.0"),
      NO_VERSION("2.2"),
      NO_VERSION("-1.2"),
      NO_VERSION("+1.2"),
      NO_VERSION("1,2"),
      NO_VERSION("1;2"),
      NO_VERSION("1_2"),
      NO_VERSION("1:2"),
      NO_VERSION("v1.2"),
      NO_VERSION("V1.2"),
      NO_VERSION("v12.stomp"),
      NO_VERSION("STOMP/1.2"),
      NO_VERSION("1.2x"),
      NO_VERSION("1.x"),
      NO_VERSION("x.2"),
      NO_VERSION("*"),
      NO_VERSION("any"),
      NO_VERSION("\"1.2\""),
      NO_VERSION("'1.2'"),
      NO_VERSION("1.2;1.1"),
      NO_VERSION("1.2/1.1"),
      NO_VERSION("1.1-1.2"),
      NO_VERSION(">=1.0"),
      NO_VERSION("1.3,1.4,2.0"),
      NO_VERSION("1\\c2"),
      NO_VERSION("0x1.2"),
      NO_VERSION("1.2e0"),
      NO_VERSION("\xef\xbc\x91.2"),
      {"no version in common, and a receipt",
       "CONNECT\naccept-version:9\nreceipt:r\n\n^", PROTOCOL, VERSION_, "r"},
      {"the first of two lists counts, if it is bad",
       "CONNECT\naccept-version:9\naccept-version:1.2\n\n^", PROTOCOL, VERSION_,
       NULL},
      {"the first of two lists counts, if it is well",
       "CONNECT\naccept-version:1.1\naccept-version:9\n\n^", WELL,
       ANSWER("1.1"), NULL},
      {"Accept-Version is another header", "CONNECT\nAccept-Version:1.2\n\n^",
       WELL, ANSWER("1.0"), NULL},
      {"accept-version with a blank before the colon is another header",
       "CONNECT\naccept-version :1.2\n\n^", WELL, ANSWER("1.0"), NULL},
      {"no accept-version is 1.0", "CONNECT\n\n^", WELL, ANSWER("1.0"), NULL},
      IS("1.0", "1.0"),
      IS("1.1", "1.1"),
      IS("1.2", "1.2"),
      IS("1.0,1.1,1.2", "1.2"),
      IS("1.2,1.1,1.0", "1.2"),
      IS("1.0,1.1,1.3", "1.1"),
      IS("2.0,1.0,x", "1.0"),
      IS("1.1, 1.2", "1.2"),
      IS(" 1.1 ", "1.1"),
      IS(",1.1,", "1.1"),
      IS("1.1,,1.0", "1.1"),
      IS("1.2,1.2", "1.2"),
  };

  STOMP_PLAY(NULL, NULL, vectors);
}

/* ---- heart-beat ---- */

#define HEARTBEAT(beats)                                                       \
  "CONNECT\naccept-version:1.2\nheart-beat:" beats "\n\n^"
#define NO_BEATS(beats)                                                        \
  { "heart-beat:" beats, HEARTBEAT(beats), PROTOCOL, BEATS, NULL }
#define BEAT(beats)                                                            \
  {                                                                            \
    "heart-beat:" beats " is well", HEARTBEAT(beats), WELL, ANSWER("1.2"),     \
        NULL                                                                   \
  }

static void heart_beats(void) {
  static const struct stomp vectors[] = {
      {"heart-beat that is empty", HEARTBEAT(""), PROTOCOL, BEATS, NULL},
      NO_BEATS(" "),
      NO_BEATS(","),
      NO_BEATS(" , "),
      NO_BEATS("0"),
      NO_BEATS("0,"),
      NO_BEATS(",0"),
      NO_BEATS("0,0,"),
      NO_BEATS(",0,0"),
      NO_BEATS("0,0,0"),
      NO_BEATS("0,,0"),
      NO_BEATS("0;0"),
      NO_BEATS("0:0"),
      NO_BEATS("0.0"),
      NO_BEATS("0 0"),
      NO_BEATS("0/0"),
      NO_BEATS("-1,0"),
      NO_BEATS("0,-1"),
      NO_BEATS("-0,0"),
      NO_BEATS("+1,0"),
      NO_BEATS("0,+1"),
      NO_BEATS("1.5,0"),
      NO_BEATS("0,1.5"),
      NO_BEATS("1e3,0"),
      NO_BEATS("0x10,0"),
      NO_BEATS("0,0x10"),
      NO_BEATS("10s,0"),
      NO_BEATS("0,10ms"),
      NO_BEATS("a,b"),
      NO_BEATS("x0,0"),
      NO_BEATS("0x,0"),
      NO_BEATS("1 0,0"),
      NO_BEATS("0,1 0"),
      NO_BEATS("1_000,0"),
      NO_BEATS("10'000,0"),
      NO_BEATS("'0,0'"),
      NO_BEATS("(0,0)"),
      NO_BEATS("never,never"),
      NO_BEATS("NaN,0"),
      NO_BEATS("inf,0"),
      NO_BEATS("3600001,0"),
      NO_BEATS("0,3600001"),
      NO_BEATS("2147483648,0"),
      NO_BEATS("4294967295,0"),
      NO_BEATS("4294967296,0"),
      NO_BEATS("0,4294967296"),
      NO_BEATS("4294977296,0"),
      NO_BEATS("9223372036854775808,0"),
      NO_BEATS("18446744073709551615,0"),
      NO_BEATS("18446744073709551616,0"),
      NO_BEATS("0,18446744073709551616"),
      NO_BEATS("18446744073709561616,0"),
      NO_BEATS("99999999999999999999999999999999999999,0"),
      NO_BEATS("\xd9\xa1,0"),
      NO_BEATS("\\n0,0"),
      NO_BEATS("0,0\\n"),
      NO_BEATS("0\\c0"),
      NO_BEATS("0\v,0"),
      NO_BEATS("0,0\f"),
      {"the first of two heart-beats counts, if it is bad",
       HEARTBEAT("x\nheart-beat:0,0"), PROTOCOL, BEATS, NULL},
      {"the first of two heart-beats counts, if it is well",
       HEARTBEAT("0,0\nheart-beat:x"), WELL, ANSWER("1.2"), NULL},
      {"a bad heart-beat in 1.0", "CONNECT\nheart-beat:x\n\n^", PROTOCOL, BEATS,
       NULL},
      {"a bad heart-beat in 1.1",
       "CONNECT\naccept-version:1.1\nheart-beat:1\n\n^", PROTOCOL, BEATS, NULL},
      {"a bad heart-beat, and a receipt", HEARTBEAT("x\nreceipt:r"), PROTOCOL,
       BEATS, "r"},
      {"a bad heart-beat and no version: the version is said",
       "CONNECT\naccept-version:9\nheart-beat:x\n\n^", PROTOCOL, VERSION_,
       NULL},
      {"Heart-Beat is another header",
       "CONNECT\naccept-version:1.2\nHeart-Beat:x\n\n^", WELL, ANSWER("1.2"),
       NULL},
      BEAT("0,0"),
      BEAT("00,00"),
      BEAT(" 0 , 0 "),
      BEAT("\t0\t,\t0\t"),
      BEAT("1,0"),
      BEAT("0,1"),
      BEAT("3600000,3600000"),
      BEAT("0003600000,0"),
  };

  STOMP_PLAY(NULL, NULL, vectors);
}

/* ---- the frame of CONNECT ---- */

#define CONNECT12 "CONNECT\naccept-version:1.2\n"

static void frames(void) {
  static const struct stomp vectors[] = {
      {"CONNECT with a header without a colon", CONNECT12 "login\n\n^",
       PROTOCOL, COLON, NULL},
      {"CONNECT with a header without a name", CONNECT12 ":x\n\n^", PROTOCOL,
       NAME, NULL},
      {"CONNECT with a colon alone", CONNECT12 ":\n\n^", PROTOCOL, NAME, NULL},
      {"CONNECT with a NUL in a name", CONNECT12 "lo^gin:x\n\n^", PROTOCOL, NUL,
       NULL},
      {"CONNECT with a NUL in a value", CONNECT12 "login:a^b\n\n^", PROTOCOL,
       NUL, NULL},
      {"CONNECT with a NUL for its blank line", CONNECT12 "login:a\n^",
       PROTOCOL, NUL, NULL},
      {"CONNECT with a CR in a name", CONNECT12 "lo\rgin:x\n\n^", PROTOCOL, CR,
       NULL},
      {"CONNECT with a CR in a value", CONNECT12 "login:a\rb\n\n^", PROTOCOL,
       CR, NULL},
      {"CONNECT with CR CR LF", CONNECT12 "login:a\r\r\n\n^", PROTOCOL, CR,
       NULL},
      {"CONNECT of 1.0 with a CR in a value", "CONNECT\nlogin:a\rb\n\n^",
       PROTOCOL, CR, NULL},
      {"CONNECT with a body", CONNECT12 "\nbody^", PROTOCOL, BODY, NULL},
      {"CONNECT with a body that is counted",
       CONNECT12 "content-length:4\n\nbody^", PROTOCOL, BODY, NULL},
      {"CONNECT with a body of one CR", CONNECT12 "\n\r^", PROTOCOL, BODY,
       NULL},
      {"CONNECT with a body of one LF", CONNECT12 "\n\n^", PROTOCOL, BODY,
       NULL},
      {"CONNECT of 1.0 with a body", "CONNECT\n\nbody^", PROTOCOL, BODY, NULL},
      {"CONNECT with a length that is no number",
       CONNECT12 "content-length:x\n\n^", PROTOCOL, LENGTH, NULL},
      {"CONNECT with a length of -1", CONNECT12 "content-length:-1\n\n^",
       PROTOCOL, LENGTH, NULL},
      {"CONNECT with an empty length", CONNECT12 "content-length:\n\n^",
       PROTOCOL, LENGTH, NULL},
      {"CONNECT with a length over its limit",
       CONNECT12 "content-length:16385\n\n", SIZE,
       "frame over max_preauth_frame", NULL},
      {"CONNECT with a length of 2^32",
       CONNECT12 "content-length:4294967296\n\n", SIZE,
       "frame over max_preauth_frame", NULL},
      {"CONNECT with a length of 2^64",
       CONNECT12 "content-length:18446744073709551616\n\n", SIZE,
       "frame over max_preauth_frame", NULL},
      {"CONNECT with no NUL behind a length of 0",
       CONNECT12 "content-length:0\n\nx", PROTOCOL, "no NUL behind the body",
       NULL},
      {"CONNECT with two lengths",
       CONNECT12 "content-length:0\ncontent-length:1\n\n^", PROTOCOL, REPEATED,
       NULL},
      {"CONNECT with two receipts", CONNECT12 "receipt:a\nreceipt:b\n\n^",
       PROTOCOL, REPEATED, "a"},
      {"CONNECT with two destinations",
       CONNECT12 "destination:a\ndestination:b\n\n^", PROTOCOL, REPEATED, NULL},
      {"CONNECT with two ids", CONNECT12 "id:a\nid:b\n\n^", PROTOCOL, REPEATED,
       NULL},
      {"CONNECT with two transactions",
       CONNECT12 "transaction:a\ntransaction:b\n\n^", PROTOCOL, REPEATED, NULL},
      {"CONNECT with a receipt gets none", CONNECT12 "receipt:r\n\n^", WELL,
       ANSWER("1.2"), NULL},
      {"CONNECT has no escapes", CONNECT12 "login:a\\tb\\\npasscode:\\\n\n^",
       WELL, ANSWER("1.2"), NULL},
      {"CONNECT with an empty value", CONNECT12 "login:\n\n^", WELL,
       ANSWER("1.2"), NULL},
      {"CONNECT with a length of 0", CONNECT12 "content-length:0\n\n^", WELL,
       ANSWER("1.2"), NULL},
      {"CONNECT with a host that nobody has", CONNECT12 "host:evil\n\n^", WELL,
       ANSWER("1.2"), NULL},
      {"CONNECT with CRLFs",
       "CONNECT\r\naccept-version:1.2\r\nlogin:a\r\n\r\n^", WELL, ANSWER("1.2"),
       NULL},
      {"CONNECT whose blank line is missing", CONNECT12, WELL, "", NULL},
      {"CONNECT whose NUL is missing", CONNECT12 "\n", WELL, "", NULL},
  };

  STOMP_PLAY(NULL, NULL, vectors);
}

/* ---- once more ---- */

static void second_connects(void) {
  static const struct stomp vectors[] = {
      {"CONNECT again", "CONNECT\n\n^", PROTOCOL, CONNECTED, NULL},
      {"CONNECT again with a receipt", "CONNECT\nreceipt:r\n\n^", PROTOCOL,
       CONNECTED, "r"},
      {"CONNECT again as another", "CONNECT\nlogin:admin\n\n^", PROTOCOL,
       CONNECTED, NULL},
      {"STOMP behind CONNECT", "STOMP\naccept-version:1.2\n\n^", PROTOCOL,
       CONNECTED, NULL},
      {"CONNECT again with no version in common",
       "CONNECT\naccept-version:9\n\n^", PROTOCOL, CONNECTED, NULL},
      {"CONNECT again with a bad heart-beat", "CONNECT\nheart-beat:x\n\n^",
       PROTOCOL, CONNECTED, NULL},
  };

  STOMP_PLAY("1.0", NULL, vectors);
  STOMP_PLAY("1.1", NULL, vectors);
  STOMP_PLAY("1.2", NULL, vectors);
}

/* ---- refused by the host ---- */

static enum sbk_verdict on_frame(sbk_call *call, void *arg) {
  const sbk_message *msg = sbk_call_message(call);
  const char *passcode = sbk_message_header(msg, "passcode");

  (void)arg;
  if (sbk_message_command(msg) != SBK_CONNECT || passcode == NULL) {
    return SBK_PASS;
  }
  if (strcmp(passcode, "wait") == 0) {
    return SBK_WAIT;
  }
  if (strcmp(passcode, "text") == 0) {
    sbk_call_set_error(call, "bad\npasscode: \\ no");
  }

  return strcmp(passcode, "drop") == 0     ? SBK_DROP
         : strcmp(passcode, "refuse") == 0 ? SBK_REFUSE
         : strcmp(passcode, "well") == 0   ? SBK_PASS
                                           : SBK_REJECT;
}

static void add_login(sbk_broker *broker) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  endpoint.path = "/ws";
  if (sbk_broker_add_endpoint(broker, &endpoint) != 0 ||
      sbk_broker_add_interceptor(broker, SBK_INBOUND, 0, on_frame, NULL) != 0) {
    printf("Bail out! no interceptor\n");
  }
}

#define EVIL "SEND\ndestination:/topic/evil\n\nevil^"

static void refusals(void) {
  static const struct stomp vectors[] = {
      {"CONNECT that is rejected", CONNECT12 "passcode:no\n\n^" EVIL, DENIED,
       "refused", NULL},
      {"CONNECT that is dropped", CONNECT12 "passcode:drop\n\n^" EVIL, DENIED,
       "refused", NULL},
      {"CONNECT that is refused", CONNECT12 "passcode:refuse\n\n^" EVIL, DENIED,
       "refused", NULL},
      {"CONNECT that is rejected, with a receipt",
       CONNECT12 "passcode:no\nreceipt:r\n\n^" EVIL, DENIED, "refused", "r"},
      {"CONNECT that is well", CONNECT12 "passcode:well\n\n^", WELL,
       ANSWER("1.2"), NULL},
  };

  STOMP_PLAY(NULL, NULL, vectors);
}

int main(void) {
  struct bad_setup setup;

  bad_init(&setup);
  bad_open(&setup);
  something_else_first();
  versions();
  heart_beats();
  frames();
  second_connects();
  setup.add = add_login;
  bad_open(&setup);
  refusals();

  return bad_done();
}
