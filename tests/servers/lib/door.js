'use strict';

// A listening socket that can be shut (every connection is cut) and opened again on the same port.

const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');

function createServer({ cert, key, 'client-ca': clientCa }) {
  if (!cert && !key) return http.createServer();
  const fromClients = clientCa ? { requestCert: true, rejectUnauthorized: true, ca: fs.readFileSync(clientCa) } : {};
  return https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key), ...fromClients });
}

class Door {
  constructor(server, host) {
    this.server = server;
    this.host = host;
    this.port = 0;
    this.raw = new Set();
    server.on('connection', socket => {
      this.raw.add(socket);
      socket.once('close', () => this.raw.delete(socket));
    });
  }

  open(port = this.port) {
    if (this.server.listening) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ port, host: this.host }, () => {
        this.server.removeListener('error', reject);
        this.port = this.server.address().port;
        resolve();
      });
    });
  }

  shut() {
    if (!this.server.listening) return Promise.resolve();
    return new Promise(resolve => {
      this.server.close(resolve);
      // `close` waits for the connections that are still there, and an upgraded one never ends by itself.
      for (const socket of this.raw) socket.destroy();
    });
  }

  owns(socket) {
    return socket.server === this.server || this.raw.has(socket);
  }
}

module.exports = { createServer, Door };
