'use strict';

// Just enough of a chat in `/chat` for two clients to talk; egg.js has the whole protocol.

const { envelope } = require('../lib/im');

function userOf({ handshake }) {
  return handshake.query.userId || (handshake.auth && handshake.auth.userId);
}

function serveChat(nsp) {
  const sockets = new Set();
  let sequenceId = 0;

  nsp.on('connection', socket => {
    sockets.add(socket);
    socket.once('disconnect', () => sockets.delete(socket));
    socket.on('to', message => {
      if (!message || typeof message !== 'object') return;
      sequenceId++;
      const { from, to } = message;
      const saved = { ...message, _id: `m${sequenceId}`, sequenceId, send_time: Date.now(), timelineId: `${from}@${to}` };
      socket.emit('to_ack', envelope('CHAT_TO_ACK', saved));
      for (const other of sockets) {
        if (other !== socket && userOf(other) === to) other.emit('c_message', envelope('CHAT_MESSAGE', saved));
      }
    });
  });
}

module.exports = { serveChat };
