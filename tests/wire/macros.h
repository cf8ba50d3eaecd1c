#ifndef MACROS_H
#define MACROS_H

#include <stdbool.h>

/*
 * Lines of a transcript that stand for several: expand() gets each of those.
 * false: there is no such macro.
 */
bool macro_line(void *arg, void (*expand)(void *arg, const char *line),
                const char *what, char *text);

/* The next word, ended by NUL, or NULL; *text moves behind it and one blank. */
char *next_word(char **text);

#endif
