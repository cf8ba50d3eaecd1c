// The page as a whole: what happens, and what is drawn then.

import { $, avatar, h, hue, setIcon, toast } from './dom.js';
import { onLogin, openDoor } from './door.js';
import { logout, Renewal } from './login.js';
import * as messages from './messages.js';
import { Net } from './net.js';
import { drawChannels, drawPeople } from './sidebar.js';
import { ownerOf, store } from './store.js';
import { openSwitcher } from './switcher.js';

const TEXT_MOST = 4096; // bytes, as the server has it
const TYPING_EVERY = 2500; // ms; others forget it after twice that
const compose = $('compose');
const narrow = matchMedia('(max-width: 759px)');
let net = null;
let renewal = null;
let typingSent = 0;

// ---- drawing ----

const looking = () => document.visibilityState === 'visible' && document.hasFocus();

function drawHead() {
  const { kind, name } = store.current;
  const room = kind === 'room';
  const online = store.people.has(name);
  $('talk-title').textContent = room ? `#${name}` : name;
  $('talk-topic').textContent = room ? store.topic(name)
    : `${online ? 'Online' : 'Not here now'} · only the two of you see this`;
  const mine = store.mayWrite(store.current);
  compose.placeholder = !mine ? `Only ${ownerOf(name)} writes here`
    : room ? `Message #${name}` : `Whisper to ${name}`;
  compose.disabled = !mine;
  $('compose-label').textContent = compose.placeholder;
  $('leave').hidden = false;
  $('leave').textContent = room ? 'Leave' : 'Close';
  $('leave').disabled = room && store.rooms.length === 1;
  document.body.dataset.kind = kind;
}

function drawSides() {
  drawChannels(choose);
  const here = drawPeople(whisperTo);
  const count = $('talk-count');
  count.hidden = store.current.kind !== 'room';
  count.lastElementChild.textContent = here;
  count.title = here === 1 ? '1 person in this room' : `${here} people in this room`;
}

function drawTyping() {
  const names = [...store.current.typing.keys()];
  const text = names.length === 0 ? ''
    : names.length === 1 ? `${names[0]} is typing`
      : names.length === 2 ? `${names[0]} and ${names[1]} are typing`
        : `${names.length} people are typing`;
  $('typing').replaceChildren(...(text
    ? [h('span', { class: 'dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')), text] : []));
}

/** Why something is back in the field, right above it. */
function drawRefusal() {
  const text = store.current.refusal;
  $('refusal').hidden = !text;
  $('refusal').lastElementChild.textContent = text;
}

function drawAll() {
  drawHead();
  drawSides();
  drawTyping();
  drawRefusal();
  messages.show(store.current, whisperTo);
}

function announce(text) {
  const line = h('p', {}, text);
  $('announce').append(line);
  setTimeout(() => line.remove(), 4000);
}

// ---- channels ----

function choose(channel) {
  if (channel === store.current) {
    closeDrawer();
    return;
  }
  stopTyping();
  store.current.draft = compose.value;
  store.current = channel;
  store.saveCurrent();
  store.read(channel);
  compose.value = channel.draft;
  drawAll();
  grow();
  closeDrawer();
  if (!narrow.matches) compose.focus();
}

function enter(channel) {
  store.enters(channel);
  net.enter(channel.name);
}

function join(name) {
  const known = store.channels.has(`#${name}`);
  const channel = store.room(name);
  if (!known) enter(channel);
  choose(channel);
}

function whisperTo(name) {
  if (name !== store.me) choose(store.partner(name));
}

function leave() {
  const gone = store.current;
  const all = [...store.rooms, ...store.whispers];
  const next = all[all.indexOf(gone) - 1] ?? all.find((c) => c !== gone);
  if (!next || (gone.kind === 'room' && store.rooms.length === 1)) return;
  if (gone.kind === 'room') net.leave(gone.name);
  else gone.messages = [];
  choose(next);
  store.drop(gone);
  drawSides();
}

function step(by) {
  const all = [...store.rooms, ...store.whispers];
  choose(all[(all.indexOf(store.current) + by + all.length) % all.length]);
}

const jump = () => openSwitcher((option) =>
  (option.kind === 'room' ? join(option.name) : whisperTo(option.name)));

