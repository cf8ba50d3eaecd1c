#ifndef STOMPBROKER_BASE_H
#define STOMPBROKER_BASE_H

#include <stddef.h>
#include <stdint.h>

#include <stompbroker/version.h>

#if defined(__GNUC__)
#  define SBK_API __attribute__((visibility("default")))
#else
#  define SBK_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* How the …_INIT of a struct that begins with its size is written: C says that
 * the other members are meant to be 0; C++ before 20 cannot. */
#ifdef __cplusplus
#  define SBK__SIZED(type)                                                     \
    { sizeof(type) }
#else
#  define SBK__SIZED(type)                                                     \
    { .size = sizeof(type) }
#endif

/** Opaque objects. All of them belong to the thread that runs the broker. */
typedef struct sbk_broker sbk_broker;
typedef struct sbk_conn sbk_conn;
typedef struct sbk_session sbk_session;
typedef struct sbk_message sbk_message;
typedef struct sbk_buf sbk_buf;
typedef struct sbk_call sbk_call;
typedef struct sbk_request sbk_request;

/** A span or a point of monotonic time, in milliseconds. */
typedef uint64_t sbk_msec;
#define SBK_NEVER UINT64_MAX

/**
 * What a function returns when it fails. The hundreds say whose fault it is.
 * Values never change their meaning; new ones are only ever added.
 */
enum sbk_error {
  SBK_OK = 0,

  /* The host's mistake. Nothing has changed; fix the call. */
  SBK_ERR_INVAL = -101,     /**< an argument is out of its domain */
  SBK_ERR_STATE = -102,     /**< not allowed now, or not from here */
  SBK_ERR_NOT_FOUND = -103, /**< no such user, session, path or converter */
  SBK_ERR_EXISTS = -104,    /**< registered already */
  SBK_ERR_ABI = -105,       /**< a struct newer than this library */

  /* The peer's mistake. That connection is closing; no other is touched. */
  SBK_ERR_HTTP = -201,
  SBK_ERR_WEBSOCKET = -202,
  SBK_ERR_STOMP = -203,
  SBK_ERR_EOF = -204, /**< the stream ended without a goodbye */

  /* A limit of the configuration. That connection is closing. */
  SBK_ERR_TOO_BIG = -301,  /**< a message, header or queue over its size */
  SBK_ERR_SLOW = -302,     /**< the peer does not read what waits for it */
  SBK_ERR_TIMEOUT = -303,  /**< request, CONNECT or heart-beat too late */
  SBK_ERR_TOO_MANY = -304, /**< a count or a rate over its limit */

  /* A decision of the host. */
  SBK_ERR_DENIED = -401,   /**< a callback or an interceptor said no */
  SBK_ERR_CALLBACK = -402, /**< a callback failed */
  SBK_ERR_CLOSED = -403,   /**< the host closed the session or the broker */

  SBK_ERR_NOMEM = -901
};

/** One fixed English sentence, never NULL, never to be freed. */
SBK_API const char *sbk_strerror(int error);

/** The version of the library that is loaded, as SBK_VERSION_NUM has it. */
SBK_API unsigned sbk_version(void);

/**
 * Memory functions. Each one gets arg last. The struct is copied by
 * sbk_broker_new(); all four functions must be there.
 */
struct sbk_mem {
  void *(*malloc)(size_t size, void *arg);
  void *(*calloc)(size_t count, size_t size, void *arg);
  void *(*realloc)(void *ptr, size_t size, void *arg);
  void (*free)(void *ptr, void *arg);
  void *arg;
};

/** What a callback decides. */
enum sbk_verdict {
  SBK_PASS = 0, /**< go on */
  SBK_DROP,     /**< stop here, silently: the frame never was */
  SBK_REJECT, /**< refuse: ERROR (or an HTTP status) to the peer, then close */
  SBK_WAIT,   /**< undecided: hold this peer until a …_resume() call */
  SBK_REFUSE  /**< refuse this frame only: the session lives, see handler.h */
};

#ifdef __cplusplus
}
#endif

#endif
