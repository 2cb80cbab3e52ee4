'use strict';

// Who is connected at this moment, and by what: so that a test can tell one connection with two namespaces from two
// connections, and see that an upgrade has happened.

/** The namespaces' sockets over an Engine.IO session. */
function socketsOf(io, conn) {
  const namespaces = io.nsps || Object.fromEntries(io._nsps);
  return Object.values(namespaces).flatMap(nsp => {
    const sockets = nsp.sockets instanceof Map ? [...nsp.sockets.values()] : Object.values(nsp.sockets);
    return sockets.filter(socket => socket.conn === conn).map(socket => ({ nsp: nsp.name, id: socket.id }));
  });
}

function connections(io) {
  return Object.values(io.engine.clients).map(conn => ({
    sid: conn.id,
    transport: conn.transport.name,
    upgraded: conn.upgraded,
    deflate: Boolean(conn.transport.socket && conn.transport.socket.extensions),
    eio: Number(conn.request._query.EIO),
    sockets: socketsOf(io, conn),
  }));
}

module.exports = { connections };
