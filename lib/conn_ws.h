#ifndef SBK__CONN_WS_H
#define SBK__CONN_WS_H

#include "conn.h"

/* Takes bytes of WebSocket; how many. Less than len: the session waits; what
 * of a frame it did not take is held already. */
size_t sbk__conn_ws_take(sbk_conn *conn, const uint8_t *data, size_t len);

#endif
