// The chat behind proxies that break WebSocket, or whatever lasts: the page finds
// another way by itself, and those who talk notice nothing.
//
//   node fallback.mjs CHAT-PROGRAM PAGE-DIR SHOTS-DIR [PROXY...]

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { browse, Chat, check, finish, relay, shoot, sleep, Stop, unexpected, until } from './harness.mjs';
import { buffering, cutting, refusing } from './proxies.mjs';

const [program, pageDir, shots, ...wanted] = process.argv.slice(2);
const data = fs.mkdtempSync(path.join(os.tmpdir(), 'sbk-e2e-'));
const chat = new Chat(program, ['--data', path.join(data, 'chat'), '--page', pageDir]);
const port = () => chat.port;
const CUT = 5000;
const PROXIES = {
  refusing: { what: 'a proxy that refuses upgrades', start: () => refusing(port), over: 'xhr-streaming' },
  'refusing-cutting': { what: 'a proxy that refuses upgrades and cuts after 5 s', start: () => refusing(port, CUT), over: 'xhr-streaming' },
  buffering: { what: 'a proxy that buffers answers', start: () => buffering(port), over: 'xhr-polling' },
  cutting: { what: 'a proxy that cuts after 5 s', start: () => cutting(port, CUT), over: 'websocket' },
};
const LINES = 16; // of each, in the room
const WHISPERS = 10;
const PAUSE = 750;
let browser;

/** What somebody would notice; in the page. */
function watch() {
  window.noticed = [];
  const note = (what) => window.noticed.push(`${Math.round(performance.now())} ms: ${what}`);
  new MutationObserver((changes) => {
    if (!window.watching) return;
    const { state } = document.body.dataset;
    if (state !== 'connected') note(`state ${state}`);
    if (!document.getElementById('lost').hidden) note('the banner');
    if (!document.getElementById('refusal').hidden) note(document.getElementById('refusal').textContent);
    const toast = document.getElementById('toast');
    if ('shown' in toast.dataset && !toast.textContent.startsWith('Welcome')) note(toast.textContent);
    if (document.querySelector('.separator.gap, .separator.missed')) note(document.querySelector('.separator.gap, .separator.missed').textContent);
    if (document.querySelector('.undelivered')) note(document.querySelector('.undelivered').textContent);
    if (document.body.dataset.kind === 'room' && !document.querySelector(`#here-list [data-key="person:${window.watching}"]`)) note('the other is not in the room');
  }).observe(document, { subtree: true, childList: true, attributes: true });
}

/** One after another: passwords take their time. */
let entering = Promise.resolve();
function enter(...args) {
  entering = entering.catch(() => {}).then(() => comeIn(...args));
  return entering;
}

async function comeIn(url, name, room) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 850 }, locale: 'en-GB' });
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  await page.addInitScript(watch);
  page.errors = [];
  page.on('pageerror', ({ message }) => page.errors.push(message));
  page.name = name;
  await page.goto(url);
  await page.fill('#name', name);
  await page.fill('#password', 'correct horse');
  await page.press('#password', 'Enter');
  await page.waitForSelector('#state[data-state="connected"]', { state: 'visible', timeout: 20000 });
  await page.keyboard.press('Control+k');
  await page.keyboard.type(room);
  await page.keyboard.press('Enter');
  await until('the room', async () => await page.textContent('#talk-title') === `#${room}`);
  return page;
}

async function say(page, text) {
  await page.fill('#compose', text);
  await page.press('#compose', 'Enter');
}

const shown = (page) => page.locator('.bubble').allTextContents();

/** Both at once, in turns that do not keep step with each other. */
const talk = (pages, count, word) => Promise.all(pages.map(async (page, i) => {
  for (let n = 1; n <= count; n++) {
    await say(page, `${page.name} ${word} ${n}`);
    await sleep(PAUSE + 37 * i);
  }
}));

/** Each line of both once, on both sides in the same order. */
async function heard(pages, count, word) {
  const want = pages.map((page) => Array.from({ length: count }, (_, i) => `${page.name} ${word} ${i + 1}`));
  for (const page of pages) {
    let there;
    await until(`all that was said, at ${page.name}'s`, async () => {
      there = (await shown(page)).filter((text) => text.includes(` ${word} `));
      return there.length >= 2 * count;
    }).catch((error) => { throw new Error(`${error.message}: ${there.join(', ')}`); });
    await sleep(300);
    there = (await shown(page)).filter((text) => text.includes(` ${word} `));
    for (const [i, one] of pages.entries()) {
      const of = there.filter((text) => text.startsWith(`${one.name} `));
      check(String(of) === String(want[i]), `at ${page.name}'s: ${of}`);
    }
  }
  const [a, b] = await Promise.all(pages.map(shown));
  check(String(a) === String(b), `${a}\n${b}`);
}

/** The steps of one proxy, which goes on beside the others. */
async function story(key) {
  const { what, start, over } = PROXIES[key];
  const step = async (sentence, body) => {
    try {
      await body();
      relay(`ok - behind ${what} ${sentence}`);
    } catch (error) {
      relay(`not ok - behind ${what} ${sentence}`);
      for (const line of String(error.stack ?? error).split('\n').slice(0, 12)) console.log(`# ${line}`);
      throw new Stop();
    }
  };
  const proxy = await start();
  const short = key.replace(/[a-z]+/g, (word) => word.slice(0, 3));
  let pages;
  try {
    await step(`the page comes in, over ${over}`, async () => {
      pages = await Promise.all(['a', 'b'].map((who) => enter(proxy.url, `${short}-${who}`, `room-${short}`)));
      for (const page of pages) check(await page.getAttribute('#state', 'title') === `Over ${over}`, await page.getAttribute('#state', 'title'));
      for (const [i, page] of pages.entries()) {
        const other = pages[1 - i].name;
        await page.waitForSelector(`#here-list [data-key="person:${other}"]`);
        await page.evaluate((name) => { window.watching = name; }, other);
      }
    });
    await step('each line is there once and in order, on both sides', async () => {
      await talk(pages, LINES, 'line');
      await heard(pages, LINES, 'line');
    });
    await step('so is each whisper', async () => {
      for (const [i, page] of pages.entries()) await page.click(`#here-list [data-key="person:${pages[1 - i].name}"]`);
      await talk(pages, WHISPERS, 'whisper');
      await heard(pages, WHISPERS, 'whisper');
      await shoot(pages[0], shots, `fallback-${key}`);
    });
    await step('nobody noticed anything', async () => {
      for (const page of pages) {
        const noticed = [...await page.evaluate(() => window.noticed), ...page.errors];
        check(noticed.length === 0, `${page.name}: ${noticed.slice(0, 8).join('; ')}`);
        check(await page.getAttribute('#state', 'title') === `Over ${over}`, await page.getAttribute('#state', 'title'));
      }
    });
  } catch (error) {
    if (!(error instanceof Stop)) unexpected(error);
  } finally {
    for (const page of pages ?? []) await page.context().close();
    proxy.close();
  }
}

const watchdog = setTimeout(() => {
  relay('not ok - fallback: it is done within 110 seconds');
  chat.stop('SIGKILL').finally(() => process.exit(1));
}, 110000);

try {
  await chat.start();
  browser = await browse();
  await Promise.all(Object.keys(PROXIES).filter((key) => wanted.length === 0 || wanted.includes(key)).map(story));
} catch (error) {
  unexpected(error);
} finally {
  await browser?.close();
  await chat.stop();
  clearTimeout(watchdog);
  fs.rmSync(data, { recursive: true, force: true });
}
finish();
