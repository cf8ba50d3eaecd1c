// The page as a whole: what happens, and what is drawn then.

import { $, avatar, h, hue, setIcon, toast } from './dom.js';
import { onLogin, openDoor } from './door.js';
import * as messages from './messages.js';
import { Net } from './net.js';
import { drawChannels, drawPeople } from './sidebar.js';
import { store } from './store.js';
import { openSwitcher } from './switcher.js';

const TEXT_MOST = 4096; // bytes, as the server has it
const TYPING_EVERY = 2500; // ms; others forget it after twice that
const compose = $('compose');
const narrow = matchMedia('(max-width: 759px)');
let net = null;
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
  compose.placeholder = room ? `Message #${name}` : `Whisper to ${name}`;
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

function drawAll() {
  drawHead();
  drawSides();
  drawTyping();
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

function join(name) {
  const channel = store.room(name);
  net?.enter(name);
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
  refused(text) {
    goOut(/expired/.test(text) ? 'Your login has expired. Please come in again.'
      : 'The server does not know this login any more. Please come in again.', 'error');
  },
  ready() {
    for (const channel of store.rooms) net.enter(channel.name);
  },
  message(room, message) {
    const channel = store.channels.get(`#${room}`);
    if (channel) came(channel, message);
  },
  history(room, all) {
    const channel = store.channels.get(`#${room}`);
    if (!channel) return;
    const first = !channel.loaded;
    const changed = store.merge(channel, all);
    if (channel === store.current) {
      if (looking()) store.read(channel);
      if (changed || first) messages.show(channel, whisperTo);
    }
    drawChannels(choose);
  },
  whisper(message) {
    const partner = message.from === store.me ? message.to : message.from;
    came(store.partner(partner), message);
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
  notice({ text }) {
    toast(text);
  },
  unsent(all) {
    // Perhaps it arrived, perhaps not: the writer decides.
    for (const { key, text } of all) {
      const channel = store.channels.get(key);
      if (!channel) continue;
      if (channel === store.current) {
        compose.value = compose.value ? `${text}\n${compose.value}` : text;
        grow();
      } else {
        channel.draft = channel.draft ? `${text}\n${channel.draft}` : text;
      }
    }
    toast('Your last message may not have arrived. It is back in the field.');
  },
};

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
  $('send').disabled = !text || left < 0 || !net?.up;
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
$('logout').addEventListener('click', () => goOut('You are out. See you soon.', 'good'));

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
  net = new Net(store.token, incoming);
  net.open();
  store.read(store.current);
  drawAll();
  guardDrawer();
  compose.value = '';
  grow();
  if (!narrow.matches) compose.focus();
}

function goOut(why, kind) {
  net?.close();
  net = null;
  closeDrawer();
  clearInterval(countdown);
  store.leave();
  toast();
  openDoor(why, kind);
}

onLogin((answer) => {
  store.enter(answer);
  goIn();
  if (answer.created) toast(`Welcome, ${answer.name}. The name is yours now.`);
});

drawTheme();
const state = store.restore();
if (state === 'good') goIn();
else openDoor(state === 'expired' ? 'Your login has expired. Please come in again.' : '', 'error');

