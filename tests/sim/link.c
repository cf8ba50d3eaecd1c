#include "sockjs.h"

#include <stdio.h>
#include <string.h>

#define PART 4096

static const char upgrade[] =
    "GET /ws HTTP/1.1\r\nHost: h.example\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static void put(struct link *link, const void *data, size_t len) {
  bytes_put(&link->up, data, len);
  link->put += len;
}

const char *const way_names[WAY_COUNT] = {"tcp", "websocket", "xhr_streaming",
                                          "xhr"};

bool link_open(struct link *link, sbk_broker *broker, struct chance *chance,
               enum way way, const char *name) {
  memset(link, 0, sizeof(*link));
  link->way = way;
  link->chance = chance;
  link->broker = broker;
  snprintf(link->name, sizeof(link->name), "%s", name);
  if (sbk_conn_new(&link->conn, broker, way == WAY_TCP ? SBK_TCP : SBK_HTTP,
                   name, NULL) != 0) {
    return false;
  }
  if (way == WAY_WEBSOCKET) {
    put(link, upgrade, sizeof(upgrade) - 1);
  } else if (link_is_sockjs(link)) {
    sockjs_open(link);
  }

  return true;
}

bool link_is_sockjs(const struct link *link) {
  return link->way >= WAY_STREAMING;
}

bool link_is_over(const struct link *link) {
  return link->closed ||
         (!link_is_sockjs(link) && sbk_conn_wants(link->conn) == 0);
}

bool link_is_full(const struct link *link) {
  char byte;

  return link_is_sockjs(link) ? sockjs_is_full(link)
                              : sbk_conn_copy_out(link->conn, &byte, 1) > 0;
}

void link_drop(struct link *link) {
  sbk_conn_free(link->conn);
  link->conn = NULL;
  bytes_free(&link->up);
  sockjs_drop(link);
}

void link_free(struct link *link) {
  link_drop(link);
  bytes_free(&link->raw);
  bytes_free(&link->in);
}

/* RFC 6455, 5.2: a masked frame. */
static void send_frame(struct link *link, int first, const char *data,
                       size_t len) {
  uint64_t random = chance_next(link->chance);
  unsigned char head[14], mask[4];
  size_t i, head_len = 2;
  char part[256];

  head[0] = (unsigned char)first;
  if (len < 126) {
    head[1] = (unsigned char)(0x80 | len);
  } else if (len < 65536) {
    head[1] = 0x80 | 126;
    head[2] = (unsigned char)(len >> 8);
    head[3] = (unsigned char)len;
    head_len = 4;
  } else {
    head[1] = 0x80 | 127;
    for (i = 0; i < 8; i++) {
      head[2 + i] = (unsigned char)((uint64_t)len >> (56 - 8 * i));
    }
    head_len = 10;
  }
  memcpy(mask, &random, 4);
  memcpy(head + head_len, mask, 4);
  put(link, head, head_len + 4);
  for (i = 0; i < len; i++) {
    part[i % sizeof(part)] = (char)(data[i] ^ mask[i % 4]);
    if (i % sizeof(part) == sizeof(part) - 1 || i == len - 1) {
      put(link, part, i % sizeof(part) + 1);
    }
  }
}

void link_send(struct link *link, const void *data, size_t len) {
  struct chance *chance = link->chance;
  const char *at = data;
  int opcode = 2;

  if (link_is_sockjs(link)) {
    sockjs_send(link, data, len);
    return;
  }
  if (link->way == WAY_TCP) {
    put(link, data, len);
    return;
  }
  /* In one message or several, of one frame or several. */
  while (len > 0) {
    size_t part =
        chance_one_in(chance, 3)
            ? 1 + chance_of(chance, (uint32_t)(len < PART ? len : PART))
            : len;
    bool last, final;

    part = part < len ? part : len;
    last = part == len;
    final = last || chance_one_in(chance, 2);
    if (chance_one_in(chance, 20)) {
      send_frame(link, 0x80 | 9, "ping", 4);
    }
    send_frame(link, (final ? 0x80 : 0) | opcode, at, part);
    opcode = final ? 2 : 0;
    at += part;
    len -= part;
  }
}

void link_arrive(struct link *link, sbk_msec now, size_t len) {
  if (link_is_sockjs(link)) {
    sockjs_arrive(link, now, len);
    return;
  }
  len = len < link->up.len ? len : link->up.len;
  if (len > 0 && link->conn != NULL &&
      (sbk_conn_wants(link->conn) & SBK_WANT_READ) != 0) {
    sbk_conn_feed(link->conn, now, link->up.data, len);
    bytes_take(&link->up, len);
    link->arrived += len;
  }
}

/* Takes one frame of WebSocket out of raw: 1; 0: none is whole; -1: it breaks
 * the rules for servers. */
static int unwrap(struct link *link) {
  const unsigned char *raw = (const unsigned char *)link->raw.data;
  size_t i, have = link->raw.len, head = 2, len;

  if (have < 2) {
    return 0;
  }
  if ((raw[0] & 0x70) != 0 || (raw[1] & 0x80) != 0) {
    return -1;
  }
  len = raw[1];
  if (len >= 126) {
    head = len == 126 ? 4 : 10;
    if (have < head) {
      return 0;
    }
    for (len = 0, i = 2; i < head; i++) {
      len = len << 8 | raw[i];
    }
    if (len < (head == 4 ? 126u : 65536u)) {
      return -1;
    }
  }
  if (have < head + len) {
    return 0;
  }
  switch (raw[0] & 15) {
  case 0:
  case 1:
  case 2:
    bytes_put(&link->in, raw + head, len);
    break;
  case 8:
    link->closed = true;
    break;
  case 9:
  case 10:
    break;
  default:
    return -1;
  }
  bytes_take(&link->raw, head + len);

  return 1;
}

/* The answer to the upgrade; false: it was another one. */
static bool read_answer(struct link *link) {
  size_t i;

  for (i = 3; i < link->raw.len; i++) {
    if (memcmp(link->raw.data + i - 3, "\r\n\r\n", 4) == 0) {
      link->upgraded = memcmp(link->raw.data, "HTTP/1.1 101 ", 13) == 0;
      if (link->upgraded) {
        bytes_take(&link->raw, i + 1);
      } else {
        link->closed = true;
      }
      return link->upgraded;
    }
  }

  return true;
}

bool link_read(struct link *link, sbk_msec now, size_t len) {
  char part[PART];
  int rv;

  if (link_is_sockjs(link)) {
    return sockjs_read(link, now, len);
  }
  while (len > 0 && link->conn != NULL) {
    size_t got = sbk_conn_copy_out(link->conn, part,
                                   len < sizeof(part) ? len : sizeof(part));

    if (got == 0) {
      break;
    }
    sbk_conn_sent(link->conn, got);
    bytes_put(link->way == WAY_WEBSOCKET ? &link->raw : &link->in, part, got);
    link->came += got;
    len -= got;
  }
  if (link->way == WAY_TCP || link->closed) {
    return true;
  }
  if (!link->upgraded && (!read_answer(link) || !link->upgraded)) {
    return !link->closed;
  }
  while ((rv = unwrap(link)) > 0) {
  }

  return rv == 0;
}
