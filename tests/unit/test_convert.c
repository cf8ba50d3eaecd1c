#include <string.h>

#include "unit.h"

#include "convert.h"
#include "failing_mem.h"

static struct failing_mem mem;
static sbk__converters converters;

static void begin(void) {
  failing_mem_init(&mem);
  memset(&converters, 0, sizeof(converters));
}

static void end(void) {
  sbk__converters_free(&converters, &mem.mem);
  assert_int_equal(mem.blocks, 0);
}

static int encode(sbk_broker *broker, const char *type, const void *value,
                  sbk_buf **out, void *arg) {
  (void)broker, (void)type, (void)value, (void)out, (void)arg;
  return -1;
}

static int add(const char *content_type) {
  struct sbk_converter converter = SBK_CONVERTER_INIT;

  converter.content_type = content_type;
  converter.encode = encode;

  return sbk__converters_add(&converters, &mem.mem, &converter);
}

static const char *found(const char *content_type) {
  const struct sbk_converter *item =
      sbk__converters_find(&converters, content_type);

  return item != NULL ? item->content_type : NULL;
}

static void the_first_one_is_the_default(void **state) {
  (void)state;
  begin();
  assert_null(found(NULL));
  assert_int_equal(add("application/json"), 0);
  assert_int_equal(add("text/plain"), 0);
  assert_string_equal(found(NULL), "application/json");
  assert_string_equal(found("text/plain"), "text/plain");
  assert_null(found("text/html"));
  assert_null(found(""));
  end();
}

static void compares_without_case_and_parameters(void **state) {
  (void)state;
  begin();
  assert_int_equal(add("Application/JSON; charset=utf-8"), 0);
  assert_non_null(found("application/json"));
  assert_non_null(found("application/json;v=1"));
  assert_non_null(found("APPLICATION/JSON ; v=1"));
  assert_null(found("application/jsonx"));
  assert_null(found("application/jso"));
  assert_int_equal(add("application/json"), SBK_ERR_EXISTS);
  end();
}

static void copies_its_text(void **state) {
  char text[] = "text/plain";

  (void)state;
  begin();
  assert_int_equal(add(text), 0);
  text[0] = 'x';
  assert_string_equal(found(NULL), "text/plain");
  end();
}

static void refuses_what_cannot_be_used(void **state) {
  struct sbk_converter converter = SBK_CONVERTER_INIT;

  (void)state;
  begin();
  assert_int_equal(add(NULL), SBK_ERR_INVAL);
  assert_int_equal(add(""), SBK_ERR_INVAL);
  assert_int_equal(add("a\nb"), SBK_ERR_INVAL);
  assert_int_equal(add("a\r"), SBK_ERR_INVAL);
  converter.content_type = "text/plain";
  assert_int_equal(sbk__converters_add(&converters, &mem.mem, &converter),
                   SBK_ERR_INVAL);
  converter.encode = encode;
  converter.size--;
  assert_int_equal(sbk__converters_add(&converters, &mem.mem, &converter),
                   SBK_ERR_ABI);
  assert_int_equal(converters.count, 0);
  end();
}

static void is_as_before_when_memory_ends(void **state) {
  size_t fail;

  (void)state;
  begin();
  assert_int_equal(add("a/a"), 0);
  for (fail = 0; fail < 2; fail++) {
    mem.fail_from = mem.calls + fail;
    assert_int_equal(add("b/b"), SBK_ERR_NOMEM);
    assert_null(found("b/b"));
    assert_string_equal(found(NULL), "a/a");
  }
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_one_is_the_default),
      cmocka_unit_test(compares_without_case_and_parameters),
      cmocka_unit_test(copies_its_text),
      cmocka_unit_test(refuses_what_cannot_be_used),
      cmocka_unit_test(is_as_before_when_memory_ends),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
