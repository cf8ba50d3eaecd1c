// The chat as people use it: two of them in two browsers, a third one in
// Python, and a server that dies and comes back.
//
//   node chat.mjs CHAT-PROGRAM PAGE-DIR SHOTS-DIR

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from '@stomp/stompjs';
import * as ws from 'ws';
import {
  accessible, browse, Chat, check, finish, relay, seed, shoot, sleep, step, Stop, until, unexpected, Wire,
} from './harness.mjs';

globalThis.WebSocket ??= ws.WebSocket; // Node 22 has its own

const [program, pageDir, shots] = process.argv.slice(2);
const here = path.dirname(new URL(import.meta.url).pathname);
const data = fs.mkdtempSync(path.join(os.tmpdir(), 'sbk-e2e-'));
const both = [['desktop', 'phone'], ['light', 'dark']];
const chat = new Chat(program, ['--data', path.join(data, 'chat'), '--page', pageDir]);
const troubles = [];
let browser;

fs.mkdirSync(shots, { recursive: true });

const HOUR = 3600000;
// At any time of the day: one evening, and this day before now.
const midnight = new Date().setHours(0, 0, 0, 0);
const yesterday = midnight - 6 * HOUR;
const today = Math.max(midnight, Date.now() - 3 * HOUR);
seed(path.join(data, 'chat'), 'lobby', [
  { from: 'mirela', at: yesterday, text: 'Does anybody know why my subscriptions come back after a reconnect, but the messages in between do not?' },
  { from: 'tomasz', at: yesterday + 60000, text: 'Because a topic forgets. Whoever is not subscribed when it is sent does not get it.' },
  { from: 'tomasz', at: yesterday + 75000, text: 'Unless the server keeps a history: subscribe again with last-message-id, and what you missed comes first.' },
  { from: 'mirela', at: yesterday + 200000, text: 'Ah. So it is one SUBSCRIBE with one header more.' },
  { from: 'kofi', at: today, text: 'Good morning! The spec is short and worth the read, by the way: https://stomp.github.io/stomp-specification-1.2.html' },
  { from: 'mirela', at: Math.min(today + 45000, Date.now()), text: 'Thank you both.' },
]);

seed(path.join(data, 'chat'), 'archive', Array.from({ length: 60 }, (_, i) =>
  ({ from: 'kofi', at: yesterday + i * 1000, text: `Entry ${i + 1}.` })));
fs.appendFileSync(path.join(data, 'chat', 'room-archive'), '{"id":61,"from":"kofi","at":17'); // torn by a kill
seed(path.join(data, 'chat'), 'busy', Array.from({ length: 400 }, (_, i) =>
  ({ from: 'kofi', at: yesterday + i * 1000, text: `Busy ${i + 1}.` })));

// ---- what a person does ----

async function open(name, url = chat.url) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 850 }, locale: 'en-GB' });
  const page = await context.newPage();
  page.setDefaultTimeout(8000);
  page.on('pageerror', (error) => troubles.push(`${name}: ${error.message}`));
  page.on('console', (line) => {
    // That a socket is refused or a password wrong, Chromium says on its own.
    if (line.type() === 'error' && !/WebSocket connection|Failed to load resource/.test(line.text()))
      troubles.push(`${name}: ${line.text()}`);
  });
  page.sockets = [];
  page.on('websocket', (socket) => {
    const frames = [];
    page.sockets.push(frames);
    socket.on('framereceived', ({ payload }) => frames.push(String(payload)));
  });
  await page.goto(url);
  return page;
}

async function enter(page, name, password) {
  await page.fill('#name', name);
  await page.fill('#password', password);
  await page.press('#password', 'Enter');
}

const inside = (page) => page.waitForSelector('#state[data-state="connected"]', { state: 'visible' });

async function say(page, text) {
  await page.fill('#compose', text);
  await page.press('#compose', 'Enter');
}

/** What stands in the channel that is shown, from top to bottom. */
const shown = (page) => page.locator('.bubble').allTextContents();
const messagesOf = (frames, room) =>
  frames.filter((frame) => frame.startsWith('MESSAGE') && frame.includes(`\ndestination:/topic/chat/${room}\n`));

const bubbles = (page, text) => page.locator('.bubble', { hasText: text });

/** At once, unless it has come back by itself. */
async function comeBack(page) {
  await page.click('#retry', { timeout: 300 }).catch(() => {});
  await page.waitForSelector('#state[data-state="connected"]', { timeout: 20000 });
}
const sees = (page, text) => bubbles(page, text).first().waitFor();
const goTo = (page, key) => page.click(`[data-key="${key}"]`);
const badge = (page, key) => page.locator(`[data-key="${key}"] .badge`);

/** Somebody who writes STOMP by hand: what came, what was refused, and how it
 * ended. */
class Hand {
  static async login(name, password) {
    const hand = new Hand();
    const { status, text, headers } = await chat.login(name, password);
    check(status < 300, `${name}: ${status} ${text}`);
    Object.assign(hand, JSON.parse(text));
    hand.cookie = headers['set-cookie'][0].split(';')[0];
    await hand.open();
    return hand;
  }

