#include "bad.h"

#include <stdlib.h>

/*
 * Requests (RFC 9112, RFC 9110, RFC 6455 chapter 4, BEHAVIOUR 1): what is
 * refused, with which status, and beside it what looks like it and is well.
 */

#define LINE       "GET /ws HTTP/1.1\r\n"
#define HOST       "Host: h.example\r\n"
#define UPGRADE    "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define VERSION    "Sec-WebSocket-Version: 13\r\n"
#define KEY        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define ASKS       UPGRADE CONNECTION VERSION KEY

/* RFC 6455, 1.3 has this key, and what accepts it. */
static const char switched[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static const char *reason(int status) {
  static const struct {
    int status;
    const char *reason;
  } reasons[] = {{400, "Bad Request"},        {403, "Forbidden"},
                 {404, "Not Found"},          {405, "Method Not Allowed"},
                 {411, "Length Required"},    {413, "Content Too Large"},
                 {417, "Expectation Failed"}, {426, "Upgrade Required"}};
  size_t i;

  for (i = 0; reasons[i].status != status; i++) {
  }

  return reasons[i].reason;
}

/* allow: of a 405. bare: to a HEAD. */
static const char *refusal(int status, const char *allow, bool bare) {
  static char text[512];
  const char *fields = "";
  char line[80];

  if (status == 405) {
    snprintf(line, sizeof(line), "Allow: %s\r\n", allow);
    fields = line;
  } else if (status == 426) {
    fields = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
  }
  snprintf(text, sizeof(text),
           "HTTP/1.1 %d %s\r\n%sContent-Type: text/plain\r\n"
           "Content-Length: %zu\r\nConnection: close%s\r\n\r\n%s%s",
           status, reason(status), fields, strlen(reason(status)) + 1,
           status == 426 ? ", Upgrade" : "", bare ? "" : reason(status),
           bare ? "" : "\n");

  return text;
}

static void play_bytes(const char *name, const void *bytes, size_t len,
                       int status, const char *out) {
  const struct bad_vector v = {.name = name,
                               .way = BAD_HTTP,
                               .bytes = bytes,
                               .len = len,
                               .out = out,
                               .reason = status >= 400 ? SBK_ERR_HTTP : 0,
                               .end = status >= 400 ? LINGERS : GOES_ON};

  bad_play(&v);
}

/* A request and the status that it gets; 101 is let in. */
struct request {
  const char *name;
  const char *text;
  int status;
};

static void play_text(const char *name, const char *text, int status) {
  const bool head = strncmp(text, "HEAD ", 5) == 0;

  play_bytes(name, text, strlen(text), status,
             status == 101 ? switched : refusal(status, "GET", head));
}

static void play_requests(const struct request *requests, size_t count) {
  size_t i;

  for (i = 0; i < count; i++) {
    play_text(requests[i].name, requests[i].text, requests[i].status);
  }
}

#define PLAY(requests)                                                         \
  play_requests(requests, sizeof(requests) / sizeof((requests)[0]))

/* ---- bytes where they do not belong ---- */

/* One byte between two texts. */
static void play_between(const char *what, uint8_t byte, const char *where,
                         const char *front, const char *rear, int status) {
  char name[120], text[512];
  size_t len = strlen(front);

  memcpy(text, front, len);
  text[len++] = (char)byte;
  memcpy(text + len, rear, strlen(rear));
  len += strlen(rear);
  snprintf(name, sizeof(name), "http: %s 0x%02x %s", what, byte, where);
  play_bytes(name, text, len, status,
             status == 101 ? switched : refusal(status, "GET", false));
}

static const struct place {
  const char *where;
  const char *front;
  const char *rear;
  bool name;  /* a token stands there */
  bool value; /* text of a field does */
} places[] = {
    {"before the method", "", LINE HOST ASKS "\r\n", false, false},
    {"in the method", "GE", "T /ws HTTP/1.1\r\n" HOST ASKS "\r\n", true, false},
    {"in the path", "GET /w", "s HTTP/1.1\r\n" HOST ASKS "\r\n", false, false},
    {"in the query", "GET /ws?a=", "b HTTP/1.1\r\n" HOST ASKS "\r\n", false,
     false},
    {"in the version", "GET /ws HTTP/1", ".1\r\n" HOST ASKS "\r\n", false,
     false},
    {"in the name of a field", LINE HOST ASKS "X", "Y: z\r\n\r\n", true, false},
    {"between a name and its colon", LINE HOST ASKS "X", ": z\r\n\r\n", false,
     false},
    {"in the value of a field", LINE HOST ASKS "X: a", "b\r\n\r\n", false,
     true},
    {"between CR and LF", LINE HOST ASKS "X: a\r", "\nY: z\r\n\r\n", false,
     false},
};

/* RFC 9110, 5.5 and 5.6.2, RFC 9112, 2.2: nowhere, but for a tab in a value.
 * A NUL, a CR or an LF is no other than any of them. */
static void control_bytes(void) {
  size_t i;
  int c;

  for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
    for (c = 0; c <= 0x7f; c = c == 0x1f ? 0x7f : c + 1) {
      play_between("control byte", (uint8_t)c, places[i].where, places[i].front,
                   places[i].rear, places[i].value && c == '\t' ? 101 : 400);
    }
  }
}

/* RFC 9110, 5.6.2: what is no part of a token. A colon ends a name. */
static void delimiters(void) {
  static const char delimiters[] = "\"(),/:;<=>?@[\\]{} ";
  const char *p;
  size_t i;

  for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
    for (p = delimiters; places[i].name && *p != '\0'; p++) {
      const bool well =
          *p == ':' && places[i].front[0] == 'G' && strlen(places[i].front) > 2;

      play_between("delimiter", (uint8_t)*p, places[i].where, places[i].front,
                   places[i].rear, well ? 101 : 400);
    }
  }
}

