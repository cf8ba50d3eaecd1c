// Building elements. Text of people only ever becomes text nodes.

export const $ = (id) => document.getElementById(id);

/** An element: properties, data-* and aria-* by name, on* listeners, children. */
export function h(tag, props, ...children) {
  const el = document.createElement(tag);
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) el.addEventListener(key.slice(2), value);
    else if (key === 'class') el.className = value;
    else if (key === 'hue') el.style.setProperty('--hue', value);
    else if (key === 'dateTime') el.dateTime = value;
    else el.setAttribute(key, value === true ? '' : value);
  }
  el.append(...children.filter((child) => child !== null && child !== undefined));
  return el;
}

const SVG = 'http://www.w3.org/2000/svg';

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  const use = document.createElementNS(SVG, 'use');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

export const setIcon = (button, name) =>
  button.querySelector('use').setAttribute('href', `#i-${name}`);

/** A colour for a name, the same one everywhere. */
export function hue(name) {
  let n = 7;
  for (const c of name.toLowerCase()) n = (n * 31 + c.codePointAt(0)) % 997;
  return Math.round((n * 137.508) % 360);
}

export const avatar = (name, small = false) =>
  h('span', { class: small ? 'avatar small' : 'avatar', hue: hue(name), 'aria-hidden': 'true' },
    name.slice(0, 2));

const ADDRESS = /https?:\/\/[^\s<>"']+/g;

/** A text with its addresses as links. */
export function rich(text) {
  const out = document.createDocumentFragment();
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const url = match[0].replace(/[.,;:!?)\]]+$/, '');
    out.append(text.slice(from, match.index),
      h('a', { href: url, target: '_blank', rel: 'noopener noreferrer nofollow' }, url));
    from = match.index + url.length;
  }
  out.append(text.slice(from));
  return out;
}

let toastTimer;

/** A line that goes away by itself; none: the last one goes at once. */
export function toast(text) {
  const el = $('toast');
  clearTimeout(toastTimer);
  if (!text) {
    delete el.dataset.shown;
    return;
  }
  el.textContent = text;
  el.dataset.shown = '';
  toastTimer = setTimeout(() => {
    delete el.dataset.shown;
  }, 5000);
}

const day = new Intl.DateTimeFormat('en', { weekday: 'long', day: 'numeric', month: 'long' });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

export const clockOf = (at) => clock.format(at);
export const fullOf = (at) => full.format(at);
export const sameDay = (a, b) => new Date(a).toDateString() === new Date(b).toDateString();

export function dayOf(at) {
  const now = Date.now();
  if (sameDay(at, now)) return 'Today';
  if (sameDay(at, now - 86400000)) return 'Yesterday';
  return day.format(at);
}
