#ifndef SBK__SOCKJS_PAGE_H
#define SBK__SOCKJS_PAGE_H

#include "request.h"

/* Answers of SockJS that are whole at once. Each answers conn's request and
 * goes on behind it. */

/* With a status that refuses. */
void sbk__sockjs_refuse(sbk_conn *conn, int status);
/* CORS (Fetch, 3.2.2): may the page ask that? */
void sbk__sockjs_answer_options(sbk_conn *conn);
void sbk__sockjs_answer_greeting(sbk_conn *conn);
void sbk__sockjs_answer_info(sbk_conn *conn);
void sbk__sockjs_answer_iframe(sbk_conn *conn);
/* What it brought is with the host. */
void sbk__sockjs_answer_sender(sbk_conn *conn);

#endif