  async open() {
    this.messages = [];
    this.refusals = [];
    this.receipts = new Set();
    this.error = null;
    this.gone = false;
    this.client = new Client({
      brokerURL: `${chat.url.replace('http', 'ws')}ws`, reconnectDelay: 0, connectHeaders: { Authorization: `Bearer ${this.token}` },
    });
    this.client.onUnhandledReceipt = (frame) => this.receipts.add(frame.headers['receipt-id']);
    this.client.onStompError = (frame) => { this.error = frame.headers.message; };
    this.client.onWebSocketClose = () => { this.gone = true; };
    this.client.onConnect = () => {
      this.client.subscribe('/user/queue/errors', (frame) => this.refusals.push([frame.headers['receipt-id'], frame.body]));
    };
    this.client.activate();
    await until('a session', () => this.client.connected);
  }

  listen(destination, headers = {}) {
    this.client.subscribe(destination, (frame) => this.messages.push(frame), headers);
  }

  send(destination, value, receipt) {
    this.client.publish({
      destination, body: JSON.stringify(value),
      headers: { 'content-type': 'application/json', ...(receipt ? { receipt } : {}) },
    });
  }

  /** Is it there, and heard? */
  async lives() {
    const receipt = `alive-${Math.random()}`;
    this.send('/app/typing/nowhere', { typing: true }, receipt);
    await until('a receipt', () => this.receipts.has(receipt) || this.gone);
    return !this.gone;
  }

  renew() {
    return chat.ask('POST', '/token', { 'Content-Type': 'application/json', Cookie: this.cookie }, JSON.stringify({ name: this.name }));
  }

  close() {
    return this.client.deactivate();
  }
}

