#ifndef CHAT_HTTP_H
#define CHAT_HTTP_H

#include "chat.h"

/** The files of the page, in memory: what was not there at the start cannot be
 * asked for, whatever the path. */
struct pages;

/**
 * Reads the files of the page folder, served at "/", and the two packages that
 * npm put to the modules folder, served at "/vendor/". NULL: no index.html, or
 * no memory; why was said on stderr.
 */
struct pages *pages_load(const char *page, const char *modules);
void pages_free(struct pages *p);

/** Answers GET and HEAD, with the file or 404. */
void pages_request(struct chat *chat, sbk_request *request);

/** An answer with the fields that all of ours have; cookie may be NULL. */
void http_answer(sbk_request *request, int status, const char *type,
                 const char *cookie, const void *body, size_t len);

#endif
