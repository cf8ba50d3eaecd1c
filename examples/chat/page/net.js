// The wire: one STOMP client over one WebSocket, which comes back by itself.

import { Client, ReconnectionTimeMode } from '/vendor/stompjs/index.js';

const FIRST_DELAY = 500;
const LONGEST_DELAY = 15000;
const HISTORY = '50'; // messages of a room, for who comes in
const JSON_TYPE = { 'content-type': 'application/json' };

/**
 * Talks for as long as it is not closed. `on` has what the page wants to be
 * told: state(word, seconds), ready(), ended(text), entered(room), gap(room),
 * message(room, m), whisper(m), people(list), person(p), typing(room, t),
 * refused(text, what), unsent(all); and asks: token(), which may take its time
 * and gives null if there is none any more.
 */
export class Net {
  constructor(on) {
    this.on = on;
    this.pending = new Map(); // receipt -> what was sent and not confirmed
    this.last = new Map(); // room -> message-id of the last one that came
    this.count = 0;
    this.tries = 0;
    this.client = new Client({
      brokerURL: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`,
      reconnectDelay: FIRST_DELAY,
      reconnectTimeMode: ReconnectionTimeMode.EXPONENTIAL,
      maxReconnectDelay: LONGEST_DELAY,
      connectionTimeout: 8000,
      heartbeatIncoming: 10000,
      heartbeatOutgoing: 10000,
      beforeConnect: () => this.authorize(),
      onConnect: () => this.connected(),
      onStompError: (frame) => this.error(frame),
      onWebSocketClose: () => this.closed(),
    });
  }

  async authorize() {
    const token = await this.on.token();
    if (token) this.client.connectHeaders = { Authorization: `Bearer ${token}` };
    else this.end('expired');
  }

  end(text) {
    if (this.over) return;
    this.close();
    this.on.ended(text);
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
    this.client.subscribe('/user/queue/errors', (frame) => this.refused(frame));
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

  /** The session is lost. It is opened again, with a new token if need be. */
  error(frame) {
    const text = frame.headers.message || frame.body || 'refused';
    if (/token/.test(text)) this.end(text);
    else if (!/expired/.test(text)) this.on.refused(`The server says: ${text}`);
  }

  /** Of what we sent, one thing was not done; the session goes on. */
  refused(frame) {
    const what = this.pending.get(frame.headers['receipt-id']);
    this.pending.delete(frame.headers['receipt-id']);
    this.on.refused(frame.body, what);
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

  /** Into a room: with what was said lately, or since we were cut off. */
  enter(room) {
    if (!this.up || this.rooms.has(room)) return;
    const receipt = `enter-${++this.count}`;
    const last = this.last.get(room);
    this.client.watchForReceipt(receipt, () => this.on.entered(room));
    this.rooms.set(room, [
      this.client.subscribe(`/topic/chat/${room}`, (frame) => this.heard(room, frame),
        { receipt, history: HISTORY, ...(last ? { 'last-message-id': last } : {}) }),
      this.subscribe(`/topic/presence/${room}`, (t) => this.on.typing(room, t)),
    ]);
  }

  heard(room, frame) {
    if (frame.headers.history === 'gap') {
      this.on.gap(room);
      return;
    }
    this.last.set(room, frame.headers['message-id']);
    this.on.message(room, JSON.parse(frame.body));
  }

  leave(room) {
    if (!this.up) return;
    for (const subscription of this.rooms.get(room) ?? []) subscription.unsubscribe();
    this.rooms.delete(room);
    this.last.delete(room);
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

  /** A new token for the session that is open. */
  renew(token) {
    if (!this.up) return;
    this.client.publish({
      destination: '/app/token',
      headers: JSON_TYPE,
      body: JSON.stringify({ token }),
    });
  }
}
