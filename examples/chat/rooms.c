/* rooms.c - what was said lately, over restarts. */
#include "rooms.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

#define LINE_MOST   (TEXT_MOST * 2u + 256u) /* quotes double, nothing more */
#define COMPACT_AT  (4u * HISTORY_COUNT)    /* lines of a file */
#define FILE_MOST   ((size_t)COMPACT_AT * LINE_MOST)
#define FILE_PREFIX "room-"
#define FILE_NAME   (sizeof(FILE_PREFIX) + ROOM_SIZE)

struct room {
  char name[ROOM_SIZE];
  uint64_t last_id;
  size_t on_disk; /* lines of the file */
};

struct rooms {
  int folder;
  sbk_broker *broker;
  struct room *all[ROOMS_MOST];
  size_t count;
};

static struct room *get(struct rooms *r, const char *name) {
  struct room *room;
  size_t i;
  for (i = 0; i < r->count; i++)
    if (strcmp(r->all[i]->name, name) == 0) return r->all[i];
  room = r->count < ROOMS_MOST ? calloc(1, sizeof(*room)) : NULL;
  if (room == NULL) return NULL;
  snprintf(room->name, sizeof(room->name), "%s", name);
  r->all[r->count++] = room;
  return room;
}

static bool write_line(struct text *out, uint64_t id, const char *from,
                       uint64_t at, const char *data, size_t len) {
  text_str(out, "{\"id\":");
  text_num(out, id);
  text_str(out, ",\"from\":");
  text_json(out, from, strlen(from));
  text_str(out, ",\"at\":");
  text_num(out, at);
  text_str(out, ",\"text\":");
  text_json(out, data, len);
  text_str(out, "}");
  return !out->failed;
}

/* ---- files ---- */

static void file_name(char name[FILE_NAME], const struct room *room) {
  snprintf(name, FILE_NAME, FILE_PREFIX "%s", room->name);
}

/* The file again, with the last HISTORY_COUNT lines of it. */
static int compact(struct rooms *r, struct room *room) {
  struct text t = {0};
  char name[FILE_NAME];
  size_t from, lines = 0;
  int rv;
  file_name(name, room);
  rv = file_read(r->folder, name, FILE_MOST, &t);
  from = t.len;
  while (from > 0 && (t.data[from - 1] != '\n' || lines++ < HISTORY_COUNT))
    from--;
  if (rv == 0) rv = file_write(r->folder, name, t.data + from, t.len - from);
  if (rv == 0) room->on_disk = HISTORY_COUNT;
  text_free(&t);
  return rv;
}

static int save(struct rooms *r, struct room *room, const struct text *line) {
  struct text t = {0};
  char name[FILE_NAME];
  int rv = room->on_disk < COMPACT_AT ? 0 : compact(r, room);
  file_name(name, room);
  text_put(&t, line->data, line->len);
  text_str(&t, "\n");
  if (rv == 0 && t.failed) rv = -ENOMEM;
  if (rv == 0) rv = file_append(r->folder, name, t.data, t.len);
  room->on_disk++;
  text_free(&t);
  return rv;
}

/* ---- the start ---- */

/* Reads one line and writes it anew, so that what goes out is always ours. The
 * library counts the age of its history from now, and gives new message-ids:
 * the times and the numbers that people see are those in the body. */
static bool restore(struct rooms *r, struct room *room, const char *line,
                    size_t len, struct text *good) {
  char from[NAME_SIZE], said[TEXT_MOST + 1], to[sizeof(ROOM_TOPIC) + ROOM_SIZE];
  uint64_t id = 0, at = 0;
  size_t begin = good->len;
  struct field fields[] = {{.name = "id", .number = &id},
                           {.name = "from", .dst = from, .size = sizeof(from)},
                           {.name = "at", .number = &at},
                           {.name = "text", .dst = said, .size = sizeof(said)}};
  if (!json_read(line, len, fields, 4) || id <= room->last_id) return false;
  snprintf(to, sizeof(to), ROOM_TOPIC "%s", room->name);
  if (!write_line(good, id, from, at, said, fields[3].len) ||
      sbk_send(r->broker, to, JSON, good->data + begin, good->len - begin) < 0)
    return false;
  text_str(good, "\n");
  room->last_id = id;
  room->on_disk++;
  return true;
}

/* A line may be torn, the last one by a kill: it is left out, and the file is
 * written anew, lest the next line be joined to it. */
static int load_room(struct rooms *r, const char *name) {
  struct text t = {0}, good = {0};
  char file[FILE_NAME];
  size_t at = 0, bad = 0;
  struct room *room = get(r, name);
  int rv;
  if (room == NULL) return -ENOMEM;
  file_name(file, room);
  rv = file_read(r->folder, file, FILE_MOST, &t);
  while (rv == 0 && at < t.len && !good.failed) {
    const char *end = memchr(t.data + at, '\n', t.len - at);
    size_t len = (end ? (size_t)(end - t.data) : t.len) - at;
    if (end == NULL || !restore(r, room, t.data + at, len, &good)) bad++;
    at += len + 1;
  }
  if (rv == 0 && good.failed) rv = -ENOMEM;
  if (rv == 0 && bad > 0) {
    complain("room %s: left out %zu damaged lines", name, bad);
    rv = file_write(r->folder, file, good.data, good.len);
  }
  text_free(&good);
  text_free(&t);
  return rv;
}

static int load_all(struct rooms *r) {
  int fd = openat(r->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rv = 0;
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  struct dirent *e;
  size_t skip = strlen(FILE_PREFIX);
  if (dir == NULL) {
    rv = -errno;
    if (fd >= 0) close(fd);
    return rv;
  }
  while (rv == 0 && (e = readdir(dir)) != NULL)
    if (strncmp(e->d_name, FILE_PREFIX, skip) == 0 &&
        room_valid(e->d_name + skip))
      rv = load_room(r, e->d_name + skip);
  closedir(dir);
  return rv;
}

struct rooms *rooms_load(int folder, sbk_broker *broker) {
  struct rooms *r = calloc(1, sizeof(*r));
  struct sbk_topic topic = SBK_TOPIC_INIT;
  int rv;
  if (r == NULL) return NULL;
  r->folder = folder;
  r->broker = broker;
  topic.prefix = ROOMS_TOPIC;
  topic.history_messages = HISTORY_COUNT;
  topic.history_bytes = HISTORY_BYTES;
  rv = sbk_broker_add_topic(broker, &topic) == 0 ? load_all(r) : -ENOMEM;
  if (rv == 0) return r;
  complain("rooms: %s", strerror(-rv));
  rooms_free(r);
  return NULL;
}

void rooms_free(struct rooms *r) {
  size_t i;
  if (r == NULL) return;
  for (i = 0; i < r->count; i++)
    free(r->all[i]);
  free(r);
}

/* ---- talk ---- */

int rooms_say(struct rooms *r, const char *name, const char *from,
              const char *data, size_t len, struct text *out) {
  struct room *room = get(r, name);
  int rv;
  if (room == NULL) return r->count == ROOMS_MOST ? -ENOSPC : -ENOMEM;
  if (!write_line(out, room->last_id + 1, from, clock_wall(), data, len))
    return -ENOMEM;
  room->last_id++;
  rv = save(r, room, out);
  if (rv != 0) complain("room %s: %s", name, strerror(-rv));
  return 0;
}
