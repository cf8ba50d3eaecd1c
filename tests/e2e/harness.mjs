// What the end-to-end tests stand on: a chat that can be started and killed,
// steps with a sentence each, pictures.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { chromium } from 'playwright-core';

let failed = 0;
let passed = 0;

/** One sentence that holds or does not. What follows a broken one would only
 * repeat it, so the first failure ends the run. */
export async function step(sentence, body) {
  try {
    await body();
    passed++;
    console.log(`ok - ${sentence}`);
  } catch (error) {
    failed++;
    console.log(`not ok - ${sentence}`);
    for (const line of String(error.stack ?? error).split('\n').slice(0, 12)) console.log(`# ${line}`);
    throw new Stop();
  }
}

/** A line of another program, counted as one of ours. */
export function relay(line) {
  console.log(line);
  if (line.startsWith('ok')) passed++;
  if (line.startsWith('not ok')) failed++;
}

export class Stop extends Error {}

export function check(truth, text) {
  if (!truth) throw new Error(text);
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export async function until(what, probe, ms = 8000) {
  const end = Date.now() + ms;
  for (;;) {
    if (await probe()) return;
    if (Date.now() > end) throw new Error(`waited ${ms} ms for: ${what}`);
    await sleep(40);
  }
}

/** Chromium, without what it likes to do on its own. */
const BROWSER = {
  executablePath: '/usr/bin/chromium',
  headless: true,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
};
export const browse = () => chromium.launch(BROWSER);
/** For other programs, to connect to. */
export const browseForOthers = () => chromium.launchServer(BROWSER);

/** A server of files: `places` has folders or files by where their URLs begin. */
export async function serve(places) {
  const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript' };
  const server = http.createServer((request, answer) => {
    const { pathname } = new URL(request.url, 'http://x');
    const [begin, place] = Object.entries(places).find(([name]) => pathname.startsWith(name)) ?? [];
    const file = place && path.join(place, pathname.slice(begin.length));
    const found = file && !pathname.includes('..') && fs.existsSync(file);
    answer.writeHead(found ? 200 : 404, found ? { 'Content-Type': types[path.extname(file)] ?? 'text/plain' } : {});
    answer.end(found ? fs.readFileSync(file) : 'not here');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  server.unref();
  return `http://127.0.0.1:${server.address().port}`;
}

/** What is no step's fault. */
export function unexpected(error) {
  relay('not ok - nothing unexpected happens');
  console.log(`# ${error.stack}`);
}

/** Prints how it went and sets the exit code. */
export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

/** The chat's process. It is ended by its pid, and by nothing else. */
export class Chat {
  constructor(program, args) {
    this.program = program;
    this.args = args;
    this.port = 0;
    this.tcp = 0;
  }

  async start(extra = []) {
    const child = spawn(this.program,
      ['--listen', `127.0.0.1:${this.port}`, '--tcp', `127.0.0.1:${this.tcp}`, ...this.args, ...extra],
      { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    this.gone = new Promise((done) => child.on('exit', (code, signal) => done({ code, signal })));
    child.stderr.on('data', (data) => {
      this.err = (this.err ?? '') + data;
      for (const line of String(data).trimEnd().split('\n')) console.log(`# chat: ${line}`);
    });
    let out = '';
    await new Promise((done, no) => {
      child.stdout.on('data', (data) => {
        out += data;
        if (/^ready$/m.test(out)) done();
      });
      child.on('error', no);
      child.on('exit', (code) => no(new Error(`the chat ended with ${code} before it was ready`)));
      setTimeout(() => no(new Error('the chat is not ready after 10 s')), 10000).unref();
    });
    const [, scheme, port] = /^chat (https?):\/\/[^/]*:(\d+)\/$/m.exec(out);
    this.port = Number(port);
    this.http = scheme === 'https' ? https : http;
    this.tcp = Number(/^tcp .*:(\d+)$/m.exec(out)?.[1] ?? 0);
    this.url = `${scheme}://127.0.0.1:${this.port}/`;
  }

  /** How it ended. */
  async stop(signal = 'SIGTERM') {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return this.gone;
    this.child.kill(signal);
    const late = setTimeout(() => this.child.kill('SIGKILL'), 12000);
    const end = await this.gone;
    clearTimeout(late);
    return end;
  }

  /** An HTTP exchange with the path as it stands: fetch() would tidy it up. */
  ask(method, target, headers = {}, body = '') {
    return new Promise((done, no) => {
      const request = this.http.request({ host: '127.0.0.1', port: this.port, method, path: target, headers, agent: false, ca: this.ca },
        (response) => {
          let text = '';
          response.on('data', (data) => { text += data; });
          response.on('end', () => done({ status: response.statusCode, headers: response.headers, text }));
        });
      request.on('error', no);
      request.end(body);
    });
  }

  login(name, password) {
    return this.ask('POST', '/login', { 'Content-Type': 'application/json' }, JSON.stringify({ name, password }));
  }
}

/** A wire to a port on this machine that can be cut and mended. */
export class Wire {
  static async to(port) {
    const wire = new Wire();
    wire.ends = new Set();
    wire.server = net.createServer((near) => {
      const far = wire.isCut ? null : net.connect(port(), '127.0.0.1');
      for (const end of [near, far]) {
        if (!end) continue;
        wire.ends.add(end);
        end.on('error', () => {});
        end.on('close', () => { wire.ends.delete(end); near.destroy(); far?.destroy(); });
      }
      if (far) near.pipe(far).pipe(near);
      else near.destroy();
    });
    await new Promise((done) => wire.server.listen(0, '127.0.0.1', done));
    wire.server.unref();
    wire.url = `http://127.0.0.1:${wire.server.address().port}/`;
    return wire;
  }

  cut() {
    this.isCut = true;
    for (const end of this.ends) end.destroy();
  }

  mend() {
    this.isCut = false;
  }

  close() {
    this.cut();
    this.server.close();
  }
}

const SIZES = { desktop: { width: 1360, height: 850 }, tablet: { width: 900, height: 1100 }, phone: { width: 390, height: 780 } };

/** Pictures of a state: in each size and each scheme that is asked for. */
export async function shoot(page, folder, name, sizes = ['desktop'], schemes = ['light']) {
  for (const size of sizes) {
    for (const colorScheme of schemes) {
      await page.setViewportSize(SIZES[size]);
      await page.emulateMedia({ colorScheme });
      await settled(page);
      await page.screenshot({ path: path.join(folder, `${name}-${size}-${colorScheme}.png`) });
    }
  }
  await page.setViewportSize(SIZES.desktop);
  await page.emulateMedia({ colorScheme: 'light' });
}

const axe = fs.readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/** Until the new colours are there: what fades has ended, however slow we are. */
const settled = (page) => page.evaluate(async () => {
  for (let frame = 0; frame < 2; frame++) await new Promise((done) => { requestAnimationFrame(done); });
  const ends = document.getAnimations().filter((a) => Number.isFinite(a.effect.getComputedTiming().endTime));
  await Promise.allSettled(ends.map((a) => a.finished));
});

/** axe-core's rules: names, roles, contrast, in both schemes. */
export async function accessible(page) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await settled(page);
    const found = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ['violations'] })`);
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'no-preference' });
    const lines = found.violations.flatMap(({ id, help, nodes }) =>
      nodes.slice(0, 4).map((node) => `${colorScheme}: ${id}: ${help}: ${node.target}: ${node.any[0]?.message ?? ''}`));
    check(lines.length === 0, lines.join('\n'));
  }
}

/** What people said before we came, in the file of a room. */
export function seed(data, room, lines) {
  fs.mkdirSync(data, { recursive: true, mode: 0o700 });
  fs.writeFileSync(path.join(data, `room-${room}`),
    lines.map((line, i) => `${JSON.stringify({ id: i + 1, ...line })}\n`).join(''), { mode: 0o600 });
}
