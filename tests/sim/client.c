#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client_inner.h"

struct client *client_new(struct sim *sim, int number) {
  struct client *c = calloc(1, sizeof(*c));

  if (c == NULL) {
    abort();
  }
  c->sim = sim;
  c->number = number;
  c->session = -1;
  snprintf(c->name, sizeof(c->name), "c%d", number);

  return c;
}

void client_free(struct client *c) {
  link_free(&c->link);
  free(c->commands);
  free(c->tokens);
  free(c);
}

int client_session(const struct client *c) {
  return c->link.conn != NULL && c->connected && !c->leaving && !c->ended
             ? c->session
             : -1;
}

void client_comes(struct client *c) {
  char text[256], name[24];
  int len;

  link_free(&c->link);
  c->session = model_session(&c->sim->model, c->number % USERS);
  snprintf(name, sizeof(name), "%s.%d", c->name, c->session);
  if (!link_open(&c->link, c->sim->broker, &c->sim->chance,
                 (enum way)of(c, WAY_COUNT), name)) {
    return;
  }
  c->connected = c->leaving = c->excused = c->ended = false;
  c->frozen = 0;
  c->said = c->heard = c->sim->now;
  c->say_every = c->hear_every = SBK_NEVER;
  c->first = c->count = c->sub_count = c->token_count = 0;
  memset(c->tx_open, 0, sizeof(c->tx_open));
  c->version = 10 + (int)of(c, 3);
  c->offered = of(c, 2) == 0 ? 0 : 500 + of(c, 3000);
  c->wanted = of(c, 2) == 0 ? 0 : 500 + of(c, 3000);
  len = snprintf(text, sizeof(text),
                 "%s\naccept-version:%s\nhost:h\nheart-beat:%u,%u\n"
                 "login:u%d\n\n",
                 of(c, 2) == 0 ? "CONNECT" : "STOMP",
                 client_versions[c->version - 10], (unsigned)c->offered,
                 (unsigned)c->wanted, c->number % USERS);
  client_put(c, CONNECTS, text, (size_t)len + 1);
  sim_note(c->sim, "%s comes, %s over %s", c->name,
           client_versions[c->version - 10], way_names[c->link.way]);
}

/* ---- the stream ---- */

static void reads(struct client *c, size_t most) {
  struct bytes *in = &c->link.in;
  uint64_t before = c->link.came;
  size_t at = 0;
  struct frame frame;
  long len;

  if (c->link.conn == NULL) {
    return;
  }
  if (!link_read(&c->link, c->sim->now, most) && !c->sim->short_of_memory) {
    client_complain(c, "that is no WebSocket or SockJS", NULL);
  }
  if (c->link.came > before) {
    c->heard = c->sim->now;
  }
  while ((len = frame_read(&frame, in->data + at, in->len - at, c->version)) !=
         0) {
    if (len < 0) {
      client_complain(c, "that is no STOMP", NULL);
      break;
    }
    if (frame.command != NULL) {
      client_hear(c, &frame);
    }
    at += (size_t)len;
  }
  bytes_take(in, at < in->len ? at : in->len);
  if (link_is_over(&c->link)) {
    if (!c->leaving && !c->excused && !c->sim->short_of_memory) {
      client_complain(c, "it was closed", NULL);
    }
    client_leaves(c);
  }
}

static void writes(struct client *c, size_t most) {
  uint64_t before = c->link.arrived;

  if (c->link.conn == NULL || c->link.closed) {
    return;
  }
  link_arrive(&c->link, c->sim->now, most);
  if (c->link.arrived > before) {
    c->said = c->sim->now;
  }
  if (c->link.closed) { /* a request failed: was it done? */
    model_session_end(model_of(c), c->session);
  }
  while (c->first < c->count && c->commands[c->first].end <= c->link.arrived) {
    client_carry_out(c, &c->commands[c->first++]);
  }
}

/* ---- how it lives ---- */

void client_leaves(struct client *c) {
  if (c->link.conn != NULL) {
    c->excused = true;
    link_drop(&c->link);
    model_session_end(model_of(c), c->session);
  }
}

/* May that be why? */
static bool is_fair(struct client *c, int reason) {
  switch (reason) {
  case 0:
    return true;
  case SBK_ERR_STOMP:
    return true; /* of what it is to have said wrong, an ERROR tells */
  case SBK_ERR_SLOW:
    /* What waits behind a window of acknowledgements is not read either. */
    return model_backlog(model_of(c), c->session) >= c->sim->max_queue / 3;
  case SBK_ERR_NOMEM:
  case SBK_ERR_CALLBACK: /* a handler without memory */
  case SBK_ERR_DENIED:   /* so is who lets it in */
    return c->sim->short_of_memory;
  default:
    return false;
  }
}

