// The ways to the server: WebSocket, or SockJS where a proxy breaks that.

const AGAIN = 10 * 60000; // ms; then WebSocket is given another chance
const AFTER = 2; // tries that fail on a way that was good before
const SLOW = 3000; // ms that a way of SockJS may take to open

const page = `//${location.host}/ws`;

/** Does the server answer, by plain HTTP? */
const answers = () => fetch('/ws/info', { cache: 'no-store', signal: AbortSignal.timeout(SLOW) })
  .then(({ ok }) => ok, () => false);

/** The way that was good in this tab, over reloads too. */
function remembered() {
  try {
    const { name, until } = JSON.parse(sessionStorage.getItem('way'));
    return until > Date.now() ? name : null;
  } catch {
    return null;
  }
}

function remember(name) {
  try {
    if (name === 'websocket') sessionStorage.removeItem('way');
    else sessionStorage.setItem('way', JSON.stringify({ name, until: Date.now() + AGAIN }));
  } catch {
    // Forbidden or full: it is found anew.
  }
}

export class Way {
  constructor() {
    this.take(remembered());
    // Another network may have another proxy.
    addEventListener('online', () => { remember('websocket'); this.take('websocket'); });
  }

  /** sockjs: with which transport, or true: it is to be found. */
  take(name) {
    this.name = name ?? 'websocket';
    this.good = Boolean(name);
    this.since = Date.now();
    this.strikes = 0;
    this.tried = false;
  }

  /** Before each try. */
  async choose() {
    // What fails while the server cannot be reached says nothing about the way.
    if (this.tried && await answers() && ++this.strikes >= (this.good ? AFTER : 1)) {
      remember('websocket');
      const next = this.name === 'websocket' ? 'sockjs' : 'websocket';
      this.take(next);
      this.good = false;
    } else if (this.name !== 'websocket' && Date.now() - this.since > AGAIN) {
      this.take('websocket');
      this.good = false;
    }
    this.tried = true;
    if (this.name !== 'websocket' && !window.SockJS) await import('/vendor/sockjs/sockjs.min.js').catch(() => {});
  }

  /** What stompjs takes for a WebSocket. */
  open(protocols) {
    const secure = location.protocol === 'https:';
    if (this.name === 'websocket' || !window.SockJS) {
      this.socket = new WebSocket(`${secure ? 'wss' : 'ws'}:${page}`, protocols);
    } else {
      const transports = this.name === 'sockjs' ? ['xhr-streaming', 'xhr-polling'] : [this.name];
      this.socket = new window.SockJS(`${location.protocol}${page}`, null, { transports, timeout: SLOW });
    }
    return this.socket;
  }

  /** It led to the server. */
  works() {
    this.strikes = 0;
    this.tried = false;
    if (this.good) return;
    this.good = true;
    this.since = Date.now();
    if (this.name === 'sockjs') this.name = this.socket.transport;
    remember(this.name);
  }
}
