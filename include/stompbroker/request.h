#ifndef STOMPBROKER_REQUEST_H
#define STOMPBROKER_REQUEST_H

#include <stompbroker/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * An HTTP request: one that asks for a session, in `handshake`, or one for a
 * path of the host's own, in `request`. It is valid until its callback returns
 * SBK_PASS or SBK_REJECT, until it is answered or resumed, or until
 * `request_gone` returns. Strings live as long.
 */

/** "GET"; for the host's paths also "HEAD", "POST" and "OPTIONS". */
SBK_API const char *sbk_request_method(sbk_request *request);
/** The target up to the query, as it came: nothing is decoded. Begins with
 * '/'. */
SBK_API const char *sbk_request_path(sbk_request *request);
/**
 * Copies the value of a query parameter, percent-decoded ('+' is a blank), to
 * dst, ended by NUL. Its length without NUL; SBK_ERR_NOT_FOUND;
 * SBK_ERR_TOO_BIG: it does not fit in size bytes; SBK_ERR_INVAL: bad escapes,
 * or a NUL. dst is as before on failure.
 */
SBK_API int sbk_request_query(sbk_request *request, const char *name, char *dst,
                              size_t size);
/** The first field of that name, in any case; blanks around it cut off; NULL:
 * absent. */
SBK_API const char *sbk_request_field(sbk_request *request, const char *name);
/** As sbk_request_query(), of the Cookie fields, without decoding. */
SBK_API int sbk_request_cookie(sbk_request *request, const char *name,
                               char *dst, size_t size);
/** The body of a POST; never NULL; *len is 0 when there is none. */
SBK_API const void *sbk_request_body(sbk_request *request, size_t *len);
/** The peer's name of sbk_conn_new(), or "". */
SBK_API const char *sbk_request_peer(sbk_request *request);
SBK_API sbk_broker *sbk_request_broker(sbk_request *request);

/** Memory of the host's that goes with the request, for `request_gone`. NULL
 * at first; the library never looks at it. */
SBK_API void *sbk_request_user_data(sbk_request *request);
SBK_API void sbk_request_set_user_data(sbk_request *request, void *user_data);

/*
 * For handshakes.
 */

/** Names the user of the session to be. Copied. 0; SBK_ERR_NOMEM;
 * SBK_ERR_INVAL: empty, over max_user, a control character in it, or "%2F";
 * SBK_ERR_STATE: this is no handshake. */
SBK_API int sbk_request_set_user(sbk_request *request, const char *user);
/** The session of SockJS that the request belongs to; NULL: it opens one, or
 * asks for the last words of one that has ended. */
SBK_API sbk_session *sbk_request_session(sbk_request *request);
/** What sbk_session_data() of the session to be will give. 0; SBK_ERR_STATE:
 * this is no handshake, or it opens no session. */
SBK_API int sbk_request_set_session_data(sbk_request *request, void *data);
/** The status of the refusal, 400 to 599; 403 unless set. 0, SBK_ERR_INVAL. */
SBK_API int sbk_request_set_status(sbk_request *request, int status);
/** Ends SBK_WAIT of `handshake`: SBK_PASS lets the peer in, anything else
 * refuses it. 0; SBK_ERR_STATE: it does not wait. The request dies. */
SBK_API int sbk_request_resume(sbk_request *request, enum sbk_verdict verdict);

/*
 * For the host's own paths.
 */

/** A field of an answer. Its list ends with a NULL name. */
struct sbk_field {
  const char *name;
  const char *value;
};

/**
 * Answers with a status (200 to 599), fields (NULL: none; Content-Length
 * and Connection are the library's; a Date would need a clock) and a body,
 * copied; to a HEAD the body's length only. The request dies, unless this is
 * called from its own callback: then on return from there.
 *
 * 0; SBK_ERR_NOMEM: nothing was answered; SBK_ERR_INVAL: a status out of
 * range, or a field with a character that HTTP does not allow; SBK_ERR_STATE:
 * this is a handshake, or it was answered.
 */
SBK_API int sbk_request_answer(sbk_request *request, int status,
                               const struct sbk_field *fields, const void *body,
                               size_t len);

#ifdef __cplusplus
}
#endif

#endif
