/* http.c - the page, from memory. */
#include "http.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "text.h"

#define FILES_MOST 256u
#define FILE_MOST  (4u << 20)

struct page {
  char *path; /* as it is asked for */
  const char *type;
  struct text body;
};

struct pages {
  struct page all[FILES_MOST];
  size_t count;
};

/* Nothing but our own files: no script, style, font or frame of others, no
 * inline script, no form to elsewhere. */
#define POLICY                                                                 \
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' "   \
  "data:; font-src 'self'; connect-src 'self'; form-action 'self'; "           \
  "base-uri 'none'; frame-ancestors 'none'"

void http_answer(sbk_request *request, int status, const char *type,
                 const char *cookie, const void *body, size_t len) {
  const struct sbk_field fields[] = {
      {"Content-Type", type},
      {"Cache-Control",
       strcmp(type, "font/woff2") == 0 ? "max-age=86400" : "no-store"},
      {"Content-Security-Policy", POLICY},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      /* One of these at most. */
      {status == 405   ? "Allow"
       : status == 429 ? "Retry-After"
       : cookie        ? "Set-Cookie"
                       : NULL,
       status == 405   ? "GET, HEAD"
       : status == 429 ? "30"
                       : cookie},
      {NULL, NULL}};
  int rv = sbk_request_answer(request, status, fields, body, len);
  if (rv != 0) complain("answer: %s", sbk_strerror(rv));
}

static const char *type_of(const char *name) {
  static const struct {
    const char *end, *type;
  } types[] = {{".html", "text/html; charset=utf-8"},
               {".css", "text/css; charset=utf-8"},
               {".js", "text/javascript; charset=utf-8"},
               {".svg", "image/svg+xml"},
               {".png", "image/png"},
               {".woff2", "font/woff2"},
               {".webmanifest", "application/manifest+json"}};
  const char *dot = strrchr(name, '.');
  size_t i;
  for (i = 0; dot != NULL && i < sizeof(types) / sizeof(types[0]); i++)
    if (strcmp(dot, types[i].end) == 0) return types[i].type;
  return NULL;
}

static int add_file(struct pages *p, int folder, const char *url,
                    const char *name) {
  struct page *page = &p->all[p->count];
  int rv;
  page->type = type_of(name);
  if (page->type == NULL || name[0] == '.') return 0;
  if (p->count == FILES_MOST - 1) return -ENFILE;
  rv = file_read(folder, name, FILE_MOST, &page->body);
  if (rv == 0 && asprintf(&page->path, "%s%s", url, name) < 0) rv = -ENOMEM;
  if (rv != 0) {
    text_free(&page->body);
    memset(page, 0, sizeof(*page));
    return rv == -EISDIR ? 0 : rv;
  }
  p->count++;
  return 0;
}

/* The files of one folder whose names begin so, not those of folders in it. */
static int add_folder(struct pages *p, const char *path, const char *url,
                      const char *begin) {
  DIR *dir = opendir(path);
  struct dirent *e;
  int rv = dir ? 0 : -errno;
  while (rv == 0 && dir != NULL && (e = readdir(dir)) != NULL)
    if (strncmp(e->d_name, begin, strlen(begin)) == 0)
      rv = add_file(p, dirfd(dir), url, e->d_name);
  if (dir != NULL) closedir(dir);
  return rv;
}

static int add_module(struct pages *p, const char *modules, const char *folder,
                      const char *url, const char *begin) {
  char *path;
  int rv;
  if (asprintf(&path, "%s/%s", modules, folder) < 0) return -ENOMEM;
  rv = add_folder(p, path, url, begin);
  free(path);
  return rv;
}

static const struct page *find(const struct pages *p, const char *path) {
  size_t i;
  for (i = 0; i < p->count; i++)
    if (strcmp(p->all[i].path, path) == 0) return &p->all[i];
  return NULL;
}

struct pages *pages_load(const char *page, const char *modules) {
  struct pages *p = calloc(1, sizeof(*p));
  int rv = p ? add_folder(p, page, "/", "") : -ENOMEM;
  if (rv == 0 && find(p, "/index.html") == NULL) rv = -ENOENT;
  if (rv != 0) {
    complain("%s: %s", page, strerror(-rv));
    pages_free(p);
    return NULL;
  }
  if (add_module(p, modules, "@stomp/stompjs/esm6", "/vendor/stompjs/", "") ||
      add_module(p, modules, "@stomp/stompjs/esm6/compatibility",
                 "/vendor/stompjs/compatibility/", "") ||
      add_module(p, modules, "sockjs-client/dist", "/vendor/sockjs/",
                 "sockjs.min.js") ||
      add_module(p, modules, "@fontsource-variable/inter/files",
                 "/vendor/inter/", "inter-latin-wght-"))
    complain("%s: a package is missing; run npm ci beside package.json",
             modules);
  return p;
}

void pages_free(struct pages *p) {
  size_t i;
  if (p == NULL) return;
  for (i = 0; i < p->count; i++) {
    free(p->all[i].path);
    text_free(&p->all[i].body);
  }
  free(p);
}

void pages_request(struct chat *chat, sbk_request *request) {
  static const char plain[] = "text/plain; charset=utf-8";
  const char *method = sbk_request_method(request);
  const char *path = sbk_request_path(request);
  const struct page *page;
  if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
    http_answer(request, 405, plain, NULL, "GET only\n", 9);
    return;
  }
  page = find(chat->pages, strcmp(path, "/") == 0 ? "/index.html" : path);
  if (page == NULL) http_answer(request, 404, plain, NULL, "Not found\n", 10);
  else
    http_answer(request, 200, page->type, NULL, page->body.data,
                page->body.len);
}
