'use strict';

const { Controller } = require('egg');
const { faultActions } = require('../../../lib/control');

/** The tests' side door; see the README's table. */
class ControlController extends Controller {
  get input() {
    return this.ctx.request.body;
  }

  async stats() {
    this.ctx.type = 'json';
    this.ctx.body = this.app.im.gauge.report();
  }

  async messages() {
    this.ctx.body = this.service.message.report();
  }

  async qrlogin() {
    const { device_id: deviceId, code = 0, token } = this.input;
    this.ctx.body = { sent: this.service.sso.scanned(String(deviceId), code, token) };
  }

  async group() {
    this.ctx.body = this.service.group.change(this.input);
  }

  async sys() {
    const { to, payload } = this.input;
    for (const userId of to === undefined ? this.app.im.users.keys() : [].concat(to)) {
      this.service.push.toUser(String(userId), 'CHAT_SYSTEM_NOTICE', payload);
    }
    this.ctx.body = {};
  }

  async emit() {
    const { nsp = '/chat', event, args = [] } = this.input;
    const sockets = this.addressed(nsp);
    if (sockets) for (const socket of sockets) socket.emit(event, ...args);
    else this.app.io.of(nsp).emit(event, ...args);
    this.ctx.body = {};
  }

  async error() {
    const { nsp = '/chat', code, disconnectAfterMs, transportOnly = false } = this.input;
    const sockets = this.addressed(nsp) || [];
    for (const socket of sockets) {
      this.service.push.error(socket, code);
      if (disconnectAfterMs === undefined && !transportOnly) continue;
      setTimeout(() => {
        if (transportOnly) socket.conn.close();
        else socket.disconnect(true);
      }, disconnectAfterMs || 0);
    }
    this.ctx.body = { sent: sockets.length };
  }

  async fault() {
    const { faults, door } = this.app.im;
    const action = faultActions(faults, door)[`POST ${this.ctx.params.fault}`];
    if (action) this.ctx.body = await action(this.input, this.ctx.req, this.ctx.res);
  }

  /** The sockets of `userId` in /chat or of `device_id` in /sso; null if neither is given. */
  addressed(nsp) {
    const { userId, device_id: deviceId } = this.input;
    if (userId === undefined && deviceId === undefined) return null;
    return nsp === '/sso'
      ? this.service.sso.socketsOf(String(deviceId ?? userId))
      : this.service.presence.socketsOf(String(userId));
  }
}

module.exports = ControlController;
