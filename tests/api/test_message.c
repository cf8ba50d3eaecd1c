#include "host.h"

/* A host with one subscriber of everything there is. */
struct play {
  struct host host;
  struct peer ann;
};

static struct play play;

static void begin(void) {
  memset(&play, 0, sizeof(play));
  host_begin(&play.host);
  peer_connect(&play.ann, &play.host, "ann");
  peer_subscribe(&play.ann, "t", "/topic/a");
  peer_subscribe(&play.ann, "u", "/user/queue/x");
  host_forget(&play.host);
}

static void end(void) {
  host_end(&play.host);
}

/* The value of a header in what was heard last; empty: none. */
static const char *heard(const char *name) {
  static char value[200];
  char start[64];
  const char *at;

  snprintf(start, sizeof(start), "\n%s:", name);
  at = strstr(play.ann.heard, start);
  value[0] = '\0';
  if (at != NULL) {
    at += strlen(start);
    snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\n"), at);
  }

  return value;
}

struct told {
  int times;
  const void *data;
  size_t len;
};

static void on_done(void *data, size_t len, void *arg) {
  struct told *told = arg;

  told->times++;
  told->data = data;
  told->len = len;
}

static void a_wrapped_body_is_given_back_once_it_is_sent(void **state) {
  static char body[5000];
  struct told told = {0, NULL, 0};
  sbk_message *msg;
  sbk_buf *buf;

  (void)state;
  begin();
  memset(body, 'b', sizeof(body));
  buf = sbk_buf_wrap(play.host.broker, body, sizeof(body), on_done, &told);
  msg = sbk_message_new(play.host.broker, "/topic/a", buf);
  sbk_buf_unref(buf);
  assert_int_equal(sbk_send_message(play.host.broker, msg), 1);
  sbk_message_unref(msg);
  assert_int_equal(told.times, 0);
  assert_non_null(strstr(peer_hear(&play.ann), "\n\nbbbbb"));
  assert_int_equal(told.times, 1);
  assert_ptr_equal(told.data, body);
  assert_int_equal(told.len, sizeof(body));
  end();
  assert_int_equal(told.times, 1);
}

static void a_wrapped_body_is_given_back_when_nobody_takes_it(void **state) {
  static char body[] = "body";
  struct told told = {0, NULL, 0};
  sbk_message *msg;
  sbk_buf *buf;

  (void)state;
  begin();
  buf = sbk_buf_wrap(play.host.broker, body, 4, on_done, &told);
  msg = sbk_message_new(play.host.broker, "/topic/none", buf);
  assert_int_equal(sbk_send_message(play.host.broker, msg), 0);
  sbk_message_unref(msg);
  assert_int_equal(told.times, 0);
  sbk_buf_unref(buf);
  assert_int_equal(told.times, 1);
  end();
}

static void a_wrapped_body_is_given_back_with_the_broker(void **state) {
  static char body[] = "body";
  struct told told = {0, NULL, 0};
  sbk_message *msg;
  sbk_buf *buf;

  (void)state;
  begin();
  buf = sbk_buf_wrap(play.host.broker, body, 4, on_done, &told);
  msg = sbk_message_new(play.host.broker, "/topic/a", buf);
  sbk_buf_unref(buf);
  assert_int_equal(sbk_send_message(play.host.broker, msg), 1);
  sbk_message_unref(msg);
  assert_int_equal(told.times, 0);
  end();
  assert_int_equal(told.times, 1);
}

static void a_message_has_the_headers_it_was_given(void **state) {
  sbk_message *msg;
  const char *name, *value;
  size_t len;

  (void)state;
  begin();
  msg = sbk_message_new(play.host.broker, "/topic/a", NULL);
  assert_int_equal(sbk_message_command(msg), SBK_MESSAGE);
  assert_string_equal(sbk_message_header(msg, "destination"), "/topic/a");
  assert_int_equal(sbk_message_set_header(msg, "a:b", "c\nd"), 0);
  assert_int_equal(sbk_message_set_header(msg, "a:b", "e\rf"), 0);
  assert_int_equal(sbk_message_header_count(msg), 2);
  sbk_message_header_at(msg, 1, &name, &value);
  assert_string_equal(name, "a:b");
  assert_string_equal(value, "e\rf");
  assert_non_null(sbk_message_body(msg, &len));
  assert_int_equal(len, 0);
  assert_null(sbk_message_body_buf(msg));
  sbk_send_message(play.host.broker, msg);
  peer_hear(&play.ann);
  assert_string_equal(heard("a\\cb"), "e\\rf");
  sbk_message_unref(msg);
  end();
}

