// The wire: one STOMP client over one WebSocket, which comes back by itself.

import { Client, ReconnectionTimeMode } from '/vendor/stompjs/index.js';

const FIRST_DELAY = 500;
const LONGEST_DELAY = 15000;
const JSON_TYPE = { 'content-type': 'application/json' };

/** POST /login. The server's answer, or what went wrong, in words. */
export async function login(name, password) {
  let response;
  try {
    response = await fetch('/login', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name, password }),
    });
  } catch {
    throw new Error('The server cannot be reached.');
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.message ?? `The server says ${response.status}.`);
  return answer;
}

/**
 * Talks for as long as it is not closed. `on` has what the page wants to be
 * told: state(word, seconds), refused(text), ready(), message(room, m),
 * history(room, messages), whisper(m), people(list), person(p), typing(room, t),
 * notice(n), unsent(pending).
 */
export class Net {
  constructor(token, on) {
    this.on = on;
    this.pending = new Map(); // receipt -> what was sent and not confirmed
    this.count = 0;
    this.tries = 0;
    this.client = new Client({
      brokerURL: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`,
      connectHeaders: { Authorization: `Bearer ${token}` },
      reconnectDelay: FIRST_DELAY,
      reconnectTimeMode: ReconnectionTimeMode.EXPONENTIAL,
      maxReconnectDelay: LONGEST_DELAY,
      connectionTimeout: 8000,
      heartbeatIncoming: 10000,
      heartbeatOutgoing: 10000,
      onConnect: () => this.connected(),
      onStompError: (frame) => this.error(frame),
      onWebSocketClose: () => this.closed(),
    });
  }

  open() {
    this.on.state('connecting');
    this.client.activate();
  }

  async close() {
    this.over = true;
    await this.client.deactivate();
  }

  /** Without waiting for the next try. */
  async retry() {
    if (this.over || this.client.connected) return;
    this.on.state('connecting');
    await this.client.deactivate({ force: true });
    if (this.over) return;
    this.tries = 0;
    this.client.activate();
  }

  get up() {
    return this.client.connected;
  }

  connected() {
    this.tries = 0;
    this.subscribe('/user/queue/notice', (n) => this.on.notice(n));
    this.subscribe('/user/queue/whisper', (m) => this.on.whisper(m));
    // The changes first, then the whole: so that nothing falls in between.
    this.subscribe('/topic/presence', (p) => this.on.person(p));
    this.subscribe('/app/presence', (all) => this.on.people(all.people));
    this.rooms = new Map();
    this.on.state('connected');
    this.on.ready();
  }

  closed() {
    this.rooms = null;
    if (this.over) return;
    const delay = Math.min(FIRST_DELAY * 2 ** this.tries++, LONGEST_DELAY);
    this.on.state('lost', Math.ceil(delay / 1000));
    const unsent = [...this.pending.values()];
    this.pending.clear();
    if (unsent.length > 0) this.on.unsent(unsent);
  }

  error(frame) {
    const text = frame.headers.message || frame.body || 'refused';
    if (!/token/.test(text)) {
      this.on.notice({ word: 'error', text: `The server says: ${text}` });
      return;
    }
    this.close();
    this.on.refused(text);
  }

  subscribe(destination, take) {
    return this.client.subscribe(destination, (frame) => {
      let value;
      try {
        value = JSON.parse(frame.body);
      } catch {
        return; // not of our server's making
      }
      take(value);
    });
  }

  enter(room) {
    if (!this.up || this.rooms.has(room)) return;
    this.rooms.set(room, [
      this.subscribe(`/topic/chat/${room}`, (m) => this.on.message(room, m)),
      this.subscribe(`/topic/presence/${room}`, (t) => this.on.typing(room, t)),
    ]);
    // Answered once, behind the subscriptions: a message comes twice at most.
    this.subscribe(`/app/history/${room}`, (h) => this.on.history(room, h.messages));
  }

  leave(room) {
    if (!this.up) return;
    for (const subscription of this.rooms.get(room) ?? []) subscription.unsubscribe();
    this.rooms.delete(room);
  }

  /** A message; false: there is no connection. */
  say(channel, text) {
    if (!this.up) return false;
    const receipt = `say-${++this.count}`;
    const to = channel.kind === 'room' ? 'chat' : 'whisper';
    this.pending.set(receipt, { key: channel.key, text });
    this.client.watchForReceipt(receipt, () => this.pending.delete(receipt));
    this.client.publish({
      destination: `/app/${to}/${channel.name}`,
      headers: { ...JSON_TYPE, receipt },
      body: JSON.stringify({ text }),
    });
    return true;
  }

  typing(room, typing) {
    if (!this.up) return;
    this.client.publish({
      destination: `/app/typing/${room}`,
      headers: JSON_TYPE,
      body: JSON.stringify({ typing }),
    });
  }
}
