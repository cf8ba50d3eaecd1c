// Proxies as one meets them, each between a browser and a port of this machine.

import http from 'node:http';
import net from 'node:net';

const listening = async (server) => {
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  server.unref();
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => { server.close(); server.closeAllConnections?.(); } };
};

/** Asks the server what the browser asked of us; without that it may upgrade. */
function forward(port, request, answered) {
  const headers = { ...request.headers };
  delete headers.upgrade;
  headers.connection = 'close';
  const further = http.request({ host: '127.0.0.1', port: port(), method: request.method, path: request.url, headers, agent: false }, answered);
  further.on('error', () => request.socket.destroy());
  request.on('error', () => further.destroy());
  request.pipe(further);
  return further;
}

const ends = ({ connection, 'keep-alive': alive, 'transfer-encoding': coding, ...headers }) => headers;

/** Knows no upgrades, and hands all else through as it comes. With `cut`, no
 * connection lives longer than that. */
export async function refusing(port, cut) {
  const server = http.createServer((request, answer) => {
    const further = forward(port, request, (from) => {
      answer.writeHead(from.statusCode, ends(from.headers));
      answer.flushHeaders();
      from.on('error', () => answer.destroy());
      from.pipe(answer);
    });
    answer.on('close', () => further.destroy());
  });
  server.on('upgrade', (request, socket) => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'));
  if (cut) server.on('connection', (socket) => setTimeout(() => socket.destroy(), cut));
  return listening(server);
}

/** Hands an answer on when all of it is there. */
export async function buffering(port) {
  const whole = (request, take) => {
    const further = forward(port, request, (from) => {
      const chunks = [];
      from.on('data', (chunk) => chunks.push(chunk));
      from.on('end', () => take(from, Buffer.concat(chunks)));
      from.on('error', () => request.socket.destroy());
    });
    return further;
  };
  const server = http.createServer((request, answer) => {
    const further = whole(request, (from, body) => {
      answer.writeHead(from.statusCode, { ...ends(from.headers), ...(body.length > 0 ? { 'content-length': body.length } : {}) });
      answer.end(body);
    });
    answer.on('close', () => further.destroy());
  });
  // As if it were no upgrade.
  server.on('upgrade', (request, socket) => {
    socket.on('error', () => {});
    const further = whole(request, ({ statusCode }, body) =>
      socket.end(`HTTP/1.1 ${statusCode} OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`));
    socket.on('close', () => further.destroy());
  });
  return listening(server);
}

/** Hands everything through, and cuts every connection when it is so old. */
export async function cutting(port, cut) {
  const sockets = new Set();
  const server = net.createServer((near) => {
    const far = net.connect(port(), '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => { sockets.delete(socket); near.destroy(); far.destroy(); });
    }
    near.pipe(far).pipe(near);
    setTimeout(() => near.destroy(), cut);
  });
  const proxy = await listening(server);
  return { ...proxy, close: () => { server.close(); for (const socket of sockets) socket.destroy(); } };
}
