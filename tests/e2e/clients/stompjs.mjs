// @stomp/stompjs over WebSocket.
//
//   node stompjs.mjs WS-URL TCP-PORT

import * as ws from 'ws';
import { run } from './cells.mjs';
import { restart, stompjs } from './stompjs_cells.mjs';

globalThis.WebSocket ??= ws.WebSocket; // Node 22 has its own
const way = { brokerURL: process.argv[2] };

await run(stompjs(way), { restart: restart(way) });
