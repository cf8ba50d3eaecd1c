#include "fault.h"

#include <assert.h>

#include <stompbroker/base.h>

static const struct {
  const char *text;
  int error;
  uint16_t close;
} faults[SBK__FAULT_COUNT] = {
    [SBK__FAULT_NONE] = {"", 0, 1000},

    [SBK__FAULT_WS_UNMASKED] = {"frame without a mask", SBK_ERR_WEBSOCKET,
                                1002},
    [SBK__FAULT_WS_RESERVED] = {"reserved bits are set", SBK_ERR_WEBSOCKET,
                                1002},
    [SBK__FAULT_WS_OPCODE] = {"unknown opcode", SBK_ERR_WEBSOCKET, 1002},
    [SBK__FAULT_WS_CONTROL] = {"control frame too long or fragmented",
                               SBK_ERR_WEBSOCKET, 1002},
    [SBK__FAULT_WS_LENGTH] = {"frame length is malformed", SBK_ERR_WEBSOCKET,
                              1002},
    [SBK__FAULT_WS_ORDER] = {"fragments out of order", SBK_ERR_WEBSOCKET, 1002},
    [SBK__FAULT_WS_CLOSE] = {"malformed close frame", SBK_ERR_WEBSOCKET, 1002},
    [SBK__FAULT_WS_UTF8] = {"text is not UTF-8", SBK_ERR_WEBSOCKET, 1007},
    [SBK__FAULT_WS_MESSAGE_SIZE] = {"message over max_message", SBK_ERR_TOO_BIG,
                                    1009},
    [SBK__FAULT_WS_FRAGMENTS] = {"too many fragments", SBK_ERR_TOO_MANY, 1008},
    [SBK__FAULT_CONTROL_RATE] = {"too many control frames or line ends",
                                 SBK_ERR_TOO_MANY, 1008},

    [SBK__FAULT_SOCKJS] = {"broken JSON encoding", SBK_ERR_WEBSOCKET, 1007},

    [SBK__FAULT_COMMAND] = {"unknown command", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_COMMAND_SIZE] = {"command over max_command", SBK_ERR_TOO_BIG,
                                 1009},
    [SBK__FAULT_SERVER_COMMAND] = {"command is the server's", SBK_ERR_STOMP,
                                   1002},
    [SBK__FAULT_NUL] = {"NUL inside the head of a frame", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_CR] = {"CR without LF", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_COLON] = {"header without a colon", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_HEADER_NAME] = {"header without a name", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_ESCAPE] = {"undefined escape in a header", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_REPEATED] = {"header repeated with another value",
                             SBK_ERR_STOMP, 1002},
    [SBK__FAULT_HEADERS] = {"more headers than max_headers", SBK_ERR_TOO_MANY,
                            1008},
    [SBK__FAULT_HEADER_LINE] = {"header over max_header_line", SBK_ERR_TOO_BIG,
                                1009},
    [SBK__FAULT_HEADER_BYTES] = {"headers over max_header_bytes",
                                 SBK_ERR_TOO_BIG, 1009},
    [SBK__FAULT_FRAME_SIZE] = {"frame over max_message", SBK_ERR_TOO_BIG, 1009},
    [SBK__FAULT_PREAUTH_FRAME] = {"frame over max_preauth_frame",
                                  SBK_ERR_TOO_BIG, 1009},
    [SBK__FAULT_CONTENT_LENGTH] = {"malformed content-length", SBK_ERR_STOMP,
                                   1002},
    [SBK__FAULT_TERMINATOR] = {"no NUL behind the body", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_BODY] = {"body on a frame that has none", SBK_ERR_STOMP, 1002},

    [SBK__FAULT_NOT_CONNECTED] = {"CONNECT has to come first", SBK_ERR_STOMP,
                                  1002},
    [SBK__FAULT_CONNECTED] = {"connected already", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_VERSION] = {"no version in common", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_HEARTBEAT] = {"malformed heart-beat", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_PREAUTH_INPUT] =
        {"more than max_preauth_input before CONNECTED", SBK_ERR_TOO_BIG, 1009},
    [SBK__FAULT_HELD_INPUT] = {"more than max_queue sent while held",
                               SBK_ERR_TOO_BIG, 1009},
    [SBK__FAULT_CONNECT_TIMEOUT] = {"not connected within connect_timeout",
                                    SBK_ERR_TIMEOUT, 1008},
    [SBK__FAULT_EXPIRED] = {"session expired", SBK_ERR_DENIED, 1008},
    [SBK__FAULT_SILENT] = {"no heart-beat in time", SBK_ERR_TIMEOUT, 1008},
    [SBK__FAULT_PREAUTH_OUTPUT] =
        {"more than max_preauth_output before CONNECTED", SBK_ERR_SLOW, 1008},
    [SBK__FAULT_QUEUE_SIZE] = {"too slow, over max_queue", SBK_ERR_SLOW, 1008},
    [SBK__FAULT_QUEUE_AGE] = {"too slow, over send_timeout", SBK_ERR_SLOW,
                              1008},
    [SBK__FAULT_TOTAL_QUEUE] = {"too slow, all peers over max_total_queue",
                                SBK_ERR_SLOW, 1008},
    [SBK__FAULT_DENIED] = {"refused", SBK_ERR_DENIED, 1008},
    [SBK__FAULT_HANDLER] = {"handler failed", SBK_ERR_CALLBACK, 1008},
    [SBK__FAULT_NOMEM] = {"out of memory", SBK_ERR_NOMEM, 1011},
    [SBK__FAULT_MESSAGE_HANDLER] = {"message handler failed", SBK_ERR_CALLBACK,
                                    1011},
    [SBK__FAULT_SHUTDOWN] = {"shutting down", SBK_ERR_CLOSED, 1001},

    [SBK__FAULT_NO_DESTINATION] = {"destination is missing", SBK_ERR_STOMP,
                                   1002},
    [SBK__FAULT_DESTINATION] = {"malformed destination", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_DESTINATION_SIZE] =
        {"destination over max_destination or max_levels", SBK_ERR_TOO_BIG,
         1009},
    [SBK__FAULT_PATTERN] = {"malformed pattern", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_PATTERN_SIZE] = {"pattern over max_wildcards", SBK_ERR_TOO_MANY,
                                 1008},
    [SBK__FAULT_UNROUTABLE] = {"no such destination", SBK_ERR_STOMP, 1008},
    [SBK__FAULT_USER_SEND] = {"clients may not send to users", SBK_ERR_DENIED,
                              1008},
    [SBK__FAULT_USER_SUBSCRIBE] = {"destination of another user",
                                   SBK_ERR_DENIED, 1008},
    [SBK__FAULT_NO_ID] = {"id is missing", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_ID_SIZE] = {"id over max_subscription_id", SBK_ERR_TOO_BIG,
                            1009},
    [SBK__FAULT_DUPLICATE_ID] = {"subscription id is in use", SBK_ERR_STOMP,
                                 1002},
    [SBK__FAULT_UNKNOWN_ID] = {"no such subscription", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_SUBSCRIPTIONS] = {"more subscriptions than max_subscriptions",
                                  SBK_ERR_TOO_MANY, 1008},
    [SBK__FAULT_RECEIPT_SIZE] = {"receipt over max_receipt", SBK_ERR_TOO_BIG,
                                 1009},
    [SBK__FAULT_ACK_MODE] = {"unknown ack mode", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_ACK] = {"nothing to acknowledge", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_ACK_ID] = {"id of the message is missing", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_NACK_VERSION] = {"NACK is not in STOMP 1.0", SBK_ERR_STOMP,
                                 1002},
    [SBK__FAULT_PREFETCH] = {"malformed prefetch-count", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_QUEUE_PATTERN] = {"pattern over queues", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_QUEUE_FULL] =
        {"queue over max_queued_messages, max_queued_bytes or "
         "max_total_queued_bytes",
         SBK_ERR_TOO_MANY, 1008},
    [SBK__FAULT_TX_NAME] = {"transaction is missing", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_TX_SIZE] = {"transaction over max_transaction", SBK_ERR_TOO_BIG,
                            1009},
    [SBK__FAULT_TX_KNOWN] = {"transaction is open already", SBK_ERR_STOMP,
                             1002},
    [SBK__FAULT_TX_UNKNOWN] = {"no such transaction", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_TX_COUNT] = {"more transactions than max_transactions",
                             SBK_ERR_TOO_MANY, 1008},
    [SBK__FAULT_TX_ACTIONS] = {"transaction over max_transaction_actions",
                               SBK_ERR_TOO_MANY, 1008},
    [SBK__FAULT_TX_BYTES] = {"transaction over max_transaction_bytes",
                             SBK_ERR_TOO_BIG, 1009},
    [SBK__FAULT_HISTORY] = {"malformed history", SBK_ERR_STOMP, 1002},
    [SBK__FAULT_RETAINED_FULL] = {"over max_retained or max_retained_bytes",
                                  SBK_ERR_TOO_MANY, 1008},
    [SBK__FAULT_SELECTOR] = {"selectors are not supported", SBK_ERR_STOMP,
                             1002},
};

const char *sbk__fault_text(enum sbk__fault fault) {
  assert(fault < SBK__FAULT_COUNT && faults[fault].text != NULL);
  return faults[fault].text;
}

int sbk__fault_error(enum sbk__fault fault) {
  return faults[fault].error;
}

uint16_t sbk__fault_close(enum sbk__fault fault) {
  return faults[fault].close;
}
