// The chat with TLS: browsers and programs that mean well, and peers that are
// too old, too slow, or speak something else.
//
//   node tls.mjs TITLE CHAT-PROGRAM PAGE-DIR [SHOTS-DIR]
//
// With SHOTS-DIR also in Chromium.

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { Client } from '@stomp/stompjs';
import * as ws from 'ws';
import { browse, Chat, check, finish, seed, shoot, sleep, step, Stop, unexpected, until } from './harness.mjs';

const [title, program, pageDir, shots] = process.argv.slice(2);
const data = fs.mkdtempSync(path.join(os.tmpdir(), 'sbk-tls-'));
const at = (name) => path.join(data, name);
const say = (sentence) => `${title}tls: ${sentence}`;
const watchdog = setTimeout(() => { console.log('# too slow'); chat.child?.kill('SIGKILL'); }, 80000);
const ROOM = 'large';
let browser;

/** A certificate that is its own authority, and its key, in two files. */
function certify(name) {
  const { status, stderr } = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-keyout', at(`${name}.key`), '-out', at(`${name}.crt`), '-days', '2', '-subj', `/CN=${name}`,
    '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

certify('first');
certify('second');
for (const end of ['key', 'crt']) fs.copyFileSync(at(`first.${end}`), at(`used.${end}`));
const chat = new Chat(program, ['--data', at('chat'), '--page', pageDir, '--tls-cert', at('used.crt'), '--tls-key', at('used.key')]);
chat.ca = [fs.readFileSync(at('first.crt')), fs.readFileSync(at('second.crt'))];
seed(at('chat'), ROOM, Array.from({ length: 100 }, (_, i) => ({ from: 'kofi', at: Date.now() - 60000, text: `${i} ${'w'.repeat(4000)}` })));

/** The program's exit code and last words, when it cannot begin. */
const refused = (...args) => spawnSync(program, ['--listen', '127.0.0.1:0', '--data', at('none'), '--page', pageDir, ...args],
  { timeout: 5000, encoding: 'utf8' });

/** A TLS socket, once hands are shaken. */
const shake = (options = {}, port = chat.port) => new Promise((done, no) => {
  const s = tls.connect({ host: '127.0.0.1', port, ca: chat.ca, ...options }, () => done(s));
  s.on('error', no);
});

/** Why hands could not be shaken. */
const refusal = (options) => shake(options).then((s) => { s.destroy(); return 'none'; }, (error) => error.message);

/** What a socket gets until its end, and how it ended. */
const listen = (s) => new Promise((done) => {
  let text = '';
  s.on('data', (bytes) => { text += bytes.toString('latin1'); });
  s.on('error', (error) => done({ text, error: error.code ?? error.message }));
  s.on('end', () => done({ text, error: '' }));
});

/** openssl s_client: its input in pieces, each after what it waits for. */
async function sClient(args, ...talk) {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${chat.port}`, '-CAfile', at('used.crt'), ...args]);
  const late = setTimeout(() => child.kill('SIGKILL'), 8000);
  let out = '';
  let over = false;
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { out += bytes; });
  child.stdin.on('error', () => {});
  const gone = new Promise((done) => child.on('close', (code) => { over = true; done(code); }));
  for (const [awaited, text] of talk) {
    await until(`${awaited} of s_client`, () => over || awaited.test(out)).catch(() => {});
    child.stdin.write(text);
  }
  const code = await gone;
  clearTimeout(late);
  return { code, out };
}

const tokens = new Map();

async function token(name) {
  if (tokens.has(name)) return tokens.get(name);
  const { status, text } = await chat.login(name, 'correct horse');
  check(status === 201 || status === 200, `${status} ${text}`);
  tokens.set(name, JSON.parse(text).token);
  return tokens.get(name);
}

/** A STOMP client over wss. */
async function connect(name, port = chat.port) {
  const connectHeaders = { Authorization: `Bearer ${await token(name)}` };
  const c = new Client({ connectHeaders, reconnectDelay: 0, heartbeatIncoming: 0, heartbeatOutgoing: 0,
    webSocketFactory: () => (c.bare = new ws.WebSocket(`wss://127.0.0.1:${port}/ws`, ['v12.stomp'], { ca: chat.ca })) });
  c.closed = new Promise((done) => { c.onWebSocketClose = ({ code }) => done(code); });
  await new Promise((done, no) => {
    c.onConnect = done;
    c.onStompError = ({ headers }) => no(new Error(headers.message));
    c.closed.then((code) => no(new Error(`closed with ${code} before CONNECTED`)));
    c.activate();
  });
  return c;
}

async function subscribe(client, destination, headers = {}, got = []) {
  const receipt = `r${Math.random()}`;
  const active = new Promise((done) => client.watchForReceipt(receipt, done));
  client.subscribe(destination, (message) => got.push(JSON.parse(message.body)), { ...headers, receipt });
  await active;
  return got;
}

/** A relay that passes bytes on one by one at first, then in small pieces. */
function crumbs() {
  const server = net.createServer((near) => {
    const far = net.connect(chat.port, '127.0.0.1').setNoDelay();
    near.setNoDelay();
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
      let passed = 0;
      from.on('data', async (bytes) => {
        from.pause();
        for (let i = 0; i < bytes.length;) {
          const piece = passed < 200 ? 1 : 777;
          to.write(bytes.subarray(i, i + piece));
          i += piece;
          passed += piece;
          await new Promise(setImmediate);
        }
        from.resume();
      });
    }
  });
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server)));
}

