#ifndef STOMPBROKER_SOCKJS_H
#define STOMPBROKER_SOCKJS_H

#include <stompbroker/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * SockJS (sockjs-protocol 0.3.3) below an endpoint: for clients whose proxies
 * break WebSocket. Sessions over requests of HTTP are sessions like any other;
 * all of the messaging is the same.
 *
 *   {path}                                    a greeting; with an Upgrade, and
 *   {path}/websocket                          a WebSocket without SockJS
 *   {path}/info                               what the server can do
 *   {path}/{server}/{session}/websocket       SockJS over WebSocket
 *   {path}/{server}/{session}/xhr             the client polls
 *   {path}/{server}/{session}/xhr_streaming   one answer after another that do
 *   {path}/{server}/{session}/eventsource     not end soon
 *   {path}/{server}/{session}/xhr_send        the client sends
 *
 * and, where they are enabled, htmlfile, jsonp, jsonp_send, iframe*.html. A
 * session is known to those who name its user (sbk_request_set_user()) and its
 * Origin. What an answer that was cut did not bring comes with the next.
 *
 * A session over requests counts as a connection (max_connections,
 * max_pending), besides those its requests come on.
 */
struct sbk_sockjs {
  size_t size; /**< SBK_SOCKJS_INIT sets it */
  /** Nonzero: {path}/info says that there is no WebSocket, and the paths that
   * end in websocket are not found. For hosts that cannot upgrade. */
  int no_websocket;
  /** Nonzero: answers of sessions set the cookie JSESSIONID, as some load
   * balancers want it to bring a session's requests to one server. */
  int cookie;
  /** Nonzero: htmlfile and jsonp, for browsers of the last decade. A page that
   * is let in by them runs what they answer as a script; their requests often
   * have no Origin, so that of Referer counts. */
  int htmlfile;
  int jsonp;
  /** The script that the iframe page loads: an absolute URL, or a path. NULL:
   * no iframe page. Pages of allowed_origins may frame it. */
  const char *client_url;
  /** A sign of life to clients that agreed on no heart-beats of STOMP: 25 s, to
   * a day. */
  sbk_msec heartbeat;
  /** How long a session lives without a request that takes its output, and an
   * ended one is remembered: 5 s, to 1 h. */
  sbk_msec disconnect_delay;
  size_t stream_limit; /**< bytes of one streaming answer: 128 KiB, to 1 GiB */
  size_t max_body;     /**< bytes of a body of xhr_send, jsonp_send: 1 MiB, to
                            1 GiB; before CONNECTED max_preauth_input if that is
                            less */
};
#define SBK_SOCKJS_INIT SBK__SIZED(struct sbk_sockjs)

#ifdef __cplusplus
}
#endif

#endif
