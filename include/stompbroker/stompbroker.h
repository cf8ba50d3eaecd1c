#ifndef STOMPBROKER_STOMPBROKER_H
#define STOMPBROKER_STOMPBROKER_H

#include <stompbroker/base.h>
#include <stompbroker/broker.h>
#include <stompbroker/conn.h>
#include <stompbroker/handler.h>
#include <stompbroker/message.h>
#include <stompbroker/request.h>
#include <stompbroker/rule.h>
#include <stompbroker/send.h>
#include <stompbroker/session.h>
#include <stompbroker/sockjs.h>
#include <stompbroker/stats.h>
#include <stompbroker/topic.h>
#include <stompbroker/version.h>

#endif
