// The list of messages of one channel.

import { $, avatar, clockOf, dayOf, fullOf, h, hue, icon, rich, sameDay } from './dom.js';
import { store } from './store.js';

const TOGETHER = 5 * 60000; // messages of one person this close are one group
const NEAR = 80; // pixels from the end that count as the end

const scroll = $('scroll');
const list = $('messages');
let shown = null; // the channel
let last = null; // its last message in the list
let behind = 0; // messages that came while the reader was further up

export const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR;

function showNewer() {
  $('newer').hidden = behind === 0;
  $('newer').querySelector('span').textContent =
    behind === 1 ? '1 new message' : `${behind} new messages`;
}

export function toEnd(smooth = false) {
  scroll.scrollTo({ top: scroll.scrollHeight, behavior: smooth ? 'smooth' : 'instant' });
  behind = 0;
  showNewer();
}

const separator = (text, extra = '') =>
  h('li', { class: `separator ${extra}` }, h('span', {}, text));

function bubble(message) {
  const mentioned = message.from !== store.me && store.mentions(message.text);
  return h('div', { class: `bubble${mentioned ? ' mentioned' : ''}`, title: fullOf(message.at) },
    rich(message.text));
}

/** A message that begins a group: with its sender and time. */
function group(message, onperson) {
  const mine = message.from === store.me;
  const name = mine
    ? h('span', { class: 'from' }, 'You')
    : h('button', { type: 'button', class: 'from', hue: hue(message.from),
      title: `Whisper to ${message.from}`, onclick: () => onperson(message.from) }, message.from);
  return h('li', { class: `group${mine ? ' mine' : ''}`, 'data-from': message.from },
    mine ? null : avatar(message.from),
    h('div', { class: 'group-body' },
      h('p', { class: 'group-head' }, name,
        h('time', { dateTime: new Date(message.at).toISOString() }, clockOf(message.at))),
      bubble(message)));
}

export const missed = (channel) =>
  `${channel.missed === 1 ? '1 message' : `${channel.missed} messages`} while you were away`;

/** The server could not tell what came behind the last one. What comes next
 * does: the numbers of a room have no holes. */
function gap(next) {
  if (!last?.gap) return;
  const count = next ? next.id - last.id - 1 : 0;
  list.append(separator(count > 1 ? `${count} messages are missing here`
    : count === 1 ? '1 message is missing here' : 'Some messages may be missing here', 'gap'));
}

function put(message, onperson) {
  const day = !last || !sameDay(last.at, message.at);
  const away = shown.missedFrom === message && !last?.gap;
  const fresh = away || (shown.newFrom === message && !last?.gap);
  gap(message);
  if (day) list.append(separator(dayOf(message.at)));
  if (away) {
    list.append(separator(missed(shown), 'fresh missed'));
  } else if (fresh) {
    list.append(separator('New', 'fresh'));
  }
  const together = last && !day && !fresh && !last.gap && last.from === message.from &&
    message.at - last.at < TOGETHER;
  if (together) list.lastElementChild.querySelector('.group-body').append(bubble(message));
  else list.append(group(message, onperson));
  if (message.reached === 0 && message.from === store.me && message.to !== store.me) {
    list.lastElementChild.querySelector('.group-body').append(
      h('p', { class: 'undelivered' }, `${message.to} is not here, so this did not arrive.`));
  }
  last = message;
}

/** What stands above the first message. */
function hello(channel) {
  const room = channel.kind === 'room';
  const empty = channel.messages.length === 0;
  const mark = room ? h('span', { class: 'hello-mark' }, icon('hash')) : avatar(channel.name);
  $('hello').replaceChildren(mark,
    h('h2', {}, room ? `Welcome to #${channel.name}` : `You and ${channel.name}`),
    h('p', {}, room ? `${store.topic(channel.name)}.` :
      'Nobody else sees this, and the server keeps no copy.',
    empty ? h('br') : null,
    empty ? (room && !channel.loaded ? 'Looking up what was said…' : 'Nothing was said yet. Go first.') : null));
  $('hello').classList.toggle('lonely', empty);
}

/** The whole channel, anew. */
export function show(channel, onperson) {
  const stay = shown === channel && !atEnd() ? scroll.scrollTop : null;
  if (shown && shown !== channel) store.settle(shown);
  shown = channel;
  last = null;
  list.replaceChildren();
  hello(channel);
  for (const message of channel.messages) put(message, onperson);
  gap();
  const fresh = list.querySelector('.fresh, .gap');
  if (stay !== null) {
    scroll.scrollTop = stay;
  } else {
    toEnd();
    if (fresh) {
      const top = fresh.offsetTop - 24;
      if (top < scroll.scrollTop) scroll.scrollTop = top;
    }
  }
}

/** One more message at the end of the channel that is shown. */
export function append(channel, message, onperson) {
  if (channel !== shown) return;
  const follow = atEnd() || message.from === store.me;
  if (channel.messages.at(-1) !== message || last?.gap) {
    show(channel, onperson);
    return;
  }
  if (channel.messages.length === 1) hello(channel);
  if (message.from === store.me) { // who answers has read
    store.settle(channel);
    for (const line of list.querySelectorAll('.fresh')) line.remove();
  }
  put(message, onperson);
  if (follow) {
    toEnd();
  } else {
    behind++;
    showNewer();
  }
}

/** Keeps the end in sight when the composer grows or the window shrinks. */
let wasAtEnd = true;
let top = 0;
scroll.addEventListener('scroll', () => {
  // Who only lost room at the bottom has not gone away from there.
  wasAtEnd = atEnd() || (wasAtEnd && scroll.scrollTop >= top);
  top = scroll.scrollTop;
  if (wasAtEnd && behind > 0) {
    behind = 0;
    showNewer();
  }
}, { passive: true });
new ResizeObserver(() => {
  if (wasAtEnd) scroll.scrollTop = scroll.scrollHeight;
}).observe(scroll);
