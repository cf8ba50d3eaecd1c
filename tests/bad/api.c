#include "bad.h"

#include <stdlib.h>

/*
 * What a host may not do, and is told of by an error (stompbroker's headers and
 * man pages): nothing has changed then, memory least of all, and the neighbour
 * is well. What the pages do not promise an error for is not here.
 */

/* The memory before the call that is checked. */
static size_t memory;

static void check(const char *name, int rv, int error) {
  char text[200] = "";

  if (rv != error) {
    snprintf(text, sizeof(text), "expected %d, came %d", error, rv);
  } else if (bad_memory() != memory) {
    snprintf(text, sizeof(text), "%zu bytes of memory became %zu", memory,
             bad_memory());
  }
  bad_line(name, text);
}

#define CHECK(name, error, call)                                               \
  do {                                                                         \
    memory = bad_memory();                                                     \
    check(name, call, error);                                                  \
  } while (0)

/* Not from inside a callback. */
static void check_neighbour(const char *behind) {
  char name[100];

  snprintf(name, sizeof(name), "the neighbour is well behind %s", behind);
  bad_line(name, bad_neighbour());
}

static void must(bool condition, const char *what) {
  if (!condition) {
    printf("Bail out! %s\n", what);
    exit(1);
  }
}

static char long_name[1026]; /* one over max_destination */
static char deep[80];        /* 33 levels */
static char long_user[258];

static void fill_names(void) {
  size_t i;

  memset(long_name, 'x', sizeof(long_name) - 1);
  long_name[0] = '/';
  for (i = 0; i < 33; i++) {
    memcpy(deep + 2 * i, "/x", 2);
  }
  memset(long_user, 'u', sizeof(long_user) - 1);
}

/* ---- endpoints ---- */

static int add_path(const char *path) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  endpoint.path = path;

  return sbk_broker_add_endpoint(bad_broker(), &endpoint);
}

static int add_origin(const char *origin) {
  const char *origins[] = {"https://fine.example", origin, NULL};
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  endpoint.path = "/new";
  endpoint.allowed_origins = origins;

  return sbk_broker_add_endpoint(bad_broker(), &endpoint);
}

static int add_sockjs(const struct sbk_sockjs *sockjs) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  endpoint.path = "/new";
  endpoint.sockjs = sockjs;

  return sbk_broker_add_endpoint(bad_broker(), &endpoint);
}

static int add_client_url(const char *url) {
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;

  sockjs.client_url = url;

  return add_sockjs(&sockjs);
}

static int add_sockjs_numbers(sbk_msec heartbeat, sbk_msec delay, size_t limit,
                              size_t body) {
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;

  sockjs.heartbeat = heartbeat;
  sockjs.disconnect_delay = delay;
  sockjs.stream_limit = limit;
  sockjs.max_body = body;

  return add_sockjs(&sockjs);
}

static void endpoints(void) {
  static const struct {
    const char *name;
    const char *value;
  } paths[] = {{"that is empty", ""},
               {"without a slash", "ws2"},
               {"with a query", "/new?a"},
               {"with a fragment", "/new#a"},
               {"with a blank", "/new x"},
               {"with a tab", "/new\tx"},
               {"with an LF", "/new\n"},
               {"with a DEL", "/new\x7f"},
               {"that is a URL", "http://h.example/new"}},
    origins[] = {{"that is empty", ""},
                 {"without a scheme", "a.example"},
                 {"without a host", "https://"},
                 {"with a path", "https://a.example/"},
                 {"with a blank", "https://a.example "},
                 {"of two", "https://a.example,https://b.example"},
                 {"with port 0", "https://a.example:0"},
                 {"with port 65536", "https://a.example:65536"},
                 {"with an empty port", "https://a.example:"},
                 {"with a star for a port", "https://a.example:*"},
                 {"with a star for a part of a label", "https://a*.example"},
                 {"with a star in the middle", "https://a.*.example"},
                 {"with a star alone for a host", "https://*"},
                 {"with a star for a scheme", "*://a.example"},
                 {"with a user", "https://u@a.example"},
                 {"of two stars", "**"},
                 {"with an empty label", "https://a..example"},
                 {"with a broken IPv6", "https://[::1"}},
    urls[] = {{"that is empty", ""},
              {"that is a script", "javascript:alert(1)"},
              {"of another scheme", "ftp://h.example/x.js"},
              {"without a slash", "sockjs.js"},
              {"with a blank", "/sock js"},
              {"with an LF", "/x\n.js"},
              {"with quotes", "/x\".js"},
              {"with a tag", "/x<script>"}};
  char name[120];
  size_t i;

  for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
    snprintf(name, sizeof(name), "add_endpoint: a path %s", paths[i].name);
    CHECK(name, SBK_ERR_INVAL, add_path(paths[i].value));
  }
  CHECK("add_endpoint: a path that is there", SBK_ERR_EXISTS, add_path("/ws"));
  for (i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
    snprintf(name, sizeof(name), "add_endpoint: an origin %s", origins[i].name);
    CHECK(name, SBK_ERR_INVAL, add_origin(origins[i].value));
  }
  for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
    snprintf(name, sizeof(name), "add_endpoint: a client_url %s", urls[i].name);
    CHECK(name, SBK_ERR_INVAL, add_client_url(urls[i].value));
  }
  CHECK("add_endpoint: heartbeat over a day", SBK_ERR_INVAL,
        add_sockjs_numbers(86400001, 0, 0, 0));
  CHECK("add_endpoint: disconnect_delay over an hour", SBK_ERR_INVAL,
        add_sockjs_numbers(0, 3600001, 0, 0));
  CHECK("add_endpoint: stream_limit over 1 GiB", SBK_ERR_INVAL,
        add_sockjs_numbers(0, 0, ((size_t)1 << 30) + 1, 0));
  CHECK("add_endpoint: max_body over 1 GiB", SBK_ERR_INVAL,
        add_sockjs_numbers(0, 0, 0, ((size_t)1 << 30) + 1));
  CHECK("add_endpoint: heartbeat never", SBK_ERR_INVAL,
        add_sockjs_numbers(SBK_NEVER, 0, 0, 0));
  check_neighbour("add_endpoint");
}

/* ---- handlers, mappings, interceptors, rules, topics, converters ---- */

static int handler(sbk_call *call, void *arg) {
  (void)call;
  (void)arg;

  return 0;
}

static enum sbk_verdict verdict(sbk_call *call, void *arg) {
  (void)call;
  (void)arg;

