// sockjs-client in Chromium, on each of its transports, with pages of the
// server's own origin and of another.
//
//   node sockjs.mjs SOCKJS-HOST [TRANSPORT...]

import { spawn } from 'node:child_process';
import { browse, check, finish, relay, serve, step, Stop, unexpected, until } from './harness.mjs';

const [program, ...wanted] = process.argv.slice(2);
const TRANSPORTS = ['websocket', 'xhr-streaming', 'xdr-streaming', 'eventsource', 'iframe-eventsource', 'htmlfile', 'iframe-htmlfile',
  'xhr-polling', 'xdr-polling', 'iframe-xhr-polling', 'jsonp-polling'];
const ON_SERVER = { websocket: 'websocket', 'xhr-streaming': 'xhr_streaming', eventsource: 'eventsource', htmlfile: 'htmlfile',
  'xhr-polling': 'xhr', 'jsonp-polling': 'jsonp' };
const CELLS = {
  text: 'all of the BMP, emoji and every escape come back as they were',
  lone: 'a lone surrogate becomes U+FFFD',
  long: '64 KiB of one character come back, whatever it is',
  order: '500 messages come in order, and once',
  close: 'the end that the server gives has its code and reason',
  amplify: 'what is larger than a streaming answer comes whole',
  again: 'it can be opened again, and twice at once',
  cookie: 'a session with a cookie',
  ticker: 'what the server says by itself comes',
};
const ONCE = ['long', 'amplify', 'ticker']; // of the own origin; nothing differs there
const AT_ONCE = 5;
const at = (name) => new URL(name, import.meta.url).pathname;
const files = { '/page.html': at('sockjs/page.html'), '/cells.js': at('sockjs/cells.js'),
  '/sockjs.js': at('node_modules/sockjs-client/dist/sockjs.min.js') };
const watchdog = setTimeout(() => { relay('not ok - sockjs: it is done within 200 seconds'); host.child?.kill('SIGKILL'); process.exit(1); }, 200000);

/** Why Chromium cannot do that. */
function cannot(transport, origin) {
  if (transport.startsWith('xdr')) return 'XDomainRequest is of Internet Explorer 8 and 9';
  if (transport === 'htmlfile' && origin === 'another') return 'sockjs-client has it for the own origin alone';
  return undefined;
}

const host = {
  port: 0,
  err: '',
  async start() {
    this.child = spawn(program, ['--port', String(this.port), '--delay', '1500', '--heartbeat', '2000', ...Object.entries(files).map((pair) => pair.join('='))], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.gone = new Promise((done) => this.child.on('exit', (code, signal) => done(code ?? signal)));
    this.child.stderr.on('data', (data) => { this.err += data; });
    let out = '';
    await new Promise((done, no) => {
      this.child.stdout.on('data', (data) => /^ready$/m.test(out += data) && done());
      this.child.on('error', no);
      this.gone.then((code) => no(new Error(`it ended with ${code}: ${this.err}`)));
    });
    this.port = Number(/:(\d+)$/m.exec(out)[1]);
    this.url = `http://127.0.0.1:${this.port}`;
  },
  stop(signal) {
    this.child.kill(signal);
    return this.gone;
  },
  /** The sessions that it has, as "path transport". */
  async sessions() {
    return (await (await fetch(`${this.url}/sessions`)).text()).split('\n').filter(Boolean).sort();
  },
};

let browser;
const troubles = [];

async function openPage(base) {
  const context = await browser.newContext(); // with connections of its own
  const page = await context.newPage();
  page.on('pageerror', ({ message }) => {
    // What was asked for by jsonp cannot be called off.
    if (!/^_jp\.\w+ is not a function$/.test(message)) troubles.push(message);
  });
  await page.goto(`${base}/page.html`);
  return page;
}

const play = (page, cell, ...args) => page.evaluate(([name, rest]) => window.cells[name](...rest), [cell, args]);

/** All cells of one transport from one origin; what the page is good for yet. */
async function column({ transport, origin, base }) {
  const say = (cell) => `sockjs, ${transport} to ${origin === 'own' ? 'its own' : 'another'} origin: ${CELLS[cell]}`;
  const why = cannot(transport, origin);
  const lines = [];
  if (why) {
    relay(`ok - sockjs, ${transport} to ${origin === 'own' ? 'its own' : 'another'} origin # SKIP ${why}`);
    return null;
  }
  const page = await openPage(base);
  for (const cell of Object.keys(CELLS).filter((name) => origin === 'own' || !ONCE.includes(name))) {
    try {
      await play(page, cell, host.url, transport);
      lines.push(`ok - ${say(cell)}`);
    } catch (error) {
      lines.push(`not ok - ${say(cell)}`, ...error.message.split('\n').slice(0, 6).map((line) => `# ${line}`));
    }
  }
  lines.forEach(relay);
  // sockjs-client 1.6.1 goes on with a request that it was just about to send
  // when it is closed, and nobody hears what comes.
  await page.reload();
  return { page, transport };
}

/** So many of them at a time. */
async function all(jobs, run) {
  const rest = [...jobs];
  const done = [];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let job = rest.shift(); job; job = rest.shift()) {
      const result = await run(job);
      if (result) done.push(result);
    }
  }));
  return done;
}

