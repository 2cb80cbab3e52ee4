'use strict';

// Just enough of a chat in `/chat` for two clients to talk; egg.js has the whole protocol. With a shelf the messages are in
// Redis and reach the users of every node, and what was not receipted comes again with `offline_message`.

const crypto = require('node:crypto');
const { envelope } = require('../lib/im');
const { roomOf } = require('../lib/shelf');

function userOf({ handshake }) {
  return handshake.query.userId || (handshake.auth && handshake.auth.userId);
}

function isMessage(message) {
  return message && typeof message === 'object';
}

function complete(message, sequenceId, _id) {
  return { ...message, _id, sequenceId, send_time: Date.now(), timelineId: `${message.from}@${message.to}` };
}

function serveChat(nsp) {
  const sockets = new Set();
  let sequenceId = 0;

  nsp.on('connection', socket => {
    sockets.add(socket);
    socket.once('disconnect', () => sockets.delete(socket));
    socket.on('to', message => {
      if (!isMessage(message)) return;
      sequenceId++;
      const saved = complete(message, sequenceId, `m${sequenceId}`);
      socket.emit('to_ack', envelope('CHAT_TO_ACK', saved));
      for (const other of sockets) {
        if (other !== socket && userOf(other) === saved.to) other.emit('c_message', envelope('CHAT_MESSAGE', saved));
      }
    });
  });
}

function serveClusterChat(nsp, shelf) {
  nsp.on('connection', socket => {
    const user = userOf(socket);
    socket.join(roomOf(user));
    socket.on('to', async message => {
      if (!isMessage(message)) return;
      const saved = complete(message, await shelf.next(), crypto.randomBytes(12).toString('hex'));
      await shelf.put(saved);
      nsp.to(roomOf(saved.to)).emit('c_message', envelope('CHAT_MESSAGE', saved));
      socket.emit('to_ack', envelope('CHAT_TO_ACK', saved));
    });
    socket.on('c_message_ack', input => {
      const list = Array.isArray(input && input.data) ? input.data : [input];
      shelf.delivered(user, list.map(message => message._id));
    });
    socket.on('offline_message', async () => {
      socket.emit('offline_message', envelope('CHAT_PULL_OFFLINE_MESSAGE', await shelf.pending(user)));
    });
  });
}

module.exports = { serveChat, serveClusterChat };