  return SBK_PASS;
}

/* What no pattern is, and how that is called. */
static const struct pattern {
  const char *name;
  const char *value;
  int error;
} patterns[] = {{"that is empty", "", SBK_ERR_INVAL},
                {"of two slashes", "//", SBK_ERR_INVAL},
                {"with an empty segment", "/a//b", SBK_ERR_INVAL},
                {"with an LF", "/a\nb", SBK_ERR_INVAL},
                {"with a DEL", "/a\x7f", SBK_ERR_INVAL},
                {"with a brace", "/{", SBK_ERR_INVAL},
                {"with a brace that is not closed", "/{a/b", SBK_ERR_INVAL},
                {"without a name", "/{}", SBK_ERR_INVAL},
                {"with a regular expression", "/{a:[0-9]+}", SBK_ERR_INVAL},
                {"with a name twice", "/{a}/{a}", SBK_ERR_INVAL},
                {"with a brace too many", "/{a}}", SBK_ERR_INVAL},
                {"over max_destination", long_name, SBK_ERR_TOO_BIG},
                {"over max_levels", deep, SBK_ERR_TOO_BIG},
                {"over max_wildcards", "/*/*/*/*/*/*/*/*/*", SBK_ERR_TOO_BIG}};

static int add_mapping(const char *pattern, const char *to,
                       const char *to_user) {
  const char *send_to[] = {to, NULL}, *send_to_user[] = {to_user, NULL};
  struct sbk_mapping mapping = SBK_MAPPING_INIT;

  mapping.command = SBK_SEND;
  mapping.pattern = pattern;
  mapping.handler = handler;
  mapping.send_to = to != NULL ? send_to : NULL;
  mapping.send_to_user = to_user != NULL ? send_to_user : NULL;

  return sbk_broker_add_mapping(bad_broker(), &mapping);
}

static int add_rule(unsigned commands, const char *pattern,
                    enum sbk_verdict what) {
  struct sbk_rule rule = SBK_RULE_INIT;

  rule.commands = commands;
  rule.pattern = pattern;
  rule.verdict = what;

  return sbk_broker_add_rule(bad_broker(), &rule);
}

static void handlers(void) {
  static const struct {
    const char *name;
    enum sbk_command command;
  } commands[] = {{"CONNECT", SBK_CONNECT},
                  {"CONNECTED", SBK_CONNECTED},
                  {"UNSUBSCRIBE", SBK_UNSUBSCRIBE},
                  {"ACK", SBK_ACK},
                  {"NACK", SBK_NACK},
                  {"BEGIN", SBK_BEGIN},
                  {"COMMIT", SBK_COMMIT},
                  {"ABORT", SBK_ABORT},
                  {"DISCONNECT", SBK_DISCONNECT},
                  {"MESSAGE", SBK_MESSAGE},
                  {"RECEIPT", SBK_RECEIPT},
                  {"ERROR", SBK_ERROR},
                  {"0", (enum sbk_command)0},
                  {"15", (enum sbk_command)15}};
  sbk_broker *b = bad_broker();
  char name[120];
  size_t i;

  for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
    snprintf(name, sizeof(name), "add_handler: of %s", commands[i].name);
    CHECK(name, SBK_ERR_INVAL,
          sbk_broker_add_handler(b, commands[i].command, "/x", handler, NULL));
  }
  for (i = 1; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
    snprintf(name, sizeof(name), "add_handler: a pattern %s", patterns[i].name);
    CHECK(
        name, patterns[i].error,
        sbk_broker_add_handler(b, SBK_SEND, patterns[i].value, handler, NULL));
  }
  must(sbk_broker_add_handler(b, SBK_SEND, "/there", handler, NULL) == 0,
       "no handler");
  CHECK("add_handler: a pattern that is there", SBK_ERR_EXISTS,
        sbk_broker_add_handler(b, SBK_SEND, "/there", handler, NULL));
  CHECK("add_handler: a pattern that is there, without its slash",
        SBK_ERR_EXISTS,
        sbk_broker_add_handler(b, SBK_SEND, "there", handler, NULL));
  CHECK("add_mapping: a pattern that is there", SBK_ERR_EXISTS,
        add_mapping("/there", NULL, NULL));
  for (i = 1; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
    snprintf(name, sizeof(name), "add_mapping: a pattern %s", patterns[i].name);
    CHECK(name, patterns[i].error, add_mapping(patterns[i].value, NULL, NULL));
  }
  /* Room for one more in the table is kept from here on. */
  must(add_mapping("/{a}", "/topic/{b}", NULL) == SBK_ERR_INVAL, "a mapping");
  CHECK("add_mapping: to a name that the pattern has not", SBK_ERR_INVAL,
        add_mapping("/{a}", "/topic/{b}", NULL));
  CHECK("add_mapping: to a user's name that the pattern has not", SBK_ERR_INVAL,
        add_mapping("/{a}", NULL, "/queue/{b}"));
  CHECK("add_mapping: to nowhere", SBK_ERR_INVAL, add_mapping("/a", "", NULL));
  CHECK("add_mapping: to a user's nowhere", SBK_ERR_INVAL,
        add_mapping("/a", NULL, ""));
  CHECK("add_mapping: to an empty segment", SBK_ERR_INVAL,
        add_mapping("/a", "/topic//x", NULL));
  CHECK("add_mapping: to a control character", SBK_ERR_INVAL,
        add_mapping("/a", "/topic/\x01", NULL));
  check_neighbour("add_handler");
  CHECK("add_interceptor: of direction 0", SBK_ERR_INVAL,
        sbk_broker_add_interceptor(b, (enum sbk_direction)0, 0, verdict, NULL));
  CHECK("add_interceptor: of direction 4", SBK_ERR_INVAL,
        sbk_broker_add_interceptor(b, (enum sbk_direction)4, 0, verdict, NULL));
  CHECK("add_interceptor: none", SBK_ERR_INVAL,
        sbk_broker_add_interceptor(b, SBK_INBOUND, 0, NULL, NULL));
  CHECK("add_error_handler: none", SBK_ERR_INVAL,
        sbk_broker_add_error_handler(b, 0, NULL, NULL));
  for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
    snprintf(name, sizeof(name), "add_rule: a pattern %s", patterns[i].name);
    CHECK(name, patterns[i].error, add_rule(0, patterns[i].value, SBK_PASS));
  }
  CHECK("add_rule: a command that is none", SBK_ERR_INVAL,
        add_rule(4, "/topic/x", SBK_PASS));
  CHECK("add_rule: a command that is none besides two", SBK_ERR_INVAL,
        add_rule(SBK_RULE_SEND | SBK_RULE_SUBSCRIBE | 8, "/topic/x", SBK_PASS));
  CHECK("add_rule: SBK_WAIT", SBK_ERR_INVAL, add_rule(0, "/topic/x", SBK_WAIT));
  CHECK("add_rule: a verdict that is none", SBK_ERR_INVAL,
        add_rule(0, "/topic/x", (enum sbk_verdict)99));
  check_neighbour("add_rule");
}