try {
  await host.start();
  const bases = { own: host.url, another: await serve(files) };
  browser = await browse();
  const columns = TRANSPORTS.filter((name) => wanted.length === 0 || wanted.includes(name)).flatMap((transport) => Object.entries(bases).map(([origin, base]) => ({ transport, origin, base })));
  const there = await all(columns, column);

  await step('sockjs: where the server has no WebSocket, another way is found', async () => {
    const page = await openPage(bases.own);
    const way = await play(page, 'unforced', host.url);
    check(way === 'xhr-streaming', way);
    await page.context().close();
  });
  await step('sockjs: all transports hear each other, each message once', async () => {
    await until('nobody left from before', async () => (await host.sessions()).length === 0);
    await all(there, ({ page, transport }) => play(page, 'stay', host.url, transport));
    const want = there.map(({ transport }) => transport).sort().join();
    const heard = await Promise.all(there.map(({ page }) => play(page, 'chorus', there.length)));
    for (const [i, got] of heard.entries()) check(got === want, `${there[i].transport}: ${got}`);
  });
  await step('sockjs: the server knows each by its way', async () => {
    const want = there.map(({ transport }) => `/broadcast ${ON_SERVER[transport.replace('iframe-', '')]}`).sort();
    check(String(await host.sessions()) === String(want), `${await host.sessions()}`);
  });
  await step('sockjs: who closes, or closes the page, is soon gone on the server', async () => {
    for (const [i, { page }] of there.entries()) {
      if (i % 2) await play(page, 'leave');
      else await page.reload();
    }
    await until('nobody', async () => (await host.sessions()).length === 0, 6000);
  });
  await all(there, ({ page, transport }) => play(page, 'stay', host.url, transport));
  await host.stop('SIGKILL');
  await host.start();
  await Promise.all(there.map(async ({ page, transport }) => {
    const sentence = `sockjs, ${transport}: who loses the server is told`;
    try {
      await play(page, 'lost');
      relay(`ok - ${sentence}`);
    } catch (error) {
      relay(`not ok - ${sentence}`);
      console.log(`# ${error.message.split('\n')[0]}`);
    }
  }));
  await step('sockjs: no page had an error', () => check(troubles.length === 0, troubles.join('\n')));
  await step('sockjs: SIGTERM ends the host cleanly, and it had nothing to complain of', async () => {
    const code = await host.stop('SIGTERM');
    check(code === 0 && host.err === '', `${code} ${host.err}`);
  });
} catch (error) {
  if (!(error instanceof Stop)) unexpected(error);
} finally {
  await browser?.close();
  host.child?.kill('SIGKILL');
  clearTimeout(watchdog);
}
finish();