static void a_sent_message_is_frozen(void **state) {
  sbk_message *msg;

  (void)state;
  begin();
  msg = sbk_message_new(play.host.broker, "/topic/none", NULL);
  assert_int_equal(sbk_message_set_header(msg, "a", "1"), 0);
  assert_int_equal(sbk_send_message(play.host.broker, msg), 0);
  assert_int_equal(sbk_message_set_header(msg, "a", "2"), SBK_ERR_STATE);
  assert_int_equal(sbk_message_set_header(msg, "b", "2"), SBK_ERR_STATE);
  assert_int_equal(sbk_message_set_header(msg, "ack", "2"), SBK_ERR_INVAL);
  sbk_message_unref(msg);

  msg = sbk_message_new(play.host.broker, "/queue/x", NULL);
  sbk_send_message_to_user(play.host.broker, "ann", msg);
  assert_int_equal(sbk_message_set_header(msg, "a", "2"), SBK_ERR_STATE);
  sbk_message_unref(msg);
  end();
}

static void sent_twice_it_has_two_ids(void **state) {
  char first[200];
  sbk_message *msg;

  (void)state;
  begin();
  msg = sbk_message_new(play.host.broker, "/topic/a", NULL);
  assert_int_equal(sbk_send_message(play.host.broker, msg), 1);
  peer_hear(&play.ann);
  snprintf(first, sizeof(first), "%s", heard("message-id"));
  assert_int_equal(sbk_send_message(play.host.broker, msg), 1);
  peer_hear(&play.ann);
  assert_true(strlen(first) > 0 && strlen(heard("message-id")) > 0);
  assert_string_not_equal(first, heard("message-id"));
  sbk_message_unref(msg);
  end();
}

static void a_message_to_users_shows_what_they_subscribed_to(void **state) {
  sbk_message *msg;

  (void)state;
  begin();
  msg = sbk_message_new(play.host.broker, "/queue/x", NULL);
  sbk_message_set_header(msg, "k", "v");
  assert_int_equal(sbk_send_message_to_user(play.host.broker, "ann", msg), 1);
  peer_hear(&play.ann);
  assert_string_equal(heard("destination"), "/user/queue/x");
  assert_string_equal(heard("k"), "v");
  assert_string_equal(sbk_message_header(msg, "destination"), "/queue/x");
  assert_int_equal(
      sbk_send_message_to_session(sbk_conn_session(play.ann.conn), msg), 1);
  peer_hear(&play.ann);
  assert_string_equal(heard("destination"), "/user/queue/x");
  sbk_message_unref(msg);
  end();
}

static void no_message_goes_where_none_can(void **state) {
  static const char *const wrong[] = {"", "/a//b", "/a\n", "/a\x7f"};
  static char text[1026];
  sbk_broker *broker;
  size_t i;

  (void)state;
  begin();
  broker = play.host.broker;
  for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    assert_null(sbk_message_new(broker, wrong[i], NULL));
    assert_int_equal(sbk_send(broker, wrong[i], NULL, "x", 1), SBK_ERR_INVAL);
    assert_int_equal(sbk_send_to_user(broker, "ann", wrong[i], NULL, "x", 1),
                     SBK_ERR_INVAL);
  }
  assert_null(sbk_message_new(broker, NULL, NULL));
  assert_int_equal(sbk_send(broker, NULL, NULL, "x", 1), SBK_ERR_INVAL);
  assert_int_equal(sbk_send(broker, "/user/ann/queue/x", NULL, "x", 1),
                   SBK_ERR_INVAL);
  assert_int_equal(sbk_send_to_user(broker, "ann", "queue/x", NULL, "x", 1),
                   SBK_ERR_INVAL);
  memset(text, 'x', 1025);
  text[0] = '/';
  assert_int_equal(sbk_send(broker, text, NULL, "x", 1), SBK_ERR_INVAL);
  text[1024] = '\0';
  assert_int_equal(sbk_send(broker, text, NULL, "x", 1), 0);
  assert_string_equal(peer_hear(&play.ann), "");
  end();
}

