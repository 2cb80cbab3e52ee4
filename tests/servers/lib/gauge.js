'use strict';

// What really arrived at a server since it started. The tests read this to know what the client did on the wire.

const KEPT = 1000;
const LONG = 4096;

const keep = (list, item) => {
  list.push(item);
  if (list.length > KEPT) list.shift();
};
const count = (object, key) => {
  object[key] = (object[key] || 0) + 1;
};

class Gauge {
  /** `parser`: the Socket.IO parser, where it isn't the default one. */
  constructor({ parser } = {}) {
    this.parser = parser;
    this.stats = {
      engines: 0, // Engine.IO sessions opened ever
      enginesNow: 0,
      upgrades: 0, // HTTP upgrade requests ever, whatever became of them
      upgradeUrls: [],
      requests: 0, // other HTTP requests, /control excepted
      requestUrls: [], // "GET /socket.io/?..."
      connects: {}, // per namespace: server-side sockets ever
      connectsNow: {},
      disconnects: {}, // per namespace: reason -> how often
      packetsReceived: {}, // per Engine.IO packet kind
      packetsSent: {},
      connectPackets: [], // every Socket.IO CONNECT received, raw: "40/chat,"; with another parser its JSON
      closes: {}, // Engine.IO close reason -> how often
      events: [], // the last events received: {nsp, id, name, args, ack}
    };
    this.sockets = new Set();
  }

  /** `upgrades: false` leaves upgrade requests alone: Node.js hands them over as plain ones where nobody listens. */
  watchServer(server, { upgrades = true } = {}) {
    // Before the engine's own listeners: a refused request counts too.
    if (upgrades) {
      server.prependListener('upgrade', req => {
        this.stats.upgrades++;
        keep(this.stats.upgradeUrls, req.url);
      });
    }
    server.prependListener('request', req => {
      if (req.url.startsWith('/control/')) return;
      this.stats.requests++;
      keep(this.stats.requestUrls, `${req.method} ${req.url}`);
    });
  }

  watchEngine(engine) {
    engine.on('connection', conn => {
      const { stats } = this;
      stats.engines++;
      stats.enginesNow++;
      conn.on('packet', packet => {
        count(stats.packetsReceived, packet.type);
        const connect = packet.type === 'message' && this.connectOf(packet.data);
        if (connect) keep(stats.connectPackets, connect);
      });
      conn.on('packetCreate', packet => count(stats.packetsSent, packet.type));
      conn.once('close', reason => {
        stats.enginesNow--;
        count(stats.closes, reason);
      });
    });
  }

  connectOf(data) {
    if (!this.parser) return typeof data === 'string' && data[0] === '0' && `4${data}`;
    let packet;
    const decoder = new this.parser.Decoder();
    decoder.on('decoded', decoded => { packet = decoded; });
    try {
      decoder.add(data);
    } catch {
      return false; // the server will say so itself
    }
    return packet.type === 0 && JSON.stringify(packet);
  }

  watchNamespace(nsp) {
    const { stats } = this;
    stats.connects[nsp.name] = 0;
    stats.connectsNow[nsp.name] = 0;
    stats.disconnects[nsp.name] = {};
    nsp.on('connection', socket => {
      this.sockets.add(socket);
      stats.connects[nsp.name]++;
      stats.connectsNow[nsp.name]++;
      socket.once('disconnect', reason => {
        this.sockets.delete(socket);
        stats.connectsNow[nsp.name]--;
        count(stats.disconnects[nsp.name], reason);
      });
    });
  }

  /** `packet` is what a `socket.use` middleware gets: name, arguments and, where one was asked, the ack function. */
  event(socket, packet) {
    const [name, ...args] = packet;
    const ack = typeof args[args.length - 1] === 'function';
    if (ack) args.pop();
    keep(this.stats.events, { nsp: socket.nsp.name, id: socket.id, name, args, ack });
  }

  /** JSON text; a flood's padding, or a large binary value, is cut down to its length so that the report stays readable. */
  report() {
    return JSON.stringify(this.stats, (key, value) => {
      const long = typeof value === 'string' ? value : value && value.type === 'Buffer' && value.data;
      return long && long.length > LONG ? { length: long.length } : value;
    });
  }
}

module.exports = { Gauge };
