/* sockjs.c - what a delivery costs over each way of SockJS, beside WebSocket,
 * and what an idle session holds. No sockets: requests are fed, answers emptied
 * in memory, and a client asks anew when an answer has ended.
 *
 *   sockjs [WAY [SUBSCRIBERS [BATCH [ROUNDS [BODY]]]]]
 */
#include "bench.h"

enum way { WEBSOCKET, FRAMED, STREAMING, POLLING };
#define WAYS 4
static const char *const names[WAYS] = {"websocket", "sockjs-websocket",
                                        "xhr_streaming", "xhr"};

#define CONNECT   "CONNECT\naccept-version:1.2\nheart-beat:0,0\n\n"
#define SUBSCRIBE "SUBSCRIBE\nid:sub-0\ndestination:/topic/x\n\n"
#define UPGRADE                                                                \
  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

struct client {
  sbk_conn *conn; /* that its output comes on */
  char ask[192];  /* the request that takes it; "": a WebSocket of old */
};

struct load {
  enum way way;
  size_t subscribers, batch, rounds, body;
};

static char out[1 << 18];

static void feed(sbk_conn *conn, const void *data, size_t len) {
  check(sbk_conn_feed(conn, 1, data, len) == 0, "refused");
}

/* All that waits. A request whose answer has ended is made anew. */
static size_t drain(sbk_conn *conn) {
  static const char end[] = "\r\n0\r\n\r\n";
  const struct client *client = sbk_conn_user_data(conn);
  size_t n, all = 0;
  while ((n = sbk_conn_copy_out(conn, out, sizeof(out))) > 0) {
    sbk_conn_sent(conn, n);
    all += n;
    if (client != NULL && n >= sizeof(end) - 1 &&
        memcmp(out + n - sizeof(end) + 1, end, sizeof(end) - 1) == 0)
      feed(conn, client->ask, strlen(client->ask));
  }
  return all;
}

static size_t drain_all(sbk_broker *broker) {
  sbk_conn *conn;
  size_t all = 0;
  while ((conn = sbk_broker_next_ready(broker)) != NULL)
    all += drain(conn);
  return all;
}

static sbk_broker *open_broker(const struct load *l) {
  struct sbk_config config = SBK_CONFIG_INIT;
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;
  struct sbk_sockjs sockjs = SBK_SOCKJS_INIT;
  sbk_broker *broker;
  config.mem = &counted;
  config.max_connections = 2 * l->subscribers + 2;
  config.max_pending = 2 * l->subscribers + 2;
  config.max_queue = (size_t)1 << 30;
  check(sbk_broker_new(&broker, NULL, &config, NULL) == 0, "no broker");
  endpoint.path = "/s";
  endpoint.sockjs = &sockjs;
  check(sbk_broker_add_endpoint(broker, &endpoint) == 0, "no endpoint");
  sbk_broker_tick(broker, 1);
  return broker;
}

/* A frame of WebSocket, masked with 0. */
static void say_framed(sbk_conn *conn, const void *data, size_t len) {
  unsigned char frame[256] = {0x81, (unsigned char)(0x80 | len)};
  check(len < 126, "a frame of the bench is too long");
  memcpy(frame + 6, data, len);
  feed(conn, frame, len + 6);
}

/* A frame of STOMP, which a string of JSON only has to end otherwise. */
static int as_json(char *dst, size_t size, const char *text) {
  int at = snprintf(dst, size, "[\"");
  for (; *text != '\0'; text++)
    at += snprintf(dst + at, size - (size_t)at, *text == '\n' ? "\\n" : "%c",
                   *text);
  return at + snprintf(dst + at, size - (size_t)at, "\\u0000\"]");
}

static void say(sbk_conn *sender, size_t i, const struct client *client,
                enum way way, const char *text) {
  char body[160], request[320];
  int len = as_json(body, sizeof(body), text);
  switch (way) {
  case WEBSOCKET:
    say_framed(client->conn, text, strlen(text) + 1);
    break;
  case FRAMED:
    say_framed(client->conn, body, (size_t)len);
    break;
  default:
    len = snprintf(request, sizeof(request),
                   "POST /s/0/%zu/xhr_send HTTP/1.1\r\nHost: a\r\n"
                   "Content-Length: %d\r\n\r\n%s",
                   i, len, body);
    feed(sender, request, (size_t)len);
    check(drain(sender) > 0 && strstr(out, " 204 ") != NULL, "not taken");
  }
}

static void open_client(sbk_broker *broker, sbk_conn *sender,
                        struct client *client, size_t i, enum way way) {
  const char *path = way == FRAMED ? "websocket" : names[way];
  check(sbk_conn_new(&client->conn, broker,
                     way == WEBSOCKET ? SBK_WEBSOCKET : SBK_HTTP, NULL,
                     client) == 0,
        "no connection");
  client->ask[0] = '\0';
  if (way != WEBSOCKET) {
    snprintf(client->ask, sizeof(client->ask),
             "%s /s/0/%zu/%s HTTP/1.1\r\nHost: a\r\n%s\r\n",
             way == FRAMED ? "GET" : "POST", i, path,
             way == FRAMED ? UPGRADE : "");
    feed(client->conn, client->ask, strlen(client->ask));
    drain(client->conn);
  }
  say(sender, i, client, way, CONNECT);
  say(sender, i, client, way, SUBSCRIBE);
}

