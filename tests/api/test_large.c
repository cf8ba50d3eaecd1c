#include "host.h"

/* Autobahn 9 and 10: messages of up to 16 MiB, whole and in fragments, and many
 * in a row, over an endpoint of plain messages that echoes. */

#define LARGEST ((size_t)16 << 20)
#define KIB     ((size_t)1024)

static struct host host;
static sbk_conn *conn;
static uint8_t payload[LARGEST], in[LARGEST + 300000 * 10];
static size_t in_len;

static int echo(sbk_session *session, int binary, const void *data, size_t len,
                void *arg) {
  (void)arg;

  return sbk_session_send(session, binary, data, len);
}

static void take(void) {
  struct iovec iov[16];
  int i, count;
  size_t len;

  while ((count = sbk_conn_output(conn, iov, 16)) > 0) {
    for (i = 0, len = 0; i < count; i++) {
      assert_true(in_len + iov[i].iov_len <= sizeof(in));
      memcpy(in + in_len, iov[i].iov_base, iov[i].iov_len);
      in_len += iov[i].iov_len;
      len += iov[i].iov_len;
    }
    sbk_conn_sent(conn, len);
  }
}

static void feed(const void *data, size_t len, size_t at_once) {
  size_t at, part;

  for (at = 0; at < len; at += part) {
    part = len - at < at_once ? len - at : at_once;
    assert_int_equal(
        sbk_conn_feed(conn, host.now, (const uint8_t *)data + at, part), 0);
    take();
  }
}

/* A frame with a key of zeros. */
static void feed_frame(uint8_t first, const uint8_t *data, size_t len,
                       size_t at_once) {
  uint8_t head[14] = {first};
  size_t i, size = 2;

  if (len < 126) {
    head[1] = (uint8_t)(0x80 | len);
  } else if (len < 65536) {
    head[1] = 0x80 | 126;
    head[2] = (uint8_t)(len >> 8);
    head[3] = (uint8_t)len;
    size = 4;
  } else {
    head[1] = 0x80 | 127;
    for (i = 0; i < 8; i++) {
      head[2 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
    }
    size = 10;
  }
  feed(head, size + 4, sizeof(head));
  feed(data, len, at_once);
}

/* One frame comes back, with all of that. */
static void expect(uint8_t opcode, size_t len) {
  size_t head = len < 126 ? 2 : len < 65536 ? 4 : 10;

  assert_int_equal(in_len, head + len);
  assert_int_equal(in[0], 0x80 | opcode);
  assert_int_equal(in[1], len < 126 ? len : head == 4 ? 126 : 127);
  assert_true(memcmp(in + head, payload, len) == 0);
  in_len = 0;
}

static void play(uint8_t opcode, size_t len, size_t fragment, size_t at_once) {
  size_t at, part;

  for (at = 0; at < len || at == 0; at += part) {
    part = len - at < fragment ? len - at : fragment;
    feed_frame(
        (uint8_t)((at == 0 ? opcode : 0) | (at + part == len ? 0x80 : 0)),
        payload + at, part, at_once);
    if (part == 0) {
      break;
    }
  }
  expect(opcode, len);
}

static int set_up(void **state) {
  struct sbk_endpoint endpoint = SBK_ENDPOINT_INIT;
  static const char request[] = UPGRADE("/echo");
  size_t i;

  (void)state;
  for (i = 0; i < LARGEST; i++) {
    payload[i] = (uint8_t)('!' + i * 7 % 90);
  }
  host_init(&host);
  host.config.max_message = LARGEST;
  host.config.max_fragments = 300000;
  host.config.max_queue = 2 * LARGEST;
  host_open(&host);
  endpoint.path = "/echo";
  endpoint.message = echo;
  assert_int_equal(sbk_broker_add_endpoint(host.broker, &endpoint), 0);
  assert_int_equal(sbk_conn_new(&conn, host.broker, SBK_HTTP, NULL, NULL), 0);
  feed(request, sizeof(request) - 1, sizeof(request));
  assert_memory_equal(in, "HTTP/1.1 101 ", 13);
  in_len = 0;

  return 0;
}

static int tear_down(void **state) {
  (void)state;
  assert_int_equal(sbk_conn_wants(conn), SBK_WANT_READ);
  sbk_conn_free(conn);
  host_end(&host);

  return 0;
}

/* 9.1.1 to 9.1.6, 9.2.1 to 9.2.6 */
static void messages_up_to_16_mib_come_back(void **state) {
  static const size_t sizes[] = {64 * KIB,   256 * KIB,  1024 * KIB,
                                 4096 * KIB, 8192 * KIB, 16384 * KIB};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    play(1, sizes[i], sizes[i], 64 * KIB);
    play(2, sizes[i], sizes[i], 64 * KIB);
  }
}