static void nothing_goes_to_users_that_cannot_be(void **state) {
  static const char *const wrong[] = {"", "a%2Fb", "a%2fb", "a\nb", "\x7f"};
  static char text[258];
  size_t i;

  (void)state;
  begin();
  for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    assert_int_equal(
        sbk_send_to_user(play.host.broker, wrong[i], "/queue/x", NULL, "x", 1),
        SBK_ERR_INVAL);
  }
  assert_int_equal(
      sbk_send_to_user(play.host.broker, NULL, "/queue/x", NULL, "x", 1),
      SBK_ERR_INVAL);
  memset(text, 'x', 257);
  assert_int_equal(
      sbk_send_to_user(play.host.broker, text, "/queue/x", NULL, "x", 1),
      SBK_ERR_INVAL);
  assert_string_equal(play.host.events, "");
  text[256] = '\0';
  assert_int_equal(
      sbk_send_to_user(play.host.broker, text, "/queue/x", NULL, "x", 1), 0);
  assert_non_null(strstr(play.host.events, "undeliverable xxx"));
  end();
}

static void what_reaches_no_session_is_undeliverable(void **state) {
  (void)state;
  begin();
  assert_int_equal(
      sbk_send_to_user(play.host.broker, "ann", "/queue/other", NULL, "x", 1),
      0);
  assert_string_equal(play.host.events, "undeliverable ann /queue/other;");
  host_forget(&play.host);
  assert_int_equal(
      sbk_send_to_user(play.host.broker, "ann", "/queue/x", NULL, "x", 1), 1);
  assert_int_equal(sbk_send_to_session(sbk_conn_session(play.ann.conn),
                                       "/queue/other", NULL, "x", 1),
                   0);
  assert_string_equal(play.host.events, "");
  end();
}

static void a_content_type_goes_with_it(void **state) {
  (void)state;
  begin();
  assert_int_equal(sbk_send(play.host.broker, "/topic/a", "text/x", "body", 4),
                   1);
  peer_hear(&play.ann);
  assert_string_equal(heard("content-type"), "text/x");
  assert_string_equal(heard("content-length"), "4");
  assert_string_equal(heard("subscription"), "t");
  assert_int_equal(sbk_send(play.host.broker, "/topic/a", NULL, NULL, 0), 1);
  peer_hear(&play.ann);
  assert_string_equal(heard("content-type"), "");
  assert_string_equal(heard("content-length"), "");
  assert_int_equal(sbk_send(play.host.broker, "/topic/a", "", "x", 1),
                   SBK_ERR_INVAL);
  assert_int_equal(sbk_send(play.host.broker, "/topic/a", NULL, NULL, 1),
                   SBK_ERR_INVAL);
  end();
}

static void sending_is_all_or_nothing_for_want_of_memory(void **state) {
  size_t fail;
  int rv;

  (void)state;
  for (fail = 0;; fail++) {
    begin();
    peer_hear(&play.ann);
    play.host.mem.fail_from = play.host.mem.calls + fail;
    rv = sbk_send(play.host.broker, "/topic/a", "text/plain", "body", 4);
    play.host.mem.fail_from = SIZE_MAX;
    peer_hear(&play.ann);
    if (rv == 1) {
      assert_int_equal(times(play.ann.heard, "MESSAGE\n"), 1);
      end();
      break;
    }
    if (rv == SBK_ERR_NOMEM) {
      assert_string_equal(play.ann.heard, "");
      assert_non_null(sbk_conn_session(play.ann.conn));
    } else {
      /* It ended for this receiver alone. */
      assert_int_equal(rv, 0);
      assert_null(sbk_conn_session(play.ann.conn));
      assert_non_null(strstr(play.host.events, "disconnected ann -901;"));
    }
    end();
  }
  assert_true(fail > 3);
}

/* ---- values of the host ---- */

static int encode(sbk_broker *broker, const char *type, const void *value,
                  sbk_buf **out, void *arg) {
  assert_ptr_equal(arg, &play);
  if (strcmp(type, "fails") == 0) {
    return -77;
  }
  *out = sbk_buf_copy(broker, value, strlen(value));

  return 0;
}

static int decoded;

static int decode(sbk_broker *broker, const char *type, const void *data,
                  size_t len, void *value, void *arg) {
  (void)broker;
  assert_ptr_equal(arg, &play);
  assert_string_equal(type, "word");
  snprintf(value, 16, "%.*s", (int)len, (const char *)data);

  return len > 10 ? -78 : 0;
}

static int on_send(sbk_call *call, void *arg) {
  char *word = arg;

  word[0] = '\0';
  decoded = sbk_call_decode(call, "word", word);

  return 0;
}

static int add(const char *content_type, bool both) {
  struct sbk_converter converter = SBK_CONVERTER_INIT;

  converter.content_type = content_type;
  converter.encode = encode;
  converter.decode = both ? decode : NULL;
  converter.arg = &play;

  return sbk_broker_add_converter(play.host.broker, &converter);
}

