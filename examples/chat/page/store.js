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

export const roomValid = (name) => /^[a-z0-9][a-z0-9-]{0,31}$/.test(name);

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
  expires: 0,
  channels: new Map(),
  current: null,
  people: new Map(), // name -> Set of rooms; those online
  onread: () => {},

  /** The login that this tab still has, if any. */
  restore() {
    const login = read('login');
    if (!login || !(login.expires * 1000 > Date.now())) {
      write('login', null);
      return login ? 'expired' : 'none';
    }
    this.enter(login);
    return 'good';
  },

  enter({ name, token, expires }) {
    this.me = name;
    this.token = token;
    this.expires = expires;
    write('login', { name, token, expires });
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
    const last = read(`current:${name}`);
    this.current = this.channels.get(last) ?? this.channels.values().next().value ?? this.room('lobby');
  },

  leave() {
    write('login', null);
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
  topic: (room) => TOPICS[room] ?? 'A room of your own making',

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

  /** Puts a message to its place. False: it is there already. */
  add(channel, message) {
    const all = channel.messages;
    if (channel.kind === 'room') {
      let at = all.length;
      while (at > 0 && all[at - 1].id > message.id) at--;
      if (at > 0 && all[at - 1].id === message.id) return false;
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

  /** The whole channel has been seen. */
  read(channel) {
    const last = channel.messages.at(-1);
    channel.unread = 0;
    channel.mentioned = false;
    if (last) {
      channel.seen = channel.kind === 'room' ? last.id : last.at;
      write(`seen:${this.me}:${channel.key}`, channel.seen);
    }
  },

  /** The server's memory of a room. What of it is new since we last looked is
   * unread; on the first visit nothing is. */
  merge(channel, messages) {
    const last = messages.at(-1)?.id ?? 0;
    if ((channel.messages.at(-1)?.id ?? 0) > last) channel.messages = []; // a new server
    if (channel.seen > last) channel.seen = -1;
    const before = channel.messages.length;
    for (const message of messages) {
      if (this.add(channel, message) && channel.seen >= 0 && message.id > channel.seen)
        this.count(channel, message);
    }
    if (channel.seen < 0) {
      channel.seen = last;
      write(`seen:${this.me}:${channel.key}`, last);
    }
    channel.loaded = true;
    return channel.messages.length !== before;
  },
};
