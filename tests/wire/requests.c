#include "requests.h"

#include <stdio.h>
#include <string.h>

#define TYPE(type)                                                             \
  "Content-Type: " type "; charset=UTF-8\nX-Content-Type-Options: nosniff\n"
#define NOT_CACHED                                                             \
  "Cache-Control: no-store, no-cache, no-transform, must-revalidate, "         \
  "max-age=0\n"
#define CACHED                                                                 \
  "Cache-Control: public, max-age=31536000\n"                                  \
  "Expires: Thu, 31 Dec 2037 23:55:55 GMT\n"
#define YEAR "Access-Control-Max-Age: 31536000\n"

/* sockjs-protocol 0.3.3, HtmlFile, with blanks at its end. */
#define PAGE                                                                   \
  "<!doctype html>\\n<html><head>\\n"                                          \
  "  <meta http-equiv=\"X-UA-Compatible\" content=\"IE=edge\" />\\n"           \
  "  <meta http-equiv=\"Content-Type\" content=\"text/html; "                  \
  "charset=UTF-8\" />\\n"                                                      \
  "</head><body><h2>Don't panic!</h2>\\n  <script>\\n"                         \
  "    document.domain = document.domain;\\n"                                  \
  "    var c = parent.f;\\n    c.start();\\n"                                  \
  "    function p(d) {c.message(d);};\\n"                                      \
  "    window.onload = function() {c.stop();};\\n"                             \
  "  </script>\\n{*}\\r\\n\\r\\n"

/* What answers of each kind have in their heads. */
static const struct kind {
  const char *name;
  const char *fields; /* '*': where those of the transcript stand */
  const char *prelude;
  bool chunked;
} kinds[] = {
    {"poll", TYPE("application/javascript") NOT_CACHED "*\n", NULL, true},
    {"stream",
     TYPE("application/javascript") NOT_CACHED "*\nX-Accel-Buffering: no\n",
     "{h*2048}\\n", true},
    {"events",
     "Content-Type: text/event-stream\nX-Content-Type-Options: "
     "nosniff\n" NOT_CACHED "*\nX-Accel-Buffering: no\n",
     "\\r\\n", true},
    {"html", TYPE("text/html") NOT_CACHED "*\nX-Accel-Buffering: no\n", PAGE,
     true},
    {"script",
     TYPE("application/javascript") NOT_CACHED
     "*\nContent-Disposition: attachment; filename=\"f.txt\"\n",
     NULL, true},
    {"sent", TYPE("text/plain") NOT_CACHED "*\n", NULL, false},
    {"info", TYPE("application/json") NOT_CACHED "*\n", NULL, false},
    {"greeting", TYPE("text/plain") "*\n", NULL, false},
    {"page", TYPE("text/html") "ETag: \"{*}\"\n" CACHED "*\n", NULL, false},
    {"preflight", "*\n" YEAR CACHED, NULL, false},
    {"refusal", TYPE("text/plain") NOT_CACHED "*\n", NULL, false},
    {"bare", "*\n", NULL, false},
};

static const char *reason_of(const char *status) {
  static const char *const reasons[] = {
      "200 OK",
      "204 No Content",
      "304 Not Modified",
      "400 Bad Request",
      "401 Unauthorized",
      "403 Forbidden",
      "404 Not Found",
      "405 Method Not Allowed",
      "411 Length Required",
      "413 Content Too Large",
      "417 Expectation Failed",
      "500 Internal Server Error",
      "503 Service Unavailable",
  };
  size_t i;

  for (i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
    if (strncmp(reasons[i], status, strlen(status)) == 0) {
      return reasons[i];
    }
  }
  return status;
}

/* As it is, and no frame even if it begins like one. */
static void put_raw(const struct macro *m, const char *name, const char *text) {
  macro_put(m, "%s< %s%s\\", name, *text == '[' ? "\\" : "", text);
  macro_put(m, "%s", "");
}

/* METHOD NAME PATH [FIELD:VALUE …] [-FIELD …] [: BODY] */
static void put_request(const struct macro *m, const char *method,
                        const char *name, char *text) {
  char *body = strstr(text, " : "), *word;
  const char *path, *more[12];
  size_t count = 0, i;
  bool host = true, length = strcmp(method, "POST") == 0;

  if (body != NULL) {
    *body = '\0';
    body += 3;
  }
  path = next_word(&text);
  while (count < 12 && (word = next_word(&text)) != NULL) {
    host = host && strcmp(word, "-Host") != 0;
    length = length && strcmp(word, "-Content-Length") != 0;
    if (*word != '-') {
      more[count++] = word;
    }
  }
  macro_put(m, "%s> %s %s HTTP/1.1", name, method, path != NULL ? path : "/");
  if (host) {
    macro_put(m, "%s> Host: server.example", name);
  }
  for (i = 0; i < count; i++) {
    macro_put(m, "%s> %s", name, more[i]);
  }
  if (length) {
    macro_put(m, "%s> Content-Length: %zu", name,
              body != NULL ? parsed_len(body) : 0);
  }
  macro_put(m, "%s>", name);
  if (body != NULL) {
    macro_put(m, "%s> %s%s\\", name, *body == '[' ? "\\" : "", body);
  }
  macro_put(m, "%s", "");
}

