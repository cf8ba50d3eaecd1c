#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "origin.h"

/* Against the server's own alone. */
static bool own(const char *origin, const char *scheme, const char *host) {
  return sbk__origin_allowed(origin, scheme, host, NULL);
}

/* Against one entry of a list, at a server of another name. */
static bool listed(const char *origin, const char *entry) {
  const char *list[] = {"https://other.example", entry, NULL};

  assert_true(sbk__origin_entry_valid(entry));
  return sbk__origin_allowed(origin, "http", "server.example", list);
}

static void no_origin_is_no_browser(void **state) {
  (void)state;
  assert_true(own(NULL, "http", "a.example"));
  assert_true(own(NULL, "http", NULL));
}

static void its_own_origin_passes(void **state) {
  (void)state;
  assert_true(own("http://a.example", "http", "a.example"));
  assert_true(own("https://a.example", "https", "a.example"));
  assert_true(own("http://localhost:8080", "http", "localhost:8080"));
  assert_true(own("http://127.0.0.1:1", "http", "127.0.0.1:1"));
  assert_true(own("http://my_host", "http", "my_host"));
}

static void another_host_does_not_pass(void **state) {
  static const char *const origins[] = {
      "http://evil-example.com",    "http://example.com.evil",
      "http://example.comevil",     "http://evil.example.com",
      "http://example.co",          "http://example",
      "http://xample.com",          "http://com",
      "http://example.com.evil:80", "http://example-com",
      "http://example_com",         "http://example.com-evil",
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
    if (own(origins[i], "http", "example.com")) {
      fail_msg("%s", origins[i]);
    }
  }
}

static void the_scheme_counts(void **state) {
  (void)state;
  assert_false(own("https://a.example", "http", "a.example"));
  assert_false(own("http://a.example", "https", "a.example"));
  assert_false(own("https://a.example:80", "http", "a.example"));
  assert_false(own("http://a.example:443", "https", "a.example"));
  assert_false(own("ws://a.example", "http", "a.example"));
  assert_false(listed("http://a.example", "https://a.example"));
}

static void default_ports_are_equal_to_none(void **state) {
  (void)state;
  assert_true(own("http://a.example:80", "http", "a.example"));
  assert_true(own("http://a.example", "http", "a.example:80"));
  assert_true(own("https://a.example:443", "https", "a.example"));
  assert_true(own("https://a.example", "https", "a.example:443"));
  assert_true(listed("https://a.example", "https://a.example:443"));
  assert_true(listed("http://a.example:80", "http://a.example"));
}

static void other_ports_differ(void **state) {
  (void)state;
  assert_false(own("http://a.example:8080", "http", "a.example"));
  assert_false(own("http://a.example", "http", "a.example:8080"));
  assert_false(own("http://a.example:8080", "http", "a.example:8081"));
  assert_false(own("http://a.example:443", "http", "a.example"));
  assert_false(listed("https://a.example:444", "https://a.example"));
}

static void case_does_not_count(void **state) {
  (void)state;
  assert_true(own("HTTP://A.Example", "http", "a.eXAMPLE"));
  assert_true(own("http://a.example", "HTTP", "A.EXAMPLE"));
  assert_true(own("HTTPS://a.example", "https", "a.example:443"));
  assert_true(listed("https://A.example", "HTTPS://a.EXAMPLE"));
  assert_true(listed("https://X.A.example", "https://*.a.EXAMPLE"));
}

static void user_names_are_malformed(void **state) {
  (void)state;
  assert_false(own("http://user@a.example", "http", "a.example"));
  assert_false(own("http://a.example@evil.example", "http", "a.example"));
  assert_false(own("http://user:pw@a.example", "http", "a.example"));
  assert_false(own("http://a.example", "http", "user@a.example"));
  assert_false(listed("http://a.example@evil.example", "*"));
}

static void a_trailing_dot_makes_another_host(void **state) {
  (void)state;
  assert_false(own("http://a.example.", "http", "a.example"));
  assert_false(own("http://a.example", "http", "a.example."));
  assert_true(own("http://a.example.", "http", "a.example."));
  assert_false(listed("https://x.a.example.", "https://*.a.example"));
  assert_false(own("http://a.example..", "http", "a.example.."));
}

