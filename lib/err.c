#include <stompbroker/base.h>

const char *sbk_strerror(int error) {
  switch (error) {
  case SBK_OK:
    return "no error";
  case SBK_ERR_INVAL:
    return "an argument is out of its domain";
  case SBK_ERR_STATE:
    return "not allowed now";
  case SBK_ERR_NOT_FOUND:
    return "no such thing";
  case SBK_ERR_EXISTS:
    return "registered already";
  case SBK_ERR_ABI:
    return "a struct is newer than this library";
  case SBK_ERR_HTTP:
    return "the peer broke the rules of HTTP";
  case SBK_ERR_WEBSOCKET:
    return "the peer broke the rules of WebSocket";
  case SBK_ERR_STOMP:
    return "the peer broke the rules of STOMP";
  case SBK_ERR_EOF:
    return "the stream ended without a goodbye";
  case SBK_ERR_TOO_BIG:
    return "a size is over its limit";
  case SBK_ERR_SLOW:
    return "the peer does not read what waits for it";
  case SBK_ERR_TIMEOUT:
    return "the peer was silent for too long";
  case SBK_ERR_TOO_MANY:
    return "a count or a rate is over its limit";
  case SBK_ERR_DENIED:
    return "the host said no";
  case SBK_ERR_CALLBACK:
    return "a callback failed";
  case SBK_ERR_CLOSED:
    return "closed by the host";
  case SBK_ERR_NOMEM:
    return "out of memory";
  default:
    return "an unknown error";
  }
}

unsigned sbk_version(void) {
  return SBK_VERSION_NUM;
}
