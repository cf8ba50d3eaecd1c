// The cells of the matrix for clients in JavaScript, in Node.js and in a browser.
// Each one is a conversation that proves one thing, on connections of its own;
// what is asked of a client:
//
//   name, versions, cannot(key, version)    a reason, or undefined
//   beat    milliseconds between its heart-beats; 400
//   open({ version, login, passcode, beats })
//     hello, next(), nothing(), subscribe(destination, headers), send(destination,
//     body, headers), begin(), close(), receipt(act), failure, ended

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export function check(truth, text) {
  if (!truth) throw new Error(typeof text === 'string' ? text : JSON.stringify(text));
}

export const same = (got, want) => check(JSON.stringify(got) === JSON.stringify(want),
  `${JSON.stringify(got)}, not ${JSON.stringify(want)}`.slice(0, 300));

const late = (what, ms) => sleep(ms).then(() => { throw new Error(`waited ${ms} ms for ${what}`); });
/** What comes of it, if that is soon. */
export const soon = (promise, what = 'an answer', ms = 8000) => Promise.race([promise, late(what, ms)]);

/** What comes in, one after the other. */
export class Inbox {
  #items = [];
  #waiting = [];
  put(item) {
    const take = this.#waiting.shift();
    if (take) take(item); else this.#items.push(item);
  }
  next(ms = 8000) {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift());
    return soon(new Promise((done) => this.#waiting.push(done)), 'a message', ms);
  }
  get count() { return this.#items.length; }
}

const decode = (body) => new TextDecoder().decode(body);
const equal = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

const text = async (c) => decode((await c.next()).body);
const texts = async (c, count) => {
  const all = [];
  while (all.length < count) all.push(await text(c));
  return all;
};
/** Nothing of a queue comes to c until what is sent last has come. */
async function nothing(c) {
  const fence = `/topic/fence.${Math.random()}`;
  await c.subscribe(fence);
  await c.send(fence, 'fence');
  same(await text(c), 'fence');
}

/** Takes all of a queue that nobody has acknowledged. */
async function left(open, version, queue, count) {
  const c = await open({ version });
  await c.subscribe(queue, { ack: 'auto' });
  const all = await texts(c, count);
  await nothing(c);
  await c.close();
  return all;
}

const bytes = (length) => Uint8Array.from({ length }, (_, i) => (i * 31) >> (i >> 12 & 3) & 255);

export const cells = {
  async login(open, version) {
    const wrong = await soon(open({ version, passcode: 'wrong' }).then(() => 'it came in', (error) => error.message));
    check(/login or passcode is wrong/.test(wrong), wrong);
    const c = await open({ version });
    same([c.hello.version, c.hello['user-name']], [version, 'm']);
    await c.close();
  },
  async receipts(open, version) {
    const c = await open({ version });
    const sub = await c.subscribe('/topic/receipts'); // waits for its receipt
    await c.receipt((receipt) => c.send('/topic/receipts', 'x', { receipt }));
    same(await text(c), 'x');
    await sub.end();
    await c.receipt((receipt) => c.send('/topic/receipts', 'y', { receipt }));
    await c.close();
    same([c.count, c.byed], [0, true]);
  },
  async auto(open, version) {
    const queue = `/queue/${open.title}/auto/${version}`;
    const c = await open({ version });
    await c.subscribe(queue, { ack: 'auto' });
    for (const body of 'abc') await c.send(queue, body);
    same(await texts(c, 3), ['a', 'b', 'c']);
    await c.close();
    same(await left(open, version, queue, 0), []);
  },
  async cumulative(open, version) {
    const queue = `/queue/${open.title}/cumulative/${version}`;
    const c = await open({ version });
    await c.subscribe(queue, { ack: 'client' });
    for (const body of 'abcd') await c.send(queue, body);
    const got = [await c.next(), await c.next(), await c.next(), await c.next()];
    same(got.map(({ body }) => decode(body)), ['a', 'b', 'c', 'd']);
    await c.ack(got[2]);
    await c.close();
    same(await left(open, version, queue, 1), ['d']);
  },
  async individual(open, version) {
    const queue = `/queue/${open.title}/individual/${version}`;
    const c = await open({ version });
    await c.subscribe(queue, { ack: 'client-individual' });
    for (const body of 'abc') await c.send(queue, body);
    const got = [await c.next(), await c.next(), await c.next()];
    await c.ack(got[1]);
    await c.close();
    same(await left(open, version, queue, 2), ['a', 'c']);
  },
  async nack(open, version) {
    const queue = `/queue/${open.title}/nack/${version}`;
    const c = await open({ version });
    await c.subscribe(queue, { ack: 'client-individual' });
    await c.send(queue, 'a');
    const first = await c.next();
    same(first.headers.redelivered, undefined);
    await c.nack(first);
    const again = await c.next();
    same([decode(again.body), again.headers.redelivered], ['a', 'true']);
    await c.ack(again);
    await c.close();
    same(await left(open, version, queue, 0), []);
  },
  async commit(open, version) {
    const c = await open({ version });
    await c.subscribe('/topic/commit');
    const tx = await c.begin();
    for (const body of 'ab') await c.send('/topic/commit', body, { transaction: tx.id });
    await c.receipt((receipt) => c.send('/topic/commit', 'outside', { receipt }));
    await tx.commit();
    same(await texts(c, 3), ['outside', 'a', 'b']);
    await c.close();
  },
  async abort(open, version) {
    const c = await open({ version });
    await c.subscribe('/topic/abort');
    const tx = await c.begin();
    await c.send('/topic/abort', 'never', { transaction: tx.id });
    await tx.abort();
    await c.send('/topic/abort', 'after');
    same(await text(c), 'after');
    await c.close();
  },
  async beats(open, version) {
    const c = await open({ version, beats: [open.beat, open.beat] });
    same(c.hello['heart-beat'], '400,400');
    await c.subscribe('/topic/beats');
    await sleep(open.beat * 4.75);
    await c.send('/topic/beats', 'still here');
    same(await text(c), 'still here');
    await c.close();
  },
  async silence(open, version) {
    const c = await open({ version, beats: [400, 400] });
    console.log(`stop ${version}`); // we are stopped, and go on two seconds later
    await soon(c.ended, 'the end');
  },
  async binary(open, version) {
    const c = await open({ version });
    const body = Uint8Array.from({ length: 512 }, (_, i) => i % 256);
    await c.subscribe('/topic/binary');
    await c.send('/topic/binary', body, { 'content-type': 'application/octet-stream' });
    const got = await c.next();
    check(equal(got.body, body), [...got.body].join());
    same(got.headers['content-type'], 'application/octet-stream');
    await c.send('/topic/binary', '');
    same((await c.next()).body.length, 0);
    await c.close();
  },
  async values(open, version) {
    const c = await open({ version });
    const headers = { each: version === '1.2' ? '\n:\\\r' : '\n:\\', colon: 'a:b::', umlaut: '\u00fc\u{1f600}' };
    await c.subscribe('/topic/values');
    await c.send('/topic/values', 'x', headers);
    const got = await c.next();
    for (const [name, value] of Object.entries(headers)) same(got.headers[name], value);
    await c.close();
  },
  async blanks(open, version) {
    const c = await open({ version });
    await c.subscribe('/topic/blanks');
    await c.send('/topic/blanks', 'x', { blank: '  x  ' });
    same((await c.next()).headers.blank, '  x  ');
    await c.close();
  },
  async lookalikes(open, version) {
    const c = await open({ version });
    await c.subscribe('/topic/lookalikes');
    await c.send('/topic/lookalikes', 'x', { odd: '\\n\\c\\\\r\\' });
    same((await c.next()).headers.odd, '\\n\\c\\\\r\\');
    await c.close();
  },
  async names(open, version) {
    const c = await open({ version });
    const headers = { 'a:b': '1', 'back\\slash': '2', 'line\nend': '3', '\u00fc\u{1f600}': '4' };
    await c.subscribe('/topic/names');
    await c.send('/topic/names', 'x', headers);
    const got = await c.next();
    for (const [name, value] of Object.entries(headers)) same(got.headers[name], value);
    await c.close();
  },
  async megabyte(open, version) {
    const c = await open({ version });
    const body = bytes(1 << 20);
    await c.subscribe('/topic/megabyte');
    await c.send('/topic/megabyte', body, { 'content-type': 'application/octet-stream' });
    check(equal((await c.next()).body, body), 'another body comes back');
    await c.close();
  },
  async many(open, version) {
    const c = await open({ version });
    await c.subscribe('/topic/many');
    for (let i = 0; i < 10000; i++) c.send('/topic/many', `${i}`);
    for (let i = 0; i < 10000; i++) {
      const body = await text(c);
      if (body !== `${i}`) same(body, `${i}`);
    }
    await c.close();
  },
  async history(open, version) {
    const topic = `/topic/history/${open.title}/${version}`;
    const a = await open({ version });
    await a.subscribe(topic);
    for (const body of 'abc') await a.send(topic, body);
    same(await texts(a, 2), ['a', 'b']);
    const last = (await a.next()).headers['message-id'];
    await a.close();
    const b = await open({ version });
    for (const body of 'de') await b.receipt((receipt) => b.send(topic, body, { receipt }));
    await b.subscribe(topic, { 'last-message-id': last });
    await b.send(topic, 'f');
    same(await texts(b, 3), ['d', 'e', 'f']);
    await b.close();
  },
  async retained(open, version) {
    const topic = `/topic/retained/${open.title}/${version}`;
    const c = await open({ version });
    for (const body of 'ab') await c.receipt((receipt) => c.send(topic, body, { receipt, retain: 'true' }));
    await c.subscribe(topic);
    await c.send(topic, 'live');
    same(await texts(c, 2), ['b', 'live']);
    await c.close();
  },
  async error(open, version) {
    const c = await open({ version });
    c.send('/nowhere', 'x', { receipt: 'bad' });
    const error = await soon(c.failure, 'an ERROR');
    same(error.message, 'no such destination');
    if ('message' in error && Object.keys(error).length > 1) same(error['receipt-id'], 'bad'); // all headers are shown
    await soon(c.ended, 'the end');
  },
};

/** What no client can do in that version. */
export const nobody = (key, version) => (version !== '1.0' ? undefined : {
  individual: 'STOMP 1.0 has no client-individual',
  nack: 'STOMP 1.0 has no NACK',
  beats: 'STOMP 1.0 has no heart-beats',
  silence: 'STOMP 1.0 has no heart-beats',
  values: 'STOMP 1.0 has no escapes',
  names: 'STOMP 1.0 has no escapes',
  lookalikes: 'STOMP 1.0 has no escapes',
}[key]);

async function one(client, key, version, cell) {
  const why = nobody(key, version) ?? client.cannot(key, version);
  if (why) return console.log(`skip ${key} ${version} ${why}`);
  const opened = [];
  const open = (options) => client.open({ login: 'm', passcode: 'right', beats: [0, 0], ...options })
    .then((c) => { opened.push(c); return c; });
  open.title = client.name;
  open.beat = client.beat ?? 400;
  try {
    await soon(cell(open, version), 'the whole cell', 30000);
    console.log(`ok ${key} ${version}`);
  } catch (error) {
    console.log(`no ${key} ${version} ${error.message}`);
    console.log(error.stack);
  }
  for (const c of opened) c.kill();
}

/** All cells of a client, and more that it alone has. */
export async function run(client, more = {}) {
  for (const version of client.versions) {
    for (const [key, cell] of Object.entries(cells)) await one(client, key, version, cell);
  }
  for (const [key, cell] of Object.entries(more)) await one(client, key, client.versions.at(-1), cell);
  console.log('done');
  globalThis.process?.exit();
}
