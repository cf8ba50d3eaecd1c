#include <string.h>

#include "unit.h"

#include "digest.h"

static void accept_key(char accept[29], const char *key) {
  memset(accept, 'x', 29);
  assert_true(sbk__websocket_key_valid(key, strlen(key)));
  sbk__websocket_accept_key(accept, key);
}

static void gives_the_accept_key_of_the_rfc(void **state) {
  char accept[29];

  (void)state;
  /* RFC 6455, 1.3 */
  accept_key(accept, "dGhlIHNhbXBsZSBub25jZQ==");
  assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void gives_accept_keys_that_others_computed(void **state) {
  char accept[29];

  (void)state;
  /* The example that Wikipedia's article on WebSocket has. */
  accept_key(accept, "x3JJHMbDL1EzLkh9GBhXDw==");
  assert_string_equal(accept, "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
  /* python3: b64encode(sha1(b"A" * 22 + b"==" + guid).digest()) */
  accept_key(accept, "AAAAAAAAAAAAAAAAAAAAAA==");
  assert_string_equal(accept, "ICX+Yqv66kxgM0FcWaLWlFLwTAI=");
}

static void needs_no_nul_behind_the_key(void **state) {
  char key[24], accept[29];

  (void)state;
  memcpy(key, "dGhlIHNhbXBsZSBub25jZQ==", 24);
  assert_true(sbk__websocket_key_valid(key, 24));
  sbk__websocket_accept_key(accept, key);
  assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void knows_every_base64_character(void **state) {
  char key[] = "?AAAAAAAAAAAAAAAAAAAAA==";
  unsigned byte;

  (void)state;
  for (byte = 0; byte < 256; byte++) {
    bool alphabet = (byte >= 'A' && byte <= 'Z') ||
                    (byte >= 'a' && byte <= 'z') ||
                    (byte >= '0' && byte <= '9') || byte == '+' || byte == '/';

    key[0] = (char)byte;
    assert_int_equal(sbk__websocket_key_valid(key, 24), alphabet);
    key[0] = 'A';
    key[11] = (char)byte;
    assert_int_equal(sbk__websocket_key_valid(key, 24), alphabet);
    key[11] = 'A';
  }
}

static void the_last_character_carries_two_bits(void **state) {
  char key[] = "AAAAAAAAAAAAAAAAAAAAA?==";
  int byte;

  (void)state;
  for (byte = 1; byte < 128; byte++) {
    key[21] = (char)byte;
    assert_int_equal(sbk__websocket_key_valid(key, 24),
                     strchr("AQgw", byte) != NULL);
  }
}

static void refuses_other_lengths(void **state) {
  const char *key = "AAAAAAAAAAAAAAAAAAAAAA==AAAA";
  size_t len;

  (void)state;
  for (len = 0; len <= 28; len++) {
    assert_int_equal(sbk__websocket_key_valid(key, len), len == 24);
  }
}

static void refuses_base64_of_other_sizes(void **state) {
  static const char *const keys[] = {
      "AAAAAAAAAAAAAAAAAAAAAAA=", /* 17 bytes */
      "AAAAAAAAAAAAAAAAAAAAAAAA", /* 18 bytes */
      "AAAAAAAAAAAAAAAAAAAAA===", /* none */
      "AAAAAAAAAAAAAAAAAAAA====", "========================",
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
    assert_int_equal(strlen(keys[i]), 24);
    assert_false(sbk__websocket_key_valid(keys[i], 24));
  }
}

static void refuses_blanks_that_a_decoder_would_skip(void **state) {
  static const char *const keys[] = {
      "AAAAAAAAAAAAAAAAAAAAAA  ",  " AAAAAAAAAAAAAAAAAAAAA==",
      "AAAAAAAAAAA\nAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAA\t==",
      "AAAAAAAAAAAAAAAAAAAAAA=\n", "AAAAAAAAAAAAAAAAAAAA  ==",
      "AAAAAAAAAAAAAAAAAAAAAA =",  "\r\nAAAAAAAAAAAAAAAAAAAAAA",
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
    assert_int_equal(strlen(keys[i]), 24);
    assert_false(sbk__websocket_key_valid(keys[i], 24));
  }
}

static void refuses_padding_in_the_middle(void **state) {
  char key[25];
  size_t i;

  (void)state;
  for (i = 0; i < 22; i++) {
    memcpy(key, "AAAAAAAAAAAAAAAAAAAAAA==", 25);
    key[i] = '=';
    assert_false(sbk__websocket_key_valid(key, 24));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gives_the_accept_key_of_the_rfc),
      cmocka_unit_test(gives_accept_keys_that_others_computed),
      cmocka_unit_test(needs_no_nul_behind_the_key),
      cmocka_unit_test(knows_every_base64_character),
      cmocka_unit_test(the_last_character_carries_two_bits),
      cmocka_unit_test(refuses_other_lengths),
      cmocka_unit_test(refuses_base64_of_other_sizes),
      cmocka_unit_test(refuses_blanks_that_a_decoder_would_skip),
      cmocka_unit_test(refuses_padding_in_the_middle),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
