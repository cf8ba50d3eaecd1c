// The hosts on other loops: libuv, libevent, libmicrohttpd, jansson, each with
// the same clients of @stomp/stompjs, and with peers that break off; exchange,
// which has no WebSocket, with sockjs-client below @stomp/stompjs.
//
//   node hosts.mjs TITLE EXAMPLES-DIR NAME...

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { Client } from '@stomp/stompjs';
import SockJS from 'sockjs-client';
import * as ws from 'ws';
import { check, finish, sleep, step, Stop, unexpected, until } from './harness.mjs';

globalThis.WebSocket ??= ws.WebSocket; // Node 22 has its own

const [title, folder, ...names] = process.argv.slice(2);
const here = names.filter((name) => fs.existsSync(path.join(folder, name)));
const running = new Set();
const watchdog = setTimeout(() => { console.log('# too slow'); running.forEach((h) => h.child.kill('SIGKILL')); }, 110000);

const same = (got, want, what = '') =>
  check(JSON.stringify(got) === JSON.stringify(want), `${what} ${JSON.stringify(got)}, not ${JSON.stringify(want)}`.slice(0, 400));

/** One host's process. It is ended by its pid, and by nothing else. */
class Host {
  static async start(name, { descriptors } = {}) {
    const h = new Host();
    h.program = path.join(folder, name);
    h.sockjs = name === 'exchange';
    h.child = descriptors
      ? spawn('/bin/sh', ['-c', `ulimit -n ${descriptors}; exec "$0" --port 0`, h.program], { stdio: ['ignore', 'pipe', 'pipe'] })
      : spawn(h.program, ['--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
    h.out = h.err = '';
    running.add(h);
    h.gone = new Promise((done) => h.child.on('close', (code, signal) => { running.delete(h); done(code ?? signal); }));
    h.child.stderr.on('data', (data) => { h.err += data; });
    await new Promise((done, no) => {
      h.child.stdout.on('data', (data) => /^ready$/m.test(h.out += data) && done());
      h.child.on('error', no);
      h.gone.then((code) => no(new Error(`it ended with ${code} before it was ready: ${h.err}`)));
    });
    h.port = Number(/^(?:ws |sockjs http:\/\/)127\.0\.0\.1:([1-9]\d*)\/ws\nready\n$/.exec(h.out)?.[1]);
    check(h.port > 0, h.out);
    return h;
  }

  get url() { return `ws://127.0.0.1:${this.port}/ws`; }
  get page() { return `http://127.0.0.1:${this.port}/ws`; }

  /** A client that is connected; end(c) ends it. */
  async client(transports) {
    const way = this.sockjs ? { webSocketFactory: () => new SockJS(this.page, null, { transports, timeout: 8000 }) } : { brokerURL: this.url };
    const c = new Client({ ...way, reconnectDelay: 0, heartbeatIncoming: 0, heartbeatOutgoing: 0 });
    c.closed = new Promise((done) => { c.onWebSocketClose = ({ code }) => done(code); });
    await new Promise((done, no) => {
      c.onConnect = done;
      c.onStompError = ({ headers }) => no(new Error(headers.message));
      c.onWebSocketError = (event) => no(new Error(event.message ?? 'no WebSocket'));
      c.closed.then((code) => no(new Error(`closed with ${code} before CONNECTED`)));
      c.activate();
    });
    return c;
  }

  /** The same host for clients on one of these transports, then on the next. */
  over(...transports) {
    let at = 0;
    return Object.assign(Object.create(this), { client: () => this.client(transports[at++ % transports.length] ?? undefined) });
  }

  /** A bare WebSocket that has sent frames, once the first one is answered. */
  bare(...frames) {
    return new Promise((done, no) => {
      const s = new ws.WebSocket(this.url, 'v12.stomp');
      s.on('open', () => frames.forEach((frame) => s.send(frame)));
      s.frames = 0;
      s.on('message', () => { if (++s.frames === 1) done(s); });
      s.on('error', no);
    });
  }

  /** One request of SockJS: what came is in .text, .socket may be broken. */
  ask(id, transport, body = '') {
    return new Promise((done, no) => {
      const request = http.request(`${this.page}/0/${id}/${transport}`, { method: 'POST', agent: false }, (answer) => {
        const got = { status: answer.statusCode, text: '', socket: request.socket };
        got.whole = new Promise((end) => answer.on('close', () => end(got.text)));
        answer.on('data', (data) => { got.text += data; }).on('error', () => {});
        done(got);
      });
      request.on('error', no);
      request.end(body);
    });
  }

  /** A stream of SockJS whose session has sent frames; CONNECTED has come. */
  async stream(id, ...frames) {
    const got = await this.ask(id, 'xhr_streaming');
    same((await this.ask(id, 'xhr_send', JSON.stringify(frames))).status, 204);
    await until('CONNECTED', () => got.text.includes('CONNECTED'));
    return got;
  }

  /** The socket of a session that will not be ended as it should. */
  async socket() {
    return this.sockjs ? (await this.stream('socket', CONNECT)).socket : (await this.bare(CONNECT))._socket;
  }

  /** Seconds of a processor that it has used. */
  used() {
    const fields = fs.readFileSync(`/proc/${this.child.pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** All that comes back for bytes sent in one piece, until enough of it did. */
  raw(bytes, enough) {
    return new Promise((done, no) => {
      const s = net.connect(this.port, '127.0.0.1', () => s.write(bytes));
      let got = Buffer.alloc(0);
      const end = () => { clearTimeout(late); s.destroy(); done(got.toString('latin1')); };
      const late = setTimeout(end, 4000);
      s.on('data', (data) => { got = Buffer.concat([got, data]); if (enough(got.toString('latin1'))) end(); });
      s.on('error', no);
      s.on('close', end);
    });
  }

  async stop() {
    this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), 15000);
    const code = await this.gone;
    clearTimeout(late);
    return code;
  }
}

/** Subscribes; what comes is in .bodies, and the receipt has come. */
async function subscribe(client, destination) {
  const bodies = [];
  const receipt = `r${Math.random()}`;
  const active = new Promise((done) => client.watchForReceipt(receipt, done));
  const sub = client.subscribe(destination, (message) => bodies.push(message.body), { receipt });
  await active;
  return Object.assign(sub, { bodies });
}

const end = (...clients) => Promise.all(clients.map(async (c) => { await c.deactivate(); }));

const frame = (command, headers, body = '') =>
  `${command}\n${Object.entries(headers).map(([k, v]) => `${k}:${v}\n`).join('')}\n${body}\0`;
const CONNECT = frame('CONNECT', { 'accept-version': '1.2', host: 'x' });

/** A WebSocket frame as a client sends it, masked with zeros. */
const masked = (text) => {
  const body = Buffer.from(text);
  check(body.length < 126, 'short ones only');
  return Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]), body]);
};
const upgrade = (more = '', origin = '') => Buffer.from(
  `GET /ws HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more || 'Sec-WebSocket-Version: 13\r\n'}`
  + `${origin}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: v10.stomp, v12.stomp\r\n\r\n`);

// ---- what all of them do ----

async function talk(host, say) {
  await step(say('two clients talk, and each message comes once and in order'), async () => {
    const [a, b] = await Promise.all([host.client(), host.client()]);
    const seen = await subscribe(b, '/topic/talk');
    const mine = await subscribe(a, '/topic/talk');
    const words = Array.from({ length: 300 }, (_, i) => `word ${i} \u00e4\u{1f600}`);
    for (const body of words) a.publish({ destination: '/topic/talk', body });
    await until('all of them', () => seen.bodies.length >= words.length && mine.bodies.length >= words.length);
    same([seen.bodies, mine.bodies], [words, words]);
    await end(a, b);
  });
  await step(say('60 KB go both ways'), async () => {
    const [a, b] = await Promise.all([host.client(), host.client()]);
    const seen = await subscribe(b, '/topic/large');
    const large = Array.from({ length: 8 }, (_, i) => String.fromCharCode(97 + i).repeat(60000));
    for (const body of large) a.publish({ destination: '/topic/large', body });
    await until('all of them', () => seen.bodies.length >= large.length);
    check(seen.bodies.every((body, i) => body === large[i]), 'not the same bytes');
    await end(a, b);
  });
}

async function echo(host, say) {
  await step(say('a handler answers who asked, and nobody else'), async () => {
    const [a, b] = await Promise.all([host.client(), host.client()]);
    const mine = await subscribe(a, '/user/queue/echo');
    const other = await subscribe(b, '/user/queue/echo');
    const words = ['short', 'x'.repeat(60000), '', 'last'];
    for (const body of words) a.publish({ destination: '/app/echo', body });
    await until('the echo', () => mine.bodies.length >= words.length);
    check(mine.bodies.every((body, i) => body === words[i]), 'not the same bytes');
    same(other.bodies, []);
    await end(a, b);
  });
}

async function breaks(host, say) {
  await step(say('50 clients break off while all are sent to, and the rest get everything'), async () => {
    const listener = await host.client();
    const sender = await host.client();
    const seen = await subscribe(listener, '/topic/storm');
    const doomed = await Promise.all(Array.from({ length: 50 }, () =>
      host.bare(CONNECT, frame('SUBSCRIBE', { id: '0', destination: '/topic/storm' }))));
    const words = Array.from({ length: 200 }, (_, i) => `${i} ${'y'.repeat(3000)}`);
    const mute = [];
    for (const [i, body] of words.entries()) {
      sender.publish({ destination: '/topic/storm', body });
      const s = i % 4 === 3 ? doomed.pop() : undefined;
      if (s && i % 8 === 3) s._socket.resetAndDestroy();
      else if (s && i % 16 === 7) s.terminate();
      else if (s) mute.push(s) && s._socket.pause(); // it is read no more
      if (i % 20 === 19) await sleep(10);
    }
    await until('all of them', () => seen.bodies.length >= words.length);
    check(seen.bodies.every((body, i) => body === words[i]), 'not the same bytes');
    for (const s of mute) s._socket.destroy();
    await end(listener, sender);
  });
  await step(say('who reads late misses nothing, unless more waits than may'), async () => {
    // 8 are within max_queue, also if the kernel took none of them. Of the
    // others some are more than that and the kernel's together.
    const counts = [8, 8, 12, 20, 30, 45, 60, 75, 90];
    const sender = await host.client();
    for (const n of counts) {
      const s = await host.bare(CONNECT, frame('SUBSCRIBE', { id: '0', destination: '/topic/flood', receipt: 's' }));
      await until('the receipt', () => s.frames === 2);
      const got = [];
      s.on('message', (data) => { got.push(Number(/\n\n(\d+) /.exec(data)?.[1])); });
      s._socket.pause();
      const sent = new Promise((done) => sender.watchForReceipt(`sent-${n}`, done));
      for (let i = 1; i <= n; i++)
        sender.publish({ destination: '/topic/flood', body: `${i} ${'z'.repeat(60000)}`, headers: i === n ? { receipt: `sent-${n}` } : {} });
      await sent;
      s._socket.resume();
      await until('the rest', () => got.length >= n || s.readyState === ws.WebSocket.CLOSED);
      check(got.every((number, i) => number === i + 1 || Number.isNaN(number)), `out of order: ${got}`);
      check(got.length === n || n > 8, `${got.length} of ${n}`);
      s.terminate();
    }
    await end(sender);
  });
  await step(say('requests that are none, or half ones, do no harm'), async () => {
    check(/^HTTP\/1\.[01] 4/.test(await host.raw('\x16\x03\x01 what is this\r\n\r\n', (text) => text.includes('\r\n\r\n'))), 'no 400');
    const half = net.connect(host.port, '127.0.0.1');
    half.write(upgrade().subarray(0, 70));
    await sleep(50);
    half.resetAndDestroy();
    await end(await host.client());
  });
}

async function descriptors(name, say) {
  await step(say('without descriptors it neither spins nor stays deaf'), async () => {
    const host = await Host.start(name, { descriptors: 24 });
    const peers = Array.from({ length: 40 }, () => net.connect(host.port, '127.0.0.1').on('error', () => {}));
    await sleep(300);
    const before = host.used();
    await sleep(500);
    check(host.used() - before < 0.25, `${host.used() - before} s of 0.5 s`);
    peers.forEach((s) => s.destroy());
    let client;
    await until('a client that gets in', async () => {
      client = await host.client().catch(() => null);
      return client !== null;
    });
    await end(client);
    same([await host.stop(), host.err], [0, '']);
  });
}

// ---- what one of them does ----

const own = {
  async libuv(host, say) {
    await step(say('what another thread posts reaches subscribers'), async () => {
      const a = await host.client();
      const seen = await subscribe(a, '/topic/clock');
      await until('two seconds', () => seen.bodies.length >= 2, 5000);
      same(Number(seen.bodies[1]) - Number(seen.bodies[0]), 1, seen.bodies.join());
      await end(a);
    });
  },

  async libmicrohttpd(host, say) {
    await step(say('the server keeps its pages, and refuses what is no WebSocket of its own'), async () => {
      const page = await fetch(`http://127.0.0.1:${host.port}/page`);
      check(page.status === 200 && /there already/.test(await page.text()), 'the page');
      check((await fetch(`http://127.0.0.1:${host.port}/ws`, { method: 'POST', body: 'x'.repeat(70000) })).status === 405, 'POST');
      const plain = await fetch(`http://127.0.0.1:${host.port}/ws`);
      same([plain.status, plain.headers.get('sec-websocket-version')], [426, '13']);
      const whole = (text) => text.includes('\r\n\r\n');
      for (const [bytes, status] of [
        [upgrade('Sec-WebSocket-Version: 8\r\n'), 426],
        [upgrade('', 'Origin: http://evil.example\r\n'), 403],
        [Buffer.from(upgrade().toString().replace('dGhlIHNhbXBsZSBub25jZQ==', 'short')), 400],
        [upgrade('', 'Origin: http://a.example\r\n'), 101],
      ]) {
        const text = await host.raw(bytes, whole);
        check(text.startsWith(`HTTP/1.1 ${status} `), `${status}: ${text}`);
      }
    });
    await step(say('frames right behind the request, in one piece with it, are not lost'), async () => {
      const text = await host.raw(Buffer.concat([upgrade(), masked(CONNECT),
        masked(frame('SUBSCRIBE', { id: '0', destination: '/user/queue/echo' })),
        masked(frame('SEND', { destination: '/app/echo' }, 'early')), masked(frame('DISCONNECT', { receipt: 'bye' }))]),
      (got) => got.includes('receipt-id:bye'));
      check(/\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/i.test(text), text);
      check(/\r\nSec-WebSocket-Protocol: v12\.stomp\r\n/i.test(text), text);
      check(/CONNECTED\n[^]*\n\nearly\0[^]*RECEIPT\nreceipt-id:bye/.test(text), text);
    });
  },