// ---- what comes in ----

function came(channel, message) {
  if (!store.add(channel, message)) return;
  notTyping(channel, message.from);
  const seen = channel === store.current && looking() && messages.atEnd();
  if (!seen) store.count(channel, message);
  messages.append(channel, message, whisperTo);
  if (seen || message.from === store.me) store.read(channel);
  if (channel === store.current && message.from !== store.me)
    announce(`${message.from}: ${message.text}`);
  else if (message.from !== store.me && channel.kind === 'whisper')
    announce(`Whisper from ${message.from}: ${message.text}`);
  drawChannels(choose);
}

// What was said before we came is drawn all at once, when no more comes.
const stale = new Set();
let redraw;

function past(channel, message) {
  if (message) {
    store.past(channel, message);
    if (message.from === store.me) arrived(channel, message.text);
  }
  stale.add(channel);
  clearTimeout(redraw);
  redraw = setTimeout(() => {
    if (!net) return;
    if (stale.has(store.current)) {
      if (looking() && messages.atEnd()) store.read(store.current);
      messages.show(store.current, whisperTo);
      if (store.current.missed > 0 && message) announce(`${messages.missed(store.current)}.`);
    }
    stale.clear();
    drawChannels(choose);
  }, 20);
}

function typed(room, { name, typing }) {
  const channel = store.channels.get(`#${room}`);
  if (!channel || name === store.me) return;
  clearTimeout(channel.typing.get(name));
  if (typing) channel.typing.set(name, setTimeout(() => notTyping(channel, name), 2 * TYPING_EVERY));
  else channel.typing.delete(name);
  if (channel === store.current) drawTyping();
  drawChannels(choose);
}

function notTyping(channel, name) {
  clearTimeout(channel.typing.get(name));
  if (!channel.typing.delete(name)) return;
  if (channel === store.current) drawTyping();
  drawChannels(choose);
}

const incoming = {
  state: setState,
  async token() {
    return await renewal?.ready() ? store.token : null;
  },
  ended(text) {
    goOut(/expired/.test(text) ? 'Your login is over. Please come in again.'
      : 'The server does not know this login any more. Please come in again.', 'error', true);
  },
  ready(mended) {
    $('state').title = `Over ${net.way.name}`;
    for (const channel of store.rooms) {
      // What came in a moment without connection is not of the past.
      if (mended && channel.loaded) net.enter(channel.name);
      else enter(channel);
    }
  },
  entered(room) {
    const channel = store.channels.get(`#${room}`);
    if (!channel) return;
    channel.loaded = true;
    if (channel.seen < 0) store.saw(channel, 0);
    past(channel);
  },
  gap(room) {
    const channel = store.channels.get(`#${room}`);
    if (!channel) return;
    store.gap(channel);
    past(channel);
  },
  message(room, message) {
    const channel = store.channels.get(`#${room}`);
    if (!channel) return;
    if (message.at < channel.since) past(channel, message);
    else came(channel, message);
  },
  me: () => store.me,
  lastWhisper: () => store.lastWhisper,
  whisper(message, id) {
    store.heard(id);
    const partner = message.from === store.me ? message.to : message.from;
    came(store.partner(partner), message);
    if (message.from === store.me) arrived(store.partner(partner), message.text);
  },
  people(all) {
    store.people = new Map(all.map((p) => [p.name, new Set(p.rooms)]));
    drawHead();
    drawSides();
  },
  person({ name, online, rooms }) {
    if (online) {
      store.people.set(name, new Set(rooms));
    } else {
      store.people.delete(name);
      for (const channel of store.rooms) notTyping(channel, name);
    }
    drawHead();
    drawSides();
  },
  typing: typed,
  refused(text, what) {
    const channel = what && store.channels.get(what.key);
    if (!channel) {
      toast(text);
      return;
    }
    channel.refusal = text;
    giveBack(channel, what.text);
    if (channel === store.current) drawRefusal();
    else toast(`${channel.key}: ${text}`);
  },
  unsent(all) {
    // Perhaps it arrived, perhaps not: the writer decides, unless it turns up.
    for (const { key, text } of all) {
      const channel = store.channels.get(key);
      if (!channel) continue;
      channel.unsure.push(text);
      channel.refusal = 'Your last message may not have arrived.';
      giveBack(channel, text);
    }
    drawRefusal();
  },
};

