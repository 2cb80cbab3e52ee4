'use strict';

const { errorEnvelope } = require('../../lib/im');
const { nameOf } = require('./names');

/**
 * The error, and the disconnect somewhat later. A connection middleware runs before the namespace answers CONNECT, so
 * the error is on the wire before that answer. And egg-socket.io lets the socket in even if the middleware doesn't call
 * `next`: until the disconnect the client is connected.
 */
function refuse(app, socket, code) {
  socket.emit(nameOf(app, 'IMERROR'), errorEnvelope(code));
  setTimeout(() => socket.disconnect(true), app.config.im['refuse-delay']);
}

module.exports = { refuse };