  async exchange(host, say) {
    const list = (n, name) => Array.from({ length: n }, (_, i) => name(i));
    await step(say('the server keeps its pages, and says that there is no WebSocket'), async () => {
      const page = await fetch(`http://127.0.0.1:${host.port}/wsx`, { method: 'POST', body: 'x'.repeat(70000) });
      check(page.status === 200 && /there already/.test(await page.text()), 'the page');
      const info = await fetch(`${host.page}/info`);
      same([info.status, (await info.json()).websocket], [200, false]);
      same((await fetch(`${host.page}/info`, { headers: { Origin: 'http://evil.example' } })).status, 403);
      same(await (await fetch(host.page)).text(), 'Welcome to SockJS!\n');
      check((await host.raw(upgrade(), (text) => text.includes('\n\r\n'))).startsWith('HTTP/1.1 404 '), 'a WebSocket');
      same((await fetch(`${host.page}/0/none/xhr_send`, { method: 'POST', body: '["x"]' })).status, 404);
      const client = await host.client();
      same(client.webSocket.transport, 'xhr-streaming', 'what it finds by itself');
      await end(client);
    });
    await step(say('a body may be so long, however it comes'), async () => {
      const stream = await host.stream('long', CONNECT);
      const blank = (n) => new Blob([`["\\n"${' '.repeat(n - 6)}]`]);
      const send = (body) => fetch(`${host.page}/0/long/xhr_send`, { method: 'POST', body, duplex: 'half' });
      same((await send(blank(1 << 20))).status, 204);
      same((await send(blank(1 << 20).stream())).status, 204, 'in chunks');
      same((await send(blank((1 << 20) + 2))).status, 413);
      same((await send(blank((1 << 20) + 2).stream())).status, 413, 'in chunks');
      same((await send('["')).status, 500);
      check(!stream.text.includes('c['), 'the session lives');
      await host.ask('long', 'xhr_send', JSON.stringify([frame('DISCONNECT', { receipt: 'bye' })]));
      check(/RECEIPT[^]*c\[3000,"Go away!"\]\n$/.test(await stream.whole), stream.text.slice(-200));
    });
    await step(say('a client that breaks off is noticed at once, and its session goes on in the next request'), async () => {
      for (const broken of [(socket) => socket.destroy(), (socket) => socket.resetAndDestroy()]) {
        const stream = await host.stream('off', CONNECT, frame('SUBSCRIBE', { id: '0', destination: '/user/queue/echo' }));
        const second = await host.ask('off', 'xhr');
        same(await second.whole, 'c[2010,"Another connection still open"]\n');
        broken(stream.socket);
        await sleep(50);
        const poll = await host.ask('off', 'xhr');
        await host.ask('off', 'xhr_send', JSON.stringify([frame('SEND', { destination: '/app/echo' }, 'there?')]));
        check((await poll.whole).includes('\\n\\nthere?\\u0000"]\n'), poll.text);
        await host.ask('off', 'xhr_send', JSON.stringify([frame('DISCONNECT', {})]));
        same(await (await host.ask('off', 'xhr')).whole, 'c[3000,"Go away!"]\n');
        await until('the end of the session', async () => (await host.ask('off', 'xhr_send', '["x"]')).status === 404);
      }
    });
    await step(say('100 clients on all transports hear each message once and in order, while 50 break off'), async () => {
      const all = host.over(...TRANSPORTS);
      const clients = await Promise.all(list(100, () => all.client()));
      const seen = await Promise.all(clients.map((c) => subscribe(c, '/topic/storm')));
      const doomed = await Promise.all(list(50, (i) => host.stream(`doomed-${i}`, CONNECT, frame('SUBSCRIBE', { id: '0', destination: '/topic/storm' }))));
      const words = list(100, (i) => `${i} ${'y'.repeat(3000)}`);
      const mute = [];
      for (const [i, body] of words.entries()) {
        clients[0].publish({ destination: '/topic/storm', body });
        const { socket } = i % 2 ? doomed.pop() : {};
        if (socket && i % 4 === 1) socket.resetAndDestroy();
        else if (socket && i % 8 === 3) socket.destroy();
        else if (socket) mute.push(socket) && socket.pause(); // it is read no more
        if (i % 10 === 9) await sleep(10);
      }
      await until('all of them', () => seen.every(({ bodies }) => bodies.length >= words.length));
      for (const { bodies } of seen) check(bodies.length === words.length && bodies.every((body, i) => body === words[i]), 'not the same');
      for (const socket of mute) socket.destroy();
      await end(...clients);
    });
  },