// ---- what comes back to the field ----

const draftOf = (channel) => (channel === store.current ? compose.value : channel.draft);

function setDraft(channel, text) {
  if (channel === store.current) {
    compose.value = text;
    grow();
  } else {
    channel.draft = text;
  }
}

/** In front of what is being written, behind what came back before. */
function giveBack(channel, text) {
  const now = draftOf(channel);
  const before = channel.given && now.startsWith(channel.given) ? channel.given : '';
  const rest = now.slice(before.length).replace(/^\n/, '');
  channel.given = before ? `${before}\n${text}` : text;
  setDraft(channel, rest ? `${channel.given}\n${rest}` : channel.given);
}

/** What we were not sure of is among what we missed. */
function arrived(channel, text) {
  const at = channel.unsure.indexOf(text);
  if (at < 0) return;
  channel.unsure.splice(at, 1);
  const lines = `${draftOf(channel)}\n`;
  if (!lines.startsWith(`${text}\n`)) return;
  channel.given = '';
  setDraft(channel, lines.slice(text.length + 1, -1));
  if (channel.unsure.length === 0) channel.refusal = '';
  if (channel === store.current) drawRefusal();
}

// ---- the connection ----

const WORDS = { connecting: 'Connecting', connected: 'Connected', lost: 'Reconnecting' };
let countdown;

function setState(word, seconds) {
  clearInterval(countdown);
  $('state').dataset.state = word;
  $('state-text').textContent = WORDS[word];
  $('me-state').textContent = word === 'connected' ? 'Online' : `${WORDS[word]}…`;
  document.body.dataset.state = word;
  $('lost').hidden = word !== 'lost';
  if (word === 'lost') {
    const say = () => {
      $('lost-text').textContent = seconds > 0
        ? `The connection is lost. Trying again in ${seconds} s.` : 'The connection is lost. Trying again…';
      seconds--;
    };
    say();
    countdown = setInterval(say, 1000);
  }
  canSend();
}

addEventListener('online', () => net?.retry());
document.addEventListener('visibilitychange', () => {
  if (looking()) net?.retry();
});

function caughtUp() {
  if (!net || !store.current || !looking() || !messages.atEnd()) return;
  if (store.current.unread === 0) return;
  store.read(store.current);
  drawChannels(choose);
}
addEventListener('focus', caughtUp);
$('scroll').addEventListener('scroll', caughtUp, { passive: true });

// ---- the composer ----

const bytes = (text) => new TextEncoder().encode(text).length;

function canSend() {
  const text = compose.value.trim();
  const left = TEXT_MOST - (text.length > 1000 ? bytes(text) : text.length);
  $('send').disabled = !text || left < 0 || !net?.talks || compose.disabled;
  $('left').textContent = left < 500 ? `${left} bytes left` : '';
  $('left').classList.toggle('over', left < 0);
}

function grow() {
  compose.style.height = 'auto';
  compose.style.height = `${Math.min(compose.scrollHeight, 200)}px`;
  canSend();
}

function stopTyping() {
  if (typingSent && store.current?.kind === 'room') net?.typing(store.current.name, false);
  typingSent = 0;
}

function sayTyping() {
  const { kind, name } = store.current;
  if (kind !== 'room') return;
  if (!compose.value.trim()) {
    stopTyping();
  } else if (Date.now() - typingSent > TYPING_EVERY) {
    net?.typing(name, true);
    typingSent = Date.now();
  }
}

function send() {
  const text = compose.value.trim();
  if ($('send').disabled || !net.say(store.current, text)) return;
  typingSent = 0; // the message says it
  compose.value = '';
  store.current.unsure = [];
  store.current.given = store.current.refusal = '';
  drawRefusal();
  grow();
  messages.toEnd();
}

compose.addEventListener('input', () => {
  grow();
  sayTyping();
});
compose.addEventListener('blur', stopTyping);
addEventListener('resize', () => net && grow());
compose.addEventListener('keydown', (e) => {
  if (e.key !== 'Enter' || e.shiftKey || e.isComposing) return;
  e.preventDefault();
  send();
});
$('composer').addEventListener('submit', (e) => {
  e.preventDefault();
  send();
  compose.focus();
});