// ---- the story ----

async function options() {
  await step(say('a certificate without its key, or a bad one, is no start'), async () => {
    const { status, stderr } = refused('--tls-cert', at('used.crt'));
    check(status === 2 && stderr.startsWith('usage: '), `${status} ${stderr}`);
    for (const [crt, key] of [['used.crt', 'second.key'], ['nothing', 'used.key'], ['used.crt', 'used.crt'], ['used.key', 'used.key']]) {
      const end = refused('--tls-cert', at(crt), '--tls-key', at(key));
      check(end.status === 1 && end.stderr.includes(crt) && end.stderr.split('\n').length === 2, `${end.status} ${end.stderr}`);
    }
  });
}

async function talks() {
  await step(say('the page comes by https, and pages of http:// may not log in'), async () => {
    const { status, headers } = await chat.ask('GET', '/');
    check(status === 200 && /^text\/html/.test(headers['content-type']), `${status}`);
    const from = (origin) => chat.ask('POST', '/login', { 'Content-Type': 'application/json', Origin: origin },
      JSON.stringify({ name: 'origin', password: 'correct horse' }));
    check((await from(`http://127.0.0.1:${chat.port}`)).status === 403, 'http');
    const entered = await from(`https://127.0.0.1:${chat.port}`);
    check(entered.status === 201 && /; HttpOnly; SameSite=Strict; .*; Secure$/.test(entered.headers['set-cookie'][0]), `https: ${entered.status}`);
    const open = (origin) => new Promise((done) => {
      const s = new ws.WebSocket(`wss://127.0.0.1:${chat.port}/ws`, ['v12.stomp'], { ca: chat.ca, origin });
      s.on('open', () => { s.close(); done(101); });
      s.on('unexpected-response', (_, { statusCode }) => done(statusCode));
    });
    check(await open(`http://127.0.0.1:${chat.port}`) === 403, 'WebSocket of http');
    check(await open(`https://127.0.0.1:${chat.port}`) === 101, 'WebSocket of https');
  });
  await step(say('two talk over wss, in TLS 1.2 and in 1.3, and by plain STOMP too'), async () => {
    const a = await connect('ada');
    check(a.bare._socket.getProtocol() === 'TLSv1.3', a.bare._socket.getProtocol());
    const got = await subscribe(a, '/topic/chat/talk');
    const words = Array.from({ length: 18 }, (_, i) => `${i} ${'\u00e4'.repeat(2000)}`);
    for (const text of words) a.publish({ destination: '/app/chat/talk', body: JSON.stringify({ text }) });
    await until('all of them', () => got.length >= words.length);
    check(got.every(({ text }, i) => text === words[i]), 'not the same text');
    const old = await shake({ maxVersion: 'TLSv1.2' }, chat.tcp);
    check(old.getProtocol() === 'TLSv1.2', old.getProtocol());
    old.write(`CONNECT\naccept-version:1.2\nhost:x\nAuthorization:Bearer ${await token('bea')}\n\n\0`
      + 'SEND\ndestination:/app/chat/talk\ncontent-type:text/plain\n\nfrom afar\0DISCONNECT\nreceipt:bye\n\n\0');
    const { text, error } = await listen(old);
    check(/^CONNECTED\n/.test(text) && /RECEIPT\nreceipt-id:bye/.test(text) && error === '', `${text} ${error}`);
    await until('what came by TCP', () => got.at(-1).text === 'from afar' && got.at(-1).from === 'bea');
    await a.deactivate();
  });
  await step(say('many records at once arrive whole, also for who reads late'), async () => {
    const a = await connect('cleo');
    const got = await subscribe(a, `/topic/chat/${ROOM}`, { history: '100' });
    await until('the history', () => got.at(-1)?.id === 100);
    check(got.length > 40 && got.every(({ id, text }, i) => id === got[0].id + i && text.length > 4000), `${got.length}`);
    await a.deactivate();
    // The first is within max_queue. Of the others some are more than the kernel
    // takes for a peer that does not read, some more than both together.
    const posters = [await connect('pia'), await connect('paul'), await connect('pele')];
    const text = 'w'.repeat(4000);
    let posted = 0;
    for (const most of [1, 3, 6, 8, 10, 11, 12, 14]) {
      const b = await connect('cleo');
      const late = [];
      let broken = '';
      b.bare.on('error', (error) => { broken = error.message; });
      const copies = await Promise.all(Array.from({ length: 90 }, () => subscribe(b, '/topic/chat/late', {}, late)));
      b.bare._socket.pause();
      for (let k = 0; k < most; k++) {
        posters[posted++ % 3].publish({ destination: '/app/chat/late', body: JSON.stringify({ text }) });
        await sleep(4);
      }
      b.bare._socket.resume();
      await until('the rest', () => late.length === most * copies.length || b.bare.readyState === ws.WebSocket.CLOSED);
      check(broken === '' && (late.length === most * copies.length || most > 1), `${late.length} of ${most * copies.length} ${broken}`);
      check(late.every((message, i) => message.text === text && message.id === late[0].id + Math.floor(i / copies.length)), 'not the same in each');
      await b.deactivate();
    }
    for (const poster of posters) await poster.deactivate();
  });
  await step(say('a path that gives single bytes is as good'), async () => {
    const server = await crumbs();
    const a = await connect('dora', server.address().port);
    const got = await subscribe(a, `/topic/chat/${ROOM}`, { history: '100' });
    await until('the history', () => got.at(-1)?.id === 100);
    await a.deactivate();
    server.close();
  });
}

