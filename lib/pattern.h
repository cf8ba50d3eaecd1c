#ifndef SBK__PATTERN_H
#define SBK__PATTERN_H

#include <stdbool.h>

#include <stompbroker/broker.h>

/*
 * Destinations and patterns over them, as in Spring's AntPathMatcher without
 * regular expressions: `?` a character, `*` within a segment, `**` as a whole
 * segment any number of them, `{name}` a segment or part of one. Iterative, no
 * memory, bounded by the product of both lengths. Texts are pointer and length,
 * need not end with NUL, and have passed the checks below.
 */

#define SBK__CAPTURES_MAX 32

typedef struct sbk__capture {
  const char *name; /* in the pattern */
  size_t name_len;
  const char *value; /* in the destination */
  size_t value_len;
} sbk__capture;

typedef struct sbk__captures {
  sbk__capture items[SBK__CAPTURES_MAX];
  size_t count;
} sbk__captures;

/*
 * Is it a destination? 0; SBK_ERR_INVAL: empty, a control character (below
 * 0x20, or 0x7f), an empty segment (one leading and one trailing separator are
 * fine; both '/' and the separator count, so "//" is refused when the separator
 * is '.' too); SBK_ERR_TOO_BIG: over max_destination or max_levels, where a
 * level is what stands between separators.
 */
int sbk__destination_check(const char *text, size_t len,
                           const struct sbk_config *limits);

/* Has it a wildcard: `*`, `?` or `{`? */
bool sbk__pattern_is(const char *text, size_t len);

/*
 * Is it a pattern? As sbk__destination_check(), and SBK_ERR_INVAL: a brace
 * without its other, a brace in a brace, an empty name, `{name:regex}`
 * (`{*name}` is a plain variable of that name), a name twice; SBK_ERR_TOO_BIG:
 * over max_wildcards, where each `*`, `**`, `?` and `{…}` is one.
 */
int sbk__pattern_check(const char *text, size_t len,
                       const struct sbk_config *limits);

/* captures may be NULL; written on success only. */
bool sbk__pattern_match(const char *pattern, size_t pattern_len,
                        const char *text, size_t len, char separator,
                        sbk__captures *captures);

/* The same, where {user} stands for that name, with its '/' as "%2F", and for
 * nothing else; it is captured too. NULL: {user} is a variable like others. */
bool sbk__pattern_match_user(const char *pattern, size_t pattern_len,
                             const char *user, const char *text, size_t len,
                             char separator, sbk__captures *captures);

/* Has a pattern {user} in it? */
bool sbk__pattern_has_user(const char *pattern, size_t len);

/* The next segment at *pos or behind it, and *pos behind that; false: there is
 * none. */
bool sbk__pattern_segment(const char *text, size_t len, char separator,
                          size_t *pos, const char **segment, size_t *size);
/* Does a segment of a pattern that is not `**` match a segment of text? */
bool sbk__pattern_match_segment(const char *pattern, size_t pattern_len,
                                const char *text, size_t len);

/* Spring's AntPatternComparator for two patterns that match text: below 0 when
 * a is the more specific one. */
int sbk__pattern_compare(const char *a, size_t a_len, const char *b,
                         size_t b_len, const char *text, size_t len,
                         char separator);

/*
 * Is text the prefix itself, or below it: behind it comes a '/' or the
 * separator? ("/topic" covers "/topic" and "/topic/x", not "/topicx"; a prefix
 * that ends with '/' or the separator covers what begins with it.)
 */
bool sbk__prefix_covers(const char *prefix, size_t prefix_len, const char *text,
                        size_t len, char separator);

#endif