static int add_topic(const char *prefix, size_t messages, size_t bytes,
                     sbk_msec age) {
  struct sbk_topic topic = SBK_TOPIC_INIT;

  topic.prefix = prefix;
  topic.history_messages = messages;
  topic.history_bytes = bytes;
  topic.history_age = age;

  return sbk_broker_add_topic(bad_broker(), &topic);
}

static int encode(sbk_broker *broker, const char *type, const void *value,
                  sbk_buf **out, void *arg) {
  (void)broker;
  (void)type;
  (void)value;
  (void)out;
  (void)arg;

  return SBK_ERR_CALLBACK;
}

static int add_converter(const char *type) {
  struct sbk_converter converter = SBK_CONVERTER_INIT;

  converter.content_type = type;
  converter.encode = encode;

  return sbk_broker_add_converter(bad_broker(), &converter);
}

static void topics_and_converters(void) {
  sbk_broker *b = bad_broker();
  char name[120];
  size_t i;

  for (i = 0; i < 5; i++) {
    snprintf(name, sizeof(name), "add_topic: a prefix %s", patterns[i].name);
    CHECK(name, SBK_ERR_INVAL, add_topic(patterns[i].value, 1, 0, 0));
  }
  CHECK("add_topic: a prefix over max_destination", SBK_ERR_INVAL,
        add_topic(long_name, 1, 0, 0));
  CHECK("add_topic: a prefix over max_levels", SBK_ERR_INVAL,
        add_topic(deep, 1, 0, 0));
  CHECK("add_topic: history_messages over the largest", SBK_ERR_INVAL,
        add_topic("/topic/h", 1048577, 0, 0));
  CHECK("add_topic: history_bytes over the largest", SBK_ERR_INVAL,
        add_topic("/topic/h", 1, ((size_t)1 << 30) + 1, 0));
  CHECK("add_topic: history_age over 365 days", SBK_ERR_INVAL,
        add_topic("/topic/h", 1, 0, (sbk_msec)365 * 86400000 + 1));
  must(add_topic("/topic/h", 1, 0, 0) == 0, "no topic");
  CHECK("add_topic: a prefix that is taken", SBK_ERR_EXISTS,
        add_topic("/topic/h", 2, 0, 0));
  must(sbk_broker_add_converter(b, sbk_text_converter()) == 0 &&
           add_converter("application/x-bad") == 0,
       "no converter");
  CHECK("add_converter: a type that is taken", SBK_ERR_EXISTS,
        sbk_broker_add_converter(b, sbk_text_converter()));
  CHECK("add_converter: a type that is taken, in other letters", SBK_ERR_EXISTS,
        add_converter("Text/Plain"));
  CHECK("add_converter: a type that is missing", SBK_ERR_INVAL,
        add_converter(NULL));
  CHECK("convert_and_send: a type that there is not", SBK_ERR_NOT_FOUND,
        sbk_convert_and_send(b, "/topic/evil", "image/png", NULL, "x"));
  CHECK("convert_and_send: text that is none", SBK_ERR_INVAL,
        sbk_convert_and_send(b, "/topic/evil", NULL, NULL, "\xff"));
  CHECK("convert_and_send: what encode says", SBK_ERR_CALLBACK,
        sbk_convert_and_send(b, "/topic/evil", "application/x-bad", NULL, "x"));
  CHECK("convert_and_send: to nowhere", SBK_ERR_INVAL,
        sbk_convert_and_send(b, "", NULL, NULL, "x"));
  CHECK("convert_and_send_to_user: a type that there is not", SBK_ERR_NOT_FOUND,
        sbk_convert_and_send_to_user(b, "me", "/queue/x", "image/png", NULL,
                                     "x"));
  CHECK("convert_and_send_to_user: to nobody", SBK_ERR_INVAL,
        sbk_convert_and_send_to_user(b, "", "/queue/x", NULL, NULL, "x"));
  check_neighbour("convert_and_send");
}

/* ---- structs of another size ---- */

/* A struct of size bytes, and room for what is new. */
static void struct_sizes(const char *what, size_t size,
                         int (*call)(const void *first)) {
  static union {
    size_t size;
    char bytes[1024];
  } s;
  char name[120];

  must(size + 16 < sizeof(s), "a struct is larger than any");
  memset(&s, 0, sizeof(s));
  snprintf(name, sizeof(name), "%s of size 0", what);
  CHECK(name, SBK_ERR_ABI, call(&s));
  s.size = sizeof(size_t) - 1;
  snprintf(name, sizeof(name), "%s smaller than its size", what);
  CHECK(name, SBK_ERR_ABI, call(&s));
  s.size = size + 8;
  s.bytes[size] = 1;
  snprintf(name, sizeof(name), "%s with something new", what);
  CHECK(name, SBK_ERR_ABI, call(&s));
  s.bytes[size] = 0;
  s.bytes[size + 7] = 1;
  snprintf(name, sizeof(name), "%s with something new at its end", what);
  CHECK(name, SBK_ERR_ABI, call(&s));
}

static int as_endpoint(const void *first) {
  return sbk_broker_add_endpoint(bad_broker(), first);
}

static int as_sockjs(const void *first) {
  return add_sockjs(first);
}

static int as_mapping(const void *first) {
  return sbk_broker_add_mapping(bad_broker(), first);
}

static int as_rule(const void *first) {
  return sbk_broker_add_rule(bad_broker(), first);
}

static int as_topic(const void *first) {
  return sbk_broker_add_topic(bad_broker(), first);
}

static int as_converter(const void *first) {
  return sbk_broker_add_converter(bad_broker(), first);
}

static int as_request(const void *first) {
  sbk_conn *conn;

  return sbk_conn_new_request(&conn, bad_broker(), first, NULL, NULL);
}

static int as_exchange(const void *first) {
  sbk_conn *conn;

  return sbk_conn_new_exchange(&conn, bad_broker(), first, NULL, 0, NULL, NULL);
}