/* 9.3.1 to 9.3.9, 9.4.1 to 9.4.9 */
static void messages_of_4_mib_come_back_in_fragments(void **state) {
  size_t fragment;

  (void)state;
  for (fragment = 64; fragment <= 4096 * KIB; fragment *= 4) {
    play(1, 4096 * KIB, fragment, 64 * KIB);
    play(2, 4096 * KIB, fragment, 64 * KIB);
  }
}

/* 9.5.1 to 9.5.6, 9.6.1 to 9.6.6 */
static void messages_of_1_mib_come_back_that_were_fed_in_pieces(void **state) {
  size_t piece;

  (void)state;
  for (piece = 64; piece <= 2048; piece *= 2) {
    play(1, 1024 * KIB, 1024 * KIB, piece);
    play(2, 1024 * KIB, 1024 * KIB, piece);
  }
}

/* 9.7.1 to 9.7.6, 9.8.1 to 9.8.6 */
static void a_thousand_messages_come_back(void **state) {
  static const size_t sizes[] = {0, 16, 64, 256, 1024, 4096};
  size_t i, k;

  (void)state;
  for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    for (k = 0; k < 1000; k++) {
      play(1, sizes[i], sizes[i], 64 * KIB);
      play(2, sizes[i], sizes[i], 64 * KIB);
    }
  }
}

/* 10.1.1 */
static void a_message_of_64_kib_comes_back_in_fragments_of_1300(void **state) {
  (void)state;
  play(1, 64 * KIB, 1300, 64 * KIB);
}

/* 7.1.6: what came before the Close is answered before it. */
static void a_large_message_is_answered_before_the_close(void **state) {
  static const uint8_t close[] = {0x88, 0x82, 0, 0, 0, 0, 3, 0xe8};
  size_t len = 256 * KIB;

  (void)state;
  feed_frame(0x81, payload, len, 64 * KIB);
  feed_frame(0x81, payload, 12, 64 * KIB);
  feed(close, sizeof(close), sizeof(close));
  feed_frame(0x89, payload, 0, 64 * KIB);
  assert_int_equal(in_len, 10 + len + 2 + 12 + 4);
  assert_true(memcmp(in + 10, payload, len) == 0);
  assert_int_equal(in[10 + len], 0x81);
  assert_memory_equal(in + 10 + len + 14, "\x88\x02\x03\xe8", 4);
  assert_int_equal(sbk_conn_wants(conn), 0);
}

static int tear_down_closed(void **state) {
  (void)state;
  sbk_conn_free(conn);
  host_end(&host);

  return 0;
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      CASE(messages_up_to_16_mib_come_back),
      CASE(messages_of_4_mib_come_back_in_fragments),
      CASE(messages_of_1_mib_come_back_that_were_fed_in_pieces),
      CASE(a_thousand_messages_come_back),
      CASE(a_message_of_64_kib_comes_back_in_fragments_of_1300),
      cmocka_unit_test_setup_teardown(
          a_large_message_is_answered_before_the_close, set_up,
          tear_down_closed),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
