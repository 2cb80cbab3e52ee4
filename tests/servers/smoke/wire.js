'use strict';

// The raw wire: what the two generations really put there. One WebSocket, frames as text.

const net = require('node:net');
const WebSocket = require('ws');
const { atEnd, until } = require('./harness');

class Raw {
  constructor(url) {
    this.frames = [];
    this.closed = null;
    this.error = null;
    this.ws = new WebSocket(url);
    this.ws.on('message', (data, binary) => {
      const frame = binary ? data : data.toString();
      this.frames.push(frame);
      if (frame === '2' && this.answersPings) this.send('3');
    });
    this.ws.on('close', code => { this.closed = code; });
    this.ws.on('error', error => { this.error = error; });
    this.ws.on('unexpected-response', (req, res) => {
      this.status = res.statusCode;
      req.destroy();
    });
    atEnd(() => {
      clearInterval(this.pings);
      this.ws.terminate();
    });
  }

  send(text) {
    this.ws.send(text);
  }

  /** Pings as a v2 client, answers pings as a v4 one; `null` ends it. */
  keepAlive(generation, ms) {
    clearInterval(this.pings);
    if (generation === 2) this.pings = setInterval(() => this.ws.readyState === WebSocket.OPEN && this.send('2'), ms);
    this.answersPings = generation === 4;
  }

  /** The frame that matches, wherever it is in what came so far. */
  frame(pattern) {
    return until(() => this.frames.find(frame => pattern.test(frame)), `frame ${pattern} in ${this.frames}`);
  }
}

/** Asks for an upgrade by hand and tells what came back until the server closed. */
function upgradeByHand(port, path) {
  const socket = net.connect(port, '127.0.0.1');
  atEnd(() => socket.destroy());
  const seen = { text: '', ended: false, started: Date.now(), took: 0 };
  socket.on('error', () => {});
  socket.on('data', data => { seen.text += data; });
  socket.on('close', () => {
    seen.ended = true;
    seen.took = Date.now() - seen.started;
  });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
    + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n');
  return seen;
}

module.exports = { Raw, upgradeByHand };