/* The client is its connection's user data, and lives on as long. */
static struct client *open_clients(sbk_broker *broker, const struct load *l) {
  struct client *clients = calloc(l->subscribers, sizeof(*clients));
  sbk_conn *sender;
  size_t i;
  check(clients != NULL &&
            sbk_conn_new(&sender, broker, SBK_HTTP, NULL, NULL) == 0,
        "no sender");
  for (i = 0; i < l->subscribers; i++)
    open_client(broker, sender, &clients[i], i, l->way);
  sbk_conn_free(sender);
  drain_all(broker);
  sbk_broker_tick(broker, 2);
  return clients;
}

static void idle(enum way way, int away) {
  struct load few = {way, 10, 0, 0, 0}, many = {way, 1010, 0, 0, 0};
  const struct load *loads[] = {&few, &many};
  sbk_broker *brokers[2];
  struct client *clients[2];
  size_t bytes[3] = {0}, blocks[3] = {0}, b, i;
  for (b = 0; b < 2; b++) {
    brokers[b] = open_broker(loads[b]);
    clients[b] = open_clients(brokers[b], loads[b]);
    for (i = 0; away && i < loads[b]->subscribers; i++)
      sbk_conn_free(clients[b][i].conn);
    check(sbk_session_count(brokers[b], NULL) == loads[b]->subscribers,
          "not all are there");
    bytes[b + 1] = live_bytes;
    blocks[b + 1] = live_blocks;
  }
  /* Two brokers that differ in 1,000 sessions. */
  printf("idle session with a subscription, %s%s: %.0f bytes of heap in %.1f "
         "blocks\n",
         names[way], away ? ", its client away" : "",
         (double)(bytes[2] - 2 * bytes[1]) / 1000,
         (double)(blocks[2] - 2 * blocks[1]) / 1000);
  for (b = 0; b < 2; b++) {
    sbk_broker_free(brokers[b]);
    free(clients[b]);
  }
  check(live_bytes == 0 && live_blocks == 0, "memory is left");
}

static void fanout(const struct load *l) {
  sbk_broker *broker = open_broker(l);
  struct client *clients = open_clients(broker, l);
  char *body = calloc(1, l->body + 1);
  size_t i, round, allocs = 0, bytes = 0;
  double seconds = 0, deliveries;
  memset(body, 'x', l->body);
  for (round = 0; round < l->rounds + 1; round++) {
    double begin = cpu();
    size_t round_bytes;
    for (i = 0; i < l->batch; i++)
      check(sbk_send(broker, "/topic/x", "text/plain", body, l->body) ==
                (int)l->subscribers,
            "not everybody got it");
    round_bytes = drain_all(broker);
    if (round == 0) {
      allocs = allocations; /* warm: rings and pools are there */
    } else {
      bytes += round_bytes;
      seconds += cpu() - begin;
    }
  }
  deliveries = (double)(l->rounds * l->batch * l->subscribers);
  check((double)bytes > deliveries * (double)l->body, "not all came out");
  printf("1 to %zu, %zu B, batch %zu, %s: %.0f ns, %.1f bytes, %.4f "
         "allocations per delivery, %.2f million a second\n",
         l->subscribers, l->body, l->batch, names[l->way],
         seconds * 1e9 / deliveries, (double)bytes / deliveries,
         (double)(allocations - allocs) / deliveries,
         deliveries / seconds / 1e6);
  sbk_broker_free(broker);
  free(clients);
  free(body);
  check(live_bytes == 0, "memory is left");
}

/* One way alone, for callgrind; 0: there is none of that name. */
static int measure(const char *name, size_t *numbers) {
  size_t way;
  for (way = 0; way < WAYS; way++) {
    struct load l = {(enum way)way, numbers[0], numbers[1], numbers[2],
                     numbers[3]};
    if (strcmp(name, names[way]) == 0) {
      fanout(&l);
      return 1;
    }
  }
  return 0;
}

int main(int argc, char **argv) {
  size_t numbers[] = {100, 16, 1000, 64}, way, body;
  int i;
  for (i = 2; i < argc && i < 6; i++)
    numbers[i - 2] = (size_t)atol(argv[i]);
  if (argc > 1) return !measure(argv[1], numbers);
  for (way = 0; way < WAYS; way++)
    idle((enum way)way, 0);
  idle(POLLING, 1);
  for (body = 64; body <= 1024; body *= 16) {
    numbers[3] = body;
    for (way = 0; way < WAYS; way++)
      measure(names[way], numbers);
  }
  return 0;
}
