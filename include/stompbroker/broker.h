#ifndef STOMPBROKER_BROKER_H
#define STOMPBROKER_BROKER_H

#include <stompbroker/base.h>
#include <stompbroker/sockjs.h>

#ifdef __cplusplus
extern "C" {
#endif

enum sbk_log_level {
  SBK_LOG_ERROR = 1, /**< the host misused the library */
  SBK_LOG_WARN,      /**< memory was short, a peer broke a limit */
  SBK_LOG_INFO,      /**< a peer was refused or closed, and why */
  SBK_LOG_DEBUG
};

/** Who refused a frame. New ones are only ever added. */
enum sbk_refusal {
  SBK_REFUSED_PROTOCOL = 1, /**< the rules of STOMP, or a limit */
  SBK_REFUSED_RULE,         /**< an access rule, or the want of one */
  SBK_REFUSED_INTERCEPTOR,  /**< an inbound interceptor */
  SBK_REFUSED_HANDLER       /**< a handler that failed */
};

/**
 * What the host answers to. Any member may be NULL. Every one but wakeup is
 * called on the broker's thread, from inside a call of the host. Callbacks may
 * send, close sessions and register things; they may not feed, tell of a peer's
 * end, free or tick (SBK_ERR_STATE, or nothing happens). New members are only
 * ever added at the end.
 */
struct sbk_callbacks {
  size_t size; /**< sizeof(struct sbk_callbacks); SBK_CALLBACKS_INIT sets it */

  /**
   * A peer asks to open a session at an endpoint; method, key and Origin have
   * been checked. SBK_PASS lets it in; SBK_REJECT (SBK_DROP is the same)
   * refuses with sbk_request_set_status(), 403 unless set; SBK_WAIT holds the
   * peer until sbk_request_resume(). NULL lets everybody in. Asked for each
   * request of a session of SockJS: those that come later
   * (sbk_request_session()) have to be of the same user, or are not found.
   */
  enum sbk_verdict (*handshake)(sbk_request *request, void *arg);
  /**
   * A request for a path that is no endpoint. Answer it with
   * sbk_request_answer(), here or later from the broker's thread. NULL: 404.
   */
  void (*request)(sbk_request *request, void *arg);
  /** The peer went away before it was answered: the request dies on return. */
  void (*request_gone)(sbk_request *request, void *arg);

  /** CONNECTED is queued and the session has its user; or a session of plain
   * messages is open. */
  void (*connected)(sbk_session *session, void *arg);
  /** The last call about a session that was connected; reason is 0 for a clean
   * end, else an enum sbk_error. */
  void (*disconnected)(sbk_session *session, int reason, void *arg);
  /** The subscription is active; nothing was sent to it yet. */
  void (*subscribed)(sbk_session *session, const char *id,
                     const char *destination, void *arg);
  /** By UNSUBSCRIBE, or by the end of the session (before `disconnected`). */
  void (*unsubscribed)(sbk_session *session, const char *id,
                       const char *destination, void *arg);
  /** A message that nobody took: refused (NACK) at a topic, or refused or lost
   * at a queue more often than max_redeliveries. */
  void (*dead_letter)(sbk_broker *broker, const sbk_message *msg, void *arg);
  /** A message to a user reached no session: store it, push it, forget it.
   * destination is as it was given to sbk_send_to_user(). */
  void (*undeliverable)(sbk_broker *broker, const char *user,
                        const char *destination, const sbk_message *msg,
                        void *arg);

  /** From any thread: make the loop call sbk_broker_tick() soon. */
  void (*wakeup)(void *arg);

  /** One line, no newline at its end, peers' text in it escaped and cut. A
   * peer causes 10 lines a second at most; then one says how many were left
   * out. NULL: the library is silent. */
  void (*log)(enum sbk_log_level level, const char *line, void *arg);
  /** Unpredictable bytes; 0 on success. NULL: getrandom(2). */
  int (*random)(void *dst, size_t len, void *arg);

  /**
   * A whole frame of a client was refused, and the client was told text, by an
   * ERROR or at error_destination. reason is an enum sbk_error, of a handler
   * what it returned. The session may be closing, or not connected yet. frame
   * and text live until the return.
   */
  void (*refused)(sbk_session *session, const sbk_message *frame,
                  enum sbk_refusal by, int reason, const char *text, void *arg);
  /** So many messages were dropped for a connected session, since it was too
   * slow for its topics (enum sbk_overflow). Told as the outermost call ends;
   * what is dropped inside of it is told with the next. */
  void (*dropped)(sbk_session *session, uint64_t count, void *arg);
  /** More than three quarters of max_total_queue wait (on is 1): those who
   * publish most are not read. Or less than half again (0). Told as the
   * outermost call ends. */
  void (*alarm)(sbk_broker *broker, int on, void *arg);
};
#define SBK_CALLBACKS_INIT SBK__SIZED(struct sbk_callbacks)

/**
 * Plain numbers and names. 0 or NULL in a member means the default that stands
 * beside it. Limits cannot be switched off, only raised, up to the largest
 * value that stands behind "to"; more is SBK_ERR_INVAL.
 */
struct sbk_config {
  size_t size; /**< sizeof(struct sbk_config); SBK_CONFIG_INIT sets it */

  const struct sbk_mem *mem; /**< libc's */

  /* Destinations. A prefix covers whole segments: "/topic" covers "/topic" and
   * "/topic/x", not "/topicx". Lists end with NULL. */
  const char *const *app_prefixes;    /**< "/app": to the host's handlers */
  const char *const *broker_prefixes; /**< "/topic", "/queue": fan-out */
  /** Destinations with one taker for each message, kept until there is one;
   * they need not stand in broker_prefixes too. None unless set. */
  const char *const *queue_prefixes;
  const char *user_prefix; /**< "/user" */
  char separator;          /**< '/' or '.', between segments: '/' */
  /** Nonzero: clients may SEND to /user/{name}/…; else that is an ERROR. */
  char client_user_send;
  /** Nonzero: a SEND that leads nowhere is dropped, with its receipt given.
   * That departs from STOMP, which wants an ERROR; so it is off. */
  char drop_unroutable;
  /** Where a client that subscribes to {user_prefix}{this} is told of frames
   * that were refused (SBK_REFUSE) or whose handler failed, with its session
   * spared. That departs from STOMP, which wants an ERROR; so it is off until
   * it is set, to "/queue/errors" for instance. */
  const char *error_destination;
  /** Headers of a SEND that are not passed on, besides the library's own list
   * (see sbk_send(3)); case does not matter. */
  const char *const *private_headers;
  const char *server_name; /**< `server` of CONNECTED: "stompbroker/0.1.0" */

  /* Connections. */
  size_t max_connections; /**< 10,000, to 16,777,216 */
  size_t max_pending; /**< of them before CONNECT; a quarter, to all of them */
  size_t max_preauth_input; /**< bytes held before CONNECTED: 32 KiB, to 16 MiB
                             */
  /** Bytes waiting before it: 4 KiB, to 16 MiB. While more than that of HTTP
   * answers wait, the next request does. */
  size_t max_preauth_output;

  /* HTTP requests. */
  size_t max_request_head;   /**< bytes: 8 KiB, to 1 MiB */
  size_t max_request_line;   /**< bytes: 2 KiB, to 64 KiB */
  size_t max_request_field;  /**< bytes of a header line: 4 KiB, to 64 KiB */
  size_t max_request_fields; /**< header lines: 64, to 1,024 */
  size_t max_request_body;   /**< bytes, to host paths: 64 KiB, to 64 MiB */
  sbk_msec request_timeout;  /**< from accept to a whole request: 10 s, to a day
                              */

  /* WebSocket. */
  size_t max_fragments;       /**< of one message: 1,024, to 1,048,576 */
  size_t max_empty_fragments; /**< in a row: 8, to 1,024 */
  /** Control frames and bare ends of lines at once: 100, to 1,000,000. */
  size_t control_burst;
  size_t control_rate; /**< and then in a second: 10, to 1,000,000 */
  sbk_msec
      close_timeout; /**< from our Close to the stream's end: 5 s, to 1 h */
  /** Ping peers that agreed on no heart-beats to them this often, and end those
   * that say nothing for heartbeat_grace of it: SBK_NEVER unless set, to a day.
   */
  sbk_msec ping_interval;

  /* STOMP frames. */
  size_t max_message; /**< bytes of a frame or message: 64 KiB, to 1 GiB */
  size_t max_preauth_frame;   /**< bytes of CONNECT: 16 KiB, to 16 MiB */
  size_t max_command;         /**< bytes of a command: 16, to 64 */
  size_t max_headers;         /**< of one frame: 64, to 1,024 */
  size_t max_header_line;     /**< bytes: 8 KiB, to 1 MiB */
  size_t max_header_bytes;    /**< of all header lines: 16 KiB, to 4 MiB */
  size_t max_destination;     /**< bytes: 1,024, to 8,192 */
  size_t max_levels;          /**< segments of a destination: 32, to 256 */
  size_t max_wildcards;       /**< of a pattern: 8, to 32 */
  size_t max_subscription_id; /**< bytes: 128, to 4,096 */
  size_t max_receipt;         /**< bytes of a receipt: 256, to 4,096 */
  size_t max_transaction; /**< bytes of a transaction's name: 128, to 4,096 */
  size_t max_user;        /**< bytes of a user name: 256, to 4,096 */

  /* Sessions. */
  size_t max_unacked;      /**< deliveries to a session without an ACK: 1,024,
                                to 65,535 */
  size_t max_redeliveries; /**< of one message: 16, to 65,535 */
  size_t max_queued_messages; /**< in one queue: 10,000, to 16,777,216 */
  /** Of these; each counts its body, its headers and 256: 8 MiB, to 1 GiB. */
  size_t max_queued_bytes;
  size_t max_transactions;        /**< open ones of a session: 16, to 1,024 */
  size_t max_transaction_actions; /**< in one: 1,024, to 65,535 */
  size_t max_transaction_bytes;   /**< of these, so too: 1 MiB, to 64 MiB */
  /** Calls of a session put off with sbk_call_defer(), behind which it is not
   * read: 64, to 65,535. */
  size_t max_deferred;
  size_t max_subscriptions; /**< of one session: 1,024, to 1,048,576 */
  sbk_msec connect_timeout; /**< from accept to CONNECTED: 10 s, to a day */
  /** We send this often at the most: 10 s, to a day; SBK_NEVER: never. A client
   * that wants less often gets that; one that wants more often does not, so
   * that a millisecond can be asked for by nobody. */
  sbk_msec heartbeat_out;
  /** We want this often: 10 s, to a day; SBK_NEVER: never. */
  sbk_msec heartbeat_in;
  sbk_msec heartbeat_max; /**< largest that a client may name: 1 h, to a day */
  size_t
      heartbeat_grace; /**< intervals of silence that end a peer: 3, to 100 */
  size_t
      max_queue; /**< bytes of frames waiting for a peer: 512 KiB, to 1 GiB */
  sbk_msec send_timeout; /**< age of the oldest of them: 10 s, to a day */
  /** Bytes of memory that wait for all peers together: 256 MiB, to 1 TiB. Each
   * delivery counts 16, and its message once for all of them. Over three
   * quarters of it those who publish most are not read until it is half; more
   * than it closes those for whom most waits. */
  size_t max_total_queue;

  /* What topics keep (topic.h), all together. */
  size_t max_history_bytes;  /**< 64 MiB, to 1 GiB; then the oldest go */
  size_t max_retained;       /**< last values: 10,000, to 16,777,216 */
  size_t max_retained_bytes; /**< of them: 64 MiB, to 1 GiB */
  /** Of all queues, with what waits for an ACK: 256 MiB, to 1 TiB. */
  size_t max_total_queued_bytes;
};
#define SBK_CONFIG_INIT SBK__SIZED(struct sbk_config)

/**
 * A broker for one event loop. Both structs are copied, with the strings in
 * them; either may be NULL. arg comes back in every callback. It owns no
 * thread, socket or clock.
 *
 * 0; SBK_ERR_NOMEM; SBK_ERR_INVAL: a limit or a name out of range;
 * SBK_ERR_ABI: a struct has bytes set that this library does not know;
 * SBK_ERR_CALLBACK: no randomness. *broker is NULL then.
 */
SBK_API int sbk_broker_new(sbk_broker **broker,
                           const struct sbk_callbacks *callbacks,
                           const struct sbk_config *config, void *arg);

/**
 * Ends all that is left, telling `disconnected` and `request_gone`, and frees
 * it: sessions, queues, and connections the host still holds, whose pointers
 * die with it. Messages and buffers the host holds references to must be given
 * back before. NULL is fine. From a callback or a task nothing happens.
 */
SBK_API void sbk_broker_free(sbk_broker *broker);

/** The arg of sbk_broker_new(). */
SBK_API void *sbk_broker_arg(sbk_broker *broker);

/** Says goodbye to every peer (1001) and lets no new one in. Connections end
 * as their peers take note, or after close_timeout. */
SBK_API void sbk_broker_shutdown(sbk_broker *broker);

/**
 * The same spread evenly over a time, the oldest sessions first, so that those
 * who come back elsewhere do not all come at once. It begins at the next tick.
 * Nobody new is let in from now on; sessions that were told nothing yet go on
 * as ever. Called again it plans anew for who is left, and
 * sbk_broker_shutdown() tells them all. 0; SBK_ERR_INVAL: over a day.
 */
SBK_API int sbk_broker_drain(sbk_broker *broker, sbk_msec over);

/** How many connections there are: 0 after a shutdown means all have gone. */
SBK_API size_t sbk_broker_conn_count(sbk_broker *broker);

/**
 * Sets the clock, runs due timers and posted tasks. Call it once each time the
 * loop wakes up, before asking for ready connections. now is on a monotonic
 * clock of the host's choice; an earlier time than before counts as the same.
 */
SBK_API void sbk_broker_tick(sbk_broker *broker, sbk_msec now);

/** When the next tick is due at the latest, on the same clock; may lie in the
 * past, and does while tasks or ready connections wait; SBK_NEVER: none is. */
SBK_API sbk_msec sbk_broker_deadline(sbk_broker *broker);

/** The next connection that has new output or wants something else than when
 * it was last returned here; NULL: none. Call until NULL before the loop
 * sleeps. The host may free the connection it was given. */
SBK_API sbk_conn *sbk_broker_next_ready(sbk_broker *broker);

/**
 * Work for the broker's thread. sbk_post() is the one function that any thread
 * may call, and it cannot fail. Tasks run in order, inside the next tick. The
 * task is the caller's memory, lent until run() is called, where it may be
 * freed or posted again. A task may do all but free the broker and tick. Tasks
 * posted but not run when the broker is freed are dropped.
 */
typedef struct sbk_task sbk_task;
struct sbk_task {
  void (*run)(sbk_broker *broker, sbk_task *task);
  sbk_task *next; /**< the library's */
};
SBK_API void sbk_post(sbk_broker *broker, sbk_task *task);

/**
 * A path at which peers open WebSocket sessions. Copied, with its strings.
 */
struct sbk_endpoint {
  size_t size;      /**< SBK_ENDPOINT_INIT sets it */
  const char *path; /**< "/ws"; matches as a whole, without the query */
  /**
   * Origins that may open sessions, besides the endpoint's own (scheme, host
   * and port equal to those of the request): `https://a.example`; a host that
   * begins with `*.` (one or more labels); a port `[*]` (any); or the one word
   * `*` (any, and `null`). Ends with NULL. NULL: only its own.
   */
  const char *const *allowed_origins;
  int require_origin; /**< nonzero: refuse peers that send no Origin */
  int secure; /**< nonzero: behind TLS, so its own origin starts with https */
  /**
   * Set: sessions here carry plain messages instead of STOMP, and each whole
   * one comes here. data lives until the return. 0, or negative: the session
   * is closed with 1011. Answer with sbk_session_send().
   */
  int (*message)(sbk_session *session, int binary, const void *data, size_t len,
                 void *arg);
  /** Set: SockJS below the path too, as sockjs.h says. NULL: WebSocket only. */
  const struct sbk_sockjs *sockjs;
};
#define SBK_ENDPOINT_INIT SBK__SIZED(struct sbk_endpoint)

/** 0; SBK_ERR_INVAL: the path does not begin with '/', holds '?', '#', a blank
 * or a control character, an origin is malformed, a number of SockJS is out of
 * range, or its client_url is no URL; SBK_ERR_EXISTS; SBK_ERR_NOMEM;
 * SBK_ERR_ABI. */
SBK_API int sbk_broker_add_endpoint(sbk_broker *broker,
                                    const struct sbk_endpoint *endpoint);

#ifdef __cplusplus
}
#endif

#endif
