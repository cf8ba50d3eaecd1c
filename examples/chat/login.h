#ifndef CHAT_LOGIN_H
#define CHAT_LOGIN_H

#include "chat.h"

/**
 * POST /login, {"name": …, "password": …} in JSON or as a form. 200, or 201 if
 * the name is new and now the caller's: {"name", "token", "expires",
 * "created"}. Else {"error": a word, "message": a sentence}.
 */
void login_request(struct chat *chat, sbk_request *request);
/** The peer of a login that is under way has gone. */
void login_gone(sbk_request *request);

#endif
