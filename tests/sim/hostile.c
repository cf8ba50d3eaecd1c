#include "hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hostile {
  struct sim *sim;
  char name[8];
  struct link link;
};

static uint32_t of(struct hostile *h, uint32_t count) {
  return chance_of(&h->sim->chance, count);
}

struct hostile *hostile_new(struct sim *sim, int number) {
  struct hostile *h = calloc(1, sizeof(*h));

  if (h == NULL) {
    abort();
  }
  h->sim = sim;
  snprintf(h->name, sizeof(h->name), "x%d", number);

  return h;
}

void hostile_leaves(struct hostile *h) {
  link_free(&h->link);
}

void hostile_free(struct hostile *h) {
  link_free(&h->link);
  free(h);
}

#define TEXT(text)                                                             \
  { text, sizeof(text) } /* with the NUL */

static const struct {
  const char *data;
  size_t len;
} lines[] = {
    TEXT("CONNECT\naccept-version:1.0,1.1,1.2\nheart-beat:1000,1000\n\n"),
    TEXT("STOMP\naccept-version:1.2\nhost:h\n\n"),
    TEXT("SUBSCRIBE\nid:1\ndestination:/topic/t/0\n\n"),
    TEXT("SUBSCRIBE\nid:2\ndestination:/topic/t/*\nack:client\n\n"),
    TEXT("SUBSCRIBE\nid:3\ndestination:/topic/**\nack:client-individual\n\n"),
    TEXT("SUBSCRIBE\nid:4\ndestination:/queue/evil/1\nack:client\n\n"),
    TEXT("UNSUBSCRIBE\nid:1\n\n"),
    TEXT("SEND\ndestination:/topic/evil/1\nreceipt:a\n\nhello"),
    TEXT("SEND\ndestination:/topic/evil/1\ncontent-length:5\n\nhello"),
    TEXT("SEND\ndestination:/queue/evil/1\ncontent-length:3\n\na\0b"),
    TEXT("SEND\ndestination:/topic/evil/\\n\\c\\\\\n\nhello"),
    TEXT("BEGIN\ntransaction:t\n\n"),
    TEXT("SEND\ndestination:/topic/evil/1\ntransaction:t\n\nhello"),
    TEXT("COMMIT\ntransaction:t\n\n"),
    TEXT("ABORT\ntransaction:t\nreceipt:b\n\n"),
    TEXT("ACK\nid:1\n\n"),
    TEXT("NACK\nid:2\nsubscription:2\nmessage-id:2\n\n"),
    TEXT("DISCONNECT\nreceipt:bye\n\n"),
    TEXT("\n\n\n\r\n"),
};

/* One thing that it says, spoilt more or less. */
static void says(struct hostile *h) {
  size_t i, len, which = of(h, sizeof(lines) / sizeof(lines[0]));
  char text[512];

  memcpy(text, lines[which].data, lines[which].len);
  len = lines[which].len;
  switch (of(h, 8)) {
  case 0: /* bits */
    for (i = of(h, 4) + 1; i > 0; i--) {
      text[of(h, (uint32_t)len)] ^= (char)(1 << of(h, 8));
    }
    break;
  case 1: /* less */
    len = of(h, (uint32_t)len);
    break;
  case 2: /* a part twice */
    i = of(h, (uint32_t)len);
    memcpy(text + len, text + i, len - i);
    len += len - i;
    break;
  default:
    break;
  }
  if (len > 0) {
    link_send(&h->link, text, len);
  }
  /* And what WebSocket makes of it. */
  if (of(h, 16) == 0 && h->link.up.len > 0) {
    h->link.up.data[of(h, (uint32_t)h->link.up.len)] ^= (char)(1 << of(h, 8));
  }
}

void hostile_act(struct hostile *h) {
  struct link *link = &h->link;

  if (link->conn == NULL) {
    if (of(h, 4) == 0) {
      link_free(link);
      link_open(link, h->sim->broker, &h->sim->chance, (enum way)of(h, 2),
                h->name);
    }
    return;
  }
  switch (of(h, 8)) {
  case 0:
    if (of(h, 5) == 0) {
      if (of(h, 2) == 0) {
        sbk_conn_eof(link->conn, of(h, 2) == 0 ? 104 : 0);
      } else {
        link_free(link);
        return;
      }
    }
    break;
  case 1:
  case 2:
    link_read(link, h->sim->now, of(h, 4000));
    bytes_take(&link->in, link->in.len);
    break;
  default:
    says(h);
    break;
  }
  link_arrive(link, h->sim->now, of(h, 300));
  if (sbk_conn_wants(link->conn) == 0) {
    link_free(link);
  }
}
