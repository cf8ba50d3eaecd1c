#include <stdio.h>

#include "unit.h"

#include "sockjs_payload.h"
#include "sockjs_url.h"

static struct failing_mem memory;

static int setup(void **state) {
  (void)state;
  failing_mem_init(&memory);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  return memory.blocks == 0 ? 0 : -1;
}

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct {
  const char *rest;
  enum sbk__sockjs_kind kind;
  const char *session; /* NULL: none */
} targets[] = {
    {"", SBK__SOCKJS_GREETING, NULL},
    {"/", SBK__SOCKJS_GREETING, NULL},
    {"/info", SBK__SOCKJS_INFO, NULL},
    {"/websocket", SBK__SOCKJS_RAW, NULL},

    {"/iframe.html", SBK__SOCKJS_IFRAME, NULL},
    {"/iframe-a.html", SBK__SOCKJS_IFRAME, NULL},
    {"/iframe-.html", SBK__SOCKJS_IFRAME, NULL},
    {"/iframe-0.1.2.html", SBK__SOCKJS_IFRAME, NULL},
    {"/iframe-0.1.2abc-dirty.2144.html", SBK__SOCKJS_IFRAME, NULL},
    {"/iframe_z9.html", SBK__SOCKJS_IFRAME, NULL},
    {"/iframe.html.html", SBK__SOCKJS_IFRAME, NULL},
    {"/iframe.htm", SBK__SOCKJS_NONE, NULL},
    {"/iframe", SBK__SOCKJS_NONE, NULL},
    {"/iframehtml", SBK__SOCKJS_NONE, NULL},
    {"/IFRAME.HTML", SBK__SOCKJS_NONE, NULL},
    {"/IFRAME", SBK__SOCKJS_NONE, NULL},
    {"/iframe.HTML", SBK__SOCKJS_NONE, NULL},
    {"/iframe.xml", SBK__SOCKJS_NONE, NULL},
    {"/iframe-/.html", SBK__SOCKJS_NONE, NULL},
    {"/iframe-A.html", SBK__SOCKJS_NONE, NULL},
    {"/iframeA.html", SBK__SOCKJS_NONE, NULL},
    {"/iframe!.html", SBK__SOCKJS_NONE, NULL},
    {"/iframe-%20.html", SBK__SOCKJS_NONE, NULL},
    {"/iframe-\xc3\xa9.html", SBK__SOCKJS_NONE, NULL},
    {"/iframe.htmlx", SBK__SOCKJS_NONE, NULL},
    {"/xiframe.html", SBK__SOCKJS_NONE, NULL},
    {"/.html", SBK__SOCKJS_NONE, NULL},

    {"/000/abc/websocket", SBK__SOCKJS_WEBSOCKET, "abc"},
    {"/000/abc/xhr", SBK__SOCKJS_XHR, "abc"},
    {"/000/abc/xhr_streaming", SBK__SOCKJS_XHR_STREAMING, "abc"},
    {"/000/abc/eventsource", SBK__SOCKJS_EVENTSOURCE, "abc"},
    {"/000/abc/htmlfile", SBK__SOCKJS_HTMLFILE, "abc"},
    {"/000/abc/jsonp", SBK__SOCKJS_JSONP, "abc"},
    {"/000/abc/xhr_send", SBK__SOCKJS_XHR_SEND, "abc"},
    {"/000/abc/jsonp_send", SBK__SOCKJS_JSONP_SEND, "abc"},
    {"/a/b/xhr", SBK__SOCKJS_XHR, "b"},
    {"/_/_/xhr", SBK__SOCKJS_XHR, "_"},
    {"/abcdefgh_i-j%20/abcdefg_i-j%20/xhr", SBK__SOCKJS_XHR, "abcdefg_i-j%20"},
    {"/0/%2e/xhr", SBK__SOCKJS_XHR, "%2e"},
    {"/0/!~:@,=$&'()*+/xhr", SBK__SOCKJS_XHR, "!~:@,=$&'()*+"},
    {"/info/info/xhr", SBK__SOCKJS_XHR, "info"},
    {"/websocket/websocket/websocket", SBK__SOCKJS_WEBSOCKET, "websocket"},

    {"//", SBK__SOCKJS_NONE, NULL},
    {"///", SBK__SOCKJS_NONE, NULL},
    {"/a", SBK__SOCKJS_NONE, NULL},
    {"/a/", SBK__SOCKJS_NONE, NULL},
    {"/a/a", SBK__SOCKJS_NONE, NULL},
    {"/a/a/", SBK__SOCKJS_NONE, NULL},
    {"/a.html", SBK__SOCKJS_NONE, NULL},
    {"info", SBK__SOCKJS_NONE, NULL},
    {"s/info", SBK__SOCKJS_NONE, NULL},
    {"//info", SBK__SOCKJS_NONE, NULL},
    {"/info/", SBK__SOCKJS_NONE, NULL},
    {"/Info", SBK__SOCKJS_NONE, NULL},
    {"/info2", SBK__SOCKJS_NONE, NULL},
    {"/inf", SBK__SOCKJS_NONE, NULL},
    {"/websocket/", SBK__SOCKJS_NONE, NULL},
    {"/xhr", SBK__SOCKJS_NONE, NULL},
    {"/a/xhr", SBK__SOCKJS_NONE, NULL},
    {"//a/xhr", SBK__SOCKJS_NONE, NULL},
    {"/a//xhr", SBK__SOCKJS_NONE, NULL},
    {"///xhr", SBK__SOCKJS_NONE, NULL},
    {"/a./a/xhr", SBK__SOCKJS_NONE, NULL},
    {"/a/a./xhr", SBK__SOCKJS_NONE, NULL},
    {"/./a/xhr", SBK__SOCKJS_NONE, NULL},
    {"/../a/xhr", SBK__SOCKJS_NONE, NULL},
    {"/a/../xhr", SBK__SOCKJS_NONE, NULL},
    {"/a;b/a/xhr", SBK__SOCKJS_NONE, NULL},
    {"/a/a;b/xhr", SBK__SOCKJS_NONE, NULL},
    {"/a/a/xhr;b", SBK__SOCKJS_NONE, NULL},
    {"/a b/a/xhr", SBK__SOCKJS_NONE, NULL},
    {"/a/\x01/xhr", SBK__SOCKJS_NONE, NULL},
    {"/a/\x7f/xhr", SBK__SOCKJS_NONE, NULL},
    {"/a/\xc3\xa9/xhr", SBK__SOCKJS_NONE, NULL},
    {"/a/a/xhr/", SBK__SOCKJS_NONE, NULL},
    {"/a/a/a/xhr", SBK__SOCKJS_NONE, NULL},
    {"/a/a/xh", SBK__SOCKJS_NONE, NULL},
    {"/a/a/xhr2", SBK__SOCKJS_NONE, NULL},
    {"/a/a/XHR", SBK__SOCKJS_NONE, NULL},
    {"/a/a/xhr%5fsend", SBK__SOCKJS_NONE, NULL},
    {"/a/a/info", SBK__SOCKJS_NONE, NULL},
    {"/a/a/greeting", SBK__SOCKJS_NONE, NULL},
    {"/a/a/iframe", SBK__SOCKJS_NONE, NULL},
    {"/greeting", SBK__SOCKJS_NONE, NULL},
};

