#include "stage.h"

#include <assert.h>
#include <string.h>

sbk__stage *sbk__stage_new(const struct sbk_mem *mem) {
  sbk__stage *stage = sbk__calloc(mem, 1, sizeof(*stage));

  if (stage != NULL) {
    stage->mem = mem;
  }

  return stage;
}

void sbk__stage_free(sbk__stage *stage) {
  size_t i;

  if (stage == NULL) {
    return;
  }
  for (i = 0; i < stage->count; i++) {
    sbk_buf_unref(stage->pieces[stage->head + i].owner);
  }
  sbk__free(stage->mem, stage->pieces);
  sbk__free(stage->mem, stage);
}

static int reserve_pieces(sbk__stage *stage, size_t count) {
  size_t cap;
  sbk__piece *pieces;

  if (stage->head > 0 && stage->head + stage->count + count > stage->cap) {
    memmove(stage->pieces, stage->pieces + stage->head,
            stage->count * sizeof(*pieces));
    stage->head = 0;
  }
  if (stage->count + count <= stage->cap) {
    return 0;
  }

  cap = (stage->count + count) * 2;
  pieces = sbk__realloc(stage->mem, stage->pieces, cap * sizeof(*pieces));
  if (pieces == NULL) {
    return SBK_ERR_NOMEM;
  }
  stage->pieces = pieces;
  stage->cap = cap;

  return 0;
}

static void push(sbk__stage *stage, const uint8_t *base, size_t len,
                 sbk_buf *owner) {
  assert(stage->head + stage->count < stage->cap);
  stage->pieces[stage->head + stage->count++] = (sbk__piece){base, len, owner};
  stage->bytes += len;
}

int sbk__stage_reserve(sbk__stage *stage, size_t copies, size_t pieces) {
  sbk_buf *run;
  /* Each referenced piece may end a run, behind which a new one begins. */
  int rv = reserve_pieces(stage, 2 * pieces + 2);

  if (rv != 0 || copies <= stage->run_left) {
    return rv;
  }

  run = sbk__buf_new(stage->mem, copies);
  if (run == NULL) {
    return SBK_ERR_NOMEM;
  }
  push(stage, sbk__buf_bytes(run), 0, run);
  stage->run_left = copies;

  return 0;
}

uint8_t *sbk__stage_room(sbk__stage *stage, size_t len) {
  sbk__piece *last = &stage->pieces[stage->head + stage->count - 1];
  uint8_t *room = (uint8_t *)(uintptr_t)last->base + last->len;

  assert(len <= stage->run_left);
  last->len += len;
  stage->bytes += len;
  stage->run_left -= len;

  return room;
}

void sbk__stage_copy(sbk__stage *stage, const void *data, size_t len) {
  if (len > 0) {
    memcpy(sbk__stage_room(stage, len), data, len);
  }
}

void sbk__stage_add(sbk__stage *stage, const void *data, size_t len,
                    sbk_buf *owner) {
  sbk__piece run = {NULL, 0, NULL};

  if (stage->run_left > 0) {
    run = stage->pieces[stage->head + stage->count - 1];
  }
  push(stage, data, len, sbk_buf_ref(owner));
  if (run.owner != NULL) {
    /* The run goes on behind the piece. */
    push(stage, run.base + run.len, 0, sbk_buf_ref(run.owner));
  }
}

size_t sbk__stage_copy_out(const sbk__stage *stage, uint8_t *dst, size_t cap) {
  size_t i, done = 0;

  for (i = 0; i < stage->count && done < cap; i++) {
    const sbk__piece *piece = &stage->pieces[stage->head + i];
    size_t len = piece->len < cap - done ? piece->len : cap - done;

    if (len > 0) {
      memcpy(dst + done, piece->base, len);
    }
    done += len;
  }

  return done;
}

int sbk__stage_iov(const sbk__stage *stage, struct iovec *iov, int max) {
  size_t i;
  int count = 0;

  for (i = 0; i < stage->count && count < max; i++) {
    const sbk__piece *piece = &stage->pieces[stage->head + i];

    if (piece->len > 0) {
      iov[count].iov_base = (void *)(uintptr_t)piece->base;
      iov[count].iov_len = piece->len;
      count++;
    }
  }

  return count;
}

size_t sbk__stage_sent(sbk__stage *stage, size_t len) {
  size_t done = 0;

  while (stage->count > 0) {
    sbk__piece *piece = &stage->pieces[stage->head];
    size_t step = piece->len < len - done ? piece->len : len - done;

    piece->base += step;
    piece->len -= step;
    done += step;
    /* An empty run at the end may still be filled. */
    if (piece->len > 0 || (stage->count == 1 && stage->run_left > 0)) {
      break;
    }
    sbk_buf_unref(piece->owner);
    stage->head++;
    stage->count--;
  }
  stage->bytes -= done;

  return done;
}
