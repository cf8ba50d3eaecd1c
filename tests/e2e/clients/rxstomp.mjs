// @stomp/rx-stomp over WebSocket: the same in observables.
//
//   node rxstomp.mjs WS-URL TCP-PORT

import { RxStomp, RxStompState } from '@stomp/rx-stomp';
import { Versions } from '@stomp/stompjs';
import { bufferCount, filter, firstValueFrom, map, take } from 'rxjs';
import * as ws from 'ws';
import { check, Inbox, run, same, soon } from './cells.mjs';

globalThis.WebSocket ??= ws.WebSocket; // Node 22 has its own
const url = process.argv[2];
let serial = 0;

const given = (message) => ({ headers: message.headers, body: Buffer.from(message.binaryBody), message });
const state = (rx, wanted) => firstValueFrom(rx.connectionState$.pipe(filter((s) => s === wanted)));

function configured(version, { login, passcode, beats }, more = {}) {
  const rx = new RxStomp();
  rx.configure({ brokerURL: url, stompVersions: new Versions([version]), reconnectDelay: 0,
    heartbeatOutgoing: beats[0], heartbeatIncoming: beats[1], connectHeaders: { login, passcode }, ...more });
  return rx;
}

async function open({ version, ...options }) {
  const inbox = new Inbox();
  const c = { byed: false };
  const rx = configured(version, options, { debug: (line) => { c.byed ||= /<<< RECEIPT\nreceipt-id:close-/.test(line); } });
  c.failure = firstValueFrom(rx.stompErrors$).then(({ headers }) => headers);
  const refused = c.failure.then(({ message }) => { throw new Error(message); });
  refused.catch(() => {});
  const hello = firstValueFrom(rx.serverHeaders$);
  rx.activate();
  c.hello = await soon(Promise.race([hello, refused]), 'CONNECTED');
  await soon(state(rx, RxStompState.OPEN), 'OPEN');
  c.ended = state(rx, RxStompState.CLOSED);
  c.next = () => inbox.next();
  Object.defineProperty(c, 'count', { get: () => inbox.count });
  c.receipt = async (act) => {
    const id = `r${serial++}`;
    const came = rx.asyncReceipt(id);
    act(id);
    await soon(came, 'a receipt');
  };
  c.subscribe = async (destination, headers = {}) => {
    const unsubHeaders = {};
    let sub;
    await c.receipt((receipt) => {
      sub = rx.watch({ destination, subHeaders: { ...headers, receipt }, unsubHeaders })
        .subscribe((message) => inbox.put(given(message)));
    });
    return { end: () => c.receipt((receipt) => { unsubHeaders.receipt = receipt; sub.unsubscribe(); }) };
  };
  c.send = async (destination, body, headers = {}) =>
    rx.publish({ destination, headers, ...(typeof body === 'string' ? { body } : { binaryBody: body }) });
  c.ack = async ({ message }) => message.ack();
  c.nack = async ({ message }) => message.nack();
  c.begin = async () => rx.stompClient.begin(); // it has none of its own
  c.close = () => soon(rx.deactivate(), 'DISCONNECT');
  c.kill = () => rx.deactivate({ force: true });
  return c;
}

const client = {
  name: 'rxstomp',
  versions: ['1.0', '1.1', '1.2'],
  cannot: (key, version) => ({
    names: 'stompjs below it escapes values alone, no names',
    lookalikes: 'stompjs below it undoes one escape after the other',
    blanks: 'stompjs below it cuts blanks off values',
    values: version === '1.1' && 'stompjs below it escapes in 1.2 alone',
  }[key]),
  open,
};
const mine = { login: 'm', passcode: 'right', beats: [0, 0] };

await run(client, {
  async observables() {
    const rx = configured('1.2', mine);
    const states = firstValueFrom(rx.connectionState$.pipe(map((s) => RxStompState[s]), bufferCount(3)));
    rx.publish({ destination: '/topic/rx', body: 'before anybody is there' }); // kept until it is connected
    rx.activate();
    const bodies = firstValueFrom(rx.watch('/topic/rx').pipe(filter(({ body }) => /\d/.test(body)),
      map(({ body }) => Number(body)), take(3), bufferCount(3)));
    await state(rx, RxStompState.OPEN);
    for (const body of ['1', 'a', '2', '3', '4']) rx.publish({ destination: '/topic/rx', body });
    same(await soon(bodies), [1, 2, 3]);
    same(await soon(states), ['CLOSED', 'CONNECTING', 'OPEN']);
    await soon(rx.deactivate());
  },
  /** watch() comes back by itself, and its SUBSCRIBE asks for a receipt again. */
  async restart() {
    const rx = configured('1.2', mine, { reconnectDelay: 100 });
    const inbox = new Inbox();
    let connects = 0;
    let came;
    rx.connected$.subscribe(() => { connects++; });
    rx.watch({ destination: '/topic/restart', subHeaders: () => {
      const receipt = `watch-${connects}-${serial++}`;
      came = rx.asyncReceipt(receipt);
      return { receipt };
    } }).subscribe((message) => inbox.put(message));
    rx.activate();
    await state(rx, RxStompState.OPEN);
    await soon(came, 'the receipt of SUBSCRIBE');
    rx.publish({ destination: '/topic/restart', body: 'before' });
    same((await inbox.next()).body, 'before');
    console.log('restart');
    await soon(state(rx, RxStompState.CLOSED), 'CLOSED');
    rx.publish({ destination: '/topic/restart', body: 'while it was away' });
    await soon(state(rx, RxStompState.OPEN), 'OPEN again');
    await soon(came, 'the receipt of SUBSCRIBE again');
    rx.publish({ destination: '/topic/restart', body: 'after' });
    const bodies = [(await inbox.next()).body];
    if (bodies[0] !== 'after') bodies.push((await inbox.next()).body);
    check(bodies.at(-1) === 'after' && connects === 2, [bodies, connects]);
    await soon(rx.deactivate());
  },
});
