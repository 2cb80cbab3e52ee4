'use strict';

const { Service } = require('egg');
const { envelope, errorEnvelope } = require('../../../lib/im');
const { nameOf } = require('../../lib/names');

/** Everything that the server sends leaves through here, in the envelope. `options`: {code, meta}. */
class PushService extends Service {
  toSocket(socket, constant, payload, options) {
    socket.emit(nameOf(this.app, constant), envelope(constant, payload, options));
  }

  error(socket, code) {
    socket.emit(nameOf(this.app, 'IMERROR'), errorEnvelope(code));
  }

  /** Returns whether the user is there at all. */
  toUser(userId, constant, payload, options) {
    const sockets = this.service.presence.socketsOf(userId);
    for (const socket of sockets) this.toSocket(socket, constant, payload, options);
    return sockets.length > 0;
  }

  /** To a room of /chat, from nobody. */
  toRoom(room, constant, payload, options) {
    this.app.io.of('/chat').to(room).emit(nameOf(this.app, constant), envelope(constant, payload, options));
  }

  /** To the others in the sender's room. */
  fromSocketToRoom(socket, room, constant, payload, options) {
    socket.to(room).emit(nameOf(this.app, constant), envelope(constant, payload, options));
  }
}

module.exports = PushService;
