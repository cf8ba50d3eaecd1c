// The reference broker, and clients that nobody here has written: a matrix of
// what each of them can do in each version of STOMP.
//
//   node matrix.mjs TITLE BROKER-PROGRAM [CLIENT...]
//
// CLIENT may also be one of `native` and `sockjs`, which are many.
//
// Each client is a program below clients/, called with the URL for WebSocket and
// the port for TCP; one of them is a page, over each transport of SockJS in turn. It prints `ok CELL VERSION`, `no CELL VERSION WHY` or
// `skip CELL VERSION WHY`, for each cell in each version, and `done`. On `stop
// VERSION` it is stopped for two seconds, so that the broker finds it silent; on
// `restart` the broker is ended and started again at the same addresses.

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import readline from 'node:readline';
import { browseForOthers, finish, relay, serve, sleep } from './harness.mjs';

const [prefix, program, ...wanted] = process.argv.slice(2);

const cells = {
  login: 'the right passcode is let in, a wrong one is an ERROR',
  receipts: 'receipts on SEND, SUBSCRIBE, UNSUBSCRIBE and DISCONNECT',
  auto: 'ack:auto, nothing comes twice',
  cumulative: 'ack:client, an ACK is for all before it',
  individual: 'ack:client-individual, what was not acknowledged goes back',
  nack: 'NACK brings a message again, with redelivered:true',
  commit: 'a transaction comes at its COMMIT, whole and in order',
  abort: 'a transaction that is aborted never comes',
  beats: 'heart-beats keep alive who is idle',
  silence: 'who is silent is ended',
  binary: 'a body of every byte, and an empty one',
  values: 'every escape in values of headers, and UTF-8',
  blanks: 'blanks around a value stay there',
  lookalikes: 'a value that looks like an escape is none',
  names: 'every escape in names of headers, and UTF-8',
  megabyte: 'a body of 1 MiB, there and back',
  many: '10,000 messages in order',
  history: 'last-message-id brings what was missed',
  retained: 'the last value is there for who comes later',
  error: 'the ERROR for a bad frame is seen, and the end',
};
const more = {
  observables: 'connectionState$, watch() and what was published before it was connected',
  text: 'texts in every script, to 300 KiB',
  restart: 'it comes back when the broker was started again',
};

const here = (name) => new URL(`clients/${name}`, import.meta.url).pathname;
const has = (command, ...args) => spawnSync(command, args).status === 0;
const node = (name) => ({ command: [process.execPath, here(name)], here: () => true });
const clients = {
  stompjs: { title: 'stompjs', more: ['restart'], ...node('stompjs.mjs') },
  rxstomp: { title: 'rx-stomp', more: ['observables', 'restart'], ...node('rxstomp.mjs') },
  stompit: { title: 'stompit', ...node('stompit.mjs') },
  python: { title: 'Python', package: 'python3-stomp', command: ['/usr/bin/python3', '-B', here('python.py')],
    here: () => has('/usr/bin/python3', '-c', 'import stomp') },
  ruby: { title: 'Ruby', package: 'ruby-stomp', command: ['ruby', here('ruby.rb')], here: () => has('ruby', '-rstomp', '-e', '') },
  perl: { title: 'Perl', package: 'libnet-stomp-perl', command: ['/usr/bin/perl', here('perl.pl')],
    here: () => has('/usr/bin/perl', '-MNet::Stomp', '-e', '1') },
};

// In a browser, where there is one.
const transports = ['websocket', 'xhr-streaming', 'eventsource', 'iframe-eventsource', 'iframe-htmlfile', 'xhr-polling',
  'iframe-xhr-polling', 'jsonp-polling'];
const chromium = fs.existsSync('/usr/bin/chromium');
const browser = chromium && !wanted.includes('native') ? await browseForOthers() : null;
const pages = await serve({ '/clients': here(''), '/stompjs': here('../node_modules/@stomp/stompjs/esm6'),
  '/sockjs.js': here('../node_modules/sockjs-client/dist/sockjs.min.js') });
for (const transport of transports) {
  clients[transport] = { kind: 'sockjs', title: `SockJS ${transport}`, package: 'chromium', versions: ['1.2'], more: ['text', 'restart'],
    command: [process.execPath, here('sockjs.mjs'), browser?.wsEndpoint(), pages, transport], here: () => chromium };
}
const sockjs = ['--sockjs', '--sockjs-htmlfile', '--sockjs-jsonp', '--sockjs-client-url', `${pages}/sockjs.js`,
  '--sockjs-max-body', '4M', '--origin', '*'];

const running = new Set();
const watchdog = setTimeout(() => { relay(`not ok - ${prefix}matrix: it is done within 150 seconds`); stopAll(); }, 150000);
function stopAll() {
  for (const child of running) child.kill('SIGKILL');
}

function start(command, args, stdio) {
  const child = spawn(command, args, { stdio });
  running.add(child);
  child.gone = new Promise((done) => child.on('close', (code, signal) => { running.delete(child); done(code ?? signal); }));
  return child;
}

