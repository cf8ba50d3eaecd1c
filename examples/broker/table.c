/* table.c - every option: its name, its kind, its place, its help. */
#include "grants.h"
#include "options.h"
#include "values.h"

#define K    ((uint64_t)1024)
#define M    (K * 1024)
#define G    (M * 1024)
#define HOUR ((uint64_t)3600000)
#define DAY  (24 * HOUR)

#define AT(member) offsetof(struct options, member)
#define GROUP(text)                                                            \
  { TITLE, NULL, NULL, text, 0, 0, 0, 0, NULL }
#define SWITCH(name, at, text)                                                 \
  { FLAG, #name, NULL, text, AT(at), 0, 0, 0, NULL }
#define ENABLE(name, at, text)                                                 \
  { TRUTH, #name, NULL, text, AT(at), 0, 0, 0, NULL }
#define STRING(name, value, at, text)                                          \
  { TEXT, #name, value, text, AT(at), 0, 0, 0, NULL }
#define STRINGS(name, value, at, text)                                         \
  { LIST, #name, value, text, AT(at), 0, 0, 0, NULL }
#define SPECIAL(name, value, take, text)                                       \
  { OTHER, #name, value, text, 0, 0, 0, 0, take }
/* Numbers of struct sbk_config, which have its names. */
#define SIZE(name, normal, most, text)                                         \
  { BYTES, #name, "BYTES", text, AT(config.name), normal, 1, most, NULL }
#define NUMBER(name, normal, most, text)                                       \
  { COUNT, #name, "N", text, AT(config.name), normal, 1, most, NULL }
#define TIME(name, normal, most, text)                                         \
  { MSEC, #name, "MS", text, AT(config.name), normal, 1, most, NULL }
#define TIME_IF(name, normal, most, text)                                      \
  { NEVER, #name, "MS", text, AT(config.name), normal, 1, most, NULL }

const struct row option_rows[] = {
    GROUP("Where it listens, on any number of addresses; port 0 is any:"),
    SPECIAL(ws, "ADDR:PORT[/PATH] ...", take_ws,
            "WebSocket (127.0.0.1:15674/ws)"),
    SPECIAL(tcp, "ADDR:PORT ...", take_tcp, "STOMP without WebSocket (none)"),

    GROUP("Who may come:"),
    STRINGS(user, "NAME:PASSCODE", users,
            "only these (anyone, as `login` says)"),
    STRINGS(origin, "ORIGIN", origins, "pages of others; * is any (its own)"),
    SWITCH(require_origin, require_origin, "browsers only: not without Origin"),
    SWITCH(secure, secure, "behind TLS: our own origin is https"),

    GROUP("Destinations:"),
    STRINGS(app_prefix, "P", app_prefixes, "to the handlers (/app)"),
    STRINGS(broker_prefix, "P", broker_prefixes,
            "to all subscribers (/topic, /queue)"),
    STRINGS(queue_prefix, "P", queue_prefixes, "to one subscriber each (none)"),
    STRING(user_prefix, "P", config.user_prefix, "a user's own (/user)"),
    SPECIAL(separator, "/|.", take_separator, "between segments (/)"),
    SWITCH(client_user_send, config.client_user_send,
           "clients may SEND to /user/{name}/..."),
    SWITCH(drop_unroutable, config.drop_unroutable,
           "a SEND that leads nowhere is no ERROR"),
    STRING(error_destination, "D", config.error_destination,
           "tell of failures there, not by ERROR"),
    STRINGS(private_header, "NAME", private_headers,
            "not passed on to subscribers"),

    GROUP("Access rules; WHAT is send, subscribe or both, {user} in a PATTERN\n"
          "one's own name. The first that matches decides; if none does: no."),
    SPECIAL(allow, "WHAT:PATTERN ...", take_allow, "let it pass"),
    SPECIAL(deny, "WHAT:PATTERN ...", take_deny, "refuse it"),

    GROUP("Topics below a prefix P; of several the longest counts, alone:"),
    SPECIAL(retain, "P ...", take_retain, "keep the last value (retain:true)"),
    SPECIAL(history, "P=N[,BYTES[,MS]] ...", take_history,
            "keep so many messages, so long"),
    SPECIAL(drop_oldest, "P ...", take_drop_oldest,
            "a slow peer misses what waited"),
    SPECIAL(drop_newest, "P ...", take_drop_newest, "a slow peer misses news"),
    SIZE(max_history_bytes, 64 * M, G, "in all histories"),
    NUMBER(max_retained, 10000, 16777216, "last values"),
    SIZE(max_retained_bytes, 64 * M, G, "in all of these"),

    GROUP("Connections:"),
    NUMBER(max_connections, 10000, 16777216, "at a time"),
    NUMBER(max_pending, 0, 16777216, "before CONNECTED (a quarter)"),
    SIZE(max_preauth_input, 32 * K, 16 * M, "read ahead, before CONNECTED"),
    SIZE(max_preauth_output, 4 * K, 16 * M,
         "waiting for a peer, before CONNECTED"),
    SIZE(max_queue, 512 * K, G, "waiting for a peer"),
    TIME(send_timeout, 10000, DAY, "age of the oldest byte of it"),
    SIZE(max_total_queue, 256 * M, 1024 * G, "waiting for all peers"),
    TIME(connect_timeout, 10000, DAY, "from accept to CONNECTED"),

    GROUP("Heart-beats:"),
    SPECIAL(heartbeat, "SEND,RECV", take_heartbeat,
            "the next two at once; 0: never"),
    TIME_IF(heartbeat_out, 10000, DAY, "we send this often at most"),
    TIME_IF(heartbeat_in, 10000, DAY, "we want this often"),
    TIME(heartbeat_max, HOUR, DAY, "largest a client may name"),
    NUMBER(heartbeat_grace, 3, 100, "silent intervals to the end"),
    TIME_IF(ping_interval, SBK_NEVER, DAY, "ping who gets no heart-beats"),

    GROUP("HTTP requests:"),
    SIZE(max_request_head, 8 * K, M, "the head of a request"),
    SIZE(max_request_line, 2 * K, 64 * K, "its first line"),
    SIZE(max_request_field, 4 * K, 64 * K, "one of its header lines"),
    NUMBER(max_request_fields, 64, 1024, "how many there are"),
    SIZE(max_request_body, 64 * K, 64 * M, "the body of a request"),
    TIME(request_timeout, 10000, DAY, "from accept to the whole request"),

    GROUP("WebSocket:"),
    NUMBER(max_fragments, 1024, 1048576, "of one message"),
    NUMBER(max_empty_fragments, 8, 1024, "empty ones in a row"),
    NUMBER(control_burst, 100, 1000000, "control frames and EOLs at once"),
    NUMBER(control_rate, 10, 1000000, "and then each second"),
    TIME(close_timeout, 5000, HOUR, "from our Close to the end of a stream"),

    GROUP("SockJS, for who is cut off from WebSocket; below the same paths:"),
    SWITCH(sockjs, with_sockjs, "it is there; all of these need it"),
    ENABLE(sockjs_no_websocket, sockjs.no_websocket, "without its WebSocket"),
    ENABLE(sockjs_cookie, sockjs.cookie, "JSESSIONID, for load balancers"),
    ENABLE(sockjs_htmlfile, sockjs.htmlfile, "the transport htmlfile"),
    ENABLE(sockjs_jsonp, sockjs.jsonp, "the transport jsonp"),
    STRING(sockjs_client_url, "URL", sockjs.client_url,
           "its script, for the iframe page (no page)"),
    {MSEC, "sockjs_heartbeat", "MS", "a sign of life this often",
     AT(sockjs.heartbeat), 25000, 1, DAY, NULL},
    {MSEC, "sockjs_disconnect_delay", "MS",
     "a session's life without a request", AT(sockjs.disconnect_delay), 5000, 1,
     HOUR, NULL},
    {BYTES, "sockjs_stream_limit", "BYTES", "one streaming answer",
     AT(sockjs.stream_limit), 128 * K, 1, G, NULL},
    {BYTES, "sockjs_max_body", "BYTES", "the body of a request",
     AT(sockjs.max_body), M, 1, G, NULL},

    GROUP("Frames of STOMP:"),
    SIZE(max_message, 64 * K, G, "a frame, a message"),
    SIZE(max_preauth_frame, 16 * K, 16 * M, "CONNECT"),
    SIZE(max_command, 16, 64, "a command"),
    NUMBER(max_headers, 64, 1024, "headers of a frame"),
    SIZE(max_header_line, 8 * K, M, "one header"),
    SIZE(max_header_bytes, 16 * K, 4 * M, "all headers of a frame"),
    SIZE(max_destination, 1024, 8192, "a destination"),
    NUMBER(max_levels, 32, 256, "segments of a destination"),
    NUMBER(max_wildcards, 8, 32, "wildcards of a pattern"),
    SIZE(max_subscription_id, 128, 4096, "a subscription's id"),
    SIZE(max_receipt, 256, 4096, "a receipt"),
    SIZE(max_transaction, 128, 4096, "a transaction's name"),
    SIZE(max_user, 256, 4096, "a user's name"),

    GROUP("Sessions and queues:"),
    NUMBER(max_subscriptions, 1024, 1048576, "of one session"),
    NUMBER(max_unacked, 1024, 65535, "deliveries to a session without ACK"),
    NUMBER(max_redeliveries, 16, 65535, "times that a message comes again"),
    NUMBER(max_queued_messages, 10000, 16777216, "waiting in one queue"),
    SIZE(max_queued_bytes, 8 * M, G, "all of these"),
    SIZE(max_total_queued_bytes, 256 * M, 1024 * G, "in all queues"),
    NUMBER(max_transactions, 16, 1024, "open ones of one session"),
    NUMBER(max_transaction_actions, 1024, 65535, "frames in one transaction"),
    SIZE(max_transaction_bytes, M, 64 * M, "all of these"),
    NUMBER(max_deferred, 64, 65535, "handlers of a session put off"),

    GROUP("This program:"),
    STRING(server_name, "NAME", config.server_name,
           "in CONNECTED (stompbroker/" SBK_VERSION ")"),
    {MSEC, "drain", "MS", "SIGTERM waits for peers so long", AT(drain), 10000,
     0, DAY, NULL},
    {MSEC, "drain_over", "MS", "and tells them to go within (0)",
     AT(drain_over), 0, 0, DAY, NULL},
    {MSEC, "stats", "SECONDS", "a line of figures on stderr (none)", AT(stats),
     0, 1, 86400, NULL},
    SPECIAL(log, "error|warn|info|debug", take_log,
            "what goes to stderr (warn)"),
    SWITCH(version, version, "say it and end"),
    SWITCH(help, help, "say this and end"),
};

const size_t option_count = sizeof(option_rows) / sizeof(option_rows[0]);
