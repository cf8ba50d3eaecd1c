#ifndef RUN_H
#define RUN_H

#define MAX_DEFERRED 16

#include "frames.h"
#include "script.h"

/* How the bytes go in … */
enum feeding {
  FEED_WHOLE,  /* a step of the transcript at a time */
  FEED_JOINED, /* neighbouring steps at once */
  FEED_BYTES,  /* one byte at a time */
  FEED_CUT     /* each step in two parts */
};

/* … and how they are taken. */
enum taking {
  TAKE_VECTORS, /* all that sbk_conn_output() gives */
  TAKE_BYTE,    /* one byte of it at a time */
  TAKE_COPY,    /* sbk_conn_copy_out() into a large buffer */
  TAKE_COPY_BYTE,
  TAKE_UNEVEN, /* odd capacities, less sent than was given */
  TAKE_LATE    /* as an asynchronous writer: counted off a turn later */
};

/* What plays the WebSockets of a transcript. */
enum over { OVER_WEBSOCKET, OVER_XHR_STREAMING, OVER_XHR, OVER_COUNT };
extern const char *const over_names[OVER_COUNT];

struct mode {
  enum feeding feeding;
  size_t cut;
  enum taking taking;
  enum over over;
  bool breaks;      /* every second answer of SockJS breaks off … */
  size_t break_at;  /* … so many bytes behind its head and prelude … */
  bool break_early; /* … or behind its beginning */
  sbk_msec start;   /* of time */
  bool leave_open;  /* sbk_broker_free() ends what is left */
  bool unchecked;   /* output is collected, not compared */
  bool probe;       /* a fresh session afterwards, with memory back */
  size_t fail_at;   /* see heap.h */
  bool fail_on;
};

struct run;
struct client;

struct stream {
  struct run *run;
  unsigned index;
  sbk_conn *conn;
  struct client *client; /* plays it; conn is NULL then */
  struct client *owner;  /* it is a connection of that client */
  size_t room;           /* so many bytes of output may be taken yet */
  struct shower shower;
  size_t checked; /* of what it has shown */
  struct codes expected;
  bool opened;
  bool stalled;
  size_t takes;         /* bytes, all the same */
  bool has_session;     /* from the beginning */
  bool closing;         /* the library has said so */
  bool shut;            /* the peer was told that nothing more comes */
  sbk_call *call;       /* that waits for the host */
  sbk_request *request; /* the same */

  struct iovec late[8]; /* handed out, not counted off */
  int late_count;
  uint8_t *late_copy;
  size_t late_len;
  unsigned turn;
};

struct run {
  const struct script *script;
  const struct mode *mode;
  sbk_broker *broker;
  sbk_msec now;
  sbk_msec ahead; /* so much of the time to pass has passed already */
  uint64_t random;
  struct stream streams[MAX_STREAMS]; /* the first one: the log of events */
  struct stream probe;
  sbk_call *deferred[MAX_DEFERRED]; /* calls that were put off, oldest first */
  size_t deferred_count;
  size_t received;
  size_t conns;
  unsigned clients; /* of SockJS, so far */
  bool again;       /* the host is asked once more, and says nothing */
  unsigned line;    /* of the transcript, for messages */

  bool failed;        /* a message was printed */
  bool out_of_memory; /* the host was told so by some call */
  bool setup_failed;
};

/* Plays the transcript; the streams stay for a look until run_clear(). Prints
 * what went wrong as TAP diagnostics. */
void run_play(struct run *run, const struct script *script,
              const struct mode *mode);
void run_clear(struct run *run);

/* The session of what plays a stream of the transcript, or NULL. */
sbk_session *run_session(const struct stream *stream);
/* For clients: bytes of a connection, in pieces as the mode has it; the end of
 * its socket; bytes go out. */
void run_feed(struct stream *stream, const struct codes *codes);
void run_end(struct stream *stream, bool told);
void run_serve(struct stream *stream);
/* A little while passes, which the next time of the transcript lacks. */
void run_wait(struct run *run, sbk_msec span);

/* Some number below step, of each transcript. */
size_t run_place(const struct script *script, size_t step);
/* Something that must not be; printed once for a run. */
void run_fault(struct run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The host program; see host.c. */
int host_setup(struct run *run);
/* The log of events of callbacks gets a line. */
void host_event(struct run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A host's line of the transcript; its result. */
int host_act(struct run *run, const char *text);
struct stream *host_stream(struct run *run, const char *name);
/* Keeps in mind that a call had no memory. */
int host_result(struct run *run, int result);

#endif
