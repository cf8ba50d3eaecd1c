#include "take.h"

#include <string.h>

#include "heap.h"
#include "sockjs.h"

/* The first room bytes of what there is; how many those are. */
static size_t gather(struct shower *shower, const struct iovec *iov, int count,
                     size_t room) {
  size_t len = 0;
  int i;

  for (i = 0; i < count && len < room; i++) {
    size_t size = iov[i].iov_len < room - len ? iov[i].iov_len : room - len;

    if (shower != NULL) {
      shower_take(shower, iov[i].iov_base, size);
    }
    len += size;
  }
  return len;
}

/* So many bytes are all that is taken before the connection breaks off. */
static size_t room_of(struct stream *stream, const struct iovec *iov,
                      int count) {
  return stream->owner != NULL ? client_room(stream->owner, stream, iov, count)
                               : SIZE_MAX;
}

static void count_off(struct stream *stream, size_t len) {
  sbk_conn_sent(stream->conn, len);
  stream->room -= stream->room != SIZE_MAX ? len : 0;
}

static bool take_vectors(struct stream *stream) {
  struct iovec iov[8];
  int count = sbk_conn_output(stream->conn, iov, 8);
  size_t len = 0;

  if (count > 0) {
    len = gather(&stream->shower, iov, count, room_of(stream, iov, count));
  }
  if (len > 0) {
    count_off(stream, len);
  }
  return len > 0;
}

/* What is left of a piece has to stay where it was. */
static bool take_byte(struct stream *stream) {
  struct iovec iov[4];
  const uint8_t *next = NULL;
  bool any = false;

  while (sbk_conn_output(stream->conn, iov, 4) > 0 && iov[0].iov_len > 0) {
    if (next != NULL && next != iov[0].iov_base) {
      run_fault(stream->run, "bytes that were handed out have moved");
    }
    shower_take(&stream->shower, iov[0].iov_base, 1);
    next = iov[0].iov_len > 1 ? (const uint8_t *)iov[0].iov_base + 1 : NULL;
    sbk_conn_sent(stream->conn, 1);
    any = true;
  }
  return any;
}

static bool take_copy(struct stream *stream, size_t cap, size_t at_once) {
  uint8_t *buf = own_realloc(NULL, cap), *again;
  size_t len = sbk_conn_copy_out(stream->conn, buf, cap), len_again, room;
  struct iovec iov;

  if (len > cap) {
    run_fault(stream->run, "sbk_conn_copy_out() wrote past the end");
  }
  iov.iov_base = buf;
  iov.iov_len = len;
  room = room_of(stream, &iov, 1);
  if (len > room) {
    len = room;
  }
  if (len > at_once) { /* a short write */
    again = own_realloc(NULL, cap);
    len_again = sbk_conn_copy_out(stream->conn, again, cap);
    if (len_again != len || memcmp(buf, again, len) != 0) {
      run_fault(stream->run, "sbk_conn_copy_out() gave other bytes again");
    }
    own_free(again);
    len = at_once;
  }
  if (len > 0) {
    shower_take(&stream->shower, buf, len);
    count_off(stream, len);
  }
  own_free(buf);
  return len > 0;
}

static bool take_uneven(struct stream *stream) {
  static const size_t caps[] = {1, 7, 64, 3, 4096, 2, 129, 1000};
  static const size_t offs[] = {1, 5, 64, 2, 1500, 2, 128, 1};
  unsigned turn = stream->turn++ % 8;

  return take_copy(stream, caps[turn], offs[turn]);
}

void take_few(struct stream *stream) {
  bool copies = stream->run->mode->taking == TAKE_COPY ||
                stream->run->mode->taking == TAKE_COPY_BYTE ||
                stream->run->mode->taking == TAKE_UNEVEN;
  uint8_t buf[256];
  struct iovec iov = {buf, 0};
  size_t len;

  while (stream->takes > 0) {
    len = stream->takes < sizeof(buf) ? stream->takes : sizeof(buf);
    if (copies) {
      iov.iov_len = sbk_conn_copy_out(stream->conn, buf, len);
    } else if (sbk_conn_output(stream->conn, &iov, 1) <= 0) {
      return;
    }
    len = iov.iov_len < stream->takes ? iov.iov_len : stream->takes;
    if (len == 0) {
      return;
    }
    shower_take(&stream->shower, iov.iov_base, len);
    stream->takes -= len;
    sbk_conn_sent(stream->conn, len);
  }
}

/* The write that is under way ends: its bytes must be as they were. */
bool take_end(struct stream *stream) {
  size_t off = 0;
  int i;

  if (stream->late_count == 0) {
    return false;
  }
  for (i = 0; i < stream->late_count; i++) {
    if (memcmp(stream->late_copy + off, stream->late[i].iov_base,
               stream->late[i].iov_len) != 0) {
      run_fault(stream->run, "bytes that were handed out have changed");
    }
    off += stream->late[i].iov_len;
  }
  gather(&stream->shower, stream->late, stream->late_count, SIZE_MAX);
  stream->late_count = 0;
  sbk_conn_sent(stream->conn, stream->late_len);
  return true;
}

static void begin_late(struct stream *stream) {
  int count = sbk_conn_output(stream->conn, stream->late, 8), i;
  size_t off = 0;

  if (count <= 0) {
    return;
  }
  stream->late_len = gather(NULL, stream->late, count, SIZE_MAX);
  stream->late_copy = own_realloc(stream->late_copy, stream->late_len);
  for (i = 0; i < count; i++) {
    memcpy(stream->late_copy + off, stream->late[i].iov_base,
           stream->late[i].iov_len);
    off += stream->late[i].iov_len;
  }
  stream->late_count = count;
}

bool take_some(struct stream *stream) {
  enum taking taking = stream->run->mode->taking;

  /* What a client has sent has effects at once, as on other streams: it must
   * not have to wait for an answer. */
  if (taking == TAKE_LATE && stream->owner != NULL &&
      client_sends_on(stream->owner, stream)) {
    taking = TAKE_VECTORS;
  }
  switch (taking) {
  case TAKE_VECTORS:
    return take_vectors(stream);
  case TAKE_BYTE:
    return take_byte(stream);
  case TAKE_COPY:
    return take_copy(stream, 65536, 65536);
  case TAKE_COPY_BYTE:
    return take_copy(stream, 1, 1);
  case TAKE_UNEVEN:
    return take_uneven(stream);
  case TAKE_LATE:
    begin_late(stream);
    return false;
  }
  return false;
}
