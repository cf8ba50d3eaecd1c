// The chat as people use it: two of them in two browsers, a third one in
// Python, and a server that dies and comes back.
//
//   node chat.mjs CHAT-PROGRAM PAGE-DIR SHOTS-DIR

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  accessible, browse, Chat, check, finish, relay, seed, shoot, sleep, step, Stop, until, unexpected,
} from './harness.mjs';

const [program, pageDir, shots] = process.argv.slice(2);
const here = path.dirname(new URL(import.meta.url).pathname);
const data = fs.mkdtempSync(path.join(os.tmpdir(), 'sbk-e2e-'));
const both = [['desktop', 'phone'], ['light', 'dark']];
const chat = new Chat(program, ['--data', path.join(data, 'chat'), '--page', pageDir]);
const troubles = [];
let browser;

fs.mkdirSync(shots, { recursive: true });

const HOUR = 3600000;
const yesterday = Date.now() - 26 * HOUR;
seed(path.join(data, 'chat'), 'lobby', [
  { from: 'mirela', at: yesterday, text: 'Does anybody know why my subscriptions come back after a reconnect, but the messages in between do not?' },
  { from: 'tomasz', at: yesterday + 60000, text: 'Because a topic forgets. Whoever is not subscribed when it is sent does not get it.' },
  { from: 'tomasz', at: yesterday + 75000, text: 'That is what /app/history is for: subscribe to it after the topic and throw away what you have already.' },
  { from: 'mirela', at: yesterday + 200000, text: 'Ah. So the order matters: topic first, then history.' },
  { from: 'kofi', at: Date.now() - 3 * HOUR, text: 'Good morning! The spec is short and worth the read, by the way: https://stomp.github.io/stomp-specification-1.2.html' },
  { from: 'mirela', at: Date.now() - 3 * HOUR + 45000, text: 'Thank you both.' },
]);

// ---- what a person does ----

async function open(name) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 850 }, locale: 'en-GB' });
  const page = await context.newPage();
  page.setDefaultTimeout(8000);
  page.on('pageerror', (error) => troubles.push(`${name}: ${error.message}`));
  page.on('console', (line) => {
    // That a socket is refused or a password wrong, Chromium says on its own.
    if (line.type() === 'error' && !/WebSocket connection|Failed to load resource/.test(line.text()))
      troubles.push(`${name}: ${line.text()}`);
  });
  await page.goto(chat.url);
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

const bubbles = (page, text) => page.locator('.bubble', { hasText: text });
const sees = (page, text) => bubbles(page, text).first().waitFor();
const goTo = (page, key) => page.click(`[data-key="${key}"]`);
const badge = (page, key) => page.locator(`[data-key="${key}"] .badge`);

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
  });
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
  await step('a login that expires leads back to the door', async () => {
    await chat.start(['--token-life', '4']);
    const late = await open('late');
    await enter(late, 'late', 'too late for me');
    await inside(late);
    await late.waitForSelector('#login', { state: 'visible', timeout: 15000 });
    check(/expired/.test(await late.textContent('#login-note')), 'words');
    await shoot(late, shots, '15-expired', ['desktop'], ['light', 'dark']);
    await late.context().close();
  });
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
  console.log('not ok - the whole run ends within four minutes');
  browser?.close();
  chat.stop('SIGKILL').finally(() => process.exit(1));
}, 240000);

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