/* What is not ASCII is text of a field's value, and nothing else. */
static void high_bytes(void) {
  static const uint8_t bytes[] = {0x80, 0xa0, 0xc3, 0xff};
  size_t i, j;

  for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
    for (j = 0; j < sizeof(bytes); j++) {
      play_between("high byte", bytes[j], places[i].where, places[i].front,
                   places[i].rear, places[i].value ? 101 : 400);
    }
  }
}

/* ---- the request line ---- */

#define RL(line) line "\r\n" HOST ASKS "\r\n"

static void request_lines(void) {
  static const struct request requests[] = {
      {"http line: empty", RL(""), 400},
      {"http line: two empty ones in front", "\r\n" RL("\r\nGET /ws HTTP/1.1"),
       400},
      {"http line: a method alone", RL("GET"), 400},
      {"http line: a method and a blank", RL("GET "), 400},
      {"http line: of HTTP/0.9", RL("GET /ws"), 400},
      {"http line: of HTTP/0.9 with a blank", RL("GET /ws "), 400},
      {"http line: no method", RL("/ws HTTP/1.1"), 400},
      {"http line: a blank in front", RL(" GET /ws HTTP/1.1"), 400},
      {"http line: two blanks behind the method", RL("GET  /ws HTTP/1.1"), 400},
      {"http line: two blanks before the version", RL("GET /ws  HTTP/1.1"),
       400},
      {"http line: a blank at the end", RL("GET /ws HTTP/1.1 "), 400},
      {"http line: a tab for a blank", RL("GET\t/ws HTTP/1.1"), 400},
      {"http line: a tab before the version", RL("GET /ws\tHTTP/1.1"), 400},
      {"http line: a blank in the path", RL("GET /w s HTTP/1.1"), 400},
      {"http line: a blank in the query", RL("GET /ws?a b HTTP/1.1"), 400},
      {"http line: a word behind the version", RL("GET /ws HTTP/1.1 x"), 400},
      {"http line: no slash in front of the path", RL("GET ws HTTP/1.1"), 400},
      {"http line: no path", RL("GET  HTTP/1.1"), 400},
      {"http line: a query alone", RL("GET ?a=b HTTP/1.1"), 400},
      {"http line: a fragment", RL("GET /ws#x HTTP/1.1"), 400},
      {"http line: a fragment behind a query", RL("GET /ws?a#x HTTP/1.1"), 400},
      {"http line: an asterisk", RL("OPTIONS * HTTP/1.1"), 400},
      {"http line: an asterisk to GET", RL("GET * HTTP/1.1"), 400},
      {"http line: an authority", RL("CONNECT h.example:80 HTTP/1.1"), 400},
      {"http line: an absolute form", RL("GET http://h.example/ws HTTP/1.1"),
       400},
      {"http line: an absolute form of ws",
       RL("GET ws://h.example/ws HTTP/1.1"), 400},
      {"http line: a backslash for a slash", RL("GET \\ws HTTP/1.1"), 400},
      {"http line: an escaped slash", RL("GET %2fws HTTP/1.1"), 400},
      {"http line: a method in front of a colon", RL("GET: /ws HTTP/1.1"), 400},
      {"http line: HTTP/1.0", RL("GET /ws HTTP/1.0"), 400},
      {"http line: HTTP/1.2", RL("GET /ws HTTP/1.2"), 400},
      {"http line: HTTP/0.9 by name", RL("GET /ws HTTP/0.9"), 400},
      {"http line: HTTP/2", RL("GET /ws HTTP/2"), 400},
      {"http line: HTTP/2.0", RL("GET /ws HTTP/2.0"), 400},
      {"http line: HTTP/1", RL("GET /ws HTTP/1"), 400},
      {"http line: HTTP/1.", RL("GET /ws HTTP/1."), 400},
      {"http line: HTTP/11", RL("GET /ws HTTP/11"), 400},
      {"http line: HTTP/1.10", RL("GET /ws HTTP/1.10"), 400},
      {"http line: HTTP/1.01", RL("GET /ws HTTP/1.01"), 400},
      {"http line: HTTP/01.1", RL("GET /ws HTTP/01.1"), 400},
      {"http line: HTTP/1,1", RL("GET /ws HTTP/1,1"), 400},
      {"http line: HTTP/1.1.1", RL("GET /ws HTTP/1.1.1"), 400},
      {"http line: HTTP-1.1", RL("GET /ws HTTP-1.1"), 400},
      {"http line: HTTP 1.1", RL("GET /ws HTTP 1.1"), 400},
      {"http line: HTTP/ 1.1", RL("GET /ws HTTP/ 1.1"), 400},
      {"http line: http/1.1 in small letters", RL("GET /ws http/1.1"), 400},
      {"http line: HTTPS/1.1", RL("GET /ws HTTPS/1.1"), 400},
      {"http line: HTP/1.1", RL("GET /ws HTP/1.1"), 400},
      {"http line: the version of ICY", RL("GET /ws ICY/1.1"), 400},
      {"http line: an answer's", RL("HTTP/1.1 200 OK"), 400},
      {"http line: HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"http line: a query of any characters is well",
       RL("GET /ws?a=|{}^`\"<>\\%zz&& HTTP/1.1"), 101},
      {"http line: an empty query is well", RL("GET /ws? HTTP/1.1"), 101},
      {"http line: two question marks are well", RL("GET /ws?? HTTP/1.1"), 101},
  };

  PLAY(requests);
}

