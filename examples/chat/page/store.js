// What the page knows: who we are, the channels and what was said in them.
// A channel is a room ("#lobby") or a person we whisper with ("@bob").

const DEFAULTS = ['lobby', 'random', 'help'];
const TOPICS = {
  lobby: 'Where everybody comes in',
  random: 'Anything, and its opposite',
  help: 'Ask; somebody may know',
};
const KEEP = 500; // messages of a channel in this page
const KEEP_WHISPERS = 60; // of a person, over reloads

/** NAME.room is NAME's: all may read it. */
export const roomValid = (name) =>
  /^([A-Za-z0-9][\w-]{0,23}\.)?[a-z0-9][a-z0-9-]{0,31}$/.test(name);
export const ownerOf = (room) => (room.includes('.') ? room.slice(0, room.indexOf('.')) : null);

const read = (key) => {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
};

const write = (key, value) => {
  try {
    if (value === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Full or forbidden: it holds until the page is left.
  }
};

export const store = {
  me: null,
  token: null,
  expires: 0, // by the server's clock, in seconds
  until: 0, // the same by ours, in milliseconds
  ahead: 0, // how much the server's is before ours
  drafts: null, // what was being written when a login ended
  channels: new Map(),
  current: null,
  lastWhisper: null, // its message-id
  people: new Map(), // name -> Set of rooms; those online
  onread: () => {},

  /** The login that this tab still has, if any. */
  restore() {
    const login = read('login');
    if (!login?.token) return false;
    this.enter(login);
    return true;
  },

  renew({ token, expires, until, ahead }) {
    Object.assign(this, { token, expires, until, ahead });
    write('login', { name: this.me, token, expires, until, ahead });
  },

  /** The server's time. */
  now() {
    return Date.now() + this.ahead;
  },

  enter(login) {
    const { name } = login;
    this.me = name;
    this.renew(login);
    const saved = read(`rooms:${name}`);
    this.channels.clear();
    for (const room of Array.isArray(saved) ? saved.filter(roomValid) : DEFAULTS) this.room(room);
    const whispers = read(`whispers:${name}`) ?? {};
    for (const [partner, messages] of Object.entries(whispers)) {
      const channel = this.partner(partner);
      channel.messages = messages;
      channel.seen = read(`seen:${name}:${channel.key}`) ?? 0;
      channel.unread = messages.filter((m) => m.from !== name && m.at > channel.seen).length;
    }
    this.lastWhisper = read(`whispered:${name}`);
    const last = read(`current:${name}`);
    this.current = this.channels.get(last) ?? this.channels.values().next().value ?? this.room('lobby');
    for (const [key, draft] of this.drafts?.me === name ? this.drafts.all : [])
      if (this.channels.has(key)) this.channels.get(key).draft = draft;
    this.drafts = null;
  },

  /** keep: who comes in again goes on writing where they were. */
  leave(keep) {
    write('login', null);
    this.drafts = keep ? { me: this.me, all: [...this.channels.values()].map((c) => [c.key, c.draft]) } : null;
    this.me = this.token = this.current = null;
    this.channels.clear();
    this.people.clear();
  },

  channel(key, kind, name) {
    let channel = this.channels.get(key);
    if (!channel) {
      channel = {
        key, kind, name, messages: [], unread: 0, mentioned: false, draft: '',
        seen: kind === 'room' ? read(`seen:${this.me}:${key}`) ?? -1 : 0,
        newFrom: null, loaded: false, typing: new Map(),
        since: 0, resumed: false, first: false, // see enters()
        missed: 0, missedFrom: null, // while there was no connection
        unsure: [], // texts that may have arrived or not
        given: '', refusal: '', // what came back to the field, and why
      };
      this.channels.set(key, channel);
    }
    return channel;
  },

  room(name) {
    const channel = this.channel(`#${name}`, 'room', name);
    this.saveRooms();
    return channel;
  },

  /** What was whispered behind this is new, in this tab. */
  heard(id) {
    this.lastWhisper = id;
    write(`whispered:${this.me}`, id);
  },

  partner(name) {
    return this.channel(`@${name}`, 'whisper', name);
  },

  drop(channel) {
    this.channels.delete(channel.key);
    if (channel.kind === 'room') this.saveRooms();
    else this.saveWhispers();
  },

  get rooms() {
    return [...this.channels.values()].filter((c) => c.kind === 'room');
  },
  get whispers() {
    return [...this.channels.values()].filter((c) => c.kind === 'whisper');
  },
  get unread() {
    return [...this.channels.values()].reduce((sum, c) => sum + c.unread, 0);
  },
  topic(room) {
    const owner = ownerOf(room);
    if (owner) return owner === this.me ? 'Yours: all may read it' : `${owner}'s: all may read it`;
    return TOPICS[room] ?? 'A room of your own making';
  },
  mayWrite(channel) {
    return channel.kind !== 'room' || [null, this.me].includes(ownerOf(channel.name));
  },

  saveRooms() {
    write(`rooms:${this.me}`, this.rooms.map((c) => c.name));
  },
  saveWhispers() {
    write(`whispers:${this.me}`,
      Object.fromEntries(this.whispers.map((c) => [c.name, c.messages.slice(-KEEP_WHISPERS)])));
  },
  saveCurrent() {
    write(`current:${this.me}`, this.current.key);
  },

  /**
   * Puts a message to its place. False: it is there already. The numbers of a
   * room have no holes: where one follows on another, nothing is missing.
   */
  add(channel, message) {
    const all = channel.messages;
    if (channel.kind === 'room') {
      let at = all.length;
      while (at > 0 && all[at - 1].id > message.id) at--;
      const before = all[at - 1];
      if (before?.id === message.id && before.at === message.at) {
        before.gap = false; // the server still has it, and all behind it
        return false;
      }
      const again = before?.id === message.id;
      if (again) at--;
      if (again || all[at]?.at < message.at) {
        // A server that lost some of what it had gives their numbers anew.
        all.splice(at);
        channel.seen = Math.min(channel.seen, message.id - 1);
      } else if (before?.id === message.id - 1) {
        before.gap = false;
      }
      all.splice(at, 0, message);
    } else {
      all.push(message);
      this.saveWhispers();
    }
    if (all.length > KEEP) all.splice(0, all.length - KEEP);
    return true;
  },

  /** What came while nobody looked. */
  count(channel, message) {
    if (message.from === this.me) return;
    if (channel.unread === 0) channel.newFrom = message;
    channel.unread++;
    if (this.mentions(message.text)) channel.mentioned = true;
  },

  mentions(text) {
    const at = text.toLowerCase().indexOf(`@${this.me.toLowerCase()}`);
    return at >= 0 && !/[\w-]/.test(text[at + this.me.length + 1] ?? ' ');
  },

  /** The lines above what is new go away. */
  settle(channel) {
    channel.newFrom = channel.missedFrom = null;
    channel.missed = 0;
  },

  /** The whole channel has been seen. */
  read(channel) {
    const last = channel.messages.at(-1);
    channel.unread = 0;
    channel.mentioned = false;
    if (last) this.saw(channel, channel.kind === 'room' ? last.id : last.at);
  },
  saw(channel, upTo) {
    channel.seen = upTo;
    write(`seen:${this.me}:${channel.key}`, upTo);
  },

  /** Something may be missing behind what we have. */
  gap(channel) {
    const last = channel.messages.at(-1);
    if (last) last.gap = true;
  },

  /** Before a room is entered, or entered again. */
  enters(channel) {
    channel.since = this.now();
    channel.resumed = channel.loaded; // until something was missed
    channel.first = channel.seen < 0;
  },

  /** What was said before that: unread is what is new since we last looked; on
   * the first visit nothing is. */
  past(channel, message) {
    if (!this.add(channel, message)) return;
    if (channel.first) {
      this.saw(channel, message.id);
      return;
    }
    if (message.from !== this.me) {
      if (channel.resumed) Object.assign(channel, { resumed: false, missed: 0, missedFrom: message });
      if (channel.missedFrom) channel.missed++;
    }
    if (message.id > channel.seen) this.count(channel, message);
  },
};