static void structs(void) {
  struct sbk_stats stats = SBK_STATS_INIT;

  struct_sizes("an endpoint", sizeof(struct sbk_endpoint), as_endpoint);
  struct_sizes("an endpoint's sockjs", sizeof(struct sbk_sockjs), as_sockjs);
  struct_sizes("a mapping", sizeof(struct sbk_mapping), as_mapping);
  struct_sizes("a rule", sizeof(struct sbk_rule), as_rule);
  struct_sizes("a topic", sizeof(struct sbk_topic), as_topic);
  struct_sizes("a converter", sizeof(struct sbk_converter), as_converter);
  struct_sizes("a request", sizeof(struct sbk_http_request), as_request);
  struct_sizes("an exchange", sizeof(struct sbk_http_request), as_exchange);
  stats.size = sizeof(stats) + 8;
  CHECK("stats with something new", SBK_ERR_ABI,
        sbk_broker_stats(bad_broker(), &stats));
  stats.size = sizeof(size_t) - 1;
  CHECK("stats smaller than their size", SBK_ERR_ABI,
        sbk_broker_stats(bad_broker(), &stats));
  check_neighbour("structs");
}

/* ---- sending ---- */

static void sends(void) {
  static const struct {
    const char *name;
    const char *value;
  } nowhere[] = {{"that is empty", ""},
                 {"of two slashes", "//"},
                 {"with an empty segment", "/topic//evil"},
                 {"with an empty segment at its end", "/topic/evil//"},
                 {"with an LF", "/topic/e\nvil"},
                 {"with a CR", "/topic/e\rvil"},
                 {"with a DEL", "/topic/\x7f"},
                 {"with a control character", "/topic/\x01"},
                 {"over max_destination", long_name},
                 {"over max_levels", deep}},
    nobody[] = {{"that is empty", ""},
                {"with an escaped slash", "a%2Fb"},
                {"with an LF", "a\nb"},
                {"with a DEL", "a\x7f"},
                {"over max_user", long_user}};
  sbk_broker *b = bad_broker();
  char name[120];
  size_t i;

  for (i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
    snprintf(name, sizeof(name), "send: a destination %s", nowhere[i].name);
    CHECK(name, SBK_ERR_INVAL, sbk_send(b, nowhere[i].value, NULL, "evil", 4));
    snprintf(name, sizeof(name), "send_to_user: a destination %s",
             nowhere[i].name);
    CHECK(name, SBK_ERR_INVAL,
          sbk_send_to_user(b, "me", nowhere[i].value, NULL, "evil", 4));
    snprintf(name, sizeof(name), "message_new: a destination %s",
             nowhere[i].name);
    CHECK(name, 0, sbk_message_new(b, nowhere[i].value, NULL) != NULL);
  }
  CHECK("send: a destination below the user prefix", SBK_ERR_INVAL,
        sbk_send(b, "/user/queue/x", NULL, "evil", 4));
  CHECK("send: another's destination", SBK_ERR_INVAL,
        sbk_send(b, "/user/me/queue/x", NULL, "evil", 4));
  for (i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
    snprintf(name, sizeof(name), "send_to_user: a user %s", nobody[i].name);
    CHECK(name, SBK_ERR_INVAL,
          sbk_send_to_user(b, nobody[i].value, "/queue/x", NULL, "evil", 4));
  }
  check_neighbour("sends");
}

static void messages(void) {
  static const char *const own[] = {"destination", "content-length",
                                    "message-id", "subscription", "ack"};
  sbk_broker *b = bad_broker();
  sbk_message *msg = sbk_message_new(b, "/quiet/x", NULL);
  char name[120];
  size_t i;

  must(msg != NULL, "no message");
  for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
    snprintf(name, sizeof(name), "message_set_header: %s", own[i]);
    CHECK(name, SBK_ERR_INVAL, sbk_message_set_header(msg, own[i], "x"));
  }
  CHECK("message_set_header: no name", SBK_ERR_INVAL,
        sbk_message_set_header(msg, "", "x"));
  CHECK("send_message: a user that is none", SBK_ERR_INVAL,
        sbk_send_message_to_user(b, "%2F", msg));
  for (i = sbk_message_header_count(msg); i < 1024; i++) {
    snprintf(name, sizeof(name), "h%zu", i);
    must(sbk_message_set_header(msg, name, "x") == 0, "no header");
  }
  CHECK("message_set_header: one over 1,024", SBK_ERR_TOO_MANY,
        sbk_message_set_header(msg, "more", "x"));
  must(sbk_send_message(b, msg) == 0, "not sent");
  CHECK("message_set_header: behind the sending", SBK_ERR_STATE,
        sbk_message_set_header(msg, "h1", "y"));
  sbk_message_unref(msg);
  msg = sbk_message_new(b, "/user/queue/x", NULL);
  CHECK("send_message: below the user prefix", SBK_ERR_INVAL,
        sbk_send_message(b, msg));
  sbk_message_unref(msg);
  check_neighbour("messages");
}

/* ---- connections ---- */

static const struct sbk_http_field good_fields[] = {
    {"Host", 4, "h.example", 9},
    {"Upgrade", 7, "websocket", 9},
    {"Connection", 10, "Upgrade", 7},
    {"Sec-WebSocket-Version", 21, "13", 2},
    {"Sec-WebSocket-Key", 17, "dGhlIHNhbXBsZSBub25jZQ==", 24}};

/* The first field may be another; NULL: it stays. */
static int new_request(const char *method, const char *target,
                       const struct sbk_http_field *field) {
  struct sbk_http_request request = SBK_HTTP_REQUEST_INIT;
  struct sbk_http_field all[6];
  sbk_conn *conn = NULL;
  int rv;

  memcpy(all, good_fields, sizeof(good_fields));
  if (field != NULL) {
    all[5] = *field;
  }
  request.method = method;
  request.method_len = strlen(method);
  request.target = target;
  request.target_len = strlen(target);
  request.fields = all;
  request.field_count = field != NULL ? 6 : 5;
  rv = sbk_conn_new_request(&conn, bad_broker(), &request, NULL, NULL);
  must((conn != NULL) == (rv == 0), "*conn is left as it was");
  sbk_conn_free(conn);

  return rv;
}

static int new_conn(enum sbk_transport transport) {
  sbk_conn *conn = NULL;
  int rv = sbk_conn_new(&conn, bad_broker(), transport, NULL, NULL);

  must((conn != NULL) == (rv == 0), "*conn is left as it was");
  sbk_conn_free(conn);

  return rv;
}