/** A broker for one client; it comes back where it was. */
class Broker {
  ws = '127.0.0.1:0/ws';
  tcp = '127.0.0.1:0';
  complaints = '';

  async start() {
    this.child = start(program, ['--ws', this.ws, '--tcp', this.tcp, '--user', 'm:right', '--queue-prefix', '/queue',
      '--heartbeat', '400,400', '--max-message', '2M', '--max-queue', '8M', '--history', '/topic/history=100',
      '--retain', '/topic/retained', '--drain', '1000', ...sockjs], ['ignore', 'pipe', 'pipe']);
    this.child.stderr.on('data', (data) => { this.complaints += data; });
    let out = '';
    await new Promise((done, no) => {
      this.child.stdout.on('data', (data) => /^ready$/m.test(out += data) && done());
      this.child.gone.then((code) => no(new Error(`the broker ended with ${code}: ${this.complaints}`)));
    });
    this.ws = /^ws (.*)$/m.exec(out)[1];
    this.tcp = /^tcp (.*)$/m.exec(out)[1];
  }

  async stop() {
    this.child.kill('SIGTERM');
    return this.child.gone;
  }

  figure(name) {
    return new Promise((done, no) => {
      http.get(`http://${this.ws.replace('/ws', '/metrics')}`, { agent: false }, (response) => {
        let text = '';
        response.on('data', (data) => { text += data; });
        response.on('end', () => done(Number(text.split('\n').find((line) => line.startsWith(`${name} `))?.split(' ')[1])));
      }).on('error', no);
    });
  }
}

async function play(client) {
  const lines = [];
  const title = prefix + client.title;
  const say = (truth, version, key, tail = '') =>
    lines.push(`${truth ? 'ok' : 'not ok'} - ${title} ${version}: ${cells[key] ?? more[key] ?? key}${tail}`);
  if (!client.here()) {
    lines.push(`ok - ${title} # SKIP no ${client.package}`);
    return lines;
  }
  const broker = new Broker();
  await broker.start();
  const child = start(client.command[0], [...client.command.slice(1), `ws://${broker.ws}`, broker.tcp.split(':').at(-1)],
    ['ignore', 'pipe', 'pipe']);
  child.stderr.on('data', (data) => { for (const line of String(data).trimEnd().split('\n')) lines.push(`# ${client.title}: ${line}`); });
  const silent = {};
  const seen = new Set();
  let done = false;
  for await (const line of readline.createInterface({ input: child.stdout })) {
    const [, word, key, version, why = ''] = /^(ok|no|skip) (\w+) (\d\.\d) ?(.*)$/.exec(line) ?? [];
    const stop = /^stop (.*)$/.exec(line)?.[1];
    if (word) {
      seen.add(`${key} ${version}`);
      const timeouts = key === 'silence' && word === 'ok' && silent[version] !== 1;
      if (timeouts) lines.push(`# the broker has ended ${silent[version]} for their silence`);
      say(word !== 'no' && !timeouts, version, key, word === 'skip' ? ` # SKIP ${why}` : '');
      if (word === 'no') lines.push(`# ${why}`);
    } else if (stop) {
      const figure = 'stompbroker_ended_total{reason="timeout"}';
      const before = await broker.figure(figure);
      child.kill('SIGSTOP');
      await sleep(2000);
      silent[stop] = await broker.figure(figure) - before;
      child.kill('SIGCONT');
    } else if (line === 'restart') {
      const code = await broker.stop();
      if (code !== 0) lines.push(`# the broker ended with ${code}`);
      await broker.start();
    } else if (line === 'done') {
      done = true;
    } else {
      lines.push(`# ${line}`);
    }
  }
  const code = await child.gone;
  if (!done) lines.push(`# ${client.title} ended with ${code}`);
  for (const version of client.versions ?? ['1.0', '1.1', '1.2']) {
    for (const key of Object.keys(cells)) if (!seen.has(`${key} ${version}`)) say(false, version, key, ': nothing was said');
  }
  for (const key of client.more ?? []) if (!seen.has(`${key} 1.2`)) say(false, '1.2', key, ': nothing was said');
  const end = await broker.stop();
  lines.push(`${end === 0 && broker.complaints === '' ? 'ok' : 'not ok'} - ${title}: the broker has nothing to complain of`);
  if (end !== 0 || broker.complaints) lines.push(`# it ended with ${end}: ${broker.complaints}`);
  return lines;
}

const all = Object.entries(clients).filter(([name, { kind = 'native' }]) =>
  wanted.length === 0 || wanted.includes(name) || wanted.includes(kind));
const results = await Promise.all(all.map(([, client]) =>
  play(client).catch((error) => [`not ok - ${prefix}${client.title}: ${error.message}`])));
for (const lines of results) lines.forEach(relay);
clearTimeout(watchdog);
stopAll();
await browser?.close();
finish();