/** Runs another program to its end; its own ok-lines become ours. */
function helper(args, online) {
  const child = spawn('/usr/bin/python3', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = [];
  child.stdout.on('data', (chunk) => {
    for (const line of String(chunk).trimEnd().split('\n')) {
      lines.push(line);
      if (/^(ok|not ok|#)/.test(line)) relay(line);
      else online(line);
    }
  });
  return new Promise((done) => {
    const late = setTimeout(() => child.kill('SIGKILL'), 60000);
    child.on('exit', (code) => {
      clearTimeout(late);
      done({ code, lines });
    });
  });
}

// ---- the story ----

const linesOf = (room) => fs.readFileSync(path.join(data, 'chat', `room-${room}`), 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line));

async function files() {
  await step('the page comes with a policy and no sniffing', async () => {
    const { status, headers } = await chat.ask('GET', '/');
    check(status === 200 && /^text\/html/.test(headers['content-type']), `${status} ${headers['content-type']}`);
    check(/default-src 'none'/.test(headers['content-security-policy']), 'no policy');
    check(headers['x-content-type-options'] === 'nosniff', 'no nosniff');
    const script = await chat.ask('GET', '/vendor/stompjs/index.js');
    check(script.status === 200 && /^text\/javascript/.test(script.headers['content-type']), 'stompjs');
  });
  await step('no path leads out of the page', async () => {
    for (const target of ['/../style.css', '/..%2fmain.c', '/%2e%2e/main.c', '/vendor/stompjs/../../../main.c',
      '/vendor/../../../../etc/passwd', '//etc/passwd', '/key', '/users', '/.npmrc', '/package.json', '/index.html/', '/page/']) {
      const { status, text } = await chat.ask('GET', target);
      check(status === 404 || status === 400, `${target}: ${status}`);
      check(!/root:|int main/.test(text), target);
    }
  });
  await step('methods and bodies that make no sense are refused', async () => {
    const asJson = { 'Content-Type': 'application/json' };
    const bodies = ['', '{}', '[]', '{"name":"x"}', '{"name":"x","password":"longenough","more":1}', '{"name":"x","name":"y","password":"longenough"}',
      '{"name":"../x","password":"longenough"}', '{"name":"x","password":"short"}', '{"name":"x","password":"longenough"}x',
      '{"name":"x\\u0000","password":"longenough"}', '{"name":1,"password":"longenough"}', '{"name":"x","password":"\\ud800longenough"}'];
    for (const body of bodies) {
      const { status } = await chat.ask('POST', '/login', asJson, body);
      check(status === 400, `${body}: ${status}`);
    }
    check((await chat.ask('POST', '/')).status === 405, 'POST /');
    check((await chat.ask('POST', '/login', { 'Content-Type': 'text/plain' }, '{"name":"x","password":"longenough"}')).status === 400, 'text/plain');
    const foreign = await chat.ask('POST', '/login', { ...asJson, Origin: 'http://evil.example' }, '{"name":"x","password":"longenough"}');
    check(foreign.status === 403, `foreign origin: ${foreign.status}`);
  });
}

async function forms() {
  await step('a form logs in as well, and HEAD has no body', async () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const first = await chat.ask('POST', '/login', form, 'name=Forma&password=one+%26+two+%C3%A4');
    check(first.status === 201 && JSON.parse(first.text).name === 'Forma', `${first.status} ${first.text}`);
    const second = await chat.login('forma', 'one & two ä');
    check(second.status === 200 && JSON.parse(second.text).name === 'Forma', `${second.status} ${second.text}`);
    check((await chat.ask('POST', '/login', form, 'name=Forma&password=%zz%zzxxxx')).status === 400, 'bad escape');
    const head = await chat.ask('HEAD', '/app.js');
    check(head.status === 200 && head.text === '' && Number(head.headers['content-length']) > 1000, 'HEAD');
  });
}

async function story() {
  let anna;
  let bob;

  await step('the door opens', async () => {
    anna = await open('anna');
    await anna.waitForSelector('#login', { state: 'visible' });
    await shoot(anna, shots, '01-door', ...both);
    await accessible(anna);
  });
  await step('a new name is made with its first password', async () => {
    await enter(anna, 'Anna', 'correct horse');
    await inside(anna);
    check(await anna.textContent('#me-name') === 'Anna', 'name');
  });
  await step('what was said before is there, day by day', async () => {
    await sees(anna, 'Thank you both.');
    check(await anna.locator('.separator').first().textContent() === 'Yesterday', 'separator');
    check(await anna.locator('.bubble a').count() === 1, 'link');
  });
  await step('a wrong password is refused, in words', async () => {
    bob = await open('bob');
    check((await chat.login('bob', 'battery staple')).status === 201, 'first login');
    await enter(bob, 'bob', 'something else');
    await bob.waitForSelector('#login-note', { state: 'visible' });
    check(/not the password/.test(await bob.textContent('#login-note')), 'words');
    await shoot(bob, shots, '02-wrong-password', ['desktop', 'phone'], ['light', 'dark']);
  });
  await step('the right one is let in', async () => {
    await enter(bob, 'bob', 'battery staple');
    await inside(bob);
  });
  await step('both see who is here', async () => {
    await anna.waitForSelector('#here-list [data-key="person:bob"]');
    await bob.waitForSelector('#here-list [data-key="person:Anna"]');
  });
  await step('a message reaches both, once, with its sender', async () => {
    await say(anna, 'Hello Bob, is this thing on?');
    await sees(bob, 'is this thing on?');
    await sees(anna, 'is this thing on?');
    await sleep(200);
    check(await bubbles(bob, 'is this thing on?').count() === 1, 'twice');
    const group = bob.locator('.group', { has: bubbles(bob, 'is this thing on?') });
    check(await group.getAttribute('data-from') === 'Anna', 'sender');
    check(await anna.inputValue('#compose') === '', 'the field is empty again');
  });
  await step('typing is seen by the other, and ends', async () => {
    await bob.locator('#compose').pressSequentially('Loud and cl', { delay: 15 });
    await anna.waitForFunction(() => /bob is typing/.test(document.getElementById('typing').textContent));
    await shoot(anna, shots, '03-typing', ['desktop'], ['light']);
    await say(bob, 'Loud and clear.');
    await sees(anna, 'Loud and clear.');
    await anna.waitForFunction(() => document.getElementById('typing').textContent === '');
  });
  await step('text is text, whatever it looks like, and long words wrap', async () => {
    await say(bob, '<img src=x onerror="document.title=1"> & "quotes" \\ too');
    await sees(anna, '<img src=x onerror="document.title=1"> & "quotes" \\ too');
    await say(bob, `Even this: ${'Donaudampfschifffahrtsgesellschaft'.repeat(6)}`);
    await sees(anna, 'Even this');
    const wide = await anna.evaluate(() => document.getElementById('scroll').scrollWidth > document.getElementById('scroll').clientWidth);
    check(!wide, 'it scrolls sideways');
    await bob.locator('#compose').pressSequentially('Two');
    await bob.press('#compose', 'Shift+Enter');
    await bob.locator('#compose').pressSequentially('lines');
    await bob.press('#compose', 'Enter');
    await sees(anna, 'Two\nlines');
  });
  await step('a conversation, in pictures', async () => {
    await say(anna, 'It even knows emoji 🦓 and Ελληνικά.');
    await sees(bob, 'emoji 🦓');
    await say(anna, '@bob look, that is how a mention looks.');
    await sees(bob, '@bob look');
    await bob.waitForSelector('.bubble.mentioned');
    await shoot(bob, shots, '04-room', ['desktop', 'tablet', 'phone'], ['light', 'dark']);
  });
  await step('names, roles and contrast are as they should be', async () => {
    await accessible(bob);
    await bob.setViewportSize({ width: 390, height: 780 });
    await bob.click('#drawer-open');
    await accessible(bob);
    await bob.keyboard.press('Escape');
    await bob.setViewportSize({ width: 1360, height: 850 });
    await bob.keyboard.press('Control+k');
    await accessible(bob);
    await bob.keyboard.press('Escape');
  });
  await step('what nobody looks at is counted', async () => {
    await goTo(bob, '#random');
    await shoot(bob, shots, '05-empty-room', ...both);
    await say(anna, 'Are you still here?');
    await say(anna, 'Hello?');
    await until('a badge with 2', async () => /^2/.test(await badge(bob, '#lobby').textContent().catch(() => '')));
    check(/^\(2\)/.test(await bob.title()), await bob.title());
  });
  await step('a whisper reaches one, and the sender sees it', async () => {
    await anna.click('#here-list [data-key="person:bob"], #else-list [data-key="person:bob"]');
    await say(anna, 'Psst. Between the two of us?');
    await sees(anna, 'Between the two of us?');
    await until('a badge', async () => /^1/.test(await badge(bob, '@Anna').textContent().catch(() => '')));
    await shoot(bob, shots, '06-unread', ...both);
    await goTo(bob, '@Anna');
    await sees(bob, 'Between the two of us?');
    await say(bob, 'My lips are sealed.');
    await sees(anna, 'My lips are sealed.');
    check(await badge(bob, '@Anna').count() === 0, 'the badge is gone');
    await shoot(anna, shots, '07-whisper', ...both);
  });
  await step('unread messages stand below a line when one comes back', async () => {
    await goTo(bob, '#lobby');
    await sees(bob, 'Hello?');
    check(await bob.locator('.separator.fresh').count() === 1, 'line');
    check(await badge(bob, '#lobby').count() === 0, 'the badge is gone');
    await shoot(bob, shots, '08-new-line', ['desktop'], ['light']);
  });
  await step('the keyboard goes everywhere', async () => {
    await bob.focus('#compose');
    await bob.keyboard.press('Alt+ArrowDown');
    check(await bob.textContent('#talk-title') === '#random', 'Alt+Down');
    await bob.keyboard.press('Control+k');
    await bob.waitForSelector('#switcher[open]');
    await shoot(bob, shots, '09-switcher', ...both);
    await bob.keyboard.type('garden');
    await bob.keyboard.press('Enter');
    await until('the new room', async () => await bob.textContent('#talk-title') === '#garden');
    await say(bob, 'First one here.');
    await sees(bob, 'First one here.');
    await anna.waitForSelector('#else-list [data-key="person:bob"], #here-list [data-key="person:bob"]');
    await bob.keyboard.press('Control+k');
    await bob.keyboard.press('Escape');
    check(!await bob.locator('#switcher').evaluate((el) => el.open), 'Esc');
    await bob.click('#leave');
    check(await bob.locator('[data-key="#garden"]').count() === 0, 'left');
    await goTo(bob, '#lobby');
  });
  await step('the drawer holds it all on a phone', async () => {
    await bob.setViewportSize({ width: 390, height: 780 });
    check(await bob.locator('#drawer').evaluate((el) => el.inert), 'closed and out of the way');
    await bob.click('#drawer-open');
    await sleep(300);
    await bob.screenshot({ path: path.join(shots, '10-drawer-phone-light.png') });
    await bob.emulateMedia({ colorScheme: 'dark' });
    await sleep(200);
    await bob.screenshot({ path: path.join(shots, '10-drawer-phone-dark.png') });
    await bob.emulateMedia({ colorScheme: 'light' });
    await bob.keyboard.press('Escape');
    check(await bob.locator('#drawer').evaluate((el) => el.inert), 'Esc closes it');
    await bob.setViewportSize({ width: 1360, height: 850 });
  });
  await step('who has scrolled up stays there, and is told of new messages', async () => {
    await goTo(anna, '#lobby');
    for (let i = 0; i < 12; i++) await say(bob, `Line ${i + 1} of twelve, to fill the window a little.`);
    await sees(anna, 'Line 12 of twelve');
    await anna.locator('#scroll').evaluate((el) => { el.scrollTop = 0; });
    await sleep(100);
    await say(bob, 'And one more.');
    await anna.waitForSelector('#newer', { state: 'visible' });
    check(await anna.locator('#scroll').evaluate((el) => el.scrollTop) === 0, 'it jumped');
    await shoot(anna, shots, '11-scrolled-up', ['desktop', 'phone'], ['light']);
    await anna.click('#newer');
    await anna.waitForSelector('#newer', { state: 'hidden' });
  });

  await python(anna);
  await refusals(anna, bob);
  await rules(anna, bob);
  const { carla, wire } = await cuts(anna, bob);

  await step('the server is killed, and both pages say so', async () => {
    await say(anna, 'Written before the crash.');
    await sees(bob, 'Written before the crash.');
    check((await chat.stop('SIGKILL')).signal === 'SIGKILL', 'killed');
    await anna.waitForSelector('#lost', { state: 'visible' });
    await bob.waitForSelector('#lost', { state: 'visible' });
    await anna.fill('#compose', 'Nobody hears this yet.');
    check(await anna.isDisabled('#send'), 'sending is off');
    await shoot(anna, shots, '12-lost', ...both);
    await anna.click('#retry');
    await anna.waitForSelector('#lost', { state: 'visible' });
  });
  await step('it comes back on the same port, and so do they, without a login', async () => {
    await chat.start();
    await Promise.all([anna, bob].map((page) => page.waitForSelector('#state[data-state="connected"]', { timeout: 20000 })));
    await anna.waitForSelector('#here-list [data-key="person:bob"]');
  });
  await step('the history is there once, and they talk on', async () => {
    await anna.press('#compose', 'Enter');
    await sees(bob, 'Nobody hears this yet.');
    await say(bob, 'I do now. Welcome back.');
    await sees(anna, 'I do now. Welcome back.');
    check(await bubbles(anna, 'Written before the crash.').count() === 1, 'doubled');
    check(await bubbles(bob, 'Nobody hears this yet.').count() === 1, 'doubled');
    for (const page of [anna, bob]) check(await page.locator('.separator.gap').count() === 0, 'nothing is missing');
    const fresh = await open('anna again');
    await enter(fresh, 'anna', 'correct horse');
    await inside(fresh);
    await sees(fresh, 'Written before the crash.');
    await sees(fresh, 'I do now. Welcome back.');
    check(await fresh.textContent('#me-name') === 'Anna', 'the name as it was first written');
    await fresh.context().close();
    await shoot(anna, shots, '13-back', ['desktop'], ['light', 'dark']);
  });
  await step('a reload keeps the login, the room and the whispers', async () => {
    await bob.reload();
    await inside(bob);
    await sees(bob, 'Welcome back.');
    await goTo(bob, '@Anna');
    await sees(bob, 'My lips are sealed.');
    await goTo(bob, '#lobby');
  });
  await gap(carla, wire, bob);
  await step('who logs out is gone for the others', async () => {
    await bob.click('#logout');
    await bob.waitForSelector('#login', { state: 'visible' });
    await anna.waitForSelector('[data-key="person:bob"]', { state: 'detached' });
    await goTo(anna, '@bob');
    await say(anna, 'Are you gone?');
    await anna.waitForSelector('.undelivered');
    await shoot(anna, shots, '14-undelivered', ['desktop'], ['light']);
  });
  await step('SIGTERM ends the server cleanly', async () => {
    const { code } = await chat.stop('SIGTERM');
    check(code === 0, `exit code ${code}`);
  });
  await renewals();
  await step('somebody who guesses is slowed down', async () => {
    const states = [];
    for (let i = 0; i < 7; i++) states.push((await chat.login('bob', `guess number ${i}`)).status);
    check(states[0] === 401 && states.at(-1) === 429, states.join(' '));
  });
  await step('the files are for their owner only', async () => {
    for (const name of ['key', 'users', 'room-lobby']) {
      const mode = fs.statSync(path.join(data, 'chat', name)).mode & 0o777;
      check(mode === 0o600, `${name}: ${mode.toString(8)}`);
    }
    check(!/horse|staple/.test(fs.readFileSync(path.join(data, 'chat', 'users'), 'utf8')), 'passwords in the file');
  });
  await step('no page had an error', async () => {
    check(troubles.length === 0, troubles.join('\n'));
  });
}

/** What is not done is told, next to what was written, and nothing is lost. */
async function refusals(anna, bob) {
  await step('who talks too fast is told so, and has in the field what was not sent', async () => {
    await goTo(bob, '#random');
    await sleep(4500); // what was sent before shall not count
    const sockets = bob.sockets.length;
    const all = Array.from({ length: 30 }, (_, i) => `Quick ${i + 1}.`);
    await bob.evaluate((texts) => {
      const field = document.getElementById('compose');
      for (const text of texts) {
        field.value = text;
        field.dispatchEvent(new Event('input'));
        field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', cancelable: true }));
      }
    }, all);
    await bob.waitForSelector('#refusal', { state: 'visible' });
    check(/Not so fast/.test(await bob.textContent('#refusal')), 'words');
    await until('all of them', async () => {
      const there = (await shown(bob)).filter((text) => /^Quick/.test(text));
      const back = (await bob.inputValue('#compose')).split('\n');
      const rest = all.filter((text) => !there.includes(text));
      return there.length >= 20 && back.length > 0 && back.join() === rest.join();
    });
    await shoot(bob, shots, '20-refused', ...both);
    await accessible(bob);
    check(bob.sockets.length === sockets && await bob.isVisible('#state[data-state="connected"]'), 'the session lives');
  });
  await step('it can be sent a little later, and the notice goes', async () => {
    await sleep(1000);
    const rest = await bob.inputValue('#compose');
    await bob.press('#compose', 'Enter');
    await bob.waitForSelector('#refusal', { state: 'hidden' });
    await until('it', async () => (await shown(bob)).at(-1) === rest);
    await goTo(bob, '#lobby');
  });
  await step('a whisper to nobody is refused, and the text stays', async () => {
    await anna.evaluate(() => sessionStorage.setItem('whispers:Anna',
      JSON.stringify({ ...JSON.parse(sessionStorage.getItem('whispers:Anna')), Nemo: [] })));
    await anna.reload();
    await inside(anna);
    await goTo(anna, '@Nemo');
    await say(anna, 'Is there anybody?');
    await anna.waitForSelector('#refusal', { state: 'visible' });
    check(await anna.textContent('#refusal') === 'Nobody has that name.', 'words');
    check(await anna.inputValue('#compose') === 'Is there anybody?', 'the draft');
    await goTo(anna, '#lobby');
    check(await anna.isHidden('#refusal'), 'it stands in one channel only');
    check(await anna.inputValue('#compose') === '', 'so does the draft');
    await goTo(anna, '@Nemo');
    check(await anna.inputValue('#compose') === 'Is there anybody?', 'the draft is kept');
    await anna.click('#leave');
    await goTo(anna, '#lobby');
  });
  await step('a room with a name in front is that person\'s to write in, and all may read it', async () => {
    for (const page of [anna, bob]) {
      await page.keyboard.press('Control+k');
      await page.keyboard.type('Anna.diary');
      await page.keyboard.press('Enter');
      await until('the room', async () => await page.textContent('#talk-title') === '#Anna.diary');
    }
    await say(anna, 'Dear diary.');
    await sees(bob, 'Dear diary.');
    check(await bob.isDisabled('#compose'), 'the field');
    check(await bob.getAttribute('#compose', 'placeholder') === 'Only Anna writes here', 'words');
    await shoot(bob, shots, '21-read-only', ['desktop', 'phone'], ['light', 'dark']);
    for (const page of [anna, bob]) {
      await page.click('#leave');
      await goTo(page, '#lobby');
    }
  });
}

/** What somebody can do who does not use our page. */
async function rules(anna, bob) {
  const mallory = await Hand.login('mallory', 'let me in please');
  await step('what is refused comes with its receipt, and the session lives', async () => {
    mallory.send('/app/chat/lobby', { text: 'x'.repeat(4097) }, 'long');
    mallory.send('/app/chat/Anna.diary', { text: 'I am Anna' }, 'diary');
    mallory.send('/app/chat/No*Room', { text: 'x' }, 'room');
    mallory.send('/app/whisper/Nemo', { text: 'x' }, 'nobody');
    await until('four refusals', () => mallory.refusals.length === 4);
    const said = Object.fromEntries(mallory.refusals);
    check(/4 KiB/.test(said.long) && /owner/.test(said.diary) && /a-z/.test(said.room) && /Nobody/.test(said.nobody), JSON.stringify(said));
    mallory.listen('/topic/chat/Anna.diary', { history: '50' });
    await until('to read it is allowed', () => mallory.messages.some((m) => JSON.parse(m.body).text === 'Dear diary.'));
    check(mallory.messages.length === 1 && await mallory.lives() && mallory.receipts.size === 1, 'alive, and no receipts for them');
  });
  await step('nobody publishes past the server', async () => {
    for (const to of ['/topic/chat/lobby', '/topic/whisper/Anna', '/topic/presence', '/topic/chat/**', '/queue/whisper', '/user/Anna/queue/whisper',
      '/user/queue/whisper', '/user/Anna/queue/errors', '/app', '/app/', '/app/chat', '/app/chat/lobby/x', '/app//chat/lobby', '/app/presence']) {
      if (mallory.gone) await mallory.open();
      mallory.send(to, { id: 1e9, from: 'Anna', at: Date.now(), text: 'I am Anna' }, 'past');
      await until(`an end after ${to}`, () => mallory.gone);
      check(mallory.error && !mallory.receipts.has('past'), `${to}: ${mallory.error}`);
    }
    check(await bubbles(anna, 'I am Anna').count() === 0 && await bubbles(bob, 'I am Anna').count() === 0, 'it was seen');
  });
  await step('nobody listens in, by no name and no pattern', async () => {
    const spies = [];
    for (const to of ['/topic/whisper/Anna', '/topic/whisper/*', '/topic/whisper/anna', '/topic/whisper', '/user/Anna/queue/whisper', '/user/*/queue/whisper', '/user/**', '/user/queue/*', '/**', '**', '/topic/**',
      '/topic/*/lobby', '/topic/chat/*', '/topic/chat/lobb?', '/topic/presence/*', '/topic/presence/**', '/queue/whisper', '/queue/**',
      '/queue/whisper-user1', '/app/presence/*', '/app/history/lobby', '/user/Anna/**', '/user/queue/whisper/../../Anna']) {
      await mallory.open();
      mallory.listen(to, { receipt: 'in', history: '50' });
      await until(`an end after ${to}`, () => mallory.gone);
      check(mallory.error && !mallory.receipts.has('in'), `${to}: ${mallory.error}`);
      spies.push(...mallory.messages);
    }
    check(spies.length === 0, 'it heard something');
  });
  await step('one\'s own whispers are one\'s own', async () => {
    await mallory.open();
    mallory.listen('/topic/whisper/mallory', { history: '1000' });
    await goTo(bob, '@Anna');
    await say(bob, 'Mallory shall not know.');
    await goTo(anna, '@bob');
    await sees(anna, 'Mallory shall not know.');
    check(await mallory.lives() && mallory.messages.length === 0, 'it heard that');
    for (const page of [anna, bob]) await goTo(page, '#lobby');
  });
  await step('the file of a room keeps the last messages, and none that is torn', async () => {
    check(linesOf('archive').length === 60, 'the torn line is gone');
    for (const text of ['One more.', 'And another.']) mallory.send('/app/chat/busy', { text }, text);
    await until('both', () => mallory.receipts.has('And another.'));
    const lines = linesOf('busy');
    check(lines.length === 102 && lines.every(({ id }, i) => id === 301 + i) && lines.at(-1).text === 'And another.', `${lines.length}`);
    mallory.listen('/topic/chat/busy', { history: '1000' });
    await until('its history', () => mallory.messages.length >= 100);
    check(JSON.stringify(mallory.messages.map((m) => JSON.parse(m.body))) === JSON.stringify(lines.slice(2)), 'the topic has the same');
    await mallory.close();
  });
}

/** Connections that break off. */
async function cuts(anna, bob) {
  const wire = await Wire.to(() => chat.port);
  const carla = await open('carla', wire.url);
  await step('who comes in is greeted with the last 50 messages, in order', async () => {
    await enter(carla, 'carla', 'long way home');
    await inside(carla);
    await carla.keyboard.press('Control+k');
    await carla.keyboard.type('archive');
    await carla.keyboard.press('Enter');
    await sees(carla, 'Entry 60.');
    const want = Array.from({ length: 50 }, (_, i) => `Entry ${i + 11}.`);
    check((await shown(carla)).join() === want.join(), (await shown(carla)).join());
    check(await badge(carla, '#lobby').count() === 0, 'on the first visit nothing is unread');
    await goTo(carla, '#lobby');
    await sees(carla, 'And one more.');
  });
  await step('what was missed comes once, in order, and below a line', async () => {
    const before = await shown(carla);
    wire.cut();
    await carla.waitForSelector('#lost', { state: 'visible' });
    const said = ['Carla seems to be in a tunnel.', 'She will read this later.', 'Will she?'];
    await say(anna, said[0]);
    await sees(bob, said[0]);
    await say(bob, said[1]);
    await sees(anna, said[1]);
    await say(anna, said[2]);
    wire.mend();
    await comeBack(carla);
    await sees(carla, said[2]);
    await say(bob, 'Welcome back, Carla.');
    await sees(carla, 'Welcome back, Carla.');
    const after = await shown(carla);
    check(after.join('|') === [...before, ...said, 'Welcome back, Carla.'].join('|'), after.slice(-6).join('|'));
    check(messagesOf(carla.sockets.at(-1), 'lobby').length === 4, 'no more than that was sent');
    check(messagesOf(carla.sockets.at(-1), 'archive').length === 0, 'nor for other rooms');
    check(await carla.textContent('.separator.missed') === '3 messages while you were away', await carla.textContent('.separator.missed'));
    check(await carla.locator('.separator.gap').count() === 0, 'nothing is missing');
    await shoot(carla, shots, '16-missed', ...both);
  });
  await step('a cut while nobody speaks leaves no trace', async () => {
    const before = await carla.locator('#messages').textContent();
    wire.cut();
    await carla.waitForSelector('#lost', { state: 'visible' });
    wire.mend();
    await comeBack(carla);
    await say(bob, 'Still there?');
    await sees(carla, 'Still there?');
    check(messagesOf(carla.sockets.at(-1), 'lobby').length === 1, 'one message');
    check((await carla.locator('#messages').textContent()).startsWith(before), 'another line');
    await say(carla, 'Here I am.');
    await sees(carla, 'Here I am.');
    check(await carla.locator('.separator.fresh').count() === 0, 'who answers has read');
  });
  await step('what was sent into a broken wire comes back to the field', async () => {
    await carla.evaluate(() => { // the wire is gone, and nobody has noticed yet
      window.send = WebSocket.prototype.send;
      WebSocket.prototype.send = () => {};
    });
    await say(carla, 'Into the void.');
    wire.cut();
    await carla.waitForSelector('#lost', { state: 'visible' });
    await carla.evaluate(() => { WebSocket.prototype.send = window.send; });
    check(await carla.inputValue('#compose') === 'Into the void.', 'the field');
    check(/may not have arrived/.test(await carla.textContent('#refusal')), 'words');
  });
  return { carla, wire };
}

/** Away for too long, while the server was started anew. */
async function gap(carla, wire, bob) {
  const crowd = [];
  await step('who was away for too long sees that something is missing, and goes on', async () => {
    for (const name of ['uno', 'due', 'tre']) crowd.push(await Hand.login(name, 'many of us here'));
    for (const [i, hand] of crowd.entries()) {
      for (let n = 1; n <= 20; n++) hand.send('/app/chat/lobby', { text: `Line ${20 * i + n} of the crowd.` }, `n${n}`);
      await until('all of them', () => hand.receipts.size === 20);
    }
    const before = (await shown(carla)).at(-1);
    wire.mend();
    await comeBack(carla);
    await sees(carla, 'Line 60 of the crowd.');
    const after = await shown(carla);
    const want = Array.from({ length: 50 }, (_, i) => `Line ${i + 11} of the crowd.`);
    check(after.slice(-50).join() === want.join(), after.slice(-50).join());
    check(after.at(-51) === before, `what was there stays: ${after.at(-51)}`);
    check(await carla.locator('.separator.gap').count() === 1, 'a line');
    check(await carla.textContent('.separator.gap') === '13 messages are missing here', await carla.textContent('.separator.gap'));
    check(await carla.locator('.separator.missed').count() === 0, 'one line is enough');
    check(await carla.inputValue('#compose') === 'Into the void.', 'the draft');
    await accessible(carla);
    await carla.locator('.separator.gap').scrollIntoViewIfNeeded();
    await shoot(carla, shots, '17-gap', ...both);
  });
  await step('the room goes on below it', async () => {
    await carla.press('#compose', 'Enter');
    await sees(bob, 'Into the void.');
    await sees(carla, 'Into the void.');
    check((await shown(carla)).at(-1) === 'Into the void.', 'order');
    check(await carla.locator('.separator.gap').count() === 1, 'the line stays');
    for (const hand of crowd) await hand.close();
    await carla.context().close();
    wire.close();
  });
}

/** Tokens that are over soon. */
async function renewals() {
  const asJson = { 'Content-Type': 'application/json' };
  await chat.start(['--token-life', '5']);
  const late = await open('late');
  await step('a session outlives its token, since the page gets new ones', async () => {
    await enter(late, 'late', 'too late for me');
    await inside(late);
    await late.fill('#compose', 'Half a sentence');
    await sleep(12000);
    check(await late.isVisible('#state[data-state="connected"]') && late.sockets.length === 1, `${late.sockets.length} sessions`);
    check(!late.sockets[0].some((frame) => frame.startsWith('ERROR') || /^MESSAGE[^\0]*queue\/errors/.test(frame)), 'complaints');
  });
  await step('the login is a cookie that no script and no other site gets hold of', async () => {
    const cookies = await late.context().cookies(`${chat.url}token`);
    check(cookies.length === 1 && cookies[0].name === 'login-late' && cookies[0].httpOnly && cookies[0].sameSite === 'Strict'
      && cookies[0].path === '/token', JSON.stringify(cookies));
    check(await late.evaluate(() => document.cookie) === '', 'a script sees it');
    check((await late.context().cookies(chat.url)).length === 0, 'it is sent elsewhere');
  });
  await step('a token that is over is renewed when the page is opened again', async () => {
    await late.goto('about:blank');
    await sleep(5500);
    await late.goto(chat.url);
    await inside(late);
    check(await late.textContent('#me-name') === 'late', 'name');
    await late.fill('#compose', 'Half a sentence');
  });
  const hand = await Hand.login('handy', 'token by token');
  await step('a token that is wrong, over or another\'s changes nothing', async () => {
    const other = JSON.parse((await chat.login('Anna', 'correct horse')).text).token;
    const old = hand.token;
    await sleep(2500);
    const { token } = JSON.parse((await hand.renew()).text);
    hand.send('/app/token', { token }, 'good');
    await until('a receipt', () => hand.receipts.has('good'));
    await sleep(3300); // the first one is over now, the second one is not
    const bad = { other, old, garbage: 'x', forged: token.replace('handy', 'late'), login: hand.cookie.slice(hand.cookie.indexOf('=') + 1) };
    for (const [name, value] of Object.entries(bad)) hand.send('/app/token', { token: value }, name);
    hand.send('/app/token', { nonsense: 1 }, 'nonsense');
    await until('refusals', () => hand.refusals.length === 6);
    check(hand.refusals.every(([, text]) => text === 'That token does not renew this session.'), JSON.stringify(hand.refusals));
    check(hand.receipts.size === 1 && await hand.lives(), 'it lives, longer than its first token');
  });
  await step('a session that is not renewed ends in time', async () => {
    await until('its end', () => hand.gone);
    check(hand.error === 'session expired', `${hand.error}`);
  });
  await step('a new token is for those with the cookie only', async () => {
    const ask = (headers, body = '{"name":"handy"}') => chat.ask('POST', '/token', { ...asJson, ...headers }, body);
    check((await hand.renew()).status === 200, 'the cookie is good');
    const cookie = hand.cookie;
    const forged = [['none', {}], ['a session\'s token', { Cookie: `login-handy=${hand.token}` }],
      ['another name', { Cookie: cookie.replace('login-handy', 'login-late') }, '{"name":"late"}'],
      ['a later end', { Cookie: cookie.replace(/\.(\d+)\./, (_, n) => `.${Number(n) + 1}.`) }]];
    for (const [what, headers, body] of forged) check((await ask(headers, body)).status === 401, what);
    check((await ask({ Cookie: cookie, Origin: 'http://evil.example' })).status === 403, 'another site');
    check((await ask({ Cookie: cookie, 'Content-Type': 'text/plain' })).status === 400, 'a form of another site');
    check((await ask({ Cookie: cookie }, '{"name":"nobody-here"}')).status === 401, 'nobody');
    check((await chat.ask('GET', '/token', { Cookie: cookie })).status === 404, 'GET');
    const out = await chat.ask('POST', '/logout', asJson, '{"name":"handy"}');
    check(out.status === 200 && /^login-handy=; .*Max-Age=0/.test(out.headers['set-cookie'][0]), `${out.headers['set-cookie']}`);
  });
  await step('without it the session runs out, and the door opens with a word', async () => {
    await late.context().clearCookies();
    await late.waitForSelector('#login', { state: 'visible', timeout: 15000 });
    check(await late.textContent('#login-note') === 'Your login is over. Please come in again.', await late.textContent('#login-note'));
    check(await late.inputValue('#name') === 'late', 'the name');
    await shoot(late, shots, '15-expired', ...both);
    await accessible(late);
  });
  await step('who comes in again goes on writing', async () => {
    await enter(late, 'late', 'too late for me');
    await inside(late);
    check(await late.inputValue('#compose') === 'Half a sentence', await late.inputValue('#compose'));
  });
  await step('to log out takes the cookie away', async () => {
    await late.click('#logout');
    await until('no cookie', async () => (await late.context().cookies(`${chat.url}token`)).length === 0);
    await late.context().close();
    await chat.stop();
  });
  await step('a login ends when it was said to, whatever is renewed', async () => {
    await chat.start(['--token-life', '3', '--login-life', '7']);
    const page = await open('brief');
    await enter(page, 'brief', 'here and gone');
    await inside(page);
    await sleep(3500);
    check(await page.isVisible('#state[data-state="connected"]') && page.sockets.length === 1, 'it was renewed');
    await page.waitForSelector('#login', { state: 'visible' });
    await page.context().close();
  });
}

/** A third one, who speaks STOMP over plain TCP. */
async function python(anna) {
  const talk = [];
  const end = await helper([path.join(here, 'stompy.py'), String(chat.port), String(chat.tcp)], (line) => {
    if (line !== 'your turn') return;
    talk.push(step('the browser sees what Python says, and answers', async () => {
      await sees(anna, 'Greetings from Python.');
      await anna.waitForSelector('[data-key="person:monty"]');
      await say(anna, 'Hello Python, nice to meet you.');
      await say(anna, 'And this is the second one.');
    }));
  });
  await Promise.all(talk);
  await step('Python has said all it had to say', () => check(end.code === 0 && talk.length === 1, `exit ${end.code}`));
}

const watchdog = setTimeout(() => {
  console.log('not ok - the whole run ends within five minutes');
  browser?.close();
  chat.stop('SIGKILL').finally(() => process.exit(1));
}, 290000);

try {
  await chat.start();
  await files();
  await forms();
  browser = await browse();
  await story();
} catch (error) {
  if (!(error instanceof Stop)) unexpected(error);
} finally {
  await browser?.close();
  await chat.stop();
  clearTimeout(watchdog);
  fs.rmSync(data, { recursive: true, force: true });
}

finish();
