/* rooms.c - what was said lately. */
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

struct room {
  char name[ROOM_SIZE];
  uint64_t last_id;
  struct text lines[HISTORY_COUNT]; /* a ring */
  size_t first;
  size_t count;
  size_t bytes;
  size_t on_disk; /* lines of the file, older ones too */
};

struct rooms {
  int folder;
  struct room *all[ROOMS_MOST];
  size_t count;
};

static struct room *find(const struct rooms *r, const char *name) {
  size_t i;
  for (i = 0; i < r->count; i++)
    if (strcmp(r->all[i]->name, name) == 0) return r->all[i];
  return NULL;
}

static struct room *get(struct rooms *r, const char *name) {
  struct room *room = find(r, name);
  if (room != NULL || r->count == ROOMS_MOST) return room;
  room = calloc(1, sizeof(*room));
  if (room == NULL) return NULL;
  snprintf(room->name, sizeof(room->name), "%s", name);
  r->all[r->count++] = room;
  return room;
}

static struct text *line_at(struct room *room, size_t i) {
  return &room->lines[(room->first + i) % HISTORY_COUNT];
}

static void forget_oldest(struct room *room) {
  room->bytes -= line_at(room, 0)->len;
  text_free(line_at(room, 0));
  room->first = (room->first + 1) % HISTORY_COUNT;
  room->count--;
}

/* Takes the line. */
static struct text *keep(struct room *room, struct text *line) {
  struct text *place;
  while (room->count == HISTORY_COUNT ||
         (room->count > 0 && room->bytes + line->len > HISTORY_BYTES))
    forget_oldest(room);
  place = line_at(room, room->count);
  *place = *line;
  room->count++;
  room->bytes += line->len;
  return place;
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

static void file_name(char name[64], const struct room *room) {
  snprintf(name, 64, FILE_PREFIX "%s", room->name);
}

/* The file again, with no more than what memory has. */
static int compact(struct rooms *r, struct room *room) {
  struct text t = {0};
  char name[64];
  size_t i;
  int rv;
  for (i = 0; i < room->count; i++) {
    text_put(&t, line_at(room, i)->data, line_at(room, i)->len);
    text_str(&t, "\n");
  }
  file_name(name, room);
  rv = t.failed ? -ENOMEM : file_write(r->folder, name, t.data, t.len);
  if (rv == 0) room->on_disk = room->count;
  text_free(&t);
  return rv;
}

static void save(struct rooms *r, struct room *room, const struct text *line) {
  char name[64];
  int rv;
  if (room->on_disk >= COMPACT_AT) {
    rv = compact(r, room);
  } else {
    struct text t = {0};
    file_name(name, room);
    text_put(&t, line->data, line->len);
    text_str(&t, "\n");
    rv = t.failed ? -ENOMEM : file_append(r->folder, name, t.data, t.len);
    room->on_disk++;
    text_free(&t);
  }
  if (rv != 0) complain("room %s: %s", room->name, strerror(-rv));
}

/* Reads one line and writes it anew, so that what goes out is always ours. */
static bool restore(struct room *room, const char *line, size_t len) {
  char from[NAME_SIZE], said[TEXT_MOST + 1];
  uint64_t id = 0, at = 0;
  struct text t = {0};
  struct field fields[] = {{.name = "id", .number = &id},
                           {.name = "from", .dst = from, .size = sizeof(from)},
                           {.name = "at", .number = &at},
                           {.name = "text", .dst = said, .size = sizeof(said)}};
  if (!json_read(line, len, fields, 4) || id <= room->last_id) return false;
  if (!write_line(&t, id, from, at, said, fields[3].len)) {
    text_free(&t);
    return false;
  }
  room->last_id = id;
  keep(room, &t);
  return true;
}

/* A line may be torn, the last one by a kill: it is left out, and the file is
 * written anew, lest the next line be joined to it. */
static int load_room(struct rooms *r, const char *name) {
  struct text t = {0};
  char file[64];
  size_t at = 0, bad = 0;
  struct room *room = get(r, name);
  int rv;
  if (room == NULL) return -ENOMEM;
  file_name(file, room);
  rv = file_read(r->folder, file, FILE_MOST, &t);
  while (rv == 0 && at < t.len) {
    const char *end = memchr(t.data + at, '\n', t.len - at);
    size_t len = (end ? (size_t)(end - t.data) : t.len) - at;
    if (end == NULL || !restore(room, t.data + at, len)) bad++;
    room->on_disk++;
    at += len + 1;
  }
  text_free(&t);
  if (rv == 0 && bad > 0) {
    complain("room %s: left out %zu damaged lines", name, bad);
    rv = compact(r, room);
  }
  return rv;
}

struct rooms *rooms_load(int folder) {
  struct rooms *r = calloc(1, sizeof(*r));
  int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rv = 0;
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  struct dirent *e;
  size_t skip = strlen(FILE_PREFIX);
  if (dir == NULL) rv = -errno;
  if (r == NULL) rv = -ENOMEM;
  else r->folder = folder;
  while (rv == 0 && r != NULL && dir != NULL && (e = readdir(dir)) != NULL)
    if (strncmp(e->d_name, FILE_PREFIX, skip) == 0 &&
        room_valid(e->d_name + skip))
      rv = load_room(r, e->d_name + skip);
  if (dir != NULL) closedir(dir);
  else if (fd >= 0) close(fd);
  if (rv == 0) return r;
  complain("rooms: %s", strerror(-rv));
  rooms_free(r);
  return NULL;
}

void rooms_free(struct rooms *r) {
  size_t i;
  if (r == NULL) return;
  for (i = 0; i < r->count; i++) {
    while (r->all[i]->count > 0)
      forget_oldest(r->all[i]);
    free(r->all[i]);
  }
  free(r);
}

/* ---- talk ---- */

const struct text *rooms_say(struct rooms *r, const char *name,
                             const char *from, const char *data, size_t len) {
  struct room *room = get(r, name);
  struct text line = {0}, *kept;
  if (room == NULL) return NULL;
  if (!write_line(&line, room->last_id + 1, from, clock_wall(), data, len)) {
    text_free(&line);
    return NULL;
  }
  room->last_id++;
  kept = keep(room, &line);
  save(r, room, kept);
  return kept;
}

void rooms_history(const struct rooms *r, const char *name, struct text *out) {
  struct room *room = find(r, name);
  size_t i;
  text_str(out, "{\"room\":");
  text_json(out, name, strlen(name));
  text_str(out, ",\"messages\":[");
  for (i = 0; room != NULL && i < room->count; i++) {
    if (i > 0) text_str(out, ",");
    text_put(out, line_at(room, i)->data, line_at(room, i)->len);
  }
  text_str(out, "]}");
}
