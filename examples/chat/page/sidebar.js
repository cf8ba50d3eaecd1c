// The lists beside the talk: rooms, whispers, people.

import { $, avatar, h, icon } from './dom.js';
import { store } from './store.js';

const badge = (channel) =>
  channel.unread === 0 ? null
    : h('span', { class: `badge${channel.kind === 'whisper' || channel.mentioned ? ' strong' : ''}` },
      channel.unread > 99 ? '99+' : String(channel.unread),
      h('span', { class: 'sr' }, ' unread'));

const sign = (channel) => {
  if (channel.kind === 'room') return h('span', { class: 'sign' }, icon('hash'));
  return h('span', { class: `presence${store.people.has(channel.name) ? ' online' : ''}` },
    avatar(channel.name, true));
};

function row(channel, choose) {
  const current = channel === store.current;
  return h('li', {},
    h('button', {
      type: 'button', class: `row${channel.unread > 0 ? ' unread' : ''}`, 'data-key': channel.key,
      'aria-current': current ? 'page' : undefined, onclick: () => choose(channel),
    }, sign(channel), h('span', { class: 'row-name' }, channel.name),
    channel.typing.size > 0 ? h('span', { class: 'dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')) : null,
    badge(channel)));
}

/** Replaces the items of a list without taking the focus away. */
function fill(list, items) {
  const key = list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  list.replaceChildren(...items);
  if (key) [...list.querySelectorAll('[data-key]')].find((el) => el.dataset.key === key)?.focus();
}

export function drawChannels(choose) {
  fill($('room-list'), store.rooms.map((channel) => row(channel, choose)));
  fill($('whisper-list'), store.whispers.map((channel) => row(channel, choose)));
  $('whisper-empty').hidden = store.whispers.length > 0;
  const elsewhere = store.unread - (store.current?.unread ?? 0);
  $('menu-badge').hidden = elsewhere === 0;
  $('menu-badge').textContent = elsewhere > 99 ? '99+' : String(elsewhere);
  const where = store.current ? (store.current.kind === 'room' ? store.current.key : store.current.name) : '';
  document.title = `${store.unread > 0 ? `(${store.unread}) ` : ''}${where ? `${where} · ` : ''}Stomping Ground`;
}

function person(name, onperson) {
  const mine = name === store.me;
  const inner = [h('span', { class: 'presence online' }, avatar(name, true)),
    h('span', { class: 'row-name' }, name), mine ? h('span', { class: 'you' }, 'you') : null];
  return h('li', {}, mine ? h('span', { class: 'row still' }, ...inner)
    : h('button', { type: 'button', class: 'row', 'data-key': `person:${name}`,
      title: `Whisper to ${name}`, onclick: () => onperson(name) },
    ...inner, h('span', { class: 'row-hint' }, 'whisper')));
}

export function drawPeople(onperson) {
  const room = store.current?.kind === 'room' ? store.current.name : null;
  const names = [...store.people.keys()].sort((a, b) => a.localeCompare(b));
  const here = names.filter((name) => !room || store.people.get(name).has(room));
  const elsewhere = names.filter((name) => !here.includes(name));
  $('here-title').textContent = room ? 'In this room' : 'Online';
  $('here-count').textContent = here.length || '';
  $('else-count').textContent = elsewhere.length || '';
  $('else-head').hidden = elsewhere.length === 0;
  fill($('here-list'), here.map((name) => person(name, onperson)));
  fill($('else-list'), elsewhere.map((name) => person(name, onperson)));
  $('people-empty').hidden = names.some((name) => name !== store.me);
  return here.length;
}
