#ifndef BROKER_LOGIN_H
#define BROKER_LOGIN_H

#include "options.h"

/** The users that may come, or anyone. */
struct login;

/** From NAME:PASSCODE each; none of them: anyone may come. NULL: a line on
 * stderr has said why. */
struct login *login_new(const struct list *users);
void login_free(struct login *login);
/** NAME:PASSCODE with something on both sides. */
bool login_valid(const char *user);
/** Names the users of sessions from now on. */
int login_setup(struct login *login, sbk_broker *broker);

#endif