static void knows_each_path_below_an_endpoint(void **state) {
  sbk__sockjs_target target;
  size_t i;

  (void)state;
  for (i = 0; i < COUNT(targets); i++) {
    sbk__sockjs_target_read(targets[i].rest, &target);
    if (target.kind != targets[i].kind ||
        (target.session != NULL) != (targets[i].session != NULL)) {
      fail_msg("%s: %d", targets[i].rest, target.kind);
    }
    if (targets[i].session != NULL) {
      assert_int_equal(target.session_len, strlen(targets[i].session));
      assert_memory_equal(target.session, targets[i].session,
                          target.session_len);
    } else {
      assert_int_equal(target.session_len, 0);
    }
  }
}

static enum sbk__sockjs_kind kind_of_ids(size_t server, size_t session) {
  sbk__sockjs_target target;
  char path[256];

  assert_true(server + session < 200);
  path[0] = '/';
  memset(path + 1, 'a', server);
  path[server + 1] = '/';
  memset(path + server + 2, 'b', session);
  memcpy(path + server + session + 2, "/xhr", 5);
  sbk__sockjs_target_read(path, &target);
  if (target.kind != SBK__SOCKJS_NONE) {
    assert_ptr_equal(target.session, path + server + 2);
    assert_int_equal(target.session_len, session);
  }

