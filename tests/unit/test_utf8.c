#include <string.h>

#include "unit.h"

#include "failing_mem.h"
#include "utf8.h"

/* What a prefix is worth: it can be whole, still become valid, or never. */
enum verdict { WHOLE, OPEN, WRONG };

/* A decoder that makes code points and judges those, unlike the one tested. */
static enum verdict reference(const uint8_t *p, size_t len) {
  static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
  size_t i = 0, size, k;
  uint32_t low, high;

  while (i < len) {
    size = p[i] < 0x80              ? 1
           : (p[i] & 0xe0u) == 0xc0 ? 2
           : (p[i] & 0xf0u) == 0xe0 ? 3
           : (p[i] & 0xf8u) == 0xf0 ? 4
                                    : 0;
    if (size == 0) {
      return WRONG;
    }
    low = size == 1 ? p[i] : p[i] & (0x7fu >> size);
    for (k = 1; k < size && i + k < len; k++) {
      if ((p[i + k] & 0xc0u) != 0x80) {
        return WRONG;
      }
      low = low << 6 | (p[i + k] & 0x3fu);
    }
    /* All code points that can still come out of it. */
    high = low;
    for (; k < size; k++) {
      low = low << 6;
      high = high << 6 | 0x3f;
    }
    low = low < least[size] ? least[size] : low;
    high = high > 0x10ffff ? 0x10ffff : high;
    if (low > high || (low >= 0xd800 && high <= 0xdfff)) {
      return WRONG;
    }
    if (size > len - i) {
      return OPEN;
    }
    i += size;
  }

  return WHOLE;
}

/* Fed in pieces [0, a) [a, b) [b, len). */
static enum verdict cut(const uint8_t *p, size_t len, size_t a, size_t b) {
  sbk__utf8 state = {0};

  if (!sbk__utf8_feed(&state, p, a) || !sbk__utf8_feed(&state, p + a, b - a) ||
      !sbk__utf8_feed(&state, p + b, len - b)) {
    return WRONG;
  }

  return sbk__utf8_done(&state) ? WHOLE : OPEN;
}

static void check(const uint8_t *p, size_t len) {
  enum verdict want = reference(p, len);
  size_t a, b;

  for (a = 0; a <= len; a++) {
    for (b = a; b <= len; b++) {
      if (cut(p, len, a, b) != want) {
        fail_msg("%02x %02x %02x %02x, cut at %zu and %zu", p[0], p[1],
                 len > 2 ? p[2] : 0, len > 3 ? p[3] : 0, a, b);
      }
    }
  }
  if (sbk__utf8_valid(p, len) != (want == WHOLE)) {
    fail_msg("%02x %02x as a whole", p[0], p[1]);
  }
}

static const uint8_t bounds[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0,
                                 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed,
                                 0xef, 0xf0, 0xf4, 0xf5, 0xff};

static void agrees_on_every_pair_of_bytes(void **state) {
  uint8_t text[2];
  unsigned i;

  (void)state;
  for (i = 0; i < 65536; i++) {
    text[0] = (uint8_t)(i >> 8);
    text[1] = (uint8_t)(i & 0xff);
    check(text, 2);
  }
}

static void agrees_on_three_bytes_of_every_lead(void **state) {
  uint8_t text[3];
  unsigned lead, second;
  size_t i;

  (void)state;
  for (lead = 0; lead < 256; lead++) {
    for (second = 0; second < 256; second += 1 + second % 2) {
      for (i = 0; i < sizeof(bounds); i++) {
        text[0] = (uint8_t)lead;
        text[1] = (uint8_t)second;
        text[2] = bounds[i];
        check(text, 3);
      }
    }
  }
}

static void agrees_on_four_bytes_at_all_bounds(void **state) {
  uint8_t text[4];
  unsigned lead;
  size_t i, j, k;

  (void)state;
  for (lead = 0xdf; lead < 256; lead++) {
    for (i = 0; i < sizeof(bounds); i++) {
      for (j = 0; j < sizeof(bounds); j++) {
        for (k = 0; k < sizeof(bounds); k++) {
          text[0] = (uint8_t)lead;
          text[1] = bounds[i];
          text[2] = bounds[j];
          text[3] = bounds[k];
          check(text, 4);
        }
      }
    }
  }
}

static void agrees_on_random_mixtures(void **state) {
  static const char *const parts[] = {"a",
                                      "\xc3\xa9",
                                      "\xe2\x82\xac",
                                      "\xf0\x9f\x98\x80",
                                      "plain ascii text",
                                      "\x80",
                                      "\xed\x9f\xbf",
                                      "\xed",
                                      "\xf4\x8f\xbf\xbf",
                                      "01234567"};
  uint8_t text[64];
  uint32_t random = 3;
  size_t len, a, b, size;
  const char *part;
  int round;

  (void)state;
  for (round = 0; round < 20000; round++) {
    len = 0;
    do {
      part = parts[test_random(&random) % 10];
      size = strlen(part);
      memcpy(text + len, part, size);
      len += size;
    } while (len < 40 && test_random(&random) % 8 != 0);
    a = test_random(&random) % (len + 1);
    b = a + test_random(&random) % (len - a + 1);
    assert_int_equal(cut(text, len, a, b), reference(text, len));
  }
}