  async jansson(host, say) {
    await step(say('an order in JSON takes from the stock, and all are told in JSON'), async () => {
      const [a, b] = await Promise.all([host.client(), host.client()]);
      const seen = await subscribe(b, '/topic/stock');
      const order = (body) => a.publish({ destination: '/app/order', body, headers: { 'content-type': 'application/json' } });
      order('{"item":"pear","count":2}');
      order(' { "count" : 38 , "item" : "pear" } ');
      order('{"item":"apple","count":1}');
      await until('three of them', () => seen.bodies.length >= 3);
      same(seen.bodies.map((body) => JSON.parse(body)),
        [{ item: 'pear', left: 38 }, { item: 'pear', left: 0 }, { item: 'apple', left: 99 }]);
      await end(a, b);
    });
    await step(say('what is no order is refused with the reason, and the session lives'), async () => {
      const a = await host.client();
      const why = await subscribe(a, '/user/queue/errors');
      const seen = await subscribe(a, '/topic/stock');
      const bad = [
        ['{"item":"pear","count":1', /expected|end of file/], ['', /./], ['[]', /an order is/], ['{"item":"pear"}', /an order is/],
        ['{"item":"pear","count":"1"}', /an order is/], ['{"item":"pear","count":1,"more":1}', /an order is/],
        ['{"item":"pear","item":"plum","count":1}', /duplicate/], ['{"item":"a\\u0000b","count":1}', /\\u0000/],
        [`{"item":"${'x'.repeat(50000)}","count":1}`, /short name/], ['{"item":"apple","count":4294967297}', /1 to 1,000/],
        ['{"item":"apple","count":-1}', /1 to 1,000/], ['{"item":"apple","count":99999999999999999999}', /./],
        ['['.repeat(60000), /./], ['{"item":"fig","count":1}', /no such item/], ['{"item":"plum","count":1}', /not so many/],
      ];
      for (const [body] of bad) a.publish({ destination: '/app/order', body, headers: { 'content-type': 'application/json; charset=utf-8' } });
      a.publish({ destination: '/app/order', body: '{}', headers: { 'content-type': 'text/plain' } });
      a.publish({ destination: '/app/order', body: '{"item":"apple","count":1}' });
      await until('the one that is good', () => seen.bodies.length === 1);
      same(why.bodies.length, bad.length + 1, why.bodies.join());
      for (const [i, [body, reason]] of bad.entries()) check(reason.test(why.bodies[i]), `${body.slice(0, 60)}: ${why.bodies[i]}`);
      check(/application\/json, please/.test(why.bodies.at(-1)), why.bodies.at(-1));
      await end(a);
    });
  },
};