  return target.kind;
}

static void ids_are_limited_below_at_and_above(void **state) {
  (void)state;
  assert_int_equal(kind_of_ids(0, 8), SBK__SOCKJS_NONE);
  assert_int_equal(kind_of_ids(1, 8), SBK__SOCKJS_XHR);
  assert_int_equal(kind_of_ids(15, 8), SBK__SOCKJS_XHR);
  assert_int_equal(kind_of_ids(16, 8), SBK__SOCKJS_XHR);
  assert_int_equal(kind_of_ids(17, 8), SBK__SOCKJS_NONE);
  assert_int_equal(kind_of_ids(3, 0), SBK__SOCKJS_NONE);
  assert_int_equal(kind_of_ids(3, 1), SBK__SOCKJS_XHR);
  assert_int_equal(kind_of_ids(3, 63), SBK__SOCKJS_XHR);
  assert_int_equal(kind_of_ids(3, 64), SBK__SOCKJS_XHR);
  assert_int_equal(kind_of_ids(3, 65), SBK__SOCKJS_NONE);
  assert_int_equal(kind_of_ids(16, 64), SBK__SOCKJS_XHR);
  assert_int_equal(kind_of_ids(17, 65), SBK__SOCKJS_NONE);
}

static void knows_every_byte_of_an_id(void **state) {
  sbk__sockjs_target target;
  char path[] = "/a/b/xhr";
  unsigned byte;
  bool good;

  (void)state;
  for (byte = 1; byte < 256; byte++) {
    good = byte > 0x20 && byte < 0x7f && strchr("./;", (int)byte) == NULL;
    path[1] = (char)byte;
    sbk__sockjs_target_read(path, &target);
    assert_int_equal(target.kind, good ? SBK__SOCKJS_XHR : SBK__SOCKJS_NONE);
    path[1] = 'a';
    path[3] = (char)byte;
    sbk__sockjs_target_read(path, &target);
    assert_int_equal(target.kind, good ? SBK__SOCKJS_XHR : SBK__SOCKJS_NONE);
    path[3] = 'b';
  }
}

static void each_kind_has_a_name_and_methods(void **state) {
  static const struct {
    enum sbk__sockjs_kind kind;
    const char *name, *methods;
  } rows[] = {
      {SBK__SOCKJS_NONE, "", ""},
      {SBK__SOCKJS_GREETING, "greeting", "GET"},
      {SBK__SOCKJS_INFO, "info", "OPTIONS, GET"},
      {SBK__SOCKJS_IFRAME, "iframe", "GET"},
      {SBK__SOCKJS_RAW, "websocket", "GET"},
      {SBK__SOCKJS_WEBSOCKET, "websocket", "GET"},
      {SBK__SOCKJS_XHR, "xhr", "OPTIONS, POST"},
      {SBK__SOCKJS_XHR_STREAMING, "xhr_streaming", "OPTIONS, POST"},
      {SBK__SOCKJS_EVENTSOURCE, "eventsource", "OPTIONS, GET"},
      {SBK__SOCKJS_HTMLFILE, "htmlfile", "GET"},
      {SBK__SOCKJS_JSONP, "jsonp", "GET"},
      {SBK__SOCKJS_XHR_SEND, "xhr_send", "OPTIONS, POST"},
      {SBK__SOCKJS_JSONP_SEND, "jsonp_send", "POST"},
  };
  size_t i;

  (void)state;
  for (i = 0; i < COUNT(rows); i++) {
    assert_string_equal(sbk__sockjs_kind_name(rows[i].kind), rows[i].name);
    assert_string_equal(sbk__sockjs_methods(rows[i].kind), rows[i].methods);
  }
}