// ---- keys, buttons, the drawer ----

function openDrawer() {
  document.body.dataset.drawer = '';
  $('scrim').hidden = false;
  $('drawer-open').setAttribute('aria-expanded', 'true');
  guardDrawer();
  $('drawer-close').focus();
}

function closeDrawer() {
  if (!('drawer' in document.body.dataset)) return;
  delete document.body.dataset.drawer;
  $('scrim').hidden = true;
  $('drawer-open').setAttribute('aria-expanded', 'false');
  guardDrawer();
  $('drawer-open').focus();
}

// On a phone a closed drawer is not there for the keyboard, nor the talk
// behind an open one.
function guardDrawer() {
  const open = 'drawer' in document.body.dataset;
  $('drawer').inert = narrow.matches && !open;
  document.querySelector('.talk').inert = narrow.matches && open;
}
narrow.addEventListener('change', () => {
  closeDrawer();
  guardDrawer();
});

addEventListener('keydown', (e) => {
  if (!net) return;
  if ((e.ctrlKey || e.metaKey) && !e.shiftKey && !e.altKey && e.key.toLowerCase() === 'k') {
    e.preventDefault();
    jump();
  } else if (e.altKey && !e.ctrlKey && (e.key === 'ArrowUp' || e.key === 'ArrowDown')) {
    e.preventDefault();
    step(e.key === 'ArrowUp' ? -1 : 1);
  } else if (e.key === 'Escape' && !$('switcher').open) {
    if ('drawer' in document.body.dataset) closeDrawer();
    else if (document.activeElement === compose || !messages.atEnd()) messages.toEnd(true);
    else compose.focus();
  }
});

$('jump').addEventListener('click', jump);
$('join').addEventListener('click', jump);
$('leave').addEventListener('click', leave);
$('retry').addEventListener('click', () => net.retry());
$('newer').addEventListener('click', () => {
  messages.toEnd(true);
  compose.focus();
});
$('drawer-open').addEventListener('click', openDrawer);
$('drawer-close').addEventListener('click', closeDrawer);
$('scrim').addEventListener('click', closeDrawer);

function drawTheme() {
  const icons = { auto: 'auto', light: 'sun', dark: 'moon' };
  const words = { auto: 'as the system', light: 'light', dark: 'dark' };
  setIcon($('theme'), icons[window.theme.choice]);
  $('theme').setAttribute('aria-label', `Theme: ${words[window.theme.choice]}`);
  $('theme').title = $('theme').getAttribute('aria-label');
}
$('theme').addEventListener('click', () => {
  window.theme.next();
  drawTheme();
});

// ---- in and out ----

function goIn() {
  $('door').hidden = true;
  $('house').hidden = false;
  $('me-name').textContent = store.me;
  const mine = avatar(store.me);
  mine.id = 'me-avatar';
  $('me-avatar').replaceWith(mine);
  mine.style.setProperty('--hue', hue(store.me));
  net = new Net(incoming);
  renewal = new Renewal(() => net.renew(store.token));
  net.open();
  store.read(store.current);
  drawAll();
  guardDrawer();
  compose.value = store.current.draft;
  grow();
  if (!narrow.matches) compose.focus();
}

/** keep: it was not our wish, and what was being written is still there. */
function goOut(why, kind, keep = false) {
  net?.close();
  renewal?.stop();
  net = renewal = null;
  if (keep) store.current.draft = compose.value;
  closeDrawer();
  clearInterval(countdown);
  const name = keep ? store.me : '';
  store.leave(keep);
  toast();
  openDoor(why, kind, name);
}

$('logout').addEventListener('click', () => {
  logout(store.me);
  goOut('You are out. See you soon.', 'good');
});

onLogin((answer) => {
  store.enter(answer);
  goIn();
  if (answer.created) toast(`Welcome, ${answer.name}. The name is yours now.`);
});

drawTheme();
if (store.restore()) goIn(); // or out again, if the login is over meanwhile
else openDoor();