static void agrees_wherever_the_bad_byte_stands(void **state) {
  uint8_t text[40];
  size_t i, off;

  (void)state;
  for (off = 0; off < 8; off++) {
    for (i = off; i < sizeof(text); i++) {
      memset(text, 'a', sizeof(text));
      text[i] = 0xff;
      assert_false(sbk__utf8_valid(text + off, sizeof(text) - off));
      text[i] = 0x80;
      assert_false(sbk__utf8_valid(text + off, sizeof(text) - off));
      assert_true(sbk__utf8_valid(text + off, i - off));
    }
  }
}

static void the_empty_text_is_valid(void **state) {
  sbk__utf8 start = {0};

  (void)state;
  assert_true(sbk__utf8_valid("", 0));
  assert_true(sbk__utf8_valid(NULL, 0));
  assert_true(sbk__utf8_feed(&start, NULL, 0));
  assert_true(sbk__utf8_done(&start));
}

static void nul_is_a_character(void **state) {
  (void)state;
  assert_true(sbk__utf8_valid("a\0b", 3));
}

static void an_unfinished_character_is_not_valid(void **state) {
  static const char *const texts[] = {
      "\xc3", "\xe2", "\xe2\x82", "\xf0", "\xf0\x9f", "\xf0\x9f\x98", "a\xc3"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    sbk__utf8 start = {0};

    assert_false(sbk__utf8_valid(texts[i], strlen(texts[i])));
    assert_true(sbk__utf8_feed(&start, texts[i], strlen(texts[i])));
    assert_false(sbk__utf8_done(&start));
  }
}

static void fails_at_the_first_byte_that_cannot_be_mended(void **state) {
  /* Each text is wrong with its last byte, and not before. */
  static const char *const texts[] = {
      "\xc0",             /* overlong */
      "\xc1",             /* overlong */
      "\xe0\x9f",         /* overlong */
      "\xf0\x8f",         /* overlong */
      "\xed\xa0",         /* a surrogate */
      "\xf4\x90",         /* above U+10FFFF */
      "\xf5",             /* above U+10FFFF */
      "\xff",             /* never */
      "\x80",             /* nothing to continue */
      "\xe2\x82\x41",     /* cut short */
      "\xf0\x9f\x98\xc3", /* cut short by a lead */
  };
  size_t i, len;

  (void)state;
  for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    sbk__utf8 start = {0};

    len = strlen(texts[i]);
    assert_true(sbk__utf8_feed(&start, texts[i], len - 1));
    assert_false(sbk__utf8_feed(&start, texts[i] + len - 1, 1));
  }
}

static void what_is_wrong_stays_wrong(void **state) {
  sbk__utf8 start = {0};
  unsigned byte;

  (void)state;
  assert_false(sbk__utf8_feed(&start, "\xff", 1));
  for (byte = 0; byte < 256; byte++) {
    uint8_t text = (uint8_t)byte;

    assert_false(sbk__utf8_feed(&start, &text, 1));
  }
  assert_false(sbk__utf8_feed(&start, "", 0));
  assert_false(sbk__utf8_done(&start));
}

/* Where it is valid, the characters are those of the reference; where it is
 * not, the part is the longest one that could still become a character, or one
 * byte. */
static void check_char(const uint8_t *p, size_t len) {
  size_t size, want = 1, i;
  bool good;

  for (i = 1; i <= len && reference(p, i) == OPEN; i++) {
    want = i;
  }
  if (i <= len && reference(p, i) == WHOLE) {
    want = i;
  }
  size = sbk__utf8_char(p, len, &good);
  if (size != want || good != (reference(p, want) == WHOLE)) {
    fail_msg("%02x %02x: %zu, not %zu", p[0], len > 1 ? p[1] : 0, size, want);
  }
}

static void tells_characters_and_what_is_none_apart(void **state) {
  uint8_t text[4];
  unsigned lead;
  size_t i, j, k, len;

  (void)state;
  for (lead = 0; lead < 256; lead++) {
    for (i = 0; i < sizeof(bounds); i++) {
      for (j = 0; j < sizeof(bounds); j++) {
        for (k = 0; k < sizeof(bounds); k++) {
          text[0] = (uint8_t)lead;
          text[1] = bounds[i];
          text[2] = bounds[j];
          text[3] = bounds[k];
          for (len = 1; len <= 4; len++) {
            check_char(text, len);
          }
        }
      }
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_on_every_pair_of_bytes),
      cmocka_unit_test(agrees_on_three_bytes_of_every_lead),
      cmocka_unit_test(agrees_on_four_bytes_at_all_bounds),
      cmocka_unit_test(agrees_on_random_mixtures),
      cmocka_unit_test(agrees_wherever_the_bad_byte_stands),
      cmocka_unit_test(the_empty_text_is_valid),
      cmocka_unit_test(nul_is_a_character),
      cmocka_unit_test(an_unfinished_character_is_not_valid),
      cmocka_unit_test(fails_at_the_first_byte_that_cannot_be_mended),
      cmocka_unit_test(what_is_wrong_stays_wrong),
      cmocka_unit_test(tells_characters_and_what_is_none_apart),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
