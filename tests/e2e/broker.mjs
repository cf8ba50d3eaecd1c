// The reference broker: its options, what it tells of itself, what it does for
// its clients. What its clients can do is in matrix.mjs.
//
//   node broker.mjs BROKER-PROGRAM

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { Client } from '@stomp/stompjs';
import stompit from 'stompit';
import * as ws from 'ws';
import { check, finish, sleep, step, Stop, unexpected, until } from './harness.mjs';

globalThis.WebSocket ??= ws.WebSocket; // Node 22 has its own

const program = process.argv[2];
const running = new Set();
const watchdog = setTimeout(() => { console.log('# too slow'); running.forEach((b) => b.child.kill('SIGKILL')); }, 110000);

const same = (got, want, what = '') =>
  check(JSON.stringify(got) === JSON.stringify(want), `${what} ${JSON.stringify(got)}, not ${JSON.stringify(want)}`);

/** The broker's process. It is ended by its pid, and by nothing else. */
class Broker {
  static async start(...args) {
    const b = new Broker();
    b.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    b.out = b.err = '';
    running.add(b);
    b.gone = new Promise((done) => b.child.on('exit', (code, signal) => { running.delete(b); done(code ?? signal); }));
    b.child.stderr.on('data', (data) => { b.err += data; });
    await new Promise((done, no) => {
      b.child.stdout.on('data', (data) => /^ready$/m.test(b.out += data) && done());
      b.gone.then((code) => no(new Error(`it ended with ${code} before it was ready: ${b.err}`)));
    });
    b.ws = /^ws (.*)$/m.exec(b.out)?.[1];
    b.tcp = Number(/^tcp .*:(\d+)$/m.exec(b.out)?.[1] ?? 0);
    return b;
  }

  static local = (...args) => Broker.start('--ws', '127.0.0.1:0', '--tcp', '127.0.0.1:0', ...args);

  async stop(signal = 'SIGTERM') {
    this.child.kill(signal);
    return this.gone;
  }

  /** status, headers and text of an HTTP exchange. */
  ask(path, method = 'GET', headers = {}) {
    return new Promise((done, no) => {
      const [host, port] = /^(.*):(\d+)/.exec(this.ws).slice(1);
      http.request({ host, port, path, method, headers, agent: false }, (response) => {
        let text = '';
        response.on('data', (data) => { text += data; });
        response.on('end', () => done({ status: response.statusCode, headers: response.headers, text }));
      }).on('error', no).end();
    });
  }
}

/** How it ends when it cannot begin. */
const refused = (...args) => {
  const { status, stdout, stderr } = spawnSync(program, args, { timeout: 5000, encoding: 'utf8' });
  return { status, stdout, lines: stderr.trimEnd().split('\n').length, stderr };
};

// ---- the program ----

