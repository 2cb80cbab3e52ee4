'use strict';

// Refusals that a stock server doesn't know but others in the field have: a web framework's 404 for another path,
// and HTTP 400 for a protocol generation that the server never heard of.

function refuseUpgrade(socket, status, text) {
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Puts itself before the listeners that are there. */
function guard(server, enginePrefix, { 'refuse-other-upgrades': otherStatus, 'refuse-eio4': refuseEio4 }) {
  const foreign = req => otherStatus && !req.url.startsWith(enginePrefix) && !req.url.startsWith('/control/');
  const tooNew = req => refuseEio4 && /[?&]EIO=4(&|$)/.test(req.url);

  // Without WebSocket nobody listens for upgrades, and a stock server answers them as plain requests.
  if (server.listenerCount('upgrade')) before(server, 'upgrade', (req, socket) => {
    if (foreign(req)) refuseUpgrade(socket, otherStatus, 'Not Found');
    else if (tooNew(req)) refuseUpgrade(socket, 400, 'Bad Request');
    else return false;
    return true;
  });
  before(server, 'request', (req, res) => {
    if (foreign(req)) res.writeHead(otherStatus).end();
    else if (tooNew(req)) res.writeHead(400, { 'Content-Type': 'application/json' }).end('{"code":3,"message":"Bad request"}');
    else return false;
    return true;
  });
}

function before(server, event, handled) {
  const listeners = server.listeners(event);
  server.removeAllListeners(event);
  server.on(event, (...args) => {
    if (handled(...args)) return;
    for (const listener of listeners) listener.apply(server, args);
  });
}

module.exports = { guard };
