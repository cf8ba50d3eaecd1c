#ifndef MACROS_H
#define MACROS_H

#include <stdbool.h>
#include <stddef.h>

/* Where the lines go that one stands for. */
struct macro {
  void *arg;
  void (*expand)(void *arg, const char *line);
};

/* One of them. */
void macro_put(const struct macro *m, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));

/*
 * Lines of a transcript that stand for several: expand() gets each of those.
 * false: there is no such macro.
 */
bool macro_line(void *arg, void (*expand)(void *arg, const char *line),
                const char *what, char *text);

/* The next word, ended by NUL, or NULL; *text moves behind it and one blank. */
char *next_word(char **text);
/* The next part of a text whose parts stand between " + ", or NULL. */
char *next_part(char **text);
/* How many bytes a text of a transcript stands for. */
size_t parsed_len(const char *text);

#endif
