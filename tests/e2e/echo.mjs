// The smallest host, asked by a browser's bare WebSocket.
//
//   node echo.mjs ECHO-PROGRAM

import { spawn } from 'node:child_process';
import { browse, check, finish, step, Stop, unexpected } from './harness.mjs';

const child = spawn(process.argv[2], ['--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
const gone = new Promise((done) => child.on('exit', done));
const watchdog = setTimeout(() => child.kill('SIGKILL'), 50000);
let browser;

/** In the page: plays frames and gives all that came until the stream's end. */
const talk = (frames) => new Promise((done) => {
  const ws = new WebSocket(`ws://${location.host}/ws`, 'v12.stomp');
  const got = [];
  ws.onopen = () => frames.forEach((frame) => ws.send(frame));
  ws.onmessage = ({ data }) => got.push(data);
  ws.onclose = ({ code, wasClean }) => done({ protocol: ws.protocol, got: got.join(''), code, wasClean });
});

const frame = (command, headers, body = '') =>
  `${command}\n${Object.entries(headers).map(([k, v]) => `${k}:${v}\n`).join('')}\n${body}\0`;

try {
  let out = '';
  await new Promise((done, no) => {
    child.stdout.on('data', (data) => /^ready$/m.test(out += data) && done());
    child.on('exit', () => no(new Error('it ended before it was ready')));
  });
  const port = /:(\d+)\/ws$/m.exec(out)[1];
  browser = await browse();
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${port}/`);

  await step('echo: everything comes back, in order, and the end is clean', async () => {
    const bodies = Array.from({ length: 500 }, (_, i) => `number ${i} ${'\u00e4'.repeat(i)}`);
    const { protocol, got, code, wasClean } = await page.evaluate(talk, [
      frame('CONNECT', { 'accept-version': '1.2', host: 'echo' }),
      frame('SUBSCRIBE', { id: 'a', destination: '/user/queue/echo' }),
      ...bodies.map((body) => frame('SEND', { destination: '/app/echo', 'content-type': 'text/plain' }, body)),
      frame('DISCONNECT', { receipt: 'bye' }),
    ]);
    const frames = got.split('\0').map((text) => text.replace(/^\n+/, '')).filter(Boolean);
    check(protocol === 'v12.stomp' && code === 1000 && wasClean, `${protocol} ${code}`);
    check(frames[0].startsWith('CONNECTED\n') && /\nversion:1\.2\n/.test(frames[0]), frames[0]);
    check(frames.at(-1).includes('receipt-id:bye'), frames.at(-1));
    const back = frames.slice(1, -1).map((text) => text.split('\n\n')[1]);
    check(back.join('|') === bodies.join('|'), `${back.length} of ${bodies.length}`);
    check(frames.slice(1, -1).every((text) => /\ncontent-type:text\/plain\n/.test(text)), 'content-type');
  });
  await step('echo: what leads nowhere is answered by ERROR', async () => {
    const { got, code } = await page.evaluate(talk, [
      frame('CONNECT', { 'accept-version': '1.2', host: 'echo' }),
      frame('SEND', { destination: '/app/nowhere', receipt: '7' }, 'x'),
    ]);
    check(/\0\n*ERROR\n/.test(got) && /\nreceipt-id:7\n/.test(got) && code === 1008, `${code} ${got}`);
  });
  await step('echo: SIGTERM says goodbye to who is there', async () => {
    const end = page.evaluate(talk, [frame('CONNECT', { 'accept-version': '1.2', host: 'echo' })]);
    await new Promise((done) => setTimeout(done, 300));
    child.kill('SIGTERM');
    const { code } = await end;
    check(code === 1001, `close code ${code}`);
    check(await gone === 0, 'exit code');
  });
} catch (error) {
  if (!(error instanceof Stop)) unexpected(error);
} finally {
  await browser?.close();
  child.kill('SIGKILL');
  clearTimeout(watchdog);
}
finish();
