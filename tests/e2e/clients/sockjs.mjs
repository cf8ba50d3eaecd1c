// @stomp/stompjs over sockjs-client, on one transport, in a browser that runs
// already: a page has the cells.
//
//   node sockjs.mjs BROWSER PAGES TRANSPORT WS-URL TCP-PORT

import { chromium } from 'playwright-core';

const [endpoint, pages, transport, url] = process.argv.slice(2);
const browser = await chromium.connect(endpoint);
const context = await browser.newContext(); // with connections of its own
const page = await context.newPage();
page.on('console', (line) => {
  const text = line.text();
  if (line.type() !== 'log') return; // Chromium's, of requests that were refused as they should be
  console.log(text);
  if (text === 'done') process.exit();
});
page.on('pageerror', (error) => { console.log(error.stack); });
await page.goto(`${pages}/clients/sockjs.html?${url.replace('ws', 'http')}&${transport}`);