static void ipv6_stands_in_brackets(void **state) {
  (void)state;
  assert_true(own("http://[::1]:8080", "http", "[::1]:8080"));
  assert_true(own("http://[::1]", "http", "[::1]:80"));
  assert_true(own("http://[FE80::A]", "http", "[fe80::a]"));
  assert_true(own("http://[::ffff:1.2.3.4]", "http", "[::ffff:1.2.3.4]"));
  assert_false(own("http://[::1]", "http", "[::2]"));
  assert_false(own("http://::1", "http", "::1"));
  assert_false(own("http://[::1", "http", "[::1"));
  assert_false(own("http://[]", "http", "[]"));
  assert_false(own("http://[::1]x", "http", "[::1]x"));
  assert_false(own("http://[fe80::1%25eth0]", "http", "[fe80::1%25eth0]"));
  assert_false(own("http://[a.example]:80", "http", "a.example"));
}

static void null_is_refused_unless_listed(void **state) {
  (void)state;
  assert_false(own("null", "http", "a.example"));
  assert_false(own("null", "http", "null"));
  assert_false(listed("null", "https://a.example"));
  assert_false(listed("null", "https://*.example"));
  assert_true(listed("null", "null"));
  assert_true(listed("null", "*"));
  assert_false(listed("NULL", "*"));
  assert_false(listed("http://null", "null"));
}

static void malformed_origins_are_refused_even_by_a_star(void **state) {
  static const char *const origins[] = {
      "",
      " ",
      "a.example",
      "http:",
      "http:/a.example",
      "http:a.example",
      "http://",
      "://a.example",
      "//a.example",
      "1http://a.example",
      "-http://a.example",
      "ht_tp://a.example",
      "http ://a.example",
      " http://a.example",
      "http://a.example ",
      "http://a.example/",
      "http://a.example/path",
      "http://a.example?q",
      "http://a.example#f",
      "http://a.example\\",
      "http://a.example http://b.example",
      "http://a.example, http://b.example",
      "http://a..example",
      "http://.a.example",
      "http://.",
      "http://a.example:",
      "http://a.example:0",
      "http://a.example:00000",
      "http://a.example:65536",
      "http://a.example:99999",
      "http://a.example:000080",
      "http://a.example:-1",
      "http://a.example:+80",
      "http://a.example:8o",
      "http://a.example:80:80",
      "http://a.example:[*]",
      "http://*.example",
      "http://*",
      "http://a%2eexample",
      "http://a.ex\xc3\xa4mple",
      "http://a.example\x01",
      "http://a.example\t",
      "*",
      "null null",
      "null ",
      "http://:80",
      "file:///path",
      "file://:80",
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
    if (listed(origins[i], "*") || own(origins[i], "http", "a.example")) {
      fail_msg("'%s'", origins[i]);
    }
  }
}

static void a_malformed_host_is_nobodys_own(void **state) {
  static const char *const hosts[] = {
      "",           " ",          "a.example:",  "a.example:0",
      "a.example/", "a.example ", "a.example,b", "http://a.example",
      ":80",        "*",          "*.example",   "a.example:[*]"};
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
    assert_false(own("http://a.example", "http", hosts[i]));
    assert_false(own(hosts[i], "http", hosts[i]));
  }
  assert_false(own("http://a.example", "http", NULL));
}

static void its_own_passes_with_a_list_too(void **state) {
  static const char *const list[] = {"https://b.example", NULL};
  static const char *const empty[] = {NULL};

  (void)state;
  assert_true(
      sbk__origin_allowed("http://a.example", "http", "a.example", list));
  assert_true(
      sbk__origin_allowed("https://b.example", "http", "a.example", list));
  assert_true(sbk__origin_allowed("https://b.example", "http", NULL, list));
  assert_false(
      sbk__origin_allowed("https://c.example", "http", "a.example", list));
  assert_true(
      sbk__origin_allowed("http://a.example", "http", "a.example", empty));
  assert_false(
      sbk__origin_allowed("http://b.example", "http", "a.example", empty));
}

static void a_star_lets_in_all(void **state) {
  (void)state;
  assert_true(listed("https://a.example", "*"));
  assert_true(listed("http://[::1]:1", "*"));
  assert_true(listed("chrome-extension://abcdefgh", "*"));
  assert_true(listed("file://", "*"));
}

static void a_star_label_is_one_or_more_labels(void **state) {
  const char *entry = "https://*.example.org";

  (void)state;
  assert_true(listed("https://a.example.org", entry));
  assert_true(listed("https://a.b.example.org", entry));
  assert_true(listed("https://a.example.org:443", entry));
  assert_false(listed("https://example.org", entry));
  assert_false(listed("https://.example.org", entry));
  assert_false(listed("https://evil-example.org", entry));
  assert_false(listed("https://evilexample.org", entry));
  assert_false(listed("https://a.example.org.evil", entry));
  assert_false(listed("https://a.example.orgx", entry));
  assert_false(listed("http://a.example.org", entry));
  assert_false(listed("https://a.example.org:8443", entry));
  assert_false(listed("https://[::1].example.org", entry));
}

