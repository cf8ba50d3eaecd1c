#ifndef CHAT_FILE_H
#define CHAT_FILE_H

#include "text.h"

/* Files of the data folder, by a descriptor of it. Modes are 0600. What goes
 * wrong comes back as a negative errno value. */

/** Opens the folder, making it (0700) if it is not there, for one process. */
int folder_open(const char *path);
/** The whole file, at most max bytes of it; -EFBIG if it is larger. */
int file_read(int folder, const char *name, size_t max, struct text *out);
/** All of it or nothing: written beside, synced, renamed. */
int file_write(int folder, const char *name, const void *data, size_t len);
/** Behind the end, in one write. */
int file_append(int folder, const char *name, const void *data, size_t len);

#endif
