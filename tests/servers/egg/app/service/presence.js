'use strict';

const { Service } = require('egg');
const { roomOf } = require('../../../lib/shelf');

const EVERYBODY = 'ONLINE'; // the room of those who passed the checks and were not kicked out

class PresenceService extends Service {
  get users() {
    return this.app.im.users;
  }

  socketsOf(userId) {
    return [...(this.users.get(userId) || [])];
  }

  arrived(socket) {
    const { userId, device } = socket.im;
    for (const other of this.socketsOf(userId)) {
      if (other.im.device === device) this.kickOut(other);
    }
    if (!this.users.has(userId)) this.users.set(userId, new Set());
    this.users.get(userId).add(socket);
    socket.join([EVERYBODY, roomOf(userId), ...this.service.group.roomsOf(userId)]);
    socket.once('disconnect', () => this.left(socket));
    this.announce('online', userId);
  }

  left(socket) {
    const { userId } = socket.im;
    // A kicked out socket isn't in the list any more, and its user is still here.
    if (!this.forget(socket)) return;
    if (!this.users.has(userId)) this.announce('offline', userId);
  }

  kickOut(socket) {
    this.forget(socket);
    socket.leaveAll();
    this.service.push.error(socket, 20004);
    setTimeout(() => socket.disconnect(true), this.config.im['refuse-delay']);
  }

  forget(socket) {
    const { userId } = socket.im;
    const sockets = this.users.get(userId);
    const known = Boolean(sockets && sockets.delete(socket));
    if (known && sockets.size === 0) this.users.delete(userId);
    return known;
  }

  announce(type, current) {
    this.service.push.toRoom(EVERYBODY, 'CHAT_ONLINE', { type, current, clients: [...this.users.keys()] });
  }
}

module.exports = PresenceService;