static int accept_key(const char *key) {
  char accept[29];

  return sbk_websocket_accept(accept, key, strlen(key));
}

static void conns(void) {
  static const struct {
    const char *name;
    const char *method, *target;
  } lines[] = {{"no method", "", "/ws"},
               {"a blank in the method", "GE T", "/ws"},
               {"an LF in the method", "GET\n", "/ws"},
               {"no target", "GET", ""},
               {"a target without a slash", "GET", "ws"},
               {"a blank in the target", "GET", "/w s"},
               {"an LF in the target", "GET", "/ws\n"},
               {"a version in the target", "GET", "/ws HTTP/1.1"},
               {"a fragment in the target", "GET", "/ws#x"},
               {"a URL for a target", "GET", "http://h.example/ws"}};
  static const struct {
    const char *name;
    struct sbk_http_field field;
  } fields[] = {{"a field without a name", {"", 0, "x", 1}},
                {"a field with a blank in its name", {"a b", 3, "x", 1}},
                {"a field with a colon in its name", {"a:", 2, "x", 1}},
                {"a field with an LF in its name", {"a\n", 2, "x", 1}},
                {"a field with an LF in its value", {"a", 1, "x\ny", 3}},
                {"a field with a CR in its value", {"a", 1, "x\ry", 3}},
                {"a field with a NUL in its value", {"a", 1, "x\0y", 3}},
                {"another Host", {"Host", 4, "evil", 4}},
                {"another key", {"Sec-WebSocket-Key", 17, "x", 1}}};
  sbk_conn *conn;
  char name[120];
  size_t i;

  CHECK("conn_new: transport 0", SBK_ERR_INVAL,
        new_conn((enum sbk_transport)0));
  CHECK("conn_new: transport 4", SBK_ERR_INVAL,
        new_conn((enum sbk_transport)4));
  for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
    snprintf(name, sizeof(name), "conn_new_request: %s", lines[i].name);
    CHECK(name, SBK_ERR_INVAL,
          new_request(lines[i].method, lines[i].target, NULL));
  }
  for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
    snprintf(name, sizeof(name), "conn_new_request: %s", fields[i].name);
    CHECK(name, SBK_ERR_INVAL, new_request("GET", "/ws", &fields[i].field));
  }
  CHECK("conn_new_request: a path that is no endpoint", SBK_ERR_NOT_FOUND,
        new_request("GET", "/none", NULL));
  CHECK("conn_new_request: below an endpoint without SockJS", SBK_ERR_NOT_FOUND,
        new_request("GET", "/ws/info", NULL));
  CHECK("websocket_accept: no key", SBK_ERR_INVAL, accept_key(""));
  CHECK("websocket_accept: of 15 bytes", SBK_ERR_INVAL,
        accept_key("dGhlIHNhbXBsZSBub25j"));
  CHECK("websocket_accept: of 17 bytes", SBK_ERR_INVAL,
        accept_key("dGhlIHNhbXBsZSBub25jZWE="));
  CHECK("websocket_accept: without padding", SBK_ERR_INVAL,
        accept_key("dGhlIHNhbXBsZSBub25jZQ"));
  CHECK("websocket_accept: with a blank", SBK_ERR_INVAL,
        accept_key("dGhlIHNhbXBs SBub25jZQ=="));
  must(sbk_conn_new(&conn, bad_broker(), SBK_TCP, NULL, NULL) == 0, "no conn");
  {
    struct sbk_http_answer answer = SBK_HTTP_ANSWER_INIT;

    CHECK("conn_answer: of no exchange", SBK_ERR_STATE,
          sbk_conn_answer(conn, &answer));
    answer.size = 0;
    CHECK("conn_answer: an answer of size 0", SBK_ERR_ABI,
          sbk_conn_answer(conn, &answer));
    answer.size = sizeof(answer) + 8;
    CHECK("conn_answer: a newer answer", SBK_ERR_ABI,
          sbk_conn_answer(conn, &answer));
  }
  sbk_conn_free(conn);
  CHECK("broker_drain: over a day", SBK_ERR_INVAL,
        sbk_broker_drain(bad_broker(), 86400001));
  CHECK("broker_drain: never", SBK_ERR_INVAL,
        sbk_broker_drain(bad_broker(), SBK_NEVER));
  memory = bad_memory();
  sbk_conn_free(NULL);
  sbk_message_unref(NULL);
  sbk_buf_unref(NULL);
  sbk_broker_free(NULL);
  check("free: NULL is fine", 0, 0);
  check_neighbour("connections");
}

/* ---- sessions ---- */

static sbk_session *session_of(sbk_conn **conn, const char *text) {
  must(sbk_conn_new(conn, bad_broker(), SBK_TCP, NULL, NULL) == 0, "no conn");
  must(sbk_conn_feed(*conn, bad_now(), text, strlen(text) + 1) == 0,
       "not connected");

  return sbk_conn_session(*conn);
}

static void sessions(void) {
  sbk_conn *conn, *fresh;
  sbk_session *s = session_of(&conn, "CONNECT\naccept-version:1.2\n\n");
  sbk_session *early;

  must(sbk_conn_new(&fresh, bad_broker(), SBK_TCP, NULL, NULL) == 0, "no conn");
  early = sbk_conn_session(fresh);
  CHECK("session_set_user: empty", SBK_ERR_INVAL,
        sbk_session_set_user(early, ""));
  CHECK("session_set_user: an escaped slash", SBK_ERR_INVAL,
        sbk_session_set_user(early, "a%2Fb"));
  CHECK("session_set_user: an LF", SBK_ERR_INVAL,
        sbk_session_set_user(early, "a\nb"));
  CHECK("session_set_user: over max_user", SBK_ERR_INVAL,
        sbk_session_set_user(early, long_user));
  CHECK("session_set_user: behind CONNECTED", SBK_ERR_STATE,
        sbk_session_set_user(s, "me"));
  CHECK("session_send: to a session of STOMP", SBK_ERR_STATE,
        sbk_session_send(s, 0, "x", 1));
  CHECK("session_close_code: of a session of STOMP", SBK_ERR_STATE,
        sbk_session_close_code(s, 1000, NULL));
  CHECK("session_unsubscribe: an id that there is not", SBK_ERR_NOT_FOUND,
        sbk_session_unsubscribe(s, "0"));
  CHECK("session_unsubscribe: no id", SBK_ERR_NOT_FOUND,
        sbk_session_unsubscribe(s, ""));
  CHECK("send_to_session: nowhere", SBK_ERR_INVAL,
        sbk_send_to_session(s, "", NULL, "evil", 4));
  CHECK("send_to_session: an empty segment", SBK_ERR_INVAL,
        sbk_send_to_session(s, "/queue//x", NULL, "evil", 4));
  sbk_session_close(early, NULL);
  CHECK("conn_session: behind its end", 0, sbk_conn_session(fresh) != NULL);
  sbk_conn_free(fresh);
  sbk_conn_free(conn);
  check_neighbour("sessions");
}

