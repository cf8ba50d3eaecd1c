// Who we are, and for how long: the login is a cookie that scripts cannot read,
// the token a word that opens a session and is soon over.

import { store } from './store.js';

const SOON = 1500; // ms; a token that is over before that opens nothing
const AGAIN = 5000; // ms, when the server could not be reached

const ask = (path, value) => fetch(path, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(value),
});

/** The server's answer, or what went wrong, in words, with its status. What
 * breaks off is asked once more: done twice it is the same. */
async function post(path, value) {
  const sent = Date.now();
  const response = await ask(path, value).catch(() => ask(path, value)).catch(() => {
    throw new Error('The server cannot be reached.');
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok)
    throw Object.assign(new Error(answer.message ?? `The server says ${response.status}.`), { status: response.status });
  // By our own clock, whatever that shows.
  answer.ahead = answer.now - Date.now();
  answer.until = sent + answer.expires * 1000 - answer.now;
  return answer;
}

export const login = (name, password) => post('/login', { name, password });
export const logout = (name) => post('/logout', { name }).catch(() => {}); // the token is soon over

/** Fetches new tokens in time, and tells `renewed`. */
export class Renewal {
  constructor(renewed) {
    this.renewed = renewed;
    this.plan((store.until - Date.now()) * 2 / 3);
  }

  plan(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetch(), Math.min(Math.max(ms, 0), 2 ** 31 - 1));
  }

  stop() {
    this.over = true;
    clearTimeout(this.timer);
  }

  /** 'good', 'over': the login has ended, or 'later'. */
  fetch() {
    this.fetching ??= this.ask().finally(() => { this.fetching = null; });
    return this.fetching;
  }

  async ask() {
    let answer;
    try {
      answer = await post('/token', { name: store.me });
    } catch (error) {
      if (error.status === 401) return 'over'; // what we have lasts as long as it does
      if (!this.over) this.plan(AGAIN);
      return 'later';
    }
    if (this.over) return 'over';
    // The last token of a login ends with it: there is none behind.
    const longer = answer.expires > store.expires;
    store.renew(answer);
    if (longer) {
      this.plan((store.until - Date.now()) * 2 / 3);
      this.renewed();
    }
    return 'good';
  }

  /** Before a session is opened: false if there is no use in trying. */
  async ready() {
    if (store.until - Date.now() > SOON) return true;
    return await this.fetch() !== 'over' || store.until > Date.now();
  }
}