static void values_are_encoded_by_their_content_type(void **state) {
  sbk_broker *broker;

  (void)state;
  begin();
  broker = play.host.broker;
  assert_int_equal(sbk_convert_and_send(broker, "/topic/a", NULL, "w", "x"),
                   SBK_ERR_NOT_FOUND);
  assert_int_equal(add("application/json", true), 0);
  assert_int_equal(add("text/plain", true), 0);
  assert_int_equal(add("TEXT/plain;x=y", true), SBK_ERR_EXISTS);
  assert_int_equal(sbk_convert_and_send(broker, "/topic/a", NULL, "w", "x"), 1);
  peer_hear(&play.ann);
  assert_string_equal(heard("content-type"), "application/json");
  assert_int_equal(sbk_convert_and_send_to_user(broker, "ann", "/queue/x",
                                                "text/plain; charset=utf-8",
                                                "w", "word"),
                   1);
  peer_hear(&play.ann);
  assert_string_equal(heard("content-type"), "text/plain");
  assert_non_null(strstr(play.ann.heard, "\n\nword^"));
  assert_int_equal(
      sbk_convert_and_send(broker, "/topic/a", "text/html", "w", "x"),
      SBK_ERR_NOT_FOUND);
  assert_int_equal(sbk_convert_and_send(broker, "/topic/a", NULL, "fails", "x"),
                   -77);
  assert_int_equal(sbk_convert_and_send(broker, "/a//b", NULL, "w", "x"),
                   SBK_ERR_INVAL);
  assert_string_equal(peer_hear(&play.ann), "");
  end();
}

static void bodies_are_decoded_by_their_content_type(void **state) {
  char word[16];

  (void)state;
  begin();
  assert_int_equal(add("application/json", true), 0);
  assert_int_equal(add("text/plain", false), 0);
  sbk_broker_add_handler(play.host.broker, SBK_SEND, "/w", on_send, word);
  peer_say(&play.ann, "SEND\ndestination:/app/w\n\nhello^");
  assert_int_equal(decoded, 0);
  assert_string_equal(word, "hello");
  peer_say(&play.ann, "SEND\ndestination:/app/w\n"
                      "content-type:application/json;v=1\n\nbye^");
  assert_int_equal(decoded, 0);
  assert_string_equal(word, "bye");
  peer_say(&play.ann, "SEND\ndestination:/app/w\ncontent-type:text/html\n\nx^");
  assert_int_equal(decoded, SBK_ERR_NOT_FOUND);
  peer_say(&play.ann,
           "SEND\ndestination:/app/w\ncontent-type:text/plain\n\nx^");
  assert_int_equal(decoded, SBK_ERR_NOT_FOUND);
  peer_say(&play.ann, "SEND\ndestination:/app/w\n\nfar too long^");
  assert_int_equal(decoded, -78);
  end();
}

static sbk_message *kept;

static int keep(sbk_call *call, void *arg) {
  (void)arg;
  kept = sbk_message_ref((sbk_message *)(uintptr_t)sbk_call_message(call));

  return 0;
}

static void a_message_may_be_kept_behind_its_call(void **state) {
  size_t len;

  (void)state;
  begin();
  sbk_broker_add_handler(play.host.broker, SBK_SEND, "/k", keep, NULL);
  peer_say(&play.ann, "SEND\ndestination:/app/k\nx:y\n\nbody^");
  peer_leave(&play.ann);
  assert_int_equal(sbk_message_command(kept), SBK_SEND);
  assert_string_equal(sbk_message_header(kept, "x"), "y");
  assert_memory_equal(sbk_message_body(kept, &len), "body", 4);
  assert_int_equal(sbk_buf_len(sbk_message_body_buf(kept)), 4);
  sbk_message_unref(kept);
  end();
}

static struct sbk_bytes got;
static char copied[64];

static int on_bytes(sbk_call *call, void *arg) {
  const char *back = arg;

  decoded = sbk_call_decode(call, NULL, &got);
  if (decoded != 0) {
    return 0;
  }
  snprintf(copied, sizeof(copied), "%.*s", (int)got.len,
           (const char *)got.data);

  return sbk_call_convert_and_return(call, back, NULL,
                                     strcmp(back, "text/plain") == 0
                                         ? (const void *)"it is text"
                                         : (const void *)&got);
}

