/* file.c - the files of the data folder. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int folder_open(const char *path) {
  int fd;
  if (mkdir(path, 0700) != 0 && errno != EEXIST) return -errno;
  fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -errno;
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) { /* freed when the process ends */
    int rv = -errno;
    close(fd);
    return rv;
  }
  return fd;
}

int file_read(int folder, const char *name, size_t max, struct text *out) {
  int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rv = 0;
  char part[16384];
  ssize_t n;
  if (fd < 0) return -errno;
  while ((n = read(fd, part, sizeof(part))) != 0 && rv == 0) {
    if (n < 0) rv = errno == EINTR ? 0 : -errno;
    else if ((size_t)n > max - out->len) rv = -EFBIG;
    else text_put(out, part, (size_t)n);
  }
  close(fd);
  return rv == 0 && out->failed ? -ENOMEM : rv;
}

static int write_all(int fd, const char *data, size_t len) {
  while (len > 0) {
    ssize_t n = write(fd, data, len);
    if (n < 0 && errno != EINTR) return -errno;
    if (n > 0) {
      data += n;
      len -= (size_t)n;
    }
  }
  return 0;
}

int file_write(int folder, const char *name, const void *data, size_t len) {
  char beside[128];
  int fd, rv;
  if (snprintf(beside, sizeof(beside), "%s.new", name) >= (int)sizeof(beside))
    return -ENAMETOOLONG;
  if (unlinkat(folder, beside, 0) != 0 && errno != ENOENT) return -errno;
  fd = openat(folder, beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return -errno;
  rv = write_all(fd, data, len);
  if (rv == 0 && fsync(fd) != 0) rv = -errno;
  if (close(fd) != 0 && rv == 0) rv = -errno;
  if (rv == 0 && renameat(folder, beside, folder, name) != 0) rv = -errno;
  if (rv != 0) unlinkat(folder, beside, 0);
  else fsync(folder); /* the name, too, survives a power cut */
  return rv;
}

int file_append(int folder, const char *name, const void *data, size_t len) {
  int fd =
      openat(folder, name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  int rv;
  if (fd < 0) return -errno;
  rv = write_all(fd, data, len);
  close(fd);
  return rv;
}