const TRANSPORTS = ['xhr-streaming', 'eventsource', 'xhr-polling'];

async function story(name) {
  const say = (sentence) => `${title}${name}: ${sentence}`;
  let host;
  await step(say('it says where it listens, and refuses what it does not know'), async () => {
    for (const args of [['--port', 'x'], ['--port', '65536'], ['--port'], ['--what', '1'], ['x']]) {
      const { status, stderr } = spawnSync(path.join(folder, name), args, { timeout: 5000, encoding: 'utf8' });
      check(status === 2 && stderr.startsWith('usage: '), `${args}: ${status} ${stderr}`);
    }
    host = await Host.start(name);
    const { status, stderr } = spawnSync(path.join(folder, name), ['--port', String(host.port)], { timeout: 5000, encoding: 'utf8' });
    check(status === 1 && /cannot start/.test(stderr), `${status} ${stderr}`);
  });
  for (const transport of host.sockjs ? TRANSPORTS : [null]) {
    const over = transport ? (sentence) => say(`${transport}: ${sentence}`) : say;
    await talk(host.over(transport), over);
    if (name !== 'jansson') await echo(host.over(transport), over);
  }
  await own[name]?.(host, say);
  if (!host.sockjs) await breaks(host, say);
  await step(say('SIGTERM says goodbye to who is there, and ends it cleanly'), async () => {
    const client = await host.client();
    (await host.socket()).resetAndDestroy();
    const half = net.connect(host.port, '127.0.0.1').on('error', () => {});
    await sleep(50);
    const [status, code] = await Promise.all([host.stop(), client.closed]);
    half.destroy();
    same([status, code, host.err], [0, 1001, '']);
  });
  await descriptors(name, say);
}

/** Hosts to which nothing happens but time. */
async function wait() {
  return Promise.all(here.map(async (name) => {
    const host = await Host.start(name);
    const s = host.sockjs ? new SockJS(host.page) : new ws.WebSocket(host.url, 'v12.stomp');
    const since = Date.now();
    const code = await new Promise((done, no) => { s.onclose = (event) => done(event.code); s.onerror = no; });
    return { name, code, after: (Date.now() - since) / 1000, status: await host.stop() };
  }));
}

for (const name of names.filter((one) => !here.includes(one)))
  console.log(`ok - ${title}${name} # SKIP built without it`);
try {
  const waited = wait();
  for (const name of here) await story(name);
  for (const { name, code, after, status } of await waited) {
    await step(`${title}${name}: who does not CONNECT is ended after 10 s, by a timer alone`, async () => {
      check(code === 1008 && after > 9.5 && after < 13 && status === 0, `${code} after ${after} s, exit code ${status}`);
    });
  }
} catch (error) {
  if (!(error instanceof Stop)) unexpected(error);
} finally {
  running.forEach((h) => { console.log(`# ${h.program}: ${h.err}`); h.child.kill('SIGKILL'); });
  clearTimeout(watchdog);
}
if (here.length > 0) finish();