static int on_message(sbk_session *session, int binary, const void *data,
                      size_t len, void *arg) {
  (void)session;
  (void)binary;
  (void)data;
  (void)len;
  (void)arg;

  return 0;
}

static const char upgrade[] =
    "GET /ws HTTP/1.1\r\nHost: h.example\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static void plain_sessions(void) {
  static const int codes[] = {-1,   0,    999,  1001, 1002, 1003,  1004, 1005,
                              1006, 1007, 1008, 1009, 1010, 1011,  1012, 1013,
                              1014, 1015, 1016, 2999, 5000, 65535, 66536};
  static char reason[125];
  sbk_session *s;
  sbk_conn *conn;
  char name[120];
  size_t i;

  must(sbk_conn_new(&conn, bad_broker(), SBK_HTTP, NULL, NULL) == 0 &&
           sbk_conn_feed(conn, bad_now(), upgrade, strlen(upgrade)) == 0,
       "no WebSocket");
  s = sbk_conn_session(conn);
  for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
    snprintf(name, sizeof(name), "session_close_code: %d", codes[i]);
    CHECK(name, SBK_ERR_INVAL, sbk_session_close_code(s, codes[i], NULL));
  }
  memset(reason, 'x', 124);
  CHECK("session_close_code: a reason of 124 bytes", SBK_ERR_INVAL,
        sbk_session_close_code(s, 3000, reason));
  CHECK("session_close_code: a reason that is no text", SBK_ERR_INVAL,
        sbk_session_close_code(s, 3000, "\xed\xa0\x80"));
  CHECK("session_send: text that is none", SBK_ERR_INVAL,
        sbk_session_send(s, 0, "\xff", 1));
  CHECK("session_send: half a character", SBK_ERR_INVAL,
        sbk_session_send(s, 0, "\xc3", 1));
  must(sbk_session_close_code(s, 3000, NULL) == 0, "not closed");
  memory = bad_memory();
  check("session_close_code: closes once",
        sbk_conn_session(conn) == NULL ? SBK_ERR_STATE
                                       : sbk_session_close_code(s, 3001, NULL),
        SBK_ERR_STATE);
  sbk_conn_free(conn);
  check_neighbour("plain sessions");
}

/* ---- from inside of callbacks ---- */

static sbk_conn *other;
static sbk_call *kept;
static sbk_request *waiting;

static int on_call(sbk_call *call, void *arg) {
  (void)arg;
  CHECK("call_set_user: in a handler", SBK_ERR_STATE,
        sbk_call_set_user(call, "me"));
  CHECK("call_set_header: in a handler", SBK_ERR_STATE,
        sbk_call_set_header(call, "a", "b"));
  CHECK("call_set_error: NULL", SBK_ERR_INVAL, sbk_call_set_error(call, NULL));
  CHECK("call_set_error: longer than 1,024", SBK_ERR_INVAL,
        sbk_call_set_error(call, long_name));
  CHECK("call_resume: of a handler", SBK_ERR_STATE,
        sbk_call_resume(call, SBK_PASS));
  CHECK("call_finish: not put off", SBK_ERR_STATE, sbk_call_finish(call, 0));
  CHECK("call_reply: nowhere", SBK_ERR_INVAL,
        sbk_call_reply(call, "", NULL, "x", 1));
  CHECK("call_reply: an empty segment", SBK_ERR_INVAL,
        sbk_call_reply(call, "/queue//x", NULL, "x", 1));
  CHECK("call_convert_and_return: a type that there is not", SBK_ERR_NOT_FOUND,
        sbk_call_convert_and_return(call, "image/png", NULL, "x"));
  CHECK("conn_feed: from a handler", SBK_ERR_STATE,
        sbk_conn_feed(other, bad_now(), "\n", 1));
  memory = bad_memory();
  sbk_conn_free(other);
  check("conn_free: from a handler nothing happens", 0, 0);
  sbk_broker_free(bad_broker());
  check("broker_free: from a handler nothing happens", 0, 0);
  sbk_broker_tick(bad_broker(), bad_now() + 100000);
  check("broker_tick: from a handler nothing happens", 0, 0);
  must(sbk_call_defer(call) == 0, "not put off");
  CHECK("call_defer: twice", SBK_ERR_STATE, sbk_call_defer(call));
  kept = call;

  return 0;
}

static enum sbk_verdict on_frame(sbk_call *call, void *arg) {
  const sbk_message *msg = sbk_call_message(call);

  (void)arg;
  if (sbk_message_header(msg, "look") == NULL) {
    return SBK_PASS;
  }
  if (sbk_message_command(msg) == SBK_CONNECT) {
    CHECK("call_set_user: empty", SBK_ERR_INVAL, sbk_call_set_user(call, ""));
    CHECK("call_set_user: an escaped slash", SBK_ERR_INVAL,
          sbk_call_set_user(call, "%2F"));
    CHECK("call_set_user: a control character", SBK_ERR_INVAL,
          sbk_call_set_user(call, "a\x1f"));
    CHECK("call_set_user: over max_user", SBK_ERR_INVAL,
          sbk_call_set_user(call, long_user));
    return SBK_PASS;
  }
  CHECK("call_set_user: of a SEND", SBK_ERR_STATE,
        sbk_call_set_user(call, "me"));
  CHECK("call_set_header: no name", SBK_ERR_INVAL,
        sbk_call_set_header(call, "", "x"));
  CHECK("call_defer: in an interceptor", SBK_ERR_STATE, sbk_call_defer(call));
  CHECK("call_return: in an interceptor", SBK_ERR_STATE,
        sbk_call_return(call, NULL, "x", 1));
  CHECK("call_finish: in an interceptor", SBK_ERR_STATE,
        sbk_call_finish(call, 0));
  CHECK("call_resume: before it waits", SBK_ERR_STATE,
        sbk_call_resume(call, SBK_PASS));
  kept = call;

