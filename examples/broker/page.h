#ifndef BROKER_PAGE_H
#define BROKER_PAGE_H

#include <stdbool.h>
#include <stddef.h>

/** Text that grows as it is written. All 0 at first. */
struct page {
  char *text;
  size_t len, room;
  bool failed; /**< no memory: something is missing */
};

void page_add(struct page *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/** As Prometheus wants the value of a label: '\\', '"' and ends of lines
 * escaped, what is not UTF-8 replaced. */
void page_add_label(struct page *p, const char *text);
void page_free(struct page *p);

#endif
