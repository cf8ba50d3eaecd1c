#include "answers.h"

#include <stdio.h>
#include <string.h>

bool answers_apply(const struct script *script) {
  size_t i;

  for (i = 0; i < script->endpoint_count; i++) {
    if (script->endpoints[i].sockjs.size > 0) {
      return true;
    }
  }
  return false;
}

/* What is left to look at. */
struct rest {
  const uint16_t *at;
  size_t len;
};

static bool begins(const struct rest *rest, const char *text) {
  size_t i;

  for (i = 0; text[i] != '\0'; i++) {
    if (i == rest->len || rest->at[i] != (uint8_t)text[i]) {
      return false;
    }
  }
  return true;
}

static void skip(struct rest *rest, size_t len) {
  len = len < rest->len ? len : rest->len;
  rest->at += len;
  rest->len -= len;
}

/* The stream was cut here, or is a new one from here on. */
static bool is_over(const struct rest *rest) {
  return rest->len == 0 || rest->at[0] > 255 || begins(rest, "HTTP/1.1 ");
}

static void skip_stream(struct rest *rest) {
  do {
    skip(rest, 1);
  } while (rest->len > 0 && !begins(rest, "HTTP/1.1 "));
}

/* Bytes up to and with a CRLF; false: one of them cannot stand there. */
static bool skip_line(struct rest *rest) {
  while (!is_over(rest) && !begins(rest, "\r\n")) {
    if (rest->at[0] < 0x20 && rest->at[0] != '\r') {
      return false;
    }
    skip(rest, 1);
  }
  skip(rest, is_over(rest) ? 0 : 2);
  return true;
}

static size_t number(const struct rest *rest, unsigned base, size_t *digits) {
  static const char names[] = "0123456789abcdef";
  size_t value = 0;
  const char *digit;

  for (*digits = 0;
       *digits < rest->len && rest->at[*digits] < 0x80 && rest->at[*digits] > 0;
       (*digits)++) {
    digit = memchr(names, rest->at[*digits], base);
    if (digit == NULL) {
      break;
    }
    value = value * base + (size_t)(digit - names);
  }
  return value;
}

static void skip_bytes(struct rest *rest, size_t len) {
  while (len > 0 && !is_over(rest)) {
    skip(rest, 1);
    len--;
  }
}

/* RFC 9112, 7.1 */
static bool skip_chunks(struct rest *rest) {
  size_t len = 1, digits;

  while (len > 0 && !is_over(rest)) {
    len = number(rest, 16, &digits);
    skip(rest, digits);
    if (digits == 0 || !skip_line(rest)) {
      return false;
    }
    skip_bytes(rest, len);
    if (!is_over(rest) && rest->at[0] != '\r') {
      return false;
    }
    skip_bytes(rest, 2);
  }
  return true;
}

static bool skip_answer(struct rest *rest) {
  bool upgrade = begins(rest, "HTTP/1.1 101 "), chunked = false, counted;
  bool bare = begins(rest, "HTTP/1.1 204 ") || begins(rest, "HTTP/1.1 304 ");
  size_t len = 0, digits;

  if (!begins(rest, "HTTP/1.1 ")) {
    return false;
  }
  counted = bare;
  skip(rest, 9);
  while (!is_over(rest) && !begins(rest, "\r\n")) {
    chunked = chunked || begins(rest, "Transfer-Encoding: chunked\r\n");
    if (begins(rest, "Content-Length: ")) {
      struct rest value = {rest->at + 16, rest->len - 16};

      counted = true;
      len = number(&value, 10, &digits);
    }
    if (!skip_line(rest)) {
      return false;
    }
  }
  skip_bytes(rest, is_over(rest) ? 0 : 2);
  if (chunked) {
    return skip_chunks(rest);
  }
  if (upgrade || !counted) {
    skip_stream(rest);
  } else if (!is_over(rest)) { /* it is over too if this answers a HEAD */
    skip_bytes(rest, len);
  }
  return true;
}

static bool is_http(const struct codes *shown) {
  struct rest rest = {shown->at, shown->len};

  while (rest.len > 0) {
    if (rest.at[0] > 255) {
      skip(&rest, 1);
    } else if (!skip_answer(&rest)) {
      return false;
    }
  }
  return true;
}

static size_t count(const struct codes *codes, const char *text) {
  struct rest rest = {codes->at, codes->len};
  size_t found = 0;

  for (; rest.len > 0; skip(&rest, 1)) {
    found += begins(&rest, text);
  }
  return found;
}

static size_t count_code(const struct codes *codes, unsigned code) {
  size_t i, found = 0;

  for (i = 0; i < codes->len; i++) {
    found += codes->at[i] == code;
  }
  return found;
}

/* Are there more signs of a failure than otherwise? A session that opens is
 * one: there was another, or something would have been shown before. */
static bool tells(const struct codes *clean, const struct codes *now) {
  static const char *const signs[] = {
      "c[1011,", "out of memory", "\no\n",         "data: o\r",
      "(\"o\")", "HTTP/1.1 404 ", "HTTP/1.1 500 ", "HTTP/1.1 503 "};
  size_t i;

  for (i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
    if (count(now, signs[i]) > count(clean, signs[i])) {
      return true;
    }
  }
  return count_code(now, CODE_END) > count_code(clean, CODE_END) ||
         count_code(now, CODE_CLOSE) > count_code(clean, CODE_CLOSE);
}

/* Does the first thing that is otherwise end with the stream? */
static bool breaks_off(const struct codes *clean, const struct codes *now) {
  struct rest rest = {now->at, now->len};
  size_t i = 0;

  while (i < now->len && i < clean->len && now->at[i] == clean->at[i]) {
    i++;
  }
  for (skip(&rest, i); rest.len > 0 && !begins(&rest, "HTTP/1.1 ");
       skip(&rest, 1)) {
    if (rest.at[0] == CODE_END) {
      return true;
    }
  }
  return false;
}

bool answers_judge(const struct run *clean, struct run *now) {
  bool told = now->out_of_memory || now->setup_failed, differs = false;
  unsigned i;

  for (i = 1; i < clean->script->stream_count; i++) {
    struct codes expected = {0}, actual = {0};

    codes_generalize(&expected, &clean->streams[i].shower.shown);
    codes_generalize(&actual, &now->streams[i].shower.shown);
    if (clean->streams[i].shower.http &&
        !is_http(&now->streams[i].shower.shown)) {
      run_fault(now, "%s shows what is no HTTP:", clean->script->streams[i]);
      codes_print_diff(&expected, &actual);
    }
    told = told || tells(&expected, &actual) ||
           breaks_off(&expected, &actual) ||
           (now->streams[i].closing &&
            (!clean->streams[i].closing ||
             count_code(&actual, CODE_END) < count_code(&expected, CODE_END)));
    differs = differs || !codes_equal(&expected, &actual);
    codes_free(&expected);
    codes_free(&actual);
  }
  if (differs && !told) {
    run_fault(now, "something is otherwise, and nobody was told");
    for (i = 1; i < clean->script->stream_count; i++) {
      printf("#   %s\n", clean->script->streams[i]);
      codes_print_diff(&clean->streams[i].shower.shown,
                       &now->streams[i].shower.shown);
    }
  }
  return !now->failed;
}
