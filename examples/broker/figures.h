#ifndef BROKER_FIGURES_H
#define BROKER_FIGURES_H

#include <stddef.h>
#include <stdint.h>

#include <stompbroker/stompbroker.h>

/** A member of struct sbk_stats, and what it is called. */
struct figure {
  const char *group, *word; /**< in the line: group[1 word, 2 word] */
  const char *name;         /**< for Prometheus; counters end in _total */
  const char *label;        /**< label="value" behind it, or NULL */
  const char *help;         /**< of the name, where it comes first */
  size_t offset;
};

extern const struct figure figures[];
extern const size_t figure_count;

uint64_t figure_value(const struct sbk_stats *stats, const struct figure *f);

/** One line on stderr of what there is and was. */
void figures_print(sbk_broker *broker);

#endif
