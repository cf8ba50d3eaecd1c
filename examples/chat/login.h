#ifndef CHAT_LOGIN_H
#define CHAT_LOGIN_H

#include "chat.h"

/*
 * A login is a cookie that scripts cannot read and that is sent to /token
 * alone, under a name of its own for each user. It gives session tokens, which
 * are over soon: what a page can lose is worth little.
 *
 * Bodies are JSON. Each takes POST from pages of allowed origins alone. What
 * fails is answered with {"error": a word, "message": a sentence}.
 */

/**
 * POST /login, {"name", "password"}, or as a form. 200, or 201 if the name is
 * new and now the caller's: {"name", "token", "expires", "now", "created"} and
 * the cookie. expires is in seconds since 1970, now in milliseconds.
 */
void login_request(struct chat *chat, sbk_request *request);
/** The peer of a login that is under way has gone. */
void login_gone(sbk_request *request);

/** POST /token, {"name"}, with the cookie: 200 and a new token, as above, or
 * 401. It lasts no longer than the login. */
void login_renew(struct chat *chat, sbk_request *request);

/** POST /logout, {"name"}: takes the cookie away. */
void login_end(struct chat *chat, sbk_request *request);

#endif