static void a_callback_is_a_name_of_javascript(void **state) {
  static const char *const names[] = {
      "callback", "x",  "X",     "_",     "_jp.abc123", "_jp.a0z5",
      "a.b.c",    "a1", "__a__", "A.B_2", "a.b1.c2",    "parent.x",
  };
  static const char *const others[] = {
      "",
      ".",
      "..",
      ".a",
      "a.",
      "a..b",
      "1",
      "1a",
      "a.1",
      "a.1b",
      "-",
      "a-b",
      "-a",
      "a-",
      "--a",
      "a.-b",
      " ",
      "a b",
      " a",
      "a ",
      "*",
      "abc(",
      "a()",
      "a;b",
      "a=b",
      "a,b",
      "a[0]",
      "a['b']",
      "\"",
      "'",
      "`",
      "a/b",
      "/**/a",
      "//",
      "<a",
      "a>",
      "&a",
      "%63",
      "a%20",
      "$",
      "a$b",
      "a\nb",
      "a\n",
      "\ta",
      "a\\u0041",
      "\\",
      "a+b",
      "a|b",
      "a:b",
      "a!",
      "a?b",
      "{a}",
      "a#",
      "@a",
      "a~",
      "^",
      "\x7f",
      "\x01",
      "\xc3\xa9",
      "a\xe2\x80\xa8",
      "\357\273\277a",
  };
  size_t i;

  (void)state;
  for (i = 0; i < COUNT(names); i++) {
    if (!sbk__sockjs_callback_valid(names[i])) {
      fail_msg("%s", names[i]);
    }
  }
  for (i = 0; i < COUNT(others); i++) {
    if (sbk__sockjs_callback_valid(others[i])) {
      fail_msg("%s", others[i]);
    }
  }
}

