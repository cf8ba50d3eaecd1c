// The cells of the matrix, in a page: sockjs.html?URL&TRANSPORT

import { check, run, same } from './cells.mjs';
import { restart, stompjs } from './stompjs_cells.mjs';

const [url, transport] = location.search.slice(1).split('&');
const way = { webSocketFactory: () => new SockJS(url, null, { transports: transport, timeout: 10000 }) };
const it = stompjs(way);

const client = {
  name: transport,
  versions: ['1.2'],
  beat: 1000, // each is a request, and there are many pages
  cannot: (key, version) => it.cannot(key, version) ?? {
    binary: 'SockJS carries text alone',
    megabyte: 'SockJS carries text alone, and this is a body of bytes',
    silence: 'a page cannot be stopped',
  }[key],
  open: it.open,
};

run(client, {
  async text() {
    const c = await client.open({ version: '1.2', login: 'm', passcode: 'right', beats: [0, 0] });
    await c.subscribe('/topic/text');
    const scripts = 'Latin \u00e4 \u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac \u65e5\u672c\u8a9e \u{1f600} "\\\u0000" 41%41 </script> ';
    const texts = ['', scripts, scripts.repeat(1200).slice(0, 65536), 'x'.repeat(65536), scripts.repeat(12000)];
    for (const text of texts) await c.send('/topic/text', text);
    for (const text of texts) {
      const { body, headers } = await c.next();
      check(new TextDecoder().decode(body) === text, `${body.length} other bytes`);
      same(headers['content-length'] ?? '0', String(new TextEncoder().encode(text).length));
    }
    await c.close();
  },
  restart: restart(way),
});
