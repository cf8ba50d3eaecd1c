/* help.c - what --help says, from the table. */
#include <stdio.h>
#include <string.h>

#include "options.h"

#define LEFT 33 /* columns */

static const char head[] =
    "Usage: broker [OPTION...]\n"
    "\n"
    "A STOMP broker over WebSocket and TCP, on libstompbroker. Values are\n"
    "--name VALUE or --name=VALUE; BYTES may end in K, M or G; MS are\n"
    "milliseconds; ... may be given several times. Defaults are in brackets.\n";

static const char tail[] =
    "\n"
    "For clients: SEND /app/echo answers at /user/queue/echo; SEND\n"
    "/app/to/{user} reaches that user's /user/queue/inbox; SUBSCRIBE "
    "/app/time\n"
    "answers once. On a WebSocket's port GET /metrics, and /destinations for\n"
    "each destination, are for Prometheus.\n"
    "Prints its listeners and `ready`. SIGTERM ends it, a second one at "
    "once.\n";

/* The option as it is typed. */
static void usage_of(char dst[64], const struct row *row) {
  char *at;
  snprintf(dst, 64, "  --%s%s%s%s", row->name, row->value ? " " : "",
           row->value ? row->value : "", row->kind == LIST ? " ..." : "");
  for (at = dst + 4; *at != '\0' && *at != ' '; at++)
    if (*at == '_') *at = '-';
}

void help_print(FILE *to) {
  char left[64], number[24];
  size_t i;
  fputs(head, to);
  for (i = 0; i < option_count; i++) {
    const struct row *row = &option_rows[i];
    if (row->kind == TITLE) {
      fprintf(to, "\n%s\n", row->text);
      continue;
    }
    usage_of(left, row);
    fprintf(to, "%-*s%s", LEFT, left, row->text);
    if (row->normal != 0)
      fprintf(to, " (%s)", number_text(number, row->kind, row->normal));
    fputc('\n', to);
  }
  fputs(tail, to);
}
