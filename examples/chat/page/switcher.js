// Ctrl+K: to a room or a person by a few letters, or into a new room.

import { $, avatar, h, icon } from './dom.js';
import { roomValid, store } from './store.js';

const dialog = $('switcher');
const input = $('switcher-text');
const list = $('switcher-list');
let options = [];
let at = 0;
let go = () => {};

/** The owner's name stays as it is; the rest is made to fit. */
function toRoom(text) {
  const [, owner, room] = /^#?([\w-]+\.)?(.*)$/s.exec(text.trim());
  return `${owner ?? ''}${room.toLowerCase().replace(/[\s_]+/g, '-')}`;
}

function gather(query) {
  const wanted = query.trim().toLowerCase().replace(/^[#@]/, '');
  const match = (name) => name.toLowerCase().includes(wanted);
  const others = new Set([...store.people.values()].flatMap((rooms) => [...rooms]));
  const found = [
    ...(query.startsWith('@') ? [] : store.rooms.filter((c) => match(c.name))
      .map((c) => ({ kind: 'room', name: c.name, unread: c.unread }))),
    ...(query.startsWith('@') ? [] : [...others].sort()
      .filter((room) => match(room) && !store.channels.has(`#${room}`))
      .map((name) => ({ kind: 'room', name, hint: 'people are here' }))),
    ...(query.startsWith('#') ? [] : [...new Set([...store.people.keys(),
      ...store.whispers.map((c) => c.name)])]
      .filter((name) => name !== store.me && match(name)).sort()
      .map((name) => ({ kind: 'person', name, unread: store.channels.get(`@${name}`)?.unread }))),
  ];
  const room = toRoom(query);
  if (roomValid(room) && !query.startsWith('@') && !found.some((o) => o.kind === 'room' && o.name === room))
    found.push({ kind: 'room', name: room, hint: 'join this room' });
  if (query) return found;
  // Nobody jumps to where they are; where something is new they do.
  const here = store.current;
  return found.filter((o) => o.name !== here.name || (o.kind === 'room') !== (here.kind === 'room'))
    .sort((a, b) => (b.unread > 0) - (a.unread > 0));
}

function draw() {
  list.replaceChildren(...options.map((option, i) =>
    h('li', { id: `option-${i}`, role: 'option', class: 'row', 'aria-selected': String(i === at),
      onclick: () => choose(i), onpointermove: () => i !== at && select(i) },
    option.kind === 'room' ? h('span', { class: 'sign' }, icon('hash'))
      : h('span', { class: `presence${store.people.has(option.name) ? ' online' : ''}` }, avatar(option.name, true)),
    h('span', { class: 'row-name' }, option.name),
    option.hint ? h('span', { class: 'row-hint shown' }, option.hint) : null,
    option.unread ? h('span', { class: 'badge' }, String(option.unread)) : null)));
  if (options.length === 0) {
    list.append(h('li', { class: 'empty-line', role: 'presentation' },
      `A room is a-z, 0-9 and -, at most 32 of them. ${store.me}.something is one where only you write.`));
  }
  if (options.length > 0) input.setAttribute('aria-activedescendant', `option-${at}`);
  else input.removeAttribute('aria-activedescendant');
}

function select(i) {
  at = i;
  for (const [n, el] of [...list.children].entries()) el.setAttribute('aria-selected', String(n === at));
  list.children[at]?.scrollIntoView({ block: 'nearest' });
  input.setAttribute('aria-activedescendant', `option-${at}`);
}

function choose(i) {
  const option = options[i];
  if (!option) return;
  dialog.close();
  go(option);
}

export function openSwitcher(onchoice, text = '') {
  if (dialog.open) return;
  go = onchoice;
  input.value = text;
  refresh();
  dialog.showModal();
  input.focus();
}

function refresh() {
  options = gather(input.value);
  at = 0;
  draw();
}

input.addEventListener('input', refresh);
input.addEventListener('keydown', (e) => {
  if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp') return;
  e.preventDefault();
  if (options.length === 0) return;
  select((at + (e.key === 'ArrowDown' ? 1 : options.length - 1)) % options.length);
});
$('switcher-form').addEventListener('submit', (e) => {
  e.preventDefault();
  choose(at);
});
dialog.addEventListener('click', (e) => {
  if (e.target === dialog) dialog.close(); // beside it
});