async function program_() {
  await step('broker: it says where it listens, and then that it is ready', async () => {
    const b = await Broker.start('--tcp=127.0.0.1:0', '--ws', '[::1]:0/a/b', '--ws', '127.0.0.1:0');
    check(/^tcp 127\.0\.0\.1:[1-9]\d*\nws \[::1\]:[1-9]\d*\/a\/b\nws 127\.0\.0\.1:[1-9]\d*\/ws\nready\n$/.test(b.out), b.out);
    same([await b.stop(), b.err], [0, '']);
  });
  await step('broker: SIGINT ends it too, and a second signal at once', async () => {
    same(await (await Broker.local()).stop('SIGINT'), 0);
    const b = await Broker.local();
    const s = net.connect(b.tcp, '127.0.0.1'); // never says goodbye
    s.on('error', () => {}).write('CONNECT\naccept-version:1.2\n\n\0');
    const web = net.connect(Number(/:(\d+)/.exec(b.ws)[1]), '127.0.0.1');
    web.on('error', () => {}).write('GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    await new Promise((done) => web.once('data', done));
    b.child.kill('SIGTERM');
    await sleep(300);
    same(await b.stop('SIGTERM'), 1);
    s.destroy();
    web.destroy();
  });
  await step('broker: --drain is how long it waits for peers', async () => {
    const b = await Broker.local('--drain', '300');
    const web = net.connect(Number(/:(\d+)/.exec(b.ws)[1]), '127.0.0.1');
    web.on('error', () => {}).write('GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    await new Promise((done) => web.once('data', done));
    const from = Date.now();
    same(await b.stop(), 0);
    const took = Date.now() - from;
    check(took >= 290 && took < 2000, `${took} ms`);
    web.destroy();
  });
  await step('broker: --drain-over tells them one after the other', async () => {
    const b = await Broker.local('--drain-over', '600');
    const ends = [];
    for (let i = 0; i < 3; i++) {
      const web = net.connect(Number(/:(\d+)/.exec(b.ws)[1]), '127.0.0.1');
      web.on('error', () => {}).write('GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
      await new Promise((done) => web.once('data', done));
      web.on('data', () => (ends.push(Date.now()), web.destroy()));
    }
    same(await b.stop(), 0);
    const gaps = ends.slice(1).map((at, i) => at - ends[i]);
    check(gaps.length === 2 && gaps.every((gap) => gap > 150 && gap < 400), `${gaps} ms`);
  });
  await step('broker: an address in use is a line and exit 1, and no listener is printed', async () => {
    const b = await Broker.local();
    const end = refused('--tcp', '127.0.0.1:0', '--ws', b.ws);
    same([end.status, end.lines, end.stdout], [1, 1, ''], end.stderr);
    check(end.stderr.includes(b.ws) && /in use/.test(end.stderr), end.stderr);
    await b.stop();
  });
  for (const args of ['--sockjs-cookie', '--sockjs-max-body 1', '--sockjs --sockjs-max-body 2G', '--sockjs --sockjs-heartbeat 0',
    '--sockjs --sockjs-disconnect-delay 3600001', '--sockjs --sockjs-client-url x', '--sockjs=1', '--deflate', '--threads 2', '--relay 127.0.0.1:1', '--retain //', '--retain',
    '--history /topic', '--history /topic=0', '--history /topic=1048577', '--history /topic=1,2G', '--history /topic=1,,1',
    '--history /topic=1,2,3,4', '--history //=1', '--drop-oldest //', '--drop-newest', '--allow /topic', '--allow send:',
    '--deny all:/x', '--deny both:/a/{', '--max-retained 0',
    '--max-mess 1', 'word', '-h', '--ws', '--ws localhost', '--ws 127.0.0.1:65536', '--ws ::1:80', '--ws 127.0.0.1:0/a?b',
    '--ws 127.0.0.1', '--ws :80', '--tcp 127.0.0.1:0/x', '--tcp 127.0.0.1:-1', '--user bob', '--user bob:', '--user :x',
    '--user b%2fb:x', '--origin example.org', '--app-prefix //', '--queue-prefix /q*', '--user-prefix', '--separator ,',
    '--error-destination x', '--heartbeat 1000', '--heartbeat 1,86400001', '--heartbeat never', '--max-message 0',
    '--max-message 2G', '--max-message 1.5K', '--max-message 18446744073709551616', '--max-headers 1K', '--send-timeout never',
    '--max-pending 10001', '--require-origin=yes', '--stats 0', '--drain -1', '--log all']) {
    await step(`broker: ${args} is a line on stderr and exit 2`, () => {
      const { status, stdout, lines, stderr } = refused(...args.split(' '));
      same([status, lines, stdout], [2, 1, ''], stderr);
    });
  }
  await step('broker: --help fits 80 columns and has every number of struct sbk_config, with the library\'s limits', () => {
    const { stdout, status } = spawnSync(program, ['--help'], { encoding: 'utf8' });
    same([status, stdout.split('\n').filter((line) => line.length > 80)], [0, []]);
    const header = fs.readFileSync(new URL('../../include/stompbroker/broker.h', import.meta.url), 'utf8');
    const config = /^struct sbk_config \{[^]*?^\};/m.exec(header)[0];
    const members = [...config.matchAll(/^ *(?:size_t|sbk_msec|char)\s+(\w+);/gm)].map((m) => m[1]);
    const options = members.filter((name) => name !== 'size').map((name) => `--${name.replaceAll('_', '-')}`);
    check(options.length > 40, options.length);
    same(options.filter((name) => !stdout.includes(`  ${name} `) && !stdout.includes(`  ${name}\n`)), []);
    // One above the largest is refused here; the largest is one that the library takes.
    for (const name of options) {
      const [, least, most] = /should be (\d+) to (\w+)/.exec(refused(name, '99999999999999999').stderr) ?? [];
      if (most === undefined) continue;
      const more = name === '--max-pending' ? ['--max-connections', most] : [];
      same([least, refused(name, most, ...more, '--error-destination', 'x').stderr], ['1', 'broker: --error-destination x: malformed\n'], name);
    }
  });
  await step('broker: --version', () => {
    const { stdout, status } = spawnSync(program, ['--version'], { encoding: 'utf8' });
    check(status === 0 && /^stompbroker \d+\.\d+\.\d+, with libstompbroker \d+\.\d+\.\d+\n$/.test(stdout), stdout);
  });
}

// ---- @stomp/stompjs, over WebSocket ----

/** A stompjs client that is connected. */
async function stompjs(b, more = {}) {
  const client = new Client({ brokerURL: `ws://${b.ws}`, reconnectDelay: 0, heartbeatIncoming: 0, heartbeatOutgoing: 0, ...more });
  client.errors = [];
  client.closed = new Promise((done) => { client.onWebSocketClose = done; });
  await new Promise((done, no) => {
    client.onConnect = (frame) => { client.hello = frame.headers; done(); };
    client.onStompError = (frame) => { client.errors.push(frame); no(new Error(frame.headers.message)); };
    client.onWebSocketError = (event) => no(new Error(`WebSocket: ${event.message ?? event.type}`));
    client.activate();
  });
  client.onStompError = (frame) => client.errors.push(frame);
  return client;
}

/** A subscription, in force, whose messages are kept in order. */
async function listen(client, destination, headers = {}) {
  const got = [];
  const sub = client.subscribe(destination, (message) => got.push(message), headers);
  await receipt(client, (id) => { client.publish({ destination: '/topic/fence', headers: { receipt: id } }); });
  got.sub = sub;
  return got;
}

let receipts = 0;
const receipt = (client, act) => new Promise((done) => {
  const id = `r${receipts++}`;
  client.watchForReceipt(id, done);
  act(id);
});
const said = (got) => got.map((message) => message.body);

async function javascript() {
  const b = await Broker.local('--queue-prefix', '/queue', '--max-message', '2M', '--max-queue', '8M', '--error-destination', '/queue/errors');
  let client;

  client = await stompjs(b, { connectHeaders: { login: 'a/n' } });
  await step('stompjs: /app/echo, /app/to/{user} with %2F, /app/time', async () => {
    const echo = await listen(client, '/user/queue/echo');
    const inbox = await listen(client, '/user/queue/inbox');
    const time = await listen(client, '/app/time');
    same(time.length, 1);
    check(Math.abs(Date.parse(time[0].body) - Date.now()) < 5000 && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(time[0].body), time[0].body);
    client.publish({ destination: '/app/echo', body: 'back', headers: { 'content-type': 'text/x' } });
    client.publish({ destination: '/app/to/a%2Fn', body: 'to me', headers: { 'content-type': 'text/y' } });
    await receipt(client, (id) => client.publish({ destination: '/app/to/nobody', body: 'x', headers: { receipt: id } }));
    await until('both', () => echo.length + inbox.length === 2);
    same([echo[0].body, echo[0].headers['content-type'], echo[0].headers.destination], ['back', 'text/x', '/user/queue/echo']);
    same([inbox[0].body, inbox[0].headers['content-type'], inbox[0].headers.destination], ['to me', 'text/y', '/user/queue/inbox']);
  });
  await step('stompjs: a queue gives each message to one, and ack: client-individual and nack bring it again', async () => {
    const other = await stompjs(b);
    const a = await listen(client, '/queue/q', { ack: 'client-individual', 'prefetch-count': '1' });
    const o = await listen(other, '/queue/q', { ack: 'client-individual', 'prefetch-count': '1' });
    for (const body of ['1', '2', '3', '4']) client.publish({ destination: '/queue/q', body });
    await until('one each', () => a.length === 1 && o.length === 1);
    same([...said(a), ...said(o)].sort(), ['1', '2']);
    o[0].nack();
    await until('it again', () => [...a, ...o].length === 3);
    a[0].ack();
    const done = new Set([a[0]]);
    done.add(o[0]);
    await until('all of them', () => {
      for (const m of [...a, ...o]) if (!done.has(m)) { done.add(m); m.ack(); }
      return a.length + o.length === 5;
    });
    const redelivered = [...a, ...o].filter((m) => m.headers.redelivered === 'true');
    same([redelivered.length, redelivered[0].body], [1, o[0].body]);
    same([...new Set([...said(a), ...said(o)])].sort(), ['1', '2', '3', '4']);
    a.sub.unsubscribe();
    await other.deactivate();
  });
  await step('stompjs: ack: client is cumulative; what a lost consumer had comes again, in order', async () => {
    const other = await stompjs(b);
    const o = await listen(other, '/queue/cum', { ack: 'client' });
    for (let i = 0; i < 6; i++) client.publish({ destination: '/queue/cum', body: `${i}` });
    await until('six', () => o.length === 6);
    o[2].ack();
    await receipt(other, (id) => other.publish({ destination: '/topic/fence', headers: { receipt: id } }));
    other.forceDisconnect();
    await other.closed;
    const a = await listen(client, '/queue/cum');
    await until('three again', () => a.length >= 3);
    await receipt(client, (id) => client.publish({ destination: '/topic/fence', headers: { receipt: id } }));
    same([said(a), a.map((m) => m.headers.redelivered)], [['3', '4', '5'], ['true', 'true', 'true']]);
  });
  await step('stompjs: acks in a transaction count when it commits', async () => {
    const a = await listen(client, '/queue/txack', { ack: 'client-individual' });
    client.publish({ destination: '/queue/txack', body: 'x' });
    await until('it', () => a.length === 1);
    const no = client.begin();
    a[0].ack({ transaction: no.id });
    no.abort();
    const tx = client.begin();
    a[0].nack({ transaction: tx.id });
    tx.commit();
    await until('it again', () => a.length === 2);
    same([a[1].body, a[1].headers.redelivered], ['x', 'true']);
    a[1].ack();
  });
  await step('stompjs: a handler that fails tells at the error destination, and the session lives', async () => {
    const errors = await listen(client, '/user/queue/errors');
    client.publish({ destination: `/app/to/${'x'.repeat(300)}`, body: 'x' });
    await until('it is told', () => errors.length === 1);
    check(client.connected, 'it is connected no more');
  });
  await step('stompjs: what leads nowhere is an ERROR with its receipt-id', async () => {
    const c = await stompjs(b);
    c.publish({ destination: '/nowhere', headers: { receipt: 'x' }, body: 'x' });
    const { code } = await c.closed;
    same([code, c.errors.length, c.errors[0]?.headers['receipt-id']], [1008, 1, 'x']);
  });
  await step('stompjs: SIGTERM delivers what was sent, says 1001 and waits', async () => {
    const got = await listen(client, '/topic/last');
    for (let i = 0; i < 500; i++) client.publish({ destination: '/topic/last', body: `${i} ${'x'.repeat(1000)}` });
    await until('the first', () => got.length > 0);
    await receipt(client, (id) => client.publish({ destination: '/topic/last', body: 'end', headers: { receipt: id } }));
    const end = b.stop();
    const { code } = await client.closed;
    same([code, await end, got.length, b.err], [1001, 0, 501, '']);
  });
}

// ---- stompit, over TCP ----

const connectTo = (b, headers = {}) => new Promise((done, no) => {
  stompit.connect({ host: '127.0.0.1', port: b.tcp, connectHeaders: { host: '/', 'heart-beat': '0,0', ...headers } },
    (error, client) => (error ? no(error) : done(client)));
});

const leave = (client) => new Promise((done, no) => client.disconnect((error) => (error ? no(error) : done())));

async function stompitClient() {
  const b = await Broker.local('--queue-prefix', '/queue', '--user', 'ann:secret:1', '--user', 'bob:other', '--max-message', '2M',
    '--max-queue', '8M');
  const ann = { login: 'ann', passcode: 'secret:1' };

  await step('stompit: the right passcode opens, and any other pair is refused by one text', async () => {
    await leave(await connectTo(b, ann));
    const texts = new Set();
    for (const headers of [{ login: 'ann', passcode: 'other' }, { login: 'ann', passcode: '' }, { login: 'ann' }, {},
      { login: 'eve', passcode: 'secret:1' }, { login: 'bob', passcode: 'secret:1' }, { login: '', passcode: '' }]) {
      texts.add(await connectTo(b, headers).then(() => 'it came in', (error) => error.message));
    }
    same([...texts], ['login or passcode is wrong']);
  });
  same(await b.stop(), 0);
}

// ---- what it tells of itself ----

/** Prometheus' text format, as strictly as its own parser: values by name and labels. */
function prometheus(text) {
  const values = new Map();
  const types = new Map();
  let help;
  check(text.endsWith('\n'), 'no newline at the end');
  for (const line of text.slice(0, -1).split('\n')) {
    const [, word, name, rest] = /^# (HELP|TYPE) (stompbroker_[a-z_]+) (.+)$/.exec(line) ?? [];
    const [, metric, labels = '', value] = /^(stompbroker_[a-z_]+)(\{[a-z]+="(?:[^"\\]|\\[\\"n])*"\})? (\d+)$/.exec(line) ?? [];
    check(word || metric, line);
    if (word === 'HELP') { check(!types.has(name), `twice: ${line}`); help = name; }
    if (word === 'TYPE') {
      check(help === name && ['counter', 'gauge'].includes(rest), line);
      check((rest === 'counter') === name.endsWith('_total'), `${line}: counters end in _total`);
      types.set(name, rest);
    }
    if (metric) {
      check(help === metric && types.has(metric) && !values.has(metric + labels), line);
      values.set(metric + labels, Number(value));
    }
  }
  return values;
}

async function figures() {
  const b = await Broker.local('--stats', '1', '--log', 'info', '--origin', 'https://a.example');
  const client = await stompjs(b, { connectHeaders: { login: 'ann' } });
  const got = await listen(client, '/topic/m.*');
  await receipt(client, (id) => client.publish({ destination: '/topic/m.1', body: 'x', headers: { receipt: id } }));
  await until('the message', () => got.length === 1);
  await step('broker: /metrics is what Prometheus reads, with every figure of struct sbk_stats', async () => {
    const { status, headers, text } = await b.ask('/metrics');
    same([status, headers['content-type']], [200, 'text/plain; version=0.0.4; charset=utf-8']);
    const values = prometheus(text);
    const want = { sessions: 1, users: 1, subscriptions: 1, patterns: 1, deliveries_total: 1, connects_total: 1, accepted_total: 2, connections: 2 };
    for (const [name, value] of Object.entries(want)) same(values.get(`stompbroker_${name}`), value, name);
    same(values.get('stompbroker_ended_total{reason="eof"}'), 0);
    const header = fs.readFileSync(new URL('../../include/stompbroker/stats.h', import.meta.url), 'utf8');
    const stats = /^struct sbk_stats \{[^]*?^\};/m.exec(header)[0];
    same(values.size - 1, [...stats.matchAll(/^ *uint64_t \w+;/gm)].length);
  });
  await step('broker: /destinations has the figures of each, whatever they are called', async () => {
    const names = ['/topic/"q"', '/topic/back\\slash', '/topic/\u00fc\u{1f600}'];
    for (const name of names) await receipt(client, (id) => client.subscribe(name, () => {}, { receipt: id }));
    await receipt(client, (id) => client.publish({ destination: names[0], body: 'x', headers: { receipt: id } }));
    const raw = net.connect(b.tcp, '127.0.0.1');
    raw.write(Buffer.from('CONNECT\naccept-version:1.2\n\n\0SUBSCRIBE\nid:1\nreceipt:1\ndestination:/topic/\xff\n\n\0', 'latin1'));
    await new Promise((done) => raw.on('data', (data) => /RECEIPT/.test(data) && done()));
    const { status, headers, text } = await b.ask('/destinations');
    raw.destroy();
    same([status, headers['content-type']], [200, 'text/plain; version=0.0.4; charset=utf-8']);
    const values = prometheus(text);
    const label = (name) => `{destination="${name.replace(/["\\]/g, '\\$&')}"}`;
    for (const name of [...names, '/topic/\ufffd']) same(values.get(`stompbroker_destination_subscriptions${label(name)}`), 1, name);
    same(values.get(`stompbroker_destination_published_total${label(names[0])}`), 1);
    same(values.get('stompbroker_destination_subscriptions{pattern="/topic/m.*"}'), 1);
    same(values.get('stompbroker_destinations_left_out'), 0);
  });
  await step('broker: /destinations has a bound, and those that do most', async () => {
    const raw = net.connect(b.tcp, '127.0.0.1');
    raw.write('CONNECT\naccept-version:1.2\n\n\0');
    for (let i = 0; i < 1020; i++) raw.write(`SUBSCRIBE\nid:${i}\ndestination:/topic/many/${i}\n\n\0`);
    raw.write('SEND\ndestination:/topic/many/1019\nreceipt:end\n\n\0');
    let got = '';
    await new Promise((done) => raw.on('data', (data) => /id:end/.test(got += data) && done()));
    const values = prometheus((await b.ask('/destinations')).text);
    raw.destroy();
    const left = values.get('stompbroker_destinations_left_out');
    same([...values.keys()].filter((key) => key.startsWith('stompbroker_destination_subscriptions')).length, 1000);
    check(left > 20 && left < 40, left);
    same(values.get('stompbroker_destination_published_total{destination="/topic/many/1019"}'), 1);
  });
  await step('broker: /, what is not there, and other methods', async () => {
    const root = await b.ask('/');
    same([root.status, root.text.split('\n').length], [200, 2], root.text);
    same((await b.ask('/metrics', 'HEAD')).text, '');
    same((await b.ask('/metrics?x=1')).status, 200);
    same((await b.ask('/x')).status, 404);
    const post = await b.ask('/metrics', 'POST', { 'Content-Length': '0' });
    same([post.status, post.headers.allow], [405, 'GET, HEAD']);
  });
  await step('broker: --origin lets those pages in and no others', async () => {
    const upgrade = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' };
    same((await b.ask('/ws', 'GET', { ...upgrade, Origin: 'https://b.example' })).status, 403);
    const status = await new Promise((done, no) => {
      const [host, port] = /^(.*):(\d+)/.exec(b.ws).slice(1);
      http.get({ host, port, path: '/ws', headers: { ...upgrade, Origin: 'https://a.example' } })
        .on('upgrade', (response, socket) => { socket.destroy(); done(response.statusCode); }).on('error', no);
    });
    same(status, 101);
  });
  await step('broker: --stats is one line, and --log info says who was refused', async () => {
    await until('a line of figures', () => /^sessions\[1 .*1 of other origins/m.test(b.err));
    check(/^sessions\[1 current, 1 users, \d+ total\], ended\[0 clean, .*\], not connected\[.*\], connections\[.*\], requests\[.*\], subscriptions\[\d+ current, .*\], messages\[.*\], queues\[.*\], topics\[0 in history, .*\], refused\[.*\], dropped\[0 oldest, .*\], waiting\[.*\], bytes\[\d+ in, \d+ out\]$/m.test(b.err), b.err);
    check(/^broker: 127\.0\.0\.1:\d+: origin not allowed: https:\/\/b\.example$/m.test(b.err), b.err);
  });
  await client.deactivate();
  same(await b.stop(), 0);
}

async function rules() {
  await step('broker: --allow and --deny are asked in their order, with {user}, and what none matches is an ERROR', async () => {
    const b = await Broker.local('--deny', 'send:/topic/public/closed', '--allow', 'both:/topic/public/**',
      '--allow', 'send:/topic/of/{user}', '--allow=subscribe:/topic/of/*');
    const ann = await stompjs(b, { connectHeaders: { login: 'ann' } });
    const got = [];
    ann.subscribe('/topic/of/*', (message) => got.push(message.body));
    ann.subscribe('/topic/public/**', (message) => got.push(message.body));
    ann.publish({ destination: '/topic/of/ann', body: '1' });
    ann.publish({ destination: '/topic/public/x', body: '2' });
    await until('both', () => got.length === 2);
    same(got, ['1', '2']);
    for (const [destination, text] of [['/topic/public/closed', 'refused'], ['/topic/of/bob', 'refused'], ['/topic/else', 'refused']]) {
      const c = await stompjs(b, { connectHeaders: { login: 'ann' } });
      c.publish({ destination, body: 'x' });
      same([(await c.closed).code, c.errors[0]?.headers.message], [1008, text], destination);
    }
    const c = await stompjs(b);
    c.subscribe('/topic/**', () => {});
    same([(await c.closed).code, c.errors[0]?.headers.message], [1008, 'refused'], 'a pattern over all of it');
    check(/^stompbroker_refused_total\{by="rule"\} 4$/m.test((await b.ask('/metrics')).text), 'the figure');
    await ann.deactivate();
    same([await b.stop(), b.err], [0, '']);
  });
  await step('broker: with --error-destination a refusal is told there, and the session lives', async () => {
    const b = await Broker.local('--error-destination', '/queue/errors', '--allow', 'subscribe:/**', '--deny', 'send:/topic/x');
    const c = await stompjs(b);
    const errors = [];
    c.subscribe('/user/queue/errors', (message) => errors.push([message.body, message.headers['receipt-id']]));
    c.publish({ destination: '/topic/x', body: 'x', headers: { receipt: '1' } });
    c.publish({ destination: '/topic/y', body: 'x', headers: { receipt: '2' } });
    await until('both', () => errors.length === 2);
    same([errors, c.connected], [[['refused', '1'], ['refused', '2']], true]);
    await c.deactivate();
    same(await b.stop(), 0);
  });
}

async function topics() {
  await step('broker: --history keeps as many, as much and as long as it says, of each prefix', async () => {
    const b = await Broker.local('--history', '/topic=2', '--history', '/topic/small=100,1K', '--history=/topic/short=5,1K,300',
      '--retain', '/topic/both', '--history', '/topic/both=3');
    const c = await stompjs(b);
    for (const topic of ['/topic/x', '/topic/small', '/topic/short', '/topic/both']) {
      for (const body of ['1', '2', '3', '4']) {
        await receipt(c, (id) => c.publish({ destination: topic, body, headers: { receipt: id, retain: 'true' } }));
      }
    }
    await sleep(350);
    const kept = async (topic, headers) => said(await listen(c, topic, headers));
    same(await kept('/topic/x', { history: '9' }), ['3', '4']);
    same(await kept('/topic/small', { history: '9' }), ['2', '3', '4']);
    same(await kept('/topic/short', { history: '9' }), []);
    same(await kept('/topic/both', { history: '9' }), ['2', '3', '4']);
    same(await kept('/topic/both', {}), ['4']);
    await c.deactivate();
    same(await b.stop(), 0);
  });
  await step('broker: who is slow misses the oldest or the newest, or is closed, as its topic says', async () => {
    const b = await Broker.local('--drop-oldest', '/topic/o', '--drop-newest', '/topic/n', '--max-queue', '20K');
    const body = 'x'.repeat(5000);
    const slow = async (topic) => {
      const s = net.connect(b.tcp, '127.0.0.1').on('error', () => {});
      const heard = { text: '', ended: false };
      s.on('close', () => { heard.ended = true; });
      s.write(`CONNECT\naccept-version:1.2\n\n\0SUBSCRIBE\nid:1\nreceipt:in\ndestination:${topic}\n\n\0`);
      await new Promise((done) => s.on('data', (data) => /receipt-id:in/.test(heard.text += data) && done()));
      s.pause();
      return Object.assign(heard, { read: () => s.resume(), end: () => s.destroy() });
    };
    const all = { o: await slow('/topic/o'), n: await slow('/topic/n'), x: await slow('/topic/x') };
    const c = await stompjs(b);
    const count = 2500; // more than the kernel's buffers hold
    for (const name of Object.keys(all)) {
      for (let i = 0; i < count; i++) c.publish({ destination: `/topic/${name}`, body: `${i}:${body}` });
      await receipt(c, (id) => c.publish({ destination: `/topic/${name}`, body: `last:${body}`, headers: { receipt: id } }));
    }
    Object.values(all).forEach((s) => s.read());
    const numbers = (s) => [...s.text.matchAll(/^(\d+|last):/gm)].map((m) => m[1]);
    await until('the last of the oldest', () => numbers(all.o).at(-1) === 'last');
    await until('the end of the third', () => all.x.ended);
    await sleep(100);
    check(numbers(all.o).length < count && numbers(all.n).length < count && numbers(all.n).length > 0, 'none was dropped');
    check(!all.o.ended && !all.n.ended, 'an end');
    // Two of them fit into the queue; those that did not come at all are in between.
    same(numbers(all.o).slice(-2), [`${count - 1}`, 'last']);
    same(numbers(all.n).slice(0, 2), ['0', '1']);
    const values = prometheus((await b.ask('/metrics')).text);
    check(values.get('stompbroker_dropped_total{cause="oldest"}') > 0 && values.get('stompbroker_dropped_total{cause="newest"}') > 0, 'the figures');
    same(values.get('stompbroker_ended_total{reason="slow"}'), 1);
    all.o.end();
    all.n.end();
    await c.deactivate();
    same(await b.stop(), 0);
  });
}

async function descriptors() {
  await step('broker: when descriptors run out it turns away and waits, and is there again', async () => {
    const child = spawn('sh', ['-c', 'ulimit -n 24; exec "$0" --tcp 127.0.0.1:0', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const b = { child, out: '' };
    running.add(b);
    const gone = new Promise((done) => child.on('exit', (code) => { running.delete(b); done(code); }));
    await new Promise((done) => child.stdout.on('data', (data) => /^ready$/m.test(b.out += data) && done()));
    const port = Number(/:(\d+)$/m.exec(b.out)[1]);
    const busy = () => fs.readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(' ').slice(13, 15).reduce((sum, n) => sum + Number(n), 0);
    const before = busy();
    let closed = 0;
    const sockets = Array.from({ length: 40 }, () => net.connect(port, '127.0.0.1').on('error', () => {}).on('close', () => closed++));
    await until('some are turned away', () => closed >= 5);
    await sleep(1000);
    check(closed < 30 && busy() - before < 50, `${closed} closed, ${busy() - before} ticks`);
    sockets.forEach((s) => s.destroy());
    await sleep(300);
    await leave(await connectTo({ tcp: port }));
    child.kill('SIGTERM');
    same(await gone, 0);
  });
}

async function sockjs() {
  const open = (b, way, session) => b.ask(`/ws/0/${session}/${way}`, way === 'xhr' ? 'POST' : 'GET');
  await step('broker: without --sockjs there is nothing below a path', async () => {
    const b = await Broker.local();
    for (const path of ['/ws/info', '/ws/iframe.html', '/ws/0/a/xhr', '/ws/websocket']) same((await b.ask(path)).status, 404, path);
    same(await b.stop(), 0);
  });
  await step('broker: --sockjs has what needs no option of its own', async () => {
    const b = await Broker.local('--sockjs');
    const info = await b.ask('/ws/info');
    same(Object.assign(JSON.parse(info.text), { entropy: 0 }), { websocket: true, origins: ['*:*'], cookie_needed: false, entropy: 0 });
    const first = await open(b, 'xhr', 'a');
    same([first.status, first.text, first.headers['set-cookie']], [200, 'o\n', undefined]);
    for (const path of ['/ws/iframe.html', '/ws/0/b/htmlfile?c=x', '/ws/0/c/jsonp?c=x']) same((await b.ask(path)).status, 404, path);
    same(await b.stop(), 0);
  });
  await step('broker: each option of SockJS does what it says', async () => {
    const b = await Broker.local('--sockjs', '--sockjs-no-websocket', '--sockjs-cookie', '--sockjs-htmlfile', '--sockjs-jsonp',
      '--sockjs-client-url', '/its/script.js', '--sockjs-heartbeat', '150', '--sockjs-disconnect-delay', '300', '--sockjs-stream-limit', '1', '--sockjs-max-body', '99');
    const info = JSON.parse((await b.ask('/ws/info')).text);
    same([info.websocket, info.cookie_needed], [false, true]);
    same((await b.ask('/ws/0/a/websocket')).status, 404);
    const first = await open(b, 'xhr', 'a');
    same([first.text, first.headers['set-cookie']], ['o\n', ['JSESSIONID=dummy; Path=/']]);
    same((await open(b, 'xhr', 'a')).text, 'h\n', 'the heart-beat');
    same((await open(b, 'jsonp?c=x', 'b')).text, '/**/x("o");\r\n');
    check(/p\("o"\)/.test((await open(b, 'htmlfile?c=x', 'c')).text), 'htmlfile, which ends at its limit');
    check(/"\/its\/script\.js"/.test((await b.ask('/ws/iframe.html')).text), 'the script');
    same((await b.ask('/ws/0/a/xhr_send', 'POST', { 'Content-Length': '100' })).status, 413);
    await sleep(700);
    same((await b.ask('/ws/0/a/xhr_send', 'POST', { 'Content-Length': '0' })).status, 404, 'after the delay');
    same(await b.stop(), 0);
  });
}

async function destinations() {
  await step('broker: prefixes given replace those of their kind; the separator and the private header', async () => {
    const b = await Broker.local('--app-prefix', '/do', '--app-prefix', '/ask', '--broker-prefix', '/news', '--user-prefix', '/me',
      '--separator', '.', '--private-header', 'Secret', '--client-user-send', '--drop-unroutable', '--server-name', 'x/1');
    const c = await stompjs(b, { connectHeaders: { login: 'ann' } });
    same(c.hello.server, 'x/1');
    const echo = await listen(c, '/me/queue/echo');
    const inbox = await listen(c, '/me/queue/inbox');
    const news = await listen(c, '/news/a.*');
    c.publish({ destination: '/do/echo', body: '1' });
    c.publish({ destination: '/ask/to.ann', body: '2' });
    c.publish({ destination: '/news/a.b', body: '3', headers: { secret: 'x', open: 'y' } });
    c.publish({ destination: '/me/ann/queue/inbox', body: '4' });
    c.publish({ destination: '/topic/a', body: '5' });
    await until('four messages', () => echo.length === 1 && inbox.length === 2 && news.length === 1);
    same([said(inbox), news[0].headers.secret, news[0].headers.open], [['2', '4'], undefined, 'y']);
    await c.deactivate();
    same(await b.stop(), 0);
  });
}

try {
  await program_();
  await javascript();
  await stompitClient();
  await figures();
  await sockjs();
  await destinations();
  await rules();
  await topics();
  await descriptors();
} catch (error) {
  if (!(error instanceof Stop)) unexpected(error);
} finally {
  running.forEach((b) => b.child.kill('SIGKILL'));
  clearTimeout(watchdog);
}
finish();
setTimeout(() => process.exit(), 500).unref(); // sockets of a client that hangs