static void a_port_may_be_any(void **state) {
  (void)state;
  assert_true(listed("https://a.example", "https://a.example:[*]"));
  assert_true(listed("https://a.example:1", "https://a.example:[*]"));
  assert_true(listed("https://a.example:65535", "https://a.example:[*]"));
  assert_true(listed("https://x.a.example:81", "https://*.a.example:[*]"));
  assert_true(listed("http://[::1]:81", "http://[::1]:[*]"));
  assert_false(listed("https://a.example:", "https://a.example:[*]"));
  assert_false(listed("http://a.example:81", "https://a.example:[*]"));
  assert_false(listed("https://b.example:81", "https://a.example:[*]"));
}

static void entries_may_have_other_schemes(void **state) {
  (void)state;
  assert_true(listed("capacitor://localhost", "capacitor://localhost"));
  assert_true(listed("app://x:5", "app://x:5"));
  assert_false(listed("app://x:5", "app://x"));
  assert_true(listed("file://", "file://"));
  assert_false(listed("file://", "https://a.example"));
}

static void knows_a_malformed_entry(void **state) {
  static const char *const bad[] = {
      "",
      "**",
      "*.example.org",
      "example.org",
      "https://",
      "https://*",
      "https://*.",
      "https://*..org",
      "https://*.*.org",
      "https://a.*.org",
      "https://*a.org",
      "https://*:8080",
      "https://*.[::1]",
      "https://a.org/",
      "https://a.org:*",
      "https://a.org:[*",
      "https://a.org:[*]x",
      "https://a.org:[80]",
      "https://a.org[*]",
      "https://u@a.org",
      "https://a.org https://b.org",
      "*://a.org",
      "NULL",
      " https://a.org",
  };
  static const char *const good[] = {
      "*",
      "null",
      "https://a.org",
      "http://a.org:8080",
      "https://*.org",
      "https://*.a.org:[*]",
      "https://[::1]:[*]",
      "https://a.org.",
      "HTTPS://A.ORG",
      "http://1.2.3.4",
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    if (sbk__origin_entry_valid(bad[i])) {
      fail_msg("'%s'", bad[i]);
    }
  }
  for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    if (!sbk__origin_entry_valid(good[i])) {
      fail_msg("'%s'", good[i]);
    }
  }
}

static void a_malformed_entry_lets_in_nobody(void **state) {
  static const char *const list[] = {"*.example.org", "https://*", "", NULL};

  (void)state;
  assert_false(sbk__origin_allowed("https://a.example.org", "http", "x", list));
  assert_false(sbk__origin_allowed("null", "http", "x", list));
}

static void every_wrong_byte_anywhere_is_refused(void **state) {
  const char *good = "https://ab.example:81";
  const char *list[] = {good, NULL};
  char text[32];
  size_t i, len = strlen(good);
  unsigned byte;

  (void)state;
  assert_true(sbk__origin_allowed(good, "http", "x", list));
  for (i = 0; i < len; i++) {
    for (byte = 0; byte < 256; byte++) {
      bool same =
          byte == (uint8_t)good[i] || (good[i] >= 'a' && good[i] <= 'z' &&
                                       (byte | 0x20) == (uint8_t)good[i]);

      memcpy(text, good, len + 1);
      text[i] = (char)byte;
      if (sbk__origin_allowed(text, "http", "x", list) != same) {
        fail_msg("byte %zu: %02x", i, byte);
      }
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_origin_is_no_browser),
      cmocka_unit_test(its_own_origin_passes),
      cmocka_unit_test(another_host_does_not_pass),
      cmocka_unit_test(the_scheme_counts),
      cmocka_unit_test(default_ports_are_equal_to_none),
      cmocka_unit_test(other_ports_differ),
      cmocka_unit_test(case_does_not_count),
      cmocka_unit_test(user_names_are_malformed),
      cmocka_unit_test(a_trailing_dot_makes_another_host),
      cmocka_unit_test(ipv6_stands_in_brackets),
      cmocka_unit_test(null_is_refused_unless_listed),
      cmocka_unit_test(malformed_origins_are_refused_even_by_a_star),
      cmocka_unit_test(a_malformed_host_is_nobodys_own),
      cmocka_unit_test(its_own_passes_with_a_list_too),
      cmocka_unit_test(a_star_lets_in_all),
      cmocka_unit_test(a_star_label_is_one_or_more_labels),
      cmocka_unit_test(a_port_may_be_any),
      cmocka_unit_test(entries_may_have_other_schemes),
      cmocka_unit_test(knows_a_malformed_entry),
      cmocka_unit_test(a_malformed_entry_lets_in_nobody),
      cmocka_unit_test(every_wrong_byte_anywhere_is_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
