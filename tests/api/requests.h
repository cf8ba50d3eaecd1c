#ifndef REQUESTS_H
#define REQUESTS_H

#include "host.h"

/*
 * Requests of HTTP and their answers, on the peers of host.h. The answers are
 * read strictly: what a client cannot rely on is an error here.
 */
struct answer {
  int status;
  bool chunked;
  bool whole;       /* its end is there */
  char head[2048];  /* the lines of the fields, CRLF behind each */
  char value[512];  /* of the field that was asked for last */
  char body[65536]; /* without the chunks */
  const char *rest; /* of what was heard: the next answer */
};

/* Puts a request together: body NULL is one without Content-Length. */
static inline size_t request_text(char *dst, size_t size, const char *method,
                                  const char *target, const char *fields,
                                  const char *body) {
  char length[48] = "";
  int len;

  if (body != NULL) {
    snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(body));
  }
  len = snprintf(dst, size, "%s %s HTTP/1.1\r\nHost: h.example\r\n%s%s\r\n%s",
                 method, target, fields, length, body != NULL ? body : "");
  assert_true(len > 0 && (size_t)len < size);

  return (size_t)len;
}

static inline void peer_ask(struct peer *peer, const char *method,
                            const char *target, const char *fields,
                            const char *body) {
  static char text[70000];
  size_t len = request_text(text, sizeof(text), method, target, fields, body);

  peer->head = strcmp(method, "HEAD") == 0;
  peer_feed(peer, text, len);
}

/* The bytes of whole chunks, and whether the last one is there. What is behind
 * them; text if it is not there whole. */
static inline const char *dechunk(const char *text, char *dst, bool *whole) {
  char *behind;
  size_t len;

  *whole = false;
  while (*text != '\0' && !*whole) {
    len = strtoul(text, &behind, 16);
    assert_true(behind > text && strncmp(behind, "\r\n", 2) == 0);
    text = behind + 2;
    assert_true(strlen(text) >= len + 2);
    memcpy(dst, text, len);
    dst += len;
    text += len;
    assert_memory_equal(text, "\r\n", 2);
    text += 2;
    *whole = len == 0;
  }
  *dst = '\0';

  return text;
}

/* RFC 9112, 4: the status line. */
static inline const char *read_status(struct answer *answer, const char *text) {
  const char *end = strstr(text, "\r\n");

  assert_non_null(end);
  assert_memory_equal(text, "HTTP/1.1 ", 9);
  answer->status = atoi(text + 9);
  assert_in_range(answer->status, 200, 599);
  assert_int_equal(text[12], ' ');

  return end + 2;
}

/* NULL: there is none. Twice the same is an error, but for Set-Cookie. */
static inline const char *answer_field(struct answer *answer,
                                       const char *name) {
  const char *line = answer->head, *end;
  const size_t name_len = strlen(name);
  bool found = false;

  for (; *line != '\0'; line = end + 2) {
    end = strstr(line, "\r\n");
    if (strncmp(line, name, name_len) == 0 && line[name_len] == ':') {
      assert_false(found);
      assert_int_equal(line[name_len + 1], ' ');
      assert_true((size_t)(end - line) - name_len - 2 < sizeof(answer->value));
      memcpy(answer->value, line + name_len + 2,
             (size_t)(end - line) - name_len - 2);
      answer->value[(size_t)(end - line) - name_len - 2] = '\0';
      found = true;
    }
  }

  return found ? answer->value : NULL;
}

/* One answer at the start of text; to a HEAD it has no body, whatever it says.
 */
static inline void read_answer(struct answer *answer, const char *text,
                               bool head) {
  const char *length, *end;
  size_t len;

  memset(answer, 0, sizeof(*answer));
  text = read_status(answer, text);
  end = strstr(text, "\r\n\r\n");
  if (strncmp(text, "\r\n", 2) == 0) {
    end = text - 2; /* no field at all */
  }
  assert_non_null(end);
  len = (size_t)(end + 2 - text);
  assert_true(len < sizeof(answer->head));
  memcpy(answer->head, text, len);
  text = end + 4;

  length = answer_field(answer, "Content-Length");
  if (length != NULL) {
    len = head ? 0 : strtoul(length, NULL, 10);
    assert_null(answer_field(answer, "Transfer-Encoding"));
    assert_true(strlen(text) >= len);
    memcpy(answer->body, text, len);
    answer->rest = text + len;
    answer->whole = true;
  } else if (answer_field(answer, "Transfer-Encoding") != NULL) {
    assert_string_equal(answer->value, "chunked");
    answer->chunked = true;
    answer->rest = dechunk(text, answer->body, &answer->whole);
  } else if (answer->status == 204 || answer->status == 304) {
    answer->rest = text;
    answer->whole = true;
  } else {
    /* HTTP/1.0: up to the end of the stream */
    assert_string_equal(answer_field(answer, "Connection"), "close");
    strcpy(answer->body, text);
    answer->rest = "";
  }
}

/* The answer that a peer has heard, and nothing else. */
static inline struct answer *peer_answer(struct peer *peer) {
  static struct answer answer;

  read_answer(&answer, peer_hear(peer), peer->head);
  assert_string_equal(answer.rest, "");

  return &answer;
}

/* More of an answer in chunks. */
static inline const char *peer_more(struct peer *peer, bool *whole) {
  static char body[65536];

  assert_string_equal(dechunk(peer_hear(peer), body, whole), "");

  return body;
}

/* Frames of a stream that goes on, and of one that ends with them. */
static inline void expect_more(struct peer *peer, const char *frames) {
  bool whole;

  assert_string_equal(peer_more(peer, &whole), frames);
  assert_false(whole);
}

static inline void expect_last(struct peer *peer, const char *frames) {
  bool whole;

  assert_string_equal(peer_more(peer, &whole), frames);
  assert_true(whole);
}

/* One request on a connection of its own, which stays. */
static inline void peer_begin(struct peer *peer, struct host *host,
                              const char *method, const char *target,
                              const char *fields, const char *body) {
  peer_open(peer, host, SBK_HTTP);
  peer_ask(peer, method, target, fields, body);
}

/* One request on a connection of its own, and its whole answer. */
static inline struct answer *once(struct host *host, const char *method,
                                  const char *target, const char *fields,
                                  const char *body) {
  struct answer *answer;
  struct peer peer;

  peer_begin(&peer, host, method, target, fields, body);
  answer = peer_answer(&peer);
  assert_true(answer->whole);
  peer_leave(&peer);

  return answer;
}

static inline void expect_once(struct host *host, const char *method,
                               const char *target, const char *fields,
                               const char *body, int status,
                               const char *answer_body) {
  struct answer *answer = once(host, method, target, fields, body);

  assert_int_equal(answer->status, status);
  assert_string_equal(answer->body, answer_body);
}

/* An answer that has begun and has nothing to say yet. */
static inline void expect_waiting(struct peer *peer) {
  struct answer *answer = peer_answer(peer);

  assert_int_equal(answer->status, 200);
  assert_false(answer->whole);
  assert_string_equal(answer->body, "");
}

#endif