static void knows_every_byte_of_a_callback(void **state) {
  static const char letters[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  char name[] = "aba";
  unsigned byte;
  bool letter, digit;

  (void)state;
  for (byte = 1; byte < 256; byte++) {
    letter = strchr(letters, (int)byte) != NULL;
    digit = byte >= '0' && byte <= '9';
    name[1] = (char)byte;
    assert_int_equal(sbk__sockjs_callback_valid(name),
                     letter || digit || byte == '.');
    assert_int_equal(sbk__sockjs_callback_valid(name + 1), letter);
  }
}

static void callbacks_are_limited_below_at_and_above(void **state) {
  char name[67];
  size_t len;

  (void)state;
  memset(name, 'a', sizeof(name));
  for (len = 1; len < sizeof(name); len++) {
    name[len] = '\0';
    assert_int_equal(sbk__sockjs_callback_valid(name), len <= 64);
    name[len] = 'a';
  }
}

/* Forms. Pieces of step bytes, the first of which has `first`. */
static void feed(const char *data, size_t len, size_t first, size_t step,
                 struct payload *out) {
  sbk__sockjs_reader r;
  sbk__sockjs_form form;
  size_t at = 0, size = first;
  char *piece;
  int rv;

  sbk__sockjs_reader_init(&r, &memory.mem, false);
  sbk__sockjs_form_init(&form);
  do {
    size = size < len - at ? size : len - at;
    piece = piece_copy(data + at, size);
    out->read = sbk__sockjs_form_read(&form, piece, size, &r);
    piece_free(piece, size);
    at += size;
    size = step;
  } while (at < len);
  rv = sbk__sockjs_form_end(&form, &r);
  payload_end(&r, out);
  out->len = rv == 0 ? out->len : 0;
  out->text[out->len] = '\0';
  out->end = rv;
  sbk__sockjs_reader_clear(&r);
  assert_int_equal(memory.blocks, 0);
}

static void feed_all_ways(const char *data, size_t len, struct payload *out) {
  struct payload other;
  size_t cut;

  feed(data, len, len, len, out);
  for (cut = 0; cut <= len; cut++) {
    feed(data, len, cut, cut == 0 ? 1 : len, &other);
    assert_int_equal(other.read, out->read);
    assert_int_equal(other.end, out->end);
    assert_string_equal(other.text, out->text);
  }
}

static const struct {
  const char *in;
  const char *out; /* NULL: an error */
  int end;
} forms[] = {
    {"d=%5B%22x%22%5D", "[x]", 0},
    {"d=%5b%22x%22%5d", "[x]", 0},
    {"d=[\"x\"]", "[x]", 0},
    {"d=%5B%5D", "", 0},
    {"d=%5B%22a+b%2Bc%22%5D", "[a b+c]", 0},
    {"d=+%5B+%22a%22+%5D+", "[a]", 0},
    {"d=%0D%0A%5B%22a%22%5D", "[a]", 0},
    {"d=[\"a=b\"]", "[a=b]", 0},
    {"d=[\"a%26b%3Dc%25\"]", "[a&b=c%]", 0},
    {"d=[\"%C3%A9\"]", "[\xc3\xa9]", 0},
    {"d=[\"\xc3\xa9\"]", "[\xc3\xa9]", 0},
    {"d=[\"%5Cn%5Cud83d%5Cude00\"]", "[\n\xf0\x9f\x98\x80]", 0},
    {"%64=[\"x\"]", "[x]", 0},
    {"a=b&d=[\"x\"]", "[x]", 0},
    {"d=[\"x\"]&a=b", "[x]", 0},
    {"d=[\"x\"]&d=[\"y\"]", "[x]", 0},
    {"d=[\"x\"]&", "[x]", 0},
    {"&d=[\"x\"]", "[x]", 0},
    {"&&a&=&==&d=[\"x\"]&=", "[x]", 0},
    {"dd=1&D=1&xd=1&=d&d=[\"x\"]", "[x]", 0},
    {"a=d=[]&d=[\"x\"]", "[x]", 0},
    {"a=%41%ff%00+&d=[\"x\"]&b=%00", "[x]", 0},
    {"+d=1&d+=1&d%00=1&d=[\"x\"]", "[x]", 0},

    {"", NULL, SBK_ERR_NOT_FOUND},
    {"d", NULL, SBK_ERR_NOT_FOUND},
    {"d=", NULL, SBK_ERR_NOT_FOUND},
    {"d=+%20%0A", NULL, SBK_ERR_NOT_FOUND},
    {"p=p", NULL, SBK_ERR_NOT_FOUND},
    {"=[\"x\"]", NULL, SBK_ERR_NOT_FOUND},
    {"[\"x\"]", NULL, SBK_ERR_NOT_FOUND},
    {"d&d=[\"x\"]", NULL, SBK_ERR_NOT_FOUND},
    {"d=&d=[\"x\"]", NULL, SBK_ERR_NOT_FOUND},
    {"dd=[\"x\"]", NULL, SBK_ERR_NOT_FOUND},
    {"d%3D[\"x\"]", NULL, SBK_ERR_NOT_FOUND},
    {"a%26d=[\"x\"]", NULL, SBK_ERR_NOT_FOUND},

    {"d=%5B%22x", NULL, SBK_ERR_INVAL},
    {"d=x", NULL, SBK_ERR_INVAL},
    {"d=[\"x\"]x", NULL, SBK_ERR_INVAL},
    {"d=[\"a&b\"]", NULL, SBK_ERR_INVAL},
    {"d=[\"x\"]=", NULL, SBK_ERR_INVAL},
    {"d=%00", NULL, SBK_ERR_INVAL},
    {"d=[\"%0A\"]", NULL, SBK_ERR_INVAL},
    {"d=[\"%FF\"]", NULL, SBK_ERR_INVAL},
    {"d=[\"%C3\"]", NULL, SBK_ERR_INVAL},
    {"d=%", NULL, SBK_ERR_INVAL},
    {"d=%5", NULL, SBK_ERR_INVAL},
    {"d=[\"x\"]%", NULL, SBK_ERR_INVAL},
    {"d=[\"x\"]%2", NULL, SBK_ERR_INVAL},
    {"d=[\"%\"]", NULL, SBK_ERR_INVAL},
    {"d=[\"%g0\"]", NULL, SBK_ERR_INVAL},
    {"d=[\"%0g\"]", NULL, SBK_ERR_INVAL},
    {"d=[\"%%20\"]", NULL, SBK_ERR_INVAL},
    {"d=[\"%u0041\"]", NULL, SBK_ERR_INVAL},
    {"d=[\"%+1\"]", NULL, SBK_ERR_INVAL},
    {"d=[\"%&\"]", NULL, SBK_ERR_INVAL},
    {"d=[\"x\"]&a=%", NULL, SBK_ERR_INVAL},
    {"d=[\"x\"]&a=%zz", NULL, SBK_ERR_INVAL},
    {"a=%zz&d=[\"x\"]", NULL, SBK_ERR_INVAL},
    {"%=1&d=[\"x\"]", NULL, SBK_ERR_INVAL},
    {"%6=1&d=[\"x\"]", NULL, SBK_ERR_INVAL},
};

static void takes_the_first_field_d_of_a_form(void **state) {
  struct payload out;
  size_t i;

  (void)state;
  for (i = 0; i < COUNT(forms); i++) {
    feed_all_ways(forms[i].in, strlen(forms[i].in), &out);
    if (out.end != forms[i].end) {
      fail_msg("%s: %d", forms[i].in, out.end);
    }
    if (forms[i].out != NULL) {
      assert_string_equal(out.text, forms[i].out);
    }
  }
}

static void a_value_goes_on_whole_however_long_it_is(void **state) {
  /* Around the pieces in which values go on to the reader. */
  static const size_t sizes[] = {254, 255, 256, 257, 511, 512, 513, 3000};
  char text[4096], want[4096];
  struct payload out;
  size_t i, step;

  (void)state;
  for (i = 0; i < COUNT(sizes); i++) {
    memset(text, 'a', sizeof(text));
    memcpy(text, "d=[\"", 4);
    memcpy(text + 2 + sizes[i] - 2, "\"]", 2);
    memset(want, 'a', sizeof(want));
    want[0] = '[';
    memcpy(want + sizes[i] - 3, "]", 2);
    for (step = 1; step < 4096; step = step * 3 + 1) {
      feed(text, 2 + sizes[i], step, step, &out);
      assert_int_equal(out.end, 0);
      assert_string_equal(out.text, want);
    }
  }
}

static void what_is_broken_in_a_form_stays_broken(void **state) {
  static const char *const texts[] = {"%x", "d=%x", "d=[\"x\"]&%x", "d=x",
                                      "d=[\"x\"]x"};
  static const char *const more[] = {"", "&", "&d=[\"x\"]", "20=", "]"};
  sbk__sockjs_reader r;
  sbk__sockjs_form form;
  size_t i, j;

  (void)state;
  for (i = 0; i < COUNT(texts); i++) {
    sbk__sockjs_reader_init(&r, &memory.mem, false);
    sbk__sockjs_form_init(&form);
    assert_int_equal(
        sbk__sockjs_form_read(&form, texts[i], strlen(texts[i]), &r),
        SBK_ERR_INVAL);
    for (j = 0; j < COUNT(more); j++) {
      assert_int_equal(
          sbk__sockjs_form_read(&form, more[j], strlen(more[j]), &r),
          SBK_ERR_INVAL);
      assert_int_equal(sbk__sockjs_form_end(&form, &r), SBK_ERR_INVAL);
    }
    sbk__sockjs_reader_clear(&r);
  }
}

static void says_so_when_memory_ends(void **state) {
  char text[2048];
  sbk__sockjs_reader r;
  sbk__sockjs_form form;
  size_t fail_from, step, at, size;
  int rv;

  (void)state;
  memset(text, 'a', sizeof(text));
  memcpy(text, "x=y&d=%5B%22", 12);
  memcpy(text + sizeof(text) - 12, "%22%5D&d=%22", 12);
  for (step = 1; step <= sizeof(text); step *= 2) {
    for (fail_from = 0;; fail_from++) {
      failing_mem_init(&memory);
      memory.fail_from = fail_from;
      sbk__sockjs_reader_init(&r, &memory.mem, false);
      sbk__sockjs_form_init(&form);
      for (at = 0, rv = 0; at < sizeof(text) && rv == 0; at += size) {
        size = step < sizeof(text) - at ? step : sizeof(text) - at;
        rv = sbk__sockjs_form_read(&form, text + at, size, &r);
      }
      if (rv == 0) {
        assert_int_equal(sbk__sockjs_form_end(&form, &r), 0);
        sbk__sockjs_reader_clear(&r);
        break;
      }
      assert_int_equal(rv, SBK_ERR_NOMEM);
      assert_int_equal(sbk__sockjs_form_read(&form, "%x", 2, &r),
                       SBK_ERR_NOMEM);
      assert_int_equal(sbk__sockjs_form_end(&form, &r), SBK_ERR_NOMEM);
      sbk__sockjs_reader_clear(&r);
      assert_int_equal(memory.blocks, 0);
    }
    assert_true(fail_from >= (step == 1 ? 4 : 1));
  }
}

/* Every byte written as %XX, and back. */
static void every_byte_can_be_escaped(void **state) {
  char form[4096], json[1024];
  struct payload out;
  size_t i, len = 2, size = 0;
  unsigned byte;

  (void)state;
  json[size++] = '[';
  json[size++] = '"';
  for (byte = 0x20; byte < 0x80; byte++) {
    if (byte != '"' && byte != '\\') {
      json[size++] = (char)byte;
    }
  }
  for (byte = 0x80; byte < 0xc0; byte++) {
    json[size++] = (char)(0xc2 + byte % 0x1e);
    json[size++] = (char)byte;
  }
  json[size++] = '"';
  json[size++] = ']';
  memcpy(form, "d=", 2);
  for (i = 0; i < size; i++) {
    snprintf(form + len, 4, i % 2 == 0 ? "%%%02x" : "%%%02X",
             (unsigned)(uint8_t)json[i]);
    len += 3;
  }
  feed_all_ways(form, len, &out);
  assert_int_equal(out.end, 0);
  assert_int_equal(out.len, size - 2);
  assert_memory_equal(out.text + 1, json + 2, size - 4);
}

static void random_forms_give_the_same_in_any_pieces(void **state) {
  static const char *const parts[] = {"d",   "=",   "&", "d=",  "&d=[\"", "\"]",
                                      "%5B", "%22", "a", "%5D", "+",      "%",
                                      "%2",  "[",   "]", "\"",  "%64"};
  char text[256];
  struct payload whole, cut;
  uint32_t random = 8;
  size_t len, size, taken = 0;
  const char *part;
  int round;

  (void)state;
  for (round = 0; round < 40000; round++) {
    len = 0;
    do {
      part = parts[test_random(&random) % COUNT(parts)];
      size = strlen(part);
      memcpy(text + len, part, size);
      len += size;
    } while (len < 200 && test_random(&random) % 10 != 0);
    feed(text, len, len, len, &whole);
    feed(text, len, 1 + test_random(&random) % len,
         1 + test_random(&random) % 3, &cut);
    assert_int_equal(whole.read, cut.read);
    assert_int_equal(whole.end, cut.end);
    assert_string_equal(whole.text, cut.text);
    taken += whole.end == 0;
  }
  assert_true(taken > 40);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(knows_each_path_below_an_endpoint),
      TEST(ids_are_limited_below_at_and_above),
      TEST(knows_every_byte_of_an_id),
      TEST(each_kind_has_a_name_and_methods),
      TEST(a_callback_is_a_name_of_javascript),
      TEST(knows_every_byte_of_a_callback),
      TEST(callbacks_are_limited_below_at_and_above),
      TEST(takes_the_first_field_d_of_a_form),
      TEST(a_value_goes_on_whole_however_long_it_is),
      TEST(what_is_broken_in_a_form_stays_broken),
      TEST(says_so_when_memory_ends),
      TEST(every_byte_can_be_escaped),
      TEST(random_forms_give_the_same_in_any_pieces),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