/* The fields of a kind, and those of the transcript. */
static void put_fields(const struct macro *m, const char *name,
                       const struct kind *kind, char *more, bool *close) {
  const char *at = kind->fields, *part;

  for (; *at != '\0'; at += strcspn(at, "\n") + 1) {
    if (*at != '*') {
      macro_put(m, "%s< %.*s", name, (int)strcspn(at, "\n"), at);
      continue;
    }
    while ((part = next_part(&more)) != NULL) {
      if (strcmp(part, "Connection: close") == 0) {
        *close = true;
      } else {
        macro_put(m, "%s< %s", name, part);
      }
    }
  }
}

/* How long it is depends on what stands for {*}, {session}, {n}. */
static bool varies(const char *text) {
  return strstr(text, "{*}") != NULL || strstr(text, "{session}") != NULL ||
         strstr(text, "{n}") != NULL;
}

static void put_chunk(const struct macro *m, const char *name,
                      const char *text) {
  if (varies(text)) {
    macro_put(m, "%s< {*}", name);
  } else {
    macro_put(m, "%s< %zx", name, parsed_len(text));
  }
  macro_put(m, "%s< %s%s", name, *text == '[' ? "\\" : "", text);
  macro_put(m, "%s", "");
}

static void put_last_chunk(const struct macro *m, const char *name) {
  macro_put(m, "%s< 0", name);
  macro_put(m, "%s<", name);
  macro_put(m, "%s", "");
}

/* What follows the head. */
static void put_content(const struct macro *m, const char *name,
                        const struct kind *kind, bool chunked,
                        const char *body) {
  void (*put)(const struct macro *, const char *, const char *) =
      chunked ? put_chunk : put_raw;

  if (kind->prelude != NULL) {
    put(m, name, kind->prelude);
  }
  if (body != NULL) {
    put(m, name, body);
    if (chunked) {
      put_last_chunk(m, name);
    }
  }
}

/* answers NAME STATUS KIND [+ FIELD …] [: BODY] */
static bool put_answer(const struct macro *m, const char *name, char *text) {
  const char *status = next_word(&text), *word;
  char *body = strstr(text, " : "), *more;
  const struct kind *kind = NULL;
  bool close = false;
  size_t i;

  if (body != NULL) {
    *body = '\0';
    body += 3;
  }
  more = strstr(text, "+ ");
  word = next_word(&text);
  for (i = 0; word != NULL && i < sizeof(kinds) / sizeof(*kinds); i++) {
    if (strcmp(kinds[i].name, word) == 0) {
      kind = &kinds[i];
    }
  }
  if (kind == NULL) {
    return false;
  }
  macro_put(m, "%s< HTTP/1.1 %s", name, reason_of(status));
  put_fields(m, name, kind, more != NULL ? more + 2 : NULL, &close);
  if (kind->chunked && !close) {
    macro_put(m, "%s< Transfer-Encoding: chunked", name);
  } else if (!kind->chunked && body != NULL && varies(body)) {
    macro_put(m, "%s< Content-Length: {*}", name);
  } else if (!kind->chunked && strcmp(status, "204") != 0 &&
             strcmp(status, "304") != 0) {
    macro_put(m, "%s< Content-Length: %zu", name,
              body != NULL ? parsed_len(body) : 0);
  }
  if (close) {
    macro_put(m, "%s< Connection: close", name);
  }
  macro_put(m, "%s<", name);
  macro_put(m, "%s", "");
  put_content(m, name, kind, kind->chunked && !close, body);
  return true;
}

bool request_line(const struct macro *m, const char *what, char *text) {
  static const struct {
    const char *line;
    const char *method;
  } methods[] = {{"gets", "GET"}, {"posts", "POST"}, {"options", "OPTIONS"}};
  char *name;
  size_t i;

  for (i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
    if (strcmp(methods[i].line, what) == 0 &&
        (name = next_word(&text)) != NULL) {
      put_request(m, methods[i].method, name, text);
      return true;
    }
  }
  if (strcmp(what, "answers") == 0 && (name = next_word(&text)) != NULL) {
    return put_answer(m, name, text);
  }
  if (strcmp(what, "chunk") == 0 && (name = next_word(&text)) != NULL) {
    put_chunk(m, name, text);
    return true;
  }
  if (strcmp(what, "stream-end") == 0 && (name = next_word(&text)) != NULL) {
    put_last_chunk(m, name);
    return true;
  }
  return false;
}