/* A TLS greeting and the like, which have a NUL early. */
static void other_protocols(void) {
  static const char tls[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
  static const char socks5[] = "\x05\x01\x00";
  static const char proxy2[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c";
  static const char stomp[] = "CONNECT\naccept-version:1.2\n\n\0";
  static const char frame[] = "\x81\x85\0\0\0\0hello";

  play_bytes("http: a greeting of TLS", tls, sizeof(tls) - 1, 400,
             refusal(400, NULL, false));
  play_bytes("http: SOCKS 5", socks5, sizeof(socks5) - 1, 400,
             refusal(400, NULL, false));
  play_bytes("http: version 2 of the PROXY protocol", proxy2,
             sizeof(proxy2) - 1, 400, refusal(400, NULL, false));
  play_text("http: version 1 of the PROXY protocol",
            "PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\n" LINE HOST ASKS "\r\n",
            400);
  play_bytes("http: a frame of STOMP", stomp, sizeof(stomp) - 1, 400,
             refusal(400, NULL, false));
  play_bytes("http: a frame of WebSocket", frame, sizeof(frame) - 1, 400,
             refusal(400, NULL, false));
  play_text("http: a greeting of SMTP", "EHLO h.example\r\n", 400);
}

/* ---- methods and paths ---- */

#define METHOD(method) method " /ws HTTP/1.1\r\n" HOST ASKS "\r\n"
#define PATH(path)     "GET " path " HTTP/1.1\r\n" HOST ASKS "\r\n"

static void methods_and_paths(void) {
  static const struct request requests[] = {
      {"http method: POST", METHOD("POST"), 405},
      {"http method: PUT", METHOD("PUT"), 405},
      {"http method: DELETE", METHOD("DELETE"), 405},
      {"http method: PATCH", METHOD("PATCH"), 405},
      {"http method: OPTIONS", METHOD("OPTIONS"), 405},
      {"http method: TRACE", METHOD("TRACE"), 405},
      {"http method: CONNECT", METHOD("CONNECT"), 405},
      {"http method: HEAD has no body", METHOD("HEAD"), 405},
      {"http method: get in small letters", METHOD("get"), 405},
      {"http method: Get", METHOD("Get"), 405},
      {"http method: GE", METHOD("GE"), 405},
      {"http method: GETT", METHOD("GETT"), 405},
      {"http method: unheard of", METHOD("X-!#$%&'*+.^_`|~09"), 405},
      {"http method: POST with a body",
       "POST /ws HTTP/1.1\r\n" HOST ASKS "Content-Length: 2\r\n\r\nhi", 405},
      {"http path: another", PATH("/other"), 404},
      {"http path: the root", PATH("/"), 404},
      {"http path: a part of it", PATH("/w"), 404},
      {"http path: more behind it", PATH("/wsx"), 404},
      {"http path: a slash behind it", PATH("/ws/"), 404},
      {"http path: a segment behind it", PATH("/ws/x"), 404},
      {"http path: two slashes", PATH("//ws"), 404},
      {"http path: a dot segment", PATH("/./ws"), 404},
      {"http path: two dots", PATH("/x/../ws"), 404},
      {"http path: great letters", PATH("/WS"), 404},
      {"http path: escaped", PATH("/%77s"), 404},
      {"http path: an escaped NUL behind it", PATH("/ws%00"), 404},
      {"http path: an escaped question mark", PATH("/ws%3fa"), 404},
      {"http path: a semicolon", PATH("/ws;a=b"), 404},
      {"http path: a backslash", PATH("/\\ws"), 404},
      {"http path: of SockJS, which is not there", PATH("/ws/info"), 404},
      {"http path: of a SockJS session, which is not there",
       PATH("/ws/000/abc/websocket"), 404},
  };

  PLAY(requests);
}

/* ---- Host ---- */

#define WITH_HOST(host) LINE host ASKS "\r\n"

static void hosts(void) {
  static const struct request requests[] = {
      {"http host: none", WITH_HOST(""), 400},
      {"http host: two that are equal", WITH_HOST(HOST HOST), 400},
      {"http host: two that differ", WITH_HOST(HOST "Host: evil\r\n"), 400},
      {"http host: two in different letters",
       WITH_HOST(HOST "hOST: h.example\r\n"), 400},
      {"http host: empty", WITH_HOST("Host:\r\n"), 400},
      {"http host: blanks alone", WITH_HOST("Host: \t \r\n"), 400},
      {"http host: a blank in it", WITH_HOST("Host: h.example evil\r\n"), 400},
      {"http host: a tab in it", WITH_HOST("Host: h.example\tevil\r\n"), 400},
      {"http host: a path behind it", WITH_HOST("Host: h.example/x\r\n"), 400},
      {"http host: a user before it", WITH_HOST("Host: u@h.example\r\n"), 400},
      {"http host: a scheme before it", WITH_HOST("Host: http://h\r\n"), 400},
      {"http host: a query behind it", WITH_HOST("Host: h?x\r\n"), 400},
      {"http host: a fragment behind it", WITH_HOST("Host: h#x\r\n"), 400},
      {"http host: a backslash", WITH_HOST("Host: h\\x\r\n"), 400},
      {"http host: quotes", WITH_HOST("Host: \"h.example\"\r\n"), 400},
      {"http host: angle brackets", WITH_HOST("Host: <h>\r\n"), 400},
      {"http host: braces", WITH_HOST("Host: {h}\r\n"), 400},
      {"http host: a caret", WITH_HOST("Host: h^x\r\n"), 400},
      {"http host: a bar", WITH_HOST("Host: h|x\r\n"), 400},
      {"http host: a grave accent", WITH_HOST("Host: h`x\r\n"), 400},
      {"http host: not ASCII", WITH_HOST("Host: h\xc3\xa9\r\n"), 400},
      {"http host: folded", WITH_HOST("Host:\r\n h.example\r\n"), 400},
      {"http host: a blank before the colon", WITH_HOST("Host : h\r\n"), 400},
      {"http host: a blank before the name", WITH_HOST(" Host: h\r\n"), 400},
      {"http host: a blank within the name", WITH_HOST("Ho st: h\r\n"), 400},
      {"http host: under another name", WITH_HOST("X-Host: h\r\n"), 400},
      {"http host: a port is well", WITH_HOST("Host: h.example:81\r\n"), 101},
      {"http host: IPv6 is well", WITH_HOST("Host: [2001:db8::1]:81\r\n"), 101},
      {"http host: blanks around it are well",
       WITH_HOST("Host:  \th.example \t\r\n"), 101},
  };

  PLAY(requests);
}

/* ---- lines of fields ---- */

#define FIELD(line) LINE HOST ASKS line "\r\n\r\n"

static void fields(void) {
  static const struct request requests[] = {
      {"http field: no colon", FIELD("X"), 400},
      {"http field: no name", FIELD(": x"), 400},
      {"http field: a blank for a name", FIELD(" : x"), 400},
      {"http field: folded with a blank", FIELD("X: a\r\n b"), 400},
      {"http field: folded with a tab", FIELD("X: a\r\n\tb"), 400},
      {"http field: a blank line that is folded", FIELD("X: a\r\n "), 400},
      {"http field: folded into the first", LINE " x\r\n" HOST ASKS "\r\n",
       400},
      {"http field: two blanks before the colon", FIELD("X  : a"), 400},
      {"http field: a blank within the name", FIELD("X Y: a"), 400},
      {"http field: an ESC sequence", FIELD("X: \x1b[31m"), 400},
      {"http field: LF for the end of a line", FIELD("X: a\nY: b"), 400},
      {"http field: CR for the end of a line", FIELD("X: a\rY: b"), 400},
      {"http field: LF CR", FIELD("X: a\n\rY: b"), 400},
      {"http field: LF LF for the end of the head", LINE HOST ASKS "X: a\n\n",
       400},
      {"http field: LF for the blank line", LINE HOST ASKS "\n", 400},
      {"http field: CR CR LF", FIELD("X: a\r\r"), 400},
      {"http field: a bare CR for the blank line", LINE HOST ASKS "\rx", 400},
      {"http field: LF behind the request line",
       "GET /ws HTTP/1.1\n" HOST ASKS "\r\n", 400},
      {"http field: a request line for one", FIELD("GET /ws HTTP/1.1"), 400},
      {"http field: quotes need not be closed", FIELD("X: \"a"), 101},
      {"http field: an empty value is well", FIELD("X:"), 101},
      {"http field: a value of colons is well", FIELD("X:::::"), 101},
      {"http field: a name of all tokens is well", FIELD("!#$%&'*+-.^_`|~9: a"),
       101},
      {"http field: two of another name are well", FIELD("X: a\r\nX: b"), 101},
  };

  PLAY(requests);
}

/* ---- what asks for a WebSocket ---- */

#define UP(text)  LINE HOST text CONNECTION VERSION KEY "\r\n"
#define CO(text)  LINE HOST UPGRADE text VERSION KEY "\r\n"
#define VE(text)  LINE HOST UPGRADE CONNECTION text KEY "\r\n"
#define KY(text)  LINE HOST UPGRADE CONNECTION VERSION text "\r\n"
#define KEY_(key) KY("Sec-WebSocket-Key: " key "\r\n")

static void upgrades(void) {
  static const struct request requests[] = {
      {"http upgrade: none", UP(""), 400},
      {"http upgrade: empty", UP("Upgrade:\r\n"), 400},
      {"http upgrade: to something else", UP("Upgrade: h2c\r\n"), 400},
      {"http upgrade: web-socket", UP("Upgrade: web-socket\r\n"), 400},
      {"http upgrade: more behind it", UP("Upgrade: websockets\r\n"), 400},
      {"http upgrade: less of it", UP("Upgrade: websocke\r\n"), 400},
      {"http upgrade: with a version", UP("Upgrade: websocket/13\r\n"), 400},
      {"http upgrade: in quotes", UP("Upgrade: \"websocket\"\r\n"), 400},
      {"http upgrade: a list with blanks", UP("Upgrade: h2c websocket\r\n"),
       400},
      {"http upgrade: a list with semicolons", UP("Upgrade: a;websocket\r\n"),
       400},
      {"http upgrade: twice", UP(UPGRADE UPGRADE), 400},
      {"http upgrade: twice, of two", UP(UPGRADE "upgrade: h2c\r\n"), 400},
      {"http upgrade: great letters are well", UP("Upgrade: WebSocket\r\n"),
       101},
      {"http upgrade: a list is well", UP("Upgrade: h2c, websocket\r\n"), 101},
      {"http connection: none", CO(""), 400},
      {"http connection: empty", CO("Connection:\r\n"), 400},
      {"http connection: keep-alive", CO("Connection: keep-alive\r\n"), 400},
      {"http connection: close", CO("Connection: close\r\n"), 400},
      {"http connection: more behind it", CO("Connection: Upgraded\r\n"), 400},
      {"http connection: less of it", CO("Connection: Upgrad\r\n"), 400},
      {"http connection: blanks for commas",
       CO("Connection: keep-alive Upgrade\r\n"), 400},
      {"http connection: in quotes", CO("Connection: \"Upgrade\"\r\n"), 400},
      {"http connection: a parameter", CO("Connection: Upgrade;q=1\r\n"), 400},
      {"http connection: a list is well",
       CO("Connection: keep-alive,\t UPGRADE ,x\r\n"), 101},
      {"http connection: two lines are well",
       CO("Connection: keep-alive\r\nConnection: upgrade\r\n"), 101},
      {"http connection: empty members are well",
       CO("Connection: ,, Upgrade,\r\n"), 101},
      {"http version: none", VE(""), 426},
      {"http version: empty", VE("Sec-WebSocket-Version:\r\n"), 426},
      {"http version: 12", VE("Sec-WebSocket-Version: 12\r\n"), 426},
      {"http version: 14", VE("Sec-WebSocket-Version: 14\r\n"), 426},
      {"http version: 8", VE("Sec-WebSocket-Version: 8\r\n"), 426},
      {"http version: 0", VE("Sec-WebSocket-Version: 0\r\n"), 426},
      {"http version: 013", VE("Sec-WebSocket-Version: 013\r\n"), 426},
      {"http version: +13", VE("Sec-WebSocket-Version: +13\r\n"), 426},
      {"http version: 13.0", VE("Sec-WebSocket-Version: 13.0\r\n"), 426},
      {"http version: 0x0d", VE("Sec-WebSocket-Version: 0x0d\r\n"), 426},
      {"http version: a word", VE("Sec-WebSocket-Version: thirteen\r\n"), 426},
      {"http version: a list", VE("Sec-WebSocket-Version: 13, 8\r\n"), 426},
      {"http version: 130", VE("Sec-WebSocket-Version: 130\r\n"), 426},
      {"http version: twice the same", VE(VERSION VERSION), 400},
      {"http version: twice, of two",
       VE(VERSION "sec-websocket-version: 8\r\n"), 400},
      {"http key: none", KY(""), 400},
      {"http key: empty", KEY_(""), 400},
      {"http key: a list of two", KEY_("dGhlIHNhbXBsZSBub25jZQ==, x"), 400},
      {"http key: twice the same", KY(KEY KEY), 400},
      {"http key: twice, of two",
       KY(KEY "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"), 400},
      {"http key: of 15 bytes", KEY_("dGhlIHNhbXBsZSBub25j"), 400},
      {"http key: of 17 bytes", KEY_("dGhlIHNhbXBsZSBub25jZWE="), 400},
      {"http key: of 18 bytes", KEY_("dGhlIHNhbXBsZSBub25jZWFi"), 400},
      {"http key: of 16 bytes without padding", KEY_("dGhlIHNhbXBsZSBub25jZQ"),
       400},
      {"http key: with one =", KEY_("dGhlIHNhbXBsZSBub25jZQ="), 400},
      {"http key: with three =", KEY_("dGhlIHNhbXBsZSBub25jZQ==="), 400},
      {"http key: = in the middle", KEY_("dGhlIHNhbX==ZSBub25jZQ=="), 400},
      {"http key: = in front", KEY_("==GhlIHNhbXBsZSBub25jZQ="), 400},
      {"http key: base64 of URLs", KEY_("dGhlIHNhbXBsZSBub25j_Q=="), 400},
      {"http key: with a minus", KEY_("dGhlIHNhbXBsZSBub25j-Q=="), 400},
      {"http key: with a blank", KEY_("dGhlIHNhbXBs SBub25jZQ=="), 400},
      {"http key: with a tab", KEY_("dGhlIHNhbXBs\tSBub25jZQ=="), 400},
      {"http key: in quotes", KEY_("\"dGhlIHNhbXBsZSBub25jZQ==\""), 400},
      {"http key: with a star", KEY_("dGhlIHNhbXBs*SBub25jZQ=="), 400},
      {"http key: not ASCII", KEY_("dGhlIHNhbXBs\xc3\xa9 ub25jZQ=="), 400},
      {"http key: 24 =", KEY_("========================"), 400},
      {"http key: of 24 bytes", KEY_("dGhlIHNhbXBsZSBub25jZWFiY2RlZmdo"), 400},
      {"http key: a plain word", KEY_("key"), 400},
      {"http key: hexadecimal", KEY_("000102030405060708090a0b0c0d0e0f"), 400},
      {"http key: of version 76",
       KY("Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n"
          "Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n"),
       400},
      {"http key: blanks around it are well",
       KEY_("\t dGhlIHNhbXBsZSBub25jZQ== "), 101},
      {"http: nothing that asks for a WebSocket", LINE HOST "\r\n", 400},
      {"http: an event stream is asked for",
       LINE HOST "Accept: text/event-stream\r\n\r\n", 400},
      {"http: HTTP/2 in clear text",
       LINE HOST "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                 "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
       400},
      {"http: a sub-protocol that nobody knows is not echoed",
       FIELD(
           "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: v9.stomp"),
       101},
      {"http: an extension that is not had is not echoed",
       FIELD("Sec-WebSocket-Extensions: permessage-deflate; x, x-y"), 101},
      {"http: a broken list of extensions is not read",
       FIELD("Sec-WebSocket-Extensions: ;;,=\",,"), 101},
      {"http: a broken list of sub-protocols names none",
       FIELD("Sec-WebSocket-Protocol: v12.stomp;v11.stomp v10.stomp"), 101},
  };

  PLAY(requests);
}

/* RFC 9112, 6 and 11.2: a body where none is can be another's request. */
static void smuggling(void) {
  static const struct request requests[] = {
      {"http body: Content-Length: 0", FIELD("Content-Length: 0"), 400},
      {"http body: Content-Length: 5", FIELD("Content-Length: 5"), 400},
      {"http body: Content-Length: -1", FIELD("Content-Length: -1"), 400},
      {"http body: Content-Length:", FIELD("Content-Length:"), 400},
      {"http body: Content-Length: +5", FIELD("Content-Length: +5"), 400},
      {"http body: Content-Length: 5, 5", FIELD("Content-Length: 5, 5"), 400},
      {"http body: Content-Length twice",
       FIELD("Content-Length: 5\r\nContent-Length: 5"), 400},
      {"http body: two lengths",
       FIELD("Content-Length: 5\r\nContent-Length: 0"), 400},
      {"http body: a length of 2^64",
       FIELD("Content-Length: 18446744073709551616"), 400},
      {"http body: chunked", FIELD("Transfer-Encoding: chunked"), 400},
      {"http body: identity", FIELD("Transfer-Encoding: identity"), 400},
      {"http body: Transfer-Encoding:", FIELD("Transfer-Encoding:"), 400},
      {"http body: gzip, chunked", FIELD("Transfer-Encoding: gzip, chunked"),
       400},
      {"http body: chunked in great letters",
       FIELD("TRANSFER-ENCODING: CHUNKED"), 400},
      {"http body: xchunked", FIELD("Transfer-Encoding: xchunked"), 400},
      {"http body: chunked with a tab", FIELD("Transfer-Encoding:\tchunked"),
       400},
      {"http body: a blank before the colon of Transfer-Encoding",
       FIELD("Transfer-Encoding : chunked"), 400},
      {"http body: Transfer-Encoding folded",
       FIELD("Transfer-Encoding:\r\n chunked"), 400},
      {"http body: Transfer-Encoding behind LF",
       FIELD("X: a\nTransfer-Encoding: chunked"), 400},
      {"http body: Transfer-Encoding behind CR",
       FIELD("X: a\rTransfer-Encoding: chunked"), 400},
      {"http body: chunked and a length",
       FIELD("Transfer-Encoding: chunked\r\nContent-Length: 5"), 400},
      {"http body: a length and chunked",
       FIELD("Content-Length: 5\r\nTransfer-Encoding: chunked"), 400},
      {"http body: a chunk with a request in it",
       FIELD("Transfer-Encoding: chunked") "0\r\n\r\n" LINE HOST ASKS "\r\n",
       400},
      {"http body: a request in a body",
       FIELD("Content-Length: 200") LINE HOST ASKS "\r\n", 400},
      {"http body: a trailer is announced and does not matter",
       FIELD("Trailer: X"), 101},
      {"http body: under a name that is like it",
       FIELD("Content_Length: 5\r\nTransfer_Encoding: chunked"), 101},
  };

  PLAY(requests);
}

/* ---- Origin ---- */

#define FROM(path, origin)                                                     \
  "GET " path " HTTP/1.1\r\n" HOST ASKS "Origin: " origin "\r\n\r\n"

static void origins(void) {
  static const struct request requests[] = {
      /* /ws lets in its own alone: http://h.example */
      {"http origin: its own is well", FROM("/ws", "http://h.example"), 101},
      {"http origin: its own port is well", FROM("/ws", "http://h.example:80"),
       101},
      {"http origin: great letters are well", FROM("/ws", "HTTP://H.EXAMPLE"),
       101},
      {"http origin: https", FROM("/ws", "https://h.example"), 403},
      {"http origin: ws", FROM("/ws", "ws://h.example"), 403},
      {"http origin: another port", FROM("/ws", "http://h.example:81"), 403},
      {"http origin: the port of https", FROM("/ws", "http://h.example:443"),
       403},
      {"http origin: another host", FROM("/ws", "http://evil.example"), 403},
      {"http origin: below its own", FROM("/ws", "http://a.h.example"), 403},
      {"http origin: above its own", FROM("/ws", "http://example"), 403},
      {"http origin: its own in front", FROM("/ws", "http://h.example.evil"),
       403},
      {"http origin: its own behind", FROM("/ws", "http://evilh.example"), 403},
      {"http origin: a dot behind it", FROM("/ws", "http://h.example."), 403},
      {"http origin: a slash behind it", FROM("/ws", "http://h.example/"), 403},
      {"http origin: a path behind it", FROM("/ws", "http://h.example/x"), 403},
      {"http origin: a query behind it", FROM("/ws", "http://h.example?x"),
       403},
      {"http origin: a user before it", FROM("/ws", "http://h.example@evil"),
       403},
      {"http origin: a password before it", FROM("/ws", "http://a:b@h.example"),
       403},
      {"http origin: no scheme", FROM("/ws", "h.example"), 403},
      {"http origin: no scheme but slashes", FROM("/ws", "//h.example"), 403},
      {"http origin: one slash", FROM("/ws", "http:/h.example"), 403},
      {"http origin: three slashes", FROM("/ws", "http:///h.example"), 403},
      {"http origin: a scheme alone", FROM("/ws", "http://"), 403},
      {"http origin: a scheme that begins with a digit",
       FROM("/ws", "1http://h.example"), 403},
      {"http origin: empty", FROM("/ws", ""), 403},
      {"http origin: null", FROM("/ws", "null"), 403},
      {"http origin: a star", FROM("/ws", "*"), 403},
      {"http origin: two in a list",
       FROM("/ws", "http://h.example, http://evil.example"), 403},
      {"http origin: two in a list of RFC 6454",
       FROM("/ws", "http://h.example http://evil.example"), 403},
      {"http origin: the first of two counts",
       FROM("/ws", "http://evil.example\r\nOrigin: http://h.example"), 403},
      {"http origin: port 0", FROM("/ws", "http://h.example:0"), 403},
      {"http origin: port 080", FROM("/ws", "http://h.example:080"), 101},
      {"http origin: port 65616, which is 80 in 16 bits",
       FROM("/ws", "http://h.example:65616"), 403},
      {"http origin: an empty port", FROM("/ws", "http://h.example:"), 403},
      {"http origin: a port with a sign", FROM("/ws", "http://h.example:+80"),
       403},
      {"http origin: a port that is a name",
       FROM("/ws", "http://h.example:http"), 403},
      {"http origin: two ports", FROM("/ws", "http://h.example:80:80"), 403},
      {"http origin: any port is a pattern of the host",
       FROM("/ws", "http://h.example:[*]"), 403},
      {"http origin: any label is a pattern of the host",
       FROM("/ws", "http://*.example"), 403},
      {"http origin: not ASCII", FROM("/ws", "http://h\xc3\xa9.example"), 403},
      {"http origin: escaped", FROM("/ws", "http://h%2eexample"), 403},
      {"http origin: a file", FROM("/ws", "file://"), 403},
      {"http origin: an extension of a browser",
       FROM("/ws", "chrome-extension://abcdefgh"), 403},
      {"http origin: a script", FROM("/ws", "javascript:alert(1)"), 403},
      {"http origin: none is no browser", PATH("/ws"), 101},
      /* /list: https://a.example, https://[*.]b.example, https://c.example:[*]
       */
      {"http origins: one of the list is well",
       FROM("/list", "https://a.example"), 101},
      {"http origins: its own is well besides",
       FROM("/list", "http://h.example"), 101},
      {"http origins: another scheme", FROM("/list", "http://a.example"), 403},
      {"http origins: another port", FROM("/list", "https://a.example:8443"),
       403},
      {"http origins: another host", FROM("/list", "https://d.example"), 403},
      {"http origins: below one", FROM("/list", "https://x.a.example"), 403},
      {"http origins: a label is well", FROM("/list", "https://x.b.example"),
       101},
      {"http origins: two labels are well",
       FROM("/list", "https://y.x.b.example"), 101},
      {"http origins: no label", FROM("/list", "https://b.example"), 403},
      {"http origins: a dot for a label", FROM("/list", "https://.b.example"),
       403},
      {"http origins: a part of a label", FROM("/list", "https://xb.example"),
       403},
      {"http origins: the pattern in front",
       FROM("/list", "https://x.b.example.evil"), 403},
      {"http origins: a label and a port",
       FROM("/list", "https://x.b.example:444"), 403},
      {"http origins: an empty label", FROM("/list", "https://x..b.example"),
       403},
      {"http origins: any port is well", FROM("/list", "https://c.example:1"),
       101},
      {"http origins: any port but no other scheme",
       FROM("/list", "http://c.example:1"), 403},
      {"http origins: any port but port 0",
       FROM("/list", "https://c.example:0"), 403},
      {"http origins: any port but 65536",
       FROM("/list", "https://c.example:65536"), 403},
      {"http origins: null is not listed", FROM("/list", "null"), 403},
      /* /must */
      {"http origin: has to be there", PATH("/must"), 403},
      {"http origin: has to be there, and is empty", FROM("/must", ""), 403},
      {"http origin: has to be there, and Referer is none",
       "GET /must HTTP/1.1\r\n" HOST ASKS "Referer: http://h.example/\r\n\r\n",
       403},
      {"http origin: has to be there, and is",
       FROM("/must", "http://h.example"), 101},
      /* /any */
      {"http origin: with a star any is well", FROM("/any", "http://evil"),
       101},
      {"http origin: with a star null is well", FROM("/any", "null"), 101},
      {"http origin: with a star it has to be one", FROM("/any", "x y"), 403},
      {"http origin: with a star it may not be empty", FROM("/any", ""), 403},
      /* /secure */
      {"http origin: behind TLS its own begins with https",
       FROM("/secure", "https://h.example"), 101},
      {"http origin: behind TLS http is another",
       FROM("/secure", "http://h.example"), 403},
      {"http origin: behind TLS port 80 is another",
       FROM("/secure", "https://h.example:80"), 403},
      /* What is wrong first is said first. */
      {"http origin: is looked at behind the key",
       LINE HOST UPGRADE CONNECTION VERSION "Origin: http://evil\r\n\r\n", 400},
      {"http origin: is looked at behind the version",
       LINE HOST UPGRADE CONNECTION KEY "Origin: http://evil\r\n\r\n", 426},
      {"http origin: of a path that is none", FROM("/x", "http://evil"), 404},
  };

  PLAY(requests);
}

/* ---- requests to the host ---- */

static void on_request(sbk_request *request, void *arg) {
  (void)arg;
  sbk_request_answer(request, 200, NULL, "hello", 5);
}

#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define TO(method, fields, body)                                               \
  method " /x HTTP/1.1\r\n" HOST fields "\r\n" body

static void play_host(const struct request *r) {
  const bool head = strncmp(r->text, "HEAD ", 5) == 0;

  play_bytes(
      r->name, r->text, strlen(r->text), r->status,
      r->status == 200
          ? (head ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" : ANSWER)
          : refusal(r->status, "GET, HEAD, POST, OPTIONS", head));
}

#define LENGTH(length) TO("POST", "Content-Length: " length "\r\n", "")

static void host_paths(void) {
  static const struct request requests[] = {
      {"http host path: GET is well", TO("GET", "", ""), 200},
      {"http host path: HEAD is well, and has no body", TO("HEAD", "", ""),
       200},
      {"http host path: POST is well",
       TO("POST", "Content-Length: 2\r\n", "hi"), 200},
      {"http host path: OPTIONS is well", TO("OPTIONS", "", ""), 200},
      {"http host path: PUT", TO("PUT", "Content-Length: 2\r\n", "hi"), 405},
      {"http host path: DELETE", TO("DELETE", "", ""), 405},
      {"http host path: PATCH", TO("PATCH", "", ""), 405},
      {"http host path: TRACE", TO("TRACE", "", ""), 405},
      {"http host path: CONNECT", TO("CONNECT", "", ""), 405},
      {"http host path: post in small letters", TO("post", "", ""), 405},
      {"http host path: no Host", "GET /x HTTP/1.1\r\n\r\n", 400},
      {"http host path: no Host in HTTP/1.0", "GET /x HTTP/1.0\r\n\r\n", 400},
      {"http host path: chunked",
       TO("POST", "Transfer-Encoding: chunked\r\n", "2\r\nhi\r\n0\r\n\r\n"),
       411},
      {"http host path: chunked, of a GET",
       TO("GET", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), 411},
      {"http host path: chunked and a length",
       TO("POST", "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "hi"),
       411},
      {"http host path: identity",
       TO("POST", "Transfer-Encoding: identity\r\nContent-Length: 2\r\n", "hi"),
       411},
      {"http host path: an empty Transfer-Encoding",
       TO("POST", "Transfer-Encoding:\r\nContent-Length: 2\r\n", "hi"), 411},
      {"http host path: a length that is empty", LENGTH(""), 400},
      {"http host path: a length of -1", LENGTH("-1"), 400},
      {"http host path: a length of +2", LENGTH("+2"), 400},
      {"http host path: a length of 2.0", LENGTH("2.0"), 400},
      {"http host path: a length of 2x", LENGTH("2x"), 400},
      {"http host path: a length of 0x2", LENGTH("0x2"), 400},
      {"http host path: a length of 1e1", LENGTH("1e1"), 400},
      {"http host path: a length of 2,2", LENGTH("2,2"), 400},
      {"http host path: a length of 2 2", LENGTH("2 2"), 400},
      {"http host path: a length in quotes", LENGTH("\"2\""), 400},
      {"http host path: a length of Arabic digits", LENGTH("\xd9\xa2"), 400},
      {"http host path: two lengths that are equal",
       TO("POST", "Content-Length: 2\r\nContent-Length: 2\r\n", "hi"), 400},
      {"http host path: two lengths that differ",
       TO("POST", "Content-Length: 2\r\nContent-Length: 0\r\n", "hi"), 400},
      {"http host path: a length one over the limit", LENGTH("65537"), 413},
      {"http host path: a length of 2^32", LENGTH("4294967296"), 413},
      {"http host path: a length of 2^64 - 1", LENGTH("18446744073709551615"),
       413},
      {"http host path: a length of 2^64 + 2", LENGTH("18446744073709551618"),
       413},
      {"http host path: a length that is too big and no number",
       LENGTH("99999999999999999999x"), 400},
      {"http host path: zeros in front are well",
       TO("POST", "Content-Length: 00000000000000000000002\r\n", "hi"), 200},
      {"http host path: a length of 0 is well", LENGTH("0"), 200},
      {"http host path: 100-continue is expected",
       TO("POST", "Content-Length: 2\r\nExpect: 100-continue\r\n", "hi"), 417},
      {"http host path: something else is expected",
       TO("POST", "Content-Length: 2\r\nExpect: x\r\n", "hi"), 417},
      {"http host path: an upgrade is not looked at", TO("GET", ASKS, ""), 200},
      {"http host path: a folded field", TO("GET", "X: a\r\n b\r\n", ""), 400},
      {"http host path: LF alone", "GET /x HTTP/1.1\n" HOST "\r\n", 400},
      {"http host path: a blank before the colon of the length",
       TO("POST", "Content-Length : 2\r\n", "hi"), 400},
  };
  size_t i;

  for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
    play_host(&requests[i]);
  }
}

/* What comes behind a request is another one, as long as that is well. */
static void pipelines(void) {
  static const struct request requests[] = {
      {"http pipeline: two that are well", TO("GET", "", "") TO("GET", "", ""),
       0},
      {"http pipeline: the second is broken",
       TO("GET", "", "") "GET /x\r\n\r\n", 400},
      {"http pipeline: a body longer than it says",
       TO("POST", "Content-Length: 2\r\n", "hi!!\r\n"), 400},
      {"http pipeline: a request behind a body longer than it says",
       TO("POST", "Content-Length: 2\r\n", "hiX ") TO("GET", "", ""), 400},
      {"http pipeline: an empty line between two",
       TO("GET", "", "") "\r\n" TO("GET", "", ""), 400},
      {"http pipeline: a chunk behind a GET", TO("GET", "", "") "0\r\n\r\n",
       400},
  };
  char out[1024];
  size_t i;

  snprintf(out, sizeof(out), "%s%s", ANSWER, ANSWER);
  play_bytes(requests[0].name, requests[0].text, strlen(requests[0].text), 200,
             out);
  for (i = 1; i < sizeof(requests) / sizeof(requests[0]); i++) {
    snprintf(out, sizeof(out), "%s%s", ANSWER, refusal(400, NULL, false));
    play_bytes(requests[i].name, requests[i].text, strlen(requests[i].text),
               400, out);
  }
}

static void add_endpoint(sbk_broker *broker, const char *path,
                         const char *const *origins, bool must, bool secure) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  endpoint.path = path;
  endpoint.allowed_origins = origins;
  endpoint.require_origin = must;
  endpoint.secure = secure;
  if (sbk_broker_add_endpoint(broker, &endpoint) != 0) {
    printf("Bail out! no endpoint %s\n", path);
    exit(1);
  }
}

static void add_endpoints(sbk_broker *broker) {
  static const char *const list[] = {"https://a.example", "https://*.b.example",
                                     "https://c.example:[*]", NULL};
  static const char *const any[] = {"*", NULL};

  add_endpoint(broker, "/ws", NULL, false, false);
  add_endpoint(broker, "/list", list, false, false);
  add_endpoint(broker, "/must", NULL, true, false);
  add_endpoint(broker, "/any", any, false, false);
  add_endpoint(broker, "/secure", NULL, false, true);
}

int main(void) {
  struct bad_setup setup;

  bad_init(&setup);
  setup.add = add_endpoints;
  bad_open(&setup);
  control_bytes();
  delimiters();
  high_bytes();
  request_lines();
  other_protocols();
  methods_and_paths();
  hosts();
  fields();
  upgrades();
  smuggling();
  origins();
  setup.callbacks.request = on_request;
  bad_open(&setup);
  host_paths();
  pipelines();

  return bad_done();
}