async function strangers() {
  await step(say('TLS 1.1 and what is no HTTP are refused with an alert'), async () => {
    const old = await refusal({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
    check(/alert protocol version/.test(old), old);
    const h2 = await refusal({ ALPNProtocols: ['h2'] });
    check(/alert no application protocol/.test(h2), h2);
    const both = await shake({ ALPNProtocols: ['h2', 'http/1.1'] });
    check(both.alpnProtocol === 'http/1.1', `ALPN ${both.alpnProtocol}`);
    both.destroy();
  });
  await step(say('plain HTTP ends at once, without a reset'), async () => {
    // In Python, since Node.js calls a reset an end if there were bytes before.
    const { stdout } = spawnSync('/usr/bin/python3', ['-c', `
import socket
s = socket.create_connection(('127.0.0.1', ${chat.port}), 3)
s.sendall(b'GET / HTTP/1.1\\r\\nHost: x\\r\\nX-Large: ' + b'x' * 3000 + b'\\r\\n\\r\\n')
got = b''
while (more := s.recv(4096)):
    got += more
print(got.hex())`], { timeout: 5000, encoding: 'utf8' });
    check(/^1503/.test(stdout), stdout); // an alert, and then the end
  });
  await step(say('to renegotiate is refused, and to change keys is not'), async () => {
    const again = await sClient(['-tls1_2'], [/Verify return code/, 'R\n'], [/RENEGOTIATING/, 'GET / HTTP/1.0\r\n\r\n']);
    check(/RENEGOTIATING/.test(again.out) && !/HTTP\/1\.1 200/.test(again.out), again.out.slice(-500));
    const keys = await sClient(['-tls1_3'], [/Verify return code/, 'K\n'], [/KEYUPDATE/, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n']);
    check(/KEYUPDATE/.test(keys.out) && /HTTP\/1\.1 200/.test(keys.out) && !/error/i.test(keys.out.replace(/.*Verify.*/g, '')), keys.out.slice(-700));
  });
  await step(say('the end is said with close_notify, and heard when it is the peer who says it'), async () => {
    const { code, out } = await sClient(['-quiet', '-verify_quiet'], [/^/, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n']);
    check(code === 0 && /HTTP\/1\.1 200/.test(out) && !/unexpected eof/i.test(out), out.slice(-300));
    const s = await shake({ allowHalfOpen: true });
    const end = listen(s);
    s.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const { text, error } = await end;
    check(error === '' && /^HTTP\/1\.1 200 /.test(text) && text.includes('</html>'), `${error} ${text.slice(0, 200)}`);
  });
  await step(say('peers that break off in the handshake, or garble it, harm nobody'), async () => {
    const hello = await new Promise((done) => {
      const server = net.createServer((s) => s.once('data', (bytes) => { done(bytes); s.destroy(); server.close(); }));
      server.listen(0, '127.0.0.1', () => tls.connect({ port: server.address().port, host: '127.0.0.1' }).on('error', () => {}));
    });
    for (let i = 1; i < hello.length; i += 7) {
      const cut = net.connect(chat.port, '127.0.0.1').on('error', () => {});
      cut.write(hello.subarray(0, i));
      const garbled = net.connect(chat.port, '127.0.0.1').on('error', () => {});
      const bytes = Buffer.from(hello);
      bytes[i] ^= 0xff;
      garbled.write(bytes);
      await sleep(2);
      if (i % 2) cut.resetAndDestroy(); else cut.end();
      garbled.resetAndDestroy();
    }
    check((await chat.ask('GET', '/')).status === 200, 'the page');
  });
}

async function renew() {
  await step(say('SIGHUP brings a new certificate to who comes, and keeps who is there'), async () => {
    const a = await connect('eve');
    const got = await subscribe(a, '/topic/chat/renew');
    const shown = async () => { const s = await shake(); const { CN } = s.getPeerCertificate().subject; s.destroy(); return CN; };
    check(await shown() === 'first', await shown());
    fs.writeFileSync(at('used.crt'), 'nothing');
    chat.child.kill('SIGHUP');
    await until('a complaint', () => /used\.crt/.test(chat.err ?? ''));
    check(await shown() === 'first', await shown());
    for (const end of ['key', 'crt']) fs.copyFileSync(at(`second.${end}`), at(`used.${end}`));
    chat.child.kill('SIGHUP');
    await until('the second one', async () => await shown() === 'second');
    a.publish({ destination: '/app/chat/renew', body: '{"text":"still here"}' });
    await until('its own words', () => got.length === 1);
    await a.deactivate();
  });
}

async function inChromium() {
  await step(say('the page talks over wss in Chromium'), async () => {
    browser = await browse();
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1360, height: 850 }, locale: 'en-GB' });
    const page = await context.newPage();
    page.setDefaultTimeout(8000);
    const sockets = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    await page.goto(chat.url);
    await page.fill('#name', 'Frieda');
    await page.fill('#password', 'correct horse');
    await page.press('#password', 'Enter');
    await page.waitForSelector('#state[data-state="connected"]', { state: 'visible' });
    await page.fill('#compose', 'Nobody reads along.');
    await page.press('#compose', 'Enter');
    await page.locator('.bubble', { hasText: 'Nobody reads along.' }).first().waitFor();
    check(sockets.length === 1 && sockets[0] === `wss://127.0.0.1:${chat.port}/ws`, sockets.join());
    await shoot(page, shots, 'tls');
    await context.close();
  });
}

if (/has no TLS/.test(refused('--tls-cert', 'x', '--tls-key', 'x').stderr)) {
  console.log(`ok - ${say('works')} # SKIP built without GnuTLS`);
  clearTimeout(watchdog);
} else {
  try {
    await options();
    await chat.start();
    // Two that stall: nothing at all, and the beginning of a ClientHello.
    const stalled = ['', '\x16\x03\x01\x02\x00\x01'].map((bytes) => {
      const s = net.connect(chat.port, '127.0.0.1');
      const since = Date.now();
      s.write(bytes, 'latin1');
      return listen(s).then(() => (Date.now() - since) / 1000);
    });
    await talks();
    await strangers();
    await renew();
    if (shots) await inChromium();
    await step(say('who stalls in the handshake is ended after 10 s'), async () => {
      const after = await Promise.all(stalled);
      check(after.every((s) => s > 9 && s < 13), `${after} s`);
    });
    await step(say('SIGTERM says goodbye, and ends it cleanly'), async () => {
      const a = await connect('gina');
      const half = net.connect(chat.port, '127.0.0.1').on('error', () => {});
      half.write('\x16\x03', 'latin1');
      await sleep(50);
      const [{ code, signal }, closed] = await Promise.all([chat.stop(), a.closed]);
      check(code === 0 && closed === 1001, `${code} ${signal} ${closed}`);
    });
  } catch (error) {
    if (!(error instanceof Stop)) unexpected(error);
  } finally {
    await browser?.close();
    await chat.stop('SIGKILL');
    clearTimeout(watchdog);
    fs.rmSync(data, { recursive: true, force: true });
  }
  finish();
}
