// stompit over TCP.
//
//   node stompit.mjs WS-URL TCP-PORT

import stompit from 'stompit';
import { Inbox, run, soon } from './cells.mjs';

const port = Number(process.argv[3]);
let serial = 0;

const all = (message) => new Promise((done, no) => {
  const parts = [];
  message.on('data', (part) => parts.push(part));
  message.on('error', no);
  message.on('end', () => done(Buffer.concat(parts)));
});

async function open({ version, login, passcode, beats }) {
  const inbox = new Inbox();
  const client = await soon(new Promise((done, no) => {
    stompit.connect({ host: '127.0.0.1', port, connectHeaders: { host: '/', 'accept-version': version, login, passcode,
      'heart-beat': beats.join() } }, (error, it) => (error ? no(error) : done(it)));
  }), 'CONNECTED');
  const c = { byed: false };
  c.hello = client.headers;
  c.failure = new Promise((done) => client.on('error', ({ message }) => done({ message })));
  c.ended = Promise.race([c.failure, new Promise((done) => client.on('end', done))]);
  c.next = () => inbox.next();
  Object.defineProperty(c, 'count', { get: () => inbox.count });
  const frame = (command, headers, body) => soon(new Promise((done) =>
    client.sendFrame(command, headers, { onReceipt: done }).end(body)), 'a receipt');
  /* It names its receipts itself. */
  c.receipt = (act) => soon(new Promise((done) => act(done)), 'a receipt');
  c.subscribe = async (destination, headers = {}) => {
    const id = `s${serial++}`;
    client.setImplicitSubscription(id, headers.ack, (error, message) => {
      if (message) all(message).then((body) => inbox.put({ headers: message.headers, body, message }));
    });
    await frame('SUBSCRIBE', { id, destination, ...headers });
    return { end: () => frame('UNSUBSCRIBE', { id }) };
  };
  c.send = async (destination, body, { receipt, ...headers } = {}) => {
    const named = typeof receipt === 'string' ? { receipt } : {};
    client.send({ destination, 'content-length': Buffer.byteLength(body), ...headers, ...named },
      typeof receipt === 'function' ? { onReceipt: receipt } : undefined).end(body);
  };
  c.ack = async ({ message }) => client.ack(message);
  c.nack = async ({ message }) => client.nack(message);
  c.begin = async () => client.begin();
  c.close = () => soon(new Promise((done, no) => {
    client.disconnect((error) => (error ? no(error) : done()));
  }), 'DISCONNECT').then(() => { c.byed = true; });
  c.kill = () => client.destroy();
  return c;
}

const client = { name: 'stompit', versions: ['1.0', '1.1', '1.2'], cannot: () => undefined, open };

await run(client);
