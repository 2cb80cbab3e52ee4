'use strict';

// What goes wrong in real networks, on request.

/** The TCP sockets under an Engine.IO session: one for a WebSocket, up to two for polling. */
function rawSockets({ transport }) {
  if (transport.socket) return [transport.socket._socket];
  return [transport.req, transport.dataReq].filter(Boolean).map(req => req.socket);
}

/** A TCP reset, i.e. neither a Close frame nor a FIN. TLS sockets can't do that; they are cut. */
function reset(conn) {
  const sockets = rawSockets(conn).filter(Boolean);
  for (const socket of sockets) {
    try {
      socket.resetAndDestroy();
    } catch {
      socket.destroy();
    }
  }
  // Between two polls there is nothing to cut; the next one then finds its session gone.
  if (sockets.length === 0) conn.transport.onError('reset');
}

class Faults {
  /** `Session` is the Engine.IO socket class of `engine`, see engineOf. */
  constructor({ engine, Session, door, gauge }) {
    this.engine = engine;
    this.door = door;
    this.gauge = gauge;
    this.paused = false;
    this.overdue = new Set();
    this.patch(Session.prototype);
  }

  conns() {
    return Object.values(this.engine.clients);
  }

  /** Ends every Engine.IO session without a Socket.IO DISCONNECT. */
  drop({ how = 'close' } = {}) {
    const conns = this.conns();
    for (const conn of conns) how === 'reset' ? reset(conn) : conn.close();
    return { dropped: conns.length };
  }

  /** The server says goodbye properly; `close: false` leaves the transport open. */
  disconnect({ nsp, close = true } = {}) {
    const sockets = [...this.gauge.sockets].filter(socket => !nsp || socket.nsp.name === nsp);
    for (const socket of sockets) socket.disconnect(close);
    return { disconnected: sockets.length };
  }

  async stopListening({ forMs } = {}) {
    await this.door.shut();
    if (forMs !== undefined) setTimeout(() => this.door.open(), forMs);
    return {};
  }

  async startListening() {
    await this.door.open();
    return { port: this.door.port };
  }

  /**
   * Silence without closing: packets pile up in the session's own write buffer, and the session doesn't time out here.
   * What comes in is still read. A session opened meanwhile gets no open packet before `resume`.
   */
  pause() {
    this.paused = true;
    return {};
  }

  resume() {
    this.paused = false;
    for (const conn of this.conns()) {
      // A session whose timeout was swallowed has no timer left that could end it; start that one again.
      if (this.overdue.has(conn)) (conn.setPingTimeout || conn.resetPingTimeout).call(conn);
      conn.flush();
    }
    this.overdue.clear();
    return {};
  }

  // On the prototype, and before the first session: a session binds its methods, and writes its open packet, before
  // anybody gets to see it.
  patch(prototype) {
    const faults = this;
    const { flush, onClose } = prototype;
    prototype.flush = function () {
      if (!faults.paused) flush.call(this);
    };
    prototype.onClose = function (reason, ...rest) {
      if (faults.paused && reason === 'ping timeout') faults.overdue.add(this);
      else onClose.call(this, reason, ...rest);
    };
  }
}

/** The session class of the `engine.io` that the `socket.io` package in the folder `home` runs on. */
function sessionClassOf(home) {
  return require(require.resolve('engine.io', { paths: [home] })).Socket;
}

module.exports = { Faults, sessionClassOf, reset };