static void text_and_bytes_have_their_converters(void **state) {
  sbk_broker *broker;
  struct sbk_bytes bytes = {"\xff\x01", 2};

  (void)state;
  begin();
  broker = play.host.broker;
  assert_int_equal(sbk_broker_add_converter(broker, sbk_text_converter()), 0);
  assert_int_equal(sbk_broker_add_converter(broker, sbk_bytes_converter()), 0);
  assert_int_equal(sbk_broker_add_converter(broker, sbk_text_converter()),
                   SBK_ERR_EXISTS);
  assert_int_equal(sbk_convert_and_send(broker, "/topic/a", NULL, NULL,
                                        "gr\xc3\xbc\xc3\x9f"),
                   1);
  peer_hear(&play.ann);
  assert_string_equal(heard("content-type"), "text/plain");
  assert_non_null(strstr(play.ann.heard, "\n\ngr\xc3\xbc\xc3\x9f^"));
  assert_int_equal(sbk_convert_and_send(broker, "/topic/a", NULL, NULL, "\xff"),
                   SBK_ERR_INVAL);
  assert_int_equal(sbk_convert_and_send(broker, "/topic/a",
                                        "application/octet-stream", NULL,
                                        &bytes),
                   1);
  peer_hear(&play.ann);
  assert_string_equal(heard("content-type"), "application/octet-stream");
  assert_non_null(strstr(play.ann.heard, "\n\n\xff\x01^"));
  end();
}

static void handlers_return_what_is_converted(void **state) {
  char text[] = "text/plain", bytes[] = "application/octet-stream";
  char other[] = "text/html";

  (void)state;
  begin();
  assert_int_equal(
      sbk_broker_add_converter(play.host.broker, sbk_text_converter()), 0);
  assert_int_equal(
      sbk_broker_add_converter(play.host.broker, sbk_bytes_converter()), 0);
  sbk_broker_add_handler(play.host.broker, SBK_SEND, "/a", on_bytes, text);
  sbk_broker_add_handler(play.host.broker, SBK_SEND, "/a/b", on_bytes, bytes);
  sbk_broker_add_handler(play.host.broker, SBK_SEND, "/a/c", on_bytes, other);
  peer_say(&play.ann, "SEND\ndestination:/app/a\n\nhello^");
  peer_hear(&play.ann);
  assert_string_equal(copied, "hello");
  assert_string_equal(heard("content-type"), "text/plain");
  assert_non_null(strstr(play.ann.heard, "\n\nit is text^"));
  peer_say(&play.ann, "SUBSCRIBE\nid:b\ndestination:/topic/a/b\n\n^");
  peer_say(&play.ann, "SEND\ndestination:/app/a/b\n"
                      "content-type:application/octet-stream\n\n\xff\x02^");
  peer_hear(&play.ann);
  assert_string_equal(copied, "\xff\x02");
  assert_string_equal(heard("content-type"), "application/octet-stream");
  assert_non_null(strstr(play.ann.heard, "\n\n\xff\x02^"));
  peer_say(&play.ann, "SEND\ndestination:/app/a\n\n\xff^");
  assert_int_equal(decoded, SBK_ERR_INVAL);
  assert_string_equal(peer_hear(&play.ann), "");
  peer_say(&play.ann, "SEND\ndestination:/app/a/c\n\nx^");
  assert_non_null(strstr(peer_hear(&play.ann), "ERROR\n"));
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_wrapped_body_is_given_back_once_it_is_sent),
      cmocka_unit_test(a_wrapped_body_is_given_back_when_nobody_takes_it),
      cmocka_unit_test(a_wrapped_body_is_given_back_with_the_broker),
      cmocka_unit_test(a_message_has_the_headers_it_was_given),
      cmocka_unit_test(a_sent_message_is_frozen),
      cmocka_unit_test(sent_twice_it_has_two_ids),
      cmocka_unit_test(a_message_to_users_shows_what_they_subscribed_to),
      cmocka_unit_test(no_message_goes_where_none_can),
      cmocka_unit_test(nothing_goes_to_users_that_cannot_be),
      cmocka_unit_test(what_reaches_no_session_is_undeliverable),
      cmocka_unit_test(a_content_type_goes_with_it),
      cmocka_unit_test(sending_is_all_or_nothing_for_want_of_memory),
      cmocka_unit_test(values_are_encoded_by_their_content_type),
      cmocka_unit_test(bodies_are_decoded_by_their_content_type),
      cmocka_unit_test(text_and_bytes_have_their_converters),
      cmocka_unit_test(handlers_return_what_is_converted),
      cmocka_unit_test(a_message_may_be_kept_behind_its_call),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