  return SBK_WAIT;
}

static void calls(void) {
  static const char look[] = "SEND\nlook:1\ndestination:/quiet/x\n\n";
  static const char ask[] = "SEND\ndestination:/app/call\n\n";
  sbk_broker *b = bad_broker();
  sbk_conn *conn;
  sbk_session *s;

  must(sbk_broker_add_handler(b, SBK_SEND, "/call", on_call, NULL) == 0 &&
           sbk_broker_add_interceptor(b, SBK_INBOUND, 0, on_frame, NULL) == 0,
       "no handler");
  must(sbk_conn_new(&other, b, SBK_TCP, NULL, NULL) == 0, "no conn");
  s = session_of(&conn, "CONNECT\nlook:1\naccept-version:1.2\n\n");
  (void)s;
  sbk_conn_feed(conn, bad_now(), ask, sizeof(ask));
  CHECK("call_resume: of a call that was put off", SBK_ERR_STATE,
        sbk_call_resume(kept, SBK_PASS));
  CHECK("call_defer: behind its handler", SBK_ERR_STATE, sbk_call_defer(kept));
  must(sbk_call_finish(kept, 0) == 0, "not finished");
  sbk_conn_feed(conn, bad_now(), look, sizeof(look));
  CHECK("call_resume: with SBK_WAIT", SBK_ERR_INVAL,
        sbk_call_resume(kept, SBK_WAIT));
  CHECK("call_finish: of a call that waits", SBK_ERR_STATE,
        sbk_call_finish(kept, 0));
  must(sbk_call_resume(kept, SBK_PASS) == 0, "not resumed");
  sbk_conn_free(conn);
  sbk_conn_free(other);
  check_neighbour("calls");
}

static void check_answers(sbk_request *request) {
  static const int statuses[] = {-1, 0, 99, 100, 101, 199, 600, 1000};
  static const struct {
    const char *name;
    struct sbk_field field;
  } fields[] = {{"without a name", {"", "x"}},
                {"with a blank in its name", {"a b", "x"}},
                {"with a colon in its name", {"a:", "x"}},
                {"with an LF in its name", {"a\nb", "x"}},
                {"with a name that is not ASCII", {"\xc3\xa9", "x"}},
                {"with a CR in its value", {"a", "x\ry"}},
                {"with an LF in its value", {"a", "x\nSet-Cookie: y"}},
                {"with a DEL in its value", {"a", "x\x7f"}}};
  char name[120];
  size_t i;

  for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
    snprintf(name, sizeof(name), "request_answer: status %d", statuses[i]);
    CHECK(name, SBK_ERR_INVAL,
          sbk_request_answer(request, statuses[i], NULL, "x", 1));
  }
  for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
    const struct sbk_field list[] = {{"X", "fine"}, fields[i].field, {NULL}};

    snprintf(name, sizeof(name), "request_answer: a field %s", fields[i].name);
    CHECK(name, SBK_ERR_INVAL, sbk_request_answer(request, 200, list, "x", 1));
  }
}

static void check_query(sbk_request *request) {
  char value[4];

  CHECK("request_query: absent", SBK_ERR_NOT_FOUND,
        sbk_request_query(request, "none", value, sizeof(value)));
  CHECK("request_query: too long", SBK_ERR_TOO_BIG,
        sbk_request_query(request, "long", value, sizeof(value)));
  CHECK("request_query: no room at all", SBK_ERR_TOO_BIG,
        sbk_request_query(request, "long", value, 0));
  CHECK("request_query: a bad escape", SBK_ERR_INVAL,
        sbk_request_query(request, "bad", value, sizeof(value)));
  CHECK("request_query: half an escape", SBK_ERR_INVAL,
        sbk_request_query(request, "half", value, sizeof(value)));
  CHECK("request_query: a NUL", SBK_ERR_INVAL,
        sbk_request_query(request, "nul", value, sizeof(value)));
  CHECK("request_cookie: absent", SBK_ERR_NOT_FOUND,
        sbk_request_cookie(request, "none", value, sizeof(value)));
  CHECK("request_cookie: in other letters", SBK_ERR_NOT_FOUND,
        sbk_request_cookie(request, "LONG", value, sizeof(value)));
  CHECK("request_cookie: too long", SBK_ERR_TOO_BIG,
        sbk_request_cookie(request, "long", value, sizeof(value)));
}

static void on_request(sbk_request *request, void *arg) {
  (void)arg;
  check_query(request);
  CHECK("request_set_user: of a path of the host's", SBK_ERR_STATE,
        sbk_request_set_user(request, "me"));
  CHECK("request_set_session_data: of a path of the host's", SBK_ERR_STATE,
        sbk_request_set_session_data(request, &memory));
  CHECK("request_resume: of a path of the host's", SBK_ERR_STATE,
        sbk_request_resume(request, SBK_PASS));
  check_answers(request);
  must(sbk_request_answer(request, 200, NULL, "x", 1) == 0, "not answered");
  CHECK("request_answer: twice", SBK_ERR_STATE,
        sbk_request_answer(request, 200, NULL, "y", 1));
}

static enum sbk_verdict on_handshake(sbk_request *request, void *arg) {
  static const int statuses[] = {-1, 0, 200, 302, 399, 600, 999};
  char name[120];
  size_t i;

  (void)arg;
  if (waiting != NULL) {
    return SBK_PASS;
  }
  for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
    snprintf(name, sizeof(name), "request_set_status: %d", statuses[i]);
    CHECK(name, SBK_ERR_INVAL, sbk_request_set_status(request, statuses[i]));
  }
  CHECK("request_set_user: empty", SBK_ERR_INVAL,
        sbk_request_set_user(request, ""));
  CHECK("request_set_user: an escaped slash", SBK_ERR_INVAL,
        sbk_request_set_user(request, "a%2Fb"));
  CHECK("request_set_user: a control character", SBK_ERR_INVAL,
        sbk_request_set_user(request, "a\tb"));
  CHECK("request_set_user: over max_user", SBK_ERR_INVAL,
        sbk_request_set_user(request, long_user));
  CHECK("request_answer: a handshake", SBK_ERR_STATE,
        sbk_request_answer(request, 200, NULL, "x", 1));
  CHECK("request_resume: before it waits", SBK_ERR_STATE,
        sbk_request_resume(request, SBK_PASS));
  CHECK("conn_new_exchange: from a callback", SBK_ERR_STATE,
        sbk_conn_new_exchange(&other, bad_broker(),
                              &(struct sbk_http_request)SBK_HTTP_REQUEST_INIT,
                              NULL, 0, NULL, NULL));
  waiting = request;

  return SBK_WAIT;
}