void client_ended(struct client *c, int session, int reason) {
  bool fair = session != c->session || c->excused || is_fair(c, reason);

  model_session_end(model_of(c), session);
  c->ended = c->ended || session == c->session;
  c->sim->ended++;
  if (reason == SBK_ERR_SLOW) {
    c->sim->slow++;
  } else if (reason == SBK_ERR_TIMEOUT) {
    c->sim->late++;
  } else if (reason == SBK_ERR_NOMEM || reason == SBK_ERR_CALLBACK ||
             reason == SBK_ERR_DENIED) {
    c->sim->starved++;
  }
  sim_note(c->sim, "%s is ended: %s", c->name, sbk_strerror(reason));
  if (fair) {
    c->excused =
        c->excused || (session == c->session && reason != SBK_ERR_STOMP);
  } else {
    client_complain(c, "its session was ended", sbk_strerror(reason));
  }
}

void client_moves(struct client *c, size_t most) {
  if (!is_frozen(c)) {
    writes(c, of(c, (uint32_t)most));
    reads(c, of(c, (uint32_t)most));
  }
}

void client_freezes(struct client *c, sbk_msec span) {
  c->frozen = c->sim->now + span;
  c->excused = true;
  sim_note(c->sim, "%s freezes", c->name);
}

sbk_msec client_due(const struct client *c) {
  sbk_msec due = c->say_every;

  /* Half a period early, as a client with timers of its own would. */
  return due == SBK_NEVER || c->link.conn == NULL || is_frozen(c)
             ? SBK_NEVER
             : c->said + due / 2;
}

void client_keeps_alive(struct client *c) {
  sbk_msec gap;

  if (is_frozen(c) || c->link.conn == NULL) {
    return;
  }
  if (c->say_every != SBK_NEVER && !c->leaving &&
      c->sim->now - c->said >= c->say_every / 2) {
    if (c->link.up.len == 0) {
      link_send(&c->link, "\n", 1);
    }
    writes(c, SIZE_MAX);
  }
  /* A client is let in within its time, or not; and so is a request. */
  if (!c->connected || link_is_sockjs(&c->link)) {
    writes(c, SIZE_MAX);
  }
  reads(c, SIZE_MAX);
  gap = c->sim->now - c->heard;
  if (c->hear_every != SBK_NEVER && gap > c->hear_every && !c->excused &&
      !c->ended && c->link.conn != NULL && !c->leaving &&
      !c->sim->short_of_memory) { /* to come again takes some */
    model_complain(model_of(c), "%s heard nothing for %llu ms of %llu", c->name,
                   (unsigned long long)gap, (unsigned long long)c->hear_every);
  }
}

bool client_is_busy(const struct client *c) {
  return c->link.conn != NULL && (c->link.up.len > 0 || link_is_full(&c->link));
}

void client_settles(struct client *c) {
  int tx;

  c->frozen = 0;
  writes(c, SIZE_MAX);
  reads(c, SIZE_MAX);
  if (client_session(c) < 0) {
    return;
  }
  for (tx = 0; tx < TXS; tx++) {
    if (c->tx_open[tx]) {
      client_transacts(c, tx);
    }
  }
  while (c->token_count > 0 && c->tokens[0].tx == -1) {
    client_answers(c, 0, false, -1);
  }
}

void client_takes_all(struct client *c, int queue) {
  client_subscribe(c, true, queue, AUTO);
}

void client_act(struct client *c) {
  if (is_frozen(c)) {
    return;
  }
  if (c->link.conn == NULL) {
    if (of(c, 4) == 0) {
      client_comes(c);
    }
    return;
  }
  client_moves(c, of(c, 3) == 0 ? 40 : 6000);
  if (client_session(c) < 0) {
    if (of(c, 40) == 0) {
      client_leaves(c); /* in the middle of anything */
    }
    return;
  }
  switch (of(c, 60)) {
  case 0:
    client_leaves(c);
    break;
  case 1:
    client_disconnects(c);
    break;
  case 2:
    client_freezes(c, of(c, 20000));
    break;
  case 3:
  case 4:
    client_unsubscribes(c);
    break;
  case 5:
  case 6:
  case 7:
  case 8:
    client_subscribes(c);
    break;
  case 9:
  case 10:
  case 11:
    client_transacts(c, (int)of(c, TXS));
    break;
  case 12:
  case 13:
  case 14:
  case 15:
  case 16:
  case 17:
    client_sends(c, client_open_tx(c));
    break;
  case 18:
  case 19:
  case 20:
  case 21:
  case 22:
  case 23:
  case 24:
  case 25:
  case 26:
  case 27:
  case 28:
  case 29:
    client_acks(c);
    break;
  default:
    if (of(c, 2) == 0) {
      client_sends(c, -1);
    }
    break;
  }
  client_moves(c, 6000);
}
