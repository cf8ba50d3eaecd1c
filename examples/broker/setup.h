#ifndef BROKER_SETUP_H
#define BROKER_SETUP_H

#include "login.h"
#include "options.h"

/** False, here and below: a line on stderr has said which option is malformed.
 * This one looks at all that the library may refuse but addresses. */
bool setup_check(const struct options *o);
/** Makes the broker with its endpoints and handlers. */
bool setup_broker(sbk_broker **broker, const struct options *o,
                  struct login *login);

#endif