static void requests(void) {
  static const char page[] =
      "GET /page?long=12345&bad=%zz&half=%4&nul=%00 HTTP/1.1\r\n"
      "Host: h.example\r\nCookie: long=12345\r\n\r\n";
  sbk_conn *conn;

  must(sbk_conn_new(&conn, bad_broker(), SBK_HTTP, NULL, NULL) == 0 &&
           sbk_conn_feed(conn, bad_now(), page, strlen(page)) == 0,
       "no request");
  sbk_conn_free(conn);
  waiting = NULL;
  must(sbk_conn_new(&conn, bad_broker(), SBK_HTTP, NULL, NULL) == 0 &&
           sbk_conn_feed(conn, bad_now(), upgrade, strlen(upgrade)) == 0 &&
           waiting != NULL,
       "no handshake");
  CHECK("request_resume: with SBK_WAIT", SBK_ERR_INVAL,
        sbk_request_resume(waiting, SBK_WAIT));
  must(sbk_request_resume(waiting, SBK_PASS) == 0, "not resumed");
  sbk_conn_free(conn);
  check_neighbour("requests");
}

/* ---- limits ---- */

/* One less, as much, and one more; all of memory as before. */
static void user_names(size_t limit, bool normal) {
  static const char *const sizes[] = {"one less", "as much", "one more"};
  static char user[4098];
  struct bad_setup setup;
  sbk_conn *conn;
  char name[100];
  size_t i;
  int rv;

  bad_init(&setup);
  setup.config.max_user = normal ? 0 : limit;
  bad_open(&setup);
  for (i = 0; i < 3; i++) {
    memory = bad_memory();
    memset(user, 'u', sizeof(user));
    user[limit - 1 + i] = '\0';
    must(sbk_conn_new(&conn, bad_broker(), SBK_TCP, NULL, NULL) == 0,
         "no conn");
    snprintf(name, sizeof(name), "max_user of %zu%s: %s", limit,
             normal ? ", the default" : "", sizes[i]);
    rv = sbk_session_set_user(sbk_conn_session(conn), user);
    sbk_conn_free(conn);
    check(name, rv, i == 2 ? SBK_ERR_INVAL : 0);
  }
  check_neighbour(normal      ? "max_user"
                  : limit > 9 ? "a large max_user"
                              : "a small max_user");
}

/* The neighbour is one of them, and is connected. */
static void connections(size_t max, size_t pending, const char *which) {
  sbk_conn *conns[10], *extra;
  const size_t room = pending < max - 1 ? pending : max - 1;
  struct bad_setup setup;
  char name[100], out[200];
  size_t i;

  bad_init(&setup);
  setup.config.max_connections = max;
  setup.config.max_pending = pending;
  bad_open(&setup);
  memory = bad_memory();
  for (i = 0; i < room; i++) {
    snprintf(name, sizeof(name), "%s: %zu of %zu that come", which, i + 1,
             room);
    bad_line(name,
             sbk_conn_new(&conns[i], bad_broker(), SBK_TCP, NULL, NULL) == 0
                 ? ""
                 : "it is turned away");
  }
  snprintf(name, sizeof(name), "%s: one more over TCP", which);
  bad_line(name, sbk_conn_new(&extra, bad_broker(), SBK_TCP, NULL, NULL) ==
                             SBK_ERR_TOO_MANY &&
                         extra == NULL
                     ? ""
                     : "it is let in");
  snprintf(name, sizeof(name), "%s: one more over HTTP is answered", which);
  must(sbk_conn_new(&extra, bad_broker(), SBK_HTTP, NULL, NULL) == 0,
       "no conn for a refusal");
  i = sbk_conn_copy_out(extra, out, sizeof(out) - 1);
  out[i] = '\0';
  bad_line(name, strcmp(out, "HTTP/1.1 503 Service Unavailable\r\n"
                             "Retry-After: 5\r\nContent-Type: text/plain\r\n"
                             "Content-Length: 20\r\nConnection: close\r\n\r\n"
                             "Service Unavailable\n") == 0
                     ? ""
                     : out);
  sbk_conn_free(extra);
  snprintf(name, sizeof(name), "%s", which);
  check_neighbour(name);
  sbk_conn_free(conns[0]);
  snprintf(name, sizeof(name), "%s: when one has gone another may come", which);
  bad_line(name, sbk_conn_new(&conns[0], bad_broker(), SBK_TCP, NULL, NULL) == 0
                     ? ""
                     : "it is turned away");
  for (i = 0; i < room; i++) {
    sbk_conn_free(conns[i]);
  }
}

static void limits(void) {
  user_names(256, true);
  user_names(2, false);
  user_names(4096, false);
  connections(4, 4, "max_connections");
  connections(10, 3, "max_pending");
}

/* ---- behind a shutdown ---- */

static void shut_down(void) {
  sbk_broker_shutdown(bad_broker());
  CHECK("conn_new: TCP behind a shutdown", SBK_ERR_STATE, new_conn(SBK_TCP));
  CHECK("conn_new: WebSocket behind a shutdown", SBK_ERR_STATE,
        new_conn(SBK_WEBSOCKET));
  CHECK("conn_new: HTTP behind a shutdown", SBK_ERR_STATE, new_conn(SBK_HTTP));
  CHECK("conn_new_request: behind a shutdown", SBK_ERR_STATE,
        new_request("GET", "/ws", NULL));
}

static void add_plain(sbk_broker *broker) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;

  endpoint.path = "/ws";
  endpoint.message = on_message;
  must(sbk_broker_add_endpoint(broker, &endpoint) == 0, "no endpoint");
}

int main(void) {
  struct bad_setup setup;

  fill_names();
  bad_init(&setup);
  bad_open(&setup);
  endpoints();
  handlers();
  topics_and_converters();
  structs();
  sends();
  messages();
  conns();
  sessions();
  calls();
  waiting = (sbk_request *)(void *)&setup; /* the first ones are let in */
  setup.callbacks.request = on_request;
  setup.callbacks.handshake = on_handshake;
  bad_open(&setup);
  requests();
  shut_down();
  bad_init(&setup);
  setup.add = add_plain;
  bad_open(&setup);
  plain_sessions();
  limits();

  return bad_done();
}
