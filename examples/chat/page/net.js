// The wire: one STOMP client, which comes back by itself.

import { Client, ReconnectionTimeMode } from '/vendor/stompjs/index.js';
import { Way } from './way.js';

const QUIET = 5000; // ms; a connection that is back within that was never away
const PATIENCE = 12000; // ms, until there is one for the first time
const FIRST_DELAY = 100;
const LONGEST_DELAY = 15000;
const HISTORY = '50'; // messages of a room, for who comes in
const JSON_TYPE = { 'content-type': 'application/json' };

/**
 * Talks for as long as it is not closed. `on` has what the page wants to be
 * told: state(word, seconds), ready(mended), ended(text), entered(room), gap(room),
 * message(room, m), whisper(m), people(list), person(p), typing(room, t),
 * refused(text, what), unsent(all); and asks: token(), which may take its time
 * and gives null if there is none any more, me(), and lastWhisper(), the
 * message-id of one that this tab has had, or null.
 */
export class Net {
  constructor(on) {
    this.on = on;
    this.way = new Way();
    this.told = null; // the last state
    this.away = false; // and the page says so
    this.rooms = null; // those entered, while there is a connection
    this.pending = new Map(); // receipt -> what was said and not confirmed, in order
    this.last = new Map(); // room -> message-id of the last one that came
    this.count = Math.floor(Math.random() * 2 ** 52); // unlike that of other tabs
    this.tries = 0;
    this.errors = 0; // since something was done
    this.client = new Client({
      webSocketFactory: () => this.way.open(this.client.stompVersions.protocolVersions()),
      reconnectDelay: FIRST_DELAY,
      reconnectTimeMode: ReconnectionTimeMode.EXPONENTIAL,
      maxReconnectDelay: LONGEST_DELAY,
      connectionTimeout: 10000,
      heartbeatIncoming: 10000,
      heartbeatOutgoing: 10000,
      beforeConnect: () => this.authorize(),
      onConnect: () => this.connected(),
      onStompError: (frame) => this.error(frame),
      onWebSocketClose: () => this.closed(),
    });
  }

  tell(word, seconds) {
    this.told = word;
    this.on.state(word, seconds);
  }

  async authorize() {
    await this.way.choose();
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
    this.tell('connecting');
    this.patience = setTimeout(() => this.lost(), PATIENCE);
    this.client.activate();
  }

  async close() {
    this.over = true;
    clearTimeout(this.patience);
    await this.client.deactivate();
  }

  /** Without waiting for the next try. */
  async retry() {
    if (this.over || this.talks) return;
    this.tell('connecting');
    await this.client.deactivate({ force: true });
    if (this.over) return;
    this.tries = 0;
    this.client.activate();
  }

  get up() {
    return this.client.connected;
  }

  /** Can something be said? It is sent now or in a moment. */
  get talks() {
    return this.told === 'connected';
  }

  connected() {
    const mended = this.talks;
    this.away = false;
    this.tries = 0;
    this.way.works();
    clearTimeout(this.patience);
    this.client.subscribe('/user/queue/errors', (frame) => this.refused(frame));
    this.listen();
    // The changes first, then the whole: so that nothing falls in between.
    this.subscribe('/topic/presence', (p) => this.on.person(p));
    this.subscribe('/app/presence', (all) => this.on.people(all.people));
    this.rooms = new Map();
    if (!mended) this.tell('connected');
    this.on.ready(mended);
    for (const receipt of this.pending.keys()) this.send(receipt);
  }

  closed() {
    const was = this.rooms !== null;
    this.rooms = null;
    if (this.over) return;
    const delay = Math.min(FIRST_DELAY * 2 ** this.tries++, LONGEST_DELAY);
    if (this.away) this.lost(delay);
    else if (was) this.patience = setTimeout(() => this.lost(delay), QUIET);
  }

  /** It was away for too long not to say so. */
  lost(delay = 0) {
    clearTimeout(this.patience);
    this.away = true;
    this.tell('lost', Math.ceil(delay / 1000));
    const unsent = [...this.pending.values()];
    this.pending.clear();
    if (unsent.length > 0) this.on.unsent(unsent);
  }

  /** The session is lost. It is opened again, with a new token if need be.
   * Where a request breaks off a browser sends it again, and the server may see
   * it twice: once that is nobody's fault. */
  error(frame) {
    const text = frame.headers.message || frame.body || 'refused';
    this.way.works();
    if (/token/.test(text)) this.end(text);
    else if (/expired/.test(text) || (this.way.name !== 'websocket' && this.errors++ === 0)) return;
    else this.on.refused(`The server says: ${text}`);
  }

  /** Of what we sent, one thing was not done; the session goes on. */
  refused(frame) {
    const what = this.pending.get(frame.headers['receipt-id']);
    this.pending.delete(frame.headers['receipt-id']);
    this.on.refused(frame.body, what);
  }

  subscribe(destination, take, headers) {
    return this.client.subscribe(destination, (frame) => {
      let value;
      try {
        value = JSON.parse(frame.body);
      } catch {
        return; // not of our server's making
      }
      take(value, frame.headers);
    }, headers);
  }

  /** To whispers: with those that came since we were cut off. */
  listen() {
    const last = this.on.lastWhisper();
    const headers = last ? { history: HISTORY, 'last-message-id': last } : this.listened ? { history: HISTORY } : {};
    this.listened = true;
    this.subscribe(`/topic/whisper/${this.on.me()}`,
      (m, { history, 'message-id': id }) => { if (history !== 'gap') this.on.whisper(m, id); }, headers);
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
    this.last.delete(room);
    if (!this.up) return;
    for (const subscription of this.rooms.get(room) ?? []) subscription.unsubscribe();
    this.rooms.delete(room);
  }

  /** A message; false: there is no connection. */
  say(channel, text) {
    if (!this.talks) return false;
    const receipt = `say-${++this.count}`;
    const to = channel.kind === 'room' ? 'chat' : 'whisper';
    this.pending.set(receipt, { key: channel.key, text, to: `/app/${to}/${channel.name}`, once: String(this.count) });
    if (this.up) this.send(receipt);
    return true;
  }

  /** Perhaps not for the first time: the server does nothing twice that has the
   * same number. */
  send(receipt) {
    const { to, text, once } = this.pending.get(receipt);
    this.client.watchForReceipt(receipt, () => {
      this.errors = 0;
      this.pending.delete(receipt);
    });
    this.client.publish({
      destination: to,
      headers: { ...JSON_TYPE, receipt, once },
      body: JSON.stringify({ text }),
    });
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
