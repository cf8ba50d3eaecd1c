// What a page does with sockjs-client: each cell is a conversation that proves
// one thing, over one transport. Called by sockjs.mjs; throws what is wrong.

const check = (truth, text) => {
  if (!truth) throw new Error(text);
};
const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });
const soon = (promise, what, ms = 15000) => Promise.race([promise,
  sleep(ms).then(() => { throw new Error(`waited ${ms} ms for ${what}`); })]);
const short = (text) => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);

/** A socket that is open; `came` is what came, `closed` how it ended. */
function open(url, transports) {
  const socket = new SockJS(url, null, { transports, timeout: 10000 });
  let told = () => {};
  socket.came = [];
  socket.onmessage = ({ data }) => { socket.came.push(data); told(); };
  socket.closed = new Promise((done) => { socket.onclose = done; });
  /** So many messages. */
  socket.take = (count) => soon(new Promise((done) => {
    told = () => socket.came.length >= count && done(socket.came.splice(0, count));
    told();
  }), `${count} messages`).catch((error) => { throw new Error(`${error.message}; there are ${socket.came.length}`); });
  return soon(new Promise((done, no) => {
    socket.onopen = () => done(socket);
    socket.closed.then(({ code, reason }) => no(new Error(`not open: ${code} ${reason}`)));
  }), 'open');
}

/** Sends texts, and wants them back as they are. */
async function echo(socket, texts) {
  for (const text of texts) socket.send(text);
  const back = await socket.take(texts.length);
  texts.forEach((text, i) => check(back[i] === text, `number ${i}: ${short(back[i])} is not ${short(text)}`));
}

const range = (from, to) => Array.from({ length: to - from }, (_, i) => String.fromCodePoint(from + i)).join('');

window.cells = {
  async text(url, transport) {
    const socket = await open(`${url}/echo`, transport);
    check(socket.transport === transport, `it is over ${socket.transport}`);
    await echo(socket, ['', 'a', ' ', range(0, 128), '"\\/\b\f\n\r\t\0\u001f\u007f\u0085\u00ad\u2028\u2029\u200d\ufeff\ufff9\ufffe\uffff',
      '\\u0041 \\x41 \\n a["x"] c[1,"x"] o h </script> <!-- --> \r\n\r\ndata: x', '%41 100% %25 %zz %e2%82%ac %00 %0a %80 + &#65; d=%5B',
      '\u{1f600} \u{1f469}\u200d\u{1f469}\u200d\u{1f467} \u{1d4b3} \u{10ffff}']);
    const parts = [];
    for (let at = 0; at < 0x10000; at += 0x800) if (at !== 0xd800) parts.push(range(at, at + 0x800));
    await echo(socket, parts);
    socket.close();
  },

  async lone(url, transport) {
    const socket = await open(`${url}/echo`, transport);
    for (const text of ['a\ud800b', '\udc00\ud800', '\ud83d']) socket.send(text);
    const back = await socket.take(3);
    check(back.join('|') === 'a\ufffdb|\ufffd\ufffd|\ufffd', back.map(short).join());
    socket.close();
  },

  async long(url, transport) {
    const socket = await open(`${url}/echo`, transport);
    await echo(socket, ['x'.repeat(65536), '\u00e4'.repeat(65536), '\u{1f600}'.repeat(32768), '"\\'.repeat(32768), '\n'.repeat(65536)]);
    socket.close();
  },

  async order(url, transport) {
    const socket = await open(`${url}/echo`, transport);
    const texts = Array.from({ length: 500 }, (_, i) => `${i} ${'-'.repeat(i % 90)}`);
    for (const [i, text] of texts.entries()) {
      socket.send(text);
      if (i % 100 === 99) await sleep(20); // in several turns
    }
    const back = await socket.take(500);
    check(back.join() === texts.join(), 'another order, or other texts');
    await sleep(200);
    check(socket.came.length === 0, `${socket.came.length} more than were sent`);
    socket.close();
  },

  async close(url, transport) {
    const socket = await open(`${url}/close`, transport);
    const { code, reason, wasClean } = await soon(socket.closed, 'the end');
    check(code === 3000 && reason === 'Go away!' && wasClean, `${code} ${reason} ${wasClean}`);
  },

  async amplify(url, transport) {
    const socket = await open(`${url}/amplify`, transport);
    for (const n of [3, 12, 13, 17, 19]) {
      socket.send(String(n));
      const [text] = await socket.take(1);
      check(text === 'x'.repeat(2 ** n), `2^${n}: ${text.length}`);
    }
    socket.close();
  },

  async again(url, transport) {
    for (let i = 0; i < 3; i++) {
      const socket = await open(`${url}/echo`, transport);
      await echo(socket, [`time ${i}`]);
      socket.close();
      const { code, wasClean } = await socket.closed;
      check(code === 1000 && wasClean, `${code}`);
    }
    const two = await Promise.all([open(`${url}/echo`, transport), open(`${url}/echo`, transport)]);
    await Promise.all(two.map((socket, i) => echo(socket, [`one of two: ${i}`, 'x'])));
    two.forEach((socket) => socket.close());
  },

  async cookie(url, transport) {
    const info = await (await fetch(`${url}/cookie_needed_echo/info`)).json();
    check(info.cookie_needed === true, JSON.stringify(info));
    const socket = await open(`${url}/cookie_needed_echo`, transport);
    await echo(socket, ['with a cookie']);
    const there = () => transport === 'websocket' || /JSESSIONID=dummy/.test(document.cookie);
    for (let i = 0; i < 50 && !there(); i++) await sleep(20); // another process of the browser's has it first
    check(there(), `cookie: ${document.cookie}`);
    socket.close();
  },

  async ticker(url, transport) {
    const socket = await open(`${url}/ticker`, transport);
    check((await socket.take(1))[0] === 'tick!', 'no tick');
    socket.close();
  },

  /** One that is left open, for what comes then. */
  async stay(url, transport) {
    window.staying = await open(`${url}/broadcast`, transport);
  },

  async chorus(count) {
    window.staying.send(window.staying.transport);
    return (await window.staying.take(count)).sort().join();
  },

  leave() {
    window.staying.close();
  },

  /** What a page learns when its server was killed and another is there. */
  async lost() {
    let ended;
    window.staying.closed.then((event) => { ended = event; });
    for (let i = 0; i < 100 && !ended; i++) {
      window.staying.send('are you there?');
      await sleep(200);
    }
    check(ended, 'it was not told within 20 s');
    check(!ended.wasClean, `a clean end: ${ended.code}`);
  },

  /** Unforced, where the server says that it has no WebSocket. */
  async unforced(url) {
    const socket = await open(`${url}/disabled_websocket_echo`);
    await echo(socket, ['without a WebSocket']);
    const { transport } = socket;
    socket.close();
    return transport;
  },
};
