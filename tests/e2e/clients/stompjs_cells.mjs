// What the cells ask of @stomp/stompjs, in Node.js and in a browser. `way` is how
// it gets there: { brokerURL } or { webSocketFactory }.

import { Client, Versions } from '@stomp/stompjs';
import { Inbox, same, soon } from './cells.mjs';

let serial = 0;

const given = (message) => ({ headers: message.headers, body: message.binaryBody, message });

const opener = (way) => async ({ version, login, passcode, beats }) => {
  const inbox = new Inbox();
  const client = new Client({ ...way, stompVersions: new Versions([version]), reconnectDelay: 0,
    heartbeatOutgoing: beats[0], heartbeatIncoming: beats[1], connectHeaders: { login, passcode } });
  const c = { byed: false };
  let hello, fail;
  const greeted = new Promise((done, no) => { hello = done; fail = no; });
  c.failure = new Promise((done) => {
    client.onStompError = ({ headers }) => { fail(new Error(headers.message)); done(headers); };
  });
  c.ended = new Promise((done) => { client.onWebSocketClose = done; });
  client.onDisconnect = () => { c.byed = true; };
  client.onConnect = hello;
  client.activate();
  c.hello = (await soon(greeted, 'CONNECTED')).headers;
  c.next = () => inbox.next();
  Object.defineProperty(c, 'count', { get: () => inbox.count });
  c.receipt = (act) => soon(new Promise((done) => {
    const id = `r${serial++}`;
    client.watchForReceipt(id, done);
    act(id);
  }), 'a receipt');
  c.subscribe = async (destination, headers = {}) => {
    let sub;
    await c.receipt((receipt) => {
      sub = client.subscribe(destination, (message) => inbox.put(given(message)), { ...headers, receipt });
    });
    return { end: () => c.receipt((receipt) => sub.unsubscribe({ receipt })) };
  };
  c.send = async (destination, body, headers = {}) =>
    client.publish({ destination, headers, ...(typeof body === 'string' ? { body } : { binaryBody: body }) });
  c.ack = async ({ message }) => message.ack();
  c.nack = async ({ message }) => message.nack();
  c.begin = async () => client.begin();
  c.close = () => soon(client.deactivate(), 'DISCONNECT');
  c.kill = () => client.deactivate({ force: true });
  return c;
};

export const stompjs = (way) => ({
  name: 'stompjs',
  versions: ['1.0', '1.1', '1.2'],
  cannot: (key, version) => ({
    names: 'it escapes values alone, no names',
    lookalikes: 'it undoes one escape after the other',
    blanks: 'it cuts blanks off values',
    values: version === '1.1' && 'it escapes in 1.2 alone',
  }[key]),
  open: opener(way),
});

/** Subscriptions are the program's to make again, in onConnect. */
export const restart = (way) => async () => {
  const inbox = new Inbox();
  const c = new Client({ ...way, reconnectDelay: 100, heartbeatIncoming: 0, heartbeatOutgoing: 0,
    connectHeaders: { login: 'm', passcode: 'right' } });
  let connects = 0;
  let again;
  const reconnected = new Promise((done) => { again = done; });
  c.onConnect = () => {
    c.subscribe('/topic/restart', (message) => inbox.put(message));
    c.publish({ destination: '/topic/restart', body: `${++connects}` });
    if (connects === 2) again();
  };
  c.activate();
  same((await inbox.next()).body, '1');
  console.log('restart');
  await soon(reconnected, 'the reconnect', 20000);
  same((await inbox.next()).body, '2');
  await c.deactivate();
};
